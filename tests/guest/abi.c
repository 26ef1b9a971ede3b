// SPDX-License-Identifier: GPL-2.0
/*
 * abi: what /dev/ub says to good and bad requests.
 *
 * usage: abi [TEST]...	as root, with the module loaded
 */
#include "guest.h"
#include "../../verifier/verify.h"

#include <grp.h>

CALL_LOOP(loop)

static int fd;
static u32 session;

static void expect(const char *name, int got, int wanted)
{
	check(got == wanted, name, "%d (%s) instead of %d", got, got < 0 ? strerror(-got) : "", wanted);
}

/* @cmd with the size of its struct as @size. */
static unsigned long sized(unsigned long cmd, u32 size)
{
	return _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), size);
}

static const unsigned long commands[] = {
	UB_IOC_FEATURE, UB_IOC_ATTACH, UB_IOC_DETACH, UB_IOC_SESSION_NEXT, UB_IOC_SESSION_INFO, UB_IOC_LOAD,
	UB_IOC_UNLOAD, UB_IOC_BLOCK_NEXT, UB_IOC_BLOCK_INFO, UB_IOC_BLOCK_DUMP, UB_IOC_BLOCK_EXITS,
	UB_IOC_CGROUP_SET, UB_IOC_CGROUP_GET,
};

static void test_sizes(void)
{
	struct { struct ub_feature feature; char tail[64]; } big = {};
	bool is_ok = true, is_short = true, is_fault = true;
	char *guarded = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u32 i, size;

	munmap(guarded + 4096, 4096);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		size = _IOC_SIZE(commands[i]);
		is_short &= ub(fd, sized(commands[i], size - 1), &big) == -EINVAL;
		is_short &= ub(fd, sized(commands[i], 0), &big) == -EINVAL;
		is_fault &= ub(fd, commands[i], (void *)8) == -EFAULT;
		is_fault &= ub(fd, commands[i], (void *)0xffff800000000000) == -EFAULT;
		is_fault &= ub(fd, commands[i], guarded + 4096 - size + 1) == -EFAULT;
		memset(&big, 0xff, sizeof(big));
		is_ok &= ub(fd, sized(commands[i], sizeof(big)), &big) == -E2BIG;
	}
	check(is_short, "truncated-struct", "accepted");
	check(is_fault, "bad-pointer", "not EFAULT");
	check(is_ok, "newer-struct-with-data", "not E2BIG");
	memset(&big, 0, sizeof(big));
	expect("newer-struct-with-zeros", ub(fd, sized(UB_IOC_FEATURE, sizeof(big)), &big), 0);
	check(big.feature.abi_version == UB_ABI_VERSION, "newer-struct-answer", "version %u", big.feature.abi_version);
	expect("unknown-command", ub(fd, _IOWR('u', 0x7f, struct ub_id), &big), -ENOTTY);
	expect("other-type", ub(fd, _IOWR('v', 0x03, struct ub_id), &big), -ENOTTY);
	expect("other-direction", ub(fd, _IOR('u', 0x03, struct ub_id), &big), -ENOTTY);
	munmap(guarded, 4096);
}

static void test_flags(void)
{
	struct ub_attach arg = { .pid = getpid(), .flags = 1 };
	struct ub_id id = { .id = session, .flags = 1u << 31 };
	struct ub_cgroup cgroup = { .flags = 1 };
	struct draft draft = loop_draft(SYS_getppid);
	struct ub_load load = load_arg(session, &draft);

	expect("attach-flags", ub(fd, UB_IOC_ATTACH, &arg), -EINVAL);
	expect("detach-flags", ub(fd, UB_IOC_DETACH, &id), -EINVAL);
	expect("next-flags", ub(fd, UB_IOC_SESSION_NEXT, &id), -EINVAL);
	expect("unload-flags", ub(fd, UB_IOC_UNLOAD, &id), -EINVAL);
	expect("cgroup-flags", ub(fd, UB_IOC_CGROUP_GET, &cgroup), -EINVAL);
	load.flags = 2;
	expect("load-flags", ub(fd, UB_IOC_LOAD, &load), -EINVAL);
}

