// SPDX-License-Identifier: GPL-2.0
/*
 * lower_mov: marks, moves between registers, addresses, what copies flags.
 */
#include "lower.h"

void lower_INSN(struct jit *j, const struct ub_insn *insn)
{
	j->mark_ip = insn->imm;
}

void lower_MOV(struct jit *j, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	struct x86_rm dst = lower_dst(j, insn);

	if (!dst.is_mem) {
		x86_mov_reg_rm(&j->code, w, dst.reg, lower_src(j, insn));
	} else if (w == UB_W32) {
		x86_mov_reg_rm(&j->code, UB_W32, j->scratch, lower_src(j, insn));
		x86_mov_rm_reg(&j->code, UB_W64, dst, j->scratch);
	} else {
		x86_mov_rm_reg(&j->code, w, dst, lower_src_reg(j, insn));
	}
}

void lower_MOVI(struct jit *j, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	struct x86_rm dst = lower_dst(j, insn);
	u64 val = w == UB_W32 ? (u32)insn->imm : (u64)insn->imm;

	if (w <= UB_W16 || (dst.is_mem && val == (u64)(s64)(s32)val)) {
		x86_mov_rm_imm(&j->code, w <= UB_W16 ? w : UB_W64, dst, val);
	} else if (!dst.is_mem) {
		x86_mov_reg_imm64(&j->code, dst.reg, val);
	} else {
		x86_mov_reg_imm64(&j->code, j->scratch, val);
		x86_mov_rm_reg(&j->code, UB_W64, dst, j->scratch);
	}
}

void lower_ZEXT(struct jit *j, const struct ub_insn *insn)
{
	x86_movzx(&j->code, ub_insn_width(insn), lower_whole_reg(j, insn), lower_src(j, insn));
	lower_put_whole(j, insn);
}

void lower_SEXT32(struct jit *j, const struct ub_insn *insn)
{
	x86_movsx(&j->code, ub_insn_width(insn), UB_W32, lower_whole_reg(j, insn), lower_src(j, insn));
	lower_put_whole(j, insn);
}

void lower_SEXT64(struct jit *j, const struct ub_insn *insn)
{
	x86_movsx(&j->code, ub_insn_width(insn), UB_W64, lower_whole_reg(j, insn), lower_src(j, insn));
	lower_put_whole(j, insn);
}

static u8 machine_base(u8 reg, struct x86_rm loc)
{
	return reg == UB_NOREG ? X86_NOREG : loc.reg;
}

/* lea with a base or index in memory: only one scratch register, so the second is added, which changes flags. */
static void lea_from_memory(struct jit *j, enum ub_width w, u8 to, struct x86_rm base, u8 base_reg, struct x86_rm index,
			    struct x86_rm addr)
{
	if (!index.is_mem) {
		lower_to_scratch(j, base);
		addr.reg = j->scratch;
		x86_lea(&j->code, w, to, addr);
		return;
	}
	lower_to_scratch(j, index);
	addr.index = j->scratch;
	if (!base.is_mem) {
		addr.reg = base_reg;
		x86_lea(&j->code, w, to, addr);
		return;
	}
	addr.reg = X86_NOREG;
	x86_lea(&j->code, UB_W64, j->scratch, addr);
	jit_flags_clobber(j);
	x86_alu_reg_rm(&j->code, UB_W64, X86_ADD, j->scratch, base);
	x86_mov_reg_rm(&j->code, w, to, x86_reg(j->scratch));
}

/* @to = base + (index << scale) + off. */
static void emit_address(struct jit *j, enum ub_width w, u8 to, const struct ub_insn *insn)
{
	u8 index_reg = ub_insn_index(insn);
	struct x86_rm base = { .index = X86_NOREG }, index = base, addr;

	if (insn->src != UB_NOREG)
		base = jit_loc(j, insn->src);
	if (index_reg != UB_NOREG)
		index = jit_loc(j, index_reg);
	addr = x86_mem(machine_base(insn->src, base), insn->off);
	addr.index = machine_base(index_reg, index);
	addr.scale = ub_insn_scale(insn);
	if (insn->src == UB_RSP && index_reg != UB_RSP)
		addr.off += j->state.lazy.sp;
	if (index_reg == UB_NOREG && !addr.off && insn->src != UB_NOREG)
		x86_mov_reg_rm(&j->code, w, to, base);
	else if (insn->src == UB_NOREG && index_reg == UB_NOREG)
		x86_mov_reg_imm64(&j->code, to, w == UB_W32 ? (u32)addr.off : (u64)addr.off);
	else if (!base.is_mem && !index.is_mem)
		x86_lea(&j->code, w, to, addr);
	else
		lea_from_memory(j, w, to, base, addr.reg, index, addr);
}

