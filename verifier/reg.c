// SPDX-License-Identifier: GPL-2.0
/*
 * reg: what may a register hold, and may it be used as an address?
 *
 * Scalars carry both views of bits.c and range.c and let each sharpen the other.  No function here looks at a branch.
 */
#include "reg.h"
#include "verify.h"

/* Each view tells the other what it knows. */
static struct ub_reg scalar(struct ub_bits bits, struct ub_range range)
{
	struct ub_reg reg = { .bits = bits, .range = range, .kind = UB_REG_SCALAR };
	u64 lo = bits.value, hi = bits.value | bits.mask;

	/* Sound: a value in both views lies between the least and the greatest that the bits allow ... */
	if (!ub_range_wraps(range)) {
		if (range.lo > lo)
			lo = range.lo;
		if (range.lo + range.span < hi)
			hi = range.lo + range.span;
		if (ub_bug_if(lo > hi, "bits and range contradict each other"))
			return ub_reg_any();
		reg.range = ub_range_between(lo, hi);
	} else if (hi - lo < range.span) {
		reg.range = ub_range_between(lo, hi);
	}
	/* ... and has the bits that all of an arc share. */
	if (!ub_range_wraps(reg.range))
		reg.bits = ub_bits_meet(bits, ub_bits_between(reg.range.lo, reg.range.lo + reg.range.span));
	return reg;
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

struct ub_reg ub_reg_guard(void)
{
	return (struct ub_reg){ .bits = UB_BITS_ANY, .range = ub_range_const(0), .kind = UB_REG_GUARDED };
}

bool ub_reg_equal(const struct ub_reg *a, const struct ub_reg *b)
{
	return a->kind == b->kind && a->is_bounded == b->is_bounded && ub_bits_equal(a->bits, b->bits) &&
	       ub_range_equal(a->range, b->range);
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
	struct ub_reg reg;

	switch (a->kind) {
	case UB_REG_SCALAR:
		return *a;
	case UB_REG_GUARDED:
		/* Sound: the guard's result is 0..limit, limit + UB_WINDOW does not overflow. */
		reg = ub_reg_between(a->range.lo, limit + a->range.lo + a->range.span);
		break;
	default:
		reg = ub_reg_any();
	}
	reg.is_bounded = a->is_bounded;
	reg.by = a->by;
	return reg;
}

struct ub_reg ub_reg_move_guard(const struct ub_reg *a, s64 lo, s64 hi, u64 limit)
{
	struct ub_reg reg = ub_reg_guard();
	s64 first, last;

	/* Sound: guard + k + x for lo <= x <= hi, in whole numbers, so within the window nothing can wrap. */
	if (__builtin_add_overflow((s64)a->range.lo, lo, &first) || first < 0 ||
	    __builtin_add_overflow((s64)(a->range.lo + a->range.span), hi, &last) || last < first ||
	    last > (s64)UB_WINDOW) {
		reg = ub_reg_plain(a, limit);
		return scalar(UB_BITS_ANY, ub_range_add(reg.range, ub_range_between(lo, hi)));
	}
	reg.range = ub_range_between(first, last);
	return reg;
}

struct ub_reg ub_reg_join(const struct ub_reg *a, const struct ub_reg *b, u64 limit)
{
	struct ub_reg reg, left, right;

	if (a->kind == UB_REG_UNWRITTEN || b->kind == UB_REG_UNWRITTEN) {
		reg = ub_reg_unwritten();
	} else if (a->kind == UB_REG_GUARDED && b->kind == UB_REG_GUARDED) {
		/* Sound: each came from some guard; no access relies on which. */
		reg = *a;
		reg.range = ub_range_join(a->range, b->range);
		reg.is_bounded = a->is_bounded && b->is_bounded;
	} else {
		left = ub_reg_plain(a, limit);
		right = ub_reg_plain(b, limit);
		reg = scalar(ub_bits_join(left.bits, right.bits), ub_range_join(left.range, right.range));
		reg.is_bounded = a->is_bounded && b->is_bounded;
	}
	reg.by = a->by;
	return reg;
}

struct ub_reg ub_reg_widen(const struct ub_reg *old, const struct ub_reg *joined, u64 limit)
{
	static const u64 steps[] = { 0xff, 0xffff, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff };
	struct ub_reg reg = ub_reg_any(), plain;
	u32 i;

	if (joined->kind == UB_REG_UNWRITTEN || ub_reg_equal(old, joined))
		return *joined;
	/* Sound: holds all that @joined does.  A guard whose offset still moves is not worth waiting for. */
	plain = ub_reg_plain(joined, limit);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if (ub_reg_max(&plain) <= steps[i]) {
			reg = ub_reg_between(0, steps[i]);
			break;
		}
	}
	if (joined->kind == UB_REG_GUARDED && ub_range_equal(old->range, joined->range))
		reg = *joined;
	reg.is_bounded = joined->is_bounded;
	reg.by = joined->by;
	return reg;
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
