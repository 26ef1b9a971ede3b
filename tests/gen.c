// SPDX-License-Identifier: GPL-2.0
/*
 * gen: random blocks that keep the rules of the IR.
 *
 * Most of what they do is harmless; some pointers are bad, some divisors zero, some branches jump over code.  What the
 * SDM leaves undefined is tracked, so that no flag is read which may differ.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "gen.h"

#define FENCE_LEN	(1u << 20)
#define BEYOND_LEN	(1u << 16)

u8 *gen_buf;
u64 gen_limit;
static u64 rng_state;

u64 gen_random(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x2545f4914f6cdd1dull;
}

static u32 pick(u32 cnt)
{
	return (gen_random() >> 33) % cnt;
}

u64 gen_value(void)
{
	static const u64 corner[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
		0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, -1ull, -2ull, -128ull };

	return pick(2) ? corner[pick(ARRAY_SIZE(corner))] : pick(2) ? gen_random() : gen_random() & 0xffff;
}


static struct ub_insn *put(struct gen *g, u8 op, u8 mode, u8 dst, u8 src, s32 off, s64 imm)
{
	struct ub_insn *insn = &g->insns[g->cnt++];

	*insn = (struct ub_insn){ .op = op, .mode = mode, .dst = dst, .src = src, .off = off, .imm = imm };
	return insn;
}

static void mark(struct gen *g)
{
	put(g, UB_OP_INSN, 0, 0, 0, 2, GEN_BASE_IP + 16 * g->cnt);
}

static u8 any_reg(struct gen *g)
{
	u32 i = pick(20);

	if (i >= 16 && !g->is_written[i - 16])
		return i - 16;
	return i;
}

static void wrote(struct gen *g, u8 reg)
{
	if (reg >= UB_T0)
		g->is_written[reg - UB_T0] = true;
}

static u8 any_width(u8 op)
{
	u8 w;

	do
		w = pick(4);
	while (!(ub_op_info[op].widths & 1 << w));
	return w;
}

static u8 any_cc(void)
{
	return pick(16);
}

/* A constant as an operand of width @w is spelt. */
static s64 spell(u8 w, s64 imm)
{
	return w == UB_W8 ? (s8)imm : w == UB_W16 ? (s16)imm : (s32)imm;
}

static void put_alu(struct gen *g)
{
	static const u8 ops[] = {
		UB_OP_ADD, UB_OP_SUB, UB_OP_AND, UB_OP_OR, UB_OP_XOR, UB_OP_ADC, UB_OP_SBB, UB_OP_CMP, UB_OP_TEST,
		UB_OP_ADDI, UB_OP_SUBI, UB_OP_ANDI, UB_OP_ORI, UB_OP_XORI, UB_OP_ADCI, UB_OP_SBBI, UB_OP_CMPI,
		UB_OP_TESTI, UB_OP_NEG, UB_OP_NOT, UB_OP_INC, UB_OP_DEC, UB_OP_BSWAP, UB_OP_MOV, UB_OP_ZEXT,
		UB_OP_SEXT32, UB_OP_SEXT64, UB_OP_MOVI,
	};
	u8 op = ops[pick(ARRAY_SIZE(ops))], w = any_width(op), dst = any_reg(g);
	u32 effect = ub_op_info[op].effect;
	bool f = effect & UB_E_F_OPT && pick(2);
	s64 imm = gen_value();

	if (effect & UB_E_RD_FL && g->undefined)
		return;
	if (w < UB_W64 || op != UB_OP_MOVI)
		imm = spell(w, imm);
	put(g, op, UB_MODE(w, f, 0), dst, ub_op_info[op].shape == UB_S_DST_SRC ? any_reg(g) : 0, 0,
	    ub_op_info[op].shape == UB_S_DST_IMM ? imm : 0);
	wrote(g, dst);
	if (f || effect & UB_E_WR_FL)
		g->undefined = 0;
}

