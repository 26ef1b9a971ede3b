/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image_env: what the parts of the image checker share while they read one image.
 *
 * The bytes are read once, from the first to the last.  The state moves along; where a jump leads forward it is kept, and
 * joined with what else comes there; where one leads back, a hint said what holds, and each way there is held to it.
 */
#ifndef UB_IMAGE_ENV_H
#define UB_IMAGE_ENV_H

#include "../ir/vecop.h"
#include "image_insn.h"
#include "verify.h"

/* What a machine register or a local holds.  Only what is the guest's may go to the guest, or through arithmetic. */
enum im_class {
	IM_NONE = UB_HINT_NONE,	/* nothing was written: it may be the kernel's */
	IM_GUEST = UB_HINT_GUEST,
	IM_REGS = UB_HINT_REGS, IM_TASK = UB_HINT_TASK, IM_TICKS = UB_HINT_TICKS,	/* pt_regs; the task; counts ticks */
	IM_FRAME,		/* struct ub_frame */
	IM_STACK,		/* rsp, rbp */
	IM_PRE_SAID, IM_POST_SAID, /* what pre_call, post_call answered */
	IM_LIMIT, IM_LIMIT_LOW, IM_MASK,
};

/* What may hold at a place: true where it does on all ways there. */
enum im_fact {
	/* Flags which the guest or a comparison of what is the kernel's set, so that jumps may look; which are the guest's. */
	IM_CF_SET = 1 << 0, IM_OTHERS_SET = 1 << 1, IM_ALL_SET = 3 << 0, IM_CF_GUEST = 1 << 2, IM_ALL_GUEST = 3 << 2,
	IM_PRE_GO = 1 << 4, IM_POST_GO = 1 << 5,	/* below: pre_call, post_call said UB_CALL_GO */
	IM_FLAGS = (1 << 6) - 1,
	IM_WORK_TESTED = 1 << 6,	/* there is no work before a call, or pre_call said go */
	IM_HAS_TICKS = 1 << 7,		/* at least one is left */
	IM_FRESH = 1 << 8,		/* there was no tick since it was looked for work */
	IM_CHUNK_FITS = 1 << 9,		/* rcx is at most IM_CHUNK, when it counts */
};

/* How the machine is set: each place has one state of these. */
enum im_mode {
	IM_OPEN = 1 << 0,	/* access to user memory */
	IM_MAY_SLEEP = 1 << 1,	/* page faults are allowed */
	IM_VEC_OPEN = 1 << 2,	/* vector registers are the user's */
	IM_FENCED = 1 << 3,	/* the prologue is over */
	IM_PUSHED = 1 << 4,	/* there is a word on the stack */
};

#define IM_NO_NR	-1

/* An address, before it is known what its registers hold, of which @len bytes lie in one line of the cache; 0: none. */
struct im_addr {
	s32 disp;
	u8 base, index, scale;	/* UB_NOREG: none */
	u8 len;
};

/* What is known at a place, but for the values of registers.  It has no holes: it is compared as bytes. */
struct im_point {
	u8 reg[IM_NREG];	/* enum im_class */
	u32 locals;		/* which are written: bit n is the one at rbp - 48 - 8 * n; */
	u32 low_bytes;		/* or only their lowest byte */
	u16 known;		/* registers of whose value something is known */
	u16 facts;		/* enum im_fact */
	struct im_addr line;	/* was tested to lie in one */
	s32 nr, nr_saved;	/* the number of the call that eax, and pt_regs' ax, were compared with; or IM_NO_NR */
	u32 mode;		/* enum im_mode */
};

_Static_assert(sizeof(struct im_point) == 48, "a hole in struct im_point");

/* Instructions that only mean something together.  Each ends with the next instruction that is not part of it. */
enum im_unit_kind {
	IM_UNIT_NONE,
	IM_UNIT_LEA,		/* reg is the address addr */
	IM_UNIT_LINE,		/* and its place in a line */
	IM_UNIT_IN_LINE,	/* which was compared: above means that addr.len bytes do not fit */
	IM_UNIT_LIMIT,		/* reg was compared with LIMIT, */
	IM_UNIT_LOW,		/* or reg - UB_HOLD_LOW with LIMIT - UB_HOLD_LOW: above or equal: it must be clamped */
	IM_UNIT_WORK,		/* not equal: there is work */
	IM_UNIT_CALL_WORK,	/* not equal: there is work before a call */
	IM_UNIT_SOFTIRQ_DUE,	/* there is none but perhaps of softirqs, */
	IM_UNIT_SOFTIRQ,	/* for which was looked: not equal: there is */
	IM_UNIT_NR,		/* not equal: eax is not nr */
	IM_UNIT_TICK,		/* equal: none is left */
	IM_UNIT_AH,		/* reg is a copy of rax, of which no more than ah has changed since; addr and nr held before */
	IM_UNIT_CHUNK,		/* below or equal: rcx is no more than IM_CHUNK */
};

struct im_unit {
	u8 kind, reg;
	s32 nr;
	struct im_addr addr;
};

struct im_state {
	struct im_point at;
	struct im_unit unit;
	struct ub_reg values[IM_NREG];	/* those of at.known count */
};

