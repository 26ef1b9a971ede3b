// SPDX-License-Identifier: GPL-2.0
/*
 * build: a random instruction of a form.
 *
 * What the form leaves open (registers, addressing, displacement, constants, prefixes without meaning) is drawn; the
 * result is decoded again, and counts only if it is still of that form.
 */
#include "fuzz.h"

#define TRIES	6

/* Registers of a sequence: most hold values, the rest pointers. */
static const u8 values[] = { UB_RAX, UB_RCX, UB_RDX, UB_R8, UB_R9, UB_R10, UB_R11, UB_R15 };
static const u8 bases[] = { UB_RBX, UB_RBP, UB_RSI, UB_RDI, UB_R12, UB_R13, UB_R14, UB_RSP };

/* What is drawn for one instruction. */
struct draw {
	u8 reg, rm, base, index, scale, vvvv;	/* register numbers */
	u8 mod;
	bool has_sib, has_index, has_base;
	s32 disp;
};

static u8 draw_register(bool in_sequence)
{
	return in_sequence && pick(6) ? values[pick(ARRAY_SIZE(values))] : pick(16);
}

static void draw_memory(struct draw *draw, bool in_sequence)
{
	draw->base = in_sequence && pick(8) ? bases[pick(ARRAY_SIZE(bases))] : pick(16);
	draw->index = in_sequence ? values[pick(ARRAY_SIZE(values))] : pick(16);
	draw->scale = pick(4);
	draw->has_index = !pick(3) && draw->index != UB_RSP;
	draw->has_base = pick(12) != 0;
	draw->has_sib = draw->has_index || (draw->base & 7) == UB_RSP || !pick(8);
	draw->mod = pick(3);
	draw->disp = draw->mod == 1 ? (s8)rng() : pick(8) || in_sequence ? (s32)pick(2048) - 1024 : (s32)rng();
	if (draw->mod == 0 && (draw->base & 7) == UB_RBP)
		draw->mod = 1;
	if (!draw->has_base) {
		draw->mod = 0;
		draw->base = UB_RBP;
		draw->has_sib = pick(3) != 0;	/* else relative to the instruction pointer */
		draw->disp = BUF_AT + pick(BUF_LEN - 64);
	}
}

static u32 put_modrm(const struct template *template, const struct draw *draw, u8 *to)
{
	u32 len = 0, disp_len = draw->mod == 1 ? 1 : draw->mod == 2 || !draw->has_base ? 4 : 0;

	if (!template->is_mem) {
		to[0] = 0xc0 | (draw->reg & 7) << 3 | (draw->rm & 7);
		return 1;
	}
	to[len++] = draw->mod << 6 | (draw->reg & 7) << 3 | (draw->has_sib ? 4 : draw->base & 7);
	if (draw->has_sib)
		to[len++] = draw->scale << 6 | (draw->has_index ? draw->index & 7 : 4) << 3 | (draw->base & 7);
	memcpy(to + len, &draw->disp, disp_len);
	return len + disp_len;
}

/* REX or VEX bits: R, X, B. */
static u8 high_bits(const struct template *template, const struct draw *draw)
{
	u8 rm = template->is_mem ? draw->base : draw->rm;

	return (draw->reg & 8) >> 1 | (template->is_mem && draw->has_sib && draw->has_index ? (draw->index & 8) >> 2 : 0) |
	       (rm & 8) >> 3;
}

static u32 put_vex(const struct template *template, const struct draw *draw, u8 *to)
{
	u8 high = high_bits(template, draw), p = template->vex_p | (~draw->vvvv & 15) << 3;

	if (template->vex == 1 && !(high & 3) && !(p & 0x80) && pick(2)) {
		to[0] = 0xc5;
		to[1] = (~high & 4) << 5 | p;
		to[2] = template->op;
		return 3;
	}
	to[0] = 0xc4;
	to[1] = (~high & 7) << 5 | template->vex;
	to[2] = p;
	to[3] = template->op;
	return 4;
}

