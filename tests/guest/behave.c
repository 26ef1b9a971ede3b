// SPDX-License-Identifier: GPL-2.0
/*
 * behave: a process does under the bypass what it does without: results, faults, signals, restarts.
 *
 * Each test runs its loop twice, natively and with a block, and compares.
 *
 * usage: behave [TEST]...	as root, with the module loaded
 */
#include "guest.h"
#include "worker.h"

#include <elf.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <ucontext.h>

CALL_LOOP(loop)

static int fd;

/* --- numbers --- */

struct count_arg {
	u64 cnt;
	u64 nr;
	u64 args[4];
};

static u64 count(void *data)
{
	const struct count_arg *arg = data;

	return loop(arg->cnt, arg->nr, arg->args[0], arg->args[1], arg->args[2], arg->args[3]);
}

/* The same count natively and with a block for @block_nr; the sums must agree.  Calls made in the block. */
static u64 compare_counts(const char *name, struct count_arg arg, u32 block_nr)
{
	struct draft draft = loop_draft(block_nr);
	struct worker native = worker_run(fd, count, &arg, sizeof(arg), NULL);
	struct worker worker = worker_run(fd, count, &arg, sizeof(arg), &draft);

	check(native.status == worker.status && native.result == worker.result, name,
	      "status 0x%x, result 0x%llx instead of 0x%x, 0x%llx", worker.status, (long long)worker.result,
	      native.status, (long long)native.result);
	return worker.info.calls;
}

static void test_numbers(void)
{
	u64 calls;

	calls = compare_counts("plain-number", (struct count_arg){ .cnt = 20000, .nr = SYS_getppid }, SYS_getppid);
	check(calls > 10000, "plain-number-bypassed", "%llu calls", (long long)calls);
	/* The kernel takes the low 32 bits of rax only. */
	calls = compare_counts("wide-number", (struct count_arg){ .cnt = 20000, .nr = 1ull << 32 | SYS_getppid }, SYS_getppid);
	check(calls > 10000, "wide-number-bypassed", "%llu calls", (long long)calls);
	calls = compare_counts("top-bit-number", (struct count_arg){ .cnt = 2000, .nr = 1ull << 63 | SYS_getppid }, SYS_getppid);
	calls = compare_counts("x32-number", (struct count_arg){ .cnt = 2000, .nr = 0x40000000 | SYS_getppid }, SYS_getppid);
	check(!calls, "x32-number-native", "%llu calls", (long long)calls);
	calls = compare_counts("other-number", (struct count_arg){ .cnt = 2000, .nr = SYS_getuid }, SYS_getppid);
	check(!calls, "other-number-native", "%llu calls", (long long)calls);
	calls = compare_counts("unknown-number", (struct count_arg){ .cnt = 2000, .nr = 5000 }, SYS_getppid);
	calls = compare_counts("negative-number", (struct count_arg){ .cnt = 2000, .nr = -1ull }, SYS_getppid);
	calls = compare_counts("error-result", (struct count_arg){ .cnt = 20000, .nr = SYS_lseek, .args = { -1ull } }, SYS_lseek);
	check(calls > 10000, "error-result-bypassed", "%llu calls", (long long)calls);
	calls = compare_counts("bad-pointer", (struct count_arg){ .cnt = 20000, .nr = SYS_write, .args = { 1, 8, 1 } }, SYS_write);
	check(calls > 10000, "bad-pointer-bypassed", "%llu calls", (long long)calls);
}

/* --- threads that stay native --- */

struct state_arg {
	struct count_arg count;
	u64 flags;			/* of the user's, set meanwhile */
	bool is_no_tsc;
};

static u64 count_in_state(void *data)
{
	const struct state_arg *arg = data;
	u64 sum;

	if (arg->is_no_tsc)
		prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0);
	asm volatile("pushfq; or %0, (%%rsp); popfq" :: "r"(arg->flags) : "cc", "memory");
	sum = loop(arg->count.cnt, arg->count.nr, 0, 0, 0, 0);
	asm volatile("pushfq; andq $~0x44400, (%%rsp); popfq" ::: "cc", "memory");
	return sum;
}

