/* SPDX-License-Identifier: GPL-2.0 */
/*
 * op: one IR instruction, and what the table in ops.h says about it.
 *
 * Wire format (little endian, 16 bytes), the same in memory:
 *   u8 op   u8 mode   u8 dst   u8 src   s32 off   s64 imm
 *   mode    bits 0-1 width (0: 8, 1: 16, 2: 32, 3: 64 bits), bit 2 the f suffix, bit 3 the lock suffix,
 *           bits 4-7 condition by x86 number (SDM vol. 1 appendix B.1)
 *   shape ADDR: src is the base or UB_NOREG; imm bits 0-7 the index or UB_NOREG,
 *           bits 8-9 the scale as a shift; the rest of imm zero; scale 0 without index
 *   shapes LOAD, STORE, MEM: with a base, imm is 0, or UB_INDEXED and index and scale as in shape ADDR;
 *           without one (UB_NOREG), off is 0 and imm the address
 */
#ifndef UB_OP_H
#define UB_OP_H

#include <ub/port.h>

/* r0-r15 are rax..r15 by x86 number; r16-r23 are temporaries; UB_FS reads as the thread's FS base. */
enum {
	UB_RAX, UB_RCX, UB_RDX, UB_RBX, UB_RSP, UB_RBP, UB_RSI, UB_RDI,
	UB_R8, UB_R9, UB_R10, UB_R11, UB_R12, UB_R13, UB_R14, UB_R15,
	UB_T0,			/* r16..: temporaries, unwritten at entry and after a syscall */
	UB_GUARDS = UB_T0,	/* r16 and r17, like the block's resident registers, may hold guarded addresses: */
	UB_GUARDS_END = UB_T0 + 2, /* every backend keeps them in machine registers */
	UB_TEMPS_END = UB_T0 + 8,
	UB_FS = UB_TEMPS_END,	/* "fs": readable only as a base in shape ADDR */
	UB_NREGS,
	UB_NGUEST = 16,
	UB_NVEC = 16,		/* v0-v15 are ymm0-ymm15 */
	UB_NOREG = 0xff,
};

enum ub_width { UB_W8, UB_W16, UB_W32, UB_W64 };

#define UB_GUEST_REGS	((1u << UB_NGUEST) - 1)	/* as a mask */

#define UB_WIDTH_BITS(w)	(8u << (w))
#define UB_WIDTH_BYTES(w)	(1u << (w))

#define UB_MODE_F	4u
#define UB_MODE_LOCK	8u
#define UB_MODE(w, f, cc)	((w) | ((f) ? UB_MODE_F : 0) | (cc) << 4)

/* Conditions, by x86 number: o no b ae e ne be a s ns p np l ge le g. */
enum ub_cc {
	UB_CC_O, UB_CC_NO, UB_CC_B, UB_CC_AE, UB_CC_E, UB_CC_NE, UB_CC_BE, UB_CC_A,
	UB_CC_S, UB_CC_NS, UB_CC_P, UB_CC_NP, UB_CC_L, UB_CC_GE, UB_CC_LE, UB_CC_G,
};

/* EFLAGS bits (SDM vol. 1, 3.4.3) a guest instruction of ours may change. */
#define UB_FL_CF	0x001u
#define UB_FL_PF	0x004u
#define UB_FL_AF	0x010u
#define UB_FL_ZF	0x040u
#define UB_FL_SF	0x080u
#define UB_FL_OF	0x800u
#define UB_FL_ALL	0x8d5u

enum ub_shape {
	UB_S_NONE,
	UB_S_MARK,		/* imm, off		insn 0x1234 +5 */
	UB_S_IP,		/* imm			exit 0x1234 */
	UB_S_IMM,		/* imm			syscall 39 */
	UB_S_DST,		/* dst			neg.32 r0 */
	UB_S_SRC,		/* src			bound r17 */
	UB_S_DST_SRC,		/* dst, src		add.64f r0, r1 */
	UB_S_DST_IMM,		/* dst, imm		addi.64 r0, 5 */
	UB_S_DST_SRC_IMM,	/* dst, src, imm	imuli.64 r0, r1, 5 */
	UB_S_DST_SRC_REG,	/* dst, src, imm: a register	andn.64 r0, r1, r2 */
	UB_S_ADDR,		/* dst, src, imm, off	guard r17, [r3 + r1 * 8 + 16] */
	UB_S_LOAD,		/* dst, src|none+imm, off	load.64 r0, [r17 + r1 * 8 + 8]   load.64 r0, [0x4000] */
	UB_S_STORE,		/* dst|none+imm, src, off	store.64 [r17 + r1 * 8 + 8], r0 */
	UB_S_STOREI,		/* dst, imm, off	storei.64 [r17 + 8], 5 */
	UB_S_MEM,		/* dst|none+imm, off	negm.64 [r17 + 8] */
	UB_S_DST_CC,		/* dst, cc		set.ne r0 */
	UB_S_DST_SRC_CC,	/* dst, src, cc		cmov.64.l r0, r1 */
	UB_S_TO,		/* off			jmp L1 */
	UB_S_CC_TO,		/* cc, off		j.ne L1 */
	UB_S_SRC_IMM_TO,	/* src, imm, off	jeq r17, 0x1234, L1 */
	/* Of vectors, see vecop.h. */
	UB_S_VEC,		/* dst, src: both v	vec.128 paddb v1, v2, v3 */
	UB_S_VEC_LOAD,		/* dst: v		vecm.sse paddb v1, [r17 + 16] */
	UB_S_VEC_STORE,		/* src: v		vst.256 movups [r17], v1 */
	UB_S_VEC_TO,		/* dst: r, src: v	vtog.sse pmovmskb r0, v1 */
	UB_S_VEC_TO_LOAD,	/* dst: r		vtogm.sse cvtsd2si r0, [r17] */
	UB_S_VEC_FROM,		/* dst: v, src: r	vfromg.sse movq v1, r0 */
};

