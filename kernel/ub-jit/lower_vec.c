// SPDX-License-Identifier: GPL-2.0
/*
 * lower_vec: vector operations.  Each becomes the x86 instruction of its row on the same vector registers; v0-v15 are
 * the machine's own.
 */
#include "lower.h"

/* The one machine instruction of @insn; reg, vvvv and rm are x86's fields. */
static void put(struct jit *j, const struct ub_insn *insn, u8 reg, u8 vvvv, struct x86_rm rm)
{
	x86_vec(&j->code, ub_vec_of(insn), ub_vec_variant(insn), reg, vvvv, rm, ub_vec_constant(insn));
}

/* The memory operand; what is emitted next is the instruction that uses it, and leaves if it faults. */
static struct x86_rm memory(struct jit *j, const struct ub_insn *insn, u8 base)
{
	struct x86_rm mem = lower_user_mem(j, insn, base);

	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	return mem;
}

void lower_VEC(struct jit *j, const struct ub_insn *insn)
{
	switch (ub_vec_of(insn)->form) {
	case UB_VEC_VM:
		if (ub_vec_variant(insn) == UB_VEC_SSE)
			put(j, insn, 0, 0, x86_reg(insn->dst));
		else
			put(j, insn, 0, insn->dst, x86_reg(insn->src));
		break;
	case UB_VEC_MR:
		put(j, insn, insn->src, 0, x86_reg(insn->dst));
		break;
	default:
		put(j, insn, insn->dst, ub_vec_a(insn), x86_reg(insn->src));
	}
}

void lower_VECX(struct jit *j, const struct ub_insn *insn)
{
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	lower_VEC(j, insn);
}

void lower_VECM(struct jit *j, const struct ub_insn *insn)
{
	put(j, insn, insn->dst, ub_vec_a(insn), memory(j, insn, insn->src));
}

void lower_VST(struct jit *j, const struct ub_insn *insn)
{
	put(j, insn, insn->src, 0, memory(j, insn, insn->dst));
}

void lower_VTOG(struct jit *j, const struct ub_insn *insn)
{
	u8 reg = lower_whole_reg(j, insn);

	if (ub_vec_of(insn)->form == UB_VEC_GMR)
		put(j, insn, insn->src, 0, x86_reg(reg));
	else
		put(j, insn, reg, 0, x86_reg(insn->src));
	lower_put_whole(j, insn);
}

void lower_VTOGX(struct jit *j, const struct ub_insn *insn)
{
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	lower_VTOG(j, insn);
}

void lower_VTOGM(struct jit *j, const struct ub_insn *insn)
{
	put(j, insn, lower_whole_reg(j, insn), 0, memory(j, insn, insn->src));
	lower_put_whole(j, insn);
}

/* A general register that lives in memory is that operand: it is as long as a register, the instruction reads less. */
void lower_VFROMG(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm src = lower_src(j, insn);

	if (src.is_mem && ub_vec_of(insn)->mem == UB_VEC_M0)
		src = x86_reg(lower_src_reg(j, insn));
	put(j, insn, insn->dst, ub_vec_a(insn), src);
}

void lower_VFROMGX(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm src = x86_reg(lower_src_reg(j, insn));

	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	put(j, insn, insn->dst, ub_vec_a(insn), src);
}

void lower_VFLAG(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	put(j, insn, insn->dst, 0, x86_reg(insn->src));
	lower_flags_after(j, insn);
}

void lower_VFLAGX(struct jit *j, const struct ub_insn *insn)
{
	jit_flags_clobber_late(j);
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	put(j, insn, insn->dst, 0, x86_reg(insn->src));
	lower_flags_after(j, insn);
}

void lower_VFLAGM(struct jit *j, const struct ub_insn *insn)
{
	jit_flags_clobber_late(j);
	put(j, insn, insn->dst, 0, memory(j, insn, insn->src));
	lower_flags_after(j, insn);
}

void lower_VSTR(struct jit *j, const struct ub_insn *insn)
{
	lower_VFLAG(j, insn);
}

void lower_VSTRM(struct jit *j, const struct ub_insn *insn)
{
	lower_VFLAGM(j, insn);
}
