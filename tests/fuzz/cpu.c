// SPDX-License-Identifier: GPL-2.0
/*
 * cpu: guest code on the bare processor.
 *
 * The guest has all general registers, the vector registers with MXCSR, and FS for itself.  It goes out through a jump
 * behind the program, or by a fault, whose handler takes its registers.  Nothing of ours is within its reach but what
 * a wild address hits; trial.c keeps those away.
 *
 * Where user space has no wrfsbase, FS is the kernel's to write, which takes longer than all the rest.  It is then
 * written only for programs with a prefix for it: no other can tell what it is.
 *
 * Some virtual machines do not return from an interrupt to a stack pointer that is not canonical, but raise a fault:
 * mostly SIGSEGV, sometimes SIGILL at an instruction that runs a moment later.  Such a fault is not the guest's, and cannot
 * be told from one that is; cpu_is_in_doubt() says where there may be one.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "fuzz.h"

#define POINTERS_AT	(CODE_LEN - EXITS * 8)	/* in the code page: where the exits jump to */
#define MAX_STEPS	20000	/* times that it comes by where it is to be stopped */
#define TRAP_FLAG	0x100u
#define BREAKPOINT	0xcc
#define XSTATE_AVX	4u

/* How FS gets the guest's base. */
enum fs_way { FS_STAYS, FS_BY_WRFSBASE, FS_BY_KERNEL };

/* Known to the assembly below. */
struct machine {
	u64 regs[UB_NGUEST];
	u64 flags;		/* 0x80 */
	u64 host_rsp;		/* 0x88 */
	u64 exit;		/* 0x90 */
	u64 start;		/* 0x98 */
	u64 fs, host_fs;	/* 0xa0, 0xa8 */
	u32 mxcsr, host_mxcsr;	/* 0xb0, 0xb4 */
	u32 has_vectors;	/* 0xb8 */
	u32 fs_way;		/* 0xbc: enum fs_way */
	u8 v[MAX_VECTORS][32];	/* 0xc0 */
};

struct machine fuzz_machine __attribute__((aligned(64)));
u64 cpu_faults;

static sigjmp_buf on_fault;
static u64 fault_ip;
static volatile bool is_running, has_hung;
static volatile u32 ticks;
static const struct state *stop_at;
static bool (*has_memory_of_stop)(void);
static u64 first_exit;
static u32 stop_undefined, steps_left;
static bool has_wrfsbase, is_in_doubt;
bool cpu_returns_anywhere;

void fuzz_enter(void);
void fuzz_set_fs(u64 base);
void fuzz_signal(int sig, siginfo_t *info, void *context);
void fuzz_handler(int sig, siginfo_t *info, void *context);
void fuzz_alarm(int sig, siginfo_t *info, void *context);
void fuzz_alarm_handler(int sig, siginfo_t *info, void *context);
extern const u8 fuzz_leave_0[], fuzz_leave_1[], fuzz_leave_2[];

