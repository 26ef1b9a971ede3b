// SPDX-License-Identifier: GPL-2.0
/*
 * lower: which machine instructions does one IR operation become?
 *
 * One lower_NAME() per row of ir/ops.h, called through a table made from it.  Most operations become the x86 instruction
 * of the same name on the same registers.  A 32-bit result that lives in memory goes through the scratch register,
 * because only a write of a whole register clears the upper half.
 */
#include "lower.h"

#define HEAD_ALIGN	64	/* of loops, */
#define HEAD_LEN	6	/* which count a tick within as many operations */
#define STEP_MAX	160	/* bytes of code one operation may need, stubs included: sizes the buffer */

struct x86_rm lower_dst(const struct jit *j, const struct ub_insn *insn)
{
	return jit_loc(j, insn->dst);
}

struct x86_rm lower_src(const struct jit *j, const struct ub_insn *insn)
{
	return jit_loc(j, insn->src);
}

void lower_to_scratch(struct jit *j, struct x86_rm from)
{
	x86_mov_reg_rm(&j->code, UB_W64, j->scratch, from);
}

void lower_need(struct jit *j, u32 features)
{
	if (!j->err && (j->env->int_features & features) != features)
		j->err = -EOPNOTSUPP;
}

u8 lower_second(struct jit *j, struct x86_rm from, bool is_scratch_used)
{
	u8 reg = is_scratch_used ? j->pt : j->scratch;

	if (!from.is_mem)
		return from.reg;
	x86_mov_reg_rm(&j->code, UB_W64, reg, from);
	return reg;
}

void lower_give_back(struct jit *j, u8 reg)
{
	if (reg == j->pt)
		x86_mov_reg_rm(&j->code, UB_W64, j->pt, local(LOCAL_REGS));
}

bool lower_via_scratch(struct x86_rm dst, enum ub_width w)
{
	return dst.is_mem && w == UB_W32;
}

bool lower_wants_flags(const struct jit *j, const struct ub_insn *insn)
{
	return ub_insn_sets_flags(insn) && ub_flow_live_after(j->block, j->flow, j->idx) & UB_LIVE_FLAGS;
}

void lower_flags_before(struct jit *j)
{
	jit_flags_clobber_scratch(j);
}

void lower_flags_after(struct jit *j, const struct ub_insn *insn)
{
	if (ub_insn_sets_flags(insn))
		jit_flags_set(j);
}

u8 lower_src_reg(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm src = lower_src(j, insn);

	if (!src.is_mem)
		return src.reg;
	lower_to_scratch(j, src);
	return j->scratch;
}

u8 lower_whole_reg(const struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(j, insn);

	return dst.is_mem ? j->scratch : dst.reg;
}

void lower_put_whole(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(j, insn);

	if (dst.is_mem)
		x86_mov_rm_reg(&j->code, UB_W64, dst, j->scratch);
}

bool lower_is_fused(const struct jit *j)
{
	return j->flow[j->idx].is_fused;
}

void lower_fused_fault(struct jit *j)
{
	struct jit_state now = j->state;

	j->state = j->before;
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	j->state = now;
}

/* The operand of the current instruction that the load before it names. */
struct x86_rm lower_fused_mem(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm mem = lower_user_mem(j, insn - 1, insn[-1].src);

	lower_fused_fault(j);
	return mem;
}

struct x86_rm lower_src_or_mem(struct jit *j, const struct ub_insn *insn)
{
	return lower_is_fused(j) ? lower_fused_mem(j, insn) : lower_src(j, insn);
}

struct x86_rm lower_work_place(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(j, insn);

	if (!lower_via_scratch(dst, ub_insn_width(insn)))
		return dst;
	lower_to_scratch(j, dst);
	return x86_reg(j->scratch);
}

void lower_work_done(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(j, insn);

	if (lower_via_scratch(dst, ub_insn_width(insn)))
		x86_mov_rm_reg(&j->code, UB_W64, dst, j->scratch);
}

static void (*const lower[UB_OP_COUNT])(struct jit *, const struct ub_insn *) = {
#define OP(name, text, shape, widths, effect) [UB_OP_##name] = lower_##name,
#include "../../ir/ops.h"
};

/* Is label @idx where a loop goes round?  Code out of line comes back to others, and nobody wants to pass by padding. */
static bool is_round(const struct jit *j, u32 idx)
{
	u32 i = idx, end = idx + HEAD_LEN;

	if (!j->flow[idx].is_head)
		return false;
	do {
		if (j->block->insns[i].op == UB_OP_TICK)
			return true;
	} while (++i < end && i < j->block->insn_cnt && !j->flow[i].is_label);
	return false;
}

