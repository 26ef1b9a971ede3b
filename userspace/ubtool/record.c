// SPDX-License-Identifier: GPL-2.0
/*
 * record: watches a running process, a stretch of it now and then, instruction by instruction.
 *
 * Threads that used the processor lately are seized; the others go on.  A thread runs freely, stopped at its system
 * calls alone, for long enough that what the clock makes it do is done; then it is stepped from one call on until
 * enough instructions and the call behind them have come.  To step all of it would record the program's timers instead:
 * stepping is a thousand times slower than running.
 *
 * At the end, also when interrupted, each thread is let go without the trap flag and without a trap that waits for it.
 * A tracer that is killed cannot do that: the next trap would end the process.
 */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "recording.h"

#define MAX_THREADS	64
#define BUSY_MS		100	/* this long it is looked who is busy */
#define POLL_MS		50
#define STRETCH		2000u	/* instructions that are stepped at least */
#define FREE_S		0.05	/* then it runs freely for this long, */
#define FREE_CALLS	64	/* and for up to so many calls, so that stretches begin anywhere */
#define USER_CS		0x33	/* of 64-bit code */
#define END_TRIES	40
#define SYSCALL_STOP	(SIGTRAP | 0x80)

enum mode { FREE, STEPPED };

struct thread {
	pid_t tid;
	u64 ticks;		/* processor time, when first looked at */
	bool is_traced, is_stopped;
	int signal;		/* to be handed on */
	enum mode mode;
	bool is_in_call;	/* FREE: the next stop at a call is its end */
	bool is_at_call;	/* STEPPED: the instruction makes one */
	double free_until;
	u32 free_calls;
	u32 stretch;		/* instructions of this one */
	u64 last_ip;
	bool is_repeating;	/* the last instruction has a rep prefix */
	u32 left;		/* instructions */
	struct recording steps;	/* only its steps are used */
};

struct seen_code {
	u64 ip;
	u8 bytes[2];
};

struct recorder {
	struct thread threads[MAX_THREADS];
	u32 thread_cnt, traced_cnt;
	int mem_fd;
	struct seen_code seen[4096];
	struct recording *recording;
	double end;		/* seconds */
	const char *why;
};

static volatile sig_atomic_t is_interrupted;

static void on_signal(int sig)
{
	if (sig != SIGALRM)
		is_interrupted = 1;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* --- who is busy --- */

static u64 thread_ticks(pid_t pid, pid_t tid)
{
	unsigned long long user = 0, system = 0;
	char path[64], line[512] = "", *rest;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	rest = strrchr(line, ')');
	if (rest)
		sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system);
	return user + system;
}

static int find_threads(struct recorder *recorder, pid_t pid)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return -ESRCH;
	while ((entry = readdir(dir)) && recorder->thread_cnt < MAX_THREADS) {
		struct thread *thread = &recorder->threads[recorder->thread_cnt];

		thread->tid = atoi(entry->d_name);
		if (thread->tid <= 0)
			continue;
		thread->ticks = thread_ticks(pid, thread->tid);
		recorder->thread_cnt++;
	}
	closedir(dir);
	return recorder->thread_cnt ? 0 : -ESRCH;
}

/* Drops the threads that have not run; all stay when none has. */
static void keep_busy(struct recorder *recorder, pid_t pid)
{
	const struct timespec pause = { .tv_nsec = BUSY_MS * 1000000 };
	struct thread busy[MAX_THREADS];
	u32 i, cnt = 0;

	nanosleep(&pause, NULL);
	for (i = 0; i < recorder->thread_cnt; i++)
		if (thread_ticks(pid, recorder->threads[i].tid) > recorder->threads[i].ticks)
			busy[cnt++] = recorder->threads[i];
	if (!cnt)
		return;
	memcpy(recorder->threads, busy, cnt * sizeof(*busy));
	recorder->thread_cnt = cnt;
}

/* --- one stop --- */

/* The first bytes of the instruction at @ip, from memory when they were seen lately. */
static const u8 *first_bytes(struct recorder *recorder, u64 ip)
{
	struct seen_code *seen = &recorder->seen[ip % ARRAY_SIZE(recorder->seen)];

	if (seen->ip != ip) {
		memset(seen->bytes, 0, sizeof(seen->bytes));
		ub_process_peek(recorder->mem_fd, ip, seen->bytes, sizeof(seen->bytes));
		seen->ip = ip;
	}
	return seen->bytes;
}

static int add_step(struct recorder *recorder, struct thread *thread, u64 ip, u32 nr)
{
	s64 insn = recording_insn(recorder->recording, ip, nr);

	return insn < 0 ? insn : recording_add_step(&thread->steps, insn);
}

static int add_break(struct thread *thread)
{
	return recording_add_step(&thread->steps, RECORDING_BREAK);
}

static int read_registers(struct recorder *recorder, struct thread *thread, struct user_regs_struct *ret)
{
	if (ptrace(PTRACE_GETREGS, thread->tid, NULL, ret))
		return -errno;
	if (ret->cs == USER_CS)
		return 0;
	recorder->why = "it does not run 64-bit code";
	return -EOPNOTSUPP;
}

