// SPDX-License-Identifier: GPL-2.0
/*
 * prove: is each of the verifier's operations on values sound, for all values of 64 bits?
 *	prove [--limit SECONDS] [--results FILE] [OPERATION...]
 *
 * The source that is proven is the verifier's own: bits.c, range.c, walk.c, reg.c and the image checker's image_window.c
 * are compiled here with formulas for numbers (symbolic.h).  Sound: whatever members the operands have, what the machine
 * makes of them is a member of the result.  Z3 says so within the limit of processor time for an operation, or it is not
 * counted as proven.
 *
 * A function with many ways through it is proven once; where others call it, its contract stands for it: what it needs
 * is one more claim there, what it promises is assumed.
 */
#include "symbolic.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

extern "C" {
#include "../results.h"
}
#include "../../ir/op.h"

#define u64			Sym
#define s64			Signed
#define s32			Signed
#define __builtin_add_overflow	sym_add_overflow
#define __builtin_mul_overflow	sym_mul_overflow
#define __builtin_clzll(a)	sym_zeros(a, true)
#define __builtin_ctzll(a)	sym_zeros(a, false)
namespace bits {
#include "../../verifier/bits.h"
static u32 known_zeros_below(struct ub_bits a);
#include "bits_itself.c"
}
using namespace bits;
namespace ranges {
#include "../../verifier/range.c"
}
using namespace ranges;
namespace walks {
#include "../../verifier/walk.h"
static Signed faster(Signed grown, Signed old_drift, Signed drift, u8 *tries);
#include "walk_itself.c"
}
using namespace walks;
#include "members.h"
#include "contracts.h"
namespace registers {
#include "reg_itself.c"
}
#include "../../verifier/image_window.c"
#undef u64
#undef s64
#undef s32
#include "registers.h"

/* --- what contracts stand for elsewhere --- */

static Runs bits_known_zeros()
{
	return { [] {
		struct ub_bits a = any_bits("a");
		Sym x = any_of(a, "x");
		uint32_t cnt = known_zeros_below_itself(a);

		claim(cnt <= 64 ? x.e() == z3::lshr(x.e(), number(cnt)) * power_of_two(cnt) : path().ctx.bool_val(false));
	} };
}

static Runs bits_mul()
{
	return { [] {
		struct ub_bits a = any_bits("a"), b = any_bits("b");
		Sym x = any_of(a, "x"), y = any_of(b, "y");

		zeros.clear();
		subjects = { x, y };
		struct ub_bits result = ub_bits_mul(a, b);
		const Zeros &i = zeros[0], &j = zeros[1];

		/* Of two constants it is theirs. */
		if (!result.value.e().is_numeral()) {
			claim_member(x * y, result);
			return;
		}
		/* Else what it is hangs on no bit of the product of the rests. */
		claim(i.rest * power_of_two(i.cnt) * (j.rest * power_of_two(j.cnt)) ==
		      i.rest * j.rest * (power_of_two(i.cnt) * power_of_two(j.cnt)));
		claim_member(any("rests") * Sym(power_of_two(i.cnt) * power_of_two(j.cnt)), result);
	} };
}

static Runs walk_faster()
{
	Runs runs;

	for (uint32_t tries : up_to(7))
		runs.push_back([=] {
			Signed grown(any("grown")), old_drift(any("old")), drift(any("drift"));
			uint8_t count = tries;

			assume(number(-REACH * 2) <= grown.e() && grown.e() <= number(REACH * 2));
			assume(number(0) <= drift.e() && drift.e() <= number(MAX_DRIFT));
			Signed result = faster_itself(grown, old_drift, drift, &count);
			claim(drift.e() <= result.e() && result.e() <= number(1ll << 62));
		});
	return runs;
}

/* --- what is to be proven --- */

template <typename V> static V any_value(const std::string &name);
template <> struct ub_bits any_value(const std::string &name) { return any_bits(name); }
template <> struct ub_range any_value(const std::string &name) { return any_range(name); }
template <> struct ub_reg any_value(const std::string &name) { return any_reg(name); }

template <typename V> static Runs binary(std::function<V(const V &, const V &)> op, Machine machine)
{
	return { [=] {
		V a = any_value<V>("a"), b = any_value<V>("b");
		Sym x = any_of(a, "x"), y = any_of(b, "y");

		Sym result = machine(x, y);

		subjects = { x, y, result };
		claim_member(result, op(a, b));
	} };
}

