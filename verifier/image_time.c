// SPDX-License-Identifier: GPL-2.0
/*
 * image_time: does an image look for work often enough?
 *
 * Promise: no way through it has more than IM_MAX_STRETCH instructions between two looks (or ticks, of which there are
 * UB_TICKS between looks), entry and exit included.  A stretch begins at a label or a look; what follows it without a look
 * is noted, and how many instructions led there.  The longest way to each stretch grows until nothing changes.
 */
#include "image_env.h"

#define END		0u	/* the stretch that all others lead to */
#define MAX_PASSES	256u	/* so many jumps back may follow each other without a look */

bool im_flow_to(struct im *im, u32 node)
{
	if (!im_grow(im, (void **)&im->flows, im->flow_cnt, &im->flow_cap, sizeof(*im->flows)))
		return false;
	im->flows[im->flow_cnt++] = (struct im_flow){ .from = im->node, .to = node, .len = im->node_len };
	return true;
}

bool im_looked(struct im *im)
{
	if (!im_flow_to(im, END))
		return false;
	im->node = im->node_cnt++;
	im->node_len = 0;
	return true;
}

/* Flows stand in the order of the code, so one pass carries a length along all that leads forward. */
static bool lengthen(const struct im *im, u32 *longest, bool *ret_changed)
{
	u32 i, len;

	*ret_changed = false;
	for (i = 0; i < im->flow_cnt; i++) {
		len = longest[im->flows[i].from] + im->flows[i].len;
		if (len <= longest[im->flows[i].to])
			continue;
		if (len > IM_MAX_STRETCH)
			return false;
		longest[im->flows[i].to] = len;
		*ret_changed = true;
	}
	return true;
}

/* Sound: when nothing changes every flow is heeded; what goes round without a look is longer each time. */
bool im_time_check(struct im *im)
{
	u32 *longest = ub_alloc(im->node_cnt, sizeof(*longest)), pass;
	bool is_good = true, changed = true;

	if (!longest) {
		im->err = -ENOMEM;
		return false;
	}
	for (pass = 0; pass < MAX_PASSES && is_good && changed; pass++)
		is_good = lengthen(im, longest, &changed);
	ub_free(longest);
	return (is_good && !changed) || im_refuse(im, "a way through it looks for work too seldom, or goes round without");
}
