// SPDX-License-Identifier: GPL-2.0
/*
 * verify_embed: random blocks, run by the interpreter, must lie in what the verifier said of them.
 *
 * 1. Straight lines: after each instruction every register of the machine is in the abstract register.
 * 2. Whole blocks: a random block is repaired at the instruction that is refused, again and again, until it is
 *    accepted, so that what is run stands right inside the border.  Accepted blocks never break a promise
 *    (UB_LEFT_BUG) in a hostile world, touch nothing at or above LIMIT, and stop at the first check when asked to; and
 *    before each instruction every register of the machine is in the abstract one.
 *
 *    From an accepted block others are made, each by changing an instruction of the last one that was accepted.
 *
 * usage: verify_embed [--blocks N | --seconds N] [--seed N] [--results FILE]
 */
#include <errno.h>
#include <getopt.h>
#include <time.h>

#include "../../ir/interp.h"
#include "../embed.h"
#include "../results.h"

#define LIMIT		0x7ffffffff000ull
#define BASE_IP		0x400000ull
#define MAX_INSNS	48u
#define REPAIRS		300u
#define RUNS		8u
#define VARIANTS	400u	/* of an accepted block, each of the one before, */
#define VARIANT_RUNS	2u	/* and of each of them */
#define LINES		100u	/* straight lines for each block */
#define RENEWAL		4u	/* so far before its end is where a block's ticks lead: a mark, a check, any, a jump */

static u64 rng_state;
static u64 fail_cnt, program_cnt, accepted_cnt, run_cnt, access_cnt, refusal_cnt[UB_REFUSE_COUNT], left_cnt[UB_LEFT_BUG + 1];

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x2545f4914f6cdd1dull;
}

static u32 pick(u32 cnt)
{
	return (rng() >> 33) % cnt;
}

static u64 rng_value(void)
{
	static const u64 corner[] = {
		0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, UB_WINDOW - 8, UB_WINDOW, LIMIT - 8, LIMIT, LIMIT + 1, 0x7fffffffffffffff, 1ull << 63,
		-1ull, -2ull, -8ull, -128ull, 0xffff888000000000, 0x400000, 0x401000,
	};

	return pick(4) ? corner[pick(ARRAY_SIZE(corner))] : pick(2) ? rng() : rng() & 0xffff;
}

/* --- the world: hostile memory --- */

static void saw_access(u64 addr, u32 len)
{
	access_cnt++;
	if (addr >= LIMIT || LIMIT - addr < len) {
		printf("access of %u bytes at 0x%" PRIx64 "\n", len, addr);
		fail_cnt++;
	}
}

static bool load(void *ctx, u64 addr, u32 len, u64 *ret)
{
	(void)ctx;
	saw_access(addr, len);
	*ret = rng_value();
	return pick(64);
}

static bool store(void *ctx, u64 addr, u32 len, u64 val)
{
	(void)ctx;
	(void)val;
	saw_access(addr, len);
	return pick(64);
}

static bool must_yield(void *ctx)
{
	return *(u32 *)ctx ? !pick(*(u32 *)ctx) : true;
}

static bool make_call(void *ctx, u64 regs[UB_NGUEST])
{
	(void)ctx;
	regs[UB_RAX] = rng_value();
	return pick(8);
}

static struct ub_interp_world world = {
	.load = load, .store = store, .must_yield = must_yield, .syscall = make_call, .limit = LIMIT,
	.fs_base = 0x7f0012345678,
};

static void fill(struct ub_interp *state)
{
	u32 i;

	memset(state, 0, sizeof(*state));
	for (i = 0; i < UB_TEMPS_END; i++)
		state->regs[i] = rng_value();
	state->flags = rng() & UB_FL_ALL;
}

/* --- random instructions --- */

static u8 any_reg(void)
{
	static const u8 regs[] = {
		UB_RAX, UB_RCX, UB_RDX, UB_RDI, UB_R8, UB_T0, UB_T0 + 1, UB_T0, UB_T0 + 1, UB_T0 + 2, UB_T0 + 3, UB_T0 + 2, UB_T0 + 3,
	};

	return regs[pick(ARRAY_SIZE(regs))];
}

