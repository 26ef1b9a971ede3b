// SPDX-License-Identifier: GPL-2.0
/*
 * verify: any bytes as a block.  What the verifier accepts is interpreted in hostile memory: it breaks no promise, touches
 * nothing at or above LIMIT, stops at the first check when it is asked to, and before each instruction every register
 * is what the verifier says.
 */
#include "../../../ir/interp.h"
#include "../../embed.h"
#include "alloc.h"
#include "input.h"

#define RUNS	4u

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct input input;
static struct ub_state states[INPUT_MAX_INSNS];
static u64 rng_state;

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x2545f4914f6cdd1dull;
}

static u64 any_value(void)
{
	static const u64 corner[] = {
		0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, UB_WINDOW - 8, UB_WINDOW, INPUT_LIMIT - 8, INPUT_LIMIT, INPUT_LIMIT + 1, 0x7fffffffffffffff,
		1ull << 63, -1ull, -2ull, -8ull, -128ull, 0xffff888000000000, UB_HOLD_LOW, UB_HOLD_LOW - 1, INPUT_IP,
	};
	u64 random = rng();

	return random >> 62 ? corner[(random >> 32) % ARRAY_SIZE(corner)] : random >> 61 ? random : random & 0xffff;
}

/* --- the world --- */

static void saw_access(u64 addr, u32 len)
{
	if (addr >= INPUT_LIMIT || INPUT_LIMIT - addr < len)
		input_broken(&input.block, "access of %u bytes at %#llx", len, (unsigned long long)addr);
}

static bool load(void *ctx, u64 addr, u32 len, u64 *ret)
{
	(void)ctx;
	saw_access(addr, len);
	*ret = any_value();
	return rng() >> 58;
}

static bool store(void *ctx, u64 addr, u32 len, u64 val)
{
	(void)ctx;
	(void)val;
	saw_access(addr, len);
	return rng() >> 58;
}

static bool must_yield(void *ctx)
{
	return *(bool *)ctx || !(rng() >> 59);
}

static bool make_call(void *ctx, u64 regs[UB_NGUEST])
{
	(void)ctx;
	regs[UB_RAX] = any_value();
	return rng() >> 61;
}

static void trace(void *ctx, u32 idx, const struct ub_interp *machine, u32 ticks)
{
	(void)ctx;
	if (!embed_state(&states[idx], machine->regs, UB_U32_MAX, ticks, INPUT_LIMIT) ||
	    !embed_bounds(&states[idx], machine->regs, INPUT_LIMIT))
		input_broken(&input.block, "before instruction %u the machine is not in the verifier's state", idx);
}

static void run(u32 entry, bool is_impatient)
{
	struct ub_interp_world world = {
		.ctx = &is_impatient, .load = load, .store = store, .must_yield = must_yield, .syscall = make_call, .trace = trace,
		.limit = INPUT_LIMIT, .fs_base = any_value() & (INPUT_LIMIT - 1),
		.max_steps = is_impatient ? input.block.insn_cnt * (UB_TICKS + 1) : 400,
	};
	struct ub_interp machine = { .flags = rng() & UB_FL_ALL, .mxcsr = 0x1f80 };
	enum ub_left left;
	u32 i;

	for (i = 0; i < UB_TEMPS_END; i++)
		machine.regs[i] = any_value();
	for (i = 0; i < sizeof(machine.v); i++)
		machine.v[i / 32][i % 32] = rng() >> 40;
	left = ub_interp_run(&input.block, &world, input.entries[entry].insn_idx, &machine);
	if (left == UB_LEFT_BUG)
		input_broken(&input.block, "an accepted block breaks a promise at instruction %u", machine.insn_idx);
	if (left == UB_LEFT_STEPS && is_impatient)
		input_broken(&input.block, "an accepted block does not stop");
}

/* Once more, for what it found; with nothing else to log it must come to the same end. */
static void find_states(void)
{
	static const struct ub_verify_env verify_env = { .limit = INPUT_LIMIT };
	struct ub_log log = { 0 };
	struct ub_env *env;

	if (ub_env_verify(&input.block, &verify_env, &log, &env))
		input_broken(&input.block, "accepted, and then refused at %u", log.insn_idx);
	embed_states(env, states);
	ub_env_free(env);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ub_verified *verified;
	u32 i;

	if (!input_read(&input, data, size))
		return 0;
	if (!(input.head.options & 1))
		input_mend(&input);
	if (!input_verify(&input, &verified))
		return 0;
	ub_verified_free(verified);
	alloc_fail_at(0);
	find_states();
	rng_state = input.head.seed * 0x9e3779b97f4a7c15ull + 1;
	for (i = 0; i < RUNS; i++)
		run(i % input.block.entry_cnt, i & 1);
	return 0;
}
