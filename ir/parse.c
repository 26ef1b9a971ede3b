// SPDX-License-Identifier: GPL-2.0
/*
 * parse: the text form -> a block (user space only).
 *
 * Promise: what it takes is well-formed (ub_insn_check()), except lines that begin with "!", which tests use to say
 * something malformed.  The grammar is in docs/IR.md.
 */
#include "parser.h"

static void *list_add(struct list *list, size_t size)
{
	if (list->cnt == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		void *items = realloc(list->items, room * size);

		if (!items)
			return NULL;
		list->items = items;
		list->room = room;
	}
	return memset((char *)list->items + list->cnt++ * size, 0, size);
}

/* The first complaint stands. */
void parser_complain(struct parser *p, const char *format, ...)
{
	va_list args;
	int len;

	if (p->err)
		return;
	p->err = -EINVAL;
	p->error->line = p->line;
	len = snprintf(p->error->text, sizeof(p->error->text), "line %u: ", p->line);
	va_start(args, format);
	vsnprintf(p->error->text + len, sizeof(p->error->text) - len, format, args);
	va_end(args);
}

static void *grow(struct parser *p, struct list *list, size_t size)
{
	void *item = p->err ? NULL : list_add(list, size);

	if (!item && !p->err)
		p->err = -ENOMEM;
	return item;
}

/* --- words --- */

static void skip_blanks(struct parser *p)
{
	while (*p->pos == ' ' || *p->pos == '\t' || *p->pos == '\r')
		p->pos++;
}

static bool at_end_of_line(struct parser *p)
{
	skip_blanks(p);
	return !*p->pos || *p->pos == '\n' || *p->pos == ';' || *p->pos == '#';
}

bool parser_take(struct parser *p, char c)
{
	skip_blanks(p);
	if (*p->pos != c)
		return false;
	p->pos++;
	return true;
}

