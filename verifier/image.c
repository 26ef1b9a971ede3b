// SPDX-License-Identifier: GPL-2.0
/*
 * image: reads the machine code of an image again, from the first byte to the last.  See image_env.h and docs/IMAGE.md.
 */
#include "image_env.h"

bool im_refuse(struct im *im, const char *format, ...)
{
	va_list args;

	if (im->err)
		return false;
	im->err = -EACCES;
	im->log->off = im->pc;
	va_start(args, format);
	ub_vsnprintf(im->log->text, sizeof(im->log->text), format, args);
	va_end(args);
	return false;
}

bool im_grow(struct im *im, void **arr, u32 cnt, u32 *cap, size_t size)
{
	u32 new_cap = *cap ? *cap * 2 : 256 + im->len / 32;
	void *bigger;

	if (cnt < *cap)
		return true;
	bigger = ub_alloc(new_cap, size);
	if (!bigger) {
		im->err = -ENOMEM;
		return false;
	}
	if (cnt)
		memcpy(bigger, *arr, cnt * size);
	ub_free(*arr);
	*arr = bigger;
	*cap = new_cap;
	return true;
}

/* push rbp; mov rbp, rsp; push rbx, r12-r15; sub rsp, LOCALS_LEN */
static const u8 prologue[] = {
	0x55, 0x48, 0x8b, 0xec, 0x53, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x48, 0x81, 0xec, UB_LOCALS_LEN, 0, 0, 0,
};

/* and back */
static const u8 epilogue[] = {
	0x48, 0x81, 0xc4, UB_LOCALS_LEN, 0, 0, 0, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5b, 0x5d,
};

/* The second byte of either is seldom that of anything else. */
static bool stands_here(const struct im *im, const u8 *bytes, u32 len)
{
	const u8 *code = im->code + im->pc;

	return len <= im->len - im->pc && code[1] == bytes[1] && !memcmp(code, bytes, len);
}

static bool begins_endbr(const struct im *im, u32 off)
{
	u32 word;

	if (off > im->len - 4)
		return false;
	memcpy(&word, im->code + off, 4);
	return (word & 0xfeffffff) == 0xfa1e0ff3;
}

static bool is_entry(const struct im *im, u32 off)
{
	u32 label = im->label_at[off];

	return label && im->labels[label - 1].kind == IM_ENTRY;
}

/* has_endbr() found none but where it may be. */
static bool read_prologue(struct im *im)
{
	if (im->env->ibt) {
		if (!begins_endbr(im, im->pc))
			return im_refuse(im, "an entry without endbr64");
		im->pc += 4;
	}
	if (!stands_here(im, prologue, sizeof(prologue)))
		return im_refuse(im, "an entry without a prologue");
	im->next = im->pc + sizeof(prologue);
	return true;
}

/* The frame is taken down, and the caller gets in rax which exit it was. */
static bool leave(struct im *im)
{
	struct ub_reg exit = im_value(im, IM_RAX);
	const u8 *last = im->code + im->pc + sizeof(epilogue);
	u32 room = im->len - im->pc - sizeof(epilogue);
	s32 rel;

	if (im_mode(im) != IM_FENCED)
		return im_refuse(im, "left with something open or pushed");
	if (im->state.at.reg[IM_RAX] != IM_GUEST || exit.kind != UB_REG_SCALAR || ub_reg_max(&exit) >= im->image->exit_cnt)
		return im_refuse(im, "left without the number of an exit");
	im->next = im->pc + sizeof(epilogue) + (im->env->return_thunk ? 5 : 1);
	if (room < (im->env->return_thunk ? 5u : 1u))
		return im_refuse(im, "an epilogue without a return");
	if (!im->env->return_thunk)
		return *last == 0xc3 ? true : im_refuse(im, "an epilogue without a return");
	memcpy(&rel, last + 1, sizeof(rel));
	if (*last != 0xe9 || im->address + im->next + rel != im->env->return_thunk)
		return im_refuse(im, "an epilogue that does not jump to the return thunk");
	return true;
}