/* The thread is about to run an instruction. */
static int note(struct recorder *recorder, struct thread *thread, const struct user_regs_struct *regs)
{
	const u8 *bytes = first_bytes(recorder, regs->rip);

	/* Each round of a rep instruction is a step of its own. */
	if (regs->rip == thread->last_ip && thread->is_repeating)
		return 0;
	thread->last_ip = regs->rip;
	thread->is_repeating = bytes[0] == 0xf2 || bytes[0] == 0xf3;
	thread->is_at_call = bytes[0] == 0x0f && bytes[1] == 0x05;
	thread->stretch++;
	thread->left -= thread->left > 0;
	return add_step(recorder, thread, regs->rip, thread->is_at_call ? (u32)regs->rax : NO_CALL);
}

static void set_free(struct thread *thread)
{
	thread->mode = FREE;
	thread->free_until = seconds() + FREE_S;
	thread->free_calls = rand() % FREE_CALLS;
}

/* Behind a call: a stretch begins, or goes on, or is over. */
static int end_call(struct recorder *recorder, struct thread *thread)
{
	struct user_regs_struct regs;
	int err;

	if (thread->mode == FREE) {
		if (seconds() < thread->free_until || thread->free_calls) {
			thread->free_calls -= thread->free_calls > 0;
			return 0;
		}
		err = read_registers(recorder, thread, &regs);
		if (err)
			return err == -ESRCH ? 0 : err;
		thread->mode = STEPPED;
		thread->stretch = 0;
		thread->last_ip = 0;
		err = add_break(thread);
		if (!err)
			err = add_step(recorder, thread, regs.rip - 2, regs.orig_rax);
		return err ? err : note(recorder, thread, &regs);
	}
	if (thread->stretch >= STRETCH || !thread->left) {
		set_free(thread);
		return 0;
	}
	err = read_registers(recorder, thread, &regs);
	if (err)
		return err == -ESRCH ? 0 : err;
	return note(recorder, thread, &regs);
}

static int stepped(struct recorder *recorder, struct thread *thread)
{
	struct user_regs_struct regs;
	int err;

	if (thread->mode == FREE)
		return 0;
	err = read_registers(recorder, thread, &regs);
	if (err)
		return err == -ESRCH ? 0 : err;
	return note(recorder, thread, &regs);
}

