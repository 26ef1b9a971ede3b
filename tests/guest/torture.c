// SPDX-License-Identifier: GPL-2.0
/*
 * torture: all that can happen to bypassed processes, at random and at the same time, and the module comes and goes.
 *
 * usage: torture load SECONDS CYCLES SEED	one process of 64 threads and some smaller; CYCLES times the module is
 *						unloaded and loaded again under them, and ubd is
 *						started and killed; 0: neither, since both patch the kernel
 *	  torture idle CYCLES			loads and unloads the module while nothing else happens
 * As root.  The module's file is UB_MODULE, build/ub.ko by default, and ubd is there to be killed.  The kernel should be
 * booted with slub_debug=U,kmalloc-*, which tells whose allocations are left.
 *
 * Prints "figure NAME NUMBER" lines for torture.sh, beside its tests.
 */
#include "crowd.h"
#include "left.h"
#include "module.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#define CROWDS		4u
#define LOADERS		2u
#define PATIENCE	60u		/* seconds until what does not get on hangs */

struct member {
	struct worker worker;
	u32 thread_cnt;
	int blocks[CROWD_PAGES];
	u64 rounds[CROWD_MAX];
	time_t moved[CROWD_MAX];
};

static int fd = -1;
static pid_t ubd;
static struct member members[CROWDS];
/* Held for writing to change fd and the members' processes. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static volatile bool is_over;
static u64 late_cnt;			/* pages that came late, in all lives */
static bool is_patching;		/* the module and ubd, which patch the kernel, may come and go */
static const char *volatile doing = "";
static u32 hang_cnt, left_cnt, wrong_cnt, cycle_cnt;
static u32 done_cnt[8];
enum { LOADED, UNLOADED, REFUSED, DETACHED, TRACED, KILLED, UBD_KILLED, PRESSED };

static u32 range(u32 *seed, u32 below)
{
	return rand_r(seed) % below;
}

/* --- hangs --- */

static void show_file(const char *path)
{
	char text[4096];
	int file = open(path, O_RDONLY);
	ssize_t len = file < 0 ? 0 : read(file, text, sizeof(text) - 1);

	close(file);
	if (len > 0)
		fprintf(stderr, "%s:\n%.*s\n", path, (int)len, text);
}

/* Where the threads of @pid are. */
static void show_process(pid_t pid)
{
	static const char *const files[] = { "status", "syscall", "wchan", "stack" };
	char dir[64], path[128];
	siginfo_t info = {};
	struct dirent *entry;
	DIR *tasks;
	u32 i;

	snprintf(dir, sizeof(dir), "/proc/%d/task", pid);
	if (!waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid)
		fprintf(stderr, "process %d is dead: code %d, status %d\n", pid, info.si_code, info.si_status);
	tasks = opendir(dir);
	while (tasks && (entry = readdir(tasks))) {
		for (i = 0; i < ARRAY_SIZE(files) && entry->d_name[0] != '.'; i++) {
			snprintf(path, sizeof(path), "%s/%.16s/%s", dir, entry->d_name, files[i]);
			show_file(path);
		}
	}
	if (tasks)
		closedir(tasks);
}

static void put_figures(void)
{
	printf("figure hangs %u\nfigure leaks %u\nfigure wrong_results %u\nfigure module_cycles %u\n", hang_cnt, left_cnt,
	       wrong_cnt, cycle_cnt);
	fflush(stdout);
}

/* What the main thread does takes too long: there is nobody left to find out more. */
static void *watch(void *arg)
{
	const char *last = NULL;
	time_t since = time(NULL);

	for (;; sleep(1)) {
		if (doing != last) {
			last = doing;
			since = time(NULL);
		}
		if (time(NULL) < since + 2 * PATIENCE)
			continue;
		hang_cnt++;
		check(false, "torture-hangs", "for %u s: %s", 2 * PATIENCE, last);
		show_process(getpid());
		put_figures();
		_exit(1);
	}
	return arg;
}

