// SPDX-License-Identifier: GPL-2.0
/*
 * ahead: what will the registers be used for?
 *
 * Nothing here must be right: it only decides what is worth holding and what is worth a machine register.
 */
#include "lifter.h"

#define MAX_STEP	(1 << 20)
#define LOOP_WEIGHT	8	/* times that the code of a loop counts as run more often than what is around it */
#define NEAR		8u	/* guest instructions by which a way is not much longer */
#define MAX_WEIGHT	4096
#define BASE_WEIGHT	3	/* an address register in memory must be loaded, and guarded each time */
#define WITH_TICKS	9	/* with one fewer there is a machine register for the ticks */

static u16 bit(u8 reg)
{
	return reg < UB_NGUEST ? 1u << reg : 0;
}

static bool accesses(const struct ub_x86_insn *insn, const struct ub_x86_operand *operand)
{
	return operand->kind == UB_X86_MEM && insn->may_leave && insn->name != UB_X86_LEA && !operand->is_fs;
}

/* Registers that a string instruction goes through memory with. */
static u16 string_bases(const struct ub_x86_insn *insn)
{
	if (insn->is_rep || insn->name < UB_X86_STOSB || insn->name > UB_X86_SCASQ)
		return 0;
	if (insn->name <= UB_X86_STOSQ || insn->name >= UB_X86_SCASB)
		return bit(UB_RDI);
	return bit(UB_RSI) | (insn->name >= UB_X86_LODSB && insn->name <= UB_X86_LODSQ ? 0 : bit(UB_RDI));
}

/* What @insn adds to @reg, when that is all that it does to it. */
static bool find_step(const struct ub_x86_insn *insn, u8 reg, s64 *ret_step)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];

	if (dst->kind != UB_X86_REG || dst->width != UB_W64 || dst->reg != reg)
		return false;
	switch (insn->name) {
	case UB_X86_INC: case UB_X86_DEC:
		*ret_step = insn->name == UB_X86_INC ? 1 : -1;
		return true;
	case UB_X86_ADD: case UB_X86_SUB:
		*ret_step = insn->name == UB_X86_ADD ? src->imm : -src->imm;
		return src->kind == UB_X86_IMM && *ret_step <= MAX_STEP && *ret_step >= -MAX_STEP;
	case UB_X86_LEA:
		*ret_step = src->imm;
		return src->reg == reg && src->index == UB_NOREG && src->imm <= MAX_STEP && src->imm >= -MAX_STEP;
	default:
		return false;
	}
}

/* Is the new value of @reg made of registers, by a move or a sum of 64 bits? */
static bool is_copy(const struct ub_x86_insn *insn, u8 reg)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];

	if (dst->kind != UB_X86_REG || dst->width != UB_W64 || dst->reg != reg)
		return false;
	switch (insn->name) {
	case UB_X86_INC: case UB_X86_DEC: case UB_X86_LEA:
		return true;
	case UB_X86_MOV:
		return src->kind == UB_X86_REG;
	case UB_X86_ADD: case UB_X86_SUB:
		return src->kind != UB_X86_MEM;
	default:
		return false;
	}
}

/* The register of which @reg is a copy, but for a constant, or UB_NOREG. */
static u8 find_origin(const struct ub_x86_insn *insn, u8 reg, s64 *ret_delta)
{
	const struct ub_x86_operand *src = &insn->operands[1];

	*ret_delta = 0;
	if (!is_copy(insn, reg) || (insn->name != UB_X86_MOV && insn->name != UB_X86_LEA))
		return UB_NOREG;
	if (insn->name == UB_X86_LEA && src->index != UB_NOREG)
		return UB_NOREG;
	*ret_delta = insn->name == UB_X86_LEA ? src->imm : 0;
	return src->reg < UB_NGUEST ? src->reg : UB_NOREG;
}

