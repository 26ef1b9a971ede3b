// SPDX-License-Identifier: GPL-2.0
/*
 * lower: which machine instructions does one IR operation become?
 *
 * One lower_NAME() per row of ir/ops.h, called through a table made from it.  Most operations become the x86 instruction
 * of the same name on the same registers.  A 32-bit result that lives in memory goes through the scratch register,
 * because only a write of a whole register clears the upper half.
 */
#include "lower.h"

#define REP_CHUNK	4096	/* elements between two looks at the work flags */
#define STEP_MAX	160	/* bytes of code one operation may need, stubs included: sizes the buffer */

struct x86_rm lower_dst(const struct ub_insn *insn)
{
	return jit_loc(insn->dst);
}

struct x86_rm lower_src(const struct ub_insn *insn)
{
	return jit_loc(insn->src);
}

static void to_scratch(struct jit *j, struct x86_rm from)
{
	x86_mov_reg_rm(&j->code, UB_W64, REG_SCRATCH, from);
}

/* Must the result be made in the scratch register first? */
static bool goes_through_scratch(struct x86_rm dst, enum ub_width w)
{
	return dst.is_mem && w == UB_W32;
}

/* The guest's flags are set by an instruction only if somebody reads them. */
static bool wants_flags(const struct jit *j, const struct ub_insn *insn)
{
	return ub_insn_sets_flags(insn) && ub_flow_live_after(j->block, j->flow, j->idx) & UB_LIVE_FLAGS;
}

/* Before and after an operation that changes the machine's flags as its x86 namesake does. */
void lower_flags_before(struct jit *j)
{
	jit_flags_clobber(j);
}

void lower_flags_after(struct jit *j, const struct ub_insn *insn)
{
	if (ub_insn_sets_flags(insn))
		jit_flags_set(j);
}

/* The register that holds src, loaded into the scratch register if it lives in memory. */
u8 lower_src_reg(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm src = lower_src(insn);

	if (!src.is_mem)
		return src.reg;
	to_scratch(j, src);
	return REG_SCRATCH;
}

void lower_INSN(struct jit *j, const struct ub_insn *insn)
{
	j->mark_ip = insn->imm;
}

void lower_MOV(struct jit *j, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	struct x86_rm dst = lower_dst(insn);

	if (!dst.is_mem) {
		x86_mov_reg_rm(&j->code, w, dst.reg, lower_src(insn));
	} else if (w == UB_W32) {
		x86_mov_reg_rm(&j->code, UB_W32, REG_SCRATCH, lower_src(insn));
		x86_mov_rm_reg(&j->code, UB_W64, dst, REG_SCRATCH);
	} else {
		x86_mov_rm_reg(&j->code, w, dst, lower_src_reg(j, insn));
	}
}

void lower_MOVI(struct jit *j, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	struct x86_rm dst = lower_dst(insn);
	u64 val = w == UB_W32 ? (u32)insn->imm : (u64)insn->imm;

	if (w <= UB_W16 || (dst.is_mem && val == (u64)(s64)(s32)val)) {
		x86_mov_rm_imm(&j->code, w <= UB_W16 ? w : UB_W64, dst, val);
	} else if (!dst.is_mem) {
		x86_mov_reg_imm64(&j->code, dst.reg, val);
	} else {
		x86_mov_reg_imm64(&j->code, REG_SCRATCH, val);
		x86_mov_rm_reg(&j->code, UB_W64, dst, REG_SCRATCH);
	}
}

/* Results of all 64 bits made in a register and put where dst lives. */
u8 lower_whole_reg(const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(insn);

	return dst.is_mem ? REG_SCRATCH : dst.reg;
}

void lower_put_whole(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(insn);

	if (dst.is_mem)
		x86_mov_rm_reg(&j->code, UB_W64, dst, REG_SCRATCH);
}

void lower_ZEXT(struct jit *j, const struct ub_insn *insn)
{
	x86_movzx(&j->code, ub_insn_width(insn), lower_whole_reg(insn), lower_src(insn));
	lower_put_whole(j, insn);
}

