// SPDX-License-Identifier: GPL-2.0
/*
 * image_call: where does an image go?
 *
 * Jumps lead to instructions of the image, calls to the few addresses that struct ub_jit_env names.  A call out ends all
 * that was known of values: C code ran, and they may come back from memory.
 */
#include "image_env.h"

/* rax, rcx, rdx, rsi, rdi and r8-r11 do not survive a call of C. */
#define CALLER_SAVED	0x0fc7u

static void forget_values(struct im *im)
{
	u8 reg;

	im->state.at.facts = 0;
	im->state.at.line_len = 0;
	im->state.at.is_chunk = false;
	im->state.at.is_work_tested = false;
	im->state.at.flags_tell_answer = false;
	im->state.at.answer = UB_NOREG;
	im->state.at.nr = IM_NO_NR;
	for (reg = 0; reg < IM_NREG; reg++)
		if (CALLER_SAVED & 1u << reg)
			im_set_class(im, reg, IM_NONE);
}

static bool is_closed(struct im *im)
{
	const struct im_point *at = &im->state.at;

	if (!at->is_fenced || at->is_open || !at->may_sleep || (im->env->vec_open && at->is_vec_open))
		return im_refuse(im, "a call with user access or vector registers open, or page faults off");
	return true;
}

/* One of the two C functions. */
static bool call_slow(struct im *im, bool is_before)
{
	s32 nr_saved = im->state.at.nr_saved;

	if (!is_closed(im))
		return false;
	if (im->state.at.reg[IM_RDI] != IM_FRAME)
		return im_refuse(im, "a call to C without the frame");
	forget_values(im);
	im->state.at.reg[IM_RAX] = IM_GUEST;
	im->state.at.flags = 0;
	im->state.at.answer = IM_RAX;
	im->state.at.answer_is_look = !is_before;
	/* pre_call leaves the guest's rax in pt_regs where a call is to be made. */
	im->state.at.nr_saved = is_before ? nr_saved : IM_NO_NR;
	return true;
}

/* A call stub, which trusts that eax is the number of its call, rdi pt_regs and rsi an address of the user's. */
static bool call_stub(struct im *im, u64 target)
{
	const struct im_point *at = &im->state.at;
	struct ub_reg ip = im_value(im, IM_RSI);

	if (at->nr < 0 || (u32)at->nr >= im->env->call_stub_cnt || im->env->call_stubs[at->nr] != target)
		return im_refuse(im, "a call to what is not listed, or not the call that eax was compared with");
	if (!at->is_work_tested)
		return im_refuse(im, "a system call without a look whether somebody wants to see it");
	if (!is_closed(im) || at->pushed)
		return im_refuse(im, "a system call while something is open or pushed");
	if (at->reg[IM_RDI] != IM_REGS || at->reg[IM_RSI] != IM_GUEST || ip.kind != UB_REG_SCALAR || ip.range.span ||
	    ip.range.lo > im->limit)
		return im_refuse(im, "a system call without pt_regs in rdi or an address in rsi");
	forget_values(im);
	im->state.at.reg[IM_RAX] = IM_GUEST;
	im->state.at.flags = 0;
	im->state.at.nr_saved = IM_NO_NR;
	return true;
}

/* Sound: they change no register but the flags. */
static bool call_vec(struct im *im, bool is_open)
{
	if (im->state.at.is_open || im->state.at.is_vec_open == is_open || !im->state.at.is_fenced)
		return im_refuse(im, "vector registers opened or closed twice, or with user access open");
	im->state.at.is_vec_open = is_open;
	im->state.at.flags = 0;
	return true;
}

static bool call(struct im *im)
{
	const struct ub_jit_env *env = im->env;
	u64 target = im->address + im->next + im->insn.imm;

	if (env->vec_open && (target == env->vec_open || target == env->vec_close))
		return call_vec(im, target == env->vec_open);
	if (target == env->pre_call && im->state.at.nr_saved != IM_NO_NR)
		return call_slow(im, true);
	if (target == env->post_call)
		return call_slow(im, false);
	if (target == env->pre_call)
		return im_refuse(im, "a call to pre_call without a number");
	return call_stub(im, target);
}

