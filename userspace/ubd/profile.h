/* SPDX-License-Identifier: GPL-2.0 */
/*
 * profile: who runs, by sampling.
 *
 * Each CPU's clock interrupts some hundred times a second; a BPF program notes whose time it was, in which call, and
 * where in user code.  No tracepoint is enabled, so programs that are not sampled run as if nobody looked.
 */
#ifndef UBD_PROFILE_H
#define UBD_PROFILE_H

#ifndef __VMLINUX_H__
#include <ub/port.h>
#endif

/* Shared with profile.bpf.c. */
#define PROFILE_MAX_SITES	8192
#define PROFILE_MAX_PROCESSES	1024

#define PROFILE_MAX_STACKS	512
#define PROFILE_STACK_WORDS	64

#define PROFILE_NO_CALL		0xffffffffu

/* Where user code stood.  @nr is the call a sample in the kernel was in, @ip then right behind the syscall
 * instruction; PROFILE_NO_CALL: a sample in user mode, at @ip. */
struct profile_site {
	u32 pid;
	u32 nr;
	u64 ip;
};

struct profile_process {
	u64 start_ns;			/* CLOCK_BOOTTIME of the start of the process: tells reused ids apart */
	u64 cgroup_id;
	u32 user;			/* samples in user mode */
	u32 call;			/* in the kernel, in a system call */
	u32 other;			/* in the kernel for another reason */
	u32 compat;			/* samples with other than the 64-bit user segment */
	char comm[16];
};

/* The user's stack, upwards from its pointer, at one of the samples of a site. */
struct profile_stack {
	u64 words[PROFILE_STACK_WORDS];
};

#ifndef __VMLINUX_H__
struct profile;

/*
 * 0, or -errno with one line of what is missing in @why: no BTF (-ENOENT), not permitted (-EPERM), no perf, ...
 * @hz: samples a second on each CPU.
 */
int profile_open(u32 hz, struct profile **ret, char *why, size_t why_size);
void profile_close(struct profile *profile);
int profile_rate(struct profile *profile, u32 hz);
u32 profile_cpus(const struct profile *profile);

/*
 * What was seen since the last call.  The arrays belong to @profile and live until the next call.  ret->ticks counts
 * the samples of all CPUs, idle ones included: the measure of time.
 */
struct profile_sample {
	struct profile_site site;
	u32 cnt;
};
struct profile_batch {
	u64 ticks;
	const u32 *pids;		/* one for each process */
	const struct profile_process *processes;
	u32 process_cnt;
	const struct profile_sample *samples;
	u32 sample_cnt;
};
int profile_drain(struct profile *profile, struct profile_batch *ret);
/* A stack seen lately at this call, or NULL. */
const struct profile_stack *profile_stack(const struct profile *profile, u32 pid, u64 ip);
#endif

#endif
