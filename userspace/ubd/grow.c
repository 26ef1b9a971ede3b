// SPDX-License-Identifier: GPL-2.0
/*
 * grow: what a block's exits say.
 *
 * An exit at code that was not lifted is the next thing to lift; where one was held that is no address, each use is guarded
 * from then on; faults, pending work and restarts are the kernel's normal business.  Each entry costs an exit, so calls
 * for each entry is the one measure of gain: below the limit, with nothing left to grow, the block goes.
 */
#include "grow.h"

#include <time.h>

#include "say.h"
#include "trial.h"

#define NS_PER_MS	1000000ull
#define MIN_SHARE	50	/* an exit is worth growing at when one entry of so many leaves there */
#define MIN_EXITS	16
#define GROW_SHARE	10	/* of the time, one in so many at most goes into growing one session */
#define LAST_GROW_MS	10000
#define SETTLE_NS	1000000

void grow_pause(struct session *session, u64 now, u64 took_ns)
{
	u64 pause_ns = took_ns * (GROW_SHARE - 1);

	if (pause_ns < SESSION_FIRST_WATCH_MS * NS_PER_MS)
		pause_ns = SESSION_FIRST_WATCH_MS * NS_PER_MS;
	session->next_grow_ns = now + took_ns + pause_ns;
}

void grow_back_off(struct session *session, u64 now)
{
	session->next_grow_ns = now + session->grow_ms * NS_PER_MS;
	if (session->grow_ms < LAST_GROW_MS)
		session->grow_ms *= 2;
}

bool grow_pays(const struct config *config, u64 runs, u64 calls)
{
	return runs < config->min_entries || calls >= runs * config->min_calls_per_entry;
}

bool grow_learn(struct region *region, const struct ub_exit_info *exits, u32 cnt, u64 min_cnt)
{
	bool is_new = false;
	u32 i;

	for (i = 0; i < cnt; i++) {
		if (exits[i].count < min_cnt)
			continue;
		if (exits[i].kind == UB_EXIT_END)
			is_new |= region_add_root(region, exits[i].ip);
		if (exits[i].kind == UB_EXIT_BOUND)
			is_new |= region_add_wild(region, exits[i].ip);
		if (exits[i].kind != UB_EXIT_INDIRECT || !exits[i].last_target)
			continue;
		is_new |= region_add_hint(region, exits[i].ip, exits[i].last_target);
		is_new |= region_add_root(region, exits[i].last_target);
	}
	return is_new;
}

/* Reads what the exits of the block tell. */
static void learn(struct sessions *sessions, struct session *session, const struct ub_block_info *info)
{
	u64 min_cnt = info->runs / MIN_SHARE;
	struct ub_exit_info *exits;
	u32 cnt;

	if (session->regrowth_cnt >= sessions->config->max_regrowths ||
	    ub_block_exits(sessions->device, session->block_id, &exits, &cnt))
		return;
	session->has_learned |= grow_learn(&session->region, exits, cnt, min_cnt < MIN_EXITS ? MIN_EXITS : min_cnt);
	free(exits);
}

/* Puts a new block in the place of the old; false when there is none. */
static bool grow(struct sessions *sessions, struct session *session, const struct ub_session_info *live, u64 now)
{
	u32 old_insns = session->guest_insn_cnt, old_roots = session->root_cnt;
	int err;

	session->has_learned = false;
	session->budget *= 2;
	if (session->budget > sessions->config->max_guest_insns)
		session->budget = sessions->config->max_guest_insns;
	err = session_reload(sessions, session);
	grow_pause(session, now, session_now() - now);
	if (err == -EALREADY)
		region_give_up(&session->region, old_roots);
	if (err)
		return false;
	session->regrowth_cnt++;
	session->trial.worse_cnt = 0;
	trial_begin(&session->trial, session->pid, live, now);
	ubd_say(SAY_NOTE, "%u (%s): grew from %u to %u instructions, block %u", session->pid, session->comm, old_insns,
		session->guest_insn_cnt, session->block_id);
	return true;
}

static void take_back(struct sessions *sessions, struct session *session, u64 now, const char *why)
{
	session_rest(sessions, session->inode, session->offset, now);
	session_rest(sessions, SESSION_PROCESS(session), now);
	session_end(sessions, session, why);
}

static void judge(struct sessions *sessions, struct session *session, const struct ub_block_info *info, u64 now)
{
	u64 runs = info->runs - session->runs, calls = info->calls - session->calls;
	char why[128];

	if (runs < sessions->config->min_entries)
		return;
	if (!grow_pays(sessions->config, runs, calls)) {
		snprintf(why, sizeof(why), "does not pay: %llu entries made %llu calls", (unsigned long long)runs,
			 (unsigned long long)calls);
		take_back(sessions, session, now, why);
		return;
	}
	session->runs = info->runs;
	session->calls = info->calls;
}

