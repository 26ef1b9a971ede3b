// SPDX-License-Identifier: GPL-2.0
/*
 * forms: every form of instruction that the encodings have room for, and what the lifter says of each.
 *
 * All opcodes of the legacy maps and of VEX are gone through with every mandatory prefix and width; what Zydis decodes
 * is a form.  So no table of ours says what there is, and what the lifter learns is tested without a word here.  A form
 * is a mnemonic with the kinds and widths of its operands and the prefixes that mean something.
 */
#include "fuzz.h"

#define HASH_LEN	16384u	/* a power of two, far more than there are forms */

struct form *forms;
u32 form_cnt;
u32 *tried, tried_cnt;

static u32 hash[HASH_LEN], form_cap;
static bool has_no_memory;

/* Instructions whose results nobody can foresee, or that are tested elsewhere: see report.c for the reason. */
static bool is_beyond_us(u16 mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_SYSCALL:	/* tests/guest */
	case ZYDIS_MNEMONIC_RDTSC:	/* the time */
	case ZYDIS_MNEMONIC_RDTSCP:
	case ZYDIS_MNEMONIC_RDPID:
		return true;
	default:
		return false;
	}
}

static struct form *find(const char *name)
{
	u64 sum = 14695981039346656037ull;
	const char *at;
	u32 i;

	for (at = name; *at; at++)
		sum = (sum ^ (u8)*at) * 1099511628211ull;
	for (i = (sum ^ sum >> 32) & (HASH_LEN - 1); hash[i]; i = (i + 1) & (HASH_LEN - 1))
		if (!strcmp(forms[hash[i] - 1].name, name))
			return &forms[hash[i] - 1];
	if (form_cnt == form_cap) {
		struct form *more = realloc(forms, (form_cap * 2 + 256) * sizeof(*forms));

		if (!more || form_cnt > HASH_LEN / 2) {
			has_no_memory = true;
			return NULL;
		}
		forms = more;
		form_cap = form_cap * 2 + 256;
	}
	memset(&forms[form_cnt], 0, sizeof(*forms));
	snprintf(forms[form_cnt].name, FORM_NAME, "%s", name);
	hash[i] = form_cnt + 1;
	return &forms[form_cnt++];
}

static void note(const struct template *template, const struct insn *insn, const char *name, const char *why)
{
	struct form *form = find(name);
	u32 at;

	if (!form)
		return;
	if (!form->template_cnt || (form->why && !why)) {
		ub_free(form->why);
		form->why = why ? strdup(why) : NULL;
		form->template_cnt = 0;
		form->mnemonic = insn->mnemonic;
		form->is_branch = insn->rel_at || insn->is_indirect;
		form->is_indirect = insn->is_indirect;
		form->has_vectors = insn->has_vectors;
		form->has_mem = insn->mem_cnt || insn->is_rip || insn->is_absolute;
	} else if (why) {
		return;		/* this spelling alone is not lifted */
	}
	at = form->template_cnt++;
	if (at >= MAX_TEMPLATES)
		at = pick(form->template_cnt);
	if (at < MAX_TEMPLATES)
		form->templates[at] = *template;
}

static u32 put_opcode(const struct template *template, u8 *to)
{
	static const u8 maps[4][2] = { { 0 }, { 0x0f }, { 0x0f, 0x38 }, { 0x0f, 0x3a } };
	static const u8 map_len[4] = { 0, 1, 2, 2 };
	u32 len = template->prefix_cnt;

	memcpy(to, template->prefixes, len);
	if (template->vex) {
		to[len++] = 0xc4;
		to[len++] = 0xe0 | template->vex;
		to[len++] = 0x78 | template->vex_p;	/* vvvv: none */
	} else {
		if (template->rex)
			to[len++] = template->rex;
		memcpy(to + len, maps[template->map], map_len[template->map]);
		len += map_len[template->map];
	}
	to[len++] = template->op;
	return len;
}

/* If it is an instruction, with rbx as the base of memory, it has a form. */
static void try(const struct template *template)
{
	char name[FORM_NAME];
	struct ub_x86_insn lifted;
	struct insn insn;
	u8 bytes[24] = { 0 };
	u32 len = put_opcode(template, bytes);

	bytes[len] = (template->is_mem ? 3 : 0xc0 | template->rm) | template->reg << 3;
	if (!insn_decode(bytes, 15, &insn, name))
		return;
	ub_decode(bytes, insn.len, CODE_AT, &lifted);
	if (!lifted.why[0] && is_beyond_us(insn.mnemonic))
		snprintf(lifted.why, sizeof(lifted.why), "not for this test");
	note(template, &insn, name, lifted.why[0] ? lifted.why : NULL);
}

