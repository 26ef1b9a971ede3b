// SPDX-License-Identifier: GPL-2.0
/*
 * lift_alu: arithmetic, logic, shifts, multiplication and division.
 *
 * Promise: a memory operand is read, and its new value stored, before a flag or a register changes, since both may
 * leave.
 */
#include "lifter.h"

/* In ops.h the operations with a constant stand in the order of those with a register. */
#define WITH_IMM(op)	((op) - UB_OP_ADD + UB_OP_ADDI)

_Static_assert(WITH_IMM(UB_OP_TEST) == UB_OP_TESTI && WITH_IMM(UB_OP_XOR) == UB_OP_XORI, "same order");
_Static_assert(UB_OP_ROR - UB_OP_SHL == UB_OP_RORI - UB_OP_SHLI, "same order");

static bool is_shift(u8 op)
{
	return (op >= UB_OP_SHL && op <= UB_OP_ROR) || op == UB_OP_RCL || op == UB_OP_RCR;
}

static enum ub_op shift_imm(u8 op)
{
	return op == UB_OP_RCL ? UB_OP_RCLI : op == UB_OP_RCR ? UB_OP_RCRI : op - UB_OP_SHL + UB_OP_SHLI;
}

/* reg = reg OP the instruction's second operand, if it has one. */
static void apply(struct lift *l, const struct ub_x86_insn *insn, u8 op, u8 reg, bool f)
{
	const struct ub_x86_operand *src = &insn->operands[1];
	u8 width = insn->operands[0].width;

	if (insn->operand_cnt == 1)
		ir_dst(l, op, width, f, reg);
	else if (is_shift(op) && src->kind == UB_X86_IMM)
		ir_ri(l, shift_imm(op), width, f, reg, src->imm & (width == UB_W64 ? 63 : 31));
	else if (src->kind == UB_X86_IMM)
		ir_ri(l, WITH_IMM(op), width, f, reg, src->imm);
	else
		ir_rr(l, op, width, f, reg, src->is_high ? REG_HIGH : src->reg);
}

/* [mem] = [mem] SHIFTED.  There is no such operation: the value is stored before the flags are made from the old one. */
static void shift_memory(struct lift *l, const struct ub_x86_insn *insn, u8 op, bool f)
{
	struct place place = lift_place(l, &insn->operands[0], 0);
	u8 width = insn->operands[0].width;
	u8 old = lift_temp(l, &place), new = f ? REG_V : old;

	ir_load(l, UB_OP_LOAD, width, old, place);
	if (f)
		ir_rr(l, UB_OP_MOV, UB_W64, false, new, old);
	apply(l, insn, op, new, false);
	ir_store(l, width, place, new);
	if (f)
		apply(l, insn, op, old, true);
}

/* The rows for memory stand in the order of those for registers, see ops.h. */
static enum ub_op on_memory(u8 op)
{
	switch (op) {
	case UB_OP_NEG:
		return UB_OP_NEGM;
	case UB_OP_NOT:
		return UB_OP_NOTM;
	case UB_OP_INC:
		return UB_OP_INCM;
	case UB_OP_DEC:
		return UB_OP_DECM;
	default:
		return op - UB_OP_ADD + UB_OP_ADDM;
	}
}

_Static_assert(UB_OP_SBB - UB_OP_ADD == UB_OP_SBBM - UB_OP_ADDM, "same order");

/* [mem] = [mem] OP second operand, if it has one. */
static void modify(struct lift *l, const struct ub_x86_insn *insn, u8 op, bool f)
{
	const struct ub_x86_operand *src = &insn->operands[1];
	struct place place = lift_place(l, &insn->operands[0], 0);
	u8 mode = UB_MODE(insn->operands[0].width, f, 0) | (insn->is_locked ? UB_MODE_LOCK : 0);

	if (insn->operand_cnt == 1)
		ir_modify(l, on_memory(op), mode, place, 0);
	else if (src->kind == UB_X86_IMM)
		ir_modify_imm(l, on_memory(op), mode, place, src->imm);
	else
		ir_modify(l, on_memory(op), mode, place, src->is_high ? REG_HIGH : src->reg);
}

