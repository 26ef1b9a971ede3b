// SPDX-License-Identifier: GPL-2.0
/*
 * lift_ends: what must never be lifted, however right a translation of it would look in user space.
 *
 * x87 and MMX (their state is not open in the kernel), AVX-512, transactions, segment registers and what lies behind gs,
 * ports, and whatever is privileged or depends on who runs it.
 */
#include "../../lifter/decode.h"

static const char *const codes[] = {
	/* x87 and MMX */
	"d8 03", "d9 00", "dd 18", "df e0", "9b", "0f 77", "0f 6f 03", "0f fc c1", "0f 2a c1", "0f 2d c1",
	"0f ae 03", "0f ae 0b", "0f c7 23", "f2 0f d6 c1", "f3 0f d6 c1", "0f 0f c1 9e",
	/* AVX-512: registers, masks, and EVEX spellings of what AVX has too */
	"62 f1 7c 48 58 c1", "62 f1 7c 08 58 c1", "62 f1 7c 09 58 c1", "62 f1 7c 18 58 03", "62 f1 fd 48 6f 03",
	"c5 f8 90 c1", "c5 f8 92 c0", "c5 ec 41 cb",
	/* transactions */
	"c7 f8 00 00 00 00", "0f 01 d5", "0f 01 d6", "c6 f8 01", "f2 f0 01 03", "f3 f0 01 03",
	/* segments */
	"8e d8", "8c d8", "0f a1", "0f a9", "0f b4 03", "65 48 8b 03", "65 48 89 03", "65 f3 0f 10 03", "f3 48 0f ae d0",
	"f3 48 0f ae c0", "0f 00 c0", "0f 02 c1", "0f 03 c1",
	/* ports */
	"ec", "ef", "e4 10", "6c", "f3 6f",
	/* the system's */
	"0f 01 d0", "0f 01 d1", "0f 01 03", "0f 01 d8", "0f 01 f8", "0f 06", "0f 08", "0f 09", "0f 20 c0", "0f 22 c0",
	"0f 30", "0f 32", "0f 33", "0f 35", "0f 34", "0f 07", "f4", "fa", "fb", "cf", "48 cf", "0f a2", "0f 0b", "cc",
	"cd 80", "0f 01 ee", "0f 01 ef", "0f ae 17", "0f ae 3b", "66 0f 38 82 03", "0f 01 c1", "9d", "fd",
	"cb", "ff 1b", "ff 2b", "48 ff 2b", "f3 0f 1e c8", "f3 0f ae 2b", "0f c7 f0", "0f c7 f8", "f3 0f a7 c0",
};

static u32 parse(const char *text, u8 *to)
{
	u32 len = 0;
	char *end;

	while (*text && len < 15) {
		to[len++] = strtoul(text, &end, 16);
		text = end + (*end == ' ');
	}
	return len;
}

int main(void)
{
	u32 i, failed = 0;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		struct ub_x86_insn insn;
		u8 bytes[15];
		u32 len = parse(codes[i], bytes);

		ub_decode(bytes, len, 0x1000, &insn);
		if (insn.why[0])
			continue;
		printf("lift_ends: %s would be lifted\n", codes[i]);
		failed++;
	}
	printf("%u passed, %u failed\n", (u32)ARRAY_SIZE(codes) - failed, failed);
	return failed != 0;
}
