/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry: what a hooked system call handler calls first (an ftrace direct call).
 *
 * On entry (%rsp) is the address in the handler behind its call here, 8(%rsp) the handler's return address, rdi the
 * task's pt_regs.  A task that is not attached goes on with the handler: three instructions.  For an attached one the
 * address in the handler is dropped, and ub_hook() becomes the handler's stand-in; that address is its second argument
 * and says which handler that was.
 */
#include <linux/linkage.h>
#include <asm/percpu.h>
#include <asm/unwind_hints.h>

	.text
SYM_FUNC_START(ub_stub)
	ANNOTATE_NOENDBR
	cmpq	$0, %gs:ub_cur(%rip)
	jne	1f
	RET
1:
	movq	(%rsp), %rsi
	addq	$8, %rsp
	UNWIND_HINT_FUNC
	jmp	ub_hook
SYM_FUNC_END(ub_stub)
