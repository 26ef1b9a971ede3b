// SPDX-License-Identifier: GPL-2.0
/* op: the table of ops.h as data.  Who wants to know what an operation uses or does asks here. */
#include "vecop.h"

/* The words of ops.h.  They live here alone, so that the list stays readable and the names stay out of the way. */
#define W_NONE	0
#define W_8	(1 << UB_W8)
#define W_16	(1 << UB_W16)
#define W_32	(1 << UB_W32)
#define W_64	(1 << UB_W64)
#define W_ALL	(W_8 | W_16 | W_32 | W_64)
#define W_VEC	((1 << UB_VEC_VARIANTS) - 1)	/* in the place of widths: the variants */

#define E_MARK		UB_E_MARK
#define E_RD_DST	UB_E_RD_DST
#define E_RD_SRC	UB_E_RD_SRC
#define E_RD_ADDR	UB_E_RD_ADDR
#define E_WR_DST	UB_E_WR_DST
#define E_WR_ALL	UB_E_WR_ALL
#define E_RD_FL		UB_E_RD_FL
#define E_WR_FL		UB_E_WR_FL
#define E_F_OPT		UB_E_F_OPT
#define E_F_MERGE	UB_E_F_MERGE
#define E_RD_MEM	UB_E_RD_MEM
#define E_WR_MEM	UB_E_WR_MEM
#define E_LEAVES	UB_E_LEAVES
#define E_CHECK		UB_E_CHECK
#define E_CALLS		UB_E_CALLS
#define E_JUMPS		UB_E_JUMPS
#define E_ENDS		UB_E_ENDS
#define E_AX_DX		UB_E_AX_DX
#define E_REP		UB_E_REP
#define E_TICK		UB_E_TICK
#define E_LOCK_OPT	UB_E_LOCK_OPT
#define E_RD_REG	UB_E_RD_REG
#define E_WR_SRC	UB_E_WR_SRC
#define E_WR_REG	UB_E_WR_REG
#define E_STR		UB_E_STR
#define E_VEC		UB_E_VEC
#define E_WR_VEC	UB_E_WR_VEC
#define E_MODIFY	(E_LEAVES | E_RD_MEM | E_WR_MEM | E_LOCK_OPT)

const struct ub_op_info ub_op_info[UB_OP_COUNT] = {
#define OP(name, text, shape, widths, effect) [UB_OP_##name] = { text, UB_S_##shape, widths, effect },
#include "ops.h"
};

static bool is_vec(const struct ub_insn *insn)
{
	return ub_op_info[insn->op].effect & UB_E_VEC;
}

u64 ub_insn_constant_addr(const struct ub_insn *insn)
{
	return is_vec(insn) ? (u64)insn->imm & UB_VEC_ADDR_MASK : (u64)insn->imm;
}

u32 ub_insn_mem_bytes(const struct ub_insn *insn)
{
	if (is_vec(insn))
		return ub_vec_mem_bytes(ub_vec_of(insn), ub_vec_variant(insn));
	return UB_WIDTH_BYTES(ub_insn_width(insn)) << (insn->op == UB_OP_CMPXCHG2M);
}

u8 ub_insn_base_reg(const struct ub_insn *insn)
{
	switch (ub_op_info[insn->op].shape) {
	case UB_S_ADDR:
	case UB_S_LOAD:
	case UB_S_VEC_LOAD:
	case UB_S_VEC_TO_LOAD:
		return insn->src;
	case UB_S_STORE:
	case UB_S_STOREI:
	case UB_S_MEM:
	case UB_S_VEC_STORE:
		return insn->dst;
	default:
		return UB_NOREG;
	}
}

/* Has it the form of address that may be constant, or have an index? */
static bool has_access(const struct ub_insn *insn)
{
	switch (ub_op_info[insn->op].shape) {
	case UB_S_LOAD:
	case UB_S_STORE:
	case UB_S_MEM:
	case UB_S_VEC_LOAD:
	case UB_S_VEC_TO_LOAD:
	case UB_S_VEC_STORE:
		return true;
	default:
		return false;
	}
}

bool ub_insn_is_constant_access(const struct ub_insn *insn)
{
	return has_access(insn) && ub_insn_base_reg(insn) == UB_NOREG;
}

u8 ub_insn_index_reg(const struct ub_insn *insn)
{
	if (ub_op_info[insn->op].shape == UB_S_ADDR)
		return ub_insn_index(insn);
	if (!has_access(insn) || ub_insn_base_reg(insn) == UB_NOREG || !(insn->imm & UB_INDEXED))
		return UB_NOREG;
	return ub_insn_index(insn);
}

_Static_assert(sizeof(struct ub_insn) == 16, "the wire format has 16 bytes");
_Static_assert(sizeof(struct ub_entry) == 16, "entries travel as they are");
_Static_assert(UB_OP_COUNT < 256, "the operation is one byte");

