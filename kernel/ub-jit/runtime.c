// SPDX-License-Identifier: GPL-2.0
/*
 * runtime: runs blocks, in the place of the way back to user mode and in again.
 *
 * Promise: what the process, its debugger, its signals and its tracers can notice is what they would notice if it had
 * gone to user mode and come back.  So every entry and every slow call tests whether anything wants the thread to go
 * the ordinary way, and if so it goes, from an exact instruction.  Images write only general registers; ip, flags and
 * orig_ax are written here.
 */
#include <linux/context_tracking.h>
#include <linux/cred.h>
#include <linux/entry-common.h>
#include <linux/jump_label.h>
#include <linux/key.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/fsgsbase.h>
#include <asm/syscall.h>

#include "compat.h"
#include "gate.h"
#include "module.h"
#include "rules.h"
#include "symbols.h"
#include "trace.h"

static_assert(UB_BAD_FLAGS == (X86_EFLAGS_TF | X86_EFLAGS_AC | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_DF));
static_assert(UB_USER_CS == __USER_CS && UB_USER_SS == __USER_DS);
/* Thread flags that a block does not honour. */
#define BAD_THREAD	(_TIF_NOTSC | _TIF_NOCPUID | _TIF_SINGLESTEP | _TIF_BLOCKSTEP | _TIF_FORCED_TF | _TIF_ADDR32)
/* A signal, a restart: nothing that keeps the process native. */
#define NATIVE_ORDINARY	((enum ub_native_why)-1)
/* How long a block that differs from its code is left alone. */
#define RETRY_JIFFIES	(HZ / 10)
/* Work that is done in place. */
#define PLACE_WORK	(_TIF_NOTIFY_RESUME | UB_TIF_RESCHED | UB_TIF_RSEQ)

/* Are blocks timed?  A pair of clock readings for each run, so only on request. */
static DEFINE_STATIC_KEY_FALSE(time_key);

static int set_time(const char *value, const struct kernel_param *param)
{
	bool is_on;
	int err = kstrtobool(value, &is_on);

	if (!err && is_on)
		static_branch_enable(&time_key);
	else if (!err)
		static_branch_disable(&time_key);
	return err;
}

static int get_time(char *buf, const struct kernel_param *param)
{
	return sysfs_emit(buf, "%c\n", static_key_enabled(&time_key) ? 'Y' : 'N');
}

static const struct kernel_param_ops time_ops = { .set = set_time, .get = get_time };
module_param_cb(time_blocks, &time_ops, NULL, 0644);
MODULE_PARM_DESC(time_blocks, "count the nanoseconds that threads are in each block (N)");

/* -ERESTARTSYS, -ERESTARTNOINTR, -ERESTARTNOHAND, -ERESTART_RESTARTBLOCK, and -ENOIOCTLCMD, that no call answers. */
static bool is_restart(u64 ax)
{
	return ax - (u64)-ERESTART_RESTARTBLOCK <= ERESTART_RESTARTBLOCK - ERESTARTSYS;
}

/* Are new credentials ones that the session's owner could have attached to? */
static bool may_keep(struct ub_thread *thread)
{
	const struct cred *old = thread->cred, *new = current_cred();

	if (!thread->session->may_any &&
	    (!uid_eq(old->uid, new->uid) || !uid_eq(old->euid, new->euid) || !uid_eq(old->suid, new->suid) ||
	     !gid_eq(old->gid, new->gid) || !gid_eq(old->egid, new->egid) || !gid_eq(old->sgid, new->sgid) ||
	     !cap_issubset(new->cap_permitted, old->cap_permitted) || old->user_ns != new->user_ns)) {
		WRITE_ONCE(thread->session->is_paused, true);
		return false;
	}
	thread->cred = get_current_cred();
	put_cred(old);
	return true;
}

/*
 * hw_breakpoint_active(), which is for who cannot move.  A thread that moves behind this test is like one that moves in the
 * block: its own breakpoints are set wherever it runs, and those of the other processor it meets at the next test.
 */
