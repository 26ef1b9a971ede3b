// SPDX-License-Identifier: GPL-2.0
/*
 * keep: which of the nodes found are worth their place?
 *
 * What never reaches a system call that may be made in the block, or a goal, is dropped.  The rest is taken from the
 * entries on, first what was seen to run, then by the length of the shortest way from call to call that it lies on, until
 * the budget is spent.
 */
#include "lifter.h"

#define OTHER_CALL	400	/* guest instructions that a system call never seen counts as farther, */
#define OPEN_END	20	/* and a branch of which is not known where it leads */

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
		if (l->nodes[i].is_entry || l->nodes[i].is_anchor)
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

/* Its exit will tell where it leads. */
static bool is_open(const struct lift *l, const struct node *node)
{
	return l->request->is_learning && !node->edge_cnt && (node->end == END_INDIRECT || node->end == END_RET);
}

static u32 call_ahead(const struct lift *l, const struct node *node)
{
	if (is_open(l, node))
		return OPEN_END;
	if (region_is_goal(l, node->ip) || (l->request->goal_cnt && node->end == END_RET && !node->context))
		return 0;
	if (node->end != END_SYSCALL)
		return FAR_AWAY;
	return is_hot_call(l, node) ? 0 : OTHER_CALL;
}

static void look_ahead(struct lift *l, const struct edges_in *into, struct heap *heap)
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
	struct edges_in into;
	u32 i;

	if (l->err || !edges_in_find(l, &into))
		return;
	for (i = 0; i < l->node_cnt; i++) {
		l->nodes[i].ahead = call_ahead(l, &l->nodes[i]);
		if (l->nodes[i].ahead < FAR_AWAY)
			push(l, &heap, l->nodes[i].ahead, i);
	}
	look_ahead(l, &into, &heap);
	edges_in_free(&into);
	free(heap.keys);
}

/* What was seen to run comes first. */
static u32 score(const struct lift *l, const struct node *node)
{
	return region_is_hot(l, node->ip) ? 0 : node->distance + node->ahead;
}

/* Something kept leads to it. */
static void see(struct lift *l, struct heap *heap, u32 idx)
{
	struct node *node = &l->nodes[idx];

	if (!node->is_seen && node->cnt && node->ahead < FAR_AWAY)
		push(l, heap, score(l, node), idx);
	node->is_seen = true;
}

/*
 * Grows from the entries until the budget is spent, of the nodes that what is kept so far leads to always by the one
 * with the least score; edges to what was not taken leave.
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
	while (!l->err && heap_pop(&heap, &key, &i)) {
		if (total + l->nodes[i].cnt > l->budget) {
			l->is_short = true;
			break;
		}
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

void region_keep(struct lift *l)
{
	measure_distance(l);
	measure_ahead(l);
	if (l->err)
		return;
	choose(l);
}
