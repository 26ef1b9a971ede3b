// SPDX-License-Identifier: GPL-2.0
/*
 * coverage: lifts a recording's hot code and follows the recording through the block.
 *
 * Each recorded instruction is looked for among the marks that the last one's lead to, so that an exit is found where
 * the block would be left; only behind a hot call is it entered again.  What the block does with values (a guard, a
 * comparison with a page that is not there) is not followed.
 */
#include "finder.h"

#include <stdlib.h>

#include "../../verifier/verify.h"

#define LIMIT		0x7ffffffff000ull	/* TASK_SIZE_MAX with 4 levels of page tables */
#define MAX_TARGETS	48		/* hints for one branch */
#define HOT_SHARE	100u		/* a call is hot that is one in so many, */
#define HOT_CNT		2u		/* and was made so often */
#define MAX_WALK	256u		/* operations looked at for a way from mark to mark */
#define OUTSIDE		(-1)
#define NO_WAY		"no call ahead"	/* as the lifter says */

const struct recorded_insn *finder_insn(const struct finder *f, u32 i)
{
	u32 step = f->recording->steps[i];

	return step == RECORDING_BREAK ? NULL : &f->recording->insns[step];
}

struct known *finder_known(const struct finder *f, u32 i)
{
	return &f->known[f->recording->steps[i]];
}

/* --- calls, and what lies between them --- */

static struct coverage_site *find_site(struct coverage *coverage, u64 ip, u32 nr)
{
	struct coverage_site *site;
	u32 i;

	for (i = 0; i < coverage->site_cnt; i++)
		if (coverage->sites[i].ip == ip && coverage->sites[i].nr == nr)
			return &coverage->sites[i];
	if (coverage->site_cnt == COVERAGE_SITES)
		return NULL;
	site = &coverage->sites[coverage->site_cnt++];
	*site = (struct coverage_site){ .ip = ip, .nr = nr };
	return site;
}

struct coverage_site *finder_site(const struct finder *f, u32 i)
{
	const struct recorded_insn *insn = finder_insn(f, i);

	return insn && insn->nr != NO_CALL ? find_site(f->coverage, insn->ip + 2, insn->nr) : NULL;
}

static int by_calls(const void *a, const void *b)
{
	const struct coverage_site *x = a, *y = b;

	return x->cnt < y->cnt ? 1 : x->cnt > y->cnt ? -1 : 0;
}

static void find_sites(struct finder *f)
{
	struct coverage *coverage = f->coverage;
	struct coverage_site *site;
	u32 i;

	for (i = 0; i < f->recording->step_cnt; i++) {
		coverage->steps += finder_insn(f, i) != NULL;
		if (!(site = finder_site(f, i)))
			continue;
		site->cnt++;
		coverage->calls++;
	}
	qsort(coverage->sites, coverage->site_cnt, sizeof(*site), by_calls);
	for (i = 0; i < coverage->site_cnt; i++) {
		site = &coverage->sites[i];
		site->is_hot = site->cnt >= HOT_CNT && (u64)site->cnt * HOT_SHARE >= coverage->calls;
		site->is_made = ub_syscall_in(f->calls, site->nr);
		if (!site->is_hot || !site->is_made || f->entry_cnt == UB_MAX_ENTRIES)
			continue;
		site->is_entry = true;
		f->entries[f->entry_cnt++] = site->ip;
	}
}

/* Marks the steps behind a hot call, up to and with the next, if that is hot too. */
static void find_gaps(struct finder *f)
{
	const struct coverage_site *site;
	u32 i, k, start = 0;

	for (i = 0; i < f->recording->step_cnt; i++) {
		if (!finder_insn(f, i))
			start = 0;
		site = finder_site(f, i);
		if (!site)
			continue;
		if (start && site->is_hot) {
			f->coverage->gap_cnt++;
			f->coverage->counted += i + 1 - start;
			for (k = start; k <= i; k++)
				f->counts[k] = true;
		}
		start = site->is_hot ? i + 1 : 0;
	}
}

