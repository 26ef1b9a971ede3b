// SPDX-License-Identifier: GPL-2.0
/*
 * verify_limits: blocks too large for a text file, logs too small for the text, and memory that runs out.
 *
 * It also prints how fast the verifier is, and how long the worst block takes that it knows.
 */
#include <inttypes.h>

#include "../large.h"

static const struct ub_verify_env verify_env = { .limit = 0x7ffffffff000 };
static struct ub_insn insns[UB_MAX_INSNS + 1];
static struct ub_entry entries[UB_MAX_ENTRIES + 1];
static struct ub_block block = { .insns = insns, .entries = entries };
static u32 passed_cnt, failed_cnt;

static void expect(bool holds, const char *what)
{
	if (holds) {
		passed_cnt++;
	} else {
		failed_cnt++;
		printf("FAIL %s\n", what);
	}
}

/* --- memory that runs out: the @fail_at-th allocation from now fails --- */

static u32 alloc_cnt, fail_at;
static s64 live_cnt;

#ifndef __SANITIZE_ADDRESS__
extern void *__libc_calloc(size_t cnt, size_t size);
extern void __libc_free(void *mem);

void *calloc(size_t cnt, size_t size)
{
	void *mem = ++alloc_cnt == fail_at ? NULL : __libc_calloc(cnt, size);

	live_cnt += mem != NULL;
	return mem;
}

void free(void *mem)
{
	live_cnt -= mem != NULL;
	__libc_free(mem);
}
#endif

/* --- blocks --- */

static void reset(void)
{
	memset(insns, 0, sizeof(insns));
	memset(entries, 0, sizeof(entries));
	insns[0] = (struct ub_insn){ .op = UB_OP_INSN, .off = 4, .imm = 0x1000 };
	entries[0] = (struct ub_entry){ .ip = 0x1000 };
	block.entry_cnt = 1;
	block.insn_cnt = 1;
}

static struct ub_insn *put(u8 op, u8 mode, u8 dst, u8 src, s32 off, s64 imm)
{
	struct ub_insn *insn = &insns[block.insn_cnt++];

	*insn = (struct ub_insn){ .op = op, .mode = mode, .dst = dst, .src = src, .off = off, .imm = imm };
	return insn;
}

static void put_many(u32 cnt)
{
	while (cnt--)
		put(UB_OP_ADDI, UB_W64, UB_RAX, 0, 0, 1);
}

static int verify(struct ub_log *log)
{
	struct ub_verified *verified = NULL;
	int err = ub_verify(&block, &verify_env, log, &verified);

	if (err && verified)
		failed_cnt++;
	if (!err)
		ub_verified_free(verified);
	return err;
}

static enum ub_refusal refusal(int want)
{
	struct ub_log log = { 0 };
	int err = verify(&log);

	return err == want ? log.refusal : UB_REFUSE_COUNT;
}

/* Refused so, and the one line that is told contains @text. */
static bool is_told(int want, enum ub_refusal refusal, const char *text)
{
	char line[256];
	struct ub_log log = { .buf = line, .size = sizeof(line) };

	return verify(&log) == want && log.refusal == refusal && strstr(line, text);
}

static void test_sizes(void)
{
	u32 i;

	reset();
	block.insn_cnt = 0;
	expect(is_told(-E2BIG, UB_REFUSE_SIZE, "0 instructions, not between 1 and "),
	       "no instructions");
	reset();
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	block.entry_cnt = 0;
	expect(is_told(-E2BIG, UB_REFUSE_SIZE, "0 entries, not between 1 and "),
	       "no entries");
	reset();
	put(UB_OP_CHECK, 0, 0, 0, 0, 0);
	while (block.insn_cnt < UB_MAX_INSNS - 8002) {
		put_many(8000);
		insns[block.insn_cnt - 1] = (struct ub_insn){ .op = UB_OP_INSN, .off = 4, .imm = 0x2000 };
		put(UB_OP_CHECK, 0, 0, 0, 0, 0);
	}
	put_many(UB_MAX_INSNS - block.insn_cnt - 1);
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	expect(block.insn_cnt == UB_MAX_INSNS && refusal(0) == UB_REFUSE_NONE, "as many instructions as may be");
	insns[block.insn_cnt - 1] = insns[block.insn_cnt - 2];
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	expect(is_told(-E2BIG, UB_REFUSE_SIZE, " instructions, not between 1 and "),
	       "one instruction more");
	reset();
	block.insn_cnt = 0;
	for (i = 0; i < UB_MAX_ENTRIES + 1; i++) {
		entries[i] = (struct ub_entry){ .ip = 0x1000 + i, .insn_idx = i };
		put(UB_OP_INSN, 0, 0, 0, 1, 0x1000 + i);
	}
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	block.entry_cnt = UB_MAX_ENTRIES;
	expect(refusal(0) == UB_REFUSE_NONE, "as many entries as may be");
	block.entry_cnt++;
	expect(is_told(-E2BIG, UB_REFUSE_SIZE, " entries, not between 1 and "),
	       "one entry more");
	reset();
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	entries[0].pad = 1;
	expect(is_told(-EACCES, UB_REFUSE_SHAPE, "entry 0: pad must be zero"),
	       "pad that is not zero");
}

