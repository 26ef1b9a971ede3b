// SPDX-License-Identifier: GPL-2.0
/* cgroup: the configuration's policies, one UB_IOC_CGROUP_SET each. */
#include "cgroup.h"

#include <unistd.h>

#include <libub/ub.h>

#include "say.h"

static void push(int device, const char *path, enum ub_mode mode)
{
	int dir_fd, err;

	dir_fd = ub_cgroup_open(path);
	if (dir_fd < 0) {
		ubd_say(SAY_WARNING, "cgroup %s: %s; its policy is not set", path, strerror(-dir_fd));
		return;
	}
	err = ub_cgroup_set(device, dir_fd, mode);
	if (err)
		ubd_say(SAY_WARNING, "cgroup %s: cannot set mode %s: %s", path, ub_mode_name(mode),
			ub_command_error(UB_IOC_CGROUP_SET, err));
	close(dir_fd);
}

static bool names(const struct config *config, const char *path)
{
	u32 i;

	for (i = 0; i < config->cgroup_cnt; i++)
		if (!strcmp(config->cgroups[i].path, path))
			return true;
	return false;
}

void cgroup_push(int device, const struct config *config, const struct config *before)
{
	u32 i;

	for (i = 0; before && i < before->cgroup_cnt; i++)
		if (!names(config, before->cgroups[i].path))
			push(device, before->cgroups[i].path, UB_MODE_INHERIT);
	if (!names(config, "/") && (config->default_mode != UB_MODE_INHERIT ||
				    (before && before->default_mode != UB_MODE_INHERIT)))
		push(device, "/", config->default_mode);
	for (i = 0; i < config->cgroup_cnt; i++)
		push(device, config->cgroups[i].path, config->cgroups[i].mode);
}
