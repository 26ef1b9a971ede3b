// SPDX-License-Identifier: GPL-2.0
/*
 * flags: where are the guest's flags, and how do they get where they are wanted?
 *
 * They are in up to three places at once: the machine's flags, LOCAL_FLAGS, and a description (flow.h).  Code that
 * destroys one place first makes sure that another holds them, if anybody still needs them.  popf is never used: it
 * could change IF, AC or DF, and is slow.
 */
#include "lower.h"

#define SLOT		local(LOCAL_FLAGS)
/* OF is bit 11: bit 3 of the second byte.  Flags are saved byte by byte, and so they are read, where that is quick. */
#define SECOND		1
#define SECOND_OF	(UB_FL_OF >> 8)
#define CALL_SLOT	local(LOCAL_CALL_FLAGS)

/* Do the flags as they are before the current instruction's effect still matter? */
static bool are_needed(const struct jit *j)
{
	const struct ub_insn *insn = &j->block->insns[j->idx];

	if (ub_flow_reads_flags(insn) || j->may_fault_later)
		return true;
	return !ub_insn_sets_flags(insn) && ub_flow_live_after(j->block, j->flow, j->idx) & UB_LIVE_FLAGS;
}

static void load_scratch(struct jit *j, struct x86_rm from)
{
	x86_mov_reg_rm(&j->code, UB_W64, j->scratch, from);
}

/* cmp/test of two places of which at most one may be memory. */
static void repeat_compare(struct jit *j, const struct ub_insn *insn, enum ub_width w)
{
	struct x86_rm dst = jit_loc(j, insn->dst), src = jit_loc(j, insn->src);
	bool is_test = insn->op == UB_OP_TEST;

	if (src.is_mem) {
		load_scratch(j, src);
		src = x86_reg(j->scratch);
	}
	if (is_test)
		x86_test_rm_reg(&j->code, w, dst, src.reg);
	else
		x86_alu_rm_reg(&j->code, w, X86_CMP, dst, src.reg);
}

/* scratch = dst OP src, then the flags of scratch UNDO src are those of the instruction. */
static void repeat_sum(struct jit *j, const struct ub_insn *insn, enum ub_width w, enum x86_alu back, enum x86_alu again)
{
	bool has_imm = ub_op_info[insn->op].shape == UB_S_DST_IMM;
	struct x86_rm scratch = x86_reg(j->scratch), src = jit_loc(j, insn->src);

	s32 since = j->state.lazy.sp - j->state.lazy.desc.sp;

	load_scratch(j, jit_loc(j, insn->dst));
	/* rsp is known by what was added to it since; part of that may not be in memory yet. */
	if (insn->dst == UB_RSP && has_imm && w == UB_W64 && since)
		x86_lea(&j->code, UB_W64, j->scratch, x86_mem(j->scratch, since));
	if (has_imm) {
		x86_alu_rm_imm(&j->code, w, back, scratch, insn->imm);
		x86_alu_rm_imm(&j->code, w, again, scratch, insn->imm);
	} else {
		x86_alu_reg_rm(&j->code, w, back, j->scratch, src);
		x86_alu_reg_rm(&j->code, w, again, j->scratch, src);
	}
}

static void repeat_logic(struct jit *j, const struct ub_insn *insn, enum ub_width w)
{
	struct x86_rm dst = jit_loc(j, insn->dst);

	if (dst.is_mem) {
		load_scratch(j, dst);
		dst = x86_reg(j->scratch);
	}
	x86_test_rm_reg(&j->code, w, dst, dst.reg);
}

