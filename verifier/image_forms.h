/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image_forms: which instructions may be in an image, by prefix, opcode map and opcode (SDM vol. 2, appendix A).
 *
 * Only image_decode.c includes it.  A row has the form, flags, operands, encoding and what else the machine must have.
 * Vector registers are all the guest's, so only memory, general registers and flags matter.  Left out: MMX, what has
 * memory operands of its own (maskmov, gathers) and what changes MXCSR.  tests/unit/image_decode.c holds it to Zydis.
 */

enum { NP, P66, PF3, PF2 };	/* as VEX numbers them */

/* Operands: read, written. */
enum {
	R_RM = IM_READS(IM_OP_RM), R_REG = IM_READS(IM_OP_REG), R_VV = IM_READS(IM_OP_VVVV), R_AX = IM_READS(IM_OP_AX),
	R_CX = IM_READS(IM_OP_CX), R_DX = IM_READS(IM_OP_DX), R_BX = IM_READS(IM_OP_BX),
	W_RM = IM_WRITES(IM_OP_RM), W_REG = IM_WRITES(IM_OP_REG), W_VV = IM_WRITES(IM_OP_VVVV), W_AX = IM_WRITES(IM_OP_AX),
	W_CX = IM_WRITES(IM_OP_CX), W_DX = IM_WRITES(IM_OP_DX),
	RW_RM = R_RM | W_RM, RW_REG = R_REG | W_REG, RW_AX = R_AX | W_AX,
};

/* Flags. */
enum { NC = IM_NEEDS_CF, NA = IM_NEEDS_ALL, SC = IM_SETS_CF, SO = IM_SETS_OTHERS, SA = IM_SETS_ALL, SP = IM_SPOILS };

/* Encoding. */
enum {
	L = 1 << 0, V1 = 1 << 1, V2 = 1 << 2,	/* without VEX, VEX of 128 and of 256 bits; none of them: without, and no vector */
	L1 = L | V1, L12 = L | V1 | V2, V12 = V1 | V2,
	A2 = 1 << 3,		/* 256 bits came with AVX2, */
	AM = 1 << 4,		/* all but from memory */
	W1 = 1 << 5, WX = 1 << 6, /* W is set; may be.  Else it is not, but for sizes */
	N = 1 << 7,		/* with VEX, vvvv is an operand; else it names none */
	NR = 1 << 8,		/* likewise, but for memory */
	R = 1 << 9,		/* may raise an exception; */
	RW = 1 << 10,		/* if W is set */
	M = 1 << 11, NM = 1 << 12, /* rm is memory; is not */
	VRM = 1 << 13,		/* rm is a vector register, or memory of IM_WIDE */
	WIDE = 1 << 14,		/* the latter alone */
	SIZE = 1 << 15,		/* 66 and W say how wide it is; */
	PAIR = 1 << 16,		/* likewise, but a byte where the opcode is even; */
	BYTE = 1 << 17,		/* it is a byte */
	NO16 = 1 << 18,		/* not 16 bits */
	F8 = 1 << 19, F16 = 1 << 20, F32 = 1 << 21,	/* the source is of 8, 16, 32 bits */
	NOMOD = 1 << 22,	/* has no ModRM; */
	OPREG = 1 << 23,	/* but rm in the opcode */
	I8 = 1 << 24, IZ = 1 << 25, IV = 1 << 26,	/* a constant of a byte; of the width, of 32 bits at most; of 32 or 64 */
	CNT = 1 << 27,		/* the constant, or 1, is a count, which is not 0 since that would leave the flags */
	DBL = 1 << 28,		/* memory of twice the width; that of 16 bytes came later */
	REP = 1 << 29, NE = 1 << 30,	/* has f3; may have f2 instead */
};


#define LOCK	(1u << 31)	/* may be locked when rm is memory */
#define SIZED	(SIZE | PAIR)

enum { NO_GROUP, G1, G2, G2CL, G3, G3W, G4, G5, G8, G9, G15, GROUPS };

struct row {
	u8 form, flags;
	u16 uses;
	u32 enc;
	u32 features;
	u8 digits;		/* bit per value of reg, which is no operand; 0: it is one */
	u8 group;		/* each such value has a row below */
};

