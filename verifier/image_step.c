// SPDX-License-Identifier: GPL-2.0
/*
 * image_step: one instruction: what it needs, what holds behind it.
 *
 * First the forms that mean something special, as parts of a unit or by the class of what they touch; all else is
 * arithmetic of the guest's (image_alu.c).
 */
#include "image_env.h"

/* The register changes. */
static void touch(struct im *im, u8 reg)
{
	struct im_point *at = &im->state.at;

	if (reg == at->line.base || reg == at->line.index)
		at->line_len = 0;
	if (reg == IM_RAX)
		at->nr = IM_NO_NR;
	if (reg == at->answer)
		at->answer = UB_NOREG;
	if (reg == IM_RCX)
		at->is_chunk = false;
	if (reg == IM_RSP || reg == IM_RBP)
		im_refuse(im, "the stack pointer or the frame pointer changes");
}

void im_set(struct im *im, u8 reg, struct ub_reg value)
{
	touch(im, reg);
	im->state.at.reg[reg] = IM_GUEST;
	im->state.at.facts &= ~(1u << reg);
	if (value.kind == UB_REG_SCALAR && value.bits.mask == UB_U64_MAX && value.range.span == UB_U64_MAX)
		return;
	if (reg == IM_RAX && value.kind == UB_REG_SCALAR && !value.range.span)
		im->state.at.nr = (s32)(u32)value.range.lo;
	value.is_bounded = false;
	im->state.at.facts |= 1u << reg;
	im->state.values[reg] = value;
}

void im_set_class(struct im *im, u8 reg, enum im_class class)
{
	touch(im, reg);
	im->state.at.reg[reg] = class;
	im->state.at.facts &= ~(1u << reg);
}

/* Flags. */

struct flag_use {
	u8 needs, sets;
};

static const struct flag_use flag_uses[] = {
	[IM_ADD] = { 0, IM_ALL_FLAGS }, [IM_OR] = { 0, IM_ALL_FLAGS }, [IM_ADC] = { IM_CF, IM_ALL_FLAGS },
	[IM_SBB] = { IM_CF, IM_ALL_FLAGS }, [IM_AND] = { 0, IM_ALL_FLAGS }, [IM_SUB] = { 0, IM_ALL_FLAGS },
	[IM_XOR] = { 0, IM_ALL_FLAGS }, [IM_CMP] = { 0, IM_ALL_FLAGS }, [IM_TEST] = { 0, IM_ALL_FLAGS },
	[IM_XADD] = { 0, IM_ALL_FLAGS }, [IM_CMPXCHG] = { 0, IM_ALL_FLAGS }, [IM_NEG] = { 0, IM_ALL_FLAGS },
	[IM_MUL] = { 0, IM_ALL_FLAGS }, [IM_IMUL] = { 0, IM_ALL_FLAGS }, [IM_INC] = { 0, IM_OTHERS },
	[IM_DEC] = { 0, IM_OTHERS }, [IM_ROT] = { 0, IM_CF }, [IM_ROTC] = { IM_CF, IM_CF },
	[IM_SHL] = { 0, IM_ALL_FLAGS }, [IM_SHR] = { 0, IM_ALL_FLAGS }, [IM_SAR] = { 0, IM_ALL_FLAGS },
	[IM_ROTC_CL] = { IM_CF, 0 }, [IM_SHXD] = { 0, IM_ALL_FLAGS }, [IM_BT] = { 0, IM_CF }, [IM_BTX] = { 0, IM_CF },
	[IM_SCAN] = { 0, IM_ALL_FLAGS }, [IM_COUNT] = { 0, IM_ALL_FLAGS }, [IM_ADX] = { IM_ALL_FLAGS, 0 },
	[IM_BMI_FLAGS] = { 0, IM_ALL_FLAGS }, [IM_SAHF] = { 0, IM_CF }, [IM_CLC] = { 0, IM_CF }, [IM_CMC] = { IM_CF, IM_CF },
	[IM_PUSHF] = { IM_ALL_FLAGS, 0 }, [IM_LAHF] = { IM_ALL_FLAGS, 0 },
	[IM_VEC] = { 0, 0 },
};

