/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vecop: one row of ir/vec.h, and where an IR instruction keeps what the vector operations need.
 *
 *   mode  bits 0-1 the variant; bits 4-7 the second source (first operand), 0 where there is none
 *   dst, src  v0-v15, a general register, or the base of an address, as the operation's shape says
 *   imm   bits 0-46 what imm is to a load (its index or its address), bits 47-55 the row, bits 56-63 its constant
 *
 * Variants.  Legacy: two operands, the first is also a source; bits 128-255 of what is written stay.  VEX: the result
 * has a place of its own, and bits above those the operation makes, from 128 or 256 on, become zero.
 */
#ifndef UB_VECOP_H
#define UB_VECOP_H

#include "op.h"

enum ub_vec_variant { UB_VEC_SSE, UB_VEC_128, UB_VEC_256, UB_VEC_VARIANTS };

/*
 * Operands.  "reg" and "rm" are x86's fields of these names, a is the second source: with VEX its field vvvv, in the
 * legacy form the same as the result.
 */
enum ub_vec_form {
	UB_VEC_RM,	/* reg = f(rm) */
	UB_VEC_RVM,	/* reg = f(a, rm) */
	UB_VEC_RVMR,	/* reg = f(a, rm, v[imm >> 4]) */
	UB_VEC_VM,	/* dst = f(src, imm): dst in vvvv and src in rm, in the legacy form both in rm; a digit in reg */
	UB_VEC_MR,	/* rm = f(reg) */
	UB_VEC_ST,	/* memory = f(reg) */
	UB_VEC_CSR,	/* memory = MXCSR */
	UB_VEC_GRM,	/* reg, a general register, = f(rm) */
	UB_VEC_GMR,	/* rm, a general register, = f(reg) */
	UB_VEC_RMG,	/* reg = f(rm), a general register or memory */
	UB_VEC_RVMG,	/* reg = f(a, rm), likewise */
	UB_VEC_FRM,	/* flags = f(reg, rm) */
	UB_VEC_SRM,	/* pcmpXstrX: rcx or v0, and flags = f(reg, rm, imm), with lengths in rax and rdx */
	UB_VEC_NONE,	/* no operand: all vector registers */
};

/* Memory operands: so many bytes, or a part of the vector: all, half, a quarter, an eighth; D: 8 of 16, all 32. */
enum ub_vec_mem {
	UB_VEC_M0, UB_VEC_M1, UB_VEC_M2, UB_VEC_M4, UB_VEC_M8, UB_VEC_M16, UB_VEC_M32,
	UB_VEC_MV, UB_VEC_MH, UB_VEC_MQ, UB_VEC_ME, UB_VEC_MD,
};

enum ub_vec_flag {
	UB_VEC_RAISES	= 1 << 0,	/* floating point that may raise #XM */
	UB_VEC_IMM	= 1 << 1,	/* has a constant of 8 bits */
	UB_VEC_MEM_ONLY	= 1 << 2,	/* rm is no register */
	UB_VEC_ALIGNED	= 1 << 3,	/* memory is aligned to its length, in all variants, or #GP is raised */
	UB_VEC_ANYWHERE	= 1 << 4,	/* not even the legacy variant needs that, as other accesses of 16 bytes do */
	UB_VEC_MASK_V0	= 1 << 5,	/* reads v0 too */
	UB_VEC_AVX2_256	= 1 << 6,	/* the variant of 256 bits came with AVX2 */
};

/* Instruction sets. */
enum {
	UB_VEC_F_SSE2 = 1 << 0, UB_VEC_F_SSE3 = 1 << 1, UB_VEC_F_SSSE3 = 1 << 2, UB_VEC_F_SSE41 = 1 << 3,
	UB_VEC_F_SSE42 = 1 << 4, UB_VEC_F_AES = 1 << 5, UB_VEC_F_PCLMUL = 1 << 6, UB_VEC_F_AVX = 1 << 7,
	UB_VEC_F_AVX2 = 1 << 8, UB_VEC_F_FMA = 1 << 9, UB_VEC_F_F16C = 1 << 10,
};

/* The field code of a row. */
enum ub_vec_prefix { UB_VEC_NP, UB_VEC_66, UB_VEC_F3, UB_VEC_F2 };	/* as VEX numbers them */
enum ub_vec_map { UB_VEC_0F = 1, UB_VEC_0F38, UB_VEC_0F3A };
#define UB_VEC_CODE(prefix, map, opcode)	((opcode) | (prefix) << 8 | (map) << 10)
#define UB_VEC_CODE_W		(1u << 12)
#define UB_VEC_CODE_DIGIT(n)	((n) << 13)

struct ub_vec_info {
	const char *text;
	u16 code;
	u16 feature;		/* one of UB_VEC_F_* */
	u8 form;		/* enum ub_vec_form */
	u8 mem;			/* enum ub_vec_mem */
	u8 variants;		/* bit per enum ub_vec_variant */
	u8 flags;		/* enum ub_vec_flag */
};

extern const struct ub_vec_info ub_vec_info[];
extern const u32 ub_vec_cnt;

#define UB_VEC_ROWS		512	/* that an instruction has room for */
#define UB_VEC_ADDR_MASK	((1ull << 47) - 1)
#define UB_VEC_IMM_OF(row, constant, addr)	((s64)((u64)(addr) | (u64)(row) << 47 | (u64)(u8)(constant) << 56))
#define UB_VEC_MODE(variant, a)	((variant) | (a) << 4)

static inline u32 ub_vec_row(const struct ub_insn *insn)
{
	return (u64)insn->imm >> 47 & (UB_VEC_ROWS - 1);
}

static inline u8 ub_vec_constant(const struct ub_insn *insn)
{
	return (u64)insn->imm >> 56;
}

static inline enum ub_vec_variant ub_vec_variant(const struct ub_insn *insn)
{
	return insn->mode & 3;
}

/* The second source of a VEX variant. */
static inline u8 ub_vec_a(const struct ub_insn *insn)
{
	return insn->mode >> 4;
}

/* Only for instructions that ub_insn_check() has passed. */
static inline const struct ub_vec_info *ub_vec_of(const struct ub_insn *insn)
{
	return &ub_vec_info[ub_vec_row(insn)];
}

/* The operation that the row is for with both operands in registers, UB_OP_COUNT when there is none; and with memory. */
u8 ub_vec_reg_op(const struct ub_vec_info *info);
u8 ub_vec_mem_op(const struct ub_vec_info *info);
/* Has the variant a second source apart from the result? */
bool ub_vec_has_a(const struct ub_vec_info *info, enum ub_vec_variant variant);
/* Is the field src in use?  The legacy form of a shift by a constant changes one register. */
bool ub_vec_has_src(const struct ub_vec_info *info, enum ub_vec_variant variant);
/* How many bytes of memory the row's operand has. */
u32 ub_vec_mem_bytes(const struct ub_vec_info *info, enum ub_vec_variant variant);
/* To how many bytes must it be aligned?  1: it need not. */
u32 ub_vec_alignment(const struct ub_vec_info *info, enum ub_vec_variant variant);
/* What the machine must have: UB_VEC_F_*. */
u32 ub_vec_features(const struct ub_vec_info *info, enum ub_vec_variant variant);
/* NULL, or what is wrong with the row, the variant, the constant, or a. */
const char *ub_vec_check(const struct ub_insn *insn);

#endif
