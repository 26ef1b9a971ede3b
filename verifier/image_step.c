// SPDX-License-Identifier: GPL-2.0
/*
 * image_step: one instruction: what it needs, what holds behind it.
 *
 * Most read and write what their row of image_forms.h says.  The others mean something special, by their form, by the
 * class of what they touch, or as parts of a unit.
 */
#include "image_env.h"

/* The register changes. */
void im_set_class(struct im *im, u8 reg, enum im_class class)
{
	struct im_point *at = &im->state.at;

	if (reg == at->line.base || reg == at->line.index)
		at->line = (struct im_addr){ 0 };
	if (reg == IM_RAX)
		at->nr = IM_NO_NR;
	if (reg == IM_RCX)
		at->facts &= ~IM_CHUNK_FITS;
	if (reg == IM_RSP || reg == IM_RBP)
		im_refuse(im, "the stack pointer or the frame pointer changes");
	at->reg[reg] = class;
	at->known &= ~(1u << reg);
}

void im_set(struct im *im, u8 reg, struct ub_reg value)
{
	struct im_point *at = &im->state.at;

	im_set_class(im, reg, IM_GUEST);
	if (ub_reg_is_any(&value))
		return;
	if (reg == IM_RAX && ub_reg_is_const(&value))
		at->nr = (s32)(u32)value.range.lo;
	if (reg == IM_RCX && value.kind == UB_REG_SCALAR && ub_reg_max(&value) <= IM_CHUNK)
		at->facts |= IM_CHUNK_FITS;
	value.is_bounded = false;
	at->known |= 1u << reg;
	im->state.values[reg] = value;
}

/* Flags. */

u8 im_flags_of(u8 cc)
{
	return (cc & 14) == 2 ? IM_CF : (cc & 14) == 6 ? IM_ALL_FLAGS : IM_OTHERS;
}

/* They compare what is the kernel's: only a jump may look. */
static void set_flags_of_kernel(struct im *im)
{
	im->state.at.facts = (im->state.at.facts & ~IM_FLAGS) | IM_ALL_SET;
}

static bool use_flags(struct im *im)
{
	struct im_point *at = &im->state.at;
	u8 form = im->insn.form, flags = im->insn.flags, sets = flags / IM_SETS_CF & IM_ALL_FLAGS, needs = flags & IM_ALL_FLAGS;

	if (form == IM_CMOV || form == IM_SETCC)
		needs = im_flags_of(im->insn.opcode);
	if ((at->facts / IM_CF_GUEST & needs) != needs)
		return im_refuse(im, "flags that are not the guest's");
	if (flags & (IM_SETS_ALL | IM_SPOILS))
		at->facts &= ~(IM_PRE_GO | IM_POST_GO);
	at->facts |= sets * IM_CF_SET | sets * IM_CF_GUEST;
	return true;
}

/* Operands. */

/* May it be read?  Registers, and memory as far as it has any. */
static bool read_operands(struct im *im, u32 uses)
{
	const struct im_insn *insn = &im->insn;
	const u8 regs[] = { insn->rm, insn->reg, insn->vvvv, IM_RAX, IM_RCX, IM_RDX, IM_RBX };
	u32 left;

	if (insn->is_mem && uses & (IM_READS(IM_OP_RM) | IM_WRITES(IM_OP_RM))) {
		if (!im_access(im, uses & IM_READS(IM_OP_RM), uses & IM_WRITES(IM_OP_RM)))
			return false;
		uses &= ~IM_READS(IM_OP_RM);
	}
	for (left = uses & 0xff; left; left &= left - 1)
		if (!im_reads(im, regs[__builtin_ctz(left)]))
			return false;
	return true;
}

static bool write_operands(struct im *im, u32 uses)
{
	const struct im_insn *insn = &im->insn;
	const u8 regs[] = { insn->rm, insn->reg, insn->vvvv, IM_RAX, IM_RCX, IM_RDX };
	u32 left = uses >> 8;
	struct ub_reg value;

	if (insn->is_mem)
		left &= ~1u;
	if (!left)
		return true;
	value = im_result(im, regs[left & 2 ? IM_OP_REG : (u32)__builtin_ctz(left)]);
	for (; left; left &= left - 1)
		if (!im_put(im, regs[__builtin_ctz(left)], value))
			return false;
	return true;
}