static bool reads_flags(struct im *im, u8 needs)
{
	const struct im_point *at = &im->state.at;

	if ((at->flags & needs) != needs || (needs && at->flags_tell_work))
		return im_refuse(im, "flags that are not the guest's");
	return true;
}

static void set_flags(struct im *im, u8 sets)
{
	struct im_point *at = &im->state.at;

	if (sets && at->flags_tell_work)
		at->flags = 0;
	at->flags |= sets;
	at->flags_tell_answer &= !sets;
	at->flags_tell_work &= !sets;
}

/* They compare what is the kernel's. */
static void set_flags_of_work(struct im *im)
{
	im->state.at.flags = IM_ALL_FLAGS;
	im->state.at.flags_tell_work = true;
	im->state.at.flags_tell_answer = false;
}

/* cmov and setcc read what their condition names; here all. */
static bool use_flags(struct im *im)
{
	struct flag_use use = { 0, 0 };
	u8 cc = im->insn.cc & ~1u;

	if (im->insn.form == IM_CMOV || im->insn.form == IM_SETCC)
		use.needs = cc == 2 ? IM_CF : cc == 6 ? IM_ALL_FLAGS : IM_OTHERS;
	else if (im->insn.form == IM_VEC)
		use.sets = im->insn.vec == IM_VEC_FLAGS || im->insn.vec == IM_VEC_STRING ? IM_ALL_FLAGS : 0;
	else
		use = flag_uses[im->insn.form];
	if (!reads_flags(im, use.needs))
		return false;
	set_flags(im, use.sets);
	return true;
}

/* Ticks. */

/* t is how many there were since the counter was set: all that holds at any t goes on from 0. */
static void each_value(struct im *im, struct ub_reg (*change)(const struct ub_reg *))
{
	u8 reg;

	for (reg = 0; reg < IM_NREG; reg++)
		if (im->state.at.facts & 1u << reg)
			im->state.values[reg] = change(&im->state.values[reg]);
}

static bool is_ticks(const struct im *im)
{
	const struct im_insn *insn = &im->insn;

	if (im->image->ticks == UB_NOREG)
		return im_local(insn) != IM_NO_LOCAL && im_local_class(im_local(insn)) == IM_TICKS;
	return !insn->is_mem && insn->rm == im->image->ticks;
}

static bool renew_ticks(struct im *im)
{
	if (!im->state.at.is_fresh)
		return im_refuse(im, "ticks are renewed without a look for work");
	each_value(im, ub_reg_settle);
	im->state.at.has_ticks = true;
	if (im->insn.is_mem) {
		im->state.at.locals |= 1u << im_local(&im->insn);
		im->state.at.low_bytes |= 1u << im_local(&im->insn);
	} else

		im_set_class(im, im->insn.rm, IM_TICKS);
	return true;
}

static bool tick(struct im *im)
{
	bool is_there = im->insn.is_mem ? im->state.at.locals & 1u << im_local(&im->insn) :
		im->state.at.reg[im->insn.rm] == IM_TICKS;

	if (!is_there || !im->state.at.has_ticks)
		return im_refuse(im, "a tick where none is left");
	each_value(im, ub_reg_tick);
	im->state.at.has_ticks = false;
	im->state.at.is_fresh = false;
	im->state.at.flags_tell_work = false;
	im->state.at.flags_tell_answer = false;
	im->state.at.flags = IM_OTHERS;
	im->state.unit.kind = IM_UNIT_TICK;
	return true;
}

/* Moves of 64 bits, which may be of pointers. */

