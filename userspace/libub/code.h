/* SPDX-License-Identifier: GPL-2.0 */
/* code: reads another process's code, and says which of it may be lifted. */
#ifndef UB_LIBUB_CODE_H
#define UB_LIBUB_CODE_H

#include "sequence.h"

/* A private mapping of a file, or the vDSO, that is executable and not writable. */
struct code_mapping {
	u64 start, end;
	u64 offset;			/* in the file */
	u64 inode;			/* 0: the vDSO */
	/* Restartable sequences, which are not given out; looked for when the mapping is first read. */
	struct sequence *sequences;
	u32 sequence_cnt;
	bool is_searched;
	bool is_unfit;			/* nobody knows where they are */
};

struct code {
	u32 pid;
	int mem_fd;
	struct code_mapping *mappings;
	u32 mapping_cnt;
	u64 program;			/* inode of the executable file, 0: not known */
};

int code_open(u32 pid, struct code *ret);
void code_close(struct code *code);

/* ub_lift()'s readers; @ctx is a struct code. */
u32 code_read(void *ctx, u64 ip, u8 *buf, u32 len);
bool code_read_data(void *ctx, u64 address, u32 len, u64 *ret);

/* True when a syscall instruction stands right before @ip, in code that may be lifted. */
bool code_is_behind_call(struct code *code, u64 ip);
/* What names @ip in this program, whatever address its file is mapped at: the same function of a shared object has
 * another name in another program.  False when it is in no file. */
bool code_identity(const struct code *code, u64 ip, u64 *ret_inode, u64 *ret_offset);

#endif
