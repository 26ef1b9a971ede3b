// SPDX-License-Identifier: GPL-2.0
/*
 * loop: samples, chooses, watches.
 *
 * One timer: the next look at the samples or the next watch of a session, whichever is first.  The sampler runs at
 * the idle rate until somebody looks warm, then for a few intervals at the search rate.  Who stays only warm rests,
 * so that the fast rate is the exception.
 */
#include "loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cgroup.h"
#include "control.h"
#include "grow.h"
#include "say.h"

#define NS_PER_S	1000000000ull
#define NS_PER_MS	1000000ull
#define BURST_INTERVALS	4
#define WARM_REST_S	1
#define DEVICE_RETRY_S	3
#define DEVICE_HOLD_S	2
#define NEW_ENTRY_SHARE	10	/* a call that is not an entry yet matters with one of so many of the call samples */

/* Tells one life of the device from the next; 0: it is not there. */
static u64 device_identity(void)
{
	struct stat st;

	if (stat(UB_DEVICE, &st))
		return 0;
	return st.st_ino ^ (st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec);
}

/* 0 with the descriptor in *ret_fd and sessions->feature; else says why not when @is_loud. */
static int try_device(struct sessions *sessions, bool is_loud, int *ret_fd)
{
	int fd = ub_open(), err;

	err = fd < 0 ? fd : ub_feature(fd, &sessions->feature);
	if (!err && sessions->feature.abi_version != UB_ABI_VERSION) {
		if (is_loud)
			ubd_say(SAY_ERROR, "%s speaks version %u, this ubd %u", UB_DEVICE,
				sessions->feature.abi_version, UB_ABI_VERSION);
		err = -EPROTO;
	} else if (err && is_loud) {
		ubd_say(SAY_WARNING, "%s: %s; only observing until the module is there", UB_DEVICE, strerror(-err));
	}
	if (!err)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return err;
}

int loop_device(struct loop *loop)
{
	struct sessions *sessions = &loop->sessions;
	u64 identity;

	if (sessions->device >= 0)
		return sessions->device;
	identity = device_identity();
	loop->idle_since_ns = session_now();
	if (try_device(sessions, identity != loop->device_identity || !loop->has_tried, &sessions->device)) {
		loop->has_tried = true;
		loop->device_identity = identity;
		return -1;
	}
	if (identity == loop->device_identity)
		return sessions->device;
	loop->device_identity = identity;
	policy_calls(&sessions->feature);
	cgroup_push(sessions->device, &loop->config, NULL);
	/* What was only observed so far may be helped now. */
	memset(sessions->grudges, 0, sizeof(sessions->grudges));
	ubd_say(SAY_NOTE, "%s: %u calls hooked, %u taken by others", UB_DEVICE, sessions->feature.hooked_cnt,
		sessions->feature.failed_cnt);
	return sessions->device;
}

/* An open device keeps the module from being unloaded: it is held only while somebody is helped, or was lately. */
static void mind_device(struct loop *loop, u64 now)
{
	struct sessions *sessions = &loop->sessions;

	if (sessions->cnt) {
		loop->idle_since_ns = now;
	} else if (sessions->device >= 0 && now >= loop->idle_since_ns + DEVICE_HOLD_S * NS_PER_S) {
		close(sessions->device);
		sessions->device = -1;
	}
	if (now < loop->next_device_ns)
		return;
	loop->next_device_ns = now + DEVICE_RETRY_S * NS_PER_S;
	if (sessions->device < 0 && (!loop->has_tried || device_identity() != loop->device_identity))
		loop_device(loop);
	loop->has_tried = true;
}

static bool is_pinned(const struct loop *loop, u32 pid)
{
	u32 i;

	for (i = 0; i < LOOP_MAX_PINS; i++)
		if (loop->pins[i] == pid)
			return true;
	return false;
}

static void begin_burst(struct loop *loop, u64 now)
{
	if (!loop->is_burst && !profile_rate(loop->profile, loop->config.search_hz))
		loop->is_burst = true;
	loop->burst_end_ns = now + BURST_INTERVALS * loop->config.interval_ms * NS_PER_MS;
}

int loop_pin(struct loop *loop, u32 pid)
{
	u32 i;

	if (!is_pinned(loop, pid)) {
		for (i = 0; i < LOOP_MAX_PINS && loop->pins[i]; i++)
			;
		if (i == LOOP_MAX_PINS)
			return -ENOSPC;
		loop->pins[i] = pid;
	}
	begin_burst(loop, session_now());
	return 0;
}

void loop_unpin(struct loop *loop, u32 pid)
{
	u32 i;

	for (i = 0; i < LOOP_MAX_PINS; i++)
		if (loop->pins[i] == pid)
			loop->pins[i] = 0;
}

