// SPDX-License-Identifier: GPL-2.0
/*
 * verify_values: the verifier's values against all concrete ones, at small widths and at the places where it matters.
 *
 * Every set of bits that 4 bits can say, moved to the bottom, across bit 32 and to the top; every arc of up to 16
 * values around 0, 2^31, 2^32 and 2^63.  For each pair of them, all members: the result must hold what the machine
 * computes.  Where an operation promises to lose nothing, that is tested too.
 */
#include <inttypes.h>

#include "../../verifier/reg.h"
#include "../../verifier/verify.h"

static u64 fail_cnt, check_cnt;

static void fail(const char *what, u64 a, u64 b, u64 result)
{
	if (fail_cnt++ < 20)
		printf("%s: of 0x%" PRIx64 " and 0x%" PRIx64 ": 0x%" PRIx64 " is missing or too much\n", what, a, b, result);
}

static void expect(bool holds, const char *what, u64 a, u64 b, u64 result)
{
	check_cnt++;
	if (!holds)
		fail(what, a, b, result);
}

/* --- the machine's operations --- */

#define BINARY(name, expr) static u64 name(u64 a, u64 b) { return expr; }
BINARY(c_add, a + b)
BINARY(c_sub, a - b)
BINARY(c_and, a & b)
BINARY(c_or, a | b)
BINARY(c_xor, a ^ b)
BINARY(c_mul, a * b)
BINARY(c_left, ((void)b, a))
BINARY(c_right, ((void)a, b))
BINARY(c_shl, a << b)
BINARY(c_shr, a >> b)
BINARY(c_sar, (u64)((s64)a >> b))
BINARY(c_zext, b == 64 ? a : a & ((1ull << b) - 1))
BINARY(c_sext, (u64)((s64)(a << (64 - b)) >> (64 - b)))

typedef u64 (*concrete_fn)(u64 a, u64 b);

/* --- bits --- */

struct bits_op {
	const char *name;
	struct ub_bits (*abstract)(struct ub_bits a, struct ub_bits b);
	concrete_fn concrete;
	bool is_best;		/* no set of bits that holds all results is smaller */
};

static const struct bits_op bits_ops[] = {
	{ "bits add", ub_bits_add, c_add, true },
	{ "bits sub", ub_bits_sub, c_sub, true },
	{ "bits and", ub_bits_and, c_and, true },
	{ "bits or", ub_bits_or, c_or, true },
	{ "bits xor", ub_bits_xor, c_xor, true },
	{ "bits mul", ub_bits_mul, c_mul, false },
	{ "bits join, left", ub_bits_join, c_left, false },
	{ "bits join, right", ub_bits_join, c_right, false },
};

struct unary_op {
	const char *name;
	struct ub_bits (*bits)(struct ub_bits a, u32 n);
	struct ub_range (*range)(struct ub_range a, u32 n);
	struct ub_reg (*reg)(const struct ub_reg *a, u32 n);
	concrete_fn concrete;
	u32 max;
};

static const struct unary_op unary_ops[] = {
	{ "shl", ub_bits_shl, ub_range_shl, ub_reg_shl, c_shl, 63 },
	{ "shr", ub_bits_shr, ub_range_shr, ub_reg_shr, c_shr, 63 },
	{ "sar", ub_bits_sar, ub_range_sar, ub_reg_sar, c_sar, 63 },
	{ "zext", ub_bits_zext, ub_range_zext, ub_reg_zext, c_zext, 64 },
	{ "sext", ub_bits_sext, ub_range_sext, ub_reg_sext, c_sext, 64 },
};

static const u32 counts[] = { 1, 2, 3, 4, 8, 16, 29, 31, 32, 33, 60, 62, 63, 64 };

/* The nth of the 81 sets that 4 bits can say, moved up by @pos.  False when there are no more. */
static bool nth_bits(u32 n, u32 pos, struct ub_bits *ret)
{
	u32 bit;

	*ret = ub_bits_const(0);
	for (bit = 0; bit < 4; bit++, n /= 3) {
		if (n % 3 == 1)
			ret->value |= 1ull << (bit + pos);
		if (n % 3 == 2)
			ret->mask |= 1ull << (bit + pos);
	}
	return !n;
}

