// SPDX-License-Identifier: GPL-2.0
/*
 * place: how does a guest address become one that may be used?
 *
 * In this order: r16, the window around the stack, or r17 covers it already; its registers are held, or are worth holding
 * because they will be used again; or r17 is made to guard it, which serves this one place.
 *
 * Promise: what a place is made of may leave, so it stands before anything of the guest has changed; see lift_mov.c.
 */
#include "lifter.h"

#define WINDOW		(1ll << 40)	/* that an access may reach above what was held */
#define MAX_LEN		64
#define STACK_BELOW	0x8000	/* bytes below rsp that a new stack window covers */
#define LOOK_AHEAD	24	/* guest instructions */
#define FIRST_ADDRESS	0x10000	/* below it nothing is ever mapped: such a constant is a number */

static bool is_plain(const struct ub_x86_operand *mem, u8 base)
{
	return mem->kind == UB_X86_MEM && !mem->is_fs && mem->index == UB_NOREG && mem->reg == base;
}

/* The lowest displacement with which the coming instructions use @base, at most @disp. */
static s64 lowest(const struct lift *l, u8 base, s64 disp)
{
	u32 i, k;

	if (!l->node || l->insn->writes & 1u << base)
		return disp;
	for (i = l->pos + 1; i < l->node->cnt && i < l->pos + LOOK_AHEAD; i++) {
		const struct ub_x86_insn *insn = region_insn(l, l->node, i);

		for (k = 0; k < insn->operand_cnt && insn->may_leave; k++)
			if (is_plain(&insn->operands[k], base) && insn->operands[k].imm < disp)
				disp = insn->operands[k].imm;
		if (insn->writes & 1u << base)
			break;
	}
	return disp;
}

/* Will one of the coming instructions use what r17 guards now? */
static bool is_used_again(const struct lift *l)
{
	u16 mask = l->track.guards[1].mask & ~l->insn->writes;
	u32 i, k;

	if (!l->node)
		return false;
	for (i = l->pos + 1; mask && i < l->node->cnt && i < l->pos + LOOK_AHEAD; i++) {
		const struct ub_x86_insn *insn = region_insn(l, l->node, i);

		if (insn->name == UB_X86_SYSCALL)
			break;
		for (k = 0; k < insn->operand_cnt && insn->may_leave; k++)
			if (insn->operands[k].reg < UB_NGUEST && mask & 1u << insn->operands[k].reg &&
			    is_plain(&insn->operands[k], insn->operands[k].reg))
				return true;
		mask &= ~insn->writes;
	}
	return false;
}

u8 lift_temp(struct lift *l, const struct place *place)
{
	return (place && place->base == REG_T) || is_used_again(l) ? REG_U : REG_T;
}

static struct place at_constant(struct lift *l, u64 addr)
{
	if (addr >= USER_LIMIT - 64)
		l->why = "address";
	return (struct place){ .base = UB_NOREG, .addr = addr };
}

void lift_address(struct lift *l, u8 reg, const struct ub_x86_operand *mem)
{
	if (!mem->is_fs && mem->reg == UB_NOREG && mem->index == UB_NOREG) {
		ir_ri(l, UB_OP_MOVI, UB_W64, false, reg, mem->imm);
		return;
	}
	if (mem->imm != (s32)mem->imm || mem->is_a32) {
		l->why = "address";
		return;
	}
	if (!mem->is_fs) {
		ir_addr(l, UB_OP_LEA, UB_W64, reg, mem->reg, mem->index, mem->scale, mem->imm);
		return;
	}
	/* No address has room for all three. */
	ir_addr(l, UB_OP_LEA, UB_W64, reg, UB_FS, UB_NOREG, 0, mem->imm);
	if (mem->index != UB_NOREG)
		ir_addr(l, UB_OP_LEA, UB_W64, reg, reg, mem->index, mem->scale, 0);
	if (mem->reg != UB_NOREG)
		ir_addr(l, UB_OP_LEA, UB_W64, reg, reg, mem->reg, 0, 0);
}

/* fs base + displacement + registers: no address has room for all three. */
static struct place at_thread(struct lift *l, const struct ub_x86_operand *mem, s64 disp)
{
	struct place place = { .base = REG_T };

