// SPDX-License-Identifier: GPL-2.0
/*
 * small: small programs, each with a hot loop of system calls in which something happens (tests/guest/transparency.sh).
 *
 * usage: small CASE MS	runs one; the loop goes on for MS
 *        small --list	their names
 */
#include "small.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>

unsigned int small_ms = 100;
volatile sig_atomic_t seen, code;
void *volatile seen_at;
sigjmp_buf back;

static __attribute__((noinline)) long call(long nr)
{
	long ret;

	asm volatile("syscall" : "=a"(ret) : "0"(nr) : "rcx", "r11", "memory");
	return ret;
}

bool hot(unsigned int cnt)
{
	long first = call(SYS_getppid);
	bool is_same = true;

	while (cnt--)
		is_same &= call(SYS_getppid) == first;
	return is_same;
}

long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void spin(void)
{
	long end = now_ms() + small_ms;

	while (now_ms() < end)
		if (!hot(3000))
			say("wrong result", 0);
}

void note(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	seen++;
	code = info->si_code;
	seen_at = info->si_addr;
}

void note_and_leave(int signal, siginfo_t *info, void *context)
{
	note(signal, info, context);
	siglongjmp(back, 1);
}

static void wait_seen(int cnt)
{
	while (seen < cnt)
		hot(100);
}

/* --- nothing happens, the end --- */

static void run_plain(void)
{
	spin();
	say("done", 0);
}

static void run_exit(void)
{
	spin();
	_exit(7);
}

static void run_term(void)
{
	spin();
	raise(SIGTERM);
}

static void run_killed(void)
{
	later(SIGKILL, small_ms * 1000);
	for (;;)
		hot(1000);
}

static void run_abort(void)
{
	spin();
	abort();
}

/* --- signals --- */

static int values[32];

static void take_value(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	values[seen & 31] = info->si_value.sival_int * 100 + info->si_code;
	seen++;
}

static void run_queue(void)
{
	pid_t parent = getpid();
	int i;

	catch_info(SIGRTMIN, take_value, 0);
	if (!fork()) {
		for (i = 1; i <= 20; i++) {
			usleep(small_ms * 1000 / 20);
			sigqueue(parent, SIGRTMIN, (union sigval){ .sival_int = i });
		}
		_exit(0);
	}
	wait_seen(20);
	for (i = 0; i < 20; i++)
		say("value", values[i]);
}

static void run_kill(void)
{
	catch_info(SIGUSR1, note, 0);
	later(SIGUSR1, small_ms * 1000);
	wait_seen(1);
	say("code", code);
}

static void run_interval(int which, int signal, int cnt)
{
	struct itimerval timer = { { 0, 10000 }, { 0, 10000 } };

	catch_info(signal, note, SA_RESTART);
	spin();
	setitimer(which, &timer, NULL);
	wait_seen(cnt);
	say("code", code);
}

static void run_itimer(void)
{
	run_interval(ITIMER_REAL, SIGALRM, 10);
}

static void run_proftimer(void)
{
	run_interval(ITIMER_PROF, SIGPROF, 5);
}

static void run_posix_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 5 };
	struct itimerspec spec = { .it_value.tv_nsec = 50000000 };
	timer_t timer;

	catch_info(SIGUSR2, note, 0);
	spin();
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &spec, NULL);
	wait_seen(1);
	say("code", code);
}

