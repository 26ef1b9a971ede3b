// SPDX-License-Identifier: GPL-2.0
/*
 * lockstep: does each instruction of a program do what its block says?
 *
 *	lockstep [--most N] [--outside N] [--results FILE] PROGRAM...
 *
 * Runs each program twice: alone, for its output, and one instruction at a time.  What the lifter takes is interpreted,
 * and run as an image, before the processor runs it; then registers, flags and memory must agree, and at the end the
 * output.  Functions that are called again are compared whole as well (region.c).  Of what runs in code that is not the
 * program's own (the C library) the first N instructions are compared; calls that were made often from one place with
 * nothing new in them, and what comes after the first --most, run at full speed.  A case is an instruction or a function
 * of a program, however often it ran, or a program's output.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../results.h"
#include "lockstep.h"

#define MAX_SHOWN	10	/* differences told for a program */
#define MAX_DULL	20	/* calls from one place without anything new; those after it run at full speed */
#define NEW		4	/* times that an instruction is new, */
#define OLD		32	/* and from which on it is old: straight code that is, runs at full speed */
#define MAX_DEPTH	64
#define DIRECTION_FLAG	0x400u
#define MAX_NAMES	400

struct totals {
	u64 steps, compared, left, not_lifted, regions;
	u32 cases, failed;
};

/* Instructions that are not lifted: how often they ran. */
static struct { char name[24]; u64 cnt; } names[MAX_NAMES];
static u32 name_cnt, shown;
/* Calls that are being made, and how much was new before each. */
static struct { struct entry *entry; u64 ret, rsp, news; } calls[MAX_DEPTH];
static u32 depth;
static u64 news;
static struct totals totals;

static void count_name(const char *name)
{
	u32 i;

	for (i = 0; i < name_cnt && strcmp(names[i].name, name); i++)
		;
	if (i == MAX_NAMES)
		return;
	if (i == name_cnt) {
		snprintf(names[name_cnt++].name, sizeof(names[0].name), "%s", name);
		names[i].cnt = 0;
	}
	names[i].cnt++;
}

static void complain(const struct entry *entry, const struct guest *before, const char *what)
{
	u32 i;

	if (shown++ >= MAX_SHOWN)
		return;
	printf("  %#llx %s:", (unsigned long long)entry->ip, entry->name);
	for (i = 0; i < entry->len; i++)
		printf(" %02x", entry->bytes[i]);
	printf(": %s\n   ", what);
	for (i = 0; i < UB_NGUEST; i++)
		printf(" r%u=%llx", i, (unsigned long long)before->regs[i]);
	printf(" flags=%x\n", before->flags);
}

static void advance(struct tracee *tracee, const struct entry *entry)
{
	/* A step over pushf would show in what it pushes; rep would be one of its rounds. */
	if (entry && entry->len && (entry->is_rep || entry->is_pushf) && !tracee->signal)
		tracee_run_to(tracee, entry->ip + entry->len, 0);
	else
		tracee_step(tracee);
}

static void enter_call(struct entry *entry, const struct tracee *tracee)
{
	if (depth == MAX_DEPTH)
		depth = 0;		/* longjmp() */
	calls[depth].entry = entry;
	calls[depth].ret = entry->ip + entry->len;
	calls[depth].rsp = tracee->regs.rsp;
	calls[depth++].news = news;
}

static void leave_calls(const struct tracee *tracee)
{
	while (depth && calls[depth - 1].ret == tracee->regs.rip && calls[depth - 1].rsp <= tracee->regs.rsp) {
		struct entry *entry = calls[--depth].entry;

		entry->dull = calls[depth].news == news ? entry->dull + 1 : 0;
	}
}

