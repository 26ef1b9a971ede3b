// SPDX-License-Identifier: GPL-2.0
/*
 * lift_stack: push, pop, enter and leave.
 *
 * Promise: rsp moves last, after everything that may leave.
 */
#include "lifter.h"

#define NESTING	31	/* enter takes its second operand modulo 32 */

static void push_width(struct lift *l, u8 width, u8 reg)
{
	s64 bytes = UB_WIDTH_BYTES(width);

	ir_store(l, width, lift_stack(l, -bytes), reg);
	ir_ri(l, UB_OP_SUBI, UB_W64, false, UB_RSP, bytes);
}

void lift_push(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *src = &insn->operands[0];
	u8 width = insn->is_16 ? UB_W16 : UB_W64;
	s64 bytes = UB_WIDTH_BYTES(width);

	if (src->kind == UB_X86_IMM) {
		ir_storei(l, width, lift_stack(l, -bytes), src->imm);
		ir_ri(l, UB_OP_SUBI, UB_W64, false, UB_RSP, bytes);
	} else {
		push_width(l, width, lift_read(l, src, UB_NOREG));
	}
}

/* An address relative to rsp counts from its new value; "pop rsp" gets what was popped. */
void lift_pop(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0];
	u8 width = insn->is_16 ? UB_W16 : UB_W64, to = REG_U;
	s64 bytes = UB_WIDTH_BYTES(width);

	if (dst->kind == UB_X86_REG && width == UB_W64)
		to = dst->reg;
	ir_load(l, UB_OP_LOAD, width, to, lift_stack(l, 0));
	if (dst->kind == UB_X86_MEM)
		ir_store(l, width, lift_place(l, dst, bytes), REG_U);
	if (to != UB_RSP)
		ir_ri(l, UB_OP_ADDI, UB_W64, false, UB_RSP, bytes);
	if (dst->kind == UB_X86_REG && to == REG_U)
		ir_rr(l, UB_OP_MOV, width, false, dst->reg, REG_U);
}

/* rsp = rbp; pop rbp. */
void lift_leave(struct lift *l, const struct ub_x86_insn *insn)
{
	struct ub_x86_operand frame = { .kind = UB_X86_MEM, .reg = UB_RBP, .index = UB_NOREG };
	struct place place = lift_place(l, &frame, 0);
	u8 temp = lift_temp(l, &place);

	(void)insn;
	ir_load(l, UB_OP_LOAD, UB_W64, temp, place);
	ir_addr(l, UB_OP_LEA, UB_W64, UB_RSP, UB_RBP, UB_NOREG, 0, 8);
	ir_rr(l, UB_OP_MOV, UB_W64, false, UB_RBP, temp);
}

/*
 * The processor also faults when nothing could be written at the new rsp (SDM vol. 2A, ENTER).  It can if that lies in
 * the page that the frame pointer goes to; else the block is left: the number of pages between, as a negative one, is
 * beyond the limit.
 */
static void check_page(struct lift *l, u16 size)
{
	ir_addr(l, UB_OP_LEA, UB_W64, REG_U, UB_RSP, UB_NOREG, 0, -8);
	ir_addr(l, UB_OP_LEA, UB_W64, REG_V, UB_RSP, UB_NOREG, 0, -8 - (s32)size);
	ir_rr(l, UB_OP_XOR, UB_W64, false, REG_U, REG_V);
	ir_ri(l, UB_OP_SHRI, UB_W64, false, REG_U, 12);
	ir_dst(l, UB_OP_NEG, UB_W64, false, REG_U);
	ir_src(l, UB_OP_BOUND, 0, false, REG_U);
}

/* push rbp; rbp = rsp; rsp -= the operand. */
void lift_enter(struct lift *l, const struct ub_x86_insn *insn)
{
	u16 size = insn->operands[0].imm;

	if (insn->operands[1].imm & NESTING) {
		l->why = "nesting";
		return;
	}
	if (size)
		check_page(l, size);
	ir_store(l, UB_W64, lift_stack(l, -8), UB_RBP);
	ir_addr(l, UB_OP_LEA, UB_W64, UB_RBP, UB_RSP, UB_NOREG, 0, -8);
	ir_addr(l, UB_OP_LEA, UB_W64, UB_RSP, UB_RSP, UB_NOREG, 0, -8 - (s32)size);
}

void lift_pushf(struct lift *l, const struct ub_x86_insn *insn)
{
	ir_dst(l, UB_OP_GETFLAGS, 0, false, REG_U);
	push_width(l, insn->is_16 ? UB_W16 : UB_W64, REG_U);
}
