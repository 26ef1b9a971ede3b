// SPDX-License-Identifier: GPL-2.0
/*
 * desc: how can flags that nobody has kept be had again?  See struct ub_desc.
 */
#include "flow.h"

#define MAX_SP		(1 << 20)	/* a pending adjustment stays far from the ends of s32 */

bool ub_desc_in_sp_range(s64 delta)
{
	return delta >= -MAX_SP && delta <= MAX_SP;
}

bool ub_desc_steps_sp(const struct ub_insn *insn)
{
	return (insn->op == UB_OP_ADDI || insn->op == UB_OP_SUBI) && insn->dst == UB_RSP &&
	       ub_insn_width(insn) == UB_W64 && ub_desc_in_sp_range(insn->imm);
}

s32 ub_desc_sp_step(const struct ub_insn *insn)
{
	return insn->op == UB_OP_ADDI ? insn->imm : -insn->imm;
}

bool ub_desc_is_repeatable(const struct ub_insn *insn)
{
	switch (insn->op) {
	case UB_OP_CMP: case UB_OP_TEST: case UB_OP_CMPI: case UB_OP_TESTI:
	case UB_OP_AND: case UB_OP_OR: case UB_OP_XOR:
	case UB_OP_ANDI: case UB_OP_ORI: case UB_OP_XORI:
	case UB_OP_ADDI: case UB_OP_SUBI: case UB_OP_NEG:
		return true;
	case UB_OP_ADD: case UB_OP_SUB: case UB_OP_IMULI:
		return insn->dst != insn->src;
	default:
		return false;
	}
}

bool ub_desc_keeps_cf(const struct ub_insn *insn)
{
	return insn->op == UB_OP_INC || insn->op == UB_OP_DEC;
}

static bool is_logic(const struct ub_insn *insn)
{
	return insn->op == UB_OP_AND || insn->op == UB_OP_OR || insn->op == UB_OP_XOR;
}

/* Does @insn, which writes @reg, keep as many of its low bits as width @w has? */
static bool keeps_low(const struct ub_insn *insn, u8 reg, enum ub_width w)
{
	switch (insn->op) {
	case UB_OP_MOV: case UB_OP_ZEXT: case UB_OP_SEXT32: case UB_OP_SEXT64:
		return insn->dst == reg && insn->src == reg && ub_insn_width(insn) >= w;
	default:
		return false;
	}
}

static bool changes(const struct ub_insn *insn, u8 reg, enum ub_width w)
{
	return ub_flow_writes(insn, reg) && !keeps_low(insn, reg, w);
}

/* Does @insn write an operand of @setter?  The result alone says what the flags of a logic operation are. */
static bool changes_operand(const struct ub_insn *insn, const struct ub_insn *setter)
{
	enum ub_width w = ub_insn_width(setter);

	return changes(insn, setter->dst, w) ||
	       (ub_op_info[setter->op].effect & UB_E_RD_SRC && !is_logic(setter) && changes(insn, setter->src, w));
}

/* Of one that is no merge. */
static bool kills_simple(const struct ub_block *block, const struct ub_desc *desc, const struct ub_insn *insn)
{
	const struct ub_insn *setter = &block->insns[desc->setter];

	if (desc->setter < 0)
		return false;
	if (ub_desc_steps_sp(setter) && ub_desc_steps_sp(insn))	/* else desc.sp keeps count */
		return !ub_desc_in_sp_range((s64)desc->sp + ub_desc_sp_step(insn));
	if (ub_desc_keeps_cf(setter) && desc->cf >= 0 && changes_operand(insn, &block->insns[desc->cf]))
		return true;
	return changes_operand(insn, setter);
}

bool ub_desc_kills(const struct ub_block *block, const struct ub_flow *flow, const struct ub_desc *desc, u32 idx)
{
	const struct ub_insn *insn = &block->insns[idx];
	const struct ub_flow *label;
	u32 i;

	/* A load that the next instruction does writes no register; but jeq uses that. */
	if (flow[idx + 1].is_fused && insn[1].op != UB_OP_JEQ)
		return false;
	if (!ub_desc_is_merge(desc))
		return kills_simple(block, desc, insn);
	label = &flow[UB_DESC_MERGED_AT(desc->setter)];
	for (i = 0; i < label->alt_cnt; i++)
		if (kills_simple(block, &label->alts[i], insn))
			return true;
	return false;
}

/* Two that look the same describe the same flags. */
static bool is_same_setter(const struct ub_block *block, s32 a, s32 b)
{
	return a == b || (a >= 0 && b >= 0 && !memcmp(&block->insns[a], &block->insns[b], sizeof(struct ub_insn)));
}

bool ub_desc_is_same(const struct ub_block *block, const struct ub_desc *a, const struct ub_desc *b)
{
	if (!is_same_setter(block, a->setter, b->setter))
		return false;
	if (a->setter < 0)
		return true;
	if (ub_desc_keeps_cf(&block->insns[a->setter]))
		return is_same_setter(block, a->cf, b->cf);
	return !ub_desc_steps_sp(&block->insns[a->setter]) || a->sp == b->sp;
}

