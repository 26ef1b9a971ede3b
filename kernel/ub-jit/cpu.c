// SPDX-License-Identifier: GPL-2.0
/*
 * cpu: what do images need of the processor that the kernel keeps for itself?
 *
 * The user's vector registers: they are the processor's own while ub_vec_open() .. ub_vec_close() last, and nobody
 * else touches them then.  And the number that RDTSCP and RDPID would give: the register that holds it may be a virtual
 * machine's while the kernel runs, so each processor has a copy.
 */
#define pr_fmt(fmt) "ub: " fmt

#include <linux/cpuhotplug.h>
#include <linux/interrupt.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/segment.h>
#include <xen/xen.h>

#include "machine.h"
#include "module.h"
#include "symbols.h"

/* Called by images, in which all registers are the guest's. */
#define FROM_IMAGE	__attribute__((no_caller_saved_registers)) notrace

static char *branch_history = "cpu";
module_param(branch_history, charp, 0444);
MODULE_PARM_DESC(branch_history, "what a block leaves is cleared before the kernel goes on: cpu (where the kernel does so, too), clear, keep");

struct ub_barrier ub_barrier __ro_after_init;
static struct ub_machine machine __ro_after_init;
static struct ub_machine_code machine_code __ro_after_init;
static DEFINE_PER_CPU(u32, cpu_node);
static int hotplug_state;

static noinline FROM_IMAGE void restore(void)
{
	ub_sym(switch_fpu_return)();
}

/*
 * Until ub_vec_close() the vector registers and MXCSR are the user's: no context switch, no softirq that computes with
 * them.  (A hard interrupt does not while softirqs are off.)
 */
static FROM_IMAGE void ub_vec_open(void)
{
	fpregs_lock();
	if (unlikely(test_thread_flag(TIF_NEED_FPU_LOAD)))
		restore();
}

static noinline FROM_IMAGE void unlock_slowly(void)
{
	fpregs_unlock();
}

/* fpregs_unlock(), in few instructions when no softirq waits. */
static FROM_IMAGE void ub_vec_close(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || IS_ENABLED(CONFIG_TRACE_IRQFLAGS)) {
		unlock_slowly();
		return;
	}
	/* Those raised from here on are run by the interrupt that raises them. */
	preempt_count_sub(SOFTIRQ_DISABLE_OFFSET - 1);
	if (unlikely(local_softirq_pending())) {
		preempt_count_add(SOFTIRQ_DISABLE_OFFSET - 1);
		unlock_slowly();
		return;
	}
	preempt_enable();
}

/* On the processor itself, before it has user tasks.  The segment limit is the kernel's copy that nobody borrows. */
static int read_cpu_node(unsigned int cpu)
{
	u32 value;

	asm volatile("lsl %1, %0" : "=r"(value) : "r"(__CPUNODE_SEG));
	this_cpu_write(cpu_node, value);
	return 0;
}

/* Instruction sets that the machine has and the kernel has enabled. */
static u32 vec_features(void)
{
	static const struct {
		u16 of_cpu;
		u16 feature;
	} sets[] = {
		{ X86_FEATURE_XMM2, UB_VEC_F_SSE2 }, { X86_FEATURE_XMM3, UB_VEC_F_SSE3 },
		{ X86_FEATURE_SSSE3, UB_VEC_F_SSSE3 }, { X86_FEATURE_XMM4_1, UB_VEC_F_SSE41 },
		{ X86_FEATURE_XMM4_2, UB_VEC_F_SSE42 }, { X86_FEATURE_AES, UB_VEC_F_AES },
		{ X86_FEATURE_PCLMULQDQ, UB_VEC_F_PCLMUL }, { X86_FEATURE_AVX, UB_VEC_F_AVX },
		{ X86_FEATURE_AVX2, UB_VEC_F_AVX2 }, { X86_FEATURE_FMA, UB_VEC_F_FMA },
		{ X86_FEATURE_F16C, UB_VEC_F_F16C },
	};
	u32 i, features = 0;

	for (i = 0; i < ARRAY_SIZE(sets); i++)
		if (boot_cpu_has(sets[i].of_cpu))
			features |= sets[i].feature;
	if (!cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL))
		features &= ~(UB_VEC_F_AVX | UB_VEC_F_AVX2 | UB_VEC_F_FMA | UB_VEC_F_F16C);
	return features;
}

/* The s32 displacement at which an instruction with a gs: prefix and no base finds a per-CPU variable. */
#define GS_OFF(variable)	((s32)(unsigned long)&(variable))

