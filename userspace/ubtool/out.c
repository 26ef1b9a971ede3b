// SPDX-License-Identifier: GPL-2.0
/*
 * out: what the verbs say, as text or as JSON.
 *
 * The text renderer knows no verb.  It writes an array of objects as a table when that fits the line, else as
 * records; an array of strings as lines; an object as "name value" lines.
 */
#include <ctype.h>
#include <inttypes.h>

#include "tool.h"

#define LINE_WIDTH	110
#define MAX_COLUMNS	24

static void put(struct json_object *object, const char *name, struct json_object *value)
{
	if (name)
		json_object_object_add(object, name, value);
	else
		json_object_array_add(object, value);
}

void out_u64(struct json_object *object, const char *name, u64 value)
{
	put(object, name, json_object_new_uint64(value));
}

void out_float(struct json_object *object, const char *name, double value, int digits)
{
	char text[32];

	snprintf(text, sizeof(text), "%.*f", digits, value);
	put(object, name, json_object_new_double_s(value, text));
}

void out_str(struct json_object *object, const char *name, const char *value)
{
	put(object, name, json_object_new_string(value));
}

void out_bool(struct json_object *object, const char *name, bool value)
{
	put(object, name, json_object_new_boolean(value));
}

/* A string: many readers of JSON keep 53 bits of a number. */
void out_hex(struct json_object *object, const char *name, u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	out_str(object, name, text);
}

struct json_object *out_object(struct json_object *object, const char *name)
{
	struct json_object *inner = json_object_new_object();

	put(object, name, inner);
	return inner;
}

struct json_object *out_array(struct json_object *object, const char *name)
{
	struct json_object *inner = json_object_new_array();

	put(object, name, inner);
	return inner;
}

void out_exits(struct json_object *object, const __u64 exits[UB_EXIT_COUNT])
{
	struct json_object *inner = out_object(object, "exits");
	u32 kind;

	for (kind = 0; kind < UB_EXIT_COUNT; kind++) {
		if (exits[kind])
			out_u64(inner, ub_exit_kind_name(kind), exits[kind]);
	}
}

void out_lines(struct json_object *object, const char *name, const char *text)
{
	struct json_object *lines = out_array(object, name);
	size_t len;

	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		json_object_array_add(lines, json_object_new_string_len(text, len));
	}
}

/* A value on one line: "live", "end 3, work 1", "read, write". */
static void cell(struct json_object *value, char *buf, size_t size)
{
	size_t len = 0, i;

	buf[0] = 0;
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, inner)
			len += snprintf(buf + len, len < size ? size - len : 0, "%s%s %s", len ? ", " : "", name,
					json_object_get_string(inner));
	} else if (json_object_is_type(value, json_type_array)) {
		for (i = 0; i < json_object_array_length(value); i++)
			len += snprintf(buf + len, len < size ? size - len : 0, "%s%s", len ? ", " : "",
					json_object_get_string(json_object_array_get_idx(value, i)));
	} else if (json_object_is_type(value, json_type_boolean)) {
		len = snprintf(buf, size, "%s", json_object_get_boolean(value) ? "yes" : "no");
	} else if (value) {
		len = snprintf(buf, size, "%s", json_object_get_string(value));
	}
	if (!len)
		snprintf(buf, size, "-");
}

/* The names of the columns, their widths, and whether the table fits the line. */
struct table {
	const char *names[MAX_COLUMNS];
	int widths[MAX_COLUMNS];
	int cnt;
};

static bool table_fits(struct table *table, struct json_object *rows)
{
	char text[4096];
	int column, total = 0;
	size_t i;

	*table = (struct table) { 0 };
	json_object_object_foreach(json_object_array_get_idx(rows, 0), name, unused) {
		(void)unused;
		if (table->cnt == MAX_COLUMNS)
			return false;
		table->names[table->cnt] = name;
		table->widths[table->cnt++] = strlen(name);
	}
	for (i = 0; i < json_object_array_length(rows); i++) {
		for (column = 0; column < table->cnt; column++) {
			cell(json_object_object_get(json_object_array_get_idx(rows, i), table->names[column]), text,
			     sizeof(text));
			if ((int)strlen(text) > table->widths[column])
				table->widths[column] = strlen(text);
		}
	}
	/* The last column may be as long as it likes. */
	for (column = 0; column < table->cnt - 1; column++)
		total += table->widths[column] + 2;
	return total <= LINE_WIDTH * 3 / 4;
}

