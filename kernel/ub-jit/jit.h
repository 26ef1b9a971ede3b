/* SPDX-License-Identifier: GPL-2.0 */
/*
 * jit: a verified block -> native code (pure: built into the module and into the user-space tests).
 *
 * The code is one function per entry, u64 code(struct ub_frame *frame), C calling convention.  It takes the guest's
 * registers from frame->regs, runs, writes them back, and returns the index of the exit taken (ub_image.exits).
 * While it runs rsp is the kernel stack, rbp the frame pointer with locals below it; layout.h has the others.
 */
#ifndef UB_JIT_H
#define UB_JIT_H

#include <ub/uapi.h>
#include "../../ir/vecop.h"
#include "../../verifier/image.h"
#include "../../verifier/verify.h"

/* 0; -ENOMEM; -E2BIG (code over UB_MAX_IMAGE); -EOPNOTSUPP (a call that is not on the allow-list, an instruction set that is
 * not in vec_features; nothing to fix by
 * the verifier).  *ret is set on 0 only, and owns its arrays. */
int ub_jit(const struct ub_verified *verified, const struct ub_jit_env *env, struct ub_image **ret);
void ub_image_free(struct ub_image *image);

/* What makes a processor forget the branches that it has seen, before C runs behind an image's. */
struct ub_barrier {
	u64 clear;		/* called; changes only eax, ecx and flags; 0: not needed */
	bool fence;		/* the IBHF instruction */
};

/*
 * The trusted step between an image and a handler: the image never writes ip or orig_ax itself.  A stub takes pt_regs
 * in r8, the address behind the syscall instruction in r9 and the guest's rax in rax; sets ip, orig_ax = rax and
 * ax = -ENOSYS, and jumps to the handler with rdi = pt_regs.  That between an image and a C function with an argument in
 * rdi only passes on to @target.  Both append UB_STUB_LEN bytes to @image->code and at most UB_STUB_RELOCS to @image->relocs,
 * which have room, and return where the stub begins.
 */
#define UB_STUB_LEN	48u
#define UB_STUB_RELOCS	2u
u32 ub_jit_call_stub(struct ub_image *image, u64 handler, const struct ub_barrier *barrier);
u32 ub_jit_pass_stub(struct ub_image *image, u64 target, const struct ub_barrier *barrier);

#endif
