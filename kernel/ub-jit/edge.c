// SPDX-License-Identifier: GPL-2.0
/*
 * edge: what must be done on the way to a label so that its code finds the state it was compiled for?
 */
#include "lower.h"

/* The state that code at label @idx was or will be compiled for. */
static struct jit_state label_state(const struct jit *j, u32 idx)
{
	const struct ub_flow *flow = &j->flow[idx];

	bool has_desc = flow->lazy.desc.setter != UB_DESC_NONE;

	return (struct jit_state){
		.in_host = has_desc ? flow->lazy.is_host && !ub_desc_is_merge(&flow->lazy.desc) : flow->lazy.can_host,
		.in_slot = !has_desc && !flow->lazy.can_host,
		.lazy = flow->lazy,
	};
}

/* All but the flags. */
static bool is_nearly_ready_for(const struct jit *j, const struct ub_lazy *want)
{
	const struct ub_lazy *lazy = &j->state.lazy;
	u32 in_both = lazy->saved & ~lazy->stale;

	return !(((lazy->saved ^ want->saved) | (lazy->stale ^ want->stale)) & ~in_both) && want->rcx == lazy->rcx &&
	       want->is_open == lazy->is_open &&
	       want->sp == lazy->sp && want->r11_is_call == lazy->r11_is_call;
}

static bool is_ready_for(const struct jit *j, u32 idx)
{
	struct jit_state want = label_state(j, idx);

	if (!is_nearly_ready_for(j, &want.lazy))
		return false;
	if (!flags_live(j, idx))
		return true;
	if (ub_desc_is_merge(&want.lazy.desc))
		return want.lazy.desc.setter == j->state.lazy.desc.setter;
	return (!want.in_slot || j->state.in_slot) && (!want.in_host || j->state.in_host);
}

/* Is a note of the way all that is missing?  It changes no flag, and nothing for who does not jump. */
static bool is_note_missing(const struct jit *j, u32 idx)
{
	struct jit_state want = label_state(j, idx);
	const struct ub_desc *desc = &j->state.lazy.desc;

	return is_nearly_ready_for(j, &want.lazy) && ub_desc_is_merge(&want.lazy.desc) && !ub_desc_is_merge(desc) &&
	       j->flow[idx].alts[ub_desc_way(j->block, j->flow, idx, desc)].setter != UB_DESC_SLOT;
}

/* Label @to is reached with the flags that the current state describes. */
static void note_way(struct jit *j, u32 to)
{
	u8 way = ub_desc_way(j->block, j->flow, to, &j->state.lazy.desc);

	if (j->flow[to].alts[way].setter == UB_DESC_SLOT)
		jit_flags_to_slot(j);
	x86_mov_rm_imm(&j->code, UB_W8, local(LOCAL_WAY), way);
}

/* The places of the flags that label @idx wants, once nothing else will change the machine's. */
static void convert_flags(struct jit *j, const struct jit_state *want)
{
	const struct ub_desc *desc = &want->lazy.desc;

	if (desc->setter != UB_DESC_NONE && !ub_desc_is_same(j->block, desc, &j->state.lazy.desc)) {
		/* The same analysis gives both, so a description that the label counts on is the one we have. */
		if (ub_bug_if(!ub_desc_is_merge(desc), "flags lost on an edge"))
			j->err = -EFAULT;
		else
			note_way(j, UB_DESC_MERGED_AT(desc->setter));
	}
	if (want->in_slot)
		jit_flags_to_slot(j);
	if (want->in_host)
		jit_flags_to_host(j);
}

void jit_convert(struct jit *j, u32 idx)
{
	struct jit_state want = label_state(j, idx);
	bool is_live = flags_live(j, idx);

	jit_stale_load(j, ~want.lazy.stale);
	jit_save_guest(j, want.lazy.saved & ~(1u << UB_RSP));
	if (!want.lazy.rcx)
		jit_rcx_flush(j);
	if (want.lazy.is_open != j->state.lazy.is_open) {
		if (is_live && j->state.lazy.desc.setter == UB_DESC_NONE)
			jit_flags_to_slot(j);
		jit_flags_lost(j);
		jit_vec_open(j, want.lazy.is_open);
	}
	if (!want.lazy.r11_is_call && j->state.lazy.r11_is_call) {
		if (is_live && j->state.lazy.desc.setter == UB_DESC_NONE)
			jit_flags_to_slot(j);
		jit_flags_lost(j);
		jit_r11_flush(j);
	}
	if (is_live && j->state.in_host)
		jit_sp_flush_quietly(j, want.lazy.sp);
	if (!is_live)
		jit_flags_lost(j);
	jit_sp_flush(j, want.lazy.sp);
	jit_save_guest(j, want.lazy.saved);		/* rsp only now */
	if (is_live)
		convert_flags(j, &want);
}

static void patch_new(struct jit *j, u32 off, u32 target_idx)
{
	if (jit_grow(j, (void **)&j->patches, j->patch_cnt, &j->patch_cap, sizeof(*j->patches)))
		j->patches[j->patch_cnt++] = (struct jit_patch){ .off = off, .target_idx = target_idx };
}

void jit_jump(struct jit *j, u32 target_idx)
{
	jit_convert(j, target_idx);
	if (target_idx < j->done)
		x86_jmp_back(&j->code, j->code_off[target_idx]);
	else
		patch_new(j, x86_jmp(&j->code), target_idx);
}

/* The way round a loop stays in line: j!cc 1f; convert; jmp target; 1: */
static void jump_back_if(struct jit *j, enum ub_cc cc, u32 target_idx)
{
	struct jit_state state = j->state;
	u32 skip = x86_jcc(&j->code, cc ^ 1);

	jit_jump(j, target_idx);
	x86_patch_rel32(&j->code, skip, j->code.len);
	j->state = state;
}

void jit_jump_if(struct jit *j, enum ub_cc cc, u32 target_idx)
{
	bool is_back = target_idx < j->done, is_ready = is_ready_for(j, target_idx);

	if (!is_ready && is_back && is_note_missing(j, target_idx)) {
		note_way(j, target_idx);
		is_ready = true;
	}
	if (!is_ready && is_back)
		jump_back_if(j, cc, target_idx);
	else if (!is_ready)
		jit_stub_new(j, (struct jit_stub){
			.patch_off = x86_jcc(&j->code, cc), .target_idx = target_idx, .is_edge = true });
	else if (is_back)
		x86_jcc_back(&j->code, cc, j->code_off[target_idx]);
	else
		patch_new(j, x86_jcc(&j->code, cc), target_idx);
}

void jit_enter_label(struct jit *j, u32 target_idx)
{
	jit_convert(j, target_idx);
	jit_label_state(j, target_idx);
}

void jit_label_state(struct jit *j, u32 target_idx)
{
	j->state = label_state(j, target_idx);
}
