// SPDX-License-Identifier: GPL-2.0
/*
 * image_alu: what is a register's value behind arithmetic?
 *
 * The values and their operations are the verifier's own (reg.h), and so is the rule: branches teach nothing.  What is not
 * followed becomes any value of its width.
 */
#include "image_env.h"

static struct ub_reg unknown(u32 width)
{
	return im_unknown(width);
}

/* Are they registers of which nothing is known?  Then sums and the like are any value too, which most are. */
static bool are_any(const struct im *im, u8 a, u8 b)
{
	return !(im->state.at.facts & ((a == UB_NOREG ? 0 : 1u << a) | (b == UB_NOREG ? 0 : 1u << b)));
}

/* A register as a number, and as an operand of @width. */
static struct ub_reg plain(const struct im *im, u8 reg)
{
	struct ub_reg value = im_value(im, reg);

	return ub_reg_plain(&value, im->limit);
}

static struct ub_reg part(const struct im *im, u8 reg, u32 width)
{
	struct ub_reg value = plain(im, reg);

	return width == 64 ? value : ub_reg_zext(&value, width);
}

/* Writes as x86 does: 8 and 16 bits keep the others, 32 clear them. */
static bool put(struct im *im, u8 reg, struct ub_reg value)
{
	u32 width = im->insn.width;
	struct ub_reg old;

	if (width < 32) {
		if (!im_reads(im, reg))
			return false;
		old = plain(im, reg);
		value = ub_reg_insert(&old, &value, width);
	} else if (width == 32 && (value.kind != UB_REG_SCALAR || ub_reg_max(&value) > UB_U32_MAX)) {
		value = ub_reg_zext(&value, 32);
	}
	im_set(im, reg, value);
	return true;
}

/* The source: a constant, a register or memory, of which nothing is known. */
static bool source(struct im *im, struct ub_reg *ret)
{
	const struct im_insn *insn = &im->insn;
	u8 reg = insn->is_to_reg ? insn->rm : insn->reg;

	if (insn->has_imm) {
		*ret = ub_reg_const((u64)insn->imm & ub_low_mask(insn->width));
		return true;
	}
	*ret = unknown(insn->width);
	if (insn->is_to_reg && insn->is_mem)
		return im_access(im, insn->width / 8, IM_READ);
	if (!im_reads(im, reg))
		return false;
	*ret = insn->width == 64 ? im_value(im, reg) : part(im, reg, insn->width);
	return true;
}

/* The same constant as a source of 64 bits with its sign; a walk keeps what it is. */
static struct ub_reg whole_source(const struct im *im, const struct ub_reg *source)
{
	return im->insn.has_imm ? ub_reg_const((u64)im->insn.imm) : *source;
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

static struct ub_reg logic(const struct im *im, u8 dst, const struct ub_reg *b)
{
	struct ub_reg known = im_value(im, dst), a = part(im, dst, im->insn.width), value, other = ub_reg_plain(b, im->limit);
	s64 imm = im->insn.imm;

	switch (im->insn.form) {
	case IM_AND:
		/* Sound: x & ~m is x - (x & m), and x & m is 0..m. */
		if (imm < 0 && nudge(im, &known, imm + 1, 0, &value))
			return value;
		return ub_reg_and(&a, &other);
	case IM_OR:
		/* Sound: x | m is x + (~x & m). */
		if (imm >= 0 && nudge(im, &known, 0, imm, &value))
			return value;
		return ub_reg_or(&a, &other);
	default:
		/* Sound: x ^ m is x + (~x & m) - (x & m); x ^ x is 0. */
		if (imm >= 0 && nudge(im, &known, -imm, imm, &value))
			return value;
		if (!im->insn.has_imm && !im->insn.is_mem && im->insn.reg == im->insn.rm)
			return ub_reg_const(0);
		return ub_reg_xor(&a, &other);
	}
}

static struct ub_reg sum(const struct im *im, u8 dst, const struct ub_reg *b)
{
	bool is_add = im->insn.form == IM_ADD;
	struct ub_reg a = im_value(im, dst), c = whole_source(im, b);

