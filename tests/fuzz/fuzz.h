/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz: what the parts of the differential fuzzer share.
 *
 *   insn.c     one x86 instruction: what it reads and writes, what its form is called
 *   forms.c    every form of instruction there is, and which of them are lifted
 *   build.c    random instructions of a form
 *   program.c  one of them or a short sequence, laid out, lifted, verified and compiled
 *   state.c    random states to start in
 *   cpu.c      the bare processor
 *   trial.c    one program in one state, three ways
 *   shrink.c   a difference -> a small text case
 *   report.c   what was covered
 *   lift.c     main()
 *
 * The guest lives in the fuzzer's own address space, at the places that text cases use (tests/case.h).
 */
#ifndef UB_FUZZ_H
#define UB_FUZZ_H

#include <Zydis/Zydis.h>

#include "../../ir/interp.h"
#include "../../lifter/decode.h"
#include "../../lifter/lift.h"
#include "../../verifier/verify.h"
#include "../harness.h"

#define CODE_AT		0x10000000ull
#define CODE_LEN	4096u
#define BUF_AT		0x20000000ull	/* two pages, nothing mapped around them */
#define BUF_LEN		8192u
#define PAGE		4096u
#define FS_AT		(BUF_AT + 0x400)
#define GS_AT		(BUF_AT + 0x800)	/* nothing with gs is lifted; this would show it */
#define STACK_AT	(BUF_AT + 0x1800)
#define LIMIT		0x7ffffffff000ull
#define EXITS		3		/* ways out of a program; the last is none that the lifter knows of */
#define EXIT_LEN	8u

#define MAX_INSNS	12
#define MAX_VECTORS	16
#define MXCSR_FLAGS	0x3fu		/* what has been raised */

/* --- random numbers --- */

extern u64 fuzz_seed;

static inline u64 rng(void)
{
	fuzz_seed ^= fuzz_seed << 13;
	fuzz_seed ^= fuzz_seed >> 7;
	fuzz_seed ^= fuzz_seed << 17;
	return fuzz_seed * 0x2545f4914f6cdd1dull;
}

static inline u32 pick(u32 cnt)
{
	return (rng() >> 32) * cnt >> 32;
}

/* --- insn.c --- */

struct mem {			/* a memory operand, the hidden ones too */
	s8 base, index;		/* -1: none */
	u8 scale;		/* as a factor */
	u8 size;		/* bytes */
	bool is_fs;
	bool is_a32;		/* the address is cut to 32 bits */
	s8 bit_offset;		/* bt and its like: this register counts as well, in bits */
	s64 disp;
};

struct insn {
	u8 bytes[15];
	u8 len;
	u16 mnemonic;		/* Zydis' number */
	u16 reads, writes;	/* bit n: general register n */
	u32 tested;		/* flags that it reads */
	u32 written;		/* flags that it writes whatever its operands are */
	u32 undefined;		/* flags that it may leave undefined, */
	u32 undefined_on_fault;	/* and when a fault interrupts it */
	u16 vectors;		/* bit n: vector register n is an operand */
	u8 mem_cnt;
	struct mem mems[2];
	u8 disp_at, disp_len;	/* where the displacement stands, 0: nowhere */
	u8 rel_at, rel_len;	/* where the distance of a branch stands */
	bool is_rip;		/* memory relative to ... */
	bool is_absolute;	/* memory without any register */
	bool is_fs;		/* either of these, in the segment */
	bool has_fs;		/* the prefix for it */
	bool has_modrm;
	bool has_vectors;	/* or MXCSR */
	bool is_rep;
	bool is_indirect;	/* a branch to where a register or memory says */
	s8 jump;		/* index of the instruction that a direct branch goes to; beyond the last: an exit */
	u64 target;		/* of is_rip and is_absolute memory, less the base of fs */
};

/* False when the bytes are no instruction.  *ret_name (may be NULL) is its form, as "add r32, m32". */
#define FORM_NAME	80
bool insn_decode(const u8 *bytes, u32 len, struct insn *ret, char ret_name[FORM_NAME]);
void insn_text(const struct insn *insn, u64 ip, char *buf, size_t size);
bool insn_init(void);

/* --- forms.c --- */

/* What of an encoding is fixed; the rest is up to chance. */
struct template {
	u8 prefixes[5];
	u8 prefix_cnt;
	u8 rex;			/* 0: none; the W bit counts */
	u8 vex;			/* 0: none; else the map, and pp, L, W: */
	u8 vex_p;		/* W pp L as in the last byte */
	u8 map;			/* legacy: 0 none, 1 0f, 2 0f38, 3 0f3a */
	u8 op;
	bool has_modrm, is_mem;
	u8 reg, rm;		/* as they were when the form was found */
};

#define MAX_TEMPLATES	24

