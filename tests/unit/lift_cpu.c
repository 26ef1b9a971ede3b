// SPDX-License-Identifier: GPL-2.0
/*
 * lift_cpu: does what the lifter makes do what the processor does?
 *
 * Instructions of each kind, alone and in short sequences, run on the bare processor and, lifted and verified, in the
 * interpreter, from the same random state.  Registers, memory, the defined flags and where the guest goes on must
 * agree; after a fault too, so this also shows that every exit is exact.
 */
#define _GNU_SOURCE
#include <Zydis/Zydis.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "../../ir/interp.h"
#include "../../lifter/lift.h"
#include "../../verifier/verify.h"

#define LIMIT		0x7ffffffff000ull
#define CPU_AT		0x10000000ull	/* as in the assembly below */
#define CODE_AT		0x10010000ull
#define BUF_AT		0x10020000ull
#define BUF_LEN		0x4000u
#define STACK_AT	(BUF_AT + 0x3000)	/* rsp, about */
#define EXITS		3
#define EXIT_AT(k)	(CODE_AT + 0x200 + 0x40 * (k))	/* the third is no hint and must be left to */
#define CALL_NR		39

#define VARIANTS	7	/* encodings for each form and width */
#define RUNS		30	/* states for each */
#define SEQUENCES	4000

/* The processor's state on the way in and out; its place is known to the assembly. */
struct cpu {
	u64 regs[UB_NGUEST];
	u64 flags;
	u64 host_rsp;
	u64 exit;
	u64 start;
	u64 leave;
};

static struct cpu *const cpu = (struct cpu *)CPU_AT;
static u8 *const buf = (u8 *)BUF_AT;

void lift_cpu_enter(void);
extern const u8 lift_cpu_leave[];

asm(".text\n"
    "lift_cpu_enter:\n"
    "	push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "	mov %rsp, 0x10000088\n"
    "	pushq 0x10000080\n popfq\n"
    "	mov 0x10000000, %rax\n mov 0x10000008, %rcx\n mov 0x10000010, %rdx\n mov 0x10000018, %rbx\n"
    "	mov 0x10000020, %rsp\n mov 0x10000028, %rbp\n mov 0x10000030, %rsi\n mov 0x10000038, %rdi\n"
    "	mov 0x10000040, %r8\n mov 0x10000048, %r9\n mov 0x10000050, %r10\n mov 0x10000058, %r11\n"
    "	mov 0x10000060, %r12\n mov 0x10000068, %r13\n mov 0x10000070, %r14\n mov 0x10000078, %r15\n"
    "	jmp *0x10000098\n"
    "lift_cpu_leave:\n"
    "	mov %rax, 0x10000000\n mov %rcx, 0x10000008\n mov %rdx, 0x10000010\n mov %rbx, 0x10000018\n"
    "	mov %rsp, 0x10000020\n mov %rbp, 0x10000028\n mov %rsi, 0x10000030\n mov %rdi, 0x10000038\n"
    "	mov %r8, 0x10000040\n mov %r9, 0x10000048\n mov %r10, 0x10000050\n mov %r11, 0x10000058\n"
    "	mov %r12, 0x10000060\n mov %r13, 0x10000068\n mov %r14, 0x10000070\n mov %r15, 0x10000078\n"
    "	mov 0x10000088, %rsp\n"
    "	pushfq\n popq 0x10000080\n cld\n"
    "	pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
    "	ret\n");

/* A memory operand whose registers random_state() must make sense of. */
struct mem {
	s32 base, index;	/* -1: none */
	u32 scale;
	s64 disp;
	bool is_fs;
};

struct program {
	u8 bytes[128];
	u32 len;
	struct mem mems[8];
	u32 mem_cnt;
	u32 undefined;		/* flags not to compare behind it */
	bool is_branch;		/* operands and stack hold code addresses */
	bool is_rep;
	bool is_locked;
	char text[400];
};

static u32 passed, failed, complaints;
static u64 comparisons, faults, strays, splits;
static u64 seed = 88172645463325252ull, fs_base;
static u8 *code, view[0x400];
static sigjmp_buf on_fault;
static u64 fault_ip;
static bool has_missed;			/* memory was asked for and is not there */
static bool has_strayed;		/* to an address where the processor might find something */
static ZydisDecoder decoder;
static ZydisFormatter formatter;

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
	static const u64 corners[] = { 0, 1, 2, 3, 0xf, 0x10, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x100000000, INT64_MAX, 1ull << 63, -1ull, -2ull, -128ull, -0x80000000ll };

	switch (pick(4)) {
	case 0:
		return corners[pick(ARRAY_SIZE(corners))];
	case 1:
		return corners[pick(ARRAY_SIZE(corners))] ^ (rng() & 0xff);
	case 2:
		return rng() >> pick(64);
	default:
		return rng();
	}
}

