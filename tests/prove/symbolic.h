/* SPDX-License-Identifier: GPL-2.0 */
/*
 * symbolic: numbers of 64 bits that are formulas, so that C source runs on all inputs at once.
 *
 * With u64 and s64 defined as Sym and Signed the source of the verifier compiles as it is.  Where it branches on a
 * formula, both ways are gone, one run each, if the solver says that they can be: explore().  What holds of the inputs is
 * said with assume(), what must hold of the results with claim().
 *
 * Formulas are of bit vectors; or, for sums and products that are compared, which bits are bad at, of integers, with the
 * remainder of 2^64 spelled out: then the only bits to be had are those of a shift, of a low mask and of the sign.  There
 * the product of two unknown numbers is any number at all, which only what is said of path().products makes more of: see
 * prove.cc.  Where signed numbers never overflow, they are plain real numbers, which what is claimed of them holds for
 * too, and that they do not is one more claim.
 */
#ifndef UB_PROVE_SYMBOLIC_H
#define UB_PROVE_SYMBOLIC_H

#include <z3++.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#define KEPT_MODELS	8u

/* Of this process alone, so that a busy machine proves as much. */
inline double cpu_seconds()
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Whole numbers, without remainder. */
struct Product {
	z3::expr a, b, whole;
};

struct Path {
	z3::context ctx;
	std::vector<z3::expr> pool;		/* what Sym::id counts; 0 is the number 0 */
	std::vector<z3::expr> held;		/* assumed, or decided on the way */
	std::vector<bool> decisions, is_forced;
	size_t next = 0, fresh_cnt = 0;
	unsigned long paths = 0;
	bool is_integer = false, is_plain = false, has_functions = false;
	std::vector<z3::model> models;		/* of the last questions, for the next ones */
	std::vector<z3::expr> made;		/* plain numbers, which must not leave those of 64 bits */
	std::vector<Product> products;
	std::atomic<double> deadline = 0;
	std::atomic<bool> is_asking = false;
	std::string why_unknown;
	bool is_proven = true, has_unknown = false, is_dead = false;

	Path()
	{
		reset();
		std::thread([this] { watch(); }).detach();
	}

	/* A question may not take longer than there is left, of processor time: the solver itself only knows the clock's. */
	[[noreturn]] void watch()
	{
		for (;; std::this_thread::sleep_for(std::chrono::milliseconds(100)))
			if (is_asking && is_late())
				ctx.interrupt();
	}

	z3::expr value(uint64_t number)
	{
		if (is_plain)
			return ctx.real_val((int64_t)number);
		return is_integer ? ctx.int_val(number) : ctx.bv_val(number, 64);
	}

	z3::expr any(const std::string &name)
	{
		z3::expr e = is_plain ? ctx.real_const(name.c_str()) : is_integer ? ctx.int_const(name.c_str()) : ctx.bv_const(name.c_str(), 64);

		if (is_integer && !is_plain)
			held.push_back(e >= 0 && e < modulus());
		return e;
	}

	bool is_late() const
	{
		return cpu_seconds() > deadline;
	}

	z3::expr modulus()
	{
		return ctx.int_val("18446744073709551616");
	}

	/* @e is *ret_times * @by and a rest, 0 <= rest < @by. */
	z3::expr divide(const z3::expr &e, const z3::expr &by, z3::expr *ret_rest)
	{
		z3::expr times = ctx.int_const(("times" + std::to_string(fresh_cnt++)).c_str());

		*ret_rest = e - by * times;
		held.push_back(*ret_rest >= 0 && *ret_rest < by);
		return times;
	}

	z3::expr power(uint32_t cnt)
	{
		if (is_plain)
			return ctx.real_val(std::to_string((uint64_t)1 << cnt).c_str());
		return cnt == 64 ? modulus() : ctx.int_val((uint64_t)1 << cnt);
	}

	void reset()
	{
		pool.clear();
		made.clear();
		has_functions = false;
		products.clear();
		held.clear();
		next = 0;
		is_dead = false;
		pool.push_back(value(0));
		fresh_cnt = 0;
	}

