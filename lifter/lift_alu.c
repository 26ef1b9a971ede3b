// SPDX-License-Identifier: GPL-2.0
/*
 * lift_alu: arithmetic, logic, shifts, multiplication and division.
 *
 * Promise: a memory operand is read, and its new value stored, before a flag or a register changes, since both may
 * leave.  Flags of an operation on memory are therefore made after the store, by doing it again.
 */
#include "lifter.h"

/* In ops.h the operations with a constant stand in the order of those with a register. */
#define WITH_IMM(op)	((op) - UB_OP_ADD + UB_OP_ADDI)
#define SHIFT_IMM(op)	((op) - UB_OP_SHL + UB_OP_SHLI)

_Static_assert(WITH_IMM(UB_OP_TEST) == UB_OP_TESTI && WITH_IMM(UB_OP_XOR) == UB_OP_XORI, "same order");
_Static_assert(SHIFT_IMM(UB_OP_ROR) == UB_OP_RORI && SHIFT_IMM(UB_OP_SAR) == UB_OP_SARI, "same order");

/* reg = reg OP the instruction's second operand, if it has one. */
static void apply(struct lift *l, const struct ub_x86_insn *insn, u8 op, u8 reg, bool f)
{
	const struct ub_x86_operand *src = &insn->operands[1];
	u8 width = insn->operands[0].width;
	bool is_shift = op >= UB_OP_SHL && op <= UB_OP_ROR;

	if (insn->operand_cnt == 1)
		ir_dst(l, op, width, f, reg);
	else if (is_shift && src->kind == UB_X86_IMM)
		ir_ri(l, SHIFT_IMM(op), width, f, reg, src->imm & (width == UB_W64 ? 63 : 31));
	else if (src->kind == UB_X86_IMM)
		ir_ri(l, WITH_IMM(op), width, f, reg, src->imm);
	else
		ir_rr(l, op, width, f, reg, src->is_high ? REG_HIGH : src->reg);
}

/* What must be added to undo or do the operation without flags: a constant, or with @ret_reg that register. */
static bool is_sum(const struct ub_x86_insn *insn, u8 op, s64 *ret_imm, u8 *ret_reg)
{
	const struct ub_x86_operand *src = &insn->operands[1];

	*ret_reg = UB_NOREG;
	*ret_imm = op == UB_OP_INC ? 1 : op == UB_OP_DEC ? -1 : op == UB_OP_ADD ? src->imm : -src->imm;
	if (op == UB_OP_INC || op == UB_OP_DEC)
		return true;
	if (op != UB_OP_ADD && op != UB_OP_SUB)
		return false;
	if (src->kind == UB_X86_IMM)
		return *ret_imm == (s32)*ret_imm && -*ret_imm == (s32)-*ret_imm;
	*ret_reg = src->is_high ? REG_HIGH : src->reg;
	return op == UB_OP_ADD;
}

/* reg = reg OP second operand.  A lea, where it can do that, leaves even the machine's flags alone. */
static void apply_quietly(struct lift *l, const struct ub_x86_insn *insn, u8 op, u8 reg)
{
	u8 src, width = insn->operands[0].width == UB_W64 ? UB_W64 : UB_W32;
	s64 imm;

	if (!is_sum(insn, op, &imm, &src))
		apply(l, insn, op, reg, false);
	else
		ir_addr(l, UB_OP_LEA, width, reg, reg, src, 0, src == UB_NOREG ? imm : 0);
}

/* Undoes that, where it is possible. */
static void undo(struct lift *l, const struct ub_x86_insn *insn, u8 op, u8 reg)
{
	u8 src, width = insn->operands[0].width == UB_W64 ? UB_W64 : UB_W32;
	s64 imm;

	if (is_sum(insn, op, &imm, &src) && src == UB_NOREG)
		ir_addr(l, UB_OP_LEA, width, reg, reg, UB_NOREG, 0, -imm);
	else
		apply(l, insn, op == UB_OP_ADD ? UB_OP_SUB : op == UB_OP_SUB ? UB_OP_ADD : op, reg, false);
}

static bool can_undo(u8 op)
{
	return op == UB_OP_ADD || op == UB_OP_SUB || op == UB_OP_INC || op == UB_OP_DEC || op == UB_OP_NEG;
}

static bool is_logic(u8 op)
{
	return op == UB_OP_AND || op == UB_OP_OR || op == UB_OP_XOR;
}

/* [mem] = [mem] OP second operand. */
static void modify(struct lift *l, const struct ub_x86_insn *insn, u8 op, bool f)
{
	struct place place = lift_place(l, &insn->operands[0], 0);
	u8 width = insn->operands[0].width;
	u8 old = lift_temp(l, &place), new = old;

	ir_load(l, UB_OP_LOAD, width, old, place);
	if (f && !is_logic(op) && !can_undo(op)) {
		new = REG_V;
		ir_rr(l, UB_OP_MOV, UB_W64, false, new, old);
	}
	apply_quietly(l, insn, op, new);
	ir_store(l, width, place, new);
	if (!f)
		return;
	if (is_logic(op)) {
		ir_rr(l, UB_OP_TEST, width, false, new, new);
		return;
	}
	if (can_undo(op))
		undo(l, insn, op, old);
	apply(l, insn, op, old, true);
}

/* dst = dst OP src, dst a register. */
static void change(struct lift *l, const struct ub_x86_insn *insn, u8 op, bool f)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];

	if (dst->is_high) {
		ir_rr(l, UB_OP_MOV, UB_W64, false, REG_U, dst->reg);
		ir_ri(l, UB_OP_SHRI, UB_W64, false, REG_U, 8);
		apply(l, insn, op, REG_U, f);
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

	if (dst->is_high && insn->operand_cnt == 2 && src->kind == UB_X86_MEM) {
		l->why = "high byte";
		return;
	}
	if (insn->operand_cnt == 2 && src->kind == UB_X86_REG && src->is_high)
		lift_read(l, src, REG_HIGH);
	if (dst->kind == UB_X86_MEM)
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
	u8 a, b = 0;

	if (dst->kind == UB_X86_REG && dst->is_high && src->kind == UB_X86_REG && src->is_high) {
		l->why = "high byte";
		return;
	}
	a = lift_read(l, dst, UB_NOREG);
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

	if (src->kind != UB_X86_IMM || (cnt && cnt < UB_WIDTH_BITS(dst->width))) {
		lift_alu(l, insn);
	} else if (cnt) {
		l->why = "shift count";
	} else if (dst->kind == UB_X86_MEM) {
		struct place place = lift_place(l, dst, 0);
		u8 temp = lift_temp(l, &place);

		ir_load(l, UB_OP_LOAD, dst->width, temp, place);
		ir_store(l, dst->width, place, temp);
	} else if (dst->width == UB_W32) {
		ir_rr(l, UB_OP_MOV, UB_W32, false, dst->reg, dst->reg);
	}
}

/* rdx:rax = rax * operand, and the divisions; 8 bits use ax alone, and 16 are rare. */
static void wide(struct lift *l, const struct ub_x86_insn *insn, u8 op, bool f)
{
	const struct ub_x86_operand *src = &insn->operands[0];

	if (src->width < UB_W32) {
		l->why = "width";
		return;
	}
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