/* xor and sub of a register with itself: whatever it held, it is zero now. */
static bool is_zeroing(const struct im_insn *insn)
{
	return (insn->form == IM_XOR || insn->form == IM_SUB) && !insn->has_imm && !insn->is_mem && insn->reg == insn->rm &&
	       insn->width >= 32;
}

static bool step_plain(struct im *im)
{
	const struct im_insn *insn = &im->insn;

	if (!use_flags(im))
		return false;
	if (is_zeroing(insn)) {
		im_set(im, insn->rm, ub_reg_const(0));
		return true;
	}
	if (insn->form == IM_LEA && !im_reads_address(im))
		return false;
	im->is_fault_due |= insn->may_raise;
	return read_operands(im, insn->uses) && write_operands(im, insn->uses);
}

/* Ticks. */

/* t is how many there were since the counter was set: all that holds at any t goes on from 0. */
static void each_value(struct im *im, struct ub_reg (*change)(const struct ub_reg *))
{
	u32 left;

	for (left = im->state.at.known; left; left &= left - 1)
		im->state.values[__builtin_ctz(left)] = change(&im->state.values[__builtin_ctz(left)]);
}

/* Is the operand what counts ticks, or is to? */
static bool is_ticks(const struct im *im)
{
	u32 local = im_local(&im->insn);

	if (im->image->ticks == UB_NOREG)
		return local != IM_NO_LOCAL && im_local_class(local) == IM_TICKS;
	return !im->insn.is_mem && im->insn.rm == im->image->ticks;
}

static bool renew_ticks(struct im *im)
{
	each_value(im, ub_reg_settle);
	im->state.at.facts |= IM_HAS_TICKS;
	if (!im->insn.is_mem) {
		im_set_class(im, im->insn.rm, IM_TICKS);
		return true;
	}
	im->state.at.locals |= 1u << im_local(&im->insn);
	im->state.at.low_bytes |= im->state.at.locals;
	return true;
}

static bool tick(struct im *im)
{
	bool is_there = im->insn.is_mem ? im->state.at.locals & 1u << im_local(&im->insn) :
		im->state.at.reg[im->insn.rm] == IM_TICKS;

	if (!is_there || !(im->state.at.facts & IM_HAS_TICKS))
		return im_refuse(im, "a tick where none is left");
	each_value(im, ub_reg_tick);
	im->state.at.facts &= ~(IM_HAS_TICKS | IM_FRESH | IM_FLAGS);
	im->state.at.facts |= IM_OTHERS_SET;
	im->state.unit.kind = IM_UNIT_TICK;
	return true;
}

/* Moves of 64 bits, which may be of pointers. */

/* Of the frame: what a load gets; what may be stored. */
#define FIELD(name)	offsetof(struct ub_frame, name) / 8

static const struct { u8 loaded, stored; } frame_fields[] = {
	[FIELD(regs)] = { IM_REGS, IM_NONE }, [FIELD(task)] = { IM_TASK, IM_NONE }, [FIELD(limit)] = { IM_LIMIT, IM_NONE },
	[FIELD(fs_base)] = { IM_GUEST, IM_NONE }, [FIELD(flags)] = { IM_GUEST, IM_GUEST },
	[FIELD(target)] = { IM_NONE, IM_GUEST }, [FIELD(calls)] = { IM_GUEST, IM_GUEST },
};

static bool move_frame(struct im *im)
{
	const struct im_insn *insn = &im->insn;
	u32 field = (u32)insn->disp / 8;

	if (insn->has_imm && insn->disp == offsetof(struct ub_frame, site) && (u64)insn->imm < im->image->exit_cnt)
		return true;
	if (insn->has_imm || insn->index != UB_NOREG || insn->disp & 7 || field >= ARRAY_SIZE(frame_fields) ||
	    !(insn->is_to_reg ? frame_fields[field].loaded : frame_fields[field].stored))
		return im_refuse(im, "an access to the frame that is not listed");
	if (!insn->is_to_reg)
		return im_reads(im, insn->reg);
	im_set_class(im, insn->reg, frame_fields[field].loaded);
	return true;
}

