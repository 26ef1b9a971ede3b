// SPDX-License-Identifier: GPL-2.0
/*
 * x86: how is one machine instruction written?
 *
 * Every form goes through put_op(): legacy prefix, REX, opcode, ModRM, SIB, displacement (SDM vol. 2A chapter 2).
 * Knows nothing of the IR; does not choose instructions.
 */
#include "x86.h"

#define OPC_0F	0x0f00u		/* two-byte opcode map */
#define REX	0x40
#define REX_W	0x48
#define REX_R	0x44
#define REX_X	0x42
#define REX_B	0x41

void x86_put8(struct x86_code *code, u8 byte)
{
	if (code->len >= code->cap) {
		code->overflow = true;
		return;
	}
	code->buf[code->len++] = byte;
}

void x86_put32(struct x86_code *code, u32 val)
{
	int i;

	for (i = 0; i < 4; i++)
		x86_put8(code, val >> (8 * i));
}

void x86_patch32(struct x86_code *code, u32 off, u32 val)
{
	int i;

	if (code->overflow)
		return;
	for (i = 0; i < 4; i++)
		code->buf[off + i] = val >> (8 * i);
}

static void put_imm(struct x86_code *code, enum ub_width w, s32 imm)
{
	x86_put8(code, imm);
	if (w >= UB_W16)
		x86_put8(code, imm >> 8);
	if (w >= UB_W32) {
		x86_put8(code, imm >> 16);
		x86_put8(code, imm >> 24);
	}
}

static bool is_s8(s32 val)
{
	return val == (s8)val;
}

/* Bytes spl..dil need a REX prefix, else the same numbers mean ah..bh. */
static bool byte_needs_rex(u8 reg)
{
	return reg >= X86_RSP && reg <= X86_RDI;
}

void x86_put_modrm(struct x86_code *code, u8 reg, struct x86_rm rm)
{
	bool has_sib = rm.index != X86_NOREG || rm.reg == X86_NOREG || (rm.reg & 7) == X86_RSP;
	u8 index = rm.index == X86_NOREG ? X86_RSP : rm.index & 7;
	u8 base = rm.reg == X86_NOREG ? X86_RBP : rm.reg & 7;
	u8 mod;

	if (!rm.is_mem) {
		x86_put8(code, 3 << 6 | (reg & 7) << 3 | (rm.reg & 7));
		return;
	}
	if (rm.reg == X86_NOREG)
		mod = 0;	/* no base: always disp32 */
	else if (!rm.off && base != X86_RBP)
		mod = 0;
	else
		mod = is_s8(rm.off) ? 1 : 2;
	x86_put8(code, mod << 6 | (reg & 7) << 3 | (has_sib ? X86_RSP : base));
	if (has_sib)
		x86_put8(code, rm.scale << 6 | index << 3 | base);
	if (mod == 1)
		x86_put8(code, rm.off);
	else if (mod == 2 || rm.reg == X86_NOREG)
		x86_put32(code, rm.off);
}

/* @byte_reg, @byte_rm: that operand is an 8-bit register. */
static void put_op(struct x86_code *code, enum ub_width w, u32 opc, u8 reg, struct x86_rm rm, bool byte_reg,
		   bool byte_rm)
{
	u8 rex = w == UB_W64 ? REX_W : 0;

	if (reg == code->watched || (!rm.is_mem && rm.reg == code->watched))
		code->is_touched = true;
	if (w == UB_W16)
		x86_put8(code, 0x66);
	if (reg >= X86_R8)
		rex |= REX_R;
	if (rm.reg != X86_NOREG && rm.reg >= X86_R8)
		rex |= REX_B;
	if (rm.is_mem && rm.index != X86_NOREG && rm.index >= X86_R8)
		rex |= REX_X;
	if ((byte_reg && byte_needs_rex(reg)) || (byte_rm && !rm.is_mem && byte_needs_rex(rm.reg)))
		rex |= REX;
	if (rex)
		x86_put8(code, rex);
	if (opc >= OPC_0F)
		x86_put8(code, 0x0f);
	x86_put8(code, opc);
	x86_put_modrm(code, reg, rm);
}

