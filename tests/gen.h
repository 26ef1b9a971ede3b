/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gen: random blocks that keep the rules of the IR, for tests.
 */
#ifndef UB_GEN_H
#define UB_GEN_H

#include "../ir/op.h"

#define GEN_BUF_LEN	4096u
#define GEN_MAX_INSNS	160
#define GEN_BASE_IP	0x400000ull
#define GEN_EXIT_IP	0x1234ull	/* where a block ends that runs to its end */

/* The memory that the blocks' pointers mostly point into; fences that fault lie around it.  The limit is the end of it;
 * beyond the upper fence lies memory that no guarded access may reach, though the machine would let it. */
extern u8 *gen_buf;
extern u64 gen_limit;

struct gen {
	struct ub_insn insns[GEN_MAX_INSNS];
	u32 cnt;
	u16 resident;
	u32 tick_at;		/* a tick whose renewal is still to come; 0: none */
	u32 undefined;		/* flags that the SDM leaves undefined here, at last: at the end */
	u32 join_at[4];		/* pending forward jumps: instruction to patch, */
	u32 join_undefined[4];	/* and the undefined flags that come along */
	u32 join_cnt;
	bool is_written[8];	/* temporaries */
};

int gen_map_buf(void);
void gen_seed(u64 seed, u32 program);
u64 gen_random(void);
/* Values near the corners of each width, and plain random ones. */
u64 gen_value(void);
/* A block with one entry, instruction 0 at GEN_BASE_IP. */
void gen_block(struct gen *g);
/* Flags that may be undefined at an exit in the middle: everything any instruction left so. */
u32 gen_ever_undefined(const struct gen *g);

#endif
