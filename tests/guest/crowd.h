/* SPDX-License-Identifier: GPL-2.0 */
/*
 * crowd: a process of many threads, each of which runs system calls in a loop and checks what comes back, while one
 * more does to the process all that a process can do to itself.
 *
 * The loops stand on pages of their own, mapped from a file, so that each can be taken away and put back under the
 * threads that run it: they wait in their handler of SIGSEGV and go on.  On pages of one kind the loop calls getppid();
 * on the others pread(), to memory that is missing now and then and comes late, by userfaultfd.
 */
#ifndef CROWD_H
#define CROWD_H

#include "worker.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>

#define CROWD_PAGES	32u
#define CROWD_MAX	64u		/* threads */
#define CROWD_CODE	((char *)0x200000000000)
#define CROWD_SLOW	((char *)0x210000000000)	/* a page for each thread, by userfaultfd */
#define CROWD_CALLS	200u		/* of a loop, between two looks at its sum */
#define CROWD_FILE	"/tmp/ub-crowd"
#define PAGE		4096u

/* In worker_shared, behind what worker.h has there: how often each thread has been around. */
enum { SHARED_ROUNDS = SHARED_CNT, SHARED_LATE = SHARED_ROUNDS + CROWD_MAX };

struct crowd_arg {
	u32 thread_cnt;
	u32 seed;
};

static inline bool crowd_is_slow(u32 page)
{
	return page % 8 == 7;
}

static inline u32 crowd_nr(u32 page)
{
	return crowd_is_slow(page) ? SYS_pread64 : SYS_getppid;
}

/* The file with the code, which nobody may have open for writing. */
static inline int crowd_file(void)
{
	int file = open(CROWD_FILE, O_RDWR | O_CREAT | O_TRUNC, 0600);
	u32 i;

	must(file >= 0, CROWD_FILE);
	for (i = 0; i < CROWD_PAGES; i++)
		must(pwrite(file, (void *)steady_loop, 256, i * PAGE) == 256, "write code");
	must(!ftruncate(file, CROWD_PAGES * PAGE), "ftruncate");
	close(file);
	file = open(CROWD_FILE, O_RDONLY | O_CLOEXEC);
	must(file >= 0, CROWD_FILE);
	return file;
}

/* Adds the loop of page @page to a block. */
static inline void crowd_put(struct draft *draft, u32 page)
{
	struct draft loop = steady_loop_draft(crowd_nr(page));
	s64 delta = (s64)CROWD_CODE + page * PAGE - (s64)steady_loop;
	u32 i;

	for (i = 0; i < loop.insn_cnt; i++)
		if (loop.insns[i].op == UB_OP_INSN || loop.insns[i].op == UB_OP_EXIT)
			loop.insns[i].imm += delta;
	loop.entries[0].ip += delta;
	loop.entries[0].insn_idx += draft->insn_cnt;
	loop.codes[0].start += delta;
	memcpy(draft->insns + draft->insn_cnt, loop.insns, loop.insn_cnt * sizeof(*loop.insns));
	draft->insn_cnt += loop.insn_cnt;
	draft->entries[draft->entry_cnt++] = loop.entries[0];
	draft->codes[draft->code_cnt++] = loop.codes[0];
}

/* --- in the crowd's process --- */

static int crowd_code = -1;
static int crowd_faults = -1;
static volatile bool crowd_is_gone[CROWD_PAGES];
static u32 crowd_seed;

static u32 chance(u32 below)
{
	return rand_r(&crowd_seed) % below;
}

static u64 crowd_loop(u32 thread)
{
	u32 page = thread % CROWD_PAGES;
	u64 (*loop)(u64 cnt, u64 nr, u64 rdi, u64 rsi, u64 rdx, u64 r10) = (void *)(CROWD_CODE + page * PAGE);

	return loop(CROWD_CALLS, crowd_nr(page), crowd_code, (u64)CROWD_SLOW + thread * PAGE, 8, 0);
}

static bool crowd_is_right(u32 thread, u64 sum)
{
	if (!crowd_is_slow(thread % CROWD_PAGES))
		return sum == CROWD_CALLS * (u64)getppid();
	return sum == CROWD_CALLS * 8 && !memcmp(CROWD_SLOW + thread * PAGE, (void *)steady_loop, 8);
}

static void *crowd_thread(void *arg)
{
	u32 thread = (long)arg;

	while (!worker_shared[SHARED_STOP]) {
		if (!crowd_is_right(thread, crowd_loop(thread)))
			__atomic_add_fetch(&worker_shared[SHARED_BAD], 1, __ATOMIC_RELAXED);
		worker_shared[SHARED_ROUNDS + thread]++;
	}
	return NULL;
}

static void crowd_on_segv(int signal, siginfo_t *info, void *data UNUSED)
{
	u64 page = ((char *)info->si_addr - CROWD_CODE) / PAGE;

	if (page >= CROWD_PAGES) {
		sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
		return;
	}
	while (crowd_is_gone[page])
		usleep(100);
}

