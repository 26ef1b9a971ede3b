// SPDX-License-Identifier: GPL-2.0
/*
 * intrude: a process that is bypassed meets debuggers, tracers, seccomp and changes of its code.
 *
 * usage: intrude [TEST]...	as root, with the module loaded
 */
#include "guest.h"
#include "worker.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <ucontext.h>

#define TRACING	"/sys/kernel/tracing/"

static int fd;

/* --- ptrace --- */

static void seize(const struct worker *worker)
{
	int status;

	must(!ptrace(PTRACE_SEIZE, worker->pid, 0, PTRACE_O_TRACESYSGOOD), "seize");
	must(!ptrace(PTRACE_INTERRUPT, worker->pid, 0, 0), "interrupt");
	waitpid(worker->pid, &status, 0);
}

/* Resumes with @request until the next stop; its registers. */
static struct user_regs_struct resume(const struct worker *worker, int request, int *status)
{
	struct user_regs_struct regs = {};

	ptrace(request, worker->pid, 0, 0);
	waitpid(worker->pid, status, 0);
	ptrace(PTRACE_GETREGS, worker->pid, 0, &regs);
	return regs;
}

static void test_strace(void)
{
	struct worker worker = steady_start(fd, true);
	struct user_regs_struct regs;
	bool is_entry = false, is_known = false;
	u32 i, bad = 0, round;
	int status;

	for (round = 0; round < 3; round++) {
		check(calls_in(fd, worker.session, 50) > 0, "strace-bypassed-before", "no calls");
		seize(&worker);
		for (i = 0; i < 60; i++) {
			regs = resume(&worker, PTRACE_SYSCALL, &status);
			bad += !WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80);
			bad += regs.orig_rax != SYS_getppid || regs.rip != (u64)steady_loop_back;
			if (is_known)
				bad += (regs.rax == -38ull) != is_entry;
			else
				is_entry = regs.rax == -38ull;
			bad += regs.rax != -38ull && regs.rax != (u64)getpid();
			is_known = true;
			is_entry = !is_entry;
		}
		ptrace(PTRACE_DETACH, worker.pid, 0, 0);
		is_known = false;
	}
	check(!bad, "strace-each-call-twice", "%u bad stops", bad);
	check(calls_in(fd, worker.session, 50) > 0, "strace-bypassed-after", "no calls");
	check(steady_end(fd, &worker), "strace-results", "status 0x%x", worker.status);
}

static void test_step(void)
{
	const char *const order[] = { steady_loop_loop, steady_loop_call, steady_loop_back, steady_loop_dec,
				      steady_loop_jne, steady_loop_loop };
	struct worker worker = steady_start(fd, true);
	struct user_regs_struct regs;
	u64 last = 0;
	u32 i, k, bad = 0, seen = 0;
	int status;

	is_moving(&worker);
	seize(&worker);
	for (i = 0; i < 300; i++) {
		regs = resume(&worker, PTRACE_SINGLESTEP, &status);
		for (k = 0; k < 5; k++)
			if (last == (u64)order[k]) {
				bad += regs.rip != (u64)order[k + 1] && !(k == 4 && regs.rip == (u64)steady_loop_end);
				seen |= 1u << k;
			}
		last = regs.rip;
	}
	ptrace(PTRACE_DETACH, worker.pid, 0, 0);
	check(!bad && seen == 31, "single-step", "%u steps skipped, seen 0x%x", bad, seen);
	check(calls_in(fd, worker.session, 50) > 0, "single-step-bypassed-after", "no calls");
	check(steady_end(fd, &worker), "single-step-results", "status 0x%x", worker.status);
}

static void test_breakpoint(void)
{
	struct worker worker = steady_start(fd, true);
	struct user_regs_struct regs;
	u64 word, at = (u64)steady_loop_dec;
	u32 i, bad = 0;
	int status;

	seize(&worker);
	word = ptrace(PTRACE_PEEKTEXT, worker.pid, at, 0);
	for (i = 0; i < 20; i++) {
		ptrace(PTRACE_POKETEXT, worker.pid, at, (word & ~0xffull) | 0xcc);
		regs = resume(&worker, PTRACE_CONT, &status);
		bad += WSTOPSIG(status) != SIGTRAP || regs.rip != at + 1;
		ptrace(PTRACE_POKETEXT, worker.pid, at, word);
		regs.rip = at;
		ptrace(PTRACE_SETREGS, worker.pid, 0, &regs);
		resume(&worker, PTRACE_SINGLESTEP, &status);
	}
	ptrace(PTRACE_DETACH, worker.pid, 0, 0);
	check(!bad, "breakpoint", "%u times not", bad);
	usleep(50000);
	/* The page is a private copy now, which may change unseen. */
	check(!calls_in(fd, worker.session, 50), "breakpoint-then-native", "calls");
	check(session_info(fd, worker.session).native_why == UB_NATIVE_SUSPECT, "breakpoint-why", "%u",
	      session_info(fd, worker.session).native_why);
	check(steady_end(fd, &worker), "breakpoint-results", "status 0x%x", worker.status);
}