/* One instruction; or a call as a whole, if those before it from here were dull. */
static void step(struct tracee *tracee)
{
	struct entry *entry = tracee->signal ? NULL : entry_get(tracee, tracee->regs.rip);
	struct guest before;
	const char *what;
	bool is_predicted;

	if (entry && entry->is_call) {
		if (entry->dull >= MAX_DULL) {
			tracee_run_to(tracee, entry->ip + entry->len, tracee->regs.rsp);
			return;
		}
		enter_call(entry, tracee);
	}
	news += entry && entry->seen++ < NEW;
	totals.steps++;
	if (!entry || entry->why || tracee->regs.eflags & DIRECTION_FLAG) {
		totals.not_lifted++;
		if (entry && entry->why && *entry->why)
			count_name(entry->name);
		advance(tracee, entry);
		if (entry && !tracee->is_over && !tracee->signal)
			entry_went(entry, tracee->regs.rip);
		return;
	}
	guest_take(&before, tracee);
	is_predicted = compare_predict(tracee, entry, &before);
	advance(tracee, entry);
	if (!is_predicted || tracee->is_over) {
		entry->left++;
		totals.left++;
		return;
	}
	entry->compared++;
	totals.compared++;
	what = compare_check(tracee, entry, &before);
	if (what && !entry->is_different)
		complain(entry, &before, what);
	entry->is_different |= what != NULL;
}

/* Its own code, and where a call out of it comes back to: 0 when it was none. */
struct own {
	u64 from, to;
	u64 back, back_rsp;
};

static bool is_own(const struct own *own, u64 ip)
{
	return ip >= own->from && ip < own->to;
}

/* It is about to run what is not its own. */
static void note_way_back(struct own *own, const struct tracee *tracee)
{
	own->back_rsp = tracee->regs.rsp + 8;
	if (!tracee_read(tracee, tracee->regs.rsp, &own->back, 8) || !is_own(own, own->back))
		own->back = 0;
}

/* _start hands main() to the C library in its first argument. */
static void run_to_main(struct tracee *tracee, const struct own *own)
{
	tracee_run_to(tracee, tracee_entry(tracee), 0);
	while (!tracee->is_over && is_own(own, tracee->regs.rip))
		step(tracee);
	if (!tracee->is_over && is_own(own, tracee->regs.rdi))
		tracee_run_to(tracee, tracee->regs.rdi, 0);
}

/* Where straight code that is old ends. */
static u64 skip_old(const struct tracee *tracee)
{
	const struct entry *entry;
	u64 ip = tracee->regs.rip;

	while ((entry = entry_find(ip)) && entry->seen >= OLD && entry->is_straight)
		ip += entry->len;
	return ip;
}

/* A call that has been made before: all of the function at once. */
static bool try_region(struct tracee *tracee, const struct entry *call)
{
	struct guest before;
	struct entry *entry;
	const char *what;

	if (tracee->is_over || tracee->signal || !call || !call->is_call || call->seen < NEW)
		return false;
	guest_take(&before, tracee);
	if (!region_try(tracee, &entry, &what))
		return false;
	totals.regions++;
	if (what)
		complain(entry, &before, what);
	return true;
}

static void run_steps(struct tracee *tracee, const char *path, u64 outside, u64 most)
{
	struct own own = { 0 };
	bool was_own = true;

	tracee_code(tracee, path, &own.from, &own.to);
	run_to_main(tracee, &own);
	while (!tracee->is_over && totals.steps < most) {
		bool is_inside = is_own(&own, tracee->regs.rip);
		u64 next = tracee->signal ? tracee->regs.rip : skip_old(tracee);

		leave_calls(tracee);
		if (was_own && !is_inside)
			note_way_back(&own, tracee);
		was_own = is_inside;
		if (next - tracee->regs.rip > 12) {
			tracee_run_to(tracee, next, 0);
		} else if (is_inside || outside) {
			const struct entry *entry = tracee->signal ? NULL : entry_get(tracee, tracee->regs.rip);
			u64 rsp = tracee->regs.rsp;

			outside -= !is_inside;
			step(tracee);
			if (try_region(tracee, entry) && is_inside) {
				own.back = entry->ip + entry->len;
				own.back_rsp = rsp;
				was_own = false;
			}
		} else if (own.back) {
			tracee_run_to(tracee, own.back, own.back_rsp);
		} else {
			break;
		}
	}
	tracee_run(tracee);
}

static void count_entry(struct entry *entry, void *ctx)
{
	(void)ctx;
	totals.cases += entry->compared != 0;
	totals.failed += entry->is_different;
}

