// SPDX-License-Identifier: GPL-2.0
/*
 * hook: where the module gets hold of system calls, and how blocks make them.
 *
 * One ftrace direct call on all handlers in syscalls.h; entry.S is its trampoline.  Which handler was called follows
 * from the address behind its call to the trampoline, so neither the user nor anything in pt_regs can choose it.  One
 * ftrace_ops for all, since taking one away costs a grace period of RCU tasks.
 */
#define pr_fmt(fmt) "ub: " fmt

#include <linux/ftrace.h>
#include <linux/printk.h>
#include <linux/syscalls.h>
#include <asm/syscall.h>

#include "compat.h"
#include "module.h"
#include "symbols.h"

enum { HOOK = 1, MAKE = 2 };

static const struct {
	const char *name;
	u16 nr;
	u8 use;
} calls[] = {
#define CALL(name, use) { #name, __NR_##name, use },
#include "syscalls.h"
};

struct ub_calls ub_calls __ro_after_init;
static ub_handler handlers[ARRAY_SIZE(ub_calls.stubs)] __ro_after_init;
static struct ftrace_ops ops;
static struct ub_text *stubs;

/* The handlers, from the kernel's own table. */
static int find_handlers(void)
{
	const sys_call_ptr_t *table = (void *)ub_symbol_find("sys_call_table");
	unsigned long none = ub_symbol_find("__x64_sys_ni_syscall");
	u32 i;

	if (!table) {
		pr_err("this kernel has no sys_call_table\n");
		return -EOPNOTSUPP;
	}
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if ((unsigned long)table[calls[i].nr] != none)
			handlers[calls[i].nr] = (ub_handler)table[calls[i].nr];
	return 0;
}

static void set_bit_of(u64 *bits, u32 nr)
{
	bits[nr / 64] |= 1ull << nr % 64;
}

/* How many stubs there are at most: one for each call, pre_call and post_call. */
#define STUB_CNT	(ARRAY_SIZE(calls) + 2)

/* Offsets of the stubs, in ub_calls until it is known where they are. */
static void write_stubs(struct ub_image *image)
{
	u32 i, nr;

	ub_calls.pre_call = ub_jit_pass_stub(image, (u64)ub_pre_call, &ub_barrier);
	ub_calls.post_call = ub_jit_pass_stub(image, (u64)ub_post_call, &ub_barrier);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		nr = calls[i].nr;
		if (!(calls[i].use & MAKE) || !handlers[nr])
			continue;
		ub_calls.stubs[nr] = ub_jit_call_stub(image, (u64)handlers[nr], &ub_barrier);
		set_bit_of(ub_calls.made, nr);
	}
}

/* For each call that may be made inside a block, and for the rest of C that blocks call, its stub in executable memory. */
static int make_stubs(void)
{
	struct ub_image image = {};
	int err = -ENOMEM;
	u32 nr;

	image.code = kvmalloc(STUB_CNT * UB_STUB_LEN, GFP_KERNEL);
	image.relocs = kvcalloc(STUB_CNT * UB_STUB_RELOCS, sizeof(*image.relocs), GFP_KERNEL);
	if (!image.code || !image.relocs)
		goto free;
	write_stubs(&image);
	stubs = ub_text_place(&image, 0, NULL, NULL);
	if (IS_ERR(stubs)) {
		err = PTR_ERR(stubs);
		goto free;
	}
	ub_calls.pre_call += (u64)stubs->code;
	ub_calls.post_call += (u64)stubs->code;
	for (nr = 0; nr < ARRAY_SIZE(ub_calls.stubs); nr++)
		if (ub_calls.stubs[nr])
			ub_calls.stubs[nr] += (u64)stubs->code;
	err = 0;
free:
	kvfree(image.relocs);
	kvfree(image.code);
	return err;
}

/* Another tracer that has its own direct call on the handler keeps it. */
static bool add_site(u32 nr)
{
	unsigned long site;

	if (!handlers[nr])
		return false;
	site = ub_sym(ftrace_location)((unsigned long)handlers[nr]);
	if (!site || ub_sym(ftrace_find_rec_direct)(site))
		return false;
	/* entry.S tells its caller by the address behind the call. */
	if (ub_hook_handler(site + MCOUNT_INSN_SIZE) != handlers[nr] || ftrace_set_filter_ip(&ops, site, 0, 0))
		return false;
	ub_calls.sites[nr] = site + MCOUNT_INSN_SIZE;
	set_bit_of(ub_calls.hooked, nr);
	ub_calls.hooked_cnt++;
	return true;
}

static int add_sites(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].use & HOOK && !add_site(calls[i].nr)) {
			pr_info("%s cannot be hooked\n", calls[i].name);
			ub_calls.failed_cnt++;
		}
	return ub_calls.hooked_cnt ? 0 : -EOPNOTSUPP;
}

/* A hook made while it is off works only when it is switched on again, and taking it away leaves ftrace confused. */
static bool is_ftrace_on(void)
{
	const int *enabled = (void *)ub_symbol_find("ftrace_enabled");

	return !enabled || READ_ONCE(*enabled);
}

int ub_hook_init(void)
{
	int err;

	if (!is_ftrace_on()) {
		pr_err("cannot hook system calls: ftrace is switched off (sysctl kernel.ftrace_enabled)\n");
		return -EOPNOTSUPP;
	}
	err = find_handlers();
	if (err)
		return err;
	err = make_stubs();
	if (err)
		return err;
	err = add_sites();
	if (!err)
		err = ub_direct_register(&ops, (unsigned long)ub_stub);
	if (err) {
		pr_err("cannot hook system calls (%d)\n", err);
		ftrace_free_filter(&ops);
		ub_text_free(stubs);
	}
	return err;
}

void ub_hook_exit(void)
{
	ub_direct_unregister(&ops, (unsigned long)ub_stub);
	ftrace_free_filter(&ops);
	ub_text_free(stubs);
}
