// SPDX-License-Identifier: GPL-2.0
/*
 * image_alu: what is a register's value behind an instruction?
 *
 * The values and their operations are the verifier's own (reg.h), and so is the rule: branches teach nothing.  What is not
 * followed becomes any value of its width.
 */
#include "image_env.h"

static struct ub_reg unknown(u32 width)
{
	return (struct ub_reg){
		.bits = { 0, ub_low_mask(width) }, .range = { 0, ub_low_mask(width) }, .kind = UB_REG_SCALAR };
}

/* A register as a number; as an operand of the instruction's width, which at 64 bits keeps its kind. */
static struct ub_reg plain(const struct im *im, u8 reg)
{
	struct ub_reg value = im_value(im, reg);

	return ub_reg_plain(&value, im->limit);
}

static struct ub_reg part(const struct im *im, u8 reg)
{
	struct ub_reg value;

	if (im->insn.width == 64)
		return im_value(im, reg);
	value = plain(im, reg);
	return ub_reg_zext(&value, im->insn.width);
}

static struct ub_reg rm_value(const struct im *im)
{
	return im->insn.is_mem ? unknown(im->insn.from) : part(im, im->insn.rm);
}

/* The second operand. */
static struct ub_reg source(const struct im *im)
{
	if (im->insn.has_imm)
		return ub_reg_const((u64)im->insn.imm & ub_low_mask(im->insn.width));
	return im->insn.uses & IM_WRITES(IM_OP_REG) ? rm_value(im) : part(im, im->insn.reg);
}

bool im_put(struct im *im, u8 reg, struct ub_reg value)
{
	bool is_whole = im->insn.form == IM_ANY || im->insn.form == IM_HALF || im->insn.form == IM_CPU_NR;
	u32 width = is_whole ? 64 : im->insn.width;
	struct ub_reg old;

	if (width < 32) {
		if (!im_reads(im, reg))
			return false;
		old = plain(im, reg);
		value = ub_reg_insert(&old, &value, width);
	} else if (width == 32 && (value.kind != UB_REG_SCALAR || ub_reg_max(&value) > UB_U32_MAX)) {
		value = ub_reg_plain(&value, im->limit);
		value = ub_reg_zext(&value, 32);
	}
	im_set(im, reg, value);
	return true;
}

/*
 * A pointer of which some low bits are changed, which moves it by @lo to @hi.  False when it is none, or one so low that it
 * is better taken for a number, which does not go below zero.
 */
static bool nudge(const struct im *im, const struct ub_reg *a, s64 lo, s64 hi, struct ub_reg *ret)
{
	struct ub_reg by = ub_reg_between(lo, hi);

	if (im->insn.width != 64 || !im->insn.has_imm || a->kind < UB_REG_WALKING)
		return false;
	if (!ub_walk_drifts(a->walk) && a->walk.lo >= 0 && a->walk.lo + lo < 0)
		return false;
	*ret = ub_reg_sum(a, &by, im->limit);
	return true;
}

static struct ub_reg logic(const struct im *im, u8 dst)
{
	struct ub_reg known = part(im, dst), a = ub_reg_plain(&known, im->limit), b = source(im), value;
	s64 imm = im->insn.imm;

	b = ub_reg_plain(&b, im->limit);
	switch (im->insn.form) {
	case IM_AND:
		/* Sound: x & ~m is x - (x & m), and x & m is 0..m. */
		return imm < 0 && nudge(im, &known, imm + 1, 0, &value) ? value : ub_reg_and(&a, &b);
	case IM_OR:
		/* Sound: x | m is x + (~x & m). */
		return imm >= 0 && nudge(im, &known, 0, imm, &value) ? value : ub_reg_or(&a, &b);
	default:
		/* Sound: x ^ m is x + (~x & m) - (x & m). */
		return imm >= 0 && nudge(im, &known, -imm, imm, &value) ? value : ub_reg_xor(&a, &b);
	}
}

static struct ub_reg sum(const struct im *im, u8 dst, struct ub_reg b)
{
	struct ub_reg a = part(im, dst);

	if (im->insn.form == IM_SUB)
		return im->insn.width == 64 ? ub_reg_difference(&a, &b, im->limit) : ub_reg_sub(&a, &b);
	return im->insn.width == 64 ? ub_reg_sum(&a, &b, im->limit) : ub_reg_add(&a, &b);
}

