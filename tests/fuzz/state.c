// SPDX-License-Identifier: GPL-2.0
/*
 * state: where a program starts.
 *
 * Values near the limits of each width come more often than chance would have it, so do equal operands, and memory
 * operands point into the buffer, sometimes across its ends.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "fuzz.h"

u64 fuzz_seed = 88172645463325252ull;
u8 mem_before[BUF_LEN], mem_interp[BUF_LEN];

u64 random_value(void)
{
	static const u64 corners[] = { 0, 1, 2, 3, 0xf, 0x10, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, INT64_MAX, 1ull << 63, -1ull, -2ull, -128ull,
		-0x8000ull, -0x80000000ull, 31, 32, 63, 64 };
	u64 val = rng();

	switch (val & 7) {
	case 0: case 1:
		return corners[pick(ARRAY_SIZE(corners))];
	case 2:
		return corners[pick(ARRAY_SIZE(corners))] + (val >> 61);
	case 3:
		return corners[pick(ARRAY_SIZE(corners))] | val << 32;
	case 4: case 5:
		return val >> (val >> 3 & 63);
	default:
		return val;
	}
}

/* --- vectors --- */

static u32 random_float(void)
{
	static const u32 corners[] = { 0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
		0xffc00001, 0x7f800001, 0xffa00000, 1, 0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff,
		0x4f000000, 0xcf000000, 0x4effffff, 0x5f000000, 0xdf000000, 0x3f000000, 0x3fc00000, 0x40200000,
		0x34000000, 0x33800000, 0x4b000000, 0x4b7fffff, 0x7f000000, 0x00ffffff };
	u32 val = rng() >> 32;

	if (val & 1)
		return corners[pick(ARRAY_SIZE(corners))];
	return val & 2 ? val : (val & 0x807fffff) | (0x70 + pick(0x20)) << 23;
}

static u64 random_double(void)
{
	static const u64 corners[] = { 0, 1ull << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000,
		0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000001, 0x7ff0000000000001, 0xfff4000000000000, 1,
		0x8000000000000001, 0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0xffefffffffffffff,
		0x41e0000000000000, 0xc1e0000000000000, 0x41dfffffffc00000, 0x43e0000000000000, 0xc3e0000000000000,
		0x3fe0000000000000, 0x3ff8000000000000, 0x4004000000000000, 0x47efffffe0000000, 0x380fffffc0000000,
		0x36a0000000000000, 0x4330000000000000, 0x3cb0000000000000, 0x3690000000000000 };
	u64 val = rng();

	if (val & 1)
		return corners[pick(ARRAY_SIZE(corners))];
	return val & 2 ? val : (val & 0x800fffffffffffffull) | (u64)(0x3f0 + pick(0x20)) << 52;
}

static u64 random_lanes(u32 bits)
{
	u64 val = 0;
	u32 i;

	for (i = 0; i < 64; i += bits)
		val |= (random_value() & ((bits == 64 ? 0 : 1ull << bits) - 1)) << i;
	return val;
}

static u64 random_text(void)
{
	static const u8 letters[] = "aabbcAZ\0\xff\x80";
	u64 val = 0;
	u32 i;

	for (i = 0; i < 64; i += 8)
		val |= (u64)letters[pick(ARRAY_SIZE(letters))] << i;
	return val;
}

/* A few quad words of one kind of lanes. */
static void random_vector(u64 *to, u32 cnt)
{
	u32 i, kind = pick(9);

	for (i = 0; i < cnt; i++) {
		switch (kind) {
		case 0: to[i] = random_lanes(8); break;
		case 1: to[i] = random_lanes(16); break;
		case 2: to[i] = random_lanes(32); break;
		case 3: to[i] = random_value(); break;
		case 4: case 5: to[i] = random_float() | (u64)random_float() << 32; break;
		case 6: case 7: to[i] = random_double(); break;
		default: to[i] = random_text(); break;
		}
	}
}

