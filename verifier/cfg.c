// SPDX-License-Identifier: GPL-2.0
/*
 * cfg: is this a program at all, and where can control go?
 *
 * Promise: past these passes every instruction is well-formed, every jump and fall-through stays inside, every
 * instruction is reached from an entry, control ends only in exit and exitto, and every constant address is of the
 * user half.  Bounded by the size of the block; no recursion.
 */
#include "env.h"

int ub_cfg_check_size(struct ub_env *env)
{
	const struct ub_block *block = env->block;

	if (!block->insn_cnt || block->insn_cnt > UB_MAX_INSNS)
		ub_refuse(env, UB_REFUSE_SIZE, UB_U32_MAX, "%u instructions, not between 1 and %u",
			  block->insn_cnt, UB_MAX_INSNS);
	else if (!block->entry_cnt || block->entry_cnt > UB_MAX_ENTRIES)
		ub_refuse(env, UB_REFUSE_SIZE, UB_U32_MAX, "%u entries, not between 1 and %u",
			  block->entry_cnt, UB_MAX_ENTRIES);
	else
		return 0;
	return -E2BIG;
}

int ub_cfg_check_resident(struct ub_env *env)
{
	static const u8 always[] = { UB_RAX, UB_RCX, UB_RDX };
	u32 set = ub_block_resident(env->block), cnt = 0, i;

	for (i = 0; i < ARRAY_SIZE(always); i++)
		if (!(set & 1u << always[i]))
			return ub_refuse(env, UB_REFUSE_REGISTER, UB_U32_MAX, "%s is not resident, it must be",
					 ub_reg_name(always[i]));
	for (i = 0; i < UB_NGUEST; i++)
		cnt += set >> i & 1;
	if (cnt > UB_MAX_RESIDENT)
		return ub_refuse(env, UB_REFUSE_REGISTER, UB_U32_MAX, "%u registers are resident, more than %u", cnt,
				 UB_MAX_RESIDENT);
	return 0;
}

static bool is_shift_by_reg(const struct ub_insn *insn)
{
	switch (insn->op) {
	case UB_OP_SHL: case UB_OP_SHR: case UB_OP_SAR: case UB_OP_ROL: case UB_OP_ROR: case UB_OP_RCL: case UB_OP_RCR:
		return true;
	default:
		return false;
	}
}

/* What the wire check would refuse too, but these are refused for the register and not for the form. */
static int check_regs(struct ub_env *env, const struct ub_insn *insn, u32 idx)
{
	u32 effect = ub_op_info[insn->op].effect;

	if (insn->op == UB_OP_GUARD && insn->dst < UB_TEMPS_END && (insn->dst < UB_GUARDS || insn->dst >= UB_GUARDS_END))
		return ub_refuse(env, UB_REFUSE_REGISTER, idx, "guard into %s, only r16 and r17 hold guarded addresses",
				 ub_reg_name(insn->dst));
	if ((insn->op == UB_OP_HOLD || insn->op == UB_OP_HOLD32) && insn->dst < UB_TEMPS_END &&
	    (insn->dst >= UB_NGUEST || !ub_env_in_machine(env, insn->dst)))
		return ub_refuse(env, UB_REFUSE_REGISTER, idx, "%s of %s, which is not resident",
				 ub_op_info[insn->op].text, ub_reg_name(insn->dst));
	if (is_shift_by_reg(insn) && insn->src < UB_TEMPS_END && insn->src != UB_RCX)
		return ub_refuse(env, UB_REFUSE_REGISTER, idx, "shift by %s, a variable count is in r1",
				 ub_reg_name(insn->src));
	if ((effect & (UB_E_RD_DST | UB_E_WR_DST | UB_E_WR_ALL) && insn->dst == UB_FS) ||
	    (effect & UB_E_RD_SRC && insn->src == UB_FS) ||
	    ub_insn_index_reg(insn) == UB_FS)
		return ub_refuse(env, UB_REFUSE_REGISTER, idx, "fs is used other than as the base of lea or guard");
	return 0;
}

