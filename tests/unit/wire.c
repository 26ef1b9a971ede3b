// SPDX-License-Identifier: GPL-2.0
/*
 * wire: an instruction has one spelling, and its text reads back to the same bytes.
 *
 * From valid instructions of every operation each byte is set to every value.  Whatever is still accepted must survive
 * text and assembler unchanged; so no two accepted byte strings share a text, and no accepted byte goes unread.
 */
#include "../../ir/parse.h"
#include "../../ir/vecop.h"

static u32 passed, failed;
static u32 complaints, complaints_before;
static u64 seed = 88172645463325252ull;

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

static void expect(bool is_true, const char *what, const struct ub_insn *insn)
{
	char text[256];

	if (is_true)
		return;
	ub_insn_text(insn, 0, text, sizeof(text));
	if (complaints++ < 20)
		printf("wire: %s: %s (op %u mode %#x dst %u src %u off %d imm %lld)\n", what, text, insn->op,
		       insn->mode, insn->dst, insn->src, insn->off, (long long)insn->imm);
}

/* All that was expected since the last call is one test. */
static void end_test(void)
{
	if (complaints == complaints_before)
		passed++;
	else
		failed++;
	complaints_before = complaints;
}

static bool is_valid(const struct ub_insn *insn)
{
	const char *why;

	return !ub_insn_check(insn, &why);
}

static bool reads_back(const struct ub_insn *insn)
{
	struct ub_parse_error error;
	struct ub_block *block;
	char text[256];
	bool is_same;

	if (ub_insn_text(insn, 0, text, sizeof(text)) >= (int)sizeof(text))
		return false;
	if (ub_block_parse(text, &block, &error))
		return false;
	is_same = block->insn_cnt == 1 && !memcmp(block->insns, insn, sizeof(*insn));
	ub_block_free(block);
	return is_same;
}

static s64 random_imm(void)
{
	static const s64 corners[] = { 0, 1, -1, 5, 127, -128, 255, 0x7fff, 0x7fffffff, -0x80000000ll, 0xff,
		0x1ff, 0x2ff, 0x3ff, 0x100 + UB_R9,
		UB_INDEX_IMM(UB_R9, 1), UB_INDEX_IMM(UB_RAX, 0), UB_INDEX_IMM(UB_T0, 3), UB_HOLD_LOW, INT64_MAX, INT64_MIN, 0x7ffff000 };

	return pick(2) ? corners[pick(ARRAY_SIZE(corners))] : (s64)rng() >> pick(64);
}

static u8 random_reg(void)
{
	return pick(8) ? pick(UB_NREGS) : UB_NOREG;
}

/* The fields of a vector operation are too many to meet by chance: a row that goes with the operation. */
static void make_vec(struct ub_insn *ret)
{
	const struct ub_vec_info *info;
	u32 row, tries;

	for (tries = 0; tries < 4000; tries++) {
		row = pick(ub_vec_cnt);
		info = &ub_vec_info[row];
		if (ub_vec_reg_op(info) == ret->op || ub_vec_mem_op(info) == ret->op)
			break;
	}
	ret->mode = UB_VEC_MODE(pick(UB_VEC_VARIANTS), pick(3) ? 0 : pick(16));
	ret->dst = ret->dst == UB_NOREG ? ret->dst : ret->dst & 15;
	ret->src = ret->src == UB_NOREG ? ret->src : ret->src & 15;
	ret->imm = UB_VEC_IMM_OF(row, pick(3) ? 0 : rng(), pick(2) ? 0 : ret->imm & UB_VEC_ADDR_MASK);
	ret->off = pick(2) ? 0 : ret->off;
}

/* Tries until one is valid: the rules are in wire.c alone and not copied here. */
static bool make_valid(u8 op, struct ub_insn *ret)
{
	u32 tries;

	for (tries = 0; tries < 1000000; tries++) {
		*ret = (struct ub_insn){ .op = op, .mode = pick(8) };
		if (pick(3))
			ret->dst = random_reg();
		if (pick(3))
			ret->src = pick(4) ? random_reg() : UB_RCX;
		if (pick(2))
			ret->off = (s32)rng() >> pick(32);
		if (pick(3))
			ret->imm = random_imm();
		if (!pick(3))
			ret->mode |= pick(16) << 4;
		if (ub_op_info[op].effect & UB_E_VEC)
			make_vec(ret);
		if (is_valid(ret))
			return true;
	}
	return false;
}

static void test_corruption(const struct ub_insn *insn)
{
	struct ub_insn bent;
	u32 at, val;

	for (at = 0; at < sizeof(bent); at++)
		for (val = 0; val < 256; val++) {
			bent = *insn;
			((u8 *)&bent)[at] = val;
			if (is_valid(&bent))
				expect(reads_back(&bent), "does not read back", &bent);
		}
}

