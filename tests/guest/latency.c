// SPDX-License-Identifier: GPL-2.0
/*
 * latency: how long a signal or another thread waits for code that runs in the kernel, whatever this code does.
 *
 * A timer sends a signal at a known time, and a real-time thread wants the processor at known times; how late are they?
 * Under emulation that counts instructions (run.sh --icount), a nanosecond is one instruction.  Each piece of work is a
 * system call and then something long; it runs natively and lifted.
 *
 * usage: latency [NAME]...	as root, with the module loaded
 * Prints a "figure exit_latency_max_us" line beside its tests.
 */
#include "lifted.h"

#include <pthread.h>

#define SIZE	(4u << 20)		/* bytes that the work is on */
#define PIECE	(64u << 10)
#define TIMES	24u			/* signals, and wakings */
#define LIMIT	1000000u		/* instructions: 1 ms */

/* NAME(mem): with rdi and rsi at @mem and rcx = r8 = SIZE and rax = 0, three times. */
#define WORK(name, ...)								\
	asm(".pushsection .text." #name ", \"ax\"\n"				\
	    ".p2align 6\n"							\
	    #name ":	push %rbx\n	push %r12\n	mov $3, %ebx\n	mov %rdi, %r12\n" \
	    #name "_loop:	mov $110, %eax\n	syscall\n"			\
	    #name "_back:	mov %r12, %rdi\n	mov %r12, %rsi\n	mov $4194304, %ecx\n" \
	    "	mov %rcx, %r8\n	xor %eax, %eax\n"				\
	    __VA_ARGS__								\
	    "\n	dec %rbx\n	jne " #name "_loop\n"				\
	    "	pop %r12\n	pop %rbx\n	ret\n	.popsection\n");		\
	void name(char *mem);							\
	extern const char name##_back[];

WORK(copy_bytes, "lea 4194304(%rdi), %rdi\n	rep movsb")
WORK(copy_words, "lea 4194304(%rdi), %rdi\n	shr $3, %rcx\n	rep movsq")
WORK(fill_bytes, "rep stosb")
WORK(load_bytes, "rep lodsb")
WORK(compare_bytes, "repe cmpsb")
WORK(compare_words, "shr $2, %rcx\n	repe cmpsl")
WORK(scan_bytes, "repe scasb")
WORK(scan_not, "mov $1, %eax\n	repne scasb")
WORK(count, "1:	dec %r8\n	jne 1b")
WORK(load_loop, "1:	add (%rdi), %rax\n	add $8, %rdi\n	sub $8, %rcx\n	jne 1b")
WORK(vector_loop, "1:	movdqu (%rdi), %xmm1\n	paddb %xmm1, %xmm2\n	add $16, %rdi\n	sub $16, %rcx\n	jne 1b")
WORK(nested, "shr $12, %rcx\n 2:	mov $1024, %r8d\n 1:	add (%rdi), %rax\n	dec %r8\n	jne 1b\n"
	     "	add $8, %rdi\n	dec %rcx\n	jne 2b")
WORK(straight, "mov $600, %r8d\n 1:	.rept 900\n	add %rdi, %rax\n	xor %rsi, %rax\n	.endr\n	dec %r8\n	jne 1b")
WORK(straight_memory, "mov $300, %r8d\n 1:	.rept 600\n	adc %rax, 64(%rdi)\n	sbb %sil, 3(%rdi,%rcx,1)\n	.endr\n"
     "	dec %r8\n	jne 1b")
WORK(fault, "xor %r8d, %r8d\n 1:	movb $1, (%rdi)\n	add $4096, %rdi\n	sub $4096, %rcx\n	jne 1b")

static const struct work {
	const char *name;
	void (*run)(char *mem);
	const char *back;
	bool is_fresh;			/* its memory must be missing */
} works[] = {
#define ROW(name)	{ #name, name, name##_back, false },
	ROW(copy_bytes) ROW(copy_words) ROW(fill_bytes) ROW(load_bytes) ROW(compare_bytes) ROW(compare_words)
	ROW(scan_bytes) ROW(scan_not) ROW(count) ROW(load_loop) ROW(vector_loop) ROW(nested) ROW(straight)
	ROW(straight_memory)
	{ "fault", fault, fault_back, true },
};

