/* SPDX-License-Identifier: GPL-2.0 */
/*
 * verdict: what the verifier says to a block, see verdict.c.
 */
#ifndef UB_VERDICT_H
#define UB_VERDICT_H

#include "place.h"
#include "tool.h"

struct ub_block;

/*
 * Into tool->out: "verdict", and of a refused block "code", "title", "insn", "insn_text", "ip", "place" (of @places, which
 * may be NULL), "reason", at @level 1 "registers", "cause" and "suggestion", at level 2 also "log", the state before every
 * instruction.  What is not known is left out.  An exit status.
 */
int verdict_out(struct tool *tool, const struct ub_block *block, u64 limit, u32 level, const struct places *places,
		bool *ret_is_accepted);

#endif
