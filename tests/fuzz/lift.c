// SPDX-License-Identifier: GPL-2.0
/*
 * lift: does what the lifter makes do what the processor does?
 *
 *	lift [--seconds N | --programs N] [--seed N] [--only TEXT] [--forms FILE] [--results FILE]
 *
 * Goes round all forms of instructions that the lifter takes; each turn is one instruction of a form, or a short
 * sequence, in many states (trial.c).  What differs is shrunk and printed (shrink.c).  Ends with one line
 * "N passed, N failed", a form being a test.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <time.h>

#include "fuzz.h"
#include "../results.h"

#define STATES		160	/* in which a program is tried */
#define MAX_SHOWN	25	/* differences that are shrunk */
#define SEQUENCE_SHARE	4	/* one program of so many is a sequence */

struct options {
	u32 seconds;
	u64 programs;
	u64 seed;
	const char *only, *forms, *results;
};

struct totals {
	u64 programs, sequences, comparisons, skipped, faults;
	u64 not_lifted, unexplained;
	u32 shown;
};

static struct totals totals;

static double seconds_by(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static void count(struct form *form, const struct verdict *verdict)
{
	if (verdict->is_skipped) {
		totals.skipped++;
		return;
	}
	totals.comparisons++;
	totals.faults += verdict->has_faulted;
	if (!form)
		return;
	form->comparisons++;
	form->faults += verdict->has_faulted;
	form->early += verdict->is_early;
	form->excepted |= verdict->undefined;
}

static void show(struct program *program, const struct state *start, const struct verdict *verdict)
{
	totals.unexplained++;
	if (totals.shown++ < MAX_SHOWN)
		shrink_and_print(program, start, verdict);
}

static void run_states(struct program *program, struct form *form)
{
	static const u8 open[2] = { 3, 3 };
	struct verdict verdict = { 0 };
	struct state state;
	u32 i;

	cpu_put_program(program);
	cpu_protect(open);
	state_fresh(program, &state);
	cpu_protect(program->prot);
	for (i = 0; i < STATES && !verdict.is_different; i++) {
		state_random(program, &state);
		trial_run(program, &state, &verdict);
		count(form, &verdict);
	}
	if (!verdict.is_different)
		return;
	if (form)
		form->differences++;
	show(program, &state, &verdict);
}

/* A block that the lifter made but that is no block is a bug as well. */
static void complain(const struct program *program, const char *what)
{
	char text[600];

	program_text(program, text, sizeof(text));
	if (totals.shown++ < MAX_SHOWN)
		printf("\n# %s: %s\n# %s\n", what, text, program->why);
	totals.unexplained++;
}

static void run_program(struct program *program, struct form *form)
{
	enum made made;

	if (!program_layout(program))
		return;
	made = program_make(program);
	totals.programs++;
	if (form)
		form->programs++;
	if (made == MADE) {
		run_states(program, form);
	} else if (made == MADE_NOT_LIFTED) {
		totals.not_lifted++;
		if (form) {
			form->left_out++;
			snprintf(form->not_lifted, sizeof(form->not_lifted), "%.40s", program->why);
		}
	} else {
		complain(program, made == MADE_REFUSED ? "the verifier refuses" : "does not compile");
		if (form)
			form->differences++;
	}
	program_free(program);
}

static void run_form(struct form *form)
{
	static struct program program;
	struct insn insn;

	if (form->differences > 3 || (form->left_out > 20 && !form->comparisons))
		return;
	if (!build_insn(form, false, &insn))
		return;
	program_single(&program, &insn);
	run_program(&program, form);
}

static void run_sequence(void)
{
	static struct program program;

	program_sequence(&program);
	totals.sequences++;
	run_program(&program, NULL);
}

/* Round and round until the time or the number of programs is reached. */
static void run_all(const struct options *options, double end)
{
	u64 turn;

	for (turn = 0; options->programs ? totals.programs < options->programs : seconds_by(CLOCK_MONOTONIC) < end; turn++) {
		struct form *form = &forms[tried[turn % tried_cnt]];

		if (!options->only || strstr(form->name, options->only))
			run_form(form);
		if (turn % (SEQUENCE_SHARE - 1) == 0 && !options->only)
			run_sequence();
		if (turn > 1000 * (u64)tried_cnt && !totals.programs)
			break;
	}
}

static bool parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' }, { "programs", required_argument, NULL, 'p' },
		{ "seed", required_argument, NULL, 'S' }, { "only", required_argument, NULL, 'o' },
		{ "forms", required_argument, NULL, 'f' }, { "results", required_argument, NULL, 'r' }, { 0 },
	};
	int opt;

	*ret = (struct options){ .seconds = 60, .seed = 1 };
	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (opt) {
		case 's': ret->seconds = atoi(optarg); break;
		case 'p': ret->programs = strtoull(optarg, NULL, 0); break;
		case 'S': ret->seed = strtoull(optarg, NULL, 0); break;
		case 'o': ret->only = optarg; break;
		case 'f': ret->forms = optarg; break;
		case 'r': ret->results = optarg; break;
		default: return false;
		}
	}
	return optind == argc;
}

