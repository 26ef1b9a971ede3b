// SPDX-License-Identifier: GPL-2.0
/*
 * verify_walks: numbers that move with the ticks, against all concrete ones, for small numbers.
 *
 * All pairs of walks with ends from -3 to 3 and drifts up to 2, at each t from 0 to 4, all their members: the result must
 * hold what the machine computes at that t.  The same for registers of all kinds that hold walks.
 */
#include "../../verifier/env.h"

#define END		3
#define DRIFT		2
#define MAX_T		4u
#define LIMIT		5u		/* a guard is 0..LIMIT */
#define MAX_WALKS	((2 * END + 1) * (2 * END + 1) * (DRIFT + 1) * (DRIFT + 1))

static u64 fail_cnt, check_cnt;
static struct ub_walk walks[MAX_WALKS];
static u32 walk_cnt;

static void expect(bool holds, const char *what, struct ub_walk a, struct ub_walk b, s64 x, u32 t)
{
	check_cnt++;
	if (!holds && fail_cnt++ < 20)
		printf("%s of %lld..%lld+t*%d..%d and %lld..%lld+t*%d..%d: %lld at t=%u\n", what, (long long)a.lo,
		       (long long)a.hi, a.down, a.up, (long long)b.lo, (long long)b.hi, b.down, b.up, (long long)x, t);
}

/* Ends may be crossed: such a walk has members only once t has brought them apart. */
static void make_walks(void)
{
	s64 lo, hi;
	s32 down, up;

	for (lo = -END; lo <= END; lo++)
		for (hi = -END; hi <= END; hi++)
			for (down = -DRIFT; down <= 0; down++)
				for (up = 0; up <= DRIFT; up++)
					walks[walk_cnt++] = (struct ub_walk){ lo, hi, down, up };
}

static s64 first_of(struct ub_walk a, u32 t)
{
	return a.lo + (s64)t * a.down;
}

static s64 last_of(struct ub_walk a, u32 t)
{
	return a.hi + (s64)t * a.up;
}

static void test_one(struct ub_walk a)
{
	struct ub_walk none = { 0 }, scaled, ticked = ub_walk_tick(a), settled = ub_walk_settle(a);
	u32 t, later;
	s64 x;

	for (t = 0; t <= MAX_T; t++)
		for (x = first_of(a, t); x <= last_of(a, t); x++) {
			expect(ub_walk_shl(a, 3, &scaled) && ub_walk_has(scaled, 8 * x, t), "shl", a, none, x, t);
			expect(ub_walk_has(ticked, x, t + 1), "tick", a, none, x, t);
			for (later = 0; later <= MAX_T; later++)
				expect(ub_walk_has(settled, x, later), "settle", a, none, x, later);
		}
	for (t = UB_WALK_TICKS - 1; t <= UB_WALK_TICKS; t++) {
		expect(first_of(a, t) > last_of(a, t) || ub_walk_has(settled, first_of(a, t), 0), "settle", a, none, 0, t);
		expect(first_of(a, t) > last_of(a, t) || ub_walk_has(settled, last_of(a, t), 0), "settle", a, none, 0, t);
	}
}

static void test_two(struct ub_walk a, struct ub_walk b)
{
	struct ub_walk sum, difference, joined = ub_walk_join(a, b), widened = { 0 };
	struct ub_walk_tries tries;
	s64 x, y;
	u32 t, k;

	expect(ub_walk_add(a, b, &sum), "add", a, b, 0, 0);
	expect(ub_walk_sub(a, b, &difference), "sub", a, b, 0, 0);
	for (t = 0; t <= MAX_T; t++) {
		for (x = first_of(a, t); x <= last_of(a, t); x++) {
			expect(ub_walk_has(joined, x, t), "join, left", a, b, x, t);
			for (y = first_of(b, t); y <= last_of(b, t); y++) {
				expect(ub_walk_has(sum, x + y, t), "add", a, b, x + y, t);
				expect(ub_walk_has(difference, x - y, t), "sub", a, b, x - y, t);
			}
		}
		for (y = first_of(b, t); y <= last_of(b, t); y++)
			expect(ub_walk_has(joined, y, t), "join, right", a, b, y, t);
	}
	for (k = 0; k < 9; k += 2)
		for (t = 0; t <= MAX_T; t++) {
			tries = (struct ub_walk_tries){ k, k };
			expect(ub_walk_widen(a, joined, &tries, &widened), "widen", a, b, 0, t);
			expect(first_of(widened, t) <= first_of(joined, t) && last_of(widened, t) >= last_of(joined, t), "widen",
			       a, b, 0, t);
		}
}

