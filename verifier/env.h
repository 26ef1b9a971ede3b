/* SPDX-License-Identifier: GPL-2.0 */
/*
 * env: what the parts of the verifier share while they look at one block.
 *
 * Three questions in three files: what must hold before an instruction (check.c), does it hold on every path
 * (paths.c), what does the instruction change (step.c).  cfg.c and time.c need no states.
 */
#ifndef UB_ENV_H
#define UB_ENV_H

#include "state.h"
#include "verify.h"

/* What is kept of each instruction that a jump, an entry or a merge leads to. */
struct ub_label {
	struct ub_state state;
	u32 insn_idx;
	u32 visits;		/* how often the state has changed */
	u32 first_from;		/* the edge that came first: an instruction + 1, 0 the entry */
	u32 lost_from[UB_TEMPS_END];	/* for the log: the edge that took a register's kind away */
	struct ub_walk_tries tries[UB_TEMPS_END];	/* how often the ends of a register have moved */
	bool is_seen;
};

enum { UB_AT_LABEL = 1 << 0, UB_AT_HEAD = 1 << 1, UB_AT_REACHED = 1 << 2 };

struct ub_env {
	const struct ub_block *block;
	u64 limit;
	struct ub_log *log;
	/* All of insn_cnt elements. */
	u8 *at;			/* UB_AT_*; outlives the verification */
	u32 *marks;		/* the nearest mark at or before it in the text, or UB_MARK_NONE */
	u32 *label_no;		/* for labels: number in reverse post order */
	u32 *post;		/* instructions in post order of the last walk */
	u32 *stack;		/* of the walk; scratch for others */
	u8 *next;		/* of the walk: the successor to take next */
	u32 post_cnt;
	u32 tick_cnt;
	u32 label_cnt;
	struct ub_label *labels;
	u64 *pending;		/* bit per label: its state changed since it was run */
	struct ub_state now;	/* the state that moves along */
	u32 work;
};

/* verify.c: all passes.  On 0 *ret is what they found, for the caller to free; the states of its labels hold. */
int ub_env_verify(const struct ub_block *block, const struct ub_verify_env *verify_env, struct ub_log *log,
		  struct ub_env **ret);
void ub_env_free(struct ub_env *env);

static inline const struct ub_insn *ub_env_insn(const struct ub_env *env, u32 idx)
{
	return &env->block->insns[idx];
}

static inline u32 ub_env_effect(const struct ub_env *env, u32 idx)
{
	return ub_op_info[ub_env_insn(env, idx)->op].effect;
}

/* Does it look whether to stop, whatever the registers hold? */
static inline bool ub_env_is_check(const struct ub_env *env, u32 idx)
{
	u32 effect = ub_env_effect(env, idx);

	return effect & UB_E_CHECK && !(effect & UB_E_REP);
}

/* Does a stretch of instructions end here that the time rule measures? */
static inline bool ub_env_is_pause(const struct ub_env *env, u32 idx)
{
	return ub_env_is_check(env, idx) || ub_env_effect(env, idx) & UB_E_TICK;
}

/* May what is known of @reg justify an access?  Only of what is in a machine register throughout. */
static inline bool ub_env_in_machine(const struct ub_env *env, u8 reg)
{
	if (reg < UB_NGUEST)
		return ub_block_resident(env->block) & 1u << reg;
	return reg >= UB_GUARDS && reg < UB_GUARDS_END;
}

/* cfg.c.  All return 0 or what verify.h says of ub_verify(). */
int ub_cfg_check_size(struct ub_env *env);
int ub_cfg_check_resident(struct ub_env *env);
int ub_cfg_check_shape(struct ub_env *env);
int ub_cfg_check_flow(struct ub_env *env);
#define UB_NO_EDGE	UB_U32_MAX
/* The nth (0, 1) successor, or UB_NO_EDGE. */
u32 ub_cfg_next(const struct ub_env *env, u32 idx, u32 nth);
/*
 * Walks depth first from @root over what was not walked before and appends to env->post.  With @cut_pauses the edges
 * out of checks and ticks do not exist.  Calls @back(env, from, to) for each edge that closes a cycle.
 */
void ub_cfg_walk(struct ub_env *env, u32 root, bool cut_pauses, void (*back)(struct ub_env *, u32 from, u32 to));
void ub_cfg_walk_reset(struct ub_env *env);

/* time.c */
int ub_time_check(struct ub_env *env);

/* paths.c */
int ub_paths_check(struct ub_env *env);

/* What is known of @reg, of any kind, that also holds while a CPU speculates. */
static inline struct ub_reg ub_env_known(const struct ub_env *env, const struct ub_state *state, u8 reg)
{
	return ub_env_in_machine(env, reg) ? state->regs[reg] : ub_reg_any();
}

/* step.c: what @state is behind instruction @idx. */
void ub_step(const struct ub_env *env, struct ub_state *state, u32 idx);

/* check.c: may instruction @idx run in @state?  mem.c: may it touch that memory? */
int ub_check_insn(struct ub_env *env, const struct ub_state *state, u32 idx);
int ub_mem_check(struct ub_env *env, const struct ub_state *state, u32 idx);

/* log.c.  A refusal returns -EACCES; the first one stands, later ones change nothing. */
__attribute__((format(printf, 4, 5)))
int ub_refuse(struct ub_env *env, enum ub_refusal refusal, u32 idx, const char *format, ...);
/* To be called right behind a refusal: the registers, the story of @reg (or UB_NOREG) and what to try. */
void ub_log_explain(struct ub_env *env, const struct ub_state *state, u32 idx, u8 reg);
void ub_log_state(struct ub_env *env, const struct ub_state *state, u32 idx);

#endif
