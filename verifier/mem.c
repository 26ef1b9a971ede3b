// SPDX-License-Identifier: GPL-2.0
/*
 * mem: may this instruction touch that memory?
 *
 * Promise: an access that passes lies, width included, within UB_WINDOW bytes above an address of 0..LIMIT, whatever
 * the registers hold, whatever any branch decided and however many ticks there were: only data flow made the base and
 * the index (Spectre v1), and a tick that was predicted wrong is within the slack.  What came back from memory or from
 * a call is any value (v4), so it never passes.
 */
#include "env.h"

static const char *access_name(u32 effect)
{
	return effect & UB_E_WR_MEM ? "store" : "load";
}

static int check_window(struct ub_env *env, struct ub_walk at, u64 room, u8 reg, u32 idx)
{
	const struct ub_insn *insn = ub_env_insn(env, idx);
	u32 len = ub_insn_mem_bytes(insn);
	const char *name = access_name(ub_env_effect(env, idx));

	at = ub_walk_settle(at);
	if (at.lo < 0)
		return ub_refuse(env, UB_REFUSE_WINDOW, idx, "%s of %u bytes at %s-%lld starts below the window",
				 name, len, ub_reg_name(reg), -(long long)at.lo);
	if (at.hi > (s64)(room - len))
		return ub_refuse(env, UB_REFUSE_WINDOW, idx, "%s of %u bytes at %s+%lld ends past the window of %llu",
				 name, len, ub_reg_name(reg), (long long)at.hi, (unsigned long long)room);
	return 0;
}

/* (index << scale) + off; false when it may be anything. */
static bool offset(struct ub_env *env, const struct ub_state *state, u32 idx, struct ub_walk *ret)
{
	const struct ub_insn *insn = ub_env_insn(env, idx);
	struct ub_walk off = ub_walk_between(insn->off, insn->off), index;
	struct ub_reg known;

	*ret = off;
	if (ub_insn_index_reg(insn) == UB_NOREG)
		return true;
	known = ub_env_known(env, state, ub_insn_index_reg(insn));
	known = ub_reg_scaled(&known, ub_insn_scale(insn), env->limit);
	return ub_reg_walk(&known, &index) && ub_walk_add(index, off, ret);
}

static int check_access(struct ub_env *env, const struct ub_state *state, u32 idx, u8 reg)
{
	const struct ub_insn *insn = ub_env_insn(env, idx);
	u32 len = ub_insn_mem_bytes(insn), effect = ub_env_effect(env, idx);
	struct ub_reg base = ub_env_known(env, state, reg);
	struct ub_walk off, at, sum;

	if (!offset(env, state, idx, &off)) {
		ub_refuse(env, UB_REFUSE_UNGUARDED, idx, "%s of %u bytes with %s as its index, which is not bounded",
			  access_name(effect), len, ub_reg_name(ub_insn_index_reg(insn)));
		ub_log_explain(env, state, idx, ub_insn_index_reg(insn));
		return -EACCES;
	}
	/* Sound: a number of 0..LIMIT + UB_WINDOW needs no guard, it is where one may lead. */
	if (base.kind == UB_REG_GUARDED && ub_walk_add(base.walk, off, &sum)) {
		if (!check_window(env, sum, UB_WINDOW, reg, idx))
			return 0;
	} else if (ub_reg_walk(&base, &at) && ub_walk_add(at, off, &sum)) {
		if (!check_window(env, sum, env->limit + UB_WINDOW, reg, idx))
			return 0;
	} else {
		ub_refuse(env, UB_REFUSE_UNGUARDED, idx, "%s of %u bytes through %s, which is not guarded",
			  access_name(effect), len, ub_reg_name(reg));
	}
	ub_log_explain(env, state, idx, reg);
	return -EACCES;
}

int ub_mem_check(struct ub_env *env, const struct ub_state *state, u32 idx)
{
	const struct ub_insn *insn = ub_env_insn(env, idx);
	u32 effect = ub_env_effect(env, idx);
	u8 reg = ub_insn_base_reg(insn);

	/* rep guards its own operands. */
	if (!(effect & (UB_E_RD_MEM | UB_E_WR_MEM)) || effect & UB_E_REP)
		return 0;
	if (reg != UB_NOREG)
		return check_access(env, state, idx, reg);
	if (ub_bug_if(!ub_insn_is_constant_access(insn), "an access without an address"))
		return ub_refuse(env, UB_REFUSE_UNGUARDED, idx, "%s without an address", access_name(effect));
	return 0;	/* judged by cfg.c */
}
