/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernels: pieces of hot code, after what servers and tools spend their time with between system calls.
 *
 * Each works on one stretch of memory that prepare() fills in the same way every time, so that native and translated
 * runs can be compared.  They are compiled as a distribution compiles programs, and libraries are the installed ones.
 */
#ifndef UB_KERNELS_H
#define UB_KERNELS_H

#include <ub/port.h>

#define BENCH_MEM	(192u * 1024)

/*
 * glibc.cpu.hwcaps: its instructions end a block.  Without AVX512F, since AVX512VL alone is not enough on AMD's processors;
 * the last two would choose other variants yet.
 */
#define BENCH_NO_AVX512	"-AVX512F,-AVX512VL,-RTM,-Prefer_No_VZEROUPPER"

struct kernel {
	const char *name;
	u64 (*run)(u8 *mem);		/* 4 to 100 us; what is lifted, down to its return */
	void (*prepare)(u8 *mem);	/* mem is zero; the same for each bench_round */
	const char *hwcaps;		/* what the C library is told; NULL: BENCH_NO_AVX512 */
};

/* Each ends with an empty row. */
extern const struct kernel kernels_libc[], kernels_zlib[], kernels_redis[], kernels_server[], kernels_text[],
	kernels_sort[];

/* text.c: pseudo-random numbers, the same after each seeding in a round. */
extern u32 bench_round;
void bench_seed(u64 seed);
u32 bench_random(u32 below);
/* @len bytes of what looks like text: words, now and then a newline. */
void bench_text(u8 *to, u32 len);

#endif