static void stays_native(const char *name, struct state_arg arg, enum ub_native_why why)
{
	struct draft draft = loop_draft(SYS_getppid);
	struct worker worker;

	arg.count.cnt = 2000;
	arg.count.nr = SYS_getppid;
	worker = worker_run(fd, count_in_state, &arg, sizeof(arg), &draft);
	check(!worker.status && worker.result == arg.count.cnt * getpid() && !worker.info.calls, name,
	      "status 0x%x, %llu calls", worker.status, worker.info.calls);
	check(worker.info.native_why == why, name, "why %u", worker.info.native_why);
}

/* The 32-bit entry, from 64-bit code: getppid is 64 there, and its handler the same one. */
asm(".pushsection .text.old, \"ax\"\n"
    "old:	push %rbx\n	push %r12\n	xor %r12d, %r12d\n	mov %rdi, %rbx\n"
    "old_loop:	mov $64, %eax\n"
    "old_call:	int $0x80\n"
    "old_back:	add %rax, %r12\n"
    "old_dec:	dec %rbx\n	jne old_loop\n"
    "	mov %r12, %rax\n	pop %r12\n	pop %rbx\n	ret\n"
    ".popsection\n");
u64 old(u64 cnt);
extern const char old_back[], old_dec[];

static u64 count_old(void *data)
{
	return old(*(u64 *)data);
}

static void test_native(void)
{
	struct draft draft = {};
	struct worker worker;
	u64 cnt = 2000;

	stays_native("flag-ac", (struct state_arg){ .flags = 1 << 18 }, UB_NATIVE_FLAGS);
	stays_native("flag-df", (struct state_arg){ .flags = 1 << 10 }, UB_NATIVE_FLAGS);
	stays_native("flag-nt", (struct state_arg){ .flags = 1 << 14 }, UB_NATIVE_FLAGS);
	stays_native("no-tsc", (struct state_arg){ .is_no_tsc = true }, UB_NATIVE_THREAD_FLAG);

	put_entry(&draft, put_mark(&draft, old_back, old_dec));
	put(&draft, (struct ub_insn){ .op = UB_OP_ADD, .mode = UB_MODE(UB_W64, 1, 0), .dst = UB_R12, .src = UB_RAX });
	put(&draft, (struct ub_insn){ .op = UB_OP_EXIT, .imm = (long)old_dec });
	put_code(&draft, old_back, old_dec);
	worker = worker_run(fd, count_old, &cnt, sizeof(cnt), &draft);
	check(!worker.status && worker.result == cnt * getpid(), "int-0x80", "status 0x%x, result 0x%llx",
	      worker.status, (long long)worker.result);
	check(!worker.info.entries, "int-0x80-native", "%llu entries", worker.info.entries);
}

/* --- faults --- */

/* What a signal handler saw. */
struct seen {
	s64 signal;
	s64 code;
	u64 addr;
	u64 regs[NGREG];
};

static struct seen *seen;

static void remember(int signal, siginfo_t *info, void *data)
{
	const ucontext_t *context = data;

	seen->signal = signal;
	seen->code = info->si_code;
	seen->addr = (u64)info->si_addr;
	memcpy(seen->regs, context->uc_mcontext.gregs, sizeof(seen->regs));
	worker_publish(seen->regs[REG_RIP]);
	_exit(0);
}

/*
 * reader(count, address, step): getppid, then reads 8 bytes at the address, which moves by step.
 * divider(count, divisor): getppid, then divides by the divisor, which counts down.
 * Neither returns here: the registers that they clear are the caller's.
 */
asm(".pushsection .text.faults, \"ax\"\n"
    "reader:	push %rbx\n	push %r12\n	mov %rdi, %rbx\n	mov %rdx, %r12\n"
    "	xor %r8d, %r8d\n	xor %r9d, %r9d\n	xor %r10d, %r10d\n	xor %r13d, %r13d\n"
    "	xor %r14d, %r14d\n	xor %r15d, %r15d\n	xor %ebp, %ebp\n"
    "reader_loop:	mov $110, %eax\n"
    "reader_call:	syscall\n"
    "reader_back:	add (%rsi), %rax\n"
    "reader_step:	add %r12, %rsi\n"
    "reader_dec:	dec %rbx\n"
    "reader_jne:	jne reader_loop\n"
    "reader_end:	pop %r12\n	pop %rbx\n	ret\n"
    "divider:	push %rbx\n	push %r12\n	mov %rdi, %rbx\n	xor %r12d, %r12d\n"
    "	xor %r8d, %r8d\n	xor %r9d, %r9d\n	xor %r10d, %r10d\n	xor %r13d, %r13d\n"
    "	xor %r14d, %r14d\n	xor %r15d, %r15d\n	xor %ebp, %ebp\n"
    "divider_loop:	mov $110, %eax\n"
    "divider_call:	syscall\n"
    "divider_back:	xor %edx, %edx\n"
    "divider_div:	div %rsi\n"
    "divider_step:	dec %rsi\n"
    "divider_dec:	dec %rbx\n"
    "divider_jne:	jne divider_loop\n"
    "divider_end:	pop %r12\n	pop %rbx\n	ret\n"
    ".popsection\n");