/* The two registers of which the new value of @reg is the sum, the second one maybe with a factor. */
static bool find_sum(const struct ub_x86_insn *insn, u8 reg, u8 *ret_a, u8 *ret_b)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];

	if (dst->kind != UB_X86_REG || dst->width != UB_W64 || dst->reg != reg)
		return false;
	if (insn->name == UB_X86_LEA) {
		*ret_a = src->reg;
		*ret_b = src->index;
	} else if (insn->name == UB_X86_ADD && src->kind == UB_X86_REG) {
		*ret_a = reg;
		*ret_b = src->reg;
	} else {
		return false;
	}
	return *ret_a < UB_NGUEST && *ret_b < UB_NGUEST;
}

/* Bases */

/* What @reg is a copy of will be a base where it is one. */
static void step_write(const struct ub_x86_insn *insn, u8 reg, u16 *bases, u16 *lows)
{
	bool was_base = *bases & 1u << reg, was_low = *lows & 1u << reg;
	u8 origin = reg, a, b;
	s64 delta;

	if (!find_step(insn, reg, &delta)) {
		*bases &= ~(1u << reg);
		*lows &= ~(1u << reg);
		origin = find_origin(insn, reg, &delta);
	}
	/* One of a sum is the pointer. */
	if (was_base && find_sum(insn, reg, &a, &b)) {
		*bases |= bit(a) | bit(b);
		*lows |= was_low ? bit(a) | bit(b) : 0;
	}
	if (was_base)
		*bases |= bit(origin);
	if (was_low || (was_base && delta < 0))
		*lows |= bit(origin);
}

/* From what holds behind @insn to what holds before it. */
static void step_bases(const struct ub_x86_insn *insn, u16 *bases, u16 *lows)
{
	u32 i;
	u8 reg;

	for (reg = 0; reg < UB_NGUEST && insn->writes; reg++)
		if (insn->writes & 1u << reg && !(string_bases(insn) & 1u << reg))
			step_write(insn, reg, bases, lows);
	for (i = 0; i < insn->operand_cnt; i++) {
		const struct ub_x86_operand *operand = &insn->operands[i];

		if (!accesses(insn, operand))
			continue;
		*bases |= bit(operand->reg);
		if (operand->imm < 0)
			*lows |= bit(operand->reg);
	}
	*bases |= string_bases(insn);
	if (insn->name == UB_X86_SYSCALL)
		*bases = *lows = 0;
}

/* True if what holds at the head of the node has changed. */
static bool walk(struct lift *l, struct node *node)
{
	u16 bases = 0, lows = 0;
	bool has_changed;
	u32 i;

	for (i = 0; i < node->edge_cnt; i++) {
		if (node->edges[i].node < 0)
			continue;
		bases |= l->nodes[node->edges[i].node].bases_in;
		lows |= l->nodes[node->edges[i].node].lows_in;
	}
	for (i = node->cnt; i--; ) {
		l->insts[node->first + i].bases = bases;
		l->insts[node->first + i].lows = lows;
		step_bases(region_insn(l, node, i), &bases, &lows);
	}
	has_changed = bases != node->bases_in || lows != node->lows_in;
	node->bases_in = bases;
	node->lows_in = lows;
	return has_changed;
}

static void find_bases(struct lift *l)
{
	bool has_changed;
	u32 i;

	do {
		has_changed = false;
		for (i = l->node_cnt; i--; )
			if (l->nodes[i].is_kept && walk(l, &l->nodes[i]))
				has_changed = true;
	} while (has_changed);
}

/* Loops */

static void add_step(struct loop *loop, u8 reg, s64 delta)
{
	s64 lo = loop->step_lo[reg] + (delta < 0 ? delta : 0), hi = loop->step_hi[reg] + (delta > 0 ? delta : 0);

	loop->steps |= 1u << reg;
	if (lo < -MAX_STEP || hi > MAX_STEP) {
		loop->changes |= 1u << reg;
		return;
	}
	loop->step_lo[reg] = lo;
	loop->step_hi[reg] = hi;
}

static void add_writes(struct loop *loop, const struct ub_x86_insn *insn, bool is_own)
{
	s64 delta;
	u8 reg;

	for (reg = 0; reg < UB_NGUEST; reg++) {
		if (!(insn->writes & 1u << reg))
			continue;
		if (is_own && string_bases(insn) & 1u << reg)
			add_step(loop, reg, 8);
		else if (is_own && find_step(insn, reg, &delta))
			add_step(loop, reg, delta);
		else
			loop->changes |= 1u << reg;
		if (!is_copy(insn, reg) && !(string_bases(insn) & 1u << reg))
			loop->loads |= 1u << reg;
	}
}