/* Each thread of each member gets on, some time. */
static void look_for_hangs(void)
{
	time_t now = time(NULL);
	u32 i, k;

	for (i = 0; i < CROWDS; i++) {
		struct member *member = &members[i];

		for (k = 0; k < member->thread_cnt; k++) {
			u64 rounds = member->worker.shared[SHARED_ROUNDS + k];

			if (rounds != member->rounds[k]) {
				member->rounds[k] = rounds;
				member->moved[k] = now;
			} else if (now > member->moved[k] + PATIENCE) {
				hang_cnt++;
				check(false, "torture-thread-hangs", "thread %u of process %d, after %llu rounds", k,
				      member->worker.pid, (unsigned long long)rounds);
				show_process(member->worker.pid);
				member->moved[k] = now + 1000000;
			}
		}
	}
}

/* --- processes and the module --- */

static void start_member(u32 i, u32 seed)
{
	struct member *member = &members[i];
	struct crowd_arg arg = { .thread_cnt = i ? 6 : CROWD_MAX, .seed = seed };
	u32 k;

	memset(member, 0, sizeof(*member));
	member->worker = worker_new(fd, crowd, &arg, sizeof(arg));
	member->thread_cnt = arg.thread_cnt;
	for (k = 0; k < CROWD_MAX; k++)
		member->moved[k] = time(NULL);
	kill(member->worker.pid, SIGCONT);
}

static void attach_member(struct member *member)
{
	int ret = attach(fd, member->worker.pid);

	if (ret > 0)
		member->worker.session = ret;
}

static void kill_member(u32 i)
{
	struct member *member = &members[i];

	wrong_cnt += member->worker.shared[SHARED_BAD];
	late_cnt += member->worker.shared[SHARED_LATE];
	kill(member->worker.pid, SIGKILL);
	waitpid(member->worker.pid, NULL, __WALL);
	munmap((void *)member->worker.shared, 4096);
}

static void start_ubd(void)
{
	ubd = fork();
	if (!ubd) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 1);
		dup2(null, 2);
		execl("build/ubd", "ubd", NULL);
		_exit(127);
	}
}

static void kill_ubd(void)
{
	if (!ubd)
		return;
	kill(ubd, SIGKILL);
	waitpid(ubd, NULL, 0);
	ubd = 0;
	done_cnt[UBD_KILLED]++;
}

static int insmod(void)
{
	return module_load("build/ub.ko", "");
}

static bool rmmod(void)
{
	int err = module_unload_within(PATIENCE);

	if (!err)
		return true;
	hang_cnt++;
	return check(false, "torture-rmmod", "%s, after %u s", strerror(-err), PATIENCE);
}

/* Nobody is attached any more: what is left? */
static void look_for_leaks(bool is_loaded)
{
	u32 left;

	doing = is_loaded ? "looking for what is left" : "looking for what the module left";
	left = left_settled(is_loaded, 500);
	if (!left)
		return;
	left_cnt += left;
	check(false, is_loaded ? "torture-left" : "torture-left-unloaded", "%u things are left", left);
}

/* With @lock held for writing. */
static bool cycle(void)
{
	struct ub_id id = {};
	u32 tries;

	doing = "detaching all";
	kill_ubd();
	close(fd);
	fd = open_device();
	for (tries = 0; tries < 500 && !ub(fd, UB_IOC_SESSION_NEXT, &id); tries++, id.id = 0)
		usleep(10000);
	left_cnt += !ub(fd, UB_IOC_BLOCK_NEXT, &id);
	close(fd);
	doing = "unloading the module";
	if (!rmmod())
		return false;
	look_for_leaks(false);
	doing = "loading the module";
	if (!check(!insmod(), "torture-insmod", "%s", strerror(errno)))
		return false;
	cycle_cnt++;
	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	return true;
}

/* --- what is done to the processes --- */

