// SPDX-License-Identifier: GPL-2.0
/*
 * decode: what does this guest instruction say?
 *
 * The only file that knows Zydis.  Promise: what comes out without a reason to end has operands that mean exactly
 * what the instruction means; a prefix that would change it (gs, 67h, repne ...) is such a reason.
 */
#include <cpuid.h>

#include <Zydis/Zydis.h>
#include "decode.h"

/* Our names by those of Zydis, + 1. */
static const u16 names[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define NAME(mnemonic, fn, op, cc, flags) [ZYDIS_MNEMONIC_##mnemonic] = UB_X86_##mnemonic + 1,
#include "names.h"
};

static void end(struct ub_x86_insn *insn, const char *what, const char *name)
{
	if (!insn->why[0])
		snprintf(insn->why, sizeof(insn->why), "%s%s%s", what, name ? ": " : "", name ? name : "");
}

/* The general register of a Zydis register, or UB_NOREG. */
static u8 general(ZydisRegister reg)
{
	ZyanI8 id = ZydisRegisterGetId(reg);

	switch (ZydisRegisterGetClass(reg)) {
	case ZYDIS_REGCLASS_GPR8:
		/* Zydis counts al cl dl bl ah ch dh bh spl bpl sil dil r8b. */
		return id < 4 ? id : id - 4;
	case ZYDIS_REGCLASS_GPR16:
	case ZYDIS_REGCLASS_GPR32:
	case ZYDIS_REGCLASS_GPR64:
		return id;
	default:
		return UB_NOREG;
	}
}

static bool is_high(ZydisRegister reg)
{
	return reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
}

static bool is_vector(ZydisRegister reg)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(reg);

	return class == ZYDIS_REGCLASS_XMM || class == ZYDIS_REGCLASS_YMM;
}

static bool set_width(struct ub_x86_operand *operand, u16 bits)
{
	switch (bits) {
	case 8: operand->width = UB_W8; return true;
	case 16: operand->width = UB_W16; return true;
	case 32: operand->width = UB_W32; return true;
	case 64: operand->width = UB_W64; return true;
	default: return false;
	}
}

static s64 sign_extend(u64 val, enum ub_width width)
{
	u32 shift = 64 - UB_WIDTH_BITS(width);

	return (s64)(val << shift) >> shift;
}

/* base + index * scale + displacement; relative to the instruction pointer it is a constant. */
static bool take_memory(const struct ub_x86_insn *insn, const ZydisDecodedOperandMem *mem,
			struct ub_x86_operand *ret)
{
	ret->kind = UB_X86_MEM;
	ret->imm = mem->disp.value;
	ret->reg = mem->base == ZYDIS_REGISTER_NONE ? UB_NOREG : general(mem->base);
	ret->index = mem->index == ZYDIS_REGISTER_NONE ? UB_NOREG : general(mem->index);
	ret->is_fs = mem->segment == ZYDIS_REGISTER_FS && mem->type != ZYDIS_MEMOP_TYPE_AGEN;
	if (mem->base == ZYDIS_REGISTER_RIP || mem->base == ZYDIS_REGISTER_EIP)
		ret->imm += insn->ip + insn->len;
	else if (mem->base != ZYDIS_REGISTER_NONE && ret->reg == UB_NOREG)
		return false;
	if (ret->index != UB_NOREG)
		ret->scale = mem->scale == 8 ? 3 : mem->scale / 2;
	else if (mem->index != ZYDIS_REGISTER_NONE)
		return false;
	ret->is_a32 = insn->is_a32 && (ret->reg != UB_NOREG || ret->index != UB_NOREG);
	if (insn->is_a32 && !ret->is_a32)
		ret->imm = (u32)ret->imm;
	return mem->type == ZYDIS_MEMOP_TYPE_MEM || mem->type == ZYDIS_MEMOP_TYPE_AGEN;
}