/* Opcodes that come as a pair: even for bytes, odd for the wider ones.  @has_reg: reg is a register, not a /digit. */
static void put_pair(struct x86_code *code, enum ub_width w, u32 opc, u8 reg, struct x86_rm rm, bool has_reg)
{
	put_op(code, w, w == UB_W8 ? opc : opc | 1, reg, rm, has_reg && w == UB_W8, w == UB_W8);
}

void x86_alu_rm_reg(struct x86_code *code, enum ub_width w, enum x86_alu alu, struct x86_rm rm, u8 reg)
{
	put_pair(code, w, alu << 3, reg, rm, true);
}

void x86_alu_reg_rm(struct x86_code *code, enum ub_width w, enum x86_alu alu, u8 reg, struct x86_rm rm)
{
	put_pair(code, w, alu << 3 | 2, reg, rm, true);
}

void x86_alu_rm_imm(struct x86_code *code, enum ub_width w, enum x86_alu alu, struct x86_rm rm, s32 imm)
{
	bool is_short = w != UB_W8 && is_s8(imm);

	if (is_short)
		put_op(code, w, 0x83, alu, rm, false, false);
	else
		put_pair(code, w, 0x80, alu, rm, false);
	put_imm(code, is_short ? UB_W8 : w, imm);
}

void x86_test_rm_reg(struct x86_code *code, enum ub_width w, struct x86_rm rm, u8 reg)
{
	put_pair(code, w, 0x84, reg, rm, true);
}

void x86_test_rm_imm(struct x86_code *code, enum ub_width w, struct x86_rm rm, s32 imm)
{
	put_pair(code, w, 0xf6, 0, rm, false);
	put_imm(code, w, imm);
}

void x86_mov_rm_reg(struct x86_code *code, enum ub_width w, struct x86_rm rm, u8 reg)
{
	put_pair(code, w, 0x88, reg, rm, true);
}

void x86_mov_reg_rm(struct x86_code *code, enum ub_width w, u8 reg, struct x86_rm rm)
{
	put_pair(code, w, 0x8a, reg, rm, true);
}

void x86_mov_rm_imm(struct x86_code *code, enum ub_width w, struct x86_rm rm, s32 imm)
{
	put_pair(code, w, 0xc6, 0, rm, false);
	put_imm(code, w, imm);
}

void x86_mov_reg_imm64(struct x86_code *code, u8 reg, u64 imm)
{
	code->is_touched |= reg == code->watched;
	if (imm == (u32)imm) {
		if (reg >= X86_R8)
			x86_put8(code, REX_B);
		x86_put8(code, 0xb8 | (reg & 7));
		x86_put32(code, imm);
	} else if (imm == (u64)(s64)(s32)imm) {
		x86_mov_rm_imm(code, UB_W64, x86_reg(reg), imm);
	} else {
		x86_put8(code, REX_W | (reg >= X86_R8 ? REX_B : 0));
		x86_put8(code, 0xb8 | (reg & 7));
		x86_put32(code, imm);
		x86_put32(code, imm >> 32);
	}
}

void x86_movzx(struct x86_code *code, enum ub_width from, u8 reg, struct x86_rm rm)
{
	if (from == UB_W32)
		x86_mov_reg_rm(code, UB_W32, reg, rm);
	else
		put_op(code, UB_W32, OPC_0F | (from == UB_W8 ? 0xb6 : 0xb7), reg, rm, false, from == UB_W8);
}

void x86_movsx(struct x86_code *code, enum ub_width from, enum ub_width to, u8 reg, struct x86_rm rm)
{
	if (from == UB_W32)
		put_op(code, to, 0x63, reg, rm, false, false);
	else
		put_op(code, to, OPC_0F | (from == UB_W8 ? 0xbe : 0xbf), reg, rm, false, from == UB_W8);
}

void x86_lea(struct x86_code *code, enum ub_width w, u8 reg, struct x86_rm mem)
{
	put_op(code, w, 0x8d, reg, mem, false, false);
}

void x86_unary(struct x86_code *code, enum ub_width w, enum x86_unary op, struct x86_rm rm)
{
	put_pair(code, w, 0xf6, op, rm, false);
}

void x86_lock(struct x86_code *code)
{
	x86_put8(code, 0xf0);
}

void x86_inc_dec(struct x86_code *code, enum ub_width w, bool is_dec, struct x86_rm rm)
{
	put_pair(code, w, 0xfe, is_dec, rm, false);
}

