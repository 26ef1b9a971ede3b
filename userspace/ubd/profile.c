// SPDX-License-Identifier: GPL-2.0
/*
 * profile: the user half of the sampler: opens the clock of each CPU, attaches profile.bpf.c, empties its maps.
 *
 * Does not judge what it sees; heat.c does.
 */
#include "profile.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "profile.skel.h"

#define MAX_CPUS	1024
#define INIT_PID_NS	0xEFFFFFFCu	/* linux/proc_ns.h: PROC_PID_INIT_INO */

#define MAX_KEPT	1024	/* a power of two */

struct profile {
	struct profile_bpf *bpf;
	u32 cpu_cnt;			/* CPUs with an open event */
	int fds[MAX_CPUS];
	struct bpf_link *links[MAX_CPUS];
	u64 ticks;			/* at the last drain */
	u32 pids[PROFILE_MAX_PROCESSES];
	struct profile_process processes[PROFILE_MAX_PROCESSES];
	struct profile_site keys[PROFILE_MAX_SITES];
	u32 cnts[PROFILE_MAX_SITES];
	struct profile_sample samples[PROFILE_MAX_SITES];
	struct profile_site stack_keys[PROFILE_MAX_STACKS];
	struct profile_stack stacks[PROFILE_MAX_STACKS];
	/* The last stack seen at each site, by hash; a newer one of another site may take its place. */
	struct profile_site kept_keys[MAX_KEPT];
	struct profile_stack kept[MAX_KEPT];
};

/* Keeps libbpf from printing; its last complaint is all that a caller can use. */
static char last_complaint[256];

static int keep_complaint(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN) {
		vsnprintf(last_complaint, sizeof(last_complaint), format, args);
		last_complaint[strcspn(last_complaint, "\n")] = 0;
	}
	return 0;
}

static u32 own_pid_namespace(void)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) || st.st_ino == INIT_PID_NS)
		return 0;
	return st.st_ino;
}

static bool is_locked_down(void)
{
	char text[128] = "";
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	bool is_locked = false;

	if (!file)
		return false;
	if (fgets(text, sizeof(text), file))
		is_locked = strstr(text, "[confidentiality]");
	fclose(file);
	return is_locked;
}

static int load_bpf(struct profile *profile, char *why, size_t size)
{
	int err;

	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		snprintf(why, size, "this kernel has no BTF: /sys/kernel/btf/vmlinux is missing (CONFIG_DEBUG_INFO_BTF)");
		return -ENOENT;
	}
	libbpf_set_print(keep_complaint);
	profile->bpf = profile_bpf__open();
	if (!profile->bpf) {
		snprintf(why, size, "cannot open the sampler's BPF program: %s", last_complaint);
		return -errno;
	}
	profile->bpf->rodata->pid_namespace = own_pid_namespace();
	profile->bpf->rodata->own_pid = getpid();
	err = profile_bpf__load(profile->bpf);
	if (!err)
		return 0;
	if (err == -EPERM && is_locked_down())
		snprintf(why, size, "kernel lockdown \"confidentiality\" does not let BPF read registers");
	else if (err == -EPERM)
		snprintf(why, size, "not permitted to load BPF programs: root or CAP_BPF and CAP_PERFMON are needed");
	else
		snprintf(why, size, "cannot load the sampler's BPF program: %s: %s", strerror(-err), last_complaint);
	return err;
}

/* 0, also for a CPU that is offline; *ret_fd is -1 then. */
static int open_clock(u32 cpu, u32 hz, int *ret_fd)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 0,
		.sample_period = 1000000000ull / hz,	/* nanoseconds */
		.disabled = 1,
	};

	*ret_fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (*ret_fd >= 0 || errno == ENODEV)
		return 0;
	return -errno;
}

static int open_clocks(struct profile *profile, u32 hz, char *why, size_t size)
{
	int cpus = libbpf_num_possible_cpus(), cpu, fd, err;
	struct bpf_link *link;

	for (cpu = 0; cpu < cpus && profile->cpu_cnt < MAX_CPUS; cpu++) {
		err = open_clock(cpu, hz, &fd);
		if (err) {
			snprintf(why, size, "cannot open perf's cpu-clock on CPU %d: %s%s", cpu, strerror(-err),
				 err == -EACCES || err == -EPERM ?
				 ": root or CAP_PERFMON is needed (kernel.perf_event_paranoid)" :
				 err == -ENOSYS ? ": this kernel has no perf (CONFIG_PERF_EVENTS)" : "");
			return err;
		}
		if (fd < 0)
			continue;
		/* The link enables the event, and owns the descriptor from here. */
		link = bpf_program__attach_perf_event(profile->bpf->progs.on_tick, fd);
		if (!link) {
			err = -errno;
			close(fd);
			snprintf(why, size, "cannot attach BPF to perf's cpu-clock: %s", strerror(-err));
			return err;
		}
		profile->fds[profile->cpu_cnt] = fd;
		profile->links[profile->cpu_cnt++] = link;
	}
	if (profile->cpu_cnt)
		return 0;
	snprintf(why, size, "no CPU has a clock that perf can sample");
	return -ENODEV;
}