static s32 any_off(void)
{
	static const s32 corner[] = { 0, 0, 0, 1, 8, -1, -8, 127, INT_MAX, INT_MIN, 4096 };

	return corner[pick(ARRAY_SIZE(corner))];
}

static s64 any_imm(u8 op, u32 bits)
{
	s64 val = pick(2) ? (s64)rng_value() : (s64)pick(16);

	if (bits == 64 && op != UB_OP_MOVI)
		bits = 32;
	return (s64)((u64)val << (64 - bits)) >> (64 - bits);
}

/* An instruction that stands at @idx of @cnt; any, also a senseless one. */
static struct ub_insn any_insn(u32 idx, u32 cnt)
{
	static const u8 often[] = {
		UB_OP_INSN, UB_OP_INSN, UB_OP_INSN, UB_OP_GUARD, UB_OP_GUARD, UB_OP_GUARD, UB_OP_LOAD, UB_OP_LOAD, UB_OP_LOAD,
		UB_OP_STORE, UB_OP_LEA, UB_OP_LEA, UB_OP_ADD, UB_OP_ADD, UB_OP_ADDI, UB_OP_SUBI, UB_OP_MOV, UB_OP_MOV, UB_OP_MOVI,
		UB_OP_CHECK, UB_OP_JCC, UB_OP_JCC, UB_OP_JEQ, UB_OP_ANDI, UB_OP_ZEXT, UB_OP_SHRI, UB_OP_BOUND, UB_OP_CMOV,
		UB_OP_HOLD, UB_OP_HOLD, UB_OP_HOLD32, UB_OP_TICK, UB_OP_TICK,
	};
	struct ub_insn insn = { 0 };
	const struct ub_op_info *info;
	s64 lo, hi;
	u32 width;

	do
		insn.op = pick(2) ? often[pick(ARRAY_SIZE(often))] : pick(UB_OP_COUNT);
	while (ub_op_info[insn.op].effect & UB_E_ENDS && pick(8));	/* what follows must be reached */
	info = &ub_op_info[insn.op];
	width = info->widths ? pick(4) : 0;
	while (info->widths && !(info->widths & 1 << width))
		width = pick(4);
	insn.mode = UB_MODE(width, info->effect & UB_E_F_OPT && !pick(3), 0);
	switch (info->shape) {
	case UB_S_MARK:
		insn.imm = BASE_IP + 16 * idx;
		insn.off = 2;
		break;
	case UB_S_IP:
		insn.imm = BASE_IP;
		break;
	case UB_S_IMM:
		insn.imm = pick(4);
		break;
	case UB_S_LOAD:
	case UB_S_SRC:
	case UB_S_STORE:
	case UB_S_DST_SRC:
	case UB_S_DST_SRC_CC:
	case UB_S_DST_SRC_IMM:
	case UB_S_DST_SRC_REG:
	case UB_S_ADDR:
		insn.src = any_reg();
		break;
	}
	if (info->effect & (UB_E_RD_DST | UB_E_WR_DST | UB_E_WR_ALL) || info->shape == UB_S_STORE ||
	    info->shape == UB_S_STOREI || info->shape == UB_S_MEM)
		insn.dst = any_reg();
	if (info->shape == UB_S_DST_SRC_REG)
		insn.imm = any_reg();
	if (info->effect & UB_E_LOCK_OPT && pick(2))
		insn.mode |= UB_MODE_LOCK;
	if (info->shape == UB_S_DST_IMM || info->shape == UB_S_DST_SRC_IMM || info->shape == UB_S_STOREI)
		insn.imm = ub_insn_imm_range(&insn, &lo, &hi) ? lo + pick(hi - lo + 1) :
								any_imm(insn.op, UB_WIDTH_BITS(width));
	if (info->shape == UB_S_ADDR)
		insn.imm = pick(3) ? UB_ADDR_IMM(any_reg(), pick(4)) : UB_ADDR_IMM(UB_NOREG, 0);
	if (info->shape == UB_S_ADDR && !pick(8))
		insn.src = UB_NOREG;
	if (ub_insn_base_reg(&insn) != UB_NOREG)
		insn.off = any_off();
	if ((info->shape == UB_S_LOAD || info->shape == UB_S_STORE || info->shape == UB_S_MEM) && !pick(3))
		insn.imm = UB_INDEX_IMM(any_reg(), pick(4));
	if (info->shape == UB_S_DST_CC || info->shape == UB_S_DST_SRC_CC || info->shape == UB_S_CC_TO)
		insn.mode |= pick(16) << 4;
	if (info->effect & UB_E_JUMPS)
		insn.off = (s32)(info->effect & UB_E_TICK && pick(16) ? cnt - RENEWAL : pick(cnt)) - (s32)idx - 1;
	if (info->shape == UB_S_SRC_IMM_TO) {
		insn.src = any_reg();
		insn.imm = rng_value();
	}
	if (insn.op == UB_OP_GUARD)
		insn.dst = UB_GUARDS + pick(2);
	if (insn.op == UB_OP_HOLD)
		insn.imm = pick(2) ? UB_HOLD_LOW : 0;
	if ((insn.op >= UB_OP_SHL && insn.op <= UB_OP_ROR) || insn.op == UB_OP_RCL || insn.op == UB_OP_RCR)
		insn.src = UB_RCX;
	return insn;
}