/* Which of the two registers of an address is the pointer, base or index?  With a factor there is no question. */
static void add_uses(struct loop *loop, const struct ub_x86_insn *insn)
{
	u32 i;

	loop->bases |= string_bases(insn);
	for (i = 0; i < insn->operand_cnt; i++) {
		const struct ub_x86_operand *mem = &insn->operands[i];
		bool is_indexed = mem->index != UB_NOREG;

		if (!accesses(insn, mem) || mem->reg == UB_RSP)
			continue;
		if (is_indexed)
			loop->indexes |= bit(mem->index);
		if (!is_indexed || mem->scale)
			loop->bases |= bit(mem->reg);
		else
			loop->pairs |= bit(mem->reg);
		if (mem->imm < 0)
			loop->lows |= bit(mem->reg);
	}
}

/* What is added to a number is the pointer.  @numbers: registers last written as 32 bits. */
static void add_sums(struct loop *loop, const struct ub_x86_insn *insn, u16 numbers)
{
	u8 reg, a, b;

	for (reg = 0; reg < UB_NGUEST; reg++) {
		if (!(insn->writes & 1u << reg) || !find_sum(insn, reg, &a, &b))
			continue;
		if (!(numbers & bit(a)) && numbers & bit(b))
			loop->sums |= bit(a);
		if (!(numbers & bit(b)) && numbers & bit(a))
			loop->sums |= bit(b);
	}
}

static u16 numbers_behind(const struct ub_x86_insn *insn, u16 numbers)
{
	const struct ub_x86_operand *dst = &insn->operands[0];

	numbers &= ~insn->writes;
	return dst->kind == UB_X86_REG && dst->width == UB_W32 && insn->writes & bit(dst->reg) ? numbers | bit(dst->reg) : numbers;
}

static void describe_node(struct lift *l, const struct node *node)
{
	u16 numbers = 0;
	s32 idx;
	u32 i;

	for (i = 0; i < node->cnt; i++) {
		const struct ub_x86_insn *insn = region_insn(l, node, i);

		for (idx = node->loop; idx >= 0; idx = l->loops[idx].parent) {
			add_writes(&l->loops[idx], insn, idx == node->loop);
			add_uses(&l->loops[idx], insn);
			add_sums(&l->loops[idx], insn, numbers);
		}
		numbers = numbers_behind(insn, numbers);
	}
}

void ahead_describe_loops(struct lift *l)
{
	u32 i;
	u8 reg;

	for (i = 0; i < l->node_cnt; i++)
		if (l->nodes[i].is_kept)
			describe_node(l, &l->nodes[i]);
	for (i = 0; i < l->loop_cnt; i++) {
		struct loop *loop = &l->loops[i];

		/* Of two registers without a factor the one that stays is the pointer, if the other one walks. */
		loop->bases |= loop->pairs & ~loop->steps;
		loop->bases |= loop->sums & ~(loop->steps | loop->changes);
		loop->steps &= ~loop->changes;
		loop->bases &= ~(loop->loads | bit(UB_RSP));
		loop->indexes &= loop->steps & ~loop->bases;
		for (reg = 0; reg < UB_NGUEST; reg++)
			if (loop->steps & 1u << reg && loop->step_lo[reg] < 0)
				loop->lows |= loop->indexes & 1u << reg ? loop->bases : 1u << reg;
	}
}

/* Machine registers */

u32 lift_longest_way(const struct lift *l)
{
	u32 i, least = UB_U32_MAX / 4;

	for (i = 0; i < l->node_cnt; i++)
		if (l->nodes[i].is_kept && node_way(&l->nodes[i]) < least)
			least = node_way(&l->nodes[i]);
	return least * 2 + NEAR;
}

static u32 weight_of(const struct lift *l, const struct node *node)
{
	u32 weight = 1;
	s32 i;

	for (i = node->loop; i >= 0 && weight < MAX_WEIGHT; i = l->loops[i].parent)
		weight *= LOOP_WEIGHT;
	return weight;
}