/* Flags that the SDM leaves undefined behind @insn, which sets some. */
static u32 undefined_by(const struct ub_insn *insn)
{
	switch (insn->op) {
	case UB_OP_ROL: case UB_OP_ROR: case UB_OP_ROLI: case UB_OP_RORI:
	case UB_OP_RCL: case UB_OP_RCR: case UB_OP_RCLI: case UB_OP_RCRI:
		return UB_FL_OF;
	case UB_OP_SHL: case UB_OP_SHR: case UB_OP_SAR: case UB_OP_SHLI: case UB_OP_SHRI: case UB_OP_SARI:
		return UB_FL_OF | UB_FL_AF | (ub_insn_width(insn) < UB_W32 ? UB_FL_CF : 0);
	case UB_OP_SHLD: case UB_OP_SHRD: case UB_OP_SHLDI: case UB_OP_SHRDI:
		return ub_insn_width(insn) < UB_W32 ? UB_FL_ALL : UB_FL_OF | UB_FL_AF;
	case UB_OP_BT: case UB_OP_BTS: case UB_OP_BTR: case UB_OP_BTC: case UB_OP_BTSM: case UB_OP_BTRM: case UB_OP_BTCM:
	case UB_OP_BTI: case UB_OP_BTSI: case UB_OP_BTRI: case UB_OP_BTCI:
	case UB_OP_BTSMI: case UB_OP_BTRMI: case UB_OP_BTCMI:
		return UB_FL_OF | UB_FL_SF | UB_FL_AF | UB_FL_PF;
	case UB_OP_BSF: case UB_OP_BSR:
		return UB_FL_ALL & ~UB_FL_ZF;
	case UB_OP_TZCNT: case UB_OP_LZCNT:
		return UB_FL_ALL & ~(UB_FL_ZF | UB_FL_CF);
	case UB_OP_BEXTR:
		return UB_FL_SF | UB_FL_AF | UB_FL_PF;
	case UB_OP_ANDN: case UB_OP_BZHI: case UB_OP_BLSI: case UB_OP_BLSMSK: case UB_OP_BLSR:
		return UB_FL_AF | UB_FL_PF;
	case UB_OP_IMUL: case UB_OP_IMULI: case UB_OP_MULU: case UB_OP_MULS:
		return UB_FL_SF | UB_FL_ZF | UB_FL_AF | UB_FL_PF;
	default:
		return 0;
	}
}

/* What is undefined behind @insn, if it sets flags. */
static void note_flags(struct gen *g, const struct ub_insn *insn)
{
	if (!ub_insn_sets_flags(insn))
		return;
	if (!(ub_op_info[insn->op].effect & (UB_E_F_MERGE | UB_E_RD_FL)))
		g->undefined = 0;
	g->undefined |= undefined_by(insn);
}

/* Single bits, counting and what else computes on registers alone. */
static void put_bits(struct gen *g)
{
	static const u8 ops[] = {
		UB_OP_BT, UB_OP_BTS, UB_OP_BTR, UB_OP_BTC, UB_OP_BTI, UB_OP_BTSI, UB_OP_BTRI, UB_OP_BTCI, UB_OP_BSF, UB_OP_BSR,
		UB_OP_TZCNT, UB_OP_LZCNT, UB_OP_POPCNT, UB_OP_CRC32, UB_OP_ANDN, UB_OP_BEXTR, UB_OP_BZHI, UB_OP_PDEP,
		UB_OP_PEXT, UB_OP_SHLX, UB_OP_SHRX, UB_OP_SARX, UB_OP_RORX, UB_OP_MULX, UB_OP_BLSI, UB_OP_BLSMSK, UB_OP_BLSR,
		UB_OP_ADCX, UB_OP_ADOX, UB_OP_CMPXCHG, UB_OP_CMPXCHG,
	};
	u8 op = ops[pick(ARRAY_SIZE(ops))];
	const struct ub_op_info *info = &ub_op_info[op];
	u8 dst = any_reg(g), third = any_reg(g), mode = UB_MODE(any_width(op), info->effect & UB_E_F_OPT && pick(2), 0);
	struct ub_insn *insn;
	s64 lo, hi;

	if (info->effect & (UB_E_RD_FL | UB_E_F_MERGE) && g->undefined)
		return;
	insn = put(g, op, mode, dst, info->effect & UB_E_RD_SRC ? any_reg(g) : 0, 0, 0);
	if (ub_insn_imm_range(insn, &lo, &hi))
		insn->imm = lo + pick(hi - lo + 1);
	if (info->shape == UB_S_DST_SRC_REG)
		insn->imm = third;
	wrote(g, dst);
	if (info->effect & UB_E_WR_REG)
		wrote(g, third);
	note_flags(g, insn);
}

