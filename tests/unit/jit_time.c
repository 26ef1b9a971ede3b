// SPDX-License-Identifier: GPL-2.0
/*
 * jit_time: do interpreter and image read the time and the number of the processor?
 *
 * Nobody can foresee them, so no other test compares them: each reading must lie between one made before and one made
 * behind, and the number must be that of a processor that we were on, as the kernel tells it.  Not all processors have
 * RDTSCP and RDPID; an image with one that is not there is not run, and a line says so.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <sched.h>
#include <x86intrin.h>

#include "../../ir/parse.h"
#include "../harness.h"

enum needs { NOTHING, RDTSCP, RDPID, NEEDS_COUNT };

static const struct { enum needs needs; const char *text; } programs[] = {
	{ NOTHING, "entry 0x1000:\n insn 0x1000 +3\n rdtsc\n exit 0x1003\n" },
	{ RDPID, "entry 0x1000:\n insn 0x1000 +3\n rdtsc\n rdpid r1\n exit 0x1003\n" },
	{ RDTSCP, "entry 0x1000:\n insn 0x1000 +3\n rdtscp r1\n exit 0x1003\n" },
	{ RDTSCP, "entry 0x1000:\n insn 0x1000 +3\n rdtscp r9\n insn 0x1003 +3\n mov.64 r1, r9\n exit 0x1006\n" },
	{ RDPID, "entry 0x1000:\n insn 0x1000 +3\n fence 1\n fence 2\n rdtsc\n rdpid r18\n mov.64 r1, r18\n exit 0x1003\n" },
};

static const struct ub_interp_world world = { .limit = 0x7ffffffff000 };
static bool is_there[NEEDS_COUNT];
static u32 passed, failed;

static void find_what_is_there(void)
{
	u32 a, b, c, d;

	is_there[NOTHING] = true;
	is_there[RDTSCP] = __get_cpuid(0x80000001, &a, &b, &c, &d) && d & 1u << 27;
	is_there[RDPID] = __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 1u << 22;
}

static u64 read_time(u32 *ret_number)
{
	unsigned int processor = 0, node = 0;
	u64 time;

	getcpu(&processor, &node);
	*ret_number = node << 12 | processor;
	_mm_lfence();
	time = __rdtsc();
	_mm_lfence();
	return time;
}

static void check(u32 program, const char *who, const struct ub_interp *state, u64 before, u32 from, u64 behind, u32 to)
{
	u64 time = state->regs[UB_RDX] << 32 | state->regs[UB_RAX], number = state->regs[UB_RCX];
	bool is_good = time > before && time < behind && state->regs[UB_RAX] == (u32)time &&
		       (number == from || number == to || programs[program].needs == NOTHING);

	passed += is_good;
	failed += !is_good;
	if (!is_good)
		printf("jit_time: program %u, %s: %llx between %llx and %llx, processor %llu, not %u or %u\n", program, who,
		       (unsigned long long)time, (unsigned long long)before, (unsigned long long)behind,
		       (unsigned long long)number, from, to);
}

static void try_one(u32 program, const struct ub_verified *verified, bool is_image)
{
	struct ub_interp state = { 0 };
	enum ub_exit_kind kind;
	u32 from, to;
	u64 before = read_time(&from), behind;

	memset(state.regs, 0xa5, sizeof(state.regs));
	if (is_image && ub_harness_run(verified, &world, 0, &state, &kind, NULL))
		state.regs[UB_RDX] = 0;
	else if (!is_image)
		ub_interp_run(ub_verified_block(verified), &world, 0, &state);
	behind = read_time(&to);
	check(program, is_image ? "image" : "interpreter", &state, before, from, behind, to);
}

int main(void)
{
	const struct ub_verify_env env = { .limit = world.limit };
	u32 i;

	find_what_is_there();
	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		struct ub_log log = { 0 };
		struct ub_parse_error error;
		struct ub_verified *verified;
		struct ub_block *block;

		if (ub_block_parse(programs[i].text, &block, &error) || ub_verify(block, &env, &log, &verified)) {
			printf("jit_time: program %u is refused\n", i);
			failed++;
			continue;
		}
		try_one(i, verified, false);
		if (is_there[programs[i].needs])
			try_one(i, verified, true);
		else
			printf("jit_time: program %u is not run as an image: this processor has no %s\n", i,
			       programs[i].needs == RDTSCP ? "rdtscp" : "rdpid");
		ub_verified_free(verified);
		ub_block_free(block);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
