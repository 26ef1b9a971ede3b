// SPDX-License-Identifier: GPL-2.0
/* small_io: the small programs whose hot loop reads, writes, waits or maps (small.h). */
#include "small.h"

#include <dirent.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

static void quiet(int signal, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	code = signal;
}

static int filled(size_t len)
{
	int file = memfd_create("small", 0);
	size_t i;

	for (i = 0; i < len; i += 4)
		write(file, &(uint32_t){ i * 2654435761u }, 4);
	return file;
}

/* small_ms after it was asked first. */
static bool is_late(void)
{
	static long end;

	if (!end)
		end = now_ms() + small_ms;
	return now_ms() > end;
}

/* Of the whole of @file, and of the order of its words. */
static uint64_t sum_of(int file)
{
	uint64_t sum = 0, word;

	lseek(file, 0, SEEK_SET);
	while (read(file, &word, 8) == 8)
		sum = sum * 31 + word;
	return sum;
}

static void run_pread(void)
{
	int file = filled(65536);
	uint64_t sum = 0, word, i;

	do {
		for (sum = i = 0; i < 8192; i++) {
			pread(file, &word, 8, i * 8);
			sum += word * i;
		}
	} while (!is_late());
	say("sum", sum);
}

static void run_write(void)
{
	int file = memfd_create("small", 0);
	uint64_t i;

	do {
		lseek(file, 0, SEEK_SET);
		for (i = 0; i < 8192; i++)
			write(file, &(uint64_t){ i * i }, 8);
	} while (!is_late());
	say("sum", sum_of(file));
}

static void run_readv(void)
{
	int file = filled(65536);
	char a[7], b[9];
	struct iovec parts[2] = { { a, 7 }, { b, 9 } };
	uint64_t sum = 0;

	do {
		lseek(file, 0, SEEK_SET);
		sum = 0;
		while (readv(file, parts, 2) == 16)
			sum = sum * 31 + (uint8_t)a[6] + (uint8_t)b[8];
	} while (!is_late());
	say("sum", sum);
}

static void run_end_of_file(void)
{
	int file = filled(4000), got, last = 0;
	char bytes[64];

	do {
		lseek(file, 0, SEEK_SET);
		while ((got = read(file, bytes, 64)) > 0)
			last = got;
	} while (!is_late());
	say("last", last);
	say("end", got);
}

static void run_errors(void)
{
	int file = filled(64), sum = 0;

	spin();
	sum += read(-1, &sum, 1) < 0 ? errno : 0;
	say("bad file", sum);
	say("bad address", pread(file, nowhere(16), 8, 0) < 0 ? errno : 0);
	say("kernel address", pread(file, nowhere(0xffff888000000000ul), 8, 0) < 0 ? errno : 0);
	say("bad whence", lseek(file, 0, 99) < 0 ? errno : 0);
}

static void run_again(void)
{
	int pair[2];
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	do
		code = recv(pair[0], &byte, 1, 0) < 0 ? errno : 0;
	while (!is_late());
	say("error", code);
}

static void run_sigpipe(void)
{
	int pipes[2];

	pipe(pipes);
	close(pipes[0]);
	spin();
	catch_info(SIGPIPE, quiet, 0);
	say("write", write(pipes[1], "x", 1) < 0 ? errno : 0);
	say("signal", code);
}

/* Child echoes; the number of rounds depends on time, the sum of what came back wrong does not. */
static void echo(int out, int in, int back_in, int back_out)
{
	uint32_t value, wrong = 0, i = 0;
	pid_t child = fork();

	if (!child) {
		while (read(in, &value, 4) == 4)
			write(back_out, &(uint32_t){ value + 1 }, 4);
		_exit(0);
	}
	do {
		write(out, &i, 4);
		value = 0;
		read(back_in, &value, 4);
		wrong += value != i + 1;
		i++;
	} while (!is_late());
	kill(child, SIGKILL);
	wait(NULL);
	say("wrong", wrong);
}