static void put_shift(struct gen *g)
{
	static const u8 ops[] = { UB_OP_SHLI, UB_OP_SHRI, UB_OP_SARI, UB_OP_ROLI, UB_OP_RORI, UB_OP_RCLI, UB_OP_RCRI,
		UB_OP_SHL, UB_OP_SHR, UB_OP_SAR, UB_OP_ROL, UB_OP_ROR, UB_OP_RCL, UB_OP_RCR,
		UB_OP_SHLDI, UB_OP_SHRDI, UB_OP_SHLD, UB_OP_SHRD };
	u8 op = ops[pick(ARRAY_SIZE(ops))], dst = any_reg(g), src = UB_RCX;
	bool is_double = op == UB_OP_SHLD || op == UB_OP_SHRD || op == UB_OP_SHLDI || op == UB_OP_SHRDI;
	struct ub_insn *insn;
	s64 lo, hi;

	if (ub_op_info[op].effect & UB_E_RD_FL && g->undefined)
		return;
	if (is_double)
		src = any_reg(g);
	insn = put(g, op, UB_MODE(any_width(op), pick(2), 0), dst, ub_op_info[op].shape == UB_S_DST_IMM ? 0 : src, 0, 0);
	if (ub_insn_imm_range(insn, &lo, &hi))
		insn->imm = lo + pick(hi - lo + 1);
	wrote(g, dst);
	note_flags(g, insn);
}

static void put_mul(struct gen *g)
{
	static const u8 ops[] = { UB_OP_IMUL, UB_OP_IMULI, UB_OP_MULU, UB_OP_MULS };
	u8 op = ops[pick(ARRAY_SIZE(ops))], w = any_width(op);
	bool f = pick(2), has_dst = ub_op_info[op].shape != UB_S_SRC;
	u8 dst = has_dst ? any_reg(g) : 0;
	s64 imm = w == UB_W16 ? (s16)gen_random() : (s32)gen_random();
	struct ub_insn *insn;

	insn = put(g, op, UB_MODE(w, f, 0), dst, any_reg(g), 0, op == UB_OP_IMULI ? imm : 0);
	if (has_dst)
		wrote(g, dst);
	note_flags(g, insn);
}

static void put_div(struct gen *g)
{
	u8 op = pick(2) ? UB_OP_DIVU : UB_OP_DIVS, w = any_width(op);

	if (pick(2))
		put(g, UB_OP_MOVI, UB_W64, UB_RDX, 0, 0, 0);
	mark(g);
	put(g, op, w, 0, any_reg(g), 0, 0);
}

static void put_cond(struct gen *g)
{
	u8 dst = any_reg(g);

	if (g->undefined)
		return;
	if (pick(2))
		put(g, UB_OP_SETCC, UB_MODE(0, 0, any_cc()), dst, 0, 0, 0);
	else
		put(g, UB_OP_CMOV, UB_MODE(1 + pick(3), 0, any_cc()), dst, any_reg(g), 0, 0);
	wrote(g, dst);
}

/* lea of anything, or a step of the stack pointer. */
static void put_address(struct gen *g)
{
	u8 dst = any_reg(g), index = pick(2) ? any_reg(g) : UB_NOREG;
	u8 scale = index == UB_NOREG ? 0 : pick(4);
	u8 base = pick(8) ? any_reg(g) : pick(2) ? UB_NOREG : UB_FS;

	if (pick(3) == 0) {
		bool f = pick(4) == 0;

		put(g, pick(2) ? UB_OP_ADDI : UB_OP_SUBI, UB_MODE(UB_W64, f, 0), UB_RSP, 0, 0,
		    pick(8) ? 8 * pick(8) : (1 << 18) * pick(12));
		if (f)
			g->undefined = 0;
		return;
	}
	if (base == UB_FS)
		index = UB_NOREG, scale = 0;
	put(g, UB_OP_LEA, pick(2) ? UB_W64 : UB_W32, dst, base, (s32)gen_value(), UB_ADDR_IMM(index, scale));
	wrote(g, dst);
}