static bool is_group_stop(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* At a stop at a call: is it the first of the two? */
static bool is_call_begun(const struct thread *thread)
{
	struct __ptrace_syscall_info info = { 0 };

	return ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, (void *)sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* A thread has stopped: what does it tell? */
static int handle_stop(struct recorder *recorder, struct thread *thread, int status)
{
	int sig = WSTOPSIG(status);

	thread->is_stopped = true;
	thread->signal = 0;
	if (status >> 16 == PTRACE_EVENT_STOP) {
		if (is_group_stop(sig)) {
			ptrace(PTRACE_LISTEN, thread->tid, NULL, NULL);
			thread->is_stopped = false;
		}
		return 0;
	}
	if (sig == SYSCALL_STOP) {
		thread->is_in_call = is_call_begun(thread);
		thread->is_at_call = false;
		return thread->is_in_call ? 0 : end_call(recorder, thread);
	}
	if (sig == SIGTRAP)
		return stepped(recorder, thread);
	/* Its handler is no part of the stretch. */
	thread->signal = sig;
	set_free(thread);
	return add_break(thread);
}

static struct thread *find_thread(struct recorder *recorder, pid_t tid)
{
	u32 i;

	for (i = 0; i < recorder->thread_cnt; i++)
		if (recorder->threads[i].tid == tid)
			return &recorder->threads[i];
	return NULL;
}

static void forget(struct recorder *recorder, struct thread *thread)
{
	thread->is_traced = thread->is_stopped = false;
	recorder->traced_cnt--;
}

static int wait_one(struct recorder *recorder)
{
	struct thread *thread;
	int status;
	pid_t tid = waitpid(-1, &status, __WALL);

	if (tid < 0)
		return errno == EINTR ? 0 : -errno;
	thread = find_thread(recorder, tid);
	if (!thread || !thread->is_traced)
		return 0;
	if (!WIFSTOPPED(status)) {
		forget(recorder, thread);
		return 0;
	}
	return handle_stop(recorder, thread, status);
}

static void go_on(struct thread *thread)
{
	bool is_stepped = thread->mode == STEPPED && !thread->is_at_call && !thread->is_in_call;

	thread->is_stopped = false;
	ptrace(is_stepped ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, thread->tid, NULL, (void *)(long)thread->signal);
}

/* --- the end --- */

/* A step's trap may have come just before the thread was stopped: then it still waits to be delivered. */
static bool has_trap(const struct thread *thread)
{
	struct __ptrace_peeksiginfo_args args = { .nr = 8 };
	siginfo_t infos[8];
	long i, cnt = ptrace(PTRACE_PEEKSIGINFO, thread->tid, &args, infos);

	for (i = 0; i < cnt; i++)
		if (infos[i].si_signo == SIGTRAP)
			return true;
	return false;
}

/* False when it has to be asked again, at its next stop. */
static bool let_go(struct recorder *recorder, struct thread *thread)
{
	if (has_trap(thread)) {
		thread->is_stopped = false;
		return ptrace(PTRACE_CONT, thread->tid, NULL, (void *)(long)thread->signal) != 0;
	}
	if (!ptrace(PTRACE_DETACH, thread->tid, NULL, (void *)(long)thread->signal) || errno == ESRCH)
		forget(recorder, thread);
	return true;
}

/* Stops those that run, in a call perhaps, and lets all go. */
static void release(struct recorder *recorder)
{
	u32 i, tries;

	for (i = 0; i < recorder->thread_cnt; i++) {
		recorder->threads[i].mode = FREE;
		if (recorder->threads[i].is_traced && !recorder->threads[i].is_stopped)
			ptrace(PTRACE_INTERRUPT, recorder->threads[i].tid, NULL, NULL);
	}
	for (tries = 0; recorder->traced_cnt && tries < END_TRIES; tries++) {
		for (i = 0; i < recorder->thread_cnt; i++)
			if (recorder->threads[i].is_stopped)
				let_go(recorder, &recorder->threads[i]);
		if (recorder->traced_cnt)
			wait_one(recorder);
	}
}

/* --- from beginning to end --- */

static int seize(struct recorder *recorder)
{
	u32 i;
	int err = 0;

	for (i = 0; i < recorder->thread_cnt; i++) {
		struct thread *thread = &recorder->threads[i];

		if (ptrace(PTRACE_SEIZE, thread->tid, NULL, (void *)PTRACE_O_TRACESYSGOOD)) {
			err = -errno;
			continue;
		}
		thread->is_traced = true;
		recorder->traced_cnt++;
		ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL);
	}
	return recorder->traced_cnt ? 0 : err;
}

static bool is_finished(const struct thread *thread)
{
	return !thread->left && thread->mode == FREE;
}

static int watch(struct recorder *recorder)
{
	bool is_on = true;
	u32 i;
	int err = 0;

	while (is_on && !err && recorder->traced_cnt && !is_interrupted && seconds() < recorder->end) {
		is_on = false;
		for (i = 0; i < recorder->thread_cnt; i++) {
			struct thread *thread = &recorder->threads[i];

			if (thread->is_stopped && is_finished(thread))
				let_go(recorder, thread);
			else if (thread->is_stopped)
				go_on(thread);
			is_on |= thread->is_traced && !thread->is_stopped;
		}
		if (is_on)
			err = wait_one(recorder);
	}
	return err;
}

static int join(struct recorder *recorder)
{
	u32 i, k;
	int err = 0;

	for (i = 0; i < recorder->thread_cnt; i++) {
		const struct recording *steps = &recorder->threads[i].steps;

		for (k = 0; !err && k < steps->step_cnt; k++)
			err = recording_add_step(recorder->recording, steps->steps[k]);
		if (!err)
			err = recording_add_step(recorder->recording, RECORDING_BREAK);
		free(steps->steps);
	}
	return err;
}

/* A waitpid() must not outlast the time: a signal ends it now and then. */
static void set_timer(bool is_on)
{
	const struct sigaction act = { .sa_handler = on_signal };
	struct itimerval timer = { 0 };

	if (is_on)
		timer.it_value.tv_usec = timer.it_interval.tv_usec = POLL_MS * 1000;
	sigaction(SIGALRM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static int run(struct recorder *recorder, pid_t pid, const struct record_limits *limits)
{
	u32 i;
	int err = find_threads(recorder, pid), join_err;

	if (err)
		return err;
	keep_busy(recorder, pid);
	for (i = 0; i < recorder->thread_cnt; i++)
		recorder->threads[i].left = limits->insns / recorder->thread_cnt + 1;
	recorder->end = seconds() + limits->seconds;
	set_timer(true);
	err = seize(recorder);
	if (!err)
		err = watch(recorder);
	release(recorder);
	set_timer(false);
	join_err = join(recorder);
	if (!err)
		err = join_err;
	return err ? err : recording_add_code(recorder->recording, pid);
}

int record_process(pid_t pid, const struct record_limits *limits, struct recording *ret, const char **ret_why)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	struct recording recording = { 0 };
	struct ub_process process;
	int err = recorder ? ub_process_read(pid, &process) : -ENOMEM;

	if (!err) {
		memcpy(recording.comm, process.comm, sizeof(recording.comm));
		recorder->recording = &recording;
		recorder->mem_fd = ub_process_memory(pid);
		err = recorder->mem_fd < 0 ? recorder->mem_fd : run(recorder, process.pid, limits);
		if (recorder->mem_fd >= 0)
			close(recorder->mem_fd);
	}
	if (err) {
		*ret_why = recorder && recorder->why ? recorder->why : strerror(-err);
		recording_free(&recording);
	} else {
		*ret = recording;
	}
	free(recorder);
	return err;
}
