/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vecrun: what one vector operation computes (user space only).
 *
 * There is a vec_NAME() for each name in vec.h, but for zeroupper and zeroall, which know no operand.  Source: SDM
 * vol. 2, the pages of the instructions.  Integers are plain C.  A lane of floating point goes through the scalar
 * instruction of the machine under the guest's MXCSR: what IEEE 754 leaves to the machine (which NaN comes out,
 * approximations) is the machine's, how lanes, operands and masks come together is ours.
 */
#ifndef UB_VECRUN_H
#define UB_VECRUN_H

#include "vecop.h"

union ub_vec {
	u8 b[32];
	u16 w[16];
	u32 d[8];
	u64 q[4];
	s8 sb[32];
	s16 sw[16];
	s32 sd[8];
	s64 sq[4];
	float f[8];
	double g[4];
};

/* One operation on its way. */
struct ub_vec_run {
	const struct ub_vec_info *info;
	enum ub_vec_variant variant;
	union ub_vec r;		/* out: bytes 0..len-1, and zeros above where the result is shorter than the operands */
	union ub_vec a;		/* first source: the old result in the legacy variant; the register of FRM and SRM */
	union ub_vec b;		/* rm: a vector, memory with zeros above, or q[0] a general register; of MR, ST, GMR: reg */
	union ub_vec c;		/* the fourth operand, or v0 where the row is MASK_V0 */
	u64 gpr;		/* out: GRM, GMR */
	u64 rax, rcx, rdx;	/* in: SRM; out: rcx */
	u32 flags;		/* out: FRM, SRM; all of UB_FL_ALL */
	u32 len;		/* 16 or 32 bytes */
	u8 imm;
	bool is_mem;		/* rm is memory */
	u32 mxcsr;		/* in and out for rows that raise */
	bool has_raised;	/* out: an exception that is not masked; nothing else counts then */
};

#define VEC(mnemonic, name, code, form, mem, variants, feature, flags) void vec_##name(struct ub_vec_run *v);
#include "vec.h"

#endif