/* The member after @x, or the first one again. */
static u64 next_member(struct ub_bits a, u64 x)
{
	return a.value | (((x | ~a.mask) + 1) & a.mask);
}

static void test_bits_pair(const struct bits_op *op, struct ub_bits a, struct ub_bits b)
{
	struct ub_bits result = op->abstract(a, b), best = { 0 };
	u64 x = a.value, y = b.value;
	bool is_first = true;

	expect(!(result.value & result.mask), op->name, a.value, b.value, result.value);
	do {
		do {
			u64 z = op->concrete(x, y);

			expect(ub_bits_has(result, z), op->name, x, y, z);
			best = is_first ? ub_bits_const(z) : ub_bits_join(best, ub_bits_const(z));
			is_first = false;
			y = next_member(b, y);
		} while (y != b.value);
		x = next_member(a, x);
	} while (x != a.value);
	if (op->is_best)
		expect(ub_bits_equal(best, result), op->name, a.value, b.value, result.mask);
}

static void test_bits_unary(const struct unary_op *op, struct ub_bits a)
{
	u64 x = a.value;
	u32 i;

	do {
		for (i = 0; i < ARRAY_SIZE(counts) && counts[i] <= op->max; i++)
			expect(ub_bits_has(op->bits(a, counts[i]), op->concrete(x, counts[i])), op->name, x, counts[i],
			       op->concrete(x, counts[i]));
		x = next_member(a, x);
	} while (x != a.value);
}

static void test_bits(void)
{
	static const u32 places[] = { 0, 30, 60 };
	struct ub_bits a, b;
	u32 i, j, k, l, op;

	for (k = 0; k < ARRAY_SIZE(places); k++)
		for (i = 0; nth_bits(i, places[k], &a); i++) {
			for (op = 0; op < ARRAY_SIZE(unary_ops); op++)
				test_bits_unary(&unary_ops[op], a);
			for (l = 0; l < ARRAY_SIZE(places); l++)
				for (j = 0; nth_bits(j, places[l], &b); j++)
					for (op = 0; op < ARRAY_SIZE(bits_ops); op++)
						test_bits_pair(&bits_ops[op], a, b);
		}
}

/* --- ranges, alone and with their bits in a register --- */

struct range_op {
	const char *name;
	struct ub_range (*range)(struct ub_range a, struct ub_range b);
	struct ub_reg (*reg)(const struct ub_reg *a, const struct ub_reg *b);
	concrete_fn concrete;
};

static struct ub_reg join_regs(const struct ub_reg *a, const struct ub_reg *b)
{
	return ub_reg_join(a, b, 0);
}

static struct ub_reg widen_regs(const struct ub_reg *a, const struct ub_reg *b)
{
	struct ub_reg joined = ub_reg_join(a, b, 0);
	struct ub_walk_tries tries = { 0 };
	struct ub_widen how = { .must_widen = true, .tries = &tries };

	return ub_reg_widen(a, &joined, &how, 0);
}

static u64 c_insert16(u64 a, u64 b)
{
	return (a & ~0xffffull) | (b & 0xffff);
}

static struct ub_reg insert16(const struct ub_reg *a, const struct ub_reg *b)
{
	return ub_reg_insert(a, b, 16);
}

static const struct range_op range_ops[] = {
	{ "add", ub_range_add, ub_reg_add, c_add },
	{ "sub", ub_range_sub, ub_reg_sub, c_sub },
	{ "mul", ub_range_mul, ub_reg_mul, c_mul },
	{ "join, left", ub_range_join, join_regs, c_left },
	{ "join, right", ub_range_join, join_regs, c_right },
	{ "widen, left", NULL, widen_regs, c_left },
	{ "widen, right", NULL, widen_regs, c_right },
	{ "and", NULL, ub_reg_and, c_and },
	{ "or", NULL, ub_reg_or, c_or },
	{ "xor", NULL, ub_reg_xor, c_xor },
	{ "insert", NULL, insert16, c_insert16 },
};

