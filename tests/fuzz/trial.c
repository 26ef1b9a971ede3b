// SPDX-License-Identifier: GPL-2.0
/*
 * trial: one program from one state, three ways: in the interpreter, on the bare processor, and as the JIT's image.
 *
 * All that a guest can see must be the same behind it: registers, defined flags, memory, vectors, where it goes on.
 * The block may leave the guest earlier than it must; then the processor, stopped there, must have just that state.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "fuzz.h"

#define TORN		31u	/* bytes of a vector at the end of a page, at most */

#define MAX_STEPS	20000
#define MAX_STORES	4096

struct state trial_native;
u32 trial_undefined;

/* What the interpreter has written, to undo it. */
static struct { u16 off, len; } stores[MAX_STORES];
static u32 store_cnt;
static bool has_strayed;
static bool has_missed;			/* memory was asked for that is not there */
static enum ub_left left;
static const struct program *running;

/* Certainly nothing is mapped there, nor 4 GiB above the buffer, where addresses lead that are not cut to 32 bits. */
static bool is_unmapped(u64 addr)
{
	u64 from_buf = addr - (BUF_AT - 0x100000);

	return addr >= LIMIT || addr < 0x10000 || from_buf < 0x200000 || from_buf - (1ull << 32) < 0x200000;
}

static bool may_access(u64 addr, u32 len, u8 prot)
{
	u64 off = addr - BUF_AT;

	if (addr < BUF_AT || off > BUF_LEN - len) {
		has_strayed |= !is_unmapped(addr) || !is_unmapped(addr + len - 1);
		has_missed = true;
	} else {
		has_missed |= !(running->prot[off / PAGE] & running->prot[(off + len - 1) / PAGE] & prot);
	}
	return !has_missed;
}

static bool load(void *ctx, u64 addr, u32 len, u64 *ret)
{
	(void)ctx;
	*ret = 0;
	if (!may_access(addr, len, PROT_READ))
		return false;
	memcpy(ret, mem_interp + (addr - BUF_AT), len);
	return true;
}

static bool store(void *ctx, u64 addr, u32 len, u64 val)
{
	(void)ctx;
	if (!may_access(addr, len, PROT_WRITE))
		return false;
	if (store_cnt < MAX_STORES) {
		stores[store_cnt].off = addr - BUF_AT;
		stores[store_cnt].len = len;
	}
	store_cnt++;
	memcpy(mem_interp + (addr - BUF_AT), &val, len);
	return true;
}

static bool must_yield(void *ctx)
{
	(void)ctx;
	return running->must_yield;
}

static const struct ub_interp_world world = {
	.load = load, .store = store, .must_yield = must_yield, .limit = LIMIT, .fs_base = FS_AT, .max_steps = MAX_STEPS,
	.is_verified = true,
};

static bool is_writable(u32 page)
{
	return running->prot[page] & PROT_WRITE;
}

/* Gives @mem what it had before, where the interpreter has written or, with @is_all, wherever it could be. */
static void restore(u8 *mem, bool is_all)
{
	u32 i;

	if (is_all || store_cnt > MAX_STORES) {
		for (i = 0; i < BUF_LEN / PAGE; i++)
			if (is_writable(i))
				memcpy(mem + i * PAGE, mem_before + i * PAGE, PAGE);
		return;
	}
	for (i = 0; i < store_cnt; i++)
		memcpy(mem + stores[i].off, mem_before + stores[i].off, stores[i].len);
}

/* --- the three ways --- */

static void to_interp(struct ub_interp *to, const struct state *from)
{
	memcpy(to->regs, from->regs, sizeof(from->regs));
	to->flags = from->flags;
	to->undefined = 0;
	to->ip = from->ip;
	to->has_vectors = running->has_vectors;
	if (!running->has_vectors)
		return;
	to->mxcsr = from->mxcsr;
	memcpy(to->v, from->v, sizeof(to->v));
}

static void from_interp(struct state *to, const struct ub_interp *from)
{
	memcpy(to->regs, from->regs, sizeof(to->regs));
	to->flags = from->flags;
	to->ip = from->ip;
	if (running->has_vectors) {
		to->mxcsr = from->mxcsr;
		memcpy(to->v, from->v, sizeof(to->v));
	}
}

