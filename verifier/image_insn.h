/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image_insn: one machine instruction, as the checker of images reads it.
 *
 * Written from the manual (SDM vol. 2, chapter 2 and appendix A) and from nothing of the JIT's.  A form that is not
 * listed is not decoded, so nothing else can be in an image.
 */
#ifndef UB_IMAGE_INSN_H
#define UB_IMAGE_INSN_H

#include "image.h"

enum im_reg {
	IM_RAX, IM_RCX, IM_RDX, IM_RBX, IM_RSP, IM_RBP, IM_RSI, IM_RDI, IM_R8, IM_R9, IM_R10, IM_R11, IM_NREG = 16,
};

/* What an instruction is, as far as the checker tells them apart. */
enum im_form {
	IM_BAD, IM_NOP,
	/* Of general registers and memory; the operands are in im_insn. */
	IM_ADD, IM_OR, IM_ADC, IM_SBB, IM_AND, IM_SUB, IM_XOR, IM_CMP,	/* by their digit */
	IM_TEST, IM_MOV, IM_LEA, IM_MOVZX, IM_MOVSX, IM_CMOV, IM_SETCC, IM_XCHG, IM_XADD, IM_CMPXCHG, IM_CMPXCHG2,
	IM_NOT, IM_NEG, IM_MUL, IM_DIV, IM_IMUL, IM_INC, IM_DEC,
	IM_ROT, IM_ROTC, IM_SHL, IM_SHR, IM_SAR, IM_SHIFT_CL, IM_ROTC_CL, IM_SHR_CL, IM_SHXD, IM_SHXD_CL,
	IM_BT, IM_BTX, IM_BSWAP, IM_SCAN, IM_COUNT, IM_CRC32, IM_ADX, IM_BMI, IM_BMI_FLAGS, IM_MULX, IM_STRING,
	/* Of flags, the stack, time, access. */
	IM_PUSHF, IM_PUSH, IM_POP, IM_SAHF, IM_LAHF, IM_MOV_AH, IM_CLC, IM_CMC, IM_LFENCE, IM_FENCE, IM_STAC, IM_CLAC,
	IM_RDTSC, IM_RDTSCP, IM_RDPID, IM_GS_LOAD, IM_GS_CMP, IM_GS_SOFTIRQ,
	/* Control. */
	IM_JCC, IM_JRCXZ, IM_JMP, IM_CALL, IM_RET,
	/* Vectors. */
	IM_VEC,
};

/* Of IM_VEC: where general registers, flags and memory come in. */
enum im_vec {
	IM_VEC_READ,		/* reads rm; writes vector registers alone */
	IM_VEC_STORE,		/* writes rm */
	IM_VEC_TO_REG,		/* writes the general register reg; reads rm */
	IM_VEC_TO_RM,		/* writes rm, a general register or memory */
	IM_VEC_FROM_RM,		/* reads rm, a general register or memory of at most 8 bytes */
	IM_VEC_FLAGS,		/* reads rm; sets flags */
	IM_VEC_STRING,		/* pcmpXstrX: reads rax and rdx, writes rcx, sets flags */
	IM_VEC_NONE,		/* has no operand */
};

struct im_insn {
	u8 len;
	u8 form;		/* enum im_form */
	u8 vec;			/* enum im_vec */
	u8 width;		/* of the operands, in bits */
	u8 from;		/* of the source of movzx and movsx */
	u8 cc;			/* condition: x86's number */
	u8 reg, rm, vvvv;	/* rm: of memory the base, or UB_NOREG */
	u8 index, scale;
	bool is_mem;
	bool has_imm;		/* in place of a register operand */
	bool is_to_reg;		/* reg is the destination, rm the source */
	bool is_locked;
	bool may_raise;		/* other than by memory: a fault-table entry is due */
	bool has_high_byte;	/* a register operand is ah..bh */
	u8 rep;			/* 0xf2, 0xf3 or 0 */
	u8 opcode;
	s32 disp;
	s64 imm;
	u16 vec_features;	/* UB_VEC_F_* that the machine must have, */
	u8 int_features;	/* and UB_INT_F_* */
};

/* Reads one instruction of at most @room bytes; false if it is none that an image may have. */
bool im_decode(const u8 *code, u32 room, struct im_insn *insn);

/* image_vec.c: the same of a vector instruction, whose prefixes are read. */
struct im_opcode {
	u8 map;			/* 1: 0f, 2: 0f 38, 3: 0f 3a */
	u8 prefix;		/* as VEX numbers them: 0, 66, f3, f2 */
	u8 opcode;
	u8 length;		/* 0: without VEX; 1: 128 bits, 2: 256 */
	bool has_w;
};
/* False: there is none.  *ret_has_imm: a constant of a byte follows. */
bool im_vec_find(const struct im_opcode *op, struct im_insn *insn, bool *ret_has_imm);

#endif
