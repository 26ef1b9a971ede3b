// SPDX-License-Identifier: GPL-2.0
/*
 * interp_int: the integer instructions beyond moves and plain arithmetic (user space only).
 *
 * Read-modify-write.  The old value is read, the new one stored, and only then do flags and registers change; a fault
 * of either access leaves with nothing changed.  Nobody else runs here, so the lock suffix has no meaning of its own.
 */
#include "run.h"

static bool load_at(struct run *r, const struct ub_insn *insn, u64 addr, u64 *ret)
{
	*ret = 0;
	if (!r->world->load(r->world->ctx, addr, UB_WIDTH_BYTES(ub_insn_width(insn)), ret))
		run_leave(r, UB_LEFT_FAULT);
	return !r->is_over;
}

static bool store_at(struct run *r, const struct ub_insn *insn, u64 addr, u64 val)
{
	enum ub_width w = ub_insn_width(insn);

	if (!r->world->store(r->world->ctx, addr, UB_WIDTH_BYTES(w), ub_alu_trunc(w, val)))
		run_leave(r, UB_LEFT_FAULT);
	else
		r->has_stored = true;
	return !r->is_over;
}

/* A locked operand that crosses a line of 64 bytes is not for us. */
static bool is_split(struct run *r, const struct ub_insn *insn, u64 addr)
{
	if (!(insn->mode & UB_MODE_LOCK) || (addr & 63) + ub_insn_mem_bytes(insn) <= 64)
		return false;
	run_leave(r, UB_LEFT_FAULT);
	return true;
}

/* Reads what is to be modified; false when that leaves. */
static bool begin(struct run *r, const struct ub_insn *insn, u64 *ret_addr, u64 *ret_old)
{
	return run_address(r, insn, insn->dst, ret_addr) && !is_split(r, insn, *ret_addr) &&
	       load_at(r, insn, *ret_addr, ret_old);
}

static void finish(struct run *r, const struct ub_insn *insn, u64 addr, struct ub_alu alu)
{
	if (store_at(r, insn, addr, alu.val) && ub_insn_sets_flags(insn))
		run_set_flags(r, alu);
}

/* @result is made of w, a, b and carry: width, old value, operand, CF. */
#define MODIFY(NAME, operand, result)						\
void interp_##NAME(struct run *r, const struct ub_insn *insn)			\
{										\
	enum ub_width w = ub_insn_width(insn);					\
	bool carry = r->s->flags & UB_FL_CF;					\
	u64 addr, a, b;								\
										\
	if (!begin(r, insn, &addr, &a))						\
		return;								\
	b = operand;								\
	(void)b, (void)carry;							\
	finish(r, insn, addr, result);						\
}

#define MODIFY_BOTH(NAME, result)						\
MODIFY(NAME##M, run_get(r, insn->src), result)					\
MODIFY(NAME##MI, insn->imm, result)

MODIFY_BOTH(ADD, ub_alu_add(w, a, b, false))
MODIFY_BOTH(SUB, ub_alu_sub(w, a, b, false))
MODIFY_BOTH(AND, ub_alu_logic(w, a & b))
MODIFY_BOTH(OR, ub_alu_logic(w, a | b))
MODIFY_BOTH(XOR, ub_alu_logic(w, a ^ b))
MODIFY_BOTH(ADC, ub_alu_add(w, a, b, carry))
MODIFY_BOTH(SBB, ub_alu_sub(w, a, b, carry))
MODIFY(NEGM, 0, ub_alu_sub(w, 0, a, false))
MODIFY(NOTM, 0, ub_alu_logic(w, ~a))
MODIFY(INCM, 0, ub_alu_inc(w, a))
MODIFY(DECM, 0, ub_alu_dec(w, a))