static void text_table(FILE *file, const struct table *table, struct json_object *rows, const char *indent)
{
	char text[4096];
	struct json_object *value;
	int column;
	size_t i, at;

	for (i = 0; i <= json_object_array_length(rows); i++) {
		fputs(indent, file);
		for (column = 0; column < table->cnt; column++) {
			if (i == 0) {
				for (at = 0; table->names[column][at]; at++)
					text[at] = toupper((unsigned char)table->names[column][at]);
				text[at] = 0;
				value = json_object_object_get(json_object_array_get_idx(rows, 0),
							       table->names[column]);
			} else {
				value = json_object_object_get(json_object_array_get_idx(rows, i - 1),
							       table->names[column]);
				cell(value, text, sizeof(text));
			}
			if (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double))
				fprintf(file, "%*s", table->widths[column], text);
			else
				fprintf(file, "%-*s", column + 1 < table->cnt ? table->widths[column] : 0, text);
			fputs(column + 1 < table->cnt ? "  " : "\n", file);
		}
	}
}

static void text_array(FILE *file, struct json_object *rows, const char *indent);

static bool is_list(struct json_object *value)
{
	return json_object_is_type(value, json_type_array) &&
	       json_object_is_type(json_object_array_get_idx(value, 0), json_type_object);
}

/* "id 3  pid 12  ..." on as many lines as it takes; lists of objects below. */
static void text_record(FILE *file, struct json_object *row, const char *indent)
{
	char text[4096];
	int at = 0, len;

	json_object_object_foreach(row, name, value) {
		if (is_list(value))
			continue;
		cell(value, text, sizeof(text));
		len = strlen(name) + 1 + strlen(text) + 2;
		if (at && at + len > LINE_WIDTH) {
			fprintf(file, "\n%s\t", indent);
			at = 8;
		} else {
			fputs(at ? "  " : indent, file);
		}
		fprintf(file, "%s %s", name, text);
		at += len;
	}
	fputc('\n', file);
	json_object_object_foreach(row, list_name, list) {
		if (!is_list(list))
			continue;
		fprintf(file, "%s  %s:\n", indent, list_name);
		text_array(file, list, "    ");
	}
}

static void text_array(FILE *file, struct json_object *rows, const char *indent)
{
	struct json_object *first = json_object_array_get_idx(rows, 0);
	struct table table;
	size_t i;

	if (json_object_is_type(first, json_type_object) && table_fits(&table, rows)) {
		text_table(file, &table, rows, indent);
		return;
	}
	for (i = 0; i < json_object_array_length(rows); i++) {
		first = json_object_array_get_idx(rows, i);
		if (json_object_is_type(first, json_type_object))
			text_record(file, first, indent);
		else
			fprintf(file, "%s%s\n", indent, json_object_get_string(first));
	}
}

static void text_members(FILE *file, struct json_object *object, const char *indent, bool is_top)
{
	bool is_first = true;
	char text[4096];
	int width = 0;

	json_object_object_foreach(object, key, member) {
		if (!json_object_is_type(member, json_type_array) && (int)strlen(key) > width)
			width = strlen(key);
	}
	json_object_object_foreach(object, name, value) {
		if (is_top && !strcmp(name, "schema"))
			continue;
		if (is_top && json_object_is_type(value, json_type_array)) {
			/* The first needs no heading: it is what was asked for. */
			if (!is_first && json_object_array_length(value))
				fprintf(file, "%s:\n", name);
			text_array(file, value, is_first ? "" : "  ");
		} else if (is_top && json_object_is_type(value, json_type_object)) {
			fprintf(file, "%s:\n", name);
			text_members(file, value, "  ", false);
		} else {
			cell(value, text, sizeof(text));
			fprintf(file, "%s%-*s  %s\n", indent, width, name, text);
		}
		is_first = false;
	}
}

void out_text(FILE *file, struct json_object *object)
{
	text_members(file, object, "", true);
}

void out_json(FILE *file, struct json_object *object, bool is_pretty)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	if (is_pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	fprintf(file, "%s\n", json_object_to_json_string_ext(object, flags));
}
