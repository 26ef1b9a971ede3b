// SPDX-License-Identifier: GPL-2.0
/*
 * vec_cvt: vector operations from one kind of number to another, and multiply-and-add; lane by lane as in vec_fp.c.
 */
#include "vecfp.h"

#define LANE(name, R, T, r_con, b_con) \
static R name##_lane(T b) { R r; asm volatile(#name " %1, %0" : "=" r_con(r) : b_con(b)); return r; }
LANE(cvtss2sd, double, float, "x", "x")
LANE(cvtsd2ss, float, double, "x", "x")
LANE(cvtss2si, s32, float, "r", "x")
LANE(cvttss2si, s32, float, "r", "x")
LANE(cvtsd2si, s32, double, "r", "x")
LANE(cvttsd2si, s32, double, "r", "x")
LANE(cvtsi2ssl, float, s32, "x", "r")
LANE(cvtsi2ssq, float, s64, "x", "r")
LANE(cvtsi2sdl, double, s32, "x", "r")
LANE(cvtsi2sdq, double, s64, "x", "r")

#define LANE64(name, insn, T) \
static s64 name##_lane(T b) { s64 r; asm volatile(insn " %1, %0" : "=r"(r) : "x"(b)); return r; }
LANE64(cvtss2siq, "cvtss2si", float)
LANE64(cvttss2siq, "cvttss2si", float)
LANE64(cvtsd2siq, "cvtsd2si", double)
LANE64(cvttsd2siq, "cvttsd2si", double)

/* One lane for each @size bytes of the wider side; where the result is narrower the rest is zero. */
#define CONVERT(name, size, to, from, lane)				\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i;								\
									\
	memset(&v->r, 0, sizeof(v->r));					\
	begin(v);							\
	for (i = 0; i < v->len / (size); i++)				\
		v->r.to[i] = lane(v->b.from[i]);			\
	end(v);								\
}
CONVERT(cvtps2pd, 8, g, f, cvtss2sd_lane)
CONVERT(cvtdq2ps, 4, f, sd, cvtsi2ssl_lane)
CONVERT(cvtdq2pd, 8, g, sd, cvtsi2sdl_lane)
CONVERT(cvtps2dq, 4, sd, f, cvtss2si_lane)
CONVERT(cvttps2dq, 4, sd, f, cvttss2si_lane)
CONVERT(cvtpd2dq, 8, sd, g, cvtsd2si_lane)
CONVERT(cvttpd2dq, 8, sd, g, cvttsd2si_lane)

void vec_cvtpd2ps(struct ub_vec_run *v)
{
	u32 i;

	memset(&v->r, 0, sizeof(v->r));
	begin(v);
	for (i = 0; i < v->len / 8; i++)
		v->r.f[i] = cvtsd2ss_lane(v->b.g[i]);
	end(v);
	check_tiny(v, has_tiny32(v, v->len / 8));
}

/* The lowest lane, the rest of a. */
#define CONVERT_LOW(name, to, val)					\
void vec_##name(struct ub_vec_run *v)					\
{									\
	v->r = v->a;							\
	begin(v);							\
	v->r.to[0] = (val);						\
	end(v);								\
}
CONVERT_LOW(cvtss2sd, g, cvtss2sd_lane(v->b.f[0]))
CONVERT_LOW(cvtsi2ss, f, cvtsi2ssl_lane(v->b.sd[0]))
CONVERT_LOW(cvtsi2ssq, f, cvtsi2ssq_lane(v->b.sq[0]))
CONVERT_LOW(cvtsi2sd, g, cvtsi2sdl_lane(v->b.sd[0]))
CONVERT_LOW(cvtsi2sdq, g, cvtsi2sdq_lane(v->b.sq[0]))

void vec_cvtsd2ss(struct ub_vec_run *v)
{
	v->r = v->a;
	begin(v);
	v->r.f[0] = cvtsd2ss_lane(v->b.g[0]);
	end(v);
	check_tiny(v, is_tiny32(v->r.d[0]));
}

#define TO_GENERAL(name, val)						\
void vec_##name(struct ub_vec_run *v)					\
{									\
	begin(v);							\
	v->gpr = (val);							\
	end(v);								\
}
TO_GENERAL(cvtss2si, (u32)cvtss2si_lane(v->b.f[0]))
TO_GENERAL(cvttss2si, (u32)cvttss2si_lane(v->b.f[0]))
TO_GENERAL(cvtsd2si, (u32)cvtsd2si_lane(v->b.g[0]))
TO_GENERAL(cvttsd2si, (u32)cvttsd2si_lane(v->b.g[0]))
TO_GENERAL(cvtss2siq, cvtss2siq_lane(v->b.f[0]))
TO_GENERAL(cvttss2siq, cvttss2siq_lane(v->b.f[0]))
TO_GENERAL(cvtsd2siq, cvtsd2siq_lane(v->b.g[0]))
TO_GENERAL(cvttsd2siq, cvttsd2siq_lane(v->b.g[0]))