static void print_block(const struct ub_block *block)
{
	char text[96];
	u32 i;

	for (i = 0; i < block->insn_cnt; i++) {
		ub_insn_text(&block->insns[i], i, text, sizeof(text));
		printf("%3u %s\n", i, text);
	}
}

/* --- 1. straight lines --- */

static bool is_straight(const struct ub_insn *insn)
{
	const char *why;

	return (!(ub_op_info[insn->op].effect & (UB_E_JUMPS | UB_E_ENDS | UB_E_CALLS | UB_E_CHECK)) ||
		insn->op == UB_OP_TICK) && insn->op != UB_OP_BOUND && insn->op != UB_OP_DIVU && insn->op != UB_OP_DIVS && !ub_insn_check(insn, &why);
}

static bool load_any(void *ctx, u64 addr, u32 len, u64 *ret)
{
	(void)ctx;
	(void)len;
	*ret = addr * 0x9e3779b97f4a7c15ull;
	return true;
}

static bool store_any(void *ctx, u64 addr, u32 len, u64 val)
{
	(void)ctx;
	(void)addr;
	(void)len;
	(void)val;
	return true;
}

static bool holds(const struct ub_state *state, const struct ub_interp *machine, u32 ticks)
{
	return embed_state(state, machine->regs, UB_U32_MAX, ticks, LIMIT) && embed_bounds(state, machine->regs, LIMIT);
}

static void test_line(void)
{
	static struct ub_env env = { .limit = LIMIT };
	struct ub_insn insns[16] = { { .op = UB_OP_INSN, .imm = BASE_IP, .off = 2 } };
	struct ub_entry entry = { .ip = BASE_IP };
	struct ub_block block = { .insns = insns, .entries = &entry, .insn_cnt = ARRAY_SIZE(insns), .entry_cnt = 1 };
	struct ub_interp_world calm = { .load = load_any, .store = store_any, .limit = LIMIT, .fs_base = 5 };
	struct ub_interp start, machine;
	u32 i, ticks = 0;

	for (i = 1; i < ARRAY_SIZE(insns); i++)
		do
			insns[i] = any_insn(i, ARRAY_SIZE(insns));
		while (!is_straight(&insns[i]));
	fill(&start);
	program_cnt++;
	env.block = &block;
	ub_state_enter(&env.now);
	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		machine = start;
		calm.max_steps = i;
		if (i && ub_interp_run(&block, &calm, 0, &machine) != UB_LEFT_STEPS)
			return;		/* it left, or broke a rule that the verifier would have refused */
		if (!holds(&env.now, &machine, ticks)) {
			printf("before instruction %u of\n", i);
			print_block(&block);
			fail_cnt++;
			return;
		}
		ub_step(&env, &env.now, i);
		ticks += insns[i].op == UB_OP_TICK;
		run_cnt++;
	}
}

/* --- 2. whole blocks --- */

struct program {
	struct ub_insn insns[MAX_INSNS];
	struct ub_entry entries[2];
	struct ub_block block;
};

static void make_entries(struct program *p)
{
	u32 i;

	p->entries[0] = (struct ub_entry){ .ip = BASE_IP };
	p->block.entry_cnt = 1;
	for (i = 8; i < p->block.insn_cnt && p->block.entry_cnt < 2; i++)
		if (p->insns[i].op == UB_OP_INSN)
			p->entries[p->block.entry_cnt++] =
				(struct ub_entry){ .ip = (u64)p->insns[i].imm, .insn_idx = i };
}

