// SPDX-License-Identifier: GPL-2.0
/*
 * machine: what is decided for every kind of machine and thread, also those that no emulator has.
 *
 * All records of kernel/ub-jit/machine.h are fed: whether blocks may run, the machine code of a block that reads memory
 * and makes a call, the step before a call, and the checker's judgement of that image for each other machine.  And all
 * threads of kernel/ub-jit/rules.h.
 */
#define _GNU_SOURCE
#include <string.h>

#include "../../ir/parse.h"
#include "../../kernel/ub-jit/machine.h"
#include "../../kernel/ub-jit/rules.h"
#include "../reread.h"

#define LIMIT	0x7ffffffff000ull
#define STUB	0x7000ull
#define SLOW	0x7100ull
#define THUNK	0x7200ull
#define CLEAR	0x7300ull

static const char text[] =
	"entry 0x1000:\n insn 0x1000 +3\n guard r16, [r3]\n load.64 r0, [r16]\n"
	" insn 0x1003 +2\n syscall 39\n insn 0x1005 +3\n exit 0x1008\n"
	"entry 0x1010:\n insn 0x1010 +3\n exit 0x1013\n";

static u32 passed, failed;

static void check(bool is_good, const char *what, u32 which)
{
	passed += is_good;
	failed += !is_good;
	if (!is_good)
		printf("machine: %s, record %#x\n", what, which);
}

/* --- machines --- */

enum { XEN_PV = 1, FRED = 2, SMAP = 4, LASS = 8, IBT = 16, VIRTUAL = 32, BHB_LOOP = 64, BHB_HW = 128, RETURN_THUNK = 256,
       MACHINES = 512 };

static const struct ub_machine_code code = { .clear_bhb_loop = CLEAR, .return_thunk = THUNK };

static struct ub_machine machine_of(u32 bits)
{
	return (struct ub_machine){
		.is_xen_pv = bits & XEN_PV, .has_fred = bits & FRED, .has_smap = bits & SMAP, .has_lass = bits & LASS,
		.has_ibt = bits & IBT, .is_virtual = bits & VIRTUAL, .has_bhb_loop = bits & BHB_LOOP,
		.has_bhb_hw = bits & BHB_HW, .has_return_thunk = bits & RETURN_THUNK,
	};
}

static void test_obstacles(u32 bits)
{
	struct ub_machine machine = machine_of(bits);
	const char *why = ub_machine_obstacle(&machine);
	const char *wanted = bits & XEN_PV ? "Xen PV" : bits & FRED ? "FRED" : (bits & (LASS | SMAP)) == LASS ? "LASS" : NULL;

	check(wanted ? why && strstr(why, wanted) : !why, "runs or not", bits);
}

/* Bytes of the step to a handler: does it call what clears, and fence, before it goes there? */
static void test_barrier(u32 bits, enum ub_machine_history wanted)
{
	struct ub_machine machine = machine_of(bits);
	struct ub_barrier barrier = ub_machine_barrier(&machine, &code, wanted);
	bool has_clear = wanted == UB_HISTORY_CLEAR || (wanted == UB_HISTORY_CPU && bits & BHB_LOOP);
	bool has_fence = wanted == UB_HISTORY_CLEAR ||
			 (wanted == UB_HISTORY_CPU && (bits & BHB_HW || (bits & BHB_LOOP && bits & VIRTUAL)));
	u8 bytes[2 * UB_STUB_LEN];
	struct ub_image_reloc relocs[2 * UB_STUB_RELOCS];
	struct ub_image image = { .code = bytes, .relocs = relocs };
	const u8 *fence, *jump;
	u32 i, first, at;

	for (i = 0; i < 2; i++) {
		first = image.reloc_cnt;
		at = i ? ub_jit_call_stub(&image, STUB, &barrier) : ub_jit_pass_stub(&image, STUB, &barrier);
		check(image.reloc_cnt == first + 1 + has_clear, "what a step calls", bits);
		if (has_clear)
			check(relocs[first].target == CLEAR && bytes[relocs[first].off - 1] == 0xe8, "the clearing", bits);
		jump = bytes + relocs[image.reloc_cnt - 1].off - 1;
		check(relocs[image.reloc_cnt - 1].target == STUB && *jump == 0xe9, "the handler", bits);
		fence = memmem(bytes + at, jump - bytes - at, "\xf3\x48\x0f\x1e\xf8", 5);
		check(!fence == !has_fence, "the fence", bits);
		/* Behind the loop, whose own branches are history too. */
		check(!fence || !has_clear || fence > bytes + relocs[first].off, "their order", bits);
	}
}

