// SPDX-License-Identifier: GPL-2.0
/*
 * small_state: cases in which calls are interrupted and begun again, and in which what the process is, may do or runs
 * changes under a hot loop.  See small.h.
 */
#include "small.h"

#include <dlfcn.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/rseq.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/rseq.h>
#include <sys/user.h>

/* --- calls that wait, and are interrupted --- */

static int wait_pipe[2], wait_epoll;
static uint32_t *wait_word;

static long wait_poll(void)
{
	struct pollfd polled = { .fd = wait_pipe[0], .events = POLLIN };

	return poll(&polled, 1, 5);
}

static long wait_ppoll(void)
{
	struct pollfd polled = { .fd = wait_pipe[0], .events = POLLIN };

	return ppoll(&polled, 1, &(struct timespec){ 0, 5000000 }, NULL);
}

static long wait_sleep(void)
{
	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 5000000 }, NULL);
}

static long wait_epolled(void)
{
	struct epoll_event event;

	return epoll_wait(wait_epoll, &event, 1, 5);
}

static long wait_futex(void)
{
	return syscall(SYS_futex, wait_word, FUTEX_WAIT, 0, &(struct timespec){ 0, 5000000 }, NULL, 0);
}

/* Held by a child, until then; interrupted it begins again whatever the handler. */
static long wait_lock_pi(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 5000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	return syscall(SYS_futex, wait_word + 1, FUTEX_LOCK_PI, 0, &until, NULL, 0);
}

static void prepare_waits(void)
{
	pipe(wait_pipe);
	wait_epoll = epoll_create1(0);
	epoll_ctl(wait_epoll, EPOLL_CTL_ADD, wait_pipe[0], &(struct epoll_event){ .events = EPOLLIN });
	wait_word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* In a child until it is killed: holds the lock, and sends @first, and then @second, again and again. */
static pid_t disturb(int first, int second)
{
	pid_t child = fork();

	if (child)
		return child;
	syscall(SYS_futex, wait_word + 1, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	for (;;) {
		usleep(9000);
		kill(getppid(), first);
		usleep(3000);
		if (second)
			kill(getppid(), second);
	}
}

/* Which answers there were; how many of each depends on time. */
static void run_waits(long (*wait_once)(void), int flags, int first, int second)
{
	long end, ret;
	int done = 0, interrupted = 0, other = 0;
	pid_t child;

	prepare_waits();
	if (flags >= 0)
		catch_info(SIGUSR1, note, flags);
	spin();
	child = disturb(first, second);
	usleep(20000);
	end = now_ms() + 500;
	while (now_ms() < end) {
		hot(20);
		ret = wait_once();
		if (ret == 0 || (ret < 0 && errno == ETIMEDOUT))
			done = 1;
		else if (ret < 0 && errno == EINTR)
			interrupted = 1;
		else
			other = errno;
	}
	kill(child, SIGKILL);
	say("done", done);
	say("interrupted", interrupted);
	say("other", other);
	say("seen", seen > 0);
}

#define WAITS(name)									\
	static void run_##name##_handled(void) { run_waits(wait_##name, 0, SIGUSR1, 0); }	\
	static void run_##name##_restarted(void) { run_waits(wait_##name, SA_RESTART, SIGUSR1, 0); }	\
	static void run_##name##_stopped(void) { run_waits(wait_##name, -1, SIGSTOP, SIGCONT); }

WAITS(poll)
WAITS(ppoll)
WAITS(sleep)
WAITS(epolled)
WAITS(futex)
WAITS(lock_pi)

/* --- filters --- */

static int add_filter(struct sock_filter *code, unsigned short len, unsigned int flags)
{
	struct sock_fprog prog = { len, code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static int filter_one(long nr, unsigned int action, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return add_filter(code, 4, flags);
}

static volatile int listener = -1;

/* Answers some calls itself and lets the others go on. */
static void *answer(void *arg)
{
	struct seccomp_notif got;
	struct seccomp_notif_resp give;
	int i;

	while (listener < 0)
		usleep(1000);
	for (i = 0; ; i++) {
		memset(&got, 0, sizeof(got));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &got))
			return arg;
		give = (struct seccomp_notif_resp){ .id = got.id };
		if (i < 3)
			give.val = 4000 + got.data.nr;
		else if (i < 5)
			give.error = -EDOM;
		else
			give.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &give);
	}
}

static void run_filter_notify(void)
{
	pthread_t thread;
	long got;
	int i;

	pthread_create(&thread, NULL, answer, NULL);
	spin();
	listener = filter_one(SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	for (i = 0; i < 5; i++) {
		got = syscall(SYS_getppid);
		say("told", got < 0 ? -errno : got);
	}
	say("the same", hot(50));
}

static void run_filter_trace(void)
{
	struct user_regs_struct regs;
	int status, events = 0;
	pid_t child = fork();

	if (!child) {
		raise(SIGSTOP);
		spin();
		filter_one(SYS_getppid, SECCOMP_RET_TRACE | 77, 0);
		_exit(syscall(SYS_getppid) == 4242 && hot(20));
	}
	waitpid(child, &status, WUNTRACED);
	ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESECCOMP);
	kill(child, SIGCONT);
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
			unsigned long data = 0;

			ptrace(PTRACE_GETEVENTMSG, child, 0, &data);
			events += data == 77;
			ptrace(PTRACE_GETREGS, child, 0, &regs);
			regs.orig_rax = -1;		/* not made, */
			regs.rax = 4242;		/* and answered */
			ptrace(PTRACE_SETREGS, child, 0, &regs);
		}
		ptrace(PTRACE_CONT, child, 0, 0);
	}
	say("events", events);
	say("status", WEXITSTATUS(status));
}