static void test_op(u8 op)
{
	struct ub_insn insn = { .op = op };
	u32 i;

	for (i = 0; i < 300; i++) {
		if (!make_valid(op, &insn)) {
			expect(false, "no valid instruction found", &insn);
			return;
		}
		expect(reads_back(&insn), "does not read back", &insn);
		if (i < 8)
			test_corruption(&insn);
	}
}

/* Each row is refused for exactly this reason, so it was right but for one thing. */
static void test_refusals(void)
{
	static const struct {
		struct ub_insn insn;
		const char *why;
	} rows[] = {
#define ROW(name, mode, dst, src, off, imm, why) { { UB_OP_##name, mode, dst, src, off, imm }, why }
		ROW(MOV, 8 | UB_W8, 0, 1, 0, 0, "the lock suffix is not allowed here"),
		ROW(MOV, 4 | UB_W8, 0, 1, 0, 0, "the f suffix is not allowed here"),
		ROW(CMP, 4 | UB_W8, 0, 1, 0, 0, "the f suffix is not allowed here"),
		ROW(ADD, 0x10, 0, 1, 0, 0, "condition must be zero"),
		ROW(ADD, 3, UB_FS, 1, 0, 0, "dst is no register"),
		ROW(ADD, 3, 0, UB_FS, 0, 0, "src is no register"),
		ROW(ADD, 3, 0, UB_TEMPS_END, 0, 0, "src is no register"),
		ROW(ADD, 3, 0, 1, 1, 0, "off must be zero"),
		ROW(ADD, 3, 0, 1, 0, 1, "imm must be zero"),
		ROW(NEG, 3, 0, 1, 0, 0, "src must be zero"),
		ROW(BOUND, 0, 1, 1, 0, 0, "dst must be zero"),
		ROW(BOUND, 1, 0, 1, 0, 0, "width not allowed here"),
		ROW(SEXT32, 2, 0, 1, 0, 0, "width not allowed here"),
		ROW(BSWAP, 0, 0, 0, 0, 0, "width not allowed here"),
		ROW(BTSI, 1, 0, 0, 0, 16, "bit number is not below the width"),
		ROW(RORX, 2, 0, 0, 0, -1, "bit number is not below the width"),
		ROW(PDEP, 2, 0, 0, 0, UB_TEMPS_END, "imm is no register"),
		ROW(RCL, 3, 0, 0, 0, 0, "a variable shift count is in r1"),
		ROW(SHL, 3, 0, 2, 0, 0, "a variable shift count is in r1"),
		ROW(ROR, 3, 0, 0, 0, 0, "a variable shift count is in r1"),
		ROW(SHLI, 0, 0, 0, 0, 32, "shift count is not between 1 and 31, or 63 at width 64"),
		ROW(SHLI, 3, 0, 0, 0, 0, "shift count is not between 1 and 31, or 63 at width 64"),
		ROW(SARI, 3, 0, 0, 0, 64, "shift count is not between 1 and 31, or 63 at width 64"),
		ROW(SARI, 3, 0, 0, 0, -1, "shift count is not between 1 and 31, or 63 at width 64"),
		ROW(ADDI, 0, 0, 0, 0, 0x80, "imm is not sign-extended from its width"),
		ROW(ADDI, 1, 0, 0, 0, -0x8001, "imm is not sign-extended from its width"),
		ROW(ADDI, 3, 0, 0, 0, 0x80000000ll, "imm is not sign-extended from its width"),
		ROW(MOVI, 2, 0, 0, 0, 0x80000000ll, "imm is not sign-extended from its width"),
		ROW(IMULI, 1, 0, 0, 0, 0x8000, "imm is not sign-extended from its width"),
		ROW(STOREI, 0, UB_GUARDS, 0, 0, 0x80, "imm is not sign-extended from its width"),
		ROW(STOREI, 0, UB_NOREG, 0, 0, 1, "dst is no register"),
		ROW(LOAD, 3, 0, UB_NOREG, 8, 0x4000, "off must be zero with a constant address"),
		ROW(LOAD, 3, 0, UB_GUARDS, 8, 1, "imm must be zero with a base"),
		ROW(LOAD, 3, 0, UB_FS, 8, 0, "base is no register"),
		ROW(STORE, 3, UB_NOREG, 0, 8, 0x4000, "off must be zero with a constant address"),
		ROW(STORE, 3, UB_FS, 0, 0, 0, "base is no register"),
		ROW(GUARD, 0, UB_GUARDS - 1, 3, 0, UB_NOREG, "a guarded address goes to r16 or r17"),
		ROW(GUARD, 0, UB_GUARDS_END, 3, 0, UB_NOREG, "a guarded address goes to r16 or r17"),
		ROW(GUARD, 0, UB_GUARDS, UB_FS, 0, 1, "fs cannot have an index"),
		ROW(GUARD, 0, UB_GUARDS, 3, 0, UB_FS, "index is no register"),
		ROW(GUARD, 0, UB_GUARDS, 3, 0, UB_ADDR_IMM(UB_NOREG, 1), "scale without index"),
		ROW(GUARD, 0, UB_GUARDS, 3, 0, 0x401, "upper bits of imm must be zero in an address"),
		ROW(LEA, 3, UB_FS, 3, 0, UB_NOREG, "dst is no register"),
		ROW(INSN, 0, 0, 0, 0, 0x1000, "length of a guest instruction is not between 1 and 15"),
		ROW(INSN, 0, 0, 0, 16, 0x1000, "length of a guest instruction is not between 1 and 15"),
		ROW(SYSCALL, 0, 0, 0, 0, 512, "system call number is not between 0 and 511"),
		ROW(SYSCALL, 0, 0, 0, 0, -1, "system call number is not between 0 and 511"),
		ROW(CHECK, 0, 0, 0, 0, 1, "imm must be zero"),
		ROW(EXIT, 0, 0, 0, 1, 0x1000, "off must be zero"),
		{ { .op = UB_OP_COUNT }, "unknown operation" },
		{ { .op = 255 }, "unknown operation" },
	};
	const char *why;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		why = "accepted";
		ub_insn_check(&rows[i].insn, &why);
		expect(!strcmp(why, rows[i].why), rows[i].why, &rows[i].insn);
		end_test();
	}
}

