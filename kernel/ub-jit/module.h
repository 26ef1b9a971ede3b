/* SPDX-License-Identifier: GPL-2.0 */
/*
 * module: what the files of the kernel module share.
 *
 *   owner (an open /dev/ub)  1:n  session (a process, by its mm)  1:n  thread, 1:n  btc (a loaded block)
 *
 * Locks, outer to inner: ub_lock (sessions come and go), session->load_lock (one load at a time), mmap_lock,
 * session->lock (a spin lock: lists and counters; taken by mmu notifiers and tracepoints), RCU.
 * References: a thread holds the module, its task and its session; a btc holds its session; a session holds mm_count,
 * never mm_users.  A thread that runs in a btc only says so (ub_thread.in); who removes that gives it a reference.
 */
#ifndef UB_MODULE_H
#define UB_MODULE_H

#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>
#include <linux/workqueue.h>
#include <asm/prctl.h>

#include "jit.h"

#define UB_MAX_SESSIONS		1024u
#define UB_MAX_BLOCKS		64u		/* of a session */
#define UB_MAX_SESSION_BYTES	(4u << 20)	/* machine code of a session */
#define UB_MAX_POLICIES		65536u
#define UB_BUCKETS_BITS		7

struct ub_owner {
	struct list_head sessions;	/* ub_lock */
};

struct ub_counts {
	u64 entries;
	u64 calls;
	u64 native_calls;
	u64 exits[UB_EXIT_COUNT];
};

struct ub_session {
	u32 id;
	bool is_dying;			/* set once, under ub_lock */
	bool is_paused;			/* credentials changed to what the owner may not see */
	bool may_any;			/* the owner could trace every process */
	refcount_t refs;
	struct mm_struct *mm;
	struct pid *pid;		/* of the process */
	u64 attached_ns;
	u64 start_ns;
	u64 first_run_ns;
	u32 native_why;
	char comm[TASK_COMM_LEN];
	struct hlist_node mm_node;	/* by mm, until dying; RCU */
	struct list_head owner_node;	/* ub_lock */
	struct mutex load_lock;

	spinlock_t lock;		/* for all up to notify_active */
	struct list_head threads;
	struct list_head blocks;
	u32 thread_cnt;
	u32 block_cnt;
	u64 btc_bytes;
	struct ub_counts gone;		/* of threads that left */
	u64 notify_seq;			/* moves when a mapping of the mm may have changed */
	u32 notify_active;		/* changes under way */

	struct hlist_head slots[1 << UB_BUCKETS_BITS];	/* changed under lock, read under RCU */
	struct mmu_notifier notifier;
	struct work_struct end_work;
	struct work_struct reap_work;
	struct work_struct free_work;
	struct rcu_head rcu;
};

enum ub_thread_state { UB_THREAD_PENDING, UB_THREAD_LIVE, UB_THREAD_GONE };

/* A thread of a session.  All but node, state, the mark in `in' and the counters' readers: only the thread itself. */
struct ub_thread {
	struct preempt_notifier notifier;
	struct callback_head attach_work;
	struct callback_head detach_work;
	struct task_struct *task;
	struct ub_session *session;
	struct list_head node;		/* session->lock */
	refcount_t refs;
	u8 state;			/* enum ub_thread_state; session->lock */
	bool is_detached;		/* detach_work is queued; session->lock */
	bool is_inside;			/* in ub_hook(): hooks let it pass */
	bool must_leave;
	struct ub_thread *successor;	/* of a new session; takes over when this one leaves the wrapper */
	unsigned long in;		/* the btc it is in, 0: none; | UB_IN_HOLDS: with a reference of its own */
	struct ub_frame frame;
	u64 calls_seen;			/* of frame.calls, already in counts */
	u64 moved_ip;			/* where work done behind a call sent the thread, 0: nowhere */
	struct ub_counts counts;
	const struct cred *cred;	/* last ones found good */
	u32 policy_gen;			/* the policy below is as of this generation, 0: not known */
	bool is_on;
};

/* Set by who takes the btc that a thread is in out of the table; the thread drops the reference when it comes out. */
#define UB_IN_HOLDS	1ul

static inline struct ub_btc *ub_thread_btc(const struct ub_thread *thread)
{
	return (void *)(READ_ONCE(thread->in) & ~UB_IN_HOLDS);
}

