// SPDX-License-Identifier: GPL-2.0
/*
 * verify: the passes in their order, and the proof that they passed.
 *
 * Each pass relies on the ones before it: nothing looks at a jump target before the shape is known to be good.
 */
#include "env.h"

struct ub_verified {
	const struct ub_block *block;
	u64 limit;
	u8 *at;			/* UB_AT_* of each instruction */
	u32 *label_no;
	struct ub_label *labels;
};

static int alloc_arrays(struct ub_env *env)
{
	u32 cnt = env->block->insn_cnt;

	env->at = ub_alloc(cnt, sizeof(*env->at));
	env->next = ub_alloc(cnt, sizeof(*env->next));
	env->marks = ub_alloc(cnt, sizeof(*env->marks));
	env->label_no = ub_alloc(cnt, sizeof(*env->label_no));
	env->post = ub_alloc(cnt, sizeof(*env->post));
	env->stack = ub_alloc(cnt, sizeof(*env->stack));
	return env->at && env->next && env->marks && env->label_no && env->post && env->stack ? 0 : -ENOMEM;
}

void ub_env_free(struct ub_env *env)
{
	if (!env)
		return;
	ub_free(env->at);
	ub_free(env->next);
	ub_free(env->marks);
	ub_free(env->label_no);
	ub_free(env->post);
	ub_free(env->stack);
	ub_free(env->labels);
	ub_free(env->pending);
	ub_free(env);
}

static int (*const passes[])(struct ub_env *env) = {
	ub_cfg_check_size,	/* counts within their limits */
	ub_cfg_check_resident,	/* a set of registers that backends can keep */
	alloc_arrays,
	ub_cfg_check_shape,	/* instructions well-formed, jumps and constants inside */
	ub_cfg_check_flow,	/* all reached */
	ub_time_check,		/* no cycle and no long path without a check */
	ub_paths_check,		/* each instruction safe and exact, on every path */
};

static void reset_log(struct ub_log *log)
{
	log->len = 0;
	log->truncated = false;
	log->refusal = UB_REFUSE_NONE;
	log->insn_idx = 0;
	log->user_ip = 0;
	if (log->size)
		log->buf[0] = '\0';
}

int ub_env_verify(const struct ub_block *block, const struct ub_verify_env *verify_env, struct ub_log *log,
		  struct ub_env **ret)
{
	struct ub_env *env = ub_alloc(1, sizeof(*env));
	int err = 0;
	u32 i;

	reset_log(log);
	if (!env)
		return -ENOMEM;
	env->block = block;
	env->limit = verify_env->limit;
	env->log = log;
	for (i = 0; !err && i < ARRAY_SIZE(passes); i++)
		err = passes[i](env);
	if (!err && ub_bug_if(log->refusal, "a refusal was passed over"))
		err = -EACCES;
	if (err)
		ub_env_free(env);
	else
		*ret = env;
	return err;
}

int ub_verify(const struct ub_block *block, const struct ub_verify_env *verify_env, struct ub_log *log,
	      struct ub_verified **ret)
{
	struct ub_log no_log = { 0 };
	struct ub_verified *verified;
	struct ub_env *env;
	int err;

	err = ub_env_verify(block, verify_env, log ? log : &no_log, &env);
	if (err)
		return err;
	verified = ub_alloc(1, sizeof(*verified));
	if (!verified) {
		ub_env_free(env);
		return -ENOMEM;
	}
	*verified = (struct ub_verified){
		.block = block, .limit = env->limit, .at = env->at, .label_no = env->label_no, .labels = env->labels,
	};
	env->at = NULL;
	env->label_no = NULL;
	env->labels = NULL;
	ub_env_free(env);
	*ret = verified;
	return 0;
}

void ub_verified_free(struct ub_verified *verified)
{
	if (!verified)
		return;
	ub_free(verified->at);
	ub_free(verified->label_no);
	ub_free(verified->labels);
	ub_free(verified);
}

const struct ub_block *ub_verified_block(const struct ub_verified *verified)
{
	return verified->block;
}

u64 ub_verified_limit(const struct ub_verified *verified)
{
	return verified->limit;
}

bool ub_verified_is_label(const struct ub_verified *verified, u32 idx)
{
	return idx < verified->block->insn_cnt && verified->at[idx] & UB_AT_LABEL;
}

const struct ub_reg *ub_verified_known(const struct ub_verified *verified, u32 idx, u8 reg)
{
	bool is_held = reg < UB_NGUEST ? ub_block_resident(verified->block) & 1u << reg : reg < UB_GUARDS_END;

	if (!ub_verified_is_label(verified, idx) || !is_held)
		return NULL;
	return &verified->labels[verified->label_no[idx]].state.regs[reg];
}