u64 reader(u64 cnt, u64 addr, u64 step);
u64 divider(u64 cnt, u64 divisor);
extern const char reader_loop[], reader_call[], reader_back[], reader_step[], reader_dec[], reader_jne[], reader_end[];
extern const char divider_loop[], divider_call[], divider_back[], divider_div[], divider_step[], divider_dec[],
	divider_jne[], divider_end[];

/* dec rbx; jne loop; end; loop: mov eax, 110; syscall; jmp back */
static void put_tail(struct draft *draft, u32 back, const char *dec, const char *jne, const char *end,
		     const char *loop_ip, const char *call)
{
	put_mark(draft, dec, jne);
	put(draft, (struct ub_insn){ .op = UB_OP_DEC, .mode = UB_MODE(UB_W64, 1, 0), .dst = UB_RBX });
	put_mark(draft, jne, end);
	put_jump(draft, UB_OP_JCC, UB_CC_NE, draft->insn_cnt + 2);
	put(draft, (struct ub_insn){ .op = UB_OP_EXIT, .imm = (long)end });
	put_mark(draft, loop_ip, call);
	put(draft, (struct ub_insn){ .op = UB_OP_MOVI, .mode = UB_W32, .dst = UB_RAX, .imm = SYS_getppid });
	put_mark(draft, call, call + 2);
	put(draft, (struct ub_insn){ .op = UB_OP_SYSCALL, .imm = SYS_getppid });
	put_jump(draft, UB_OP_JMP, 0, back);
	put_code(draft, loop_ip, end);
}

static struct draft reader_draft(void)
{
	struct draft draft = {};
	u32 back = put_mark(&draft, reader_back, reader_step);

	put_entry(&draft, back);
	put(&draft, (struct ub_insn){ .op = UB_OP_GUARD, .dst = UB_GUARDS, .src = UB_RSI,
				      .imm = UB_ADDR_IMM(UB_NOREG, 0) });
	put(&draft, (struct ub_insn){ .op = UB_OP_LOAD, .mode = UB_W64, .dst = UB_T0 + 2, .src = UB_GUARDS });
	put(&draft, (struct ub_insn){ .op = UB_OP_ADD, .mode = UB_MODE(UB_W64, 1, 0), .dst = UB_RAX,
				      .src = UB_T0 + 2 });
	put_mark(&draft, reader_step, reader_dec);
	put(&draft, (struct ub_insn){ .op = UB_OP_ADD, .mode = UB_MODE(UB_W64, 1, 0), .dst = UB_RSI, .src = UB_R12 });
	put_tail(&draft, back, reader_dec, reader_jne, reader_end, reader_loop, reader_call);
	return draft;
}

static struct draft divider_draft(void)
{
	struct draft draft = {};
	u32 back = put_mark(&draft, divider_back, divider_div);

	put_entry(&draft, back);
	put(&draft, (struct ub_insn){ .op = UB_OP_XOR, .mode = UB_MODE(UB_W32, 1, 0), .dst = UB_RDX, .src = UB_RDX });
	put_mark(&draft, divider_div, divider_step);
	put(&draft, (struct ub_insn){ .op = UB_OP_DIVU, .mode = UB_W64, .src = UB_RSI });
	put_mark(&draft, divider_step, divider_dec);
	put(&draft, (struct ub_insn){ .op = UB_OP_DEC, .mode = UB_MODE(UB_W64, 1, 0), .dst = UB_RSI });
	put_tail(&draft, back, divider_dec, divider_jne, divider_end, divider_loop, divider_call);
	return draft;
}

struct fault_arg {
	struct seen *seen;
	u64 (*loop)(u64 cnt, u64 a, u64 b);
	u64 a, b;
	void *hole;			/* a page to be taken away first */
};

