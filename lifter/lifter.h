/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lifter: what the files of the lifter share while one region is lifted.  Nobody else includes it.
 *
 *   region.c  which guest code: nodes, call contexts
 *   keep.c    what of it is worth keeping
 *   track.c   what is known along a path: guarded addresses, constants
 *   emit.c    makes IR instructions
 *   lift_*.c  one guest instruction -> IR, by family
 *   flags.c   where the guest's flags are dead
 *   link.c    nodes -> one block
 *   lift.c    the order of all this
 *   map.c     a hash map and a heap
 */
#ifndef UB_LIFTER_H
#define UB_LIFTER_H

#include "decode.h"
#include "lift.h"
#include "map.h"

#define USER_LIMIT	0x7ffffffff000ull	/* first byte above the user half with 4 levels of page tables */
#define MAX_EDGES	8	/* targets of one indirect branch that are compared */
#define FAR_AWAY	0x3fffffffu

/* r16 holds the guarded stack, r17 other guarded addresses or a value; the others values only. */
enum { REG_STACK = UB_GUARDS, REG_T, REG_U, REG_V, REG_HIGH };

/* What a guarded address register is good for. */
struct guard {
	bool is_form;		/* it is guarded for form alone */
	u16 mask;		/* bit n: register n == guard + k[n] */
	s32 k[UB_NGUEST];
	struct { u8 base, index, scale; s32 disp; } form;
};

/* What is known at a point of a path. */
struct track {
	struct guard guards[2];		/* r16, r17 */
	/* Guesses for branch targets and call numbers; whatever uses them makes the block compare. */
	u16 known;			/* bit n: register n holds value[n] */
	u16 slotted;			/* bit n: it was loaded from address value[n] */
	u64 value[UB_NGUEST];
};

/* A call whose return address is known: a link of the stack of such calls.  Context 0 knows nothing. */
struct context {
	u32 parent;
	u32 depth;
	u64 ret;
	u64 callee;
	u32 first_child, next_child;	/* calls made in it; 0: none */
};

enum node_end {
	END_STOP,	/* leaves at stop_ip */
	END_FALL,
	END_JUMP,
	END_JCC,	/* edges: taken, fall-through */
	END_CALL,
	END_RET,	/* edges: the targets compared with; so for the next one */
	END_INDIRECT,
	END_SYSCALL,
};

struct edge {
	u64 ip;
	u32 context;
	s32 node;	/* after region_link(): the target, or -1 to leave at ip */
};

struct fixup {
	u32 op;
	u32 edge;
};

/* Straight guest code in one context: entered at its head, left at its end. */
struct node {
	u64 ip;
	u32 context;
	u32 first, cnt;		/* in lift.insts */
	u8 end;			/* enum node_end */
	u8 edge_cnt;
	bool is_filled, is_entry, is_kept, has_check, is_live_in, is_queued, is_seen;
	struct edge edges[MAX_EDGES];
	u64 stop_ip;
	char why[48];		/* END_STOP */
	s32 nr;			/* END_SYSCALL */
	u32 distance;		/* guest instructions from an entry */
	u32 ahead;		/* and to the next call made in the block, or a goal */
	struct track in;
	/* What emission made of it. */
	struct ub_insn *ops;
	u32 op_cnt;
	struct fixup fixups[MAX_EDGES];
	u32 fixup_cnt;
	s32 tail;		/* edge to go to at the end, or -1 when the ops end by themselves */
	u32 start;		/* index in the block */
	bool is_placed;
};

/* One guest instruction in one context. */
struct inst {
	u32 insn;		/* in lift.insns */
	bool are_flags_dead;	/* those that it writes */
};

struct chunk {
	u64 start;
	u32 len;
	u8 bytes[512];
};

struct lift {
	const struct ub_lift_request *request;
	struct chunk *chunks;
	struct ub_x86_insn *insns;
	struct inst *insts;
	struct node *nodes;
	struct context *contexts;
	u32 chunk_cnt, chunk_cap, insn_cnt, insn_cap, inst_cnt, inst_cap, node_cnt, node_cap;
	u32 context_cnt, context_cap;
	struct map spots;	/* where (ip, context) stands */
	struct map decoded;	/* ip -> index in insns + 1 */
	struct map words;	/* what the request says of an ip */
	struct heap near;	/* nodes to look at */
	u32 budget;
	/* The instruction being lifted. */
	struct track track;
	const struct ub_x86_insn *insn;
	struct node *node;		/* NULL while its node is being found: no looking ahead then */
	u32 pos;			/* in the node */
	bool are_flags_dead;
	const char *why;		/* it cannot be lifted */
	char why_buf[48];
	struct ub_insn *ops;
	u32 op_cnt, op_cap;
	int err;			/* sticky: -ENOMEM */
};

