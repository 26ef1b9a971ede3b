/* SPDX-License-Identifier: GPL-2.0 */
/*
 * small: what the small programs of small.c, small_io.c and small_state.c share.
 *
 * Each is a case: a hot loop of system calls, in which something happens.  What a case prints may not depend on time, so
 * that a native run and a bypassed one can be compared as texts.
 */
#ifndef SMALL_H
#define SMALL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct small_case {
	const char *name;
	void (*run)(void);
};

extern const struct small_case small_cases[], small_io_cases[], small_state_cases[];
extern unsigned int small_ms;		/* how long spin() goes on */

/* Of the last signal that came to note(): how many there were, si_code, si_addr; where note_and_leave() goes. */
extern volatile sig_atomic_t seen, code;
extern void *volatile seen_at;
extern sigjmp_buf back;

void note(int signal, siginfo_t *info, void *context);
void note_and_leave(int signal, siginfo_t *info, void *context);

long now_ms(void);

/* @cnt calls of getppid(); false if one of them gave something else than before. */
bool hot(unsigned int cnt);
/* Calls until small_ms have passed: long enough to be found. */
void spin(void);

static inline void say(const char *what, long value)
{
	printf("%s %ld\n", what, value);
	fflush(stdout);
}

static inline void catch_info(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	sigaction(signal, &(struct sigaction){ .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags }, NULL);
}

/* An address that the compiler does not think about. */
static inline void *nowhere(unsigned long address)
{
	void *volatile pointer = (void *)address;

	return pointer;
}

/* In a child: @signal to the parent after @us. */
static inline pid_t later(int signal, unsigned int us)
{
	pid_t child = fork();

	if (child)
		return child;
	usleep(us);
	kill(getppid(), signal);
	_exit(0);
}

#endif
