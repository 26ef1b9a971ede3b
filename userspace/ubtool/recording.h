/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recording: what a process ran while it was watched, instruction by instruction, with the code that it stands in.
 *
 *   record.c     makes one from a running process
 *   recording.c  keeps it in memory and in a file
 *   coverage.c   says how much of it would be lifted
 *
 * The file is header, instructions, steps, then each range followed by its bytes; little endian.
 */
#ifndef UB_RECORDING_H
#define UB_RECORDING_H

#include "../libub/ub.h"

#define RECORDING_MAGIC	"ub-profile/1\n"
#define RECORDING_BREAK	0xffffffffu	/* a step that is none: what follows does not follow what comes before */
#define NO_CALL		0xffffffffu

/* An instruction that was run; one that makes system calls once for each number. */
struct recorded_insn {
	u64 ip;
	u32 nr;			/* the number of the call, or NO_CALL */
	u32 pad;
};

/* Code that may be lifted. */
struct recorded_range {
	u64 start;
	u64 len;
	u8 *bytes;		/* in the file zero */
};

struct recording {
	char comm[16];
	struct recorded_insn *insns;
	u32 *steps;		/* indexes of insns, in the order in which they were run, or RECORDING_BREAK */
	struct recorded_range *ranges;
	u32 insn_cnt, step_cnt, range_cnt;
	/* While it is made. */
	u32 insn_cap, step_cap;
	u32 *slots;		/* hash of insns: index + 1, 0: free */
	u32 slot_cnt;
};

/* The index of that instruction, -ENOMEM. */
s64 recording_insn(struct recording *recording, u64 ip, u32 nr);
int recording_add_step(struct recording *recording, u32 step);
/* Copies the mappings that its code stands in, as far as they may be lifted, from the process. */
int recording_add_code(struct recording *recording, pid_t pid);
int recording_write(const struct recording *recording, const char *path);
/* -EPROTO for what is no such file. */
int recording_read(const char *path, struct recording *ret);
void recording_free(struct recording *recording);
/* As ub_read_code_fn; @ctx is a struct recording. */
u32 recording_read_code(void *ctx, u64 ip, u8 *buf, u32 len);

struct record_limits {
	u32 insns;		/* of all threads */
	u32 seconds;
};

/*
 * record.c: steps the busy threads of a process and leaves it as it was; a call that it waits in may end with EINTR,
 * as under any tracer.  On failure *ret_why is a text.
 */
int record_process(pid_t pid, const struct record_limits *limits, struct recording *ret, const char **ret_why);

#endif
