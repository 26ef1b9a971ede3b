// SPDX-License-Identifier: GPL-2.0
/*
 * wire: is this instruction well-formed?
 *
 * Promise: what passes has exactly one spelling, so equal meaning of one instruction is equal bytes, and no reader
 * need look at a field that its shape does not use.  It judges one instruction alone: targets, limits and what the
 * registers hold are the verifier's.
 *
 * The one spelling of a constant:
 *   an operand of width W is sign-extended from W bits, from 32 where W is 64 (x86 has no longer one); so
 *   "and al, 0xf0" has imm -16.  Only movi.64 takes all 64 bits.
 *   A shift count is 1..31, at width 64 1..63, as x86 takes it; a bit number 0..W-1.  An address, a number of jeq and a mark are taken as they are.
 */
#include "vecop.h"

#define MAX_SYSCALL	511
#define MAX_MARK_LEN	15	/* SDM vol. 2, 2.3.11: no instruction is longer */

/* Fields that a shape uses; the others must be zero. */
enum {
	F_DST	= 1 << 0,	/* a register */
	F_SRC	= 1 << 1,
	F_OFF	= 1 << 2,
	F_IMM	= 1 << 3,
	F_CC	= 1 << 4,
	F_BASE_DST = 1 << 5,	/* dst is a base, or UB_NOREG and imm the address */
	F_BASE_SRC = 1 << 6,
	F_REG	= 1 << 8,	/* imm is a register */
	F_ADDR	= 1 << 7,	/* src is a base, imm the index and scale */
};

static const u16 shape_fields[] = {
	[UB_S_NONE]		= 0,
	[UB_S_MARK]		= F_IMM | F_OFF,
	[UB_S_IP]		= F_IMM,
	[UB_S_IMM]		= F_IMM,
	[UB_S_DST]		= F_DST,
	[UB_S_SRC]		= F_SRC,
	[UB_S_DST_SRC]		= F_DST | F_SRC,
	[UB_S_DST_IMM]		= F_DST | F_IMM,
	[UB_S_DST_SRC_IMM]	= F_DST | F_SRC | F_IMM,
	[UB_S_DST_SRC_REG]	= F_DST | F_SRC | F_REG,
	[UB_S_ADDR]		= F_DST | F_ADDR | F_OFF,
	[UB_S_LOAD]		= F_DST | F_BASE_SRC | F_OFF,
	[UB_S_STORE]		= F_SRC | F_BASE_DST | F_OFF,
	[UB_S_STOREI]		= F_DST | F_IMM | F_OFF,
	[UB_S_MEM]		= F_BASE_DST | F_OFF,
	[UB_S_DST_CC]		= F_DST | F_CC,
	[UB_S_DST_SRC_CC]	= F_DST | F_SRC | F_CC,
	[UB_S_TO]		= F_OFF,
	[UB_S_CC_TO]		= F_CC | F_OFF,
	[UB_S_SRC_IMM_TO]	= F_SRC | F_IMM | F_OFF,
};

static const char *check_mode(const struct ub_insn *insn, u16 fields)
{
	const struct ub_op_info *info = &ub_op_info[insn->op];

	if (info->widths ? !(info->widths & 1 << ub_insn_width(insn)) : ub_insn_width(insn))
		return "width not allowed here";
	if (insn->mode & UB_MODE_F && !(info->effect & UB_E_F_OPT))
		return "the f suffix is not allowed here";
	if (insn->mode & UB_MODE_LOCK && !(info->effect & UB_E_LOCK_OPT))
		return "the lock suffix is not allowed here";
	if (ub_insn_cc(insn) && !(fields & F_CC))
		return "condition must be zero";
	return NULL;
}

static bool is_reg(u8 reg)
{
	return reg < UB_TEMPS_END;
}

static const char *check_unused(const struct ub_insn *insn, u16 fields)
{
	if (insn->dst && !(fields & (F_DST | F_BASE_DST)))
		return "dst must be zero";
	if (insn->src && !(fields & (F_SRC | F_BASE_SRC | F_ADDR)))
		return "src must be zero";
	if (insn->off && !(fields & F_OFF))
		return "off must be zero";
	if (insn->imm && !(fields & (F_IMM | F_REG | F_ADDR | F_BASE_DST | F_BASE_SRC)))
		return "imm must be zero";
	return NULL;
}

/* Either a register, off and perhaps an index, or a constant address alone. */
static const char *check_base(const struct ub_insn *insn, u8 base)
{
	if (base == UB_NOREG)
		return insn->off ? "off must be zero with a constant address" : NULL;
	if (!is_reg(base))
		return "base is no register";
	if (!insn->imm)
		return NULL;
	if ((insn->imm & ~0x3ffll) != UB_INDEXED)
		return "imm must be zero with a base";
	return is_reg(ub_insn_index(insn)) ? NULL : "index is no register";
}

static const char *check_addr(const struct ub_insn *insn)
{
	u8 index = ub_insn_index(insn);

	if (insn->imm & ~0x3ffll)
		return "upper bits of imm must be zero in an address";
	if (index == UB_NOREG && ub_insn_scale(insn))
		return "scale without index";
	if (index != UB_NOREG && !is_reg(index))
		return "index is no register";
	if (insn->src == UB_FS)
		return index == UB_NOREG ? NULL : "fs cannot have an index";
	if (insn->src != UB_NOREG && !is_reg(insn->src))
		return "base is no register";
	return NULL;
}

