// SPDX-License-Identifier: GPL-2.0
/*
 * members: who is attached and who is not: threads, children, programs, owners, cgroups; attaching and detaching.
 *
 * usage: members [TEST]...	as root, with the module loaded
 */
#include "guest.h"
#include "worker.h"

#include <linux/capability.h>
#include <pthread.h>

CALL_LOOP(read_loop)

static int fd;

/* --- threads --- */

static void *thread_main(void *arg)
{
	steady(NULL);
	return arg;
}

static u64 many_threads(void *arg UNUSED)
{
	pthread_t threads[8];
	u32 i;

	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, thread_main, NULL);
	raise(SIGSTOP);			/* attached here, with four threads */
	for (; i < 8; i++)
		pthread_create(&threads[i], NULL, thread_main, NULL);
	for (i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void test_threads(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = worker_start(fd, many_threads, "", 1, NULL);
	u32 cnt;
	int status;

	waitpid(worker.pid, &status, WUNTRACED);
	worker.session = attach(fd, worker.pid);
	check(worker.session > 0, "threads-attach", "%s", strerror(-worker.session));
	check(session_info(fd, worker.session).thread_cnt == 5, "threads-found", "%u",
	      session_info(fd, worker.session).thread_cnt);
	check(load(fd, worker.session, &draft) > 0, "threads-load", "%s", load_log);
	kill(worker.pid, SIGCONT);
	is_moving(&worker);
	usleep(200000);
	cnt = session_info(fd, worker.session).thread_cnt;
	check(cnt == 9, "threads-new", "%u", cnt);
	check(calls_in(fd, worker.session, 100) > 0, "threads-bypassed", "no calls");
	check(steady_end(fd, &worker), "threads-results", "status 0x%x", worker.status);
}

static void *short_thread(void *arg)
{
	u64 pid = getppid();

	return steady_loop(200, SYS_getppid, 0, 0, 0, 0) == 200 * pid ? NULL : arg;
}

static u64 thread_storm(void *arg UNUSED)
{
	pthread_t threads[16];
	void *bad;
	u32 i, round, bad_cnt = 0;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 16; i++)
			pthread_create(&threads[i], NULL, short_thread, threads);
		for (i = 0; i < 16; i++) {
			pthread_join(threads[i], &bad);
			bad_cnt += !!bad;
		}
	}
	usleep(100000);		/* join returns before the joined thread leaves its session */
	return bad_cnt;
}

static void test_storm(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = worker_run(fd, thread_storm, "", 1, &draft);

	check(!worker.result && !worker.status, "thread-storm", "%lld bad, status 0x%x", (long long)worker.result,
	      worker.status);
	check(worker.info.thread_cnt == 1, "thread-storm-left", "%u threads", worker.info.thread_cnt);
	check(worker.info.calls > 320 * 100, "thread-storm-bypassed", "%llu calls", worker.info.calls);
}

/* --- fork, exec, exit --- */

static u64 forker(void *arg UNUSED)
{
	u32 i, bad = 0;
	int status;
	pid_t pid;

	for (i = 0; i < 20; i++) {
		pid = fork();
		if (!pid) {
			if (steady_loop(1000, SYS_getppid, 0, 0, 0, 0) != 1000 * (u64)getppid())
				_exit(1);
			if (i % 2)
				execl("/bin/true", "true", NULL);
			_exit(0);
		}
		steady_loop(1000, SYS_getppid, 0, 0, 0, 0);
		waitpid(pid, &status, 0);
		bad += !!status;
	}
	return bad;
}

static u64 executer(void *arg UNUSED)
{
	steady_loop(1000, SYS_getppid, 0, 0, 0, 0);
	execl("/bin/sh", "sh", "-c", "kill -STOP $$; exit 7", NULL);
	return 1;
}

static void test_fork_exec(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = worker_run(fd, forker, "", 1, &draft);

	check(!worker.result && !worker.status, "fork", "%lld bad, status 0x%x", (long long)worker.result, worker.status);
	worker = worker_start(fd, executer, "", 1, &draft);
	waitpid(worker.pid, &worker.status, WUNTRACED);
	check(WIFSTOPPED(worker.status), "exec", "status 0x%x", worker.status);
	usleep(100000);
	check(!session_info(fd, worker.session).id, "exec-ends-session", "still there");
	check(!block_info(fd, worker.block).id, "exec-ends-block", "still there");
	worker.session = attach(fd, worker.pid);
	check(worker.session > 0, "exec-attach-again", "%s", strerror(-worker.session));
	kill(worker.pid, SIGCONT);
	waitpid(worker.pid, &worker.status, 0);
	check(WIFEXITED(worker.status) && WEXITSTATUS(worker.status) == 7, "exec-status", "0x%x", worker.status);
	usleep(100000);
	check(!session_info(fd, worker.session).id, "exit-ends-session", "still there");
}

/* --- owners --- */

