// SPDX-License-Identifier: GPL-2.0
/*
 * session: lift, attach, load, let go.
 *
 * What did not work is remembered by the code's place in its file, so that neither a restart of the program nor
 * address randomisation brings it back before its time.
 */
#include "session.h"

#include <time.h>

#include "say.h"

#define NS_PER_S	1000000000ull
#define NS_PER_MS	1000000ull
#define LOG_SIZE	4096
#define LEAST_INSNS	32	/* a block that does not fit with so few never will */

u64 session_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct session *session_find(struct sessions *sessions, u32 pid)
{
	u32 i;

	for (i = 0; i < SESSION_MAX; i++)
		if (pid && sessions->list[i].pid == pid)
			return &sessions->list[i];
	return NULL;
}

static struct grudge *find_grudge(struct sessions *sessions, u64 inode, u64 offset)
{
	u32 i;

	for (i = 0; i < SESSION_MAX_GRUDGES; i++)
		if (sessions->grudges[i].until_ns && sessions->grudges[i].inode == inode &&
		    sessions->grudges[i].offset == offset)
			return &sessions->grudges[i];
	return NULL;
}

bool session_is_resting(struct sessions *sessions, u64 inode, u64 offset, u64 now)
{
	const struct grudge *grudge = find_grudge(sessions, inode, offset);

	return grudge && now < grudge->until_ns;
}

void session_rest_for(struct sessions *sessions, u64 inode, u64 offset, u64 now, u32 first_s)
{
	struct grudge *grudge = find_grudge(sessions, inode, offset), *oldest = sessions->grudges;
	u32 delay_s = first_s, i;

	if (grudge) {
		delay_s = grudge->delay_s * 2;
	} else {
		for (i = 0; i < SESSION_MAX_GRUDGES; i++)
			if (sessions->grudges[i].until_ns < oldest->until_ns)
				oldest = &sessions->grudges[i];
		grudge = oldest;
	}
	if (delay_s > SESSION_LAST_RETRY_S)
		delay_s = SESSION_LAST_RETRY_S;
	*grudge = (struct grudge){ inode, offset, now + delay_s * NS_PER_S, delay_s };
}

void session_rest(struct sessions *sessions, u64 inode, u64 offset, u64 now)
{
	session_rest_for(sessions, inode, offset, now, sessions->config->retry_s);
}

/* What one UB_IOC_LOAD takes. */
static bool fits(const struct sessions *sessions, const struct ub_lifted *lifted)
{
	u32 bytes = 0, i;

	for (i = 0; i < lifted->range_cnt; i++)
		bytes += lifted->ranges[i].len;
	return lifted->range_cnt <= UB_MAX_CODE_RANGES && bytes <= UB_MAX_CODE_BYTES &&
	       (sessions->device < 0 || (lifted->block.insn_cnt <= sessions->feature.max_insns &&
					 lifted->block.entry_cnt <= sessions->feature.max_entries));
}

/* As much as may be loaded: less, when code lies scattered. */
static int lift_fitting(struct sessions *sessions, struct session *session, struct region_lifted *ret)
{
	struct region_env env = {
		.profile = sessions->profile,
		.max_guest_insns = session->budget,
		.limit = sessions->device >= 0 ? sessions->feature.limit : POLICY_USER_LIMIT,
		.may_dispatch = policy_may_dispatch,
	};
	int err;

	for (;;) {
		err = region_lift(&session->region, session->pid, &env, ret);
		if (err || fits(sessions, ret->lifted))
			return err;
		region_lifted_free(ret);
		if (env.max_guest_insns < LEAST_INSNS)
			return -E2BIG;
		env.max_guest_insns /= 2;
	}
}

static int session_lift(struct sessions *sessions, struct session *session, struct region_lifted *ret)
{
	u64 began_ns = session_now();
	int err = lift_fitting(sessions, session, ret);

	if (err) {
		ubd_say(SAY_DEBUG, "%u (%s): its hot code cannot be lifted: %s", session->pid, session->comm,
			err == -EOPNOTSUPP ? "nothing useful to lift" : strerror(-err));
		return err;
	}
	session->root_cnt = session->region.root_cnt;
	if (ret->is_verified) {
		ubd_say(SAY_DEBUG, "%u (%s): lifted %u instructions in %llu ms", session->pid, session->comm,
			ret->lifted->guest_insn_cnt, (unsigned long long)((session_now() - began_ns) / NS_PER_MS));
		return 0;
	}
	ubd_say(SAY_WARNING, "%u (%s): the verifier refuses the lifted block: %s", session->pid, session->comm,
		ret->log);
	region_lifted_free(ret);
	return -EACCES;
}

