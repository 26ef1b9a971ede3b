// SPDX-License-Identifier: GPL-2.0
/*
 * session: an attached process, from ATTACH to DETACH, exec, exit or its owner's end.
 *
 * Keyed by the mm: exec changes it, and threads share it.  A dying session is gone for everyone but its threads, which
 * leave one by one; a new session may be made of the same process meanwhile.
 */
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/xarray.h>

#include "module.h"
#include "symbols.h"

DEFINE_MUTEX(ub_lock);
static DEFINE_XARRAY(sessions);
static DEFINE_HASHTABLE(by_mm, 8);
static u32 last_id;
static u32 session_cnt;

u32 ub_session_cnt(void)
{
	return READ_ONCE(session_cnt);
}

void ub_session_get(struct ub_session *session)
{
	refcount_inc(&session->refs);
}

void ub_session_put(struct ub_session *session)
{
	if (refcount_dec_and_test(&session->refs))
		queue_work(ub_wq, &session->free_work);
}

static void on_free(struct work_struct *work)
{
	struct ub_session *session = container_of(work, struct ub_session, free_work);

	mmu_notifier_unregister(&session->notifier, session->mm);
	mmdrop(session->mm);
	put_pid(session->pid);
	kfree_rcu(session, rcu);
}

struct ub_session *ub_session_get_mm(const struct mm_struct *mm)
{
	struct ub_session *session, *found = NULL;

	rcu_read_lock();
	hash_for_each_possible_rcu(by_mm, session, mm_node, (unsigned long)mm)
		if (session->mm == mm && refcount_inc_not_zero(&session->refs)) {
			found = session;
			break;
		}
	rcu_read_unlock();
	return found;
}

struct ub_session *ub_session_get_id(u32 id)
{
	struct ub_session *session;

	rcu_read_lock();
	session = xa_load(&sessions, id);
	if (session && !refcount_inc_not_zero(&session->refs))
		session = NULL;
	rcu_read_unlock();
	return session;
}

int ub_session_next(u32 *id)
{
	unsigned long index = *id;

	if (!xa_find_after(&sessions, &index, U32_MAX, XA_PRESENT))
		return -ENOENT;
	*id = index;
	return 0;
}

/* Ends @session for all but its threads.  Again and again is fine. */
static void end_locked(struct ub_session *session)
{
	lockdep_assert_held(&ub_lock);
	if (session->is_dying)
		return;
	WRITE_ONCE(session->is_dying, true);
	hash_del_rcu(&session->mm_node);
	xa_erase(&sessions, session->id);
	list_del(&session->owner_node);
	WRITE_ONCE(session_cnt, session_cnt - 1);
	ub_btc_remove_all(session);
	ub_thread_detach_all(session);
	ub_session_put(session);
}

static void on_end(struct work_struct *work)
{
	struct ub_session *session = container_of(work, struct ub_session, end_work);

	mutex_lock(&ub_lock);
	end_locked(session);
	mutex_unlock(&ub_lock);
	ub_session_put(session);
}

/* May be called from where nothing may sleep, by who holds a reference. */
void ub_session_end_later(struct ub_session *session)
{
	if (READ_ONCE(session->is_dying))
		return;
	ub_session_get(session);
	if (!queue_work(ub_wq, &session->end_work))
		ub_session_put(session);
}

static void on_reap(struct work_struct *work)
{
	struct ub_session *session = container_of(work, struct ub_session, reap_work);

	ub_btc_reap(session);
	ub_session_put(session);
}

int ub_session_detach(u32 id)
{
	struct ub_session *session;
	int err = -ESRCH;

	mutex_lock(&ub_lock);
	session = xa_load(&sessions, id);
	if (session) {
		end_locked(session);
		err = 0;
	}
	mutex_unlock(&ub_lock);
	return err;
}

void ub_session_detach_owner(struct ub_owner *owner)
{
	struct ub_session *session, *next;

	mutex_lock(&ub_lock);
	list_for_each_entry_safe(session, next, &owner->sessions, owner_node)
		end_locked(session);
	mutex_unlock(&ub_lock);
}

