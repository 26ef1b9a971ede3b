// SPDX-License-Identifier: GPL-2.0
/*
 * track: what is known along a path of the block being made?
 *
 * Promise: whatever the guards and the facts say holds on every path, and the verifier can see it too, since each IR
 * instruction made goes through track_op() and paths that meet keep only what they agree on.  The constants are
 * guesses: they are carried along one path only.
 *
 * A fact about a register counts only while the register stays in a machine register.  Offsets and numbers may drift:
 * by at most so much for each tick that has passed since the last check, which is why a pointer that walks through a
 * loop stays good until the loop's ticks run out.
 */
#include "lifter.h"

#define K_MAX		(1 << 30)
#define NUMBER_MAX	(1ll << 36)	/* greater ones are of no use as an index */
#define WORD_MAX	0xffffffffll
#define TICKS		((s64)UB_TICKS + UB_TICK_SLACK)
#define MAX_STEP	(1 << 20)	/* of a drift */
#define MAX_ROUND	5	/* times that a fact may move at the head of a loop, */
#define MAX_MOVES	10	/* and elsewhere */

void track_clear(struct track *track)
{
	u16 resident = track->resident;

	memset(track, 0, sizeof(*track));
	track->resident = resident;
}

static void drop_guard(struct guard *guard)
{
	guard->mask = 0;
	guard->is_form = false;
}

static void forget(struct track *track, u8 reg)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		struct guard *guard = &track->guards[i];

		guard->mask &= ~(1u << reg);
		if (guard->form.base == reg || guard->form.index == reg)
			guard->is_form = false;
	}
	track->facts[reg].kind = FACT_NONE;
}

/* Facts */

static void set_fact(struct track *track, u8 reg, struct fact fact)
{
	if (reg >= UB_NGUEST || !(track->resident & 1u << reg) || fact.lo < -K_MAX || fact.hi > NUMBER_MAX)
		fact.kind = FACT_NONE;
	if (reg < UB_NGUEST)
		track->facts[reg] = fact;
}

static struct fact number(s64 lo, s64 hi)
{
	return (struct fact){ .kind = FACT_NUMBER, .lo = lo, .hi = hi };
}

static struct fact held(s64 off)
{
	return (struct fact){ .kind = FACT_HELD, .lo = off, .hi = off };
}

static struct fact fact_of(const struct track *track, u8 reg)
{
	return reg < UB_NGUEST ? track->facts[reg] : (struct fact){ .kind = FACT_NONE };
}

s64 fact_min(const struct fact *fact)
{
	return fact->lo + TICKS * fact->drift_lo;
}

s64 fact_max(const struct fact *fact)
{
	return fact->hi + TICKS * fact->drift_hi;
}

/* As a number, whatever the ticks; it may be a little below zero. */
static struct fact at_any_tick(struct fact fact)
{
	if (fact.kind != FACT_NUMBER)
		return (struct fact){ .kind = FACT_NONE };
	return number(fact_min(&fact), fact_max(&fact));
}

static struct fact signed_of(const struct track *track, u8 reg)
{
	return at_any_tick(fact_of(track, reg));
}

static struct fact number_of(const struct track *track, u8 reg)
{
	struct fact fact = signed_of(track, reg);

	if (fact.lo < 0)
		fact.kind = FACT_NONE;
	return fact;
}

static struct fact sum(struct fact a, struct fact b)
{
	if (a.kind == FACT_NUMBER && b.kind == FACT_HELD)
		return sum(b, at_any_tick(a));
	b = at_any_tick(b);
	if (a.kind == FACT_NONE || b.kind != FACT_NUMBER)
		return (struct fact){ .kind = FACT_NONE };
	a.lo += b.lo;
	a.hi += b.hi;
	return a;
}

static struct fact moved(struct fact fact, s64 delta)
{
	if (delta < -K_MAX || delta > K_MAX)
		fact.kind = FACT_NONE;
	fact.lo += delta;
	fact.hi += delta;
	return fact;
}