/* First the price of a call without the block, then the block. */
static void try_load(struct sessions *sessions, struct session *session, const struct ub_session_info *live, u64 now)
{
	int err;

	session->next_watch_ns = now + SESSION_FIRST_WATCH_MS * NS_PER_MS;
	if (!session->trial.cpu_ns) {
		trial_begin(&session->trial, session->pid, live, now);
		return;
	}
	if (!trial_learn_native(&session->trial, session->pid, live, now))
		return;
	err = session_load_pending(sessions, session);
	if (err && err != -ESTALE)
		take_back(sessions, session, now, "its block cannot be loaded");
	else
		trial_begin(&session->trial, session->pid, live, now);
}

/* True when the session was dealt with: the block is out for a recheck, or the session is over. */
static bool try_block(struct sessions *sessions, struct session *session, const struct ub_session_info *live, u64 now)
{
	struct trial *trial = &session->trial;
	char why[128];

	switch (trial_judge(trial, session->pid, live, now)) {
	case TRIAL_SUSPECT:
		ub_unload(sessions->device, session->block_id);
		session->block_id = 0;
		trial_begin(trial, session->pid, live, now);
		break;
	case TRIAL_BAD:
		snprintf(why, sizeof(why), "does not pay: %.0f ns a call, %.0f without", trial->block_ns, trial->native_ns);
		take_back(sessions, session, now, why);
		return true;
	case TRIAL_CLEARED:
		session->is_stale = true;	/* lift it again, the way lost code is */
		return false;
	default:
		break;
	}
	if (trial->is_recheck)
		session->next_watch_ns = now + SESSION_FIRST_WATCH_MS * NS_PER_MS;
	return trial->is_recheck;
}

/* A thread in a block tells its counts when it is asked, a little later: the second answer is of now. */
static int fresh_info(const struct sessions *sessions, const struct session *session, struct ub_session_info *ret)
{
	struct timespec pause = { .tv_nsec = SETTLE_NS };
	int err = ub_session_info(sessions->device, session->session_id, ret);

	if (err || !session->block_id)
		return err;
	nanosleep(&pause, NULL);
	return ub_session_info(sessions->device, session->session_id, ret);
}

/* As try_block().  A block that has something to learn is not judged: what it costs now says nothing of what it will. */
static bool watch_block(struct sessions *sessions, struct session *session, const struct ub_session_info *live,
			const struct ub_block_info *info, u64 now)
{
	learn(sessions, session, info);
	if (session->has_learned) {
		if (now >= session->next_grow_ns && grow(sessions, session, live, now))
			session->watch_ms = SESSION_FIRST_WATCH_MS;
		return false;
	}
	if (try_block(sessions, session, live, now))
		return true;
	judge(sessions, session, info, now);
	return false;
}

/* Lifts anew what the kernel has thrown out, less and less often: code that keeps changing is not worth it. */
static void renew(struct sessions *sessions, struct session *session, u64 now)
{
	int err;

	if (session->regrowth_cnt++ >= sessions->config->max_regrowths) {
		take_back(sessions, session, now, "its code keeps changing");
		return;
	}
	grow_back_off(session, now);
	session->block_id = 0;
	err = session_reload(sessions, session);
	if (err && err != -ESTALE)
		take_back(sessions, session, now, "its code changed and cannot be lifted any more");
}

void grow_watch(struct sessions *sessions, struct session *session, u64 now)
{
	struct ub_session_info live;
	struct ub_block_info info;
	struct ub_process facts;
	int err;

	if (fresh_info(sessions, session, &live) || live.state == UB_SESSION_DYING) {
		session_end(sessions, session, "the process is gone or runs another program");
		return;
	}
	/* No grudge: as soon as the policy is "on" again the process is helped again. */
	if (!ub_process_read(session->pid, &facts) &&
	    policy_mode(sessions->config, sessions->device, &facts) != UB_MODE_ON) {
		session_end(sessions, session, "its policy is not \"on\" any more");
		return;
	}
	if (session->has_pending) {
		try_load(sessions, session, &live, now);
		return;
	}
	if (session->trial.is_recheck && !session->is_stale && try_block(sessions, session, &live, now))
		return;
	err = ub_block_info(sessions->device, session->block_id, &info);
	if (err || info.state == UB_BLOCK_DEAD || session->is_stale) {
		if (now >= session->next_grow_ns)
			renew(sessions, session, now);
	} else if (watch_block(sessions, session, &live, &info, now)) {
		return;
	}
	if (!session->pid)
		return;
	session->next_watch_ns = now + session->watch_ms * NS_PER_MS;
	if (session->watch_ms < SESSION_LAST_WATCH_MS)
		session->watch_ms = session->watch_ms * 3 / 2;
	if (session->watch_ms > SESSION_LAST_WATCH_MS)
		session->watch_ms = SESSION_LAST_WATCH_MS;
}
