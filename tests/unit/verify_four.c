// SPDX-License-Identifier: GPL-2.0
/*
 * verify_four: the verifier's registers at 4 bits, all of them: every set of bits with every arc.
 *
 * A set of values is a number with a bit for each.  Each pair of bits and arc makes a register, which must hold what is
 * in both; each operation is run on all registers that are made so, or on all pairs of them, and must hold all that the
 * machine makes of their members.
 */
#define UB_VALUE_BITS	4
#include "../small.h"

#define REG_MAX		(BITS_CNT * ARC_CNT)

static struct ub_reg regs[REG_MAX];
static u16 members[REG_MAX];
static u32 reg_cnt;

static u16 in_bits[VALUE_CNT][VALUE_CNT], in_range[VALUE_CNT][VALUE_CNT];

static void make_members(void)
{
	u32 a, b, x;

	for (a = 0; a < VALUE_CNT; a++)
		for (b = 0; b < VALUE_CNT; b++)
			for (x = 0; x < VALUE_CNT; x++) {
				in_bits[a][b] |= ub_bits_has((struct ub_bits){ a, b }, x) << x;
				in_range[a][b] |= ub_range_has((struct ub_range){ a, b }, x) << x;
			}
}

static u16 members_of(const struct ub_reg *reg)
{
	return in_bits[reg->bits.value][reg->bits.mask] & in_range[reg->range.lo][reg->range.span];
}

static void add_reg(const struct ub_reg *reg)
{
	u32 i;

	for (i = 0; i < reg_cnt; i++)
		if (ub_reg_equal(&regs[i], reg))
			return;
	regs[reg_cnt] = *reg;
	members[reg_cnt++] = members_of(reg);
}

static void make_regs(void)
{
	struct ub_reg raw = { .kind = UB_REG_SCALAR }, reg;
	u32 bits, arc;
	u16 set;

	for (bits = 0; bits < BITS_CNT; bits++)
		for (arc = 0; arc < ARC_CNT; arc++) {
			raw.bits = bits_of(bits);
			raw.range = arc_of(arc);
			set = members_of(&raw);
			if (!set)
				continue;
			reg = scalar(raw.bits, raw.range);
			check_cnt++;
			if (set & ~members_of(&reg))
				fail("a register of bits and range", raw.bits.value, raw.bits.mask, raw.range.lo, raw.range.span);
			add_reg(&reg);
		}
}

/* --- operations --- */

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

#define INSERT(width)									\
static value c_insert##width(value a, value b)						\
{											\
	return (a & ~low_bits(VALUE_MAX, width)) | low_bits(b, width);			\
}											\
											\
static struct ub_reg insert##width(const struct ub_reg *a, const struct ub_reg *b)	\
{											\
	return ub_reg_insert(a, b, width);						\
}
INSERT(1)
INSERT(2)
INSERT(3)

struct reg_op {
	const char *name;
	struct ub_reg (*abstract)(const struct ub_reg *a, const struct ub_reg *b);
	concrete_fn concrete;
};

static const struct reg_op reg_ops[] = {
	{ "register add", ub_reg_add, c_add },
	{ "register sub", ub_reg_sub, c_sub },
	{ "register and", ub_reg_and, c_and },
	{ "register or", ub_reg_or, c_or },
	{ "register xor", ub_reg_xor, c_xor },
	{ "register mul", ub_reg_mul, c_mul },
	{ "register join, left", join_regs, c_left },
	{ "register join, right", join_regs, c_right },
	{ "register widen, left", widen_regs, c_left },
	{ "register widen, right", widen_regs, c_right },
	{ "register insert 1", insert1, c_insert1 },
	{ "register insert 2", insert2, c_insert2 },
	{ "register insert 3", insert3, c_insert3 },
};

/* What the machine makes of each member of @set with each value. */
static void make_table(concrete_fn concrete, u16 set, u16 *ret)
{
	u32 x, y;

	for (y = 0; y < VALUE_CNT; y++)
		for (x = 0, ret[y] = 0; x < VALUE_CNT; x++)
			if (set & 1u << x)
				ret[y] |= 1u << concrete(x, y);
}

static u64 test_reg_op(const struct reg_op *op, bool is_loud)
{
	u16 table[VALUE_CNT], set;
	struct ub_reg result;
	u32 a, b, y;
	u64 wrong = 0;

	for (a = 0; a < reg_cnt; a++) {
		make_table(op->concrete, members[a], table);
		for (b = 0; b < reg_cnt; b++) {
			result = op->abstract(&regs[a], &regs[b]);
			for (y = 0, set = 0; y < VALUE_CNT; y++)
				set |= members[b] & 1u << y ? table[y] : 0;
			if (!(set & ~members_of(&result)))
				continue;
			wrong++;
			if (is_loud)
				fail(op->name, regs[a].bits.value, regs[a].bits.mask, regs[b].bits.value, regs[b].bits.mask);
		}
	}
	check_cnt += (u64)reg_cnt * reg_cnt;
	return wrong;
}

static void test_reg_unary(const struct unary_op *op, u32 n)
{
	struct ub_reg result;
	u32 a, x;

	for (a = 0; a < reg_cnt; a++) {
		result = op->reg(&regs[a], n);
		for (x = 0; x < VALUE_CNT; x++)
			if (members[a] & 1u << x && !(members_of(&result) & 1u << op->concrete(x, n)))
				fail(op->name, regs[a].bits.value, regs[a].bits.mask, n, x);
	}
	check_cnt += reg_cnt;
}

/* The least and the greatest that it may be. */
static void test_reg_ends(void)
{
	u32 a;

	for (a = 0; a < reg_cnt; a++) {
		u32 least = __builtin_ctz(members[a]), most = 31 - __builtin_clz(members[a]);

		if (ub_reg_min(&regs[a]) > least || ub_reg_max(&regs[a]) < most)
			fail("register ends", regs[a].bits.value, regs[a].bits.mask, regs[a].range.lo, regs[a].range.span);
	}
}

/* Does this test find what is wrong?  A sum is no union. */
static void test_test(void)
{
	static const struct reg_op wrong = { "wrong", ub_reg_or, c_add };

	if (!test_reg_op(&wrong, false))
		fail("a wrong sum is right", 0, 0, 0, 0);
}

int main(void)
{
	u32 i, n;

	make_members();
	make_regs();
	for (i = 0; i < ARRAY_SIZE(reg_ops); i++)
		test_reg_op(&reg_ops[i], true);
	for (i = 0; i < ARRAY_SIZE(unary_ops); i++)
		for (n = unary_ops[i].min; n <= unary_ops[i].max; n++)
			test_reg_unary(&unary_ops[i], n);
	test_reg_ends();
	test_test();
	printf("%" PRIu64 " operands and pairs of %u registers checked\n", check_cnt, reg_cnt);
	printf("%d passed, %d failed\n", fail_cnt ? 0 : 1, fail_cnt ? 1 : 0);
	return fail_cnt != 0;
}
