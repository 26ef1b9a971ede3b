// SPDX-License-Identifier: GPL-2.0
/*
 * lower_flow: control inside the block, and leaving it.
 */
#include "lower.h"

void lower_test_work(struct jit *j)
{
	x86_test_rm_imm(&j->code, UB_W32, x86_mem(jit_task(j, j->scratch), j->env->flags_off), j->env->work_mask);
}

void lower_JMP(struct jit *j, const struct ub_insn *insn)
{
	jit_jump(j, ub_insn_target(insn, j->idx));
}

void lower_JCC(struct jit *j, const struct ub_insn *insn)
{
	enum ub_cc cc = jit_flags_cond(j, ub_insn_cc(insn));

	jit_jump_if(j, cc, ub_insn_target(insn, j->idx));
}

/*
 *	mov dst, imm
 *	cmp [mem], dst
 *	je target		there nobody reads dst
 *	mov dst, [mem]
 * Memory is read twice on the way down, which no program can tell from one read at the second.
 */
static void jeq_memory(struct jit *j, const struct ub_insn *insn, const struct ub_insn *from)
{
	u8 dst = lower_dst(j, from).reg;
	bool is_own_base = from->src == from->dst || ub_insn_index_reg(from) == from->dst;
	struct x86_rm mem;

	lower_flags_before(j);
	mem = lower_user_mem(j, from, from->src);
	if (insn->imm != (s32)insn->imm)
		x86_mov_reg_imm64(&j->code, is_own_base ? j->scratch : dst, insn->imm);
	lower_fused_fault(j);
	if (insn->imm != (s32)insn->imm)
		x86_alu_rm_reg(&j->code, UB_W64, X86_CMP, mem, is_own_base ? j->scratch : dst);
	else
		x86_alu_rm_imm(&j->code, UB_W64, X86_CMP, mem, insn->imm);
	jit_jump_if(j, UB_CC_E, ub_insn_target(insn, j->idx));
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	x86_mov_reg_rm(&j->code, UB_W64, dst, mem);
}

void lower_JEQ(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm src = lower_src(j, insn);

	if (lower_is_fused(j)) {
		jeq_memory(j, insn, insn - 1);
		return;
	}
	lower_flags_before(j);
	if (insn->imm == (s32)insn->imm) {
		x86_alu_rm_imm(&j->code, UB_W64, X86_CMP, src, insn->imm);
	} else {
		x86_mov_reg_imm64(&j->code, j->scratch, insn->imm);
		x86_alu_rm_reg(&j->code, UB_W64, X86_CMP, src, j->scratch);
	}
	jit_jump_if(j, UB_CC_E, ub_insn_target(insn, j->idx));
}

void lower_CHECK(struct jit *j, const struct ub_insn *insn)
{
	(void)insn;
	lower_flags_before(j);
	lower_test_work(j);
	jit_leave_if(j, UB_CC_NE, UB_EXIT_WORK, STUB_PLAIN);
	if (j->state.lazy.is_open && j->env->softirq_gs) {
		x86_cmp_gs16_zero(&j->code, j->env->softirq_gs);
		jit_leave_if(j, UB_CC_NE, UB_EXIT_WORK, STUB_PLAIN);
	}
	jit_ticks_renew(j);
}

void lower_TICK(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	jit_tick(j);
	jit_jump_if(j, UB_CC_E, ub_insn_target(insn, j->idx));
}

void lower_BOUND(struct jit *j, const struct ub_insn *insn)
{
	u8 reg = lower_src_reg(j, insn);

	jit_flags_clobber(j);
	x86_alu_reg_rm(&j->code, UB_W64, X86_CMP, reg, local(LOCAL_LIMIT));
	jit_leave_if(j, UB_CC_A, UB_EXIT_BOUND, STUB_PLAIN);
}

void lower_EXIT(struct jit *j, const struct ub_insn *insn)
{
	jit_leave(j, jit_exit_new(j, insn->imm, UB_EXIT_END, false));
}

void lower_EXITTO(struct jit *j, const struct ub_insn *insn)
{
	x86_mov_rm_reg(&j->code, UB_W64, local(LOCAL_TARGET), lower_src_reg(j, insn));
	jit_leave(j, jit_exit_new(j, j->mark_ip, UB_EXIT_INDIRECT, false));
}

void lower_SYSCALL(struct jit *j, const struct ub_insn *insn)
{
	jit_syscall(j, insn);
}
