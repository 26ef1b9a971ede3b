// SPDX-License-Identifier: GPL-2.0
/*
 * mutate: inputs that are blocks (see input.h) change by instructions and their fields, mostly to others that are
 * well-formed.  What that is stands in ir/wire.c alone: a change is tried until it is.
 */
#include "input.h"

#define TRIES	64u

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const u8 *one, size_t one_size, const u8 *two, size_t two_size, u8 *out, size_t max_out,
				 unsigned int seed);

static u64 rng_state = 1;

static void rng_seed(u32 seed)
{
	rng_state = seed * 0x9e3779b97f4a7c15ull + 1;
}

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x2545f4914f6cdd1dull;
}

static u32 pick(u32 cnt)
{
	return (rng() >> 33) % cnt;
}

static u8 any_reg(void)
{
	static const u8 often[] = { UB_RAX, UB_RCX, UB_RDI, UB_R8, UB_T0, UB_T0 + 1, UB_T0 + 2, UB_NOREG };

	return pick(3) ? often[pick(ARRAY_SIZE(often))] : pick(UB_NREGS);
}

static s64 any_imm(void)
{
	static const s64 corners[] = {
		0, 1, -1, 2, 8, 0x3f, 0x7f, -0x80, 0xff, 0x7fff, 0x7fffffff, -0x80000000ll, UB_HOLD_LOW, INPUT_LIMIT - 8,
		INPUT_LIMIT, INPUT_LIMIT + 1, INT64_MAX, INT64_MIN, UB_WINDOW, INPUT_IP,
	};

	switch (pick(4)) {
	case 0:
		return corners[pick(ARRAY_SIZE(corners))];
	case 1:
		return UB_ADDR_IMM(any_reg(), pick(4));
	case 2:
		return UB_INDEX_IMM(any_reg(), pick(4));
	default:
		return (s64)rng() >> pick(64);
	}
}

static s32 any_off(void)
{
	return pick(3) ? (s32)pick(32) - 12 : (s32)any_imm();
}

static bool is_valid(const struct ub_insn *insn)
{
	const char *why;

	return !ub_insn_check(insn, &why);
}

/* A row that goes with a vector operation would hardly be met by chance. */
static void change_row(struct ub_insn *insn)
{
	u32 tries = 2000, row = pick(ub_vec_cnt);

	while (tries-- && ub_vec_reg_op(&ub_vec_info[row]) != insn->op && ub_vec_mem_op(&ub_vec_info[row]) != insn->op)
		row = (row + 1) % ub_vec_cnt;
	insn->imm = UB_VEC_IMM_OF(row, pick(2) ? rng() : 0, insn->imm & UB_VEC_ADDR_MASK);
}

static void change_field(struct ub_insn *insn)
{
	switch (pick(6)) {
	case 0:
		insn->op = pick(UB_OP_COUNT);
		break;
	case 1:
		insn->mode = pick(2) ? pick(8) : rng();
		break;
	case 2:
		insn->dst = any_reg();
		break;
	case 3:
		insn->src = any_reg();
		break;
	case 4:
		insn->off = any_off();
		break;
	default:
		insn->imm = any_imm();
	}
	if (insn->op < UB_OP_COUNT && ub_op_info[insn->op].effect & UB_E_VEC && pick(2))
		change_row(insn);
}

static void change_insn(struct ub_insn *insn)
{
	struct ub_insn old = *insn;
	u32 tries;

	for (tries = 0; tries < TRIES; tries++) {
		change_field(insn);
		if (is_valid(insn))
			return;
		if (pick(4) == 0)
			*insn = old;
	}
}

