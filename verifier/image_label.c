// SPDX-License-Identifier: GPL-2.0
/*
 * image_label: what is known where ways meet?
 *
 * Promise: what is known at a label holds on every way that leads there.  Ways that lead forward are joined before the
 * label is read.  A way that leads back comes too late for that: it must bring what was taken to hold there.
 */
#include "image_env.h"

static struct im_label *label_at(const struct im *im, u32 off)
{
	return im->label_at[off] ? &im->labels[im->label_at[off] - 1] : NULL;
}

/* NULL when there are too many. */
static struct im_label *label_new(struct im *im, u32 off, enum im_label_kind kind)
{
	struct im_label *label;

	if (im->label_cnt >= IM_MAX_LABELS)
		im_refuse(im, "more places that are jumped to than may be");
	else if (im_grow(im, (void **)&im->labels, im->label_cnt, &im->label_cap, sizeof(*im->labels))) {
		label = &im->labels[im->label_cnt++];
		*label = (struct im_label){ .kind = kind, .off = off, .node = im->node_cnt++ };
		im->label_at[off] = im->label_cnt;
		return label;
	}
	return NULL;
}

static u32 first_of(u32 regs)
{
	return (u32)__builtin_ctz(regs);
}

/* The label's first state. */
static bool keep(struct im *im, struct im_label *label)
{
	u32 left;

	label->at = im->state.at;
	label->stored = im->state.at.known;
	label->value_idx = im->value_cnt;
	label->is_seen = true;
	for (left = label->stored; left; left &= left - 1) {
		if (im->value_cnt >= IM_MAX_VALUES)
			return im_refuse(im, "more known values than may be kept");
		if (!im_grow(im, (void **)&im->values, im->value_cnt, &im->value_cap, sizeof(*im->values)))
			return false;
		im->values[im->value_cnt++] = im->state.values[first_of(left)];
	}
	return true;
}

/* What holds at both.  Classes that differ are none. */
static void join_points(struct im_point *to, const struct im_point *from)
{
	u8 reg;

	if (memcmp(to->reg, from->reg, sizeof(to->reg)))
		for (reg = 0; reg < IM_NREG; reg++)
			to->reg[reg] = to->reg[reg] == from->reg[reg] ? to->reg[reg] : IM_NONE;
	to->locals &= from->locals;
	to->low_bytes &= from->low_bytes;
	to->known &= from->known;
	to->facts &= from->facts;
	if (to->nr != from->nr)
		to->nr = IM_NO_NR;
	if (to->nr_saved != from->nr_saved)
		to->nr_saved = IM_NO_NR;
	if (memcmp(&to->line, &from->line, sizeof(to->line)))
		to->line = (struct im_addr){ 0 };
}

/* Is what @value may be among what @promise may be? */
static bool is_within(const struct ub_reg *value, const struct ub_reg *promise, u64 limit)
{
	struct ub_reg joined = ub_reg_join(promise, value, limit);
	struct ub_walk walk;
	s64 lo, hi;

	if (ub_reg_equal(&joined, promise))
		return true;
	if (promise->kind != UB_REG_GUARDED || !ub_reg_walk(value, &walk))
		return false;
	/* Sound: less some constant of the promised walk it is 0..limit, by data flow: guard would not change that. */
	walk = ub_walk_settle(walk);
	lo = walk.hi - (s64)limit > promise->walk.lo ? walk.hi - (s64)limit : promise->walk.lo;
	hi = walk.lo < promise->walk.hi ? walk.lo : promise->walk.hi;
	return lo <= hi;
}

