/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86: the encoder.  Each function appends one machine instruction (SDM vol. 2) to a code buffer.
 *
 * The buffer has a sticky overflow: past its end nothing is written, @overflow is set, and the caller looks once.
 */
#ifndef UB_X86_H
#define UB_X86_H

#include "../../ir/vecop.h"

enum x86_reg {
	X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
	X86_R8, X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15,
	X86_NOREG = 0xff,
};

struct x86_code {
	u8 *buf;
	u32 len;
	u32 cap;
	bool overflow;
	u8 watched;		/* a register; and whether an instruction since had it as an operand, */
	bool is_touched;	/* other than as the base of an address */
};

/* An operand: a register, or memory at [reg + (index << scale) + off]. */
struct x86_rm {
	bool is_mem;
	u8 reg;			/* X86_NOREG: no base (then an index is needed) */
	u8 index;		/* X86_NOREG: none */
	u8 scale;
	s32 off;
};

static inline struct x86_rm x86_reg(u8 reg)
{
	return (struct x86_rm){ .reg = reg, .index = X86_NOREG };
}

static inline struct x86_rm x86_mem(u8 base, s32 off)
{
	return (struct x86_rm){ .is_mem = true, .reg = base, .index = X86_NOREG, .off = off };
}

/* The eight classic operations, by their /digit. */
enum x86_alu { X86_ADD, X86_OR, X86_ADC, X86_SBB, X86_AND, X86_SUB, X86_XOR, X86_CMP };
/* Shifts and rotates, by their /digit. */
enum x86_shift { X86_ROL = 0, X86_ROR = 1, X86_RCL = 2, X86_RCR = 3, X86_SHL = 4, X86_SHR = 5, X86_SAR = 7 };
/* Group 8, by /digit. */
enum x86_bit { X86_BT = 4, X86_BTS, X86_BTR, X86_BTC };
/* Group 3 (f6/f7), by /digit. */
enum x86_unary { X86_NOT = 2, X86_NEG = 3, X86_MUL = 4, X86_IMUL = 5, X86_DIV = 6, X86_IDIV = 7 };

void x86_put8(struct x86_code *code, u8 byte);
void x86_put32(struct x86_code *code, u32 val);
void x86_patch32(struct x86_code *code, u32 off, u32 val);
/* ModRM, SIB and displacement (SDM vol. 2A, 2.1.5); of the registers' numbers the low three bits. */
void x86_put_modrm(struct x86_code *code, u8 reg, struct x86_rm rm);

/* op rm, reg   and   op reg, rm */
void x86_alu_rm_reg(struct x86_code *code, enum ub_width w, enum x86_alu alu, struct x86_rm rm, u8 reg);
void x86_alu_reg_rm(struct x86_code *code, enum ub_width w, enum x86_alu alu, u8 reg, struct x86_rm rm);
void x86_alu_rm_imm(struct x86_code *code, enum ub_width w, enum x86_alu alu, struct x86_rm rm, s32 imm);
void x86_test_rm_reg(struct x86_code *code, enum ub_width w, struct x86_rm rm, u8 reg);
void x86_test_rm_imm(struct x86_code *code, enum ub_width w, struct x86_rm rm, s32 imm);
void x86_mov_rm_reg(struct x86_code *code, enum ub_width w, struct x86_rm rm, u8 reg);
void x86_mov_reg_rm(struct x86_code *code, enum ub_width w, u8 reg, struct x86_rm rm);
void x86_mov_rm_imm(struct x86_code *code, enum ub_width w, struct x86_rm rm, s32 imm);
/* mov reg, imm in its shortest form; touches no flag. */
void x86_mov_reg_imm64(struct x86_code *code, u8 reg, u64 imm);
/* movzx/movsx reg (32 or 64 bits), rm of @from bits (movsxd for 32). */
void x86_movzx(struct x86_code *code, enum ub_width from, u8 reg, struct x86_rm rm);
void x86_movsx(struct x86_code *code, enum ub_width from, enum ub_width to, u8 reg, struct x86_rm rm);
void x86_lea(struct x86_code *code, enum ub_width w, u8 reg, struct x86_rm mem);
void x86_unary(struct x86_code *code, enum ub_width w, enum x86_unary op, struct x86_rm rm);
/* The prefix: comes right before the instruction. */
void x86_lock(struct x86_code *code);
void x86_inc_dec(struct x86_code *code, enum ub_width w, bool is_dec, struct x86_rm rm);
void x86_shift_imm(struct x86_code *code, enum ub_width w, enum x86_shift op, struct x86_rm rm, u8 count);
void x86_shift_cl(struct x86_code *code, enum ub_width w, enum x86_shift op, struct x86_rm rm);
void x86_imul_reg_rm(struct x86_code *code, enum ub_width w, u8 reg, struct x86_rm rm);
void x86_imul_reg_rm_imm(struct x86_code *code, enum ub_width w, u8 reg, struct x86_rm rm, s32 imm);
void x86_bswap(struct x86_code *code, enum ub_width w, u8 reg);
void x86_setcc(struct x86_code *code, enum ub_cc cc, struct x86_rm rm);
void x86_cmov(struct x86_code *code, enum ub_width w, enum ub_cc cc, u8 reg, struct x86_rm rm);
void x86_xchg(struct x86_code *code, enum ub_width w, struct x86_rm rm, u8 reg);
void x86_xadd(struct x86_code *code, enum ub_width w, struct x86_rm rm, u8 reg);
void x86_cmpxchg(struct x86_code *code, enum ub_width w, struct x86_rm rm, u8 reg);
/* cmpxchg8b, or at width 64 cmpxchg16b */
void x86_cmpxchg_pair(struct x86_code *code, enum ub_width w, struct x86_rm mem);
/* A register as the number of a bit in memory reaches beyond the operand unless it is below the width. */
void x86_bit_rm_reg(struct x86_code *code, enum ub_width w, enum x86_bit op, struct x86_rm rm, u8 reg);
void x86_bit_rm_imm(struct x86_code *code, enum ub_width w, enum x86_bit op, struct x86_rm rm, u8 bit);
/* bt dword [mem], bit: CF = bit. */
void x86_bt_mem_imm(struct x86_code *code, struct x86_rm mem, u8 bit);
void x86_push(struct x86_code *code, u8 reg);
void x86_pop(struct x86_code *code, u8 reg);
void x86_push_mem(struct x86_code *code, struct x86_rm mem);
void x86_pushfq(struct x86_code *code);
void x86_pop_mem(struct x86_code *code, struct x86_rm mem);
void x86_sahf(struct x86_code *code);
void x86_lahf(struct x86_code *code);
/* mov ah, [mem] */
void x86_mov_ah_mem(struct x86_code *code, struct x86_rm mem);
void x86_mov_mem_ah(struct x86_code *code, struct x86_rm mem);
/* A vector operation by its row: x86's fields reg, vvvv (0 where the variant has none) and rm; the constant if the row has
 * one.  A row with a digit ignores @reg, one without operands all three. */
