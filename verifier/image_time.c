// SPDX-License-Identifier: GPL-2.0
/*
 * image_time: does an image look for work often enough?
 *
 * Promise: no way through it has more than IM_MAX_STRETCH instructions between two looks (or ticks, of which there are
 * UB_TICKS between looks), entry and exit included.  A stretch begins at a label or a look; what follows it without a look
 * is noted.  If these form no cycle, and they cannot if a longest way can be found, that way is the bound.
 */
#include "image_env.h"

#define END	0u		/* the stretch that all others lead to */

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

/* first[n]: where in @order the flows out of stretch n begin; waits[n]: how many come into it. */
static void sort_flows(const struct im *im, u32 *first, u32 *order, u32 *waits)
{
	u32 i, n;

	for (i = 0; i < im->flow_cnt; i++) {
		first[im->flows[i].from + 1]++;
		waits[im->flows[i].to]++;
	}
	for (n = 0; n < im->node_cnt; n++)
		first[n + 1] += first[n];
	for (i = 0; i < im->flow_cnt; i++)
		order[first[im->flows[i].from]++] = i;
	for (n = im->node_cnt; n > 0; n--)
		first[n] = first[n - 1];
	first[0] = 0;
}

/* Takes stretches away into which nothing comes (any more).  @ready has room for all.  How many could be taken. */
static u32 take_all(struct im *im, const u32 *first, const u32 *order, u32 *waits, u32 *longest, u32 *ready)
{
	u32 cnt = 0, done, n, i, len;

	for (n = 0; n < im->node_cnt; n++)
		if (!waits[n])
			ready[cnt++] = n;
	for (done = 0; done < cnt; done++) {
		n = ready[done];
		for (i = first[n]; i < first[n + 1]; i++) {
			const struct im_flow *flow = &im->flows[order[i]];

			len = longest[n] + flow->len;
			if (len > longest[flow->to])
				longest[flow->to] = len;
			if (len > IM_MAX_STRETCH)
				return cnt;
			if (!--waits[flow->to])
				ready[cnt++] = flow->to;
		}
	}
	return cnt;
}

bool im_time_check(struct im *im)
{
	u32 nodes = im->node_cnt, cnt = 0;
	u32 *mem = ub_alloc(4 * (size_t)nodes + 1 + im->flow_cnt, sizeof(*mem));

	if (!mem) {
		im->err = -ENOMEM;
		return false;
	}
	sort_flows(im, mem, mem + 4 * (size_t)nodes + 1, mem + nodes + 1);
	cnt = take_all(im, mem, mem + 4 * (size_t)nodes + 1, mem + nodes + 1, mem + 2 * (size_t)nodes + 1,
		       mem + 3 * (size_t)nodes + 1);
	ub_free(mem);
	if (cnt < nodes)
		return im_refuse(im, "a way through it looks for work too seldom, or goes round without");
	return true;
}
