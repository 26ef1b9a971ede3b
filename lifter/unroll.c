// SPDX-License-Identifier: GPL-2.0
/*
 * unroll: how many turns of a loop does one tick serve?
 *
 * A tick is an instruction and a branch, which a loop of five notices.  So a small loop, or the shortest turns of a larger
 * one, stands several times in a row: where a turn ends the next copy begins, and the last one leads to the first.
 * Whatever else there is in the loop stands once, and leads into the last or to the first.  To what follows that is one
 * loop, with one tick.
 */
#include "lifter.h"

#define SMALL		32u	/* guest instructions of a loop that is copied whole, */
#define SHORT		48u	/* of turns that are copied, */
#define TARGET		64u	/* of all copies together, unless there are but two */
#define MOST		4u	/* copies */
#define NEAR		8u	/* guest instructions by which a turn is not much longer */
#define NEVER		(1u << 20)
#define SPARE		300u	/* guest instructions that this may add to a block, */
#define SHARE		16u	/* or this part of what it has */

struct unroller {
	struct lift *l;
	u32 cnt;		/* nodes, copies left out */
	u32 loop, head;
	u32 size;		/* guest instructions of the part */
	bool *is_part;		/* what is copied */
	u32 *from, *to;		/* the shortest ways from the head and to it, but for those through loops inside */
	s32 *copies;
	struct edges_in in;
};

static bool is_own(const struct unroller *u, s32 idx)
{
	return idx >= 0 && (u32)idx < u->cnt && u->l->nodes[idx].is_kept && u->l->nodes[idx].loop == (s32)u->loop;
}

static bool push(struct unroller *u, struct heap *heap, u32 *dist, u32 idx, u32 to)
{
	dist[idx] = to;
	if (!heap_push(heap, to, idx))
		u->l->err = -ENOMEM;
	return !u->l->err;
}

static void measure_from(struct unroller *u)
{
	struct heap heap = { 0 };
	u32 i, k, dist, sum;

	push(u, &heap, u->from, u->head, 0);
	while (!u->l->err && heap_pop(&heap, &dist, &i))
		for (k = 0; dist == u->from[i] && k < u->l->nodes[i].edge_cnt; k++) {
			s32 to = u->l->nodes[i].edges[k].node;

			sum = dist + region_edge_length(u->l, &u->l->nodes[i], k);
			if (is_own(u, to) && sum < u->from[to])
				push(u, &heap, u->from, to, sum);
		}
	free(heap.keys);
}

static void measure_to(struct unroller *u)
{
	struct heap heap = { 0 };
	u32 i, k, dist, sum;

	push(u, &heap, u->to, u->head, 0);
	while (!u->l->err && heap_pop(&heap, &dist, &i))
		for (k = u->in.first[i]; dist == u->to[i] && k < u->in.first[i + 1]; k++) {
			u32 from = u->in.from[k].node;

			sum = dist + region_edge_length(u->l, &u->l->nodes[from], u->in.from[k].edge);
			if (is_own(u, from) && sum < u->to[from])
				push(u, &heap, u->to, from, sum);
		}
	free(heap.keys);
}

/* The length of the shortest turn. */
static u32 measure(struct unroller *u)
{
	u32 i, k, least = FAR_AWAY;

	for (i = 0; i < u->cnt; i++)
		u->from[i] = u->to[i] = FAR_AWAY;
	measure_from(u);
	measure_to(u);
	for (k = u->in.first[u->head]; k < u->in.first[u->head + 1]; k++) {
		i = u->in.from[k].node;
		if (is_own(u, i) && u->from[i] + u->l->nodes[i].cnt < least)
			least = u->from[i] + u->l->nodes[i].cnt;
	}
	return least;
}

/* Makes the part what lies on turns of at most @longest. */
static void take_turns(struct unroller *u, u32 longest)
{
	u32 i;

	u->size = 0;
	for (i = 0; i < u->cnt; i++) {
		const struct node *node = &u->l->nodes[i];

		u->is_part[i] = is_own(u, i) && u->from[i] + u->to[i] <= longest;
		if (!u->is_part[i])
			continue;
		/* A ret that goes back to several callers closes circles that nobody goes round. */
		u->size += node->end == END_RET && node->edge_cnt > 1 ? NEVER : node->cnt;
	}
}

static void choose_part(struct unroller *u)
{
	u32 least = measure(u);

	take_turns(u, FAR_AWAY - 1);
	if (u->size <= SMALL)
		return;
	take_turns(u, least + NEAR);
	if (u->size > SHORT)
		take_turns(u, least);
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
			else if (*to >= 0 && (u32)*to < u->cnt && u->is_part[*to])
				*to = u->copies[*to];
		}
	return u->copies[u->head];
}

/* All ways to the head, but for those from copies, lead to @first now. */
static void lead_to(struct unroller *u, u32 first)
{
	struct lift *l = u->l;
	u32 i, k;

	for (i = 0; i < u->cnt; i++)
		for (k = 0; k < l->nodes[i].edge_cnt; k++)
			if (l->nodes[i].edges[k].node == (s32)u->head)
				l->nodes[i].edges[k].node = first;
	l->nodes[first].is_entry = l->nodes[u->head].is_entry;
	l->nodes[u->head].is_entry = false;
}

/* The part itself stands last, so that what leads into its middle comes round to the first copy. */
static void unroll(struct unroller *u, u32 times)
{
	s32 next = u->head;

	while (--times && next >= 0)
		next = copy_part(u, next);
	if (next >= 0)
		lead_to(u, next);
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

	/* Small ones first: they are run most. */
	for (i = l->loop_cnt; i-- && !l->err; ) {
		u->loop = i;
		u->head = l->loops[i].head;
		choose_part(u);
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

	if (l->request->is_plain || !l->loop_cnt || !edges_in_find(l, &u.in))
		return;
	u.is_part = ub_alloc(u.cnt, sizeof(*u.is_part));
	u.from = ub_alloc(u.cnt, sizeof(*u.from));
	u.to = ub_alloc(u.cnt, sizeof(*u.to));
	u.copies = ub_alloc(u.cnt, sizeof(*u.copies));
	if (u.is_part && u.from && u.to && u.copies)
		is_any = unroll_loops(&u);
	else
		l->err = -ENOMEM;
	ub_free(u.is_part);
	ub_free(u.from);
	ub_free(u.to);
	ub_free(u.copies);
	edges_in_free(&u.in);
	if (!is_any || l->err)
		return;
	l->loop_cnt = 0;
	loops_find(l);
}