	/* Sound: x - x is 0. */
	if (!is_add && !im->insn.has_imm && !im->insn.is_mem && im->insn.reg == im->insn.rm)
		return ub_reg_const(0);
	if (im->insn.width == 64)
		return is_add ? ub_reg_sum(&a, &c, im->limit) : ub_reg_difference(&a, &c, im->limit);
	a = part(im, dst, im->insn.width);
	return is_add ? ub_reg_add(&a, b) : ub_reg_sub(&a, b);
}

/* add, or, and, sub, xor, adc, sbb: dst = dst OP source. */
static bool classic(struct im *im)
{
	const struct im_insn *insn = &im->insn;
	u8 dst = insn->is_to_reg ? insn->reg : insn->rm;
	bool is_zero = (insn->form == IM_XOR || insn->form == IM_SUB) && !insn->has_imm && !insn->is_mem &&
		       insn->reg == insn->rm && insn->width >= 32;
	struct ub_reg b, value;

	/* Whatever it held, it is zero now. */
	if (is_zero) {
		im_set(im, dst, ub_reg_const(0));
		return true;
	}
	if (!source(im, &b))
		return false;
	if (insn->is_mem && !insn->is_to_reg)
		return im_access(im, insn->width / 8, IM_READ | IM_WRITE);
	if (!im_reads(im, dst))
		return false;
	if (insn->form == IM_ADC || insn->form == IM_SBB ||
	    (insn->width == 64 && insn->form != IM_AND && insn->form != IM_OR && are_any(im, dst, UB_NOREG)))
		value = unknown(insn->width);
	else if (insn->form == IM_ADD || insn->form == IM_SUB)
		value = sum(im, dst, &b);
	else
		value = logic(im, dst, &b);
	return put(im, dst, value);
}

/* cmp, test, bt: only flags. */
static bool compare(struct im *im)
{
	struct ub_reg b;

	if (im->insn.form == IM_BT && im->insn.is_mem && !im->insn.has_imm)
		return im_refuse(im, "a bit of memory whose number is in a register");
	if (!im->insn.has_imm && !source(im, &b))
		return false;
	if (im->insn.is_to_reg)
		return im_reads(im, im->insn.reg);
	return im->insn.is_mem ? im_access(im, im->insn.width / 8, IM_READ) : im_reads(im, im->insn.rm);
}

/* What has one operand and changes it. */
static struct ub_reg unary(const struct im *im, const struct ub_reg *a)
{
	u32 width = im->insn.width;
	struct ub_reg one = ub_reg_const(1), zero = ub_reg_const(0), ones = ub_reg_const(ub_low_mask(width));
	struct ub_reg known = im_value(im, im->insn.rm), sign;
	switch (im->insn.form) {
	case IM_INC:
		return width == 64 ? ub_reg_sum(&known, &one, im->limit) : ub_reg_add(a, &one);
	case IM_DEC:
		one = ub_reg_const(width == 64 ? UB_U64_MAX : ub_low_mask(width));
		return width == 64 ? ub_reg_sum(&known, &one, im->limit) : ub_reg_add(a, &one);
	case IM_NEG:
		return ub_reg_sub(&zero, a);
	case IM_NOT:
		return ub_reg_xor(a, &ones);
	case IM_SHL:
		if (width == 64 && im->insn.imm < 4)
			return ub_reg_scaled(&known, im->insn.imm, im->limit);
		return ub_reg_shl(a, im->insn.imm);
	case IM_SHR:
		return ub_reg_shr(a, im->insn.imm);
	case IM_SAR:
		sign = plain(im, im->insn.rm);
		sign = ub_reg_sext(&sign, width);
		return ub_reg_sar(&sign, im->insn.imm);
	case IM_SHR_CL:
		/* Sound: whatever the count, x >> n is at most x. */
		return ub_reg_between(0, ub_reg_max(a));
	default:
		return unknown(width);
	}
}

static bool change(struct im *im)
{
	bool reads_cl = im->insn.form == IM_SHIFT_CL || im->insn.form == IM_ROTC_CL || im->insn.form == IM_SHR_CL;
	struct ub_reg a;

	if (reads_cl && !im_reads(im, IM_RCX))
		return false;
	if (im->insn.is_mem)
		return im_access(im, im->insn.width / 8, IM_READ | IM_WRITE);
	if (!im_reads(im, im->insn.rm))
		return false;
	a = part(im, im->insn.rm, im->insn.width);
	return put(im, im->insn.rm, unary(im, &a));
}

/* base + (index << scale) + disp */
static bool address(struct im *im)
{
	const struct im_insn *insn = &im->insn;
	struct ub_reg base = ub_reg_const(0), index = ub_reg_const(0), disp = ub_reg_const((u64)(s64)insn->disp);

	if ((insn->rm != UB_NOREG && !im_reads(im, insn->rm)) || (insn->index != UB_NOREG && !im_reads(im, insn->index)))
		return false;
	/* The whole of an address that still means the same afterwards. */
	if (insn->width == 64 && insn->reg != insn->rm && insn->reg != insn->index)
		im->state.unit = (struct im_unit){ .kind = IM_UNIT_LEA, .reg = insn->reg,
			.addr = { insn->rm, insn->index, insn->scale, insn->disp } };
	if (insn->width == 64 && insn->rm != UB_NOREG && are_any(im, insn->rm, insn->index))
		return put(im, insn->reg, ub_reg_any());
	if (insn->rm != UB_NOREG)
		base = im_value(im, insn->rm);
	if (insn->index != UB_NOREG) {
		index = im_value(im, insn->index);
		if (insn->scale)
			index = ub_reg_scaled(&index, insn->scale, im->limit);
	}
	base = ub_reg_sum(&base, &index, im->limit);
	base = ub_reg_sum(&base, &disp, im->limit);
	if (insn->width < 64)
		base = ub_reg_plain(&base, im->limit);
	return put(im, insn->reg, base);
}

/* movzx, movsx */
static bool extend(struct im *im)
{
	u32 from = im->insn.from;
	struct ub_reg a;

	if (im->insn.is_mem) {
		if (!im_access(im, from / 8, IM_READ))
			return false;
		a = unknown(from);
	} else {
		if (!im_reads(im, im->insn.rm))
			return false;
		a = im->insn.form == IM_MOVSX ? plain(im, im->insn.rm) : part(im, im->insn.rm, from);
	}
	if (im->insn.form == IM_MOVSX)
		a = ub_reg_sext(&a, from);
	return put(im, im->insn.reg, a);
}

/* Sound: either of the two, by data flow. */
static bool choose(struct im *im)
{
	struct ub_reg a, b;

	if (!source(im, &b) || !im_reads(im, im->insn.reg))
		return false;
	a = im->insn.width == 64 ? im_value(im, im->insn.reg) : part(im, im->insn.reg, im->insn.width);
	return put(im, im->insn.reg, ub_reg_join(&a, &b, im->limit));
}

static bool set_if(struct im *im)
{
	return im->insn.is_mem ? im_access(im, 1, IM_WRITE) : put(im, im->insn.rm, ub_reg_between(0, 1));
}

/* imul of two or three operands. */
static bool product(struct im *im)
{
	struct ub_reg a, b = ub_reg_const((u64)im->insn.imm & ub_low_mask(im->insn.width));
	bool has_imm = im->insn.has_imm;

	im->insn.has_imm = false;
	if (!source(im, &a) || (!has_imm && !im_reads(im, im->insn.reg)))
		return false;
	a = ub_reg_plain(&a, im->limit);
	if (!has_imm)
		b = part(im, im->insn.reg, im->insn.width);
	return put(im, im->insn.reg, ub_reg_mul(&b, &a));
}

/* Results of which nothing is followed but how large they are. */
static bool opaque(struct im *im)
{
	struct im_insn *insn = &im->insn;
	struct ub_reg b;

	switch (insn->form) {
	case IM_COUNT:
		/* Sound: there are no more bits than the width. */
		return source(im, &b) && put(im, insn->reg, ub_reg_between(0, insn->width));
	case IM_SCAN:
		/* Sound: with a source of 0 dst stays as it is. */
		if (!source(im, &b) || !im_reads(im, insn->reg))
			return false;
		im_set(im, insn->reg, ub_reg_any());
		return true;
	case IM_CRC32:
		if (insn->is_mem ? !im_access(im, insn->from / 8, IM_READ) : !im_reads(im, insn->rm))
			return false;
		if (!im_reads(im, insn->reg))
			return false;
		im_set(im, insn->reg, unknown(32));
		return true;
	case IM_ADX:
		return source(im, &b) && im_reads(im, insn->reg) && put(im, insn->reg, unknown(insn->width));
	default:	/* bswap */
		return im_reads(im, insn->rm) && put(im, insn->rm, unknown(insn->width));
	}
}

/* shld, shrd, bts and the like: rm changes, reg is read. */
static bool change_by_reg(struct im *im)
{
	if (!im->insn.has_imm && !im_reads(im, im->insn.reg))
		return false;
	if (im->insn.form == IM_SHXD_CL && !im_reads(im, IM_RCX))
		return false;
	if (!im->insn.is_mem)
		return im_reads(im, im->insn.rm) && put(im, im->insn.rm, unknown(im->insn.width));
	/* The number of a bit in a register reaches beyond the operand unless it is below the width. */
	if (im->insn.form == IM_BTX && !im->insn.has_imm) {
		struct ub_reg bit = part(im, im->insn.reg, im->insn.width);

		if (ub_reg_max(&bit) >= im->insn.width)
			return im_refuse(im, "a bit of memory whose number may be beyond it");
	}
	return im_access(im, im->insn.width / 8, IM_READ | IM_WRITE);
}

/* Of VEX: reg = rm OP vvvv, both of which are read; mulx also writes vvvv; of group 17 the result is vvvv. */
static bool bmi(struct im *im)
{
	const struct im_insn *insn = &im->insn;
	bool is_mulx = insn->form == IM_MULX, is_group = insn->opcode == 0xf3, is_rorx = insn->opcode == 0xf0;

	if (insn->is_mem ? !im_access(im, insn->width / 8, IM_READ) : !im_reads(im, insn->rm))
		return false;
	if (is_mulx) {
		if (!im_reads(im, IM_RDX))
			return false;
		im_set(im, insn->vvvv, unknown(insn->width));
	} else if (!is_group && !is_rorx && !im_reads(im, insn->vvvv)) {
		return false;
	}
	return put(im, is_group ? insn->vvvv : insn->reg, unknown(insn->width));
}

/* rax and rdx take a product, or a quotient and a remainder. */
static bool wide_product(struct im *im)
{
	u32 width = im->insn.width < 32 ? 64 : im->insn.width;

	if (im->insn.is_mem ? !im_access(im, im->insn.width / 8, IM_READ) : !im_reads(im, im->insn.rm))
		return false;
	if (!im_reads(im, IM_RAX))
		return false;
	if ((im->insn.width == 16 || (im->insn.form == IM_DIV && im->insn.width > 8)) && !im_reads(im, IM_RDX))
		return false;
	im->is_fault_due |= im->insn.form == IM_DIV;
	im_set(im, IM_RAX, unknown(width));
	if (im->insn.width > 8)
		im_set(im, IM_RDX, unknown(width));
	return true;
}

static void set_as(struct im *im, u8 reg, enum im_class class, struct ub_reg value)
{
	if (class == IM_GUEST)
		im_set(im, reg, value);
	else
		im_set_class(im, reg, IM_NONE);
}

/* xchg of two whole registers, be they the guest's or nobody's. */
static bool swap_whole(struct im *im)
{
	u8 a = im->insn.reg, b = im->insn.rm;
	enum im_class class_a = im->state.at.reg[a], class_b = im->state.at.reg[b];
	struct ub_reg value_a = im_value(im, a), value_b = im_value(im, b);

	set_as(im, a, class_b, value_b);
	set_as(im, b, class_a, value_a);
	return true;
}

/* xchg, xadd, cmpxchg: rm and reg, or rax, change. */
static bool exchange(struct im *im)
{
	const struct im_insn *insn = &im->insn;
	bool is_cmp = insn->form == IM_CMPXCHG;

	if (insn->form == IM_XCHG && !insn->is_mem && insn->width == 64)
		return swap_whole(im);
	if (!im_reads(im, insn->reg) || (is_cmp && !im_reads(im, IM_RAX)))
		return false;
	if (insn->is_mem ? !im_access(im, insn->width / 8, IM_READ | IM_WRITE) : !im_reads(im, insn->rm))
		return false;
	if (is_cmp) {
		/* Sound: what is not written stays as it is, at 32 bits the upper half too. */
		im_set(im, IM_RAX, ub_reg_any());
		if (!insn->is_mem)
			im_set(im, insn->rm, ub_reg_any());
		return true;
	}
	return put(im, insn->reg, unknown(insn->width)) && (insn->is_mem || put(im, insn->rm, unknown(insn->width)));
}

static bool exchange_pair(struct im *im)
{
	if (!im_reads(im, IM_RAX) || !im_reads(im, IM_RDX) || !im_reads(im, IM_RBX) || !im_reads(im, IM_RCX) ||
	    !im_access(im, im->insn.width / 4, IM_READ | IM_WRITE))
		return false;
	im_set(im, IM_RAX, ub_reg_any());
	im_set(im, IM_RDX, ub_reg_any());
	return true;
}

bool im_step_alu(struct im *im)
{
	switch (im->insn.form) {
	case IM_ADD: case IM_OR: case IM_ADC: case IM_SBB: case IM_AND: case IM_SUB: case IM_XOR:
		return classic(im);
	case IM_CMP: case IM_TEST: case IM_BT:
		return compare(im);
	case IM_INC: case IM_DEC: case IM_NEG: case IM_NOT: case IM_ROT: case IM_ROTC: case IM_SHL: case IM_SHR: case IM_SAR:
	case IM_SHIFT_CL: case IM_ROTC_CL: case IM_SHR_CL:
		return change(im);
	case IM_LEA:
		return address(im);
	case IM_MOVZX: case IM_MOVSX:
		return extend(im);
	case IM_CMOV:
		return choose(im);
	case IM_SETCC:
		return set_if(im);
	case IM_IMUL:
		return product(im);
	case IM_MUL: case IM_DIV:
		return wide_product(im);
	case IM_SHXD: case IM_SHXD_CL: case IM_BTX:
		return change_by_reg(im);
	case IM_BMI: case IM_BMI_FLAGS: case IM_MULX:
		return bmi(im);
	case IM_XCHG: case IM_XADD: case IM_CMPXCHG:
		return exchange(im);
	case IM_CMPXCHG2:
		return exchange_pair(im);
	default:
		return opaque(im);
	}
}
