// SPDX-License-Identifier: GPL-2.0
/*
 * leave: how does a thread come into the code, and out of it?
 *
 * Everything that is rarely run stands behind the block's own code, as stubs: what must be put right is emitted there,
 * for the state that held where the stub was asked for.  So leaving costs nothing until it happens.
 */
#include "lower.h"

#define ENOSYS_AX	(-38)


static const u8 callee_saved[] = { X86_RBX, X86_R12, X86_R13, X86_R14, X86_R15 };

bool jit_grow(struct jit *j, void **arr, u32 cnt, u32 *cap, size_t size)
{
	u32 new_cap = *cap ? *cap * 2 : 64;
	void *bigger;

	if (j->err)
		return false;
	if (cnt < *cap)
		return true;
	bigger = ub_alloc(new_cap, size);
	if (!bigger) {
		j->err = -ENOMEM;
		return false;
	}
	if (cnt)
		memcpy(bigger, *arr, cnt * size);
	ub_free(*arr);
	*arr = bigger;
	*cap = new_cap;
	return true;
}

/* Where pt_regs has each guest register. */
static const s16 pt_off[UB_NGUEST] = {
	[UB_RAX] = PT_AX, [UB_RCX] = PT_CX, [UB_RDX] = PT_DX, [UB_RBX] = PT_BX, [UB_RSP] = PT_SP, [UB_RBP] = PT_BP,
	[UB_RSI] = PT_SI, [UB_RDI] = PT_DI, [UB_R8] = PT_R8, [UB_R9] = PT_R9, [UB_R10] = PT_R10, [UB_R11] = PT_R11,
	[UB_R12] = PT_R12, [UB_R13] = PT_R13, [UB_R14] = PT_R14, [UB_R15] = PT_R15,
};

struct x86_rm jit_loc(const struct jit *j, u8 reg)
{
	if (reg < UB_TEMPS_END && j->layout.reg[reg] != X86_NOREG)
		return x86_reg(j->layout.reg[reg]);
	if (reg < UB_NGUEST)
		return pt(j, pt_off[reg]);
	if (reg < UB_TEMPS_END)
		return local(LOCAL_TEMP2 - 8 * (reg - UB_GUARDS_END));
	return local(LOCAL_FS);
}

u8 jit_call_reg(const struct jit *j)
{
	return j->layout.reg[UB_GUARDS + 1];
}

u8 jit_task(struct jit *j, u8 reg)
{
	if (j->layout.task != X86_NOREG)
		return j->layout.task;
	jit_load(j, reg, local(LOCAL_TASK));
	return reg;
}

void jit_load_guest(struct jit *j, u32 mask)
{
	u8 reg;

	for (reg = 0; mask >> reg; reg++)
		if (mask & 1u << reg)
			jit_load(j, j->layout.reg[reg], pt(j, pt_off[reg]));
}

void jit_store_guest(struct jit *j, u32 mask)
{
	u8 reg;

	for (reg = 0; mask >> reg; reg++)
		if (mask & 1u << reg)
			jit_store(j, pt(j, pt_off[reg]), j->layout.reg[reg]);
}

void jit_store_enosys(struct jit *j)
{
	x86_mov_rm_imm(&j->code, UB_W64, pt(j, PT_AX), ENOSYS_AX);
}

void jit_stale_load(struct jit *j, u32 mask)
{
	jit_load_guest(j, mask & j->state.lazy.stale);
	j->state.lazy.stale &= ~mask;
}

void jit_save_guest(struct jit *j, u32 mask)
{
	mask &= j->layout.resident & UB_SAVED_REGS;
	jit_store_guest(j, mask & ~j->state.lazy.saved);
	j->state.lazy.saved |= mask;
}

void jit_reloc(struct jit *j, u32 off, u64 target)
{
	struct ub_image *image = j->image;

	if (!jit_grow(j, (void **)&image->relocs, image->reloc_cnt, &j->reloc_cap, sizeof(*image->relocs)))
		return;
	image->relocs[image->reloc_cnt++] = (struct ub_image_reloc){ .off = off, .target = target };
}

u32 jit_exit_new(struct jit *j, u64 ip, enum ub_exit_kind kind, bool is_behind)
{
	struct ub_image *image = j->image;
	u32 i = image->exit_cnt;

	/* Several tests of one instruction may share an exit. */
	while (i-- > 0 && image->exits[i].insn_idx == j->idx)
		if (image->exits[i].kind == kind && image->exits[i].is_behind == is_behind)
			return i;
	if (!jit_grow(j, (void **)&image->exits, image->exit_cnt, &j->exit_cap, sizeof(*image->exits)))
		return 0;
	image->exits[image->exit_cnt] = (struct ub_image_exit){
		.ip = ip, .insn_idx = j->idx, .kind = kind, .is_behind = is_behind,
	};
	return image->exit_cnt++;
}

