// SPDX-License-Identifier: GPL-2.0
/*
 * image_label: what is known where ways meet?
 *
 * Promise: what is known at a label holds on every way that leads there.  Ways that lead forward are joined before the
 * label is read.  A way that leads back comes too late for that: it must bring what was taken to hold there.
 */
#include "image_env.h"

#define IM_NO_LABEL	UB_U32_MAX

static u32 label_at(const struct im *im, u32 off)
{
	return im->label_at[off] ? im->label_at[off] - 1 : IM_NO_LABEL;
}

static bool label_new(struct im *im, u32 off, enum im_label_kind kind, u32 *ret)
{
	if (im->label_cnt >= IM_MAX_LABELS)
		return im_refuse(im, "more places that are jumped to than may be");
	if (!im_grow(im, (void **)&im->labels, im->label_cnt, &im->label_cap, sizeof(*im->labels)))
		return false;
	im->labels[im->label_cnt] = (struct im_label){ .kind = kind, .off = off, .node = im->node_cnt++ };
	*ret = im->label_cnt++;
	im->label_at[off] = im->label_cnt;
	return true;
}

static bool keep_value(struct im *im, const struct ub_reg *value)
{
	if (im->value_cnt >= IM_MAX_VALUES)
		return im_refuse(im, "more known values than may be kept");
	if (!im_grow(im, (void **)&im->values, im->value_cnt, &im->value_cap, sizeof(*im->values)))
		return false;
	im->values[im->value_cnt] = *value;
	im->values[im->value_cnt++].by = 0;
	return true;
}

static u32 first_of(u32 regs)
{
	return (u32)__builtin_ctz(regs);
}

/* The label's first state. */
static bool keep(struct im *im, u32 label)
{
	u32 left;

	im->labels[label].at = im->state.at;
	im->labels[label].stored = im->state.at.known;
	im->labels[label].value_idx = im->value_cnt;
	im->labels[label].is_seen = true;
	for (left = im->state.at.known; left; left &= left - 1)
		if (!keep_value(im, &im->state.values[first_of(left)]))
			return false;
	return true;
}

static bool is_same_addr(const struct im_addr *a, const struct im_addr *b)
{
	return a->base == b->base && a->index == b->index && a->scale == b->scale && a->disp == b->disp;
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
	if (to->line_len != from->line_len || !is_same_addr(&to->line, &from->line))
		to->line_len = 0;
}

static void join(struct im *im, u32 no)
{
	struct im_label *label = &im->labels[no];
	u32 idx = label->value_idx, left, reg;

	join_points(&label->at, &im->state.at);
	for (left = label->stored; left; left &= left - 1, idx++) {
		reg = first_of(left);
		if (!(label->at.known & 1u << reg) || ub_reg_equal(&im->values[idx], &im->state.values[reg]))
			continue;
		im->values[idx] = ub_reg_join(&im->values[idx], &im->state.values[reg], im->limit);
		if (ub_reg_is_any(&im->values[idx]))
			label->at.known &= ~(1u << reg);
	}
}

