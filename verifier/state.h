/* SPDX-License-Identifier: GPL-2.0 */
/*
 * state: what is known before one instruction, on every path that leads there.
 */
#ifndef UB_STATE_H
#define UB_STATE_H

#include "../ir/op.h"
#include "reg.h"

#define UB_MARK_NONE	UB_U32_MAX		/* no mark was passed */
#define UB_MARK_MIXED	(UB_U32_MAX - 1)	/* one mark on one path, another on another */

struct ub_state {
	struct ub_reg regs[UB_TEMPS_END];
	u32 mark;		/* index of the mark passed last */
	bool is_dirty;		/* the guest changed since that mark: a restart there would notice */
	u32 dirty_by;		/* for the log: the instruction that changed it */
};

/* As the guest comes in: its registers are anything, the temporaries unwritten. */
void ub_state_enter(struct ub_state *state);
void ub_state_forget_temps(struct ub_state *state, u32 by);
/* A tick; a check, which sets t back. */
void ub_state_tick(struct ub_state *state);
void ub_state_settle(struct ub_state *state);
/*
 * Joins @from into @to, at the head of a loop as @how says (NULL: elsewhere; how->tries is of all registers), so that it
 * can change only a few times.  True when @to changed.  A register of @to whose kind changed has its bit set in *ret_lost.
 */
bool ub_state_join(struct ub_state *to, const struct ub_state *from, const struct ub_widen *how, u64 limit, u32 *ret_lost);

#endif
