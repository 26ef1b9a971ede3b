// SPDX-License-Identifier: GPL-2.0
/*
 * main: ubtool [-j | -p] OBJECT VERB ...
 *
 * Finds object and verb in the tables, has the answer rendered, and makes help, usage errors and completion from the
 * same tables.  Exit status 0, 1 (failed), 2 (usage) or 3 (the answer is no); what went wrong is one line on stderr and,
 * with -j or -p, {"error": "..."} on stdout.
 */
#include <ctype.h>
#include <unistd.h>

#include "tool.h"

static int show_version(struct tool *tool, int argc, char **argv);

static const struct verb version_verbs[] = {
	{ "show", show_version, "", "versions of ubtool, of its JSON and of the device's interface" },
	{ 0 }
};

static const struct object objects[] = {
	{ "block", block_verbs, "translated code that is loaded" },
	{ "process", process_verbs, "processes that are attached" },
	{ "cgroup", cgroup_verbs, "policy by control group" },
	{ "lift", lift_verbs, "how much of a program can be translated" },
	{ "feature", feature_verbs, "what this machine, kernel and module can do" },
	{ "version", version_verbs, "versions" },
	{ 0 }
};

int tool_fail(struct tool *tool, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(tool->error, sizeof(tool->error), format, args);
	va_end(args);
	return TOOL_FAILED;
}

int tool_usage(struct tool *tool, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(tool->error, sizeof(tool->error), format, args);
	va_end(args);
	return TOOL_USAGE;
}

int tool_device(struct tool *tool)
{
	if (tool->device >= 0)
		return tool->device;
	tool->device = ub_open();
	switch (tool->device) {
	case -ENOENT:
	case -ENXIO:
		tool_fail(tool, "no " UB_DEVICE ": the module is not loaded (see: ubtool feature)");
		break;
	case -EACCES:
	case -EPERM:
		tool_fail(tool, "cannot open " UB_DEVICE ": not permitted, it needs root");
		break;
	default:
		if (tool->device < 0)
			tool_fail(tool, "cannot open " UB_DEVICE ": %s", strerror(-tool->device));
	}
	return tool->device < 0 ? -1 : tool->device;
}

int tool_number(const char *text, u32 *ret)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || value == 0 || value > INT_MAX)
		return -EINVAL;
	*ret = value;
	return 0;
}

int tool_key(struct tool *tool, int argc, char **argv, const char *key, u32 *ret)
{
	if (argc < 1 || strcmp(argv[0], key))
		return tool_usage(tool, argc < 1 ? "\"%s NUMBER\" is missing" : "expected \"%s NUMBER\", not \"%s\"",
				  key, argv[0]);
	if (argc < 2)
		return tool_usage(tool, "\"%s\" needs a number", key);
	if (tool_number(argv[1], ret))
		return tool_usage(tool, "\"%s\" is not a number", argv[1]);
	if (argc > 2)
		return tool_usage(tool, "\"%s\" is too much", argv[2]);
	return TOOL_OK;
}

static int show_version(struct tool *tool, int argc, char **argv)
{
	if (argc)
		return tool_usage(tool, "\"%s\" is too much", argv[0]);
	out_str(tool->out, "version", TOOL_VERSION);
	out_u64(tool->out, "abi_version", UB_ABI_VERSION);
	return TOOL_OK;
}

static const struct object *find_object(const char *name)
{
	const struct object *object;

	for (object = objects; object->name; object++) {
		if (!strcmp(object->name, name))
			return object;
	}
	return NULL;
}

static const struct verb *find_verb(const struct object *object, const char *name)
{
	const struct verb *verb;

	for (verb = object->verbs; verb->name; verb++) {
		if (!strcmp(verb->name, name))
			return verb;
	}
	return NULL;
}

static void help_verb(FILE *file, const struct object *object, const struct verb *verb)
{
	char line[128];

	snprintf(line, sizeof(line), "%s %s %s", object->name, verb->name, verb->args);
	fprintf(file, "  ubtool %-46s  %s\n", line, verb->help);
}

static void help_object(FILE *file, const struct object *object)
{
	const struct verb *verb;

	for (verb = object->verbs; verb->name; verb++)
		help_verb(file, object, verb);
}

static void help_all(FILE *file)
{
	const struct object *object;

	fprintf(file, "usage: ubtool [-j | -p] OBJECT [VERB ...]\n"
		      "  -j, --json    JSON on one line      -p, --pretty  JSON to read\n"
		      "  ubtool [OBJECT [VERB]] help\n");
	for (object = objects; object->name; object++) {
		fprintf(file, "\n%s: %s\n", object->name, object->help);
		help_object(file, object);
	}
}

