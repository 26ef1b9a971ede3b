// SPDX-License-Identifier: GPL-2.0
/*
 * track: what is known along a path of the block being made?
 *
 * Promise: whatever the guards say holds on every path, since each IR instruction made goes through track_op() and
 * paths that meet keep only what they agree on.  The constants are guesses: they are carried along one path only.
 */
#include "lifter.h"

#define K_MAX	(1 << 30)

void track_clear(struct track *track)
{
	memset(track, 0, sizeof(*track));
}

static void drop_guard(struct guard *guard)
{
	guard->mask = 0;
	guard->is_form = false;
}

static void forget(struct track *track, u8 reg)
{
	u32 i;

	if (reg >= UB_GUARDS && reg < UB_GUARDS_END)
		drop_guard(&track->guards[reg - UB_GUARDS]);
	if (reg >= UB_NGUEST)
		return;
	for (i = 0; i < 2; i++) {
		struct guard *guard = &track->guards[i];

		guard->mask &= ~(1u << reg);
		if (guard->form.base == reg || guard->form.index == reg)
			guard->is_form = false;
	}
	track->known &= ~(1u << reg);
	track->slotted &= ~(1u << reg);
}

static void set_value(struct track *track, u8 reg, u64 value, bool is_slot)
{
	if (reg >= UB_NGUEST)
		return;
	track->value[reg] = value;
	if (is_slot)
		track->slotted |= 1u << reg;
	else
		track->known |= 1u << reg;
}

/* dst = src + delta, in 64 bits. */
static void move(struct track *track, u8 dst, u8 src, s64 delta)
{
	struct track old = *track;
	u32 i;

	forget(track, dst);
	if (src >= UB_NGUEST || dst >= UB_NGUEST)
		return;
	for (i = 0; i < 2; i++) {
		struct guard *guard = &track->guards[i];
		s64 k = old.guards[i].k[src] + delta;

		if (!(old.guards[i].mask & 1u << src) || k > K_MAX || k < -K_MAX)
			continue;
		guard->mask |= 1u << dst;
		guard->k[dst] = k;
	}
	if (old.known & 1u << src)
		set_value(track, dst, old.value[src] + delta, false);
	else if (old.slotted & 1u << src && !delta)
		set_value(track, dst, old.value[src], true);
}

static void write_dst(struct track *track, const struct ub_insn *op)
{
	bool is_64 = ub_insn_width(op) == UB_W64;

	if (op->op == UB_OP_MOV && is_64) {
		move(track, op->dst, op->src, 0);
	} else if ((op->op == UB_OP_ADDI || op->op == UB_OP_SUBI) && is_64) {
		move(track, op->dst, op->dst, op->op == UB_OP_ADDI ? op->imm : -op->imm);
	} else if (op->op == UB_OP_LEA && is_64 && op->src < UB_NGUEST && ub_insn_index(op) == UB_NOREG) {
		move(track, op->dst, op->src, op->off);
	} else {
		forget(track, op->dst);
		if (op->op == UB_OP_MOVI && ub_insn_width(op) >= UB_W32)
			set_value(track, op->dst, is_64 ? (u64)op->imm : (u32)op->imm, false);
		else if (op->op == UB_OP_XOR && op->dst == op->src && ub_insn_width(op) >= UB_W32)
			set_value(track, op->dst, 0, false);
		else if (op->op == UB_OP_LOAD && is_64 && op->src == UB_NOREG)
			set_value(track, op->dst, op->imm, true);
	}
}

void track_op(struct track *track, const struct ub_insn *op)
{
	u32 reg, writes = ub_insn_writes(op);

	if (ub_op_info[op->op].effect & (UB_E_WR_DST | UB_E_WR_ALL)) {
		write_dst(track, op);
		writes &= ~(1u << op->dst);
	}
	for (reg = 0; writes >> reg; reg++)
		if (writes >> reg & 1)
			forget(track, reg);
}

void track_guard(struct track *track, const struct ub_insn *op)
{
	struct guard *guard = &track->guards[op->dst - UB_GUARDS];
	u8 index = ub_insn_index(op);

	drop_guard(guard);
	if (op->src < UB_NGUEST && index == UB_NOREG) {
		guard->mask = 1u << op->src;
		guard->k[op->src] = -(s64)op->off;
	} else if (op->src < UB_NGUEST || op->src >= UB_FS) {
		guard->is_form = true;
		guard->form.base = op->src;
		guard->form.index = index;
		guard->form.scale = ub_insn_scale(op);
		guard->form.disp = op->off;
	}
}

static bool meet_guard(struct guard *into, const struct guard *from)
{
	u16 mask = into->mask;
	bool is_form = into->is_form;
	u32 i;

	into->mask &= from->mask;
	for (i = 0; i < UB_NGUEST; i++)
		if (into->k[i] != from->k[i])
			into->mask &= ~(1u << i);
	into->is_form = is_form && from->is_form && !memcmp(&into->form, &from->form, sizeof(from->form));
	return into->mask != mask || into->is_form != is_form;
}

bool track_meet(struct track *into, const struct track *from)
{
	bool has_lost = meet_guard(&into->guards[0], &from->guards[0]);

	return meet_guard(&into->guards[1], &from->guards[1]) || has_lost;
}

bool track_covers(const struct guard *guard, const struct ub_x86_operand *mem, s64 disp, s32 *ret_off)
{
	s64 off;

	if (!mem->is_fs && mem->index == UB_NOREG && mem->reg < UB_NGUEST && guard->mask & 1u << mem->reg)
		off = disp + guard->k[mem->reg];
	else if (guard->is_form && guard->form.base == (mem->is_fs ? UB_FS : mem->reg) &&
		 guard->form.index == mem->index && guard->form.scale == mem->scale &&
		 (!mem->is_fs || mem->reg == UB_NOREG))
		off = disp - guard->form.disp;
	else
		return false;
	*ret_off = off;
	return off >= 0 && off <= INT_MAX - 64;
}
