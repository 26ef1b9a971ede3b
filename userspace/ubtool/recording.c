// SPDX-License-Identifier: GPL-2.0
/* recording: see recording.h. */
#include "recording.h"

#include <stdlib.h>

#include "../libub/code.h"

#define MAX_STEPS	(64u << 20)
#define MAX_RANGES	65536u
#define MAX_BYTES	(256u << 20)	/* of code */

struct header {
	char magic[16];
	char comm[16];
	u32 insn_cnt, step_cnt, range_cnt, pad;
};

/* --- making one --- */

static u32 *find_slot(const struct recording *recording, u64 ip, u32 nr)
{
	u64 hash = (ip ^ (u64)nr << 40) * 0x9e3779b97f4a7c15ull;
	u32 i = hash >> 32 & (recording->slot_cnt - 1);
	const struct recorded_insn *insn;

	for (; recording->slots[i]; i = (i + 1) & (recording->slot_cnt - 1)) {
		insn = &recording->insns[recording->slots[i] - 1];
		if (insn->ip == ip && insn->nr == nr)
			break;
	}
	return &recording->slots[i];
}

/* Room for one more, in a table at most half full. */
static int grow_insns(struct recording *recording)
{
	u32 cap = recording->insn_cap ? recording->insn_cap * 2 : 4096, i;
	struct recorded_insn *insns;
	u32 *slots;

	if (recording->insn_cnt < recording->insn_cap)
		return 0;
	insns = realloc(recording->insns, cap * sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	recording->insns = insns;
	slots = calloc(cap * 2, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(recording->slots);
	recording->slots = slots;
	recording->slot_cnt = cap * 2;
	recording->insn_cap = cap;
	for (i = 0; i < recording->insn_cnt; i++)
		*find_slot(recording, insns[i].ip, insns[i].nr) = i + 1;
	return 0;
}

s64 recording_insn(struct recording *recording, u64 ip, u32 nr)
{
	u32 *slot;
	int err = grow_insns(recording);

	if (err)
		return err;
	slot = find_slot(recording, ip, nr);
	if (!*slot) {
		recording->insns[recording->insn_cnt] = (struct recorded_insn){ .ip = ip, .nr = nr };
		*slot = ++recording->insn_cnt;
	}
	return *slot - 1;
}

int recording_add_step(struct recording *recording, u32 step)
{
	u32 cap = recording->step_cap ? recording->step_cap * 2 : 65536;
	u32 *steps;

	if (recording->step_cnt == recording->step_cap) {
		steps = realloc(recording->steps, cap * sizeof(*steps));
		if (!steps)
			return -ENOMEM;
		recording->steps = steps;
		recording->step_cap = cap;
	}
	recording->steps[recording->step_cnt++] = step;
	return 0;
}

static bool is_used(const struct recording *recording, const struct code_mapping *mapping)
{
	u32 i;

	for (i = 0; i < recording->insn_cnt; i++)
		if (recording->insns[i].ip >= mapping->start && recording->insns[i].ip < mapping->end)
			return true;
	return false;
}

static int add_range(struct recording *recording, u64 start, u8 *bytes, u64 len)
{
	struct recorded_range *ranges = realloc(recording->ranges, (recording->range_cnt + 1) * sizeof(*ranges));

	if (!ranges)
		return -ENOMEM;
	recording->ranges = ranges;
	ranges[recording->range_cnt++] = (struct recorded_range){ .start = start, .len = len, .bytes = bytes };
	return 0;
}

/* One mapping: in one piece, or in several around what may not be lifted. */
static int add_mapping(struct recording *recording, struct code *code, u64 start, u64 end)
{
	u64 len;
	u8 *bytes;

	while (start < end) {
		bytes = malloc(end - start);
		len = bytes ? code_read(code, start, bytes, end - start) : 0;
		if (!bytes || (len && add_range(recording, start, bytes, len))) {
			free(bytes);
			return -ENOMEM;
		}
		if (!len)
			free(bytes);
		start += len ? len : 1;
	}
	return 0;
}

int recording_add_code(struct recording *recording, pid_t pid)
{
	struct code code;
	int err = code_open(pid, &code);
	u32 i;

	if (err)
		return err;
	for (i = 0; !err && i < code.mapping_cnt; i++) {
		const struct code_mapping *mapping = &code.mappings[i];
		u8 byte;

		/* The first byte says whether any of it may be lifted. */
		if (is_used(recording, mapping) && (code_read(&code, mapping->start, &byte, 1) || mapping->sequence_cnt))
			err = add_mapping(recording, &code, mapping->start, mapping->end);
	}
	code_close(&code);
	return err;
}

u32 recording_read_code(void *ctx, u64 ip, u8 *buf, u32 len)
{
	const struct recording *recording = ctx;
	u32 i;

	for (i = 0; i < recording->range_cnt; i++) {
		const struct recorded_range *range = &recording->ranges[i];

		if (ip - range->start >= range->len)
			continue;
		if (len > range->start + range->len - ip)
			len = range->start + range->len - ip;
		memcpy(buf, range->bytes + (ip - range->start), len);
		return len;
	}
	return 0;
}

/* --- files --- */

int recording_write(const struct recording *recording, const char *path)
{
	struct header header = { .magic = RECORDING_MAGIC, .insn_cnt = recording->insn_cnt,
				 .step_cnt = recording->step_cnt, .range_cnt = recording->range_cnt };
	FILE *file = fopen(path, "we");
	u32 i;

	if (!file)
		return -errno;
	memcpy(header.comm, recording->comm, sizeof(header.comm));
	fwrite(&header, sizeof(header), 1, file);
	fwrite(recording->insns, sizeof(*recording->insns), recording->insn_cnt, file);
	fwrite(recording->steps, sizeof(*recording->steps), recording->step_cnt, file);
	for (i = 0; i < recording->range_cnt; i++) {
		struct recorded_range range = recording->ranges[i];

		range.bytes = NULL;
		fwrite(&range, sizeof(range), 1, file);
		fwrite(recording->ranges[i].bytes, 1, range.len, file);
	}
	i = ferror(file);
	return fclose(file) || i ? -EIO : 0;
}

static bool read_all(FILE *file, void **ret, size_t size, u32 cnt)
{
	*ret = malloc(size * cnt + 1);
	return *ret && fread(*ret, size, cnt, file) == cnt;
}

static bool read_ranges(FILE *file, struct recording *recording, u32 cnt)
{
	struct recorded_range range;
	u64 left = MAX_BYTES;
	void *bytes;

	while (cnt--) {
		if (fread(&range, sizeof(range), 1, file) != 1 || range.len > left)
			return false;
		left -= range.len;
		if (!read_all(file, &bytes, 1, range.len) || add_range(recording, range.start, bytes, range.len)) {
			free(bytes);
			return false;
		}
	}
	return true;
}

static bool are_steps_good(const struct recording *recording)
{
	u32 i;

	for (i = 0; i < recording->step_cnt; i++)
		if (recording->steps[i] >= recording->insn_cnt && recording->steps[i] != RECORDING_BREAK)
			return false;
	return true;
}

int recording_read(const char *path, struct recording *ret)
{
	struct recording recording = { 0 };
	FILE *file = fopen(path, "re");
	struct header header;
	bool is_good;

	if (!file)
		return -errno;
	is_good = fread(&header, sizeof(header), 1, file) == 1 && !strcmp(header.magic, RECORDING_MAGIC) &&
		  header.insn_cnt <= MAX_STEPS && header.step_cnt <= MAX_STEPS && header.range_cnt <= MAX_RANGES;
	if (is_good) {
		memcpy(recording.comm, header.comm, sizeof(recording.comm) - 1);
		recording.insn_cnt = header.insn_cnt;
		recording.step_cnt = header.step_cnt;
	}
	is_good = is_good && read_all(file, (void **)&recording.insns, sizeof(*recording.insns), header.insn_cnt) &&
		  read_all(file, (void **)&recording.steps, sizeof(*recording.steps), header.step_cnt) &&
		  read_ranges(file, &recording, header.range_cnt) && are_steps_good(&recording);
	fclose(file);
	if (!is_good) {
		recording_free(&recording);
		return -EPROTO;
	}
	*ret = recording;
	return 0;
}

void recording_free(struct recording *recording)
{
	u32 i;

	for (i = 0; i < recording->range_cnt; i++)
		free(recording->ranges[i].bytes);
	free(recording->ranges);
	free(recording->insns);
	free(recording->steps);
	free(recording->slots);
}