int loop_reload(struct loop *loop, char *why, size_t why_size)
{
	struct config config, before = loop->config;
	int err;

	err = config_read(loop->config_path, &config, why, why_size);
	if (err == -ENOENT && loop->config_optional) {
		config_default(&config);
		err = 0;
	}
	if (err)
		return err;
	loop->config = config;
	memset(loop->sessions.grudges, 0, sizeof(loop->sessions.grudges));
	if (loop_device(loop) >= 0)
		cgroup_push(loop->sessions.device, &config, &before);
	profile_rate(loop->profile, loop->is_burst ? config.search_hz : config.idle_hz);
	return 0;
}

/* Hot calls of an attached process that its block cannot be entered behind yet. */
static void learn_entries(struct loop *loop, struct session *session, const struct heat_process *process, u64 now)
{
	const struct heat_site *site;
	bool is_new = false;
	int err;

	if (now < session->next_grow_ns || session->regrowth_cnt >= loop->config.max_regrowths)
		return;
	for (site = process->sites; site < process->sites + process->site_cnt; site++)
		if (heat_sum(site->cnt) >= 3 && heat_sum(site->cnt) * NEW_ENTRY_SHARE >= heat_sum(process->call) &&
		    policy_is_hot_call(NULL, site->nr))
			is_new |= region_add_entry(&session->region, site->ip, site->nr);
	if (!is_new)
		return;
	session->regrowth_cnt++;
	err = session_reload(&loop->sessions, session);
	grow_pause(session, now, session_now() - now);
	if (!err)
		ubd_say(SAY_NOTE, "%u (%s): more hot calls; block %u of %u instructions, %u entries", session->pid,
			session->comm, session->block_id, session->guest_insn_cnt, session->region.entry_cnt);
}

/* True when @process is worth sampling faster for another while. */
static bool consider(struct loop *loop, const struct heat_process *process, u64 now)
{
	const struct heat_limits limits = {
		.min_samples = loop->config.min_samples, .min_share = loop->config.min_share,
		.is_hot_call = policy_is_hot_call,
	};
	enum heat_verdict verdict = heat_judge(&loop->heat, process, &limits);
	bool pinned = is_pinned(loop, process->pid);
	struct ub_process facts;
	enum ub_mode mode;

	if (pinned && process->site_cnt && process->total_call >= 2)
		verdict = HEAT_HOT;
	if (verdict == HEAT_COLD ||
	    (verdict == HEAT_WARM && session_is_resting(&loop->sessions, SESSION_WARM(process), now)))
		return false;
	if (!pinned && session_is_resting(&loop->sessions, SESSION_PROCESS(process), now))
		return false;
	if (ub_process_read(process->pid, &facts))
		return false;
	mode = policy_mode(&loop->config, loop_device(loop), &facts);
	if (mode == UB_MODE_OFF || policy_excluded(&loop->config, &facts))
		return false;
	if (mode == UB_MODE_OBSERVE && session_is_resting(&loop->sessions, SESSION_OBSERVED(process), now))
		return false;
	if (verdict == HEAT_WARM)
		return true;
	loop_unpin(loop, process->pid);
	session_begin(&loop->sessions, process, mode);
	return false;
}

static void end_burst(struct loop *loop, u64 now)
{
	const struct heat_limits limits = { .min_samples = UB_U32_MAX, .min_share = loop->config.min_share,
					    .is_hot_call = policy_is_hot_call };
	struct heat_process *process;
	bool is_young = false;

	for (process = loop->heat.processes; process < loop->heat.processes + HEAT_MAX_PROCESSES; process++) {
		if (process->pid && !session_find(&loop->sessions, process->pid) &&
		    !session_is_resting(&loop->sessions, SESSION_PROCESS(process), now) &&
		    !session_is_resting(&loop->sessions, SESSION_WARM(process), now) &&
		    heat_judge(&loop->heat, process, &limits) == HEAT_WARM) {
			if (process->age >= BURST_INTERVALS)
				session_rest_for(&loop->sessions, SESSION_WARM(process), now, WARM_REST_S);
			else
				is_young = true;
		}
	}
	/* Who came in the middle of a burst gets one of its own. */
	if (is_young) {
		begin_burst(loop, now);
		return;
	}
	if (!profile_rate(loop->profile, loop->config.idle_hz))
		loop->is_burst = false;
}

