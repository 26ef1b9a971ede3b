// SPDX-License-Identifier: GPL-2.0
/*
 * world: the guest of a text case, and the three ways to run it.
 *
 * Its memory is the buffer, at one place in all of them; pages of it may be missing or read-only.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "case.h"
#include "harness.h"

#define MAX_STEPS	10000000u

/* The world of a run: the buffer, and the calls that its line answers. */
struct world {
	const struct words *words;
	const struct guest *guest;
	u64 asked;
};

bool world_map(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	return mmap((void *)CODE_IP, CODE_LEN, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0) == (void *)CODE_IP &&
	       mmap((void *)BUF_IP, BUF_LEN, PROT_READ | PROT_WRITE, flags, -1, 0) == (void *)BUF_IP;
}

static bool may_access(const struct world *world, u64 addr, u32 len, u8 prot)
{
	u64 off = addr - BUF_IP;

	return addr >= BUF_IP && off <= BUF_LEN - len && world->guest->prot[off / PAGE] & prot &&
	       world->guest->prot[(off + len - 1) / PAGE] & prot;
}

bool world_read(void *ctx, u64 addr, u32 len, u64 *ret)
{
	(void)ctx;
	if (addr < BUF_IP || addr > BUF_IP + BUF_LEN - len)
		return false;
	*ret = 0;
	memcpy(ret, (void *)addr, len);
	return true;
}

static bool world_load(void *ctx, u64 addr, u32 len, u64 *ret)
{
	*ret = 0;
	if (!may_access(ctx, addr, len, PROT_READ))
		return false;
	memcpy(ret, (void *)addr, len);
	return true;
}

static bool world_store(void *ctx, u64 addr, u32 len, u64 val)
{
	if (!may_access(ctx, addr, len, PROT_WRITE))
		return false;
	memcpy((void *)addr, &val, len);
	return true;
}

static bool world_must_yield(void *ctx)
{
	struct world *world = ctx;

	return ++world->asked == world->words->yield;
}

static bool world_syscall(void *ctx, u64 regs[UB_NGUEST])
{
	const struct world *world = ctx;
	u32 i;

	for (i = 0; i < world->words->in_cnt; i++) {
		const struct word *word = &world->words->in[i];

		if (word->kind != WORD_SYSCALL || word->which != (u32)regs[UB_RAX])
			continue;
		regs[UB_RAX] = word->val;
		return true;
	}
	return false;
}

void guest_fresh(struct guest *guest, const struct words *words)
{
	u32 i;

	memset(guest, 0, sizeof(*guest));
	for (i = 0; i < UB_NGUEST; i++)
		guest->regs[i] = 0x1010101010101010ull * (i + 1) + i;
	for (i = 0; i < BUF_LEN; i++)
		guest->buf[i] = i * 7 + i / 256;
	for (i = 0; i < sizeof(guest->v); i++)
		guest->v[i / 32][i % 32] = i * 5 + i / 32;
	guest->mxcsr = 0x1f80;
	guest->regs[UB_RSP] = STACK_IP;
	guest->ip = CODE_IP;
	memset(guest->prot, PROT_READ | PROT_WRITE, sizeof(guest->prot));
	for (i = 0; i < words->in_cnt; i++)
		word_set(&words->in[i], guest);
}

/* Puts the guest's memory in its place; and takes it from there. */
static void put_memory(const struct guest *guest)
{
	u32 i;

	memcpy((void *)BUF_IP, guest->buf, BUF_LEN);
	for (i = 0; i < ARRAY_SIZE(guest->prot); i++)
		mprotect((void *)(BUF_IP + i * PAGE), PAGE, guest->prot[i]);
}

static void take_memory(struct guest *guest)
{
	mprotect((void *)BUF_IP, BUF_LEN, PROT_READ | PROT_WRITE);
	memcpy(guest->buf, (void *)BUF_IP, BUF_LEN);
}

static struct ub_interp enter(const struct guest *guest)
{
	struct ub_interp state = { .flags = guest->flags, .ip = guest->ip, .mxcsr = guest->mxcsr,
				   .has_vectors = cpu_has_vectors() };

	memcpy(state.regs, guest->regs, sizeof(guest->regs));
	memcpy(state.v, guest->v, sizeof(guest->v));
	put_memory(guest);
	return state;
}

static void leave(struct guest *guest, const struct ub_interp *state)
{
	memcpy(guest->regs, state->regs, sizeof(guest->regs));
	memcpy(guest->v, state->v, sizeof(guest->v));
	guest->mxcsr = state->mxcsr;
	take_memory(guest);
	guest->flags = state->flags;
	guest->ip = state->ip;
}

static struct ub_interp_world make_world(struct world *world)
{
	return (struct ub_interp_world){
		.ctx = world, .load = world_load, .store = world_store, .must_yield = world_must_yield,
		.syscall = world_syscall, .limit = LIMIT, .fs_base = FS_IP, .max_steps = MAX_STEPS,
	};
}

enum ub_left guest_run_interp(const struct ub_block *block, const struct words *words, struct guest *guest)
{
	struct world ctx = { .words = words, .guest = guest };
	struct ub_interp_world world = make_world(&ctx);
	struct ub_interp state = enter(guest);
	enum ub_left left = ub_interp_run(block, &world, block->entry_cnt ? block->entries[0].insn_idx : 0, &state);

	leave(guest, &state);
	guest->undefined = state.undefined;
	return left;
}

int guest_run_jit(const struct ub_verified *verified, const struct words *words, struct guest *guest)
{
	struct world ctx = { .words = words, .guest = guest };
	struct ub_interp_world world = make_world(&ctx);
	struct ub_interp state = enter(guest);
	struct ub_image_exit exit;
	enum ub_exit_kind kind;
	int err = ub_harness_run(verified, &world, 0, &state, &kind, &exit);

	leave(guest, &state);
	return err;
}

bool guest_run_cpu(const u8 *code, u32 len, struct guest *guest, u64 stop_ip)
{
	u8 *at = (u8 *)CODE_IP;
	bool done;

	memset(at, 0xcc, CODE_LEN);
	memcpy(at, code, len);
	if (stop_ip >= CODE_IP && stop_ip < CODE_IP + CODE_LEN)
		at[stop_ip - CODE_IP] = 0xcc;
	put_memory(guest);
	done = cpu_run(guest);
	take_memory(guest);
	return done;
}
