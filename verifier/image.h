/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image: what the machine code of a block is, and what it may reach; and the check of it.
 *
 * The JIT makes an image, the checker reads it again, and only what is described here do the two have in common.
 */
#ifndef UB_IMAGE_H
#define UB_IMAGE_H

#include "reg.h"

/* What the caller hands in and gets back; lives on the caller's stack. */
struct ub_frame {
	u64 regs;		/* in: struct pt_regs of the task (x86-64 layout) */
	u64 task;		/* in: current; see the offsets below */
	u64 limit;		/* in: LIMIT */
	u64 fs_base;		/* in: the user's FS base */
	u64 flags;		/* in: the user's RFLAGS; out: only the bits of UB_FL_ALL count, all others are arbitrary */
	u64 target;		/* out: where an UB_EXIT_INDIRECT goes */
	u64 calls;		/* in/out: added to for each system call made; up to date in the slow calls too */
	u64 site;		/* out to the slow calls: index of the exit that they stand at */
	u64 owner;		/* for the caller's use */
};

enum { UB_CALL_GO, UB_CALL_SKIP, UB_CALL_LEAVE };

struct ub_jit_env {
	bool smap;		/* emit stac/clac */
	bool ibt;		/* entries begin with endbr64: they are called through a pointer */
	bool entry_is_call;	/* entries are right behind a call: the guest's rcx is the entry's ip, its r11 is frame->flags */
	u32 flags_off;		/* in *task: u32/u64 thread flags, tested with work_mask */
	u32 work_mask;
	u32 work_off;		/* in *task: u64 syscall_work; any bit set: pre_call decides */
	u32 work_exit_mask;	/* bits of syscall_work that mean work after a call: leave right behind it */
	u32 pagefault_off;	/* in *task: int pagefault_disabled; 1 while the image runs, decremented around calls out */
	u64 return_thunk;	/* jmp target instead of ret, 0: plain ret */
	/* Both get the frame (frame->site: the exit right behind the call; frame->calls is up to date); the guest's
	 * general registers are in pt_regs, page faults enabled, AC clear; may sleep.
	 * pre_call: syscall_work is set before a call; regs->ax is the guest's rax, ip/orig_ax are still stale.
	 *   UB_CALL_GO: regs->ax is again the guest's rax, make the call; UB_CALL_SKIP: regs->ax is the call's result
	 *   (a seccomp verdict); UB_CALL_LEAVE: regs->ax is the guest's rax, leave at the syscall instruction.
	 * post_call: thread flags are set after a call (regs->ax is its result).  UB_CALL_GO, or UB_CALL_LEAVE: leave
	 *   right behind it. */
	u64 pre_call;
	u64 post_call;
	/* Both called directly, with user access closed; they keep all registers but the flags.  Between open and close the
	 * vector registers and MXCSR are the user's; for 100 us at most, no call out and no exit meanwhile.  0: they
	 * always are. */
	u64 vec_open;
	u64 vec_close;
	/* Per-CPU variables: where an instruction with a gs: prefix and no base finds them; 0: there is none. */
	s32 softirq_gs;		/* u16: not 0 while softirqs wait; only valid while open, when a check must not go on */
	s32 cpu_node_gs;	/* u32: what RDTSCP leaves in ecx, and RDPID gives */
	/* By number, the stub that ub_jit_call_stub() wrote for its handler; 0: not on the allow-list. */
	const u64 *call_stubs;
	u32 call_stub_cnt;
	u32 vec_features;	/* UB_VEC_F_*: the instruction sets that this machine has enabled */
	u32 int_features;	/* UB_INT_F_*: and those of general registers */
};

enum {
	UB_INT_F_POPCNT = 1 << 0, UB_INT_F_LZCNT = 1 << 1, UB_INT_F_BMI1 = 1 << 2, UB_INT_F_BMI2 = 1 << 3,
	UB_INT_F_ADX = 1 << 4, UB_INT_F_CRC32 = 1 << 5, UB_INT_F_CX16 = 1 << 6, UB_INT_F_RDTSCP = 1 << 7,
	UB_INT_F_ALL = (1 << 8) - 1,
};

struct ub_image_exit {
	u64 ip;			/* where the guest goes on (INDIRECT: the branch; the target is in the frame) */
	u32 insn_idx;
	u8 kind;		/* enum ub_exit_kind of include/ub/uapi.h */
	u8 is_behind;		/* right behind a call just made: orig_ax stays its number; else it becomes -1 */
};