#define REG(reg)	(1u << (reg))
#define TEMPS		(REG(UB_TEMPS_END) - REG(UB_T0))

/* UB_NOREG and what is malformed are no register. */
static u32 mask_of(u8 reg)
{
	return reg < UB_NREGS ? REG(reg) : 0;
}

/* The registers of the address, if the operation has one. */
static u32 reads_of_address(const struct ub_insn *insn)
{
	return mask_of(ub_insn_base_reg(insn)) | mask_of(ub_insn_index_reg(insn));
}

/* What operations read and write whatever their fields say: by their effect, and of one operation each. */
#define READS(effect)	(((effect) & E_AX_DX ? REG(UB_RAX) | REG(UB_RDX) : 0) |					\
			 ((effect) & E_REP ? REG(UB_RAX) | REG(UB_RCX) | REG(UB_RSI) | REG(UB_RDI) : 0) |		\
			 ((effect) & E_STR ? REG(UB_RAX) | REG(UB_RCX) | REG(UB_RDX) : 0))
#define WRITES(effect)	(((effect) & E_AX_DX ? REG(UB_RAX) | REG(UB_RDX) : 0) |					\
			 ((effect) & E_REP ? REG(UB_RCX) | REG(UB_RSI) | REG(UB_RDI) : 0) |				\
			 ((effect) & E_STR ? REG(UB_RCX) : 0) |								\
			 ((effect) & E_CALLS ? REG(UB_RAX) | REG(UB_RCX) | REG(UB_R11) | TEMPS : 0))

static const struct { u32 reads, writes; } by_effect[UB_OP_COUNT] = {
#define OP(name, text, shape, widths, effect) [UB_OP_##name] = { READS(effect), WRITES(effect) },
#include "ops.h"
};

static const struct { u32 reads, writes; } by_nature[UB_OP_COUNT] = {
	[UB_OP_SHLD] = { .reads = REG(UB_RCX) },
	[UB_OP_SHRD] = { .reads = REG(UB_RCX) },
	[UB_OP_MULX] = { .reads = REG(UB_RDX) },
	[UB_OP_CMPXCHG] = { REG(UB_RAX), REG(UB_RAX) },
	[UB_OP_CMPXCHGM] = { REG(UB_RAX), REG(UB_RAX) },
	[UB_OP_CMPXCHG2M] = { REG(UB_RAX) | REG(UB_RCX) | REG(UB_RDX) | REG(UB_RBX), REG(UB_RAX) | REG(UB_RDX) },
	[UB_OP_REPLODS] = { .writes = REG(UB_RAX) },
};

u32 ub_insn_reads(const struct ub_insn *insn)
{
	u32 effect = ub_op_info[insn->op].effect;
	u32 mask = reads_of_address(insn) | by_effect[insn->op].reads | by_nature[insn->op].reads;

	if (effect & UB_E_RD_DST || (effect & UB_E_WR_DST && ub_insn_width(insn) < UB_W32))
		mask |= mask_of(insn->dst);
	if (effect & UB_E_RD_SRC)
		mask |= mask_of(insn->src);
	if (effect & UB_E_RD_REG)
		mask |= mask_of(ub_insn_third(insn));
	return mask;
}

u32 ub_insn_writes(const struct ub_insn *insn)
{
	u32 effect = ub_op_info[insn->op].effect, mask = by_effect[insn->op].writes | by_nature[insn->op].writes;

	if (effect & (UB_E_WR_DST | UB_E_WR_ALL))
		mask |= mask_of(insn->dst);
	if (effect & UB_E_WR_SRC)
		mask |= mask_of(insn->src);
	if (effect & UB_E_WR_REG)
		mask |= mask_of(ub_insn_third(insn));
	return mask;
}

bool ub_insn_imm_range(const struct ub_insn *insn, s64 *ret_lo, s64 *ret_hi)
{
	u32 bits = UB_WIDTH_BITS(ub_insn_width(insn));

	switch (insn->op) {
	case UB_OP_SHLI: case UB_OP_SHRI: case UB_OP_SARI: case UB_OP_ROLI: case UB_OP_RORI: case UB_OP_RCLI: case UB_OP_RCRI:
	case UB_OP_SHLDI: case UB_OP_SHRDI:
		*ret_lo = 1;
		*ret_hi = bits == 64 ? 63 : 31;
		return true;
	case UB_OP_BTI: case UB_OP_BTSI: case UB_OP_BTRI: case UB_OP_BTCI: case UB_OP_BTSMI: case UB_OP_BTRMI:
	case UB_OP_BTCMI: case UB_OP_RORX:
		*ret_lo = 0;
		*ret_hi = bits - 1;
		return true;
	default:
		return false;
	}
}
