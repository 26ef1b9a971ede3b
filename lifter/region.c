// SPDX-License-Identifier: GPL-2.0
/*
 * region: which guest code is there, and where does it go?
 *
 * Code is followed from the entries, nearest first, into calls as well: a callee is lifted anew for each chain of
 * calls that leads to it (its context), so that its ret has one known target.  What of it is kept, keep.c decides.
 *
 * Promise: each guest instruction stands at most once per context, and every branch leads to the head of a node.
 */
#include "lifter.h"

#define MAX_CALL	511	/* that an IR instruction has room for */
#define MAX_DEPTH	12	/* calls in a context */
#define UNLIKELY	64	/* guest instructions that an error path counts as longer */
#define OTHER_RET	20	/* and a call that was not seen to return */
#define SEARCH		6	/* times the budget that is looked at */

static bool contains(const u64 *ips, u32 cnt, u64 ip)
{
	u32 i;

	for (i = 0; i < cnt; i++)
		if (ips[i] == ip)
			return true;
	return false;
}

bool region_is_hot(const struct lift *l, u64 ip)
{
	const struct ub_lift_request *request = l->request;
	u32 i;

	for (i = 0; i < request->hint_cnt; i++)
		if (request->hints[i].ip == ip || request->hints[i].target == ip)
			return true;
	return contains(request->roots, request->root_cnt, ip) || contains(request->entries, request->entry_cnt, ip);
}

bool region_is_goal(const struct lift *l, u64 ip)
{
	return contains(l->request->goals, l->request->goal_cnt, ip);
}

const struct ub_x86_insn *region_insn(const struct lift *l, const struct node *node, u32 pos)
{
	return &l->insns[l->insts[node->first + pos].insn];
}

/* Code bytes */

static const u8 *in_chunks(const struct lift *l, u64 ip, u32 len, u32 *ret_len)
{
	u32 i;

	for (i = 0; i < l->chunk_cnt; i++) {
		const struct chunk *chunk = &l->chunks[i];

		if (ip < chunk->start || ip - chunk->start + len > chunk->len)
			continue;
		*ret_len = chunk->len - (ip - chunk->start);
		return chunk->bytes + (ip - chunk->start);
	}
	return NULL;
}

static const u8 *read_code(struct lift *l, u64 ip, u32 *ret_len)
{
	const u8 *bytes = in_chunks(l, ip, ARRAY_SIZE(((struct ub_x86_insn *)0)->bytes), ret_len);
	struct chunk *chunk;

	*ret_len = bytes ? *ret_len : 0;
	if (bytes || !lift_grow(l, (void **)&l->chunks, l->chunk_cnt, &l->chunk_cap, sizeof(*chunk)))
		return bytes;
	chunk = &l->chunks[l->chunk_cnt++];
	chunk->start = ip;
	chunk->len = l->request->read_code(l->request->ctx, ip, chunk->bytes, sizeof(chunk->bytes));
	*ret_len = chunk->len;
	return chunk->bytes;
}

/* Places: where (ip, context) stands.  Open addressing, a power of two, at most half full. */

static struct spot *find_spot(struct lift *l, u64 ip, u32 context)
{
	u64 hash = (ip * 0x9e3779b97f4a7c15ull) ^ (context * 0xc2b2ae3d27d4eb4full);
	u32 i = (hash >> 32) & (l->spot_cap - 1);

	while (l->spots[i].is_used && (l->spots[i].ip != ip || l->spots[i].context != context))
		i = (i + 1) & (l->spot_cap - 1);
	return &l->spots[i];
}

static bool grow_spots(struct lift *l)
{
	struct spot *old = l->spots;
	u32 i, old_cap = l->spot_cap;

	if (l->spot_cnt * 2 < l->spot_cap)
		return true;
	l->spots = ub_alloc(old_cap ? old_cap * 2 : 1024, sizeof(*old));
	if (!l->spots) {
		l->spots = old;
		l->err = -ENOMEM;
		return false;
	}
	l->spot_cap = old_cap ? old_cap * 2 : 1024;
	for (i = 0; i < old_cap; i++)
		if (old[i].is_used)
			*find_spot(l, old[i].ip, old[i].context) = old[i];
	ub_free(old);
	return true;
}