struct ub_image_fault {		/* sorted by insn_off */
	u32 insn_off;		/* an instruction that may fault */
	u32 fixup_off;		/* where to go on if it does */
};

struct ub_image_reloc {		/* a rel32 at @off, to be set to target - (address of code + off + 4) */
	u32 off;
	u64 target;
};

struct ub_image_entry {
	u64 ip;
	u32 off;
};

/*
 * The locals of an image that hold what is the kernel's lie at fixed places below rbp; all others hold what is the guest's.
 */
enum {
	UB_LOCAL_FRAME = -48,		/* struct ub_frame */
	UB_LOCAL_TASK = -56,
	UB_LOCAL_LIMIT = -64,
	UB_LOCAL_REGS = -112,		/* pt_regs */
	UB_LOCAL_TICKS = -184,
	UB_LOCAL_LIMIT_LOW = -192,	/* LIMIT - UB_HOLD_LOW */
	UB_LOCAL_MASK = -208,		/* ub_image_mask(LIMIT) */
	UB_LOCALS_LEN = 168,		/* below five saved registers */
};

/* The least 2^n - 1 that is not below @limit. */
static inline u64 ub_image_mask(u64 limit)
{
	u32 i;

	for (i = 1; i < 64; i *= 2)
		limit |= limit >> i;
	return limit;
}

/*
 * What the JIT believes of the machine at a place that is jumped back to.  Nobody trusts it: the checker holds every
 * way there to it, so a wrong one only refuses.
 */
enum ub_hint_class { UB_HINT_NONE, UB_HINT_GUEST, UB_HINT_REGS, UB_HINT_TASK, UB_HINT_TICKS };

struct ub_image_hint {
	u32 off;
	u8 is_kept;		/* what falls in here is kept, but for registers in lost and forgotten; nothing below counts */
	u8 keeps_number;	/* and with it that eax is the number of a call, be its value forgotten */
	u16 lost;		/* registers that hold nothing any more; */
	u16 forgotten;		/* and of which nothing is known */
	u8 reg[16];		/* of each register the enum ub_hint_class; UB_HINT_NONE: it may hold anything */
	u32 locals;		/* written ones: bit n is the one at rbp - 48 - 8 * n */
	u32 low_bytes;		/* those of which the lowest byte is */
	u8 has_flags;		/* the machine's flags are the guest's */
	u8 is_open;		/* access to user memory, */
	u8 is_vec_open;		/* and the vector registers */
	u8 has_ticks;		/* at least one is left */
	u32 fact_idx, fact_cnt;	/* in ub_image.facts */
};

struct ub_image_fact {
	u8 reg;			/* a machine register */
	struct ub_reg value;
};

struct ub_image {
	u8 *code;
	struct ub_image_exit *exits;
	struct ub_image_fault *faults;
	struct ub_image_reloc *relocs;
	struct ub_image_entry *entries;
	struct ub_image_hint *hints;	/* by offset */
	struct ub_image_fact *facts;
	u32 *insn_offs;			/* where the code of each instruction of the block begins, for tools */
	u32 code_len;
	u32 exit_cnt;
	u32 fault_cnt;
	u32 reloc_cnt;
	u32 entry_cnt;
	u32 hint_cnt;
	u32 fact_cnt;
	u8 ticks;			/* the machine register that counts ticks, or UB_NOREG */
};

#define UB_MAX_IMAGE	(1u << 20)

/* What is wrong with an image: one sentence, and where.  text is NUL-terminated. */
struct ub_image_log {
	u32 off;
	char text[120];
};

/*
 * Reads the machine code of @image again, as it stands in @code and will run at @address, its relocations done.
 * 0: whatever the guest's registers and memory hold, it keeps the rules of docs/IMAGE.md.  -EACCES: it may not, see
 * @log; -ENOMEM.  Trusts @env and @limit, and of @image nothing: not the entries, of which each is checked as one.
 */
int ub_image_check(const struct ub_image *image, const u8 *code, u64 address, const struct ub_jit_env *env, u64 limit,
		   struct ub_image_log *log);

struct ub_log;
/* log.c: a refused image as the cause, UB_REFUSE_IMAGE. */
void ub_log_image(struct ub_log *log, const struct ub_image_log *why);

#endif
