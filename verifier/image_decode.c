// SPDX-License-Identifier: GPL-2.0
/*
 * image_decode: which machine instruction stands here?  See image_insn.h.
 *
 * Prefixes, opcode, ModRM, constant (SDM vol. 2A, 2.1 and 2.3; opcodes by appendix A).  Refused as a whole: segment
 * prefixes but gs on the two per-CPU operands, 67h, addresses relative to rip, and every opcode that is not here.
 */
#include "../ir/vecop.h"
#include "image_insn.h"

#define REX_W	8u
#define REX_R	4u
#define REX_X	2u
#define REX_B	1u

/* What was read so far. */
struct cursor {
	const u8 *code;		/* READ_LEN bytes */
	u32 at;
	u8 rex;			/* its low bits, */
	bool has_rex;
	bool has_66, has_lock, has_gs;
	u8 rep;
};

/* Sound: nobody reads more than 4 prefixes and the byte behind, 3 of VEX or REX and the opcode's 3, 6 of ModRM, 8 of a
 * constant. */
#define READ_LEN	32u
#define MAX_LEN		15u

static u8 get8(struct cursor *c)
{
	return c->code[c->at++];
}

static s32 get32(struct cursor *c)
{
	s32 value;

	memcpy(&value, c->code + c->at, sizeof(value));
	c->at += sizeof(value);
	return value;
}

static s64 get64(struct cursor *c)
{
	u64 low = (u32)get32(c);

	return (s64)(low | (u64)(u32)get32(c) << 32);
}

/* A constant of an operation of @width: at most 32 bits, sign-extended. */
static s64 get_imm(struct cursor *c, u32 width)
{
	u32 low;

	if (width == 8)
		return (s8)get8(c);
	if (width > 16)
		return get32(c);
	low = get8(c);
	return (s16)(low | (u32)get8(c) << 8);
}

static bool get_modrm(struct cursor *c, struct im_insn *insn)
{
	u8 byte = get8(c), mod = byte >> 6, rm = byte & 7, sib;

	insn->reg = (byte >> 3 & 7) | (c->rex & REX_R ? 8 : 0);
	insn->index = UB_NOREG;
	if (mod == 3) {
		insn->rm = rm | (c->rex & REX_B ? 8 : 0);
		return true;
	}
	insn->is_mem = true;
	if (mod == 0 && rm == 5)
		return false;		/* relative to rip */
	if (rm == 4) {
		sib = get8(c);
		rm = sib & 7;
		insn->index = (sib >> 3 & 7) | (c->rex & REX_X ? 8 : 0);
		if (insn->index == IM_RSP)
			insn->index = UB_NOREG;
		insn->scale = sib >> 6;
	}
	insn->rm = mod == 0 && rm == 5 ? UB_NOREG : rm | (c->rex & REX_B ? 8 : 0);
	if (mod == 1)
		insn->disp = (s8)get8(c);
	else if (mod == 2 || insn->rm == UB_NOREG)
		insn->disp = get32(c);
	return true;
}

static bool is_high_byte(const struct cursor *c, u8 reg)
{
	return !c->has_rex && reg >= 4 && reg < 8;
}

static u8 wide(const struct cursor *c)
{
	return c->rex & REX_W ? 64 : c->has_66 ? 16 : 32;
}

/* Opcodes in pairs: the even one is of bytes. */
static bool pair(struct cursor *c, struct im_insn *insn, u8 op, enum im_form form)
{
	insn->form = form;
	insn->width = op & 1 ? wide(c) : 8;
	return get_modrm(c, insn);
}

/* Such a pair with a register as the other operand. */
static bool pair_reg(struct cursor *c, struct im_insn *insn, u8 op, enum im_form form)
{
	if (!pair(c, insn, op, form))
		return false;
	insn->has_high_byte = insn->width == 8 && (is_high_byte(c, insn->reg) ||
						   (!insn->is_mem && is_high_byte(c, insn->rm)));
	return true;
}

/* Such a pair where reg is a digit, that the caller looks at. */
static bool pair_digit(struct cursor *c, struct im_insn *insn, u8 op)
{
	bool is_good = pair(c, insn, op, IM_BAD);

	insn->has_high_byte = insn->width == 8 && !insn->is_mem && is_high_byte(c, insn->rm);
	insn->reg &= 7;
	return is_good;
}