static void crowd_on_signal(int signal UNUSED, siginfo_t *info UNUSED, void *data UNUSED)
{
}

static void *crowd_map_code(u32 page)
{
	return mmap(CROWD_CODE + page * PAGE, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, crowd_code, page * PAGE);
}

/* Gives each missing page, after a while.  Does not sleep for long in a call: an attached thread that does holds the module. */
static void *crowd_give(void *arg)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	struct pollfd wait = { .fd = crowd_faults, .events = POLLIN };
	struct uffd_msg msg;
	u32 seed = 1;

	for (;;) {
		struct uffdio_copy copy = { .src = (long)page, .len = PAGE };

		if (poll(&wait, 1, 50) <= 0 || read(crowd_faults, &msg, sizeof(msg)) != sizeof(msg) ||
		    msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		usleep(rand_r(&seed) % 20000);
		copy.dst = msg.arg.pagefault.address & ~(u64)(PAGE - 1);
		ioctl(crowd_faults, UFFDIO_COPY, &copy);
		worker_shared[SHARED_LATE]++;
	}
	return arg;
}

static void crowd_slow_memory(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .range = { (long)CROWD_SLOW, CROWD_MAX * PAGE }, .mode = UFFDIO_REGISTER_MODE_MISSING };
	pthread_t thread;

	mmap(CROWD_SLOW, CROWD_MAX * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	crowd_faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	must(crowd_faults >= 0 && !ioctl(crowd_faults, UFFDIO_API, &api) && !ioctl(crowd_faults, UFFDIO_REGISTER, &area),
	     "userfaultfd");
	must(!pthread_create(&thread, NULL, crowd_give, NULL), "thread");
}

static void *crowd_passer_by(void *arg)
{
	crowd_loop(0);
	return arg;
}

static void crowd_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		steady_loop(50, SYS_getppid, 0, 0, 0, 0);
		if (chance(2))
			execl("/bin/true", "true", NULL);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* A page of code is not executable, not there, another one, or written. */
static void crowd_disturb(u32 page)
{
	char *code = CROWD_CODE + page * PAGE;

	crowd_is_gone[page] = true;
	switch (chance(6)) {
	case 0:
		mprotect(code, PAGE, PROT_READ);
		usleep(chance(500));
		mprotect(code, PAGE, PROT_READ | PROT_EXEC);
		break;
	case 1:
		mmap(code, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		usleep(chance(500));
		crowd_map_code(page);
		break;
	case 2:
		munmap(code, PAGE);
		crowd_map_code(page);
		break;
	case 3:
		mprotect(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
		code[200] = chance(256);	/* behind the loop; from now on the page is not the file's */
		mprotect(code, PAGE, PROT_READ | PROT_EXEC);
		usleep(chance(500));
		crowd_map_code(page);
		break;
	case 4:
		madvise(code, PAGE, MADV_DONTNEED);
		break;
	case 5:
		if (mremap(code, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, CROWD_CODE + (CROWD_PAGES + 1) * PAGE) != MAP_FAILED)
			mremap(CROWD_CODE + (CROWD_PAGES + 1) * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, code);
		break;
	}
	crowd_is_gone[page] = false;
}

/* What the process does to itself. */
static void crowd_mischief(void)
{
	pthread_t thread;

	switch (chance(8)) {
	case 0:
		crowd_child();
		break;
	case 1:
		if (!pthread_create(&thread, NULL, crowd_passer_by, NULL))
			pthread_detach(thread);
		break;
	case 2: case 3: case 4:
		madvise(CROWD_SLOW + chance(CROWD_MAX) * PAGE, PAGE, MADV_DONTNEED);
		break;
	default:
		crowd_disturb(chance(CROWD_PAGES));
	}
	usleep(chance(20000));
}

static u64 crowd(void *data)
{
	const struct crowd_arg *arg = data;
	pthread_t threads[CROWD_MAX];
	pthread_attr_t attr;
	u32 i;

	crowd_seed = arg->seed;
	setpriority(PRIO_PROCESS, 0, 0);
	crowd_code = open(CROWD_FILE, O_RDONLY);
	catch_with(SIGSEGV, crowd_on_segv, SA_RESTART);
	catch_with(SIGUSR1, crowd_on_signal, SA_RESTART);
	for (i = 0; i < CROWD_PAGES; i++)
		must(crowd_map_code(i) != MAP_FAILED, "map code");
	crowd_slow_memory();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (i = 0; i < arg->thread_cnt; i++)
		must(!pthread_create(&threads[i], &attr, crowd_thread, (void *)(long)i), "thread");
	while (!worker_shared[SHARED_STOP])
		crowd_mischief();
	for (i = 0; i < arg->thread_cnt; i++)
		pthread_join(threads[i], NULL);
	return 7;
}

#endif
