/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reg: what is known of one register.
 *
 * unwritten	nothing may read it: the machine register may hold anything, a kernel address too
 * scalar	any value in both @bits and @range
 * walking	a number in @walk, which drifts, modulo 2^64
 * guarded	an address that guard or hold made (0..LIMIT) plus a number in @walk, modulo 2^64
 *
 * In the order of the enum each kind allows less than the one before; a join goes to the lesser.
 */
#ifndef UB_REG_H
#define UB_REG_H

#include "bits.h"
#include "range.h"
#include "walk.h"

enum ub_reg_kind { UB_REG_UNWRITTEN, UB_REG_SCALAR, UB_REG_WALKING, UB_REG_GUARDED };

struct ub_reg {
	union {
		struct {			/* scalar */
			struct ub_bits bits;
			struct ub_range range;
		};
		struct ub_walk walk;		/* walking, guarded */
	};
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
/* @off above what guard made, 0..LIMIT. */
struct ub_reg ub_reg_guard(s64 off);
/* Says nothing of @by. */
bool ub_reg_equal(const struct ub_reg *a, const struct ub_reg *b);
/* A scalar of which nothing is known. */
static inline bool ub_reg_is_any(const struct ub_reg *a)
{
	return a->kind == UB_REG_SCALAR && a->bits.mask == UB_U64_MAX && a->range.span == UB_U64_MAX;
}
/* Is it a number of one value? */
static inline bool ub_reg_is_const(const struct ub_reg *a)
{
	return a->kind == UB_REG_SCALAR && !a->range.span;
}
u64 ub_reg_min(const struct ub_reg *a);	/* of a scalar, as unsigned */
u64 ub_reg_max(const struct ub_reg *a);

/* The value as a scalar: of any kind, a guarded one being at most limit + its walk. */
struct ub_reg ub_reg_plain(const struct ub_reg *a, u64 limit);
/* The walk that holds the value of a scalar, if it is not all too large, or walking register; false for the others. */
bool ub_reg_walk(const struct ub_reg *a, struct ub_walk *ret);

/* What is known once there was one more tick, and once there was a check. */
struct ub_reg ub_reg_tick(const struct ub_reg *a);
struct ub_reg ub_reg_settle(const struct ub_reg *a);

struct ub_reg ub_reg_join(const struct ub_reg *a, const struct ub_reg *b, u64 limit);

/* How to join at the head of a loop, so that it can grow only a few times. */
struct ub_widen {
	bool must_widen;	/* plain ranges go up in the steps of the widths; without ticks, guards that move are lost */
	bool has_ticks;		/* what walks may move with t instead, */
	bool is_back;		/* on an edge that closes a cycle; */
	struct ub_walk_tries *tries;	/* how often they did */
};
struct ub_reg ub_reg_widen(const struct ub_reg *old, const struct ub_reg *joined, const struct ub_widen *how, u64 limit);

/* On all kinds, 64 bits. */
struct ub_reg ub_reg_sum(const struct ub_reg *a, const struct ub_reg *b, u64 limit);
struct ub_reg ub_reg_difference(const struct ub_reg *a, const struct ub_reg *b, u64 limit);
struct ub_reg ub_reg_scaled(const struct ub_reg *a, u32 cnt, u64 limit);	/* a << cnt, cnt < 4 */

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
