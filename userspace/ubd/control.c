// SPDX-License-Identifier: GPL-2.0
/* control: attach, detach, status and reload, asked for on the control socket. */
#include "control.h"

#include <json-c/json.h>

#define NS_PER_MS	1000000ull

struct request {
	struct loop *loop;
	u32 pid;			/* 0: none was given */
	struct json_object *answer;
	char why[512];
};

typedef int (*verb_fn)(struct request *request);

static int verb_attach(struct request *request)
{
	struct loop *loop = request->loop;
	struct ub_process process;
	const char *excluded;

	if (ub_process_read(request->pid, &process)) {
		snprintf(request->why, sizeof(request->why), "no process %u", request->pid);
		return -ESRCH;
	}
	excluded = policy_excluded(&loop->config, &process);
	if (excluded) {
		snprintf(request->why, sizeof(request->why), "process %u is never helped: %s", process.pid, excluded);
		return -EACCES;
	}
	if (loop_device(loop) < 0) {
		snprintf(request->why, sizeof(request->why), "no %s: the module is not loaded", UB_DEVICE);
		return -ENODEV;
	}
	if (policy_mode(&loop->config, loop->sessions.device, &process) != UB_MODE_ON) {
		snprintf(request->why, sizeof(request->why), "the policy of its cgroup %s is not \"on\"", process.cgroup);
		return -EACCES;
	}
	if (loop_pin(loop, process.pid)) {
		snprintf(request->why, sizeof(request->why), "too many processes are asked for, allowed: %d", LOOP_MAX_PINS);
		return -ENOSPC;
	}
	json_object_object_add(request->answer, "pid", json_object_new_int64(process.pid));
	json_object_object_add(request->answer, "attached",
			       json_object_new_boolean(session_find(&loop->sessions, process.pid) != NULL));
	return 0;
}

static int verb_detach(struct request *request)
{
	struct loop *loop = request->loop;
	u32 pid = request->pid;
	struct session *session;
	struct ub_process process;

	if (!ub_process_read(pid, &process))
		pid = process.pid;
	loop_unpin(loop, pid);
	session = session_find(&loop->sessions, pid);
	if (!session) {
		snprintf(request->why, sizeof(request->why), "process %u is not attached", pid);
		return -ENOENT;
	}
	session_rest(&loop->sessions, SESSION_PROCESS(session), session_now());
	session_end(&loop->sessions, session, "asked for");
	return 0;
}

static void add_session(struct json_object *list, const struct session *session)
{
	struct json_object *item = json_object_new_object();

	if (!item)
		return;
	json_object_object_add(item, "pid", json_object_new_int64(session->pid));
	json_object_object_add(item, "comm", json_object_new_string(session->comm));
	json_object_object_add(item, "session_id", json_object_new_int64(session->session_id));
	json_object_object_add(item, "block_id", json_object_new_int64(session->block_id));
	json_object_object_add(item, "guest_insns", json_object_new_int64(session->guest_insn_cnt));
	json_object_object_add(item, "entries", json_object_new_int64(session->region.entry_cnt));
	json_object_object_add(item, "regrowths", json_object_new_int64(session->regrowth_cnt));
	json_object_array_add(list, item);
}

static int verb_status(struct request *request)
{
	struct loop *loop = request->loop;
	struct json_object *list = json_object_new_array();
	u64 now = session_now();
	u32 i;

	json_object_object_add(request->answer, "module", json_object_new_boolean(loop_device(loop) >= 0));
	json_object_object_add(request->answer, "sampling_hz", json_object_new_int64(loop->is_burst ? loop->config.search_hz :
									    loop->config.idle_hz));
	json_object_object_add(request->answer, "uptime_ms", json_object_new_int64((now - loop->started_ns) / NS_PER_MS));
	for (i = 0; list && i < SESSION_MAX; i++)
		if (loop->sessions.list[i].pid)
			add_session(list, &loop->sessions.list[i]);
	json_object_object_add(request->answer, "sessions", list);
	return 0;
}

static int verb_reload(struct request *request)
{
	return loop_reload(request->loop, request->why, sizeof(request->why));
}

static const struct {
	const char *name;
	verb_fn fn;
	bool needs_pid;
} verbs[] = {
	{ "attach", verb_attach, true },
	{ "detach", verb_detach, true },
	{ "status", verb_status, false },
	{ "reload", verb_reload, false },
};

static int obey(struct request *request, struct json_object *message)
{
	struct json_object *name = json_object_object_get(message, "verb");
	struct json_object *pid = json_object_object_get(message, "pid");
	const char *verb = name && json_object_is_type(name, json_type_string) ? json_object_get_string(name) : "";
	int64_t number = pid && json_object_is_type(pid, json_type_int) ? json_object_get_int64(pid) : 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verb, verbs[i].name))
			continue;
		if (verbs[i].needs_pid && (number <= 0 || number > INT_MAX)) {
			snprintf(request->why, sizeof(request->why), "%s needs \"pid\", a process id", verb);
			return -EINVAL;
		}
		request->pid = number;
		return verbs[i].fn(request);
	}
	snprintf(request->why, sizeof(request->why),
		 "unknown verb \"%.32s\", allowed: attach, detach, status, reload", verb);
	return -EINVAL;
}

bool control_serve(struct loop *loop, int client_fd)
{
	struct request request = { .loop = loop };
	struct json_object *message = NULL;
	int err;

	err = ub_control_receive(client_fd, &message);
	if (err == -EAGAIN)
		return true;
	if (err && err != -EPROTO)
		return false;
	request.answer = json_object_new_object();
	if (!request.answer) {
		json_object_put(message);
		return false;
	}
	if (err)
		snprintf(request.why, sizeof(request.why), "not a JSON object");
	else
		err = obey(&request, message);
	json_object_object_add(request.answer, "ok", json_object_new_boolean(!err));
	if (err)
		json_object_object_add(request.answer, "error", json_object_new_string(request.why));
	err = ub_control_send(client_fd, request.answer);
	json_object_put(request.answer);
	json_object_put(message);
	return !err;
}
