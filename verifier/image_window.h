/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image_window: the core rule of the image checker, see image_window.c.
 */
#ifndef UB_IMAGE_WINDOW_H
#define UB_IMAGE_WINDOW_H

#include "reg.h"
#include "verify.h"

/*
 * Does base + (index << scale) + disp, and @bytes (1..64) from there, lie in the window?  @index: NULL if there is none;
 * scale < 4.  Both have kinds other than unwritten.
 */
bool im_in_window(const struct ub_reg *base, const struct ub_reg *index, u32 scale, s32 disp, u32 bytes, u64 limit);

#endif
