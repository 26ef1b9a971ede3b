// SPDX-License-Identifier: GPL-2.0
/*
 * hoist: guards that would stand between an instruction and its flags stand before it.
 *
 * A guard compares, so flags that are needed behind it are kept elsewhere meanwhile.  The JIT runs most setters again for
 * that, but not shifts, rotates and the like, whose flags some processors take long to hand out.  Before the setter there
 * is often a place where the flags are dead; a guard leaves nothing changed but its own register and cannot fault, so it
 * may stand there as well, if what it reads is there already and nobody uses its register until then.
 */
#include "lifter.h"

#define MAX_WAY	24u	/* operations that a guard passes */

/* What of the flags is needed before @insn, given what is behind it? */
static bool is_live_before(const struct ub_insn *insn, bool is_live)
{
	u32 effect = ub_op_info[insn->op].effect;

	if (effect & (UB_E_RD_FL | UB_E_LEAVES | UB_E_CALLS | UB_E_JUMPS | UB_E_ENDS) ||
	    (effect & UB_E_F_MERGE && ub_insn_sets_flags(insn)))
		return true;
	return is_live && !ub_insn_sets_flags(insn);
}

/* Can the JIT not run it again for its flags?  See ub_desc_is_repeatable(). */
static bool is_dear(const struct ub_insn *insn)
{
	switch (insn->op) {
	case UB_OP_ADD: case UB_OP_ADDI: case UB_OP_SUB: case UB_OP_SUBI: case UB_OP_CMP: case UB_OP_CMPI: case UB_OP_TEST:
	case UB_OP_TESTI: case UB_OP_AND: case UB_OP_ANDI: case UB_OP_OR: case UB_OP_ORI: case UB_OP_XOR: case UB_OP_XORI:
	case UB_OP_NEG: case UB_OP_INC: case UB_OP_DEC:
		return false;
	default:
		return true;
	}
}

/* May @guard, which stands behind @insn, stand before it? */
static bool may_pass(const struct ub_insn *guard, const struct ub_insn *insn)
{
	u32 touched = ub_insn_reads(insn) | ub_insn_writes(insn);

	return !(ub_op_info[insn->op].effect & (UB_E_CALLS | UB_E_JUMPS | UB_E_ENDS | UB_E_TICK | UB_E_CHECK)) &&
	       !(touched >> guard->dst & 1) && !(ub_insn_reads(guard) & ub_insn_writes(insn));
}

/* Where the guard at @from had better stand: before a dear setter, where the flags are dead; or @from. */
static u32 find_place(const struct node *node, const bool *is_live, u32 from)
{
	bool has_setter = false;
	u32 to;

	for (to = from; to > 0 && from - to < MAX_WAY && may_pass(&node->ops[from], &node->ops[to - 1]); to--) {
		if (!has_setter && ub_insn_sets_flags(&node->ops[to - 1]) && !is_dear(&node->ops[to - 1]))
			return from;
		has_setter |= ub_insn_sets_flags(&node->ops[to - 1]);
		/* A node begins with its mark. */
		if (has_setter && to > 1 && !is_live[to - 1])
			return to - 1;
	}
	return from;
}

static void move(struct node *node, bool *is_live, u32 from, u32 to)
{
	struct ub_insn guard = node->ops[from];

	memmove(&node->ops[to + 1], &node->ops[to], (from - to) * sizeof(guard));
	memmove(&is_live[to + 1], &is_live[to], (from - to) * sizeof(*is_live));
	node->ops[to] = guard;
}

/* @is_live: room for the node's operations: are flags needed before each? */
static void hoist(struct node *node, bool *is_live)
{
	bool is_live_behind = true;
	u32 i, to;

	for (i = node->op_cnt; i--; )
		is_live[i] = is_live_behind = is_live_before(&node->ops[i], is_live_behind);
	for (i = 1; i + 1 < node->op_cnt; i++) {
		if (node->ops[i].op != UB_OP_GUARD || !is_live[i + 1])
			continue;
		to = find_place(node, is_live, i);
		if (to < i)
			move(node, is_live, i, to);
	}
}

void guards_hoist(struct lift *l)
{
	bool *is_live;
	u32 i, most = 0;

	for (i = 0; i < l->node_cnt; i++)
		if (l->nodes[i].is_kept && l->nodes[i].op_cnt > most)
			most = l->nodes[i].op_cnt;
	is_live = ub_alloc(most + 1, sizeof(*is_live));
	if (!is_live) {
		l->err = -ENOMEM;
		return;
	}
	for (i = 0; i < l->node_cnt; i++)
		if (l->nodes[i].is_kept)
			hoist(&l->nodes[i], is_live);
	ub_free(is_live);
}