static u64 fault(void *data)
{
	const struct fault_arg *arg = data;

	seen = arg->seen;
	if (arg->hole)
		munmap(arg->hole, 4096);
	catch_with(SIGSEGV, remember, 0);
	catch_with(SIGBUS, remember, 0);
	catch_with(SIGFPE, remember, 0);
	return arg->loop(100, arg->a, arg->b);
}

/* The handler must see the very same thing. */
static void compare_faults(const char *name, struct fault_arg arg, const struct draft *draft, int signal)
{
	struct seen *both = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct worker workers[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		arg.seen = &both[i];
		workers[i] = worker_run(fd, fault, &arg, sizeof(arg), i ? draft : NULL);
	}
	for (i = 0; i < NGREG; i++)
		if (both[0].regs[i] != both[1].regs[i])
			break;
	check(both[0].signal == signal && !memcmp(&both[0], &both[1], sizeof(both[0])), name,
	      "signal %lld code %lld at 0x%llx, native %lld %lld 0x%llx; register %u is 0x%llx instead of 0x%llx",
	      (long long)both[1].signal, (long long)both[1].code, (long long)both[1].addr, (long long)both[0].signal,
	      (long long)both[0].code, (long long)both[0].addr, i, (long long)both[1].regs[i % NGREG],
	      (long long)both[0].regs[i % NGREG]);
	check(!workers[1].status && workers[1].info.entries > 0, name, "status 0x%x, %llu entries", workers[1].status,
	      workers[1].info.entries);
	munmap(both, 4096);
}

static void test_faults(void)
{
	struct draft draft = reader_draft(), divide = divider_draft();
	struct fault_arg arg = { .loop = (void *)reader };
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char name[] = "/tmp/behave.XXXXXX";
	int file = mkstemp(name);
	char *mapped;

	memset(pages, 0, 8192);
	arg.a = (u64)pages + 4096 - 80;
	arg.b = 8;
	mprotect(pages + 4096, 4096, PROT_NONE);
	compare_faults("fault-protected", arg, &draft, SIGSEGV);
	arg.hole = pages + 4096;
	compare_faults("fault-unmapped", arg, &draft, SIGSEGV);
	arg.a += 3;
	compare_faults("fault-straddling", arg, &draft, SIGSEGV);
	arg.hole = NULL;
	unlink(name);
	must(!ftruncate(file, 4096), "ftruncate");
	mapped = mmap(NULL, 8192, PROT_READ, MAP_SHARED, file, 0);
	arg.a = (u64)mapped + 4096 - 80;
	compare_faults("fault-bus", arg, &draft, SIGBUS);

	arg.a = 80;
	arg.b = -8;
	compare_faults("fault-null", arg, &draft, SIGSEGV);
	arg.a = (u64)pages;
	arg.b = 0xffff800000000000 - (u64)pages;
	compare_faults("fault-kernel", arg, &draft, SIGSEGV);
	arg.b = 0xffffffff81000000 - (u64)pages;
	compare_faults("fault-kernel-text", arg, &draft, SIGSEGV);
	arg.b = 0x0100000000000000 - (u64)pages;
	compare_faults("fault-not-canonical", arg, &draft, SIGSEGV);
	arg.b = 0x8000000000000000 - (u64)pages;
	compare_faults("fault-sign-bit", arg, &draft, SIGSEGV);
	arg.b = 0x00fffffffffff000 - (u64)pages;
	compare_faults("fault-limit", arg, &draft, SIGSEGV);
	arg.b = -1 - (u64)pages;
	compare_faults("fault-last-byte", arg, &draft, SIGSEGV);

	arg = (struct fault_arg){ .loop = (void *)divider, .a = 50 };
	compare_faults("divide-by-zero", arg, &divide, SIGFPE);
}

/* Pages that are not there yet are no faults that the program sees. */
static u64 read_all(void *data)
{
	const struct fault_arg *arg = data;

	return reader(64, arg->a, 4096);
}

static void test_absent(void)
{
	struct draft draft = reader_draft();
	char *pages = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct fault_arg arg = { .a = (u64)pages };
	struct worker native = worker_run(fd, read_all, &arg, sizeof(arg), NULL);
	struct worker worker = worker_run(fd, read_all, &arg, sizeof(arg), &draft);

	check(native.result == worker.result && !worker.status, "absent-pages", "status 0x%x", worker.status);
	check(worker.info.exits[UB_EXIT_FAULT] > 0, "absent-pages-leave", "no exit by a fault");
}

