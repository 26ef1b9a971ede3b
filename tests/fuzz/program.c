// SPDX-License-Identifier: GPL-2.0
/*
 * program: one instruction or a short sequence, and what the lifter makes of it.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "fuzz.h"

u64 program_exit(const struct program *program, u32 k)
{
	return CODE_AT + program->len + k * EXIT_LEN;
}

/* --- layout --- */

static u64 jump_target(const struct program *program, const struct insn *insn)
{
	return insn->jump < (s32)program->cnt ? program->ips[insn->jump] : program_exit(program, insn->jump == MAX_INSNS);
}

static bool put_distance(const struct program *program, u32 i)
{
	const struct insn *insn = &program->insns[i];
	u8 *code = (u8 *)program->code + (program->ips[i] - CODE_AT);
	s64 next = program->ips[i] + insn->len, distance;

	if (insn->is_rip) {
		distance = insn->target - next;
		memcpy(code + insn->disp_at, &distance, 4);
	}
	if (insn->rel_at) {
		distance = jump_target(program, insn) - next;
		memcpy(code + insn->rel_at, &distance, insn->rel_len);
		return insn->rel_len > 1 || distance == (s8)distance;
	}
	return true;
}

/* The flags that may be undefined behind each instruction must not be read: iterated until nothing changes. */
static bool are_flags_defined(const struct program *program)
{
	u32 in[MAX_INSNS + 1] = { 0 }, i, out;
	bool has_changed = true;

	while (has_changed) {
		has_changed = false;
		for (i = 0; i < program->cnt; i++) {
			const struct insn *insn = &program->insns[i];

			if (in[i] & insn->tested)
				return false;
			out = (in[i] & ~insn->written) | insn->undefined;
			has_changed |= out & ~in[i + 1] || (insn->rel_at && insn->jump <= (s32)i && out & ~in[insn->jump]);
			in[i + 1] |= out;
			if (insn->rel_at && insn->jump < (s32)program->cnt)
				in[insn->jump] |= out;
		}
	}
	return true;
}

bool program_layout(struct program *program)
{
	u32 i;

	program->len = 0;
	program->has_vectors = program->has_branch = program->has_indirect = program->has_rep = program->has_fs = false;
	program->reads = program->vectors = 0;
	program->undefined = program->undefined_on_fault = 0;
	for (i = 0; i < program->cnt; i++) {
		const struct insn *insn = &program->insns[i];

		if (program->len + insn->len > sizeof(program->code))
			return false;
		program->ips[i] = CODE_AT + program->len;
		memcpy(program->code + program->len, insn->bytes, insn->len);
		program->len += insn->len;
		program->has_vectors |= insn->has_vectors;
		program->has_branch |= insn->rel_at || insn->is_indirect;
		program->has_indirect |= insn->is_indirect;
		program->has_rep |= insn->is_rep;
		program->has_fs |= insn->has_fs;
		program->reads |= insn->reads;
		program->vectors |= insn->vectors;
		program->undefined |= insn->undefined;
		program->undefined_on_fault |= insn->undefined_on_fault;
	}
	for (i = 0; i < program->cnt; i++)
		if (!put_distance(program, i))
			return false;
	return are_flags_defined(program);
}

/* rax, rcx, rdx and up to five others: rep may need two more. */
static u16 random_resident(void)
{
	u16 mask = 0x7;
	u32 i;

	for (i = 0; i < 5; i++)
		mask |= 1u << pick(UB_NGUEST);
	return mask;
}

/* How it is run.  Now and then a page is missing or may only be read. */
static void draw_world(struct program *program)
{
	static const u8 prots[][2] = {
		{ PROT_NONE, PROT_READ | PROT_WRITE }, { PROT_READ | PROT_WRITE, PROT_NONE },
		{ PROT_READ, PROT_READ | PROT_WRITE }, { PROT_READ | PROT_WRITE, PROT_READ }, { PROT_READ, PROT_READ },
	};
	u32 i = pick(40);

	program->prot[0] = program->prot[1] = PROT_READ | PROT_WRITE;
	if (i < ARRAY_SIZE(prots))
		memcpy(program->prot, prots[i], 2);
	program->is_behind_call = !pick(16);
	program->must_yield = !pick(24);
	program->resident = pick(4) ? 0 : random_resident();
}