/* --- making instructions --- */

struct row {
	u16 mnemonic;
	const char *forms;	/* operands by letter, see operand(); forms apart by blanks */
	u8 widths;		/* bit w: UB_W* */
	u8 src;			/* width of R and M */
};

#define ALL	0xf
#define NOT_8	0xe
#define WIDE	0xc
#define M(name) ZYDIS_MNEMONIC_##name

static const struct row rows[] = {
	{ M(ADD), "rr rm mr ri mi", ALL, 0 }, { M(SUB), "rr rm mr ri mi", ALL, 0 }, { M(AND), "rr rm mr ri mi", ALL, 0 },
	{ M(OR), "rr rm mr ri mi", ALL, 0 }, { M(XOR), "rr rm mr ri mi", ALL, 0 }, { M(ADC), "rr rm mr ri mi", ALL, 0 },
	{ M(SBB), "rr rm mr ri mi", ALL, 0 }, { M(CMP), "rr rm mr ri mi", ALL, 0 }, { M(TEST), "rr mr ri mi", ALL, 0 },
	{ M(ADD), "hi hx xh mh", 1, 0 }, { M(CMP), "hi hx xh mh hm", 1, 0 }, { M(TEST), "hi hx mh", 1, 0 },
	{ M(NEG), "r m", ALL, 0 }, { M(NOT), "r m", ALL, 0 }, { M(INC), "r m", ALL, 0 }, { M(DEC), "r m", ALL, 0 },
	{ M(XOR), "ee", WIDE, 0 }, { M(SUB), "ee", WIDE, 0 },
	{ M(SHL), "rs ms rc mc r1 m1", ALL, 0 }, { M(SHR), "rs ms rc mc r1 m1", ALL, 0 },
	{ M(SAR), "rs ms rc mc r1 m1", ALL, 0 }, { M(ROL), "rs ms rc mc r1", ALL, 0 },
	{ M(ROR), "rs ms rc mc r1", ALL, 0 }, { M(SHL), "rz mz", ALL, 0 }, { M(ROR), "rz mz", ALL, 0 },
	{ M(IMUL), "rr rm rri rmi", NOT_8, 0 }, { M(IMUL), "r m", WIDE, 0 }, { M(MUL), "r m", WIDE, 0 },
	{ M(DIV), "r m", WIDE, 0 }, { M(IDIV), "r m", WIDE, 0 },
	{ M(MOV), "rr rm mr ri mi", ALL, 0 }, { M(MOV), "rq", 8, 0 }, { M(MOV), "hi hx xh mh hm", 1, 0 },
	{ M(LEA), "ra", WIDE, 0 },
	{ M(MOVZX), "rR rM", NOT_8, UB_W8 }, { M(MOVZX), "rR rM", WIDE, UB_W16 }, { M(MOVZX), "yH", WIDE, UB_W8 },
	{ M(MOVSX), "rR rM", NOT_8, UB_W8 }, { M(MOVSX), "rR rM", WIDE, UB_W16 }, { M(MOVSX), "yH", 4, UB_W8 },
	{ M(MOVSXD), "rR rM", 8, UB_W32 },
	{ M(CBW), "", 1, 0 }, { M(CWDE), "", 1, 0 }, { M(CDQE), "", 1, 0 },
	{ M(CWD), "", 1, 0 }, { M(CDQ), "", 1, 0 }, { M(CQO), "", 1, 0 },
	{ M(XCHG), "rr", ALL, 0 }, { M(BSWAP), "r", WIDE, 0 },
	{ M(PUSH), "r m i", 8, 0 }, { M(POP), "r m", 8, 0 }, { M(LEAVE), "", 8, 0 },
	{ M(NOP), "", 1, 0 }, { M(NOP), "m", 6, 0 }, { M(PAUSE), "", 1, 0 }, { M(CLD), "", 1, 0 },
	{ M(ENDBR64), "", 1, 0 }, { M(PREFETCHT0), "M", 1, UB_W8 },
	{ M(SETO), "r m", 1, 0 }, { M(SETNO), "r m h", 1, 0 }, { M(SETB), "r m h", 1, 0 }, { M(SETNB), "r m", 1, 0 },
	{ M(SETZ), "r m h", 1, 0 }, { M(SETNZ), "r m", 1, 0 }, { M(SETBE), "r m", 1, 0 }, { M(SETNBE), "r m", 1, 0 },
	{ M(SETS), "r m", 1, 0 }, { M(SETNS), "r m", 1, 0 }, { M(SETP), "r m", 1, 0 }, { M(SETNP), "r m", 1, 0 },
	{ M(SETL), "r m", 1, 0 }, { M(SETNL), "r m", 1, 0 }, { M(SETLE), "r m", 1, 0 }, { M(SETNLE), "r m", 1, 0 },
	{ M(CMOVO), "rr rm", NOT_8, 0 }, { M(CMOVNO), "rr rm", NOT_8, 0 }, { M(CMOVB), "rr rm", NOT_8, 0 },
	{ M(CMOVNB), "rr rm", NOT_8, 0 }, { M(CMOVZ), "rr rm", NOT_8, 0 }, { M(CMOVNZ), "rr rm", NOT_8, 0 },
	{ M(CMOVBE), "rr rm", NOT_8, 0 }, { M(CMOVNBE), "rr rm", NOT_8, 0 }, { M(CMOVS), "rr rm", NOT_8, 0 },
	{ M(CMOVNS), "rr rm", NOT_8, 0 }, { M(CMOVP), "rr rm", NOT_8, 0 }, { M(CMOVNP), "rr rm", NOT_8, 0 },
	{ M(CMOVL), "rr rm", NOT_8, 0 }, { M(CMOVNL), "rr rm", NOT_8, 0 }, { M(CMOVLE), "rr rm", NOT_8, 0 },
	{ M(CMOVNLE), "rr rm", NOT_8, 0 },
	{ M(STOSB), "", 1, 0 }, { M(STOSW), "", 1, 0 }, { M(STOSD), "", 1, 0 }, { M(STOSQ), "", 1, 0 },
	{ M(MOVSB), "", 1, 0 }, { M(MOVSW), "", 1, 0 }, { M(MOVSD), "", 1, 0 }, { M(MOVSQ), "", 1, 0 },
	{ M(LODSB), "", 1, 0 }, { M(LODSW), "", 1, 0 }, { M(LODSD), "", 1, 0 }, { M(LODSQ), "", 1, 0 },
};

