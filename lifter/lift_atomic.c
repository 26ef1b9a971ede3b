// SPDX-License-Identifier: GPL-2.0
/*
 * lift_atomic: exchanges, on memory in one operation each, atomic where x86 is.
 *
 * Promise: what memory gives back goes to a register last.
 */
#include "lifter.h"

static u8 mode_of(const struct ub_x86_insn *insn, u8 width, bool f)
{
	return UB_MODE(width, f, 0) | (insn->is_locked ? UB_MODE_LOCK : 0);
}

/* A copy of a register operand in @temp. */
static void copy(struct lift *l, const struct ub_x86_operand *operand, u8 temp)
{
	ir_rr(l, UB_OP_MOV, UB_W64, false, temp, operand->reg);
	if (operand->is_high)
		ir_ri(l, UB_OP_SHRI, UB_W64, false, temp, 8);
}

/* An operation that also changes its register. */
static void exchange(struct lift *l, enum ub_op op, u8 mode, const struct ub_x86_operand *mem,
		     const struct ub_x86_operand *reg)
{
	struct place place = lift_place(l, mem, 0);
	u8 src = lift_read(l, reg, UB_NOREG);

	ir_modify(l, op, mode, place, src);
	if (reg->is_high)
		lift_write(l, reg, src);
}

/* With memory it is atomic, prefix or not. */
void lift_xchg(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *a = &insn->operands[0], *b = &insn->operands[1];

	if (a->kind == UB_X86_MEM) {
		exchange(l, UB_OP_XCHGM, a->width, a, b);
	} else if (b->kind == UB_X86_MEM) {
		exchange(l, UB_OP_XCHGM, a->width, b, a);
	} else {
		copy(l, a, REG_T);
		copy(l, b, REG_U);
		lift_write(l, a, REG_U);
		lift_write(l, b, REG_T);
	}
}

/* The sum is written last: to the only register, if both are the same. */
void lift_xadd(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	bool f = !l->are_flags_dead;

	if (dst->kind == UB_X86_MEM) {
		exchange(l, UB_OP_XADDM, mode_of(insn, dst->width, f), dst, src);
		return;
	}
	copy(l, dst, REG_T);
	copy(l, src, REG_U);
	lift_write(l, src, REG_T);
	ir_rr(l, UB_OP_ADD, dst->width, f, REG_T, REG_U);
	lift_write(l, dst, REG_T);
}

void lift_cmpxchg(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	bool f = !l->are_flags_dead;
	struct place place;

	if (dst->kind == UB_X86_MEM) {
		place = lift_place(l, dst, 0);
		ir_modify(l, UB_OP_CMPXCHGM, mode_of(insn, dst->width, f), place, lift_read(l, src, UB_NOREG));
	} else if (dst->is_high) {
		copy(l, dst, REG_T);
		ir_rr(l, UB_OP_CMPXCHG, UB_W8, f, REG_T, lift_read(l, src, UB_NOREG));
		lift_write(l, dst, REG_T);
	} else {
		ir_rr(l, UB_OP_CMPXCHG, dst->width, f, dst->reg, lift_read(l, src, UB_NOREG));
	}
}

/* cmpxchg8b and cmpxchg16b: the width is that of one of the two. */
void lift_cmpxchg_pair(struct lift *l, const struct ub_x86_insn *insn)
{
	u8 width = insn->name == UB_X86_CMPXCHG16B ? UB_W64 : UB_W32;
	struct place place = lift_place(l, &insn->operands[0], 0);

	ir_modify(l, UB_OP_CMPXCHG2M, mode_of(insn, width, !l->are_flags_dead), place, 0);
}