/* As container engines and systemd do it: no new privileges, few capabilities, and a long list of what is allowed. */
static void run_sandbox(void)
{
	enum { ALLOWED = 330, LEN = 2 + ALLOWED + 2 };
	static struct sock_filter code[LEN];
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	int i, at = 0;

	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (i = 0; i < ALLOWED; i++)
		if (i != SYS_swapon && i != SYS_reboot)
			code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, i, 0, 0);
	code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_swapon, 1, 0);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	say("filter", add_filter(code, at, 0));
	syscall(SYS_capset, &header, data);
	spin();
	say("swapon", syscall(SYS_swapon, "x", 0) < 0 ? errno : 0);
	say("hostname", sethostname("x", 1) < 0 ? errno : 0);
}

/* --- rights and places --- */

static void run_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	spin();
	syscall(SYS_capget, &header, data);
	data[0].effective &= ~(1u << CAP_SYS_ADMIN);
	say("capset", syscall(SYS_capset, &header, data));
	say("same", hot(3000));
	say("hostname", sethostname("x", 1) < 0 ? errno : 0);
	data[0].effective |= 1u << CAP_SYS_ADMIN;
	say("capset", syscall(SYS_capset, &header, data));
	say("same", hot(3000));
}

static void run_pid_namespace(void)
{
	spin();
	say("unshare", unshare(CLONE_NEWPID));
	say("same", hot(3000));
	if (!fork()) {
		say("pid", getpid());
		say("parent", getppid());
		_exit(0);
	}
	wait(NULL);
}

static void run_chroot(void)
{
	spin();
	say("chroot", chroot("/proc/self/fd"));
	say("outside", access("/etc/passwd", F_OK) < 0 ? errno : 0);
	say("same", hot(3000));
}

/* --- what the process's files in /proc say --- */

static void show_lines(const char *path, const char *const *wanted)
{
	char line[512];
	FILE *file = fopen(path, "r");
	int i;

	while (file && fgets(line, sizeof(line), file))
		for (i = 0; wanted[i]; i++)
			if (!strncmp(line, wanted[i], strlen(wanted[i])))
				fputs(line, stdout);
	if (file)
		fclose(file);
}

static void run_status(void)
{
	static const char *const wanted[] = {
		"Name", "State", "Uid", "Gid", "Groups", "Threads", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapEff",
		"CapBnd", "NoNewPrivs", "Seccomp", "Cpus_allowed_list", NULL
	};

	spin();
	show_lines("/proc/self/status", wanted);
}

/* Without the addresses, which are others each time. */
static void run_maps(void)
{
	char line[512], perms[8], path[256];
	FILE *file;

	spin();
	file = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof(line), file)) {
		path[0] = 0;
		if (sscanf(line, "%*s %7s %*s %*s %*s %255s", perms, path) >= 1)
			printf("%s %s\n", perms, path);
	}
	fclose(file);
}

