// SPDX-License-Identifier: GPL-2.0
/*
 * lift_vec: vector instructions.  Each is one IR operation; decode.c has found its row.
 */
#include "lifter.h"

static const struct ub_x86_operand *memory_of(const struct ub_x86_insn *insn)
{
	u32 i;

	for (i = 0; i < insn->operand_cnt; i++)
		if (insn->operands[i].kind == UB_X86_MEM)
			return &insn->operands[i];
	return NULL;
}

/* Register operands in their order; a store's first is its source, the others' first their result. */
static void take_registers(const struct ub_x86_insn *insn, const struct ub_vec_info *info, struct ub_insn *op)
{
	bool is_store = info->form == UB_VEC_ST || info->form == UB_VEC_CSR;
	bool has_a = ub_vec_has_a(info, insn->vec_variant);
	u32 i, pos = 0;
	u8 regs[4] = { 0 };

	for (i = 0; i < insn->operand_cnt; i++)
		if (insn->operands[i].kind == UB_X86_REG || insn->operands[i].kind == UB_X86_VREG)
			regs[pos++] = insn->operands[i].reg;
	pos = 0;
	if (!is_store)
		op->dst = regs[pos++];
	if (has_a)
		op->mode |= UB_VEC_MODE(0, regs[pos++]);
	if (info->form != UB_VEC_NONE && info->form != UB_VEC_CSR)
		op->src = regs[pos];
}

void lift_vector(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_vec_info *info = &ub_vec_info[insn->vec_row];
	const struct ub_x86_operand *mem = memory_of(insn);
	struct ub_insn op = {
		.op = mem ? ub_vec_mem_op(info) : ub_vec_reg_op(info), .mode = insn->vec_variant,
		.imm = UB_VEC_IMM_OF(insn->vec_row, insn->vec_constant, 0),
	};

	struct place place;

	take_registers(insn, info, &op);
	if (mem)
		place = lift_place(l, mem, 0);
	ir_vec(l, op, mem ? &place : NULL);
}