/* A block of one to four pages' loops, instead of another or not. */
static void load_block(struct member *member, u32 *seed)
{
	struct draft draft = {};
	u32 page = range(seed, CROWD_PAGES), cnt = 1 + range(seed, 4), i;
	char log[1024];
	struct ub_load arg;
	int err;

	for (i = 0; i < cnt && page + i < CROWD_PAGES; i++)
		crowd_put(&draft, page + i);
	arg = load_arg(member->worker.session, &draft);
	arg.log_buf = (long)log;
	arg.log_size = sizeof(log);
	arg.replace_id = range(seed, 2) ? member->blocks[page] : 0;
	err = ub(fd, UB_IOC_LOAD, &arg);
	if (!err) {
		member->blocks[page] = arg.block_id;
		__atomic_add_fetch(&done_cnt[LOADED], 1, __ATOMIC_RELAXED);
	} else if (err == -EACCES || err == -EINVAL || err == -E2BIG || err == -EFAULT) {
		__atomic_add_fetch(&done_cnt[REFUSED], 1, __ATOMIC_RELAXED);
		check(false, "torture-refused", "%s: %s", strerror(-err), log);
	}
}

static void look_at_block(u32 id)
{
	struct ub_exit_info exits[64];
	struct ub_block_exits exits_arg = { .id = id, .max = ARRAY_SIZE(exits), .buf = (long)exits };
	char bytes[8192];
	struct ub_block_dump dump = { .id = id, .what = UB_DUMP_JIT, .buf = (long)bytes, .size = sizeof(bytes) };

	block_info(fd, id);
	ub(fd, UB_IOC_BLOCK_EXITS, &exits_arg);
	ub(fd, UB_IOC_BLOCK_DUMP, &dump);
}

static void *loader(void *arg)
{
	u32 seed = (long)arg;

	while (!is_over) {
		struct member *member;
		u32 page, i;

		pthread_rwlock_rdlock(&lock);
		for (i = 0; i < 20; i++) {
			member = &members[range(&seed, 3) ? 0 : range(&seed, CROWDS)];
			page = range(&seed, CROWD_PAGES);
			switch (range(&seed, 8)) {
			case 0:
				if (!ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = member->blocks[page] }))
					__atomic_add_fetch(&done_cnt[UNLOADED], 1, __ATOMIC_RELAXED);
				break;
			case 1:
				look_at_block(member->blocks[page]);
				break;
			case 2:
				session_info(fd, member->worker.session);
				break;
			default:
				load_block(member, &seed);
			}
		}
		pthread_rwlock_unlock(&lock);
		usleep(range(&seed, 5000));
	}
	return NULL;
}

