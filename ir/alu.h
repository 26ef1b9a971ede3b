/* SPDX-License-Identifier: GPL-2.0 */
/*
 * alu: x86 integer arithmetic as pure functions, values in, value and flags out (user space only).
 *
 * Operands may have any bits above the width; results have none.  Example: ub_alu_add(UB_W8, 0xff, 1, 0) gives
 * val 0 with CF, PF, AF and ZF.
 */
#ifndef UB_ALU_H
#define UB_ALU_H

#include "op.h"

struct ub_alu {
	u64 val;
	u32 flags;		/* the values of the flags in @changed */
	u32 changed;		/* the flags written at all */
	u32 undefined;		/* those, changed or kept, that the SDM leaves open; alu*.c say what we do with them */
};

static inline u64 ub_alu_trunc(enum ub_width w, u64 val)
{
	return w == UB_W64 ? val : val & ((1ull << UB_WIDTH_BITS(w)) - 1);
}

static inline s64 ub_alu_sext(enum ub_width w, u64 val)
{
	u32 shift = 64 - UB_WIDTH_BITS(w);

	return (s64)(val << shift) >> shift;
}

struct ub_alu ub_alu_add(enum ub_width w, u64 a, u64 b, bool carry);
struct ub_alu ub_alu_sub(enum ub_width w, u64 a, u64 b, bool borrow);
struct ub_alu ub_alu_logic(enum ub_width w, u64 result);
struct ub_alu ub_alu_inc(enum ub_width w, u64 a);
struct ub_alu ub_alu_dec(enum ub_width w, u64 a);

/* The count is taken as x86 takes it: modulo 32, or 64 at width 64; 0 changes no flag. */
struct ub_alu ub_alu_shl(enum ub_width w, u64 a, u64 count);
struct ub_alu ub_alu_shr(enum ub_width w, u64 a, u64 count);
struct ub_alu ub_alu_sar(enum ub_width w, u64 a, u64 count);
struct ub_alu ub_alu_rol(enum ub_width w, u64 a, u64 count);
struct ub_alu ub_alu_ror(enum ub_width w, u64 a, u64 count);

/* Through @carry; rotates by the count modulo the width and one. */
struct ub_alu ub_alu_rcl(enum ub_width w, u64 a, u64 count, bool carry);
struct ub_alu ub_alu_rcr(enum ub_width w, u64 a, u64 count, bool carry);
/* What comes in is @from. */
struct ub_alu ub_alu_shld(enum ub_width w, u64 a, u64 from, u64 count);
struct ub_alu ub_alu_shrd(enum ub_width w, u64 a, u64 from, u64 count);

/* alu_bits.c.  CF is bit @bit modulo the width of @a; the value has it as before, set, reset or complemented. */
struct ub_alu ub_alu_bt(enum ub_width w, u64 a, u64 bit);
struct ub_alu ub_alu_bts(enum ub_width w, u64 a, u64 bit);
struct ub_alu ub_alu_btr(enum ub_width w, u64 a, u64 bit);
struct ub_alu ub_alu_btc(enum ub_width w, u64 a, u64 bit);
/* For 0 the value is 0: the caller keeps its register. */
struct ub_alu ub_alu_bsf(enum ub_width w, u64 a);
struct ub_alu ub_alu_bsr(enum ub_width w, u64 a);
struct ub_alu ub_alu_tzcnt(enum ub_width w, u64 a);
struct ub_alu ub_alu_lzcnt(enum ub_width w, u64 a);
struct ub_alu ub_alu_popcnt(enum ub_width w, u64 a);
struct ub_alu ub_alu_andn(enum ub_width w, u64 a, u64 b);
struct ub_alu ub_alu_bextr(enum ub_width w, u64 a, u64 control);
struct ub_alu ub_alu_bzhi(enum ub_width w, u64 a, u64 index);
struct ub_alu ub_alu_blsi(enum ub_width w, u64 a);
struct ub_alu ub_alu_blsmsk(enum ub_width w, u64 a);
struct ub_alu ub_alu_blsr(enum ub_width w, u64 a);
/* @which is the only flag that is added and written. */
struct ub_alu ub_alu_adx(enum ub_width w, u64 a, u64 b, u32 which, u32 flags);
u64 ub_alu_pdep(enum ub_width w, u64 a, u64 mask);
u64 ub_alu_pext(enum ub_width w, u64 a, u64 mask);
u32 ub_alu_crc32(enum ub_width w, u32 crc, u64 a);

/* Low half in val, high half in *ret_high. */
struct ub_alu ub_alu_mulu(enum ub_width w, u64 a, u64 b, u64 *ret_high);
struct ub_alu ub_alu_muls(enum ub_width w, u64 a, u64 b, u64 *ret_high);

/* high:low / by.  False where x86 raises a divide error. */
bool ub_alu_divu(enum ub_width w, u64 high, u64 low, u64 by, u64 *ret_quotient, u64 *ret_rest);
bool ub_alu_divs(enum ub_width w, u64 high, u64 low, u64 by, u64 *ret_quotient, u64 *ret_rest);

bool ub_alu_cond(enum ub_cc cc, u32 flags);

#endif
