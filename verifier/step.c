// SPDX-License-Identifier: GPL-2.0
/*
 * step: what does an instruction change of what is known?
 *
 * One step_NAME() per row of ops.h.  Promise: if a concrete machine is described by the state before, the machine behind
 * the instruction is described by the state behind it.  It judges nothing (check.c has done so) and refuses nothing:
 * where it knows no better the result is any value of its width.
 *
 * Branches teach nothing: the state behind j and jeq is the state before them, on both edges, and bound, check and the
 * like set no range.  A CPU runs on along the edge not taken, with values that the branch would have ruled out
 * (Spectre v1), so only data flow may carry a fact that an access relies on.  The one exception is is_bounded, which
 * justifies no access: exitto hands its address to C code, when the branch has been decided.
 */
#include "step.h"

bool step_may_hold_guard(const struct step *step, u8 reg)
{
	return ub_env_in_machine(step->env, reg);
}

/* Adding to what lost its guard at a merge: the merge is the story, not the sum. */
static bool tells_more(const struct step *step, u8 reg, const struct ub_reg *value)
{
	const struct ub_reg *old = &step->state->regs[reg];
	u32 effect = ub_op_info[step->insn->op].effect;
	bool reads_itself = effect & UB_E_RD_DST || (effect & UB_E_RD_ADDR && step->insn->src == reg);

	return reads_itself && old->by & UB_BY_MERGE && old->kind != UB_REG_GUARDED && value->kind != UB_REG_GUARDED;
}

/* Writes all 64 bits. */
void step_put(struct step *step, u8 reg, struct ub_reg value)
{
	/* Sound: a guarded value is a plain one too. */
	if (!step_may_hold_guard(step, reg) && value.kind >= UB_REG_WALKING)
		value = ub_reg_plain(&value, step->limit);
	value.by = tells_more(step, reg, &value) ? step->state->regs[reg].by : step->idx + 1;
	step->state->regs[reg] = value;
}

/*
 * A register as it is known, of any kind.
 *
 * Sound, also while a CPU speculates: r16, r17 and the resident registers stay in machine registers.  Any other may live
 * in memory, and a load may run ahead of the store that wrote it and find what was there before (v4), which is anything.
 * So what is known of the others moves no guard; it only counts where nothing is speculative, for exitto.
 */
struct ub_reg step_known(const struct step *step, u8 reg)
{
	struct ub_reg value = ub_env_known(step->env, step->state, reg);

	value.is_bounded = false;
	return value;
}

/* A register as a number of 64 bits. */
struct ub_reg step_whole(const struct step *step, u8 reg)
{
	struct ub_reg value = step_known(step, reg);

	return ub_reg_plain(&value, step->limit);
}

/* A register as an operand of the instruction's width. */
struct ub_reg step_part(const struct step *step, u8 reg)
{
	struct ub_reg value = step_whole(step, reg);

	return step->width == 64 ? value : ub_reg_zext(&value, step->width);
}

struct ub_reg step_constant(const struct step *step)
{
	return ub_reg_const((u64)step->insn->imm & ub_low_mask(step->width));
}

struct ub_reg step_unknown(u32 width)
{
	return width == 64 ? ub_reg_any() : ub_reg_between(0, ub_low_mask(width));
}

/* Writes dst as x86 does: 8 and 16 bits keep the others, 32 clear them. */
void step_put_part(struct step *step, struct ub_reg value)
{
	struct ub_reg old;

	if (step->width < 32) {
		old = step_whole(step, step->insn->dst);
		value = ub_reg_insert(&old, &value, step->width);
	} else if (step->width == 32) {
		value = ub_reg_zext(&value, 32);
	}
	step_put(step, step->insn->dst, value);
}

typedef struct ub_reg (*binary_fn)(const struct ub_reg *a, const struct ub_reg *b);

/* Sound: the low W bits of these results depend on the low W bits of the operands alone. */
static void binary(struct step *step, binary_fn op, struct ub_reg b)
{
	struct ub_reg a = step_part(step, step->insn->dst);

	step_put_part(step, op(&a, &b));
}

