// SPDX-License-Identifier: GPL-2.0
/*
 * jit_image: the machine code of random blocks, read back (reread.h).
 *
 * usage: jit_image [PROGRAMS [SEED]]
 */
#include "../gen.h"
#include "../reread.h"

#define FAKE_STUB	0x7000ull
#define FAKE_SLOW	0x7100ull

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
		.smap = true, .flags_off = 0, .work_mask = 0x2300e, .work_off = 8, .work_exit_mask = 0x5a,
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
		if (!try_one(&g, &env, &bytes)) {
			fprintf(stderr, "program %u of seed %llu\n", i, (unsigned long long)seed);
			bad++;
		}
	}
	printf("jit_image: %u programs, %llu bytes\n", i, (unsigned long long)bytes);
	printf("%d passed, %d failed\n", !bad, bad);
	return bad != 0;
}
