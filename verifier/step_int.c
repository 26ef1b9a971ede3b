// SPDX-License-Identifier: GPL-2.0
/*
 * step_int: what the integer instructions beyond moves and plain arithmetic change of what is known.
 *
 * Nothing is followed here: a result is any value of its width.
 */
#include "step.h"

/* Operations on memory alone change no register. */
#define ON_MEMORY(NAME)								\
void step_##NAME(struct step *step)						\
{										\
	(void)step;								\
}

ON_MEMORY(ADDM)
ON_MEMORY(SUBM)
ON_MEMORY(ANDM)
ON_MEMORY(ORM)
ON_MEMORY(XORM)
ON_MEMORY(ADCM)
ON_MEMORY(SBBM)
ON_MEMORY(ADDMI)
ON_MEMORY(SUBMI)
ON_MEMORY(ANDMI)
ON_MEMORY(ORMI)
ON_MEMORY(XORMI)
ON_MEMORY(ADCMI)
ON_MEMORY(SBBMI)
ON_MEMORY(BTSM)
ON_MEMORY(BTRM)
ON_MEMORY(BTCM)
ON_MEMORY(BTSMI)
ON_MEMORY(BTRMI)
ON_MEMORY(BTCMI)
ON_MEMORY(NEGM)
ON_MEMORY(NOTM)
ON_MEMORY(INCM)
ON_MEMORY(DECM)

/* Nor do those that only look, or that change flags alone. */
ON_MEMORY(BT)
ON_MEMORY(BTI)

/* Sound: x86 writes dst at the width, and 32 bits clear the others. */
#define ANY_RESULT(NAME)							\
void step_##NAME(struct step *step)						\
{										\
	step_forget_dst(step);							\
}

ANY_RESULT(RCLI)
ANY_RESULT(RCRI)
ANY_RESULT(RCL)
ANY_RESULT(RCR)
ANY_RESULT(SHLDI)
ANY_RESULT(SHRDI)
ANY_RESULT(SHLD)
ANY_RESULT(SHRD)
ANY_RESULT(BTS)
ANY_RESULT(BTR)
ANY_RESULT(BTC)
ANY_RESULT(BTSI)
ANY_RESULT(BTRI)
ANY_RESULT(BTCI)
ANY_RESULT(ANDN)
ANY_RESULT(BEXTR)
ANY_RESULT(BZHI)
ANY_RESULT(PDEP)
ANY_RESULT(PEXT)
ANY_RESULT(SHLX)
ANY_RESULT(SHRX)
ANY_RESULT(SARX)
ANY_RESULT(RORX)
ANY_RESULT(BLSI)
ANY_RESULT(BLSMSK)
ANY_RESULT(BLSR)
ANY_RESULT(ADCX)
ANY_RESULT(ADOX)

/* Sound: with a source of 0 dst stays as it is, at 32 bits the upper half on some processors too. */
#define ANY_VALUE(NAME)								\
void step_##NAME(struct step *step)						\
{										\
	step_put(step, step->insn->dst, ub_reg_any());				\
}

ANY_VALUE(BSF)
ANY_VALUE(BSR)

static void count(struct step *step)
{
	step_put_part(step, ub_reg_between(0, step->width));
}

/* Sound: there are no more bits than the width. */
void step_TZCNT(struct step *step)
{
	count(step);
}

void step_LZCNT(struct step *step)
{
	count(step);
}

void step_POPCNT(struct step *step)
{
	count(step);
}

void step_CRC32(struct step *step)
{
	step_put(step, step->insn->dst, step_unknown(32));
}

void step_MULX(struct step *step)
{
	step_put(step, ub_insn_third(step->insn), step_unknown(step->width));
	step_forget_dst(step);
}

/* Sound: 8 and 16 bits keep the others, 32 clear them. */
static void exchange(struct step *step)
{
	struct ub_reg old = step_whole(step, step->insn->src), value = step_unknown(step->width);

	step_put(step, step->insn->src, step->width < 32 ? ub_reg_insert(&old, &value, step->width) : value);
}

void step_XADDM(struct step *step)
{
	exchange(step);
}

void step_XCHGM(struct step *step)
{
	exchange(step);
}

/* Sound: what is not written stays as it is, at 32 bits the upper half too. */
void step_CMPXCHGM(struct step *step)
{
	step_put(step, UB_RAX, ub_reg_any());
}

void step_CMPXCHG(struct step *step)
{
	step_put(step, UB_RAX, ub_reg_any());
	step_put(step, step->insn->dst, ub_reg_any());
}

void step_CMPXCHG2M(struct step *step)
{
	step_put(step, UB_RAX, ub_reg_any());
	step_put(step, UB_RDX, ub_reg_any());
}

ON_MEMORY(SETFLAGS)
ON_MEMORY(CLC)
ON_MEMORY(STC)
ON_MEMORY(CMC)
ON_MEMORY(FENCE)

void step_GETFLAGS(struct step *step)
{
	step_put(step, step->insn->dst, ub_reg_any());
}

/* Sound: whatever else they do, they write no other registers. */
#define REPEATED(NAME)								\
void step_##NAME(struct step *step)						\
{										\
	step_put(step, UB_RCX, ub_reg_any());					\
	step_put(step, UB_RSI, ub_reg_any());					\
	step_put(step, UB_RDI, ub_reg_any());					\
}

REPEATED(REPECMPS)
REPEATED(REPNECMPS)
REPEATED(REPESCAS)
REPEATED(REPNESCAS)

void step_REPLODS(struct step *step)
{
	step_put(step, UB_RAX, ub_reg_any());
	step_put(step, UB_RCX, ub_reg_any());
	step_put(step, UB_RSI, ub_reg_any());
	step_put(step, UB_RDI, ub_reg_any());
}

/* Sound: rdtsc clears the upper halves. */
void step_RDTSC(struct step *step)
{
	step_put(step, UB_RAX, step_unknown(32));
	step_put(step, UB_RDX, step_unknown(32));
}

void step_RDTSCP(struct step *step)
{
	step_RDTSC(step);
	step_put(step, step->insn->dst, step_unknown(32));
}

void step_RDPID(struct step *step)
{
	step_put(step, step->insn->dst, step_unknown(32));
}
