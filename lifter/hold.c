// SPDX-License-Identifier: GPL-2.0
/*
 * hold: what is held on the way into a loop, and again when its ticks have run out?
 *
 * On the way in the registers that the loop's addresses are based on become guarded in place, unless they are already,
 * and those that walk drift from there on: at each tick by at most what an iteration adds.  Before the drift could
 * leave the window the ticks are used up; then a check follows, and the walkers are held anew where they are.
 */
#include "lifter.h"

static void put_mark(struct lift *l, const struct ub_x86_insn *insn)
{
	l->insn = insn;
	ir_mark(l);
}

static bool is_low(const struct lift *l, const struct loop *loop, u8 reg)
{
	return (loop->lows | l->nodes[loop->head].lows_in) & 1u << reg;
}

/* Does the loop need @reg held where it is not, or not far enough down? */
static bool needs_hold(const struct lift *l, const struct loop *loop, u8 reg)
{
	const struct fact *fact = &l->track.facts[reg];

	if (!(loop->bases & l->nodes[loop->head].bases_in & l->resident & 1u << reg))
		return false;
	return fact->kind == FACT_NONE || (fact->kind == FACT_HELD && is_low(l, loop, reg) && fact->lo < UB_HOLD_LOW / 2);
}

static bool needs_hold32(const struct lift *l, const struct loop *loop, u8 reg)
{
	return loop->indexes & l->resident & 1u << reg && l->track.facts[reg].kind == FACT_NONE;
}

static void drift(struct track *track, const struct loop *loop)
{
	u8 reg;

	for (reg = 0; reg < UB_NGUEST; reg++) {
		struct fact *fact = &track->facts[reg];

		if (!(loop->steps & 1u << reg))
			continue;
		/* The verifier lets a number grow to all of 32 bits before it drifts. */
		if (fact->kind == FACT_NUMBER && fact->hi < UB_U32_MAX)
			fact->hi = UB_U32_MAX;
		if (loop->step_lo[reg] < fact->drift_lo)
			fact->drift_lo = loop->step_lo[reg];
		if (loop->step_hi[reg] > fact->drift_hi)
			fact->drift_hi = loop->step_hi[reg];
	}
}

void hold_on_way_in(struct lift *l, const struct node *node)
{
	const struct loop *loop = &l->loops[node->way_into];
	const struct ub_x86_insn *first = region_insn(l, &l->nodes[loop->head], 0);
	bool has_mark = false, is_wild = region_is_wild(l, first->ip);
	u8 reg;

	if (node->is_entry && !node->cnt) {
		put_mark(l, first);
		has_mark = true;
	}
	for (reg = 0; reg < UB_NGUEST && !is_wild; reg++) {
		bool is_index = needs_hold32(l, loop, reg);

		if (!is_index && !needs_hold(l, loop, reg))
			continue;
		if (!has_mark)
			put_mark(l, first);
		has_mark = true;
		if (is_index)
			ir_dst(l, UB_OP_HOLD32, 0, false, reg);
		else
			ir_hold(l, reg, is_low(l, loop, reg));
	}
	drift(&l->track, loop);
}

/* What drifted is held where it is. */
static void hold_again(struct lift *l, bool is_wild)
{
	struct track before = l->track;
	u8 reg;

	ir_none(l, UB_OP_CHECK, 0);
	for (reg = 0; reg < UB_NGUEST; reg++) {
		const struct fact *fact = &before.facts[reg];

		if (fact->kind == FACT_NONE || (!fact->drift_lo && !fact->drift_hi))
			continue;
		if (is_wild)
			l->track.facts[reg].kind = FACT_NONE;
		else if (fact->kind == FACT_HELD)
			ir_hold(l, reg, fact->lo >= UB_HOLD_LOW / 2);
		else
			ir_dst(l, UB_OP_HOLD32, 0, false, reg);
		l->track.facts[reg].drift_lo = fact->drift_lo;
		l->track.facts[reg].drift_hi = fact->drift_hi;
	}
}

/*
 *		tick renewal
 *	behind:	...
 *
 *	renewal:	insn ...; check; hold ...; jmp behind
 */
void hold_tick(struct lift *l, struct node *node, const struct ub_x86_insn *insn)
{
	struct track before = l->track, behind;
	struct moves moves[UB_NGUEST] = { 0 };
	u32 first;

	if (l->request->is_plain) {
		put_mark(l, insn);
		ir_none(l, UB_OP_CHECK, 0);
		return;
	}
	node->tick_op = l->op_cnt;
	ir_none(l, UB_OP_TICK, 0);
	behind = l->track;
	first = l->op_cnt;
	l->track = before;
	put_mark(l, insn);
	hold_again(l, region_is_wild(l, insn->ip));
	ir_none(l, UB_OP_JMP, 0);
	track_meet(&behind, &l->track, false, moves);
	l->track = behind;
	free(node->renewal);
	node->renewal_cnt = l->err ? 0 : l->op_cnt - first;
	node->renewal = malloc((node->renewal_cnt + 1) * sizeof(*node->renewal));
	if (!node->renewal) {
		l->err = -ENOMEM;
		return;
	}
	memcpy(node->renewal, l->ops + first, node->renewal_cnt * sizeof(*node->renewal));
	l->op_cnt = first;
}