void step_forget_dst(struct step *step)
{
	step_put_part(step, step_unknown(step->width));
}

/* Moves. */

void step_INSN(struct step *step)
{
	step->state->mark = step->idx;
	step->state->is_dirty = false;
}

void step_MOV(struct step *step)
{
	const struct ub_reg *src = &step->state->regs[step->insn->src];
	struct ub_reg value;

	if (step->width < 64) {
		step_put_part(step, step_part(step, step->insn->src));
		return;
	}
	/* Sound: a whole copy is as good as the original, bound and guard included. */
	value = step_known(step, step->insn->src);
	value.is_bounded = src->is_bounded;
	step_put(step, step->insn->dst, value);
}

void step_MOVI(struct step *step)
{
	step_put_part(step, step_constant(step));
}

void step_ZEXT(struct step *step)
{
	step_put(step, step->insn->dst, step_part(step, step->insn->src));
}

static struct ub_reg sign_extended(const struct step *step, u8 reg)
{
	struct ub_reg value = step_whole(step, reg);

	return ub_reg_sext(&value, step->width);
}

void step_SEXT32(struct step *step)
{
	struct ub_reg value = sign_extended(step, step->insn->src);

	step_put(step, step->insn->dst, ub_reg_zext(&value, 32));
}

void step_SEXT64(struct step *step)
{
	step_put(step, step->insn->dst, sign_extended(step, step->insn->src));
}

/* index << scale, zero without index */
static struct ub_reg scaled_index(const struct step *step)
{
	u8 index = ub_insn_index(step->insn);
	struct ub_reg value;

	if (index == UB_NOREG)
		return ub_reg_const(0);
	value = step_known(step, index);
	return ub_insn_scale(step->insn) ? ub_reg_scaled(&value, ub_insn_scale(step->insn), step->limit) : value;
}

void step_LEA(struct step *step)
{
	const struct ub_insn *insn = step->insn;
	struct ub_reg index = scaled_index(step), base, off = ub_reg_const((u64)(s64)insn->off), sum;

	if (insn->src == UB_FS) {
		step_put(step, insn->dst, step_unknown(step->width));
		return;
	}
	base = insn->src == UB_NOREG ? ub_reg_const(0) : step_known(step, insn->src);
	sum = ub_reg_sum(&base, &index, step->limit);
	sum = ub_reg_sum(&sum, &off, step->limit);
	if (step->width == 32) {
		sum = ub_reg_plain(&sum, step->limit);
		sum = ub_reg_zext(&sum, 32);
	}
	step_put(step, insn->dst, sum);
}

/* Memory. */

void step_GUARD(struct step *step)
{
	/* Sound: min(x, LIMIT) is 0..LIMIT for every x, also while a CPU speculates: cmp and cmov are data flow. */
	step_put(step, step->insn->dst, ub_reg_guard(0));
}

void step_HOLD(struct step *step)
{
	/* Sound: as guard, of the register less the constant, by data flow; where nothing is speculative it has just been
	 * compared with LIMIT. */
	struct ub_reg value = ub_reg_guard(step->insn->imm);

	value.is_bounded = true;
	step_put(step, step->insn->dst, value);
}

void step_HOLD32(struct step *step)
{
	/* Sound: mov to the low half of itself is data flow. */
	step_put(step, step->insn->dst, step_unknown(32));
}

void step_LOAD(struct step *step)
{
	/* Sound: memory holds anything, above the width are zeros. */
	step_put(step, step->insn->dst, step_unknown(step->width));
}

void step_LOADS32(struct step *step)
{
	struct ub_reg value = step_unknown(step->width);

	value = ub_reg_sext(&value, step->width);
	step_put(step, step->insn->dst, ub_reg_zext(&value, 32));
}

void step_LOADS64(struct step *step)
{
	struct ub_reg value = step_unknown(step->width);

	step_put(step, step->insn->dst, ub_reg_sext(&value, step->width));
}