void x86_shift_imm(struct x86_code *code, enum ub_width w, enum x86_shift op, struct x86_rm rm, u8 count)
{
	if (count == 1) {
		/* The form by one has its own opcode, and defines OF. */
		put_pair(code, w, 0xd0, op, rm, false);
		return;
	}
	put_pair(code, w, 0xc0, op, rm, false);
	x86_put8(code, count);
}

void x86_shift_cl(struct x86_code *code, enum ub_width w, enum x86_shift op, struct x86_rm rm)
{
	put_pair(code, w, 0xd2, op, rm, false);
}

void x86_imul_reg_rm(struct x86_code *code, enum ub_width w, u8 reg, struct x86_rm rm)
{
	put_op(code, w, OPC_0F | 0xaf, reg, rm, false, false);
}

void x86_imul_reg_rm_imm(struct x86_code *code, enum ub_width w, u8 reg, struct x86_rm rm, s32 imm)
{
	put_op(code, w, 0x69, reg, rm, false, false);
	put_imm(code, w, imm);
}

void x86_bswap(struct x86_code *code, enum ub_width w, u8 reg)
{
	u8 rex = (w == UB_W64 ? REX_W : 0) | (reg >= X86_R8 ? REX_B : 0);

	code->is_touched |= reg == code->watched;
	if (rex)
		x86_put8(code, rex);
	x86_put8(code, 0x0f);
	x86_put8(code, 0xc8 | (reg & 7));
}

void x86_setcc(struct x86_code *code, enum ub_cc cc, struct x86_rm rm)
{
	put_op(code, UB_W8, OPC_0F | 0x90 | cc, 0, rm, false, true);
}

void x86_cmov(struct x86_code *code, enum ub_width w, enum ub_cc cc, u8 reg, struct x86_rm rm)
{
	put_op(code, w, OPC_0F | 0x40 | cc, reg, rm, false, false);
}

void x86_bt_mem_imm(struct x86_code *code, struct x86_rm mem, u8 bit)
{
	put_op(code, UB_W32, OPC_0F | 0xba, 4, mem, false, false);
	x86_put8(code, bit);
}

void x86_push(struct x86_code *code, u8 reg)
{
	if (reg >= X86_R8)
		x86_put8(code, REX_B);
	x86_put8(code, 0x50 | (reg & 7));
}

void x86_pop(struct x86_code *code, u8 reg)
{
	code->is_touched |= reg == code->watched;
	if (reg >= X86_R8)
		x86_put8(code, REX_B);
	x86_put8(code, 0x58 | (reg & 7));
}

void x86_push_mem(struct x86_code *code, struct x86_rm mem)
{
	put_op(code, UB_W32, 0xff, 6, mem, false, false);
}

void x86_pushfq(struct x86_code *code)
{
	x86_put8(code, 0x9c);
}

void x86_pop_mem(struct x86_code *code, struct x86_rm mem)
{
	put_op(code, UB_W32, 0x8f, 0, mem, false, false);
}

void x86_sahf(struct x86_code *code)
{
	x86_put8(code, 0x9e);
}

void x86_lahf(struct x86_code *code)
{
	x86_put8(code, 0x9f);
}

/* Register number 4 without REX is ah; rbp as a base needs none. */
void x86_mov_ah_mem(struct x86_code *code, struct x86_rm mem)
{
	x86_put8(code, 0x8a);
	x86_put_modrm(code, 4, mem);
}

void x86_mov_mem_ah(struct x86_code *code, struct x86_rm mem)
{
	x86_put8(code, 0x88);
	x86_put_modrm(code, 4, mem);
}

void x86_cmp_gs16_zero(struct x86_code *code, s32 off)
{
	x86_put8(code, 0x65);
	x86_alu_rm_imm(code, UB_W16, X86_CMP, x86_mem(X86_NOREG, off), 0);
}

void x86_endbr64(struct x86_code *code)
{
	x86_put8(code, 0xf3);
	x86_put8(code, 0x0f);
	x86_put8(code, 0x1e);
	x86_put8(code, 0xfa);
}

/* f3 48 0f 1e f8; a nop where it is not known. */
void x86_ibhf(struct x86_code *code)
{
	x86_put8(code, 0xf3);
	x86_put8(code, 0x48);
	x86_put8(code, 0x0f);
	x86_put8(code, 0x1e);
	x86_put8(code, 0xf8);
}

