/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * uapi: what /dev/ub understands.
 *
 * One ioctl per command.  Each takes a pointer to the struct of its command; the size of the struct the caller was
 * built with is in the ioctl number (_IOC_SIZE).  A caller may be older (missing fields read as zero) or newer (a
 * longer struct is accepted while the tail that the kernel does not know is zero, else E2BIG), as with bpf(2).
 * Pointers travel as __u64.  Unknown flag bits are EINVAL.
 *
 * Errors of every command: EPERM without CAP_BPF (CAP_SYS_ADMIN counts) in the initial user namespace; EFAULT for a
 * bad pointer; E2BIG; EINVAL; ENOTTY for an unknown command.
 *
 *   open("/dev/ub")                      an owner; closing it detaches what it attached and drops its blocks
 *     UB_IOC_FEATURE                     what this kernel and module can do
 *     UB_IOC_ATTACH        pid -> session id
 *     UB_IOC_DETACH        session id
 *     UB_IOC_SESSION_NEXT  id -> next id        UB_IOC_SESSION_INFO  id -> counters
 *     UB_IOC_LOAD          session, IR, code -> block id, or EACCES and a log
 *     UB_IOC_UNLOAD        block id
 *     UB_IOC_BLOCK_NEXT    id -> next id        UB_IOC_BLOCK_INFO    id -> counters
 *     UB_IOC_BLOCK_DUMP    id -> IR or machine code
 *     UB_IOC_BLOCK_EXITS   id -> where and why it was left
 *     UB_IOC_CGROUP_SET    cgroup fd, policy    UB_IOC_CGROUP_GET    cgroup fd -> policy
 *
 * The *_NEXT commands: id in, the smallest id above it out, ENOENT at the end.  Ids are never used twice.
 */
#ifndef UB_UAPI_H
#define UB_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define UB_DEVICE	"/dev/ub"
#define UB_ABI_VERSION	1

/* UB_IOC_FEATURE, all out. */
struct ub_feature {
	__u32 abi_version;
	__u32 max_insns;
	__u32 max_entries;
	__u32 max_sessions;
	__u64 limit;			/* LIMIT of the verifier: TASK_SIZE_MAX */
	__u64 cpu;			/* UB_CPU_* */
	__u32 hooked_cnt;		/* system calls after which a block can be entered */
	__u32 failed_cnt;		/* of the allow-list, those whose hook failed (another tracer has them) */
	__u64 syscalls[8];		/* bit nr: may be made inside a block */
	__u64 hooked[8];		/* bit nr: a block may be entered behind it */
};
#define UB_CPU_SMAP	(1ull << 0)
#define UB_CPU_BHB	(1ull << 1)	/* blocks clear the branch history before the kernel goes on */

/* UB_IOC_ATTACH: needs ptrace_may_access() on the process; its cgroup must be "on" (EACCES else).  EBUSY: already
 * attached.  EOPNOTSUPP: 32-bit or otherwise unfit. */
struct ub_attach {
	__s32 pid;			/* any thread's id, in the caller's pid namespace */
	__u32 flags;			/* zero */
	__u32 session_id;		/* out */
	__u32 thread_cnt;		/* out */
};

struct ub_id {
	__u32 id;			/* in; for *_NEXT in and out */
	__u32 flags;			/* zero */
};

/* Why a thread left its block. */
enum ub_exit_kind {
	UB_EXIT_END,			/* the block ends here: not lifted */
	UB_EXIT_INDIRECT,		/* an indirect branch went where the block does not */
	UB_EXIT_FAULT,			/* a page to be faulted in, a bad address, a divide error */
	UB_EXIT_WORK,			/* signal, reschedule, detach, policy: the kernel has work */
	UB_EXIT_SYSCALL,		/* a call that is not made in place: other number, tracing, seccomp verdict */
	UB_EXIT_RESTART,		/* right behind a call, result -ERESTART* or a signal */
	UB_EXIT_BOUND,			/* a branch above LIMIT */
	UB_EXIT_COUNT
};

/* UB_IOC_SESSION_INFO: id in, the rest out. */
struct ub_session_info {
	__u32 id;
	__s32 pid;			/* process id in the caller's pid namespace */
	__u32 thread_cnt;
	__u32 block_cnt;
	__u64 attached_ns;		/* CLOCK_BOOTTIME */
	__u64 start_ns;			/* CLOCK_BOOTTIME of the start of the process */
	__u64 first_run_ns;		/* CLOCK_BOOTTIME of the first call made in a block, 0: none yet */
	__u64 entries;			/* times a block was entered */
	__u64 calls;			/* system calls made inside blocks */
	__u64 native_calls;		/* hooked calls that came the ordinary way while attached */
	__u64 exits[UB_EXIT_COUNT];
	__u64 btc_bytes;
	__u32 state;			/* enum ub_session_state */
	__u32 native_why;		/* last reason not to enter, enum ub_native_why */
	char comm[16];
};
enum ub_session_state { UB_SESSION_LIVE, UB_SESSION_PAUSED, UB_SESSION_DYING };
enum ub_native_why {
	UB_NATIVE_NONE, UB_NATIVE_NO_BLOCK, UB_NATIVE_POLICY, UB_NATIVE_PTRACE, UB_NATIVE_SYSCALL_WORK,
	UB_NATIVE_FLAGS, UB_NATIVE_SEGMENT, UB_NATIVE_DEBUG, UB_NATIVE_THREAD_FLAG, UB_NATIVE_SUSPECT,
	UB_NATIVE_WRITER, UB_NATIVE_CREDENTIALS,
};