static u32 int_features(void)
{
	static const struct {
		u16 x86;
		u16 ours;
	} table[] = {
		{ X86_FEATURE_POPCNT, UB_INT_F_POPCNT }, { X86_FEATURE_ABM, UB_INT_F_LZCNT },
		{ X86_FEATURE_BMI1, UB_INT_F_BMI1 }, { X86_FEATURE_BMI2, UB_INT_F_BMI2 },
		{ X86_FEATURE_ADX, UB_INT_F_ADX }, { X86_FEATURE_XMM4_2, UB_INT_F_CRC32 },
		{ X86_FEATURE_CX16, UB_INT_F_CX16 }, { X86_FEATURE_RDTSCP, UB_INT_F_RDTSCP },
	};
	u32 i, features = 0;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (boot_cpu_has(table[i].x86))
			features |= table[i].ours;
	return features;
}

void ub_cpu_env(struct ub_jit_env *env)
{
	ub_machine_env(&machine, &machine_code, env);
	env->int_features = int_features();
	env->vec_open = (u64)ub_vec_open;
	env->vec_close = (u64)ub_vec_close;
	env->vec_features = vec_features();
	env->softirq_gs = GS_OFF(local_softirq_pending_ref);
	env->cpu_node_gs = GS_OFF(cpu_node);
}

/* Older headers do not know of all that newer processors have; nor do the kernels that go with them. */
static void find_machine(void)
{
	machine = (struct ub_machine){
		.is_xen_pv = xen_pv_domain(),
#ifdef X86_FEATURE_FRED
		.has_fred = boot_cpu_has(X86_FEATURE_FRED),
#endif
		.has_smap = boot_cpu_has(X86_FEATURE_SMAP),
#ifdef X86_FEATURE_LASS
		.has_lass = boot_cpu_has(X86_FEATURE_LASS),
#endif
		.has_ibt = IS_ENABLED(CONFIG_X86_KERNEL_IBT),
		.is_virtual = boot_cpu_has(X86_FEATURE_HYPERVISOR),
		.has_bhb_loop = boot_cpu_has(X86_FEATURE_CLEAR_BHB_LOOP),
		.has_bhb_hw = boot_cpu_has(X86_FEATURE_CLEAR_BHB_HW),
		.has_return_thunk = cpu_feature_enabled(X86_FEATURE_RETHUNK),
	};
}

int ub_cpu_check(void)
{
	const char *obstacle;

	find_machine();
	obstacle = ub_machine_obstacle(&machine);
	if (!obstacle)
		return 0;
	pr_err("not %s\n", obstacle);
	return -EOPNOTSUPP;
}

static int find_code(void)
{
	const u64 *thunk = (const u64 *)ub_symbol_find("x86_return_thunk");

	machine_code.clear_bhb_loop = ub_symbol_find("clear_bhb_loop");
	machine_code.return_thunk = thunk ? *thunk : ub_symbol_find("__x86_return_thunk");
	if (machine.has_return_thunk && !machine_code.return_thunk) {
		pr_err("this kernel has no __x86_return_thunk\n");
		return -EOPNOTSUPP;
	}
	/* Without it blocks would be history that nobody clears. */
	if (machine.has_bhb_loop && !machine_code.clear_bhb_loop) {
		pr_err("this kernel has no clear_bhb_loop\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int choose_barrier(void)
{
	static const char *const names[] = { [UB_HISTORY_CPU] = "cpu", [UB_HISTORY_CLEAR] = "clear", [UB_HISTORY_KEEP] = "keep" };
	int wanted = match_string(names, ARRAY_SIZE(names), branch_history);

	if (wanted < 0) {
		pr_err("branch_history is cpu, clear or keep, not \"%s\"\n", branch_history);
		return -EINVAL;
	}
	ub_barrier = ub_machine_barrier(&machine, &machine_code, wanted);
	return 0;
}

int ub_cpu_init(void)
{
	int state, err = find_code() ?: choose_barrier();

	if (err)
		return err;
	if (ub_bug_if((unsigned long)&local_softirq_pending_ref != (long)GS_OFF(local_softirq_pending_ref) ||
		      (unsigned long)&cpu_node != (long)GS_OFF(cpu_node), "a per-CPU variable is out of reach"))
		return -EOPNOTSUPP;
	state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "ub:online", read_cpu_node, NULL);
	if (state < 0)
		return state;
	hotplug_state = state;
	return 0;
}

void ub_cpu_exit(void)
{
	cpuhp_remove_state_nocalls(hotplug_state);
}