static void make(struct program *p)
{
	u32 i, cnt = 10 + pick(MAX_INSNS - 10);

	p->block = (struct ub_block){ .insns = p->insns, .entries = p->entries, .insn_cnt = cnt };
	for (i = 1; i < cnt; i++)
		p->insns[i] = any_insn(i, cnt);
	p->insns[0] = (struct ub_insn){ .op = UB_OP_INSN, .imm = BASE_IP, .off = 2 };
	p->insns[1] = (struct ub_insn){ .op = UB_OP_JCC, .off = cnt - RENEWAL - 2 };
	p->insns[cnt - 5] = (struct ub_insn){ .op = UB_OP_EXIT, .imm = BASE_IP };
	p->insns[cnt - 4] = (struct ub_insn){ .op = UB_OP_INSN, .imm = BASE_IP + 16 * (cnt - 4), .off = 2 };
	p->insns[cnt - 3] = (struct ub_insn){ .op = UB_OP_CHECK };
	p->insns[cnt - 1] = (struct ub_insn){ .op = UB_OP_JMP, .off = -(s32)pick(cnt - 2) };
	make_entries(p);
}

static bool is_fixed(const struct program *p, u32 idx)
{
	return idx < 2 || (idx + 6 > p->block.insn_cnt && idx + 2 != p->block.insn_cnt);
}

static bool repair(struct program *p, struct ub_env **ret)
{
	static const struct ub_verify_env env = { .limit = LIMIT };
	struct ub_log log = { 0 };
	u32 i, at;

	for (i = 0; i < REPAIRS; i++) {
		if (!ub_env_verify(&p->block, &env, &log, ret))
			return true;
		refusal_cnt[log.refusal]++;
		at = log.insn_idx;
		/* What made the guarded or written register go may stand before. */
		if (pick(4) == 0 && at > 1)
			at = 1 + pick(at);
		if (at == p->block.insn_cnt - 1)
			p->insns[at].off = -(s32)pick(p->block.insn_cnt);
		if (log.refusal == UB_REFUSE_UNREACHED)
			at = pick(p->block.insn_cnt);
		while (is_fixed(p, at))
			at = 1 + pick(p->block.insn_cnt - 2);
		p->insns[at] = any_insn(at, p->block.insn_cnt);
		make_entries(p);
	}
	return false;
}

/* What holds before each instruction of the block that runs, and has held so far. */
static struct ub_state states[MAX_INSNS];
static bool is_embedded;

static void trace(void *ctx, u32 idx, const struct ub_interp *machine, u32 ticks)
{
	(void)ctx;
	if (is_embedded && !holds(&states[idx], machine, ticks)) {
		printf("before instruction %u\n", idx);
		is_embedded = false;
	}
}

static void run(struct program *p, u32 yield_one_in)
{
	u32 entry = pick(p->block.entry_cnt);
	struct ub_interp machine;
	enum ub_left left;

	fill(&machine);
	is_embedded = true;
	world.ctx = &yield_one_in;
	world.trace = trace;
	world.max_steps = yield_one_in ? 1000 : MAX_INSNS * (UB_TICKS + 1);
	left = ub_interp_run(&p->block, &world, p->entries[entry].insn_idx, &machine);
	run_cnt++;
	left_cnt[left]++;
	if (!is_embedded) {
		printf("of this block the machine left what was said:\n");
		print_block(&p->block);
		fail_cnt++;
	}
	/* Asked to stop at once, a block passes each instruction at most once between two ticks before the first check. */
	if (left == UB_LEFT_BUG || (left == UB_LEFT_STEPS && !yield_one_in)) {
		printf("an accepted block %s at instruction %u:\n", left == UB_LEFT_BUG ? "broke a promise" : "did not stop",
		       machine.insn_idx);
		print_block(&p->block);
		fail_cnt++;
	}
}

static void run_accepted(struct program *p, struct ub_env *env, u32 runs)
{
	u32 i;

	accepted_cnt++;
	program_cnt++;
	embed_states(env, states);
	for (i = 0; i < runs && fail_cnt < 3; i++)
		run(p, i % 2 ? 32 : 0);
	ub_env_free(env);
}