/* --- what a profile would know --- */

static void decode_all(struct finder *f)
{
	u8 bytes[15];
	u32 i, len;

	for (i = 0; i < f->recording->insn_cnt; i++) {
		len = recording_read_code(f->recording, f->recording->insns[i].ip, bytes, sizeof(bytes));
		ub_decode(bytes, len, f->recording->insns[i].ip, &f->known[i].insn);
		if (!len)
			snprintf(f->known[i].insn.why, sizeof(f->known[i].insn.why), "code that may not be lifted");
	}
}

bool finder_is_indirect(const struct ub_x86_insn *insn)
{
	if (insn->why[0])
		return false;
	return insn->name == UB_X86_RET ||
	       ((insn->name == UB_X86_JMP || insn->name == UB_X86_CALL) && !insn->is_direct);
}

static int by_ip_and_target(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->ip != y->ip)
		return x->ip < y->ip ? -1 : 1;
	return x->target < y->target ? -1 : x->target > y->target;
}

static int by_ip_and_count(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->ip != y->ip)
		return x->ip < y->ip ? -1 : 1;
	return x->cnt < y->cnt ? 1 : x->cnt > y->cnt ? -1 : 0;
}

/* Sums up equal pairs; returns how many are left. */
static u32 merge(struct pair *pairs, u32 cnt)
{
	u32 i, left = 0;

	qsort(pairs, cnt, sizeof(*pairs), by_ip_and_target);
	for (i = 0; i < cnt; i++) {
		if (left && !by_ip_and_target(&pairs[left - 1], &pairs[i]))
			pairs[left - 1].cnt += pairs[i].cnt;
		else
			pairs[left++] = pairs[i];
	}
	return left;
}

void finder_hint(struct finder *f, u64 ip, u64 target)
{
	if (f->hint_cnt < MAX_HINTS)
		f->hints[f->hint_cnt++] = (struct ub_lift_hint){ ip, target };
}

static int find_hints(struct finder *f)
{
	struct pair *pairs = ub_alloc(f->recording->step_cnt + 1, sizeof(*pairs));
	u32 i, same = 0, cnt = 0;

	if (!pairs)
		return -ENOMEM;
	for (i = 0; i + 1 < f->recording->step_cnt; i++)
		if (f->counts[i] && f->counts[i + 1] && finder_is_indirect(&finder_known(f, i)->insn))
			pairs[cnt++] = (struct pair){ finder_insn(f, i)->ip, finder_insn(f, i + 1)->ip, 1 };
	cnt = merge(pairs, cnt);
	qsort(pairs, cnt, sizeof(*pairs), by_ip_and_count);
	for (i = 0; i < cnt; i++) {
		same = i && pairs[i].ip == pairs[i - 1].ip ? same + 1 : 0;
		if (same < MAX_TARGETS)
			finder_hint(f, pairs[i].ip, pairs[i].target);
	}
	ub_free(pairs);
	return 0;
}

static void hint_calls(struct finder *f)
{
	u32 i;

	for (i = 0; i < f->coverage->site_cnt; i++)
		if (f->coverage->sites[i].is_hot)
			finder_hint(f, f->coverage->sites[i].ip - 2, f->coverage->sites[i].nr);
}

/* All that is run: what samples and exits tell the daemon in the end. */
static void find_roots(struct finder *f)
{
	u32 i;

	for (i = 0; i < f->recording->step_cnt; i++) {
		if (!f->counts[i] || finder_known(f, i)->is_root)
			continue;
		finder_known(f, i)->is_root = true;
		f->roots[f->root_cnt++] = finder_insn(f, i)->ip;
	}
}

/* ub_lift() has one context for both readers. */
static u32 read_code(void *ctx, u64 ip, u8 *buf, u32 len)
{
	return recording_read_code(((struct finder *)ctx)->recording, ip, buf, len);
}

