/* SPDX-License-Identifier: GPL-2.0 */
/* cgroup: tells the kernel the policies of the configuration. */
#ifndef UBD_CGROUP_H
#define UBD_CGROUP_H

#include "config.h"

/*
 * Sets what @config says; cgroups that @before named and @config does not inherit again (@before may be NULL).
 * A cgroup that cannot be set is warned of and skipped.
 */
void cgroup_push(int device, const struct config *config, const struct config *before);

#endif