/* A file with lifted code in it, as it was when that was last compared. */
struct ub_file {
	const struct inode *inode;
	struct timespec64 ctime;
};

/* A stretch of lifted code, as it was when the block was loaded. */
struct ub_span {
	u64 start;
	u32 len;
	u8 *bytes;			/* in the block's */
	struct file *file;		/* NULL until first compared, and for the vDSO */
	struct timespec64 ctime;
	struct ub_file *heads;		/* the file that this is the first span in, NULL: another one is */
	bool is_vdso;			/* found to be, when first compared */
};

/* Where a session's threads may come in. */
struct ub_slot {
	u64 ip;
	const void *code;
	struct ub_btc *btc;
	struct hlist_node node;		/* session->slots */
};

/* Native code at its final address. */
struct ub_text {
	void *base;
	u8 *code;
	u32 code_len;
	u32 size;
	struct bpf_prog_aux *aux;	/* registers the exception table and the name; NULL: has neither */
};

struct ub_btc {
	u32 id;
	refcount_t refs;
	bool is_suspect;		/* must be compared before the next entry; session->lock to change */
	bool is_dead;			/* never entered again; session->lock */
	unsigned long retry_after;	/* jiffies: when to compare again */
	bool is_live;			/* in the session's lists; session->lock */
	struct ub_session *session;
	struct list_head node;
	struct ub_insn *insns;
	struct ub_entry *entries;
	u16 resident;
	struct ub_span *spans;		/* by address, apart from one another */
	u8 *bytes;			/* of all spans */
	struct ub_slot *slots;
	struct ub_image *image;
	struct ub_text *text;
	struct cgroup *charged;		/* with the text, and all above it; NULL: not yet */
	atomic64_t *exit_counts;	/* per exit of the image */
	u64 *last_targets;
	u32 insn_cnt;
	u32 entry_cnt;
	u32 span_cnt;
	u32 file_cnt;
	struct ub_file *files;
	u64 loaded_ns;
	u64 verify_ns;
	u64 jit_ns;
	atomic64_t calls;
	atomic64_t ns;			/* spent inside while ub_time_key was on */
	struct rcu_work free_work;
};

/* Why a block is not entered any more. */
enum ub_loss {
	UB_LOSS_MAPPING,	/* what its code is mapped by changes: it will be compared again */
	UB_LOSS_BYTES,		/* it was compared, and is not the code */
	UB_LOSS_REMOVED,	/* unloaded, replaced, or its process is let go */
};

DECLARE_PER_CPU(struct ub_thread *, ub_cur);
extern struct workqueue_struct *ub_wq;
extern struct mutex ub_lock;
extern u64 ub_limit;

/* hook.c: which calls are hooked and which may be made inside a block. */
struct ub_calls {
	u64 stubs[512];			/* by number: trusted step to the handler, 0: not made inside a block */
	unsigned long sites[512];	/* by number: behind the handler's call of the hook, 0: not hooked */
	u64 pre_call;			/* the same to ub_pre_call() */
	u64 post_call;
	u64 made[8];
	u64 hooked[8];
	u32 hooked_cnt;
	u32 failed_cnt;
};
extern struct ub_calls ub_calls;
int ub_hook_init(void);
void ub_hook_exit(void);
/* The handler that a hook's return address lies in, and whether number @nr is hooked there. */
typedef long (*ub_handler)(struct pt_regs *regs);
static inline ub_handler ub_hook_handler(unsigned long site)
{
	return (ub_handler)(site - MCOUNT_INSN_SIZE - (IS_ENABLED(CONFIG_X86_KERNEL_IBT) ? 4 : 0));
}
static inline bool ub_hook_is(unsigned long site, u32 nr)
{
	return nr < ARRAY_SIZE(ub_calls.sites) &&
	       ub_calls.sites[array_index_nospec(nr, ARRAY_SIZE(ub_calls.sites))] == site;
}

/* entry.S */
void ub_stub(void);

/* A block's calls and returns would not show in a shadow stack. */
static inline bool ub_has_shadow_stack(const struct task_struct *task)
{
#ifdef CONFIG_X86_USER_SHADOW_STACK
	return task->thread.features & ARCH_SHSTK_SHSTK;
#else
	return false;
#endif
}

