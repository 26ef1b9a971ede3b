// SPDX-License-Identifier: GPL-2.0
/*
 * lift: hot guest code -> one block.
 *
 * Finds the region, then makes the IR of its nodes.  A node may be entered with guards that hold on all ways to it, so
 * nodes are made again while that still shrinks, and at the end they are put in order.
 */
#include "lifter.h"

#define DEFAULT_BUDGET	2000
#define MIN_BUDGET	16
#define MAX_SHARING	2	/* attempts after which no more functions become shared */

struct x86_info {
	void (*fn)(struct lift *l, const struct ub_x86_insn *insn);
	u8 op, cc, flags;
};

static const struct x86_info info[UB_X86_COUNT] = {
	[UB_X86_VECTOR] = { .fn = lift_vector },
#define NAME(mnemonic, fn, op, cc, flags) \
	[UB_X86_##mnemonic] = { lift_##fn, UB_OP_##op, UB_CC_##cc, UB_X86_##flags },
#include "names.h"
};

u8 lift_op(const struct ub_x86_insn *insn)
{
	return info[insn->name].op;
}

enum ub_cc lift_cc(const struct ub_x86_insn *insn)
{
	return info[insn->name].cc;
}

/* A constant that is not 0 makes all flags anew; of those that it leaves undefined the old value is not kept either. */
static bool is_constant_shift(const struct ub_x86_insn *insn)
{
	u8 op = lift_op(insn), width = insn->operands[0].width;

	return (op == UB_OP_SHL || op == UB_OP_SHR || op == UB_OP_SAR) && insn->operands[1].kind == UB_X86_IMM &&
	       insn->operands[1].imm & (width == UB_W64 ? 63 : 31);
}

enum ub_x86_flags lift_flags(const struct ub_x86_insn *insn)
{
	u8 form;

	if (insn->name != UB_X86_VECTOR)
		return is_constant_shift(insn) ? UB_X86_SET : info[insn->name].flags;
	form = ub_vec_info[insn->vec_row].form;
	return form == UB_VEC_FRM || form == UB_VEC_SRM ? UB_X86_SET : UB_X86_KEEP;
}

void lift_insn(struct lift *l)
{
	ir_mark(l);
	info[l->insn->name].fn(l, l->insn);
}

/* Makes the IR of one node; l->track is what then holds at its end. */
static void make_node(struct lift *l, struct node *node)
{
	struct ub_insn *ops;

	l->node = node;
	l->track = *node->in;
	l->op_cnt = 0;
	node->tail = node->end == END_FALL ? 0 : -1;
	node->first_fixup = l->fixup_cnt;
	node->fixup_cnt = 0;
	/* A way round of nothing but a tick is like the head that follows it. */
	if (!node->tick_pos && !node->cnt)
		hold_tick(l, node, region_insn(l, node, 0));
	for (l->pos = 0; l->pos < node->cnt; l->pos++) {
		if (node->tick_pos == (s32)l->pos)
			hold_tick(l, node, region_insn(l, node, l->pos));
		l->insn = region_insn(l, node, l->pos);
		l->are_flags_dead = l->insts[node->first + l->pos].are_flags_dead;
		l->why = NULL;
		lift_insn(l);
		ub_bug_if(l->why, "an instruction that could be lifted no longer can");
	}
	if (node->way_into >= 0)
		hold_on_way_in(l, node);
	else if (node->is_entry && !node->cnt) {
		l->insn = region_insn(l, node, 0);
		ir_mark(l);
	}
	l->node = NULL;
	ops = realloc(node->ops, (l->op_cnt + 1) * sizeof(*ops));
	if (!ops) {
		l->err = -ENOMEM;
		return;
	}
	node->ops = ops;
	node->op_cnt = l->op_cnt;
	memcpy(ops, l->ops, l->op_cnt * sizeof(*ops));
}

/* Tells the targets of a node what holds there; those that lose something are made again. */
static void hand_on(struct lift *l, const struct node *node)
{
	u32 i;

	for (i = 0; i < node->edge_cnt; i++) {
		struct node *to;
		bool is_round;

		if (node->edges[i].node < 0)
			continue;
		to = &l->nodes[node->edges[i].node];
		is_round = to->head_of >= 0 && loop_has(l, to->head_of, node);
		if (!to->is_seen) {
			to->is_seen = to->is_queued = true;
			*to->in = l->track;
		} else if (track_meet(to->in, &l->track, is_round, to->moves)) {
			to->is_queued = true;
		}
	}
}

/* The kept nodes so that each stands before what it leads to, but for loops; returns how many. */
static u32 order_nodes(const struct lift *l, u32 *order, u32 *stack, u8 *next)
{
	u32 i, depth = 0, cnt = l->node_cnt;

	for (i = 0; i < l->node_cnt; i++) {
		if (!l->nodes[i].is_entry || !l->nodes[i].is_kept || next[i])
			continue;
		next[i] = 1;
		stack[depth++] = i;
		while (depth) {
			u32 idx = stack[depth - 1];
			s32 to;

			if (next[idx] > l->nodes[idx].edge_cnt) {
				order[--cnt] = idx;
				depth--;
				continue;
			}
			to = l->nodes[idx].edges[next[idx]++ - 1].node;
			if (to < 0 || next[to])
				continue;
			next[to] = 1;
			stack[depth++] = to;
		}
	}
	memmove(order, order + cnt, (l->node_cnt - cnt) * sizeof(*order));
	return l->node_cnt - cnt;
}

static void run_queue(struct lift *l, const u32 *order, u32 cnt)
{
	bool has_more = true;
	u32 i;

	while (has_more && !l->err) {
		has_more = false;
		for (i = 0; i < cnt && !l->err; i++) {
			struct node *node = &l->nodes[order[i]];

			if (!node->is_queued)
				continue;
			has_more = true;
			node->is_queued = false;
			make_node(l, node);
			hand_on(l, node);
		}
	}
}

static void make_nodes(struct lift *l)
{
	u32 i, cnt = 0, *order = ub_alloc(l->node_cnt, sizeof(*order)), *stack = ub_alloc(l->node_cnt, sizeof(*stack));
	u8 *next = ub_alloc(l->node_cnt, sizeof(*next));

	if (order && stack && next) {
		cnt = order_nodes(l, order, stack, next);
		l->tracks = ub_alloc(cnt, sizeof(*l->tracks));
	}
	if (!order || !stack || !next || !l->tracks) {
		l->err = -ENOMEM;
		goto free;
	}
	for (i = 0; i < cnt; i++) {
		struct node *node = &l->nodes[order[i]];

		node->in = &l->tracks[i];
		node->in->resident = l->resident;
		node->is_seen = node->is_queued = node->is_entry;
	}
	run_queue(l, order, cnt);
free:
	ub_free(order);
	ub_free(stack);
	ub_free(next);
}

static bool has_entry(const struct lift *l)
{
	u32 i;

	for (i = 0; i < l->node_cnt; i++)
		if (l->nodes[i].is_entry && l->nodes[i].is_kept)
			return true;
	return false;
}

/*
 * Finds, makes and links as much as the budget allows; -E2BIG when a block has no room for it.  -EAGAIN when the budget is
 * too small for a context for each call, and @shared now says which functions to lift but once.
 */
static int lift_region(struct lift *l, struct map *shared, bool is_last, struct ub_lifted *lifted)
{
	int err;

	region_find(l);
	if (!l->err)
		region_keep(l);
	if (!l->err && (l->is_short || shared->slots) && !is_last && context_share(l, shared))
		return -EAGAIN;
	if (!l->err && !has_entry(l))
		return -EOPNOTSUPP;
	if (!l->err)
		ways_part(l);
	if (!l->err)
		loops_find(l);
	if (!l->err)
		loops_unroll(l);
	if (!l->err)
		ahead_describe_loops(l);
	if (!l->err)
		loops_cut(l);
	if (!l->err) {
		ahead_find(l);
		flags_find_dead(l);
		make_nodes(l);
	}
	if (!l->err)
		guards_hoist(l);
	if (l->err)
		return l->err;
	if ((err = link_block(l, lifted)) || (err = link_ranges(l, lifted)))
		return err;
	return link_ends(l, lifted);
}

static void free_lift(struct lift *l)
{
	u32 i;

	for (i = 0; i < l->node_cnt; i++) {
		free(l->nodes[i].ops);
		free(l->nodes[i].renewal);
	}
	free(l->insts);
	free(l->nodes);
	free(l->contexts);
	free(l->links);
	free(l->late);
	free(l->loops);
	free(l->near.keys);
	free(l->ops);
	free(l->fixups);
	ub_free(l->tracks);
	ub_free(l->homes.slots);
	ub_free(l->spots.slots);
	ub_free(l->words.slots);
}

/* One attempt. */
static int try_lift(const struct ub_lift_request *request, struct code *code, u32 budget, struct map *shared, bool is_last,
		    struct ub_lifted **ret)
{
	struct lift l = { .request = request, .code = code, .budget = budget, .shared = shared };
	struct ub_lifted *lifted = ub_alloc(1, sizeof(*lifted));
	int err;

	if (!lifted)
		return -ENOMEM;
	err = lift_region(&l, shared, is_last, lifted);
	free_lift(&l);
	if (err)
		ub_lifted_free(lifted);
	else
		*ret = lifted;
	return err;
}

int ub_lift(const struct ub_lift_request *request, struct ub_lifted **ret)
{
	u32 tries = 0, budget = request->max_guest_insns ? request->max_guest_insns : DEFAULT_BUDGET;
	struct map shared = { 0 };
	struct code code = { 0 };
	int err;

	if (!request->read_code || !request->entry_cnt)
		return -EINVAL;
	if (budget > UB_MAX_INSNS / 2)
		budget = UB_MAX_INSNS / 2;
	do {
		err = try_lift(request, &code, budget, &shared, ++tries > MAX_SHARING, ret);
		if (err == -E2BIG)
			budget -= budget / 8;
	} while ((err == -E2BIG && budget >= MIN_BUDGET) || err == -EAGAIN);
	ub_free(shared.slots);
	free(code.chunks);
	free(code.insns);
	ub_free(code.known.slots);
	return err;
}

void ub_lifted_free(struct ub_lifted *lifted)
{
	u32 i;

	if (!lifted)
		return;
	for (i = 0; i < lifted->range_cnt; i++)
		ub_free(lifted->ranges[i].bytes);
	ub_free(lifted->ranges);
	ub_free(lifted->ends);
	ub_free(lifted->block.insns);
	ub_free(lifted->block.entries);
	ub_free(lifted);
}
