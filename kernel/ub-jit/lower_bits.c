// SPDX-License-Identifier: GPL-2.0
/*
 * lower_bits: single bits, counting, BMI1, BMI2, ADX and CRC-32C.
 *
 * Each becomes the x86 instruction of its name.  Those that keep some of the flags find the guest's in the machine's.
 * Instructions write registers, so a result that lives in memory is made in the scratch register; where that leaves no
 * register for an operand, the one of pt_regs is lent for it.
 */
#include "lower.h"

/* The guest's flags are in the machine's if the instruction keeps some that are read later; else they are out of its way. */
static void keep_flags(struct jit *j, const struct ub_insn *insn)
{
	if (lower_wants_flags(j, insn))
		jit_flags_to_host(j);
	else
		lower_flags_before(j);
}

/* A result of the width in the register that lower_whole_reg() named. */
static void put_result(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(j, insn);

	if (dst.is_mem)
		x86_mov_rm_reg(&j->code, ub_insn_width(insn) == UB_W16 ? UB_W16 : UB_W64, dst, j->scratch);
	lower_flags_after(j, insn);
}

/* The old value of dst, in a register that may be changed. */
static u8 old_dst(struct jit *j, const struct ub_insn *insn)
{
	u8 reg = lower_whole_reg(j, insn);

	if (reg == j->scratch)
		lower_to_scratch(j, lower_dst(j, insn));
	return reg;
}

/* A bit number in a register would reach beyond an operand in memory, so that comes into a register too. */
static void bit_reg(struct jit *j, const struct ub_insn *insn, enum x86_bit op)
{
	u8 dst, src;

	if (op == X86_BT && !lower_wants_flags(j, insn)) {
		lower_flags_after(j, insn);
		return;
	}
	keep_flags(j, insn);
	dst = old_dst(j, insn);
	src = lower_second(j, lower_src(j, insn), dst == j->scratch);
	x86_bit_rm_reg(&j->code, ub_insn_width(insn), op, x86_reg(dst), src);
	lower_give_back(j, src);
	if (op == X86_BT)
		lower_flags_after(j, insn);
	else
		put_result(j, insn);
}

static void bit_imm(struct jit *j, const struct ub_insn *insn, enum x86_bit op)
{
	struct x86_rm place;

	if (op == X86_BT && !lower_wants_flags(j, insn)) {
		lower_flags_after(j, insn);
		return;
	}
	keep_flags(j, insn);
	place = op == X86_BT ? lower_dst(j, insn) : lower_work_place(j, insn);
	x86_bit_rm_imm(&j->code, ub_insn_width(insn), op, place, insn->imm);
	if (op != X86_BT)
		lower_work_done(j, insn);
	lower_flags_after(j, insn);
}

#define BIT_OP(NAME, op)								\
void lower_##NAME(struct jit *j, const struct ub_insn *insn)			\
{										\
	bit_reg(j, insn, op);							\
}										\
void lower_##NAME##I(struct jit *j, const struct ub_insn *insn)			\
{										\
	bit_imm(j, insn, op);							\
}

BIT_OP(BT, X86_BT)
BIT_OP(BTS, X86_BTS)
BIT_OP(BTR, X86_BTR)
BIT_OP(BTC, X86_BTC)

/* As bit_reg(): a result of the width in a register, and the rest of dst as it was. */
void lower_CMPXCHG(struct jit *j, const struct ub_insn *insn)
{
	u8 dst, src;

	lower_flags_before(j);
	dst = old_dst(j, insn);
	src = lower_second(j, lower_src(j, insn), dst == j->scratch);
	x86_cmpxchg(&j->code, ub_insn_width(insn), x86_reg(dst), src);
	lower_give_back(j, src);
	lower_put_whole(j, insn);
	lower_flags_after(j, insn);
}

/* dst = what @prefix 0f @opcode finds in src; all flags are new. */
static void count(struct jit *j, const struct ub_insn *insn, u8 prefix, u8 opcode)
{
	lower_flags_before(j);
	x86_op(&j->code, ub_insn_width(insn), prefix, 1, opcode,
	       ub_insn_width(insn) == UB_W16 ? old_dst(j, insn) : lower_whole_reg(j, insn), lower_src(j, insn));
	put_result(j, insn);
}

/* With a source of 0 the register stays as it was. */
static void scan(struct jit *j, const struct ub_insn *insn, u8 opcode)
{
	lower_flags_before(j);
	x86_op(&j->code, ub_insn_width(insn), 0, 1, opcode, old_dst(j, insn), lower_src(j, insn));
	put_result(j, insn);
}

void lower_BSF(struct jit *j, const struct ub_insn *insn)
{
	scan(j, insn, 0xbc);
}

void lower_BSR(struct jit *j, const struct ub_insn *insn)
{
	scan(j, insn, 0xbd);
}

/* On a machine without them tzcnt and lzcnt would be bsf and bsr, which may leave what was in the scratch register. */
void lower_TZCNT(struct jit *j, const struct ub_insn *insn)
{
	lower_need(j, UB_INT_F_BMI1);
	count(j, insn, 0xf3, 0xbc);
}

void lower_LZCNT(struct jit *j, const struct ub_insn *insn)
{
	lower_need(j, UB_INT_F_LZCNT);
	count(j, insn, 0xf3, 0xbd);
}

void lower_POPCNT(struct jit *j, const struct ub_insn *insn)
{
	lower_need(j, UB_INT_F_POPCNT);
	count(j, insn, 0xf3, 0xb8);
}

