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
	if (!ub_insn_is_locked(insn) || (addr & 63) + ub_insn_mem_bytes(insn) <= 64)
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
MODIFY_BOTH(BTS, ub_alu_bts(w, a, b))
MODIFY_BOTH(BTR, ub_alu_btr(w, a, b))
MODIFY_BOTH(BTC, ub_alu_btc(w, a, b))
MODIFY(NEGM, 0, ub_alu_sub(w, 0, a, false))
MODIFY(NOTM, 0, ub_alu_logic(w, ~a))
MODIFY(INCM, 0, ub_alu_inc(w, a))
MODIFY(DECM, 0, ub_alu_dec(w, a))

void interp_XADDM(struct run *r, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	struct ub_alu sum;
	u64 addr, old;

	if (!begin(r, insn, &addr, &old))
		return;
	sum = ub_alu_add(w, old, run_get(r, insn->src), false);
	finish(r, insn, addr, sum);
	if (!r->is_over)
		run_set(r, insn->src, w, old);
}

void interp_XCHGM(struct run *r, const struct ub_insn *insn)
{
	u64 addr, old;

	if (begin(r, insn, &addr, &old) && store_at(r, insn, addr, run_get(r, insn->src)))
		run_set(r, insn->src, ub_insn_width(insn), old);
}

/* Memory is written in any case, and a register only if it changes: what processors of Intel and AMD do at width 32. */
void interp_CMPXCHGM(struct run *r, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	struct ub_alu alu;
	u64 addr, old;

	if (!begin(r, insn, &addr, &old))
		return;
	alu = ub_alu_sub(w, run_get(r, UB_RAX), old, false);
	if (!store_at(r, insn, addr, alu.val ? old : run_get(r, insn->src)))
		return;
	if (alu.val)
		run_set(r, UB_RAX, w, old);
	if (ub_insn_sets_flags(insn))
		run_set_flags(r, alu);
}

void interp_CMPXCHG(struct run *r, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	u64 old = run_get(r, insn->dst), new = run_get(r, insn->src);
	struct ub_alu alu = ub_alu_sub(w, run_get(r, UB_RAX), old, false);

	if (alu.val)
		run_set(r, UB_RAX, w, old);
	else
		run_set(r, insn->dst, w, new);
	if (ub_insn_sets_flags(insn))
		run_set_flags(r, alu);
}

/* The two halves lie in one page: 16 bytes are aligned, and 8 are read at once. */
static bool load_pair(struct run *r, u64 addr, enum ub_width w, u64 *ret_low, u64 *ret_high)
{
	const struct ub_interp_world *world = r->world;
	u64 both;

	if (w == UB_W64)
		return world->load(world->ctx, addr, 8, ret_low) && world->load(world->ctx, addr + 8, 8, ret_high);
	if (!world->load(world->ctx, addr, 8, &both))
		return false;
	*ret_low = (u32)both;
	*ret_high = both >> 32;
	return true;
}

static bool store_pair(struct run *r, u64 addr, enum ub_width w, u64 low, u64 high)
{
	const struct ub_interp_world *world = r->world;

	if (w == UB_W64)
		return world->store(world->ctx, addr, 8, low) && world->store(world->ctx, addr + 8, 8, high);
	return world->store(world->ctx, addr, 8, (u32)low | high << 32);
}

void interp_CMPXCHG2M(struct run *r, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	u64 addr, low, high;
	bool is_equal;

	if (!run_address(r, insn, insn->dst, &addr) || is_split(r, insn, addr))
		return;
	if ((w == UB_W64 && addr & 15) || !load_pair(r, addr, w, &low, &high)) {
		run_leave(r, UB_LEFT_FAULT);
		return;
	}
	is_equal = low == ub_alu_trunc(w, run_get(r, UB_RAX)) && high == ub_alu_trunc(w, run_get(r, UB_RDX));
	if (!store_pair(r, addr, w, is_equal ? run_get(r, UB_RBX) : low, is_equal ? run_get(r, UB_RCX) : high)) {
		run_leave(r, UB_LEFT_FAULT);
		return;
	}
	r->has_stored = true;
	if (!is_equal) {
		run_set(r, UB_RAX, w, low);
		run_set(r, UB_RDX, w, high);
	}
	if (ub_insn_sets_flags(insn))
		run_set_flags(r, (struct ub_alu){ .changed = UB_FL_ZF, .flags = is_equal ? UB_FL_ZF : 0 });
}

/* --- registers: dst = dst OP operand, by register and by constant --- */

/* @result is made of w, a, b and carry: width, operands, CF. */
#define CHANGE(NAME, operand, done, result)					\
void interp_##NAME(struct run *r, const struct ub_insn *insn)			\
{										\
	enum ub_width w = ub_insn_width(insn);					\
	u64 a = run_get(r, insn->dst), b = operand;				\
	bool carry = r->s->flags & UB_FL_CF;					\
										\
	(void)carry;								\
	done(result);								\
}

