// SPDX-License-Identifier: GPL-2.0
/*
 * vec_int: vector operations on integers, lane by lane.
 */
#include "vecrun.h"

static s64 clamp(s64 val, s64 min, s64 max)
{
	return val < min ? min : val > max ? max : val;
}

static u64 distance(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

/* Each lane of the result from the lanes A and B of the sources. */
#define MAP(name, field, size, expr)					\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i;								\
									\
	for (i = 0; i < v->len / (size); i++) {				\
		__typeof__(v->a.field[0]) A = v->a.field[i], B = v->b.field[i];	\
									\
		(void)A;						\
		v->r.field[i] = (expr);					\
	}								\
}

MAP(pand, q, 8, A & B)
MAP(pandn, q, 8, ~A & B)
MAP(por, q, 8, A | B)
MAP(pxor, q, 8, A ^ B)
MAP(andps, q, 8, A & B)
MAP(andpd, q, 8, A & B)
MAP(andnps, q, 8, ~A & B)
MAP(andnpd, q, 8, ~A & B)
MAP(orps, q, 8, A | B)
MAP(orpd, q, 8, A | B)
MAP(xorps, q, 8, A ^ B)
MAP(xorpd, q, 8, A ^ B)

MAP(paddb, b, 1, A + B)
MAP(paddw, w, 2, A + B)
MAP(paddd, d, 4, A + B)
MAP(paddq, q, 8, A + B)
MAP(psubb, b, 1, A - B)
MAP(psubw, w, 2, A - B)
MAP(psubd, d, 4, A - B)
MAP(psubq, q, 8, A - B)
MAP(paddsb, sb, 1, clamp(A + B, -128, 127))
MAP(paddsw, sw, 2, clamp(A + B, -32768, 32767))
MAP(paddusb, b, 1, clamp(A + B, 0, 255))
MAP(paddusw, w, 2, clamp(A + B, 0, 65535))
MAP(psubsb, sb, 1, clamp(A - B, -128, 127))
MAP(psubsw, sw, 2, clamp(A - B, -32768, 32767))
MAP(psubusb, b, 1, clamp(A - B, 0, 255))
MAP(psubusw, w, 2, clamp(A - B, 0, 65535))
MAP(pminub, b, 1, A < B ? A : B)
MAP(pminuw, w, 2, A < B ? A : B)
MAP(pminud, d, 4, A < B ? A : B)
MAP(pminsb, sb, 1, A < B ? A : B)
MAP(pminsw, sw, 2, A < B ? A : B)
MAP(pminsd, sd, 4, A < B ? A : B)
MAP(pmaxub, b, 1, A > B ? A : B)
MAP(pmaxuw, w, 2, A > B ? A : B)
MAP(pmaxud, d, 4, A > B ? A : B)
MAP(pmaxsb, sb, 1, A > B ? A : B)
MAP(pmaxsw, sw, 2, A > B ? A : B)
MAP(pmaxsd, sd, 4, A > B ? A : B)
MAP(pavgb, b, 1, (A + B + 1) >> 1)
MAP(pavgw, w, 2, (A + B + 1) >> 1)
MAP(pmullw, w, 2, (u32)A * B)
MAP(pmulld, d, 4, A * B)
MAP(pmulhw, sw, 2, (s32)A * B >> 16)
MAP(pmulhuw, w, 2, (u32)A * B >> 16)
MAP(pmulhrsw, sw, 2, (((s32)A * B >> 14) + 1) >> 1)
MAP(pmuludq, q, 8, (u64)(u32)A * (u32)B)
MAP(pmuldq, sq, 8, (s64)(s32)A * (s32)B)
MAP(pcmpeqb, b, 1, A == B ? 0xff : 0)
MAP(pcmpeqw, w, 2, A == B ? 0xffff : 0)
MAP(pcmpeqd, d, 4, A == B ? UB_U32_MAX : 0)
MAP(pcmpeqq, q, 8, A == B ? UB_U64_MAX : 0)
MAP(pcmpgtb, sb, 1, A > B ? -1 : 0)
MAP(pcmpgtw, sw, 2, A > B ? -1 : 0)
MAP(pcmpgtd, sd, 4, A > B ? -1 : 0)
MAP(pcmpgtq, sq, 8, A > B ? -1 : 0)
MAP(psignb, b, 1, (s8)B < 0 ? -A : B ? A : 0)
MAP(psignw, w, 2, (s16)B < 0 ? -A : B ? A : 0)
MAP(psignd, d, 4, (s32)B < 0 ? -A : B ? A : 0)
MAP(pabsb, b, 1, (s8)B < 0 ? -B : B)
MAP(pabsw, w, 2, (s16)B < 0 ? -B : B)
MAP(pabsd, d, 4, (s32)B < 0 ? -B : B)
MAP(psllvd, d, 4, B < 32 ? A << B : 0)
MAP(psllvq, q, 8, B < 64 ? A << B : 0)
MAP(psrlvd, d, 4, B < 32 ? A >> B : 0)
MAP(psrlvq, q, 8, B < 64 ? A >> B : 0)
MAP(psravd, sd, 4, A >> ((u32)B < 32 ? B : 31))

