// SPDX-License-Identifier: GPL-2.0
/*
 * watched: a process that is bypassed is frozen, killed for its memory, sampled, counted by BPF programs, audited, read
 * in /proc, and held by strace, gdb and gcore.
 *
 * usage: watched [TEST]...	as root, with the module loaded; "audit" leaves auditing on for processes that come later
 */
#include "guest.h"
#include "worker.h"

#include <bpf/bpf.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>

#define TRACING	"/sys/kernel/tracing/"
#define CGROUPS	"/sys/fs/cgroup/"
#define CGROUP	CGROUPS "ub-watched/"

CALL_LOOP(write_loop)

static int fd;

static bool put_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);
	bool is_good = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	if (file >= 0)
		close(file);
	return is_good;
}

/* The beginning of the file at @path, as text. */
static const char *get_file(const char *path)
{
	static char text[65536];
	int file = open(path, O_RDONLY);
	ssize_t len = file < 0 ? 0 : read(file, text, sizeof(text) - 1);

	if (file >= 0)
		close(file);
	text[len > 0 ? len : 0] = 0;
	return text;
}

static const char *proc_file(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return get_file(path);
}

static void move_to(const char *cgroup, pid_t pid)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), "%scgroup.procs", cgroup);
	snprintf(text, sizeof(text), "%d", pid);
	must(put_file(path, text), path);
}

/* --- control groups --- */

static bool is_frozen(bool is_wanted)
{
	u32 i;

	for (i = 0; i < 300; i++) {
		if (strstr(get_file(CGROUP "cgroup.events"), is_wanted ? "frozen 1" : "frozen 0"))
			return true;
		usleep(10000);
	}
	return false;
}

static void test_freezer(void)
{
	struct worker worker = steady_start(fd, true);
	u64 chunks, calls;
	u32 i, moved = 0, still_native = 0;

	mkdir(CGROUP, 0755);
	move_to(CGROUP, worker.pid);
	for (i = 0; i < 5; i++) {
		still_native += !calls_in(fd, worker.session, 50);
		put_file(CGROUP "cgroup.freeze", "1");
		if (!check(is_frozen(true), "freezer-freezes", "not in 3 s"))
			break;
		chunks = worker.shared[SHARED_CHUNKS];
		calls = session_info(fd, worker.session).calls;
		usleep(50000);
		moved += worker.shared[SHARED_CHUNKS] != chunks || session_info(fd, worker.session).calls != calls;
		put_file(CGROUP "cgroup.freeze", "0");
		is_frozen(false);
	}
	check(!moved, "frozen-is-still", "%u times not", moved);
	check(!still_native, "thawed-bypassed", "%u times not", still_native);
	move_to(CGROUPS, worker.pid);
	check(steady_end(fd, &worker), "freezer-results", "status 0x%x", worker.status);
	rmdir(CGROUP);
}

/* Writes to a file in memory until there is none. */
static u64 eat(void *data)
{
	static char page[4096];

	return write_loop(1u << 20, SYS_write, *(int *)data, (u64)page, sizeof(page), 0);
}

static void test_oom(void)
{
	struct draft draft = write_loop_draft(SYS_write);
	int file = memfd_create("watched", 0);
	struct worker worker = worker_new(fd, eat, &file, sizeof(file));
	u64 calls = 0;
	u32 i;

	put_file(CGROUPS "cgroup.subtree_control", "+memory");
	mkdir(CGROUP, 0755);
	must(put_file(CGROUP "memory.max", "33554432"), "memory.max");
	put_file(CGROUP "memory.swap.max", "0");
	move_to(CGROUP, worker.pid);
	worker.session = attach(fd, worker.pid);
	worker.block = load(fd, worker.session, &draft);
	must(worker.session > 0 && worker.block > 0, load_log);
	kill(worker.pid, SIGCONT);
	for (i = 0; i < 3000 && waitpid(worker.pid, &worker.status, WNOHANG) != worker.pid; i++) {
		calls = session_info(fd, worker.session).calls ?: calls;
		usleep(10000);
	}
	check(WIFSIGNALED(worker.status) && WTERMSIG(worker.status) == SIGKILL, "oom-kills", "status 0x%x", worker.status);
	check(calls > 0, "oom-bypassed", "no calls seen");
	check(strstr(get_file(CGROUP "memory.events"), "oom_kill 1") != NULL, "oom-counted", "%s", get_file(CGROUP "memory.events"));
	usleep(100000);
	check(!session_info(fd, worker.session).id && !block_info(fd, worker.block).id, "oom-ends-session", "still there");
	munmap((void *)worker.shared, 4096);
	close(file);
	rmdir(CGROUP);
}

