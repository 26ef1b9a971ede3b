// SPDX-License-Identifier: GPL-2.0
/*
 * subject: lifts a kernel at its real address, with what a profile would know of it, and runs it.  See subject.h.
 *
 * As the daemon does, it lifts again with what the exits of the last translation taught, while there is something new.
 * Without guards: the verified block with each guard made a lea and each hold dropped, so that what is measured against
 * it is the guards alone.  Nothing but a test could compile that.
 */
#define _GNU_SOURCE
#include "subject.h"

#include <asm/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define MAX_LIFTS	24
#define MAX_TRIES	64		/* of a translation, before it counts as whole: other places and memory each time */
#define USER_FLAGS	0x202u		/* IF and the bit that is always set */
#define STACK_WORDS	16384
#define SHIFT		4096u		/* how far memory and stack move */
#define LINE		64u

static u64 stack[STACK_WORDS] __attribute__((aligned(4096)));

/*
 * bench_call: @fn(@mem) on the stack @top.  bench_resume: goes on at bench_ip with these registers (in IR order).
 * Both return what the kernel returns, when it returns to bench_goal.
 */
u64 bench_call(u64 (*fn)(u8 *mem), u8 *mem, u64 *top);
u64 bench_resume(const u64 regs[UB_NGUEST], u64 flags);
u64 bench_host_rsp, bench_ip;
#define SAVE	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; mov %rsp, bench_host_rsp(%rip)\n"
#define RESTORE	"mov bench_host_rsp(%rip), %rsp; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
asm(".text\n"
    ".globl bench_goal\n"
    "bench_call:\n"
    SAVE
    "	mov %rdi, %rax\n"
    "	mov %rsi, %rdi\n"
    "	mov %rdx, %rsp\n"
    "	call *%rax\n"
    "bench_goal:\n"
    RESTORE
    "	ret\n"
    "bench_resume:\n"
    SAVE
    "	push %rsi\n"
    "	popf\n"
    "	mov (%rdi), %rax; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx; mov 24(%rdi), %rbx\n"
    "	mov 32(%rdi), %rsp; mov 40(%rdi), %rbp; mov 48(%rdi), %rsi\n"
    "	mov 64(%rdi), %r8; mov 72(%rdi), %r9; mov 80(%rdi), %r10; mov 88(%rdi), %r11\n"
    "	mov 96(%rdi), %r12; mov 104(%rdi), %r13; mov 112(%rdi), %r14; mov 120(%rdi), %r15\n"
    "	mov 56(%rdi), %rdi\n"
    "	jmp *bench_ip(%rip)\n");

double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* As much as there is: what lies behind it may not be mapped. */
static u32 peek(u64 addr, void *buf, u32 len)
{
	u32 first = 4096 - addr % 4096;
	struct iovec to = { buf, len };
	struct iovec from[2] = { { (void *)addr, first < len ? first : len },
				 { (void *)(addr + first), first < len ? len - first : 0 } };
	ssize_t got = process_vm_readv(getpid(), &to, 1, from, first < len ? 2 : 1, 0);

	return got < 0 ? 0 : got;
}

u32 self_read_code(void *ctx, u64 ip, u8 *buf, u32 len)
{
	(void)ctx;
	return peek(ip, buf, len);
}

bool self_read_data(void *ctx, u64 addr, u32 len, u64 *ret)
{
	(void)ctx;
	*ret = 0;
	return peek(addr, ret, len) == len;
}

/* --- runs --- */

void subject_reset(struct subject *subject)
{
	memcpy(subject->mem, subject->fresh, BENCH_MEM);
	memset(stack, 0, sizeof(stack));
	/*
	 * The C library's functions may leave the upper halves of vector registers used, and then each SSE instruction of
	 * the native code waits for the last one that wrote its register: it took up to three times as long.
	 */
	__asm__ volatile("vzeroupper");
}

