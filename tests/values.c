// SPDX-License-Identifier: GPL-2.0
/* values: the words of a run line: registers, flags, memory cells, how the block was left. */
#include <sys/mman.h>

#include "case.h"

static const char *const reg_names[4][UB_NGUEST] = {
	{ "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b",
	  "r15b" },
	{ "ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w",
	  "r15w" },
	{ "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d",
	  "r15d" },
	{ "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
	  "r15" },
};
static const char *const high_names[] = { "ah", "ch", "dh", "bh" };
static const char *const left_names[] = { "exit", "fault", "yield", "syscall", "bound", "steps", "bug" };
static const struct {
	const char *name;
	u32 flag;
} flag_names[] = {
	{ "cf", UB_FL_CF }, { "pf", UB_FL_PF }, { "af", UB_FL_AF }, { "zf", UB_FL_ZF }, { "sf", UB_FL_SF },
	{ "of", UB_FL_OF },
};

const char *reg_x86_name(u8 reg)
{
	return reg_names[UB_W64][reg];
}

const char *left_name(enum ub_left left)
{
	return left_names[left];
}

/* A number, or one of a few addresses with something added: buf+8, code, limit-1. */
bool value_parse(const char *text, u64 *ret)
{
	static const struct {
		const char *name;
		u64 val;
	} bases[] = { { "buf", BUF_IP }, { "code", CODE_IP }, { "limit", LIMIT }, { "fs", FS_IP } };
	bool is_negative = false;
	u64 base = 0, number;
	size_t i, len;
	char *end;

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		len = strlen(bases[i].name);
		if (strncmp(text, bases[i].name, len))
			continue;
		base = bases[i].val;
		text += len;
		if (!*text) {
			*ret = base;
			return true;
		}
		if (*text != '+' && *text != '-')
			return false;
		break;
	}
	if (*text == '+' || *text == '-')
		is_negative = *text++ == '-';
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 0);
	*ret = base + (is_negative ? -number : number);
	return !*end && !errno;
}

static bool parse_reg(const char *name, struct word *word)
{
	u32 w, reg;

	for (reg = 0; reg < UB_NGUEST; reg++) {
		for (w = 0; w < 4; w++)
			if (!strcmp(name, reg_names[w][reg]))
				break;
		if (w == 4 && strcmp(name, ub_reg_name(reg)))
			continue;
		word->kind = WORD_REG;
		word->reg = reg;
		word->len = w == 4 ? 8 : UB_WIDTH_BYTES(w);
		return true;
	}
	for (reg = 0; reg < ARRAY_SIZE(high_names); reg++)
		if (!strcmp(name, high_names[reg])) {
			word->kind = WORD_REG;
			word->reg = reg;
			word->shift = 8;
			word->len = 1;
			return true;
		}
	return false;
}

/* xmm3 is the lower half of ymm3. */
static bool parse_vector(const char *name, struct word *word)
{
	char *end;

	if ((*name != 'x' && *name != 'y') || strncmp(name + 1, "mm", 2) || name[3] < '0' || name[3] > '9')
		return false;
	word->kind = WORD_VECTOR;
	word->reg = strtoul(name + 3, &end, 10);
	word->len = *name == 'x' ? 16 : 32;
	return !*end && word->reg < UB_NVEC;
}

/* [buf+8] is 8 bytes; [buf+8].1 one. */
static bool parse_cell(const char *name, struct word *word)
{
	char addr[32], *close;
	u64 ip;

	if (name[0] != '[' || strlen(name) >= sizeof(addr))
		return false;
	strcpy(addr, name + 1);
	close = strchr(addr, ']');
	if (!close)
		return false;
	*close = 0;
	word->kind = WORD_MEM;
	word->len = close[1] == '.' ? atoi(close + 2) : 8;
	if (word->len != 1 && word->len != 2 && word->len != 4 && word->len != 8)
		return false;
	if (!value_parse(addr, &ip) || ip < BUF_IP || ip > BUF_IP + BUF_LEN - word->len)
		return false;
	word->which = ip - BUF_IP;
	return true;
}

static bool parse_name(const char *name, struct word *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (!strcmp(name, flag_names[i].name)) {
			word->kind = WORD_FLAG;
			word->which = flag_names[i].flag;
			return true;
		}
	if (!strncmp(name, "sys", 3) && name[3] >= '0' && name[3] <= '9') {
		word->kind = WORD_SYSCALL;
		word->which = atoi(name + 3);
		return true;
	}
	if (!strcmp(name, "ip") || !strcmp(name, "left") || !strcmp(name, "yield")) {
		word->kind = *name == 'i' ? WORD_IP : *name == 'l' ? WORD_LEFT : WORD_YIELD;
		return true;
	}
	if (!strcmp(name, "missing") || !strcmp(name, "readonly")) {
		word->kind = WORD_PAGE;
		word->which = *name == 'm' ? PROT_NONE : PROT_READ;
		return true;
	}
	if (!strcmp(name, "mxcsr")) {
		word->kind = WORD_MXCSR;
		word->len = 4;
		return true;
	}
	return parse_reg(name, word) || parse_vector(name, word) || parse_cell(name, word);
}

