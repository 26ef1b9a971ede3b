// SPDX-License-Identifier: GPL-2.0
/*
 * lift_misc: flags as a whole, fences, the time, xlat.
 */
#include "lifter.h"

static const struct ub_x86_operand ah = { .kind = UB_X86_REG, .width = UB_W8, .reg = UB_RAX, .is_high = true };

/* The lowest byte of RFLAGS. */
void lift_lahf(struct lift *l, const struct ub_x86_insn *insn)
{
	(void)insn;
	ir_dst(l, UB_OP_GETFLAGS, 0, false, REG_U);
	lift_write(l, &ah, REG_U);
}

void lift_sahf(struct lift *l, const struct ub_x86_insn *insn)
{
	(void)insn;
	if (!l->are_flags_dead)
		ir_src(l, UB_OP_SETFLAGS, 0, false, lift_read(l, &ah, UB_NOREG));
}

void lift_carry(struct lift *l, const struct ub_x86_insn *insn)
{
	if (!l->are_flags_dead)
		ir_none(l, lift_op(insn), 0);
}

void lift_fence(struct lift *l, const struct ub_x86_insn *insn)
{
	ir_imm(l, UB_OP_FENCE, insn->name - UB_X86_LFENCE);
}

/* rdtscp leaves the number of the processor in ecx. */
void lift_time(struct lift *l, const struct ub_x86_insn *insn)
{
	if (lift_op(insn) == UB_OP_RDTSC)
		ir_none(l, UB_OP_RDTSC, 0);
	else
		ir_dst(l, lift_op(insn), 0, false, lift_op(insn) == UB_OP_RDTSCP ? UB_RCX : insn->operands[0].reg);
}

/* al = [rbx + al] */
void lift_xlat(struct lift *l, const struct ub_x86_insn *insn)
{
	(void)insn;
	ir_rr(l, UB_OP_ZEXT, UB_W8, false, REG_T, UB_RAX);
	ir_addr(l, UB_OP_GUARD, 0, REG_T, UB_RBX, REG_T, 0, 0);
	ir_load(l, UB_OP_LOAD, UB_W8, REG_T, (struct place){ .base = REG_T });
	ir_rr(l, UB_OP_MOV, UB_W8, false, UB_RAX, REG_T);
}
