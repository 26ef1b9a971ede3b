/* SPDX-License-Identifier: GPL-2.0 */
/*
 * finder: what coverage.c and learning.c share while one recording is looked at.  Nobody else includes it.
 */
#ifndef UB_FINDER_H
#define UB_FINDER_H

#include "coverage.h"

#include "../../lifter/decode.h"
#include "../../lifter/lift.h"

#define MAX_HINTS	8192u
#define INDIRECT	"indirect"	/* why a block is left at a branch with targets that it does not know */

struct pair {			/* an indirect branch */
	u64 ip, target;
	u32 cnt;
};

struct known {			/* of a recorded instruction */
	bool is_lifted;
	bool is_root;
	bool has_slot;
	struct ub_x86_insn insn;
};

struct finder {
	struct recording *recording;
	struct coverage *coverage;
	struct known *known;	/* one for each of recording->insns */
	bool *counts;		/* one for each step: it lies between two hot calls */
	__u64 calls[8];
	u64 *roots;		/* each address at most once */
	u64 entries[UB_MAX_ENTRIES];
	struct ub_lift_hint hints[MAX_HINTS];
	struct pair *slots;	/* where a table of addresses has what */
	u32 root_cnt, entry_cnt, hint_cnt, slot_cnt;
	struct ub_lifted *lifted;
	s64 at;			/* the mark in the block, or OUTSIDE */
};

/* Of the recording's step @i. */
const struct recorded_insn *finder_insn(const struct finder *f, u32 i);
struct known *finder_known(const struct finder *f, u32 i);
/* The site behind whose call it stands, or NULL. */
struct coverage_site *finder_site(const struct finder *f, u32 i);
bool finder_is_indirect(const struct ub_x86_insn *insn);
void finder_hint(struct finder *f, u64 ip, u64 target);
/* Lifts from the roots and hints there are; f->lifted stays NULL where nothing can be.  0 or -ENOMEM. */
int finder_lift(struct finder *f, u32 budget, bool is_learning);
/* Follows the recording through f->lifted. */
void finder_walk(struct finder *f);

/* learning.c: as ubd learns, from the exits of one block after another.  0 or -ENOMEM. */
int finder_grow(struct finder *f, u32 budget);
/* ub_lift_request.read_data, of the tables that finder_grow() has found. */
bool finder_read_slot(void *ctx, u64 addr, u32 len, u64 *ret);

#endif
