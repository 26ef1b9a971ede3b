/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tool: what the files of ubtool share.
 *
 * A verb fills tool->out, one JSON object; main.c has it rendered at the end, as text or as JSON.  So everything is
 * emitted once.  A verb returns an exit status: 0, TOOL_NO, tool_fail() or tool_usage().
 */
#ifndef UB_TOOL_H
#define UB_TOOL_H

#include <json-c/json.h>
#include <stdio.h>

#include "../libub/ub.h"

#define TOOL_VERSION	"0.1"
#define TOOL_SCHEMA	"ub-tool/1"

/* TOOL_NO: there is an answer, and it is no. */
enum { TOOL_OK, TOOL_FAILED, TOOL_USAGE, TOOL_NO };

struct tool {
	struct json_object *out;
	int device;		/* -1 until tool_device() */
	char error[512];	/* one line, "" for none */
};

struct verb {
	const char *name;
	int (*run)(struct tool *tool, int argc, char **argv);	/* what follows the verb */
	const char *args;	/* lower-case words are literal; usage and completion are made from this */
	const char *help;
};

struct object {
	const char *name;
	const struct verb *verbs;	/* ends with an empty row; the first is meant when none is given */
	const char *help;
};

extern const struct verb block_verbs[], process_verbs[], cgroup_verbs[], lift_verbs[], feature_verbs[];

/* Both note one line for stderr and return the exit status. */
int tool_fail(struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));
int tool_usage(struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The descriptor of /dev/ub, or -1 after tool_fail(). */
int tool_device(struct tool *tool);
/* A positive decimal number, else -EINVAL. */
int tool_number(const char *text, u32 *ret);
/* Reads "KEY NUMBER"; 0, or after tool_usage() its status. */
int tool_key(struct tool *tool, int argc, char **argv, const char *key, u32 *ret);

/* dump.c */
int block_dump(struct tool *tool, int argc, char **argv);

/* out.c: members of @object; a NULL @name appends to an array. */
void out_u64(struct json_object *object, const char *name, u64 value);
void out_float(struct json_object *object, const char *name, double value, int digits);
void out_str(struct json_object *object, const char *name, const char *value);
void out_bool(struct json_object *object, const char *name, bool value);
void out_hex(struct json_object *object, const char *name, u64 value);
struct json_object *out_object(struct json_object *object, const char *name);
struct json_object *out_array(struct json_object *object, const char *name);
/* "exits": those kinds that happened, with their counts. */
void out_exits(struct json_object *object, const __u64 exits[UB_EXIT_COUNT]);
/* Each line of @text as an element of the array @name. */
void out_lines(struct json_object *object, const char *name, const char *text);

void out_text(FILE *file, struct json_object *object);
void out_json(FILE *file, struct json_object *object, bool is_pretty);

#endif
