// SPDX-License-Identifier: GPL-2.0
/*
 * jit_image: reads the machine code of random blocks back with Zydis and holds it to the rules that images keep:
 * no segment prefix, no indirect branch, no instruction outside a list, pt_regs written at general registers only,
 * user memory only through a register that may hold a guard, or a constant, a fault-table entry for each access to it,
 * user access closed at calls and exits.
 *
 * usage: jit_image [PROGRAMS [SEED]]
 */
#include <Zydis/Zydis.h>

#include "../gen.h"
#include "../../kernel/ub-jit/jit.h"
#include "../../kernel/ub-jit/layout.h"

#define FAKE_STUB	0x7000ull
#define FAKE_SLOW	0x7100ull

static const struct ub_image *image;
static struct ub_layout layout;
static ZydisDecoder decoder;
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

static bool check_memory(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *op, u32 off)
{
	bool is_write = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	u8 base = ZydisRegisterGetId(op->mem.base);

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
	if (base == X86_RDI || base == X86_RCX || base == layout.scratch || base == layout.reg[UB_GUARDS + 1])
		return is_kernel_object(op) ? true : complain("no fault entry");
	return complain("an unexpected base register");
}

static bool is_allowed(ZydisMnemonic mnemonic)
{
	static const ZydisMnemonic allowed[] = {
		ZYDIS_MNEMONIC_ADC, ZYDIS_MNEMONIC_ADD, ZYDIS_MNEMONIC_AND, ZYDIS_MNEMONIC_BSWAP, ZYDIS_MNEMONIC_BT,
		ZYDIS_MNEMONIC_CALL, ZYDIS_MNEMONIC_CLAC, ZYDIS_MNEMONIC_CMP, ZYDIS_MNEMONIC_DEC, ZYDIS_MNEMONIC_DIV,
		ZYDIS_MNEMONIC_IDIV, ZYDIS_MNEMONIC_IMUL, ZYDIS_MNEMONIC_INC, ZYDIS_MNEMONIC_JMP, ZYDIS_MNEMONIC_LEA, ZYDIS_MNEMONIC_LFENCE,
		ZYDIS_MNEMONIC_MOV, ZYDIS_MNEMONIC_MOVSX, ZYDIS_MNEMONIC_MOVSXD, ZYDIS_MNEMONIC_MOVZX,
		ZYDIS_MNEMONIC_MUL, ZYDIS_MNEMONIC_NEG, ZYDIS_MNEMONIC_NOP, ZYDIS_MNEMONIC_NOT, ZYDIS_MNEMONIC_OR, ZYDIS_MNEMONIC_POP,
		ZYDIS_MNEMONIC_PUSH, ZYDIS_MNEMONIC_PUSHFQ, ZYDIS_MNEMONIC_RET, ZYDIS_MNEMONIC_ROL, ZYDIS_MNEMONIC_ROR,
		ZYDIS_MNEMONIC_SAHF, ZYDIS_MNEMONIC_SAR, ZYDIS_MNEMONIC_SBB, ZYDIS_MNEMONIC_SHL, ZYDIS_MNEMONIC_SHR,
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
		ZYDIS_MNEMONIC_CLC, ZYDIS_MNEMONIC_STC, ZYDIS_MNEMONIC_CMC, ZYDIS_MNEMONIC_JRCXZ,
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
		       (mnemonic >= ZYDIS_MNEMONIC_SETB && mnemonic <= ZYDIS_MNEMONIC_SETZ);
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

static bool check_one(u32 off, const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *ops)
{
	u32 i;

	if (!is_allowed(insn->mnemonic))
		return complain("an instruction that is not on the list");
	if (insn->attributes & ZYDIS_ATTRIB_HAS_SEGMENT)
		return complain("a segment prefix");
	if (is_branch(insn)) {
		if (ops[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
			return complain("an indirect branch");
		if (insn->mnemonic == ZYDIS_MNEMONIC_CALL && !is_reloc(off + 1))
			return complain("a call into the image");
	}
	for (i = 0; i < insn->operand_count; i++)
		if (ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY && !check_memory(insn, &ops[i], off))
			return false;
	return true;
}

/* Linear over the bytes.  User access is closed at each call; all code but stubs behind a call keeps it open. */
static bool check_image(void)
{
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction insn;
	bool is_closed = true;
	u32 off = 0, stac = 0, clac = 0;

	while (off < image->code_len) {
		if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, image->code + off, image->code_len - off, &insn,
						       ops))) {
			complaint = "bytes that are no instruction";
			break;
		}
		complaint = NULL;
		if (!check_one(off, &insn, ops))
			break;
		if (insn.mnemonic == ZYDIS_MNEMONIC_CLAC)
			is_closed = true, clac++;
		if (insn.mnemonic == ZYDIS_MNEMONIC_STAC)
			is_closed = false, stac++;
		if ((insn.mnemonic == ZYDIS_MNEMONIC_CALL || insn.mnemonic == ZYDIS_MNEMONIC_RET) && !is_closed) {
			complaint = "a call or return with user access open";
			break;
		}
		if (has_fault_entry(off) && is_closed && insn.mnemonic != ZYDIS_MNEMONIC_DIV &&
		    insn.mnemonic != ZYDIS_MNEMONIC_IDIV) {
			complaint = "a user access while closed";
			break;
		}
		off += insn.length;
	}
	/* One stac per entry and call, one clac per call and for the common exit; none if no memory is touched. */
	if (!complaint && (stac || clac) && stac - image->entry_cnt != clac - 1)
		complaint = "stac and clac do not pair";
	if (complaint) {
		fprintf(stderr, "at %#x: %s\n", off, complaint);
		return false;
	}
	return true;
}

static bool try_one(const struct gen *g, const struct ub_jit_env *env, u64 *ret_bytes)
{
	struct ub_entry entry = { .ip = GEN_BASE_IP };
	struct ub_block block = { .insns = g->insns, .insn_cnt = g->cnt, .entries = &entry, .entry_cnt = 1,
		.resident = g->resident };
	struct ub_verify_env verify_env = { .limit = gen_limit };
	struct ub_log log = { 0 };
	struct ub_verified *verified;
	struct ub_image *made;
	bool is_good;

	if (ub_verify(&block, &verify_env, &log, &verified))
		return true;	/* jit_random judges the generator */
	if (ub_jit(verified, env, &made)) {
		ub_verified_free(verified);
		return false;
	}
	image = made;
	if (ub_layout_make(&block, &layout))
		return false;
	*ret_bytes += made->code_len;
	is_good = check_image();
	ub_image_free(made);
	ub_verified_free(verified);
	return is_good;
}

int main(int argc, char **argv)
{
	u32 total = argc > 1 ? strtoul(argv[1], NULL, 0) : 3000, i, bad = 0;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, bytes = 0, stubs[512];
	static struct gen g;
	struct ub_jit_env env = {
		.smap = true, .flags_off = 0, .work_mask = 0x2300e, .work_off = 8, .work_exit_mask = 0x5a,
		.pagefault_off = 64, .pre_call = FAKE_SLOW, .post_call = FAKE_SLOW,
		.int_features = UB_INT_F_ALL,
		.call_stubs = stubs, .call_stub_cnt = ARRAY_SIZE(stubs),
	};

	for (i = 0; i < ARRAY_SIZE(stubs); i++)
		stubs[i] = FAKE_STUB;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (gen_map_buf())
		return 1;
	for (i = 0; i < total && !bad; i++) {
		gen_seed(seed, i);
		gen_block(&g);
		if (!try_one(&g, &env, &bytes)) {
			fprintf(stderr, "program %u of seed %llu\n", i, (unsigned long long)seed);
			bad++;
		}
	}
	printf("jit_image: %u programs, %llu bytes\n", i, (unsigned long long)bytes);
	printf("%d passed, %d failed\n", !bad, bad);
	return bad != 0;
}
