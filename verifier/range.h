/* SPDX-License-Identifier: GPL-2.0 */
/*
 * range: the values that one 64-bit register may hold.
 *
 * An arc on the circle of all u64 values: it begins at @lo, goes on for @span more and may wrap.  { 8, 4 } is 8..12,
 * { -1, 2 } is -1, 0, 1.  The whole circle has one spelling, UB_RANGE_ANY.
 * Promise of every operation: if x is in a and y in b, then x OP y is in ub_range_OP(a, b); it may hold more, never less.
 */
#ifndef UB_RANGE_H
#define UB_RANGE_H

#include "bits.h"

struct ub_range {
	u64 lo;
	u64 span;
};

#define UB_RANGE_ANY	((struct ub_range){ 0, UB_U64_MAX })

struct ub_range ub_range_const(u64 value);
/* From @lo upwards to @hi, round the circle when hi < lo. */
struct ub_range ub_range_between(u64 lo, u64 hi);
bool ub_range_has(struct ub_range a, u64 value);
bool ub_range_equal(struct ub_range a, struct ub_range b);
/* Does it pass from the greatest u64 to 0? */
bool ub_range_wraps(struct ub_range a);
u64 ub_range_min(struct ub_range a);	/* as unsigned */
u64 ub_range_max(struct ub_range a);
struct ub_range ub_range_join(struct ub_range a, struct ub_range b);
struct ub_range ub_range_add(struct ub_range a, struct ub_range b);
struct ub_range ub_range_sub(struct ub_range a, struct ub_range b);
struct ub_range ub_range_mul(struct ub_range a, struct ub_range b);
/* cnt < 64 */
struct ub_range ub_range_shl(struct ub_range a, u32 cnt);
struct ub_range ub_range_shr(struct ub_range a, u32 cnt);
struct ub_range ub_range_sar(struct ub_range a, u32 cnt);
/* The low @width bits (1..64) of a, extended to 64. */
struct ub_range ub_range_zext(struct ub_range a, u32 width);
struct ub_range ub_range_sext(struct ub_range a, u32 width);

#endif
