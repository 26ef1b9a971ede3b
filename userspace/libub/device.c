// SPDX-License-Identifier: GPL-2.0
/*
 * device: how to ask /dev/ub.  One thin function per command; the two that copy lists ask again with more room when
 * the first answer did not fit.
 */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "ub.h"

static int command(int fd, unsigned int number, void *arg)
{
	return ioctl(fd, number, arg) < 0 ? -errno : 0;
}

int ub_open(void)
{
	int fd = open(UB_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int ub_feature(int fd, struct ub_feature *ret)
{
	struct ub_feature feature = { 0 };
	int err = command(fd, UB_IOC_FEATURE, &feature);

	if (!err)
		*ret = feature;
	return err;
}

int ub_attach(int fd, pid_t pid, struct ub_attach *ret)
{
	struct ub_attach attach = { .pid = pid };
	int err = command(fd, UB_IOC_ATTACH, &attach);

	if (!err)
		*ret = attach;
	return err;
}

int ub_detach(int fd, u32 session_id)
{
	struct ub_id id = { .id = session_id };

	return command(fd, UB_IOC_DETACH, &id);
}

static int next(int fd, unsigned int number, u32 *id)
{
	struct ub_id arg = { .id = *id };
	int err = command(fd, number, &arg);

	if (!err)
		*id = arg.id;
	return err;
}

int ub_session_next(int fd, u32 *id)
{
	return next(fd, UB_IOC_SESSION_NEXT, id);
}

int ub_session_info(int fd, u32 id, struct ub_session_info *ret)
{
	struct ub_session_info info = { .id = id };
	int err = command(fd, UB_IOC_SESSION_INFO, &info);

	if (!err)
		*ret = info;
	return err;
}

int ub_session_find(int fd, pid_t pid, struct ub_session_info *ret)
{
	struct ub_session_info info;
	u32 id = 0;
	int err;

	while (!(err = ub_session_next(fd, &id))) {
		if (!ub_session_info(fd, id, &info) && info.pid == pid) {
			*ret = info;
			return 0;
		}
	}
	return err;
}

int ub_load(int fd, struct ub_load *load)
{
	return command(fd, UB_IOC_LOAD, load);
}

int ub_unload(int fd, u32 block_id)
{
	struct ub_id id = { .id = block_id };

	return command(fd, UB_IOC_UNLOAD, &id);
}

int ub_block_next(int fd, u32 *id)
{
	return next(fd, UB_IOC_BLOCK_NEXT, id);
}

int ub_block_info(int fd, u32 id, struct ub_block_info *ret)
{
	struct ub_block_info info = { .id = id };
	int err = command(fd, UB_IOC_BLOCK_INFO, &info);

	if (!err)
		*ret = info;
	return err;
}

int ub_block_dump(int fd, u32 id, enum ub_dump_what what, void **ret, size_t *ret_len, u64 *ret_address)
{
	struct ub_block_dump dump = { .id = id, .what = what };
	void *buf = NULL, *larger;
	int err;

	for (;;) {
		err = command(fd, UB_IOC_BLOCK_DUMP, &dump);
		if (err)
			break;
		if (dump.len <= dump.size) {
			*ret = buf;
			*ret_len = dump.len;
			if (ret_address)
				*ret_address = dump.address;
			return 0;
		}
		larger = realloc(buf, dump.len);
		if (!larger) {
			err = -ENOMEM;
			break;
		}
		buf = larger;
		dump = (struct ub_block_dump) { .id = id, .what = what, .buf = (uintptr_t)buf, .size = dump.len };
	}
	free(buf);
	return err;
}

int ub_block_exits(int fd, u32 id, struct ub_exit_info **ret, u32 *ret_cnt)
{
	struct ub_block_exits exits = { .id = id };
	struct ub_exit_info *buf = NULL, *larger;
	u32 room;
	int err;

	for (;;) {
		err = command(fd, UB_IOC_BLOCK_EXITS, &exits);
		if (err)
			break;
		if (exits.cnt <= exits.max) {
			*ret = buf;
			*ret_cnt = exits.cnt;
			return 0;
		}
		room = exits.cnt + 16;		/* more may be taken meanwhile */
		larger = realloc(buf, room * sizeof(*buf));
		if (!larger) {
			err = -ENOMEM;
			break;
		}
		buf = larger;
		exits = (struct ub_block_exits) { .id = id, .max = room, .buf = (uintptr_t)buf };
	}
	free(buf);
	return err;
}

int ub_cgroup_set(int fd, int dir_fd, enum ub_mode mode)
{
	struct ub_cgroup cgroup = { .fd = dir_fd, .mode = mode };

	return command(fd, UB_IOC_CGROUP_SET, &cgroup);
}

int ub_cgroup_get(int fd, int dir_fd, enum ub_mode *ret_own, enum ub_mode *ret_effective)
{
	struct ub_cgroup cgroup = { .fd = dir_fd };
	int err = command(fd, UB_IOC_CGROUP_GET, &cgroup);

	if (!err) {
		*ret_own = cgroup.mode;
		*ret_effective = cgroup.effective;
	}
	return err;
}
