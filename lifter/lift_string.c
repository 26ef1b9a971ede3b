// SPDX-License-Identifier: GPL-2.0
/*
 * lift_string: stos, movs, lods, cmps, scas.  The direction flag is clear wherever a block runs, so all go upwards.
 */
#include "lifter.h"

/* The names stand in the order b w d q. */
static u8 string_width(const struct ub_x86_insn *insn, enum ub_x86_name first)
{
	return insn->name - first;
}

static struct place at(struct lift *l, u8 reg)
{
	struct ub_x86_operand mem = { .kind = UB_X86_MEM, .reg = reg, .index = UB_NOREG };

	return lift_place(l, &mem, 0);
}

static void step(struct lift *l, u8 reg, u8 width)
{
	ir_ri(l, UB_OP_ADDI, UB_W64, false, reg, UB_WIDTH_BYTES(width));
}

void lift_stos(struct lift *l, const struct ub_x86_insn *insn)
{
	u8 width = string_width(insn, UB_X86_STOSB);

	if (insn->is_rep) {
		ir_none(l, UB_OP_REPSTOS, width);
		return;
	}
	ir_store(l, width, at(l, UB_RDI), UB_RAX);
	step(l, UB_RDI, width);
}

void lift_movs(struct lift *l, const struct ub_x86_insn *insn)
{
	u8 width = string_width(insn, UB_X86_MOVSB);

	if (insn->is_rep) {
		ir_none(l, UB_OP_REPMOVS, width);
		return;
	}
	ir_load(l, UB_OP_LOAD, width, REG_U, at(l, UB_RSI));
	ir_store(l, width, at(l, UB_RDI), REG_U);
	step(l, UB_RSI, width);
	step(l, UB_RDI, width);
}

void lift_lods(struct lift *l, const struct ub_x86_insn *insn)
{
	u8 width = string_width(insn, UB_X86_LODSB);

	if (insn->is_rep) {
		ir_none(l, UB_OP_REPLODS, width);
		return;
	}
	if (width >= UB_W32) {
		ir_load(l, UB_OP_LOAD, width, UB_RAX, at(l, UB_RSI));
	} else {
		ir_load(l, UB_OP_LOAD, width, REG_T, at(l, UB_RSI));
		ir_rr(l, UB_OP_MOV, width, false, UB_RAX, REG_T);
	}
	step(l, UB_RSI, width);
}

void lift_cmps(struct lift *l, const struct ub_x86_insn *insn)
{
	u8 width = string_width(insn, UB_X86_CMPSB);

	if (insn->is_rep) {
		ir_none(l, insn->is_repne ? UB_OP_REPNECMPS : UB_OP_REPECMPS, width);
		return;
	}
	ir_load(l, UB_OP_LOAD, width, REG_U, at(l, UB_RSI));
	ir_load(l, UB_OP_LOAD, width, REG_V, at(l, UB_RDI));
	if (!l->are_flags_dead)
		ir_rr(l, UB_OP_CMP, width, false, REG_U, REG_V);
	step(l, UB_RSI, width);
	step(l, UB_RDI, width);
}

void lift_scas(struct lift *l, const struct ub_x86_insn *insn)
{
	u8 width = string_width(insn, UB_X86_SCASB);

	if (insn->is_rep) {
		ir_none(l, insn->is_repne ? UB_OP_REPNESCAS : UB_OP_REPESCAS, width);
		return;
	}
	ir_load(l, UB_OP_LOAD, width, REG_U, at(l, UB_RDI));
	if (!l->are_flags_dead)
		ir_rr(l, UB_OP_CMP, width, false, UB_RAX, REG_U);
	step(l, UB_RDI, width);
}
