// SPDX-License-Identifier: GPL-2.0
/* inject: which allocation fails.  See inject.h. */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

static atomic_t left;

bool ub_inject(void)
{
	int old = atomic_read(&left);

	while (old && !atomic_try_cmpxchg(&left, &old, old - 1))
		;
	return old == 1;
}

static int set_left(const char *text, const struct kernel_param *param)
{
	unsigned int value;
	int err = kstrtouint(text, 0, &value);

	if (!err)
		atomic_set(&left, value);
	return err;
}

static int get_left(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", atomic_read(&left));
}

static const struct kernel_param_ops ops = { .set = set_left, .get = get_left };
module_param_cb(fail_at, &ops, NULL, 0600);