/* All lanes by one count, of 64 bits or a constant; SRC are the lanes that are shifted. */
#define SHIFT(name, field, size, src, cnt, expr)			\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u64 n = (cnt);							\
	u32 i, bits = 8 * (size);					\
									\
	for (i = 0; i < v->len / (size); i++) {				\
		__typeof__(v->a.field[0]) A = v->src.field[i];		\
									\
		v->r.field[i] = (expr);					\
	}								\
}
#define SHIFTS(name, field, size, expr)					\
SHIFT(name, field, size, a, v->b.q[0], expr)				\
SHIFT(name##i, field, size, b, v->imm, expr)

SHIFTS(psllw, w, 2, n < bits ? (u32)A << n : 0)
SHIFTS(pslld, d, 4, n < bits ? A << n : 0)
SHIFTS(psllq, q, 8, n < bits ? A << n : 0)
SHIFTS(psrlw, w, 2, n < bits ? A >> n : 0)
SHIFTS(psrld, d, 4, n < bits ? A >> n : 0)
SHIFTS(psrlq, q, 8, n < bits ? A >> n : 0)
SHIFTS(psraw, sw, 2, A >> (n < bits ? n : bits - 1))
SHIFTS(psrad, sd, 4, A >> (n < bits ? n : bits - 1))

void vec_psrldq(struct ub_vec_run *v)
{
	u32 i;

	for (i = 0; i < v->len; i++)
		v->r.b[i] = (i & 15) + v->imm < 16 ? v->b.b[i + v->imm] : 0;
}

void vec_pslldq(struct ub_vec_run *v)
{
	u32 i;

	for (i = 0; i < v->len; i++)
		v->r.b[i] = (i & 15) >= v->imm ? v->b.b[i - v->imm] : 0;
}

void vec_pmaddwd(struct ub_vec_run *v)
{
	u32 i;

	for (i = 0; i < v->len / 4; i++)
		v->r.d[i] = (u32)((s32)v->a.sw[2 * i] * v->b.sw[2 * i]) +
			    (u32)((s32)v->a.sw[2 * i + 1] * v->b.sw[2 * i + 1]);
}

/* Bytes of a are unsigned, those of b signed. */
void vec_pmaddubsw(struct ub_vec_run *v)
{
	u32 i;

	for (i = 0; i < v->len / 2; i++)
		v->r.sw[i] = clamp((s32)v->a.b[2 * i] * v->b.sb[2 * i] + (s32)v->a.b[2 * i + 1] * v->b.sb[2 * i + 1],
				   -32768, 32767);
}

void vec_psadbw(struct ub_vec_run *v)
{
	u32 i, k;

	for (i = 0; i < v->len / 8; i++) {
		v->r.q[i] = 0;
		for (k = 8 * i; k < 8 * i + 8; k++)
			v->r.q[i] += distance(v->a.b[k], v->b.b[k]);
	}
}

/* Sums of four distances, of a window that moves over a from the block that the constant names; b's block stays. */
void vec_mpsadbw(struct ub_vec_run *v)
{
	u32 lane, i, k;

	for (lane = 0; lane < v->len / 16; lane++) {
		u8 pick = v->imm >> (3 * lane);
		const u8 *a = &v->a.b[16 * lane + (pick & 4 ? 4 : 0)], *b = &v->b.b[16 * lane + 4 * (pick & 3)];

		for (i = 0; i < 8; i++) {
			v->r.w[8 * lane + i] = 0;
			for (k = 0; k < 4; k++)
				v->r.w[8 * lane + i] += distance(a[i + k], b[k]);
		}
	}
}

void vec_phminposuw(struct ub_vec_run *v)
{
	u32 i, best = 0;

	for (i = 1; i < 8; i++)
		if (v->b.w[i] < v->b.w[best])
			best = i;
	v->r = (union ub_vec){ .w = { v->b.w[best], best } };
}

/* Pairs side by side in a, then in b, for each 128 bits. */
#define PAIRS(name, field, size, expr)					\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i, cnt = 16 / (size);					\
									\
	for (i = 0; i < v->len / (size); i++) {				\
		const union ub_vec *src = i % cnt < cnt / 2 ? &v->a : &v->b;	\
		u32 from = i / cnt * cnt + 2 * (i % (cnt / 2));		\
		__typeof__(v->a.field[0]) A = src->field[from], B = src->field[from + 1];	\
									\
		v->r.field[i] = (expr);					\
	}								\
}
PAIRS(phaddw, w, 2, A + B)
PAIRS(phaddd, d, 4, A + B)
PAIRS(phaddsw, sw, 2, clamp(A + B, -32768, 32767))
PAIRS(phsubw, w, 2, A - B)
PAIRS(phsubd, d, 4, A - B)
PAIRS(phsubsw, sw, 2, clamp(A - B, -32768, 32767))