static u32 put_legacy(const struct template *template, const struct draw *draw, u8 *to)
{
	static const u8 maps[4][2] = { { 0 }, { 0x0f }, { 0x0f, 0x38 }, { 0x0f, 0x3a } };
	static const u8 map_len[4] = { 0, 1, 2, 2 };
	u8 rex = template->rex;
	u32 len = 0;

	if (template->has_modrm && high_bits(template, draw))
		rex |= 0x40 | high_bits(template, draw);
	else if (!template->has_modrm && rex)
		rex |= pick(2);
	if (rex)
		to[len++] = rex;
	memcpy(to + len, maps[template->map], map_len[template->map]);
	len += map_len[template->map];
	to[len++] = template->op;
	return len;
}

static u32 put_prefixes(const struct template *template, u8 *to)
{
	static const u8 idle[] = { 0x2e, 0x36, 0x3e, 0x26 };	/* segments that long mode ignores */
	u32 len = 0;

	if (!pick(40))
		to[len++] = idle[pick(ARRAY_SIZE(idle))];
	memcpy(to + len, template->prefixes, template->prefix_cnt);
	return len + template->prefix_cnt;
}

/* Constants are the bytes behind it: near the ends of their range, or any. */
static void put_constant(u8 *to)
{
	static const u64 corners[] = { 0, 1, -1ull, 0x7f, -0x80ull, 0x7fff, -0x8000ull, 0x7fffffff, 0x80000000, 2, 8, 15,
				       16, 31, 32, 63, 64, 0x7f7f7f7f7f7f7f7f };
	u64 val = pick(2) ? rng() : corners[pick(ARRAY_SIZE(corners))];

	memcpy(to, &val, 8);
}

static bool is_taken(const struct insn *insn)
{
	struct ub_x86_insn lifted;

	ub_decode(insn->bytes, insn->len, CODE_AT, &lifted);
	return !lifted.why[0];
}

/* An address without registers: it stands in the instruction, or program_layout() puts it there. */
static bool set_target(struct insn *insn)
{
	u8 bytes[15];
	u64 at = pick(8) ? BUF_AT + pick(BUF_LEN - 64) : BUF_AT + PAGE * pick(3) - pick(32);
	u64 addr = insn->is_fs ? at - FS_AT : at;

	memcpy(bytes, insn->bytes, sizeof(bytes));
	if (insn->is_absolute && insn->disp_len >= 4)
		memcpy(bytes + insn->disp_at, &addr, insn->disp_len);
	if (!insn_decode(bytes, insn->len, insn, NULL))
		return false;
	insn->target = addr;
	return true;
}

static bool build_once(const struct form *form, const struct template *template, struct draw *draw, struct insn *ret)
{
	char name[FORM_NAME];
	u8 bytes[40];
	u32 len = put_prefixes(template, bytes);

	len += template->vex ? put_vex(template, draw, bytes + len) : put_legacy(template, draw, bytes + len);
	if (template->has_modrm)
		len += put_modrm(template, draw, bytes + len);
	put_constant(bytes + len);
	return insn_decode(bytes, 15, ret, name) && !strcmp(name, form->name) && is_taken(ret);
}

bool build_insn(const struct form *form, bool in_sequence, struct insn *ret)
{
	u32 i, cnt = form->template_cnt < MAX_TEMPLATES ? form->template_cnt : MAX_TEMPLATES;
	const struct template template = form->templates[pick(cnt)];
	struct draw draw;

	for (i = 0; i < TRIES; i++) {
		draw_memory(&draw, in_sequence);
		draw.reg = i < 3 ? draw_register(in_sequence) : template.reg;
		draw.rm = i < 5 ? draw_register(in_sequence) : template.rm;
		draw.vvvv = i & 1 ? 0 : draw_register(false);
		if (build_once(form, &template, &draw, ret))
			return ret->is_absolute || ret->is_rip ? set_target(ret) : true;
	}
	return false;
}
