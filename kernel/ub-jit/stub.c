// SPDX-License-Identifier: GPL-2.0
/*
 * stub: what stands between an image and the C that it calls?
 *
 * A block is branch history that a user chose.  The kernel clears it at its own entry, where blocks do not pass, so stubs
 * do, in the same way as for programs of unprivileged BPF.
 */
#include "jit.h"
#include "lower.h"

static void reloc(struct ub_image *image, u32 off, u64 target)
{
	image->relocs[image->reloc_cnt++] = (struct ub_image_reloc){ .off = image->code_len + off, .target = target };
}

/* Only eax, ecx and flags change, which are nobody's here: arguments of C are in rdi. */
static void emit_barrier(struct ub_image *image, struct x86_code *code, const struct ub_barrier *barrier)
{
	if (barrier->clear)
		reloc(image, x86_call(code), barrier->clear);
	if (barrier->fence)
		x86_ibhf(code);
}

static u32 finish(struct ub_image *image, struct x86_code *code, u64 target)
{
	u32 off = image->code_len;

	reloc(image, x86_jmp(code), target);
	memset(code->buf + code->len, 0xcc, UB_STUB_LEN - code->len);
	image->code_len += UB_STUB_LEN;
	return off;
}

u32 ub_jit_call_stub(struct ub_image *image, u64 handler, const struct ub_barrier *barrier)
{
	struct x86_code code = { .buf = image->code + image->code_len, .cap = UB_STUB_LEN };

	x86_mov_rm_reg(&code, UB_W64, x86_mem(STUB_PT, PT_ORIG_AX), X86_RAX);
	x86_mov_rm_reg(&code, UB_W64, x86_mem(STUB_PT, PT_IP), STUB_IP);
	emit_barrier(image, &code, barrier);
	return finish(image, &code, handler);
}

u32 ub_jit_pass_stub(struct ub_image *image, u64 target, const struct ub_barrier *barrier)
{
	struct x86_code code = { .buf = image->code + image->code_len, .cap = UB_STUB_LEN };

	emit_barrier(image, &code, barrier);
	return finish(image, &code, target);
}
