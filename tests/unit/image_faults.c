// SPDX-License-Identifier: GPL-2.0
/*
 * image_faults: does the checker catch a JIT that does something wrong?
 *
 * Random blocks are compiled; each image is accepted as it is, and with each fault seeded that it has a place for it is
 * refused.  Zydis finds the places.
 *
 * usage: image_faults [--json FILE] [--programs N] [--seed N]
 */
#include <Zydis/Zydis.h>

#include "../gen.h"
#include "../results.h"
#include "../../ir/parse.h"
#include "../../kernel/ub-jit/jit.h"

#define ADDRESS		0x10000000ull
#define STUBS		0x10200000ull	/* one for each call, 32 bytes apart */
#define THUNK		0x10300000ull
#define PRE_CALL	0x10300100ull
#define POST_CALL	0x10300200ull
#define VEC_OPEN	0x10300300ull
#define VEC_CLOSE	0x10300400ull
#define MAX_CODE	65536u
#define MAX_INSNS	16384u
#define NR_CNT		512u

enum { FLAGS_OFF = 0, WORK_OFF = 8, PAGEFAULT_OFF = 64 };

/* A fresh copy of an image, its relocations done, and where its instructions are. */
struct draft {
	struct ub_image image;
	struct ub_jit_env env;
	u8 code[MAX_CODE + 16];
	struct ub_image_fault faults[MAX_INSNS];
	struct ub_image_exit exits[MAX_INSNS];
	struct ub_image_entry entries[8];
	struct ub_image_hint hints[MAX_INSNS];
	struct ub_image_fact facts[MAX_INSNS];
};

struct place {
	u32 off;
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
};

static struct draft draft, *d = &draft;
static struct place places[MAX_INSNS];
static u32 place_cnt;
static bool has_loop, has_call_loop;	/* the latter: only calls look for work */
static ZydisDecoder decoder;
static u64 stubs[NR_CNT];

/* --- finding a place --- */

static bool is_mem(const struct place *p, u32 op, ZydisRegister base, s64 disp)
{
	return op < p->insn.operand_count && p->ops[op].type == ZYDIS_OPERAND_TYPE_MEMORY && p->ops[op].mem.base == base &&
	       p->ops[op].mem.disp.value == disp;
}

static ZydisRegister reg_of(const struct place *p, u32 op)
{
	return p->ops[op].type == ZYDIS_OPERAND_TYPE_REGISTER ? p->ops[op].reg.value : ZYDIS_REGISTER_NONE;
}

static bool has_fault(const struct place *p)
{
	u32 i;

	for (i = 0; i < d->image.fault_cnt; i++)
		if (d->faults[i].insn_off == p->off)
			return true;
	return false;
}

/* cmovae reg, [LIMIT] of a guard, whose register is the base of the next instruction's operand. */
static bool is_clamp(const struct place *p)
{
	u32 i;

	if (p->insn.mnemonic != ZYDIS_MNEMONIC_CMOVNB || !is_mem(p, 1, ZYDIS_REGISTER_RBP, UB_LOCAL_LIMIT) || !has_fault(p + 1))
		return false;
	for (i = 0; i < p[1].insn.operand_count; i++)
		if (p[1].ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY && p[1].ops[i].mem.base == reg_of(p, 0) &&
		    p[1].ops[i].mem.index == ZYDIS_REGISTER_NONE)
			return p[1].insn.mnemonic != ZYDIS_MNEMONIC_MOVSB;
	return false;
}

static bool is_guard_compare(const struct place *p)
{
	return p->insn.mnemonic == ZYDIS_MNEMONIC_CMP && is_clamp(p + 1);
}

static bool is_mask(const struct place *p)
{
	u32 i;

	if (p->insn.mnemonic != ZYDIS_MNEMONIC_AND || !is_mem(p, 1, ZYDIS_REGISTER_RBP, UB_LOCAL_MASK) || !has_fault(p + 1))
		return false;
	for (i = 0; i < p[1].insn.operand_count; i++)
		if (p[1].ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY && p[1].ops[i].mem.base == reg_of(p, 0))
			return true;
	return false;
}

static bool is_behind_clamp(const struct place *p)
{
	return p > places && is_clamp(p - 1) && p->insn.raw.disp.size == 8;
}

static bool is_what(const struct place *p, ZydisMnemonic mnemonic)
{
	return p->insn.mnemonic == mnemonic;
}

static bool is_clac_at_call(const struct place *p)
{
	u32 i;

	for (i = 1; i < 6 && is_what(p, ZYDIS_MNEMONIC_CLAC); i++)
		if (is_what(p + i, ZYDIS_MNEMONIC_CALL))
			return true;
	return false;
}

static bool is_stac(const struct place *p)
{
	return is_what(p, ZYDIS_MNEMONIC_STAC);
}

static bool is_lfence(const struct place *p)
{
	return is_what(p, ZYDIS_MNEMONIC_LFENCE) && is_stac(p + 1);
}

static bool is_call(const struct place *p)
{
	return is_what(p, ZYDIS_MNEMONIC_CALL);
}

static bool is_stub_call(const struct place *p)
{
	u64 target = ADDRESS + p->off + p->insn.length + (is_call(p) ? p->ops[0].imm.value.s : 0);

	return is_call(p) && target >= STUBS && target < STUBS + 32 * NR_CNT;
}

static bool is_branch32(const struct place *p)
{
	return p->insn.meta.category == ZYDIS_CATEGORY_COND_BR && p->insn.length == 6;
}

/* One into the middle of what it leads to. */
static bool is_branch_to_long(const struct place *p)
{
	s64 target = p->off + p->insn.length + p->ops[0].imm.value.s;
	u32 i;

	if (!is_branch32(p))
		return false;
	for (i = 0; i < place_cnt; i++)
		if (places[i].off == (u32)target)
			return places[i].insn.length > 1;
	return false;
}

