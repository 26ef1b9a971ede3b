/* SPDX-License-Identifier: GPL-2.0 */
/* session: the processes that are helped now, and the memory of those that did not gain. */
#ifndef UBD_SESSION_H
#define UBD_SESSION_H

#include "config.h"
#include "heat.h"
#include "policy.h"
#include "region.h"

#define SESSION_MAX		256
#define SESSION_MAX_GRUDGES	512
#define SESSION_FIRST_WATCH_MS	50
#define SESSION_LAST_WATCH_MS	1000
#define SESSION_LAST_RETRY_S	3600
#define SESSION_ENTRY_SHARE	10	/* an entry has at least one sample for so many of the hottest */
#define SESSION_FIRST_INSNS	500	/* a first block is small: it is there soon, and grows where it is left */

/* What a hooked call costs the process, all its processor time divided among them; see trial.c. */
struct trial {
	u64 cpu_ns, calls;		/* where the window under way began; cpu_ns 0: none */
	u64 since_ns;
	double native_ns;		/* a call without the block, 0: not known */
	double block_ns;		/* with it, in the last window */
	u32 worse_cnt;			/* windows in a row that were slower with it */
	bool is_recheck;		/* the block is out, to see whether it is to blame */
};

struct session {
	u32 pid;			/* 0: a free slot */
	u64 start_ns;
	char comm[16];
	u32 session_id;
	u32 block_id;
	u64 inode, offset;		/* of its first entry, see code_identity() */
	struct region region;
	u32 budget;			/* guest instructions, at most; doubles with each growth */
	u32 guest_insn_cnt, insn_cnt, entry_cnt;	/* of the block that is loaded */
	u32 root_cnt;			/* of the region, when it was lifted last */
	u32 regrowth_cnt;
	bool has_learned;		/* its exits have told something that is not lifted yet */
	bool is_stale;			/* code moved under it: lift again */
	u64 runs, calls;		/* of the block, at the last judgement */
	struct region_lifted pending;	/* to be loaded once it is known what a call costs without */
	bool has_pending;
	struct trial trial;
	u64 next_watch_ns;
	u32 watch_ms;
	u64 next_grow_ns;
	u32 grow_ms;
};

/* Code that was tried in vain, or a process: not before @until_ns again. */
struct grudge {
	u64 inode, offset;		/* or 0 and the process: pid, start */
	u64 until_ns;
	u32 delay_s;
};

struct sessions {
	struct session list[SESSION_MAX];
	u32 cnt;
	struct grudge grudges[SESSION_MAX_GRUDGES];
	int device;			/* /dev/ub, -1: none */
	struct ub_feature feature;
	const struct profile *profile;
	const struct config *config;
};

u64 session_now(void);			/* CLOCK_BOOTTIME, nanoseconds */
struct session *session_find(struct sessions *sessions, u32 pid);

/* Not worth a look now? */
bool session_is_resting(struct sessions *sessions, u64 inode, u64 offset, u64 now);
/* Rest for the configured time, twice as long as last time. */
void session_rest_for(struct sessions *sessions, u64 inode, u64 offset, u64 now, u32 first_s);
void session_rest(struct sessions *sessions, u64 inode, u64 offset, u64 now);
#define SESSION_PROCESS(process)	((u64)(process)->pid << 32), (process)->start_ns
/* A rest from faster sampling only: who gets hot meanwhile is helped. */
#define SESSION_WARM(process)		((u64)(process)->pid << 32 | 1), (process)->start_ns
/* A rest from reports that it could be helped, were the policy "on". */
#define SESSION_OBSERVED(process)	((u64)(process)->pid << 32 | 2), (process)->start_ns

/*
 * Lifts the hot calls of @process and, in mode ON, attaches and loads.  0, or -errno; says what came of it.  A
 * process that fails rests.
 */
int session_begin(struct sessions *sessions, const struct heat_process *process, enum ub_mode mode);
/* Lifts and loads again in place of the block there is; -EALREADY when it would be the same block again. */
int session_reload(struct sessions *sessions, struct session *session);
/* Loads what session_begin() lifted. */
int session_load_pending(struct sessions *sessions, struct session *session);
void session_end(struct sessions *sessions, struct session *session, const char *why);
void session_end_all(struct sessions *sessions, const char *why);

#endif
