// SPDX-License-Identifier: GPL-2.0
/*
 * wire: any bytes as instructions.  What ub_insn_check() passes has one text, which reads back to the same bytes; what
 * it refuses can be printed, and short buffers are not overrun.
 */
#include "../../../ir/parse.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* True if well-formed. */
static bool check_insn(const struct ub_insn *insn, u32 idx, const struct ub_block *block)
{
	char full[256], *part;
	const char *why = NULL;
	int len = ub_insn_text(insn, idx, full, sizeof(full)), room;

	if (len <= 0 || (size_t)len != strlen(full))
		input_broken(block, "the text of instruction %u is not %d long", idx, len);
	room = 1 + (u32)(insn->imm ^ insn->off) % (u32)(len + 4);
	part = malloc(room);
	if (ub_insn_text(insn, idx, part, room) != len || strncmp(part, full, room - 1))
		input_broken(block, "a short buffer gets another text of instruction %u", idx);
	free(part);
	if (ub_insn_check(insn, &why)) {
		if (!why || !*why)
			input_broken(block, "no reason why instruction %u is refused", idx);
		return false;
	}
	/* Others rely on these for whatever is well-formed. */
	if ((ub_insn_reads(insn) | ub_insn_writes(insn)) >> UB_NREGS)
		input_broken(block, "instruction %u uses registers that there are not", idx);
	if (ub_insn_mem_bytes(insn) > 32)
		input_broken(block, "instruction %u has %u bytes of memory", idx, ub_insn_mem_bytes(insn));
	return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct input input;
	struct ub_parse_error error;
	struct ub_block *block = &input.block, *again;
	u32 i, cnt = 0;
	char *text;

	if (!input_read(&input, data, size))
		return 0;
	for (i = 0; i < block->insn_cnt; i++)
		if (check_insn(&input.insns[i], i, block))
			input.insns[cnt++] = input.insns[i];
	block->insn_cnt = cnt;
	for (i = 0; i < block->entry_cnt; i++)
		input.entries[i].insn_idx %= cnt + 1;
	text = ub_block_text(block);
	if (ub_block_parse(text, &again, &error))
		input_broken(block, "%s", error.text);
	if (again->insn_cnt != cnt || again->resident != block->resident || again->entry_cnt != block->entry_cnt)
		input_broken(block, "reads back as another block");
	if (memcmp(again->insns ? again->insns : input.insns, input.insns, cnt * sizeof(input.insns[0])))
		input_broken(block, "reads back as other instructions");
	if (block->entry_cnt && memcmp(again->entries, input.entries, block->entry_cnt * sizeof(input.entries[0])))
		input_broken(block, "reads back with other entries");
	ub_block_free(again);
	free(text);
	return 0;
}