static void test_times(void)
{
	reset();
	put_many(UB_MAX_UNCHECKED - 2);
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	expect(refusal(0) == UB_REFUSE_NONE, "as long without check as may be");
	block.insn_cnt--;
	put_many(1);
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	expect(is_told(-EACCES, UB_REFUSE_UNCHECKED, "more than 10000 instructions without a check"),
	       "one instruction longer");
	/* A detour makes the path longer, a short cut does not make it shorter. */
	insns[1] = (struct ub_insn){ .op = UB_OP_JCC, .off = 9000 };
	expect(refusal(-EACCES) == UB_REFUSE_UNCHECKED, "with a short cut");
	insns[5000] = (struct ub_insn){ .op = UB_OP_INSN, .off = 4, .imm = 0x2000 };
	insns[5001] = (struct ub_insn){ .op = UB_OP_CHECK };
	expect(refusal(-EACCES) == UB_REFUSE_MARK, "and a check on the long way: time passes, marks do not");
	insns[9002] = insns[5000];
	expect(refusal(0) == UB_REFUSE_NONE, "and a mark where the ways meet");
}

/* With ticks the stretches between them are what counts. */
static void test_tick_times(void)
{
	u32 tick, second;

	reset();
	put_many(UB_MAX_UNTICKED - 1);
	tick = block.insn_cnt;
	put(UB_OP_TICK, 0, 0, 0, 0, 0);
	put(UB_OP_INSN, 0, 0, 0, 4, 0x2000);
	put_many(UB_MAX_UNTICKED - 1);
	second = block.insn_cnt;
	put(UB_OP_TICK, 0, 0, 0, 1, 0);
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	put(UB_OP_INSN, 0, 0, 0, 4, 0x2000);
	put(UB_OP_CHECK, 0, 0, 0, 0, 0);
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	insns[tick].off = second + 1 - tick;
	expect(refusal(0) == UB_REFUSE_NONE, "as long without tick as may be");
	insns[tick] = (struct ub_insn){ .op = UB_OP_ADDI, .mode = UB_W64, .imm = 1 };
	expect(is_told(-EACCES, UB_REFUSE_UNCHECKED, "more than 4000 instructions without a check or tick"),
	       "a tick less");
}

/* --- registers in the wrong place: refused for what they are, but not where they are no operands at all --- */

static enum ub_refusal refusal_of(u8 op, u8 mode, u8 dst, u8 src)
{
	reset();
	put(op, mode, dst, src, 0, 0);
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	return refusal(-EACCES);
}

static void test_places(void)
{
	expect(refusal_of(UB_OP_CMPI, UB_W64, UB_FS, 0) == UB_REFUSE_REGISTER, "fs is compared");
	expect(refusal_of(UB_OP_MOVI, UB_W64, UB_FS, 0) == UB_REFUSE_REGISTER, "fs is written");
	expect(refusal_of(UB_OP_ZEXT, UB_W32, UB_FS, UB_RAX) == UB_REFUSE_REGISTER, "fs is written whole");
	expect(refusal_of(UB_OP_MOV, UB_W64, UB_RAX, UB_FS) == UB_REFUSE_REGISTER, "fs is the source");
	expect(refusal_of(UB_OP_CHECK, 0, UB_FS, 0) == UB_REFUSE_SHAPE, "fs in a field without a use");
	expect(refusal_of(UB_OP_CHECK, 0, 0, UB_FS) == UB_REFUSE_SHAPE, "fs as a source without a use");
	expect(refusal_of(UB_OP_HOLD, 0, UB_GUARDS, 0) == UB_REFUSE_REGISTER, "a guard is held");
	expect(refusal_of(UB_OP_HOLD, 0, UB_TEMPS_END + 1, 0) == UB_REFUSE_SHAPE, "what is no register is held");
	expect(refusal_of(UB_OP_GUARD, 0, UB_GUARDS_END, UB_RAX) == UB_REFUSE_REGISTER, "guard into the next temporary");
	expect(refusal_of(UB_OP_GUARD, 0, UB_TEMPS_END + 1, UB_RAX) == UB_REFUSE_SHAPE, "guard into no register");
}

/* --- the log --- */

static void make_refused(void)
{
	reset();
	put(UB_OP_GUARD, 0, UB_GUARDS, UB_RBX, 0, UB_ADDR_IMM(UB_NOREG, 0));
	put(UB_OP_BSWAP, UB_W64, UB_GUARDS, 0, 0, 0);
	put(UB_OP_LOAD, UB_W64, UB_RAX, UB_GUARDS, 0, 0);
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
}

