/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lower: what the files of the JIT share while one block is compiled.  Nobody else includes it.
 */
#ifndef UB_LOWER_H
#define UB_LOWER_H

#include "flow.h"
#include "layout.h"
#include "jit.h"
#include "x86.h"

/* Offsets in struct pt_regs (arch/x86/include/asm/ptrace.h); asserted against the real one in runtime.c. */
enum {
	PT_R15 = 0, PT_R14 = 8, PT_R13 = 16, PT_R12 = 24, PT_BP = 32, PT_BX = 40, PT_R11 = 48, PT_R10 = 56,
	PT_R9 = 64, PT_R8 = 72, PT_AX = 80, PT_CX = 88, PT_DX = 96, PT_SI = 104, PT_DI = 112, PT_ORIG_AX = 120,
	PT_IP = 128, PT_CS = 136, PT_FLAGS = 144, PT_SP = 152,
};

/* Locals below rbp; five callee-saved registers lie above them. */
enum {
	LOCAL_FRAME = UB_LOCAL_FRAME,
	LOCAL_TASK = UB_LOCAL_TASK,
	LOCAL_LIMIT = UB_LOCAL_LIMIT,
	LOCAL_FS = -72,
	LOCAL_FLAGS = -80,	/* the guest's arithmetic flags, other bits arbitrary */
	LOCAL_USER_FLAGS = -88,	/* the user's other flags, arithmetic ones clear */
	LOCAL_CALLS = -96,
	LOCAL_WAY = -104,	/* by which a label was reached: see UB_DESC_MERGE() */
	LOCAL_REGS = UB_LOCAL_REGS,
	LOCAL_SPILL = -120,
	LOCAL_CALL_FLAGS = -128, /* the guest's arithmetic flags at the last system call */
	LOCAL_TEMP2 = -136,	/* r18; r19.. below it */
	LOCAL_TICKS = UB_LOCAL_TICKS,	/* if no register is free */
	LOCAL_LIMIT_LOW = UB_LOCAL_LIMIT_LOW,
	LOCAL_TARGET = -200,
	LOCAL_MASK = UB_LOCAL_MASK,
};

/* Where the guest's flags are at this point of the code, any of three may hold; and what else is lazy. */
struct jit_state {
	bool in_host;		/* the machine's flags are the guest's; */
	bool in_host_but_cf;	/* or all of them but CF */
	bool in_slot;		/* LOCAL_FLAGS holds them */
	struct ub_lazy lazy;	/* lazy.desc is the third */
};

/* What a cold stub must put right before the common part. */
enum stub_fix { STUB_PLAIN, STUB_RELOAD_PT, STUB_ADD_RCX, STUB_POP_FLAGS };

/* Code out of line: an exit, or an edge to a label that expects another state. */
struct jit_stub {
	struct jit_state state;
	u32 patch_off;		/* rel32 that leads here; or the faulting instruction when is_fault */
	u32 exit_idx;		/* exits */
	u32 target_idx;		/* edges: instruction */
	u8 fix;
	bool is_fault;
	bool is_edge;
};

/* The rare parts of one system call, with the places in the code that lead there and back. */
struct jit_cold_call {
	struct jit_state before, behind_state;
	u64 mark_ip;
	u32 idx;
	u32 behind;		/* exit */
	u32 pre, post;		/* rel32s */
	u32 go, join, checked;	/* code offsets */
	bool is_pushed;		/* the flags are on the stack at pre and go */
};

struct jit_patch {		/* a rel32 to an instruction */
	u32 off;
	u32 target_idx;
};

struct jit {
	const struct ub_block *block;	/* with the layout's residents */
	const struct ub_jit_env *env;
	const struct ub_verified *verified;
	struct ub_flow *flow;
	struct x86_code code;
	struct jit_state state;
	struct jit_state before;	/* the current instruction did anything to the flags */
	struct ub_lazy after;		/* what is lazy behind it */
	struct ub_image *image;
	struct jit_stub *stubs;
	struct jit_cold_call *colds;
	struct jit_patch *patches;
	struct jit_patch *common;	/* jumps to the common exit; target_idx: 1 with the vector registers open */
	u32 *code_off;			/* [insn] */
	u32 stub_cnt, stub_cap;
	u32 cold_cnt, cold_cap;
	u32 patch_cnt, patch_cap;
	u32 common_cnt, common_cap;
	u32 exit_cap, fault_cap, reloc_cap, hint_cap, fact_cap;
	u32 idx;			/* the instruction being compiled */
	u32 done;			/* those before this one have their code_off */
	u64 mark_ip;			/* its mark */
	u64 limit;
	struct ub_layout layout;
	u8 pt;				/* = layout.pt */
	u8 scratch;			/* = layout.scratch */
	u64 scratch_const;		/* a constant address that the scratch register holds, */
	bool opens;			/* stac and clac are needed */
	bool has_ticks;
	bool has_hold;
	bool may_fault_later;		/* the flags before the current instruction are needed where it faults */
	bool has_scratch_const;		/* as long as code.is_touched stays false */
	int err;			/* sticky: the first failure */
};

