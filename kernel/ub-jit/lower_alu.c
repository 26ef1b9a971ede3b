// SPDX-License-Identifier: GPL-2.0
/*
 * lower_alu: arithmetic and logic on registers and constants.
 */
#include "lower.h"

static void alu_via_scratch(struct jit *j, const struct ub_insn *insn, enum x86_alu alu)
{
	lower_to_scratch(j, lower_dst(j, insn));
	x86_alu_reg_rm(&j->code, ub_insn_width(insn), alu, j->scratch, lower_src(j, insn));
	x86_mov_rm_reg(&j->code, UB_W64, lower_dst(j, insn), j->scratch);
}

static void alu_reg(struct jit *j, const struct ub_insn *insn, enum x86_alu alu)
{
	enum ub_width w = ub_insn_width(insn);
	struct x86_rm dst = lower_dst(j, insn);

	if (lower_is_fused(j) && insn[-1].dst == insn->dst)
		x86_alu_rm_reg(&j->code, w, alu, lower_fused_mem(j, insn), lower_src(j, insn).reg);
	else if (lower_is_fused(j))
		x86_alu_reg_rm(&j->code, w, alu, dst.reg, lower_fused_mem(j, insn));
	else if (lower_via_scratch(dst, w) && alu != X86_CMP)
		alu_via_scratch(j, insn, alu);
	else if (dst.is_mem)
		x86_alu_rm_reg(&j->code, w, alu, dst, lower_src_reg(j, insn));
	else
		x86_alu_reg_rm(&j->code, w, alu, dst.reg, lower_src(j, insn));
}

static void alu_imm(struct jit *j, const struct ub_insn *insn, enum x86_alu alu)
{
	enum ub_width w = ub_insn_width(insn);
	struct x86_rm dst = lower_is_fused(j) ? lower_fused_mem(j, insn) : lower_dst(j, insn);

	if (lower_via_scratch(dst, w) && alu != X86_CMP) {
		lower_to_scratch(j, dst);
		x86_alu_rm_imm(&j->code, w, alu, x86_reg(j->scratch), insn->imm);
		x86_mov_rm_reg(&j->code, UB_W64, dst, j->scratch);
	} else {
		x86_alu_rm_imm(&j->code, w, alu, dst, insn->imm);
	}
}

/* adc and sbb: CF is brought into place, which may not be lost again before the operation. */
static void with_carry(struct jit *j, const struct ub_insn *insn)
{
	/* A fused load may still leave with them. */
	if (!ub_insn_sets_flags(insn) && (lower_is_fused(j) || ub_flow_live_after(j->block, j->flow, j->idx) & UB_LIVE_FLAGS))
		jit_flags_to_slot(j);
	jit_flags_carry(j);
	jit_flags_lost(j);
}