asm(".text\n"
    "fuzz_enter:\n"
    "	push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "	mov %rsp, fuzz_machine+0x88(%rip)\n"
    "	mov fuzz_machine+0xa0(%rip), %rdi\n call fuzz_set_fs\n"
    "	cmpl $0, fuzz_machine+0xb8(%rip)\n je 1f\n"
    "	stmxcsr fuzz_machine+0xb4(%rip)\n ldmxcsr fuzz_machine+0xb0(%rip)\n"
    "	lea fuzz_machine+0xc0(%rip), %rax\n"
    "	vmovdqu (%rax), %ymm0\n vmovdqu 32(%rax), %ymm1\n vmovdqu 64(%rax), %ymm2\n vmovdqu 96(%rax), %ymm3\n"
    "	vmovdqu 128(%rax), %ymm4\n vmovdqu 160(%rax), %ymm5\n vmovdqu 192(%rax), %ymm6\n vmovdqu 224(%rax), %ymm7\n"
    "	vmovdqu 256(%rax), %ymm8\n vmovdqu 288(%rax), %ymm9\n vmovdqu 320(%rax), %ymm10\n"
    "	vmovdqu 352(%rax), %ymm11\n vmovdqu 384(%rax), %ymm12\n vmovdqu 416(%rax), %ymm13\n"
    "	vmovdqu 448(%rax), %ymm14\n vmovdqu 480(%rax), %ymm15\n"
    "1:	pushq fuzz_machine+0x80(%rip)\n"
    "	mov fuzz_machine(%rip), %rax\n mov fuzz_machine+8(%rip), %rcx\n mov fuzz_machine+0x10(%rip), %rdx\n"
    "	mov fuzz_machine+0x18(%rip), %rbx\n mov fuzz_machine+0x28(%rip), %rbp\n mov fuzz_machine+0x30(%rip), %rsi\n"
    "	mov fuzz_machine+0x38(%rip), %rdi\n mov fuzz_machine+0x40(%rip), %r8\n mov fuzz_machine+0x48(%rip), %r9\n"
    "	mov fuzz_machine+0x50(%rip), %r10\n mov fuzz_machine+0x58(%rip), %r11\n mov fuzz_machine+0x60(%rip), %r12\n"
    "	mov fuzz_machine+0x68(%rip), %r13\n mov fuzz_machine+0x70(%rip), %r14\n mov fuzz_machine+0x78(%rip), %r15\n"
    "	popfq\n"
    "	mov fuzz_machine+0x20(%rip), %rsp\n"
    "	jmp *fuzz_machine+0x98(%rip)\n"
    "fuzz_leave_0: movl $0, fuzz_machine+0x90(%rip)\n jmp 2f\n"
    "fuzz_leave_1: movl $1, fuzz_machine+0x90(%rip)\n jmp 2f\n"
    "fuzz_leave_2: movl $2, fuzz_machine+0x90(%rip)\n"
    "2:	mov %rsp, fuzz_machine+0x20(%rip)\n mov fuzz_machine+0x88(%rip), %rsp\n"
    "	pushfq\n popq fuzz_machine+0x80(%rip)\n cld\n"
    "	mov %rax, fuzz_machine(%rip)\n mov %rcx, fuzz_machine+8(%rip)\n mov %rdx, fuzz_machine+0x10(%rip)\n"
    "	mov %rbx, fuzz_machine+0x18(%rip)\n mov %rbp, fuzz_machine+0x28(%rip)\n mov %rsi, fuzz_machine+0x30(%rip)\n"
    "	mov %rdi, fuzz_machine+0x38(%rip)\n mov %r8, fuzz_machine+0x40(%rip)\n mov %r9, fuzz_machine+0x48(%rip)\n"
    "	mov %r10, fuzz_machine+0x50(%rip)\n mov %r11, fuzz_machine+0x58(%rip)\n mov %r12, fuzz_machine+0x60(%rip)\n"
    "	mov %r13, fuzz_machine+0x68(%rip)\n mov %r14, fuzz_machine+0x70(%rip)\n mov %r15, fuzz_machine+0x78(%rip)\n"
    "	mov fuzz_machine+0xa8(%rip), %rdi\n call fuzz_set_fs\n"
    "	cmpl $0, fuzz_machine+0xb8(%rip)\n je 3f\n"
    "	stmxcsr fuzz_machine+0xb0(%rip)\n ldmxcsr fuzz_machine+0xb4(%rip)\n"
    "	lea fuzz_machine+0xc0(%rip), %rax\n"
    "	vmovdqu %ymm0, (%rax)\n vmovdqu %ymm1, 32(%rax)\n vmovdqu %ymm2, 64(%rax)\n vmovdqu %ymm3, 96(%rax)\n"
    "	vmovdqu %ymm4, 128(%rax)\n vmovdqu %ymm5, 160(%rax)\n vmovdqu %ymm6, 192(%rax)\n vmovdqu %ymm7, 224(%rax)\n"
    "	vmovdqu %ymm8, 256(%rax)\n vmovdqu %ymm9, 288(%rax)\n vmovdqu %ymm10, 320(%rax)\n"
    "	vmovdqu %ymm11, 352(%rax)\n vmovdqu %ymm12, 384(%rax)\n vmovdqu %ymm13, 416(%rax)\n"
    "	vmovdqu %ymm14, 448(%rax)\n vmovdqu %ymm15, 480(%rax)\n vzeroupper\n"
    "3:	pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
    "	ret\n"
    /* arch_prctl(ARCH_SET_FS, base) by the bare instruction: the C library's would look for errno through FS. */
    "fuzz_set_fs:\n"
    "	cmpl $1, fuzz_machine+0xbc(%rip)\n jb 5f\n ja 4f\n"
    "	wrfsbase %rdi\n ret\n"
    "4:	mov %rdi, %rsi\n mov $0x1002, %edi\n mov $158, %eax\n syscall\n"
    "5:	ret\n"
    /* What it is, in rax; not where it stays. */
    "fuzz_get_fs:\n"
    "	cmpl $1, fuzz_machine+0xbc(%rip)\n ja 6f\n"
    "	rdfsbase %rax\n ret\n"
    "6:	push %rax\n mov $0x1003, %edi\n mov %rsp, %rsi\n mov $158, %eax\n syscall\n"
    "	pop %rax\n ret\n"
    /* The handlers are C and find their thread through FS: ours first. */
    "fuzz_signal:\n"
    "	push %rdi\n push %rsi\n"
    "	mov fuzz_machine+0xa8(%rip), %rdi\n call fuzz_set_fs\n"
    "	pop %rsi\n pop %rdi\n"
    "	jmp fuzz_handler\n"
    /* It comes at any time, and goes back with FS as it was. */
    "fuzz_alarm:\n"
    "	cmpl $0, fuzz_machine+0xbc(%rip)\n je fuzz_alarm_handler\n"
    "	push %rdi\n push %rsi\n push %rdx\n"
    "	call fuzz_get_fs\n push %rax\n"
    "	mov fuzz_machine+0xa8(%rip), %rdi\n call fuzz_set_fs\n"
    "	mov 8(%rsp), %rdx\n mov 16(%rsp), %rsi\n mov 24(%rsp), %rdi\n"
    "	sub $8, %rsp\n call fuzz_alarm_handler\n add $8, %rsp\n"
    "	pop %rdi\n call fuzz_set_fs\n"
    "	add $24, %rsp\n"
    "	ret\n");

