/* SPDX-License-Identifier: GPL-2.0 */
/*
 * flow: what is known of the guest's flags and stack pointer before each instruction.
 *
 * Both are held lazily; of the flags @desc says how they can be had again.
 * @can_host: if there is no description, the machine's flags are (or can be made) the guest's at no cost.
 * @is_host: they are the guest's as they come, though there is a description, too.
 * @sp is what is still to be added to the guest's rsp in memory.
 * @rcx: what the last system call made of the guest's rcx, if its machine register does not hold it yet; else 0.
 * @r11_is_call: the guest's r11 is what the last system call made it, its flags; memory does not hold it yet.
 * @saved: of those of UB_SAVED_REGS that are resident, those that pt_regs holds; @stale: of these, those that their
 * machine register does not hold any more.  Of rsp both hold what @sp is still to be added to.
 * @is_open: the vector registers are the guest's (struct ub_jit_env).  They are opened before the first instruction that
 * needs them, and stay so while a way leads to another one before a call out, what is repeated, or
 * an exit.
 */
#ifndef UB_FLOW_H
#define UB_FLOW_H

#include "layout.h"

/*
 * A description of flags: @setter is the index of an instruction whose flags they are, and whose arithmetic can be run
 * once more, because its operands have not changed since; or one of the words below.  An inc or dec keeps CF: @cf says
 * the same of the instruction before it that set CF.  @sp: if the setter stepped rsp, how much was added to that since.
 */
struct ub_desc {
	s32 setter;
	s32 cf;
	s32 sp;
};

enum {
	UB_DESC_NONE = -1,
	UB_DESC_CALL = -2,	/* those of the last system call, which were saved */
	UB_DESC_SLOT = -3,	/* LOCAL_FLAGS has them (only as an alternative, or of CF) */
	/* Those of the way by which label @to was reached, which LOCAL_WAY says: ub_flow.alts[]. */
#define UB_DESC_MERGE(to)	(-16 - (s32)(to))
#define UB_DESC_MERGED_AT(setter) ((u32)(-16 - (setter)))
};

static inline bool ub_desc_is_merge(const struct ub_desc *desc)
{
	return desc->setter <= UB_DESC_MERGE(0);
}

struct ub_lazy {
	struct ub_desc desc;
	s32 sp;
	u64 rcx;
	bool can_host;
	bool is_host;
	bool r11_is_call;
	bool is_open;
	u16 saved;
	u16 stale;
};

#define UB_ALTS	3

struct ub_flow {
	struct ub_lazy lazy;
	struct ub_desc alts[UB_ALTS];	/* a label's, if it merges descriptions */
	u8 alt_cnt;
	u32 reads, writes;	/* registers: ub_insn_reads(), ub_insn_writes() */
	u16 live;		/* UB_LIVE_*: some path from here reads it before it is written whole */
	bool is_label;		/* reached by a jump or an entry */
	u8 around;		/* instructions of the tightest jump back around it, from behind it to before it; 0: none */
	bool is_head;		/* reached by a jump back, but not by that from a renewal of ticks or round a tighter loop */
	bool falls_in;		/* reached from the instruction before it */
	bool is_fused;		/* does the load of an operand, the instruction before it, by an operand in memory */
	bool is_undone;		/* with the next one, changes a register and back: only the flags are new */
	bool is_seen;		/* scratch of the analysis: lazy means something; */
	bool is_pending;	/* and what follows a label has to be looked at; */
	bool is_used_up;	/* where a tick leads that was the last: none is left */
	bool may_not_merge;	/* merged descriptions would not last */
};

#define UB_LIVE_FLAGS		1u
#define UB_LIVE_READ		0x8000u	/* of the flags: not only where the block is left */
#define UB_LIVE_VEC		0x4000u	/* the vector registers, before a call out or what is repeated */
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
/* Must the vector registers be open at instruction @idx, if they are (@is_open) before it? */
bool ub_flow_is_open(const struct ub_block *block, const struct ub_flow *flow, u32 idx, bool is_open);
/* What is lazy behind instruction @idx, from what is before it. */
void ub_flow_step(const struct ub_block *block, const struct ub_flow *flow, u32 idx, struct ub_lazy *lazy);
/* Does the IR register live in a machine register, or in memory? */
bool ub_flow_in_machine(const struct ub_block *block, u8 reg);
bool ub_flow_writes(const struct ub_insn *insn, u8 reg);
/* Does the instruction need some of the guest's flags for what it does? */
bool ub_flow_uses_flags(const struct ub_insn *insn);
/* Or does it need all of them, as they are before it? */
bool ub_flow_reads_flags(const struct ub_insn *insn);
/* UB_LIVE_*: what is read of the state behind instruction @idx. */
u16 ub_flow_live_after(const struct ub_block *block, const struct ub_flow *flow, u32 idx);
/* Do the flags that hold before instruction @idx matter behind it, or in the middle of what it does? */
bool ub_flow_flags_matter_behind(const struct ub_block *block, const struct ub_flow *flow, u32 idx);
/* What an image's prologue leaves behind. */
struct ub_lazy ub_flow_at_entry(const struct ub_block *block, bool entry_is_call, u64 ip);
/* An array of insn_cnt + 1 that the caller ub_free()s, or NULL.  block->resident is that of the layout. */
struct ub_flow *ub_flow_new(const struct ub_block *block, bool entry_is_call);

/* desc.c */
/* inc and dec. */
bool ub_desc_keeps_cf(const struct ub_insn *insn);
/* Adds or subtracts a constant, not too large, to the whole of rsp; and which. */
bool ub_desc_steps_sp(const struct ub_insn *insn);
s32 ub_desc_sp_step(const struct ub_insn *insn);
bool ub_desc_in_sp_range(s64 delta);
/* Can the flags that @insn sets be computed again from its operands as they are behind it? */
bool ub_desc_is_repeatable(const struct ub_insn *insn);
/* The registers that this takes, as a mask. */
u32 ub_desc_operands(const struct ub_insn *insn);
/* Are they of the same flags? */
bool ub_desc_is_same(const struct ub_block *block, const struct ub_desc *a, const struct ub_desc *b);
/* Does it depend on a register that instruction @idx writes? */
bool ub_desc_kills(const struct ub_block *block, const struct ub_flow *flow, const struct ub_desc *desc, u32 idx);
/* The flags become those of instruction @idx. */
void ub_desc_set(const struct ub_block *block, const struct ub_flow *flow, u32 idx, struct ub_lazy *lazy);
/* Joins the description that an edge brings into that of label @to. */
void ub_desc_join(const struct ub_block *block, struct ub_flow *flow, u32 to, const struct ub_desc *edge);
/* Which alternative of label @to has flags so described; ub_bug_if() there is none. */
u8 ub_desc_way(const struct ub_block *block, const struct ub_flow *flow, u32 to, const struct ub_desc *desc);

#endif
