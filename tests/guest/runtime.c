// SPDX-License-Identifier: GPL-2.0
/*
 * runtime: what the module costs, in instructions, on a machine whose time stamp counter counts them (run.sh --icount).
 *
 * usage: runtime native	without the module, or with it: what processes pay that it has nothing to do with
 *        runtime attached	with it: what attached ones pay
 * Prints "NAME NUMBER" a line: instructions for each call, switch, fault or request.  Each is the best of many windows,
 * so that the timer's interrupts, which are instructions too, are in none.
 */
#include <sys/ipc.h>
#include <sys/sem.h>

#include "guest.h"

#define CALLS	500u
#define TRIES	60u
#define PAGES	64u
#define SWITCHES	50u

CALL_LOOP(loop)

static int fd = -1;

static inline u64 now(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

static void print(const char *name, double value)
{
	printf("%s %.2f\n", name, value);
	fflush(stdout);
}

static double calls_of(u32 nr)
{
	u64 best = ~0ull, start, end;
	u32 i;

	for (i = 0; i < TRIES; i++) {
		start = now();
		loop(CALLS, nr, 0, 0, 0, 0);
		end = now();
		best = end - start < best ? end - start : best;
	}
	return (double)best / CALLS;
}

static void turn(int set, u32 from, u32 to)
{
	struct sembuf take = { .sem_num = from, .sem_op = -1 }, give = { .sem_num = to, .sem_op = 1 };

	semop(set, &take, 1);
	semop(set, &give, 1);
}

/* Two processes hand each other the turn, by a call that is not hooked: a switch for each turn. */
static double switches(bool is_attached)
{
	int set = semget(IPC_PRIVATE, 2, 0600);
	u64 best = ~0ull, start, end;
	pid_t child;
	int session = 0;
	u32 i, j;

	must(set >= 0, "semget");
	child = fork();
	if (!child)
		for (;;)
			turn(set, 0, 1);
	if (is_attached)
		session = attach(fd, getpid());
	for (i = 0; i < TRIES; i++) {
		start = now();
		for (j = 0; j < SWITCHES; j++) {
			semop(set, &(struct sembuf){ .sem_num = 0, .sem_op = 1 }, 1);
			semop(set, &(struct sembuf){ .sem_num = 1, .sem_op = -1 }, 1);
		}
		end = now();
		best = end - start < best ? end - start : best;
	}
	if (session > 0)
		detach(fd, session);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	semctl(set, 0, IPC_RMID);
	return (double)best / SWITCHES / 2;
}

static double faults(void)
{
	u64 best = ~0ull, start, end;
	volatile char *area;
	u32 i, j;

	for (i = 0; i < TRIES; i++) {
		area = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		start = now();
		for (j = 0; j < PAGES; j++)
			area[j * 4096] = 1;
		end = now();
		best = end - start < best ? end - start : best;
		munmap((void *)area, PAGES * 4096);
	}
	return (double)best / PAGES;
}

/* Entered behind each call, and left at once. */
static struct draft nothing_draft(void)
{
	struct draft draft = {};

	put_entry(&draft, put_mark(&draft, loop_back, loop_dec));
	put(&draft, (struct ub_insn){ .op = UB_OP_ADD, .mode = UB_MODE(UB_W64, 1, 0), .dst = UB_R12, .src = UB_RAX });
	put(&draft, (struct ub_insn){ .op = UB_OP_EXIT, .imm = (long)loop_dec });
	put_code(&draft, loop_back, loop_dec);
	return draft;
}

static void run_native(void)
{
	print("hooked", calls_of(SYS_getppid));
	print("elsewhere", calls_of(SYS_getpriority));
	print("switch", switches(false));
	print("fault", faults());
}

static int must_load(int session, const struct draft *draft)
{
	int block = load(fd, session, draft);

	must(block > 0, load_log);
	return block;
}

static void run_attached(void)
{
	struct draft nothing = nothing_draft(), calls = loop_draft(SYS_getppid);
	u64 best_load = ~0ull, best_unload = ~0ull, start, mid, end;
	int session, block;
	u32 i;

	fd = open_device();
	must(set_mode(fd, NULL, UB_MODE_ON) == 0, "the root's mode");
	print("switch_attached", switches(true));
	session = attach(fd, getpid());
	must(session > 0, "attach");
	print("attached", calls_of(SYS_getppid));
	print("attached_elsewhere", calls_of(SYS_getpriority));
	print("fault_attached", faults());
	block = must_load(session, &nothing);
	print("entered", calls_of(SYS_getppid));
	must(block_info(fd, block).runs > CALLS, "no runs");
	ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = block });
	block = must_load(session, &calls);
	print("dispatched", calls_of(SYS_getppid));
	must(block_info(fd, block).calls > CALLS * TRIES / 2, "no calls in blocks");
	ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = block });
	for (i = 0; i < TRIES / 4; i++) {
		start = now();
		block = must_load(session, &calls);
		mid = now();
		ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = block });
		end = now();
		best_load = mid - start < best_load ? mid - start : best_load;
		best_unload = end - mid < best_unload ? end - mid : best_unload;
	}
	print("load", best_load);
	print("unload", best_unload);
	detach(fd, session);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "native")) {
		run_native();
	} else if (argc == 2 && !strcmp(argv[1], "attached")) {
		run_attached();
	} else {
		fprintf(stderr, "usage: runtime native | attached\n");
		return 2;
	}
	return 0;
}
