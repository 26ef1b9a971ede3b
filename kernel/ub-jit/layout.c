// SPDX-License-Identifier: GPL-2.0
/*
 * layout: in which machine register does each IR register of a block live?  See layout.h.
 */
#include "flow.h"

#define MACHINE		0xffcfu		/* all but rsp and rbp */
#define MAX_RESIDENT	10
#define LAST_GUARD	(UB_GUARDS_END - 1)
/* Named by the lowering of operations of all kinds. */
#define ALWAYS		(1u << UB_RAX | 1u << UB_RCX | 1u << UB_RDX)

/* Guest registers that @insn needs in the machine register of their name, beside rax, rcx and rdx. */
static u16 fixed_regs(const struct ub_insn *insn)
{
	switch (insn->op) {
	case UB_OP_REPMOVS: case UB_OP_REPECMPS: case UB_OP_REPNECMPS:
		return 1u << UB_RSI | 1u << UB_RDI;
	case UB_OP_REPSTOS: case UB_OP_REPESCAS: case UB_OP_REPNESCAS:
		return 1u << UB_RDI;
	case UB_OP_REPLODS:
		return 1u << UB_RSI;
	case UB_OP_CMPXCHG2M:
		return 1u << UB_RBX;
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
static u8 take(u16 *free, u8 wanted)
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
	u32 resident = ub_block_resident(block), named = ALWAYS, i;
	bool has_ticks = false;

	ret->has_calls = false;
	for (i = 0; i < block->insn_cnt; i++) {
		const struct ub_insn *insn = &block->insns[i];
		bool is_call = ub_op_info[insn->op].effect & UB_E_CALLS;

		resident |= fixed_regs(insn);
		ret->has_calls |= is_call;
		has_ticks |= insn->op == UB_OP_TICK;
		/* A call finds its arguments in pt_regs. */
		if (!is_call)
			named |= ub_insn_reads(insn) | ub_insn_writes(insn);
	}
	if (bit_cnt(resident) > MAX_RESIDENT)
		return -EOPNOTSUPP;
	resident &= named;
	ret->free = MACHINE & ~resident;
	ret->resident = resident;
	ret->task = X86_NOREG;
	ret->pt = take(&ret->free, ret->has_calls ? X86_RBX : X86_R8);
	ret->scratch = take(&ret->free, X86_R9);
	for (i = 0; i < UB_TEMPS_END; i++)
		ret->reg[i] = i < UB_NGUEST && resident & MACHINE & 1u << i ? i : X86_NOREG;
	for (i = UB_GUARDS; i < UB_GUARDS_END; i++)
		ret->reg[i] = take(&ret->free, X86_R10 + i - UB_GUARDS);
	for (i = UB_RSP; i <= UB_RBP; i++)
		if (resident & 1u << i)
			ret->reg[i] = take(&ret->free, X86_RBX);
	ret->ticks = has_ticks ? take(&ret->free, X86_RBX) : X86_NOREG;
	/* Around system calls the task is found there, but behind them ticks count anew. */
	if (has_ticks && ret->ticks == X86_NOREG && !(named & 1u << LAST_GUARD))
		ret->ticks = ret->reg[LAST_GUARD];
	return 0;
}

/* The temporaries that may be read again for the flags that @insn sets, however long those live. */
static u16 described_by(const struct ub_insn *insn, bool is_fused)
{
	u32 regs = ub_insn_reads(insn) | ub_insn_writes(insn);

	if (!ub_insn_sets_flags(insn))
		return 0;
	if (is_fused)
		regs &= ~(1u << insn[-1].dst);
	return UB_LIVE_TEMPS(regs);
}

/* Which of two temporaries live at once?  @ret: for each, the others as UB_LIVE_TEMP().  @ret_used: those that are
 * ever in a register. */
static void find_conflicts(const struct ub_block *block, const struct ub_flow *flow, u16 ret[UB_TEMPS_END], u16 *ret_used)
{
	u16 described = 0;
	u32 i, reg, other;

	*ret_used = 0;
	for (i = 0; i < block->insn_cnt; i++) {
		const struct ub_insn *insn = &block->insns[i];
		u16 made = UB_LIVE_TEMPS(ub_insn_writes(insn));

		described |= described_by(insn, flow[i].is_fused);
		if (ub_op_info[insn->op].effect & UB_E_CALLS || flow[i + 1].is_fused)
			continue;
		*ret_used |= made;
		/* What it reads, too: its code may write the result before it has read all of it. */
		for (reg = UB_T0; made && reg < UB_TEMPS_END; reg++)
			if (made & UB_LIVE_TEMP(reg))
				ret[reg] |= ub_flow_live_after(block, flow, i) | UB_LIVE_TEMPS(ub_insn_reads(insn));
	}
	for (reg = UB_T0; reg < UB_TEMPS_END; reg++)
		for (other = UB_T0; other < UB_TEMPS_END; other++)
			if (ret[reg] & UB_LIVE_TEMP(other) || described & (UB_LIVE_TEMP(reg) | UB_LIVE_TEMP(other)))
				ret[other] |= UB_LIVE_TEMP(reg);
}

/* One that lives in a machine register in whose place @reg, which conflicts with @conflicts, may live; or X86_NOREG. */
static u8 share(const struct ub_layout *layout, const u16 conflicts, u8 reg)
{
	u32 host, other;

	for (host = UB_T0; host < reg; host++) {
		/* Ticks may stand where a guard that nobody names would. */
		bool fits = layout->reg[host] != X86_NOREG && layout->reg[host] != layout->ticks;

		for (other = UB_T0; other < reg; other++)
			fits &= layout->reg[other] != layout->reg[host] || !(conflicts & UB_LIVE_TEMP(other));
		if (fits)
			return layout->reg[host];
	}
	return X86_NOREG;
}

void ub_layout_temps(const struct ub_block *block, const struct ub_flow *flow, struct ub_layout *layout)
{
	u16 conflicts[UB_TEMPS_END] = { 0 }, used;
	u8 reg;

	find_conflicts(block, flow, conflicts, &used);
	for (reg = UB_GUARDS_END; reg < UB_TEMPS_END; reg++) {
		if (!(used & UB_LIVE_TEMP(reg)))
			continue;
		layout->reg[reg] = share(layout, conflicts[reg], reg);
		if (layout->reg[reg] == X86_NOREG)
			layout->reg[reg] = take(&layout->free, X86_R11);
	}
	if (layout->has_calls && layout->free & UB_CALLEE_SAVED)
		layout->task = take(&layout->free, X86_RBX);
}
