// SPDX-License-Identifier: GPL-2.0
/*
 * lift: how much of what a program runs between its system calls is lifted, and what ends the rest.
 *
 * Needs neither the module nor the daemon: the program is watched for a while, and its hot code lifted here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../ir/parse.h"
#include "../../lifter/lift.h"
#include "coverage.h"
#include "tool.h"
#include "verdict.h"

#define DEFAULT_INSNS	300000u
#define DEFAULT_SECONDS	20u
#define MAX_ROWS	16u		/* of each list that is shown */

static double share(u64 part, u64 all)
{
	return all ? (double)part / all : 0;
}

/* --- record --- */

static int record(struct tool *tool, const char *pid_text, const struct record_limits *limits, struct recording *ret)
{
	const char *why = "";
	u32 pid;

	if (tool_number(pid_text, &pid))
		return tool_usage(tool, "\"%s\" is no process id", pid_text);
	if (record_process(pid, limits, ret, &why))
		return tool_fail(tool, "cannot record process %u: %s", pid, why);
	return TOOL_OK;
}

/* What follows the words that name a number. */
struct options {
	struct record_limits limits;
	u32 budget;
	const char *path;		/* -o */
	bool is_growing;
};

/* Takes "insns N" and the like at argv[*i] into @options and moves *i on; *ret_is_one: it was one. */
static int read_option(struct tool *tool, int argc, char **argv, int *i, struct options *options, bool *ret_is_one)
{
	const char *name = argv[*i], *value = *i + 1 < argc ? argv[*i + 1] : NULL;
	u32 *number = NULL;

	if (!strcmp(name, "insns"))
		number = &options->limits.insns;
	else if (!strcmp(name, "seconds"))
		number = &options->limits.seconds;
	else if (!strcmp(name, "budget"))
		number = &options->budget;
	options->is_growing |= !strcmp(name, "grow");
	*ret_is_one = number || !strcmp(name, "-o") || !strcmp(name, "grow");
	if (!*ret_is_one || !strcmp(name, "grow"))
		return TOOL_OK;
	if (!value || (number && tool_number(value, number)))
		return tool_usage(tool, "%s takes a %s", name, number ? "number" : "file");
	if (!number)
		options->path = value;
	(*i)++;
	return TOOL_OK;
}

/* Takes all options out of @argv; what is left is counted in *ret_cnt. */
static int read_options(struct tool *tool, int argc, char **argv, struct options *options, int *ret_cnt)
{
	int i, status, cnt = 0;
	bool is_one;

	*options = (struct options){ { DEFAULT_INSNS, DEFAULT_SECONDS }, UB_LIFT_BUDGET, NULL, false };
	for (i = 0; i < argc; i++) {
		status = read_option(tool, argc, argv, &i, options, &is_one);
		if (status)
			return status;
		if (!is_one)
			argv[cnt++] = argv[i];
	}
	*ret_cnt = cnt;
	return TOOL_OK;
}

static int lift_record(struct tool *tool, int argc, char **argv)
{
	struct recording recording;
	struct options options;
	int cnt, err, status = read_options(tool, argc, argv, &options, &cnt);

	if (status)
		return status;
	if (cnt != 1 || !options.path)
		return tool_usage(tool, "which process, and into which file?");
	status = record(tool, argv[0], &options.limits, &recording);
	if (status)
		return status;
	err = recording_write(&recording, options.path);
	out_str(tool->out, "file", options.path);
	out_str(tool->out, "comm", recording.comm);
	out_u64(tool->out, "steps", recording.step_cnt);
	out_u64(tool->out, "instructions", recording.insn_cnt);
	recording_free(&recording);
	return err ? tool_fail(tool, "cannot write %s: %s", options.path, strerror(-err)) : TOOL_OK;
}

/* --- report --- */

static void out_reasons(struct json_object *out, const char *name, const struct coverage_reason *reasons, u32 cnt,
			u64 counted)
{
	struct json_object *list = out_array(out, name), *row;
	u32 i;

	for (i = 0; i < cnt && i < MAX_ROWS; i++) {
		row = out_object(list, NULL);
		out_str(row, "reason", reasons[i].why);
		out_u64(row, "instructions", reasons[i].cnt);
		out_float(row, "share", share(reasons[i].cnt, counted), 4);
		out_hex(row, "address", reasons[i].ip);
	}
}

static void out_exits_taken(struct json_object *out, const struct coverage *coverage)
{
	struct json_object *list = out_array(out, "left"), *row;
	u32 i;

	for (i = 0; i < coverage->left_cnt && i < MAX_ROWS; i++) {
		row = out_object(list, NULL);
		out_hex(row, "address", coverage->left[i].ip);
		out_hex(row, "target", coverage->left[i].target);
		out_u64(row, "count", coverage->left[i].cnt);
		out_str(row, "reason", coverage->left[i].why);
	}
}

static void out_sites(struct json_object *out, const struct coverage *coverage)
{
	struct json_object *list = out_array(out, "calls"), *row;
	u32 i;

	for (i = 0; i < coverage->site_cnt && i < MAX_ROWS; i++) {
		const struct coverage_site *site = &coverage->sites[i];

		row = out_object(list, NULL);
		out_str(row, "call", ub_syscall_name(site->nr));
		out_hex(row, "address", site->ip);
		out_u64(row, "count", site->cnt);
		out_bool(row, "hot", site->is_hot);
		out_bool(row, "made_in_block", site->is_made);
	}
}