/* A pointer that mostly points into the buffer, sometimes to where it hurts. */
static u64 rng_pointer(void)
{
	switch (pick(14)) {
	case 0:
		return (u64)gen_buf + GEN_BUF_LEN + pick(FENCE_LEN / 2);
	case 1:
		return gen_random() | 1ull << 63;
	case 3: case 4:
		return gen_limit + FENCE_LEN + 128 + pick(BEYOND_LEN - 8192);
	case 2:
		return gen_limit + pick(8192) - 4096;
	default:
		return (u64)gen_buf + 128 + pick(GEN_BUF_LEN - 256);
	}
}

static bool is_resident(const struct gen *g, u8 reg)
{
	return (g->resident ? g->resident : UB_RESIDENT_DEFAULT) & 1u << reg;
}

/* A resident register but the two that loops keep for themselves, rsp included. */
static u8 any_resident_reg(const struct gen *g)
{
	u8 reg;

	do
		reg = pick(UB_NGUEST);
	while (!is_resident(g, reg) || reg == UB_R15 || reg == UB_R13);
	return reg;
}

/* An index that is small by data flow, or none: imm of the access. */
static s64 any_index(struct gen *g, u8 base)
{
	u8 index = any_resident_reg(g);

	if (index == base || pick(3) == 0)
		return 0;
	if (pick(2))
		put(g, UB_OP_ZEXT, UB_W8, index, any_reg(g), 0, 0);
	else
		put(g, UB_OP_ANDI, UB_MODE(UB_W64, 0, 0), index, 0, 0, 0x7f);
	mark(g);
	return UB_INDEX_IMM(index, pick(4));
}

/* Accesses through a resident register that is held in place, or that a constant was moved to. */
static void put_held(struct gen *g)
{
	static const u8 ops[] = { UB_OP_LOAD, UB_OP_LOADS32, UB_OP_LOADS64, UB_OP_STORE, UB_OP_STOREI };
	u8 base = any_resident_reg(g), cnt = 1 + pick(3);
	bool is_low = pick(2);
	u64 pointer = rng_pointer();
	s64 index;

	put(g, UB_OP_MOVI, UB_W64, base, 0, 0, pointer);
	mark(g);
	if (pointer > gen_limit || pick(4))
		put(g, UB_OP_HOLD, 0, base, 0, 0, is_low ? UB_HOLD_LOW : 0);
	else
		is_low = false;
	while (cnt--) {
		u8 op = ops[pick(ARRAY_SIZE(ops))], w = any_width(op), reg = any_reg(g);
		s32 off = is_low ? (s32)pick(128) - 64 : (s32)pick(64);

		if (pick(3) == 0)
			put(g, UB_OP_ADDI, UB_W64, base, 0, 0, pick(16));
		index = any_index(g, base);
		mark(g);
		if (op == UB_OP_STORE) {
			put(g, op, w, base, reg, off, index);
		} else if (op == UB_OP_STOREI) {
			put(g, op, w, base, 0, off, (s8)gen_random());
		} else {
			put(g, op, w, reg, base, off, index);
			wrote(g, reg);
			if (reg == base)
				return;
		}
	}
}

static void put_hold32(struct gen *g)
{
	u8 reg = any_resident_reg(g);

	if (pick(2))
		put(g, UB_OP_MOVI, UB_W64, reg, 0, 0, gen_value() & 0xffffffff);
	mark(g);
	put(g, UB_OP_HOLD32, 0, reg, 0, 0, 0);
}

