// SPDX-License-Identifier: GPL-2.0
/*
 * harness: does the machine code do what the IR says?  See harness.h.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "harness.h"

#define SLOTS		2u		/* images that may be entered */
#define MAX_NR		512
#define USER_FLAGS	0x202u		/* IF and the bit that is always set */

struct fake_task {
	u32 flags;
	int pagefault_disabled;
	u64 syscall_work;
};

/* In the order of struct pt_regs. */
enum { P_R15, P_R14, P_R13, P_R12, P_BP, P_BX, P_R11, P_R10, P_R9, P_R8, P_AX, P_CX, P_DX, P_SI, P_DI, P_ORIG_AX,
	P_IP, P_CS, P_FLAGS, P_SP, P_SS, P_COUNT };

static const u8 pt_of[UB_NGUEST] = {
	P_AX, P_CX, P_DX, P_BX, P_SP, P_BP, P_SI, P_DI, P_R8, P_R9, P_R10, P_R11, P_R12, P_R13, P_R14, P_R15,
};

enum { FAR_HANDLER = 0, FAR_SLOW = 16, FAR_OPEN = 32, FAR_CLOSE = 48, FAR_CLEAR = 64, STUBS = 128, IMAGE = 4096 };

#define SLOT_LEN	(UB_MAX_IMAGE + UB_HARNESS_SHIFT)
#define AREA_LEN	(IMAGE + SLOTS * SLOT_LEN)

static u8 *area;			/* call stubs and far jumps, then the images */
static const struct ub_image *placed[SLOTS];
static u32 shifts[SLOTS];
static u32 last_slot;
static const struct ub_image *running;
static const struct ub_interp_world *running_world;

u8 *ub_harness_code(const struct ub_image *image)
{
	u32 slot = placed[last_slot] == image ? last_slot : !last_slot;

	return area + IMAGE + slot * SLOT_LEN + shifts[slot];
}

u64 ub_harness_fixup(u64 ip)
{
	u64 code = running ? (u64)ub_harness_code(running) : 0;
	u32 i;

	for (i = 0; running && i < running->fault_cnt; i++)
		if (running->faults[i].insn_off == ip - code)
			return code + running->faults[i].fixup_off;
	return 0;
}

static void on_fault(int sig, siginfo_t *info, void *ctx)
{
	greg_t *gregs = ((ucontext_t *)ctx)->uc_mcontext.gregs;
	u64 fixup = ub_harness_fixup(gregs[REG_RIP]);

	(void)info;
	if (fixup)
		gregs[REG_RIP] = fixup;
	else
		signal(sig, SIG_DFL);
}

/* What stubs do before C: they call ub_harness_clear(), which changes all that it may. */
static u64 call_stub, pass_stub;
u32 ub_harness_clear_cnt;
static u32 left_cnt;	/* calls from images to C */

void ub_harness_clear(void);
asm(".text\n"
    "ub_harness_clear:\n"
    "	incl ub_harness_clear_cnt(%rip)\n"
    "	mov $0xdead, %eax\n"
    "	mov $0xdead, %ecx\n"
    "	ret\n");

static void must_be_clear(void)
{
	left_cnt++;
	if (ub_bug_if(ub_harness_clear_cnt != left_cnt, "a call to C without a barrier before it"))
		abort();
}

static u64 handler(u64 *pt)
{
	u64 regs[UB_NGUEST];
	u32 i;

	must_be_clear();
	for (i = 0; i < UB_NGUEST; i++)
		regs[i] = pt[pt_of[i]];
	regs[UB_RAX] = pt[P_ORIG_AX];
	if (running_world->syscall)
		running_world->syscall(running_world->ctx, regs);
	return regs[UB_RAX];
}

/* The kernel would have found work; the harness only leaves where the interpreter leaves. */
static u64 slow_call(struct ub_frame *frame)
{
	(void)frame;
	must_be_clear();
	return UB_CALL_LEAVE;
}

/*
 * The guest's vector registers and MXCSR while they are not open, as the module keeps them; the machine has others then.
 * Opened twice or closed twice: a trap.  As after XRSTOR, upper halves that are all zero are in their initial state: SSE
 * instructions run slower beside others.
 */
u8 ub_harness_kept[UB_NVEC][32];
u32 ub_harness_kept_mxcsr = 0x1f80, ub_harness_other_mxcsr = 0x9f40;
u32 ub_harness_open_cnt;

void ub_harness_open(void);
void ub_harness_close(void);

#define EACH_VECTOR \
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"

