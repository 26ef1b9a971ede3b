/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lockstep: what its parts share.
 *
 *   tracee.c    a program that is traced
 *   entry.c     its instructions, lifted once each
 *   compare.c   one instruction: interpreter and image against what the processor made of it
 *   region.c    whole functions of it
 *   lockstep.c  main(): which instructions, and the report
 */
#ifndef UB_LOCKSTEP_H
#define UB_LOCKSTEP_H

#include <sys/user.h>

#include "../../ir/interp.h"
#include "../../lifter/lift.h"
#include "../../verifier/verify.h"
#include "../harness.h"

#define LIMIT		0x7ffffffff000ull

/* --- tracee.c --- */

struct tracee {
	int pid;
	int mem;		/* /proc/PID/mem */
	bool is_over;
	int status;		/* of its end, as from waitpid() */
	int signal;		/* it was about to get, and gets when it goes on */
	u64 fault_addr;		/* of a signal that says so */
	struct user_regs_struct regs;	/* while it is stopped */
};

/* Starts @argv with its output to @out; it is stopped before its first instruction. */
bool tracee_start(struct tracee *tracee, char **argv, int out);
void tracee_end(struct tracee *tracee);
/* One instruction, or the delivery of a signal. */
void tracee_step(struct tracee *tracee);
/* Until it gets to @ip with the stack pointer @rsp (0: any), or its end. */
void tracee_run_to(struct tracee *tracee, u64 ip, u64 rsp);
void tracee_run(struct tracee *tracee);
bool tracee_read(const struct tracee *tracee, u64 addr, void *to, u32 len);
void tracee_vectors(const struct tracee *tracee, u8 ret[UB_NVEC][32], u32 *ret_mxcsr);
/* The part of its address space that the program itself has code in. */
bool tracee_code(const struct tracee *tracee, const char *path, u64 *ret_from, u64 *ret_to);
u64 tracee_entry(const struct tracee *tracee);

/* --- entry.c --- */

struct entry {
	u64 ip;
	u8 bytes[15];
	u8 len;			/* 0: not an instruction */
	bool is_rep, is_pushf, is_call;
	bool is_straight;	/* the next one follows, whatever it does */
	char name[24];		/* its mnemonic */
	const char *why;	/* it is not lifted; NULL: it is */
	struct ub_lifted *lifted;
	struct ub_verified *verified;
	struct ub_image *image;
	u64 seen, compared, left;	/* times; left: the block left it to the processor */
	u32 dull;		/* calls from here in a row that had nothing new */
	bool is_different;
};

/* NULL when it has not run yet. */
const struct entry *entry_find(u64 ip);
struct entry *entry_get(const struct tracee *tracee, u64 ip);
/* Lifts an indirect branch now that it is known where it went. */
void entry_went(struct entry *entry, u64 target);
void entries_each(void (*fn)(struct entry *entry, void *ctx), void *ctx);
void entries_free(void);

/* --- compare.c --- */

struct guest {
	u64 regs[UB_NGUEST];
	u32 flags;
	u64 ip;
	u64 fs_base;
	u8 v[UB_NVEC][32];
	u32 mxcsr;
};

void guest_take(struct guest *guest, const struct tracee *tracee);
/* What the block says will happen; false: it leaves the instruction to the processor. */
bool compare_predict(const struct tracee *tracee, struct entry *entry, const struct guest *before);
/* The processor has run it: NULL, or what differs. */
const char *compare_check(const struct tracee *tracee, struct entry *entry, const struct guest *before);
/* What the block has left the guest with. */
const struct ub_interp *compare_expected(void);
extern u64 compare_jit_runs;
bool compare_init(void);

/* --- region.c --- */

/* The tracee stands at the head of a function.  True: it was compared, and the tracee stands where the block has left;
 * *ret_what is NULL or what differs. */
bool region_try(struct tracee *tracee, struct entry **ret_entry, const char **ret_what);
void regions_each(void (*fn)(struct entry *entry, void *ctx), void *ctx);
void regions_free(void);

#endif