void program_single(struct program *program, const struct insn *insn)
{
	memset(program, 0, sizeof(*program));
	program->loop_reg = -1;
	program->insns[0] = *insn;
	program->cnt = 1;
	draw_world(program);
}

/* --- sequences --- */

static const struct form *draw_form(void)
{
	bool wants_integers = pick(3) != 0;
	const struct form *form;
	u32 i;

	for (i = 0; i < 20; i++) {
		form = &forms[tried[pick(tried_cnt)]];
		if ((form->has_vectors && wants_integers) || form->is_indirect || form->differences || form->left_out)
			continue;
		if (!form->is_branch || !pick(2))
			return form;
	}
	return form->is_indirect ? NULL : form;
}

static bool append(struct program *program, const struct insn *insn)
{
	if (program->cnt == MAX_INSNS)
		return false;
	program->insns[program->cnt++] = *insn;
	return true;
}

static bool append_bytes(struct program *program, const u8 *bytes, u32 len)
{
	struct insn insn;

	return insn_decode(bytes, len, &insn, NULL) && append(program, &insn);
}

static u16 writes(const struct program *program)
{
	u16 mask = 0;
	u32 i;

	for (i = 0; i < program->cnt; i++)
		mask |= program->insns[i].writes;
	return mask;
}

/* A pointer that walks: add base, K */
static void append_step(struct program *program)
{
	const u8 add[] = { 0x48, 0x83, 0xc0 | UB_RBX, 8 * (1 + pick(4)) }, sub[] = { 0x48, 0x83, 0xe8 | UB_RSI, 8 };
	const u8 inc[] = { 0x48, 0xff, 0xc0 | UB_RDI }, lea[] = { 0x4d, 0x8d, 0x64, 0x24, 0x10 };

	switch (pick(4)) {
	case 0: append_bytes(program, add, sizeof(add)); break;
	case 1: append_bytes(program, sub, sizeof(sub)); break;
	case 2: append_bytes(program, inc, sizeof(inc)); break;
	default: append_bytes(program, lea, sizeof(lea)); break;	/* lea r12, [r12 + 16] */
	}
}

/* dec reg; jnz to an instruction before */
static void append_loop(struct program *program)
{
	static const u8 jnz[] = { 0x0f, 0x85, 0, 0, 0, 0 };
	u8 reg = pick(2) ? UB_R15 : UB_R11;
	const u8 dec[] = { 0x49, 0xff, 0xc8 | (reg & 7) };

	if (writes(program) & 1u << reg || program->cnt + 2 > MAX_INSNS)
		return;
	append_bytes(program, dec, sizeof(dec));
	append_bytes(program, jnz, sizeof(jnz));
	program->insns[program->cnt - 1].jump = pick(program->cnt - 1);
	program->loop_reg = reg;
}

static void draw_jumps(struct program *program)
{
	u32 i;

	for (i = 0; i < program->cnt; i++) {
		if (!program->insns[i].rel_at || program->insns[i].jump < MAX_INSNS)
			continue;
		if (pick(4))
			program->insns[i].jump = i + 1 + pick(program->cnt - i);
		else
			program->insns[i].jump = pick(program->cnt);
		if (program->insns[i].jump == (s32)program->cnt)
			program->insns[i].jump = MAX_INSNS + pick(2);
	}
}

void program_sequence(struct program *program)
{
	u32 want = 2 + pick(6), i;
	const struct form *form;
	struct insn insn;

	memset(program, 0, sizeof(*program));
	program->loop_reg = -1;
	for (i = 0; i < 4 * want && program->cnt < want; i++) {
		form = draw_form();
		if (form && build_insn(form, true, &insn))
			append(program, &insn);
	}
	if (!pick(3)) {
		if (pick(2))
			append_step(program);
		append_loop(program);
	}
	draw_jumps(program);
	draw_world(program);
}

/* --- lifting --- */