/* --- /proc --- */

static void test_proc(void)
{
	struct worker worker = steady_start(fd, false);
	struct draft draft = steady_loop_draft(SYS_getppid);
	char maps[65536], name[32];
	u32 i, bad = 0;
	int threads;

	is_moving(&worker);
	snprintf(maps, sizeof(maps), "%s", proc_file(worker.pid, "maps"));
	worker.session = attach(fd, worker.pid);
	worker.block = load(fd, worker.session, &draft);
	check(calls_in(fd, worker.session, 50) > 0, "proc-bypassed", "no calls");
	check(!strcmp(maps, proc_file(worker.pid, "maps")), "proc-same-maps", "others");
	for (i = 0; i < 20; i++) {
		char state = 0;

		bad += strncmp(proc_file(worker.pid, "syscall"), "running", 7) != 0;
		/* comm; state; the fields up to the number of threads */
		threads = 0;
		sscanf(proc_file(worker.pid, "stat"), "%*d (%31[^)]) %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d",
		       name, &state, &threads);
		bad += state != 'R' || threads != 1 || strcmp(name, "watched");
		proc_file(worker.pid, "stack");
		proc_file(worker.pid, "wchan");
	}
	check(!bad, "proc-running", "%u of 20 times not", bad);
	check(calls_in(fd, worker.session, 50) > 0, "proc-bypassed-after", "no calls");
	check(steady_end(fd, &worker), "proc-results", "status 0x%x", worker.status);
}

/* --- perf and BPF --- */

#define RING_PAGES	64u

/* Of samples that perf takes by the clock, those that lie in the block. */
static u32 samples_in(const struct perf_event_mmap_page *ring, u64 start, u64 len, u32 *ret_all)
{
	const char *data = (const char *)ring + 4096;
	u64 at = 0, end = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE), ip;
	u32 cnt = 0;

	for (*ret_all = 0; at < end && end <= RING_PAGES * 4096; ) {
		const struct perf_event_header *header = (const void *)(data + at);

		if (header->type == PERF_RECORD_SAMPLE) {
			memcpy(&ip, header + 1, sizeof(ip));
			cnt += ip - start < len;
			++*ret_all;
		}
		at += header->size;
	}
	return cnt;
}

/* Where kallsyms says that the block is. */
static u64 block_address(const char *tag)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long long addr, found = 0;
	char line[256], name[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%llx %*c %127s", &addr, name) == 2 && !strcmp(name, tag))
			found = addr;
	if (file)
		fclose(file);
	return found;
}

static void test_samples(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .size = sizeof(attr), .freq = 1,
		.sample_freq = 1000, .sample_type = PERF_SAMPLE_IP,
	};
	struct worker worker = steady_start(fd, true);
	struct ub_block_info info = block_info(fd, worker.block);
	u64 start = block_address(info.tag);
	int event = syscall(SYS_perf_event_open, &attr, worker.pid, -1, -1, 0);
	struct perf_event_mmap_page *ring;
	u32 cnt, all;

	must(event >= 0, "perf_event_open");
	ring = mmap(NULL, (RING_PAGES + 1) * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	must(ring != MAP_FAILED, "perf's ring");
	usleep(1000000);
	ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
	cnt = samples_in(ring, start, info.code_len, &all);
	check(start && cnt > 0 && cnt <= all, "samples-in-the-block", "%u of %u, at 0x%llx", cnt, all, (long long)start);
	check(calls_in(fd, worker.session, 50) > 0, "samples-bypassed", "no calls");
	munmap(ring, (RING_PAGES + 1) * 4096);
	close(event);
	check(steady_end(fd, &worker), "samples-results", "status 0x%x", worker.status);
}

