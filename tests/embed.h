/* SPDX-License-Identifier: GPL-2.0 */
/*
 * embed: does a machine lie in what the verifier said of it?  For the tests of the verifier.
 */
#ifndef UB_EMBED_H
#define UB_EMBED_H

#include <inttypes.h>

#include "../verifier/env.h"

/* Is @value one that @reg may hold when there were @ticks ticks since the last check? */
static inline bool embed_reg(const struct ub_reg *reg, u64 value, u32 ticks, u64 limit)
{
	s64 lo = reg->walk.lo + (s64)ticks * reg->walk.down, hi = reg->walk.hi + (s64)ticks * reg->walk.up;

	switch (reg->kind) {
	case UB_REG_SCALAR:
		return ub_bits_has(reg->bits, value) && ub_range_has(reg->range, value);
	case UB_REG_WALKING:
		return (s64)value >= lo && (s64)value <= hi;
	case UB_REG_GUARDED:
		return lo <= hi && value - (u64)lo <= limit + (u64)(hi - lo);
	default:
		return true;
	}
}

/* bound counts where nothing is speculative. */
static inline bool embed_bounds(const struct ub_state *state, const u64 *regs, u64 limit)
{
	u32 reg;

	for (reg = 0; reg < UB_TEMPS_END; reg++)
		if (state->regs[reg].is_bounded && regs[reg] > limit) {
			printf("%s holds 0x%" PRIx64 " and is said to be bounded\n", ub_reg_name(reg), regs[reg]);
			return false;
		}
	return true;
}

/* All registers of @mask. */
static inline bool embed_state(const struct ub_state *state, const u64 *regs, u32 mask, u32 ticks, u64 limit)
{
	u32 reg;

	for (reg = 0; reg < UB_TEMPS_END; reg++) {
		if (!(mask & 1u << reg) || embed_reg(&state->regs[reg], regs[reg], ticks, limit))
			continue;
		printf("%s holds 0x%" PRIx64 " after %u ticks, which is not in it (kind %u)\n", ub_reg_name(reg), regs[reg],
		       ticks, state->regs[reg].kind);
		return false;
	}
	return true;
}

/* What holds before each instruction of a block that passed: @states has room for all. */
static inline void embed_states(struct ub_env *env, struct ub_state *states)
{
	u32 idx;

	/* Labels stand before what follows them. */
	for (idx = 0; idx < env->block->insn_cnt; idx++) {
		if (env->at[idx] & UB_AT_LABEL)
			states[idx] = env->labels[env->label_no[idx]].state;
		if (idx + 1 == env->block->insn_cnt)
			break;
		states[idx + 1] = states[idx];
		ub_step(env, &states[idx + 1], idx);
	}
}

#endif
