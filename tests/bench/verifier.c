// SPDX-License-Identifier: GPL-2.0
/*
 * verifier: how fast is it, beside the running kernel's own on BPF programs of the same size and shape?
 *	verifier [--json FILE]
 *
 * Both are measured in turn; of each the best time counts.  The kernel's is what it says of itself in the log of a load
 * (BPF_LOG_STATS); where programs cannot be loaded its figures are left out.  The slowest refusal is the longest time
 * that any of the blocks of tests/large.h that are made to take long keeps the verifier, accepted or not.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../kernel/ub-jit/jit.h"
#include "../large.h"
#include "../results.h"

#define CNT		20000u		/* instructions: the kernel follows at most 8192 branches in one program */
#define TRIES		20u
#define LIMIT		0x7ffffffff000ull
#define LOG_STATS	4u
#define MAX_FIGURES	8u

static struct result figures[MAX_FIGURES];
static u32 figure_cnt;

static void add_figure(const char *name, double value)
{
	figures[figure_cnt++] = (struct result){ name, value };
}

/* --- ours --- */

static double slowest_ms(void)
{
	double most = 0, best;
	enum ub_refusal refusal;
	u32 i;

	for (i = 0; i <= 64; i += 4) {
		const struct ub_block *block = i ? large_loops(UB_MAX_INSNS, i) : large_slow(UB_MAX_INSNS);

		best = large_verify(block, 3, &refusal);
		printf("%-24s %8u instructions %8.2f ms  %s\n", i ? "loops in loops" : "slow to settle", block->insn_cnt,
		       best * 1e3, refusal == UB_REFUSE_NONE ? "accepted" : ub_refusal_name(refusal));
		if (best > most)
			most = best;
	}
	return most * 1e3;
}

/* The least time in which the checker reads the image of @block, added to @seconds; its bytes to @bytes. */
static bool time_image(const struct ub_block *block, double *seconds, u64 *bytes)
{
	const struct ub_verify_env verify_env = { .limit = LIMIT };
	const struct ub_jit_env env = { .smap = true, .work_mask = 1, .work_off = 8, .pagefault_off = 16 };
	struct ub_verified *verified;
	struct ub_image_log log;
	struct ub_image *image;
	double best = 1e9, start, time;
	int err = ub_verify(block, &verify_env, NULL, &verified);
	u32 i;

	if (err)
		return false;
	err = ub_jit(verified, &env, &image);
	ub_verified_free(verified);
	if (err)
		return false;
	for (i = 0; i < TRIES && !err; i++) {
		start = large_seconds();
		err = ub_image_check(image, image->code, (u64)image->code, &env, LIMIT, &log);
		time = large_seconds() - start;
		best = time < best ? time : best;
	}
	if (err)
		fprintf(stderr, "verifier: an image is refused at %u: %s\n", log.off, log.text);
	printf("%-24s %8u bytes        %8.2f ms  %6.1f MB/s\n", "its machine code", image->code_len, best * 1e3,
	       image->code_len / best / 1e6);
	*seconds += best;
	*bytes += image->code_len;
	ub_image_free(image);
	return !err;
}

static bool time_images(void)
{
	double seconds = 0;
	u64 bytes = 0;

	if (!time_image(large_straight(CNT), &seconds, &bytes) || !time_image(large_branchy(CNT), &seconds, &bytes))
		return false;
	add_figure("image_check_mb_per_s", bytes / seconds / 1e6);
	return true;
}

/* --- the kernel's --- */

static struct bpf_insn program[CNT + 8];
static u32 program_cnt;

static void put(u8 code, u8 dst, u8 src, s16 off, s32 imm)
{
	program[program_cnt++] = (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm };
}

/* An address, a load from it and a sum, as in large_straight(). */
static void bpf_straight(void)
{
	program_cnt = 0;
	put(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	put(BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, 1);
	while (program_cnt < CNT - 5) {
		put(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
		put(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -24);
		put(BPF_LDX | BPF_MEM | BPF_DW, 3, 2, 16, 0);
		put(BPF_ALU64 | BPF_ADD | BPF_X, 0, 3, 0, 0);
	}
	put(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	put(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* One instruction in three jumps, as in large_branchy(), but all forwards: the kernel would follow each turn of a loop. */
static void bpf_branchy(void)
{
	program_cnt = 0;
	put(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	put(BPF_LDX | BPF_MEM | BPF_W, 1, 1, 0, 0);
	while (program_cnt < CNT - 5) {
		put(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1, program_cnt);
		put(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, program_cnt);
		put(BPF_ALU64 | BPF_MOV | BPF_X, 2, 0, 0, 0);
	}
	put(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	put(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Seconds, as the kernel says; negative if it does not load. */
static double load_time(void)
{
	static char log[4096];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = sizeof(log), .log_level = LOG_STATS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "ub_bench", "GPL", program, program_cnt, &opts);
	unsigned long us;

	if (fd < 0)
		return -1;
	close(fd);
	return sscanf(log, "verification time %lu usec", &us) == 1 ? us / 1e6 : -1;
}

/* --- both, in turn --- */

static bool compare(const char *shape, const struct ub_block *block, void (*make)(void), const char *ours, const char *hosts)
{
	double mine = 1e9, host = 1e9, time;
	enum ub_refusal refusal;
	u32 i;

	make();
	for (i = 0; i < TRIES; i++) {
		time = large_verify(block, 1, &refusal);
		if (refusal != UB_REFUSE_NONE) {
			fprintf(stderr, "verifier: %s: refused, %s\n", shape, ub_refusal_name(refusal));
			return false;
		}
		mine = time < mine ? time : mine;
		time = load_time();
		if (time > 0)
			host = time < host ? time : host;
	}
	add_figure(ours, block->insn_cnt / mine);
	printf("%-24s %8u instructions %8.2f ms  %6.2f M/s", shape, block->insn_cnt, mine * 1e3, block->insn_cnt / mine / 1e6);
	if (host < 1e9) {
		add_figure(hosts, program_cnt / host);
		printf("   kernel, %u of BPF: %8.2f ms  %6.2f M/s\n", program_cnt, host * 1e3, program_cnt / host / 1e6);
	} else {
		printf("   the kernel loads no BPF program here: %s\n", strerror(errno));
	}
	return true;
}

int main(int argc, char **argv)
{
	const char *json = argc == 3 && !strcmp(argv[1], "--json") ? argv[2] : NULL;

	if (argc != 1 && !json) {
		fprintf(stderr, "usage: verifier [--json FILE]\n");
		return 2;
	}
	if (!compare("straight line", large_straight(CNT), bpf_straight, "straight_insns_per_s", "host_straight_insns_per_s") ||
	    !compare("branches", large_branchy(CNT), bpf_branchy, "branchy_insns_per_s", "host_branchy_insns_per_s"))
		return 1;
	if (!time_images())
		return 1;
	add_figure("worst_refusal_ms", slowest_ms());
	if (json && !results_add(json, "make bench-verifier", figures, figure_cnt, "speed", "best of 20, in turn")) {
		fprintf(stderr, "verifier: cannot write %s: %s\n", json, strerror(errno));
		return 1;
	}
	return 0;
}