static bool take_operand(struct ub_x86_insn *insn, const ZydisDecodedOperand *operand, struct ub_x86_operand *ret)
{
	if (!set_width(ret, operand->size) && operand->type != ZYDIS_OPERAND_TYPE_MEMORY &&
	    insn->name != UB_X86_VECTOR)
		return false;
	switch (operand->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (insn->name == UB_X86_VECTOR && is_vector(operand->reg.value)) {
			ret->kind = UB_X86_VREG;
			ret->reg = ZydisRegisterGetId(operand->reg.value);
			return ret->reg < UB_NVEC;
		}
		ret->kind = UB_X86_REG;
		ret->reg = general(operand->reg.value);
		ret->is_high = is_high(operand->reg.value);
		return ret->reg != UB_NOREG;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return take_memory(insn, &operand->mem, ret);
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		ret->kind = UB_X86_IMM;
		ret->imm = sign_extend(operand->imm.value.u, ret->width);
		if (operand->imm.is_relative) {
			insn->is_direct = true;
			insn->target = insn->ip + insn->len + operand->imm.value.s;
		}
		return true;
	default:
		return false;
	}
}

/* Memory that is really accessed; nop and lea only name it. */
static bool accesses(const struct ub_x86_insn *insn, const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->mem.type == ZYDIS_MEMOP_TYPE_MEM &&
	       insn->name != UB_X86_NOP;
}

static void take_operands(struct ub_x86_insn *insn, const ZydisDecodedInstruction *from,
			  const ZydisDecodedOperand *operands)
{
	u32 i;

	insn->may_leave = insn->name == UB_X86_DIV || insn->name == UB_X86_IDIV || insn->name == UB_X86_SYSCALL;
	for (i = 0; i < from->operand_count; i++) {
		const ZydisDecodedOperand *operand = &operands[i];

		if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER && general(operand->reg.value) != UB_NOREG &&
		    operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
			insn->writes |= 1u << general(operand->reg.value);
		if (accesses(insn, operand))
			insn->may_leave = true;
		if (i >= from->operand_count_visible || operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN ||
		    (insn->name == UB_X86_VECTOR && operand->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT))
			continue;
		if (i >= ARRAY_SIZE(insn->operands) || !take_operand(insn, operand, &insn->operands[i]))
			end(insn, "operand", ZydisMnemonicGetString(from->mnemonic));
		else
			insn->operand_cnt++;
	}
}

static bool may_lock(u8 name)
{
	return (name >= UB_X86_ADD && name <= UB_X86_SBB) || (name >= UB_X86_NEG && name <= UB_X86_DEC) ||
	       (name >= UB_X86_BTS && name <= UB_X86_BTC) || (name >= UB_X86_XCHG && name <= UB_X86_CMPXCHG16B);
}

static bool is_string(u8 name)
{
	return name >= UB_X86_STOSB && name <= UB_X86_SCASQ;
}

/* Near branches of 16 bits are AMD's alone; with REX.W the prefix means nothing, as in calls of __tls_get_addr. */
static bool is_odd_branch(const struct ub_x86_insn *insn, const ZydisDecodedInstruction *from)
{
	if (insn->name < UB_X86_JO)
		return insn->is_16 && (insn->name == UB_X86_LEAVE || insn->name == UB_X86_ENTER);
	return from->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ||
	       (from->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE && !from->raw.rex.W);
}

static bool has_prefix(const ZydisDecodedInstruction *from, u8 byte)
{
	u32 i;

	for (i = 0; i < from->raw.prefix_count; i++)
		if (from->raw.prefixes[i].value == byte)
			return true;
	return false;
}

/*
 * Encodings that the manuals leave open and processors understand differently: a pause with REX.B is a pause to Intel's,
 * an exchange of rax and r8 to AMD's; f2 and f3 before loope and loopne mean nothing to Intel's, and say which of the two
 * it is to AMD's; a prefetch (0f 0d) of a register does nothing on Intel's and is undefined (#UD) on AMD's.
 */
