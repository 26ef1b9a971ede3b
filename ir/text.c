// SPDX-License-Identifier: GPL-2.0
/*
 * text: one instruction as people read it, and as parse.c reads it back.
 *
 * Takes any bytes, also malformed ones (a refusal shows what it refuses); only well-formed ones read back.
 */
#include "vecop.h"

/* Like a file that may be shorter than what is written to it. */
struct out {
	char *buf;
	size_t size;
	size_t len;		/* what all of it needs */
};

__attribute__((format(printf, 2, 3)))
static void put(struct out *out, const char *format, ...)
{
	size_t used = out->len < out->size ? out->len : out->size;
	va_list args;
	int len;

	va_start(args, format);
	len = ub_vsnprintf(out->buf ? out->buf + used : NULL, out->size - used, format, args);
	va_end(args);
	if (len > 0)
		out->len += len;
}

const char *ub_reg_name(u8 reg)
{
	static const char *const names[UB_NREGS] = {
		"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		"r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "fs",
	};

	return reg < UB_NREGS ? names[reg] : "?";
}

const char *ub_cc_name(u8 cc)
{
	static const char *const names[] = {
		"o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g",
	};

	return cc < ARRAY_SIZE(names) ? names[cc] : "?";
}

static void put_hex(struct out *out, u64 val)
{
	put(out, "0x%llx", (unsigned long long)val);
}

/* Small numbers are counts and offsets and read best in decimal; large ones are addresses and masks. */
static void put_num(struct out *out, s64 val)
{
	u64 size = val < 0 ? -(u64)val : (u64)val;

	put(out, size < 4096 ? "%s%llu" : "%s0x%llx", val < 0 ? "-" : "", (unsigned long long)size);
}

static void put_off(struct out *out, s64 off)
{
	if (!off)
		return;
	put(out, off < 0 ? " - " : " + ");
	put_num(out, off < 0 ? -off : off);
}

/* [base + index * scale + off] */
static void put_addr(struct out *out, const struct ub_insn *insn)
{
	bool has_base = insn->src != UB_NOREG, has_index = ub_insn_index(insn) != UB_NOREG;

	put(out, "[");
	if (has_base)
		put(out, "%s", ub_reg_name(insn->src));
	if (has_index)
		put(out, "%s%s * %u", has_base ? " + " : "", ub_reg_name(ub_insn_index(insn)),
		    1u << ub_insn_scale(insn));
	if (has_base || has_index)
		put_off(out, insn->off);
	else
		put_num(out, insn->off);
	put(out, "]");
}

/* [base + index * scale + off] or [address] */
static void put_base(struct out *out, const struct ub_insn *insn, u8 base)
{
	put(out, "[");
	if (base == UB_NOREG) {
		put_hex(out, ub_insn_constant_addr(insn));
	} else {
		put(out, "%s", ub_reg_name(base));
		if (ub_insn_index_reg(insn) != UB_NOREG)
			put(out, " + %s * %u", ub_reg_name(ub_insn_index(insn)), 1u << ub_insn_scale(insn));
		put_off(out, insn->off);
	}
	put(out, "]");
}

static void put_name(struct out *out, const struct ub_insn *insn)
{
	const struct ub_op_info *info = &ub_op_info[insn->op];

	put(out, "%s", info->text);
	if (info->widths)
		put(out, ".%u", UB_WIDTH_BITS(ub_insn_width(insn)));
	if (insn->mode & UB_MODE_F)
		put(out, "f");
	switch (info->shape) {
	case UB_S_DST_CC:
	case UB_S_DST_SRC_CC:
	case UB_S_CC_TO:
		put(out, ".%s", ub_cc_name(ub_insn_cc(insn)));
	}
	if (insn->mode & UB_MODE_LOCK)
		put(out, ".lock");
}

static const char *const variants[] = { "sse", "128", "256", "?" };

