// SPDX-License-Identifier: GPL-2.0
/* vecop: the table of vec.h as data, and what follows from its columns. */
#include "vecop.h"

/* The words of vec.h. */
#define NP(opcode)	UB_VEC_CODE(UB_VEC_NP, UB_VEC_0F, opcode)
#define P66(opcode)	UB_VEC_CODE(UB_VEC_66, UB_VEC_0F, opcode)
#define PF3(opcode)	UB_VEC_CODE(UB_VEC_F3, UB_VEC_0F, opcode)
#define PF2(opcode)	UB_VEC_CODE(UB_VEC_F2, UB_VEC_0F, opcode)
#define P66_38(opcode)	UB_VEC_CODE(UB_VEC_66, UB_VEC_0F38, opcode)
#define P66_3A(opcode)	UB_VEC_CODE(UB_VEC_66, UB_VEC_0F3A, opcode)
#define W(code)		((code) | UB_VEC_CODE_W)
#define DIGIT(n, code)	((code) | UB_VEC_CODE_DIGIT(n))

#define L	(1 << UB_VEC_SSE)
#define V1	(1 << UB_VEC_128)
#define V2	(1 << UB_VEC_256)
#define V12	(V1 | V2)
#define L1	(L | V1)
#define L12	(L | V1 | V2)

#define RAISES		UB_VEC_RAISES
#define IMM		UB_VEC_IMM
#define MEM_ONLY	UB_VEC_MEM_ONLY
#define ALIGNED		UB_VEC_ALIGNED
#define ANYWHERE	UB_VEC_ANYWHERE
#define MASK_V0		UB_VEC_MASK_V0
#define AVX2_256	UB_VEC_AVX2_256

const struct ub_vec_info ub_vec_info[] = {
#define VEC(mnemonic, name, code, form, mem, variants, feature, flags) \
	{ #name, code, UB_VEC_F_##feature, UB_VEC_##form, UB_VEC_##mem, variants, flags },
#include "vec.h"
};

const u32 ub_vec_cnt = ARRAY_SIZE(ub_vec_info);

_Static_assert(ARRAY_SIZE(ub_vec_info) <= UB_VEC_ROWS, "the row has nine bits");

u8 ub_vec_reg_op(const struct ub_vec_info *info)
{
	bool raises = info->flags & RAISES;

	if (info->flags & MEM_ONLY)
		return UB_OP_COUNT;
	switch (info->form) {
	case UB_VEC_GRM:
	case UB_VEC_GMR:
		return raises ? UB_OP_VTOGX : UB_OP_VTOG;
	case UB_VEC_RMG:
	case UB_VEC_RVMG:
		return raises ? UB_OP_VFROMGX : UB_OP_VFROMG;
	case UB_VEC_FRM:
		return raises ? UB_OP_VFLAGX : UB_OP_VFLAG;
	case UB_VEC_SRM:
		return UB_OP_VSTR;
	case UB_VEC_ST:
	case UB_VEC_CSR:
		return UB_OP_COUNT;
	default:
		return raises ? UB_OP_VECX : UB_OP_VEC;
	}
}

u8 ub_vec_mem_op(const struct ub_vec_info *info)
{
	if (info->mem == UB_VEC_M0)
		return UB_OP_COUNT;
	switch (info->form) {
	case UB_VEC_GRM:
		return UB_OP_VTOGM;
	case UB_VEC_FRM:
		return UB_OP_VFLAGM;
	case UB_VEC_SRM:
		return UB_OP_VSTRM;
	case UB_VEC_ST:
	case UB_VEC_CSR:
		return UB_OP_VST;
	default:
		return UB_OP_VECM;
	}
}

bool ub_vec_has_a(const struct ub_vec_info *info, enum ub_vec_variant variant)
{
	switch (info->form) {
	case UB_VEC_RVM:
	case UB_VEC_RVMR:
	case UB_VEC_RVMG:
		return variant != UB_VEC_SSE;
	default:
		return false;
	}
}

u32 ub_vec_mem_bytes(const struct ub_vec_info *info, enum ub_vec_variant variant)
{
	u32 vector = variant == UB_VEC_256 ? 32 : 16;

	switch (info->mem) {
	case UB_VEC_M1: return 1;
	case UB_VEC_M2: return 2;
	case UB_VEC_M4: return 4;
	case UB_VEC_M8: return 8;
	case UB_VEC_M16: return 16;
	case UB_VEC_M32: return 32;
	case UB_VEC_MV: return vector;
	case UB_VEC_MH: return vector / 2;
	case UB_VEC_MQ: return vector / 4;
	case UB_VEC_ME: return vector / 8;
	case UB_VEC_MD: return variant == UB_VEC_256 ? 32 : 8;
	default: return 0;
	}
}

u32 ub_vec_alignment(const struct ub_vec_info *info, enum ub_vec_variant variant)
{
	u32 len = ub_vec_mem_bytes(info, variant);

	if (info->flags & ALIGNED || (variant == UB_VEC_SSE && len == 16 && !(info->flags & ANYWHERE)))
		return len;
	return 1;
}

u32 ub_vec_features(const struct ub_vec_info *info, enum ub_vec_variant variant)
{
	u32 features = info->feature;

	if (variant != UB_VEC_SSE)
		features |= UB_VEC_F_AVX;
	if (variant == UB_VEC_256 && info->flags & AVX2_256)
		features |= UB_VEC_F_AVX2;
	return features;
}

bool ub_vec_has_src(const struct ub_vec_info *info, enum ub_vec_variant variant)
{
	if (info->form == UB_VEC_VM)
		return variant != UB_VEC_SSE;
	return info->form != UB_VEC_CSR && info->form != UB_VEC_NONE;
}

const char *ub_vec_check(const struct ub_insn *insn)
{
	const struct ub_vec_info *info;

	if (ub_vec_row(insn) >= ub_vec_cnt)
		return "unknown vector operation";
	info = ub_vec_of(insn);
	if (insn->op != ub_vec_reg_op(info) && insn->op != ub_vec_mem_op(info))
		return "this vector operation does not go with it";
	if (!(info->variants & 1 << ub_vec_variant(insn)))
		return "variant not allowed here";
	if (ub_vec_a(insn) && !ub_vec_has_a(info, ub_vec_variant(insn)))
		return "second source must be zero";
	if (ub_vec_constant(insn) && !(info->flags & IMM))
		return "constant must be zero";
	if (insn->dst && info->form == UB_VEC_NONE)
		return "dst must be zero";
	if (insn->src && !ub_vec_has_src(info, ub_vec_variant(insn)))
		return "src must be zero";
	if (info->form == UB_VEC_RVMR && ub_vec_constant(insn) & 15)
		return "low bits of the constant must be zero";
	return NULL;
}
