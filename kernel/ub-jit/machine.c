// SPDX-License-Identifier: GPL-2.0
/*
 * machine: what is decided by the kind of processor and kernel at hand.  Decides alone; what there is finds cpu.c.
 */
#include "machine.h"

const char *ub_machine_obstacle(const struct ub_machine *machine)
{
	if (machine->is_xen_pv)
		return "on Xen PV: user mode's flags and segments are not what they seem there";
	/* Images, and lifters, take rcx and r11 behind a call for its address and the flags. */
	if (machine->has_fred)
		return "with FRED: system calls keep rcx and r11 there (boot with fred=off)";
	/* The kernel wants both or none; without stac a first access of ours would be its end. */
	if (machine->has_lass && !machine->has_smap)
		return "with LASS and no SMAP: nothing opens user memory there";
	return NULL;
}

/*
 * As the kernel's BPF JIT does for programs of the unprivileged: where the kernel clears the history at its entry, with
 * its own loop; where it has the processor ignore user mode's, a fence, since that of a block is not user mode's.  A
 * virtual machine cannot tell which of both its processor, or the one it moves to, needs.
 */
struct ub_barrier ub_machine_barrier(const struct ub_machine *machine, const struct ub_machine_code *code,
				     enum ub_machine_history wanted)
{
	bool has_loop = machine->has_bhb_loop;
	bool has_fence = machine->has_bhb_hw || (machine->has_bhb_loop && machine->is_virtual);

	if (wanted != UB_HISTORY_CPU)
		has_loop = has_fence = wanted == UB_HISTORY_CLEAR;
	return (struct ub_barrier){ .clear = has_loop ? code->clear_bhb_loop : 0, .fence = has_fence };
}

void ub_machine_env(const struct ub_machine *machine, const struct ub_machine_code *code, struct ub_jit_env *env)
{
	/* AC opens user memory for LASS as it does for SMAP (SDM vol. 1, linear-address-space separation). */
	env->smap = machine->has_smap;
	/* Whatever the processor: an image may not outlive what is known of them. */
	env->ibt = machine->has_ibt;
	env->return_thunk = machine->has_return_thunk ? code->return_thunk : 0;
}
