// SPDX-License-Identifier: GPL-2.0
/*
 * step_vec: what vector operations change of what is known.
 *
 * Nothing is known of vector registers, and none can be an address: only what reaches general registers counts.
 */
#include "step.h"

#define NOTHING(NAME)								\
void step_##NAME(struct step *step)						\
{										\
	(void)step;								\
}
NOTHING(VEC)
NOTHING(VECX)
NOTHING(VECM)
NOTHING(VST)
NOTHING(VFROMG)
NOTHING(VFROMGX)
NOTHING(VFLAG)
NOTHING(VFLAGX)
NOTHING(VFLAGM)

/* Sound: a general register gets any value.  Of the masks it would be one of so many bits, which nobody asks for. */
#define ANYTHING(NAME, reg)							\
void step_##NAME(struct step *step)						\
{										\
	step_put(step, reg, step_unknown(64));					\
}
ANYTHING(VTOG, step->insn->dst)
ANYTHING(VTOGX, step->insn->dst)
ANYTHING(VTOGM, step->insn->dst)
ANYTHING(VSTR, UB_RCX)
ANYTHING(VSTRM, UB_RCX)