struct form {
	char name[FORM_NAME];
	u16 mnemonic;
	struct template templates[MAX_TEMPLATES];
	u32 template_cnt;	/* found; those above MAX_TEMPLATES take the place of earlier ones */
	const char *why;	/* NULL: the decoder takes it; else its reason not to */
	bool is_branch, is_indirect, has_vectors, has_mem;
	/* What became of it. */
	u64 programs, comparisons, faults;
	u64 early;		/* comparisons that the block left before something that the processor may do */
	u64 left_out;		/* programs that the lifter did not take */
	u32 excepted;		/* flags that were not compared somewhere */
	u32 differences;
	char not_lifted[48];	/* the last reason */
};

extern struct form *forms;
extern u32 form_cnt;
bool forms_find(void);
/* Forms that can be tried: indexes into forms. */
extern u32 *tried;
extern u32 tried_cnt;

/* --- build.c --- */

/* A random instruction of @form.  @in_sequence: with registers as a sequence wants them. */
bool build_insn(const struct form *form, bool in_sequence, struct insn *ret);

/* --- program.c --- */

struct program {
	struct insn insns[MAX_INSNS];
	u32 cnt;
	u8 prot[2];		/* PROT_* of the two pages of the buffer */
	s8 loop_reg;		/* a register that counts rounds; -1: none */
	bool is_behind_call;	/* entered behind a system call: rcx and r11 say so */
	bool must_yield;	/* the first check finds work */
	u16 resident;		/* registers to keep in machine registers, 0: as the lifter says */
	/* From program_layout(). */
	u8 code[200];
	u32 len;
	u64 ips[MAX_INSNS];
	bool has_vectors, has_branch, has_indirect, has_rep, has_fs;
	u16 reads, vectors;
	u32 undefined;		/* flags that may be undefined somewhere, */
	u32 undefined_on_fault;	/* and behind a fault */
	/* From program_make(). */
	struct ub_lifted *lifted;
	struct ub_verified *verified;
	struct ub_image *image;
	char why[160];
};

enum made { MADE, MADE_NOT_LIFTED, MADE_REFUSED, MADE_NOT_COMPILED };

void program_single(struct program *program, const struct insn *insn);
void program_sequence(struct program *program);
/* Puts the instructions behind each other.  False when they do not fit, or read flags that nobody has defined. */
bool program_layout(struct program *program);
u64 program_exit(const struct program *program, u32 k);
enum made program_make(struct program *program);
void program_free(struct program *program);
void program_text(const struct program *program, char *buf, size_t size);

/* --- state.c --- */

struct state {
	u64 regs[UB_NGUEST];
	u32 flags;
	u32 mxcsr;
	u64 ip;
	u8 v[MAX_VECTORS][32] __attribute__((aligned(32)));
};

/* Memory: as it was before (the state's), as the interpreter has it, and the guest's own at BUF_AT. */
extern u8 mem_before[BUF_LEN], mem_interp[BUF_LEN];
#define mem_guest	((u8 *)BUF_AT)

/* Puts random values where the program reads; the three memories are equal before and after. */
void state_random(const struct program *program, struct state *state);
void state_fresh(const struct program *program, struct state *state);
void state_behind_call(const struct program *program, struct state *state);
u64 random_value(void);

/* --- cpu.c --- */

bool cpu_init(void);
/* Where the guest is to be stopped: at state->ip, when it has the registers, flags and vectors of @state. */
struct stop {
	const struct state *state;
	u32 undefined;			/* flags that do not count */
	bool (*has_memory)(void);	/* and the memory */
};

/*
 * Runs @program, which stands at CODE_AT, from @state, and leaves in it what the guest has when it goes out, faults or is stopped.
 * @to may be NULL.  False: it hung.
 */
bool cpu_run(struct state *state, const struct program *program, const struct stop *to);
void cpu_put_program(const struct program *program);
void cpu_protect(const u8 prot[2]);
extern u64 cpu_faults;
/* May interrupts come whatever the stack pointer is? */
extern bool cpu_returns_anywhere;
/* Has the last run ended by a fault that may be no fault of the guest's? */
bool cpu_is_in_doubt(void);

/* --- trial.c --- */

struct verdict {
	bool is_skipped;	/* the processor might have touched what is ours, or its fault is in doubt */
	bool is_different;
	bool has_faulted;
	bool has_hung;
	bool is_early;		/* left before something that the processor may do */
	char what[160];
	u32 undefined;		/* flags that were not compared */
};

bool trial_run(const struct program *program, const struct state *start, struct verdict *ret);
/* As the processor leaves it, for a text case. */
extern struct state trial_native;
extern u32 trial_undefined;

/* --- shrink.c --- */

void shrink_and_print(const struct program *program, const struct state *start, const struct verdict *verdict);

/* --- report.c --- */

bool report_forms(const char *path);

#endif
