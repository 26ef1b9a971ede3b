// SPDX-License-Identifier: GPL-2.0
/*
 * codegen: how good is the translated code, on the processor at hand?
 *	codegen [--pairs N] [--json FILE] [--kernel NAME [--dump]] [--check]
 *
 * Each kernel has processes of its own, in which native code and the images with and without guards run in turn, on one
 * processor, from the same state, at several places each; results and memory must agree.  A figure is the median of those
 * of all places, one of which is that of N pairs of neighbouring runs.  What is not translated is said, and does not count.
 * --check: one run each, no figures; all must be translated.
 */
#define _GNU_SOURCE
#include <json-c/json.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../results.h"
#include "cost.h"
#include "measure.h"

#define STEPS		16000u		/* a trap takes 10 us */
#define CHECK_STEPS	8000u
#define CHILDREN	3		/* for one kernel: the system puts code and libraries elsewhere each time */
#define PLACES		8		/* in each */
#define REGION_TRIES	15
#define REGION_INSNS	2000

static const struct kernel *const groups[] = {
	kernels_libc, kernels_zlib, kernels_redis, kernels_server, kernels_text, kernels_sort,
};

static struct {
	u32 pairs, place;
	const char *json, *kernel;
	bool dumps, checks;
	bool is_child;
} options = { .pairs = 36 };

static const struct kernel *find_kernel(const char *name)
{
	const struct kernel *kernel;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		for (kernel = groups[i]; kernel->name; kernel++)
			if (!strcmp(kernel->name, name))
				return kernel;
	return NULL;
}

/* --- in the process of a kernel --- */

static void on_fault(int sig, siginfo_t *info, void *ctx)
{
	greg_t *regs = ((ucontext_t *)ctx)->uc_mcontext.gregs;
	u64 fixup = ub_harness_fixup(regs[REG_RIP]);

	(void)info;
	if (fixup)
		regs[REG_RIP] = fixup;
	else
		signal(sig, SIG_DFL);
}

static void catch_faults(void)
{
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	sigaction(SIGFPE, &act, NULL);
}

