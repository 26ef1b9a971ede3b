// SPDX-License-Identifier: GPL-2.0
/*
 * alu_bits: single bits, counting, BMI1, BMI2, ADX and CRC-32C, by the SDM's words (user space only).
 *
 * Flags that the SDM leaves undefined:
 *   bt bts btr btc	OF SF AF PF are kept
 *   bsf bsr		all but ZF = 0, PF as of the result
 *   tzcnt lzcnt	OF = SF = AF = PF = 0
 *   andn, BMI		AF = PF = 0, for bextr SF too
 */
#include "alu.h"

static u32 flag(u32 which, bool is_set)
{
	return is_set ? which : 0;
}

static bool sign(enum ub_width w, u64 val)
{
	return val >> (UB_WIDTH_BITS(w) - 1) & 1;
}

static u64 bit_of(enum ub_width w, u64 bit)
{
	return 1ull << (bit & (UB_WIDTH_BITS(w) - 1));
}

static struct ub_alu tested(enum ub_width w, u64 a, u64 bit, u64 val)
{
	return (struct ub_alu){
		.val = ub_alu_trunc(w, val),
		.changed = UB_FL_CF,
		.undefined = UB_FL_OF | UB_FL_SF | UB_FL_AF | UB_FL_PF,
		.flags = flag(UB_FL_CF, a & bit_of(w, bit)),
	};
}

struct ub_alu ub_alu_bt(enum ub_width w, u64 a, u64 bit)
{
	return tested(w, a, bit, a);
}

struct ub_alu ub_alu_bts(enum ub_width w, u64 a, u64 bit)
{
	return tested(w, a, bit, a | bit_of(w, bit));
}

struct ub_alu ub_alu_btr(enum ub_width w, u64 a, u64 bit)
{
	return tested(w, a, bit, a & ~bit_of(w, bit));
}

struct ub_alu ub_alu_btc(enum ub_width w, u64 a, u64 bit)
{
	return tested(w, a, bit, a ^ bit_of(w, bit));
}

static struct ub_alu counted(u64 val, u32 flags, u32 undefined)
{
	return (struct ub_alu){ .val = val, .changed = UB_FL_ALL, .undefined = undefined, .flags = flags };
}

static struct ub_alu scanned(enum ub_width w, u64 a, u32 val)
{
	return counted(val, flag(UB_FL_ZF, !ub_alu_trunc(w, a)) | flag(UB_FL_PF, !__builtin_parity(val)),
		       UB_FL_ALL & ~UB_FL_ZF);
}

struct ub_alu ub_alu_bsf(enum ub_width w, u64 a)
{
	u64 from = ub_alu_trunc(w, a);

	return scanned(w, a, from ? __builtin_ctzll(from) : 0);
}

struct ub_alu ub_alu_bsr(enum ub_width w, u64 a)
{
	u64 from = ub_alu_trunc(w, a);

	return scanned(w, a, from ? 63 - __builtin_clzll(from) : 0);
}

/* CF: there was nothing to find. */
static struct ub_alu found(enum ub_width w, u64 a, u32 val)
{
	return counted(val, flag(UB_FL_CF, !ub_alu_trunc(w, a)) | flag(UB_FL_ZF, !val),
		       UB_FL_ALL & ~(UB_FL_CF | UB_FL_ZF));
}

struct ub_alu ub_alu_tzcnt(enum ub_width w, u64 a)
{
	u64 from = ub_alu_trunc(w, a);

	return found(w, a, from ? (u32)__builtin_ctzll(from) : UB_WIDTH_BITS(w));
}

struct ub_alu ub_alu_lzcnt(enum ub_width w, u64 a)
{
	u64 from = ub_alu_trunc(w, a);

	return found(w, a, from ? __builtin_clzll(from) - (64 - UB_WIDTH_BITS(w)) : UB_WIDTH_BITS(w));
}

struct ub_alu ub_alu_popcnt(enum ub_width w, u64 a)
{
	u32 cnt = __builtin_popcountll(ub_alu_trunc(w, a));

	return counted(cnt, flag(UB_FL_ZF, !cnt), 0);
}

/* ZF and SF of the result, and what else is set. */
static struct ub_alu picked(enum ub_width w, u64 val, u32 flags, u32 undefined)
{
	val = ub_alu_trunc(w, val);
	return counted(val, flags | flag(UB_FL_ZF, !val) | flag(UB_FL_SF, sign(w, val) && !(undefined & UB_FL_SF)),
		       undefined | UB_FL_AF | UB_FL_PF);
}

struct ub_alu ub_alu_andn(enum ub_width w, u64 a, u64 b)
{
	return picked(w, ~a & b, 0, 0);
}

/* The lowest @cnt bits set. */
static u64 ones(u32 cnt)
{
	return cnt >= 64 ? UB_U64_MAX : (1ull << cnt) - 1;
}

struct ub_alu ub_alu_bextr(enum ub_width w, u64 a, u64 control)
{
	u32 start = control & 0xff, len = control >> 8 & 0xff;
	u64 from = ub_alu_trunc(w, a);

	return picked(w, start < 64 ? from >> start & ones(len) : 0, 0, UB_FL_SF);
}

struct ub_alu ub_alu_bzhi(enum ub_width w, u64 a, u64 index)
{
	u32 cnt = index & 0xff;

	return picked(w, a & ones(cnt), flag(UB_FL_CF, cnt >= UB_WIDTH_BITS(w)), 0);
}

struct ub_alu ub_alu_blsi(enum ub_width w, u64 a)
{
	return picked(w, a & -a, flag(UB_FL_CF, ub_alu_trunc(w, a)), 0);
}

struct ub_alu ub_alu_blsmsk(enum ub_width w, u64 a)
{
	return picked(w, a ^ (a - 1), flag(UB_FL_CF, !ub_alu_trunc(w, a)), 0);
}

struct ub_alu ub_alu_blsr(enum ub_width w, u64 a)
{
	return picked(w, a & (a - 1), flag(UB_FL_CF, !ub_alu_trunc(w, a)), 0);
}

struct ub_alu ub_alu_adx(enum ub_width w, u64 a, u64 b, u32 which, u32 flags)
{
	struct ub_alu sum = ub_alu_add(w, a, b, flags & which);

	sum.changed = which;
	sum.flags = flag(which, sum.flags & UB_FL_CF);
	return sum;
}

u64 ub_alu_pdep(enum ub_width w, u64 a, u64 mask)
{
	u64 left, val = 0;

	for (left = ub_alu_trunc(w, mask); left; left &= left - 1, a >>= 1)
		if (a & 1)
			val |= left & -left;
	return val;
}

u64 ub_alu_pext(enum ub_width w, u64 a, u64 mask)
{
	u64 left, val = 0;
	u32 i = 0;

	for (left = ub_alu_trunc(w, mask); left; left &= left - 1, i++)
		if (a & left & -left)
			val |= 1ull << i;
	return val;
}

#define CRC32C_REVERSED	0x82f63b78u

u32 ub_alu_crc32(enum ub_width w, u32 crc, u64 a)
{
	u32 i;

	for (i = 0; i < UB_WIDTH_BITS(w); i++) {
		crc ^= a >> i & 1;
		crc = crc >> 1 ^ (crc & 1 ? CRC32C_REVERSED : 0);
	}
	return crc;
}
