// SPDX-License-Identifier: GPL-2.0
/*
 * observe: samples for a while, then lifts and verifies what was hot, and reports.  Changes nothing anywhere.
 */
#include "observe.h"

#include <json-c/json.h>
#include <time.h>

#include "heat.h"
#include "policy.h"
#include "region.h"

#define SCHEMA		"ub-observe/1"
#define MAX_CALLS	5
#define MAX_PROCESSES	20
#define MIN_SAMPLES	10	/* fewer say nothing */

static struct json_object *number(u64 value)
{
	return json_object_new_int64(value);
}

static u64 samples_of(const struct heat_process *process)
{
	return process->total_user + process->total_call + process->total_other + process->total_compat;
}

static int by_samples(const void *a, const void *b)
{
	const struct heat_process *const *left = a, *const *right = b;
	u64 x = samples_of(*left), y = samples_of(*right);

	return x < y ? 1 : x > y ? -1 : 0;
}

static int by_total(const void *a, const void *b)
{
	const struct heat_site *left = a, *right = b;

	return left->total < right->total ? 1 : left->total > right->total ? -1 : 0;
}

static void add_calls(struct json_object *item, const struct heat_process *process)
{
	struct json_object *list = json_object_new_array(), *call;
	char ip[24];
	u32 i;

	for (i = 0; i < process->site_cnt && i < MAX_CALLS; i++) {
		call = json_object_new_object();
		snprintf(ip, sizeof(ip), "0x%llx", (unsigned long long)process->sites[i].ip);
		json_object_object_add(call, "call", json_object_new_string(ub_syscall_name(process->sites[i].nr)));
		json_object_object_add(call, "nr", number(process->sites[i].nr));
		json_object_object_add(call, "ip", json_object_new_string(ip));
		json_object_object_add(call, "samples", number(process->sites[i].total));
		json_object_object_add(call, "in_block",
				       json_object_new_boolean(policy_is_hot_call(NULL, process->sites[i].nr)));
		json_object_array_add(list, call);
	}
	json_object_object_add(item, "calls", list);
}

/* Ends by reason: {"unsupported: cpuid": 3, ...}. */
static void add_ends(struct json_object *item, const struct ub_lifted *lifted)
{
	struct json_object *ends = json_object_new_object(), *cnt;
	u32 i;

	for (i = 0; i < lifted->end_cnt; i++) {
		cnt = json_object_object_get(ends, lifted->ends[i].reason);
		json_object_object_add(ends, lifted->ends[i].reason, number(1 + json_object_get_int64(cnt)));
	}
	json_object_object_add(item, "ends", ends);
}

static bool is_lifted(const struct ub_lifted *lifted, u64 ip)
{
	u32 i;

	for (i = 0; i < lifted->range_cnt; i++)
		if (ip - lifted->ranges[i].start < lifted->ranges[i].len)
			return true;
	return false;
}

/* How much of the sampled user code lies in what was lifted, in percent; by the samples of the last interval. */
static void add_coverage(struct json_object *item, const struct ub_lifted *lifted, const struct profile_batch *batch,
			 u32 pid)
{
	u64 all = 0, inside = 0;
	u32 i;

	for (i = 0; i < batch->sample_cnt; i++) {
		if (batch->samples[i].site.pid != pid || batch->samples[i].site.nr != PROFILE_NO_CALL)
			continue;
		all += batch->samples[i].cnt;
		if (is_lifted(lifted, batch->samples[i].site.ip))
			inside += batch->samples[i].cnt;
	}
	json_object_object_add(item, "user_code_lifted_percent", all ? number(inside * 100 / all) : NULL);
}

static void add_lift(struct json_object *item, const struct config *config, const struct heat_process *process,
		     const struct profile_batch *batch,
		     const struct profile *profile)
{
	static struct region region;
	const struct region_env env = { .profile = profile, .max_guest_insns = config->max_guest_insns, .limit = POLICY_USER_LIMIT,
					.may_dispatch = policy_may_dispatch };
	struct json_object *lift = json_object_new_object();
	struct region_lifted lifted;
	u32 i;
	int err;

	json_object_object_add(item, "lift", lift);
	memset(&region, 0, sizeof(region));
	for (i = 0; i < process->site_cnt; i++)
		if (policy_is_hot_call(NULL, process->sites[i].nr))
			region_add_entry(&region, process->sites[i].ip, process->sites[i].nr);
	err = region.entry_cnt ? region_lift(&region, process->pid, &env, &lifted) : -EOPNOTSUPP;
	json_object_object_add(lift, "ok", json_object_new_boolean(!err));
	if (err) {
		json_object_object_add(lift, "error", json_object_new_string(
			!region.entry_cnt ? "no call that a block could make" :
			err == -EOPNOTSUPP ? "nothing useful to lift" : strerror(-err)));
		return;
	}
	json_object_object_add(lift, "guest_insns", number(lifted.lifted->guest_insn_cnt));
	json_object_object_add(lift, "ir_insns", number(lifted.lifted->block.insn_cnt));
	json_object_object_add(lift, "entries", number(lifted.lifted->block.entry_cnt));
	add_coverage(lift, lifted.lifted, batch, process->pid);
	add_ends(lift, lifted.lifted);
	json_object_object_add(lift, "verified", json_object_new_boolean(lifted.is_verified));
	if (!lifted.is_verified) {
		json_object_object_add(lift, "refusal", json_object_new_string(ub_refusal_name(lifted.refusal)));
		json_object_object_add(lift, "refusal_text", json_object_new_string(lifted.log));
	}
	region_lifted_free(&lifted);
}

