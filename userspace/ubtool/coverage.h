/* SPDX-License-Identifier: GPL-2.0 */
/*
 * coverage: how much of a recording would be lifted, and what ends the rest.
 */
#ifndef UB_COVERAGE_H
#define UB_COVERAGE_H

#include "recording.h"

#define COVERAGE_REASONS	64
#define COVERAGE_EXITS		256
#define COVERAGE_SITES		64

struct coverage_reason {
	char why[64];
	u64 ip;			/* an example */
	u64 cnt;		/* instructions run */
};

/* Where the block would be left. */
struct coverage_exit {
	u64 ip, target;
	u32 cnt;
	char why[48];
};

/* A place where system calls are made. */
struct coverage_site {
	u64 ip;			/* behind the instruction */
	u32 nr;
	u32 cnt;
	bool is_hot;
	bool is_made;		/* a block may make it */
	bool is_entry;		/* and it is one of the block's entries */
	bool is_met;
};

struct coverage {
	u64 steps;		/* instructions recorded */
	u64 calls;
	u64 gap_cnt;		/* stretches from one hot call to the next */
	u64 counted;		/* instructions in them: all shares are of these */
	u64 lifted;		/* that stand in the block */
	u64 inside;		/* that would have been run in it: entered behind a call, left where it ends */
	u64 entered, exits;	/* how often the block would have been */
	u32 rounds;		/* blocks made, if it grew */
	u32 guest_insns, ir_insns;
	char refusal[160];	/* of the verifier: nothing is lifted then */
	struct coverage_site sites[COVERAGE_SITES];
	struct coverage_reason ends[COVERAGE_REASONS];		/* of instructions not lifted: why the first of a row is not */
	struct coverage_reason unsupported[COVERAGE_REASONS];	/* those that the lifter does not know, for themselves */
	struct coverage_exit left[COVERAGE_EXITS];
	u32 site_cnt, end_cnt, unsupported_cnt, left_cnt;
};

/*
 * Lifts as the daemon does when it has learned what is run and where branches go, at most @budget guest instructions; with
 * @is_growing as it learns, from the exits of one block after another.  0 or -ENOMEM; finding nothing to lift is a result.
 */
int coverage_find(struct recording *recording, u32 budget, bool is_growing, struct coverage *ret);

#endif
