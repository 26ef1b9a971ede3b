// SPDX-License-Identifier: GPL-2.0
/*
 * reg: what may a register hold, and may it be used as an address?
 *
 * Scalars carry both views of bits.c and range.c and let each sharpen the other.  No function here looks at a branch.
 */
#include "reg.h"

#define MAX_WALK	(1ll << 57)
#define MAX_PLAIN	0xffffffffull	/* what grows past it at the head of a loop with ticks walks */

/* Each view tells the other what it knows. */
static struct ub_reg scalar(struct ub_bits bits, struct ub_range range)
{
	u64 lo = bits.value, hi = bits.value | bits.mask;

	/* Sound: a value in both views lies between the least and the greatest that the bits allow ... */
	if (!ub_range_wraps(range)) {
		if (range.lo > lo)
			lo = range.lo;
		if (range.lo + range.span < hi)
			hi = range.lo + range.span;
		if (ub_bug_if(lo > hi, "bits and range contradict each other"))
			return ub_reg_any();
		range = ub_range_between(lo, hi);
	} else if (hi - lo < range.span) {
		range = ub_range_between(lo, hi);
	}
	/* ... and has the bits that all of an arc share. */
	if (!ub_range_wraps(range))
		bits = ub_bits_meet(bits, ub_bits_between(range.lo, range.lo + range.span));
	return (struct ub_reg){ .bits = bits, .range = range, .kind = UB_REG_SCALAR };
}

struct ub_reg ub_reg_unwritten(void)
{
	return (struct ub_reg){ .bits = UB_BITS_ANY, .range = UB_RANGE_ANY, .kind = UB_REG_UNWRITTEN };
}

struct ub_reg ub_reg_any(void)
{
	return (struct ub_reg){ .bits = UB_BITS_ANY, .range = UB_RANGE_ANY, .kind = UB_REG_SCALAR };
}

struct ub_reg ub_reg_const(u64 value)
{
	return (struct ub_reg){
		.bits = ub_bits_const(value), .range = ub_range_const(value), .kind = UB_REG_SCALAR,
	};
}

struct ub_reg ub_reg_between(u64 lo, u64 hi)
{
	return scalar(UB_BITS_ANY, ub_range_between(lo, hi));
}

static struct ub_reg guarded(struct ub_walk walk)
{
	return (struct ub_reg){ .walk = walk, .kind = UB_REG_GUARDED };
}

/* Without drift it is a scalar. */
static struct ub_reg walking(struct ub_walk walk)
{
	if (!ub_walk_drifts(walk))
		return ub_reg_between(walk.lo, walk.hi);
	return (struct ub_reg){ .walk = walk, .kind = UB_REG_WALKING };
}

struct ub_reg ub_reg_guard(s64 off)
{
	return guarded(ub_walk_between(off, off));
}

bool ub_reg_equal(const struct ub_reg *a, const struct ub_reg *b)
{
	if (a->kind != b->kind || a->is_bounded != b->is_bounded)
		return false;
	if (a->kind >= UB_REG_WALKING)
		return ub_walk_equal(a->walk, b->walk);
	return ub_bits_equal(a->bits, b->bits) && ub_range_equal(a->range, b->range);
}

u64 ub_reg_min(const struct ub_reg *a)
{
	return ub_range_min(a->range);
}

u64 ub_reg_max(const struct ub_reg *a)
{
	return ub_range_max(a->range);
}

struct ub_reg ub_reg_plain(const struct ub_reg *a, u64 limit)
{
	struct ub_walk walk;
	struct ub_reg reg;

	switch (a->kind) {
	case UB_REG_SCALAR:
		return *a;
	case UB_REG_WALKING:
		walk = ub_walk_settle(a->walk);
		reg = ub_reg_between(walk.lo, walk.hi);
		break;
	case UB_REG_GUARDED:
		/* Sound: what guard made is 0..limit; the arc is shorter than the circle, since walks are of 60 bits. */
		walk = ub_walk_settle(a->walk);
		reg = ub_reg_between(walk.lo, limit + walk.hi);
		break;
	default:
		reg = ub_reg_any();
	}
	reg.is_bounded = a->is_bounded;
	reg.by = a->by;
	return reg;
}

bool ub_reg_walk(const struct ub_reg *a, struct ub_walk *ret)
{
	s64 lo = a->range.lo;

	if (a->kind == UB_REG_WALKING) {
		*ret = a->walk;
		return true;
	}
	if (a->kind != UB_REG_SCALAR || a->range.span > MAX_WALK || lo < -MAX_WALK || lo > MAX_WALK)
		return false;
	/* Sound: an arc from lo, read as signed, does not pass the greatest s64. */
	*ret = ub_walk_between(lo, lo + (s64)a->range.span);
	return true;
}

static struct ub_reg keep_story(struct ub_reg reg, const struct ub_reg *of)
{
	reg.is_bounded = of->is_bounded;
	reg.by = of->by;
	return reg;
}

