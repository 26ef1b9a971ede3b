// SPDX-License-Identifier: GPL-2.0
/*
 * flags: whose flags does nobody see?
 *
 * Liveness, backwards over the kept nodes.  Whatever may leave shows the flags to the outside, so only flags that are
 * written again before that are dead.
 */
#include "lifter.h"

/* Are the flags live before @insn, given whether they are behind it? */
static bool step(const struct ub_x86_insn *insn, bool is_live)
{
	if (insn->may_leave)
		return true;
	switch (lift_flags(insn)) {
	case UB_X86_READ:
	case UB_X86_READ_SET:
		return true;
	case UB_X86_SET:
		return false;
	default:
		return is_live;
	}
}

static bool is_live_out(const struct lift *l, const struct node *node)
{
	u32 i;

	if (node->end == END_STOP || !node->edge_cnt)
		return true;
	for (i = 0; i < node->edge_cnt; i++)
		if (node->edges[i].node < 0 || l->nodes[node->edges[i].node].is_live_in)
			return true;
	return false;
}

/* True if what holds at the head of the node has changed. */
static bool walk(struct lift *l, struct node *node)
{
	bool is_live = is_live_out(l, node) || node->way_into >= 0, before = node->is_live_in;
	u32 i;

	for (i = node->cnt; i--; ) {
		l->insts[node->first + i].are_flags_dead = !is_live;
		/* What a tick leads to may leave. */
		is_live = step(region_insn(l, node, i), is_live) || node->tick_pos == (s32)i;
	}
	node->is_live_in = is_live || !node->tick_pos;
	return node->is_live_in != before;
}

void flags_find_dead(struct lift *l)
{
	bool has_changed;
	u32 i;

	for (i = 0; i < l->node_cnt; i++)
		l->nodes[i].is_live_in = false;
	do {
		has_changed = false;
		for (i = l->node_cnt; i--; )
			if (l->nodes[i].is_kept && walk(l, &l->nodes[i]))
				has_changed = true;
	} while (has_changed);
}
