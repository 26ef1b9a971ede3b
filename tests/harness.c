// SPDX-License-Identifier: GPL-2.0
/*
 * harness: does the machine code do what the IR says?  See harness.h.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "harness.h"

#define SLOTS		2u		/* images that may be entered */
#define MAX_NR		512
#define USER_FLAGS	0x202u		/* IF and the bit that is always set */

struct fake_task {
	u32 flags;
	int pagefault_disabled;
	u64 syscall_work;
};

/* In the order of struct pt_regs. */
enum { P_R15, P_R14, P_R13, P_R12, P_BP, P_BX, P_R11, P_R10, P_R9, P_R8, P_AX, P_CX, P_DX, P_SI, P_DI, P_ORIG_AX,
	P_IP, P_CS, P_FLAGS, P_SP, P_SS, P_COUNT };

static const u8 pt_of[UB_NGUEST] = {
	P_AX, P_CX, P_DX, P_BX, P_SP, P_BP, P_SI, P_DI, P_R8, P_R9, P_R10, P_R11, P_R12, P_R13, P_R14, P_R15,
};

enum { FAR_HANDLER = 0, FAR_SLOW = 16, CALL_STUB = 32, IMAGE = 4096, AREA_LEN = IMAGE + SLOTS * UB_MAX_IMAGE };

static u8 *area;			/* call stubs and far jumps, then the images */
static const struct ub_image *placed[SLOTS];
static u32 last_slot;
static const struct ub_image *running;
static const struct ub_interp_world *running_world;

u8 *ub_harness_code(const struct ub_image *image)
{
	u32 slot = placed[last_slot] == image ? last_slot : !last_slot;

	return area + IMAGE + slot * UB_MAX_IMAGE;
}

u64 ub_harness_fixup(u64 ip)
{
	u64 code = running ? (u64)ub_harness_code(running) : 0;
	u32 i;

	for (i = 0; running && i < running->fault_cnt; i++)
		if (running->faults[i].insn_off == ip - code)
			return code + running->faults[i].fixup_off;
	return 0;
}

static void on_fault(int sig, siginfo_t *info, void *ctx)
{
	greg_t *gregs = ((ucontext_t *)ctx)->uc_mcontext.gregs;
	u64 fixup = ub_harness_fixup(gregs[REG_RIP]);

	(void)info;
	if (fixup)
		gregs[REG_RIP] = fixup;
	else
		signal(sig, SIG_DFL);
}

static u64 handler(u64 *pt)
{
	u64 regs[UB_NGUEST];
	u32 i;

	for (i = 0; i < UB_NGUEST; i++)
		regs[i] = pt[pt_of[i]];
	regs[UB_RAX] = pt[P_ORIG_AX];
	if (running_world->syscall)
		running_world->syscall(running_world->ctx, regs);
	return regs[UB_RAX];
}

/* The kernel would have found work; the harness only leaves where the interpreter leaves. */
static u64 slow_call(struct ub_frame *frame)
{
	(void)frame;
	return UB_CALL_LEAVE;
}

static u32 put_far_jump(u32 at, void *target)
{
	static const u8 movabs_r10[] = { 0x49, 0xba }, jmp_r10[] = { 0x41, 0xff, 0xe2 };
	u64 addr = (u64)target;

	memcpy(area + at, movabs_r10, 2);
	memcpy(area + at + 2, &addr, 8);
	memcpy(area + at + 10, jmp_r10, 3);
	return at + 16;
}

static void put_rel32(u8 *at, u8 *target)
{
	s32 rel = target - (at + 4);

	memcpy(at, &rel, 4);
}

static int set_up(void)
{
	u32 rel;

	if (area)
		return 0;
	area = mmap(NULL, AREA_LEN, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED) {
		area = NULL;
		return -ENOMEM;
	}
	put_far_jump(FAR_HANDLER, handler);
	put_far_jump(FAR_SLOW, slow_call);
	rel = ub_jit_call_stub(area + CALL_STUB);
	put_rel32(area + CALL_STUB + rel, area + FAR_HANDLER);
	return 0;
}

static void catch_faults(void)
{
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	sigaction(SIGFPE, &act, NULL);
}

void ub_harness_place(const struct ub_image *image)
{
	u8 *code;
	u32 i;

	last_slot = (last_slot + 1) % SLOTS;
	placed[last_slot] = image;
	code = ub_harness_code(image);
	memcpy(code, image->code, image->code_len);
	for (i = 0; i < image->reloc_cnt; i++)
		put_rel32(code + image->relocs[i].off, (u8 *)image->relocs[i].target);
}

static const struct ub_jit_env *harness_env(bool is_behind_call)
{
	static u64 stubs[MAX_NR];
	static struct ub_jit_env env = {
		.flags_off = offsetof(struct fake_task, flags),
		.work_mask = 1,
		.work_off = offsetof(struct fake_task, syscall_work),
		.work_exit_mask = 1,
		.pagefault_off = offsetof(struct fake_task, pagefault_disabled),
		.call_stubs = stubs,
		.call_stub_cnt = MAX_NR,
		.int_features = UB_INT_F_ALL,
		.vec_features = ~0u,
	};
	u32 i;

	for (i = 0; i < MAX_NR; i++)
		stubs[i] = (u64)(area + CALL_STUB);
	env.entry_is_call = is_behind_call;
	env.pre_call = env.post_call = (u64)(area + FAR_SLOW);
	return &env;
}

