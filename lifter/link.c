// SPDX-License-Identifier: GPL-2.0
/*
 * link: in which order do the nodes stand in the block, and how do they come to one another?
 *
 * The likely target of a node stands right behind it where possible.  Targets that are not in the block become exits:
 * in place where a node ends with one, else one per address behind all nodes.
 */
#include "lifter.h"

struct linker {
	struct lift *l;
	u32 *order;		/* nodes as they stand */
	u32 cnt;
	struct ub_insn *insns;
	u32 insn_cnt;
	bool *is_far;		/* jumps whose off still names a node or an exit */
	u64 *exits;		/* addresses, behind the nodes */
	struct map known_exits;	/* address -> index + 1 */
	u32 exit_cnt, exit_cap, exit_start;
};

static s32 edge_node(const struct node *node, s32 edge)
{
	return edge < 0 || (u32)edge >= node->edge_cnt ? -1 : node->edges[edge].node;
}

static bool stays(const struct lift *l, const struct node *node, u32 to)
{
	return loop_has(l, node->loop, &l->nodes[to]);
}

/* The edge that should fall through. */
static s32 likely(const struct lift *l, const struct node *node)
{
	s32 taken, next;

	if (node->end != END_JCC)
		return node->end == END_INDIRECT && node->tail < 0 ? 0 : node->tail;
	taken = edge_node(node, 0);
	next = edge_node(node, 1);
	if (taken < 0 || next < 0)
		return next < 0 ? 0 : 1;
	/* The edge that stays in the loop; if both do, the compiler has thought of it. */
	if (node->loop >= 0 && (stays(l, node, taken) || stays(l, node, next)))
		return stays(l, node, next) ? 1 : 0;
	return l->nodes[taken].ahead < l->nodes[next].ahead ? 0 : 1;
}

static void place_chain(struct linker *k, s32 idx, u32 *stack, u32 *stack_cnt)
{
	struct lift *l = k->l;
	u32 i;

	while (idx >= 0 && !l->nodes[idx].is_placed) {
		struct node *node = &l->nodes[idx];

		if (node->lead >= 0 && !l->nodes[node->lead].is_placed) {
			l->nodes[node->lead].is_placed = true;
			k->order[k->cnt++] = node->lead;
		}
		node->is_placed = true;
		k->order[k->cnt++] = idx;
		for (i = 0; i < node->edge_cnt; i++)
			if (node->edges[i].node >= 0 && (s32)i != likely(l, node))
				stack[(*stack_cnt)++] = node->edges[i].node;
		idx = edge_node(node, likely(l, node));
	}
}

static u32 count_edges(const struct lift *l)
{
	u32 i, cnt = 0;

	for (i = 0; i < l->node_cnt; i++)
		cnt += l->nodes[i].edge_cnt;
	return cnt;
}

static int order_nodes(struct linker *k)
{
	struct lift *l = k->l;
	/* Each node is placed once. */
	u32 i, stack_cnt = 0, *stack = ub_alloc(count_edges(l) + 1, sizeof(*stack));

	if (!stack)
		return -ENOMEM;
	for (i = 0; i < l->node_cnt; i++) {
		if (!l->nodes[i].is_entry || !l->nodes[i].is_kept)
			continue;
		place_chain(k, i, stack, &stack_cnt);
		while (stack_cnt) {
			s32 next = stack[--stack_cnt];

			place_chain(k, next, stack, &stack_cnt);
		}
	}
	ub_free(stack);
	return 0;
}

static u32 exit_at(struct linker *k, u64 ip)
{
	u64 *known = map_put(&k->known_exits, ip, 0);

	if (!known || !lift_grow(k->l, (void **)&k->exits, k->exit_cnt, &k->exit_cap, sizeof(*k->exits))) {
		k->l->err = -ENOMEM;
		return 0;
	}
	if (!*known) {
		k->exits[k->exit_cnt] = ip;
		*known = ++k->exit_cnt;
	}
	return *known - 1;
}

/* A jump at the end of the block to an edge; where that is, patch() says. */
static void put_jump(struct linker *k, const struct ub_insn *insn, const struct node *node, u32 edge)
{
	struct ub_insn *to = &k->insns[k->insn_cnt];

	k->is_far[k->insn_cnt++] = true;
	*to = *insn;
	if (node->edges[edge].node >= 0)
		to->off = node->edges[edge].node;
	else
		to->off = -1 - (s32)exit_at(k, node->edges[edge].ip);
}

static void put_tail(struct linker *k, const struct node *node, u32 edge, s32 next)
{
	const struct ub_insn jmp = { .op = UB_OP_JMP };

	if (edge_node(node, edge) >= 0 && edge_node(node, edge) == next)
		return;
	if (edge_node(node, edge) >= 0)
		put_jump(k, &jmp, node, edge);
	else
		k->insns[k->insn_cnt++] = (struct ub_insn){ .op = UB_OP_EXIT, .imm = node->edges[edge].ip };
}