void parser_expect(struct parser *p, char c)
{
	if (!p->err && !parser_take(p, c))
		parser_complain(p, "expected '%c' before \"%.*s\"", c, (int)strcspn(p->pos, "\n"), p->pos);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/* Letters, digits, "_" and ".".  False, and nothing taken, when there are none. */
bool parser_take_word(struct parser *p, char word[MAX_NAME])
{
	size_t len = 0;

	skip_blanks(p);
	while (is_word(p->pos[len]))
		len++;
	if (!len)
		return false;
	if (len >= MAX_NAME) {
		parser_complain(p, "\"%.20s...\" is too long", p->pos);
		return false;
	}
	memcpy(word, p->pos, len);
	word[len] = 0;
	p->pos += len;
	return true;
}

static bool to_number(const char *word, u64 *ret)
{
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	*ret = strtoull(word, &end, word[0] == '0' && word[1] == 'x' ? 16 : 10);
	return !*end && !errno;
}

s64 parser_number(struct parser *p)
{
	char word[MAX_NAME] = "";
	bool is_negative = parser_take(p, '-');
	u64 val = 0;

	if (!is_negative)
		parser_take(p, '+');
	if (!parser_take_word(p, word) || !to_number(word, &val))
		parser_complain(p, "expected a number, not \"%s\"", word);
	if (is_negative && val > 1ull << 63)
		parser_complain(p, "-%s is out of range", word);
	return is_negative ? -val : val;
}

static s32 parse_s32(struct parser *p, bool is_negative)
{
	s64 val = parser_number(p);

	if (is_negative)
		val = -(u64)val;
	if (val != (s32)val)
		parser_complain(p, "%lld does not fit 32 bits", (long long)val);
	return val;
}

static u8 to_reg(const char *word)
{
	u8 reg;

	for (reg = 0; reg < UB_NREGS; reg++)
		if (!strcmp(word, ub_reg_name(reg)))
			return reg;
	return UB_NOREG;
}

u8 parser_reg(struct parser *p)
{
	char word[MAX_NAME] = "";
	u8 reg = UB_NOREG;

	if (parser_take_word(p, word))
		reg = to_reg(word);
	if (reg == UB_NOREG)
		parser_complain(p, "expected a register, not \"%s\"", word);
	return reg;
}

/* A register if there is one: addresses begin either way. */
static bool take_reg(struct parser *p, u8 *ret)
{
	const char *start = p->pos;
	char word[MAX_NAME];

	if (parser_take_word(p, word) && (*ret = to_reg(word)) != UB_NOREG)
		return true;
	p->pos = start;
	return false;
}

/* --- operands --- */

/* An operand of a narrow operation may be given as unsigned too: "andi.8 r0, 0xf0". */
static s64 parse_operand(struct parser *p, enum ub_width width)
{
	s64 val = parser_number(p);

	switch (width) {
	case UB_W8:
		return val == (u8)val ? (s8)val : val;
	case UB_W16:
		return val == (u16)val ? (s16)val : val;
	case UB_W32:
		return val == (u32)val ? (s32)val : val;
	default:
		return val;
	}
}

static u8 parse_scale(struct parser *p)
{
	s64 factor = parser_number(p);
	u8 scale;

	for (scale = 0; scale < 4; scale++)
		if (factor == 1 << scale)
			return scale;
	parser_complain(p, "a factor is 1, 2, 4 or 8");
	return 0;
}

static s32 parse_addr_off(struct parser *p)
{
	if (parser_take(p, '+'))
		return parse_s32(p, false);
	if (parser_take(p, '-'))
		return parse_s32(p, true);
	return 0;
}

static bool take_plus_reg(struct parser *p, u8 *ret)
{
	const char *start = p->pos;

	if (parser_take(p, '+') && take_reg(p, ret))
		return true;
	p->pos = start;
	return false;
}

/* [base + index * factor + off]; each may be missing, and a lone register without factor is the base. */
static void parse_addr(struct parser *p, struct ub_insn *insn)
{
	u8 base = UB_NOREG, index = UB_NOREG, scale = 0;
	bool has_factor = false;

	parser_expect(p, '[');
	if (take_reg(p, &base)) {
		has_factor = parser_take(p, '*');
		if (has_factor) {
			index = base;
			base = UB_NOREG;
		} else if (take_plus_reg(p, &index)) {
			has_factor = parser_take(p, '*');
		}
		if (has_factor)
			scale = parse_scale(p);
		insn->off = parse_addr_off(p);
	} else {
		insn->off = parse_s32(p, false);
	}
	insn->src = base;
	insn->imm = UB_ADDR_IMM(index, scale);
	parser_expect(p, ']');
}

/* [base + off], [base + index * factor + off] where @may_index, or [address] where it may be constant; returns the
 * base. */
u8 parser_base(struct parser *p, struct ub_insn *insn, bool may_index)
{
	u8 base = UB_NOREG, index;

	parser_expect(p, '[');
	if (take_reg(p, &base)) {
		if (may_index && take_plus_reg(p, &index))
			insn->imm = UB_INDEX_IMM(index, parser_take(p, '*') ? parse_scale(p) : 0);
		insn->off = parse_addr_off(p);
	} else {
		insn->imm = parser_number(p);
	}
	parser_expect(p, ']');
	return base;
}

/* @N, or a label to be found later. */
static void parse_target(struct parser *p, struct ub_insn *insn)
{
	u32 idx = p->insns.cnt - 1;
	struct fixup *fixup;
	s64 off;

	if (parser_take(p, '@')) {
		off = (s64)((u64)parser_number(p) - idx - 1);
		insn->off = off;
		if (off != insn->off)
			parser_complain(p, "the target is too far");
		return;
	}
	fixup = grow(p, &p->fixups, sizeof(*fixup));
	if (!fixup)
		return;
	fixup->insn_idx = idx;
	fixup->line = p->line;
	if (!parser_take_word(p, fixup->name))
		parser_complain(p, "expected a label");
}

static void parse_operands(struct parser *p, struct ub_insn *insn)
{
	enum ub_width width = ub_op_info[insn->op].widths ? ub_insn_width(insn) : UB_W64;

	switch (ub_op_info[insn->op].shape) {
	case UB_S_NONE:
		break;
	case UB_S_MARK:
		insn->imm = parser_number(p);
		insn->off = parse_s32(p, false);
		break;
	case UB_S_IP:
	case UB_S_IMM:
		insn->imm = parser_number(p);
		break;
	case UB_S_DST:
	case UB_S_DST_CC:
		insn->dst = parser_reg(p);
		break;
	case UB_S_SRC:
		insn->src = parser_reg(p);
		break;
	case UB_S_DST_SRC:
	case UB_S_DST_SRC_CC:
	case UB_S_DST_SRC_IMM:
		insn->dst = parser_reg(p);
		parser_expect(p, ',');
		insn->src = parser_reg(p);
		if (ub_op_info[insn->op].shape != UB_S_DST_SRC_IMM)
			break;
		parser_expect(p, ',');
		insn->imm = parse_operand(p, width);
		break;
	case UB_S_DST_SRC_REG:
		insn->dst = parser_reg(p);
		parser_expect(p, ',');
		insn->src = parser_reg(p);
		parser_expect(p, ',');
		insn->imm = parser_reg(p);
		break;
	case UB_S_DST_IMM:
		insn->dst = parser_reg(p);
		parser_expect(p, ',');
		insn->imm = parse_operand(p, width);
		break;
	case UB_S_ADDR:
		insn->dst = parser_reg(p);
		parser_expect(p, ',');
		parse_addr(p, insn);
		break;
	case UB_S_LOAD:
		insn->dst = parser_reg(p);
		parser_expect(p, ',');
		insn->src = parser_base(p, insn, true);
		break;
	case UB_S_STORE:
		insn->dst = parser_base(p, insn, true);
		parser_expect(p, ',');
		insn->src = parser_reg(p);
		break;
	case UB_S_MEM:
		insn->dst = parser_base(p, insn, true);
		break;
	case UB_S_STOREI:
		insn->dst = parser_base(p, insn, false);
		parser_expect(p, ',');
		insn->imm = parse_operand(p, width);
		break;
	case UB_S_SRC_IMM_TO:
		insn->src = parser_reg(p);
		parser_expect(p, ',');
		insn->imm = parser_number(p);
		parser_expect(p, ',');
		parse_target(p, insn);
		break;
	case UB_S_TO:
	case UB_S_CC_TO:
		parse_target(p, insn);
		break;
	default:
		parser_vec_operands(p, insn);
	}
}

/* --- names --- */

static bool to_width(const char *part, u8 *mode)
{
	static const char *const names[] = { "8", "16", "32", "64" };
	size_t len = strcspn(part, "f");
	u8 width;

	for (width = 0; width < ARRAY_SIZE(names); width++) {
		if (len != strlen(names[width]) || strncmp(part, names[width], len))
			continue;
		if (part[len] && strcmp(part + len, "f"))
			return false;
		*mode |= UB_MODE(width, part[len] == 'f', 0);
		return true;
	}
	return false;
}

static bool to_cc(const char *part, u8 *mode)
{
	u8 cc;

	for (cc = 0; cc < 16; cc++)
		if (!strcmp(part, ub_cc_name(cc))) {
			*mode |= UB_MODE(0, false, cc);
			return true;
		}
	return false;
}

static bool has_cc(u8 shape)
{
	return shape == UB_S_DST_CC || shape == UB_S_DST_SRC_CC || shape == UB_S_CC_TO;
}

/* "add.64f", "set.ne", "cmov.64.l": name, width where the operation has one, condition where it has one. */
static bool to_op(struct parser *p, char *word, struct ub_insn *insn)
{
	const struct ub_op_info *info;
	char *save = NULL, *part = strtok_r(word, ".", &save);
	u32 op;

	for (op = 0; op < UB_OP_COUNT; op++)
		if (part && !strcmp(part, ub_op_info[op].text))
			break;
	if (op == UB_OP_COUNT) {
		parser_complain(p, "unknown operation \"%s\"", word);
		return false;
	}
	insn->op = op;
	info = &ub_op_info[op];
	part = strtok_r(NULL, ".", &save);
	if (info->effect & UB_E_VEC) {
		parser_vec_variant(p, part, insn);
		part = strtok_r(NULL, ".", &save);
	} else if (info->widths && (!part || !to_width(part, &insn->mode)))
		parser_complain(p, "\"%s\" needs a width", info->text);
	else if (info->widths)
		part = strtok_r(NULL, ".", &save);
	if (has_cc(info->shape) && (!part || !to_cc(part, &insn->mode)))
		parser_complain(p, "\"%s\" needs a condition", info->text);
	else if (has_cc(info->shape))
		part = strtok_r(NULL, ".", &save);
	if (part && info->effect & UB_E_LOCK_OPT && !strcmp(part, "lock")) {
		insn->mode |= UB_MODE_LOCK;
		part = strtok_r(NULL, ".", &save);
	}
	if (part)
		parser_complain(p, "\"%s\" does not take \".%s\"", info->text, part);
	return !p->err;
}

/* --- lines --- */

/* "! raw OP MODE DST SRC OFF IMM": any sixteen bytes. */
static void parse_raw(struct parser *p, struct ub_insn *insn)
{
	insn->op = parser_number(p);
	insn->mode = parser_number(p);
	insn->dst = parser_number(p);
	insn->src = parser_number(p);
	insn->off = parser_number(p);
	insn->imm = parser_number(p);
}

static void parse_insn(struct parser *p, char *word, bool is_checked)
{
	struct ub_insn insn = { 0 }, *slot;
	const char *why;

	slot = grow(p, &p->insns, sizeof(*slot));
	if (!slot)
		return;
	if (!is_checked && !strcmp(word, "raw"))
		parse_raw(p, &insn);
	else if (to_op(p, word, &insn))
		parse_operands(p, &insn);
	if (!p->err && !at_end_of_line(p))
		parser_complain(p, "unexpected \"%.*s\"", (int)strcspn(p->pos, "\n"), p->pos);
	if (!p->err && is_checked && ub_insn_check(&insn, &why))
		parser_complain(p, "%s", why);
	*slot = insn;
}

/* "entry IP:" before the mark it enters at, or "entry IP @N:". */
static void parse_entry(struct parser *p)
{
	struct ub_entry *entry = grow(p, &p->entries, sizeof(*entry));

	if (!entry)
		return;
	entry->ip = parser_number(p);
	entry->insn_idx = p->insns.cnt;
	if (parser_take(p, '@'))
		entry->insn_idx = parser_number(p);
	parser_expect(p, ':');
}

/* "resident r0 r1 ...": whether the set will do is the verifier's to say. */
static void parse_resident(struct parser *p)
{
	u8 reg;

	if (p->insns.cnt || p->entries.cnt || p->resident)
		parser_complain(p, "\"resident\" stands once, before the first entry");
	while (!p->err && !at_end_of_line(p)) {
		reg = parser_reg(p);
		if (reg >= UB_NGUEST)
			parser_complain(p, "only guest registers are resident");
		else
			p->resident |= 1u << reg;
	}
	if (!p->resident)
		parser_complain(p, "expected a register");
}

static struct label *find_label(struct parser *p, const char *name)
{
	struct label *labels = p->labels.items;
	size_t i;

	for (i = 0; i < p->labels.cnt; i++)
		if (!strcmp(labels[i].name, name))
			return &labels[i];
	return NULL;
}

static void add_label(struct parser *p, const char *name)
{
	struct label *label;

	if (find_label(p, name)) {
		parser_complain(p, "label \"%s\" stands here for the second time", name);
		return;
	}
	label = grow(p, &p->labels, sizeof(*label));
	if (!label)
		return;
	strcpy(label->name, name);
	label->insn_idx = p->insns.cnt;
}

/* Any number of labels and entries, then at most one instruction. */
static void parse_line(struct parser *p)
{
	char word[MAX_NAME];
	bool is_checked;

	while (!p->err && !at_end_of_line(p)) {
		is_checked = !parser_take(p, '!');
		if (!parser_take_word(p, word)) {
			parser_complain(p, "unexpected \"%.*s\"", (int)strcspn(p->pos, "\n"), p->pos);
			return;
		}
		if (is_checked && !strcmp(word, "entry"))
			parse_entry(p);
		else if (is_checked && !strcmp(word, "resident"))
			parse_resident(p);
		else if (is_checked && parser_take(p, ':'))
			add_label(p, word);
		else
			parse_insn(p, word, is_checked);
	}
	p->pos += strcspn(p->pos, "\n");
}

static void resolve_fixups(struct parser *p)
{
	struct fixup *fixups = p->fixups.items;
	struct ub_insn *insns = p->insns.items;
	struct label *label;
	size_t i;

	for (i = 0; i < p->fixups.cnt && !p->err; i++) {
		p->line = fixups[i].line;
		label = find_label(p, fixups[i].name);
		if (label)
			insns[fixups[i].insn_idx].off = (s32)(label->insn_idx - fixups[i].insn_idx - 1);
		else
			parser_complain(p, "no label \"%s\"", fixups[i].name);
	}
}

int ub_block_parse(const char *text, struct ub_block **ret, struct ub_parse_error *err)
{
	struct parser p = { .pos = text, .line = 1, .error = err };
	struct ub_block *block = NULL;

	while (!p.err) {
		parse_line(&p);
		if (!*p.pos)
			break;
		p.pos++;
		p.line++;
	}
	resolve_fixups(&p);
	if (!p.err)
		block = ub_alloc(1, sizeof(*block));
	if (block) {
		block->insns = p.insns.items;
		block->entries = p.entries.items;
		block->insn_cnt = p.insns.cnt;
		block->entry_cnt = p.entries.cnt;
		block->resident = p.resident;
		*ret = block;
	} else {
		free(p.insns.items);
		free(p.entries.items);
		p.err = p.err ? p.err : -ENOMEM;
	}
	if (p.err == -ENOMEM)
		snprintf(err->text, sizeof(err->text), "out of memory");
	free(p.labels.items);
	free(p.fixups.items);
	return p.err;
}

void ub_block_free(struct ub_block *block)
{
	if (!block)
		return;
	free((void *)block->insns);
	free((void *)block->entries);
	ub_free(block);
}

/* Entries stand at their marks when that keeps their order; else all of them come first. */
static bool are_entries_sorted(const struct ub_block *block)
{
	u32 i;

	for (i = 0; i < block->entry_cnt; i++)
		if (block->entries[i].insn_idx > block->insn_cnt ||
		    (i && block->entries[i].insn_idx < block->entries[i - 1].insn_idx))
			return false;
	return true;
}

static void print_resident(FILE *file, u16 resident)
{
	u32 reg;

	if (!resident)
		return;
	fprintf(file, "resident");
	for (reg = 0; reg < UB_NGUEST; reg++)
		if (resident & 1u << reg)
			fprintf(file, " %s", ub_reg_name(reg));
	fprintf(file, "\n");
}

static void print_block(FILE *file, const struct ub_block *block)
{
	bool is_sorted = are_entries_sorted(block);
	char line[256];
	u32 i, entry = 0;

	print_resident(file, block->resident);
	for (; !is_sorted && entry < block->entry_cnt; entry++)
		fprintf(file, "entry 0x%llx @%u:\n", (unsigned long long)block->entries[entry].ip,
			block->entries[entry].insn_idx);
	for (i = 0; i <= block->insn_cnt; i++) {
		for (; entry < block->entry_cnt && block->entries[entry].insn_idx == i; entry++)
			fprintf(file, "entry 0x%llx:\n", (unsigned long long)block->entries[entry].ip);
		if (i == block->insn_cnt)
			break;
		ub_insn_text(&block->insns[i], i, line, sizeof(line));
		fprintf(file, "\t%s\n", line);
	}
}

char *ub_block_text(const struct ub_block *block)
{
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		return NULL;
	print_block(file, block);
	if (fclose(file)) {
		free(text);
		return NULL;
	}
	return text;
}
