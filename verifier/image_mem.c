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
enum { PT_GENERAL_END = 120, PT_AX = 80, PT_SP = 152 };

static u32 local_of(s32 disp, u32 bytes)
{
	s32 start = disp & ~7;

	if (start > FIRST_LOCAL || start < LAST_LOCAL || disp - start + bytes > 8)
		return IM_NO_LOCAL;
	return (FIRST_LOCAL - start) / 8;
}

u32 im_local(const struct im_insn *insn)
{
	if (!insn->is_mem || insn->rm != IM_RBP || insn->index != UB_NOREG || insn->disp & 7)
		return IM_NO_LOCAL;
	return local_of(insn->disp, 8);
}

#define LOCAL_NO(off)	((FIRST_LOCAL - (off)) / 8)

enum im_class im_local_class(u32 local)
{
	switch (local) {
	case LOCAL_NO(UB_LOCAL_FRAME):
		return IM_FRAME;
	case LOCAL_NO(UB_LOCAL_TASK):
		return IM_TASK;
	case LOCAL_NO(UB_LOCAL_LIMIT):
		return IM_LIMIT;
	case LOCAL_NO(UB_LOCAL_REGS):
		return IM_REGS;
	case LOCAL_NO(UB_LOCAL_TICKS):
		return IM_TICKS;
	case LOCAL_NO(UB_LOCAL_LIMIT_LOW):
		return IM_LIMIT_LOW;
	case LOCAL_NO(UB_LOCAL_MASK):
		return IM_MASK;
	default:
		return IM_GUEST;
	}
}

/* LIMIT and what comes of it may be looked at like any number. */
static bool is_readable(enum im_class class)
{
	return class == IM_GUEST || class >= IM_LIMIT;
}

static bool access_local(struct im *im, u32 bytes, u32 access)
{
	struct im_point *at = &im->state.at;
	u32 local = im->insn.index == UB_NOREG ? local_of(im->insn.disp, bytes) : IM_NO_LOCAL, bit;
	bool is_low_byte = bytes == 1 && !(im->insn.disp & 7);
	enum im_class class;

	if (local == IM_NO_LOCAL)
		return im_refuse(im, "%u bytes at rbp%+d are no local", bytes, im->insn.disp);
	class = im_local_class(local);
	bit = 1u << local;
	if (access & IM_READ && (!is_readable(class) || !((is_low_byte ? at->low_bytes : at->locals) & bit)))
		return im_refuse(im, "the local at rbp%+d is the kernel's, or not written", im->insn.disp);
	if (!(access & IM_WRITE))
		return true;
	if (class != IM_GUEST)
		return im_refuse(im, "the local at rbp%+d is not the guest's to write", im->insn.disp);
	at->locals |= bytes == 8 ? bit : 0;
	at->low_bytes |= bytes == 8 || is_low_byte ? bit : 0;
	return true;
}

static bool access_regs(struct im *im, u32 bytes, u32 access)
{
	s64 off = im->insn.disp;

	if (im->insn.index != UB_NOREG || off < 0 || !(off + bytes <= PT_GENERAL_END || (off >= PT_SP && off + bytes <= PT_SP + 8)))
		return im_refuse(im, "%u bytes at %lld in pt_regs are no general register", bytes, (long long)off);
	if (access & IM_WRITE && off < PT_AX + 8 && off + bytes > PT_AX)
		im->state.at.nr_saved = IM_NO_NR;
	return true;
}

static bool reads_address(struct im *im)
{
	return (im->insn.rm == UB_NOREG || im_reads(im, im->insn.rm)) &&
	       (im->insn.index == UB_NOREG || im_reads(im, im->insn.index));
}

static bool is_in_window(const struct im *im, u32 bytes)
{
	struct ub_reg base = im->insn.rm == UB_NOREG ? ub_reg_const(0) : im_value(im, im->insn.rm), index;

	if (im->insn.index != UB_NOREG)
		index = im_value(im, im->insn.index);
	return im_in_window(&base, im->insn.index == UB_NOREG ? NULL : &index, im->insn.scale, im->insn.disp, bytes, im->limit);
}

/* What crosses a line must not be locked: in kernel mode that can be fatal. */
static bool is_in_line(const struct im *im, u32 bytes)
{
	const struct im_addr *line = &im->state.at.line;
	struct ub_reg base;

	if (bytes == 1)
		return true;
	if (im->state.at.line_len >= bytes && line->base == im->insn.rm && line->index == im->insn.index &&
	    line->scale == im->insn.scale && line->disp == im->insn.disp)
		return true;
	if (im->insn.rm == UB_NOREG || im->insn.index != UB_NOREG)
		return false;
	base = im_value(im, im->insn.rm);
	return base.kind == UB_REG_SCALAR && !base.range.span &&
	       ((base.range.lo + (u64)(s64)im->insn.disp) & (LINE - 1)) + bytes <= LINE;
}

/* May user memory be accessed here at all? */
static bool is_user_time(struct im *im)
{
	const struct im_point *at = &im->state.at;

	if (at->may_sleep || !at->is_fenced || (im->env->smap && !at->is_open))
		return im_refuse(im, "user memory where access is closed, page faults are on or the prologue is not over");
	im->is_fault_due = true;
	return true;
}

static bool access_user(struct im *im, u32 bytes)
{
	bool is_locked = im->insn.is_locked || im->insn.form == IM_XCHG;

	if (!is_user_time(im) || !reads_address(im))
		return false;
	if (!is_in_window(im, bytes))
		return im_refuse(im, "%u bytes of user memory at an address that is not guarded", bytes);
	if (is_locked && !is_in_line(im, bytes))
		return im_refuse(im, "%u locked bytes that may cross a line", bytes);
	return true;
}

bool im_access(struct im *im, u32 bytes, u32 access)
{
	u8 base = im->insn.rm;
	enum im_class class = base == UB_NOREG ? IM_GUEST : im->state.at.reg[base];

	if (base == IM_RSP)
		return im_refuse(im, "memory at rsp");
	if ((base == IM_RBP || class == IM_REGS) &&
	    (im->insn.is_locked || im->insn.form == IM_XCHG || im->insn.form == IM_CMPXCHG2))
		return im_refuse(im, "a lock or a pair on what is no user memory");
	if (base == IM_RBP)
		return access_local(im, bytes, access);
	if (class == IM_REGS)
		return access_regs(im, bytes, access);
	return access_user(im, bytes);
}

/* Sound: addresses rise from here, and the page at LIMIT is never mapped, nor is what lies above it up to the kernel's
 * half. */
static bool is_string_start(struct im *im, u8 reg)
{
	struct ub_reg value;

	if (!im_reads(im, reg))
		return false;
	value = im_value(im, reg);
	if (value.kind != UB_REG_GUARDED || !im_in_window(&value, NULL, 0, 0, 8, im->limit))
		return im_refuse(im, "a string operation from an address that is not guarded");
	return true;
}

bool im_access_string(struct im *im)
{
	u8 opcode = im->insn.opcode;
	bool uses_si = opcode == 0xa4 || opcode == 0xa6 || opcode == 0xac, uses_di = opcode != 0xac;

	if (!is_user_time(im) || !im_reads(im, IM_RCX))
		return false;
	if (!im->state.at.is_chunk)
		return im_refuse(im, "a string operation that may go on for long");
	return (!uses_si || is_string_start(im, IM_RSI)) && (!uses_di || is_string_start(im, IM_RDI));
}