static bool has_breakpoints(void)
{
	return this_cpu_read(cpu_dr7) & DR_GLOBAL_ENABLE_MASK;
}

/* Why the thread may not be in @btc now: all but its registers and pending work. */
static __always_inline enum ub_native_why gate(struct ub_thread *thread, const struct ub_btc *btc)
{
	const struct ub_session *session = thread->session;
	enum ub_native_why why = ub_rule_thread(&(struct ub_rule_thread){
		.is_traced = current->ptrace,
		.has_work = READ_ONCE(current_thread_info()->syscall_work) & ~SYSCALL_WORK_SECCOMP,
		.has_breakpoint = has_breakpoints() || current->thread.ptrace_dr7,
		.has_bad_flag = read_thread_flags() & BAD_THREAD,
		.has_shadow_stack = ub_has_shadow_stack(current),
	});

	if (unlikely(why))
		return why;
	if (unlikely(READ_ONCE(session->is_dying) || READ_ONCE(session->is_paused) || !ub_policy_holds(thread)))
		return UB_NATIVE_POLICY;
	if (unlikely(thread->cred != current_cred() && !may_keep(thread)))
		return UB_NATIVE_CREDENTIALS;
	if (unlikely(READ_ONCE(btc->is_dead) || READ_ONCE(btc->is_suspect)))
		return UB_NATIVE_SUSPECT;
	return ub_identity_gate(btc);
}

/* Why user mode at these registers may not be replaced by a block. */
static __always_inline enum ub_native_why gate_regs(const struct ub_thread *thread, const struct pt_regs *regs)
{
	return ub_rule_regs(&(struct ub_rule_regs){
		.ip = regs->ip, .flags = regs->flags, .cx = regs->cx, .r11 = regs->r11, .cs = regs->cs, .ss = regs->ss,
		.is_entry = (u64)regs == thread->frame.regs, .is_compat = current_thread_info()->status & TS_COMPAT,
	});
}

/* What the kernel's resume_user_mode_work() does. */
static void resume_work(struct pt_regs *regs)
{
	clear_thread_flag(TIF_NOTIFY_RESUME);
	smp_mb__after_atomic();
	if (unlikely(task_work_pending(current)))
		ub_sym(task_work_run)();
#ifdef CONFIG_KEYS_REQUEST_CACHE
	if (unlikely(current->cached_requested_key)) {
		key_put(current->cached_requested_key);
		current->cached_requested_key = NULL;
	}
#endif
	ub_memcg_resume();
	ub_sym(blkcg_maybe_throttle_current)();
	ub_rseq_resume(regs);
}

/* Does the work that the kernel does on its way to user mode.  False: there is some that must be done there. */
static noinline bool do_work(struct pt_regs *regs)
{
	unsigned long work;

	while ((work = read_thread_flags() & EXIT_TO_USER_MODE_WORK)) {
		if (work & ~PLACE_WORK)
			return false;
		if (work & UB_TIF_RESCHED)
			schedule();
		if (work & _TIF_NOTIFY_RESUME)
			resume_work(regs);
		if (work & UB_TIF_RSEQ)
			ub_rseq_switched(regs);
	}
	return true;
}

static noinline void take_calls(struct ub_thread *thread)
{
	u64 calls = thread->frame.calls - thread->calls_seen;

	WRITE_ONCE(thread->calls_seen, thread->frame.calls);
	WRITE_ONCE(thread->counts.calls, thread->counts.calls + calls);
	atomic64_add(calls, &ub_thread_btc(thread)->calls);
	if (unlikely(!thread->session->first_run_ns))
		WRITE_ONCE(thread->session->first_run_ns, ktime_get_boottime_ns());
}

/* Takes over the calls that the image counted since it was last done. */
static __always_inline void flush(struct ub_thread *thread)
{
	if (thread->frame.calls != thread->calls_seen)
		take_calls(thread);
}

