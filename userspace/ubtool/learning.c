// SPDX-License-Identifier: GPL-2.0
/*
 * learning: what the daemon would learn of a recording's program, round by round (ubd/grow.c).
 *
 * It begins with what samples and the stack at the entries tell.  Each block is a little larger, and where it is left
 * often tells what to lift next.
 */
#include "finder.h"

#include <stdlib.h>

#define GROW_FIRST	500u		/* guest instructions, twice as many each time: ubd/session.h */
#define GROW_SHARE	50u		/* exits that teach: ubd/grow.c */
#define GROW_ROUNDS	64u
#define GROW_FRAMES	8u	/* ubd/returns.c */

static bool has_hint(const struct finder *f, u64 ip, u64 target)
{
	u32 i;

	for (i = 0; i < f->hint_cnt; i++)
		if (f->hints[i].ip == ip && f->hints[i].target == target)
			return true;
	return false;
}

/* False: it was one. */
static bool add_root(struct finder *f, u64 ip)
{
	u32 i;

	for (i = 0; i < f->root_cnt; i++)
		if (f->roots[i] == ip)
			return false;
	if (f->root_cnt == f->recording->insn_cnt)
		return false;
	f->roots[f->root_cnt++] = ip;
	return true;
}

/* Tables of addresses, as those of the linkage: ubd reads them in the process. */
static int find_slots(struct finder *f)
{
	u32 i;

	f->slots = ub_alloc(f->recording->insn_cnt + 1, sizeof(*f->slots));
	if (!f->slots)
		return -ENOMEM;
	for (i = 0; i + 1 < f->recording->step_cnt; i++) {
		const struct ub_x86_operand *operand;

		if (!f->counts[i] || !f->counts[i + 1] || !finder_is_indirect(&finder_known(f, i)->insn) || finder_known(f, i)->has_slot)
			continue;
		operand = &finder_known(f, i)->insn.operands[0];
		if (operand->kind != UB_X86_MEM || operand->reg != UB_NOREG || operand->index != UB_NOREG)
			continue;
		finder_known(f, i)->has_slot = true;
		f->slots[f->slot_cnt++] = (struct pair){ .ip = operand->imm, .target = finder_insn(f, i + 1)->ip };
	}
	return 0;
}

bool finder_read_slot(void *ctx, u64 addr, u32 len, u64 *ret)
{
	const struct finder *f = ctx;
	u32 i;

	for (i = 0; i < f->slot_cnt; i++)
		if (f->slots[i].ip == addr && len == sizeof(*ret)) {
			*ret = f->slots[i].target;
			return true;
		}
	return false;
}

/* The stack that ubd sees at an entry tells where its function returns to, and that function's caller. */
static void hint_returns_of(struct finder *f, u32 i)
{
	u32 depth = 0, cnt = 0;

	for (; i + 1 < f->recording->step_cnt && f->counts[i + 1] && cnt < GROW_FRAMES; i++) {
		const struct ub_x86_insn *insn = &finder_known(f, i)->insn;

		if (insn->why[0])
			continue;
		if (insn->name == UB_X86_CALL) {
			depth++;
		} else if (insn->name == UB_X86_RET && depth) {
			depth--;
		} else if (insn->name == UB_X86_RET) {
			cnt++;
			if (!has_hint(f, insn->ip, finder_insn(f, i + 1)->ip))
				finder_hint(f, insn->ip, finder_insn(f, i + 1)->ip);
		}
	}
}

static void hint_returns(struct finder *f)
{
	struct coverage_site *site;
	u32 i;

	for (i = 0; i + 1 < f->recording->step_cnt; i++) {
		site = finder_site(f, i);
		if (!site || !site->is_entry || site->is_met || !f->counts[i + 1])
			continue;
		site->is_met = true;
		hint_returns_of(f, i + 1);
	}
}

/* --- one lift --- */

/* What the exits teach the daemon (ubd/grow.c).  False: nothing new. */
static bool learn(struct finder *f)
{
	struct coverage *coverage = f->coverage;
	bool is_new = false;
	u32 i;

	for (i = 0; i < coverage->left_cnt; i++) {
		const struct coverage_exit *exit = &coverage->left[i];

		if ((u64)exit->cnt * GROW_SHARE < coverage->entered)
			continue;
		if (!strcmp(exit->why, INDIRECT) && !has_hint(f, exit->ip, exit->target)) {
			finder_hint(f, exit->ip, exit->target);
			is_new = true;
		}
		is_new |= add_root(f, exit->target);
	}
	return is_new;
}

/* Begins with what samples tell, and learns from each block's exits. */
int finder_grow(struct finder *f, u32 budget)
{
	struct coverage *coverage = f->coverage;
	u32 i, size = GROW_FIRST < budget ? GROW_FIRST : budget;
	int err = find_slots(f);

	if (err)
		return err;
	hint_returns(f);
	for (i = 0; i < f->entry_cnt; i++)
		add_root(f, f->entries[i]);
	do {
		coverage->left_cnt = 0;
		coverage->inside = coverage->exits = coverage->entered = 0;
		err = finder_lift(f, size, true);
		if (err || !f->lifted)
			return err;
		finder_walk(f);
		size = size < budget / 2 ? size * 2 : budget;
		coverage->rounds++;
	} while (coverage->rounds < GROW_ROUNDS && learn(f));
	return 0;
}
