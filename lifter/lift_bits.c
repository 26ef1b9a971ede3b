// SPDX-License-Identifier: GPL-2.0
/*
 * lift_bits: single bits, counting, double shifts, BMI1, BMI2, ADX, CRC-32C and movbe.
 */
#include "lifter.h"

/* In ops.h the rows with a constant stand in the order of those with a register, and so do those on memory. */
#define WITH_IMM(op)	((op) - UB_OP_BT + UB_OP_BTI)
#define ON_MEMORY(op)	((op) - UB_OP_BTS + UB_OP_BTSM)

_Static_assert(WITH_IMM(UB_OP_BTC) == UB_OP_BTCI && ON_MEMORY(UB_OP_BTC) == UB_OP_BTCM, "same order");
_Static_assert(UB_OP_BTCM - UB_OP_BTSM == UB_OP_BTCMI - UB_OP_BTSMI, "same order");

/*
 * The operand that holds bit @index of the string of bits at @mem: the number counts from there in both directions, in
 * steps of the operand's size.
 */
static struct place in_string(struct lift *l, const struct ub_x86_operand *mem, u8 index, u8 width)
{
	if (width == UB_W64)
		ir_rr(l, UB_OP_MOV, UB_W64, false, REG_U, index);
	else
		ir_rr(l, UB_OP_SEXT64, width, false, REG_U, index);
	ir_ri(l, UB_OP_SARI, UB_W64, false, REG_U, 3 + width);
	lift_address(l, REG_T, mem);
	ir_addr(l, UB_OP_GUARD, 0, REG_T, REG_T, REG_U, width, 0);
	return (struct place){ .base = REG_T };
}

static void bit_of_memory(struct lift *l, const struct ub_x86_insn *insn, u8 op, bool f)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	u8 mode = UB_MODE(dst->width, f, 0) | (insn->is_locked ? UB_MODE_LOCK : 0), temp;
	bool has_imm = src->kind == UB_X86_IMM;
	s64 bit = src->imm & (UB_WIDTH_BITS(dst->width) - 1);
	struct place place;

	place = has_imm ? lift_place(l, dst, 0) : in_string(l, dst, src->reg, dst->width);
	if (op != UB_OP_BT && has_imm) {
		ir_modify_imm(l, ON_MEMORY(op), mode, place, bit);
		return;
	}
	if (op != UB_OP_BT) {
		ir_modify(l, ON_MEMORY(op), mode, place, src->reg);
		return;
	}
	temp = lift_temp(l, &place);
	ir_load(l, UB_OP_LOAD, dst->width, temp, place);
	if (f && has_imm)
		ir_ri(l, UB_OP_BTI, dst->width, false, temp, bit);
	else if (f)
		ir_rr(l, UB_OP_BT, dst->width, false, temp, src->reg);
}

/* bt, bts, btr, btc */
void lift_bit(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	bool f = !l->are_flags_dead, suffix = f && lift_op(insn) != UB_OP_BT;

	if (dst->kind == UB_X86_MEM)
		bit_of_memory(l, insn, lift_op(insn), lift_op(insn) == UB_OP_BT ? f : suffix);
	else if (lift_op(insn) == UB_OP_BT && !f)
		return;
	else if (src->kind == UB_X86_IMM)
		ir_ri(l, WITH_IMM(lift_op(insn)), dst->width, suffix, dst->reg,
		      src->imm & (UB_WIDTH_BITS(dst->width) - 1));
	else
		ir_rr(l, lift_op(insn), dst->width, suffix, dst->reg, src->reg);
}

/* dst = what the operation finds in src; flags, if it has any, are all set. */
void lift_count(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	bool f = !l->are_flags_dead && lift_flags(insn) != UB_X86_KEEP;

	ir_rr(l, lift_op(insn), dst->width, f, dst->reg, lift_read(l, src, UB_NOREG));
}

void lift_crc32(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];

	ir_rr(l, UB_OP_CRC32, src->width, false, dst->reg, lift_read(l, src, UB_NOREG));
}

/* Three registers, one of which may be memory. */
void lift_three(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *a = &insn->operands[1], *b = &insn->operands[2];
	bool f = !l->are_flags_dead && lift_flags(insn) != UB_X86_KEEP;
	u8 first = lift_read(l, a, UB_NOREG), second = lift_read(l, b, UB_NOREG);

	ir_rri(l, lift_op(insn), dst->width, f, dst->reg, first, second);
}

/* The high half is named first, and written last. */
void lift_mulx(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *high = &insn->operands[0], *low = &insn->operands[1], *src = &insn->operands[2];

	ir_rri(l, UB_OP_MULX, high->width, false, high->reg, lift_read(l, src, UB_NOREG), low->reg);
}

void lift_rorx(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];

	ir_rri(l, UB_OP_RORX, dst->width, false, dst->reg, lift_read(l, src, UB_NOREG),
	       insn->operands[2].imm & (UB_WIDTH_BITS(dst->width) - 1));
}

/* reg = reg shifted by the third operand, with the bits of the second. */
static void shift_double(struct lift *l, const struct ub_x86_insn *insn, u8 reg, bool f)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1], *cnt = &insn->operands[2];
	enum ub_op with_imm = lift_op(insn) - UB_OP_SHLD + UB_OP_SHLDI;

	if (cnt->kind == UB_X86_IMM)
		ir_rri(l, with_imm, dst->width, f, reg, src->reg, cnt->imm & (dst->width == UB_W64 ? 63 : 31));
	else
		ir_rr(l, lift_op(insn), dst->width, f, reg, src->reg);
}

/* As with other shifts, the value is stored before the flags are made from the old one. */
static void shift_double_memory(struct lift *l, const struct ub_x86_insn *insn, bool is_zero, bool f)
{
	const struct ub_x86_operand *dst = &insn->operands[0];
	struct place place = lift_place(l, dst, 0);
	u8 old = lift_temp(l, &place);

	ir_load(l, UB_OP_LOAD, dst->width, old, place);
	ir_rr(l, UB_OP_MOV, UB_W64, false, REG_V, old);
	if (!is_zero)
		shift_double(l, insn, REG_V, false);
	ir_store(l, dst->width, place, REG_V);
	if (f && !is_zero)
		shift_double(l, insn, old, true);
}

void lift_shift_double(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *cnt = &insn->operands[2];
	bool is_zero = cnt->kind == UB_X86_IMM && !(cnt->imm & (dst->width == UB_W64 ? 63 : 31));

	if (dst->kind == UB_X86_MEM)
		shift_double_memory(l, insn, is_zero, !l->are_flags_dead);
	else if (!is_zero)
		shift_double(l, insn, dst->reg, !l->are_flags_dead);
	else if (dst->width == UB_W32)
		ir_rr(l, UB_OP_MOV, UB_W32, false, dst->reg, dst->reg);
}

/* A load or a store with its bytes reversed. */
void lift_movbe(struct lift *l, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	u8 reg = dst->kind == UB_X86_REG && dst->width >= UB_W32 ? dst->reg : REG_U;
	struct place place = lift_place(l, dst->kind == UB_X86_MEM ? dst : src, 0);

	if (dst->kind == UB_X86_MEM)
		ir_rr(l, UB_OP_MOV, UB_W64, false, reg, src->reg);
	else
		ir_load(l, UB_OP_LOAD, dst->width, reg, place);
	ir_dst(l, UB_OP_BSWAP, dst->width, false, reg);
	if (dst->kind == UB_X86_MEM)
		ir_store(l, dst->width, place, reg);
	else if (reg != dst->reg)
		lift_write(l, dst, reg);
}
