// SPDX-License-Identifier: GPL-2.0
/*
 * vec_string: pcmpestri and its like (SDM vol. 2B, 4.1).
 *
 * Constant: bits 0-1 lanes (u8 u16 s8 s16), 2-3 the comparison, 4-5 polarity, 6 which index, or mask of bits or lanes.
 * Lanes behind the end of a string are invalid; what a comparison with them says is the comparison's own rule.
 */
#include "vecrun.h"

enum { EQUAL_ANY, RANGES, EQUAL_EACH, EQUAL_ORDERED };

static u32 lane_cnt(const struct ub_vec_run *v)
{
	return v->imm & 1 ? 8 : 16;
}

static s32 lane(const struct ub_vec_run *v, const union ub_vec *from, u32 i)
{
	switch (v->imm & 3) {
	case 0: return from->b[i];
	case 1: return from->w[i];
	case 2: return from->sb[i];
	default: return from->sw[i];
	}
}

/* A length given in a register: its magnitude, at most the number of lanes. */
static u32 given_len(const struct ub_vec_run *v, s64 len)
{
	u64 size = len < 0 ? -(u64)len : (u64)len;

	return size > lane_cnt(v) ? lane_cnt(v) : size;
}

/* Up to the first zero. */
static u32 implied_len(const struct ub_vec_run *v, const union ub_vec *from)
{
	u32 i;

	for (i = 0; i < lane_cnt(v) && lane(v, from, i); i++)
		;
	return i;
}

static u32 equal_any(const struct ub_vec_run *v, u32 a_len, u32 b_len)
{
	u32 i, k, res = 0;

	for (i = 0; i < b_len; i++)
		for (k = 0; k < a_len; k++)
			if (lane(v, &v->a, k) == lane(v, &v->b, i))
				res |= 1u << i;
	return res;
}

static u32 ranges(const struct ub_vec_run *v, u32 a_len, u32 b_len)
{
	u32 i, k, res = 0;

	for (i = 0; i < b_len; i++)
		for (k = 0; k + 1 < a_len; k += 2)
			if (lane(v, &v->b, i) >= lane(v, &v->a, k) && lane(v, &v->b, i) <= lane(v, &v->a, k + 1))
				res |= 1u << i;
	return res;
}

/* Two invalid lanes are equal, one is not. */
static u32 equal_each(const struct ub_vec_run *v, u32 a_len, u32 b_len)
{
	u32 i, res = 0;

	for (i = 0; i < lane_cnt(v); i++) {
		if (i >= a_len || i >= b_len)
			res |= (u32)(i >= a_len && i >= b_len) << i;
		else
			res |= (u32)(lane(v, &v->a, i) == lane(v, &v->b, i)) << i;
	}
	return res;
}

/* Does the string in a stand in b at lane i, as far as b goes? */
static u32 equal_ordered(const struct ub_vec_run *v, u32 a_len, u32 b_len)
{
	u32 i, k, cnt = lane_cnt(v), res = 0;

	for (i = 0; i < cnt; i++) {
		bool is_there = true;

		for (k = 0; k < a_len && i + k < cnt; k++)
			is_there &= i + k < b_len && lane(v, &v->a, k) == lane(v, &v->b, i + k);
		res |= (u32)is_there << i;
	}
	return res;
}

static u32 compare(const struct ub_vec_run *v, u32 a_len, u32 b_len)
{
	switch (v->imm >> 2 & 3) {
	case EQUAL_ANY: return equal_any(v, a_len, b_len);
	case RANGES: return ranges(v, a_len, b_len);
	case EQUAL_EACH: return equal_each(v, a_len, b_len);
	default: return equal_ordered(v, a_len, b_len);
	}
}

/* Bit 4: negated; bit 5 with it: only the valid lanes. */
static u32 polarize(const struct ub_vec_run *v, u32 res, u32 b_len)
{
	u32 all = (1u << lane_cnt(v)) - 1;

	if (!(v->imm & 0x10))
		return res;
	return res ^ (v->imm & 0x20 ? (1u << b_len) - 1 : all);
}

static u32 find(struct ub_vec_run *v, u32 a_len, u32 b_len)
{
	u32 cnt = lane_cnt(v), res = polarize(v, compare(v, a_len, b_len), b_len);

	v->flags = (res ? UB_FL_CF : 0) | (b_len < cnt ? UB_FL_ZF : 0) | (a_len < cnt ? UB_FL_SF : 0) |
		   (res & 1 ? UB_FL_OF : 0);
	return res;
}

static void put_index(struct ub_vec_run *v, u32 res)
{
	if (!res)
		v->rcx = lane_cnt(v);
	else
		v->rcx = v->imm & 0x40 ? 31 - __builtin_clz(res) : __builtin_ctz(res);
}

static void put_mask(struct ub_vec_run *v, u32 res)
{
	u32 i, cnt = lane_cnt(v), size = 16 / cnt;

	v->r = (union ub_vec){ .q = { v->imm & 0x40 ? 0 : res } };
	for (i = 0; v->imm & 0x40 && i < 16; i++)
		v->r.b[i] = res >> (i / size) & 1 ? 0xff : 0;
}

/* The lengths in eax and edx, or with W in rax and rdx, which the caller has sign-extended. */
static u32 find_explicit(struct ub_vec_run *v)
{
	return find(v, given_len(v, v->rax), given_len(v, v->rdx));
}

static u32 find_implicit(struct ub_vec_run *v)
{
	return find(v, implied_len(v, &v->a), implied_len(v, &v->b));
}

void vec_pcmpestri(struct ub_vec_run *v)
{
	put_index(v, find_explicit(v));
}

void vec_pcmpestrm(struct ub_vec_run *v)
{
	put_mask(v, find_explicit(v));
}

void vec_pcmpistri(struct ub_vec_run *v)
{
	put_index(v, find_implicit(v));
}

void vec_pcmpistrm(struct ub_vec_run *v)
{
	put_mask(v, find_implicit(v));
}
