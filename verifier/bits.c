// SPDX-License-Identifier: GPL-2.0
/*
 * bits: which bits of a value are the same on every path?
 *
 * Pure functions on small values.  They know each bit by itself and nothing of order; range.c knows order.
 */
#include "bits.h"

struct ub_bits ub_bits_const(u64 value)
{
	return (struct ub_bits){ value, 0 };
}

struct ub_bits ub_bits_between(u64 lo, u64 hi)
{
	u64 diff = lo ^ hi, mask;

	if (!diff)
		return ub_bits_const(lo);
	/* Sound: every value between has the bits above the highest one in which lo and hi differ. */
	mask = ub_low_mask(64 - __builtin_clzll(diff));
	return (struct ub_bits){ lo & ~mask, mask };
}

bool ub_bits_has(struct ub_bits a, u64 value)
{
	return (value & ~a.mask) == a.value;
}

bool ub_bits_equal(struct ub_bits a, struct ub_bits b)
{
	return a.value == b.value && a.mask == b.mask;
}

struct ub_bits ub_bits_join(struct ub_bits a, struct ub_bits b)
{
	u64 mask = a.mask | b.mask | (a.value ^ b.value);

	/* Sound: a bit stays known only when both know it, and alike. */
	return (struct ub_bits){ a.value & ~mask, mask };
}

struct ub_bits ub_bits_meet(struct ub_bits a, struct ub_bits b)
{
	u64 mask = a.mask & b.mask;

	/* Sound: x is in both, so a bit known to either is that bit of x. */
	return (struct ub_bits){ (a.value | b.value) & ~mask, mask };
}

/*
 * Adding is monotone in every unknown bit: the carry into a bit is least when all unknown bits below are 0 and
 * greatest when all are 1.  So a bit of the sum whose operand bits are known differs between two sums only if it
 * differs between the least and the greatest.  Subtracting is the same with b's unknown bits the other way round.
 */
struct ub_bits ub_bits_add(struct ub_bits a, struct ub_bits b)
{
	u64 least = a.value + b.value;
	u64 greatest = (a.value | a.mask) + (b.value | b.mask);
	u64 mask = (least ^ greatest) | a.mask | b.mask;

	/* Sound: see above. */
	return (struct ub_bits){ least & ~mask, mask };
}

struct ub_bits ub_bits_sub(struct ub_bits a, struct ub_bits b)
{
	u64 least = a.value - (b.value | b.mask);
	u64 greatest = (a.value | a.mask) - b.value;
	u64 mask = (least ^ greatest) | a.mask | b.mask;

	/* Sound: see above. */
	return (struct ub_bits){ least & ~mask, mask };
}

struct ub_bits ub_bits_and(struct ub_bits a, struct ub_bits b)
{
	u64 value = a.value & b.value;

	/* Sound: the result bit is known when both are, or when one is a known 0. */
	return (struct ub_bits){ value, (a.value | a.mask) & (b.value | b.mask) & ~value };
}

struct ub_bits ub_bits_or(struct ub_bits a, struct ub_bits b)
{
	u64 value = a.value | b.value;

	/* Sound: the result bit is known when both are, or when one is a known 1. */
	return (struct ub_bits){ value, (a.mask | b.mask) & ~value };
}

struct ub_bits ub_bits_xor(struct ub_bits a, struct ub_bits b)
{
	u64 mask = a.mask | b.mask;

	/* Sound: the result bit is known when both are. */
	return (struct ub_bits){ (a.value ^ b.value) & ~mask, mask };
}

static u32 known_zeros_below(struct ub_bits a)
{
	u64 may_be_set = a.value | a.mask;

	return may_be_set ? __builtin_ctzll(may_be_set) : UB_VALUE_BITS;
}

struct ub_bits ub_bits_mul(struct ub_bits a, struct ub_bits b)
{
	u32 zeros = known_zeros_below(a) + known_zeros_below(b);

	if (!a.mask && !b.mask)
		return ub_bits_const(a.value * b.value);
	if (zeros >= UB_VALUE_BITS)
		return ub_bits_const(0);
	/* Sound: 2^i divides x and 2^j divides y, so 2^(i+j) divides the product. */
	return (struct ub_bits){ 0, UB_U64_MAX << zeros };
}

struct ub_bits ub_bits_shl(struct ub_bits a, u32 cnt)
{
	/* Sound: bits move, zeros come in. */
	return (struct ub_bits){ a.value << cnt, a.mask << cnt };
}

struct ub_bits ub_bits_shr(struct ub_bits a, u32 cnt)
{
	/* Sound: bits move, zeros come in. */
	return (struct ub_bits){ a.value >> cnt, a.mask >> cnt };
}

struct ub_bits ub_bits_sar(struct ub_bits a, u32 cnt)
{
	/* Sound: copies of bit 63 come in, known or unknown as it is; the two shifts copy both sides of that. */
	return (struct ub_bits){ (u64)((s64)a.value >> cnt), (u64)((s64)a.mask >> cnt) };
}

struct ub_bits ub_bits_zext(struct ub_bits a, u32 width)
{
	/* Sound: the bits above become known zeros. */
	return (struct ub_bits){ a.value & ub_low_mask(width), a.mask & ub_low_mask(width) };
}

struct ub_bits ub_bits_sext(struct ub_bits a, u32 width)
{
	/* Sound: the sign bit goes to the top, then an arithmetic shift brings it back with its copies. */
	return ub_bits_sar(ub_bits_shl(a, UB_VALUE_BITS - width), UB_VALUE_BITS - width);
}