/* --- signals --- */

static volatile u64 signal_cnt;

static void tick(int signal UNUSED, siginfo_t *info UNUSED, void *data UNUSED)
{
	signal_cnt++;
}

static void start_ticks(u32 us, int flags)
{
	struct itimerval timer = { .it_interval.tv_usec = us, .it_value.tv_usec = us };

	catch_with(SIGALRM, tick, flags);
	must(!setitimer(ITIMER_REAL, &timer, NULL), "setitimer");
}

static u64 count_ticking(void *data)
{
	u64 sum;

	start_ticks(2000, SA_RESTART);
	sum = count(data);
	start_ticks(0, 0);
	return signal_cnt > 5 ? sum : signal_cnt;
}

static void test_timer(void)
{
	struct count_arg arg = { .cnt = 400000, .nr = SYS_getppid };
	struct draft draft = loop_draft(SYS_getppid);
	struct worker worker = worker_run(fd, count_ticking, &arg, sizeof(arg), &draft);

	check(worker.result == arg.cnt * getpid() && !worker.status, "timer-signals", "status 0x%x, result 0x%llx",
	      worker.status, (long long)worker.result);
	check(worker.info.calls > arg.cnt / 2, "timer-signals-bypassed", "%llu calls", worker.info.calls);
}

/*
 * spin(count, rax): getppid, then counts down with that in rax.  With a signal pending at an exit, rax must not be
 * taken for the result of a call that is to be restarted.
 */
asm(".pushsection .text.spin, \"ax\"\n"
    "spin:	push %rbx\n	mov %rdi, %rbx\n	mov $110, %eax\n"
    "spin_call:	syscall\n"
    "spin_back:	mov %rsi, %rax\n"
    "spin_dec:	dec %rbx\n"
    "spin_jne:	jne spin_dec\n"
    "spin_end:	pop %rbx\n	ret\n"
    ".popsection\n");
u64 spin(u64 cnt, u64 ax);
extern const char spin_call[], spin_back[], spin_dec[], spin_jne[], spin_end[];

static struct draft spin_draft(void)
{
	struct draft draft = {};
	u32 dec;

	put_entry(&draft, put_mark(&draft, spin_back, spin_dec));
	put(&draft, (struct ub_insn){ .op = UB_OP_MOV, .mode = UB_W64, .dst = UB_RAX, .src = UB_RSI });
	dec = put_mark(&draft, spin_dec, spin_jne);
	put(&draft, (struct ub_insn){ .op = UB_OP_CHECK });
	put(&draft, (struct ub_insn){ .op = UB_OP_DEC, .mode = UB_MODE(UB_W64, 1, 0), .dst = UB_RBX });
	put_mark(&draft, spin_jne, spin_end);
	put_jump(&draft, UB_OP_JCC, UB_CC_NE, dec);
	put(&draft, (struct ub_insn){ .op = UB_OP_EXIT, .imm = (long)spin_end });
	put_code(&draft, spin_back, spin_end);
	return draft;
}

static u64 bad_ip;

static void look(int signal UNUSED, siginfo_t *info UNUSED, void *data)
{
	const ucontext_t *context = data;
	u64 ip = context->uc_mcontext.gregs[REG_RIP];

	signal_cnt++;
	if (ip == (u64)spin_call || ((long)ip < (long)spin_call || (long)ip >= (long)spin_end))
		bad_ip++;
	if (ip > (u64)spin_back && ip < (u64)spin_end && context->uc_mcontext.gregs[REG_RAX] != -512)
		bad_ip++;
}

static u64 spin_ticking(void *data)
{
	struct itimerval timer = { .it_interval.tv_usec = 2000, .it_value.tv_usec = 2000 };
	u32 i;

	catch_with(SIGALRM, look, SA_RESTART);
	for (i = 0; i < 5; i++) {
		setitimer(ITIMER_REAL, &timer, NULL);
		if (spin(*(u64 *)data, -512) != -512ull)
			return 1;
	}
	/* Outside of the loop the address means nothing. */
	catch_with(SIGALRM, tick, 0);
	return signal_cnt < 5 ? 2 : bad_ip > 10 ? 3 : 0;
}