/* dst = dst OP src, dst a register. */
static void change(struct lift *l, const struct ub_x86_insn *insn, u8 op, bool f)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];

	if (dst->is_high) {
		u8 value = src->kind == UB_X86_MEM && insn->operand_cnt == 2 ? lift_read(l, src, REG_V) : UB_NOREG;

		ir_rr(l, UB_OP_MOV, UB_W64, false, REG_U, dst->reg);
		ir_ri(l, UB_OP_SHRI, UB_W64, false, REG_U, 8);
		if (value == UB_NOREG)
			apply(l, insn, op, REG_U, f);
		else
			ir_rr(l, op, UB_W8, f, REG_U, value);
		lift_write(l, dst, REG_U);
	} else if (insn->operand_cnt == 2 && src->kind == UB_X86_MEM) {
		ir_rr(l, op, dst->width, f, dst->reg, lift_read(l, src, UB_NOREG));
	} else {
		apply(l, insn, op, dst->reg, f);
	}
}

void lift_alu(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	bool f = !l->are_flags_dead && lift_flags(insn) != UB_X86_KEEP;

	if (insn->operand_cnt == 2 && src->kind == UB_X86_REG && src->is_high)
		lift_read(l, src, REG_HIGH);
	if (dst->kind == UB_X86_MEM && is_shift(lift_op(insn)))
		shift_memory(l, insn, lift_op(insn), f);
	else if (dst->kind == UB_X86_MEM)
		modify(l, insn, lift_op(insn), f);
	else
		change(l, insn, lift_op(insn), f);
}

void lift_unary(struct lift *l, const struct ub_x86_insn *insn)
{
	lift_alu(l, insn);
}

/* cmp and test: both operands are only read, and at most one is memory. */
void lift_compare(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	bool has_imm = src->kind == UB_X86_IMM;
	u8 a = lift_read(l, dst, UB_NOREG), b = 0;

	if (a == REG_HIGH && src->is_high) {
		ir_rr(l, UB_OP_MOV, UB_W64, false, REG_V, REG_HIGH);
		a = REG_V;
	}
	if (!has_imm)
		b = lift_read(l, src, UB_NOREG);
	if (l->are_flags_dead)
		return;
	if (has_imm)
		ir_ri(l, WITH_IMM(lift_op(insn)), dst->width, false, a, src->imm);
	else
		ir_rr(l, lift_op(insn), dst->width, false, a, b);
}

/* A count is taken modulo 32 (64 at that width); 0 changes nothing but the upper half of a 32-bit register. */
void lift_shift(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	u32 cnt = src->imm & (dst->width == UB_W64 ? 63 : 31);

	if (src->kind != UB_X86_IMM || cnt) {
		lift_alu(l, insn);
	} else if (dst->kind == UB_X86_MEM) {
		struct place place = lift_place(l, dst, 0);
		u8 temp = lift_temp(l, &place);

		ir_load(l, UB_OP_LOAD, dst->width, temp, place);
		ir_store(l, dst->width, place, temp);
	} else if (dst->width == UB_W32) {
		ir_rr(l, UB_OP_MOV, UB_W32, false, dst->reg, dst->reg);
	}
}

/* rdx:rax = rax * operand, and the divisions; of 8 bits in ax alone. */
static void wide(struct lift *l, const struct ub_x86_insn *insn, u8 op, bool f)
{
	const struct ub_x86_operand *src = &insn->operands[0];

	ir_src(l, op, src->width, f, lift_read(l, src, UB_NOREG));
}

void lift_mul(struct lift *l, const struct ub_x86_insn *insn)
{
	wide(l, insn, UB_OP_MULU, !l->are_flags_dead);
}

void lift_div(struct lift *l, const struct ub_x86_insn *insn)
{
	wide(l, insn, lift_op(insn), false);
}

void lift_imul(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	bool f = !l->are_flags_dead;
	u8 reg;

	if (insn->operand_cnt == 1) {
		wide(l, insn, UB_OP_MULS, f);
		return;
	}
	reg = lift_read(l, src, UB_NOREG);
	if (insn->operand_cnt == 2)
		ir_rr(l, UB_OP_IMUL, dst->width, f, dst->reg, reg);
	else
		ir_rri(l, UB_OP_IMULI, dst->width, f, dst->reg, reg, insn->operands[2].imm);
}
