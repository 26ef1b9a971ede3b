// SPDX-License-Identifier: GPL-2.0
/*
 * sequence: where in a mapped file are the restartable sequences?
 *
 * They are named by descriptors in the section __rseq_cs, whose addresses the dynamic linker has put right in the
 * process's memory.  The thread is sent to a sequence's abort address when it was preempted within it; nothing sees
 * that for code which runs in a block, so it must stay where it is.
 */
#include "sequence.h"

#include <gelf.h>

#include "ub.h"

#define MAX_SEQUENCES	4096u

/* As <linux/rseq.h> has it. */
struct descriptor {
	u32 version;
	u32 flags;
	u64 start;
	u64 len;
	u64 abort;
};

/* What to add to the file's addresses. */
static bool find_bias(Elf *elf, u64 start, u64 offset, u64 *ret)
{
	GElf_Phdr phdr;
	size_t cnt, i;

	if (elf_getphdrnum(elf, &cnt))
		return false;
	for (i = 0; i < cnt; i++) {
		if (!gelf_getphdr(elf, i, &phdr) || phdr.p_type != PT_LOAD)
			continue;
		/* Mappings are of whole pages. */
		if (offset < (phdr.p_offset & ~4095ull) || offset >= phdr.p_offset + phdr.p_filesz)
			continue;
		*ret = start - offset + phdr.p_offset - phdr.p_vaddr;
		return true;
	}
	return false;
}

static bool find_section(Elf *elf, GElf_Shdr *ret)
{
	Elf_Scn *section = NULL;
	const char *name;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, ret))
			continue;
		name = elf_strptr(elf, names, ret->sh_name);
		if (name && !strcmp(name, "__rseq_cs"))
			return true;
	}
	return false;
}

static int read_descriptors(int mem_fd, u64 address, u32 cnt, struct sequence **ret)
{
	size_t len = cnt * sizeof(struct descriptor);
	struct sequence *sequences = calloc(cnt, sizeof(*sequences));
	struct descriptor *descriptors = malloc(len);
	u32 i;
	int err = -ENOMEM;

	if (!sequences || !descriptors)
		goto free;
	err = -EIO;
	if (ub_process_peek(mem_fd, address, descriptors, len) != len)
		goto free;
	for (i = 0; i < cnt; i++)
		sequences[i] = (struct sequence){
			.start = descriptors[i].start, .end = descriptors[i].start + descriptors[i].len,
		};
	free(descriptors);
	*ret = sequences;
	return 0;
free:
	free(descriptors);
	free(sequences);
	return err;
}

static int find(Elf *elf, int mem_fd, u64 start, u64 offset, struct sequence **ret, u32 *ret_cnt)
{
	GElf_Shdr section;
	u64 bias, cnt;
	int err = 0;

	*ret = NULL;
	*ret_cnt = 0;
	if (elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64 || !find_bias(elf, start, offset, &bias))
		return -ENOEXEC;
	if (!find_section(elf, &section))
		return 0;
	cnt = section.sh_size / sizeof(struct descriptor);
	if (cnt > MAX_SEQUENCES)
		return -E2BIG;
	if (cnt)
		err = read_descriptors(mem_fd, section.sh_addr + bias, cnt, ret);
	if (!err)
		*ret_cnt = cnt;
	return err;
}

int sequence_find(int file_fd, int mem_fd, u64 start, u64 offset, struct sequence **ret, u32 *ret_cnt)
{
	Elf *elf;
	int err;

	elf_version(EV_CURRENT);
	elf = elf_begin(file_fd, ELF_C_READ, NULL);
	if (!elf)
		return -ENOEXEC;
	err = find(elf, mem_fd, start, offset, ret, ret_cnt);
	elf_end(elf);
	return err;
}
