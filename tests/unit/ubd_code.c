// SPDX-License-Identifier: GPL-2.0
/* ubd_code: which bytes of a process does ubd take for code that may be lifted? */
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../userspace/libub/code.h"

/* A function with a restartable sequence in it, as librseq makes them. */
asm(".pushsection .text.counted, \"ax\"\n"
    ".p2align 6\n"
    "counted:		nop\n	nop\n	nop\n"
    "counted_start:	addq $1, (%rdi)\n"
    "counted_last:	nop\n"
    "counted_end:	ret\n	nop\n"
    "counted_after:	.fill 64, 1, 0x90\n"
    ".popsection\n"
    ".pushsection __rseq_cs, \"aw\"\n"
    ".p2align 5\n"
    "	.long 0, 0\n	.quad counted_start, counted_end - counted_start, counted_end\n"
    ".popsection\n");
extern const char counted[], counted_start[], counted_last[], counted_end[], counted_after[];

static u32 passed, failed;

static void check(bool is_good, const char *what)
{
	if (is_good) {
		passed++;
		return;
	}
	failed++;
	printf("not ok %s\n", what);
}

static u32 len_at(struct code *code, const void *at, u32 len)
{
	u8 buf[4096];

	return code_read(code, (u64)at, buf, len);
}

int main(void)
{
	const char *vdso = (const char *)getauxval(AT_SYSINFO_EHDR);
	static const char text[] = "no ELF file";
	char name[] = "/tmp/ubd_code.XXXXXX";
	struct code code;
	u8 bytes[2];
	void *anonymous, *plain;
	int fd = mkstemp(name);

	anonymous = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(write(fd, text, sizeof(text)) == sizeof(text), "a plain file");
	plain = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	unlink(name);
	check(!code_open(getpid(), &code), "open");

	check(len_at(&code, main, 16) == 16, "code of the program");
	check(len_at(&code, printf, 16) == 16, "code of a library");
	check(len_at(&code, text, 1) == 0, "its data");
	check(len_at(&code, &code, 1) == 0, "the stack");
	check(len_at(&code, anonymous, 1) == 0, "code in no file");
	check(len_at(&code, plain, 1) == 0, "code in a file that may have sequences anywhere");

	check(len_at(&code, vdso, 64) == 64, "the vDSO");
	check(code_read(&code, (u64)vdso + 1, bytes, 2) == 2 && !memcmp(bytes, vdso + 1, 2), "its bytes");

	check(len_at(&code, counted, 64) == counted_start - counted, "up to a restartable sequence");
	check(len_at(&code, counted_start, 1) == 0, "its first byte");
	check(len_at(&code, counted_last, 1) == 0, "its last byte");
	check(len_at(&code, counted_end, 1) == 1, "the byte behind it");
	check(len_at(&code, counted_after, 32) == 32, "what comes after");

	code_close(&code);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