static void test_log(void)
{
	static char whole[4096], part[4096];
	struct ub_log log = { .buf = whole, .size = sizeof(whole), .level = 2 };
	bool is_right = true;
	u32 size, len;

	make_refused();
	verify(&log);
	len = log.len;
	expect(len && !log.truncated && strlen(whole) == len, "a log with room");
	expect(log.refusal == UB_REFUSE_UNGUARDED && log.insn_idx == 3 && log.user_ip == 0x1000, "what the log says");
	expect(strstr(whole, "insn 3 at 0x1000: load of 8 bytes through r16, which is not guarded\n"), "the line");
	expect(strstr(whole, "\n  insn 2 (bswap.64 r16): r16=guard+0"), "the states of level 2");
	expect(strstr(whole, "why: r16=any since insn 2 (bswap.64 r16)"), "the cause");
	expect(strstr(whole, "try: "), "the suggestion");
	for (size = 0; size <= len + 1; size++) {
		memset(part, 0x55, sizeof(part));
		log = (struct ub_log){ .buf = size ? part : NULL, .size = size, .level = 2 };
		verify(&log);
		is_right &= part[size] == 0x55 && log.refusal == UB_REFUSE_UNGUARDED;
		is_right &= log.truncated == (size && size <= len);
		is_right &= !size || (strlen(part) == log.len && log.len < size && !memcmp(part, whole, log.len));
	}
	expect(is_right, "logs of every size");
	expect(verify(NULL) == -EACCES, "no log at all");
	log = (struct ub_log){ .buf = whole, .size = sizeof(whole), .level = 0 };
	verify(&log);
	expect(strchr(whole, '\n') == whole + log.len - 1, "one line at level 0");
}

static void test_names(void)
{
	u32 i, j;
	bool is_right = true;

	for (i = 0; i < UB_REFUSE_COUNT; i++) {
		is_right &= ub_refusal_name(i) && *ub_refusal_name(i);
		for (j = 0; j < i; j++)
			is_right &= strcmp(ub_refusal_name(i), ub_refusal_name(j)) != 0;
	}
	expect(is_right, "a name of its own for each refusal");
	expect(ub_refusal_name(UB_REFUSE_COUNT), "a name for none of them");
}

static void test_verified(void)
{
	struct ub_verified *verified;

	reset();
	put(UB_OP_CHECK, 0, 0, 0, 0, 0);
	put(UB_OP_JCC, UB_MODE(0, 0, UB_CC_NE), 0, 0, -2, 0);
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	if (ub_verify(&block, &verify_env, NULL, &verified)) {
		expect(false, "a loop");
		return;
	}
	expect(ub_verified_block(verified) == &block, "the block");
	expect(ub_verified_limit(verified) == verify_env.limit, "the limit");
	expect(ub_verified_is_label(verified, 0) && ub_verified_is_label(verified, 1), "entry and target are labels");
	expect(!ub_verified_is_label(verified, 2) && !ub_verified_is_label(verified, 3), "others are not");
	expect(!ub_verified_is_label(verified, UB_U32_MAX), "nor what is outside");
	ub_verified_free(verified);
	ub_verified_free(NULL);
}

static void test_memory(void)
{
	s64 live;
	u32 i, total;

	reset();
	put(UB_OP_EXIT, 0, 0, 0, 0, 0x1000);
	fail_at = 0;
	alloc_cnt = 0;
	live = live_cnt;
	verify(NULL);
	total = alloc_cnt;
	for (i = 1; i <= total; i++) {
		alloc_cnt = 0;
		fail_at = i;
		expect(refusal(-ENOMEM) == UB_REFUSE_NONE, "out of memory");
	}
	fail_at = 0;
	expect(live_cnt == live, "all memory given back");
}

/* --- speed --- */

static enum ub_refusal measure(const struct ub_block *large, const char *what)
{
	enum ub_refusal refusal;
	double best = large_verify(large, 5, &refusal);

	printf("%s: %u instructions, %.2f ms, %.2f M/s, %s\n", what, large->insn_cnt, best * 1e3,
	       large->insn_cnt / best / 1e6, refusal == UB_REFUSE_NONE ? "accepted" : ub_refusal_name(refusal));
	expect(best < 2, "in bounded time");
	return refusal;
}

static void test_large(void)
{
	expect(measure(large_straight(UB_MAX_INSNS), "straight line") == UB_REFUSE_NONE, "a straight line");
	expect(measure(large_branchy(UB_MAX_INSNS), "branches and short loops") == UB_REFUSE_NONE, "branches and short loops");
	expect(measure(large_slow(600), "slow to settle") == UB_REFUSE_NONE, "many turns");
	expect(measure(large_slow(UB_MAX_INSNS), "slow to settle") == UB_REFUSE_WORK, "too many turns");
	block = *large_slow(UB_MAX_INSNS);
	expect(is_told(-EACCES, UB_REFUSE_WORK, "the states have not settled after 1600000 steps"), "how much work it was");
	expect(measure(large_loops(UB_MAX_INSNS / 2, 4), "loops in loops, four deep") == UB_REFUSE_NONE, "loops four deep");
	measure(large_loops(UB_MAX_INSNS, 40), "loops in loops, forty deep");
	measure(large_loops(1000, 60), "loops in loops, sixty deep");
}

int main(void)
{
	test_sizes();
	test_times();
	test_tick_times();
	test_places();
	test_log();
	test_names();
	test_verified();
	test_memory();
	test_large();
	printf("%u passed, %u failed\n", passed_cnt, failed_cnt);
	return failed_cnt != 0;
}