/* Effects: the E_* words of ops.h. */
enum ub_effect {
	UB_E_MARK	= 1 << 0,
	UB_E_RD_DST	= 1 << 1,	/* dst is read */
	UB_E_RD_SRC	= 1 << 2,
	UB_E_RD_ADDR	= 1 << 3,	/* base and index are read */
	UB_E_WR_DST	= 1 << 4,	/* dst is written at the width: 8 and 16 keep the other bits (so read it) */
	UB_E_WR_ALL	= 1 << 5,	/* all 64 bits of dst are written */
	UB_E_RD_FL	= 1 << 6,
	UB_E_WR_FL	= 1 << 7,	/* sets the guest's flags, no suffix needed */
	UB_E_F_OPT	= 1 << 8,	/* sets the guest's flags with the f suffix */
	UB_E_F_MERGE	= 1 << 9,	/* with f, some flags (or all, on a count of 0) keep their old value */
	UB_E_RD_MEM	= 1 << 10,
	UB_E_WR_MEM	= 1 << 11,
	UB_E_LEAVES	= 1 << 12,	/* may leave to the mark; guest state must be that of the mark */
	UB_E_CHECK	= 1 << 13,	/* contains the yield test */
	UB_E_CALLS	= 1 << 14,	/* calls out: temporaries become unwritten */
	UB_E_JUMPS	= 1 << 15,	/* off is a branch target */
	UB_E_ENDS	= 1 << 16,	/* no fall-through */
	UB_E_AX_DX	= 1 << 17,	/* reads rax, rdx; writes both */
	UB_E_REP	= 1 << 18,	/* reads and writes rcx, rsi, rdi (movs) or reads rax, rw rcx, rdi (stos) */
	UB_E_TICK	= 1 << 19,	/* counts a tick; off is where it goes when they are used up */
	UB_E_LOCK_OPT	= 1 << 20,	/* may carry the lock suffix */
	UB_E_RD_REG	= 1 << 21,	/* shape DST_SRC_REG: the third register is read, */
	UB_E_WR_REG	= 1 << 22,	/* or written at the width, of 32 or 64 bits */
	UB_E_WR_SRC	= 1 << 23,	/* src is written at the width, as well as read */
	UB_E_STR	= 1 << 27,	/* reads rax, rdx; reads and writes rcx */
	UB_E_VEC	= 1 << 28,	/* uses vector registers or MXCSR; a row of vec.h says which */
	UB_E_WR_VEC	= 1 << 29,	/* changes them */
};

struct ub_insn {
	u8 op;
	u8 mode;
	u8 dst;
	u8 src;
	s32 off;
	s64 imm;
};

enum ub_op {
#define OP(name, text, shape, widths, effect) UB_OP_##name,
#include "ops.h"
	UB_OP_COUNT
};

struct ub_op_info {
	const char *text;
	u8 shape;		/* enum ub_shape */
	u8 widths;		/* bit w set: width w allowed; 0: the operation has no width */
	u32 effect;		/* enum ub_effect */
};

extern const struct ub_op_info ub_op_info[UB_OP_COUNT];

static inline enum ub_width ub_insn_width(const struct ub_insn *insn)
{
	return (enum ub_width)(insn->mode & 3);
}

static inline enum ub_cc ub_insn_cc(const struct ub_insn *insn)
{
	return (enum ub_cc)(insn->mode >> 4);
}

/* True when the instruction sets (any of) the guest's flags. */
static inline bool ub_insn_sets_flags(const struct ub_insn *insn)
{
	return ub_op_info[insn->op].effect & UB_E_WR_FL || insn->mode & UB_MODE_F;
}

