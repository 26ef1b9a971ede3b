// SPDX-License-Identifier: GPL-2.0
/*
 * vec_cpu: is what a row of ir/vec.h says what the processor does?
 *
 * Each row, in each variant and with each kind of operand that the processor has, as the encoder writes it, runs on the
 * bare processor and as vec_NAME(), from the same random registers, memory and MXCSR.  All vector registers, the
 * general ones that may be written, memory, flags and MXCSR must agree; what raises an exception must say so.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "../../ir/vecrun.h"
#include "../../kernel/ub-jit/x86.h"

#define RUNS		400
#define MXCSR_DEFAULT	0x1f80u
#define GENERAL		X86_RSI		/* the general register operand */
#define POINTER		X86_RDI		/* the base of memory operands */
#define MEM_LEN		96u
#define MEM_AT		32u		/* of the operand in it */

/* The processor's state on the way in and out; the assembly knows its shape. */
struct cpu {
	union ub_vec v[16];	/* 0 */
	u64 mxcsr;		/* 512 */
	u64 rax, rcx, rdx;	/* 520 528 536 */
	u64 general;		/* 544 */
	u64 pointer;		/* 552 */
	u64 flags;		/* 560 */
};

void vec_cpu_run(struct cpu *cpu, const void *code);

asm(".text\n"
    "vec_cpu_run:\n"
    "	push %rbx\n push %rbp\n sub $8, %rsp\n mov %rdi, %rbp\n mov %rsi, %rbx\n"
    "	vmovdqu 0(%rbp), %ymm0\n vmovdqu 32(%rbp), %ymm1\n vmovdqu 64(%rbp), %ymm2\n vmovdqu 96(%rbp), %ymm3\n"
    "	vmovdqu 128(%rbp), %ymm4\n vmovdqu 160(%rbp), %ymm5\n vmovdqu 192(%rbp), %ymm6\n vmovdqu 224(%rbp), %ymm7\n"
    "	vmovdqu 256(%rbp), %ymm8\n vmovdqu 288(%rbp), %ymm9\n vmovdqu 320(%rbp), %ymm10\n"
    "	vmovdqu 352(%rbp), %ymm11\n vmovdqu 384(%rbp), %ymm12\n vmovdqu 416(%rbp), %ymm13\n"
    "	vmovdqu 448(%rbp), %ymm14\n vmovdqu 480(%rbp), %ymm15\n ldmxcsr 512(%rbp)\n"
    "	mov 520(%rbp), %rax\n mov 528(%rbp), %rcx\n mov 536(%rbp), %rdx\n mov 544(%rbp), %rsi\n"
    "	mov 552(%rbp), %rdi\n pushq 560(%rbp)\n popfq\n"
    "	call *%rbx\n"
    "	pushfq\n popq 560(%rbp)\n"
    "	vmovdqu %ymm0, 0(%rbp)\n vmovdqu %ymm1, 32(%rbp)\n vmovdqu %ymm2, 64(%rbp)\n vmovdqu %ymm3, 96(%rbp)\n"
    "	vmovdqu %ymm4, 128(%rbp)\n vmovdqu %ymm5, 160(%rbp)\n vmovdqu %ymm6, 192(%rbp)\n vmovdqu %ymm7, 224(%rbp)\n"
    "	vmovdqu %ymm8, 256(%rbp)\n vmovdqu %ymm9, 288(%rbp)\n vmovdqu %ymm10, 320(%rbp)\n"
    "	vmovdqu %ymm11, 352(%rbp)\n vmovdqu %ymm12, 384(%rbp)\n vmovdqu %ymm13, 416(%rbp)\n"
    "	vmovdqu %ymm14, 448(%rbp)\n vmovdqu %ymm15, 480(%rbp)\n stmxcsr 512(%rbp)\n"
    "	mov %rax, 520(%rbp)\n mov %rcx, 528(%rbp)\n mov %rdx, 536(%rbp)\n mov %rsi, 544(%rbp)\n"
    "	vzeroupper\n add $8, %rsp\n pop %rbp\n pop %rbx\n ret\n");

/* One thing to try: a row in one variant, with one kind of operand, in chosen registers. */
struct form {
	const struct ub_vec_info *info;
	void (*run)(struct ub_vec_run *v);
	enum ub_vec_variant variant;
	bool is_mem;
	u8 reg, vvvv, rm, constant;
};

static void (*const runs[])(struct ub_vec_run *v) = {
#define VEC(mnemonic, name, code, form, mem, variants, feature, flags) vec_##name,
#include "../../ir/vec.h"
};