static const int greg_of[UB_NGUEST] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

/* The vector state as the kernel keeps it on the signal stack (SDM vol. 1, 13.4). */
static void take_vectors(const ucontext_t *context)
{
	const u8 *fp = (const u8 *)context->uc_mcontext.fpregs;
	u64 present;
	u32 i;

	memcpy(&present, fp + 512, 8);
	memcpy(&fuzz_machine.mxcsr, fp + 24, 4);
	for (i = 0; i < MAX_VECTORS; i++) {
		memcpy(fuzz_machine.v[i], fp + 160 + 16 * i, 16);
		if (present & XSTATE_AVX)
			memcpy(fuzz_machine.v[i] + 16, fp + 576 + 16 * i, 16);
		else
			memset(fuzz_machine.v[i] + 16, 0, 16);
	}
}

static void take_guest(const ucontext_t *context)
{
	const greg_t *gregs = context->uc_mcontext.gregs;
	u32 i;

	for (i = 0; i < UB_NGUEST; i++)
		fuzz_machine.regs[i] = gregs[greg_of[i]];
	fuzz_machine.flags = gregs[REG_EFL];
	fault_ip = gregs[REG_RIP];
	if (fuzz_machine.has_vectors)
		take_vectors(context);
	is_running = false;
	siglongjmp(on_fault, 1);
}

/* Flags of MXCSR do not count: what raises an exception has set them before. */
static bool has_vectors_of_stop(const ucontext_t *context)
{
	take_vectors(context);
	return !((fuzz_machine.mxcsr ^ stop_at->mxcsr) & ~MXCSR_FLAGS) &&
	       !memcmp(fuzz_machine.v, stop_at->v, sizeof(stop_at->v));
}

