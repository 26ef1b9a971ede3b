// SPDX-License-Identifier: GPL-2.0
/*
 * flow: at which places are the guest's flags needed, and how can they be had?
 *
 * Two small data-flow analyses over the block, iterated until nothing changes but never longer than MAX_PASSES; what
 * has not settled by then falls back to "needed" and "in memory", which is always right and only slower.
 */
#include "flow.h"

#define MAX_PASSES	32
#define MAX_SP		(1 << 20)	/* a pending adjustment stays far from the ends of s32 */

static bool has_target(const struct ub_insn *insn)
{
	return ub_op_info[insn->op].effect & UB_E_JUMPS;
}

static bool falls_through(const struct ub_insn *insn)
{
	return !(ub_op_info[insn->op].effect & UB_E_ENDS);
}

bool ub_flow_writes(const struct ub_insn *insn, u8 reg)
{
	u32 effect = ub_op_info[insn->op].effect;

	if (effect & (UB_E_WR_DST | UB_E_WR_ALL) && insn->dst == reg)
		return true;
	if (effect & UB_E_AX_DX && (reg == UB_RAX || reg == UB_RDX))
		return true;
	if (effect & UB_E_REP && (reg == UB_RCX || reg == UB_RSI || reg == UB_RDI))
		return true;
	return effect & UB_E_CALLS && (reg == UB_RAX || reg == UB_RCX || reg == UB_R11 || reg >= UB_T0);
}

bool ub_flow_reads_flags(const struct ub_insn *insn)
{
	u32 effect = ub_op_info[insn->op].effect;

	if (effect & (UB_E_RD_FL | UB_E_LEAVES))
		return true;
	if (effect & UB_E_ENDS && !has_target(insn))
		return true;	/* exit, exitto: the guest goes on with them */
	return effect & UB_E_F_MERGE && insn->mode & UB_MODE_F;
}

bool ub_flow_live_after(const struct ub_block *block, const struct ub_flow *flow, u32 idx)
{
	const struct ub_insn *insn = &block->insns[idx];

	if (has_target(insn) && flow[ub_insn_target(insn, idx)].is_live)
		return true;
	return falls_through(insn) && flow[idx + 1].is_live;
}

/* Can the flags that @insn sets be computed again from its operands as they are behind it? */
static bool is_repeatable(const struct ub_insn *insn)
{
	switch (insn->op) {
	case UB_OP_CMP: case UB_OP_TEST: case UB_OP_CMPI: case UB_OP_TESTI:
	case UB_OP_AND: case UB_OP_OR: case UB_OP_XOR:
	case UB_OP_ANDI: case UB_OP_ORI: case UB_OP_XORI:
	case UB_OP_ADDI: case UB_OP_SUBI: case UB_OP_NEG:
		return true;
	case UB_OP_ADD: case UB_OP_SUB:
		return insn->dst != insn->src;
	default:
		return false;
	}
}

bool ub_flow_kills(const struct ub_block *block, s32 desc, const struct ub_insn *insn)
{
	const struct ub_insn *setter;

	if (desc < 0)
		return false;
	setter = &block->insns[desc];
	return ub_flow_writes(insn, setter->dst) ||
	       (ub_op_info[setter->op].effect & UB_E_RD_SRC && ub_flow_writes(insn, setter->src));
}

bool ub_flow_mentions(const struct ub_insn *insn, u8 reg)
{
	u32 effect = ub_op_info[insn->op].effect;

	if (effect & (UB_E_RD_DST | UB_E_WR_DST | UB_E_WR_ALL) && insn->dst == reg)
		return true;
	if (effect & (UB_E_RD_SRC | UB_E_RD_ADDR) && insn->src == reg)
		return true;
	return effect & UB_E_RD_ADDR && ub_insn_index(insn) == reg;
}

enum ub_sp_use ub_flow_sp_use(const struct ub_insn *insn, s32 sp, s32 *ret_delta)
{
	bool is_add = insn->op == UB_OP_ADDI, is_sub = insn->op == UB_OP_SUBI;
	s64 delta;

	if (ub_op_info[insn->op].effect & UB_E_CALLS)
		return UB_SP_OTHER;
	if (!ub_flow_mentions(insn, UB_RSP))
		return UB_SP_NONE;
	if ((is_add || is_sub) && ub_insn_width(insn) == UB_W64 && !(insn->mode & UB_MODE_F)) {
		delta = is_add ? insn->imm : -insn->imm;
		if (sp + delta < -MAX_SP || sp + delta > MAX_SP)
			return UB_SP_OTHER;
		*ret_delta = delta;
		return UB_SP_ADJUST;
	}
	/* The address must not wrap differently once the pending part is folded into its displacement. */
	if (ub_op_info[insn->op].effect & UB_E_RD_ADDR && insn->dst != UB_RSP && ub_insn_index(insn) != UB_RSP &&
	    ub_insn_width(insn) != UB_W32 && (s64)insn->off + sp == (s32)((s64)insn->off + sp))
		return UB_SP_BASE;
	return UB_SP_OTHER;
}

