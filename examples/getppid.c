// SPDX-License-Identifier: GPL-2.0
/*
 * getppid: the cheapest system call there is, in a loop: what a mode switch costs and what bypassing it saves.
 *
 * usage: getppid [--iterations N | --seconds S] [--window K]
 */
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv)
{
	struct bench bench = { .name = "getppid", .seconds = 1, .window = 20000 };
	pid_t parent = getppid();
	uint64_t i, same;
	int arg;

	for (arg = 1; arg < argc; arg++) {
		if (!bench_option(&bench, argc, argv, &arg)) {
			fprintf(stderr, "usage: getppid [--iterations N | --seconds S] [--window K]\n");
			return 2;
		}
	}
	while (bench_begin(&bench)) {
		same = 0;
		for (i = 0; i < bench.window; i++)
			same += getppid() == parent;
		bench_end(&bench, same);
	}
	return bench_print(&bench);
}