static bool load_from_frame(struct im *im)
{
	switch (im->insn.disp) {
	case offsetof(struct ub_frame, regs):
		im_set_class(im, im->insn.reg, IM_REGS);
		return true;
	case offsetof(struct ub_frame, task):
		im_set_class(im, im->insn.reg, IM_TASK);
		return true;
	case offsetof(struct ub_frame, limit):
		im_set_class(im, im->insn.reg, IM_LIMIT);
		return true;
	case offsetof(struct ub_frame, fs_base): case offsetof(struct ub_frame, flags): case offsetof(struct ub_frame, calls):
		im_set(im, im->insn.reg, ub_reg_any());
		return true;
	default:
		return im_refuse(im, "a load from the frame at %d", im->insn.disp);
	}
}

static bool store_to_frame(struct im *im)
{
	switch (im->insn.disp) {
	case offsetof(struct ub_frame, flags): case offsetof(struct ub_frame, target): case offsetof(struct ub_frame, calls):
		return !im->insn.has_imm && im_reads(im, im->insn.reg);
	case offsetof(struct ub_frame, site):
		return im->insn.has_imm && (u64)im->insn.imm < im->image->exit_cnt ? true : im_refuse(im, "no exit of the image");
	default:
		return im_refuse(im, "a store to the frame at %d", im->insn.disp);
	}
}

static bool load_local(struct im *im, u32 local)
{
	enum im_class class = im_local_class(local);

	if (!(im->state.at.locals & 1u << local))
		return im_refuse(im, "the local at rbp%+d is not written", im->insn.disp);
	if (class == IM_GUEST)
		im_set(im, im->insn.reg, ub_reg_any());
	else if (class == IM_TICKS)
		return im_refuse(im, "ticks as a value");
	else
		im_set_class(im, im->insn.reg, class);
	return true;
}

/* What is the kernel's is written once, by the prologue. */
static bool store_local(struct im *im, u32 local)
{
	enum im_class class = im_local_class(local), held = im->state.at.reg[im->insn.reg];
	struct ub_reg value = im_value(im, im->insn.reg);
	bool fits = held == class;

	if (class == IM_MASK)
		fits = held == IM_GUEST && value.kind == UB_REG_SCALAR && !value.range.span &&
		       value.range.lo == ub_image_mask(im->limit);
	if (!fits || (class != IM_GUEST && im->state.at.is_fenced))
		return im_refuse(im, "the local at rbp%+d takes something else", im->insn.disp);
	im->state.at.locals |= 1u << local;
	im->state.at.low_bytes |= 1u << local;
	return true;
}

/* Flags come back from memory through ah: what is known of rax beside its value outlasts that. */
static void note_copy(struct im *im, const struct im_unit *before, u8 to, u8 from)
{
	struct im_point *at = &im->state.at;

	if (from == IM_RAX && to != IM_RAX)
		im->state.unit = (struct im_unit){
			.kind = IM_UNIT_AH, .reg = to, .addr = at->line, .len = at->line_len, .nr = at->nr };
	if (to != IM_RAX || from == IM_RAX || before->kind != IM_UNIT_AH || before->reg != from)
		return;
	at->line = before->addr;
	at->line_len = before->len;
	at->nr = before->nr;
}

static bool move_regs(struct im *im, const struct im_unit *unit)
{
	struct ub_reg value = im_value(im, im->insn.is_to_reg ? im->insn.rm : im->insn.reg);
	u8 to = im->insn.is_to_reg ? im->insn.reg : im->insn.rm, from = im->insn.is_to_reg ? im->insn.rm : im->insn.reg;
	enum im_class class = im->state.at.reg[from];
	bool is_answer = from == im->state.at.answer;

	if (from == IM_RSP || from == IM_RBP || class == IM_TICKS)
		return im_refuse(im, "register %u as a value", from);
	if (class == IM_GUEST)
		im_set(im, to, value);
	else
		im_set_class(im, to, class);
	if (class == IM_GUEST)
		note_copy(im, unit, to, from);
	if (is_answer)
		im->state.at.answer = to;
	return true;
}

