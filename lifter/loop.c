// SPDX-License-Identifier: GPL-2.0
/*
 * loop: where does the code run in circles?
 *
 * Cycles that a system call breaks do not count: what is known does not outlive it, and it looks for work itself.  Of
 * the others those with one way in become loops; one that can be entered in its middle only gets its tick.
 */
#include "lifter.h"

/* Edges */

void edges_in_free(struct edges_in *in)
{
	ub_free(in->first);
	ub_free(in->from);
}

static void count_edges(const struct lift *l, u32 *first)
{
	u32 i, k;

	/* Counted two places on, summed, and moved one place back as they are filled in. */
	for (i = 0; i < l->node_cnt; i++)
		for (k = 0; k < l->nodes[i].edge_cnt; k++)
			if (l->nodes[i].edges[k].node >= 0)
				first[l->nodes[i].edges[k].node + 2]++;
	for (i = 2; i < l->node_cnt + 2; i++)
		first[i] += first[i - 1];
}

bool edges_in_find(struct lift *l, struct edges_in *ret)
{
	u32 i, k, at, cnt = 0;

	for (i = 0; i < l->node_cnt; i++)
		cnt += l->nodes[i].edge_cnt;
	ret->first = ub_alloc(l->node_cnt + 2, sizeof(*ret->first));
	ret->from = ub_alloc(cnt, sizeof(*ret->from));
	if (!ret->first || !ret->from) {
		edges_in_free(ret);
		l->err = -ENOMEM;
		return false;
	}
	count_edges(l, ret->first);
	for (i = 0; i < l->node_cnt; i++)
		for (k = 0; k < l->nodes[i].edge_cnt; k++) {
			if (l->nodes[i].edges[k].node < 0)
				continue;
			at = ret->first[l->nodes[i].edges[k].node + 1]++;
			ret->from[at].node = i;
			ret->from[at].edge = k;
		}
	return true;
}

/* Finding */

/* What is needed while loops are found.  A cycle is looked for along edges that no system call breaks. */
struct finder {
	struct lift *l;
	struct edges_in in;
	struct { u32 from, to; } *back;		/* edges that close a cycle */
	u32 back_cnt, back_cap;
	u32 *stack, *next;
	bool *is_root;		/* an entry, or behind a system call */
	bool *is_head;		/* a cycle comes round to it */
	u32 *body;		/* of the loop being looked at: the nodes, ... */
	u32 *mark;		/* ... and its number + 1 at them */
	u32 body_cnt;
};

/* One step of the walk: the next target of @node that has not been seen, or NULL behind its last. */
static struct node *next_target(struct finder *f, struct node *node, u32 *next)
{
	struct lift *l = f->l;

	while (node->end != END_SYSCALL && *next < node->edge_cnt) {
		s32 idx = node->edges[(*next)++].node;

		if (idx < 0)
			continue;
		if (!l->nodes[idx].is_seen)
			return &l->nodes[idx];
		if (!l->nodes[idx].is_queued ||
		    !lift_grow(l, (void **)&f->back, f->back_cnt, &f->back_cap, sizeof(*f->back)))
			continue;
		f->back[f->back_cnt].from = node - l->nodes;	/* it is on the way here */
		f->back[f->back_cnt++].to = idx;
	}
	return NULL;
}

static void walk_from(struct finder *f, u32 start)
{
	struct node *nodes = f->l->nodes, *to;
	u32 depth = 1;

	f->stack[0] = start;
	while (depth) {
		u32 idx = f->stack[depth - 1];

		nodes[idx].is_seen = nodes[idx].is_queued = true;
		to = next_target(f, &nodes[idx], &f->next[idx]);
		if (to)
			f->stack[depth++] = to - nodes;
		else
			nodes[f->stack[--depth]].is_queued = false;
	}
}

static void find_back_edges(struct finder *f)
{
	struct lift *l = f->l;
	u32 i, k;

	for (i = 0; i < l->node_cnt; i++)
		l->nodes[i].is_seen = l->nodes[i].is_queued = false;
	for (i = 0; i < l->node_cnt; i++) {
		if (!l->nodes[i].is_kept)
			continue;
		f->is_root[i] |= l->nodes[i].is_entry;
		for (k = 0; l->nodes[i].end == END_SYSCALL && k < l->nodes[i].edge_cnt; k++)
			if (l->nodes[i].edges[k].node >= 0)
				f->is_root[l->nodes[i].edges[k].node] = true;
	}
	for (i = 0; i < l->node_cnt && !l->err; i++)
		if (f->is_root[i] && !l->nodes[i].is_seen)
			walk_from(f, i);
}

/* A ret that goes back to several callers closes cycles that no call goes round. */
static bool goes_anywhere(const struct node *node)
{
	return node->end == END_RET && node->edge_cnt > 1;
}

