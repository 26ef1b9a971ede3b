/* SPDX-License-Identifier: GPL-2.0 */
/* port_user: the user-space half of the seam, see port.h. */
#ifndef UB_PORT_USER_H
#define UB_PORT_USER_H

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define unlikely(x)	__builtin_expect(!!(x), 0)

static inline void *ub_alloc(size_t cnt, size_t size)
{
	return calloc(cnt ? cnt : 1, size ? size : 1);
}

static inline void ub_free(const void *mem)
{
	free((void *)mem);
}

#define ub_vsnprintf	vsnprintf
#ifndef ub_warn			/* a build may take it more seriously */
#define ub_warn(msg)	fprintf(stderr, "ub: bug: %s\n", msg)
#endif

#endif