/* User and system time together are the process's time, whichever they are. */
static void run_times(void)
{
	struct timespec before, after;
	struct rusage usage[2];
	long ours, clock;

	getrusage(RUSAGE_SELF, &usage[0]);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	spin();
	getrusage(RUSAGE_SELF, &usage[1]);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	ours = (usage[1].ru_utime.tv_sec + usage[1].ru_stime.tv_sec - usage[0].ru_utime.tv_sec - usage[0].ru_stime.tv_sec) *
	       1000 + (usage[1].ru_utime.tv_usec + usage[1].ru_stime.tv_usec - usage[0].ru_utime.tv_usec -
		       usage[0].ru_stime.tv_usec) / 1000;
	clock = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	say("agree", labs(ours - clock) <= 20);
	say("some", clock * 10 >= (long)small_ms);
}

/* --- code that changes --- */

/* mov eax, 110; syscall; (10 times;) add result: a loop in code of its own; its answer is @salt if calls agree. */
static int code_file(unsigned char salt)
{
	unsigned char bytes[4096] = {
		0x53,					/* push rbx */
		0xbb, 0x10, 0x27, 0x00, 0x00,		/* mov ebx, 10000 */
		0xb8, 0x6e, 0x00, 0x00, 0x00,		/* mov eax, 110 */
		0x0f, 0x05,				/* syscall */
		0xff, 0xcb,				/* dec ebx */
		0x75, 0xf5,				/* jne mov */
		0xb8, salt, 0x00, 0x00, 0x00,		/* mov eax, salt */
		0x5b, 0xc3,				/* pop rbx; ret */
	};
	char name[] = "/tmp/small.XXXXXX";
	int file = mkstemp(name), again;

	write(file, bytes, sizeof(bytes));
	close(file);
	again = open(name, O_RDONLY);
	unlink(name);
	return again;
}

static int until_late(int (*code)(void))
{
	long end = now_ms() + small_ms;
	int got;

	do
		got = code();
	while (now_ms() < end);
	return got;
}

static void run_remapped(void)
{
	int (*code)(void) = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, code_file(1), 0);
	void *elsewhere;

	say("first", until_late(code));
	mmap((void *)code, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, code_file(2), 0);
	say("second", until_late(code));
	elsewhere = mremap((void *)code, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, (char *)code + (64l << 20));
	say("moved", until_late(elsewhere));
	catch_info(SIGSEGV, note_and_leave, SA_NODEFER);
	if (!sigsetjmp(back, 1))
		code();
	say("gone", code != elsewhere && seen_at == (void *)code);
}

static void run_rewritten(void)
{
	unsigned char *bytes = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, code_file(1), 0);

	say("first", until_late((void *)bytes));
	mprotect(bytes, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	bytes[18] = 2;
	say("second", until_late((void *)bytes));
	mprotect(bytes, 4096, PROT_READ | PROT_EXEC);
	say("the same", until_late((void *)bytes));
	mprotect(bytes, 4096, PROT_READ);
	catch_info(SIGSEGV, note_and_leave, SA_NODEFER);
	if (!sigsetjmp(back, 1))
		((int (*)(void))bytes)();
	say("code", code);
}

/* A compiler in the process: new code at the same place, again and again. */
static void run_compiled(void)
{
	unsigned char *bytes = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int file = code_file(0), wrong = 0;
	long end = now_ms() + small_ms;
	unsigned char salt = 0;

	spin();
	pread(file, bytes, 4096, 0);
	do {
		bytes[18] = ++salt;
		wrong += ((int (*)(void))bytes)() != salt;
	} while (now_ms() < end || salt < 20);
	say("wrong", wrong);
}

static void run_library(void)
{
	unsigned long (*sum)(unsigned long, const unsigned char *, unsigned int);
	unsigned long first = 0, got = 0;
	long end = now_ms() + small_ms;
	int i, wrong = 0;
	void *library;

	do {
		library = dlopen("libz.so.1", RTLD_NOW);
		sum = library ? (unsigned long (*)(unsigned long, const unsigned char *, unsigned int))dlsym(library, "adler32") : NULL;
		if (!sum)
			break;
		for (i = 0, got = 1; i < 20000; i++) {
			syscall(SYS_getppid);
			got = sum(got, (const unsigned char *)"words", 5);
		}
		first = first ? first : got;
		wrong += got != first;
		dlclose(library);
	} while (now_ms() < end);
	say("sum", got);
	say("wrong", wrong);
}

