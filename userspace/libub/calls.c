// SPDX-License-Identifier: GPL-2.0
/* calls: which system calls a module hooks and makes, for when there is none to be asked. */
#include <sys/syscall.h>

#include "ub.h"

enum { HOOK = 1, MAKE = 2 };

static const u32 expected[] = {
#define CALL(name, use)	[(use) == (HOOK | MAKE) ? SYS_##name : UB_SYSCALL_LIMIT] = 1,
#include "../../kernel/ub-jit/syscalls.h"
};

void ub_syscall_expected(__u64 ret[8])
{
	u32 nr;

	memset(ret, 0, 8 * sizeof(*ret));
	for (nr = 0; nr < UB_SYSCALL_LIMIT && nr < ARRAY_SIZE(expected); nr++)
		ret[nr / 64] |= (u64)expected[nr] << nr % 64;
}
