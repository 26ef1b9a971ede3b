// SPDX-License-Identifier: GPL-2.0
/*
 * interp: runs a block (user space only).  What an operation does here is what it means.
 *
 * It also watches what the verifier promises and says UB_LEFT_BUG when a promise breaks: a temporary is written before
 * it is read, memory is reached through an address that may be guarded, guest state at a mark that the block leaves to
 * is that of the mark, exits lie at or below LIMIT.
 */
#include "run.h"

/* --- the ways out --- */

void run_stop(struct run *r, enum ub_left left, u64 ip)
{
	r->is_over = true;
	r->left = left;
	r->s->ip = ip;
}

void run_bug(struct run *r)
{
	if (!r->is_over)
		run_stop(r, UB_LEFT_BUG, r->mark);
}

/* The guest goes on at @ip, in code of its own. */
void run_exit_to(struct run *r, u64 ip)
{
	if (ip > r->world->limit)
		run_bug(r);
	else
		run_stop(r, UB_LEFT_EXIT, ip);
}

/* The guest instruction at the mark is to be run natively, from its start. */
void run_leave(struct run *r, enum ub_left left)
{
	if (!r->is_over)
		run_stop(r, left, r->mark);
}

/* True when nobody could tell that the instruction at the mark has begun. */
static bool is_exact(const struct run *r)
{
	return r->has_mark && !r->has_stored && r->mark_flags == r->s->flags &&
	       !memcmp(r->mark_regs, r->s->regs, sizeof(r->mark_regs));
}

void run_mark(struct run *r, u64 ip)
{
	r->has_mark = true;
	r->has_stored = false;
	r->mark = ip;
	r->mark_flags = r->s->flags;
	memcpy(r->mark_regs, r->s->regs, sizeof(r->mark_regs));
}

bool run_must_yield(struct run *r)
{
	return r->world->must_yield && r->world->must_yield(r->world->ctx);
}

/* --- registers, flags, memory --- */

u64 run_get(struct run *r, u8 reg)
{
	if (reg == UB_FS)
		return r->world->fs_base;
	if (reg >= UB_TEMPS_END || !(r->written & 1u << reg)) {
		run_bug(r);
		return 0;
	}
	return r->s->regs[reg];
}

void run_set64(struct run *r, u8 reg, u64 val)
{
	if (reg < UB_NGUEST && !r->has_mark)
		run_bug(r);
	r->s->regs[reg] = val;
	r->written |= 1u << reg;
}

/* At 8 and 16 bits the others stay, at 32 the upper half becomes zero (SDM vol. 1, 3.4.1.1). */
void run_set(struct run *r, u8 reg, enum ub_width w, u64 val)
{
	val = ub_alu_trunc(w, val);
	if (w < UB_W32)
		val |= run_get(r, reg) & ~ub_alu_trunc(w, UB_U64_MAX);
	run_set64(r, reg, val);
}

void run_set_flags(struct run *r, struct ub_alu alu)
{
	r->s->flags = (r->s->flags & ~alu.changed) | (alu.flags & alu.changed);
	r->s->undefined = (r->s->undefined & ~alu.changed) | alu.undefined;
}

void run_finish(struct run *r, const struct ub_insn *insn, struct ub_alu alu)
{
	run_set(r, insn->dst, ub_insn_width(insn), alu.val);
	if (ub_insn_sets_flags(insn))
		run_set_flags(r, alu);
}

static bool is_set(struct run *r, const struct ub_insn *insn)
{
	return ub_alu_cond(ub_insn_cc(insn), r->s->flags);
}

static u64 address(struct run *r, const struct ub_insn *insn, u8 base)
{
	u8 index = ub_insn_index_reg(insn);
	u64 addr = (s64)insn->off;

	if (base != UB_NOREG)
		addr += run_get(r, base);
	if (index != UB_NOREG)
		addr += run_get(r, index) << ub_insn_scale(insn);
	return addr;
}

bool run_is_user(struct run *r, u64 addr, u32 len)
{
	return addr < r->world->limit && r->world->limit - addr >= len;
}

/* The address of a load or store; false, and the block left, when no user address can be meant. */
bool run_address(struct run *r, const struct ub_insn *insn, u8 base, u64 *ret)
{
	*ret = base == UB_NOREG ? ub_insn_constant_addr(insn) : address(r, insn, base);
	if (*ret >= r->world->limit + MAX_REACH)
		run_bug(r);
	else if (!run_is_user(r, *ret, ub_insn_mem_bytes(insn)))
		run_leave(r, UB_LEFT_FAULT);
	return !r->is_over;
}

bool run_load(struct run *r, const struct ub_insn *insn, u64 *ret)
{
	u32 len = UB_WIDTH_BYTES(ub_insn_width(insn));
	u64 addr;

	*ret = 0;
	if (!run_address(r, insn, insn->src, &addr))
		return false;
	if (!r->world->load(r->world->ctx, addr, len, ret))
		run_leave(r, UB_LEFT_FAULT);
	return !r->is_over;
}

