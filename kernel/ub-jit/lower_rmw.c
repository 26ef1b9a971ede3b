// SPDX-License-Identifier: GPL-2.0
/*
 * lower_rmw: read-modify-write of memory, atomic or not.
 *
 * Each becomes the one x86 instruction of its name.  If that faults it has changed nothing, the machine's flags
 * neither, so the exit is compiled for the state right before it and what it will overwrite need not be saved for it.
 *
 * A locked operation whose operand crosses two cache lines may bring down the kernel (split lock detection) where in
 * user mode it is a matter of policy: it leaves before.
 */
#include "lower.h"

#define LINE	64

/* The operands of the machine instruction. */
struct rmw {
	struct x86_rm mem;
	u8 src;
	bool is_lent;		/* src is the register of pt_regs */
};

/*
 *	lea scratch, [mem]
 *	and scratch, 63
 *	cmp scratch, 64 - size		ja leave
 */
static void leave_if_split(struct jit *j, const struct ub_insn *insn)
{
	u32 bytes = ub_insn_mem_bytes(insn);

	if (!ub_insn_is_locked(insn) || bytes == 1)
		return;
	lower_flags_before(j);
	if (insn->dst == UB_NOREG) {
		if ((insn->imm & (LINE - 1)) + bytes > LINE)
			jit_leave(j, jit_exit_new(j, j->mark_ip, UB_EXIT_FAULT, false));
		return;
	}
	x86_lea(&j->code, UB_W64, j->scratch, lower_user_mem(j, insn, insn->dst));
	x86_alu_rm_imm(&j->code, UB_W32, X86_AND, x86_reg(j->scratch), LINE - 1);
	x86_alu_rm_imm(&j->code, UB_W32, X86_CMP, x86_reg(j->scratch), LINE - bytes);
	jit_leave_if(j, UB_CC_A, UB_EXIT_FAULT, STUB_PLAIN);
}

/* A constant address and a source in memory need two registers: that of pt_regs is lent. */
static struct rmw operands(struct jit *j, const struct ub_insn *insn, bool has_src)
{
	struct rmw op = { .is_lent = has_src && insn->dst == UB_NOREG && lower_src(j, insn).is_mem };

	if (op.is_lent) {
		op.src = j->pt;
		x86_mov_reg_rm(&j->code, UB_W64, op.src, lower_src(j, insn));
	} else if (has_src) {
		op.src = lower_src_reg(j, insn);
	}
	op.mem = lower_user_mem(j, insn, insn->dst);
	return op;
}

/* Right before the machine instruction. */
static void fault_point(struct jit *j, const struct ub_insn *insn, const struct rmw *op)
{
	jit_leave_on_fault(j, j->code.len, op->is_lent ? STUB_RELOAD_PT : STUB_PLAIN);
	if (insn->mode & UB_MODE_LOCK)
		x86_lock(&j->code);
}

/* Behind it.  @changes: the machine's flags are new. */
static void finish(struct jit *j, const struct ub_insn *insn, const struct rmw *op, bool changes)
{
	if (op->is_lent)
		x86_mov_reg_rm(&j->code, UB_W64, j->pt, local(LOCAL_REGS));
	if (changes)
		jit_flags_lost(j);
	lower_flags_after(j, insn);
}

/* What the machine's flags must hold before the instruction. */
enum flags_in { FLAGS_NONE, FLAGS_CARRY, FLAGS_ALL };

static void prepare(struct jit *j, const struct ub_insn *insn, enum flags_in in)
{
	leave_if_split(j, insn);
	jit_flags_clobber_late(j);
	if (in == FLAGS_CARRY)
		jit_flags_carry(j);
	if (in == FLAGS_ALL)
		jit_flags_to_host(j);
}

static void modify_reg(struct jit *j, const struct ub_insn *insn, enum x86_alu alu, enum flags_in in)
{
	struct rmw op;

	prepare(j, insn, in);
	op = operands(j, insn, true);
	fault_point(j, insn, &op);
	x86_alu_rm_reg(&j->code, ub_insn_width(insn), alu, op.mem, op.src);
	finish(j, insn, &op, true);
}

static void modify_imm(struct jit *j, const struct ub_insn *insn, enum x86_alu alu, enum flags_in in)
{
	struct rmw op;

	prepare(j, insn, in);
	op = operands(j, insn, false);
	fault_point(j, insn, &op);
	x86_alu_rm_imm(&j->code, ub_insn_width(insn), alu, op.mem, insn->imm);
	finish(j, insn, &op, true);
}