static int help(int argc, char **argv)
{
	const struct object *object = argc > 0 ? find_object(argv[0]) : NULL;
	const struct verb *verb = object && argc > 1 ? find_verb(object, argv[1]) : NULL;

	if (verb)
		help_verb(stdout, object, verb);
	else if (object)
		help_object(stdout, object);
	else
		help_all(stdout);
	return TOOL_OK;
}

/* The lower-case words of a verb's args: "{x86 | ir} id ID" has x86, ir and id. */
static void complete_args(const char *args)
{
	size_t len;

	while (*args) {
		len = strspn(args, "abcdefghijklmnopqrstuvwxyz0123456789");
		if (len && (args[len] == 0 || strchr(" ]}", args[len])))
			printf("%.*s\n", (int)len, args);
		args += len ? len : 1 + strspn(args + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	}
}

/* What may follow these words, one a line. */
static int complete(int argc, char **argv)
{
	const struct object *object = argc > 0 ? find_object(argv[0]) : NULL;
	const struct verb *verb;

	if (argc == 0) {
		for (object = objects; object->name; object++)
			puts(object->name);
		puts("help");
	} else if (object && argc == 1) {
		for (verb = object->verbs; verb->name; verb++)
			puts(verb->name);
		puts("help");
	} else if (object) {
		verb = find_verb(object, argv[1]);
		if (verb)
			complete_args(verb->args);
	}
	return TOOL_OK;
}

static int run(struct tool *tool, int argc, char **argv)
{
	const struct object *object = find_object(argv[0]);
	const struct verb *verb;
	int status;

	if (!object)
		return tool_usage(tool, "no object \"%s\" (see: ubtool help)", argv[0]);
	verb = argc > 1 ? find_verb(object, argv[1]) : object->verbs;
	if (!verb)
		return tool_usage(tool, "no verb \"%s\" (see: ubtool %s help)", argv[1], object->name);
	status = verb->run(tool, argc > 2 ? argc - 2 : 0, argv + 2);
	if (status == TOOL_USAGE) {
		size_t len = strlen(tool->error);

		snprintf(tool->error + len, sizeof(tool->error) - len, "; usage: ubtool %s %s %s", object->name,
			 verb->name, verb->args);
	}
	return status;
}

static bool asks_for_help(int argc, char **argv)
{
	const char *last = argv[argc - 1];

	return argc <= 3 && (!strcmp(last, "help") || !strcmp(last, "--help") || !strcmp(last, "-h"));
}

/* Prints what @tool has and releases it. */
static int finish(struct tool *tool, int status, bool is_json, bool is_pretty)
{
	bool has_answer = status == TOOL_OK || status == TOOL_NO;
	struct json_object *error;

	if (has_answer) {
		if (is_json)
			out_json(stdout, tool->out, is_pretty);
		else
			out_text(stdout, tool->out);
	} else if (is_json) {
		error = json_object_new_object();
		out_str(error, "schema", TOOL_SCHEMA);
		out_str(error, "error", tool->error);
		out_json(stdout, error, is_pretty);
		json_object_put(error);
	}
	if (!has_answer)
		fprintf(stderr, "ubtool: %s\n", tool->error);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "ubtool: cannot write: %s\n", strerror(errno));
		status = TOOL_FAILED;
	}
	json_object_put(tool->out);
	if (tool->device >= 0)
		close(tool->device);
	return status;
}

int main(int argc, char **argv)
{
	struct tool tool = { .device = -1 };
	bool is_json = false, is_pretty = false;
	int status;

	for (argc--, argv++; argc > 0 && argv[0][0] == '-'; argc--, argv++) {
		if (!strcmp(*argv, "-p") || !strcmp(*argv, "--pretty")) {
			is_json = is_pretty = true;
		} else if (!strcmp(*argv, "-j") || !strcmp(*argv, "--json")) {
			is_json = true;
		} else if (!strcmp(*argv, "-V") || !strcmp(*argv, "--version")) {
			*argv = "version";
			break;
		} else if (!strcmp(*argv, "--complete")) {
			return complete(argc - 1, argv + 1);
		} else if (!strcmp(*argv, "-h") || !strcmp(*argv, "--help")) {
			return help(0, NULL);
		} else {
			fprintf(stderr, "ubtool: no option \"%s\" (see: ubtool help)\n", *argv);
			return TOOL_USAGE;
		}
	}
	if (argc == 0) {
		help_all(stderr);
		return TOOL_USAGE;
	}
	if (asks_for_help(argc, argv))
		return help(argc - 1, argv);
	if (!strcmp(argv[0], "help"))
		return help(argc - 1, argv + 1);
	tool.out = json_object_new_object();
	out_str(tool.out, "schema", TOOL_SCHEMA);
	status = run(&tool, argc, argv);
	return finish(&tool, status, is_json, is_pretty);
}