void subject_prepare(struct subject *subject, u32 round)
{
	bench_round = round;
	memset(subject->mem, 0, BENCH_MEM);
	subject->kernel->prepare(subject->mem);		/* in place: it may hold addresses of its own */
	memcpy(subject->fresh, subject->mem, BENCH_MEM);
}

/* The factors are odd, so that each place of SHIFT comes; stacks move by 16 bytes, as the ABI has them. */
void subject_move(struct subject *subject, u32 nr)
{
	subject->mem = subject->room + nr * 37 * LINE % SHIFT;
	subject->top = &stack[STACK_WORDS - 32 - nr * 101 * 16 % SHIFT / sizeof(*stack)];
	if (!subject->images[UNGUARDED])
		return;
	ub_harness_place_at(subject->images[UNGUARDED], nr * 11 * LINE);
	ub_harness_place_at(subject->images[GUARDED], nr * 23 * LINE);
}

static void first_state(const struct subject *subject, struct ub_interp *state)
{
	memset(state, 0, sizeof(*state));
	subject->top[-1] = (u64)bench_goal;
	state->regs[UB_RDI] = (u64)subject->mem;
	state->regs[UB_RSP] = (u64)&subject->top[-1];
}

static u64 fs_base(void)
{
	static u64 base;

	if (!base)
		syscall(SYS_arch_prctl, ARCH_GET_FS, &base);
	return base;
}

/* What is left of the kernel, natively: it may hold locks of the C library. */
static u64 resume(const struct ub_interp *state)
{
	bench_ip = state->ip;
	return bench_resume(state->regs, state->flags | USER_FLAGS);
}

/* Waits for all that was begun, stores too: what a run leaves to be done is its own. */
static u64 clock_now(void)
{
	u64 now;

	_mm_mfence();
	_mm_lfence();
	now = __rdtsc();
	_mm_lfence();
	return now;
}

/* The image from the start; what is left of the kernel, natively. */
static u64 run_image(struct subject *subject, enum variant variant, struct ub_interp *state, struct ub_image_exit *ret)
{
	const struct ub_interp_world world = { .limit = BENCH_LIMIT, .fs_base = fs_base() };

	u64 start;

	first_state(subject, state);
	start = clock_now();
	ub_harness_enter(subject->images[variant], &world, 0, state, ret);
	subject->ticks = clock_now() - start;
	if (state->ip == (u64)bench_goal)
		return state->regs[UB_RAX];
	return resume(state);
}

u64 subject_run(struct subject *subject, enum variant variant, bool *ret_is_whole)
{
	struct ub_image_exit exit;
	struct ub_interp state;
	u64 start, result;

	*ret_is_whole = true;
	if (variant == NATIVE) {
		start = clock_now();
		result = bench_call(subject->kernel->run, subject->mem, subject->top);
		subject->ticks = clock_now() - start;
		return result;
	}
	result = run_image(subject, variant, &state, &exit);
	*ret_is_whole = state.ip == (u64)bench_goal;
	return result;
}

static bool load(void *ctx, u64 addr, u32 len, u64 *ret)
{
	(void)ctx;
	*ret = 0;
	memcpy(ret, (const void *)addr, len);
	return true;
}

static bool store(void *ctx, u64 addr, u32 len, u64 val)
{
	(void)ctx;
	memcpy((void *)addr, &val, len);
	return true;
}

bool subject_count(struct subject *subject, u64 *counts)
{
	const struct ub_interp_world world = { .load = load, .store = store, .limit = BENCH_LIMIT,
					       .fs_base = fs_base(), .counts = counts };
	const struct ub_block *block = &subject->lifted->block;
	struct ub_interp state;
	enum ub_left left;

	subject_reset(subject);
	first_state(subject, &state);
	left = ub_interp_run(block, &world, block->entries[0].insn_idx, &state);
	if (left == UB_LEFT_EXIT && state.ip == (u64)bench_goal)
		return true;
	resume(&state);
	return false;
}

