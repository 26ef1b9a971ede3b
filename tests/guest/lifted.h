/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lifted: workers whose code is lifted as ubd lifts it.
 *
 * The test says behind which system call the block is entered; the worker then runs as often as it takes until the
 * block has grown to where it is left.
 */
#ifndef LIFTED_H
#define LIFTED_H

#include "worker.h"
#include "../../userspace/ubd/grow.h"
#include "../../userspace/ubd/say.h"

#define MAX_GROWTHS	8

struct lifted {
	struct region region;
	u32 session;
	u32 block;			/* 0: none yet */
	int err;			/* of the last lifting or loading */
	char log[1024];
};

/* What ubd's parts say goes nowhere. */
void ubd_say(int priority UNUSED, const char *format UNUSED, ...)
{
}

static inline bool may_dispatch(void *ctx UNUSED, u64 nr)
{
	return nr == SYS_getppid || nr == SYS_pread64 || nr == SYS_read || nr == SYS_write || nr == SYS_sched_yield;
}

static inline int load_lifted(int fd, struct lifted *lifted, const struct ub_lifted *code)
{
	struct ub_code ranges[UB_MAX_CODE_RANGES] = {};
	struct ub_load arg = {
		.session_id = lifted->session, .replace_id = lifted->block, .resident = code->block.resident,
		.insns = (long)code->block.insns, .insn_cnt = code->block.insn_cnt,
		.entries = (long)code->block.entries, .entry_cnt = code->block.entry_cnt,
		.code = (long)ranges, .code_cnt = code->range_cnt,
		.log_buf = (long)lifted->log, .log_size = sizeof(lifted->log), .log_level = 1,
	};
	u32 i;
	int err;

	if (code->range_cnt > UB_MAX_CODE_RANGES)
		return -E2BIG;
	for (i = 0; i < code->range_cnt; i++)
		ranges[i] = (struct ub_code){
			.start = code->ranges[i].start, .len = code->ranges[i].len, .bytes = (long)code->ranges[i].bytes,
		};
	err = ub(fd, UB_IOC_LOAD, &arg);
	if (!err)
		lifted->block = arg.block_id;
	return err;
}

/* Lifts what is known to be hot of process @pid, and loads it. */
static inline void lift(int fd, struct lifted *lifted, pid_t pid)
{
	struct region_env env = { .may_dispatch = may_dispatch, .limit = 0x7ffffffff000ull };
	struct region_lifted region;

	lifted->log[0] = 0;
	lifted->err = region_lift(&lifted->region, pid, &env, &region);
	if (lifted->err)
		return;
	if (region.is_verified) {
		lifted->err = load_lifted(fd, lifted, region.lifted);
	} else {
		lifted->err = -EACCES;
		strcpy(lifted->log, region.log);
	}
	region_lifted_free(&region);
}

/* Learns from where the block was left.  True: there is something to lift. */
static inline bool learn(int fd, struct lifted *lifted)
{
	static struct ub_exit_info exits[1024];
	struct ub_block_exits arg = { .id = lifted->block, .max = ARRAY_SIZE(exits), .buf = (long)exits };

	if (ub(fd, UB_IOC_BLOCK_EXITS, &arg))
		return false;
	return grow_learn(&lifted->region, exits, arg.cnt < arg.max ? arg.cnt : arg.max, 16);
}

/*
 * A worker whose block is entered behind @behind, a call of @nr.  It runs @run(@arg), and again while its block still
 * grows; worker_wait() is for the last time.  Its code must be reached soon: what it does first is done many times.
 */
static inline struct worker lifted_run(int fd, struct lifted *lifted, u64 (*run)(void *), void *arg, size_t size,
				       const void *behind, u32 nr)
{
	struct worker worker;
	u32 i;

	memset(lifted, 0, sizeof(*lifted));
	region_add_entry(&lifted->region, (u64)behind, nr);
	for (i = 0; ; i++) {
		worker = worker_new(fd, run, arg, size);
		worker.session = attach(fd, worker.pid);
		must(worker.session > 0, "attach");
		lifted->session = worker.session;
		lifted->block = 0;
		lift(fd, lifted, worker.pid);
		kill(worker.pid, SIGCONT);
		waitpid(worker.pid, &worker.status, WUNTRACED);
		worker.info = session_info(fd, worker.session);
		if (!WIFSTOPPED(worker.status) || lifted->err || i == MAX_GROWTHS || !learn(fd, lifted))
			break;
		kill(worker.pid, SIGKILL);
		waitpid(worker.pid, &worker.status, 0);
		munmap((void *)worker.shared, 4096);
	}
	if (WIFSTOPPED(worker.status)) {
		kill(worker.pid, SIGCONT);
		waitpid(worker.pid, &worker.status, 0);
	}
	worker.result = worker.shared[SHARED_RESULT];
	munmap((void *)worker.shared, 4096);
	return worker;
}

/* NAME-lifted: of its @cnt calls more than 1 / @part were made in the block. */
static inline void check_lifted(const char *name, const struct lifted *lifted, const struct worker *worker, u64 cnt, u32 part)
{
	char full[64];

	snprintf(full, sizeof(full), "%s-lifted", name);
	check(!lifted->err && worker->info.calls > cnt / part, full, "%llu calls of %llu; %s", worker->info.calls,
	      (unsigned long long)cnt, lifted->err ? strerror(-lifted->err) : lifted->log);
}

/* NAME: @run(@arg), which makes @cnt calls of @nr, does the same natively and lifted; and NAME-lifted. */
static inline void compare_lifted(int fd, const char *name, u64 (*run)(void *), void *arg, size_t size, const void *behind,
				  u32 nr, u64 cnt, u32 part)
{
	struct lifted lifted;
	struct worker native = worker_run(fd, run, arg, size, NULL), worker;

	worker = lifted_run(fd, &lifted, run, arg, size, behind, nr);
	check(native.status == worker.status && native.result == worker.result, name,
	      "status 0x%x, result 0x%llx instead of 0x%x, 0x%llx", worker.status, (long long)worker.result, native.status,
	      (long long)native.result);
	check_lifted(name, &lifted, &worker, cnt, part);
}

#endif
