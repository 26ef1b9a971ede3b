/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reg: what is known of one register.
 *
 * unwritten	nothing may read it: the machine register may hold anything, a kernel address too
 * scalar	any value in both @bits and @range
 * guarded	an address that guard made (0..LIMIT) plus an offset in @range; 0 <= offset <= UB_WINDOW, no wrap
 *
 * In the order of the enum each kind allows less than the one before; a join goes to the lesser.
 */
#ifndef UB_REG_H
#define UB_REG_H

#include "bits.h"
#include "range.h"

enum ub_reg_kind { UB_REG_UNWRITTEN, UB_REG_SCALAR, UB_REG_GUARDED };

struct ub_reg {
	struct ub_bits bits;
	struct ub_range range;
	u8 kind;		/* enum ub_reg_kind */
	bool is_bounded;	/* bound has passed it: the value is <= LIMIT */
	/* For the log only: who made it what it is; the instruction + 1, 0 the entry, or with UB_BY_MERGE the label. */
	u32 by;
};

#define UB_BY_MERGE	0x80000000u

struct ub_reg ub_reg_unwritten(void);
struct ub_reg ub_reg_any(void);
struct ub_reg ub_reg_const(u64 value);
struct ub_reg ub_reg_between(u64 lo, u64 hi);
struct ub_reg ub_reg_guard(void);
/* Says nothing of @by. */
bool ub_reg_equal(const struct ub_reg *a, const struct ub_reg *b);
u64 ub_reg_min(const struct ub_reg *a);	/* of a scalar, as unsigned */
u64 ub_reg_max(const struct ub_reg *a);

/* The value as a plain number: of any kind, a guarded one being at most limit + its offset. */
struct ub_reg ub_reg_plain(const struct ub_reg *a, u64 limit);
/* A guarded register plus something between lo and hi; plain when the sum may leave the window. */
struct ub_reg ub_reg_move_guard(const struct ub_reg *a, s64 lo, s64 hi, u64 limit);

struct ub_reg ub_reg_join(const struct ub_reg *a, const struct ub_reg *b, u64 limit);
/* A join that can grow only a few times: ranges go up in the steps of the widths, guards are lost. */
struct ub_reg ub_reg_widen(const struct ub_reg *old, const struct ub_reg *joined, u64 limit);

/* On scalars. */
struct ub_reg ub_reg_add(const struct ub_reg *a, const struct ub_reg *b);
struct ub_reg ub_reg_sub(const struct ub_reg *a, const struct ub_reg *b);
struct ub_reg ub_reg_and(const struct ub_reg *a, const struct ub_reg *b);
struct ub_reg ub_reg_or(const struct ub_reg *a, const struct ub_reg *b);
struct ub_reg ub_reg_xor(const struct ub_reg *a, const struct ub_reg *b);
struct ub_reg ub_reg_mul(const struct ub_reg *a, const struct ub_reg *b);
struct ub_reg ub_reg_shl(const struct ub_reg *a, u32 cnt);
struct ub_reg ub_reg_shr(const struct ub_reg *a, u32 cnt);
struct ub_reg ub_reg_sar(const struct ub_reg *a, u32 cnt);
struct ub_reg ub_reg_zext(const struct ub_reg *a, u32 width);
struct ub_reg ub_reg_sext(const struct ub_reg *a, u32 width);
/* The low @width bits of b below the others of a. */
struct ub_reg ub_reg_insert(const struct ub_reg *a, const struct ub_reg *b, u32 width);

#endif
