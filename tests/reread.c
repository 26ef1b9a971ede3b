// SPDX-License-Identifier: GPL-2.0
/*
 * reread: reads machine code back with Zydis.
 */
#include <Zydis/Zydis.h>

#include "reread.h"
#include "../kernel/ub-jit/layout.h"

static const struct ub_image *image;
static const struct ub_jit_env *env;
static struct ub_layout layout;
static u8 map[UB_MAX_IMAGE];	/* of each byte of the code: */
enum { MAP_START = 1 << 0, MAP_TARGET = 1 << 1 };	/* here begins an instruction; something leads here */
static const char *complaint;

static bool complain(const char *what)
{
	complaint = what;
	return false;
}

/* Offsets in struct pt_regs that an image may write: the general registers. */
static bool is_general(s64 off)
{
	static const s16 general[] = { 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 152 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(general); i++)
		if (off == general[i])
			return true;
	return false;
}

static bool has_fault_entry(u32 off)
{
	u32 i;

	for (i = 0; i < image->fault_cnt; i++)
		if (image->faults[i].insn_off == off)
			return true;
	return false;
}

/* The frame and the task are reached through these, but only at offsets that lie in them. */
static bool is_kernel_object(const ZydisDecodedOperand *op)
{
	return op->mem.index == ZYDIS_REGISTER_NONE && op->mem.disp.value >= 0 && op->mem.disp.value < 128;
}

/* User memory is reached through r16, r17, a resident register that is held, and a constant in the scratch register. */
static bool is_user_base(u8 reg)
{
	u32 i;

	for (i = 0; i < UB_GUARDS_END; i++)
		if (layout.reg[i] == reg)
			return true;
	return reg == layout.scratch;
}

static bool is_per_cpu(const ZydisDecodedOperand *op)
{
	s64 off = op->mem.disp.value;

	return op->mem.base == ZYDIS_REGISTER_NONE && op->mem.index == ZYDIS_REGISTER_NONE && off &&
	       (off == env->softirq_gs || off == env->cpu_node_gs);
}