enum { PT_AX = 80 };

/* Between rax and its place in pt_regs the number that it was compared with is kept. */
static bool move_ax(struct im *im)
{
	s32 nr = im->insn.is_to_reg ? im->state.at.nr_saved : im->state.at.nr;

	if (!im->insn.is_to_reg && !im_reads(im, IM_RAX))
		return false;
	if (im->insn.is_to_reg) {
		im_set(im, IM_RAX, ub_reg_any());
		im->state.at.nr = nr;
	} else {
		im->state.at.nr_saved = nr;
	}
	return true;
}

static bool move_whole(struct im *im, const struct im_unit *unit, bool *ret)
{
	const struct im_insn *insn = &im->insn;
	u32 local = im_local(insn);
	enum im_class base = insn->is_mem && insn->rm < IM_NREG ? im->state.at.reg[insn->rm] : IM_NONE;

	if (!insn->is_mem)
		*ret = !insn->has_imm ? move_regs(im, unit) : true;
	else if (base == IM_FRAME && insn->index == UB_NOREG)
		*ret = insn->is_to_reg ? load_from_frame(im) : store_to_frame(im);
	else if (insn->has_imm)
		return false;
	else if (local != IM_NO_LOCAL)
		*ret = insn->is_to_reg ? load_local(im, local) : store_local(im, local);
	else if (base == IM_REGS && insn->index == UB_NOREG && insn->disp == PT_AX && insn->reg == IM_RAX)
		*ret = move_ax(im);
	else
		return false;
	return insn->is_mem || !insn->has_imm;
}

/* What was written of the width, above which 32 bits clear the others. */
static bool put_moved(struct im *im, u8 reg, struct ub_reg value)
{
	u32 width = im->insn.width;
	struct ub_reg old;

	if (width < 32) {
		if (!im_reads(im, reg))
			return false;
		old = im_value(im, reg);
		old = ub_reg_plain(&old, im->limit);
		value = ub_reg_insert(&old, &value, width);
	}
	im_set(im, reg, value);
	return true;
}

static bool move(struct im *im, const struct im_unit *unit)
{
	const struct im_insn *insn = &im->insn;
	u64 low = ub_low_mask(insn->width), imm = (u64)insn->imm & low;
	struct ub_reg value = im_unknown(insn->width);
	bool is_chunk = insn->has_imm && !insn->is_mem && insn->rm == IM_RCX && insn->width >= 32 && imm <= IM_CHUNK, ret;

	if (insn->has_imm && insn->width == 32 && imm == UB_TICKS && is_ticks(im) && im->state.at.is_fresh)
		return renew_ticks(im);
	if (insn->is_mem && im_local(insn) != IM_NO_LOCAL && im_local_class(im_local(insn)) == IM_TICKS && insn->has_imm)
		return insn->width == 32 && imm == UB_TICKS ? renew_ticks(im) : im_refuse(im, "other ticks than there are");
	if (insn->width == 64 && move_whole(im, unit, &ret))
		return ret;
	if (insn->has_imm) {
		/* A note in a local changes no flag: what they say of ticks lasts. */
		if (insn->is_mem && insn->rm == IM_RBP && unit->kind == IM_UNIT_TICK)
			im->state.unit = *unit;
		if (insn->is_mem)
			return im_access(im, insn->width / 8, IM_WRITE);
		ret = put_moved(im, insn->rm, ub_reg_const(insn->width == 64 ? (u64)insn->imm : imm));
		im->state.at.is_chunk |= is_chunk;
		return ret;
	}
	if (insn->is_to_reg && insn->is_mem)
		return im_access(im, insn->width / 8, IM_READ) && put_moved(im, insn->reg, value);
	if (insn->is_mem)
		return im_reads(im, insn->reg) && im_access(im, insn->width / 8, IM_WRITE);
	if (!im_reads(im, insn->is_to_reg ? insn->rm : insn->reg))
		return false;
	value = im_value(im, insn->is_to_reg ? insn->rm : insn->reg);
	value = ub_reg_plain(&value, im->limit);
	value = insn->width == 64 ? value : ub_reg_zext(&value, insn->width);
	return put_moved(im, insn->is_to_reg ? insn->reg : insn->rm, value);
}

