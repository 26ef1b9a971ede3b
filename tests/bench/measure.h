/* SPDX-License-Identifier: GPL-2.0 */
/*
 * measure: how long the images take, beside the native code.
 */
#ifndef UB_MEASURE_H
#define UB_MEASURE_H

#include "subject.h"

/* At one place (subject_move): medians of the ratios of neighbouring runs. */
struct measured {
	double native_ns;		/* the shortest */
	double unguarded, guarded;	/* over native */
	double guards;			/* with them over without */
	double unguarded_same, guarded_same;	/* as above, from the same memory again and again */
	double left;			/* the share of rounds that an image was left in, which do not count */
};

#define MAX_PAIRS	1000

/*
 * In @pairs rounds, after one that does not count.  @nr: other memory for another one.  False when results or memory
 * differ, or images are left too often.
 */
bool measure(struct subject *subject, u32 nr, u32 pairs, struct measured *ret);
/* Do all variants give the same result and leave the same memory? */
bool measure_agrees(struct subject *subject);

double median(double *values, u32 cnt);	/* sorts them */

#endif