static u8 *code;
static u8 memory[MEM_LEN] __attribute__((aligned(64)));
static u64 seed = 0x9e3779b97f4a7c15ull;
static u32 passed, failed, skipped;
static sigjmp_buf back;

static u64 draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

static u32 cpu_features(void)
{
	u32 a, b, c = 0, d = 0, b7 = 0, features = UB_VEC_F_SSE2;

	__get_cpuid(1, &a, &b, &c, &d);
	features |= c & bit_SSE3 ? UB_VEC_F_SSE3 : 0;
	features |= c & bit_SSSE3 ? UB_VEC_F_SSSE3 : 0;
	features |= c & bit_SSE4_1 ? UB_VEC_F_SSE41 : 0;
	features |= c & bit_SSE4_2 ? UB_VEC_F_SSE42 : 0;
	features |= c & bit_AES ? UB_VEC_F_AES : 0;
	features |= c & bit_PCLMUL ? UB_VEC_F_PCLMUL : 0;
	features |= c & bit_AVX ? UB_VEC_F_AVX : 0;
	features |= c & bit_FMA ? UB_VEC_F_FMA : 0;
	features |= c & bit_F16C ? UB_VEC_F_F16C : 0;
	__get_cpuid_count(7, 0, &a, &b7, &c, &d);
	return features | (b7 & bit_AVX2 ? UB_VEC_F_AVX2 : 0);
}

static void on_fault(int sig)
{
	siglongjmp(back, sig);
}

/* Corners of integers and of both sizes of floating point: zeros, denormals, infinities, NaNs, near halves. */
static u64 draw_lanes(void)
{
	static const u32 corner32[] = {
		0, 0x80000000, 1, 0x007fffff, 0x80000001, 0x00800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000,
		0x7f800001, 0xffc12345, 0x3f800000, 0xbf800000, 0x3f000000, 0x4f000000, 0xcf000000, 0x7fffffff,
		0xffffffff, 0x4b000001, 0x5f000000, 0x3fc00000, 0x00010001, 0x80008000, 0x7fff8000, 0x33800000,
	};
	static const u64 corner64[] = {
		0, 1ull << 63, 1, 0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0x7ff0000000000000,
		0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0xfff8123400000000, 0x3ff0000000000000,
		0xbff0000000000000, 0x3fe0000000000000, 0x41e0000000000000, 0xc1e0000000200000, 0x43e0000000000000,
		0x36a0000000000000, 0x47f0000000000000, 0x3810000000000001, 0x4330000000000001,
	};

	switch (draw() % 5) {
	case 0: return corner64[draw() % ARRAY_SIZE(corner64)];
	case 1: return corner32[draw() % ARRAY_SIZE(corner32)] | (u64)corner32[draw() % ARRAY_SIZE(corner32)] << 32;
	case 2: return draw() & draw() & 0x3f3f3f3f3f3f3f3full;
	case 3: return draw() % 200;
	default: return draw();
	}
}

static void draw_state(struct cpu *cpu, const struct form *form, bool may_raise)
{
	u32 i, k;

	for (i = 0; i < 16; i++)
		for (k = 0; k < 4; k++)
			cpu->v[i].q[k] = draw_lanes();
	if (draw() % 4 == 0)
		cpu->v[form->rm & 15] = cpu->v[form->reg];
	cpu->mxcsr = MXCSR_DEFAULT | (draw() & 0xe000) | (draw() % 3 ? 0 : 0x40) | (draw() & 0x3f);
	if (may_raise)
		cpu->mxcsr &= ~(draw() & draw() & 0x1f80) & ~0x3full;
	cpu->rax = draw() % 3 ? draw() % 40 - 20 : draw();
	cpu->rdx = draw() % 3 ? draw() % 40 - 20 : draw();
	cpu->rcx = draw();
	cpu->general = draw_lanes();
	cpu->pointer = (u64)memory + MEM_AT;
	cpu->flags = 0x202 | (draw() & UB_FL_ALL);
	for (i = 0; i < MEM_LEN; i += 8)
		*(u64 *)&memory[i] = draw_lanes();
}

static void encode(const struct form *form)
{
	struct x86_code out = { .buf = code, .cap = 64, .watched = X86_NOREG };
	struct x86_rm rm = form->is_mem ? x86_mem(POINTER, 0) : x86_reg(form->rm);
	u8 vvvv = ub_vec_has_a(form->info, form->variant) || form->info->form == UB_VEC_VM ? form->vvvv : 0;

	x86_vec(&out, form->info, form->variant, form->reg, form->variant == UB_VEC_SSE ? 0 : vvvv, rm, form->constant);
	x86_ret(&out);
}