/* Branches: none of them goes into a sequence. */
static const struct row branches[] = {
	{ M(JO), "j", 8, 0 }, { M(JNO), "j", 8, 0 }, { M(JB), "j", 8, 0 }, { M(JNB), "j", 8, 0 }, { M(JZ), "j", 8, 0 },
	{ M(JNZ), "j", 8, 0 }, { M(JBE), "j", 8, 0 }, { M(JNBE), "j", 8, 0 }, { M(JS), "j", 8, 0 },
	{ M(JNS), "j", 8, 0 }, { M(JP), "j", 8, 0 }, { M(JNP), "j", 8, 0 }, { M(JL), "j", 8, 0 }, { M(JNL), "j", 8, 0 },
	{ M(JLE), "j", 8, 0 }, { M(JNLE), "j", 8, 0 },
	{ M(JMP), "j r m", 8, 0 }, { M(CALL), "j r m", 8, 0 }, { M(RET), "", 8, 0 }, { M(RET), "p", 8, 0 },
};

static ZydisRegister reg_of(u8 width, u32 reg)
{
	static const ZydisRegisterClass classes[] = { ZYDIS_REGCLASS_GPR8, ZYDIS_REGCLASS_GPR16, ZYDIS_REGCLASS_GPR32,
						      ZYDIS_REGCLASS_GPR64 };

	return ZydisRegisterEncode(classes[width], width == UB_W8 && reg >= 4 ? reg + 4 : reg);
}

static struct mem random_mem(u32 bytes)
{
	static const u8 bases[] = { UB_RBX, UB_RBP, UB_RSI, UB_RDI, UB_R12, UB_R13, UB_R14, UB_RDX, UB_RSP, UB_RSP };
	static const u8 indexes[] = { UB_RCX, UB_RAX, UB_R8, UB_R15 };
	struct mem mem = { .base = bases[pick(ARRAY_SIZE(bases))], .index = -1, .scale = 1 };

