/* SPDX-License-Identifier: GPL-2.0 */
/*
 * jit: a verified block -> native code (pure: built into the module and into the user-space tests).
 *
 * The code is one function per entry, u64 code(struct ub_frame *frame), C calling convention.  It takes the guest's
 * registers from frame->regs, runs, writes them back, and returns the index of the exit taken (ub_image.exits).
 * While it runs rsp is the kernel stack, rbp the frame pointer with locals below it; layout.h has the others.
 */
#ifndef UB_JIT_H
#define UB_JIT_H

#include <ub/uapi.h>
#include "../../ir/vecop.h"
#include "../../verifier/verify.h"

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
	u8 kind;		/* enum ub_exit_kind */
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

struct ub_image {
	u8 *code;
	struct ub_image_exit *exits;
	struct ub_image_fault *faults;
	struct ub_image_reloc *relocs;
	struct ub_image_entry *entries;
	u32 *insn_offs;			/* where the code of each instruction of the block begins, for tools */
	u32 code_len;
	u32 exit_cnt;
	u32 fault_cnt;
	u32 reloc_cnt;
	u32 entry_cnt;
};

/* 0; -ENOMEM; -E2BIG (code over UB_MAX_IMAGE); -EOPNOTSUPP (a call that is not on the allow-list, an instruction set that is
 * not in vec_features; nothing to fix by
 * the verifier).  *ret is set on 0 only, and owns its arrays. */
int ub_jit(const struct ub_verified *verified, const struct ub_jit_env *env, struct ub_image **ret);
void ub_image_free(struct ub_image *image);

#define UB_MAX_IMAGE	(1u << 20)

/*
 * The trusted step between an image and a handler: the image never writes ip or orig_ax itself.  A stub takes pt_regs
 * in r8, the address behind the syscall instruction in r9 and the guest's rax in rax; sets ip, orig_ax = rax and
 * ax = -ENOSYS, and jumps to the handler with rdi = pt_regs.  Appends one stub to @buf (room for
 * UB_CALL_STUB_LEN); returns the offset in it of a rel32 that the caller sets to the handler.
 */
#define UB_CALL_STUB_LEN	32
u32 ub_jit_call_stub(u8 buf[UB_CALL_STUB_LEN]);

#endif
