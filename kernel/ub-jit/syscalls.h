/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The system calls that blocks have to do with, once.
 *
 * CALL(name, use)
 *   HOOK  a block may be entered behind it
 *   MAKE  it may be made inside a block
 *
 * MAKE asks that the handler looks at nothing of its task's registers but its arguments (and the stack pointer),
 * changes none, returns, and that nothing it does has to be followed by a fresh start in user mode.  So no fork, exec,
 * exit, sigreturn, arch_prctl, ptrace, mmap and the like; and nothing that is seldom called in a loop.
 */
CALL(read,		HOOK | MAKE)
CALL(write,		HOOK | MAKE)
CALL(close,		HOOK | MAKE)
CALL(fstat,		HOOK | MAKE)
CALL(newfstatat,	HOOK | MAKE)
CALL(statx,		HOOK | MAKE)
CALL(openat,		HOOK | MAKE)
CALL(poll,		HOOK | MAKE)
CALL(ppoll,		HOOK | MAKE)
CALL(lseek,		HOOK | MAKE)
CALL(pread64,		HOOK | MAKE)
CALL(pwrite64,		HOOK | MAKE)
CALL(readv,		HOOK | MAKE)
CALL(writev,		HOOK | MAKE)
CALL(preadv,		HOOK | MAKE)
CALL(pwritev,		HOOK | MAKE)
CALL(getpid,		HOOK | MAKE)
CALL(getppid,		HOOK | MAKE)
CALL(gettid,		HOOK | MAKE)
CALL(getuid,		HOOK | MAKE)
CALL(geteuid,		HOOK | MAKE)
CALL(getgid,		HOOK | MAKE)
CALL(getegid,		HOOK | MAKE)
CALL(umask,		HOOK | MAKE)
CALL(sendto,		HOOK | MAKE)
CALL(recvfrom,		HOOK | MAKE)
CALL(sendmsg,		HOOK | MAKE)
CALL(recvmsg,		HOOK | MAKE)
CALL(sendfile,		HOOK | MAKE)
CALL(accept4,		HOOK | MAKE)
CALL(setsockopt,	HOOK | MAKE)
CALL(shutdown,		HOOK | MAKE)
CALL(fcntl,		HOOK | MAKE)
CALL(fsync,		HOOK | MAKE)
CALL(fdatasync,		HOOK | MAKE)
CALL(getdents64,	HOOK | MAKE)
CALL(futex,		HOOK | MAKE)
CALL(sched_yield,	HOOK | MAKE)
CALL(epoll_wait,	HOOK | MAKE)
CALL(epoll_pwait,	HOOK | MAKE)
CALL(epoll_ctl,		HOOK | MAKE)
CALL(gettimeofday,	HOOK | MAKE)
CALL(clock_gettime,	HOOK | MAKE)
CALL(clock_nanosleep,	HOOK | MAKE)
CALL(nanosleep,		HOOK | MAKE)
CALL(timerfd_settime,	HOOK | MAKE)
CALL(getrandom,		HOOK | MAKE)
CALL(getrusage,		HOOK | MAKE)
CALL(splice,		HOOK | MAKE)
#undef CALL
