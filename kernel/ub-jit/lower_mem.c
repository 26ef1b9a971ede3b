// SPDX-License-Identifier: GPL-2.0
/*
 * lower_mem: addresses that may be used, loads and stores.
 */
#include "lower.h"

/* A constant address goes into the scratch register, which may hold one nearby already. */
struct x86_rm lower_user_mem(struct jit *j, const struct ub_insn *insn, u8 base)
{
	u64 addr = ub_insn_constant_addr(insn);
	s64 delta = addr - j->scratch_const;
	struct x86_rm mem;

	if (base != UB_NOREG) {
		mem = x86_mem(jit_loc(j, base).reg, insn->off + (base == UB_RSP ? j->state.lazy.sp : 0));
		if (ub_insn_index_reg(insn) != UB_NOREG) {
			mem.index = jit_loc(j, ub_insn_index_reg(insn)).reg;
			mem.scale = ub_insn_scale(insn);
		}
		return mem;
	}
	if (j->has_scratch_const && !j->code.is_touched && delta == (s32)delta)
		return x86_mem(j->scratch, delta);
	x86_mov_reg_imm64(&j->code, j->scratch, addr);
	j->scratch_const = addr;
	j->has_scratch_const = true;
	j->code.is_touched = false;
	return x86_mem(j->scratch, 0);
}

/* cmp reg, [LIMIT]; ja leave */
static void leave_if_above(struct jit *j, u8 reg, enum ub_exit_kind kind)
{
	x86_alu_reg_rm(&j->code, UB_W64, X86_CMP, reg, local(LOCAL_LIMIT));
	jit_leave_if(j, UB_CC_A, kind, STUB_PLAIN);
}

/* The branch makes it exact (a bad address leaves), the cmovae of the same comparison makes it safe in speculation. */
void lower_guard_in_place(struct jit *j, u8 reg)
{
	leave_if_above(j, reg, UB_EXIT_FAULT);
	x86_cmov(&j->code, UB_W64, UB_CC_AE, reg, local(LOCAL_LIMIT));
}

/*
 *	cmp reg, [LIMIT]	or, for a lower bound: lea scratch, [reg - LOW]; cmp scratch, [LIMIT - LOW]
 *	ja leave
 *	and reg, [MASK]		or: cmovae reg, [LIMIT]
 * The branch makes it exact, the next instruction makes it safe in speculation.
 * Sound: LIMIT is a page below a power of two, MASK one less than that, and behind MASK begins what user space cannot
 * map, as behind LIMIT.  It takes a cycle where the comparison and the cmovae take two, on the way of every pointer that
 * is followed.
 */
void lower_HOLD(struct jit *j, const struct ub_insn *insn)
{
	u8 reg = lower_dst(j, insn).reg;

	lower_flags_before(j);
	if (!insn->imm) {
		leave_if_above(j, reg, UB_EXIT_BOUND);
		x86_alu_reg_rm(&j->code, UB_W64, X86_AND, reg, local(LOCAL_MASK));
		return;
	}
	x86_lea(&j->code, UB_W64, j->scratch, x86_mem(reg, -UB_HOLD_LOW));
	x86_alu_reg_rm(&j->code, UB_W64, X86_CMP, j->scratch, local(LOCAL_LIMIT_LOW));
	jit_leave_if(j, UB_CC_A, UB_EXIT_BOUND, STUB_PLAIN);
	x86_cmov(&j->code, UB_W64, UB_CC_AE, reg, local(LOCAL_LIMIT));
}

/* mov scratch32, reg32; cmp scratch, reg; jne leave; mov reg, scratch */
void lower_HOLD32(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(j, insn);

	lower_flags_before(j);
	x86_mov_reg_rm(&j->code, UB_W32, j->scratch, dst);
	x86_alu_reg_rm(&j->code, UB_W64, X86_CMP, j->scratch, dst);
	jit_leave_if(j, UB_CC_NE, UB_EXIT_BOUND, STUB_PLAIN);
	x86_mov_reg_rm(&j->code, UB_W64, dst.reg, x86_reg(j->scratch));
}

void lower_LOAD(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm mem;

	if (j->flow[j->idx + 1].is_fused)
		return;		/* the next one does it */
	mem = lower_user_mem(j, insn, insn->src);
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	if (ub_insn_width(insn) >= UB_W32)
		x86_mov_reg_rm(&j->code, ub_insn_width(insn), lower_whole_reg(j, insn), mem);
	else
		x86_movzx(&j->code, ub_insn_width(insn), lower_whole_reg(j, insn), mem);
	lower_put_whole(j, insn);
}

static void load_signed(struct jit *j, const struct ub_insn *insn, enum ub_width to)
{
	struct x86_rm mem = lower_user_mem(j, insn, insn->src);

	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	x86_movsx(&j->code, ub_insn_width(insn), to, lower_whole_reg(j, insn), mem);
	lower_put_whole(j, insn);
}

void lower_LOADS32(struct jit *j, const struct ub_insn *insn)
{
	load_signed(j, insn, UB_W32);
}

void lower_LOADS64(struct jit *j, const struct ub_insn *insn)
{
	load_signed(j, insn, UB_W64);
}

/* A constant address and a value in memory need two registers: that of pt_regs is lent. */
static void store_via_pt(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm mem = lower_user_mem(j, insn, UB_NOREG);

	x86_mov_reg_rm(&j->code, UB_W64, j->pt, lower_src(j, insn));
	jit_leave_on_fault(j, j->code.len, STUB_RELOAD_PT);
	x86_mov_rm_reg(&j->code, ub_insn_width(insn), mem, j->pt);
	x86_mov_reg_rm(&j->code, UB_W64, j->pt, local(LOCAL_REGS));
}

void lower_STORE(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm mem;
	u8 reg;

	if (insn->dst == UB_NOREG && lower_src(j, insn).is_mem) {
		store_via_pt(j, insn);
		return;
	}
	reg = lower_src_reg(j, insn);
	mem = lower_user_mem(j, insn, insn->dst);
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	x86_mov_rm_reg(&j->code, ub_insn_width(insn), mem, reg);
}

void lower_STOREI(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm mem = lower_user_mem(j, insn, insn->dst);

	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	x86_mov_rm_imm(&j->code, ub_insn_width(insn), mem, insn->imm);
}