void run_store(struct run *r, const struct ub_insn *insn, u64 val)
{
	enum ub_width w = ub_insn_width(insn);
	u64 addr;

	if (!run_address(r, insn, insn->dst, &addr))
		return;
	if (!r->world->store(r->world->ctx, addr, UB_WIDTH_BYTES(w), ub_alu_trunc(w, val)))
		run_leave(r, UB_LEFT_FAULT);
	else
		r->has_stored = true;
}

/* --- moves and memory --- */

void interp_INSN(struct run *r, const struct ub_insn *insn)
{
	run_mark(r, insn->imm);
}

void interp_MOV(struct run *r, const struct ub_insn *insn)
{
	run_set(r, insn->dst, ub_insn_width(insn), run_get(r, insn->src));
}

void interp_MOVI(struct run *r, const struct ub_insn *insn)
{
	run_set(r, insn->dst, ub_insn_width(insn), insn->imm);
}

void interp_ZEXT(struct run *r, const struct ub_insn *insn)
{
	run_set64(r, insn->dst, ub_alu_trunc(ub_insn_width(insn), run_get(r, insn->src)));
}

void interp_SEXT32(struct run *r, const struct ub_insn *insn)
{
	run_set64(r, insn->dst, (u32)ub_alu_sext(ub_insn_width(insn), run_get(r, insn->src)));
}

void interp_SEXT64(struct run *r, const struct ub_insn *insn)
{
	run_set64(r, insn->dst, ub_alu_sext(ub_insn_width(insn), run_get(r, insn->src)));
}

void interp_LEA(struct run *r, const struct ub_insn *insn)
{
	run_set64(r, insn->dst, ub_alu_trunc(ub_insn_width(insn), address(r, insn, insn->src)));
}

void interp_GUARD(struct run *r, const struct ub_insn *insn)
{
	u64 addr = address(r, insn, insn->src);

	run_set64(r, insn->dst, addr < r->world->limit ? addr : r->world->limit);
}

static void hold(struct run *r, const struct ub_insn *insn, u64 lo, u64 hi)
{
	u64 val = run_get(r, insn->dst);

	if (!(ub_block_resident(r->block) & 1u << insn->dst))
		run_bug(r);
	else if (val < lo || val > hi)
		run_leave(r, UB_LEFT_BOUND);
}

void interp_HOLD(struct run *r, const struct ub_insn *insn)
{
	hold(r, insn, insn->imm, r->world->limit);
}

void interp_HOLD32(struct run *r, const struct ub_insn *insn)
{
	hold(r, insn, 0, UB_U32_MAX);
}

void interp_LOAD(struct run *r, const struct ub_insn *insn)
{
	u64 val;

	if (run_load(r, insn, &val))
		run_set64(r, insn->dst, ub_alu_trunc(ub_insn_width(insn), val));
}

void interp_LOADS32(struct run *r, const struct ub_insn *insn)
{
	u64 val;

	if (run_load(r, insn, &val))
		run_set64(r, insn->dst, (u32)ub_alu_sext(ub_insn_width(insn), val));
}

void interp_LOADS64(struct run *r, const struct ub_insn *insn)
{
	u64 val;

	if (run_load(r, insn, &val))
		run_set64(r, insn->dst, ub_alu_sext(ub_insn_width(insn), val));
}

void interp_STORE(struct run *r, const struct ub_insn *insn)
{
	run_store(r, insn, run_get(r, insn->src));
}

void interp_STOREI(struct run *r, const struct ub_insn *insn)
{
	run_store(r, insn, insn->imm);
}

/* --- dst = dst OP operand, by register and by constant --- */

/* @result is made of w, a, b and carry: width, operands, CF. */
#define DEFINE_ALU(NAME, result, done)						\
static void alu_##NAME(struct run *r, const struct ub_insn *insn, u64 b)		\
{										\
	enum ub_width w = ub_insn_width(insn);					\
	u64 a = run_get(r, insn->dst);						\
	bool carry = r->s->flags & UB_FL_CF;					\
										\
	(void)w, (void)carry;							\
	done(result);								\
}										\
										\
void interp_##NAME(struct run *r, const struct ub_insn *insn)			\
{										\
	alu_##NAME(r, insn, run_get(r, insn->src));					\
}										\
										\
void interp_##NAME##I(struct run *r, const struct ub_insn *insn)		\
{										\
	alu_##NAME(r, insn, insn->imm);						\
}

#define FINISH(alu)	run_finish(r, insn, alu)
#define COMPARE(alu)	run_set_flags(r, alu)