static void random_vectors(const struct program *program, struct state *state)
{
	u32 i, last = 0;

	for (i = 0; i < MAX_VECTORS; i++) {
		if (!(program->vectors & 1u << i) && pick(32))
			continue;
		if (pick(8))
			random_vector((u64 *)state->v[i], 4);
		else
			memcpy(state->v[i], state->v[last], 32);
		last = i;
	}
}

/* Mostly the default; else any rounding, with and without denormals, now and then with exceptions that trap. */
static u32 random_mxcsr(void)
{
	u32 mxcsr = 0x1f80;

	if (pick(3) == 0)
		mxcsr ^= rng() & 0xe07f;
	if (pick(24) == 0)
		mxcsr ^= rng() & 0x1f80;
	return mxcsr;
}

/* --- memory --- */

static u64 random_wild(void)
{
	switch (pick(6)) {
	case 0: return pick(0x10000);
	case 1: return LIMIT - pick(64);
	case 2: return LIMIT + pick(0x2000);
	case 3: return (1ull << 63) | rng();
	case 4: return 0x0000800000000000ull + rng() % 0x100000;
	default: return BUF_AT - 0x1000 + pick(0x4000);
	}
}

/* Where a memory operand points to. */
static u64 random_place(u32 size)
{
	u32 i = pick(32), aligned = size && !(size & (size - 1)) ? size : 8;

	if (size >= BUF_LEN)
		size = 64;
	if (i < 14)
		return BUF_AT + pick(BUF_LEN / aligned) * aligned;
	if (i < 27)
		return BUF_AT + pick(BUF_LEN - size);
	if (i < 29)
		return BUF_AT + PAGE - pick(size + 1);
	if (i < 30)
		return BUF_AT + BUF_LEN - pick(size + 1);
	if (i < 31)
		return BUF_AT - pick(size + 1);
	return pick(2) ? random_wild() : BUF_AT + pick(BUF_LEN - size);
}

static bool is_writable(const struct program *program, u64 at, u32 len)
{
	if (at < BUF_AT || at - BUF_AT >= BUF_LEN || BUF_AT + BUF_LEN - at < len)
		return false;
	return program->prot[(at - BUF_AT) / PAGE] & PROT_WRITE && program->prot[(at + len - 1 - BUF_AT) / PAGE] & PROT_WRITE;
}

static u64 random_target(const struct program *program)
{
	return pick(8) ? program_exit(program, pick(EXITS)) : random_wild();
}

static void put_content(const struct program *program, u64 at, u32 len)
{
	u64 val[8], off = at - BUF_AT;

	if (len > sizeof(val))
		len = sizeof(val);
	if (!is_writable(program, at, len))
		return;
	if (len > 8)
		random_vector(val, ARRAY_SIZE(val));
	else if (program->has_indirect)
		val[0] = random_target(program);
	else
		val[0] = program->has_vectors ? (len == 4 ? random_float() : random_double()) : random_value();
	memcpy(mem_before + off, val, len);
	memcpy(mem_interp + off, val, len);
	memcpy(mem_guest + off, val, len);
}

/* Registers that are to give address @at; @fixed are those that others rely on. */
static void aim(u64 *regs, const struct mem *mem, u64 at, u16 *fixed, bool is_single)
{
	u64 want = at - mem->disp - (mem->is_fs ? FS_AT : 0);

	if (mem->bit_offset >= 0 && pick(8))
		regs[mem->bit_offset] = (s64)pick(512) - 256;
	if (mem->index < 0) {
		regs[mem->base] = want;
	} else if (mem->base < 0) {
		regs[mem->index] = want / mem->scale;
	} else if (mem->base == mem->index) {
		regs[mem->base] = want / (mem->scale + 1);
	} else {
		if (!(*fixed & 1u << mem->index) && (!is_single || pick(4)))
			regs[mem->index] = pick(64);
		*fixed |= 1u << mem->index;
		regs[mem->base] = want - regs[mem->index] * mem->scale;
	}
	if (mem->base >= 0)
		*fixed |= 1u << mem->base;
	if (mem->is_a32 && mem->base >= 0 && pick(2))
		regs[mem->base] ^= pick(2) ? 1ull << 32 : rng() << 32;
}