/* A watchpoint needs no tracer any more once it is set by perf; here one sets it and goes on. */
static void test_watchpoint(void)
{
	struct worker worker = steady_start(fd, true);
	int status;

	seize(&worker);
	ptrace(PTRACE_POKEUSER, worker.pid, offsetof(struct user, u_debugreg[0]), worker.shared);
	ptrace(PTRACE_POKEUSER, worker.pid, offsetof(struct user, u_debugreg[7]), 1 | 1 << 16 | 3 << 18);
	ptrace(PTRACE_CONT, worker.pid, 0, 0);
	usleep(20000);
	check(!calls_in(fd, worker.session, 50), "watchpoint-native", "calls");
	ptrace(PTRACE_INTERRUPT, worker.pid, 0, 0);
	waitpid(worker.pid, &status, 0);
	ptrace(PTRACE_POKEUSER, worker.pid, offsetof(struct user, u_debugreg[7]), 0);
	ptrace(PTRACE_DETACH, worker.pid, 0, 0);
	usleep(20000);
	check(calls_in(fd, worker.session, 50) > 0, "watchpoint-bypassed-after", "no calls");
	check(steady_end(fd, &worker), "watchpoint-results", "status 0x%x", worker.status);
}

/* --- tracing --- */

static bool put_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_APPEND);
	bool is_ok = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	if (file >= 0)
		close(file);
	return is_ok;
}

static void test_tracepoint(void)
{
	struct worker worker = steady_start(fd, true);

	check(calls_in(fd, worker.session, 50) > 0, "tracepoint-bypassed", "no calls");
	must(put_file(TRACING "events/raw_syscalls/enable", "1"), "raw_syscalls");
	usleep(50000);
	check(!calls_in(fd, worker.session, 50), "tracepoint-native", "calls");
	check(is_moving(&worker), "tracepoint-goes-on", "does not");
	check(session_info(fd, worker.session).native_why == UB_NATIVE_SYSCALL_WORK, "tracepoint-why", "%u",
	      session_info(fd, worker.session).native_why);
	put_file(TRACING "events/raw_syscalls/enable", "0");
	usleep(50000);
	check(calls_in(fd, worker.session, 50) > 0, "tracepoint-bypassed-after", "no calls");
	check(steady_end(fd, &worker), "tracepoint-results", "status 0x%x", worker.status);
}

/* The function tracer on a handler that is hooked. */
static void test_ftrace(void)
{
	struct worker worker = steady_start(fd, true);

	/* Stopped meanwhile: emulators can go on with code that was patched while they translated it. */
	kill(worker.pid, SIGSTOP);
	usleep(20000);
	put_file(TRACING "set_ftrace_filter", "__do_sys_getppid\n");
	must(put_file(TRACING "current_tracer", "function"), "function tracer");
	kill(worker.pid, SIGCONT);
	usleep(20000);
	check(is_moving(&worker), "ftrace-goes-on", "does not");
	check(calls_in(fd, worker.session, 50) > 0, "ftrace-bypassed", "no calls");
	kill(worker.pid, SIGSTOP);
	usleep(20000);
	put_file(TRACING "current_tracer", "nop");
	kill(worker.pid, SIGCONT);
	usleep(20000);
	check(calls_in(fd, worker.session, 50) > 0, "ftrace-bypassed-after", "no calls");
	check(steady_end(fd, &worker), "ftrace-results", "status 0x%x", worker.status);
}

/* File and offset in it of @ip in this program. */
static u64 file_offset(const void *ip, char *ret_path)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end, off;
	char line[512];

	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %255s", &start, &end, &off, ret_path) == 4 &&
		    (u64)ip >= start && (u64)ip < end)
			break;
	fclose(maps);
	return (u64)ip - start + off;
}