/* As many bits as the number has. */
static s64 all_bits(s64 max)
{
	return max ? (s64)(~0ull >> __builtin_clzll(max)) : 0;
}

/* The least of a mask and a number, if one of them is known. */
static struct fact masked(struct fact a, struct fact b)
{
	if (a.kind == FACT_NONE && b.kind == FACT_NONE)
		return a;
	if (a.kind == FACT_NONE || (b.kind != FACT_NONE && b.hi < a.hi))
		return number(0, b.hi);
	return number(0, a.hi);
}

static struct fact joined_bits(struct fact a, struct fact b)
{
	if (a.kind == FACT_NONE || b.kind == FACT_NONE)
		return (struct fact){ .kind = FACT_NONE };
	return number(0, all_bits(a.hi > b.hi ? a.hi : b.hi));
}

static struct fact shifted(struct fact a, const struct ub_insn *op)
{
	if (op->op == UB_OP_SHRI)
		return a.kind == FACT_NONE ? (op->imm >= 28 ? number(0, (s64)(~0ull >> op->imm)) : a) :
		       number(0, a.hi >> op->imm);
	return a.kind == FACT_NONE || op->imm > 36 ? (struct fact){ .kind = FACT_NONE } :
	       number(0, all_bits(a.hi) << op->imm);
}

static struct fact address(const struct track *track, const struct ub_insn *op)
{
	struct fact base = fact_of(track, op->src), index = fact_of(track, ub_insn_index(op));
	u8 scale = ub_insn_scale(op);

	if (ub_insn_index(op) == UB_NOREG)
		return moved(base, op->off);
	if (op->src == UB_NOREG)
		base = number(0, 0);
	if (scale || index.kind != FACT_HELD)
		index = at_any_tick(index);
	index.lo *= 1 << scale;
	index.hi *= 1 << scale;
	return moved(sum(base, index), op->off);
}

static s64 width_max(u8 width)
{
	return width == UB_W64 ? NUMBER_MAX : (s64)(~0ull >> (64 - UB_WIDTH_BITS(width)));
}

/* The low bits of a register. */
static struct fact part(const struct track *track, u8 reg, u8 width)
{
	struct fact fact = number_of(track, reg);

	if (width == UB_W64 || (fact.kind != FACT_NONE && fact.hi <= width_max(width)))
		return fact;
	return number(0, width_max(width));
}

static struct fact extended(const struct track *track, const struct ub_insn *op)
{
	u8 width = ub_insn_width(op);
	struct fact src = part(track, op->src, width);

	if (op->op == UB_OP_ZEXT || src.hi <= width_max(width) / 2)
		return src;
	return op->op == UB_OP_SEXT32 ? number(0, WORD_MAX) : (struct fact){ .kind = FACT_NONE };
}

static struct fact loaded(const struct ub_insn *op)
{
	u8 width = ub_insn_width(op);

	if (op->op == UB_OP_LOADS64 || width == UB_W64)
		return (struct fact){ .kind = FACT_NONE };
	return number(0, op->op == UB_OP_LOADS32 ? WORD_MAX : width_max(width));
}

/* What an operation of fewer than 64 bits leaves in all of the register, if it makes @made in the low ones. */
static struct fact put(const struct track *track, const struct ub_insn *op, struct fact made)
{
	struct fact old = number_of(track, op->dst);
	u8 width = ub_insn_width(op);

	if (made.kind == FACT_NONE || made.lo < 0 || made.hi > width_max(width))
		made = number(0, width_max(width));
	if (width == UB_W32)
		return made;
	if (old.kind == FACT_NONE)
		return old;
	return number(0, old.hi <= width_max(width) ? made.hi : all_bits(old.hi));
}

/* What an operation on numbers makes; it may be too large for its width. */
static struct fact sum_result(const struct track *track, const struct ub_insn *op)
{
	u8 width = ub_insn_width(op);
	struct fact dst = part(track, op->dst, width), src = part(track, op->src, width);

