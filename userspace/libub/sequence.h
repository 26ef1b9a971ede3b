/* SPDX-License-Identifier: GPL-2.0 */
/* sequence: finds the restartable sequences (rseq(2)) of a mapped file. */
#ifndef UB_LIBUB_SEQUENCE_H
#define UB_LIBUB_SEQUENCE_H

#include <ub/port.h>

struct sequence {
	u64 start, end;
};

/*
 * Those of the file @file_fd, whose byte @offset is mapped at @start in the process that @mem_fd reads.  *ret is
 * malloc()ed, NULL when there are none.  -ENOEXEC when it is no ELF file for this machine, -EIO when the process's
 * memory cannot be read, -E2BIG.
 */
int sequence_find(int file_fd, int mem_fd, u64 start, u64 offset, struct sequence **ret, u32 *ret_cnt);

#endif
