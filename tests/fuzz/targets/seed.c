// SPDX-License-Identifier: GPL-2.0
/*
 * seed: what fuzzing begins with: the blocks of text cases, as text, as input.h has them, and as requests (device.c).
 *
 * usage: seed TEXT_DIR BLOCK_DIR REQUEST_DIR CASE...
 */
#include "../../case.h"
#include <ub/uapi.h>

#include "input.h"

#define MEMORY	0x10000ull	/* as in device.c */

static char *section_text(const struct file *file)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	u32 i;

	for (i = file->ir.from; i < file->ir.to; i++)
		if (file->lines[i] && !strstr(file->lines[i], "..."))
			fprintf(out, "%s\n", file->lines[i]);
	fclose(out);
	return text;
}

static FILE *open_seed(const char *dir, u32 number)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%04u", dir, number);
	out = fopen(path, "w");
	if (!out) {
		perror(path);
		exit(1);
	}
	return out;
}

static void put(FILE *out, const void *data, size_t size)
{
	if (size && fwrite(data, size, 1, out) != 1) {
		perror("seed");
		exit(1);
	}
}

static void write_block(FILE *out, const struct ub_block *block, u32 seed)
{
	struct input_head head = { .resident = block->resident, .log_level = 1, .log_size = 512, .seed = seed };

	put(out, &head, sizeof(head));
	put(out, block->insns, block->insn_cnt * sizeof(*block->insns));
	fclose(out);
}

/* @nr: the command's place in the module's list. */
static void put_request(FILE *out, u8 nr, const void *arg, size_t size)
{
	u8 request[4] = { nr };

	put(out, request, sizeof(request));
	put(out, arg, size);
}

/* The code that the marks stand for, in two stretches; its bytes are those of the instructions. */
static void find_code(const struct ub_block *block, struct ub_code ret[2])
{
	u64 low = ~0ull, high = 0, middle, ip;
	u32 i;

	for (i = 0; i < block->insn_cnt; i++) {
		ip = block->insns[i].imm;
		if (block->insns[i].op != UB_OP_INSN)
			continue;
		low = ip < low ? ip : low;
		high = ip + block->insns[i].off > high ? ip + block->insns[i].off : high;
	}
	for (middle = high, i = 0; i < block->insn_cnt; i++)
		if (block->insns[i].op == UB_OP_INSN && (u64)block->insns[i].imm > low)
			middle = block->insns[i].imm;
	ret[0] = (struct ub_code){ .start = low, .bytes = MEMORY, .len = middle - low };
	ret[1] = (struct ub_code){ .start = middle, .bytes = MEMORY, .len = high - middle };
}

/* In memory: instructions, entries, code. */
static void write_requests(FILE *out, const struct ub_block *block)
{
	u32 insns_len = block->insn_cnt * sizeof(*block->insns), entries_len = block->entry_cnt * sizeof(*block->entries);
	struct ub_load load = {
		.session_id = 1, .insns = MEMORY, .entries = MEMORY + insns_len, .code = MEMORY + insns_len + entries_len,
		.insn_cnt = block->insn_cnt, .entry_cnt = block->entry_cnt, .code_cnt = 2, .log_buf = MEMORY, .log_size = 64,
		.log_level = 1, .resident = block->resident,
	};
	struct ub_code code[2];
	struct { u16 memory_len; u8 rest[6]; u64 identity; } head = {
		.memory_len = insns_len + entries_len + sizeof(code), .identity = ~0xff00ull,
	};
	u32 what, id[6] = { 1 };

	find_code(block, code);
	load.code_cnt -= !code[1].len;
	put(out, &head, sizeof(head));
	put(out, block->insns, insns_len);
	put(out, block->entries, entries_len);
	put(out, code, sizeof(code));
	put_request(out, 5, &load, sizeof(load));
	load.replace_id = 1;
	put_request(out, 5, &load, sizeof(load));
	id[0] = 0;
	put_request(out, 7, id, 8);			/* BLOCK_NEXT: the second */
	id[0] = 2;
	put_request(out, 8, id, sizeof(id));
	for (what = UB_DUMP_IR; what <= UB_DUMP_JIT; what++) {
		struct ub_block_dump dump = { .id = 2, .what = what, .buf = MEMORY, .size = 64 };

		put_request(out, 9, &dump, 24);
	}
	put_request(out, 6, id, 8);
	fclose(out);
}

int main(int argc, char **argv)
{
	struct ub_parse_error error;
	struct ub_block *block;
	struct file file;
	FILE *out;
	char *text;
	int i;

	for (i = 4; i < argc; i++) {
		memset(&file, 0, sizeof(file));
		if (!file_read(&file, argv[i]) || !file.ir.to) {
			file_free(&file);
			continue;
		}
		text = section_text(&file);
		out = open_seed(argv[1], i);
		put(out, text, strlen(text));
		fclose(out);
		if (!ub_block_parse(text, &block, &error)) {
			write_block(open_seed(argv[2], i), block, i);
			write_requests(open_seed(argv[3], i), block);
			ub_block_free(block);
		}
		free(text);
		file_free(&file);
	}
	return 0;
}
