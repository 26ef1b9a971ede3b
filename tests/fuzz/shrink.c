// SPDX-License-Identifier: GPL-2.0
/*
 * shrink: a difference becomes a small text case.
 *
 * Instructions are left out, and registers, flags and memory get the values that a text case has anyway, as long as
 * the difference stays.  What is printed can be put into tests/lift as it is.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "fuzz.h"

#define MAX_CELLS	40

static const char *const names[UB_NGUEST] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};

/* A program and all it starts with. */
struct sample {
	struct program program;
	struct state state;
	u8 mem[BUF_LEN];
};

static struct verdict last;

static u64 default_reg(u32 reg)
{
	return reg == UB_RSP ? STACK_AT : 0x1010101010101010ull * (reg + 1) + reg;
}

static u8 default_byte(u32 at)
{
	return at * 7 + at / 256;
}

static bool differs(struct sample *sample)
{
	static const u8 open[2] = { PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE };
	bool is_different = false;

	state_behind_call(&sample->program, &sample->state);
	if (!program_layout(&sample->program))
		return false;
	if (program_make(&sample->program) == MADE) {
		cpu_put_program(&sample->program);
		cpu_protect(open);
		memcpy(mem_before, sample->mem, BUF_LEN);
		memcpy(mem_interp, sample->mem, BUF_LEN);
		memcpy(mem_guest, sample->mem, BUF_LEN);
		cpu_protect(sample->program.prot);
		is_different = !trial_run(&sample->program, &sample->state, &last);
	}
	program_free(&sample->program);
	return is_different;
}

/* Takes @next if it still differs. */
static bool keep_if(struct sample *sample, struct sample *next)
{
	if (!differs(next))
		return false;
	*sample = *next;
	return true;
}

static void drop_insn(struct program *program, u32 at)
{
	u32 i;

	memmove(&program->insns[at], &program->insns[at + 1], (program->cnt - at - 1) * sizeof(program->insns[0]));
	program->cnt--;
	for (i = 0; i < program->cnt; i++)
		if (program->insns[i].jump > (s32)at && program->insns[i].jump < MAX_INSNS)
			program->insns[i].jump--;
}

static void shrink_program(struct sample *sample, struct sample *next)
{
	s32 i;

	for (i = sample->program.cnt - 1; i >= 0 && sample->program.cnt > 1; i--) {
		*next = *sample;
		drop_insn(&next->program, i);
		keep_if(sample, next);
	}
	*next = *sample;
	next->program.prot[0] = next->program.prot[1] = PROT_READ | PROT_WRITE;
	keep_if(sample, next);
	*next = *sample;
	next->program.is_behind_call = false;
	keep_if(sample, next);
	*next = *sample;
	next->program.must_yield = false;
	keep_if(sample, next);
	*next = *sample;
	next->program.resident = 0;
	keep_if(sample, next);
}

static void shrink_registers(struct sample *sample, struct sample *next)
{
	u32 i;

	for (i = 0; i < UB_NGUEST; i++) {
		u64 tries[] = { default_reg(i), 0, 1, (u32)sample->state.regs[i], (u16)sample->state.regs[i] };
		u32 k;

		for (k = 0; k < ARRAY_SIZE(tries) && sample->state.regs[i] != tries[k]; k++) {
			*next = *sample;
			next->state.regs[i] = tries[k];
			if (keep_if(sample, next))
				break;
		}
	}
	for (i = 0; i < 12; i++) {
		*next = *sample;
		next->state.flags &= ~(1u << i);
		if (next->state.flags != sample->state.flags)
			keep_if(sample, next);
	}
}

static void shrink_vectors(struct sample *sample, struct sample *next)
{
	u32 i, k;

	for (i = 0; sample->program.has_vectors && i < MAX_VECTORS; i++) {
		for (k = 0; k < 32; k += 4) {
			*next = *sample;
			memset(next->state.v[i] + k, 0, 4);
			if (memcmp(next->state.v[i], sample->state.v[i], 32))
				keep_if(sample, next);
		}
	}
	*next = *sample;
	next->state.mxcsr = 0x1f80;
	if (next->state.mxcsr != sample->state.mxcsr)
		keep_if(sample, next);
}

static bool shrink_range(struct sample *sample, struct sample *next, u32 at, u32 len)
{
	u32 i;

	*next = *sample;
	for (i = at; i < at + len; i++)
		next->mem[i] = default_byte(i);
	return keep_if(sample, next);
}

static void shrink_memory(struct sample *sample, struct sample *next)
{
	u32 at, cell;

	if (shrink_range(sample, next, 0, BUF_LEN))
		return;
	for (at = 0; at < BUF_LEN; at += 512) {
		if (shrink_range(sample, next, at, 512))
			continue;
		for (cell = at; cell < at + 512; cell += 8)
			shrink_range(sample, next, cell, 8);
	}
}

/* --- as a text case --- */

