// SPDX-License-Identifier: GPL-2.0
/*
 * cpu: runs guest code on the bare processor and says what became of it.
 *
 * A trap is the way in and the way out: the handler of the first puts the guest's registers in place of ours, that of
 * the next (int3, page fault, divide error, ...) takes them and puts ours back.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/auxv.h>
#include <ucontext.h>

#include "case.h"

static const int greg_of[UB_NGUEST] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};
static const int signals[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL };

static struct guest *volatile entering, *volatile running;
static gregset_t ours;
static u64 our_fs;

/* Are rdfsbase and wrfsbase there? */
bool cpu_has_fs(void)
{
	return getauxval(AT_HWCAP2) & 2;	/* HWCAP2_FSGSBASE */
}

static void set_fs(u64 base)
{
	__asm__ volatile("wrfsbase %0" : : "r"(base));
}

static void take_guest(int sig, greg_t *gregs)
{
	u32 i;

	for (i = 0; i < UB_NGUEST; i++)
		running->regs[i] = gregs[greg_of[i]];
	running->flags = gregs[REG_EFL] & UB_FL_ALL;
	running->ip = gregs[REG_RIP] - (sig == SIGTRAP);	/* int3 has one byte, and ip stands behind it */
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
	u32 i;

	(void)info;
	if (running) {
		if (our_fs)
			set_fs(our_fs);		/* before anything else: what is the thread's own is found through it */
		take_guest(sig, gregs);
		running = NULL;
		memcpy(gregs, ours, sizeof(ours));
	} else if (entering) {
		memcpy(ours, gregs, sizeof(ours));
		running = entering;
		entering = NULL;
		for (i = 0; i < UB_NGUEST; i++)
			gregs[greg_of[i]] = running->regs[i];
		gregs[REG_EFL] = (gregs[REG_EFL] & ~(greg_t)UB_FL_ALL) | running->flags;
		gregs[REG_RIP] = running->ip;
		if (our_fs)
			set_fs(FS_IP);
	} else {
		signal(sig, SIG_DFL);
	}
}

bool cpu_run(struct guest *guest)
{
	static char stack[65536];
	const stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction act = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK }, old[ARRAY_SIZE(signals)];
	u32 i;

	if (sigaltstack(&alt, NULL))
		return false;
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &act, &old[i]);
	if (cpu_has_fs())
		__asm__ volatile("rdfsbase %0" : "=r"(our_fs));
	entering = guest;
	__asm__ volatile("int3" ::: "memory");
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &old[i], NULL);
	return true;
}