static void pin(void)
{
	cpu_set_t set;
	int i;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (i = CPU_SETSIZE - 1; i > 0 && !CPU_ISSET(i, &set); i--)
		;
	CPU_ZERO(&set);
	CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void out_number(struct json_object *out, const char *name, double value, int digits)
{
	char text[40];

	snprintf(text, sizeof(text), "%.*f", digits, value);
	json_object_object_add(out, name, json_object_new_double_s(value, text));
}

static void out_wrong(struct json_object *out, const char *why)
{
	json_object_object_add(out, "wrong", json_object_new_string(why));
}

static const struct {
	const char *name;
	size_t off;
	int digits;
} place_figures[] = {
	{ "native_ns", offsetof(struct measured, native_ns), 0 },
	{ "unguarded", offsetof(struct measured, unguarded), 3 },
	{ "guarded", offsetof(struct measured, guarded), 3 },
	{ "guards", offsetof(struct measured, guards), 3 },
	{ "unguarded_same", offsetof(struct measured, unguarded_same), 3 },
	{ "guarded_same", offsetof(struct measured, guarded_same), 3 },
	{ "left", offsetof(struct measured, left), 3 },
};

static bool out_places(struct json_object *out, struct subject *subject)
{
	struct json_object *places = json_object_new_array(), *place;
	struct measured measured;
	u32 i, k;

	json_object_object_add(out, "places", places);
	for (i = 0; i < PLACES; i++) {
		subject_move(subject, options.place + i);
		if (!measure(subject, options.place + i, options.pairs, &measured))
			return false;
		place = json_object_new_object();
		for (k = 0; k < ARRAY_SIZE(place_figures); k++)
			out_number(place, place_figures[k].name, *(double *)((char *)&measured + place_figures[k].off),
				   place_figures[k].digits);
		json_object_array_add(places, place);
	}
	return true;
}

static void out_cost(struct json_object *out, const struct cost *cost)
{
	struct json_object *kinds = json_object_new_object();
	u32 i;

	out_number(out, "guest_executed", cost->guest, 0);
	out_number(out, "accesses", cost->accesses, 0);
	out_number(out, "guards_executed", cost->guards, 0);
	out_number(out, "ops_per_insn", (double)cost->ops / cost->guest, 2);
	out_number(out, "machine_per_insn", cost->machine / cost->stepped, 2);
	for (i = 0; i < COST_KINDS; i++)
		out_number(kinds, cost_names[i], cost->kinds[i] / cost->stepped, 3);
	json_object_object_add(out, "machine_per_insn_by_kind", kinds);
}

static void run_subject(struct subject *subject, struct json_object *out)
{
	struct cost cost;

	if (subject->kernel->hwcaps && trace_has_vex(subject->trace))
		return out_wrong(out, "AVX is in it, which the C library was told not to use");
	if (!measure_agrees(subject))
		return out_wrong(out, "results or memory differ");
	if (options.checks)
		return;
	if (!out_places(out, subject))
		return out_wrong(out, "results or memory differ at another place");
	if (options.place)
		return;
	if (!cost_find(subject, &cost)) {
		out_wrong(out, "interpreter and image disagree");
		return;
	}
	out_cost(out, &cost);
	if (options.dumps)
		cost_dump(stdout, subject, &cost);
	cost_free(&cost);
}

static struct json_object *run_kernel(const struct kernel *kernel)
{
	static struct subject subject;
	struct json_object *out = json_object_new_object();

	json_object_object_add(out, "name", json_object_new_string(kernel->name));
	pin();
	catch_faults();
	if (subject_make(&subject, kernel, options.checks ? CHECK_STEPS : STEPS)) {
		out_number(out, "guest_insns", subject.lifted->guest_insn_cnt, 0);
		out_number(out, "ir_insns", subject.lifted->block.insn_cnt, 0);
		out_number(out, "image_bytes", subject.images[GUARDED]->code_len, 0);
		run_subject(&subject, out);
	} else {
		json_object_object_add(out, "why", json_object_new_string(subject.why));
	}
	subject_free(&subject);
	return out;
}

/* --- the region: all kernels at once --- */

static u32 gather(struct ub_lift_hint *hints, u64 *entries, u32 *entry_cnt)
{
	static struct subject subject;
	const struct kernel *kernel;
	u32 i, cnt = 0;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		for (kernel = groups[i]; kernel->name && *entry_cnt < UB_MAX_ENTRIES; kernel++) {
			if (kernel->hwcaps || !subject_make(&subject, kernel, CHECK_STEPS))
				goto next;
			memcpy(hints + cnt, subject.hints, subject.hint_cnt * sizeof(*hints));
			cnt += subject.hint_cnt;
			entries[(*entry_cnt)++] = (u64)kernel->run;
next:
			subject_free(&subject);
		}
	}
	return cnt;
}

/* Processor time: others may run meanwhile. */
static double own_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* The time to lift, verify and compile @request once; 0 when that fails. */
static double time_region(const struct ub_lift_request *request, struct json_object *out)
{
	const struct ub_verify_env env = { .limit = BENCH_LIMIT };
	struct ub_verified *verified;
	struct ub_lifted *lifted;
	struct ub_image *image;
	double start = own_milliseconds(), lift_ms, verify_ms, all_ms = 0;

	if (ub_lift(request, &lifted))
		return 0;
	lift_ms = own_milliseconds() - start;
	if (!ub_verify(&lifted->block, &env, NULL, &verified)) {
		verify_ms = own_milliseconds() - start - lift_ms;
		if (!ub_harness_make(verified, false, &image)) {
			all_ms = own_milliseconds() - start;
			ub_image_free(image);
		}
		ub_verified_free(verified);
		out_number(out, "lift_ms", lift_ms, 3);
		out_number(out, "verify_ms", verify_ms, 3);
		out_number(out, "compile_ms", all_ms - lift_ms - verify_ms, 3);
	}
	out_number(out, "guest_insns", lifted->guest_insn_cnt, 0);
	out_number(out, "ir_insns", lifted->block.insn_cnt, 0);
	ub_lifted_free(lifted);
	return all_ms;
}

