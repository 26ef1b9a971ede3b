// SPDX-License-Identifier: GPL-2.0
/*
 * alu: what one x86 instruction computes, by the SDM's words (user space only).
 *
 * Flags that the SDM leaves undefined are given a value all the same, that of current processors where it is simple,
 * and reported in @undefined so that a comparison can leave them out:
 *   and or xor test	AF = 0
 *   shl shr sar	AF = 0; OF as a shift by 1 would set it; CF of a count above the width as if the register
 *			were longer: 0 (shl, shr) or the sign (sar)
 *   rol ror		OF as a rotation by 1 would set it
 *   rcl rcr		OF as a rotation by 1 from the last step would set it
 *   shld shrd		as shl and shr
 *   mul imul		SF and PF of the low half, ZF = AF = 0
 *   div idiv		all are kept, which the callers do (processors of AMD set AF and clear the others)
 *
 * The result of shld and shrd of 16 bits by more than 16 is undefined as well, and processors differ in it.  An image has
 * the instruction itself; so we ask the processor too, and all agree on what the guest would get without us.
 */
#include "alu.h"

#define RESULT_FLAGS	(UB_FL_PF | UB_FL_ZF | UB_FL_SF)

static u32 flag(u32 which, bool is_set)
{
	return is_set ? which : 0;
}

static bool sign(enum ub_width w, u64 val)
{
	return val >> (UB_WIDTH_BITS(w) - 1) & 1;
}

/* PF ZF SF: those that depend on the result alone. */
static u32 result_flags(enum ub_width w, u64 val)
{
	return flag(UB_FL_PF, !__builtin_parity((u8)val)) | flag(UB_FL_ZF, !ub_alu_trunc(w, val)) |
	       flag(UB_FL_SF, sign(w, val));
}

struct ub_alu ub_alu_add(enum ub_width w, u64 a, u64 b, bool carry)
{
	u64 val = ub_alu_trunc(w, a + b + carry);
	u64 carries = (a & b) | ((a | b) & ~val);	/* bit n: the carry out of bit n */

	return (struct ub_alu){
		.val = val,
		.changed = UB_FL_ALL,
		.flags = result_flags(w, val) | flag(UB_FL_CF, sign(w, carries)) | flag(UB_FL_AF, carries & 8) |
			 flag(UB_FL_OF, sign(w, (a ^ val) & (b ^ val))),
	};
}

struct ub_alu ub_alu_sub(enum ub_width w, u64 a, u64 b, bool borrow)
{
	u64 val = ub_alu_trunc(w, a - b - borrow);
	u64 borrows = (~a & b) | ((~a | b) & val);	/* bit n: the borrow into bit n + 1 */

	return (struct ub_alu){
		.val = val,
		.changed = UB_FL_ALL,
		.flags = result_flags(w, val) | flag(UB_FL_CF, sign(w, borrows)) | flag(UB_FL_AF, borrows & 8) |
			 flag(UB_FL_OF, sign(w, (a ^ b) & (a ^ val))),
	};
}

struct ub_alu ub_alu_logic(enum ub_width w, u64 result)
{
	return (struct ub_alu){
		.val = ub_alu_trunc(w, result),
		.changed = UB_FL_ALL,
		.undefined = UB_FL_AF,
		.flags = result_flags(w, result),
	};
}

static struct ub_alu keep_carry(struct ub_alu r)
{
	r.changed &= ~UB_FL_CF;
	r.flags &= ~UB_FL_CF;
	return r;
}

struct ub_alu ub_alu_inc(enum ub_width w, u64 a)
{
	return keep_carry(ub_alu_add(w, a, 1, false));
}

struct ub_alu ub_alu_dec(enum ub_width w, u64 a)
{
	return keep_carry(ub_alu_sub(w, a, 1, false));
}

static u32 mask_count(enum ub_width w, u64 count)
{
	return count & (w == UB_W64 ? 63 : 31);
}

static struct ub_alu unchanged(enum ub_width w, u64 a)
{
	return (struct ub_alu){ .val = ub_alu_trunc(w, a) };
}

/* @overflow is that of a shift by 1.  @carry_known: the SDM says what a count as large as this one carries out. */
static struct ub_alu shifted(enum ub_width w, u64 val, bool carry, bool overflow, u32 count, bool carry_known)
{
	return (struct ub_alu){
		.val = ub_alu_trunc(w, val),
		.changed = UB_FL_ALL,
		.undefined = UB_FL_AF | flag(UB_FL_OF, count != 1) | flag(UB_FL_CF, !carry_known),
		.flags = result_flags(w, val) | flag(UB_FL_CF, carry) | flag(UB_FL_OF, overflow),
	};
}

