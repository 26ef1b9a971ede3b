// SPDX-License-Identifier: GPL-2.0
/*
 * image_decode: which machine instruction stands here?  See image_insn.h.
 *
 * Prefixes, opcode, ModRM, constant (SDM vol. 2A, 2.1 and 2.3).  Refused as a whole: segment prefixes but gs on the two
 * per-CPU operands, 67h, addresses relative to rip, and every opcode that is not in image_forms.h.
 */
#include "../ir/vecop.h"
#include "image_insn.h"
#include "image_forms.h"

#define REX_W	8u
#define REX_R	4u
#define REX_X	2u
#define REX_B	1u

enum { HAS_66 = 1, HAS_LOCK = 2, HAS_GS = 4, HAS_F2 = 8, HAS_F3 = 16, HAS_REPS = 24, HAS_REX = 32 };

/* What was read so far. */
struct cursor {
	const u8 *code;		/* READ_LEN bytes */
	u32 at;
	u8 prefixes;		/* HAS_* */
	u8 rex;			/* its low bits, or those of VEX */
	u8 map, prefix, opcode;
	u8 encoding;		/* L, V1 or V2 */
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

/* Each at most once, and one that repeats; and the byte behind. */
static u8 get_prefixes(struct cursor *c)
{
	static const struct { u8 has, bars; } of[256] = {
		[0x66] = { HAS_66, HAS_66 }, [0xf0] = { HAS_LOCK, HAS_LOCK }, [0x65] = { HAS_GS, HAS_GS },
		[0xf2] = { HAS_F2, HAS_REPS }, [0xf3] = { HAS_F3, HAS_REPS },
	};
	u8 byte;

	for (;;) {
		byte = get8(c);
		if (!of[byte].has || c->prefixes & of[byte].bars)
			return byte;
		c->prefixes |= of[byte].has;
	}
}

/* c5 or c4 with its bits inverted, see SDM vol. 2A, 2.3.5. */
static void get_vex(struct cursor *c, struct im_insn *insn, bool is_long)
{
	u8 first = get8(c), last = is_long ? get8(c) : first;

	c->map = is_long ? first & 31 : 1;
	c->rex = first & 0x80 ? 0 : REX_R;
	if (is_long)
		c->rex |= (first & 0x40 ? 0 : REX_X) | (first & 0x20 ? 0 : REX_B) | (last & 0x80 ? REX_W : 0);
	c->prefixes |= HAS_REX;
	insn->vvvv = ~last >> 3 & 15;
	c->encoding = last & 4 ? V2 : V1;
	c->prefix = last & 3;
	c->opcode = get8(c);
}

static void get_legacy(struct cursor *c, u8 byte)
{
	if ((byte & 0xf0) == 0x40) {
		c->rex = byte & 15;
		c->prefixes |= HAS_REX;
		byte = get8(c);
	}
	c->encoding = L;
	c->opcode = byte;
	if (byte != 0x0f)
		return;
	c->map = 1;
	c->prefix = c->prefixes & HAS_F3 ? PF3 : c->prefixes & HAS_F2 ? PF2 : c->prefixes & HAS_66 ? P66 : NP;
	c->opcode = get8(c);
	if (c->opcode == 0x38 || c->opcode == 0x3a) {
		c->map = c->opcode == 0x38 ? 2 : 3;
		c->opcode = get8(c);
	}
}

static bool get_modrm(struct cursor *c, struct im_insn *insn)
{
	u8 byte = get8(c), mod = byte >> 6, rm = byte & 7, sib;

	insn->reg = (byte >> 3 & 7) | (c->rex & REX_R ? 8 : 0);
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

/* Its row, or that of its group; of form IM_BAD if there is none. */
static const struct row *find(struct cursor *c)
{
	static const struct row none;
	u32 i;

	if (c->map == 0)
		return &one_byte[c->opcode];
	if (c->map > 3)
		return &none;
	if (c->map > 1 && c->opcode >= 0xf0)
		return &high[c->map - 2][c->prefix][c->opcode & 15];
	if (c->map > 1)
		return c->prefix == P66 ? &three_bytes[c->map - 2][c->opcode] : &none;
	for (i = 0; (c->opcode == 0x01 || c->opcode == 0xae) && i < ARRAY_SIZE(wholes); i++)
		if (c->prefix == NP && c->encoding == L && wholes[i].opcode == c->opcode && wholes[i].modrm == c->code[c->at])
			return &wholes[i].row;
	/* 66 may be no part of the opcode, but a size. */
	if (c->prefix == P66 && !two_bytes[P66][c->opcode].form && two_bytes[NP][c->opcode].enc & SIZED)
		c->prefix = NP;
	return &two_bytes[c->prefix][c->opcode];
}

/* Is it encoded as the row says, and does it mean something then? */
static bool is_valid(const struct cursor *c, const struct im_insn *insn, const struct row *row, u32 enc)
{
	bool has_w = c->rex & REX_W, is_vector = enc & (L | V1 | V2);
	bool has_vvvv = enc & N || (enc & NR && !insn->is_mem);

	if (!insn->form || !(c->encoding & (is_vector ? enc : L)))
		return false;
	if ((enc & M && !insn->is_mem) || (enc & NM && insn->is_mem) || (row->digits && !(row->digits >> insn->reg & 1)))
		return false;
	if ((is_vector && !(enc & WX) && has_w != !!(enc & W1)) || (c->encoding != L && !has_vvvv && insn->vvvv))
		return false;
	/* Where nothing has a use for it 66 means something else, or nothing, as a repeat prefix does. */
	if (c->prefixes & HAS_66 && c->prefix != P66 && insn->width != 16)
		return false;
	if (!c->map && (!(c->prefixes & HAS_REPS) != !(enc & REP) || (c->prefixes & HAS_F2 && !(enc & NE))))
		return false;
	return !(enc & NO16 && insn->width == 16) && !(insn->form == IM_NOP && c->prefixes & HAS_REX && enc & NOMOD);
}

/* ah..bh: refused, but for ah and memory. */
static bool is_high(const struct cursor *c, u8 reg)
{
	return !(c->prefixes & HAS_REX) && reg >= 4 && reg < 8;
}

static bool has_high_byte(const struct cursor *c, struct im_insn *insn, const struct row *row)
{
	bool rm_is_high = !insn->is_mem && insn->uses & (R_RM | W_RM) && is_high(c, insn->rm);

	if (insn->from != insn->width)
		return insn->from == 8 && rm_is_high;
	if (insn->width != 8 || insn->form == IM_STRING)
		return false;
	if (insn->form == IM_MOV && insn->is_mem && !row->digits && insn->reg == 4 && is_high(c, insn->reg)) {
		insn->form = IM_MOV_AH;
		return false;
	}
	return rm_is_high || (insn->uses & (R_REG | W_REG) && is_high(c, insn->reg));
}

static u8 width_of(const struct cursor *c, u32 enc)
{
	if (enc & BYTE || (enc & PAIR && !(c->opcode & 1)))
		return 8;
	if (!(enc & SIZED))
		return 64;
	return c->rex & REX_W ? 64 : c->prefixes & HAS_66 && c->prefix != P66 ? 16 : 32;
}

static bool get_imm(struct cursor *c, struct im_insn *insn, u32 enc)
{
	u32 low;

	insn->has_imm = enc & (I8 | IZ | IV);
	insn->imm = 1;
	if (enc & I8 || (enc & IZ && insn->width == 8)) {
		insn->imm = (s8)get8(c);
	} else if (enc & IZ && insn->width == 16) {
		low = get8(c);
		insn->imm = (s16)(low | (u32)get8(c) << 8);
	} else if (enc & IZ) {
		insn->imm = get32(c);
	} else if (enc & IV) {
		insn->imm = (u32)get32(c);
		if (insn->width == 64)
			insn->imm |= (s64)((u64)(u32)get32(c) << 32);
	}
	if (enc & CNT)
		insn->imm &= insn->width == 64 ? 63 : 31;
	return !(enc & CNT) || insn->imm;
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

static void set_features(const struct cursor *c, struct im_insn *insn, const struct row *row, u32 enc)
{
	insn->features = row->features;
	if (enc & DBL && insn->width == 64)
		insn->features = IF(CX16);
	if (c->encoding == L || !(row->features & IM_VECTORS))
		return;
	insn->features |= (c->encoding == V2 && enc & A2) || (enc & AM && !insn->is_mem) ? UB_VEC_F_AVX2 : UB_VEC_F_AVX;
}

/* What the row says of this one. */
static void apply(const struct cursor *c, struct im_insn *insn, const struct row *row, u32 enc)
{
	insn->form = row->form;
	insn->flags = row->flags;
	insn->uses = row->uses;
	if (enc & VRM && !insn->is_mem)
		insn->uses &= ~(R_RM | W_RM);
	insn->opcode = c->opcode;
	insn->width = row->form == IM_PUSH ? 64 : width_of(c, enc);
	insn->from = enc & F8 ? 8 : enc & F16 ? 16 : enc & F32 ? 32 : insn->width;
	insn->bytes = enc & (VRM | WIDE) ? IM_WIDE : enc & DBL ? insn->width / 4 : insn->from / 8;
	insn->is_to_reg = !c->map && (c->opcode < 0x40 || (c->opcode & 0xfc) == 0x88) ? c->opcode & 2 : !!(row->uses & W_REG);
	insn->may_raise = enc & R || (enc & RW && c->rex & REX_W);
	set_features(c, insn, row, enc);
}

static bool decode(const u8 *code, u32 room, struct im_insn *insn)
{
	struct cursor c = { .code = code };
	u8 byte = get_prefixes(&c);
	const struct row *row;
	u32 enc;

	*insn = (struct im_insn){ .index = UB_NOREG };
	if (byte == 0xc4 || byte == 0xc5) {
		if (c.at != 1)
			return false;
		get_vex(&c, insn, byte == 0xc4);
	} else {
		get_legacy(&c, byte);
	}
	row = find(&c);
	enc = row->enc;
	if (enc & OPREG)
		insn->rm = (c.opcode & 7) | (c.rex & REX_B ? 8 : 0);
	else if (!(enc & NOMOD) && !get_modrm(&c, insn))
		return false;
	if (row->group) {
		row = &groups[row->group][insn->reg & 7];
		enc |= row->enc;
	}
	apply(&c, insn, row, enc);
	if (!is_valid(&c, insn, row, enc) || !get_imm(&c, insn, enc) || has_high_byte(&c, insn, row) || c.at > room || c.at > MAX_LEN)
		return false;
	insn->len = c.at;
	insn->is_locked = c.prefixes & HAS_LOCK || (insn->form == IM_XCHG && insn->is_mem);
	if (c.prefixes & HAS_LOCK && (!(enc & LOCK) || !insn->is_mem || !(insn->uses & W_RM)))
		return false;
	return !(c.prefixes & HAS_GS) || of_this_cpu(insn);
}

bool im_decode(const u8 *code, u32 room, struct im_insn *insn)
{
	u8 last[READ_LEN] = { 0 };

	if (room >= READ_LEN)
		return decode(code, room, insn);
	memcpy(last, code, room);
	return decode(last, room, insn);
}
