# The pure core: same C in the kernel module and in user space.  Read by Makefile and kernel/ub-jit/Kbuild.
CORE := ir/op.o ir/vecop.o ir/wire.o ir/text.o \
	verifier/verify.o verifier/cfg.o verifier/bits.o verifier/range.o verifier/walk.o verifier/reg.o \
	verifier/state.o verifier/step.o verifier/step_int.o verifier/step_vec.o verifier/mem.o verifier/check.o \
	verifier/paths.o verifier/time.o verifier/log.o \
	verifier/image.o verifier/image_alu.o verifier/image_call.o verifier/image_decode.o verifier/image_label.o \
	verifier/image_mem.o verifier/image_step.o verifier/image_time.o verifier/image_window.o \
	kernel/ub-jit/x86.o kernel/ub-jit/x86_vec.o kernel/ub-jit/layout.o kernel/ub-jit/desc.o kernel/ub-jit/flow.o kernel/ub-jit/flags.o \
	kernel/ub-jit/hint.o kernel/ub-jit/leave.o kernel/ub-jit/edge.o kernel/ub-jit/call.o kernel/ub-jit/stub.o kernel/ub-jit/machine.o kernel/ub-jit/lower.o kernel/ub-jit/lower_mov.o kernel/ub-jit/lower_mem.o \
	kernel/ub-jit/lower_alu.o kernel/ub-jit/lower_shift.o kernel/ub-jit/lower_rmw.o kernel/ub-jit/lower_bits.o \
	kernel/ub-jit/lower_string.o kernel/ub-jit/lower_time.o kernel/ub-jit/lower_vec.o kernel/ub-jit/lower_flow.o