/* One stretch of the code that was lifted; the kernel compares the bytes before it publishes, and again when the
 * mapping was touched.  Must be file-backed (or the vDSO), executable, not writable, without writers.  Stretches come
 * by address and do not overlap (EINVAL). */
struct ub_code {
	__u64 start;
	__u64 bytes;			/* pointer */
	__u32 len;
	__u32 pad;
};
#define UB_MAX_CODE_RANGES	2048
#define UB_MAX_CODE_BYTES	(256 * 1024)

/* UB_IOC_LOAD.  EACCES: refused, see log and refusal.  ESTALE: the code differs from the bytes given or may not be
 * lifted.  ENOSPC: a limit of the session, cgroup or system.  ESRCH: no such session. */
struct ub_load {
	__u32 session_id;
	__u32 flags;			/* zero */
	__u64 insns;			/* struct ub_insn array, see ir/op.h */
	__u64 entries;			/* struct ub_entry array */
	__u64 code;			/* struct ub_code array */
	__u32 insn_cnt;
	__u32 entry_cnt;
	__u32 code_cnt;
	__u32 replace_id;		/* block whose place it takes at once, 0: none */
	__u64 log_buf;
	__u32 log_size;			/* 0: no log */
	__u32 log_level;		/* 0-2 */
	__u32 log_len;			/* out: bytes the log needed, may exceed log_size */
	__u32 refusal;			/* out: enum ub_refusal */
	__u32 refusal_insn;		/* out */
	__u32 block_id;			/* out */
	__u64 refusal_ip;		/* out */
	__u32 resident;			/* bit n: guest register n is kept in a machine register; 0: the default */
	__u32 pad;			/* zero */
};

/* UB_IOC_BLOCK_INFO: id in, the rest out. */
struct ub_block_info {
	__u32 id;
	__u32 session_id;
	__u32 insn_cnt;
	__u32 entry_cnt;
	__u32 exit_cnt;
	__u32 code_len;			/* bytes of machine code */
	__u64 loaded_ns;		/* CLOCK_BOOTTIME */
	__u64 verify_ns;
	__u64 jit_ns;
	__u64 runs;			/* entries */
	__u64 calls;
	__u64 exits[UB_EXIT_COUNT];
	__u32 running;			/* threads inside now */
	__u32 state;			/* enum ub_block_state */
	char tag[16];			/* name in /proc/kallsyms */
	__u32 resident;			/* as it was loaded */
	__u32 pad;
	__u64 ns;			/* threads were inside, calls included, while the parameter time_blocks was on */
};
enum ub_block_state { UB_BLOCK_LIVE, UB_BLOCK_SUSPECT, UB_BLOCK_DEAD };

enum ub_dump_what { UB_DUMP_IR, UB_DUMP_ENTRIES, UB_DUMP_JIT };
/* UB_IOC_BLOCK_DUMP: as much as fits is copied; len says how much there is.  JIT needs CAP_SYS_ADMIN. */
struct ub_block_dump {
	__u32 id;
	__u32 what;
	__u64 buf;
	__u32 size;			/* bytes */
	__u32 len;			/* out: bytes */
	__u64 address;			/* out: kernel address for JIT when kptr_restrict allows, else 0 */
};

struct ub_exit_info {
	__u64 ip;			/* where the guest goes on; for INDIRECT the branch instruction */
	__u64 last_target;		/* INDIRECT: where it went last */
	__u64 count;
	__u32 kind;
	__u32 insn_idx;
};
/* UB_IOC_BLOCK_EXITS: only exits that were taken, as many as fit; cnt out says how many there are. */
struct ub_block_exits {
	__u32 id;
	__u32 max;			/* in: room in buf, in elements */
	__u64 buf;			/* struct ub_exit_info array */
	__u32 cnt;			/* out */
	__u32 pad;
};

enum ub_mode { UB_MODE_INHERIT, UB_MODE_OFF, UB_MODE_OBSERVE, UB_MODE_ON };
/* UB_IOC_CGROUP_SET / GET.  A cgroup without a policy of its own has mode INHERIT: the nearest ancestor's wins; the
 * root's default is the module parameter default_mode.  Takes hold in running loops at once. */
struct ub_cgroup {
	__s32 fd;			/* open cgroup v2 directory */
	__u32 mode;			/* enum ub_mode: own policy */
	__u32 effective;		/* out for GET: what holds, OFF, OBSERVE or ON */
	__u32 flags;			/* zero */
};

#define UB_IOC_FEATURE		_IOWR('u', 0x01, struct ub_feature)
#define UB_IOC_ATTACH		_IOWR('u', 0x02, struct ub_attach)
#define UB_IOC_DETACH		_IOWR('u', 0x03, struct ub_id)
#define UB_IOC_SESSION_NEXT	_IOWR('u', 0x04, struct ub_id)
#define UB_IOC_SESSION_INFO	_IOWR('u', 0x05, struct ub_session_info)
#define UB_IOC_LOAD		_IOWR('u', 0x06, struct ub_load)
#define UB_IOC_UNLOAD		_IOWR('u', 0x07, struct ub_id)
#define UB_IOC_BLOCK_NEXT	_IOWR('u', 0x08, struct ub_id)
#define UB_IOC_BLOCK_INFO	_IOWR('u', 0x09, struct ub_block_info)
#define UB_IOC_BLOCK_DUMP	_IOWR('u', 0x0a, struct ub_block_dump)
#define UB_IOC_BLOCK_EXITS	_IOWR('u', 0x0b, struct ub_block_exits)
#define UB_IOC_CGROUP_SET	_IOWR('u', 0x0c, struct ub_cgroup)
#define UB_IOC_CGROUP_GET	_IOWR('u', 0x0d, struct ub_cgroup)

#endif
