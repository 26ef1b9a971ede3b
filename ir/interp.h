/* SPDX-License-Identifier: GPL-2.0 */
/*
 * interp: the meaning of the IR in C, the oracle that the JIT and the CPU are compared with (user space only).
 */
#ifndef UB_INTERP_H
#define UB_INTERP_H

#include "op.h"

struct ub_interp;

/* What the interpreted block may touch.  Each returns false when the access faults (the block then leaves). */
struct ub_interp_world {
	void *ctx;
	bool (*load)(void *ctx, u64 addr, u32 len, u64 *ret);
	bool (*store)(void *ctx, u64 addr, u32 len, u64 val);
	bool (*must_yield)(void *ctx);			/* check; NULL: never */
	bool (*syscall)(void *ctx, u64 regs[UB_NGUEST]);	/* makes the call named by regs[0], sets regs[0]; false: leave */
	/* Called before each instruction; @ticks: since the last check.  NULL: nobody looks. */
	void (*trace)(void *ctx, u32 idx, const struct ub_interp *state, u32 ticks);
	u64 limit;
	u64 fs_base;
	u64 max_steps;		/* 0: no bound; reaching it is UB_LEFT_STEPS */
	bool is_verified;	/* the block passed ub_verify(): the shapes of its instructions are not looked at again */
	u64 *counts;		/* NULL, or one an instruction: how often it was run is added */
};

enum ub_left {
	UB_LEFT_EXIT,		/* exit or exitto */
	UB_LEFT_FAULT,		/* load, store, divide error */
	UB_LEFT_YIELD,		/* check, rep */
	UB_LEFT_SYSCALL,	/* number differs or the world said no */
	UB_LEFT_BOUND,
	UB_LEFT_STEPS,		/* max_steps; state is in the middle of an instruction */
	UB_LEFT_BUG,		/* the block broke a rule the verifier should have refused */
};

struct ub_interp {
	u64 regs[UB_TEMPS_END];
	u8 v[UB_NVEC][32];	/* vector registers, */
	u32 mxcsr;		/* their control and status */
	bool has_vectors;	/* these two are set: on the processor they are to be loaded and stored */
	u32 flags;		/* UB_FL_* bits only */
	u32 undefined;		/* in/out: those of flags that the SDM leaves undefined here (see alu.c); start with 0 */
	u64 ip;			/* out: where the guest goes on */
	u64 steps;		/* out: instructions run */
	u32 insn_idx;		/* out: where the block left */
};

enum ub_left ub_interp_run(const struct ub_block *block, const struct ub_interp_world *world, u32 start_idx,
			   struct ub_interp *state);

#endif
