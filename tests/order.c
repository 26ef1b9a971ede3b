// SPDX-License-Identifier: GPL-2.0
/*
 * order: verifier/paths.c once more, with a choice of which label is run next.
 *
 * A program that links this links it in place of the verifier's own.
 */
#include "order.h"
#include "../verifier/env.h"

static u32 next_in_order(struct ub_env *env, u32 no);
#define UB_NEXT_LABEL	next_in_order
#include "../verifier/paths.c"

static enum order current;
static u64 rng_state = 1;

static u32 last_pending(const struct ub_env *env)
{
	u32 no;

	for (no = env->label_cnt; no-- > 0;)
		if (env->pending[no / 64] >> (no % 64) & 1)
			return no;
	return env->label_cnt;
}

static u32 next_in_order(struct ub_env *env, u32 no)
{
	switch (current) {
	case ORDER_FIRST:
		return next_pending(env, 0);
	case ORDER_LAST:
		return last_pending(env);
	case ORDER_ANY:
		rng_state = rng_state * 6364136223846793005ull + 1442695040888963407ull;
		return next_pending(env, (rng_state >> 33) % env->label_cnt);
	default:
		return next_pending(env, no);
	}
}

const char *order_name(enum order order)
{
	static const char *const names[] = {
		[ORDER_OWN] = "its own", [ORDER_FIRST] = "first", [ORDER_LAST] = "last", [ORDER_ANY] = "any",
	};

	return names[order];
}

bool order_agrees(enum order order, const struct ub_block *block, u64 limit, int err, enum ub_refusal refusal,
		  enum ub_refusal *ret_refusal)
{
	const struct ub_verify_env verify_env = { .limit = limit };
	struct ub_log log = { 0 };
	struct ub_env *env;
	int other;

	current = order;
	other = ub_env_verify(block, &verify_env, &log, &env);
	current = ORDER_OWN;
	*ret_refusal = log.refusal;
	if (!other)
		ub_env_free(env);
	return other == err && log.refusal == refusal;
}