void step_STORE(struct step *step)
{
	(void)step;
}

void step_STOREI(struct step *step)
{
	(void)step;
}

/* Arithmetic and logic. */

typedef struct ub_reg (*any_kind_fn)(const struct ub_reg *a, const struct ub_reg *b, u64 limit);

/* dst = dst OP b, all 64 bits, of which guards and walks may be left. */
static void whole(struct step *step, any_kind_fn op, struct ub_reg b)
{
	struct ub_reg a = step_known(step, step->insn->dst);

	step_put(step, step->insn->dst, op(&a, &b, step->limit));
}

void step_ADD(struct step *step)
{
	if (step->width == 64)
		whole(step, ub_reg_sum, step_known(step, step->insn->src));
	else
		binary(step, ub_reg_add, step_part(step, step->insn->src));
}

void step_SUB(struct step *step)
{
	/* Sound: x - x is 0. */
	if (step->insn->dst == step->insn->src)
		step_put_part(step, ub_reg_const(0));
	else if (step->width == 64)
		whole(step, ub_reg_difference, step_known(step, step->insn->src));
	else
		binary(step, ub_reg_sub, step_part(step, step->insn->src));
}

void step_AND(struct step *step)
{
	binary(step, ub_reg_and, step_part(step, step->insn->src));
}

void step_OR(struct step *step)
{
	binary(step, ub_reg_or, step_part(step, step->insn->src));
}

void step_XOR(struct step *step)
{
	/* Sound: x ^ x is 0. */
	if (step->insn->dst == step->insn->src)
		step_put_part(step, ub_reg_const(0));
	else
		binary(step, ub_reg_xor, step_part(step, step->insn->src));
}

void step_ADC(struct step *step)
{
	step_forget_dst(step);
}

void step_SBB(struct step *step)
{
	step_forget_dst(step);
}

void step_CMP(struct step *step)
{
	(void)step;
}

void step_TEST(struct step *step)
{
	(void)step;
}

/* Adds a constant that may be negative. */
static void add_constant(struct step *step, s64 imm)
{
	if (step->width == 64)
		whole(step, ub_reg_sum, ub_reg_const((u64)imm));
	else
		binary(step, ub_reg_add, ub_reg_const((u64)imm & ub_low_mask(step->width)));
}

/* Constants of these are sign-extended from 32 bits (wire.c), so imm and -imm are exact. */
void step_ADDI(struct step *step)
{
	add_constant(step, step->insn->imm);
}

void step_SUBI(struct step *step)
{
	add_constant(step, -step->insn->imm);
}

/*
 * A pointer of which some low bits are changed, which moves it by @lo to @hi.  False when dst is none, or one so low that
 * it is better taken for a number, which does not go below zero.
 */
static bool nudge(struct step *step, s64 lo, s64 hi)
{
	struct ub_reg known = step_known(step, step->insn->dst);

	if (step->width != 64 || known.kind < UB_REG_WALKING)
		return false;
	if (!ub_walk_drifts(known.walk) && known.walk.lo >= 0 && known.walk.lo + lo < 0)
		return false;
	whole(step, ub_reg_sum, ub_reg_between(lo, hi));
	return true;
}

void step_ANDI(struct step *step)
{
	s64 imm = step->insn->imm;

	/* Sound: x & ~m is x - (x & m), and x & m is 0..m. */
	if (imm >= 0 || !nudge(step, imm + 1, 0))
		binary(step, ub_reg_and, step_constant(step));
}

void step_ORI(struct step *step)
{
	s64 imm = step->insn->imm;

	/* Sound: x | m is x + (~x & m). */
	if (imm < 0 || !nudge(step, 0, imm))
		binary(step, ub_reg_or, step_constant(step));
}

void step_XORI(struct step *step)
{
	s64 imm = step->insn->imm;

	/* Sound: x ^ m is x + (~x & m) - (x & m). */
	if (imm < 0 || !nudge(step, -imm, imm))
		binary(step, ub_reg_xor, step_constant(step));
}