/* The text of malformed bytes is still a text, and a short buffer is never overrun. */
static void test_any_bytes(void)
{
	struct ub_insn insn;
	char full[512], part[24];
	u32 i, at, size;
	int len;

	for (i = 0; i < 200000; i++) {
		for (at = 0; at < sizeof(insn); at++)
			((u8 *)&insn)[at] = pick(2) ? pick(256) : pick(32);
		size = pick(sizeof(part));
		memset(part, '#', sizeof(part));
		len = ub_insn_text(&insn, i, full, sizeof(full));
		expect(len > 0 && (size_t)len == strlen(full), "length of the text", &insn);
		expect(ub_insn_text(&insn, i, part, size) == len, "length in a short buffer", &insn);
		expect(part[size] == '#', "overrun", &insn);
		if (size)
			expect(!strncmp(part, full, size - 1) && strlen(part) < size, "short text", &insn);
		if (is_valid(&insn) && i < UB_MAX_INSNS)
			expect(ub_insn_text(&insn, 0, full, sizeof(full)) && reads_back(&insn), "does not read back",
			       &insn);
	}
}

/* Entries in any order, jumps and labels: a block's text is the block. */
static void test_block_text(void)
{
	static const struct ub_insn insns[] = {
		{ .op = UB_OP_INSN, .imm = 0x1000, .off = 2 }, { .op = UB_OP_JMP, .off = 1 },
		{ .op = UB_OP_INSN, .imm = 0x1002, .off = 2 }, { .op = UB_OP_JCC, .mode = UB_CC_NE << 4, .off = -4 },
		{ .op = UB_OP_EXIT, .imm = 0x1004 },
	};
	static const struct ub_entry entries[][2] = {
		{ { 0x1000, 0, 0 }, { 0x1002, 2, 0 } }, { { 0x1002, 2, 0 }, { 0x1000, 0, 0 } },
	};
	struct ub_parse_error error;
	struct ub_block *again;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		struct ub_block block = {
			.insns = insns, .entries = entries[i], .insn_cnt = ARRAY_SIZE(insns), .entry_cnt = 2,
			.resident = i ? 0x8047 : 0,
		};
		char *text = ub_block_text(&block);

		if (ub_block_parse(text, &again, &error)) {
			expect(false, error.text, insns);
			free(text);
			continue;
		}
		expect(again->insn_cnt == block.insn_cnt && !memcmp(again->insns, insns, sizeof(insns)), text, insns);
		expect(again->resident == block.resident, text, insns);
		expect(again->entry_cnt == 2 && !memcmp(again->entries, entries[i], sizeof(entries[i])), text, insns);
		ub_block_free(again);
		free(text);
	}
}

int main(void)
{
	u32 op;

	for (op = 0; op < UB_OP_COUNT; op++) {
		test_op(op);
		end_test();
	}
	test_refusals();
	test_any_bytes();
	end_test();
	test_block_text();
	end_test();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