	z3::check_result check(const z3::expr &also)
	{
		if (is_late())
			return z3::unknown;
		z3::solver solver = is_plain ? z3::solver(ctx, "QF_NRA") : is_integer ? z3::solver(ctx) : z3::solver(ctx, has_functions ? "QF_UFBV" : "QF_BV");
		for (const z3::expr &e : held)
			solver.add(e);
		solver.add(also);
		is_asking = true;
		z3::check_result result = solver.check();
		is_asking = false;

		if (result == z3::unknown)
			why_unknown = solver.reason_unknown();
		if (result == z3::sat)
			keep_model(solver.get_model());
		return result;
	}

	void keep_model(const z3::model &model)
	{
		if (models.size() == KEPT_MODELS)
			models.erase(models.begin());
		models.push_back(model);
	}

	/* Is one of the last inputs that the solver found one for which all that is held and @also is true? */
	bool is_known_possible(const z3::expr &also)
	{
		for (size_t i = models.size(); i-- > 0;)
			if (is_true_in(models[i], also) &&
			    std::all_of(held.begin(), held.end(), [&](const z3::expr &e) { return is_true_in(models[i], e); }))
				return true;
		return false;
	}

	static bool is_true_in(const z3::model &model, const z3::expr &e)
	{
		return model.eval(e, true).is_true();
	}

	/* What cannot be said counts as possible. */
	bool can_be(const z3::expr &also)
	{
		return is_known_possible(also) || check(also) != z3::unsat;
	}
};

inline Path &path()
{
	static Path the;

	return the;
}

inline uint32_t intern(const z3::expr &e)
{
	path().pool.push_back(e.simplify());
	return path().pool.size() - 1;
}

inline z3::expr number(uint64_t value)
{
	return path().value(value);
}

/* Plain data, so that it may stand in the unions and initializers of C. */
struct Sym {
	uint32_t id;

	Sym() = default;
	template <typename T, typename = std::enable_if_t<std::is_integral_v<T>>>
	Sym(T value) : id(intern(number((uint64_t)value))) { }
	explicit Sym(const z3::expr &e) : id(intern(e)) { }
	inline Sym(const struct Signed &value);
	z3::expr e() const { return path().pool[id]; }
	explicit operator bool() const;
};

struct Signed {
	uint32_t id;

	Signed() = default;
	template <typename T, typename = std::enable_if_t<std::is_integral_v<T>>>
	Signed(T value) : id(intern(number((uint64_t)(int64_t)value))) { }
	explicit Signed(const z3::expr &e) : id(intern(e)) { }
	Signed(const Sym &value) : id(value.id) { }
	z3::expr e() const { return path().pool[id]; }
	explicit operator bool() const;
};

inline Sym::Sym(const Signed &value) : id(value.id) { }

/* Which way?  Both that are possible, one run each. */
inline bool decide(const z3::expr &condition)
{
	Path &p = path();
	z3::expr c = condition.simplify();
	bool way;

	if (c.is_true() || c.is_false())
		return c.is_true();
	if (p.next < p.decisions.size()) {
		way = p.decisions[p.next++];
	} else {
		bool can = p.can_be(c), can_not = p.can_be(!c);

		if (!can && !can_not)
			p.is_dead = true;
		way = can;
		p.decisions.push_back(way);
		p.is_forced.push_back(!(can && can_not));
		p.next++;
	}
	p.held.push_back(way ? c : !c);
	return way;
}

/* Both ways, whatever is known. */
inline bool either_way()
{
	Path &p = path();

	if (p.next == p.decisions.size()) {
		p.decisions.push_back(true);
		p.is_forced.push_back(false);
	}
	return p.decisions[p.next++];
}

inline Sym::operator bool() const { return decide(e() != number(0)); }
inline Signed::operator bool() const { return decide(e() != number(0)); }

struct Cond {
	z3::expr e;

	operator bool() const { return decide(e); }
};

inline z3::expr plain(const z3::expr &e)
{
	path().made.push_back(e);
	return e;
}

inline z3::expr sum(const z3::expr &a, const z3::expr &b)
{
	z3::expr whole = a + b;

	if (path().is_plain)
		return plain(whole);
	return path().is_integer ? z3::ite(whole >= path().modulus(), whole - path().modulus(), whole) : whole;
}