static void set_spot(struct lift *l, u64 ip, u32 context, u32 node, u32 pos)
{
	struct spot *spot;

	if (!grow_spots(l))
		return;
	spot = find_spot(l, ip, context);
	l->spot_cnt += !spot->is_used;
	*spot = (struct spot){ .ip = ip, .context = context, .node = node, .pos = pos, .is_used = true };
}

static const struct spot *get_spot(struct lift *l, u64 ip, u32 context)
{
	struct spot *spot = l->spot_cap ? find_spot(l, ip, context) : NULL;

	return spot && spot->is_used ? spot : NULL;
}

/* Nodes */

static s32 new_node(struct lift *l, u64 ip, u32 context)
{
	struct node *node;

	if (!lift_grow(l, (void **)&l->nodes, l->node_cnt, &l->node_cap, sizeof(*node)))
		return -1;
	node = &l->nodes[l->node_cnt];
	memset(node, 0, sizeof(*node));
	node->ip = ip;
	node->context = context;
	node->distance = FAR_AWAY;
	set_spot(l, ip, context, l->node_cnt, 0);
	return l->node_cnt++;
}

/* Cuts node @idx before its instruction @pos. */
static void split(struct lift *l, u32 idx, u32 pos)
{
	u64 ip = region_insn(l, &l->nodes[idx], pos)->ip;
	s32 rest = new_node(l, ip, l->nodes[idx].context);
	struct node *head = &l->nodes[idx], *tail;
	u32 i;

	if (rest < 0)
		return;
	tail = &l->nodes[rest];
	*tail = *head;
	tail->ip = ip;
	tail->first = head->first + pos;
	tail->cnt = head->cnt - pos;
	tail->distance = head->distance + pos;
	tail->is_entry = false;
	head->cnt = pos;
	head->end = END_FALL;
	head->edge_cnt = 1;
	head->edges[0] = (struct edge){ .ip = ip, .context = head->context };
	for (i = 0; i < tail->cnt; i++)
		set_spot(l, region_insn(l, tail, i)->ip, tail->context, rest, i);
}

/* The node that starts at (ip, context), made if need be. */
static s32 node_at(struct lift *l, u64 ip, u32 context)
{
	const struct spot *spot = get_spot(l, ip, context);

	if (!spot)
		return new_node(l, ip, context);
	if (spot->pos)
		split(l, spot->node, spot->pos);
	spot = get_spot(l, ip, context);
	return spot->node;
}

static bool is_error_number(const struct ub_x86_operand *operand)
{
	return operand->kind == UB_X86_IMM && operand->imm < 0 && operand->imm >= -4096;
}

/* "cmp rax, -4095; jae" and its like: the taken side is the error. */
static bool is_unlikely(const struct lift *l, const struct node *node, u32 edge)
{
	const struct ub_x86_insn *jcc, *cmp;
	enum ub_cc cc;

	if (node->end != END_JCC || node->cnt < 2)
		return false;
	jcc = region_insn(l, node, node->cnt - 1);
	cmp = region_insn(l, node, node->cnt - 2);
	cc = lift_cc(jcc);
	if (cmp->name != UB_X86_CMP || !is_error_number(&cmp->operands[1]))
		return false;
	if (cc == UB_CC_A || cc == UB_CC_AE || cc == UB_CC_E)
		return edge == 0;
	return edge == 1 && (cc == UB_CC_BE || cc == UB_CC_B || cc == UB_CC_NE);
}

static bool is_call(const struct lift *l, const struct node *node)
{
	return node->cnt && region_insn(l, node, node->cnt - 1)->name == UB_X86_CALL;
}

