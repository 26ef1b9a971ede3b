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

u8 ub_flow_live_after(const struct ub_block *block, const struct ub_flow *flow, u32 idx)
{
	const struct ub_insn *insn = &block->insns[idx];
	u8 live = 0;

	if (has_target(insn))
		live |= flow[ub_insn_target(insn, idx)].live;
	if (falls_through(insn))
		live |= flow[idx + 1].live;
	return live;
}

bool ub_flow_reads(const struct ub_insn *insn, u8 reg)
{
	u32 effect = ub_op_info[insn->op].effect;

	if (effect & UB_E_RD_DST && insn->dst == reg)
		return true;
	/* A store's base, and what a narrow write keeps. */
	if (ub_op_info[insn->op].shape == UB_S_STORE || ub_op_info[insn->op].shape == UB_S_STOREI) {
		if (insn->dst == reg)
			return true;
	} else if (effect & UB_E_WR_DST && insn->dst == reg && ub_insn_width(insn) < UB_W32) {
		return true;
	}
	if (effect & (UB_E_RD_SRC | UB_E_RD_ADDR) && insn->src == reg)
		return true;
	if (effect & UB_E_RD_MEM && ub_op_info[insn->op].shape == UB_S_LOAD && insn->src == reg)
		return true;
	if (effect & UB_E_RD_ADDR && ub_insn_index(insn) == reg)
		return true;
	if (effect & UB_E_AX_DX && (reg == UB_RAX || reg == UB_RDX))
		return true;
	return effect & UB_E_REP && (reg == UB_RAX || reg == UB_RCX || reg == UB_RSI || reg == UB_RDI);
}

const u8 ub_flow_arg[UB_ARGS] = { UB_RDI, UB_RSI, UB_RDX };

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

/* add or sub of a constant to the whole of rsp */
static bool steps_sp(const struct ub_insn *insn)
{
	return (insn->op == UB_OP_ADDI || insn->op == UB_OP_SUBI) && insn->dst == UB_RSP &&
	       ub_insn_width(insn) == UB_W64;
}

