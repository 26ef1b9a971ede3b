// SPDX-License-Identifier: GPL-2.0
/*
 * vec_fp: vector operations on floating point.
 *
 * Lane by lane through the machine's scalar instruction of the same name and operand order, under the guest's MXCSR
 * with all exceptions masked; what then is set and was not masked has been raised.
 */
#include "vecfp.h"

/* r = a OP b, in the scalar forms with the rest of a. */
#define SCALAR(name, T) \
static T name##_lane(T a, T b) { asm volatile(#name " %1, %0" : "+x"(a) : "x"(b)); return a; }
#define BINARY(name)							\
SCALAR(name##ss, float)							\
SCALAR(name##sd, double)						\
void vec_##name##ss(struct ub_vec_run *v)				\
{									\
	v->r = v->a;							\
	begin(v);							\
	v->r.f[0] = name##ss_lane(v->a.f[0], v->b.f[0]);		\
	end(v);								\
	check_tiny(v, is_arithmetic_##name && is_tiny32(v->r.d[0]));	\
}									\
void vec_##name##sd(struct ub_vec_run *v)				\
{									\
	v->r = v->a;							\
	begin(v);							\
	v->r.g[0] = name##sd_lane(v->a.g[0], v->b.g[0]);		\
	end(v);								\
	check_tiny(v, is_arithmetic_##name && is_tiny64(v->r.q[0]));	\
}									\
void vec_##name##ps(struct ub_vec_run *v)				\
{									\
	u32 i;								\
									\
	begin(v);							\
	for (i = 0; i < v->len / 4; i++)				\
		v->r.f[i] = name##ss_lane(v->a.f[i], v->b.f[i]);	\
	end(v);								\
	check_tiny(v, is_arithmetic_##name && has_tiny32(v, v->len / 4));	\
}									\
void vec_##name##pd(struct ub_vec_run *v)				\
{									\
	u32 i;								\
									\
	begin(v);							\
	for (i = 0; i < v->len / 8; i++)				\
		v->r.g[i] = name##sd_lane(v->a.g[i], v->b.g[i]);	\
	end(v);								\
	check_tiny(v, is_arithmetic_##name && has_tiny64(v, v->len / 8));	\
}
/* Those that only choose an operand underflow in nothing. */
enum { is_arithmetic_add = 1, is_arithmetic_sub = 1, is_arithmetic_mul = 1, is_arithmetic_div = 1,
       is_arithmetic_min = 0, is_arithmetic_max = 0 };
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(min)
BINARY(max)

/* r = OP b, in the scalar forms with the rest of a. */
#define UNARY_LANE(name, T) \
static T name##_lane(T b) { T r; asm volatile(#name " %1, %0" : "=x"(r) : "x"(b)); return r; }
#define UNARY(lane, packed, scalar, T, field)				\
UNARY_LANE(lane, T)							\
void vec_##packed(struct ub_vec_run *v)					\
{									\
	u32 i;								\
									\
	begin(v);							\
	for (i = 0; i < v->len / sizeof(T); i++)			\
		v->r.field[i] = lane##_lane(v->b.field[i]);		\
	end(v);								\
}									\
void vec_##scalar(struct ub_vec_run *v)					\
{									\
	v->r = v->a;							\
	begin(v);							\
	v->r.field[0] = lane##_lane(v->b.field[0]);			\
	end(v);								\
}
UNARY(sqrtss, sqrtps, sqrtss, float, f)
UNARY(sqrtsd, sqrtpd, sqrtsd, double, g)
UNARY(rcpss, rcpps, rcpss, float, f)
UNARY(rsqrtss, rsqrtps, rsqrtss, float, f)

/* The constant of an instruction is part of it: one case for each. */
#define EIGHT(X, from)	X(from) X((from) + 1) X((from) + 2) X((from) + 3) \
			X((from) + 4) X((from) + 5) X((from) + 6) X((from) + 7)

#define CASE_CMPSS(n) case n: asm volatile("vcmpss %2, %1, %0, %0" : "+x"(a) : "x"(b), "i"(n)); break;
#define CASE_CMPSD(n) case n: asm volatile("vcmpsd %2, %1, %0, %0" : "+x"(a) : "x"(b), "i"(n)); break;

static float cmpss_lane(float a, float b, u8 imm)
{
	switch (imm) {
	EIGHT(CASE_CMPSS, 0) EIGHT(CASE_CMPSS, 8) EIGHT(CASE_CMPSS, 16) EIGHT(CASE_CMPSS, 24)
	}
	return a;
}

static double cmpsd_lane(double a, double b, u8 imm)
{
	switch (imm) {
	EIGHT(CASE_CMPSD, 0) EIGHT(CASE_CMPSD, 8) EIGHT(CASE_CMPSD, 16) EIGHT(CASE_CMPSD, 24)
	}
	return a;
}

/* The legacy variant looks at three bits of the constant, VEX at five. */
static u8 predicate(const struct ub_vec_run *v)
{
	return v->imm & (v->variant == UB_VEC_SSE ? 7 : 31);
}

static void compare(struct ub_vec_run *v, u32 cnt32, u32 cnt64)
{
	u32 i;

	v->r = v->a;
	begin(v);
	for (i = 0; i < cnt32; i++)
		v->r.f[i] = cmpss_lane(v->a.f[i], v->b.f[i], predicate(v));
	for (i = 0; i < cnt64; i++)
		v->r.g[i] = cmpsd_lane(v->a.g[i], v->b.g[i], predicate(v));
	end(v);
}

void vec_cmpps(struct ub_vec_run *v)
{
	compare(v, v->len / 4, 0);
}

void vec_cmppd(struct ub_vec_run *v)
{
	compare(v, 0, v->len / 8);
}

void vec_cmpss(struct ub_vec_run *v)
{
	compare(v, 1, 0);
}

void vec_cmpsd(struct ub_vec_run *v)
{
	compare(v, 0, 1);
}

/* ZF PF CF as the instruction sets them, the others zero. */
#define COMPARE_FLAGS(name, field)					\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u64 rax = 0;							\
									\
	begin(v);							\
	asm volatile(#name " %2, %1\n\tlahf" : "+a"(rax) : "x"(v->a.field[0]), "x"(v->b.field[0]) : "cc");	\
	end(v);								\
	v->flags = rax >> 8 & (UB_FL_ZF | UB_FL_PF | UB_FL_CF);		\
}
COMPARE_FLAGS(ucomiss, f)
COMPARE_FLAGS(ucomisd, g)
COMPARE_FLAGS(comiss, f)
COMPARE_FLAGS(comisd, g)

/* Pairs side by side in a, then in b, for each 128 bits. */
#define PAIRS(name, field, lane)					\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i, size = sizeof(v->a.field[0]), cnt = 16 / size;		\
									\
	begin(v);							\
	for (i = 0; i < v->len / size; i++) {				\
		const union ub_vec *src = i % cnt < cnt / 2 ? &v->a : &v->b;	\
		u32 from = i / cnt * cnt + 2 * (i % (cnt / 2));		\
									\
		v->r.field[i] = lane(src->field[from], src->field[from + 1]);	\
	}								\
	end(v);								\
	check_tiny(v, size == 4 ? has_tiny32(v, v->len / 4) : has_tiny64(v, v->len / 8));	\
}
PAIRS(haddps, f, addss_lane)
PAIRS(haddpd, g, addsd_lane)
PAIRS(hsubps, f, subss_lane)
PAIRS(hsubpd, g, subsd_lane)

#define ADDSUB(name, field, plus, minus)				\
void vec_##name(struct ub_vec_run *v)					\
{									\
	u32 i, size = sizeof(v->a.field[0]);				\
									\
	begin(v);							\
	for (i = 0; i < v->len / size; i++)				\
		v->r.field[i] = i & 1 ? plus(v->a.field[i], v->b.field[i]) : minus(v->a.field[i], v->b.field[i]);	\
	end(v);								\
	check_tiny(v, size == 4 ? has_tiny32(v, v->len / 4) : has_tiny64(v, v->len / 8));	\
}
ADDSUB(addsubps, f, addss_lane, subss_lane)
ADDSUB(addsubpd, g, addsd_lane, subsd_lane)

/*
 * Dot products, 128 bits at a time through the instruction itself: in which order it adds, and so which NaN comes out
 * in which lane, is the machine's own.
 */
typedef float vec128 __attribute__((vector_size(16)));

#define CASE_DPPS(n) case n: asm volatile("dpps %2, %1, %0" : "+x"(a) : "x"(b), "i"(n)); break;
#define CASE_DPPD(n) case n: asm volatile("dppd %2, %1, %0" : "+x"(a) : "x"(b), "i"(n)); break;
#define ALL_64(X, from) EIGHT(X, from) EIGHT(X, (from) + 8) EIGHT(X, (from) + 16) EIGHT(X, (from) + 24) \
			EIGHT(X, (from) + 32) EIGHT(X, (from) + 40) EIGHT(X, (from) + 48) EIGHT(X, (from) + 56)
#define ALL_256(X) ALL_64(X, 0) ALL_64(X, 64) ALL_64(X, 128) ALL_64(X, 192)

static vec128 dpps_lanes(vec128 a, vec128 b, u8 imm)
{
	switch (imm) {
	ALL_256(CASE_DPPS)
	}
	return a;
}

static vec128 dppd_lanes(vec128 a, vec128 b, u8 imm)
{
	switch (imm) {
	ALL_256(CASE_DPPD)
	}
	return a;
}

static void dot(struct ub_vec_run *v, vec128 (*lanes)(vec128 a, vec128 b, u8 imm))
{
	vec128 a, b;
	u32 i;

	begin(v);
	for (i = 0; i < v->len; i += 16) {
		memcpy(&a, &v->a.b[i], 16);
		memcpy(&b, &v->b.b[i], 16);
		a = lanes(a, b, v->imm);
		memcpy(&v->r.b[i], &a, 16);
	}
	end(v);
}

/* A product or the sum of a pair that is tiny shows in no flag, and may not show in the result. */
static bool has_tiny_part32(const struct ub_vec_run *v)
{
	union ub_vec part = { 0 };
	bool is_tiny = false;
	u32 i;

	for (i = 0; i < v->len / 4; i++) {
		if (v->imm >> (4 + (i & 3)) & 1)
			part.f[i] = mulss_lane(v->a.f[i], v->b.f[i]);
		is_tiny |= is_tiny32(part.d[i]);
		if (i & 1)
			part.f[i] = addss_lane(part.f[i - 1], part.f[i]);
		is_tiny |= is_tiny32(part.d[i]);
	}
	return is_tiny;
}

static bool has_tiny_part64(const struct ub_vec_run *v)
{
	union ub_vec part = { 0 };
	bool is_tiny = false;
	u32 i;

	for (i = 0; i < 2; i++) {
		if (v->imm >> (4 + i) & 1)
			part.g[i] = mulsd_lane(v->a.g[i], v->b.g[i]);
		is_tiny |= is_tiny64(part.q[i]);
	}
	return is_tiny;
}

static bool find_tiny_part(const struct ub_vec_run *v, bool (*find)(const struct ub_vec_run *v))
{
	struct ub_vec_run masked = *v;
	bool is_tiny;

	begin(&masked);
	is_tiny = find(&masked);
	end(&masked);
	return is_tiny;
}

void vec_dpps(struct ub_vec_run *v)
{
	dot(v, dpps_lanes);
	check_tiny(v, has_tiny32(v, v->len / 4) || find_tiny_part(v, has_tiny_part32));
}

void vec_dppd(struct ub_vec_run *v)
{
	dot(v, dppd_lanes);
	check_tiny(v, has_tiny64(v, 2) || find_tiny_part(v, has_tiny_part64));
}

#define CASE_ROUNDSS(n) case n: asm volatile("roundss %2, %1, %0" : "=x"(r) : "x"(b), "i"(n)); break;
#define CASE_ROUNDSD(n) case n: asm volatile("roundsd %2, %1, %0" : "=x"(r) : "x"(b), "i"(n)); break;

static float roundss_lane(float b, u8 imm)
{
	float r = 0;

	switch (imm & 15) {
	EIGHT(CASE_ROUNDSS, 0) EIGHT(CASE_ROUNDSS, 8)
	}
	return r;
}

static double roundsd_lane(double b, u8 imm)
{
	double r = 0;

	switch (imm & 15) {
	EIGHT(CASE_ROUNDSD, 0) EIGHT(CASE_ROUNDSD, 8)
	}
	return r;
}

static void round_lanes(struct ub_vec_run *v, u32 cnt32, u32 cnt64)
{
	u32 i;

	v->r = v->a;
	begin(v);
	for (i = 0; i < cnt32; i++)
		v->r.f[i] = roundss_lane(v->b.f[i], v->imm);
	for (i = 0; i < cnt64; i++)
		v->r.g[i] = roundsd_lane(v->b.g[i], v->imm);
	end(v);
}

void vec_roundps(struct ub_vec_run *v)
{
	round_lanes(v, v->len / 4, 0);
}

void vec_roundpd(struct ub_vec_run *v)
{
	round_lanes(v, 0, v->len / 8);
}

void vec_roundss(struct ub_vec_run *v)
{
	round_lanes(v, 1, 0);
}

void vec_roundsd(struct ub_vec_run *v)
{
	round_lanes(v, 0, 1);
}