static void weigh_insn(const struct ub_x86_insn *insn, u32 weight, u64 *weights)
{
	u32 i;

	for (i = 0; i < insn->operand_cnt; i++) {
		const struct ub_x86_operand *operand = &insn->operands[i];

		if (operand->kind == UB_X86_REG && operand->reg < UB_NGUEST)
			weights[operand->reg] += weight;
		if (operand->kind != UB_X86_MEM)
			continue;
		if (operand->reg < UB_NGUEST)
			weights[operand->reg] += weight * BASE_WEIGHT;
		if (operand->index < UB_NGUEST)
			weights[operand->index] += weight * 2;
	}
}

/* Registers that instructions of the node have no choice about. */
static u16 fixed_regs(const struct lift *l, const struct node *node)
{
	u16 mask = 0;
	u32 i;

	for (i = 0; i < node->cnt; i++) {
		const struct ub_x86_insn *insn = region_insn(l, node, i);

		if (insn->is_rep)
			mask |= bit(UB_RSI) | bit(UB_RDI);
		if (insn->name == UB_X86_CMPXCHG8B || insn->name == UB_X86_CMPXCHG16B)
			mask |= bit(UB_RBX);
	}
	return mask;
}

static u64 lightest(u16 mask, const u64 *weights, u8 *ret_reg)
{
	u64 least = UB_U64_MAX;
	u8 reg;

	for (reg = 0; reg < UB_NGUEST; reg++) {
		if (!(mask & 1u << reg) || weights[reg] >= least)
			continue;
		least = weights[reg];
		*ret_reg = reg;
	}
	return least;
}

static u64 heaviest(u16 mask, const u64 *weights, u8 *ret_reg)
{
	u64 most = 0;
	u8 reg;

	for (reg = 0; reg < UB_NGUEST; reg++) {
		if (!(mask & 1u << reg) || weights[reg] <= most)
			continue;
		most = weights[reg];
		*ret_reg = reg;
	}
	return most;
}

/*
 * The default mask is best where system calls are made: it wants no registers saved around them.  Others take the place
 * of the lightest of it if loops use them more, and some loop is run for nearly each call.  rsp has its window in r16.
 */
static void choose_resident(struct lift *l)
{
	u16 always = bit(UB_RAX) | bit(UB_RCX) | bit(UB_RDX);
	u64 weights[UB_NGUEST] = { 0 }, worth[UB_NGUEST] = { 0 };
	u16 mask = UB_RESIDENT_DEFAULT;
	u32 i, k, weight, longest = lift_longest_way(l);
	bool has_near_loop = false, is_near;
	u8 in = 0, out = 0;

	for (i = 0; i < l->node_cnt; i++) {
		weight = l->nodes[i].is_kept ? weight_of(l, &l->nodes[i]) : 0;
		if (weight)
			always |= fixed_regs(l, &l->nodes[i]);
		is_near = weight && node_way(&l->nodes[i]) <= longest;
		has_near_loop |= weight > 1 && is_near;
		for (k = 0; weight > 1 && k < l->nodes[i].cnt; k++)
			weigh_insn(region_insn(l, &l->nodes[i], k), weight, weights);
		/* Code that runs once for each call takes no register, but keeps what it has. */
		for (k = 0; (weight > 1 || is_near) && k < l->nodes[i].cnt; k++)
			weigh_insn(region_insn(l, &l->nodes[i], k), weight, worth);
	}
	if (!has_near_loop) {
		l->resident = mask;
		return;
	}
	while (heaviest(~mask & ~(1u << UB_RSP), weights, &in) > lightest(mask & ~always, worth, &out) * 2)
		mask = (mask & ~(1u << out)) | 1u << in;
	if (l->loop_cnt && __builtin_popcount(mask) > WITH_TICKS) {
		lightest(mask & ~always, worth, &out);
		mask &= ~(1u << out);
	}
	l->resident = mask;
}

void ahead_find(struct lift *l)
{
	find_bases(l);
	if (!l->request->is_plain)
		choose_resident(l);
}
