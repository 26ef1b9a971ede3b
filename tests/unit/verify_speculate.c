// SPDX-License-Identifier: GPL-2.0
/*
 * verify_speculate: random loops with ticks, holds and indices on a machine that is wrong about every branch.
 *
 * The machine is a CPU that speculates, only worse: it follows any edge of a branch, never leaves, clamps where hold
 * would leave, runs past ticks that are used up for as long as the slack allows, and finds anything in memory and in
 * the registers that may live there.  Of an accepted block it must reach no address outside of 0..LIMIT + UB_WINDOW,
 * and before each instruction its machine registers must lie in what the verifier says of them.
 *
 * A program is repaired at the instruction that is refused until it just passes.  Each is also laid out in another
 * order, and verified with its labels run in other orders: the verdict must be the same, but in few cases; loops that are
 * jumped into do not count for the layout.
 *
 * usage: verify_speculate [PROGRAMS [SEED [STEPS]]]
 */
#include "../../ir/run.h"
#include "../embed.h"
#include "../order.h"

#define LIMIT		0x7ffffffff000ull
#define BASE_IP		0x400000ull
#define MAX_UNITS	56u
#define MAX_INSNS	(4 * MAX_UNITS)
#define REPAIRS		60u
#define RUNS		4u

/* A guest instruction: a mark and an operation; jumps name the unit they go to. */
struct unit {
	struct ub_insn op;
	u32 to;
};

struct program {
	struct unit units[MAX_UNITS];
	u32 cnt;
	bool is_reducible;		/* no loop is jumped into */
	u16 resident;
	struct ub_insn insns[MAX_INSNS];
	u32 unit_of[MAX_INSNS];
	struct ub_entry entry;
	struct ub_block block;
};

static u32 max_steps = 20000;
static u64 rng_state, fail_cnt, accepted_cnt, run_cnt, access_cnt, low_cnt, high_cnt, differ_cnt, order_cnt, order_differ_cnt;

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

static u64 any_value(void)
{
	static const u64 corners[] = {
		0, 1, 8, 0xff, 0xffff, 0xffffffff, 0x100000000, UB_HOLD_LOW, UB_HOLD_LOW - 1, UB_WINDOW, LIMIT, LIMIT + 1,
		LIMIT - 1, -1ull, -8ull, 1ull << 63, 0xffff888000000000, 0x404000, UB_U64_MAX >> 1, -UB_WINDOW,
	};

	return pick(3) ? corners[pick(ARRAY_SIZE(corners))] : pick(2) ? rng() : rng() >> pick(64);
}

/* --- programs --- */

static const u8 pool[] = { UB_RDI, UB_RSI, UB_RDI, UB_T0, UB_T0 + 1, UB_RCX, UB_RDX, UB_R8, UB_T0 + 2 };

static u8 any_reg(void)
{
	return pool[pick(ARRAY_SIZE(pool))];
}

/* Where things are that may be guarded. */
static u8 any_base(void)
{
	return pool[pick(5)];
}

static s64 any_step(void)
{
	static const s32 steps[] = {
		1, 8, 8, 16, 64, 512, 900, 1024, 4096, 65536, 0x1000000, 0x1c000000, 0x38000000, 0x40000000, INT_MAX,
	};
	s64 step = steps[pick(ARRAY_SIZE(steps))];

	return pick(2) ? step : -step;
}

static s32 any_off(void)
{
	return pick(2) ? 0 : (s32)any_step();
}

static struct ub_insn make(u8 op, u8 width, u8 dst, u8 src, s32 off, s64 imm)
{
	return (struct ub_insn){ .op = op, .mode = width, .dst = dst, .src = src, .off = off, .imm = imm };
}

static struct ub_insn any_access(void)
{
	s64 index = pick(2) ? 0 : UB_INDEX_IMM(any_reg(), pick(4));

	switch (pick(3)) {
	case 0:
		return make(UB_OP_STORE, UB_W64, any_base(), UB_RAX, any_off(), index);
	case 1:
		return make(UB_OP_LOAD, pick(4), pick(2) ? UB_RAX : any_reg(), any_base(), any_off(), index);
	default:
		return make(UB_OP_LOAD, UB_W64, UB_T0 + 3, any_base(), any_off(), index);
	}
}