/* Which flags a condition reads (SDM vol. 1, appendix B). */
static u8 flags_of(u8 cc)
{
	switch (cc & ~1u) {
	case 2:
		return IM_CF;
	case 6:
		return IM_ALL_FLAGS;
	default:
		return IM_OTHERS;
	}
}

/* The jump is taken where ticks are left, or no work: a stretch of its own leads there, of no length.  @fact holds there. */
static bool taken_behind_look(struct im *im, bool *fact)
{
	u32 node = im->node, len = im->node_len;
	bool was = *fact, is_good;

	*fact = true;
	is_good = im_looked(im) && im_edge(im, (s64)im->next + im->insn.imm);
	*fact = was;
	im->node = node;
	im->node_len = len;
	return is_good;
}

/* What is true where the jump is taken alone. */
static bool taken(struct im *im, const struct im_unit *unit)
{
	bool is_chunk = im->state.at.is_chunk, is_tested = im->state.at.is_work_tested, is_good;

	if (im->state.at.flags_tell_answer && im->insn.cc == 2 && im->state.at.answer_is_look)
		return taken_behind_look(im, &im->state.at.is_fresh);
	if (im->state.at.flags_tell_answer && im->insn.cc == 2)
		im->state.at.is_work_tested = true;
	if (unit->kind == IM_UNIT_TICK && im->insn.cc == 5)
		return taken_behind_look(im, &im->state.at.has_ticks);
	if (unit->kind == IM_UNIT_CHUNK && im->insn.cc == 6)
		im->state.at.is_chunk = true;
	is_good = im_edge(im, (s64)im->next + im->insn.imm);
	im->state.at.is_chunk = is_chunk;
	im->state.at.is_work_tested = is_tested;
	return is_good;
}

/* And where it is not.  These are no facts about values: a wrong prediction of theirs reaches no memory. */
static bool not_taken(struct im *im, const struct im_unit *unit)
{
	struct im_point *at = &im->state.at;
	enum { E = 4, NE = 5, A = 7 };
	u8 cc = im->insn.cc;

	switch (unit->kind) {
	case IM_UNIT_LIMIT: case IM_UNIT_LOW:
		im->state.unit = *unit;
		return true;
	case IM_UNIT_WORK:
		if (cc != NE)
			return true;
		if (im->env->vec_open && at->is_vec_open && im->env->softirq_gs) {
			im->state.unit.kind = IM_UNIT_SOFTIRQ_DUE;
			return true;
		}
		at->is_fresh = true;
		return im_looked(im);
	case IM_UNIT_CALL_WORK:
		at->is_work_tested |= cc == NE;
		return true;
	case IM_UNIT_SOFTIRQ:
		at->is_fresh |= cc == NE;
		return cc != NE || im_looked(im);
	case IM_UNIT_TICK:
		at->has_ticks = cc == E;
		return cc != E || im_looked(im);
	case IM_UNIT_NR:
		if (cc == NE)
			at->nr = unit->nr;
		return true;
	case IM_UNIT_IN_LINE:
		if (cc == A) {
			at->line = unit->addr;
			at->line_len = unit->len;
		}
		return true;
	default:
		return true;
	}
}

static bool jump_if(struct im *im, const struct im_unit *unit)
{
	u8 flags = flags_of(im->insn.cc);

	if ((im->state.at.flags & flags) != flags)
		return im_refuse(im, "a jump by flags that nobody set");
	return taken(im, unit) && not_taken(im, unit);
}

bool im_step_control(struct im *im, const struct im_unit *unit)
{
	switch (im->insn.form) {
	case IM_JCC:
		return jump_if(im, unit);
	case IM_JRCXZ:
		return im_reads(im, IM_RCX) && im_edge(im, (s64)im->next + im->insn.imm);
	case IM_JMP:
		im->is_dead = true;
		return im_edge(im, (s64)im->next + im->insn.imm);
	case IM_CALL:
		return call(im);
	default:
		return im_refuse(im, "a return that is not at the end of an epilogue");
	}
}