	mem.disp = pick(3) ? (s32)pick(256) - 128 : pick(2) ? 0 : (s32)pick(4096) - 2048;
	switch (pick(10)) {
	case 0: case 1: case 2:
		mem.index = indexes[pick(ARRAY_SIZE(indexes))];
		mem.scale = 1 << pick(4);
		break;
	case 3:
		mem.base = -1;		/* absolute or, at Zydis' choice, relative */
		mem.disp = BUF_AT + pick(BUF_LEN - bytes);
		break;
	case 4:
		mem.is_fs = true;
		mem.base = UB_RBX;
		if (pick(2)) {
			mem.index = UB_RCX;
			mem.scale = 1 << pick(4);
		}
		break;
	}
	return mem;
}

static void put_mem(struct program *program, ZydisEncoderRequest *request, ZydisEncoderOperand *to, u32 bytes)
{
	struct mem mem = random_mem(bytes);

	to->type = ZYDIS_OPERAND_TYPE_MEMORY;
	to->mem.size = bytes;
	to->mem.base = mem.base < 0 ? (pick(2) ? ZYDIS_REGISTER_RIP : ZYDIS_REGISTER_NONE) : reg_of(UB_W64, mem.base);
	to->mem.index = mem.index < 0 ? ZYDIS_REGISTER_NONE : reg_of(UB_W64, mem.index);
	to->mem.scale = mem.index < 0 ? 0 : mem.scale;
	to->mem.displacement = mem.disp;
	if (mem.is_fs)
		request->prefixes |= ZYDIS_ATTRIB_HAS_SEGMENT_FS;
	if (program->mem_cnt < ARRAY_SIZE(program->mems))
		program->mems[program->mem_cnt++] = mem;
}

static void put_reg(ZydisEncoderOperand *to, ZydisRegister reg)
{
	to->type = ZYDIS_OPERAND_TYPE_REGISTER;
	to->reg.value = reg;
}

static void put_imm(ZydisEncoderOperand *to, s64 imm)
{
	to->type = ZYDIS_OPERAND_TYPE_IMMEDIATE;
	to->imm.s = imm;
}

/* Registers that hold values more often than pointers. */
static u32 random_reg(void)
{
	static const u8 values[] = { UB_RAX, UB_RCX, UB_RDX, UB_R8, UB_R9, UB_R10, UB_R11, UB_R15 };

	return pick(4) ? values[pick(ARRAY_SIZE(values))] : pick(UB_NGUEST);
}

static s64 random_imm(u8 width)
{
	u64 val = random_value();

	return width == UB_W8 ? (s64)(s8)val : width == UB_W16 ? (s64)(s16)val : (s64)(s32)val;
}

static void operand(struct program *program, ZydisEncoderRequest *request, char form, u8 width, u8 src)
{
	ZydisEncoderOperand *to = &request->operands[request->operand_count++];

	switch (form) {
	case 'r': put_reg(to, reg_of(width, random_reg())); break;
	case 'x': put_reg(to, reg_of(width, pick(4))); break;		/* needs no REX prefix */
	case 'y': put_reg(to, reg_of(width == UB_W64 ? UB_W32 : width, pick(4))); break;
	case 'e': put_reg(to, reg_of(width, request->operand_count == 1 ? random_reg() : 0));
		  if (request->operand_count == 2)
			  to->reg = request->operands[0].reg;		/* the same again */
		  break;
	case 'h': case 'H': put_reg(to, ZYDIS_REGISTER_AH + pick(4)); break;
	case 'R': put_reg(to, reg_of(src, random_reg())); break;
	case 'm': put_mem(program, request, to, UB_WIDTH_BYTES(width)); break;
	case 'M': put_mem(program, request, to, UB_WIDTH_BYTES(src)); break;
	case 'a': put_mem(program, request, to, UB_WIDTH_BYTES(width)); break;
	case 'i': put_imm(to, random_imm(width)); break;
	case 'q': put_imm(to, random_value()); break;
	case 'c': put_reg(to, ZYDIS_REGISTER_CL); break;
	case '1': put_imm(to, 1); break;
	case 's': put_imm(to, 1 + pick(UB_WIDTH_BITS(width) - 1)); break;
	case 'z': put_imm(to, width == UB_W64 ? 64 : 32 * pick(2)); break;
	case 'j': put_imm(to, EXIT_AT(1)); break;
	case 'p': put_imm(to, 8 * pick(4)); break;
	}
}

static u32 flags_of(u32 zydis)
{
	return zydis & UB_FL_ALL;	/* Zydis has them where EFLAGS has them */
}