	if (mem->reg == UB_NOREG && mem->index == UB_NOREG) {
		/* Offsets that can be the access's own cost nothing there. */
		place.off = disp > 0 ? disp : 0;
		ir_addr(l, UB_OP_GUARD, 0, REG_T, UB_FS, UB_NOREG, 0, disp - place.off);
		return place;
	}
	ir_addr(l, UB_OP_LEA, UB_W64, REG_T, UB_FS, UB_NOREG, 0, disp);
	if (mem->index != UB_NOREG)
		ir_addr(l, UB_OP_LEA, UB_W64, REG_T, REG_T, mem->index, mem->scale, 0);
	ir_addr(l, UB_OP_GUARD, 0, REG_T, REG_T, mem->reg, 0, 0);
	return place;
}

/* An address of 32 bits. */
static struct place at_short(struct lift *l, const struct ub_x86_operand *mem, s64 disp)
{
	ir_addr(l, UB_OP_LEA, UB_W32, REG_T, mem->reg, mem->index, mem->scale, disp);
	ir_addr(l, UB_OP_GUARD, 0, REG_T, REG_T, UB_NOREG, 0, 0);
	return (struct place){ .base = REG_T };
}

/* Held registers */

static bool is_resident(const struct lift *l, u8 reg)
{
	return reg < UB_NGUEST && l->track.resident & 1u << reg;
}

static const struct fact *fact_of(const struct lift *l, u8 reg)
{
	static const struct fact none;

	return reg < UB_NGUEST ? &l->track.facts[reg] : &none;
}

/* May [base + index << scale + disp] be used, as far as the facts go? */
static bool is_inside(const struct fact *base, const struct fact *index, u8 scale, s64 disp)
{
	s64 lo = fact_min(base) + disp, hi = fact_max(base) + disp;

	if (base->kind != FACT_HELD)
		return false;
	if (index) {
		if (index->kind != FACT_NUMBER)
			return false;
		lo += fact_min(index) * (1 << scale);
		hi += fact_max(index) * (1 << scale);
	}
	return lo >= 0 && hi <= WINDOW - MAX_LEN;
}

/* Holds @base when the instructions ahead use it too: then it costs no more than a guard, and they cost nothing. */
static bool try_hold(struct lift *l, u8 base, s64 disp)
{
	const struct inst *inst;

	if (!l->node || !is_resident(l, base) || region_is_wild(l, l->insn->ip))
		return false;
	inst = &l->insts[l->node->first + l->pos];
	if (!(inst->bases & 1u << base))
		return false;
	ir_hold(l, base, disp < 0 || inst->lows & 1u << base);
	return true;
}

/* Do the flags of before the current instruction end in its node before anybody reads them? */
static bool are_flags_idle(const struct lift *l)
{
	u32 i;

	for (i = l->pos + 1; i < l->node->cnt; i++) {
		enum ub_x86_flags flags = lift_flags(region_insn(l, l->node, i));

		if (flags != UB_X86_KEEP)
			return flags == UB_X86_SET;
	}
	return false;
}

void lift_hold_copied(struct lift *l, u8 dst, u8 src)
{
	const struct inst *inst;
	u16 both = 1u << dst | 1u << src;

	if (!l->node || !is_resident(l, dst) || !is_resident(l, src) || fact_of(l, src)->kind != FACT_NONE ||
	    region_is_wild(l, l->insn->ip))
		return;
	inst = &l->insts[l->node->first + l->pos];
	if ((inst->bases & both) == both && are_flags_idle(l))
		ir_hold(l, src, inst->lows & both);
}

static bool at_held(struct lift *l, const struct ub_x86_operand *mem, s64 disp, struct place *ret)
{
	*ret = (struct place){ .base = mem->reg, .off = disp };
	return is_inside(fact_of(l, mem->reg), NULL, 0, disp) ||
	       (try_hold(l, mem->reg, disp) && is_inside(fact_of(l, mem->reg), NULL, 0, disp));
}

/* Both registers of the address are known.  Without a factor either may be the pointer. */
static bool is_sum(struct lift *l, u8 base, u8 index, u8 scale, s64 disp)
{
	s64 lowest = fact_min(fact_of(l, index)) * (1 << scale) + disp;

	if (fact_of(l, index)->kind != FACT_NUMBER)
		return false;
	return is_inside(fact_of(l, base), fact_of(l, index), scale, disp) ||
	       (try_hold(l, base, lowest) && is_inside(fact_of(l, base), fact_of(l, index), scale, disp));
}