/* One more way comes.  A hint is held to.  Sound: when the way brings all that it says, to join it would change nothing. */
static bool join(struct im *im, struct im_label *label)
{
	struct im_point joined = label->at, *at = &im->state.at;
	bool is_hint = label->kind == IM_HINTED;
	u32 idx = label->value_idx, left, reg;

	join_points(&joined, at);
	if (is_hint && memcmp(&joined, &label->at, sizeof(joined)))
		return im_refuse(im, "brings less than is taken to hold at %u: facts %x, not %x; values %x, not %x", label->off,
				 at->facts, label->at.facts, at->known, label->at.known);
	for (left = label->stored; left; left &= left - 1, idx++) {
		reg = first_of(left);
		if (!(joined.known & 1u << reg) || ub_reg_equal(&im->values[idx], &im->state.values[reg]))
			continue;
		if (is_hint && !is_within(&im->state.values[reg], &im->values[idx], im->limit))
			return im_refuse(im, "brings another value in register %u than is taken to hold at %u", reg, label->off);
		if (is_hint)
			continue;
		im->values[idx] = ub_reg_join(&im->values[idx], &im->state.values[reg], im->limit);
		if (ub_reg_is_any(&im->values[idx]))
			joined.known &= ~(1u << reg);
	}
	label->at = joined;
	return true;
}

static bool join_edge(struct im *im, struct im_label *label)
{
	if (label->kind == IM_ENTRY)
		return im_refuse(im, "leads to the entry at %u", label->off);
	if (label->is_seen && label->at.mode != im->state.at.mode)
		return im_refuse(im, "at %u access, faults, vectors, stack or prologue are in two states", label->off);
	return (label->is_seen ? join(im, label) : keep(im, label)) && im_flow_to(im, label->node);
}

bool im_edge(struct im *im, s64 target)
{
	struct im_label *label;

	if (target < 0 || target >= im->len)
		return im_refuse(im, "leads out of the image");
	label = label_at(im, target);
	if (target < im->next && (!label || label->kind != IM_HINTED))
		return im_refuse(im, "leads back to %lld, for which there is no hint", (long long)target);
	if (!label)
		label = label_new(im, target, IM_JOINED);
	return label && join_edge(im, label);
}

/* What falls in, less what the hint takes away. */
static void weaken(struct im *im, const struct ub_image_hint *hint)
{
	struct im_point *at = &im->state.at;
	u8 reg;

	for (reg = 0; reg < IM_NREG; reg++)
		if (at->reg[reg] != IM_STACK && (hint->lost & 1u << reg || im_is_answer(at->reg[reg])))
			at->reg[reg] = IM_NONE;
	at->known &= ~(hint->lost | hint->forgotten);
	at->facts &= ~(IM_FLAGS | IM_CHUNK_FITS);
	at->line = (struct im_addr){ 0 };
	if ((hint->lost | hint->forgotten) & 1u << IM_RAX && !hint->keeps_number)
		at->nr = IM_NO_NR;
}

/* A walk is as walk.h says, and small enough that nothing overflows; known bits and others are apart. */
static bool is_well_formed(const struct ub_reg *value)
{
	const s64 far = 1ll << 58, fast = 1ll << 30;

	if (value->kind == UB_REG_SCALAR)
		return !(value->bits.value & value->bits.mask);
	return (value->kind == UB_REG_WALKING || value->kind == UB_REG_GUARDED) && value->walk.lo >= -far &&
	       value->walk.lo <= value->walk.hi && value->walk.hi <= far && value->walk.down >= -fast &&
	       value->walk.down <= 0 && value->walk.up >= 0 && value->walk.up <= fast;
}