/* As the SDM, which says more than a table: by the count. */
static u32 undefined_flags(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands)
{
	bool has_imm = insn->operand_count_visible > 1 && operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
	u32 cnt = has_imm ? operands[1].imm.value.u & (operands[0].size == 64 ? 63 : 31) : 99;

	switch (insn->mnemonic) {
	case M(ROL): case M(ROR):
		return cnt <= 1 ? 0 : UB_FL_OF;
	case M(SHL): case M(SHR): case M(SAR):
		if (!cnt)
			return 0;
		return UB_FL_AF | (cnt == 1 ? 0 : UB_FL_OF) | (cnt == 99 && operands[0].size < 32 ? UB_FL_CF : 0);
	default:
		return insn->cpu_flags ? flags_of(insn->cpu_flags->undefined) : 0;
	}
}

/* Does the instruction read a flag that no one has defined? */
static bool note_flags(struct program *program, const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands)
{
	u32 undefined = undefined_flags(insn, operands), written = 0;

	if (!insn->cpu_flags)
		return false;
	if (flags_of(insn->cpu_flags->tested) & program->undefined)
		return true;
	if (insn->mnemonic != M(SHL) && insn->mnemonic != M(SHR) && insn->mnemonic != M(SAR) &&
	    insn->mnemonic != M(ROL) && insn->mnemonic != M(ROR))
		written = flags_of(insn->cpu_flags->modified | insn->cpu_flags->set_0 | insn->cpu_flags->set_1);
	program->undefined = (program->undefined & ~written) | undefined;
	return false;
}

static void describe(struct program *program, const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands)
{
	u32 used = strlen(program->text);

	if (used)
		used += snprintf(program->text + used, sizeof(program->text) - used, "; ");
	ZydisFormatterFormatInstruction(&formatter, insn, operands, insn->operand_count_visible, program->text + used,
					sizeof(program->text) - used, CODE_AT + program->len, NULL);
}

/* Behind what is there; its length, or 0 if there is no such instruction. */
static u32 encode(struct program *program, ZydisEncoderRequest *request, ZydisDecodedInstruction *insn,
		  ZydisDecodedOperand *operands)
{
	u8 *to = program->bytes + program->len;
	ZyanUSize len = sizeof(program->bytes) - program->len;

	if (!ZYAN_SUCCESS(ZydisEncoderEncodeInstructionAbsolute(request, to, &len, CODE_AT + program->len)) ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, to, len, insn, operands)))
		return 0;
	return len;
}

/* Appends one random instruction of @row; false if there is none like that. */
static bool append(struct program *program, const struct row *row, const char *form, u8 width)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction insn;
	ZydisEncoderRequest request = { .machine_mode = ZYDIS_MACHINE_MODE_LONG_64, .mnemonic = row->mnemonic };
	struct program old = *program;
	ZyanUSize len;
	bool is_string = row->mnemonic == M(STOSB) || row->mnemonic == M(STOSD) || row->mnemonic == M(STOSQ) ||
			 row->mnemonic == M(STOSW) || row->mnemonic == M(MOVSB) || row->mnemonic == M(MOVSD) ||
			 row->mnemonic == M(MOVSQ) || row->mnemonic == M(MOVSW);

	for (; *form && *form != ' '; form++)
		operand(program, &request, *form, width, row->src);
	if (is_string && pick(2)) {
		request.prefixes |= ZYDIS_ATTRIB_HAS_REP;
		program->is_rep = true;
	}
	len = encode(program, &request, &insn, operands);
	if (len && insn.attributes & ZYDIS_ATTRIB_ACCEPTS_LOCK && !pick(3)) {
		request.prefixes |= ZYDIS_ATTRIB_HAS_LOCK;
		len = encode(program, &request, &insn, operands);
		program->is_locked = true;
	}
	if (!len || insn.address_width != 64 || note_flags(program, &insn, operands)) {
		*program = old;
		return false;
	}
	describe(program, &insn, operands);
	program->len += len;
	return true;
}

/* --- running them --- */

static void on_signal(int sig, siginfo_t *info, void *context)
{
	static const int numbers[] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8,
				       REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
	const greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
	u32 i;

	(void)sig;
	(void)info;
	for (i = 0; i < UB_NGUEST; i++)
		cpu->regs[i] = gregs[numbers[i]];
	cpu->flags = gregs[REG_EFL];
	fault_ip = gregs[REG_RIP];
	siglongjmp(on_fault, 1);
}

