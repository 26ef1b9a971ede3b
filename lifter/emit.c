// SPDX-License-Identifier: GPL-2.0
/*
 * emit: how are IR instructions made, and how does a guest address become one that may be used?
 *
 * Promise: each instruction made has the one spelling that ub_insn_check() takes, and the tracker has seen it.
 */
#include "lifter.h"

#define STACK_BELOW	0x8000	/* bytes below rsp that a new stack window covers */
#define LOOK_AHEAD	24	/* guest instructions */

bool lift_grow(struct lift *l, void **arr, u32 cnt, u32 *cap, size_t size)
{
	u32 new_cap = *cap ? *cap * 2 : 64;
	void *mem;

	if (cnt < *cap)
		return true;
	mem = l->err ? NULL : realloc(*arr, new_cap * size);
	if (!mem) {
		l->err = -ENOMEM;
		return false;
	}
	*arr = mem;
	*cap = new_cap;
	return true;
}

static void put(struct lift *l, struct ub_insn op)
{
	if (!lift_grow(l, (void **)&l->ops, l->op_cnt, &l->op_cap, sizeof(op)))
		return;
	l->ops[l->op_cnt++] = op;
	if (op.op == UB_OP_GUARD)
		track_guard(&l->track, &op);
	else
		track_op(&l->track, &op);
}

/* A constant as the operation wants it: sign-extended from its width. */
static s64 spell(u8 width, s64 imm)
{
	u32 shift = 64 - UB_WIDTH_BITS(width);

	return (s64)((u64)imm << shift) >> shift;
}

void ir_rr(struct lift *l, enum ub_op op, u8 width, bool f, u8 dst, u8 src)
{
	put(l, (struct ub_insn){ .op = op, .mode = UB_MODE(width, f, 0), .dst = dst, .src = src });
}

void ir_ri(struct lift *l, enum ub_op op, u8 width, bool f, u8 dst, s64 imm)
{
	put(l, (struct ub_insn){ .op = op, .mode = UB_MODE(width, f, 0), .dst = dst, .imm = spell(width, imm) });
}

void ir_rri(struct lift *l, enum ub_op op, u8 width, bool f, u8 dst, u8 src, s64 imm)
{
	put(l, (struct ub_insn){ .op = op, .mode = UB_MODE(width, f, 0), .dst = dst, .src = src,
				 .imm = spell(width, imm) });
}

void ir_dst(struct lift *l, enum ub_op op, u8 width, bool f, u8 dst)
{
	put(l, (struct ub_insn){ .op = op, .mode = UB_MODE(width, f, 0), .dst = dst });
}

void ir_src(struct lift *l, enum ub_op op, u8 width, bool f, u8 src)
{
	put(l, (struct ub_insn){ .op = op, .mode = UB_MODE(width, f, 0), .src = src });
}

void ir_cc(struct lift *l, enum ub_op op, u8 width, enum ub_cc cc, u8 dst, u8 src)
{
	put(l, (struct ub_insn){ .op = op, .mode = UB_MODE(width, false, cc), .dst = dst, .src = src });
}

void ir_addr(struct lift *l, enum ub_op op, u8 width, u8 dst, u8 base, u8 index, u8 scale, s32 off)
{
	put(l, (struct ub_insn){ .op = op, .mode = UB_MODE(width, false, 0), .dst = dst, .src = base, .off = off,
				 .imm = UB_ADDR_IMM(index, index == UB_NOREG ? 0 : scale) });
}

void ir_load(struct lift *l, enum ub_op op, u8 width, u8 dst, struct place place)
{
	put(l, (struct ub_insn){ .op = op, .mode = UB_MODE(width, false, 0), .dst = dst, .src = place.base,
				 .off = place.off, .imm = place.addr });
}

void ir_store(struct lift *l, u8 width, struct place place, u8 src)
{
	put(l, (struct ub_insn){ .op = UB_OP_STORE, .mode = UB_MODE(width, false, 0), .dst = place.base, .src = src,
				 .off = place.off, .imm = place.addr });
}

/* storei has no room for both a constant and a constant address. */
void ir_storei(struct lift *l, u8 width, struct place place, s64 imm)
{
	u8 temp;

	imm = spell(width, imm);
	if (place.base != UB_NOREG && imm == (s32)imm) {
		put(l, (struct ub_insn){ .op = UB_OP_STOREI, .mode = UB_MODE(width, false, 0), .dst = place.base,
					 .off = place.off, .imm = imm });
		return;
	}
	temp = lift_temp(l, &place);
	ir_ri(l, UB_OP_MOVI, UB_W64, false, temp, imm);
	ir_store(l, width, place, temp);
}

void ir_modify(struct lift *l, enum ub_op op, u8 mode, struct place place, u8 src)
{
	put(l, (struct ub_insn){ .op = op, .mode = mode, .dst = place.base, .src = src, .off = place.off,
				 .imm = place.addr });
}

