/* SPDX-License-Identifier: GPL-2.0 */
/*
 * map: two small tools that keep the search for code linear: a hash map and a heap.
 */
#ifndef UB_LIFTER_MAP_H
#define UB_LIFTER_MAP_H

#include <ub/port.h>

/* (ip, sub) -> val.  Begins as zeros; ends with ub_free(slots). */
struct map {
	struct map_slot *slots;
	u32 cnt, cap;
};

struct map_slot {
	u64 ip, val;
	u32 sub;
	bool is_used;
};

/* What stands there, or NULL; good until the next map_put(). */
u64 *map_get(const struct map *map, u64 ip, u32 sub);
/* The place for a value, zero when new.  NULL: no memory. */
u64 *map_put(struct map *map, u64 ip, u32 sub);

/* The least key first, of equal ones the least value.  Begins as zeros; ends with free(keys). */
struct heap {
	u64 *keys;
	u32 cnt, cap;
};

/* False: no memory. */
bool heap_push(struct heap *heap, u32 key, u32 val);
/* The value of the least key, which is taken out. */
bool heap_pop(struct heap *heap, u32 *ret_key, u32 *ret_val);

#endif
