// SPDX-License-Identifier: GPL-2.0
/*
 * compare: does one instruction do what its block says?
 *
 * The block runs before the instruction does, in the interpreter on the tracee's memory (what it writes is kept here),
 * and as an image on a mirror: pages of our own at the same addresses, with the bytes that the interpreter used.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "lockstep.h"

#define MAX_STEPS	1000000
#define MAX_CELLS	4096
#define PAGE		4096ull
#define MAX_PAGES	4096
#define MXCSR_FLAGS	0x3fu	/* what has been raised */

/* Memory that the block has used: as it was, and as it is to be. */
static struct cell {
	u64 addr;
	u8 len;
	bool is_written;
	u64 before, after;
} cells[MAX_CELLS];

static u32 cell_cnt;
static bool has_missed, has_overflown;
static u64 denied;			/* page of an access that faulted on the processor, or 0 */
static const struct tracee *current;
static struct ub_interp expected;
static enum ub_left left;
static const char *jit_differs;
static u64 pages[MAX_PAGES];
static u32 page_cnt;
u64 compare_jit_runs;

/* --- memory --- */

static bool may_read(u64 addr, u32 len)
{
	if (denied && addr < denied + PAGE && addr + len > denied)
		return false;
	return true;
}

/* What was written before in this block counts. */
static bool read_memory(u64 addr, u32 len, u64 *ret)
{
	u8 *bytes = (u8 *)ret;
	u32 i, k;

	*ret = 0;
	if (!may_read(addr, len) || !tracee_read(current, addr, ret, len))
		return false;
	for (i = 0; i < cell_cnt; i++)
		for (k = 0; cells[i].is_written && k < len; k++)
			if (addr + k - cells[i].addr < cells[i].len)
				bytes[k] = cells[i].after >> 8 * (addr + k - cells[i].addr);
	return true;
}

static struct cell *new_cell(u64 addr, u32 len)
{
	if (cell_cnt == MAX_CELLS) {
		has_overflown = true;
		return NULL;
	}
	cells[cell_cnt] = (struct cell){ .addr = addr, .len = len };
	return &cells[cell_cnt++];
}

static bool load(void *ctx, u64 addr, u32 len, u64 *ret)
{
	struct cell *cell;

	(void)ctx;
	if (!read_memory(addr, len, ret)) {
		has_missed = true;
		return false;
	}
	cell = new_cell(addr, len);
	if (cell)
		cell->before = cell->after = *ret;
	return true;
}

static bool store(void *ctx, u64 addr, u32 len, u64 val)
{
	struct cell *cell;
	u64 old;

	(void)ctx;
	if (!read_memory(addr, len, &old)) {
		has_missed = true;
		return false;
	}
	cell = new_cell(addr, len);
	if (cell) {
		cell->before = old;
		cell->after = val;
		cell->is_written = true;
	}
	return true;
}

static struct ub_interp_world make_world(const struct guest *guest)
{
	return (struct ub_interp_world){ .load = load, .store = store, .limit = LIMIT, .fs_base = guest->fs_base,
					 .max_steps = MAX_STEPS };
}

/* --- the mirror --- */

static bool has_page(u64 page)
{
	u32 i;

	for (i = 0; i < page_cnt; i++)
		if (pages[i] == page)
			return true;
	if (page_cnt == MAX_PAGES || mmap((void *)page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
					  MAP_FIXED_NOREPLACE, -1, 0) != (void *)page)
		return false;
	pages[page_cnt++] = page;
	return true;
}

/* The first use of a byte says what was there: so in reverse. */
static bool put_mirror(void)
{
	u32 i;

	for (i = cell_cnt; i-- > 0;) {
		const struct cell *cell = &cells[i];

		if (!has_page(cell->addr & -PAGE) || !has_page((cell->addr + cell->len - 1) & -PAGE))
			return false;
		memcpy((void *)cell->addr, &cell->before, cell->len);
	}
	return true;
}

/* The last write of a byte counts. */
static bool is_mirrored(void)
{
	u64 val;
	u32 i;

	for (i = 0; i < cell_cnt; i++) {
		if (!cells[i].is_written)
			continue;
		if (!read_memory(cells[i].addr, cells[i].len, &val) ||
		    memcmp((void *)cells[i].addr, &val, cells[i].len))
			return false;
	}
	return true;
}

/* An instruction that raises an exception has said so in MXCSR before, and does so again when it is run again. */
static bool is_same_mxcsr(u32 mxcsr)
{
	return !((mxcsr ^ expected.mxcsr) & (left == UB_LEFT_EXIT ? ~0u : ~MXCSR_FLAGS));
}

