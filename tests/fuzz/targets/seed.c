// SPDX-License-Identifier: GPL-2.0
/*
 * seed: what fuzzing begins with: the blocks of text cases, as text and as input.h has them.
 *
 * usage: seed TEXT_DIR BLOCK_DIR CASE...
 */
#include "../../case.h"
#include "input.h"

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

static void write_seed(const char *dir, u32 number, const struct input_head *head, const void *data, size_t size)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%04u", dir, number);
	out = fopen(path, "w");
	if (!out || (head && fwrite(head, sizeof(*head), 1, out) != 1) || fwrite(data, 1, size, out) != size || fclose(out)) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct input_head head = { .log_level = 1, .log_size = 512 };
	struct ub_parse_error error;
	struct ub_block *block;
	struct file file;
	char *text;
	int i;

	for (i = 3; i < argc; i++) {
		memset(&file, 0, sizeof(file));
		if (!file_read(&file, argv[i]) || !file.ir.to) {
			file_free(&file);
			continue;
		}
		text = section_text(&file);
		write_seed(argv[1], i, NULL, text, strlen(text));
		if (!ub_block_parse(text, &block, &error)) {
			head.resident = block->resident;
			head.seed = i;
			write_seed(argv[2], i, &head, block->insns, block->insn_cnt * sizeof(*block->insns));
			ub_block_free(block);
		}
		free(text);
		file_free(&file);
	}
	return 0;
}
