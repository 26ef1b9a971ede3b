// SPDX-License-Identifier: GPL-2.0
/*
 * image_vec: which vector instructions may be in an image?
 *
 * Those listed here, by prefix, opcode map and opcode (SDM vol. 2, appendix A).  Vector registers are all the guest's, so
 * only memory, general registers and flags matter.  Left out: MMX, what has memory operands of its own (maskmov, gathers)
 * and what changes MXCSR.
 */
#include "../ir/vecop.h"
#include "image_insn.h"

enum { NP, P66, PF3, PF2 };

enum {
	L = 1 << 0, V1 = 1 << 1, V2 = 1 << 2,	/* without VEX, VEX of 128 and of 256 bits */
	L1 = L | V1, L12 = L | V1 | V2, V12 = V1 | V2,
	A2 = 1 << 3,		/* 256 bits came with AVX2 */
	W1 = 1 << 4, WX = 1 << 5, /* W is set; may be.  Else it is not */
	IM = 1 << 6,		/* has a constant of a byte */
	N = 1 << 7,		/* with VEX, vvvv is an operand; else it names none */
	NR = 1 << 8,		/* likewise, but for memory */
	R = 1 << 9,		/* may raise #XM; */
	RW = 1 << 10,		/* if W is set */
	M = 1 << 11, NM = 1 << 12, /* rm is memory; is not */
	DIGIT = 1 << 13,	/* reg is no operand, and one of those in digits */
};

struct row {
	u8 map, prefix, first, last;
	u8 vec;			/* enum im_vec */
	u8 digits;
	u16 flags;
	u16 feature;		/* beside that of the encoding */
};