/* A program that counts events of @pid in the map's first value. */
static int counter(enum bpf_prog_type type, int map, pid_t pid)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .imm = 32 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .off = 4, .imm = pid },
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = map },
		{ },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_2, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int program = bpf_prog_load(type, "watched", "GPL", insns, ARRAY_SIZE(insns), NULL);

	must(program >= 0, "a BPF program");
	return program;
}

static u64 counted(int map)
{
	u64 value = 0;
	u32 key = 0;

	bpf_map_lookup_elem(map, &key, &value);
	return value;
}

static int new_map(void)
{
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "watched", 4, 8, 1, NULL);

	must(map >= 0, "a BPF map");
	return map;
}

/* On our tracepoint, as libbpf and bpftrace attach there. */
static void test_bpf_on_ub(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .sample_period = 1 };
	struct worker worker = steady_start(fd, true);
	int map = new_map(), program = counter(BPF_PROG_TYPE_TRACEPOINT, map, worker.pid), event;

	attr.config = strtoul(get_file(TRACING "events/ub/ub_exit/id"), NULL, 10);
	event = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);
	must(event >= 0 && !ioctl(event, PERF_EVENT_IOC_SET_BPF, program) && !ioctl(event, PERF_EVENT_IOC_ENABLE, 0),
	     "a BPF program on ub_exit");
	usleep(200000);
	check(counted(map) > 0, "bpf-on-ub", "%llu exits", (long long)counted(map));
	check(calls_in(fd, worker.session, 50) > 0, "bpf-on-ub-bypassed", "no calls");
	close(event);
	close(program);
	close(map);
	check(steady_end(fd, &worker), "bpf-on-ub-results", "status 0x%x", worker.status);
}

#define FEW	3000u

/* Some calls, as often as it is told to; SHARED_DO says how often is left. */
static u64 some_calls(void *arg UNUSED)
{
	while (!worker_shared[SHARED_STOP]) {
		if (!worker_shared[SHARED_DO]) {
			sched_yield();
			continue;
		}
		if (steady_loop(FEW, SYS_getppid, 0, 0, 0, 0) != FEW * (u64)getppid())
			worker_shared[SHARED_BAD]++;
		worker_shared[SHARED_DO] = 0;
	}
	return 0;
}

static bool make_some(const struct worker *worker)
{
	u32 i;

	worker->shared[SHARED_DO] = 1;
	for (i = 0; i < 2000 && worker->shared[SHARED_DO]; i++)
		usleep(10000);
	return !worker->shared[SHARED_DO];
}

/* On system calls, as bpftrace counts them: it sees each, since the process is native meanwhile. */
static void test_bpf_on_calls(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .sample_period = 1 };
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct worker worker = worker_start(fd, some_calls, "", 1, &draft);
	int map = new_map(), program = counter(BPF_PROG_TYPE_TRACEPOINT, map, worker.pid), event;
	u64 before, after, calls;

	check(make_some(&worker) && session_info(fd, worker.session).calls > FEW / 2, "bpf-on-calls-bypassed", "no calls");
	attr.config = strtoul(get_file(TRACING "events/syscalls/sys_enter_getppid/id"), NULL, 10);
	/* The program runs on all processors, whichever the event is opened for. */
	event = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);
	must(event >= 0 && !ioctl(event, PERF_EVENT_IOC_SET_BPF, program) && !ioctl(event, PERF_EVENT_IOC_ENABLE, 0),
	     "a BPF program on sys_enter_getppid");
	usleep(50000);
	before = counted(map);
	calls = session_info(fd, worker.session).calls;
	check(make_some(&worker), "bpf-on-calls-goes-on", "does not");
	after = counted(map);
	/* The loop's, and the one that it is compared with. */
	check(after - before == FEW + 1, "bpf-sees-each-call", "%llu of %u", (long long)(after - before), FEW + 1);
	check(session_info(fd, worker.session).calls == calls, "bpf-on-calls-native", "calls");
	close(event);
	close(program);
	close(map);
	usleep(50000);
	check(make_some(&worker) && session_info(fd, worker.session).calls > calls, "bpf-on-calls-bypassed-after", "no calls");
	check(steady_end(fd, &worker), "bpf-on-calls-results", "status 0x%x", worker.status);
}