/* runtime.c */
asmlinkage long ub_hook(struct pt_regs *regs, unsigned long site);
void ub_runtime_env(struct ub_jit_env *env);
void ub_runtime_prepare(struct ub_thread *thread);
void ub_runtime_flush(struct ub_thread *thread);
u64 ub_pre_call(struct ub_frame *frame);
u64 ub_post_call(struct ub_frame *frame);

/* cpu.c */
int ub_cpu_check(void);		/* 0, or -EOPNOTSUPP after saying why no block may run here */
int ub_cpu_init(void);
void ub_cpu_exit(void);
void ub_cpu_env(struct ub_jit_env *env);
extern struct ub_barrier ub_barrier;	/* between an image and C */

/* attach.c */
int ub_attach_init(void);
void ub_attach_exit(void);
int ub_thread_add(struct ub_session *session, struct task_struct *task);
void ub_thread_leave(struct ub_thread *thread);
void ub_thread_replace(struct ub_thread *thread);
void ub_thread_detach_all(struct ub_session *session);
void ub_thread_kick(struct ub_session *session, const struct ub_btc *btc);
void ub_thread_hold(struct ub_session *session, struct ub_btc *btc);
void ub_thread_out(struct ub_thread *thread);

/* session.c */
int ub_session_attach(struct ub_owner *owner, bool may_any, struct ub_attach *arg);
int ub_session_detach(u32 id);
void ub_session_detach_owner(struct ub_owner *owner);
struct ub_session *ub_session_get_id(u32 id);
struct ub_session *ub_session_get_mm(const struct mm_struct *mm);
int ub_session_next(u32 *id);
int ub_session_may_load(struct ub_session *session);
int ub_session_info(struct ub_session *session, struct ub_session_info *info);
void ub_session_end_later(struct ub_session *session);
void ub_session_get(struct ub_session *session);
void ub_session_put(struct ub_session *session);
void ub_session_kick_all(void);
void ub_session_kick_later(void);
u32 ub_session_cnt(void);

/* load.c */
int ub_load(struct ub_load *arg);

/* registry.c */
static inline struct hlist_head *ub_slot_bucket(struct ub_session *session, u64 ip)
{
	return &session->slots[hash_64(ip, UB_BUCKETS_BITS)];
}
/* Where to come in at @ip, NULL: nowhere.  Under RCU. */
static __always_inline const struct ub_slot *ub_slot_find(struct ub_session *session, u64 ip)
{
	const struct ub_slot *slot;

	hlist_for_each_entry_rcu(slot, ub_slot_bucket(session, ip), node)
		if (slot->ip == ip)
			return slot;
	return NULL;
}
int ub_btc_add(struct ub_btc *btc, u32 replace_id);
void ub_btc_remove(struct ub_btc *btc);
void ub_btc_remove_all(struct ub_session *session);
void ub_btc_reap(struct ub_session *session);
struct ub_btc *ub_btc_get_id(u32 id);
int ub_btc_next(u32 *id);
void ub_btc_put(struct ub_btc *btc);
int ub_btc_info(struct ub_btc *btc, struct ub_block_info *info);

/* image.c: ERR_PTR(): -ENOMEM, -ENOSPC past the limit of all machine code */
struct ub_text *ub_text_place(const struct ub_image *image, u32 id, const struct ub_jit_env *env, struct ub_image_log *log);
void ub_text_free(struct ub_text *text);

/* identity.c */
const struct ub_span *ub_span_behind(const struct ub_btc *btc, u64 addr);
int ub_identity_check(struct ub_btc *btc);
extern const struct mmu_notifier_ops ub_identity_ops;

/* policy.c */
int ub_policy_init(void);
void ub_policy_exit(void);
bool ub_policy_is_on(struct task_struct *task);
void ub_policy_moved(void);
int ub_policy_set(const struct ub_cgroup *arg);
int ub_policy_get(struct ub_cgroup *arg);

/* limit.c */
int ub_limit_charge(struct ub_btc *btc);
void ub_limit_uncharge(struct ub_btc *btc);

/* dev.c */
int ub_dev_init(void);
void ub_dev_exit(void);

#endif