static inline u8 ub_insn_index(const struct ub_insn *insn)
{
	return insn->imm & 0xff;
}

/* The third register of shape DST_SRC_REG. */
static inline u8 ub_insn_third(const struct ub_insn *insn)
{
	return insn->imm;
}

static inline u8 ub_insn_scale(const struct ub_insn *insn)
{
	return (insn->imm >> 8) & 3;
}

#define UB_ADDR_IMM(index, scale)	((s64)((index) | (scale) << 8))
/* imm of shapes LOAD and STORE with a base and an index. */
#define UB_INDEXED			((s64)1 << 10)
#define UB_INDEX_IMM(index, scale)	(UB_INDEXED | UB_ADDR_IMM(index, scale))

/* op.c: the index of the address of an instruction of any shape, or UB_NOREG; its scale is ub_insn_scale(). */
u8 ub_insn_index_reg(const struct ub_insn *insn);
/* Likewise its base. */
u8 ub_insn_base_reg(const struct ub_insn *insn);
/* Does it read or write memory at a constant address?  Which one. */
bool ub_insn_is_constant_access(const struct ub_insn *insn);
u64 ub_insn_constant_addr(const struct ub_insn *insn);

/*
 * Bit n: the instruction reads register n, as an operand, a base or an index, by its nature, or because it keeps some
 * of its bits; it writes some of register n.  UB_FS is a register here.  Of a syscall the masks name what it makes of
 * the guest (rax, rcx, r11 and the temporaries), not what the call is given.
 */
u32 ub_insn_reads(const struct ub_insn *insn);
u32 ub_insn_writes(const struct ub_insn *insn);

/* How many bytes of memory the instruction reads or writes at its address. */
u32 ub_insn_mem_bytes(const struct ub_insn *insn);

static inline bool ub_insn_is_locked(const struct ub_insn *insn)
{
	return insn->mode & UB_MODE_LOCK || insn->op == UB_OP_XCHGM;
}

/* True when imm is a shift count or the number of a bit: from @ret_lo to @ret_hi. */
bool ub_insn_imm_range(const struct ub_insn *insn, s64 *ret_lo, s64 *ret_hi);

/* Index of the target of a jump that stands at @idx. */
static inline s64 ub_insn_target(const struct ub_insn *insn, u32 idx)
{
	return (s64)idx + 1 + insn->off;
}

/* Limits of one block. */
#define UB_MAX_INSNS		65536u
#define UB_MAX_ENTRIES		64u
#define UB_MAX_UNCHECKED	10000u	/* instructions between two checks on any path, */
#define UB_MAX_UNTICKED		4000u	/* or where there are ticks, between two of either */
#define UB_MAX_RESIDENT		10u	/* guest registers in machine registers */

/* tick: how many there are from one check to the next, the last of which goes to its target, and how many more a CPU
 * may run past one that it predicted wrong: no CPU has so many instructions in flight (the largest have 512). */
#define UB_TICKS		128
#define UB_TICK_SLACK		1024
/* hold: the greater of its two lower bounds.  So far below the register an access may reach. */
#define UB_HOLD_LOW		((s64)1 << 20)

/* rax rcx rdx rbx rsi rdi r12-r15: what is resident where the block says nothing. */
#define UB_RESIDENT_DEFAULT	0xf0cfu

/* Where the guest may come in: insns[insn_idx] is a mark with imm == ip. */
struct ub_entry {
	u64 ip;
	u32 insn_idx;
	u32 pad;		/* zero */
};

/* A region of guest code as IR.  Borrows both arrays from whoever made it. */
struct ub_block {
	const struct ub_insn *insns;
	const struct ub_entry *entries;
	u32 insn_cnt;
	u32 entry_cnt;
	u16 resident;		/* bit n: guest register n is kept in a machine register throughout; 0: the default */
};

static inline u16 ub_block_resident(const struct ub_block *block)
{
	return block->resident ? block->resident : UB_RESIDENT_DEFAULT;
}

/*
 * wire.c: the shape of one instruction.  0, or -EINVAL with *ret_why a static text such as
 * "unknown operation" or "off must be zero".  Accepts each instruction in exactly one spelling, so two blocks
 * are equal iff their bytes are.  Does not look at jump targets or at LIMIT: verifier/cfg.c does.
 */
int ub_insn_check(const struct ub_insn *insn, const char **ret_why);

/*
 * text.c: writes one instruction without newline, always NUL-terminated; returns the length it needs, as
 * snprintf().  Jump targets are printed as @N, the absolute index, from @idx.
 */
int ub_insn_text(const struct ub_insn *insn, u32 idx, char *buf, size_t size);
const char *ub_reg_name(u8 reg);	/* "r0".."r23", "fs", "?" */
const char *ub_cc_name(u8 cc);

#endif
