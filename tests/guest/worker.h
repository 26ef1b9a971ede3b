/* SPDX-License-Identifier: GPL-2.0 */
/*
 * worker: a child process that runs a function, attached and with a block or not.
 *
 * It stops itself first, so that it is attached and its block loaded before the function begins; since it is a fork,
 * its code lies where the parent's does.  The function's result comes back through shared memory.
 */
#ifndef WORKER_H
#define WORKER_H

#include "guest.h"

struct worker {
	pid_t pid;
	int session;			/* 0: native */
	int block;
	int status;			/* of waitpid() */
	u64 result;
	struct ub_session_info info;	/* just before it ended, or was killed */
	volatile u64 *shared;		/* [SHARED_CNT] */
};

/* What worker and parent share. */
enum {
	SHARED_RESULT,
	SHARED_STOP,			/* set by the parent: come to an end */
	SHARED_CHUNKS,			/* counted up by the worker, whether bypassed or not */
	SHARED_BAD,			/* chunks with a wrong sum */
	SHARED_DO,			/* for the test's use */
	SHARED_CNT = 16
};

static volatile u64 *worker_shared;

static inline void worker_publish(u64 result)
{
	worker_shared[SHARED_RESULT] = result;
	raise(SIGSTOP);			/* so that the counters can be read */
}

/* Stopped before it begins, and not attached. */
static inline struct worker worker_new(int fd, u64 (*run)(void *), void *arg, size_t size)
{
	struct worker worker = {};
	char copy[256];

	worker.shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memcpy(copy, arg, size);
	fflush(stdout);
	worker.pid = fork();
	if (!worker.pid) {
		close(fd);
		worker_shared = worker.shared;
		raise(SIGSTOP);
		worker_publish(run(copy));
		_exit(0);
	}
	waitpid(worker.pid, &worker.status, WUNTRACED);
	return worker;
}

static inline struct worker worker_start(int fd, u64 (*run)(void *), void *arg, size_t size, const struct draft *draft)
{
	struct worker worker = worker_new(fd, run, arg, size);

	if (draft) {
		worker.session = attach(fd, worker.pid);
		must(worker.session > 0, "cannot attach");
		worker.block = load(fd, worker.session, draft);
		if (worker.block < 0) {
			errno = -worker.block;
			must(false, load_log[0] ? load_log : "cannot load");
		}
	}
	kill(worker.pid, SIGCONT);
	return worker;
}

/* Until it is done or dead. */
static inline void worker_wait(int fd, struct worker *worker)
{
	waitpid(worker->pid, &worker->status, WUNTRACED);
	if (WIFSTOPPED(worker->status)) {
		if (worker->session)
			worker->info = session_info(fd, worker->session);
		kill(worker->pid, SIGCONT);
		waitpid(worker->pid, &worker->status, 0);
	}
	worker->result = worker->shared[SHARED_RESULT];
	munmap((void *)worker->shared, 4096);
}

static inline struct worker worker_run(int fd, u64 (*run)(void *), void *arg, size_t size, const struct draft *draft)
{
	struct worker worker = worker_start(fd, run, arg, size, draft);

	worker_wait(fd, &worker);
	return worker;
}

static inline void catch_with(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	must(!sigaction(signal, &action, NULL), "sigaction");
}

/* --- a worker that goes on until it is told to stop, and checks itself --- */

#define CHUNK	5000u

CALL_LOOP(steady_loop)

static inline u64 steady(void *arg UNUSED)
{
	u64 right = CHUNK * (u64)getppid();

	while (!worker_shared[SHARED_STOP]) {
		if (steady_loop(CHUNK, SYS_getppid, 0, 0, 0, 0) != right)
			worker_shared[SHARED_BAD]++;
		worker_shared[SHARED_CHUNKS]++;
	}
	return 0;
}

static inline struct worker steady_start(int fd, bool is_attached)
{
	struct draft draft = steady_loop_draft(SYS_getppid);

	return worker_start(fd, steady, "", 1, is_attached ? &draft : NULL);
}

/* Makes it stop by itself, and waits.  True if all went well with it. */
static inline bool steady_end(int fd, struct worker *worker)
{
	bool is_good;

	worker->shared[SHARED_STOP] = 1;
	is_good = !worker->shared[SHARED_BAD];
	worker_wait(fd, worker);
	return is_good && !worker->status;
}

/* Calls made inside blocks of @session while @ms pass. */
static inline u64 calls_in(int fd, u32 session, u32 ms)
{
	u64 before;

	session_info(fd, session);	/* each call makes running threads report soon */
	usleep(20000);
	before = session_info(fd, session).calls;
	usleep(ms * 1000);
	session_info(fd, session);
	usleep(20000);
	return session_info(fd, session).calls - before;
}

/* Does the loop get on, one way or the other? */
static inline bool is_moving(const struct worker *worker)
{
	u64 before = worker->shared[SHARED_CHUNKS];
	u32 i;

	for (i = 0; i < 300 && worker->shared[SHARED_CHUNKS] < before + 2; i++)
		usleep(10000);
	return worker->shared[SHARED_CHUNKS] > before;
}

struct test {
	const char *name;
	void (*run)(void);
};

static inline int run_tests(const struct test *tests, int argc, char **argv)
{
	int i;

	for (; tests->name; tests++) {
		for (i = 1; i < argc && strcmp(argv[i], tests->name); i++)
			;
		if (argc == 1 || i < argc)
			tests->run();
	}
	return failed_cnt != 0;
}

#endif