struct ub_alu ub_alu_shl(enum ub_width w, u64 a, u64 count)
{
	u32 n = mask_count(w, count), bits = UB_WIDTH_BITS(w);
	bool carry;
	u64 val;

	if (!n)
		return unchanged(w, a);
	val = ub_alu_trunc(w, ub_alu_trunc(w, a) << n);
	carry = n <= bits && ub_alu_trunc(w, a) >> (bits - n) & 1;
	return shifted(w, val, carry, sign(w, a ^ a << 1), n, n < bits);
}

struct ub_alu ub_alu_shr(enum ub_width w, u64 a, u64 count)
{
	u32 n = mask_count(w, count);
	u64 from = ub_alu_trunc(w, a), val;

	if (!n)
		return unchanged(w, a);
	val = from >> n;
	return shifted(w, val, from >> (n - 1) & 1, sign(w, from), n, n < UB_WIDTH_BITS(w));
}

struct ub_alu ub_alu_sar(enum ub_width w, u64 a, u64 count)
{
	u32 n = mask_count(w, count);
	s64 from = ub_alu_sext(w, a);

	if (!n)
		return unchanged(w, a);
	/* The sign fills from the left, so a count above the width still carries the sign out, by the SDM too. */
	return shifted(w, from >> n, from >> (n - 1) & 1, false, n, true);
}

/* Rotates change CF and OF alone. */
static struct ub_alu rotated(u64 val, bool carry, bool overflow, u32 count)
{
	return (struct ub_alu){
		.val = val,
		.changed = UB_FL_CF | UB_FL_OF,
		.undefined = flag(UB_FL_OF, count != 1),
		.flags = flag(UB_FL_CF, carry) | flag(UB_FL_OF, overflow),
	};
}

struct ub_alu ub_alu_rol(enum ub_width w, u64 a, u64 count)
{
	u32 n = mask_count(w, count), bits = UB_WIDTH_BITS(w), by = n % bits;
	u64 from = ub_alu_trunc(w, a), val;

	if (!n)
		return unchanged(w, a);
	val = by ? ub_alu_trunc(w, from << by | from >> (bits - by)) : from;
	return rotated(val, val & 1, sign(w, a ^ a << 1), n);
}

struct ub_alu ub_alu_ror(enum ub_width w, u64 a, u64 count)
{
	u32 n = mask_count(w, count), bits = UB_WIDTH_BITS(w), by = n % bits;
	u64 from = ub_alu_trunc(w, a), val;

	if (!n)
		return unchanged(w, a);
	val = by ? ub_alu_trunc(w, from >> by | from << (bits - by)) : from;
	return rotated(val, sign(w, val), sign(w, a) ^ (a & 1), n);
}

/* One step after another: CF is bit W of a register of W + 1 bits. */
struct ub_alu ub_alu_rcl(enum ub_width w, u64 a, u64 count, bool carry)
{
	u32 n = mask_count(w, count), i;
	u64 val = ub_alu_trunc(w, a);
	bool out;

	if (!n)
		return unchanged(w, a);
	for (i = 0; i < n; i++) {
		out = sign(w, val);
		val = ub_alu_trunc(w, val << 1 | carry);
		carry = out;
	}
	return rotated(val, carry, sign(w, val) != carry, n);
}

struct ub_alu ub_alu_rcr(enum ub_width w, u64 a, u64 count, bool carry)
{
	u32 n = mask_count(w, count), i;
	u64 val = ub_alu_trunc(w, a);
	bool out;

	if (!n)
		return unchanged(w, a);
	for (i = 0; i < n; i++) {
		out = val & 1;
		val = val >> 1 | (u64)carry << (UB_WIDTH_BITS(w) - 1);
		carry = out;
	}
	return rotated(val, carry, sign(w, val ^ val << 1), n);
}

/* 16 bits by more than 16, see above. */
static struct ub_alu shifted_too_far(u64 val)
{
	struct ub_alu r = shifted(UB_W16, val, false, false, 0, false);

	r.undefined = UB_FL_ALL;
	return r;
}

struct ub_alu ub_alu_shld(enum ub_width w, u64 a, u64 from, u64 count)
{
	u32 n = mask_count(w, count), bits = UB_WIDTH_BITS(w);
	u64 old = ub_alu_trunc(w, a), val;

	if (!n)
		return unchanged(w, a);
	if (n > bits) {
		__asm__("shldw %%cl, %w1, %w0" : "+r"(a) : "r"(from), "c"((u8)n) : "cc");
		return shifted_too_far(a);
	}
	val = ub_alu_trunc(w, old << n | ub_alu_trunc(w, from) >> (bits - n));
	return shifted(w, val, old >> (bits - n) & 1, sign(w, old ^ val), n, true);
}

