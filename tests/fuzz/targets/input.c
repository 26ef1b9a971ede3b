// SPDX-License-Identifier: GPL-2.0
/*
 * input: a fuzzer's bytes as a block, and the way of a block to the verifier's yes.
 */
#include "alloc.h"
#include "input.h"

#define REPAIRS		12u
#define MAX_LOG		8192u

_Static_assert(sizeof(struct input_head) == sizeof(struct ub_insn), "instructions stand at multiples of 16");

static void find_entries(struct input *input)
{
	struct ub_block *block = &input->block;
	u32 i, at, wanted = 1 + input->head.entry_cnt % INPUT_MAX_ENTRIES;

	block->entry_cnt = 0;
	for (i = 0; i < wanted; i++) {
		at = i ? input->head.entry_at[i - 1] : 0;
		while (at < block->insn_cnt && input->insns[at].op != UB_OP_INSN)
			at++;
		if (at < block->insn_cnt)
			input->entries[block->entry_cnt++] = (struct ub_entry){ .ip = input->insns[at].imm, .insn_idx = at };
	}
}

bool input_read(struct input *ret, const u8 *data, size_t size)
{
	u32 cnt;

	if (size < sizeof(ret->head) + sizeof(ret->insns[0]))
		return false;
	memcpy(&ret->head, data, sizeof(ret->head));
	cnt = (size - sizeof(ret->head)) / sizeof(ret->insns[0]);
	if (cnt > INPUT_MAX_INSNS)
		cnt = INPUT_MAX_INSNS;
	memcpy(ret->insns, data + sizeof(ret->head), cnt * sizeof(ret->insns[0]));
	ret->block = (struct ub_block){
		.insns = ret->insns, .entries = ret->entries, .insn_cnt = cnt, .resident = ret->head.resident,
	};
	find_entries(ret);
	return true;
}

static void put_mark(struct input *input, u32 idx)
{
	input->insns[idx] = (struct ub_insn){ .op = UB_OP_INSN, .imm = (s64)(INPUT_IP + 16 * idx), .off = 2 };
}

static void mend_jump(struct ub_insn *insn, u32 idx, u32 cnt)
{
	s64 to = ub_insn_target(insn, idx);

	if (to < 0 || to >= cnt)
		insn->off = (s32)((u64)to % cnt) - (s32)idx - 1;
}

void input_mend(struct input *input)
{
	u32 i, cnt = input->block.insn_cnt;
	struct ub_insn *last = &input->insns[cnt - 1];

	if (input->insns[0].op != UB_OP_INSN)
		put_mark(input, 0);
	if (last->op >= UB_OP_COUNT || !(ub_op_info[last->op].effect & UB_E_ENDS))
		*last = (struct ub_insn){ .op = UB_OP_EXIT, .imm = INPUT_IP };
	for (i = 0; i < cnt; i++)
		if (input->insns[i].op < UB_OP_COUNT && ub_op_info[input->insns[i].op].effect & UB_E_JUMPS)
			mend_jump(&input->insns[i], i, cnt);
	find_entries(input);
}

/* Another instruction, or none, where one is refused. */
static bool repair(struct input *input, const struct ub_log *log)
{
	u32 at = log->insn_idx, cnt = input->block.insn_cnt;

	switch (log->refusal) {
	case UB_REFUSE_SIZE:
	case UB_REFUSE_WORK:
		return false;
	case UB_REFUSE_REGISTER:
		input->block.resident = 0;
		put_mark(input, at);
		break;
	case UB_REFUSE_UNREACHED:
		put_mark(input, at ? at - 1 : 0);
		break;
	case UB_REFUSE_UNCHECKED:
		input->insns[at] = (struct ub_insn){ .op = UB_OP_CHECK };
		break;
	default:
		put_mark(input, at);
	}
	if (at + 1 >= cnt)
		input->insns[cnt - 1] = (struct ub_insn){ .op = UB_OP_EXIT, .imm = INPUT_IP };
	find_entries(input);
	return true;
}

/* The log has exactly the room that was asked for: a byte too many is seen. */
static int verify_logged(struct input *input, struct ub_log *log, struct ub_verified **ret)
{
	static const struct ub_verify_env env = { .limit = INPUT_LIMIT };
	int err;

	*log = (struct ub_log){ .size = input->head.log_size % MAX_LOG, .level = input->head.log_level % 3 };
	log->buf = log->size ? malloc(log->size) : NULL;
	err = ub_verify(&input->block, &env, log, ret);
	if (log->size && strnlen(log->buf, log->size) == log->size)
		input_broken(&input->block, "the log does not end");
	if (err != -ENOMEM && !err != !log->refusal)
		input_broken(&input->block, "error %d, but refusal %u at %u", err, log->refusal, log->insn_idx);
	if (log->insn_idx > input->block.insn_cnt)
		input_broken(&input->block, "a refusal at %u", log->insn_idx);
	free(log->buf);
	return err;
}

bool input_verify(struct input *input, struct ub_verified **ret)
{
	struct ub_log log;
	u32 i;
	int err;

	alloc_fail_at(input->head.fail_at);
	for (i = 0; i <= REPAIRS; i++) {
		err = verify_logged(input, &log, ret);
		if (!err)
			return true;
		if (err == -ENOMEM || !repair(input, &log))
			break;
	}
	return false;
}

void input_broken(const struct ub_block *block, const char *format, ...)
{
	va_list args;
	char text[256];
	u32 i;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ", of\n\tresident %#x\n", block->resident);
	for (i = 0; i < block->entry_cnt; i++)
		fprintf(stderr, "entry %#llx @%u:\n", (unsigned long long)block->entries[i].ip, block->entries[i].insn_idx);
	for (i = 0; i < block->insn_cnt; i++) {
		ub_insn_text(&block->insns[i], i, text, sizeof(text));
		fprintf(stderr, "%3u\t%s\n", i, text);
	}
	abort();
}