/* How far is it from the head of @node to that of its target? */
u32 region_edge_length(const struct lift *l, const struct node *node, u32 edge)
{
	u32 context = node->edges[edge].context, length = region_is_hot(l, node->edges[edge].ip) ? 0 : node->cnt;

	if (is_call(l, node) && !region_is_hot(l, l->contexts[context].ret))
		length += OTHER_RET;
	return length + (is_unlikely(l, node, edge) ? UNLIKELY : 0);
}

/* Makes the targets of node @idx, if new, and tells them how far they are. */
static void reach_targets(struct lift *l, u32 idx, const struct track *track)
{
	struct edge edges[MAX_EDGES];
	u32 i, lengths[MAX_EDGES], cnt = l->nodes[idx].edge_cnt, distance = l->nodes[idx].distance;

	memcpy(edges, l->nodes[idx].edges, sizeof(edges));
	for (i = 0; i < cnt; i++)
		lengths[i] = region_edge_length(l, &l->nodes[idx], i);
	for (i = 0; i < cnt; i++) {
		s32 to = node_at(l, edges[i].ip, edges[i].context);

		if (to < 0 || l->nodes[to].is_filled || l->nodes[to].distance <= distance + lengths[i])
			continue;
		l->nodes[to].distance = distance + lengths[i];
		l->nodes[to].in = *track;
	}
}

static void add_edge(struct node *node, u64 ip, u32 context)
{
	u32 i;

	for (i = 0; i < node->edge_cnt && node->end != END_JCC; i++)
		if (node->edges[i].ip == ip)
			return;
	if (node->edge_cnt < MAX_EDGES)
		node->edges[node->edge_cnt++] = (struct edge){ .ip = ip, .context = context };
}

/* Guesses and hints */

static bool guess_data(const struct lift *l, u64 addr, u64 *ret)
{
	return l->request->read_data && l->request->read_data(l->request->ctx, addr, 8, ret);
}

static bool guess_register(const struct lift *l, u8 reg, u64 *ret)
{
	*ret = l->track.value[reg];
	if (l->track.known & 1u << reg)
		return true;
	return l->track.slotted & 1u << reg && guess_data(l, *ret, ret);
}

static bool guess_operand(const struct lift *l, const struct ub_x86_operand *operand, u64 *ret)
{
	u64 base = 0;

	if (operand->kind == UB_X86_REG)
		return guess_register(l, operand->reg, ret);
	if (operand->is_fs || operand->index != UB_NOREG)
		return false;
	if (operand->reg != UB_NOREG && !guess_register(l, operand->reg, &base))
		return false;
	return guess_data(l, base + operand->imm, ret);
}

static void add_hinted(const struct lift *l, struct node *node, u64 ip, u32 context)
{
	u32 i;

	for (i = 0; i < l->request->hint_cnt; i++)
		if (l->request->hints[i].ip == ip)
			add_edge(node, l->request->hints[i].target, context);
}

static bool may_dispatch(const struct lift *l, u64 nr)
{
	return nr <= MAX_CALL && l->request->may_dispatch && l->request->may_dispatch(l->request->ctx, nr);
}

/* The number in eax, or one that was seen here; of those the first that is allowed, else any.  False: unknown. */
static bool find_number(const struct lift *l, u64 ip, u32 *ret)
{
	bool is_known;
	u64 nr = 0;
	u32 i;

	is_known = guess_register(l, UB_RAX, &nr);
	*ret = nr;
	if (is_known && may_dispatch(l, *ret))
		return true;
	for (i = 0; i < l->request->hint_cnt; i++) {
		if (l->request->hints[i].ip != ip)
			continue;
		if (may_dispatch(l, l->request->hints[i].target) || !is_known)
			*ret = l->request->hints[i].target;
		is_known = true;
	}
	return is_known;
}

/* Contexts */

static s32 enter_context(struct lift *l, u32 parent, u64 ret, u64 callee)
{
	struct context *context;
	u32 i;

	for (i = 1; i < l->context_cnt; i++)
		if (l->contexts[i].parent == parent && l->contexts[i].ret == ret && l->contexts[i].callee == callee)
			return i;
	if (!lift_grow(l, (void **)&l->contexts, l->context_cnt, &l->context_cap, sizeof(*context)))
		return -1;
	context = &l->contexts[l->context_cnt];
	*context = (struct context){ .parent = parent, .ret = ret, .callee = callee,
				     .depth = l->contexts[parent].depth + 1 };
	return l->context_cnt++;
}