/* @x is in either operand. */
template <typename V> static Runs joining(std::function<V(const V &, const V &)> op)
{
	return { [=] {
		V a = any_value<V>("a"), b = any_value<V>("b");
		Sym x = any("x");

		assume(is_in(x, a) || is_in(x, b));
		claim_member(x, op(a, b));
	} };
}

typedef std::function<Sym(const Sym &, uint32_t)> MachineBy;

/* By each count or width of @counts. */
template <typename V>
static Runs by(std::vector<uint32_t> counts, std::function<V(const V &, uint32_t)> op, MachineBy machine)
{
	Runs runs;

	for (uint32_t cnt : counts)
		runs.push_back([=] {
			V a = any_value<V>("a");
			Sym x = any_of(a, "x");

			Sym result = machine(x, cnt);

			subjects = { x, result };
			claim_member(result, op(a, cnt));
		});
	return runs;
}

template <typename V> static Runs between(std::function<V(const Sym &, const Sym &)> op)
{
	return { [=] {
		Sym lo = any("lo"), hi = any("hi"), x = any("x");

		assume((lo <= x).e && (x <= hi).e);
		claim_member(x, op(lo, hi));
	} };
}

static Runs register_insert()
{
	Runs runs;

	for (uint32_t width : { 8, 16, 32 })
		runs.push_back([=] {
			struct ub_reg a = any_reg("a"), b = any_reg("b");
			Sym x = any_of(a, "x"), y = any_of(b, "y");
			Sym mask = UINT64_MAX >> (64 - width);

			Sym result = (x & ~mask) | (y & mask);

			subjects = { x, y, result };
			claim_member(result, ub_reg_insert(&a, &b, width));
		});
	return runs;
}

/*
 * What is known of the products of numbers that are not negative, @p of @a and @b and so on.  It is all that range.c's
 * multiplication rests on, and Z3 proves each by itself before it is used.
 */
typedef z3::expr E;

static E keeps_order(const Product &p, const Product &q)
{
	return z3::implies(p.a <= q.a && p.b <= q.b, p.whole <= q.whole);
}

/* With one factor in common: a distance, once round the circle or not, is multiplied too. */
static E keeps_distance(const Product &p, const Product &q, const Product &span, const E &round)
{
	E distance = p.a - q.a + round, scaled = p.whole - q.whole + round * p.b;

	return z3::implies(p.b == q.b && p.b == span.b && distance >= 0 && distance <= span.a,
			   scaled >= 0 && scaled <= span.whole);
}

static Product swapped(const Product &p)
{
	return { p.b, p.a, p.whole };
}

static void prove_products()
{
	z3::context &c = path().ctx;
	auto whole = [&](const char *a, const char *b) {
		E x = c.real_const(a), y = c.real_const(b);

		assume(x >= 0 && y >= 0);
		return Product{ x, y, x * y };
	};
	Product p = whole("a", "b"), q = whole("c", "d");

	claim(keeps_order(p, q));
	for (const E &round : { c.real_val(0), c.real_val("18446744073709551616") })
		claim(keeps_distance(whole("a", "f"), whole("b", "f"), whole("s", "f"), round));
}

static Runs range_mul()
{
	return { prove_products, [] {
		struct ub_range a = any_range("a"), b = any_range("b");
		Sym x = any_of(a, "x"), y = any_of(b, "y");
		Sym result = x * y;
		struct ub_range product = ub_range_mul(a, b);
		const std::vector<Product> all = path().products;

		for (size_t i = 1; i < all.size(); i++)
			for (const Product &machine : { all[0], swapped(all[0]) }) {
				assume(keeps_order(machine, all[i]));
				assume(keeps_order(all[i], machine));
				for (size_t j = 1; j < all.size(); j++)
					for (const E &round : { number(0), path().modulus() })
						if (i != j)
							assume(keeps_distance(machine, all[i], all[j], round));
			}
		claim_member(result, product);
	} };
}

/* --- walks --- */

typedef bool (*WalkOp)(struct ub_walk, struct ub_walk, struct ub_walk *);

static Runs walk_binary(WalkOp op, Machine machine)
{
	return { [=] {
		struct ub_walk a = any_walk("a"), b = any_walk("b"), result;
		Sym t = any_ticks(UB_WALK_TICKS), x = any("x"), y = any("y");

		assume(is_walker(x.e(), t.e(), a) && is_walker(y.e(), t.e(), b));
		if (op(a, b, &result))
			claim(is_walker(machine(x, y).e(), t.e(), result) && is_walk(result, MAX_END));
	} };
}