/* See is_repeatable() in flow.c for which there are. */
static void repeat_insn(struct jit *j, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);

	switch (insn->op) {
	case UB_OP_CMP: case UB_OP_TEST:
		repeat_compare(j, insn, w);
		break;
	case UB_OP_CMPI:
		x86_alu_rm_imm(&j->code, w, X86_CMP, jit_loc(j, insn->dst), insn->imm);
		break;
	case UB_OP_TESTI:
		x86_test_rm_imm(&j->code, w, jit_loc(j, insn->dst), insn->imm);
		break;
	case UB_OP_ADD: case UB_OP_ADDI:
		repeat_sum(j, insn, w, X86_SUB, X86_ADD);
		break;
	case UB_OP_SUB: case UB_OP_SUBI:
		repeat_sum(j, insn, w, X86_ADD, X86_CMP);
		break;
	case UB_OP_NEG:
		/* neg twice: the second has the operand that the first had. */
		load_scratch(j, jit_loc(j, insn->dst));
		x86_unary(&j->code, w, X86_NEG, x86_reg(j->scratch));
		x86_unary(&j->code, w, X86_NEG, x86_reg(j->scratch));
		break;
	case UB_OP_IMULI:
		if (w == UB_W16)	/* keeps the others */
			load_scratch(j, jit_loc(j, insn->src));
		x86_imul_reg_rm_imm(&j->code, w, j->scratch, jit_loc(j, insn->src), insn->imm);
		break;
	default:
		repeat_logic(j, insn, w);
		break;
	}
}

/* The machine's CF from what kept it over an inc or dec. */
static void repeat_carry(struct jit *j, s32 desc_cf)
{
	if (desc_cf >= 0)
		repeat_insn(j, &j->block->insns[desc_cf]);
	else
		x86_bt_mem_imm(&j->code, desc_cf == UB_DESC_CALL ? CALL_SLOT : SLOT, 0);
}

/* The machine's flags from the description. */
static void repeat(struct jit *j)
{
	const struct ub_insn *insn = &j->block->insns[j->state.lazy.desc.setter];
	bool is_dec = insn->op == UB_OP_DEC;

	if (ub_desc_keeps_cf(insn)) {
		repeat_carry(j, j->state.lazy.desc.cf);
		load_scratch(j, jit_loc(j, insn->dst));
		x86_lea(&j->code, UB_W64, j->scratch, x86_mem(j->scratch, is_dec ? 1 : -1));
		x86_inc_dec(&j->code, ub_insn_width(insn), is_dec, x86_reg(j->scratch));
	} else {
		repeat_insn(j, insn);
	}
	j->state.in_host = true;
}

static void save_host(struct jit *j, struct x86_rm to)
{
	x86_pushfq(&j->code);
	x86_pop_mem(&j->code, to);
}

/* The same to LOCAL_FLAGS, with the help of the scratch register: processors of AMD take long for pushfq.  None of these
 * instructions changes a flag; 9 * OF has bit 3. */
static void save_host_by_ah(struct jit *j)
{
	load_scratch(j, x86_reg(X86_RAX));
	x86_setcc(&j->code, UB_CC_O, x86_reg(X86_RAX));
	x86_lea(&j->code, UB_W32, X86_RAX, (struct x86_rm){ .is_mem = true, .reg = X86_RAX, .index = X86_RAX, .scale = 3 });
	x86_lahf(&j->code);
	x86_mov_mem_ah(&j->code, SLOT);
	x86_mov_rm_reg(&j->code, UB_W8, local(LOCAL_FLAGS + SECOND), X86_RAX);
	x86_mov_reg_rm(&j->code, UB_W64, X86_RAX, x86_reg(j->scratch));
}

bool jit_flags_host_in_use(const struct jit *j)
{
	return (j->state.in_host || j->state.in_host_but_cf) && are_needed(j);
}

void jit_flags_lost(struct jit *j)
{
	j->state.in_host = false;
	j->state.in_host_but_cf = false;
}

static bool must_save(const struct jit *j)
{
	const struct jit_state *state = &j->state;

	return state->in_host && !state->in_slot && state->lazy.desc.setter == UB_DESC_NONE && are_needed(j);
}

void jit_flags_clobber(struct jit *j)
{
	if (must_save(j)) {
		save_host(j, SLOT);
		j->state.in_slot = true;
	}
	jit_flags_lost(j);
}