/* Of the task only these are touched. */
static bool step_task(struct im *im)
{
	const struct im_insn *insn = &im->insn;
	const struct ub_jit_env *env = im->env;
	bool is_off = insn->index == UB_NOREG && !insn->is_locked && !insn->is_to_reg;
	u32 off = insn->disp;

	if (is_off && insn->form == IM_TEST && insn->has_imm && insn->width == 32 && off == env->flags_off &&
	    (u32)insn->imm == env->work_mask) {
		im->state.unit.kind = IM_UNIT_WORK;
		set_flags_of_work(im);
		return true;
	}
	if (is_off && insn->has_imm && off == env->work_off &&
	    ((insn->form == IM_CMP && insn->width == 64 && !insn->imm) ||
	     (insn->form == IM_TEST && insn->width == 32 && (u32)insn->imm == env->work_exit_mask))) {
		set_flags_of_work(im);
		if (insn->form == IM_CMP)
			im->state.unit.kind = IM_UNIT_CALL_WORK;
		return true;
	}
	if (is_off && (insn->form == IM_INC || insn->form == IM_DEC) && insn->width == 32 && off == env->pagefault_off &&
	    im->state.at.may_sleep == (insn->form == IM_INC) && im->state.at.is_fenced) {
		im->state.at.may_sleep = insn->form == IM_DEC;
		im->state.at.flags = 0;
		return true;
	}
	return im_refuse(im, "an access to the task that is not listed");
}

/* Units. */

static bool is_reg_imm(const struct im_insn *insn, u8 reg, u32 width)
{
	return insn->has_imm && !insn->is_mem && insn->rm == reg && insn->width == width;
}

/* Is the operand that local of the kernel's, written, with all 64 bits of a register before it? */
static bool with_local(const struct im *im, enum im_class class)
{
	u32 local = im_local(&im->insn);

	return local != IM_NO_LOCAL && im_local_class(local) == class && im->insn.is_to_reg && im->insn.width == 64 &&
	       im->state.at.locals & 1u << local && im->state.at.is_fenced;
}

/* What follows a comparison or the like: notes the next part of a unit.  The instruction's own work is done elsewhere. */
static void note_unit(struct im *im, const struct im_unit *before)
{
	const struct im_insn *insn = &im->insn;
	struct im_unit *unit = &im->state.unit;

	if (insn->form == IM_AND && before->kind == IM_UNIT_LEA && is_reg_imm(insn, before->reg, 32) && insn->imm == 63) {
		*unit = *before;
		unit->kind = IM_UNIT_LINE;
	}
	if (insn->form != IM_CMP)
		return;
	if (im->state.at.answer != UB_NOREG && is_reg_imm(insn, im->state.at.answer, 32) && insn->imm == UB_CALL_SKIP)
		im->state.at.flags_tell_answer = true;
	if (with_local(im, IM_LIMIT)) {
		*unit = (struct im_unit){ .kind = IM_UNIT_LIMIT, .reg = insn->reg };
	} else if (with_local(im, IM_LIMIT_LOW) && before->kind == IM_UNIT_LEA && before->reg == insn->reg &&
		   before->addr.index == UB_NOREG && before->addr.disp == -UB_HOLD_LOW && before->addr.base != insn->reg) {
		*unit = (struct im_unit){ .kind = IM_UNIT_LOW, .reg = before->addr.base };
	} else if (before->kind == IM_UNIT_LINE && is_reg_imm(insn, before->reg, 32) && insn->imm > 0 && insn->imm < 64) {
		*unit = *before;
		unit->kind = IM_UNIT_IN_LINE;
		unit->len = 64 - insn->imm;
	} else if (is_reg_imm(insn, IM_RAX, 32)) {
		*unit = (struct im_unit){ .kind = IM_UNIT_NR, .nr = insn->imm };
	} else if (is_reg_imm(insn, IM_RCX, 64) && insn->imm >= 0 && insn->imm <= IM_CHUNK) {
		unit->kind = IM_UNIT_CHUNK;
	}
}