/* A hint's own state. */
static bool hinted(struct im *im, const struct ub_image_hint *hint)
{
	struct im_point *at = &im->state.at;
	u32 i;

	*at = (struct im_point){
		.locals = hint->locals, .low_bytes = hint->locals | hint->low_bytes, .nr = IM_NO_NR, .nr_saved = IM_NO_NR,
		.facts = (hint->has_flags ? IM_ALL_SET | IM_ALL_GUEST : 0) | (hint->has_ticks ? IM_HAS_TICKS : 0),
		.mode = IM_FENCED | (hint->is_open ? IM_OPEN : 0) | (hint->is_vec_open ? IM_VEC_OPEN : 0),
	};
	for (i = 0; i < IM_NREG; i++)
		at->reg[i] = i == IM_RSP || i == IM_RBP ? IM_STACK : hint->reg[i] <= UB_HINT_TICKS ? hint->reg[i] : IM_NONE;
	for (i = 0; i < hint->fact_cnt; i++) {
		const struct ub_image_fact *fact = &im->image->facts[hint->fact_idx + i];

		if (fact->reg >= IM_NREG || at->reg[fact->reg] != IM_GUEST || !is_well_formed(&fact->value))
			return im_refuse(im, "a hint for %u says what cannot be", hint->off);
		at->known |= 1u << fact->reg;
		im->state.values[fact->reg] = fact->value;
	}
	return true;
}

static bool start_hint(struct im *im, const struct ub_image_hint *hint)
{
	struct im_label *label;

	if (hint->off >= im->len || im->label_at[hint->off] || hint->fact_idx > im->image->fact_cnt ||
	    hint->fact_cnt > im->image->fact_cnt - hint->fact_idx || hint->fact_cnt > IM_NREG)
		return im_refuse(im, "a hint is out of place");
	label = label_new(im, hint->off, hint->is_kept ? IM_KEPT : IM_HINTED);
	if (!label)
		return false;
	label->hint = hint;
	return hint->is_kept || (hinted(im, hint) && keep(im, label));
}

bool im_labels_start(struct im *im)
{
	u32 i, off;

	for (i = 0; i < im->image->entry_cnt; i++) {
		off = im->image->entries[i].off;
		if (off >= im->len || im->label_at[off])
			return im_refuse(im, "an entry is out of place");
		if (!label_new(im, off, IM_ENTRY))
			return false;
	}
	for (i = 0; i < im->image->hint_cnt; i++)
		if (!start_hint(im, &im->image->hints[i]))
			return false;
	return true;
}

/* A caller's registers are the kernel's, rdi points to the frame. */
static void enter(struct im *im)
{
	im->state.at = (struct im_point){
		.reg = { [IM_RDI] = IM_FRAME, [IM_RSP] = IM_STACK, [IM_RBP] = IM_STACK }, .nr = IM_NO_NR, .nr_saved = IM_NO_NR,
		.facts = IM_FRESH, .mode = im->env->vec_open ? 0 : IM_VEC_OPEN,
	};
}

static void take(struct im *im, const struct im_label *label)
{
	u32 idx = label->value_idx, left;

	im->state.at = label->at;
	for (left = label->stored; left; left &= left - 1)
		im->state.values[first_of(left)] = im->values[idx++];
}

bool im_arrive(struct im *im)
{
	struct im_label *label = label_at(im, im->pc);
	bool has_state = label && (label->kind == IM_ENTRY || label->is_seen);

	if (!label)
		return true;
	label->is_arrived = true;
	/* Where nobody jumped to yet what falls in is all. */
	if (!im->is_dead && !(has_state ? join_edge(im, label) : im_flow_to(im, label->node)))
		return false;
	if (label->kind == IM_ENTRY)
		enter(im);
	else if (has_state)
		take(im, label);
	im->state.unit.kind = IM_UNIT_NONE;
	im->is_dead &= !has_state;
	/* From here on a hint says for all who come later what holds. */
	if (label->kind == IM_KEPT && !im->is_dead) {
		weaken(im, label->hint);
		label->kind = IM_HINTED;
		if (!keep(im, label))
			return false;
	}
	im->node = label->node;
	im->node_len = 0;
	return true;
}

bool im_labels_end(struct im *im)
{
	u32 i;

	for (i = 0; i < im->label_cnt; i++) {
		im->pc = im->labels[i].off;
		if (!im->labels[i].is_arrived)
			return im_refuse(im, "a jump, an entry or a hint leads into the middle of an instruction");
	}
	return true;
}
