// SPDX-License-Identifier: GPL-2.0
/*
 * profile: what one clock interrupt saw.
 *
 * Runs on the perf software event "cpu-clock" of each CPU.  Counts in maps and nothing else; ubd empties them.
 * Needs Linux 5.15 (bpf_task_pt_regs) with BTF.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "profile.h"

#define PF_KTHREAD	0x00200000	/* linux/sched.h */
#define USER_CS		0x33		/* asm/segment.h: __USER_CS */
#define PID_LEVELS	8

/* The layout of pt_regs is ABI (asm/ptrace.h); newer kernels only named the upper half of cs. */
#define REGS_ORIG_AX	120
#define REGS_CS		136
struct regs_tail {
	u64 orig_ax;
	u64 ip;
	u64 cs;
	u64 flags;
	u64 sp;
};

/* The pid namespace whose ids are wanted; 0: the initial one. */
const volatile u32 pid_namespace = 0;
/* ubd itself. */
const volatile u32 own_pid = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROFILE_MAX_SITES);
	__type(key, struct profile_site);
	__type(value, u32);
} sites SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROFILE_MAX_PROCESSES);
	__type(key, u32);
	__type(value, struct profile_process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} ticks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROFILE_MAX_STACKS);
	__type(key, struct profile_site);
	__type(value, struct profile_stack);
} stacks SEC(".maps");

static const struct profile_stack empty_stack;

/* The process id as ubd's namespace has it, 0: not visible there. */
static u32 process_id(struct task_struct *task)
{
	struct upid upid;
	struct pid *pid;
	u32 level, i;

	if (!pid_namespace)
		return bpf_get_current_pid_tgid() >> 32;
	pid = BPF_CORE_READ(task, group_leader, thread_pid);
	level = BPF_CORE_READ(pid, level);
	for (i = 0; i < PID_LEVELS && i <= level; i++) {
		if (bpf_probe_read_kernel(&upid, sizeof(upid), (void *)&pid->numbers[0] + i * sizeof(upid)))
			return 0;
		if (BPF_CORE_READ(upid.ns, ns.inum) == pid_namespace)
			return upid.nr;
	}
	return 0;
}

static struct profile_process *process_of(u32 pid, struct task_struct *task)
{
	struct profile_process fresh = {}, *process;

	process = bpf_map_lookup_elem(&processes, &pid);
	if (process)
		return process;
	fresh.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	fresh.cgroup_id = bpf_get_current_cgroup_id();
	BPF_CORE_READ_STR_INTO(&fresh.comm, task, group_leader, comm);
	bpf_map_update_elem(&processes, &pid, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&processes, &pid);
}

/* Near the stack's upper end less than all of it can be read. */
static void keep_stack(u32 pid, u32 nr, u64 ip, u64 sp)
{
	struct profile_site site = { .pid = pid, .nr = nr, .ip = ip };
	struct profile_stack *stack;

	if (bpf_map_lookup_elem(&stacks, &site))
		return;
	if (bpf_map_update_elem(&stacks, &site, &empty_stack, BPF_NOEXIST))
		return;
	stack = bpf_map_lookup_elem(&stacks, &site);
	if (stack && bpf_probe_read_user(stack, sizeof(*stack), (void *)sp))
		bpf_probe_read_user(stack, 128, (void *)sp);
}

static void count_site(u32 pid, u32 nr, u64 ip)
{
	struct profile_site site = { .pid = pid, .nr = nr, .ip = ip };
	u32 one = 1, *cnt;

	cnt = bpf_map_lookup_elem(&sites, &site);
	if (cnt)
		__sync_fetch_and_add(cnt, 1);
	else
		bpf_map_update_elem(&sites, &site, &one, BPF_NOEXIST);
}

SEC("perf_event")
int on_tick(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct profile_process *process;
	struct regs_tail regs;
	u32 zero = 0, pid;
	u64 *tick, cs;

	tick = bpf_map_lookup_elem(&ticks, &zero);
	if (tick)
		__sync_fetch_and_add(tick, 1);
	if (!(bpf_get_current_pid_tgid() >> 32) || task->flags & PF_KTHREAD)
		return 0;
	pid = process_id(task);
	if (!pid || pid == own_pid)
		return 0;
	process = process_of(pid, task);
	if (!process)
		return 0;
	if (bpf_probe_read_kernel(&regs, sizeof(regs), (void *)bpf_task_pt_regs(task) + REGS_ORIG_AX))
		return 0;
	if ((regs.cs & 0xffff) != USER_CS) {
		__sync_fetch_and_add(&process->compat, 1);
		return 0;
	}
	cs = *(u64 *)((void *)ctx + REGS_CS);
	if (cs & 3) {
		__sync_fetch_and_add(&process->user, 1);
		count_site(pid, PROFILE_NO_CALL, regs.ip);
	} else if ((s64)regs.orig_ax >= 0) {
		__sync_fetch_and_add(&process->call, 1);
		count_site(pid, regs.orig_ax, regs.ip);
		keep_stack(pid, regs.orig_ax, regs.ip, regs.sp);
	} else {
		__sync_fetch_and_add(&process->other, 1);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
