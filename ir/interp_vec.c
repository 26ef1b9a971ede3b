// SPDX-License-Identifier: GPL-2.0
/*
 * interp_vec: how the interpreter runs vector operations: operands in, vec_NAME(), results out.
 */
#include "run.h"
#include "vecrun.h"

static void (*const table[])(struct ub_vec_run *v) = {
#define VEC(mnemonic, name, code, form, mem, variants, feature, flags) vec_##name,
#include "vec.h"
};

/* These two know no operand: all registers at once, in no_operand(). */
void vec_zeroupper(struct ub_vec_run *v)
{
	(void)v;
}

void vec_zeroall(struct ub_vec_run *v)
{
	(void)v;
}

static void no_operand(struct run *r, const struct ub_insn *insn)
{
	u32 i, kept = ub_vec_variant(insn) == UB_VEC_128 ? 16 : 0;

	for (i = 0; i < UB_NVEC; i++)
		memset(&r->s->v[i][kept], 0, 32 - kept);
}

/* An access goes piece by piece. */
static u32 piece(u32 left)
{
	u32 len = 8;

	while (len > left)
		len /= 2;
	return len;
}

/* The address of the access; false, and the block left, if it is none or not aligned as it must be. */
static bool address(struct run *r, const struct ub_insn *insn, const struct ub_vec_run *v, u64 *ret)
{
	if (!run_address(r, insn, ub_insn_base_reg(insn), ret))
		return false;
	if (*ret & (ub_vec_alignment(v->info, v->variant) - 1))
		run_leave(r, UB_LEFT_FAULT);
	return !r->is_over;
}

static bool load(struct run *r, const struct ub_insn *insn, struct ub_vec_run *v)
{
	u32 i, step, len = ub_insn_mem_bytes(insn);
	u64 addr, val;

	if (!address(r, insn, v, &addr))
		return false;
	for (i = 0; i < len && !r->is_over; i += step) {
		step = piece(len - i);
		val = 0;
		if (!r->world->load(r->world->ctx, addr + i, step, &val))
			run_leave(r, UB_LEFT_FAULT);
		memcpy(&v->b.b[i], &val, step);
	}
	return !r->is_over;
}

/* All or nothing: what was stored before a piece faults is put back. */
static void store(struct run *r, const struct ub_insn *insn, const struct ub_vec_run *v)
{
	u32 i, step = 1, done, len = ub_insn_mem_bytes(insn);
	u64 addr, val, old[32] = { 0 };

	if (!address(r, insn, v, &addr))
		return;
	for (i = 0; i < len && !r->is_over; i += step) {
		step = piece(len - i);
		val = 0;
		memcpy(&val, &v->r.b[i], step);
		if (!r->world->load(r->world->ctx, addr + i, step, &old[i]) ||
		    !r->world->store(r->world->ctx, addr + i, step, val))
			run_leave(r, UB_LEFT_FAULT);
	}
	if (!r->is_over) {
		r->has_stored = true;
		return;
	}
	for (done = 0; done + step < i; done += piece(len - done))
		r->world->store(r->world->ctx, addr + done, piece(len - done), old[done]);
}

static void get_vec(struct run *r, u8 reg, union ub_vec *to)
{
	memcpy(to, r->s->v[reg], sizeof(*to));
}

/* The legacy variants keep what is above their result, VEX clears it. */
static void put_vec(struct run *r, u8 reg, const struct ub_vec_run *v)
{
	if (!r->has_mark)
		run_bug(r);
	memcpy(r->s->v[reg], &v->r, v->len);
	if (v->variant == UB_VEC_128)
		memset(&r->s->v[reg][16], 0, 16);
}

static void begin(struct run *r, const struct ub_insn *insn, struct ub_vec_run *v)
{
	const struct ub_vec_info *info = ub_vec_of(insn);
	u8 constant = ub_vec_constant(insn);

	memset(v, 0, sizeof(*v));
	v->info = info;
	v->variant = ub_vec_variant(insn);
	v->len = v->variant == UB_VEC_256 ? 32 : 16;
	v->imm = constant;
	v->is_mem = ub_insn_mem_bytes(insn) && insn->op == ub_vec_mem_op(info);
	v->mxcsr = r->s->mxcsr;
	get_vec(r, info->flags & UB_VEC_MASK_V0 ? 0 : constant >> 4, &v->c);
}

/* The sources dst (old) and a of an operation whose result is a vector. */
static void take_dst(struct run *r, const struct ub_insn *insn, struct ub_vec_run *v)
{
	get_vec(r, insn->dst, &v->r);
	get_vec(r, ub_vec_has_a(v->info, v->variant) ? ub_vec_a(insn) : insn->dst, &v->a);
}

