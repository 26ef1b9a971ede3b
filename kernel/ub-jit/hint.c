// SPDX-License-Identifier: GPL-2.0
/*
 * hint: what the checker of the finished image is told to hold at places that are jumped back to.
 *
 * At a label of the block: what the verifier knows there, in terms of the machine.  Inside an instruction: what falls in,
 * but for what that instruction's code changes.  A wrong hint costs the block, nothing else.
 */
#include "lower.h"

#define LOCAL_BIT(off)	(1u << ((UB_LOCAL_FRAME - (off)) / 8))

/* What the prologue writes. */
static u32 prologue_locals(const struct jit *j)
{
	u32 locals = LOCAL_BIT(UB_LOCAL_FRAME) | LOCAL_BIT(UB_LOCAL_TASK) | LOCAL_BIT(UB_LOCAL_LIMIT) | LOCAL_BIT(LOCAL_FS) |
		     LOCAL_BIT(LOCAL_FLAGS) | LOCAL_BIT(LOCAL_USER_FLAGS) | LOCAL_BIT(LOCAL_CALLS) |
		     LOCAL_BIT(UB_LOCAL_REGS) | LOCAL_BIT(LOCAL_CALL_FLAGS) | LOCAL_BIT(LOCAL_TARGET);

	if (j->has_hold)
		locals |= LOCAL_BIT(UB_LOCAL_LIMIT_LOW) | LOCAL_BIT(UB_LOCAL_MASK);
	if (j->has_ticks && j->layout.ticks == X86_NOREG)
		locals |= LOCAL_BIT(UB_LOCAL_TICKS);
	return locals;
}

static u16 operands(const struct jit *j, s32 setter)
{
	return setter < 0 ? 0 : UB_LIVE_TEMPS(ub_desc_operands(&j->block->insns[setter]));
}

/* The temporaries that are read to have the flags so described. */
static u16 named_temps(const struct jit *j, const struct ub_desc *desc)
{
	if (desc->setter < 0)
		return 0;
	return operands(j, desc->setter) |
	       (ub_desc_keeps_cf(&j->block->insns[desc->setter]) ? operands(j, desc->cf) : 0);
}

/* Temporaries that are read at or behind label @idx, be it to run the setter of the flags again. */
static u16 temps_at(const struct jit *j, u32 idx)
{
	const struct ub_flow *flow = &j->flow[idx], *label;
	u16 temps = flow->live & UB_LIVE_TEMPS(~0u);
	u32 i;

	if (!(flow->live & UB_LIVE_FLAGS))
		return temps;
	if (!ub_desc_is_merge(&flow->lazy.desc))
		return temps | named_temps(j, &flow->lazy.desc);
	label = &j->flow[UB_DESC_MERGED_AT(flow->lazy.desc.setter)];
	for (i = 0; i < label->alt_cnt; i++)
		temps |= named_temps(j, &label->alts[i]);
	return temps;
}

static bool add_fact(struct jit *j, struct ub_image_hint *hint, u8 host, struct ub_reg value)
{
	struct ub_image *image = j->image;

	if (!jit_grow(j, (void **)&image->facts, image->fact_cnt, &j->fact_cap, sizeof(*image->facts)))
		return false;
	image->facts[image->fact_cnt++] = (struct ub_image_fact){ .reg = host, .value = value };
	hint->fact_cnt++;
	return true;
}

/* What the verifier knows of IR register @reg at label @idx. */
static void tell_value(struct jit *j, struct ub_image_hint *hint, u32 idx, u8 reg)
{
	const struct ub_reg *known = ub_verified_known(j->verified, idx, reg);
	struct ub_reg value, step, ones = ub_reg_const(UB_U64_MAX);

	if (!known || known->kind == UB_REG_UNWRITTEN)
		return;
	value = *known;
	value.is_bounded = false;
	if (reg == UB_RSP && j->flow[idx].lazy.sp) {
		step = ub_reg_const((u64)-(s64)j->flow[idx].lazy.sp);
		value = ub_reg_sum(&value, &step, j->limit);
	}
	if (value.kind == UB_REG_SCALAR && value.range.span > UB_U64_MAX / 2) {
		/* Which arc of more than half the circle it is depends on the order of joins: only its bits count. */
		value.range = UB_RANGE_ANY;
		value = ub_reg_and(&value, &ones);
	}
	if (value.kind == UB_REG_SCALAR && value.bits.mask == UB_U64_MAX && value.range.span == UB_U64_MAX)
		return;
	add_fact(j, hint, j->layout.reg[reg], value);
}

