// SPDX-License-Identifier: GPL-2.0
/*
 * dev: /dev/ub, see include/ub/uapi.h for what its commands mean.
 *
 * The struct of a command is copied in whole before it is looked at and copied out whole after, also when the command
 * failed; older and newer ones as uapi.h says.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "module.h"
#include "symbols.h"

static int do_feature(struct file *file, void *arg)
{
	*(struct ub_feature *)arg = (struct ub_feature){
		.abi_version = UB_ABI_VERSION,
		.max_insns = UB_MAX_INSNS,
		.max_entries = UB_MAX_ENTRIES,
		.max_sessions = UB_MAX_SESSIONS,
		.limit = ub_limit,
		.cpu = (boot_cpu_has(X86_FEATURE_SMAP) ? UB_CPU_SMAP : 0) |
		       (ub_barrier.clear || ub_barrier.fence ? UB_CPU_BHB : 0),
		.hooked_cnt = ub_calls.hooked_cnt,
		.failed_cnt = ub_calls.failed_cnt,
	};
	memcpy(((struct ub_feature *)arg)->syscalls, ub_calls.made, sizeof(ub_calls.made));
	memcpy(((struct ub_feature *)arg)->hooked, ub_calls.hooked, sizeof(ub_calls.hooked));
	return 0;
}

static int do_attach(struct file *file, void *arg)
{
	return ub_session_attach(file->private_data, file_ns_capable(file, &init_user_ns, CAP_SYS_PTRACE), arg);
}

static int do_detach(struct file *file, void *arg)
{
	const struct ub_id *id = arg;

	return id->flags ? -EINVAL : ub_session_detach(id->id);
}

static int do_session_next(struct file *file, void *arg)
{
	struct ub_id *id = arg;

	return id->flags ? -EINVAL : ub_session_next(&id->id);
}

static int do_session_info(struct file *file, void *arg)
{
	struct ub_session_info *info = arg;
	struct ub_session *session = ub_session_get_id(info->id);
	int err;

	if (!session)
		return -ESRCH;
	err = ub_session_info(session, info);
	ub_session_put(session);
	return err;
}

static int do_load(struct file *file, void *arg)
{
	return ub_load(arg);
}

static int do_unload(struct file *file, void *arg)
{
	const struct ub_id *id = arg;
	struct ub_btc *btc;

	if (id->flags)
		return -EINVAL;
	btc = ub_btc_get_id(id->id);
	if (!btc)
		return -ENOENT;
	ub_btc_remove(btc);
	ub_btc_put(btc);
	return 0;
}

static int do_block_next(struct file *file, void *arg)
{
	struct ub_id *id = arg;

	return id->flags ? -EINVAL : ub_btc_next(&id->id);
}

static int do_block_info(struct file *file, void *arg)
{
	struct ub_block_info *info = arg;
	struct ub_btc *btc = ub_btc_get_id(info->id);
	int err;

	if (!btc)
		return -ENOENT;
	err = ub_btc_info(btc, info);
	ub_btc_put(btc);
	return err;
}

/* What there is to dump of @btc; ERR_PTR(). */
static const void *dump_source(struct ub_btc *btc, struct ub_block_dump *dump)
{
	switch (dump->what) {
	case UB_DUMP_IR:
		dump->len = btc->insn_cnt * sizeof(*btc->insns);
		return btc->insns;
	case UB_DUMP_ENTRIES:
		dump->len = btc->entry_cnt * sizeof(*btc->entries);
		return btc->entries;
	case UB_DUMP_JIT:
		if (!capable(CAP_SYS_ADMIN))
			return ERR_PTR(-EPERM);
		dump->len = btc->text->code_len;
		if (ub_sym(kallsyms_show_value)(current_cred()))
			dump->address = (u64)btc->text->code;
		return btc->text->code;
	}
	return ERR_PTR(-EINVAL);
}

static int do_block_dump(struct file *file, void *arg)
{
	struct ub_block_dump *dump = arg;
	struct ub_btc *btc = ub_btc_get_id(dump->id);
	const void *from;
	int err = 0;

	if (!btc)
		return -ENOENT;
	dump->address = 0;
	from = dump_source(btc, dump);
	if (IS_ERR(from))
		err = PTR_ERR(from);
	else if (copy_to_user(u64_to_user_ptr(dump->buf), from, min(dump->size, dump->len)))
		err = -EFAULT;
	ub_btc_put(btc);
	return err;
}

