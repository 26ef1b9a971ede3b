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
#include "../../verifier/reg.h"
static struct ub_reg scalar(struct ub_bits bits, struct ub_range range);
static struct ub_bits contract_bits_between(Sym lo, Sym hi);
#define ub_bits_between	contract_bits_between
#include "reg_itself.c"
#undef ub_bits_between
#include "../../verifier/image_window.c"
#undef u64
#undef s64
#undef s32

typedef std::vector<std::function<void()>> Runs;

/* --- members --- */

static z3::expr is_in(const Sym &x, const struct ub_bits &b)
{
	return (x.e() & ~b.mask.e()) == b.value.e();
}

static z3::expr is_in(const Sym &x, const struct ub_range &r)
{
	return (x - r.lo <= r.span).e;
}

static z3::expr is_in(const Sym &x, const struct ub_reg &reg)
{
	return is_in(x, reg.bits) && is_in(x, reg.range);
}

static struct ub_bits any_bits(const std::string &name)
{
	struct ub_bits b = { any((name + ".value").c_str()), any((name + ".mask").c_str()) };

	assume((b.value.e() & b.mask.e()) == number(0));
	return b;
}

static struct ub_range any_range(const std::string &name)
{
	struct ub_range r = { any((name + ".lo").c_str()), any((name + ".span").c_str()) };

	/* The whole circle has one spelling. */
	assume(r.span.e() != number(UINT64_MAX) || r.lo.e() == number(0));
	return r;
}

static struct ub_reg any_reg(const std::string &name)
{
	struct ub_reg reg = ub_reg_any();

	reg.bits = any_bits(name);
	reg.range = any_range(name);
	return reg;
}

template <typename V> static Sym any_of(const V &set, const std::string &name)
{
	Sym x = any(name.c_str());

	assume(is_in(x, set));
	return x;
}

/* Results have the form that operands are assumed to have. */
static z3::expr is_formed(const struct ub_bits &b)
{
	return (b.value.e() & b.mask.e()) == number(0);
}

static z3::expr is_formed(const struct ub_range &r)
{
	return r.span.e() != number(UINT64_MAX) || r.lo.e() == number(0);
}

static z3::expr is_formed(const struct ub_reg &reg)
{
	return is_formed(reg.bits) && is_formed(reg.range);
}

template <typename V> static void claim_member(const Sym &x, const V &set)
{
	claim(is_in(x, set) && is_formed(set));
}

/* --- contracts --- */

static std::vector<uint32_t> up_to(uint32_t cnt)
{
	std::vector<uint32_t> all;

	for (uint32_t i = 0; i < cnt; i++)
		all.push_back(i);
	return all;
}

/* The value that the result in the end must have for a member. */
static std::vector<Sym> subjects;

static void claim_about_subject(const z3::expr &e)
{
	claim(e);
	assume(e);
}

static struct ub_bits contract_bits_between(Sym lo, Sym hi)
{
	struct ub_bits result = any_bits(fresh("between"));

	claim_about_subject((lo <= hi).e);
	for (const Sym &x : subjects)
		assume(!((lo <= x).e && (x <= hi).e) || is_in(x, result));
	return result;
}

static struct ub_reg scalar(struct ub_bits bits, struct ub_range range)
{
	struct ub_reg result = any_reg(fresh("scalar"));

	for (const Sym &x : subjects) {
		claim_about_subject(is_in(x, bits) && is_formed(bits) && is_in(x, range) && is_formed(range));
		assume(is_in(x, result));
	}
	return result;
}

/* Of the subjects, in order, of how many zeros they are multiples; and what is left of each behind those. */
struct Zeros {
	uint32_t cnt;
	z3::expr rest;
};

static std::vector<Zeros> zeros;

static z3::expr power_of_two(uint32_t cnt)
{
	return cnt < 64 ? number(1ull << cnt) : number(0);
}

namespace bits {
/* How many can be anything up to 64: each is a run. */
static uint32_t known_zeros_below(struct ub_bits a)
{
	Zeros of = { 0, path().any(fresh("rest").c_str()) };
	const Sym &x = subjects[zeros.size()];

	claim_about_subject(is_in(x, a));
	while (of.cnt < 64 && !either_way())
		of.cnt++;
	assume(x.e() == of.rest * power_of_two(of.cnt));
	zeros.push_back(of);
	return of.cnt;
}
}

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

namespace walks {
static Signed faster(Signed grown, Signed old_drift, Signed drift, uint8_t *)
{
	Signed result = Signed(any(fresh("faster").c_str()));

	claim(number(-(1ll << 60)) <= grown.e() && grown.e() <= number(1ll << 60));
	claim(number(0) <= drift.e() && drift.e() <= number(MAX_DRIFT));
	assume(drift.e() <= result.e() && result.e() <= number(1ll << 62));
	return result;
}
}

