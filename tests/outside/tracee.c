// SPDX-License-Identifier: GPL-2.0
/*
 * tracee: a program under ptrace: its registers, its memory, one step, or on to an address.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lockstep.h"

#define TRAP_FLAG	0x100ull

static void take_stop(struct tracee *tracee, int status)
{
	struct iovec regs = { &tracee->regs, sizeof(tracee->regs) };
	siginfo_t info;

	tracee->signal = 0;
	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		tracee->is_over = true;
		tracee->status = status;
		return;
	}
	ptrace(PTRACE_GETREGSET, tracee->pid, NT_PRSTATUS, &regs);
	if (WSTOPSIG(status) == SIGTRAP)
		return;
	tracee->signal = WSTOPSIG(status);
	tracee->fault_addr = 0;
	if (!ptrace(PTRACE_GETSIGINFO, tracee->pid, 0, &info) && info.si_signo == SIGSEGV)
		tracee->fault_addr = (u64)info.si_addr;
}

static void set_regs(struct tracee *tracee)
{
	struct iovec regs = { &tracee->regs, sizeof(tracee->regs) };

	ptrace(PTRACE_SETREGSET, tracee->pid, NT_PRSTATUS, &regs);
}

static void resume(struct tracee *tracee, int how)
{
	int status;

	/* A step over popf leaves the trap flag to the program (is_setting_trap_flag() in the kernel): it never set it. */
	if (how == PTRACE_CONT && tracee->regs.eflags & TRAP_FLAG) {
		tracee->regs.eflags &= ~TRAP_FLAG;
		set_regs(tracee);
	}
	if (ptrace(how, tracee->pid, 0, tracee->signal) || waitpid(tracee->pid, &status, __WALL) != tracee->pid)
		status = SIGKILL;
	take_stop(tracee, status);
}

static void run_child(char **argv, int out)
{
	personality(ADDR_NO_RANDOMIZE);
	setenv("LD_BIND_NOW", "1", 1);
	/* AVX-512 is not lifted: the C library shows more without it. */
	setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512CD,-AVX512DQ", 1);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	execv(argv[0], argv);
	_exit(127);
}

bool tracee_start(struct tracee *tracee, char **argv, int out)
{
	char path[40];
	int status;

	memset(tracee, 0, sizeof(*tracee));
	tracee->mem = -1;
	fflush(NULL);
	tracee->pid = fork();
	if (!tracee->pid)
		run_child(argv, out);
	if (tracee->pid < 0 || waitpid(tracee->pid, &status, 0) != tracee->pid || !WIFSTOPPED(status))
		return false;
	ptrace(PTRACE_SETOPTIONS, tracee->pid, 0, PTRACE_O_EXITKILL);
	snprintf(path, sizeof(path), "/proc/%d/mem", tracee->pid);
	tracee->mem = open(path, O_RDWR);
	take_stop(tracee, status);
	return tracee->mem >= 0;
}

void tracee_end(struct tracee *tracee)
{
	if (!tracee->is_over) {
		kill(tracee->pid, SIGKILL);
		waitpid(tracee->pid, &tracee->status, __WALL);
	}
	if (tracee->mem >= 0)
		close(tracee->mem);
}

void tracee_step(struct tracee *tracee)
{
	resume(tracee, PTRACE_SINGLESTEP);
}

void tracee_run(struct tracee *tracee)
{
	while (!tracee->is_over)
		resume(tracee, PTRACE_CONT);
}

bool tracee_read(const struct tracee *tracee, u64 addr, void *to, u32 len)
{
	struct iovec here = { to, len }, there = { (void *)addr, len };

	return process_vm_readv(tracee->pid, &here, 1, &there, 1, 0) == (ssize_t)len;
}

/* As XSAVE lays it out (SDM vol. 1, 13.4); the kernel fills in what the processor left out. */
void tracee_vectors(const struct tracee *tracee, u8 ret[UB_NVEC][32], u32 *ret_mxcsr)
{
	static u8 area[1 << 14] __attribute__((aligned(64)));
	struct iovec iov = { area, sizeof(area) };
	u32 i;

	ptrace(PTRACE_GETREGSET, tracee->pid, NT_X86_XSTATE, &iov);
	memcpy(ret_mxcsr, area + 24, 4);
	for (i = 0; i < UB_NVEC; i++) {
		memcpy(ret[i], area + 160 + 16 * i, 16);
		memcpy(ret[i] + 16, area + 576 + 16 * i, 16);
	}
}

void tracee_run_to(struct tracee *tracee, u64 ip, u64 rsp)
{
	const u8 breakpoint = 0xcc;
	u8 old;

	if (!tracee_read(tracee, ip, &old, 1)) {
		tracee_run(tracee);
		return;
	}
	while (!tracee->is_over) {
		if (tracee->regs.rip == ip && !tracee->signal)
			tracee_step(tracee);
		if (pwrite(tracee->mem, &breakpoint, 1, ip) != 1)
			break;
		resume(tracee, PTRACE_CONT);
		if (tracee->is_over)
			return;
		pwrite(tracee->mem, &old, 1, ip);
		if (tracee->signal || tracee->regs.rip != ip + 1)
			continue;
		tracee->regs.rip = ip;
		set_regs(tracee);
		if (!rsp || tracee->regs.rsp == rsp)
			return;
	}
}

bool tracee_code(const struct tracee *tracee, const char *path, u64 *ret_from, u64 *ret_to)
{
	char line[512], name[64], *real = realpath(path, NULL);
	bool has_any = false;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%d/maps", tracee->pid);
	maps = fopen(name, "r");
	while (maps && real && fgets(line, sizeof(line), maps)) {
		unsigned long long from, to;
		char mode[8];

		if (sscanf(line, "%llx-%llx %4s", &from, &to, mode) != 3 || mode[2] != 'x' || !strstr(line, real))
			continue;
		*ret_from = has_any ? *ret_from : from;
		*ret_to = to;
		has_any = true;
	}
	if (maps)
		fclose(maps);
	free(real);
	return has_any;
}

u64 tracee_entry(const struct tracee *tracee)
{
	char name[64];
	u64 pair[2], entry = 0;
	FILE *auxv;

	snprintf(name, sizeof(name), "/proc/%d/auxv", tracee->pid);
	auxv = fopen(name, "r");
	while (auxv && fread(pair, sizeof(pair), 1, auxv) == 1)
		if (pair[0] == AT_ENTRY)
			entry = pair[1];
	if (auxv)
		fclose(auxv);
	return entry;
}