struct ub_insn mutate_insn(void)
{
	static const u8 often[] = {
		UB_OP_INSN, UB_OP_INSN, UB_OP_GUARD, UB_OP_GUARD, UB_OP_LOAD, UB_OP_STORE, UB_OP_LEA, UB_OP_ADD, UB_OP_ADDI, UB_OP_MOV,
		UB_OP_MOVI, UB_OP_CHECK, UB_OP_JCC, UB_OP_JMP, UB_OP_ANDI, UB_OP_ZEXT, UB_OP_HOLD, UB_OP_HOLD32, UB_OP_TICK, UB_OP_SYSCALL,
	};
	struct ub_insn insn;
	u32 tries, k;
	u8 op = pick(2) ? often[pick(ARRAY_SIZE(often))] : pick(UB_OP_COUNT);

	for (tries = 0; tries < 20 * TRIES; tries++) {
		insn = (struct ub_insn){ .op = op };
		for (k = 1 + pick(5); k; k--) {
			change_field(&insn);
			insn.op = op;
		}
		if (is_valid(&insn))
			break;
	}
	return insn;
}

static u32 insert(struct ub_insn *insns, u32 cnt, u32 at, struct ub_insn insn)
{
	memmove(&insns[at + 1], &insns[at], (cnt - at) * sizeof(*insns));
	insns[at] = insn;
	return cnt + 1;
}

static u32 remove_some(struct ub_insn *insns, u32 cnt)
{
	u32 at = pick(cnt), len = 1 + pick(pick(4) ? 1 : cnt - at);

	memmove(&insns[at], &insns[at + len], (cnt - at - len) * sizeof(*insns));
	return cnt - len;
}

static u32 change(struct ub_insn *insns, u32 cnt, u32 room)
{
	u32 at = cnt ? pick(cnt) : 0, other = cnt ? pick(cnt) : 0;

	if (!cnt)
		return insert(insns, 0, 0, mutate_insn());
	switch (pick(8)) {
	case 0:
	case 1:
		return cnt < room ? insert(insns, cnt, at, mutate_insn()) : cnt;
	case 2:
		return cnt < room ? insert(insns, cnt, at, insns[other]) : cnt;
	case 3:
		return remove_some(insns, cnt);
	case 4:
		insns[at] = mutate_insn();
		return cnt;
	case 5:
		insns[at] = insns[other];
		return cnt;
	default:
		change_insn(&insns[at]);
		return cnt;
	}
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed)
{
	static struct ub_insn all[1 + INPUT_MAX_INSNS];
	u32 cnt, room, k;

	rng_seed(seed);
	if (pick(16) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	if (max_size > sizeof(all))
		max_size = sizeof(all);
	if (max_size < 2 * sizeof(all[0]))
		return LLVMFuzzerMutate(data, size, max_size);
	memset(all, 0, sizeof(all));
	memcpy(all, data, size < sizeof(all) ? size : sizeof(all));
	cnt = size / sizeof(all[0]) ? size / sizeof(all[0]) - 1 : 0;
	room = max_size / sizeof(all[0]) - 1;
	if (cnt > room)
		cnt = room;
	if (pick(8) == 0)
		LLVMFuzzerMutate((u8 *)all, sizeof(all[0]), sizeof(all[0]));
	for (k = 1 + pick(3); k; k--)
		cnt = change(all + 1, cnt, room);
	memcpy(data, all, (cnt + 1) * sizeof(all[0]));
	return (cnt + 1) * sizeof(all[0]);
}

/* The first's head and beginning, the second's end. */
size_t LLVMFuzzerCustomCrossOver(const u8 *one, size_t one_size, const u8 *two, size_t two_size, u8 *out, size_t max_out,
				 unsigned int seed)
{
	const size_t len = sizeof(struct ub_insn);
	size_t head, tail;

	rng_seed(seed);
	if (one_size < len || two_size < len || max_out < 2 * len)
		return 0;
	head = len * (1 + pick(one_size / len));
	if (head > max_out)
		head = max_out / len * len;
	tail = len * pick(two_size / len);
	if (tail > max_out - head)
		tail = (max_out - head) / len * len;
	memcpy(out, one, head);
	memcpy(out + head, two + two_size - tail, tail);
	return head + tail;
}
