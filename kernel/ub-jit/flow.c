// SPDX-License-Identifier: GPL-2.0
/*
 * flow: at which places are the guest's flags needed, and how can they be had?
 *
 * Two small data-flow analyses over the block, iterated until nothing changes but never longer than MAX_PASSES; what
 * has not settled by then falls back to "needed" and "in memory", which is always right and only slower.
 */
#include "flow.h"

#define MAX_PASSES	32
#define MAX_AROUND	200	/* instructions of a loop that is looked at as tight */

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
	return ub_insn_writes(insn) >> reg & 1;
}

bool ub_flow_uses_flags(const struct ub_insn *insn)
{
	u32 effect = ub_op_info[insn->op].effect;

	/* What a shift by a constant does not set is undefined. */
	if (insn->op == UB_OP_SHLI || insn->op == UB_OP_SHRI || insn->op == UB_OP_SARI)
		return false;
	return effect & (UB_E_RD_FL | UB_E_CALLS) || (effect & UB_E_F_MERGE && insn->mode & UB_MODE_F);
}

bool ub_flow_reads_flags(const struct ub_insn *insn)
{
	u32 effect = ub_op_info[insn->op].effect;

	if (effect & UB_E_ENDS && !has_target(insn))
		return true;	/* exit, exitto: the guest goes on with them */
	return effect & UB_E_LEAVES || ub_flow_uses_flags(insn);
}

u16 ub_flow_live_after(const struct ub_block *block, const struct ub_flow *flow, u32 idx)
{
	const struct ub_insn *insn = &block->insns[idx];
	u16 live = 0;

	if (has_target(insn))
		live |= flow[ub_insn_target(insn, idx)].live;
	if (falls_through(insn))
		live |= flow[idx + 1].live;
	return live;
}

bool ub_flow_flags_matter_behind(const struct ub_block *block, const struct ub_flow *flow, u32 idx)
{
	const struct ub_insn *insn = &block->insns[idx];

	if (ub_op_info[insn->op].effect & (UB_E_REP | UB_E_CALLS) || flow[idx + 1].is_fused)
		return true;
	return !ub_insn_sets_flags(insn) && ub_flow_live_after(block, flow, idx) & UB_LIVE_FLAGS;
}

bool ub_flow_in_machine(const struct ub_block *block, u8 reg)
{
	return reg >= UB_NGUEST ? reg < UB_GUARDS_END : block->resident & 1u << reg;
}

static bool mentions(const struct ub_insn *insn, u8 reg)
{
	return (ub_insn_reads(insn) | ub_insn_writes(insn)) >> reg & 1;
}

/* Is the base of its address all that @insn, which mentions @reg, uses it for? */
static bool is_base_alone(const struct ub_insn *insn, u8 reg)
{
	u8 shape = ub_op_info[insn->op].shape;

	if (ub_insn_base_reg(insn) != reg || ub_insn_index_reg(insn) == reg || ub_flow_writes(insn, reg))
		return false;
	return shape == UB_S_ADDR ? ub_insn_width(insn) != UB_W32 : shape != UB_S_STORE || insn->src != reg;
}

enum ub_sp_use ub_flow_sp_use(const struct ub_insn *insn, s32 sp, s32 *ret_delta)
{
	s64 delta;

	if (ub_op_info[insn->op].effect & UB_E_CALLS)
		return UB_SP_OTHER;
	if (!mentions(insn, UB_RSP))
		return UB_SP_NONE;
	if (ub_desc_steps_sp(insn)) {
		delta = ub_desc_sp_step(insn);
		if (!ub_desc_in_sp_range(sp + delta))
			return UB_SP_OTHER;
		*ret_delta = delta;
		return UB_SP_ADJUST;
	}
	/* The address must not wrap differently once the pending part is folded into its displacement. */
	if (is_base_alone(insn, UB_RSP) && (s64)insn->off + sp == (s32)((s64)insn->off + sp))
		return UB_SP_BASE;
	return UB_SP_OTHER;
}