static void test_ids(void)
{
	struct ub_session_info info = { .id = 0xffffffff };
	struct ub_block_info block = { .id = 0xffffffff };
	struct ub_id id = { .id = 0xffffffff };
	struct ub_cgroup cgroup = { .fd = -1 };
	struct draft draft = loop_draft(SYS_getppid);

	expect("no-session", ub(fd, UB_IOC_SESSION_INFO, &info), -ESRCH);
	expect("no-block", ub(fd, UB_IOC_BLOCK_INFO, &block), -ENOENT);
	expect("detach-nothing", ub(fd, UB_IOC_DETACH, &id), -ESRCH);
	expect("unload-nothing", ub(fd, UB_IOC_UNLOAD, &id), -ENOENT);
	expect("next-at-end", ub(fd, UB_IOC_SESSION_NEXT, &id), -ENOENT);
	expect("load-nowhere", load(fd, 0, &draft), -ESRCH);
	expect("attach-nobody", attach(fd, 0x3fffffff), -ESRCH);
	expect("attach-negative", attach(fd, -1), -ESRCH);
	expect("attach-zero", attach(fd, 0), -ESRCH);
	expect("attach-kernel-thread", attach(fd, 2), -EOPNOTSUPP);
	expect("attach-twice", attach(fd, getpid()), -EBUSY);
	expect("cgroup-no-fd", ub(fd, UB_IOC_CGROUP_GET, &cgroup), -EBADF);
	cgroup.fd = fd;
	expect("cgroup-other-fd", ub(fd, UB_IOC_CGROUP_GET, &cgroup), -EBADF);
	cgroup.fd = open("/sys/fs/cgroup", O_RDONLY);
	cgroup.mode = UB_MODE_ON + 1;
	expect("cgroup-mode", ub(fd, UB_IOC_CGROUP_SET, &cgroup), -EINVAL);
	close(cgroup.fd);
}

/* One field of a good request made bad. */
static int load_with(size_t off, size_t size, u64 value)
{
	struct draft draft = loop_draft(SYS_getppid);
	struct ub_load arg = load_arg(session, &draft);

	memcpy((char *)&arg + off, &value, size);
	return ub(fd, UB_IOC_LOAD, &arg);
}
#define LOAD_WITH(field, value)	\
	load_with(offsetof(struct ub_load, field), sizeof(((struct ub_load *)0)->field), value)

static void test_load_sizes(void)
{
	struct draft draft = loop_draft(SYS_getppid);

	expect("no-insns", LOAD_WITH(insn_cnt, 0), -E2BIG);
	expect("too-many-insns", LOAD_WITH(insn_cnt, UB_MAX_INSNS + 1), -E2BIG);
	expect("insane-insns", LOAD_WITH(insn_cnt, 0xffffffff), -E2BIG);
	expect("insane-entries", LOAD_WITH(entry_cnt, 0xffffffff), -E2BIG);
	expect("insane-codes", LOAD_WITH(code_cnt, 0xffffffff), -E2BIG);
	expect("insane-log", LOAD_WITH(log_size, 0xffffffff), -E2BIG);
	expect("log-level", LOAD_WITH(log_level, 3), -EINVAL);
	expect("no-code", LOAD_WITH(code_cnt, 0), -EINVAL);
	expect("resident-temporary", LOAD_WITH(resident, 0x1f0cf), -EINVAL);
	expect("resident-lacks-rcx", LOAD_WITH(resident, 0xf0cd), -EACCES);
	expect("load-pad", LOAD_WITH(pad, 1), -EINVAL);
	expect("bad-insns", LOAD_WITH(insns, 8), -EFAULT);
	expect("kernel-insns", LOAD_WITH(insns, 0xffffffff81000000), -EFAULT);
	expect("bad-entries", LOAD_WITH(entries, 8), -EFAULT);
	expect("bad-code", LOAD_WITH(code, 8), -EFAULT);
	expect("bad-log", LOAD_WITH(log_buf, 8), -EFAULT);
	expect("replace-nothing", LOAD_WITH(replace_id, 0x7fffffff), -ENOENT);
	draft.codes[0].bytes = 8;
	expect("bad-bytes", load(fd, session, &draft), -EFAULT);
	draft.codes[0].bytes = draft.codes[0].start;
	draft.codes[0].len = 0xffffffff;
	expect("insane-code", load(fd, session, &draft), -E2BIG);
	draft.codes[0].start = 0xffffffff81000000;
	expect("kernel-code", load(fd, session, &draft), -EINVAL);
}

/* The loop's code as two stretches, the second from @shift bytes behind its call on. */
static struct draft cut_draft(long shift)
{
	struct draft draft = loop_draft(SYS_getppid);
	u64 start = draft.insns[0].imm + shift, end = draft.codes[0].start + draft.codes[0].len;