/* cmp reg, [LIMIT]; cmovae reg, [LIMIT].  Sound: min(x, LIMIT) is 0..LIMIT for every x, also while a CPU speculates; and if
 * it is reg - LOW that is below LIMIT - LOW, reg is LOW more than such a number. */
static bool is_clamp(const struct im *im, const struct im_unit *unit)
{
	return im->insn.form == IM_CMOV && im->insn.cc == 3 && with_local(im, IM_LIMIT) && unit->reg == im->insn.reg &&
	       (unit->kind == IM_UNIT_LIMIT || unit->kind == IM_UNIT_LOW);
}

/* and reg, [MASK].  Sound: 0..MASK, which is at most a page more than LIMIT. */
static bool is_mask(const struct im *im)
{
	return im->insn.form == IM_AND && with_local(im, IM_MASK);
}

/* sub reg, LOW of LIMIT, in the prologue */
static bool is_limit_low(const struct im *im)
{
	return im->insn.form == IM_SUB && im->insn.has_imm && !im->insn.is_mem && im->insn.width == 64 &&
	       im->insn.imm == UB_HOLD_LOW && im->state.at.reg[im->insn.rm] == IM_LIMIT;
}

static bool step_general(struct im *im, const struct im_unit *unit)
{
	const struct im_insn *insn = &im->insn;
	bool has_base = insn->is_mem && insn->rm != UB_NOREG && insn->form != IM_LEA;

	if (has_base && im->state.at.reg[insn->rm] == IM_TASK)
		return step_task(im);
	if (insn->form == IM_DEC && insn->width == 32 && is_ticks(im) &&
	    (insn->is_mem || im->state.at.reg[insn->rm] == IM_TICKS))
		return tick(im);
	if (!use_flags(im))
		return false;
	if (is_limit_low(im)) {
		im_set_class(im, insn->rm, IM_LIMIT_LOW);
		im->state.at.flags = 0;
		return true;
	}
	if (is_clamp(im, unit) || is_mask(im)) {
		if (!im_reads(im, insn->reg))
			return false;
		im_set(im, insn->reg, ub_reg_guard(unit->kind == IM_UNIT_LOW && insn->form == IM_CMOV ? UB_HOLD_LOW : 0));
		return true;
	}
	note_unit(im, unit);
	return im_step_alu(im);
}

/* Strings, stack, flags, time, access. */

static bool step_string(struct im *im)
{
	bool compares = im->insn.opcode == 0xa6 || im->insn.opcode == 0xae;
	u8 opcode = im->insn.opcode;

	if (!im_access_string(im))
		return false;
	/* rax takes what lods loads, and is what stos and scas use. */
	if ((opcode == 0xaa || opcode == 0xac || opcode == 0xae) && !im_reads(im, IM_RAX))
		return false;
	if (compares && !reads_flags(im, IM_ALL_FLAGS))
		return false;
	return true;
}

/* The same, before the fault-table entry is followed: how far it came is not known. */
static void forget_string(struct im *im)
{
	im_set(im, IM_RCX, ub_reg_any());
	if (im->insn.opcode != 0xaa && im->insn.opcode != 0xae)
		im_set(im, IM_RSI, ub_reg_any());
	if (im->insn.opcode != 0xac)
		im_set(im, IM_RDI, ub_reg_any());
	else
		im_set(im, IM_RAX, ub_reg_any());
}