void lower_SEXT32(struct jit *j, const struct ub_insn *insn)
{
	x86_movsx(&j->code, ub_insn_width(insn), UB_W32, lower_whole_reg(insn), lower_src(insn));
	lower_put_whole(j, insn);
}

void lower_SEXT64(struct jit *j, const struct ub_insn *insn)
{
	x86_movsx(&j->code, ub_insn_width(insn), UB_W64, lower_whole_reg(insn), lower_src(insn));
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
		to_scratch(j, base);
		addr.reg = REG_SCRATCH;
		x86_lea(&j->code, w, to, addr);
		return;
	}
	to_scratch(j, index);
	addr.index = REG_SCRATCH;
	if (!base.is_mem) {
		addr.reg = base_reg;
		x86_lea(&j->code, w, to, addr);
		return;
	}
	addr.reg = X86_NOREG;
	x86_lea(&j->code, UB_W64, REG_SCRATCH, addr);
	lower_flags_before(j);
	x86_alu_reg_rm(&j->code, UB_W64, X86_ADD, REG_SCRATCH, base);
	x86_mov_reg_rm(&j->code, w, to, x86_reg(REG_SCRATCH));
}

/* @to = base + (index << scale) + off. */
static void emit_address(struct jit *j, enum ub_width w, u8 to, const struct ub_insn *insn)
{
	u8 index_reg = ub_insn_index(insn);
	struct x86_rm base = { .index = X86_NOREG }, index = base, addr;

	if (insn->src != UB_NOREG)
		base = jit_loc(insn->src);
	if (index_reg != UB_NOREG)
		index = jit_loc(index_reg);
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
	emit_address(j, ub_insn_width(insn), lower_whole_reg(insn), insn);
	lower_put_whole(j, insn);
}

/*
 *	lea dst, [base + index * scale + off]
 *	cmp dst, [LIMIT]
 *	cmova dst, [LIMIT]
 * Data flow, not a branch, keeps the address in the user half, so it holds in speculation too.
 */
void lower_GUARD(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(insn);

	emit_address(j, UB_W64, dst.reg, insn);
	lower_flags_before(j);
	x86_alu_reg_rm(&j->code, UB_W64, X86_CMP, dst.reg, local(LOCAL_LIMIT));
	x86_cmov(&j->code, UB_W64, UB_CC_A, dst.reg, local(LOCAL_LIMIT));
}

/* Does the current instruction read memory in place of the load before it? */
static bool is_fused(const struct jit *j)
{
	return j->flow[j->idx].is_fused;
}

/* The next machine instruction is the one that does: if it faults it has changed nothing, not the flags either. */
static void leave_on_fused_fault(struct jit *j)
{
	struct jit_state now = j->state;

	j->state = j->before;
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	j->state = now;
}

/* The memory operand of a load or store whose base field is @base.  A constant address goes into the scratch register,
 * which may hold one nearby already. */
struct x86_rm lower_user_mem(struct jit *j, const struct ub_insn *insn, u8 base)
{
	s64 delta = insn->imm - j->scratch_const;

	if (base != UB_NOREG)
		return x86_mem(jit_loc(base).reg, insn->off);
	if (j->has_scratch_const && !j->code.is_touched && delta == (s32)delta)
		return x86_mem(REG_SCRATCH, delta);
	x86_mov_reg_imm64(&j->code, REG_SCRATCH, insn->imm);
	j->scratch_const = insn->imm;
	j->has_scratch_const = true;
	j->code.is_touched = false;
	return x86_mem(REG_SCRATCH, 0);
}

void lower_LOAD(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm mem;

	if (j->flow[j->idx + 1].is_fused)
		return;		/* the next one does it */
	mem = lower_user_mem(j, insn, insn->src);
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	if (ub_insn_width(insn) >= UB_W32)
		x86_mov_reg_rm(&j->code, ub_insn_width(insn), lower_whole_reg(insn), mem);
	else
		x86_movzx(&j->code, ub_insn_width(insn), lower_whole_reg(insn), mem);
	lower_put_whole(j, insn);
}