static bool is_stop(const ucontext_t *context)
{
	const greg_t *gregs = context->uc_mcontext.gregs;
	u32 i;

	if ((gregs[REG_EFL] ^ stop_at->flags) & UB_FL_ALL & ~stop_undefined)
		return false;
	for (i = 0; i < UB_NGUEST; i++)
		if ((u64)gregs[greg_of[i]] != stop_at->regs[i])
			return false;
	return (!fuzz_machine.has_vectors || has_vectors_of_stop(context)) && has_memory_of_stop();
}

/* A breakpoint stands where the guest is to be stopped; in the handler of the step over it, it is put back. */
static void set_breakpoint(bool is_set)
{
	static u8 old;
	u8 *code = (u8 *)stop_at->ip;

	if (is_set)
		old = *code;
	*code = is_set ? BREAKPOINT : old;
}

/* What pushf has pushed under the trap flag has it too; only here was it ever set. */
static void hide_trap_flag(const greg_t *gregs)
{
	const u8 *at = (const u8 *)stop_at->ip;

	while ((*at >= 0x64 && *at <= 0x67) || *at == 0xf2 || *at == 0xf3 || (*at & 0xe7) == 0x26 || (*at & 0xf0) == 0x40)
		at++;
	if (*at == 0x9c)
		((u8 *)gregs[REG_RSP])[1] &= ~(TRAP_FLAG >> 8);
}

/* At the breakpoint, or one step behind it: is there more to go? */
static bool goes_on(ucontext_t *context)
{
	greg_t *gregs = context->uc_mcontext.gregs;

	if (gregs[REG_EFL] & TRAP_FLAG) {
		gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
		hide_trap_flag(gregs);
		set_breakpoint(true);
		return true;
	}
	gregs[REG_RIP]--;
	if ((u64)gregs[REG_RIP] != stop_at->ip || is_stop(context) || !--steps_left)
		return false;
	set_breakpoint(false);
	gregs[REG_EFL] |= TRAP_FLAG;
	return true;
}

static bool is_canonical(u64 addr)
{
	return (u64)((s64)(addr << 16) >> 16) == addr;
}

void fuzz_handler(int sig, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
	u64 fixup;

	(void)info;
	if (!is_running) {
		fixup = ub_harness_fixup(gregs[REG_RIP]);
		if (fixup)
			gregs[REG_RIP] = fixup;
		else
			signal(sig, SIG_DFL);
		return;
	}
	if (sig == SIGTRAP && stop_at && goes_on(context)) {
		fuzz_set_fs(fuzz_machine.fs);
		return;
	}
	cpu_faults += sig != SIGTRAP;
	is_in_doubt = (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL) && !cpu_returns_anywhere &&
		      !is_canonical(gregs[REG_RSP]);
	take_guest(context);
}

/* A program that the interpreter says is over but that still runs.  The time is the process's own: others may have the processor. */
void fuzz_alarm_handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	if (is_running && ++ticks > 1) {
		has_hung = true;
		take_guest(context);
	}
}

void cpu_put_program(const struct program *program)
{
	static const u8 *const leaves[EXITS] = { fuzz_leave_0, fuzz_leave_1, fuzz_leave_2 };
	u8 *code = (u8 *)CODE_AT;
	u32 k;

	first_exit = program_exit(program, 0);
	memset(code, 0xcc, sizeof(program->code) + EXITS * EXIT_LEN);
	memcpy(code, program->code, program->len);
	for (k = 0; k < EXITS; k++) {
		u32 at = program->len + k * EXIT_LEN, distance = POINTERS_AT + 8 * k - (at + 6);

		memcpy(code + at, "\xff\x25", 2);	/* jmp [rip + distance] */
		memcpy(code + at + 2, &distance, 4);
		memcpy(code + POINTERS_AT + 8 * k, &leaves[k], 8);
	}
}

void cpu_protect(const u8 prot[2])
{
	static u8 now[2] = { PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE };
	u32 i;

	for (i = 0; i < 2; i++)
		if (now[i] != prot[i])
			mprotect((void *)(BUF_AT + i * PAGE), PAGE, prot[i]);
	memcpy(now, prot, sizeof(now));
}

