// SPDX-License-Identifier: GPL-2.0
/*
 * map: a hash map with open addressing, a power of two large and at most half full; and a binary heap.
 */
#include "map.h"

#define FIRST_CAP	1024

static u32 hash(const struct map *map, u64 ip, u32 sub)
{
	u64 mixed = (ip * 0x9e3779b97f4a7c15ull) ^ (sub * 0xc2b2ae3d27d4eb4full);

	return (mixed >> 32) & (map->cap - 1);
}

static struct map_slot *find(const struct map *map, u64 ip, u32 sub)
{
	u32 i = hash(map, ip, sub);

	while (map->slots[i].is_used && (map->slots[i].ip != ip || map->slots[i].sub != sub))
		i = (i + 1) & (map->cap - 1);
	return &map->slots[i];
}

static bool grow(struct map *map)
{
	struct map old = *map;
	u32 i;

	if (map->cnt * 2 < map->cap)
		return true;
	map->cap = old.cap ? old.cap * 2 : FIRST_CAP;
	map->slots = ub_alloc(map->cap, sizeof(*map->slots));
	if (!map->slots) {
		*map = old;
		return false;
	}
	for (i = 0; i < old.cap; i++)
		if (old.slots[i].is_used)
			*find(map, old.slots[i].ip, old.slots[i].sub) = old.slots[i];
	ub_free(old.slots);
	return true;
}

u64 *map_get(const struct map *map, u64 ip, u32 sub)
{
	struct map_slot *slot = map->cap ? find(map, ip, sub) : NULL;

	return slot && slot->is_used ? &slot->val : NULL;
}

u64 *map_put(struct map *map, u64 ip, u32 sub)
{
	struct map_slot *slot;

	if (!grow(map))
		return NULL;
	slot = find(map, ip, sub);
	if (!slot->is_used) {
		*slot = (struct map_slot){ .ip = ip, .sub = sub, .is_used = true };
		map->cnt++;
	}
	return &slot->val;
}

bool heap_push(struct heap *heap, u32 key, u32 val)
{
	u32 i = heap->cnt, cap = heap->cap ? heap->cap * 2 : 64;
	u64 full = (u64)key << 32 | val, *keys;

	if (heap->cnt == heap->cap) {
		keys = realloc(heap->keys, cap * sizeof(*keys));
		if (!keys)
			return false;
		heap->keys = keys;
		heap->cap = cap;
	}
	heap->cnt++;
	for (; i && heap->keys[(i - 1) / 2] > full; i = (i - 1) / 2)
		heap->keys[i] = heap->keys[(i - 1) / 2];
	heap->keys[i] = full;
	return true;
}

bool heap_pop(struct heap *heap, u32 *ret_key, u32 *ret_val)
{
	u32 i = 0, child;
	u64 last;

	if (!heap->cnt)
		return false;
	*ret_key = heap->keys[0] >> 32;
	*ret_val = heap->keys[0];
	last = heap->keys[--heap->cnt];
	while ((child = 2 * i + 1) < heap->cnt) {
		if (child + 1 < heap->cnt && heap->keys[child + 1] < heap->keys[child])
			child++;
		if (heap->keys[child] >= last)
			break;
		heap->keys[i] = heap->keys[child];
		i = child;
	}
	heap->keys[i] = last;
	return true;
}