static bool is_ambiguous(const struct ub_x86_insn *insn, const ZydisDecodedInstruction *from)
{
	if (insn->name == UB_X86_LOOPE || insn->name == UB_X86_LOOPNE)
		return has_prefix(from, 0xf2) || has_prefix(from, 0xf3);
	if (insn->name == UB_X86_NOP)
		return from->opcode_map == ZYDIS_OPCODE_MAP_0F && from->opcode == 0x0d && from->raw.modrm.mod == 3;
	return insn->name == UB_X86_PAUSE && from->raw.rex.B;
}

/* What a prefix says that the operands do not. */
static void take_prefixes(struct ub_x86_insn *insn, const ZydisDecodedInstruction *from)
{
	const char *name = ZydisMnemonicGetString(from->mnemonic);
	u64 bad = ZYDIS_ATTRIB_HAS_XACQUIRE | ZYDIS_ATTRIB_HAS_XRELEASE | ZYDIS_ATTRIB_HAS_SEGMENT_GS;

	insn->is_repne = from->attributes & ZYDIS_ATTRIB_HAS_REPNE;
	insn->is_rep = insn->is_repne || from->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE);
	insn->is_locked = from->attributes & ZYDIS_ATTRIB_HAS_LOCK;
	if (insn->is_locked && !may_lock(insn->name))
		end(insn, "lock", name);
	else if (from->attributes & bad || is_ambiguous(insn, from) || (insn->is_rep && !is_string(insn->name)))
		end(insn, "prefix", name);
	else if (insn->is_a32 && (is_string(insn->name) || insn->name == UB_X86_XLAT))
		end(insn, "address size", name);
	else if (is_odd_branch(insn, from))
		end(insn, "operand size", name);
	else if ((is_string(insn->name) || insn->name == UB_X86_XLAT) && from->attributes & ZYDIS_ATTRIB_HAS_SEGMENT_FS)
		end(insn, "prefix", name);
}

/* SDM vol. 2, CPUID, 80000001H: EDX[27].  Not all compilers know it by a name. */
static bool has_rdtscp(void)
{
	u32 a, b, c, d;

	return __get_cpuid(0x80000001, &a, &b, &c, &d) && d & 1u << 27;
}

/* Has this machine the instruction?  Else it means another one, or nothing. */
static bool is_there(const ZydisDecodedInstruction *insn)
{
	switch (insn->meta.isa_ext) {
	case ZYDIS_ISA_EXT_KNC:		/* a coprocessor's spellings of names that others have too */
	case ZYDIS_ISA_EXT_KNCE:
	case ZYDIS_ISA_EXT_KNCV:
		return false;
	default:
		break;
	}
	switch (insn->meta.isa_set) {
	case ZYDIS_ISA_SET_POPCNT:
		return __builtin_cpu_supports("popcnt");
	case ZYDIS_ISA_SET_LZCNT:
		return __builtin_cpu_supports("lzcnt");
	case ZYDIS_ISA_SET_BMI1:
		return __builtin_cpu_supports("bmi");
	case ZYDIS_ISA_SET_BMI2:
		return __builtin_cpu_supports("bmi2");
	case ZYDIS_ISA_SET_MOVBE:
		return __builtin_cpu_supports("movbe");
	case ZYDIS_ISA_SET_ADOX_ADCX:
		return __builtin_cpu_supports("adx");
	case ZYDIS_ISA_SET_SSE42:
		return __builtin_cpu_supports("sse4.2");
	case ZYDIS_ISA_SET_CMPXCHG16B:
		return __builtin_cpu_supports("cmpxchg16b");
	case ZYDIS_ISA_SET_RDTSCP:
		return has_rdtscp();
	case ZYDIS_ISA_SET_RDPID:
		return __builtin_cpu_supports("rdpid");
	default:
		return true;
	}
}

/*
 * Vectors.  A row is found by its mnemonic, its variant and what kinds of operands it takes, in order: v, a general
 * register g, memory m, a constant i.  The encoding at hand does not count: what it means does.
 */

