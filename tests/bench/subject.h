/* SPDX-License-Identifier: GPL-2.0 */
/*
 * subject: one kernel on its way through the translator, and its runs: native, and as an image with and without guards.
 */
#ifndef UB_SUBJECT_H
#define UB_SUBJECT_H

#include "../harness.h"
#include "kernels.h"
#include "step.h"

#define BENCH_LIMIT	0x7ffffffff000ull
#define MAX_HINTS	512

enum variant { NATIVE, UNGUARDED, GUARDED, VARIANTS };

struct subject {
	const struct kernel *kernel;
	u8 *room;			/* holds mem */
	u8 *mem, *fresh;		/* BENCH_MEM bytes: for the runs, and as prepared */
	u64 *top;			/* of the stack, above the return address */
	u64 ticks;			/* of the processor's clock, for the last run */
	u64 max_steps;
	struct trace *trace;		/* of the native code */
	struct ub_lift_hint hints[MAX_HINTS];
	u32 hint_cnt;
	u64 roots[64];			/* the kernel, and exits taken */
	u32 root_cnt;
	u64 wild[64];			/* where a hold failed */
	u32 wild_cnt;
	struct ub_lifted *lifted;
	struct ub_block bare;		/* without guards */
	struct ub_verified *verified, *bare_verified;
	struct ub_image *images[VARIANTS];
	double lift_ms, verify_ms, compile_ms;
	char why[256];			/* it is not translated */
};

/* True when @subject can be measured; else why is set.  @max_steps: how long it is watched. */
bool subject_make(struct subject *subject, const struct kernel *kernel, u64 max_steps);
void subject_free(struct subject *subject);

/*
 * Moves memory, stack and images to other places, @nr says which; where they lie to one another and in their pages makes
 * several percent.  Memory is to be prepared anew.
 */
void subject_move(struct subject *subject, u32 nr);
/* Prepares other memory for each @round. */
void subject_prepare(struct subject *subject, u32 round);
/* Memory as prepared, the processor as after a C function. */
void subject_reset(struct subject *subject);
/* One run, which sets ticks; returns what the kernel returns.  False in *ret_is_whole: the image was left before its end. */
u64 subject_run(struct subject *subject, enum variant variant, bool *ret_is_whole);
/* A run in the interpreter that adds to @counts, one an instruction of the block. */
bool subject_count(struct subject *subject, u64 *counts);

/* Reads code and data of this process, for the lifter. */
u32 self_read_code(void *ctx, u64 ip, u8 *buf, u32 len);
bool self_read_data(void *ctx, u64 addr, u32 len, u64 *ret);
extern const u8 bench_goal[];		/* where every kernel returns to */
double milliseconds(void);

#endif