void ub_runtime_flush(struct ub_thread *thread)
{
	flush(thread);
}

static const struct ub_image_exit *find_exit(const struct ub_btc *btc, u64 idx)
{
	if (ub_bug_if(idx >= btc->image->exit_cnt, "an image left by an exit it does not have"))
		return NULL;
	return &btc->image->exits[idx];
}

/* jit.h: thread flags are set behind a call. */
u64 ub_post_call(struct ub_frame *frame)
{
	struct ub_thread *thread = (void *)frame->owner;
	struct pt_regs *regs = (void *)frame->regs;
	u64 ip = regs->ip;

	flush(thread);
	if (is_restart(regs->ax))
		return UB_CALL_LEAVE;
	if (!do_work(regs) || regs->ip != ip || thread->must_leave) {
		thread->moved_ip = regs->ip != ip ? regs->ip : 0;
		return UB_CALL_LEAVE;
	}
	return gate(thread, ub_thread_btc(thread)) ? UB_CALL_LEAVE : UB_CALL_GO;
}

/* jit.h: syscall_work is set before a call.  What a seccomp filter reads is what it would read in user mode's call. */
u64 ub_pre_call(struct ub_frame *frame)
{
	struct ub_thread *thread = (void *)frame->owner;
	struct pt_regs *regs = (void *)frame->regs;
	const struct ub_image_exit *exit = find_exit(ub_thread_btc(thread), frame->site);
	u64 ax = regs->ax;

	if (!exit || READ_ONCE(current_thread_info()->syscall_work) & ~SYSCALL_WORK_SECCOMP || current->ptrace)
		return UB_CALL_LEAVE;
	flush(thread);
	regs->ip = exit->ip;
	regs->orig_ax = ax;
	regs->ax = -ENOSYS;
	regs->cx = exit->ip;
	if (!ub_seccomp_permits())
		return UB_CALL_SKIP;
	regs->ax = ax;
	return UB_CALL_GO;
}

/* Where the thread comes in at @ip, or NULL.  The block stays until ub_thread_out(): see ub_thread_hold(). */
static __always_inline const struct ub_slot *come_in(struct ub_thread *thread, u64 ip)
{
	const struct ub_slot *slot;

	preempt_disable();		/* RCU waits for that too, and it is cheaper than rcu_read_lock() */
	slot = ub_slot_find(thread->session, ip);
	if (slot) {
		/* Whoever wants the thread out of the block sees it in there, or is seen by the tests that follow. */
		smp_store_mb(thread->in, (unsigned long)slot->btc);
		if (unlikely(READ_ONCE(slot->btc->is_dead))) {
			ub_thread_out(thread);
			slot = NULL;
		}
	}
	preempt_enable();
	return slot;
}

/* A suspect block is compared again, unless someone else is at it or just found that it differs. */
static void clear_suspicion(struct ub_btc *btc)
{
	struct ub_session *session = btc->session;
	int err;

	if (READ_ONCE(btc->is_dead) || time_before(jiffies, READ_ONCE(btc->retry_after)) ||
	    ub_identity_gate(btc) == UB_NATIVE_WRITER || !mutex_trylock(&session->load_lock))
		return;
	err = ub_identity_check(btc);
	if (err == -ESTALE) {
		trace_ub_invalidate(btc->id, UB_LOSS_BYTES);
		spin_lock(&session->lock);
		ub_thread_kick(session, btc);	/* those that came in before */
		spin_unlock(&session->lock);
		WRITE_ONCE(btc->retry_after, jiffies + RETRY_JIFFIES);
	}
	mutex_unlock(&session->load_lock);
}