	switch (op->op) {
	case UB_OP_ADD:
		return width == UB_W64 ? sum(fact_of(track, op->dst), fact_of(track, op->src)) : sum(dst, src);
	case UB_OP_ADDI: case UB_OP_SUBI:
		return moved(width == UB_W64 ? fact_of(track, op->dst) : dst, op->op == UB_OP_ADDI ? op->imm : -op->imm);
	case UB_OP_INC: case UB_OP_DEC:
		return moved(width == UB_W64 ? fact_of(track, op->dst) : dst, op->op == UB_OP_INC ? 1 : -1);
	case UB_OP_AND:
		return masked(dst, src);
	case UB_OP_ANDI:
		return masked(dst, op->imm >= 0 ? number(0, op->imm) : (struct fact){ .kind = FACT_NONE });
	case UB_OP_OR:
		return joined_bits(dst, src);
	case UB_OP_XOR:
		return op->dst == op->src ? number(0, 0) : joined_bits(dst, src);
	case UB_OP_SHRI: case UB_OP_SHLI:
		return shifted(dst, op);
	default:
		return (struct fact){ .kind = FACT_NONE };
	}
}

/* What is known of dst behind @op, all from before it. */
static struct fact result(const struct track *track, const struct ub_insn *op)
{
	u8 width = ub_insn_width(op);
	struct fact made;

	switch (op->op) {
	case UB_OP_MOV:
		made = width == UB_W64 ? fact_of(track, op->src) : part(track, op->src, width);
		break;
	case UB_OP_MOVI:
		if (width == UB_W64)
			return op->imm >= 0 && (u64)op->imm < USER_LIMIT ? held(0) : (struct fact){ .kind = FACT_NONE };
		made = number(op->imm & width_max(width), op->imm & width_max(width));
		break;
	case UB_OP_LEA:
		made = address(track, op);
		if (width == UB_W32 && (made.kind != FACT_NUMBER || made.lo < 0 || fact_max(&made) > WORD_MAX))
			made = number(0, WORD_MAX);
		break;
	case UB_OP_LOAD: case UB_OP_LOADS32: case UB_OP_LOADS64:
		return loaded(op);
	case UB_OP_ZEXT: case UB_OP_SEXT32: case UB_OP_SEXT64:
		return extended(track, op);
	case UB_OP_SETCC:
		made = number(0, 1);
		break;
	case UB_OP_BSF: case UB_OP_BSR: case UB_OP_CMPXCHG:	/* may keep all of it */
		return (struct fact){ .kind = FACT_NONE };
	default:
		if (!(ub_op_info[op->op].effect & UB_E_WR_DST))
			return (struct fact){ .kind = FACT_NONE };
		made = sum_result(track, op);
		break;
	}
	return width == UB_W64 ? made : put(track, op, made);
}

/* The register and the constant of which dst is the sum, in 64 bits. */
static bool is_move(const struct ub_insn *op, u8 *ret_src, s64 *ret_delta)
{
	bool is_64 = ub_insn_width(op) == UB_W64;

	*ret_src = op->op == UB_OP_ADDI || op->op == UB_OP_SUBI ? op->dst : op->src;
	*ret_delta = op->op == UB_OP_ADDI ? op->imm : op->op == UB_OP_SUBI ? -op->imm : op->op == UB_OP_LEA ? op->off : 0;
	switch (op->op) {
	case UB_OP_MOV: case UB_OP_ADDI: case UB_OP_SUBI:
		return is_64 && *ret_src < UB_NGUEST;
	case UB_OP_LEA:
		return is_64 && *ret_src < UB_NGUEST && ub_insn_index(op) == UB_NOREG;
	default:
		return false;
	}
}

