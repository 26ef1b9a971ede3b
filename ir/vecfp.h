/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vecfp: MXCSR around the lanes of one operation on floating point (user space only).
 */
#ifndef UB_VECFP_H
#define UB_VECFP_H

#include "vecrun.h"

#define MXCSR_FLAGS	0x3fu
#define MXCSR_MASKS	0x1f80u
#define MXCSR_MASK_SHIFT 7
#define MXCSR_UNDERFLOW	0x10u

static inline void begin(const struct ub_vec_run *v)
{
	u32 csr = (v->mxcsr & ~MXCSR_FLAGS) | MXCSR_MASKS;

	asm volatile("ldmxcsr %0" : : "m"(csr));
}

static inline void end(struct ub_vec_run *v)
{
	const u32 normal = MXCSR_MASKS;
	u32 csr;

	asm volatile("stmxcsr %0\n\tldmxcsr %1" : "=m"(csr) : "m"(normal));
	csr &= MXCSR_FLAGS;
	v->has_raised = csr & ~(v->mxcsr >> MXCSR_MASK_SHIFT);
	if (!v->has_raised)
		v->mxcsr |= csr;
}

/* An unmasked underflow is raised for a tiny result even if it is exact, which sets no flag while it is masked. */
static inline void check_tiny(struct ub_vec_run *v, bool is_tiny)
{
	if (is_tiny && !(v->mxcsr >> MXCSR_MASK_SHIFT & MXCSR_UNDERFLOW))
		v->has_raised = true;
}

static inline bool is_tiny32(u32 bits)
{
	return bits << 1 && !(bits & 0x7f800000);
}

static inline bool is_tiny64(u64 bits)
{
	return bits << 1 && !(bits & 0x7ff0000000000000ull);
}

static inline bool has_tiny32(const struct ub_vec_run *v, u32 cnt)
{
	u32 i;

	for (i = 0; i < cnt; i++)
		if (is_tiny32(v->r.d[i]))
			return true;
	return false;
}

static inline bool has_tiny64(const struct ub_vec_run *v, u32 cnt)
{
	u32 i;

	for (i = 0; i < cnt; i++)
		if (is_tiny64(v->r.q[i]))
			return true;
	return false;
}

#endif