static struct ub_insn any_sum(void)
{
	switch (pick(8)) {
	case 0:
		return make(UB_OP_ADD, UB_W64, any_reg(), any_reg(), 0, 0);
	case 1:
		return make(UB_OP_SUB, UB_W64, any_reg(), any_reg(), 0, 0);
	case 2:
		return make(pick(2) ? UB_OP_INC : UB_OP_DEC, UB_W64, any_reg(), 0, 0, 0);
	case 3:
		return make(UB_OP_LEA, pick(8) ? UB_W64 : UB_W32, any_reg(), any_reg(), any_off(),
			    UB_ADDR_IMM(pick(3) ? UB_NOREG : any_reg(), 0));
	case 4:
		return make(UB_OP_LEA, UB_W64, any_reg(), any_reg(), any_off(), UB_ADDR_IMM(any_reg(), pick(4)));
	case 5:
		return make(UB_OP_SUBI, pick(8) ? UB_W64 : pick(4), any_reg(), 0, 0, pick(2) ? 8 : 1);
	default:
		return make(UB_OP_ADDI, UB_W64, any_reg(), 0, 0, any_step());
	}
}

static struct ub_insn any_other(void)
{
	static const s32 masks[] = { 0xff, INT_MAX, -16, -4096, 63, INT_MIN };
	u8 width = pick(4);

	switch (pick(12)) {
	case 0:
		return make(UB_OP_MOVI, UB_W64, any_reg(), 0, 0, any_value());
	case 1:
		return make(UB_OP_ZEXT, pick(2), any_reg(), any_reg(), 0, 0);
	case 2:
		return make(UB_OP_SEXT64, pick(3), any_reg(), any_reg(), 0, 0);
	case 3:
		return make(pick(2) ? UB_OP_ANDI : pick(2) ? UB_OP_ORI : UB_OP_XORI, UB_W64, any_reg(), 0, 0,
			    masks[pick(ARRAY_SIZE(masks))]);
	case 4:
		return make(UB_OP_SHLI, UB_W64, any_reg(), 0, 0, 1 + pick(6));
	case 5:
		return make(UB_OP_SHRI, UB_W64, any_reg(), 0, 0, 1 + pick(40));
	case 6:
		return make(UB_OP_CMOV, UB_W16 + pick(3), any_reg(), any_reg(), 0, 0);
	case 7:
		return make(pick(2) ? UB_OP_OR : UB_OP_XOR, width, any_reg(), any_reg(), 0, 0);
	case 8:
		return make(pick(2) ? UB_OP_NEG : UB_OP_NOT, width, any_reg(), 0, 0, 0);
	case 9:
		return make(UB_OP_MOV, width, any_reg(), any_reg(), 0, 0);
	default:
		return make(UB_OP_MOV, UB_W64, any_reg(), any_reg(), 0, 0);
	}
}

static struct ub_insn any_hold(void)
{
	static const u8 held[] = { UB_RDI, UB_RSI, UB_RCX, UB_RDX };

	switch (pick(4)) {
	case 0:
		return make(UB_OP_HOLD32, 0, held[2 + pick(2)], 0, 0, 0);
	case 1:
		return make(UB_OP_GUARD, 0, UB_GUARDS + pick(2), any_reg(), any_off(), UB_ADDR_IMM(UB_NOREG, 0));
	default:
		return make(UB_OP_HOLD, 0, held[pick(4) ? pick(2) : pick(4)], 0, 0, pick(2) ? UB_HOLD_LOW : 0);
	}
}

static struct ub_insn any_op(void)
{
	switch (pick(10)) {
	case 0: case 1: case 2:
		return any_access();
	case 3:
		return any_other();
	case 4:
		return any_hold();
	case 5:
		return pick(4) ? any_other() : make(UB_OP_CHECK, 0, 0, 0, 0, 0);
	default:
		return any_sum();
	}
}

static u32 add(struct program *p, struct ub_insn op, u32 to)
{
	p->units[p->cnt] = (struct unit){ op, to };
	return p->cnt++;
}

static void add_stretch(struct program *p, u32 max)
{
	u32 cnt = pick(max + 1);

	while (cnt--)
		add(p, any_op(), 0);
}

/* Ticks of the program being made, to get their renewals at its end. */
static u32 ticks[8], tick_cnt;

static void add_pause(struct program *p)
{
	if (pick(6) && tick_cnt < ARRAY_SIZE(ticks))
		ticks[tick_cnt++] = add(p, make(UB_OP_TICK, 0, 0, 0, 0, 0), 0);
	else
		add(p, make(UB_OP_CHECK, 0, 0, 0, 0, 0), 0);
}