static u64 uprobe_hits(void)
{
	char line[512];
	unsigned long long hits = 0;
	FILE *file = fopen(TRACING "uprobe_profile", "r");

	while (fgets(line, sizeof(line), file))
		sscanf(line, "%*s %*s %llu", &hits);
	fclose(file);
	return hits;
}

static void test_uprobe(void)
{
	char path[256], probe[400];
	u64 off = file_offset(steady_loop_dec, path), before;
	struct worker worker = steady_start(fd, true);

	snprintf(probe, sizeof(probe), "p:ubtest %s:0x%llx\n", path, (unsigned long long)off);
	if (!put_file(TRACING "uprobe_events", probe)) {
		/* Not on this file system. */
		check(steady_end(fd, &worker), "uprobe-skipped", "status 0x%x", worker.status);
		return;
	}
	check(calls_in(fd, worker.session, 50) > 0, "uprobe-bypassed", "no calls");
	must(put_file(TRACING "events/uprobes/ubtest/enable", "1"), "enable the uprobe");
	usleep(50000);
	before = uprobe_hits();
	check(!calls_in(fd, worker.session, 50), "uprobe-native", "calls");
	check(is_moving(&worker) && uprobe_hits() > before, "uprobe-hits", "none");
	put_file("/proc/sys/vm/compact_memory", "1");	/* a page in a CPU's list of new ones would stay private */
	put_file(TRACING "events/uprobes/ubtest/enable", "0");
	put_file(TRACING "uprobe_events", "-:ubtest\n");
	usleep(200000);
	check(calls_in(fd, worker.session, 50) > 0, "uprobe-bypassed-after", "no calls, why %u",
	      session_info(fd, worker.session).native_why);
	check(steady_end(fd, &worker), "uprobe-results", "status 0x%x", worker.status);
}

/* --- seccomp --- */

static int install(u32 action, u32 flags)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(filter), .filter = filter };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

/* Waits to be told which action, and puts the filter on all threads. */
static void *installer(void *arg)
{
	while (!worker_shared[SHARED_DO])
		usleep(1000);
	if (install(worker_shared[SHARED_DO], SECCOMP_FILTER_FLAG_TSYNC))
		worker_shared[SHARED_BAD]++;
	worker_shared[SHARED_DO] = 0;
	return arg;
}

static u64 steady_with_installer(void *arg)
{
	pthread_t thread;

	pthread_create(&thread, NULL, installer, NULL);
	steady(arg);
	pthread_join(thread, NULL);
	return 0;
}

static void test_seccomp_allow(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = worker_start(fd, steady_with_installer, "", 1, &draft);

	check(calls_in(fd, worker.session, 50) > 0, "seccomp-bypassed", "no calls");
	worker.shared[SHARED_DO] = SECCOMP_RET_ALLOW;
	usleep(100000);
	check(!worker.shared[SHARED_DO], "seccomp-installed", "not");
	check(calls_in(fd, worker.session, 50) > 0, "seccomp-allow-bypassed", "no calls, why %u",
	      session_info(fd, worker.session).native_why);
	check(steady_end(fd, &worker), "seccomp-allow-results", "status 0x%x", worker.status);
}

/* Until the filter's errno is what every call returns. */
static u64 until_errno(void *arg)
{
	pthread_t thread;
	u64 sum, right = CHUNK * (u64)getppid();

	pthread_create(&thread, NULL, installer, arg);
	do {
		sum = steady_loop(CHUNK, SYS_getppid, 0, 0, 0, 0);
		worker_shared[SHARED_CHUNKS]++;
	} while (sum == right);
	pthread_join(thread, NULL);
	/* In the chunk of the change, all before succeeded and all after failed. */
	if ((right - sum) % (right / CHUNK + 5))
		return 1;
	return steady_loop(CHUNK, SYS_getppid, 0, 0, 0, 0) == CHUNK * -5ull ? 7 : 2;
}

static void test_seccomp_errno(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = worker_start(fd, until_errno, "", 1, &draft);

	calls_in(fd, worker.session, 20);
	worker.shared[SHARED_DO] = SECCOMP_RET_ERRNO | 5;
	worker_wait(fd, &worker);
	check(worker.result == 7, "seccomp-errno", "result %lld, status 0x%x", (long long)worker.result, worker.status);
	check(worker.info.calls > 0, "seccomp-errno-bypassed", "no calls");
}

