// SPDX-License-Identifier: GPL-2.0
/*
 * daemon_load: the program that daemon.sh lets ubd find: a hot path that stays, moves or does not pay.
 *
 * usage: daemon_load steady | moving | costly [SECONDS]
 *	steady	getppid() in a loop
 *	moving	getppid() for SECONDS, then getuid() behind other code, and so on
 *	costly	one call, then, always, an instruction that cannot be lifted
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WINDOW	2000

static volatile long sum;
static volatile int always = 1;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void __attribute__((noinline)) parents(void)
{
	int i;

	for (i = 0; i < WINDOW; i++)
		sum += getppid();
}

static void __attribute__((noinline)) users(void)
{
	int i;

	for (i = 0; i < WINDOW; i++)
		sum ^= getuid() + 3;
}

static void __attribute__((noinline)) costly(void)
{
	unsigned int eax, ebx, ecx, edx;
	int i;

	for (i = 0; i < WINDOW; i++) {
		sum += getppid();
		if (always)
			asm volatile("cpuid" : "=a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : "0"(0), "2"(0));
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	double seconds = argc > 2 ? atof(argv[2]) : 1, began = now();

	for (;;) {
		if (!strcmp(what, "steady"))
			parents();
		else if (!strcmp(what, "costly"))
			costly();
		else if (strcmp(what, "moving"))
			return 2;
		else if ((long)((now() - began) / seconds) % 2)
			users();
		else
			parents();
	}
}
