// SPDX-License-Identifier: GPL-2.0
/*
 * call: how does an image make a system call?
 *
 * The tests that nearly always pass stand in line; what follows when they do not is emitted with the stubs.
 */
#include "lower.h"

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

/* Behind every call of C, which kept nothing in the scratch register; leaves the task pointer in the scratch register if it has none of its own. */
static void emit_reopen(struct jit *j)
{
	j->has_scratch_const = false;
	if (!(UB_CALLEE_SAVED & 1u << j->pt))
		jit_load(j, j->pt, local(LOCAL_REGS));
	emit_pagefaults(j, jit_task(j, j->scratch), false);
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
	jit_store_guest(j, j->layout.resident & ~UB_SAVED_REGS);
	emit_close(j, jit_task(j, j->scratch));
	jit_load(j, X86_RDI, local(LOCAL_FRAME));
	jit_copy_out(j, X86_RDI, offsetof(struct ub_frame, calls), LOCAL_CALLS);
	x86_mov_rm_imm(&j->code, UB_W64, x86_mem(X86_RDI, offsetof(struct ub_frame, site)), site);
	jit_reloc(j, x86_call(&j->code), target);
	jit_load(j, jit_call_reg(j), x86_reg(X86_RAX));
	emit_reopen(j);
	jit_load_guest(j, j->layout.resident);
	jit_store_enosys(j);
	x86_alu_rm_imm(&j->code, UB_W32, X86_CMP, x86_reg(jit_call_reg(j)), UB_CALL_SKIP);
}

/* Where emit_before_call() and emit_call() leave the task. */
static u8 task_before(const struct jit *j)
{
	return j->layout.task != X86_NOREG ? j->layout.task : jit_call_reg(j);
}

static u8 task_behind(const struct jit *j)
{
	return j->layout.task != X86_NOREG ? j->layout.task : j->scratch;
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

/* Tests that come before the call; the first leaves at the syscall instruction with nothing changed.  Thread flags are not
 * among them: they were clear at the last look, and what was set since, a signal, finds the call just begun. */
static void emit_before_call(struct jit *j, u32 nr, bool is_pushed)
{
	enum stub_fix fix = is_pushed ? STUB_POP_FLAGS : STUB_PLAIN;

	if (!number_is_known(j, nr)) {
		x86_alu_rm_imm(&j->code, UB_W32, X86_CMP, x86_reg(X86_RAX), nr);
		jit_leave_if(j, UB_CC_NE, UB_EXIT_SYSCALL, fix);
	}
	jit_save_guest(j, UB_SAVED_REGS);
	x86_alu_rm_imm(&j->code, UB_W64, X86_CMP, x86_mem(jit_task(j, jit_call_reg(j)), j->env->work_off), 0);
}

/* The call itself.  rcx and r11 are left pending, see flow.h. */
static void emit_call(struct jit *j, u64 stub, u64 ip)
{
	emit_close(j, task_before(j));
	if (j->pt != STUB_PT)
		jit_load(j, STUB_PT, x86_reg(j->pt));
	x86_mov_reg_imm64(&j->code, STUB_IP, ip);
	jit_reloc(j, x86_call(&j->code), stub);
	emit_reopen(j);
	x86_inc_dec(&j->code, UB_W64, false, local(LOCAL_CALLS));
	j->state.lazy.stale = j->state.lazy.saved;
	j->state.lazy.rcx = ip;
}

/* Machine registers that hold neither pt_regs, nor the task (in @task), nor one of the guest's but those of @stale. */
static u16 not_guest(const struct jit *j, u16 stale, u8 task)
{
	u16 guest = 1u << j->pt | 1u << task;
	u8 reg;

	for (reg = 0; reg < UB_NGUEST; reg++)
		if (j->layout.resident & ~stale & 1u << reg)
			guest |= 1u << j->layout.reg[reg];
	return ~guest;
}

/*
 *	tests		jne pre
 * go:	close; call stub; reopen; count
 * join:	test work	jne post	(-ERESTART* is one only with work: kernel/signal.c)
 * checked:	exit work?	-> leave right behind
 * and out of line, in jit_cold_call():
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
	jit_hint_call(j, not_guest(j, j->state.lazy.stale, task_before(j)));
	if (cold.is_pushed)
		jit_flags_pop(j);
	emit_call(j, j->env->call_stubs[nr], ip);
	j->state.lazy.r11_is_call = true;
	cold.join = j->code.len;
	jit_hint_here(j, not_guest(j, j->state.lazy.stale, task_behind(j)), ~0);
	x86_test_rm_imm(&j->code, UB_W32, x86_mem(task_behind(j), j->env->flags_off), j->env->work_mask);
	cold.post = x86_jcc(&j->code, UB_CC_NE);
	cold.checked = j->code.len;
	jit_hint_here(j, not_guest(j, j->state.lazy.stale, task_behind(j)), ~0);
	cold.behind = jit_exit_new(j, ip, UB_EXIT_RESTART, true);
	x86_test_rm_imm(&j->code, UB_W32, x86_mem(task_behind(j), j->env->work_off), j->env->work_exit_mask);
	jit_stub_new(j, (struct jit_stub){ .patch_off = x86_jcc(&j->code, UB_CC_NE), .exit_idx = cold.behind });
	cold.behind_state = j->state;
	jit_ticks_renew(j);
	if (jit_grow(j, (void **)&j->colds, j->cold_cnt, &j->cold_cap, sizeof(*j->colds)))
		j->colds[j->cold_cnt++] = cold;
}

void jit_cold_call(struct jit *j, const struct jit_cold_call *cold)
{
	j->idx = cold->idx;
	j->mark_ip = cold->mark_ip;
	j->state = cold->before;
	x86_patch_rel32(&j->code, cold->pre, j->code.len);
	emit_slow_call(j, j->env->pre_call, cold->behind);
	jit_task(j, jit_call_reg(j));		/* mov: the comparison's flags stay */
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