void jit_stub_new(struct jit *j, struct jit_stub stub)
{
	stub.state = j->state;
	/* What the instruction will write, its description with it, is still there. */
	if (!stub.is_edge && !stub.state.in_host && !stub.state.in_slot && stub.state.lazy.desc.setter == UB_DESC_NONE)
		stub.state.lazy.desc = j->before.lazy.desc;
	if (jit_grow(j, (void **)&j->stubs, j->stub_cnt, &j->stub_cap, sizeof(*j->stubs)))
		j->stubs[j->stub_cnt++] = stub;
}

void jit_leave_if(struct jit *j, enum ub_cc cc, enum ub_exit_kind kind, enum stub_fix fix)
{
	u32 exit_idx = jit_exit_new(j, j->mark_ip, kind, false);

	jit_stub_new(j, (struct jit_stub){ .patch_off = x86_jcc(&j->code, cc), .exit_idx = exit_idx, .fix = fix });
}

void jit_leave_on_fault(struct jit *j, u32 insn_off, enum stub_fix fix)
{
	u32 exit_idx = jit_exit_new(j, j->mark_ip, UB_EXIT_FAULT, false);

	jit_stub_new(j, (struct jit_stub){
		.patch_off = insn_off, .exit_idx = exit_idx, .fix = fix, .is_fault = true });
}

void jit_leave(struct jit *j, u32 exit_idx)
{
	jit_stub_new(j, (struct jit_stub){ .patch_off = x86_jmp(&j->code), .exit_idx = exit_idx });
}

static void copy_in(struct jit *j, s32 local_off, u32 frame_off)
{
	jit_load(j, X86_RAX, x86_mem(X86_RDI, frame_off));
	jit_store(j, local(local_off), X86_RAX);
}

static struct x86_rm ticks(const struct jit *j)
{
	return j->layout.ticks == X86_NOREG ? local(LOCAL_TICKS) : x86_reg(j->layout.ticks);
}

void jit_ticks_renew(struct jit *j)
{
	if (!j->has_ticks)
		return;
	if (ticks(j).is_mem)
		x86_mov_rm_imm(&j->code, UB_W32, ticks(j), UB_TICKS);
	else
		x86_mov_reg_imm64(&j->code, ticks(j).reg, UB_TICKS);
}

void jit_tick(struct jit *j)
{
	x86_inc_dec(&j->code, UB_W32, true, ticks(j));
}

void jit_prologue(struct jit *j, const struct ub_entry *entry, bool is_next)
{
	u32 i;

	if (j->env->ibt)
		x86_endbr64(&j->code);
	x86_push(&j->code, X86_RBP);
	jit_load(j, X86_RBP, x86_reg(X86_RSP));
	for (i = 0; i < ARRAY_SIZE(callee_saved); i++)
		x86_push(&j->code, callee_saved[i]);
	x86_alu_rm_imm(&j->code, UB_W64, X86_SUB, x86_reg(X86_RSP), UB_LOCALS_LEN);
	jit_store(j, local(LOCAL_FRAME), X86_RDI);
	copy_in(j, LOCAL_TASK, offsetof(struct ub_frame, task));
	copy_in(j, LOCAL_LIMIT, offsetof(struct ub_frame, limit));
	if (j->has_hold) {
		x86_alu_rm_imm(&j->code, UB_W64, X86_SUB, x86_reg(X86_RAX), UB_HOLD_LOW);
		jit_store(j, local(LOCAL_LIMIT_LOW), X86_RAX);
		x86_mov_reg_imm64(&j->code, X86_RAX, ub_image_mask(j->limit));
		jit_store(j, local(LOCAL_MASK), X86_RAX);
	}
	copy_in(j, LOCAL_FS, offsetof(struct ub_frame, fs_base));
	copy_in(j, LOCAL_CALLS, offsetof(struct ub_frame, calls));
	copy_in(j, LOCAL_FLAGS, offsetof(struct ub_frame, flags));
	jit_store(j, local(LOCAL_CALL_FLAGS), X86_RAX);
	jit_store(j, local(LOCAL_TARGET), X86_RAX);	/* exits that do not count copy it out */
	x86_alu_rm_imm(&j->code, UB_W64, X86_AND, x86_reg(X86_RAX), ~UB_FL_ALL);
	jit_store(j, local(LOCAL_USER_FLAGS), X86_RAX);
	jit_load(j, j->pt, x86_mem(X86_RDI, offsetof(struct ub_frame, regs)));
	jit_store(j, local(LOCAL_REGS), j->pt);
	if (j->layout.task != X86_NOREG)
		jit_load(j, j->layout.task, local(LOCAL_TASK));
	jit_load_guest(j, j->layout.resident);
	if (j->layout.has_calls)
		jit_store_enosys(j);
	jit_ticks_renew(j);
	x86_lfence(&j->code);	/* no guard's LIMIT may be loaded from before the stores above */
	if (j->opens)
		x86_stac(&j->code);
	j->state = (struct jit_state){ .in_slot = true, 
		.lazy = ub_flow_at_entry(j->block, j->env->entry_is_call, entry->ip) };
	if (is_next)
		jit_convert(j, entry->insn_idx);
	else
		jit_jump(j, entry->insn_idx);
}