static int fd;
static u64 worst;			/* of all lifted work */
static volatile u32 signal_cnt, wake_cnt;
static u64 signal_worst, wake_worst, due;

static u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static struct timespec at(u64 time)
{
	return (struct timespec){ .tv_sec = time / 1000000000, .tv_nsec = time % 1000000000 };
}

static void on_timer(int signal UNUSED, siginfo_t *info UNUSED, void *data UNUSED)
{
	u64 late = now() - due;

	if (late > signal_worst)
		signal_worst = late;
	signal_cnt++;
}

/* Wakes at times that have nothing to do with those of the timer. */
static void *want_processor(void *arg)
{
	u64 time = now(), late;
	struct timespec when;

	while (wake_cnt < TIMES) {
		time += 7300017;
		when = at(time);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
		late = now() - time;
		if (late > wake_worst)
			wake_worst = late;
		time = now();
		wake_cnt++;
	}
	return arg;
}

/* The worst of the signals' delays, and above it the worst of the wakings'. */
static u64 measure(void *data)
{
	const struct work *work = &works[*(u32 *)data];
	char *mem = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct sched_param param = { .sched_priority = 50 };
	struct itimerspec when = {};
	pthread_attr_t attr;
	pthread_t thread;
	timer_t timer;
	sigset_t set;
	u32 last, off;

	catch_with(SIGUSR2, on_timer, SA_RESTART);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);	/* the thread's */
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	must(!pthread_create(&thread, &attr, want_processor, NULL), "thread");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	while (signal_cnt < TIMES || wake_cnt < TIMES) {
		last = signal_cnt;
		due = now() + 2000000 + rand() % 3000000;
		when.it_value = at(due);
		timer_settime(timer, TIMER_ABSTIME, &when, NULL);
		while (signal_cnt == last) {
			/* Little by little: a signal waits for each of these. */
			for (off = 0; work->is_fresh && off < SIZE; off += PIECE)
				madvise(mem + off, PIECE, MADV_DONTNEED);
			work->run(mem);
		}
	}
	pthread_join(thread, NULL);
	return wake_worst << 32 | signal_worst;
}

static void test(u32 i)
{
	struct worker native, worker;
	char name[64], lifted_name[80];
	struct lifted lifted;
	u32 late, wake;

	native = worker_run(fd, measure, &i, sizeof(i), NULL);
	worker = lifted_run(fd, &lifted, measure, &i, sizeof(i), works[i].back, SYS_getppid);
	snprintf(name, sizeof(name), "latency-%s", works[i].name);
	snprintf(lifted_name, sizeof(lifted_name), "%s-lifted", name);
	late = worker.result;
	wake = worker.result >> 32;
	fprintf(stderr, "%s: signal after %u native, %u lifted; waking after %u native, %u lifted; %llu entries, left for work "
		"%llu times\n", works[i].name, (u32)native.result, late, (u32)(native.result >> 32), wake, worker.info.entries,
		worker.info.exits[UB_EXIT_WORK]);
	check(!lifted.err && worker.info.entries && (works[i].is_fresh || worker.info.exits[UB_EXIT_WORK] >= TIMES / 2),
	      lifted_name, "not lifted: %llu entries, %llu left for work; %s", worker.info.entries,
	      worker.info.exits[UB_EXIT_WORK], lifted.err ? lifted.log : "");
	check(!native.status && !worker.status && late < LIMIT && wake < LIMIT, name,
	      "%u and %u instructions late, status 0x%x", late, wake, worker.status);
	worst = late > worst ? late : worst;
	worst = wake > worst ? wake : worst;
}

int main(int argc, char **argv)
{
	u32 i;
	int k;

	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	for (i = 0; i < ARRAY_SIZE(works); i++) {
		for (k = 1; k < argc && strcmp(argv[k], works[i].name); k++)
			;
		if (argc == 1 || k < argc)
			test(i);
	}
	printf("figure exit_latency_max_us %llu\n", (unsigned long long)(worst + 999) / 1000);
	return failed_cnt != 0;
}
