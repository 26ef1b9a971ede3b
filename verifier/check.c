// SPDX-License-Identifier: GPL-2.0
/*
 * check: what must hold before an instruction, and does it?
 *
 * Promise: what passes reads only what was written, leaves only to the mark whose state the guest still has, touches
 * only memory that mem.c allows, and goes on only at addresses up to LIMIT.
 *
 * Marks.  The mark of an instruction is the one passed last, and it must be the nearest one before it in the text
 * too: the JIT and the interpreter then agree whichever of the two they look at.  Where paths with different marks
 * meet, nothing that needs a mark may follow before the next one.
 */
#include "env.h"

static int read_reg(struct ub_env *env, const struct ub_state *state, u32 idx, u8 reg)
{
	if (state->regs[reg].kind != UB_REG_UNWRITTEN)
		return 0;
	ub_refuse(env, UB_REFUSE_UNWRITTEN, idx, "%s is read but not written on every path", ub_reg_name(reg));
	ub_log_explain(env, state, idx, reg);
	return -EACCES;
}

static int check_reads(struct ub_env *env, const struct ub_state *state, u32 idx)
{
	u32 reg, reads = ub_insn_reads(ub_env_insn(env, idx));
	int err = 0;

	for (reg = UB_T0; reg < UB_TEMPS_END && !err; reg++)
		if (reads >> reg & 1)
			err = read_reg(env, state, idx, reg);
	return err;
}

static bool needs_mark(const struct ub_insn *insn)
{
	u32 effect = ub_op_info[insn->op].effect;

	if (effect & (UB_E_LEAVES | UB_E_WR_MEM | UB_E_WR_VEC) || ub_insn_sets_flags(insn) ||
	    ub_insn_writes(insn) & UB_GUEST_REGS)
		return true;
	return insn->op == UB_OP_EXITTO;	/* the branch that was not followed is named in the exit */
}

static int check_mark(struct ub_env *env, const struct ub_state *state, u32 idx)
{
	const struct ub_insn *insn = ub_env_insn(env, idx);

	if (!needs_mark(insn))
		return 0;
	if (state->mark == UB_MARK_NONE)
		return ub_refuse(env, UB_REFUSE_MARK, idx, "%s without a mark before it", ub_op_info[insn->op].text);
	if (state->mark == UB_MARK_MIXED)
		return ub_refuse(env, UB_REFUSE_MARK, idx, "%s where paths with different marks have met",
				 ub_op_info[insn->op].text);
	if (state->mark != env->marks[idx])
		return ub_refuse(env, UB_REFUSE_MARK, idx, "%s belongs to the mark at insn %u, which is not the nearest before it",
				 ub_op_info[insn->op].text, state->mark);
	if (ub_env_effect(env, idx) & UB_E_CALLS && ub_env_insn(env, state->mark)->off != 2)
		return ub_refuse(env, UB_REFUSE_MARK, idx, "syscall whose mark has %d bytes, not 2",
				 ub_env_insn(env, state->mark)->off);
	return 0;
}

static int check_exact(struct ub_env *env, const struct ub_state *state, u32 idx)
{
	if (!(ub_env_effect(env, idx) & UB_E_LEAVES) || !state->is_dirty)
		return 0;
	return ub_refuse(env, UB_REFUSE_INEXACT, idx, "%s may leave to the mark at insn %u, but insn %u has changed the guest",
			 ub_op_info[ub_env_insn(env, idx)->op].text, state->mark, state->dirty_by);
}

static int check_bound(struct ub_env *env, const struct ub_state *state, u32 idx)
{
	const struct ub_insn *insn = ub_env_insn(env, idx);
	struct ub_reg target;

	if (insn->op != UB_OP_EXITTO)
		return 0;
	target = ub_reg_plain(&state->regs[insn->src], env->limit);
	if (target.is_bounded || ub_reg_max(&target) <= env->limit)
		return 0;
	ub_refuse(env, UB_REFUSE_BOUND, idx, "exit through %s, which bound has not passed since it was written",
		  ub_reg_name(insn->src));
	ub_log_explain(env, state, idx, insn->src);
	return -EACCES;
}

int ub_check_insn(struct ub_env *env, const struct ub_state *state, u32 idx)
{
	int err;

	if ((err = check_reads(env, state, idx)))
		return err;
	if ((err = check_mark(env, state, idx)) || (err = check_exact(env, state, idx))) {
		ub_log_explain(env, state, idx, UB_NOREG);
		return err;
	}
	if ((err = ub_mem_check(env, state, idx)))
		return err;
	return check_bound(env, state, idx);
}