static void report(const char *path, bool is_same_output)
{
	u32 i, k;

	printf("%s: %llu instructions, %llu compared, %llu left to the processor, %llu not lifted; %llu calls of functions "
	       "compared; %u cases, %u differ%s\n", path, (unsigned long long)totals.steps,
	       (unsigned long long)totals.compared, (unsigned long long)totals.left,
	       (unsigned long long)totals.not_lifted, (unsigned long long)totals.regions, totals.cases, totals.failed,
	       is_same_output ? "" : "; the output differs");
	for (i = 0; i < name_cnt; i++)
		for (k = i + 1; k < name_cnt; k++)
			if (names[k].cnt > names[i].cnt) {
				__typeof__(names[0]) other = names[i];

				names[i] = names[k];
				names[k] = other;
			}
	printf("  not lifted:");
	for (i = 0; i < name_cnt && i < 24; i++)
		printf(" %s %llu", names[i].name, (unsigned long long)names[i].cnt);
	printf("%s\n", name_cnt > 24 ? " ..." : "");
}

/* --- output --- */

static int open_output(void)
{
	return memfd_create("output", 0);
}

static bool is_same_file(int a, int b)
{
	struct stat x, y;
	char buf[2][65536];
	ssize_t len;

	if (fstat(a, &x) || fstat(b, &y) || x.st_size != y.st_size || lseek(a, 0, SEEK_SET) || lseek(b, 0, SEEK_SET))
		return false;
	while ((len = read(a, buf[0], sizeof(buf[0]))) > 0)
		if (read(b, buf[1], sizeof(buf[1])) != len || memcmp(buf[0], buf[1], len))
			return false;
	return len == 0;
}

static bool run_alone(char **argv, int out, int *ret_status)
{
	struct tracee tracee;
	bool is_good = tracee_start(&tracee, argv, out);

	if (is_good)
		tracee_run(&tracee);
	tracee_end(&tracee);
	*ret_status = tracee.status;
	return is_good;
}

/* One program; false when it cannot be run at all. */
static bool run_program(const char *path, u64 outside, u64 most, struct totals *sum)
{
	char *argv[] = { (char *)path, NULL };
	int alone = open_output(), stepped = open_output(), status;
	struct tracee tracee;
	bool is_same;

	memset(&totals, 0, sizeof(totals));
	name_cnt = shown = depth = 0;
	if (alone < 0 || stepped < 0 || !run_alone(argv, alone, &status) || !tracee_start(&tracee, argv, stepped))
		return false;
	run_steps(&tracee, path, outside, most);
	tracee_end(&tracee);
	is_same = is_same_file(alone, stepped) && tracee.status == status;
	close(alone);
	close(stepped);
	entries_each(count_entry, NULL);
	regions_each(count_entry, NULL);
	report(path, is_same);
	entries_free();
	regions_free();
	sum->compared += totals.compared;
	sum->steps += totals.steps;
	sum->regions += totals.regions;
	sum->cases += totals.cases + 1;
	sum->failed += totals.failed + !is_same;
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "most", required_argument, NULL, 'm' }, { "outside", required_argument, NULL, 'o' },
		 { "results", required_argument, NULL, 'r' }, { 0 },
	};
	const char *results = NULL;
	struct totals sum = { 0 };
	u64 outside = 20000, most = 1000000;
	char detail[300];
	cpu_set_t cpus;
	int opt, i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (opt == 'm')
			most = strtoull(optarg, NULL, 0);
		else if (opt == 'o')
			outside = strtoull(optarg, NULL, 0);
		else if (opt == 'r')
			results = optarg;
		else
			return 2;
	}
	/* On one processor: the two wait for each other anyway. */
	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	if (!compare_init())
		return 1;
	for (i = optind; i < argc; i++) {
		if (run_program(argv[i], outside, most, &sum))
			continue;
		printf("%s: cannot be run\n", argv[i]);
		sum.failed++;
	}
	snprintf(detail, sizeof(detail), "%d programs, %llu instructions run, %llu compared, %llu calls of whole functions "
		 "compared; %llu of all these as images too", argc - optind, (unsigned long long)sum.steps,
		 (unsigned long long)sum.compared, (unsigned long long)sum.regions,
		 (unsigned long long)compare_jit_runs);
	printf("lockstep: %s\n", detail);
	if (results) {
		const struct result figures[] = {
			{ "outside_suite_cases", sum.cases }, { "outside_suite_failed", sum.failed },
		};

		if (!results_add(results, "make suite-outside", figures, ARRAY_SIZE(figures), "outside", detail)) {
			perror("lockstep: results");
			sum.failed++;
		}
	}
	printf("%u passed, %u failed\n", sum.cases - sum.failed, sum.failed);
	return sum.failed != 0;
}