/* --- the way through the translator --- */

static bool fail(struct subject *subject, const char *why, const char *what)
{
	snprintf(subject->why, sizeof(subject->why), "%s%s%s", why, *what ? ": " : "", what);
	return false;
}

static bool trace_native(struct subject *subject)
{
	bool is_whole;

	subject_run(subject, NATIVE, &is_whole);	/* the dynamic linker fills its slots */
	subject_reset(subject);
	subject->trace->max_steps = subject->max_steps;
	subject->trace->start = (u64)subject->kernel->run;
	subject->trace->stop = (u64)bench_goal;
	if (step_begin(trace_step, subject->trace))
		return fail(subject, "cannot step", "");
	subject_run(subject, NATIVE, &is_whole);
	step_end();
	subject->hint_cnt = trace_hints(subject->trace, subject->hints, MAX_HINTS);
	return true;
}

static bool lift(struct subject *subject)
{
	const u64 goal = (u64)bench_goal;
	struct ub_lift_request request = {
		.read_code = self_read_code, .read_data = self_read_data,
		.roots = subject->roots, .root_cnt = subject->root_cnt, .entries = subject->roots, .entry_cnt = 1,
		.wild = subject->wild, .wild_cnt = subject->wild_cnt,
		.max_guest_insns = UB_LIFT_BUDGET, .goals = &goal, .goal_cnt = 1, .hints = subject->hints, .hint_cnt = subject->hint_cnt,
	};
	char why[200];
	double start = milliseconds();
	int err = ub_lift(&request, &subject->lifted);

	subject->lift_ms = milliseconds() - start;
	if (!err)
		return true;
	subject->lifted = NULL;
	trace_unsupported(subject->trace, why, sizeof(why));
	return fail(subject, "not lifted", why[0] ? why : strerror(-err));
}

static bool compile(struct subject *subject, const struct ub_block *block, enum variant variant,
		    struct ub_verified **verified)
{
	const struct ub_verify_env env = { .limit = BENCH_LIMIT };
	char text[200] = "";
	struct ub_log log = { .buf = text, .size = sizeof(text) };
	double start = milliseconds();
	u32 i, mark = 0;
	int err = ub_verify(block, &env, &log, verified);

	subject->verify_ms = milliseconds() - start;
	text[strcspn(text, "\n")] = 0;
	if (err)
		return fail(subject, "refused", text[0] ? text : strerror(-err));
	for (i = 0; variant == UNGUARDED && i < block->insn_cnt; i++) {
		struct ub_insn *insn = (struct ub_insn *)&block->insns[i];

		if (insn->op == UB_OP_INSN)
			mark = i;
		else if (insn->op == UB_OP_GUARD)
			*insn = (struct ub_insn){ .op = UB_OP_LEA, .mode = UB_MODE(UB_W64, false, 0), .dst = insn->dst,
						  .src = insn->src, .off = insn->off, .imm = insn->imm };
		else if (insn->op == UB_OP_HOLD || insn->op == UB_OP_HOLD32)
			*insn = block->insns[mark];		/* a mark again: no code */
	}
	start = milliseconds();
	err = (variant == UNGUARDED ? ub_harness_make_unchecked : ub_harness_make)(*verified, false, &subject->images[variant]);
	subject->compile_ms = milliseconds() - start;
	return !err || fail(subject, "not compiled", strerror(-err));
}

static bool compile_bare(struct subject *subject)
{
	const struct ub_block *block = &subject->lifted->block;
	struct ub_insn *insns = ub_alloc(block->insn_cnt, sizeof(*insns));

	if (!insns)
		return fail(subject, strerror(ENOMEM), "");
	memcpy(insns, block->insns, block->insn_cnt * sizeof(*insns));
	subject->bare = *block;
	subject->bare.insns = insns;
	return compile(subject, &subject->bare, UNGUARDED, &subject->bare_verified);
}