/* --- registers --- */

static struct ub_reg reg_of(u8 kind, struct ub_walk walk)
{
	if (kind == UB_REG_SCALAR || !ub_walk_drifts(walk))
		return ub_reg_between(walk.lo, walk.hi < walk.lo ? walk.lo : walk.hi);
	return (struct ub_reg){ .kind = kind, .walk = walk };
}

static bool reg_has(const struct ub_reg *reg, u64 value, u32 t)
{
	u64 guard;

	switch (reg->kind) {
	case UB_REG_SCALAR:
		return ub_bits_has(reg->bits, value) && ub_range_has(reg->range, value);
	case UB_REG_WALKING:
		return ub_walk_has(reg->walk, value, t);
	case UB_REG_GUARDED:
		for (guard = 0; guard <= LIMIT; guard++)
			if (ub_walk_has(reg->walk, value - guard, t))
				return true;
		return false;
	default:
		return true;
	}
}

static void test_regs_of(u8 kind_a, struct ub_walk x, u8 kind_b, struct ub_walk y)
{
	struct ub_reg a = reg_of(kind_a, x), b = reg_of(kind_b, y);
	struct ub_reg sum = ub_reg_sum(&a, &b, LIMIT), difference = ub_reg_difference(&a, &b, LIMIT);
	struct ub_reg joined = ub_reg_join(&a, &b, LIMIT), scaled = ub_reg_scaled(&a, 2, LIMIT), plain = ub_reg_plain(&a, LIMIT);
	struct ub_reg ticked = ub_reg_tick(&a), settled = ub_reg_settle(&a), widened;
	struct ub_walk_tries tries = { 0 };
	struct ub_widen how = { .has_ticks = true, .is_back = true, .must_widen = true, .tries = &tries };
	s64 left, right;
	u32 t;

	widened = ub_reg_widen(&a, &joined, &how, LIMIT);
	for (t = 0; t <= MAX_T; t += 2)
		for (left = -20; left <= 20; left++) {
			if (!reg_has(&a, left, t)) {
				expect(!reg_has(&b, left, t) || reg_has(&joined, left, t), "join of registers", x, y, left, t);
				expect(!reg_has(&joined, left, t) || reg_has(&widened, left, t), "widening", x, y, left, t);
				continue;
			}
			expect(reg_has(&joined, left, t), "join of registers", x, y, left, t);
			expect(reg_has(&widened, left, t), "widening", x, y, left, t);
			expect(reg_has(&plain, left, t), "plain", x, y, left, t);
			expect(reg_has(&ticked, left, t + 1), "tick of a register", x, y, left, t);
			expect(reg_has(&settled, left, 0), "settled register", x, y, left, t);
			expect(reg_has(&scaled, left * 4, t), "scaled", x, y, left, t);
			for (right = -20; right <= 20; right++) {
				if (!reg_has(&b, right, t))
					continue;
				expect(reg_has(&sum, left + right, t), "sum", x, y, left + right, t);
				expect(reg_has(&difference, left - right, t), "difference", x, y, left - right, t);
			}
		}
}

static void test_regs(void)
{
	static const u8 kinds[] = { UB_REG_SCALAR, UB_REG_WALKING, UB_REG_GUARDED };
	u32 i, k, l;

	for (i = 0; i + 7 < walk_cnt; i += 5)
		for (k = 0; k < ARRAY_SIZE(kinds); k++)
			for (l = 0; l < ARRAY_SIZE(kinds); l++) {
				test_regs_of(kinds[k], walks[i], kinds[l], walks[(i * 31 + 7) % walk_cnt]);
				test_regs_of(kinds[k], walks[i], kinds[l], walks[i + 7]);
			}
}

