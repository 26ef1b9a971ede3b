// SPDX-License-Identifier: GPL-2.0
/* file: a case as it stands in its file: its sections, its complaints, and writing it back when blessed. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <ctype.h>

#include "case.h"

static const char *const stage_names[STAGE_COUNT] = { "ir", "verify", "lift", "run", "interp", "jit" };
static const char *const keywords[] = { "test ", "x86:", "ir:", "jit:", "run:", "hint ", "from ", "goal ", "wild ", "learn ", "budget ",
					 "needs " };

bool has_prefix(const char *line, const char *prefix)
{
	return !strncmp(line, prefix, strlen(prefix));
}

void file_fail(struct file *file, u32 line, const char *format, ...)
{
	va_list args;

	file->failed++;
	printf("%s:%u: ", file->path, line + 1);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void file_set_line(struct file *file, u32 line, const char *text)
{
	if (file->lines[line] && text && !strcmp(file->lines[line], text))
		return;
	free(file->lines[line]);
	file->lines[line] = text ? strdup(text) : NULL;
	file->is_changed = true;
}

static void parse_stages(struct file *file, u32 line)
{
	char *copy = strdup(file->lines[line] + strlen("test ")), *save, *word;
	u32 stage;

	for (word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		for (stage = 0; stage < STAGE_COUNT; stage++)
			if (!strcmp(word, stage_names[stage]))
				break;
		if (stage == STAGE_COUNT)
			file_fail(file, line, "unknown stage \"%s\"", word);
		else
			file->stages |= 1 << stage;
	}
	free(copy);
}

/* "hint code+5 39": what the profile would have seen. */
static void parse_hint(struct file *file, u32 line)
{
	struct ub_lift_hint *hint = &file->hints[file->hint_cnt];
	char ip[64], target[64];

	if (file->hint_cnt == ARRAY_SIZE(file->hints) || sscanf(file->lines[line], "hint %63s %63s", ip, target) != 2 ||
	    !value_parse(ip, &hint->ip) || !value_parse(target, &hint->target))
		file_fail(file, line, "expected \"hint ADDRESS TARGET\"");
	else
		file->hint_cnt++;
}

/* "from code+5": another entry.  "goal code+5": an address worth reaching, where the block is left.  "wild code+5": where a hold has failed.
 * "learn code+5": where a block was left, and exits are there to learn from. */
static void parse_address(struct file *file, u32 line, u64 *list, u32 *cnt, u32 max)
{
	const char *address = strchr(file->lines[line], ' ') + 1;

	if (*cnt == max || !value_parse(address, &list[*cnt]))
		file_fail(file, line, "expected an address, or no more of them");
	else
		++*cnt;
}

/* By the processor's own word, not the lifter's.  False: it is none that we know of. */
static bool find_feature(const char *name, bool *ret_is_there)
{
	u32 a, b, c, d;

	if (!strcmp(name, "rdtscp"))
		*ret_is_there = __get_cpuid(0x80000001, &a, &b, &c, &d) && d & 1u << 27;
	else if (!strcmp(name, "rdpid"))
		*ret_is_there = __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 1u << 22;
	else
		return false;
	return true;
}

/* "needs rdpid": where the processor has it not, the code must not be lifted. */
static void parse_needs(struct file *file, u32 line)
{
	const char *name = file->lines[line] + strlen("needs ");
	bool is_there;

	if (!find_feature(name, &is_there)) {
		file_fail(file, line, "unknown instruction set \"%s\"", name);
	} else if (!is_there) {
		file->missing = name;
		file->needs_line = line;
	}
}

static bool is_keyword(const char *line)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keywords); i++)
		if (has_prefix(line, keywords[i]))
			return true;
	return false;
}

static void parse_section(struct file *file, u32 line)
{
	const char *text = file->lines[line];
	struct section *section = *text == 'x' ? &file->x86 : *text == 'i' ? &file->ir : &file->jit;

	if (section->to)
		file_fail(file, line, "a second %s", text);
	section->from = section->to = line + 1;
	while (section->to < file->line_cnt && !is_keyword(file->lines[section->to]))
		section->to++;
}

static void parse_lines(struct file *file)
{
	u32 i, section_to = 0;

	for (i = 0; i < file->line_cnt; i++) {
		const char *line = file->lines[i];

		if (has_prefix(line, "test ")) {
			parse_stages(file, i);
		} else if (has_prefix(line, "hint ")) {
			parse_hint(file, i);
		} else if (has_prefix(line, "from ")) {
			parse_address(file, i, file->entries, &file->entry_cnt, ARRAY_SIZE(file->entries));
		} else if (has_prefix(line, "goal ")) {
			parse_address(file, i, file->goals, &file->goal_cnt, ARRAY_SIZE(file->goals));
		} else if (has_prefix(line, "wild ")) {
			parse_address(file, i, file->wild, &file->wild_cnt, ARRAY_SIZE(file->wild));
		} else if (has_prefix(line, "learn ")) {
			parse_address(file, i, file->left, &file->left_cnt, ARRAY_SIZE(file->left));
		} else if (has_prefix(line, "budget ")) {
			if (!value_parse(line + strlen("budget "), &file->budget))
				file_fail(file, i, "expected \"budget NUMBER\"");
		} else if (has_prefix(line, "needs ")) {
			parse_needs(file, i);
		} else if (has_prefix(line, "x86:") || has_prefix(line, "ir:") || has_prefix(line, "jit:")) {
			parse_section(file, i);
			section_to = file->x86.to > i ? file->x86.to : file->ir.to > i ? file->ir.to : file->jit.to;
		} else if (i >= section_to && *line && *line != '#' && !is_keyword(line)) {
			file_fail(file, i, "neither a comment nor a section: \"%s\"", line);
		}
	}
	if (!file->stages)
		file_fail(file, 0, "no line \"test STAGE...\"");
}