static bool with_imm(struct cursor *c, struct im_insn *insn, enum im_form form, u32 width)
{
	insn->form = form;
	insn->has_imm = true;
	insn->imm = get_imm(c, width);
	return true;
}

static bool group1(struct cursor *c, struct im_insn *insn, u8 op)
{
	if (op == 0x82 || !pair_digit(c, insn, op))
		return false;
	return with_imm(c, insn, IM_ADD + insn->reg, op == 0x83 ? 8 : insn->width);
}

static bool group2(struct cursor *c, struct im_insn *insn, u8 op)
{
	static const u8 by_imm[8] = { IM_ROT, IM_ROT, IM_ROTC, IM_ROTC, IM_SHL, IM_SHR, IM_BAD, IM_SAR };
	static const u8 by_cl[8] = {
		IM_SHIFT_CL, IM_SHIFT_CL, IM_ROTC_CL, IM_ROTC_CL, IM_SHIFT_CL, IM_SHR_CL, IM_BAD, IM_SHIFT_CL,
	};

	if (!pair_digit(c, insn, op))
		return false;
	insn->form = op >= 0xd2 ? by_cl[insn->reg] : by_imm[insn->reg];
	insn->imm = op < 0xd0 ? get8(c) & (insn->width == 64 ? 63 : 31) : 1;
	/* A count of 0 would leave the flags. */
	return insn->form != IM_BAD && insn->imm;
}

static bool group3(struct cursor *c, struct im_insn *insn, u8 op)
{
	static const u8 forms[8] = { IM_TEST, IM_BAD, IM_NOT, IM_NEG, IM_MUL, IM_MUL, IM_DIV, IM_DIV };

	if (!pair_digit(c, insn, op))
		return false;
	insn->form = forms[insn->reg];
	insn->may_raise = insn->form == IM_DIV;
	return insn->form == IM_TEST ? with_imm(c, insn, IM_TEST, insn->width) : insn->form != IM_BAD;
}

static bool group45(struct cursor *c, struct im_insn *insn, u8 op)
{
	if (!pair_digit(c, insn, op))
		return false;
	insn->form = insn->reg == 0 ? IM_INC : insn->reg == 1 ? IM_DEC : op == 0xff && insn->reg == 6 ? IM_PUSH : IM_BAD;
	if (insn->form == IM_PUSH)
		insn->width = 64;
	return insn->form != IM_BAD && (insn->form != IM_PUSH || insn->is_mem);
}

static bool string(struct cursor *c, struct im_insn *insn, u8 op)
{
	bool compares = (op & 0xfe) == 0xa6 || (op & 0xfe) == 0xae;

	insn->form = IM_STRING;
	insn->opcode = op & 0xfe;
	insn->width = op & 1 ? wide(c) : 8;
	insn->rep = c->rep;
	c->rep = 0;
	c->has_66 = false;
	return insn->rep == 0xf3 || (insn->rep == 0xf2 && compares);
}

static bool branch(struct cursor *c, struct im_insn *insn, enum im_form form, bool is_short)
{
	insn->form = form;
	insn->imm = is_short ? (s8)get8(c) : get32(c);
	return true;
}

static bool mov_imm(struct cursor *c, struct im_insn *insn, u8 op)
{
	insn->form = IM_MOV;
	insn->rm = (op & 7) | (c->rex & REX_B ? 8 : 0);
	insn->width = c->rex & REX_W ? 64 : 32;
	insn->has_imm = true;
	insn->imm = insn->width == 64 ? get64(c) : (u32)get32(c);
	return true;
}

static bool simple(struct im_insn *insn, enum im_form form)
{
	insn->form = form;
	return true;
}