void x86_lfence(struct x86_code *code)
{
	x86_put8(code, 0x0f);
	x86_put8(code, 0xae);
	x86_put8(code, 0xe8);
}

static void put_0f01(struct x86_code *code, u8 last)
{
	x86_put8(code, 0x0f);
	x86_put8(code, 0x01);
	x86_put8(code, last);
}

void x86_stac(struct x86_code *code)
{
	put_0f01(code, 0xcb);
}

void x86_clac(struct x86_code *code)
{
	put_0f01(code, 0xca);
}

void x86_rep(struct x86_code *code, enum ub_width w, u8 prefix, u8 opcode)
{
	x86_put8(code, prefix);
	if (w == UB_W16)
		x86_put8(code, 0x66);
	if (w == UB_W64)
		x86_put8(code, REX_W);
	x86_put8(code, opcode | (w != UB_W8));
}

u32 x86_jrcxz(struct x86_code *code)
{
	x86_put8(code, 0xe3);
	x86_put8(code, 0);
	return code->len - 1;
}

void x86_patch_rel8(struct x86_code *code, u32 off, u32 target)
{
	if (!code->overflow)
		code->buf[off] = target - (off + 1);
}

void x86_clc(struct x86_code *code)
{
	x86_put8(code, 0xf8);
}

void x86_stc(struct x86_code *code)
{
	x86_put8(code, 0xf9);
}

void x86_cmc(struct x86_code *code)
{
	x86_put8(code, 0xf5);
}

void x86_fence(struct x86_code *code, u8 digit)
{
	x86_put8(code, 0x0f);
	x86_put8(code, 0xae);
	x86_put8(code, 0xc0 | digit << 3);
}

void x86_rdtsc(struct x86_code *code)
{
	x86_put8(code, 0x0f);
	x86_put8(code, 0x31);
}

void x86_rdtscp(struct x86_code *code)
{
	put_0f01(code, 0xf9);
}

void x86_rdpid(struct x86_code *code, u8 reg)
{
	x86_op(code, UB_W32, 0xf3, 1, 0xc7, 7, x86_reg(reg));
}

static void put_gs(struct x86_code *code, u8 opcode, u8 reg, s32 off)
{
	x86_put8(code, 0x65);
	put_op(code, UB_W32, opcode, reg, x86_mem(X86_NOREG, off), false, false);
}

void x86_mov_reg_gs(struct x86_code *code, u8 reg, s32 off)
{
	put_gs(code, 0x8b, reg, off);
}

void x86_cmp_reg_gs(struct x86_code *code, u8 reg, s32 off)
{
	put_gs(code, 0x3b, reg, off);
}

void x86_xchg(struct x86_code *code, enum ub_width w, struct x86_rm rm, u8 reg)
{
	put_pair(code, w, 0x86, reg, rm, true);
}

void x86_xadd(struct x86_code *code, enum ub_width w, struct x86_rm rm, u8 reg)
{
	put_pair(code, w, OPC_0F | 0xc0, reg, rm, true);
}

void x86_cmpxchg(struct x86_code *code, enum ub_width w, struct x86_rm rm, u8 reg)
{
	put_pair(code, w, OPC_0F | 0xb0, reg, rm, true);
}

void x86_cmpxchg_pair(struct x86_code *code, enum ub_width w, struct x86_rm mem)
{
	put_op(code, w, OPC_0F | 0xc7, 1, mem, false, false);
}

void x86_bit_rm_reg(struct x86_code *code, enum ub_width w, enum x86_bit op, struct x86_rm rm, u8 reg)
{
	put_op(code, w, OPC_0F | 0x83 | op << 3, reg, rm, false, false);
}

void x86_bit_rm_imm(struct x86_code *code, enum ub_width w, enum x86_bit op, struct x86_rm rm, u8 bit)
{
	put_op(code, w, OPC_0F | 0xba, op, rm, false, false);
	x86_put8(code, bit);
}

static u8 rex_bits(u8 reg, struct x86_rm rm)
{
	u8 rex = reg >= X86_R8 ? REX_R : 0;

	if (rm.reg != X86_NOREG && rm.reg >= X86_R8)
		rex |= REX_B;
	if (rm.is_mem && rm.index != X86_NOREG && rm.index >= X86_R8)
		rex |= REX_X;
	return rex;
}