static void run_jit(const struct state *start, struct state *ret)
{
	struct ub_image_exit exit;
	struct ub_interp state;

	*ret = *start;
	to_interp(&state, start);
	ub_harness_enter(running->image, &world, 0, &state, &exit);
	from_interp(ret, &state);
}

/* --- comparing --- */

/*
 * @is_torn: a store of a vector may have faulted between two pages.  A processor may then have written the part in the
 * first (SDM vol. 3A, 9.1.1); the interpreter writes all or nothing.
 */
static bool is_same_memory(const u8 *a, const u8 *b, bool is_torn)
{
	u32 i, len = is_torn ? PAGE - TORN : PAGE;

	for (i = 0; i < BUF_LEN / PAGE; i++)
		if (is_writable(i) && memcmp(a + i * PAGE, b + i * PAGE, len))
			return false;
	return true;
}

static bool is_inside(u64 ip)
{
	return ip >= CODE_AT && ip < CODE_AT + running->len;
}

/* An instruction that raises an exception has said so in MXCSR before, and does so again when it is run again. */
static bool is_same_mxcsr(const struct state *a, const struct state *b)
{
	return is_inside(a->ip) ? !((a->mxcsr ^ b->mxcsr) & ~MXCSR_FLAGS) : a->mxcsr == b->mxcsr;
}

static bool is_same(const struct state *a, const struct state *b, u32 undefined)
{
	return a->ip == b->ip && !((a->flags ^ b->flags) & ~undefined) && !memcmp(a->regs, b->regs, sizeof(a->regs)) &&
	       (!running->has_vectors || (is_same_mxcsr(a, b) && !memcmp(a->v, b->v, sizeof(a->v))));
}

static void say(struct verdict *ret, const char *who, const char *what, u64 have, u64 want)
{
	ret->is_different = true;
	snprintf(ret->what, sizeof(ret->what), "%s: %s is %#llx, the processor has %#llx", who, what,
		 (unsigned long long)have, (unsigned long long)want);
}

static void say_vectors(struct verdict *ret, const char *who, const struct state *have, const struct state *want)
{
	char name[32];
	u64 a, b;
	u32 i, k;

	if (have->mxcsr != want->mxcsr)
		say(ret, who, "mxcsr", have->mxcsr, want->mxcsr);
	for (i = 0; i < MAX_VECTORS; i++) {
		for (k = 0; k < 4; k++) {
			memcpy(&a, have->v[i] + 8 * k, 8);
			memcpy(&b, want->v[i] + 8 * k, 8);
			snprintf(name, sizeof(name), "ymm%u[%u]", i, k);
			if (a != b)
				say(ret, who, name, a, b);
		}
	}
}

/* The first of what differs, the least telling first: later ones take its place. */
static void say_difference(struct verdict *ret, const char *who, const struct state *have, const struct state *want,
			   u32 undefined)
{
	u32 i;

	say(ret, who, "memory", 0, 0);
	if ((have->flags ^ want->flags) & ~undefined)
		say(ret, who, "flags", have->flags & ~undefined, want->flags & ~undefined);
	if (running->has_vectors)
		say_vectors(ret, who, have, want);
	for (i = 0; i < UB_NGUEST; i++)
		if (have->regs[i] != want->regs[i])
			say(ret, who, ub_reg_name(i), have->regs[i], want->regs[i]);
	if (have->ip != want->ip)
		say(ret, who, "ip", have->ip, want->ip);
}

static void save(u8 *to, const u8 *mem)
{
	u32 i;

	for (i = 0; i < BUF_LEN / PAGE; i++)
		if (is_writable(i))
			memcpy(to + i * PAGE, mem + i * PAGE, PAGE);
}

/* Memory where the processor is to be stopped. */
static u8 wanted[BUF_LEN];
static bool is_wanted_torn;

static bool has_memory_of_stop(void)
{
	return is_same_memory(wanted, mem_guest, is_wanted_torn);
}

/*
 * Has the processor, on its way from @start, the state @have with memory @mem?  It has been run to its end before, and
 * @native says how that was; with @is_early @have is in the program, and the processor is run again, stopped there.
 */
