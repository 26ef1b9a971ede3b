// SPDX-License-Identifier: GPL-2.0
/*
 * stress: everything at once, at random: workers with threads come, are attached, loaded, detached, signalled,
 * stopped, killed; policies flip.  Nobody may compute a wrong sum, and the kernel may not complain.
 *
 * usage: stress [SECONDS [SEED]]	as root, with the module loaded
 */
#include "guest.h"
#include "worker.h"

#include <pthread.h>

#define WORKERS	6

static int fd;
static struct worker workers[WORKERS];
static int blocks[WORKERS];
static u32 wrong_cnt, done_cnt[8];

static void nothing(int signal UNUSED)
{
}

static void *thread_main(void *arg)
{
	steady(NULL);
	return arg;
}

/* Some threads stay, one at a time comes and goes, and so do children. */
static u64 busy(void *arg UNUSED)
{
	pthread_t stay[2], come;
	struct sigaction action = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	u64 right = 100 * (u64)getppid();
	pid_t pid;
	u32 i;

	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < 2; i++)
		pthread_create(&stay[i], NULL, thread_main, NULL);
	for (i = 0; !worker_shared[SHARED_STOP]; i++) {
		if (steady_loop(100, SYS_getppid, 0, 0, 0, 0) != right)
			worker_shared[SHARED_BAD]++;
		if (i % 64 == 0) {
			pid = fork();
			if (!pid) {
				steady_loop(50, SYS_getppid, 0, 0, 0, 0);
				if (i % 128)
					execl("/bin/true", "true", NULL);
				_exit(0);
			}
			waitpid(pid, NULL, 0);
		}
		if (i % 16 == 0) {
			pthread_create(&come, NULL, thread_main, NULL);
			usleep(100);
			pthread_detach(come);
			usleep(1000);
		}
		if (i > 400)
			execl("/bin/sleep", "sleep", "1000", NULL);
	}
	_exit(0);
}

static void replace(u32 i)
{
	if (workers[i].pid) {
		wrong_cnt += workers[i].shared[SHARED_BAD];
		kill(workers[i].pid, SIGKILL);
		waitpid(workers[i].pid, NULL, 0);
		munmap((void *)workers[i].shared, 4096);
	}
	workers[i] = worker_start(fd, busy, "", 1, NULL);
	blocks[i] = 0;
}

static void act(u32 i)
{
	struct worker *worker = &workers[i];
	struct draft draft = steady_loop_draft(SYS_getppid);
	struct ub_load arg;
	u32 what = rand() % 40;
	int ret;

	if (what < 8) {
		ret = attach(fd, worker->pid);
		if (ret > 0)
			worker->session = ret;
	} else if (what < 20) {
		arg = load_arg(worker->session, &draft);
		arg.replace_id = rand() % 2 ? blocks[i] : 0;
		if (!ub(fd, UB_IOC_LOAD, &arg)) {
			blocks[i] = arg.block_id;
			done_cnt[0]++;
		}
	} else if (what < 22) {
		done_cnt[1] += !detach(fd, worker->session);
	} else if (what < 24) {
		done_cnt[2] += !ub(fd, UB_IOC_UNLOAD, &(struct ub_id){ .id = blocks[i] });
	} else if (what < 28) {
		kill(worker->pid, SIGUSR1);
	} else if (what < 29) {
		kill(worker->pid, SIGSTOP);
		usleep(rand() % 3000);
		kill(worker->pid, SIGCONT);
	} else if (what < 30) {
		replace(i);
	} else if (what < 31) {
		set_mode(fd, NULL, UB_MODE_OFF);
		set_mode(fd, NULL, UB_MODE_ON);
	} else if (what < 34) {
		block_info(fd, blocks[i]);
	} else {
		usleep(rand() % 5000);
	}
	if (worker->session)
		done_cnt[3] += !!session_info(fd, worker->session).entries;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 20);
	u32 i, seed = argc > 2 ? (u32)atoi(argv[2]) : (u32)time(NULL);
	struct ub_id id = {};

	srand(seed);
	fd = open_device();
	must(!set_mode(fd, NULL, UB_MODE_ON), "cannot set the root's mode");
	for (i = 0; i < WORKERS; i++)
		replace(i);
	while (time(NULL) < end)
		act(rand() % WORKERS);
	for (i = 0; i < WORKERS; i++) {
		wrong_cnt += workers[i].shared[SHARED_BAD];
		kill(workers[i].pid, SIGKILL);
		waitpid(workers[i].pid, NULL, 0);
	}
	fprintf(stderr, "seed %u: %u loads, %u detached, %u unloaded, seen entered %u times\n", seed, done_cnt[0],
		done_cnt[1], done_cnt[2], done_cnt[3]);
	check(!wrong_cnt, "stress-results", "%u wrong sums, seed %u", wrong_cnt, seed);
	check(done_cnt[0] > 5 && done_cnt[1] + done_cnt[2] && done_cnt[3], "stress-did-something",
	      "%u loads, %u detached, %u unloaded, %u entered, seed %u", done_cnt[0], done_cnt[1], done_cnt[2],
	      done_cnt[3], seed);
	usleep(200000);
	check(ub(fd, UB_IOC_SESSION_NEXT, &id) == -ENOENT, "stress-nothing-left", "session %u, seed %u", id.id, seed);
	id.id = 0;
	check(ub(fd, UB_IOC_BLOCK_NEXT, &id) == -ENOENT, "stress-no-block-left", "block %u, seed %u", id.id, seed);
	return failed_cnt != 0;
}