static void put_modrm(struct x86_code *code, u8 reg, struct x86_rm rm)
{
	if (reg == code->watched || (!rm.is_mem && rm.reg == code->watched))
		code->is_touched = true;
	x86_put_modrm(code, reg, rm);
}

void x86_op(struct x86_code *code, enum ub_width w, u8 prefix, u8 map, u8 opcode, u8 reg, struct x86_rm rm)
{
	u8 rex = rex_bits(reg, rm) | (w == UB_W64 ? REX_W : 0);

	if (w == UB_W8 && !rm.is_mem && byte_needs_rex(rm.reg))
		rex |= REX;
	if (w == UB_W16)
		x86_put8(code, 0x66);
	if (prefix)
		x86_put8(code, prefix);
	if (rex)
		x86_put8(code, rex);
	x86_put8(code, 0x0f);
	if (map > 1)
		x86_put8(code, map == 2 ? 0x38 : 0x3a);
	x86_put8(code, opcode);
	put_modrm(code, reg, rm);
}

/* c4, then R X B inverted and the map, then W, vvvv inverted, L and the prefix as a number (SDM vol. 2A, 2.3.5). */
void x86_vex(struct x86_code *code, enum ub_width w, bool is_256, u8 prefix, u8 map, u8 opcode, u8 reg, u8 vvvv,
	     struct x86_rm rm)
{
	u8 rex = rex_bits(reg, rm), pp = prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : prefix == 0xf2 ? 3 : 0;

	x86_put8(code, 0xc4);
	x86_put8(code, (~rex & 7) << 5 | map);
	x86_put8(code, (w == UB_W64) << 7 | (~vvvv & 15) << 3 | is_256 << 2 | pp);
	x86_put8(code, opcode);
	put_modrm(code, reg, rm);
	code->is_touched |= vvvv == code->watched;
}

static u32 put_rel32(struct x86_code *code)
{
	x86_put32(code, 0);
	return code->len - 4;
}

u32 x86_jcc(struct x86_code *code, enum ub_cc cc)
{
	x86_put8(code, 0x0f);
	x86_put8(code, 0x80 | cc);
	return put_rel32(code);
}

u32 x86_jmp(struct x86_code *code)
{
	x86_put8(code, 0xe9);
	return put_rel32(code);
}

u32 x86_call(struct x86_code *code)
{
	x86_put8(code, 0xe8);
	return put_rel32(code);
}

static bool is_near(const struct x86_code *code, u32 target)
{
	return code->len + 2 - target <= 128;
}

void x86_jcc_back(struct x86_code *code, enum ub_cc cc, u32 target)
{
	if (!is_near(code, target)) {
		x86_patch_rel32(code, x86_jcc(code, cc), target);
		return;
	}
	x86_put8(code, 0x70 | cc);
	x86_put8(code, target - (code->len + 1));
}

void x86_jmp_back(struct x86_code *code, u32 target)
{
	if (!is_near(code, target)) {
		x86_patch_rel32(code, x86_jmp(code), target);
		return;
	}
	x86_put8(code, 0xeb);
	x86_put8(code, target - (code->len + 1));
}

void x86_patch_rel32(struct x86_code *code, u32 off, u32 target)
{
	x86_patch32(code, off, target - (off + 4));
}

void x86_ret(struct x86_code *code)
{
	x86_put8(code, 0xc3);
}

/* nop dword [rax + rax + disp] and its shorter forms (SDM vol. 2B, NOP). */
static void put_nop(struct x86_code *code, u32 len)
{
	static const u8 nops[9][9] = {
		{ 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 }, { 0x0f, 0x1f, 0x40 }, { 0x0f, 0x1f, 0x44 },
		{ 0x66, 0x0f, 0x1f, 0x44 }, { 0x0f, 0x1f, 0x80 }, { 0x0f, 0x1f, 0x84 }, { 0x66, 0x0f, 0x1f, 0x84 },
	};
	u32 i;

	for (i = 0; i < len; i++)
		x86_put8(code, nops[len - 1][i]);
}

void x86_align(struct x86_code *code, u32 align)
{
	u32 left = -code->len & (align - 1), len;

	for (; left; left -= len) {
		len = left < 9 ? left : 9;
		put_nop(code, len);
	}
}
