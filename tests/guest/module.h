/* SPDX-License-Identifier: GPL-2.0 */
/* module: a test loads and unloads the module itself. */
#ifndef MODULE_H
#define MODULE_H

#include "guest.h"

/* Of the file UB_MODULE, or @path where there is none.  0 or -errno. */
static inline int module_load(const char *path, const char *params)
{
	int file, err;

	path = getenv("UB_MODULE") ?: path;
	file = open(path, O_RDONLY | O_CLOEXEC);
	must(file >= 0, path);
	err = syscall(SYS_finit_module, file, params, 0) ? -errno : 0;
	close(file);
	return err;
}

static inline int module_unload(void)
{
	return syscall(SYS_delete_module, "ub", O_NONBLOCK) ? -errno : 0;
}

/* Sessions and blocks go when their owner does, and then the module can.  0, or the last -errno. */
static inline int module_unload_within(u32 seconds)
{
	u32 tries;
	int err = -EBUSY;

	for (tries = 0; tries < seconds * 50; tries++) {
		err = module_unload();
		if (!err)
			break;
		usleep(20000);
	}
	return err;
}

#endif