	draft.codes[0].len = draft.insns[0].imm - draft.codes[0].start;
	draft.codes[draft.code_cnt++] = (struct ub_code){ .start = start, .bytes = start, .len = end - start };
	return draft;
}

static void test_stretches(void)
{
	struct draft draft = cut_draft(0);
	struct ub_code first = draft.codes[0];
	int id = load(fd, session, &draft);

	check(id > 0, "code-in-two", "%s", strerror(-id));
	if (id > 0)
		ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = id });
	draft.codes[0] = draft.codes[1];
	draft.codes[1] = first;
	expect("code-out-of-order", load(fd, session, &draft), -EINVAL);
	draft = cut_draft(-1);
	expect("code-twice", load(fd, session, &draft), -EINVAL);
	draft = cut_draft(1);
	expect("code-with-a-gap", load(fd, session, &draft), -EINVAL);
}

static u64 refusal_of(const struct draft *draft)
{
	struct ub_load arg = load_arg(session, draft);
	int err = ub(fd, UB_IOC_LOAD, &arg);

	if (err != -EACCES && err != -E2BIG)
		return 1000 - err;
	return arg.refusal;
}

static void refused(const char *name, const struct draft *draft, enum ub_refusal wanted)
{
	u64 got = refusal_of(draft);

	load_log[strcspn(load_log, "\n")] = 0;
	check(got == wanted, name, "refusal %llu instead of %u: %s", (unsigned long long)got, wanted, load_log);
}

/* A getppid loop with one thing wrong. */
static void test_refusals(void)
{
	struct draft draft;

	draft = loop_draft(SYS_getppid);
	draft.insns[1].op = UB_OP_COUNT;
	refused("unknown-operation", &draft, UB_REFUSE_SHAPE);

	draft = loop_draft(SYS_getppid);
	draft.insns[1].off = 1;
	refused("stray-field", &draft, UB_REFUSE_SHAPE);

	draft = loop_draft(SYS_getppid);
	draft.insns[5].off = 1000;
	refused("jump-outside", &draft, UB_REFUSE_TARGET);

	draft = loop_draft(SYS_getppid);
	draft.insns[6].imm = 0xffffffff81000000;
	refused("exit-to-kernel", &draft, UB_REFUSE_ADDRESS);

	draft = loop_draft(SYS_getppid);
	draft.insns[1] = (struct ub_insn){ .op = UB_OP_LOAD, .mode = UB_W64, .dst = UB_RAX, .src = UB_RDI };
	refused("load-unguarded", &draft, UB_REFUSE_UNGUARDED);

	draft = loop_draft(SYS_getppid);
	draft.insns[1] = (struct ub_insn){ .op = UB_OP_MOV, .mode = UB_W64, .dst = UB_RAX, .src = UB_T0 + 3 };
	refused("read-unwritten", &draft, UB_REFUSE_UNWRITTEN);

	draft = loop_draft(SYS_getppid);
	draft.insns[10] = (struct ub_insn){ .op = UB_OP_MOVI, .mode = UB_W32, .dst = UB_RAX };
	refused("loop-unchecked", &draft, UB_REFUSE_UNCHECKED);

	draft = loop_draft(SYS_getppid);
	draft.insn_cnt--;
	refused("falls-off-the-end", &draft, UB_REFUSE_TARGET);

	draft = loop_draft(SYS_exit_group);
	expect("call-not-allowed", load(fd, session, &draft), -EOPNOTSUPP);
	draft = loop_draft(100000);
	check(load(fd, session, &draft) < 0, "call-unknown", "accepted");

	draft = loop_draft(SYS_getppid);
	draft.codes[0].start += 5;
	draft.codes[0].len -= 5;
	expect("code-not-covered", load(fd, session, &draft), -EINVAL);
}

/* The loop in a file of its own: @protection and @flags say whether its code may be lifted. */
static void try_mapping(const char *name, int protection, int flags, int wanted)
{
	char path[] = "/tmp/abi.XXXXXX";
	int file = mkstemp(path), got;
	struct draft draft = {};
	char *mem;

	must(write(file, (void *)loop, 256) == 256 && !ftruncate(file, 4096), "write");
	if (!(flags & MAP_SHARED)) {
		close(file);
		file = open(path, O_RDONLY);
	}
	mem = mmap(NULL, 4096, protection, flags, file, 0);
	must(mem != MAP_FAILED, "mmap");
	close(file);
	usleep(20000);			/* a change in this very clock tick would not show */
	put_entry(&draft, put_mark(&draft, mem, mem + 1));
	put(&draft, (struct ub_insn){ .op = UB_OP_EXIT, .imm = (long)mem + 1 });
	put_code(&draft, mem, mem + 1);
	got = load(fd, session, &draft);
	expect(name, got > 0 ? 0 : got, wanted);
	if (got > 0)
		ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = got });
	munmap(mem, 4096);
	unlink(path);
}