static u64 masked(u8 op, u64 value, u64 mask)
{
	return op == UB_OP_ANDI ? value & mask : op == UB_OP_ORI ? value | mask : value ^ mask;
}

/* Low bits of a pointer or of a number that walks. */
static void test_masks(void)
{
	static const u8 ops[] = { UB_OP_ANDI, UB_OP_ORI, UB_OP_XORI };
	struct ub_insn insn = { .mode = UB_W64, .dst = UB_RDI };
	struct ub_block block = { .insns = &insn, .insn_cnt = 1 };
	struct ub_env env = { .block = &block, .limit = LIMIT };
	struct ub_state state;
	struct ub_reg before;
	u32 i, k, t;
	s64 value, mask;

	for (i = 0; i < walk_cnt; i++)
		for (k = 0; k < ARRAY_SIZE(ops); k++)
			for (mask = -8; mask < 8; mask++) {
				insn.op = ops[k];
				insn.imm = mask;
				ub_state_enter(&state);
				before = reg_of(i % 2 ? UB_REG_WALKING : UB_REG_GUARDED, walks[i]);
				state.regs[UB_RDI] = before;
				ub_step(&env, &state, 0);
				for (t = 0; t <= MAX_T; t++)
					for (value = -20; value <= 20; value++)
						if (reg_has(&before, value, t))
							expect(reg_has(&state.regs[UB_RDI], masked(ops[k], value, mask), t), "mask",
							       walks[i], walks[i], value, t);
			}
}

/* What is too large is said to be so, and never counted wrong. */
static void test_large(void)
{
	struct ub_walk far = ub_walk_between(0, 1ll << 58), fast = { .up = 1 << 30 }, one = { 1, 1, 0, 1 }, sum = one;
	struct ub_walk_tries tries = { 8, 8 };

	expect(!ub_walk_add(far, one, &sum) && ub_walk_equal(sum, one), "too far", far, one, 0, 0);
	expect(!ub_walk_add(fast, one, &sum) && ub_walk_equal(sum, one), "too fast", fast, one, 0, 0);
	expect(!ub_walk_shl(far, 1, &sum), "too far", far, one, 0, 0);
	expect(!ub_walk_widen(one, ub_walk_join(one, far), &tries, &sum), "too fast", one, far, 0, 0);
	expect((u64)UB_WALK_TICKS << 30 > UB_WINDOW, "window", fast, one, 0, 0);
}

/* --- where one rule ends and the next one begins: what is lost too early refuses good blocks --- */

#define MOST_END	(1ll << 58)
#define MOST_DRIFT	(1 << 30)

/* An end and a drift may be as large as that, and no larger. */
static void test_largest(void)
{
	static const struct ub_walk less = { 1 - MOST_END, MOST_END - 1, 1 - MOST_DRIFT, MOST_DRIFT - 1 };
	static const struct ub_walk ones = { -1, 1, -1, 1 };
	static const struct ub_walk beyond[] = { { -2, 1, -1, 1 }, { -1, 2, -1, 1 }, { -1, 1, -2, 1 }, { -1, 1, -1, 2 } };
	const struct ub_walk most = { -MOST_END, MOST_END, -MOST_DRIFT, MOST_DRIFT };
	struct ub_walk sum = ones;
	u32 i;

	expect(ub_walk_add(less, ones, &sum) && ub_walk_equal(sum, most), "the largest", less, ones, 0, 0);
	for (i = 0; i < ARRAY_SIZE(beyond); i++)
		expect(!ub_walk_add(less, beyond[i], &sum) && ub_walk_equal(sum, most), "larger", less, beyond[i], 0, i);
}

/* Both ends grow by @grown from 0; what comes of it after @tries before: false, or how fast they move and where they are. */
static void expect_widened(s64 grown, u8 tries, bool is_good, s64 end, s32 drift)
{
	struct ub_walk old = { 0 }, joined = ub_walk_between(-grown, grown), got = { 0 };
	struct ub_walk want = { -end, end, -drift, drift };
	struct ub_walk_tries both = { tries, tries };

	expect(ub_walk_widen(old, joined, &both, &got) == is_good && (!is_good || ub_walk_equal(got, want)), "widening in steps",
	       joined, got, grown, tries);
}