/* The registers as the exit says.  False: the image broke its promise. */
static bool take_exit(struct ub_thread *thread, struct pt_regs *regs, const struct ub_image_exit *exit)
{
	const struct ub_frame *frame = &thread->frame;
	u64 ip = exit->ip;

	if (exit->kind == UB_EXIT_INDIRECT)
		ip = frame->target;
	if (unlikely(thread->moved_ip))		/* a restartable sequence was aborted */
		ip = thread->moved_ip;
	if (ub_bug_if(ip > ub_limit, "an image left to an address above the limit"))
		return false;
	regs->ip = ip;
	regs->flags = (regs->flags & ~(u64)UB_FL_ALL) | (frame->flags & UB_FL_ALL);
	if (!exit->is_behind)
		regs->orig_ax = -1;
	return true;
}

static void count_exit(struct ub_thread *thread, struct ub_btc *btc, const struct ub_image_exit *exit)
{
	u32 idx = exit - btc->image->exits;

	flush(thread);
	WRITE_ONCE(thread->counts.exits[exit->kind], thread->counts.exits[exit->kind] + 1);
	atomic64_inc(&btc->exit_counts[idx]);
	if (exit->kind == UB_EXIT_INDIRECT)
		WRITE_ONCE(btc->last_targets[idx], thread->frame.target);
}

/* Behind an image, as its stubs do before a call. */
static void pass_barrier(void)
{
	if (ub_barrier.clear)
		ub_sym(clear_bhb_loop)();
	if (ub_barrier.fence)
		asm volatile(".byte 0xf3, 0x48, 0x0f, 0x1e, 0xf8" : : : "memory");	/* IBHF */
}

/* What of the frame stays the same. */
void ub_runtime_prepare(struct ub_thread *thread)
{
	thread->frame.regs = (u64)task_pt_regs(thread->task);
	thread->frame.task = (u64)thread->task;
	thread->frame.limit = ub_limit;
	thread->frame.owner = (u64)thread;
}

static __always_inline u64 call_image(struct ub_frame *frame, const struct ub_slot *slot)
{
	u64 (*image)(struct ub_frame *) = slot->code, idx;

	pagefault_disable();
	idx = image(frame);
	pass_barrier();
	pagefault_enable();
	return idx;
}

static noinline u64 call_timed(struct ub_frame *frame, const struct ub_slot *slot)
{
	u64 start = ktime_get_ns(), idx = call_image(frame, slot);

	atomic64_add(ktime_get_ns() - start, &slot->btc->ns);
	return idx;
}

/* Runs the image once; @regs are those in the frame.  The exit taken, or NULL: a bug, the process must not go on. */
static __always_inline const struct ub_image_exit *run_image(struct ub_thread *thread, struct pt_regs *regs,
							     const struct ub_slot *slot)
{
	struct ub_frame *frame = &thread->frame;
	struct ub_btc *btc = slot->btc;
	const struct ub_image_exit *exit;
	u64 calls = frame->calls, idx;
	int locks = preempt_count();

	frame->fs_base = cpu_feature_enabled(X86_FEATURE_FSGSBASE) ? rdfsbase() : x86_fsbase_read_cpu();
	frame->flags = regs->flags;
	thread->moved_ip = 0;
	WRITE_ONCE(thread->counts.entries, thread->counts.entries + 1);
	trace_ub_enter(btc->id, slot->ip);
	if (static_branch_unlikely(&time_key))
		idx = call_timed(frame, slot);
	else
		idx = call_image(frame, slot);
	if (ub_bug_if(preempt_count() != locks, "an image left with the vector registers open")) {
		preempt_count_set(locks);
		return NULL;
	}
	exit = find_exit(btc, idx);
	if (!exit)
		return NULL;
	count_exit(thread, btc, exit);
	if (!take_exit(thread, regs, exit))
		return NULL;
	trace_ub_exit(btc->id, exit->kind, regs->ip, frame->calls - calls);
	return exit;
}

static noinline enum ub_native_why gate_again(struct ub_thread *thread, struct ub_btc *btc)
{
	clear_suspicion(btc);
	return gate(thread, btc);
}

/*
 * Why the thread, with @btc as its block, may not enter it now.  Work comes first: who changes what gate() looks at
 * sets a work flag afterwards, so either gate() sees the change or the block sees the flag.
 */
