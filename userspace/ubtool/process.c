// SPDX-License-Identifier: GPL-2.0
/*
 * process: who is attached and how it fares; asks ubd to attach and detach.
 *
 * Attaching is ubd's: an attached process without somebody who lifts its code gains nothing, and an attachment ends
 * when the descriptor that made it is closed.  Detaching works without ubd too.
 */
#include "tool.h"

#define ANSWER_MS	10000

static void out_process(struct json_object *processes, const struct ub_session_info *info)
{
	struct json_object *out = out_object(processes, NULL);
	struct ub_process process = { 0 };
	u64 calls = info->calls + info->native_calls;

	ub_process_read(info->pid, &process);
	out_u64(out, "pid", info->pid);
	out_str(out, "comm", info->comm);
	out_u64(out, "session", info->id);
	out_str(out, "state", ub_session_state_name(info->state));
	out_u64(out, "threads", info->thread_cnt);
	out_u64(out, "blocks", info->block_cnt);
	out_u64(out, "entries", info->entries);
	out_u64(out, "calls", info->calls);
	out_u64(out, "native_calls", info->native_calls);
	out_float(out, "in_kernel_share", calls ? (double)info->calls / calls : 0, 4);
	out_exits(out, info->exits);
	if (info->first_run_ns)
		out_float(out, "boost_ms", (info->first_run_ns - info->start_ns) / 1e6, 1);
	else
		json_object_object_add(out, "boost_ms", NULL);
	out_u64(out, "btc_bytes", info->btc_bytes);
	out_u64(out, "attached_ns", info->attached_ns);
	out_str(out, "cgroup", process.cgroup);
	out_str(out, "native_why", ub_native_why_name(info->native_why));
	if (info->native_why)
		out_str(out, "native_meaning", ub_native_why_text(info->native_why));
}

static int process_show(struct tool *tool, int argc, char **argv)
{
	struct json_object *processes = out_array(tool->out, "processes");
	struct ub_session_info info;
	u32 only_pid = 0, id = 0;
	int fd, err, status;

	if (argc) {
		status = tool_key(tool, argc, argv, "pid", &only_pid);
		if (status)
			return status;
	}
	fd = tool_device(tool);
	if (fd < 0)
		return TOOL_FAILED;
	while (!(err = ub_session_next(fd, &id))) {
		if (!ub_session_info(fd, id, &info) && (!only_pid || info.pid == (pid_t)only_pid))
			out_process(processes, &info);
	}
	if (err != -ENOENT)
		return tool_fail(tool, "cannot list the processes: %s", ub_command_error(UB_IOC_SESSION_NEXT, err));
	if (only_pid && !json_object_array_length(processes))
		return tool_fail(tool, "process %u is not attached", only_pid);
	return TOOL_OK;
}

/* Ends an attachment that somebody else made, straight at the module. */
static int detach_without_ubd(struct tool *tool, const struct ub_process *process)
{
	struct ub_session_info info;
	int fd, err;

	fd = tool_device(tool);
	if (fd < 0)
		return TOOL_FAILED;
	err = ub_session_find(fd, process->pid, &info);
	if (err == -ENOENT)
		return tool_fail(tool, "process %d (%s) is not attached", process->pid, process->comm);
	if (!err)
		err = ub_detach(fd, info.id);
	if (err)
		return tool_fail(tool, "ubd does not run, and the attachment of process %d belongs to another program: %s. "
				 "To stop bypassing at once: ubtool cgroup set %s off", process->pid,
				 ub_command_error(UB_IOC_DETACH, err), process->cgroup[0] ? process->cgroup : "PATH");
	out_u64(tool->out, "pid", process->pid);
	return TOOL_OK;
}

static int fail_without_ubd(struct tool *tool, const char *verb, const struct ub_process *process)
{
	if (!strcmp(verb, "detach"))
		return detach_without_ubd(tool, process);
	return tool_fail(tool, "ubd does not run, and it alone lifts code: start ubd first");
}

static int ask_ubd(struct tool *tool, const char *verb, int argc, char **argv)
{
	struct json_object *answer, *value;
	struct ub_process process;
	u32 pid;
	int err, status = TOOL_OK;

	if (argc != 1 || tool_number(argv[0], &pid))
		return tool_usage(tool, "expected one process id");
	if (ub_process_read(pid, &process))
		return tool_fail(tool, "no process %u", pid);
	err = ub_control_call(UB_CONTROL_PATH, verb, pid, ANSWER_MS, &answer);
	switch (err) {
	case 0:
		break;
	case -ENOENT:
	case -ECONNREFUSED:
		return fail_without_ubd(tool, verb, &process);
	case -EACCES:
	case -EPERM:
		return tool_fail(tool, "cannot talk to ubd: not permitted, it needs root");
	default:
		return tool_fail(tool, "cannot talk to ubd: %s", strerror(-err));
	}
	if (json_object_get_boolean(json_object_object_get(answer, "ok"))) {
		out_u64(tool->out, "pid", process.pid);
		json_object_object_foreach(answer, name, member) {
			if (strcmp(name, "ok") && strcmp(name, "pid"))
				json_object_object_add(tool->out, name, json_object_get(member));
		}
	} else {
		value = json_object_object_get(answer, "error");
		status = tool_fail(tool, "cannot %s process %u (%s): %s", verb, pid, process.comm,
				   value ? json_object_get_string(value) : "ubd does not say why");
	}
	json_object_put(answer);
	return status;
}

static int process_attach(struct tool *tool, int argc, char **argv)
{
	return ask_ubd(tool, "attach", argc, argv);
}

static int process_detach(struct tool *tool, int argc, char **argv)
{
	return ask_ubd(tool, "detach", argc, argv);
}

const struct verb process_verbs[] = {
	{ "show", process_show, "[pid PID]", "list attached processes and what they gain" },
	{ "attach", process_attach, "PID", "have ubd bypass a process" },
	{ "detach", process_detach, "PID", "have ubd leave a process alone" },
	{ 0 }
};