static void test_widening(void)
{
	struct ub_walk old = { 1ll << 32, 1ll << 32, 0, 0 }, joined = { 5, 1ll << 32, 0, 0 }, got = { 0 };
	struct ub_walk_tries tries = { 1, 1 };

	/* Once it may be chance; then exactly; then by powers of two, however often. */
	expect_widened(3, 0, true, 3, 0);
	expect_widened(3, 1, true, 3, 3);
	expect_widened(3, 3, true, 3, 3);
	expect_widened(3, 4, true, 3, 4);
	expect_widened(4, 4, true, 4, 4);
	expect_widened(3, UB_U8_MAX, true, 3, 4);
	expect_widened(MOST_DRIFT, 1, true, MOST_DRIFT, MOST_DRIFT);
	/* The lower end has nowhere to jump to. */
	expect_widened(MOST_DRIFT + 1ll, 1, false, 0, 0);
	/* An end that jumps: to 0, */
	expect(ub_walk_widen(old, joined, &tries, &got) && ub_walk_equal(got, ub_walk_between(0, 1ll << 32)), "a jump down", old,
	       got, 0, 0);
	tries.lo = 1;
	joined.lo = 1;
	expect(ub_walk_widen(old, joined, &tries, &got) && !got.lo && !got.down, "a jump to 1", old, got, 0, 0);
	tries.lo = 1;
	joined.lo = (1ll << 32) - MOST_DRIFT;
	expect(ub_walk_widen(old, joined, &tries, &got) && got.lo == joined.lo && got.down == -MOST_DRIFT, "no jump yet", old, got,
	       0, 0);
	tries.lo = 1;
	joined.lo = 0;
	expect(!ub_walk_widen(old, joined, &tries, &got), "a jump to where nothing is left", old, joined, 0, 0);
	/* and up to 2^37, but not from there. */
	old = ub_walk_between(0, 0);
	tries.hi = 1;
	joined = ub_walk_between(0, 1ll << 32);
	expect(ub_walk_widen(old, joined, &tries, &got) && ub_walk_equal(got, ub_walk_between(0, 1ll << 37)), "a jump up", old,
	       got, 0, 0);
	tries.hi = 1;
	joined = ub_walk_between(0, 1ll << 37);
	expect(!ub_walk_widen(old, joined, &tries, &got), "a jump from afar", old, joined, 0, 0);
}

/* A count grows by the steps of the widths; what grows out of them walks from there, its lower end where it was. */
static void test_counts(void)
{
	struct ub_walk_tries tries = { 0 };
	struct ub_widen how = { .has_ticks = true, .is_back = true, .must_widen = true, .tries = &tries };
	struct ub_reg old = ub_reg_between(0, 10), joined = ub_reg_between(0, 11), got = ub_reg_widen(&old, &joined, &how, LIMIT);
	struct ub_walk none = { 0 };

	expect(got.kind == UB_REG_SCALAR && ub_reg_max(&got) == 0xff, "a count", none, none, 0, 0);
	tries = (struct ub_walk_tries){ 8, 1 };
	joined = ub_reg_between(0, 0xffffffffull + 16);
	got = ub_reg_widen(&old, &joined, &how, LIMIT);
	expect(got.kind == UB_REG_WALKING && !got.walk.lo && !got.walk.down && got.walk.up == 16, "a count that walks", got.walk,
	       none, 0, 0);
}

/* Equal as walks, whatever lies behind them in memory. */
static void test_equal(void)
{
	struct ub_walk walk = { 1, 2, -3, 4 };
	struct ub_reg a, b = { .kind = UB_REG_WALKING, .walk = walk };

	memset(&a, 0xff, sizeof(a));
	a.kind = UB_REG_WALKING;
	a.is_bounded = false;
	a.walk = walk;
	expect(ub_reg_equal(&a, &b), "equal", walk, walk, 0, 0);
}

static struct ub_reg step_one(const struct ub_insn *insn, struct ub_reg before)
{
	struct ub_block block = { .insns = (struct ub_insn *)insn, .insn_cnt = 1 };
	struct ub_env env = { .block = &block, .limit = LIMIT };
	struct ub_state state;

