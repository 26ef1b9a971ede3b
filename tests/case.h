/* SPDX-License-Identifier: GPL-2.0 */
/* case: what the parts of the test runner share.  docs/TESTING.md has the form of a case. */
#ifndef UB_TEST_CASE_H
#define UB_TEST_CASE_H

#include "../ir/interp.h"
#include "../ir/parse.h"
#include "../lifter/lift.h"
#include "../verifier/verify.h"

/* Where the guest of a case lives, in the runner's own address space.  Around the buffer nothing is mapped. */
#define CODE_IP		0x10000000ull
#define CODE_LEN	4096u
#define BUF_IP		0x20000000ull
#define BUF_LEN		8192u
#define PAGE		4096u
#define STACK_IP	(BUF_IP + 0x1800)	/* rsp, unless the case says otherwise */
#define FS_IP		(BUF_IP + 0x400)	/* base of fs */
#define LIMIT		0x7ffffffff000ull

/* All that a program can see of itself. */
struct guest {
	u64 regs[UB_NGUEST];
	u32 flags;
	u32 undefined;		/* flags not to compare */
	u64 ip;
	u8 v[UB_NVEC][32];
	u32 mxcsr;
	u8 buf[BUF_LEN];
	u8 prot[BUF_LEN / PAGE];	/* PROT_* of its pages */
};

/* One "name=value" of a run line. */
enum word_kind { WORD_REG, WORD_VECTOR, WORD_MXCSR, WORD_FLAG, WORD_MEM, WORD_IP, WORD_LEFT, WORD_YIELD, WORD_SYSCALL, WORD_PAGE };
struct word {
	enum word_kind kind;
	char name[32];
	u8 reg;
	u8 shift;		/* 8 for ah and its like */
	u32 which;		/* flag; offset in the buffer; system call; protection of the page */
	u32 len;		/* bytes */
	u64 val;
	u8 vec[32];		/* VECTOR: len of them */
};

/* values.c */
bool word_parse(const char *text, struct word *ret);
void word_set(const struct word *word, struct guest *guest);
/* Gives @word the value that the guest has. */
void word_get(struct word *word, const struct guest *guest, enum ub_left left);
bool word_is_same(const struct word *a, const struct word *b);
void word_print(const struct word *word, char *buf, size_t size);
bool value_parse(const char *text, u64 *ret);
const char *reg_x86_name(u8 reg);
const char *left_name(enum ub_left left);

/* world.c: what one run line says, and the three ways to run it. */
#define MAX_WORDS	64
struct words {
	struct word in[MAX_WORDS], out[MAX_WORDS];
	u32 in_cnt, out_cnt;
	u64 yield;		/* the question that is answered with yes, 0: none */
};

bool world_map(void);
/* The buffer while nothing runs, for struct ub_lift_request. */
bool world_read(void *ctx, u64 addr, u32 len, u64 *ret);
/* Registers and memory that are all different, so that a mix-up shows, and then what @words say. */
void guest_fresh(struct guest *guest, const struct words *words);
enum ub_left guest_run_interp(const struct ub_block *block, const struct words *words, struct guest *guest);
int guest_run_jit(const struct ub_verified *verified, const struct words *words, struct guest *guest);
/* On the bare processor, stopped at @stop_ip. */
bool guest_run_cpu(const u8 *code, u32 len, struct guest *guest, u64 stop_ip);

/* cpu.c: runs the code at CODE_IP on the bare processor until a trap; guest->buf is not used, the memory is. */
bool cpu_run(struct guest *guest);
/* Has it vector registers of 256 bits? */
bool cpu_has_vectors(void);

/* x86.c */
struct x86_line {
	u8 bytes[15];
	u32 len;
	char text[96];		/* as Zydis says it */
	bool is_syscall;
	bool has_gs;		/* memory through it */
};
/* Reads "48 01 f8 | add rax, rdi"; NULL, or what is wrong.  *ret_agrees: the text says what the bytes say. */
const char *x86_parse(const char *line, u64 ip, struct x86_line *ret, bool *ret_agrees);
/* One instruction of @code at @ip: its length, 0 at the end; never fails, odd bytes are shown as such. */
u32 x86_text(const u8 *code, u32 len, u64 ip, char *buf, size_t size);

/* file.c: a case as it stands in its file. */
enum stage { STAGE_IR, STAGE_VERIFY, STAGE_LIFT, STAGE_RUN, STAGE_INTERP, STAGE_JIT, STAGE_COUNT };
struct section {
	u32 from, to;		/* line indexes, @to not included; equal: no such section */
};
struct file {
	const char *path;
	char **lines;		/* without newlines; one may become several or NULL when blessed */
	u32 line_cnt;
	u32 stages;		/* bit STAGE_* */
	struct section x86, ir, jit;
	struct ub_lift_hint hints[16];
	u32 hint_cnt;
	u64 entries[4];		/* beside the first instruction */
	u32 entry_cnt;
	u64 goals[4];
	u32 goal_cnt;
	u64 wild[4];
	u32 wild_cnt;
	u64 left[4];
	u32 left_cnt;
	u64 budget;
	const char *missing;	/* an instruction set that the case needs and this processor has not; or NULL */
	u32 needs_line;
	bool is_blessing, is_changed;
	u32 passed, failed;
};

bool file_read(struct file *file, const char *path);
bool file_write(const struct file *file);
void file_free(struct file *file);
/* Says what is wrong at line index @line; the case goes on. */
__attribute__((format(printf, 3, 4))) void file_fail(struct file *file, u32 line, const char *format, ...);
void file_set_line(struct file *file, u32 line, const char *text);
/* The text of a section, with its line breaks; NULL when there is none. */
char *file_section(const struct file *file, const struct section *section);
/* Compares the lines of a section with @text: "..." stands for any number of lines, blanks and comments do not count.
 * Fails, or when blessing puts @text in its place. */
void file_expect_section(struct file *file, const struct section *section, const char *text);
bool has_prefix(const char *line, const char *prefix);

#endif