int profile_open(u32 hz, struct profile **ret, char *why, size_t why_size)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	int err;

	if (!profile) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	err = load_bpf(profile, why, why_size);
	if (!err)
		err = open_clocks(profile, hz, why, why_size);
	if (err) {
		profile_close(profile);
		return err;
	}
	*ret = profile;
	return 0;
}

void profile_close(struct profile *profile)
{
	u32 i;

	if (!profile)
		return;
	for (i = 0; i < profile->cpu_cnt; i++)
		bpf_link__destroy(profile->links[i]);
	profile_bpf__destroy(profile->bpf);
	free(profile);
}

int profile_rate(struct profile *profile, u32 hz)
{
	u64 period = 1000000000ull / hz;
	u32 i;

	for (i = 0; i < profile->cpu_cnt; i++)
		if (ioctl(profile->fds[i], PERF_EVENT_IOC_PERIOD, &period))
			return -errno;
	return 0;
}

u32 profile_cpus(const struct profile *profile)
{
	return profile->cpu_cnt;
}

/* Reads a hash map empty; how many elements there were. */
static int take_all(const struct bpf_map *map, void *keys, void *values, u32 max)
{
	u32 cursor = 0, cnt = max;
	int err;

	err = bpf_map_lookup_and_delete_batch(bpf_map__fd(map), NULL, &cursor, keys, values, &cnt, NULL);
	if (err && err != -ENOENT)		/* -ENOENT: that was all */
		return err;
	return cnt;
}

static u32 kept_slot(u32 pid, u64 ip)
{
	return (ip ^ (u64)pid << 32) * 0x9e3779b97f4a7c15ull >> 32 & (MAX_KEPT - 1);
}

static int keep_stacks(struct profile *profile)
{
	const struct profile_site *site;
	u32 slot;
	int cnt, i;

	cnt = take_all(profile->bpf->maps.stacks, profile->stack_keys, profile->stacks, PROFILE_MAX_STACKS);
	for (i = 0; i < cnt; i++) {
		site = &profile->stack_keys[i];
		slot = kept_slot(site->pid, site->ip);
		profile->kept_keys[slot] = *site;
		profile->kept[slot] = profile->stacks[i];
	}
	return cnt < 0 ? cnt : 0;
}

const struct profile_stack *profile_stack(const struct profile *profile, u32 pid, u64 ip)
{
	u32 slot = kept_slot(pid, ip);

	if (profile->kept_keys[slot].pid != pid || profile->kept_keys[slot].ip != ip)
		return NULL;
	return &profile->kept[slot];
}

int profile_drain(struct profile *profile, struct profile_batch *ret)
{
	struct profile_batch batch = { .processes = profile->processes, .pids = profile->pids };
	u32 zero = 0;
	u64 ticks;
	int cnt, i, err;

	err = bpf_map__lookup_elem(profile->bpf->maps.ticks, &zero, sizeof(zero), &ticks, sizeof(ticks), 0);
	if (err)
		return err;
	cnt = take_all(profile->bpf->maps.processes, profile->pids, profile->processes, PROFILE_MAX_PROCESSES);
	if (cnt < 0)
		return cnt;
	batch.process_cnt = cnt;
	cnt = take_all(profile->bpf->maps.sites, profile->keys, profile->cnts, PROFILE_MAX_SITES);
	if (cnt < 0)
		return cnt;
	for (i = 0; i < cnt; i++)
		profile->samples[i] = (struct profile_sample){ profile->keys[i], profile->cnts[i] };
	batch.samples = profile->samples;
	batch.sample_cnt = cnt;
	err = keep_stacks(profile);
	if (err)
		return err;
	batch.ticks = ticks - profile->ticks;
	profile->ticks = ticks;
	*ret = batch;
	return 0;
}