/* Those of one byte whose other operand is in ModRM. */
static bool one_byte_modrm(struct cursor *c, struct im_insn *insn, u8 op)
{
	switch (op) {
	case 0x63:
		insn->from = 32;
		insn->is_to_reg = true;
		return pair(c, insn, 1, IM_MOVSX);
	case 0x69: case 0x6b:
		insn->is_to_reg = true;
		return pair(c, insn, 1, IM_IMUL) && with_imm(c, insn, IM_IMUL, op == 0x6b ? 8 : insn->width);
	case 0x80: case 0x81: case 0x83:
		return group1(c, insn, op);
	case 0x84: case 0x85:
		return pair_reg(c, insn, op, IM_TEST);
	case 0x86: case 0x87:
		return pair_reg(c, insn, op, IM_XCHG);
	case 0x88: case 0x89: case 0x8a: case 0x8b:
		insn->is_to_reg = op & 2;
		if (!pair_reg(c, insn, op, IM_MOV))
			return false;
		if (insn->has_high_byte && insn->reg == 4 && insn->is_mem) {
			insn->has_high_byte = false;
			insn->form = IM_MOV_AH;
		}
		return true;
	case 0x8d:
		insn->is_to_reg = true;
		return pair(c, insn, 1, IM_LEA) && insn->is_mem;
	case 0x8f:
		return pair_digit(c, insn, op) && insn->reg == 0 && insn->is_mem && (insn->width = 64) && simple(insn, IM_POP);
	case 0xc6: case 0xc7:
		return pair_digit(c, insn, op) && insn->reg == 0 && with_imm(c, insn, IM_MOV, insn->width);
	case 0xc0: case 0xc1: case 0xd0: case 0xd1: case 0xd2: case 0xd3:
		return group2(c, insn, op);
	case 0xf6: case 0xf7:
		return group3(c, insn, op);
	case 0xfe: case 0xff:
		return group45(c, insn, op);
	default:
		return false;
	}
}

static bool one_byte(struct cursor *c, struct im_insn *insn, u8 op)
{
	if (op < 0x40) {
		insn->is_to_reg = op & 2;
		return !(op & 4) && pair_reg(c, insn, op, IM_ADD + (op >> 3));
	}
	if ((op & 0xf0) == 0x70) {
		insn->cc = op & 15;
		return branch(c, insn, IM_JCC, true);
	}
	if ((op & 0xf8) == 0xb8)
		return mov_imm(c, insn, op);
	switch (op) {
	case 0x90:
		c->has_66 = false;
		return !c->has_rex && simple(insn, IM_NOP);	/* else it may be xchg r8, rax */
	case 0x9c:
		return simple(insn, IM_PUSHF);
	case 0x9e:
		return simple(insn, IM_SAHF);
	case 0x9f:
		return simple(insn, IM_LAHF);
	case 0xa4: case 0xa5: case 0xa6: case 0xa7: case 0xaa: case 0xab: case 0xac: case 0xad: case 0xae: case 0xaf:
		return string(c, insn, op);
	case 0xc3:
		return simple(insn, IM_RET);
	case 0xe3:
		return branch(c, insn, IM_JRCXZ, true);
	case 0xe8:
		return branch(c, insn, IM_CALL, false);
	case 0xe9: case 0xeb:
		return branch(c, insn, IM_JMP, op == 0xeb);
	case 0xf5:
		return simple(insn, IM_CMC);
	case 0xf8: case 0xf9:
		return simple(insn, IM_CLC);
	default:
		return one_byte_modrm(c, insn, op);
	}
}

/* 0f 01 and 0f ae: what their whole second byte says. */
static bool whole_byte(struct im_insn *insn, u8 op, u8 last)
{
	if (op == 0x01)
		insn->form = last == 0xcb ? IM_STAC : last == 0xca ? IM_CLAC : last == 0xf9 ? IM_RDTSCP : IM_BAD;
	else
		insn->form = last == 0xe8 ? IM_LFENCE : last == 0xf0 || last == 0xf8 ? IM_FENCE : IM_BAD;
	if (insn->form == IM_RDTSCP)
		insn->int_features = UB_INT_F_RDTSCP;
	return insn->form != IM_BAD;
}

static bool to_reg(struct cursor *c, struct im_insn *insn, enum im_form form)
{
	insn->is_to_reg = true;
	return pair(c, insn, 1, form);
}

/* movzx, movsx: the opcode's lowest bit says whether from 16 bits. */
static bool extend(struct cursor *c, struct im_insn *insn, u8 op)
{
	insn->from = op & 1 ? 16 : 8;
	if (!to_reg(c, insn, op & 8 ? IM_MOVSX : IM_MOVZX))
		return false;
	insn->has_high_byte = insn->from == 8 && !insn->is_mem && is_high_byte(c, insn->rm);
	return true;
}

