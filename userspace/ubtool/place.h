/* SPDX-License-Identifier: GPL-2.0 */
/*
 * place: names for addresses of a process, see place.c.
 */
#ifndef UB_PLACE_H
#define UB_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "../libub/ub.h"

struct places;

/* The mappings of a process, as they are now.  NULL when they cannot be read; places_close() takes that, too. */
struct places *places_open(u32 pid);
void places_close(struct places *places);
/* "main+0x4 (loop.c:12) in loop" into @buf, cut to @size; false when nothing is known of @ip.  @places may be NULL. */
bool places_name(const struct places *places, u64 ip, char *buf, size_t size);

#endif