/* In ops.h the rows with a constant stand in the order of those with a register. */
_Static_assert(UB_OP_SBBM - UB_OP_ADDM == UB_OP_SBBMI - UB_OP_ADDMI, "same order");

void ir_modify_imm(struct lift *l, enum ub_op op, u8 mode, struct place place, s64 imm)
{
	u8 temp;

	imm = spell(mode & 3, imm);
	if (place.base != UB_NOREG) {
		put(l, (struct ub_insn){ .op = op - UB_OP_ADDM + UB_OP_ADDMI, .mode = mode, .dst = place.base,
					 .off = place.off, .imm = imm });
		return;
	}
	temp = lift_temp(l, &place);
	ir_ri(l, UB_OP_MOVI, UB_W64, false, temp, imm);
	ir_modify(l, op, mode, place, temp);
}

void ir_imm(struct lift *l, enum ub_op op, s64 imm)
{
	put(l, (struct ub_insn){ .op = op, .imm = imm });
}

void ir_none(struct lift *l, enum ub_op op, u8 width)
{
	put(l, (struct ub_insn){ .op = op, .mode = UB_MODE(width, false, 0) });
}

void ir_mark(struct lift *l)
{
	put(l, (struct ub_insn){ .op = UB_OP_INSN, .imm = l->insn->ip, .off = l->insn->len });
}

/* Until ir_label() @edge stands where the distance will. */
void ir_to(struct lift *l, enum ub_op op, u8 src, s64 imm, u32 edge)
{
	put(l, (struct ub_insn){ .op = op, .src = src, .imm = imm, .off = -1 - (s32)edge });
}

void ir_label(struct lift *l, u32 edge)
{
	u32 i;

	for (i = l->op_cnt; i--; ) {
		if (l->ops[i].op == UB_OP_JEQ && l->ops[i].off == -1 - (s32)edge) {
			l->ops[i].off = l->op_cnt - i - 1;
			return;
		}
	}
}

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

struct place lift_place(struct lift *l, const struct ub_x86_operand *mem, s64 adjust)
{
	bool is_stack = is_plain(mem, UB_RSP);
	s64 low, disp = mem->imm + (mem->reg == UB_RSP ? adjust : 0);
	struct place place = { .base = REG_STACK };

	if (!mem->is_fs && mem->reg == UB_NOREG && mem->index == UB_NOREG)
		return at_constant(l, disp);
	if (disp != (s32)disp) {
		l->why = "address";
		return place;
	}
	for (; place.base < (is_stack ? REG_T : UB_GUARDS_END); place.base++)
		if (track_covers(&l->track.guards[place.base - UB_GUARDS], mem, disp, &place.off))
			return place;
	if (mem->is_fs)
		return at_thread(l, mem, disp);
	place.base = is_stack ? REG_STACK : REG_T;
	low = disp;
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

struct place lift_stack(struct lift *l, s64 disp)
{
	struct ub_x86_operand mem = { .kind = UB_X86_MEM, .reg = UB_RSP, .index = UB_NOREG, .imm = disp };

	return lift_place(l, &mem, 0);
}

u8 lift_read(struct lift *l, const struct ub_x86_operand *operand, u8 temp)
{
	struct place place;

	switch (operand->kind) {
	case UB_X86_REG:
		if (!operand->is_high)
			return operand->reg;
		ir_rr(l, UB_OP_MOV, UB_W64, false, REG_HIGH, operand->reg);
		ir_ri(l, UB_OP_SHRI, UB_W64, false, REG_HIGH, 8);
		return REG_HIGH;
	case UB_X86_MEM:
		place = lift_place(l, operand, 0);
		if (temp == UB_NOREG)
			temp = lift_temp(l, NULL);
		ir_load(l, UB_OP_LOAD, operand->width, temp, place);
		return temp;
	default:
		if (temp == UB_NOREG)
			temp = lift_temp(l, NULL);
		ir_ri(l, UB_OP_MOVI, UB_W64, false, temp, operand->imm);
		return temp;
	}
}

void lift_write(struct lift *l, const struct ub_x86_operand *operand, u8 src)
{
	if (!operand->is_high) {
		ir_rr(l, UB_OP_MOV, operand->width, false, operand->reg, src);
		return;
	}
	if (src == operand->reg) {
		ir_rr(l, UB_OP_MOV, UB_W64, false, REG_V, src);
		src = REG_V;
	}
	ir_ri(l, UB_OP_RORI, UB_W64, false, operand->reg, 8);
	ir_rr(l, UB_OP_MOV, UB_W8, false, operand->reg, src);
	ir_ri(l, UB_OP_ROLI, UB_W64, false, operand->reg, 8);
}
