// SPDX-License-Identifier: GPL-2.0
/*
 * lift_mov: moves, addresses, conversions, and what reads flags into registers.
 *
 * Promise: a register is written last, after everything that may leave.
 */
#include "lifter.h"

static void store(struct lift *l, const struct ub_x86_operand *dst, const struct ub_x86_operand *src)
{
	u8 reg = src->kind == UB_X86_REG ? lift_read(l, src, UB_NOREG) : 0;
	struct place place = src->kind == UB_X86_IMM ? lift_place(l, dst, 0) : lift_access(l, dst);

	if (src->kind == UB_X86_IMM)
		ir_storei(l, dst->width, place, src->imm);
	else
		ir_store(l, dst->width, place, reg);
}

void lift_mov(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];

	if (dst->kind == UB_X86_MEM)
		store(l, dst, src);
	else if (src->kind == UB_X86_IMM && !dst->is_high)
		ir_ri(l, UB_OP_MOVI, dst->width, false, dst->reg, src->imm);
	else if (src->kind == UB_X86_MEM && dst->width >= UB_W32)
		ir_load(l, UB_OP_LOAD, dst->width, dst->reg, lift_access(l, src));
	else {
		if (src->kind == UB_X86_REG && dst->width == UB_W64)
			lift_hold_copied(l, dst->reg, src->reg);
		lift_write(l, dst, lift_read(l, src, UB_NOREG));
	}
}

void lift_lea(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *mem = &insn->operands[1];
	u8 width = dst->width == UB_W64 && !mem->is_a32 ? UB_W64 : UB_W32;
	u8 to = dst->width < UB_W32 ? REG_T : dst->reg;

	if (mem->reg == UB_NOREG && mem->index == UB_NOREG)
		ir_ri(l, UB_OP_MOVI, width, false, to, mem->imm);
	else
		ir_addr(l, UB_OP_LEA, width, to, mem->reg, mem->index, mem->scale, mem->imm);
	if (to != dst->reg)
		ir_rr(l, UB_OP_MOV, dst->width, false, dst->reg, to);
}

/* The operation that extends to @to bits, from memory or from a register. */
static enum ub_op extend_op(bool is_signed, u8 to, bool is_load)
{
	if (!is_signed)
		return is_load ? UB_OP_LOAD : UB_OP_ZEXT;
	if (to == UB_W32)
		return is_load ? UB_OP_LOADS32 : UB_OP_SEXT32;
	return is_load ? UB_OP_LOADS64 : UB_OP_SEXT64;
}

/* movzx, movsx, movsxd. */
void lift_extend(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	enum ub_op op = extend_op(lift_op(insn) != UB_OP_ZEXT, dst->width, src->kind == UB_X86_MEM);
	u8 to = dst->width >= UB_W32 ? dst->reg : REG_T;

	if (dst->width <= src->width)
		lift_mov(l, insn);
	else if (src->kind == UB_X86_MEM)
		ir_load(l, op, src->width, to, lift_access(l, src));
	else
		ir_rr(l, op, src->width, false, to, lift_read(l, src, src->is_high ? to : UB_NOREG));
	if (dst->width > src->width && to == REG_T)
		lift_write(l, dst, REG_T);
}

/* al -> ax, ax -> eax, eax -> rax. */
void lift_widen(struct lift *l, const struct ub_x86_insn *insn)
{
	if (insn->name == UB_X86_CDQE) {
		ir_rr(l, UB_OP_SEXT64, UB_W32, false, UB_RAX, UB_RAX);
	} else if (insn->name == UB_X86_CWDE) {
		ir_rr(l, UB_OP_SEXT32, UB_W16, false, UB_RAX, UB_RAX);
	} else {
		ir_rr(l, UB_OP_SEXT64, UB_W8, false, REG_T, UB_RAX);
		ir_rr(l, UB_OP_MOV, UB_W16, false, UB_RAX, REG_T);
	}
}

/* dx, edx or rdx = copies of the sign of ax, eax, rax. */
void lift_spread(struct lift *l, const struct ub_x86_insn *insn)
{
	u8 width = insn->name == UB_X86_CQO ? UB_W64 : insn->name == UB_X86_CDQ ? UB_W32 : UB_W16;

	ir_rr(l, UB_OP_MOV, width, false, UB_RDX, UB_RAX);
	ir_ri(l, UB_OP_SARI, width, false, UB_RDX, UB_WIDTH_BITS(width) - 1);
}

void lift_bswap(struct lift *l, const struct ub_x86_insn *insn)
{
	if (insn->operands[0].width < UB_W32)
		l->why = "width";
	else
		ir_dst(l, UB_OP_BSWAP, insn->operands[0].width, false, insn->operands[0].reg);
}

void lift_nop(struct lift *l, const struct ub_x86_insn *insn)
{
	(void)l;
	(void)insn;
}

void lift_setcc(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0];
	struct place place = { 0 };
	u8 temp = REG_V;

	if (dst->kind == UB_X86_REG && !dst->is_high) {
		ir_cc(l, UB_OP_SETCC, 0, lift_cc(insn), dst->reg, 0);
		return;
	}
	if (dst->kind == UB_X86_MEM) {
		place = lift_place(l, dst, 0);
		temp = lift_temp(l, &place);
	}
	ir_ri(l, UB_OP_MOVI, UB_W64, false, temp, 0);
	ir_cc(l, UB_OP_SETCC, 0, lift_cc(insn), temp, 0);
	if (dst->kind == UB_X86_MEM)
		ir_store(l, UB_W8, place, temp);
	else
		lift_write(l, dst, temp);
}

void lift_cmovcc(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];

	ir_cc(l, UB_OP_CMOV, dst->width, lift_cc(insn), dst->reg, lift_read(l, src, UB_NOREG));
}
