// SPDX-License-Identifier: GPL-2.0
/*
 * seen: what the module shows of itself, and how soon a policy takes hold.
 *
 * usage: seen [TEST]...	as root, with the module loaded, tracefs at /sys/kernel/tracing and cgroup2 at /sys/fs/cgroup
 */
#include <linux/perf_event.h>

#include "worker.h"

#define TRACING		"/sys/kernel/tracing/"
#define TIME_BLOCKS	"/sys/module/ub/parameters/time_blocks"
#define CGROUP		"/sys/fs/cgroup/ub-seen"
#define TRACE_LEN	(16u << 20)	/* all of kallsyms */

static int fd;
static char trace[TRACE_LEN];

static bool put_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_TRUNC);
	bool is_good = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	close(file);
	return is_good;
}

/* The file's text, cut to what fits. */
static const char *get_file(const char *path)
{
	int file = open(path, O_RDONLY);
	ssize_t got = 0;
	u32 len = 0;

	while (file >= 0 && len < TRACE_LEN - 1 && (got = read(file, trace + len, TRACE_LEN - 1 - len)) > 0)
		len += got;
	close(file);
	trace[len] = 0;
	return trace;
}

/* Is there a line with both? */
static bool has_line(const char *text, const char *event, const char *what)
{
	char line[512];
	u32 len;

	for (; *text; text += text[len] ? len + 1 : len) {
		len = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		if (strstr(line, event) && strstr(line, what))
			return true;
	}
	return false;
}

static void test_events(void)
{
	struct draft bad = steady_loop_draft(SYS_getppid);
	struct worker worker;
	char block[32], left[64], at[64];

	must(put_file(TRACING "buffer_size_kb", "4096") && put_file(TRACING "trace", "") &&
	     put_file(TRACING "events/ub/enable", "1"), "switch the events on");
	worker = steady_start(fd, true);
	usleep(100000);
	bad.insns[1].op = 255;
	load(fd, worker.session, &bad);
	ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = worker.block });
	usleep(20000);
	put_file(TRACING "events/ub/enable", "0");
	get_file(TRACING "trace");
	snprintf(block, sizeof(block), "block=%d ", worker.block);
	snprintf(left, sizeof(left), "block=%d reason=end", worker.block);
	snprintf(at, sizeof(at), "block=%d ip=0x%lx", worker.block, (long)steady_loop_back);
	check(has_line(trace, "ub_load:", block), "event-load", "none");
	check(has_line(trace, "ub_enter:", at), "event-enter", "none");
	check(has_line(trace, "ub_exit:", left), "event-exit", "none");
	snprintf(left, sizeof(left), "block=%d reason=removed", worker.block);
	check(has_line(trace, "ub_invalidate:", left), "event-invalidate", "none");
	snprintf(left, sizeof(left), "session=%d pid=%d err=-", worker.session, worker.pid);
	check(has_line(trace, "ub_refuse:", left), "event-refuse", "none");
	put_file(TRACING "trace", "");
	check(steady_end(fd, &worker), "event-results", "status 0x%x", worker.status);
}

/* As perf counts it. */
static void test_perf(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	struct worker worker = steady_start(fd, true);
	u64 cnt = 0;
	int event;

	attr.config = strtoul(get_file(TRACING "events/ub/ub_exit/id"), NULL, 10);
	event = syscall(SYS_perf_event_open, &attr, worker.pid, -1, -1, 0);
	check(event >= 0, "perf-opens", "%s", strerror(errno));
	usleep(100000);
	check(read(event, &cnt, sizeof(cnt)) == sizeof(cnt) && cnt > 0, "perf-counts", "%llu", (unsigned long long)cnt);
	close(event);
	check(steady_end(fd, &worker), "perf-results", "status 0x%x", worker.status);
}

