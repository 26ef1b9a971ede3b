// SPDX-License-Identifier: GPL-2.0
/*
 * keep: which of the nodes found are worth their place?
 *
 * What never reaches a system call that may be made in the block, or a goal, is dropped.  The rest is taken from the
 * entries on, by the length of the shortest way from call to call that it lies on, until the budget is spent.
 */
#include "lifter.h"

#define OTHER_CALL	400	/* guest instructions that a system call never seen counts as farther */

static bool is_hot_call(const struct lift *l, const struct node *node)
{
	return node->end == END_SYSCALL && region_is_hot(l, node->edges[0].ip);
}

static bool push(struct lift *l, struct heap *heap, u32 key, u32 idx)
{
	if (heap_push(heap, key, idx))
		return true;
	l->err = -ENOMEM;
	return false;
}

static bool come_closer(struct lift *l, struct heap *heap, u32 idx, u32 distance)
{
	if (distance >= l->nodes[idx].distance)
		return true;
	l->nodes[idx].distance = distance;
	return push(l, heap, distance, idx);
}

/* From an entry or from the last system call that was seen. */
static void measure_distance(struct lift *l)
{
	struct heap heap = { 0 };
	u32 i, k, distance;

	for (i = 0; i < l->node_cnt; i++)
		l->nodes[i].distance = FAR_AWAY;
	for (i = 0; i < l->node_cnt; i++) {
		if (l->nodes[i].is_entry)
			come_closer(l, &heap, i, 0);
		if (is_hot_call(l, &l->nodes[i]))
			come_closer(l, &heap, l->nodes[i].edges[0].node, 0);
	}
	while (!l->err && heap_pop(&heap, &distance, &i)) {
		if (distance != l->nodes[i].distance)
			continue;
		for (k = 0; k < l->nodes[i].edge_cnt; k++)
			come_closer(l, &heap, l->nodes[i].edges[k].node,
				    distance + region_edge_length(l, &l->nodes[i], k));
	}
	free(heap.keys);
}

static u32 call_ahead(const struct lift *l, const struct node *node)
{
	if (region_is_goal(l, node->ip) || (l->request->goal_cnt && node->end == END_RET && !node->context))
		return 0;
	if (node->end != END_SYSCALL)
		return FAR_AWAY;
	return is_hot_call(l, node) ? 0 : OTHER_CALL;
}

/* Edges by their targets: those into node n are from[first[n]] to from[first[n + 1] - 1]. */
struct into {
	u32 *first;
	struct { u32 node, edge; } *from;
};

static void free_into(struct into *into)
{
	ub_free(into->first);
	ub_free(into->from);
}

static bool find_into(struct lift *l, struct into *ret)
{
	u32 i, k, cnt = 0;

	for (i = 0; i < l->node_cnt; i++)
		cnt += l->nodes[i].edge_cnt;
	ret->first = ub_alloc(l->node_cnt + 2, sizeof(*ret->first));
	ret->from = ub_alloc(cnt, sizeof(*ret->from));
	if (!ret->first || !ret->from) {
		free_into(ret);
		l->err = -ENOMEM;
		return false;
	}
	/* Counted two places on, summed, and moved one place back as they are filled in. */
	for (i = 0; i < l->node_cnt; i++)
		for (k = 0; k < l->nodes[i].edge_cnt; k++)
			ret->first[l->nodes[i].edges[k].node + 2]++;
	for (i = 2; i < l->node_cnt + 2; i++)
		ret->first[i] += ret->first[i - 1];
	for (i = 0; i < l->node_cnt; i++)
		for (k = 0; k < l->nodes[i].edge_cnt; k++) {
			u32 at = ret->first[l->nodes[i].edges[k].node + 1]++;

			ret->from[at].node = i;
			ret->from[at].edge = k;
		}
	return true;
}

static void look_ahead(struct lift *l, const struct into *into, struct heap *heap)
{
	u32 i, k, ahead;

	while (!l->err && heap_pop(heap, &ahead, &i)) {
		if (ahead != l->nodes[i].ahead)
			continue;
		for (k = into->first[i]; k < into->first[i + 1]; k++) {
			u32 idx = into->from[k].node;
			u32 sum = ahead + region_edge_length(l, &l->nodes[idx], into->from[k].edge);

			if (sum >= l->nodes[idx].ahead)
				continue;
			l->nodes[idx].ahead = sum;
			push(l, heap, sum, idx);
		}
	}
}

static void measure_ahead(struct lift *l)
{
	struct heap heap = { 0 };
	struct into into;
	u32 i;

	if (l->err || !find_into(l, &into))
		return;
	for (i = 0; i < l->node_cnt; i++) {
		l->nodes[i].ahead = call_ahead(l, &l->nodes[i]);
		if (l->nodes[i].ahead < FAR_AWAY)
			push(l, &heap, l->nodes[i].ahead, i);
	}
	look_ahead(l, &into, &heap);
	free_into(&into);
	free(heap.keys);
}

static u32 score(const struct node *node)
{
	return node->distance + node->ahead;
}

/* Something kept leads to it. */
static void see(struct lift *l, struct heap *heap, u32 idx)
{
	struct node *node = &l->nodes[idx];

	if (!node->is_seen && node->cnt && node->ahead < FAR_AWAY)
		push(l, heap, score(node), idx);
	node->is_seen = true;
}

/*
 * Grows from the entries until the budget is spent, of the nodes that what is kept so far leads to always by the one on
 * the shortest way from call to call; edges to what was not taken leave.
 */
static void choose(struct lift *l)
{
	struct heap heap = { 0 };
	u32 i, k, key, total = 0;

	for (i = 0; i < l->node_cnt; i++)
		l->nodes[i].is_kept = l->nodes[i].is_seen = false;
	for (i = 0; i < l->node_cnt; i++)
		if (l->nodes[i].is_entry)
			see(l, &heap, i);
	while (!l->err && heap_pop(&heap, &key, &i) && total + l->nodes[i].cnt <= l->budget) {
		l->nodes[i].is_kept = true;
		total += l->nodes[i].cnt;
		for (k = 0; k < l->nodes[i].edge_cnt; k++)
			see(l, &heap, l->nodes[i].edges[k].node);
	}
	free(heap.keys);
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
	if (l->err)
		return;
	choose(l);
	place_checks(l);
}
