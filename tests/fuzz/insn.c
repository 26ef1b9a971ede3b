// SPDX-License-Identifier: GPL-2.0
/*
 * insn: what does an x86 instruction read and write, as Zydis tells?
 *
 * Nothing here comes from the lifter: what the lifter says of an instruction is what the fuzzer tests.
 */
#include "fuzz.h"

static ZydisDecoder decoder;
static ZydisFormatter formatter;

bool insn_init(void)
{
	return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) &&
	       ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL));
}

/* The number of a general register, or -1. */
static s8 general(ZydisRegister reg)
{
	ZyanI8 id = ZydisRegisterGetId(reg);

	switch (ZydisRegisterGetClass(reg)) {
	case ZYDIS_REGCLASS_GPR8:
		return id < 4 ? id : id - 4;	/* al cl dl bl ah ch dh bh spl ... */
	case ZYDIS_REGCLASS_GPR16:
	case ZYDIS_REGCLASS_GPR32:
	case ZYDIS_REGCLASS_GPR64:
		return id;
	default:
		return -1;
	}
}

static bool is_vector(ZydisRegister reg)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(reg);

	return class == ZYDIS_REGCLASS_XMM || class == ZYDIS_REGCLASS_YMM;
}

/* --- the name of a form --- */

static void append(char name[FORM_NAME], const char *text)
{
	size_t len = strlen(name);

	snprintf(name + len, FORM_NAME - len, "%s", text);
}

static void append_bits(char name[FORM_NAME], const char *text, u32 bits)
{
	char word[24];

	snprintf(word, sizeof(word), "%s%u", text, bits);
	append(name, word);
}

static void name_register(char name[FORM_NAME], const ZydisDecodedOperand *operand)
{
	static const struct { ZydisRegisterClass class; const char *name; } classes[] = {
		{ ZYDIS_REGCLASS_XMM, "xmm" }, { ZYDIS_REGCLASS_YMM, "ymm" }, { ZYDIS_REGCLASS_ZMM, "zmm" },
		{ ZYDIS_REGCLASS_MASK, "k" }, { ZYDIS_REGCLASS_MMX, "mm" }, { ZYDIS_REGCLASS_X87, "st" },
	};
	ZydisRegister reg = operand->reg.value;
	u32 i;

	if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_IMPLICIT) {
		append(name, ZydisRegisterGetString(reg));
		return;
	}
	for (i = 0; i < ARRAY_SIZE(classes); i++)
		if (ZydisRegisterGetClass(reg) == classes[i].class)
			append(name, classes[i].name);
	if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
		append(name, "h8");
	else if (general(reg) >= 0)
		append_bits(name, "r", operand->size);
	else if (name[strlen(name) - 1] == ' ')
		append(name, ZydisRegisterGetString(reg));
}

static void name_operand(char name[FORM_NAME], const ZydisDecodedInstruction *from, const ZydisDecodedOperand *operand)
{
	switch (operand->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		name_register(name, operand);
		break;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		if (operand->mem.segment == ZYDIS_REGISTER_FS && operand->mem.type != ZYDIS_MEMOP_TYPE_AGEN)
			append(name, "fs:");
		if (operand->mem.segment == ZYDIS_REGISTER_GS && operand->mem.type != ZYDIS_MEMOP_TYPE_AGEN)
			append(name, "gs:");
		append_bits(name, operand->mem.type == ZYDIS_MEMOP_TYPE_AGEN ? "a" :
			    operand->mem.type == ZYDIS_MEMOP_TYPE_VSIB ? "vm" : "m", operand->size);
		break;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_IMPLICIT)
			append(name, "1");
		else
			append_bits(name, operand->imm.is_relative ? "rel" : "i",
				    from->raw.imm[operand->imm.is_relative ? 0 : from->raw.imm[1].size != 0].size);
		break;
	default:
		append(name, "far");
	}
}

