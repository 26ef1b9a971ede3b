// SPDX-License-Identifier: GPL-2.0
/*
 * mem: may this instruction touch that memory?
 *
 * Promise: an access that passes lies, width included, within UB_WINDOW bytes above an address of 0..LIMIT, whatever
 * the registers hold and whatever any branch decided: only data flow made the base (Spectre v1).  A base that came
 * back from memory or from a call is a plain value (v4), so it never passes.
 */
#include "env.h"

static const char *access_name(u32 effect)
{
	return effect & UB_E_WR_MEM ? "store" : "load";
}

static int check_window(struct ub_env *env, const struct ub_reg *base, u8 reg, u32 idx)
{
	const struct ub_insn *insn = ub_env_insn(env, idx);
	u32 len = ub_insn_mem_bytes(insn);
	s64 first = (s64)base->range.lo + insn->off;
	s64 last = (s64)(base->range.lo + base->range.span) + insn->off;
	const char *name = access_name(ub_env_effect(env, idx));

	if (first < 0)
		return ub_refuse(env, UB_REFUSE_WINDOW, idx, "%s of %u bytes at %s-%lld starts below the window",
				 name, len, ub_reg_name(reg), (long long)-first);
	if (last > (s64)(UB_WINDOW - len))
		return ub_refuse(env, UB_REFUSE_WINDOW, idx, "%s of %u bytes at %s+%lld ends past the window of %llu",
				 name, len, ub_reg_name(reg), (long long)last, (unsigned long long)UB_WINDOW);
	return 0;
}

int ub_mem_check(struct ub_env *env, const struct ub_state *state, u32 idx)
{
	const struct ub_insn *insn = ub_env_insn(env, idx);
	u32 effect = ub_env_effect(env, idx);
	u8 reg = effect & UB_E_WR_MEM ? insn->dst : insn->src;
	int err;

	/* rep guards its own operands; constant addresses were judged by cfg.c. */
	if (!(effect & (UB_E_RD_MEM | UB_E_WR_MEM)) || effect & UB_E_REP || reg == UB_NOREG)
		return 0;
	if (ub_insn_index_reg(insn) != UB_NOREG)
		err = ub_refuse(env, UB_REFUSE_UNGUARDED, idx, "accesses with an index are not understood yet");
	else if (state->regs[reg].kind != UB_REG_GUARDED)
		err = ub_refuse(env, UB_REFUSE_UNGUARDED, idx, "%s of %u bytes through %s, which is not guarded",
				access_name(effect), ub_insn_mem_bytes(insn), ub_reg_name(reg));
	else
		err = check_window(env, &state->regs[reg], reg, idx);
	if (err)
		ub_log_explain(env, state, idx, reg);
	return err;
}