static void run_pipes(void)
{
	int to[2], from[2];

	pipe(to);
	pipe(from);
	echo(to[1], to[0], from[0], from[1]);
}

static void run_sockets(void)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	echo(pair[0], pair[1], pair[0], pair[1]);
}

static void run_futex(void)
{
	uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();
	uint32_t last;

	for (;;) {
		uint32_t now = __atomic_load_n(word, __ATOMIC_ACQUIRE);

		if ((now & 1) == !child) {
			if (now > 20000 && is_late())
				break;
			__atomic_store_n(word, now + 1, __ATOMIC_RELEASE);
			syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
		} else {
			syscall(SYS_futex, word, FUTEX_WAIT, now, &(struct timespec){ 0, 50000000 }, NULL, 0);
			if (now > 20000 && is_late())
				break;
		}
	}
	if (!child)
		_exit(0);
	last = *word;
	wait(NULL);
	say("went on", last > 20000);
}

static void run_epoll(void)
{
	int event = eventfd(0, 0), epoll = epoll_create1(0);
	struct epoll_event wanted = { .events = EPOLLIN, .data.u64 = 77 }, got;
	uint64_t value, wrong = 0;

	epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted);
	do {
		write(event, &(uint64_t){ 3 }, 8);
		wrong += epoll_wait(epoll, &got, 1, -1) != 1 || got.data.u64 != 77;
		wrong += read(event, &value, 8) != 8 || value != 3;
	} while (!is_late());
	say("wrong", wrong);
	say("empty", epoll_wait(epoll, &got, 1, 0));
}

static void run_poll(void)
{
	int pipes[2], wrong = 0;
	struct pollfd polled;

	pipe(pipes);
	polled = (struct pollfd){ .fd = pipes[0], .events = POLLIN };
	do
		wrong += poll(&polled, 1, 0) != 0;
	while (!is_late());
	write(pipes[1], "x", 1);
	say("ready", poll(&polled, 1, -1));
	say("wrong", wrong);
}

static void run_timerfd(void)
{
	struct itimerspec spec = { { 0, 5000000 }, { 0, 5000000 } };
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), ticks = 0;
	uint64_t value;

	timerfd_settime(timer, 0, &spec, NULL);
	while (ticks < 20 || !is_late())
		ticks += read(timer, &value, 8) == 8;
	say("ticks", ticks >= 20);
}

static void run_signalfd(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int file;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	file = signalfd(-1, &set, SFD_NONBLOCK);
	later(SIGUSR1, small_ms * 1000);
	while (read(file, &info, sizeof(info)) != sizeof(info))
		;
	say("signal", info.ssi_signo);
	say("code", info.ssi_code);
}

static void run_sendfile(void)
{
	int in = filled(4096), out = memfd_create("out", 0);
	off_t off;

	do {
		lseek(out, 0, SEEK_SET);
		for (off = 0; off < 4096; )
			sendfile(out, in, &off, 64);
	} while (!is_late());
	say("sum", sum_of(out));
}

static void run_clock(void)
{
	struct timespec before = { 0 }, now;
	int wrong = 0;

	do {
		syscall(SYS_getppid);
		clock_gettime(CLOCK_MONOTONIC, &now);
		wrong += now.tv_sec < before.tv_sec || (now.tv_sec == before.tv_sec && now.tv_nsec < before.tv_nsec);
		before = now;
	} while (!is_late());
	say("went back", wrong);
}

static __attribute__((noinline)) long deep(int levels)
{
	volatile char room[4096];

	room[0] = levels;
	return (levels ? deep(levels - 1) : 0) + room[0] + !syscall(SYS_getppid);
}

static void run_stack(void)
{
	spin();
	say("sum", deep(1500));
}

