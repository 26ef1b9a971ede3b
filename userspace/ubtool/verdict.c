// SPDX-License-Identifier: GPL-2.0
/*
 * verdict: what the verifier says to a block, part by part.
 *
 * It is the verifier of the kernel, run here.  Its log is taken apart: states are lines that begin with two blanks and an
 * instruction; then come the reason, and "before", "why" and "try" (verifier/log.c).
 */
#include <stdlib.h>
#include <string.h>

#include "../../verifier/verify.h"
#include "tool.h"
#include "verdict.h"

#define LOG_SIZE	(16u << 20)

/* The text behind @prefix, if the line begins with it. */
static const char *behind(const char *line, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(line, prefix, len) ? NULL : line + len;
}

/* "insn 7 at 0x401004: why" */
static const char *reason_of(const char *line)
{
	const char *colon = behind(line, "insn ") ? strstr(line, ": ") : NULL;

	return colon ? colon + 2 : line;
}

static void out_line(struct json_object *out, const char *line)
{
	const char *text;

	if ((text = behind(line, "  before ")))
		out_str(out, "registers", strstr(text, "): ") ? strstr(text, "): ") + 3 : text);
	else if ((text = behind(line, "  why: ")))
		out_str(out, "cause", text);
	else if ((text = behind(line, "  try: ")))
		out_str(out, "suggestion", text);
	else if (line[0] != ' ')
		out_str(out, "reason", reason_of(line));
}

static void out_refusal(struct json_object *out, const struct ub_block *block, const struct ub_log *log,
			const struct places *places)
{
	char text[160], *copy = strdup(log->buf), *line, *rest;

	out_str(out, "code", ub_refusal_name(log->refusal));
	out_str(out, "title", ub_refusal_text(log->refusal));
	if (log->insn_idx < block->insn_cnt) {
		ub_insn_text(&block->insns[log->insn_idx], log->insn_idx, text, sizeof(text));
		out_u64(out, "insn", log->insn_idx);
		out_str(out, "insn_text", text);
	}
	if (log->user_ip)
		out_hex(out, "ip", log->user_ip);
	if (log->user_ip && places_name(places, log->user_ip, text, sizeof(text)))
		out_str(out, "place", text);
	for (line = copy; line && *line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = 0;
		out_line(out, line);
	}
	free(copy);
}

int verdict_out(struct tool *tool, const struct ub_block *block, u64 limit, u32 level, const struct places *places,
		bool *ret_is_accepted)
{
	struct ub_verify_env env = { .limit = limit };
	struct ub_log log = { .size = LOG_SIZE, .level = level };
	struct ub_verified *verified;
	int err;

	log.buf = malloc(log.size);
	if (!log.buf)
		return tool_fail(tool, "no memory");
	log.buf[0] = 0;
	err = ub_verify(block, &env, &log, &verified);
	if (!err)
		ub_verified_free(verified);
	*ret_is_accepted = !err;
	if (err == -ENOMEM) {
		free(log.buf);
		return tool_fail(tool, "no memory");
	}
	out_str(tool->out, "verdict", err ? "refused" : "accepted");
	if (err)
		out_refusal(tool->out, block, &log, places);
	if (level > 1) {
		out_lines(tool->out, "log", log.buf);
		out_bool(tool->out, "truncated", log.truncated);
	}
	free(log.buf);
	return TOOL_OK;
}
