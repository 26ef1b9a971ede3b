// SPDX-License-Identifier: GPL-2.0
/*
 * log: says why, to the person who has to change something.
 *
 * The first refusal is the root cause and the only one told.  Never overruns: what does not fit is dropped and
 * log->truncated set, and log->buf is a string at every moment.
 */
#include "env.h"
#include "image.h"

__attribute__((format(printf, 2, 3)))
static void put(struct ub_log *log, const char *format, ...)
{
	u32 room = log->size - log->len;
	va_list args;
	int len;

	if (!log->size || log->truncated)
		return;
	va_start(args, format);
	len = ub_vsnprintf(log->buf + log->len, room, format, args);
	va_end(args);
	if (len >= 0 && (u32)len < room) {
		log->len += len;
	} else {
		log->len = log->size - 1;
		log->truncated = true;
	}
}

static void put_insn(struct ub_env *env, u32 idx)
{
	char text[96];

	ub_insn_text(ub_env_insn(env, idx), idx, text, sizeof(text));
	put(env->log, "insn %u (%s)", idx, text);
}

static u64 ip_of(const struct ub_env *env, u32 idx)
{
	u32 mark = idx < env->block->insn_cnt && env->marks ? env->marks[idx] : UB_MARK_NONE;

	return mark == UB_MARK_NONE ? 0 : (u64)ub_env_insn(env, mark)->imm;
}

int ub_refuse(struct ub_env *env, enum ub_refusal refusal, u32 idx, const char *format, ...)
{
	struct ub_log *log = env->log;
	char text[192];
	va_list args;

	if (log->refusal)
		return -EACCES;
	log->refusal = refusal;
	log->insn_idx = idx < env->block->insn_cnt ? idx : 0;
	log->user_ip = ip_of(env, idx);
	va_start(args, format);
	ub_vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (idx < env->block->insn_cnt)
		put(log, log->user_ip ? "insn %u at 0x%llx: " : "insn %u: ", idx, (unsigned long long)log->user_ip);
	put(log, "%s\n", text);
	return -EACCES;
}

static bool is_informative(const struct ub_reg *reg)
{
	return reg->kind >= UB_REG_WALKING || reg->is_bounded ||
	       (reg->kind == UB_REG_SCALAR && (reg->range.span != UB_U64_MAX || reg->bits.mask != UB_U64_MAX));
}

static void put_scalar(struct ub_log *log, const struct ub_reg *reg)
{
	unsigned long long lo = reg->range.lo, hi = lo + reg->range.span;
	struct ub_bits implied = ub_bits_between(lo, hi < lo ? UB_U64_MAX : hi);

	if (reg->range.span == UB_U64_MAX)
		put(log, "any");
	else if (!reg->range.span)
		put(log, lo < 4096 ? "%llu" : "0x%llx", lo);
	else if (hi < lo)
		put(log, "%lld..%lld", (long long)lo, (long long)hi);
	else
		put(log, hi < 4096 ? "%llu..%llu" : "0x%llx..0x%llx", lo, hi);
	if (hi < lo ? reg->bits.mask != UB_U64_MAX : reg->bits.mask != implied.mask)
		put(log, "{unknown bits 0x%llx}", (unsigned long long)reg->bits.mask);
}

/* "guard+8", "guard+0..8+t*0..8", "-1..4294967295+t*-1..0" */
static void put_walk(struct ub_log *log, const char *what, struct ub_walk walk)
{
	put(log, "%s%lld", what, (long long)walk.lo);
	if (walk.hi != walk.lo)
		put(log, "..%lld", (long long)walk.hi);
	if (ub_walk_drifts(walk))
		put(log, "+t*%d..%d", walk.down, walk.up);
}

static void put_reg(struct ub_log *log, u8 no, const struct ub_reg *reg)
{
	put(log, " %s=", ub_reg_name(no));
	if (reg->kind == UB_REG_UNWRITTEN)
		put(log, "unwritten");
	else if (reg->kind == UB_REG_SCALAR)
		put_scalar(log, reg);
	else
		put_walk(log, reg->kind == UB_REG_GUARDED ? "guard+" : "", reg->walk);
	if (reg->is_bounded)
		put(log, "{bounded}");
}

