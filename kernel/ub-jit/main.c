// SPDX-License-Identifier: GPL-2.0
/* main: puts the module's parts together and takes them apart. */
#define pr_fmt(fmt) "ub: " fmt

#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>

#include "module.h"
#include "symbols.h"

struct workqueue_struct *ub_wq;
u64 ub_limit __ro_after_init;

static int __init ub_init(void)
{
	int err = ub_cpu_check();

	if (err)
		return err;
	ub_limit = TASK_SIZE_MAX;
	err = ub_policy_init();
	if (err)
		return err;
	err = ub_symbols_init();
	if (err)
		return err;
	ub_wq = alloc_workqueue("ub", WQ_UNBOUND, 0);
	if (!ub_wq)
		return -ENOMEM;
	err = ub_cpu_init();
	if (err)
		goto destroy_wq;
	err = ub_hook_init();
	if (err)
		goto exit_cpu;
	err = ub_attach_init();
	if (err)
		goto exit_hook;
	err = ub_dev_init();
	if (err)
		goto exit_attach;
	pr_info("ready, %u system calls hooked\n", ub_calls.hooked_cnt);
	return 0;

exit_attach:
	ub_attach_exit();
exit_hook:
	ub_hook_exit();
	synchronize_rcu_tasks();
exit_cpu:
	ub_cpu_exit();
destroy_wq:
	destroy_workqueue(ub_wq);
	return err;
}

/*
 * No owner and no thread is left: both hold the module.  What can be left is a thread on its last instructions in
 * here, which RCU tasks waits for, and work that frees things.
 */
static void __exit ub_exit(void)
{
	ub_dev_exit();
	ub_attach_exit();
	rcu_barrier();			/* queues the freeing of blocks */
	flush_workqueue(ub_wq);		/* blocks, which may be the last to hold their session */
	flush_workqueue(ub_wq);
	destroy_workqueue(ub_wq);
	ub_hook_exit();
	synchronize_rcu_tasks();
	ub_cpu_exit();
	ub_policy_exit();
}

module_init(ub_init);
module_exit(ub_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Userspace Bypass: runs verified user code between system calls in the kernel");