static struct ub_session *make_session(struct task_struct *task, struct mm_struct *mm, bool may_any)
{
	struct ub_session *session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);

	if (!session)
		return NULL;
	refcount_set(&session->refs, 1);
	session->mm = mm;
	session->may_any = may_any;
	session->pid = get_pid(task_tgid(task));
	session->attached_ns = ktime_get_boottime_ns();
	session->start_ns = task->group_leader->start_boottime;
	get_task_comm(session->comm, task->group_leader);
	mutex_init(&session->load_lock);
	spin_lock_init(&session->lock);
	INIT_LIST_HEAD(&session->threads);
	INIT_LIST_HEAD(&session->blocks);
	INIT_LIST_HEAD(&session->owner_node);
	INIT_WORK(&session->end_work, on_end);
	INIT_WORK(&session->reap_work, on_reap);
	INIT_WORK(&session->free_work, on_free);
	session->notifier.ops = &ub_identity_ops;
	mmgrab(mm);
	return session;
}

static int publish(struct ub_owner *owner, struct ub_session *session)
{
	struct ub_session *other = ub_session_get_mm(session->mm);
	int err;

	lockdep_assert_held(&ub_lock);
	if (other) {
		ub_session_put(other);
		return -EBUSY;
	}
	if (session_cnt >= UB_MAX_SESSIONS || last_id == U32_MAX)
		return -ENOSPC;
	err = xa_insert(&sessions, last_id + 1, session, GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	session->id = ++last_id;
	list_add_tail(&session->owner_node, &owner->sessions);
	WRITE_ONCE(session_cnt, session_cnt + 1);
	hash_add_rcu(by_mm, &session->mm_node, (unsigned long)session->mm);
	return 0;
}

/* Threads made from now on are found by the fork tracepoint, those there are here, some by both. */
static int add_threads(struct ub_session *session, struct task_struct *task)
{
	struct task_struct *thread;
	int err = 0;

	smp_mb();	/* published before we look */
	rcu_read_lock();
	for_each_thread(task, thread) {
		if (thread->flags & (PF_EXITING | PF_IO_WORKER))
			continue;
		err = ub_thread_add(session, thread);
		if (err)
			break;
	}
	rcu_read_unlock();
	return err;
}

static int attach_mm(struct ub_owner *owner, struct task_struct *task, struct mm_struct *mm, bool may_any,
		     struct ub_attach *arg)
{
	struct ub_session *session = make_session(task, mm, may_any);
	int err;

	if (!session)
		return -ENOMEM;
	err = mmu_notifier_register(&session->notifier, mm);
	if (err) {
		mmdrop(mm);
		put_pid(session->pid);
		kfree(session);
		return err;
	}
	mutex_lock(&ub_lock);
	err = publish(owner, session);
	if (err) {
		session->is_dying = true;
		ub_session_put(session);
		goto unlock;
	}
	ub_session_get(session);
	err = add_threads(session, task);
	spin_lock(&session->lock);
	arg->session_id = session->id;
	arg->thread_cnt = session->thread_cnt;
	spin_unlock(&session->lock);
	if (!err && !arg->thread_cnt)
		err = -ESRCH;
	if (err)
		end_locked(session);
	ub_session_put(session);
unlock:
	mutex_unlock(&ub_lock);
	return err;
}

/* The mm of @task if the caller may do with it what it likes, else ERR_PTR(). */
static struct mm_struct *get_mm(struct task_struct *task)
{
	struct mm_struct *mm;

	if (task->flags & PF_KTHREAD)
		return ERR_PTR(-EOPNOTSUPP);
	if (down_read_killable(&task->signal->exec_update_lock))
		return ERR_PTR(-EINTR);
	if (!ub_sym(ptrace_may_access)(task, PTRACE_MODE_ATTACH_REALCREDS))
		mm = ERR_PTR(-EPERM);
	else
		mm = get_task_mm(task) ?: ERR_PTR(-ESRCH);
	up_read(&task->signal->exec_update_lock);
	return mm;
}

int ub_session_attach(struct ub_owner *owner, bool may_any, struct ub_attach *arg)
{
	struct task_struct *task;
	struct mm_struct *mm;
	int err;

	if (arg->flags)
		return -EINVAL;
	rcu_read_lock();
	task = get_pid_task(find_vpid(arg->pid), PIDTYPE_PID);
	rcu_read_unlock();
	if (!task)
		return -ESRCH;
	mm = get_mm(task);
	err = PTR_ERR_OR_ZERO(mm);
	if (err)
		goto put_task;
	err = -EOPNOTSUPP;
	if (test_tsk_thread_flag(task, TIF_ADDR32) || task_pt_regs(task)->cs != __USER_CS || ub_has_shadow_stack(task))
		goto put_mm;
	err = -EACCES;
	if (!ub_policy_is_on(task))
		goto put_mm;
	err = attach_mm(owner, task, mm, may_any, arg);
put_mm:
	mmput(mm);
put_task:
	put_task_struct(task);
	return err;
}

/* 0 if the caller may choose what @session's process executes. */
int ub_session_may_load(struct ub_session *session)
{
	struct task_struct *task = get_pid_task(session->pid, PIDTYPE_TGID);
	struct mm_struct *mm;

	if (!task)
		return -ESRCH;
	mm = get_mm(task);
	put_task_struct(task);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	mmput(mm);
	return mm == session->mm ? 0 : -ESRCH;
}

static void add_counts(struct ub_session_info *info, const struct ub_counts *counts)
{
	u32 i;

	info->entries += READ_ONCE(counts->entries);
	info->calls += READ_ONCE(counts->calls);
	info->native_calls += READ_ONCE(counts->native_calls);
	for (i = 0; i < UB_EXIT_COUNT; i++)
		info->exits[i] += READ_ONCE(counts->exits[i]);
}

static bool is_paused(struct ub_session *session)
{
	struct task_struct *task = get_pid_task(session->pid, PIDTYPE_TGID);
	bool is_on = task && ub_policy_is_on(task);

	if (task)
		put_task_struct(task);
	return READ_ONCE(session->is_paused) || !is_on;
}

/* Threads that are in a block report what they did there when they pass the slow path: soon, for the next time. */
int ub_session_info(struct ub_session *session, struct ub_session_info *info)
{
	struct ub_thread *thread;
	u32 id = info->id;

	*info = (struct ub_session_info){
		.id = id,
		.pid = pid_vnr(session->pid),
		.attached_ns = session->attached_ns,
		.start_ns = session->start_ns,
		.first_run_ns = READ_ONCE(session->first_run_ns),
		.native_why = READ_ONCE(session->native_why),
	};
	memcpy(info->comm, session->comm, sizeof(info->comm));
	info->state = READ_ONCE(session->is_dying) ? UB_SESSION_DYING :
		      is_paused(session) ? UB_SESSION_PAUSED : UB_SESSION_LIVE;
	spin_lock(&session->lock);
	info->thread_cnt = session->thread_cnt;
	info->block_cnt = session->block_cnt;
	info->btc_bytes = session->btc_bytes;
	if (!info->native_why && !info->block_cnt)
		info->native_why = UB_NATIVE_NO_BLOCK;
	add_counts(info, &session->gone);
	list_for_each_entry(thread, &session->threads, node)
		add_counts(info, &thread->counts);
	ub_thread_kick(session, NULL);
	spin_unlock(&session->lock);
	return 0;
}

static void on_kick(struct work_struct *work)
{
	ub_session_kick_all();
}

static DECLARE_WORK(kick_work, on_kick);

/* ub_session_kick_all(), for who may not sleep. */
void ub_session_kick_later(void)
{
	queue_work(ub_wq, &kick_work);
}

void ub_session_kick_all(void)
{
	struct ub_session *session;
	unsigned long id;

	mutex_lock(&ub_lock);
	xa_for_each(&sessions, id, session) {
		spin_lock(&session->lock);
		ub_thread_kick(session, NULL);
		spin_unlock(&session->lock);
	}
	mutex_unlock(&ub_lock);
}