/* The bare processor; where the guest goes on. */
static u64 run_cpu(void)
{
	cpu->start = CODE_AT;
	cpu->leave = (u64)lift_cpu_leave;
	if (sigsetjmp(on_fault, 0)) {
		faults++;
		return fault_ip;
	}
	lift_cpu_enter();
	return EXIT_AT(cpu->exit);
}

/* movl $k, cpu->exit; jmp *cpu->leave */
static void put_exit(u32 k)
{
	const u8 bytes[] = { 0xc7, 0x04, 0x25, 0x90, 0x00, 0x00, 0x10, k, 0, 0, 0, 0xff, 0x24, 0x25, 0xa0, 0x00, 0x00,
			     0x10 };

	memcpy(code + EXIT_AT(k) - CODE_AT, bytes, sizeof(bytes));
	memcpy(view + EXIT_AT(k) - CODE_AT, k < 2 ? "\x0f\x05" : "\x0f\x0b", 2);
}

/* The lifter sees the same code, but a system call where the processor leaves. */
static void put_program(const struct program *program)
{
	s32 to = EXIT_AT(0) - (CODE_AT + program->len + 5);
	u32 k;

	memset(view, 0xcc, sizeof(view));
	memcpy(view, program->bytes, program->len);
	view[program->len] = 0xe9;
	memcpy(view + program->len + 1, &to, 4);
	memcpy(code, view, sizeof(view));
	for (k = 0; k < EXITS; k++)
		put_exit(k);
}

static u32 read_code(void *ctx, u64 ip, u8 *to, u32 len)
{
	(void)ctx;
	if (ip < CODE_AT || ip >= CODE_AT + sizeof(view))
		return 0;
	if (len > CODE_AT + sizeof(view) - ip)
		len = CODE_AT + sizeof(view) - ip;
	memcpy(to, view + (ip - CODE_AT), len);
	return len;
}

static bool may_dispatch(void *ctx, u64 nr)
{
	(void)ctx;
	return nr == CALL_NR;
}

static bool is_buf(u64 addr, u32 len)
{
	return addr >= BUF_AT && addr <= BUF_AT + BUF_LEN - len;
}

static bool is_unmapped(u64 addr)
{
	return addr >= LIMIT || addr < 0x10000 || (addr >= BUF_AT - 0x8000 && addr < BUF_AT + 0x10000);
}

static bool load(void *ctx, u64 addr, u32 len, u64 *ret)
{
	(void)ctx;
	*ret = 0;
	if (!is_buf(addr, len)) {
		has_missed = true;
		has_strayed |= !is_unmapped(addr);
		return false;
	}
	memcpy(ret, (void *)addr, len);
	return true;
}

static bool store(void *ctx, u64 addr, u32 len, u64 val)
{
	(void)ctx;
	if (!is_buf(addr, len)) {
		has_missed = true;
		has_strayed |= !is_unmapped(addr);
		return false;
	}
	memcpy((void *)addr, &val, len);
	return true;
}

static bool leave_at_syscall(void *ctx, u64 regs[UB_NGUEST])
{
	(void)ctx;
	(void)regs;
	return false;
}

/* Gives the registers of a memory operand values that make it point into the buffer. */
static void aim(u64 *regs, const struct mem *mem, bool is_aligned)
{
	u64 to = BUF_AT + 0x800 + (pick(0x1000) & (is_aligned && pick(30) ? ~15u : ~0u));
	u64 at = to - mem->disp - (mem->is_fs ? fs_base : 0);

	if (mem->index >= 0)
		regs[mem->index] = pick(4) ? pick(64) : rng();
	if (mem->base >= 0 && mem->base != mem->index)
		regs[mem->base] = mem->index < 0 ? at : at - regs[mem->index] * mem->scale;
	if (!pick(200) && mem->base >= 0)
		regs[mem->base] = pick(2) ? 0x8000000000000000ull | rng() : rng() & 0xffff;
}

static u64 random_target(void)
{
	return pick(8) ? EXIT_AT(pick(EXITS)) : rng();
}

static void random_state(const struct program *program)
{
	u32 i;

	for (i = 0; i < UB_NGUEST; i++)
		cpu->regs[i] = program->is_branch ? random_target() : random_value();
	cpu->flags = 0x202 | (rng() & UB_FL_ALL);
	cpu->regs[UB_RSI] = BUF_AT + 0x400 + pick(0x800);
	cpu->regs[UB_RDI] = BUF_AT + 0x400 + pick(0x800);
	cpu->regs[UB_RBP] = BUF_AT + 0x1000 + pick(0x800);
	if (program->is_rep)
		cpu->regs[UB_RCX] = pick(40);
	cpu->regs[UB_RSP] = STACK_AT + 8 * pick(64);
	for (i = 0; i < program->mem_cnt; i++)
		aim(cpu->regs, &program->mems[i], program->is_locked);
	if (!pick(100))
		cpu->regs[UB_RSP] = rng();
	for (i = 0; i < BUF_LEN / 8; i++)
		((u64 *)buf)[i] = program->is_branch ? random_target() : rng();
}

