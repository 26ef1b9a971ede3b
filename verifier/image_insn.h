/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image_insn: one machine instruction, as the checker of images reads it.
 *
 * Written from the manual (SDM vol. 2, chapter 2 and appendix A) and from nothing of the JIT's.  A form that is not
 * listed in image_forms.h is not decoded, so nothing else can be in an image.
 */
#ifndef UB_IMAGE_INSN_H
#define UB_IMAGE_INSN_H

#include "image.h"

enum im_reg {
	IM_RAX, IM_RCX, IM_RDX, IM_RBX, IM_RSP, IM_RBP, IM_RSI, IM_RDI, IM_NREG = 16,
};

/* What an instruction is, as far as the checker tells them apart.  Operands, flags and the rest are data. */
enum im_form {
	IM_BAD, IM_NOP,
	IM_LOOK,		/* writes no general register */
	/* By what becomes of the registers that it writes: any value of the width, of 64 bits, of 32 bits, up to the width. */
	IM_OPAQUE, IM_ANY, IM_HALF, IM_COUNT,
	IM_ADD, IM_OR, IM_AND, IM_SUB, IM_XOR, IM_MOV, IM_LEA, IM_MOVZX, IM_MOVSX, IM_CMOV, IM_SETCC, IM_IMUL, IM_NOT, IM_NEG,
	IM_INC, IM_DEC, IM_SHL, IM_SHR, IM_SAR, IM_SHR_CL,
	/* With a rule of their own. */
	IM_CMP, IM_TEST, IM_XCHG, IM_BTX, IM_STRING, IM_PUSHF, IM_PUSH, IM_POP, IM_SAHF, IM_LAHF, IM_MOV_AH, IM_LFENCE, IM_STAC,
	IM_CLAC, IM_CPU_NR, IM_GS_LOAD, IM_GS_CMP, IM_GS_SOFTIRQ, IM_JCC, IM_JRCXZ, IM_JMP, IM_CALL,
};

/* Operands: bit n of im_insn.uses, it is read; bit 8 + n, it is written. */
enum im_operand { IM_OP_RM, IM_OP_REG, IM_OP_VVVV, IM_OP_AX, IM_OP_CX, IM_OP_DX, IM_OP_BX };

#define IM_READS(op)	(1u << (op))
#define IM_WRITES(op)	(1u << (8 + (op)))

/* Flags: which must be the guest's, which become so, and whether others may change. */
enum { IM_CF = 1, IM_OTHERS = 2, IM_ALL_FLAGS = 3 };
enum { IM_NEEDS_CF = 1, IM_NEEDS_ALL = 3, IM_SETS_CF = 4, IM_SETS_OTHERS = 8, IM_SETS_ALL = 12, IM_SPOILS = 16 };

struct im_insn {
	u8 len;
	u8 form;		/* enum im_form */
	u8 width;		/* of the operands, in bits */
	u8 from;		/* of the source of movzx and movsx */
	u8 bytes;		/* of the memory operand at the most; IM_WIDE: of a vector's, in user memory alone */
	u8 opcode;		/* its last byte; the condition is in the low 4 bits */
	u8 flags;
	u8 reg, rm, vvvv;	/* rm: of memory the base, or UB_NOREG */
	u8 index, scale;
	bool is_mem;
	bool has_imm;		/* in place of a register operand */
	bool is_to_reg;		/* reg is the first operand, rm the second */
	bool is_locked;		/* xchg too */
	bool may_raise;		/* other than by memory: a fault-table entry is due */
	u16 uses;		/* general registers, and memory in the place of rm */
	s32 disp;
	s64 imm;
	u32 features;		/* what the machine must have: UB_VEC_F_*, and UB_INT_F_* << 16 */
};

#define IM_WIDE		32u
#define IM_VECTORS	0xffffu	/* of features: it is a vector instruction */

/* Reads one instruction of at most @room bytes; false if it is none that an image may have. */
bool im_decode(const u8 *code, u32 room, struct im_insn *insn);

#endif