static bool parse_left(const char *text, u64 *ret)
{
	for (*ret = 0; *ret < ARRAY_SIZE(left_names); ++*ret)
		if (!strcmp(text, left_names[*ret]))
			return true;
	return false;
}

/* Hexadecimal digits, the highest first; as many as there are. */
static bool parse_digits(const char *text, struct word *word)
{
	size_t i, cnt = strlen(text);

	if (strncmp(text, "0x", 2) || cnt < 3 || cnt - 2 > 2 * word->len)
		return false;
	for (i = 0; i < cnt - 2; i++) {
		const char *digits = "0123456789abcdef", *digit = strchr(digits, text[cnt - 1 - i]);

		if (!digit)
			return false;
		word->vec[i / 2] |= (digit - digits) << i % 2 * 4;
	}
	return true;
}

static u64 keep_bytes(u64 val, u32 len)
{
	return len && len < 8 ? val & ((1ull << 8 * len) - 1) : val;
}

bool word_parse(const char *text, struct word *ret)
{
	const char *is = strchr(text, '=');

	memset(ret, 0, sizeof(*ret));
	if (!is || (size_t)(is - text) >= sizeof(ret->name))
		return false;
	memcpy(ret->name, text, is - text);
	if (!parse_name(ret->name, ret))
		return false;
	if (ret->kind == WORD_LEFT)
		return parse_left(is + 1, &ret->val);
	if (ret->kind == WORD_VECTOR && !strncmp(is + 1, "0x", 2))
		return parse_digits(is + 1, ret);
	if (!value_parse(is + 1, &ret->val))
		return false;
	if (ret->kind == WORD_PAGE && (ret->val < BUF_IP || ret->val >= BUF_IP + BUF_LEN))
		return false;
	ret->val = keep_bytes(ret->val, ret->len);
	if (ret->kind == WORD_VECTOR)
		memcpy(ret->vec, &ret->val, 8);
	return true;
}

void word_set(const struct word *word, struct guest *guest)
{
	u64 mask;

	switch (word->kind) {
	case WORD_REG:
		mask = keep_bytes(UB_U64_MAX, word->len) << word->shift;
		guest->regs[word->reg] = (guest->regs[word->reg] & ~mask) | word->val << word->shift;
		break;
	case WORD_VECTOR:
		memcpy(guest->v[word->reg], word->vec, word->len);
		break;
	case WORD_MXCSR:
		guest->mxcsr = word->val;
		break;
	case WORD_FLAG:
		guest->flags = (guest->flags & ~word->which) | (word->val ? word->which : 0);
		break;
	case WORD_MEM:
		memcpy(guest->buf + word->which, &word->val, word->len);
		break;
	case WORD_PAGE:
		guest->prot[(word->val - BUF_IP) / PAGE] = word->which;
		break;
	default:
		break;
	}
}

void word_get(struct word *word, const struct guest *guest, enum ub_left left)
{
	switch (word->kind) {
	case WORD_REG:
		word->val = keep_bytes(guest->regs[word->reg] >> word->shift, word->len);
		break;
	case WORD_VECTOR:
		memcpy(word->vec, guest->v[word->reg], word->len);
		memcpy(&word->val, word->vec, 8);
		break;
	case WORD_MXCSR:
		word->val = guest->mxcsr;
		break;
	case WORD_FLAG:
		word->val = !!(guest->flags & word->which);
		break;
	case WORD_MEM:
		word->val = 0;
		memcpy(&word->val, guest->buf + word->which, word->len);
		break;
	case WORD_IP:
		word->val = guest->ip;
		break;
	case WORD_LEFT:
		word->val = left;
		break;
	default:
		break;
	}
}

bool word_is_same(const struct word *a, const struct word *b)
{
	return a->kind == WORD_VECTOR ? !memcmp(a->vec, b->vec, a->len) : a->val == b->val;
}

static void print_vector(const struct word *word, char *buf, size_t size)
{
	u32 i, len = word->len;
	size_t at = snprintf(buf, size, "%s=0x", word->name);

	while (len > 1 && !word->vec[len - 1])
		len--;
	for (i = len; i-- > 0; at += 2)
		snprintf(buf + at, size - at, "%02x", word->vec[i]);
}

void word_print(const struct word *word, char *buf, size_t size)
{
	u64 val = word->val;

	if (word->kind == WORD_VECTOR)
		print_vector(word, buf, size);
	else if (word->kind == WORD_LEFT)
		snprintf(buf, size, "%s=%s", word->name, left_names[val]);
	else if (val >= BUF_IP && val < BUF_IP + BUF_LEN)
		snprintf(buf, size, "%s=buf+%llu", word->name, (unsigned long long)(val - BUF_IP));
	else if (val >= CODE_IP && val < CODE_IP + CODE_LEN)
		snprintf(buf, size, "%s=code+%llu", word->name, (unsigned long long)(val - CODE_IP));
	else
		snprintf(buf, size, val < 4096 ? "%s=%llu" : "%s=0x%llx", word->name, (unsigned long long)val);
}
