// SPDX-License-Identifier: GPL-2.0
/*
 * layout: in which machine register does each IR register of a block live?  See layout.h.
 */
#include "layout.h"

#define MACHINE		0xffcfu		/* all but rsp and rbp */
#define MAX_RESIDENT	10

/* Guest registers that @insn needs in the machine register of their name, beside rax, rcx and rdx. */
static u16 fixed_regs(const struct ub_insn *insn)
{
	switch (insn->op) {
	case UB_OP_REPMOVS:
		return 1u << UB_RSI | 1u << UB_RDI;
	case UB_OP_REPSTOS:
		return 1u << UB_RDI;
	default:
		return 0;
	}
}

static u32 bit_cnt(u32 mask)
{
	u32 cnt;

	for (cnt = 0; mask; cnt++)
		mask &= mask - 1;
	return cnt;
}

/* Takes @wanted out of *free, or if it is not there the highest one; X86_NOREG if there is none. */
static u8 take(u32 *free, u8 wanted)
{
	u8 reg = wanted;

	if (!*free)
		return X86_NOREG;
	if (!(*free & 1u << reg))
		for (reg = X86_R15; !(*free & 1u << reg); reg--)
			;
	*free &= ~(1u << reg);
	return reg;
}

int ub_layout_make(const struct ub_block *block, struct ub_layout *ret)
{
	u32 resident = ub_block_resident(block), free, i;

	for (i = 0; i < block->insn_cnt; i++)
		resident |= fixed_regs(&block->insns[i]);
	if (bit_cnt(resident) > MAX_RESIDENT)
		return -EOPNOTSUPP;
	free = MACHINE & ~resident;
	ret->resident = resident;
	ret->pt = take(&free, X86_R8);
	ret->scratch = take(&free, X86_R9);
	for (i = 0; i < UB_GUARDS_END; i++)
		ret->reg[i] = i < UB_NGUEST && resident & MACHINE & 1u << i ? i : X86_NOREG;
	for (i = UB_GUARDS; i < UB_GUARDS_END; i++)
		ret->reg[i] = take(&free, X86_R10 + i - UB_GUARDS);
	for (i = UB_RSP; i <= UB_RBP; i++)
		if (resident & 1u << i)
			ret->reg[i] = take(&free, X86_RBX);
	ret->ticks = take(&free, X86_RBX);
	return 0;
}
