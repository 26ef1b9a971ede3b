/* SPDX-License-Identifier: GPL-2.0 */
/*
 * large: blocks of any size that are much work for the verifier, for tests and measurements.
 *
 * Each function makes a block of at most @cnt instructions anew in the same place: the one returned last is the one that
 * holds.  All have one entry, at 0x1000, and end in an exit.
 */
#ifndef UB_TESTS_LARGE_H
#define UB_TESTS_LARGE_H

#include "../verifier/verify.h"

/* Guards, loads and sums, one after the other. */
const struct ub_block *large_straight(u32 cnt);
/* Branches and short loops: one instruction in three jumps or is jumped to. */
const struct ub_block *large_branchy(u32 cnt);
/*
 * A loop, in which each turn takes the bound from one more register, round many merges: whoever sends one that is long
 * must not keep the verifier.
 */
const struct ub_block *large_slow(u32 cnt);
/*
 * Loops in loops, @depth (at most 64) deep, in each of which a register goes on by a step of its own: each drift is found
 * in some rounds of the loop, and found again for the loop around it.
 */
const struct ub_block *large_loops(u32 cnt, u32 depth);

/* Since some time in the past. */
double large_seconds(void);
/* How many seconds the verifier needs for @block, the least of @tries; *ret_refusal: UB_REFUSE_NONE when it accepts. */
double large_verify(const struct ub_block *block, u32 tries, enum ub_refusal *ret_refusal);

#endif