#define VF(feature)	UB_VEC_F_##feature
#define IF(feature)	(UB_INT_F_##feature << 16)
/* Vectors: rm is read; is written; to and from general registers; flags are set. */
#define RD(enc, feature)	{ IM_LOOK, 0, R_RM, (enc) | VRM, VF(feature) }
#define ST(enc, feature)	{ IM_LOOK, 0, W_RM, (enc) | VRM, VF(feature) }
#define TO_REG(enc, feature)	{ IM_ANY, 0, R_RM | W_REG, (enc) | VRM, VF(feature) }
#define TO_RM(enc, feature)	{ IM_ANY, 0, W_RM, (enc) | WIDE, VF(feature) }
#define FROM_RM(enc, feature)	{ IM_LOOK, 0, R_RM, enc, VF(feature) }
#define FLAGS(enc, feature)	{ IM_LOOK, SA, R_RM, (enc) | VRM, VF(feature) }
#define DIGITS(enc, digits)	{ IM_LOOK, 0, R_RM, (enc) | VRM, VF(SSE2), digits }
#define GROUP(enc, group)	{ IM_LOOK, 0, 0, enc, 0, 0xff, group }
/* op rm, reg and op reg, rm */
#define CLASSIC(opcode, form, flags)								\
	[opcode ... (opcode) + 1] = { form, flags, RW_RM | R_REG, PAIR | LOCK },		\
	[(opcode) + 2 ... (opcode) + 3] = { form, flags, RW_REG | R_RM, PAIR }

static const struct row one_byte[256] = {
	CLASSIC(0x00, IM_ADD, SA), CLASSIC(0x08, IM_OR, SA), CLASSIC(0x10, IM_OPAQUE, NC | SA), CLASSIC(0x18, IM_OPAQUE, NC | SA),
	CLASSIC(0x20, IM_AND, SA), CLASSIC(0x28, IM_SUB, SA), CLASSIC(0x30, IM_XOR, SA),
	[0x38 ... 0x3b] = { IM_CMP, SA, R_RM | R_REG, PAIR },
	[0x63] = { IM_MOVSX, 0, R_RM | W_REG, SIZE | F32 },
	[0x69] = { IM_IMUL, SA, R_RM | W_REG, SIZE | IZ },
	[0x70 ... 0x7f] = { IM_JCC, 0, 0, NOMOD | I8 },
	[0x80 ... 0x81] = GROUP(PAIR | IZ, G1), [0x83] = GROUP(SIZE | I8, G1),
	[0x84 ... 0x85] = { IM_TEST, SA, R_RM | R_REG, PAIR },
	[0x86 ... 0x87] = { IM_XCHG, 0, RW_RM | RW_REG, PAIR | LOCK },
	[0x88 ... 0x89] = { IM_MOV, 0, W_RM | R_REG, PAIR },
	[0x8a ... 0x8b] = { IM_MOV, 0, R_RM | W_REG, PAIR },
	[0x8d] = { IM_LEA, 0, W_REG, SIZE | M },
	[0x8f] = { IM_POP, 0, W_RM, M, 0, 1 << 0 },
	[0x90] = { IM_NOP, 0, 0, SIZE | NOMOD },
	[0x9c] = { IM_PUSHF, NA, 0, NOMOD }, [0x9e] = { IM_SAHF, SC, R_AX, NOMOD }, [0x9f] = { IM_LAHF, NA, RW_AX, NOMOD },
	[0xa4 ... 0xa5] = { IM_STRING, 0, 0, PAIR | NOMOD | REP }, [0xa6 ... 0xa7] = { IM_STRING, NA | SP, 0, PAIR | NOMOD | REP | NE },
	[0xaa ... 0xad] = { IM_STRING, 0, 0, PAIR | NOMOD | REP }, [0xae ... 0xaf] = { IM_STRING, NA | SP, 0, PAIR | NOMOD | REP | NE },
	[0xb8 ... 0xbf] = { IM_MOV, 0, W_RM, SIZE | NO16 | OPREG | IV },
	[0xc0 ... 0xc1] = GROUP(PAIR | I8 | CNT, G2), [0xd0 ... 0xd1] = GROUP(PAIR | CNT, G2), [0xd2 ... 0xd3] = GROUP(PAIR, G2CL),
	[0xc6 ... 0xc7] = { IM_MOV, 0, W_RM, PAIR | IZ, 0, 1 << 0 },
	[0xe3] = { IM_JRCXZ, 0, R_CX, NOMOD | I8 }, [0xe8] = { IM_CALL, 0, 0, NOMOD | IZ },
	[0xe9] = { IM_JMP, 0, 0, NOMOD | IZ }, [0xeb] = { IM_JMP, 0, 0, NOMOD | I8 },
	[0xf5] = { IM_LOOK, NC | SC, 0, NOMOD }, [0xf8 ... 0xf9] = { IM_LOOK, SC, 0, NOMOD },
	[0xf6] = GROUP(PAIR, G3), [0xf7] = GROUP(PAIR, G3W), [0xfe] = GROUP(PAIR, G4), [0xff] = GROUP(PAIR, G5),
};

