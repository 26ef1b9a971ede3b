// SPDX-License-Identifier: GPL-2.0
/*
 * jit_random: random verified blocks run by the interpreter and, compiled, by the real CPU; all guest state must agree.
 *
 * usage: jit_random [PROGRAMS [SEED]]
 */
#include "../gen.h"
#include "../harness.h"

static bool in_buf(u64 addr, u32 len)
{
	return addr >= (u64)gen_buf && addr - (u64)gen_buf <= GEN_BUF_LEN - len;
}

static bool world_load(void *ctx, u64 addr, u32 len, u64 *ret)
{
	(void)ctx;
	*ret = 0;
	if (!in_buf(addr, len))
		return false;
	memcpy(ret, (void *)addr, len);
	return true;
}

static bool world_store(void *ctx, u64 addr, u32 len, u64 val)
{
	(void)ctx;
	if (!in_buf(addr, len))
		return false;
	memcpy((void *)addr, &val, len);
	return true;
}

static bool world_syscall(void *ctx, u64 regs[UB_NGUEST])
{
	(void)ctx;
	regs[UB_RAX] = regs[UB_RDI] + 3 * regs[UB_RSI] + 5 * regs[UB_RDX] + 7 * regs[UB_R10] + 9 * regs[UB_R8] +
		       11 * regs[UB_R9];
	if ((s64)regs[UB_RAX] < 0)
		regs[UB_RAX] >>= 1;	/* no -ERESTART* by chance */
	return true;
}

/* Is there work for the task, all the time? */
static bool has_work;

static bool world_must_yield(void *ctx)
{
	(void)ctx;
	return has_work;
}

static struct ub_interp_world world = {
	.load = world_load, .store = world_store, .syscall = world_syscall, .must_yield = world_must_yield,
	.fs_base = 0x1234000,
};

static void dump(const struct ub_block *block)
{
	char line[128];
	u32 i;

	fprintf(stderr, "resident %#x\n", block->resident);
	for (i = 0; i < block->insn_cnt; i++) {
		ub_insn_text(&block->insns[i], i, line, sizeof(line));
		fprintf(stderr, "%4u  %s\n", i, line);
	}
}

static bool differ(const struct ub_interp *want, const struct ub_interp *got, u32 undefined, const u8 *mem_want)
{
	bool bad = false;
	u32 i;

	for (i = 0; i < UB_NGUEST; i++) {
		if (want->regs[i] == got->regs[i])
			continue;
		fprintf(stderr, "r%u: want %#llx got %#llx\n", i, (unsigned long long)want->regs[i],
			(unsigned long long)got->regs[i]);
		bad = true;
	}
	if ((want->flags ^ got->flags) & ~undefined) {
		fprintf(stderr, "flags: want %#x got %#x (undefined %#x)\n", want->flags, got->flags, undefined);
		bad = true;
	}
	if (want->ip != got->ip) {
		fprintf(stderr, "ip: want %#llx got %#llx\n", (unsigned long long)want->ip, (unsigned long long)got->ip);
		bad = true;
	}
	if (memcmp(mem_want, gen_buf, GEN_BUF_LEN)) {
		fprintf(stderr, "memory differs\n");
		bad = true;
	}
	return bad;
}

static void random_state(struct ub_interp *state)
{
	u32 i;

	memset(state, 0, sizeof(*state));
	for (i = 0; i < UB_NGUEST; i++)
		state->regs[i] = gen_value();
	state->flags = gen_random() & UB_FL_ALL;
	if (gen_random() & 1 << 20) {
		state->regs[UB_R11] = state->flags | 0x202;	/* as behind a system call */
		state->regs[UB_RCX] = GEN_BASE_IP;
	}
	for (i = 0; i < GEN_BUF_LEN; i++)
		gen_buf[i] = gen_random() >> 40;
}

/* The interpreter finds work behind a call, the image before it already. */
static bool has_syscall(const struct gen *g)
{
	u32 i;

	for (i = 0; i < g->cnt; i++)
		if (g->insns[i].op == UB_OP_SYSCALL)
			return true;
	return false;
}

enum outcome { AGREE, REFUSED, WRONG };

static enum outcome try_one(struct gen *g, bool is_loud)
{
	static u8 before[GEN_BUF_LEN], after[GEN_BUF_LEN];
	struct ub_entry entry = { .ip = GEN_BASE_IP };
	struct ub_block block = { .insns = g->insns, .insn_cnt = g->cnt, .entries = &entry, .entry_cnt = 1,
		.resident = g->resident };
	char text[512];
	struct ub_log log = { .buf = text, .size = sizeof(text) };
	struct ub_verify_env env = { .limit = gen_limit };
	struct ub_verified *verified;
	struct ub_interp start, want, got;
	enum ub_exit_kind kind;
	enum outcome outcome = AGREE;
	u32 undefined;
	int err;

	if (ub_verify(&block, &env, &log, &verified)) {
		if (is_loud)
			fprintf(stderr, "%s\n", text);
		return REFUSED;
	}
	random_state(&start);
	has_work = !has_syscall(g) && gen_random() % 8 == 0;
	want = got = start;
	memcpy(before, gen_buf, GEN_BUF_LEN);
	ub_interp_run(&block, &world, 0, &want);
	memcpy(after, gen_buf, GEN_BUF_LEN);
	memcpy(gen_buf, before, GEN_BUF_LEN);
	err = ub_harness_run(verified, &world, 0, &got, &kind, NULL);
	undefined = want.ip == GEN_EXIT_IP ? g->undefined : gen_ever_undefined(g);
	if (err || differ(&want, &got, undefined, after)) {
		fprintf(stderr, "err %d, kind %d, left at %u and %u\n", err, kind, want.insn_idx, got.insn_idx);
		dump(&block);
		outcome = WRONG;
	}
	ub_verified_free(verified);
	return outcome;
}

int main(int argc, char **argv)
{
	u32 total = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000, i, refused = 0, wrong = 0;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	static struct gen g;

	if (gen_map_buf()) {
		perror("jit_random");
		return 1;
	}
	world.limit = gen_limit;
	for (i = 0; i < total && !wrong; i++) {
		gen_seed(seed, i);
		gen_block(&g);
		switch (try_one(&g, refused < 3)) {
		case REFUSED: refused++; break;
		case WRONG: wrong++; fprintf(stderr, "program %u of seed %llu\n", i, (unsigned long long)seed); break;
		default: break;
		}
	}
	/* The generator aims at valid blocks; if most were refused nothing was tested. */
	if (refused * 2 > total)
		wrong++;
	printf("jit_random: %u programs, %u refused\n", i, refused);
	printf("%d passed, %d failed\n", !wrong, !!wrong);
	return wrong != 0;
}
