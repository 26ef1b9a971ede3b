/* SPDX-License-Identifier: GPL-2.0 */
/*
 * step: watches code of this process instruction by instruction, by the trap flag.
 */
#ifndef UB_STEP_H
#define UB_STEP_H

#include <ucontext.h>

#include "../../lifter/lift.h"

/* @fn sees the registers before each instruction of this thread, until it returns false or step_end(); it must not
 * allocate. */
typedef bool (*step_fn)(void *ctx, const greg_t *regs);
int step_begin(step_fn fn, void *ctx);
void step_end(void);

/* What a run of code went through: each pair of instructions that followed one another, with how often. */
struct step_pair {
	u64 from, to, cnt;
};

#define TRACE_PAIRS	16384u		/* a power of two; what does not fit is forgotten */

struct trace {
	u64 start, stop;		/* watches from here to there */
	u64 steps, max_steps;		/* a trap takes microseconds */
	u64 last;
	bool is_inside;
	u32 pair_cnt;
	struct step_pair pairs[TRACE_PAIRS];
};

bool trace_step(void *trace, const greg_t *regs);
/* Where indirect branches went, the most frequent first; and what was called by number.  Returns how many. */
u32 trace_hints(const struct trace *trace, struct ub_lift_hint *ret, u32 max);
/* Did it run an instruction that only processors with AVX or BMI have? */
bool trace_has_vex(const struct trace *trace);
/* Those instructions that are not lifted: "movdqu, paddb", or "". */
void trace_unsupported(const struct trace *trace, char *buf, size_t size);

#endif