static bool agrees(const struct state *start, const struct state *have, const u8 *mem, struct state *native, u32 undefined,
		   bool is_early, const char *who, struct verdict *ret)
{
	const struct stop stop = { .state = have, .undefined = undefined, .has_memory = has_memory_of_stop };

	is_wanted_torn = running->has_vectors && is_inside(have->ip);
	if (is_same(have, native, undefined) && is_same_memory(mem, mem_guest, is_wanted_torn))
		return true;
	if (is_early) {
		save(wanted, mem);
		restore(mem_guest, true);
		*native = *start;
		cpu_run(native, running, &stop);
		if (is_same(have, native, undefined) && has_memory_of_stop())
			return true;
	}
	ret->is_skipped = cpu_is_in_doubt();
	if (!ret->is_skipped)
		say_difference(ret, who, have, native, undefined);
	return false;
}

/* The image, which must do what the interpreter did; or else stop at a point of the processor's way. */
static void try_jit(const struct state *start, const struct state *want, u32 undefined, struct verdict *ret)
{
	struct state have, native;

	run_jit(start, &have);
	if (is_same(&have, want, undefined) && is_same_memory(mem_interp, mem_guest, running->has_vectors && is_inside(want->ip)))
		return;
	if (is_inside(have.ip) && (have.ip != want->ip || left == UB_LEFT_YIELD)) {
		native = have;
		native.ip = 0;
		if (agrees(start, &have, mem_guest, &native, undefined, true, "jit", ret))
			return;
	} else {
		say_difference(ret, "jit", &have, want, undefined);
	}
	restore(mem_guest, true);
}

/* May the processor go on at @ip?  Only where it comes to an end at once. */
static bool may_follow(u64 ip)
{
	u32 k;

	for (k = 0; k < EXITS; k++)
		if (ip == program_exit(running, k))
			return true;
	return is_inside(ip) || is_unmapped(ip);
}

static bool run_interp(const struct state *start, struct ub_interp *state, struct verdict *ret)
{
	to_interp(state, start);
	has_strayed = has_missed = false;
	store_cnt = 0;
	left = ub_interp_run(&running->lifted->block, &world, running->lifted->block.entries[0].insn_idx, state);
	ret->is_skipped = has_strayed || left == UB_LEFT_STEPS || !may_follow(state->ip);
	if (left != UB_LEFT_BUG)
		return !ret->is_skipped;
	ret->is_different = true;
	ret->is_skipped = false;
	snprintf(ret->what, sizeof(ret->what), "interpreter: the block broke a rule at instruction %u", state->insn_idx);
	return false;
}

bool trial_run(const struct program *program, const struct state *start, struct verdict *ret)
{
	struct ub_interp state;
	struct state have = *start;
	u64 faults = cpu_faults;
	u32 may_be;

	memset(ret, 0, sizeof(*ret));
	running = program;
	trial_native = *start;
	if (!run_interp(start, &state, ret)) {
		restore(mem_interp, ret->is_different);
		return !ret->is_different;
	}
	from_interp(&have, &state);
	ret->undefined = trial_undefined = state.undefined & UB_FL_ALL;
	may_be = program->undefined | (left == UB_LEFT_FAULT ? program->undefined_on_fault : 0);
	if (ret->undefined & ~may_be)
		say(ret, "interpreter", "an undefined flag", ret->undefined, may_be);
	/* Where the block may leave before its time, nobody knows what comes next: there the processor is stopped. */
	ret->is_early = is_inside(have.ip) && (left != UB_LEFT_FAULT || !has_missed);
	if (ret->is_early)
		trial_native.ip = 0;
	else if (!cpu_run(&trial_native, program, NULL))
		ret->has_hung = true;
	if (ret->has_hung) {
		ret->is_different = true;
		snprintf(ret->what, sizeof(ret->what), "the processor does not come to the end");
	} else if (agrees(start, &have, mem_interp, &trial_native, ret->undefined, ret->is_early, "interpreter", ret)) {
		ret->has_faulted = cpu_faults != faults;
		restore(mem_guest, false);
		try_jit(start, &have, ret->undefined, ret);
	}
	restore(mem_guest, ret->is_different || ret->is_skipped);
	restore(mem_interp, ret->is_different || ret->is_skipped);
	return !ret->is_different;
}