static bool load_local(struct im *im, u32 local)
{
	enum im_class class = im_local_class(local);

	if (!(im->state.at.locals & 1u << local) || class == IM_TICKS)
		return im_refuse(im, "the local at rbp%+d is not written, or ticks as a value", im->insn.disp);
	im_set_class(im, im->insn.reg, class);
	return true;
}

/* What is the kernel's is written once, by the prologue. */
static bool store_local(struct im *im, u32 local)
{
	enum im_class class = im_local_class(local), held = im->state.at.reg[im->insn.reg];
	struct ub_reg value = im_value(im, im->insn.reg);

	if (class == IM_MASK && held == IM_GUEST && ub_reg_is_const(&value) && value.range.lo == ub_image_mask(im->limit))
		held = IM_MASK;
	if (held != class || (class != IM_GUEST && im->state.at.mode & IM_FENCED))
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
			.kind = IM_UNIT_AH, .reg = to, .addr = at->line, .nr = at->nr };
	if (to != IM_RAX || from == IM_RAX || before->kind != IM_UNIT_AH || before->reg != from)
		return;
	at->line = before->addr;
	at->nr = before->nr;
}

static void copy(struct im *im, u8 to, enum im_class class, const struct ub_reg *value)
{
	if (class == IM_GUEST)
		im_set(im, to, *value);
	else
		im_set_class(im, to, class);
}

/* Whatever it is goes along. */
static bool move_regs(struct im *im, const struct im_unit *unit)
{
	u8 to = im->insn.is_to_reg ? im->insn.reg : im->insn.rm, from = im->insn.is_to_reg ? im->insn.rm : im->insn.reg;
	enum im_class class = im->state.at.reg[from];
	struct ub_reg value = im_value(im, from);

	if (class == IM_STACK || class == IM_TICKS)
		return im_refuse(im, "register %u as a value", from);
	copy(im, to, class, &value);
	if (class == IM_GUEST)
		note_copy(im, unit, to, from);
	return true;
}

/* xchg of two whole registers. */
static bool swap_regs(struct im *im)
{
	u8 a = im->insn.reg, b = im->insn.rm;
	enum im_class class_a = im->state.at.reg[a], class_b = im->state.at.reg[b];
	struct ub_reg value_a = im_value(im, a), value_b = im_value(im, b);

	if (class_a > IM_GUEST || class_b > IM_GUEST)
		return im_refuse(im, "an exchange of what is the kernel's");
	copy(im, a, class_b, &value_b);
	copy(im, b, class_a, &value_a);
	return true;
}

/* Between rax and its place in pt_regs the number that it was compared with is kept. */
static bool move_ax(struct im *im)
{
	struct im_point *at = &im->state.at;

	if (im->insn.is_to_reg) {
		im_set(im, IM_RAX, ub_reg_any());
		at->nr = at->nr_saved;
		return true;
	}
	at->nr_saved = at->nr;
	return im_reads(im, IM_RAX);
}

static bool step_move(struct im *im, const struct im_unit *unit)
{
	const struct im_insn *insn = &im->insn;
	enum im_class base = insn->is_mem && insn->rm != UB_NOREG ? im->state.at.reg[insn->rm] : IM_NONE;
	u32 local = im_local(insn);

	if (insn->has_imm && insn->width == 32 && insn->imm == UB_TICKS && is_ticks(im) && im->state.at.facts & IM_FRESH)
		return renew_ticks(im);
	/* A note in a local changes no flag: what they say of ticks lasts. */
	if (insn->has_imm && insn->is_mem && insn->rm == IM_RBP && unit->kind == IM_UNIT_TICK)
		im->state.unit = *unit;
	if (insn->width == 64 && !insn->has_imm && !insn->is_mem)
		return move_regs(im, unit);
	if (insn->width == 64 && base == IM_FRAME)
		return move_frame(im);
	if (insn->width == 64 && !insn->has_imm && local != IM_NO_LOCAL)
		return insn->is_to_reg ? load_local(im, local) : store_local(im, local);
	if (insn->width == 64 && !insn->has_imm && base == IM_REGS && insn->index == UB_NOREG && insn->disp == IM_PT_AX &&
	    insn->reg == IM_RAX)
		return move_ax(im);
	return step_plain(im);
}