static u32 covered(u32 *ret_differing)
{
	u32 i, cnt = 0;

	*ret_differing = 0;
	for (i = 0; i < tried_cnt; i++) {
		cnt += forms[tried[i]].comparisons != 0;
		*ret_differing += forms[tried[i]].differences != 0;
	}
	return cnt;
}

static bool write_results(const struct options *options, double seconds)
{
	u32 differing, cnt = covered(&differing);
	const struct result figures[] = {
		{ "comparisons", totals.comparisons }, { "unexplained", totals.unexplained }, { "forms", cnt },
	};
	char detail[256];

	snprintf(detail, sizeof(detail), "seed %llu, %.0f s of processor time, %.0f comparisons/s, %llu programs, %llu of them sequences, "
		 "%llu faults", (unsigned long long)options->seed, seconds, totals.comparisons / seconds,
		 (unsigned long long)totals.programs, (unsigned long long)totals.sequences,
		 (unsigned long long)totals.faults);
	return results_add(options->results, "make fuzz-lift", figures, ARRAY_SIZE(figures), "fuzz", detail);
}

static void report(const struct options *options, double seconds)
{
	u32 differing, cnt = covered(&differing);

	printf("fuzz: seed %llu: %llu comparisons in %.1f s of processor time (%.0f/s) over %u forms, %llu programs, %llu sequences\n",
	       (unsigned long long)options->seed, (unsigned long long)totals.comparisons, seconds,
	       totals.comparisons / seconds, cnt, (unsigned long long)totals.programs,
	       (unsigned long long)totals.sequences);
	printf("fuzz: %llu faults, %llu states left out, %llu programs not lifted, %llu unexplained\n",
	       (unsigned long long)totals.faults, (unsigned long long)totals.skipped,
	       (unsigned long long)totals.not_lifted, (unsigned long long)totals.unexplained);
}

int main(int argc, char **argv)
{
	struct options options;
	double start = seconds_by(CLOCK_MONOTONIC), seconds;
	u32 differing, cnt;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!parse_options(argc, argv, &options)) {
		fprintf(stderr, "usage: lift [--seconds N | --programs N] [--seed N] [--only TEXT] [--forms FILE] "
			"[--results FILE]\n");
		return 2;
	}
	fuzz_seed = options.seed * 0x9e3779b97f4a7c15ull | 1;
	if (!insn_init() || !cpu_init() || !forms_find()) {
		perror("fuzz");
		return 1;
	}
	run_all(&options, start + options.seconds);
	seconds = seconds_by(CLOCK_PROCESS_CPUTIME_ID);
	report(&options, seconds);
	cnt = covered(&differing);
	if ((options.results && !write_results(&options, seconds)) || (options.forms && !report_forms(options.forms))) {
		perror("fuzz: results");
		return 1;
	}
	printf("%u passed, %u failed\n", cnt - differing, totals.unexplained && !differing ? 1 : differing);
	return totals.unexplained != 0;
}