static int load_block(struct sessions *sessions, struct session *session, const struct ub_lifted *lifted)
{
	struct ub_code code[UB_MAX_CODE_RANGES] = { 0 };
	char log[LOG_SIZE] = "";
	struct ub_load load = {
		.session_id = session->session_id, .replace_id = session->block_id,
		.insns = (uintptr_t)lifted->block.insns, .insn_cnt = lifted->block.insn_cnt,
		.entries = (uintptr_t)lifted->block.entries, .entry_cnt = lifted->block.entry_cnt,
		.resident = lifted->block.resident,
		.code = (uintptr_t)code, .code_cnt = lifted->range_cnt,
		.log_buf = (uintptr_t)log, .log_size = sizeof(log), .log_level = 1,
	};
	u32 i;
	int err;

	if (lifted->range_cnt > UB_MAX_CODE_RANGES)
		return -E2BIG;
	for (i = 0; i < lifted->range_cnt; i++)
		code[i] = (struct ub_code){ .start = lifted->ranges[i].start, .len = lifted->ranges[i].len,
					    .bytes = (uintptr_t)lifted->ranges[i].bytes };
	err = ub_load(sessions->device, &load);
	log[sizeof(log) - 1] = 0;
	if (err) {
		log[strcspn(log, "\n")] = 0;
		ubd_say(err == -ESTALE ? SAY_NOTE : SAY_WARNING, "%u (%s): the kernel does not take the block: %s%s%s",
			session->pid, session->comm, ub_command_error(UB_IOC_LOAD, err), *log ? ": " : "", log);
		return err;
	}
	session->block_id = load.block_id;
	session->guest_insn_cnt = lifted->guest_insn_cnt;
	session->insn_cnt = lifted->block.insn_cnt;
	session->entry_cnt = lifted->block.entry_cnt;
	session->runs = session->calls = 0;
	return 0;
}

int session_reload(struct sessions *sessions, struct session *session)
{
	struct region_lifted lifted;
	int err;

	err = session_lift(sessions, session, &lifted);
	if (err)
		return err;
	if (session->block_id && lifted.lifted->guest_insn_cnt == session->guest_insn_cnt &&
	    lifted.lifted->block.insn_cnt == session->insn_cnt &&
	    lifted.lifted->block.entry_cnt == session->entry_cnt) {
		region_lifted_free(&lifted);
		return -EALREADY;
	}
	err = load_block(sessions, session, lifted.lifted);
	session->inode = lifted.inode;
	session->offset = lifted.offset;
	region_lifted_free(&lifted);
	session->is_stale = err == -ESTALE;
	return err;
}

static struct session *fill_slot(struct sessions *sessions, const struct heat_process *process)
{
	struct session *session = sessions->list;
	const struct heat_site *site;
	bool taken[HEAT_MAX_SITES] = { false };
	u32 i, best, hottest = 0;

	while (session < sessions->list + SESSION_MAX && session->pid)
		session++;
	if (session == sessions->list + SESSION_MAX || sessions->cnt >= sessions->config->max_sessions)
		return NULL;
	memset(session, 0, sizeof(*session));
	session->pid = process->pid;
	session->start_ns = process->start_ns;
	session->budget = sessions->config->max_guest_insns < SESSION_FIRST_INSNS ?
			  sessions->config->max_guest_insns : SESSION_FIRST_INSNS;
	memcpy(session->comm, process->comm, sizeof(session->comm));
	/*
	 * Hottest first: the first entry is the one that names the code.  Calls made once, while the program began, must
	 * not be entries: the code behind them is cold, and the block may not become large enough for all.
	 */
	for (;;) {
		best = HEAT_MAX_SITES;
		for (i = 0; i < process->site_cnt; i++)
			if (!taken[i] && policy_is_hot_call(NULL, process->sites[i].nr) &&
			    (best == HEAT_MAX_SITES ||
			     heat_sum(process->sites[i].cnt) > heat_sum(process->sites[best].cnt)))
				best = i;
		if (best == HEAT_MAX_SITES)
			break;
		taken[best] = true;
		site = &process->sites[best];
		if (!hottest)
			hottest = heat_sum(site->cnt);
		if (heat_sum(site->cnt) * SESSION_ENTRY_SHARE < hottest)
			break;
		region_add_entry(&session->region, site->ip, site->nr);
	}
	return session;
}