static u32 count(const struct ub_image *image, const char *bytes, u32 len)
{
	const u8 *at = image->code, *end = image->code + image->code_len;
	u32 cnt = 0;

	while ((at = memmem(at, end - at, bytes, len))) {
		at += len;
		cnt++;
	}
	return cnt;
}

static u32 relocs_to(const struct ub_image *image, u64 target)
{
	u32 i, cnt = 0;

	for (i = 0; i < image->reloc_cnt; i++)
		cnt += image->relocs[i].target == target;
	return cnt;
}

static struct ub_jit_env env_of(u32 bits)
{
	static u64 stubs[40];
	struct ub_machine machine = machine_of(bits);
	struct ub_jit_env env = {
		.work_mask = 0x2300e, .work_off = 8, .work_exit_mask = 0x5a, .pagefault_off = 64, .pre_call = SLOW,
		.post_call = SLOW, .call_stubs = stubs, .call_stub_cnt = ARRAY_SIZE(stubs),
	};

	stubs[39] = STUB;
	ub_machine_env(&machine, &code, &env);
	return env;
}

/* What an image may depend on. */
static u32 kind_of(u32 bits)
{
	return bits & (SMAP | IBT | RETURN_THUNK);
}

/* One image for each kind. */
static struct ub_image *images[MACHINES];

static void test_image(u32 bits, const struct ub_verified *verified)
{
	struct ub_jit_env env = env_of(bits);
	struct ub_image *image, *like;
	u32 i, endbr = 0, off;

	if (ub_jit(verified, &env, &image)) {
		check(false, "does not compile", bits);
		return;
	}
	for (i = 0; i < image->entry_cnt; i++)
		endbr += !memcmp(image->code + image->entries[i].off, "\xf3\x0f\x1e\xfa", 4);
	check(image->entry_cnt == 2 && endbr == (bits & IBT ? 2 : 0), "landing pads at entries", bits);
	check(count(image, "\xf3\x0f\x1e\xfa", 4) == endbr, "landing pads elsewhere", bits);
	/* Opened for the access, closed for the call, opened behind it; and closed on each way out. */
	check(bits & SMAP ? count(image, "\x0f\x01\xcb", 3) >= 2 && count(image, "\x0f\x01\xca", 3) >= 2 :
	      !count(image, "\x0f\x01\xcb", 3) && !count(image, "\x0f\x01\xca", 3), "stac and clac", bits);
	check(!relocs_to(image, THUNK) == !(bits & RETURN_THUNK), "the return thunk", bits);
	check(bits & RETURN_THUNK || image->code_len, "an image", bits);
	check(!reread_check(image, &env, LIMIT, &off), "refused by the checker", bits);
	like = images[kind_of(bits)];
	if (!like) {
		images[kind_of(bits)] = image;
		return;
	}
	check(image->code_len == like->code_len && !memcmp(image->code, like->code, like->code_len), "other bytes", bits);
	ub_image_free(image);
}

/* The image of one kind on a machine of another: refused.  (Where there is no SMAP, stac is no instruction.) */
static void test_elsewhere(u32 made_for, u32 runs_on)
{
	struct ub_jit_env env = env_of(runs_on);
	u32 off;

	check(!reread_check(images[made_for], &env, LIMIT, &off) == (made_for == runs_on), "elsewhere", made_for << 16 | runs_on);
}

static void test_images(void)
{
	const struct ub_verify_env env = { .limit = LIMIT };
	struct ub_log log = { 0 };
	struct ub_parse_error error;
	struct ub_verified *verified;
	struct ub_block *block;
	u32 bits, other;

	if (ub_block_parse(text, &block, &error) || ub_verify(block, &env, &log, &verified)) {
		check(false, "the block", 0);
		return;
	}
	for (bits = 0; bits < MACHINES; bits++)
		test_image(bits, verified);
	for (bits = 0; bits < MACHINES; bits++)
		for (other = 0; other < MACHINES; other++)
			if (kind_of(bits) == bits && kind_of(other) == other)
				test_elsewhere(bits, other);
	for (bits = 0; bits < MACHINES; bits++)
		if (images[bits])
			ub_image_free(images[bits]);
	ub_verified_free(verified);
	ub_block_free(block);
}