void jit_flags_clobber_scratch(struct jit *j)
{
	if (must_save(j)) {
		save_host_by_ah(j);
		j->state.in_slot = true;
	}
	jit_flags_lost(j);
}

void jit_flags_clobber_late(struct jit *j)
{
	const struct ub_insn *insn = &j->block->insns[j->idx];
	struct jit_state *state = &j->state;

	if (!state->in_host || state->in_slot || state->lazy.desc.setter != UB_DESC_NONE || ub_insn_sets_flags(insn) ||
	    !(ub_flow_live_after(j->block, j->flow, j->idx) & UB_LIVE_FLAGS))
		return;
	save_host(j, SLOT);
	state->in_slot = true;
}

void jit_flags_before_write(struct jit *j)
{
	struct jit_state *state = &j->state;

	const struct ub_insn *insn = &j->block->insns[j->idx];
	bool uses;

	if (!ub_desc_kills(j->block, j->flow, &state->lazy.desc, j->idx))
		return;
	/* Where the instruction leaves it has not written yet: see stub_new() in leave.c.  An inc or dec that can be
	 * described itself will not look back at this one. */
	uses = ub_flow_uses_flags(insn) && !(ub_desc_keeps_cf(insn) && j->after.desc.setter >= 0);
	if (!state->in_host && !state->in_slot &&
	    (uses || ub_flow_flags_matter_behind(j->block, j->flow, j->idx)))
		jit_flags_to_host(j);
	state->lazy.desc.setter = UB_DESC_NONE;
}

void jit_flags_set(struct jit *j)
{
	j->state.in_host = true;
	j->state.in_slot = false;
	j->state.lazy.desc = j->after.desc;
}

/* On the way that brought these flags the registers were there, on another they may be in pt_regs alone: there they are on
 * both. */
static void load_operands(struct jit *j, const struct ub_desc *desc)
{
	if (desc->setter < 0)
		return;
	jit_stale_load(j, ub_desc_operands(&j->block->insns[desc->setter]));
	if (ub_desc_keeps_cf(&j->block->insns[desc->setter]) && desc->cf >= 0)
		jit_stale_load(j, ub_desc_operands(&j->block->insns[desc->cf]));
}

/*
 *	cmp byte [WAY], n	for each alternative but the last
 *	jne 1f
 *	its flags into the slot
 *	jmp 2f
 * 1: ...
 * 2:
 */
static void merged_to_slot(struct jit *j)
{
	const struct ub_flow *label = &j->flow[UB_DESC_MERGED_AT(j->state.lazy.desc.setter)];
	struct jit_state state = j->state;
	u32 done[UB_ALTS], next = 0, i;

	for (i = 0; i < label->alt_cnt; i++) {
		bool is_last = i + 1 == label->alt_cnt;

		if (!is_last) {
			x86_alu_rm_imm(&j->code, UB_W8, X86_CMP, local(LOCAL_WAY), i);
			next = x86_jcc(&j->code, UB_CC_NE);
		}
		j->state.lazy.desc = label->alts[i];
		j->state.in_slot = label->alts[i].setter == UB_DESC_SLOT;
		load_operands(j, &label->alts[i]);
		jit_flags_to_slot(j);
		j->state = state;
		if (!is_last) {
			done[i] = x86_jmp(&j->code);
			x86_patch_rel32(&j->code, next, j->code.len);
		}
	}
	for (i = 0; i + 1 < label->alt_cnt; i++)
		x86_patch_rel32(&j->code, done[i], j->code.len);
	jit_flags_lost(j);
	j->state.in_slot = true;
}

/* Merged descriptions are worked out before anybody else looks. */
static void settle(struct jit *j)
{
	if (ub_desc_is_merge(&j->state.lazy.desc) && !j->state.in_host && !j->state.in_slot)
		merged_to_slot(j);
}

