// SPDX-License-Identifier: GPL-2.0
/*
 * cut: how does the code get into a loop, and round?
 *
 * A loop is cut so that the ways in and the way round do not meet at its first instruction but where that costs nothing:
 *
 *	way in:		a copy of the instructions up to the cut; then holds what the loop needs
 *	way round:	the instructions up to the cut
 *	head:		the instruction that sets the flags, and the rest
 *
 * So holds stand outside the loop, and the flags of before it and those of its last iteration never meet, since the head
 * sets new ones.  The tick stands where the flags of before it can be had again from an instruction's operands: at the
 * begin of the way round, or behind the head's first instruction.
 */
#include "lifter.h"

#define MAX_COPY	24	/* instructions before the cut */
#define MAX_SHORT	100	/* on the short ways from call to call */

static bool reads_flags(const struct ub_x86_insn *insn)
{
	return lift_flags(insn) == UB_X86_READ || lift_flags(insn) == UB_X86_READ_SET;
}

static u16 operand_reg(const struct ub_x86_operand *operand)
{
	return operand->kind == UB_X86_REG && !operand->is_high ? 1u << operand->reg : 0;
}

/*
 * Can the flags be had again from the operands?  *ret_mask: the registers that must not change until then.  What is
 * added is added back; so the two operands may not be the same.
 */
static bool is_repeatable(const struct ub_x86_insn *insn, u16 *ret_mask)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];

	if (dst->kind != UB_X86_REG || dst->is_high)
		return false;
	if (insn->operand_cnt > 1 && (src->kind == UB_X86_MEM || (src->kind == UB_X86_REG && src->is_high)))
		return false;
	*ret_mask = operand_reg(dst) | operand_reg(src);
	switch (lift_op(insn)) {
	case UB_OP_CMP: case UB_OP_TEST: case UB_OP_AND: case UB_OP_OR: case UB_OP_XOR: case UB_OP_NEG:
	case UB_OP_INC: case UB_OP_DEC:
		return true;
	case UB_OP_ADD: case UB_OP_SUB:
		return src->kind != UB_X86_REG || src->reg != dst->reg;
	default:
		return false;
	}
}

/* Are the flags at the end of @node those of an instruction in it that can be repeated there? */
static bool ends_repeatable(const struct lift *l, const struct node *node)
{
	u16 mask, written = 0;
	u32 i;

	for (i = node->cnt; i--; ) {
		const struct ub_x86_insn *insn = region_insn(l, node, i);
		u8 flags = lift_flags(insn);

		if (flags == UB_X86_SET || flags == UB_X86_MERGE || flags == UB_X86_READ_SET)
			return is_repeatable(insn, &mask) && !(mask & written);
		written |= insn->writes;
	}
	return false;
}

/* Will all that it reaches in memory be held, or otherwise good, when the loop's head is reached? */
static bool is_held(const struct loop *loop, const struct ub_x86_insn *insn)
{
	u32 i;

	for (i = 0; i < insn->operand_cnt; i++) {
		const struct ub_x86_operand *operand = &insn->operands[i];

		if (operand->kind == UB_X86_MEM && (operand->is_fs || (operand->reg < UB_NGUEST && operand->reg != UB_RSP &&
								       loop->changes & 1u << operand->reg)))
			return false;
	}
	return true;
}

/*
 * The first instruction that sets all flags, reads none, and needs nothing that destroys the machine's before it does:
 * there the ways meet.  Else the first that sets all flags, or 0.
 */
static u32 find_cut(const struct lift *l, const struct loop *loop, const struct node *head)
{
	u32 i, first = UB_U32_MAX;

	for (i = 0; i < head->cnt && i < MAX_COPY; i++) {
		const struct ub_x86_insn *insn = region_insn(l, head, i);

		if (lift_flags(insn) != UB_X86_SET)
			continue;
		if (!insn->may_leave || is_held(loop, insn))
			return i;
		first = i < first ? i : first;
	}
	return first < head->cnt ? first : 0;
}

s32 tick_place(const struct lift *l, const struct node *head)
{
	u16 mask;
	u32 i;

	for (i = 0; i + 1 < head->cnt; i++)
		if (is_repeatable(region_insn(l, head, i), &mask) && !reads_flags(region_insn(l, head, i + 1)))
			return i + 1;
	return -1;
}

