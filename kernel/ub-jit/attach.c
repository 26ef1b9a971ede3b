// SPDX-License-Identifier: GPL-2.0
/*
 * attach: how threads come into a session and out of it.
 *
 * Only a thread itself may register its preempt notifier, so it is asked to by task work, which it does on its way to
 * user mode.  Nobody is woken for that: a sleeper would see EINTR.  New threads of an attached process are asked by
 * the fork tracepoint; exit and exec end the membership.  Leaving works the same way; a thread that sleeps in a call
 * stays, inert, until it returns, and holds the module so long.
 */
#define pr_fmt(fmt) "ub: " fmt

#include <linux/cred.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "module.h"
#include "symbols.h"

/* What entry.S tests: the thread that runs on this CPU, if it is attached and not inside the wrapper. */
DEFINE_PER_CPU(struct ub_thread *, ub_cur);

static void on_sched_in(struct preempt_notifier *notifier, int cpu)
{
	struct ub_thread *thread = container_of(notifier, struct ub_thread, notifier);

	this_cpu_write(ub_cur, (thread->is_inside ? NULL : thread));
}

static void on_sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	this_cpu_write(ub_cur, NULL);
}

static struct preempt_ops preempt_ops = {
	.sched_in = on_sched_in,
	.sched_out = on_sched_out,
};

/* The calling task's membership, NULL if it has none. */
static struct ub_thread *current_thread_of(void)
{
	struct preempt_notifier *notifier;

	hlist_for_each_entry(notifier, &current->preempt_notifiers, link)
		if (notifier->ops == &preempt_ops)
			return container_of(notifier, struct ub_thread, notifier);
	return NULL;
}

static void put_thread(struct ub_thread *thread)
{
	if (!refcount_dec_and_test(&thread->refs))
		return;
	if (thread->cred)
		put_cred(thread->cred);
	put_task_struct(thread->task);
	ub_session_put(thread->session);
	kfree(thread);
	module_put(THIS_MODULE);
}

static void count_gone(struct ub_session *session, const struct ub_counts *counts)
{
	u32 i;

	session->gone.entries += counts->entries;
	session->gone.calls += counts->calls;
	session->gone.native_calls += counts->native_calls;
	for (i = 0; i < UB_EXIT_COUNT; i++)
		session->gone.exits[i] += counts->exits[i];
}

/* Takes @thread off its session's list.  The last one ends the session. */
static void unlink_thread(struct ub_thread *thread)
{
	struct ub_session *session = thread->session;
	bool is_last;

	spin_lock(&session->lock);
	thread->state = UB_THREAD_GONE;
	list_del(&thread->node);
	count_gone(session, &thread->counts);
	is_last = !--session->thread_cnt;
	spin_unlock(&session->lock);
	if (is_last)
		ub_session_end_later(session);
}

/* @thread will not become a member after all. */
static void drop(struct ub_thread *thread)
{
	unlink_thread(thread);
	put_thread(thread);
}

/* The calling thread becomes a member. */
static void enter(struct ub_thread *thread)
{
	struct ub_session *session = thread->session;
	bool is_fit;

	is_fit = !(current->flags & PF_EXITING) && current->mm == session->mm;
	spin_lock(&session->lock);
	/* Under the lock: who sets is_dying looks for live threads afterwards. */
	is_fit = is_fit && !READ_ONCE(session->is_dying);
	if (is_fit)
		thread->state = UB_THREAD_LIVE;
	spin_unlock(&session->lock);
	if (!is_fit) {
		drop(thread);
		return;
	}
	thread->cred = get_current_cred();
	preempt_notifier_init(&thread->notifier, &preempt_ops);
	preempt_notifier_register(&thread->notifier);
	this_cpu_write(ub_cur, thread);	/* a switch of CPUs in between does the same */
}