void lower_LEA(struct jit *j, const struct ub_insn *insn)
{
	emit_address(j, ub_insn_width(insn), lower_whole_reg(j, insn), insn);
	lower_put_whole(j, insn);
}

/*
 *	lea dst, [base + index * scale + off]
 *	cmp dst, [LIMIT]
 *	cmovae dst, [LIMIT]	one micro-operation less than cmova
 * Data flow, not a branch, keeps the address in the user half, so it holds in speculation too.
 */
void lower_GUARD(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(j, insn);

	emit_address(j, UB_W64, dst.reg, insn);
	lower_flags_before(j);
	x86_alu_reg_rm(&j->code, UB_W64, X86_CMP, dst.reg, local(LOCAL_LIMIT));
	x86_cmov(&j->code, UB_W64, UB_CC_AE, dst.reg, local(LOCAL_LIMIT));
}

void lower_BSWAP(struct jit *j, const struct ub_insn *insn)
{
	if (ub_insn_width(insn) == UB_W16) {
		/* There is no bswap of 16 bits. */
		lower_flags_before(j);
		x86_shift_imm(&j->code, UB_W16, X86_ROL, lower_dst(j, insn), 8);
		return;
	}
	if (lower_dst(j, insn).is_mem)
		lower_to_scratch(j, lower_dst(j, insn));
	x86_bswap(&j->code, ub_insn_width(insn), lower_whole_reg(j, insn));
	lower_put_whole(j, insn);
}

void lower_SETCC(struct jit *j, const struct ub_insn *insn)
{
	enum ub_cc cc = jit_flags_cond(j, ub_insn_cc(insn));

	x86_setcc(&j->code, cc, lower_dst(j, insn));
}

void lower_CMOV(struct jit *j, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	enum ub_cc cc = jit_flags_cond(j, ub_insn_cc(insn));
	struct x86_rm dst = lower_dst(j, insn);

	if (dst.is_mem)
		lower_to_scratch(j, dst);
	x86_cmov(&j->code, w, cc, lower_whole_reg(j, insn), lower_src_or_mem(j, insn));
	if (dst.is_mem)
		x86_mov_rm_reg(&j->code, UB_W64, dst, j->scratch);
}

/* What pushfq would store: in user mode the flags that images do not change are those of the entry. */
void lower_GETFLAGS(struct jit *j, const struct ub_insn *insn)
{
	u8 reg = lower_whole_reg(j, insn);

	jit_flags_to_slot(j);
	lower_flags_before(j);
	x86_mov_reg_rm(&j->code, UB_W64, reg, local(LOCAL_FLAGS));
	x86_alu_rm_imm(&j->code, UB_W32, X86_AND, x86_reg(reg), UB_FL_ALL);
	x86_alu_reg_rm(&j->code, UB_W64, X86_OR, reg, local(LOCAL_USER_FLAGS));
	lower_put_whole(j, insn);
}

/* sahf takes the byte from ah, and keeps OF. */
void lower_SETFLAGS(struct jit *j, const struct ub_insn *insn)
{
	if (lower_wants_flags(j, insn)) {
		jit_flags_to_host(j);
		x86_mov_rm_reg(&j->code, UB_W64, local(LOCAL_SPILL), lower_src_reg(j, insn));
		lower_to_scratch(j, x86_reg(X86_RAX));
		x86_mov_ah_mem(&j->code, local(LOCAL_SPILL));
		x86_sahf(&j->code);
		x86_mov_reg_rm(&j->code, UB_W64, X86_RAX, x86_reg(j->scratch));
	}
	lower_flags_after(j, insn);
}

/* The other flags stay: the guest's are in the machine's before. */
static void change_carry(struct jit *j, const struct ub_insn *insn, void (*emit)(struct x86_code *code))
{
	if (lower_wants_flags(j, insn)) {
		jit_flags_to_host(j);
		emit(&j->code);
	}
	lower_flags_after(j, insn);
}

void lower_CLC(struct jit *j, const struct ub_insn *insn)
{
	change_carry(j, insn, x86_clc);
}

void lower_STC(struct jit *j, const struct ub_insn *insn)
{
	change_carry(j, insn, x86_stc);
}

void lower_CMC(struct jit *j, const struct ub_insn *insn)
{
	change_carry(j, insn, x86_cmc);
}