/* By reg. */
static const struct row groups[GROUPS][8] = {
	[G1] = {
		{ IM_ADD, SA, RW_RM, LOCK }, { IM_OR, SA, RW_RM, LOCK }, { IM_OPAQUE, NC | SA, RW_RM, LOCK },
		{ IM_OPAQUE, NC | SA, RW_RM, LOCK }, { IM_AND, SA, RW_RM, LOCK }, { IM_SUB, SA, RW_RM, LOCK },
		{ IM_XOR, SA, RW_RM, LOCK }, { IM_CMP, SA, R_RM },
	},
	[G2] = {
		[0 ... 1] = { IM_OPAQUE, SC, RW_RM }, [2 ... 3] = { IM_OPAQUE, NC | SC, RW_RM }, [4] = { IM_SHL, SA, RW_RM },
		[5] = { IM_SHR, SA, RW_RM }, [7] = { IM_SAR, SA, RW_RM },
	},
	[G2CL] = {
		[0 ... 1] = { IM_OPAQUE, SP, RW_RM | R_CX }, [2 ... 3] = { IM_OPAQUE, NC | SP, RW_RM | R_CX },
		[4] = { IM_OPAQUE, SP, RW_RM | R_CX }, [5] = { IM_SHR_CL, SP, RW_RM | R_CX }, [7] = { IM_OPAQUE, SP, RW_RM | R_CX },
	},
	[G3] = {
		[0] = { IM_TEST, SA, R_RM, IZ }, [2] = { IM_NOT, 0, RW_RM, LOCK }, [3] = { IM_NEG, SA, RW_RM, LOCK },
		[4 ... 5] = { IM_ANY, SA, R_RM | RW_AX }, [6 ... 7] = { IM_ANY, SP, R_RM | RW_AX, R },
	},
	[G3W] = {
		[0] = { IM_TEST, SA, R_RM, IZ }, [2] = { IM_NOT, 0, RW_RM, LOCK }, [3] = { IM_NEG, SA, RW_RM, LOCK },
		[4 ... 5] = { IM_OPAQUE, SA, R_RM | RW_AX | W_DX }, [6 ... 7] = { IM_OPAQUE, SP, R_RM | RW_AX | R_DX | W_DX, R },
	},
	[G4] = { { IM_INC, SO, RW_RM, LOCK }, { IM_DEC, SO, RW_RM, LOCK } },
	[G5] = { { IM_INC, SO, RW_RM, LOCK }, { IM_DEC, SO, RW_RM, LOCK }, [6] = { IM_PUSH, 0, R_RM, M | NO16 } },
	[G8] = { [4] = { IM_LOOK, SC, R_RM }, [5 ... 7] = { IM_OPAQUE, SC, RW_RM, LOCK } },
	[G9] = { [1] = { IM_ANY, SP, RW_RM | RW_AX | R_DX | W_DX | R_CX | R_BX, M | DBL | LOCK } },
	[G15] = { [3] = { IM_LOOK, 0, W_RM, L1 | VRM | M, VF(SSE2) } },
};