/* Where a call stub takes pt_regs, as the handler behind it does, and the address behind the call. */
#define STUB_PT		X86_RDI
#define STUB_IP		X86_RSI

static inline struct x86_rm local(s32 off)
{
	return x86_mem(X86_RBP, off);
}

static inline struct x86_rm pt(const struct jit *j, s32 off)
{
	return x86_mem(j->pt, off);
}

/* Room for one more element of *arr; false (and j->err) when there is no memory. */
bool jit_grow(struct jit *j, void **arr, u32 cnt, u32 *cap, size_t size);

/* Do the guest's flags matter at instruction @idx? */
static inline bool flags_live(const struct jit *j, u32 idx)
{
	return j->flow[idx].live & UB_LIVE_FLAGS;
}

/* Where an IR register lives: a machine register, or memory based on rbp or pt_regs.  A machine register may hold a
 * guard, which is data flow in registers: its value never goes through memory, where a CPU may read an older one. */
struct x86_rm jit_loc(const struct jit *j, u8 reg);
/* The machine register of r17: around a system call no temporary lives there. */
u8 jit_call_reg(const struct jit *j);
/* The register that holds the task: its own, or @reg, into which it is loaded. */
u8 jit_task(struct jit *j, u8 reg);

/* flags.c */
/* Before code that changes the machine's flags: keeps the guest's if the current instruction or a later one needs them. */
void jit_flags_clobber(struct jit *j);
/* The same where the scratch register is free, which makes it quicker. */
void jit_flags_clobber_scratch(struct jit *j);
/* The same where nothing but the one machine instruction to come changes them and leaves: only what a later instruction
 * needs is kept, and until then the machine's flags count. */
void jit_flags_clobber_late(struct jit *j);
/* Before the current instruction writes registers: a description that depends on them is turned into flags. */
void jit_flags_before_write(struct jit *j);
/* Does the machine hold the guest's flags, and does the current instruction or a later one need them? */
bool jit_flags_host_in_use(const struct jit *j);
/* The machine's flags are not the guest's any more. */
void jit_flags_lost(struct jit *j);
/* The machine's flags become the guest's, as set by the current instruction. */
void jit_flags_set(struct jit *j);
/* Puts the guest's flags into LOCAL_FLAGS.  Uses the scratch register. */
void jit_flags_to_slot(struct jit *j);
/* Puts CF alone there; what else is there is lost. */
void jit_flags_carry_to_slot(struct jit *j);
/* Pushes them on the machine's stack, before a system call.  False: LOCAL_CALL_FLAGS holds them, nothing is pushed. */
bool jit_flags_push(struct jit *j);
/* Pops what was pushed into LOCAL_CALL_FLAGS. */
void jit_flags_pop(struct jit *j);
/* Puts all of them into the machine's flags. */
void jit_flags_to_host(struct jit *j);
/* Puts CF into the machine's CF. */
void jit_flags_carry(struct jit *j);
/* Emits what is needed so that the returned machine condition holds iff the guest's @cc does. */
enum ub_cc jit_flags_cond(struct jit *j, enum ub_cc cc);
/* Adds what is pending to the guest's rsp, but for @to.  Changes the machine's flags. */
void jit_sp_flush(struct jit *j, s32 to);
/* The same by lea, which leaves the machine's flags alone. */
void jit_sp_flush_quietly(struct jit *j, s32 to);
/* Loads into their machine registers those guest registers of @mask that are only in pt_regs. */
void jit_stale_load(struct jit *j, u32 mask);
/* Loads the guest's rcx if it is still pending. */
void jit_rcx_flush(struct jit *j);
/* Writes the guest's r11 if it is still pending.  Changes the machine's flags; uses the scratch register. */
void jit_r11_flush(struct jit *j);

static inline void jit_load(struct jit *j, u8 reg, struct x86_rm from)
{
	x86_mov_reg_rm(&j->code, UB_W64, reg, from);
}

static inline void jit_store(struct jit *j, struct x86_rm to, u8 reg)
{
	x86_mov_rm_reg(&j->code, UB_W64, to, reg);
}

/* leave.c */
/* Between machine registers and pt_regs: the guest registers of @mask, which are resident. */
void jit_load_guest(struct jit *j, u32 mask);
void jit_store_guest(struct jit *j, u32 mask);
/* Puts those guest registers of @mask into pt_regs that are not there, of UB_SAVED_REGS. */
void jit_save_guest(struct jit *j, u32 mask);
/* What the kernel's entry writes there before a system call; the guest's rax lives in a machine register until an exit. */
void jit_store_enosys(struct jit *j);
/* From a local to the frame, through rax.  @frame: the register that points to it. */
void jit_copy_out(struct jit *j, u8 frame, u32 frame_off, s32 local_off);
/* Code out of line, for the current state. */
void jit_stub_new(struct jit *j, struct jit_stub stub);
/* Sets the counter of ticks, where the block has any. */
void jit_ticks_renew(struct jit *j);
/* Takes one off: the machine's e holds at zero. */
void jit_tick(struct jit *j);
/* @is_next: the code of the entry's instruction will follow. */
void jit_prologue(struct jit *j, const struct ub_entry *entry, bool is_next);
/* A new exit at the current instruction; returns its index. */
u32 jit_exit_new(struct jit *j, u64 ip, enum ub_exit_kind kind, bool is_behind);
/* Leaves to the mark if the machine's @cc holds. */
void jit_leave_if(struct jit *j, enum ub_cc cc, enum ub_exit_kind kind, enum stub_fix fix);
/* The instruction at @insn_off leaves to the mark when it faults. */
void jit_leave_on_fault(struct jit *j, u32 insn_off, enum stub_fix fix);
/* Leaves here and now. */
void jit_leave(struct jit *j, u32 exit_idx);
void jit_stubs(struct jit *j);
void jit_reloc(struct jit *j, u32 off, u64 target);

