/* SPDX-License-Identifier: GPL-2.0 */
/*
 * symbols: kernel functions that modules cannot link to.
 *
 * Each is a static call, that is a direct call that is patched in when the address is known: calling through a pointer
 * would fault on CPUs with indirect branch tracking, since these functions' landing pads are sealed at boot.
 */
#ifndef UB_SYMBOLS_H
#define UB_SYMBOLS_H

#include <linux/blk-cgroup.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/memcontrol.h>
#include <linux/ptrace.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/static_call.h>
#include <linux/task_work.h>
#include <asm/fpu/sched.h>
#include <asm/nospec-branch.h>
#include <asm/text-patching.h>

/* Those that have another name in other kernels, see compat.h. */
#ifdef UB_HAS_SECCOMP_PERMIT
#define UB_SYM_SECCOMP(SYM)	SYM(__seccomp_permit_syscall)
#else
#define UB_SYM_SECCOMP(SYM)	SYM(__secure_computing)
#endif
#ifdef UB_HAS_RSEQ_SLOWPATH
#define UB_SYM_RSEQ(SYM)	SYM(__rseq_handle_slowpath)
#else
#define UB_SYM_RSEQ(SYM)	SYM(__rseq_handle_notify_resume)
#endif
#ifdef UB_HAS_OVER_HIGH_INLINE
#define UB_SYM_OVER_HIGH(SYM)	SYM(__mem_cgroup_handle_over_high)
#else
#define UB_SYM_OVER_HIGH(SYM)	SYM(mem_cgroup_handle_over_high)
#endif

#define UB_SYMBOLS(SYM)				\
	SYM(text_poke_copy)			\
	SYM(bpf_prog_pack_alloc)		\
	SYM(bpf_prog_pack_free)			\
	SYM(bpf_ksym_add)			\
	SYM(bpf_ksym_del)			\
	SYM(task_work_run)			\
	SYM(switch_fpu_return)			\
	SYM(task_work_cancel_match)		\
	UB_SYM_SECCOMP(SYM)			\
	UB_SYM_RSEQ(SYM)			\
	UB_SYM_OVER_HIGH(SYM)			\
	SYM(blkcg_maybe_throttle_current)	\
	SYM(ptrace_may_access)			\
	SYM(kallsyms_show_value)		\
	SYM(clear_bhb_loop)			\
	SYM(ftrace_location)			\
	SYM(ftrace_find_rec_direct)

#define UB_DECLARE_SYMBOL(name)	DECLARE_STATIC_CALL(ub_sym_##name, name);
UB_SYMBOLS(UB_DECLARE_SYMBOL)

/* ub_sym(task_work_run)() calls task_work_run(). */
#define ub_sym(name)	static_call(ub_sym_##name)

/* 0, or -EOPNOTSUPP after saying which one is missing. */
int ub_symbols_init(void);
/* Address of a symbol without a row above, 0 if there is none. */
unsigned long ub_symbol_find(const char *name);

#endif