/* --- strace, gdb --- */

/* The command's exit status, 0 to 255. */
static int run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	fflush(stdout);
	return WEXITSTATUS(system(command));
}

static void test_strace(void)
{
	struct worker worker = steady_start(fd, true);
	char line[256], right[64];
	u32 cnt = 0, bad = 0;
	FILE *file;

	if (access("/usr/bin/strace", X_OK)) {
		check(steady_end(fd, &worker), "strace-not-there", "status 0x%x", worker.status);
		return;
	}
	check(calls_in(fd, worker.session, 50) > 0, "strace-bypassed", "no calls");
	run("timeout -s INT 20 strace -o /tmp/watched.strace -p %d 2> /tmp/watched.said", worker.pid);
	snprintf(right, sizeof(right), "getppid() ");
	file = fopen("/tmp/watched.strace", "r");
	while (file && fgets(line, sizeof(line), file)) {
		long ret = 0;

		/* The call in which strace was told to go. */
		if (strstr(line, "<detached"))
			;
		else if (strncmp(line, right, strlen(right)))
			bad += line[0] != ' ' && strncmp(line, "strace:", 7) != 0;
		else if (sscanf(strchr(line, '='), "= %ld", &ret) == 1)
			bad += ret != getpid();
		cnt++;
	}
	if (file)
		fclose(file);
	check(cnt > 100 && !bad, "strace-lines", "%u lines, %u wrong: %s", cnt, bad, get_file("/tmp/watched.said"));
	check(calls_in(fd, worker.session, 50) > 0, "strace-bypassed-after", "no calls");
	check(steady_end(fd, &worker), "strace-results", "status 0x%x", worker.status);
}

static void test_gdb(void)
{
	struct worker worker = steady_start(fd, true);
	unsigned long long ip = 0;
	const char *said;
	struct stat core;
	char path[64];

	if (access("/usr/bin/gdb", X_OK)) {
		check(steady_end(fd, &worker), "gdb-not-there", "status 0x%x", worker.status);
		return;
	}
	check(calls_in(fd, worker.session, 50) > 0, "gdb-bypassed", "no calls");
	snprintf(path, sizeof(path), "/tmp/watched.core.%d", worker.pid);
	run("timeout 200 gdb -nx -batch --readnever -p %d -ex 'printf \"at %%llx\\n\", $rip' -ex 'generate-core-file %s' -ex detach"
	    " > /tmp/watched.gdb 2>&1", worker.pid, path);
	said = strstr(get_file("/tmp/watched.gdb"), "\nat ");
	if (said)
		sscanf(said, "\nat %llx", &ip);
	check(ip >= (u64)steady_loop && ip < (u64)steady_loop_end + 16, "gdb-sees-the-loop", "0x%llx, not 0x%llx: %s", ip,
	      (long long)steady_loop, get_file("/tmp/watched.gdb"));
	check(!stat(path, &core) && core.st_size > 8192, "gdb-saves-a-core", "none");
	unlink(path);
	check(is_moving(&worker), "gdb-goes-on", "does not");
	check(calls_in(fd, worker.session, 50) > 0, "gdb-bypassed-after", "no calls, why %u",
	      session_info(fd, worker.session).native_why);
	check(steady_end(fd, &worker), "gdb-results", "status 0x%x", worker.status);
}

/* --- audit --- */

static int audit_send(int sock, u16 type, const void *data, u32 len)
{
	static u32 seq;
	struct { struct nlmsghdr header; char data[2048]; } out = {
		.header = { .nlmsg_len = NLMSG_LENGTH(len), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = ++seq },
	};

	memcpy(out.data, data, len);
	return send(sock, &out, out.header.nlmsg_len, 0) < 0 ? -errno : 0;
}