static bool may_be(u32 row, ZydisMnemonic mnemonic, enum ub_vec_variant variant)
{
	static const struct { u16 legacy, vex; } names[] = {
#define VEC(mnemonic, name, code, form, mem, variants, feature, flags) { ZYDIS_MNEMONIC_##mnemonic, ZYDIS_MNEMONIC_V##mnemonic },
#define VECV(mnemonic, name, code, form, mem, variants, feature, flags) { 0, ZYDIS_MNEMONIC_V##mnemonic },
#define VECL(mnemonic, name, code, form, mem, variants, feature, flags) { ZYDIS_MNEMONIC_##mnemonic, 0 },
#include "../ir/vec.h"
	};

	return ub_vec_info[row].variants & 1 << variant &&
	       mnemonic == (variant == UB_VEC_SSE ? names[row].legacy : names[row].vex);
}

/* The kinds of operands of a row, rm being of kind @rm. */
static void row_kinds(const struct ub_vec_info *info, enum ub_vec_variant variant, char rm, char *ret)
{
	static const char *const forms[] = {
		[UB_VEC_RM] = "vR", [UB_VEC_RVM] = "vaR", [UB_VEC_RVMR] = "vaRv", [UB_VEC_VM] = "vs", [UB_VEC_MR] = "vv",
		[UB_VEC_ST] = "mv", [UB_VEC_CSR] = "m", [UB_VEC_GRM] = "gR", [UB_VEC_GMR] = "gv",
		[UB_VEC_RMG] = "vR", [UB_VEC_RVMG] = "vaR", [UB_VEC_FRM] = "vR", [UB_VEC_SRM] = "vR", [UB_VEC_NONE] = "",
	};
	const char *form;

	for (form = forms[info->form]; *form; form++) {
		if ((*form == 'a' && !ub_vec_has_a(info, variant)) || (*form == 's' && !ub_vec_has_src(info, variant)))
			continue;
		*ret++ = *form == 'R' ? rm : *form == 'a' || *form == 's' ? 'v' : *form;
	}
	if (info->flags & UB_VEC_IMM && info->form != UB_VEC_RVMR)
		*ret++ = 'i';
	*ret = 0;
}

/* Those that convert differ in the width of the general register, or of memory in its place. */
static bool has_width(const struct ub_vec_info *info, const struct ub_x86_insn *insn)
{
	const struct ub_x86_operand *operand;

	if (strncmp(info->text, "cvt", 3))
		return true;
	switch (info->form) {
	case UB_VEC_GRM:
		operand = &insn->operands[0];
		break;
	case UB_VEC_RVMG:
		operand = &insn->operands[insn->operand_cnt - 1];
		break;
	default:
		return true;
	}
	return (operand->width == UB_W64) == !!(info->code & UB_VEC_CODE_W);
}

static bool fits(u32 row, const struct ub_x86_insn *insn, const char *kinds)
{
	const struct ub_vec_info *info = &ub_vec_info[row];
	bool is_general = info->form == UB_VEC_RMG || info->form == UB_VEC_RVMG;
	char expected[8];

	row_kinds(info, insn->vec_variant, strchr(kinds, 'm') ? 'm' : is_general ? 'g' : 'v', expected);
	if (strcmp(kinds, expected) || !has_width(info, insn))
		return false;
	return (strchr(kinds, 'm') ? ub_vec_mem_op(info) : ub_vec_reg_op(info)) != UB_OP_COUNT;
}

static bool find_row(struct ub_x86_insn *insn, ZydisMnemonic mnemonic)
{
	char kinds[8] = "";
	u32 i, row;

	for (i = 0; i < insn->operand_cnt; i++)
		kinds[i] = "?gmiv"[insn->operands[i].kind];
	for (row = 0; row < ub_vec_cnt; row++) {
		if (!may_be(row, mnemonic, insn->vec_variant) || !fits(row, insn, kinds))
			continue;
		insn->vec_row = row;
		insn->may_leave |= ub_vec_info[row].flags & UB_VEC_RAISES;
		if (i && insn->operands[i - 1].kind == UB_X86_IMM)
			insn->vec_constant = insn->operands[i - 1].imm;
		if (ub_vec_info[row].form == UB_VEC_RVMR)
			insn->vec_constant = insn->operands[3].reg << 4;
		return true;
	}
	return false;
}

