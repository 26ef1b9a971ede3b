// SPDX-License-Identifier: GPL-2.0
/*
 * interp_str: repeated string operations, and what tells the time (user space only).
 *
 * Each element is committed when it is done: the same instruction goes on with the rest, which is as good as a new mark.
 *
 * The flags behind a comparison that a fault has interrupted are those from before it (SDM vol. 2, REP).  Processors of
 * AMD leave those of the last element.  Nobody can tell once the instruction has gone on, for it reads none; so we keep
 * to the SDM and say that they may differ.
 */
#include "run.h"

/* What one element does; false when it faults, and nothing has changed then. */
struct string {
	bool reads_si, reads_di, writes_di, loads_ax, compares;
	bool until_equal;	/* of those that compare */
};

static bool read_at(struct run *r, bool is_wanted, u8 reg, u32 len, u64 *ret)
{
	u64 addr = r->s->regs[reg];

	*ret = 0;
	return !is_wanted || (run_is_user(r, addr, len) && r->world->load(r->world->ctx, addr, len, ret));
}

static bool write_at(struct run *r, bool is_wanted, u32 len, u64 val)
{
	u64 addr = r->s->regs[UB_RDI];

	return !is_wanted || (run_is_user(r, addr, len) && r->world->store(r->world->ctx, addr, len, val));
}

/* *ret_alu: of a comparison. */
static bool element(struct run *r, enum ub_width w, const struct string *string, struct ub_alu *ret_alu)
{
	u32 len = UB_WIDTH_BYTES(w);
	u64 *regs = r->s->regs, from, to;

	if (!read_at(r, string->reads_si, UB_RSI, len, &from))
		return false;
	if (!string->reads_si)
		from = ub_alu_trunc(w, regs[UB_RAX]);
	if (!read_at(r, string->reads_di, UB_RDI, len, &to) || !write_at(r, string->writes_di, len, from))
		return false;
	if (string->loads_ax)
		run_set(r, UB_RAX, w, from);
	*ret_alu = ub_alu_sub(w, from, to, false);
	regs[UB_RCX]--;
	regs[UB_RSI] += string->reads_si ? len : 0;
	regs[UB_RDI] += string->reads_di || string->writes_di ? len : 0;
	return true;
}

static void repeat(struct run *r, const struct ub_insn *insn, struct string string)
{
	enum ub_width w = ub_insn_width(insn);
	struct ub_alu alu;
	bool is_done = false, has_compared = false;

	while (!r->is_over && !is_done) {
		if (run_must_yield(r)) {
			run_leave(r, UB_LEFT_YIELD);
		} else if (!r->s->regs[UB_RCX]) {
			return;
		} else if (!element(r, w, &string, &alu)) {
			run_leave(r, UB_LEFT_FAULT);
			if (has_compared)
				r->s->undefined = UB_FL_ALL;
		} else {
			has_compared = string.compares;
			is_done = !r->s->regs[UB_RCX] || (string.compares && !alu.val == string.until_equal);
			if (string.compares && is_done)
				run_set_flags(r, alu);
			else
				run_mark(r, r->mark);
		}
	}
}

#define STRING(NAME, ...)							\
void interp_##NAME(struct run *r, const struct ub_insn *insn)			\
{										\
	repeat(r, insn, (struct string){ __VA_ARGS__ });			\
}

STRING(REPMOVS, .reads_si = true, .writes_di = true)
STRING(REPSTOS, .writes_di = true)
STRING(REPLODS, .reads_si = true, .loads_ax = true)
STRING(REPECMPS, .reads_si = true, .reads_di = true, .compares = true)
STRING(REPNECMPS, .reads_si = true, .reads_di = true, .compares = true, .until_equal = true)
STRING(REPESCAS, .reads_di = true, .compares = true)
STRING(REPNESCAS, .reads_di = true, .compares = true, .until_equal = true)

/* One after the other there is nothing to order. */
void interp_FENCE(struct run *r, const struct ub_insn *insn)
{
	(void)r;
	(void)insn;
}

/* The processor's own; no two readings are alike, so nobody compares them. */
static void read_time(struct run *r)
{
	u64 time = __builtin_ia32_rdtsc();

	run_set64(r, UB_RAX, (u32)time);
	run_set64(r, UB_RDX, time >> 32);
}

/*
 * Not all processors have RDTSCP and RDPID.  The kernel gives the number that they read to a segment's limit as well,
 * where the vDSO's getcpu() finds it: entry 15 of the GDT.
 */
static u32 processor_number(void)
{
	u32 number;

	__asm__ volatile("lsl %1, %0" : "=r"(number) : "r"(15 * 8 + 3) : "cc");
	return number;
}

void interp_RDTSC(struct run *r, const struct ub_insn *insn)
{
	(void)insn;
	read_time(r);
}

void interp_RDTSCP(struct run *r, const struct ub_insn *insn)
{
	read_time(r);
	run_set64(r, insn->dst, processor_number());
}

void interp_RDPID(struct run *r, const struct ub_insn *insn)
{
	run_set64(r, insn->dst, processor_number());
}