static void on_trap(int signal, siginfo_t *info, void *data)
{
	const greg_t *regs = ((ucontext_t *)data)->uc_mcontext.gregs;
	bool is_right = signal == SIGSYS && info->si_syscall == SYS_getppid && info->si_arch == AUDIT_ARCH_X86_64 &&
			info->si_call_addr == steady_loop_back && regs[REG_RIP] == (long)steady_loop_back &&
			regs[REG_RAX] == SYS_getppid && regs[REG_RCX] == (long)steady_loop_back &&
			info->si_errno == 9;

	worker_publish(is_right ? 7 : 1);
	_exit(0);
}

static u64 until_trap(void *arg)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &action, NULL);
	return steady_with_installer(arg);
}

static void test_seccomp_trap(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = worker_start(fd, until_trap, "", 1, &draft);

	check(calls_in(fd, worker.session, 20) > 0, "seccomp-trap-bypassed", "no calls");
	worker.shared[SHARED_DO] = SECCOMP_RET_TRAP | 9;
	worker_wait(fd, &worker);
	check(worker.result == 7 && !worker.status, "seccomp-trap", "result %lld, status 0x%x",
	      (long long)worker.result, worker.status);
}

static void *victim(void *arg)
{
	steady_loop(1ull << 40, SYS_getppid, 0, 0, 0, 0);
	return arg;
}

/* The filter's verdict kills the looping thread inside the block; the process lives on. */
static u64 lose_thread(void *arg)
{
	pthread_t threads[2];

	pthread_create(&threads[0], NULL, victim, arg);
	pthread_create(&threads[1], NULL, installer, arg);
	pthread_join(threads[1], NULL);
	usleep(50000);
	return 7;
}

static void test_seccomp_kill(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = worker_start(fd, lose_thread, "", 1, &draft);

	check(calls_in(fd, worker.session, 20) > 0, "seccomp-kill-bypassed", "no calls");
	worker.shared[SHARED_DO] = SECCOMP_RET_KILL_THREAD ?: 1;
	if (SECCOMP_RET_KILL_THREAD == 0)
		worker.shared[SHARED_DO] = 1ull << 32;	/* nonzero, but its low half is the action */
	worker_wait(fd, &worker);
	check(worker.result == 7 && !worker.status, "seccomp-kill-thread", "result %lld, status 0x%x",
	      (long long)worker.result, worker.status);
	check(worker.info.thread_cnt == 1, "seccomp-kill-left", "%u threads", worker.info.thread_cnt);
	check(!block_info(fd, worker.block).id || !block_info(fd, worker.block).running, "seccomp-kill-block-free",
	      "runs");

	worker = worker_start(fd, lose_thread, "", 1, &draft);
	calls_in(fd, worker.session, 20);
	worker.shared[SHARED_DO] = SECCOMP_RET_KILL_PROCESS;
	worker_wait(fd, &worker);
	check(WIFSIGNALED(worker.status) && WTERMSIG(worker.status) == SIGSYS, "seccomp-kill-process", "status 0x%x",
	      worker.status);
}

/* --- changes of the code --- */

/*
 * Writes code of the worker.  With several processors it is stopped meanwhile, as a debugger would: an instruction that
 * is half written is nobody's fault but the writer's, natively too.
 */
static void poke(const struct worker *worker, int mem, const char *code)
{
	bool must_stop = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	int status;

	if (must_stop) {
		kill(worker->pid, SIGSTOP);
		must(waitpid(worker->pid, &status, WUNTRACED) == worker->pid && WIFSTOPPED(status), "stop");
	}
	must(pwrite(mem, code, 3, (long)steady_loop_back) == 3, "write mem");
	if (must_stop)
		kill(worker->pid, SIGCONT);
	usleep(100000);
}

static void test_poke(void)
{
	struct worker worker = steady_start(fd, true);
	char path[64], old[3];
	u64 bad;
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", worker.pid);
	mem = open(path, O_RDWR);
	must(mem >= 0 && pread(mem, old, 3, (long)steady_loop_back) == 3, "mem");
	check(calls_in(fd, worker.session, 50) > 0 && !worker.shared[SHARED_BAD], "poke-bypassed", "no calls");
	/* add rax, r12 becomes a nop: from now on all sums are wrong, and that is right. */
	poke(&worker, mem, "\x0f\x1f\x00");
	check(is_moving(&worker) && worker.shared[SHARED_BAD], "poke-takes-hold", "old code runs");
	poke(&worker, mem, old);
	is_moving(&worker);
	bad = worker.shared[SHARED_BAD];
	is_moving(&worker);
	check(worker.shared[SHARED_BAD] == bad, "poke-undone", "still the other code");
	worker.shared[SHARED_BAD] = 0;
	check(steady_end(fd, &worker), "poke-results", "status 0x%x", worker.status);
	close(mem);
}