static void name_form(char name[FORM_NAME], const ZydisDecodedInstruction *from, const ZydisDecodedOperand *operands)
{
	u32 i;

	name[0] = 0;
	if (from->attributes & ZYDIS_ATTRIB_HAS_LOCK)
		append(name, "lock ");
	if (from->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE))
		append(name, "rep ");
	if (from->attributes & ZYDIS_ATTRIB_HAS_REPNE)
		append(name, "repne ");
	if (from->address_width == 32)
		append(name, "a32 ");
	if (from->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX)
		append(name, "evex ");
	append(name, ZydisMnemonicGetString(from->mnemonic));
	if (from->mnemonic == ZYDIS_MNEMONIC_NOP)
		return;		/* whatever it has */
	for (i = 0; i < from->operand_count_visible; i++) {
		append(name, i ? ", " : " ");
		name_operand(name, from, &operands[i]);
	}
	if (!from->operand_count_visible && from->operand_width == 16)
		append_bits(name, " o", from->operand_width);
}

/* --- what it does --- */

static u32 flags_of(u32 zydis)
{
	return zydis & UB_FL_ALL;	/* Zydis has them where EFLAGS has them */
}

/* Does a count of 0, which writes no flag, stand in a register? */
static bool may_keep_flags(const ZydisDecodedInstruction *from)
{
	switch (from->mnemonic) {
	case ZYDIS_MNEMONIC_SHL: case ZYDIS_MNEMONIC_SHR: case ZYDIS_MNEMONIC_SAR: case ZYDIS_MNEMONIC_ROL:
	case ZYDIS_MNEMONIC_ROR: case ZYDIS_MNEMONIC_RCL: case ZYDIS_MNEMONIC_RCR: case ZYDIS_MNEMONIC_SHLD:
	case ZYDIS_MNEMONIC_SHRD:
		return true;
	default:
		return from->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
	}
}

