// SPDX-License-Identifier: GPL-2.0
/*
 * verify_eight: the verifier's bits and ranges at 8 bits, all of them: every pair of sets of bits, every pair of arcs.
 *
 * Sets of bits: what an operation should say of a pair is the join of what it should say of the pairs in which one more
 * bit is known, down to plain numbers; the result must hold that, and where the operation promises to lose nothing, be it.
 *
 * Arcs: that of a pair must hold those of the two pairs whose first arc is shorter by its last or first member, and so on
 * down to plain numbers.  Where it does not, which a sound operation may do, all members are tried.
 */
#define UB_VALUE_BITS	8
#include "../small.h"

/* --- sets of bits --- */

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

static struct ub_bits sets[BITS_CNT];
static u32 set_of[VALUE_CNT];		/* of one value */
static unsigned short halves[BITS_CNT][2];		/* the two with one more bit known; the same for one value */

static void make_sets(void)
{
	u32 no, digit, power;

	for (no = 0; no < BITS_CNT; no++) {
		sets[no] = bits_of(no);
		halves[no][0] = halves[no][1] = no;
		for (digit = 0, power = 1; digit < UB_VALUE_BITS; digit++, power *= 3)
			if (no / power % 3 == 2) {
				halves[no][0] = no - power;
				halves[no][1] = no - 2 * power;
				break;
			}
		if (!sets[no].mask)
			set_of[sets[no].value] = no;
	}
}

static bool is_in_bits(struct ub_bits a, struct ub_bits b)
{
	return !((a.value ^ b.value) & ~b.mask) && !(a.mask & ~b.mask) && !(b.value & b.mask);
}

/* What must be said of the machine's results, by one-bit steps: of @x with each set, then of each set with set @b. */
static void best_of_row(concrete_fn concrete, value x, struct ub_bits *ret)
{
	u32 no;

	for (no = 0; no < BITS_CNT; no++)
		ret[no] = sets[no].mask ? ub_bits_join(ret[halves[no][0]], ret[halves[no][1]]) :
					  ub_bits_const(concrete(x, sets[no].value));
}

static void best_of_column(struct ub_bits (*rows)[BITS_CNT], u32 b, struct ub_bits *ret)
{
	u32 no;

	for (no = 0; no < BITS_CNT; no++)
		ret[no] = sets[no].mask ? ub_bits_join(ret[halves[no][0]], ret[halves[no][1]]) : rows[sets[no].value][b];
}

/* All pairs; the number of those that are wrong. */
static u64 test_bits_op(const struct bits_op *op, bool is_loud)
{
	static struct ub_bits rows[VALUE_CNT][BITS_CNT], best[BITS_CNT], result;
	u32 x, a, b;
	u64 wrong = 0;

	for (x = 0; x < VALUE_CNT; x++)
		best_of_row(op->concrete, x, rows[x]);
	for (b = 0; b < BITS_CNT; b++) {
		best_of_column(rows, b, best);
		for (a = 0; a < BITS_CNT; a++) {
			result = op->abstract(sets[a], sets[b]);
			if (is_in_bits(best[a], result) && (!op->is_best || ub_bits_equal(best[a], result)))
				continue;
			wrong++;
			if (is_loud)
				fail(op->name, sets[a].value, sets[a].mask, sets[b].value, sets[b].mask);
		}
	}
	check_cnt += (u32)BITS_CNT * BITS_CNT;
	return wrong;
}

static void test_bits_unary(const struct unary_op *op, u32 n)
{
	static struct ub_bits best[BITS_CNT];
	u32 no;

	for (no = 0; no < BITS_CNT; no++) {
		best[no] = sets[no].mask ? ub_bits_join(best[halves[no][0]], best[halves[no][1]]) :
					   ub_bits_const(op->concrete(sets[no].value, n));
		if (!ub_bits_equal(op->bits(sets[no], n), best[no]))
			fail(op->name, sets[no].value, sets[no].mask, n, 0);
	}
	check_cnt += BITS_CNT;
}

/* What is in both is in what both say. */
static void test_bits_meet(void)
{
	static struct ub_bits with[VALUE_CNT];		/* those that x is in: as many as there are values */
	u32 no, x, i, j, cnt;

	for (x = 0; x < VALUE_CNT; x++) {
		for (no = cnt = 0; no < BITS_CNT; no++)
			if (ub_bits_has(sets[no], x))
				with[cnt++] = sets[no];
		for (i = 0; i < cnt; i++)
			for (j = 0; j < cnt; j++)
				if (!ub_bits_has(ub_bits_meet(with[i], with[j]), x))
					fail("bits meet", with[i].value, with[i].mask, with[j].value, with[j].mask);
	}
}