static int audit_open(void)
{
	struct audit_status status = { .mask = AUDIT_STATUS_ENABLED | AUDIT_STATUS_PID | AUDIT_STATUS_BACKLOG_LIMIT, .enabled = 1,
				       .pid = getpid(), .backlog_limit = 8192 };
	int sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT), size = 4 << 20;

	must(sock >= 0, "audit's socket");
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	must(!audit_send(sock, AUDIT_SET, &status, sizeof(status)), "audit on");
	return sock;
}

/* Each getppid() of @pid is recorded from now on. */
static void audit_rule(int sock, u16 type, pid_t pid)
{
	struct audit_rule_data rule = {
		.flags = AUDIT_FILTER_EXIT, .action = AUDIT_ALWAYS, .field_count = 2,
		.fields = { AUDIT_ARCH, AUDIT_PID }, .values = { AUDIT_ARCH_X86_64, pid }, .fieldflags = { AUDIT_EQUAL, AUDIT_EQUAL },
	};

	rule.mask[AUDIT_WORD(SYS_getppid)] = AUDIT_BIT(SYS_getppid);
	must(!audit_send(sock, type, &rule, sizeof(rule)), "audit's rule");
}

/* Records of getppid() that came, and have the right result. */
static u32 audit_records(int sock, pid_t pid, u32 *ret_bad)
{
	struct pollfd wait = { .fd = sock, .events = POLLIN };
	char buf[16384], who[32], result[32];
	u32 cnt = 0;

	snprintf(who, sizeof(who), " pid=%d ", pid);
	snprintf(result, sizeof(result), " exit=%d ", getpid());
	*ret_bad = 0;
	while (poll(&wait, 1, 500) > 0) {
		ssize_t len = recv(sock, buf, sizeof(buf) - 1, 0);
		const struct nlmsghdr *header = (void *)buf;

		if (len < (ssize_t)sizeof(*header) || header->nlmsg_type != AUDIT_SYSCALL)
			continue;
		buf[len] = 0;
		if (!strstr(buf + sizeof(*header), " syscall=110 ") || !strstr(buf + sizeof(*header), who))
			continue;
		*ret_bad += !strstr(buf + sizeof(*header), result);
		cnt++;
	}
	return cnt;
}

static void test_audit(void)
{
	struct draft draft = steady_loop_draft(SYS_getppid);
	int sock = audit_open();
	struct worker worker;
	u32 cnt, bad;

	usleep(100000);
	worker = worker_start(fd, some_calls, "", 1, &draft);	/* audited ones are those that come now */
	audit_rule(sock, AUDIT_ADD_RULE, worker.pid);
	usleep(100000);
	check(make_some(&worker), "audit-goes-on", "does not");
	cnt = audit_records(sock, worker.pid, &bad);
	check(cnt == FEW + 1 && !bad, "audit-records", "%u of %u, %u with another result", cnt, FEW + 1, bad);
	check(session_info(fd, worker.session).native_why == UB_NATIVE_SYSCALL_WORK && !session_info(fd, worker.session).calls,
	      "audit-native", "why %u", session_info(fd, worker.session).native_why);
	audit_rule(sock, AUDIT_DEL_RULE, worker.pid);
	audit_send(sock, AUDIT_SET, &(struct audit_status){ .mask = AUDIT_STATUS_ENABLED | AUDIT_STATUS_PID }, sizeof(struct audit_status));
	check(steady_end(fd, &worker), "audit-results", "status 0x%x", worker.status);
	close(sock);
}

static const struct test tests[] = {
	{ "freezer", test_freezer }, { "oom", test_oom }, { "proc", test_proc }, { "samples", test_samples },
	{ "bpf-on-ub", test_bpf_on_ub }, { "bpf-on-calls", test_bpf_on_calls }, { "strace", test_strace }, { "gdb", test_gdb },
	{ "audit", test_audit }, {}
};

int main(int argc, char **argv)
{
	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	return run_tests(tests, argc, argv);
}