/* Guards that cover a register cover what is moved from it. */
static void write_dst(struct track *track, const struct ub_insn *op)
{
	struct fact made = result(track, op);
	s64 delta, k[2] = { 0 };
	bool covers[2];
	u32 i;
	u8 src;

	for (i = 0; i < 2; i++) {
		covers[i] = is_move(op, &src, &delta) && track->guards[i].mask & 1u << src;
		if (covers[i])
			k[i] = track->guards[i].k[src] + delta;
	}
	forget(track, op->dst);
	set_fact(track, op->dst, made);
	for (i = 0; i < 2; i++) {
		if (!covers[i] || k[i] > K_MAX || k[i] < -K_MAX)
			continue;
		track->guards[i].mask |= 1u << op->dst;
		track->guards[i].k[op->dst] = k[i];
	}
}

/* A guard, or the sum of what is held and a number: r16 or r17 is the address of @op, and may be used. */
static void set_guard(struct track *track, const struct ub_insn *op)
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

/* A constant makes r16 or r17 an address that may be used too. */
static void set_constant(struct track *track, const struct ub_insn *op)
{
	struct guard *guard = &track->guards[op->dst - UB_GUARDS];

	drop_guard(guard);
	guard->is_form = op->imm >= 0 && op->imm <= INT_MAX;
	guard->form.base = guard->form.index = UB_NOREG;
	guard->form.scale = 0;
	guard->form.disp = op->imm;
}

/* Is it made of what is held?  The verifier then knows the sum as guarded. */
static bool makes_address(const struct track *track, const struct ub_insn *op)
{
	struct fact fact;

	if (op->op != UB_OP_LEA || ub_insn_width(op) != UB_W64)
		return false;
	fact = address(track, op);
	return fact.kind == FACT_HELD;
}

static void write_guard(struct track *track, const struct ub_insn *op)
{
	if (op->op == UB_OP_GUARD || makes_address(track, op))
		set_guard(track, op);
	else if (op->op == UB_OP_MOVI && ub_insn_width(op) == UB_W64)
		set_constant(track, op);
	else
		drop_guard(&track->guards[op->dst - UB_GUARDS]);
}

static void forget_mask(struct track *track, u32 mask)
{
	u8 reg;

	for (reg = 0; mask >> reg; reg++) {
		if (!(mask >> reg & 1))
			continue;
		if (reg < UB_NGUEST)
			forget(track, reg);
		else if (reg < UB_GUARDS_END)
			drop_guard(&track->guards[reg - UB_GUARDS]);
	}
}

static void tick(struct track *track)
{
	u32 reg;

	for (reg = 0; reg < UB_NGUEST; reg++) {
		track->facts[reg].lo -= track->facts[reg].drift_lo;
		track->facts[reg].hi -= track->facts[reg].drift_hi;
	}
}

/* No fact outlives a call. */
static void call(struct track *track)
{
	u32 reg;

	for (reg = 0; reg < UB_NGUEST; reg++)
		track->facts[reg].kind = FACT_NONE;
}

static void write(struct track *track, const struct ub_insn *op)
{
	u32 effect = ub_op_info[op->op].effect, mask = ub_insn_writes(op);

	if (effect & (UB_E_WR_DST | UB_E_WR_ALL)) {
		mask &= ~(1u << op->dst);
		if (op->dst < UB_NGUEST)
			write_dst(track, op);
		else if (op->dst < UB_GUARDS_END)
			write_guard(track, op);
	}
	forget_mask(track, mask);
	if (effect & UB_E_AX_DX && ub_insn_width(op) == UB_W32) {
		set_fact(track, UB_RAX, number(0, WORD_MAX));
		set_fact(track, UB_RDX, number(0, WORD_MAX));
	}
}