static void test_bits_between(void)
{
	struct ub_bits best;
	u32 lo, hi;

	for (lo = 0; lo < VALUE_CNT; lo++)
		for (hi = lo, best = ub_bits_const(lo); hi < VALUE_CNT; hi++) {
			best = ub_bits_join(best, ub_bits_const(hi));
			if (!ub_bits_equal(ub_bits_between(lo, hi), best))
				fail("bits between", lo, hi, 0, 0);
		}
}

/* --- arcs --- */

typedef struct ub_range (*range_fn)(struct ub_range a, struct ub_range b);

/* What an operation makes of all arcs of one length; of the one from 0 once more at the end. */
struct row {
	u8 lo[VALUE_CNT + 1], span[VALUE_CNT + 1];
};

/* 16 values at a time; comparisons are 0 or -1. */
typedef u8 many __attribute__((vector_size(16)));

static inline many take(const u8 *from)
{
	many all;

	memcpy(&all, from, sizeof(all));
	return all;
}

static inline bool is_any(many flags)
{
	u32 i;

	for (i = 0; i < sizeof(flags); i++)
		if (flags[i])
			return true;
	return false;
}

/* Does an arc of @now lack a member of one of the two that are one shorter? */
static inline bool is_less_than(const struct row *now, const struct row *last)
{
	many is_less = { 0 };
	u32 i;

	for (i = 0; i < VALUE_CNT; i += sizeof(many)) {
		many lo = take(now->lo + i), span = take(now->span + i);
		many one = take(last->lo + i) - lo, other = take(last->lo + i + 1) - lo;

		is_less |= ((many)(one > span) | (many)(take(last->span + i) > span - one) |
			    (many)(other > span) | (many)(take(last->span + i + 1) > span - other)) &
			   (many)(span != (many){ 0 } - 1);
	}
	return is_any(is_less);
}

/* Does an arc of @joined lack a member of { @lo, @span } or of its own in @moving? */
static inline bool joins_less(const struct row *joined, u8 lo, u8 span, const struct row *moving)
{
	many is_less = { 0 };
	u32 i;

	for (i = 0; i < VALUE_CNT; i += sizeof(many)) {
		many from = take(joined->lo + i), whole = take(joined->span + i);
		many one = lo - from, other = take(moving->lo + i) - from;

		is_less |= ((many)(one > whole) | (many)(span > whole - one) | (many)(other > whole) |
			    (many)(take(moving->span + i) > whole - other)) & (many)(whole != (many){ 0 } - 1);
	}
	return is_any(is_less);
}

/* The whole circle has one spelling. */
static u32 arc_cnt(u32 span)
{
	return span == VALUE_MAX ? 1 : VALUE_CNT;
}

static bool has_members(range_fn op, concrete_fn concrete, struct ub_range a, struct ub_range b)
{
	struct ub_range result = op(a, b);
	u32 i, j;

	for (i = 0; i <= a.span; i++)
		for (j = 0; j <= b.span; j++)
			if (!ub_range_has(result, concrete(a.lo + (value)i, b.lo + (value)j)))
				return false;
	return true;
}

static u64 tried_cnt;

/* The number of arcs @span long which with @fixed make less than they should. */
static u64 test_members(range_fn op, concrete_fn concrete, struct ub_range fixed, u32 span, bool is_fixed_first)
{
	u64 wrong = 0;
	u32 lo;

	for (lo = 0; lo < arc_cnt(span); lo++) {
		struct ub_range arc = { lo, span };

		wrong += is_fixed_first ? !has_members(op, concrete, fixed, arc) : !has_members(op, concrete, arc, fixed);
	}
	tried_cnt += arc_cnt(span);
	return wrong;
}

/*
 * All arcs with @fixed, from the shortest up: each must make what the two that are one shorter make; the shortest are
 * known to be right, or when @fixed comes first and is one value, are tried.  Inline, so that the compiler sees which
 * operation it is and takes many arcs at a time.
 */
static inline __attribute__((always_inline)) u64
test_rows(range_fn op, concrete_fn concrete, struct ub_range fixed, bool is_fixed_first)
{
	static struct row rows[2];
	u64 wrong = 0;
	u32 span, lo;

	for (span = 0; span < VALUE_CNT; span++) {
		struct row *now = &rows[span & 1], *last = &rows[~span & 1];
		bool is_less;

		for (lo = 0; lo < VALUE_CNT; lo++) {
			struct ub_range arc = { lo, span }, all = is_fixed_first ? op(fixed, arc) : op(arc, fixed);

			now->lo[lo] = all.lo;
			now->span[lo] = all.span;
		}
		now->lo[VALUE_CNT] = now->lo[0];
		now->span[VALUE_CNT] = now->span[0];
		is_less = span ? is_less_than(now, last) : is_fixed_first;
		if (is_less)
			wrong += test_members(op, concrete, fixed, span, is_fixed_first);
	}
	return wrong;
}