void step_ADCI(struct step *step)
{
	step_forget_dst(step);
}

void step_SBBI(struct step *step)
{
	step_forget_dst(step);
}

void step_CMPI(struct step *step)
{
	(void)step;
}

void step_TESTI(struct step *step)
{
	(void)step;
}

void step_NEG(struct step *step)
{
	struct ub_reg zero = ub_reg_const(0), a = step_part(step, step->insn->dst);

	step_put_part(step, ub_reg_sub(&zero, &a));
}

void step_NOT(struct step *step)
{
	binary(step, ub_reg_xor, ub_reg_const(ub_low_mask(step->width)));
}

void step_INC(struct step *step)
{
	add_constant(step, 1);
}

void step_DEC(struct step *step)
{
	add_constant(step, -1);
}

void step_BSWAP(struct step *step)
{
	step_forget_dst(step);
}

/* Shifts.  @cnt is below the width. */

static void shift_left(struct step *step, u32 cnt)
{
	struct ub_reg a = step_part(step, step->insn->dst);

	if (step->width == 64 && cnt < 4) {
		a = step_known(step, step->insn->dst);
		step_put(step, step->insn->dst, ub_reg_scaled(&a, cnt, step->limit));
		return;
	}
	step_put_part(step, ub_reg_shl(&a, cnt));
}

static void shift_right(struct step *step, u32 cnt)
{
	struct ub_reg a = step_part(step, step->insn->dst);

	step_put_part(step, ub_reg_shr(&a, cnt));
}

static void shift_signed(struct step *step, u32 cnt)
{
	struct ub_reg a = sign_extended(step, step->insn->dst);

	step_put_part(step, ub_reg_sar(&a, cnt));
}

void step_SHLI(struct step *step)
{
	shift_left(step, step->insn->imm);
}

void step_SHRI(struct step *step)
{
	shift_right(step, step->insn->imm);
}

void step_SARI(struct step *step)
{
	shift_signed(step, step->insn->imm);
}

void step_ROLI(struct step *step)
{
	step_forget_dst(step);
}

void step_RORI(struct step *step)
{
	step_forget_dst(step);
}

/* The count is in r1, of which nothing is known that holds while a CPU speculates. */
void step_SHL(struct step *step)
{
	step_forget_dst(step);
}

void step_SHR(struct step *step)
{
	struct ub_reg a = step_part(step, step->insn->dst);

	/* Sound: whatever the count, x >> n is at most x. */
	step_put_part(step, ub_reg_between(0, ub_reg_max(&a)));
}

void step_SAR(struct step *step)
{
	step_forget_dst(step);
}

void step_ROL(struct step *step)
{
	step_forget_dst(step);
}

void step_ROR(struct step *step)
{
	step_forget_dst(step);
}

/* Products and quotients. */

void step_IMUL(struct step *step)
{
	binary(step, ub_reg_mul, step_part(step, step->insn->src));
}

void step_IMULI(struct step *step)
{
	struct ub_reg a = step_part(step, step->insn->src), b = step_constant(step);

	step_put_part(step, ub_reg_mul(&a, &b));
}

/* Sound: 8 and 16 bits keep the others. */
static void forget_rax_rdx(struct step *step)
{
	u32 width = step->width < 32 ? 64 : step->width;

	step_put(step, UB_RAX, step_unknown(width));
	step_put(step, UB_RDX, step_unknown(width));
}

void step_MULU(struct step *step)
{
	forget_rax_rdx(step);
}

void step_MULS(struct step *step)
{
	forget_rax_rdx(step);
}

void step_DIVU(struct step *step)
{
	forget_rax_rdx(step);
}

void step_DIVS(struct step *step)
{
	forget_rax_rdx(step);
}

/* Readers of the flags. */

void step_SETCC(struct step *step)
{
	struct ub_reg old = step_whole(step, step->insn->dst), bit = ub_reg_between(0, 1);

	step_put(step, step->insn->dst, ub_reg_insert(&old, &bit, 8));
}