static bool at_indexed(struct lift *l, const struct ub_x86_operand *mem, s64 disp, struct place *ret)
{
	*ret = (struct place){ .base = mem->reg, .is_indexed = true, .index = mem->index, .scale = mem->scale,
			       .off = disp };
	if (mem->reg == UB_NOREG || mem->reg == UB_RSP)
		return false;
	if (is_sum(l, mem->reg, mem->index, mem->scale, disp))
		return true;
	ret->base = mem->index;
	ret->index = mem->reg;
	return !mem->scale && is_sum(l, mem->index, mem->reg, 0, disp);
}

/* A table at a constant address. */
static bool at_table(struct lift *l, const struct ub_x86_operand *mem, s64 disp, struct place *ret)
{
	static const struct fact table = { .kind = FACT_HELD };
	const struct ub_x86_operand itself = { .kind = UB_X86_MEM, .reg = UB_NOREG, .index = UB_NOREG };

	*ret = (struct place){ .base = REG_T, .is_indexed = true, .index = mem->index, .scale = mem->scale };
	if (mem->reg != UB_NOREG || disp < FIRST_ADDRESS || !is_inside(&table, fact_of(l, mem->index), mem->scale, 0))
		return false;
	if (!track_covers(&l->track.guards[1], &itself, disp, &ret->off))
		ir_ri(l, UB_OP_MOVI, UB_W64, false, REG_T, disp);
	return true;
}

/* Makes r17 the sum of what is held and a number: no operation but load and store has room for an index. */
static struct place without_index(struct lift *l, struct place place)
{
	ir_addr(l, UB_OP_LEA, UB_W64, REG_T, place.base, place.index, place.scale, place.off);
	return (struct place){ .base = REG_T };
}

static struct place guard_place(struct lift *l, const struct ub_x86_operand *mem, s64 disp)
{
	bool is_stack = is_plain(mem, UB_RSP);
	struct place place = { .base = is_stack ? REG_STACK : REG_T };
	s64 low = disp;

	if (is_stack && disp > -STACK_BELOW)
		low = -STACK_BELOW;
	else if (mem->index == UB_NOREG)
		low = lowest(l, mem->reg, disp);
	if (low > 0 && mem->index == UB_NOREG)
		low = 0;
	if (disp - low > INT_MAX - 64)
		low = disp;
	ir_addr(l, UB_OP_GUARD, 0, place.base, mem->reg, mem->index, mem->scale, low);
	place.off = disp - low;
	return place;
}

static bool is_covered(struct lift *l, const struct ub_x86_operand *mem, s64 disp, struct place *ret)
{
	u8 reg, last = is_plain(mem, UB_RSP) ? REG_STACK : REG_T;

	for (reg = REG_STACK; reg <= last; reg++) {
		*ret = (struct place){ .base = reg };
		if (track_covers(&l->track.guards[reg - UB_GUARDS], mem, disp, &ret->off))
			return true;
	}
	return false;
}

static struct place find_place(struct lift *l, const struct ub_x86_operand *mem, s64 adjust)
{
	s64 disp = mem->imm + (mem->reg == UB_RSP ? adjust : 0);
	struct place place;

	if (!mem->is_fs && mem->reg == UB_NOREG && mem->index == UB_NOREG)
		return at_constant(l, disp);
	if (disp != (s32)disp || (mem->is_a32 && mem->is_fs)) {
		l->why = "address";
		return (struct place){ .base = REG_T };
	}
	if (mem->is_a32)
		return at_short(l, mem, disp);
	if (is_covered(l, mem, disp, &place))
		return place;
	if (mem->is_fs)
		return at_thread(l, mem, disp);
	if (mem->index == UB_NOREG ? at_held(l, mem, disp, &place) :
	    at_indexed(l, mem, disp, &place) || at_table(l, mem, disp, &place))
		return place;
	return guard_place(l, mem, disp);
}

struct place lift_access(struct lift *l, const struct ub_x86_operand *mem)
{
	return find_place(l, mem, 0);
}

struct place lift_place(struct lift *l, const struct ub_x86_operand *mem, s64 adjust)
{
	struct place place = find_place(l, mem, adjust);

	return place.is_indexed ? without_index(l, place) : place;
}

struct place lift_stack(struct lift *l, s64 disp)
{
	struct ub_x86_operand mem = { .kind = UB_X86_MEM, .reg = UB_RSP, .index = UB_NOREG, .imm = disp };

	return lift_place(l, &mem, 0);
}
