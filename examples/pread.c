// SPDX-License-Identifier: GPL-2.0
/*
 * pread: reads of SIZE bytes from a file in memory, with and without looking at what was read.  The I/O
 * micro-benchmark of the paper "Userspace Bypass" (OSDI 2023).
 *
 * usage: pread [--size SIZE] [--sum] [--iterations N | --seconds S] [--settle S] [--window K]
 *
 * The sum is of 64-bit words in plain C.  It is to be integer code, since blocks hold no vector instructions yet: so
 * this file is compiled without vectorization, by the line below.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#pragma GCC optimize("no-tree-vectorize")

#define FILE_SIZE	(1u << 20)
#define MAX_SIZE	(64u << 10)

static uint64_t buffer[MAX_SIZE / 8];

/* A file in memory with numbers that look random and are always the same; -1 when it cannot be made. */
static int make_file(void)
{
	uint64_t value = 1, i;
	int fd = memfd_create("pread", MFD_CLOEXEC);

	for (i = 0; fd >= 0 && i < FILE_SIZE / sizeof(buffer[0]); i++) {
		value = value * 6364136223846793005ull + 1442695040888963407ull;
		buffer[i % 512] = value;
		if (i % 512 == 511 && write(fd, buffer, 512 * 8) != 512 * 8)
			return -1;
	}
	return fd;
}

static uint64_t sum_words(const uint64_t *words, size_t cnt)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < cnt; i++)
		sum += words[i];
	return sum;
}

/* Both loops read the file from its beginning, over and over. */
static uint64_t read_only(int fd, size_t size, uint64_t cnt)
{
	uint64_t total = 0, i;
	off_t at = 0;

	for (i = 0; i < cnt; i++) {
		total += pread(fd, buffer, size, at);
		at = (at + size) % FILE_SIZE;
	}
	return total + sum_words(buffer, size / 8);
}

static uint64_t read_and_sum(int fd, size_t size, uint64_t cnt)
{
	uint64_t total = 0, i;
	off_t at = 0;

	for (i = 0; i < cnt; i++) {
		total += pread(fd, buffer, size, at);
		total += sum_words(buffer, size / 8);
		at = (at + size) % FILE_SIZE;
	}
	return total;
}

int main(int argc, char **argv)
{
	struct bench bench = { .name = "pread", .seconds = 1, .window = 20000 };
	bool is_sum = false;
	size_t size = 64;
	uint64_t checksum;
	int arg, fd;

	for (arg = 1; arg < argc; arg++) {
		if (!strcmp(argv[arg], "--sum")) {
			is_sum = true;
		} else if (!strcmp(argv[arg], "--size") && arg + 1 < argc) {
			size = strtoul(argv[++arg], NULL, 10);
		} else if (!bench_option(&bench, argc, argv, &arg)) {
			fprintf(stderr, "usage: pread [--size SIZE] [--sum] [--iterations N | --seconds S] "
					"[--window K]\n");
			return 2;
		}
	}
	if (size < 8 || size > MAX_SIZE || size & (size - 1)) {
		fprintf(stderr, "pread: the size is a power of two from 8 to %u\n", MAX_SIZE);
		return 2;
	}
	fd = make_file();
	if (fd < 0) {
		perror("pread: cannot make a file in memory");
		return 1;
	}
	while (bench_begin(&bench)) {
		checksum = is_sum ? read_and_sum(fd, size, bench.window) : read_only(fd, size, bench.window);
		bench_end(&bench, checksum);
	}
	return bench_print(&bench);
}