static bool bits_group(struct cursor *c, struct im_insn *insn)
{
	if (!pair(c, insn, 1, IM_BAD) || (insn->reg & 7) < 4)
		return false;
	insn->form = (insn->reg & 7) == 4 ? IM_BT : IM_BTX;
	insn->has_imm = true;
	insn->imm = get8(c);
	return insn->imm < insn->width;
}

static bool scan(struct cursor *c, struct im_insn *insn, u8 op)
{
	insn->rep = c->rep;
	c->rep = 0;
	if (insn->rep == 0xf2 || (!insn->rep && op == 0xb8))
		return false;
	insn->int_features = !insn->rep ? 0 : op == 0xb8 ? UB_INT_F_POPCNT : op == 0xbc ? UB_INT_F_BMI1 : UB_INT_F_LZCNT;
	return to_reg(c, insn, insn->rep ? IM_COUNT : IM_SCAN);
}

static bool group9(struct cursor *c, struct im_insn *insn)
{
	if (!pair(c, insn, 1, IM_CMPXCHG2))
		return false;
	if (c->rep == 0xf3 && (insn->reg & 7) == 7 && !insn->is_mem) {
		c->rep = 0;
		insn->form = IM_RDPID;
		insn->int_features = UB_INT_F_RDTSCP;
		return true;
	}
	insn->int_features = insn->width == 64 ? UB_INT_F_CX16 : 0;
	return (insn->reg & 7) == 1 && insn->is_mem && insn->width >= 32;
}

static bool double_shift(struct cursor *c, struct im_insn *insn, bool is_cl)
{
	if (!pair(c, insn, 1, is_cl ? IM_SHXD_CL : IM_SHXD))
		return false;
	insn->imm = is_cl ? 0 : get8(c);
	return is_cl || (insn->imm > 0 && insn->imm < (insn->width == 64 ? 64 : 32));
}

/* Opcodes behind 0f that are no vector instructions. */
static bool two_byte(struct cursor *c, struct im_insn *insn, u8 op)
{
	bool is_good;

	switch (op & 0xf0) {
	case 0x40:
		insn->cc = op & 15;
		return to_reg(c, insn, IM_CMOV);
	case 0x80:
		insn->cc = op & 15;
		return branch(c, insn, IM_JCC, false);
	case 0x90:
		insn->cc = op & 15;
		is_good = pair_digit(c, insn, 0);
		return is_good && simple(insn, IM_SETCC);
	default:
		break;
	}
	if ((op & 0xf8) == 0xc8) {
		insn->rm = (op & 7) | (c->rex & REX_B ? 8 : 0);
		insn->width = wide(c);
		return insn->width > 16 && simple(insn, IM_BSWAP);
	}
	switch (op) {
	case 0x1f:
		c->has_66 = false;
		return pair_digit(c, insn, 1) && insn->reg == 0 && insn->is_mem && simple(insn, IM_NOP);
	case 0x31:
		return simple(insn, IM_RDTSC);
	case 0xa3:
		return pair(c, insn, 1, IM_BT);
	case 0xab: case 0xb3: case 0xbb:
		return pair(c, insn, 1, IM_BTX);
	case 0xba:
		return bits_group(c, insn);
	case 0xa4: case 0xa5: case 0xac: case 0xad:
		return double_shift(c, insn, op & 1);
	case 0xaf:
		return to_reg(c, insn, IM_IMUL);
	case 0xb0: case 0xb1:
		return pair_reg(c, insn, op, IM_CMPXCHG);
	case 0xb6: case 0xb7: case 0xbe: case 0xbf:
		return extend(c, insn, op);
	case 0xb8: case 0xbc: case 0xbd:
		return scan(c, insn, op);
	case 0xc0: case 0xc1:
		return pair_reg(c, insn, op, IM_XADD);
	case 0xc7:
		return group9(c, insn);
	default:
		return false;
	}
}

