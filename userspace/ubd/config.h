/* SPDX-License-Identifier: GPL-2.0 */
/* config: what /etc/ub/ubd.conf says.  Pure: text in, struct out. */
#ifndef UBD_CONFIG_H
#define UBD_CONFIG_H

#include <sys/types.h>

#include <ub/port.h>
#include <ub/uapi.h>

#define CONFIG_PATH		"/etc/ub/ubd.conf"
#define CONFIG_MAX_CGROUPS	64
#define CONFIG_MAX_EXCLUDES	32

struct config_cgroup {
	char path[256];			/* "/" first, no "/" last but for the root */
	enum ub_mode mode;
};

struct config {
	/* [sampling] */
	u32 search_hz;			/* while something looks hot */
	u32 idle_hz;			/* else */
	u32 interval_ms;		/* between two looks at the samples; the window is two of them */
	/* [heat] */
	u32 min_samples;		/* in calls, in a window */
	u32 min_share;			/* percent of one CPU */
	/* [limits] */
	u32 max_sessions;
	u32 max_guest_insns;
	u32 max_regrowths;
	u32 min_entries;		/* before a block is judged */
	u32 min_calls_per_entry;
	u32 retry_s;			/* after the first take-back; doubles each time */
	/* [policy] */
	enum ub_mode default_mode;	/* INHERIT: the module's own default */
	char exclude_comm[CONFIG_MAX_EXCLUDES][16];
	u32 exclude_comm_cnt;
	u32 exclude_uid[CONFIG_MAX_EXCLUDES];
	u32 exclude_uid_cnt;
	bool init;			/* may process 1 be helped */
	/* [cgroup PATH] */
	struct config_cgroup cgroups[CONFIG_MAX_CGROUPS];
	u32 cgroup_cnt;
};

void config_default(struct config *ret);

/*
 * Reads @text, NUL-terminated; @name stands in messages.  0, or -EINVAL with "NAME:LINE: what, what is allowed" in
 * @why; *ret is set on 0 only.
 */
int config_parse(const char *text, const char *name, struct config *ret, char *why, size_t why_size);
/* The same from a file; -errno of open and read too. */
int config_read(const char *path, struct config *ret, char *why, size_t why_size);

/* The mode that @config gives the cgroup @path: the nearest [cgroup] at or above it, else default_mode. */
enum ub_mode config_mode(const struct config *config, const char *path);

#endif
