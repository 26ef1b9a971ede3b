// SPDX-License-Identifier: GPL-2.0
/*
 * region: a function of a traced program, lifted whole.
 *
 * Its block begins at the function and ends where it returns to.  It is interpreted on the tracee's memory and run as an
 * image; then the processor runs the function up to where the block has left it, and must get there in that state.
 */
#include "lockstep.h"

#define MAX_REGIONS	8192
#define TIMES		4	/* each is compared */
#define MAX_PASSES	2000	/* by the place where the block has left, in other states */

struct region {
	u64 ip, ret;
	u32 tried;
	struct entry entry;
};

static struct region *regions[MAX_REGIONS];
static u32 region_cnt;
static const struct tracee *reading;

static u32 read_code(void *ctx, u64 ip, u8 *to, u32 len)
{
	(void)ctx;
	while (len && !tracee_read(reading, ip, to, len))
		len /= 2;
	return len;
}

static bool read_data(void *ctx, u64 addr, u32 len, u64 *ret)
{
	(void)ctx;
	*ret = 0;
	return tracee_read(reading, addr, ret, len);
}

static void make(struct region *region)
{
	const struct ub_verify_env env = { .limit = LIMIT };
	struct ub_lift_request request = {
		.read_code = read_code, .read_data = read_data, .roots = &region->ip, .root_cnt = 1,
		.entries = &region->ip, .entry_cnt = 1, .goals = &region->ret, .goal_cnt = 1,
	};
	struct ub_log log = { 0 };

	if (ub_lift(&request, &region->entry.lifted))
		region->entry.why = "not lifted";
	else if (ub_verify(&region->entry.lifted->block, &env, &log, &region->entry.verified))
		region->entry.why = "refused by the verifier";
	else if (ub_harness_make(region->entry.verified, false, &region->entry.image))
		region->entry.why = "does not compile";
}

static struct region *find(const struct tracee *tracee, u64 ip, u64 ret)
{
	struct region *region;
	u32 i;

	for (i = 0; i < region_cnt; i++)
		if (regions[i]->ip == ip && regions[i]->ret == ret)
			return regions[i];
	if (region_cnt == MAX_REGIONS)
		return NULL;
	region = ub_alloc(1, sizeof(*region));
	if (!region)
		return NULL;
	region->ip = region->entry.ip = ip;
	region->ret = ret;
	snprintf(region->entry.name, sizeof(region->entry.name), "function");
	reading = tracee;
	make(region);
	regions[region_cnt++] = region;
	return region;
}

/* On to where the block has left; false when that is never reached in its state. */
static const char *follow(struct tracee *tracee, struct entry *entry, const struct guest *before)
{
	const struct ub_interp *to = compare_expected();
	const char *what = "it comes by often, but never in the state of the block";
	u32 i;

	if (to->ip == before->ip)
		return compare_check(tracee, entry, before);
	for (i = 0; i < MAX_PASSES && !tracee->is_over; i++) {
		tracee_run_to(tracee, to->ip, to->regs[UB_RSP]);
		if (tracee->is_over)
			return "it does not get where the block has left";
		what = compare_check(tracee, entry, before);
		if (!what)
			return NULL;
	}
	return what;
}

bool region_try(struct tracee *tracee, struct entry **ret_entry, const char **ret_what)
{
	struct guest before;
	struct region *region;
	u64 ret;

	if (!tracee_read(tracee, tracee->regs.rsp, &ret, 8))
		return false;
	region = find(tracee, tracee->regs.rip, ret);
	if (!region || region->entry.why || region->tried++ >= TIMES)
		return false;
	guest_take(&before, tracee);
	if (!compare_predict(tracee, &region->entry, &before))
		return false;
	*ret_entry = &region->entry;
	*ret_what = follow(tracee, &region->entry, &before);
	region->entry.compared++;
	region->entry.is_different |= *ret_what != NULL;
	return true;
}

void regions_each(void (*fn)(struct entry *entry, void *ctx), void *ctx)
{
	u32 i;

	for (i = 0; i < region_cnt; i++)
		fn(&regions[i]->entry, ctx);
}

void regions_free(void)
{
	while (region_cnt) {
		struct region *region = regions[--region_cnt];

		ub_image_free(region->entry.image);
		ub_verified_free(region->entry.verified);
		ub_lifted_free(region->entry.lifted);
		ub_free(region);
	}
}
