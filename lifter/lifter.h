/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lifter: what the files of the lifter share while one region is lifted.  Nobody else includes it.
 *
 *   region.c  which guest code: nodes, call contexts
 *   guess.c   where indirect branches go
 *   context.c in which chain of calls
 *   keep.c    what of it is worth keeping
 *   loop.c    where it runs in circles
 *   unroll.c  which circles stand several times in a row
 *   cut.c     how it gets into a loop, and round
 *   ahead.c   what registers will be used for
 *   track.c   what is known along a path: addresses that may be used, numbers
 *   emit.c    makes IR instructions
 *   place.c   makes addresses that may be used
 *   hold.c    holds the addresses of a loop
 *   lift_*.c  one guest instruction -> IR, by family
 *   flags.c   where the guest's flags are dead
 *   hoist.c   guards away from flags that are needed
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
#define MAX_EDGES	48	/* targets of one indirect branch that are compared */
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

enum fact_kind { FACT_NONE, FACT_NUMBER, FACT_HELD };

/*
 * What the verifier knows of a guest register: a number from lo to hi, or an address that was held plus an offset from
 * lo to hi; and for each tick since the last check by so much more.
 */
struct fact {
	u8 kind;		/* enum fact_kind */
	s32 drift_lo, drift_hi;
	s64 lo, hi;
};

/* How often the two ends of a fact have moved where paths meet. */
struct moves {
	u8 lo, hi;
};

/* What is known at a point of a path. */
struct track {
	u16 resident;			/* registers of which facts count */
	struct fact facts[UB_NGUEST];
	struct guard guards[2];		/* r16, r17 */
};

/* For branch targets and call numbers. */
struct guesses {
	u16 known;			/* bit n: register n holds value[n] */
	u16 slotted;			/* bit n: it was loaded from address value[n] */
	u16 fielded;			/* bit n: it was loaded from field[n] behind where the pointer at value[n] points */
	u64 value[UB_NGUEST];
	s32 field[UB_NGUEST];
};

/*
 * A call whose return address is known: a link of the stack of such calls.  Context 0 knows nothing.  A function that is
 * shared has one context for all calls, and returns to any of them.
 */
struct context {
	u32 parent;
	u32 depth;
	u64 ret;			/* unless it is shared */
	u64 callee;
	u32 first_child, next_child;	/* calls made in it; 0: none */
	bool is_shared;
	u32 first_site, first_ret;	/* in lift.links, where it is called and where it returns; 0: none */
	u32 other;			/* a ring: those that a shared function takes for this one */
};

/* A place in a list of them. */
struct link {
	u64 ip;
	u32 context;
	u32 next;			/* 0: none */
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

/* An op of a node that goes to one of its edges. */
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
	bool is_filled, is_entry, is_anchor, is_kept, is_live_in, is_queued, is_seen;
	u64 stop_ip;
	char why[48];		/* END_STOP */
	s32 nr;			/* END_SYSCALL */
	u32 distance;		/* guest instructions from an entry */
	u32 ahead;		/* and to the next call made in the block, or a goal */
	s32 loop;		/* the innermost that it is in, or -1 */
	s32 way_into;		/* the loop that it enters, or -1 */
	s32 lead;		/* the node that should stand right before it, or -1 */
	s32 tick_pos;		/* there is a tick before this instruction, or -1 */
	u16 bases_in, lows_in;	/* see struct inst */
	s32 head_of;		/* the loop whose head it is, or -1 */
	struct moves moves[UB_NGUEST];
	struct guesses guesses;	/* at its head */
	struct track *in;	/* what is known at its head; NULL unless it is kept */
	/* What emission made of it. */
	struct ub_insn *ops;
	u32 op_cnt;
	u32 first_fixup, fixup_cnt;	/* in lift.fixups */
	s32 tail;		/* edge to go to at the end, or -1 when the ops end by themselves */
	struct ub_insn *renewal;	/* behind the block: what its tick jumps to when it is time for a check */
	u32 renewal_cnt;
	u32 tick_op;		/* index in ops */
	u32 start;		/* index in the block */
	bool is_placed;
	/* As many of them as edge_cnt says. */
	struct edge edges[MAX_EDGES];
};

/* Code that may run over and over, between system calls, and that has one way in. */
struct loop {
	s32 parent;		/* the loop around it, or -1 */
	u32 head;		/* the node at which the way in and the way round meet */
	u16 steps;		/* registers that constants alone are added to, once in an iteration */
	u16 changes;		/* registers that change otherwise, */
	u16 loads;		/* and of those the ones that are not made of others by moves and sums */
	u16 bases, lows;	/* that addresses are based on, and surely go below of */
	u16 indexes;
	u16 pairs;		/* bases beside an index that has no factor */
	u16 sums;		/* what numbers of 32 bits are added to */
	s32 step_lo[UB_NGUEST], step_hi[UB_NGUEST];	/* what an iteration may add at the least and at the most */
};