static void take_flags(struct insn *insn, const ZydisDecodedInstruction *from, const ZydisDecodedOperand *operands)
{
	const ZydisAccessedFlags *flags = from->cpu_flags;
	bool is_double = from->mnemonic == ZYDIS_MNEMONIC_SHLD || from->mnemonic == ZYDIS_MNEMONIC_SHRD;
	bool is_shift = from->mnemonic == ZYDIS_MNEMONIC_SHL || from->mnemonic == ZYDIS_MNEMONIC_SHR || is_double;

	if (!flags)
		return;
	insn->tested = flags_of(flags->tested);
	insn->undefined = flags_of(flags->undefined);
	if (is_shift && operands[0].size < 32)
		insn->undefined |= is_double ? UB_FL_ALL : UB_FL_CF;	/* by more than the width (SDM) */
	/* Intel's processors restore them, AMD's do not (see interp_str.c). */
	if (from->attributes & (ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
		insn->undefined_on_fault = UB_FL_ALL;
	if (!may_keep_flags(from))
		insn->written = flags_of(flags->modified | flags->set_0 | flags->set_1) & ~insn->undefined;
}

static void take_register(struct insn *insn, const ZydisDecodedOperand *operand)
{
	s8 reg = general(operand->reg.value);

	if (is_vector(operand->reg.value))
		insn->vectors |= 1u << (ZydisRegisterGetId(operand->reg.value) & 15);
	insn->has_vectors |= is_vector(operand->reg.value) || operand->reg.value == ZYDIS_REGISTER_MXCSR;
	if (reg < 0)
		return;
	if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ || operand->size < 32 ||
	    operand->actions & (ZYDIS_OPERAND_ACTION_CONDREAD | ZYDIS_OPERAND_ACTION_CONDWRITE))
		insn->reads |= 1u << reg;
	if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
		insn->writes |= 1u << reg;
}

/* The register that moves the address of bt and its like; -1: none. */
static s8 bit_offset(const ZydisDecodedInstruction *from, const ZydisDecodedOperand *operands)
{
	bool is_bit = from->mnemonic == ZYDIS_MNEMONIC_BT || from->mnemonic == ZYDIS_MNEMONIC_BTS ||
		      from->mnemonic == ZYDIS_MNEMONIC_BTR || from->mnemonic == ZYDIS_MNEMONIC_BTC;

	return is_bit && operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER ? general(operands[1].reg.value) : -1;
}

static void take_memory(struct insn *insn, const ZydisDecodedInstruction *from, const ZydisDecodedOperand *operands,
			u32 i)
{
	const ZydisDecodedOperandMem *from_mem = &operands[i].mem;
	struct mem mem = { .disp = from_mem->disp.value, .scale = from_mem->scale, .size = operands[i].size / 8 };

	mem.base = from_mem->base == ZYDIS_REGISTER_NONE ? -1 : general(from_mem->base);
	mem.index = from_mem->index == ZYDIS_REGISTER_NONE ? -1 : general(from_mem->index);
	mem.is_fs = from_mem->segment == ZYDIS_REGISTER_FS;
	mem.is_a32 = from->address_width == 32;
	mem.bit_offset = bit_offset(from, operands);
	if (mem.base >= 0)
		insn->reads |= 1u << mem.base;
	if (mem.index >= 0)
		insn->reads |= 1u << mem.index;
	if (operands[i].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN) {
		mem.disp = 0;
	} else {
		insn->is_rip = from_mem->base == ZYDIS_REGISTER_RIP || from_mem->base == ZYDIS_REGISTER_EIP;
		insn->is_absolute = !insn->is_rip && mem.base < 0 && mem.index < 0;
		insn->is_fs = mem.is_fs;
	}
	if (from_mem->type == ZYDIS_MEMOP_TYPE_AGEN || (mem.base < 0 && mem.index < 0))
		return;
	/* A push goes below, and what is popped into may count from the stack pointer as it then is. */
	if (mem.base == UB_RSP && operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
	    operands[i].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
		mem.disp = -mem.size;
	if (insn->mem_cnt < ARRAY_SIZE(insn->mems))
		insn->mems[insn->mem_cnt++] = mem;
}

static void take_places(struct insn *insn, const ZydisDecodedInstruction *from)
{
	insn->disp_at = from->raw.disp.size ? from->raw.disp.offset : 0;
	insn->disp_len = from->raw.disp.size / 8;
	if (from->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE && from->raw.imm[0].is_relative) {
		insn->rel_at = from->raw.imm[0].offset;
		insn->rel_len = from->raw.imm[0].size / 8;
	} else {
		insn->is_indirect = from->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE ||
				    from->meta.category == ZYDIS_CATEGORY_RET;
	}
	insn->is_rep = from->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
}

/* Whether or not it means anything. */
static bool has_fs_prefix(const ZydisDecodedInstruction *from)
{
	u32 i;

	for (i = 0; i < from->raw.prefix_count; i++)
		if (from->raw.prefixes[i].value == 0x64)
			return true;
	return false;
}

/* Also where no operand shows it: a conversion from memory to a general register reads MXCSR. */
static bool uses_vector_state(const ZydisDecodedInstruction *from)
{
	const char *extension = ZydisISAExtGetString(from->meta.isa_ext);

	return extension && (!strncmp(extension, "SSE", 3) || !strncmp(extension, "SSSE", 4) ||
			     !strncmp(extension, "AVX", 3));
}

bool insn_decode(const u8 *bytes, u32 len, struct insn *ret, char ret_name[FORM_NAME])
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction from;
	u32 i;

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, len, &from, operands)))
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->len = from.length;
	ret->mnemonic = from.mnemonic;
	ret->has_modrm = from.attributes & ZYDIS_ATTRIB_HAS_MODRM;
	ret->has_vectors = uses_vector_state(&from);
	ret->has_fs = has_fs_prefix(&from);
	ret->jump = MAX_INSNS;
	memcpy(ret->bytes, bytes, from.length);
	take_flags(ret, &from, operands);
	take_places(ret, &from);
	for (i = 0; i < from.operand_count; i++) {
		if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER)
			take_register(ret, &operands[i]);
		else if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			take_memory(ret, &from, operands, i);
	}
	if (ret_name)
		name_form(ret_name, &from, operands);
	return true;
}

void insn_text(const struct insn *insn, u64 ip, char *buf, size_t size)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction from;

	snprintf(buf, size, "?");
	if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, insn->bytes, insn->len, &from, operands)))
		ZydisFormatterFormatInstruction(&formatter, &from, operands, from.operand_count_visible, buf, size, ip,
						NULL);
}
