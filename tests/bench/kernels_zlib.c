// SPDX-License-Identifier: GPL-2.0
/* kernels_zlib: the installed zlib, as servers use it: text in pieces of a few KiB. */
#include <zlib.h>

#include "kernels.h"

#define TEXT	8192
#define PACKED	(32 * 1024)	/* in mem: its length, then the compressed text */

static z_stream inflater;

static u64 run_crc32(u8 *mem)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < 8; i++)
		sum = crc32(sum, mem + i % 2 * TEXT, TEXT);
	return sum;
}

static u64 run_adler32(u8 *mem)
{
	u64 sum = 1;
	u32 i;

	for (i = 0; i < 8; i++)
		sum = adler32(sum, mem, TEXT);
	return sum;
}

static void prepare_text(u8 *mem)
{
	bench_seed(2);
	bench_text(mem, 2 * TEXT);
}

static u64 run_inflate(u8 *mem)
{
	inflateReset(&inflater);
	inflater.next_in = mem + PACKED + 8;
	inflater.avail_in = *(u64 *)(mem + PACKED);
	inflater.next_out = mem;
	inflater.avail_out = TEXT;
	return inflate(&inflater, Z_FINISH);
}

static void prepare_inflate(u8 *mem)
{
	uLongf len = TEXT;

	bench_seed(3);
	bench_text(mem, TEXT);
	compress2(mem + PACKED + 8, &len, mem, TEXT, 6);
	*(u64 *)(mem + PACKED) = len;
	memset(mem, 0, TEXT);
	if (!inflater.state)
		inflateInit(&inflater);
}

const struct kernel kernels_zlib[] = {
	{ "crc32", run_crc32, prepare_text, NULL },
	{ "adler32", run_adler32, prepare_text, NULL },
	{ "inflate", run_inflate, prepare_inflate, NULL },
	{ 0 }
};