DEFINE_ALU(ADD, ub_alu_add(w, a, b, false), FINISH)
DEFINE_ALU(SUB, ub_alu_sub(w, a, b, false), FINISH)
DEFINE_ALU(AND, ub_alu_logic(w, a & b), FINISH)
DEFINE_ALU(OR, ub_alu_logic(w, a | b), FINISH)
DEFINE_ALU(XOR, ub_alu_logic(w, a ^ b), FINISH)
DEFINE_ALU(ADC, ub_alu_add(w, a, b, carry), FINISH)
DEFINE_ALU(SBB, ub_alu_sub(w, a, b, carry), FINISH)
DEFINE_ALU(CMP, ub_alu_sub(w, a, b, false), COMPARE)
DEFINE_ALU(TEST, ub_alu_logic(w, a & b), COMPARE)
DEFINE_ALU(SHL, ub_alu_shl(w, a, b), FINISH)
DEFINE_ALU(SHR, ub_alu_shr(w, a, b), FINISH)
DEFINE_ALU(SAR, ub_alu_sar(w, a, b), FINISH)
DEFINE_ALU(ROL, ub_alu_rol(w, a, b), FINISH)
DEFINE_ALU(ROR, ub_alu_ror(w, a, b), FINISH)

/* --- one operand --- */

void interp_NEG(struct run *r, const struct ub_insn *insn)
{
	run_finish(r, insn, ub_alu_sub(ub_insn_width(insn), 0, run_get(r, insn->dst), false));
}

void interp_NOT(struct run *r, const struct ub_insn *insn)
{
	run_set(r, insn->dst, ub_insn_width(insn), ~run_get(r, insn->dst));
}

void interp_INC(struct run *r, const struct ub_insn *insn)
{
	run_finish(r, insn, ub_alu_inc(ub_insn_width(insn), run_get(r, insn->dst)));
}

void interp_DEC(struct run *r, const struct ub_insn *insn)
{
	run_finish(r, insn, ub_alu_dec(ub_insn_width(insn), run_get(r, insn->dst)));
}

void interp_BSWAP(struct run *r, const struct ub_insn *insn)
{
	u64 val = __builtin_bswap64(run_get(r, insn->dst));

	run_set(r, insn->dst, ub_insn_width(insn), val >> (64 - UB_WIDTH_BITS(ub_insn_width(insn))));
}

/* --- multiply and divide --- */

void interp_IMUL(struct run *r, const struct ub_insn *insn)
{
	u64 high;

	run_finish(r, insn, ub_alu_muls(ub_insn_width(insn), run_get(r, insn->dst), run_get(r, insn->src), &high));
}

void interp_IMULI(struct run *r, const struct ub_insn *insn)
{
	u64 high;

	run_finish(r, insn, ub_alu_muls(ub_insn_width(insn), run_get(r, insn->src), insn->imm, &high));
}

/* rax, rdx = low, high; of 8 bits, both go to ax */
static void set_pair(struct run *r, enum ub_width w, u64 low, u64 high)
{
	if (w == UB_W8) {
		run_set(r, UB_RAX, UB_W16, low | high << 8);
		return;
	}
	run_set(r, UB_RAX, w, low);
	run_set(r, UB_RDX, w, high);
}

void interp_MULU(struct run *r, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	u64 high;
	struct ub_alu alu = ub_alu_mulu(w, run_get(r, UB_RAX), run_get(r, insn->src), &high);

	set_pair(r, w, alu.val, high);
	if (ub_insn_sets_flags(insn))
		run_set_flags(r, alu);
}

void interp_MULS(struct run *r, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	u64 high;
	struct ub_alu alu = ub_alu_muls(w, run_get(r, UB_RAX), run_get(r, insn->src), &high);

	set_pair(r, w, alu.val, high);
	if (ub_insn_sets_flags(insn))
		run_set_flags(r, alu);
}

/* The upper half of what is divided. */
static u64 upper_half(struct run *r, enum ub_width w)
{
	return w == UB_W8 ? run_get(r, UB_RAX) >> 8 : run_get(r, UB_RDX);
}

/* The flags, all undefined, are kept. */
static void divided(struct run *r, const struct ub_insn *insn, bool is_done, u64 quotient, u64 rest)
{
	if (!is_done) {
		run_leave(r, UB_LEFT_FAULT);
		return;
	}
	set_pair(r, ub_insn_width(insn), quotient, rest);
	r->s->undefined = UB_FL_ALL;
}

void interp_DIVU(struct run *r, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	u64 quotient = 0, rest = 0;
	bool is_done = ub_alu_divu(w, upper_half(r, w), run_get(r, UB_RAX), run_get(r, insn->src), &quotient, &rest);

	divided(r, insn, is_done, quotient, rest);
}