/* a's lanes, then b's, each to half its width, for each 128 bits. */
#define PACK(name, to, from, size, min, max)				\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i, cnt = 32 / (size);					\
									\
	for (i = 0; i < v->len * 2 / (size); i++) {			\
		const union ub_vec *src = i % cnt < cnt / 2 ? &v->a : &v->b;	\
									\
		v->r.to[i] = clamp(src->from[i / cnt * (cnt / 2) + i % (cnt / 2)], min, max);	\
	}								\
}
PACK(packsswb, sb, sw, 2, -128, 127)
PACK(packssdw, sw, sd, 4, -32768, 32767)
PACK(packuswb, b, sw, 2, 0, 255)
PACK(packusdw, w, sd, 4, 0, 65535)

#define WIDEN(name, to, size, from)					\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i;								\
									\
	for (i = 0; i < v->len / (size); i++)				\
		v->r.to[i] = v->b.from[i];				\
}
WIDEN(pmovsxbw, sw, 2, sb)
WIDEN(pmovsxbd, sd, 4, sb)
WIDEN(pmovsxbq, sq, 8, sb)
WIDEN(pmovsxwd, sd, 4, sw)
WIDEN(pmovsxwq, sq, 8, sw)
WIDEN(pmovsxdq, sq, 8, sd)
WIDEN(pmovzxbw, w, 2, b)
WIDEN(pmovzxbd, d, 4, b)
WIDEN(pmovzxbq, q, 8, b)
WIDEN(pmovzxwd, d, 4, w)
WIDEN(pmovzxwq, q, 8, w)
WIDEN(pmovzxdq, q, 8, d)

/* ZF: no bit of @mask in both; CF: no bit of it in b alone. */
static void test(struct ub_vec_run *v, u64 mask)
{
	u64 both = 0, b_alone = 0;
	u32 i;

	for (i = 0; i < v->len / 8; i++) {
		both |= v->a.q[i] & v->b.q[i] & mask;
		b_alone |= ~v->a.q[i] & v->b.q[i] & mask;
	}
	v->flags = (both ? 0 : UB_FL_ZF) | (b_alone ? 0 : UB_FL_CF);
}

void vec_ptest(struct ub_vec_run *v)
{
	test(v, UB_U64_MAX);
}

void vec_testps(struct ub_vec_run *v)
{
	test(v, 0x8000000080000000ull);
}

void vec_testpd(struct ub_vec_run *v)
{
	test(v, 1ull << 63);
}