static const char *refuse_call(const struct lift *l, u32 context, u64 callee)
{
	if (l->contexts[context].depth >= MAX_DEPTH)
		return "call depth";
	for (; context; context = l->contexts[context].parent)
		if (l->contexts[context].callee == callee)
			return "recursion";
	return NULL;
}

static void stop(struct node *node, u64 ip, const char *why, const char *what)
{
	node->end = END_STOP;
	node->edge_cnt = 0;
	node->stop_ip = ip;
	snprintf(node->why, sizeof(node->why), "%s%s%s", why, what ? ": " : "", what ? what : "");
}

/* Ends of nodes: each settles where the branch may go, or why not. */

static const char *end_call(struct lift *l, struct node *node, const struct ub_x86_insn *insn)
{
	const char *why = NULL;
	u64 targets[MAX_EDGES], guess;
	u32 i, cnt = 0;
	s32 context;

	if (insn->is_direct) {
		targets[cnt++] = insn->target;
	} else {
		struct node found = { 0 };

		add_hinted(l, &found, insn->ip, 0);
		if (!found.edge_cnt && guess_operand(l, &insn->operands[0], &guess))
			add_edge(&found, guess, 0);
		for (; cnt < found.edge_cnt; cnt++)
			targets[cnt] = found.edges[cnt].ip;
	}
	for (i = 0; i < cnt && !why; i++) {
		why = refuse_call(l, node->context, targets[i]);
		context = why ? -1 : enter_context(l, node->context, insn->ip + insn->len, targets[i]);
		if (context >= 0)
			add_edge(node, targets[i], context);
	}
	node->end = insn->is_direct ? END_CALL : END_INDIRECT;
	return why;
}

static void end_ret(struct lift *l, struct node *node, const struct ub_x86_insn *insn)
{
	const struct context *context = &l->contexts[node->context];

	node->end = END_RET;
	if (node->context)
		add_edge(node, context->ret, context->parent);
	else
		add_hinted(l, node, insn->ip, 0);
}

static void end_jmp(struct lift *l, struct node *node, const struct ub_x86_insn *insn)
{
	u64 guess;

	node->end = insn->is_direct ? END_JUMP : END_INDIRECT;
	if (insn->is_direct) {
		add_edge(node, insn->target, node->context);
		return;
	}
	add_hinted(l, node, insn->ip, node->context);
	if (!node->edge_cnt && guess_operand(l, &insn->operands[0], &guess))
		add_edge(node, guess, node->context);
}

static const char *end_syscall(struct lift *l, struct node *node, const struct ub_x86_insn *insn)
{
	u32 nr;

	if (!find_number(l, insn->ip, &nr))
		return "unknown system call";
	if (!may_dispatch(l, nr)) {
		snprintf(l->why_buf, sizeof(l->why_buf), "system call %u not allowed", nr);
		return l->why_buf;
	}
	node->end = END_SYSCALL;
	node->nr = nr;
	add_edge(node, insn->ip + insn->len, node->context);
	return NULL;
}

static bool is_end(const struct ub_x86_insn *insn)
{
	return insn->name >= UB_X86_JO;
}

static const char *end_node(struct lift *l, struct node *node, const struct ub_x86_insn *insn)
{
	switch (insn->name) {
	case UB_X86_CALL:
		return end_call(l, node, insn);
	case UB_X86_RET:
		end_ret(l, node, insn);
		return NULL;
	case UB_X86_JMP:
		end_jmp(l, node, insn);
		return NULL;
	case UB_X86_SYSCALL:
		return end_syscall(l, node, insn);
	default:
		node->end = END_JCC;
		add_edge(node, insn->target, node->context);
		add_edge(node, insn->ip + insn->len, node->context);
		return NULL;
	}
}