static bool is_inside(const struct ub_env *env, s64 idx)
{
	return idx >= 0 && idx < env->block->insn_cnt;
}

/* Is [start, start + len] no more than the limit?  Without overflow. */
static bool is_user(const struct ub_env *env, u64 start, u64 len)
{
	return start <= env->limit && len <= env->limit - start;
}

static int check_constants(struct ub_env *env, const struct ub_insn *insn, u32 idx)
{
	const struct ub_op_info *info = &ub_op_info[insn->op];
	u64 imm = insn->imm, addr = ub_insn_constant_addr(insn), limit = env->limit;

	if (info->shape == UB_S_MARK && !is_user(env, imm, insn->off))
		return ub_refuse(env, UB_REFUSE_ADDRESS, idx, "guest instruction at 0x%llx +%d ends above the limit of 0x%llx",
				 (unsigned long long)imm, insn->off, (unsigned long long)limit);
	if (info->shape == UB_S_IP && imm > limit)
		return ub_refuse(env, UB_REFUSE_ADDRESS, idx, "exit to 0x%llx, above the limit of 0x%llx",
				 (unsigned long long)imm, (unsigned long long)limit);
	if (ub_insn_is_constant_access(insn) && !is_user(env, addr, ub_insn_mem_bytes(insn)))
		return ub_refuse(env, UB_REFUSE_ADDRESS, idx, "%s of %u bytes at 0x%llx ends above the limit of 0x%llx",
				 info->effect & UB_E_WR_MEM ? "store" : "load", ub_insn_mem_bytes(insn),
				 (unsigned long long)addr, (unsigned long long)limit);
	return 0;
}

static int check_targets(struct ub_env *env, const struct ub_insn *insn, u32 idx)
{
	u32 effect = ub_op_info[insn->op].effect;
	s64 target = ub_insn_target(insn, idx);

	if (effect & UB_E_JUMPS) {
		if (!is_inside(env, target))
			return ub_refuse(env, UB_REFUSE_TARGET, idx, "jump to insn %lld, outside the block of %u",
					 (long long)target, env->block->insn_cnt);
		env->at[target] |= UB_AT_LABEL;
	}
	env->tick_cnt += effect & UB_E_TICK ? 1 : 0;
	if (!(effect & UB_E_ENDS) && !is_inside(env, (s64)idx + 1))
		return ub_refuse(env, UB_REFUSE_TARGET, idx, "control runs past the end of the block");
	return 0;
}

static int check_entry(struct ub_env *env, u32 no)
{
	const struct ub_entry *entry = &env->block->entries[no], *other;
	const struct ub_insn *insn;

	if (entry->pad)
		return ub_refuse(env, UB_REFUSE_SHAPE, UB_U32_MAX, "entry %u: pad must be zero", no);
	if (!is_inside(env, entry->insn_idx))
		return ub_refuse(env, UB_REFUSE_TARGET, UB_U32_MAX, "entry %u at insn %u, outside the block of %u",
				 no, entry->insn_idx, env->block->insn_cnt);
	insn = ub_env_insn(env, entry->insn_idx);
	if (insn->op != UB_OP_INSN || (u64)insn->imm != entry->ip)
		return ub_refuse(env, UB_REFUSE_TARGET, entry->insn_idx, "entry for 0x%llx is not the mark of that address",
				 (unsigned long long)entry->ip);
	for (other = env->block->entries; other < entry; other++)
		if (other->ip == entry->ip)
			return ub_refuse(env, UB_REFUSE_TARGET, entry->insn_idx, "a second entry for 0x%llx",
					 (unsigned long long)entry->ip);
	env->at[entry->insn_idx] |= UB_AT_LABEL;
	return 0;
}

/* The shapes are known to be good. */
static int check_renewals(struct ub_env *env)
{
	u32 idx, to;

	for (idx = 0; idx < env->block->insn_cnt; idx++) {
		if (!(ub_env_effect(env, idx) & UB_E_TICK))
			continue;
		to = ub_insn_target(ub_env_insn(env, idx), idx);
		to += ub_env_insn(env, to)->op == UB_OP_INSN;
		if (ub_env_insn(env, to)->op != UB_OP_CHECK)
			return ub_refuse(env, UB_REFUSE_UNCHECKED, idx, "tick goes to insn %lld, where no check stands",
					 (long long)ub_insn_target(ub_env_insn(env, idx), idx));
	}
	return 0;
}