static void put_memory(struct gen *g)
{
	static const u8 ops[] = { UB_OP_LOAD, UB_OP_LOADS32, UB_OP_LOADS64, UB_OP_STORE, UB_OP_STOREI };
	u8 op = ops[pick(ARRAY_SIZE(ops))], w = any_width(op), guard = UB_GUARDS + pick(2), base = pick(16);
	u8 reg = any_reg(g);
	s32 off = pick(64);
	s64 imm = spell(w, gen_random());

	if (pick(5) == 0 && op != UB_OP_STOREI) {
		u64 addr = (u64)gen_buf + pick(GEN_BUF_LEN - 8);

		if (pick(8) == 0)
			addr -= GEN_BUF_LEN;	/* a fence */

		mark(g);
		if (op == UB_OP_STORE)
			put(g, op, w, UB_NOREG, reg, 0, addr);
		else
			put(g, op, w, reg, UB_NOREG, 0, addr);
		if (op != UB_OP_STORE)
			wrote(g, reg);
		return;
	}
	put(g, UB_OP_MOVI, UB_W64, base, 0, 0, rng_pointer());
	mark(g);
	put(g, UB_OP_GUARD, 0, guard, base, -(s32)pick(64), UB_ADDR_IMM(UB_NOREG, 0));
	g->is_written[guard - UB_T0] = true;
	if (op == UB_OP_STORE)
		put(g, op, w, guard, any_reg(g), off, 0);
	else if (op == UB_OP_STOREI)
		put(g, op, w, guard, 0, off, imm);
	else
		put(g, op, w, reg, guard, off, 0);
	if (op != UB_OP_STORE && op != UB_OP_STOREI)
		wrote(g, reg);
}

static void put_modify(struct gen *g)
{
	static const u8 ops[] = {
		UB_OP_ADDM, UB_OP_SUBM, UB_OP_ANDM, UB_OP_ORM, UB_OP_XORM, UB_OP_ADCM, UB_OP_SBBM, UB_OP_ADDMI, UB_OP_SUBMI,
		UB_OP_ANDMI, UB_OP_ORMI, UB_OP_XORMI, UB_OP_ADCMI, UB_OP_SBBMI, UB_OP_NEGM, UB_OP_NOTM, UB_OP_INCM, UB_OP_DECM,
		UB_OP_BTSM, UB_OP_BTRM, UB_OP_BTCM, UB_OP_BTSMI, UB_OP_BTRMI, UB_OP_BTCMI,
		UB_OP_XADDM, UB_OP_XCHGM, UB_OP_CMPXCHGM, UB_OP_CMPXCHGM, UB_OP_CMPXCHG2M,
	};
	struct ub_insn *insn;
	s64 lo, hi;
	u8 op = ops[pick(ARRAY_SIZE(ops))], w = any_width(op), guard = UB_GUARDS + pick(2), base = pick(16);
	u32 effect = ub_op_info[op].effect;
	bool f = effect & UB_E_F_OPT && pick(2), is_imm = ub_op_info[op].shape == UB_S_STOREI;
	u8 mode = UB_MODE(w, f, 0) | (effect & UB_E_LOCK_OPT && pick(2) ? UB_MODE_LOCK : 0);
	u8 src = ub_op_info[op].shape == UB_S_STORE ? any_reg(g) : 0;

	if (g->undefined && effect & (UB_E_RD_FL | UB_E_F_MERGE))
		return;
	if (!is_imm && pick(5) == 0) {
		mark(g);
		insn = put(g, op, mode, UB_NOREG, src, 0, (u64)gen_buf + pick(GEN_BUF_LEN) - (pick(8) ? 8 : GEN_BUF_LEN));
	} else {
		put(g, UB_OP_MOVI, UB_W64, base, 0, 0, rng_pointer());
		mark(g);
		put(g, UB_OP_GUARD, 0, guard, base, -(s32)pick(64), UB_ADDR_IMM(UB_NOREG, 0));
		g->is_written[guard - UB_T0] = true;
		insn = put(g, op, mode, guard, src, pick(64), is_imm ? spell(w, gen_value()) : 0);
		if (ub_insn_imm_range(insn, &lo, &hi))
			insn->imm = lo + pick(hi - lo + 1);
	}
	note_flags(g, insn);
}

