// SPDX-License-Identifier: GPL-2.0
/*
 * measure: watches an unmodified program while it runs, and makes the report of many such runs.
 *
 *   measure run [--io] [--window-ms N] [--timeout S] -- COMMAND [ARGUMENT]...
 *   measure report --unit tcg|kvm --kernel RELEASE FILE...
 *
 * run: starts the command and looks at it once per window: its processor clock against its system calls, and its
 * session with /dev/ub if it has one.  Prints one JSON object, with what the command printed and its exit status.
 * --io: a block is one read and one write, counted by /proc/PID/io; the best window's nanoseconds per block count.
 * Where the machine counts instructions (QEMU with -icount shift=0) a nanosecond is an instruction.
 *
 * The share of calls made in the kernel is that of the steady part: from the second window after the first call was
 * made in a block to the last look at the process.
 *
 * report: reads objects {"name":..,"native":RUN,"bypassed":RUN}, perhaps with "opted_out", and prints the table on
 * stderr, the results on stdout.  Exit status 1 when a program's output was not the same both times.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../userspace/libub/ub.h"

#define MIN_BLOCKS	1000	/* in a window that counts */

struct look {
	u64 cpu_ns;
	u64 io_calls;		/* reads + writes */
	bool has_session;
	struct ub_session_info session;
};

struct run {
	bool is_io;
	unsigned int window_ms;
	unsigned int timeout_s;
	char **command;
	pid_t pid;
	clockid_t clock;
	int device;		/* < 0 without the module */
	int output;		/* of the command, both streams */
	struct look last;
	struct look steady;	/* where the steady part begins */
	bool is_steady;
	double best_ns;		/* per block, 0: none yet */
	u32 windows;
	u32 block_cnt;		/* the most at a time */
	int status;
};

static int usage(void)
{
	fprintf(stderr, "usage: measure run [--io] [--window-ms N] [--timeout S] -- COMMAND [ARGUMENT]...\n"
			"       measure report --unit tcg|kvm --kernel RELEASE FILE...\n");
	return 2;
}

static int start(struct run *run)
{
	int null;

	run->output = memfd_create("output", MFD_CLOEXEC);
	if (run->output < 0)
		return -errno;
	run->pid = fork();
	if (run->pid < 0)
		return -errno;
	if (run->pid == 0) {
		null = open("/dev/null", O_RDONLY);
		dup2(null, 0);
		dup2(run->output, 1);
		dup2(run->output, 2);
		execvp(run->command[0], run->command);
		dprintf(2, "cannot run %s: %s\n", run->command[0], strerror(errno));
		_exit(127);
	}
	return clock_getcpuclockid(run->pid, &run->clock) ? -ESRCH : 0;
}

/* False once the process is gone. */
static bool look_at(struct run *run, struct look *ret)
{
	struct look look = { 0 };
	struct ub_process process;
	struct timespec cpu;

	if (clock_gettime(run->clock, &cpu) || ub_process_read(run->pid, &process))
		return false;
	look.cpu_ns = cpu.tv_sec * 1000000000ull + cpu.tv_nsec;
	look.io_calls = process.syscall_cnt;
	if (run->device >= 0) {
		if (run->last.has_session)
			look.has_session = !ub_session_info(run->device, run->last.session.id, &look.session);
		if (!look.has_session)
			look.has_session = !ub_session_find(run->device, run->pid, &look.session);
	}
	*ret = look;
	return true;
}

/* The window between the last look and @now. */
static void add_window(struct run *run, const struct look *now)
{
	u64 blocks = (now->io_calls - run->last.io_calls) / 2;
	double ns;

	run->windows++;
	if (run->is_io && blocks >= MIN_BLOCKS) {
		ns = 2.0 * (now->cpu_ns - run->last.cpu_ns) / (now->io_calls - run->last.io_calls);
		if (!run->best_ns || ns < run->best_ns)
			run->best_ns = ns;
	}
	if (now->has_session && now->session.block_cnt > run->block_cnt)
		run->block_cnt = now->session.block_cnt;
	if (!run->is_steady && run->last.has_session && run->last.session.first_run_ns) {
		run->steady = *now;
		run->is_steady = now->has_session;
		run->best_ns = 0;	/* what was native does not count, even if it was better */
	}
	run->last = *now;
}

