// SPDX-License-Identifier: GPL-2.0
/*
 * vectors: the vector registers and MXCSR are the process's own in lifted code, whatever the kernel does with them.
 *
 * Each test runs its loop natively and lifted, beside others that compute with vectors too, and compares.
 *
 * usage: vectors [TEST]...	as root, with the module loaded
 */
#include "guest.h"
#include "lifted.h"

#include <ucontext.h>

#define OTHERS	2u			/* processes beside the one that is looked at */

static int fd;

struct arg {
	u64 cnt;
	u64 nr;
	u64 inner;			/* turns of an inner loop without a call */
	const u8 *memory;
};

/*
 * vec_loop(cnt, nr, inner, memory): ymm0 is kept over each call and changed by its result, by an inner loop over memory,
 * and by arithmetic that raises flags in MXCSR, which rounds down.  All of ymm0 and MXCSR is the result.
 */
asm(".pushsection .text.vec_loop, \"ax\"\n"
    ".p2align 6\n"
    "vec_loop:	push %rbx\n	push %r12\n	push %r13\n	push %r14\n	push %rbp\n"
    "	mov %rdi, %rbx\n	mov %rsi, %r12\n	mov %rdx, %r13\n	mov %rcx, %r14\n"
    "	sub $16, %rsp\n"
    "	movl $0x3f80, (%rsp)\n	ldmxcsr (%rsp)\n"
    "	vmovq %rdi, %xmm0\n	vpbroadcastq %xmm0, %ymm0\n	vpcmpeqd %ymm3, %ymm3, %ymm3\n"
    "1:	mov %r12, %rax\n"
    "	syscall\n"
    "vec_back:	vmovq %rax, %xmm1\n	vpbroadcastq %xmm1, %ymm1\n"
    "	vpsubq %ymm3, %ymm0, %ymm0\n"
    "	vpaddq %ymm1, %ymm0, %ymm0\n	vpermq $0x93, %ymm0, %ymm0\n"
    "	xor %ebp, %ebp\n"
    "	test %r13, %r13\n	jz 3f\n"
    "2:	vmovdqu (%r14,%rbp), %ymm2\n	vpaddb %ymm2, %ymm0, %ymm0\n	vpxor %ymm3, %ymm0, %ymm0\n"
    "	add $32, %rbp\n	and $0xfff, %ebp\n"
    "	dec %r13\n	jnz 2b\n"
    "3:	mov vec_inner(%rip), %r13\n"
    "	cvtsi2sd %ebx, %xmm4\n	cvtsi2sd %eax, %xmm5\n	divsd %xmm4, %xmm5\n"
    "	vmovq %xmm5, %rdx\n	vmovq %rdx, %xmm5\n	vpaddq %ymm5, %ymm0, %ymm0\n"
    "	dec %rbx\n	jnz 1b\n"
    "	vextracti128 $1, %ymm0, %xmm1\n	vpaddq %xmm1, %xmm0, %xmm0\n	vpsrldq $8, %xmm0, %xmm1\n"
    "	vpaddq %xmm1, %xmm0, %xmm0\n	vmovq %xmm0, %rax\n"
    "	stmxcsr (%rsp)\n	mov (%rsp), %edx\n	add %rdx, %rax\n"
    "	movl $0x1f80, (%rsp)\n	ldmxcsr (%rsp)\n	vzeroupper\n"
    "	add $16, %rsp\n"
    "	pop %rbp\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbx\n	ret\n"
    ".popsection\n");
u64 vec_loop(u64 cnt, u64 nr, u64 inner, const u8 *memory);
extern const char vec_back[];
u64 vec_inner;

static u64 compute(void *data)
{
	const struct arg *arg = data;

	vec_inner = arg->inner;
	return vec_loop(arg->cnt, arg->nr, arg->inner, arg->memory);
}

/* --- others, which leave their own contents in the registers --- */

static pid_t others[OTHERS];