/* --- threads --- */

static void test_threads(void)
{
	static const enum ub_native_why first[] = {
		UB_NATIVE_PTRACE, UB_NATIVE_SYSCALL_WORK, UB_NATIVE_DEBUG, UB_NATIVE_THREAD_FLAG, UB_NATIVE_THREAD_FLAG,
	};
	u32 bits;

	for (bits = 0; bits < 32; bits++) {
		struct ub_rule_thread thread = {
			.is_traced = bits & 1, .has_work = bits & 2, .has_breakpoint = bits & 4, .has_bad_flag = bits & 8,
			.has_shadow_stack = bits & 16,
		};

		check(ub_rule_thread(&thread) == (bits ? first[__builtin_ctz(bits)] : UB_NATIVE_NONE), "a thread", bits);
	}
}

/* As the syscall instruction leaves them, and what signals, debuggers and other machines make of them. */
static void test_regs(void)
{
	const struct ub_rule_regs plain = {
		.ip = 0x401000, .flags = 0x246, .cx = 0x401000, .r11 = 0x246, .cs = 0x33, .ss = 0x2b, .is_entry = true,
	};
	/* Arithmetic flags, IF, IOPL, and ID do no harm. */
	const u64 good = 0x8d5 | 0x2 | 0x200 | 0x3000 | 0x200000;
	struct ub_rule_regs regs;
	u32 bit;

	check(ub_rule_regs(&plain) == UB_NATIVE_NONE, "plain registers", 0);
	for (bit = 0; bit < 22; bit++) {
		regs = plain;
		regs.flags = regs.r11 = 0x202 | 1ull << bit;
		if (1ull << bit & (good | 0x54500))
			check(ub_rule_regs(&regs) == (1ull << bit & good ? UB_NATIVE_NONE : UB_NATIVE_FLAGS), "a flag", bit);
	}
	for (bit = 0; bit < 64; bit++) {
		regs = plain;
		regs.cx ^= 1ull << bit;
		check(ub_rule_regs(&regs) == UB_NATIVE_FLAGS, "rcx is not the address", bit);
		regs = plain;
		regs.r11 ^= 1ull << bit;
		check(ub_rule_regs(&regs) == UB_NATIVE_FLAGS, "r11 is not the flags", bit);
		regs = plain;
		regs.cs ^= 1ull << bit;
		check(ub_rule_regs(&regs) == UB_NATIVE_SEGMENT, "another code segment", bit);
		regs = plain;
		regs.ss ^= 1ull << bit;
		check(ub_rule_regs(&regs) == UB_NATIVE_SEGMENT, "another stack segment", bit);
	}
	regs = plain;
	regs.is_entry = false;
	check(ub_rule_regs(&regs) == UB_NATIVE_SEGMENT, "other registers than it came with", 0);
	regs = plain;
	regs.is_compat = true;
	check(ub_rule_regs(&regs) == UB_NATIVE_SEGMENT, "the 32-bit entry", 0);
	/* Xen PV's user mode; 32-bit code. */
	regs = plain;
	regs.cs = 0xe033;
	regs.ss = 0xe02b;
	check(ub_rule_regs(&regs) == UB_NATIVE_SEGMENT, "Xen PV's segments", 0);
	regs = plain;
	regs.cs = 0x23;
	check(ub_rule_regs(&regs) == UB_NATIVE_SEGMENT, "32-bit code", 0);
}

int main(void)
{
	enum ub_machine_history wanted;
	u32 bits;

	for (bits = 0; bits < MACHINES; bits++) {
		test_obstacles(bits);
		for (wanted = UB_HISTORY_CPU; wanted <= UB_HISTORY_KEEP; wanted++)
			test_barrier(bits, wanted);
	}
	test_images();
	test_threads();
	test_regs();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