/* Runs it; false, and the block left, when it raises an exception. */
static bool compute(struct run *r, const struct ub_insn *insn, struct ub_vec_run *v)
{
	if (r->is_over)
		return false;
	table[ub_vec_row(insn)](v);
	if (v->has_raised) {
		run_leave(r, UB_LEFT_FAULT);
		return false;
	}
	r->s->mxcsr = v->mxcsr;
	return true;
}

static void to_vector(struct run *r, const struct ub_insn *insn, struct ub_vec_run *v)
{
	if (compute(r, insn, v))
		put_vec(r, insn->dst, v);
}

void interp_VEC(struct run *r, const struct ub_insn *insn)
{
	bool is_legacy_shift = ub_vec_of(insn)->form == UB_VEC_VM && ub_vec_variant(insn) == UB_VEC_SSE;
	struct ub_vec_run v;

	if (ub_vec_of(insn)->form == UB_VEC_NONE) {
		no_operand(r, insn);
		return;
	}
	begin(r, insn, &v);
	take_dst(r, insn, &v);
	get_vec(r, is_legacy_shift ? insn->dst : insn->src, &v.b);
	to_vector(r, insn, &v);
}

void interp_VECX(struct run *r, const struct ub_insn *insn)
{
	interp_VEC(r, insn);
}

void interp_VECM(struct run *r, const struct ub_insn *insn)
{
	struct ub_vec_run v;

	begin(r, insn, &v);
	take_dst(r, insn, &v);
	if (load(r, insn, &v))
		to_vector(r, insn, &v);
}

void interp_VST(struct run *r, const struct ub_insn *insn)
{
	struct ub_vec_run v;

	begin(r, insn, &v);
	get_vec(r, insn->src, &v.b);
	if (compute(r, insn, &v))
		store(r, insn, &v);
}

static void to_general(struct run *r, const struct ub_insn *insn, struct ub_vec_run *v)
{
	if (compute(r, insn, v))
		run_set64(r, insn->dst, v->gpr);
}

void interp_VTOG(struct run *r, const struct ub_insn *insn)
{
	struct ub_vec_run v;

	begin(r, insn, &v);
	get_vec(r, insn->src, &v.b);
	to_general(r, insn, &v);
}

void interp_VTOGX(struct run *r, const struct ub_insn *insn)
{
	interp_VTOG(r, insn);
}

void interp_VTOGM(struct run *r, const struct ub_insn *insn)
{
	struct ub_vec_run v;

	begin(r, insn, &v);
	if (load(r, insn, &v))
		to_general(r, insn, &v);
}

void interp_VFROMG(struct run *r, const struct ub_insn *insn)
{
	struct ub_vec_run v;

	begin(r, insn, &v);
	take_dst(r, insn, &v);
	v.b.q[0] = run_get(r, insn->src);
	to_vector(r, insn, &v);
}

void interp_VFROMGX(struct run *r, const struct ub_insn *insn)
{
	interp_VFROMG(r, insn);
}

static void to_flags(struct run *r, const struct ub_insn *insn, struct ub_vec_run *v)
{
	get_vec(r, insn->dst, &v->a);
	if (compute(r, insn, v))
		run_set_flags(r, (struct ub_alu){ .flags = v->flags, .changed = UB_FL_ALL });
}

void interp_VFLAG(struct run *r, const struct ub_insn *insn)
{
	struct ub_vec_run v;

	begin(r, insn, &v);
	get_vec(r, insn->src, &v.b);
	to_flags(r, insn, &v);
}

void interp_VFLAGX(struct run *r, const struct ub_insn *insn)
{
	interp_VFLAG(r, insn);
}

void interp_VFLAGM(struct run *r, const struct ub_insn *insn)
{
	struct ub_vec_run v;

	begin(r, insn, &v);
	if (load(r, insn, &v))
		to_flags(r, insn, &v);
}

/* The forms with an index write rcx, those with a mask v0, as an instruction of their variant. */
static void string(struct run *r, const struct ub_insn *insn, struct ub_vec_run *v)
{
	bool is_mask = v->info->text[strlen(v->info->text) - 1] == 'm';

	get_vec(r, insn->dst, &v->a);
	v->rax = (s64)(s32)run_get(r, UB_RAX);
	v->rdx = (s64)(s32)run_get(r, UB_RDX);
	if (!compute(r, insn, v))
		return;
	if (is_mask)
		put_vec(r, 0, v);
	else
		run_set64(r, UB_RCX, v->rcx);
	run_set_flags(r, (struct ub_alu){ .flags = v->flags, .changed = UB_FL_ALL });
}

void interp_VSTR(struct run *r, const struct ub_insn *insn)
{
	struct ub_vec_run v;

	begin(r, insn, &v);
	get_vec(r, insn->src, &v.b);
	string(r, insn, &v);
}

void interp_VSTRM(struct run *r, const struct ub_insn *insn)
{
	struct ub_vec_run v;

	begin(r, insn, &v);
	if (load(r, insn, &v))
		string(r, insn, &v);
}
