// SPDX-License-Identifier: GPL-2.0
/*
 * interp_cpu: does the interpreter compute what the processor computes?
 *
 * Each operation that has an x86 instruction of its own is run in both, at every width, on random and corner operands:
 * all four registers and the flags that the SDM defines must agree.  With -v it also says in which of the undefined
 * flags this processor differs from the interpreter's choice.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "../../ir/interp.h"

#define PROGRAMS	250	/* encodings for each operation and width */
#define RUNS		40	/* operands for each encoding */

enum { DST = UB_RDX, SRC = UB_RBX, THIRD = UB_RAX };	/* with rcx the registers that take part */

/* What the machine code reads and writes; rax, rcx, rdx, rbx by number. */
struct cpu {
	u64 regs[4];
	u64 flags;
};

static u32 passed, failed, complaints;
static u64 comparisons;
static u32 other_flags;			/* undefined flags seen to differ */
static u64 seed = 88172645463325252ull;
static u8 *code;
static u32 code_len;
static sigjmp_buf divide_error;

static u64 rng(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

static u32 pick(u32 cnt)
{
	return (rng() >> 33) % cnt;
}

static u64 random_value(void)
{
	static const u64 corners[] = { 0, 1, 2, 0x0f, 0x10, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, -1ull, -2ull,
		-16ull, -128ull, 0xffffffff80000000 };
	u64 val = corners[pick(ARRAY_SIZE(corners))];

	switch (pick(4)) {
	case 0:
		return val;
	case 1:
		return val ^ (rng() & 0xff);
	case 2:
		return rng() >> pick(64);
	default:
		return rng();
	}
}

/* --- x86: one instruction --- */

static void put(u32 len, u64 bytes)
{
	memcpy(code + code_len, &bytes, len);
	code_len += len;
}

/* [66] [rex.w] OPCODE modrm, the opcode of up to two bytes as it is read: 0x0faf. */
static void put_op(const struct ub_insn *insn, u32 opcode, u8 reg, u8 rm)
{
	enum ub_width w = ub_insn_width(insn);

	if (w == UB_W16)
		put(1, 0x66);
	if (w == UB_W64)
		put(1, 0x48);
	if (opcode >> 8)
		put(1, opcode >> 8);
	put(1, opcode);
	put(1, 0xc0 | reg << 3 | rm);
}

/* Most opcodes are even for 8 bits and the next for the other widths. */
static u32 wide(const struct ub_insn *insn, u32 opcode)
{
	return opcode + (ub_insn_width(insn) != UB_W8);
}

static void put_imm(const struct ub_insn *insn)
{
	u32 len = UB_WIDTH_BYTES(ub_insn_width(insn));

	put(len > 4 ? 4 : len, insn->imm);
}

/* [66] [prefix] [rex.w] 0f 38 OPCODE modrm; or without the 38. */
static void put_long(const struct ub_insn *insn, u8 prefix, bool is_38, u8 opcode, u8 reg, u8 rm)
{
	if (ub_insn_width(insn) == UB_W16)
		put(1, 0x66);
	if (prefix)
		put(1, prefix);
	if (ub_insn_width(insn) == UB_W64)
		put(1, 0x48);
	put(1, 0x0f);
	if (is_38)
		put(1, 0x38);
	put(1, opcode);
	put(1, 0xc0 | reg << 3 | rm);
}

/* VEX in its long form: @pp is 0, 1 for 66, 2 for f3, 3 for f2; @map 2 for 0f 38, 3 for 0f 3a. */
static void put_vex(const struct ub_insn *insn, u8 pp, u8 map, u8 opcode, u8 reg, u8 vvvv, u8 rm)
{
	put(1, 0xc4);
	put(1, 0xe0 | map);
	put(1, (ub_insn_width(insn) == UB_W64) << 7 | (~vvvv & 15) << 3 | pp);
	put(1, opcode);
	put(1, 0xc0 | reg << 3 | rm);
}

/* Those of put_insn() that are not classic. */
static void put_bits(const struct ub_insn *insn)
{
	switch (insn->op) {
#define BIT(NAME, digit)							\
	case UB_OP_##NAME:							\
		put_op(insn, 0x0f83 | digit << 3, SRC, DST);			\
		break;								\
	case UB_OP_##NAME##I:							\
		put_op(insn, 0x0fba, digit, DST);				\
		put(1, insn->imm);						\
		break;
	BIT(BT, 4)
	BIT(BTS, 5)
	BIT(BTR, 6)
	BIT(BTC, 7)
#define DOUBLE(NAME, opcode)							\
	case UB_OP_##NAME:							\
		put_op(insn, opcode + 1, SRC, DST);				\
		break;								\
	case UB_OP_##NAME##I:							\
		put_op(insn, opcode, SRC, DST);					\
		put(1, insn->imm);						\
		break;
	DOUBLE(SHLD, 0x0fa4)
	DOUBLE(SHRD, 0x0fac)
#define LONG(NAME, prefix, is_38, opcode)					\
	case UB_OP_##NAME:							\
		put_long(insn, prefix, is_38, opcode, DST, SRC);		\
		break;
	LONG(BSF, 0, false, 0xbc)
	LONG(BSR, 0, false, 0xbd)
	LONG(TZCNT, 0xf3, false, 0xbc)
	LONG(LZCNT, 0xf3, false, 0xbd)
	LONG(POPCNT, 0xf3, false, 0xb8)
	LONG(CRC32, 0xf2, true, 0xf0 + (ub_insn_width(insn) != UB_W8))
	LONG(ADCX, 0x66, true, 0xf6)
	LONG(ADOX, 0xf3, true, 0xf6)
#define VEX(NAME, pp, map, opcode, reg, vvvv, rm)				\
	case UB_OP_##NAME:							\
		put_vex(insn, pp, map, opcode, reg, vvvv, rm);			\
		break;
	VEX(ANDN, 0, 2, 0xf2, DST, SRC, THIRD)
	VEX(PDEP, 3, 2, 0xf5, DST, SRC, THIRD)
	VEX(PEXT, 2, 2, 0xf5, DST, SRC, THIRD)
	VEX(BEXTR, 0, 2, 0xf7, DST, THIRD, SRC)
	VEX(BZHI, 0, 2, 0xf5, DST, THIRD, SRC)
	VEX(SHLX, 1, 2, 0xf7, DST, THIRD, SRC)
	VEX(SHRX, 3, 2, 0xf7, DST, THIRD, SRC)
	VEX(SARX, 2, 2, 0xf7, DST, THIRD, SRC)
	VEX(MULX, 3, 2, 0xf6, DST, THIRD, SRC)
	VEX(BLSR, 0, 2, 0xf3, 1, DST, SRC)
	VEX(BLSMSK, 0, 2, 0xf3, 2, DST, SRC)
	VEX(BLSI, 0, 2, 0xf3, 3, DST, SRC)
	case UB_OP_RORX:
		put_vex(insn, 3, 3, 0xf0, DST, 0, SRC);
		put(1, insn->imm);
		break;
	}
}

/* zext.8 -> movzx edx, bl and so on: the width is the source's. */
static void put_extend(u32 opcode, bool is_64)
{
	if (is_64)
		put(1, 0x48);
	if (opcode >> 8)
		put(1, opcode >> 8);
	put(1, opcode);
	put(1, 0xc0 | DST << 3 | SRC);
}

/* lea edx/rdx, [rbx + rax * scale + off], with either register missing too. */
static void put_lea(const struct ub_insn *insn)
{
	bool has_base = insn->src != UB_NOREG, has_index = ub_insn_index(insn) != UB_NOREG;

	if (ub_insn_width(insn) == UB_W64)
		put(1, 0x48);
	put(1, 0x8d);
	put(1, (has_base ? 0x80 : 0) | DST << 3 | 4);
	put(1, ub_insn_scale(insn) << 6 | (has_index ? ub_insn_index(insn) : 4) << 3 | (has_base ? insn->src : 5));
	put(4, insn->off);
}

static void put_insn(const struct ub_insn *insn)
{
	bool is_wide = ub_insn_width(insn) != UB_W8;

	switch (insn->op) {
#define ALU(NAME, opcode, digit)						\
	case UB_OP_##NAME:							\
		put_op(insn, wide(insn, opcode), SRC, DST);			\
		break;								\
	case UB_OP_##NAME##I:							\
		put_op(insn, wide(insn, 0x80), digit, DST);			\
		put_imm(insn);							\
		break;
	ALU(ADD, 0x00, 0)
	ALU(OR, 0x08, 1)
	ALU(ADC, 0x10, 2)
	ALU(SBB, 0x18, 3)
	ALU(AND, 0x20, 4)
	ALU(SUB, 0x28, 5)
	ALU(XOR, 0x30, 6)
	ALU(CMP, 0x38, 7)
#define SHIFT(NAME, digit)							\
	case UB_OP_##NAME:							\
		put_op(insn, wide(insn, 0xd2), digit, DST);			\
		break;								\
	case UB_OP_##NAME##I:							\
		put_op(insn, wide(insn, 0xc0), digit, DST);			\
		put(1, insn->imm);						\
		break;
	SHIFT(ROL, 0)
	SHIFT(ROR, 1)
	SHIFT(RCL, 2)
	SHIFT(RCR, 3)
	SHIFT(SHL, 4)
	SHIFT(SHR, 5)
	SHIFT(SAR, 7)
#define ONE(NAME, opcode, digit, rm)						\
	case UB_OP_##NAME:							\
		put_op(insn, wide(insn, opcode), digit, rm);			\
		break;
	ONE(TEST, 0x84, SRC, DST)
	ONE(MOV, 0x88, SRC, DST)
	ONE(NOT, 0xf6, 2, DST)
	ONE(NEG, 0xf6, 3, DST)
	ONE(INC, 0xfe, 0, DST)
	ONE(DEC, 0xfe, 1, DST)
	ONE(MULU, 0xf6, 4, SRC)
	ONE(MULS, 0xf6, 5, SRC)
	ONE(DIVU, 0xf6, 6, SRC)
	ONE(DIVS, 0xf6, 7, SRC)
	case UB_OP_TESTI:
		put_op(insn, wide(insn, 0xf6), 0, DST);
		put_imm(insn);
		break;
	case UB_OP_MOVI:
		if (ub_insn_width(insn) == UB_W64) {
			put(2, 0xb848 + (DST << 8));
			put(8, insn->imm);
			break;
		}
		put_op(insn, wide(insn, 0xc6), 0, DST);
		put_imm(insn);
		break;
	case UB_OP_ZEXT:
		put_extend(0x0fb6 + is_wide, false);
		break;
	case UB_OP_SEXT32:
		put_extend(0x0fbe + is_wide, false);
		break;
	case UB_OP_SEXT64:
		put_extend(ub_insn_width(insn) == UB_W32 ? 0x63 : 0x0fbe + is_wide, true);
		break;
	case UB_OP_LEA:
		put_lea(insn);
		break;
	case UB_OP_BSWAP:
		if (ub_insn_width(insn) == UB_W16) {
			put(1, 0x9c);			/* pushfq */
			put(4, 0x08c0c166 | DST << 16);	/* rol dx, 8 */
			put(1, 0x9d);			/* popfq */
			break;
		}
		if (ub_insn_width(insn) == UB_W64)
			put(1, 0x48);
		put(2, 0xc80f + (DST << 8));
		break;
	case UB_OP_IMUL:
		put_op(insn, 0x0faf, DST, SRC);
		break;
	case UB_OP_IMULI:
		put_op(insn, 0x69, DST, SRC);
		put_imm(insn);
		break;
	case UB_OP_SETCC:
		put(3, 0xc0900f + (ub_insn_cc(insn) << 8) + (DST << 16));
		break;
	case UB_OP_CMOV:
		put_op(insn, 0x0f40 + ub_insn_cc(insn), DST, SRC);
		break;
	default:
		put_bits(insn);
		break;
	}
}

/* void run(struct cpu *rdi) around it; false when the operation has no x86 instruction of its own. */
static bool make_code(const struct ub_insn *insn)
{
	u32 before;

	code_len = 0;
	put(1, 0x53);			/* push rbx */
	put(3, 0x2077ff);		/* push [rdi + 32] */
	put(1, 0x9d);			/* popfq */
	put(3, 0x078b48);		/* mov rax, [rdi] */
	put(4, 0x084f8b48);		/* mov rcx, [rdi + 8] */
	put(4, 0x10578b48);		/* mov rdx, [rdi + 16] */
	put(4, 0x185f8b48);		/* mov rbx, [rdi + 24] */
	before = code_len;
	put_insn(insn);
	if (code_len == before)
		return false;
	put(3, 0x078948);		/* mov [rdi], rax */
	put(4, 0x084f8948);		/* mov [rdi + 8], rcx */
	put(4, 0x10578948);		/* mov [rdi + 16], rdx */
	put(4, 0x185f8948);		/* mov [rdi + 24], rbx */
	put(1, 0x9c);			/* pushfq */
	put(3, 0x20478f);		/* pop [rdi + 32] */
	put(1, 0x5b);			/* pop rbx */
	put(1, 0xc3);			/* ret */
	return true;
}

static void on_divide_error(int sig)
{
	(void)sig;
	siglongjmp(divide_error, 1);
}

/* False on a divide error, @cpu is then as it was. */
static bool run_cpu(struct cpu *cpu)
{
	if (sigsetjmp(divide_error, 0))
		return false;
	((void (*)(struct cpu *))code)(cpu);
	return true;
}

/* --- both, compared --- */

static bool run_interp(const struct ub_insn *insn, const struct cpu *cpu, struct ub_interp *state)
{
	const struct ub_interp_world world = { .limit = 0x7ffffffff000 };
	const struct ub_insn insns[] = {
		{ .op = UB_OP_INSN, .imm = 0x1000, .off = 3 }, *insn, { .op = UB_OP_EXIT, .imm = 0x1003 },
	};
	const struct ub_block block = { .insns = insns, .insn_cnt = ARRAY_SIZE(insns) };

	memset(state, 0, sizeof(*state));
	memcpy(state->regs, cpu->regs, sizeof(cpu->regs));
	state->flags = cpu->flags & UB_FL_ALL;
	return ub_interp_run(&block, &world, 0, state) == UB_LEFT_EXIT;
}

static void complain(const struct ub_insn *insn, const struct cpu *in, const struct cpu *out,
		     const struct ub_interp *state)
{
	char text[128];
	u32 i;

	if (complaints++ > 10)
		return;
	ub_insn_text(insn, 0, text, sizeof(text));
	printf("interp_cpu: %s\n", text);
	for (i = 0; i < 4; i++)
		printf("  r%u in %#llx cpu %#llx interpreter %#llx\n", i, (unsigned long long)in->regs[i],
		       (unsigned long long)out->regs[i], (unsigned long long)state->regs[i]);
	printf("  flags in %#x cpu %#x interpreter %#x undefined %#x\n", (u32)in->flags & UB_FL_ALL,
	       (u32)out->flags & UB_FL_ALL, state->flags, state->undefined);
}

static void compare(const struct ub_insn *insn, const struct cpu *in)
{
	struct cpu out = *in;
	struct ub_interp state;
	bool cpu_done = run_cpu(&out), interp_done = run_interp(insn, in, &state);
	u32 differ = (out.flags ^ state.flags) & UB_FL_ALL;

	comparisons++;
	if (cpu_done != interp_done || memcmp(out.regs, state.regs, sizeof(out.regs)))
		complain(insn, in, &out, &state);
	else if (!ub_insn_sets_flags(insn) ? state.flags != (in->flags & UB_FL_ALL) : differ & ~state.undefined)
		complain(insn, in, &out, &state);
	else if (ub_insn_sets_flags(insn))
		other_flags |= differ;
}

static void random_cpu(const struct ub_insn *insn, struct cpu *ret)
{
	u32 i;

	for (i = 0; i < 4; i++)
		ret->regs[i] = random_value();
	/* Else nearly every division would fault. */
	if ((insn->op == UB_OP_DIVU || insn->op == UB_OP_DIVS) && pick(4))
		ret->regs[UB_RDX] = insn->op == UB_OP_DIVS && ret->regs[UB_RAX] >> 63 ? -1ull : pick(3);
	ret->flags = (rng() & UB_FL_ALL) | 0x202;
}

static bool random_insn(u8 op, enum ub_width w, struct ub_insn *ret)
{
	const struct ub_op_info *info = &ub_op_info[op];
	bool has_f = info->effect & UB_E_F_OPT && pick(8);
	const char *why;
	u32 tries;

	for (tries = 0; tries < 10000; tries++) {
		*ret = (struct ub_insn){ .op = op, .mode = UB_MODE(w, has_f, 0) };
		switch (info->shape) {
		case UB_S_DST_CC:
		case UB_S_DST_SRC_CC:
			ret->mode |= pick(16) << 4;
			break;
		case UB_S_DST_IMM:
		case UB_S_DST_SRC_IMM:
			ret->imm = pick(2) ? pick(66) : (s64)random_value() >> pick(64);
			break;
		case UB_S_DST_SRC_REG:
			ret->imm = THIRD;
			break;
		case UB_S_ADDR:
			ret->imm = UB_ADDR_IMM(pick(3) ? pick(4) : UB_NOREG, pick(4));
			ret->off = random_value();
			ret->src = pick(4) ? pick(4) : UB_NOREG;
			break;
		}
		if (info->effect & (UB_E_RD_DST | UB_E_WR_DST | UB_E_WR_ALL))
			ret->dst = DST;
		if (info->shape != UB_S_ADDR && info->effect & UB_E_RD_SRC)
			ret->src = SRC;
		if (info->shape == UB_S_DST_SRC && ub_insn_check(ret, &why))
			ret->src = UB_RCX;		/* shifts */
		if (!ub_insn_check(ret, &why))
			return true;
	}
	return false;
}

/* True when it was a test at all. */
static bool test(u8 op, enum ub_width w)
{
	struct ub_insn insn;
	struct cpu cpu;
	u32 i, j;

	insn = (struct ub_insn){ .op = op, .mode = w };
	if (!make_code(&insn))
		return false;
	for (i = 0; i < PROGRAMS; i++) {
		if (!random_insn(op, w, &insn)) {
			printf("interp_cpu: no instruction found for operation %u\n", op);
			complaints++;
			return true;
		}
		make_code(&insn);
		for (j = 0; j < RUNS; j++) {
			random_cpu(&insn, &cpu);
			compare(&insn, &cpu);
		}
	}
	return true;
}

static void test_op(u8 op, bool is_verbose)
{
	u8 widths = ub_op_info[op].widths ? ub_op_info[op].widths : 1;
	u32 w, before;

	for (w = 0; w < 4; w++) {
		before = complaints;
		other_flags = 0;
		if (!(widths & 1 << w) || !test(op, w))
			continue;
		if (complaints == before)
			passed++;
		else
			failed++;
		if (is_verbose && other_flags)
			printf("%s.%u: undefined flags %#x differ here\n", ub_op_info[op].text, UB_WIDTH_BITS(w),
			       other_flags);
	}
}

int main(int argc, char **argv)
{
	bool is_verbose = argc > 1 && !strcmp(argv[1], "-v");
	struct sigaction act = { .sa_handler = on_divide_error, .sa_flags = SA_NODEFER };
	u32 op;

	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED || sigaction(SIGFPE, &act, NULL)) {
		perror("interp_cpu");
		return 1;
	}
	for (op = 0; op < UB_OP_COUNT; op++)
		test_op(op, is_verbose);
	printf("interp_cpu: %llu comparisons\n", (unsigned long long)comparisons);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
