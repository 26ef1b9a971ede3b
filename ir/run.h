/* SPDX-License-Identifier: GPL-2.0 */
/*
 * run: what the files of the interpreter share while one block runs.  Nobody else includes it.
 */
#ifndef UB_RUN_H
#define UB_RUN_H

#include "alu.h"
#include "interp.h"

#define MAX_REACH	(1ull << 40)	/* an access starts less than this above LIMIT, see verify.h */
#define FLAG_IF		0x200u
#define FLAG_ONE	0x002u		/* bit 1 of RFLAGS is always set */
#define TEMPS		(((1u << UB_TEMPS_END) - 1) & ~((1u << UB_NGUEST) - 1))

struct run {
	const struct ub_block *block;
	const struct ub_interp_world *world;
	struct ub_interp *s;
	u32 next_idx;
	u32 ticks;		/* until the next check is due */
	u32 written;		/* bit reg: temporary written; guest registers always are */
	/* The mark we are behind, and the guest as it was there. */
	bool has_mark;
	bool has_stored;	/* memory changed since */
	u64 mark;
	u32 mark_flags;
	u64 mark_regs[UB_NGUEST];
	/* Why the block is over. */
	bool is_over;
	enum ub_left left;
};

/* The ways out.  stop: the guest goes on at @ip; leave: at the mark, natively; exit_to: in code of its own;
 * bug: the block broke a rule. */
void run_stop(struct run *r, enum ub_left left, u64 ip);
void run_leave(struct run *r, enum ub_left left);
void run_exit_to(struct run *r, u64 ip);
void run_bug(struct run *r);
bool run_must_yield(struct run *r);

/* Here an instruction of the guest begins, or goes on with what it has left to do. */
void run_mark(struct run *r, u64 ip);

u64 run_get(struct run *r, u8 reg);
void run_set64(struct run *r, u8 reg, u64 val);
/* Writes as x86 does at that width. */
void run_set(struct run *r, u8 reg, enum ub_width w, u64 val);
void run_set_flags(struct run *r, struct ub_alu alu);
/* Writes dst, and the flags if the instruction sets them. */
void run_finish(struct run *r, const struct ub_insn *insn, struct ub_alu alu);

bool run_is_user(struct run *r, u64 addr, u32 len);
/* The address of an access whose base field is @base; false, and the block left, when no user address can be meant. */
bool run_address(struct run *r, const struct ub_insn *insn, u8 base, u64 *ret);
bool run_load(struct run *r, const struct ub_insn *insn, u64 *ret);
void run_store(struct run *r, const struct ub_insn *insn, u64 val);

/* interp*.c: one per operation. */
#define OP(name, text, shape, widths, effect) void interp_##name(struct run *r, const struct ub_insn *insn);
#include "ops.h"

#endif