static struct json_object *run_region(void)
{
	static struct ub_lift_hint hints[MAX_HINTS * UB_MAX_ENTRIES];
	static u64 entries[UB_MAX_ENTRIES];
	const u64 goal = (u64)bench_goal;
	struct json_object *out = json_object_new_object(), *one, *best = NULL;
	u32 i, entry_cnt = 0, hint_cnt = gather(hints, entries, &entry_cnt);
	struct ub_lift_request request = {
		.read_code = self_read_code, .read_data = self_read_data, .max_guest_insns = REGION_INSNS,
		.roots = entries, .root_cnt = entry_cnt, .entries = entries, .entry_cnt = entry_cnt,
		.goals = &goal, .goal_cnt = 1, .hints = hints, .hint_cnt = hint_cnt,
	};
	double ms, least = 0;

	for (i = 0; i < REGION_TRIES; i++) {
		one = json_object_new_object();
		ms = time_region(&request, one);
		if (ms && (!least || ms < least)) {
			least = ms;
			json_object_put(best);
			best = one;
		} else {
			json_object_put(one);
		}
	}
	out_number(out, "ms", least, 3);
	out_number(out, "entries", entry_cnt, 0);
	json_object_object_add(out, "best", best);
	return out;
}

/* --- the table --- */

static double number_of(struct json_object *row, const char *name)
{
	return json_object_get_double(json_object_object_get(row, name));
}

static const char *text_of(struct json_object *row, const char *name)
{
	return json_object_get_string(json_object_object_get(row, name));
}

/* Runs this program again, unless the C library has been told @hwcaps, which it takes from the environment at its start. */
static void again_with(const char *hwcaps, char **argv)
{
	const char *now = getenv("GLIBC_TUNABLES");
	char tunables[200];

	snprintf(tunables, sizeof(tunables), "glibc.cpu.hwcaps=%s", hwcaps ? hwcaps : BENCH_NO_AVX512);
	if (now && !strcmp(now, tunables))
		return;
	if (setenv("GLIBC_TUNABLES", tunables, 1) || execv("/proc/self/exe", argv)) {
		perror("codegen: cannot run again");
		exit(1);
	}
}

/* Runs this program again as a child for @name ("region": that), from @place on; what it prints, or NULL. */
static struct json_object *run_child(const char *name, u32 place)
{
	char path[] = "/proc/self/exe", pairs[16], first[16], line[16384] = "";
	char *args[] = { path, "--child", (char *)name, "--pairs", pairs, "--place", first, options.checks ? "--check" : NULL,
			 NULL };
	size_t len = 0;
	int fds[2], status;
	ssize_t got;
	pid_t pid;

	snprintf(pairs, sizeof(pairs), "%u", options.pairs);
	snprintf(first, sizeof(first), "%u", place);
	if (pipe(fds))
		return NULL;
	pid = fork();
	if (!pid) {
		dup2(fds[1], 1);
		execv(path, args);
		_exit(1);
	}
	close(fds[1]);
	while (len < sizeof(line) - 1 && (got = read(fds[0], line + len, sizeof(line) - 1 - len)) > 0)
		len += got;
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		return NULL;
	return json_tokener_parse(line);
}

/* The medians of all places, and how far apart the middle half of them lies. */
static void sum_up(struct json_object *row)
{
	struct json_object *places = json_object_object_get(row, "places");
	u32 i, k, cnt = places ? json_object_array_length(places) : 0;
	double values[CHILDREN * PLACES];

	for (k = 0; cnt && k < ARRAY_SIZE(place_figures); k++) {
		for (i = 0; i < cnt; i++)
			values[i] = number_of(json_object_array_get_idx(places, i), place_figures[k].name);
		out_number(row, place_figures[k].name, median(values, cnt), place_figures[k].digits);
		if (!strcmp(place_figures[k].name, "guarded"))
			out_number(row, "guarded_spread", values[cnt * 3 / 4] - values[cnt / 4], 3);
	}
}