struct file_arg {
	int writer;
	u64 (*code)(u64 cnt, u64 nr, u64 rdi, u64 rsi, u64 rdx, u64 r10);
};

static u64 steady_in_file(void *data)
{
	const struct file_arg *arg = data;
	u64 right = CHUNK * (u64)getppid();

	close(arg->writer);
	while (!worker_shared[SHARED_STOP]) {
		if (arg->code(CHUNK, SYS_getppid, 0, 0, 0, 0) != right)
			worker_shared[SHARED_BAD]++;
		worker_shared[SHARED_CHUNKS]++;
	}
	return 0;
}

/* The loop in a file of its own, mapped privately; and the file is written. */
static void test_writer(void)
{
	char name[] = "/tmp/intrude.XXXXXX";
	int writer = mkstemp(name), file;
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct file_arg arg;
	struct worker worker;
	s64 delta;
	u32 i;

	must(write(writer, (void *)steady_loop, 256) == 256 && ftruncate(writer, 4096) == 0, "write");
	file = open(name, O_RDONLY);
	arg.code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
	arg.writer = writer;
	delta = (s64)arg.code - (s64)steady_loop;
	for (i = 0; i < draft.insn_cnt; i++)
		if (draft.insns[i].op == UB_OP_INSN || draft.insns[i].op == UB_OP_EXIT)
			draft.insns[i].imm += delta;
	draft.entries[0].ip += delta;
	draft.codes[0].start += delta;
	worker = worker_start(fd, steady_in_file, &arg, sizeof(arg), NULL);
	worker.session = attach(fd, worker.pid);
	check(load(fd, worker.session, &draft) == -ESTALE, "writer-refused", "accepted");
	close(writer);
	is_moving(&worker);		/* it has closed its copy */
	worker.block = load(fd, worker.session, &draft);
	check(worker.block > 0, "writer-gone-accepted", "%s", strerror(-worker.block));
	check(calls_in(fd, worker.session, 50) > 0, "writer-bypassed", "no calls");
	writer = open(name, O_WRONLY);
	must(writer >= 0, "open");
	/* A loop in the block looks each time it passes the slow path. */
	for (i = 0; i < 5; i++)
		session_info(fd, worker.session), usleep(20000);
	check(!calls_in(fd, worker.session, 50), "writer-native", "calls");
	check(session_info(fd, worker.session).native_why == UB_NATIVE_WRITER, "writer-why", "%u",
	      session_info(fd, worker.session).native_why);
	close(writer);
	usleep(200000);
	check(calls_in(fd, worker.session, 50) > 0, "writer-closed-bypassed", "no calls");
	check(!worker.shared[SHARED_BAD], "writer-results", "bad");

	writer = open(name, O_WRONLY);
	must(pwrite(writer, "\x0f\x1f\x00", 3, steady_loop_back - (const char *)steady_loop) == 3, "pwrite");
	close(writer);
	session_info(fd, worker.session);
	/* On a slow machine the loop may not have run at once. */
	for (i = 0; i < 300 && !worker.shared[SHARED_BAD]; i++)
		usleep(10000);
	check(is_moving(&worker) && worker.shared[SHARED_BAD], "written-takes-hold", "old code runs");
	check(!calls_in(fd, worker.session, 50), "written-native", "calls");
	worker.shared[SHARED_BAD] = 0;
	worker.shared[SHARED_STOP] = 1;
	worker_wait(fd, &worker);
	check(!worker.status, "written-end", "status 0x%x", worker.status);
	unlink(name);
}

static const struct test tests[] = {
	{ "strace", test_strace }, { "step", test_step }, { "breakpoint", test_breakpoint },
	{ "watchpoint", test_watchpoint }, { "tracepoint", test_tracepoint }, { "ftrace", test_ftrace },
	{ "uprobe", test_uprobe }, { "seccomp-allow", test_seccomp_allow }, { "seccomp-errno", test_seccomp_errno },
	{ "seccomp-trap", test_seccomp_trap }, { "seccomp-kill", test_seccomp_kill }, { "poke", test_poke },
	{ "writer", test_writer }, {}
};

int main(int argc, char **argv)
{
	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	return run_tests(tests, argc, argv);
}