struct ub_alu ub_alu_shrd(enum ub_width w, u64 a, u64 from, u64 count)
{
	u32 n = mask_count(w, count), bits = UB_WIDTH_BITS(w);
	u64 old = ub_alu_trunc(w, a), val;

	if (!n)
		return unchanged(w, a);
	if (n > bits) {
		__asm__("shrdw %%cl, %w1, %w0" : "+r"(a) : "r"(from), "c"((u8)n) : "cc");
		return shifted_too_far(a);
	}
	val = ub_alu_trunc(w, old >> n | from << (bits - n));
	return shifted(w, val, old >> (n - 1) & 1, sign(w, old ^ val), n, true);
}

/* CF = OF = the low half alone does not hold the product. */
static struct ub_alu multiplied(enum ub_width w, u64 low, bool is_long)
{
	return (struct ub_alu){
		.val = low,
		.changed = UB_FL_ALL,
		.undefined = UB_FL_SF | UB_FL_ZF | UB_FL_AF | UB_FL_PF,
		.flags = (result_flags(w, low) & (UB_FL_SF | UB_FL_PF)) | flag(UB_FL_CF | UB_FL_OF, is_long),
	};
}

struct ub_alu ub_alu_mulu(enum ub_width w, u64 a, u64 b, u64 *ret_high)
{
	unsigned __int128 product = (unsigned __int128)ub_alu_trunc(w, a) * ub_alu_trunc(w, b);

	*ret_high = ub_alu_trunc(w, product >> UB_WIDTH_BITS(w));
	return multiplied(w, ub_alu_trunc(w, product), *ret_high != 0);
}

struct ub_alu ub_alu_muls(enum ub_width w, u64 a, u64 b, u64 *ret_high)
{
	__int128 product = (__int128)ub_alu_sext(w, a) * ub_alu_sext(w, b);

	*ret_high = ub_alu_trunc(w, product >> UB_WIDTH_BITS(w));
	return multiplied(w, ub_alu_trunc(w, product), product != ub_alu_sext(w, product));
}

bool ub_alu_divu(enum ub_width w, u64 high, u64 low, u64 by, u64 *ret_quotient, u64 *ret_rest)
{
	unsigned __int128 num = (unsigned __int128)ub_alu_trunc(w, high) << UB_WIDTH_BITS(w) | ub_alu_trunc(w, low);
	u64 den = ub_alu_trunc(w, by);

	if (!den || num / den != ub_alu_trunc(w, num / den))
		return false;
	*ret_quotient = num / den;
	*ret_rest = num % den;
	return true;
}

bool ub_alu_divs(enum ub_width w, u64 high, u64 low, u64 by, u64 *ret_quotient, u64 *ret_rest)
{
	__int128 num = (unsigned __int128)(__int128)ub_alu_sext(w, high) << UB_WIDTH_BITS(w) | ub_alu_trunc(w, low);
	s64 den = ub_alu_sext(w, by);

	/* C cannot divide the smallest 128-bit number by -1; the quotient would be far too long anyway. */
	if (!den || (den == -1 && num < -((__int128)1 << 64)))
		return false;
	if (num / den != ub_alu_sext(w, num / den))
		return false;
	*ret_quotient = ub_alu_trunc(w, num / den);
	*ret_rest = ub_alu_trunc(w, num % den);
	return true;
}

bool ub_alu_cond(enum ub_cc cc, u32 flags)
{
	bool less = !(flags & UB_FL_SF) != !(flags & UB_FL_OF), is_true = false;

	switch (cc >> 1) {
	case UB_CC_O >> 1:
		is_true = flags & UB_FL_OF;
		break;
	case UB_CC_B >> 1:
		is_true = flags & UB_FL_CF;
		break;
	case UB_CC_E >> 1:
		is_true = flags & UB_FL_ZF;
		break;
	case UB_CC_BE >> 1:
		is_true = flags & (UB_FL_CF | UB_FL_ZF);
		break;
	case UB_CC_S >> 1:
		is_true = flags & UB_FL_SF;
		break;
	case UB_CC_P >> 1:
		is_true = flags & UB_FL_PF;
		break;
	case UB_CC_L >> 1:
		is_true = less;
		break;
	case UB_CC_LE >> 1:
		is_true = less || flags & UB_FL_ZF;
		break;
	}
	return is_true != (cc & 1);	/* odd conditions are the opposites */
}
