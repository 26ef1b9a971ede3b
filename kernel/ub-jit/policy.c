// SPDX-License-Identifier: GPL-2.0
/*
 * policy: which cgroups (version 2) may have their processes bypassed.
 *
 * A mode per cgroup, by its id, which the kernel never uses twice; the nearest ancestor that has one wins.  A thread
 * keeps the answer for its cgroup; ub_policy_gen moves when any mode changes, which makes all threads ask again.
 */
#define pr_fmt(fmt) "ub: " fmt

#include <linux/cgroup.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/xarray.h>

#include "gate.h"
#include "module.h"

static char *default_mode = "off";
module_param(default_mode, charp, 0444);
MODULE_PARM_DESC(default_mode, "off, observe or on: mode of cgroups without a policy (off)");

static DEFINE_XARRAY(modes);
static DEFINE_MUTEX(lock);
static u32 policy_cnt;
atomic_t ub_policy_gen = ATOMIC_INIT(1);
static enum ub_mode root_mode __ro_after_init;

int ub_policy_init(void)
{
	static const char *const names[] = {
		[UB_MODE_OFF] = "off", [UB_MODE_OBSERVE] = "observe", [UB_MODE_ON] = "on",
	};
	u32 mode;

	for (mode = UB_MODE_OFF; mode < ARRAY_SIZE(names); mode++)
		if (!strcmp(default_mode, names[mode])) {
			root_mode = mode;
			return 0;
		}
	pr_err("default_mode is off, observe or on, not \"%s\"\n", default_mode);
	return -EINVAL;
}

void ub_policy_exit(void)
{
	xa_destroy(&modes);
}

static enum ub_mode own_mode(const struct cgroup *cgroup)
{
	void *mode = xa_load(&modes, cgroup_id(cgroup));

	return mode ? xa_to_value(mode) : UB_MODE_INHERIT;
}

static enum ub_mode effective_mode(struct cgroup *cgroup)
{
	for (; cgroup; cgroup = cgroup_parent(cgroup))
		if (own_mode(cgroup) != UB_MODE_INHERIT)
			return own_mode(cgroup);
	return root_mode;
}

bool ub_policy_is_on(struct task_struct *task)
{
	bool is_on;

	rcu_read_lock();
	is_on = effective_mode(task_dfl_cgroup(task)) == UB_MODE_ON;
	rcu_read_unlock();
	return is_on;
}

/* The generation is read first: what changes behind that is asked for again. */
bool ub_policy_ask(struct ub_thread *thread)
{
	thread->policy_gen = atomic_read_acquire(&ub_policy_gen);
	thread->is_on = ub_policy_is_on(current);
	return thread->is_on;
}

/* Some task is in another cgroup now.  May not sleep. */
void ub_policy_moved(void)
{
	atomic_inc_return_release(&ub_policy_gen);
	if (ub_session_cnt())
		ub_session_kick_later();
}

static struct cgroup *get_cgroup(int fd)
{
	struct cgroup *cgroup = cgroup_get_from_fd(fd);

	if (IS_ERR(cgroup))
		return cgroup;
	if (cgroup->root != &cgrp_dfl_root) {
		cgroup_put(cgroup);
		return ERR_PTR(-EINVAL);
	}
	return cgroup;
}

static int set_mode(const struct cgroup *cgroup, u32 mode)
{
	enum ub_mode old = own_mode(cgroup);
	void *err;

	if (mode == UB_MODE_INHERIT) {
		xa_erase(&modes, cgroup_id(cgroup));
		policy_cnt -= old != UB_MODE_INHERIT;
		return 0;
	}
	if (old == UB_MODE_INHERIT && policy_cnt >= UB_MAX_POLICIES)
		return -ENOSPC;
	err = xa_store(&modes, cgroup_id(cgroup), xa_mk_value(mode), GFP_KERNEL_ACCOUNT);
	if (xa_is_err(err))
		return xa_err(err);
	policy_cnt += old == UB_MODE_INHERIT;
	return 0;
}

int ub_policy_set(const struct ub_cgroup *arg)
{
	struct cgroup *cgroup;
	int err;

	if (arg->flags || arg->mode > UB_MODE_ON)
		return -EINVAL;
	cgroup = get_cgroup(arg->fd);
	if (IS_ERR(cgroup))
		return PTR_ERR(cgroup);
	mutex_lock(&lock);
	err = set_mode(cgroup, arg->mode);
	atomic_inc_return_release(&ub_policy_gen);
	mutex_unlock(&lock);
	cgroup_put(cgroup);
	ub_session_kick_all();
	return err;
}

int ub_policy_get(struct ub_cgroup *arg)
{
	struct cgroup *cgroup;

	if (arg->flags)
		return -EINVAL;
	cgroup = get_cgroup(arg->fd);
	if (IS_ERR(cgroup))
		return PTR_ERR(cgroup);
	rcu_read_lock();
	arg->mode = own_mode(cgroup);
	arg->effective = effective_mode(cgroup);
	rcu_read_unlock();
	cgroup_put(cgroup);
	return 0;
}
