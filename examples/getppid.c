// SPDX-License-Identifier: GPL-2.0
/*
 * getppid: the cheapest system call there is, in a loop: what a mode switch costs and what bypassing it saves.
 *
 * usage: getppid [--libc] [--iterations N | --seconds S] [--settle S] [--window K]
 *
 * The call is made in place, so that little but the switch is measured; with --libc it goes through the C library, whose
 * wrapper's call, PLT slot and return are lifted too.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

static inline pid_t direct_getppid(void)
{
	long result = SYS_getppid;

	__asm__ volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
	return result;
}

static uint64_t count_direct(uint64_t turns, pid_t parent)
{
	uint64_t i, same = 0;

	for (i = 0; i < turns; i++)
		same += direct_getppid() == parent;
	return same;
}

static uint64_t count_libc(uint64_t turns, pid_t parent)
{
	uint64_t i, same = 0;

	for (i = 0; i < turns; i++)
		same += getppid() == parent;
	return same;
}

int main(int argc, char **argv)
{
	struct bench bench = { .name = "getppid", .seconds = 1, .window = 20000 };
	pid_t parent = getppid();
	bool is_libc = false;
	int arg;

	for (arg = 1; arg < argc; arg++) {
		if (!strcmp(argv[arg], "--libc")) {
			is_libc = true;
		} else if (!bench_option(&bench, argc, argv, &arg)) {
			fprintf(stderr, "usage: getppid [--libc] [--iterations N | --seconds S] [--settle S] [--window K]\n");
			return 2;
		}
	}
	while (bench_begin(&bench)) {
		bench_end(&bench, is_libc ? count_libc(bench.window, parent) : count_direct(bench.window, parent));
	}
	return bench_print(&bench);
}
