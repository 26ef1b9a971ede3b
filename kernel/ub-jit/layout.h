/* SPDX-License-Identifier: GPL-2.0 */
/*
 * layout: in which machine register does each IR register of a block live?
 *
 * A resident guest register (ub_block.resident) keeps its own number, but for rsp and rbp, which the machine needs as
 * kernel stack and frame pointer; these two, the temporaries that may hold guards, the pointer to pt_regs, a scratch
 * register and the counter of ticks get numbers that are left: r8-r11 for the last ones where nobody else lives there.
 * The other temporaries share what is then left, or the machine register of a guard that does not live when they do.
 * A resident guest register that nobody names stays in pt_regs. Where there are system calls, the pointers to pt_regs and
 * to the task live in registers that calls of C preserve, if any are left.
 * Example: resident rax rcx rdx rbp rsi rdi r8 r9 leaves rbx r10-r15: rbp in rbx, r16 and r17 in r10 and r11.
 */
#ifndef UB_LAYOUT_H
#define UB_LAYOUT_H

#include "x86.h"

struct ub_layout {
	u16 resident;		/* guest registers that live in machine registers */
	u8 reg[UB_TEMPS_END];	/* for them and temporaries: which; or X86_NOREG: in memory */
	u8 pt;			/* pt_regs */
	u8 scratch;
	u8 task;		/* survives calls; X86_NOREG: a local alone */
	u8 ticks;		/* X86_NOREG: a local, or the block has none */
	u16 free;		/* machine registers that nobody has */
	bool has_calls;		/* the block makes system calls */
};

struct ub_flow;

/* Resident registers that a system call takes from pt_regs, or that do not survive it: see ub_lazy.saved. */
#define UB_SAVED_REGS	(1u << UB_RDX | 1u << UB_RSI | 1u << UB_RDI | 1u << UB_RSP | 1u << UB_RBP | \
			 1u << UB_R8 | 1u << UB_R9 | 1u << UB_R10)

/* Machine registers that a call of C preserves: rbx, r12-r15 (rbp is the image's frame). */
#define UB_CALLEE_SAVED	0xf008u

/* 0; -EOPNOTSUPP if the instructions want more machine registers than there are. */
int ub_layout_make(const struct ub_block *block, struct ub_layout *ret);
/* Deals out what is left to the temporaries but the guards, once @flow says when they live. */
void ub_layout_temps(const struct ub_block *block, const struct ub_flow *flow, struct ub_layout *layout);

#endif