static void run_unmapped(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int file = filled(4096);

	catch_info(SIGSEGV, note_and_leave, SA_NODEFER);
	do
		page[0] = pread(file, page + 8, 64, 0);
	while (!is_late());
	munmap(page, 4096);
	say("read", pread(file, page, 64, 0) < 0 ? errno : 0);
	if (!sigsetjmp(back, 1))
		page[0] = 1;
	say("code", code);
	say("there", seen_at == page);
}

static void run_protected(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	catch_info(SIGSEGV, note_and_leave, SA_NODEFER);
	spin();
	mprotect(page, 4096, PROT_READ);
	if (!sigsetjmp(back, 1))
		for (;;) {
			syscall(SYS_getppid);
			page[8] = 1;
		}
	say("code", code);
	say("there", seen_at == page + 8);
}

static void run_key(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int key = syscall(SYS_pkey_alloc, 0, 1);

	catch_info(SIGSEGV, note_and_leave, SA_NODEFER);
	spin();
	if (key > 0 && !syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_WRITE, key) && !sigsetjmp(back, 1))
		for (;;) {
			syscall(SYS_getppid);
			page[8] = 1;
		}
	say("code", code);
}

static void run_bus(void)
{
	int file = filled(4096);
	char *map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, file, 0);

	catch_info(SIGBUS, note_and_leave, SA_NODEFER);
	spin();
	if (!sigsetjmp(back, 1))
		for (;;) {
			syscall(SYS_getppid);
			code = map[4096];
		}
	say("code", code);
	say("there", seen_at == map + 4096);
}

/* The page comes from another thread, which takes its time. */
static int userfault;

static void *serve(void *page)
{
	struct uffd_msg msg;

	read(userfault, &msg, sizeof(msg));
	usleep(20000);
	ioctl(userfault, UFFDIO_COPY, &(struct uffdio_copy){ .dst = (long)page, .src = (long)&back & ~4095l, .len = 4096 });
	return NULL;
}

static void run_userfault(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile char byte;
	pthread_t thread;

	userfault = syscall(SYS_userfaultfd, 0);
	ioctl(userfault, UFFDIO_API, &(struct uffdio_api){ .api = UFFD_API });
	ioctl(userfault, UFFDIO_REGISTER, &(struct uffdio_register){
		.range = { (long)page, 4096 }, .mode = UFFDIO_REGISTER_MODE_MISSING });
	pthread_create(&thread, NULL, serve, page);
	spin();
	byte = page[100];
	pthread_join(thread, NULL);
	say("came", byte == ((char *)((long)&back & ~4095l))[100]);
}

static void run_directory(void)
{
	struct dirent *entry;
	unsigned long sum, i;
	DIR *dir = opendir("/usr/share/perl5");

	do {
		sum = 0;
		rewinddir(dir);
		while ((entry = readdir(dir)))
			for (i = 0; entry->d_name[i]; i++)
				sum += entry->d_name[i] * (i + 1);
	} while (!is_late());
	say("sum", sum);
}

static void run_names(void)
{
	char name[20] = "";

	spin();
	prctl(PR_SET_NAME, "another name");
	prctl(PR_GET_NAME, name);
	printf("%s %o %o\n", name, umask(027), umask(022));
}

const struct small_case small_io_cases[] = {
	{ "pread", run_pread }, { "write", run_write }, { "readv", run_readv }, { "end-of-file", run_end_of_file },
	{ "errors", run_errors }, { "again", run_again }, { "sigpipe", run_sigpipe }, { "pipes", run_pipes },
	{ "sockets", run_sockets }, { "futex", run_futex }, { "epoll", run_epoll }, { "poll", run_poll },
	{ "timerfd", run_timerfd }, { "signalfd", run_signalfd }, { "sendfile", run_sendfile }, { "clock", run_clock },
	{ "stack", run_stack }, { "unmapped", run_unmapped }, { "protected", run_protected }, { "key", run_key },
	{ "bus", run_bus }, { "userfault", run_userfault }, { "directory", run_directory }, { "names", run_names }, { 0 }
};
