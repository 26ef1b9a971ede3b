// SPDX-License-Identifier: GPL-2.0
/*
 * image_window: the core rule of the image checker: how far does a memory operand reach?
 *
 * Promise: an operand that passes lies, its bytes included, between 0 and MASK + UB_WINDOW, whatever of its base and index
 * is among what is known of them, at any t.  `make prove` proves this source, for all numbers of 64 bits.
 */
#include "image_window.h"

static bool is_within(struct ub_walk at, u64 room, u32 bytes)
{
	at = ub_walk_settle(at);
	return at.lo >= 0 && at.hi <= (s64)(room - bytes);
}

bool im_in_window(const struct ub_reg *base, const struct ub_reg *index, u32 scale, s32 disp, u32 bytes, u64 limit)
{
	struct ub_walk off = ub_walk_between(disp, disp), at, sum;

	if (index && (!ub_reg_walk(index, &at) || !ub_walk_shl(at, scale, &at) || !ub_walk_add(at, off, &off)))
		return false;
	/* Sound: a guarded base is 0..MASK and what walks; a number is itself. */
	if (base->kind == UB_REG_GUARDED)
		return ub_walk_add(base->walk, off, &sum) && is_within(sum, (u64)UB_WINDOW, bytes);
	return ub_reg_walk(base, &at) && ub_walk_add(at, off, &sum) && is_within(sum, limit + (u64)UB_WINDOW, bytes);
}
