// SPDX-License-Identifier: GPL-2.0
/*
 * cpu: runs guest code on the bare processor and says what became of it.
 *
 * A trap is the way in and the way out: the handler of the first puts the guest's registers in place of ours, that of
 * the next (int3, page fault, divide error, ...) takes them and puts ours back.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "case.h"

static const int greg_of[UB_NGUEST] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};
static const int signals[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL };

#define XSTATE_SSE_AVX	6u

struct vectors {
	u8 v[UB_NVEC][32];
	u32 mxcsr;
};

static struct guest *volatile entering, *volatile running;
static gregset_t ours;
static struct vectors our_vectors;
static u64 our_fs;

bool cpu_has_vectors(void)
{
	return __builtin_cpu_supports("avx");
}

/* The state as the kernel keeps it on the signal stack, and takes it from there again (SDM vol. 1, 13.4). */
static void take_vectors(struct vectors *ret, const ucontext_t *context)
{
	const u8 *area = (const u8 *)context->uc_mcontext.fpregs;
	u64 present;
	u32 i;

	memset(ret, 0, sizeof(*ret));
	memcpy(&present, area + 512, 8);
	memcpy(&ret->mxcsr, area + 24, 4);
	for (i = 0; i < UB_NVEC; i++) {
		memcpy(ret->v[i], area + 160 + 16 * i, 16);
		if (present & 4)
			memcpy(ret->v[i] + 16, area + 576 + 16 * i, 16);
	}
}

static void put_vectors(const struct vectors *vectors, ucontext_t *context)
{
	u8 *area = (u8 *)context->uc_mcontext.fpregs;
	u32 i;

	if (!cpu_has_vectors())
		return;
	area[512] |= XSTATE_SSE_AVX;
	memcpy(area + 24, &vectors->mxcsr, 4);
	for (i = 0; i < UB_NVEC; i++) {
		memcpy(area + 160 + 16 * i, vectors->v[i], 16);
		memcpy(area + 576 + 16 * i, vectors->v[i] + 16, 16);
	}
}

/* By the bare instruction: the C library's would look for errno through FS.  Not every processor has wrfsbase. */
static void set_fs(u64 base)
{
	long ret = SYS_arch_prctl;

	__asm__ volatile("syscall" : "+a"(ret) : "D"((long)ARCH_SET_FS), "S"(base) : "rcx", "r11", "memory");
}

static void take_guest(int sig, const ucontext_t *context)
{
	const greg_t *gregs = context->uc_mcontext.gregs;
	struct vectors vectors;
	u32 i;

	take_vectors(&vectors, context);
	memcpy(running->v, vectors.v, sizeof(vectors.v));
	running->mxcsr = vectors.mxcsr;

	for (i = 0; i < UB_NGUEST; i++)
		running->regs[i] = gregs[greg_of[i]];
	running->flags = gregs[REG_EFL] & UB_FL_ALL;
	running->ip = gregs[REG_RIP] - (sig == SIGTRAP);	/* int3 has one byte, and ip stands behind it */
}

static void put_guest(ucontext_t *context)
{
	greg_t *gregs = context->uc_mcontext.gregs;
	struct vectors vectors = { .mxcsr = running->mxcsr };
	u32 i;

	for (i = 0; i < UB_NGUEST; i++)
		gregs[greg_of[i]] = running->regs[i];
	gregs[REG_EFL] = (gregs[REG_EFL] & ~(greg_t)UB_FL_ALL) | running->flags;
	gregs[REG_RIP] = running->ip;
	memcpy(vectors.v, running->v, sizeof(vectors.v));
	put_vectors(&vectors, context);
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (running) {
		set_fs(our_fs);		/* before anything else: what is the thread's own is found through it */
		take_guest(sig, context);
		running = NULL;
		memcpy(gregs, ours, sizeof(ours));
		put_vectors(&our_vectors, context);
	} else if (entering) {
		memcpy(ours, gregs, sizeof(ours));
		take_vectors(&our_vectors, context);
		running = entering;
		entering = NULL;
		put_guest(context);
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

	if (sigaltstack(&alt, NULL) || syscall(SYS_arch_prctl, ARCH_GET_FS, &our_fs))
		return false;
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &act, &old[i]);
	entering = guest;
	__asm__ volatile("int3" ::: "memory");
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &old[i], NULL);
	return true;
}