/* Operations, but for sums and logic, that may take @reg from memory. */
static void put_other_user(struct gen *g, u8 w, u8 reg)
{
	static const u8 ops[] = { UB_OP_CMP, UB_OP_TEST, UB_OP_TEST, UB_OP_ADC, UB_OP_SBB, UB_OP_IMUL, UB_OP_IMULI,
		UB_OP_CMOV, UB_OP_MULU, UB_OP_MULS, UB_OP_DIVU, UB_OP_DIVS, UB_OP_JEQ };
	u8 op = ops[pick(ARRAY_SIZE(ops))], shape = ub_op_info[op].shape, other = pick(16);
	bool is_compare = ub_op_info[op].effect & UB_E_WR_FL, is_dst = is_compare && pick(2);

	if (op == UB_OP_JEQ) {
		put(g, op, 0, 0, reg, 0, gen_value());	/* to the next instruction */
		return;
	}
	if (!(ub_op_info[op].widths & 1 << w) || (ub_op_info[op].effect & UB_E_RD_FL && g->undefined))
		return;
	if (op == UB_OP_CMOV)
		put(g, op, UB_MODE(w, 0, any_cc()), other, reg, 0, 0);
	else
		put(g, op, w, is_dst ? reg : shape == UB_S_SRC ? 0 : other, is_dst ? other : reg, 0,
		    op == UB_OP_IMULI ? (s8)gen_random() : 0);
	if (is_compare)
		g->undefined = 0;
}

/* What lifted code does with memory operands: a load that only the next instruction uses; a sum in memory whose flags
 * are made behind the store. */
static void put_idiom(struct gen *g)
{
	static const u8 by_reg[] = { UB_OP_ADD, UB_OP_SUB, UB_OP_AND, UB_OP_OR, UB_OP_XOR, UB_OP_CMP };
	u8 guard = UB_GUARDS + pick(2), base = pick(16), w = pick(4), op = by_reg[pick(ARRAY_SIZE(by_reg))];
	u8 load_reg = pick(2) ? guard : UB_T0 + pick(8);
	bool is_sum = pick(3) == 0, f = pick(2), is_add = pick(2);
	s64 imm = (s8)gen_random();

	put(g, UB_OP_MOVI, UB_W64, base, 0, 0, rng_pointer());
	mark(g);
	put(g, UB_OP_GUARD, 0, guard, base, 0, UB_ADDR_IMM(UB_NOREG, 0));
	if (is_sum) {
		put(g, UB_OP_LOAD, UB_W64, UB_T0 + 2, guard, 0, 0);
		put(g, is_add ? UB_OP_ADDI : UB_OP_SUBI, UB_W64, UB_T0 + 2, 0, 0, imm);
		put(g, UB_OP_STORE, UB_W64, guard, UB_T0 + 2, 0, 0);
		put(g, is_add ? UB_OP_SUBI : UB_OP_ADDI, UB_W64, UB_T0 + 2, 0, 0, imm);
		put(g, is_add ? UB_OP_ADDI : UB_OP_SUBI, UB_MODE(UB_W64, 1, 0), UB_T0 + 2, 0, 0, imm);
		g->is_written[2] = true;
		g->undefined = 0;
		return;
	}
	put(g, UB_OP_LOAD, w, load_reg, guard, pick(32), 0);
	if (pick(3) == 0) {
		put_other_user(g, w, load_reg);
	} else if (pick(2)) {
		put(g, op, UB_MODE(w, op != UB_OP_CMP && f, 0), pick(16), load_reg, 0, 0);
		if (f || op == UB_OP_CMP)
			g->undefined = 0;
	} else if (pick(2)) {
		put(g, pick(2) ? UB_OP_CMPI : UB_OP_TESTI, w, load_reg, 0, 0, imm);
		g->undefined = 0;
	}
	memset(g->is_written, 0, sizeof(g->is_written));	/* lets it die here */
}