static Runs walk_shl()
{
	Runs runs;

	for (uint32_t cnt : up_to(4))
		runs.push_back([=] {
			struct ub_walk a = any_walk("a"), result;
			Sym t = any_ticks(UB_WALK_TICKS), x = any("x");

			assume(is_walker(x.e(), t.e(), a));
			if (ub_walk_shl(a, cnt, &result))
				claim(is_walker(x.e() * number(1 << cnt), t.e(), result) && is_walk(result, MAX_END));
		});
	return runs;
}

static Runs walk_tick()
{
	return { [] {
		struct ub_walk a = any_walk("a");
		Sym t = any_ticks(UB_WALK_TICKS - 1), x = any("x");

		assume(is_walker(x.e(), t.e(), a));
		claim(is_walker(x.e(), t.e() + number(1), ub_walk_tick(a)));
	} };
}

static Runs walk_settle()
{
	return { [] {
		struct ub_walk a = any_walk("a");
		Sym t = any_ticks(UB_WALK_TICKS), x = any("x");

		assume(is_walker(x.e(), t.e(), a));
		struct ub_walk settled = ub_walk_settle(a);

		claim(is_walker(x.e(), number(0), settled) && is_walk(settled, 2 * REACH));
		claim(settled.lo.e() <= settled.hi.e() && settled.down.e() == number(0) && settled.up.e() == number(0));
	} };
}

static Runs walk_join()
{
	return { [] {
		struct ub_walk a = any_walk("a", 2 * REACH), b = any_walk("b", 2 * REACH);
		Sym t = any_ticks(UB_WALK_TICKS), x = any("x");
		struct ub_walk joined = ub_walk_join(a, b);

		claim(joined.lo.e() == lesser(a.lo, b.lo) && joined.hi.e() == greater(a.hi, b.hi));
		claim(joined.down.e() == lesser(a.down, b.down) && joined.up.e() == greater(a.up, b.up));
		assume(is_walker(x.e(), t.e(), a) || is_walker(x.e(), t.e(), b));
		claim(is_walker(x.e(), t.e(), joined));
	} };
}

static Runs walk_widen()
{
	Runs runs;

	for (uint32_t tries : up_to(7))
		runs.push_back([=] {
			struct ub_walk old = any_walk("old"), joined = any_walk("joined"), result;
			Sym t = any_ticks(UB_WALK_TICKS), x = any("x");
			struct ub_walk_tries both = { (u8)tries, (u8)tries };

			assume(is_walker(x.e(), t.e(), joined));
			if (ub_walk_widen(old, joined, &both, &result))
				claim(is_walker(x.e(), t.e(), result) && is_walk(result, MAX_END));
		});
	return runs;
}

/* --- the core rule of the image checker --- */

/* What the machine adds up stays in the user's half: no number wraps, so whole numbers are those of 64 bits. */
static void operand(enum ub_reg_kind kind, bool has_index, uint32_t scale)
{
	struct ub_reg base = walker(kind, "base"), index = walker(UB_REG_WALKING, "index");
	Sym t = any_ticks(UB_WALK_TICKS), limit = any("limit"), guard = any("guard"), b = any("b"), i = any("i"), disp = any("disp");
	const uint32_t bytes = 32;

	assume(number(1 << 12) <= limit.e() && limit.e() <= number(1ll << 56));
	/* MASK is less than a page above LIMIT. */
	assume(number(0) <= guard.e() && guard.e() < limit.e() + number(1 << 12));
	assume(number(-(1ll << 31)) <= disp.e() && disp.e() < number(1ll << 31));
	assume(is_walker(b.e(), t.e(), base.walk) && is_walker(i.e(), t.e(), index.walk));
	if (!im_in_window(&base, has_index ? &index : NULL, scale, Signed(disp), bytes, limit))
		return;
	z3::expr address = b.e() + disp.e(), end = limit.e() + number(1ll << 40);

	if (kind == UB_REG_GUARDED) {
		address = address + guard.e();
		end = end + number(1 << 12);
	}
	if (has_index)
		address = address + i.e() * number(1 << scale);
	claim(number(0) <= address && address + number(bytes) <= end);
}

/* A number that does not walk, as one that does: then it is as above. */
static Runs register_walk()
{
	return { [=] {
		struct ub_reg a = any_reg("a");
		Sym x = any_of(a, "x");
		struct ub_walk walk;

		if (!ub_reg_walk(&a, &walk))
			return;
		claim(walk.lo.e() <= x.e() && x.e() <= walk.hi.e());
		claim(walk.down.e() == number(0) && walk.up.e() == number(0));
	} };
}

