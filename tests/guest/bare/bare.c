// SPDX-License-Identifier: GPL-2.0
/*
 * bare: how long is getppid()'s handler itself?  Counts it when it is loaded, says so in the kernel's log, and does not stay.
 *
 * Only of use where the time stamp counter counts instructions (run.sh --icount).
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <asm/msr.h>
#include <asm/ptrace.h>

#define CALLS	1000
#define TRIES	50

typedef long (*handler)(const struct pt_regs *regs);

/* Two instructions where returns go through a thunk, which call and loop are told from by it. */
static noinline notrace long nothing(const struct pt_regs *regs)
{
	return 0;
}

/* In thousandths of an instruction; the best of many, since interrupts are counted too. */
static u64 count(handler call)
{
	struct pt_regs regs = {};
	u64 best = ~0ull, start, end;
	int i, j;

	for (i = 0; i < TRIES; i++) {
		start = rdtsc();
		for (j = 0; j < CALLS; j++)
			call(&regs);
		end = rdtsc();
		best = min(best, end - start);
	}
	return best * 1000 / CALLS;
}

static int __init bare_init(void)
{
	struct kprobe probe = { .symbol_name = "__x64_sys_getppid", .flags = KPROBE_FLAG_DISABLED };
	unsigned long addr;
	int err = register_kprobe(&probe);

	if (err)
		return err;
	addr = (unsigned long)probe.addr - (IS_ENABLED(CONFIG_X86_KERNEL_IBT) ? 4 : 0);
	unregister_kprobe(&probe);
	pr_info("ub_bare: handler %llu nothing %llu\n", count((handler)addr), count(nothing));
	return -ENODEV;		/* that was all */
}

module_init(bare_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Counts the instructions of a system call's handler");