/* The only node that comes round, or -1. */
static s32 only_latch(const struct lift *l, s32 loop, u32 head)
{
	s32 latch = -1;
	u32 i, k;

	for (i = 0; i < l->node_cnt; i++) {
		if (!l->nodes[i].is_kept || !loop_has(l, loop, &l->nodes[i]))
			continue;
		for (k = 0; k < l->nodes[i].edge_cnt; k++) {
			if (l->nodes[i].edges[k].node != (s32)head)
				continue;
			if (latch >= 0 && latch != (s32)i)
				return -1;
			latch = i;
		}
	}
	return latch;
}

/* A node with the first @cnt instructions of @like that goes on at @to. */
static s32 new_node(struct lift *l, u32 like, u32 cnt, u32 to)
{
	struct node *node;

	if (!lift_grow(l, (void **)&l->nodes, l->node_cnt, &l->node_cap, sizeof(*node)))
		return -1;
	node = &l->nodes[l->node_cnt];
	*node = l->nodes[like];
	node->cnt = cnt;
	node->end = END_FALL;
	node->edge_cnt = 1;
	node->edges[0] = (struct edge){ .ip = l->nodes[to].ip, .context = node->context, .node = to };
	node->is_entry = false;
	return l->node_cnt++;
}

/* Cuts node @head before instruction @pos; returns the rest. */
static s32 cut_head(struct lift *l, u32 head, u32 pos)
{
	struct node *rest;
	s32 idx = new_node(l, head, 0, head);

	if (idx < 0)
		return -1;
	rest = &l->nodes[idx];
	*rest = l->nodes[head];
	rest->ip = region_insn(l, rest, pos)->ip;
	rest->first += pos;
	rest->cnt -= pos;
	rest->is_entry = false;
	l->nodes[head].cnt = pos;
	l->nodes[head].end = END_FALL;
	l->nodes[head].edge_cnt = 1;
	l->nodes[head].edges[0] = (struct edge){ .ip = rest->ip, .context = rest->context, .node = idx };
	return idx;
}

/* Edges to @from that come from inside the loop, or those from outside, go to @to. */
static void redirect(struct lift *l, s32 loop, u32 from, u32 to, bool is_inside)
{
	u32 i, k;

	for (i = 0; i < l->node_cnt; i++) {
		struct node *node = &l->nodes[i];

		if (i == to || !node->is_kept || (node->end != END_SYSCALL && loop_has(l, loop, node)) != is_inside)
			continue;
		for (k = 0; k < node->edge_cnt; k++)
			if (node->edges[k].node == (s32)from)
				node->edges[k].node = to;
	}
}

/* Gives the node instructions of its own: what is known of their flags and registers is not what holds of the others. */
static void copy_insts(struct lift *l, struct node *node)
{
	u32 i, first = l->inst_cnt;

	for (i = 0; i < node->cnt; i++) {
		if (!lift_grow(l, (void **)&l->insts, l->inst_cnt, &l->inst_cap, sizeof(*l->insts)))
			return;
		l->insts[l->inst_cnt++] = l->insts[node->first + i];
	}
	node->first = node->cnt ? first : node->first;
}

s32 node_copy(struct lift *l, u32 idx)
{
	u32 copy = l->node_cnt;

	if (!lift_grow(l, (void **)&l->nodes, l->node_cnt, &l->node_cap, sizeof(*l->nodes)))
		return -1;
	l->node_cnt++;
	l->nodes[copy] = l->nodes[idx];
	l->nodes[copy].is_entry = false;
	copy_insts(l, &l->nodes[copy]);
	return l->err ? -1 : (s32)copy;
}

/* The way in: a node outside the loop, which takes over the entry. */
static void make_way_in(struct lift *l, s32 loop, u32 first, u32 head)
{
	s32 way_in = new_node(l, first, first == head ? 0 : l->nodes[first].cnt, head);

	if (way_in < 0)
		return;
	copy_insts(l, &l->nodes[way_in]);
	l->nodes[way_in].loop = l->loops[loop].parent;
	l->nodes[way_in].way_into = loop;
	redirect(l, loop, first, way_in, false);
	l->nodes[way_in].is_entry = l->nodes[first].is_entry;
	l->nodes[first].is_entry = false;
}

/* The way round begins with a tick; if it has no instructions it is that alone. */
static void tick_on_way_round(struct lift *l, s32 loop, u32 first, u32 head)
{
	s32 round = first;

	if (first == head) {
		round = new_node(l, head, 0, head);
		if (round < 0)
			return;
		redirect(l, loop, head, round, true);
		l->nodes[head].lead = round;
	}
	l->nodes[round].tick_pos = 0;
}

