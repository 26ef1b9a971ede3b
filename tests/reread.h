/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reread: reads the machine code of an image back and holds it to the rules that images keep: no segment prefix but for
 * per-CPU variables, no indirect branch, no instruction outside a list, pt_regs written at general registers only, user
 * memory only through a register that may hold a guard, or a constant, a fault-table entry for each access to it, user
 * access closed at calls and exits, branches to instructions only.
 */
#ifndef UB_REREAD_H
#define UB_REREAD_H

#include "../kernel/ub-jit/jit.h"

/* NULL, or what is wrong with what ub_jit() made of @block with @env, *ret_off where. */
const char *reread_image(const struct ub_image *image, const struct ub_block *block, const struct ub_jit_env *env,
			 u32 *ret_off);

/* The same of the module's own checker; -ENOMEM is no answer.  Targets of calls lie near this address. */
#define REREAD_ADDRESS	0x100000ull
const char *reread_check(const struct ub_image *image, const struct ub_jit_env *env, u64 limit, u32 *ret_off);

#endif