static void test_owner_killed(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = steady_start(fd, false);
	int pipes[2], status;
	struct { int session, block; } ids = {};
	pid_t owner;

	must(!pipe(pipes), "pipe");
	owner = fork();
	if (!owner) {
		int own = open_device();

		ids.session = attach(own, worker.pid);
		ids.block = load(own, ids.session, &draft);
		if (write(pipes[1], &ids, sizeof(ids)) < 0)
			_exit(1);
		pause();
	}
	must(read(pipes[0], &ids, sizeof(ids)) == sizeof(ids), "read");
	check(ids.session > 0 && ids.block > 0, "owner-loads", "%d %d", ids.session, ids.block);
	check(calls_in(fd, ids.session, 100) > 0, "owner-bypassed", "no calls");
	kill(owner, SIGKILL);
	waitpid(owner, &status, 0);
	usleep(100000);
	check(!session_info(fd, ids.session).id && !block_info(fd, ids.block).id, "owner-killed-ends-session",
	      "still there");
	check(is_moving(&worker), "owner-killed-goes-on", "does not");
	ids.session = attach(fd, worker.pid);
	check(ids.session > 0 && load(fd, ids.session, &draft) > 0, "owner-next", "%s", strerror(-ids.session));
	check(calls_in(fd, ids.session, 100) > 0, "owner-next-bypassed", "no calls");
	check(steady_end(fd, &worker), "owner-results", "status 0x%x", worker.status);
	close(pipes[0]);
	close(pipes[1]);
}

static void test_detach(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = steady_start(fd, false);
	u32 i, bad = 0, idle = 0;
	int session, block, err = 0;

	for (i = 0; i < 30; i++) {
		session = attach(fd, worker.pid);
		block = load(fd, session, &draft);
		bad += block < 0;
		err = block < 0 ? block : err;
		if (i % 3 == 0)
			idle += !calls_in(fd, session, 50);
		else
			usleep(i * 300);
		bad += detach(fd, session) != 0;
	}
	check(!bad, "detach-again-and-again", "%u failures, %s", bad, strerror(-err));
	check(!idle, "detach-bypassed-between", "%u times not", idle);
	check(is_moving(&worker), "detach-goes-on", "does not");
	check(steady_end(fd, &worker), "detach-results", "status 0x%x", worker.status);
}

/* A block goes while its thread is in it. */
static void test_unload(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = steady_start(fd, true);
	u32 i, bad = 0;
	int block;

	check(calls_in(fd, worker.session, 50) > 0, "unload-bypassed", "no calls");
	bad += ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = worker.block }) != 0;
	usleep(50000);
	check(!calls_in(fd, worker.session, 50), "unload-leaves", "still calls");
	for (i = 0; i < 50; i++) {
		block = load(fd, worker.session, &draft);
		usleep(i * 100);
		bad += block < 0 || ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = block });
	}
	check(!bad, "unload-again-and-again", "%u failures", bad);
	check(steady_end(fd, &worker), "unload-results", "status 0x%x", worker.status);
}

/* --- rights --- */

static void keep_caps(u64 mask)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	must(!syscall(SYS_capget, &header, data), "capget");
	data[0].permitted &= mask;
	data[1].permitted &= mask >> 32;
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	data[0].inheritable = data[1].inheritable = 0;
	must(!syscall(SYS_capset, &header, data), "capset");
}

#define CAP_BIT(cap)	(1ull << (cap))

/* Becomes another user when it is told to. */
static u64 changing_user(void *arg UNUSED)
{
	keep_caps(CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_BPF));
	raise(SIGSTOP);
	while (!worker_shared[SHARED_DO])
		steady_loop(CHUNK, SYS_getppid, 0, 0, 0, 0), worker_shared[SHARED_CHUNKS]++;
	if (setresuid(65534, 65534, 65534))
		worker_shared[SHARED_BAD]++;
	return steady(NULL);
}

static void test_rights(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = worker_start(fd, changing_user, "", 1, NULL);
	struct { int other, own, block, foreign; } got = {};
	int pipes[2], status;
	pid_t owner;

	waitpid(worker.pid, &status, WUNTRACED);
	must(!pipe(pipes), "pipe");
	owner = fork();
	if (!owner) {
		int own;

		keep_caps(CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_BPF) | CAP_BIT(CAP_DAC_OVERRIDE));
		own = open_device();
		got.other = attach(own, getppid());
		got.own = attach(own, worker.pid);
		got.block = load(own, got.own, &draft);
		got.foreign = load(own, attach(fd, getppid()), &draft);
		if (write(pipes[1], &got, sizeof(got)) < 0)
			_exit(1);
		pause();
	}
	must(read(pipes[0], &got, sizeof(got)) == sizeof(got), "read");
	check(got.other == -EPERM, "rights-stronger-process", "%d", got.other);
	check(got.own > 0 && got.block > 0, "rights-equal-process", "%d %d", got.own, got.block);
	check(got.foreign < 0, "rights-load-elsewhere", "%d", got.foreign);
	kill(worker.pid, SIGCONT);
	check(calls_in(fd, got.own, 50) > 0, "rights-bypassed", "no calls");
	worker.shared[SHARED_DO] = 1;
	is_moving(&worker);
	calls_in(fd, got.own, 20);
	check(!calls_in(fd, got.own, 50), "rights-changed-native", "calls");
	check(session_info(fd, got.own).state == UB_SESSION_PAUSED, "rights-changed-paused", "%u",
	      session_info(fd, got.own).state);
	check(is_moving(&worker), "rights-changed-goes-on", "does not");
	kill(owner, SIGKILL);
	waitpid(owner, &status, 0);
	check(steady_end(fd, &worker), "rights-results", "status 0x%x", worker.status);
	close(pipes[0]);
	close(pipes[1]);
}

