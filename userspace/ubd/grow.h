/* SPDX-License-Identifier: GPL-2.0 */
/* grow: watches the blocks that run, lets them grow where they are left, takes back what does not pay. */
#ifndef UBD_GROW_H
#define UBD_GROW_H

#include "session.h"

enum grow_verdict { GROW_KEEP, GROW_MORE, GROW_TAKE_BACK };

/* Watches one session whose time has come. */
void grow_watch(struct sessions *sessions, struct session *session, u64 now);

/* No growth until a while has passed, the longer the longer the last one took, which began at @now. */
void grow_pause(struct session *session, u64 now, u64 took_ns);
/* Code that keeps changing is not lifted again until a while has passed; twice as long as last time. */
void grow_back_off(struct session *session, u64 now);

/* Adds what the exits of a block teach to @region; true when there is something new to lift. */
bool grow_learn(struct region *region, const struct ub_exit_info *exits, u32 cnt, u64 min_cnt);

/* Whether @runs entries and @calls calls since the last judgement pay. */
bool grow_pays(const struct config *config, u64 runs, u64 calls);

#endif