static void add_branch(struct program *p, u32 to)
{
	struct ub_insn op = { .op = UB_OP_JCC, .mode = UB_MODE(0, false, pick(16)) };

	add(p, op, to);
}

static void add_loop(struct program *p, u32 depth)
{
	u32 head = p->cnt, over;

	add_stretch(p, 3);
	if (depth < 2 && !pick(3))
		add_loop(p, depth + 1);
	if (!pick(3)) {
		over = p->cnt;
		add_branch(p, 0);
		add_stretch(p, 2);
		p->units[over].to = p->cnt;
	}
	add_pause(p);
	add_stretch(p, 1);
	add_branch(p, head);
	if (!pick(4)) {
		add_branch(p, head + pick(p->cnt - head));
		p->is_reducible = false;
	}
}

static void add_renewals(struct program *p)
{
	u32 i, cnt;

	for (i = 0; i < tick_cnt; i++) {
		if (i && !pick(4)) {
			p->units[ticks[i]].to = p->units[ticks[i - 1]].to;
			continue;
		}
		p->units[ticks[i]].to = add(p, make(UB_OP_CHECK, 0, 0, 0, 0, 0), 0);
		for (cnt = pick(4); cnt; cnt--)
			add(p, any_hold(), 0);
		if (pick(8))
			add(p, make(UB_OP_JMP, 0, 0, 0, 0, 0), ticks[i] + 1);
		else
			add(p, make(UB_OP_EXIT, 0, 0, 0, 0, BASE_IP), 0);
	}
}

static void make_program(struct program *p)
{
	u32 i, loops = 1 + !pick(3);

	p->cnt = tick_cnt = 0;
	p->is_reducible = true;
	p->resident = pick(2) ? 0 : (7 | (pick(8) << 6));
	for (i = UB_T0; i < UB_TEMPS_END; i++)
		add(p, make(UB_OP_MOVI, UB_W64, i, 0, 0, any_value()), 0);
	for (i = 1 + pick(4); i; i--)
		add(p, any_hold(), 0);
	add_stretch(p, 2);
	while (loops-- && p->cnt < MAX_UNITS / 3)
		add_loop(p, 0);
	add_stretch(p, 2);
	add(p, make(UB_OP_EXIT, 0, 0, 0, 0, BASE_IP), 0);
	add_renewals(p);
}

/* --- layouts --- */

static bool jumps(const struct unit *unit)
{
	return ub_op_info[unit->op.op].effect & UB_E_JUMPS;
}

static void put_unit(struct program *p, u32 no, struct ub_insn op)
{
	u32 *cnt = &p->block.insn_cnt;

	p->insns[*cnt] = make(UB_OP_INSN, 0, 0, 0, 2, BASE_IP + 16 * no);
	p->unit_of[(*cnt)++] = no;
	p->insns[*cnt] = op;
	p->unit_of[(*cnt)++] = no;
}