/* What has one operand, or a constant count too. */
static struct ub_reg unary(const struct im *im, u8 dst)
{
	struct ub_reg known = part(im, dst), a = ub_reg_plain(&known, im->limit);
	struct ub_reg zero = ub_reg_const(0), ones = ub_reg_const(ub_low_mask(im->insn.width));

	switch (im->insn.form) {
	case IM_NEG:
		return ub_reg_sub(&zero, &a);
	case IM_NOT:
		return ub_reg_xor(&a, &ones);
	case IM_SHL:
		if (im->insn.width == 64 && im->insn.imm < 4)
			return ub_reg_scaled(&known, im->insn.imm, im->limit);
		return ub_reg_shl(&a, im->insn.imm);
	case IM_SHR:
		return ub_reg_shr(&a, im->insn.imm);
	case IM_SAR:
		a = ub_reg_sext(&a, im->insn.width);
		return ub_reg_sar(&a, im->insn.imm);
	default:
		/* Sound: whatever the count, x >> n is at most x. */
		return ub_reg_between(0, ub_reg_max(&a));
	}
}

/* base + (index << scale) + disp */
static struct ub_reg address(const struct im *im)
{
	const struct im_insn *insn = &im->insn;
	struct ub_reg base = insn->rm == UB_NOREG ? ub_reg_const(0) : im_value(im, insn->rm);
	struct ub_reg index = insn->index == UB_NOREG ? ub_reg_const(0) : im_value(im, insn->index);
	struct ub_reg disp = ub_reg_const((u64)(s64)insn->disp);

	if (insn->scale)
		index = ub_reg_scaled(&index, insn->scale, im->limit);
	base = ub_reg_sum(&base, &index, im->limit);
	return ub_reg_sum(&base, &disp, im->limit);
}

static struct ub_reg extended(const struct im *im)
{
	struct ub_reg a = im->insn.is_mem ? unknown(im->insn.from) : plain(im, im->insn.rm);

	return im->insn.form == IM_MOVSX ? ub_reg_sext(&a, im->insn.from) : ub_reg_zext(&a, im->insn.from);
}

static struct ub_reg product(const struct im *im, u8 dst)
{
	struct ub_reg a = rm_value(im), b = im->insn.has_imm ? source(im) : part(im, dst);

	a = ub_reg_plain(&a, im->limit);
	b = ub_reg_plain(&b, im->limit);
	return ub_reg_mul(&b, &a);
}

struct ub_reg im_result(const struct im *im, u8 dst)
{
	const struct im_insn *insn = &im->insn;
	struct ub_reg a, b;

	switch (insn->form) {
	case IM_ADD: case IM_SUB: case IM_XOR:
		/* Of what nothing is known nothing is known then, which is most. */
		if (insn->width == 64 && !(im->state.at.known & 1u << dst))
			return ub_reg_any();
		/* Sound: x - x and x ^ x are 0. */
		if (insn->form != IM_ADD && !insn->has_imm && !insn->is_mem && insn->reg == insn->rm)
			return ub_reg_const(0);
		return insn->form == IM_XOR ? logic(im, dst) : sum(im, dst, source(im));
	case IM_INC:
		return sum(im, dst, ub_reg_const(1));
	case IM_DEC:
		return sum(im, dst, ub_reg_const(ub_low_mask(insn->width)));
	case IM_AND: case IM_OR:
		return logic(im, dst);
	case IM_NEG: case IM_NOT: case IM_SHL: case IM_SHR: case IM_SAR: case IM_SHR_CL:
		return unary(im, dst);
	case IM_MOV:
		return source(im);
	case IM_LEA:
		return address(im);
	case IM_MOVZX: case IM_MOVSX:
		return extended(im);
	case IM_CMOV:
		/* Sound: either of the two, by data flow. */
		a = part(im, dst);
		b = source(im);
		return ub_reg_join(&a, &b, im->limit);
	case IM_IMUL:
		return product(im, dst);
	case IM_SETCC:
		return ub_reg_between(0, 1);
	case IM_COUNT:
		/* Sound: there are no more bits than the width. */
		return ub_reg_between(0, insn->width);
	case IM_ANY:
		return ub_reg_any();
	case IM_HALF: case IM_CPU_NR:
		return unknown(32);
	default:
		return unknown(insn->width);
	}
}
