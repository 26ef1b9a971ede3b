/* SPDX-License-Identifier: GPL-2.0 */
/* alloc: memory that there is not. */
#ifndef UB_FUZZ_ALLOC_H
#define UB_FUZZ_ALLOC_H

#include <ub/port.h>

/* The core's allocation of this number, from now on, fails; 0: none does. */
void alloc_fail_at(u32 number);

#endif
