/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench: options, windows and the answer of the example programs.
 *
 * The program's loop runs in windows of so many iterations, each doing the same work; the clocks are read between
 * two windows only, so the loop itself is an ordinary one.  The best window counts, of those that began after the
 * seconds of --settle.  Where the machine counts
 * instructions (QEMU with -icount shift=0) one tick of the time stamp counter is one instruction.
 *
 *	while (bench_begin(&bench)) {
 *		for (i = 0; i < bench.window; i++)
 *			checksum += work();
 *		bench_end(&bench, checksum);
 *	}
 */
#ifndef BENCH_H
#define BENCH_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

struct bench {
	const char *name;
	uint64_t iterations;	/* wanted, 0: as many as fit into the seconds */
	double seconds;
	double settle;		/* seconds at the start that do not count */
	uint64_t window;	/* iterations each */
	uint64_t done;
	uint64_t windows;
	uint64_t began_ns;	/* the first window */
	uint64_t begin_ns;	/* this window */
	uint64_t begin_ticks;
	uint64_t best_ns;
	uint64_t best_ticks;
	uint64_t checksum;	/* of every window */
	bool is_uneven;		/* two windows had different checksums */
};

static inline uint64_t bench_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static inline bool bench_begin(struct bench *bench)
{
	uint64_t now = bench_ns();

	if (!bench->began_ns)
		bench->began_ns = now;
	if (bench->iterations ? bench->done >= bench->iterations :
				now - bench->began_ns >= bench->seconds * 1e9)
		return false;
	bench->begin_ns = now;
	bench->begin_ticks = __rdtsc();
	return true;
}

static inline void bench_end(struct bench *bench, uint64_t checksum)
{
	uint64_t ticks = __rdtsc() - bench->begin_ticks;
	uint64_t ns = bench_ns() - bench->begin_ns;

	if (bench->begin_ns - bench->began_ns >= bench->settle * 1e9) {
		if (!bench->best_ticks || ticks < bench->best_ticks)
			bench->best_ticks = ticks;
		if (!bench->best_ns || ns < bench->best_ns)
			bench->best_ns = ns;
	}
	if (bench->windows && checksum != bench->checksum)
		bench->is_uneven = true;
	bench->checksum = checksum;
	bench->windows++;
	bench->done += bench->window;
}

/* The answer, one line of JSON; returns the program's exit status. */
static inline int bench_print(const struct bench *bench)
{
	printf("{\"name\":\"%s\",\"iterations\":%" PRIu64 ",\"window\":%" PRIu64 ",\"windows\":%" PRIu64
	       ",\"checksum\":\"0x%016" PRIx64 "\",\"ticks_per_iteration\":%.3f,\"ns_per_iteration\":%.3f}\n",
	       bench->name, bench->done, bench->window, bench->windows, bench->checksum,
	       (double)bench->best_ticks / bench->window, (double)bench->best_ns / bench->window);
	if (bench->is_uneven)
		fprintf(stderr, "%s: two windows had different checksums\n", bench->name);
	return bench->is_uneven || fflush(stdout) ? 1 : 0;
}

/* Takes "--iterations N", "--seconds S", "--settle S" or "--window K" at argv[*i]; true when it was one. */
static inline bool bench_option(struct bench *bench, int argc, char **argv, int *i)
{
	const char *name = argv[*i];

	if (*i + 1 >= argc)
		return false;
	if (!strcmp(name, "--iterations"))
		bench->iterations = strtoull(argv[*i + 1], NULL, 10);
	else if (!strcmp(name, "--seconds"))
		bench->seconds = strtod(argv[*i + 1], NULL);
	else if (!strcmp(name, "--settle"))
		bench->settle = strtod(argv[*i + 1], NULL);
	else if (!strcmp(name, "--window"))
		bench->window = strtoull(argv[*i + 1], NULL, 10);
	else
		return false;
	++*i;
	return bench->window > 0;
}

#endif
