// SPDX-License-Identifier: GPL-2.0
/*
 * lower_shift: shifts and rotates.
 */
#include "lower.h"

static bool through_carry(enum x86_shift op)
{
	return op == X86_RCL || op == X86_RCR;
}

/* Rotates keep SF, ZF, AF and PF, a count of 0 keeps all: what is read later must be in the machine's flags then. */
static void prepare(struct jit *j, const struct ub_insn *insn, bool may_keep, bool needs_carry)
{
	if (may_keep && lower_wants_flags(j, insn)) {
		jit_flags_to_host(j);
	} else if (needs_carry) {
		if (!ub_insn_sets_flags(insn))
			jit_flags_to_slot(j);
		jit_flags_carry(j);
		jit_flags_lost(j);
	} else {
		lower_flags_before(j);
	}
}

static void shift_imm(struct jit *j, const struct ub_insn *insn, enum x86_shift op)
{
	prepare(j, insn, op < X86_SHL, through_carry(op));
	x86_shift_imm(&j->code, ub_insn_width(insn), op, lower_work_place(j, insn), insn->imm);
	lower_work_done(j, insn);
	lower_flags_after(j, insn);
}

static void shift_cl(struct jit *j, const struct ub_insn *insn, enum x86_shift op)
{
	prepare(j, insn, true, through_carry(op));
	x86_shift_cl(&j->code, ub_insn_width(insn), op, lower_work_place(j, insn));
	lower_work_done(j, insn);
	lower_flags_after(j, insn);
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
SHIFT(RCL)
SHIFT(RCR)

/* shld or shrd dst, src, by a constant or cl (the next opcode). */
static void shift_double(struct jit *j, const struct ub_insn *insn, u8 opcode, bool is_imm)
{
	struct x86_rm place;
	u8 src;

	prepare(j, insn, !is_imm, false);
	place = lower_work_place(j, insn);
	src = lower_second(j, lower_src(j, insn), !place.is_mem && place.reg == j->scratch);
	x86_op(&j->code, ub_insn_width(insn), 0, 1, is_imm ? opcode : opcode + 1, src, place);
	if (is_imm)
		x86_put8(&j->code, insn->imm);
	lower_give_back(j, src);
	lower_work_done(j, insn);
	lower_flags_after(j, insn);
}

void lower_SHLD(struct jit *j, const struct ub_insn *insn)
{
	shift_double(j, insn, 0xa4, false);
}

void lower_SHLDI(struct jit *j, const struct ub_insn *insn)
{
	shift_double(j, insn, 0xa4, true);
}

void lower_SHRD(struct jit *j, const struct ub_insn *insn)
{
	shift_double(j, insn, 0xac, false);
}

void lower_SHRDI(struct jit *j, const struct ub_insn *insn)
{
	shift_double(j, insn, 0xac, true);
}
