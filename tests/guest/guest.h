/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest: what the test programs share that run in a guest with the module.
 *
 * They print "ok NAME" or "not ok NAME: why" per test.  Blocks are made by hand here: an assembler for a few
 * operations, enough for loops of system calls.  The loops are in each program's own text.
 */
#ifndef GUEST_H
#define GUEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ub/uapi.h>
#include "../../ir/op.h"

#define UNUSED	__attribute__((unused))

static int failed_cnt;

static inline bool check(bool is_ok, const char *name, const char *why, ...)
{
	va_list args;

	if (is_ok) {
		printf("ok %s\n", name);
	} else {
		printf("not ok %s: ", name);
		va_start(args, why);
		vprintf(why, args);
		va_end(args);
		printf("\n");
		failed_cnt++;
	}
	fflush(stdout);
	return is_ok;
}

static inline void must(bool is_ok, const char *what)
{
	if (is_ok)
		return;
	printf("not ok setup: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* 0, or -errno. */
static inline int ub(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static inline int open_device(void)
{
	int fd = open(UB_DEVICE, O_RDWR | O_CLOEXEC);

	must(fd >= 0, "cannot open " UB_DEVICE);
	return fd;
}

/* The mode of the cgroup at @path, of all by default. */
static inline int set_mode(int fd, const char *path, enum ub_mode mode)
{
	struct ub_cgroup arg = { .mode = mode };
	int err;

	arg.fd = open(path ? path : "/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
	must(arg.fd >= 0, "cannot open the cgroup");
	err = ub(fd, UB_IOC_CGROUP_SET, &arg);
	close(arg.fd);
	return err;
}

/* Session id of @pid, or -errno. */
static inline int attach(int fd, pid_t pid)
{
	struct ub_attach arg = { .pid = pid };
	int err = ub(fd, UB_IOC_ATTACH, &arg);

	return err ? err : (int)arg.session_id;
}

static inline int detach(int fd, u32 id)
{
	return ub(fd, UB_IOC_DETACH, &(struct ub_id){ .id = id });
}

static inline struct ub_session_info session_info(int fd, u32 id)
{
	struct ub_session_info info = { .id = id };

	if (ub(fd, UB_IOC_SESSION_INFO, &info))
		info.id = 0;
	return info;
}

static inline struct ub_block_info block_info(int fd, u32 id)
{
	struct ub_block_info info = { .id = id };

	if (ub(fd, UB_IOC_BLOCK_INFO, &info))
		info.id = 0;
	return info;
}

/* --- blocks --- */

struct draft {
	struct ub_insn insns[64];
	struct ub_entry entries[8];
	struct ub_code codes[4];
	u32 insn_cnt;
	u32 entry_cnt;
	u32 code_cnt;
};

static inline struct ub_insn *put(struct draft *draft, struct ub_insn insn)
{
	draft->insns[draft->insn_cnt] = insn;
	return &draft->insns[draft->insn_cnt++];
}

/* The guest instruction from @start to @end; returns its index. */
static inline u32 put_mark(struct draft *draft, const char *start, const char *end)
{
	put(draft, (struct ub_insn){ .op = UB_OP_INSN, .imm = (long)start, .off = end - start });
	return draft->insn_cnt - 1;
}

static inline void put_entry(struct draft *draft, u32 insn_idx)
{
	draft->entries[draft->entry_cnt++] = (struct ub_entry){
		.ip = draft->insns[insn_idx].imm, .insn_idx = insn_idx,
	};
}

static inline void put_code(struct draft *draft, const char *start, const char *end)
{
	draft->codes[draft->code_cnt++] = (struct ub_code){
		.start = (long)start, .bytes = (long)start, .len = end - start,
	};
}

static inline void put_jump(struct draft *draft, u8 op, u8 cc, u32 to)
{
	put(draft, (struct ub_insn){ .op = op, .mode = UB_MODE(0, 0, cc), .off = (s32)to - (s32)draft->insn_cnt - 1 });
}

static char load_log[65536];

static inline struct ub_load load_arg(u32 session, const struct draft *draft)
{
	return (struct ub_load){
		.session_id = session,
		.insns = (long)draft->insns, .entries = (long)draft->entries, .code = (long)draft->codes,
		.insn_cnt = draft->insn_cnt, .entry_cnt = draft->entry_cnt, .code_cnt = draft->code_cnt,
		.log_buf = (long)load_log, .log_size = sizeof(load_log), .log_level = 1,
	};
}

/* Block id, or -errno. */
static inline int load(int fd, u32 session, const struct draft *draft)
{
	struct ub_load arg = load_arg(session, draft);
	int err = ub(fd, UB_IOC_LOAD, &arg);

	return err ? err : (int)arg.block_id;
}

/*
 * NAME(count): makes system call NR count times, with @rdi, @rsi, @rdx, @r10 as its arguments; returns the sum of the
 * results.  The call's number is in r13 in all its 64 bits.  Its labels: loop, call, back (behind the call), ..., end.
 */
#define CALL_LOOP(name)							\
	asm(".pushsection .text." #name ", \"ax\"\n"			\
	    ".p2align 6\n"						\
	    #name ":	push %rbx\n	push %r12\n	push %r13\n"	\
	    "	xor %r12d, %r12d\n	mov %rdi, %rbx\n	mov %rsi, %r13\n" \
	    "	mov %rdx, %rdi\n	mov %rcx, %rsi\n	mov %r8, %rdx\n	mov %r9, %r10\n" \
	    #name "_loop:	mov %r13, %rax\n"			\
	    #name "_call:	syscall\n"				\
	    #name "_back:	add %rax, %r12\n"			\
	    #name "_dec:	dec %rbx\n"				\
	    #name "_jne:	jne " #name "_loop\n"			\
	    #name "_end:	mov %r12, %rax\n	pop %r13\n	pop %r12\n	pop %rbx\n	ret\n" \
	    ".popsection\n");						\
	u64 name(u64 cnt, u64 nr, u64 rdi, u64 rsi, u64 rdx, u64 r10);	\
	extern const char name##_loop[], name##_call[], name##_back[], name##_dec[], name##_jne[], name##_end[]; \
	static inline struct draft name##_draft(u32 nr)			\
	{								\
		struct draft draft = {};				\
		u32 back, loop;						\
									\
		back = put_mark(&draft, name##_back, name##_dec);	\
		put_entry(&draft, back);				\
		put(&draft, (struct ub_insn){ .op = UB_OP_ADD, .mode = UB_MODE(UB_W64, 1, 0),	\
					      .dst = UB_R12, .src = UB_RAX });			\
		put_mark(&draft, name##_dec, name##_jne);		\
		put(&draft, (struct ub_insn){ .op = UB_OP_DEC, .mode = UB_MODE(UB_W64, 1, 0), .dst = UB_RBX }); \
		put_mark(&draft, name##_jne, name##_end);		\
		loop = draft.insn_cnt + 2;				\
		put_jump(&draft, UB_OP_JCC, UB_CC_NE, loop);		\
		put(&draft, (struct ub_insn){ .op = UB_OP_EXIT, .imm = (long)name##_end });	\
		put_mark(&draft, name##_loop, name##_call);		\
		put(&draft, (struct ub_insn){ .op = UB_OP_MOV, .mode = UB_MODE(UB_W64, 0, 0),	\
					      .dst = UB_RAX, .src = UB_R13 });			\
		put_mark(&draft, name##_call, name##_back);		\
		put(&draft, (struct ub_insn){ .op = UB_OP_SYSCALL, .imm = nr });		\
		put_jump(&draft, UB_OP_JMP, 0, back);			\
		put_code(&draft, name##_loop, name##_end);		\
		return draft;						\
	}

#endif
