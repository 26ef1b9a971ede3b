// SPDX-License-Identifier: GPL-2.0
/*
 * image_hostile: what an enemy's machine code would try.  Each row of image_hostile.h stands in an image whose entry and
 * exit are right, and must be refused; those that differ from them in a word and do no harm are accepted.
 *
 * The frame: eax..edi are the guest's, rbx is pt_regs, r15 the task, r12 nobody's; [rbp-80] is written, [rbp-88] not; access
 * is open, page faults are off.  In hex, ! stands before an instruction that has an entry in the fault table.
 */
#include <stdio.h>
#include <string.h>

#include "../../kernel/ub-jit/jit.h"

#define ADDRESS		0x10000000ull
#define LIMIT		0x7ffffffff000ull
#define NR		39u

struct row {
	bool is_good;
	const char *text, *hex;
};

#define GOOD(text, hex)	{ true, text, hex },
#define BAD(text, hex)	{ false, text, hex },
static const struct row rows[] = {
#include "image_hostile.h"
};

/* The prologue, the locals of the kernel's, guest registers; lfence; stac. */
static const char start[] =
	"55488bec53415441554156415748" "81eca8000000"
	"48897dd0488b4708488945c8488b4710488945c04881e80000100048898540ffffff48b8ffffffffff7f000048898530ffffff"
	"488b4720488945b0488b1f48895d904c8b7dc8488b4350488b4b58488b5360488b7368488b7b700faee80f01cb";
/* clac; mov eax, 0; the epilogue; ret. */
static const char end[] = "0f01cab8000000004881c4a8000000415f415e415d415c5b5dc3";

static u8 code[4096];
static struct ub_image_fault faults[16];
static u32 len, fault_cnt;

static void append(const char *hex)
{
	unsigned int byte;

	for (; *hex; hex++) {
		if (*hex == '!') {
			faults[fault_cnt++].insn_off = len;
		} else {
			sscanf(hex++, "%2x", &byte);
			code[len++] = byte;
		}
	}
}

static int check(const struct row *row, struct ub_image_log *log)
{
	static u64 stubs[NR + 1] = { [NR] = ADDRESS + 0x2004e0 };
	const struct ub_jit_env env = {
		.smap = true, .flags_off = 0, .work_mask = 0x2300e, .work_off = 8, .work_exit_mask = 0x5a, .pagefault_off = 64,
		.pre_call = ADDRESS + 0x300100, .post_call = ADDRESS + 0x300200, .call_stubs = stubs, .call_stub_cnt = NR + 1,
		.vec_features = ~0u, .int_features = UB_INT_F_ALL,
	};
	struct ub_image_exit exit = { .ip = 0x1000 };
	struct ub_image_entry entry = { .ip = 0x1000 };
	struct ub_image image = {
		.exits = &exit, .exit_cnt = 1, .entries = &entry, .entry_cnt = 1, .faults = faults, .ticks = UB_NOREG };
	u32 i;

	len = fault_cnt = 0;
	append(start);
	append(row->hex);
	for (i = 0; i < fault_cnt; i++)
		faults[i].fixup_off = len;
	append(end);
	image.code_len = len;
	image.fault_cnt = fault_cnt;
	return ub_image_check(&image, code, ADDRESS, &env, LIMIT, log);
}

int main(int argc, char **argv)
{
	u32 failed = 0, passed = 0, i;
	struct ub_image_log log;
	int err;

	(void)argv;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		err = check(&rows[i], &log);
		if (argc > 1)
			printf("%s: %s\n", rows[i].text, log.text);
		if (rows[i].is_good ? !err : err == -EACCES) {
			passed++;
			continue;
		}
		fprintf(stderr, "%s: %s at %u: %s\n", rows[i].is_good ? "refused" : "accepted", rows[i].text, log.off, log.text);
		failed++;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