static void load_signed(struct jit *j, const struct ub_insn *insn, enum ub_width to)
{
	struct x86_rm mem = lower_user_mem(j, insn, insn->src);

	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	x86_movsx(&j->code, ub_insn_width(insn), to, lower_whole_reg(insn), mem);
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

/* A constant address and a value in memory need two registers: rdi is lent, and given back on a fault too. */
static void store_via_rdi(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm mem = lower_user_mem(j, insn, UB_NOREG);

	x86_mov_rm_reg(&j->code, UB_W64, local(LOCAL_SPILL), X86_RDI);
	x86_mov_reg_rm(&j->code, UB_W64, X86_RDI, lower_src(insn));
	jit_leave_on_fault(j, j->code.len, STUB_RELOAD_RDI);
	x86_mov_rm_reg(&j->code, ub_insn_width(insn), mem, X86_RDI);
	x86_mov_reg_rm(&j->code, UB_W64, X86_RDI, local(LOCAL_SPILL));
}

void lower_STORE(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm mem;
	u8 reg;

	if (insn->dst == UB_NOREG && lower_src(insn).is_mem) {
		store_via_rdi(j, insn);
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


/* The operand of the current instruction that the load before it names. */
static struct x86_rm fused_mem(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm mem = lower_user_mem(j, insn - 1, insn[-1].src);

	leave_on_fused_fault(j);
	return mem;
}

static void alu_reg(struct jit *j, const struct ub_insn *insn, enum x86_alu alu)
{
	enum ub_width w = ub_insn_width(insn);
	struct x86_rm dst = lower_dst(insn);

	if (is_fused(j)) {
		x86_alu_reg_rm(&j->code, w, alu, dst.reg, fused_mem(j, insn));
		return;
	}
	if (goes_through_scratch(dst, w) && alu != X86_CMP) {
		to_scratch(j, dst);
		x86_alu_reg_rm(&j->code, w, alu, REG_SCRATCH, lower_src(insn));
		x86_mov_rm_reg(&j->code, UB_W64, dst, REG_SCRATCH);
	} else if (dst.is_mem) {
		x86_alu_rm_reg(&j->code, w, alu, dst, lower_src_reg(j, insn));
	} else {
		x86_alu_reg_rm(&j->code, w, alu, dst.reg, lower_src(insn));
	}
}

static void alu_imm(struct jit *j, const struct ub_insn *insn, enum x86_alu alu)
{
	enum ub_width w = ub_insn_width(insn);
	struct x86_rm dst = is_fused(j) ? fused_mem(j, insn) : lower_dst(insn);

	if (goes_through_scratch(dst, w) && alu != X86_CMP) {
		to_scratch(j, dst);
		x86_alu_rm_imm(&j->code, w, alu, x86_reg(REG_SCRATCH), insn->imm);
		x86_mov_rm_reg(&j->code, UB_W64, dst, REG_SCRATCH);
	} else {
		x86_alu_rm_imm(&j->code, w, alu, dst, insn->imm);
	}
}

/* adc and sbb: CF is brought into place, which may not be lost again before the operation. */
static void with_carry(struct jit *j, const struct ub_insn *insn)
{
	if (!ub_insn_sets_flags(insn))
		jit_flags_to_slot(j);
	jit_flags_carry(j);
	j->state.in_host = false;
}

#define ALU(NAME, prepare)							\
void lower_##NAME(struct jit *j, const struct ub_insn *insn)		\
{										\
	prepare;								\
	alu_reg(j, insn, X86_##NAME);						\
	lower_flags_after(j, insn);							\
}										\
void lower_##NAME##I(struct jit *j, const struct ub_insn *insn)		\
{										\
	prepare;								\
	alu_imm(j, insn, X86_##NAME);						\
	lower_flags_after(j, insn);							\
}

ALU(AND, lower_flags_before(j))
ALU(OR, lower_flags_before(j))
ALU(XOR, lower_flags_before(j))
ALU(ADC, with_carry(j, insn))
ALU(SBB, with_carry(j, insn))
ALU(CMP, lower_flags_before(j))

/* A sum that sets no flags and leaves the machine's alone, if the registers allow it. */
static bool add_by_lea(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(insn), src = lower_src(insn);
	struct x86_rm sum = x86_mem(dst.reg, 0);

	if (ub_insn_sets_flags(insn) || ub_insn_width(insn) < UB_W32 || dst.is_mem || src.is_mem || is_fused(j))
		return false;
	sum.index = src.reg;
	x86_lea(&j->code, ub_insn_width(insn), dst.reg, sum);
	return true;
}

/* The second of two that change a register and back: only a description of the flags is new. */
static bool is_undoing(const struct jit *j)
{
	return j->idx && j->flow[j->idx - 1].is_undone;
}

static void describe_only(struct jit *j)
{
	j->state.in_host = false;
	j->state.in_slot = false;
}

void lower_ADD(struct jit *j, const struct ub_insn *insn)
{
	if (is_undoing(j))
		describe_only(j);
	if (is_undoing(j) || j->flow[j->idx].is_undone || add_by_lea(j, insn))
		return;
	lower_flags_before(j);
	alu_reg(j, insn, X86_ADD);
	lower_flags_after(j, insn);
}

void lower_SUB(struct jit *j, const struct ub_insn *insn)
{
	if (is_undoing(j))
		describe_only(j);
	if (is_undoing(j) || j->flow[j->idx].is_undone)
		return;
	lower_flags_before(j);
	alu_reg(j, insn, X86_SUB);
	lower_flags_after(j, insn);
}

/* dst += delta.  rsp is only noted; in a register lea leaves the flags alone. */
static void add_const(struct jit *j, const struct ub_insn *insn, enum x86_alu alu)
{
	struct x86_rm dst = lower_dst(insn);
	s64 delta = alu == X86_ADD ? insn->imm : -insn->imm;
	s32 sp_delta = 0;

	if (is_undoing(j))
		describe_only(j);
	if (is_undoing(j) || j->flow[j->idx].is_undone)
		return;
	if (ub_flow_sp_use(insn, j->state.lazy.sp, &sp_delta) == UB_SP_ADJUST) {
		j->state.lazy.sp += sp_delta;
		if (ub_insn_sets_flags(insn))
			j->state.in_host = j->state.in_slot = false;	/* the description has them */
		else
			j->state.lazy.desc_sp += sp_delta;
	} else if (!dst.is_mem && ub_insn_width(insn) == UB_W64 && !ub_insn_sets_flags(insn) && delta == (s32)delta) {
		x86_lea(&j->code, UB_W64, dst.reg, x86_mem(dst.reg, delta));
	} else {
		lower_flags_before(j);
		alu_imm(j, insn, alu);
		lower_flags_after(j, insn);
	}
}

void lower_ADDI(struct jit *j, const struct ub_insn *insn)
{
	add_const(j, insn, X86_ADD);
}

void lower_SUBI(struct jit *j, const struct ub_insn *insn)
{
	add_const(j, insn, X86_SUB);
}

void lower_TEST(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	if (insn->dst == insn->src && lower_dst(insn).is_mem) {
		/* cmp with 0 sets the same flags. */
		x86_alu_rm_imm(&j->code, ub_insn_width(insn), X86_CMP, lower_dst(insn), 0);
		lower_flags_after(j, insn);
		return;
	}
	x86_test_rm_reg(&j->code, ub_insn_width(insn), lower_dst(insn), lower_src_reg(j, insn));
	lower_flags_after(j, insn);
}

void lower_TESTI(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	x86_test_rm_imm(&j->code, ub_insn_width(insn), is_fused(j) ? fused_mem(j, insn) : lower_dst(insn), insn->imm);
	lower_flags_after(j, insn);
}

/* Where an operation on one place works, and how its result gets back. */
static struct x86_rm work_place(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(insn);

	if (!goes_through_scratch(dst, ub_insn_width(insn)))
		return dst;
	to_scratch(j, dst);
	return x86_reg(REG_SCRATCH);
}

static void work_done(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm dst = lower_dst(insn);

	if (goes_through_scratch(dst, ub_insn_width(insn)))
		x86_mov_rm_reg(&j->code, UB_W64, dst, REG_SCRATCH);
}

void lower_NEG(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	x86_unary(&j->code, ub_insn_width(insn), X86_NEG, work_place(j, insn));
	work_done(j, insn);
	lower_flags_after(j, insn);
}

void lower_NOT(struct jit *j, const struct ub_insn *insn)
{
	x86_unary(&j->code, ub_insn_width(insn), X86_NOT, work_place(j, insn));
	work_done(j, insn);
}

static void inc_dec(struct jit *j, const struct ub_insn *insn, bool is_dec)
{
	if (ub_insn_sets_flags(insn))
		jit_flags_carry(j);
	else
		lower_flags_before(j);
	x86_inc_dec(&j->code, ub_insn_width(insn), is_dec, work_place(j, insn));
	work_done(j, insn);
	lower_flags_after(j, insn);
}

void lower_INC(struct jit *j, const struct ub_insn *insn)
{
	inc_dec(j, insn, false);
}

void lower_DEC(struct jit *j, const struct ub_insn *insn)
{
	inc_dec(j, insn, true);
}

void lower_BSWAP(struct jit *j, const struct ub_insn *insn)
{
	if (lower_dst(insn).is_mem)
		to_scratch(j, lower_dst(insn));
	x86_bswap(&j->code, ub_insn_width(insn), lower_whole_reg(insn));
	lower_put_whole(j, insn);
}

static bool is_rotate(enum x86_shift op)
{
	return op == X86_ROL || op == X86_ROR;
}

static void shift_imm(struct jit *j, const struct ub_insn *insn, enum x86_shift op)
{
	/* A rotate keeps SF, ZF, AF and PF: they must be in place. */
	if (wants_flags(j, insn) && is_rotate(op))
		jit_flags_to_host(j);
	else
		lower_flags_before(j);
	x86_shift_imm(&j->code, ub_insn_width(insn), op, work_place(j, insn), insn->imm);
	work_done(j, insn);
	lower_flags_after(j, insn);
}

/*
 *	shl dst, cl
 *	pushfq; pop scratch
 *	test cl, mask		a count of 0 keeps the flags
 *	jz 1f
 *	mov [FLAGS], scratch
 * 1:
 */
static void shift_cl(struct jit *j, const struct ub_insn *insn, enum x86_shift op)
{
	enum ub_width w = ub_insn_width(insn);
	struct x86_rm count = x86_reg(X86_RCX);
	bool wants = wants_flags(j, insn);
	u32 skip;

	if (wants && insn->dst == UB_RCX) {
		count = local(LOCAL_SPILL);
		x86_mov_rm_reg(&j->code, UB_W64, count, X86_RCX);
	}
	if (wants) {
		jit_flags_to_slot(j);
		j->state.lazy.desc = UB_DESC_NONE;
		if (is_rotate(op))
			jit_flags_to_host(j);
	} else {
		lower_flags_before(j);
	}
	x86_shift_cl(&j->code, w, op, work_place(j, insn));
	work_done(j, insn);
	if (!wants)
		return;
	x86_pushfq(&j->code);
	x86_pop(&j->code, REG_SCRATCH);
	x86_test_rm_imm(&j->code, UB_W8, count, w == UB_W64 ? 63 : 31);
	skip = x86_jcc(&j->code, UB_CC_E);
	x86_mov_rm_reg(&j->code, UB_W64, local(LOCAL_FLAGS), REG_SCRATCH);
	x86_patch_rel32(&j->code, skip, j->code.len);
	j->state.in_host = false;
	j->state.in_slot = true;
}

#define SHIFT(NAME)								\
void lower_##NAME(struct jit *j, const struct ub_insn *insn)		\
{										\
	shift_cl(j, insn, X86_##NAME);						\
}										\
void lower_##NAME##I(struct jit *j, const struct ub_insn *insn)		\
{										\
	shift_imm(j, insn, X86_##NAME);						\
}

SHIFT(SHL)
SHIFT(SHR)
SHIFT(SAR)
SHIFT(ROL)
SHIFT(ROR)

/* imul writes a register: through the scratch register for a dst in memory, whatever the width. */
static void imul_done(struct jit *j, const struct ub_insn *insn)
{
	if (lower_dst(insn).is_mem)
		x86_mov_rm_reg(&j->code, ub_insn_width(insn) == UB_W16 ? UB_W16 : UB_W64, lower_dst(insn), REG_SCRATCH);
	lower_flags_after(j, insn);
}

void lower_IMUL(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	if (lower_dst(insn).is_mem)
		to_scratch(j, lower_dst(insn));
	x86_imul_reg_rm(&j->code, ub_insn_width(insn), lower_whole_reg(insn), lower_src(insn));
	imul_done(j, insn);
}

void lower_IMULI(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	x86_imul_reg_rm_imm(&j->code, ub_insn_width(insn), lower_whole_reg(insn), lower_src(insn), insn->imm);
	imul_done(j, insn);
}

void lower_MULU(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	x86_unary(&j->code, ub_insn_width(insn), X86_MUL, lower_src(insn));
	lower_flags_after(j, insn);
}

void lower_MULS(struct jit *j, const struct ub_insn *insn)
{
	lower_flags_before(j);
	x86_unary(&j->code, ub_insn_width(insn), X86_IMUL, lower_src(insn));
	lower_flags_after(j, insn);
}

static void divide(struct jit *j, const struct ub_insn *insn, enum x86_unary op)
{
	lower_flags_before(j);
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	x86_unary(&j->code, ub_insn_width(insn), op, lower_src(insn));
}

void lower_DIVU(struct jit *j, const struct ub_insn *insn)
{
	divide(j, insn, X86_DIV);
}

void lower_DIVS(struct jit *j, const struct ub_insn *insn)
{
	divide(j, insn, X86_IDIV);
}

void lower_SETCC(struct jit *j, const struct ub_insn *insn)
{
	enum ub_cc cc = jit_flags_cond(j, ub_insn_cc(insn));

	x86_setcc(&j->code, cc, lower_dst(insn));
}

void lower_CMOV(struct jit *j, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	enum ub_cc cc = jit_flags_cond(j, ub_insn_cc(insn));
	struct x86_rm dst = lower_dst(insn);

	if (dst.is_mem)
		to_scratch(j, dst);
	x86_cmov(&j->code, w, cc, lower_whole_reg(insn), lower_src(insn));
	if (dst.is_mem)
		x86_mov_rm_reg(&j->code, UB_W64, dst, REG_SCRATCH);
}

/* scratch = task; test its work flags. */
static void test_work(struct jit *j)
{
	to_scratch(j, local(LOCAL_TASK));
	x86_test_rm_imm(&j->code, UB_W32, x86_mem(REG_SCRATCH, j->env->flags_off), j->env->work_mask);
}

/* The branch makes it exact (a bad address leaves), the cmova of the same comparison makes it safe in speculation. */
static void guard_in_place(struct jit *j, u8 reg)
{
	x86_alu_reg_rm(&j->code, UB_W64, X86_CMP, reg, local(LOCAL_LIMIT));
	jit_leave_if(j, UB_CC_A, UB_EXIT_FAULT, STUB_PLAIN);
	x86_cmov(&j->code, UB_W64, UB_CC_A, reg, local(LOCAL_LIMIT));
}

/*
 * 1:	work?			-> leave; everything is committed
 *	test rcx, rcx; jz 2f
 *	bad address?		-> leave
 *	mov scratch, rcx; cmp rcx, CHUNK; jbe 3f; mov ecx, CHUNK
 * 3:	sub scratch, rcx
 *	rep movs		on a fault: rcx += scratch, leave
 *	mov rcx, scratch; jmp 1b
 * Sound: addresses only rise from a guarded start, and the page at LIMIT is never mapped, so a run stops there.
 */
static void rep(struct jit *j, const struct ub_insn *insn, bool is_movs)
{
	u32 start, done, full;

	lower_flags_before(j);
	start = j->code.len;
	test_work(j);
	jit_leave_if(j, UB_CC_NE, UB_EXIT_WORK, STUB_PLAIN);
	x86_test_rm_reg(&j->code, UB_W64, x86_reg(X86_RCX), X86_RCX);
	done = x86_jcc(&j->code, UB_CC_E);
	guard_in_place(j, X86_RDI);
	if (is_movs)
		guard_in_place(j, X86_RSI);
	to_scratch(j, x86_reg(X86_RCX));
	x86_alu_rm_imm(&j->code, UB_W64, X86_CMP, x86_reg(X86_RCX), REP_CHUNK);
	full = x86_jcc(&j->code, UB_CC_BE);
	x86_mov_reg_imm64(&j->code, X86_RCX, REP_CHUNK);
	x86_patch_rel32(&j->code, full, j->code.len);
	x86_alu_reg_rm(&j->code, UB_W64, X86_SUB, REG_SCRATCH, x86_reg(X86_RCX));
	jit_leave_on_fault(j, j->code.len, STUB_ADD_RCX);
	x86_rep(&j->code, ub_insn_width(insn), is_movs);
	x86_mov_reg_rm(&j->code, UB_W64, X86_RCX, x86_reg(REG_SCRATCH));
	x86_patch_rel32(&j->code, x86_jmp(&j->code), start);
	x86_patch_rel32(&j->code, done, j->code.len);
}

void lower_REPMOVS(struct jit *j, const struct ub_insn *insn)
{
	rep(j, insn, true);
}

void lower_REPSTOS(struct jit *j, const struct ub_insn *insn)
{
	rep(j, insn, false);
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
	u8 dst = lower_dst(from).reg;
	bool is_own_base = from->src == from->dst;
	struct x86_rm mem;

	lower_flags_before(j);
	mem = lower_user_mem(j, from, from->src);
	if (insn->imm != (s32)insn->imm)
		x86_mov_reg_imm64(&j->code, is_own_base ? REG_SCRATCH : dst, insn->imm);
	leave_on_fused_fault(j);
	if (insn->imm != (s32)insn->imm)
		x86_alu_rm_reg(&j->code, UB_W64, X86_CMP, mem, is_own_base ? REG_SCRATCH : dst);
	else
		x86_alu_rm_imm(&j->code, UB_W64, X86_CMP, mem, insn->imm);
	jit_jump_if(j, UB_CC_E, ub_insn_target(insn, j->idx));
	jit_leave_on_fault(j, j->code.len, STUB_PLAIN);
	x86_mov_reg_rm(&j->code, UB_W64, dst, mem);
}

void lower_JEQ(struct jit *j, const struct ub_insn *insn)
{
	struct x86_rm src = lower_src(insn);

	if (is_fused(j)) {
		jeq_memory(j, insn, insn - 1);
		return;
	}
	lower_flags_before(j);
	if (insn->imm == (s32)insn->imm) {
		x86_alu_rm_imm(&j->code, UB_W64, X86_CMP, src, insn->imm);
	} else {
		x86_mov_reg_imm64(&j->code, REG_SCRATCH, insn->imm);
		x86_alu_rm_reg(&j->code, UB_W64, X86_CMP, src, REG_SCRATCH);
	}
	jit_jump_if(j, UB_CC_E, ub_insn_target(insn, j->idx));
}

void lower_CHECK(struct jit *j, const struct ub_insn *insn)
{
	(void)insn;
	lower_flags_before(j);
	test_work(j);
	jit_leave_if(j, UB_CC_NE, UB_EXIT_WORK, STUB_PLAIN);
}

void lower_BOUND(struct jit *j, const struct ub_insn *insn)
{
	u8 reg = lower_src_reg(j, insn);

	lower_flags_before(j);
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

static void (*const lower[UB_OP_COUNT])(struct jit *, const struct ub_insn *) = {
#define OP(name, text, shape, widths, effect) [UB_OP_##name] = lower_##name,
#include "../../ir/ops.h"
};

static void lower_one(struct jit *j, u32 idx)
{
	const struct ub_insn *insn = &j->block->insns[idx];
	bool falls_in = idx && !(ub_op_info[insn[-1].op].effect & UB_E_ENDS);
	struct ub_lazy lazy;
	s32 delta;
	u32 i;

	if (j->flow[idx].is_label) {
		j->has_scratch_const = false;
		if (falls_in)
			jit_enter_label(j, idx);
		else
			jit_label_state(j, idx);
	}
	j->idx = idx;
	j->code_off[idx] = j->code.len;
	if (ub_flow_sp_use(insn, j->state.lazy.sp, &delta) == UB_SP_OTHER)
		jit_sp_flush(j, 0);
	if (ub_flow_mentions(insn, UB_R11))
		jit_r11_flush(j);
	if (ub_flow_touches(insn, UB_RCX) && !(ub_op_info[insn->op].effect & UB_E_CALLS))
		jit_rcx_flush(j);
	for (i = 0; i < UB_ARGS; i++)
		if (ub_flow_reads(insn, ub_flow_arg[i]))
			jit_args_load(j, 1u << i);
	j->before = j->state;
	jit_flags_before_write(j);
	lazy = j->state.lazy;
	ub_flow_step(j->block, j->flow, idx, &lazy);
	lower[insn->op](j, insn);
	if (ub_op_info[insn->op].effect & UB_E_ENDS || j->err)
		return;
	if (ub_bug_if(j->state.lazy.sp != lazy.sp || j->state.lazy.r11_is_call != lazy.r11_is_call ||
		      j->state.lazy.rcx != lazy.rcx, "lazy state lost"))
		j->err = -EFAULT;
	j->state.lazy = lazy;
}

static bool touches_memory(const struct ub_block *block)
{
	u32 i;

	for (i = 0; i < block->insn_cnt; i++)
		if (ub_op_info[block->insns[i].op].effect & (UB_E_RD_MEM | UB_E_WR_MEM))
			return true;
	return false;
}

static void compile(struct jit *j)
{
	struct ub_image *image = j->image;
	u32 i;

	j->opens = j->env->smap && touches_memory(j->block);
	for (i = 0; i < j->block->entry_cnt; i++) {
		image->entries[i] = (struct ub_image_entry){ .ip = j->block->entries[i].ip, .off = j->code.len };
		jit_prologue(j, &j->block->entries[i]);
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
	ub_free(image);
}

int ub_jit(const struct ub_verified *verified, const struct ub_jit_env *env, struct ub_image **ret)
{
	struct jit j = { .block = ub_verified_block(verified), .env = env };
	u32 cap = (j.block->insn_cnt + 32 * (j.block->entry_cnt + 1)) * STEP_MAX;

	j.image = ub_alloc(1, sizeof(*j.image));
	j.flow = ub_flow_new(j.block, env->entry_is_call);
	j.code.watched = REG_SCRATCH;
	j.code_off = ub_alloc(j.block->insn_cnt, sizeof(*j.code_off));
	j.code.cap = cap < UB_MAX_IMAGE ? cap : UB_MAX_IMAGE;
	j.code.buf = ub_alloc(j.code.cap, 1);
	if (j.image) {
		j.image->code = j.code.buf;
		j.image->entries = ub_alloc(j.block->entry_cnt, sizeof(*j.image->entries));
	}
	if (!j.image || !j.flow || !j.code_off || !j.code.buf || !j.image->entries)
		j.err = -ENOMEM;
	else
		compile(&j);
	ub_free(j.flow);
	ub_free(j.code_off);
	ub_free(j.stubs);
	ub_free(j.colds);
	ub_free(j.patches);
	ub_free(j.common);
	if (!j.image)
		ub_free(j.code.buf);
	if (j.err) {
		ub_image_free(j.image);
		return j.err;
	}
	*ret = j.image;
	return 0;
}