static bool may_dispatch(void *ctx, u64 nr)
{
	return nr < UB_SYSCALL_LIMIT && ub_syscall_in(((struct finder *)ctx)->calls, nr);
}

static void verify(struct finder *f)
{
	const struct ub_verify_env env = { .limit = LIMIT };
	struct coverage *coverage = f->coverage;
	struct ub_log log = { .buf = coverage->refusal, .size = sizeof(coverage->refusal) };
	struct ub_verified *verified;

	coverage->refusal[0] = 0;
	if (!ub_verify(&f->lifted->block, &env, &log, &verified)) {
		ub_verified_free(verified);
		coverage->refusal[0] = 0;
		return;
	}
	coverage->refusal[strcspn(coverage->refusal, "\n")] = 0;
	ub_lifted_free(f->lifted);
	f->lifted = NULL;
}

/* What the verifier refuses is lifted once more the plain way, as ubd does. */
int finder_lift(struct finder *f, u32 budget, bool is_learning)
{
	struct ub_lift_request request = {
		.read_code = read_code, .ctx = f, .roots = f->roots, .root_cnt = f->root_cnt, .entries = f->entries,
		.entry_cnt = f->entry_cnt, .hints = f->hints, .hint_cnt = f->hint_cnt, .max_guest_insns = budget,
		.may_dispatch = may_dispatch, .is_learning = is_learning, .read_data = is_learning ? finder_read_slot : NULL,
	};
	int err;

	ub_lifted_free(f->lifted);
	f->lifted = NULL;
	if (!f->entry_cnt)
		return 0;
	do {
		err = ub_lift(&request, &f->lifted);
		if (err) {
			f->lifted = NULL;
			return err == -ENOMEM ? err : 0;
		}
		f->coverage->guest_insns = f->lifted->guest_insn_cnt;
		f->coverage->ir_insns = f->lifted->block.insn_cnt;
		verify(f);
		request.is_plain = !request.is_plain;
	} while (!f->lifted && request.is_plain);
	return 0;
}

/* --- following the recording through the block --- */

static s64 entry_mark(const struct finder *f, u64 ip)
{
	u32 i;

	for (i = 0; f->lifted && i < f->lifted->block.entry_cnt; i++)
		if (f->lifted->block.entries[i].ip == ip)
			return f->lifted->block.entries[i].insn_idx;
	return OUTSIDE;
}

static void push(u32 *stack, u32 *cnt, s64 idx)
{
	u32 i;

	for (i = 0; i < *cnt; i++)
		if (stack[i] == idx)
			return;
	if (*cnt < MAX_WALK)
		stack[(*cnt)++] = idx;
}

/* The mark of @ip that the one at @from leads to, or OUTSIDE. */
static s64 next_mark(const struct ub_block *block, u32 from, u64 ip)
{
	u32 stack[MAX_WALK], cnt = 1, i;

	stack[0] = from + 1;
	for (i = 0; i < cnt; i++) {
		u32 idx = stack[i];
		const struct ub_insn *insn;

		if (idx >= block->insn_cnt)
			continue;
		insn = &block->insns[idx];
		if (insn->op == UB_OP_INSN && (u64)insn->imm == ip)
			return idx;
		/* A mark of the same instruction again: it goes on behind it. */
		if (insn->op == UB_OP_INSN && insn->imm != block->insns[from].imm)
			continue;
		if (ub_op_info[insn->op].effect & UB_E_JUMPS)
			push(stack, &cnt, ub_insn_target(insn, idx));
		if (!(ub_op_info[insn->op].effect & UB_E_ENDS))
			push(stack, &cnt, idx + 1);
	}
	return OUTSIDE;
}

static const char *find_end(const struct finder *f, u64 ip)
{
	u32 i;

	for (i = 0; f->lifted && i < f->lifted->end_cnt; i++)
		if (f->lifted->ends[i].ip == ip)
			return f->lifted->ends[i].reason;
	return NULL;
}

