/* SPDX-License-Identifier: GPL-2.0 */
/*
 * left: what of the module's memory is left, by what the kernel knows of it.
 *
 * With slub_debug=U,kmalloc-* each live allocation is known by the stack that made it.  One that the module made names
 * it, and once the module is gone, names an address where modules were.  What is mapped says the same.
 */
#ifndef LEFT_H
#define LEFT_H

#include "guest.h"

#include <dirent.h>
#include <glob.h>


/* Lines of @path that contain both. */
static inline u32 left_lines(const char *path, const char *what, const char *also)
{
	char line[1024];
	FILE *file = fopen(path, "r");
	u32 cnt = 0;

	while (file && fgets(line, sizeof(line), file))
		cnt += strstr(line, what) && strstr(line, also);
	if (file)
		fclose(file);
	return cnt;
}

/*
 * Not ours: what was made before this program began, what a process that was attached keeps until its memory map goes,
 * for which a processor that idles may take its time, what the module has as long as it is loaded, and what ftrace keeps
 * for the next user (its table, its trampoline for kprobes).
 */
static inline bool left_is_known(const char *record)
{
	static const char *const makers[] = {
		"__mmu_notifier_register+", " ub_init+", " dup_hash+", " alloc_ftrace_hash+", " arch_ftrace_update_trampoline+",
	};
	const char *pid = strstr(record, " pid=");
	char *end;
	u32 i;
	long last = pid ? strtol(pid + 5, &end, 10) : 0;

	if (last && *end == '-')
		last = strtol(end + 1, NULL, 10);
	for (i = 0; i < ARRAY_SIZE(makers); i++)
		if (strstr(record, makers[i]))
			return true;
	return last < getpid();
}

/* KASAN keeps freed memory back for a while, which counts as live: no longer. */
static inline void left_release(void)
{
	glob_t found;
	size_t i;
	int fd;

	if (glob("/sys/kernel/slab/kmalloc-*/shrink", 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++) {
		fd = open(found.gl_pathv[i], O_WRONLY);
		if (fd < 0 || write(fd, "1", 1) != 1)
			perror(found.gl_pathv[i]);
		close(fd);
	}
	globfree(&found);
}

/*
 * Allocations whose stack contains @what.  A record is a line that begins with the count, the lines of the stack, and
 * an empty one.
 */
static inline u32 left_allocations(const char *what, bool is_shown)
{
	char record[8192], line[1024];
	u32 cnt = 0, len;
	glob_t found;
	FILE *file;
	size_t i;

	if (glob("/sys/kernel/debug/slab/kmalloc-*/alloc_traces", 0, NULL, &found))
		return 0;
	for (i = 0; i < found.gl_pathc; i++) {
		file = fopen(found.gl_pathv[i], "r");
		for (len = 0; file && fgets(line, sizeof(line), file); ) {
			if (len + strlen(line) < sizeof(record))
				len += sprintf(record + len, "%s", line);
			if (line[0] != '\n')
				continue;
			if (strstr(record, what) && !left_is_known(record)) {
				cnt += atoi(record);
				if (is_shown)
					fprintf(stderr, "%s: %s", found.gl_pathv[i], record);
			}
			len = 0;
		}
		if (file)
			fclose(file);
	}
	globfree(&found);
	return cnt;
}

static inline u32 left_of(const char *what, bool is_shown)
{
	return left_allocations(what, is_shown) + left_lines("/proc/vmallocinfo", what, "");
}

/* Other modules are known by name; where one was that is gone, there is a bare address. */
static inline const char *left_what(bool is_loaded)
{
	return is_loaded ? "[ub]" : " 0xffffffffc";
}

/* What is left of the users of the module, or of the module. */
static inline u32 left_now(bool is_loaded)
{
	return left_of(left_what(is_loaded), false) + left_lines("/proc/kallsyms", "ub_btc_", "[bpf]");
}

/* The same once it has had time to go, ten times @pause_ms; what is there then is shown. */
static inline u32 left_settled(bool is_loaded, u32 pause_ms)
{
	u32 tries, left = 0;

	for (tries = 0; tries < 10; tries++) {
		left = left_now(is_loaded);
		if (!left)
			return 0;
		left_release();
		usleep(pause_ms * 1000);
	}
	left_of(left_what(is_loaded), true);
	return left;
}

#endif