static void look(struct loop *loop, u64 now)
{
	struct heat_process *process;
	struct profile_batch batch;
	struct session *session;
	bool is_warm = false;
	int err;

	loop->next_sample_ns = now + loop->config.interval_ms * NS_PER_MS;
	err = profile_drain(loop->profile, &batch);
	if (err) {
		ubd_say(SAY_ERROR, "cannot read the samples: %s", strerror(-err));
		return;
	}
	heat_add(&loop->heat, &batch, profile_cpus(loop->profile));
	for (process = loop->heat.processes; process < loop->heat.processes + HEAT_MAX_PROCESSES; process++) {
		if (!process->pid)
			continue;
		session = session_find(&loop->sessions, process->pid);
		if (session && session->start_ns != process->start_ns)
			session_end(&loop->sessions, session, "its process is gone");
		else if (session)
			learn_entries(loop, session, process, now);
		else
			is_warm |= consider(loop, process, now);
	}
	if (is_warm && !loop->is_burst)
		begin_burst(loop, now);
	else if (loop->is_burst && now >= loop->burst_end_ns)
		end_burst(loop, now);
}

/* Everything whose time has come; the time of the next. */
static u64 work(struct loop *loop)
{
	u64 now = session_now(), next;
	struct session *session;

	mind_device(loop, now);
	if (now >= loop->next_sample_ns)
		look(loop, now);
	next = loop->next_sample_ns;
	for (session = loop->sessions.list; session < loop->sessions.list + SESSION_MAX; session++) {
		if (session->pid && now >= session->next_watch_ns)
			grow_watch(&loop->sessions, session, now);
		if (session->pid && session->next_watch_ns < next)
			next = session->next_watch_ns;
	}
	return next;
}

static void set_timer(struct loop *loop, u64 next)
{
	struct itimerspec spec = { .it_value = { next / NS_PER_S, next % NS_PER_S } };

	timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void on_signal(struct loop *loop)
{
	struct signalfd_siginfo info;
	char why[512];

	if (read(loop->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP) {
		loop->is_done = true;
		return;
	}
	if (loop_reload(loop, why, sizeof(why)))
		ubd_say(SAY_ERROR, "%s; the configuration stays as it was", why);
	else
		ubd_say(SAY_NOTE, "configuration read again");
}

static int watch_fd(struct loop *loop, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void on_client(struct loop *loop)
{
	int fd = ub_control_accept(loop->listen_fd);

	if (fd >= 0 && watch_fd(loop, fd))
		close(fd);
}

static int open_fds(struct loop *loop)
{
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	loop->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->epoll_fd < 0 || loop->timer_fd < 0 || loop->signal_fd < 0)
		return -errno;
	err = watch_fd(loop, loop->timer_fd);
	if (!err)
		err = watch_fd(loop, loop->signal_fd);
	if (err)
		return err;
	loop->listen_fd = ub_control_listen(loop->socket_path);
	if (loop->listen_fd == -EADDRINUSE) {
		ubd_say(SAY_ERROR, "%s: another ubd runs", loop->socket_path);
		return -EADDRINUSE;
	}
	if (loop->listen_fd < 0) {
		ubd_say(SAY_WARNING, "%s: %s; ubtool cannot reach this ubd", loop->socket_path,
			strerror(-loop->listen_fd));
		return 0;
	}
	return watch_fd(loop, loop->listen_fd);
}

static void serve(struct loop *loop)
{
	struct epoll_event events[16];
	uint64_t expirations;
	int cnt, i, fd;

	while (!loop->is_done) {
		set_timer(loop, work(loop));
		cnt = epoll_wait(loop->epoll_fd, events, ARRAY_SIZE(events), -1);
		for (i = 0; i < cnt; i++) {
			fd = events[i].data.fd;
			if (fd == loop->timer_fd && read(fd, &expirations, sizeof(expirations)) < 0)
				continue;
			else if (fd == loop->signal_fd)
				on_signal(loop);
			else if (fd == loop->listen_fd)
				on_client(loop);
			else if (fd != loop->timer_fd && !control_serve(loop, fd))
				close(fd);
		}
	}
}

int loop_run(struct loop *loop, void (*ready)(void))
{
	char why[512];
	int err;

	loop->sessions.device = -1;
	loop->sessions.config = &loop->config;
	loop->started_ns = session_now();
	policy_calls(NULL);
	err = profile_open(loop->config.idle_hz, &loop->profile, why, sizeof(why));
	if (err) {
		ubd_say(SAY_ERROR, "%s", why);
		return err;
	}
	loop->sessions.profile = loop->profile;
	err = open_fds(loop);
	if (!err) {
		ready();
		serve(loop);
		session_end_all(&loop->sessions, "ubd ends");
		if (loop->listen_fd >= 0)
			unlink(loop->socket_path);
	}
	if (loop->sessions.device >= 0)
		close(loop->sessions.device);
	profile_close(loop->profile);
	return err;
}