/* A resident register that the machine does not have at the moment: it is in pt_regs alone, or pending. */
static bool is_away(const struct ub_lazy *lazy, u8 reg)
{
	return lazy->stale & 1u << reg || (reg == UB_RCX && lazy->rcx) || (reg == UB_R11 && lazy->r11_is_call);
}

static void tell_registers(struct jit *j, struct ub_image_hint *hint, u32 idx)
{
	const struct ub_lazy *lazy = &j->flow[idx].lazy;
	u16 temps = temps_at(j, idx), live = j->flow[idx].live;
	u8 reg, host;

	for (reg = 0; reg < UB_TEMPS_END; reg++) {
		host = j->layout.reg[reg];
		if (reg < UB_NGUEST ? host == X86_NOREG || is_away(lazy, reg) : !(temps & UB_LIVE_TEMP(reg)))
			continue;
		if (host == X86_NOREG)
			hint->locals |= LOCAL_BIT(jit_loc(j, reg).off);
		else
			hint->reg[host] = UB_HINT_GUEST;
		if (host != X86_NOREG && (reg < UB_NGUEST || (reg < UB_GUARDS_END && live & UB_LIVE_TEMP(reg))))
			tell_value(j, hint, idx, reg);
	}
	hint->reg[j->pt] = UB_HINT_REGS;
	if (j->layout.task != X86_NOREG)
		hint->reg[j->layout.task] = UB_HINT_TASK;
	if (j->layout.ticks != X86_NOREG)
		hint->reg[j->layout.ticks] = UB_HINT_TICKS;
}

/* The last one, if it is for the same place. */
static struct ub_image_hint *last_here(struct jit *j)
{
	struct ub_image *image = j->image;

	if (!image->hint_cnt || image->hints[image->hint_cnt - 1].off != j->code.len)
		return NULL;
	return &image->hints[image->hint_cnt - 1];
}

/* Of two labels in one place the later one promises less. */
static void put(struct jit *j, struct ub_image_hint hint)
{
	struct ub_image *image = j->image;
	struct ub_image_hint *last = last_here(j);

	if (last)
		*last = hint;
	else if (jit_grow(j, (void **)&image->hints, image->hint_cnt, &j->hint_cap, sizeof(*image->hints)))
		image->hints[image->hint_cnt++] = hint;
}

void jit_hint_label(struct jit *j, u32 idx)
{
	const struct ub_flow *flow = &j->flow[idx];
	struct ub_image_hint hint = {
		.off = j->code.len, .locals = prologue_locals(j), .is_open = j->opens, .fact_idx = j->image->fact_cnt,
		.is_vec_open = !j->env->vec_open || flow->lazy.is_open, .has_ticks = j->has_ticks && !flow->is_used_up,
		.has_flags = j->state.in_host && flow->live & UB_LIVE_FLAGS,
	};

	if (ub_desc_is_merge(&flow->lazy.desc) && flow->live & UB_LIVE_FLAGS)
		hint.low_bytes = LOCAL_BIT(LOCAL_WAY);
	tell_registers(j, &hint, idx);
	put(j, hint);
}

void jit_hint_call(struct jit *j, u16 lost)
{
	put(j, (struct ub_image_hint){
		.off = j->code.len, .is_kept = true, .keeps_number = true, .lost = lost, .forgotten = ~0 });
}

void jit_hint_here(struct jit *j, u16 lost, u16 forgotten)
{
	struct ub_image_hint *last = last_here(j);
	u32 i, kept = 0;
	u8 reg;

	if (!last || last->is_kept) {
		put(j, (struct ub_image_hint){ .off = j->code.len, .is_kept = true, .lost = lost | (last ? last->lost : 0),
				       .forgotten = forgotten | (last ? last->forgotten : 0) });
		return;
	}
	last->has_flags = false;
	for (reg = 0; reg < 16; reg++)
		if (lost & 1u << reg)
			last->reg[reg] = UB_HINT_NONE;
	for (i = 0; i < last->fact_cnt; i++) {
		const struct ub_image_fact *fact = &j->image->facts[last->fact_idx + i];

		if (!((lost | forgotten) & 1u << fact->reg))
			j->image->facts[last->fact_idx + kept++] = *fact;
	}
	last->fact_cnt = kept;
}

void jit_hint_start(struct jit *j)
{
	u32 i, to;

	for (i = 0; i < j->block->insn_cnt; i++) {
		if (j->block->insns[i].op != UB_OP_TICK)
			continue;
		to = ub_insn_target(&j->block->insns[i], i);
		j->flow[to].is_used_up = true;
		j->flow[to + 1].is_used_up |= j->block->insns[to].op == UB_OP_INSN;
	}
	j->image->ticks = j->has_ticks ? j->layout.ticks : X86_NOREG;
}
