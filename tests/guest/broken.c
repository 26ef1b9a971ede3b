// SPDX-License-Identifier: GPL-2.0
/*
 * broken: a block whose machine code is wrong is refused by the checker, and the process runs on natively.
 *
 * usage: broken NAME FAULT	as root, with the module of break.sh loaded; FAULT as its parameter, 0: none
 */
#include "guest.h"
#include "lifted.h"

#define CALLS	20000u

extern const char broken_back[];

/* A pointer that is followed, and a store.  There is one of it, so that it is known where its call comes back to. */
static __attribute__((noinline, noclone)) u64 run_list(void *data)
{
	struct cell {
		struct cell *next;
		u64 value;
	} cells[2] = { { &cells[1], 3 }, { &cells[0], 5 } };
	struct cell *cell = cells;
	u64 i, sum = 0;

	for (i = 0; i < *(u64 *)data; i++) {
		asm volatile("mov $110, %%eax\n"
			     "syscall\n"
			     "broken_back:" : : : "rax", "rcx", "r11", "memory");
		cell = cell->next;
		cell->value += i;
		sum = sum * 3 + cell->value;
	}
	return sum;
}

static void test(int fd, const char *name, bool is_broken)
{
	u64 cnt = CALLS;
	struct lifted lifted;
	struct worker native = worker_run(fd, run_list, &cnt, sizeof(cnt), NULL), worker;
	char full[64];

	worker = lifted_run(fd, &lifted, run_list, &cnt, sizeof(cnt), broken_back, SYS_getppid);
	snprintf(full, sizeof(full), "%s-result", name);
	check(!worker.status && native.result == worker.result, full, "status 0x%x, result 0x%llx instead of 0x%llx",
	      worker.status, (long long)worker.result, (long long)native.result);
	if (!is_broken) {
		check_lifted(name, &lifted, &worker, CALLS, 2);
		return;
	}
	lifted.log[strcspn(lifted.log, "\n")] = 0;
	snprintf(full, sizeof(full), "%s-refused", name);
	check(lifted.err == -EACCES && strstr(lifted.log, "machine code"), full, "%s; %s", strerror(-lifted.err), lifted.log);
	snprintf(full, sizeof(full), "%s-native", name);
	check(!worker.info.calls && !worker.info.entries, full, "%llu entries, %llu calls", worker.info.entries,
	      worker.info.calls);
}

int main(int argc, char **argv)
{
	int fd = open_device();

	must(argc == 3, "usage: broken NAME FAULT");
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	test(fd, argv[1], atoi(argv[2]) != 0);
	return failed_cnt != 0;
}