struct ub_reg ub_reg_tick(const struct ub_reg *a)
{
	struct ub_reg reg = *a;

	if (a->kind >= UB_REG_WALKING)
		reg.walk = ub_walk_tick(a->walk);
	return reg;
}

struct ub_reg ub_reg_settle(const struct ub_reg *a)
{
	if (a->kind == UB_REG_WALKING)
		return keep_story(walking(ub_walk_settle(a->walk)), a);
	if (a->kind == UB_REG_GUARDED)
		return keep_story(guarded(ub_walk_settle(a->walk)), a);
	return *a;
}

/* Can it be taken for guarded?  A scalar as near to @like, how far above its guard the other one is, as it goes. */
static bool guard_walk(const struct ub_reg *a, u64 limit, const struct ub_reg *like, struct ub_walk *ret)
{
	struct ub_walk walk;
	s64 off = like->walk.lo;

	if (a->kind == UB_REG_GUARDED) {
		*ret = a->walk;
		return true;
	}
	if (!ub_reg_walk(a, &walk))
		return false;
	walk = ub_walk_settle(walk);
	off = off < walk.lo ? off : walk.lo;
	*ret = ub_walk_between(off, off);
	/* Sound: what is, less a constant, 0..limit by data flow, guard would not change. */
	return walk.hi - off <= (s64)limit;
}

struct ub_reg ub_reg_join(const struct ub_reg *a, const struct ub_reg *b, u64 limit)
{
	struct ub_reg reg, left, right;
	struct ub_walk x, y;

	if (a->kind == UB_REG_UNWRITTEN || b->kind == UB_REG_UNWRITTEN) {
		reg = ub_reg_unwritten();
	} else if ((a->kind == UB_REG_GUARDED || b->kind == UB_REG_GUARDED) && guard_walk(a, limit, b, &x) &&
		   guard_walk(b, limit, a, &y)) {
		/* Sound: each came from some guard; no access relies on which. */
		reg = guarded(ub_walk_join(x, y));
	} else if ((a->kind == UB_REG_WALKING || b->kind == UB_REG_WALKING) && ub_reg_walk(a, &x) && ub_reg_walk(b, &y)) {
		reg = walking(ub_walk_join(x, y));
	} else {
		left = ub_reg_plain(a, limit);
		right = ub_reg_plain(b, limit);
		reg = scalar(ub_bits_join(left.bits, right.bits), ub_range_join(left.range, right.range));
	}
	reg.is_bounded = reg.kind != UB_REG_UNWRITTEN && a->is_bounded && b->is_bounded;
	reg.by = a->by;
	return reg;
}

/* Holds all that @joined does, and can grow only as often as there are steps. */
static struct ub_reg widen_range(const struct ub_reg *joined, u64 limit)
{
	static const u64 steps[] = { 0xff, 0xffff, 0x7fffffff, MAX_PLAIN, 0x7fffffffffffffff };
	struct ub_reg plain = ub_reg_plain(joined, limit);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		if (ub_reg_max(&plain) <= steps[i])
			return ub_reg_between(0, steps[i]);
	return ub_reg_any();
}

/* Is @joined, at a head where @old was, rather a pointer or index on its way than a count or a mask? */
static bool is_walker(const struct ub_reg *old, const struct ub_reg *joined, struct ub_walk *before, struct ub_walk *after)
{
	if (joined->kind == UB_REG_GUARDED) {
		*before = *after = joined->walk;
		if (old->kind == UB_REG_GUARDED)
			*before = old->walk;
		return true;
	}
	if (joined->kind == UB_REG_SCALAR && ub_reg_max(joined) <= MAX_PLAIN)
		return false;
	if (!ub_reg_walk(old, before) || !ub_reg_walk(joined, after))
		return false;
	/* As far as a count would have been widened, so that it is the same whether it was. */
	if (old->kind == UB_REG_SCALAR && ub_reg_max(old) <= MAX_PLAIN) {
		*before = ub_walk_between(0, MAX_PLAIN);
		*after = ub_walk_join(*before, *after);
	}
	return true;
}

struct ub_reg ub_reg_widen(const struct ub_reg *old, const struct ub_reg *joined, const struct ub_widen *how, u64 limit)
{
	struct ub_walk before, after;

	if (joined->kind == UB_REG_UNWRITTEN || ub_reg_equal(old, joined))
		return *joined;
	if (is_walker(old, joined, &before, &after)) {
		if (how->has_ticks && !how->is_back)
			return *joined;
		if (ub_walk_equal(before, after) ||
		    (how->has_ticks && ub_walk_widen(before, after, how->tries, &after)))
			return keep_story(joined->kind == UB_REG_GUARDED ? guarded(after) : walking(after), joined);
	}
	return how->must_widen ? keep_story(widen_range(joined, limit), joined) : *joined;
}

