// SPDX-License-Identifier: GPL-2.0
/* cgroup: the policy of control groups; nearest ancestor with one of its own wins. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "tool.h"

#define MAX_DEPTH	64
#define MAX_PATH	4096

/* Where the walk stands: a stack of open directories instead of a recursion. */
struct walk {
	DIR *dirs[MAX_DEPTH];
	size_t lens[MAX_DEPTH];		/* of the path of each */
	int depth;
	char path[MAX_PATH];		/* below the root, "" is the root itself */
};

static int out_cgroup(struct json_object *cgroups, int fd, const struct walk *walk)
{
	struct json_object *out;
	enum ub_mode own, effective;
	int err;

	err = ub_cgroup_get(fd, dirfd(walk->dirs[walk->depth - 1]), &own, &effective);
	if (err == -ENOENT || err == -ENODEV)
		return 0;		/* removed meanwhile */
	if (err)
		return err;
	out = out_object(cgroups, NULL);
	out_str(out, "own", ub_mode_name(own));
	out_str(out, "effective", ub_mode_name(effective));
	out_str(out, "path", walk->path[0] ? walk->path : "/");
	return 0;
}

static void push(struct walk *walk, int dir_fd)
{
	DIR *dir = walk->depth < MAX_DEPTH ? fdopendir(dir_fd) : NULL;

	if (!dir) {
		close(dir_fd);
		return;
	}
	walk->lens[walk->depth] = strlen(walk->path);
	walk->dirs[walk->depth++] = dir;
}

/* Goes down to the next directory, or up; false at the end. */
static bool step(struct walk *walk, bool *is_new)
{
	struct dirent *entry;
	size_t len;
	int dir_fd, depth = walk->depth;

	*is_new = false;
	if (!depth)
		return false;
	len = walk->lens[depth - 1];
	walk->path[len] = 0;
	entry = readdir(walk->dirs[depth - 1]);
	if (!entry) {
		closedir(walk->dirs[depth - 1]);
		walk->depth--;
		return true;
	}
	if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || len + strlen(entry->d_name) + 2 > MAX_PATH)
		return true;
	dir_fd = openat(dirfd(walk->dirs[depth - 1]), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd >= 0) {
		sprintf(walk->path + len, "/%s", entry->d_name);
		push(walk, dir_fd);
		*is_new = walk->depth > depth;
	}
	return true;
}

/* The path below the cgroup file system's root, without a slash at its end. */
static void begin_path(struct walk *walk, const char *path)
{
	size_t root_len = strlen(UB_CGROUP_ROOT), len;

	if (!strncmp(path, UB_CGROUP_ROOT, root_len) && (!path[root_len] || path[root_len] == '/'))
		path += root_len;
	path += strspn(path, "/");
	snprintf(walk->path, sizeof(walk->path), "%s%s", *path ? "/" : "", path);
	for (len = strlen(walk->path); len && walk->path[len - 1] == '/'; len--)
		walk->path[len - 1] = 0;
}

static int cgroup_show(struct tool *tool, int argc, char **argv)
{
	struct json_object *cgroups = out_array(tool->out, "cgroups");
	const char *path = argc ? argv[0] : "/";
	static struct walk walk;
	bool is_new = true;
	int fd, dir_fd, err = 0;

	if (argc > 1)
		return tool_usage(tool, "\"%s\" is too much", argv[1]);
	fd = tool_device(tool);
	if (fd < 0)
		return TOOL_FAILED;
	dir_fd = ub_cgroup_open(path);
	if (dir_fd < 0)
		return tool_fail(tool, "cannot open cgroup %s: %s", path, strerror(-dir_fd));
	begin_path(&walk, path);
	push(&walk, dir_fd);
	do {
		if (is_new && walk.depth && !err)
			err = out_cgroup(cgroups, fd, &walk);
	} while (step(&walk, &is_new));
	if (err)
		return tool_fail(tool, "cannot ask for the policy of %s: %s", path,
				 ub_command_error(UB_IOC_CGROUP_GET, err));
	return TOOL_OK;
}

static int cgroup_set(struct tool *tool, int argc, char **argv)
{
	enum ub_mode mode, own, effective;
	int fd, dir_fd, err;

	if (argc != 2)
		return tool_usage(tool, argc < 2 ? "a path and a mode are needed" : "\"%s\" is too much", argv[2]);
	if (ub_mode_parse(argv[1], &mode))
		return tool_usage(tool, "no mode \"%s\"", argv[1]);
	fd = tool_device(tool);
	if (fd < 0)
		return TOOL_FAILED;
	dir_fd = ub_cgroup_open(argv[0]);
	if (dir_fd < 0)
		return tool_fail(tool, "cannot open cgroup %s: %s", argv[0], strerror(-dir_fd));
	err = ub_cgroup_set(fd, dir_fd, mode);
	if (!err)
		err = ub_cgroup_get(fd, dir_fd, &own, &effective);
	close(dir_fd);
	if (err)
		return tool_fail(tool, "cannot set the policy of %s: %s", argv[0],
				 ub_command_error(UB_IOC_CGROUP_SET, err));
	out_str(tool->out, "path", argv[0]);
	out_str(tool->out, "own", ub_mode_name(own));
	out_str(tool->out, "effective", ub_mode_name(effective));
	return TOOL_OK;
}

const struct verb cgroup_verbs[] = {
	{ "show", cgroup_show, "[PATH]", "policies of a cgroup and all below it" },
	{ "set", cgroup_set, "PATH {off | observe | on | inherit}", "set a cgroup's policy" },
	{ 0 }
};
