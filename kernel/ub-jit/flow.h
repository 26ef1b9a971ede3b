/* SPDX-License-Identifier: GPL-2.0 */
/*
 * flow: what is known of the guest's flags and stack pointer before each instruction.
 *
 * Both are held lazily.  @desc is the index of an instruction whose flags are the guest's and can be had again by
 * running its arithmetic once more, because its operands have not changed since; or UB_DESC_CALL: they are still those
 * of the last system call, which were saved; or UB_DESC_NONE.  An inc or dec keeps CF: @desc_cf says the same of the
 * instruction before it that set CF, and UB_DESC_SLOT is then one that has them in LOCAL_FLAGS.
 * @can_host: if there is no description, the machine's flags are (or can be made) the guest's at no cost.
 * @sp is what is still to be added to the guest's rsp in memory; @desc_sp how much of what the guest's rsp is now was
 * added since the instruction @desc, if that stepped rsp.
 * @rcx: what the last system call made of the guest's rcx, if its machine register does not hold it yet; else 0.
 * @r11_is_call: the guest's r11 is what the last system call made it, its flags; memory does not hold it yet.
 * @saved: of those of UB_SAVED_REGS that are resident, those that pt_regs holds; @stale: of these, those that their
 * machine register does not hold any more.  Of rsp both hold what @sp is still to be added to.
 */
#ifndef UB_FLOW_H
#define UB_FLOW_H

#include "layout.h"

#define UB_DESC_NONE	(-1)
#define UB_DESC_CALL	(-2)
#define UB_DESC_SLOT	(-3)

struct ub_lazy {
	s32 desc;
	s32 desc_cf;
	s32 sp;
	s32 desc_sp;
	u64 rcx;
	bool can_host;
	bool r11_is_call;
	u16 saved;
	u16 stale;
};

struct ub_flow {
	struct ub_lazy lazy;
	u16 live;		/* UB_LIVE_*: some path from here reads it before it is written whole */
	bool is_label;		/* reached by a jump or an entry */
	bool is_head;		/* reached by a jump back, but not by that from a renewal of ticks */
	bool falls_in;		/* reached from the instruction before it */
	bool is_fused;		/* does the load of an operand, the instruction before it, by an operand in memory */
	bool is_undone;		/* with the next one, changes a register and back: only the flags are new */
	bool is_seen;		/* scratch of the analysis: lazy means something */
};

#define UB_LIVE_FLAGS		1u
#define UB_LIVE_TEMP(reg)	(2u << ((reg) - UB_T0))
#define UB_LIVE_TEMPS(regs)	(((regs) >> UB_T0 & 0xff) << 1)		/* of a mask of registers */

/* How an instruction uses the guest's rsp. */
enum ub_sp_use {
	UB_SP_NONE,
	UB_SP_ADJUST,		/* adds a constant to it: *ret_delta */
	UB_SP_BASE,		/* only as the base of an address */
	UB_SP_OTHER,		/* memory must hold the true value */
};

enum ub_sp_use ub_flow_sp_use(const struct ub_insn *insn, s32 sp, s32 *ret_delta);
/* What is lazy behind instruction @idx, from what is before it. */
void ub_flow_step(const struct ub_block *block, const struct ub_flow *flow, u32 idx, struct ub_lazy *lazy);
/* Does the instruction need the old value of @reg?  True for partial writes. */
bool ub_flow_reads(const struct ub_insn *insn, u8 reg);
bool ub_flow_touches(const struct ub_insn *insn, u8 reg);
/* Does the IR register live in a machine register, or in memory? */
bool ub_flow_in_machine(const struct ub_block *block, u8 reg);
/* Does the instruction name @reg in any role? */
bool ub_flow_mentions(const struct ub_insn *insn, u8 reg);
bool ub_flow_writes(const struct ub_insn *insn, u8 reg);
/* Does the instruction need the guest's flags as they are before it? */
bool ub_flow_reads_flags(const struct ub_insn *insn);
/* UB_LIVE_*: what is read of the state behind instruction @idx. */
u16 ub_flow_live_after(const struct ub_block *block, const struct ub_flow *flow, u32 idx);
/* inc and dec. */
bool ub_flow_keeps_cf(const struct ub_insn *insn);
/* Are two descriptions of the same flags? */
bool ub_flow_is_same_desc(const struct ub_block *block, const struct ub_lazy *a, const struct ub_lazy *b);
/* Does lazy->desc's setter depend on a register that @insn writes? */
bool ub_flow_kills(const struct ub_block *block, const struct ub_lazy *lazy, const struct ub_insn *insn);
/* What an image's prologue leaves behind. */
struct ub_lazy ub_flow_at_entry(const struct ub_block *block, bool entry_is_call, u64 ip);
/* An array of insn_cnt + 1 that the caller ub_free()s, or NULL.  block->resident is that of the layout. */
struct ub_flow *ub_flow_new(const struct ub_block *block, bool entry_is_call);

#endif