/* The opcodes where the register of a register operand is part of the opcode. */
static bool has_subcodes(const struct template *template)
{
	return !template->vex && template->map == 1 && (template->op == 0x01 || template->op == 0x1e || template->op == 0xae);
}

static void find_modrm(struct template template)
{
	u32 reg, rm;

	template.has_modrm = true;
	template.is_mem = true;
	for (reg = 0; reg < 8; reg++) {
		template.reg = reg;
		try(&template);
	}
	template.is_mem = false;
	for (reg = 0; reg < 8; reg++) {
		template.reg = reg;
		for (rm = 0; rm < 8; rm++) {
			template.rm = rm;
			if (rm == 1 || has_subcodes(&template))
				try(&template);
		}
	}
}

static void find_opcode(struct template template)
{
	static const u8 probes[] = { 0x03, 0xc9 };
	struct insn insn;
	u8 bytes[24] = { 0 };
	u32 i, len = put_opcode(&template, bytes);

	for (i = 0; i < 16; i++) {
		bytes[len] = probes[i & 1] | (i >> 1) << 3;
		if (!insn_decode(bytes, 15, &insn, NULL))
			continue;
		if (insn.has_modrm)
			find_modrm(template);
		else
			try(&template);
		return;
	}
}

static bool is_prefix(u8 op)
{
	return (op & 0xe7) == 0x26 || (op & 0xf0) == 0x40 || (op >= 0x62 && op <= 0x67) || op == 0x0f || op == 0xf0 ||
	       op == 0xf2 || op == 0xf3 || op == 0xc4 || op == 0xc5;
}

/* All maps and opcodes behind the prefixes. */
static void find_legacy(struct template template)
{
	static const u8 rex[] = { 0, 0x40, 0x48 };
	u32 i, op;

	for (i = 0; i < ARRAY_SIZE(rex); i++) {
		for (template.map = 0; template.map < 4; template.map++) {
			for (op = 0; op < 256; op++) {
				if (!template.map && is_prefix(op))
					continue;
				if (template.map == 1 && (op == 0x38 || op == 0x3a || op == 0x0f))
					continue;
				template.rex = rex[i];
				template.op = op;
				find_opcode(template);
			}
		}
	}
}

static void find_vex(struct template template)
{
	u32 map, p, op;

	for (map = 1; map <= 3; map++) {
		for (p = 0; p < 16; p++) {
			for (op = 0; op < 256; op++) {
				template.vex = map;
				template.vex_p = (p & 8) << 4 | (p & 7);
				template.op = op;
				find_opcode(template);
			}
		}
	}
}

/* None of it is lifted, so a few registers and no memory but [rbx] will do; the mnemonics are those of VEX. */
static void find_evex(void)
{
	static const u8 p2[] = { 0x08, 0x28, 0x48, 0x18, 0x09, 0x89 };	/* 128, 256, 512 bits; broadcast, mask, zeroing */
	struct template template = { .prefixes = { 0x62 }, .prefix_cnt = 4, .has_modrm = true };
	u32 map, p, i, op;

	for (map = 1; map <= 3; map++) {
		for (p = 0; p < 8; p++) {
			for (i = 0; i < ARRAY_SIZE(p2); i++) {
				template.prefixes[1] = 0xf0 | map;
				template.prefixes[2] = (p & 4) << 5 | 0x7c | (p & 3);
				template.prefixes[3] = p2[i];
				for (op = 0; op < 256; op++) {
					template.op = op;
					template.is_mem = true;
					try(&template);
					template.is_mem = false;
					try(&template);
				}
			}
		}
	}
}

static bool find_tried(void)
{
	u32 i;

	tried = ub_alloc(form_cnt, sizeof(*tried));
	for (i = 0; tried && i < form_cnt; i++)
		if (!forms[i].why)
			tried[tried_cnt++] = i;
	return tried != NULL;
}

bool forms_find(void)
{
	static const u8 mandatory[][2] = { { 0 }, { 0x66 }, { 0xf3 }, { 0xf2 }, { 0x66, 0xf3 }, { 0x66, 0xf2 } };
	static const u8 others[] = { 0, 0xf0, 0x67, 0x64, 0x65 };
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		struct template template = { .prefixes = { others[i] }, .prefix_cnt = others[i] != 0 };

		if (others[i] != 0xf0)
			find_vex(template);
		for (k = 0; k < ARRAY_SIZE(mandatory); k++) {
			template.prefix_cnt = others[i] != 0;
			if (mandatory[k][0])
				template.prefixes[template.prefix_cnt++] = mandatory[k][0];
			if (mandatory[k][1])
				template.prefixes[template.prefix_cnt++] = mandatory[k][1];
			find_legacy(template);
		}
	}
	find_evex();
	return !has_no_memory && find_tried();
}
