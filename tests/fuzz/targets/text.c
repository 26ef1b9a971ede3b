// SPDX-License-Identifier: GPL-2.0
/*
 * text: any text as a block.  What the assembler takes is printed so that it reads back as the same block.
 */
#include "../../../ir/parse.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Lines with "!" may hold malformed instructions, which are printed for people only. */
static bool is_well_formed(const struct ub_block *block)
{
	const char *why;
	u32 i;

	for (i = 0; i < block->insn_cnt; i++)
		if (ub_insn_check(&block->insns[i], &why))
			return false;
	return true;
}

static bool is_same(const struct ub_block *a, const struct ub_block *b)
{
	if (a->insn_cnt != b->insn_cnt || a->entry_cnt != b->entry_cnt || a->resident != b->resident)
		return false;
	return (!a->insn_cnt || !memcmp(a->insns, b->insns, a->insn_cnt * sizeof(*a->insns))) &&
	       (!a->entry_cnt || !memcmp(a->entries, b->entries, a->entry_cnt * sizeof(*a->entries)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ub_parse_error error = { 0 };
	struct ub_block *block, *again;
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = 0;
	if (ub_block_parse(text, &block, &error)) {
		if (!error.line || strnlen(error.text, sizeof(error.text)) % sizeof(error.text) == 0) {
			fprintf(stderr, "refused without a word: %s\n", text);
			abort();
		}
		free(text);
		return 0;
	}
	free(text);
	text = ub_block_text(block);
	if (is_well_formed(block)) {
		if (ub_block_parse(text, &again, &error))
			input_broken(block, "%s", error.text);
		if (!is_same(block, again))
			input_broken(block, "reads back as another block: %s", text);
		ub_block_free(again);
	}
	free(text);
	ub_block_free(block);
	return 0;
}