#define ALU(NAME, prepare)							\
void lower_##NAME(struct jit *j, const struct ub_insn *insn)		\
{										\
	prepare;								\
	alu_reg(j, insn, X86_##NAME);						\
	lower_flags_after(j, insn);							\
}										\
void lower_##NAME##I(struct jit *j, const struct ub_insn *insn)		\
{										\
	prepare;								\
	alu_imm(j, insn, X86_##NAME);						\
	lower_flags_after(j, insn);							\
}

ALU(AND, lower_flags_before(j))
ALU(OR, lower_flags_before(j))
ALU(XOR, lower_flags_before(j))
ALU(ADC, with_carry(j, insn))
ALU(SBB, with_carry(j, insn))
ALU(CMP, lower_flags_before(j))

/* A sum that sets no flags and leaves the machine's alone, if that matters and the registers allow it. */
static bool add_by_lea(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(j, insn), src = lower_src(j, insn);
	struct x86_rm sum = x86_mem(dst.reg, 0);

	if (!jit_flags_host_in_use(j) || ub_insn_sets_flags(insn) || ub_insn_width(insn) < UB_W32 || dst.is_mem ||
	    src.is_mem || lower_is_fused(j))
		return false;
	sum.index = src.reg;
	x86_lea(&j->code, ub_insn_width(insn), dst.reg, sum);
	return true;
}

/* The second of two that change a register and back: only a description of the flags is new. */
static bool is_undoing(const struct jit *j)
{
	return j->idx && j->flow[j->idx - 1].is_undone;
}

static void describe_only(struct jit *j)
{
	jit_flags_lost(j);
	j->state.in_slot = false;
}

void lower_ADD(struct jit *j, const struct ub_insn *insn)
{
	if (is_undoing(j))
		describe_only(j);
	if (is_undoing(j) || j->flow[j->idx].is_undone || add_by_lea(j, insn))
		return;
	lower_flags_before(j);
	alu_reg(j, insn, X86_ADD);
	lower_flags_after(j, insn);
}

void lower_SUB(struct jit *j, const struct ub_insn *insn)
{
	if (is_undoing(j))
		describe_only(j);
	if (is_undoing(j) || j->flow[j->idx].is_undone)
		return;
	lower_flags_before(j);
	alu_reg(j, insn, X86_SUB);
	lower_flags_after(j, insn);
}

/* The same for a constant. */
static bool step_by_lea(struct jit *j, const struct ub_insn *insn, s64 delta)
{
	struct x86_rm dst = lower_dst(j, insn);

	if (!jit_flags_host_in_use(j) || ub_insn_sets_flags(insn) || ub_insn_width(insn) < UB_W32 || dst.is_mem ||
	    delta != (s32)delta)
		return false;
	x86_lea(&j->code, ub_insn_width(insn), dst.reg, x86_mem(dst.reg, delta));
	return true;
}

/* dst += delta.  rsp is only noted; in a register lea leaves the flags alone. */
static void add_const(struct jit *j, const struct ub_insn *insn, enum x86_alu alu)
{
	s64 delta = alu == X86_ADD ? insn->imm : -insn->imm;
	s32 sp_delta = 0;

	if (is_undoing(j))
		describe_only(j);
	if (is_undoing(j) || j->flow[j->idx].is_undone)
		return;
	if (ub_flow_sp_use(insn, j->state.lazy.sp, &sp_delta) == UB_SP_ADJUST) {
		j->state.lazy.sp += sp_delta;
		if (ub_insn_sets_flags(insn))
			describe_only(j);
		else
			j->state.lazy.desc.sp += sp_delta;
	} else if (!step_by_lea(j, insn, delta)) {
		lower_flags_before(j);
		alu_imm(j, insn, alu);
		lower_flags_after(j, insn);
	}
}

void lower_ADDI(struct jit *j, const struct ub_insn *insn)
{
	add_const(j, insn, X86_ADD);
}

void lower_SUBI(struct jit *j, const struct ub_insn *insn)
{
	add_const(j, insn, X86_SUB);
}

void lower_TEST(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	if (insn->dst == insn->src && lower_dst(j, insn).is_mem) {
		/* cmp with 0 sets the same flags. */
		x86_alu_rm_imm(&j->code, ub_insn_width(insn), X86_CMP, lower_dst(j, insn), 0);
		lower_flags_after(j, insn);
		return;
	}
	/* test is symmetrical. */
	if (lower_is_fused(j))
		x86_test_rm_reg(&j->code, ub_insn_width(insn), lower_fused_mem(j, insn),
				jit_loc(j, insn[-1].dst == insn->dst ? insn->src : insn->dst).reg);
	else
		x86_test_rm_reg(&j->code, ub_insn_width(insn), lower_dst(j, insn), lower_src_reg(j, insn));
	lower_flags_after(j, insn);
}

void lower_TESTI(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	x86_test_rm_imm(&j->code, ub_insn_width(insn), lower_is_fused(j) ? lower_fused_mem(j, insn) : lower_dst(j, insn), insn->imm);
	lower_flags_after(j, insn);
}

void lower_NEG(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	x86_unary(&j->code, ub_insn_width(insn), X86_NEG, lower_work_place(j, insn));
	lower_work_done(j, insn);
	lower_flags_after(j, insn);
}

void lower_NOT(struct jit *j, const struct ub_insn *insn)
{
	x86_unary(&j->code, ub_insn_width(insn), X86_NOT, lower_work_place(j, insn));
	lower_work_done(j, insn);
}

/* A CF that is elsewhere stays there, if the description of the new flags says where. */
static void inc_dec(struct jit *j, const struct ub_insn *insn, bool is_dec)
{
	bool has_flags = ub_insn_sets_flags(insn), is_described = has_flags && j->after.desc.setter >= 0, has_cf;

	if (!has_flags && step_by_lea(j, insn, is_dec ? -1 : 1))
		return;
	if (!has_flags)
		lower_flags_before(j);
	else if (is_described && j->after.desc.cf == UB_DESC_SLOT && j->before.lazy.desc.setter == UB_DESC_NONE)
		jit_flags_carry_to_slot(j);
	else if (!is_described)
		jit_flags_carry(j);
	has_cf = j->state.in_host || !is_described;
	x86_inc_dec(&j->code, ub_insn_width(insn), is_dec, lower_work_place(j, insn));
	lower_work_done(j, insn);
	lower_flags_after(j, insn);
	if (has_flags && !has_cf) {
		j->state.in_host = false;
		j->state.in_host_but_cf = true;
	}
}

void lower_INC(struct jit *j, const struct ub_insn *insn)
{
	inc_dec(j, insn, false);
}

void lower_DEC(struct jit *j, const struct ub_insn *insn)
{
	inc_dec(j, insn, true);
}

/* imul writes a register: through the scratch register for a dst in memory, whatever the width. */
static void imul_done(struct jit *j, const struct ub_insn *insn)
{
	if (lower_dst(j, insn).is_mem)
		x86_mov_rm_reg(&j->code, ub_insn_width(insn) == UB_W16 ? UB_W16 : UB_W64, lower_dst(j, insn), j->scratch);
	lower_flags_after(j, insn);
}

void lower_IMUL(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	if (lower_dst(j, insn).is_mem)
		lower_to_scratch(j, lower_dst(j, insn));
	x86_imul_reg_rm(&j->code, ub_insn_width(insn), lower_whole_reg(j, insn), lower_src_or_mem(j, insn));
	imul_done(j, insn);
}

void lower_IMULI(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	/* 16 bits keep the others, which the kernel may have left in the scratch register. */
	if (lower_dst(j, insn).is_mem && ub_insn_width(insn) == UB_W16)
		lower_to_scratch(j, lower_dst(j, insn));
	x86_imul_reg_rm_imm(&j->code, ub_insn_width(insn), lower_whole_reg(j, insn), lower_src_or_mem(j, insn),
			    insn->imm);
	imul_done(j, insn);
}

void lower_MULU(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	x86_unary(&j->code, ub_insn_width(insn), X86_MUL, lower_src_or_mem(j, insn));
	lower_flags_after(j, insn);
}

void lower_MULS(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	x86_unary(&j->code, ub_insn_width(insn), X86_IMUL, lower_src_or_mem(j, insn));
	lower_flags_after(j, insn);
}

static void divide(struct jit *j, const struct ub_insn *insn, enum x86_unary op)
{
	lower_flags_before(j);
	if (!lower_is_fused(j))
		jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	x86_unary(&j->code, ub_insn_width(insn), op, lower_src_or_mem(j, insn));
}

void lower_DIVU(struct jit *j, const struct ub_insn *insn)
{
	divide(j, insn, X86_DIV);
}

void lower_DIVS(struct jit *j, const struct ub_insn *insn)
{
	divide(j, insn, X86_IDIV);
}