static void aim_all(const struct program *program, u64 *regs)
{
	u16 fixed = 0;
	u32 i, k;

	for (i = 0; i < program->cnt; i++) {
		const struct insn *insn = &program->insns[i];

		for (k = 0; k < insn->mem_cnt; k++) {
			const struct mem *mem = &insn->mems[k];
			u64 at = random_place(mem->size);

			if (mem->base >= 0 && fixed & 1u << mem->base && pick(4))
				continue;
			aim(regs, mem, at, &fixed, program->cnt == 1);
			put_content(program, at, mem->size);
		}
		if (insn->is_rip || insn->is_absolute)
			put_content(program, insn->target + (insn->is_fs ? FS_AT : 0), 8);
	}
}

/* --- all of it --- */

static void random_registers(const struct program *program, struct state *state)
{
	u32 i, last = UB_RAX;

	for (i = 0; i < UB_NGUEST; i++) {
		if (!(program->reads & 1u << i) && pick(32))
			continue;
		state->regs[i] = pick(8) ? random_value() : state->regs[last];
		if (program->has_indirect && pick(2))
			state->regs[i] = random_target(program);
		last = i;
	}
}

/* Values without which little would come of an instruction. */
static void tame(const struct program *program, struct state *state)
{
	u32 i;

	for (i = 0; i < program->cnt; i++) {
		if (program->insns[i].mnemonic != ZYDIS_MNEMONIC_DIV && program->insns[i].mnemonic != ZYDIS_MNEMONIC_IDIV)
			continue;
		if (pick(4))
			state->regs[UB_RDX] = pick(2) ? 0 : program->insns[i].mnemonic == ZYDIS_MNEMONIC_IDIV ?
					      (u64)((s64)state->regs[UB_RAX] >> 63) : random_value() >> 40;
	}
	if (program->has_rep) {
		state->regs[UB_RCX] = pick(16) ? pick(20) : pick(300);
		if (!pick(8))
			state->regs[UB_RCX] |= rng() << 32;
	}
	if (program->loop_reg >= 0)
		state->regs[program->loop_reg] = pick(64) ? 1 + pick(6) : 120 + pick(300);
}

/* What a system call leaves behind, if it is one that the program is entered from. */
void state_behind_call(const struct program *program, struct state *state)
{
	if (program->is_behind_call) {
		state->regs[UB_RCX] = CODE_AT;
		state->regs[UB_R11] = state->flags | 0x202;
	}
}

void state_random(const struct program *program, struct state *state)
{
	state->ip = CODE_AT;
	state->flags = rng() & UB_FL_ALL;
	random_registers(program, state);
	tame(program, state);
	if (program->has_vectors) {
		random_vectors(program, state);
		state->mxcsr = random_mxcsr();
	}
	/* Who does not look at it shall not be in doubt for it. */
	if (!cpu_returns_anywhere && !(program->reads & 1u << UB_RSP))
		state->regs[UB_RSP] = (s64)(state->regs[UB_RSP] << 16) >> 16;
	aim_all(program, state->regs);
	state_behind_call(program, state);
}

void state_fresh(const struct program *program, struct state *state)
{
	u32 i;

	for (i = 0; i < BUF_LEN / 8; i++)
		((u64 *)mem_before)[i] = program->has_indirect ? random_target(program) : rng();
	memcpy(mem_interp, mem_before, BUF_LEN);
	memcpy(mem_guest, mem_before, BUF_LEN);
	memset(state, 0, sizeof(*state));
	for (i = 0; i < UB_NGUEST; i++)
		state->regs[i] = random_value();
	for (i = 0; i < MAX_VECTORS; i++)
		random_vector((u64 *)state->v[i], 4);
	state->mxcsr = 0x1f80;
}
