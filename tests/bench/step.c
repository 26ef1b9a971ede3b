// SPDX-License-Identifier: GPL-2.0
/*
 * step: which instructions does this code run?  See step.h.
 *
 * The trap comes before an instruction; code that clears the flag (popf) is still followed by a trap, which sets it
 * again.
 */
#define _GNU_SOURCE
#include "step.h"

#include <signal.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "../../lifter/decode.h"

#define TRAP_FLAG	0x100u

static step_fn watcher;
static void *watcher_ctx;

static void on_trap(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	if (watcher && !watcher(watcher_ctx, regs))
		watcher = NULL;
	if (watcher)
		regs[REG_EFL] |= TRAP_FLAG;
	else
		regs[REG_EFL] &= ~TRAP_FLAG;
}

int step_begin(step_fn fn, void *ctx)
{
	static u8 stack[64 * 1024];
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction act = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	if (sigaltstack(&alternate, NULL) || sigaction(SIGTRAP, &act, NULL))
		return -errno;
	watcher_ctx = ctx;
	watcher = fn;
	__writeeflags(__readeflags() | TRAP_FLAG);
	return 0;
}

void step_end(void)
{
	watcher = NULL;
	__asm__ volatile("nop");
}

static struct step_pair *find_pair(struct trace *trace, u64 from, u64 to)
{
	u64 hash = (from * 0x9e3779b97f4a7c15ull ^ to) * 0xc2b2ae3d27d4eb4full;
	u32 i = hash >> 40 & (TRACE_PAIRS - 1);

	while (trace->pairs[i].cnt && (trace->pairs[i].from != from || trace->pairs[i].to != to))
		i = (i + 1) & (TRACE_PAIRS - 1);
	return &trace->pairs[i];
}

bool trace_step(void *ctx, const greg_t *regs)
{
	struct trace *trace = ctx;
	u64 ip = regs[REG_RIP];
	struct step_pair *pair;

	trace->is_inside |= ip == trace->start;
	if (!trace->is_inside)
		return true;
	if (trace->pair_cnt < TRACE_PAIRS / 2) {
		pair = find_pair(trace, trace->last, ip);
		trace->pair_cnt += !pair->cnt;
		*pair = (struct step_pair){ trace->last, ip, pair->cnt + 1 };
	}
	trace->last = ip;
	return ip != trace->stop && ++trace->steps < trace->max_steps;
}

static int by_count(const void *a, const void *b)
{
	const struct step_pair *x = *(const struct step_pair *const *)a, *y = *(const struct step_pair *const *)b;

	return x->cnt < y->cnt ? 1 : x->cnt > y->cnt ? -1 : 0;
}

static bool is_indirect(u64 ip)
{
	struct ub_x86_insn insn;

	ub_decode((const u8 *)ip, 15, ip, &insn);
	if (insn.why[0])
		return false;
	return insn.name == UB_X86_RET || ((insn.name == UB_X86_JMP || insn.name == UB_X86_CALL) && !insn.is_direct);
}

u32 trace_hints(const struct trace *trace, struct ub_lift_hint *ret, u32 max)
{
	const struct step_pair **found = ub_alloc(TRACE_PAIRS, sizeof(*found));
	u32 i, cnt = 0;

	for (i = 0; found && i < TRACE_PAIRS; i++)
		if (trace->pairs[i].cnt && trace->pairs[i].from && is_indirect(trace->pairs[i].from))
			found[cnt++] = &trace->pairs[i];
	qsort(found, cnt, sizeof(*found), by_count);
	cnt = cnt < max ? cnt : max;
	for (i = 0; i < cnt; i++)
		ret[i] = (struct ub_lift_hint){ found[i]->from, found[i]->to };
	ub_free(found);
	return cnt;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

void trace_unsupported(const struct trace *trace, char *buf, size_t size)
{
	struct ub_x86_insn insn;
	const char *why;
	size_t len = 0;
	u32 i;

	buf[0] = 0;
	for (i = 0; i < TRACE_PAIRS; i++) {
		if (!trace->pairs[i].cnt || trace->pairs[i].to == trace->stop)
			continue;
		ub_decode((const u8 *)trace->pairs[i].to, 15, trace->pairs[i].to, &insn);
		why = has_prefix(insn.why, "unsupported: ") ? insn.why + strlen("unsupported: ") : insn.why;
		if (!*why || strstr(buf, why) || len >= size)
			continue;
		len += snprintf(buf + len, size - len, "%s%s", len ? ", " : "", why);
	}
}

/* SDM vol. 2, 2.3.1, 2.7: in 64-bit mode these bytes begin nothing else, and before them stands no prefix that compilers use. */
bool trace_has_vex(const struct trace *trace)
{
	u32 i;

	for (i = 0; i < TRACE_PAIRS; i++) {
		u8 first = trace->pairs[i].cnt ? *(const u8 *)trace->pairs[i].to : 0;

		if (first == 0xc4 || first == 0xc5 || first == 0x62)
			return true;
	}
	return false;
}