bool file_read(struct file *file, const char *path)
{
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!in)
		return false;
	file->path = path;
	while ((len = getline(&line, &size, in)) > 0) {
		file->lines = realloc(file->lines, (file->line_cnt + 1) * sizeof(*file->lines));
		line[strcspn(line, "\n")] = 0;
		file->lines[file->line_cnt++] = strdup(line);
	}
	free(line);
	fclose(in);
	parse_lines(file);
	return true;
}

bool file_write(const struct file *file)
{
	FILE *out = fopen(file->path, "w");
	u32 i;

	if (!out)
		return false;
	for (i = 0; i < file->line_cnt; i++)
		if (file->lines[i])
			fprintf(out, "%s\n", file->lines[i]);
	return !fclose(out);
}

void file_free(struct file *file)
{
	u32 i;

	for (i = 0; i < file->line_cnt; i++)
		free(file->lines[i]);
	free(file->lines);
}

char *file_section(const struct file *file, const struct section *section)
{
	char *text = NULL;
	size_t len;
	FILE *out;
	u32 i;

	if (!section->to)
		return NULL;
	out = open_memstream(&text, &len);
	for (i = section->from; i < section->to; i++)
		fprintf(out, "%s\n", file->lines[i] ? file->lines[i] : "");
	fclose(out);
	return text;
}

/* --- a section against a text --- */

struct lines {
	char *copy;
	char *at[4096];
	u32 no[4096];
	u32 cnt;
};

/* The lines of @text that count, trimmed. */
static void split(const char *text, struct lines *ret)
{
	char *line, *save = ret->copy = strdup(text), *end;
	u32 no = 0;

	ret->cnt = 0;
	while ((line = strsep(&save, "\n")) && ret->cnt < ARRAY_SIZE(ret->at)) {
		no++;
		line[strcspn(line, ";#")] = 0;
		while (isspace(*line))
			line++;
		for (end = line + strlen(line); end > line && isspace(end[-1]);)
			*--end = 0;
		if (!*line)
			continue;
		ret->at[ret->cnt] = line;
		ret->no[ret->cnt++] = no - 1;
	}
}

/* "jb ..." is any line that begins so. */
static bool fits(const char *want, const char *have)
{
	size_t len = strlen(want);

	if (len > 3 && !strcmp(want + len - 3, "..."))
		return !strncmp(want, have, len - 3);
	return !strcmp(want, have);
}

/* @ret_deepest: how many expected lines were found at best. */
static bool matches(const struct lines *want, u32 w, const struct lines *have, u32 h, u32 *ret_deepest)
{
	for (; w < want->cnt && strcmp(want->at[w], "..."); w++, h++) {
		*ret_deepest = w > *ret_deepest ? w : *ret_deepest;
		if (h == have->cnt || !fits(want->at[w], have->at[h]))
			return false;
	}
	*ret_deepest = w > *ret_deepest ? w : *ret_deepest;
	if (w == want->cnt)
		return h == have->cnt;
	for (; h <= have->cnt; h++)
		if (matches(want, w + 1, have, h, ret_deepest))
			return true;
	return false;
}

static void bless_section(struct file *file, const struct section *section, const struct lines *have)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	u32 i;

	for (i = 0; i < have->cnt; i++)
		fprintf(out, "%s    %s", i ? "\n" : "", have->at[i]);
	fclose(out);
	if (section->from == section->to) {
		/* Nothing there yet: behind the head line. */
		char *head;

		if (asprintf(&head, "%s\n%s", file->lines[section->from - 1], text) > 0)
			file_set_line(file, section->from - 1, head);
		free(head);
	} else {
		for (i = section->from + 1; i < section->to; i++)
			if (file->lines[i][0] && file->lines[i][0] != '#')
				file_set_line(file, i, NULL);
		file_set_line(file, section->from, text);
	}
	free(text);
}

void file_expect_section(struct file *file, const struct section *section, const char *text)
{
	static struct lines want, have;
	char *expected = file_section(file, section);
	u32 deepest = 0;

	split(expected, &want);
	split(text, &have);
	if (matches(&want, 0, &have, 0, &deepest)) {
		file->passed++;
	} else if (file->is_blessing) {
		bless_section(file, section, &have);
		file->passed++;
	} else if (deepest < want.cnt) {
		file_fail(file, section->from + want.no[deepest], "not so: \"%s\"; it is\n%s", want.at[deepest], text);
	} else {
		file_fail(file, section->from, "there is more; it is\n%s", text);
	}
	free(want.copy);
	free(have.copy);
	free(expected);
}
