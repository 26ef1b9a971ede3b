/* SPDX-License-Identifier: GPL-2.0 */
/*
 * verify: the one door between what ubd sends and what the JIT takes.
 *
 * struct ub_verified is opaque and only ub_verify() makes one: holding it is the proof that the block passed.
 */
#ifndef UB_VERIFY_H
#define UB_VERIFY_H

#include "../ir/op.h"
#include "reg.h"

/* Stable codes for machines; text for people is in the log.  Never renumber. */
enum ub_refusal {
	UB_REFUSE_NONE,
	UB_REFUSE_SIZE,		/* too many or no instructions or entries */
	UB_REFUSE_SHAPE,	/* unknown operation, field that must be zero, ... */
	UB_REFUSE_TARGET,	/* a jump, entry or fall-through outside the block, or not onto a mark where one is needed */
	UB_REFUSE_UNREACHED,	/* code no entry reaches */
	UB_REFUSE_ADDRESS,	/* a constant address or exit above LIMIT */
	UB_REFUSE_MARK,		/* leaving, or writing guest state, without a mark before it */
	UB_REFUSE_UNWRITTEN,	/* a temporary read before it is written, or of one kind here and another there */
	UB_REFUSE_UNGUARDED,	/* memory through a value that is not guarded */
	UB_REFUSE_WINDOW,	/* a guarded access outside its window */
	UB_REFUSE_INEXACT,	/* may leave to a mark after guest state changed */
	UB_REFUSE_BOUND,	/* exitto through a register bound has not passed */
	UB_REFUSE_UNCHECKED,	/* a cycle without check, or too long between checks */
	UB_REFUSE_REGISTER,	/* a register where this operation may not use it */
	UB_REFUSE_WORK,		/* the verifier's own bound was reached */
	UB_REFUSE_IMAGE,	/* the checker of the machine code does not accept what the JIT made of it: a bug of ours */
	UB_REFUSE_COUNT
};

#define UB_WINDOW	(1ull << 40)	/* bytes an access may reach above its guard, width included */

/*
 * The caller's log.  Filled, NUL-terminated and never overrun; what does not fit is dropped and @truncated set.
 * level 0: nothing but the refusal line; 1: plus registers and cause; 2: plus the state at every instruction.
 */
struct ub_log {
	char *buf;		/* may be NULL when size is 0 */
	u32 size;
	u32 len;
	u32 level;
	bool truncated;
	enum ub_refusal refusal;	/* the one root cause */
	u32 insn_idx;		/* where it stands */
	u64 user_ip;		/* the mark it belongs to, 0 if none */
};

struct ub_verify_env {
	u64 limit;		/* TASK_SIZE_MAX of the running kernel: first byte that is never mapped */
};

struct ub_verified;

/*
 * 0, or -EACCES (refused, the reason in @log), -E2BIG (UB_REFUSE_SIZE), -ENOMEM.  *ret is set on 0 only.
 * Borrows @block, which must live, unchanged, as long as *ret.
 */
int ub_verify(const struct ub_block *block, const struct ub_verify_env *env, struct ub_log *log,
	      struct ub_verified **ret);
void ub_verified_free(struct ub_verified *verified);

const struct ub_block *ub_verified_block(const struct ub_verified *verified);
u64 ub_verified_limit(const struct ub_verified *verified);
/* True when some jump or entry leads to instruction @idx. */
bool ub_verified_is_label(const struct ub_verified *verified, u32 idx);
/* What is known of @reg at label @idx, by data flow alone; NULL where that is no label, or @reg may live in memory. */
const struct ub_reg *ub_verified_known(const struct ub_verified *verified, u32 idx, u8 reg);
/* A stable word such as "window" for a code, for JSON. */
const char *ub_refusal_name(enum ub_refusal refusal);

#endif