/* Another block that differs in an instruction; if it is accepted the next one differs from that. */
static void test_variant(struct program *p)
{
	static const struct ub_verify_env verify_env = { .limit = LIMIT };
	u32 at = 1 + pick(p->block.insn_cnt - 2);
	struct ub_insn old = p->insns[at];
	struct ub_log log = { 0 };
	struct ub_env *env;

	if (is_fixed(p, at))
		return;
	p->insns[at] = any_insn(at, p->block.insn_cnt);
	make_entries(p);
	if (!ub_env_verify(&p->block, &verify_env, &log, &env)) {
		run_accepted(p, env, VARIANT_RUNS);
		return;
	}
	refusal_cnt[log.refusal]++;
	p->insns[at] = old;
	make_entries(p);
}

static void test_block(void)
{
	struct program program;
	struct ub_env *env;
	u32 i;

	make(&program);
	if (!repair(&program, &env))
		return;
	run_accepted(&program, env, RUNS);
	for (i = 0; i < VARIANTS && fail_cnt < 3; i++)
		test_variant(&program);
}

static double processor_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void report(double time)
{
	u32 i;

	printf("%" PRIu64 " programs, %" PRIu64 " of them blocks accepted, %" PRIu64 " runs, %" PRIu64
	       " accesses, %.0f programs/s; left:", program_cnt, accepted_cnt, run_cnt, access_cnt, program_cnt / time);
	for (i = 0; i <= UB_LEFT_BUG; i++)
		printf(" %" PRIu64, left_cnt[i]);
	printf("; refused:");
	for (i = 1; i < UB_REFUSE_COUNT; i++)
		printf(" %s %" PRIu64, ub_refusal_name(i), refusal_cnt[i]);
	printf("\n%u passed, %u failed\n", !fail_cnt, !!fail_cnt);
}

static bool write_results(const char *path, double time, u64 seed)
{
	const struct result figures[] = {
		{ "programs", program_cnt }, { "violations", fail_cnt }, { "programs_per_s_per_core", program_cnt / time },
	};
	char detail[160];

	snprintf(detail, sizeof(detail), "seed %" PRIu64 ", %.0f s of processor time, %" PRIu64 " blocks accepted, %" PRIu64
		 " runs", seed, time, accepted_cnt, run_cnt);
	return results_add(path, "make fuzz-verify", figures, ARRAY_SIZE(figures), "fuzz", detail);
}

struct options {
	u64 blocks, seed;
	double seconds;
	const char *results;
};

static bool read_options(int argc, char **argv, struct options *ret)
{
	static const struct option names[] = {
		{ "blocks", required_argument, NULL, 'b' }, { "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' }, { "results", required_argument, NULL, 'r' }, { 0 },
	};
	char *end = "";
	int option;

	while (!*end && (option = getopt_long(argc, argv, "", names, NULL)) >= 0) {
		if (option == 'b')
			ret->blocks = strtoull(optarg, &end, 0);
		else if (option == 't')
			ret->seconds = strtod(optarg, &end);
		else if (option == 's')
			ret->seed = strtoull(optarg, &end, 0);
		else if (option == 'r')
			ret->results = optarg;
		else
			return false;
	}
	return !*end && optind == argc;
}

int main(int argc, char **argv)
{
	struct options options = { .blocks = 500, .seed = 1 };
	double start = processor_seconds(), time;
	u64 i, k;

	if (!read_options(argc, argv, &options)) {
		fprintf(stderr, "usage: verify_embed [--blocks N | --seconds N] [--seed N] [--results FILE]\n");
		return 2;
	}
	rng_state = options.seed * 0x9e3779b97f4a7c15ull + 1;
	for (i = 0; fail_cnt < 3; i++) {
		if (options.seconds ? processor_seconds() - start >= options.seconds : i >= options.blocks)
			break;
		for (k = 0; k < LINES && fail_cnt < 3; k++)
			test_line();
		test_block();
	}
	time = processor_seconds() - start;
	report(time);
	if (options.results && !write_results(options.results, time, options.seed)) {
		fprintf(stderr, "verify_embed: cannot write %s: %s\n", options.results, strerror(errno));
		return 1;
	}
	return fail_cnt != 0;
}