static Runs image_operand(enum ub_reg_kind kind)
{
	Runs runs = { [=] { operand(kind, false, 0); } };

	for (uint32_t scale : up_to(4))
		runs.push_back([=] { operand(kind, true, scale); });
	return runs;
}

/* --- all of them --- */

/* How the solver is asked, see symbolic.h. */
enum How { BITS, INTEGERS, PLAIN };

struct Operation {
	const char *name;
	Runs runs;
	How how = BITS;
};

#define BITS_OF(name)	[](const struct ub_bits &a, const struct ub_bits &b) { return ub_bits_##name(a, b); }
#define BITS_BY(name)	[](const struct ub_bits &a, uint32_t cnt) { return ub_bits_##name(a, cnt); }
#define RANGE(name)	[](const struct ub_range &a, const struct ub_range &b) { return ub_range_##name(a, b); }
#define RANGE_BY(name)	[](const struct ub_range &a, uint32_t cnt) { return ub_range_##name(a, cnt); }
#define REG(name)	[](const struct ub_reg &a, const struct ub_reg &b) { return ub_reg_##name(&a, &b); }
#define REG_BY(name)	[](const struct ub_reg &a, uint32_t cnt) { return ub_reg_##name(&a, cnt); }
#define M(formula)	[](const Sym &x, const Sym &y) { return formula; }
#define M_BY(formula)	[](const Sym &x, uint32_t cnt) { return formula; }

static std::vector<Operation> operations()
{
	const std::vector<uint32_t> widths = { 8, 16, 32, 64 }, counts = up_to(64);
	const MachineBy shl = M_BY(x << cnt), shr = M_BY(x >> cnt),
			sar = M_BY(Sym(Signed(x) >> cnt)), zext = M_BY(extend(x, cnt, false)),
			sext = M_BY(extend(x, cnt, true));

	return {
		{ "bits between", between<struct ub_bits>([](const Sym &lo, const Sym &hi) { return ub_bits_between(lo, hi); }) },
		{ "bits join", joining<struct ub_bits>(BITS_OF(join)) },
		{ "bits add", binary<struct ub_bits>(BITS_OF(add), M(x + y)) },
		{ "bits sub", binary<struct ub_bits>(BITS_OF(sub), M(x - y)) },
		{ "bits and", binary<struct ub_bits>(BITS_OF(and), M(x & y)) },
		{ "bits or", binary<struct ub_bits>(BITS_OF(or), M(x | y)) },
		{ "bits xor", binary<struct ub_bits>(BITS_OF(xor), M(x ^ y)) },
		{ "bits known zeros", bits_known_zeros() },
		{ "bits mul", bits_mul() },
		{ "bits shl", by<struct ub_bits>(counts, BITS_BY(shl), shl) },
		{ "bits shr", by<struct ub_bits>(counts, BITS_BY(shr), shr) },
		{ "bits sar", by<struct ub_bits>(counts, BITS_BY(sar), sar) },
		{ "bits zext", by<struct ub_bits>(widths, BITS_BY(zext), zext) },
		{ "bits sext", by<struct ub_bits>(widths, BITS_BY(sext), sext) },
		{ "range between", between<struct ub_range>([](const Sym &lo, const Sym &hi) { return ub_range_between(lo, hi); }), INTEGERS },
		{ "range join", joining<struct ub_range>(RANGE(join)), INTEGERS },
		{ "range add", binary<struct ub_range>(RANGE(add), M(x + y)), INTEGERS },
		{ "range sub", binary<struct ub_range>(RANGE(sub), M(x - y)), INTEGERS },
		{ "range mul", range_mul(), INTEGERS },
		{ "range shl", by<struct ub_range>(counts, RANGE_BY(shl), shl), INTEGERS },
		{ "range shr", by<struct ub_range>(counts, RANGE_BY(shr), shr), INTEGERS },
		{ "range sar", by<struct ub_range>(counts, RANGE_BY(sar), sar), INTEGERS },
		{ "range zext", by<struct ub_range>(widths, RANGE_BY(zext), zext), INTEGERS },
		{ "range sext", by<struct ub_range>(widths, RANGE_BY(sext), sext), INTEGERS },
		{ "register of bits and range", { [] {
			struct ub_bits b = any_bits("a");
			struct ub_range r = any_range("a");
			Sym x = any_of(b, "x");

			assume(is_in(x, r));
			subjects = { x };
			claim_member(x, registers::scalar_itself(b, r));
		} } },
		{ "register add", binary<struct ub_reg>(REG(add), M(x + y)) },
		{ "register sub", binary<struct ub_reg>(REG(sub), M(x - y)) },
		{ "register and", binary<struct ub_reg>(REG(and), M(x & y)) },
		{ "register or", binary<struct ub_reg>(REG(or), M(x | y)) },
		{ "register xor", binary<struct ub_reg>(REG(xor), M(x ^ y)) },
		{ "register mul", binary<struct ub_reg>(REG(mul), M(x * y)) },
		{ "register shl", by<struct ub_reg>(counts, REG_BY(shl), shl) },
		{ "register shr", by<struct ub_reg>(counts, REG_BY(shr), shr) },
		{ "register sar", by<struct ub_reg>(counts, REG_BY(sar), sar) },
		{ "register zext", by<struct ub_reg>(widths, REG_BY(zext), zext) },
		{ "register sext", by<struct ub_reg>(widths, REG_BY(sext), sext) },
		{ "register insert", register_insert() },
		{ "register plain", register_plain() },
		{ "register settle", register_settle() },
		{ "register sum", register_binary(registers::ub_reg_sum, M(x + y)) },
		{ "register difference", register_binary(registers::ub_reg_difference, M(x - y)) },
		{ "register scaled", register_scaled() },
		{ "register join", register_join() },
		{ "register widen", register_widen() },
		{ "register walk", register_walk() },
		{ "walk add", walk_binary(ub_walk_add, M(x + y)), PLAIN },
		{ "walk sub", walk_binary(ub_walk_sub, M(x - y)), PLAIN },
		{ "walk shl", walk_shl(), PLAIN },
		{ "walk tick", walk_tick(), PLAIN },
		{ "walk settle", walk_settle(), PLAIN },
		{ "walk join", walk_join(), PLAIN },
		{ "walk faster", walk_faster(), PLAIN },
		{ "walk widen", walk_widen(), PLAIN },
		{ "image operand, guarded base", image_operand(UB_REG_GUARDED), PLAIN },
		{ "image operand, number", image_operand(UB_REG_WALKING), PLAIN },
	};
}