static void give(const struct state *state, bool has_vectors, bool has_fs)
{
	memcpy(fuzz_machine.regs, state->regs, sizeof(state->regs));
	fuzz_machine.flags = state->flags | 0x202;
	fuzz_machine.start = state->ip;
	fuzz_machine.has_vectors = has_vectors;
	fuzz_machine.fs_way = has_wrfsbase ? FS_BY_WRFSBASE : has_fs ? FS_BY_KERNEL : FS_STAYS;
	if (has_vectors) {
		fuzz_machine.mxcsr = state->mxcsr;
		memcpy(fuzz_machine.v, state->v, sizeof(state->v));
	}
}

static void take(struct state *state, bool has_vectors, u64 ip)
{
	memcpy(state->regs, fuzz_machine.regs, sizeof(state->regs));
	state->flags = fuzz_machine.flags & UB_FL_ALL;
	state->ip = ip;
	if (has_vectors) {
		state->mxcsr = fuzz_machine.mxcsr;
		memcpy(state->v, fuzz_machine.v, sizeof(state->v));
	}
}

bool cpu_run(struct state *state, const struct program *program, const struct stop *to)
{
	const struct state *stop = to ? to->state : NULL;

	stop_at = stop;
	if (to) {
		has_memory_of_stop = to->has_memory;
		stop_undefined = to->undefined;
	}
	steps_left = MAX_STEPS;
	ticks = 0;
	has_hung = is_in_doubt = false;
	give(state, program->has_vectors, program->has_fs);
	if (stop)
		set_breakpoint(true);
	if (!sigsetjmp(on_fault, 0)) {
		is_running = true;
		fuzz_enter();
		is_running = false;
		take(state, program->has_vectors, first_exit + fuzz_machine.exit * EXIT_LEN);
	} else {
		take(state, program->has_vectors, fault_ip);
	}
	if (stop && *(u8 *)stop->ip == BREAKPOINT)
		set_breakpoint(false);
	return !has_hung;
}

bool cpu_is_in_doubt(void)
{
	return is_in_doubt;
}

/* A single step from a state that it is not to stop in, so there and back again. */
static bool probe_return(void)
{
	static struct program program = { .code = { 0x90 }, .len = 1 };
	struct state state = { .ip = CODE_AT, .regs[UB_RSP] = 1ull << 62 }, other = state;
	const struct stop stop = { .state = &other };

	other.regs[UB_RAX] = 1;
	cpu_put_program(&program);
	cpu_run(&state, &program, &stop);
	cpu_faults = 0;
	return state.ip == program_exit(&program, 0);
}

static bool map_at(u64 addr, u32 len, int prot)
{
	return mmap((void *)addr, len, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)addr;
}

bool cpu_init(void)
{
	static u8 signal_stack[65536];
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	const struct itimerval second = { { 1, 0 }, { 1, 0 } };
	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
	struct sigaction act = { .sa_sigaction = fuzz_signal, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	bool is_good = map_at(BUF_AT, BUF_LEN, PROT_READ | PROT_WRITE) &&
		       map_at(CODE_AT, CODE_LEN, PROT_READ | PROT_WRITE | PROT_EXEC) && !sigaltstack(&stack, NULL);
	u32 i;

	has_wrfsbase = getauxval(AT_HWCAP2) & 2;	/* HWCAP2_FSGSBASE */
	fuzz_machine.fs = FS_AT;
	is_good = is_good && !syscall(SYS_arch_prctl, ARCH_GET_FS, &fuzz_machine.host_fs) &&
		  !syscall(SYS_arch_prctl, ARCH_SET_GS, GS_AT);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		is_good = is_good && !sigaction(signals[i], &act, NULL);
	act.sa_sigaction = fuzz_alarm;
	if (!is_good || sigaction(SIGPROF, &act, NULL) || setitimer(ITIMER_PROF, &second, NULL))
		return false;
	cpu_returns_anywhere = probe_return();
	if (!cpu_returns_anywhere)
		printf("fuzz: this machine does not return to stack pointers that are not canonical: some faults do not count\n");
	return true;
}
