// SPDX-License-Identifier: GPL-2.0
/*
 * parse_vec: vector operations in the text form (user space only).
 */
#include "parser.h"

void parser_vec_variant(struct parser *p, const char *part, struct ub_insn *insn)
{
	static const char *const names[UB_VEC_VARIANTS] = { "sse", "128", "256" };
	u8 i;

	for (i = 0; i < UB_VEC_VARIANTS; i++)
		if (part && !strcmp(part, names[i]))
			break;
	if (i == UB_VEC_VARIANTS)
		parser_complain(p, "\"%s\" needs a variant: sse, 128 or 256", ub_op_info[insn->op].text);
	insn->mode = i;
}

/* The row of that name that goes with the operation. */
static const struct ub_vec_info *find_row(struct parser *p, struct ub_insn *insn)
{
	char name[MAX_NAME] = "";
	u32 row;

	parser_take_word(p, name);
	for (row = 0; row < ub_vec_cnt; row++) {
		const struct ub_vec_info *info = &ub_vec_info[row];

		if (strcmp(name, info->text) || !(info->variants & 1 << insn->mode) ||
		    (insn->op != ub_vec_reg_op(info) && insn->op != ub_vec_mem_op(info)))
			continue;
		insn->imm = UB_VEC_IMM_OF(row, 0, 0);
		return info;
	}
	parser_complain(p, "%s has no \"%s\"", ub_op_info[insn->op].text, name);
	return NULL;
}

static u8 vec_reg(struct parser *p)
{
	char word[MAX_NAME] = "";
	unsigned int number = UB_NVEC;
	char rest;

	if (!parser_take_word(p, word) || sscanf(word, "v%u%c", &number, &rest) != 1 || number >= UB_NVEC)
		parser_complain(p, "expected a vector register, not \"%s\"", word);
	return number;
}

/* The address adds its bits to the row's. */
static u8 base(struct parser *p, struct ub_insn *insn)
{
	s64 row = insn->imm;
	u8 reg;

	insn->imm = 0;
	reg = parser_base(p, insn, true);
	if (insn->imm & ~UB_VEC_ADDR_MASK)
		parser_complain(p, "an address here has at most 47 bits");
	insn->imm |= row;
	return reg;
}

static void dst(struct parser *p, struct ub_insn *insn)
{
	switch (ub_op_info[insn->op].shape) {
	case UB_S_VEC_STORE:
		insn->dst = base(p, insn);
		break;
	case UB_S_VEC_TO:
	case UB_S_VEC_TO_LOAD:
		insn->dst = parser_reg(p);
		break;
	default:
		insn->dst = vec_reg(p);
	}
}

static void src(struct parser *p, struct ub_insn *insn)
{
	parser_expect(p, ',');
	switch (ub_op_info[insn->op].shape) {
	case UB_S_VEC_LOAD:
	case UB_S_VEC_TO_LOAD:
		insn->src = base(p, insn);
		break;
	case UB_S_VEC_FROM:
		insn->src = parser_reg(p);
		break;
	default:
		insn->src = vec_reg(p);
	}
}

void parser_vec_operands(struct parser *p, struct ub_insn *insn)
{
	const struct ub_vec_info *info = find_row(p, insn);

	if (!info || info->form == UB_VEC_NONE)
		return;
	dst(p, insn);
	if (ub_vec_has_a(info, ub_vec_variant(insn))) {
		parser_expect(p, ',');
		insn->mode |= UB_VEC_MODE(0, vec_reg(p));
	}
	if (ub_vec_has_src(info, ub_vec_variant(insn)))
		src(p, insn);
	if (info->flags & UB_VEC_IMM) {
		parser_expect(p, ',');
		insn->imm |= UB_VEC_IMM_OF(0, parser_number(p), 0);
	}
}
