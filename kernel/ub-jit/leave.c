// SPDX-License-Identifier: GPL-2.0
/*
 * leave: how does a thread come into the code, out of it, and through a system call?
 *
 * Everything that is rarely run stands behind the block's own code, as stubs: what must be put right is emitted there,
 * for the state that held where the stub was asked for.  So leaving costs nothing until it happens.
 */
#include "lower.h"

#define ENOSYS_AX	(-38)
/* -ERESTARTSYS; the other -ERESTART* are below it, and leaving behind any other result is exact too (include/linux/errno.h). */
#define ERESTART_FIRST	(-512)

/* Where a call stub takes pt_regs and the address behind the call. */
#define STUB_PT		X86_R8
#define STUB_IP		X86_R9

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

u8 jit_task_reg(const struct jit *j)
{
	return j->layout.reg[UB_GUARDS + 1];
}

static void load(struct jit *j, u8 reg, struct x86_rm from)
{
	x86_mov_reg_rm(&j->code, UB_W64, reg, from);
}

static void store(struct jit *j, struct x86_rm to, u8 reg)
{
	x86_mov_rm_reg(&j->code, UB_W64, to, reg);
}

/* The guest registers of @mask, which are resident. */
static void load_guest(struct jit *j, u32 mask)
{
	u8 reg;

	for (reg = 0; mask >> reg; reg++)
		if (mask & 1u << reg)
			load(j, j->layout.reg[reg], pt(j, pt_off[reg]));
}

static void store_guest(struct jit *j, u32 mask)
{
	u8 reg;

	for (reg = 0; mask >> reg; reg++)
		if (mask & 1u << reg)
			store(j, pt(j, pt_off[reg]), j->layout.reg[reg]);
}

void jit_stale_load(struct jit *j, u32 mask)
{
	load_guest(j, mask & j->state.lazy.stale);
	j->state.lazy.stale &= ~mask;
}

