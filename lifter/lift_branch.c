// SPDX-License-Identifier: GPL-2.0
/*
 * lift_branch: calls, returns, jumps and system calls.
 *
 * Which targets a branch has was settled by region.c and stands in the edges of the node.  Here is made what must
 * happen on the way: an indirect target is compared with each, and leaves when it is none of them.  Where a node goes
 * on at its end (node->tail, or the two sides of a jcc) is written by link.c.
 *
 * Promise: what may leave without a return address pushed or popped (bound, loads) stands before the push or pop.
 */
#include "lifter.h"

static void push_return(struct lift *l, const struct ub_x86_insn *insn, struct place stack, u8 temp)
{
	u64 ret = insn->ip + insn->len;

	if ((s64)ret == (s32)ret) {
		ir_storei(l, UB_W64, stack, ret);
	} else {
		ir_ri(l, UB_OP_MOVI, UB_W64, false, temp, ret);
		ir_store(l, UB_W64, stack, temp);
	}
	ir_ri(l, UB_OP_SUBI, UB_W64, false, UB_RSP, 8);
}

/* The op will go to where the edge leads: link.c knows where that is. */
static void add_fixup(struct lift *l, u32 op, u32 edge)
{
	if (!lift_grow(l, (void **)&l->fixups, l->fixup_cnt, &l->fixup_cap, sizeof(*l->fixups)))
		return;
	l->fixups[l->fixup_cnt++] = (struct fixup){ .op = op, .edge = edge };
	l->node->fixup_cnt++;
}

static void go_to(struct lift *l, u32 edge, bool is_last)
{
	struct node *node = l->node;

	if (is_last) {
		node->tail = edge;
		return;
	}
	add_fixup(l, l->op_cnt, edge);
	ir_none(l, UB_OP_JMP, 0);
}

static bool is_kept(const struct lift *l, u32 edge)
{
	return l->node && edge < l->node->edge_cnt && l->node->edges[edge].node >= 0;
}

static u32 first_kept(const struct lift *l)
{
	u32 i = 0;

	while (l->node && i < l->node->edge_cnt && !is_kept(l, i))
		i++;
	return i;
}

static void compare(struct lift *l, u8 target)
{
	u32 i;

	for (i = 0; l->node && i < l->node->edge_cnt; i++)
		if (is_kept(l, i))
			ir_to(l, UB_OP_JEQ, target, l->node->edges[i].ip, i);
	ir_src(l, UB_OP_BOUND, 0, false, target);
}

/* The register that holds the target of an indirect branch. */
static u8 read_target(struct lift *l, const struct ub_x86_insn *insn)
{
	u8 target = lift_read(l, &insn->operands[0], REG_T);

	if (target != UB_RSP)
		return target;
	ir_rr(l, UB_OP_MOV, UB_W64, false, REG_T, UB_RSP);
	return REG_T;
}

static void call_indirect(struct lift *l, const struct ub_x86_insn *insn)
{
	struct place stack = lift_stack(l, -8);
	u8 target = read_target(l, insn);
	struct track track;
	u32 i;

	compare(l, target);
	track = l->track;
	push_return(l, insn, stack, REG_U);
	ir_src(l, UB_OP_EXITTO, 0, false, target);
	for (i = l->node ? l->node->edge_cnt : 0; i--; ) {
		if (!is_kept(l, i))
			continue;
		l->track = track;
		ir_label(l, i);
		push_return(l, insn, stack, REG_T);
		go_to(l, i, i == first_kept(l));
	}
}

void lift_call(struct lift *l, const struct ub_x86_insn *insn)
{
	if (!insn->is_direct) {
		call_indirect(l, insn);
		return;
	}
	push_return(l, insn, lift_stack(l, -8), REG_T);
	if (l->node)
		l->node->tail = 0;
}

void lift_ret(struct lift *l, const struct ub_x86_insn *insn)
{
	s64 pop = 8 + (insn->operand_cnt ? (u16)insn->operands[0].imm : 0);
	struct track track;
	u32 i;

	ir_load(l, UB_OP_LOAD, UB_W64, REG_T, lift_stack(l, 0));
	compare(l, REG_T);
	track = l->track;
	ir_ri(l, UB_OP_ADDI, UB_W64, false, UB_RSP, pop);
	ir_src(l, UB_OP_EXITTO, 0, false, REG_T);
	for (i = l->node ? l->node->edge_cnt : 0; i--; ) {
		if (!is_kept(l, i))
			continue;
		l->track = track;
		ir_label(l, i);
		ir_ri(l, UB_OP_ADDI, UB_W64, false, UB_RSP, pop);
		go_to(l, i, i == first_kept(l));
	}
}

void lift_jmp(struct lift *l, const struct ub_x86_insn *insn)
{
	u32 i, first = l->op_cnt;
	u8 target;

	if (insn->is_direct) {
		if (l->node)
			l->node->tail = 0;
		return;
	}
	target = read_target(l, insn);
	compare(l, target);
	ir_src(l, UB_OP_EXITTO, 0, false, target);
	for (i = first; l->node && i < l->op_cnt; i++)
		if (l->ops[i].op == UB_OP_JEQ)
			add_fixup(l, i, -1 - l->ops[i].off);
}

/*
 * loop and its like count rcx, or ecx, down; jrcxz only looks.  The comparison with 0 is made by link.c, which knows where
 * the two sides are.
 */
void lift_loop(struct lift *l, const struct ub_x86_insn *insn)
{
	if (insn->name == UB_X86_JECXZ)
		ir_rr(l, UB_OP_MOV, UB_W32, false, REG_T, UB_RCX);
	else if (insn->name != UB_X86_JRCXZ)
		ir_addr(l, UB_OP_LEA, insn->is_a32 ? UB_W32 : UB_W64, UB_RCX, UB_RCX, UB_NOREG, 0, -1);
}

/* Both sides are edges. */
void lift_jcc(struct lift *l, const struct ub_x86_insn *insn)
{
	(void)l;
	(void)insn;
}

void lift_syscall(struct lift *l, const struct ub_x86_insn *insn)
{
	(void)insn;
	ir_imm(l, UB_OP_SYSCALL, l->node ? l->node->nr : 0);
	if (l->node)
		l->node->tail = 0;
}