static bool is_jump32(const struct place *p)
{
	return is_what(p, ZYDIS_MNEMONIC_JMP) && p->insn.length == 5;
}

/* The register that holds pt_regs, which the first prologue notes. */
static ZydisRegister regs_base(void)
{
	u32 i;

	for (i = 0; i < place_cnt; i++)
		if (places[i].insn.mnemonic == ZYDIS_MNEMONIC_MOV && is_mem(&places[i], 0, ZYDIS_REGISTER_RBP, UB_LOCAL_REGS))
			return reg_of(&places[i], 1);
	return ZYDIS_REGISTER_NONE;
}

static bool is_regs_store(const struct place *p)
{
	return is_what(p, ZYDIS_MNEMONIC_MOV) && p->ops[0].type == ZYDIS_OPERAND_TYPE_MEMORY && p->ops[0].size == 64 && !has_fault(p) &&
	       p->ops[0].mem.base == regs_base() && p->ops[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
}

static bool is_short_regs_store(const struct place *p)
{
	return is_regs_store(p) && p->insn.raw.disp.size == 8;
}

static bool is_rsp_store(const struct place *p)
{
	return is_regs_store(p) && p->insn.raw.disp.size == 32;
}

static bool is_work_test(const struct place *p)
{
	return is_what(p, ZYDIS_MNEMONIC_TEST) && p->ops[0].type == ZYDIS_OPERAND_TYPE_MEMORY && p->ops[0].mem.disp.value == FLAGS_OFF &&
	       p->ops[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && (u32)p->ops[1].imm.value.u == d->env.work_mask && !has_fault(p);
}

static bool is_work_off_test(const struct place *p)
{
	return is_what(p, ZYDIS_MNEMONIC_CMP) && p->ops[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       p->ops[0].mem.disp.value == WORK_OFF && !has_fault(p) && p->ops[0].mem.base != regs_base() &&
	       p->insn.raw.disp.size == 8 && p->ops[1].imm.value.u == 0 && p->ops[0].size == 64;
}

static bool is_pagefault(const struct place *p, ZydisMnemonic mnemonic)
{
	return is_what(p, mnemonic) && p->ops[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       p->ops[0].mem.disp.value == PAGEFAULT_OFF && !has_fault(p) && p->ops[0].size == 32;
}

static bool is_enable(const struct place *p)
{
	return is_pagefault(p, ZYDIS_MNEMONIC_DEC) && p->ops[0].mem.base != regs_base();
}

static bool is_disable(const struct place *p)
{
	return is_pagefault(p, ZYDIS_MNEMONIC_INC) && p->ops[0].mem.base != regs_base();
}

/* mov reg, exit; jmp the common exit, the last code of the image. */
static bool is_exit(const struct place *p)
{
	return is_what(p, ZYDIS_MNEMONIC_MOV) && p->ops[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && is_jump32(p + 1) &&
	       p->ops[1].imm.value.u < d->image.exit_cnt && p->insn.raw.imm[0].size == 32 &&
	       p[1].off + 5 + p[1].ops[0].imm.value.s > places[place_cnt - 1].off - 220;
}

static bool is_line_compare(const struct place *p)
{
	return p > places && is_what(p, ZYDIS_MNEMONIC_CMP) && is_what(p - 1, ZYDIS_MNEMONIC_AND) &&
	       p[-1].ops[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && p[-1].ops[1].imm.value.u == 63 &&
	       is_what(p + 1, ZYDIS_MNEMONIC_JNBE) && reg_of(p, 0) == reg_of(p - 1, 0);
}

static bool is_line_jump(const struct place *p)
{
	return p > places && is_line_compare(p - 1);
}

static bool is_number_compare(const struct place *p)
{
	u32 i;

	if (!is_what(p, ZYDIS_MNEMONIC_CMP) || reg_of(p, 0) != ZYDIS_REGISTER_EAX || !is_what(p + 1, ZYDIS_MNEMONIC_JNZ))
		return false;
	for (i = 2; i < 14; i++)
		if (is_stub_call(p + i))
			return true;
	return false;
}

static bool is_flags_pop(const struct place *p)
{
	u32 i;

	for (i = 1; i < 6 && is_what(p, ZYDIS_MNEMONIC_POP); i++)
		if (is_stub_call(p + i))
			return true;
	return false;
}

/* The jump to the rare part of a system call, where somebody wants to see it. */
static bool is_call_work_jump(const struct place *p)
{
	return p > places && is_work_off_test(p - 1) && is_what(p, ZYDIS_MNEMONIC_JNZ);
}

static bool is_low_lea(const struct place *p)
{
	return is_what(p, ZYDIS_MNEMONIC_LEA) && p->ops[1].mem.disp.value == -UB_HOLD_LOW;
}

static bool is_vec_open(const struct place *p)
{
	return is_call(p) && ADDRESS + p->off + 5 + p->ops[0].imm.value.s == VEC_OPEN;
}

static bool is_call_to(const struct place *p, u64 target)
{
	return is_call(p) && ADDRESS + p->off + 5 + p->ops[0].imm.value.s == target;
}

/* The jump back where one of the two C functions says to go on. */
static bool is_go_on(const struct place *p, u64 target)
{
	const struct place *call = p;

	if (!is_what(p, ZYDIS_MNEMONIC_JB) || p->insn.length != 6)
		return false;
	while (call > places && !is_call(call))
		call--;
	return is_call_to(call, target);
}

static bool is_pre_go_on(const struct place *p)
{
	return is_go_on(p, PRE_CALL);
}

static bool is_post_go_on(const struct place *p)
{
	return has_call_loop && is_go_on(p, POST_CALL);
}

static bool is_ip(const struct place *p)
{
	return is_stub_call(p + 1) && is_what(p, ZYDIS_MNEMONIC_MOV);
}

static bool is_any_of_4(const struct place *p)
{
	return p->insn.length >= 4 && p > places + 12;
}

static bool is_first(const struct place *p)
{
	return p > places + 1 && is_lfence(p - 2) && p->insn.length >= 4;
}

/* A random one of those. */
static struct place *find(bool (*is_it)(const struct place *))
{
	u32 start = gen_random() % place_cnt, i;

	for (i = 0; i < place_cnt; i++) {
		struct place *p = &places[(start + i) % place_cnt];

		if (p + 3 < places + place_cnt && is_it(p))
			return p;
	}
	return NULL;
}

/* --- faults of the code --- */

static void fill(const struct place *p, const u8 *bytes, u32 len)
{
	memset(d->code + p->off, 0x90, p->insn.length);
	memcpy(d->code + p->off, bytes, len);
}

static bool drop(bool (*is_it)(const struct place *))
{
	struct place *p = find(is_it);

	if (p)
		fill(p, NULL, 0);
	return p;
}

#define DROP(name, is_it)		\
static bool name(void)			\
{					\
	return drop(is_it);		\
}

DROP(no_clamp, is_clamp)
DROP(no_compare, is_guard_compare)
DROP(no_mask, is_mask)
DROP(no_clac, is_clac_at_call)
DROP(no_stac, is_stac)
DROP(no_lfence, is_lfence)
DROP(no_enable, is_enable)
DROP(no_disable, is_disable)
DROP(no_line_jump, is_line_jump)
DROP(no_pop, is_flags_pop)
DROP(no_vec_open, is_vec_open)
DROP(no_look_before_call, is_call_work_jump)

/* Changes one byte of it, counted from its end if @at is negative. */
static bool poke(bool (*is_it)(const struct place *), s32 at, u8 flip)
{
	struct place *p = find(is_it);

	if (p)
		d->code[p->off + (at < 0 ? p->insn.length + at : at)] ^= flip;
	return p;
}

#define POKE(name, is_it, at, flip)	\
static bool name(void)			\
{					\
	return poke(is_it, at, flip);	\
}

POKE(clamp_below, is_clamp, 2, 1)			/* cmovae -> cmovb */
POKE(clamp_to_other_local, is_clamp, -1, 0x10)
POKE(clamp_other_register, is_clamp, 3, 0x18)
POKE(compare_32_bits, is_guard_compare, 0, 0x08)
POKE(compare_other_local, is_guard_compare, -1, 0x10)
POKE(mask_other_local, is_mask, -4, 0x20)
POKE(low_32_bits, is_low_lea, 0, 0x08)
POKE(work_field, is_work_off_test, 3, 0x20)
POKE(enable_field, is_enable, -1, 0x04)
POKE(disable_field, is_disable, -1, 0x04)
POKE(enable_twice, is_disable, 2, 0x08)		/* inc -> dec */
POKE(line_longer, is_line_compare, -1, 0x07)
POKE(call_beside, is_call, 1, 0x08)
POKE(wrong_number, is_number_compare, -4, 0x01)

static bool set_disp(bool (*is_it)(const struct place *), u32 disp)
{
	struct place *p = find(is_it);

	if (p)
		memcpy(d->code + p->off + p->insn.raw.disp.offset, &disp, p->insn.raw.disp.size / 8);
	return p;
}

#define DISP(name, is_it, disp)		\
static bool name(void)			\
{					\
	return set_disp(is_it, disp);	\
}

DISP(below_window, is_behind_clamp, 0x80)
DISP(writes_orig_ax, is_short_regs_store, 120)
DISP(writes_across, is_short_regs_store, 116)
DISP(writes_below_regs, is_short_regs_store, -8)
DISP(writes_ip, is_rsp_store, 128)
DISP(writes_cs, is_rsp_store, 136)
DISP(writes_flags, is_rsp_store, 144)
DISP(writes_ss, is_rsp_store, 160)
DISP(writes_beyond_regs, is_rsp_store, 168)

static bool set_imm(bool (*is_it)(const struct place *), u32 imm)
{
	struct place *p = find(is_it);

	if (p)
		memcpy(d->code + p->off + p->insn.raw.imm[0].offset, &imm, p->insn.raw.imm[0].size == 8 ? 1 : 4);
	return p;
}

static bool exit_number(void)
{
	return set_imm(is_exit, d->image.exit_cnt);
}

static bool kernel_ip(void)
{
	struct place *p = find(is_ip);

	if (!p || p->insn.raw.imm[0].size != 32)
		return false;
	/* mov r9d, imm32 (41 b9): becomes a read of the frame's pointer. */
	fill(p, (const u8[]){ 0x4c, 0x8b, 0x4d, 0xd0 }, 4);
	return true;
}

static bool set_target(bool (*is_it)(const struct place *), s64 target)
{
	struct place *p = find(is_it);
	s32 rel;

	if (!p)
		return false;
	rel = target - (p->off + p->insn.length);
	memcpy(d->code + p->off + p->insn.length - 4, &rel, 4);
	return true;
}

static bool jump_outside(void)
{
	return set_target(is_branch32, d->image.code_len + 64);
}

static bool jump_before(void)
{
	return set_target(is_branch32, -16);
}

static bool jump_to_entry(void)
{
	return set_target(is_branch32, d->entries[0].off);
}

static bool jump_to_handler(void)
{
	return set_target(is_branch32, STUBS - ADDRESS);
}

static bool jump_to_middle(void)
{
	struct place *p = find(is_branch_to_long);
	s32 rel;

	if (!p)
		return false;
	rel = p->ops[0].imm.value.s + 1;
	memcpy(d->code + p->off + 2, &rel, 4);
	return true;
}

static bool call_other(void)
{
	return set_target(is_stub_call, VEC_OPEN - ADDRESS);
}

static bool call_handler_of_other_number(void)
{
	struct place *p = find(is_stub_call);
	s32 rel;

	if (!p)
		return false;
	rel = p->ops[0].imm.value.s + 32;
	memcpy(d->code + p->off + 1, &rel, 4);
	return true;
}

static bool early_return(void)
{
	struct place *p = find(is_jump32);

	if (p)
		fill(p, (const u8[]){ 0xc3 }, 1);
	return p;
}

/* Of a mov to memory. */
static void set_source(const struct place *p, ZydisRegister source)
{
	u8 reg = ZydisRegisterGetId(source);

	d->code[p->off] = (d->code[p->off] & ~4) | (reg >= 8 ? 4 : 0);
	d->code[p->off + 2] = (d->code[p->off + 2] & ~0x38) | (reg & 7) << 3;
}

/* "Below" becomes "always". */
static bool always(bool (*is_it)(const struct place *))
{
	struct place *p = find(is_it);

	if (p)
		memcpy(d->code + p->off, (const u8[]){ 0x90, 0xe9 }, 2);
	return p;
}

static bool ignores_pre_call(void)
{
	return always(is_pre_go_on);
}

static bool ignores_post_call(void)
{
	return always(is_post_go_on);
}

static bool leaks_regs_pointer(void)
{
	struct place *p = find(is_short_regs_store);

	if (p)
		set_source(p, p->ops[0].mem.base);
	return p;
}

/* In the rare part before a call, to which the jump leads that looks at the task. */
static bool leaks_task_pointer(void)
{
	struct place *jump = find(is_call_work_jump), *p = jump;
	u32 rare;

	if (!jump)
		return false;
	rare = jump->off + jump->insn.length + jump->ops[0].imm.value.s;
	while (p < places + place_cnt - 1 && (p->off < rare || !is_short_regs_store(p)))
		p++;
	if (!is_short_regs_store(p))
		return false;
	set_source(p, jump[-1].ops[0].mem.base);
	return true;
}

/* Every look for work is dropped, or looks the wrong way. */
static bool each_check(bool drops)
{
	bool is_there = false;
	u32 i;

	for (i = 0; has_loop && i + 1 < place_cnt; i++) {
		if (!is_work_test(&places[i]) || !is_what(&places[i + 1], ZYDIS_MNEMONIC_JNZ))
			continue;
		is_there = true;
		if (drops)
			fill(&places[i + 1], NULL, 0);
		else
			d->code[places[i + 1].off + (places[i + 1].insn.length == 6)] ^= 1;
	}
	return is_there;
}

static bool no_check(void)
{
	return each_check(true);
}

static bool check_wrong_way(void)
{
	return each_check(false);
}

static bool check_of_less(void)
{
	bool is_there = false;
	u32 i, mask = d->env.work_mask & ~2u;

	for (i = 0; has_loop && i < place_cnt; i++)
		if (is_work_test(&places[i])) {
			memcpy(d->code + places[i].off + places[i].insn.length - 4, &mask, 4);
			is_there = true;
		}
	return is_there;
}

static bool is_tick(const struct place *p)
{
	return is_what(p, ZYDIS_MNEMONIC_DEC) && d->image.ticks != UB_NOREG && p->ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       ZydisRegisterGetId(reg_of(p, 0)) == d->image.ticks && p->ops[0].size == 32 && is_what(p + 1, ZYDIS_MNEMONIC_JZ);
}

static bool is_tick_jump(const struct place *p)
{
	return p > places && is_tick(p - 1);
}

DROP(no_tick, is_tick)
DROP(no_tick_jump, is_tick_jump)

static bool more_ticks(void)
{
	bool is_there = false;
	u32 i, more = UB_TICKS * 1000;

	for (i = 0; has_loop && d->image.ticks != UB_NOREG && i < place_cnt; i++)
		if (is_what(&places[i], ZYDIS_MNEMONIC_MOV) && places[i].ops[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		    ZydisRegisterGetId(reg_of(&places[i], 0)) == d->image.ticks && places[i].ops[1].imm.value.u == UB_TICKS) {
			memcpy(d->code + places[i].off + places[i].insn.length - 4, &more, 4);
			is_there = true;
		}
	return is_there && find(is_tick);
}

/* --- faults of prologue and epilogue --- */

static bool poke_at(u32 off, u8 byte)
{
	d->code[off] = byte;
	return true;
}

static bool prologue_saves_less(void)
{
	return poke_at(d->entries[0].off + 4, 0x90);
}

static bool prologue_small_frame(void)
{
	return poke_at(d->entries[0].off + 16, 0x20);
}

static u32 epilogue_at(void)
{
	u32 i;

	for (i = d->image.code_len - 22; memcmp(d->code + i, "\x48\x81\xc4", 3); i--)
		;
	return i;
}

static bool epilogue_other_order(void)
{
	u32 at = epilogue_at();

	return poke_at(at + 8, 0x5e) && poke_at(at + 10, 0x5f);
}

static bool epilogue_large_frame(void)
{
	return poke_at(epilogue_at() + 3, 0xb0);
}

static bool other_thunk(void)
{
	return poke_at(d->image.code_len - 4, d->code[d->image.code_len - 4] ^ 0x10);
}

static bool left_open(void)
{
	u32 i;

	for (i = place_cnt; i-- > 0;)
		if (is_what(&places[i], ZYDIS_MNEMONIC_CLAC)) {
			fill(&places[i], NULL, 0);
			return true;
		}
	return false;
}

/* --- faults of the tables --- */

static bool no_fault_entry(void)
{
	u32 at = d->image.fault_cnt ? gen_random() % d->image.fault_cnt : 0;

	if (!d->image.fault_cnt)
		return false;
	memmove(d->faults + at, d->faults + at + 1, (--d->image.fault_cnt - at) * sizeof(*d->faults));
	return true;
}

static bool moved_fault_entry(void)
{
	if (d->image.fault_cnt)
		d->faults[gen_random() % d->image.fault_cnt].insn_off++;
	return d->image.fault_cnt;
}

static bool fixup_in_middle(void)
{
	u32 i, at = d->image.fault_cnt ? gen_random() % d->image.fault_cnt : 0;

	for (i = 0; d->image.fault_cnt && i < place_cnt; i++)
		if (places[i].off == d->faults[at].fixup_off && places[i].insn.length > 1) {
			d->faults[at].fixup_off++;
			return true;
		}
	return false;
}

static bool fixup_at_entry(void)
{
	if (d->image.fault_cnt)
		d->faults[0].fixup_off = d->entries[0].off;
	return d->image.fault_cnt;
}

static bool fixup_outside(void)
{
	if (d->image.fault_cnt)
		d->faults[0].fixup_off = d->image.code_len;
	return d->image.fault_cnt;
}

static bool exit_to_kernel(void)
{
	if (d->image.exit_cnt)
		d->exits[0].ip = ~0ull << 47;
	return d->image.exit_cnt;
}

static bool moved_entry(void)
{
	d->entries[0].off++;
	return true;
}

static bool no_entry(void)
{
	d->image.entry_cnt = 0;
	return true;
}

static bool truncated(void)
{
	d->image.code_len--;
	return true;
}

static bool no_hints(void)
{
	d->image.hint_cnt = 0;
	return has_loop;
}

static bool moved_hint(void)
{
	u32 i;

	for (i = 0; d->image.hint_cnt && i + 1 < place_cnt; i++)
		if (places[i].off == d->hints[0].off && places[i].insn.length > 1) {
			d->hints[0].off++;
			return true;
		}
	return false;
}

/* A register that is the guest's, of which nothing is known, is said to hold a number. */
static bool hint_of_value(void)
{
	struct ub_image_hint *hint = d->image.hint_cnt ? &d->hints[gen_random() % d->image.hint_cnt] : NULL;
	u32 known = 0, i;

	if (!hint || hint->is_kept)
		return false;
	for (i = 0; i < hint->fact_cnt; i++)
		known |= 1u << d->facts[hint->fact_idx + i].reg;
	for (i = 0; i < 16; i++) {
		if (hint->reg[i] != UB_HINT_GUEST || known & 1u << i)
			continue;
		memmove(d->facts + MAX_INSNS - 64, d->facts + hint->fact_idx, hint->fact_cnt * sizeof(*d->facts));
		hint->fact_idx = MAX_INSNS - 64;
		d->facts[hint->fact_idx + hint->fact_cnt++] = (struct ub_image_fact){ .reg = i, .value = ub_reg_const(gen_random() | 1ull << 63) };
		d->image.fact_cnt = MAX_INSNS;
		return true;
	}
	return false;
}

/* One that begins below zero, and is said to rise to it with each tick. */
static bool hint_of_impossible_walk(void)
{
	const s32 up = 1 << 22;

	if (!hint_of_value())
		return false;
	d->facts[MAX_INSNS - 64].value = (struct ub_reg){
		.kind = UB_REG_GUARDED, .walk = { -(s64)UB_WALK_TICKS * up, 0, up, 0 } };
	return true;
}

static bool hint_of_class(enum ub_hint_class class)
{
	struct ub_image_hint *hint = d->image.hint_cnt ? &d->hints[gen_random() % d->image.hint_cnt] : NULL;
	u32 i;

	for (i = 0; hint && !hint->is_kept && i < 16; i++)
		if (i != 4 && i != 5 && hint->reg[i] == UB_HINT_NONE) {
			hint->reg[i] = class;
			return true;
		}
	return false;
}

static bool hint_of_task(void)
{
	return hint_of_class(UB_HINT_TASK);
}

static bool hint_of_regs(void)
{
	return hint_of_class(UB_HINT_REGS);
}

static bool hint_of_local(void)
{
	struct ub_image_hint *hint = d->image.hint_cnt ? &d->hints[gen_random() % d->image.hint_cnt] : NULL;

	if (!hint || hint->is_kept)
		return false;
	hint->locals |= 1u << 15;	/* r22, which next to no block has */
	return true;
}

static bool no_features(void)
{
	d->env.int_features = 0;
	d->env.vec_features = 0;
	return d->image.insn_offs[0] && find(is_vec_open);
}

/* --- instructions that must never be there --- */

struct bytes {
	const char *name;
	u8 len, bytes[6];
	bool is_first;		/* only as the first instruction is it certain to be wrong */
};

#define ANY(name, ...)		{ name, sizeof((u8[]){ __VA_ARGS__ }), { __VA_ARGS__ }, false }
#define FIRST(name, ...)	{ name, sizeof((u8[]){ __VA_ARGS__ }), { __VA_ARGS__ }, true }

static const struct bytes forbidden[] = {
	ANY("wrmsr", 0x0f, 0x30), ANY("rdmsr", 0x0f, 0x32), ANY("in al, dx", 0xec),
	ANY("out dx, al", 0xee), ANY("popf", 0x9d), ANY("std", 0xfd), ANY("sti", 0xfb),
	ANY("cli", 0xfa), ANY("iretq", 0x48, 0xcf), ANY("mov cr3, rax", 0x0f, 0x22, 0xd8),
	ANY("swapgs", 0x0f, 0x01, 0xf8), ANY("wrfsbase", 0xf3, 0x0f, 0xae, 0xd0),
	ANY("xrstor", 0x0f, 0xae, 0x28), ANY("ldmxcsr", 0x0f, 0xae, 0x10), ANY("wrpkru", 0x0f, 0x01, 0xef),
	ANY("syscall", 0x0f, 0x05), ANY("sysret", 0x0f, 0x07), ANY("int3", 0xcc), ANY("int n", 0xcd, 0x80),
	ANY("hlt", 0xf4), ANY("jmp rax", 0xff, 0xe0), ANY("call rax", 0xff, 0xd0),
	ANY("call [rax]", 0xff, 0x10), ANY("mov ss, eax", 0x8e, 0xd0), ANY("fld", 0xd9, 0x00),
	ANY("emms", 0x0f, 0x77), ANY("mov rsp, rax", 0x48, 0x89, 0xc4), ANY("mov rbp, rax", 0x48, 0x89, 0xc5),
	ANY("mov rax, rsp", 0x48, 0x89, 0xe0), ANY("mov rax, rbp", 0x48, 0x89, 0xe8),
	ANY("push rax", 0x50), ANY("pop rax", 0x58), ANY("bt [rax], ecx", 0x0f, 0xa3, 0x08),
	ANY("maskmovdqu", 0x66, 0x0f, 0xf7, 0xc1), ANY("mov eax, fs:[rax]", 0x64, 0x8b, 0x00),
	ANY("mov eax, gs:[rax]", 0x65, 0x8b, 0x00), ANY("mov eax, [eax]", 0x67, 0x8b, 0x00),
	ANY("endbr64", 0xf3, 0x0f, 0x1e, 0xfa), ANY("invlpg", 0x0f, 0x01, 0x38),
	ANY("xchg r8, rax", 0x49, 0x90), FIRST("mov rax, [rax]", 0x48, 0x8b, 0x00),
	FIRST("mov rax, [rip+0]", 0x8b, 0x05, 0, 0, 0, 0),
	FIRST("mov rax, [rbp-120]", 0x48, 0x8b, 0x45, 0x88), ANY("mov rax, [rbp-8]", 0x48, 0x8b, 0x45, 0xf8),
	ANY("mov rax, [rbp+8]", 0x48, 0x8b, 0x45, 0x08), ANY("mov [rbp-64], rax", 0x48, 0x89, 0x45, 0xc0),
	ANY("mov [rbp-56], rax", 0x48, 0x89, 0x45, 0xc8), ANY("add rax, [rbp-56]", 0x48, 0x03, 0x45, 0xc8),
	ANY("rdpid eax", 0xf3, 0x0f, 0xc7, 0xf8), FIRST("vzeroupper", 0xc5, 0xf8, 0x77),
	ANY("mov al, [rsp]", 0x8a, 0x04, 0x24), ANY("leave", 0xc9), FIRST("stac", 0x0f, 0x01, 0xcb),
};

static bool put_forbidden(const struct bytes *what)
{
	struct place *p = find(what->is_first ? is_first : is_any_of_4);

	if (!p || p->insn.length < what->len)
		return false;
	fill(p, what->bytes, what->len);
	return true;
}

/* --- all of them --- */

struct fault {
	const char *name;
	bool (*seed)(void);
	bool is_for_texts;	/* in a random block the address may be a constant, which needs no guard, and so on */
	u32 seeded, caught;
};

#define FAULT(name)	{ #name, name, false, 0, 0 }
#define IN_TEXTS(name)	{ #name, name, true, 0, 0 }

static struct fault faults[] = {
	IN_TEXTS(no_clamp), IN_TEXTS(no_compare), IN_TEXTS(clamp_below), IN_TEXTS(clamp_to_other_local), IN_TEXTS(clamp_other_register),
	IN_TEXTS(compare_32_bits), IN_TEXTS(compare_other_local), IN_TEXTS(no_mask), IN_TEXTS(mask_other_local),
	IN_TEXTS(below_window), FAULT(no_clac), FAULT(no_stac), FAULT(left_open), FAULT(no_lfence), FAULT(no_enable), FAULT(no_disable),
	FAULT(enable_field), FAULT(disable_field), FAULT(enable_twice), FAULT(work_field), IN_TEXTS(no_line_jump),
	IN_TEXTS(line_longer), FAULT(call_beside), FAULT(call_other), FAULT(call_handler_of_other_number), FAULT(wrong_number),
	FAULT(kernel_ip), FAULT(no_pop), FAULT(no_vec_open), FAULT(no_features), FAULT(no_look_before_call), IN_TEXTS(low_32_bits), FAULT(hint_of_impossible_walk), FAULT(writes_orig_ax), FAULT(writes_across),
	FAULT(writes_below_regs), FAULT(writes_ip), FAULT(writes_cs), FAULT(writes_flags), FAULT(writes_ss),
	FAULT(writes_beyond_regs), FAULT(leaks_regs_pointer), FAULT(leaks_task_pointer), FAULT(ignores_pre_call), FAULT(ignores_post_call),
	FAULT(jump_outside), FAULT(jump_before),
	FAULT(jump_to_entry), FAULT(jump_to_handler), FAULT(jump_to_middle), FAULT(early_return), FAULT(exit_number),
	FAULT(exit_to_kernel), FAULT(no_check), FAULT(check_wrong_way), FAULT(check_of_less), IN_TEXTS(no_tick), FAULT(no_tick_jump),
	FAULT(more_ticks), FAULT(prologue_saves_less), FAULT(prologue_small_frame), FAULT(epilogue_other_order),
	FAULT(epilogue_large_frame), FAULT(other_thunk), FAULT(no_fault_entry), FAULT(moved_fault_entry), FAULT(fixup_in_middle),
	FAULT(fixup_at_entry), FAULT(fixup_outside), FAULT(moved_entry), FAULT(no_entry), FAULT(truncated), FAULT(no_hints),
	FAULT(moved_hint), FAULT(hint_of_value), FAULT(hint_of_task), FAULT(hint_of_regs), FAULT(hint_of_local),
};

static u32 forbidden_seeded[ARRAY_SIZE(forbidden)], forbidden_caught[ARRAY_SIZE(forbidden)];

static const struct ub_jit_env env = {
	.smap = true, .flags_off = FLAGS_OFF, .work_mask = 0x2300e, .work_off = WORK_OFF, .work_exit_mask = 0x5a,
	.pagefault_off = PAGEFAULT_OFF, .return_thunk = THUNK, .pre_call = PRE_CALL, .post_call = POST_CALL,
	.vec_open = VEC_OPEN, .vec_close = VEC_CLOSE, .softirq_gs = 0x1230, .cpu_node_gs = 0x4560,
	.call_stubs = stubs, .call_stub_cnt = NR_CNT, .vec_features = ~0u, .int_features = UB_INT_F_ALL,
};

static bool load_draft(const struct ub_image *made)
{
	u32 i;

	if (made->code_len > MAX_CODE || made->fault_cnt > MAX_INSNS || made->exit_cnt > MAX_INSNS || made->entry_cnt > 8 ||
	    made->hint_cnt > MAX_INSNS || made->fact_cnt > MAX_INSNS - 64)
		return false;
	d->image = *made;
	d->env = env;
	memcpy(d->code, made->code, made->code_len);
	memcpy(d->faults, made->faults, made->fault_cnt * sizeof(*d->faults));
	memcpy(d->exits, made->exits, made->exit_cnt * sizeof(*d->exits));
	memcpy(d->entries, made->entries, made->entry_cnt * sizeof(*d->entries));
	if (made->hint_cnt)
		memcpy(d->hints, made->hints, made->hint_cnt * sizeof(*d->hints));
	if (made->fact_cnt)
		memcpy(d->facts, made->facts, made->fact_cnt * sizeof(*d->facts));
	d->image.faults = d->faults;
	d->image.exits = d->exits;
	d->image.entries = d->entries;
	d->image.hints = d->hints;
	d->image.facts = d->facts;
	for (i = 0; i < made->reloc_cnt; i++) {
		s32 rel = made->relocs[i].target - (ADDRESS + made->relocs[i].off + 4);

		memcpy(d->code + made->relocs[i].off, &rel, 4);
	}
	return true;
}

static bool find_places(void)
{
	u32 off = 0;

	for (place_cnt = 0; off < d->image.code_len; off += places[place_cnt++].insn.length) {
		struct place *p = &places[place_cnt];

		p->off = off;
		if (place_cnt == MAX_INSNS - 16 ||
		    ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, d->code + off, d->image.code_len - off, &p->insn, p->ops)))
			return false;
	}
	memset(&places[place_cnt], 0, 16 * sizeof(places[0]));
	return true;
}

static bool is_refused(void)
{
	struct ub_image_log log;

	return ub_image_check(&d->image, d->code, ADDRESS, &d->env, gen_limit, &log) == -EACCES && log.text[0];
}

#define FIRST_TEXT	0xffff0000u	/* programs from here on are texts */

static void seed_all(const struct ub_image *made, u32 program)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		load_draft(made);
		if ((faults[i].is_for_texts && program < FIRST_TEXT) || !faults[i].seed())
			continue;
		faults[i].seeded++;
		if (is_refused())
			faults[i].caught++;
		else
			fprintf(stderr, "%s: not caught in program %u\n", faults[i].name, program);
	}
	for (i = 0; i < ARRAY_SIZE(forbidden); i++) {
		load_draft(made);
		if (!put_forbidden(&forbidden[i]))
			continue;
		forbidden_seeded[i]++;
		if (is_refused())
			forbidden_caught[i]++;
		else
			fprintf(stderr, "%s: not caught in program %u\n", forbidden[i].name, program);
	}
}

static bool goes_back(const struct ub_block *block)
{
	u32 i;

	for (i = 0; i < block->insn_cnt; i++)
		if (ub_op_info[block->insns[i].op].effect & UB_E_JUMPS && ub_insn_target(&block->insns[i], i) <= i)
			return true;
	return false;
}

static bool has_checks(const struct ub_block *block)
{
	u32 i;

	for (i = 0; i < block->insn_cnt; i++)
		if (block->insns[i].op == UB_OP_CHECK || block->insns[i].op == UB_OP_TICK)
			return true;
	return false;
}

/* A locked access that crosses a line leaves, and the code behind it is never run: a fault there is none. */
static bool has_dead_code(const struct ub_block *block)
{
	u32 i;

	for (i = 0; i < block->insn_cnt; i++)
		if (ub_insn_is_locked(&block->insns[i]) && block->insns[i].dst == UB_NOREG &&
		    (block->insns[i].imm & 63) + ub_insn_mem_bytes(&block->insns[i]) > 64)
			return true;
	return false;
}

/* False: the image as the JIT made it is refused. */
static bool try_block(const struct ub_block *block, u32 program)
{
	const struct ub_verify_env verify_env = { .limit = gen_limit };
	struct ub_verified *verified;
	struct ub_image_log log;
	struct ub_image *made;
	bool is_good = true;

	if (ub_verify(block, &verify_env, NULL, &verified))
		return true;
	if (!ub_jit(verified, &env, &made)) {
		has_loop = goes_back(block);
		has_call_loop = has_loop && !has_checks(block);
		if (load_draft(made) && find_places()) {
			is_good = !ub_image_check(&d->image, d->code, ADDRESS, &env, gen_limit, &log);
			if (is_good && !has_dead_code(block))
				seed_all(made, program);
			else if (!is_good)
				fprintf(stderr, "program %u: refused at %u: %s\n", program, log.off, log.text);
		}
		ub_image_free(made);
	}
	ub_verified_free(verified);
	return is_good;
}

/* What random blocks do not have: vectors; a loop by ticks that a walk lives through; a loop around a call alone. */
static const char *const texts[] = {
	"entry 0x1000:\n insn 0x1000 +2\n guard r16, [r0]\n vecm.128 movdqu v0, [r16]\n insn 0x1002 +2\n vec.128 paddb v0, v0, v1\n"
	" insn 0x1004 +2\n exit 0x1006\n",
	"resident r0 r1 r2 r7\nentry 0x1000:\n insn 0x1000 +2\n guard r16, [r0 + 8]\n load.64 r18, [r16 + 8]\n mov.64 r0, r18\n"
	" insn 0x1002 +2\n hold r7, 0\n insn 0x1004 +2\n load.64 r0, [r7 + 8]\n insn 0x1006 +1\n hold r0, 0x100000\n insn 0x1007 +1\n load.64 r1, [r0 - 800]\n insn 0x1008 +1\n exit 0x1008\n",
	"entry 0x1000:\n insn 0x1000 +2\n guard r16, [r0]\n addm.64.lock [r16 + 8], r1\n insn 0x1002 +2\n exit 0x1006\n",
	"resident r0 r1 r2 r6 r7\nentry 0x1000:\n insn 0x1000 +4\n hold r7, 0\nloop:\n tick renew\nback:\n insn 0x1004 +4\n"
	" load.64 r17, [r7 + 8]\n add.64f r0, r17\n insn 0x1008 +4\n addi.64 r7, 8\n insn 0x100c +3\n cmp.64 r7, r6\n insn 0x100f +2\n"
	" j.ne loop\n insn 0x1011 +1\n exit 0x1011\nrenew:\n insn 0x1004 +4\n check\n hold r7, 0\n jmp back\n",
	"entry 0x1002:\nback:\n insn 0x1002 +3\n add.64f r12, r0\n insn 0x1005 +3\n dec.64f r3\n insn 0x1008 +2\n j.e out\n"
	" insn 0xffb +5\n movi.32 r0, 39\n insn 0x1000 +2\n syscall 39\n jmp back\nout:\n insn 0x100a +1\n exit 0x100a\n",
};

static u32 try_texts(void)
{
	struct ub_parse_error err;
	struct ub_block *block;
	u32 i, bad = 0;

	for (i = 0; i < 20 * ARRAY_SIZE(texts); i++) {
		if (ub_block_parse(texts[i % ARRAY_SIZE(texts)], &block, &err)) {
			fprintf(stderr, "text %u: %s\n", i, err.text);
			bad++;
			continue;
		}
		bad += !try_block(block, FIRST_TEXT + i);
		ub_free(block);
	}
	return bad;
}

static u32 report(u32 *ret_seeded, u32 *ret_caught)
{
	u32 i, bad = 0;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!faults[i].seeded || faults[i].caught < faults[i].seeded)
			fprintf(stderr, "%s: seeded %u times, caught %u\n", faults[i].name, faults[i].seeded, faults[i].caught), bad++;
		*ret_seeded += !!faults[i].seeded;
		*ret_caught += faults[i].seeded && faults[i].caught == faults[i].seeded;
	}
	for (i = 0; i < ARRAY_SIZE(forbidden); i++) {
		if (!forbidden_seeded[i] || forbidden_caught[i] < forbidden_seeded[i])
			fprintf(stderr, "%s: seeded %u times, caught %u\n", forbidden[i].name, forbidden_seeded[i], forbidden_caught[i]), bad++;
		*ret_seeded += !!forbidden_seeded[i];
		*ret_caught += forbidden_seeded[i] && forbidden_caught[i] == forbidden_seeded[i];
	}
	return bad;
}

int main(int argc, char **argv)
{
	u32 total = 400, seeded = 0, caught = 0, bad = 0, i;
	const char *json = NULL;
	u64 seed = 1;
	static struct gen g;

	for (i = 1; i + 1 < (u32)argc; i += 2) {
		if (!strcmp(argv[i], "--json"))
			json = argv[i + 1];
		else if (!strcmp(argv[i], "--programs"))
			total = strtoul(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[i + 1], NULL, 0);
	}
	for (i = 0; i < NR_CNT; i++)
		stubs[i] = STUBS + 32 * i;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (gen_map_buf())
		return 1;
	for (i = 0; i < total; i++) {
		struct ub_entry entry = { .ip = GEN_BASE_IP };
		struct ub_block block = { .insns = g.insns, .entries = &entry, .entry_cnt = 1 };

		gen_seed(seed, i);
		gen_block(&g);
		block.insn_cnt = g.cnt;
		block.resident = g.resident;
		bad += !try_block(&block, i);
	}
	bad += try_texts();
	bad += report(&seeded, &caught);
	if (json) {
		struct result figures[] = { { "seeded_jit_faults", seeded }, { "seeded_jit_faults_caught", caught } };

		if (!results_add(json, "make test", figures, ARRAY_SIZE(figures), "seeded_jit_faults", "one image each, many times"))
			bad++;
	}
	printf("image_faults: %u programs, %u kinds of faults, %u of them caught each time\n", total, seeded, caught);
	printf("%u passed, %u failed\n", caught, bad);
	return bad != 0;
}