static void print_value(const char *name, u64 val)
{
	if (val - BUF_AT <= BUF_LEN)
		printf(" %s=buf+%llu", name, (unsigned long long)(val - BUF_AT));
	else if (val - CODE_AT < CODE_LEN)
		printf(" %s=code+%llu", name, (unsigned long long)(val - CODE_AT));
	else
		printf(" %s=%#llx", name, (unsigned long long)val);
}

static void print_flags(u32 flags, u32 which)
{
	static const struct { u32 bit; const char *name; } all[] = {
		{ UB_FL_CF, "cf" }, { UB_FL_PF, "pf" }, { UB_FL_AF, "af" }, { UB_FL_ZF, "zf" }, { UB_FL_SF, "sf" },
		{ UB_FL_OF, "of" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (which & all[i].bit)
			printf(" %s=%u", all[i].name, !!(flags & all[i].bit));
}

/* The 8-byte cells of @mem that are not as in @other. */
static void print_cells(const u8 *mem, const u8 *other)
{
	u32 at, cnt = 0;

	for (at = 0; at < BUF_LEN && cnt < MAX_CELLS; at += 8) {
		char name[24];
		u64 val;

		if (!memcmp(mem + at, other + at, 8))
			continue;
		memcpy(&val, mem + at, 8);
		snprintf(name, sizeof(name), "[buf+%u]", at);
		print_value(name, val);
		cnt++;
	}
}

static void print_vectors(const struct state *state, const struct state *other)
{
	u32 i, k;

	for (i = 0; i < MAX_VECTORS; i++) {
		if (!memcmp(state->v[i], other->v[i], 32))
			continue;
		printf(" ymm%u=0x", i);
		for (k = 32; k-- > 0;)
			printf("%02x", state->v[i][k]);
	}
	if (state->mxcsr != other->mxcsr)
		printf(" mxcsr=%#x", state->mxcsr);
}

static void print_pages(const u8 prot[2])
{
	u32 i;

	for (i = 0; i < 2; i++)
		if (!(prot[i] & PROT_WRITE))
			printf(" %s=buf+%u", prot[i] ? "readonly" : "missing", i * PAGE);
}

static void print_program(const struct program *program)
{
	char text[128];
	u32 i, k;

	for (i = 0; i < program->cnt; i++) {
		struct insn insn = program->insns[i];

		memcpy(insn.bytes, program->code + (program->ips[i] - CODE_AT), insn.len);
		insn_text(&insn, program->ips[i], text, sizeof(text));
		printf("   ");
		for (k = 0; k < insn.len; k++)
			printf(" %02x", insn.bytes[k]);
		printf(" | %s\n", text);
	}
}

static void print_case(const struct sample *sample)
{
	const struct state *state = &sample->state;
	struct state rest = { .mxcsr = 0x1f80 };
	u8 mem[BUF_LEN];
	u32 i;

	for (i = 0; i < BUF_LEN; i++)
		mem[i] = default_byte(i);
	printf("test lift run\nx86:\n");
	print_program(&sample->program);
	if (sample->program.resident)
		printf("# with resident registers %#x\n", sample->program.resident);
	printf("run:");
	for (i = 0; i < UB_NGUEST; i++)
		if (state->regs[i] != default_reg(i))
			print_value(names[i], state->regs[i]);
	print_flags(state->flags, state->flags);
	print_cells(sample->mem, mem);
	if (sample->program.has_vectors)
		print_vectors(state, &rest);
	print_pages(sample->program.prot);
	if (sample->program.must_yield)
		printf(" yield=1");
	printf(" =>");
	for (i = 0; i < UB_NGUEST; i++)
		if (state->regs[i] != trial_native.regs[i])
			print_value(names[i], trial_native.regs[i]);
	print_flags(trial_native.flags, UB_FL_ALL & ~trial_undefined);
	if (sample->program.has_vectors)
		print_vectors(&trial_native, state);
	if (trial_native.ip != program_exit(&sample->program, 0))
		print_value("ip", trial_native.ip);
	printf("\n\n");
}

void shrink_and_print(const struct program *program, const struct state *start, const struct verdict *verdict)
{
	static struct sample sample, next;
	char text[600];

	program_text(program, text, sizeof(text));
	printf("\n# %s\n# from: %s\n", verdict->what, text);
	sample.program = *program;
	sample.program.lifted = NULL;
	sample.program.verified = NULL;
	sample.program.image = NULL;
	sample.state = *start;
	memcpy(sample.mem, mem_before, BUF_LEN);
	if (!differs(&sample)) {
		printf("# it does not happen again\n\n");
		return;
	}
	shrink_program(&sample, &next);
	if (last.has_hung) {
		print_case(&sample);
		return;
	}
	shrink_registers(&sample, &next);
	shrink_vectors(&sample, &next);
	shrink_memory(&sample, &next);
	shrink_registers(&sample, &next);
	differs(&sample);
	printf("# %s\n", last.what);
	print_case(&sample);
}
