/* SPDX-License-Identifier: GPL-2.0 */
/*
 * decode: one guest instruction as the lifter wants it.  Registers are IR registers; what cannot be lifted whatever
 * its operands says so here.
 */
#ifndef UB_DECODE_H
#define UB_DECODE_H

#include "../ir/vecop.h"

enum ub_x86_name {
	UB_X86_VECTOR,		/* all of ir/vec.h: vec_row says which */
#define NAME(mnemonic, fn, op, cc, flags) UB_X86_##mnemonic,
#include "names.h"
	UB_X86_COUNT
};

enum ub_x86_flags { UB_X86_KEEP, UB_X86_SET, UB_X86_MERGE, UB_X86_READ, UB_X86_READ_SET };

enum ub_x86_kind { UB_X86_NONE, UB_X86_REG, UB_X86_MEM, UB_X86_IMM, UB_X86_VREG };

struct ub_x86_operand {
	u8 kind;		/* enum ub_x86_kind */
	u8 width;		/* enum ub_width */
	u8 reg;			/* REG, VREG: the register; MEM: the base, UB_FS or UB_NOREG */
	u8 index;		/* MEM: the index or UB_NOREG */
	u8 scale;		/* MEM: as a shift */
	bool is_high;		/* REG: ah, ch, dh or bh, in bits 8-15 of reg */
	bool is_fs;		/* MEM: the thread's FS base is added */
	bool is_a32;		/* MEM: the address has 32 bits, before that */
	s64 imm;		/* IMM: sign-extended from the width; MEM: displacement, with UB_NOREG the address */
};

struct ub_x86_insn {
	u64 ip;
	u64 target;		/* of a direct branch */
	u8 bytes[15];
	u8 len;
	u8 name;		/* enum ub_x86_name */
	u8 operand_cnt;
	bool is_rep;
	bool is_repne;		/* is_rep, with the other prefix */
	bool is_a32;		/* the address size prefix: rcx counts with 32 bits */
	bool is_16;		/* operands of 16 bits, the hidden ones too */
	bool is_locked;		/* the prefix: operand 0 is memory */
	bool is_direct;		/* a branch to target */
	bool may_leave;		/* touches memory, divides or leaves by nature */
	u16 vec_row;		/* VECTOR: in ir/vec.h, */
	u8 vec_variant;		/* enum ub_vec_variant, */
	u8 vec_constant;
	u16 writes;		/* bit n: register n is written, by whatever operand */
	struct ub_x86_operand operands[4];
	char why[48];		/* not empty: it ends the block, and this is why */
};

/* Decodes at most @len bytes that stand at @ip.  Always fills *ret; see why. */
void ub_decode(const u8 *bytes, u32 len, u64 ip, struct ub_x86_insn *ret);

#endif
