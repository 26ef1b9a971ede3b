// SPDX-License-Identifier: GPL-2.0
/*
 * lower_shift: shifts and rotates.
 */
#include "lower.h"

static bool is_rotate(enum x86_shift op)
{
	return op == X86_ROL || op == X86_ROR;
}

static void shift_imm(struct jit *j, const struct ub_insn *insn, enum x86_shift op)
{
	/* A rotate keeps SF, ZF, AF and PF: they must be in place. */
	if (lower_wants_flags(j, insn) && is_rotate(op))
		jit_flags_to_host(j);
	else
		lower_flags_before(j);
	x86_shift_imm(&j->code, ub_insn_width(insn), op, lower_work_place(j, insn), insn->imm);
	lower_work_done(j, insn);
	lower_flags_after(j, insn);
}

/*
 *	shl dst, cl
 *	pushfq; pop scratch
 *	test cl, mask		a count of 0 keeps the flags
 *	jz 1f
 *	mov [FLAGS], scratch
 * 1:
 */
static void shift_cl(struct jit *j, const struct ub_insn *insn, enum x86_shift op)
{
	enum ub_width w = ub_insn_width(insn);
	struct x86_rm count = x86_reg(X86_RCX);
	bool wants = lower_wants_flags(j, insn);
	u32 skip;

	if (wants && insn->dst == UB_RCX) {
		count = local(LOCAL_SPILL);
		x86_mov_rm_reg(&j->code, UB_W64, count, X86_RCX);
	}
	if (wants) {
		jit_flags_to_slot(j);
		j->state.lazy.desc = UB_DESC_NONE;
		if (is_rotate(op))
			jit_flags_to_host(j);
	} else {
		lower_flags_before(j);
	}
	x86_shift_cl(&j->code, w, op, lower_work_place(j, insn));
	lower_work_done(j, insn);
	if (!wants)
		return;
	x86_pushfq(&j->code);
	x86_pop(&j->code, j->scratch);
	x86_test_rm_imm(&j->code, UB_W8, count, w == UB_W64 ? 63 : 31);
	skip = x86_jcc(&j->code, UB_CC_E);
	x86_mov_rm_reg(&j->code, UB_W64, local(LOCAL_FLAGS), j->scratch);
	x86_patch_rel32(&j->code, skip, j->code.len);
	jit_flags_lost(j);
	j->state.in_slot = true;
}

#define SHIFT(NAME)								\
void lower_##NAME(struct jit *j, const struct ub_insn *insn)		\
{										\
	shift_cl(j, insn, X86_##NAME);						\
}										\
void lower_##NAME##I(struct jit *j, const struct ub_insn *insn)		\
{										\
	shift_imm(j, insn, X86_##NAME);						\
}

SHIFT(SHL)
SHIFT(SHR)
SHIFT(SAR)
SHIFT(ROL)
SHIFT(ROR)
