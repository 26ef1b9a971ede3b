// SPDX-License-Identifier: GPL-2.0
/*
 * jit_image: the machine code of random blocks, read back (reread.h), for kernels and processors of each kind: with SMAP
 * and without, with indirect branch tracking, with a return thunk.  Made for one kind it is refused on another.
 *
 * usage: jit_image [PROGRAMS [SEED]]
 */
#define _GNU_SOURCE
#include <string.h>

#include "../gen.h"
#include "../reread.h"

#define FAKE_STUB	0x7000ull
#define FAKE_SLOW	0x7100ull
#define FAKE_THUNK	0x7200ull

static u32 wrong_kinds;

/* One difference at a time.  User memory is opened, by stac, where it is touched. */
static bool is_told(const struct ub_image *image, const struct ub_jit_env *made_with)
{
	struct ub_jit_env env = *made_with;
	u32 off;

	env.ibt = !env.ibt;
	if (!reread_check(image, &env, gen_limit, &off))
		return false;
	env = *made_with;
	env.return_thunk = env.return_thunk ? 0 : FAKE_THUNK;
	if (!reread_check(image, &env, gen_limit, &off))
		return false;
	wrong_kinds += 2;
	if (!made_with->smap || !memmem(image->code, image->code_len, "\x0f\x01\xcb", 3))
		return true;
	wrong_kinds++;
	env = *made_with;
	env.smap = false;
	return reread_check(image, &env, gen_limit, &off);
}

static bool try_one(const struct gen *g, const struct ub_jit_env *env, u64 *ret_bytes)
{
	struct ub_entry entry = { .ip = GEN_BASE_IP };
	struct ub_block block = { .insns = g->insns, .insn_cnt = g->cnt, .entries = &entry, .entry_cnt = 1,
		.resident = g->resident };
	struct ub_verify_env verify_env = { .limit = gen_limit };
	struct ub_log log = { 0 };
	struct ub_verified *verified;
	struct ub_image *image;
	const char *why;
	u32 off;

	if (ub_verify(&block, &verify_env, &log, &verified))
		return true;	/* jit_random judges the generator */
	if (ub_jit(verified, env, &image)) {
		ub_verified_free(verified);
		return false;
	}
	*ret_bytes += image->code_len;
	why = reread_image(image, &block, env, &off);
	if (!why)
		why = reread_check(image, env, gen_limit, &off);
	if (why)
		fprintf(stderr, "at %#x: %s\n", off, why);
	if (!why && !is_told(image, env)) {
		fprintf(stderr, "accepted for another kind of machine\n");
		why = "";
	}
	ub_image_free(image);
	ub_verified_free(verified);
	return !why;
}

int main(int argc, char **argv)
{
	u32 total = argc > 1 ? strtoul(argv[1], NULL, 0) : 3000, i, bad = 0;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, bytes = 0, stubs[512];
	static struct gen g;
	struct ub_jit_env env = {
		.flags_off = 0, .work_mask = 0x2300e, .work_off = 8, .work_exit_mask = 0x5a,
		.pagefault_off = 64, .pre_call = FAKE_SLOW, .post_call = FAKE_SLOW,
		.int_features = UB_INT_F_ALL,
		.call_stubs = stubs, .call_stub_cnt = ARRAY_SIZE(stubs),
	};

	for (i = 0; i < ARRAY_SIZE(stubs); i++)
		stubs[i] = FAKE_STUB;
	if (gen_map_buf())
		return 1;
	for (i = 0; i < total && !bad; i++) {
		gen_seed(seed, i);
		gen_block(&g);
		env.smap = i & 1;
		env.ibt = i & 2;
		env.return_thunk = i & 4 ? FAKE_THUNK : 0;
		if (!try_one(&g, &env, &bytes)) {
			fprintf(stderr, "program %u of seed %llu\n", i, (unsigned long long)seed);
			bad++;
		}
	}
	printf("jit_image: %u programs, %llu bytes, %u times the wrong machine\n", i, (unsigned long long)bytes, wrong_kinds);
	printf("%d passed, %d failed\n", !bad, bad);
	return bad != 0;
}