static void cut_loop(struct lift *l, s32 loop)
{
	u32 first = l->loops[loop].head, pos = find_cut(l, &l->loops[loop], &l->nodes[first]);
	s32 latch = only_latch(l, loop, first), head = first, tick;
	bool is_free = latch >= 0 && ends_repeatable(l, &l->nodes[latch]);

	if (pos) {
		head = cut_head(l, first, pos);
		if (head < 0)
			return;
		l->nodes[head].lead = first;
		l->loops[loop].head = head;
	}
	l->nodes[head].head_of = loop;
	tick = is_free ? -1 : tick_place(l, &l->nodes[head]);
	make_way_in(l, loop, first, head);
	if (tick >= 0)
		l->nodes[head].tick_pos = tick;
	else
		tick_on_way_round(l, loop, first, head);
}

/* An entry begins with a mark, so a tick may not stand there. */
static void spare_entries(struct lift *l)
{
	u32 i, cnt = l->node_cnt;
	s32 entry;

	for (i = 0; i < cnt; i++) {
		if (!l->nodes[i].is_entry || !l->nodes[i].is_kept || l->nodes[i].tick_pos)
			continue;
		entry = new_node(l, i, 0, i);
		if (entry < 0)
			return;
		l->nodes[entry].is_entry = true;
		l->nodes[entry].tick_pos = -1;
		l->nodes[i].is_entry = false;
	}
}

void loops_cut(struct lift *l)
{
	u32 i;

	for (i = 0; i < l->loop_cnt && !l->err; i++)
		cut_loop(l, i);
	spare_entries(l);
}

/* --- the shortest way from call to call --- */

struct apart {
	struct lift *l;
	u32 longest;	/* way that counts as short */
	u32 cnt;	/* nodes before any was copied */
	u32 *copies;	/* of each: its copy + 1, or 0 */
};

static bool is_near(const struct apart *a, s32 idx)
{
	return idx >= 0 && (u32)idx < a->cnt && a->l->nodes[idx].is_kept && node_way(&a->l->nodes[idx]) <= a->longest;
}

/* Is there a call on the short ways, and are they short enough to stand twice? */
static bool is_worthwhile(const struct apart *a)
{
	bool has_call = false;
	u32 i, insns = 0;

	for (i = 0; i < a->cnt; i++) {
		if (!is_near(a, i))
			continue;
		has_call |= a->l->nodes[i].end == END_SYSCALL;
		insns += a->l->nodes[i].cnt;
	}
	return has_call && insns <= MAX_SHORT;
}

/* The copy of @idx, and of what follows it up to the call; -1 when there is no memory. */
static s32 copy_of(struct apart *a, u32 idx)
{
	struct lift *l = a->l;
	s32 copy;
	u32 k;

	if (a->copies[idx])
		return (s32)a->copies[idx] - 1;
	copy = node_copy(l, idx);
	if (copy < 0)
		return -1;
	a->copies[idx] = copy + 1;
	for (k = 0; k < l->nodes[copy].edge_cnt && l->nodes[copy].end != END_SYSCALL; k++)
		if (is_near(a, l->nodes[copy].edges[k].node)) {
			s32 to = copy_of(a, l->nodes[copy].edges[k].node);

			l->nodes[copy].edges[k].node = to;
		}
	return copy;
}

static void copy_ways(struct apart *a)
{
	u32 i, k;

	for (i = 0; i < a->cnt; i++)
		for (k = 0; a->l->nodes[i].is_kept && !is_near(a, i) && k < a->l->nodes[i].edge_cnt; k++)
			if (is_near(a, a->l->nodes[i].edges[k].node)) {
				s32 to = copy_of(a, a->l->nodes[i].edges[k].node);

				a->l->nodes[i].edges[k].node = to;
			}
}

/*
 * Where longer ways lead into the shortest ones from call to call, these stand once more for them up to the call: what
 * need not be in its place in a short loop of calls is not for their sake, and behind a call nothing is lost by meeting.
 */
void ways_part(struct lift *l)
{
	struct apart a = { l, lift_longest_way(l), l->node_cnt, ub_alloc(l->node_cnt + 1, sizeof(*a.copies)) };

	if (!a.copies)
		l->err = -ENOMEM;
	else if (is_worthwhile(&a))
		copy_ways(&a);
	ub_free(a.copies);
}
