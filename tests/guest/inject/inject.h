/* SPDX-License-Identifier: GPL-2.0 */
/*
 * inject: in a module for tests, one allocation fails, or what allocates in the kernel on behalf of the module.
 *
 * The parameter "fail_at" says which: 1 is the next one; it is counted down, so it is 0 when the failure has been.
 */
#ifndef INJECT_H
#define INJECT_H

#include <linux/types.h>

bool ub_inject(void);

#endif
