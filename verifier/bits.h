/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bits: what is known of each bit of a 64-bit value.
 *
 * A set bit of @mask is unknown and zero in @value; the others are as in @value.
 * { 0x10, 0x03 } is one of 0x10, 0x11, 0x12, 0x13.
 * Promise of every operation: if x is in a and y in b, then x OP y is in ub_bits_OP(a, b).
 */
#ifndef UB_BITS_H
#define UB_BITS_H

#include <ub/port.h>

/* Of a value.  Tests that go through all values have smaller ones. */
#ifndef UB_VALUE_BITS
#define UB_VALUE_BITS	64
#endif

struct ub_bits {
	u64 value;
	u64 mask;
};

#define UB_BITS_ANY	((struct ub_bits){ 0, UB_U64_MAX })

/* The low @cnt bits set, 1 <= cnt <= UB_VALUE_BITS. */
static inline u64 ub_low_mask(u32 cnt)
{
	return UB_U64_MAX >> (UB_VALUE_BITS - cnt);
}

struct ub_bits ub_bits_const(u64 value);
/* All values between @lo and @hi, lo <= hi, and as few others as bits can say. */
struct ub_bits ub_bits_between(u64 lo, u64 hi);
bool ub_bits_has(struct ub_bits a, u64 value);
bool ub_bits_equal(struct ub_bits a, struct ub_bits b);
struct ub_bits ub_bits_join(struct ub_bits a, struct ub_bits b);
/* What both say; meaningless when they contradict each other. */
struct ub_bits ub_bits_meet(struct ub_bits a, struct ub_bits b);
struct ub_bits ub_bits_add(struct ub_bits a, struct ub_bits b);
struct ub_bits ub_bits_sub(struct ub_bits a, struct ub_bits b);
struct ub_bits ub_bits_and(struct ub_bits a, struct ub_bits b);
struct ub_bits ub_bits_or(struct ub_bits a, struct ub_bits b);
struct ub_bits ub_bits_xor(struct ub_bits a, struct ub_bits b);
struct ub_bits ub_bits_mul(struct ub_bits a, struct ub_bits b);
/* cnt < 64 */
struct ub_bits ub_bits_shl(struct ub_bits a, u32 cnt);
struct ub_bits ub_bits_shr(struct ub_bits a, u32 cnt);
struct ub_bits ub_bits_sar(struct ub_bits a, u32 cnt);
/* The low @width bits (1..64) of a, extended to 64. */
struct ub_bits ub_bits_zext(struct ub_bits a, u32 width);
struct ub_bits ub_bits_sext(struct ub_bits a, u32 width);

#endif