static const u64 centers[] = { 0, 0x80000000, 0x100000000, 1ull << 63 };

#define ARC_CNT		(ARRAY_SIZE(centers) * 16 * 8)
static struct ub_range arcs[ARC_CNT];
static struct ub_reg arc_regs[ARC_CNT];

static struct ub_reg reg_of(struct ub_range range)
{
	return ub_reg_between(range.lo, range.lo + range.span);
}

static bool reg_has(const struct ub_reg *reg, u64 value)
{
	return ub_bits_has(reg->bits, value) && ub_range_has(reg->range, value);
}

static void make_arcs(void)
{
	static const u64 spans[] = { 0, 1, 2, 3, 5, 7, 10, 15 };
	u32 i, j, k, cnt = 0;

	for (i = 0; i < ARRAY_SIZE(centers); i++)
		for (j = 0; j < 16; j++)
			for (k = 0; k < ARRAY_SIZE(spans); k++)
				arcs[cnt++] = (struct ub_range){ centers[i] + j - 8, spans[k] };
	for (i = 0; i < cnt; i++)
		arc_regs[i] = reg_of(arcs[i]);
}

static void test_range_pair(const struct range_op *op, u32 a, u32 b)
{
	struct ub_range range = op->range ? op->range(arcs[a], arcs[b]) : UB_RANGE_ANY;
	struct ub_reg reg = op->reg(&arc_regs[a], &arc_regs[b]);
	u64 i, j, z;

	for (i = 0; i <= arcs[a].span; i++)
		for (j = 0; j <= arcs[b].span; j++) {
			z = op->concrete(arcs[a].lo + i, arcs[b].lo + j);
			expect(ub_range_has(range, z), op->name, arcs[a].lo + i, arcs[b].lo + j, z);
			expect(reg_has(&reg, z), op->name, arcs[a].lo + i, arcs[b].lo + j, z);
		}
}

static void test_range_unary(const struct unary_op *op, u32 a)
{
	u64 i, z;
	u32 n;

	for (n = 0; n < ARRAY_SIZE(counts) && counts[n] <= op->max; n++) {
		struct ub_range range = op->range(arcs[a], counts[n]);
		struct ub_reg reg = op->reg(&arc_regs[a], counts[n]);

		for (i = 0; i <= arcs[a].span; i++) {
			z = op->concrete(arcs[a].lo + i, counts[n]);
			expect(ub_range_has(range, z), op->name, arcs[a].lo + i, counts[n], z);
			expect(reg_has(&reg, z), op->name, arcs[a].lo + i, counts[n], z);
		}
	}
}

static void test_ranges(void)
{
	u32 a, b, op;

	make_arcs();
	for (a = 0; a < ARC_CNT; a++) {
		for (op = 0; op < ARRAY_SIZE(unary_ops); op++)
			test_range_unary(&unary_ops[op], a);
		for (b = 0; b < ARC_CNT; b++)
			for (op = 0; op < ARRAY_SIZE(range_ops); op++)
				test_range_pair(&range_ops[op], a, b);
	}
}

