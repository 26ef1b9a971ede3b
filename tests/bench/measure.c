// SPDX-License-Identifier: GPL-2.0
/*
 * measure: runs native code and images in turn, on equal terms.  See measure.h.
 *
 * The runs of a round begin with the same memory, copied just before, so that the caches hold the same of it; in each of
 * the six orders of the variants equally often, since a run finds what the one before left in caches and branch
 * predictors; and all variants have run before the first round that counts.  Runs of the same round are compared, so that
 * what else happens on the machine meets both.  Each round has other memory: predictors learn some thousand branches by
 * heart when the same comes again and again, as few programs have it, and may do so for one variant and not for another.
 * How it is then is measured too.
 */
#include "measure.h"

#include <stdlib.h>

static const u8 orders[][VARIANTS] = {
	{ NATIVE, UNGUARDED, GUARDED }, { GUARDED, UNGUARDED, NATIVE }, { UNGUARDED, NATIVE, GUARDED },
	{ GUARDED, NATIVE, UNGUARDED }, { UNGUARDED, GUARDED, NATIVE }, { NATIVE, GUARDED, UNGUARDED },
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double median(double *values, u32 cnt)
{
	qsort(values, cnt, sizeof(*values), by_value);
	return cnt % 2 ? values[cnt / 2] : (values[cnt / 2 - 1] + values[cnt / 2]) / 2;
}

static double minimum(const double *values, u32 cnt)
{
	double least = values[0];
	u32 i;

	for (i = 1; i < cnt; i++)
		least = values[i] < least ? values[i] : least;
	return least;
}

static double median_ratio(const double *above, const double *below, u32 cnt)
{
	static double ratios[MAX_PAIRS];
	u32 i;

	for (i = 0; i < cnt; i++)
		ratios[i] = above[i] / below[i];
	return median(ratios, cnt);
}

static double ticks_per_ns(void)
{
	static double scale;
	double start = milliseconds(), end;
	u64 ticks = __builtin_ia32_rdtsc();

	if (scale)
		return scale;
	do
		end = milliseconds();
	while (end - start < 20);
	scale = (__builtin_ia32_rdtsc() - ticks) / (end - start) / 1e6;
	return scale;
}

bool measure_agrees(struct subject *subject)
{
	u8 *mem = malloc(BENCH_MEM);
	u64 result, other;
	bool is_whole, is_same = mem;
	u32 i;

	subject_reset(subject);
	result = subject_run(subject, NATIVE, &is_whole);
	if (mem)
		memcpy(mem, subject->mem, BENCH_MEM);
	for (i = UNGUARDED; is_same && i < VARIANTS; i++) {
		subject_reset(subject);
		other = subject_run(subject, i, &is_whole);
		is_same = other == result && !memcmp(mem, subject->mem, BENCH_MEM);
	}
	free(mem);
	return is_same;
}

/* One run of each.  False when results differ; *ret_is_whole: no image was left. */
static bool run_round(struct subject *subject, const u8 order[VARIANTS], double times[VARIANTS], bool *ret_is_whole)
{
	u64 results[VARIANTS];
	bool is_whole;
	u32 k;

	*ret_is_whole = true;
	for (k = 0; k < VARIANTS; k++) {
		subject_reset(subject);
		results[order[k]] = subject_run(subject, order[k], &is_whole);
		times[order[k]] = subject->ticks;
		*ret_is_whole &= is_whole;
	}
	return results[UNGUARDED] == results[NATIVE] && results[GUARDED] == results[NATIVE];
}

/* @pairs rounds in which no image was left, the first with memory of round @nr; false after a wrong one, or too many others. */
static bool run_rounds(struct subject *subject, u32 nr, bool is_same, u32 pairs, double times[VARIANTS][MAX_PAIRS],
		       double *ret_left)
{
	double round[VARIANTS];
	u32 i = 0, k, rounds;
	bool is_whole;

	subject_prepare(subject, nr);
	if (!measure_agrees(subject))
		return false;
	for (rounds = 0; i < pairs; rounds++) {
		if (!is_same)
			subject_prepare(subject, nr + rounds);
		if (rounds == 2 * pairs || !run_round(subject, orders[rounds % ARRAY_SIZE(orders)], round, &is_whole))
			return false;
		for (k = 0; k < VARIANTS; k++)
			times[k][i] = round[k];
		i += is_whole;
	}
	*ret_left = (double)(rounds - pairs) / rounds;
	return true;
}

bool measure(struct subject *subject, u32 nr, u32 pairs, struct measured *ret)
{
	static double times[VARIANTS][MAX_PAIRS];
	double left;

	if (!run_rounds(subject, 0, true, pairs, times, &left))
		return false;
	ret->unguarded_same = median_ratio(times[UNGUARDED], times[NATIVE], pairs);
	ret->guarded_same = median_ratio(times[GUARDED], times[NATIVE], pairs);
	if (!run_rounds(subject, nr * 2 * MAX_PAIRS, false, pairs, times, &ret->left))
		return false;
	ret->native_ns = minimum(times[NATIVE], pairs) / ticks_per_ns();
	ret->unguarded = median_ratio(times[UNGUARDED], times[NATIVE], pairs);
	ret->guarded = median_ratio(times[GUARDED], times[NATIVE], pairs);
	ret->guards = median_ratio(times[GUARDED], times[UNGUARDED], pairs);
	return true;
}