/* A thread of @pid, at random. */
static pid_t some_thread(pid_t pid, u32 *seed)
{
	char dir[64];
	struct dirent *entry;
	pid_t found = pid;
	DIR *tasks;
	u32 cnt = 0;

	snprintf(dir, sizeof(dir), "/proc/%d/task", pid);
	tasks = opendir(dir);
	while (tasks && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.' && !range(seed, ++cnt))
			found = atoi(entry->d_name);
	if (tasks)
		closedir(tasks);
	return found;
}

/* Waits until the traced thread stops, and makes it stop if it waits for something itself.  False: it is gone. */
static bool wait_stopped(pid_t thread, int *status)
{
	u32 tries;

	for (tries = 0; tries < 20; tries++) {
		if (waitpid(thread, status, __WALL | WNOHANG) == thread)
			return WIFSTOPPED(*status);
		usleep(1000);
	}
	ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
	return waitpid(thread, status, __WALL) == thread && WIFSTOPPED(*status);
}

/* Traces a thread for a while, by calls or single steps; all signals but the tracer's own reach it. */
static void trace(pid_t pid, u32 *seed)
{
	enum __ptrace_request step = range(seed, 2) ? PTRACE_SINGLESTEP : PTRACE_SYSCALL;
	pid_t thread = some_thread(pid, seed);
	u32 steps = range(seed, 12);
	int status;
	long signal;

	if (ptrace(PTRACE_SEIZE, thread, NULL, PTRACE_O_TRACESYSGOOD) || ptrace(PTRACE_INTERRUPT, thread, NULL, NULL))
		return;
	while (wait_stopped(thread, &status)) {
		signal = WSTOPSIG(status) == SIGSEGV || WSTOPSIG(status) == SIGUSR1 ? WSTOPSIG(status) : 0;
		if (ptrace(steps-- ? step : PTRACE_DETACH, thread, NULL, signal) || steps == (u32)-1)
			break;
	}
	done_cnt[TRACED]++;
}

/* Takes nearly all of the memory that is free, and lets the kernel drop what it can. */
static void press(u32 *seed)
{
	pid_t pid = fork();
	int file;

	if (!pid) {
		struct sysinfo info;
		sysinfo(&info);
		if (info.freeram > 96ull << 20)
			mmap(NULL, info.freeram - (64ull << 20), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1, 0);
		usleep(range(seed, 300000));
		_exit(0);
	}
	if (range(seed, 2)) {
		file = open("/proc/sys/vm/drop_caches", O_WRONLY);
		if (write(file, "3", 1) == 1)
			close(file);
	}
	waitpid(pid, NULL, 0);
	done_cnt[PRESSED]++;
}

static void flip_policy(u32 *seed)
{
	set_mode(fd, NULL, range(seed, 2) ? UB_MODE_OFF : UB_MODE_OBSERVE);
	usleep(range(seed, 2000));
	set_mode(fd, NULL, UB_MODE_ON);
}

static void act(u32 *seed)
{
	u32 i = range(seed, 2) ? 0 : range(seed, CROWDS), what = range(seed, 100);
	struct member *member = &members[i];

	if (what < 25) {
		doing = "attaching";
		attach_member(member);
	} else if (what < 33) {
		doing = "detaching";
		done_cnt[DETACHED] += !detach(fd, member->worker.session);
	} else if (what < 53) {
		doing = "signalling";
		syscall(SYS_tgkill, member->worker.pid, some_thread(member->worker.pid, seed), SIGUSR1);
	} else if (what < 57) {
		doing = "stopping";
		kill(member->worker.pid, SIGSTOP);
		usleep(range(seed, 3000));
		kill(member->worker.pid, SIGCONT);
	} else if (what < 67) {
		doing = "tracing";
		trace(member->worker.pid, seed);
	} else if (what < 71) {
		doing = "flipping the policy";
		flip_policy(seed);
	} else if (what < 74 && (i || !range(seed, 8))) {
		doing = "killing";
		pthread_rwlock_wrlock(&lock);
		kill_member(i);
		start_member(i, rand_r(seed));
		pthread_rwlock_unlock(&lock);
		done_cnt[KILLED]++;
	} else if (what < 76 && is_patching) {
		doing = "killing or starting ubd";
		if (ubd)
			kill_ubd();
		else
			start_ubd();
	} else if (what == 76 && !range(seed, 4)) {
		doing = "taking memory";
		press(seed);
	} else if (what == 77) {
		doing = "closing the device";
		pthread_rwlock_wrlock(&lock);
		close(fd);
		fd = open_device();
		pthread_rwlock_unlock(&lock);
	} else {
		doing = "waiting";
		usleep(range(seed, 5000));
	}
}

static int run_load(u32 seconds, u32 cycles, u32 seed)
{
	u32 act_cnt = 0, cycles_due;
	pthread_t threads[LOADERS + 1];
	time_t begin;
	u32 i;

	is_patching = cycles;
	/* So that it has its turn among so many. */
	setpriority(PRIO_PROCESS, 0, -15);
	must(!insmod(), "insmod");
	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	must(crowd_file() >= 0, "crowd");
	for (i = 0; i < CROWDS; i++) {
		start_member(i, seed + i);
		attach_member(&members[i]);
	}
	must(!pthread_create(&threads[LOADERS], NULL, watch, NULL), "thread");
	for (i = 0; i < LOADERS; i++)
		must(!pthread_create(&threads[i], NULL, loader, (void *)(long)(seed + 100 + i)), "thread");
	begin = time(NULL);
	while (time(NULL) < begin + seconds && !hang_cnt) {
		act(&seed);
		act_cnt++;
		look_for_hangs();
		cycles_due = cycles * (u32)(time(NULL) - begin) / seconds;
		if (cycle_cnt < cycles_due) {
			pthread_rwlock_wrlock(&lock);
			cycle();
			for (i = 0; i < CROWDS; i++)
				attach_member(&members[i]);
			pthread_rwlock_unlock(&lock);
		}
	}
	is_over = true;
	doing = "ending";
	for (i = 0; i < LOADERS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < CROWDS; i++)
		kill_member(i);
	kill_ubd();
	close(fd);
	look_for_leaks(true);
	doing = "unloading the module at the end";
	rmmod();
	look_for_leaks(false);
	fprintf(stderr, "%u acts, %u loads, %u unloads, %u detached, %u traced, %u killed, ubd killed %u times, memory taken %u "
		"times, %llu late pages, %u cycles\n", act_cnt, done_cnt[LOADED], done_cnt[UNLOADED], done_cnt[DETACHED],
		done_cnt[TRACED], done_cnt[KILLED], done_cnt[UBD_KILLED], done_cnt[PRESSED], (unsigned long long)late_cnt,
		cycle_cnt);
	check(!wrong_cnt, "torture-results", "%u wrong", wrong_cnt);
	check(done_cnt[LOADED] && done_cnt[UNLOADED] && done_cnt[DETACHED] && done_cnt[TRACED] && late_cnt,
	      "torture-did-something", "it did not");
	check(cycle_cnt + 1 >= cycles, "torture-cycles", "%u of %u", cycle_cnt, cycles);
	return 0;
}

/* Now and then with a process that is attached when its owner goes. */
static int run_idle(u32 cycles)
{
	struct worker worker;
	pthread_t thread;

	must(!pthread_create(&thread, NULL, watch, NULL), "thread");
	while (cycle_cnt < cycles && !hang_cnt) {
		doing = cycle_cnt % 2 ? "cycling" : "cycling still";
		if (!check(!insmod(), "torture-idle-insmod", "%s", strerror(errno)))
			break;
		if (cycle_cnt % 10 == 0) {
			fd = open_device();
			must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
			worker = steady_start(fd, true);
			usleep(20000);
			close(fd);
			worker.session = 0;
			wrong_cnt += !steady_end(-1, &worker);
		}
		if (!rmmod())
			break;
		cycle_cnt++;
		if (cycle_cnt % 50 == 0 || cycle_cnt == cycles)
			look_for_leaks(false);
	}
	check(cycle_cnt == cycles, "torture-idle-cycles", "%u of %u", cycle_cnt, cycles);
	return 0;
}

int main(int argc, char **argv)
{
	u32 seed = argc > 4 ? (u32)atoi(argv[4]) : (u32)time(NULL);

	must(!access("/sys/kernel/debug/slab/kmalloc-64/alloc_traces", R_OK), "boot with slub_debug=U,kmalloc-*");
	if (argc > 3 && !strcmp(argv[1], "load")) {
		fprintf(stderr, "seed %u\n", seed);
		run_load(atoi(argv[2]), atoi(argv[3]), seed);
	} else if (argc > 2 && !strcmp(argv[1], "idle")) {
		run_idle(atoi(argv[2]));
	} else {
		return 2;
	}
	check(!hang_cnt, "torture-no-hang", "%u", hang_cnt);
	check(!left_cnt, "torture-nothing-left", "%u", left_cnt);
	put_figures();
	return failed_cnt != 0;
}
