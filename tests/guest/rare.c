// SPDX-License-Identifier: GPL-2.0
/*
 * rare: instructions that compilers rarely emit do in lifted code, in the kernel, what they do natively.
 *
 * Each test runs its loop natively and lifted, and compares.
 *
 * usage: rare [TEST]...	as root, with the module loaded
 */
#include "guest.h"
#include "lifted.h"

#include <sys/time.h>
#include <time.h>

#define AREA	(64u * 1024)		/* elements of a string: several looks of the block at its work */

static int fd;
static u8 area[2 * AREA] __attribute__((aligned(64)));

struct arg {
	u64 cnt;
	u64 len;			/* of the strings */
	u32 tick_us;			/* signals, 0: none */
};

/*
 * rare_loop(cnt, len, area): all flags by pushfq and lahf, the carry alone, products and quotients of 8 and 16 bits, enter,
 * loop, and repeated comparisons, over one call each.  What they give is added up.
 */
asm(".pushsection .text.rare_loop, \"ax\"\n"
    ".p2align 6\n"
    "rare_loop:	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
    "	mov %rdi, %rbx\n	mov %rsi, %r12\n	mov %rdx, %r13\n	xor %r14d, %r14d\n"
    "1:	mov $110, %eax\n"
    "	syscall\n"
    "rare_back:	lea 17(%rax,%rbx), %eax\n"
    "	add $0x7fffff01, %eax\n	pushfq\n	pop %rcx\n	add %rcx, %r14\n"
    "	cmc\n	lahf\n	movzx %ah, %ecx\n	add %rcx, %r14\n"
    "	mov %bl, %ah\n	or $1, %ah\n	sahf\n	setp %cl\n	rol $8, %r14\n	add %rcx, %r14\n"
    "	mov %bx, %ax\n	mov $7, %cl\n	mov $0, %ah\n	div %cl\n	add %rax, %r14\n"
    "	imul %cl\n	add %rax, %r14\n	mul %bx\n	lea (%r14,%rdx,2), %r14\n"
    "	enter $32, $0\n	mov %rbx, -8(%rbp)\n	add -8(%rbp), %r14\n	leave\n"
    "	mov $5, %ecx\n"
    "2:	add %rcx, %r14\n	loop 2b\n"
    "	mov %r12, %rcx\n	mov %r13, %rsi\n	lea 65536(%r13), %rdi\n	repe cmpsb\n"
    "	sbb %rcx, %r14\n	add %rsi, %r14\n"
    "	mov %r12, %rcx\n	mov %r13, %rdi\n	mov $0x5a, %al\n	repne scasb\n	adc %rcx, %r14\n"
    "	mov $100, %ecx\n	mov %r13, %rsi\n	rep lodsw\n	add %rax, %r14\n"
    "	rol $3, %r14\n"
    "	dec %rbx\n	jnz 1b\n"
    "	mov %r14, %rax\n"
    "	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n	ret\n"
    ".popsection\n");
u64 rare_loop(u64 cnt, u64 len, u8 *area);
extern const char rare_back[];

static void on_tick(int signal UNUSED, siginfo_t *info UNUSED, void *context UNUSED)
{
}

static void tick_every(u32 us)
{
	struct itimerval timer = { .it_interval.tv_usec = us, .it_value.tv_usec = us };

	catch_with(SIGALRM, on_tick, SA_RESTART);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static u64 run_rare(void *data)
{
	const struct arg *arg = data;
	u64 sum;

	tick_every(arg->tick_us);
	sum = rare_loop(arg->cnt, arg->len, area);
	tick_every(0);
	return sum;
}

static void compare(const char *name, struct arg arg, u32 part)
{
	compare_lifted(fd, name, run_rare, &arg, sizeof(arg), rare_back, SYS_getppid, arg.cnt, part);
}

static void test_short(void)
{
	compare("short-strings", (struct arg){ .cnt = 100000, .len = 50 }, 2);
}

/* A signal comes while a string is gone through: the instruction goes on where it was. */
static void test_long(void)
{
	compare("long-strings", (struct arg){ .cnt = 2000, .len = AREA, .tick_us = 3000 }, 10);
}

/* --- the time --- */

/* time_loop(cnt): how often the counter went back, or the number of the processor was none. */
asm(".pushsection .text.time_loop, \"ax\"\n"
    ".p2align 6\n"
    "time_loop:	push %rbx\n	push %r12\n	push %r13\n"
    "	mov %rdi, %rbx\n	xor %r12d, %r12d\n	xor %r13d, %r13d\n"
    "1:	mov $110, %eax\n"
    "	syscall\n"
    "time_back:	rdtscp\n	shl $32, %rdx\n	or %rdx, %rax\n"
    "	cmp $64, %ecx\n	cmc\n	adc $0, %r13\n"
    "	cmp %r12, %rax\n	adc $0, %r13\n	mov %rax, %r12\n"
    "	lfence\n	rdtsc\n	shl $32, %rdx\n	or %rdx, %rax\n"
    "	cmp %r12, %rax\n	adc $0, %r13\n	mov %rax, %r12\n"
    "	dec %rbx\n	jnz 1b\n"
    "	mov %r13, %rax\n"
    "	pop %r13\n	pop %r12\n	pop %rbx\n	ret\n"
    ".popsection\n");
u64 time_loop(u64 cnt);
extern const char time_back[];

static u64 run_time(void *data)
{
	return time_loop(*(u64 *)data);
}

static void test_time(void)
{
	struct lifted lifted;
	u64 cnt = 100000;
	struct worker worker = lifted_run(fd, &lifted, run_time, &cnt, sizeof(cnt), time_back, SYS_getppid);

	check(!worker.status && !worker.result, "time-goes-on", "status 0x%x, %lld times not", worker.status,
	      (long long)worker.result);
	check_lifted("time", &lifted, &worker, cnt, 2);
}

/* The call is made by hand, so that it is known where it comes back to. */
static inline void call_getppid(void)
{
	asm volatile("mov $110, %%eax\n"
		     "syscall\n"
		     "clock_back:" : : : "rax", "rcx", "r11", "memory");
}
extern const char clock_back[];

static u64 run_clock(void *data)
{
	struct timespec time;
	u64 i, now, last = 0, wrong = 0;

	for (i = 0; i < *(u64 *)data; i++) {
		call_getppid();
		clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
		now = time.tv_sec * 1000000000ull + time.tv_nsec;
		wrong += now < last;
		last = now;
	}
	return wrong;
}

/* The vDSO's code is lifted with what calls it.  The coarse clock needs no counter that the guest may not have. */
static void test_clock(void)
{
	struct lifted lifted;
	struct timespec time;
	u64 cnt = 100000;
	struct worker worker;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &time);	/* so that it is bound */
	worker = lifted_run(fd, &lifted, run_clock, &cnt, sizeof(cnt), clock_back, SYS_getppid);
	check(!worker.status && !worker.result, "clock-goes-on", "status 0x%x, %lld times not", worker.status,
	      (long long)worker.result);
	check_lifted("clock", &lifted, &worker, cnt, 2);
	check(worker.info.entries * 10 < worker.info.calls, "clock-stays", "%llu entries for %llu calls",
	      worker.info.entries, worker.info.calls);
}

static const struct test tests[] = {
	{ "short", test_short }, { "long", test_long }, { "time", test_time }, { "clock", test_clock }, {}
};

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < AREA; i++)
		area[i] = area[AREA + i] = i % 80;		/* no 'Z' */
	area[AREA + AREA - 3] ^= 1;
	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	return run_tests(tests, argc, argv);
}
