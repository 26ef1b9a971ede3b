/* SPDX-License-Identifier: GPL-2.0 */
/*
 * small: the verifier's own source on values of UB_VALUE_BITS bits, so few that a test can go through all of them.
 *
 * Clang's _BitInt(8) is not promoted to int as u8 is, so that the source means the same at 8 bits as at 64.
 */
#ifndef UB_SMALL_H
#define UB_SMALL_H

#include <inttypes.h>

#include <ub/port_user.h>

static u64 fail_cnt, check_cnt;

static void fail(const char *what, u64 a, u64 b, u64 c, u64 d)
{
	if (fail_cnt++ < 20)
		printf("%s of { %" PRIu64 ", %" PRIu64 " } and { %" PRIu64 ", %" PRIu64 " }\n", what, a, b, c, d);
}

#undef ub_warn
#define ub_warn(msg)	fail(msg, 0, 0, 0, 0)
#include <ub/port.h>
#include "../ir/op.h"	/* as it is: of 64 bits */

#define VALUE_CNT	(1u << UB_VALUE_BITS)
#define VALUE_MAX	(VALUE_CNT - 1)

typedef unsigned _BitInt(UB_VALUE_BITS) value;
typedef signed _BitInt(UB_VALUE_BITS) signed_value;
typedef unsigned _BitInt(2 * UB_VALUE_BITS) product;

static inline bool add_overflow(value a, value b, value *ret)
{
	*ret = a + b;
	return *ret < a;
}

/* In two halves: of the whole product the compiler makes an instruction that it cannot do many of at a time. */
static inline bool mul_overflow(value a, value b, value *ret)
{
	const u32 half = UB_VALUE_BITS / 2;
	product upper = (product)(a >> half) * b, lower = (product)(a & (((value)1 << half) - 1)) * b;

	*ret = a * b;
	return (upper + (lower >> half)) >> half;
}

#define u64			value
#define s64			signed_value
#define __builtin_add_overflow	add_overflow
#define __builtin_mul_overflow	mul_overflow
#undef UB_U64_MAX
#define UB_U64_MAX		((value)-1)
#include "../verifier/bits.c"
#include "../verifier/range.c"
#include "../verifier/walk.c"
#include "../verifier/reg.c"
#undef u64
#undef s64

/* --- the machine's operations --- */

static inline value low_bits(value a, u32 width)
{
	return a & (value)(VALUE_MAX >> (UB_VALUE_BITS - width));
}

#define BINARY(name, expr) static inline value c_##name(value a, value b) { return expr; }
BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(and, a & b)
BINARY(or, a | b)
BINARY(xor, a ^ b)
BINARY(mul, a * b)
BINARY(left, ((void)b, a))
BINARY(right, ((void)a, b))

#define UNARY(name, expr) static inline value c_##name(value a, u32 n) { return expr; }
UNARY(shl, a << n)
UNARY(shr, a >> n)
UNARY(sar, (value)((signed_value)a >> n))
UNARY(zext, low_bits(a, n))
UNARY(sext, (value)((signed_value)(a << (UB_VALUE_BITS - n)) >> (UB_VALUE_BITS - n)))

typedef value (*concrete_fn)(value a, value b);

struct unary_op {
	const char *name;
	struct ub_bits (*bits)(struct ub_bits a, u32 n);
	struct ub_range (*range)(struct ub_range a, u32 n);
	struct ub_reg (*reg)(const struct ub_reg *a, u32 n);
	value (*concrete)(value a, u32 n);
	u32 min, max;
};

static const struct unary_op unary_ops[] = {
	{ "shl", ub_bits_shl, ub_range_shl, ub_reg_shl, c_shl, 0, UB_VALUE_BITS - 1 },
	{ "shr", ub_bits_shr, ub_range_shr, ub_reg_shr, c_shr, 0, UB_VALUE_BITS - 1 },
	{ "sar", ub_bits_sar, ub_range_sar, ub_reg_sar, c_sar, 0, UB_VALUE_BITS - 1 },
	{ "zext", ub_bits_zext, ub_range_zext, ub_reg_zext, c_zext, 1, UB_VALUE_BITS },
	{ "sext", ub_bits_sext, ub_range_sext, ub_reg_sext, c_sext, 1, UB_VALUE_BITS },
};

/* --- all sets of bits, by number: in base 3 a digit for each bit: 0, 1, unknown --- */

#define BITS_CNT	(UB_VALUE_BITS == 8 ? 6561 : 81)

static struct ub_bits bits_of(u32 no)
{
	struct ub_bits bits = { 0, 0 };
	u32 bit;

	for (bit = 0; bit < UB_VALUE_BITS; bit++, no /= 3) {
		bits.value |= (value)(no % 3 == 1) << bit;
		bits.mask |= (value)(no % 3 == 2) << bit;
	}
	return bits;
}

/* --- all arcs, by number, the shortest first; the whole circle has one spelling --- */

#define ARC_CNT		(VALUE_CNT * VALUE_MAX + 1)

static struct ub_range arc_of(u32 no)
{
	return no == ARC_CNT - 1 ? UB_RANGE_ANY : (struct ub_range){ no % VALUE_CNT, no / VALUE_CNT };
}

#endif