static void complain(const struct program *program, const char *what, u64 a, u64 b)
{
	if (complaints++ < 20)
		printf("lift_cpu: %s: %s: %llx, the processor has %llx\n", program->text, what, (unsigned long long)a,
		       (unsigned long long)b);
}

static bool is_exit(u64 ip)
{
	return ip == EXIT_AT(0) || ip == EXIT_AT(1) || ip == EXIT_AT(2);
}

/* One state through both, the interpreter first, lest the processor write over us; true if they agree. */
static bool run_once(const struct program *program, const struct ub_block *block)
{
	static const struct ub_interp_world world = { .load = load, .store = store, .syscall = leave_at_syscall,
						      .limit = LIMIT, .max_steps = 10000 };
	static u8 before[BUF_LEN], after[BUF_LEN];
	struct ub_interp_world here = world;
	struct ub_interp state = { 0 };
	enum ub_left left;
	u64 native;
	u32 i;

	random_state(program);
	here.fs_base = fs_base;
	memcpy(state.regs, cpu->regs, sizeof(cpu->regs));
	state.flags = cpu->flags & UB_FL_ALL;
	memcpy(before, buf, BUF_LEN);
	has_strayed = has_missed = false;
	left = ub_interp_run(block, &here, block->entries[0].insn_idx, &state);
	memcpy(after, buf, BUF_LEN);
	memcpy(buf, before, BUF_LEN);
	comparisons++;
	strays += has_strayed;
	if (has_strayed || (program->is_branch && !is_exit(state.ip)))
		return true;
	/* A locked operand that crosses a cache line is not for us. */
	if (left == UB_LEFT_FAULT && program->is_locked && !has_missed) {
		splits++;
		return true;
	}
	native = run_cpu();
	if (state.ip != native) {
		complain(program, "goes on at", state.ip, native);
		return false;
	}
	for (i = 0; i < UB_NGUEST; i++) {
		if (state.regs[i] != cpu->regs[i]) {
			complain(program, ub_reg_name(i), state.regs[i], cpu->regs[i]);
			return false;
		}
	}
	if (left != UB_LEFT_FAULT && (state.flags ^ cpu->flags) & UB_FL_ALL & ~program->undefined) {
		complain(program, "flags", state.flags, cpu->flags & UB_FL_ALL);
		return false;
	}
	if (memcmp(buf, after, BUF_LEN)) {
		complain(program, "memory", 0, 0);
		return false;
	}
	return true;
}

static struct ub_lifted *lift(const struct program *program)
{
	static const u64 entry = CODE_AT;
	struct ub_lift_hint hints[] = {
		{ EXIT_AT(0), CALL_NR }, { EXIT_AT(1), CALL_NR }, { CODE_AT, EXIT_AT(0) }, { CODE_AT, EXIT_AT(1) },
	};
	struct ub_lift_request request = {
		.read_code = read_code, .roots = &entry, .root_cnt = 1, .entries = &entry, .entry_cnt = 1,
		.hints = hints, .hint_cnt = ARRAY_SIZE(hints), .may_dispatch = may_dispatch,
	};
	struct ub_lifted *lifted = NULL;

	put_program(program);
	return ub_lift(&request, &lifted) ? NULL : lifted;
}

static bool is_verified(const struct program *program, const struct ub_block *block)
{
	struct ub_verify_env env = { .limit = LIMIT };
	struct ub_verified *verified;
	char text[400];
	struct ub_log log = { .buf = text, .size = sizeof(text) };
	bool is_good = !ub_verify(block, &env, &log, &verified);

	if (is_good)
		ub_verified_free(verified);
	else if (complaints++ < 20)
		printf("lift_cpu: %s: %s\n", program->text, text);
	return is_good;
}

