/* SPDX-License-Identifier: GPL-2.0 */
/* observe: who would gain?  Needs no module. */
#ifndef UBD_OBSERVE_H
#define UBD_OBSERVE_H

#include "config.h"

struct json_object;

/*
 * Samples for @seconds at the search rate; *ret is the report, the caller puts it.  -errno with one line of what is
 * missing in @why.
 */
int observe(const struct config *config, u32 seconds, struct json_object **ret, char *why, size_t why_size);

#endif
