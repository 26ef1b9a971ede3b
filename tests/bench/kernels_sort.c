// SPDX-License-Identifier: GPL-2.0
/* kernels_sort: sorting and searching, by the C library and by hand, and chasing pointers. */
#include <stdlib.h>

#include "kernels.h"

#define NUMBERS	1024
#define SHORT	32		/* numbers in a run that insertion sorts */
#define ON_STACK	128	/* numbers that qsort() needs no malloc() for, which must not be left in its middle */

static void prepare_numbers(u8 *mem)
{
	u32 i, *numbers = (u32 *)mem;

	bench_seed(15);
	for (i = 0; i < 4 * NUMBERS; i++)
		numbers[i] = bench_random(1u << 30);
}

static int by_number(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static u64 run_qsort(u8 *mem)
{
	u32 *numbers = (u32 *)mem;

	u32 i;

	for (i = 0; i + ON_STACK <= NUMBERS; i += ON_STACK)
		qsort(numbers + i, ON_STACK, sizeof(*numbers), by_number);
	return numbers[0];
}

static void prepare_sorted(u8 *mem)
{
	u32 i, *numbers = (u32 *)mem;

	bench_seed(16);
	for (i = 0; i < NUMBERS; i++)
		numbers[i] = i * 10;
	for (i = 0; i < NUMBERS; i++)
		numbers[NUMBERS + i] = bench_random(NUMBERS * 10);
}

static u64 run_bsearch(u8 *mem)
{
	u32 i, *numbers = (u32 *)mem;
	u64 found = 0;

	for (i = 0; i < NUMBERS; i++)
		found += bsearch(&numbers[NUMBERS + i], numbers, NUMBERS, sizeof(*numbers), by_number) != NULL;
	return found;
}

static __attribute__((noinline)) void insertion_sort(u32 *numbers, u32 cnt)
{
	u32 i, k, number;

	for (i = 1; i < cnt; i++) {
		number = numbers[i];
		for (k = i; k && numbers[k - 1] > number; k--)
			numbers[k] = numbers[k - 1];
		numbers[k] = number;
	}
}

static u64 run_insertion(u8 *mem)
{
	u32 i, *numbers = (u32 *)mem;

	for (i = 0; i < 4 * NUMBERS; i += SHORT)
		insertion_sort(numbers + i, SHORT);
	return numbers[0];
}

static void sift_down(u32 *numbers, u32 at, u32 cnt)
{
	u32 child, number = numbers[at];

	while ((child = 2 * at + 1) < cnt) {
		if (child + 1 < cnt && numbers[child] < numbers[child + 1])
			child++;
		if (numbers[child] <= number)
			break;
		numbers[at] = numbers[child];
		at = child;
	}
	numbers[at] = number;
}

static __attribute__((noinline)) void heap_sort(u32 *numbers, u32 cnt)
{
	u32 i, number;

	for (i = cnt / 2; i--; )
		sift_down(numbers, i, cnt);
	while (cnt-- > 1) {
		number = numbers[0];
		numbers[0] = numbers[cnt];
		numbers[cnt] = number;
		sift_down(numbers, 0, cnt);
	}
}

static u64 run_heap(u8 *mem)
{
	u32 *numbers = (u32 *)mem;

	heap_sort(numbers, 2 * NUMBERS);
	return numbers[0];
}

/* --- pointers --- */

#define NODES	1024
#define STEPS	16384

struct node {
	struct node *next;
	u64 value;
};

static void prepare_chase(u8 *mem)
{
	struct node *nodes = (struct node *)mem;
	u16 order[NODES], hold;
	u32 i, k;

	bench_seed(17);
	for (i = 0; i < NODES; i++)
		order[i] = i;
	for (i = NODES; --i; ) {
		k = bench_random(i + 1);
		hold = order[i];
		order[i] = order[k];
		order[k] = hold;
	}
	for (i = 0; i < NODES; i++) {
		nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
		nodes[order[i]].value = i;
	}
}

static u64 run_chase(u8 *mem)
{
	const struct node *node = (struct node *)mem;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < STEPS; i++) {
		sum += node->value;
		node = node->next;
	}
	return sum;
}

const struct kernel kernels_sort[] = {
	{ "qsort", run_qsort, prepare_numbers, NULL },
	{ "bsearch", run_bsearch, prepare_sorted, NULL },
	{ "insertion", run_insertion, prepare_numbers, NULL },
	{ "heap", run_heap, prepare_numbers, NULL },
	{ "chase", run_chase, prepare_chase, NULL },
	{ 0 }
};