static const char *check_regs(const struct ub_insn *insn, u16 fields)
{
	if (fields & F_DST && !is_reg(insn->dst))
		return "dst is no register";
	if (fields & F_SRC && !is_reg(insn->src))
		return "src is no register";
	if (fields & F_REG && (insn->imm < 0 || insn->imm >= UB_TEMPS_END))
		return "imm is no register";
	if (fields & F_ADDR)
		return check_addr(insn);
	if (fields & F_BASE_SRC)
		return check_base(insn, insn->src);
	if (fields & F_BASE_DST)
		return check_base(insn, insn->dst);
	return NULL;
}

static bool is_sign_extended(s64 imm, u32 bits)
{
	return bits == 64 || (imm >= -(1ll << (bits - 1)) && imm < 1ll << (bits - 1));
}

static const char *check_operand_imm(const struct ub_insn *insn)
{
	u32 bits = UB_WIDTH_BITS(ub_insn_width(insn));

	if (bits == 64 && insn->op != UB_OP_MOVI)
		bits = 32;
	return is_sign_extended(insn->imm, bits) ? NULL : "imm is not sign-extended from its width";
}

static const char *check_imm(const struct ub_insn *insn)
{
	s64 lo, hi;

	if (ub_insn_imm_range(insn, &lo, &hi)) {
		if (insn->imm >= lo && insn->imm <= hi)
			return NULL;
		return lo ? "shift count is not between 1 and 31, or 63 at width 64" :
			    "bit number is not below the width";
	}
	switch (insn->op) {
	case UB_OP_INSN:
		if (insn->off < 1 || insn->off > MAX_MARK_LEN)
			return "length of a guest instruction is not between 1 and 15";
		return NULL;
	case UB_OP_HOLD:
		return !insn->imm || insn->imm == UB_HOLD_LOW ? NULL : "hold is from 0 or from 0x100000";
	case UB_OP_FENCE:
		return insn->imm >= 0 && insn->imm <= 2 ? NULL : "a fence is 0, 1 or 2";
	case UB_OP_SYSCALL:
		if (insn->imm < 0 || insn->imm > MAX_SYSCALL)
			return "system call number is not between 0 and 511";
		return NULL;
	}
	switch (ub_op_info[insn->op].shape) {
	case UB_S_DST_IMM:
	case UB_S_DST_SRC_IMM:
	case UB_S_STOREI:
		return check_operand_imm(insn);
	}
	return NULL;
}

static const char *check_special(const struct ub_insn *insn)
{
	switch (insn->op) {
	case UB_OP_GUARD:
		if (insn->dst < UB_GUARDS || insn->dst >= UB_GUARDS_END)
			return "a guarded address goes to r16 or r17";
		return NULL;
	case UB_OP_HOLD:
	case UB_OP_HOLD32:
		return insn->dst < UB_NGUEST ? NULL : "only guest registers are held";
	case UB_OP_SHL:
	case UB_OP_SHR:
	case UB_OP_SAR:
	case UB_OP_ROL:
	case UB_OP_ROR:
	case UB_OP_RCL:
	case UB_OP_RCR:
		return insn->src == UB_RCX ? NULL : "a variable shift count is in r1";
	}
	return NULL;
}

/* The address of a vector operation follows the rules of a load. */
static const char *check_vec_base(const struct ub_insn *insn, u8 base)
{
	struct ub_insn plain = *insn;

	plain.imm = insn->imm & UB_VEC_ADDR_MASK;
	return check_base(&plain, base);
}

static const char *check_vec_operands(const struct ub_insn *insn)
{
	u8 shape = ub_op_info[insn->op].shape;
	bool is_dst_vec = shape == UB_S_VEC || shape == UB_S_VEC_LOAD || shape == UB_S_VEC_FROM;
	bool is_src_vec = shape == UB_S_VEC || shape == UB_S_VEC_STORE || shape == UB_S_VEC_TO;

	if (is_dst_vec ? insn->dst >= UB_NVEC : shape != UB_S_VEC_STORE && !is_reg(insn->dst))
		return "dst is no register";
	if (is_src_vec ? insn->src >= UB_NVEC : shape == UB_S_VEC_FROM && !is_reg(insn->src))
		return "src is no register";
	if (shape == UB_S_VEC_STORE)
		return check_vec_base(insn, insn->dst);
	if (!is_src_vec && shape != UB_S_VEC_FROM)
		return check_vec_base(insn, insn->src);
	if (insn->off)
		return "off must be zero";
	return insn->imm & UB_VEC_ADDR_MASK ? "imm has an address though there is no memory operand" : NULL;
}

static const char *check_vec(const struct ub_insn *insn)
{
	const char *why;

	if (insn->mode & (UB_MODE_F | 8))
		return "bits 2 and 3 of mode must be zero";
	why = ub_vec_check(insn);
	return why ? why : check_vec_operands(insn);
}

int ub_insn_check(const struct ub_insn *insn, const char **ret_why)
{
	const char *why = "unknown operation";
	u16 fields;

	if (insn->op >= UB_OP_COUNT)
		goto refuse;
	if (ub_op_info[insn->op].effect & UB_E_VEC) {
		why = check_vec(insn);
		if (why)
			goto refuse;
		return 0;
	}
	fields = shape_fields[ub_op_info[insn->op].shape];
	if ((why = check_mode(insn, fields)) || (why = check_unused(insn, fields)) ||
	    (why = check_regs(insn, fields)) || (why = check_imm(insn)) || (why = check_special(insn)))
		goto refuse;
	return 0;

refuse:
	*ret_why = why;
	return -EINVAL;
}
