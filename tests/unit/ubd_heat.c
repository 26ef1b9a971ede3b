// SPDX-License-Identifier: GPL-2.0
/* heat: who is hot, who only looks so. */
#include <ubd/heat.h>

static u32 passed, failed;
static struct heat heat;

static void expect(bool holds, const char *what)
{
	if (holds) {
		passed++;
		return;
	}
	failed++;
	printf("FAIL %s\n", what);
}

/* Call 39 may be made in a block, no other. */
static bool only_getppid(void *ctx, u32 nr)
{
	(void)ctx;
	return nr == 39;
}

static const struct heat_limits limits = { .min_samples = 10, .min_share = 30, .is_hot_call = only_getppid };

/* One interval in which process 7 had @call samples in call @nr and @user in user mode, of @ticks on @cpus CPUs. */
static void interval(u64 ticks, u32 cpus, u32 nr, u32 call, u32 user, u64 start)
{
	const u32 pid = 7;
	const struct profile_process process = { .start_ns = start, .call = call, .user = user, .comm = "seven" };
	const struct profile_sample sample = { { .pid = 7, .nr = nr, .ip = 0x401002 }, call };
	const struct profile_batch batch = {
		.ticks = ticks, .pids = &pid, .processes = &process, .process_cnt = call || user,
		.samples = &sample, .sample_cnt = call != 0,
	};

	heat_add(&heat, &batch, cpus);
}

static enum heat_verdict judge(void)
{
	struct heat_process *process = heat_find(&heat, 7);

	return process ? heat_judge(&heat, process, &limits) : HEAT_COLD;
}

static void fresh(void)
{
	memset(&heat, 0, sizeof(heat));
}

static void test_verdicts(void)
{
	fresh();
	interval(100, 1, 39, 20, 20, 1);
	expect(judge() == HEAT_HOT, "20 of 100 samples in the call, 40 %");
	fresh();
	interval(100, 1, 39, 9, 40, 1);
	expect(judge() == HEAT_WARM, "one sample too few");
	interval(100, 1, 39, 1, 40, 1);
	expect(judge() == HEAT_HOT, "the window is two intervals");
	fresh();
	interval(100, 1, 39, 10, 19, 1);
	expect(judge() == HEAT_WARM, "29 % of a CPU");
	fresh();
	interval(100, 1, 39, 10, 20, 1);
	expect(judge() == HEAT_HOT, "30 % of a CPU");
	fresh();
	interval(400, 4, 39, 10, 20, 1);
	expect(judge() == HEAT_HOT, "30 % of one CPU of four");
	fresh();
	interval(100, 1, 0, 50, 50, 1);
	expect(judge() == HEAT_COLD, "a call that blocks do not make");
	fresh();
	interval(100, 1, 39, 0, 100, 1);
	expect(judge() == HEAT_COLD, "user code only");
	fresh();
	interval(10, 1, 39, 3, 1, 1);
	expect(judge() == HEAT_WARM, "few samples at the idle rate ask for more");
	fresh();
	expect(judge() == HEAT_COLD && heat_find(&heat, 0) == NULL, "nobody");
}

static void test_memory(void)
{
	u32 i;

	fresh();
	interval(100, 1, 39, 50, 50, 1);
	interval(100, 1, 39, 0, 0, 1);
	expect(judge() == HEAT_HOT, "the interval before still counts");
	interval(100, 1, 39, 0, 0, 1);
	expect(!heat_find(&heat, 7), "silence is forgotten");
	fresh();
	heat.keeps = true;
	for (i = 0; i < 5; i++)
		interval(100, 1, 39, i == 0, 0, 1);
	expect(heat_find(&heat, 7) && heat_find(&heat, 7)->total_call == 1, "unless a report wants it");
	fresh();
	interval(100, 1, 39, 50, 50, 1);
	interval(100, 1, 39, 1, 1, 2);
	expect(heat_find(&heat, 7)->total_call == 1, "a new process under an old id starts anew");
}

static void test_bounds(void)
{
	static struct profile_sample samples[3 * HEAT_MAX_SITES];
	static u32 pids[2 * HEAT_MAX_PROCESSES];
	static struct profile_process processes[2 * HEAT_MAX_PROCESSES];
	struct profile_batch batch = { .ticks = 1, .pids = pids, .processes = processes, .samples = samples };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = i + 1;
		processes[i].call = 1;
		memset(processes[i].comm, 'x', sizeof(processes[i].comm));
	}
	for (i = 0; i < ARRAY_SIZE(samples); i++)
		samples[i] = (struct profile_sample){ { .pid = 1, .nr = 39, .ip = i }, 1 };
	batch.process_cnt = ARRAY_SIZE(pids);
	batch.sample_cnt = ARRAY_SIZE(samples);
	fresh();
	heat_add(&heat, &batch, 1);
	expect(heat_find(&heat, HEAT_MAX_PROCESSES) && !heat_find(&heat, HEAT_MAX_PROCESSES + 1), "full of processes");
	expect(heat_find(&heat, 1)->site_cnt == HEAT_MAX_SITES, "full of sites");
	expect(strlen(heat_find(&heat, 1)->comm) == 15, "names end");
	batch.samples = samples + HEAT_MAX_SITES;
	batch.sample_cnt = 1;
	heat_add(&heat, &batch, 1);
	heat_add(&heat, &batch, 1);
	heat_add(&heat, &batch, 1);
	expect(heat_find(&heat, 1)->site_cnt == 1, "old sites make room");
}

int main(void)
{
	test_verdicts();
	test_memory();
	test_bounds();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