/* All pairs. */
#define RANGE_OP(name, op, concrete)								\
static __attribute__((flatten)) u64 test_range_##name(void)					\
{												\
	u64 wrong = 0;										\
	u32 no;											\
												\
	for (no = 0; no < VALUE_CNT; no++)							\
		wrong += test_rows(op, concrete, ub_range_const(no), true);			\
	for (no = 0; no < ARC_CNT; no++)							\
		wrong += test_rows(op, concrete, arc_of(no), false);				\
	return wrong;										\
}

RANGE_OP(add, ub_range_add, c_add)
RANGE_OP(sub, ub_range_sub, c_sub)
RANGE_OP(mul, ub_range_mul, c_mul)

/* A join holds both. */
static __attribute__((flatten)) u64 test_range_join(void)
{
	static struct row joined, moving;
	u32 arc, len, from;
	u64 wrong = 0;

	for (len = 0; len < VALUE_CNT; len++) {
		for (from = 0; from < VALUE_CNT; from++) {
			moving.lo[from] = len == VALUE_MAX ? 0 : from;
			moving.span[from] = len;
		}
		for (arc = 0; arc < ARC_CNT; arc++) {
			struct ub_range a = arc_of(arc);

			for (from = 0; from < VALUE_CNT; from++) {
				struct ub_range b = { moving.lo[from], len }, all = ub_range_join(a, b);

				joined.lo[from] = all.lo;
				joined.span[from] = all.span;
			}
			wrong += joins_less(&joined, a.lo, a.span, &moving);
		}
	}
	return wrong;
}

static void test_range_unary(const struct unary_op *op, u32 n)
{
	u32 no, i;

	for (no = 0; no < ARC_CNT; no++) {
		struct ub_range arc = arc_of(no), result = op->range(arc, n);

		for (i = 0; i <= arc.span; i++)
			if (!ub_range_has(result, op->concrete(arc.lo + (value)i, n)))
				fail(op->name, arc.lo, arc.span, n, 0);
	}
	check_cnt += ARC_CNT;
}

/* The ends of all arcs, and the arcs of all ends. */
static void test_range_ends(void)
{
	u32 no, i, least, most;

	for (no = 0; no < ARC_CNT; no++) {
		struct ub_range arc = arc_of(no);

		for (i = 0, least = VALUE_MAX, most = 0; i <= arc.span; i++) {
			value x = arc.lo + (value)i;

			least = x < least ? x : least;
			most = x > most ? x : most;
		}
		if (ub_range_min(arc) != least || ub_range_max(arc) != most ||
		    ub_range_wraps(arc) != ((u32)arc.lo + arc.span > VALUE_MAX))
			fail("range ends", arc.lo, arc.span, 0, 0);
		if (!ub_range_equal(ub_range_between(arc.lo, arc.lo + arc.span), arc))
			fail("range between", arc.lo, arc.span, 0, 0);
	}
}

/* --- does this test find what is wrong? --- */

static struct ub_bits wrong_bits_add(struct ub_bits a, struct ub_bits b)
{
	value mask = a.mask | b.mask;	/* forgets what is carried out of unknown bits */

	return (struct ub_bits){ (a.value + b.value) & ~mask, mask };
}

static struct ub_range wrong_range_add(struct ub_range a, struct ub_range b)
{
	return (struct ub_range){ a.lo + b.lo, a.span + b.span };	/* forgets that it may go all round */
}

static void test_test(void)
{
	static const struct bits_op wrong = { "wrong", wrong_bits_add, c_add, false };

	if (!test_bits_op(&wrong, false))
		fail("a wrong sum of bits is right", 0, 0, 0, 0);
	if (!test_rows(wrong_range_add, c_add, (struct ub_range){ 1, 200 }, false))
		fail("a wrong sum of arcs is right", 0, 0, 0, 0);
}

static void expect_none(const char *what, u64 wrong)
{
	check_cnt += (u64)ARC_CNT * ARC_CNT;
	if (wrong)
		fail(what, wrong, 0, 0, 0);
}

int main(void)
{
	u32 i, n;

	make_sets();
	for (i = 0; i < ARRAY_SIZE(bits_ops); i++)
		test_bits_op(&bits_ops[i], true);
	for (i = 0; i < ARRAY_SIZE(unary_ops); i++)
		for (n = unary_ops[i].min; n <= unary_ops[i].max; n++) {
			test_bits_unary(&unary_ops[i], n);
			test_range_unary(&unary_ops[i], n);
		}
	test_bits_meet();
	test_bits_between();
	test_range_ends();
	expect_none("range add, pairs", test_range_add());
	expect_none("range sub, pairs", test_range_sub());
	expect_none("range mul, pairs", test_range_mul());
	expect_none("range join, pairs", test_range_join());
	test_test();
	printf("%" PRIu64 " operands and pairs checked, %" PRIu64 " of them with all members\n", check_cnt, tried_cnt);
	printf("%d passed, %d failed\n", fail_cnt ? 0 : 1, fail_cnt ? 1 : 0);
	return fail_cnt != 0;
}
