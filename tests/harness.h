/* SPDX-License-Identifier: GPL-2.0 */
/*
 * harness: runs the JIT's image on the real CPU in user space.
 *
 * The image is the same but for stac/clac, which user space may not run.  Memory is the process's own; a fault goes
 * through the image's fault table, as in the kernel.
 */
#ifndef UB_HARNESS_H
#define UB_HARNESS_H

#include "../ir/interp.h"
#include "../kernel/ub-jit/jit.h"

/*
 * Enters at block->entries[@entry_idx] with @state's registers and flags; on 0 they hold what the guest is left with,
 * state->ip where it goes on, *ret_kind why, *ret_exit the image's record of it.  Of @world: syscall, limit, fs_base and
 * must_yield (asked once, before) are used.  The vector registers are @state's if it has_vectors.  Errors are those of ub_jit(), or -ENOMEM.
 */
int ub_harness_run(const struct ub_verified *verified, const struct ub_interp_world *world, u32 entry_idx,
		   struct ub_interp *state, enum ub_exit_kind *ret_kind, struct ub_image_exit *ret_exit);

/*
 * The same in parts, to run one image many times.  make: compiles, places and (but for _unchecked) checks the image; the two placed last are those
 * that may be entered, and code says where they stand; place puts one there again, place_at
 * so many bytes further (modulo UB_HARNESS_SHIFT).  @is_behind_call: all entries are
 * right behind a call (see struct ub_jit_env).  enter: a world without syscall leaves at each.  Faults are the caller's:
 * its handler goes on at ub_harness_fixup() of the ip, which is 0 when the image has not run.
 */
int ub_harness_make_unchecked(const struct ub_verified *verified, bool is_behind_call, struct ub_image **ret);
int ub_harness_make(const struct ub_verified *verified, bool is_behind_call, struct ub_image **ret);
void ub_harness_enter(const struct ub_image *image, const struct ub_interp_world *world, u32 entry_idx,
		      struct ub_interp *state, struct ub_image_exit *ret);
#define UB_HARNESS_SHIFT	4096u
void ub_harness_place(const struct ub_image *image);
void ub_harness_place_at(const struct ub_image *image, u32 shift);
u8 *ub_harness_code(const struct ub_image *image);
u64 ub_harness_fixup(u64 ip);

#endif
