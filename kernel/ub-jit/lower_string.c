// SPDX-License-Identifier: GPL-2.0
/*
 * lower_string: repeated string operations, in chunks, between which the work flags are looked at.
 */
#include "lower.h"

#define CHUNK	4096	/* elements between two looks */

/* By opcode. */
enum { STOS = 0xaa, LODS = 0xac, MOVS = 0xa4, CMPS = 0xa6, SCAS = 0xae };
enum { REPNE = 0xf2, REP = 0xf3 };

static bool uses_si(u8 opcode)
{
	return opcode == MOVS || opcode == LODS || opcode == CMPS;
}

static bool compares(u8 opcode)
{
	return opcode == CMPS || opcode == SCAS;
}

/* Registers, as a mask. */
static u16 written_by(u8 opcode)
{
	return 1u << X86_RCX | (uses_si(opcode) ? 1u << X86_RSI : 0) | 1u << (opcode == LODS ? X86_RAX : X86_RDI);
}

/*
 *	bad address?		-> leave
 *	mov scratch, rcx; cmp rcx, CHUNK; jbe 1f; mov ecx, CHUNK
 * 1:	sub scratch, rcx
 *	rep movs		on a fault: rcx += scratch, leave
 * Sound: addresses only rise from a guarded start, and the page at LIMIT is never mapped, so a run stops there.
 */
static void emit_chunk(struct jit *j, enum ub_width w, u8 prefix, u8 opcode)
{
	u32 full;

	if (opcode != LODS)
		lower_guard_in_place(j, X86_RDI);
	if (uses_si(opcode))
		lower_guard_in_place(j, X86_RSI);
	lower_to_scratch(j, x86_reg(X86_RCX));
	x86_alu_rm_imm(&j->code, UB_W64, X86_CMP, x86_reg(X86_RCX), CHUNK);
	full = x86_jcc(&j->code, UB_CC_BE);
	x86_mov_reg_imm64(&j->code, X86_RCX, CHUNK);
	x86_patch_rel32(&j->code, full, j->code.len);
	x86_alu_reg_rm(&j->code, UB_W64, X86_SUB, j->scratch, x86_reg(X86_RCX));
	jit_leave_on_fault(j, j->code.len, STUB_ADD_RCX);
	x86_rep(&j->code, w, prefix, opcode);
}

/* rcx = what is left; goes on at @start if that is something. */
static void emit_next(struct jit *j, u32 start)
{
	x86_mov_reg_rm(&j->code, UB_W64, X86_RCX, x86_reg(j->scratch));
	x86_test_rm_reg(&j->code, UB_W64, x86_reg(X86_RCX), X86_RCX);
	x86_patch_rel32(&j->code, x86_jcc(&j->code, UB_CC_NE), start);
}

/*
 * The machine's flags are those of the last comparison.
 *	lea rcx, [rcx + scratch]
 *	jne 1f			repe: one differed
 *	jrcxz 1f
 *	jmp start
 * 1:	pushfq; pop [FLAGS]
 */
static void emit_next_comparison(struct jit *j, u32 start, u8 prefix)
{
	u32 found, ended;

	x86_lea(&j->code, UB_W64, X86_RCX, (struct x86_rm){ .is_mem = true, .reg = X86_RCX, .index = j->scratch });
	found = x86_jcc(&j->code, prefix == REP ? UB_CC_NE : UB_CC_E);
	ended = x86_jrcxz(&j->code);
	x86_patch_rel32(&j->code, x86_jmp(&j->code), start);
	x86_patch_rel8(&j->code, ended, j->code.len);
	x86_patch_rel32(&j->code, found, j->code.len);
	x86_pushfq(&j->code);
	x86_pop_mem(&j->code, local(LOCAL_FLAGS));
}

/*
 * 1:	work?			-> leave; everything is committed
 *	test rcx, rcx; jz 2f
 *	a chunk; jnz 1b
 * 2:
 * Comparisons keep the flags of before in memory until theirs are known.
 */
static void repeat(struct jit *j, const struct ub_insn *insn, u8 prefix, u8 opcode)
{
	u32 start, done;

	if (compares(opcode))
		jit_flags_to_slot(j);
	lower_flags_before(j);
	start = j->code.len;
	jit_hint_here(j, 1u << j->scratch, written_by(opcode));
	lower_test_work(j);
	jit_leave_if(j, UB_CC_NE, UB_EXIT_WORK, STUB_PLAIN);
	x86_test_rm_reg(&j->code, UB_W64, x86_reg(X86_RCX), X86_RCX);
	done = x86_jcc(&j->code, UB_CC_E);
	emit_chunk(j, ub_insn_width(insn), prefix, opcode);
	if (compares(opcode))
		emit_next_comparison(j, start, prefix);
	else
		emit_next(j, start);
	x86_patch_rel32(&j->code, done, j->code.len);
}

#define REPEATED(NAME, prefix, opcode)						\
void lower_##NAME(struct jit *j, const struct ub_insn *insn)			\
{										\
	repeat(j, insn, prefix, opcode);					\
}

REPEATED(REPMOVS, REP, MOVS)
REPEATED(REPSTOS, REP, STOS)
REPEATED(REPLODS, REP, LODS)
REPEATED(REPECMPS, REP, CMPS)
REPEATED(REPNECMPS, REPNE, CMPS)
REPEATED(REPESCAS, REP, SCAS)
REPEATED(REPNESCAS, REPNE, SCAS)