/* Behind 0f 01 and 0f ae: what the whole of ModRM says. */
static const struct whole {
	u8 opcode, modrm;
	struct row row;
} wholes[] = {
	{ 0x01, 0xca, { .form = IM_CLAC } }, { 0x01, 0xcb, { .form = IM_STAC } },
	{ 0x01, 0xf9, { .form = IM_CPU_NR, .uses = W_AX | W_CX | W_DX, .features = IF(RDTSCP) } },
	{ 0xae, 0xe8, { .form = IM_LFENCE } }, { 0xae, 0xf0, { .form = IM_NOP } }, { 0xae, 0xf8, { .form = IM_NOP } },
};

/* Behind 0f, by prefix. */
static const struct row two_bytes[4][256] = {
	[NP] = {
		[0x10] = RD(L12, SSE2), [0x11] = ST(L12, SSE2), [0x12] = RD(L1 | N, SSE2), [0x13] = ST(L1 | M, SSE2),
		[0x14 ... 0x15] = RD(L12 | N, SSE2), [0x16] = RD(L1 | N, SSE2), [0x17] = ST(L1 | M, SSE2),
		[0x1f] = { IM_NOP, 0, 0, SIZE | M, 0, 1 << 0 },
		[0x28] = RD(L12, SSE2), [0x29] = ST(L12, SSE2), [0x2b] = ST(L12 | M, SSE2), [0x2e ... 0x2f] = FLAGS(L1 | R, SSE2),
		[0x31] = { IM_HALF, 0, W_AX | W_DX, NOMOD },
		[0x40 ... 0x4f] = { IM_CMOV, 0, RW_REG | R_RM, SIZE },
		[0x50] = TO_REG(L12 | NM, SSE2), [0x51] = RD(L12 | R, SSE2), [0x52 ... 0x53] = RD(L12, SSE2),
		[0x54 ... 0x57] = RD(L12 | N, SSE2), [0x58 ... 0x59] = RD(L12 | N | R, SSE2), [0x5a ... 0x5b] = RD(L12 | R, SSE2),
		[0x5c ... 0x5f] = RD(L12 | N | R, SSE2), [0x77] = { IM_LOOK, 0, 0, V12 | NOMOD, VF(AVX) },
		[0x80 ... 0x8f] = { IM_JCC, 0, 0, NOMOD | IZ },
		[0x90 ... 0x9f] = { IM_SETCC, 0, W_RM, BYTE, 0, 0xff },
		[0xa3] = { IM_LOOK, SC, R_RM | R_REG, SIZE | NM },
		[0xa4] = { IM_OPAQUE, SA, RW_RM | R_REG, SIZE | I8 | CNT }, [0xa5] = { IM_OPAQUE, SP, RW_RM | R_REG | R_CX, SIZE },
		[0xac] = { IM_OPAQUE, SA, RW_RM | R_REG, SIZE | I8 | CNT }, [0xad] = { IM_OPAQUE, SP, RW_RM | R_REG | R_CX, SIZE },
		[0xab] = { IM_BTX, SC, RW_RM | R_REG, SIZE | LOCK }, [0xb3] = { IM_BTX, SC, RW_RM | R_REG, SIZE | LOCK },
		[0xbb] = { IM_BTX, SC, RW_RM | R_REG, SIZE | LOCK }, [0xba] = GROUP(SIZE | I8, G8),
		[0xae] = GROUP(0, G15), [0xaf] = { IM_IMUL, SA, RW_REG | R_RM, SIZE },
		[0xb0 ... 0xb1] = { IM_ANY, SA, RW_RM | R_REG | RW_AX, PAIR | LOCK },
		[0xb6] = { IM_MOVZX, 0, R_RM | W_REG, SIZE | F8 }, [0xb7] = { IM_MOVZX, 0, R_RM | W_REG, SIZE | F16 },
		[0xbe] = { IM_MOVSX, 0, R_RM | W_REG, SIZE | F8 }, [0xbf] = { IM_MOVSX, 0, R_RM | W_REG, SIZE | F16 },
		[0xbc ... 0xbd] = { IM_ANY, SA, RW_REG | R_RM, SIZE },
		[0xc0 ... 0xc1] = { IM_OPAQUE, SA, RW_RM | RW_REG, PAIR | LOCK },
		[0xc2] = RD(L12 | I8 | N | R, SSE2), [0xc6] = RD(L12 | I8 | N, SSE2), [0xc7] = GROUP(SIZE | NO16, G9),
		[0xc8 ... 0xcf] = { IM_OPAQUE, 0, RW_RM, SIZE | NO16 | OPREG },
	},
	[P66] = {
		[0x10] = RD(L12, SSE2), [0x11] = ST(L12, SSE2), [0x12] = RD(L1 | N | M, SSE2), [0x13] = ST(L1 | M, SSE2),
		[0x14 ... 0x15] = RD(L12 | N, SSE2), [0x16] = RD(L1 | N | M, SSE2), [0x17] = ST(L1 | M, SSE2),
		[0x28] = RD(L12, SSE2), [0x29] = ST(L12, SSE2), [0x2b] = ST(L12 | M, SSE2), [0x2e ... 0x2f] = FLAGS(L1 | R, SSE2),
		[0x50] = TO_REG(L12 | NM, SSE2), [0x51] = RD(L12 | R, SSE2), [0x54 ... 0x57] = RD(L12 | N, SSE2),
		[0x58 ... 0x59] = RD(L12 | N | R, SSE2), [0x5a ... 0x5b] = RD(L12 | R, SSE2), [0x5c ... 0x5f] = RD(L12 | N | R, SSE2),
		[0x60 ... 0x6d] = RD(L12 | N | A2, SSE2), [0x6e] = FROM_RM(L1 | WX, SSE2), [0x6f] = RD(L12, SSE2),
		[0x70] = RD(L12 | I8 | A2, SSE2), [0x71 ... 0x72] = DIGITS(L12 | I8 | N | NM | A2, 1 << 2 | 1 << 4 | 1 << 6),
		[0x73] = DIGITS(L12 | I8 | N | NM | A2, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 7), [0x74 ... 0x76] = RD(L12 | N | A2, SSE2),
		[0x7c ... 0x7d] = RD(L12 | N | R, SSE3), [0x7e] = TO_RM(L1 | WX, SSE2), [0x7f] = ST(L12, SSE2),
		[0xc2] = RD(L12 | I8 | N | R, SSE2), [0xc4] = FROM_RM(L1 | I8 | N, SSE2), [0xc5] = TO_REG(L1 | I8 | NM, SSE2),
		[0xc6] = RD(L12 | I8 | N, SSE2), [0xd0] = RD(L12 | N | R, SSE3), [0xd1 ... 0xd5] = RD(L12 | N | A2, SSE2),
		[0xd6] = ST(L1, SSE2), [0xd7] = TO_REG(L12 | NM | A2, SSE2), [0xd8 ... 0xe5] = RD(L12 | N | A2, SSE2),
		[0xe6] = RD(L12 | R, SSE2), [0xe7] = ST(L12 | M, SSE2), [0xe8 ... 0xef] = RD(L12 | N | A2, SSE2),
		[0xf1 ... 0xf6] = RD(L12 | N | A2, SSE2), [0xf8 ... 0xfe] = RD(L12 | N | A2, SSE2),
	},
	[PF3] = {
		[0x10] = RD(L1 | NR, SSE2), [0x11] = ST(L1 | M, SSE2), [0x12] = RD(L12, SSE3), [0x16] = RD(L12, SSE3),
		[0x2a] = FROM_RM(L1 | N | R | WX, SSE2), [0x2c ... 0x2d] = TO_REG(L1 | R | WX, SSE2), [0x51] = RD(L1 | N | R, SSE2),
		[0x52 ... 0x53] = RD(L1 | N, SSE2), [0x58 ... 0x5a] = RD(L1 | N | R, SSE2), [0x5b] = RD(L12 | R, SSE2),
		[0x5c ... 0x5f] = RD(L1 | N | R, SSE2), [0x6f] = RD(L12, SSE2), [0x70] = RD(L12 | I8 | A2, SSE2), [0x7e] = RD(L1, SSE2),
		[0x7f] = ST(L12, SSE2), [0xc2] = RD(L1 | I8 | N | R, SSE2), [0xe6] = RD(L12, SSE2),
		[0xb8] = { IM_COUNT, SA, R_RM | W_REG, SIZE, IF(POPCNT) }, [0xbc] = { IM_COUNT, SA, R_RM | W_REG, SIZE, IF(BMI1) },
		[0xbd] = { IM_COUNT, SA, R_RM | W_REG, SIZE, IF(LZCNT) }, [0xc7] = { IM_CPU_NR, 0, W_RM, NM, IF(RDTSCP), 1 << 7 },
	},
	[PF2] = {
		[0x10] = RD(L1 | NR, SSE2), [0x11] = ST(L1 | M, SSE2), [0x12] = RD(L12, SSE3), [0x2a] = FROM_RM(L1 | N | RW | WX, SSE2),
		[0x2c ... 0x2d] = TO_REG(L1 | R | WX, SSE2), [0x51] = RD(L1 | N | R, SSE2), [0x58 ... 0x5a] = RD(L1 | N | R, SSE2),
		[0x5c ... 0x5f] = RD(L1 | N | R, SSE2), [0x70] = RD(L12 | I8 | A2, SSE2), [0x7c ... 0x7d] = RD(L12 | N | R, SSE3),
		[0xc2] = RD(L1 | I8 | N | R, SSE2), [0xd0] = RD(L12 | N | R, SSE3), [0xe6] = RD(L12 | R, SSE2), [0xf0] = RD(L12 | M, SSE3),
	},
};

