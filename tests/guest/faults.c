// SPDX-License-Identifier: GPL-2.0
/*
 * faults: each allocation of the module fails once, in everything that it does; nobody is harmed and nothing is left.
 *
 * usage: faults	as root, with UB_MODULE a module made by "make kmod-faults", not loaded, and the kernel booted with
 *			slub_debug=U,kmalloc-*
 * Prints "figure NAME NUMBER" lines for torture.sh, beside its tests.
 */
#include "crowd.h"
#include "left.h"
#include "module.h"

#define FAIL_AT	"/sys/module/ub/parameters/fail_at"
#define PATIENCE	10u		/* seconds until the module must go */

static int fd;
static u32 failure_cnt;			/* allocations that failed */
static u32 left_cnt;

static int insmod(u32 fail_at)
{
	char param[32];

	snprintf(param, sizeof(param), "fail_at=%u", fail_at);
	return module_load("build/faults/ub.ko", param);
}

static u32 failing_nth;			/* as fail_at() was told last: the module counts its own number down */

/* The allocation @nth from now on fails; 0: none. */
static void fail_at(u32 nth)
{
	int file = open(FAIL_AT, O_WRONLY);
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	must(file >= 0 && write(file, text, len) == len, FAIL_AT);
	close(file);
	failing_nth = nth;
}

/* Has it failed? */
static bool has_failed(void)
{
	char text[16] = "";
	int file = open(FAIL_AT, O_RDONLY);

	must(file >= 0 && read(file, text, sizeof(text) - 1) > 0, FAIL_AT);
	close(file);
	return !atoi(text);
}

static void test_left(bool is_loaded, const char *name)
{
	u32 left = left_settled(is_loaded, 300);

	left_cnt += left;
	check(!left, name, "%u things are left", left);
}

/*
 * Does @act while the first allocation fails in it, then the second, until none is reached.  It says what came of it: 0 or
 * -errno; what it did is undone by @undo.
 */
static void fail_each(const char *name, int (*act)(void *), void (*undo)(void *), void *arg)
{
	u32 nth, odd_cnt = 0;
	int err;

	for (nth = 1; nth < 1000; nth++) {
		fail_at(nth);
		err = act(arg);
		if (!has_failed())
			break;
		failure_cnt++;
		if (err && err != -ENOMEM) {
			fprintf(stderr, "%s: allocation %u: %s\n", name, nth, strerror(-err));
			odd_cnt++;
		}
		if (!err)
			undo(arg);
	}
	fail_at(0);
	check(!odd_cnt, name, "%u of %u failures are told as other than memory", odd_cnt, nth - 1);
	check(!err && nth > 1, name, "after %u failures: %s", nth - 1, strerror(-err));
	if (!err)
		undo(arg);
	fprintf(stderr, "%s: %u allocations\n", name, nth - 1);
}

/* --- what the module does --- */

static int act_open(void *arg UNUSED)
{
	int file = open(UB_DEVICE, O_RDWR | O_CLOEXEC);

	if (file < 0)
		return -errno;
	close(file);
	return 0;
}

static void nothing(void *arg UNUSED)
{
}

static int act_attach(void *arg)
{
	struct worker *worker = arg;
	struct ub_id id = {};
	int ret = attach(fd, worker->pid);

	if (ret > 0)
		worker->session = ret;
	else if (!ub(fd, UB_IOC_SESSION_NEXT, &id))
		return -EEXIST;		/* failed, and yet there */
	return ret > 0 ? 0 : ret;
}

static void undo_attach(void *arg)
{
	detach(fd, ((struct worker *)arg)->session);
}

/* Instead of a block of the same code, which stays when this fails. */
static int act_load(void *data)
{
	struct worker *worker = data;
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct ub_load arg = load_arg(worker->session, &draft);
	struct ub_id id = {};
	int err;

	arg.replace_id = worker->block;
	err = ub(fd, UB_IOC_LOAD, &arg);
	if (!err)
		worker->block = arg.block_id;
	if (ub(fd, UB_IOC_BLOCK_NEXT, &id) || (int)id.id != worker->block || !ub(fd, UB_IOC_BLOCK_NEXT, &id))
		return -EEXIST;
	return err;
}

#define TRIES	500u

/*
 * Many loops at once, so that arrays grow.  The crowd takes their pages away now and then, and a load that meets this is
 * told so: it is tried again, with the same allocation to fail.  A failed allocation that is told as changed code shows
 * all the same, since it is told so each time.
 */
static int act_load_big(void *data)
{
	struct worker *worker = data;
	struct draft draft = {};
	struct ub_load arg;
	int err = -ESTALE;
	u32 i;

	for (i = 0; i < 4; i++)
		crowd_put(&draft, i);
	for (i = 0; i < TRIES && err == -ESTALE; i++) {
		if (i) {
			usleep(2000);
			fail_at(failing_nth);
		}
		arg = load_arg(worker->session, &draft);
		err = ub(fd, UB_IOC_LOAD, &arg);
	}
	return err;
}

