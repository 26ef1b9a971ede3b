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
	IM_NONE,		/* nothing was written: it may be the kernel's */
	IM_GUEST,
	IM_FRAME, IM_TASK, IM_REGS,	/* pointers: struct ub_frame, the task, pt_regs */
	IM_TICKS,		/* counts ticks */
	IM_LIMIT, IM_LIMIT_LOW, IM_MASK,
};

enum { IM_CF = 1, IM_OTHERS = 2, IM_ALL_FLAGS = 3 };

#define IM_NO_NR	-1

/* An address, before it is known what its registers hold. */
struct im_addr {
	u8 base, index, scale;	/* UB_NOREG: none */
	s32 disp;
};

/* What is known at a place, but for the values of registers. */
struct im_point {
	u8 reg[IM_NREG];	/* enum im_class */
	u32 locals;		/* which are written: bit n is the one at rbp - 48 - 8 * n; */
	u32 low_bytes;		/* or only their lowest byte */
	u16 facts;		/* registers of whose value something is known */
	u8 flags;		/* which of the machine's flags are the guest's */
	bool flags_tell_work;	/* no: they compare what is the kernel's, and only a jump may look */
	bool flags_tell_answer;	/* below: it is UB_CALL_GO */
	bool answer_is_look;	/* it is post_call's, which goes on only where no work is left; else pre_call's */
	u8 answer;		/* the register that has what one of them said, or UB_NOREG */
	bool is_work_tested;	/* there is no work before a call, or pre_call said go */
	bool is_open;		/* access to user memory */
	bool may_sleep;		/* page faults are allowed */
	bool is_vec_open;
	bool is_fenced;		/* the prologue is over */
	bool has_ticks;		/* at least one is left */
	bool is_fresh;		/* there was no tick since it was looked for work */
	bool is_chunk;		/* rcx is at most IM_CHUNK, when it counts */
	u8 pushed;		/* words on the stack */
	s32 nr, nr_saved;	/* the number of the call that eax, and pt_regs' ax, were compared with; or IM_NO_NR */
	struct im_addr line;	/* an address of which it was tested that so many bytes lie in one line of the cache */
	u8 line_len;		/* 0: none */
};

/* Instructions that only mean something together.  Each ends with the next instruction that is not part of it. */
enum im_unit_kind {
	IM_UNIT_NONE,
	IM_UNIT_LEA,		/* reg is the address addr */
	IM_UNIT_LINE,		/* and its place in a line */
	IM_UNIT_IN_LINE,	/* which was compared: above means that len bytes do not fit */
	IM_UNIT_LIMIT,		/* reg was compared with LIMIT, */
	IM_UNIT_LOW,		/* or reg - UB_HOLD_LOW with LIMIT - UB_HOLD_LOW: above or equal: it must be clamped */
	IM_UNIT_WORK,		/* not equal: there is work */
	IM_UNIT_CALL_WORK,	/* not equal: there is work before a call */
	IM_UNIT_SOFTIRQ_DUE,	/* there is none but perhaps of softirqs, */
	IM_UNIT_SOFTIRQ,	/* for which was looked: not equal: there is */
	IM_UNIT_NR,		/* not equal: eax is not nr */
	IM_UNIT_TICK,		/* equal: none is left */
	IM_UNIT_AH,		/* reg is a copy of rax, of which no more than ah has changed since; addr, len and nr held before */
	IM_UNIT_CHUNK,		/* below or equal: rcx is no more than IM_CHUNK */
};

struct im_unit {
	u8 kind;
	u8 reg, len;
	s32 nr;
	struct im_addr addr;
};

struct im_state {
	struct im_point at;
	struct im_unit unit;
	struct ub_reg values[IM_NREG];	/* those of at.facts count */
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
enum im_access { IM_READ = 1, IM_WRITE = 2 };
/* May the memory operand be used so?  In locals, pt_regs and user memory. */
bool im_access(struct im *im, u32 bytes, u32 access);
/* The local of the operand if it is one and of 8 bytes, else IM_NO_LOCAL; the class that it has by its place. */
u32 im_local(const struct im_insn *insn);
enum im_class im_local_class(u32 local);
/* One repeated string operation. */
bool im_access_string(struct im *im);

/* image_step.c: one instruction. */
bool im_step(struct im *im);
/* The value of a register of the guest's; any value of @width bits. */
static inline struct ub_reg im_value(const struct im *im, u8 reg)
{
	return im->state.at.facts & 1u << reg ? im->state.values[reg] : ub_reg_any();
}

static inline struct ub_reg im_unknown(u32 width)
{
	return (struct ub_reg){
		.bits = { 0, ub_low_mask(width) }, .range = { 0, ub_low_mask(width) }, .kind = UB_REG_SCALAR };
}
void im_set(struct im *im, u8 reg, struct ub_reg value);
/* The register holds something of another class. */
void im_set_class(struct im *im, u8 reg, enum im_class class);
static inline bool im_reads(struct im *im, u8 reg)
{
	if (reg == IM_RSP || reg == IM_RBP || im->state.at.reg[reg] != IM_GUEST)
		return im_refuse(im, "register %u as a value, which holds nothing of the guest's", reg);
	return true;
}

/* image_alu.c: arithmetic, of which the result is followed. */
bool im_step_alu(struct im *im);
/* image_call.c: calls, jumps, leaving. */
bool im_step_control(struct im *im, const struct im_unit *unit);

#endif
