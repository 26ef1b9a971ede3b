/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cost: what a translated kernel executes, and what for.
 */
#ifndef UB_COST_H
#define UB_COST_H

#include <stdio.h>

#include "subject.h"

enum cost_kind {
	COST_WORK,		/* what the guest does itself, and what it takes to name its operands */
	COST_GUARDS,		/* guards and holds */
	COST_FLAGS,		/* saving and restoring the guest's flags */
	COST_SPILLS,		/* guest registers and temporaries that live in memory */
	COST_CONTROL,		/* jumps, comparisons of indirect targets */
	COST_CHECKS,		/* of work for the kernel, ticks */
	COST_EDGES,		/* code out of line */
	COST_KINDS
};

extern const char *const cost_names[COST_KINDS];

/* Counts of one run. */
struct cost {
	u64 guest;			/* instructions of the original code */
	u64 ops;			/* of the IR, marks not counted */
	u64 accesses, guards;		/* of memory; guards and holds */
	double stepped;			/* of the guest's, for which these are: */
	u64 machine;			/* instructions of the image, */
	u64 kinds[COST_KINDS];		/* by what they are for */
	u64 *op_counts;			/* one an instruction of the block */
	u64 *code_counts;		/* one a byte of the image, at the first of each instruction */
};

bool cost_find(struct subject *subject, struct cost *ret);
void cost_free(struct cost *cost);
/* The IR, and under each of its instructions its machine code, with counts. */
void cost_dump(FILE *file, const struct subject *subject, const struct cost *cost);

#endif