/* The calling thread, outside of the wrapper or about to die in it, is no longer a member.  May not sleep. */
void ub_thread_leave(struct ub_thread *thread)
{
	thread->is_inside = true;
	barrier();
	this_cpu_write(ub_cur, NULL);
	preempt_notifier_unregister(&thread->notifier);
	if (thread->in) {
		ub_runtime_flush(thread);
		ub_thread_out(thread);
	}
	unlink_thread(thread);
	put_thread(thread);
}

/* The calling thread, at the end of the wrapper, leaves its session, perhaps for another. */
void ub_thread_replace(struct ub_thread *thread)
{
	struct ub_thread *successor = thread->successor;

	ub_thread_leave(thread);
	if (successor)
		enter(successor);
}

static void on_attach_work(struct callback_head *work)
{
	struct ub_thread *thread = container_of(work, struct ub_thread, attach_work);
	struct ub_thread *old = current_thread_of();

	if (old && old->session == thread->session) {
		drop(thread);		/* found by both the fork tracepoint and attach */
		return;
	}
	if (old && old->is_inside) {
		/* Its session is dying, and so is that of a successor it already has. */
		if (old->successor)
			drop(old->successor);
		old->successor = thread;
		old->must_leave = true;
		return;
	}
	if (old)
		ub_thread_leave(old);
	enter(thread);
}

static void on_detach_work(struct callback_head *work)
{
	struct ub_thread *thread = container_of(work, struct ub_thread, detach_work);

	if (thread->state == UB_THREAD_LIVE) {
		if (thread->is_inside)
			thread->must_leave = true;
		else
			ub_thread_leave(thread);
	}
	put_thread(thread);
}

/* Asks @task to become a member.  May not sleep. */
int ub_thread_add(struct ub_session *session, struct task_struct *task)
{
	struct ub_thread *thread;

	thread = kzalloc(sizeof(*thread), GFP_ATOMIC | __GFP_ACCOUNT | __GFP_NOWARN);
	if (!thread)
		return -ENOMEM;
	if (!try_module_get(THIS_MODULE)) {
		kfree(thread);
		return -ENODEV;
	}
	refcount_set(&thread->refs, 1);
	thread->task = get_task_struct(task);
	thread->session = session;
	ub_session_get(session);
	ub_runtime_prepare(thread);
	init_task_work(&thread->attach_work, on_attach_work);
	init_task_work(&thread->detach_work, on_detach_work);

	spin_lock(&session->lock);
	list_add_tail(&thread->node, &session->threads);
	session->thread_cnt++;
	spin_unlock(&session->lock);
	if (task_work_add(task, &thread->attach_work, TWA_RESUME)) {
		unlink_thread(thread);	/* it exits */
		put_thread(thread);
	}
	return 0;
}

static bool is_attach_work(struct callback_head *work, void *thread)
{
	return work == &((struct ub_thread *)thread)->attach_work;
}

/* Takes back what is queued, and asks members to leave.  The session is dying. */
void ub_thread_detach_all(struct ub_session *session)
{
	struct ub_thread *thread, *next;
	LIST_HEAD(cancelled);

	spin_lock(&session->lock);
	list_for_each_entry_safe(thread, next, &session->threads, node) {
		if (thread->state == UB_THREAD_PENDING) {
			if (ub_sym(task_work_cancel_match)(thread->task, is_attach_work, thread)) {
				session->thread_cnt--;
				list_move(&thread->node, &cancelled);
			}
		} else if (!thread->is_detached) {
			thread->is_detached = true;
			refcount_inc(&thread->refs);
			if (task_work_add(thread->task, &thread->detach_work, TWA_RESUME))
				refcount_dec(&thread->refs);	/* it exits, which does the same */
		}
	}
	spin_unlock(&session->lock);
	list_for_each_entry_safe(thread, next, &cancelled, node)
		put_thread(thread);
}

