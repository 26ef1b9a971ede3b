// SPDX-License-Identifier: GPL-2.0
/*
 * symbols: finds kernel functions that modules cannot link to.
 *
 * A kprobe on kallsyms_lookup_name() tells its address; the rest follows from it.  It is never armed, which would patch
 * code, and takes ftrace where that may be switched off.
 */
#define pr_fmt(fmt) "ub: " fmt

#include <linux/kprobes.h>
#include <linux/printk.h>

#include "symbols.h"

#define UB_DEFINE_SYMBOL(name)	DEFINE_STATIC_CALL_NULL(ub_sym_##name, name);
UB_SYMBOLS(UB_DEFINE_SYMBOL)

DEFINE_STATIC_CALL_NULL(lookup, kallsyms_lookup_name);

static int find_lookup(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name", .flags = KPROBE_FLAG_DISABLED };
	unsigned long addr;
	int err;

	err = register_kprobe(&probe);
	if (err) {
		pr_err("cannot look up kernel symbols: no kprobes (%d)\n", err);
		return -EOPNOTSUPP;
	}
	addr = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
#ifdef CONFIG_X86_KERNEL_IBT
	addr -= 4;	/* the probe stands behind the landing pad */
#endif
	static_call_update(lookup, (void *)addr);
	return 0;
}

unsigned long ub_symbol_find(const char *name)
{
	return static_call(lookup)(name);
}

#define UB_FIND_SYMBOL(name)						\
	addr = ub_symbol_find(#name);					\
	if (!addr) {							\
		pr_err("this kernel has no %s()\n", #name);		\
		return -EOPNOTSUPP;					\
	}								\
	static_call_update(ub_sym_##name, (void *)addr);

int ub_symbols_init(void)
{
	unsigned long addr;
	int err;

	err = find_lookup();
	if (err)
		return err;
	UB_SYMBOLS(UB_FIND_SYMBOL)
	return 0;
}
