/* SPDX-License-Identifier: GPL-2.0 */
/*
 * machine: what is decided by the kind of processor and kernel at hand (pure).
 *
 * Many of these machines no emulator has.  So what was found is a record, and each decision a function of it;
 * tests/unit/machine.c feeds all records and judges decisions and bytes.  Not in it is what is the same on all:
 *
 *   split-lock detection	a locked operation tests where its operand ends before it is run, see lower_rmw.c
 *   LAM			a pointer with a tag is none below LIMIT: its access leaves, and user mode makes it
 *   memory errors		each access has a fixup that the kernel's machine-check handler may take, see image.c
 *   user shadow stacks		are a thread's: rules.h
 */
#ifndef UB_MACHINE_H
#define UB_MACHINE_H

#include "jit.h"

struct ub_machine {
	bool is_xen_pv;		/* the kernel is a guest that runs in ring 3 */
	bool has_fred;		/* system calls keep rcx and r11 */
	bool has_smap;		/* the kernel's accesses to user memory stand between stac and clac */
	bool has_lass;		/* and user addresses fault before they are looked up */
	bool has_ibt;		/* the kernel is built for indirect branch tracking; some processors of it may have it */
	bool is_virtual;
	bool has_bhb_loop;	/* the kernel clears the branch history at its entry, by a loop */
	bool has_bhb_hw;	/* the kernel has the processor keep user mode's history apart */
	bool has_return_thunk;	/* the kernel returns by a jump to it */
};

/* Functions of the kernel that decisions may need. */
struct ub_machine_code {
	u64 clear_bhb_loop;
	u64 return_thunk;
};

enum ub_machine_history { UB_HISTORY_CPU, UB_HISTORY_CLEAR, UB_HISTORY_KEEP };

/* Why no block may run on @machine, as the rest of a sentence; NULL: they may. */
const char *ub_machine_obstacle(const struct ub_machine *machine);

/* What comes between an image and C. */
struct ub_barrier ub_machine_barrier(const struct ub_machine *machine, const struct ub_machine_code *code,
				     enum ub_machine_history wanted);

/* The fields of @env that depend on the machine alone. */
void ub_machine_env(const struct ub_machine *machine, const struct ub_machine_code *code, struct ub_jit_env *env);

#endif
