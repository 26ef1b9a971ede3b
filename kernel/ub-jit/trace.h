/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace: the module's tracepoints, ub:*.
 *
 * A no-op each while nobody looks.  Addresses are the process's own; only who may trace the kernel reads them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ub

#if !defined(UB_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define UB_TRACE_H

#include <linux/tracepoint.h>

#include "module.h"

TRACE_DEFINE_ENUM(UB_EXIT_END);
TRACE_DEFINE_ENUM(UB_EXIT_INDIRECT);
TRACE_DEFINE_ENUM(UB_EXIT_FAULT);
TRACE_DEFINE_ENUM(UB_EXIT_WORK);
TRACE_DEFINE_ENUM(UB_EXIT_SYSCALL);
TRACE_DEFINE_ENUM(UB_EXIT_RESTART);
TRACE_DEFINE_ENUM(UB_EXIT_BOUND);

#define show_ub_exit(kind) __print_symbolic(kind,			\
	{ UB_EXIT_END, "end" }, { UB_EXIT_INDIRECT, "indirect" },	\
	{ UB_EXIT_FAULT, "fault" }, { UB_EXIT_WORK, "work" },		\
	{ UB_EXIT_SYSCALL, "syscall" }, { UB_EXIT_RESTART, "restart" },	\
	{ UB_EXIT_BOUND, "bound" })

#define show_ub_loss(why) __print_symbolic(why,				\
	{ UB_LOSS_MAPPING, "mapping" }, { UB_LOSS_BYTES, "bytes" },	\
	{ UB_LOSS_REMOVED, "removed" })

/* A block was verified, compiled, checked and published. */
TRACE_EVENT(ub_load,
	TP_PROTO(const struct ub_btc *btc, pid_t pid),
	TP_ARGS(btc, pid),
	TP_STRUCT__entry(
		__field(u32, block)
		__field(u32, session)
		__field(pid_t, pid)
		__field(u32, insns)
		__field(u32, code_bytes)
		__field(u64, ip)
		__field(u64, verify_ns)
		__field(u64, jit_ns)
	),
	TP_fast_assign(
		__entry->block = btc->id;
		__entry->session = btc->session->id;
		__entry->pid = pid;
		__entry->insns = btc->insn_cnt;
		__entry->code_bytes = btc->text->code_len;
		__entry->ip = btc->slots[0].ip;
		__entry->verify_ns = btc->verify_ns;
		__entry->jit_ns = btc->jit_ns;
	),
	TP_printk("block=%u session=%u pid=%d ip=0x%llx insns=%u code_bytes=%u verify_ns=%llu jit_ns=%llu", __entry->block,
		  __entry->session, __entry->pid, __entry->ip, __entry->insns, __entry->code_bytes, __entry->verify_ns,
		  __entry->jit_ns)
);

/* A block was not taken.  @refusal: enum ub_refusal, 0 if it was not the verifier or the image checker. */
TRACE_EVENT(ub_refuse,
	TP_PROTO(u32 session, pid_t pid, int err, u32 refusal, u32 insn, u64 ip),
	TP_ARGS(session, pid, err, refusal, insn, ip),
	TP_STRUCT__entry(
		__field(u32, session)
		__field(pid_t, pid)
		__field(int, err)
		__field(u32, refusal)
		__field(u32, insn)
		__field(u64, ip)
	),
	TP_fast_assign(
		__entry->session = session;
		__entry->pid = pid;
		__entry->err = err;
		__entry->refusal = refusal;
		__entry->insn = insn;
		__entry->ip = ip;
	),
	TP_printk("session=%u pid=%d err=%d refusal=%u insn=%u ip=0x%llx", __entry->session, __entry->pid, __entry->err,
		  __entry->refusal, __entry->insn, __entry->ip)
);

/* The calling thread goes into a block at @ip. */
TRACE_EVENT(ub_enter,
	TP_PROTO(u32 block, u64 ip),
	TP_ARGS(block, ip),
	TP_STRUCT__entry(
		__field(u32, block)
		__field(u64, ip)
	),
	TP_fast_assign(
		__entry->block = block;
		__entry->ip = ip;
	),
	TP_printk("block=%u ip=0x%llx", __entry->block, __entry->ip)
);

/* It is out again, and goes on at @ip; @calls it made inside. */
TRACE_EVENT(ub_exit,
	TP_PROTO(u32 block, u8 kind, u64 ip, u64 calls),
	TP_ARGS(block, kind, ip, calls),
	TP_STRUCT__entry(
		__field(u32, block)
		__field(u8, kind)
		__field(u64, ip)
		__field(u64, calls)
	),
	TP_fast_assign(
		__entry->block = block;
		__entry->kind = kind;
		__entry->ip = ip;
		__entry->calls = calls;
	),
	TP_printk("block=%u reason=%s ip=0x%llx calls=%llu", __entry->block, show_ub_exit(__entry->kind), __entry->ip,
		  __entry->calls)
);

/* A block is not entered any more: until it has been compared again, or, "removed", for good. */
TRACE_EVENT(ub_invalidate,
	TP_PROTO(u32 block, u32 why),
	TP_ARGS(block, why),
	TP_STRUCT__entry(
		__field(u32, block)
		__field(u32, why)
	),
	TP_fast_assign(
		__entry->block = block;
		__entry->why = why;
	),
	TP_printk("block=%u reason=%s", __entry->block, show_ub_loss(__entry->why))
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
