// SPDX-License-Identifier: GPL-2.0
/* large: blocks of any size that are much work for the verifier.  See large.h. */
#include "large.h"

#include <time.h>

#define IP	0x1000u
#define LIMIT	0x7ffffffff000ull

static struct ub_insn insns[UB_MAX_INSNS];
static struct ub_entry entry = { .ip = IP };
static struct ub_block block = { .insns = insns, .entries = &entry, .entry_cnt = 1 };

static void reset(void)
{
	insns[0] = (struct ub_insn){ .op = UB_OP_INSN, .off = 4, .imm = IP };
	block.insn_cnt = 1;
}

static void put(u8 op, u8 mode, u8 dst, u8 src, s32 off, s64 imm)
{
	insns[block.insn_cnt++] = (struct ub_insn){ .op = op, .mode = mode, .dst = dst, .src = src, .off = off, .imm = imm };
}

static void mark(void)
{
	put(UB_OP_INSN, 0, 0, 0, 4, IP + block.insn_cnt);
}

static void mark_and_check(void)
{
	mark();
	put(UB_OP_CHECK, 0, 0, 0, 0, 0);
}

static const struct ub_block *finish(void)
{
	put(UB_OP_EXIT, 0, 0, 0, 0, IP);
	return &block;
}

const struct ub_block *large_straight(u32 cnt)
{
	reset();
	while (block.insn_cnt < cnt - 8) {
		mark_and_check();
		put(UB_OP_GUARD, 0, UB_GUARDS, UB_RBX, 8, UB_ADDR_IMM(UB_RCX, 3));
		put(UB_OP_LOAD, UB_W64, UB_T0 + 2, UB_GUARDS, 16, 0);
		put(UB_OP_ADD, UB_MODE(UB_W64, 1, 0), UB_RAX, UB_T0 + 2, 0, 0);
	}
	return finish();
}

const struct ub_block *large_branchy(u32 cnt)
{
	reset();
	while (block.insn_cnt < cnt - 8) {
		mark_and_check();
		put(UB_OP_JCC, UB_MODE(0, 0, UB_CC_E), 0, 0, 1, 0);
		put(UB_OP_MOVI, UB_W32, UB_RAX, 0, 0, block.insn_cnt);
		mark_and_check();
		put(UB_OP_ADD, UB_W32, UB_RCX, UB_RAX, 0, 0);
		put(UB_OP_JCC, UB_MODE(0, 0, UB_CC_NE), 0, 0, -8, 0);
	}
	return finish();
}

const struct ub_block *large_slow(u32 cnt)
{
	u32 i, head;

	reset();
	for (i = 0; i < UB_TEMPS_END; i++) {
		put(UB_OP_MOVI, UB_W64, i, 0, 0, 0);
		mark();
		put(UB_OP_BOUND, 0, 0, i, 0, 0);
	}
	head = block.insn_cnt;
	mark_and_check();
	for (i = 0; i + 1 < UB_TEMPS_END; i++)
		put(UB_OP_MOV, UB_W64, i, i + 1, 0, 0);
	put(UB_OP_MOVI, UB_W64, i, 0, 0, 0);
	while (block.insn_cnt < cnt - 4)
		if (block.insn_cnt % 5000)
			put(UB_OP_JCC, UB_MODE(0, 0, UB_CC_E), 0, 0, 0, 0);
		else
			mark_and_check();
	put(UB_OP_JCC, UB_MODE(0, 0, UB_CC_NE), 0, 0, (s32)head - (s32)block.insn_cnt - 1, 0);
	return finish();
}

static const u8 walkers[] = {
	UB_RAX, UB_RCX, UB_RDX, UB_RBX, UB_RSI, UB_RDI, UB_R12, UB_R13, UB_R14, UB_R15, UB_GUARDS, UB_GUARDS + 1,
};

/* One nest; all its ticks lead to the renewal that stands at the end of a block of @cnt. */
static void put_nest(u32 cnt, u32 depth)
{
	u32 heads[64], level, i;

	for (level = 0; level < depth; level++) {
		heads[level] = block.insn_cnt;
		mark();
		i = level % ARRAY_SIZE(walkers);
		put(level % 3 ? UB_OP_ADDI : UB_OP_SUBI, UB_W64, walkers[i], 0, 0, 1 + level * 7);
		put(UB_OP_JCC, UB_MODE(0, 0, UB_CC_E), 0, 0, 1, 0);
		put(UB_OP_ADDI, UB_W64, walkers[(i + 1) % ARRAY_SIZE(walkers)], 0, 0, 3 + level);
	}
	while (level--) {
		mark();
		put(UB_OP_TICK, 0, 0, 0, (s32)cnt - 3 - (s32)block.insn_cnt - 1, 0);
		mark();
		put(UB_OP_JCC, UB_MODE(0, 0, UB_CC_NE), 0, 0, (s32)heads[level] - (s32)block.insn_cnt - 1, 0);
	}
}

const struct ub_block *large_loops(u32 cnt, u32 depth)
{
	u32 i;

	reset();
	for (i = 0; i + 2 < ARRAY_SIZE(walkers); i++)
		put(UB_OP_HOLD, 0, walkers[i], 0, 0, 0);
	for (; i < ARRAY_SIZE(walkers); i++)
		put(UB_OP_GUARD, 0, walkers[i], UB_RAX, 0, UB_ADDR_IMM(UB_NOREG, 0));
	while (block.insn_cnt + depth * 12 < cnt)
		put_nest(cnt, depth);
	while (block.insn_cnt < cnt - 4)
		mark();
	finish();
	put(UB_OP_INSN, 0, 0, 0, 4, IP);
	put(UB_OP_CHECK, 0, 0, 0, 0, 0);
	return finish();
}

double large_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

double large_verify(const struct ub_block *large, u32 tries, enum ub_refusal *ret_refusal)
{
	static const struct ub_verify_env env = { .limit = LIMIT };
	struct ub_verified *verified;
	struct ub_log log = { 0 };
	double least = 1e9, start, time;
	int err = 0;

	while (tries--) {
		start = large_seconds();
		err = ub_verify(large, &env, &log, &verified);
		time = large_seconds() - start;
		least = time < least ? time : least;
		if (!err)
			ub_verified_free(verified);
	}
	*ret_refusal = err ? log.refusal : UB_REFUSE_NONE;
	return least;
}