/* loop goes on (edge 0) unless rcx is 0 now, or its condition ends it; jrcxz jumps if it is. */
static void put_counted(struct linker *k, const struct node *node, const struct ub_x86_insn *insn, s32 next)
{
	bool is_loop = insn->name <= UB_X86_LOOPNE, has_cc = is_loop && insn->name != UB_X86_LOOP;
	const struct ub_insn jeq = { .op = UB_OP_JEQ, .src = insn->name == UB_X86_JECXZ ? REG_T : UB_RCX };

	if (has_cc)
		put_jump(k, &(struct ub_insn){ .op = UB_OP_JCC, .mode = UB_MODE(0, false, lift_cc(insn)) }, node, 1);
	put_jump(k, &jeq, node, is_loop);
	put_tail(k, node, !is_loop, next);
}

static void put_node(struct linker *k, struct node *node, s32 next)
{
	const struct fixup *fixup = &k->l->fixups[node->first_fixup];
	const struct ub_x86_insn *last;
	u32 i, edge = 1;
	enum ub_cc cc;

	node->start = k->insn_cnt;
	for (i = 0; i < node->op_cnt; i++)
		k->insns[k->insn_cnt++] = node->ops[i];
	for (i = 0; i < node->fixup_cnt; i++, fixup++) {
		k->is_far[node->start + fixup->op] = true;
		k->insns[node->start + fixup->op].off = node->edges[fixup->edge].node;
	}
	if (node->end == END_STOP)
		k->insns[k->insn_cnt++] = (struct ub_insn){ .op = UB_OP_EXIT, .imm = node->stop_ip };
	else if (node->end != END_JCC && node->tail >= 0)
		put_tail(k, node, node->tail, next);
	if (node->end != END_JCC)
		return;
	last = region_insn(k->l, node, node->cnt - 1);
	if (last->name >= UB_X86_LOOP) {
		put_counted(k, node, last, next);
		return;
	}
	cc = lift_cc(last);
	if (edge_node(node, 0) >= 0 && edge_node(node, 0) == next) {
		cc ^= 1;
		edge = 0;
	}
	put_jump(k, &(struct ub_insn){ .op = UB_OP_JCC, .mode = UB_MODE(0, false, cc) }, node, 1 - edge);
	put_tail(k, node, edge, next);
}

/* What ticks lead to; it comes back behind the tick. */
static void put_renewal(struct linker *k, const struct node *node)
{
	u32 i, behind = node->start + node->tick_op + 1;

	k->insns[behind - 1].off = k->insn_cnt - behind;
	for (i = 0; i < node->renewal_cnt; i++)
		k->insns[k->insn_cnt++] = node->renewal[i];
	k->insns[k->insn_cnt - 1].off = behind - k->insn_cnt;
}

/* Jumps that still name a node or an exit get their distance. */
static void patch(struct linker *k)
{
	u32 i;

	for (i = 0; i < k->exit_start; i++) {
		struct ub_insn *insn = &k->insns[i];
		s64 target;

		if (!k->is_far[i])
			continue;
		target = insn->off >= 0 ? k->l->nodes[insn->off].start : k->exit_start + (-1 - insn->off);
		insn->off = target - i - 1;
	}
}

static int put_entries(struct lift *l, struct ub_lifted *lifted)
{
	struct ub_entry *entries = ub_alloc(l->request->entry_cnt, sizeof(*entries));
	u32 i, cnt = 0;

	if (!entries)
		return -ENOMEM;
	for (i = 0; i < l->node_cnt && cnt < UB_MAX_ENTRIES; i++)
		if (l->nodes[i].is_entry && l->nodes[i].is_kept)
			entries[cnt++] = (struct ub_entry){ .ip = l->nodes[i].ip, .insn_idx = l->nodes[i].start };
	lifted->block.entries = entries;
	lifted->block.entry_cnt = cnt;
	return 0;
}

/* No more instructions than this come out: each node adds at most three, each may have exits of its own. */
static u32 most_insns(const struct lift *l)
{
	u32 i, cnt = 0;

	for (i = 0; i < l->node_cnt; i++)
		if (l->nodes[i].is_kept)
			cnt += l->nodes[i].op_cnt + l->nodes[i].renewal_cnt + 3 + l->nodes[i].edge_cnt;
	return cnt;
}

static int put_nodes(struct linker *k)
{
	struct lift *l = k->l;
	u32 i;

	for (i = 0; i < k->cnt; i++)
		put_node(k, &l->nodes[k->order[i]], i + 1 < k->cnt ? (s32)k->order[i + 1] : -1);
	for (i = 0; i < k->cnt; i++)
		if (l->nodes[k->order[i]].renewal_cnt)
			put_renewal(k, &l->nodes[k->order[i]]);
	k->exit_start = k->insn_cnt;
	for (i = 0; i < k->exit_cnt; i++)
		k->insns[k->insn_cnt++] = (struct ub_insn){ .op = UB_OP_EXIT, .imm = k->exits[i] };
	patch(k);
	return l->err;
}