/* Only says what would be gained. */
static int observe(struct sessions *sessions, struct session *session)
{
	struct region_lifted lifted;
	int err = session_lift(sessions, session, &lifted);

	if (err)
		return err;
	ubd_say(SAY_NOTE, "%u (%s): hot, and %u instructions of it can be lifted; policy is \"observe\"",
		session->pid, session->comm, lifted.lifted->guest_insn_cnt);
	region_lifted_free(&lifted);
	return 0;
}

static int lift_and_attach(struct sessions *sessions, struct session *session)
{
	struct region_lifted lifted;
	struct ub_attach attach;
	u64 now = session_now();
	int err;

	err = session_lift(sessions, session, &lifted);
	if (err)
		return err;
	session->inode = lifted.inode;
	session->offset = lifted.offset;
	if (session_is_resting(sessions, lifted.inode, lifted.offset, now)) {
		region_lifted_free(&lifted);
		return -EAGAIN;
	}
	err = ub_attach(sessions->device, session->pid, &attach);
	if (err) {
		ubd_say(SAY_NOTE, "%u (%s): cannot attach: %s", session->pid, session->comm,
			ub_command_error(UB_IOC_ATTACH, err));
		region_lifted_free(&lifted);
		return err;
	}
	session->session_id = attach.session_id;
	session->pending = lifted;
	session->has_pending = true;
	return 0;
}

static void drop_pending(struct session *session)
{
	if (session->has_pending)
		region_lifted_free(&session->pending);
	session->has_pending = false;
}

int session_load_pending(struct sessions *sessions, struct session *session)
{
	u64 began_ns = session_now();
	int err = load_block(sessions, session, session->pending.lifted);

	drop_pending(session);
	session->is_stale = err == -ESTALE;
	if (!err)
		ubd_say(SAY_NOTE, "%u (%s): block %u of %u instructions, %u entries", session->pid, session->comm,
			session->block_id, session->guest_insn_cnt, session->region.entry_cnt);
	ubd_say(SAY_DEBUG, "%u (%s): loaded in %llu ms", session->pid, session->comm,
		(unsigned long long)((session_now() - began_ns) / NS_PER_MS));
	return err;
}

int session_begin(struct sessions *sessions, const struct heat_process *process, enum ub_mode mode)
{
	struct session *session = fill_slot(sessions, process);
	u64 now = session_now();
	int err;

	if (!session)
		return -ENOSPC;
	if (mode != UB_MODE_ON || sessions->device < 0) {
		err = observe(sessions, session);
		session->pid = 0;
		session_rest(sessions, SESSION_OBSERVED(process), now);
		return err;
	}
	err = lift_and_attach(sessions, session);
	if (err) {
		session->pid = 0;
		if (err != -ESTALE && err != -ESRCH)
			session_rest(sessions, SESSION_PROCESS(process), now);
		return err;
	}
	session->watch_ms = SESSION_FIRST_WATCH_MS;
	session->grow_ms = SESSION_FIRST_WATCH_MS;
	session->next_watch_ns = now + session->watch_ms * NS_PER_MS;
	sessions->cnt++;
	ubd_say(SAY_NOTE, "%u (%s): attached", session->pid, session->comm);
	return 0;
}

void session_end(struct sessions *sessions, struct session *session, const char *why)
{
	if (!session->pid)
		return;
	if (session->session_id && sessions->device >= 0)
		ub_detach(sessions->device, session->session_id);
	ubd_say(SAY_NOTE, "%u (%s): detached: %s", session->pid, session->comm, why);
	drop_pending(session);
	session->pid = 0;
	sessions->cnt--;
}

void session_end_all(struct sessions *sessions, const char *why)
{
	u32 i;

	for (i = 0; i < SESSION_MAX; i++)
		session_end(sessions, &sessions->list[i], why);
}
