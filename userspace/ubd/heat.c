// SPDX-License-Identifier: GPL-2.0
/*
 * heat: keeps a bounded table of the processes that were sampled, over a window of two intervals.
 *
 * Time is counted in clock ticks of the sampler itself, not in seconds: where samples get lost (a slow virtual
 * machine), process and clock lose alike.
 */
#include "heat.h"

static void count_shift(struct heat_count *cnt)
{
	cnt->before = cnt->now;
	cnt->now = 0;
}

static u32 process_samples(const struct heat_process *process)
{
	return heat_sum(process->user) + heat_sum(process->call) + heat_sum(process->other) +
	       heat_sum(process->compat);
}

static void process_shift(struct heat_process *process)
{
	u32 i, kept = 0;

	process->age++;
	count_shift(&process->user);
	count_shift(&process->call);
	count_shift(&process->other);
	count_shift(&process->compat);
	for (i = 0; i < process->site_cnt; i++)
		count_shift(&process->sites[i].cnt);
	if (process->site_cnt < HEAT_MAX_SITES)
		return;
	/* A full table makes room by dropping what was not seen lately. */
	for (i = 0; i < process->site_cnt; i++)
		if (process->sites[i].cnt.before)
			process->sites[kept++] = process->sites[i];
	process->site_cnt = kept;
}

struct heat_process *heat_find(struct heat *heat, u32 pid)
{
	u32 i;

	for (i = 0; i < HEAT_MAX_PROCESSES; i++)
		if (pid && heat->processes[i].pid == pid)
			return &heat->processes[i];
	return NULL;
}

static struct heat_process *find_free(struct heat *heat)
{
	u32 i;

	for (i = 0; i < HEAT_MAX_PROCESSES; i++)
		if (!heat->processes[i].pid)
			return &heat->processes[i];
	return NULL;
}

static void add_process(struct heat *heat, u32 pid, const struct profile_process *seen)
{
	struct heat_process *process = heat_find(heat, pid);

	if (process && process->start_ns != seen->start_ns)
		memset(process, 0, sizeof(*process));	/* the id was used again */
	else if (!process)
		process = find_free(heat);
	if (!process)
		return;
	process->pid = pid;
	process->start_ns = seen->start_ns;
	process->cgroup_id = seen->cgroup_id;
	memcpy(process->comm, seen->comm, sizeof(process->comm));
	process->comm[sizeof(process->comm) - 1] = 0;
	process->user.now = seen->user;
	process->call.now = seen->call;
	process->other.now = seen->other;
	process->compat.now = seen->compat;
	process->total_user += seen->user;
	process->total_call += seen->call;
	process->total_other += seen->other;
	process->total_compat += seen->compat;
}

static void add_site(struct heat *heat, const struct profile_sample *sample)
{
	struct heat_process *process = heat_find(heat, sample->site.pid);
	struct heat_site *site;

	if (!process || sample->site.nr == PROFILE_NO_CALL)
		return;
	for (site = process->sites; site < process->sites + process->site_cnt; site++)
		if (site->ip == sample->site.ip && site->nr == sample->site.nr)
			break;
	if (site == process->sites + HEAT_MAX_SITES)
		return;
	if (site == process->sites + process->site_cnt) {
		*site = (struct heat_site){ .ip = sample->site.ip, .nr = sample->site.nr };
		process->site_cnt++;
	}
	site->cnt.now += sample->cnt;
	site->total += sample->cnt;
}

void heat_add(struct heat *heat, const struct profile_batch *batch, u32 cpu_cnt)
{
	struct heat_process *process;
	u32 i;

	count_shift(&heat->ticks);
	heat->ticks.now = batch->ticks;
	heat->total_ticks += batch->ticks;
	heat->cpu_cnt = cpu_cnt;
	for (i = 0; i < HEAT_MAX_PROCESSES; i++) {
		process = &heat->processes[i];
		if (!process->pid)
			continue;
		process_shift(process);
		if (!process_samples(process) && !heat->keeps)
			process->pid = 0;
		if (!process->pid)
			memset(process, 0, sizeof(*process));
	}
	for (i = 0; i < batch->process_cnt; i++)
		add_process(heat, batch->pids[i], &batch->processes[i]);
	for (i = 0; i < batch->sample_cnt; i++)
		add_site(heat, &batch->samples[i]);
}

u32 heat_share(const struct heat *heat, const struct heat_process *process)
{
	u64 ticks = heat_sum(heat->ticks);

	if (!ticks)
		return 0;
	return (u64)process_samples(process) * heat->cpu_cnt * 100 / ticks;
}

static u32 hot_calls(const struct heat_process *process, const struct heat_limits *limits)
{
	u32 cnt = 0, i;

	for (i = 0; i < process->site_cnt; i++)
		if (limits->is_hot_call(limits->ctx, process->sites[i].nr))
			cnt += heat_sum(process->sites[i].cnt);
	return cnt;
}

enum heat_verdict heat_judge(const struct heat *heat, const struct heat_process *process,
			     const struct heat_limits *limits)
{
	u32 cnt = hot_calls(process, limits), share = heat_share(heat, process);

	if (cnt >= limits->min_samples && share >= limits->min_share)
		return HEAT_HOT;
	/* Few samples make a rough share: half of the limit is enough for a closer look. */
	if (cnt >= 2 && share >= limits->min_share / 2)
		return HEAT_WARM;
	return HEAT_COLD;
}