/* Code that may not be lifted. */
static void test_identity(void)
{
	static char copy[256];
	struct draft draft = loop_draft(SYS_getppid);
	long len = draft.codes[0].len;
	char *mem;

	memcpy(copy, (void *)draft.codes[0].start, len);
	draft.codes[0].bytes = (long)copy;
	copy[3] ^= 1;
	expect("other-bytes", load(fd, session, &draft), -ESTALE);
	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(mem, 0x90, 4096);
	draft = (struct draft){};
	put_entry(&draft, put_mark(&draft, mem, mem + 1));
	put(&draft, (struct ub_insn){ .op = UB_OP_EXIT, .imm = (long)mem + 1 });
	put_code(&draft, mem, mem + 1);
	expect("anonymous-code", load(fd, session, &draft), -ESTALE);
	munmap(mem, 4096);
	expect("unmapped-code", load(fd, session, &draft), -EFAULT);
	draft.codes[0].bytes = (long)copy;
	expect("unmapped-code-with-bytes", load(fd, session, &draft), -ESTALE);
	try_mapping("code-of-a-file", PROT_READ | PROT_EXEC, MAP_PRIVATE, 0);
	try_mapping("data-of-a-file", PROT_READ, MAP_PRIVATE, -ESTALE);
	try_mapping("writable-code", PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, -ESTALE);
	try_mapping("writable-shared-code", PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, -ESTALE);
	try_mapping("shared-code", PROT_READ | PROT_EXEC, MAP_SHARED, -ESTALE);
}

static void test_run(void)
{
	struct draft draft = loop_draft(SYS_getppid);
	struct ub_block_info block;
	struct ub_session_info info;
	struct ub_exit_info exits[16];
	struct ub_block_exits exits_arg = { .buf = (long)exits, .max = 16 };
	struct ub_block_dump dump = { .what = UB_DUMP_IR };
	struct ub_insn ir[64];
	u64 cnt = 100000, sum, calls;
	int id = load(fd, session, &draft), other;

	if (!check(id > 0, "load", "%s %s", strerror(-id), load_log))
		return;
	sum = loop(cnt, SYS_getppid, 0, 0, 0, 0);
	check(sum == cnt * getppid(), "sum", "%llu", (unsigned long long)sum);
	block = block_info(fd, id);
	info = session_info(fd, session);
	check(block.calls >= cnt / 2 && block.calls < cnt, "calls-in-kernel", "%llu calls, %llu runs, native why %u",
	      block.calls, block.runs, info.native_why);
	check(info.calls == block.calls && info.first_run_ns, "session-counts", "%llu calls", info.calls);
	check(info.state == UB_SESSION_LIVE && info.thread_cnt == 1 && info.block_cnt == 1 && info.pid == getpid(),
	      "session-info", "state %u, %u threads, %u blocks, pid %d", info.state, info.thread_cnt, info.block_cnt,
	      info.pid);
	exits_arg.id = id;
	expect("exits", ub(fd, UB_IOC_BLOCK_EXITS, &exits_arg), 0);
	check(exits_arg.cnt > 0 && exits_arg.cnt <= 16, "exits-count", "%u", exits_arg.cnt);
	dump.id = id;
	dump.buf = (long)ir;
	dump.size = sizeof(ir);
	expect("dump-ir", ub(fd, UB_IOC_BLOCK_DUMP, &dump), 0);
	check(dump.len == draft.insn_cnt * sizeof(ir[0]) && !memcmp(ir, draft.insns, dump.len), "dump-ir-same", "no");
	dump.what = UB_DUMP_JIT;
	expect("dump-jit", ub(fd, UB_IOC_BLOCK_DUMP, &dump), 0);
	check(dump.len == block.code_len, "dump-jit-len", "%u", dump.len);
	dump.what = 9;
	expect("dump-what", ub(fd, UB_IOC_BLOCK_DUMP, &dump), -EINVAL);

	/* In place of the first one. */
	struct ub_load arg = load_arg(session, &draft);
	arg.replace_id = id;
	expect("replace", ub(fd, UB_IOC_LOAD, &arg), 0);
	other = arg.block_id;
	check(other > id && !block_info(fd, id).id && block_info(fd, other).id, "replaced", "%d by %d", id, other);
	loop(1000, SYS_getppid, 0, 0, 0, 0);
	check(block_info(fd, other).calls > 500, "replacement-runs", "%llu", block_info(fd, other).calls);
	expect("unload", ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = other }), 0);
	expect("unload-again", ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = other }), -ENOENT);
	calls = session_info(fd, session).calls;
	sum = loop(1000, SYS_getppid, 0, 0, 0, 0);
	check(sum == 1000ull * getppid() && session_info(fd, session).calls == calls, "native-after-unload",
	      "%llu calls", session_info(fd, session).calls - calls);
}

