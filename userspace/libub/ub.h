/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ub: the client side of /dev/ub, of processes and of ubd's control socket, for ubd and ubtool.
 *
 * Never prints.  Functions return 0 or -errno and set ret_* outputs on 0 only, unless said otherwise.
 */
#ifndef UB_H
#define UB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ub/port.h>
#include <ub/uapi.h>

struct json_object;

/* device.c: one function per ioctl of uapi.h, which has the contract.  @fd is from ub_open(). */
int ub_open(void);				/* the descriptor, close-on-exec; -ENOENT without the module */
int ub_feature(int fd, struct ub_feature *ret);
int ub_attach(int fd, pid_t pid, struct ub_attach *ret);
int ub_detach(int fd, u32 session_id);
int ub_session_next(int fd, u32 *id);		/* in and out, begin with 0; -ENOENT at the end */
int ub_session_info(int fd, u32 id, struct ub_session_info *ret);
int ub_load(int fd, struct ub_load *load);	/* out fields are set on failure too */
int ub_unload(int fd, u32 block_id);
int ub_block_next(int fd, u32 *id);		/* as ub_session_next() */
int ub_block_info(int fd, u32 id, struct ub_block_info *ret);
/* The whole dump, malloc()ed; @ret_len in bytes. @ret_address may be NULL. */
int ub_block_dump(int fd, u32 id, enum ub_dump_what what, void **ret, size_t *ret_len, u64 *ret_address);
/* All exits that were taken, malloc()ed (NULL when none). */
int ub_block_exits(int fd, u32 id, struct ub_exit_info **ret, u32 *ret_cnt);
/* @dir_fd: an open cgroup v2 directory. */
int ub_cgroup_set(int fd, int dir_fd, enum ub_mode mode);
int ub_cgroup_get(int fd, int dir_fd, enum ub_mode *ret_own, enum ub_mode *ret_effective);

/* The session of @pid's process (any session id of its), -ENOENT when none. */
int ub_session_find(int fd, pid_t pid, struct ub_session_info *ret);

/* names.c: words for machines and texts for people.  Never NULL; "?" for values that are not known. */
const char *ub_exit_kind_name(u32 kind);	/* "indirect" */
const char *ub_exit_kind_text(u32 kind);	/* "an indirect branch went where the block does not" */
const char *ub_native_why_name(u32 why);	/* "syscall-work" */
const char *ub_native_why_text(u32 why);
const char *ub_refusal_text(u32 refusal);	/* its word is ub_refusal_name() of verifier/verify.h */
const char *ub_session_state_name(u32 state);
const char *ub_block_state_name(u32 state);
const char *ub_mode_name(u32 mode);		/* "inherit", "off", "observe", "on" */
int ub_mode_parse(const char *name, enum ub_mode *ret);
/* What @err (-errno) of @command (UB_IOC_*) means, e.g. "its cgroup's policy is not \"on\"". */
const char *ub_command_error(unsigned int command, int err);
const char *ub_syscall_name(u32 nr);		/* "getppid" */
int ub_syscall_number(const char *name, u32 *ret);
#define UB_SYSCALL_LIMIT	512		/* bits of ub_feature.syscalls */

/* calls.c: those that a module of this version hooks and makes. */
void ub_syscall_expected(__u64 ret[8]);

static inline bool ub_syscall_in(const __u64 set[8], u32 nr)
{
	return nr < UB_SYSCALL_LIMIT && set[nr / 64] >> nr % 64 & 1;
}

/* process.c: facts from /proc. */
struct ub_process {
	pid_t pid;		/* of the process, even when asked for another thread */
	u32 thread_cnt;
	u64 start_ns;		/* CLOCK_BOOTTIME, to the clock tick */
	u64 syscall_cnt;	/* reads + writes, from /proc/PID/io; 0 when not readable */
	bool is_kernel;		/* kernel thread */
	char comm[16];
	char exe[256];		/* "" when not readable */
	char cgroup[256];	/* below /sys/fs/cgroup, "/" first */
};
int ub_process_read(pid_t pid, struct ub_process *ret);		/* -ESRCH */
int ub_process_memory(pid_t pid);				/* descriptor of /proc/PID/mem, read only */
/* Reads @len bytes at @address through such a descriptor: how many could be read, 0 when none. */
size_t ub_process_peek(int mem_fd, u64 address, void *buf, size_t len);
/* Opens a cgroup directory: a path below UB_CGROUP_ROOT ("/", "/a", "a"), or one that begins with it. */
#define UB_CGROUP_ROOT	"/sys/fs/cgroup"
int ub_cgroup_open(const char *path);

/*
 * control.c: ubd's control socket, SOCK_SEQPACKET, mode 0600, root only.  One JSON object per message:
 *   {"verb":"attach","pid":N}  {"verb":"detach","pid":N}  {"verb":"status"}  {"verb":"reload"}
 * answered by {"ok":true,...} or {"ok":false,"error":"text"}.
 */
#define UB_CONTROL_PATH	"/run/ub/ubd.sock"
#define UB_CONTROL_MAX	65536	/* bytes of one message */
/* Makes the directory, removes a socket nobody listens on (-EADDRINUSE when somebody does), listens; the descriptor,
 * non-blocking and close-on-exec. */
int ub_control_listen(const char *path);
int ub_control_accept(int listen_fd);		/* -EACCES for a peer that is not root, -EAGAIN for none */
int ub_control_connect(const char *path);	/* -ENOENT or -ECONNREFUSED: ubd does not run */
int ub_control_send(int fd, struct json_object *message);
/* -EPIPE at the end; -EPROTO for what is not one JSON object.  The caller puts *ret. */
int ub_control_receive(int fd, struct json_object **ret);
/* Connects, sends {"verb":@verb,"pid":@pid} (no pid when 0), waits @timeout_ms for the answer. */
int ub_control_call(const char *path, const char *verb, pid_t pid, int timeout_ms, struct json_object **ret_answer);

#endif