#define RD(map, prefix, first, last, flags, feature) \
	{ map, prefix, first, last, IM_VEC_READ, 0, flags, UB_VEC_F_##feature }
#define ROW(map, prefix, opcode, vec, flags, feature) \
	{ map, prefix, opcode, opcode, IM_VEC_##vec, 0, flags, UB_VEC_F_##feature }
#define GRP(prefix, opcode, digits, vec, flags) \
	{ 1, prefix, opcode, opcode, IM_VEC_##vec, digits, (flags) | DIGIT, UB_VEC_F_SSE2 }

static const struct row rows[] = {
	/* Moves. */
	RD(1, NP, 0x10, 0x10, L12, SSE2), ROW(1, NP, 0x11, STORE, L12, SSE2),
	RD(1, NP, 0x12, 0x12, L1 | N, SSE2), ROW(1, NP, 0x13, STORE, L1 | M, SSE2),
	RD(1, NP, 0x16, 0x16, L1 | N, SSE2), ROW(1, NP, 0x17, STORE, L1 | M, SSE2),
	RD(1, NP, 0x28, 0x28, L12, SSE2), ROW(1, NP, 0x29, STORE, L12, SSE2), ROW(1, NP, 0x2b, STORE, L12 | M, SSE2),
	RD(1, P66, 0x10, 0x10, L12, SSE2), ROW(1, P66, 0x11, STORE, L12, SSE2),
	RD(1, P66, 0x12, 0x12, L1 | N | M, SSE2), ROW(1, P66, 0x13, STORE, L1 | M, SSE2),
	RD(1, P66, 0x16, 0x16, L1 | N | M, SSE2), ROW(1, P66, 0x17, STORE, L1 | M, SSE2),
	RD(1, P66, 0x28, 0x28, L12, SSE2), ROW(1, P66, 0x29, STORE, L12, SSE2), ROW(1, P66, 0x2b, STORE, L12 | M, SSE2),
	ROW(1, P66, 0x6e, FROM_RM, L1 | WX, SSE2), ROW(1, P66, 0x7e, TO_RM, L1 | WX, SSE2),
	RD(1, P66, 0x6f, 0x6f, L12, SSE2), ROW(1, P66, 0x7f, STORE, L12, SSE2),
	ROW(1, P66, 0xd6, STORE, L1, SSE2), ROW(1, P66, 0xe7, STORE, L12 | M, SSE2),
	RD(1, PF3, 0x10, 0x10, L1 | NR, SSE2), ROW(1, PF3, 0x11, STORE, L1 | M, SSE2),
	RD(1, PF3, 0x12, 0x12, L12, SSE3), RD(1, PF3, 0x16, 0x16, L12, SSE3),
	RD(1, PF3, 0x6f, 0x6f, L12, SSE2), ROW(1, PF3, 0x7f, STORE, L12, SSE2), RD(1, PF3, 0x7e, 0x7e, L1, SSE2),
	RD(1, PF2, 0x10, 0x10, L1 | NR, SSE2), ROW(1, PF2, 0x11, STORE, L1 | M, SSE2),
	RD(1, PF2, 0x12, 0x12, L12, SSE3), RD(1, PF2, 0xf0, 0xf0, L12 | M, SSE3),
	RD(2, P66, 0x2a, 0x2a, L12 | M | A2, SSE41),
	RD(2, P66, 0x18, 0x18, V12, AVX), RD(2, P66, 0x19, 0x19, V2, AVX), RD(2, P66, 0x1a, 0x1a, V2 | M, AVX),
	RD(2, P66, 0x58, 0x59, V12, AVX2), RD(2, P66, 0x5a, 0x5a, V2 | M, AVX2), RD(2, P66, 0x78, 0x79, V12, AVX2),
	RD(3, P66, 0x18, 0x18, V2 | IM | N, AVX), RD(3, P66, 0x38, 0x38, V2 | IM | N, AVX2),
	ROW(3, P66, 0x19, STORE, V2 | IM, AVX), ROW(3, P66, 0x39, STORE, V2 | IM, AVX2),
	RD(3, P66, 0x06, 0x06, V2 | IM | N, AVX), RD(3, P66, 0x46, 0x46, V2 | IM | N, AVX2),
	RD(3, P66, 0x00, 0x01, V2 | IM | W1, AVX2), RD(2, P66, 0x16, 0x16, V2 | N, AVX2), RD(2, P66, 0x36, 0x36, V2 | N, AVX2),
	RD(2, P66, 0x0c, 0x0d, V12 | N, AVX), RD(3, P66, 0x04, 0x05, V12 | IM, AVX),
	ROW(1, NP, 0x50, TO_REG, L12 | NM, SSE2), ROW(1, P66, 0x50, TO_REG, L12 | NM, SSE2),
	ROW(1, P66, 0xd7, TO_REG, L12 | NM | A2, SSE2), ROW(1, NP, 0x77, NONE, V12, AVX),
	GRP(NP, 0xae, 1 << 3, STORE, L1 | M),		/* stmxcsr */
	/* Logic, integers. */
	RD(1, NP, 0x54, 0x57, L12 | N, SSE2), RD(1, P66, 0x54, 0x57, L12 | N, SSE2),
	RD(1, P66, 0x60, 0x6d, L12 | N | A2, SSE2), RD(1, P66, 0x74, 0x76, L12 | N | A2, SSE2),
	RD(1, P66, 0xd1, 0xd5, L12 | N | A2, SSE2), RD(1, P66, 0xd8, 0xe5, L12 | N | A2, SSE2),
	RD(1, P66, 0xe8, 0xef, L12 | N | A2, SSE2), RD(1, P66, 0xf1, 0xf6, L12 | N | A2, SSE2),
	RD(1, P66, 0xf8, 0xfe, L12 | N | A2, SSE2),
	GRP(P66, 0x71, 1 << 2 | 1 << 4 | 1 << 6, READ, L12 | IM | N | NM | A2),
	GRP(P66, 0x72, 1 << 2 | 1 << 4 | 1 << 6, READ, L12 | IM | N | NM | A2),
	GRP(P66, 0x73, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 7, READ, L12 | IM | N | NM | A2),
	RD(2, P66, 0x00, 0x0b, L12 | N | A2, SSSE3), RD(2, P66, 0x1c, 0x1e, L12 | A2, SSSE3),
	RD(2, P66, 0x20, 0x25, L12 | A2, SSE41), RD(2, P66, 0x28, 0x29, L12 | N | A2, SSE41),
	RD(2, P66, 0x2b, 0x2b, L12 | N | A2, SSE41), RD(2, P66, 0x30, 0x35, L12 | A2, SSE41),
	RD(2, P66, 0x37, 0x37, L12 | N | A2, SSE42), RD(2, P66, 0x38, 0x40, L12 | N | A2, SSE41),
	RD(2, P66, 0x41, 0x41, L1, SSE41), RD(3, P66, 0x42, 0x42, L12 | IM | N | A2, SSE41),
	RD(2, P66, 0x45, 0x45, V12 | N | WX, AVX2), RD(2, P66, 0x46, 0x46, V12 | N, AVX2),
	RD(2, P66, 0x47, 0x47, V12 | N | WX, AVX2),
	ROW(2, P66, 0x17, FLAGS, L12, SSE41), ROW(2, P66, 0x0e, FLAGS, V12, AVX), ROW(2, P66, 0x0f, FLAGS, V12, AVX),
	{ 3, P66, 0x60, 0x63, IM_VEC_STRING, 0, L1 | IM, UB_VEC_F_SSE42 },
	/* Shuffles, blends, parts. */
	RD(1, P66, 0x70, 0x70, L12 | IM | A2, SSE2), RD(1, PF3, 0x70, 0x70, L12 | IM | A2, SSE2),
	RD(1, PF2, 0x70, 0x70, L12 | IM | A2, SSE2), RD(3, P66, 0x0f, 0x0f, L12 | IM | N | A2, SSSE3),
	RD(1, NP, 0x14, 0x15, L12 | N, SSE2), RD(1, P66, 0x14, 0x15, L12 | N, SSE2),
	RD(1, NP, 0xc6, 0xc6, L12 | IM | N, SSE2), RD(1, P66, 0xc6, 0xc6, L12 | IM | N, SSE2),
	RD(2, P66, 0x10, 0x10, L, SSE41), RD(2, P66, 0x14, 0x15, L, SSE41),
	RD(3, P66, 0x02, 0x02, V12 | IM | N, AVX2), RD(3, P66, 0x0c, 0x0d, L12 | IM | N, SSE41),
	RD(3, P66, 0x0e, 0x0e, L12 | IM | N | A2, SSE41), RD(3, P66, 0x4a, 0x4b, V12 | IM | N, AVX),
	RD(3, P66, 0x4c, 0x4c, V12 | IM | N | A2, AVX), RD(3, P66, 0x21, 0x21, L1 | IM | N, SSE41),
	ROW(1, P66, 0xc4, FROM_RM, L1 | IM | N, SSE2), ROW(1, P66, 0xc5, TO_REG, L1 | IM | NM, SSE2),
	ROW(3, P66, 0x20, FROM_RM, L1 | IM | N, SSE41), ROW(3, P66, 0x22, FROM_RM, L1 | IM | N | WX, SSE41),
	ROW(3, P66, 0x14, TO_RM, L1 | IM, SSE41), ROW(3, P66, 0x15, TO_RM, L1 | IM, SSE41),
	ROW(3, P66, 0x16, TO_RM, L1 | IM | WX, SSE41), ROW(3, P66, 0x17, TO_RM, L1 | IM, SSE41),
	/* Floating point. */
	RD(1, NP, 0x51, 0x51, L12 | R, SSE2), RD(1, P66, 0x51, 0x51, L12 | R, SSE2),
	RD(1, PF3, 0x51, 0x51, L1 | N | R, SSE2), RD(1, PF2, 0x51, 0x51, L1 | N | R, SSE2),
	RD(1, NP, 0x52, 0x53, L12, SSE2), RD(1, PF3, 0x52, 0x53, L1 | N, SSE2),
	RD(1, NP, 0x58, 0x59, L12 | N | R, SSE2), RD(1, P66, 0x58, 0x59, L12 | N | R, SSE2),
	RD(1, PF3, 0x58, 0x5a, L1 | N | R, SSE2), RD(1, PF2, 0x58, 0x5a, L1 | N | R, SSE2),
	RD(1, NP, 0x5a, 0x5b, L12 | R, SSE2), RD(1, P66, 0x5a, 0x5b, L12 | R, SSE2), RD(1, PF3, 0x5b, 0x5b, L12 | R, SSE2),
	RD(1, NP, 0x5c, 0x5f, L12 | N | R, SSE2), RD(1, P66, 0x5c, 0x5f, L12 | N | R, SSE2),
	RD(1, PF3, 0x5c, 0x5f, L1 | N | R, SSE2), RD(1, PF2, 0x5c, 0x5f, L1 | N | R, SSE2),
	RD(1, NP, 0xc2, 0xc2, L12 | IM | N | R, SSE2), RD(1, P66, 0xc2, 0xc2, L12 | IM | N | R, SSE2),
	RD(1, PF3, 0xc2, 0xc2, L1 | IM | N | R, SSE2), RD(1, PF2, 0xc2, 0xc2, L1 | IM | N | R, SSE2),
	RD(1, P66, 0x7c, 0x7d, L12 | N | R, SSE3), RD(1, PF2, 0x7c, 0x7d, L12 | N | R, SSE3),
	RD(1, P66, 0xd0, 0xd0, L12 | N | R, SSE3), RD(1, PF2, 0xd0, 0xd0, L12 | N | R, SSE3),
	RD(1, P66, 0xe6, 0xe6, L12 | R, SSE2), RD(1, PF3, 0xe6, 0xe6, L12, SSE2), RD(1, PF2, 0xe6, 0xe6, L12 | R, SSE2),
	ROW(1, NP, 0x2e, FLAGS, L1 | R, SSE2), ROW(1, P66, 0x2e, FLAGS, L1 | R, SSE2),
	ROW(1, NP, 0x2f, FLAGS, L1 | R, SSE2), ROW(1, P66, 0x2f, FLAGS, L1 | R, SSE2),
	ROW(1, PF3, 0x2a, FROM_RM, L1 | N | R | WX, SSE2), ROW(1, PF2, 0x2a, FROM_RM, L1 | N | RW | WX, SSE2),
	ROW(1, PF3, 0x2c, TO_REG, L1 | R | WX, SSE2), ROW(1, PF3, 0x2d, TO_REG, L1 | R | WX, SSE2),
	ROW(1, PF2, 0x2c, TO_REG, L1 | R | WX, SSE2), ROW(1, PF2, 0x2d, TO_REG, L1 | R | WX, SSE2),
	RD(3, P66, 0x08, 0x09, L12 | IM | R, SSE41), RD(3, P66, 0x0a, 0x0b, L1 | IM | N | R, SSE41),
	RD(3, P66, 0x40, 0x40, L12 | IM | N | R, SSE41), RD(3, P66, 0x41, 0x41, L1 | IM | N | R, SSE41),
	RD(2, P66, 0x13, 0x13, V12 | R, F16C), ROW(3, P66, 0x1d, STORE, V12 | IM | R, F16C),
#define FMA(first)									\
	RD(2, P66, (first) + 6, (first) + 8, V12 | N | R | WX, FMA),			\
	RD(2, P66, (first) + 9, (first) + 9, V1 | N | R | WX, FMA),			\
	RD(2, P66, (first) + 10, (first) + 10, V12 | N | R | WX, FMA),		\
	RD(2, P66, (first) + 11, (first) + 11, V1 | N | R | WX, FMA),			\
	RD(2, P66, (first) + 12, (first) + 12, V12 | N | R | WX, FMA),		\
	RD(2, P66, (first) + 13, (first) + 13, V1 | N | R | WX, FMA),			\
	RD(2, P66, (first) + 14, (first) + 14, V12 | N | R | WX, FMA),		\
	RD(2, P66, (first) + 15, (first) + 15, V1 | N | R | WX, FMA)
	FMA(0x90), FMA(0xa0), FMA(0xb0),
	/* Ciphers. */
	RD(2, P66, 0xdb, 0xdb, L1, AES), RD(2, P66, 0xdc, 0xdf, L1 | N, AES), RD(3, P66, 0xdf, 0xdf, L1 | IM, AES),
	RD(3, P66, 0x44, 0x44, L1 | IM | N, PCLMUL),
};

static const struct row *find(const struct im_opcode *op)
{
	u32 encoding = op->length ? 1u << op->length : L, i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].map == op->map && rows[i].prefix == op->prefix && op->opcode >= rows[i].first &&
		    op->opcode <= rows[i].last && rows[i].flags & encoding)
			return &rows[i];
	return NULL;
}

bool im_vec_find(const struct im_opcode *op, struct im_insn *insn, bool *ret_has_imm)
{
	const struct row *row = find(op);
	bool names_vvvv;

	if (!row || (!(row->flags & WX) && op->has_w != !!(row->flags & W1)))
		return false;
	if ((row->flags & M && !insn->is_mem) || (row->flags & NM && insn->is_mem) ||
	    (row->flags & DIGIT && !(row->digits & 1u << insn->reg)))
		return false;
	names_vvvv = row->flags & N || (row->flags & NR && !insn->is_mem);
	if (op->length && !names_vvvv && insn->vvvv)
		return false;
	insn->form = IM_VEC;
	insn->vec = row->vec;
	insn->may_raise = row->flags & R || (row->flags & RW && op->has_w);
	insn->vec_features = row->feature;
	if (op->length)
		insn->vec_features |= op->length == 2 && row->flags & A2 ? UB_VEC_F_AVX2 : UB_VEC_F_AVX;
	/* Broadcasts from a register came later than those from memory. */
	if (op->map == 2 && (op->opcode == 0x18 || op->opcode == 0x19) && !insn->is_mem)
		insn->vec_features |= UB_VEC_F_AVX2;
	*ret_has_imm = row->flags & IM;
	return true;
}
