// SPDX-License-Identifier: GPL-2.0
/*
 * image_decode: is the checker's decoder right?  Zydis judges it: what it accepts Zydis reads as one instruction of the same
 * length, with the same memory operand, of no more bytes than the checker takes it for, that reads and writes no register,
 * flag, segment or machine state that the checker does not know of.
 *
 * Every opcode of every map is tried with every mandatory prefix, with and without VEX, with many operands; then random bytes.
 *
 * usage: image_decode [ROUNDS [SEED]]
 */
#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../verifier/image_env.h"

static ZydisDecoder decoder;
static u32 accepted, refused, failed;
static u64 state;

static u32 random32(void)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return state >> 33;
}

static void complain(const u8 *code, u32 len, const char *what)
{
	u32 i;

	fprintf(stderr, "%s:", what);
	for (i = 0; i < len; i++)
		fprintf(stderr, " %02x", code[i]);
	fprintf(stderr, "\n");
	failed++;
}

static u8 number(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_NONE ? UB_NOREG : ZydisRegisterGetId(reg);
}

/* The one memory operand of its own. */
static bool is_same_memory(const struct im_insn *insn, const ZydisDecodedOperand *op)
{
	u8 index = number(op->mem.index), scale = 0;

	while (index != UB_NOREG && 1u << scale < op->mem.scale)
		scale++;
	if (!insn->is_mem || number(op->mem.base) != insn->rm || index != insn->index || op->mem.disp.value != insn->disp)
		return false;
	if (index != UB_NOREG && scale != insn->scale)
		return false;
	return insn->form == IM_LEA || insn->form == IM_NOP || op->size / 8 <= insn->bytes;
}

/* Bit per general register that the checker says may be read, or may change: the low or the high half of its operands. */
static u32 registers(const struct im_insn *insn, u32 uses)
{
	const u8 regs[] = { insn->rm, insn->reg, insn->vvvv, IM_RAX, IM_RCX, IM_RDX, IM_RBX };
	u32 mask = 0, i;

	if (insn->form == IM_STRING)
		return 1u << IM_RAX | 1u << IM_RCX | 1u << IM_RSI | 1u << IM_RDI;
	for (i = 0; i < ARRAY_SIZE(regs); i++)
		if (uses & 1u << i && (i || !insn->is_mem))
			mask |= 1u << regs[i];
	return mask;
}

static bool is_known_state(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_RFLAGS || reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_MXCSR ||
	       reg == ZYDIS_REGISTER_RSP;
}

static const char *check_register(const struct im_insn *insn, const ZydisDecodedOperand *op)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(op->reg.value);
	bool is_write = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE, is_read = op->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
	u8 id = ZydisRegisterGetId(op->reg.value);

	switch (class) {
	case ZYDIS_REGCLASS_GPR8: case ZYDIS_REGCLASS_GPR16: case ZYDIS_REGCLASS_GPR32: case ZYDIS_REGCLASS_GPR64:
		if (op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && op->reg.value == ZYDIS_REGISTER_RSP)
			return insn->form == IM_CALL || (insn->form >= IM_PUSHF && insn->form <= IM_POP) ?
			       NULL : "it moves rsp";
		if (op->reg.value >= ZYDIS_REGISTER_AH && op->reg.value <= ZYDIS_REGISTER_BH)
			return op->reg.value == ZYDIS_REGISTER_AH && (insn->form == IM_MOV_AH || insn->form == IM_SAHF ||
				insn->form == IM_LAHF ||
				insn->opcode == 0xf6) ? NULL : "a high byte";
		if (class == ZYDIS_REGCLASS_GPR8 && id >= 8)
			id -= 4;	/* ah..bh are counted between bl and spl */
		if (is_write && !(registers(insn, insn->uses >> 8) >> id & 1))
			return "it writes a register that the checker does not know of";
		/* What a long nop names it does not look at. */
		return !is_read || insn->form == IM_NOP || registers(insn, insn->uses & 0xff) >> id & 1 ? NULL : "it reads a register, likewise";
	case ZYDIS_REGCLASS_XMM: case ZYDIS_REGCLASS_YMM:
		return NULL;
	case ZYDIS_REGCLASS_FLAGS: case ZYDIS_REGCLASS_IP:
		return NULL;
	default:
		return is_known_state(op->reg.value) && !(is_write && op->reg.value == ZYDIS_REGISTER_MXCSR) ? NULL :
		       insn->features & IM_VECTORS && op->reg.value == ZYDIS_REGISTER_MXCSR ? NULL : "a register of another class";
	}
}

static const char *check_operands(const struct im_insn *insn, const ZydisDecodedInstruction *ref, const ZydisDecodedOperand *ops)
{
	const char *why;
	u32 i;

	for (i = 0; i < ref->operand_count; i++) {
		const ZydisDecodedOperand *op = &ops[i];

		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
			why = check_register(insn, op);
			if (why)
				return why;
		}
		if (op->type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		if (op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN) {
			if (insn->form != IM_STRING && op->mem.base != ZYDIS_REGISTER_RSP)
				return "memory that no operand names";
		} else if (!is_same_memory(insn, op)) {
			return "another memory operand";
		}
	}
	return NULL;
}

