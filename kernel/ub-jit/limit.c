// SPDX-License-Identifier: GPL-2.0
/*
 * limit: how many blocks, and how much machine code, may the processes of a cgroup (version 2) have?
 *
 * A block is charged to the cgroup that its process is in when it is loaded, and to all above that one: processes that
 * divide themselves among cgroups of their own gain nothing.  It stays charged there, wherever the process goes, until
 * its memory is freed.  The root's count is that of all blocks; image.c has the limit of all machine code.
 */
#include <linux/cgroup.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "module.h"

static u32 max_blocks = 16384;
module_param(max_blocks, uint, 0644);
MODULE_PARM_DESC(max_blocks, "blocks in all (16384)");

static u32 max_cgroup_blocks = 8192;
module_param(max_cgroup_blocks, uint, 0644);
MODULE_PARM_DESC(max_cgroup_blocks, "blocks of a cgroup and those below it (8192)");

static u32 max_cgroup_btc_mb = 32;
module_param(max_cgroup_btc_mb, uint, 0644);
MODULE_PARM_DESC(max_cgroup_btc_mb, "MiB of machine code of a cgroup and those below it (32)");

/* What a cgroup has.  There while it has anything; by the cgroup's id. */
struct usage {
	u32 blocks;
	u64 bytes;
};

static DEFINE_MUTEX(lock);	/* for usages and what is in them */
static DEFINE_XARRAY(usages);

static bool has_room(const struct cgroup *cgroup, const struct usage *usage, u32 size)
{
	if (!cgroup_parent((struct cgroup *)cgroup))
		return usage->blocks < READ_ONCE(max_blocks);
	return usage->blocks < READ_ONCE(max_cgroup_blocks) &&
	       usage->bytes + size <= (u64)READ_ONCE(max_cgroup_btc_mb) << 20;
}

static int charge_one(const struct cgroup *cgroup, u32 size)
{
	struct usage *usage = xa_load(&usages, cgroup_id(cgroup));
	bool is_new = !usage;
	int err = -ENOSPC;

	if (is_new)
		usage = kzalloc(sizeof(*usage), GFP_KERNEL_ACCOUNT);
	if (!usage)
		return -ENOMEM;
	if (has_room(cgroup, usage, size))
		err = is_new ? xa_insert(&usages, cgroup_id(cgroup), usage, GFP_KERNEL_ACCOUNT) : 0;
	if (err) {
		if (is_new)
			kfree(usage);
		return err;
	}
	usage->blocks++;
	usage->bytes += size;
	return 0;
}

/* From @cgroup up to but not @end. */
static void uncharge_up(struct cgroup *cgroup, const struct cgroup *end, u32 size)
{
	for (; cgroup != end; cgroup = cgroup_parent(cgroup)) {
		struct usage *usage = xa_load(&usages, cgroup_id(cgroup));

		usage->bytes -= size;
		if (--usage->blocks)
			continue;
		xa_erase(&usages, cgroup_id(cgroup));
		kfree(usage);
	}
}

/* The cgroup of @pid's process, with a reference; NULL: the process is gone. */
static struct cgroup *get_cgroup(struct pid *pid)
{
	struct cgroup *cgroup = NULL;
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	/* Fails only for one that the task has just left. */
	while (task && !cgroup_tryget(cgroup = task_dfl_cgroup(task)))
		cpu_relax();
	rcu_read_unlock();
	return cgroup;
}

/* Charges @btc, whose text is placed; ub_limit_uncharge() takes it back.  -ENOSPC: there is no room. */
int ub_limit_charge(struct ub_btc *btc)
{
	struct cgroup *own = get_cgroup(btc->session->pid), *cgroup;
	int err = 0;

	if (!own)
		return -ESRCH;
	mutex_lock(&lock);
	for (cgroup = own; cgroup; cgroup = cgroup_parent(cgroup)) {
		err = charge_one(cgroup, btc->text->size);
		if (err) {
			uncharge_up(own, cgroup, btc->text->size);
			break;
		}
	}
	mutex_unlock(&lock);
	if (err)
		cgroup_put(own);
	else
		btc->charged = own;
	return err;
}

void ub_limit_uncharge(struct ub_btc *btc)
{
	if (!btc->charged)
		return;
	mutex_lock(&lock);
	uncharge_up(btc->charged, NULL, btc->text->size);
	mutex_unlock(&lock);
	cgroup_put(btc->charged);
}
