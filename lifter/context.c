// SPDX-License-Identifier: GPL-2.0
/*
 * context: in which chain of calls does the code stand?
 *
 * A function is lifted anew for each chain of calls that leads to it, so that its ret has one known target, and what is
 * known of the caller's registers is known in it.  Where the budget is too small for that, those that cost most are lifted
 * once for all their calls; their ret then compares with each of the places, and contexts of one caller that can no longer
 * be told from one another return to the places of each.
 */
#include "lifter.h"

#define MAX_DEPTH	12	/* calls in a context */
#define MIN_SHARED	8	/* guest instructions of a function that is worth sharing */

static s32 new_context(struct lift *l, u32 parent, u64 callee)
{
	struct context *context;

	if (!lift_grow(l, (void **)&l->contexts, l->context_cnt, &l->context_cap, sizeof(*context)))
		return -1;
	context = &l->contexts[l->context_cnt];
	*context = (struct context){ .parent = parent, .callee = callee, .depth = l->contexts[parent].depth + 1,
				     .other = l->context_cnt };
	return l->context_cnt++;
}

static bool add_link(struct lift *l, u32 *first, u64 ip, u32 context)
{
	if (!lift_grow(l, (void **)&l->links, l->link_cnt + 1, &l->link_cap, sizeof(*l->links)))
		return false;
	l->links[++l->link_cnt] = (struct link){ .ip = ip, .context = context, .next = *first };
	*first = l->link_cnt;
	return true;
}

static const struct link *find_link(const struct lift *l, u32 first, u64 ip)
{
	for (; first; first = l->links[first].next)
		if (l->links[first].ip == ip)
			return &l->links[first];
	return NULL;
}

/* Adds to a ret in @context where it returns to. */
static void add_returns(struct lift *l, struct node *node, u64 ip, u32 context)
{
	const struct context *from = &l->contexts[context];
	u32 i;

	if (!context)
		region_add_hinted(l, node, ip, 0);
	else if (!from->is_shared)
		region_add_edge(node, from->ret, from->parent);
	for (i = from->first_site; i; i = l->links[i].next)
		region_add_edge(node, l->links[i].ip, l->links[i].context);
}

/* And where the contexts return to that it may be taken for. */
static void add_all_returns(struct lift *l, struct node *node, u64 ip, u32 context)
{
	u32 i = context;

	do {
		add_returns(l, node, ip, i);
		i = l->contexts[i].other;
	} while (i != context);
}

/* The rets that were found before have more targets now. */
static void renew_returns(struct lift *l, u32 context)
{
	u32 i, k = context, node;

	do {
		for (i = l->contexts[k].first_ret; i; i = l->links[i].next) {
			if (!lift_grow(l, (void **)&l->late, l->late_cnt, &l->late_cap, sizeof(*l->late)))
				return;
			node = region_node(l, l->links[i].ip, k) - l->nodes;
			add_all_returns(l, &l->nodes[node], l->links[i].ip, k);
			l->late[l->late_cnt++] = node;
		}
		k = l->contexts[k].other;
	} while (k != context);
}

/* A shared function that is called at one place in both contexts returns to one of them: they are one from then on. */
static void confuse(struct lift *l, u32 a, u32 b)
{
	u32 i, other;

	for (i = l->contexts[a].other; i != a && i != b; i = l->contexts[i].other)
		;
	if (i == b)
		return;
	other = l->contexts[a].other;
	l->contexts[a].other = l->contexts[b].other;
	l->contexts[b].other = other;
	renew_returns(l, a);
}

/* The one context of a shared function, which from now on returns to (@ret, @parent) too. */
static s32 enter_shared(struct lift *l, u32 parent, u64 ret, u64 callee)
{
	u64 *home = map_put(&l->homes, callee, 0);
	const struct link *same;
	s32 context;

	if (!home) {
		l->err = -ENOMEM;
		return -1;
	}
	context = *home ? (s32)*home : new_context(l, 0, callee);
	if (context < 0)
		return -1;
	*home = context;
	l->contexts[context].is_shared = true;
	same = find_link(l, l->contexts[context].first_site, ret);
	if (same)
		confuse(l, same->context, parent);
	else if (add_link(l, &l->contexts[context].first_site, ret, parent))
		renew_returns(l, context);
	return context;
}

