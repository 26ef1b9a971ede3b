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
#define UNLIKELY	64	/* guest instructions that an error path counts as longer */
#define OTHER_RET	20	/* and a call that was not seen to return */
#define SEARCH		2	/* times the budget that is looked at, */
#define MIN_SEARCH	3000	/* or so many guest instructions, */
#define MAX_SEARCH	6	/* but no more than this times the budget */

/* What the request says of an address. */
enum {
	WORD_HOT = 1 << 0, WORD_ENTRY = 1 << 1, WORD_COLD = 1 << 2, WORD_GOAL = 1 << 3, WORD_WILD = 1 << 4,
	WORD_MET = 1 << 5,	/* a node of ours has been made an anchor there */
};

static void add_words(struct lift *l, const u64 *ips, u32 cnt, u32 bits)
{
	u64 *word;
	u32 i;

	for (i = 0; i < cnt && !l->err; i++) {
		word = map_put(&l->words, ips[i], 0);
		if (word)
			*word |= bits;
		else
			l->err = -ENOMEM;
	}
}

static void read_request(struct lift *l)
{
	const struct ub_lift_request *request = l->request;
	u32 i;

	add_words(l, request->roots, request->root_cnt, WORD_HOT);
	add_words(l, request->entries, request->entry_cnt, WORD_HOT | WORD_ENTRY);
	add_words(l, request->cold, request->cold_cnt, WORD_COLD);
	add_words(l, request->goals, request->goal_cnt, WORD_GOAL);
	add_words(l, request->wild, request->wild_cnt, WORD_WILD);
	for (i = 0; i < request->hint_cnt; i++) {
		add_words(l, &request->hints[i].ip, 1, WORD_HOT);
		add_words(l, &request->hints[i].target, 1, WORD_HOT);
	}
}

static bool has_word(const struct lift *l, u64 ip, u32 bits)
{
	const u64 *word = map_get(&l->words, ip, 0);

	return word && *word & bits;
}

bool region_is_hot(const struct lift *l, u64 ip)
{
	return has_word(l, ip, WORD_HOT);
}

bool region_is_goal(const struct lift *l, u64 ip)
{
	return has_word(l, ip, WORD_GOAL);
}

bool region_is_wild(const struct lift *l, u64 ip)
{
	return has_word(l, ip, WORD_WILD);
}

const struct ub_x86_insn *region_insn(const struct lift *l, const struct node *node, u32 pos)
{
	return &l->code->insns[l->insts[node->first + pos].insn];
}

/* Code bytes */