static bool check_memory(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *op, u32 off)
{
	bool is_write = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	u8 base = ZydisRegisterGetId(op->mem.base);

	if (op->mem.segment == ZYDIS_REGISTER_GS)
		return is_per_cpu(op) && !is_write ? true : complain("a per-CPU variable that is not known");
	if (op->mem.segment != ZYDIS_REGISTER_DS && op->mem.segment != ZYDIS_REGISTER_SS &&
	    op->mem.segment != ZYDIS_REGISTER_ES)
		return complain("a segment other than the flat ones");
	if (insn->mnemonic == ZYDIS_MNEMONIC_NOP)
		return true;
	if (insn->mnemonic == ZYDIS_MNEMONIC_LEA || op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
		return has_fault_entry(off) || insn->mnemonic == ZYDIS_MNEMONIC_LEA || op->mem.base == ZYDIS_REGISTER_RSP ?
		       true : complain("a string operation without a fault entry");
	if (op->mem.base == ZYDIS_REGISTER_RBP)
		return op->mem.disp.value >= -208 && op->mem.disp.value <= -48 ? true : complain("a local out of range");
	if (base == layout.pt)
		return !is_write || is_general(op->mem.disp.value & ~7) ? true : complain("pt_regs written at another field");
	if (has_fault_entry(off) && is_user_base(base))
		return true;
	/* The frame, in the prologue and around calls and exits; the task, there and in checks. */
	if (base == X86_RDI || base == X86_RCX || base == layout.scratch || base == layout.reg[UB_GUARDS + 1] ||
	    UB_CALLEE_SAVED & 1u << base)
		return is_kernel_object(op) ? true : complain("no fault entry");
	return complain("an unexpected base register");
}

/* An instruction that a row of ir/vec.h stands for. */
static bool is_vector(ZydisMnemonic mnemonic)
{
	const char *name = ZydisMnemonicGetString(mnemonic);
	u32 i;

	for (i = 0; i < ub_vec_cnt; i++)
		if (!strcmp(ub_vec_info[i].text, name) || (name[0] == 'v' && !strcmp(ub_vec_info[i].text, name + 1)))
			return true;
	return false;
}

static bool is_allowed(ZydisMnemonic mnemonic)
{
	static const ZydisMnemonic allowed[] = {
		ZYDIS_MNEMONIC_ADC, ZYDIS_MNEMONIC_ADD, ZYDIS_MNEMONIC_AND, ZYDIS_MNEMONIC_BSWAP, ZYDIS_MNEMONIC_BT,
		ZYDIS_MNEMONIC_CALL, ZYDIS_MNEMONIC_CLAC, ZYDIS_MNEMONIC_CMP, ZYDIS_MNEMONIC_DEC, ZYDIS_MNEMONIC_DIV,
		ZYDIS_MNEMONIC_ENDBR64,
		ZYDIS_MNEMONIC_IDIV, ZYDIS_MNEMONIC_IMUL, ZYDIS_MNEMONIC_INC, ZYDIS_MNEMONIC_JMP, ZYDIS_MNEMONIC_LEA, ZYDIS_MNEMONIC_LFENCE,
		ZYDIS_MNEMONIC_MOV, ZYDIS_MNEMONIC_MOVSX, ZYDIS_MNEMONIC_MOVSXD, ZYDIS_MNEMONIC_MOVZX,
		ZYDIS_MNEMONIC_MUL, ZYDIS_MNEMONIC_NEG, ZYDIS_MNEMONIC_NOP, ZYDIS_MNEMONIC_NOT, ZYDIS_MNEMONIC_OR, ZYDIS_MNEMONIC_POP,
		ZYDIS_MNEMONIC_PUSH, ZYDIS_MNEMONIC_PUSHFQ, ZYDIS_MNEMONIC_RET, ZYDIS_MNEMONIC_ROL, ZYDIS_MNEMONIC_ROR,
		ZYDIS_MNEMONIC_LAHF, ZYDIS_MNEMONIC_SAHF, ZYDIS_MNEMONIC_SAR, ZYDIS_MNEMONIC_SBB, ZYDIS_MNEMONIC_SHL, ZYDIS_MNEMONIC_SHR,
		ZYDIS_MNEMONIC_STAC, ZYDIS_MNEMONIC_SUB, ZYDIS_MNEMONIC_TEST, ZYDIS_MNEMONIC_XOR,
		ZYDIS_MNEMONIC_RCL, ZYDIS_MNEMONIC_RCR, ZYDIS_MNEMONIC_SHLD, ZYDIS_MNEMONIC_SHRD, ZYDIS_MNEMONIC_BTS,
		ZYDIS_MNEMONIC_BTR, ZYDIS_MNEMONIC_BTC, ZYDIS_MNEMONIC_BSF, ZYDIS_MNEMONIC_BSR, ZYDIS_MNEMONIC_TZCNT,
		ZYDIS_MNEMONIC_LZCNT, ZYDIS_MNEMONIC_POPCNT, ZYDIS_MNEMONIC_CRC32, ZYDIS_MNEMONIC_ANDN,
		ZYDIS_MNEMONIC_BEXTR, ZYDIS_MNEMONIC_BZHI, ZYDIS_MNEMONIC_PDEP, ZYDIS_MNEMONIC_PEXT,
		ZYDIS_MNEMONIC_SHLX, ZYDIS_MNEMONIC_SHRX, ZYDIS_MNEMONIC_SARX, ZYDIS_MNEMONIC_RORX,
		ZYDIS_MNEMONIC_MULX, ZYDIS_MNEMONIC_BLSI, ZYDIS_MNEMONIC_BLSMSK, ZYDIS_MNEMONIC_BLSR,
		ZYDIS_MNEMONIC_ADCX, ZYDIS_MNEMONIC_ADOX, ZYDIS_MNEMONIC_XADD, ZYDIS_MNEMONIC_XCHG,
		ZYDIS_MNEMONIC_CMPXCHG, ZYDIS_MNEMONIC_CMPXCHG8B, ZYDIS_MNEMONIC_CMPXCHG16B,
		ZYDIS_MNEMONIC_MOVSB, ZYDIS_MNEMONIC_MOVSW, ZYDIS_MNEMONIC_MOVSD, ZYDIS_MNEMONIC_MOVSQ,
		ZYDIS_MNEMONIC_STOSB, ZYDIS_MNEMONIC_STOSW, ZYDIS_MNEMONIC_STOSD, ZYDIS_MNEMONIC_STOSQ,
		ZYDIS_MNEMONIC_LODSB, ZYDIS_MNEMONIC_LODSW, ZYDIS_MNEMONIC_LODSD, ZYDIS_MNEMONIC_LODSQ,
		ZYDIS_MNEMONIC_CMPSB, ZYDIS_MNEMONIC_CMPSW, ZYDIS_MNEMONIC_CMPSD, ZYDIS_MNEMONIC_CMPSQ,
		ZYDIS_MNEMONIC_SCASB, ZYDIS_MNEMONIC_SCASW, ZYDIS_MNEMONIC_SCASD, ZYDIS_MNEMONIC_SCASQ,
		ZYDIS_MNEMONIC_CLC, ZYDIS_MNEMONIC_STC, ZYDIS_MNEMONIC_CMC, ZYDIS_MNEMONIC_JRCXZ, ZYDIS_MNEMONIC_RDTSC,
		ZYDIS_MNEMONIC_RDTSCP, ZYDIS_MNEMONIC_RDPID, ZYDIS_MNEMONIC_SFENCE, ZYDIS_MNEMONIC_MFENCE,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		if (mnemonic == allowed[i])
			return true;
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_JB: case ZYDIS_MNEMONIC_JBE: case ZYDIS_MNEMONIC_JL: case ZYDIS_MNEMONIC_JLE:
	case ZYDIS_MNEMONIC_JNB: case ZYDIS_MNEMONIC_JNBE: case ZYDIS_MNEMONIC_JNL: case ZYDIS_MNEMONIC_JNLE:
	case ZYDIS_MNEMONIC_JNO: case ZYDIS_MNEMONIC_JNP: case ZYDIS_MNEMONIC_JNS: case ZYDIS_MNEMONIC_JNZ:
	case ZYDIS_MNEMONIC_JO: case ZYDIS_MNEMONIC_JP: case ZYDIS_MNEMONIC_JS: case ZYDIS_MNEMONIC_JZ:
		return true;
	default:
		return (mnemonic >= ZYDIS_MNEMONIC_CMOVB && mnemonic <= ZYDIS_MNEMONIC_CMOVZ) ||
		       (mnemonic >= ZYDIS_MNEMONIC_SETB && mnemonic <= ZYDIS_MNEMONIC_SETZ) || is_vector(mnemonic);
	}
}

static bool is_branch(const ZydisDecodedInstruction *insn)
{
	return insn->meta.category == ZYDIS_CATEGORY_COND_BR || insn->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
	       insn->mnemonic == ZYDIS_MNEMONIC_CALL;
}

static bool is_reloc(u32 off)
{
	u32 i;

	for (i = 0; i < image->reloc_cnt; i++)
		if (image->relocs[i].off == off)
			return true;
	return false;
}

static bool map_target(s64 off)
{
	if (off < 0 || off >= image->code_len)
		return complain("something leads out of the image");
	map[off] |= MAP_TARGET;
	return true;
}

static bool map_targets(void)
{
	bool is_good = true;
	u32 i;

	for (i = 0; i < image->fault_cnt; i++)
		is_good &= map_target(image->faults[i].fixup_off);
	for (i = 0; i < image->entry_cnt; i++)
		is_good &= map_target(image->entries[i].off);
	return is_good;
}

static bool check_map(u32 *ret_off)
{
	for (*ret_off = 0; *ret_off < image->code_len; ++*ret_off)
		if (map[*ret_off] == MAP_TARGET)
			return complain("something leads into an instruction");
	for (*ret_off = 0; *ret_off < image->fault_cnt; ++*ret_off)
		if (!(map[image->faults[*ret_off].insn_off] & MAP_START))
			return complain("a fault-table entry of no instruction");
	return true;
}

static bool check_one(u32 off, const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *ops)
{
	u32 i;

	if (!is_allowed(insn->mnemonic))
		return complain("an instruction that is not on the list");
	if (insn->attributes & ZYDIS_ATTRIB_HAS_SEGMENT & ~ZYDIS_ATTRIB_HAS_SEGMENT_GS)
		return complain("a segment prefix");
	if (is_branch(insn)) {
		if (ops[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
			return complain("an indirect branch");
		if (insn->mnemonic == ZYDIS_MNEMONIC_CALL && !is_reloc(off + 1))
			return complain("a call into the image");
		if (!is_reloc(off + insn->length - 4) && !map_target(off + insn->length + ops[0].imm.value.s))
			return false;
	}
	for (i = 0; i < insn->operand_count; i++)
		if (ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY && !check_memory(insn, &ops[i], off))
			return false;
	return true;
}

/* Does it reach memory that is not the kernel's own, as its fault-table entry says? */
static bool is_user_access(u32 off, const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *ops)
{
	u32 i;

	if (!has_fault_entry(off) || insn->mnemonic == ZYDIS_MNEMONIC_DIV || insn->mnemonic == ZYDIS_MNEMONIC_IDIV)
		return false;
	for (i = 0; i < insn->operand_count; i++)
		if (ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			return true;
	return false;
}

struct walk {
	bool is_closed;
	u32 stac, clac;
};

static bool walk_one(struct walk *walk, u32 off, const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *ops)
{
	if (!check_one(off, insn, ops))
		return false;
	if (insn->mnemonic == ZYDIS_MNEMONIC_CLAC)
		walk->is_closed = true, walk->clac++;
	if (insn->mnemonic == ZYDIS_MNEMONIC_STAC)
		walk->is_closed = false, walk->stac++;
	if (!env->smap)
		return true;
	if ((insn->mnemonic == ZYDIS_MNEMONIC_CALL || insn->mnemonic == ZYDIS_MNEMONIC_RET) && !walk->is_closed)
		return complain("a call or return with user access open");
	if (walk->is_closed && is_user_access(off, insn, ops))
		return complain("a user access while closed");
	return true;
}

/* Linear over the bytes.  User access is closed at each call; all code but stubs behind a call keeps it open. */
static void walk_image(u32 *ret_off)
{
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	struct walk walk = { .is_closed = true };
	ZydisDecodedInstruction insn;
	ZydisDecoder decoder;
	u32 off;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	memset(map, 0, image->code_len);
	if (!map_targets())
		return;
	for (off = 0; off < image->code_len; off += insn.length) {
		*ret_off = off;
		map[off] |= MAP_START;
		if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, image->code + off, image->code_len - off, &insn, ops)))
			complain("bytes that are no instruction");
		else
			walk_one(&walk, off, &insn, ops);
		if (complaint)
			return;
	}
	/* One stac per entry and call, one clac per call and for the common exit; none if no memory is touched. */
	if ((walk.stac || walk.clac) && walk.stac - image->entry_cnt != walk.clac - 1)
		complain("stac and clac do not pair");
	if (!env->smap && (walk.stac || walk.clac))
		complain("stac or clac without SMAP");
	if (!complaint)
		check_map(ret_off);
}

const char *reread_image(const struct ub_image *made, const struct ub_block *block, const struct ub_jit_env *made_with,
			 u32 *ret_off)
{
	image = made;
	env = made_with;
	complaint = NULL;
	*ret_off = 0;
	if (ub_layout_make(block, &layout))
		return "no layout";
	walk_image(ret_off);
	return complaint;
}

const char *reread_check(const struct ub_image *made, const struct ub_jit_env *made_with, u64 limit, u32 *ret_off)
{
	static u8 code[UB_MAX_IMAGE];
	static struct ub_image_log log;
	u32 i;
	int err;

	memcpy(code, made->code, made->code_len);
	for (i = 0; i < made->reloc_cnt; i++) {
		s32 rel = made->relocs[i].target - (REREAD_ADDRESS + made->relocs[i].off + 4);

		memcpy(code + made->relocs[i].off, &rel, 4);
	}
	err = ub_image_check(made, code, REREAD_ADDRESS, made_with, limit, &log);
	*ret_off = log.off;
	return err == -EACCES ? log.text : NULL;
}
