// SPDX-License-Identifier: GPL-2.0
/*
 * sick: does one wrong thing when it is loaded, and does not stay.  A debug kernel must say so.
 *
 * What is wrong is chosen by name.  Nothing of it outlives the call: memory that is touched after it was freed is still
 * in the allocator's quarantine.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/timer.h>

static char *how = "";
module_param(how, charp, 0444);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void lock_both(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

/* Each order once: nobody waits for anybody, today. */
static void do_order(void)
{
	lock_both(&first, &second);
	lock_both(&second, &first);
}

static void do_sleep(void)
{
	preempt_disable();
	might_sleep();
	preempt_enable();
}

static void do_cpu(void)
{
	pr_info("ub_sick: on processor %d, maybe\n", smp_processor_id());
}

static void do_rcu(void)
{
	static int value;
	static int __rcu *pointer = RCU_INITIALIZER(&value);

	WRITE_ONCE(value, READ_ONCE(*rcu_dereference(pointer)));
}

static void on_timer(struct timer_list *timer)
{
}

static void do_object(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, on_timer, 0);
	mod_timer(timer, jiffies + 100 * HZ);
	kfree(timer);		/* debug objects takes it off its list, too */
}

static void do_shift(void)
{
	unsigned int by = 40;

	OPTIMIZER_HIDE_VAR(by);
	pr_info("ub_sick: %u\n", 1u << by);
}

static void do_freed(void)
{
	volatile char *memory = kmalloc(100, GFP_KERNEL);

	if (!memory)
		return;
	kfree((void *)memory);
	memory[7];
}

static void do_beyond(void)
{
	volatile char *memory = kmalloc(100, GFP_KERNEL);

	if (!memory)
		return;
	memory[100];
	kfree((void *)memory);
}

static void do_leak(void)
{
	void *memory = kmalloc(100, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(memory);
}

static const struct {
	const char *how;
	void (*run)(void);
} wrongs[] = {
	{ "order", do_order }, { "sleep", do_sleep }, { "cpu", do_cpu }, { "rcu", do_rcu }, { "object", do_object },
	{ "shift", do_shift }, { "freed", do_freed }, { "beyond", do_beyond }, { "leak", do_leak },
};

static int __init sick_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(wrongs); i++)
		if (!strcmp(how, wrongs[i].how))
			wrongs[i].run();
	return -ENODEV;		/* that was all */
}

module_init(sick_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Does one wrong thing, to see whether a debug kernel notices");