#define FMA_FROM(first)										\
	[(first) ... (first) + 2] = RD(V12 | N | R | WX, FMA), [(first) + 3] = RD(V1 | N | R | WX, FMA),	\
	[(first) + 4] = RD(V12 | N | R | WX, FMA), [(first) + 5] = RD(V1 | N | R | WX, FMA),		\
	[(first) + 6] = RD(V12 | N | R | WX, FMA), [(first) + 7] = RD(V1 | N | R | WX, FMA),		\
	[(first) + 8] = RD(V12 | N | R | WX, FMA), [(first) + 9] = RD(V1 | N | R | WX, FMA)

/* Behind 0f 38 and 0f 3a, with 66. */
static const struct row three_bytes[2][256] = {
	{
		[0x00 ... 0x0b] = RD(L12 | N | A2, SSSE3), [0x0c ... 0x0d] = RD(V12 | N, AVX), [0x0e ... 0x0f] = FLAGS(V12, AVX),
		[0x10] = RD(L, SSE41), [0x13] = RD(V12 | R, F16C), [0x14 ... 0x15] = RD(L, SSE41), [0x16] = RD(V2 | N, AVX2),
		[0x17] = FLAGS(L12, SSE41), [0x18] = RD(V12 | AM, AVX), [0x19] = RD(V2 | AM, AVX), [0x1a] = RD(V2 | M, AVX),
		[0x1c ... 0x1e] = RD(L12 | A2, SSSE3), [0x20 ... 0x25] = RD(L12 | A2, SSE41), [0x28 ... 0x29] = RD(L12 | N | A2, SSE41),
		[0x2a] = RD(L12 | M | A2, SSE41), [0x2b] = RD(L12 | N | A2, SSE41), [0x30 ... 0x35] = RD(L12 | A2, SSE41),
		[0x36] = RD(V2 | N, AVX2), [0x37] = RD(L12 | N | A2, SSE42), [0x38 ... 0x40] = RD(L12 | N | A2, SSE41),
		[0x41] = RD(L1, SSE41), [0x45] = RD(V12 | N | WX, AVX2), [0x46] = RD(V12 | N, AVX2), [0x47] = RD(V12 | N | WX, AVX2),
		[0x58 ... 0x59] = RD(V12, AVX2), [0x5a] = RD(V2 | M, AVX2), [0x78 ... 0x79] = RD(V12, AVX2),
		FMA_FROM(0x96), FMA_FROM(0xa6), FMA_FROM(0xb6), [0xdb] = RD(L1, AES), [0xdc ... 0xdf] = RD(L1 | N, AES),
	}, {
		[0x00 ... 0x01] = RD(V2 | I8 | W1, AVX2), [0x02] = RD(V12 | I8 | N, AVX2), [0x04 ... 0x05] = RD(V12 | I8, AVX),
		[0x06] = RD(V2 | I8 | N, AVX), [0x08 ... 0x09] = RD(L12 | I8 | R, SSE41), [0x0a ... 0x0b] = RD(L1 | I8 | N | R, SSE41),
		[0x0c ... 0x0d] = RD(L12 | I8 | N, SSE41), [0x0e] = RD(L12 | I8 | N | A2, SSE41), [0x0f] = RD(L12 | I8 | N | A2, SSSE3),
		[0x14 ... 0x15] = TO_RM(L1 | I8, SSE41), [0x16] = TO_RM(L1 | I8 | WX, SSE41), [0x17] = TO_RM(L1 | I8, SSE41),
		[0x18] = RD(V2 | I8 | N, AVX), [0x19] = ST(V2 | I8, AVX), [0x1d] = ST(V12 | I8 | R, F16C),
		[0x20] = FROM_RM(L1 | I8 | N, SSE41), [0x21] = RD(L1 | I8 | N, SSE41), [0x22] = FROM_RM(L1 | I8 | N | WX, SSE41),
		[0x38] = RD(V2 | I8 | N, AVX2), [0x39] = ST(V2 | I8, AVX2), [0x40] = RD(L12 | I8 | N | R, SSE41),
		[0x41] = RD(L1 | I8 | N | R, SSE41), [0x42] = RD(L12 | I8 | N | A2, SSE41), [0x44] = RD(L1 | I8 | N, PCLMUL),
		[0x46] = RD(V2 | I8 | N, AVX2), [0x4a ... 0x4b] = RD(V12 | I8 | N, AVX), [0x4c] = RD(V12 | I8 | N | A2, AVX),
		[0x60 ... 0x63] = { IM_ANY, SA, R_RM | R_AX | R_DX | W_CX, L1 | I8 | VRM, VF(SSE42) }, [0xdf] = RD(L1 | I8, AES),
	},
};