/* May its code change the machine's flags though it sets none of the guest's?  Saying yes too often is only slower. */
static bool clobbers(const struct ub_block *block, const struct ub_flow *flow, u32 idx)
{
	const struct ub_insn *insn = &block->insns[idx];

	switch (insn->op) {
	case UB_OP_NOTM:
		return insn->mode & UB_MODE_LOCK;
	case UB_OP_BSWAP:
		return ub_insn_width(insn) == UB_W16;
	case UB_OP_INSN: case UB_OP_MOV: case UB_OP_MOVI: case UB_OP_ZEXT: case UB_OP_SEXT32: case UB_OP_SEXT64:
	case UB_OP_LOAD: case UB_OP_LOADS32: case UB_OP_LOADS64: case UB_OP_STORE: case UB_OP_STOREI:
	case UB_OP_PDEP: case UB_OP_PEXT: case UB_OP_SHLX: case UB_OP_SHRX: case UB_OP_SARX: case UB_OP_RORX:
	case UB_OP_MULX: case UB_OP_CRC32: case UB_OP_FENCE: case UB_OP_RDTSC: case UB_OP_RDPID: case UB_OP_NOT:
	case UB_OP_SETCC: case UB_OP_CMOV: case UB_OP_JMP: case UB_OP_JCC:
		return false;
	case UB_OP_LEA:
		return ub_insn_index_reg(insn) != UB_NOREG && !ub_flow_in_machine(block, ub_insn_index_reg(insn)) &&
		       !ub_flow_in_machine(block, insn->src);
	case UB_OP_ADD:
		return flow[idx].is_fused || ub_insn_width(insn) < UB_W32 || !ub_flow_in_machine(block, insn->dst) ||
		       !ub_flow_in_machine(block, insn->src);
	case UB_OP_ADDI: case UB_OP_SUBI: case UB_OP_INC: case UB_OP_DEC:
		return !ub_desc_steps_sp(insn) && (ub_insn_width(insn) < UB_W32 || !ub_flow_in_machine(block, insn->dst));
	default:
		return true;
	}
}

static void step_flags(const struct ub_block *block, const struct ub_flow *flow, u32 idx, struct ub_lazy *lazy)
{
	const struct ub_insn *insn = &block->insns[idx];

	if (ub_op_info[insn->op].effect & UB_E_CALLS) {
		lazy->desc.setter = UB_DESC_CALL;
		lazy->can_host = lazy->is_host = false;
	} else if (ub_insn_sets_flags(insn)) {
		ub_desc_set(block, flow, idx, lazy);
	} else {
		if (ub_desc_kills(block, flow, &lazy->desc, idx))
			lazy->desc.setter = UB_DESC_NONE;
		if (clobbers(block, flow, idx)) {
			lazy->can_host = lazy->desc.setter >= 0;
			lazy->is_host = false;
		}
	}
}

static void step_saved(const struct ub_block *block, const struct ub_flow *flow, u32 idx, struct ub_lazy *lazy)
{
	if (ub_op_info[block->insns[idx].op].effect & UB_E_CALLS) {
		lazy->saved = lazy->stale = block->resident & UB_SAVED_REGS;
	} else {
		lazy->saved &= ~flow[idx].writes;
		lazy->stale &= ~(flow[idx].reads | flow[idx].writes);
	}
}

static u64 mark_before(const struct ub_block *block, u32 idx)
{
	while (idx && block->insns[idx].op != UB_OP_INSN)
		idx--;
	return block->insns[idx].imm;
}

bool ub_flow_is_open(const struct ub_block *block, const struct ub_flow *flow, u32 idx, bool is_open)
{
	u32 effect = ub_op_info[block->insns[idx].op].effect;

	/* What is repeated looks for work, but not for softirqs, which wait while they are open. */
	if (effect & (UB_E_VEC | UB_E_CALLS | UB_E_REP))
		return effect & UB_E_VEC;
	return is_open && (flow[idx].live & UB_LIVE_VEC || (effect & UB_E_ENDS && !has_target(&block->insns[idx])));
}

static void step_vec(const struct ub_block *block, const struct ub_flow *flow, u32 idx, struct ub_lazy *lazy)
{
	bool is_open = ub_flow_is_open(block, flow, idx, lazy->is_open);

	if (is_open != lazy->is_open) {
		lazy->can_host = lazy->desc.setter >= 0;	/* to open and to close changes the machine's */
		lazy->is_host = false;
	}
	lazy->is_open = is_open;
}