static void run_mask(void)
{
	sigset_t set, pending;

	catch_info(SIGUSR1, note, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	spin();
	sigpending(&pending);
	say("pending", sigismember(&pending, SIGUSR1));
	say("seen", seen);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say("seen", seen);
}

static char alternate[65536];

static void on_stack(int signal, siginfo_t *info, void *context)
{
	char here;

	note(signal, info, context);
	code = &here >= alternate && &here < alternate + sizeof(alternate);
}

static void run_altstack(void)
{
	sigaltstack(&(stack_t){ .ss_sp = alternate, .ss_size = sizeof(alternate) }, NULL);
	catch_info(SIGUSR1, on_stack, SA_ONSTACK);
	later(SIGUSR1, small_ms * 1000);
	wait_seen(1);
	say("on it", code);
}

static void run_segv(void)
{
	catch_info(SIGSEGV, note_and_leave, SA_NODEFER);
	spin();
	if (!sigsetjmp(back, 1))
		*(volatile int *)nowhere(0x18) = 1;
	say("code", code);
	say("at", (long)seen_at);
}

static void run_wild(void)
{
	catch_info(SIGSEGV, note_and_leave, SA_NODEFER);
	spin();
	if (!sigsetjmp(back, 1))
		*(volatile int *)nowhere(0xffff800000000000ul) = 1;
	say("code", code);
	say("at", (long)seen_at);
}

static void run_divide(void)
{
	volatile int zero = 0;

	catch_info(SIGFPE, note_and_leave, SA_NODEFER);
	spin();
	if (!sigsetjmp(back, 1))
		zero = 1 / zero;
	say("code", code);
}

static void run_stopped(void)
{
	pid_t parent = getpid();

	if (!fork()) {
		usleep(small_ms * 500);
		kill(parent, SIGSTOP);
		usleep(100000);
		kill(parent, SIGCONT);
		_exit(0);
	}
	spin();
	say("goes on", wait(NULL) > 0);
}

static void run_restart(int flags)
{
	int pipes[2], got;
	char byte = 0;

	pipe(pipes);
	catch_info(SIGUSR1, note, flags);
	spin();
	if (!fork()) {
		usleep(50000);
		kill(getppid(), SIGUSR1);
		usleep(50000);
		write(pipes[1], "x", 1);
		_exit(0);
	}
	got = read(pipes[0], &byte, 1);
	say("read", got < 0 ? -errno : byte);
	say("seen", seen);
}

static void run_restarts(void)
{
	run_restart(SA_RESTART);
}

static void run_interrupted(void)
{
	run_restart(0);
}

static void run_sleep(void)
{
	struct timespec wanted = { 0, 200000000 }, left = { 0 };

	catch_info(SIGUSR1, note, 0);
	spin();
	later(SIGUSR1, 50000);
	say("nanosleep", nanosleep(&wanted, &left) ? -errno : 0);
	say("left", left.tv_nsec > 0);
}

/* --- processes and threads --- */

static void run_forks(void)
{
	int i, status, sum = 0;

	for (i = 0; i < 3; i++) {
		hot(1000);
		if (!fork()) {
			spin();
			_exit(i);
		}
		wait(&status);
		sum += WEXITSTATUS(status);
	}
	say("sum", sum);
}

static void run_vfork(void)
{
	int status = 0;

	spin();
	if (!vfork())
		_exit(3);
	wait(&status);
	say("status", WEXITSTATUS(status));
	say("still", hot(1000));
}

static void run_spawn(void)
{
	char *const argv[] = { "true", NULL };
	int status = -1;
	pid_t pid;

	spin();
	say("spawn", posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL));
	waitpid(pid, &status, 0);
	say("status", status);
}

static void run_exec(void)
{
	spin();
	say("fails", execl("/nonexistent", "x", NULL) ? -errno : 0);
	execl("/proc/self/exe", "small", "plain", "300", NULL);
}

static void *thread_main(void *arg)
{
	spin();
	return (void *)(long)(hot(1000) + (long)arg);
}

static void run_threads(void)
{
	pthread_t threads[4];
	long sum = 0, i;
	void *got;

	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, thread_main, (void *)i);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &got);
		sum += (long)got;
	}
	say("sum", sum);
}

static void *thread_short(void *arg)
{
	return (void *)(long)(hot(500) + (long)arg);
}

static void run_many_threads(void)
{
	pthread_t thread;
	long sum = 0, i;
	void *got;

	spin();
	for (i = 0; i < 60; i++) {
		pthread_create(&thread, NULL, thread_short, (void *)i);
		hot(500);
		pthread_join(thread, &got);
		sum += (long)got;
	}
	say("sum", sum);
}

static void run_robust(void)
{
	static pthread_mutex_t *mutex;
	pthread_mutexattr_t attr;

	mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &attr);
	if (!fork()) {
		pthread_mutex_lock(mutex);
		spin();
		kill(getpid(), SIGKILL);
	}
	wait(NULL);
	say("lock", pthread_mutex_lock(mutex));
}

static void run_setuid(void)
{
	spin();
	say("setgid", setresgid(65534, 65534, 65534));
	say("setuid", setresuid(65534, 65534, 65534));
	say("same", hot(1000));
	say("shadow", open("/etc/shadow", O_RDONLY) < 0 ? -errno : 0);
	say("uid", call(SYS_getuid));
}

static void run_unshare(void)
{
	spin();
	say("unshare", unshare(CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWNET));
	say("name", sethostname("elsewhere", 9));
	say("same", hot(1000));
}

/* --- limits --- */

static void run_cpu_limit(void)
{
	struct rlimit limit = { 1, 3 };

	catch_info(SIGXCPU, note, 0);
	setrlimit(RLIMIT_CPU, &limit);
	wait_seen(1);
	say("seen", seen > 0);
}

static void run_file_limit(void)
{
	struct rlimit limit = { 100, 100 };
	int file = memfd_create("small", 0);
	char bytes[64] = { 0 };

	catch_info(SIGXFSZ, note, 0);
	setrlimit(RLIMIT_FSIZE, &limit);
	spin();
	say("write", write(file, bytes, 64));
	say("write", write(file, bytes, 64));
	say("write", write(file, bytes, 64) < 0 ? -errno : 0);
	say("seen", seen);
}