/* Lets the guest have the vector registers, or gives them back.  Changes the machine's flags, and no register. */
void jit_vec_open(struct jit *j, bool is_open);

/* edge.c */
/* Makes the current state good enough for label @idx. */
void jit_convert(struct jit *j, u32 idx);
/* jmp / jcc to instruction @target_idx in the state that it expects. */
void jit_jump(struct jit *j, u32 target_idx);
void jit_jump_if(struct jit *j, enum ub_cc cc, u32 target_idx);
/* Turns the current state into the one that label @target_idx expects (falls through). */
void jit_enter_label(struct jit *j, u32 target_idx);
/* A label that nothing falls into: starts in the state it expects. */
void jit_label_state(struct jit *j, u32 target_idx);

/* hint.c */
/* Once it is clear where what lives. */
void jit_hint_start(struct jit *j);
/* The code of label @idx begins here. */
void jit_hint_label(struct jit *j, u32 idx);
/* Here is jumped back to inside the code of an instruction: what falls in holds but for the flags, machine registers @lost
 * and the values of those @forgotten. */
void jit_hint_here(struct jit *j, u16 lost, u16 forgotten);
/* The same right before a system call, where no value is known but the number in eax. */
void jit_hint_call(struct jit *j, u16 lost);

/* call.c */
void jit_syscall(struct jit *j, const struct ub_insn *insn);
/* Its rare parts. */
void jit_cold_call(struct jit *j, const struct jit_cold_call *cold);

/* lower*.c: one per operation. */
#define OP(name, text, shape, widths, effect) void lower_##name(struct jit *j, const struct ub_insn *insn);
#include "../../ir/ops.h"

/* lower.c, for the files beside it. */
struct x86_rm lower_dst(const struct jit *j, const struct ub_insn *insn);
struct x86_rm lower_src(const struct jit *j, const struct ub_insn *insn);
void lower_to_scratch(struct jit *j, struct x86_rm from);
/* The register that holds src, loaded into the scratch register if it lives in memory. */
u8 lower_src_reg(struct jit *j, const struct ub_insn *insn);
/* Where a result of all 64 bits is made, and how it gets from there to where dst lives. */
u8 lower_whole_reg(const struct jit *j, const struct ub_insn *insn);
void lower_put_whole(struct jit *j, const struct ub_insn *insn);
/* Must a result of width @w for @dst be made in the scratch register first? */
bool lower_via_scratch(struct x86_rm dst, enum ub_width w);
/* Where an operation that changes dst works, and how its result gets back. */
struct x86_rm lower_work_place(struct jit *j, const struct ub_insn *insn);
void lower_work_done(struct jit *j, const struct ub_insn *insn);
/* The register of a further operand, loaded if it lives in memory: into the scratch register, or if that is in use into
 * that of pt_regs, which must be given back then. */
u8 lower_second(struct jit *j, struct x86_rm from, bool is_scratch_used);
void lower_give_back(struct jit *j, u8 reg);
/* Before and after code that changes the machine's flags as its x86 namesake does.  The former wants the scratch register
 * free. */
void lower_flags_before(struct jit *j);
void lower_flags_after(struct jit *j, const struct ub_insn *insn);
/* Does the current instruction set the guest's flags, and does anybody read them? */
bool lower_wants_flags(const struct jit *j, const struct ub_insn *insn);
/* Refuses to compile for a machine without these UB_INT_F_*. */
void lower_need(struct jit *j, u32 features);
/* Does the current instruction read memory in place of the load before it?  Then its operand, and what must be called
 * right before the one machine instruction that uses it: if that faults it has changed nothing, not the flags either. */
bool lower_is_fused(const struct jit *j);
struct x86_rm lower_fused_mem(struct jit *j, const struct ub_insn *insn);
/* src, or that operand: the next machine instruction must be the one that uses it. */
struct x86_rm lower_src_or_mem(struct jit *j, const struct ub_insn *insn);
void lower_fused_fault(struct jit *j);

/* lower_mem.c */
/* Leaves as a fault would unless the register is at most LIMIT; in speculation too. */
void lower_guard_in_place(struct jit *j, u8 reg);
/* The memory operand of a load or store whose base field is @base. */
struct x86_rm lower_user_mem(struct jit *j, const struct ub_insn *insn, u8 base);

/* lower_flow.c */
/* Tests the task's work flags: ne if there is work.  Uses the scratch register, or none. */
void lower_test_work(struct jit *j);

#endif
