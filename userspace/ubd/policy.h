/* SPDX-License-Identifier: GPL-2.0 */
/* policy: who may be helped, and which calls blocks make. */
#ifndef UBD_POLICY_H
#define UBD_POLICY_H

#include <libub/ub.h>

#include "config.h"

#define POLICY_USER_LIMIT	0x7ffffffff000ull	/* TASK_SIZE_MAX with 4 levels, for want of the module's word */

/* Call sets: the module's when @feature is not NULL, else the calls that a module is expected to allow. */
void policy_calls(const struct ub_feature *feature);
bool policy_is_hot_call(void *ctx, u32 nr);
bool policy_may_dispatch(void *ctx, u64 nr);

/* NULL when @process may be helped; else why never. */
const char *policy_excluded(const struct config *config, const struct ub_process *process);

/* What holds for @process: the module's word when @device >= 0, else the configuration's; OFF, OBSERVE or ON. */
enum ub_mode policy_mode(const struct config *config, int device, const struct ub_process *process);

#endif
