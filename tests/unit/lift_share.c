// SPDX-License-Identifier: GPL-2.0
/*
 * lift_share: functions that are lifted once for all their calls return to each of their callers.
 *
 * The guest is a loop around a system call, with too small a budget for a copy of each function a call.  It goes round in
 * the interpreter until a call is refused: an exit before that is a way that the block does not know.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "../../ir/interp.h"
#include "../../lifter/lift.h"
#include "../../verifier/verify.h"

#define LIMIT	0x7ffffffff000ull
#define ROUNDS	20

static u32 passed, failed, call_cnt;
static u64 stack[512];

/* Two functions go on in a third, which calls a large one: its return does not tell in whose stead. */
extern const u8 tail_loop[];
asm(".text\n"
    "tail_loop:\n"
    "	call tail_a\n"
    "	call tail_c\n"
    "	mov $110, %eax\n"
    "	syscall\n"
    "	jmp tail_loop\n"
    "tail_a:	inc %rbx\n	jmp tail_b\n"
    "tail_c:	dec %rbx\n	jmp tail_b\n"
    "tail_b:	call large\n	inc %rsi\n	ret\n"
    "large:	.rept 40\n	inc %rdi\n	.endr\n	ret\n");

static void expect(bool holds, const char *what)
{
	if (!holds)
		printf("lift_share: %s\n", what);
	passed += holds;
	failed += !holds;
}

static u32 read_code(void *ctx, u64 ip, u8 *buf, u32 len)
{
	(void)ctx;
	memcpy(buf, (const void *)ip, len);
	return len;
}

static bool may_dispatch(void *ctx, u64 nr)
{
	(void)ctx;
	return nr == SYS_getppid;
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

static bool make_call(void *ctx, u64 regs[UB_NGUEST])
{
	(void)ctx;
	(void)regs;
	return call_cnt++ < ROUNDS;
}

static void test(const u8 *loop, u32 budget, const char *name)
{
	const struct ub_interp_world world = { .load = load, .store = store, .syscall = make_call, .limit = LIMIT,
					       .max_steps = 1000000 };
	const struct ub_verify_env env = { .limit = LIMIT };
	const u64 entry = (u64)loop;
	const struct ub_lift_request request = {
		.read_code = read_code, .may_dispatch = may_dispatch, .roots = &entry, .root_cnt = 1,
		.entries = &entry, .entry_cnt = 1, .max_guest_insns = budget,
	};
	struct ub_interp state = { .regs[UB_RSP] = (u64)&stack[256] };
	struct ub_verified *verified;
	struct ub_lifted *lifted;

	call_cnt = 0;
	if (ub_lift(&request, &lifted)) {
		expect(false, name);
		return;
	}
	expect(lifted->guest_insn_cnt <= budget, name);
	expect(!ub_verify(&lifted->block, &env, NULL, &verified), name);
	if (!failed)
		ub_verified_free(verified);
	expect(ub_interp_run(&lifted->block, &world, lifted->block.entries[0].insn_idx, &state) == UB_LEFT_SYSCALL, name);
	expect(call_cnt == ROUNDS + 1, name);
	ub_lifted_free(lifted);
}

int main(void)
{
	test(tail_loop, 70, "a large function behind two others that end in one");
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