/* Who can tell CF behind @insn, which keeps it. */
static s32 carry_desc(const struct ub_block *block, const struct ub_lazy *lazy, const struct ub_insn *insn)
{
	s32 setter = lazy->desc.setter;

	if (setter == UB_DESC_NONE)
		return lazy->can_host ? UB_DESC_NONE : UB_DESC_SLOT;
	if (ub_desc_is_merge(&lazy->desc))
		return UB_DESC_NONE;
	if (setter >= 0 && ub_desc_keeps_cf(&block->insns[setter]))
		setter = lazy->desc.cf;
	if (setter >= 0 && (ub_desc_steps_sp(&block->insns[setter]) || changes_operand(insn, &block->insns[setter])))
		return UB_DESC_NONE;
	return setter;
}

void ub_desc_set(const struct ub_block *block, const struct ub_flow *flow, u32 idx, struct ub_lazy *lazy)
{
	const struct ub_insn *insn = &block->insns[idx];
	bool is_described;

	if (ub_desc_keeps_cf(insn)) {
		lazy->desc.cf = carry_desc(block, lazy, insn);
		is_described = lazy->desc.cf != UB_DESC_NONE && insn->dst != UB_RSP;
	} else {
		/* A fused one's source is in no register. */
		is_described = ub_desc_is_repeatable(insn) && (!flow[idx].is_fused || is_logic(insn));
	}
	lazy->desc.setter = is_described ? (s32)idx : UB_DESC_NONE;
	lazy->desc.sp = 0;
	lazy->can_host = true;
	lazy->is_host = is_described && (lazy->is_host || !ub_desc_keeps_cf(insn));
}

u32 ub_desc_operands(const struct ub_insn *insn)
{
	return is_logic(insn) ? 1u << insn->dst : ub_insn_reads(insn) | ub_insn_writes(insn);
}

/* Does it depend on a temporary? */
static bool names_temp(const struct ub_block *block, s32 setter)
{
	return setter >= 0 && UB_LIVE_TEMPS(ub_desc_operands(&block->insns[setter]));
}

/* What @desc is as an alternative: one that may lose count of rsp is brought in LOCAL_FLAGS, like one that is none; and so
 * is one of temporaries, which may not be written on the other ways. */
static struct ub_desc as_alt(const struct ub_block *block, const struct ub_desc *desc)
{
	s32 setter = desc->setter;
	bool is_none = setter == UB_DESC_NONE;

	if (setter >= 0)
		is_none = ub_desc_steps_sp(&block->insns[setter]) || names_temp(block, setter) ||
			  (ub_desc_keeps_cf(&block->insns[setter]) && names_temp(block, desc->cf));
	return is_none ? (struct ub_desc){ .setter = UB_DESC_SLOT } : *desc;
}

static s32 find_alt(const struct ub_block *block, const struct ub_flow *label, const struct ub_desc *desc)
{
	struct ub_desc alt = as_alt(block, desc);
	u32 i;

	for (i = 0; i < label->alt_cnt; i++)
		if (ub_desc_is_same(block, &label->alts[i], &alt))
			return i;
	return -1;
}

/* False: there are too many, or it cannot be one. */
static bool add_alt(const struct ub_block *block, struct ub_flow *label, const struct ub_desc *desc)
{
	if (find_alt(block, label, desc) >= 0)
		return true;
	if (label->alt_cnt == UB_ALTS || ub_desc_is_merge(desc))
		return false;
	label->alts[label->alt_cnt++] = as_alt(block, desc);
	return true;
}

/*
 * If the ways into a label describe the flags differently, each leaves a note which it was.  That is worth it only if
 * nobody reads them but exits.
 */
void ub_desc_join(const struct ub_block *block, struct ub_flow *flow, u32 to, const struct ub_desc *edge)
{
	struct ub_flow *label = &flow[to];
	struct ub_desc *desc = &label->lazy.desc;

	if (label->may_not_merge)
		desc->setter = UB_DESC_NONE;
	if (label->may_not_merge || ub_desc_is_same(block, desc, edge))
		return;
	if ((label->live & (UB_LIVE_FLAGS | UB_LIVE_READ)) == UB_LIVE_FLAGS &&
	    (desc->setter == UB_DESC_MERGE(to) || add_alt(block, label, desc)) && add_alt(block, label, edge)) {
		desc->setter = UB_DESC_MERGE(to);
		return;
	}
	label->may_not_merge = true;
	desc->setter = UB_DESC_NONE;
}

u8 ub_desc_way(const struct ub_block *block, const struct ub_flow *flow, u32 to, const struct ub_desc *desc)
{
	s32 way = find_alt(block, &flow[to], desc);

	return ub_bug_if(way < 0, "an edge brings flags that its label does not know") ? 0 : way;
}