static u32 read_code(void *ctx, u64 ip, u8 *to, u32 len)
{
	const struct program *program = ctx;
	u32 at = ip - CODE_AT;

	if (ip < CODE_AT || at >= program->len)
		return 0;
	if (len > program->len - at)
		len = program->len - at;
	memcpy(to, program->code + at, len);
	return len;
}

static int lift(struct program *program)
{
	static const u64 entry = CODE_AT;
	const u64 goals[] = { program_exit(program, 0), program_exit(program, 1) };
	u64 branch = program->ips[program->cnt - 1];
	struct ub_lift_hint hints[] = { { branch, goals[0] }, { branch, goals[1] } };
	struct ub_lift_request request = {
		.read_code = read_code, .ctx = program, .roots = &entry, .root_cnt = 1, .entries = &entry, .entry_cnt = 1,
		.goals = goals, .goal_cnt = ARRAY_SIZE(goals), .hints = hints, .hint_cnt = program->has_indirect ? 2 : 0,
	};

	return ub_lift(&request, &program->lifted);
}

/* An instruction that the lifter gave up at. */
static bool has_end(struct program *program)
{
	u32 i;

	for (i = 0; i < program->lifted->end_cnt; i++) {
		const struct ub_lift_end *end = &program->lifted->ends[i];

		if (end->ip < CODE_AT + program->len && strncmp(end->reason, "no ", 3)) {
			snprintf(program->why, sizeof(program->why), "%s", end->reason);
			return true;
		}
	}
	return false;
}

/* Why is nothing of it lifted?  Behind a branch to a goal the reason is told. */
static void find_reason(struct program *program)
{
	static const u8 jz[] = { 0x0f, 0x84, 0, 0, 0, 0 };
	struct program probe = { 0 };

	append_bytes(&probe, jz, sizeof(jz));
	append(&probe, &program->insns[0]);
	snprintf(probe.why, sizeof(probe.why), "no block");
	if (program_layout(&probe) && !lift(&probe))
		has_end(&probe);
	memcpy(program->why, probe.why, sizeof(probe.why));
	ub_lifted_free(probe.lifted);
}

/* With the registers that the program says in machine registers, or if that may not be, with those of the lifter. */
static int verify(struct program *program)
{
	const struct ub_verify_env env = { .limit = LIMIT };
	struct ub_log log = { .buf = program->why, .size = sizeof(program->why) };
	u16 resident = program->lifted->block.resident;

	if (program->resident) {
		program->lifted->block.resident = program->resident;
		if (!ub_verify(&program->lifted->block, &env, &log, &program->verified))
			return 0;
		program->lifted->block.resident = resident;
		log = (struct ub_log){ .buf = program->why, .size = sizeof(program->why) };
	}
	return ub_verify(&program->lifted->block, &env, &log, &program->verified);
}

enum made program_make(struct program *program)
{
	int err = lift(program);

	if (err) {
		find_reason(program);
		return MADE_NOT_LIFTED;
	}
	if (program->cnt == 1 && has_end(program))
		return MADE_NOT_LIFTED;
	if (verify(program))
		return MADE_REFUSED;
	err = ub_harness_make(program->verified, program->is_behind_call, &program->image);
	if (err) {
		snprintf(program->why, sizeof(program->why), "%s", strerror(-err));
		return MADE_NOT_COMPILED;
	}
	return MADE;
}

void program_free(struct program *program)
{
	ub_image_free(program->image);
	ub_verified_free(program->verified);
	ub_lifted_free(program->lifted);
	program->image = NULL;
	program->verified = NULL;
	program->lifted = NULL;
}

void program_text(const struct program *program, char *buf, size_t size)
{
	struct insn insn;
	size_t len = 0;
	u32 i;

	buf[0] = 0;
	for (i = 0; i < program->cnt && len + 2 < size; i++) {
		insn = program->insns[i];
		memcpy(insn.bytes, program->code + (program->ips[i] - CODE_AT), insn.len);
		len += snprintf(buf + len, size - len, "%s", i ? "; " : "");
		insn_text(&insn, program->ips[i], buf + len, size - len);
		len += strlen(buf + len);
	}
}