	ub_state_enter(&state);
	state.regs[UB_RDI] = before;
	ub_step(&env, &state, 0);
	return state.regs[insn->dst];
}

/* What walks goes on walking through what moves it by nothing, and when it is scaled. */
static void test_kept(void)
{
	static const u8 ops[] = { UB_OP_ORI, UB_OP_XORI };
	const struct ub_walk walk = { 1, 2, -3, 4 }, scaled = { 4, 8, -12, 16 };
	struct ub_reg before = { .kind = UB_REG_WALKING, .walk = walk }, got;
	struct ub_insn insn = { .mode = UB_W64, .dst = UB_RDI };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		insn.op = ops[i];
		got = step_one(&insn, before);
		expect(got.kind == UB_REG_WALKING && ub_walk_equal(got.walk, walk), "moved by nothing", walk, got.walk, 0, i);
	}
	insn.op = UB_OP_SHLI;
	insn.imm = 2;
	got = step_one(&insn, before);
	expect(got.kind == UB_REG_WALKING && ub_walk_equal(got.walk, scaled), "scaled", walk, got.walk, 0, 0);
	got = ub_reg_scaled(&before, 2, LIMIT);
	expect(got.kind == UB_REG_WALKING && ub_walk_equal(got.walk, scaled), "scaled", walk, got.walk, 0, 0);
}

/* A result of 32 bits has no more, and an arc across 0 stays one. */
static void test_widths(void)
{
	static const u8 ops[] = { UB_OP_SEXT32, UB_OP_HOLD32, UB_OP_CRC32, UB_OP_MOV, UB_OP_ADD, UB_OP_SUB, UB_OP_RDPID };
	struct ub_insn insn = { .dst = UB_RDI, .src = UB_RSI };
	struct ub_walk none = { 0 };
	struct ub_reg got;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		insn.op = ops[i];
		insn.mode = ops[i] == UB_OP_SEXT32 ? UB_W16 : ops[i] == UB_OP_CRC32 || ops[i] == UB_OP_RDPID ? 0 : UB_W32;
		got = step_one(&insn, ub_reg_any());
		expect(got.kind == UB_REG_SCALAR && ub_reg_max(&got) <= UB_U32_MAX, "more than 32 bits", none, none, 0, ops[i]);
	}
	insn = (struct ub_insn){ .op = UB_OP_RDTSC, .dst = UB_RAX };
	got = step_one(&insn, ub_reg_any());
	expect(ub_reg_max(&got) <= UB_U32_MAX, "more than 32 bits", none, none, 0, UB_OP_RDTSC);
	insn = (struct ub_insn){ .op = UB_OP_ADDI, .mode = UB_W64, .dst = UB_RDI, .imm = 1 };
	got = step_one(&insn, ub_reg_between(0, 2));
	expect(ub_reg_min(&got) == 1 && ub_reg_max(&got) == 3, "a sum", none, none, 0, 0);
	insn = (struct ub_insn){ .op = UB_OP_ADDI, .mode = UB_W64, .dst = UB_RDI, .imm = -1 };
	got = step_one(&insn, ub_reg_between(0, 2));
	insn = (struct ub_insn){ .op = UB_OP_NEG, .mode = UB_W64, .dst = UB_RDI };
	got = step_one(&insn, got);
	expect(got.kind == UB_REG_SCALAR && got.range.lo == -1ull && got.range.span == 2, "an arc across 0", none, none, 0, 0);
}

int main(void)
{
	u32 i, k;

	make_walks();
	for (i = 0; i < walk_cnt; i++) {
		test_one(walks[i]);
		for (k = i % 3; k < walk_cnt; k += 3)
			test_two(walks[i], walks[k]);
	}
	test_regs();
	test_masks();
	test_large();
	test_largest();
	test_widening();
	test_counts();
	test_equal();
	test_kept();
	test_widths();
	printf("%llu values checked\n", (unsigned long long)check_cnt);
	printf("%d passed, %d failed\n", fail_cnt ? 0 : 1, fail_cnt ? 1 : 0);
	return fail_cnt != 0;
}