/* Of the task only these are looked at, and page faults switched on and off. */
static bool step_task(struct im *im)
{
	const struct im_insn *insn = &im->insn;
	const struct ub_jit_env *env = im->env;
	const struct { u8 form, width, unit; u32 off, imm; } looks[] = {
		{ IM_TEST, 32, IM_UNIT_WORK, env->flags_off, env->work_mask },
		{ IM_CMP, 64, IM_UNIT_CALL_WORK, env->work_off, 0 },
		{ IM_TEST, 32, IM_UNIT_NONE, env->work_off, env->work_exit_mask },
	};
	u32 *mode = &im->state.at.mode, i;

	for (i = 0; i < ARRAY_SIZE(looks) && insn->has_imm && insn->index == UB_NOREG; i++) {
		if (insn->form != looks[i].form || insn->width != looks[i].width || (u32)insn->disp != looks[i].off ||
		    (u32)insn->imm != looks[i].imm)
			continue;
		im->state.unit.kind = looks[i].unit;
		set_flags_of_kernel(im);
		return true;
	}
	if (insn->form != (*mode & IM_MAY_SLEEP ? IM_INC : IM_DEC) || insn->width != 32 || insn->is_locked ||
	    (u32)insn->disp != env->pagefault_off || insn->index != UB_NOREG || !(*mode & IM_FENCED))
		return im_refuse(im, "an access to the task that is not listed");
	*mode ^= IM_MAY_SLEEP;
	im->state.at.facts &= ~IM_FLAGS;
	return true;
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
	       im->state.at.locals & 1u << local && im->state.at.mode & IM_FENCED;
}

