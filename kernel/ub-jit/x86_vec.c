// SPDX-License-Identifier: GPL-2.0
/*
 * x86_vec: how is a vector instruction written, given its row of ir/vec.h?
 *
 * Legacy: prefix, REX, escape bytes, opcode (SDM vol. 2A, 2.1).  VEX: two or three bytes in place of all that (2.3).
 */
#include "x86.h"

static u8 prefix_of(const struct ub_vec_info *info)
{
	return info->code >> 8 & 3;
}

static u8 map_of(const struct ub_vec_info *info)
{
	return info->code >> 10 & 3;
}

static u8 digit_of(const struct ub_vec_info *info)
{
	return info->code >> 13;
}

/* The fourth bits of the register numbers, in their places of REX. */
static u8 high_bits(u8 reg, struct x86_rm rm)
{
	u8 bits = reg >= 8 ? 4 : 0;

	if (rm.is_mem && rm.index != X86_NOREG && rm.index >= 8)
		bits |= 2;
	if (rm.reg != X86_NOREG && rm.reg >= 8)
		bits |= 1;
	return bits;
}

static void put_legacy(struct x86_code *code, const struct ub_vec_info *info, u8 reg, struct x86_rm rm)
{
	static const u8 prefix[] = { [UB_VEC_66] = 0x66, [UB_VEC_F3] = 0xf3, [UB_VEC_F2] = 0xf2 };
	u8 rex = high_bits(reg, rm) | (info->code & UB_VEC_CODE_W ? 8 : 0);

	if (prefix_of(info))
		x86_put8(code, prefix[prefix_of(info)]);
	if (rex)
		x86_put8(code, 0x40 | rex);
	x86_put8(code, 0x0f);
	if (map_of(info) == UB_VEC_0F38)
		x86_put8(code, 0x38);
	if (map_of(info) == UB_VEC_0F3A)
		x86_put8(code, 0x3a);
}

/* In VEX these bits and vvvv stand inverted. */
static void put_vex(struct x86_code *code, const struct ub_vec_info *info, enum ub_vec_variant variant, u8 reg, u8 vvvv,
		    struct x86_rm rm)
{
	u8 high = high_bits(reg, rm), last = (~vvvv & 15) << 3 | (variant == UB_VEC_256) << 2 | prefix_of(info);
	bool has_w = info->code & UB_VEC_CODE_W;

	if (!has_w && map_of(info) == UB_VEC_0F && !(high & 3)) {
		x86_put8(code, 0xc5);
		x86_put8(code, (high & 4 ? 0 : 0x80) | last);
		return;
	}
	x86_put8(code, 0xc4);
	x86_put8(code, (~high & 7) << 5 | map_of(info));
	x86_put8(code, (has_w ? 0x80 : 0) | last);
}

void x86_vec(struct x86_code *code, const struct ub_vec_info *info, enum ub_vec_variant variant, u8 reg, u8 vvvv,
	     struct x86_rm rm, u8 constant)
{
	bool has_operands = info->form != UB_VEC_NONE;

	if (!has_operands)
		rm = x86_reg(0);
	if (!has_operands || digit_of(info))
		reg = digit_of(info);
	/* More often than is true: a vector register may have the number. */
	if (reg == code->watched || (!rm.is_mem && rm.reg == code->watched))
		code->is_touched = true;
	if (variant == UB_VEC_SSE)
		put_legacy(code, info, reg, rm);
	else
		put_vex(code, info, variant, reg, vvvv, rm);
	x86_put8(code, info->code);
	if (has_operands)
		x86_put_modrm(code, reg, rm);
	if (info->flags & UB_VEC_IMM)
		x86_put8(code, constant);
}