/* --- threads and relatives --- */

static char clone_stack[65536] __attribute__((aligned(16)));
static volatile int clone_word;

static int clone_main(void *arg)
{
	(void)arg;
	clone_word = hot(200000) ? 7 : 1;
	return 5;
}

/* Neither a thread nor a child of its own memory. */
static void run_clone(void)
{
	int status = 0;
	pid_t child;

	spin();
	child = clone(clone_main, clone_stack + sizeof(clone_stack), CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
	hot(100000);
	waitpid(child, &status, 0);
	say("word", clone_word);
	say("status", WEXITSTATUS(status));
}

static void *hot_for_ever(void *arg)
{
	for (;;)
		hot(1000);
	return arg;
}

static void *exec_from_here(void *arg)
{
	execl("/proc/self/exe", "small", "plain", "300", NULL);
	return arg;
}

static void run_exec_from_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, hot_for_ever, NULL);
	spin();
	pthread_create(&thread, NULL, exec_from_here, NULL);
	for (;;)
		hot(1000);
}

static void run_exit_among_threads(void)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 4; i++)
		pthread_create(&thread, NULL, hot_for_ever, NULL);
	spin();
	exit(9);
}

/* --- restartable sequences --- */

/*
 * Counts in a restartable sequence; a thread that is preempted or moved in it begins again at the abort handler, and
 * nothing is counted twice or lost.
 */
static long __attribute__((noinline)) count_once(struct rseq *area, long *counter)
{
	long aborted = 0;

	asm volatile(".pushsection __rseq_cs, \"aw\"\n"
		     ".balign 32\n"
		     "77:	.long 0, 0\n"
		     "	.quad 1f, 2f - 1f, 4f\n"
		     ".popsection\n"
		     "	lea 77b(%%rip), %%rax\n"
		     "	mov %%rax, %[cs]\n"
		     "1:	mov %[counter], %%rax\n"
		     "	inc %%rax\n"
		     "	mov %%rax, %[counter]\n"
		     "2:	jmp 5f\n"
		     "	.byte 0x0f, 0xb9, 0x3d\n"
		     "	.long 0x53053053\n"		/* glibc's signature */
		     "4:	movl $1, %k[aborted]\n"
		     "5:\n"
		     : [cs] "=m"(area->rseq_cs), [counter] "+m"(*counter), [aborted] "+r"(aborted) : : "rax", "cc", "memory");
	return !aborted;
}

static void *count_for_long(void *arg)
{
	struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	long counter = 0, done = 0, end = now_ms() + small_ms;
	int i;

	if (!__rseq_size)
		return NULL;
	do
		for (i = 0; i < 2000; i++) {
			syscall(SYS_getppid);
			done += count_once(area, &counter);
			sched_getcpu();
		}
	while (now_ms() < end);
	*(bool *)arg = counter == done;
	return NULL;
}

static void run_restartable(void)
{
	pthread_t threads[4];
	bool is_right[4] = { 0 };
	int i, right = 0;

	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, count_for_long, &is_right[i]);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		right += is_right[i];
	}
	say("right", right);
}

/* --- io_uring --- */