static __always_inline enum ub_native_why may_not_enter(struct ub_thread *thread, struct pt_regs *regs,
							struct ub_btc *btc)
{
	enum ub_native_why why;
	u64 ip = regs->ip;

	if (unlikely(is_restart(regs->ax) && regs->orig_ax != -1))
		return NATIVE_ORDINARY;
	why = gate_regs(thread, regs);
	if (unlikely(why))
		return why;
	if (unlikely(read_thread_flags() & EXIT_TO_USER_MODE_WORK) && (!do_work(regs) || regs->ip != ip))
		return NATIVE_ORDINARY;
	if (unlikely(thread->must_leave))
		return NATIVE_ORDINARY;
	why = gate(thread, btc);
	return unlikely(why == UB_NATIVE_SUSPECT) ? gate_again(thread, btc) : why;
}

/* Runs a block at regs->ip if there is one.  True: it left to an address where there may be another. */
static __always_inline bool run(struct ub_thread *thread, struct pt_regs *regs)
{
	const struct ub_slot *slot = come_in(thread, regs->ip);
	const struct ub_image_exit *exit;
	enum ub_native_why why;
	bool is_next = false;

	if (!slot)
		return false;
	why = may_not_enter(thread, regs, slot->btc);
	if (likely(!why)) {
		exit = run_image(thread, regs, slot);
		if (likely(exit))
			is_next = (exit->kind == UB_EXIT_END || exit->kind == UB_EXIT_INDIRECT) && regs->ip != slot->ip &&
				  !hlist_empty(ub_slot_bucket(thread->session, regs->ip));
		else
			force_sig(SIGKILL);
	} else if (why != NATIVE_ORDINARY) {
		WRITE_ONCE(thread->session->native_why, why);
	}
	ub_thread_out(thread);
	return is_next;
}

/* Behind a hooked call that a thread made from user mode: @regs is as user mode will see it. */
static noinline void behind_call(struct ub_thread *thread, struct pt_regs *regs)
{
	while (run(thread, regs))
		;
}

/* Stands in for a hooked handler, for attached threads.  @site: behind the handler's call to entry.S. */
asmlinkage long ub_hook(struct pt_regs *regs, unsigned long site)
{
	struct ub_thread *thread = this_cpu_read(ub_cur);
	u64 entries = thread->counts.entries;

	/* Between these two a switch of CPUs clears it, behind them nothing sets it. */
	thread->is_inside = true;
	barrier();
	this_cpu_write(ub_cur, NULL);

	regs->ax = ub_hook_handler(site)(regs);
	/* It may have come by the 32-bit or x32 table. */
	if (!hlist_empty(ub_slot_bucket(thread->session, regs->ip)) && ub_hook_is(site, regs->orig_ax))
		behind_call(thread, regs);
	if (thread->counts.entries == entries)
		WRITE_ONCE(thread->counts.native_calls, thread->counts.native_calls + 1);

	if (unlikely(thread->must_leave || READ_ONCE(thread->session->is_dying))) {
		ub_thread_replace(thread);
	} else {
		thread->is_inside = false;
		barrier();
		this_cpu_write(ub_cur, thread);
	}
	return regs->ax;
}

void ub_runtime_env(struct ub_jit_env *env)
{
	*env = (struct ub_jit_env){
		.entry_is_call = true,
		.flags_off = offsetof(struct task_struct, thread_info.flags),
		.work_mask = EXIT_TO_USER_MODE_WORK,
		.work_off = offsetof(struct task_struct, thread_info.syscall_work),
		.work_exit_mask = SYSCALL_WORK_EXIT,
		.pagefault_off = offsetof(struct task_struct, pagefault_disabled),
		.pre_call = ub_calls.pre_call,
		.post_call = ub_calls.post_call,
		.call_stubs = ub_calls.stubs,
		.call_stub_cnt = ARRAY_SIZE(ub_calls.stubs),
	};
	ub_cpu_env(env);
}