/* The table is sorted, and names starts of instructions alone. */
static bool find_fault(struct im *im)
{
	const struct ub_image *image = im->image;

	im->is_fault_due = false;
	im->has_fault = im->fault_idx < image->fault_cnt && image->faults[im->fault_idx].insn_off == im->pc;
	if (im->fault_idx < image->fault_cnt && image->faults[im->fault_idx].insn_off < im->next && !im->has_fault)
		return im_refuse(im, "a fault-table entry for no instruction");
	return true;
}

static bool read_insn(struct im *im)
{
	if (!im_decode(im->code + im->pc, im->len - im->pc, &im->insn))
		return im_refuse(im, "an instruction that is not listed (%02x)", im->code[im->pc]);
	im->next = im->pc + im->insn.len;
	im->node_len++;
	if (!find_fault(im))
		return false;
	/* What nothing leads to is read, and never run. */
	if (!im->is_dead && !im_step(im))
		return false;
	im->fault_idx += im->has_fault;
	return true;
}

static bool read_one(struct im *im)
{
	im->next = im->pc;
	if (!im_arrive(im))
		return false;
	if (is_entry(im, im->pc))
		return read_prologue(im);
	if (!im->is_dead && stands_here(im, epilogue, sizeof(epilogue))) {
		im->is_dead = true;
		return leave(im) && im_flow_to(im, 0);
	}
	return read_insn(im);
}

/* endbr64 or endbr32 inside would be a place to jump to. */
static bool has_endbr(const struct im *im)
{
	u32 i;

	for (i = 0; i + 4 <= im->len; i++)
		if (im->code[i] == 0xf3 && begins_endbr(im, i) &&
		    !(im->env->ibt && is_entry(im, i) && im->code[i + 3] == 0xfa))
			return true;
	return false;
}

static bool check_exits(struct im *im)
{
	u32 i;

	for (i = 0; i < im->image->exit_cnt; i++)
		if (im->image->exits[i].ip > im->limit)
			return im_refuse(im, "exit %u leads above LIMIT", i);
	return true;
}

static bool check(struct im *im)
{
	if (!im->len || im->len > UB_MAX_IMAGE || !im->image->entry_cnt)
		return im_refuse(im, "an image that is empty, too long or without entries");
	if (!check_exits(im) || !im_labels_start(im))
		return false;
	if (has_endbr(im))
		return im_refuse(im, "endbr inside an image");
	for (im->pc = 0; im->pc < im->len; im->pc = im->next)
		if (!read_one(im))
			return false;
	if (!im->is_dead)
		return im_refuse(im, "it runs past its end");
	if (im->fault_idx < im->image->fault_cnt)
		return im_refuse(im, "a fault-table entry behind the code");
	return im_labels_end(im) && im_time_check(im);
}

int ub_image_check(const struct ub_image *image, const u8 *code, u64 address, const struct ub_jit_env *env, u64 limit,
		   struct ub_image_log *log)
{
	struct im *im = ub_alloc(1, sizeof(*im));
	int err;

	*log = (struct ub_image_log){ 0 };
	if (!im)
		return -ENOMEM;
	im->image = image;
	im->code = code;
	im->address = address;
	im->len = image->code_len;
	im->env = env;
	im->limit = limit;
	im->log = log;
	im->is_dead = true;
	im->node_cnt = 1;	/* of image_time.c's END */
	im->label_at = ub_alloc((size_t)image->code_len + 1, sizeof(*im->label_at));
	if (!im->label_at)
		im->err = -ENOMEM;
	else if (!check(im) && ub_bug_if(!im->err, "an image refused without a reason"))
		im->err = -EACCES;
	err = im->err;
	ub_free(im->label_at);
	ub_free(im->labels);
	ub_free(im->values);
	ub_free(im->flows);
	ub_free(im);
	return err;
}
