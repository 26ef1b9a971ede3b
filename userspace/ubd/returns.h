/* SPDX-License-Identifier: GPL-2.0 */
/* returns: where the ret instructions behind a hot call probably go, from a sample of its stack. */
#ifndef UBD_RETURNS_H
#define UBD_RETURNS_H

#include <libub/code.h>
#include "region.h"

/*
 * Adds hints for the rets of the function that @ip stands in, and of its callers.  @words: the user's stack as a
 * sample saw it, from the stack pointer upwards.  Guesses only: a block compares before it believes.
 */
void returns_add(struct region *region, struct code *code, u64 ip, const u64 *words, u32 word_cnt);

#endif
