// SPDX-License-Identifier: GPL-2.0
/* process: what /proc and the cgroup file system say about a process.  A fact that cannot be read is left empty. */
#include <fcntl.h>
#include <unistd.h>

#include "ub.h"

#define PF_KTHREAD	0x00200000	/* include/linux/sched.h, as in field 9 of /proc/PID/stat */

/* Reads a small file of /proc/@pid, NUL-terminated. */
static int read_file(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	if (len < 0)
		len = -errno;
	close(fd);
	if (len < 0)
		return len;
	buf[len] = 0;
	return 0;
}

/* The number behind "@key" at the beginning of a line. */
static u64 field(const char *text, const char *key)
{
	const char *at = text;
	size_t len = strlen(key);

	while (at) {
		if (!strncmp(at, key, len))
			return strtoull(at + len, NULL, 10);
		at = strchr(at, '\n');
		at += !!at;
	}
	return 0;
}

/* comm, flags and start from /proc/PID/stat; comm may hold blanks and parentheses: it ends at the last ")". */
static int read_stat(struct ub_process *process)
{
	char text[1024], *begin, *end;
	unsigned int flags;
	unsigned long long start;
	int err;

	err = read_file(process->pid, "stat", text, sizeof(text));
	if (err)
		return -ESRCH;
	begin = strchr(text, '(');
	end = strrchr(text, ')');
	if (!begin || !end)
		return -ESRCH;
	snprintf(process->comm, sizeof(process->comm), "%.*s", (int)(end - begin - 1), begin + 1);
	/* Fields 3 to 22: state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime
	 * cstime priority nice num_threads itrealvalue starttime. */
	if (sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &flags, &start) != 2)
		return -ESRCH;
	process->is_kernel = flags & PF_KTHREAD;
	process->start_ns = start * (1000000000ull / sysconf(_SC_CLK_TCK));
	return 0;
}

static void read_cgroup(struct ub_process *process)
{
	char text[4096], *at;

	if (read_file(process->pid, "cgroup", text, sizeof(text)))
		return;
	at = strstr(text, "0::");
	if (at && (at == text || at[-1] == '\n'))
		snprintf(process->cgroup, sizeof(process->cgroup), "%.*s", (int)strcspn(at + 3, "\n"), at + 3);
}

int ub_process_read(pid_t pid, struct ub_process *ret)
{
	struct ub_process process = { 0 };
	char text[4096], path[64];
	ssize_t len;
	int err;

	err = read_file(pid, "status", text, sizeof(text));
	if (err)
		return -ESRCH;
	process.pid = field(text, "Tgid:\t");
	process.thread_cnt = field(text, "Threads:\t");
	err = read_stat(&process);
	if (err)
		return err;
	if (!read_file(process.pid, "io", text, sizeof(text)))
		process.syscall_cnt = field(text, "syscr: ") + field(text, "syscw: ");
	snprintf(path, sizeof(path), "/proc/%d/exe", process.pid);
	len = readlink(path, process.exe, sizeof(process.exe) - 1);
	process.exe[len < 0 ? 0 : len] = 0;
	read_cgroup(&process);
	*ret = process;
	return 0;
}

int ub_process_memory(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

size_t ub_process_peek(int mem_fd, u64 address, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t now;

	while (done < len) {
		now = pread(mem_fd, (char *)buf + done, len - done, address + done);
		if (now <= 0)
			break;
		done += now;
	}
	return done;
}

int ub_cgroup_open(const char *path)
{
	size_t root_len = strlen(UB_CGROUP_ROOT);
	char full[4096];
	int fd;

	if (!strncmp(path, UB_CGROUP_ROOT, root_len) && (!path[root_len] || path[root_len] == '/'))
		path += root_len;
	if (snprintf(full, sizeof(full), UB_CGROUP_ROOT "/%s", path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