#define CHANGE_BOTH(NAME, done, result)						\
CHANGE(NAME, run_get(r, insn->src), done, result)				\
CHANGE(NAME##I, insn->imm, done, result)

#define FINISH(alu)	run_finish(r, insn, alu)
#define TEST(alu)	run_set_flags(r, alu)

CHANGE_BOTH(RCL, FINISH, ub_alu_rcl(w, a, b, carry))
CHANGE_BOTH(RCR, FINISH, ub_alu_rcr(w, a, b, carry))
CHANGE_BOTH(BT, TEST, ub_alu_bt(w, a, b))
CHANGE_BOTH(BTS, FINISH, ub_alu_bts(w, a, b))
CHANGE_BOTH(BTR, FINISH, ub_alu_btr(w, a, b))
CHANGE_BOTH(BTC, FINISH, ub_alu_btc(w, a, b))
CHANGE(SHLD, run_get(r, insn->src), FINISH, ub_alu_shld(w, a, b, run_get(r, UB_RCX)))
CHANGE(SHRD, run_get(r, insn->src), FINISH, ub_alu_shrd(w, a, b, run_get(r, UB_RCX)))
CHANGE(SHLDI, run_get(r, insn->src), FINISH, ub_alu_shld(w, a, b, insn->imm))
CHANGE(SHRDI, run_get(r, insn->src), FINISH, ub_alu_shrd(w, a, b, insn->imm))
CHANGE(ADCX, run_get(r, insn->src), FINISH, ub_alu_adx(w, a, b, UB_FL_CF, r->s->flags))
CHANGE(ADOX, run_get(r, insn->src), FINISH, ub_alu_adx(w, a, b, UB_FL_OF, r->s->flags))

/* --- registers: dst = src OP third --- */

/* @result is made of w, a and b: width, src, the third operand. */
#define COMPUTE(NAME, operand, result)						\
void interp_##NAME(struct run *r, const struct ub_insn *insn)			\
{										\
	enum ub_width w = ub_insn_width(insn);					\
	u64 a = run_get(r, insn->src), b = operand;				\
										\
	(void)b;								\
	run_finish(r, insn, result);						\
}

#define PLAIN(value)	((struct ub_alu){ .val = value })
#define THIRD		run_get(r, ub_insn_third(insn))
#define COUNT		(b & (UB_WIDTH_BITS(w) - 1))

COMPUTE(TZCNT, 0, ub_alu_tzcnt(w, a))
COMPUTE(LZCNT, 0, ub_alu_lzcnt(w, a))
COMPUTE(POPCNT, 0, ub_alu_popcnt(w, a))
COMPUTE(BLSI, 0, ub_alu_blsi(w, a))
COMPUTE(BLSMSK, 0, ub_alu_blsmsk(w, a))
COMPUTE(BLSR, 0, ub_alu_blsr(w, a))
COMPUTE(ANDN, THIRD, ub_alu_andn(w, a, b))
COMPUTE(BEXTR, THIRD, ub_alu_bextr(w, a, b))
COMPUTE(BZHI, THIRD, ub_alu_bzhi(w, a, b))
COMPUTE(PDEP, THIRD, PLAIN(ub_alu_pdep(w, a, b)))
COMPUTE(PEXT, THIRD, PLAIN(ub_alu_pext(w, a, b)))
COMPUTE(SHLX, THIRD, PLAIN(a << COUNT))
COMPUTE(SHRX, THIRD, PLAIN(ub_alu_trunc(w, a) >> COUNT))
COMPUTE(SARX, THIRD, PLAIN(ub_alu_sext(w, a) >> COUNT))
COMPUTE(RORX, insn->imm, ub_alu_ror(w, a, b))

/* What processors of Intel and AMD do with a source of 0 at width 32: nothing, the upper half stays too. */
static void scan(struct run *r, const struct ub_insn *insn, struct ub_alu alu)
{
	if (!(alu.flags & UB_FL_ZF))
		run_set(r, insn->dst, ub_insn_width(insn), alu.val);
	else
		run_set64(r, insn->dst, run_get(r, insn->dst));
	if (ub_insn_sets_flags(insn))
		run_set_flags(r, alu);
}

void interp_BSF(struct run *r, const struct ub_insn *insn)
{
	scan(r, insn, ub_alu_bsf(ub_insn_width(insn), run_get(r, insn->src)));
}

void interp_BSR(struct run *r, const struct ub_insn *insn)
{
	scan(r, insn, ub_alu_bsr(ub_insn_width(insn), run_get(r, insn->src)));
}

void interp_CRC32(struct run *r, const struct ub_insn *insn)
{
	run_set64(r, insn->dst, ub_alu_crc32(ub_insn_width(insn), run_get(r, insn->dst), run_get(r, insn->src)));
}

void interp_MULX(struct run *r, const struct ub_insn *insn)
{
	enum ub_width w = ub_insn_width(insn);
	u64 high;
	struct ub_alu alu = ub_alu_mulu(w, run_get(r, UB_RDX), run_get(r, insn->src), &high);

	run_set(r, ub_insn_third(insn), w, alu.val);
	run_set(r, insn->dst, w, high);
}

/* --- flags --- */

void interp_GETFLAGS(struct run *r, const struct ub_insn *insn)
{
	run_set64(r, insn->dst, r->s->flags | FLAG_IF | FLAG_ONE);
}

void interp_SETFLAGS(struct run *r, const struct ub_insn *insn)
{
	run_set_flags(r, (struct ub_alu){ .changed = UB_FL_ALL & ~UB_FL_OF, .flags = run_get(r, insn->src) });
}

static void set_carry(struct run *r, bool carry)
{
	run_set_flags(r, (struct ub_alu){ .changed = UB_FL_CF, .flags = carry ? UB_FL_CF : 0 });
}

void interp_CLC(struct run *r, const struct ub_insn *insn)
{
	(void)insn;
	set_carry(r, false);
}

void interp_STC(struct run *r, const struct ub_insn *insn)
{
	(void)insn;
	set_carry(r, true);
}

void interp_CMC(struct run *r, const struct ub_insn *insn)
{
	(void)insn;
	set_carry(r, !(r->s->flags & UB_FL_CF));
}