/* What the caller of vec_NAME() does: operands in, results out. */

static void operands_in(struct ub_vec_run *v, const struct form *form, const struct cpu *cpu)
{
	u8 kind = form->info->form;
	u8 dst = kind == UB_VEC_VM ? (form->variant == UB_VEC_SSE ? form->rm : form->vvvv) :
		 kind == UB_VEC_MR ? form->rm : form->reg;

	*v = (struct ub_vec_run){
		.info = form->info, .variant = form->variant, .imm = form->constant, .is_mem = form->is_mem,
		.len = form->variant == UB_VEC_256 ? 32 : 16, .mxcsr = cpu->mxcsr,
		.rax = cpu->rax, .rcx = cpu->rcx, .rdx = cpu->rdx,
		.r = cpu->v[dst & 15], .a = cpu->v[form->variant == UB_VEC_SSE ? dst & 15 : form->vvvv],
		.c = cpu->v[form->info->flags & UB_VEC_MASK_V0 ? 0 : form->constant >> 4],
	};
	if (kind == UB_VEC_FRM || kind == UB_VEC_SRM)
		v->a = cpu->v[form->reg];
	if (kind == UB_VEC_SRM) {
		v->rax = (s64)(s32)cpu->rax;
		v->rdx = (s64)(s32)cpu->rdx;
	}
	if (kind == UB_VEC_ST || kind == UB_VEC_MR || kind == UB_VEC_GMR)
		v->b = cpu->v[form->reg & 15];
	else if (form->is_mem)
		memcpy(&v->b, memory + MEM_AT, ub_vec_mem_bytes(form->info, form->variant));
	else if (kind == UB_VEC_RMG || kind == UB_VEC_RVMG)
		v->b.q[0] = cpu->general;
	else
		v->b = cpu->v[form->rm & 15];
}

static void vector_out(const struct ub_vec_run *v, struct cpu *cpu, u8 dst)
{
	u32 keep = v->variant == UB_VEC_SSE ? 16 : v->len, len = v->variant == UB_VEC_256 ? 32 : 16;

	memcpy(&cpu->v[dst], &v->r, keep < len ? keep : len);
	if (v->variant == UB_VEC_128)
		memset(&cpu->v[dst].b[16], 0, 16);
}

static void results_out(const struct ub_vec_run *v, const struct form *form, struct cpu *cpu)
{
	cpu->mxcsr = v->mxcsr;
	switch (form->info->form) {
	case UB_VEC_ST:
	case UB_VEC_CSR:
		memcpy(memory + MEM_AT, &v->r, ub_vec_mem_bytes(form->info, form->variant));
		break;
	case UB_VEC_GRM:
	case UB_VEC_GMR:
		cpu->general = v->gpr;
		break;
	case UB_VEC_SRM:
		cpu->rcx = v->rcx;
		if (strchr(form->info->text, 'm') && form->info->text[strlen(form->info->text) - 1] == 'm')
			vector_out(v, cpu, 0);
		__attribute__((__fallthrough__));
	case UB_VEC_FRM:
		cpu->flags = (cpu->flags & ~(u64)UB_FL_ALL) | v->flags;
		break;
	case UB_VEC_VM:
		vector_out(v, cpu, form->variant == UB_VEC_SSE ? form->rm : form->vvvv);
		break;
	case UB_VEC_MR:
		vector_out(v, cpu, form->rm);
		break;
	default:
		vector_out(v, cpu, form->reg);
	}
}

static const char *difference(const struct cpu *cpu, const struct cpu *ours, const u8 *cpu_memory)
{
	if (memcmp(cpu->v, ours->v, sizeof(cpu->v)))
		return "vector registers";
	if (cpu->rax != ours->rax || cpu->rcx != ours->rcx || cpu->rdx != ours->rdx || cpu->general != ours->general)
		return "general registers";
	if ((u32)cpu->mxcsr != (u32)ours->mxcsr)
		return "mxcsr";
	if ((cpu->flags ^ ours->flags) & UB_FL_ALL)
		return "flags";
	return memcmp(cpu_memory, memory, MEM_LEN) ? "memory" : NULL;
}