static bool is_of_vec(ZydisMnemonic mnemonic, enum ub_vec_variant variant)
{
	u32 row;

	for (row = 0; row < ub_vec_cnt; row++)
		if (may_be(row, mnemonic, variant))
			return true;
	return false;
}

/* The instruction sets of vectors that this machine has. */
static u32 machine_features(void)
{
	u32 features = UB_VEC_F_SSE2;

	features |= __builtin_cpu_supports("sse3") ? UB_VEC_F_SSE3 : 0;
	features |= __builtin_cpu_supports("ssse3") ? UB_VEC_F_SSSE3 : 0;
	features |= __builtin_cpu_supports("sse4.1") ? UB_VEC_F_SSE41 : 0;
	features |= __builtin_cpu_supports("sse4.2") ? UB_VEC_F_SSE42 : 0;
	features |= __builtin_cpu_supports("aes") ? UB_VEC_F_AES : 0;
	features |= __builtin_cpu_supports("pclmul") ? UB_VEC_F_PCLMUL : 0;
	features |= __builtin_cpu_supports("avx") ? UB_VEC_F_AVX : 0;
	features |= __builtin_cpu_supports("avx2") ? UB_VEC_F_AVX2 : 0;
	features |= __builtin_cpu_supports("fma") ? UB_VEC_F_FMA : 0;
	return features | (__builtin_cpu_supports("f16c") ? UB_VEC_F_F16C : 0);
}

/* pcmpestri and its like with lengths of 64 bits: nobody writes them. */
static bool is_wide_string(const struct ub_x86_insn *insn, const ZydisDecodedInstruction *from)
{
	bool is_wide = from->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX ? from->raw.vex.W : from->raw.rex.W;

	return ub_vec_info[insn->vec_row].form == UB_VEC_SRM && is_wide;
}

/* False: not a vector instruction of ours. */
static bool take_vector(struct ub_x86_insn *insn, const ZydisDecodedInstruction *from,
			const ZydisDecodedOperand *operands)
{
	insn->name = UB_X86_VECTOR;
	if (from->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX)
		insn->vec_variant = from->avx.vector_length == 256 ? UB_VEC_256 : UB_VEC_128;
	else if (from->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return false;
	if (!is_of_vec(from->mnemonic, insn->vec_variant))
		return false;
	take_operands(insn, from, operands);
	take_prefixes(insn, from);
	if (!insn->why[0] && (!find_row(insn, from->mnemonic) || is_wide_string(insn, from)))
		end(insn, "operand", ZydisMnemonicGetString(from->mnemonic));
	if (!insn->why[0] && ub_vec_features(&ub_vec_info[insn->vec_row], insn->vec_variant) & ~machine_features())
		end(insn, "unsupported", ZydisMnemonicGetString(from->mnemonic));
	return true;
}

void ub_decode(const u8 *bytes, u32 len, u64 ip, struct ub_x86_insn *ret)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction from;
	ZydisDecoder decoder;
	s32 name;

	memset(ret, 0, sizeof(*ret));
	ret->ip = ip;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, len, &from, operands))) {
		end(ret, len ? "undecodable" : "unreadable", NULL);
		return;
	}
	ret->len = from.length;
	memcpy(ret->bytes, bytes, from.length);
	ret->is_a32 = from.address_width == 32;
	ret->is_16 = from.operand_width == 16;
	name = names[from.mnemonic] - 1;
	if (name < 0 || (is_string(name) && from.meta.category != ZYDIS_CATEGORY_STRINGOP)) {
		if (!take_vector(ret, &from, operands))
			end(ret, "unsupported", ZydisMnemonicGetString(from.mnemonic));
		return;
	}
	if (!is_there(&from))
		end(ret, "not on this machine", ZydisMnemonicGetString(from.mnemonic));
	ret->name = name;
	take_operands(ret, &from, operands);
	take_prefixes(ret, &from);
	if (ret->name == UB_X86_JMP && !ret->is_direct)
		ret->may_leave = true;
}