static void give(struct ub_interp *state, const struct guest *before)
{
	memset(state, 0, sizeof(*state));
	memcpy(state->regs, before->regs, sizeof(before->regs));
	memcpy(state->v, before->v, sizeof(before->v));
	state->mxcsr = before->mxcsr;
	state->flags = before->flags;
	state->has_vectors = true;
}

static void run_jit(const struct entry *entry, const struct guest *before)
{
	struct ub_interp_world world = make_world(before);
	struct ub_interp state;
	struct ub_image_exit exit;

	jit_differs = NULL;
	if (has_missed || has_overflown || !put_mirror())
		return;
	give(&state, before);
	ub_harness_place(entry->image);
	ub_harness_enter(entry->image, &world, 0, &state, &exit);
	compare_jit_runs++;
	if (state.ip != expected.ip)
		jit_differs = "the image goes on elsewhere";
	else if (memcmp(state.regs, expected.regs, sizeof(before->regs)))
		jit_differs = "the image has other registers";
	else if ((state.flags ^ expected.flags) & UB_FL_ALL & ~expected.undefined)
		jit_differs = "the image has other flags";
	else if (memcmp(state.v, expected.v, sizeof(state.v)))
		jit_differs = "the image has other vectors";
	else if (!is_same_mxcsr(state.mxcsr))
		jit_differs = "the image has another MXCSR";
	else if (!is_mirrored())
		jit_differs = "the image has other memory";
}

static void on_fault(int sig, siginfo_t *info, void *ctx)
{
	greg_t *gregs = ((ucontext_t *)ctx)->uc_mcontext.gregs;
	u64 fixup = ub_harness_fixup(gregs[REG_RIP]);

	(void)info;
	if (fixup)
		gregs[REG_RIP] = fixup;
	else
		signal(sig, SIG_DFL);
}

bool compare_init(void)
{
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	return !sigaction(SIGSEGV, &act, NULL) && !sigaction(SIGBUS, &act, NULL) && !sigaction(SIGFPE, &act, NULL);
}

/* --- comparing --- */

void guest_take(struct guest *guest, const struct tracee *tracee)
{
	const struct user_regs_struct *r = &tracee->regs;
	const u64 regs[UB_NGUEST] = { r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
				      r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15 };

	memcpy(guest->regs, regs, sizeof(regs));
	guest->flags = r->eflags & UB_FL_ALL;
	guest->ip = r->rip;
	guest->fs_base = r->fs_base;
	tracee_vectors(tracee, guest->v, &guest->mxcsr);
}

static void run_interp(const struct entry *entry, const struct guest *before)
{
	struct ub_interp_world world = make_world(before);

	give(&expected, before);
	cell_cnt = 0;
	has_missed = has_overflown = false;
	left = ub_interp_run(&entry->lifted->block, &world, entry->lifted->block.entries[0].insn_idx, &expected);
}

const struct ub_interp *compare_expected(void)
{
	return &expected;
}

bool compare_predict(const struct tracee *tracee, struct entry *entry, const struct guest *before)
{
	current = tracee;
	denied = 0;
	run_interp(entry, before);
	if (left == UB_LEFT_STEPS || has_overflown)
		return false;
	run_jit(entry, before);
	return left == UB_LEFT_BUG || jit_differs || expected.ip != before->ip || entry->is_rep;
}

static const char *differs(const struct guest *after)
{
	u64 val;
	u32 i;

	if (left == UB_LEFT_BUG)
		return "the block broke a rule";
	if (expected.ip != after->ip)
		return "goes on elsewhere";
	if (memcmp(expected.regs, after->regs, sizeof(after->regs)))
		return "other registers";
	if ((expected.flags ^ after->flags) & ~expected.undefined)
		return "other flags";
	if (memcmp(expected.v, after->v, sizeof(after->v)))
		return "other vectors";
	if (!is_same_mxcsr(after->mxcsr))
		return "another MXCSR";
	for (i = cell_cnt; i-- > 0;) {
		u64 want;

		if (!cells[i].is_written)
			continue;
		if (!read_memory(cells[i].addr, cells[i].len, &want))
			return "memory is gone";
		val = 0;
		tracee_read(current, cells[i].addr, &val, cells[i].len);
		if (want != val)
			return "other memory";
	}
	return jit_differs;
}

const char *compare_check(const struct tracee *tracee, struct entry *entry, const struct guest *before)
{
	struct guest after;
	const char *what;

	guest_take(&after, tracee);
	what = differs(&after);
	if (what && tracee->signal && tracee->fault_addr && after.ip == before->ip) {
		/* The processor could not get at memory that we can read: again, without it. */
		denied = tracee->fault_addr & -PAGE;
		run_interp(entry, before);
		jit_differs = NULL;
		what = differs(&after);
	}
	return what;
}
