// SPDX-License-Identifier: GPL-2.0
/*
 * vec_move: vector operations that move lanes about and compute nothing.
 */
#include "vecrun.h"

#define LANES(v)	((v)->len / 16)		/* of 128 bits */

static bool is_store(const struct ub_vec_run *v)
{
	return v->info->form == UB_VEC_ST;
}

static void copy(struct ub_vec_run *v)
{
	v->r = v->b;
}

#define COPY(name) void vec_##name(struct ub_vec_run *v) { copy(v); }
COPY(movaps)
COPY(movapd)
COPY(movdqa)
COPY(movups)
COPY(movupd)
COPY(movdqu)
COPY(lddqu)
COPY(movntdqa)
COPY(movntps)
COPY(movntpd)
COPY(movntdq)

/* From memory all else is zero, from a register the first source stays. */
void vec_movss(struct ub_vec_run *v)
{
	v->r = v->info->form == UB_VEC_RVM ? v->a : v->b;
	v->r.d[0] = v->b.d[0];
}

void vec_movsd(struct ub_vec_run *v)
{
	v->r = v->info->form == UB_VEC_RVM ? v->a : v->b;
	v->r.q[0] = v->b.q[0];
}

void vec_movd(struct ub_vec_run *v)
{
	v->r = (union ub_vec){ .d = { v->b.d[0] } };
	v->gpr = v->b.d[0];
}

void vec_movq(struct ub_vec_run *v)
{
	v->r = (union ub_vec){ .q = { v->b.q[0] } };
	v->gpr = v->b.q[0];
}

static void low_half(struct ub_vec_run *v, u64 half)
{
	v->r = v->a;
	v->r.q[0] = half;
}

static void high_half(struct ub_vec_run *v, u64 half)
{
	v->r = v->a;
	v->r.q[1] = half;
}

void vec_movlps(struct ub_vec_run *v)
{
	low_half(v, v->b.q[0]);
}

void vec_movlpd(struct ub_vec_run *v)
{
	low_half(v, v->b.q[0]);
}

void vec_movhps(struct ub_vec_run *v)
{
	if (is_store(v))
		low_half(v, v->b.q[1]);
	else
		high_half(v, v->b.q[0]);
}

void vec_movhpd(struct ub_vec_run *v)
{
	vec_movhps(v);
}

void vec_movhlps(struct ub_vec_run *v)
{
	low_half(v, v->b.q[1]);
}

void vec_movlhps(struct ub_vec_run *v)
{
	high_half(v, v->b.q[0]);
}

/* Lane i of the result is lane from(i) of @src; the expression says which. */
#define PICK(name, field, size, src, from)				\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i;								\
									\
	for (i = 0; i < v->len / (size); i++)				\
		v->r.field[i] = v->src.field[from];			\
}
PICK(movddup, q, 8, b, i & ~1u)
PICK(movshdup, d, 4, b, i | 1)
PICK(movsldup, d, 4, b, i & ~1u)
PICK(broadcastss, d, 4, b, 0)
PICK(broadcastsd, q, 8, b, 0)
PICK(broadcastf128, q, 8, b, i & 1)
PICK(broadcasti128, q, 8, b, i & 1)
PICK(pbroadcastb, b, 1, b, 0)
PICK(pbroadcastw, w, 2, b, 0)
PICK(pbroadcastd, d, 4, b, 0)
PICK(pbroadcastq, q, 8, b, 0)
PICK(permq, q, 8, b, v->imm >> (2 * i) & 3)
PICK(permpd, q, 8, b, v->imm >> (2 * i) & 3)
PICK(permd, d, 4, b, v->a.d[i] & 7)
PICK(permps, d, 4, b, v->a.d[i] & 7)
PICK(permilps, d, 4, a, (i & ~3u) + (v->b.d[i] & 3))
PICK(permilpd, q, 8, a, (i & ~1u) + (v->b.q[i] >> 1 & 1))
PICK(permilpsi, d, 4, b, (i & ~3u) + (v->imm >> (2 * (i & 3)) & 3))
PICK(permilpdi, q, 8, b, (i & ~1u) + (v->imm >> i & 1))
PICK(pshufd, d, 4, b, (i & ~3u) + (v->imm >> (2 * (i & 3)) & 3))
PICK(pshufhw, w, 2, b, i & 4 ? (i & ~3u) + (v->imm >> (2 * (i & 3)) & 3) : i)
PICK(pshuflw, w, 2, b, i & 4 ? i : (i & ~3u) + (v->imm >> (2 * (i & 3)) & 3))

static void put128(union ub_vec *to, u32 lane, const union ub_vec *from, u32 from_lane)
{
	to->q[2 * lane] = from->q[2 * from_lane];
	to->q[2 * lane + 1] = from->q[2 * from_lane + 1];
}

void vec_insertf128(struct ub_vec_run *v)
{
	v->r = v->a;
	put128(&v->r, v->imm & 1, &v->b, 0);
}

void vec_inserti128(struct ub_vec_run *v)
{
	vec_insertf128(v);
}

void vec_extractf128(struct ub_vec_run *v)
{
	memset(&v->r, 0, sizeof(v->r));
	put128(&v->r, 0, &v->b, v->imm & 1);
}

void vec_extracti128(struct ub_vec_run *v)
{
	vec_extractf128(v);
}

void vec_perm2f128(struct ub_vec_run *v)
{
	u32 i;

	memset(&v->r, 0, sizeof(v->r));
	for (i = 0; i < 2; i++) {
		u8 pick = v->imm >> (4 * i);

		if (!(pick & 8))
			put128(&v->r, i, pick & 2 ? &v->b : &v->a, pick & 1);
	}
}