#define MODIFY(NAME, in)							\
void lower_##NAME##M(struct jit *j, const struct ub_insn *insn)			\
{										\
	modify_reg(j, insn, X86_##NAME, in);					\
}										\
void lower_##NAME##MI(struct jit *j, const struct ub_insn *insn)		\
{										\
	modify_imm(j, insn, X86_##NAME, in);					\
}

MODIFY(ADD, FLAGS_NONE)
MODIFY(SUB, FLAGS_NONE)
MODIFY(AND, FLAGS_NONE)
MODIFY(OR, FLAGS_NONE)
MODIFY(XOR, FLAGS_NONE)
MODIFY(ADC, FLAGS_CARRY)
MODIFY(SBB, FLAGS_CARRY)

void lower_NEGM(struct jit *j, const struct ub_insn *insn)
{
	struct rmw op;

	prepare(j, insn, FLAGS_NONE);
	op = operands(j, insn, false);
	fault_point(j, insn, &op);
	x86_unary(&j->code, ub_insn_width(insn), X86_NEG, op.mem);
	finish(j, insn, &op, true);
}

static void bit_imm(struct jit *j, const struct ub_insn *insn, enum x86_bit bit)
{
	struct rmw op;

	prepare(j, insn, lower_wants_flags(j, insn) ? FLAGS_ALL : FLAGS_NONE);
	op = operands(j, insn, false);
	fault_point(j, insn, &op);
	x86_bit_rm_imm(&j->code, ub_insn_width(insn), bit, op.mem, insn->imm);
	finish(j, insn, &op, true);
}

/*
 *	mov scratch, src
 *	and scratch, width - 1	the operand is all that the instruction may reach
 *	bts [mem], scratch
 *	setc scratch
 *	and byte [FLAGS], ~CF
 *	or [FLAGS], scratch	ZF is kept
 */
static void bit_reg(struct jit *j, const struct ub_insn *insn, enum x86_bit bit)
{
	struct rmw op = { .is_lent = insn->dst == UB_NOREG };
	bool wants = lower_wants_flags(j, insn);
	enum ub_width w = ub_insn_width(insn);

	leave_if_split(j, insn);
	if (wants)
		jit_flags_to_slot(j);
	lower_flags_before(j);
	op.src = op.is_lent ? j->pt : j->scratch;
	x86_mov_reg_rm(&j->code, UB_W64, op.src, lower_src(j, insn));
	x86_alu_rm_imm(&j->code, UB_W32, X86_AND, x86_reg(op.src), UB_WIDTH_BITS(w) - 1);
	op.mem = lower_user_mem(j, insn, insn->dst);
	fault_point(j, insn, &op);
	x86_bit_rm_reg(&j->code, w, bit, op.mem, op.src);
	finish(j, insn, &op, true);
	if (!wants)
		return;
	x86_setcc(&j->code, UB_CC_B, x86_reg(j->scratch));
	x86_alu_rm_imm(&j->code, UB_W8, X86_AND, local(LOCAL_FLAGS), ~UB_FL_CF);
	x86_alu_rm_reg(&j->code, UB_W8, X86_OR, local(LOCAL_FLAGS), j->scratch);
	jit_flags_lost(j);
	j->state.in_slot = true;
}

#define BIT_OP(NAME)								\
void lower_##NAME##M(struct jit *j, const struct ub_insn *insn)			\
{										\
	bit_reg(j, insn, X86_##NAME);						\
}										\
void lower_##NAME##MI(struct jit *j, const struct ub_insn *insn)		\
{										\
	bit_imm(j, insn, X86_##NAME);						\
}

BIT_OP(BTS)
BIT_OP(BTR)
BIT_OP(BTC)

/* Changes no flag of the machine either. */
void lower_NOTM(struct jit *j, const struct ub_insn *insn)
{
	struct rmw op;

	leave_if_split(j, insn);
	op = operands(j, insn, false);
	fault_point(j, insn, &op);
	x86_unary(&j->code, ub_insn_width(insn), X86_NOT, op.mem);
	finish(j, insn, &op, false);
}

static void inc_dec(struct jit *j, const struct ub_insn *insn, bool is_dec)
{
	struct rmw op;

	prepare(j, insn, ub_insn_sets_flags(insn) ? FLAGS_CARRY : FLAGS_NONE);
	op = operands(j, insn, false);
	fault_point(j, insn, &op);
	x86_inc_dec(&j->code, ub_insn_width(insn), is_dec, op.mem);
	finish(j, insn, &op, true);
}

void lower_INCM(struct jit *j, const struct ub_insn *insn)
{
	inc_dec(j, insn, false);
}

void lower_DECM(struct jit *j, const struct ub_insn *insn)
{
	inc_dec(j, insn, true);
}

/* The register that was given to the machine has src's new value. */
static void put_src(struct jit *j, const struct ub_insn *insn, const struct rmw *op)
{
	struct x86_rm src = lower_src(j, insn);
	enum ub_width w = ub_insn_width(insn);

	if (!src.is_mem)
		return;
	if (op->is_lent)
		lower_to_scratch(j, x86_reg(op->src));
	lower_give_back(j, op->src);
	/* 32 bits have cleared the others. */
	x86_mov_rm_reg(&j->code, w == UB_W32 ? UB_W64 : w, src, j->scratch);
}

void lower_XADDM(struct jit *j, const struct ub_insn *insn)
{
	struct rmw op;

	prepare(j, insn, FLAGS_NONE);
	op = operands(j, insn, true);
	fault_point(j, insn, &op);
	x86_xadd(&j->code, ub_insn_width(insn), op.mem, op.src);
	put_src(j, insn, &op);
	jit_flags_lost(j);
	lower_flags_after(j, insn);
}

void lower_XCHGM(struct jit *j, const struct ub_insn *insn)
{
	struct rmw op;

	leave_if_split(j, insn);
	op = operands(j, insn, true);
	fault_point(j, insn, &op);
	x86_xchg(&j->code, ub_insn_width(insn), op.mem, op.src);
	put_src(j, insn, &op);
}

void lower_CMPXCHGM(struct jit *j, const struct ub_insn *insn)
{
	struct rmw op;

	prepare(j, insn, FLAGS_NONE);
	op = operands(j, insn, true);
	fault_point(j, insn, &op);
	x86_cmpxchg(&j->code, ub_insn_width(insn), op.mem, op.src);
	finish(j, insn, &op, true);
}

/* 16 bytes that are not aligned are a fault. */
void lower_CMPXCHG2M(struct jit *j, const struct ub_insn *insn)
{
	struct rmw op;

	if (ub_insn_width(insn) == UB_W64)
		lower_need(j, UB_INT_F_CX16);
	prepare(j, insn, lower_wants_flags(j, insn) ? FLAGS_ALL : FLAGS_NONE);
	op = operands(j, insn, false);
	fault_point(j, insn, &op);
	x86_cmpxchg_pair(&j->code, ub_insn_width(insn), op.mem);
	finish(j, insn, &op, true);
}