void jit_flags_to_slot(struct jit *j)
{
	struct jit_state *state = &j->state;

	settle(j);
	if (state->in_slot)
		return;
	state->in_slot = true;
	if (!state->in_host && state->lazy.desc.setter == UB_DESC_CALL) {
		load_scratch(j, CALL_SLOT);
		x86_mov_rm_reg(&j->code, UB_W64, SLOT, j->scratch);
		return;
	}
	if (!state->in_host && state->lazy.desc.setter >= 0)
		repeat(j);
	if (state->in_host)
		save_host_by_ah(j);
	/* Else nobody needs them: any value will do. */
}

void jit_flags_carry_to_slot(struct jit *j)
{
	settle(j);
	if (!j->state.in_slot && !j->state.in_host && j->state.lazy.desc.setter != UB_DESC_NONE)
		jit_flags_carry(j);
	if (!j->state.in_slot)
		x86_setcc(&j->code, UB_CC_B, SLOT);
}

bool jit_flags_push(struct jit *j)
{
	struct jit_state *state = &j->state;

	settle(j);
	if (state->lazy.desc.setter == UB_DESC_CALL)
		return false;
	if (!state->in_host && !state->in_slot && state->lazy.desc.setter >= 0)
		repeat(j);
	if (state->in_host)
		x86_pushfq(&j->code);
	else
		x86_push_mem(&j->code, SLOT);
	jit_flags_lost(j);
	return true;
}

void jit_flags_pop(struct jit *j)
{
	x86_pop_mem(&j->code, CALL_SLOT);
	j->state.in_slot = false;
	j->state.lazy.desc.setter = UB_DESC_CALL;
}

/* Where byte @at of the flags can be read when neither the machine nor a description has them. */
static struct x86_rm flags_slot(const struct jit *j, u32 at)
{
	return local((!j->state.in_slot && j->state.lazy.desc.setter == UB_DESC_CALL ? LOCAL_CALL_FLAGS : LOCAL_FLAGS) + at);
}

void jit_flags_to_host(struct jit *j)
{
	struct jit_state *state = &j->state;

	settle(j);
	if (state->in_host)
		return;
	if (state->lazy.desc.setter >= 0) {
		repeat(j);
		return;
	}
	/* OF first: 0x7f + 1 overflows; sahf leaves it alone. */
	x86_movzx(&j->code, UB_W8, j->scratch, flags_slot(j, SECOND));
	x86_shift_imm(&j->code, UB_W32, X86_SHR, x86_reg(j->scratch), 3);
	x86_alu_rm_imm(&j->code, UB_W32, X86_AND, x86_reg(j->scratch), 1);
	x86_alu_rm_imm(&j->code, UB_W8, X86_ADD, x86_reg(j->scratch), 0x7f);
	x86_mov_reg_rm(&j->code, UB_W64, j->scratch, x86_reg(X86_RAX));
	x86_mov_ah_mem(&j->code, flags_slot(j, 0));
	x86_sahf(&j->code);
	x86_mov_reg_rm(&j->code, UB_W64, X86_RAX, x86_reg(j->scratch));
	state->in_host = true;
}

void jit_flags_carry(struct jit *j)
{
	const struct ub_lazy *lazy = &j->state.lazy;

	settle(j);
	if (j->state.in_host)
		return;
	if (lazy->desc.setter >= 0 && ub_desc_keeps_cf(&j->block->insns[lazy->desc.setter]))
		repeat_carry(j, lazy->desc.cf);
	else if (lazy->desc.setter >= 0)
		repeat(j);
	else
		x86_bt_mem_imm(&j->code, flags_slot(j, 0), 0);
}

/* scratch bit 3 = SF != OF: SF is bit 7. */
static void slot_less(struct jit *j)
{
	x86_movzx(&j->code, UB_W8, j->scratch, flags_slot(j, 0));
	x86_shift_imm(&j->code, UB_W32, X86_SHR, x86_reg(j->scratch), 4);
	x86_alu_reg_rm(&j->code, UB_W8, X86_XOR, j->scratch, flags_slot(j, SECOND));
	x86_alu_rm_imm(&j->code, UB_W32, X86_AND, x86_reg(j->scratch), SECOND_OF);
}