static int copy_exits(const struct ub_btc *btc, struct ub_block_exits *arg)
{
	struct ub_exit_info __user *to = u64_to_user_ptr(arg->buf);
	u32 i;

	arg->cnt = 0;
	for (i = 0; i < btc->image->exit_cnt; i++) {
		struct ub_exit_info info = {
			.ip = btc->image->exits[i].ip,
			.last_target = READ_ONCE(btc->last_targets[i]),
			.count = atomic64_read(&btc->exit_counts[i]),
			.kind = btc->image->exits[i].kind,
			.insn_idx = btc->image->exits[i].insn_idx,
		};

		if (!info.count)
			continue;
		if (arg->cnt < arg->max && copy_to_user(&to[arg->cnt], &info, sizeof(info)))
			return -EFAULT;
		arg->cnt++;
	}
	return 0;
}

static int do_block_exits(struct file *file, void *arg)
{
	struct ub_block_exits *exits = arg;
	struct ub_btc *btc;
	int err;

	if (exits->pad)
		return -EINVAL;
	btc = ub_btc_get_id(exits->id);
	if (!btc)
		return -ENOENT;
	err = copy_exits(btc, exits);
	ub_btc_put(btc);
	return err;
}

static int do_cgroup_set(struct file *file, void *arg)
{
	return ub_policy_set(arg);
}

static int do_cgroup_get(struct file *file, void *arg)
{
	return ub_policy_get(arg);
}

/* The biggest argument; all of them start on the caller's stack. */
union arg {
	struct ub_feature feature;
	struct ub_attach attach;
	struct ub_session_info session;
	struct ub_load load;
	struct ub_block_info block;
};

static const struct {
	unsigned int cmd;
	int (*run)(struct file *file, void *arg);
} commands[] = {
	{ UB_IOC_FEATURE, do_feature },
	{ UB_IOC_ATTACH, do_attach },
	{ UB_IOC_DETACH, do_detach },
	{ UB_IOC_SESSION_NEXT, do_session_next },
	{ UB_IOC_SESSION_INFO, do_session_info },
	{ UB_IOC_LOAD, do_load },
	{ UB_IOC_UNLOAD, do_unload },
	{ UB_IOC_BLOCK_NEXT, do_block_next },
	{ UB_IOC_BLOCK_INFO, do_block_info },
	{ UB_IOC_BLOCK_DUMP, do_block_dump },
	{ UB_IOC_BLOCK_EXITS, do_block_exits },
	{ UB_IOC_CGROUP_SET, do_cgroup_set },
	{ UB_IOC_CGROUP_GET, do_cgroup_get },
};

static long on_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	u32 size = _IOC_SIZE(cmd), known, i;
	union arg arg;
	int err;

	if (!bpf_capable())
		return -EPERM;
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (_IOC_NR(cmd) == _IOC_NR(commands[i].cmd))
			break;
	if (i == ARRAY_SIZE(commands) || _IOC_TYPE(cmd) != 'u' || _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	known = _IOC_SIZE(commands[i].cmd);
	if (size < known)	/* there was no older version yet */
		return -EINVAL;
	err = copy_struct_from_user(&arg, known, (void __user *)user, size);
	if (err)
		return err;
	err = commands[i].run(file, &arg);
	if (copy_to_user((void __user *)user, &arg, known))
		return -EFAULT;
	return err;
}

static int on_open(struct inode *inode, struct file *file)
{
	struct ub_owner *owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);

	if (!owner)
		return -ENOMEM;
	INIT_LIST_HEAD(&owner->sessions);
	file->private_data = owner;
	return 0;
}

static int on_release(struct inode *inode, struct file *file)
{
	ub_session_detach_owner(file->private_data);
	kfree(file->private_data);
	return 0;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = on_open,
	.release = on_release,
	.unlocked_ioctl = on_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ub",
	.mode = 0600,
	.fops = &operations,
};

int ub_dev_init(void)
{
	return misc_register(&device);
}

void ub_dev_exit(void)
{
	misc_deregister(&device);
}