/* Adds the places of @other to those of @row; what is wrong in one is wrong. */
static void add_places(struct json_object *row, struct json_object *other)
{
	struct json_object *places = json_object_object_get(row, "places"), *more = json_object_object_get(other, "places");
	size_t i;

	if (text_of(other, "wrong") || text_of(other, "why") || !more) {
		out_wrong(row, "another process of it came to nothing");
		return;
	}
	for (i = 0; i < json_object_array_length(more); i++)
		json_object_array_add(places, json_object_get(json_object_array_get_idx(more, i)));
}

static struct json_object *run_children(const char *name)
{
	struct json_object *row = run_child(name, 0), *other;
	u32 i;

	if (!row || !json_object_object_get(row, "places"))
		return row;
	for (i = 1; i < CHILDREN; i++) {
		other = run_child(name, i * PLACES);
		add_places(row, other);
		json_object_put(other);
	}
	sum_up(row);
	return row;
}

/* "spills 0.41 flags 0.12": the largest that the original does not have, in machine instructions for one of it. */
static void reasons(struct json_object *row, char *buf, size_t size)
{
	struct json_object *kinds = json_object_object_get(row, "machine_per_insn_by_kind");
	bool is_told[COST_KINDS] = { [COST_WORK] = true };
	size_t len = 0;
	u32 i, k, best;

	buf[0] = 0;
	for (k = 0; k < 4; k++) {
		for (best = 0, i = 0; i < COST_KINDS; i++)
			if (!is_told[i] && (is_told[best] || number_of(kinds, cost_names[i]) > number_of(kinds, cost_names[best])))
				best = i;
		is_told[best] = true;
		if (number_of(kinds, cost_names[best]) >= 0.005)
			len += snprintf(buf + len, size - len, "%s %.2f  ", cost_names[best], number_of(kinds, cost_names[best]));
	}
}

static double own_share(struct json_object *row)
{
	double accesses = number_of(row, "accesses"), guards = number_of(row, "guards_executed");

	return !accesses ? 1 : guards > accesses ? 0 : 1 - guards / accesses;
}

static void print_row(const char *name, struct json_object *row)
{
	char text[160];

	if (!row) {
		printf("%-12s died\n", name);
	} else if (text_of(row, "why") || text_of(row, "wrong")) {
		printf("%-12s %s\n", name, text_of(row, "why") ? text_of(row, "why") : text_of(row, "wrong"));
	} else {
		reasons(row, text, sizeof(text));
		printf("%-12s %8.0f %9.3f %8.3f %7.3f %7.3f %7.2f %6.2f %6.2f  %s\n", name, number_of(row, "native_ns"),
		       number_of(row, "unguarded"), number_of(row, "guarded"), number_of(row, "guards"),
		       number_of(row, "guarded_same"), own_share(row),
		       number_of(row, "ops_per_insn"), number_of(row, "machine_per_insn"), text);
	}
	fflush(stdout);
}

struct totals {
	u32 all, kernels, wrong;
	double guarded_log, guards_log, unguarded_log, same_log, guarded_max, share;
};

static void add_row(struct totals *totals, struct json_object *row)
{
	totals->all++;
	if (!row || text_of(row, "wrong") || (options.checks && text_of(row, "why")))
		totals->wrong++;
	if (!row || text_of(row, "wrong") || text_of(row, "why"))
		return;
	totals->kernels++;
	totals->guarded_log += log(number_of(row, "guarded"));
	totals->unguarded_log += log(number_of(row, "unguarded"));
	totals->guards_log += log(number_of(row, "guards"));
	totals->same_log += log(number_of(row, "guarded_same"));
	if (number_of(row, "guarded") > totals->guarded_max)
		totals->guarded_max = number_of(row, "guarded");
	totals->share += own_share(row);
}

