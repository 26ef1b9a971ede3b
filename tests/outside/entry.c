// SPDX-License-Identifier: GPL-2.0
/*
 * entry: the instructions of a traced program, each lifted, verified and compiled once, alone.
 */
#include <Zydis/Zydis.h>

#include "lockstep.h"

#define HASH_LEN	(1u << 18)

static struct entry *table[HASH_LEN];
static u32 entry_cnt;

static u32 read_code(void *ctx, u64 ip, u8 *to, u32 len)
{
	const struct entry *entry = ctx;

	if (ip != entry->ip)
		return 0;
	if (len > entry->len)
		len = entry->len;
	memcpy(to, entry->bytes, len);
	return len;
}

/* The reason that the lifter gives, for good. */
static const char *reason(const struct ub_lifted *lifted)
{
	u32 i;

	for (i = 0; lifted && i < lifted->end_cnt; i++)
		if (strcmp(lifted->ends[i].reason, "goal"))
			return strdup(lifted->ends[i].reason);
	return "cannot be lifted";
}

static void make(struct entry *entry, u64 next, u64 target)
{
	const struct ub_verify_env env = { .limit = LIMIT };
	const u64 goals[] = { next, target };
	const struct ub_lift_hint hint = { entry->ip, target };
	struct ub_lift_request request = {
		.read_code = read_code, .ctx = entry, .roots = &entry->ip, .root_cnt = 1, .entries = &entry->ip,
		.entry_cnt = 1, .goals = goals, .goal_cnt = 2, .hints = &hint, .hint_cnt = 1,
	};
	struct ub_log log = { 0 };

	entry->why = NULL;
	if (ub_lift(&request, &entry->lifted))
		entry->why = reason(NULL);
	else if (ub_verify(&entry->lifted->block, &env, &log, &entry->verified))
		entry->why = "refused by the verifier";
	else if (ub_harness_make(entry->verified, false, &entry->image))
		entry->why = "does not compile";
}

static void decode(struct entry *entry, u64 *ret_target, bool *ret_is_indirect)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction insn;
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, entry->bytes, sizeof(entry->bytes), &insn, operands))) {
		snprintf(entry->name, sizeof(entry->name), "?");
		entry->why = "undecodable";
		return;
	}
	entry->len = insn.length;
	snprintf(entry->name, sizeof(entry->name), "%s", ZydisMnemonicGetString(insn.mnemonic));
	entry->is_rep = insn.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
	entry->is_pushf = insn.mnemonic == ZYDIS_MNEMONIC_PUSHFQ || insn.mnemonic == ZYDIS_MNEMONIC_PUSHF;
	entry->is_call = insn.mnemonic == ZYDIS_MNEMONIC_CALL;
	entry->is_straight = insn.meta.branch_type == ZYDIS_BRANCH_TYPE_NONE &&
			     insn.meta.category != ZYDIS_CATEGORY_RET && insn.meta.category != ZYDIS_CATEGORY_SYSCALL &&
			     insn.meta.category != ZYDIS_CATEGORY_INTERRUPT;
	*ret_target = entry->ip + entry->len;
	if (insn.raw.imm[0].is_relative)
		*ret_target += insn.raw.imm[0].value.s;
	*ret_is_indirect = insn.meta.category == ZYDIS_CATEGORY_RET ||
			   (insn.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE && !insn.raw.imm[0].is_relative);
	if (insn.mnemonic == ZYDIS_MNEMONIC_RDTSC || insn.mnemonic == ZYDIS_MNEMONIC_RDTSCP ||
	    insn.mnemonic == ZYDIS_MNEMONIC_RDPID || insn.mnemonic == ZYDIS_MNEMONIC_SYSCALL)
		entry->why = "not for this test";
}

static struct entry *new_entry(const struct tracee *tracee, u64 ip)
{
	struct entry *entry = ub_alloc(1, sizeof(*entry));
	bool is_indirect = false;
	u64 target = 0;
	u32 len;

	if (!entry)
		return NULL;
	entry->ip = ip;
	for (len = sizeof(entry->bytes); len && !tracee_read(tracee, ip, entry->bytes, len); len--)
		;
	decode(entry, &target, &is_indirect);
	if (!entry->why && is_indirect)
		entry->why = "";	/* until it has gone somewhere */
	else if (!entry->why)
		make(entry, ip + entry->len, target);
	return entry;
}

void entry_went(struct entry *entry, u64 target)
{
	if (entry->why && !*entry->why)
		make(entry, entry->ip + entry->len, target);
}

static u32 find(u64 ip)
{
	u32 i = (ip * 0x9e3779b97f4a7c15ull) >> 46;

	while (table[i] && table[i]->ip != ip)
		i = (i + 1) % HASH_LEN;
	return i;
}

const struct entry *entry_find(u64 ip)
{
	return table[find(ip)];
}

struct entry *entry_get(const struct tracee *tracee, u64 ip)
{
	u32 i = find(ip);

	if (!table[i] && entry_cnt < HASH_LEN / 2) {
		table[i] = new_entry(tracee, ip);
		entry_cnt += table[i] != NULL;
	}
	return table[i];
}

void entries_each(void (*fn)(struct entry *entry, void *ctx), void *ctx)
{
	u32 i;

	for (i = 0; i < HASH_LEN; i++)
		if (table[i])
			fn(table[i], ctx);
}

static void free_entry(struct entry *entry, void *ctx)
{
	(void)ctx;
	ub_image_free(entry->image);
	ub_verified_free(entry->verified);
	ub_lifted_free(entry->lifted);
	ub_free(entry);
}

void entries_free(void)
{
	entries_each(free_entry, NULL);
	memset(table, 0, sizeof(table));
	entry_cnt = 0;
}