/* Is what @value may be among what @promise may be? */
static bool is_within(const struct ub_reg *value, const struct ub_reg *promise, u64 limit)
{
	struct ub_reg joined;
	struct ub_walk walk;
	s64 lo, hi;

	if (ub_reg_equal(value, promise))
		return true;
	joined = ub_reg_join(promise, value, limit);
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

/* Does the state bring all that the label promises?  Sound: then to join it would change nothing. */
static bool holds(struct im *im, u32 no)
{
	const struct im_label *label = &im->labels[no];
	struct im_point joined = label->at;
	u32 idx = label->value_idx, left, reg;

	join_points(&joined, &im->state.at);
	for (reg = 0; memcmp(joined.reg, label->at.reg, sizeof(joined.reg)) && reg < IM_NREG; reg++)
		if (joined.reg[reg] != label->at.reg[reg])
			return im_refuse(im, "brings register %u of class %u, not %u", reg, im->state.at.reg[reg],
					 label->at.reg[reg]);
	if (joined.locals != label->at.locals || joined.low_bytes != label->at.low_bytes || joined.known != label->at.known ||
	    joined.facts != label->at.facts || joined.nr != label->at.nr || joined.nr_saved != label->at.nr_saved ||
	    joined.line_len != label->at.line_len)
		return im_refuse(im, "brings less than is taken to hold: locals %x of %x, values %x of %x, facts %x of %x",
				 joined.locals & joined.low_bytes, label->at.locals & label->at.low_bytes, joined.known,
				 label->at.known, joined.facts, label->at.facts);
	for (left = label->stored; left; left &= left - 1, idx++) {
		reg = first_of(left);
		if (label->at.known & 1u << reg && !is_within(&im->state.values[reg], &im->values[idx], im->limit))
			return im_refuse(im, "brings another value in register %u than is taken to hold", reg);
	}
	return true;
}

static bool join_edge(struct im *im, u32 no, u32 target)
{
	struct im_label *label = &im->labels[no];

	if (label->kind == IM_ENTRY)
		return im_refuse(im, "leads to the entry at %u", target);
	if (!label->is_seen)
		return keep(im, no) && im_flow_to(im, label->node);
	if (label->at.mode != im->state.at.mode)
		return im_refuse(im, "at %u access, faults, vectors, stack or prologue are in two states", target);
	if (label->kind != IM_HINTED)
		join(im, no);
	else if (!holds(im, no))
		return false;
	return im_flow_to(im, label->node);
}

bool im_edge(struct im *im, s64 target)
{
	u32 no;

	if (target < 0 || target >= im->len)
		return im_refuse(im, "leads out of the image");
	no = label_at(im, target);
	if (no == IM_NO_LABEL && target < im->next)
		return im_refuse(im, "leads back to %lld, for which there is no hint", (long long)target);
	if (no == IM_NO_LABEL && !label_new(im, target, IM_JOINED, &no))
		return false;
	if (im->labels[no].kind != IM_HINTED && target < im->next)
		return im_refuse(im, "leads back to %lld, for which there is no hint", (long long)target);
	return join_edge(im, no, target);
}

static void take(struct im *im, const struct im_label *label)
{
	u32 idx = label->value_idx, left;

	im->state.at = label->at;
	im->state.unit.kind = IM_UNIT_NONE;
	for (left = label->stored; left; left &= left - 1)
		im->state.values[first_of(left)] = im->values[idx++];
	im->is_dead = false;
}

/* What falls in, less what the hint takes away. */
static void weaken(struct im *im, const struct ub_image_hint *hint)
{
	struct im_point *at = &im->state.at;
	u8 reg;

	for (reg = 0; reg < IM_NREG; reg++)
		if (hint->lost & 1u << reg || at->reg[reg] == IM_PRE_SAID || at->reg[reg] == IM_POST_SAID)
			at->reg[reg] = reg == IM_RSP || reg == IM_RBP ? IM_STACK : IM_NONE;
	at->known &= ~(hint->lost | hint->forgotten);
	at->facts &= ~(IM_FLAGS | IM_CHUNK_FITS);
	at->line_len = 0;
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
		.facts = (hint->has_flags ? IM_ALL_SET | IM_CF_GUEST | IM_OTHERS_GUEST : 0) | (hint->has_ticks ? IM_HAS_TICKS : 0),
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
	u32 no;

	if (hint->off >= im->len || im->label_at[hint->off] || hint->fact_idx > im->image->fact_cnt ||
	    hint->fact_cnt > im->image->fact_cnt - hint->fact_idx || hint->fact_cnt > IM_NREG)
		return im_refuse(im, "a hint is out of place");
	if (!label_new(im, hint->off, hint->is_kept ? IM_KEPT : IM_HINTED, &no))
		return false;
	im->labels[no].hint = hint;
	return hint->is_kept || (hinted(im, hint) && keep(im, no));
}

bool im_labels_start(struct im *im)
{
	u32 i, no;

	for (i = 0; i < im->image->entry_cnt; i++) {
		if (im->image->entries[i].off >= im->len || im->label_at[im->image->entries[i].off])
			return im_refuse(im, "an entry is out of place");
		if (!label_new(im, im->image->entries[i].off, IM_ENTRY, &no))
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
	im->state.unit.kind = IM_UNIT_NONE;
	im->is_dead = false;
}

/* What comes here is kept in the state of all who come later, too. */
static bool become_hinted(struct im *im, u32 no)
{
	struct im_label *label = &im->labels[no];

	weaken(im, label->hint);
	label->kind = IM_HINTED;
	return keep(im, no);
}

bool im_arrive(struct im *im)
{
	u32 no = label_at(im, im->pc);
	struct im_label *label;

	if (no == IM_NO_LABEL)
		return true;
	label = &im->labels[no];
	label->is_arrived = true;
	if (label->kind == IM_ENTRY || label->is_seen) {
		if (!im->is_dead && !join_edge(im, no, im->pc))
			return false;
		if (label->kind == IM_ENTRY)
			enter(im);
		else
			take(im, label);
	} else if (!im->is_dead) {
		im->state.unit.kind = IM_UNIT_NONE;
		if (!im_flow_to(im, label->node))
			return false;
	}
	if (label->kind == IM_KEPT && !im->is_dead && !become_hinted(im, no))
		return false;
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