static bool write_results(const struct totals *totals, struct json_object *rows, struct json_object *region)
{
	double cnt = totals->kernels ? totals->kernels : 1;
	const struct result figures[] = {
		{ "kernels", totals->kernels },
		{ "guarded_over_native_geomean", exp(totals->guarded_log / cnt) },
		{ "guarded_over_native_max", totals->guarded_max },
		{ "guarded_over_native_same_memory_geomean", exp(totals->same_log / cnt) },
		{ "guarded_over_unguarded_geomean", exp(totals->guards_log / cnt) },
		{ "accesses_without_own_guard_share", totals->share / cnt },
		{ "region_2000_insns_ms", number_of(region, "ms") },
	};
	struct json_object *detail = json_object_new_object();
	bool is_good;

	json_object_object_add(detail, "kernels", json_object_get(rows));
	json_object_object_add(detail, "region", json_object_get(region));
	is_good = results_add(options.json, "make bench-codegen", figures, ARRAY_SIZE(figures), "codegen",
			      json_object_to_json_string(detail));
	json_object_put(detail);
	return is_good;
}

static int run_all(void)
{
	struct json_object *rows = json_object_new_array(), *row, *region;
	struct totals totals = { 0 };
	const struct kernel *kernel;
	u32 i;
	bool is_good = true;

	if (!options.checks)
		printf("%-12s %8s %9s %8s %7s %7s %7s %6s %6s  %s\n", "kernel", "native", "unguarded", "guarded", "guards",
		       "same", "no own", "ops", "insns", "machine instructions for one of the original, by reason");
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		for (kernel = groups[i]; kernel->name; kernel++) {
			row = run_children(kernel->name);
			add_row(&totals, row);
			if (!options.checks || !row || text_of(row, "why") || text_of(row, "wrong"))
				print_row(kernel->name, row);
			if (row)
				json_object_array_add(rows, row);
		}
	}
	if (options.checks) {
		printf("%u passed, %u failed\n", totals.all - totals.wrong, totals.wrong);
		return totals.wrong != 0;
	}
	region = run_child("region", 0);
	printf("%u of %u kernels: guarded %.3f of native (worst %.3f; from the same memory again and again %.3f), unguarded "
	       "%.3f, guards %.3f; %.2f of accesses have no guard of their own; a region in %.2f ms\n", totals.kernels,
	       totals.all, exp(totals.guarded_log / totals.kernels), totals.guarded_max,
	       exp(totals.same_log / totals.kernels), exp(totals.unguarded_log / totals.kernels),
	       exp(totals.guards_log / totals.kernels), totals.share / totals.kernels, number_of(region, "ms"));
	if (options.json)
		is_good = write_results(&totals, rows, region);
	json_object_put(rows);
	json_object_put(region);
	return !is_good || totals.wrong ? 1 : 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: codegen [--pairs N] [--json FILE] [--kernel NAME [--dump]] [--check]\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct json_object *out;
	int i;

	for (i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(argv[i], "--dump"))
			options.dumps = true;
		else if (!strcmp(argv[i], "--check"))
			options.checks = true;
		else if (!next)
			return usage();
		else if (!strcmp(argv[i], "--pairs"))
			options.pairs = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--place"))
			options.place = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--json"))
			options.json = argv[++i];
		else if (!strcmp(argv[i], "--kernel"))
			options.kernel = argv[++i];
		else if (!strcmp(argv[i], "--child")) {
			options.kernel = argv[++i];
			options.is_child = true;
		} else
			return usage();
	}
	if (options.pairs < 1 || options.pairs > MAX_PAIRS)
		return usage();
	if (!options.kernel)
		return run_all();
	again_with(find_kernel(options.kernel) ? find_kernel(options.kernel)->hwcaps : NULL, argv);
	if (options.is_child && !strcmp(options.kernel, "region"))
		out = run_region();
	else if (find_kernel(options.kernel))
		out = run_kernel(find_kernel(options.kernel));
	else
		return usage();
	if (!options.is_child)
		sum_up(out);
	printf("%s\n", json_object_to_json_string_ext(out, options.is_child ? 0 : JSON_C_TO_STRING_PRETTY));
	json_object_put(out);
	return 0;
}
