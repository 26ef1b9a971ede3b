// SPDX-License-Identifier: GPL-2.0
/*
 * code: the mappings of a process from /proc/PID/maps, its bytes from /proc/PID/mem.
 *
 * Only what the kernel would take is given out: file-backed, private, executable, not writable.  The kernel tests
 * that again, and that nobody writes to the file.
 */
#include "code.h"

#include <sys/stat.h>
#include <unistd.h>

#include <libub/ub.h>

#define MAX_MAPPINGS	4096

static bool parse_mapping(const char *line, struct code_mapping *ret)
{
	unsigned long long start, end, offset, inode;
	char rights[5];

	if (sscanf(line, "%llx-%llx %4s %llx %*x:%*x %llu", &start, &end, rights, &offset, &inode) != 5)
		return false;
	if (rights[1] != '-' || rights[2] != 'x' || rights[3] != 'p' || !inode)
		return false;
	*ret = (struct code_mapping){ .start = start, .end = end, .offset = offset, .inode = inode };
	return true;
}

static int read_mappings(u32 pid, struct code *code)
{
	struct code_mapping mapping, *more;
	char path[64], line[4352];
	int err = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (!err && fgets(line, sizeof(line), maps)) {
		if (!parse_mapping(line, &mapping))
			continue;
		if (code->mapping_cnt == MAX_MAPPINGS) {
			err = -E2BIG;
			break;
		}
		if (code->mapping_cnt % 64 == 0) {
			more = realloc(code->mappings, (code->mapping_cnt + 64) * sizeof(*more));
			if (!more) {
				err = -ENOMEM;
				break;
			}
			code->mappings = more;
		}
		code->mappings[code->mapping_cnt++] = mapping;
	}
	fclose(maps);
	return err;
}

int code_open(u32 pid, struct code *ret)
{
	struct code code = { 0 };
	struct stat st;
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	if (!stat(path, &st))
		code.program = st.st_ino;
	code.mem_fd = ub_process_memory(pid);
	if (code.mem_fd < 0)
		return code.mem_fd;
	err = read_mappings(pid, &code);
	/* A process that has ended but was not waited for yet has no mappings. */
	if (!err && !code.mapping_cnt)
		err = -ESRCH;
	if (err) {
		code_close(&code);
		return err;
	}
	*ret = code;
	return 0;
}

void code_close(struct code *code)
{
	close(code->mem_fd);
	free(code->mappings);
}

static const struct code_mapping *mapping_at(const struct code *code, u64 ip)
{
	u32 i;

	for (i = 0; i < code->mapping_cnt; i++)
		if (ip >= code->mappings[i].start && ip < code->mappings[i].end)
			return &code->mappings[i];
	return NULL;
}

u32 code_read(void *ctx, u64 ip, u8 *buf, u32 len)
{
	const struct code *code = ctx;
	const struct code_mapping *mapping = mapping_at(code, ip);

	if (!mapping)
		return 0;
	if (len > mapping->end - ip)
		len = mapping->end - ip;
	return ub_process_peek(code->mem_fd, ip, buf, len);
}

bool code_read_data(void *ctx, u64 address, u32 len, u64 *ret)
{
	const struct code *code = ctx;
	u64 value = 0;

	if (len > sizeof(value) || ub_process_peek(code->mem_fd, address, &value, len) != len)
		return false;
	*ret = value;
	return true;
}

bool code_is_behind_call(struct code *code, u64 ip)
{
	u8 bytes[2];

	return code_read(code, ip - 2, bytes, 2) == 2 && bytes[0] == 0x0f && bytes[1] == 0x05;
}

bool code_identity(const struct code *code, u64 ip, u64 *ret_inode, u64 *ret_offset)
{
	const struct code_mapping *mapping = mapping_at(code, ip - 1);

	if (!mapping)
		return false;
	*ret_inode = mapping->inode + code->program * 0x9e3779b97f4a7c15ull;
	*ret_offset = ip - mapping->start + mapping->offset;
	return true;
}