static void test(const struct program *program, u32 runs)
{
	struct ub_lifted *lifted = lift(program);
	bool is_good = lifted != NULL;
	u32 i;

	if (!lifted)
		complain(program, "is not lifted", 0, 0);
	else
		is_good = is_verified(program, &lifted->block);
	for (i = 0; i < runs && is_good; i++)
		is_good = run_once(program, &lifted->block);
	ub_lifted_free(lifted);
	passed += is_good;
	failed += !is_good;
}

static const char *next_form(const char *form)
{
	form = strchr(form, ' ');
	return form ? form + 1 : NULL;
}

static void test_row(const struct row *row, bool is_branch)
{
	const char *form;
	u32 width, i;

	for (form = row->forms; form; form = next_form(form)) {
		for (width = 0; width < 4; width++) {
			for (i = 0; row->widths & 1u << width && i < VARIANTS; i++) {
				struct program program = { .is_branch = is_branch };

				if (append(&program, row, form, width))
					test(&program, RUNS);
			}
		}
	}
}

static void append_random(struct program *program)
{
	const struct row *row = &rows[pick(ARRAY_SIZE(rows))];
	const char *form = row->forms, *next;
	u32 width = pick(4);

	while ((next = next_form(form)) && pick(2))
		form = next;
	if (row->widths & 1u << width)
		append(program, row, form, width);
}

/* Short programs: what one instruction has guarded, the next may use. */
static void test_sequences(void)
{
	u32 i, k, cnt;

	for (i = 0; i < SEQUENCES; i++) {
		struct program program = { 0 };

		cnt = 2 + pick(7);
		for (k = 0; k < 40 && cnt; k++) {
			u32 len = program.len;

			if (len < 100)
				append_random(&program);
			cnt -= program.len != len;
		}
		test(&program, RUNS);
	}
}

/* What the lifter must not lift. */
static void test_ends(void)
{
	static const char codes[][5] = {
		"\x48\x87\x03", "\x65\x48\x8b\x03", "\x67\x48\x8b\x03", "\xf2\xa4", "\x66\x50",
		"\xf6\xf3", "\xc0\xe0\x09", "\xc0\xc0\x08", "\x0f\xa2", "\xf3\xad", "\x66\x0f\xef\xc0", "\xf3\x0f\x10\x03",
		"\x48\x0f\xa3\xc8", "\xfd", "\xf9", "\x66\xc3", "\xd8\x03", "\x0f\x0b", "\x48\xcf", "\x66\x0f\xc8",
		"\x86\xe0", "\x64\xf3\xa4", "\xc8\x10\x00\x00", "\x9c", "\x9d", "\x0f\xc7\x0b",
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		struct program program = { .len = 4 };
		struct ub_lifted *lifted;

		memset(program.bytes, 0x90, sizeof(program.bytes));
		memcpy(program.bytes, codes[i], 4);
		lifted = lift(&program);
		if (lifted)
			printf("lift_cpu: lifted what must end the block: %02x %02x %02x\n", (u8)codes[i][0],
			       (u8)codes[i][1], (u8)codes[i][2]);
		passed += !lifted;
		failed += !!lifted;
		ub_lifted_free(lifted);
	}
}

static bool map_at(u64 addr, u32 len, int prot)
{
	return mmap((void *)addr, len, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)addr;
}

static bool set_up(void)
{
	static u8 signal_stack[65536];
	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
	struct sigaction act = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };

	code = (u8 *)CODE_AT;
	return map_at(CPU_AT, 4096, PROT_READ | PROT_WRITE) && map_at(BUF_AT, BUF_LEN, PROT_READ | PROT_WRITE) &&
	       map_at(CODE_AT, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) && !sigaltstack(&stack, NULL) &&
	       !sigaction(SIGSEGV, &act, NULL) && !sigaction(SIGFPE, &act, NULL) && !sigaction(SIGBUS, &act, NULL) &&
	       !sigaction(SIGILL, &act, NULL) && !sigaction(SIGTRAP, &act, NULL) &&
	       !syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &fs_base) &&
	       ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) &&
	       ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL));
}

int main(void)
{
	u32 i;

	if (!set_up()) {
		perror("lift_cpu");
		return 1;
	}
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		test_row(&rows[i], false);
	for (i = 0; i < ARRAY_SIZE(branches); i++)
		test_row(&branches[i], true);
	test_sequences();
	test_ends();
	printf("lift_cpu: %llu comparisons, %llu of them after a fault, %llu strays, %llu split locks\n",
	       (unsigned long long)comparisons, (unsigned long long)faults, (unsigned long long)strays,
	       (unsigned long long)splits);
	failed += splits > comparisons / 50;
	failed += strays > comparisons / 30;
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