static void put_rep(struct gen *g)
{
	static const u8 ops[] = { UB_OP_REPMOVS, UB_OP_REPSTOS, UB_OP_REPLODS, UB_OP_REPECMPS, UB_OP_REPNECMPS, UB_OP_REPESCAS,
		UB_OP_REPNESCAS };
	u8 op = ops[pick(ARRAY_SIZE(ops))], w = pick(4);
	u64 from = rng_pointer();
	struct ub_insn *insn;

	put(g, UB_OP_MOVI, UB_W64, UB_RDI, 0, 0, op == UB_OP_REPECMPS && pick(2) ? from : rng_pointer());
	put(g, UB_OP_MOVI, UB_W64, UB_RSI, 0, 0, from);
	put(g, UB_OP_MOVI, UB_W64, UB_RCX, 0, 0, pick(4) ? pick(64) : pick(8192));
	mark(g);
	insn = put(g, op, w, 0, 0, 0, 0);
	if (ub_insn_sets_flags(insn) && g->undefined)
		put(g, UB_OP_TEST, UB_W64, UB_RAX, UB_RAX, 0, 0);	/* none or all of them are new */
	if (ub_insn_sets_flags(insn))
		g->undefined = 0;
}

/* All flags to a register or from one, or the carry alone. */
static void put_flags(struct gen *g)
{
	static const u8 ops[] = { UB_OP_GETFLAGS, UB_OP_SETFLAGS, UB_OP_CLC, UB_OP_STC, UB_OP_CMC };
	u8 op = ops[pick(ARRAY_SIZE(ops))], dst = any_reg(g);

	if (g->undefined)
		return;
	put(g, op, 0, op == UB_OP_GETFLAGS ? dst : 0, op == UB_OP_SETFLAGS ? any_reg(g) : 0, 0, 0);
	if (op == UB_OP_GETFLAGS)
		wrote(g, dst);
}

static void put_syscall(struct gen *g)
{
	u32 nr = pick(4) ? 39 : 0x7b;

	put(g, UB_OP_MOVI, UB_W64, UB_RAX, 0, 0, pick(5) ? nr : (1ull << 32 | nr));
	if (g->undefined)
		put(g, UB_OP_TEST, UB_W64, UB_RAX, UB_RAX, 0, 0);
	g->undefined = 0;	/* they go into r11 */
	mark(g);
	put(g, UB_OP_SYSCALL, 0, 0, 0, 0, nr);
	mark(g);
	memset(g->is_written, 0, sizeof(g->is_written));
}

/* Jumps over some of what follows. */
static void put_jump(struct gen *g)
{
	if (g->join_cnt == ARRAY_SIZE(g->join_at))
		return;
	if (pick(3) == 0)
		put(g, UB_OP_JEQ, 0, 0, any_reg(g), 0, gen_value());
	else if (g->undefined)
		return;
	else
		put(g, UB_OP_JCC, UB_MODE(0, 0, any_cc()), 0, 0, 0, 0);
	g->join_at[g->join_cnt] = g->cnt - 1;
	g->join_undefined[g->join_cnt++] = g->undefined;
}

static void join(struct gen *g)
{
	u32 at;

	if (!g->join_cnt)
		return;
	at = g->join_at[--g->join_cnt];
	g->undefined |= g->join_undefined[g->join_cnt];
	g->insns[at].off = g->cnt - at - 1;
	/* What was written on one path only may not be read. */
	memset(g->is_written, 0, sizeof(g->is_written));
	mark(g);
}

static void put_any(struct gen *g)
{
	switch (pick(24)) {
	case 23: put_flags(g); break;
	case 21: case 22: put_held(g); break;
	case 20: if (pick(4) == 0) put_hold32(g); break;
	case 16: case 17: put_idiom(g); break;
	case 18: case 19: put_bits(g); break;
	case 0: put_shift(g); break;
	case 1: put_mul(g); break;
	case 2: put_cond(g); break;
	case 3: put_address(g); break;
	case 4: case 5: put_memory(g); break;
	case 6: put_modify(g); break;
	case 7: put_jump(g); break;
	case 8: join(g); break;
	case 9: if (pick(4) == 0) put_rep(g); break;
	case 10: if (pick(2) == 0) put_syscall(g); break;
	case 11: if (pick(4) == 0) put_div(g); break;
	default: put_alu(g); break;
	}
}