#define CF	ZYDIS_CPUFLAG_CF
#define OTHERS	(ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_AF | ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF | ZYDIS_CPUFLAG_OF)

/* What is tested must be needed, what changes must be said to, and what is said to be set must be. */
static const char *check_flags(const struct im_insn *insn, const ZydisAccessedFlags *flags)
{
	ZydisAccessedFlagsMask changed = flags->modified | flags->set_0 | flags->set_1 | flags->undefined;
	bool has_cc = insn->form == IM_CMOV || insn->form == IM_SETCC || insn->form == IM_JCC;
	u32 needs = has_cc ? im_flags_of(insn->opcode) : insn->flags;

	if (changed & ~(CF | OTHERS) && insn->form != IM_STAC && insn->form != IM_CLAC)
		return "it changes another flag";
	if (flags->tested & CF && !(needs & IM_CF))
		return "it reads the carry";
	if (flags->tested & OTHERS && !(needs & IM_OTHERS))
		return "it reads flags";
	if (changed & (CF | OTHERS) && !(insn->flags & (IM_SETS_ALL | IM_SPOILS)) && insn->form < IM_GS_LOAD)
		return "it changes flags";
	/* Zydis has nothing of the flags that vptest and the like clear (SDM vol. 2B, PTEST; 2C, VTESTPD). */
	if (insn->features & IM_VECTORS && (insn->opcode == 0x0e || insn->opcode == 0x0f || insn->opcode == 0x17))
		changed |= OTHERS;
	if ((insn->flags & IM_SETS_CF && !(changed & CF)) || (insn->flags & IM_SETS_OTHERS && (changed & OTHERS) != OTHERS))
		return "it does not set the flags that the checker takes it to";
	return NULL;
}

static const char *check(const u8 *code, u32 len)
{
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction ref;
	struct im_insn insn;
	const char *why;

	if (!im_decode(code, len, &insn)) {
		refused++;
		return NULL;
	}
	accepted++;
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code, len, &ref, ops)))
		return "Zydis reads no instruction";
	if (ref.length != insn.len)
		return "another length";
	if (ref.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED || ref.meta.category == ZYDIS_CATEGORY_SYSCALL ||
	    ref.meta.category == ZYDIS_CATEGORY_X87_ALU || ref.meta.category == ZYDIS_CATEGORY_MMX)
		if (insn.form != IM_STAC && insn.form != IM_CLAC)
			return "a privileged instruction, or one of another unit";
	if ((ref.attributes & ZYDIS_ATTRIB_HAS_SEGMENT) && insn.form < IM_GS_LOAD)
		return "a segment";
	if (!!(ref.attributes & ZYDIS_ATTRIB_HAS_LOCK) != insn.is_locked && insn.form != IM_XCHG)
		return "a lock";
	why = check_flags(&insn, ref.cpu_flags);
	return why ? why : check_operands(&insn, &ref, ops);
}

static void try(const u8 *code, u32 len)
{
	const char *why = check(code, len);

	if (why)
		complain(code, len, why);
}

/* Many ModRM bytes, each with what may follow. */
static void with_operands(u8 *code, u32 at)
{
	u32 modrm, i;

	for (modrm = 0; modrm < 256; modrm += 1) {
		code[at] = modrm;
		for (i = at + 1; i < 16; i++)
			code[i] = random32();
		try(code, 15);
	}
}

static void legacy(void)
{
	static const u8 prefixes[] = { 0, 0x66, 0xf2, 0xf3 };
	static const u8 rexes[] = { 0, 0x40, 0x48, 0x45, 0x4f };
	u32 map, opcode, p, r, at;
	u8 code[16];

	for (map = 0; map < 4; map++)
		for (opcode = 0; opcode < 256; opcode++)
			for (p = 0; p < ARRAY_SIZE(prefixes); p++)
				for (r = 0; r < ARRAY_SIZE(rexes); r++) {
					at = 0;
					if (prefixes[p])
						code[at++] = prefixes[p];
					if (rexes[r])
						code[at++] = rexes[r];
					if (map)
						code[at++] = 0x0f;
					if (map > 1)
						code[at++] = map == 2 ? 0x38 : 0x3a;
					code[at++] = opcode;
					with_operands(code, at);
				}
}

static void vex(void)
{
	u32 map, opcode, last;
	u8 code[16] = { 0xc4 };

	for (map = 1; map < 4; map++)
		for (opcode = 0; opcode < 256; opcode++)
			for (last = 0; last < 16; last++) {
				code[1] = (random32() & 0xe0) | map;
				/* W, L and the prefix; vvvv none in half of the cases. */
				code[2] = (last & 8) << 4 | (last & 7) | (random32() & 1 ? 0x78 : random32() & 0x78);
				code[3] = opcode;
				with_operands(code, 4);
			}
}

int main(int argc, char **argv)
{
	u32 rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 3000000, i, k;
	u8 code[16];

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	legacy();
	vex();
	for (i = 0; i < rounds && failed < 20; i++) {
		for (k = 0; k < sizeof(code); k++)
			code[k] = random32();
		try(code, 1 + random32() % 15);
	}
	printf("image_decode: %u accepted, %u refused\n%d passed, %u failed\n", accepted, refused, !failed, failed);
	return failed != 0;
}
