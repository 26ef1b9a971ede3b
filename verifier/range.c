// SPDX-License-Identifier: GPL-2.0
/*
 * range: between which two values does a register lie on every path?
 *
 * On a circle neither the signed nor the unsigned boundary is special, so one arc does for both, and adding a
 * constant never loses anything.  A member of { lo, span } is lo + i with 0 <= i <= span, modulo 2^64.
 */
#include "range.h"

#define SIGN	(1ull << (UB_VALUE_BITS - 1))

/* The whole circle has one spelling. */
static struct ub_range arc(u64 lo, u64 span)
{
	return (struct ub_range){ span == UB_U64_MAX ? 0 : lo, span };
}

struct ub_range ub_range_const(u64 value)
{
	return (struct ub_range){ value, 0 };
}

struct ub_range ub_range_between(u64 lo, u64 hi)
{
	return arc(lo, hi - lo);
}

bool ub_range_has(struct ub_range a, u64 value)
{
	return value - a.lo <= a.span;
}

bool ub_range_equal(struct ub_range a, struct ub_range b)
{
	return a.lo == b.lo && a.span == b.span;
}

bool ub_range_wraps(struct ub_range a)
{
	return a.lo + a.span < a.lo;
}

u64 ub_range_min(struct ub_range a)
{
	return ub_range_wraps(a) ? 0 : a.lo;
}

u64 ub_range_max(struct ub_range a)
{
	return ub_range_wraps(a) ? UB_U64_MAX : a.lo + a.span;
}

/* The arc from a's begin that holds a and b. */
static struct ub_range cover_from(struct ub_range a, struct ub_range b)
{
	u64 end;

	/* Sound: b's members are a.lo + (b.lo - a.lo) + j with j <= b.span, so they end at @end seen from a.lo. */
	if (__builtin_add_overflow(b.lo - a.lo, b.span, &end))
		return UB_RANGE_ANY;
	return arc(a.lo, end > a.span ? end : a.span);
}

struct ub_range ub_range_join(struct ub_range a, struct ub_range b)
{
	struct ub_range from_a = cover_from(a, b), from_b = cover_from(b, a);

	/* Sound: both hold all members; the shorter says more. */
	return from_b.span < from_a.span ? from_b : from_a;
}

struct ub_range ub_range_add(struct ub_range a, struct ub_range b)
{
	u64 span;

	/* Sound: i <= a.span and j <= b.span give i + j <= a.span + b.span. */
	if (__builtin_add_overflow(a.span, b.span, &span))
		return UB_RANGE_ANY;
	return arc(a.lo + b.lo, span);
}

struct ub_range ub_range_sub(struct ub_range a, struct ub_range b)
{
	/* Sound: x - y = x + (-y), and the members of -b are an arc from -(b.lo + b.span). */
	return ub_range_add(a, (struct ub_range){ -(b.lo + b.span), b.span });
}

struct ub_range ub_range_mul(struct ub_range a, struct ub_range b)
{
	u64 lo, hi;

	if (!a.span) {
		struct ub_range swap = a;

		a = b;
		b = swap;
	}
	/* Sound: (lo + i) * c = lo * c + i * c, and i * c <= span * c. */
	if (!b.span)
		return __builtin_mul_overflow(a.span, b.lo, &hi) ? UB_RANGE_ANY : arc(a.lo * b.lo, hi);
	/* Sound: where the greatest product does not overflow, none does, and multiplying keeps the order. */
	if (__builtin_mul_overflow(ub_range_max(a), ub_range_max(b), &hi))
		return UB_RANGE_ANY;
	lo = ub_range_min(a) * ub_range_min(b);
	return arc(lo, hi - lo);
}

struct ub_range ub_range_shl(struct ub_range a, u32 cnt)
{
	/* Sound: a multiplication by 2^cnt. */
	return ub_range_mul(a, ub_range_const(1ull << cnt));
}

struct ub_range ub_range_shr(struct ub_range a, u32 cnt)
{
	/* Sound: keeps the unsigned order. */
	return ub_range_between(ub_range_min(a) >> cnt, ub_range_max(a) >> cnt);
}

struct ub_range ub_range_sar(struct ub_range a, u32 cnt)
{
	u64 lo = a.lo, hi = a.lo + a.span;

	/* Passes from the greatest s64 to the least: then only the shift itself bounds it. */
	if ((lo ^ SIGN) > (hi ^ SIGN)) {
		lo = SIGN;
		hi = SIGN - 1;
	}
	/* Sound: keeps the signed order. */
	return ub_range_between((u64)((s64)lo >> cnt), (u64)((s64)hi >> cnt));
}

struct ub_range ub_range_zext(struct ub_range a, u32 width)
{
	u64 mask = ub_low_mask(width), lo = a.lo & mask;

	/* Sound: on the circle of 2^width the arc begins at lo; if it ends before that circle does, nothing wraps. */
	if (a.span <= mask && lo <= mask - a.span)
		return arc(lo, a.span);
	return arc(0, mask);
}

struct ub_range ub_range_sext(struct ub_range a, u32 width)
{
	struct ub_range half = ub_range_const(1ull << (width - 1));

	/* Sound: sext(x) = zext(x + half) - half, on the circle of 2^width. */
	return ub_range_sub(ub_range_zext(ub_range_add(a, half), width), half);
}