#define BMI(form, flags, uses, enc, feature)	{ form, flags, uses, (enc) | V1 | WX | SIZE, IF(feature) }
#define BMI2(uses, enc)		BMI(IM_OPAQUE, 0, uses, enc, BMI2)
#define BMI_FLAGS(uses, feature) BMI(IM_OPAQUE, SA, uses, N, feature)

/* From f0 on, by prefix: those of general registers. */
static const struct row high[2][4][16] = {
	{
		[NP] = {
			[2] = BMI_FLAGS(R_RM | R_VV | W_REG, BMI1), [5] = BMI_FLAGS(R_RM | R_VV | W_REG, BMI2),
			[7] = BMI_FLAGS(R_RM | R_VV | W_REG, BMI1),
			[3] = { IM_OPAQUE, SA, R_RM | W_VV, V1 | N | WX | SIZE, IF(BMI1), 1 << 1 | 1 << 2 | 1 << 3 },
		},
		[P66] = {
			[6] = { IM_OPAQUE, NA | SP, RW_REG | R_RM, SIZE, IF(ADX) }, [7] = BMI2(R_RM | R_VV | W_REG, N),
		},
		[PF3] = {
			[5] = BMI2(R_RM | R_VV | W_REG, N), [6] = { IM_OPAQUE, NA | SP, RW_REG | R_RM, SIZE, IF(ADX) },
			[7] = BMI2(R_RM | R_VV | W_REG, N),
		},
		[PF2] = {
			[0] = { IM_HALF, 0, RW_REG | R_RM, SIZE | F8, IF(CRC32) }, [1] = { IM_HALF, 0, RW_REG | R_RM, SIZE, IF(CRC32) },
			[5] = BMI2(R_RM | R_VV | W_REG, N), [6] = BMI2(R_RM | R_DX | W_REG | W_VV, N),
			[7] = BMI2(R_RM | R_VV | W_REG, N),
		},
	}, {
		[PF2] = { [0] = BMI2(R_RM | W_REG, I8) },
	},
};
