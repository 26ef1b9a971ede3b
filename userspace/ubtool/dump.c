// SPDX-License-Identifier: GPL-2.0
/*
 * dump: one block at each stage of its way: the user code it was made from, its IR, what the verifier says to that,
 * and the machine code that runs.
 *
 * The log is made here and now, by the same verifier in user space, from the IR that the kernel has.
 */
#include <Zydis/Zydis.h>
#include <unistd.h>

#include "../../ir/parse.h"
#include "tool.h"
#include "verdict.h"

/* The block's IR as the kernel has it; both arrays are malloc()ed. */
static int read_block(struct tool *tool, int fd, u32 id, struct ub_block *ret)
{
	struct ub_block_info info;
	void *insns, *entries;
	size_t insns_len, entries_len;
	int err;

	err = ub_block_info(fd, id, &info);
	if (err)
		return tool_fail(tool, "block %u: %s", id, ub_command_error(UB_IOC_BLOCK_INFO, err));
	err = ub_block_dump(fd, id, UB_DUMP_IR, &insns, &insns_len, NULL);
	if (!err) {
		err = ub_block_dump(fd, id, UB_DUMP_ENTRIES, &entries, &entries_len, NULL);
		if (err)
			free(insns);
	}
	if (err)
		return tool_fail(tool, "block %u: %s", id, ub_command_error(UB_IOC_BLOCK_DUMP, err));
	*ret = (struct ub_block) {
		.insns = insns,
		.entries = entries,
		.insn_cnt = insns_len / sizeof(struct ub_insn),
		.entry_cnt = entries_len / sizeof(struct ub_entry),
		.resident = info.resident,
	};
	return TOOL_OK;
}

static void release_block(struct ub_block *block)
{
	free((void *)block->insns);
	free((void *)block->entries);
}

/* One line of disassembly; returns the length of the instruction, 1 for a byte that is none. */
static size_t out_disassembly(struct json_object *out, u64 address, const u8 *bytes, size_t len)
{
	struct json_object *row = out_object(out, NULL);
	ZydisDisassembledInstruction insn;
	char hex[3 * ZYDIS_MAX_INSTRUCTION_LENGTH + 1] = "";
	size_t i, insn_len = 1;
	const char *text = "(bad)";

	if (ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, address, bytes, len, &insn))) {
		insn_len = insn.info.length;
		text = insn.text;
	}
	for (i = 0; i < insn_len; i++)
		sprintf(hex + 3 * i, i + 1 < insn_len ? "%02x " : "%02x", bytes[i]);
	out_hex(row, "address", address);
	out_str(row, "bytes", hex);
	out_str(row, "text", text);
	return insn_len;
}

static int by_address(const void *a, const void *b)
{
	const struct ub_insn *x = a, *y = b;

	return (u64)x->imm < (u64)y->imm ? -1 : (u64)x->imm > (u64)y->imm;
}

/* The user code at each mark, by address, each once. */
static int out_user_code(struct tool *tool, struct ub_insn *marks, u32 cnt, int mem_fd)
{
	struct json_object *out = out_array(tool->out, "x86");
	u8 bytes[ZYDIS_MAX_INSTRUCTION_LENGTH];
	size_t len;
	u32 i;

	qsort(marks, cnt, sizeof(*marks), by_address);
	for (i = 0; i < cnt; i++) {
		if (i && marks[i].imm == marks[i - 1].imm)
			continue;
		len = marks[i].off > 0 && marks[i].off < (s32)sizeof(bytes) ? (u32)marks[i].off : sizeof(bytes);
		if (ub_process_peek(mem_fd, marks[i].imm, bytes, len) != len)
			return tool_fail(tool, "cannot read the process's memory at 0x%llx",
					 (unsigned long long)marks[i].imm);
		out_disassembly(out, marks[i].imm, bytes, len);
	}
	return TOOL_OK;
}

static int dump_x86(struct tool *tool, int fd, u32 id)
{
	struct ub_session_info session;
	struct ub_block_info info;
	struct ub_insn *marks;
	struct ub_block block;
	u32 i, cnt = 0;
	int err, mem_fd, status;

	err = ub_block_info(fd, id, &info);
	if (!err)
		err = ub_session_info(fd, info.session_id, &session);
	if (err)
		return tool_fail(tool, "block %u: %s", id, ub_command_error(UB_IOC_BLOCK_INFO, err));
	mem_fd = ub_process_memory(session.pid);
	if (mem_fd < 0)
		return tool_fail(tool, "cannot read the memory of process %d: %s", session.pid, strerror(-mem_fd));
	status = read_block(tool, fd, id, &block);
	if (status)
		goto close_memory;
	marks = ub_alloc(block.insn_cnt, sizeof(*marks));
	if (marks) {
		for (i = 0; i < block.insn_cnt; i++) {
			if (block.insns[i].op == UB_OP_INSN)
				marks[cnt++] = block.insns[i];
		}
		status = out_user_code(tool, marks, cnt, mem_fd);
		free(marks);
	} else {
		status = tool_fail(tool, "no memory");
	}
	release_block(&block);
close_memory:
	close(mem_fd);
	return status;
}

static int dump_ir(struct tool *tool, int fd, u32 id)
{
	struct ub_block block;
	char *text;
	int status;

	status = read_block(tool, fd, id, &block);
	if (status)
		return status;
	text = ub_block_text(&block);
	if (text)
		out_lines(tool->out, "ir", text);
	else
		status = tool_fail(tool, "no memory");
	free(text);
	release_block(&block);
	return status;
}

static int dump_log(struct tool *tool, int fd, u32 id)
{
	struct ub_feature feature;
	struct ub_block block;
	bool is_accepted;
	int err, status;

	err = ub_feature(fd, &feature);
	if (err)
		return tool_fail(tool, "cannot ask for the address limit: %s", ub_command_error(UB_IOC_FEATURE, err));
	status = read_block(tool, fd, id, &block);
	if (status)
		return status;
	status = verdict_out(tool, &block, feature.limit, 2, NULL, &is_accepted);
	release_block(&block);
	return status;
}

static int dump_jit(struct tool *tool, int fd, u32 id)
{
	struct json_object *out = out_array(tool->out, "jit");
	size_t len, at;
	void *code;
	u64 address;
	int err;

	err = ub_block_dump(fd, id, UB_DUMP_JIT, &code, &len, &address);
	if (err)
		return tool_fail(tool, "block %u: %s", id, ub_command_error(UB_IOC_BLOCK_DUMP, err));
	for (at = 0; at < len;)
		at += out_disassembly(out, address + at, (u8 *)code + at, len - at);
	free(code);
	return TOOL_OK;
}

static const struct {
	const char *name;
	int (*dump)(struct tool *tool, int fd, u32 id);
} stages[] = {
	{ "x86", dump_x86 },
	{ "ir", dump_ir },
	{ "log", dump_log },
	{ "jit", dump_jit },
};

int block_dump(struct tool *tool, int argc, char **argv)
{
	size_t i;
	u32 id;
	int fd, status;

	if (!argc)
		return tool_usage(tool, "which stage?");
	for (i = 0; i < ARRAY_SIZE(stages) && strcmp(stages[i].name, argv[0]); i++)
		;
	if (i == ARRAY_SIZE(stages))
		return tool_usage(tool, "no stage \"%s\"", argv[0]);
	status = tool_key(tool, argc - 1, argv + 1, "id", &id);
	if (status)
		return status;
	fd = tool_device(tool);
	if (fd < 0)
		return TOOL_FAILED;
	return stages[i].dump(tool, fd, id);
}
