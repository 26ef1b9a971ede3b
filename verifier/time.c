// SPDX-License-Identifier: GPL-2.0
/*
 * time: can the block run for long without asking whether it should stop?
 *
 * Promise: every cycle contains a check or a tick, and no path has more than UB_MAX_UNCHECKED instructions between two
 * checks, or an end and a check; with ticks, which lead to a check after UB_TICKS, UB_MAX_UNTICKED between any two of
 * them.  It takes the edges out of checks and ticks away; what is left must have no cycle, and then its longest paths
 * are found in one pass in topological order.  rep looks while it works, but with a count of zero it may not, so it
 * counts as any other instruction.
 */
#include "env.h"

static void refuse_cycle(struct ub_env *env, u32 from, u32 to)
{
	ub_refuse(env, UB_REFUSE_UNCHECKED, from, "a cycle back to insn %u contains no check", to);
}

static int check_lengths(struct ub_env *env)
{
	u32 *len = env->stack;	/* instructions since the last pause, on the longest path; scratch of the walk */
	u32 max = env->tick_cnt ? UB_MAX_UNTICKED : UB_MAX_UNCHECKED;
	u32 i, nth, to;

	memset(len, 0, env->block->insn_cnt * sizeof(*len));
	for (i = env->post_cnt; i-- > 0;) {
		u32 idx = env->post[i];

		if (ub_env_is_pause(env, idx))
			continue;
		if (++len[idx] > max)
			return ub_refuse(env, UB_REFUSE_UNCHECKED, idx, "more than %u instructions without a %s", max,
					 env->tick_cnt ? "check or tick" : "check");
		for (nth = 0; nth < 2; nth++) {
			to = ub_cfg_next(env, idx, nth);
			if (to != UB_NO_EDGE && len[to] < len[idx])
				len[to] = len[idx];
		}
	}
	return 0;
}

int ub_time_check(struct ub_env *env)
{
	u32 idx;

	ub_cfg_walk_reset(env);
	for (idx = 0; idx < env->block->insn_cnt; idx++)
		ub_cfg_walk(env, idx, true, refuse_cycle);
	if (env->log->refusal)
		return -EACCES;
	return check_lengths(env);
}