static void out_coverage(struct json_object *out, const struct coverage *coverage)
{
	out_float(out, "lifted_share", share(coverage->lifted, coverage->counted), 4);
	out_float(out, "inside_share", share(coverage->inside, coverage->counted), 4);
	out_u64(out, "steps", coverage->steps);
	out_u64(out, "calls_seen", coverage->calls);
	out_u64(out, "gaps", coverage->gap_cnt);
	out_u64(out, "counted", coverage->counted);
	out_u64(out, "entered", coverage->entered);
	out_u64(out, "exits", coverage->exits);
	if (coverage->rounds)
		out_u64(out, "rounds", coverage->rounds);
	out_u64(out, "guest_insns", coverage->guest_insns);
	out_u64(out, "ir_insns", coverage->ir_insns);
	if (coverage->refusal[0])
		out_str(out, "refusal", coverage->refusal);
	out_sites(out, coverage);
	out_exits_taken(out, coverage);
	out_reasons(out, "ends", coverage->ends, coverage->end_cnt, coverage->counted);
	out_reasons(out, "unsupported", coverage->unsupported, coverage->unsupported_cnt, coverage->counted);
}

static int report_one(struct tool *tool, struct json_object *programs, const char *name, const struct options *options)
{
	bool is_pid = !name[strspn(name, "0123456789")];
	static struct coverage coverage;
	struct recording recording;
	struct json_object *out;
	int err = 0, status = TOOL_OK;

	if (is_pid)
		status = record(tool, name, &options->limits, &recording);
	else
		err = recording_read(name, &recording);
	if (err)
		return tool_fail(tool, "cannot read %s: %s", name, err == -EPROTO ? "it is no profile" : strerror(-err));
	if (status)
		return status;
	err = coverage_find(&recording, options->budget, options->is_growing, &coverage);
	if (!err) {
		out = out_object(programs, NULL);
		out_str(out, "program", recording.comm);
		out_str(out, "source", name);
		out_coverage(out, &coverage);
	}
	recording_free(&recording);
	return err ? tool_fail(tool, "%s: %s", name, strerror(-err)) : TOOL_OK;
}

static int lift_report(struct tool *tool, int argc, char **argv)
{
	struct json_object *programs = out_array(tool->out, "programs");
	struct options options;
	int i, cnt, status = read_options(tool, argc, argv, &options, &cnt);

	if (status == TOOL_OK && (!cnt || options.path))
		return tool_usage(tool, "which process or profile?");
	for (i = 0; status == TOOL_OK && i < cnt; i++)
		status = report_one(tool, programs, argv[i], &options);
	return status;
}

/* --- verify --- */

/* No block that may be loaded has a longer text. */
#define MAX_TEXT	(64u << 20)

/* The whole file, to be freed; NULL, with errno or 0 for one that is too long. */
static char *read_text(const char *path)
{
	char *text = malloc(MAX_TEXT);
	FILE *file = fopen(path, "r");
	size_t len = 0;
	bool is_whole;

	if (text && file)
		len = fread(text, 1, MAX_TEXT, file);
	is_whole = text && file && !ferror(file) && len < MAX_TEXT;
	if (is_whole)
		text[len] = 0;
	else
		free(text);
	if (file)
		fclose(file);
	return is_whole ? text : NULL;
}

/* The limit of this machine with 4 levels of page tables; the kernel's own is what counts when a block is loaded. */
#define USER_LIMIT	0x7ffffffff000ull

struct verify_options {
	const char *path;
	u32 level, pid;
};

static int read_verify_options(struct tool *tool, int argc, char **argv, struct verify_options *ret)
{
	int i;

	*ret = (struct verify_options){ .level = 1 };
	for (i = 0; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "level")) {
			if (strlen(value) != 1 || *value < '0' || *value > '2')
				return tool_usage(tool, "level takes 0, 1 or 2");
			ret->level = *value - '0';
			i++;
		} else if (!strcmp(argv[i], "pid")) {
			if (tool_number(value, &ret->pid))
				return tool_usage(tool, "pid takes a process id");
			i++;
		} else if (ret->path) {
			return tool_usage(tool, "one file at a time");
		} else {
			ret->path = argv[i];
		}
	}
	return ret->path ? TOOL_OK : tool_usage(tool, "which file?");
}

static int lift_verify(struct tool *tool, int argc, char **argv)
{
	struct verify_options options;
	struct ub_parse_error where;
	struct places *places;
	struct ub_block *block;
	bool is_accepted = false;
	char *text;
	int err, status = read_verify_options(tool, argc, argv, &options);

	if (status)
		return status;
	errno = 0;
	text = read_text(options.path);
	if (!text)
		return tool_fail(tool, "cannot read %s: %s", options.path, errno ? strerror(errno) : "it is too long");
	err = ub_block_parse(text, &block, &where);
	free(text);
	if (err == -ENOMEM)
		return tool_fail(tool, "no memory");
	if (err)
		return tool_fail(tool, "%s: %s", options.path, where.text);
	places = options.pid ? places_open(options.pid) : NULL;
	status = options.pid && !places ? tool_fail(tool, "cannot read the mappings of process %u", options.pid) :
		verdict_out(tool, block, USER_LIMIT, options.level, places, &is_accepted);
	places_close(places);
	ub_block_free(block);
	return status ? status : is_accepted ? TOOL_OK : TOOL_NO;
}

const struct verb lift_verbs[] = {
	{ "report", lift_report, "{PID | FILE}... [insns N] [seconds N] [budget N] [grow]", "how much of what a program runs is lifted" },
	{ "verify", lift_verify, "FILE [pid PID] [level N]", "what the verifier says to a block in text, level 0 to 2" },
	{ "record", lift_record, "PID -o FILE [insns N] [seconds N]", "watch a process, for reports" },
	{ 0 }
};