/* The block is left between steps @i - 1 and @i. */
static void add_exit(struct finder *f, u32 i)
{
	struct coverage *coverage = f->coverage;
	u64 ip = finder_insn(f, i - 1)->ip, target = finder_insn(f, i)->ip;
	const char *why = finder_is_indirect(&finder_known(f, i - 1)->insn) ? INDIRECT : find_end(f, target);
	struct coverage_exit *exit;
	u32 k;

	coverage->exits++;
	for (k = 0; k < coverage->left_cnt; k++)
		if (coverage->left[k].ip == ip && coverage->left[k].target == target)
			break;
	if (k == COVERAGE_EXITS)
		return;
	exit = &coverage->left[k];
	if (k == coverage->left_cnt)
		*exit = (struct coverage_exit){ .ip = ip, .target = target };
	exit->cnt++;
	snprintf(exit->why, sizeof(exit->why), "%s", why ? why : "?");
	coverage->left_cnt += k == coverage->left_cnt;
}

/* Goes from step @i - 1 to step @i. */
static void follow(struct finder *f, u32 i)
{
	const struct recorded_insn *insn = finder_insn(f, i), *before = i ? finder_insn(f, i - 1) : NULL;

	if (!insn || !f->lifted) {
		f->at = OUTSIDE;
	} else if (f->at != OUTSIDE) {
		f->at = next_mark(&f->lifted->block, f->at, insn->ip);
		if (f->at == OUTSIDE && f->counts[i])
			add_exit(f, i);
	} else if (before && before->nr != NO_CALL) {
		f->at = entry_mark(f, insn->ip);
		f->coverage->entered += f->at != OUTSIDE;
	}
}

void finder_walk(struct finder *f)
{
	u32 i;

	f->at = OUTSIDE;
	for (i = 0; i < f->recording->step_cnt; i++) {
		follow(f, i);
		f->coverage->inside += f->counts[i] && f->at != OUTSIDE;
	}
}

/* --- the result --- */

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int by_exit_count(const void *a, const void *b)
{
	const struct coverage_exit *x = a, *y = b;

	return x->cnt < y->cnt ? 1 : x->cnt > y->cnt ? -1 : 0;
}

static int find_lifted(struct finder *f)
{
	const struct ub_block *block = &f->lifted->block;
	u64 *marks = ub_alloc(block->insn_cnt, sizeof(*marks));
	u32 i, cnt = 0;

	if (!marks)
		return -ENOMEM;
	for (i = 0; i < block->insn_cnt; i++)
		if (block->insns[i].op == UB_OP_INSN)
			marks[cnt++] = block->insns[i].imm;
	qsort(marks, cnt, sizeof(*marks), by_value);
	for (i = 0; i < f->recording->insn_cnt; i++)
		f->known[i].is_lifted = bsearch(&f->recording->insns[i].ip, marks, cnt, sizeof(*marks), by_value) != NULL;
	ub_free(marks);
	return 0;
}

static void add_reason(struct coverage_reason *reasons, u32 *cnt, const char *why, u64 ip)
{
	u32 i;

	for (i = 0; i < *cnt; i++)
		if (!strcmp(reasons[i].why, why))
			break;
	if (i == COVERAGE_REASONS)
		return;
	if (i == *cnt) {
		snprintf(reasons[i].why, sizeof(reasons[i].why), "%s", why);
		reasons[i].ip = ip;
		(*cnt)++;
	}
	reasons[i].cnt++;
}

