// SPDX-License-Identifier: GPL-2.0
/* policy: exclusions and modes.  The kernel enforces the mode once more. */
#include "policy.h"

#include <sys/stat.h>
#include <unistd.h>

static __u64 dispatched[8];

void policy_calls(const struct ub_feature *feature)
{
	if (feature)
		memcpy(dispatched, feature->syscalls, sizeof(dispatched));
	else
		ub_syscall_expected(dispatched);
}

bool policy_is_hot_call(void *ctx, u32 nr)
{
	(void)ctx;
	return ub_syscall_in(dispatched, nr);
}

bool policy_may_dispatch(void *ctx, u64 nr)
{
	(void)ctx;
	return nr < UB_SYSCALL_LIMIT && ub_syscall_in(dispatched, nr);
}

const char *policy_excluded(const struct config *config, const struct ub_process *process)
{
	char path[64];
	struct stat st;
	u32 i;

	if (process->pid == getpid())
		return "ubd itself";
	if (process->pid == 1 && !config->init)
		return "process 1";
	if (process->is_kernel)
		return "a kernel thread";
	for (i = 0; i < config->exclude_comm_cnt; i++)
		if (!strcmp(process->comm, config->exclude_comm[i]))
			return "its name is in exclude_comm";
	snprintf(path, sizeof(path), "/proc/%d", process->pid);
	if (config->exclude_uid_cnt && stat(path, &st))
		return "it is gone";
	for (i = 0; i < config->exclude_uid_cnt; i++)
		if (st.st_uid == config->exclude_uid[i])
			return "its user is in exclude_uid";
	return NULL;
}

enum ub_mode policy_mode(const struct config *config, int device, const struct ub_process *process)
{
	enum ub_mode own, mode = UB_MODE_INHERIT;
	int dir_fd = -1;

	if (device >= 0)
		dir_fd = ub_cgroup_open(process->cgroup);
	if (dir_fd >= 0) {
		if (ub_cgroup_get(device, dir_fd, &own, &mode))
			mode = UB_MODE_INHERIT;
		close(dir_fd);
	}
	if (mode == UB_MODE_INHERIT)
		mode = config_mode(config, process->cgroup);
	return mode == UB_MODE_INHERIT ? UB_MODE_OBSERVE : mode;
}
