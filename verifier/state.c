// SPDX-License-Identifier: GPL-2.0
/*
 * state: what holds at a merge?
 *
 * Only what holds on every edge into it.  Kinds go to the lesser one, the mark must be the same one, and once the
 * guest may have changed it has changed.
 */
#include "state.h"

void ub_state_enter(struct ub_state *state)
{
	u32 reg;

	for (reg = 0; reg < UB_T0; reg++)
		state->regs[reg] = ub_reg_any();
	ub_state_forget_temps(state, 0);
	state->mark = UB_MARK_NONE;
	state->is_dirty = false;
	state->dirty_by = 0;
}

void ub_state_forget_temps(struct ub_state *state, u32 by)
{
	u32 reg;

	for (reg = UB_T0; reg < UB_TEMPS_END; reg++) {
		state->regs[reg] = ub_reg_unwritten();
		state->regs[reg].by = by;
	}
}

void ub_state_tick(struct ub_state *state)
{
	u32 reg;

	for (reg = 0; reg < UB_TEMPS_END; reg++)
		if (state->regs[reg].kind >= UB_REG_WALKING)
			state->regs[reg] = ub_reg_tick(&state->regs[reg]);
}

void ub_state_settle(struct ub_state *state)
{
	u32 reg;

	for (reg = 0; reg < UB_TEMPS_END; reg++)
		if (state->regs[reg].kind >= UB_REG_WALKING)
			state->regs[reg] = ub_reg_settle(&state->regs[reg]);
}

static bool join_reg(struct ub_reg *to, const struct ub_reg *from, const struct ub_widen *how, u64 limit)
{
	struct ub_reg joined;

	if (ub_reg_equal(to, from))
		return false;
	joined = ub_reg_join(to, from, limit);
	if (how)
		joined = ub_reg_widen(to, &joined, how, limit);
	if (ub_reg_equal(to, &joined))
		return false;
	*to = joined;
	return true;
}

bool ub_state_join(struct ub_state *to, const struct ub_state *from, const struct ub_widen *how, u64 limit, u32 *ret_lost)
{
	struct ub_widen one = how ? *how : (struct ub_widen){ 0 };
	bool is_changed = false;
	u32 reg;
	u8 kind;

	*ret_lost = 0;
	for (reg = 0; reg < UB_TEMPS_END; reg++) {
		kind = to->regs[reg].kind;
		is_changed |= join_reg(&to->regs[reg], &from->regs[reg], how ? &one : NULL, limit);
		if (kind != to->regs[reg].kind)
			*ret_lost |= 1u << reg;
		if (how)
			one.tries++;
	}
	if (to->mark != from->mark && to->mark != UB_MARK_MIXED) {
		to->mark = UB_MARK_MIXED;
		is_changed = true;
	}
	if (from->is_dirty && !to->is_dirty) {
		to->is_dirty = true;
		to->dirty_by = from->dirty_by;
		is_changed = true;
	}
	return is_changed;
}
