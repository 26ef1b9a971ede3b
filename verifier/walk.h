/* SPDX-License-Identifier: GPL-2.0 */
/*
 * walk: a number that may go on a little with each tick.
 *
 * t is how many ticks there were since the last check, 0 <= t <= UB_WALK_TICKS, the same for all registers of a state.
 * A walk holds the whole numbers x with  lo + t * down <= x <= hi + t * up,  where down <= 0 <= up: { 0, 8, 0, 8 } is a
 * pointer's way from 0 in steps of 8 in a loop with a tick.  A register holds x modulo 2^64.
 * Promise of every operation: if x is in a and y in b, at the same t, then x OP y is in ub_walk_OP(a, b).
 */
#ifndef UB_WALK_H
#define UB_WALK_H

#include "../ir/op.h"

/* As many as there are from check to check, and as far as a CPU may run past one that it predicted wrong. */
#define UB_WALK_TICKS	(UB_TICKS + UB_TICK_SLACK)

struct ub_walk {
	s64 lo, hi;
	s32 down, up;
};

struct ub_walk ub_walk_between(s64 lo, s64 hi);
bool ub_walk_equal(struct ub_walk a, struct ub_walk b);
bool ub_walk_has(struct ub_walk a, s64 x, u32 t);
/* Does it move with t at all? */
bool ub_walk_drifts(struct ub_walk a);
/* Each is false, and *ret untouched, when the numbers would become too large to be of use. */
bool ub_walk_add(struct ub_walk a, struct ub_walk b, struct ub_walk *ret);
bool ub_walk_sub(struct ub_walk a, struct ub_walk b, struct ub_walk *ret);
bool ub_walk_shl(struct ub_walk a, u32 cnt, struct ub_walk *ret);	/* cnt < 4 */
/* The same x, once t is one more; once t may be anything. */
struct ub_walk ub_walk_tick(struct ub_walk a);
struct ub_walk ub_walk_settle(struct ub_walk a);
struct ub_walk ub_walk_join(struct ub_walk a, struct ub_walk b);
/* How often each end has moved at a place. */
struct ub_walk_tries {
	u8 lo, hi;
};

/*
 * Holds @joined, which holds @old: an end that moved since @old, and not for the first time, is made to move with t, in
 * the hope that it then stays.  It can be done only so often until the result is false.
 */
bool ub_walk_widen(struct ub_walk old, struct ub_walk joined, struct ub_walk_tries *tries, struct ub_walk *ret);

#endif
