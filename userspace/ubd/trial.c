// SPDX-License-Identifier: GPL-2.0
/* trial: does a block pay?  See trial.h. */
#include "trial.h"

#include <time.h>

#define MIN_CALLS	200		/* a window has at least so many */
#define MIN_CPU_NS	10000000ull	/* and so much processor time */
#define MAX_WAIT_NS	300000000ull	/* for the native figure */
#define MAX_RECHECK_NS	2000000000ull
#define TOLERANCE	1.01
#define MAX_WORSE	2

/* Processor time of the whole process, 0 when it is gone. */
static u64 cpu_ns(u32 pid)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &time))
		return 0;
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static u64 all_calls(const struct ub_session_info *info)
{
	return info->calls + info->native_calls;
}

void trial_begin(struct trial *trial, u32 pid, const struct ub_session_info *info, u64 now)
{
	trial->cpu_ns = cpu_ns(pid);
	trial->calls = all_calls(info);
	trial->since_ns = now;
}

/* The window so far.  False: too short. */
static bool window(const struct trial *trial, u32 pid, const struct ub_session_info *info, u64 *ret_ns, u64 *ret_calls)
{
	u64 cpu = cpu_ns(pid), calls = all_calls(info);

	if (!trial->cpu_ns || cpu < trial->cpu_ns + MIN_CPU_NS || calls < trial->calls + MIN_CALLS)
		return false;
	*ret_ns = cpu - trial->cpu_ns;
	*ret_calls = calls - trial->calls;
	return true;
}

bool trial_learn_native(struct trial *trial, u32 pid, const struct ub_session_info *info, u64 now)
{
	u64 ns, calls;

	if (window(trial, pid, info, &ns, &calls)) {
		trial->native_ns = (double)ns / calls;
		return true;
	}
	return now > trial->since_ns + MAX_WAIT_NS;
}

enum trial_verdict trial_add(struct trial *trial, u64 cpu_ns, u64 calls)
{
	double ns = (double)cpu_ns / calls;

	if (trial->is_recheck) {
		trial->is_recheck = false;
		trial->worse_cnt = 0;
		trial->native_ns = ns;
		return ns * TOLERANCE < trial->block_ns ? TRIAL_BAD : TRIAL_CLEARED;
	}
	trial->block_ns = ns;
	if (!trial->native_ns || ns <= trial->native_ns * TOLERANCE) {
		trial->worse_cnt = 0;
		return TRIAL_GOOD;
	}
	if (++trial->worse_cnt < MAX_WORSE)
		return TRIAL_GOOD;
	trial->is_recheck = true;
	return TRIAL_SUSPECT;
}

enum trial_verdict trial_judge(struct trial *trial, u32 pid, const struct ub_session_info *info, u64 now)
{
	enum trial_verdict verdict;
	u64 ns, calls;

	if (!window(trial, pid, info, &ns, &calls)) {
		if (!trial->is_recheck || now < trial->since_ns + MAX_RECHECK_NS)
			return TRIAL_WAIT;
		/* The program hardly calls any more: nothing to hold against the block. */
		trial->is_recheck = false;
		trial->worse_cnt = 0;
		return TRIAL_CLEARED;
	}
	verdict = trial_add(trial, ns, calls);
	trial_begin(trial, pid, info, now);
	return verdict;
}