void ub_flow_step(const struct ub_block *block, u32 idx, struct ub_lazy *lazy)
{
	const struct ub_insn *insn = &block->insns[idx];
	bool is_call = ub_op_info[insn->op].effect & UB_E_CALLS;
	s32 delta = 0;

	if (is_call)
		lazy->desc = UB_DESC_CALL;
	else if (ub_insn_sets_flags(insn))
		lazy->desc = is_repeatable(insn) ? (s32)idx : UB_DESC_NONE;
	else if (ub_flow_kills(block, lazy->desc, insn))
		lazy->desc = UB_DESC_NONE;
	lazy->r11_is_call = is_call || (lazy->r11_is_call && !ub_flow_mentions(insn, UB_R11));
	switch (ub_flow_sp_use(insn, lazy->sp, &delta)) {
	case UB_SP_ADJUST:
		lazy->sp += delta;
		break;
	case UB_SP_OTHER:
		lazy->sp = 0;
		break;
	default:
		break;
	}
}

static bool liveness_pass(const struct ub_block *block, struct ub_flow *flow)
{
	bool is_changed = false, is_live;
	u32 i;

	for (i = block->insn_cnt; i-- > 0;) {
		const struct ub_insn *insn = &block->insns[i];

		is_live = ub_flow_reads_flags(insn) ||
			  (!ub_insn_sets_flags(insn) && ub_flow_live_after(block, flow, i));
		is_changed |= is_live != flow[i].is_live;
		flow[i].is_live = is_live;
	}
	return is_changed;
}

/* Joins what holds on one edge into its target.  True when the target changed. */
static bool join(struct ub_flow *flow, const struct ub_lazy *edge)
{
	struct ub_lazy old = flow->lazy, *to = &flow->lazy;

	if (!flow->is_seen) {
		flow->is_seen = true;
		*to = *edge;
		return true;
	}
	if (to->desc != edge->desc)
		to->desc = UB_DESC_NONE;
	if (to->sp != edge->sp)
		to->sp = 0;
	to->r11_is_call &= edge->r11_is_call;
	return to->desc != old.desc || to->sp != old.sp || to->r11_is_call != old.r11_is_call;
}

static bool forward_pass(const struct ub_block *block, struct ub_flow *flow, bool labels_are_fixed)
{
	bool is_changed = false;
	u32 i;

	for (i = 0; i < block->insn_cnt; i++) {
		const struct ub_insn *insn = &block->insns[i];
		struct ub_lazy lazy = flow[i].lazy;
		struct ub_flow *next = &flow[i + 1];

		if (!flow[i].is_seen)
			continue;
		ub_flow_step(block, i, &lazy);
		if (has_target(insn) && !labels_are_fixed)
			is_changed |= join(&flow[ub_insn_target(insn, i)], &lazy);
		if (!falls_through(insn))
			continue;
		if (next->is_label && !labels_are_fixed) {
			is_changed |= join(next, &lazy);
		} else if (!next->is_label) {
			next->is_seen = true;
			next->lazy = lazy;
		}
	}
	return is_changed;
}

static void fix_labels(const struct ub_block *block, struct ub_flow *flow)
{
	u32 i;

	for (i = 0; i < block->insn_cnt; i++) {
		if (!flow[i].is_label)
			continue;
		flow[i].is_seen = true;
		flow[i].lazy = (struct ub_lazy){ .desc = UB_DESC_NONE };
	}
}

static void mark_labels(const struct ub_block *block, struct ub_flow *flow)
{
	u32 i;

	for (i = 0; i < block->insn_cnt; i++)
		if (has_target(&block->insns[i]))
			flow[ub_insn_target(&block->insns[i], i)].is_label = true;
	for (i = 0; i < block->entry_cnt; i++) {
		struct ub_flow *entry = &flow[block->entries[i].insn_idx];

		entry->is_label = true;
		entry->is_seen = true;
		entry->lazy = (struct ub_lazy){ .desc = UB_DESC_NONE };
	}
}

struct ub_flow *ub_flow_new(const struct ub_block *block)
{
	struct ub_flow *flow = ub_alloc(block->insn_cnt + 1, sizeof(*flow));
	u32 i, pass;

	if (!flow)
		return NULL;
	mark_labels(block, flow);
	for (pass = 0; pass < MAX_PASSES && liveness_pass(block, flow); pass++)
		;
	if (pass == MAX_PASSES)
		for (i = 0; i < block->insn_cnt; i++)
			flow[i].is_live = true;
	for (pass = 0; pass < MAX_PASSES && forward_pass(block, flow, false); pass++)
		;
	if (pass == MAX_PASSES) {
		fix_labels(block, flow);
		forward_pass(block, flow, true);
	}
	return flow;
}