/* Room for one more element of *arr; false (and l->err) when there is no memory. */
bool lift_grow(struct lift *l, void **arr, u32 cnt, u32 *cap, size_t size);

/* region.c */
void region_find(struct lift *l);
/* Was the address seen to be run? */
bool region_is_hot(const struct lift *l, u64 ip);
bool region_is_goal(const struct lift *l, u64 ip);
/* How far is it from the head of @node to that of its target, in guest instructions; more if that is unlikely. */
u32 region_edge_length(const struct lift *l, const struct node *node, u32 edge);
/* The node in which (ip, context) stands, or NULL. */
const struct node *region_node(const struct lift *l, u64 ip, u32 context);
const struct ub_x86_insn *region_insn(const struct lift *l, const struct node *node, u32 pos);

/* keep.c */
void region_keep(struct lift *l);

/* track.c */
void track_clear(struct track *track);
void track_op(struct track *track, const struct ub_insn *op);
/* Keeps of the guards in @into only what holds in @from too; true if something was lost. */
bool track_meet(struct track *into, const struct track *from);
bool track_covers(const struct guard *guard, const struct ub_x86_operand *mem, s64 disp, s32 *ret_off);
void track_guard(struct track *track, const struct ub_insn *op);

/* emit.c */
struct place {			/* of a memory operand, guarded */
	u8 base;		/* r16, r17, or UB_NOREG and addr */
	s32 off;
	u64 addr;
};

void ir_rr(struct lift *l, enum ub_op op, u8 width, bool f, u8 dst, u8 src);
void ir_ri(struct lift *l, enum ub_op op, u8 width, bool f, u8 dst, s64 imm);
void ir_rri(struct lift *l, enum ub_op op, u8 width, bool f, u8 dst, u8 src, s64 imm);
void ir_dst(struct lift *l, enum ub_op op, u8 width, bool f, u8 dst);
void ir_src(struct lift *l, enum ub_op op, u8 width, bool f, u8 src);
void ir_cc(struct lift *l, enum ub_op op, u8 width, enum ub_cc cc, u8 dst, u8 src);
void ir_addr(struct lift *l, enum ub_op op, u8 width, u8 dst, u8 base, u8 index, u8 scale, s32 off);
void ir_load(struct lift *l, enum ub_op op, u8 width, u8 dst, struct place place);
void ir_store(struct lift *l, u8 width, struct place place, u8 src);
void ir_storei(struct lift *l, u8 width, struct place place, s64 imm);
/* [place] = [place] OP src, OP imm, OP alone: @op is the row with a register, and mode what UB_MODE() and UB_MODE_LOCK
 * make. */
void ir_modify(struct lift *l, enum ub_op op, u8 mode, struct place place, u8 src);
void ir_modify_imm(struct lift *l, enum ub_op op, u8 mode, struct place place, s64 imm);
void ir_imm(struct lift *l, enum ub_op op, s64 imm);
void ir_none(struct lift *l, enum ub_op op, u8 width);
void ir_mark(struct lift *l);
void ir_to(struct lift *l, enum ub_op op, u8 src, s64 imm, u32 edge);
/* Here the jump that the last ir_to() for @edge made comes out. */
void ir_label(struct lift *l, u32 edge);

/* Guards @mem, whose registers count as @adjust higher, if it is not yet guarded. */
struct place lift_place(struct lift *l, const struct ub_x86_operand *mem, s64 adjust);
/* The stack at rsp + @disp. */
struct place lift_stack(struct lift *l, s64 disp);
/* A register for a value that need not outlive the instruction; keeps @place and a guard that is used again. */
u8 lift_temp(struct lift *l, const struct place *place);
/* The operand's value in a register, at its width; loads and constants go to @temp,
 * or with UB_NOREG to what lift_temp() says. */
u8 lift_read(struct lift *l, const struct ub_x86_operand *operand, u8 temp);
/* Writes a register operand. */
void lift_write(struct lift *l, const struct ub_x86_operand *operand, u8 src);

/* flags.c */
void flags_find_dead(struct lift *l);

/* lift.c */
/* Appends the IR of l->insn; l->why tells if it could. */
void lift_insn(struct lift *l);
u8 lift_op(const struct ub_x86_insn *insn);
enum ub_cc lift_cc(const struct ub_x86_insn *insn);
enum ub_x86_flags lift_flags(const struct ub_x86_insn *insn);

/* link.c */
int link_block(struct lift *l, struct ub_lifted *lifted);
int link_ranges(struct lift *l, struct ub_lifted *lifted);
int link_ends(struct lift *l, struct ub_lifted *lifted);

#define NAME(mnemonic, fn, op, cc, flags) void lift_##fn(struct lift *l, const struct ub_x86_insn *insn);
#include "names.h"

#endif