static void add_process(struct json_object *list, const struct config *config, const struct heat *heat,
			struct heat_process *process, const struct profile_batch *batch,
		     const struct profile *profile)
{
	struct json_object *item = json_object_new_object();
	u64 samples = samples_of(process);
	struct ub_process facts;
	const char *excluded;

	qsort(process->sites, process->site_cnt, sizeof(process->sites[0]), by_total);
	json_object_array_add(list, item);
	json_object_object_add(item, "pid", number(process->pid));
	json_object_object_add(item, "comm", json_object_new_string(process->comm));
	json_object_object_add(item, "samples", number(samples));
	json_object_object_add(item, "cpu_percent", number(heat->total_ticks ?
			       samples * heat->cpu_cnt * 100 / heat->total_ticks : 0));
	json_object_object_add(item, "call_percent", number(process->total_call * 100 / samples));
	add_calls(item, process);
	if (ub_process_read(process->pid, &facts)) {
		json_object_object_add(item, "excluded", json_object_new_string("it is gone"));
		return;
	}
	json_object_object_add(item, "cgroup", json_object_new_string(facts.cgroup));
	json_object_object_add(item, "mode", json_object_new_string(ub_mode_name(policy_mode(config, -1, &facts))));
	excluded = process->total_compat ? "not a 64-bit process" : policy_excluded(config, &facts);
	json_object_object_add(item, "excluded", excluded ? json_object_new_string(excluded) : NULL);
	if (!excluded)
		add_lift(item, config, process, batch, profile);
}

/* Until @seconds are over; leaves the samples of the last interval in *ret. */
static int collect(struct profile *profile, const struct config *config, u32 seconds, struct heat *heat,
		   struct profile_batch *ret)
{
	const struct timespec interval = { config->interval_ms / 1000, config->interval_ms % 1000 * 1000000 };
	struct timespec now, end;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	do {
		nanosleep(&interval, NULL);
		err = profile_drain(profile, ret);
		if (err)
			return err;
		heat_add(heat, ret, profile_cpus(profile));
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	return 0;
}

static struct json_object *report(const struct config *config, struct heat *heat, const struct profile_batch *batch,
		     const struct profile *profile)
{
	struct heat_process *sorted[HEAT_MAX_PROCESSES];
	struct json_object *root = json_object_new_object(), *list = json_object_new_array();
	u32 cnt = 0, i;

	for (i = 0; i < HEAT_MAX_PROCESSES; i++)
		if (heat->processes[i].pid && heat->processes[i].total_call &&
		    samples_of(&heat->processes[i]) >= MIN_SAMPLES)
			sorted[cnt++] = &heat->processes[i];
	qsort(sorted, cnt, sizeof(sorted[0]), by_samples);
	json_object_object_add(root, "schema", json_object_new_string(SCHEMA));
	json_object_object_add(root, "ticks", number(heat->total_ticks));
	json_object_object_add(root, "cpus", number(heat->cpu_cnt));
	json_object_object_add(root, "processes", list);
	for (i = 0; i < cnt && i < MAX_PROCESSES; i++)
		add_process(list, config, heat, sorted[i], batch, profile);
	return root;
}

int observe(const struct config *config, u32 seconds, struct json_object **ret, char *why, size_t why_size)
{
	struct profile_batch batch = { 0 };
	struct profile *profile;
	struct heat *heat;
	int err;

	policy_calls(NULL);
	err = profile_open(config->search_hz, &profile, why, why_size);
	if (err)
		return err;
	heat = calloc(1, sizeof(*heat));
	if (!heat) {
		snprintf(why, why_size, "out of memory");
		profile_close(profile);
		return -ENOMEM;
	}
	heat->keeps = true;
	err = collect(profile, config, seconds, heat, &batch);
	if (err)
		snprintf(why, why_size, "cannot read the samples: %s", strerror(-err));
	else
		*ret = report(config, heat, &batch, profile);
	free(heat);
	profile_close(profile);
	return err;
}