void track_op(struct track *track, const struct ub_insn *op)
{
	switch (op->op) {
	case UB_OP_HOLD:
		set_fact(track, op->dst, held(op->imm));
		return;
	case UB_OP_HOLD32:
		set_fact(track, op->dst, number(0, WORD_MAX));
		return;
	case UB_OP_TICK:
		tick(track);
		return;
	default:
		write(track, op);
		if (ub_op_info[op->op].effect & UB_E_CALLS)
			call(track);
		else if (ub_op_info[op->op].effect & UB_E_CHECK)
			track_settle(track);
		return;
	}
}

/* The ticks may have passed all: what drifted may be anywhere on its way. */
void track_settle(struct track *track)
{
	u32 reg;

	for (reg = 0; reg < UB_NGUEST; reg++) {
		struct fact fact = track->facts[reg];

		if (!fact.drift_lo && !fact.drift_hi)
			continue;
		fact.lo = fact_min(&fact);
		fact.hi = fact_max(&fact);
		fact.drift_lo = fact.drift_hi = 0;
		set_fact(track, reg, fact);
	}
}

/* Joins */

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

static bool is_drift_within(const struct fact *inner, const struct fact *outer)
{
	return inner->drift_lo >= outer->drift_lo && inner->drift_hi <= outer->drift_hi;
}

static bool is_within(const struct fact *inner, const struct fact *outer)
{
	return inner->lo >= outer->lo && inner->hi <= outer->hi && is_drift_within(inner, outer);
}

/* It still moves: a number becomes any of 32 bits, an offset any that the sum with one may reach, or it is dropped. */
static void settle(struct fact *into, const struct fact *from)
{
	if (into->kind == FACT_NUMBER && into->hi < WORD_MAX && from->hi <= WORD_MAX && from->lo >= 0)
		*into = number(0, WORD_MAX);
	else if (into->kind == FACT_HELD && into->hi < NUMBER_MAX && from->hi <= NUMBER_MAX && from->lo >= into->lo &&
		 is_drift_within(from, into))
		into->hi = NUMBER_MAX;
	else
		into->kind = FACT_NONE;
}

static s64 lesser(s64 a, s64 b)
{
	return a < b ? a : b;
}

/* An end that moved by @by, and not for the first time, goes on moving with each tick. */
static s32 drift_by(s32 drift, s32 from_drift, s64 by, bool drifts, u8 *moves)
{
	if (!by && from_drift >= drift)
		return drift;
	*moves += *moves < UB_U8_MAX;
	if (from_drift < drift)
		return from_drift;
	return drifts && *moves > 1 ? drift + (by > -MAX_STEP ? by : -MAX_STEP) : drift;
}

/* Widens @into so that it holds @from. */
static void widen(struct fact *into, const struct fact *from, bool is_round, struct moves *moves)
{
	s64 down = lesser(from->lo - into->lo, 0), up = lesser(into->hi - from->hi, 0);

	into->drift_lo = drift_by(into->drift_lo, from->drift_lo, down, is_round, &moves->lo);
	into->drift_hi = -drift_by(-into->drift_hi, -from->drift_hi, up, is_round, &moves->hi);
	into->lo += down;
	into->hi -= up;
}

static bool meet_fact(struct fact *into, const struct fact *from, bool is_round, struct moves *moves)
{
	u8 max = is_round ? MAX_ROUND : MAX_MOVES;

	if (into->kind == FACT_NONE || (into->kind == from->kind && is_within(from, into)))
		return false;
	if (into->kind != from->kind)
		into->kind = FACT_NONE;
	else if (moves->lo > max || moves->hi > max)
		settle(into, from);
	else
		widen(into, from, is_round, moves);
	return true;
}

bool track_meet(struct track *into, const struct track *from, bool is_round, struct moves *moves)
{
	bool has_lost = meet_guard(&into->guards[0], &from->guards[0]);
	u32 reg;

	has_lost |= meet_guard(&into->guards[1], &from->guards[1]);
	for (reg = 0; reg < UB_NGUEST; reg++)
		has_lost |= meet_fact(&into->facts[reg], &from->facts[reg], is_round, &moves[reg]);
	return has_lost;
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