/* One guest instruction in one context. */
struct inst {
	u32 insn;		/* in lift.insns */
	bool are_flags_dead;	/* those that it writes */
	/* Registers that are bases of addresses behind it, before anything but a constant is added to them;
	 * and of those the ones that are gone below. */
	u16 bases, lows;
};

struct chunk {
	u64 start;
	u32 len;
	u8 bytes[512];
};

/* The guest's code, as it was read and decoded: the same for all attempts. */
struct code {
	struct chunk *chunks;
	struct ub_x86_insn *insns;
	u32 chunk_cnt, chunk_cap, insn_cnt, insn_cap;
	struct map known;	/* ip -> index in insns + 1 */
};

struct lift {
	const struct ub_lift_request *request;
	struct code *code;
	struct inst *insts;
	struct node *nodes;
	struct context *contexts;
	u32 inst_cnt, inst_cap, node_cnt, node_cap;
	u32 context_cnt, context_cap;
	struct link *links;	/* from 1 on */
	u32 link_cnt, link_cap;
	u32 *late;		/* nodes that got new targets after they were filled */
	u32 late_cnt, late_cap;
	const struct map *shared;	/* functions that are lifted once for all their calls */
	struct map homes;	/* their contexts */
	bool is_short;		/* the budget did not suffice */
	struct loop *loops;
	u32 loop_cnt, loop_cap;
	u16 resident;		/* guest registers that live in machine registers */
	struct map spots;	/* where (ip, context) stands */
	struct map words;	/* what the request says of an ip */
	struct heap near;	/* nodes to look at */
	u32 budget;
	/* The instruction being lifted. */
	struct guesses guesses;		/* while nodes are found */
	struct track *tracks;		/* node->in of all */
	struct track track;
	const struct ub_x86_insn *insn;
	struct node *node;		/* NULL while its node is being found: no looking ahead then */
	u32 pos;			/* in the node */
	bool are_flags_dead;
	const char *why;		/* it cannot be lifted */
	char why_buf[48];
	struct ub_insn *ops;
	u32 op_cnt, op_cap;
	struct fixup *fixups;	/* of all nodes, those of a node in a row: nodes are emitted one by one */
	u32 fixup_cnt, fixup_cap;
	int err;			/* sticky: -ENOMEM */
};

/* Room for one more element of *arr; false (and l->err) when there is no memory. */
bool lift_grow(struct lift *l, void **arr, u32 cnt, u32 *cap, size_t size);

/* region.c */
void region_find(struct lift *l);
/* Was the address seen to be run? */
bool region_is_hot(const struct lift *l, u64 ip);
bool region_is_goal(const struct lift *l, u64 ip);
/* Has a hold failed there? */
bool region_is_wild(const struct lift *l, u64 ip);
/* How far is it from the head of @node to that of its target, in guest instructions; more if that is unlikely. */
u32 region_edge_length(const struct lift *l, const struct node *node, u32 edge);
/* The node in which (ip, context) stands, or NULL. */
const struct node *region_node(const struct lift *l, u64 ip, u32 context);
const struct ub_x86_insn *region_insn(const struct lift *l, const struct node *node, u32 pos);

/* Adds the targets that were seen of the branch at @ip. */
void region_add_hinted(const struct lift *l, struct node *node, u64 ip, u32 context);
void region_add_edge(struct node *node, u64 ip, u32 context);

/* Guest instructions from call to call on the shortest way that the node lies on. */
static inline u32 node_way(const struct node *node)
{
	return node->ahead < UB_U32_MAX - node->distance ? node->distance + node->ahead : UB_U32_MAX;
}

/* guess.c */
void guess_step(struct guesses *guesses, const struct ub_x86_insn *insn);
bool guess_register(const struct lift *l, u8 reg, u64 *ret);
/* The value of an operand of 64 bits. */
bool guess_operand(const struct lift *l, const struct ub_x86_operand *operand, u64 *ret);

/* context.c */
/* Why no call to @callee may be followed there; NULL: it may. */
const char *context_refuse(const struct lift *l, u32 context, u64 callee);
/* The context of a call that returns to (@ret, @parent); -1 when there is no memory. */
s32 context_enter(struct lift *l, u32 parent, u64 ret, u64 callee);
/* Adds the targets of a ret at @ip. */
void context_return(struct lift *l, u32 node, u64 ip);
/* Adds to @shared which functions cost much because they are called from many places; false: none that was not known. */
bool context_share(struct lift *l, struct map *shared);

/* keep.c */
void region_keep(struct lift *l);

/* loop.c */
/* Edges by their targets: those into node n are from[first[n]] to from[first[n + 1] - 1]. */
struct edges_in {
	u32 *first;
	struct { u32 node, edge; } *from;
};

/* False: no memory, and l->err. */
bool edges_in_find(struct lift *l, struct edges_in *ret);
void edges_in_free(struct edges_in *in);
void loops_find(struct lift *l);
/* Is the node in the loop, or in one inside it? */
bool loop_has(const struct lift *l, s32 loop, const struct node *node);

