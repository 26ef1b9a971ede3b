// SPDX-License-Identifier: GPL-2.0
/* kernels_libc: string functions of the C library, called as programs call them: many short strings, few long ones. */
#include "kernels.h"

#define CALLS	4096
#define TABLE	(128 * 1024)		/* in mem: one row a call, behind the strings */

/* The functions for processors that have SSE2 and nothing beyond, those that Intel's choose on Intel's and AMD's alike. */
#define SSE2	BENCH_NO_AVX512 ",-AVX2,-AVX_Fast_Unaligned_Load,-SSE4_2,-SSSE3,Fast_Unaligned_Load,Fast_Unaligned_Copy"

struct row {
	u32 a, b, len, what;
};

static struct row *rows(u8 *mem)
{
	return (struct row *)(mem + TABLE);
}

static u32 some_length(void)
{
	u32 kind = bench_random(100);

	return kind < 60 ? 1 + bench_random(32) : kind < 90 ? 16 + bench_random(112) : 64 + bench_random(960);
}

/* Strings at a, with a copy at b that differs in its last byte in one case of two. */
static void prepare_strings(u8 *mem)
{
	struct row *row = rows(mem);
	u32 i, k, at = 64;

	bench_seed(1);
	for (i = 0; i < CALLS; i++, row++) {
		if (i >= 256) {
			*row = rows(mem)[bench_random(256)];
			continue;
		}
		row->len = some_length();
		row->a = at + bench_random(16);
		row->b = row->a + row->len + 1 + bench_random(16);
		at = row->b + row->len + 1;
		if (at > TABLE - 4096)
			at = 64;
		row->what = 'a' + bench_random(26);
		for (k = 0; k < row->len; k++)
			mem[row->a + k] = mem[row->b + k] = 'A' + bench_random(26);
		if (row->len)
			mem[row->a + row->len - 1] = row->what;
		mem[row->a + row->len] = mem[row->b + row->len] = 0;
		if (i & 1)
			mem[row->b + row->len - 1] = row->what;
	}
}

static u64 run_memcpy(u8 *mem)
{
	const struct row *row = rows(mem);
	u32 i;

	for (i = 0; i < CALLS; i++, row++)
		memcpy(mem + row->b, mem + row->a, row->len);
	return mem[row[-1].b];
}

static u64 run_memset(u8 *mem)
{
	const struct row *row = rows(mem);
	u32 i;

	for (i = 0; i < CALLS; i++, row++)
		memset(mem + row->b, row->what, row->len);
	return mem[row[-1].b];
}

static u64 run_strlen(u8 *mem)
{
	const struct row *row = rows(mem);
	u64 sum = 0;
	u32 i;

	for (i = 0; i < CALLS; i++, row++)
		sum += strlen((const char *)mem + row->a);
	return sum;
}

static u64 run_strchr(u8 *mem)
{
	const struct row *row = rows(mem);
	u64 sum = 0;
	u32 i;

	for (i = 0; i < CALLS; i++, row++)
		sum += strchr((const char *)mem + row->a, row->what) != NULL;
	return sum;
}

static u64 run_memchr(u8 *mem)
{
	const struct row *row = rows(mem);
	u64 sum = 0;
	u32 i;

	for (i = 0; i < CALLS; i++, row++)
		sum += memchr(mem + row->a, row->what, row->len) != NULL;
	return sum;
}

static u64 run_strcmp(u8 *mem)
{
	const struct row *row = rows(mem);
	u64 sum = 0;
	u32 i;

	for (i = 0; i < CALLS; i++, row++)
		sum += strcmp((const char *)mem + row->a, (const char *)mem + row->b) > 0;
	return sum;
}

static u64 run_memcmp(u8 *mem)
{
	const struct row *row = rows(mem);
	u64 sum = 0;
	u32 i;

	for (i = 0; i < CALLS; i++, row++)
		sum += memcmp(mem + row->a, mem + row->b, row->len) > 0;
	return sum;
}

const struct kernel kernels_libc[] = {
	{ "memcpy", run_memcpy, prepare_strings, NULL },
	{ "memset", run_memset, prepare_strings, NULL },
	{ "strlen", run_strlen, prepare_strings, NULL },
	{ "strchr", run_strchr, prepare_strings, NULL },
	{ "memchr", run_memchr, prepare_strings, NULL },
	{ "strcmp", run_strcmp, prepare_strings, NULL },
	{ "memcmp", run_memcmp, prepare_strings, NULL },
	{ "memcpy-sse2", run_memcpy, prepare_strings, SSE2 },
	{ "memset-sse2", run_memset, prepare_strings, SSE2 },
	{ "strlen-sse2", run_strlen, prepare_strings, SSE2 },
	{ "strchr-sse2", run_strchr, prepare_strings, SSE2 },
	{ "memchr-sse2", run_memchr, prepare_strings, SSE2 },
	{ "strcmp-sse2", run_strcmp, prepare_strings, SSE2 },
	{ "memcmp-sse2", run_memcmp, prepare_strings, SSE2 },
	{ 0 }
};