s32 context_enter(struct lift *l, u32 parent, u64 ret, u64 callee)
{
	s32 context;
	u32 i;

	if (map_get(l->shared, callee, 0))
		return enter_shared(l, parent, ret, callee);
	for (i = l->contexts[parent].first_child; i; i = l->contexts[i].next_child)
		if (l->contexts[i].ret == ret && l->contexts[i].callee == callee)
			return i;
	context = new_context(l, parent, callee);
	if (context < 0)
		return -1;
	l->contexts[context].ret = ret;
	l->contexts[context].next_child = l->contexts[parent].first_child;
	l->contexts[parent].first_child = context;
	return context;
}

void context_return(struct lift *l, u32 node, u64 ip)
{
	u32 context = l->nodes[node].context;

	if (add_link(l, &l->contexts[context].first_ret, ip, 0))
		add_all_returns(l, &l->nodes[node], ip, context);
}

const char *context_refuse(const struct lift *l, u32 context, u64 callee)
{
	if (map_get(l->shared, callee, 0))
		return NULL;
	if (l->contexts[context].depth >= MAX_DEPTH)
		return "call depth";
	for (; context; context = l->contexts[context].parent)
		if (l->contexts[context].callee == callee)
			return "recursion";
	return NULL;
}

/* Of each function the contexts in the upper half, and their instructions in the lower. */
static bool measure(struct lift *l, struct map *functions)
{
	u32 i, *sizes = ub_alloc(l->context_cnt, sizeof(*sizes));

	for (i = 0; sizes && i < l->node_cnt; i++)
		sizes[l->nodes[i].context] += l->nodes[i].is_filled ? l->nodes[i].cnt : 0;
	for (i = 1; sizes && i < l->context_cnt; i++) {
		u64 *sum = map_put(functions, l->contexts[i].callee, 0);

		if (sum)
			*sum += 1ull << 32 | sizes[i];
	}
	ub_free(sizes);
	return sizes;
}

static bool share_function(struct map *shared, u64 callee)
{
	return !map_get(shared, callee, 0) && map_put(shared, callee, 0);
}

static bool share_large(const struct map *functions, struct map *shared)
{
	bool is_new = false;
	u32 i;

	for (i = 0; i < functions->cap; i++) {
		const struct map_slot *slot = &functions->slots[i];

		if (slot->is_used && slot->val >> 32 > 1 && (u32)slot->val >= MIN_SHARED * (slot->val >> 32))
			is_new |= share_function(shared, slot->ip);
	}
	return is_new;
}

/* Shares the function of a context that calls a shared one, if it has others. */
static bool share_caller(const struct lift *l, const struct map *functions, struct map *shared, u32 context)
{
	const u64 *sum;

	if (!context || l->contexts[context].is_shared)
		return false;
	sum = map_get(functions, l->contexts[context].callee, 0);
	return sum && *sum >> 32 > 1 && share_function(shared, l->contexts[context].callee);
}

/* A shared function cannot tell the contexts of one caller from one another. */
static bool share_callers(const struct lift *l, const struct map *functions, struct map *shared)
{
	bool is_new = false;
	u32 i, k;

	for (i = 1; i < l->context_cnt; i++) {
		const struct context *context = &l->contexts[i];

		if (!map_get(shared, context->callee, 0))
			continue;
		is_new |= share_caller(l, functions, shared, context->parent);
		for (k = context->first_site; k; k = l->links[k].next)
			is_new |= share_caller(l, functions, shared, l->links[k].context);
	}
	return is_new;
}

bool context_share(struct lift *l, struct map *shared)
{
	struct map functions = { 0 };
	bool is_new = measure(l, &functions) && l->is_short && share_large(&functions, shared);

	while (share_callers(l, &functions, shared))
		is_new = true;
	ub_free(functions.slots);
	return is_new;
}