static void set_parameter(const char *name, int value)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/ub/parameters/%s", name);
	file = fopen(path, "w");
	must(file && fprintf(file, "%d\n", value) > 0 && !fclose(file), "cannot set a parameter");
}

static void move_to(const char *cgroup)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	file = fopen(path, "w");
	must(file && fprintf(file, "%d\n", getpid()) > 0 && !fclose(file), "cannot move to a cgroup");
}

/* A block is charged until its memory is free, which is soon after it is unloaded. */
static int load_soon(const struct draft *draft)
{
	int id, tries = 500;

	while ((id = load(fd, session, draft)) == -ENOSPC && tries--)
		usleep(10000);
	return id;
}

static void unload_id(int id)
{
	ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = id });
}

static void test_cgroup_limits(void)
{
	struct draft draft = loop_draft(SYS_getppid);
	int ids[3];
	u64 sum;

	mkdir("/sys/fs/cgroup/abi-limits", 0755);
	mkdir("/sys/fs/cgroup/abi-limits/inner", 0755);
	mkdir("/sys/fs/cgroup/abi-limits/other", 0755);
	move_to("/sys/fs/cgroup/abi-limits/inner");
	set_parameter("max_cgroup_btc_mb", 0);
	expect("cgroup-bytes", load(fd, session, &draft), -ENOSPC);
	sum = loop(1000, SYS_getppid, 0, 0, 0, 0);
	check(sum == 1000ull * getppid(), "cgroup-native", "%llu", sum);
	set_parameter("max_cgroup_btc_mb", 32);
	set_parameter("max_cgroup_blocks", 2);
	ids[0] = load(fd, session, &draft);
	move_to("/sys/fs/cgroup/abi-limits/other");
	ids[1] = load(fd, session, &draft);
	check(ids[0] > 0 && ids[1] > 0, "cgroup-blocks-within", "%d %d", ids[0], ids[1]);
	expect("cgroup-blocks-above", load(fd, session, &draft), -ENOSPC);
	move_to("/sys/fs/cgroup");
	ids[2] = load(fd, session, &draft);
	check(ids[2] > 0, "cgroup-blocks-elsewhere", "%s", strerror(-ids[2]));
	unload_id(ids[2]);
	unload_id(ids[0]);
	move_to("/sys/fs/cgroup/abi-limits/other");
	ids[0] = load_soon(&draft);
	check(ids[0] > 0, "cgroup-blocks-again", "%s", strerror(-ids[0]));
	unload_id(ids[0]);
	unload_id(ids[1]);
	set_parameter("max_cgroup_blocks", 8192);
	move_to("/sys/fs/cgroup");
	set_parameter("max_blocks", 0);
	expect("blocks-in-all", load(fd, session, &draft), -ENOSPC);
	set_parameter("max_blocks", 16384);
	rmdir("/sys/fs/cgroup/abi-limits/inner");
	rmdir("/sys/fs/cgroup/abi-limits/other");
	rmdir("/sys/fs/cgroup/abi-limits");
}

static void test_limits(void)
{
	struct draft draft = loop_draft(SYS_getppid);
	int id, cnt = 0, ids[100];

	while (cnt < 100 && (id = load(fd, session, &draft)) > 0)
		ids[cnt++] = id;
	check(cnt == 64 && id == -ENOSPC, "blocks-per-session", "%d blocks, then %s", cnt, strerror(-id));
	while (cnt)
		ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = ids[--cnt] });
	id = load(fd, session, &draft);
	check(id > 0, "room-again", "%s", strerror(-id));
	ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = id });
}