asm(".text\n"
    "ub_harness_open:\n"
    "	incl ub_harness_open_cnt(%rip)\n"
    "	cmpl $1, ub_harness_open_cnt(%rip)\n"
    "	jne 1f\n"
    "	ldmxcsr ub_harness_kept_mxcsr(%rip)\n"
    "	vpxor %xmm0, %xmm0, %xmm0\n"
    EACH_VECTOR
    "	vpor ub_harness_kept + 32 * \\n + 16(%rip), %xmm0, %xmm0\n"
    ".endr\n"
    "	vptest %xmm0, %xmm0\n"
    "	jnz 2f\n"
    "	vzeroupper\n"
    EACH_VECTOR
    "	vmovdqu ub_harness_kept + 32 * \\n(%rip), %xmm\\n\n"
    ".endr\n"
    "	cmpq %rsp, %rsp\n"
    "	ret\n"
    "2:\n"
    EACH_VECTOR
    "	vmovdqu ub_harness_kept + 32 * \\n(%rip), %ymm\\n\n"
    ".endr\n"
    "	cmpq %rsp, %rsp\n"
    "	ret\n"
    "1:	ud2\n"
    "ub_harness_close:\n"
    "	decl ub_harness_open_cnt(%rip)\n"
    "	jnz 1b\n"
    "	stmxcsr ub_harness_kept_mxcsr(%rip)\n"
    "	ldmxcsr ub_harness_other_mxcsr(%rip)\n"
    EACH_VECTOR
    "	vmovdqu %ymm\\n, ub_harness_kept + 32 * \\n(%rip)\n"
    "	vpcmpeqb %ymm\\n, %ymm\\n, %ymm\\n\n"
    ".endr\n"
    "	cmpq $-1, %rsp\n"
    "	ret\n");

/* Changes no register: jmp [rip + 0] */
static void put_far_jump(u32 at, void (*target)(void))
{
	static const u8 jump[] = { 0xff, 0x25, 0, 0, 0, 0 };
	u64 addr = (u64)target;

	memcpy(area + at, jump, sizeof(jump));
	memcpy(area + at + sizeof(jump), &addr, 8);
}

static void put_rel32(u8 *at, u8 *target)
{
	s32 rel = target - (at + 4);

	memcpy(at, &rel, 4);
}

static void put_stubs(void)
{
	struct ub_barrier barrier = { .clear = (u64)(area + FAR_CLEAR), .fence = true };
	struct ub_image_reloc relocs[2 * UB_STUB_RELOCS];
	struct ub_image stubs = { .code = area + STUBS, .relocs = relocs };
	u32 i;

	call_stub = (u64)stubs.code + ub_jit_call_stub(&stubs, (u64)(area + FAR_HANDLER), &barrier);
	pass_stub = (u64)stubs.code + ub_jit_pass_stub(&stubs, (u64)(area + FAR_SLOW), &barrier);
	for (i = 0; i < stubs.reloc_cnt; i++)
		put_rel32(stubs.code + relocs[i].off, (u8 *)relocs[i].target);
}

static int set_up(void)
{
	if (area)
		return 0;
	area = mmap(NULL, AREA_LEN, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED) {
		area = NULL;
		return -ENOMEM;
	}
	put_far_jump(FAR_HANDLER, (void (*)(void))handler);
	put_far_jump(FAR_SLOW, (void (*)(void))slow_call);
	put_far_jump(FAR_OPEN, ub_harness_open);
	put_far_jump(FAR_CLOSE, ub_harness_close);
	put_far_jump(FAR_CLEAR, ub_harness_clear);
	put_stubs();
	return 0;
}

static void catch_faults(void)
{
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	sigaction(SIGFPE, &act, NULL);
}

void ub_harness_place_at(const struct ub_image *image, u32 shift)
{
	u8 *code;
	u32 i;

	last_slot = (last_slot + 1) % SLOTS;
	placed[last_slot] = image;
	shifts[last_slot] = shift % UB_HARNESS_SHIFT;
	code = ub_harness_code(image);
	memcpy(code, image->code, image->code_len);
	for (i = 0; i < image->reloc_cnt; i++)
		put_rel32(code + image->relocs[i].off, (u8 *)image->relocs[i].target);
}

void ub_harness_place(const struct ub_image *image)
{
	ub_harness_place_at(image, 0);
}