/* What becomes of two walks: with @op, of @a's and @b's; plain, by @otherwise, where that cannot be said. */
static struct ub_reg combine(const struct ub_reg *a, const struct ub_reg *b, u64 limit,
			     bool (*op)(struct ub_walk, struct ub_walk, struct ub_walk *),
			     struct ub_reg (*otherwise)(const struct ub_reg *, const struct ub_reg *))
{
	struct ub_reg left, right;
	struct ub_walk x, y;

	/* Sound: guard + x + y in whole numbers, modulo 2^64 at last. */
	if (a->kind == UB_REG_GUARDED && ub_reg_walk(b, &y) && op(a->walk, y, &x))
		return guarded(x);
	if ((a->kind == UB_REG_WALKING || b->kind == UB_REG_WALKING) && ub_reg_walk(a, &x) && ub_reg_walk(b, &y) &&
	    op(x, y, &x))
		return walking(x);
	left = ub_reg_plain(a, limit);
	right = ub_reg_plain(b, limit);
	return otherwise(&left, &right);
}

struct ub_reg ub_reg_sum(const struct ub_reg *a, const struct ub_reg *b, u64 limit)
{
	return b->kind == UB_REG_GUARDED ? combine(b, a, limit, ub_walk_add, ub_reg_add) :
					   combine(a, b, limit, ub_walk_add, ub_reg_add);
}

struct ub_reg ub_reg_difference(const struct ub_reg *a, const struct ub_reg *b, u64 limit)
{
	return combine(a, b, limit, ub_walk_sub, ub_reg_sub);
}

struct ub_reg ub_reg_scaled(const struct ub_reg *a, u32 cnt, u64 limit)
{
	struct ub_walk walk;
	struct ub_reg plain;

	if (a->kind == UB_REG_WALKING && ub_walk_shl(a->walk, cnt, &walk))
		return walking(walk);
	plain = ub_reg_plain(a, limit);
	return ub_reg_shl(&plain, cnt);
}

struct ub_reg ub_reg_add(const struct ub_reg *a, const struct ub_reg *b)
{
	return scalar(ub_bits_add(a->bits, b->bits), ub_range_add(a->range, b->range));
}

struct ub_reg ub_reg_sub(const struct ub_reg *a, const struct ub_reg *b)
{
	return scalar(ub_bits_sub(a->bits, b->bits), ub_range_sub(a->range, b->range));
}

struct ub_reg ub_reg_and(const struct ub_reg *a, const struct ub_reg *b)
{
	u64 a_max = ub_reg_max(a), b_max = ub_reg_max(b);

	/* Sound: x & y is at most the lesser of the two. */
	return scalar(ub_bits_and(a->bits, b->bits), ub_range_between(0, a_max < b_max ? a_max : b_max));
}

struct ub_reg ub_reg_or(const struct ub_reg *a, const struct ub_reg *b)
{
	u64 a_min = ub_reg_min(a), b_min = ub_reg_min(b);

	/* Sound: x | y is at least the greater of the two. */
	return scalar(ub_bits_or(a->bits, b->bits), ub_range_between(a_min > b_min ? a_min : b_min, UB_U64_MAX));
}

struct ub_reg ub_reg_xor(const struct ub_reg *a, const struct ub_reg *b)
{
	return scalar(ub_bits_xor(a->bits, b->bits), UB_RANGE_ANY);
}

struct ub_reg ub_reg_mul(const struct ub_reg *a, const struct ub_reg *b)
{
	return scalar(ub_bits_mul(a->bits, b->bits), ub_range_mul(a->range, b->range));
}

struct ub_reg ub_reg_shl(const struct ub_reg *a, u32 cnt)
{
	return scalar(ub_bits_shl(a->bits, cnt), ub_range_shl(a->range, cnt));
}

struct ub_reg ub_reg_shr(const struct ub_reg *a, u32 cnt)
{
	return scalar(ub_bits_shr(a->bits, cnt), ub_range_shr(a->range, cnt));
}

struct ub_reg ub_reg_sar(const struct ub_reg *a, u32 cnt)
{
	return scalar(ub_bits_sar(a->bits, cnt), ub_range_sar(a->range, cnt));
}

struct ub_reg ub_reg_zext(const struct ub_reg *a, u32 width)
{
	return scalar(ub_bits_zext(a->bits, width), ub_range_zext(a->range, width));
}

struct ub_reg ub_reg_sext(const struct ub_reg *a, u32 width)
{
	return scalar(ub_bits_sext(a->bits, width), ub_range_sext(a->range, width));
}

struct ub_reg ub_reg_insert(const struct ub_reg *a, const struct ub_reg *b, u32 width)
{
	u64 mask = ub_low_mask(width);
	struct ub_bits upper = ub_bits_and(a->bits, ub_bits_const(~mask));

	/* Sound: no bit is set in both, so or is exact; order is only what the bits say. */
	return scalar(ub_bits_or(upper, ub_bits_zext(b->bits, width)), UB_RANGE_ANY);
}
