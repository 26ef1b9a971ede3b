/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trial: does a block pay?
 *
 * What a hooked call costs is measured before the block is loaded, and in windows afterwards.  A block that is slower
 * in several windows is taken out for one more window, since the program itself may have become slower meanwhile.
 */
#ifndef UBD_TRIAL_H
#define UBD_TRIAL_H

#include "session.h"

enum trial_verdict {
	TRIAL_WAIT,		/* look again soon: the window is too short to tell */
	TRIAL_GOOD,
	TRIAL_SUSPECT,		/* take the block out and begin a recheck */
	TRIAL_BAD,		/* recheck: it was the block */
	TRIAL_CLEARED,		/* recheck: it was not; load it again */
};

/* Begins a window. */
void trial_begin(struct trial *trial, u32 pid, const struct ub_session_info *info, u64 now);
/* The cost of a native call, from the window under way.  False: not yet; gives up, with no figure, in the end. */
bool trial_learn_native(struct trial *trial, u32 pid, const struct ub_session_info *info, u64 now);
enum trial_verdict trial_judge(struct trial *trial, u32 pid, const struct ub_session_info *info, u64 now);
/* The judgement alone: adds a window of @cpu_ns and @calls. */
enum trial_verdict trial_add(struct trial *trial, u64 cpu_ns, u64 calls);

#endif