/* "vec.256 paddb v1, v2, v3": the operation's row names what it computes; result, second source, the other operand. */
static void put_vec(struct out *out, const struct ub_insn *insn)
{
	const struct ub_vec_info *info = ub_vec_of(insn);
	enum ub_vec_variant variant = ub_vec_variant(insn);
	u8 shape = ub_op_info[insn->op].shape;

	put(out, "%s.%s %s", ub_op_info[insn->op].text, variants[variant], info->text);
	if (info->form == UB_VEC_NONE)
		return;
	put(out, " ");
	if (shape == UB_S_VEC_STORE)
		put_base(out, insn, insn->dst);
	else if (shape == UB_S_VEC_TO || shape == UB_S_VEC_TO_LOAD)
		put(out, "%s", ub_reg_name(insn->dst));
	else
		put(out, "v%u", insn->dst);
	if (ub_vec_has_a(info, variant))
		put(out, ", v%u", ub_vec_a(insn));
	if (ub_vec_has_src(info, variant)) {
		put(out, ", ");
		if (shape == UB_S_VEC_LOAD || shape == UB_S_VEC_TO_LOAD)
			put_base(out, insn, insn->src);
		else if (shape == UB_S_VEC_FROM)
			put(out, "%s", ub_reg_name(insn->src));
		else
			put(out, "v%u", insn->src);
	}
	if (info->flags & UB_VEC_IMM)
		put(out, ", %u", ub_vec_constant(insn));
}

static void put_operands(struct out *out, const struct ub_insn *insn, u32 idx)
{
	const char *dst = ub_reg_name(insn->dst), *src = ub_reg_name(insn->src);

	switch (ub_op_info[insn->op].shape) {
	case UB_S_NONE:
		break;
	case UB_S_MARK:
		put(out, " 0x%llx +%d", (unsigned long long)insn->imm, insn->off);
		break;
	case UB_S_IP:
		put(out, " 0x%llx", (unsigned long long)insn->imm);
		break;
	case UB_S_IMM:
		put(out, " %lld", (long long)insn->imm);
		break;
	case UB_S_DST:
	case UB_S_DST_CC:
		put(out, " %s", dst);
		break;
	case UB_S_SRC:
		put(out, " %s", src);
		break;
	case UB_S_DST_SRC:
	case UB_S_DST_SRC_CC:
		put(out, " %s, %s", dst, src);
		break;
	case UB_S_DST_IMM:
		put(out, " %s, ", dst);
		put_num(out, insn->imm);
		break;
	case UB_S_DST_SRC_IMM:
		put(out, " %s, %s, ", dst, src);
		put_num(out, insn->imm);
		break;
	case UB_S_DST_SRC_REG:
		put(out, " %s, %s, %s", dst, src, ub_reg_name(ub_insn_third(insn)));
		break;
	case UB_S_ADDR:
		put(out, " %s, ", dst);
		put_addr(out, insn);
		break;
	case UB_S_LOAD:
		put(out, " %s, ", dst);
		put_base(out, insn, insn->src);
		break;
	case UB_S_STORE:
		put(out, " ");
		put_base(out, insn, insn->dst);
		put(out, ", %s", src);
		break;
	case UB_S_MEM:
		put(out, " ");
		put_base(out, insn, insn->dst);
		break;
	case UB_S_STOREI:
		put(out, " ");
		put_base(out, insn, insn->dst);
		put(out, ", ");
		put_num(out, insn->imm);
		break;
	case UB_S_SRC_IMM_TO:
		put(out, " %s, 0x%llx,", src, (unsigned long long)insn->imm);
		__attribute__((__fallthrough__));
	case UB_S_TO:
	case UB_S_CC_TO:
		put(out, " @%lld", (long long)ub_insn_target(insn, idx));
		break;
	}
}

int ub_insn_text(const struct ub_insn *insn, u32 idx, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };

	if (insn->op >= UB_OP_COUNT) {
		put(&out, "unknown operation %u", insn->op);
		return out.len;
	}
	if (ub_op_info[insn->op].effect & UB_E_VEC && ub_vec_row(insn) < ub_vec_cnt) {
		put_vec(&out, insn);
		return out.len;
	}
	put_name(&out, insn);
	put_operands(&out, insn, idx);
	return out.len;
}
