// SPDX-License-Identifier: GPL-2.0
/*
 * context: in which chain of calls does the code stand?
 *
 * A function is lifted anew for each chain of calls that leads to it, so that its ret has one known target, and what is
 * known of the caller's registers is known in it.  Where the budget is too small for that, those that cost most are lifted
 * once for all their calls; their ret then compares with each of the places.
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
	*context = (struct context){ .parent = parent, .callee = callee, .depth = l->contexts[parent].depth + 1 };
	return l->context_cnt++;
}

/* Adds a place to the list at *first; false when it is there already. */
static bool add_link(struct lift *l, u32 context, bool is_site, u64 ip, u32 link_context)
{
	u32 i, *first;

	if (!lift_grow(l, (void **)&l->links, l->link_cnt + 1, &l->link_cap, sizeof(*l->links)))
		return false;
	first = is_site ? &l->contexts[context].first_site : &l->contexts[context].first_ret;
	for (i = *first; i; i = l->links[i].next)
		if (l->links[i].ip == ip && l->links[i].context == link_context)
			return false;
	l->links[++l->link_cnt] = (struct link){ .ip = ip, .context = link_context, .next = *first };
	*first = l->link_cnt;
	return true;
}

/* The one context of a shared function, which from now on returns to (@ret, @parent) too. */
static s32 enter_shared(struct lift *l, u32 parent, u64 ret, u64 callee)
{
	u64 *home = map_put(&l->homes, callee, 0);
	s32 context;
	u32 i, node;

	if (!home) {
		l->err = -ENOMEM;
		return -1;
	}
	context = *home ? (s32)*home : new_context(l, 0, callee);
	if (context < 0)
		return -1;
	*home = context;
	l->contexts[context].is_shared = true;
	if (!add_link(l, context, true, ret, parent))
		return context;
	for (i = l->contexts[context].first_ret; i; i = l->links[i].next) {
		if (!lift_grow(l, (void **)&l->late, l->late_cnt, &l->late_cap, sizeof(*l->late)))
			break;
		node = region_node(l, l->links[i].ip, context) - l->nodes;
		region_add_edge(&l->nodes[node], ret, parent);
		l->late[l->late_cnt++] = node;
	}
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

void context_return(struct lift *l, struct node *node, u64 ip)
{
	const struct context *context = &l->contexts[node->context];
	u32 i;

	if (!context->is_shared) {
		region_add_edge(node, context->ret, context->parent);
		return;
	}
	add_link(l, node->context, false, ip, 0);
	for (i = context->first_site; i; i = l->links[i].next)
		region_add_edge(node, l->links[i].ip, l->links[i].context);
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

bool context_share(struct lift *l, struct map *shared)
{
	u32 i, *sizes = ub_alloc(l->context_cnt, sizeof(*sizes));
	struct map functions = { 0 };
	bool is_new = false;

	for (i = 0; sizes && i < l->node_cnt; i++)
		sizes[l->nodes[i].context] += l->nodes[i].is_filled ? l->nodes[i].cnt : 0;
	/* Of each function the contexts in the upper half, and their instructions in the lower. */
	for (i = 1; sizes && i < l->context_cnt; i++) {
		u64 *sum = map_put(&functions, l->contexts[i].callee, 0);

		if (sum)
			*sum += 1ull << 32 | sizes[i];
	}
	for (i = 0; i < functions.cap; i++) {
		const struct map_slot *slot = &functions.slots[i];

		if (!slot->is_used || slot->val >> 32 < 2 || (u32)slot->val < MIN_SHARED * (slot->val >> 32))
			continue;
		is_new |= !map_get(shared, slot->ip, 0) && map_put(shared, slot->ip, 0);
	}
	ub_free(functions.slots);
	ub_free(sizes);
	return is_new;
}

