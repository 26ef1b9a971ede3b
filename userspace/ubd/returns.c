// SPDX-License-Identifier: GPL-2.0
/*
 * returns: a guess at the call chain.
 *
 * A word on the stack that points behind a call instruction is taken for a return address.  The first belongs to the
 * function that made the system call, the next to its caller, and so on; each function's rets are found by following
 * its code without its calls.  A stale word gives a wrong hint: then the block leaves there, and its exits teach.
 */
#include "returns.h"

#include "../../lifter/decode.h"

#define MAX_FRAMES	8
#define MAX_INSNS	512	/* of one function */
#define MAX_PENDING	64

struct walk {
	struct code *code;
	u64 seen[MAX_INSNS];
	u32 seen_cnt;
	u64 pending[MAX_PENDING];
	u32 pending_cnt;
};

/* Call instructions: e8 rel32, and ff /2 of 2, 3, 4, 6 and 7 bytes (SDM vol. 2A, CALL). */
static bool is_behind_call(struct code *code, u64 ip)
{
	static const u8 lengths[] = { 2, 3, 4, 6, 7 };
	u8 bytes[7];
	u32 i;

	if (ip < 7 || code_read(code, ip - 7, bytes, 7) != 7)
		return false;
	if (bytes[2] == 0xe8)
		return true;
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		if (bytes[7 - lengths[i]] == 0xff && (bytes[8 - lengths[i]] & 0x38) == 0x10)
			return true;
	return false;
}

static void push(struct walk *walk, u64 ip)
{
	u32 i;

	for (i = 0; i < walk->seen_cnt; i++)
		if (walk->seen[i] == ip)
			return;
	if (walk->pending_cnt < MAX_PENDING)
		walk->pending[walk->pending_cnt++] = ip;
}

/* Where @insn leads inside its function; false behind rets and jumps.  */
static bool step(struct walk *walk, struct region *region, const struct ub_x86_insn *insn, u64 ret, u64 next_ret)
{
	if (insn->why[0] || !insn->len)
		return false;
	if (insn->name == UB_X86_RET) {
		region_add_hint(region, insn->ip, ret);
		if (next_ret)
			region_add_hint(region, insn->ip, next_ret);
		return false;
	}
	if (insn->is_direct && insn->name != UB_X86_CALL)
		push(walk, insn->target);
	return insn->name != UB_X86_JMP;
}

static bool has_seen(const struct walk *walk, u64 ip)
{
	u32 i;

	for (i = 0; i < walk->seen_cnt; i++)
		if (walk->seen[i] == ip)
			return true;
	return false;
}

static void walk_function(struct region *region, struct code *code, u64 ip, u64 ret, u64 next_ret)
{
	struct walk walk = { .code = code, .pending = { ip }, .pending_cnt = 1 };
	struct ub_x86_insn insn;
	u8 bytes[15];
	u32 len;

	while (walk.pending_cnt) {
		ip = walk.pending[--walk.pending_cnt];
		while (walk.seen_cnt < MAX_INSNS && !has_seen(&walk, ip)) {
			walk.seen[walk.seen_cnt++] = ip;
			len = code_read(code, ip, bytes, sizeof(bytes));
			ub_decode(bytes, len, ip, &insn);
			if (!step(&walk, region, &insn, ret, next_ret))
				break;
			ip += insn.len;
		}
	}
}

void returns_add(struct region *region, struct code *code, u64 ip, const u64 *words, u32 word_cnt)
{
	u64 frames[MAX_FRAMES + 2] = { 0 };
	u32 cnt = 0, i;

	for (i = 0; i < word_cnt && cnt <= MAX_FRAMES; i++)
		if (is_behind_call(code, words[i]))
			frames[cnt++] = words[i];
	for (i = 0; i < cnt && i < MAX_FRAMES; i++) {
		walk_function(region, code, ip, frames[i], i ? frames[i + 1] : 0);
		ip = frames[i];
	}
}
