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

/* What C code leaves behind; rax has its answer. */
static bool return_from_c(struct im *im, enum im_class answer, s32 nr_saved)
{
	struct im_point *at = &im->state.at;
	u8 reg;

	for (reg = 0; reg < IM_NREG; reg++)
		if (CALLER_SAVED & 1u << reg || im_is_answer(at->reg[reg]))
			im_set_class(im, reg, IM_NONE);
	at->known = 0;
	at->line = (struct im_addr){ 0 };
	at->facts &= ~(IM_FLAGS | IM_WORK_TESTED);
	at->nr_saved = nr_saved;
	at->reg[IM_RAX] = answer;
	return true;
}

/* One of the two C functions.  pre_call leaves the guest's rax in pt_regs where a call is to be made. */
static bool call_slow(struct im *im, bool is_before)
{
	if ((im_mode(im) & ~IM_PUSHED) != (IM_FENCED | IM_MAY_SLEEP))
		return im_refuse(im, "a call with user access or vector registers open, or page faults off");
	if (im->state.at.reg[IM_RDI] != IM_FRAME || (is_before && im->state.at.nr_saved == IM_NO_NR))
		return im_refuse(im, "a call to C without the frame, or to pre_call without a number");
	return is_before ? return_from_c(im, IM_PRE_SAID, im->state.at.nr_saved) : return_from_c(im, IM_POST_SAID, IM_NO_NR);
}

/* A call stub, which trusts that eax is the number of its call, rdi pt_regs and rsi an address of the user's. */
static bool call_stub(struct im *im, u64 target)
{
	const struct im_point *at = &im->state.at;
	struct ub_reg ip = im_value(im, IM_RSI);

	if (at->nr < 0 || (u32)at->nr >= im->env->call_stub_cnt || im->env->call_stubs[at->nr] != target)
		return im_refuse(im, "a call to what is not listed, or not the call that eax was compared with");
	if (!(at->facts & IM_WORK_TESTED))
		return im_refuse(im, "a system call without a look whether somebody wants to see it");
	if (im_mode(im) != (IM_FENCED | IM_MAY_SLEEP))
		return im_refuse(im, "a system call while something is open or pushed");
	if (at->reg[IM_RDI] != IM_REGS || at->reg[IM_RSI] != IM_GUEST || !ub_reg_is_const(&ip) || ip.range.lo > im->limit)
		return im_refuse(im, "a system call without pt_regs in rdi or an address in rsi");
	return return_from_c(im, IM_GUEST, IM_NO_NR);
}

/* Sound: they change no register but the flags. */
static bool call_vec(struct im *im, bool is_open)
{
	u32 *mode = &im->state.at.mode;

	if (!(*mode & IM_FENCED) || *mode & IM_OPEN || !(*mode & IM_VEC_OPEN) != is_open)
		return im_refuse(im, "vector registers opened or closed twice, or with user access open");
	*mode ^= IM_VEC_OPEN;
	im->state.at.facts &= ~IM_FLAGS;
	return true;
}

static bool call(struct im *im)
{
	const struct ub_jit_env *env = im->env;
	u64 target = im->address + im->next + im->insn.imm;

	if (env->vec_open && (target == env->vec_open || target == env->vec_close))
		return call_vec(im, target == env->vec_open);
	/* Where they are one, pre_call is what is called with a number. */
	if (target == env->post_call && (target != env->pre_call || im->state.at.nr_saved == IM_NO_NR))
		return call_slow(im, false);
	if (target == env->pre_call)
		return call_slow(im, true);
	return call_stub(im, target);
}

/* The jump goes on, with @fact that holds there alone.  Behind a look, a stretch of its own leads there, of no length. */
static bool taken(struct im *im, u16 fact, bool is_look)
{
	u32 node = im->node, len = im->node_len;
	u16 facts = im->state.at.facts;
	bool is_good;

	im->state.at.facts |= fact;
	is_good = (!is_look || im_looked(im)) && im_edge(im, (s64)im->next + im->insn.imm);
	im->state.at.facts = facts;
	im->node = node;
	im->node_len = len;
	return is_good;
}

enum { CC_B = 2, CC_E = 4, CC_NE = 5, CC_BE = 6, CC_A = 7 };

static bool jump_taken(struct im *im, const struct im_unit *unit, u8 cc)
{
	if (cc == CC_B && im->state.at.facts & IM_POST_GO)
		return taken(im, IM_FRESH, true);
	if (cc == CC_B && im->state.at.facts & IM_PRE_GO)
		return taken(im, IM_WORK_TESTED, false);
	if (cc == CC_NE && unit->kind == IM_UNIT_TICK)
		return taken(im, IM_HAS_TICKS, true);
	return taken(im, cc == CC_BE && unit->kind == IM_UNIT_CHUNK ? IM_CHUNK_FITS : 0, false);
}

/* And where it is not taken.  These are no facts about values: a wrong prediction of theirs reaches no memory. */
static bool jump_not_taken(struct im *im, const struct im_unit *unit, u8 cc)
{
	struct im_point *at = &im->state.at;

	switch (unit->kind) {
	case IM_UNIT_LIMIT: case IM_UNIT_LOW:
		im->state.unit = *unit;
		return true;
	case IM_UNIT_WORK:
		if (cc == CC_NE && im->env->vec_open && at->mode & IM_VEC_OPEN && im->env->softirq_gs) {
			im->state.unit.kind = IM_UNIT_SOFTIRQ_DUE;
			return true;
		}
		__attribute__((__fallthrough__));
	case IM_UNIT_SOFTIRQ:
		at->facts |= cc == CC_NE ? IM_FRESH : 0;
		return cc != CC_NE || im_looked(im);
	case IM_UNIT_CALL_WORK:
		at->facts |= cc == CC_NE ? IM_WORK_TESTED : 0;
		return true;
	case IM_UNIT_TICK:
		at->facts |= cc == CC_E ? IM_HAS_TICKS : 0;
		return cc != CC_E || im_looked(im);
	case IM_UNIT_NR:
		at->nr = cc == CC_NE ? unit->nr : at->nr;
		return true;
	case IM_UNIT_IN_LINE:
		at->line = cc == CC_A ? unit->addr : at->line;
		return true;
	default:
		return true;
	}
}

static bool jump_if(struct im *im, const struct im_unit *unit)
{
	u8 cc = im->insn.opcode & 15, flags = im_flags_of(cc);

	if ((im->state.at.facts & flags) != flags)
		return im_refuse(im, "a jump by flags that nobody set");
	return jump_taken(im, unit, cc) && jump_not_taken(im, unit, cc);
}

bool im_step_control(struct im *im, const struct im_unit *unit)
{
	switch (im->insn.form) {
	case IM_JCC:
		return jump_if(im, unit);
	case IM_JRCXZ:
		return im_reads(im, IM_RCX) && taken(im, 0, false);
	case IM_CALL:
		return call(im);
	default:
		im->is_dead = true;
		return taken(im, 0, false);
	}
}