inline z3::expr difference(const z3::expr &a, const z3::expr &b)
{
	z3::expr whole = a - b;

	if (path().is_plain)
		return plain(whole);
	return path().is_integer ? z3::ite(a >= b, whole, whole + path().modulus()) : whole;
}

inline z3::expr whole_product(const z3::expr &a, const z3::expr &b)
{
	Path &p = path();

	if (a.is_numeral() || b.is_numeral())
		return a * b;
	z3::expr whole = p.ctx.int_const(("product" + std::to_string(p.fresh_cnt++)).c_str());

	p.held.push_back(whole >= 0);
	p.products.push_back({ a, b, whole });
	return whole;
}

/* The product, less as often 2^64 as there is; and, if asked for, whether that is never. */
inline z3::expr product(const z3::expr &a, const z3::expr &b, z3::expr *ret_fits = nullptr)
{
	Path &p = path();
	z3::expr rest = a;

	if (p.is_plain)
		return plain(a * b);
	if (!p.is_integer) {
		if (ret_fits)
			*ret_fits = z3::expr(p.ctx, Z3_mk_bvmul_no_overflow(p.ctx, a, b, false));
		return a * b;
	}
	z3::expr times = p.divide(whole_product(a, b), p.modulus(), &rest);

	if (ret_fits)
		*ret_fits = times == 0;
	return rest;
}

/* Of the integer constant @e = 2^cnt - 1 the count. */
inline uint32_t low_mask(const z3::expr &e)
{
	uint64_t mask = 0;

	if (!e.is_numeral_u64(mask) || mask & (mask + 1))
		throw z3::exception("bits of an integer");
	return mask ? 64 - __builtin_clzll(mask) : 0;
}

inline z3::expr conjunction(const z3::expr &a, const z3::expr &b)
{
	z3::expr rest = a;

	if (!path().is_integer)
		return a & b;
	path().divide(a, path().power(low_mask(b)), &rest);
	return rest;
}

inline z3::expr exclusive(const z3::expr &a, const z3::expr &b)
{
	if (path().is_integer && !b.simplify().is_numeral())
		throw z3::exception("bits of an integer");
	return path().is_integer ? sum(a, b) : a ^ b;	/* the sign bit: no other is asked for */
}

/* As signed. */
inline z3::expr with_sign(const z3::expr &e)
{
	if (path().is_plain)
		return e;
	return z3::ite(e >= path().power(63), e - path().modulus(), e);
}

inline z3::expr shifted_right(const z3::expr &e, uint32_t cnt, bool is_signed)
{
	z3::expr rest = e, times = e;

	if (!path().is_integer)
		return is_signed ? z3::ashr(e, number(cnt)) : z3::lshr(e, number(cnt));
	times = path().divide(is_signed ? with_sign(e) : e, path().power(cnt), &rest);
	return z3::ite(times < 0, times + path().modulus(), times);
}

inline z3::expr below(const z3::expr &a, const z3::expr &b, bool or_equal)
{
	if (path().is_integer)
		return or_equal ? a <= b : a < b;
	return or_equal ? z3::ule(a, b) : z3::ult(a, b);
}

inline z3::expr signed_below(const z3::expr &a, const z3::expr &b, bool or_equal)
{
	if (path().is_integer)
		return or_equal ? with_sign(a) <= with_sign(b) : with_sign(a) < with_sign(b);
	return or_equal ? z3::sle(a, b) : z3::slt(a, b);
}