void step_CMOV(struct step *step)
{
	struct ub_reg a, b;

	/* Sound: either of the two, by data flow. */
	if (step->width == 64) {
		a = step_known(step, step->insn->dst);
		b = step_known(step, step->insn->src);
		step_put(step, step->insn->dst, ub_reg_join(&a, &b, step->limit));
		return;
	}
	a = step_part(step, step->insn->dst);
	b = step_part(step, step->insn->src);
	step_put_part(step, ub_reg_join(&a, &b, step->limit));
}

/* The rest. */

void step_REPMOVS(struct step *step)
{
	step_put(step, UB_RCX, ub_reg_any());
	step_put(step, UB_RSI, ub_reg_any());
	step_put(step, UB_RDI, ub_reg_any());
}

void step_REPSTOS(struct step *step)
{
	step_put(step, UB_RCX, ub_reg_any());
	step_put(step, UB_RDI, ub_reg_any());
}

void step_JMP(struct step *step)
{
	(void)step;
}

/* Branches teach nothing, see above. */
void step_JCC(struct step *step)
{
	(void)step;
}

void step_JEQ(struct step *step)
{
	(void)step;
}

void step_CHECK(struct step *step)
{
	/* Sound: on the way here t was anything there is; from here on it counts from zero. */
	ub_state_settle(step->state);
}

void step_TICK(struct step *step)
{
	/* Sound: on both edges t is one more. */
	ub_state_tick(step->state);
}

void step_BOUND(struct step *step)
{
	step->state->regs[step->insn->src].is_bounded = true;
}

void step_EXIT(struct step *step)
{
	(void)step;
}

void step_EXITTO(struct step *step)
{
	(void)step;
}

/* Sound: C code ran, and resident registers come back from memory (v4).  Where nothing is speculative the call kept
 * their values, so what counts there alone stays. */
static void forget_over_call(struct step *step, u8 reg)
{
	struct ub_reg value = ub_reg_any(), old = ub_reg_plain(&step->state->regs[reg], step->limit);

	if (!step_may_hold_guard(step, reg))
		return;
	value.is_bounded = old.is_bounded || ub_reg_max(&old) <= step->limit;
	step_put(step, reg, value);
}

void step_SYSCALL(struct step *step)
{
	u32 reg;

	ub_state_settle(step->state);
	for (reg = 0; reg < UB_NGUEST; reg++)
		forget_over_call(step, reg);
	step_put(step, UB_RAX, ub_reg_any());
	step_put(step, UB_RCX, ub_reg_any());
	step_put(step, UB_R11, ub_reg_any());
	/* Sound: the machine registers of the temporaries may hold what the C code left there. */
	ub_state_forget_temps(step->state, step->idx + 1);
	/* The guest is behind its instruction now; what comes next has a mark of its own. */
	step->state->mark = UB_MARK_NONE;
}

static void (*const steps[UB_OP_COUNT])(struct step *step) = {
#define OP(name, text, shape, widths, effect) [UB_OP_##name] = step_##name,
#include "../ir/ops.h"
};

/* Would a restart at the mark notice that the instruction ran? */
static bool changes_guest(const struct ub_insn *insn)
{
	u32 effect = ub_op_info[insn->op].effect;

	return effect & (UB_E_WR_MEM | UB_E_WR_VEC) || ub_insn_sets_flags(insn) || ub_insn_writes(insn) & UB_GUEST_REGS;
}

void ub_step(const struct ub_env *env, struct ub_state *state, u32 idx)
{
	const struct ub_insn *insn = ub_env_insn(env, idx);
	struct step step = {
		.env = env, .insn = insn, .state = state, .limit = env->limit, .idx = idx,
		.width = UB_WIDTH_BITS(ub_insn_width(insn)),
	};

	if (changes_guest(insn) && !state->is_dirty) {
		state->is_dirty = true;
		state->dirty_by = idx;
	}
	steps[insn->op](&step);
}