/* Units one behind the other; with @is_shuffled in stretches of any order, joined by jumps. */
static void lay_out(struct program *p, bool is_shuffled)
{
	u32 start[MAX_UNITS], order[MAX_UNITS], starts[MAX_UNITS + 1], cnt = 0, i, k, no;

	for (no = 0; no < p->cnt; no++)
		if (!no || (is_shuffled && !pick(4)))
			starts[cnt++] = no;
	starts[cnt] = p->cnt;
	for (i = 0; i < cnt; i++)
		order[i] = i;
	for (i = cnt; is_shuffled && i > 2; i--) {
		k = 1 + pick(i - 1);	/* the entry stays first */
		no = order[i - 1];
		order[i - 1] = order[k];
		order[k] = no;
	}
	p->block = (struct ub_block){ .insns = p->insns, .entries = &p->entry, .entry_cnt = 1, .resident = p->resident };
	p->entry = (struct ub_entry){ .ip = BASE_IP };
	for (i = 0; i < cnt; i++) {
		for (no = starts[order[i]]; no < starts[order[i] + 1]; no++) {
			start[no] = p->block.insn_cnt;
			put_unit(p, no, p->units[no].op);
			p->insns[p->block.insn_cnt - 1].off += jumps(&p->units[no]) ? (s32)p->units[no].to : 0;
		}
		if (no < p->cnt && !(ub_op_info[p->units[no - 1].op.op].effect & UB_E_ENDS) &&
		    (i + 1 == cnt || starts[order[i + 1]] != no))
			put_unit(p, no - 1, make(UB_OP_JMP, 0, 0, 0, no, 0));
	}
	for (i = 0; i < p->block.insn_cnt; i++)
		if (ub_op_info[p->insns[i].op].effect & UB_E_JUMPS)
			p->insns[i].off = (s32)start[p->insns[i].off] - (s32)i - 1;
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

/* --- the machine --- */

struct machine {
	const struct ub_block *block;
	struct ub_interp regs;
	struct run run;
	u32 ticks, next;
	u32 eagerness;		/* one tick in so many that are used up is not run past */
	u32 patience;		/* one branch back in so many is not taken */
};

static void (*const interp[UB_OP_COUNT])(struct run *r, const struct ub_insn *insn) = {
#define OP(name, text, shape, widths, effect) [UB_OP_##name] = interp_##name,
#include "../../ir/ops.h"
};

static bool access_is_fine(struct machine *m, const struct ub_insn *insn)
{
	u64 addr = m->regs.regs[ub_insn_base_reg(insn)] + (s64)insn->off;

	if (ub_insn_index_reg(insn) != UB_NOREG)
		addr += m->regs.regs[ub_insn_index_reg(insn)] << ub_insn_scale(insn);
	access_cnt++;
	low_cnt += addr < LIMIT;
	high_cnt += addr > LIMIT + UB_WINDOW / 2 && addr <= LIMIT + UB_WINDOW;
	return addr <= LIMIT + UB_WINDOW - ub_insn_mem_bytes(insn);
}

static void clamp(u64 *reg, u64 lo)
{
	if (*reg - lo > LIMIT - lo)
		*reg = LIMIT;
}

static void tick(struct machine *m, const struct ub_insn *insn)
{
	m->ticks++;
	if (m->ticks >= UB_TICKS + UB_TICK_SLACK || !pick(m->ticks < UB_TICKS ? 2048 : m->eagerness))
		m->next += insn->off;
}

/* False when it reaches what it must not. */
static bool step(struct machine *m, const struct ub_insn *insn)
{
	u64 *regs = m->regs.regs;
	bool is_fine = true;

	m->next++;
	switch (insn->op) {
	case UB_OP_HOLD:
		clamp(&regs[insn->dst], insn->imm);
		break;
	case UB_OP_HOLD32:
		regs[insn->dst] = (u32)regs[insn->dst];
		break;
	case UB_OP_CHECK:
		m->ticks = 0;
		break;
	case UB_OP_TICK:
		tick(m, insn);
		break;
	case UB_OP_JMP:
		m->next += insn->off;
		break;
	case UB_OP_JCC:
		if (pick(insn->off < 0 ? m->patience : 2))
			m->next += insn->off;
		break;
	case UB_OP_LOAD:
		is_fine = access_is_fine(m, insn);
		regs[insn->dst] = any_value() >> (64 - UB_WIDTH_BITS(ub_insn_width(insn)));
		break;
	case UB_OP_STORE:
		is_fine = access_is_fine(m, insn);
		break;
	default:
		m->run.is_over = false;
		m->run.written = UB_U32_MAX;
		m->run.has_mark = true;
		m->regs.flags = rng() & UB_FL_ALL;
		interp[insn->op](&m->run, insn);
	}
	return is_fine;
}

/* What the CPU finds where a store has not arrived yet. */
static void forget_memory(struct machine *m, u32 in_machine)
{
	u32 reg;

	for (reg = 0; reg < ARRAY_SIZE(pool); reg++)
		if (!(in_machine & 1u << pool[reg]) && !pick(4))
			m->regs.regs[pool[reg]] = any_value();
}

static void run(struct program *p, struct ub_env *env, const struct ub_state *states)
{
	struct ub_interp_world world = { .limit = LIMIT, .fs_base = 5 };
	struct machine m = { .block = &p->block, .eagerness = pick(2) ? 4 : 4096, .patience = pick(4) ? 8 : 2048 };
	u32 in_machine = ub_block_resident(&p->block) | 3u << UB_GUARDS, i, at;
	bool is_fine = true;

	m.run = (struct run){ .block = &p->block, .world = &world, .s = &m.regs };
	for (i = 0; i < UB_TEMPS_END; i++)
		m.regs.regs[i] = any_value();
	run_cnt++;
	for (i = 0; i < max_steps && is_fine; i++) {
		m.next += p->insns[m.next].op == UB_OP_INSN;
		at = m.next;
		if (p->insns[at].op == UB_OP_EXIT)
			break;
		forget_memory(&m, in_machine);
		is_fine = embed_state(&states[at], m.regs.regs, in_machine, m.ticks, LIMIT);
		if (!is_fine || step(&m, &p->insns[at]))
			continue;
		printf("an access that should not be\n");
		is_fine = false;
	}
	if (is_fine)
		return;
	printf("instruction %u, after %u ticks, of\n", at, m.ticks);
	print_block(env->block);
	fail_cnt++;
}

/* --- all together --- */

static const struct ub_verify_env verify_env = { .limit = LIMIT };

/* The bases that repairs hold. */
static struct ub_insn remedy(const struct ub_insn *refused)
{
	u8 base = ub_insn_base_reg(refused);

	if (base < UB_NGUEST && pick(2))
		return make(UB_OP_HOLD, 0, base, 0, 0, pick(2) ? UB_HOLD_LOW : 0);
	return any_op();
}

static struct ub_env *repair(struct program *p)
{
	struct ub_log log = { 0 };
	struct ub_env *env;
	u32 i, at;

	for (i = 0; i < REPAIRS; i++) {
		lay_out(p, false);
		if (!ub_env_verify(&p->block, &verify_env, &log, &env))
			return env;
		if (log.refusal != UB_REFUSE_UNGUARDED && log.refusal != UB_REFUSE_WINDOW && log.refusal != UB_REFUSE_REGISTER &&
		    log.refusal != UB_REFUSE_ADDRESS)
			return NULL;
		at = p->unit_of[log.insn_idx];
		if (pick(3))
			at = UB_TEMPS_END - UB_T0 + pick(at - (UB_TEMPS_END - UB_T0) + 1);
		if (!jumps(&p->units[at]) && !(ub_op_info[p->units[at].op.op].effect & (UB_E_ENDS | UB_E_CHECK)))
			p->units[at].op = at == p->unit_of[log.insn_idx] ? remedy(&p->units[at].op) : any_op();
	}
	return NULL;
}

static void compare_layouts(struct program *p)
{
	struct ub_log log = { 0 };
	struct ub_env *env;
	u32 i;

	for (i = 0; i < 2; i++) {
		lay_out(p, true);
		if (!ub_env_verify(&p->block, &verify_env, &log, &env))
			ub_env_free(env);
		else
			differ_cnt += p->is_reducible;
	}
}

static void compare_orders(const struct program *p)
{
	enum ub_refusal other;
	enum order order;

	for (order = ORDER_OWN + 1; order < ORDER_COUNT; order++) {
		order_cnt++;
		order_differ_cnt += !order_agrees(order, &p->block, LIMIT, 0, UB_REFUSE_NONE, &other);
	}
}

static void test(void)
{
	static struct ub_state states[MAX_INSNS];
	static struct program program;
	struct ub_env *env;
	u32 i;

	make_program(&program);
	env = repair(&program);
	if (!env)
		return;
	accepted_cnt++;
	embed_states(env, states);
	for (i = 0; i < RUNS && !fail_cnt; i++)
		run(&program, env, states);
	ub_env_free(env);
	compare_orders(&program);
	compare_layouts(&program);
}

int main(int argc, char **argv)
{
	u64 programs = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000, i;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

	if (argc > 3)
		max_steps = strtoul(argv[3], NULL, 0);
	for (i = 0; i < programs && !fail_cnt; i++) {
		rng_state = (seed + i) * 0x9e3779b97f4a7c15ull + 1;
		test();
	}
	printf("%" PRIu64 " of %" PRIu64 " programs accepted, %" PRIu64 " runs, %" PRIu64 " accesses, %" PRIu64
	       " of them below the limit, %" PRIu64 " in the upper half of the window; %" PRIu64 " other verdicts\n",
	       accepted_cnt, i, run_cnt, access_cnt, low_cnt, high_cnt, differ_cnt);
	printf("labels in %" PRIu64 " other orders: %" PRIu64 " other verdicts\n", order_cnt, order_differ_cnt);
	fail_cnt += differ_cnt > 1 + accepted_cnt / 5000;
	fail_cnt += order_differ_cnt > order_cnt / 2000;
	printf("%u passed, %u failed\n", !fail_cnt, !!fail_cnt);
	return fail_cnt != 0;
}
