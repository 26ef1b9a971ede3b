// SPDX-License-Identifier: GPL-2.0
/*
 * keep: which of the nodes found are worth their place?
 *
 * What never reaches a system call that may be made in the block, or a goal, is dropped.  The rest is taken from the entries on, by
 * the length of the shortest way from call to call that it lies on, until the budget is spent.
 */
#include "lifter.h"

#define OTHER_CALL	400	/* guest instructions that a system call never seen counts as farther */

static bool is_hot_call(const struct lift *l, const struct node *node)
{
	return node->end == END_SYSCALL && region_is_hot(l, node->edges[0].ip);
}

/* From an entry or from the last system call that was seen. */
static void measure_distance(struct lift *l)
{
	bool has_changed = true;
	u32 i, k;

	for (i = 0; i < l->node_cnt; i++)
		l->nodes[i].distance = l->nodes[i].is_entry ? 0 : FAR_AWAY;
	for (i = 0; i < l->node_cnt; i++)
		if (is_hot_call(l, &l->nodes[i]))
			l->nodes[l->nodes[i].edges[0].node].distance = 0;
	while (has_changed) {
		has_changed = false;
		for (i = 0; i < l->node_cnt; i++)
			for (k = 0; k < l->nodes[i].edge_cnt; k++) {
				struct node *to = &l->nodes[l->nodes[i].edges[k].node];
				u32 distance = l->nodes[i].distance + region_edge_length(l, &l->nodes[i], k);

				if (distance >= to->distance)
					continue;
				to->distance = distance;
				has_changed = true;
			}
	}
}

static u32 call_ahead(const struct lift *l, const struct node *node)
{
	if (region_is_goal(l, node->ip))
		return 0;
	if (node->end != END_SYSCALL)
		return FAR_AWAY;
	return is_hot_call(l, node) ? 0 : OTHER_CALL;
}

static void measure_ahead(struct lift *l)
{
	bool has_changed = true;
	u32 i, k;

	for (i = 0; i < l->node_cnt; i++)
		l->nodes[i].ahead = call_ahead(l, &l->nodes[i]);
	while (has_changed) {
		has_changed = false;
		for (i = l->node_cnt; i--; )
			for (k = 0; k < l->nodes[i].edge_cnt; k++) {
				const struct node *to = &l->nodes[l->nodes[i].edges[k].node];
				u32 ahead = to->ahead + region_edge_length(l, &l->nodes[i], k);

				if (ahead >= l->nodes[i].ahead || to->ahead >= FAR_AWAY)
					continue;
				l->nodes[i].ahead = ahead;
				has_changed = true;
			}
	}
}

static u32 score(const struct node *node)
{
	return node->distance + node->ahead;
}

/* Of the nodes with code that what is kept so far leads to, the one on the shortest way from call to call. */
static s32 best_next(const struct lift *l)
{
	s32 best = -1;
	u32 i;

	for (i = 0; i < l->node_cnt; i++) {
		const struct node *node = &l->nodes[i];

		if (!node->cnt || !node->is_seen || node->is_kept || node->ahead >= FAR_AWAY)
			continue;
		if (best < 0 || score(node) < score(&l->nodes[best]))
			best = i;
	}
	return best;
}

/* Grows from the entries until the budget is spent; edges to what was not taken leave. */
static void choose(struct lift *l)
{
	u32 i, k, total = 0;
	s32 next;

	for (i = 0; i < l->node_cnt; i++) {
		l->nodes[i].is_kept = false;
		l->nodes[i].is_seen = l->nodes[i].is_entry;
	}
	while ((next = best_next(l)) >= 0 && total + l->nodes[next].cnt <= l->budget) {
		struct node *node = &l->nodes[next];

		node->is_kept = true;
		total += node->cnt;
		for (k = 0; k < node->edge_cnt; k++)
			l->nodes[node->edges[k].node].is_seen = true;
	}
	for (i = 0; i < l->node_cnt; i++)
		for (k = 0; k < l->nodes[i].edge_cnt; k++)
			if (!l->nodes[l->nodes[i].edges[k].node].is_kept)
				l->nodes[i].edges[k].node = -1;
}

/* One step of the walk: the next target of @node that has not been seen, or NULL behind its last. */
static struct node *next_target(struct lift *l, struct node *node, u32 *next)
{
	while (node->end != END_SYSCALL && *next < node->edge_cnt) {
		struct node *to;
		s32 idx = node->edges[(*next)++].node;

		if (idx < 0)
			continue;
		to = &l->nodes[idx];
		if (!to->is_seen)
			return to;
		to->has_check |= to->is_queued;		/* on the way here: a cycle */
	}
	return NULL;
}

static void walk_from(struct lift *l, u32 start, u32 *stack, u32 *next)
{
	u32 depth = 1;

	stack[0] = start;
	while (depth) {
		u32 idx = stack[depth - 1];
		struct node *to;

		l->nodes[idx].is_seen = l->nodes[idx].is_queued = true;
		to = next_target(l, &l->nodes[idx], &next[idx]);
		if (to)
			stack[depth++] = to - l->nodes;
		else
			l->nodes[stack[--depth]].is_queued = false;
	}
}

/* Each cycle gets a check, unless a system call stands in it: found by a depth-first walk that stops at those. */
static void place_checks(struct lift *l)
{
	u32 i, *stack = ub_alloc(l->node_cnt, sizeof(*stack)), *next = ub_alloc(l->node_cnt, sizeof(*next));

	if (!stack || !next)
		l->err = -ENOMEM;
	for (i = 0; i < l->node_cnt; i++)
		l->nodes[i].is_seen = l->nodes[i].is_queued = l->nodes[i].has_check = false;
	for (i = 0; !l->err && i < l->node_cnt; i++)
		if (l->nodes[i].is_kept && !l->nodes[i].is_seen)
			walk_from(l, i, stack, next);
	ub_free(stack);
	ub_free(next);
}

void region_keep(struct lift *l)
{
	measure_distance(l);
	measure_ahead(l);
	choose(l);
	place_checks(l);
}