static Runs walk_faster()
{
	Runs runs;

	for (uint32_t tries : up_to(7))
		runs.push_back([=] {
			Signed grown(any("grown")), old_drift(any("old")), drift(any("drift"));
			uint8_t count = tries;

			assume(number(-(1ll << 60)) <= grown.e() && grown.e() <= number(1ll << 60));
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

typedef std::function<Sym(const Sym &, const Sym &)> Machine;

template <typename V> static Runs binary(std::function<V(const V &, const V &)> op, Machine machine)
{
	return { [=] {
		V a = any_value<V>("a"), b = any_value<V>("b");
		Sym x = any_of(a, "x"), y = any_of(b, "y");

		Sym result = machine(x, y);

		subjects = { result };
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

			claim_member(machine(x, cnt), op(a, cnt));
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

static Sym extend(const Sym &x, uint32_t width, bool is_signed)
{
	return is_signed ? Sym(Signed(x << (64 - width)) >> (64 - width)) : x & Sym(UINT64_MAX >> (64 - width));
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

			subjects = { result };
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

/* --- walks: numbers between lo + t * down and hi + t * up, which never overflow --- */

static struct ub_walk any_walk(const std::string &name)
{
	struct ub_walk w;

	w.lo = Signed(any((name + ".lo").c_str()));
	w.hi = Signed(any((name + ".hi").c_str()));
	w.down = Signed(any((name + ".down").c_str()));
	w.up = Signed(any((name + ".up").c_str()));
	for (const z3::expr &end : { w.lo.e(), w.hi.e() })
		assume(number(-MAX_END) <= end && end <= number(MAX_END));
	assume(number(-MAX_DRIFT) <= w.down.e() && w.down.e() <= number(0));
	assume(number(0) <= w.up.e() && w.up.e() <= number(MAX_DRIFT));
	return w;
}

static Sym any_ticks(uint32_t most)
{
	Sym t = any("t");

	assume(number(0) <= t.e() && t.e() <= number(most));
	return t;
}

static z3::expr is_walker(const z3::expr &x, const z3::expr &t, const struct ub_walk &w)
{
	return w.lo.e() + t * w.down.e() <= x && x <= w.hi.e() + t * w.up.e();
}

typedef bool (*WalkOp)(struct ub_walk, struct ub_walk, struct ub_walk *);

static Runs walk_binary(WalkOp op, Machine machine)
{
	return { [=] {
		struct ub_walk a = any_walk("a"), b = any_walk("b"), result;
		Sym t = any_ticks(UB_WALK_TICKS), x = any("x"), y = any("y");

		assume(is_walker(x.e(), t.e(), a) && is_walker(y.e(), t.e(), b));
		if (op(a, b, &result))
			claim(is_walker(machine(x, y).e(), t.e(), result));
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
				claim(is_walker(x.e() * number(1 << cnt), t.e(), result));
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
		claim(is_walker(x.e(), number(0), ub_walk_settle(a)));
	} };
}

static Runs walk_join()
{
	return { [] {
		struct ub_walk a = any_walk("a"), b = any_walk("b");
		Sym t = any_ticks(UB_WALK_TICKS), x = any("x");

		assume(is_walker(x.e(), t.e(), a) || is_walker(x.e(), t.e(), b));
		claim(is_walker(x.e(), t.e(), ub_walk_join(a, b)));
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

			/* As ub_walk_join() has it. */
			assume(joined.lo.e() <= old.lo.e() && old.hi.e() <= joined.hi.e());
			assume(joined.down.e() <= old.down.e() && old.up.e() <= joined.up.e());
			assume(is_walker(x.e(), t.e(), joined));
			if (ub_walk_widen(old, joined, &both, &result))
				claim(is_walker(x.e(), t.e(), result));
		});
	return runs;
}

/* --- the core rule of the image checker --- */

static struct ub_reg walker(enum ub_reg_kind kind, const std::string &name)
{
	struct ub_reg reg = ub_reg_any();

	reg.kind = kind;
	reg.walk = any_walk(name);
	return reg;
}

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
			claim_member(x, scalar_itself(b, r));
		} } },
		{ "register and", binary<struct ub_reg>(REG(and), M(x & y)) },
		{ "register or", binary<struct ub_reg>(REG(or), M(x | y)) },
		{ "register insert", register_insert() },
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
	printf("%-28s %-10s %6lu paths %8.2f s\n", operation.name,
	       p.is_proven ? "proven" : p.has_unknown ? "not proven" : "WRONG", p.paths,
	       cpu_seconds() - start);
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