static void put_regs(struct ub_env *env, const struct ub_state *state)
{
	u32 reg;

	for (reg = 0; reg < UB_TEMPS_END; reg++)
		if (is_informative(&state->regs[reg]))
			put_reg(env->log, reg, &state->regs[reg]);
	if (state->is_dirty)
		put(env->log, " changed since the mark");
	put(env->log, "\n");
}

void ub_log_state(struct ub_env *env, const struct ub_state *state, u32 idx)
{
	put(env->log, "  ");
	put_insn(env, idx);
	put(env->log, ":");
	put_regs(env, state);
}

/* How the register came to be what it is. */
static void put_cause(struct ub_env *env, const struct ub_state *state, u8 no)
{
	const struct ub_reg *reg = &state->regs[no];
	const struct ub_label *label;
	u32 edge, at;

	put(env->log, "  why:");
	put_reg(env->log, no, reg);
	if (reg->by & UB_BY_MERGE) {
		at = reg->by & ~UB_BY_MERGE;
		label = &env->labels[env->label_no[at]];
		edge = label->lost_from[no];
		put(env->log, " since paths meet at insn %u; it was lost on the way from ", at);
		if (edge)
			put_insn(env, edge - 1);
		else
			put(env->log, "the entry");
	} else if (reg->by) {
		put(env->log, " since ");
		put_insn(env, reg->by - 1);
	} else {
		put(env->log, " since the entry");
	}
	put(env->log, "\n");
}

static const char *suggestion(enum ub_refusal refusal)
{
	switch (refusal) {
	case UB_REFUSE_MARK:
		return "put an insn mark before it, on every path";
	case UB_REFUSE_UNWRITTEN:
		return "write it on every path, and again after each syscall";
	case UB_REFUSE_UNGUARDED:
		return "guard r16 or r17 or hold the base before the access, and add only known numbers to it";
	case UB_REFUSE_WINDOW:
		return "fold the displacement into the guard";
	case UB_REFUSE_INEXACT:
		return "compute into temporaries, leave first, write the guest last";
	case UB_REFUSE_BOUND:
		return "bound the register directly before";
	default:
		return NULL;
	}
}

void ub_log_explain(struct ub_env *env, const struct ub_state *state, u32 idx, u8 reg)
{
	struct ub_log *log = env->log;

	if (log->level < 1)
		return;
	put(log, "  before ");
	put_insn(env, idx);
	put(log, ":");
	put_regs(env, state);
	if (reg != UB_NOREG)
		put_cause(env, state, reg);
	if (suggestion(log->refusal))
		put(log, "  try: %s\n", suggestion(log->refusal));
}

void ub_log_image(struct ub_log *log, const struct ub_image_log *why)
{
	log->refusal = UB_REFUSE_IMAGE;
	put(log, "the block was accepted, its machine code is not: at byte %u: %s\n", why->off, why->text);
}

const char *ub_refusal_name(enum ub_refusal refusal)
{
	static const char *const names[UB_REFUSE_COUNT] = {
		[UB_REFUSE_NONE] = "none", [UB_REFUSE_SIZE] = "size", [UB_REFUSE_SHAPE] = "shape",
		[UB_REFUSE_TARGET] = "target", [UB_REFUSE_UNREACHED] = "unreached", [UB_REFUSE_ADDRESS] = "address",
		[UB_REFUSE_MARK] = "mark", [UB_REFUSE_UNWRITTEN] = "unwritten", [UB_REFUSE_UNGUARDED] = "unguarded",
		[UB_REFUSE_WINDOW] = "window", [UB_REFUSE_INEXACT] = "inexact", [UB_REFUSE_BOUND] = "bound",
		[UB_REFUSE_UNCHECKED] = "unchecked", [UB_REFUSE_REGISTER] = "register", [UB_REFUSE_WORK] = "work",
		[UB_REFUSE_IMAGE] = "image",
	};

	return (u32)refusal < UB_REFUSE_COUNT ? names[refusal] : "unknown";
}