/* ZF of the machine is clear iff the condition without its lowest bit (the negation) holds in the slot. */
static void slot_cond(struct jit *j, enum ub_cc cc)
{
	static const u8 mask[] = {
		[UB_CC_O] = SECOND_OF, [UB_CC_B] = UB_FL_CF, [UB_CC_E] = UB_FL_ZF,
		[UB_CC_BE] = UB_FL_CF | UB_FL_ZF, [UB_CC_S] = UB_FL_SF, [UB_CC_P] = UB_FL_PF,
	};

	switch (cc & ~1u) {
	case UB_CC_L:
		slot_less(j);
		break;
	case UB_CC_LE:
		slot_less(j);
		x86_mov_rm_reg(&j->code, UB_W64, local(LOCAL_SPILL), j->scratch);
		x86_movzx(&j->code, UB_W8, j->scratch, flags_slot(j, 0));
		x86_alu_rm_imm(&j->code, UB_W32, X86_AND, x86_reg(j->scratch), UB_FL_ZF);
		x86_alu_reg_rm(&j->code, UB_W32, X86_OR, j->scratch, local(LOCAL_SPILL));
		break;
	default:
		x86_test_rm_imm(&j->code, UB_W8, flags_slot(j, (cc & ~1u) == UB_CC_O ? SECOND : 0), (s8)mask[cc & ~1u]);
		break;
	}
}

static bool reads_cf(enum ub_cc cc)
{
	return cc == UB_CC_B || cc == UB_CC_AE || cc == UB_CC_BE || cc == UB_CC_A;
}

enum ub_cc jit_flags_cond(struct jit *j, enum ub_cc cc)
{
	if (j->state.in_host_but_cf && !reads_cf(cc))
		return cc;
	settle(j);
	if (!j->state.in_host && j->state.lazy.desc.setter >= 0)
		repeat(j);
	if (j->state.in_host)
		return cc;
	slot_cond(j, cc);
	return cc & 1 ? UB_CC_E : UB_CC_NE;
}

void jit_sp_flush_quietly(struct jit *j, s32 to)
{
	s32 delta = j->state.lazy.sp - to;
	struct x86_rm sp = jit_loc(j, UB_RSP);
	u8 reg = sp.is_mem ? j->scratch : sp.reg;

	if (!delta)
		return;
	jit_stale_load(j, 1u << UB_RSP);
	if (sp.is_mem)
		load_scratch(j, sp);
	x86_lea(&j->code, UB_W64, reg, x86_mem(reg, delta));
	if (sp.is_mem)
		x86_mov_rm_reg(&j->code, UB_W64, sp, reg);
	j->state.lazy.sp = to;
	j->state.lazy.saved &= ~(1u << UB_RSP);
}

void jit_sp_flush(struct jit *j, s32 to)
{
	s32 delta = j->state.lazy.sp - to;

	if (!delta)
		return;
	if (jit_loc(j, UB_RSP).is_mem) {
		jit_flags_clobber(j);
		x86_alu_rm_imm(&j->code, UB_W64, X86_ADD, jit_loc(j, UB_RSP), delta);
		j->state.lazy.sp = to;
	} else {
		jit_sp_flush_quietly(j, to);
	}
}

void jit_rcx_flush(struct jit *j)
{
	if (!j->state.lazy.rcx)
		return;
	x86_mov_reg_imm64(&j->code, X86_RCX, j->state.lazy.rcx);
	j->state.lazy.rcx = 0;
}

void jit_r11_flush(struct jit *j)
{
	if (!j->state.lazy.r11_is_call)
		return;
	jit_flags_clobber(j);
	load_scratch(j, CALL_SLOT);
	x86_alu_rm_imm(&j->code, UB_W32, X86_AND, x86_reg(j->scratch), UB_FL_ALL);
	x86_alu_reg_rm(&j->code, UB_W64, X86_OR, j->scratch, local(LOCAL_USER_FLAGS));
	x86_mov_rm_reg(&j->code, UB_W64, jit_loc(j, UB_R11), j->scratch);
	j->state.lazy.r11_is_call = false;
}
