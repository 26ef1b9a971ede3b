// SPDX-License-Identifier: GPL-2.0
/*
 * code: the mappings of a process from /proc/PID/maps, its bytes from /proc/PID/mem.
 *
 * Only what the kernel would take is given out: of a file or the vDSO, private, executable, not writable.  The kernel
 * tests that again, and that nobody writes to the file.  Restartable sequences are not given out either, nor a file's
 * code when it cannot be found out where it has any; that the kernel cannot test.
 */
#include "code.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ub.h"

#define MAX_MAPPINGS	4096

static bool parse_mapping(const char *line, struct code_mapping *ret)
{
	unsigned long long start, end, offset, inode;
	char rights[5], name[8] = "";

	if (sscanf(line, "%llx-%llx %4s %llx %*x:%*x %llu %7s", &start, &end, rights, &offset, &inode, name) < 5)
		return false;
	if (rights[1] != '-' || rights[2] != 'x' || rights[3] != 'p' || (!inode && strcmp(name, "[vdso]")))
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
	struct code code = { .pid = pid };
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
	u32 i;

	close(code->mem_fd);
	for (i = 0; i < code->mapping_cnt; i++)
		free(code->mappings[i].sequences);
	free(code->mappings);
}

static void search(const struct code *code, struct code_mapping *mapping)
{
	char path[96];
	int fd;

	mapping->is_searched = true;
	if (!mapping->inode)
		return;
	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", code->pid, (unsigned long long)mapping->start,
		 (unsigned long long)mapping->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	mapping->is_unfit = fd < 0 || sequence_find(fd, code->mem_fd, mapping->start, mapping->offset,
						    &mapping->sequences, &mapping->sequence_cnt);
	if (fd >= 0)
		close(fd);
}

/* How many bytes from @ip on, @len at most, lie before or behind all sequences. */
static u32 clip(const struct code_mapping *mapping, u64 ip, u32 len)
{
	u32 i;

	for (i = 0; i < mapping->sequence_cnt; i++) {
		const struct sequence *sequence = &mapping->sequences[i];

		if (ip >= sequence->start && ip < sequence->end)
			return 0;
		if (ip < sequence->start && sequence->start - ip < len)
			len = sequence->start - ip;
	}
	return len;
}

static struct code_mapping *mapping_at(const struct code *code, u64 ip)
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
	struct code_mapping *mapping = mapping_at(code, ip);

	if (!mapping)
		return 0;
	if (!mapping->is_searched)
		search(code, mapping);
	if (mapping->is_unfit)
		return 0;
	if (len > mapping->end - ip)
		len = mapping->end - ip;
	len = clip(mapping, ip, len);
	return len ? ub_process_peek(code->mem_fd, ip, buf, len) : 0;
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