/* Half precision: one lane at a time, the others being zero. */
static float cvtph2ps_lane(u16 half)
{
	float r;

	asm volatile("vmovd %1, %0\n\tvcvtph2ps %0, %0" : "=x"(r) : "r"((u32)half));
	return r;
}

#define CASE_CVTPS2PH(n) \
	case n: asm volatile("vmovd %1, %%xmm0\n\tvcvtps2ph %2, %%xmm0, %%xmm0\n\tvmovd %%xmm0, %0" \
			     : "=r"(r) : "r"(bits), "i"(n) : "xmm0"); break;

static u16 cvtps2ph_lane(u32 bits, u8 imm)
{
	u32 r = 0;

	switch (imm & 7) {
	CASE_CVTPS2PH(0) CASE_CVTPS2PH(1) CASE_CVTPS2PH(2) CASE_CVTPS2PH(3)
	CASE_CVTPS2PH(4) CASE_CVTPS2PH(5) CASE_CVTPS2PH(6) CASE_CVTPS2PH(7)
	}
	return r;
}

CONVERT(cvtph2ps, 4, f, w, cvtph2ps_lane)

void vec_cvtps2ph(struct ub_vec_run *v)
{
	bool is_tiny = false;
	u32 i;

	memset(&v->r, 0, sizeof(v->r));
	begin(v);
	for (i = 0; i < v->len / 4; i++) {
		v->r.w[i] = cvtps2ph_lane(v->b.d[i], v->imm);
		is_tiny |= v->r.w[i] & 0x7fff && !(v->r.w[i] & 0x7c00);
	}
	end(v);
	check_tiny(v, is_tiny);
}

/*
 * Multiply and add.  The digits name the operands: 132 is r * b + a, 213 a * r + b, 231 a * b + r, where r is the old
 * result.  Kept in the machine's own order, since that says which NaN comes out.
 */
#define FMA_LANE(name, T) \
static T name##_lane(T r, T a, T b) { asm volatile("v" #name " %2, %1, %0" : "+x"(r) : "x"(a), "x"(b)); return r; }

#define FMA_PACKED(name, size, field, lane, is_tiny)			\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i;								\
									\
	begin(v);							\
	for (i = 0; i < v->len / (size); i++)				\
		v->r.field[i] = lane(v->r.field[i], v->a.field[i], v->b.field[i]);	\
	end(v);								\
	check_tiny(v, is_tiny(v, v->len / (size)));			\
}

/* The bits of the result above the lane stay. */
#define FMA_LOW(name, field, is_tiny)					\
void vec_##name(struct ub_vec_run *v)					\
{									\
	begin(v);							\
	v->r.field[0] = name##_lane(v->r.field[0], v->a.field[0], v->b.field[0]);	\
	end(v);								\
	check_tiny(v, is_tiny(v, 1));					\
}

#define FMA_ORDER(name)							\
FMA_LANE(name##ss, float)						\
FMA_LANE(name##sd, double)						\
FMA_LOW(name##ss, f, has_tiny32)					\
FMA_LOW(name##sd, g, has_tiny64)					\
FMA_PACKED(name##ps, 4, f, name##ss_lane, has_tiny32)			\
FMA_PACKED(name##pd, 8, g, name##sd_lane, has_tiny64)

#define FMA(name) FMA_ORDER(name##132) FMA_ORDER(name##213) FMA_ORDER(name##231)
FMA(fmadd)
FMA(fmsub)
FMA(fnmadd)
FMA(fnmsub)

/* The sums of odd lanes and of even ones differ in sign. */
#define FMA_MIXED(name, size, field, odd, even, is_tiny)		\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i;								\
									\
	begin(v);							\
	for (i = 0; i < v->len / (size); i++)				\
		v->r.field[i] = i & 1 ? odd(v->r.field[i], v->a.field[i], v->b.field[i]) :	\
					even(v->r.field[i], v->a.field[i], v->b.field[i]);	\
	end(v);								\
	check_tiny(v, is_tiny(v, v->len / (size)));			\
}
#define FMA_MIXED_ORDER(order)						\
FMA_MIXED(fmaddsub##order##ps, 4, f, fmadd##order##ss_lane, fmsub##order##ss_lane, has_tiny32)	\
FMA_MIXED(fmaddsub##order##pd, 8, g, fmadd##order##sd_lane, fmsub##order##sd_lane, has_tiny64)	\
FMA_MIXED(fmsubadd##order##ps, 4, f, fmsub##order##ss_lane, fmadd##order##ss_lane, has_tiny32)	\
FMA_MIXED(fmsubadd##order##pd, 8, g, fmsub##order##sd_lane, fmadd##order##sd_lane, has_tiny64)
FMA_MIXED_ORDER(132)
FMA_MIXED_ORDER(213)
FMA_MIXED_ORDER(231)