static void test_restart_value(void)
{
	u64 cnt = 20000000;
	struct draft draft = spin_draft();
	struct worker worker = worker_run(fd, spin_ticking, &cnt, sizeof(cnt), &draft);

	check(!worker.result && !worker.status, "rax-looks-like-restart", "status 0x%x, result %lld", worker.status,
	      (long long)worker.result);
	check(worker.info.exits[UB_EXIT_WORK] > 0, "rax-looks-like-restart-bypassed", "no exit for a signal");
}

/* Reads single bytes off a slow pipe, with signals: each byte must arrive once. */
static u64 read_pipe(void *data)
{
	const struct count_arg *arg = data;
	u64 sum;

	start_ticks(700, SA_RESTART);
	sum = count(data);
	start_ticks(0, 0);
	close(arg->args[0]);
	return sum;
}

static void test_restart(void)
{
	static char byte;
	struct draft draft = loop_draft(SYS_read);
	struct worker worker;
	int pipes[2], status;
	u32 i, cnt = 300;
	pid_t feeder;

	must(!pipe(pipes), "pipe");
	feeder = fork();
	if (!feeder) {
		close(pipes[0]);
		for (i = 0; i < cnt; i++) {
			usleep(i % 3 ? 100 : 2500);
			if (write(pipes[1], "x", 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(pipes[1]);
	worker = worker_run(fd, read_pipe, &(struct count_arg){ .cnt = cnt + 1, .nr = SYS_read, .args = { pipes[0], (u64)&byte, 1 } },
			    sizeof(struct count_arg), &draft);
	waitpid(feeder, &status, 0);
	close(pipes[0]);
	check(worker.result == cnt && !worker.status && !status, "read-restarted", "%lld bytes of %u",
	      (long long)worker.result, cnt);
	check(worker.info.calls > 0, "read-restarted-bypassed", "no calls");
}

/* Without SA_RESTART the read must return EINTR, once per signal at most. */
static u64 read_interrupted(void *data)
{
	const struct count_arg *arg = data;
	u64 sum;

	start_ticks(3000, 0);
	sum = loop(20, SYS_read, arg->args[0], arg->args[1], 1, 0);
	start_ticks(0, 0);
	return sum;
}

static void test_eintr(void)
{
	static char byte;
	struct draft draft = loop_draft(SYS_read);
	struct count_arg arg = {};
	struct worker worker;
	int pipes[2];

	must(!pipe(pipes), "pipe");
	arg.args[0] = pipes[0];
	arg.args[1] = (u64)&byte;
	worker = worker_run(fd, read_interrupted, &arg, sizeof(arg), &draft);
	check(worker.result == -20ull * EINTR && !worker.status, "read-interrupted", "%lld", (long long)worker.result);
	close(pipes[0]);
	close(pipes[1]);
}

/* --- calls that wait: each kind of restart --- */

struct wait_arg {
	struct count_arg count;
	int flags;			/* of the handler; -1: stopped and continued instead */
};

static u64 count_waiting(void *data)
{
	struct wait_arg *arg = data;
	pid_t child = 0;
	u64 sum;

	if (arg->flags >= 0)
		start_ticks(7000, arg->flags);
	else
		child = fork();
	if (arg->flags < 0 && !child) {
		while (!worker_shared[SHARED_DO]) {
			usleep(6000);
			kill(getppid(), SIGSTOP);
			usleep(1000);
			kill(getppid(), SIGCONT);
		}
		_exit(0);
	}
	sum = count(&arg->count);
	worker_shared[SHARED_DO] = 1;	/* it ends by itself: killed between the two it would leave us stopped */
	start_ticks(0, 0);
	worker_shared[SHARED_RESULT] = sum;
	worker_shared[SHARED_CHUNKS] = 1;
	return sum;
}

/* How many of the calls were interrupted, if all others gave @done; -1: some gave something else. */
static int interrupted(u64 sum, u32 cnt, int done)
{
	s64 off = (s64)sum - (s64)cnt * done;

	if (off % (-EINTR - done) || off / (-EINTR - done) > cnt || off / (-EINTR - done) < 0)
		return -1;
	return off / (-EINTR - done);
}

/* A worker that stops itself cannot be told by waitpid() from one that others stop: SHARED_CHUNKS says that it is done. */
static struct worker run_waiting(struct wait_arg *arg, const struct draft *draft)
{
	struct worker worker = worker_start(fd, count_waiting, arg, sizeof(*arg), draft);
	u32 tries;

	for (tries = 0; tries < 4000 && !worker.shared[SHARED_CHUNKS]; tries++) {
		if (worker.session)
			worker.info = session_info(fd, worker.session);
		usleep(5000);
	}
	return worker;
}

static void compare_waits(const char *name, struct wait_arg arg, int done)
{
	struct draft draft = loop_draft(arg.count.nr);
	struct worker native = run_waiting(&arg, NULL), worker = run_waiting(&arg, &draft);
	int cnts[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		struct worker *each = i ? &worker : &native;

		cnts[i] = interrupted(each->shared[SHARED_RESULT], arg.count.cnt, done);
		kill(each->pid, SIGKILL);
		waitpid(each->pid, &each->status, 0);
	}
	check(cnts[0] >= 0 && cnts[1] >= 0 && !cnts[0] == !cnts[1], name, "%d interrupted, natively %d of %llu, sum %lld", cnts[1],
	      cnts[0], (unsigned long long)arg.count.cnt, (long long)worker.shared[SHARED_RESULT]);
	check(worker.info.calls > 5, name, "%llu calls in the block, %llu entries, %llu native, why %u", worker.info.calls, worker.info.entries, worker.info.native_calls, worker.info.native_why);
	munmap((void *)native.shared, 4096);
	munmap((void *)worker.shared, 4096);
}

/*
 * ERESTART_RESTARTBLOCK (poll, nanosleep, futex), EINTR (epoll); ERESTARTSYS is read's, above.  ERESTARTNOHAND is ppoll's, which
 * changes its argument, and ERESTARTNOINTR FUTEX_LOCK_PI's: they are in tests/small/.
 */
static void test_waits(void)
{
	static struct timespec time = { 0, 5000000 };
	static u32 word;
	int epoll = epoll_create1(0);
	const struct { const char *name; struct count_arg arg; int done; } calls[] = {
		{ "poll", { 80, SYS_poll, { 0, 0, 5 } }, 0 },
		{ "clock_nanosleep", { 80, SYS_clock_nanosleep, { CLOCK_MONOTONIC, 0, (u64)&time } }, 0 },
		{ "futex", { 80, SYS_futex, { (u64)&word, 0, 0, (u64)&time } }, -ETIMEDOUT },
		{ "epoll_wait", { 80, SYS_epoll_wait, { epoll, (u64)load_log, 1, 5 } }, 0 },
	};
	static const struct { const char *name; int flags; } modes[] = {
		{ "handled", 0 }, { "restarted", SA_RESTART }, { "stopped", -1 },
	};
	char name[64];
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		for (k = 0; k < ARRAY_SIZE(modes); k++) {
			snprintf(name, sizeof(name), "wait-%s-%s", calls[i].name, modes[k].name);
			compare_waits(name, (struct wait_arg){ .count = calls[i].arg, .flags = modes[k].flags }, calls[i].done);
		}
	close(epoll);
}

/* --- core dumps --- */

struct core {
	u64 regs[27];			/* of NT_PRSTATUS */
	char siginfo[128];
	u32 notes;
};

/* The first thread's registers, and how it ended. */
static struct core read_core(const char *path)
{
	static char file[1 << 20];
	struct core core = {};
	int in = open(path, O_RDONLY);
	ssize_t len = in < 0 ? 0 : read(in, file, sizeof(file));
	const Elf64_Ehdr *header = (void *)file;
	const Elf64_Phdr *part;
	u64 at, end;
	u32 i;

	if (in >= 0)
		close(in);
	for (i = 0; len > (ssize_t)sizeof(*header) && i < header->e_phnum; i++) {
		part = (void *)(file + header->e_phoff + i * sizeof(*part));
		if (part->p_type != PT_NOTE)
			continue;
		end = part->p_offset + part->p_filesz;
		for (at = part->p_offset; at < end && end < sizeof(file); ) {
			const Elf64_Nhdr *note = (void *)(file + at);
			const char *desc = file + at + sizeof(*note) + (note->n_namesz + 3) / 4 * 4;

			if (note->n_type == NT_PRSTATUS)
				memcpy(core.regs, ((const struct elf_prstatus *)desc)->pr_reg, sizeof(core.regs));
			if (note->n_type == NT_SIGINFO)
				memcpy(core.siginfo, desc, sizeof(core.siginfo));
			core.notes++;
			at += sizeof(*note) + (note->n_namesz + 3) / 4 * 4 + (note->n_descsz + 3) / 4 * 4;
		}
	}
	return core;
}

static u64 crash(void *data)
{
	const struct fault_arg *arg = data;

	setrlimit(RLIMIT_CORE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	arg->loop(1000, arg->a, 0);
	raise(SIGSTOP);			/* so that the counters can be read: they go with the process */
	return arg->loop(100, arg->a, arg->b);
}

static void test_core(void)
{
	struct draft draft = reader_draft();
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct fault_arg arg = { .loop = (void *)reader, .a = (u64)pages + 4096 - 80, .b = 8 };
	struct core cores[2];
	struct worker worker;
	char path[64];
	int file;
	u32 i;

	mprotect(pages + 4096, 4096, PROT_NONE);
	file = open("/proc/sys/kernel/core_pattern", O_WRONLY);
	must(write(file, "/tmp/behave-core.%p", 19) == 19, "core_pattern");
	close(file);
	for (i = 0; i < 2; i++) {
		worker = worker_start(fd, crash, &arg, sizeof(arg), i ? &draft : NULL);
		waitpid(worker.pid, &worker.status, WUNTRACED);
		check(!i || session_info(fd, worker.session).calls > 500, "core-bypassed", "no calls");
		kill(worker.pid, SIGCONT);
		waitpid(worker.pid, &worker.status, 0);
		check(WIFSIGNALED(worker.status) && WTERMSIG(worker.status) == SIGSEGV && WCOREDUMP(worker.status), "core-dumped",
		      "status 0x%x", worker.status);
		snprintf(path, sizeof(path), "/tmp/behave-core.%d", worker.pid);
		cores[i] = read_core(path);
		unlink(path);
		munmap((void *)worker.shared, 4096);
	}
	for (i = 0; i < ARRAY_SIZE(cores[0].regs); i++)
		if (cores[0].regs[i] != cores[1].regs[i])
			break;
	check(cores[0].notes > 3 && cores[0].notes == cores[1].notes, "core-notes", "%u, natively %u", cores[1].notes, cores[0].notes);
	check(i == ARRAY_SIZE(cores[0].regs), "core-registers", "register %u is 0x%llx, natively 0x%llx", i,
	      (long long)cores[1].regs[i % 27], (long long)cores[0].regs[i % 27]);
	check(!memcmp(cores[0].siginfo, cores[1].siginfo, 32), "core-siginfo", "another");
	munmap(pages, 8192);
}

/* --- stop, continue, kill --- */

static u64 forever(void *data)
{
	for (;;)
		count(data);
	return 0;
}

static void test_stop(void)
{
	struct count_arg arg = { .cnt = 1000000000, .nr = SYS_getppid };
	struct draft draft = loop_draft(SYS_getppid);
	struct worker worker = worker_start(fd, forever, &arg, sizeof(arg), &draft);
	bool is_ok = true, is_still = true, is_moving = true;
	u64 before;
	int status;
	u32 i;

	for (i = 0; i < 20; i++) {
		kill(worker.pid, SIGSTOP);
		is_ok &= waitpid(worker.pid, &status, WUNTRACED) == worker.pid && WIFSTOPPED(status);
		before = session_info(fd, worker.session).calls;
		usleep(2000);
		is_still &= session_info(fd, worker.session).calls == before;
		kill(worker.pid, SIGCONT);
		usleep(20000);
		session_info(fd, worker.session);
		usleep(10000);
		is_moving &= session_info(fd, worker.session).calls > before;
	}
	check(is_ok, "stop", "not stopped");
	check(is_still, "stopped-is-still", "moves");
	check(is_moving, "continue", "does not move");
	kill(worker.pid, SIGKILL);
	worker_wait(fd, &worker);
	check(WIFSIGNALED(worker.status) && WTERMSIG(worker.status) == SIGKILL, "kill", "status 0x%x", worker.status);
}

static const struct test tests[] = {
	{ "numbers", test_numbers }, { "native", test_native }, { "faults", test_faults }, { "absent", test_absent }, { "timer", test_timer },
	{ "restart-value", test_restart_value }, { "restart", test_restart }, { "eintr", test_eintr },
	{ "waits", test_waits }, { "core", test_core }, { "stop", test_stop }, {}
};

int main(int argc, char **argv)
{
	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	return run_tests(tests, argc, argv);
}
