// SPDX-License-Identifier: GPL-2.0
/*
 * lower_time: fences, and the time stamp counter.
 *
 * The number of the processor is not taken from RDTSCP or RDPID where a copy is to be had: in the kernel the register
 * they read may be a virtual machine's (cpu.c).
 */
#include "lower.h"

void lower_FENCE(struct jit *j, const struct ub_insn *insn)
{
	static const u8 digits[] = { 5, 7, 6 };		/* lfence, sfence, mfence */

	x86_fence(&j->code, digits[insn->imm]);
}

void lower_RDTSC(struct jit *j, const struct ub_insn *insn)
{
	(void)insn;
	x86_rdtsc(&j->code);
}

/*
 *	mov [SPILL], rax; mov [TARGET], rdx
 *	mov scratch, gs:[number]
 *	lfence
 *	rdtsc
 *	cmp scratch, gs:[number]
 *	je 1f
 *	the old rax and rdx; leave	another processor by now
 * 1:
 */
static void rdtscp_in_kernel(struct jit *j)
{
	u32 same;

	jit_store(j, local(LOCAL_SPILL), X86_RAX);
	jit_store(j, local(LOCAL_TARGET), X86_RDX);
	x86_mov_reg_gs(&j->code, j->scratch, j->env->cpu_node_gs);
	x86_lfence(&j->code);
	x86_rdtsc(&j->code);
	x86_cmp_reg_gs(&j->code, j->scratch, j->env->cpu_node_gs);
	same = x86_jcc(&j->code, UB_CC_E);
	jit_load(j, X86_RAX, local(LOCAL_SPILL));
	jit_load(j, X86_RDX, local(LOCAL_TARGET));
	jit_leave(j, jit_exit_new(j, j->mark_ip, UB_EXIT_WORK, false));
	x86_patch_rel32(&j->code, same, j->code.len);
}

/* rcx is the guest's. */
static void rdtscp_in_user(struct jit *j)
{
	lower_need(j, UB_INT_F_RDTSCP);
	lower_to_scratch(j, x86_reg(X86_RCX));
	x86_rdtscp(&j->code);
	x86_xchg(&j->code, UB_W64, x86_reg(X86_RCX), j->scratch);
}

static void put_number(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(j, insn);

	if (dst.is_mem)
		x86_mov_rm_reg(&j->code, UB_W64, dst, j->scratch);
	else
		x86_mov_reg_rm(&j->code, UB_W64, dst.reg, x86_reg(j->scratch));
}

void lower_RDTSCP(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	if (j->env->cpu_node_gs)
		rdtscp_in_kernel(j);
	else
		rdtscp_in_user(j);
	put_number(j, insn);
}

static void rdpid_in_user(struct jit *j)
{
	lower_need(j, UB_INT_F_RDTSCP);
	x86_rdpid(&j->code, j->scratch);
}

void lower_RDPID(struct jit *j, const struct ub_insn *insn)
{
	if (j->env->cpu_node_gs)
		x86_mov_reg_gs(&j->code, j->scratch, j->env->cpu_node_gs);
	else
		rdpid_in_user(j);
	put_number(j, insn);
}
