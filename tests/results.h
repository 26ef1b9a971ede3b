/* SPDX-License-Identifier: GPL-2.0 */
/*
 * results: a file of figures under build/results, of which each target writes its own and keeps the others'.
 *
 *	{"schema":"ub-results/1","command":"...","host":"...","figures":{NAME:NUMBER,...},"detail":{...}}
 */
#ifndef UB_RESULTS_H
#define UB_RESULTS_H

#include <stdbool.h>

struct result {
	const char *name;
	double value;
};

/* Sets figures and detail->@name, a text or a JSON object (@name may be NULL: no detail), and adds @command to those that made the file.  False, with
 * errno, if it cannot be written. */
bool results_add(const char *path, const char *command, const struct result *results, unsigned int cnt, const char *name,
		 const char *detail);

#endif