void ub_flow_step(const struct ub_block *block, const struct ub_flow *flow, u32 idx, struct ub_lazy *lazy)
{
	const struct ub_insn *insn = &block->insns[idx];
	bool is_call = ub_op_info[insn->op].effect & UB_E_CALLS;
	u32 named = flow[idx].reads | flow[idx].writes;
	s32 delta = 0;

	step_vec(block, flow, idx, lazy);
	step_flags(block, flow, idx, lazy);
	step_saved(block, flow, idx, lazy);
	if (is_call)
		lazy->rcx = mark_before(block, idx) + 2;
	else if (named & 1u << UB_RCX)
		lazy->rcx = 0;
	lazy->r11_is_call = is_call || (lazy->r11_is_call && !(named & 1u << UB_R11));
	if (!is_call && !(named & 1u << UB_RSP))
		return;
	switch (ub_flow_sp_use(insn, lazy->sp, &delta)) {
	case UB_SP_ADJUST:
		lazy->sp += delta;
		if (!ub_insn_sets_flags(insn))
			lazy->desc.sp += delta;
		break;
	case UB_SP_OTHER:
		/* The pending part is added first; a step is then pending alone. */
		if (lazy->sp && !is_call)
			lazy->saved &= ~(1u << UB_RSP);
		lazy->sp = ub_desc_steps_sp(insn) ? ub_desc_sp_step(insn) : 0;
		if (ub_desc_steps_sp(insn) && !ub_insn_sets_flags(insn))
			lazy->desc.sp += lazy->sp;
		break;
	default:
		break;
	}
}

/* What of UB_LIVE_* @insn needs, and what of it @insn makes anew. */
static u16 live_reads(const struct ub_insn *insn, u32 reads)
{
	return UB_LIVE_TEMPS(reads) | (ub_flow_reads_flags(insn) ? UB_LIVE_FLAGS : 0) |
	       (ub_flow_uses_flags(insn) ? UB_LIVE_READ : 0) |
	       (ub_op_info[insn->op].effect & UB_E_VEC ? UB_LIVE_VEC : 0);
}

static u16 live_writes(const struct ub_insn *insn, u32 writes)
{
	return UB_LIVE_TEMPS(writes) | (ub_insn_sets_flags(insn) ? UB_LIVE_FLAGS | UB_LIVE_READ : 0) |
	       (ub_op_info[insn->op].effect & (UB_E_CALLS | UB_E_REP) ? UB_LIVE_VEC : 0);
}

static bool liveness_pass(const struct ub_block *block, struct ub_flow *flow)
{
	bool is_changed = false;
	u32 i;
	u16 live;

	for (i = block->insn_cnt; i-- > 0;) {
		const struct ub_insn *insn = &block->insns[i];

		live = live_reads(insn, flow[i].reads) |
		       (ub_flow_live_after(block, flow, i) & ~live_writes(insn, flow[i].writes));
		is_changed |= live != flow[i].live;
		flow[i].live = live;
	}
	return is_changed;
}

enum edge { EDGE_FALLS, EDGE_JUMPS, EDGE_BACK };

/*
 * What can be had in any state at some cost follows the likely edge; the others convert.  That is the one that falls
 * through, but in a loop the one that goes round: there nothing is stored only because it was stored before the loop.
 * Without such an edge, what all have.
 */
static void join_cheap(struct ub_flow *flow, const struct ub_lazy *lazy, enum edge edge)
{
	struct ub_lazy *to = &flow->lazy;

	if (flow->is_head) {
		to->can_host |= edge == EDGE_BACK && lazy->can_host;
	} else if (flow->falls_in && edge != EDGE_FALLS) {
		return;
	} else {
		to->can_host &= lazy->can_host;
	}
	if (edge == EDGE_FALLS && !flow->is_head) {
		to->saved = lazy->saved;
		to->stale = lazy->stale;
	} else {
		to->saved &= lazy->saved;
		to->stale = (to->stale | lazy->stale) & to->saved;
	}
}

/* Joins what holds on one edge into its target.  True when that changed. */
static bool join(const struct ub_block *block, struct ub_flow *flow, u32 to_idx, const struct ub_lazy *lazy, enum edge edge)
{
	struct ub_flow *label = &flow[to_idx];
	struct ub_lazy old = label->lazy, *to = &label->lazy;
	u8 old_cnt = label->alt_cnt;
	bool is_open = lazy->is_open && label->live & UB_LIVE_VEC, is_changed;

	if (!label->is_seen) {
		label->is_seen = true;
		*to = *lazy;
		to->is_open = is_open;
		to->can_host |= label->falls_in && edge != EDGE_FALLS;	/* the other edge will say */
		label->is_pending = true;
		return true;
	}
	ub_desc_join(block, flow, to_idx, &lazy->desc);
	if (to->sp != lazy->sp)
		to->sp = 0;
	if (to->rcx != lazy->rcx)
		to->rcx = 0;
	to->r11_is_call &= lazy->r11_is_call;
	to->is_host &= lazy->is_host;
	to->is_open |= is_open;
	join_cheap(label, lazy, edge);
	is_changed = to->desc.setter != old.desc.setter || label->alt_cnt != old_cnt || to->sp != old.sp ||
		     to->rcx != old.rcx || to->r11_is_call != old.r11_is_call || to->can_host != old.can_host ||
		     to->is_host != old.is_host || to->is_open != old.is_open || to->saved != old.saved || to->stale != old.stale;
	label->is_pending |= is_changed;
	return is_changed;
}

