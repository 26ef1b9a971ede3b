// SPDX-License-Identifier: GPL-2.0
/* block: the translated code that is loaded, and where it is left. */
#include "tool.h"

static void out_block(struct json_object *blocks, const struct ub_block_info *info,
		      const struct ub_session_info *session)
{
	struct json_object *out = out_object(blocks, NULL);

	out_u64(out, "id", info->id);
	out_u64(out, "session", info->session_id);
	out_u64(out, "pid", session->pid);
	out_str(out, "comm", session->comm);
	out_str(out, "state", ub_block_state_name(info->state));
	out_str(out, "tag", info->tag);
	out_u64(out, "entries", info->entry_cnt);
	out_u64(out, "instructions", info->insn_cnt);
	out_u64(out, "places_to_leave", info->exit_cnt);
	out_u64(out, "code_bytes", info->code_len);
	out_u64(out, "running", info->running);
	out_u64(out, "runs", info->runs);
	out_u64(out, "calls", info->calls);
	out_float(out, "calls_per_run", info->runs ? (double)info->calls / info->runs : 0, 1);
	out_exits(out, info->exits);
	out_u64(out, "ns", info->ns);
	out_u64(out, "loaded_ns", info->loaded_ns);
	out_u64(out, "verify_ns", info->verify_ns);
	out_u64(out, "jit_ns", info->jit_ns);
}

static int block_show(struct tool *tool, int argc, char **argv)
{
	struct json_object *blocks = out_array(tool->out, "blocks");
	struct ub_session_info session;
	struct ub_block_info info;
	u32 only_id = 0, only_pid = 0, id = 0;
	int fd, err, status = TOOL_OK;

	if (argc)
		status = !strcmp(argv[0], "pid") ? tool_key(tool, argc, argv, "pid", &only_pid) :
						   tool_key(tool, argc, argv, "id", &only_id);
	if (status)
		return status;
	fd = tool_device(tool);
	if (fd < 0)
		return TOOL_FAILED;
	while (!(err = ub_block_next(fd, &id))) {
		if ((only_id && id != only_id) || ub_block_info(fd, id, &info))
			continue;
		if (ub_session_info(fd, info.session_id, &session))
			session = (struct ub_session_info) { 0 };
		if (!only_pid || session.pid == (pid_t)only_pid)
			out_block(blocks, &info, &session);
	}
	if (err != -ENOENT)
		return tool_fail(tool, "cannot list the blocks: %s", ub_command_error(UB_IOC_BLOCK_NEXT, err));
	if (only_id && !json_object_array_length(blocks))
		return tool_fail(tool, "no block %u", only_id);
	return TOOL_OK;
}

static int by_count(const void *a, const void *b)
{
	const struct ub_exit_info *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : 0;
}

static int block_exits(struct tool *tool, int argc, char **argv)
{
	struct json_object *out = out_array(tool->out, "exits"), *row;
	struct ub_exit_info *exits;
	u32 id, cnt, i;
	int fd, err, status;

	status = tool_key(tool, argc, argv, "id", &id);
	if (status)
		return status;
	fd = tool_device(tool);
	if (fd < 0)
		return TOOL_FAILED;
	err = ub_block_exits(fd, id, &exits, &cnt);
	if (err)
		return tool_fail(tool, "block %u: %s", id, ub_command_error(UB_IOC_BLOCK_EXITS, err));
	if (cnt)
		qsort(exits, cnt, sizeof(*exits), by_count);
	for (i = 0; i < cnt; i++) {
		row = out_object(out, NULL);
		out_u64(row, "count", exits[i].count);
		out_str(row, "kind", ub_exit_kind_name(exits[i].kind));
		out_hex(row, "ip", exits[i].ip);
		out_u64(row, "instruction", exits[i].insn_idx);
		if (exits[i].kind == UB_EXIT_INDIRECT)
			out_hex(row, "last_target", exits[i].last_target);
		else
			json_object_object_add(row, "last_target", NULL);
		out_str(row, "meaning", ub_exit_kind_text(exits[i].kind));
	}
	free(exits);
	return TOOL_OK;
}

const struct verb block_verbs[] = {
	{ "show", block_show, "[id ID | pid PID]", "list blocks" },
	{ "dump", block_dump, "{x86 | ir | log | jit} id ID", "print one stage: user code, IR, verifier's log, machine code" },
	{ "exits", block_exits, "id ID", "where and why a block was left, most often first" },
	{ 0 }
};
