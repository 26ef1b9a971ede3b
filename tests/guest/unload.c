// SPDX-License-Identifier: GPL-2.0
/*
 * unload: the module goes when nobody needs it, and not before.
 *
 * usage: unload	as root, with the module loaded; it is unloaded at the end
 */
#include "guest.h"
#include "module.h"
#include "worker.h"

CALL_LOOP(read_loop)

static int fd;

static u64 read_one(void *data)
{
	static char byte;

	return read_loop(3, SYS_read, *(int *)data, (u64)&byte, 1, 0);
}

int main(void)
{
	struct draft draft = read_loop_draft(SYS_read);
	struct worker loop, sleeper, native;
	int pipes[2], err;

	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	must(!pipe(pipes), "pipe");
	native = steady_start(fd, false);
	loop = steady_start(fd, true);
	sleeper = worker_start(fd, read_one, &pipes[0], sizeof(int), &draft);
	must(write(pipes[1], "x", 1) == 1, "write");
	usleep(100000);
	check(calls_in(fd, loop.session, 50) > 0, "unload-bypassed", "no calls");
	err = module_unload();
	check(err == -EWOULDBLOCK || err == -EBUSY, "unload-attached", "%s", strerror(-err));
	check(calls_in(fd, loop.session, 50) > 0, "unload-attached-bypassed", "no calls");
	close(fd);
	fd = -1;
	usleep(100000);
	err = module_unload();
	check(err == -EWOULDBLOCK || err == -EBUSY, "unload-sleeper", "%s", strerror(-err));
	must(write(pipes[1], "xx", 2) == 2, "write");
	err = module_unload_within(5);
	check(!err, "unload", "%s", strerror(-err));
	check(access(UB_DEVICE, F_OK) < 0, "unloaded", "device is still there");
	sleeper.session = loop.session = 0;
	worker_wait(fd, &sleeper);
	check(sleeper.result == 3 && !sleeper.status, "unload-sleeper-results", "%lld, status 0x%x",
	      (long long)sleeper.result, sleeper.status);
	check(is_moving(&loop), "unload-goes-on", "does not");
	check(steady_end(fd, &loop), "unload-results", "status 0x%x", loop.status);
	check(steady_end(fd, &native), "unload-native-results", "status 0x%x", native.status);
	return failed_cnt != 0;
}
