/* SPDX-License-Identifier: GPL-2.0 */
/*
 * members: what the verifier's values stand for, as formulas; any value of a kind, and any number in it.
 */
#ifndef UB_PROVE_MEMBERS_H
#define UB_PROVE_MEMBERS_H

typedef std::vector<std::function<void()>> Runs;
typedef std::function<Sym(const Sym &, const Sym &)> Machine;

static std::vector<uint32_t> up_to(uint32_t cnt)
{
	std::vector<uint32_t> all;

	for (uint32_t i = 0; i < cnt; i++)
		all.push_back(i);
	return all;
}

static z3::expr is_in(const Sym &x, const struct ub_bits &b)
{
	return (x.e() & ~b.mask.e()) == b.value.e();
}

static z3::expr is_in(const Sym &x, const struct ub_range &r)
{
	return (x - r.lo <= r.span).e;
}

static struct ub_bits any_bits(const std::string &name)
{
	struct ub_bits b = { any(name + ".value"), any(name + ".mask") };

	assume((b.value.e() & b.mask.e()) == number(0));
	return b;
}

static struct ub_range any_range(const std::string &name)
{
	struct ub_range r = { any(name + ".lo"), any(name + ".span") };

	/* The whole circle has one spelling. */
	assume(r.span.e() != number(UINT64_MAX) || r.lo.e() == number(0));
	return r;
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

/* --- walks: whole numbers between lo + t * down and hi + t * up, which never overflow --- */

/* How far ends are at most: what put() lets pass, and what ticks and checks without a loop between add. */
#define REACH	(2 * MAX_END)

static z3::expr is_walk(const struct ub_walk &w, int64_t reach)
{
	z3::expr all = number(-MAX_DRIFT) <= w.down.e() && w.down.e() <= number(0) &&
		       number(0) <= w.up.e() && w.up.e() <= number(MAX_DRIFT);

	for (const z3::expr &end : { w.lo.e(), w.hi.e() })
		all = all && number(-reach) <= end && end <= number(reach);
	return all;
}

static struct ub_walk any_walk(const std::string &name, int64_t reach = REACH)
{
	struct ub_walk w;

	w.lo = Signed(any(name + ".lo"));
	w.hi = Signed(any(name + ".hi"));
	w.down = Signed(any(name + ".down"));
	w.up = Signed(any(name + ".up"));
	assume(is_walk(w, reach));
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

static z3::expr lesser(const Signed &a, const Signed &b)
{
	return z3::ite(a.e() < b.e(), a.e(), b.e());
}

static z3::expr greater(const Signed &a, const Signed &b)
{
	return z3::ite(a.e() > b.e(), a.e(), b.e());
}

/* --- registers --- */

namespace registers {
#include "../../verifier/reg.h"
}
using registers::ub_reg;
using registers::ub_reg_kind;
using enum registers::ub_reg_kind;

/* A scalar. */
static z3::expr is_in(const Sym &x, const struct ub_reg &reg)
{
	return is_in(x, reg.bits) && is_in(x, reg.range);
}

static z3::expr is_formed(const struct ub_reg &reg)
{
	return is_formed(reg.bits) && is_formed(reg.range);
}

static struct ub_reg any_reg(const std::string &name)
{
	struct ub_reg reg = {};

	reg.kind = UB_REG_SCALAR;
	reg.bits = any_bits(name);
	reg.range = any_range(name);
	return reg;
}

static struct ub_reg walker(enum ub_reg_kind kind, const std::string &name)
{
	struct ub_reg reg = {};

	reg.kind = kind;
	reg.walk = any_walk(name);
	return reg;
}

template <typename V> static Sym any_of(const V &set, const std::string &name)
{
	Sym x = any(name);

	assume(is_in(x, set));
	return x;
}

template <typename V> static void claim_member(const Sym &x, const V &set)
{
	claim(is_in(x, set) && is_formed(set));
}

#endif
