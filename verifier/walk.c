// SPDX-License-Identifier: GPL-2.0
/*
 * walk: how far can a pointer get that goes on by a step each time round a loop with a tick?
 *
 * t counts the ticks of the whole block, not those of one loop.  That is sound for every nest of loops: a bound with t
 * is one on the number that a register holds now, and t is what it is now, whichever loop it was counted in.  An inner
 * loop's ticks only let the bound of an outer loop's pointer grow faster than the pointer.
 */
#include "walk.h"

#define MAX_END		(1ll << 58)
#define MAX_DRIFT	(1ll << 30)	/* in UB_WALK_TICKS ticks more than any window */
#define STILL_TRIES	1u		/* of widening: an end that moves only once does not drift */
#define FAR		(1ll << 37)	/* farther than 8 times any number of 32 bits */
#define EXACT_TRIES	5u		/* then drifts become powers of two */

struct ub_walk ub_walk_between(s64 lo, s64 hi)
{
	return (struct ub_walk){ .lo = lo, .hi = hi };
}

bool ub_walk_equal(struct ub_walk a, struct ub_walk b)
{
	return a.lo == b.lo && a.hi == b.hi && a.down == b.down && a.up == b.up;
}

bool ub_walk_has(struct ub_walk a, s64 x, u32 t)
{
	return x >= a.lo + (s64)t * a.down && x <= a.hi + (s64)t * a.up;
}

bool ub_walk_drifts(struct ub_walk a)
{
	return a.down || a.up;
}

/* Nothing overflows anywhere here: ends have 58 bits and few more by ticks, drifts 30, t 11, a factor 3. */
static bool put(struct ub_walk *ret, s64 lo, s64 hi, s64 down, s64 up)
{
	if (lo < -MAX_END || lo > MAX_END || hi < -MAX_END || hi > MAX_END || down < -MAX_DRIFT || up > MAX_DRIFT)
		return false;
	*ret = (struct ub_walk){ lo, hi, down, up };
	return true;
}

bool ub_walk_add(struct ub_walk a, struct ub_walk b, struct ub_walk *ret)
{
	/* Sound: sums of lower bounds are lower bounds of sums, for each t. */
	return put(ret, a.lo + b.lo, a.hi + b.hi, (s64)a.down + b.down, (s64)a.up + b.up);
}

bool ub_walk_sub(struct ub_walk a, struct ub_walk b, struct ub_walk *ret)
{
	/* Sound: a + -b, and -x is between -hi - t * up and -lo - t * down. */
	return put(ret, a.lo - b.hi, a.hi - b.lo, (s64)a.down - b.up, (s64)a.up - b.down);
}

bool ub_walk_shl(struct ub_walk a, u32 cnt, struct ub_walk *ret)
{
	s64 factor = 1ll << cnt;

	/* Sound: a positive factor keeps the order. */
	return put(ret, a.lo * factor, a.hi * factor, a.down * factor, a.up * factor);
}

struct ub_walk ub_walk_tick(struct ub_walk a)
{
	/* Sound: lo + (t - 1) * down is (lo - down) + t * down. */
	a.lo -= a.down;
	a.hi -= a.up;
	return a;
}

struct ub_walk ub_walk_settle(struct ub_walk a)
{
	s64 lo = a.lo + (s64)UB_WALK_TICKS * a.down, hi = a.hi + (s64)UB_WALK_TICKS * a.up;

	/* Sound: down <= 0 <= up, so the bounds are widest at the greatest t.  Where they cross nothing gets. */
	return ub_walk_between(lo < hi ? lo : hi, lo < hi ? hi : lo);
}

struct ub_walk ub_walk_join(struct ub_walk a, struct ub_walk b)
{
	/* Sound: t is not negative, so the lesser of both numbers bounds both from below at each t. */
	return (struct ub_walk){
		.lo = a.lo < b.lo ? a.lo : b.lo, .hi = a.hi > b.hi ? a.hi : b.hi,
		.down = a.down < b.down ? a.down : b.down, .up = a.up > b.up ? a.up : b.up,
	};
}

/* How fast an end may move that lay at @old and moved at @old_drift, and now lies further out by @grown and moves at
 * @drift. */
static s64 faster(s64 grown, s64 old_drift, s64 drift, u8 *tries)
{
	s64 power = 1;

	if (grown <= 0 && drift == old_drift)
		return drift;
	*tries += *tries < UB_U8_MAX;
	if (*tries <= STILL_TRIES)
		return drift;
	/* When it moves faster now, that may be all; else the growth of one round is the growth of each. */
	if (drift == old_drift)
		drift += grown;
	if (*tries < EXACT_TRIES)
		return drift;
	while (power < drift)
		power *= 2;
	return power;
}

bool ub_walk_widen(struct ub_walk old, struct ub_walk joined, struct ub_walk_tries *tries, struct ub_walk *ret)
{
	/* Sound: the ends are those of @joined, and t is not negative, so moving faster takes nothing away. */
	s64 down = -faster(old.lo - joined.lo, -(s64)old.down, -(s64)joined.down, &tries->lo);
	s64 up = faster(joined.hi - old.hi, old.up, joined.up, &tries->hi);

	/* An end that jumps rather than walks, as that of the sum of a base and of an index that is being widened, stays where
	 * it lands. */
	if (down < -MAX_DRIFT && joined.lo > 0) {
		joined.lo = 0;
		down = joined.down;
	}
	if (up > MAX_DRIFT && joined.hi < FAR) {
		joined.hi = FAR;
		up = joined.up;
	}
	return put(ret, joined.lo, joined.hi, down, up);
}
