/* SPDX-License-Identifier: GPL-2.0 */
/*
 * contracts: what stands for a function where another one calls it.
 *
 * Each promises what an operation of its name in prove.cc proves, of the numbers that this run is about, and no more.
 * What a function needs of its operands is claimed.  Those that reg.c finds are not functions, so that it finds no others.
 */
#ifndef UB_PROVE_CONTRACTS_H
#define UB_PROVE_CONTRACTS_H

/* The numbers that this run is about: operands and result. */
static std::vector<Sym> subjects;

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

static void require(const z3::expr &e)
{
	claim(e);
	assume(e);
}

namespace bits {
/* How many can be anything up to 64: each is a run. */
static uint32_t known_zeros_below(struct ub_bits a)
{
	Zeros of = { 0, path().any(fresh("rest")) };
	const Sym &x = subjects[zeros.size()];

	require(is_in(x, a));
	while (of.cnt < 64 && !either_way())
		of.cnt++;
	assume(x.e() == of.rest * power_of_two(of.cnt));
	zeros.push_back(of);
	return of.cnt;
}
}

namespace walks {
static Signed faster(Signed grown, Signed, Signed drift, uint8_t *)
{
	Signed result = Signed(any(fresh("faster")));

	claim(number(-REACH * 2) <= grown.e() && grown.e() <= number(REACH * 2));
	claim(number(0) <= drift.e() && drift.e() <= number(MAX_DRIFT));
	assume(drift.e() <= result.e() && result.e() <= number(1ll << 62));
	return result;
}
}

/* --- for reg.c --- */

/* Whole numbers that registers are, or are above their guards. */
static std::vector<Sym> walkers;
/* What may be the guard of a guarded result. */
static std::vector<Sym> guards;

/* Is @x in @w at the t of this run?  That is for walk.c to know, but where t does not count. */
static z3::expr walks_in(const Sym &x, const struct ub_walk &w)
{
	z3::context &c = path().ctx;
	z3::sort_vector numbers(c);
	z3::expr_vector all(c);

	for (const z3::expr &e : { x.e(), w.lo.e(), w.hi.e(), w.down.e(), w.up.e() }) {
		numbers.push_back(c.bv_sort(64));
		all.push_back(e);
	}

	path().has_functions = true;
	return z3::ite(w.down.e() == number(0) && w.up.e() == number(0), w.lo.e() <= x.e() && x.e() <= w.hi.e(),
		       c.function("is_at_t", numbers, c.bool_sort())(all));
}

static void require_walk(const struct ub_walk &w, int64_t reach = REACH)
{
	require(is_walk(w, reach));
}

template <typename V> using Unary = V (*)(V, uint32_t);
template <typename V> using Binary = V (*)(V, V);

template <typename V> static V any_result(const char *name);
template <> struct ub_bits any_result(const char *name) { return any_bits(fresh(name)); }
template <> struct ub_range any_result(const char *name) { return any_range(fresh(name)); }