/* True when all claims on all paths hold. */
static bool prove(const Operation &operation, unsigned int limit_s)
{
	const double start = cpu_seconds();
	Path &p = path();

	p.paths = 0;
	p.is_proven = true;
	p.has_unknown = false;
	p.deadline = start + limit_s;
	p.is_integer = operation.how >= INTEGERS;
	p.is_plain = operation.how == PLAIN;
	for (const auto &run : operation.runs)
		explore(run);
	printf("%-28s %-10s %6lu paths %8.2f s%s%s\n", operation.name,
	       p.is_proven ? "proven" : p.has_unknown ? "not proven" : "WRONG", p.paths, cpu_seconds() - start,
	       p.has_unknown ? ": " : "", p.has_unknown ? p.why_unknown.c_str() : "");
	fflush(stdout);
	return p.is_proven;
}

static bool is_wanted(const Operation &operation, char **names, int cnt)
{
	for (int i = 0; i < cnt; i++)
		if (!strcmp(names[i], operation.name))
			return true;
	return !cnt;
}

int main(int argc, char **argv)
{
	unsigned int cnt = 0, proven = 0, limit_s = 600;
	const char *results = NULL;
	int i = 1;

	for (; i + 1 < argc && !strncmp(argv[i], "--", 2); i += 2) {
		if (!strcmp(argv[i], "--results"))
			results = argv[i + 1];
		else if (strcmp(argv[i], "--limit") || !(limit_s = strtoul(argv[i + 1], NULL, 10)))
			break;
	}
	if (i < argc && !strncmp(argv[i], "--", 2)) {
		fprintf(stderr, "usage: prove [--limit SECONDS] [--results FILE] [OPERATION...]\n");
		return 2;
	}
	for (const Operation &operation : operations()) {
		if (!is_wanted(operation, argv + i, argc - i))
			continue;
		cnt++;
		proven += prove(operation, limit_s);
	}
	printf("%u passed, %u failed\n", proven, cnt - proven);
	if (results) {
		const struct result figures[] = { { "operations", (double)cnt }, { "operations_proven_64", (double)proven } };

		if (!results_add(results, "make prove", figures, 2, "prove", "64 bits, from the source of bits.c, range.c, walk.c, reg.c and image_window.c")) {
			perror(results);
			return 1;
		}
	}
	return !cnt || proven != cnt;
}