static void test_counters(void)
{
	struct worker worker = steady_start(fd, true);
	struct ub_block_info info;
	u64 exits = 0, ns;
	u32 i;

	usleep(100000);
	info = block_info(fd, worker.block);
	for (i = 0; i < UB_EXIT_COUNT; i++)
		exits += info.exits[i];
	check(info.runs > 0 && info.calls > info.runs && exits + info.running == info.runs, "counters",
	      "%llu runs, %llu calls, %llu exits", info.runs, info.calls, (unsigned long long)exits);
	check(!info.ns, "untimed", "%llu ns", info.ns);
	check(put_file(TIME_BLOCKS, "1"), "timing-on", "cannot write");
	usleep(100000);
	block_info(fd, worker.block);
	usleep(20000);
	ns = block_info(fd, worker.block).ns;
	check(ns > 1000000 && ns < 1000000000, "timed", "%llu ns", (unsigned long long)ns);
	put_file(TIME_BLOCKS, "0");
	usleep(50000);
	ns = block_info(fd, worker.block).ns;
	usleep(50000);
	check(block_info(fd, worker.block).ns == ns, "untimed-again", "it grows");
	check(steady_end(fd, &worker), "counters-results", "status 0x%x", worker.status);
}

/* The name says nothing of the process. */
static void test_name(void)
{
	struct worker worker = steady_start(fd, true);
	char name[32];

	snprintf(name, sizeof(name), " ub_btc_%d\t[bpf]", worker.block);
	check(has_line(get_file("/proc/kallsyms"), name, " t "), "in-kallsyms", "not there");
	snprintf(name, sizeof(name), "ub_btc_%d", worker.block);
	check(!strcmp(block_info(fd, worker.block).tag, name), "its-tag", "%s", block_info(fd, worker.block).tag);
	check(steady_end(fd, &worker), "name-results", "status 0x%x", worker.status);
	usleep(200000);
	check(!has_line(get_file("/proc/kallsyms"), name, ""), "gone-from-kallsyms", "still there");
}

/*
 * 10 ms after a change the worker is out of its block, and no call is made in one from then on.  Looked for in the trace
 * first: asking for counters makes threads look for work.
 */
static void must_be_native(const struct worker *worker, const char *name)
{
	char last[512] = "", *line, *rest;
	u64 calls;

	usleep(10000);
	get_file(TRACING "trace");
	for (line = trace; line && *line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = 0;
		if (strstr(line, ": ub_"))
			snprintf(last, sizeof(last), "%.500s", line);
	}
	check(strstr(last, "ub_exit: ") != NULL, name, "last seen: %s", last);
	calls = session_info(fd, worker->session).calls;
	usleep(100000);
	check(session_info(fd, worker->session).calls == calls, name, "%llu more calls",
	      session_info(fd, worker->session).calls - calls);
}

static void trace_worker(bool is_on)
{
	put_file(TRACING "trace", "");
	put_file(TRACING "events/ub/ub_enter/enable", is_on ? "1" : "0");
	put_file(TRACING "events/ub/ub_exit/enable", is_on ? "1" : "0");
}

/* Never leaves the block by itself. */
static u64 endless(void *arg UNUSED)
{
	return steady_loop(~0ull, SYS_getppid, 0, 0, 0, 0);
}

static void test_policy(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = worker_start(fd, endless, "", 1, &draft);
	char pid[16];

	check(calls_in(fd, worker.session, 50) > 0, "policy-bypassed", "no calls");
	trace_worker(true);
	usleep(50000);
	set_mode(fd, NULL, UB_MODE_OFF);
	must_be_native(&worker, "policy-takes-hold");
	set_mode(fd, NULL, UB_MODE_ON);
	check(calls_in(fd, worker.session, 50) > 0, "policy-bypassed-again", "no calls");
	rmdir(CGROUP);
	must(!mkdir(CGROUP, 0755), "a cgroup");
	must(set_mode(fd, CGROUP, UB_MODE_OFF) == 0, "its policy");
	snprintf(pid, sizeof(pid), "%d", worker.pid);
	check(put_file(CGROUP "/cgroup.procs", pid), "policy-moved", "%s", strerror(errno));
	must_be_native(&worker, "policy-takes-hold-where-it-moved");
	put_file("/sys/fs/cgroup/cgroup.procs", pid);
	check(calls_in(fd, worker.session, 50) > 0, "policy-moved-back", "no calls");
	kill(worker.pid, SIGKILL);
	worker_wait(fd, &worker);
	trace_worker(false);
	rmdir(CGROUP);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "events", test_events }, { "perf", test_perf }, { "counters", test_counters }, { "name", test_name },
		{ "policy", test_policy }, { 0 }
	};

	fd = open_device();
	must(set_mode(fd, NULL, UB_MODE_ON) == 0, "cannot set the root's mode");
	return run_tests(tests, argc, argv);
}
