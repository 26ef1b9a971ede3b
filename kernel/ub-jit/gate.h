/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gate: what policy.c and identity.c are asked at each entry into a block, in line.
 */
#ifndef UB_GATE_H
#define UB_GATE_H

#include <linux/fs.h>

#include "module.h"

extern atomic_t ub_policy_gen;		/* moves when a policy or anybody's cgroup changes */
bool ub_policy_ask(struct ub_thread *thread);

/* ub_policy_is_on() for the calling thread, @thread, which remembers the answer as long as that does not move. */
static inline bool ub_policy_holds(struct ub_thread *thread)
{
	if (unlikely(atomic_read_acquire(&ub_policy_gen) != thread->policy_gen))
		return ub_policy_ask(thread);
	return thread->is_on;
}

/* UB_NATIVE_WRITER, UB_NATIVE_SUSPECT or 0: may the files have been written since they were compared? */
static inline enum ub_native_why ub_identity_gate(const struct ub_btc *btc)
{
	const struct ub_file *file, *end = btc->files + btc->file_cnt;
	struct timespec64 ctime;

	for (file = btc->files; file < end; file++) {
		if (unlikely(inode_is_open_for_write(file->inode)))
			return UB_NATIVE_WRITER;
		ctime = inode_get_ctime(file->inode);
		if (unlikely(!timespec64_equal(&ctime, &file->ctime)))
			return UB_NATIVE_SUSPECT;
	}
	return UB_NATIVE_NONE;
}

#endif
