// SPDX-License-Identifier: GPL-2.0
/*
 * fentry: puts a BPF program at the start of a kernel function, and holds it there until standard input ends.
 *
 * usage: fentry FUNCTION	says "attached", or "cannot attach: WHY"; the status is 0 only if it was there
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* return 0 */
static const struct bpf_insn insns[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int id, prog, link;
	char byte;

	if (argc != 2) {
		fprintf(stderr, "usage: fentry FUNCTION\n");
		return 2;
	}
	id = libbpf_find_vmlinux_btf_id(argv[1], BPF_TRACE_FENTRY);
	if (id < 0) {
		printf("cannot find %s\n", argv[1]);
		return 1;
	}
	opts.attach_btf_id = id;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "ub_test", "GPL", insns, sizeof(insns) / sizeof(*insns), &opts);
	if (prog < 0) {
		printf("cannot load: %s\n", strerror(errno));
		return 1;
	}
	link = bpf_raw_tracepoint_open(NULL, prog);
	if (link < 0) {
		printf("cannot attach: %s\n", strerror(errno));
		return 1;
	}
	puts("attached");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