/* --- seccomp --- */

static void filter(unsigned int action, int nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(*code), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		say("no filter", errno);
}

static void run_filter_allow(void)
{
	filter(SECCOMP_RET_ERRNO | 5, SYS_sync);
	spin();
	say("sync", call(SYS_sync));
}

static void run_filter_errno(void)
{
	spin();
	filter(SECCOMP_RET_ERRNO | 42, SYS_getppid);
	say("call", call(SYS_getppid));
	say("all the same", hot(2000));
}

static void run_filter_trap(void)
{
	catch_info(SIGSYS, note, 0);
	spin();
	filter(SECCOMP_RET_TRAP | 9, SYS_getppid);
	call(SYS_getppid);
	say("seen", seen);
	say("code", code);
}

static void run_filter_kill(void)
{
	spin();
	filter(SECCOMP_RET_KILL_PROCESS, SYS_getppid);
	hot(10);
	say("alive", 1);
}

/* --- a tracer --- */

static void run_traced(void)
{
	struct user_regs_struct regs;
	long numbers = 0;
	int status, i;
	pid_t child = fork();

	if (!child) {
		for (;;)
			hot(1000);
	}
	spin();
	say("attach", ptrace(PTRACE_ATTACH, child, 0, 0));
	waitpid(child, &status, 0);
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
	for (i = 0; i < 20; i++) {
		ptrace(PTRACE_SYSCALL, child, 0, 0);
		waitpid(child, &status, 0);
		ptrace(PTRACE_GETREGS, child, 0, &regs);
		numbers += WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80) && regs.orig_rax == SYS_getppid;
	}
	say("calls", numbers);
	for (i = 0; i < 200 && !ptrace(PTRACE_SINGLESTEP, child, 0, 0); i++)
		waitpid(child, &status, 0);
	say("steps", i);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	say("killed", WTERMSIG(status));
}

static void run_emulated(void)
{
	struct user_regs_struct regs;
	int status, pipes[2];
	long got = 0;
	pid_t child;

	pipe(pipes);
	child = fork();
	if (!child) {
		while ((got = call(SYS_getppid)) != 4242)
			;
		write(pipes[1], &got, sizeof(got));
		_exit(0);
	}
	spin();
	ptrace(PTRACE_ATTACH, child, 0, 0);
	waitpid(child, &status, 0);
	ptrace(PTRACE_SYSEMU, child, 0, 0);
	waitpid(child, &status, 0);
	ptrace(PTRACE_GETREGS, child, 0, &regs);
	say("call", regs.orig_rax);
	regs.rax = 4242;
	ptrace(PTRACE_SETREGS, child, 0, &regs);
	ptrace(PTRACE_DETACH, child, 0, 0);
	read(pipes[0], &got, sizeof(got));
	say("told", got);
	wait(NULL);
}

const struct small_case small_cases[] = {
	{ "plain", run_plain }, { "exit", run_exit }, { "term", run_term }, { "killed", run_killed }, { "abort", run_abort },
	{ "queue", run_queue }, { "kill", run_kill }, { "itimer", run_itimer }, { "proftimer", run_proftimer },
	{ "posix-timer", run_posix_timer }, { "mask", run_mask }, { "altstack", run_altstack }, { "segv", run_segv },
	{ "wild", run_wild }, { "divide", run_divide }, { "stopped", run_stopped }, { "restarts", run_restarts },
	{ "interrupted", run_interrupted }, { "sleep", run_sleep }, { "forks", run_forks }, { "vfork", run_vfork },
	{ "spawn", run_spawn }, { "exec", run_exec }, { "threads", run_threads }, { "many-threads", run_many_threads },
	{ "robust", run_robust }, { "setuid", run_setuid }, { "unshare", run_unshare }, { "cpu-limit", run_cpu_limit },
	{ "file-limit", run_file_limit }, { "filter-allow", run_filter_allow }, { "filter-errno", run_filter_errno },
	{ "filter-trap", run_filter_trap }, { "filter-kill", run_filter_kill }, { "traced", run_traced },
	{ "emulated", run_emulated }, { 0 }
};

int main(int argc, char **argv)
{
	const struct small_case *tables[] = { small_cases, small_io_cases, small_state_cases }, *one;
	int i;

	for (i = 0; i < 3; i++)
		for (one = tables[i]; one->name; one++) {
			if (argc == 2 && !strcmp(argv[1], "--list")) {
				puts(one->name);
			} else if (argc == 3 && !strcmp(argv[1], one->name)) {
				small_ms = atoi(argv[2]);
				one->run();
				return 0;
			}
		}
	if (argc == 2 && !strcmp(argv[1], "--list"))
		return 0;
	fprintf(stderr, "usage: small CASE MS | --list\n");
	return 2;
}