/* One word at most is pushed, and popped into a local of the guest's. */
static bool step_stack(struct im *im)
{
	u32 local = im_local(&im->insn);
	bool is_pop = im->insn.form == IM_POP;

	if (im->state.at.pushed != is_pop || !im->state.at.is_fenced)
		return im_refuse(im, "a push or pop out of turn");
	im->state.at.pushed = !is_pop;
	if (im->insn.form == IM_PUSHF)
		return use_flags(im);
	if (local == IM_NO_LOCAL || im_local_class(local) != IM_GUEST)
		return im_refuse(im, "a push or pop of what is no local of the guest's");
	return im_access(im, 8, is_pop ? IM_WRITE : IM_READ);
}

static bool step_mode(struct im *im)
{
	struct im_point *at = &im->state.at;

	switch (im->insn.form) {
	case IM_LFENCE:
		at->is_fenced = true;
		return true;
	case IM_STAC:
		if (!im->env->smap || at->is_open || at->may_sleep || !at->is_fenced)
			return im_refuse(im, "user access is opened out of turn");
		at->is_open = true;
		return true;
	case IM_CLAC:
		if (!at->is_open)
			return im_refuse(im, "user access is closed out of turn");
		at->is_open = false;
		return true;
	default:
		return true;	/* fences, nops */
	}
}

static bool step_time(struct im *im)
{
	struct ub_reg half = im_unknown(32);

	if (im->insn.form == IM_RDPID || im->insn.form == IM_RDTSCP)
		if (im->env->cpu_node_gs)
			return im_refuse(im, "the processor's number from a register that may be a virtual machine's");
	if (im->insn.form == IM_RDPID) {
		im_set(im, im->insn.rm, half);
		return true;
	}
	im_set(im, IM_RAX, half);
	im_set(im, IM_RDX, half);
	if (im->insn.form == IM_RDTSCP)
		im_set(im, IM_RCX, half);
	return true;
}

static bool step_per_cpu(struct im *im, const struct im_unit *unit)
{
	const struct im_insn *insn = &im->insn;

	if (insn->form == IM_GS_SOFTIRQ) {
		if (!im->env->softirq_gs || insn->disp != im->env->softirq_gs || unit->kind != IM_UNIT_SOFTIRQ_DUE)
			return im_refuse(im, "a per-CPU operand that is not listed");
		im->state.unit.kind = IM_UNIT_SOFTIRQ;
		set_flags_of_work(im);
		return true;
	}
	if (!im->env->cpu_node_gs || insn->disp != im->env->cpu_node_gs)
		return im_refuse(im, "a per-CPU operand that is not listed");
	if (insn->form == IM_GS_LOAD) {
		im_set(im, insn->reg, im_unknown(32));
		return true;
	}
	set_flags_of_work(im);
	return im_reads(im, insn->reg);
}

/* sahf takes ah, which mov loaded, and lahf makes it, which mov stores: rax is the guest's all the while. */
static bool step_ah(struct im *im, const struct im_unit *unit)
{
	if (!im_reads(im, IM_RAX))
		return false;
	if (unit->kind == IM_UNIT_AH)
		im->state.unit = *unit;
	if (im->insn.form == IM_SAHF)
		return use_flags(im);
	if (im->insn.form == IM_LAHF && !use_flags(im))
		return false;
	if (im->insn.form == IM_MOV_AH && (im->insn.rm != IM_RBP || !im_access(im, 1, im->insn.is_to_reg ? IM_READ : IM_WRITE)))
		return im_refuse(im, "ah is loaded from elsewhere than a local, or stored");
	if (im->insn.form == IM_LAHF || im->insn.is_to_reg)
		im_set(im, IM_RAX, ub_reg_any());
	return true;
}

/* How many bytes a vector instruction reads or writes at the most. */
#define VEC_BYTES	32u

