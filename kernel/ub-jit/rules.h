/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rules: which threads may go on in a block instead of in user mode (pure).
 *
 * What runtime.c reads of a thread is a record here, and the decision a function of it, so that tests/unit/machine.c can
 * feed threads of all kinds, also of machines that no emulator has.  In a header since they are asked at each entry.
 */
#ifndef UB_RULES_H
#define UB_RULES_H

#include <ub/port.h>
#include <ub/uapi.h>

/* User mode of 64 bits (asm/segment.h). */
#define UB_USER_CS	0x33
#define UB_USER_SS	0x2b

/* User flags that a block does not honour: TF, DF, NT, RF, AC. */
#define UB_BAD_FLAGS	0x54500ull

/* The registers that a thread would go to user mode with. */
struct ub_rule_regs {
	u64 ip, flags;
	u64 cx, r11;
	u64 cs, ss;
	bool is_entry;		/* they are those that it came with */
	bool is_compat;		/* it came by the 32-bit entry */
};

/* UB_NATIVE_NONE: a block may stand in for user mode at these. */
static inline enum ub_native_why ub_rule_regs(const struct ub_rule_regs *regs)
{
	/* On Xen PV user mode has other segments. */
	if (unlikely(regs->cs != UB_USER_CS || regs->ss != UB_USER_SS || !regs->is_entry || regs->is_compat))
		return UB_NATIVE_SEGMENT;
	/* Images take rcx and r11 for ip and flags, as the syscall instruction leaves them. */
	if (unlikely(regs->flags & UB_BAD_FLAGS || regs->r11 != regs->flags || regs->cx != regs->ip))
		return UB_NATIVE_FLAGS;
	return UB_NATIVE_NONE;
}

/* What of a thread must be done, or seen, in user mode. */
struct ub_rule_thread {
	bool is_traced;		/* by ptrace */
	bool has_work;		/* at system calls, but seccomp */
	bool has_breakpoint;	/* in the processor's debug registers */
	bool has_bad_flag;	/* no time stamp counter, no CPUID, steps, 32-bit addresses */
	bool has_shadow_stack;	/* calls and returns of a block would not show in it */
};

static inline enum ub_native_why ub_rule_thread(const struct ub_rule_thread *thread)
{
	if (unlikely(thread->is_traced))
		return UB_NATIVE_PTRACE;
	if (unlikely(thread->has_work))
		return UB_NATIVE_SYSCALL_WORK;
	if (unlikely(thread->has_breakpoint))
		return UB_NATIVE_DEBUG;
	if (unlikely(thread->has_bad_flag || thread->has_shadow_stack))
		return UB_NATIVE_THREAD_FLAG;
	return UB_NATIVE_NONE;
}

#endif
