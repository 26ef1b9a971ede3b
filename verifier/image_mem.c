// SPDX-License-Identifier: GPL-2.0
/*
 * image_mem: may this memory operand be used?
 *
 * Promise: an operand that passes is a local of the guest's, a general register in pt_regs, or starts at an address from
 * 0 to MASK + UB_WINDOW, which is far below the kernel's half, whatever the guest's registers and memory hold and
 * whatever was predicted: its base and index are what data flow made of them.
 */
#include "image_env.h"
#include "image_window.h"

#define FIRST_LOCAL	(-48)
#define LAST_LOCAL	(-208)
#define LINE		64u

/* Where general registers lie in struct pt_regs: from r15 up to rdi, and rsp (arch/x86/include/asm/ptrace.h). */
enum { PT_GENERAL_END = 120, PT_SP = 152 };

static u32 local_of(const struct im_insn *insn, u32 bytes)
{
	s32 start = insn->disp & ~7;

	if (!insn->is_mem || insn->rm != IM_RBP || insn->index != UB_NOREG || start > FIRST_LOCAL || start < LAST_LOCAL ||
	    insn->disp - start + bytes > 8)
		return IM_NO_LOCAL;
	return (FIRST_LOCAL - start) / 8;
}

u32 im_local(const struct im_insn *insn)
{
	return local_of(insn, 8);
}

#define LOCAL_NO(off)	((FIRST_LOCAL - (off)) / 8)

enum im_class im_local_class(u32 local)
{
	static const u8 classes[] = {
		[LOCAL_NO(UB_LOCAL_FRAME)] = IM_FRAME, [LOCAL_NO(UB_LOCAL_TASK)] = IM_TASK, [LOCAL_NO(UB_LOCAL_LIMIT)] = IM_LIMIT,
		[LOCAL_NO(UB_LOCAL_REGS)] = IM_REGS, [LOCAL_NO(UB_LOCAL_TICKS)] = IM_TICKS,
		[LOCAL_NO(UB_LOCAL_LIMIT_LOW)] = IM_LIMIT_LOW, [LOCAL_NO(UB_LOCAL_MASK)] = IM_MASK,
	};

	return local < ARRAY_SIZE(classes) && classes[local] ? classes[local] : IM_GUEST;
}

/* LIMIT and what comes of it may be looked at like any number. */
static bool access_local(struct im *im, bool is_read, bool is_written)
{
	struct im_point *at = &im->state.at;
	u32 bytes = im->insn.bytes, local = local_of(&im->insn, bytes), bit;
	bool is_low_byte = bytes == 1 && !(im->insn.disp & 7);
	enum im_class class;

	if (local == IM_NO_LOCAL)
		return im_refuse(im, "%u bytes at rbp%+d are no local", bytes, im->insn.disp);
	class = im_local_class(local);
	bit = 1u << local;
	if (is_read && ((class != IM_GUEST && class < IM_LIMIT) || !((is_low_byte ? at->low_bytes : at->locals) & bit)))
		return im_refuse(im, "the local at rbp%+d is the kernel's, or not written", im->insn.disp);
	if (!is_written)
		return true;
	if (class != IM_GUEST)
		return im_refuse(im, "the local at rbp%+d is not the guest's to write", im->insn.disp);
	at->locals |= bytes == 8 ? bit : 0;
	at->low_bytes |= bytes == 8 || is_low_byte ? bit : 0;
	return true;
}

static bool access_regs(struct im *im, bool is_written)
{
	s64 off = im->insn.disp, end = off + im->insn.bytes;

	if (im->insn.index != UB_NOREG || off < 0 || !(end <= PT_GENERAL_END || (off >= PT_SP && end <= PT_SP + 8)))
		return im_refuse(im, "%u bytes at %lld in pt_regs are no general register", im->insn.bytes, (long long)off);
	if (is_written && off < IM_PT_AX + 8 && end > IM_PT_AX)
		im->state.at.nr_saved = IM_NO_NR;
	return true;
}

static bool is_in_window(const struct im *im)
{
	const struct im_insn *insn = &im->insn;
	struct ub_reg base = insn->rm == UB_NOREG ? ub_reg_const(0) : im_value(im, insn->rm), index;

	if (insn->index == UB_NOREG)
		return im_in_window(&base, NULL, 0, insn->disp, insn->bytes, im->limit);
	index = im_value(im, insn->index);
	/* Sound: a sum is the same in any order, so without a factor either may be the pointer. */
	return im_in_window(&base, &index, insn->scale, insn->disp, insn->bytes, im->limit) ||
	       (!insn->scale && im_in_window(&index, &base, 0, insn->disp, insn->bytes, im->limit));
}

/* What crosses a line must not be locked: in kernel mode that can be fatal. */
static bool is_in_line(const struct im *im)
{
	const struct im_addr *line = &im->state.at.line;
	const struct im_insn *insn = &im->insn;
	struct ub_reg base;

	if (insn->bytes == 1)
		return true;
	if (line->len >= insn->bytes && line->base == insn->rm && line->index == insn->index &&
	    line->scale == insn->scale && line->disp == insn->disp)
		return true;
	if (insn->rm == UB_NOREG || insn->index != UB_NOREG)
		return false;
	base = im_value(im, insn->rm);
	return ub_reg_is_const(&base) && ((base.range.lo + (u64)(s64)insn->disp) & (LINE - 1)) + insn->bytes <= LINE;
}

bool im_is_user_time(struct im *im)
{
	u8 mode = im->state.at.mode & (IM_MAY_SLEEP | IM_FENCED | IM_OPEN);

	if ((im->env->smap ? mode : mode | IM_OPEN) != (IM_FENCED | IM_OPEN))
		return im_refuse(im, "user memory where access is closed, page faults are on or the prologue is not over");
	im->is_fault_due = true;
	return true;
}

static bool access_user(struct im *im)
{
	if (!im_is_user_time(im) || !im_reads_address(im))
		return false;
	if (!is_in_window(im))
		return im_refuse(im, "%u bytes of user memory at an address that is not guarded", im->insn.bytes);
	if (im->insn.is_locked && !is_in_line(im))
		return im_refuse(im, "%u locked bytes that may cross a line", im->insn.bytes);
	return true;
}

bool im_access(struct im *im, bool is_read, bool is_written)
{
	u8 base = im->insn.rm;
	enum im_class class = base == UB_NOREG ? IM_GUEST : im->state.at.reg[base];

	if (class == IM_GUEST)
		return access_user(im);
	if (im->insn.is_locked || im->insn.bytes > 8)
		return im_refuse(im, "a lock, a pair or a vector on what is no user memory");
	if (base == IM_RBP)
		return access_local(im, is_read, is_written);
	if (class == IM_REGS)
		return access_regs(im, is_written);
	return im_refuse(im, "memory at register %u, which holds nothing of the guest's", base);
}

/* Sound: addresses rise from here, and the page at LIMIT is never mapped, nor is what lies above it up to the kernel's
 * half. */
bool im_is_string_start(struct im *im, u8 reg)
{
	struct ub_reg value = im_value(im, reg);

	return im_reads(im, reg) && ((value.kind == UB_REG_GUARDED && im_in_window(&value, NULL, 0, 0, 8, im->limit)) ||
				     im_refuse(im, "a string operation from an address that is not guarded"));
}