void interp_DIVS(struct run *r, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	u64 quotient = 0, rest = 0;
	bool is_done = ub_alu_divs(w, upper_half(r, w), run_get(r, UB_RAX), run_get(r, insn->src), &quotient, &rest);

	divided(r, insn, is_done, quotient, rest);
}

/* --- readers of flags --- */

void interp_SETCC(struct run *r, const struct ub_insn *insn)
{
	run_set(r, insn->dst, UB_W8, is_set(r, insn));
}

void interp_CMOV(struct run *r, const struct ub_insn *insn)
{
	u64 from = run_get(r, insn->src), old = run_get(r, insn->dst);

	run_set(r, insn->dst, ub_insn_width(insn), is_set(r, insn) ? from : old);
}

/* --- control --- */

/* A target outside the block is found by the main loop. */
static void jump(struct run *r, const struct ub_insn *insn)
{
	s64 target = ub_insn_target(insn, r->s->insn_idx);

	r->next_idx = target < 0 || target > r->block->insn_cnt ? r->block->insn_cnt : (u32)target;
}

void interp_JMP(struct run *r, const struct ub_insn *insn)
{
	jump(r, insn);
}

void interp_JCC(struct run *r, const struct ub_insn *insn)
{
	if (is_set(r, insn))
		jump(r, insn);
}

void interp_JEQ(struct run *r, const struct ub_insn *insn)
{
	if (run_get(r, insn->src) == (u64)insn->imm)
		jump(r, insn);
}

void interp_CHECK(struct run *r, const struct ub_insn *insn)
{
	(void)insn;
	if (run_must_yield(r))
		run_leave(r, UB_LEFT_YIELD);
	r->ticks = UB_TICKS;
}

void interp_TICK(struct run *r, const struct ub_insn *insn)
{
	if (!r->ticks)
		run_bug(r);
	else if (!--r->ticks)
		jump(r, insn);
}

void interp_BOUND(struct run *r, const struct ub_insn *insn)
{
	if (run_get(r, insn->src) > r->world->limit)
		run_leave(r, UB_LEFT_BOUND);
}

void interp_EXIT(struct run *r, const struct ub_insn *insn)
{
	run_exit_to(r, insn->imm);
}

void interp_EXITTO(struct run *r, const struct ub_insn *insn)
{
	run_exit_to(r, run_get(r, insn->src));
}

/* As the syscall instruction: rcx is the address behind it, r11 the flags; IF is set in user mode. */
void interp_SYSCALL(struct run *r, const struct ub_insn *insn)
{
	const struct ub_interp_world *world = r->world;
	u64 *regs = r->s->regs;
	u32 old_flags = r->s->flags;

	if ((u32)regs[UB_RAX] != (u32)insn->imm || !world->syscall || !world->syscall(world->ctx, regs)) {
		run_leave(r, UB_LEFT_SYSCALL);
		return;
	}
	regs[UB_RCX] = r->mark + 2;
	regs[UB_R11] = old_flags | FLAG_IF | FLAG_ONE;
	r->written &= ~TEMPS;
	r->has_mark = false;
	r->ticks = UB_TICKS;
	if (run_must_yield(r))
		run_stop(r, UB_LEFT_YIELD, r->mark + 2);
}

static void (*const table[UB_OP_COUNT])(struct run *r, const struct ub_insn *insn) = {
#define OP(name, text, shape, widths, effect) [UB_OP_##name] = interp_##name,
#include "ops.h"
};

static void step(struct run *r)
{
	const struct ub_insn *insn;
	const char *why;

	if (r->next_idx >= r->block->insn_cnt) {
		run_bug(r);
		return;
	}
	insn = &r->block->insns[r->next_idx];
	r->s->insn_idx = r->next_idx;
	if (r->world->max_steps && r->s->steps >= r->world->max_steps) {
		run_stop(r, UB_LEFT_STEPS, r->mark);
		return;
	}
	if ((!r->world->is_verified && ub_insn_check(insn, &why)) ||
	    (ub_op_info[insn->op].effect & UB_E_LEAVES && !is_exact(r))) {
		run_bug(r);
		return;
	}
	if (r->world->counts)
		r->world->counts[r->next_idx]++;
	if (r->world->trace)
		r->world->trace(r->world->ctx, r->next_idx, r->s, UB_TICKS - r->ticks);
	r->s->steps++;
	r->next_idx++;
	table[insn->op](r, insn);
}

enum ub_left ub_interp_run(const struct ub_block *block, const struct ub_interp_world *world, u32 start_idx,
			   struct ub_interp *state)
{
	struct run r = {
		.block = block,
		.world = world,
		.s = state,
		.next_idx = start_idx,
		.ticks = UB_TICKS,
		.written = (1u << UB_NGUEST) - 1,
	};

	state->steps = 0;
	state->insn_idx = start_idx;
	while (!r.is_over)
		step(&r);
	return r.left;
}
