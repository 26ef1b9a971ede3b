// SPDX-License-Identifier: GPL-2.0
/* x86: machine code as text, by Zydis, and whether a line of a case says the same in both. */
#include <ctype.h>
#include <Zydis/Zydis.h>

#include "case.h"

static const ZydisFormatter *formatter(void)
{
	static ZydisFormatter f;
	static bool is_ready;

	if (!is_ready) {
		ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_INTEL);
		ZydisFormatterSetProperty(&f, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED);
		ZydisFormatterSetProperty(&f, ZYDIS_FORMATTER_PROP_ADDR_PADDING_RELATIVE, ZYDIS_PADDING_DISABLED);
		ZydisFormatterSetProperty(&f, ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED);
		ZydisFormatterSetProperty(&f, ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED);
		ZydisFormatterSetProperty(&f, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
		is_ready = true;
	}
	return &f;
}

static bool decode(const u8 *code, u32 len, ZydisDecodedInstruction *insn, ZydisDecodedOperand *operands)
{
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, insn, operands));
}

u32 x86_text(const u8 *code, u32 len, u64 ip, char *buf, size_t size)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

	if (!len)
		return 0;
	if (!decode(code, len, &insn, operands)) {
		snprintf(buf, size, "(%02x)", code[0]);
		return 1;
	}
	ZydisFormatterFormatInstruction(formatter(), &insn, operands, insn.operand_count_visible, buf, size, ip, NULL);
	return insn.length;
}

/* One form for what people write and Zydis prints: no blanks but between words, no "ptr", numbers as 32-bit hex. */
static void normalise(const char *text, char *out, size_t size)
{
	size_t len = 0;
	char *end;

	while (*text && len + 24 < size) {
		bool is_word = len && (isalnum(out[len - 1]) || out[len - 1] == '_');

		if (isspace(*text)) {
			while (isspace(*text))
				text++;
			if (!strncmp(text, "ptr", 3) && !isalnum(text[3]))
				text += 3;
			else if (is_word && isalnum(*text))
				out[len++] = ' ';
		} else if (!is_word && (isdigit(*text) || (*text == '-' && isdigit(text[1])))) {
			len += sprintf(out + len, "0x%x", (u32)strtoull(text, &end, 0));
			text = end;
		} else {
			out[len++] = tolower(*text++);
		}
	}
	out[len] = 0;
}

static bool is_same_text(const char *a, const char *b)
{
	char left[256], right[256];

	normalise(a, left, sizeof(left));
	normalise(b, right, sizeof(right));
	return !strcmp(left, right);
}

static const char *parse_bytes(const char **line, struct x86_line *ret)
{
	const char *at = *line;
	char *end;

	for (;;) {
		while (isspace(*at))
			at++;
		if (!isxdigit(*at))
			break;
		if (ret->len == sizeof(ret->bytes) || !isxdigit(at[1]) || isxdigit(at[2]))
			return "bytes are up to 15 pairs of hex digits";
		ret->bytes[ret->len++] = strtoul(at, &end, 16);
		at = end;
	}
	*line = at;
	return *at && *at != '|' ? "expected \"|\" behind the bytes" : NULL;
}

const char *x86_parse(const char *line, u64 ip, struct x86_line *ret, bool *ret_agrees)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	const char *why;
	u32 i;

	memset(ret, 0, sizeof(*ret));
	why = parse_bytes(&line, ret);
	if (why)
		return why;
	if (!decode(ret->bytes, ret->len, &insn, operands) || insn.length != ret->len)
		return "the bytes are not one instruction";
	x86_text(ret->bytes, ret->len, ip, ret->text, sizeof(ret->text));
	ret->is_syscall = insn.mnemonic == ZYDIS_MNEMONIC_SYSCALL;
	for (i = 0; i < insn.operand_count; i++) {
		if (operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		ret->has_gs |= operands[i].mem.segment == ZYDIS_REGISTER_GS;
	}
	*ret_agrees = *line == '|' && is_same_text(line + 1, ret->text);
	return NULL;
}