static void fault_new(struct jit *j, u32 insn_off, u32 fixup_off)
{
	struct ub_image *image = j->image;

	if (!jit_grow(j, (void **)&image->faults, image->fault_cnt, &j->fault_cap, sizeof(*image->faults)))
		return;
	image->faults[image->fault_cnt++] = (struct ub_image_fault){ .insn_off = insn_off, .fixup_off = fixup_off };
}

static void emit_exit_stub(struct jit *j, const struct jit_stub *stub)
{
	if (stub->fix == STUB_RELOAD_PT)
		jit_load(j, j->pt, local(LOCAL_REGS));
	if (stub->fix == STUB_ADD_RCX)
		x86_lea(&j->code, UB_W64, X86_RCX, (struct x86_rm){
			.is_mem = true, .reg = X86_RCX, .index = j->scratch });
	if (stub->fix == STUB_POP_FLAGS) {
		x86_pop_mem(&j->code, local(LOCAL_FLAGS));
		j->state.in_slot = true;
	}
	jit_stale_load(j, ~0u);
	jit_rcx_flush(j);
	jit_flags_to_slot(j);
	jit_sp_flush(j, 0);
	jit_r11_flush(j);
	x86_mov_reg_imm64(&j->code, j->scratch, stub->exit_idx);
	if (jit_grow(j, (void **)&j->common, j->common_cnt, &j->common_cap, sizeof(*j->common)))
		j->common[j->common_cnt++] = (struct jit_patch){
			.off = x86_jmp(&j->code), .target_idx = j->state.lazy.is_open };
}

void jit_copy_out(struct jit *j, u8 frame, u32 frame_off, s32 local_off)
{
	jit_load(j, X86_RAX, local(local_off));
	jit_store(j, x86_mem(frame, frame_off), X86_RAX);
}

void jit_vec_open(struct jit *j, bool is_open)
{
	j->state.lazy.is_open = is_open;
	if (!j->env->vec_open)
		return;
	if (j->opens)
		x86_clac(&j->code);
	jit_reloc(j, x86_call(&j->code), is_open ? j->env->vec_open : j->env->vec_close);
	if (j->opens)
		x86_stac(&j->code);
}

/* The exit index is in the scratch register; everything else is as the guest left it. */
static void emit_common_exit(struct jit *j)
{
	u32 i;

	if (j->opens)
		x86_clac(&j->code);
	jit_store_guest(j, j->layout.resident);
	jit_load(j, X86_RCX, local(LOCAL_FRAME));
	jit_copy_out(j, X86_RCX, offsetof(struct ub_frame, flags), LOCAL_FLAGS);
	jit_copy_out(j, X86_RCX, offsetof(struct ub_frame, calls), LOCAL_CALLS);
	jit_copy_out(j, X86_RCX, offsetof(struct ub_frame, target), LOCAL_TARGET);
	jit_load(j, X86_RAX, x86_reg(j->scratch));
	x86_alu_rm_imm(&j->code, UB_W64, X86_ADD, x86_reg(X86_RSP), UB_LOCALS_LEN);
	for (i = ARRAY_SIZE(callee_saved); i-- > 0;)
		x86_pop(&j->code, callee_saved[i]);
	x86_pop(&j->code, X86_RBP);
	if (j->env->return_thunk)
		jit_reloc(j, x86_jmp(&j->code), j->env->return_thunk);
	else
		x86_ret(&j->code);
}

static bool has_open_exit(const struct jit *j)
{
	u32 i;

	for (i = 0; i < j->common_cnt; i++)
		if (j->common[i].target_idx)
			return true;
	return false;
}

void jit_stubs(struct jit *j)
{
	u32 i, start, closed;

	for (i = 0; i < j->cold_cnt && !j->err; i++)
		jit_cold_call(j, &j->colds[i]);
	/* Stubs are not asked for while stubs are made: the list is complete. */
	for (i = 0; i < j->stub_cnt && !j->err; i++) {
		const struct jit_stub *stub = &j->stubs[i];

		start = j->code.len;
		j->state = stub->state;
		if (stub->is_fault)
			fault_new(j, stub->patch_off, start);
		else
			x86_patch_rel32(&j->code, stub->patch_off, start);
		if (stub->is_edge)
			jit_jump(j, stub->target_idx);
		else
			emit_exit_stub(j, stub);
	}
	start = j->code.len;
	if (has_open_exit(j))
		jit_vec_open(j, false);
	closed = j->code.len;
	emit_common_exit(j);
	for (i = 0; i < j->common_cnt; i++)
		x86_patch_rel32(&j->code, j->common[i].off, j->common[i].target_idx ? start : closed);
}