/* A merged description is of no use where it would have to be worked out on the way; true if that is news. */
static bool forbid_merge(const struct ub_block *block, struct ub_flow *flow, u32 idx, const struct ub_lazy *lazy)
{
	struct ub_flow *label;

	if (!ub_desc_is_merge(&lazy->desc) || !ub_flow_flags_matter_behind(block, flow, idx) ||
	    !ub_desc_kills(block, flow, &lazy->desc, idx))
		return false;
	label = &flow[UB_DESC_MERGED_AT(lazy->desc.setter)];
	if (label->may_not_merge)
		return false;
	label->may_not_merge = true;
	/* What all edges into it bring is joined again. */
	for (idx = 0; idx < block->insn_cnt; idx++)
		flow[idx].is_pending = flow[idx].is_seen;
	return true;
}

static bool forward_pass(const struct ub_block *block, struct ub_flow *flow, bool labels_are_fixed)
{
	bool is_changed = false, is_new = labels_are_fixed;
	u32 i;

	for (i = 0; i < block->insn_cnt; i++) {
		const struct ub_insn *insn = &block->insns[i];
		struct ub_flow *next = &flow[i + 1];
		struct ub_lazy lazy;

		if (flow[i].is_label && !labels_are_fixed)
			is_new = flow[i].is_pending;
		if (!is_new || !flow[i].is_seen)
			continue;
		flow[i].is_pending = false;
		lazy = flow[i].lazy;
		is_changed |= forbid_merge(block, flow, i, &lazy);
		ub_flow_step(block, flow, i, &lazy);
		if (has_target(insn) && !labels_are_fixed)
			is_changed |= join(block, flow, ub_insn_target(insn, i), &lazy,
					   ub_insn_target(insn, i) <= i ? EDGE_BACK : EDGE_JUMPS);
		if (!falls_through(insn))
			continue;
		if (next->is_label && !labels_are_fixed) {
			is_changed |= join(block, flow, i + 1, &lazy, EDGE_FALLS);
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
		flow[i].lazy = (struct ub_lazy){ .desc.setter = UB_DESC_NONE };
	}
}

struct ub_lazy ub_flow_at_entry(const struct ub_block *block, bool entry_is_call, u64 ip)
{
	return (struct ub_lazy){
		.desc.setter = entry_is_call ? UB_DESC_CALL : UB_DESC_NONE, .r11_is_call = entry_is_call,
		.rcx = entry_is_call ? ip : 0,
		.saved = block->resident & UB_SAVED_REGS,
	};
}

static bool is_renewal(const struct ub_block *block, u32 to)
{
	return to && block->insns[to - 1].op == UB_OP_TICK;
}

/* Notes a short jump back on all that lies between its ends. */
static void mark_around(const struct ub_block *block, struct ub_flow *flow, u32 from, u32 to)
{
	u32 i, len = from - to;

	if (to >= from || len > MAX_AROUND || is_renewal(block, to))
		return;
	for (i = to + 1; i <= from; i++)
		if (!flow[i].around || flow[i].around > len)
			flow[i].around = len;
}

static void mark_target(const struct ub_block *block, struct ub_flow *flow, u32 from, u32 to)
{
	bool is_inside = flow[to].around && from - to > flow[to].around;

	flow[to].is_label = true;
	if (to <= from && !is_renewal(block, to) && !is_inside)
		flow[to].is_head = true;
}

static void mark_labels(const struct ub_block *block, struct ub_flow *flow, bool entry_is_call)
{
	u32 i;

	for (i = 0; i < block->insn_cnt; i++) {
		flow[i].reads = ub_insn_reads(&block->insns[i]);
		flow[i].writes = ub_insn_writes(&block->insns[i]);
		flow[i].falls_in = i && falls_through(&block->insns[i - 1]);
	}
	for (i = 0; i < block->insn_cnt; i++)
		if (has_target(&block->insns[i]))
			mark_around(block, flow, i, ub_insn_target(&block->insns[i], i));
	for (i = 0; i < block->insn_cnt; i++)
		if (has_target(&block->insns[i]))
			mark_target(block, flow, i, ub_insn_target(&block->insns[i], i));
	for (i = 0; i < block->entry_cnt; i++) {
		struct ub_flow *entry = &flow[block->entries[i].insn_idx];
		struct ub_lazy at_entry = ub_flow_at_entry(block, entry_is_call, block->entries[i].ip);

		entry->is_label = true;
		join(block, flow, block->entries[i].insn_idx, &at_entry, EDGE_JUMPS);
	}
}

/* Can @insn take @load's value, which nobody else reads, from memory itself?  It must have no fault of its own behind
 * it: what it writes lives in a machine register. */
static bool may_fuse(const struct ub_block *block, const struct ub_insn *load, const struct ub_insn *insn)
{
	bool is_src = insn->src == load->dst && insn->dst != load->dst, is_dst = insn->dst == load->dst;

	if (load->op != UB_OP_LOAD || load->dst < UB_T0)
		return false;
	if (insn->op == UB_OP_JEQ)	/* compares all of it, and wants a register */
		return insn->src == load->dst && load->dst < UB_GUARDS_END && ub_insn_width(load) == UB_W64;
	if (ub_insn_width(load) != ub_insn_width(insn))
		return false;
	switch (insn->op) {
	case UB_OP_CMPI: case UB_OP_TESTI:
		return is_dst;
	case UB_OP_CMP: case UB_OP_TEST:
		return (is_src && ub_flow_in_machine(block, insn->dst)) ||
		       (is_dst && insn->src != load->dst && ub_flow_in_machine(block, insn->src));
	case UB_OP_ADD: case UB_OP_SUB: case UB_OP_AND: case UB_OP_OR: case UB_OP_XOR: case UB_OP_ADC: case UB_OP_SBB:
	case UB_OP_IMUL: case UB_OP_IMULI: case UB_OP_CMOV:
		return is_src && ub_flow_in_machine(block, insn->dst);
	case UB_OP_MULU: case UB_OP_MULS: case UB_OP_DIVU: case UB_OP_DIVS:
		return insn->src == load->dst;
	default:
		return false;
	}
}

/* For jeq the value may be read again where it does not jump; else it must be dead. */
static bool is_dead_behind(const struct ub_block *block, const struct ub_flow *flow, u32 idx, u8 reg)
{
	const struct ub_insn *insn = &block->insns[idx];
	u16 live = insn->op == UB_OP_JEQ ? flow[ub_insn_target(insn, idx)].live : ub_flow_live_after(block, flow, idx);

	return !(live & UB_LIVE_TEMP(reg));
}

static bool is_undoing(const struct ub_insn *first, const struct ub_insn *second)
{
	static const u8 inverse[UB_OP_COUNT] = {
		[UB_OP_ADD] = UB_OP_SUB, [UB_OP_SUB] = UB_OP_ADD, [UB_OP_ADDI] = UB_OP_SUBI, [UB_OP_SUBI] = UB_OP_ADDI,
	};

	return inverse[first->op] && second->op == inverse[first->op] && !(first->mode & UB_MODE_F) &&
	       second->mode == (first->mode | UB_MODE_F) && first->dst == second->dst && first->src == second->src &&
	       first->imm == second->imm && first->dst != UB_RSP && ub_desc_is_repeatable(second) &&
	       ub_insn_width(first) == UB_W64;
}

static void mark_fused(const struct ub_block *block, struct ub_flow *flow)
{
	u32 i;

	for (i = 1; i < block->insn_cnt; i++) {
		const struct ub_insn *insn = &block->insns[i];

		if (flow[i].is_label)
			continue;
		flow[i].is_fused = may_fuse(block, insn - 1, insn) && is_dead_behind(block, flow, i, insn[-1].dst);
		flow[i - 1].is_undone = is_undoing(insn - 1, insn);
	}
}

struct ub_flow *ub_flow_new(const struct ub_block *block, bool entry_is_call)
{

	struct ub_flow *flow = ub_alloc(block->insn_cnt + 1, sizeof(*flow));
	u32 i, pass;

	if (!flow)
		return NULL;
	mark_labels(block, flow, entry_is_call);
	for (pass = 0; pass < MAX_PASSES && liveness_pass(block, flow); pass++)
		;
	if (pass == MAX_PASSES)
		for (i = 0; i < block->insn_cnt; i++)
			flow[i].live = ~0;
	mark_fused(block, flow);
	for (pass = 0; pass < MAX_PASSES && forward_pass(block, flow, false); pass++)
		;
	if (pass == MAX_PASSES) {
		fix_labels(block, flow);
		forward_pass(block, flow, true);
	}
	return flow;
}