static const struct ub_jit_env *harness_env(bool is_behind_call)
{
	static u64 stubs[MAX_NR];
	static struct ub_jit_env env = {
		.flags_off = offsetof(struct fake_task, flags),
		.work_mask = 1,
		.work_off = offsetof(struct fake_task, syscall_work),
		.work_exit_mask = 1,
		.pagefault_off = offsetof(struct fake_task, pagefault_disabled),
		.call_stubs = stubs,
		.call_stub_cnt = MAX_NR,
		.int_features = UB_INT_F_ALL,
		.vec_features = ~0u,
	};
	u32 i;

	for (i = 0; i < MAX_NR; i++)
		stubs[i] = call_stub;
	env.entry_is_call = is_behind_call;
	env.pre_call = env.post_call = pass_stub;
	env.vec_open = (u64)(area + FAR_OPEN);
	env.vec_close = (u64)(area + FAR_CLOSE);
	return &env;
}

/* As in the module, before anybody enters it. */
static int check_image(const struct ub_verified *verified, const struct ub_image *image, const struct ub_jit_env *env)
{
	const u8 *code = ub_harness_code(image);
	struct ub_image_log log;
	int err = ub_image_check(image, code, (u64)code, env, ub_verified_limit(verified), &log);

	if (err)
		fprintf(stderr, "image refused at %u: %s\n", log.off, log.text);
	return err;
}

int ub_harness_make_unchecked(const struct ub_verified *verified, bool is_behind_call, struct ub_image **ret)
{
	int err = set_up();

	if (!err)
		err = ub_jit(verified, harness_env(is_behind_call), ret);
	if (!err)
		ub_harness_place(*ret);
	return err;
}

int ub_harness_make(const struct ub_verified *verified, bool is_behind_call, struct ub_image **ret)
{
	int err = ub_harness_make_unchecked(verified, is_behind_call, ret);

	if (!err)
		err = check_image(verified, *ret, harness_env(is_behind_call));
	return err;
}

/* Runs the code with the vector registers and MXCSR of @state, which it leaves there. */
static u64 enter_with_vectors(u64 (*enter)(struct ub_frame *), struct ub_frame *frame, struct ub_interp *state)
{
	u64 ret;

	memcpy(ub_harness_kept, state->v, sizeof(state->v));
	ub_harness_kept_mxcsr = state->mxcsr;
	ret = enter(frame);
	memcpy(state->v, ub_harness_kept, sizeof(state->v));
	state->mxcsr = ub_harness_kept_mxcsr;
	return ret;
}

void ub_harness_enter(const struct ub_image *image, const struct ub_interp_world *world, u32 entry_idx,
		      struct ub_interp *state, struct ub_image_exit *ret)
{
	struct fake_task task = { .pagefault_disabled = 1, .syscall_work = world->syscall ? 0 : 2,
		.flags = world->must_yield && world->must_yield(world->ctx) };
	u64 pt[P_COUNT] = { 0 };
	struct ub_frame frame = {
		.regs = (u64)pt, .task = (u64)&task, .limit = world->limit, .fs_base = world->fs_base,
		.flags = state->flags | USER_FLAGS,
	};
	const u32 host_mxcsr = 0x1f80;
	u64 (*enter)(struct ub_frame *) = (void *)(ub_harness_code(image) + image->entries[entry_idx].off);
	u32 i;

	for (i = 0; i < UB_NGUEST; i++)
		pt[pt_of[i]] = state->regs[i];
	running = image;
	running_world = world;
	*ret = image->exits[state->has_vectors ? enter_with_vectors(enter, &frame, state) : enter(&frame)];
	if (ub_bug_if(ub_harness_open_cnt, "an image left with the vector registers open"))
		abort();
	asm volatile("ldmxcsr %0\n\tvzeroupper" : : "m"(host_mxcsr));
	running = NULL;
	for (i = 0; i < UB_NGUEST; i++)
		state->regs[i] = pt[pt_of[i]];
	state->flags = frame.flags & UB_FL_ALL;
	state->ip = ret->kind == UB_EXIT_INDIRECT ? frame.target : ret->ip;
	state->insn_idx = ret->insn_idx;
}

int ub_harness_run(const struct ub_verified *verified, const struct ub_interp_world *world, u32 entry_idx,
		   struct ub_interp *state, enum ub_exit_kind *ret_kind, struct ub_image_exit *ret_exit)
{
	u64 entry_ip = ub_verified_block(verified)->entries[entry_idx].ip;
	bool is_behind_call = state->regs[UB_R11] == (state->flags | USER_FLAGS) && state->regs[UB_RCX] == entry_ip;
	struct ub_image_exit exit_taken;
	struct ub_image *image;
	int err = ub_harness_make(verified, is_behind_call, &image);

	if (err)
		return err;
	catch_faults();
	ub_harness_enter(image, world, entry_idx, state, &exit_taken);
	*ret_kind = exit_taken.kind;
	if (ret_exit)
		*ret_exit = exit_taken;
	ub_image_free(image);
	return 0;
}