static void drop(struct subject *subject)
{
	u32 i;

	for (i = 0; i < VARIANTS; i++) {
		ub_image_free(subject->images[i]);
		subject->images[i] = NULL;
	}
	ub_verified_free(subject->verified);
	ub_verified_free(subject->bare_verified);
	ub_free((void *)subject->bare.insns);
	ub_lifted_free(subject->lifted);
	subject->verified = subject->bare_verified = NULL;
	subject->bare.insns = NULL;
	subject->lifted = NULL;
}

static bool add(u64 *list, u32 *cnt, u32 max, u64 ip)
{
	u32 i;

	for (i = 0; i < *cnt; i++)
		if (list[i] == ip)
			return false;
	if (*cnt == max)
		return false;
	list[(*cnt)++] = ip;
	return true;
}

static bool add_root(struct subject *subject, u64 ip)
{
	return add(subject->roots, &subject->root_cnt, ARRAY_SIZE(subject->roots), ip);
}

static const char *end_reason(const struct subject *subject, u64 ip)
{
	u32 i;

	for (i = 0; i < subject->lifted->end_cnt; i++)
		if (subject->lifted->ends[i].ip == ip)
			return subject->lifted->ends[i].reason;
	return "?";
}

/* True when the run came to its end; else learns from where it was left, *ret_again if that was new. */
static bool try(struct subject *subject, bool *ret_again)
{
	struct ub_image_exit exit;
	struct ub_interp state;
	char what[96], unsupported[100];

	subject_reset(subject);
	run_image(subject, GUARDED, &state, &exit);
	if (state.ip == (u64)bench_goal)
		return true;
	trace_unsupported(subject->trace, unsupported, sizeof(unsupported));
	snprintf(what, sizeof(what), "kind %u at %#llx, %s", exit.kind, (unsigned long long)state.ip,
		 end_reason(subject, state.ip));
	fail(subject, what, unsupported);
	if (exit.kind == UB_EXIT_BOUND)
		*ret_again = add(subject->wild, &subject->wild_cnt, ARRAY_SIZE(subject->wild), state.ip);
	else
		*ret_again = add_root(subject, state.ip);
	if (exit.kind == UB_EXIT_INDIRECT && subject->hint_cnt < MAX_HINTS)
		subject->hints[subject->hint_cnt++] = (struct ub_lift_hint){ exit.ip, state.ip };
	return false;
}

bool subject_make(struct subject *subject, const struct kernel *kernel, u64 max_steps)
{
	u32 i, tries = 0;

	memset(subject, 0, sizeof(*subject));
	subject->kernel = kernel;
	subject->max_steps = max_steps;
	subject->room = aligned_alloc(4096, BENCH_MEM + SHIFT);
	subject->fresh = ub_alloc(BENCH_MEM, 1);
	subject->trace = ub_alloc(1, sizeof(*subject->trace));
	if (!subject->room || !subject->fresh || !subject->trace)
		return fail(subject, strerror(ENOMEM), "");
	subject->mem = subject->room;
	subject->top = &stack[STACK_WORDS - 32];
	subject_prepare(subject, 0);
	add_root(subject, (u64)kernel->run);
	if (!trace_native(subject))
		return false;
	for (i = 0; i < MAX_LIFTS; i++) {
		bool is_again = false;

		drop(subject);
		if (!lift(subject) || !compile(subject, &subject->lifted->block, GUARDED, &subject->verified))
			return false;
		for (; tries < MAX_TRIES && try(subject, &is_again); tries++) {
			subject_move(subject, tries);
			subject_prepare(subject, tries);
		}
		if (tries == MAX_TRIES) {
			subject->why[0] = 0;
			return compile_bare(subject);
		}
		if (!is_again)
			return false;
	}
	return false;
}

void subject_free(struct subject *subject)
{
	drop(subject);
	free(subject->room);
	ub_free(subject->fresh);
	ub_free(subject->trace);
	memset(subject, 0, sizeof(*subject));
}
