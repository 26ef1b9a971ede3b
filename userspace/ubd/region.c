// SPDX-License-Identifier: GPL-2.0
/* region: collects hot places of one process and turns them into one verified block. */
#include "region.h"

#include <libub/code.h>
#include "returns.h"

static bool has(const u64 *list, u32 cnt, u64 value)
{
	u32 i;

	for (i = 0; i < cnt; i++)
		if (list[i] == value)
			return true;
	return false;
}

static bool add(u64 *list, u32 *cnt, u32 max, u64 value)
{
	if (*cnt == max || has(list, *cnt, value))
		return false;
	list[(*cnt)++] = value;
	return true;
}

bool region_add_root(struct region *region, u64 ip)
{
	if (has(region->dead, region->dead_cnt, ip))
		return false;
	return add(region->roots, &region->root_cnt, REGION_MAX_ROOTS, ip);
}

void region_give_up(struct region *region, u32 cnt)
{
	while (region->root_cnt > cnt)
		add(region->dead, &region->dead_cnt, REGION_MAX_DEAD, region->roots[--region->root_cnt]);
}

bool region_add_wild(struct region *region, u64 ip)
{
	return add(region->wild, &region->wild_cnt, REGION_MAX_WILD, ip);
}

bool region_add_hint(struct region *region, u64 ip, u64 target)
{
	u32 i, same = 0;

	for (i = 0; i < region->hint_cnt; i++) {
		if (region->hints[i].ip != ip)
			continue;
		if (region->hints[i].target == target || ++same == REGION_MAX_TARGETS)
			return false;
	}
	if (region->hint_cnt == REGION_MAX_HINTS)
		return false;
	region->hints[region->hint_cnt++] = (struct ub_lift_hint){ .ip = ip, .target = target };
	return true;
}

bool region_add_entry(struct region *region, u64 ip, u32 nr)
{
	if (!add(region->entries, &region->entry_cnt, REGION_MAX_ENTRIES, ip))
		return false;
	region_add_root(region, ip);
	region_add_hint(region, ip - 2, nr);
	return true;
}

/* Drops entries that do not stand behind a syscall instruction in code that may be lifted. */
static void drop_unfit(struct region *region, struct code *code)
{
	u32 i, entry_cnt = 0, root_cnt = 0;

	for (i = 0; i < region->root_cnt; i++)
		if (!has(region->entries, region->entry_cnt, region->roots[i]) ||
		    code_is_behind_call(code, region->roots[i]))
			region->roots[root_cnt++] = region->roots[i];
	for (i = 0; i < region->entry_cnt; i++)
		if (code_is_behind_call(code, region->entries[i]))
			region->entries[entry_cnt++] = region->entries[i];
	region->root_cnt = root_cnt;
	region->entry_cnt = entry_cnt;
}

static void guess_returns(struct region *region, u32 pid, const struct profile *profile, struct code *code)
{
	const struct profile_stack *stack;
	u32 i;

	for (i = 0; profile && i < region->entry_cnt; i++) {
		stack = profile_stack(profile, pid, region->entries[i]);
		if (stack)
			returns_add(region, code, region->entries[i], stack->words, PROFILE_STACK_WORDS);
	}
}

/* An end for want of budget, or because nobody asked, may be lifted another time; the rest never. */
static void learn_ends(struct region *region, const struct ub_lifted *lifted)
{
	u32 i;

	for (i = 0; i < lifted->end_cnt; i++)
		if (!strncmp(lifted->ends[i].reason, "unsupported", 11) ||
		    !strncmp(lifted->ends[i].reason, "unreadable", 10))
			add(region->dead, &region->dead_cnt, REGION_MAX_DEAD, lifted->ends[i].ip);
}

static void verify(struct region_lifted *lifted, u64 limit)
{
	struct ub_log log = { .buf = lifted->log, .size = sizeof(lifted->log), .level = 0 };
	const struct ub_verify_env env = { .limit = limit };
	struct ub_verified *verified;
	int err;

	err = ub_verify(&lifted->lifted->block, &env, &log, &verified);
	lifted->refusal = log.refusal;
	lifted->is_verified = !err;
	if (!err)
		ub_verified_free(verified);
	else if (!lifted->log[0])
		snprintf(lifted->log, sizeof(lifted->log), "%s", strerror(-err));
	lifted->log[strcspn(lifted->log, "\n")] = 0;
}

/* What the verifier refuses is a bug of the lifter's; the plain way has fewer. */
static int lift(struct ub_lift_request *request, u64 limit, struct region_lifted *ret)
{
	int err = ub_lift(request, &ret->lifted);

	if (!err)
		verify(ret, limit);
	if (err || ret->is_verified)
		return err;
	ub_lifted_free(ret->lifted);
	request->is_plain = true;
	err = ub_lift(request, &ret->lifted);
	if (!err)
		verify(ret, limit);
	return err;
}

int region_lift(struct region *region, u32 pid, const struct region_env *env, struct region_lifted *ret)
{
	struct ub_lift_request request = {
		.read_code = code_read, .read_data = code_read_data,
		.max_guest_insns = env->max_guest_insns, .may_dispatch = env->may_dispatch,
		.is_learning = true,
	};
	struct region_lifted lifted = { 0 };
	struct code code;
	int err;

	err = code_open(pid, &code);
	if (err)
		return err;
	drop_unfit(region, &code);
	if (!region->entry_cnt) {
		code_close(&code);
		return -EOPNOTSUPP;
	}
	guess_returns(region, pid, env->profile, &code);
	code_identity(&code, region->entries[0], &lifted.inode, &lifted.offset);
	request.ctx = &code;
	request.roots = region->roots;
	request.root_cnt = region->root_cnt;
	request.entries = region->entries;
	request.entry_cnt = region->entry_cnt;
	request.hints = region->hints;
	request.hint_cnt = region->hint_cnt;
	request.wild = region->wild;
	request.wild_cnt = region->wild_cnt;
	err = lift(&request, env->limit, &lifted);
	code_close(&code);
	if (err)
		return err;
	learn_ends(region, lifted.lifted);
	*ret = lifted;
	return 0;
}

void region_lifted_free(struct region_lifted *lifted)
{
	if (lifted->lifted)
		ub_lifted_free(lifted->lifted);
	lifted->lifted = NULL;
}