/* unroll.c */
/* Lets short loops stand several times in a row. */
void loops_unroll(struct lift *l);

/* cut.c */
/* A node like @idx, but for being an entry, with instructions of its own; -1 when there is no memory. */
s32 node_copy(struct lift *l, u32 idx);
/* Gives each loop a tick and a way in of its own. */
void loops_cut(struct lift *l);
/* Where in @head a tick costs least: behind the first instruction whose flags can be had again, if nobody reads them at
 * once; or -1. */
s32 tick_place(const struct lift *l, const struct node *head);
/* Keeps short loops of calls apart from longer ways that lead into them. */
void ways_part(struct lift *l);

/* ahead.c */
/* The longest way from call to call on which what is run most may lie: at most about twice the shortest. */
u32 lift_longest_way(const struct lift *l);
/* What do the registers do in the loops? */
void ahead_describe_loops(struct lift *l);
/* Along the paths: what are the registers used for?  Which are worth machine registers? */
void ahead_find(struct lift *l);

/* track.c */
/* Nothing is known; what is resident stays. */
void track_clear(struct track *track);
void track_op(struct track *track, const struct ub_insn *op);
/* Behind a check that something else than @track's own path may have passed. */
void track_settle(struct track *track);
/*
 * Keeps in @into only what holds in @from too; true if something was lost.  @is_round: it came round a loop, so what moved
 * will go on.  @moves: of each register.
 */
bool track_meet(struct track *into, const struct track *from, bool is_round, struct moves *moves);
/* The least and the greatest that the fact allows, at any tick. */
s64 fact_min(const struct fact *fact);
s64 fact_max(const struct fact *fact);
bool track_covers(const struct guard *guard, const struct ub_x86_operand *mem, s64 disp, s32 *ret_off);

/* emit.c */
struct place {			/* of a memory operand that may be used: [base + off], [base + index << scale + off], */
	u8 base;		/* or with UB_NOREG [addr] */
	bool is_indexed;
	u8 index, scale;
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
/* A vector operation, to which its memory operand is added; NULL: it has none. */
void ir_vec(struct lift *l, struct ub_insn op, const struct place *place);
/* [place] = [place] OP src, OP imm, OP alone: @op is the row with a register, and mode what UB_MODE() and UB_MODE_LOCK
 * make. */
void ir_modify(struct lift *l, enum ub_op op, u8 mode, struct place place, u8 src);
void ir_modify_imm(struct lift *l, enum ub_op op, u8 mode, struct place place, s64 imm);
void ir_imm(struct lift *l, enum ub_op op, s64 imm);
void ir_none(struct lift *l, enum ub_op op, u8 width);
void ir_mark(struct lift *l);
void ir_hold(struct lift *l, u8 reg, bool is_low);
void ir_to(struct lift *l, enum ub_op op, u8 src, s64 imm, u32 edge);
/* Here the jump that the last ir_to() for @edge made comes out. */
void ir_label(struct lift *l, u32 edge);

/* The operand's value in a register, at its width; loads and constants go to @temp,
 * or with UB_NOREG to what lift_temp() says. */
u8 lift_read(struct lift *l, const struct ub_x86_operand *operand, u8 temp);
/* Writes a register operand. */
void lift_write(struct lift *l, const struct ub_x86_operand *operand, u8 src);

/* place.c */
/* A place for a load or store; it may have an index. */
struct place lift_access(struct lift *l, const struct ub_x86_operand *mem);
/* A place without one, for any operation.  The operand's registers count as @adjust higher. */
struct place lift_place(struct lift *l, const struct ub_x86_operand *mem, s64 adjust);
/* @reg = the address of @mem, which may be any; @reg is none of its registers. */
void lift_address(struct lift *l, u8 reg, const struct ub_x86_operand *mem);
/* The stack at rsp + @disp. */
struct place lift_stack(struct lift *l, s64 disp);
/* Where @dst becomes what @src is, and both will be addressed by, one hold before that serves both. */
void lift_hold_copied(struct lift *l, u8 dst, u8 src);
/* A register for a value that need not outlive the instruction; keeps @place and a guard that is used again. */
u8 lift_temp(struct lift *l, const struct place *place);
/* hold.c */
/* At the end of a way into a loop. */
void hold_on_way_in(struct lift *l, const struct node *node);
/* A tick before @insn. */
void hold_tick(struct lift *l, struct node *node, const struct ub_x86_insn *insn);

/* flags.c */
void flags_find_dead(struct lift *l);

/* hoist.c */
/* Once all nodes are made. */
void guards_hoist(struct lift *l);

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

/* lift_vec.c */
void lift_vector(struct lift *l, const struct ub_x86_insn *insn);

#define NAME(mnemonic, fn, op, cc, flags) void lift_##fn(struct lift *l, const struct ub_x86_insn *insn);
#include "names.h"

#endif