int link_block(struct lift *l, struct ub_lifted *lifted)
{
	struct linker k = { .l = l };
	int err = -ENOMEM;

	k.order = ub_alloc(l->node_cnt, sizeof(*k.order));
	k.insns = ub_alloc(most_insns(l), sizeof(*k.insns));
	k.is_far = ub_alloc(most_insns(l), sizeof(*k.is_far));
	if (!k.order || !k.insns || !k.is_far || (err = order_nodes(&k)) || (err = put_nodes(&k))) {
		ub_free(k.insns);
		goto out;
	}
	lifted->block.insns = k.insns;
	lifted->block.insn_cnt = k.insn_cnt;
	lifted->block.resident = l->resident && l->resident != UB_RESIDENT_DEFAULT ? l->resident : 0;
	err = k.insn_cnt > UB_MAX_INSNS ? -E2BIG : put_entries(l, lifted);
out:
	ub_free(k.order);
	ub_free(k.is_far);
	free(k.exits);
	ub_free(k.known_exits.slots);
	return err;
}

static int by_address(const void *a, const void *b)
{
	const struct ub_x86_insn *x = *(struct ub_x86_insn *const *)a, *y = *(struct ub_x86_insn *const *)b;

	return x->ip < y->ip ? -1 : x->ip > y->ip;
}

/* Adds the bytes of one instruction to the last range, or starts a new one. */
static int add_bytes(struct ub_lifted *lifted, const struct ub_x86_insn *insn)
{
	struct ub_code_range *range = lifted->range_cnt ? &lifted->ranges[lifted->range_cnt - 1] : NULL;
	u64 end = range ? range->start + range->len : 0;
	u32 skip = range && insn->ip < end ? end - insn->ip : 0;
	u8 *bytes;

	if (skip >= insn->len)
		return 0;
	if (!range || insn->ip > end) {
		range = &lifted->ranges[lifted->range_cnt++];
		range->start = insn->ip;
	}
	bytes = realloc(range->bytes, range->len + insn->len - skip);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes + range->len, insn->bytes + skip, insn->len - skip);
	range->bytes = bytes;
	range->len += insn->len - skip;
	return 0;
}

int link_ranges(struct lift *l, struct ub_lifted *lifted)
{
	const struct ub_x86_insn **insns;
	u32 i, k, cnt = 0;
	int err = 0;

	for (i = 0; i < l->node_cnt; i++)
		cnt += l->nodes[i].is_kept ? l->nodes[i].cnt : 0;
	insns = ub_alloc(cnt, sizeof(*insns));
	lifted->ranges = ub_alloc(cnt, sizeof(*lifted->ranges));
	cnt = 0;
	if (!insns || !lifted->ranges) {
		ub_free(insns);
		return -ENOMEM;
	}
	for (i = 0; i < l->node_cnt; i++)
		for (k = 0; l->nodes[i].is_kept && k < l->nodes[i].cnt; k++)
			insns[cnt++] = region_insn(l, &l->nodes[i], k);
	qsort(insns, cnt, sizeof(*insns), by_address);
	for (i = 0; i < cnt && !err; i++)
		err = add_bytes(lifted, insns[i]);
	lifted->guest_insn_cnt = cnt;
	ub_free(insns);
	return err;
}

static void add_end(struct lift *l, struct map *known, struct ub_lifted *lifted, u64 ip, const char *why)
{
	u64 *has = map_put(known, ip, 0);

	if (!has)
		l->err = -ENOMEM;
	if (!has || *has)
		return;
	*has = true;
	lifted->ends[lifted->end_cnt].ip = ip;
	snprintf(lifted->ends[lifted->end_cnt++].reason, sizeof(lifted->ends[0].reason), "%s", why);
}

/* Why did the edge leave the block? */
static const char *edge_why(const struct lift *l, const struct edge *edge)
{
	const struct node *node = region_node(l, edge->ip, edge->context);

	if (!node || !node->is_filled)
		return "budget";
	if (!node->cnt && node->end == END_STOP)
		return node->why;
	return node->ahead >= FAR_AWAY ? "no call ahead" : "budget";
}

static void end_node(struct lift *l, struct map *known, struct ub_lifted *lifted, const struct node *node)
{
	u32 k;

	if (node->is_filled && node->end == END_STOP)
		add_end(l, known, lifted, node->stop_ip, node->why);
	if (node->is_kept && !node->edge_cnt && node->end != END_STOP)
		add_end(l, known, lifted, region_insn(l, node, node->cnt - 1)->ip, "indirect");
	for (k = 0; node->is_kept && k < node->edge_cnt; k++)
		if (node->edges[k].node < 0)
			add_end(l, known, lifted, node->edges[k].ip, edge_why(l, &node->edges[k]));
}

int link_ends(struct lift *l, struct ub_lifted *lifted)
{
	struct map known = { 0 };
	u32 i;

	lifted->ends = ub_alloc(l->node_cnt + count_edges(l) + 1, sizeof(*lifted->ends));
	if (!lifted->ends)
		return -ENOMEM;
	for (i = 0; i < l->node_cnt; i++)
		end_node(l, &known, lifted, &l->nodes[i]);
	ub_free(known.slots);
	return l->err;
}