/* A place that jumps lead to, or an entry. */
enum im_label_kind { IM_JOINED, IM_HINTED, IM_KEPT, IM_ENTRY };

struct im_label {
	struct im_point at;
	u32 value_idx;		/* the values of @stored, one behind the other */
	u16 stored;
	u8 kind;
	bool is_seen;		/* at means something */
	bool is_arrived;	/* an instruction begins there */
	u32 off;
	u32 node;
	const struct ub_image_hint *hint;
};

/* A stretch of code that runs without looking for work, and which follows which. */
struct im_flow {
	u32 from, to, len;
};

struct im {
	const struct ub_image *image;
	const struct ub_jit_env *env;
	struct ub_image_log *log;
	const u8 *code;
	u64 address, limit;
	u32 len;
	u32 pc, next;		/* the instruction, and the one behind it */
	struct im_insn insn;
	struct im_state state;
	bool is_dead;		/* nothing falls in here */
	u32 *label_at;		/* of each byte, the number of its label + 1 */
	struct im_label *labels;
	struct ub_reg *values;
	struct im_flow *flows;
	u32 label_cnt, label_cap, value_cnt, value_cap, flow_cnt, flow_cap, node_cnt;
	u32 node, node_len;	/* the stretch that pc is in, and how many instructions of it were read */
	u32 fault_idx;
	bool has_fault;		/* a fault-table entry names this instruction, */
	bool is_fault_due;	/* and may it fault? */
	int err;
};

#define IM_CHUNK	4096
#define IM_MAX_STRETCH	65536u	/* instructions between two looks for work */
#define IM_MAX_LABELS	(1u << 18)	/* 40 MiB at the most, of labels and of values each */
#define IM_MAX_VALUES	(1u << 20)
#define IM_NO_LOCAL	UB_U32_MAX
#define IM_PT_AX	80	/* in struct pt_regs */

/* Returns false.  The first one stands. */
__attribute__((format(printf, 2, 3)))
bool im_refuse(struct im *im, const char *format, ...);
/* Room for one more element; false, and im->err, when there is no memory. */
bool im_grow(struct im *im, void **arr, u32 cnt, u32 *cap, size_t size);

/* image_label.c: what is known where ways meet. */
bool im_labels_start(struct im *im);
/* The current state goes on at @target. */
bool im_edge(struct im *im, s64 target);
/* Is there a label at pc?  Then the state becomes that of all who lead there. */
bool im_arrive(struct im *im);
/* Does an instruction begin at each? */
bool im_labels_end(struct im *im);

/* image_time.c */
/* pc is the beginning of a stretch, where work was looked for. */
bool im_looked(struct im *im);
bool im_flow_to(struct im *im, u32 node);
bool im_time_check(struct im *im);

/* image_mem.c */
/* May the memory operand be read, be written?  In locals, pt_regs and user memory. */
bool im_access(struct im *im, bool is_read, bool is_written);
/* The local of the operand if it is one and of 8 bytes, else IM_NO_LOCAL; the class that it has by its place. */
u32 im_local(const struct im_insn *insn);
enum im_class im_local_class(u32 local);
/* May user memory be accessed here at all? */
bool im_is_user_time(struct im *im);
/* May a string operation begin at that register's address? */
bool im_is_string_start(struct im *im, u8 reg);

/* image_step.c: one instruction. */
bool im_step(struct im *im);
/* The register takes something of the guest's, or of another class. */
void im_set(struct im *im, u8 reg, struct ub_reg value);
void im_set_class(struct im *im, u8 reg, enum im_class class);
/* What a condition reads (SDM vol. 1, appendix B): IM_CF, IM_OTHERS. */
u8 im_flags_of(u8 cc);

static inline struct ub_reg im_value(const struct im *im, u8 reg)
{
	return im->state.at.known & 1u << reg ? im->state.values[reg] : ub_reg_any();
}

/* The mode, but for vector registers that need not be closed. */
static inline u8 im_mode(const struct im *im)
{
	return im->env->vec_open ? im->state.at.mode : im->state.at.mode & ~IM_VEC_OPEN;
}

static inline bool im_is_answer(enum im_class class)
{
	return class == IM_PRE_SAID || class == IM_POST_SAID;
}

static inline bool im_reads(struct im *im, u8 reg)
{
	return im->state.at.reg[reg] == IM_GUEST ||
	       im_refuse(im, "register %u as a value, which holds nothing of the guest's", reg);
}

/* The base and the index of the memory operand. */
static inline bool im_reads_address(struct im *im)
{
	return (im->insn.rm == UB_NOREG || im_reads(im, im->insn.rm)) &&
	       (im->insn.index == UB_NOREG || im_reads(im, im->insn.index));
}

/* image_alu.c: what the registers that the instruction writes are then; @dst is the first. */
struct ub_reg im_result(const struct im *im, u8 dst);
/* Writes as x86 does: 8 and 16 bits keep the others, 32 clear them. */
bool im_put(struct im *im, u8 reg, struct ub_reg value);
/* image_call.c: calls and jumps. */
bool im_step_control(struct im *im, const struct im_unit *unit);

#endif