static void complain(const struct form *form, const char *what, const struct cpu *before, const struct cpu *cpu,
		     const struct cpu *ours)
{
	static const struct ub_vec_info *last;
	u32 i;

	failed++;
	if (last == form->info)
		return;		/* one of a row is enough to see */
	last = form->info;
	printf("vec_cpu: %s%s.%u reg %u vvvv %u rm %u constant %u: %s\n", form->info->text, form->is_mem ? " mem" : "",
	       form->variant, form->reg, form->vvvv, form->rm, form->constant, what);
	printf("  mxcsr %x cpu %x ours %x, flags %x %x, general %llx -> %llx %llx rcx %llx %llx\n", (u32)before->mxcsr,
	       (u32)cpu->mxcsr, (u32)ours->mxcsr, (u32)cpu->flags & UB_FL_ALL, (u32)ours->flags & UB_FL_ALL,
	       (unsigned long long)before->general, (unsigned long long)cpu->general, (unsigned long long)ours->general,
	       (unsigned long long)cpu->rcx, (unsigned long long)ours->rcx);
	for (i = 0; i < 16; i++)
		if (memcmp(&cpu->v[i], &ours->v[i], 32))
			printf("  v%u was %016llx %016llx cpu %016llx %016llx ours %016llx %016llx\n", i,
			       (unsigned long long)before->v[i].q[1], (unsigned long long)before->v[i].q[0],
			       (unsigned long long)cpu->v[i].q[1], (unsigned long long)cpu->v[i].q[0],
			       (unsigned long long)ours->v[i].q[1], (unsigned long long)ours->v[i].q[0]);
}

static void try_form(const struct form *form, bool may_raise)
{
	struct cpu before, cpu, ours;
	u8 old_memory[MEM_LEN], cpu_memory[MEM_LEN];
	struct ub_vec_run v;
	const char *what;
	int sig;

	draw_state(&before, form, may_raise);
	memcpy(old_memory, memory, MEM_LEN);
	cpu = ours = before;
	sig = sigsetjmp(back, 1);
	if (!sig)
		vec_cpu_run(&cpu, code);
	memcpy(cpu_memory, memory, MEM_LEN);
	memcpy(memory, old_memory, MEM_LEN);
	operands_in(&v, form, &before);
	form->run(&v);
	if (sig || v.has_raised) {
		if (sig != SIGFPE || !v.has_raised)
			complain(form, sig ? "only the processor raised" : "only ours raised", &before, &cpu, &ours);
		else
			passed++;
		return;
	}
	results_out(&v, form, &ours);
	what = difference(&cpu, &ours, cpu_memory);
	if (what)
		complain(form, what, &before, &cpu, &ours);
	else
		passed++;
}

static bool is_general_rm(const struct form *form)
{
	u8 kind = form->info->form;

	return !form->is_mem && (kind == UB_VEC_RMG || kind == UB_VEC_RVMG || kind == UB_VEC_GMR);
}

/* A tiny part of a dot product raises what its sum does not show. */
static bool may_raise(const struct ub_vec_info *info)
{
	return info->flags & UB_VEC_RAISES && strncmp(info->text, "dp", 2);
}

static void try_row(u32 row, enum ub_vec_variant variant, bool is_mem)
{
	struct form form = { .info = &ub_vec_info[row], .run = runs[row], .variant = variant, .is_mem = is_mem };
	u32 i;

	for (i = 0; i < RUNS; i++) {
		if (i % 8 == 0) {
			form.reg = form.info->form == UB_VEC_GRM ? GENERAL : draw() & 15;
			form.vvvv = draw() & 15;
			form.rm = is_general_rm(&form) ? GENERAL : draw() & 15;
			form.constant = form.info->flags & UB_VEC_IMM ? draw() : 0;
			if (form.info->form == UB_VEC_RVMR)
				form.constant &= 0xf0;
			encode(&form);
		}
		try_form(&form, may_raise(form.info) && i % 4 == 3);
	}
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	u32 row, variant, features = cpu_features();

	if (!(features & UB_VEC_F_AVX)) {
		printf("vec_cpu: this processor has no AVX\n0 passed, 0 failed\n");
		return 0;
	}
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		return 1;
	sigaction(SIGFPE, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	for (row = 0; row < ub_vec_cnt; row++) {
		const struct ub_vec_info *info = &ub_vec_info[row];

		for (variant = 0; variant < UB_VEC_VARIANTS; variant++) {
			if (!(info->variants & 1 << variant) || info->form == UB_VEC_NONE)
				continue;
			if (ub_vec_features(info, variant) & ~features) {
				skipped++;
				continue;
			}
			if (ub_vec_reg_op(info) != UB_OP_COUNT)
				try_row(row, variant, false);
			if (ub_vec_mem_op(info) != UB_OP_COUNT)
				try_row(row, variant, true);
		}
	}
	if (skipped)
		printf("vec_cpu: %u rows need what this processor has not\n", skipped);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