void lower_CRC32(struct jit *j, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);

	lower_need(j, UB_INT_F_CRC32);
	x86_op(&j->code, w, 0xf2, 2, w == UB_W8 ? 0xf0 : 0xf1, old_dst(j, insn), lower_src(j, insn));
	lower_put_whole(j, insn);
}

/* dst = @rm OP @vvvv, of which at most one can be used where it lives in memory. */
static void three(struct jit *j, const struct ub_insn *insn, u8 prefix, u8 opcode, struct x86_rm rm,
		  struct x86_rm vvvv)
{
	u8 reg = lower_second(j, vvvv, false);

	x86_vex(&j->code, ub_insn_width(insn), false, prefix, 2, opcode, lower_whole_reg(j, insn), reg, rm);
	put_result(j, insn);
}

static struct x86_rm third(const struct jit *j, const struct ub_insn *insn)
{
	return jit_loc(j, ub_insn_third(insn));
}

void lower_ANDN(struct jit *j, const struct ub_insn *insn)
{
	lower_need(j, UB_INT_F_BMI1);
	lower_flags_before(j);
	three(j, insn, 0, 0xf2, third(j, insn), lower_src(j, insn));
}

#define WITH_FLAGS(NAME, feature, prefix, opcode)				\
void lower_##NAME(struct jit *j, const struct ub_insn *insn)			\
{										\
	lower_need(j, feature);							\
	lower_flags_before(j);							\
	three(j, insn, prefix, opcode, lower_src(j, insn), third(j, insn));	\
}

WITH_FLAGS(BEXTR, UB_INT_F_BMI1, 0, 0xf7)
WITH_FLAGS(BZHI, UB_INT_F_BMI2, 0, 0xf5)

#define WITHOUT_FLAGS(NAME, prefix, opcode)					\
void lower_##NAME(struct jit *j, const struct ub_insn *insn)			\
{										\
	lower_need(j, UB_INT_F_BMI2);							\
	three(j, insn, prefix, opcode, lower_src(j, insn), third(j, insn));	\
}

WITHOUT_FLAGS(SHLX, 0x66, 0xf7)
WITHOUT_FLAGS(SHRX, 0xf2, 0xf7)
WITHOUT_FLAGS(SARX, 0xf3, 0xf7)

#define BY_MASK(NAME, prefix)							\
void lower_##NAME(struct jit *j, const struct ub_insn *insn)			\
{										\
	lower_need(j, UB_INT_F_BMI2);							\
	three(j, insn, prefix, 0xf5, third(j, insn), lower_src(j, insn));	\
}

BY_MASK(PDEP, 0xf2)
BY_MASK(PEXT, 0xf3)

void lower_RORX(struct jit *j, const struct ub_insn *insn)
{
	lower_need(j, UB_INT_F_BMI2);
	x86_vex(&j->code, ub_insn_width(insn), false, 0xf2, 3, 0xf0, lower_whole_reg(j, insn), 0, lower_src(j, insn));
	x86_put8(&j->code, insn->imm);
	put_result(j, insn);
}

/*
 *	mulx high, low, src
 * Where both live in memory: the low half in the register of pt_regs, which is needed again before it can be stored.
 */
void lower_MULX(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm high = lower_dst(j, insn), low = third(j, insn);
	u8 high_reg = lower_whole_reg(j, insn);
	u8 low_reg = !low.is_mem ? low.reg : high.is_mem ? j->pt : j->scratch;

	lower_need(j, UB_INT_F_BMI2);
	x86_vex(&j->code, ub_insn_width(insn), false, 0xf2, 2, 0xf6, high_reg, low_reg, lower_src(j, insn));
	if (low_reg == j->pt) {
		x86_mov_rm_reg(&j->code, UB_W64, local(LOCAL_SPILL), j->pt);
		lower_give_back(j, j->pt);
		lower_put_whole(j, insn);
		lower_to_scratch(j, local(LOCAL_SPILL));
	}
	if (low.is_mem && insn->dst != ub_insn_third(insn))
		x86_mov_rm_reg(&j->code, UB_W64, low, j->scratch);
	else if (low_reg != j->pt)
		lower_put_whole(j, insn);
}

/* Group 17 by /digit: dst is the VEX register. */
static void lowest(struct jit *j, const struct ub_insn *insn, u8 digit)
{
	lower_need(j, UB_INT_F_BMI1);
	lower_flags_before(j);
	x86_vex(&j->code, ub_insn_width(insn), false, 0, 2, 0xf3, digit, lower_whole_reg(j, insn), lower_src(j, insn));
	put_result(j, insn);
}

void lower_BLSR(struct jit *j, const struct ub_insn *insn)
{
	lowest(j, insn, 1);
}

void lower_BLSMSK(struct jit *j, const struct ub_insn *insn)
{
	lowest(j, insn, 2);
}

void lower_BLSI(struct jit *j, const struct ub_insn *insn)
{
	lowest(j, insn, 3);
}

/* Without the f suffix its flag is not wanted, but the others may be. */
static void add_flag(struct jit *j, const struct ub_insn *insn, u8 prefix)
{
	lower_need(j, UB_INT_F_ADX);
	if (!ub_insn_sets_flags(insn))
		jit_flags_to_slot(j);
	jit_flags_to_host(j);
	x86_op(&j->code, ub_insn_width(insn), prefix, 2, 0xf6, old_dst(j, insn), lower_src(j, insn));
	jit_flags_lost(j);
	put_result(j, insn);
}

void lower_ADCX(struct jit *j, const struct ub_insn *insn)
{
	add_flag(j, insn, 0x66);
}

void lower_ADOX(struct jit *j, const struct ub_insn *insn)
{
	add_flag(j, insn, 0xf3);
}
