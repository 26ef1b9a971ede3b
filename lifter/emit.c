// SPDX-License-Identifier: GPL-2.0
/*
 * emit: how are IR instructions made, and operands read and written?
 *
 * Promise: each instruction made has the one spelling that ub_insn_check() takes, and the tracker has seen it.
 */
#include "lifter.h"

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

/* The constant of a load or store: its address, or its index. */
static s64 place_imm(const struct place *place)
{
	return place->is_indexed ? UB_INDEX_IMM(place->index, place->scale) : (s64)place->addr;
}

void ir_load(struct lift *l, enum ub_op op, u8 width, u8 dst, struct place place)
{
	put(l, (struct ub_insn){ .op = op, .mode = UB_MODE(width, false, 0), .dst = dst, .src = place.base,
				 .off = place.off, .imm = place_imm(&place) });
}

void ir_store(struct lift *l, u8 width, struct place place, u8 src)
{
	put(l, (struct ub_insn){ .op = UB_OP_STORE, .mode = UB_MODE(width, false, 0), .dst = place.base, .src = src,
				 .off = place.off, .imm = place_imm(&place) });
}

void ir_vec(struct lift *l, struct ub_insn op, const struct place *place)
{
	u32 effect = ub_op_info[op.op].effect;

	if (place && effect & UB_E_WR_MEM)
		op.dst = place->base;
	else if (place)
		op.src = place->base;
	if (place) {
		op.off = place->off;
		op.imm |= place_imm(place);
	}
	put(l, op);
}

/* storei has room for a constant, and for neither an index nor a constant address. */
void ir_storei(struct lift *l, u8 width, struct place place, s64 imm)
{
	u8 temp;

	imm = spell(width, imm);
	if (place.base != UB_NOREG && !place.is_indexed && imm == (s32)imm) {
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

static enum ub_op modify_imm(enum ub_op op)
{
	return op >= UB_OP_BTSM ? op - UB_OP_BTSM + UB_OP_BTSMI : op - UB_OP_ADDM + UB_OP_ADDMI;
}

void ir_modify_imm(struct lift *l, enum ub_op op, u8 mode, struct place place, s64 imm)
{
	u8 temp;

	imm = spell(mode & 3, imm);
	if (place.base != UB_NOREG) {
		put(l, (struct ub_insn){ .op = modify_imm(op), .mode = mode, .dst = place.base,
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

void ir_hold(struct lift *l, u8 reg, bool is_low)
{
	put(l, (struct ub_insn){ .op = UB_OP_HOLD, .dst = reg, .imm = is_low ? UB_HOLD_LOW : 0 });
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

u8 lift_read(struct lift *l, const struct ub_x86_operand *operand, u8 temp)
{
	struct place place;

	switch (operand->kind) {
	case UB_X86_REG:
		if (!operand->is_high)
			return operand->reg;
		if (temp == UB_NOREG)
			temp = REG_HIGH;
		if (temp != operand->reg)
			ir_rr(l, UB_OP_MOV, UB_W64, false, temp, operand->reg);
		ir_ri(l, UB_OP_SHRI, UB_W64, false, temp, 8);
		return temp;
	case UB_X86_MEM:
		place = lift_access(l, operand);
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
