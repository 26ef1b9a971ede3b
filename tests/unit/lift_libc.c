// SPDX-License-Identifier: GPL-2.0
/*
 * lift_libc: a loop around the C library's read, write and clock_gettime, as it stands in this process, stays in one
 * block, with the vDSO's part of the last.
 *
 * Nothing is known of it but what a profile would show: where its system calls stand and where their wrappers return
 * to.  The block is verified and goes round in the interpreter, with real calls.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../../ir/interp.h"
#include "../../lifter/decode.h"
#include "../../lifter/lift.h"
#include "../../verifier/verify.h"

#define LIMIT		0x7ffffffff000ull
#define ROUNDS		20
#define MAX_RATIO	1.8	/* IR instructions, marks not counted, for one of the guest */

char lift_libc_data[64];
int lift_libc_in, lift_libc_out;
struct timespec lift_libc_time;
static u32 passed, failed, call_cnt, wrong_cnt;
static u64 stack[512];
static const u64 calls[] = { SYS_read, SYS_write, SYS_getppid };	/* it begins behind getppid */

/* The guest; never called, only lifted. */
extern const u8 lift_libc_loop[];
asm(".text\n"
    "lift_libc_loop:\n"
    "	call getppid@plt\n"
    "	mov $64, %edx\n"
    "	lea lift_libc_data(%rip), %rsi\n"
    "	mov lift_libc_in(%rip), %edi\n"
    "	call read@plt\n"
    "	test %rax, %rax\n"
    "	jle lift_libc_loop\n"
    "	mov %rax, %rdx\n"
    "	lea lift_libc_data(%rip), %rsi\n"
    "	mov lift_libc_out(%rip), %edi\n"
    "	call write@plt\n"
    "	lea lift_libc_time(%rip), %rsi\n"
    "	mov $6, %edi\n"		/* CLOCK_MONOTONIC_COARSE */
    "	call clock_gettime@plt\n"
    "	jmp lift_libc_loop\n");

static void expect(bool holds, const char *what)
{
	if (!holds)
		printf("lift_libc: %s\n", what);
	passed += holds;
	failed += !holds;
}

static u32 read_code(void *ctx, u64 ip, u8 *buf, u32 len)
{
	(void)ctx;
	memcpy(buf, (const void *)ip, len);
	return len;
}

/* Guesses may lead anywhere. */
static bool read_data(void *ctx, u64 addr, u32 len, u64 *ret)
{
	struct iovec here = { ret, len }, there = { (void *)addr, len };

	(void)ctx;
	*ret = 0;
	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)len;
}

static bool may_dispatch(void *ctx, u64 nr)
{
	(void)ctx;
	return nr == SYS_read || nr == SYS_write || nr == SYS_getppid;
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
	if (call_cnt == ROUNDS * ARRAY_SIZE(calls))
		return false;
	wrong_cnt += regs[UB_RAX] != calls[call_cnt++ % ARRAY_SIZE(calls)];
	regs[UB_RAX] = syscall(regs[UB_RAX], regs[UB_RDI], regs[UB_RSI], regs[UB_RDX]);
	return true;
}

/* The first instruction of that name from @ip on, calls and jumps not followed. */
static u64 find(u64 ip, u8 name, u32 *ret_len)
{
	struct ub_x86_insn insn;
	u32 i;

	for (i = 0; i < 200; i++) {
		ub_decode((const u8 *)ip, 15, ip, &insn);
		if (insn.name == name && !insn.why[0])
			break;
		ip += insn.len ? insn.len : 1;
	}
	*ret_len = insn.len;
	return ip;
}

static enum ub_left run(const struct ub_block *block, u64 back, u64 max_steps, struct ub_interp *state)
{
	struct ub_interp_world world = { .load = load, .store = store, .syscall = make_call, .limit = LIMIT,
					 .max_steps = max_steps };

	memset(state, 0, sizeof(*state));
	state->regs[UB_RSP] = (u64)&stack[256];
	stack[256] = back;
	call_cnt = wrong_cnt = 0;
	return ub_interp_run(block, &world, block->entries[0].insn_idx, state);
}

/* Stops after each number of steps: how often is that at a mark? */
static u64 count_marks(const struct ub_block *block, u64 back, u64 steps)
{
	struct ub_interp state;
	u64 k, cnt = 0;

	for (k = 1; k < steps; k++) {
		run(block, back, k, &state);
		cnt += block->insns[state.insn_idx].op == UB_OP_INSN;
	}
	return cnt;
}

static void test_loop(const struct ub_block *block, u64 back)
{
	struct ub_interp state;
	enum ub_left left = run(block, back, 0, &state);
	u64 steps = state.steps, marks;

	expect(left == UB_LEFT_SYSCALL, "the loop left elsewhere than at the call that was refused");
	expect(call_cnt == ROUNDS * ARRAY_SIZE(calls), "not all calls were made");
	expect(!wrong_cnt, "calls came in another order");
	expect(lift_libc_time.tv_sec, "nobody told the time");
	marks = count_marks(block, back, steps);
	printf("lift_libc: %.1f guest instructions an iteration, each %.2f of the IR\n", (double)marks / ROUNDS,
	       (double)(steps - marks) / marks);
	expect(steps - marks <= MAX_RATIO * marks, "the IR has become longer");
}

/* Once through each, so that the dynamic linker has filled their slots. */
static bool prepare(void)
{
	lift_libc_in = open("/dev/zero", O_RDONLY);
	lift_libc_out = open("/dev/null", O_WRONLY);
	return getppid() >= 0 && read(lift_libc_in, lift_libc_data, sizeof(lift_libc_data)) > 0 &&
	       write(lift_libc_out, lift_libc_data, sizeof(lift_libc_data)) > 0 &&
	       !clock_gettime(CLOCK_MONOTONIC_COARSE, &lift_libc_time);
}

int main(void)
{
	struct ub_verify_env env = { .limit = LIMIT };
	char text[400];
	struct ub_log log = { .buf = text, .size = sizeof(text) };
	u32 len, call_len;
	u64 syscall_at = find((u64)getppid, UB_X86_SYSCALL, &len), behind = syscall_at + len;
	u64 call_at = find((u64)lift_libc_loop, UB_X86_CALL, &call_len);
	struct ub_lift_hint hint = { find(behind, UB_X86_RET, &len), call_at + call_len };
	struct ub_lift_request request = {
		.read_code = read_code, .roots = &behind, .root_cnt = 1, .entries = &behind, .entry_cnt = 1,
		.hints = &hint, .hint_cnt = 1, .may_dispatch = may_dispatch, .read_data = read_data,
	};
	struct ub_lifted *lifted;
	struct ub_verified *verified;

#ifdef __SANITIZE_ADDRESS__
	puts("lift_libc: skipped, the sanitizer has wrappers of its own\n0 passed, 0 failed");
	return 0;
#endif
	expect(prepare(), "no /dev/zero, no /dev/null");
	lift_libc_time.tv_sec = 0;
	expect(!ub_lift(&request, &lifted), "is not lifted");
	if (!failed) {
		expect(!ub_verify(&lifted->block, &env, &log, &verified), text);
		ub_verified_free(failed ? NULL : verified);
		test_loop(&lifted->block, hint.target);
		ub_lifted_free(lifted);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
