/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat: what kernels do in different ways, 6.1 to 7.3.
 *
 * Kbuild looks into the headers of the kernel at hand and defines UB_HAS_* for what it finds there, so that a change that
 * was taken back to an older kernel is seen too.
 */
#ifndef UB_COMPAT_H
#define UB_COMPAT_H

#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/rseq.h>
#include <linux/thread_info.h>

#include "symbols.h"

/* Kernels without lazy preemption have no such flag. */
#ifdef UB_HAS_LAZY_FLAG
#define UB_TIF_RESCHED		(_TIF_NEED_RESCHED | _TIF_NEED_RESCHED_LAZY)
#else
#define UB_TIF_RESCHED		_TIF_NEED_RESCHED
#endif

/* What kernels ask of a thread with restartable sequences that was switched, if it is not part of TIF_NOTIFY_RESUME. */
#ifdef UB_HAS_RSEQ_SLOWPATH
#define UB_TIF_RSEQ		_TIF_RSEQ
#else
#define UB_TIF_RSEQ		0
#endif

static inline void *ub_pack_alloc(u32 size, bpf_jit_fill_hole_t fill)
{
#ifdef UB_HAS_PACK_WAS_CLASSIC
	return ub_sym(bpf_prog_pack_alloc)(size, fill, false);
#else
	return ub_sym(bpf_prog_pack_alloc)(size, fill);
#endif
}

/* @base begins with its size, where kernels look for it that are not told. */
static inline void ub_pack_free(void *base, u32 size)
{
#ifdef UB_HAS_PACK_FREE_SIZE
	ub_sym(bpf_prog_pack_free)(base, size);
#else
	ub_sym(bpf_prog_pack_free)(base);
#endif
}

/* A reference to the page at @addr, which is faulted in; mmap_lock is held.  How many: 1, or else there is none. */
static inline long ub_get_page(struct mm_struct *mm, u64 addr, struct page **page)
{
#ifdef UB_HAS_GUP_VMAS
	return get_user_pages_remote(mm, addr, 1, 0, page, NULL, NULL);
#else
	return get_user_pages_remote(mm, addr, 1, 0, page, NULL);
#endif
}

static inline int ub_direct_register(struct ftrace_ops *ops, unsigned long stub)
{
#ifdef UB_HAS_DIRECT_MULTI
	return register_ftrace_direct_multi(ops, stub);
#else
	return register_ftrace_direct(ops, stub);
#endif
}

static inline void ub_direct_unregister(struct ftrace_ops *ops, unsigned long stub)
{
#ifdef UB_HAS_DIRECT_MULTI
	unregister_ftrace_direct_multi(ops, stub);
#else
	unregister_ftrace_direct(ops, stub, false);
#endif
}

/* Does seccomp let the system call in the task's pt_regs pass? */
static inline bool ub_seccomp_permits(void)
{
#ifdef UB_HAS_SECCOMP_PERMIT
	return ub_sym(__seccomp_permit_syscall)();
#else
	return ub_sym(__secure_computing)(NULL) != -1;
#endif
}

/* The part of memory cgroups in the work that TIF_NOTIFY_RESUME asks for. */
static inline void ub_memcg_resume(void)
{
#ifdef UB_HAS_OVER_HIGH_INLINE
	if (unlikely(current->memcg_nr_pages_over_high))
		ub_sym(__mem_cgroup_handle_over_high)(GFP_KERNEL);
#else
	ub_sym(mem_cgroup_handle_over_high)(GFP_KERNEL);
#endif
}

/* The work that UB_TIF_RSEQ asks for.  The kernel tries a faster way first, that may not sleep, and then this one. */
static inline void ub_rseq_switched(struct pt_regs *regs)
{
#ifdef UB_HAS_RSEQ_SLOWPATH
	clear_thread_flag(TIF_RSEQ);
	smp_mb__after_atomic();
	ub_sym(__rseq_handle_slowpath)(regs);
#endif
}

/* The part of restartable sequences in the work that TIF_NOTIFY_RESUME asks for. */
static inline void ub_rseq_resume(struct pt_regs *regs)
{
#ifdef UB_HAS_RSEQ_SLOWPATH
	if (current->rseq.event.slowpath)
		ub_sym(__rseq_handle_slowpath)(regs);
#else
	if (current->rseq)
		ub_sym(__rseq_handle_notify_resume)(NULL, regs);
#endif
}

#endif