int ub_harness_make(const struct ub_verified *verified, bool is_behind_call, struct ub_image **ret)
{
	int err = set_up();

	if (!err)
		err = ub_jit(verified, harness_env(is_behind_call), ret);
	if (!err)
		ub_harness_place(*ret);
	return err;
}

/* Runs the code with the vector registers and MXCSR of @state, which it leaves there. */
static u64 enter_with_vectors(u64 (*enter)(struct ub_frame *), struct ub_frame *frame, struct ub_interp *state)
{
	u32 host;
	u64 ret;

	asm volatile("stmxcsr %[host]\n\t"
		     "ldmxcsr %[mxcsr]\n\t"
		     "vmovdqu (%[v]), %%ymm0\n\tvmovdqu 32(%[v]), %%ymm1\n\tvmovdqu 64(%[v]), %%ymm2\n\t"
		     "vmovdqu 96(%[v]), %%ymm3\n\tvmovdqu 128(%[v]), %%ymm4\n\tvmovdqu 160(%[v]), %%ymm5\n\t"
		     "vmovdqu 192(%[v]), %%ymm6\n\tvmovdqu 224(%[v]), %%ymm7\n\tvmovdqu 256(%[v]), %%ymm8\n\t"
		     "vmovdqu 288(%[v]), %%ymm9\n\tvmovdqu 320(%[v]), %%ymm10\n\tvmovdqu 352(%[v]), %%ymm11\n\t"
		     "vmovdqu 384(%[v]), %%ymm12\n\tvmovdqu 416(%[v]), %%ymm13\n\tvmovdqu 448(%[v]), %%ymm14\n\t"
		     "vmovdqu 480(%[v]), %%ymm15\n\t"
		     "mov %%rsp, %%r12\n\tsub $128, %%rsp\n\tand $-16, %%rsp\n\t"	/* past the red zone */
		     "call *%[enter]\n\t"
		     "mov %%r12, %%rsp\n\t"
		     "vmovdqu %%ymm0, (%[v])\n\tvmovdqu %%ymm1, 32(%[v])\n\tvmovdqu %%ymm2, 64(%[v])\n\t"
		     "vmovdqu %%ymm3, 96(%[v])\n\tvmovdqu %%ymm4, 128(%[v])\n\tvmovdqu %%ymm5, 160(%[v])\n\t"
		     "vmovdqu %%ymm6, 192(%[v])\n\tvmovdqu %%ymm7, 224(%[v])\n\tvmovdqu %%ymm8, 256(%[v])\n\t"
		     "vmovdqu %%ymm9, 288(%[v])\n\tvmovdqu %%ymm10, 320(%[v])\n\tvmovdqu %%ymm11, 352(%[v])\n\t"
		     "vmovdqu %%ymm12, 384(%[v])\n\tvmovdqu %%ymm13, 416(%[v])\n\tvmovdqu %%ymm14, 448(%[v])\n\t"
		     "vmovdqu %%ymm15, 480(%[v])\n\t"
		     "vzeroupper\n\t"
		     "stmxcsr %[mxcsr]\n\t"
		     "ldmxcsr %[host]"
		     : "=a"(ret), "+D"(frame), [host] "=m"(host), [mxcsr] "+m"(state->mxcsr)
		     : [v] "b"(state->v), [enter] "r"(enter)
		     : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3",
		       "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
		       "xmm15");
	return ret;
}

void ub_harness_enter(const struct ub_image *image, const struct ub_interp_world *world, u32 entry_idx,
		      struct ub_interp *state, struct ub_image_exit *ret)
{
	struct fake_task task = { .pagefault_disabled = 1, .syscall_work = world->syscall ? 0 : 2,
		.flags = world->must_yield && world->must_yield(world->ctx) };
	u64 pt[P_COUNT] = { 0 };
	struct ub_frame frame = {
		.regs = (u64)pt, .task = (u64)&task, .limit = world->limit, .fs_base = world->fs_base,
		.flags = state->flags | USER_FLAGS,
	};
	u64 (*enter)(struct ub_frame *) = (void *)(ub_harness_code(image) + image->entries[entry_idx].off);
	u32 i;

	for (i = 0; i < UB_NGUEST; i++)
		pt[pt_of[i]] = state->regs[i];
	running = image;
	running_world = world;
	*ret = image->exits[state->has_vectors ? enter_with_vectors(enter, &frame, state) : enter(&frame)];
	running = NULL;
	for (i = 0; i < UB_NGUEST; i++)
		state->regs[i] = pt[pt_of[i]];
	state->flags = frame.flags & UB_FL_ALL;
	state->ip = ret->kind == UB_EXIT_INDIRECT ? frame.target : ret->ip;
	state->insn_idx = ret->insn_idx;
}

int ub_harness_run(const struct ub_verified *verified, const struct ub_interp_world *world, u32 entry_idx,
		   struct ub_interp *state, enum ub_exit_kind *ret_kind, struct ub_image_exit *ret_exit)
{
	u64 entry_ip = ub_verified_block(verified)->entries[entry_idx].ip;
	bool is_behind_call = state->regs[UB_R11] == (state->flags | USER_FLAGS) && state->regs[UB_RCX] == entry_ip;
	struct ub_image_exit exit_taken;
	struct ub_image *image;
	int err = ub_harness_make(verified, is_behind_call, &image);

	if (err)
		return err;
	catch_faults();
	ub_harness_enter(image, world, entry_idx, state, &exit_taken);
	*ret_kind = exit_taken.kind;
	if (ret_exit)
		*ret_exit = exit_taken;
	ub_image_free(image);
	return 0;
}