/* Puts those guest registers of @mask into pt_regs that are not there. */
static void save_guest(struct jit *j, u32 mask)
{
	mask &= j->layout.resident & UB_SAVED_REGS;
	store_guest(j, mask & ~j->state.lazy.saved);
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

static void stub_new(struct jit *j, struct jit_stub stub)
{
	stub.state = j->state;
	if (jit_grow(j, (void **)&j->stubs, j->stub_cnt, &j->stub_cap, sizeof(*j->stubs)))
		j->stubs[j->stub_cnt++] = stub;
}

void jit_leave_if(struct jit *j, enum ub_cc cc, enum ub_exit_kind kind, enum stub_fix fix)
{
	u32 exit_idx = jit_exit_new(j, j->mark_ip, kind, false);

	stub_new(j, (struct jit_stub){ .patch_off = x86_jcc(&j->code, cc), .exit_idx = exit_idx, .fix = fix });
}

void jit_leave_on_fault(struct jit *j, u32 insn_off, enum stub_fix fix)
{
	u32 exit_idx = jit_exit_new(j, j->mark_ip, UB_EXIT_FAULT, false);

	stub_new(j, (struct jit_stub){
		.patch_off = insn_off, .exit_idx = exit_idx, .fix = fix, .is_fault = true });
}

void jit_leave(struct jit *j, u32 exit_idx)
{
	stub_new(j, (struct jit_stub){ .patch_off = x86_jmp(&j->code), .exit_idx = exit_idx });
}

/* The state that code at label @idx was or will be compiled for. */
static struct jit_state label_state(const struct jit *j, u32 idx)
{
	const struct ub_flow *flow = &j->flow[idx];

	bool has_desc = flow->lazy.desc != UB_DESC_NONE;

	return (struct jit_state){
		.in_host = !has_desc && flow->lazy.can_host,
		.in_slot = !has_desc && !flow->lazy.can_host,
		.lazy = flow->lazy,
	};
}

static bool is_ready_for(const struct jit *j, u32 idx)
{
	struct jit_state want = label_state(j, idx);
	const struct ub_lazy *lazy = &j->state.lazy;
	u32 in_both = lazy->saved & ~lazy->stale;

	if (((lazy->saved ^ want.lazy.saved) | (lazy->stale ^ want.lazy.stale)) & ~in_both)
		return false;
	if (want.lazy.rcx != j->state.lazy.rcx)
		return false;
	if (want.lazy.sp != j->state.lazy.sp || want.lazy.r11_is_call != j->state.lazy.r11_is_call)
		return false;
	return !flags_live(j, idx) || ((!want.in_slot || j->state.in_slot) && (!want.in_host || j->state.in_host));
}

/* The places of the flags that label @idx wants, once nothing else will change the machine's. */
static void convert_flags(struct jit *j, const struct jit_state *want)
{
	/* The same analysis gives both, so a description that the label counts on is the one we have. */
	if (!want->in_slot && !want->in_host &&
	    ub_bug_if(!ub_flow_is_same_desc(j->block, &want->lazy, &j->state.lazy), "flags lost on an edge"))
		j->err = -EFAULT;
	if (want->in_slot)
		jit_flags_to_slot(j);
	if (want->in_host)
		jit_flags_to_host(j);
}

/* Makes the current state good enough for label @idx. */
static void convert(struct jit *j, u32 idx)
{
	struct jit_state want = label_state(j, idx);
	bool is_live = flags_live(j, idx);

	jit_stale_load(j, ~want.lazy.stale);
	save_guest(j, want.lazy.saved & ~(1u << UB_RSP));
	if (!want.lazy.rcx)
		jit_rcx_flush(j);
	if (!want.lazy.r11_is_call && j->state.lazy.r11_is_call) {
		if (is_live && j->state.lazy.desc == UB_DESC_NONE)
			jit_flags_to_slot(j);
		jit_flags_lost(j);
		jit_r11_flush(j);
	}
	if (is_live && j->state.in_host)
		jit_sp_flush_quietly(j, want.lazy.sp);
	if (!is_live)
		jit_flags_lost(j);
	jit_sp_flush(j, want.lazy.sp);
	save_guest(j, want.lazy.saved);		/* rsp only now */
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
	convert(j, target_idx);
	if (target_idx < j->done)
		x86_jmp_back(&j->code, j->code_off[target_idx]);
	else
		patch_new(j, x86_jmp(&j->code), target_idx);
}

void jit_jump_if(struct jit *j, enum ub_cc cc, u32 target_idx)
{
	if (!is_ready_for(j, target_idx))
		stub_new(j, (struct jit_stub){
			.patch_off = x86_jcc(&j->code, cc), .target_idx = target_idx, .is_edge = true });
	else if (target_idx < j->done)
		x86_jcc_back(&j->code, cc, j->code_off[target_idx]);
	else
		patch_new(j, x86_jcc(&j->code, cc), target_idx);
}

void jit_enter_label(struct jit *j, u32 target_idx)
{
	convert(j, target_idx);
	jit_label_state(j, target_idx);
}

void jit_label_state(struct jit *j, u32 target_idx)
{
	j->state = label_state(j, target_idx);
}

static void copy_in(struct jit *j, s32 local_off, u32 frame_off)
{
	load(j, X86_RAX, x86_mem(X86_RDI, frame_off));
	store(j, local(local_off), X86_RAX);
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

	x86_push(&j->code, X86_RBP);
	load(j, X86_RBP, x86_reg(X86_RSP));
	for (i = 0; i < ARRAY_SIZE(callee_saved); i++)
		x86_push(&j->code, callee_saved[i]);
	x86_alu_rm_imm(&j->code, UB_W64, X86_SUB, x86_reg(X86_RSP), LOCALS_LEN);
	store(j, local(LOCAL_FRAME), X86_RDI);
	copy_in(j, LOCAL_TASK, offsetof(struct ub_frame, task));
	copy_in(j, LOCAL_LIMIT, offsetof(struct ub_frame, limit));
	x86_alu_rm_imm(&j->code, UB_W64, X86_SUB, x86_reg(X86_RAX), UB_HOLD_LOW);
	store(j, local(LOCAL_LIMIT_LOW), X86_RAX);
	copy_in(j, LOCAL_FS, offsetof(struct ub_frame, fs_base));
	copy_in(j, LOCAL_CALLS, offsetof(struct ub_frame, calls));
	copy_in(j, LOCAL_FLAGS, offsetof(struct ub_frame, flags));
	store(j, local(LOCAL_CALL_FLAGS), X86_RAX);
	x86_alu_rm_imm(&j->code, UB_W64, X86_AND, x86_reg(X86_RAX), ~UB_FL_ALL);
	store(j, local(LOCAL_USER_FLAGS), X86_RAX);
	load(j, j->pt, x86_mem(X86_RDI, offsetof(struct ub_frame, regs)));
	store(j, local(LOCAL_REGS), j->pt);
	load_guest(j, j->layout.resident);
	jit_ticks_renew(j);
	x86_lfence(&j->code);	/* no guard's LIMIT may be loaded from before the stores above */
	if (j->opens)
		x86_stac(&j->code);
	j->state = (struct jit_state){ .in_slot = true, 
		.lazy = ub_flow_at_entry(j->block, j->env->entry_is_call, entry->ip) };
	if (is_next)
		convert(j, entry->insn_idx);
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
		load(j, j->pt, local(LOCAL_REGS));
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
		j->common[j->common_cnt++].off = x86_jmp(&j->code);
}

static void copy_out(struct jit *j, u8 frame, u32 frame_off, s32 local_off)
{
	load(j, X86_RAX, local(local_off));
	store(j, x86_mem(frame, frame_off), X86_RAX);
}

/* The exit index is in the scratch register; everything else is as the guest left it. */
static void emit_common_exit(struct jit *j)
{
	u32 i;

	if (j->opens)
		x86_clac(&j->code);
	store_guest(j, j->layout.resident);
	load(j, X86_RCX, local(LOCAL_FRAME));
	copy_out(j, X86_RCX, offsetof(struct ub_frame, flags), LOCAL_FLAGS);
	copy_out(j, X86_RCX, offsetof(struct ub_frame, calls), LOCAL_CALLS);
	copy_out(j, X86_RCX, offsetof(struct ub_frame, target), LOCAL_TARGET);
	load(j, X86_RAX, x86_reg(j->scratch));
	x86_alu_rm_imm(&j->code, UB_W64, X86_ADD, x86_reg(X86_RSP), LOCALS_LEN);
	for (i = ARRAY_SIZE(callee_saved); i-- > 0;)
		x86_pop(&j->code, callee_saved[i]);
	x86_pop(&j->code, X86_RBP);
	if (j->env->return_thunk)
		jit_reloc(j, x86_jmp(&j->code), j->env->return_thunk);
	else
		x86_ret(&j->code);
}

/* inc/dec dword [task + pagefault_disabled] */
static void emit_pagefaults(struct jit *j, u8 task, bool are_enabled)
{
	x86_inc_dec(&j->code, UB_W32, are_enabled, x86_mem(task, j->env->pagefault_off));
}

/* Before every call out: user accesses closed, page faults allowed. */
static void emit_close(struct jit *j, u8 task)
{
	if (j->opens)
		x86_clac(&j->code);
	emit_pagefaults(j, task, true);
}

/* Behind every call out; leaves the task pointer in the scratch register. */
static void emit_reopen(struct jit *j)
{
	load(j, j->pt, local(LOCAL_REGS));
	load(j, j->scratch, local(LOCAL_TASK));
	emit_pagefaults(j, j->scratch, false);
	if (j->opens)
		x86_stac(&j->code);
}

/* Calls one of the C functions with the frame complete, and comes back with its answer, in place of the task, compared
 * and the guest reloaded.  pt_regs has UB_SAVED_REGS. */
static void emit_slow_call(struct jit *j, u64 target, u32 site)
{
	jit_rcx_flush(j);	/* nothing of the kernel's goes into pt_regs */
	if (!jit_loc(j, UB_R11).is_mem)
		jit_r11_flush(j);
	store_guest(j, j->layout.resident & ~UB_SAVED_REGS);
	load(j, j->scratch, local(LOCAL_TASK));
	emit_close(j, j->scratch);
	load(j, X86_RDI, local(LOCAL_FRAME));
	copy_out(j, X86_RDI, offsetof(struct ub_frame, calls), LOCAL_CALLS);
	x86_mov_rm_imm(&j->code, UB_W64, x86_mem(X86_RDI, offsetof(struct ub_frame, site)), site);
	jit_reloc(j, x86_call(&j->code), target);
	load(j, jit_task_reg(j), x86_reg(X86_RAX));
	emit_reopen(j);
	load_guest(j, j->layout.resident);
	x86_alu_rm_imm(&j->code, UB_W32, X86_CMP, x86_reg(jit_task_reg(j)), UB_CALL_SKIP);
}

/* The task pointer is in @task. */
static void emit_test_work(struct jit *j, u8 task)
{
	x86_test_rm_imm(&j->code, UB_W32, x86_mem(task, j->env->flags_off), j->env->work_mask);
}

/* Was eax set to @nr by the straight line that leads here?  Data flow, so it holds in speculation too. */
static bool number_is_known(const struct jit *j, u32 nr)
{
	const struct ub_insn *insn;
	u32 i = j->idx;

	do {
		if (j->flow[i].is_label || !i)
			return false;
		insn = &j->block->insns[--i];
	} while (insn->op == UB_OP_INSN);
	if (insn->dst != UB_RAX || ub_insn_width(insn) < UB_W32)
		return false;
	return (insn->op == UB_OP_MOVI && (u32)insn->imm == nr) ||
	       (insn->op == UB_OP_XOR && insn->src == UB_RAX && nr == 0);
}

/* Tests that come before the call; each leaves at the syscall instruction with nothing changed. */
static void emit_before_call(struct jit *j, u32 nr, bool is_pushed)
{
	enum stub_fix fix = is_pushed ? STUB_POP_FLAGS : STUB_PLAIN;

	if (!number_is_known(j, nr)) {
		x86_alu_rm_imm(&j->code, UB_W32, X86_CMP, x86_reg(X86_RAX), nr);
		jit_leave_if(j, UB_CC_NE, UB_EXIT_SYSCALL, fix);
	}
	load(j, jit_task_reg(j), local(LOCAL_TASK));
	emit_test_work(j, jit_task_reg(j));
	jit_leave_if(j, UB_CC_NE, UB_EXIT_WORK, fix);
	save_guest(j, UB_SAVED_REGS);
	x86_alu_rm_imm(&j->code, UB_W64, X86_CMP, x86_mem(jit_task_reg(j), j->env->work_off), 0);
}

/* The call itself.  The stub wants the address behind the syscall in the scratch register.  rcx and r11 are left
 * pending, see flow.h. */
static void emit_call(struct jit *j, u64 stub, u64 ip)
{
	emit_close(j, jit_task_reg(j));
	if (j->pt != STUB_PT)
		load(j, STUB_PT, x86_reg(j->pt));
	x86_mov_reg_imm64(&j->code, STUB_IP, ip);
	jit_reloc(j, x86_call(&j->code), stub);
	emit_reopen(j);
	x86_inc_dec(&j->code, UB_W64, false, local(LOCAL_CALLS));
	j->state.lazy.stale = j->state.lazy.saved;
	j->state.lazy.rcx = ip;
}

/*
 *	tests		jne pre
 * go:	close; call stub; reopen; count; reload; rcx
 * join:	test work	jne post
 * checked:	-ERESTART*?  exit work?	-> leave right behind
 * and out of line, in emit_cold_call():
 * pre:	pre_call: go / leave at the syscall / skip: rcx; jmp join
 * post:	post_call: checked / leave right behind
 */
void jit_syscall(struct jit *j, const struct ub_insn *insn)
{
	struct jit_cold_call cold = { .idx = j->idx, .mark_ip = j->mark_ip };
	u64 ip = j->mark_ip + 2;
	u32 nr = insn->imm;

	if (nr >= j->env->call_stub_cnt || !j->env->call_stubs[nr]) {
		j->err = -EOPNOTSUPP;
		return;
	}
	/* Until it is sure that the call is made the guest's r11 may still be the flags of the last one: they stay where
	 * they are, and those of this one on the stack. */
	cold.is_pushed = jit_flags_push(j);
	emit_before_call(j, nr, cold.is_pushed);
	cold.pre = x86_jcc(&j->code, UB_CC_NE);
	cold.before = j->state;
	cold.go = j->code.len;
	if (cold.is_pushed)
		jit_flags_pop(j);
	emit_call(j, j->env->call_stubs[nr], ip);
	j->state.lazy.r11_is_call = true;
	cold.join = j->code.len;
	emit_test_work(j, j->scratch);
	cold.post = x86_jcc(&j->code, UB_CC_NE);
	cold.checked = j->code.len;
	cold.behind = jit_exit_new(j, ip, UB_EXIT_RESTART, true);
	x86_alu_rm_imm(&j->code, UB_W64, X86_CMP, x86_reg(X86_RAX), ERESTART_FIRST);
	stub_new(j, (struct jit_stub){ .patch_off = x86_jcc(&j->code, UB_CC_LE), .exit_idx = cold.behind });
	x86_test_rm_imm(&j->code, UB_W32, x86_mem(j->scratch, j->env->work_off), j->env->work_exit_mask);
	stub_new(j, (struct jit_stub){ .patch_off = x86_jcc(&j->code, UB_CC_NE), .exit_idx = cold.behind });
	cold.behind_state = j->state;
	jit_ticks_renew(j);
	if (jit_grow(j, (void **)&j->colds, j->cold_cnt, &j->cold_cap, sizeof(*j->colds)))
		j->colds[j->cold_cnt++] = cold;
}

static void emit_cold_call(struct jit *j, const struct jit_cold_call *cold)
{
	j->idx = cold->idx;
	j->mark_ip = cold->mark_ip;
	j->state = cold->before;
	x86_patch_rel32(&j->code, cold->pre, j->code.len);
	emit_slow_call(j, j->env->pre_call, cold->behind);
	load(j, jit_task_reg(j), local(LOCAL_TASK));	/* mov: the comparison's flags stay */
	x86_patch_rel32(&j->code, x86_jcc(&j->code, UB_CC_B), cold->go);
	jit_leave_if(j, UB_CC_A, UB_EXIT_SYSCALL, cold->is_pushed ? STUB_POP_FLAGS : STUB_PLAIN);
	if (cold->is_pushed)
		jit_flags_pop(j);
	x86_patch_rel32(&j->code, x86_jmp(&j->code), cold->join);

	j->state = cold->behind_state;
	x86_patch_rel32(&j->code, cold->post, j->code.len);
	emit_slow_call(j, j->env->post_call, cold->behind);
	x86_patch_rel32(&j->code, x86_jcc(&j->code, UB_CC_B), cold->checked);
	jit_leave(j, cold->behind);
}

void jit_stubs(struct jit *j)
{
	u32 i, start;

	for (i = 0; i < j->cold_cnt && !j->err; i++)
		emit_cold_call(j, &j->colds[i]);
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
	emit_common_exit(j);
	for (i = 0; i < j->common_cnt; i++)
		x86_patch_rel32(&j->code, j->common[i].off, start);
}

u32 ub_jit_call_stub(u8 buf[UB_CALL_STUB_LEN])
{
	struct x86_code code = { .buf = buf, .cap = UB_CALL_STUB_LEN };

	x86_mov_rm_reg(&code, UB_W64, x86_mem(STUB_PT, PT_ORIG_AX), X86_RAX);
	x86_mov_rm_imm(&code, UB_W64, x86_mem(STUB_PT, PT_AX), ENOSYS_AX);
	x86_mov_rm_reg(&code, UB_W64, x86_mem(STUB_PT, PT_IP), STUB_IP);
	x86_mov_reg_rm(&code, UB_W64, X86_RDI, x86_reg(STUB_PT));
	return x86_jmp(&code);
}
