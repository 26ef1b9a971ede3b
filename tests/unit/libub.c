// SPDX-License-Identifier: GPL-2.0
/* libub: names, facts about processes, and the talk over the control socket. */
#include <json-c/json.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libub/ub.h>

static u32 passed, failed;

static void expect(bool holds, const char *what)
{
	if (holds) {
		passed++;
		return;
	}
	failed++;
	printf("FAIL %s\n", what);
}

static void test_names(void)
{
	enum ub_mode mode = UB_MODE_OFF;
	u32 i, nr = 0;

	for (i = 0; i < UB_EXIT_COUNT; i++)
		expect(*ub_exit_kind_name(i) != '?' && *ub_exit_kind_text(i) != '?', "an exit kind has a name");
	for (i = 0; i <= UB_NATIVE_CREDENTIALS; i++)
		expect(*ub_native_why_name(i) != '?' && *ub_native_why_text(i) != '?', "a reason has a name");
	expect(*ub_exit_kind_name(UB_EXIT_COUNT) == '?', "no exit kind");
	expect(!ub_mode_parse("on", &mode) && mode == UB_MODE_ON, "mode on");
	expect(ub_mode_parse("On", &mode) == -EINVAL && mode == UB_MODE_ON, "no mode");
	expect(!strcmp(ub_syscall_name(110), "getppid"), "call 110");
	expect(!ub_syscall_number("pread64", &nr) && nr == 17, "pread64");
	expect(ub_syscall_number("pread", &nr) == -ENOENT && nr == 17, "no call pread");
	expect(*ub_syscall_name(511) == '?' && *ub_syscall_name(1u << 31) == '?', "no such call");
	expect(strstr(ub_command_error(UB_IOC_ATTACH, -EACCES), "policy"), "attach: EACCES is the policy");
	expect(strstr(ub_command_error(UB_IOC_CGROUP_SET, -EPERM), "CAP_BPF"), "EPERM everywhere");
	expect(!strcmp(ub_command_error(UB_IOC_UNLOAD, -EBUSY), strerror(EBUSY)), "any other error");
}

static void test_process(void)
{
	struct ub_process process = { 0 };
	static const char text[] = "in memory";
	char copy[sizeof(text)];
	int fd;

	expect(!ub_process_read(getpid(), &process), "this process");
	expect(process.pid == getpid() && process.thread_cnt == 1 && !process.is_kernel, "id and threads");
	expect(process.start_ns && process.comm[0] && process.exe[0] == '/', "start, name, program");
	expect(ub_process_read(INT_MAX, &process) == -ESRCH && process.pid == getpid(), "no process");
	fd = ub_process_memory(getpid());
	expect(fd >= 0 && ub_process_peek(fd, (uintptr_t)text, copy, sizeof(copy)) == sizeof(copy) &&
	       !memcmp(text, copy, sizeof(text)), "its memory");
	expect(ub_process_peek(fd, 0x10, copy, sizeof(copy)) == 0, "no memory there");
	close(fd);
}

/* Answers one request with its own verb and pid. */
static void serve(int listener)
{
	struct json_object *request, *answer = json_object_new_object();
	int fd;

	do
		fd = ub_control_accept(listener);
	while (fd == -EAGAIN);
	while (ub_control_receive(fd, &request) == -EAGAIN)
		;
	json_object_object_add(answer, "ok", json_object_new_boolean(true));
	json_object_object_add(answer, "request", request);
	ub_control_send(fd, answer);
	json_object_put(answer);
	close(fd);
}

static void test_control(void)
{
	char directory[] = "/tmp/ub-test.XXXXXX", path[64];
	struct json_object *answer = NULL;
	struct stat status;
	int listener;
	pid_t child;

	if (!mkdtemp(directory))
		return expect(false, "a directory");
	snprintf(path, sizeof(path), "%s/run/ubd.sock", directory);
	expect(ub_control_call(path, "status", 0, 1000, &answer) == -ENOENT, "nobody was there");
	listener = ub_control_listen(path);
	expect(listener >= 0 && !stat(path, &status) && (status.st_mode & 0777) == 0600, "a private socket");
	expect(ub_control_listen(path) == -EADDRINUSE, "one server only");
	close(ub_control_accept(listener));		/* the question of the second server */
	expect(ub_control_accept(listener) == -EAGAIN, "nobody asks");
	fflush(stdout);
	child = geteuid() ? -1 : fork();		/* others than root are not heard */
	if (child == 0) {
		serve(listener);
		_exit(0);
	}
	if (child > 0) {
		expect(!ub_control_call(path, "attach", 42, 5000, &answer), "an answer");
		expect(answer && !strcmp(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN),
					 "{\"ok\":true,\"request\":{\"verb\":\"attach\",\"pid\":42}}"), "of these words");
		json_object_put(answer);
		waitpid(child, NULL, 0);
	}
	expect(ub_control_call(path, "status", 0, 50, &answer) == -ETIMEDOUT, "a server that sleeps");
	close(listener);
	expect(ub_control_call(path, "status", 0, 50, &answer) == -ECONNREFUSED, "a server that has ended");
	listener = ub_control_listen(path);
	expect(listener >= 0, "its socket is taken over");
	close(listener);
	unlink(path);
	*strrchr(path, '/') = 0;
	rmdir(path);
	rmdir(directory);
}

int main(void)
{
	test_names();
	test_process();
	test_control();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