void vec_perm2i128(struct ub_vec_run *v)
{
	vec_perm2f128(v);
}

static void signs(struct ub_vec_run *v, u32 size)
{
	u32 i;

	v->gpr = 0;
	for (i = 0; i < v->len / size; i++)
		v->gpr |= (u64)(v->b.b[i * size + size - 1] >> 7) << i;
}

void vec_movmskps(struct ub_vec_run *v)
{
	signs(v, 4);
}

void vec_movmskpd(struct ub_vec_run *v)
{
	signs(v, 8);
}

void vec_pmovmskb(struct ub_vec_run *v)
{
	signs(v, 1);
}

void vec_stmxcsr(struct ub_vec_run *v)
{
	v->r = (union ub_vec){ .d = { v->mxcsr } };
}

/* A byte with bit 7 set picks zero. */
void vec_pshufb(struct ub_vec_run *v)
{
	u32 i;

	for (i = 0; i < v->len; i++)
		v->r.b[i] = v->b.b[i] & 0x80 ? 0 : v->a.b[(i & ~15u) + (v->b.b[i] & 15)];
}

void vec_palignr(struct ub_vec_run *v)
{
	u32 i;

	for (i = 0; i < v->len; i++) {
		u32 lane = i & ~15u, from = (i & 15) + v->imm;

		v->r.b[i] = from < 16 ? v->b.b[lane + from] : from < 32 ? v->a.b[lane + from - 16] : 0;
	}
}

void vec_shufps(struct ub_vec_run *v)
{
	u32 i;

	for (i = 0; i < v->len / 4; i++) {
		u32 from = (i & ~3u) + (v->imm >> (2 * (i & 3)) & 3);

		v->r.d[i] = i & 2 ? v->b.d[from] : v->a.d[from];
	}
}

void vec_shufpd(struct ub_vec_run *v)
{
	u32 i;

	for (i = 0; i < v->len / 8; i++) {
		u32 from = (i & ~1u) + (v->imm >> i & 1);

		v->r.q[i] = i & 1 ? v->b.q[from] : v->a.q[from];
	}
}

/* Lanes of @size bytes from the halves number @half, of a and b in turn. */
static void interleave(struct ub_vec_run *v, u32 size, u32 half)
{
	u32 lane, i;

	for (lane = 0; lane < LANES(v); lane++)
		for (i = 0; i < 16; i += size) {
			const union ub_vec *src = i / size & 1 ? &v->b : &v->a;
			u32 from = 16 * lane + 8 * half + i / (2 * size) * size;

			memcpy(&v->r.b[16 * lane + i], &src->b[from], size);
		}
}

#define UNPACK(name, size, half) void vec_##name(struct ub_vec_run *v) { interleave(v, size, half); }
UNPACK(punpcklbw, 1, 0)
UNPACK(punpcklwd, 2, 0)
UNPACK(punpckldq, 4, 0)
UNPACK(punpcklqdq, 8, 0)
UNPACK(punpckhbw, 1, 1)
UNPACK(punpckhwd, 2, 1)
UNPACK(punpckhdq, 4, 1)
UNPACK(punpckhqdq, 8, 1)
UNPACK(unpcklps, 4, 0)
UNPACK(unpcklpd, 8, 0)
UNPACK(unpckhps, 4, 1)
UNPACK(unpckhpd, 8, 1)

/* Lanes where @cond holds come from b, the others from a. */
#define BLEND(name, field, size, cond)					\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i;								\
									\
	for (i = 0; i < v->len / (size); i++)				\
		v->r.field[i] = (cond) ? v->b.field[i] : v->a.field[i];	\
}
BLEND(pblendw, w, 2, v->imm >> (i & 7) & 1)
BLEND(pblendd, d, 4, v->imm >> i & 1)
BLEND(blendps, d, 4, v->imm >> i & 1)
BLEND(blendpd, q, 8, v->imm >> i & 1)
BLEND(blendvps, d, 4, v->c.d[i] >> 31)
BLEND(blendvpd, q, 8, v->c.q[i] >> 63)
BLEND(pblendvb, b, 1, v->c.b[i] >> 7)

#define INSERT(name, field, cnt)					\
void vec_##name(struct ub_vec_run *v)					\
{									\
	v->r = v->a;							\
	v->r.field[v->imm & ((cnt) - 1)] = v->b.q[0];			\
}
INSERT(pinsrb, b, 16)
INSERT(pinsrw, w, 8)
INSERT(pinsrd, d, 4)
INSERT(pinsrq, q, 2)

#define EXTRACT(name, field, cnt)					\
void vec_##name(struct ub_vec_run *v)					\
{									\
	v->gpr = v->b.field[v->imm & ((cnt) - 1)];			\
	v->r = (union ub_vec){ .q = { v->gpr } };			\
}
EXTRACT(pextrb, b, 16)
EXTRACT(pextrw, w, 8)
EXTRACT(pextrd, d, 4)
EXTRACT(pextrq, q, 2)
EXTRACT(extractps, d, 4)

void vec_insertps(struct ub_vec_run *v)
{
	u32 i, val = v->b.d[v->is_mem ? 0 : v->imm >> 6];

	v->r = v->a;
	v->r.d[v->imm >> 4 & 3] = val;
	for (i = 0; i < 4; i++)
		if (v->imm >> i & 1)
			v->r.d[i] = 0;
}
