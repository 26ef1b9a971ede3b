// SPDX-License-Identifier: GPL-2.0
/*
 * jit: any bytes as a block.  What the verifier accepts is compiled, for all kinds of machines, and the image read back.
 */
#include "../../reread.h"
#include "alloc.h"
#include "input.h"

#define FAKE_CALL	0x7000u	/* where calls out lead: addresses that are told apart */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct input input;

/* A machine and a kernel as the head says. */
static void make_env(struct ub_jit_env *ret, u64 stubs[512])
{
	u16 options = input.head.options;
	u32 i;

	*ret = (struct ub_jit_env){
		.smap = options & 2, .entry_is_call = options & 4, .flags_off = 0, .work_mask = 0x2300e, .work_off = 8,
		.work_exit_mask = 0x5a, .pagefault_off = 64, .pre_call = FAKE_CALL + 512, .post_call = FAKE_CALL + 513,
		.return_thunk = options & 8 ? FAKE_CALL + 514 : 0,
		.vec_open = options & 0x10 ? FAKE_CALL + 515 : 0, .vec_close = options & 0x10 ? FAKE_CALL + 516 : 0,
		.softirq_gs = options & 0x10 ? 0x1234 : 0, .cpu_node_gs = options & 0x20 ? -0x5678 : 0,
		.call_stubs = stubs, .call_stub_cnt = 512,
		.vec_features = options & 0x40 ? options >> 3 & 0x7ff : 0x7ff,
		.int_features = options & 0x80 ? options >> 8 & UB_INT_F_ALL : UB_INT_F_ALL,
	};
	for (i = 0; i < 512; i++)
		stubs[i] = i % 8 == 7 ? 0 : FAKE_CALL + i;
}

static bool is_target(const struct ub_jit_env *env, u64 target)
{
	return target == env->pre_call || target == env->post_call || (env->return_thunk && target == env->return_thunk) ||
	       (env->vec_open && (target == env->vec_open || target == env->vec_close)) ||
	       (target >= FAKE_CALL && target < FAKE_CALL + 512 && env->call_stubs[target - FAKE_CALL]);
}

/* What the kernel takes from an image as it stands: each index and offset is inside. */
static const char *check_tables(const struct ub_image *image, const struct ub_jit_env *env)
{
	u32 i;

	for (i = 0; i < image->exit_cnt; i++)
		if (image->exits[i].kind >= UB_EXIT_COUNT || image->exits[i].insn_idx >= input.block.insn_cnt)
			return "an exit that there is not";
	for (i = 0; i < image->fault_cnt; i++)
		if (image->faults[i].insn_off >= image->code_len || image->faults[i].fixup_off >= image->code_len ||
		    (i && image->faults[i].insn_off <= image->faults[i - 1].insn_off))
			return "a fault-table entry outside or out of order";
	for (i = 0; i < image->reloc_cnt; i++)
		if (image->relocs[i].off > image->code_len - 4 || !is_target(env, image->relocs[i].target))
			return "a relocation outside or to somewhere else";
	if (image->entry_cnt != input.block.entry_cnt)
		return "other entries than the block's";
	for (i = 0; i < image->entry_cnt; i++)
		if (image->entries[i].ip != input.entries[i].ip || image->entries[i].off >= image->code_len)
			return "an entry elsewhere";
	return NULL;
}

/* Whoever judges images does it here: NULL, or what is wrong. */
static const char *judge(const struct ub_image *image, const struct ub_jit_env *env, u32 *ret_off)
{
	const char *why = check_tables(image, env);

	*ret_off = 0;
	if (!why)
		why = reread_image(image, &input.block, env, ret_off);
	return why ? why : reread_check(image, env, INPUT_LIMIT, ret_off);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ub_verified *verified;
	struct ub_image *image;
	struct ub_jit_env env;
	const char *why;
	u64 stubs[512];
	int err;
	u32 off;

	if (!input_read(&input, data, size))
		return 0;
	if (!(input.head.options & 1))
		input_mend(&input);
	if (!input_verify(&input, &verified))
		return 0;
	make_env(&env, stubs);
	err = ub_jit(verified, &env, &image);
	ub_verified_free(verified);
	alloc_fail_at(0);
	if (err == -EOPNOTSUPP || err == -E2BIG || (err == -ENOMEM && input.head.fail_at))
		return 0;
	if (err)
		input_broken(&input.block, "error %d of the JIT", err);
	why = judge(image, &env, &off);
	if (why)
		input_broken(&input.block, "%s at %#x of the image (options %#x)", why, off, input.head.options);
	ub_image_free(image);
	return 0;
}
