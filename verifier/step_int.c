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
ON_MEMORY(NEGM)
ON_MEMORY(NOTM)
ON_MEMORY(INCM)
ON_MEMORY(DECM)