/* adcx, adox, crc32. */
static bool integer_38(struct cursor *c, struct im_insn *insn, u8 op)
{
	if ((op == 0xf0 || op == 0xf1) && c->rep == 0xf2) {
		c->rep = 0;
		insn->int_features = UB_INT_F_CRC32;
		if (!to_reg(c, insn, IM_CRC32))
			return false;
		insn->from = op == 0xf0 ? 8 : insn->width;
		insn->has_high_byte = insn->from == 8 && !insn->is_mem && is_high_byte(c, insn->rm);
		return true;
	}
	if (op != 0xf6 || !(c->rep == 0xf3) == !c->has_66)
		return false;
	c->rep = 0;
	c->has_66 = false;
	insn->int_features = UB_INT_F_ADX;
	return to_reg(c, insn, IM_ADX);
}

static u8 vex_prefix(const struct cursor *c)
{
	return c->rep == 0xf3 ? 2 : c->rep == 0xf2 ? 3 : c->has_66;
}

static bool vector(struct cursor *c, struct im_insn *insn, const struct im_opcode *op)
{
	bool has_imm, has_modrm = !(op->length && op->map == 1 && op->opcode == 0x77);

	insn->width = op->has_w ? 64 : 32;
	if (has_modrm && !get_modrm(c, insn))
		return false;
	if (!im_vec_find(op, insn, &has_imm))
		return false;
	insn->opcode = op->opcode;
	if (has_imm)
		insn->imm = get8(c);
	c->rep = 0;
	c->has_66 = false;
	return true;
}

static bool escaped(struct cursor *c, struct im_insn *insn)
{
	struct im_opcode op = { .map = 1, .opcode = get8(c) };
	struct cursor behind = *c;

	if (op.opcode == 0x38 || op.opcode == 0x3a) {
		op.map = op.opcode == 0x38 ? 2 : 3;
		op.opcode = get8(c);
		if (op.map == 2 && op.opcode >= 0xf0)
			return integer_38(c, insn, op.opcode);
	} else {
		if ((op.opcode == 0x01 || op.opcode == 0xae) && whole_byte(insn, op.opcode, get8(&behind))) {
			*c = behind;
			return true;
		}
		if (two_byte(c, insn, op.opcode))
			return true;
	}
	if (insn->form != IM_BAD)
		return false;
	op.prefix = vex_prefix(c);
	op.has_w = c->rex & REX_W;
	return vector(c, insn, &op);
}

/* BMI and the like, by prefix and opcode (SDM vol. 2A, table A-4). */
static bool vex_integer(struct cursor *c, struct im_insn *insn, const struct im_opcode *op)
{
	u32 key = (u32)op->map << 16 | (u32)op->prefix << 8 | op->opcode;
	bool is_group = op->opcode == 0xf3;

	insn->int_features = op->prefix || op->opcode == 0xf5 ? UB_INT_F_BMI2 : UB_INT_F_BMI1;
	insn->form = op->prefix ? IM_BMI : IM_BMI_FLAGS;
	insn->width = op->has_w ? 64 : 32;
	if (op->length != 1 || !get_modrm(c, insn))
		return false;
	switch (key) {
	case 0x200f2: case 0x200f5: case 0x202f5: case 0x203f5: case 0x200f7: case 0x201f7: case 0x202f7: case 0x203f7:
		return true;
	case 0x200f3:
		/* The result is in vvvv. */
		return is_group && (insn->reg & 7) >= 1 && (insn->reg & 7) <= 3;
	case 0x203f6:
		insn->form = IM_MULX;
		return true;
	case 0x303f0:
		insn->imm = get8(c);
		return !insn->vvvv;
	default:
		return false;
	}
}

/* c5 or c4 with its bits inverted, see SDM vol. 2A, 2.3.5. */
static bool vex(struct cursor *c, struct im_insn *insn, bool is_long)
{
	u8 first = get8(c), last = is_long ? get8(c) : first;
	struct im_opcode op = { .map = is_long ? first & 31 : 1 };

	c->rex = first & 0x80 ? 0 : REX_R;
	if (is_long)
		c->rex |= (first & 0x40 ? 0 : REX_X) | (first & 0x20 ? 0 : REX_B);
	c->has_rex = true;
	op.has_w = is_long && last & 0x80;
	insn->vvvv = ~last >> 3 & 15;
	op.length = last & 4 ? 2 : 1;
	op.prefix = last & 3;
	op.opcode = get8(c);
	if (op.map < 1 || op.map > 3)
		return false;
	insn->opcode = op.opcode;
	if ((op.map == 2 && op.opcode >= 0xf0) || (op.map == 3 && op.opcode == 0xf0))
		return vex_integer(c, insn, &op);
	return vector(c, insn, &op);
}