#define CGROUP	"/sys/fs/cgroup/ub-faults"

static int act_policy(void *arg UNUSED)
{
	return set_mode(fd, CGROUP, UB_MODE_ON);
}

static void undo_policy(void *arg UNUSED)
{
	set_mode(fd, CGROUP, UB_MODE_INHERIT);
}

/* --- threads that come while memory is short --- */

static void *thread_main(void *arg)
{
	*(bool *)arg = steady_loop(CROWD_CALLS, SYS_getppid, 0, 0, 0, 0) == CROWD_CALLS * (u64)getppid();
	return NULL;
}

/* Makes threads when told to. */
static u64 make_threads(void *arg UNUSED)
{
	pthread_t thread;
	bool is_right;

	while (!worker_shared[SHARED_STOP]) {
		steady_loop(CROWD_CALLS, SYS_getppid, 0, 0, 0, 0);
		if (!worker_shared[SHARED_DO])
			continue;
		is_right = false;
		if (pthread_create(&thread, NULL, thread_main, &is_right))
			worker_shared[SHARED_BAD]++;
		pthread_join(thread, NULL);
		worker_shared[SHARED_BAD] += !is_right;
		worker_shared[SHARED_DO] = 0;
	}
	return 7;
}

static int act_thread(void *data)
{
	struct worker *worker = data;
	u32 tries;

	worker->shared[SHARED_DO] = 1;
	for (tries = 0; tries < 1000 && worker->shared[SHARED_DO]; tries++)
		usleep(10000);
	return worker->shared[SHARED_BAD] || tries == 1000 ? -EINVAL : 0;
}

static void test_use(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker;

	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	fail_each("fault-open", act_open, nothing, NULL);
	mkdir(CGROUP, 0755);
	fail_each("fault-policy", act_policy, undo_policy, NULL);
	worker = worker_start(fd, make_threads, "", 1, NULL);
	fail_each("fault-attach", act_attach, undo_attach, &worker);
	worker.session = attach(fd, worker.pid);
	must(worker.session > 0, "attach");
	worker.block = load(fd, worker.session, &draft);
	must(worker.block > 0, "load");
	check(calls_in(fd, worker.session, 50) > 0, "fault-bypassed", "no calls");
	fail_each("fault-load", act_load, nothing, &worker);
	fail_each("fault-thread", act_thread, nothing, &worker);
	check(calls_in(fd, worker.session, 50) > 0, "fault-still-bypassed", "no calls");
	worker.shared[SHARED_STOP] = 1;
	worker_wait(fd, &worker);
	check(worker.result == 7 && !worker.status, "fault-results", "%lld, status 0x%x", (long long)worker.result,
	      worker.status);

	struct crowd_arg arg = { .thread_cnt = 2, .seed = 1 };

	must(crowd_file() >= 0, "crowd");
	worker = worker_start(fd, crowd, &arg, sizeof(arg), NULL);
	usleep(300000);
	worker.session = attach(fd, worker.pid);
	fail_each("fault-load-big", act_load_big, nothing, &worker);
	check(!worker.shared[SHARED_BAD], "fault-crowd-results", "%llu wrong", (unsigned long long)worker.shared[SHARED_BAD]);
	kill(worker.pid, SIGKILL);
	waitpid(worker.pid, NULL, 0);
	close(fd);
	test_left(true, "fault-left");
}

/* The module refuses to load, or loads with less, or did not need the memory. */
static void test_init(void)
{
	u32 nth, odd_cnt = 0;
	int err = 0;

	for (nth = 1; nth < 100; nth++) {
		err = insmod(nth);
		if (!err && !has_failed())
			break;
		failure_cnt++;
		if (!err && module_unload_within(PATIENCE))
			odd_cnt++;
		/* Without a kprobe it finds no symbols, whatever the reason. */
		if (err && err != -ENOMEM && err != -EOPNOTSUPP) {
			fprintf(stderr, "insmod: allocation %u: %s\n", nth, strerror(-err));
			odd_cnt++;
		}
	}
	check(!err && !odd_cnt && nth > 1, "fault-insmod", "%u odd of %u", odd_cnt, nth - 1);
	fprintf(stderr, "insmod: %u allocations\n", nth - 1);
	fail_at(0);
}

int main(void)
{
	int err;

	must(!access("/sys/kernel/debug/slab/kmalloc-64/alloc_traces", R_OK), "boot with slub_debug=U,kmalloc-*");
	test_init();
	test_use();
	err = module_unload_within(PATIENCE);
	check(!err, "fault-rmmod", "%s", strerror(-err));
	test_left(false, "fault-left-unloaded");
	printf("figure leaks %u\nfigure allocations_failed %u\n", left_cnt, failure_cnt);
	return failed_cnt != 0;
}