void x86_vec(struct x86_code *code, const struct ub_vec_info *info, enum ub_vec_variant variant, u8 reg, u8 vvvv,
	     struct x86_rm rm, u8 constant);
/* cmp word gs:[off], 0 */
void x86_cmp_gs16_zero(struct x86_code *code, s32 off);
void x86_endbr64(struct x86_code *code);
void x86_ibhf(struct x86_code *code);
void x86_lfence(struct x86_code *code);
void x86_stac(struct x86_code *code);
void x86_clac(struct x86_code *code);
/* A string instruction with its prefix, f3 for rep and repe, f2 for repne; @opcode is that for bytes. */
void x86_rep(struct x86_code *code, enum ub_width w, u8 prefix, u8 opcode);
/* jrcxz: returns the offset of its rel8, for x86_patch_rel8(); no flag changes. */
u32 x86_jrcxz(struct x86_code *code);
void x86_patch_rel8(struct x86_code *code, u32 off, u32 target);
void x86_clc(struct x86_code *code);
void x86_stc(struct x86_code *code);
void x86_cmc(struct x86_code *code);
void x86_fence(struct x86_code *code, u8 digit);	/* 5 lfence, 6 mfence, 7 sfence */
void x86_rdtsc(struct x86_code *code);
void x86_rdtscp(struct x86_code *code);
void x86_rdpid(struct x86_code *code, u8 reg);
/* mov reg32, gs:[off] */
void x86_mov_reg_gs(struct x86_code *code, u8 reg, s32 off);
void x86_cmp_reg_gs(struct x86_code *code, u8 reg, s32 off);
/* What has no function of its own.  @map: 1 for 0f, 2 for 0f 38, 3 for 0f 3a; @prefix: 0, 0x66, 0xf2 or 0xf3, beside
 * that of a width of 16. */
void x86_op(struct x86_code *code, enum ub_width w, u8 prefix, u8 map, u8 opcode, u8 reg, struct x86_rm rm);
/* The same with a VEX prefix and its second source @vvvv; @w sets VEX.W if it is 64, @is_256 VEX.L. */
void x86_vex(struct x86_code *code, enum ub_width w, bool is_256, u8 prefix, u8 map, u8 opcode, u8 reg, u8 vvvv,
	     struct x86_rm rm);
/* These return the offset of their rel32, for x86_patch_rel32(). */
u32 x86_jcc(struct x86_code *code, enum ub_cc cc);
u32 x86_jmp(struct x86_code *code);
u32 x86_call(struct x86_code *code);
/* The same to a place before the end of the code, in the shortest form. */
void x86_jcc_back(struct x86_code *code, enum ub_cc cc, u32 target);
void x86_jmp_back(struct x86_code *code, u32 target);
void x86_patch_rel32(struct x86_code *code, u32 off, u32 target);
void x86_ret(struct x86_code *code);
/* As few nops as reach the next multiple of @align, a power of two up to 64. */
void x86_align(struct x86_code *code, u32 align);

#endif
