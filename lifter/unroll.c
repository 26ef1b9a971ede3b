// SPDX-License-Identifier: GPL-2.0
/*
 * unroll: how many turns of a loop does one tick serve?
 *
 * A tick is an instruction and a branch, which a loop of five notices.  So the shortest turn of a loop, or all of a small
 * loop, stands several times in a row: where a turn ends the next copy begins, and the last one leads to the first.
 * Whatever else there is in the loop stands once, and leads to the first.  To what follows that is one loop, with one tick.
 */
#include "lifter.h"

#define SMALL		32u	/* guest instructions of a loop that is copied whole, */
#define SHORT		48u	/* of a turn that is copied, */
#define TARGET		64u	/* of all copies together, unless there are but two */
#define MOST		4u	/* copies */
#define NEVER		(1u << 20)
#define SPARE		400u	/* guest instructions that this may add to a block, */
#define SHARE		4u	/* or this part of what it has */

struct unroller {
	struct lift *l;
	u32 cnt;		/* nodes */
	u32 loop, head;
	u32 size;		/* guest instructions of the part */
	bool *is_part;		/* what is copied */
	u32 *dist, *from;	/* of the nodes that lie in the loop itself: the shortest way there from the head */
	s32 *copies;
};

static bool is_own(const struct unroller *u, s32 idx)
{
	return idx >= 0 && u->l->nodes[idx].is_kept && u->l->nodes[idx].loop == (s32)u->loop;
}

/* A ret that goes back to several callers closes circles that nobody goes round: as if it were longer than any. */
static void take(struct unroller *u, u32 idx)
{
	const struct node *node = &u->l->nodes[idx];

	u->is_part[idx] = true;
	u->size += node->end == END_RET && node->edge_cnt > 1 ? NEVER : node->cnt;
}

static void take_loop(struct unroller *u)
{
	u32 i;

	for (i = 0; i < u->l->loop_cnt; i++)
		if (u->l->loops[i].parent == (s32)u->loop)
			u->size = NEVER;
	for (i = 0; i < u->cnt; i++)
		if (is_own(u, i))
			take(u, i);
}

static void drop_part(struct unroller *u)
{
	memset(u->is_part, 0, u->cnt * sizeof(*u->is_part));
	u->size = 0;
}

/* Where the shortest way from the head back to it comes from; -1: each leads through another loop. */
static s32 find_turn(struct unroller *u)
{
	struct lift *l = u->l;
	struct heap heap = { 0 };
	u32 i, k, dist, least = UB_U32_MAX;
	s32 last = -1;

	for (i = 0; i < u->cnt; i++)
		u->dist[i] = UB_U32_MAX;
	u->dist[u->head] = 0;
	if (!heap_push(&heap, 0, u->head))
		l->err = -ENOMEM;
	while (!l->err && heap_pop(&heap, &dist, &i)) {
		for (k = 0; dist == u->dist[i] && k < l->nodes[i].edge_cnt; k++) {
			s32 to = l->nodes[i].edges[k].node;
			u32 sum = dist + region_edge_length(l, &l->nodes[i], k);

			if (to == (s32)u->head && sum < least) {
				least = sum;
				last = i;
			}
			if (!is_own(u, to) || sum >= u->dist[to])
				continue;
			u->dist[to] = sum;
			u->from[to] = i;
			if (!heap_push(&heap, sum, to))
				l->err = -ENOMEM;
		}
	}
	free(heap.keys);
	return last;
}

static void take_turn(struct unroller *u)
{
	s32 i = find_turn(u);

	if (i < 0)
		return;
	for (; i != (s32)u->head; i = u->from[i])
		take(u, i);
	take(u, u->head);
}

/* One more copy of the part, whose turns end at @next; returns its head, or -1. */
static s32 copy_part(struct unroller *u, s32 next)
{
	struct lift *l = u->l;
	u32 i, k;

	for (i = 0; i < u->cnt; i++) {
		u->copies[i] = u->is_part[i] ? node_copy(l, i) : -1;
		if (l->err)
			return -1;
	}
	for (i = 0; i < u->cnt; i++)
		for (k = 0; u->is_part[i] && k < l->nodes[i].edge_cnt; k++) {
			s32 *to = &l->nodes[u->copies[i]].edges[k].node;

			if (*to == (s32)u->head)
				*to = next;
			else if (*to >= 0 && u->is_part[*to])
				*to = u->copies[*to];
		}
	return u->copies[u->head];
}

static void unroll(struct unroller *u, u32 times)
{
	struct lift *l = u->l;
	s32 next = u->head;
	u32 i, k;

	while (--times && next >= 0)
		next = copy_part(u, next);
	for (i = 0; i < u->cnt && next >= 0; i++)
		for (k = 0; u->is_part[i] && k < l->nodes[i].edge_cnt; k++)
			if (l->nodes[i].edges[k].node == (s32)u->head)
				l->nodes[i].edges[k].node = next;
}

/* How often the part shall stand. */
static u32 times_of(const struct unroller *u)
{
	if (!u->size || u->size > SHORT)
		return 1;
	if (TARGET / u->size < 2)
		return 2;
	return TARGET / u->size < MOST ? TARGET / u->size : MOST;
}

static bool unroll_loops(struct unroller *u)
{
	struct lift *l = u->l;
	u32 i, times, spare = l->inst_cnt / SHARE > SPARE ? l->inst_cnt / SHARE : SPARE;
	bool is_any = false;

	for (i = 0; i < l->loop_cnt && !l->err; i++) {
		u->loop = i;
		u->head = l->loops[i].head;
		drop_part(u);
		take_loop(u);
		if (u->size > SMALL) {
			drop_part(u);
			take_turn(u);
		}
		times = times_of(u);
		if (times < 2 || (times - 1) * u->size > spare)
			continue;
		spare -= (times - 1) * u->size;
		unroll(u, times);
		is_any = true;
	}
	return is_any;
}

void loops_unroll(struct lift *l)
{
	struct unroller u = { .l = l, .cnt = l->node_cnt };
	bool is_any = false;

	if (l->request->is_plain || !l->loop_cnt)
		return;
	u.is_part = ub_alloc(u.cnt, sizeof(*u.is_part));
	u.dist = ub_alloc(u.cnt, sizeof(*u.dist));
	u.from = ub_alloc(u.cnt, sizeof(*u.from));
	u.copies = ub_alloc(u.cnt, sizeof(*u.copies));
	if (u.is_part && u.dist && u.from && u.copies)
		is_any = unroll_loops(&u);
	else
		l->err = -ENOMEM;
	ub_free(u.is_part);
	ub_free(u.dist);
	ub_free(u.from);
	ub_free(u.copies);
	if (!is_any || l->err)
		return;
	l->loop_cnt = 0;
	loops_find(l);
}