struct ring {
	int fd;
	uint32_t *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static int ring_open(struct ring *ring)
{
	struct io_uring_params params = { 0 };
	char *sq, *cq;

	ring->fd = syscall(SYS_io_uring_setup, 8, &params);
	if (ring->fd < 0)
		return -errno;
	sq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	ring->sq_tail = (uint32_t *)(sq + params.sq_off.tail);
	ring->sq_mask = (uint32_t *)(sq + params.sq_off.ring_mask);
	ring->sq_array = (uint32_t *)(sq + params.sq_off.array);
	ring->cq_head = (uint32_t *)(cq + params.cq_off.head);
	ring->cq_tail = (uint32_t *)(cq + params.cq_off.tail);
	ring->cq_mask = (uint32_t *)(cq + params.cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
	return 0;
}

static void ring_put(struct ring *ring, struct io_uring_sqe sqe)
{
	uint32_t tail = *ring->sq_tail, idx = tail & *ring->sq_mask;

	ring->sqes[idx] = sqe;
	ring->sq_array[idx] = idx;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0);
}

/* A completion that comes as task work, while the thread is in its hot loop. */
static long ring_take(struct ring *ring)
{
	long end = now_ms() + 10000, ret;

	while (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == *ring->cq_head)
		if (!hot(100) || now_ms() > end)
			return -1;
	ret = ring->cqes[*ring->cq_head & *ring->cq_mask].res;
	__atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
	return ret;
}

static void run_uring(void)
{
	struct ring ring = { 0 };
	int pipes[2], i, err = ring_open(&ring), wrong = 0;
	char byte = 0;

	say("setup", err);
	if (err)
		return;
	pipe(pipes);
	spin();
	for (i = 0; i < 50; i++) {
		ring_put(&ring, (struct io_uring_sqe){ .opcode = IORING_OP_POLL_ADD, .fd = pipes[0], .poll_events = POLLIN });
		hot(200);
		write(pipes[1], "x", 1);
		wrong += ring_take(&ring) != POLLIN;
		ring_put(&ring, (struct io_uring_sqe){ .opcode = IORING_OP_READ, .fd = pipes[0], .addr = (long)&byte, .len = 1 });
		wrong += ring_take(&ring) != 1 || byte != 'x';
	}
	say("wrong", wrong);
}

/* --- the stack's end --- */

static int __attribute__((noinline)) deeper(volatile char *above, long levels)
{
	volatile char room[2048];

	room[0] = syscall(SYS_getppid) == 0;
	return (levels ? deeper(room, levels - 1) : 0) + room[0] + above[0];
}

static void run_stack_end(void)
{
	static char alternate[65536];
	volatile char first = 0;

	sigaltstack(&(stack_t){ .ss_sp = alternate, .ss_size = sizeof(alternate) }, NULL);
	catch_info(SIGSEGV, note_and_leave, SA_ONSTACK | SA_NODEFER);
	setrlimit(RLIMIT_STACK, &(struct rlimit){ 1 << 20, 1 << 20 });
	spin();
	if (!sigsetjmp(back, 1))
		deeper(&first, 1 << 20);
	say("code", code);
	say("below", (char *)seen_at < (char *)&first);
}

const struct small_case small_state_cases[] = {
	{ "poll-handled", run_poll_handled }, { "poll-restarted", run_poll_restarted }, { "poll-stopped", run_poll_stopped },
	{ "ppoll-handled", run_ppoll_handled }, { "ppoll-restarted", run_ppoll_restarted },
	{ "ppoll-stopped", run_ppoll_stopped }, { "sleep-handled", run_sleep_handled },
	{ "sleep-restarted", run_sleep_restarted }, { "sleep-stopped", run_sleep_stopped },
	{ "epoll-handled", run_epolled_handled }, { "epoll-restarted", run_epolled_restarted },
	{ "epoll-stopped", run_epolled_stopped }, { "futex-handled", run_futex_handled },
	{ "futex-restarted", run_futex_restarted }, { "futex-stopped", run_futex_stopped },
	{ "lock-pi-handled", run_lock_pi_handled }, { "lock-pi-restarted", run_lock_pi_restarted },
	{ "lock-pi-stopped", run_lock_pi_stopped }, { "filter-notify", run_filter_notify },
	{ "filter-trace", run_filter_trace }, { "sandbox", run_sandbox }, { "capabilities", run_capabilities },
	{ "pid-namespace", run_pid_namespace }, { "chroot", run_chroot }, { "status", run_status }, { "maps", run_maps },
	{ "times", run_times }, { "remapped", run_remapped }, { "rewritten", run_rewritten }, { "compiled", run_compiled },
	{ "library", run_library }, { "clone", run_clone }, { "exec-from-thread", run_exec_from_thread },
	{ "exit-among-threads", run_exit_among_threads }, { "restartable", run_restartable }, { "uring", run_uring },
	{ "stack-end", run_stack_end }, { 0 }
};
