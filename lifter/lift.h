/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lift: hot x86-64 code of a running process -> one IR block.  User space only, not trusted by the kernel.
 */
#ifndef UB_LIFT_H
#define UB_LIFT_H

#include "../ir/op.h"

/* max_guest_insns that pays for servers: ubd's, where its configuration says nothing. */
#define UB_LIFT_BUDGET	20000u

/* Reads @len bytes of code at @ip.  Returns how many could be read (0: none).  Must only give code that may be
 * lifted (file-backed, not writable); the reader is asked again for each region lifted. */
typedef u32 (*ub_read_code_fn)(void *ctx, u64 ip, u8 *buf, u32 len);

/* A place where native execution was seen: what the profile knows and static reading does not. */
struct ub_lift_hint {
	u64 ip;			/* a syscall instruction, an indirect jump or call, or a ret */
	u64 target;		/* where it was seen to go; for a syscall the number */
};

struct ub_lift_request {
	ub_read_code_fn read_code;
	void *ctx;
	const u64 *roots;	/* addresses right behind hot syscall instructions, and hot exits of an earlier lift */
	u32 root_cnt;
	const u64 *entries;	/* the roots at which the kernel may enter: behind a syscall instruction */
	u32 entry_cnt;
	const struct ub_lift_hint *hints;
	u32 hint_cnt;
	const u64 *cold;	/* addresses to leave at instead of lifting */
	u32 cold_cnt;
	/* Addresses to leave at that are worth reaching, as a call is: a function's return address.  Where there are any,
	 * so is a ret whose caller is not known. */
	const u64 *goals;
	u32 goal_cnt;
	const u64 *wild;	/* instructions at which a hold has failed: each use is guarded there instead */
	u32 wild_cnt;
	bool is_learning;	/* branches whose targets are not known are worth reaching too: the exits there will tell */
	bool is_plain;		/* no holds and no ticks: slower, and never refused for them */
	u32 max_guest_insns;	/* budget; 0: the default, 2000 */
	/* May this call be made in the block?  NULL: none. */
	bool (*may_dispatch)(void *ctx, u64 nr);
	/* Reads @len <= 8 bytes of data at @addr (for PLT slots and jump tables): a guess only, the block compares.
	 * NULL: no guesses. */
	bool (*read_data)(void *ctx, u64 addr, u32 len, u64 *ret);
};

/* A stretch of code that was lifted, with the bytes as read: the kernel compares them before it publishes. */
struct ub_code_range {
	u64 start;
	u32 len;
	u8 *bytes;
};

/* Why lifting stopped at an address. */
struct ub_lift_end {
	u64 ip;
	char reason[48];	/* "unsupported: cpuid", "cold", "budget", "unreadable", "indirect", ... */
};

struct ub_lifted {
	struct ub_block block;
	struct ub_code_range *ranges;
	u32 range_cnt;
	struct ub_lift_end *ends;
	u32 end_cnt;
	u32 guest_insn_cnt;
};

/*
 * 0; -EOPNOTSUPP when nothing useful can be lifted (no entry, or neither a syscall nor a goal reachable); -ENOMEM; -EINVAL.
 * *ret is set on 0 only and goes to ub_lifted_free().  What it makes passes the verifier; a block that is refused is
 * a bug of the lifter.
 */
int ub_lift(const struct ub_lift_request *request, struct ub_lifted **ret);
void ub_lifted_free(struct ub_lifted *lifted);

#endif