static void test_rights(void)
{
	bool is_ok = true;
	char buf[512] = {};
	pid_t pid;
	u32 i;
	int status;

	pid = fork();
	if (!pid) {
		setgroups(0, NULL);
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(2);
		for (i = 0; i < ARRAY_SIZE(commands); i++)
			is_ok &= ub(fd, commands[i], buf) == -EPERM;
		is_ok &= open(UB_DEVICE, O_RDWR) < 0;
		_exit(!is_ok);
	}
	waitpid(pid, &status, 0);
	check(!status, "no-capability", "status %d", status);
}

static void test_policy(void)
{
	struct ub_cgroup arg = {};
	pid_t pid;
	int got;

	mkdir("/sys/fs/cgroup/abi", 0755);
	mkdir("/sys/fs/cgroup/abi/inner", 0755);
	expect("mode-off", set_mode(fd, "/sys/fs/cgroup/abi", UB_MODE_OFF), 0);
	arg.fd = open("/sys/fs/cgroup/abi/inner", O_RDONLY);
	expect("mode-get", ub(fd, UB_IOC_CGROUP_GET, &arg), 0);
	check(arg.mode == UB_MODE_INHERIT && arg.effective == UB_MODE_OFF, "mode-inherited", "%u %u", arg.mode,
	      arg.effective);
	pid = fork();
	if (!pid) {
		FILE *procs = fopen("/sys/fs/cgroup/abi/inner/cgroup.procs", "w");

		fprintf(procs, "0\n");
		fclose(procs);
		kill(getpid(), SIGSTOP);
		_exit(0);
	}
	waitpid(pid, NULL, WUNTRACED);
	expect("attach-off", attach(fd, pid), -EACCES);
	expect("mode-inner-on", set_mode(fd, "/sys/fs/cgroup/abi/inner", UB_MODE_ON), 0);
	got = attach(fd, pid);
	check(got > 0, "attach-inner-on", "%s", strerror(-got));
	check(session_info(fd, got).state == UB_SESSION_LIVE, "state-live", "%u", session_info(fd, got).state);
	expect("mode-inner-inherit", set_mode(fd, "/sys/fs/cgroup/abi/inner", UB_MODE_INHERIT), 0);
	check(session_info(fd, got).state == UB_SESSION_PAUSED, "state-paused", "%u", session_info(fd, got).state);
	expect("detach", detach(fd, got), 0);
	expect("detach-again", detach(fd, got), -ESRCH);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(arg.fd);
	rmdir("/sys/fs/cgroup/abi/inner");
	rmdir("/sys/fs/cgroup/abi");
}

/* Any bytes as an argument: no crash, no hang. */
static void test_noise(void)
{
	struct draft draft;
	char buf[512];
	u32 i, k;

	srand(1);
	for (i = 0; i < 20000; i++) {
		for (k = 0; k < sizeof(buf); k++)
			buf[k] = rand() & 1 ? 0 : rand();
		if (commands[i % ARRAY_SIZE(commands)] == UB_IOC_CGROUP_SET)
			continue;
		ub(fd, commands[i % ARRAY_SIZE(commands)], buf);
	}
	for (i = 0; i < 5000; i++) {
		draft = loop_draft(SYS_getppid);
		for (k = 0; k < 3; k++)
			((char *)draft.insns)[rand() % (draft.insn_cnt * sizeof(draft.insns[0]))] = rand();
		int id = ub(fd, UB_IOC_LOAD, &(struct ub_load[1]){ load_arg(session, &draft) });
		(void)id;
	}
	check(true, "noise", "-");
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "sizes", test_sizes }, { "flags", test_flags }, { "ids", test_ids }, { "load-sizes", test_load_sizes },
	{ "stretches", test_stretches },
	{ "refusals", test_refusals }, { "identity", test_identity }, { "run", test_run }, { "limits", test_limits }, { "cgroup-limits", test_cgroup_limits },
	{ "rights", test_rights }, { "policy", test_policy }, { "noise", test_noise },
};

static bool is_wanted(const char *name, char **argv)
{
	if (!argv[1])
		return true;
	while (*++argv)
		if (!strcmp(name, *argv))
			return true;
	return false;
}

int main(int argc UNUSED, char **argv)
{
	u32 i;

	fd = open_device();
	must(set_mode(fd, NULL, UB_MODE_ON) == 0, "cannot set the root's mode");
	session = attach(fd, getpid());
	must((int)session > 0, "cannot attach to myself");
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (is_wanted(tests[i].name, argv))
			tests[i].run();
	expect("last-detach", detach(fd, session), 0);
	return failed_cnt != 0;
}