/* rm: general registers and memory of at most 8 bytes, or user memory. */
static bool vec_operand(struct im *im)
{
	const struct im_insn *insn = &im->insn;
	bool is_store = insn->vec == IM_VEC_STORE || insn->vec == IM_VEC_TO_RM, is_short = insn->vec == IM_VEC_FROM_RM;

	if (!insn->is_mem)
		return !is_short || im_reads(im, insn->rm);
	if (!is_short && (insn->rm == IM_RBP || (insn->rm != UB_NOREG && im->state.at.reg[insn->rm] != IM_GUEST)))
		return im_refuse(im, "a vector in what is no user memory");
	return im_access(im, is_short ? 8 : VEC_BYTES, is_store ? IM_WRITE : IM_READ);
}

static bool step_vec(struct im *im)
{
	const struct im_insn *insn = &im->insn;

	if (im->env->vec_open && !im->state.at.is_vec_open)
		return im_refuse(im, "vector registers that are not open");
	if (!use_flags(im))
		return false;
	im->is_fault_due |= insn->may_raise;
	if (!vec_operand(im))
		return false;
	switch (insn->vec) {
	case IM_VEC_TO_RM:
		if (!insn->is_mem)
			im_set(im, insn->rm, ub_reg_any());
		return true;
	case IM_VEC_TO_REG:
		im_set(im, insn->reg, ub_reg_any());
		return true;
	case IM_VEC_STRING:
		if (!im_reads(im, IM_RAX) || !im_reads(im, IM_RDX))
			return false;
		im_set(im, IM_RCX, ub_reg_any());
		return true;
	default:
		return true;
	}
}

static bool has_features(struct im *im)
{
	if ((im->insn.vec_features & ~im->env->vec_features) | (im->insn.int_features & ~im->env->int_features))
		return im_refuse(im, "an instruction that this processor does not have");
	return true;
}

/* Where a fault would lead: nothing was done but what a string operation may have. */
static bool follow_fault(struct im *im)
{
	if (!im->has_fault)
		return true;
	if (im->insn.form == IM_STRING)
		forget_string(im);
	return im_edge(im, im->image->faults[im->fault_idx].fixup_off);
}

static bool dispatch(struct im *im, const struct im_unit *unit)
{
	switch (im->insn.form) {
	case IM_MOV:
		return im->insn.is_mem && im->insn.rm != UB_NOREG && im->state.at.reg[im->insn.rm] == IM_TASK ?
			step_task(im) : move(im, unit);
	case IM_STRING:
		return true;
	case IM_PUSHF: case IM_PUSH: case IM_POP:
		return step_stack(im);
	case IM_NOP: case IM_LFENCE: case IM_FENCE: case IM_STAC: case IM_CLAC:
		return step_mode(im);
	case IM_CLC: case IM_CMC:
		return use_flags(im);
	case IM_SAHF: case IM_LAHF: case IM_MOV_AH:
		return step_ah(im, unit);
	case IM_RDTSC: case IM_RDTSCP: case IM_RDPID:
		return step_time(im);
	case IM_GS_LOAD: case IM_GS_CMP: case IM_GS_SOFTIRQ:
		return step_per_cpu(im, unit);
	case IM_JCC: case IM_JRCXZ: case IM_JMP: case IM_CALL: case IM_RET:
		return im_step_control(im, unit);
	case IM_VEC:
		return step_vec(im);
	default:
		return step_general(im, unit);
	}
}

bool im_step(struct im *im)
{
	struct im_unit unit = im->state.unit;

	im->state.unit.kind = IM_UNIT_NONE;
	if (!has_features(im))
		return false;
	if (im->insn.form == IM_STRING && !step_string(im))
		return false;
	if (!follow_fault(im) || !dispatch(im, &unit) || im->err)
		return false;
	if (im->is_fault_due != im->has_fault)
		return im_refuse(im, im->has_fault ? "a fault-table entry for what does not fault" : "no fault-table entry");
	return true;
}
