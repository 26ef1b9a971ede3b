// SPDX-License-Identifier: GPL-2.0
/*
 * cost: runs a kernel's block in the interpreter and its image step by step, and counts.
 *
 * An instruction of the image belongs to the IR instruction whose code it stands in, and is classed by what that is;
 * work on flags shows in its name, a spill in its operand: an address on the stack of this process, where the guest has
 * none of its own.
 */
#define _GNU_SOURCE
#include "cost.h"

#include <Zydis/Zydis.h>

#define HOST_STACK	65536u		/* around the stack pointer of the image */

const char *const cost_names[COST_KINDS] = { "work", "guards", "flags", "spills", "control", "checks", "edges" };

struct stepper {
	const struct subject *subject;
	const struct ub_image *image;
	u64 code;
	struct cost *cost;
	u8 *kinds;		/* by offset: 0 not seen, or its kind and one more */
	ZydisDecoder decoder;
};

static bool is_guard(const struct ub_insn *insn)
{
	return insn->op == UB_OP_GUARD || insn->op == UB_OP_HOLD || insn->op == UB_OP_HOLD32;
}

/* The IR instruction whose code stands at @off: the last that begins there or before and has code; -1 for none. */
static s32 insn_at(const struct subject *subject, const struct ub_image *image, u32 off)
{
	s32 low = 0, high = subject->lifted->block.insn_cnt - 1;

	if (off < image->insn_offs[0])
		return -1;
	while (low < high) {
		s32 middle = (low + high + 1) / 2;

		if (image->insn_offs[middle] <= off)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static enum cost_kind kind_of_op(const struct ub_insn *insn)
{
	if (is_guard(insn))
		return COST_GUARDS;
	switch (insn->op) {
	case UB_OP_CHECK:
	case UB_OP_TICK:
		return COST_CHECKS;
	case UB_OP_JEQ:
	case UB_OP_JMP:
	case UB_OP_BOUND:
	case UB_OP_EXITTO:
		return COST_CONTROL;
	default:
		return COST_WORK;
	}
}

/* Guest pushes and pops become stores and loads. */
static bool is_flag_work(ZydisMnemonic name)
{
	return name == ZYDIS_MNEMONIC_LAHF || name == ZYDIS_MNEMONIC_SAHF || name == ZYDIS_MNEMONIC_PUSHFQ ||
	       name == ZYDIS_MNEMONIC_POPFQ || name == ZYDIS_MNEMONIC_POP || name == ZYDIS_MNEMONIC_PUSH;
}

static u64 register_value(const greg_t *regs, ZydisRegister reg)
{
	static const u8 of[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8, REG_R9,
				   REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

	if (reg < ZYDIS_REGISTER_RAX || reg > ZYDIS_REGISTER_R15)
		return 0;
	return regs[of[reg - ZYDIS_REGISTER_RAX]];
}

/* Does it use memory on the stack of this process? */
static bool is_spill(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands, const greg_t *regs)
{
	u64 addr;
	u32 i;

	for (i = 0; i < insn->operand_count; i++) {
		const ZydisDecodedOperandMem *mem = &operands[i].mem;

		if (operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY || mem->type != ZYDIS_MEMOP_TYPE_MEM)
			continue;
		addr = register_value(regs, mem->base) + register_value(regs, mem->index) * mem->scale + mem->disp.value;
		if (addr - (regs[REG_RSP] - HOST_STACK) < 2 * HOST_STACK)
			return true;
	}
	return false;
}

static enum cost_kind classify(const struct stepper *s, u32 off, const greg_t *regs)
{
	const struct ub_block *block = &s->subject->lifted->block;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	s32 idx = insn_at(s->subject, s->image, off);
	ZydisDecodedInstruction insn;
	enum cost_kind kind;

	if (idx < 0 || idx == (s32)block->insn_cnt - 1)
		return COST_EDGES;
	kind = kind_of_op(&block->insns[idx]);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&s->decoder, (const void *)(s->code + off), 15, &insn, operands)))
		return kind;
	if (is_flag_work(insn.mnemonic))
		return COST_FLAGS;
	if (kind == COST_GUARDS || kind == COST_CHECKS)
		return kind;
	return is_spill(&insn, operands, regs) ? COST_SPILLS : kind;
}