bool ub_flow_kills(const struct ub_block *block, s32 desc, const struct ub_insn *insn)
{
	const struct ub_insn *setter;

	if (desc < 0)
		return false;
	setter = &block->insns[desc];
	if (steps_sp(setter) && steps_sp(insn))
		return false;	/* lazy.desc_sp keeps count */
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
	s64 delta;

	if (ub_op_info[insn->op].effect & UB_E_CALLS)
		return UB_SP_OTHER;
	if (!ub_flow_mentions(insn, UB_RSP))
		return UB_SP_NONE;
	if (steps_sp(insn)) {
		delta = insn->op == UB_OP_ADDI ? insn->imm : -insn->imm;
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

/* May its code change the machine's flags though it sets none of the guest's?  Saying yes too often is only slower. */
static bool clobbers(const struct ub_insn *insn)
{
	switch (insn->op) {
	case UB_OP_INSN: case UB_OP_MOV: case UB_OP_MOVI: case UB_OP_ZEXT: case UB_OP_SEXT32: case UB_OP_SEXT64:
	case UB_OP_LOAD: case UB_OP_LOADS32: case UB_OP_LOADS64: case UB_OP_STORE: case UB_OP_STOREI:
	case UB_OP_NOT: case UB_OP_BSWAP: case UB_OP_SETCC: case UB_OP_CMOV: case UB_OP_JMP: case UB_OP_JCC:
		return false;
	default:
		return !steps_sp(insn);
	}
}

static void step_flags(const struct ub_block *block, u32 idx, struct ub_lazy *lazy)
{
	const struct ub_insn *insn = &block->insns[idx];

	if (ub_op_info[insn->op].effect & UB_E_CALLS) {
		lazy->desc = UB_DESC_CALL;
		lazy->can_host = false;
	} else if (ub_insn_sets_flags(insn)) {
		lazy->desc = is_repeatable(insn) ? (s32)idx : UB_DESC_NONE;
		lazy->desc_sp = 0;
		lazy->can_host = true;
	} else {
		if (ub_flow_kills(block, lazy->desc, insn))
			lazy->desc = UB_DESC_NONE;
		if (clobbers(insn))
			lazy->can_host = lazy->desc >= 0;
	}
}

static void step_args(const struct ub_insn *insn, struct ub_lazy *lazy)
{
	u32 i;

	for (i = 0; i < UB_ARGS; i++) {
		if (ub_op_info[insn->op].effect & UB_E_CALLS)
			lazy->args[i] = UB_ARG_PT;
		else if (ub_flow_writes(insn, ub_flow_arg[i]))
			lazy->args[i] = UB_ARG_HOST;
		else if (lazy->args[i] == UB_ARG_PT && ub_flow_reads(insn, ub_flow_arg[i]))
			lazy->args[i] = UB_ARG_BOTH;
	}
}

void ub_flow_step(const struct ub_block *block, u32 idx, struct ub_lazy *lazy)
{
	const struct ub_insn *insn = &block->insns[idx];
	bool is_call = ub_op_info[insn->op].effect & UB_E_CALLS;
	s32 delta = 0;

	step_flags(block, idx, lazy);
	step_args(insn, lazy);
	lazy->r11_is_call = is_call || (lazy->r11_is_call && !ub_flow_mentions(insn, UB_R11));
	switch (ub_flow_sp_use(insn, lazy->sp, &delta)) {
	case UB_SP_ADJUST:
		lazy->sp += delta;
		if (!ub_insn_sets_flags(insn))
			lazy->desc_sp += delta;
		break;
	case UB_SP_OTHER:
		lazy->sp = 0;
		break;
	default:
		break;
	}
}

/* What of UB_LIVE_* @insn needs, and what of it @insn makes anew. */
static u8 live_reads(const struct ub_insn *insn)
{
	u8 reads = ub_flow_reads_flags(insn) ? UB_LIVE_FLAGS : 0, reg;

	for (reg = UB_GUARDS; reg < UB_GUARDS_END; reg++)
		if (ub_flow_reads(insn, reg))
			reads |= UB_LIVE_GUARD(reg);
	return reads;
}

static u8 live_writes(const struct ub_insn *insn)
{
	u8 writes = ub_insn_sets_flags(insn) ? UB_LIVE_FLAGS : 0, reg;

	for (reg = UB_GUARDS; reg < UB_GUARDS_END; reg++)
		if (ub_flow_writes(insn, reg))
			writes |= UB_LIVE_GUARD(reg);
	return writes;
}

static bool liveness_pass(const struct ub_block *block, struct ub_flow *flow)
{
	bool is_changed = false;
	u32 i;
	u8 live;

	for (i = block->insn_cnt; i-- > 0;) {
		const struct ub_insn *insn = &block->insns[i];

		live = live_reads(insn) | (ub_flow_live_after(block, flow, i) & ~live_writes(insn));
		is_changed |= live != flow[i].live;
		flow[i].live = live;
	}
	return is_changed;
}

static u8 join_arg(u8 a, u8 b)
{
	if (a == b)
		return a;
	if (a != UB_ARG_HOST && b != UB_ARG_HOST)
		return UB_ARG_PT;
	return UB_ARG_HOST;
}

/* Joins what holds on one edge into its target.  True when the target changed. */
static bool join(const struct ub_block *block, struct ub_flow *flow, const struct ub_lazy *edge)
{
	struct ub_lazy old = flow->lazy, *to = &flow->lazy;
	u32 i;

	if (!flow->is_seen) {
		flow->is_seen = true;
		*to = *edge;
		return true;
	}
	if (to->desc != edge->desc ||
	    (to->desc >= 0 && steps_sp(&block->insns[to->desc]) && to->desc_sp != edge->desc_sp))
		to->desc = UB_DESC_NONE;
	to->can_host &= edge->can_host;
	if (to->sp != edge->sp)
		to->sp = 0;
	to->r11_is_call &= edge->r11_is_call;
	for (i = 0; i < UB_ARGS; i++)
		to->args[i] = join_arg(to->args[i], edge->args[i]);
	return to->desc != old.desc || to->sp != old.sp || to->r11_is_call != old.r11_is_call ||
	       to->can_host != old.can_host || memcmp(to->args, old.args, UB_ARGS);
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
			is_changed |= join(block, &flow[ub_insn_target(insn, i)], &lazy);
		if (!falls_through(insn))
			continue;
		if (next->is_label && !labels_are_fixed) {
			is_changed |= join(block, next, &lazy);
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

struct ub_lazy ub_flow_at_entry(bool entry_is_call)
{
	return (struct ub_lazy){
		.desc = entry_is_call ? UB_DESC_CALL : UB_DESC_NONE, .r11_is_call = entry_is_call,
		.args = { UB_ARG_BOTH, UB_ARG_BOTH, UB_ARG_BOTH },
	};
}

static void mark_labels(const struct ub_block *block, struct ub_flow *flow, struct ub_lazy at_entry)
{
	u32 i;

	for (i = 0; i < block->insn_cnt; i++)
		if (has_target(&block->insns[i]))
			flow[ub_insn_target(&block->insns[i], i)].is_label = true;
	for (i = 0; i < block->entry_cnt; i++) {
		struct ub_flow *entry = &flow[block->entries[i].insn_idx];

		entry->is_label = true;
		join(block, entry, &at_entry);
	}
}

struct ub_flow *ub_flow_new(const struct ub_block *block, bool entry_is_call)
{
	struct ub_lazy at_entry = ub_flow_at_entry(entry_is_call);
	struct ub_flow *flow = ub_alloc(block->insn_cnt + 1, sizeof(*flow));
	u32 i, pass;

	if (!flow)
		return NULL;
	mark_labels(block, flow, at_entry);
	for (pass = 0; pass < MAX_PASSES && liveness_pass(block, flow); pass++)
		;
	if (pass == MAX_PASSES)
		for (i = 0; i < block->insn_cnt; i++)
			flow[i].live = ~0;
	for (pass = 0; pass < MAX_PASSES && forward_pass(block, flow, false); pass++)
		;
	if (pass == MAX_PASSES) {
		fix_labels(block, flow);
		forward_pass(block, flow, true);
	}
	return flow;
}