/* What follows a comparison or the like: notes the next part of a unit.  The instruction's own work is done before. */
static void note_unit(struct im *im, const struct im_unit *before)
{
	const struct im_insn *insn = &im->insn;
	struct im_unit *unit = &im->state.unit;

	/* The whole of an address that still means the same afterwards. */
	if (insn->form == IM_LEA && insn->width == 64 && insn->reg != insn->rm && insn->reg != insn->index)
		*unit = (struct im_unit){ .kind = IM_UNIT_LEA, .reg = insn->reg,
			.addr = { insn->disp, insn->rm, insn->index, insn->scale } };
	if (insn->form == IM_AND && before->kind == IM_UNIT_LEA && is_reg_imm(insn, before->reg, 32) && insn->imm == 63) {
		*unit = *before;
		unit->kind = IM_UNIT_LINE;
	}
	if (insn->form != IM_CMP)
		return;
	if (with_local(im, IM_LIMIT)) {
		*unit = (struct im_unit){ .kind = IM_UNIT_LIMIT, .reg = insn->reg };
	} else if (with_local(im, IM_LIMIT_LOW) && before->kind == IM_UNIT_LEA && before->reg == insn->reg &&
		   before->addr.index == UB_NOREG && before->addr.disp == -UB_HOLD_LOW) {
		*unit = (struct im_unit){ .kind = IM_UNIT_LOW, .reg = before->addr.base };
	} else if (before->kind == IM_UNIT_LINE && is_reg_imm(insn, before->reg, 32) && insn->imm > 0 && insn->imm < 64) {
		*unit = *before;
		unit->kind = IM_UNIT_IN_LINE;
		unit->addr.len = 64 - insn->imm;
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
	return im->insn.form == IM_CMOV && (im->insn.opcode & 15) == 3 && with_local(im, IM_LIMIT) &&
	       (unit->kind == IM_UNIT_LIMIT || unit->kind == IM_UNIT_LOW) && unit->reg == im->insn.reg;
}

/* and reg, [MASK].  Sound: 0..MASK, which is at most a page more than LIMIT. */
static bool is_mask(const struct im *im)
{
	return im->insn.form == IM_AND && with_local(im, IM_MASK);
}

/* cmp reg, UB_CALL_SKIP of an answer: below, it is UB_CALL_GO. */
static bool compare_answer(struct im *im)
{
	if (im->insn.width != 32 || !im->insn.has_imm || im->insn.imm != UB_CALL_SKIP)
		return im_refuse(im, "an answer is compared with something else");
	set_flags_of_kernel(im);
	im->state.at.facts |= im->state.at.reg[im->insn.rm] == IM_PRE_SAID ? IM_PRE_GO : IM_POST_GO;
	return true;
}

/* The number of a bit in a register reaches beyond the operand unless it is below the width. */
static bool is_bit_inside(struct im *im)
{
	struct ub_reg bit = im_value(im, im->insn.reg);

	bit = ub_reg_plain(&bit, im->limit);
	bit = ub_reg_zext(&bit, im->insn.width);
	return ub_reg_max(&bit) < im->insn.width || im_refuse(im, "a bit of memory whose number may be beyond it");
}

static bool step_general(struct im *im, const struct im_unit *unit)
{
	const struct im_insn *insn = &im->insn;
	enum im_class class = insn->rm == UB_NOREG || insn->form == IM_LEA ? IM_NONE : im->state.at.reg[insn->rm];

	if (insn->is_mem && class == IM_TASK)
		return step_task(im);
	if (insn->form == IM_DEC && insn->width == 32 && is_ticks(im))
		return tick(im);
	if (insn->form == IM_CMP && !insn->is_mem && im_is_answer(class))
		return compare_answer(im);
	/* sub reg, LOW of LIMIT, in the prologue */
	if (insn->form == IM_SUB && class == IM_LIMIT && is_reg_imm(insn, insn->rm, 64) && insn->imm == UB_HOLD_LOW) {
		im_set_class(im, insn->rm, IM_LIMIT_LOW);
		im->state.at.facts &= ~IM_FLAGS;
		return true;
	}
	if (insn->form == IM_BTX && insn->is_mem && !is_bit_inside(im))
		return false;
	if (is_clamp(im, unit) || is_mask(im)) {
		if (!use_flags(im) || !im_reads(im, insn->reg))
			return false;
		im_set(im, insn->reg, ub_reg_guard(unit->kind == IM_UNIT_LOW && insn->form == IM_CMOV ? UB_HOLD_LOW : 0));
		return true;
	}
	note_unit(im, unit);
	return step_plain(im);
}

/* Strings, stack, flags, access. */

/* Of a repeated string operation, by opcode. */
static bool uses_si(u8 opcode)
{
	return opcode < 0xaa || opcode >> 1 == 0xac >> 1;
}

static bool uses_di(u8 opcode)
{
	return opcode >> 1 != 0xac >> 1;
}

/* rax takes what lods loads, and is what stos and scas use. */
static bool step_string(struct im *im)
{
	u8 opcode = im->insn.opcode;

	if (!im_is_user_time(im) || !im_reads(im, IM_RCX) || (opcode >= 0xaa && !im_reads(im, IM_RAX)))
		return false;
	if (!(im->state.at.facts & IM_CHUNK_FITS))
		return im_refuse(im, "a string operation that may go on for long");
	return (!uses_si(opcode) || im_is_string_start(im, IM_RSI)) && (!uses_di(opcode) || im_is_string_start(im, IM_RDI)) &&
	       use_flags(im);
}

/* The same, before the fault-table entry is followed: how far it came is not known. */
static void forget_string(struct im *im)
{
	u8 opcode = im->insn.opcode;

	im_set(im, IM_RCX, ub_reg_any());
	if (uses_si(opcode))
		im_set(im, IM_RSI, ub_reg_any());
	im_set(im, uses_di(opcode) ? IM_RDI : IM_RAX, ub_reg_any());
}

/* One word at most is pushed, and popped into a local of the guest's. */
static bool step_stack(struct im *im)
{
	u32 local = im_local(&im->insn);
	bool is_pop = im->insn.form == IM_POP;

	if (!!(im->state.at.mode & IM_PUSHED) != is_pop || !(im->state.at.mode & IM_FENCED))
		return im_refuse(im, "a push or pop out of turn");
	im->state.at.mode ^= IM_PUSHED;
	if (im->insn.form == IM_PUSHF)
		return use_flags(im);
	if (local == IM_NO_LOCAL || im_local_class(local) != IM_GUEST)
		return im_refuse(im, "a push or pop of what is no local of the guest's");
	return im_access(im, !is_pop, is_pop);
}

static bool step_mode(struct im *im)
{
	u32 *mode = &im->state.at.mode;

	if (im->insn.form == IM_LFENCE) {
		*mode |= IM_FENCED;
		return true;
	}
	if (im->insn.form == IM_STAC ? !im->env->smap || (*mode & (IM_OPEN | IM_MAY_SLEEP | IM_FENCED)) != IM_FENCED :
				       !(*mode & IM_OPEN))
		return im_refuse(im, "user access is opened or closed out of turn");
	*mode ^= IM_OPEN;
	return true;
}

static bool step_per_cpu(struct im *im, const struct im_unit *unit)
{
	const struct im_insn *insn = &im->insn;
	bool is_softirq = insn->form == IM_GS_SOFTIRQ;
	s32 off = is_softirq ? im->env->softirq_gs : im->env->cpu_node_gs;

	if (!off || insn->disp != off || (is_softirq && unit->kind != IM_UNIT_SOFTIRQ_DUE))
		return im_refuse(im, "a per-CPU operand that is not listed");
	if (insn->form == IM_GS_LOAD)
		return write_operands(im, IM_WRITES(IM_OP_REG));
	if (is_softirq)
		im->state.unit.kind = IM_UNIT_SOFTIRQ;
	set_flags_of_kernel(im);
	return is_softirq || im_reads(im, insn->reg);
}

/* sahf takes ah, which mov loaded, and lahf makes it, which mov stores: rax is the guest's all the while. */
static bool step_ah(struct im *im, const struct im_unit *unit)
{
	const struct im_insn *insn = &im->insn;

	if (!im_reads(im, IM_RAX) || !use_flags(im))
		return false;
	if (unit->kind == IM_UNIT_AH)
		im->state.unit = *unit;
	if (insn->form == IM_MOV_AH && (insn->rm != IM_RBP || !im_access(im, insn->is_to_reg, !insn->is_to_reg)))
		return im_refuse(im, "ah is loaded or stored elsewhere than in a local");
	if (insn->form == IM_LAHF || (insn->form == IM_MOV_AH && insn->is_to_reg))
		im_set(im, IM_RAX, ub_reg_any());
	return true;
}

static bool is_permitted(struct im *im)
{
	if (im->insn.features & ~(im->env->vec_features | im->env->int_features << 16))
		return im_refuse(im, "an instruction that this processor does not have");
	if (im->insn.features & IM_VECTORS && im->env->vec_open && !(im->state.at.mode & IM_VEC_OPEN))
		return im_refuse(im, "vector registers that are not open");
	if (im->insn.form == IM_CPU_NR && im->env->cpu_node_gs)
		return im_refuse(im, "the processor's number from a register that may be a virtual machine's");
	return im->insn.form != IM_STRING || step_string(im);
}

/* Where a fault would lead: nothing was done but what a string operation may have. */
static bool follow_fault(struct im *im)
{
	if (im->insn.form == IM_STRING)
		forget_string(im);
	return !im->has_fault || im_edge(im, im->image->faults[im->fault_idx].fixup_off);
}

static bool dispatch(struct im *im, const struct im_unit *unit)
{
	const struct im_insn *insn = &im->insn;

	switch (insn->form) {
	case IM_NOP: case IM_STRING:
		return true;
	case IM_MOV:
		return step_move(im, unit);
	case IM_XCHG:
		return !insn->is_mem && insn->width == 64 ? swap_regs(im) : step_plain(im);
	case IM_PUSHF: case IM_PUSH: case IM_POP:
		return step_stack(im);
	case IM_LFENCE: case IM_STAC: case IM_CLAC:
		return step_mode(im);
	case IM_SAHF: case IM_LAHF: case IM_MOV_AH:
		return step_ah(im, unit);
	case IM_GS_LOAD: case IM_GS_CMP: case IM_GS_SOFTIRQ:
		return step_per_cpu(im, unit);
	case IM_JCC: case IM_JRCXZ: case IM_JMP: case IM_CALL:
		return im_step_control(im, unit);
	default:
		return step_general(im, unit);
	}
}

bool im_step(struct im *im)
{
	struct im_unit unit = im->state.unit;

	im->state.unit.kind = IM_UNIT_NONE;
	if (!is_permitted(im) || !follow_fault(im) || !dispatch(im, &unit) || im->err)
		return false;
	if (im->is_fault_due != im->has_fault)
		return im_refuse(im, im->has_fault ? "a fault-table entry for what does not fault" : "no fault-table entry");
	return true;
}
