// SPDX-License-Identifier: GPL-2.0
/*
 * figures: adds figures to a file of results, for scripts.
 *
 * usage: figures FILE COMMAND NAME=NUMBER...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results.h"

#define MAX_FIGURES	32

int main(int argc, char **argv)
{
	struct result results[MAX_FIGURES];
	unsigned int cnt = 0;
	char *value, *end;

	if (argc < 4 || argc - 3 > MAX_FIGURES) {
		fprintf(stderr, "usage: figures FILE COMMAND NAME=NUMBER... (%d at most)\n", MAX_FIGURES);
		return 2;
	}
	for (; cnt < (unsigned int)argc - 3; cnt++) {
		value = strchr(argv[cnt + 3], '=');
		if (!value || value == argv[cnt + 3]) {
			fprintf(stderr, "figures: \"%s\" is not NAME=NUMBER\n", argv[cnt + 3]);
			return 2;
		}
		*value++ = 0;
		results[cnt] = (struct result){ .name = argv[cnt + 3], .value = strtod(value, &end) };
		if (!*value || *end) {
			fprintf(stderr, "figures: %s: \"%s\" is no number\n", argv[cnt + 3], value);
			return 2;
		}
	}
	if (results_add(argv[1], argv[2], results, cnt, NULL, NULL))
		return 0;
	fprintf(stderr, "figures: cannot write %s\n", argv[1]);
	return 1;
}