/* The two per-CPU operands: gs:[constant]. */
static bool of_this_cpu(struct im_insn *insn)
{
	if (!insn->is_mem || insn->rm != UB_NOREG || insn->index != UB_NOREG)
		return false;
	if (insn->form == IM_MOV && insn->is_to_reg && insn->width == 32)
		insn->form = IM_GS_LOAD;
	else if (insn->form == IM_CMP && insn->is_to_reg && insn->width == 32)
		insn->form = IM_GS_CMP;
	else if (insn->form == IM_CMP && insn->has_imm && !insn->imm && insn->width == 16)
		insn->form = IM_GS_SOFTIRQ;
	else
		return false;
	return true;
}

/* A lock prefix elsewhere is #UD. */
static bool may_lock(const struct im_insn *insn)
{
	switch (insn->form) {
	case IM_ADD: case IM_OR: case IM_ADC: case IM_SBB: case IM_AND: case IM_SUB: case IM_XOR: case IM_NOT: case IM_NEG:
	case IM_INC: case IM_DEC: case IM_BTX: case IM_XCHG: case IM_XADD: case IM_CMPXCHG: case IM_CMPXCHG2:
		return insn->is_mem && !insn->is_to_reg;
	default:
		return false;
	}
}

/* Each at most once. */
static u8 get_prefixes(struct cursor *c)
{
	u8 byte;

	for (;;) {
		byte = get8(c);
		if (byte == 0x66 && !c->has_66)
			c->has_66 = true;
		else if (byte == 0xf0 && !c->has_lock)
			c->has_lock = true;
		else if (byte == 0x65 && !c->has_gs)
			c->has_gs = true;
		else if ((byte == 0xf2 || byte == 0xf3) && !c->rep)
			c->rep = byte;
		else
			return byte;
	}
}

/* Field by field: compilers make a string store of the whole, which costs as much as all the rest. */
static void clear(struct im_insn *insn)
{
	insn->len = 0;
	insn->form = IM_BAD;
	insn->vec = 0;
	insn->width = 0;
	insn->from = 0;
	insn->cc = 0;
	insn->reg = 0;
	insn->rm = 0;
	insn->vvvv = 0;
	insn->index = UB_NOREG;
	insn->scale = 0;
	insn->is_mem = false;
	insn->has_imm = false;
	insn->is_to_reg = false;
	insn->is_locked = false;
	insn->may_raise = false;
	insn->has_high_byte = false;
	insn->rep = 0;
	insn->opcode = 0;
	insn->disp = 0;
	insn->imm = 0;
	insn->vec_features = 0;
	insn->int_features = 0;
}

static bool decode(const u8 *code, u32 room, struct im_insn *insn)
{
	struct cursor c = { .code = code };
	u8 op = get_prefixes(&c);
	bool is_good;

	clear(insn);
	if (op == 0xc4 || op == 0xc5) {
		if (c.at != 1)
			return false;
		is_good = vex(&c, insn, op == 0xc4);
	} else {
		if ((op & 0xf0) == 0x40) {
			c.rex = op & 15;
			c.has_rex = true;
			op = get8(&c);
		}
		is_good = op == 0x0f ? escaped(&c, insn) : one_byte(&c, insn, op);
	}
	/* A repeat prefix that the opcode has no use for means something else, or nothing, as 66 with REX.W. */
	if (!is_good || c.at > room || c.at > MAX_LEN || c.rep || insn->form == IM_BAD || insn->has_high_byte ||
	    (c.has_66 && (c.rex & REX_W || insn->width != 16)))
		return false;
	insn->len = c.at;
	insn->is_locked = c.has_lock;
	if (c.has_lock && !may_lock(insn))
		return false;
	return !c.has_gs || of_this_cpu(insn);
}

bool im_decode(const u8 *code, u32 room, struct im_insn *insn)
{
	u8 last[READ_LEN] = { 0 };

	if (room >= READ_LEN)
		return decode(code, room, insn);
	memcpy(last, code, room);
	return decode(last, room, insn);
}