/* Makes the threads that run in @btc (NULL: in any) pass the slow path soon.  session->lock is held. */
void ub_thread_kick(struct ub_session *session, const struct ub_btc *btc)
{
	struct ub_thread *thread;

	smp_mb();	/* what they shall see is written; pairs with the one in come_in() */
	list_for_each_entry(thread, &session->threads, node) {
		const struct ub_btc *in = ub_thread_btc(thread);

		if (in && (!btc || in == btc) &&
		    !test_and_set_tsk_thread_flag(thread->task, TIF_NOTIFY_RESUME))
			kick_process(thread->task);
	}
}

/*
 * Gives each thread in @btc a reference to it: @btc is dead, and its last other reference is about to go.  A thread that
 * comes in meanwhile is found here, or finds @btc dead and is out again before RCU lets it be freed.  session->lock is held.
 */
void ub_thread_hold(struct ub_session *session, struct ub_btc *btc)
{
	struct ub_thread *thread;
	unsigned long in;

	smp_mb();	/* is_dead is written; pairs with the one in come_in() */
	list_for_each_entry(thread, &session->threads, node) {
		in = (unsigned long)btc;
		if (READ_ONCE(thread->in) != in)
			continue;
		refcount_inc(&btc->refs);
		if (!try_cmpxchg(&thread->in, &in, in | UB_IN_HOLDS))
			refcount_dec(&btc->refs);
	}
}

/* The calling thread, @thread, is in no block any more. */
void ub_thread_out(struct ub_thread *thread)
{
	unsigned long in = xchg(&thread->in, 0);

	if (unlikely(in & UB_IN_HOLDS))
		ub_btc_put((void *)(in & ~UB_IN_HOLDS));
}

/* The calling task leaves whatever it is in, for good. */
static void forget_current(void)
{
	struct ub_thread *thread = current_thread_of();
	struct ub_thread *successor;

	if (!thread)
		return;
	successor = thread->successor;
	ub_thread_leave(thread);
	if (successor)
		drop(successor);
}

static void on_exit(void *data, struct task_struct *task)
{
	forget_current();
}

static void on_exec(void *data, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	forget_current();
}

/* A thread made by a thread that is not yet attached itself must be found too, so the session is looked up by mm. */
static void on_fork(void *data, struct task_struct *parent, struct task_struct *child)
{
	struct ub_session *session;

	if (likely(!ub_session_cnt()) || !same_thread_group(parent, child) || !child->mm)
		return;
	session = ub_session_get_mm(child->mm);
	if (!session)
		return;
	if (session->pid == task_tgid(child))	/* another process may share the mm */
		ub_thread_add(session, child);	/* without memory it stays native */
	ub_session_put(session);
}

/* A thread asks which cgroup it is in when it looks for work anyway: it shall do so soon.  Called under spin locks. */
static void on_cgroup(void *data, struct cgroup *to, const char *path, struct task_struct *task, bool is_whole)
{
	ub_policy_moved();
}

static struct {
	const char *name;
	void *probe;
	struct tracepoint *point;
} probes[] = {
	{ "sched_process_fork", on_fork },
	{ "sched_process_exec", on_exec },
	{ "sched_process_exit", on_exit },
	{ "cgroup_attach_task", on_cgroup },
};

static void find_point(struct tracepoint *point, void *unused)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(point->name, probes[i].name))
			probes[i].point = point;
}

static void unregister(u32 cnt)
{
	while (cnt--)
		tracepoint_probe_unregister(probes[cnt].point, probes[cnt].probe, NULL);
	tracepoint_synchronize_unregister();
}

int ub_attach_init(void)
{
	int err;
	u32 i;

	/* Once, not per session: it patches code that every context switch runs through. */
	preempt_notifier_inc();
	for_each_kernel_tracepoint(find_point, NULL);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		err = -EOPNOTSUPP;
		if (probes[i].point)
			err = tracepoint_probe_register(probes[i].point, probes[i].probe, NULL);
		if (err) {
			pr_err("no tracepoint %s (%d)\n", probes[i].name, err);
			unregister(i);
			preempt_notifier_dec();
			return err;
		}
	}
	return 0;
}

void ub_attach_exit(void)
{
	unregister(ARRAY_SIZE(probes));
	preempt_notifier_dec();
}
