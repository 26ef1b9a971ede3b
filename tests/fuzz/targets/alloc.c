// SPDX-License-Identifier: GPL-2.0
/*
 * alloc: calloc() of all that is linked with it goes through here (ld --wrap).
 */
#include "alloc.h"

void *__real_calloc(size_t cnt, size_t size);
void *__wrap_calloc(size_t cnt, size_t size);

static u32 left;

void alloc_fail_at(u32 number)
{
	left = number;
}

void *__wrap_calloc(size_t cnt, size_t size)
{
	if (left && !--left)
		return NULL;
	return __real_calloc(cnt, size);
}