/* Appends the instruction at @ip to node @idx; false when the node has ended. */
static bool take_insn(struct lift *l, u32 idx, u64 ip)
{
	struct node *node = &l->nodes[idx];
	struct ub_x86_insn *insn;
	const char *why = NULL;
	const u8 *bytes;
	u32 len = 0;

	if (!lift_grow(l, (void **)&l->insns, l->insn_cnt, &l->insn_cap, sizeof(*insn)) ||
	    !lift_grow(l, (void **)&l->insts, l->inst_cnt, &l->inst_cap, sizeof(*l->insts)))
		return false;
	insn = &l->insns[l->insn_cnt];
	bytes = read_code(l, ip, &len);
	ub_decode(bytes, len, ip, insn);
	if (insn->why[0]) {
		stop(node, ip, insn->why, NULL);
		return false;
	}
	if (is_end(insn))
		why = end_node(l, node, insn);
	l->insn = insn;
	l->why = why;
	l->op_cnt = 0;
	if (!why)
		lift_insn(l);
	if (l->why) {
		stop(node, ip, l->why, NULL);
		return false;
	}
	l->insts[l->inst_cnt++] = (struct inst){ .insn = l->insn_cnt++ };
	set_spot(l, ip, node->context, idx, node->cnt++);
	return !is_end(insn) && !l->err;
}

/* Must the node that reaches @ip end before it? */
static bool is_head(struct lift *l, u64 ip, u32 context)
{
	return get_spot(l, ip, context) || region_is_goal(l, ip) ||
	       contains(l->request->cold, l->request->cold_cnt, ip) ||
	       (!context && contains(l->request->entries, l->request->entry_cnt, ip));
}

static void fill(struct lift *l, u32 idx)
{
	struct node *node = &l->nodes[idx];
	u64 ip = node->ip;

	node->is_filled = true;
	node->first = l->inst_cnt;
	l->track = node->in;
	if (contains(l->request->cold, l->request->cold_cnt, ip)) {
		stop(node, ip, "cold", NULL);
		return;
	}
	if (region_is_goal(l, ip)) {
		stop(node, ip, "goal", NULL);
		return;
	}
	while (take_insn(l, idx, ip)) {
		ip += l->insns[l->insts[l->inst_cnt - 1].insn].len;
		if (!is_head(l, ip, node->context))
			continue;
		node->end = END_FALL;
		add_edge(node, ip, node->context);
		break;
	}
	if (!l->err)
		reach_targets(l, idx, &l->track);
}

static s32 nearest(const struct lift *l)
{
	s32 best = -1;
	u32 i;

	for (i = 0; i < l->node_cnt; i++)
		if (!l->nodes[i].is_filled && (best < 0 || l->nodes[i].distance < l->nodes[best].distance))
			best = i;
	return best;
}

/* Edges get their nodes; all heads are cut by now. */
static void link_edges(struct lift *l)
{
	u32 i, k;

	for (i = 0; i < l->node_cnt; i++)
		for (k = 0; k < l->nodes[i].edge_cnt; k++) {
			struct edge *edge = &l->nodes[i].edges[k];

			edge->node = get_spot(l, edge->ip, edge->context)->node;
		}
}

void region_find(struct lift *l)
{
	s32 idx;
	u32 i;

	if (!lift_grow(l, (void **)&l->contexts, 0, &l->context_cap, sizeof(*l->contexts)))
		return;
	memset(&l->contexts[0], 0, sizeof(l->contexts[0]));
	l->context_cnt = 1;
	for (i = 0; i < l->request->entry_cnt && !l->err; i++) {
		idx = node_at(l, l->request->entries[i], 0);
		if (idx >= 0) {
			l->nodes[idx].is_entry = true;
			l->nodes[idx].distance = 0;
		}
	}
	while (!l->err && l->inst_cnt < l->budget * SEARCH && (idx = nearest(l)) >= 0)
		fill(l, idx);
	if (!l->err)
		link_edges(l);
}