static const u8 *in_chunks(const struct lift *l, u64 ip, u32 len, u32 *ret_len)
{
	u32 i;

	for (i = l->code->chunk_cnt; i--; ) {
		const struct chunk *chunk = &l->code->chunks[i];

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
	if (bytes || !lift_grow(l, (void **)&l->code->chunks, l->code->chunk_cnt, &l->code->chunk_cap, sizeof(*chunk)))
		return bytes;
	chunk = &l->code->chunks[l->code->chunk_cnt++];
	chunk->start = ip;
	chunk->len = l->request->read_code(l->request->ctx, ip, chunk->bytes, sizeof(chunk->bytes));
	*ret_len = chunk->len;
	return chunk->bytes;
}

/* Places: where (ip, context) stands, as the node and the position in it. */

static void set_spot(struct lift *l, u64 ip, u32 context, u32 node, u32 pos)
{
	u64 *spot = map_put(&l->spots, ip, context);

	if (spot)
		*spot = (u64)node << 32 | pos;
	else
		l->err = -ENOMEM;
}

static bool get_spot(const struct lift *l, u64 ip, u32 context, u32 *ret_node, u32 *ret_pos)
{
	const u64 *spot = map_get(&l->spots, ip, context);

	if (spot) {
		*ret_node = *spot >> 32;
		*ret_pos = *spot;
	}
	return spot;
}

const struct node *region_node(const struct lift *l, u64 ip, u32 context)
{
	u32 node, pos;

	return get_spot(l, ip, context, &node, &pos) ? &l->nodes[node] : NULL;
}

/* Nodes */

static s32 new_node(struct lift *l, u64 ip, u32 context)
{
	struct node *node;

	if (!lift_grow(l, (void **)&l->nodes, l->node_cnt, &l->node_cap, sizeof(*node)))
		return -1;
	node = &l->nodes[l->node_cnt];
	memset(node, 0, offsetof(struct node, edges));
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
	memcpy(tail, head, offsetof(struct node, edges) + head->edge_cnt * sizeof(head->edges[0]));
	tail->ip = ip;
	tail->first = head->first + pos;
	tail->cnt = head->cnt - pos;
	tail->distance = head->distance + pos;
	tail->is_entry = tail->is_anchor = false;
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
	u32 node, pos;

	if (!get_spot(l, ip, context, &node, &pos))
		return new_node(l, ip, context);
	if (pos)
		split(l, node, pos);
	return get_spot(l, ip, context, &node, &pos) && !pos ? (s32)node : -1;
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

static u64 behind(const struct ub_x86_insn *insn)
{
	return insn->ip + insn->len;
}

static bool is_call(const struct lift *l, const struct node *node)
{
	return node->cnt && region_insn(l, node, node->cnt - 1)->name == UB_X86_CALL;
}

u32 region_edge_length(const struct lift *l, const struct node *node, u32 edge)
{
	bool is_hot = region_is_hot(l, node->edges[edge].ip);
	u32 length = is_hot ? 0 : node->cnt;

	if (is_call(l, node) && !region_is_hot(l, behind(region_insn(l, node, node->cnt - 1))))
		length += OTHER_RET;
	return length + (!is_hot && is_unlikely(l, node, edge) ? UNLIKELY : 0);
}

static void set_distance(struct lift *l, u32 idx, u32 distance)
{
	l->nodes[idx].distance = distance;
	if (!heap_push(&l->near, distance, idx))
		l->err = -ENOMEM;
}

/* Makes the targets of node @idx, if new, and tells them how far they are. */
static void reach_targets(struct lift *l, u32 idx, const struct guesses *guesses)
{
	struct edge edges[MAX_EDGES];
	u32 i, lengths[MAX_EDGES], cnt = l->nodes[idx].edge_cnt, distance = l->nodes[idx].distance;

	memcpy(edges, l->nodes[idx].edges, cnt * sizeof(*edges));
	for (i = 0; i < cnt; i++)
		lengths[i] = region_edge_length(l, &l->nodes[idx], i);
	for (i = 0; i < cnt; i++) {
		s32 to = node_at(l, edges[i].ip, edges[i].context);

		if (to < 0 || l->nodes[to].is_filled || l->nodes[to].distance <= distance + lengths[i])
			continue;
		set_distance(l, to, distance + lengths[i]);
		l->nodes[to].guesses = *guesses;
	}
}

void region_add_edge(struct node *node, u64 ip, u32 context)
{
	u32 i;

	for (i = 0; i < node->edge_cnt && node->end != END_JCC; i++)
		if (node->edges[i].ip == ip)
			return;
	if (node->edge_cnt < MAX_EDGES)
		node->edges[node->edge_cnt++] = (struct edge){ .ip = ip, .context = context };
}

/* Hints */

void region_add_hinted(const struct lift *l, struct node *node, u64 ip, u32 context)
{
	u32 i;

	for (i = 0; i < l->request->hint_cnt; i++)
		if (l->request->hints[i].ip == ip)
			region_add_edge(node, l->request->hints[i].target, context);
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
	struct node found = { 0 };
	const char *why = NULL;
	u64 guess;
	s32 context;
	u32 i;

	node->end = insn->is_direct ? END_CALL : END_INDIRECT;
	if (insn->is_direct)
		region_add_edge(&found, insn->target, 0);
	else
		region_add_hinted(l, &found, insn->ip, 0);
	if (!found.edge_cnt && guess_operand(l, &insn->operands[0], &guess))
		region_add_edge(&found, guess, 0);
	for (i = 0; i < found.edge_cnt; i++) {
		const char *refusal = context_refuse(l, node->context, found.edges[i].ip);

		context = refusal ? -1 : context_enter(l, node->context, insn->ip + insn->len, found.edges[i].ip);
		if (context >= 0)
			region_add_edge(node, found.edges[i].ip, context);
		else
			why = refusal;
	}
	return node->edge_cnt ? NULL : why;
}

static void end_ret(struct lift *l, struct node *node, const struct ub_x86_insn *insn)
{
	node->end = END_RET;
	context_return(l, node - l->nodes, insn->ip);
}

static void end_jmp(struct lift *l, struct node *node, const struct ub_x86_insn *insn)
{
	u64 guess;

	node->end = insn->is_direct ? END_JUMP : END_INDIRECT;
	if (insn->is_direct) {
		region_add_edge(node, insn->target, node->context);
		return;
	}
	region_add_hinted(l, node, insn->ip, node->context);
	if (!node->edge_cnt && guess_operand(l, &insn->operands[0], &guess))
		region_add_edge(node, guess, node->context);
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
	region_add_edge(node, insn->ip + insn->len, node->context);
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
		region_add_edge(node, insn->target, node->context);
		region_add_edge(node, insn->ip + insn->len, node->context);
		return NULL;
	}
}

/* Why it cannot be lifted, whatever stands around it; NULL: it can. */
static const char *refuse(struct lift *l, const struct ub_x86_insn *insn)
{
	if (insn->why[0])
		return insn->why;
	l->insn = insn;
	l->why = NULL;
	l->op_cnt = 0;
	lift_insn(l);
	return l->why;
}

/* The instruction at @ip as an index in code->insns, read and tried once for all contexts; -1 when there is no memory. */
static s32 decode(struct lift *l, u64 ip)
{
	u64 *known = map_put(&l->code->known, ip, 0);
	struct ub_x86_insn *insn;
	const char *why;
	const u8 *bytes;
	u32 len = 0;

	if (!known || !lift_grow(l, (void **)&l->code->insns, l->code->insn_cnt, &l->code->insn_cap, sizeof(*l->code->insns))) {
		l->err = -ENOMEM;
		return -1;
	}
	if (*known)
		return *known - 1;
	bytes = read_code(l, ip, &len);
	insn = &l->code->insns[l->code->insn_cnt];
	ub_decode(bytes, len, ip, insn);
	why = refuse(l, insn);
	if (why && why != insn->why)
		snprintf(insn->why, sizeof(insn->why), "%s", why);
	*known = ++l->code->insn_cnt;
	return *known - 1;
}

/* Appends the instruction at @ip to node @idx; false when the node has ended. */
static bool take_insn(struct lift *l, u32 idx, u64 ip)
{
	struct node *node = &l->nodes[idx];
	const struct ub_x86_insn *insn;
	s32 insn_idx = decode(l, ip);
	const char *why;

	if (insn_idx < 0 || !lift_grow(l, (void **)&l->insts, l->inst_cnt, &l->inst_cap, sizeof(*l->insts)))
		return false;
	insn = &l->code->insns[insn_idx];
	why = insn->why[0] ? insn->why : is_end(insn) ? end_node(l, node, insn) : NULL;
	if (why) {
		stop(node, ip, why, NULL);
		return false;
	}
	guess_step(&l->guesses, insn);
	l->insts[l->inst_cnt++] = (struct inst){ .insn = insn_idx };
	set_spot(l, ip, node->context, idx, node->cnt++);
	return !is_end(insn) && !l->err;
}

/* Must the node that reaches @ip end before it? */
static bool is_head(struct lift *l, u64 ip, u32 context)
{
	return map_get(&l->spots, ip, context) || has_word(l, ip, WORD_GOAL | WORD_COLD) ||
	       (!context && has_word(l, ip, WORD_ENTRY));
}

/* Functions that return to more places than when their ret was filled in. */
static void reach_late(struct lift *l)
{
	const struct guesses none = { 0 };

	while (l->late_cnt && !l->err)
		reach_targets(l, l->late[--l->late_cnt], &none);
}

/*
 * The first node found of code that was seen to run: distances begin anew there, so that what lies behind a long way that
 * is known by its exits is not farther than code right behind an entry that never runs.  In other contexts the same code
 * is most likely not what was seen.
 */
static void make_anchor(struct lift *l, struct node *node)
{
	u64 *word = map_get(&l->words, node->ip, 0);

	if (!l->request->is_learning || !word || !(*word & WORD_HOT) || *word & WORD_MET)
		return;
	*word |= WORD_MET;
	node->is_anchor = true;
	node->distance = 0;
}

static void fill(struct lift *l, u32 idx)
{
	struct node *node = &l->nodes[idx];
	u64 ip = node->ip;

	make_anchor(l, node);
	node->is_filled = true;
	node->first = l->inst_cnt;
	l->guesses = node->guesses;
	if (has_word(l, ip, WORD_COLD)) {
		stop(node, ip, "cold", NULL);
		return;
	}
	if (region_is_goal(l, ip)) {
		stop(node, ip, "goal", NULL);
		return;
	}
	while (take_insn(l, idx, ip)) {
		ip += l->code->insns[l->insts[l->inst_cnt - 1].insn].len;
		if (!is_head(l, ip, node->context))
			continue;
		node->end = END_FALL;
		region_add_edge(node, ip, node->context);
		break;
	}
	if (!l->err)
		reach_targets(l, idx, &l->guesses);
}

/* The nearest node that is not filled, or -1. */
static s32 nearest(struct lift *l)
{
	u32 distance, idx;

	while (heap_pop(&l->near, &distance, &idx))
		if (!l->nodes[idx].is_filled && l->nodes[idx].distance == distance)
			return idx;
	return -1;
}

/* Edges get their nodes; all heads are cut by now. */
static void link_edges(struct lift *l)
{
	u32 i, k;

	for (i = 0; i < l->node_cnt; i++)
		for (k = 0; k < l->nodes[i].edge_cnt; k++) {
			struct edge *edge = &l->nodes[i].edges[k];

			edge->node = region_node(l, edge->ip, edge->context) - l->nodes;
		}
}

static u32 look_at(u32 budget)
{
	if (budget * SEARCH >= MIN_SEARCH)
		return budget * SEARCH;
	return budget * MAX_SEARCH < MIN_SEARCH ? budget * MAX_SEARCH : MIN_SEARCH;
}

void region_find(struct lift *l)
{
	s32 idx;
	u32 i;

	if (!lift_grow(l, (void **)&l->contexts, 0, &l->context_cap, sizeof(*l->contexts)))
		return;
	memset(&l->contexts[0], 0, sizeof(l->contexts[0]));
	l->context_cnt = 1;
	read_request(l);
	for (i = 0; i < l->request->entry_cnt && !l->err; i++) {
		idx = node_at(l, l->request->entries[i], 0);
		if (idx >= 0) {
			l->nodes[idx].is_entry = true;
			set_distance(l, idx, 0);
		}
	}
	while (!l->err && l->inst_cnt < look_at(l->budget) && (idx = nearest(l)) >= 0) {
		fill(l, idx);
		reach_late(l);
	}
	l->is_short = l->inst_cnt >= look_at(l->budget);
	if (!l->err)
		link_edges(l);
}
