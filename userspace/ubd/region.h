/* SPDX-License-Identifier: GPL-2.0 */
/* region: what is known about the hot code of one process, and its translation. */
#ifndef UBD_REGION_H
#define UBD_REGION_H

#include "profile.h"
#include "../../lifter/lift.h"
#include "../../verifier/verify.h"

#define REGION_MAX_ENTRIES	32
#define REGION_MAX_ROOTS	4096
#define REGION_MAX_HINTS	2048
#define REGION_MAX_DEAD		256
#define REGION_MAX_WILD		256
#define REGION_MAX_TARGETS	48	/* hints for one branch */

struct region {
	u64 entries[REGION_MAX_ENTRIES];	/* behind hot calls */
	u32 entry_cnt;
	u64 roots[REGION_MAX_ROOTS];		/* the entries, and where blocks were left */
	u32 root_cnt;
	struct ub_lift_hint hints[REGION_MAX_HINTS];
	u32 hint_cnt;
	u64 wild[REGION_MAX_WILD];		/* where a register was no address, or too large for an index */
	u32 wild_cnt;
	u64 dead[REGION_MAX_DEAD];		/* where lifting stopped for good */
	u32 dead_cnt;
};

/* These return true when something was new (and there was room). */
bool region_add_entry(struct region *region, u64 ip, u32 nr);
bool region_add_root(struct region *region, u64 ip);
/* The roots behind the first @cnt gave nothing: not to be added again. */
void region_give_up(struct region *region, u32 cnt);
bool region_add_wild(struct region *region, u64 ip);
bool region_add_hint(struct region *region, u64 ip, u64 target);

struct region_env {
	const struct profile *profile;		/* has stacks, for guesses at where calls return to; may be NULL */
	u32 max_guest_insns;
	u64 limit;				/* see struct ub_verify_env */
	bool (*may_dispatch)(void *ctx, u64 nr);
};

struct region_lifted {
	struct ub_lifted *lifted;
	bool is_verified;
	enum ub_refusal refusal;
	char log[1024];				/* of the verifier */
	u64 inode, offset;			/* identity of the first entry */
};

/*
 * Lifts and verifies.  0, also when the verifier refuses; -ESRCH and others when the process cannot be read,
 * -EOPNOTSUPP when nothing can be lifted.  Learns from the result where lifting stopped.
 */
int region_lift(struct region *region, u32 pid, const struct region_env *env, struct region_lifted *ret);
void region_lifted_free(struct region_lifted *lifted);

#endif