static void start_others(void)
{
	u32 i;

	fflush(stdout);
	for (i = 0; i < OTHERS; i++) {
		others[i] = fork();
		if (others[i])
			continue;
		while (getppid() != 1) {
			asm volatile("vpcmpeqb %%ymm0, %%ymm0, %%ymm0\n\tvpcmpeqb %%ymm3, %%ymm3, %%ymm3\n\t"
				     "vpsrlq $3, %%ymm3, %%ymm3\n\tvmovdqa %%ymm3, %%ymm4\n\tvmovdqa %%ymm3, %%ymm5"
				     : : : "xmm0", "xmm3", "xmm4", "xmm5");
			sched_yield();
		}
		_exit(0);
	}
}

static void end_others(void)
{
	u32 i;

	for (i = 0; i < OTHERS; i++) {
		kill(others[i], SIGKILL);
		waitpid(others[i], NULL, 0);
	}
}

/* --- tests --- */

static u8 memory[4096 + 32];

/* The share of the calls that must be made in the block: 1 / @part. */
static void compare(const char *name, struct arg arg, u32 part)
{
	arg.memory = memory;
	compare_lifted(fd, name, compute, &arg, sizeof(arg), vec_back, arg.nr, arg.cnt, part);
}

static void test_calls(void)
{
	compare("over-calls", (struct arg){ .cnt = 200000, .nr = SYS_getppid }, 2);
}

/* Each call gives the processor, and its registers, to somebody else. */
static void test_switches(void)
{
	start_others();
	compare("over-switches", (struct arg){ .cnt = 20000, .nr = SYS_sched_yield }, 20);
	end_others();
}

/* They are open for most of the time, and the timer wants to run. */
static void test_long(void)
{
	start_others();
	compare("for-long", (struct arg){ .cnt = 300, .nr = SYS_getppid, .inner = 20000 }, 20);
	end_others();
}

/* --- faults --- */

#define PAGE	4096u

static u64 handled;

/* Goes on at the readable page. */
static void on_fault(int signal UNUSED, siginfo_t *info UNUSED, void *context)
{
	asm volatile("vpcmpeqb %%ymm0, %%ymm0, %%ymm0\n\tvmovdqa %%ymm0, %%ymm3" : : : "xmm0", "xmm3");
	((ucontext_t *)context)->uc_mcontext.gregs[REG_R14] = (u64)memory;
	handled++;
}

static u64 compute_with_faults(void *data)
{
	struct arg *arg = data;
	char *hole = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 sum = 0;
	u32 i;

	must(hole != MAP_FAILED && !mprotect(hole + PAGE, PAGE, PROT_NONE), "mmap");
	catch_with(SIGSEGV, on_fault, 0);
	vec_inner = arg->inner;
	for (i = 0; i < 20; i++)	/* it straddles the end of the readable page */
		sum = sum * 31 + vec_loop(arg->cnt, arg->nr, arg->inner, (u8 *)hole + PAGE - 16 - 32 * i);
	return sum + handled;
}

static void test_faults(void)
{
	struct arg arg = { .cnt = 500, .nr = SYS_getppid, .inner = 64 };
	struct lifted lifted;
	struct worker native, worker;

	native = worker_run(fd, compute_with_faults, &arg, sizeof(arg), NULL);
	worker = lifted_run(fd, &lifted, compute_with_faults, &arg, sizeof(arg), vec_back, SYS_getppid);
	check(native.status == worker.status && native.result == worker.result, "faults",
	      "status 0x%x, result 0x%llx instead of 0x%x, 0x%llx", worker.status, (long long)worker.result, native.status,
	      (long long)native.result);
	check(worker.info.calls > 1000, "faults-lifted", "%llu calls", worker.info.calls);
}

static const struct test tests[] = {
	{ "calls", test_calls },
	{ "switches", test_switches },
	{ "long", test_long },
	{ "faults", test_faults },
	{ NULL, NULL }
};

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < sizeof(memory); i++)
		memory[i] = i * 37 + i / 256;
	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	return run_tests(tests, argc, argv);
}
