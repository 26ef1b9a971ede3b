/* SPDX-License-Identifier: GPL-2.0 */
/*
 * port: everything the pure core takes from the world around it.
 *
 * The core (core.mk lists its files) includes this header and nothing from
 * <linux/> or libc.  It is the only file in the tree that may ask for
 * __KERNEL__.  It provides: u8..s64, bool, -Exxx, ARRAY_SIZE, memcpy, memset,
 * memcmp, unlikely(), ub_alloc(), ub_free(), ub_vsnprintf(), ub_warn().
 */
#ifndef UB_PORT_H
#define UB_PORT_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stdarg.h>
#include <linux/string.h>
#include <linux/types.h>

/* Macros of the kernel's whose names the core uses itself. */
#undef shift_right

/* Zeroed memory or NULL; charged to the caller's memory cgroup. */
static inline void *ub_alloc(size_t cnt, size_t size)
{
	return kvcalloc(cnt, size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

static inline void ub_free(const void *mem)
{
	kvfree(mem);
}

#define ub_vsnprintf	vsnprintf
#define ub_warn(msg)	WARN_ONCE(1, "ub: %s\n", msg)
#else
#include <ub/port_user.h>
#endif

#define UB_U8_MAX	0xffu
#define UB_U32_MAX	0xffffffffu
#define UB_U64_MAX	0xffffffffffffffffull

/* True and loud when our own promise is broken; the caller fails closed. */
static inline bool ub_bug_if(bool broken, const char *msg)
{
	if (broken)
		ub_warn(msg);
	return broken;
}

#endif
