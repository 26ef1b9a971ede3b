/* SPDX-License-Identifier: GPL-2.0 */
/*
 * step: what the files that follow one instruction share.  Nobody else includes it.
 */
#ifndef UB_STEP_H
#define UB_STEP_H

#include "env.h"

struct step {
	const struct ub_env *env;
	const struct ub_insn *insn;
	struct ub_state *state;
	u64 limit;
	u32 idx;
	u32 width;		/* in bits */
};

/* Is it in a machine register throughout, so that what is known of it holds while a CPU speculates? */
bool step_may_hold_guard(const struct step *step, u8 reg);
/* Writes all 64 bits. */
void step_put(struct step *step, u8 reg, struct ub_reg value);
/* Writes dst as x86 does: 8 and 16 bits keep the others, 32 clear them. */
void step_put_part(struct step *step, struct ub_reg value);
/* dst becomes any value of the width. */
void step_forget_dst(struct step *step);
/* A register as it is known, of any kind; none but of those in machine registers. */
struct ub_reg step_known(const struct step *step, u8 reg);
/* A register as a number of 64 bits, as an operand of the instruction's width; its constant; anything of @width bits. */
struct ub_reg step_whole(const struct step *step, u8 reg);
struct ub_reg step_part(const struct step *step, u8 reg);
struct ub_reg step_constant(const struct step *step);
struct ub_reg step_unknown(u32 width);

/* step*.c: one per operation. */
#define OP(name, text, shape, widths, effect) void step_##name(struct step *step);
#include "../ir/ops.h"

#endif