#define CONTRACT_BY(V, name, formula)								\
	static const auto name = [](V a, uint32_t cnt) {					\
		V result = any_result<V>(#name);						\
												\
		require(is_formed(a));								\
		for (const Sym &x : subjects)							\
			assume(z3::implies(is_in(x, a), is_in(formula, result)));		\
		return result;									\
	}

#define CONTRACT(V, name, formula)								\
	static const auto name = [](V a, V b) {							\
		V result = any_result<V>(#name);						\
												\
		require(is_formed(a) && is_formed(b));						\
		for (const Sym &x : subjects)							\
			for (const Sym &y : subjects)						\
				assume(z3::implies(is_in(x, a) && is_in(y, b), is_in(formula, result)));	\
		return result;									\
	}

static Sym extend(const Sym &x, uint32_t width, bool is_signed)
{
	return is_signed ? Sym(Signed(x << (64 - width)) >> (64 - width)) : x & Sym(UINT64_MAX >> (64 - width));
}

namespace registers {
static const auto ub_bits_between = [](Sym lo, Sym hi) {
	struct ub_bits result = any_bits(fresh("between"));

	require((lo <= hi).e);
	for (const Sym &x : subjects)
		assume(z3::implies((lo <= x).e && (x <= hi).e, is_in(x, result)));
	return result;
};

CONTRACT(struct ub_bits, ub_bits_add, x + y);
CONTRACT(struct ub_bits, ub_bits_sub, x - y);
CONTRACT(struct ub_bits, ub_bits_mul, x * y);
CONTRACT(struct ub_range, ub_range_add, x + y);
CONTRACT(struct ub_range, ub_range_sub, x - y);
CONTRACT(struct ub_range, ub_range_mul, x * y);
CONTRACT_BY(struct ub_range, ub_range_shl, x << cnt);
CONTRACT_BY(struct ub_range, ub_range_shr, x >> cnt);
CONTRACT_BY(struct ub_range, ub_range_sar, Sym(Signed(x) >> cnt));
CONTRACT_BY(struct ub_range, ub_range_zext, extend(x, cnt, false));
CONTRACT_BY(struct ub_range, ub_range_sext, extend(x, cnt, true));

/* Some number is in both. */
static struct ub_reg scalar(struct ub_bits bits, struct ub_range range)
{
	struct ub_reg result = any_reg(fresh("scalar"));
	z3::expr has_member = path().ctx.bool_val(false);

	for (const Sym &x : subjects)
		has_member = has_member || (is_in(x, bits) && is_in(x, range));
	require(has_member && is_formed(bits) && is_formed(range));
	for (const Sym &x : subjects)
		assume(z3::implies(is_in(x, bits) && is_in(x, range), is_in(x, result)));
	return result;
}

struct ub_reg ub_reg_plain(const struct ub_reg *a, Sym limit)
{
	struct ub_reg result = any_reg(fresh("plain"));

	if (a->kind == UB_REG_SCALAR)
		return *a;
	if (a->kind >= UB_REG_WALKING)
		require_walk(a->walk);
	for (const Sym &x : walkers) {
		if (a->kind == UB_REG_WALKING)
			assume(z3::implies(walks_in(x, a->walk), is_in(x, result)));
		for (const Sym &guard : guards)
			if (a->kind == UB_REG_GUARDED)
				assume(z3::implies(walks_in(x, a->walk) && (guard <= limit).e, is_in(guard + x, result)));
	}
	return result;
}

typedef std::function<z3::expr(const struct ub_walk &result)> Promise;

/* May say that it cannot be said. */
static bool some_walk(const Promise &promise, struct ub_walk *ret)
{
	if (either_way())
		return false;
	*ret = any_walk(fresh("walk"), MAX_END);
	assume(promise(*ret));
	return true;
}

#define CONTRACT_WALK(name, formula)								\
	static const auto name = [](struct ub_walk a, struct ub_walk b, struct ub_walk *ret) {	\
		require_walk(a);								\
		require_walk(b);								\
		return some_walk([&](const struct ub_walk &result) {				\
			z3::expr all = path().ctx.bool_val(true);				\
												\
			for (const Sym &x : walkers)						\
				for (const Sym &y : walkers)					\
					all = all && z3::implies(walks_in(x, a) && walks_in(y, b),	\
								 walks_in(formula, result));	\
			return all;								\
		}, ret);									\
	}

CONTRACT_WALK(ub_walk_add, x + y);
CONTRACT_WALK(ub_walk_sub, x - y);

static const auto ub_walk_shl = [](struct ub_walk a, uint32_t cnt, struct ub_walk *ret) {
	require_walk(a);
	return some_walk([&](const struct ub_walk &result) {
		z3::expr all = path().ctx.bool_val(true);

		for (const Sym &x : walkers)
			all = all && z3::implies(walks_in(x, a), walks_in(x << cnt, result));
		return all;
	}, ret);
};

static const auto ub_walk_widen = [](struct ub_walk old, struct ub_walk joined, struct ub_walk_tries *, struct ub_walk *ret) {
	require_walk(old);
	require_walk(joined);
	return some_walk([&](const struct ub_walk &result) {
		z3::expr all = path().ctx.bool_val(true);

		for (const Sym &x : walkers)
			all = all && z3::implies(walks_in(x, joined), walks_in(x, result));
		return all;
	}, ret);
};

static const auto ub_walk_settle = [](struct ub_walk a) {
	struct ub_walk result = ub_walk_between(any(fresh("lo")), any(fresh("hi")));

	require_walk(a);
	assume(is_walk(result, 2 * REACH) && result.lo.e() <= result.hi.e());
	for (const Sym &x : walkers)
		assume(z3::implies(walks_in(x, a), walks_in(x, result)));
	return result;
};

static const auto ub_walk_join = [](struct ub_walk a, struct ub_walk b) {
	struct ub_walk result = any_walk(fresh("joined"), 2 * REACH);

	require_walk(a, 2 * REACH);
	require_walk(b, 2 * REACH);
	assume(result.lo.e() == lesser(a.lo, b.lo) && result.hi.e() == greater(a.hi, b.hi));
	assume(result.down.e() == lesser(a.down, b.down) && result.up.e() == greater(a.up, b.up));
	/* What is taken for guarded is so by what it is above its walk, which does not move. */
	for (const struct ub_walk &w : { a, b }) {
		walkers.push_back(Sym(w.lo));
		for (const Sym &x : subjects)
			guards.push_back(x - Sym(w.lo));
	}
	for (const Sym &x : walkers)
		assume(z3::implies(walks_in(x, a) || walks_in(x, b), walks_in(x, result)));
	return result;
};
}

#endif