/* Collects the nodes from which the loop at @head comes round; false when there is another way into them. */
static bool find_body(struct finder *f, u32 head, u32 mark)
{
	u32 i, k;

	f->body[0] = head;
	f->body_cnt = 1;
	f->mark[head] = mark;
	for (i = 0; i < f->back_cnt; i++)
		if (f->back[i].to == head && f->mark[f->back[i].from] != mark) {
			f->mark[f->back[i].from] = mark;
			f->body[f->body_cnt++] = f->back[i].from;
		}
	for (i = 1; i < f->body_cnt; i++) {
		u32 idx = f->body[i];

		if (f->is_root[idx] || goes_anywhere(&f->l->nodes[idx]))
			return false;
		for (k = f->in.first[idx]; k < f->in.first[idx + 1]; k++) {
			u32 from = f->in.from[k].node;

			if (f->l->nodes[from].end == END_SYSCALL || f->mark[from] == mark || !f->l->nodes[from].is_kept)
				continue;
			f->mark[from] = mark;
			f->body[f->body_cnt++] = from;
		}
	}
	return true;
}

struct found {
	u32 head, size;
	bool has_one_way;
};

static int by_size(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->size != y->size ? (x->size < y->size ? 1 : -1) : (x->head > y->head) - (x->head < y->head);
}

/* Large ones first, so that each node ends up with the smallest it is in. */
static void add_loop(struct finder *f, u32 head)
{
	struct lift *l = f->l;
	s32 loop = l->loop_cnt;
	u32 i;

	if (!lift_grow(l, (void **)&l->loops, l->loop_cnt, &l->loop_cap, sizeof(*l->loops)))
		return;
	find_body(f, head, UB_U32_MAX - loop);
	l->loops[l->loop_cnt++] = (struct loop){ .parent = l->nodes[head].loop, .head = head };
	for (i = 0; i < f->body_cnt; i++)
		l->nodes[f->body[i]].loop = loop;
}

/* Into a circle with more ways in than its head. */
static void put_tick(struct lift *l, struct node *head)
{
	s32 pos = tick_place(l, head);

	head->tick_pos = pos < 0 ? 0 : pos;
}

static void find_loops(struct finder *f)
{
	struct lift *l = f->l;
	struct found *found = ub_alloc(f->back_cnt, sizeof(*found));
	u32 i, cnt = 0;

	if (!found) {
		l->err = -ENOMEM;
		return;
	}
	for (i = 0; i < f->back_cnt; i++)
		f->is_head[f->back[i].to] = true;
	for (i = 0; i < l->node_cnt; i++) {
		if (!f->is_head[i])
			continue;
		found[cnt].head = i;
		found[cnt].has_one_way = find_body(f, i, i + 1);
		found[cnt++].size = f->body_cnt;
	}
	qsort(found, cnt, sizeof(*found), by_size);
	for (i = 0; i < cnt && !l->err; i++) {
		if (found[i].has_one_way)
			add_loop(f, found[i].head);
		else
			put_tick(l, &l->nodes[found[i].head]);
	}
	ub_free(found);
}

bool loop_has(const struct lift *l, s32 loop, const struct node *node)
{
	s32 i = node->loop;

	while (i >= 0 && i != loop)
		i = l->loops[i].parent;
	return i >= 0;
}

static bool alloc_finder(struct finder *f)
{
	struct lift *l = f->l;
	u32 cnt = l->node_cnt;

	f->stack = ub_alloc(cnt, sizeof(*f->stack));
	f->next = ub_alloc(cnt, sizeof(*f->next));
	f->body = ub_alloc(cnt, sizeof(*f->body));
	f->mark = ub_alloc(cnt, sizeof(*f->mark));
	f->is_root = ub_alloc(cnt, sizeof(*f->is_root));
	f->is_head = ub_alloc(cnt, sizeof(*f->is_head));
	if (f->stack && f->next && f->body && f->mark && f->is_root && f->is_head)
		return true;
	l->err = -ENOMEM;
	return false;
}

void loops_find(struct lift *l)
{
	struct finder f = { .l = l };
	u32 i;

	for (i = 0; i < l->node_cnt; i++)
		l->nodes[i].loop = l->nodes[i].way_into = l->nodes[i].lead = l->nodes[i].tick_pos = l->nodes[i].head_of = -1;

	if (alloc_finder(&f) && edges_in_find(l, &f.in)) {
		find_back_edges(&f);
		if (!l->err)
			find_loops(&f);
		edges_in_free(&f.in);
	}
	free(f.back);
	ub_free(f.stack);
	ub_free(f.next);
	ub_free(f.body);
	ub_free(f.mark);
	ub_free(f.is_root);
	ub_free(f.is_head);
}