int ub_cfg_check_shape(struct ub_env *env)
{
	u32 idx, mark = UB_MARK_NONE;
	const char *why;
	int err;

	for (idx = 0; idx < env->block->insn_cnt; idx++) {
		const struct ub_insn *insn = ub_env_insn(env, idx);

		if (insn->op == UB_OP_INSN)
			mark = idx;
		env->marks[idx] = mark;
		if (insn->op < UB_OP_COUNT && (err = check_regs(env, insn, idx)))
			return err;
		if (ub_insn_check(insn, &why))
			return ub_refuse(env, UB_REFUSE_SHAPE, idx, "malformed: %s", why);
		if ((err = check_constants(env, insn, idx)) || (err = check_targets(env, insn, idx)))
			return err;
	}
	for (idx = 0; idx < env->block->entry_cnt; idx++)
		if ((err = check_entry(env, idx)))
			return err;
	return check_renewals(env);
}

u32 ub_cfg_next(const struct ub_env *env, u32 idx, u32 nth)
{
	u32 effect = ub_env_effect(env, idx);

	if (nth == 0)
		return effect & UB_E_JUMPS ? (u32)ub_insn_target(ub_env_insn(env, idx), idx) : UB_NO_EDGE;
	return effect & UB_E_ENDS ? UB_NO_EDGE : idx + 1;
}

/* env->next of an instruction: 0 not met; on the stack with the successor to take next; done. */
enum { NEXT_NONE = 2, NEXT_DONE, NEXT_ON_STACK = 4 };

void ub_cfg_walk_reset(struct ub_env *env)
{
	memset(env->next, 0, env->block->insn_cnt);
	env->post_cnt = 0;
}

void ub_cfg_walk(struct ub_env *env, u32 root, bool cut_pauses, void (*back)(struct ub_env *, u32 from, u32 to))
{
	u32 depth = 0, idx, to, nth;

	if (env->next[root])
		return;
	env->next[root] = NEXT_ON_STACK;
	env->stack[depth++] = root;
	while (depth) {
		idx = env->stack[depth - 1];
		nth = env->next[idx] & 3;
		if (nth == NEXT_NONE || (cut_pauses && ub_env_is_pause(env, idx))) {
			env->next[idx] = NEXT_DONE;
			env->post[env->post_cnt++] = idx;
			depth--;
			continue;
		}
		env->next[idx]++;
		to = ub_cfg_next(env, idx, nth);
		if (to == UB_NO_EDGE)
			continue;
		if (!env->next[to]) {
			/* Each instruction is pushed once, so the stack of insn_cnt suffices. */
			env->next[to] = NEXT_ON_STACK;
			env->stack[depth++] = to;
		} else if (env->next[to] & NEXT_ON_STACK) {
			back(env, idx, to);
		}
	}
}

static void note_head(struct ub_env *env, u32 from, u32 to)
{
	(void)from;
	env->at[to] |= UB_AT_HEAD;
}

/* A cycle goes through a jump backwards or forwards, so its head is a label already. */
int ub_cfg_check_flow(struct ub_env *env)
{
	u32 idx, i;

	ub_cfg_walk_reset(env);
	for (i = 0; i < env->block->entry_cnt; i++)
		ub_cfg_walk(env, env->block->entries[i].insn_idx, false, note_head);
	for (idx = 0; idx < env->block->insn_cnt; idx++)
		if (env->next[idx] != NEXT_DONE)
			return ub_refuse(env, UB_REFUSE_UNREACHED, idx, "no entry leads here");
	for (i = env->post_cnt; i-- > 0;)
		if (env->at[env->post[i]] & UB_AT_LABEL)
			env->label_no[env->post[i]] = env->label_cnt++;
	return 0;
}