static void lower_one(struct jit *j, u32 idx)
{
	const struct ub_insn *insn = &j->block->insns[idx];
	bool falls_in = idx && !(ub_op_info[insn[-1].op].effect & UB_E_ENDS), is_open;
	u32 named = j->flow[idx].reads | j->flow[idx].writes;
	s32 delta;

	if (j->flow[idx].is_label) {
		j->has_scratch_const = false;
		if (falls_in)
			jit_enter_label(j, idx);
		else
			jit_label_state(j, idx);
	}
	j->idx = idx;
	if (is_round(j, idx))
		x86_align(&j->code, j->flow[idx].falls_in ? 16 : HEAD_ALIGN);
	j->code_off[idx] = j->code.len;
	if (j->flow[idx].is_label)
		jit_hint_label(j, idx);
	j->done = idx + 1;
	j->may_fault_later = j->flow[idx].is_fused;
	is_open = ub_flow_is_open(j->block, j->flow, idx, j->state.lazy.is_open);
	if (is_open != j->state.lazy.is_open) {
		jit_flags_clobber(j);
		jit_vec_open(j, is_open);
		j->state.lazy.can_host = j->state.lazy.desc.setter >= 0;	/* as ub_flow_step() has it */
	}
	if (ub_flow_sp_use(insn, j->state.lazy.sp, &delta) == UB_SP_OTHER)
		jit_sp_flush(j, 0);
	if (named & 1u << UB_R11 && !(ub_op_info[insn->op].effect & UB_E_CALLS))
		jit_r11_flush(j);
	if (named & 1u << UB_RCX && !(ub_op_info[insn->op].effect & UB_E_CALLS))
		jit_rcx_flush(j);
	jit_stale_load(j, j->flow[idx].reads);
	j->may_fault_later = false;
	j->before = j->state;
	j->after = j->state.lazy;
	ub_flow_step(j->block, j->flow, idx, &j->after);
	jit_flags_before_write(j);
	lower[insn->op](j, insn);
	if (ub_op_info[insn->op].effect & UB_E_ENDS || j->err)
		return;
	if (ub_bug_if(j->state.lazy.sp != j->after.sp || j->state.lazy.r11_is_call != j->after.r11_is_call ||
		      j->state.lazy.rcx != j->after.rcx || j->state.lazy.is_open != j->after.is_open, "lazy state lost"))
		j->err = -EFAULT;
	j->state.lazy = j->after;
}

static bool has_effect(const struct ub_block *block, u32 wanted)
{
	u32 i;

	for (i = 0; i < block->insn_cnt; i++)
		if (ub_op_info[block->insns[i].op].effect & wanted)
			return true;
	return false;
}

static bool has_hold(const struct ub_block *block)
{
	u32 i;

	for (i = 0; i < block->insn_cnt; i++)
		if (block->insns[i].op == UB_OP_HOLD)
			return true;
	return false;
}

static void compile(struct jit *j)
{
	struct ub_image *image = j->image;
	u32 i;

	ub_layout_temps(j->block, j->flow, &j->layout);
	j->opens = j->env->smap && has_effect(j->block, UB_E_RD_MEM | UB_E_WR_MEM);
	j->has_ticks = has_effect(j->block, UB_E_TICK);
	j->has_hold = has_hold(j->block);
	jit_hint_start(j);
	for (i = 0; i < j->block->entry_cnt; i++) {
		image->entries[i] = (struct ub_image_entry){ .ip = j->block->entries[i].ip, .off = j->code.len };
		jit_prologue(j, &j->block->entries[i],
			     i + 1 == j->block->entry_cnt && !j->block->entries[i].insn_idx);
	}
	image->entry_cnt = j->block->entry_cnt;
	for (i = 0; i < j->block->insn_cnt && !j->err; i++)
		lower_one(j, i);
	jit_stubs(j);
	for (i = 0; i < j->patch_cnt; i++)
		x86_patch_rel32(&j->code, j->patches[i].off, j->code_off[j->patches[i].target_idx]);
	image->code_len = j->code.len;
	if (!j->err && j->code.overflow)
		j->err = -E2BIG;
}

void ub_image_free(struct ub_image *image)
{
	if (!image)
		return;
	ub_free(image->code);
	ub_free(image->exits);
	ub_free(image->faults);
	ub_free(image->relocs);
	ub_free(image->entries);
	ub_free(image->hints);
	ub_free(image->facts);
	ub_free(image->insn_offs);
	ub_free(image);
}

/* Has the machine all that the block's vector operations are? */
static bool has_features(const struct ub_block *block, const struct ub_jit_env *env)
{
	const struct ub_insn *insn;
	u32 i;

	for (i = 0; i < block->insn_cnt; i++) {
		insn = &block->insns[i];
		if (!(ub_op_info[insn->op].effect & UB_E_VEC))
			continue;
		if (ub_vec_features(ub_vec_of(insn), ub_vec_variant(insn)) & ~env->vec_features)
			return false;
	}
	return true;
}

int ub_jit(const struct ub_verified *verified, const struct ub_jit_env *env, struct ub_image **ret)
{
	struct ub_block block = *ub_verified_block(verified);
	struct jit j = { .block = &block, .env = env, .verified = verified, .limit = ub_verified_limit(verified) };
	u32 cap = (block.insn_cnt + 32 * (block.entry_cnt + 1)) * STEP_MAX;

	if (!has_features(&block, env))
		return -EOPNOTSUPP;
	j.err = ub_layout_make(&block, &j.layout);
	if (j.err)
		return j.err;
	block.resident = j.layout.resident;
	j.pt = j.layout.pt;
	j.scratch = j.layout.scratch;
	j.image = ub_alloc(1, sizeof(*j.image));
	j.flow = ub_flow_new(&block, env->entry_is_call);
	j.code.watched = j.scratch;
	j.code_off = ub_alloc(block.insn_cnt, sizeof(*j.code_off));
	j.code.cap = cap < UB_MAX_IMAGE ? cap : UB_MAX_IMAGE;
	j.code.buf = ub_alloc(j.code.cap, 1);
	if (j.image) {
		j.image->code = j.code.buf;
		j.image->insn_offs = j.code_off;
		j.image->entries = ub_alloc(block.entry_cnt, sizeof(*j.image->entries));
	}
	if (!j.image || !j.flow || !j.code_off || !j.code.buf || !j.image->entries)
		j.err = -ENOMEM;
	else
		compile(&j);
	ub_free(j.flow);
	ub_free(j.stubs);
	ub_free(j.colds);
	ub_free(j.patches);
	ub_free(j.common);
	if (!j.image) {
		ub_free(j.code.buf);
		ub_free(j.code_off);
	}
	if (j.err) {
		ub_image_free(j.image);
		return j.err;
	}
	*ret = j.image;
	return 0;
}