/* Why does the instruction of step @i not stand in the block? */
static const char *why_not(const struct finder *f, u32 i, char buf[64])
{
	const struct coverage_site *site = i ? finder_site(f, i - 1) : NULL;
	const struct ub_x86_insn *insn = &finder_known(f, i)->insn;
	const char *why;

	if (f->coverage->refusal[0])
		return "refused by the verifier";
	if (insn->why[0])
		return insn->why;
	why = find_end(f, insn->ip);
	if (why)
		return why;
	if (site && !site->is_entry) {
		snprintf(buf, 64, "behind system call %s", ub_syscall_name(site->nr));
		return buf;
	}
	return finder_is_indirect(&finder_known(f, i ? i - 1 : 0)->insn) ? INDIRECT : NO_WAY;
}

/* What the lifter leaves out because nothing worth having lies ahead: what would have been ahead, if that is known. */
static const char *why_no_way(const struct finder *f, u32 i)
{
	for (; f->counts[i] && !finder_known(f, i)->is_lifted && finder_insn(f, i)->nr == NO_CALL; i++)
		if (finder_known(f, i)->insn.why[0])
			return finder_known(f, i)->insn.why;
	return NO_WAY;
}

static int by_count(const void *a, const void *b)
{
	const struct coverage_reason *x = a, *y = b;

	return x->cnt < y->cnt ? 1 : x->cnt > y->cnt ? -1 : 0;
}

static void count(struct finder *f)
{
	struct coverage *coverage = f->coverage;
	const char *why = NULL;
	char buf[64];
	u64 ip = 0;
	u32 i;

	for (i = 0; i < f->recording->step_cnt; i++) {
		const struct known *known = f->counts[i] ? finder_known(f, i) : NULL;

		if (!known || known->is_lifted) {
			coverage->lifted += known != NULL;
			why = NULL;
			continue;
		}
		if (!why) {
			why = why_not(f, i, buf);
			if (!strcmp(why, NO_WAY))
				why = why_no_way(f, i);
			ip = known->insn.ip;
		}
		add_reason(coverage->ends, &coverage->end_cnt, why, ip);
		if (known->insn.why[0])
			add_reason(coverage->unsupported, &coverage->unsupported_cnt, known->insn.why, known->insn.ip);
	}
	qsort(coverage->left, coverage->left_cnt, sizeof(*coverage->left), by_exit_count);
	qsort(coverage->ends, coverage->end_cnt, sizeof(*coverage->ends), by_count);
	qsort(coverage->unsupported, coverage->unsupported_cnt, sizeof(*coverage->unsupported), by_count);
}

/* All that there is to know at once. */
static int lift_known(struct finder *f, u32 budget)
{
	int err = find_hints(f);

	find_roots(f);
	if (!err)
		err = finder_lift(f, budget, false);
	if (!err && f->lifted)
		finder_walk(f);
	return err;
}

static int find(struct finder *f, u32 budget, bool is_growing)
{
	int err;

	ub_syscall_expected(f->calls);
	find_sites(f);
	find_gaps(f);
	decode_all(f);
	hint_calls(f);
	err = is_growing ? finder_grow(f, budget) : lift_known(f, budget);
	if (!err && f->lifted)
		err = find_lifted(f);
	if (!err)
		count(f);
	return err;
}

int coverage_find(struct recording *recording, u32 budget, bool is_growing, struct coverage *ret)
{
	struct finder *f = ub_alloc(1, sizeof(*f));
	int err = -ENOMEM;

	memset(ret, 0, sizeof(*ret));
	if (!f)
		return err;
	f->recording = recording;
	f->coverage = ret;
	f->known = ub_alloc(recording->insn_cnt + 1, sizeof(*f->known));
	f->counts = ub_alloc(recording->step_cnt + 1, sizeof(*f->counts));
	f->roots = ub_alloc(recording->insn_cnt + 1, sizeof(*f->roots));
	if (f->known && f->counts && f->roots)
		err = find(f, budget, is_growing);
	ub_lifted_free(f->lifted);
	ub_free(f->known);
	ub_free(f->counts);
	ub_free(f->roots);
	ub_free(f->slots);
	ub_free(f);
	return err;
}