/* What must not be lost, or no program would be accepted. */
static void test_precision(void)
{
	struct ub_range small = { 4, 3 }, byte = { 0, 255 }, around = { -2ull, 4 };
	struct ub_reg any = ub_reg_any(), mask = ub_reg_const(0xff8), reg = ub_reg_and(&any, &mask);

	expect(ub_bits_equal(ub_bits_between(12, 13), (struct ub_bits){ 12, 1 }), "bits of two neighbours", 12, 13, 0);
	expect(ub_bits_equal(ub_bits_mul(ub_bits_const(3), ub_bits_const(5)), ub_bits_const(15)), "exact product of bits", 3, 5, 15);
	expect(ub_range_equal(ub_range_add(small, byte), (struct ub_range){ 4, 258 }), "exact add", 4, 0, 0);
	expect(ub_range_equal(ub_range_sub(byte, small), (struct ub_range){ -7ull, 258 }), "exact sub", 0, 4, 0);
	expect(ub_range_equal(ub_range_mul(byte, ub_range_const(3)), (struct ub_range){ 0, 765 }), "exact mul", 0, 3, 0);
	expect(ub_range_equal(ub_range_shl(byte, 3), (struct ub_range){ 0, 2040 }), "exact shl", 0, 3, 0);
	expect(ub_range_equal(ub_range_zext(byte, 8), byte), "exact zext", 0, 8, 0);
	expect(ub_range_equal(ub_range_sext(byte, 16), byte), "exact sext", 0, 16, 0);
	expect(ub_range_equal(ub_range_sext(around, 8), around), "exact sext of both signs", 0, 8, 0);
	expect(ub_range_equal(ub_range_join(around, small), (struct ub_range){ -2ull, 9 }), "exact join", 0, 0, 0);
	expect(ub_range_equal(ub_range_sar(UB_RANGE_ANY, 60), (struct ub_range){ -8ull, 15 }), "exact sar", 0, 60, 0);
	expect(ub_reg_max(&reg) == 0xff8, "mask bounds", 0xff8, 0, ub_reg_max(&reg));
	expect(ub_range_equal(ub_range_join(UB_RANGE_ANY, small), UB_RANGE_ANY), "any joined", 0, 0, 0);
}

/* @a moved by something between @lo and @hi. */
static struct ub_reg moved_by(const struct ub_reg *a, s64 lo, s64 hi, u64 limit)
{
	struct ub_reg by = ub_reg_between(lo, hi);

	return ub_reg_sum(&by, a, limit);
}

static void test_guards(void)
{
	const u64 limit = 0x7ffffffff000;
	struct ub_reg guard = ub_reg_guard(0), moved = moved_by(&guard, 8, 16, limit), back, plain;

	expect(moved.kind == UB_REG_GUARDED && moved.walk.lo == 8 && moved.walk.hi == 16, "moved", 8, 16, 0);
	back = moved_by(&moved, -9, -8, limit);
	expect(back.kind == UB_REG_GUARDED && back.walk.lo == -1 && back.walk.hi == 8, "moved back", 8, 16, 0);
	plain = ub_reg_plain(&back, limit);
	expect(reg_has(&plain, -1) && reg_has(&plain, limit + 8) && !reg_has(&plain, -2), "its values", 8, 16, 0);
	back = moved_by(&moved, 0, 1ll << 56, limit);
	expect(back.kind == UB_REG_GUARDED, "moved far", 8, 16, 0);
	back = moved_by(&moved, 0, 1ll << 60, limit);
	expect(back.kind == UB_REG_SCALAR && reg_has(&back, 8), "moved too far", 8, 16, 0);
	back = moved_by(&moved, INT64_MIN, 0, limit);
	expect(back.kind == UB_REG_SCALAR, "moved by the least", 8, 16, 0);
	back = ub_reg_difference(&moved, &moved, limit);
	expect(back.kind == UB_REG_SCALAR && reg_has(&back, -limit - 8), "difference", 8, 16, 0);
	back = ub_reg_join(&guard, &moved, limit);
	expect(back.kind == UB_REG_GUARDED && back.walk.lo == 0 && back.walk.hi == 16, "joined", 0, 16, 0);
	plain = ub_reg_between(0, limit);
	back = ub_reg_join(&moved, &plain, limit);
	expect(back.kind == UB_REG_GUARDED && back.walk.lo == 0 && back.walk.hi == 16, "with what is low", 8, 16, 0);
	plain = ub_reg_plain(&moved, limit);
	back = ub_reg_join(&moved, &plain, limit);
	expect(back.kind == UB_REG_SCALAR && reg_has(&back, limit + 16) && reg_has(&back, 8), "with plain", 8, 16, 0);
	back = ub_reg_unwritten();
	back = ub_reg_join(&moved, &back, limit);
	expect(back.kind == UB_REG_UNWRITTEN, "with unwritten", 8, 16, 0);
}

int main(void)
{
	test_bits();
	test_ranges();
	test_precision();
	test_guards();
	printf("%" PRIu64 " values checked\n", check_cnt);
	printf("%d passed, %d failed\n", fail_cnt ? 0 : 1, fail_cnt ? 1 : 0);
	return fail_cnt != 0;
}