/* --- a thread that sleeps in a call while it changes hands --- */

static u64 reads(void *data)
{
	static char bytes[64];
	int in = *(int *)data;

	return read_loop(40, SYS_read, in, (u64)bytes, 1, 0);
}

static void test_sleeper(void)
{
	struct draft draft = read_loop_draft(SYS_read);
	struct worker worker;
	int pipes[2];
	u32 i, bad = 0;

	must(!pipe(pipes), "pipe");
	worker = worker_start(fd, reads, &pipes[0], sizeof(int), &draft);
	for (i = 0; i < 5; i++)
		bad += write(pipes[1], "x", 1) != 1;
	usleep(100000);
	check(detach(fd, worker.session) == 0, "sleeper-detach", "no");
	check(!session_info(fd, worker.session).id, "sleeper-gone", "still there");
	for (i = 0; i < 3; i++) {
		worker.session = attach(fd, worker.pid);
		bad += worker.session < 0 || load(fd, worker.session, &draft) < 0;
		bad += write(pipes[1], "yy", 2) != 2;
		usleep(50000);
		if (i < 2)
			bad += detach(fd, worker.session) != 0;
	}
	check(!bad, "sleeper-changes-hands", "%u failures", bad);
	usleep(100000);
	for (i = 0; i < 29; i++)
		bad += write(pipes[1], "z", 1) != 1;
	worker_wait(fd, &worker);
	check(worker.result == 40 && !worker.status, "sleeper-results", "%lld, status 0x%x", (long long)worker.result,
	      worker.status);
	check(worker.info.calls > 0, "sleeper-bypassed", "no calls");
	close(pipes[0]);
	close(pipes[1]);
}

/* --- cgroups --- */

static void move(pid_t pid, const char *cgroup)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	file = fopen(path, "w");
	must(file && fprintf(file, "%d\n", pid) > 0 && !fclose(file), "cannot move to the cgroup");
}

static void test_cgroups(void)
{
	const char *yes = "/sys/fs/cgroup/members-yes", *no = "/sys/fs/cgroup/members-no";
	struct worker worker = steady_start(fd, true);

	mkdir(yes, 0755);
	mkdir(no, 0755);
	set_mode(fd, no, UB_MODE_OFF);
	move(worker.pid, yes);
	check(calls_in(fd, worker.session, 50) > 0, "cgroup-on", "no calls");
	set_mode(fd, yes, UB_MODE_OFF);
	usleep(50000);
	check(!calls_in(fd, worker.session, 50), "cgroup-off", "calls");
	check(is_moving(&worker), "cgroup-off-goes-on", "does not");
	check(session_info(fd, worker.session).native_why == UB_NATIVE_POLICY, "cgroup-off-why", "%u",
	      session_info(fd, worker.session).native_why);
	set_mode(fd, yes, UB_MODE_OBSERVE);
	usleep(50000);
	check(!calls_in(fd, worker.session, 50), "cgroup-observe", "calls");
	set_mode(fd, yes, UB_MODE_INHERIT);
	usleep(50000);
	check(calls_in(fd, worker.session, 50) > 0, "cgroup-inherit", "no calls");
	move(worker.pid, no);
	calls_in(fd, worker.session, 50);
	check(!calls_in(fd, worker.session, 50), "cgroup-moved-off", "calls");
	move(worker.pid, yes);
	calls_in(fd, worker.session, 50);
	check(calls_in(fd, worker.session, 50) > 0, "cgroup-moved-on", "no calls");
	check(steady_end(fd, &worker), "cgroup-results", "status 0x%x", worker.status);
	rmdir(yes);
	rmdir(no);
}

static const struct test tests[] = {
	{ "threads", test_threads }, { "storm", test_storm }, { "fork-exec", test_fork_exec },
	{ "owner", test_owner_killed }, { "detach", test_detach }, { "unload", test_unload },
	{ "sleeper", test_sleeper }, { "rights", test_rights }, { "cgroups", test_cgroups }, {}
};

int main(int argc, char **argv)
{
	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	return run_tests(tests, argc, argv);
}
