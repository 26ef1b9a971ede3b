/* SPDX-License-Identifier: GPL-2.0 */
/* heat: which processes spend their time in system calls, and in which.  Pure: samples in, verdicts out. */
#ifndef UBD_HEAT_H
#define UBD_HEAT_H

#include "profile.h"

#define HEAT_MAX_PROCESSES	256
#define HEAT_MAX_SITES		64

/* A count of this interval and of the one before: together the window. */
struct heat_count {
	u32 now;
	u32 before;
};

struct heat_site {
	u64 ip;				/* right behind the syscall instruction */
	u32 nr;
	struct heat_count cnt;
	u64 total;			/* since the process was first seen */
};

struct heat_process {
	u32 pid;			/* 0: a free slot */
	u64 start_ns;
	u64 cgroup_id;
	char comm[16];
	struct heat_count user, call, other, compat;
	u64 total_user, total_call, total_other, total_compat;
	struct heat_site sites[HEAT_MAX_SITES];
	u32 site_cnt;
	u32 age;			/* intervals in a row */
};

struct heat {
	struct heat_process processes[HEAT_MAX_PROCESSES];
	struct heat_count ticks;	/* of all CPUs */
	u64 total_ticks;
	u32 cpu_cnt;
	bool keeps;			/* processes that fell silent stay: a report wants them */
};

struct heat_limits {
	u32 min_samples;
	u32 min_share;			/* percent of one CPU */
	bool (*is_hot_call)(void *ctx, u32 nr);	/* may this call be made in a block? */
	void *ctx;
};

/*
 * COLD; WARM: worth a closer look, sampled faster; HOT: over both limits.  A verdict needs time to have passed: with
 * 100 ticks a CPU in the window, a process with 50 samples has 50 % of one CPU.
 */
enum heat_verdict { HEAT_COLD, HEAT_WARM, HEAT_HOT };

/* Begins a new interval with what was seen in it. */
void heat_add(struct heat *heat, const struct profile_batch *batch, u32 cpu_cnt);
enum heat_verdict heat_judge(const struct heat *heat, const struct heat_process *process,
			     const struct heat_limits *limits);
/* Percent of one CPU in the window; may be above 100 with several threads. */
u32 heat_share(const struct heat *heat, const struct heat_process *process);
struct heat_process *heat_find(struct heat *heat, u32 pid);

static inline u32 heat_sum(struct heat_count cnt)
{
	return cnt.now + cnt.before;
}

#endif
