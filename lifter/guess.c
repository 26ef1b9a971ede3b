// SPDX-License-Identifier: GPL-2.0
/*
 * guess: what will a register hold when a call or an indirect branch is reached?
 *
 * Constants are carried along one path, the first that led there.  Nothing here must be right: whatever uses a guess
 * makes the block compare.
 */
#include "lifter.h"

static void forget(struct guesses *guesses, u16 mask)
{
	guesses->known &= ~mask;
	guesses->slotted &= ~mask;
	guesses->fielded &= ~mask;
}

static void set(struct guesses *guesses, u8 reg, u64 value, bool is_slot)
{
	guesses->value[reg] = value;
	if (is_slot)
		guesses->slotted |= 1u << reg;
	else
		guesses->known |= 1u << reg;
}

static void set_field(struct guesses *guesses, u8 reg, u64 pointer, s32 field)
{
	guesses->value[reg] = pointer;
	guesses->field[reg] = field;
	guesses->fielded |= 1u << reg;
}

static bool is_known(const struct guesses *guesses, u8 reg)
{
	return reg < UB_NGUEST && guesses->known & 1u << reg;
}

static bool is_constant(const struct ub_x86_operand *mem)
{
	return mem->kind == UB_X86_MEM && mem->reg == UB_NOREG && mem->index == UB_NOREG && !mem->is_fs;
}

/* The constant that @insn makes, if it does, from what was known before it. */
static bool find_constant(const struct guesses *guesses, const struct ub_x86_insn *insn, u64 *ret)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	bool is_same = src->kind == UB_X86_REG && src->reg == dst->reg && !src->is_high;

	switch (insn->name) {
	case UB_X86_MOV:
		*ret = src->kind == UB_X86_REG ? guesses->value[src->reg] : (u64)src->imm;
		return src->kind == UB_X86_IMM || (src->kind == UB_X86_REG && is_known(guesses, src->reg));
	case UB_X86_XOR:
		*ret = 0;
		return is_same;
	case UB_X86_LEA:
		*ret = src->imm + (is_known(guesses, src->reg) ? guesses->value[src->reg] : 0);
		return is_constant(src) || (src->index == UB_NOREG && is_known(guesses, src->reg));
	case UB_X86_ADD: case UB_X86_SUB:
		*ret = guesses->value[dst->reg] + (insn->name == UB_X86_ADD ? src->imm : -src->imm);
		return src->kind == UB_X86_IMM && is_known(guesses, dst->reg);
	default:
		return false;
	}
}

/* Does @src go through a pointer that was loaded from a slot?  So the C library finds what is in the vDSO. */
static bool is_field(const struct guesses *guesses, const struct ub_x86_operand *src)
{
	return src->kind == UB_X86_MEM && src->reg < UB_NGUEST && src->index == UB_NOREG && !src->is_fs && !src->is_a32 &&
	       guesses->slotted & 1u << src->reg;
}

void guess_step(struct guesses *guesses, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *dst = &insn->operands[0], *src = &insn->operands[1];
	bool is_whole = insn->operand_cnt == 2 && dst->kind == UB_X86_REG && dst->width >= UB_W32;
	bool has_value, is_slot, is_load;
	u64 value, pointer = 0;

	has_value = is_whole && find_constant(guesses, insn, &value);
	is_load = is_whole && dst->width == UB_W64 && insn->name == UB_X86_MOV;
	is_slot = is_load && is_constant(src);
	if (is_load && is_field(guesses, src))
		pointer = guesses->value[src->reg];
	forget(guesses, insn->writes);
	if (insn->name == UB_X86_SYSCALL)
		forget(guesses, 1u << UB_RAX | 1u << UB_RCX | 1u << UB_R11);
	if (has_value)
		set(guesses, dst->reg, dst->width == UB_W32 ? (u32)value : value, false);
	else if (is_slot)
		set(guesses, dst->reg, src->imm, true);
	else if (pointer)
		set_field(guesses, dst->reg, pointer, src->imm);
}

static bool read_slot(const struct lift *l, u64 addr, u64 *ret)
{
	return l->request->read_data && l->request->read_data(l->request->ctx, addr, 8, ret);
}

bool guess_register(const struct lift *l, u8 reg, u64 *ret)
{
	const struct guesses *guesses = &l->guesses;

	*ret = guesses->value[reg];
	if (is_known(guesses, reg))
		return true;
	if (guesses->fielded & 1u << reg)
		return read_slot(l, *ret, ret) && read_slot(l, *ret + guesses->field[reg], ret);
	return guesses->slotted & 1u << reg && read_slot(l, *ret, ret);
}

bool guess_operand(const struct lift *l, const struct ub_x86_operand *operand, u64 *ret)
{
	u64 base = 0;

	if (operand->kind == UB_X86_REG)
		return guess_register(l, operand->reg, ret);
	if (operand->is_fs || operand->index != UB_NOREG)
		return false;
	if (operand->reg != UB_NOREG && !guess_register(l, operand->reg, &base))
		return false;
	return read_slot(l, base + operand->imm, ret);
}