#define SYM_OP(T, op, expr)	inline T operator op(const T &a, const T &b) { return T(expr); }
#define SYM_CMP(T, op, expr)	inline Cond operator op(const T &a, const T &b) { return Cond{ expr }; }
#define SYM_BOTH(T)									\
	SYM_OP(T, +, sum(a.e(), b.e())) SYM_OP(T, -, difference(a.e(), b.e()))		\
	SYM_OP(T, *, product(a.e(), b.e()))						\
	SYM_OP(T, &, conjunction(a.e(), b.e())) SYM_OP(T, |, a.e() | b.e())		\
	SYM_OP(T, ^, exclusive(a.e(), b.e()))						\
	SYM_CMP(T, ==, a.e() == b.e()) SYM_CMP(T, !=, a.e() != b.e())			\
	inline T operator~(const T &a) { return T(~a.e()); }				\
	inline T operator-(const T &a) { return T(difference(number(0), a.e())); }	\
	inline Cond operator!(const T &a) { return Cond{ a.e() == number(0) }; }	\
	inline T operator<<(const T &a, uint32_t cnt) { return T(product(a.e(), number(1ull << cnt))); }	\
	inline T &operator-=(T &a, const T &b) { return a = a - b; }			\
	inline T &operator+=(T &a, const T &b) { return a = a + b; }			\
	inline T &operator*=(T &a, const T &b) { return a = a * b; }
SYM_BOTH(Sym)
SYM_BOTH(Signed)
SYM_CMP(Sym, <, below(a.e(), b.e(), false)) SYM_CMP(Sym, <=, below(a.e(), b.e(), true))
SYM_CMP(Sym, >, below(b.e(), a.e(), false)) SYM_CMP(Sym, >=, below(b.e(), a.e(), true))
SYM_CMP(Signed, <, signed_below(a.e(), b.e(), false)) SYM_CMP(Signed, <=, signed_below(a.e(), b.e(), true))
SYM_CMP(Signed, >, signed_below(b.e(), a.e(), false)) SYM_CMP(Signed, >=, signed_below(b.e(), a.e(), true))
/* As C has it: unsigned. */
inline Sym operator+(const Sym &a, const Signed &b) { return a + Sym(b); }
inline Sym operator+(const Signed &a, const Sym &b) { return Sym(a) + b; }
inline Sym operator>>(const Sym &a, uint32_t cnt) { return Sym(shifted_right(a.e(), cnt, false)); }
inline Signed operator>>(const Signed &a, uint32_t cnt) { return Signed(shifted_right(a.e(), cnt, true)); }

/* In place of the compiler's. */
inline bool sym_add_overflow(const Sym &a, const Sym &b, Sym *ret)
{
	*ret = a + b;
	return *ret < a;
}

inline bool sym_mul_overflow(const Sym &a, const Sym &b, Sym *ret)
{
	z3::expr fits = a.e();

	*ret = Sym(product(a.e(), b.e(), &fits));
	return decide(!fits);
}

inline uint32_t sym_zeros(const Sym &a, bool from_top)
{
	uint32_t i;

	for (i = 0; i < 63; i++) {
		uint32_t bit = from_top ? 63 - i : i;

		if (decide(a.e().extract(bit, bit) == path().ctx.bv_val(1, 1)))
			break;
	}
	return i;
}

inline Sym any(const std::string &name)
{
	return Sym(path().any(name));
}

/* A name that no other formula of this run has. */
inline std::string fresh(const std::string &name)
{
	return name + std::to_string(path().fresh_cnt++);
}

inline void assume(const z3::expr &e)
{
	path().held.push_back(e);
}

inline void claim(const z3::expr &e)
{
	Path &p = path();
	z3::expr all = e;

	for (const z3::expr &made : p.made)
		all = all && made >= -p.power(63) && made < p.power(63);
	z3::check_result result = p.is_dead ? z3::unsat : p.check(!all);

	p.is_proven &= result == z3::unsat;
	p.has_unknown |= result == z3::unknown;
}

/* All ways through @run, until path().deadline; path() then says how many there were and whether all claims hold. */
inline void explore(const std::function<void()> &run)
{
	Path &p = path();

	p.decisions.clear();
	p.is_forced.clear();
	for (;;) {
		p.reset();
		run();
		p.paths++;
		while (!p.decisions.empty() && (p.is_forced.back() || !p.decisions.back())) {
			p.decisions.pop_back();
			p.is_forced.pop_back();
		}
		if (p.decisions.empty())
			return;
		if (p.is_late()) {
			p.is_proven = false;
			p.has_unknown = true;
			return;
		}
		p.decisions.back() = false;
	}
}

#endif