static bool step(void *ctx, const greg_t *regs)
{
	struct stepper *s = ctx;
	u64 off = regs[REG_RIP] - s->code;

	if (off >= s->image->code_len)
		return true;
	if (!s->kinds[off])
		s->kinds[off] = 1 + classify(s, off, regs);
	s->cost->code_counts[off]++;
	s->cost->kinds[s->kinds[off] - 1]++;
	return ++s->cost->machine < s->subject->max_steps;
}

static bool step_image(struct subject *subject, struct cost *cost)
{
	struct stepper s = { .subject = subject, .image = subject->images[GUARDED], .cost = cost };
	bool is_whole = false;

	s.kinds = ub_alloc(s.image->code_len, 1);
	if (!s.kinds)
		return false;
	s.code = (u64)ub_harness_code(s.image);
	ZydisDecoderInit(&s.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	subject_reset(subject);
	if (!step_begin(step, &s)) {
		subject_run(subject, GUARDED, &is_whole);
		step_end();
	}
	ub_free(s.kinds);
	return is_whole;
}

static void add_ops(const struct subject *subject, struct cost *cost)
{
	const struct ub_block *block = &subject->lifted->block;
	u32 i;

	for (i = 0; i < block->insn_cnt; i++) {
		const struct ub_insn *insn = &block->insns[i];

		if (insn->op == UB_OP_INSN)
			cost->guest += cost->op_counts[i];
		else
			cost->ops += cost->op_counts[i];
		if (is_guard(insn))
			cost->guards += cost->op_counts[i];
		if (ub_op_info[insn->op].effect & (UB_E_RD_MEM | UB_E_WR_MEM))
			cost->accesses += cost->op_counts[i];
	}
}

/* Which part of the run was stepped, by the IR instructions that have code of their own. */
static double stepped_share(const struct subject *subject, const struct cost *cost)
{
	const u32 *offs = subject->images[GUARDED]->insn_offs;
	u32 i, cnt = subject->lifted->block.insn_cnt;
	double stepped = 0, all = 0;

	for (i = 0; i + 1 < cnt; i++) {
		if (offs[i] == offs[i + 1])
			continue;
		stepped += cost->code_counts[offs[i]];
		all += cost->op_counts[i];
	}
	return all ? stepped / all : 1;
}

bool cost_find(struct subject *subject, struct cost *ret)
{
	struct cost cost = { 0 };

	cost.op_counts = ub_alloc(subject->lifted->block.insn_cnt, sizeof(u64));
	cost.code_counts = ub_alloc(subject->images[GUARDED]->code_len, sizeof(u64));
	if (!cost.op_counts || !cost.code_counts || !subject_count(subject, cost.op_counts) ||
	    !step_image(subject, &cost)) {
		cost_free(&cost);
		return false;
	}
	add_ops(subject, &cost);
	cost.stepped = stepped_share(subject, &cost) * cost.guest;
	*ret = cost;
	return true;
}

void cost_free(struct cost *cost)
{
	ub_free(cost->op_counts);
	ub_free(cost->code_counts);
}

static void dump_code(FILE *file, const struct subject *subject, const struct cost *cost, u32 from, u32 to)
{
	const struct ub_image *image = subject->images[GUARDED];
	const u8 *code = ub_harness_code(image);
	ZydisDisassembledInstruction insn;

	while (from < to) {
		if (!ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, from, code + from, to - from, &insn)))
			return;
		fprintf(file, "%10llu %6x          %s\n", (unsigned long long)cost->code_counts[from], from, insn.text);
		from += insn.info.length;
	}
}

void cost_dump(FILE *file, const struct subject *subject, const struct cost *cost)
{
	const struct ub_block *block = &subject->lifted->block;
	const struct ub_image *image = subject->images[GUARDED];
	char text[128];
	u32 i;

	dump_code(file, subject, cost, 0, image->insn_offs[0]);
	for (i = 0; i < block->insn_cnt; i++) {
		ZydisDisassembledInstruction guest;
		const struct ub_insn *insn = &block->insns[i];

		ub_insn_text(insn, i, text, sizeof(text));
		if (insn->op == UB_OP_INSN &&
		    ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, insn->imm, (void *)insn->imm, insn->off,
						       &guest)))
			fprintf(file, "%10llu %s    ; %s\n", (unsigned long long)cost->op_counts[i], text, guest.text);
		else
			fprintf(file, "%10llu   @%u %s\n", (unsigned long long)cost->op_counts[i], i, text);
		dump_code(file, subject, cost, image->insn_offs[i],
			  i + 1 < block->insn_cnt ? image->insn_offs[i + 1] : image->code_len);
	}
}