static void pause_ms(unsigned int ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000l };

	nanosleep(&pause, NULL);
}

/* Looks until the command ends. */
static void watch(struct run *run)
{
	unsigned int left_ms = run->timeout_s * 1000;
	struct look now;
	int status;

	if (look_at(run, &now))
		run->last = now;
	while (waitpid(run->pid, &status, WNOHANG) == 0) {
		if (left_ms < run->window_ms) {
			fprintf(stderr, "measure: %s is stopped after %u s\n", run->command[0], run->timeout_s);
			kill(run->pid, SIGKILL);
			waitpid(run->pid, &status, 0);
			break;
		}
		pause_ms(run->window_ms);
		left_ms -= run->window_ms;
		/* A process that has ended, but not yet been waited for, shows no more. */
		if (look_at(run, &now) && now.cpu_ns > run->last.cpu_ns && now.io_calls >= run->last.io_calls &&
		    (now.has_session || !run->last.has_session))
			add_window(run, &now);
	}
	run->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static struct json_object *number(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.4f", value);
	return json_object_new_double_s(value, text);
}

static double share(const struct run *run)
{
	const struct ub_session_info *last = &run->last.session, *first = &run->steady.session;
	u64 calls, all;

	if (!run->is_steady || first->id != last->id)
		return 0;
	calls = last->calls - first->calls;
	/* Both from the session, which counts them at the same moment; /proc/PID/io is read a little later. */
	all = calls + last->native_calls - first->native_calls;
	return all ? (double)calls / all : 0;
}

static void add_session(struct json_object *out, const struct run *run)
{
	const struct ub_session_info *info = &run->last.session;
	struct json_object *exits = json_object_new_object();
	u32 kind;

	json_object_object_add(out, "in_kernel_share", number(share(run)));
	json_object_object_add(out, "boost_ms", !info->first_run_ns ? NULL :
			       number((info->first_run_ns - info->start_ns) / 1e6));
	json_object_object_add(out, "blocks", json_object_new_int(run->block_cnt));
	json_object_object_add(out, "entries", json_object_new_uint64(info->entries));
	json_object_object_add(out, "calls", json_object_new_uint64(info->calls));
	json_object_object_add(out, "native_calls", json_object_new_uint64(info->native_calls));
	json_object_object_add(out, "native_why", json_object_new_string(ub_native_why_name(info->native_why)));
	for (kind = 0; kind < UB_EXIT_COUNT; kind++) {
		if (info->exits[kind])
			json_object_object_add(exits, ub_exit_kind_name(kind),
					       json_object_new_uint64(info->exits[kind]));
	}
	json_object_object_add(out, "exits", exits);
}

/* One line for those who wait. */
static void print_progress(const struct run *run)
{
	const struct ub_session_info *info = &run->last.session;

	fprintf(stderr, "measure: %s: exit status %d, %u windows", run->command[0], run->status, run->windows);
	if (run->best_ns)
		fprintf(stderr, ", %.1f per block", run->best_ns);
	if (run->last.has_session)
		fprintf(stderr, ", attached, %llu calls in %u blocks, share %.1f%%, last native reason %s",
			(unsigned long long)info->calls, run->block_cnt, 100 * share(run),
			ub_native_why_name(info->native_why));
	fputc('\n', stderr);
}

static int print_run(const struct run *run)
{
	struct json_object *out = json_object_new_object();
	char text[65536];
	ssize_t len = pread(run->output, text, sizeof(text), 0);

	json_object_object_add(out, "exit_status", json_object_new_int(run->status));
	json_object_object_add(out, "output", json_object_new_string_len(text, len > 0 ? len : 0));
	json_object_object_add(out, "windows", json_object_new_int(run->windows));
	if (run->is_io)
		json_object_object_add(out, "ns_per_block", number(run->best_ns));
	json_object_object_add(out, "attached", json_object_new_boolean(run->last.has_session));
	if (run->last.has_session)
		add_session(out, run);
	puts(json_object_to_json_string_ext(out, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(out);
	return fflush(stdout) ? 1 : 0;
}

static int do_run(int argc, char **argv)
{
	struct run run = { .window_ms = 150, .timeout_s = 600 };
	int err;

	for (; argc > 0 && argv[0][0] == '-'; argc--, argv++) {
		if (!strcmp(argv[0], "--")) {
			argc--, argv++;
			break;
		} else if (!strcmp(argv[0], "--io")) {
			run.is_io = true;
		} else if (!strcmp(argv[0], "--window-ms") && argc > 1) {
			run.window_ms = strtoul(argv[1], NULL, 10);
			argc--, argv++;
		} else if (!strcmp(argv[0], "--timeout") && argc > 1) {
			run.timeout_s = strtoul(argv[1], NULL, 10);
			argc--, argv++;
		} else {
			return usage();
		}
	}
	if (argc < 1 || !run.window_ms)
		return usage();
	run.command = argv;
	run.device = ub_open();
	err = start(&run);
	if (err) {
		fprintf(stderr, "measure: cannot start %s: %s\n", argv[0], strerror(-err));
		return 1;
	}
	watch(&run);
	print_progress(&run);
	return print_run(&run);
}

/* The figure of a run: its own, or what the program printed in its line of JSON. */
static double figure(struct json_object *run, struct json_object *printed, bool is_kvm)
{
	struct json_object *value;

	if (json_object_object_get_ex(run, "ns_per_block", &value) ||
	    json_object_object_get_ex(printed, is_kvm ? "ns_per_iteration" : "ticks_per_iteration", &value))
		return json_object_get_double(value);
	return 0;
}

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : "";
}

/* The output without what a clock has written: dd's last line. */
static size_t length_without_time(const char *output)
{
	const char *at = strstr(output, " copied, ");

	return at ? (size_t)(at - output) : strlen(output);
}

/*
 * Equal exit status and equal output.  The examples print how long they took, so of theirs the checksum counts; it is
 * that of every window, and they fail when two windows disagree.
 */
static bool is_same(struct json_object *native, struct json_object *bypassed, struct json_object *native_printed,
		    struct json_object *bypassed_printed)
{
	const char *a = text_of(native, "output"), *b = text_of(bypassed, "output");
	size_t len = length_without_time(a);

	if (strcmp(text_of(native, "exit_status"), text_of(bypassed, "exit_status")) ||
	    strcmp(text_of(native, "exit_status"), "0"))
		return false;
	if (native_printed && bypassed_printed && *text_of(native_printed, "checksum"))
		return !strcmp(text_of(native_printed, "checksum"), text_of(bypassed_printed, "checksum"));
	return len == length_without_time(b) && !memcmp(a, b, len);
}

/* What a program printed, when that is an object: the line of an example; else NULL. */
static struct json_object *parse_output(struct json_object *run)
{
	struct json_object *printed = json_tokener_parse(text_of(run, "output"));

	if (json_object_is_type(printed, json_type_object))
		return printed;
	json_object_put(printed);
	return NULL;
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

static void copy(struct json_object *to, struct json_object *from, const char *name)
{
	json_object_object_add(to, name, json_object_get(member(from, name)));
}

/* "end 12, work 3" */
static void print_exits(struct json_object *exits)
{
	const char *separator = "";

	if (exits) {
		json_object_object_foreach(exits, name, count) {
			fprintf(stderr, "%s%s %s", separator, name, json_object_get_string(count));
			separator = ", ";
		}
	}
	fputc('\n', stderr);
}

/* Adds a case to the results and a row to the table; false when the outputs differ. */
static bool add_case(struct json_object *cases, struct json_object *input, bool is_kvm)
{
	struct json_object *native = member(input, "native"), *bypassed = member(input, "bypassed");
	struct json_object *opted_out = member(input, "opted_out");
	struct json_object *native_printed = parse_output(native);
	struct json_object *bypassed_printed = parse_output(bypassed);
	struct json_object *opted_printed = parse_output(opted_out);
	struct json_object *out = json_object_new_object();
	double before = figure(native, native_printed, is_kvm), after = figure(bypassed, bypassed_printed, is_kvm);
	bool same = is_same(native, bypassed, native_printed, bypassed_printed);

	json_object_object_add(out, "name", json_object_get(member(input, "name")));
	json_object_object_add(out, "unit", json_object_new_string(is_kvm ? "nanoseconds_per_iteration" :
										"instructions_per_iteration"));
	json_object_object_add(out, "native", number(before));
	json_object_object_add(out, "bypassed", number(after));
	json_object_object_add(out, "in_kernel_share", member(bypassed, "in_kernel_share") ?
			       json_object_get(member(bypassed, "in_kernel_share")) : number(0));
	json_object_object_add(out, "same_output", json_object_new_boolean(same));
	copy(out, bypassed, "boost_ms");
	copy(out, bypassed, "blocks");
	copy(out, bypassed, "exits");
	if (opted_out)
		json_object_object_add(out, "opted_out", number(figure(opted_out, opted_printed, is_kvm)));
	json_object_array_add(cases, out);

	fprintf(stderr, "%-15s %10.1f %10.1f %+10.1f %+7.1f%% %7.1f%% %7.0f %6s  %-5s ", text_of(input, "name"),
		before, after, after - before, before ? 100 * (after - before) / before : 0,
		100 * json_object_get_double(member(out, "in_kernel_share")),
		json_object_get_double(member(out, "boost_ms")), text_of(bypassed, "blocks"), same ? "same" : "DIFF");
	print_exits(member(out, "exits"));
	if (opted_out)
		fprintf(stderr, "  not attached, with the module loaded: %.1f (%+.1f)\n",
			figure(opted_out, opted_printed, is_kvm), figure(opted_out, opted_printed, is_kvm) - before);
	json_object_put(native_printed);
	json_object_put(bypassed_printed);
	json_object_put(opted_printed);
	return same;
}

static int do_report(int argc, char **argv)
{
	struct json_object *out = json_object_new_object(), *cases = json_object_new_array(), *input;
	const char *accel = "tcg", *kernel = "";
	int i, status = 0;

	for (; argc > 1 && argv[0][0] == '-'; argc -= 2, argv += 2) {
		if (!strcmp(argv[0], "--unit"))
			accel = argv[1];
		else if (!strcmp(argv[0], "--kernel"))
			kernel = argv[1];
		else
			return usage();
	}
	fprintf(stderr, "Linux %s, %s per iteration%s\n\n", kernel,
		strcmp(accel, "kvm") ? "executed instructions" : "nanoseconds", "; share: of its calls, made in the kernel");
	fprintf(stderr, "%-15s %10s %10s %10s %8s %8s %7s %6s  %-5s %s\n", "case", "native", "bypassed", "difference",
		"", "share", "ms", "blocks", "out", "exits by reason");
	for (i = 0; i < argc; i++) {
		input = json_object_from_file(argv[i]);
		if (!input) {
			fprintf(stderr, "measure: %s: %s", argv[i], json_util_get_last_err());
			status = 1;
			continue;
		}
		if (!add_case(cases, input, !strcmp(accel, "kvm")))
			status = 1;
		json_object_put(input);
	}
	json_object_object_add(out, "schema", json_object_new_string("ub-results/1"));
	json_object_object_add(out, "kernel", json_object_new_string(kernel));
	json_object_object_add(out, "accel", json_object_new_string(accel));
	json_object_object_add(out, "cases", cases);
	puts(json_object_to_json_string_ext(out, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(out);
	return fflush(stdout) ? 1 : status;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "run"))
		return do_run(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "report"))
		return do_report(argc - 2, argv + 2);
	return usage();
}
