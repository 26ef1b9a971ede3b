// SPDX-License-Identifier: GPL-2.0
/*
 * paths: does what each instruction needs hold on every path to it?
 *
 * One state per label, joined over all edges into it; no path is followed twice for its own sake, so there is no
 * pruning that could be wrong.  First the states are made to hold on every edge, then each instruction is checked
 * once against them: the verdict does not hang on the order in which paths were met.
 *
 * Bounded: a head of a loop is widened after a few changes, a state then changes only a few times more, and past
 * MAX_WORK the block is refused.
 */
#include "env.h"

#define WIDEN_AFTER	3u		/* changes of a state before it is widened: enough for "once, then again" */
#define JOIN_WORK	16u		/* what a join costs, in steps */
#define MAX_WORK	1600000u	/* steps: at most some 150 ns each */

static bool is_label(const struct ub_env *env, u32 idx)
{
	return env->at[idx] & UB_AT_LABEL;
}

static void set_pending(struct ub_env *env, u32 no)
{
	env->pending[no / 64] |= 1ull << (no % 64);
}

/* The first label at or after @no whose state changed since it was run, round the end; label_cnt if there is none. */
static u32 next_pending(struct ub_env *env, u32 no)
{
	u32 word_cnt = (env->label_cnt + 63) / 64, i, word = no / 64;
	u64 bits = env->pending[word] & UB_U64_MAX << (no % 64);

	for (i = 0; i <= word_cnt; i++) {
		if (bits)
			return word * 64 + __builtin_ctzll(bits);
		word = word + 1 < word_cnt ? word + 1 : 0;
		bits = env->pending[word];
		env->work++;
	}
	return env->label_cnt;
}

/* Remembers which edge took the kind of a register away: this one, or when this one had better to offer, the first. */
static void note_lost(struct ub_label *label, const struct ub_state *from, u32 edge, u32 lost)
{
	u32 reg;

	for (reg = 0; reg < UB_TEMPS_END; reg++) {
		struct ub_reg *now = &label->state.regs[reg];
		bool is_lost_here = lost & 1u << reg;

		if (now->by == (UB_BY_MERGE | label->insn_idx) ||
		    (!is_lost_here && from->regs[reg].kind <= now->kind))
			continue;
		now->by = UB_BY_MERGE | label->insn_idx;
		label->lost_from[reg] = is_lost_here ? edge : label->first_from;
	}
}

/*
 * What holds in env->now holds on the edge to @to.  @edge: the instruction it comes from + 1, 0 for an entry; @from_no the
 * label it comes from.  Labels are numbered in reverse post order, so an edge closes a cycle if and only if it does not
 * lead to a greater number.
 */
static void flow_to(struct ub_env *env, u32 to, u32 edge, u32 from_no)
{
	u32 no = env->label_no[to], lost;
	struct ub_label *label = &env->labels[no];
	struct ub_widen how = {
		.must_widen = label->visits >= WIDEN_AFTER, .has_ticks = env->tick_cnt,
		.is_back = edge && no <= from_no, .tries = label->tries,
	};

	env->work += JOIN_WORK;
	if (!label->is_seen) {
		label->is_seen = true;
		label->insn_idx = to;
		label->first_from = edge;
		label->state = env->now;
		set_pending(env, no);
		return;
	}
	if (ub_state_join(&label->state, &env->now, env->at[to] & UB_AT_HEAD ? &how : NULL, env->limit, &lost)) {
		label->visits++;
		set_pending(env, no);
	}
	note_lost(label, &env->now, edge, lost);
}

/* Runs from a label to the next one, or to the end of the path. */
static void run_label(struct ub_env *env, u32 no)
{
	u32 idx = env->labels[no].insn_idx, effect;

	env->now = env->labels[no].state;
	do {
		effect = ub_env_effect(env, idx);
		ub_step(env, &env->now, idx);
		env->work++;
		if (effect & UB_E_JUMPS)
			flow_to(env, ub_insn_target(ub_env_insn(env, idx), idx), idx + 1, no);
		if (effect & UB_E_ENDS)
			return;
		idx++;
	} while (!is_label(env, idx));
	flow_to(env, idx, idx, no);
}

/* Which label is run next.  Tests have other orders, to show that none changes a verdict. */
#ifndef UB_NEXT_LABEL
#define UB_NEXT_LABEL	next_pending
#endif

static int find_states(struct ub_env *env)
{
	u32 i, no = 0;

	for (i = 0; i < env->block->entry_cnt; i++) {
		ub_state_enter(&env->now);
		flow_to(env, env->block->entries[i].insn_idx, 0, 0);
	}
	while ((no = UB_NEXT_LABEL(env, no)) < env->label_cnt) {
		if (env->work > MAX_WORK)
			return ub_refuse(env, UB_REFUSE_WORK, env->labels[no].insn_idx,
					 "the states have not settled after %u steps", MAX_WORK);
		env->pending[no / 64] &= ~(1ull << (no % 64));
		run_label(env, no);
	}
	return 0;
}

static int check_label(struct ub_env *env, u32 no)
{
	u32 idx = env->labels[no].insn_idx;
	int err;

	env->now = env->labels[no].state;
	do {
		if (env->log->level >= 2)
			ub_log_state(env, &env->now, idx);
		err = ub_check_insn(env, &env->now, idx);
		if (err)
			return err;
		ub_step(env, &env->now, idx);
		if (ub_env_effect(env, idx) & UB_E_ENDS)
			return 0;
		idx++;
	} while (!is_label(env, idx));
	return 0;
}

int ub_paths_check(struct ub_env *env)
{
	u32 no;
	int err;

	env->labels = ub_alloc(env->label_cnt, sizeof(*env->labels));
	env->pending = ub_alloc((env->label_cnt + 63) / 64, sizeof(*env->pending));
	if (!env->labels || !env->pending)
		return -ENOMEM;
	err = find_states(env);
	for (no = 0; !err && no < env->label_cnt; no++) {
		if (ub_bug_if(!env->labels[no].is_seen, "a label was not reached"))
			return -EACCES;
		err = check_label(env, no);
	}
	return err;
}
