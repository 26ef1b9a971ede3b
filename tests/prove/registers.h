/* SPDX-License-Identifier: GPL-2.0 */
/*
 * registers: the operations of reg.c on registers of every kind.
 *
 * A guarded register is a guard, 0..LIMIT, and what walks above it.  A result that is guarded holds a number if for one of
 * the guards at hand what the number lies above it walks as the result says.
 */
#ifndef UB_PROVE_REGISTERS_H
#define UB_PROVE_REGISTERS_H

static const enum ub_reg_kind kinds[] = { UB_REG_SCALAR, UB_REG_WALKING, UB_REG_GUARDED };

static Sym any_limit()
{
	Sym limit = any("limit");

	assume(number(1 << 12) <= limit.e() && limit.e() <= number(1ll << 56));
	return limit;
}

static z3::expr is_guard(const Sym &x, const Sym &limit)
{
	return (x <= limit).e;
}

static void begin()
{
	subjects.clear();
	walkers.clear();
	guards.clear();
}

static struct ub_reg any_kind(enum ub_reg_kind kind, const std::string &name)
{
	return kind == UB_REG_SCALAR ? any_reg(name) : walker(kind, name);
}

/* A number in @reg, and what there is to say of it. */
static Sym any_number(const struct ub_reg &reg, const std::string &name, const Sym &limit)
{
	Sym x = any(name);

	if (reg.kind == UB_REG_GUARDED) {
		Sym guard = any((name + ".guard"));

		assume(is_guard(guard, limit));
		guards.push_back(guard);
		walkers.push_back(x);
		assume(walks_in(x, reg.walk));
		x = x + guard;
	} else {
		walkers.push_back(x);
		assume(reg.kind == UB_REG_SCALAR ? is_in(x, reg) : walks_in(x, reg.walk));
	}
	subjects.push_back(x);
	return x;
}

static void claim_number(const Sym &x, const struct ub_reg &reg, const Sym &limit)
{
	z3::expr is = path().ctx.bool_val(false);

	switch (reg.kind) {
	case UB_REG_SCALAR:
		claim_member(x, reg);
		break;
	case UB_REG_WALKING:
		claim(walks_in(x, reg.walk));
		break;
	case UB_REG_GUARDED:
		for (const Sym &guard : guards)
			is = is || (is_guard(guard, limit) && walks_in(x - guard, reg.walk));
		claim(is);
		break;
	default:
		claim(is);
	}
}

static Runs register_plain()
{
	Runs runs;

	for (enum ub_reg_kind kind : kinds)
		runs.push_back([=] {
			begin();
			struct ub_reg a = any_kind(kind, "a");
			Sym limit = any_limit(), x = any_number(a, "x", limit);
			struct ub_reg plain = registers::ub_reg_plain_itself(&a, limit);

			claim(path().ctx.bool_val(plain.kind == UB_REG_SCALAR));
			claim_number(x, plain, limit);
		});
	return runs;
}

static Runs register_settle()
{
	Runs runs;

	for (enum ub_reg_kind kind : kinds)
		runs.push_back([=] {
			begin();
			struct ub_reg a = any_kind(kind, "a");
			Sym limit = any_limit(), x = any_number(a, "x", limit);
			struct ub_reg settled = ub_reg_settle(&a);

			claim_number(x, settled, limit);
			/* At any other t too. */
			if (settled.kind != UB_REG_SCALAR)
				claim(settled.walk.down.e() == number(0) && settled.walk.up.e() == number(0));
		});
	return runs;
}

typedef struct ub_reg (*RegisterOp)(const struct ub_reg *a, const struct ub_reg *b, Sym limit);

static Runs register_binary(RegisterOp op, Machine machine)
{
	Runs runs;

	for (enum ub_reg_kind kind : kinds)
		for (enum ub_reg_kind other : kinds)
			runs.push_back([=] {
				begin();
				struct ub_reg a = any_kind(kind, "a"), b = any_kind(other, "b");
				Sym limit = any_limit(), x = any_number(a, "x", limit), y = any_number(b, "y", limit);
				Sym result = machine(x, y);

				subjects.push_back(result);
				claim_number(result, op(&a, &b, limit), limit);
			});
	return runs;
}

static Runs register_scaled()
{
	Runs runs;

	for (enum ub_reg_kind kind : kinds)
		for (uint32_t cnt : up_to(4))
			runs.push_back([=] {
				begin();
				struct ub_reg a = any_kind(kind, "a");
				Sym limit = any_limit(), x = any_number(a, "x", limit), result = x << cnt;

				subjects.push_back(result);
				claim_number(result, ub_reg_scaled(&a, cnt, limit), limit);
			});
	return runs;
}

/* A number of either is one of both; what one way has not written, nothing may read. */
static Runs register_join()
{
	Runs runs;

	for (enum ub_reg_kind kind : kinds) {
		for (enum ub_reg_kind other : kinds)
			for (bool is_first : { true, false })
				runs.push_back([=] {
					begin();
					struct ub_reg a = any_kind(kind, "a"), b = any_kind(other, "b");
					Sym limit = any_limit(), x = any_number(is_first ? a : b, "x", limit);

					claim_number(x, ub_reg_join(&a, &b, limit), limit);
				});
		for (bool is_first : { true, false })
			runs.push_back([=] {
				begin();
				struct ub_reg a = any_kind(kind, "a"), none = registers::ub_reg_unwritten();
				Sym limit = any_limit();

				claim(path().ctx.bool_val((is_first ? ub_reg_join(&a, &none, limit) : ub_reg_join(&none, &a, limit)).kind ==
							  UB_REG_UNWRITTEN));
			});
	}
	return runs;
}

static Runs register_widen()
{
	Runs runs;

	for (enum ub_reg_kind kind : kinds)
		for (enum ub_reg_kind other : kinds)
			for (uint32_t flags : up_to(8))
				runs.push_back([=] {
					begin();
					registers::ub_widen how = { !!(flags & 1), !!(flags & 2), !!(flags & 4), NULL };
					struct ub_reg old = any_kind(kind, "old"), joined = any_kind(other, "joined");
					Sym limit = any_limit(), x = any_number(joined, "x", limit);

					claim_number(x, ub_reg_widen(&old, &joined, &how, limit), limit);
				});
	return runs;
}

#endif