/* A loop of a few turns round random code, or of many with ticks; r15 counts and is the body's no more. */
static void put_loop(struct gen *g, u32 len)
{
	bool has_tick = pick(2);
	u32 head, i;

	put(g, UB_OP_MOVI, UB_W64, UB_R15, 0, 0, 1 + pick(has_tick && pick(4) == 0 ? 300 : 5));
	head = g->cnt;
	mark(g);
	if (has_tick)
		g->tick_at = g->cnt;
	put(g, has_tick ? UB_OP_TICK : UB_OP_CHECK, 0, 0, 0, 0, 0);
	if (has_tick)
		mark(g);	/* where the way round the renewal comes back */
	put(g, UB_OP_TEST, UB_W64, UB_R15, UB_R15, 0, 0);
	g->undefined = 0;
	memset(g->is_written, 0, sizeof(g->is_written));
	while (g->cnt < len)
		put_any(g);
	while (g->join_cnt)
		join(g);
	for (i = head; i < g->cnt; i++) {
		if (g->insns[i].dst == UB_R15 && g->insns[i].op != UB_OP_TEST)
			g->insns[i].dst = UB_R13;
		if (ub_op_info[g->insns[i].op].effect & UB_E_WR_REG && g->insns[i].imm == UB_R15)
			g->insns[i].imm = UB_R13;
	}
	mark(g);
	put(g, UB_OP_DEC, UB_MODE(UB_W64, true, 0), UB_R15, 0, 0, 0);
	put(g, UB_OP_JCC, UB_MODE(0, 0, UB_CC_NE), 0, 0, (s32)head - (s32)g->cnt - 1, 0);
	g->undefined = 0;
}

/* With room for what rep and exchanges of pairs need. */
static u16 any_resident(void)
{
	const u16 fixed = 1u << UB_RAX | 1u << UB_RCX | 1u << UB_RDX, rep = 1u << UB_RSI | 1u << UB_RDI | 1u << UB_RBX;
	u16 mask;

	if (pick(4) == 0)
		return 0;
	do
		mask = (gen_random() >> 20) | fixed;
	while (__builtin_popcount(mask | rep) > 10);
	return mask;
}

void gen_block(struct gen *g)
{
	u32 len = 4 + pick(GEN_MAX_INSNS - 60);

	memset(g, 0, sizeof(*g));
	g->resident = any_resident();
	mark(g);
	if (pick(3) == 0)
		put_loop(g, len);
	while (g->cnt < len)
		put_any(g);
	while (g->join_cnt)
		join(g);
	mark(g);
	if (pick(4) == 0) {
		put(g, UB_OP_BOUND, 0, 0, UB_RBX, 0, 0);
		put(g, UB_OP_EXITTO, 0, 0, UB_RBX, 0, 0);
	} else {
		put(g, UB_OP_EXIT, 0, 0, 0, 0, GEN_EXIT_IP);
	}
	if (g->tick_at) {
		g->insns[g->tick_at].off = g->cnt - g->tick_at - 1;
		mark(g);
		put(g, UB_OP_CHECK, 0, 0, 0, 0, 0);
		put(g, UB_OP_JMP, 0, 0, 0, (s32)g->tick_at - (s32)g->cnt, 0);
	}
}

u32 gen_ever_undefined(const struct gen *g)
{
	u32 i, flags = 0;

	for (i = 0; i < g->cnt; i++)
		if (ub_insn_sets_flags(&g->insns[i]))
			flags |= undefined_by(&g->insns[i]);
	return flags;
}

int gen_map_buf(void)
{
	u8 *area = mmap(NULL, 2 * FENCE_LEN + GEN_BUF_LEN + BEYOND_LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return -ENOMEM;
	gen_buf = area + FENCE_LEN;
	gen_limit = (u64)gen_buf + GEN_BUF_LEN;
	if (mprotect(gen_buf, GEN_BUF_LEN, PROT_READ | PROT_WRITE))
		return -ENOMEM;
	return mprotect(gen_buf + GEN_BUF_LEN + FENCE_LEN, BEYOND_LEN, PROT_READ | PROT_WRITE);
}

void gen_seed(u64 seed, u32 program)
{
	rng_state = (seed << 32 | program) * 0x9e3779b97f4a7c15ull | 1;
}
