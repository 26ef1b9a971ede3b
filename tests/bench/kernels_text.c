// SPDX-License-Identifier: GPL-2.0
/* kernels_text: what goes over buffers byte by byte: scanning JSON, converting as dd does, base64, UTF-8, summing. */
#include "kernels.h"

u32 bench_round;
static u64 random_state;

void bench_seed(u64 seed)
{
	random_state = (seed + ((u64)bench_round << 32)) * 0x9e3779b97f4a7c15ull + 1;
}

u32 bench_random(u32 below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 16) % below;
}

void bench_text(u8 *to, u32 len)
{
	static const char *const words[] = {
		"the ", "request ", "of ", "a ", "buffer ", "return ", "and ", "value ", "system ", "call ", "in ", "to ",
		"user ", "space ", "is ", "kernel ", "\n", "int ", "address ", "42 ",
	};
	const char *word = "";

	for (; len--; to++) {
		if (!*word)
			word = words[bench_random(ARRAY_SIZE(words))];
		*to = *word++;
	}
}

/* --- JSON: one pass that checks the shape and counts --- */

#define JSON_DEPTH	32

struct json {
	u32 strings, numbers, objects, arrays, words, depth;
	u64 digits;
	u8 stack[JSON_DEPTH];
};

static const u8 *json_string(const u8 *p, const u8 *end)
{
	for (; p < end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p++;
		else if (*p < 0x20)
			return NULL;
	}
	return NULL;
}

static const u8 *json_number(struct json *json, const u8 *p, const u8 *end)
{
	if (*p == '-')
		p++;
	for (; p < end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' || *p == 'E' || *p == '-' || *p == '+'); p++)
		json->digits++;
	json->numbers++;
	return p;
}

static __attribute__((noinline)) bool json_scan(struct json *json, const u8 *p, const u8 *end)
{
	while (p && p < end) {
		switch (*p) {
		case ' ': case '\t': case '\n': case '\r': case ',': case ':':
			p++;
			break;
		case '{': case '[':
			if (json->depth == JSON_DEPTH)
				return false;
			*(*p == '{' ? &json->objects : &json->arrays) += 1;
			json->stack[json->depth++] = *p++ + 2;	/* the closing one */
			break;
		case '}': case ']':
			if (!json->depth || json->stack[--json->depth] != *p++)
				return false;
			break;
		case '"':
			json->strings++;
			p = json_string(p + 1, end);
			break;
		case 't': case 'f': case 'n':
			json->words++;
			p += *p == 'f' ? 5 : 4;
			break;
		case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
			p = json_number(json, p, end);
			break;
		default:
			return false;
		}
	}
	return p && !json->depth;
}

#define JSON_TEXT	1024	/* in mem */

static void prepare_json(u8 *mem)
{
	char *to = (char *)mem + JSON_TEXT;
	u32 i;

	bench_seed(10);
	*to++ = '[';
	for (i = 0; i < 60; i++)
		to += sprintf(to, "%s{\"id\": %u, \"name\": \"item \\\"%u\\\" of many\", \"price\": %u.%02u, \"tags\": [\"a\","
			      " \"bc\", \"def\"],\n \"active\": %s, \"parent\": null, \"position\": {\"x\": -%u, \"y\": %ue3}}",
			      i ? ",\n" : "", i, bench_random(100000), bench_random(1000), bench_random(100),
			      bench_random(2) ? "true" : "false", bench_random(1000), bench_random(1000));
	*to++ = ']';
	*(u32 *)(mem + JSON_TEXT - 4) = (u8 *)to - mem;
}

static u64 run_json(u8 *mem)
{
	struct json *json = (struct json *)mem;
	bool is_good = json_scan(json, mem + JSON_TEXT, mem + *(u32 *)(mem + JSON_TEXT - 4));

	return is_good * 1000000 + json->strings * 1000 + json->numbers;
}

/* --- dd conv=swab, conv=ucase --- */

#define BLOCK	16384
#define UPPER	(64 * 1024)	/* in mem: the table */

static void prepare_dd(u8 *mem)
{
	u32 i;

	bench_seed(11);
	bench_text(mem, BLOCK);
	for (i = 0; i < 256; i++)
		mem[UPPER + i] = i >= 'a' && i <= 'z' ? i - 32 : i;
}

static u64 run_swab(u8 *mem)
{
	u8 *end = mem + BLOCK, *p, hold;
	u32 i;

	for (i = 0; i < 15; i++) {
		for (p = mem; p + 1 < end; p += 2) {
			hold = p[0];
			p[0] = p[1];
			p[1] = hold;
		}
	}
	return mem[5];
}

static u64 run_ucase(u8 *mem)
{
	const u8 *table = mem + UPPER;
	u8 *p;
	u32 i;

	for (i = BLOCK, p = mem; i; i--, p++)
		*p = table[*p];
	return mem[7];
}

/* --- comments and strings of a C source, with a state for each byte --- */

static u64 run_states(u8 *mem)
{
	enum { CODE, SLASH, LINE, BLOCK_COMMENT, STAR, STRING, ESCAPE, CHARACTER } state = CODE;
	u32 counts[8] = { 0 }, i;

	for (i = 0; i < BLOCK; i++) {
		u8 ch = mem[i];

		counts[state]++;
		switch (state) {
		case CODE:
			state = ch == '/' ? SLASH : ch == '"' ? STRING : ch == '\'' ? CHARACTER : CODE;
			break;
		case SLASH:
			state = ch == '/' ? LINE : ch == '*' ? BLOCK_COMMENT : CODE;
			break;
		case LINE:
			if (ch == '\n')
				state = CODE;
			break;
		case BLOCK_COMMENT:
			if (ch == '*')
				state = STAR;
			break;
		case STAR:
			if (ch != '*')
				state = ch == '/' ? CODE : BLOCK_COMMENT;
			break;
		case STRING:
			state = ch == '"' ? CODE : ch == '\\' ? ESCAPE : STRING;
			break;
		case ESCAPE:
			state = STRING;
			break;
		case CHARACTER:
			if (ch == '\'')
				state = CODE;
			break;
		}
	}
	return counts[CODE] + counts[LINE] * 3 + counts[BLOCK_COMMENT] * 7 + counts[STRING] * 11;
}

static void prepare_states(u8 *mem)
{
	static const char *const pieces[] = {
		"int x = 1;\n", "/* a block * comment */ ", "// a line\n", "puts(\"hello \\\"you\\\"\");\n", "c = 'x';\n",
		"a = b / c;\n", "if (a && b)\n\treturn;\n",
	};
	u32 at = 0;

	bench_seed(12);
	while (at < BLOCK)
		at += sprintf((char *)mem + at, "%s", pieces[bench_random(ARRAY_SIZE(pieces))]);
}

/* --- base64 --- */

#define RAW	6144

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static __attribute__((noinline)) u32 base64_encode(const u8 *from, u32 len, u8 *to)
{
	const u8 *start = to;

	for (; len >= 3; len -= 3, from += 3) {
		*to++ = base64_digits[from[0] >> 2];
		*to++ = base64_digits[(from[0] & 3) << 4 | from[1] >> 4];
		*to++ = base64_digits[(from[1] & 15) << 2 | from[2] >> 6];
		*to++ = base64_digits[from[2] & 63];
	}
	return to - start;
}

static __attribute__((noinline)) u32 base64_decode(const u8 *table, const u8 *from, u32 len, u8 *to)
{
	u32 i, bits, cnt = 0;

	for (i = 0; i + 4 <= len; i += 4) {
		u8 a = table[from[i]], b = table[from[i + 1]], c = table[from[i + 2]], d = table[from[i + 3]];

		if ((a | b | c | d) & 0x80)
			break;
		bits = a << 18 | b << 12 | c << 6 | d;
		to[cnt++] = bits >> 16;
		to[cnt++] = bits >> 8;
		to[cnt++] = bits;
	}
	return cnt;
}

static void prepare_base64(u8 *mem)
{
	u32 i;

	bench_seed(13);
	for (i = 0; i < RAW; i++)
		mem[i] = bench_random(256);
	memset(mem + UPPER, 0x80, 256);
	for (i = 0; i < 64; i++)
		mem[UPPER + (u8)base64_digits[i]] = i;
}

static u64 run_base64(u8 *mem)
{
	u32 len = base64_encode(mem, RAW, mem + 2 * RAW);

	return base64_decode(mem + UPPER, mem + 2 * RAW, len, mem + 4 * RAW);
}

/* --- UTF-8: is it well formed, and how many characters --- */

static __attribute__((noinline)) s64 utf8_count(const u8 *p, const u8 *end)
{
	s64 cnt = 0;

	for (; p < end; cnt++) {
		u32 more, least, code = *p++;

		if (code < 0x80)
			continue;
		if (code < 0xc2 || code > 0xf4)
			return -1;
		more = code < 0xe0 ? 1 : code < 0xf0 ? 2 : 3;
		least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
		code &= 0x3f >> more;
		if ((u32)(end - p) < more)
			return -1;
		for (; more; more--, p++) {
			if ((*p & 0xc0) != 0x80)
				return -1;
			code = code << 6 | (*p & 0x3f);
		}
		if (code < least || code > 0x10ffff || (code & ~0x7ffu) == 0xd800)
			return -1;
	}
	return cnt;
}

static void prepare_utf8(u8 *mem)
{
	static const char *const pieces[] = { "plain text ", "gr\xc3\xbc\xc3\x9f" "e ", "\xe2\x82\xac" "5 ",
					      "\xe6\x97\xa5\xe6\x9c\xac ", "\xf0\x9f\x98\x80 " };
	u32 at = 0;

	bench_seed(14);
	while (at < 12000)
		at += sprintf((char *)mem + at, "%s", pieces[bench_random(2) ? 0 : bench_random(ARRAY_SIZE(pieces))]);
	*(u32 *)(mem + UPPER) = at;
}

static u64 run_utf8(u8 *mem)
{
	return utf8_count(mem, mem + *(u32 *)(mem + UPPER));
}

/* --- the sum over buffers that were read --- */

static __attribute__((noinline)) u64 sum_block(const u8 *buf, u32 len)
{
	u64 sum = 0, word;
	u32 i;

	for (i = 0; i + 8 <= len; i += 8) {
		memcpy(&word, buf + i, 8);
		sum += word;
	}
	for (; i < len; i++)
		sum += buf[i];
	return sum;
}

static u64 run_sum(u8 *mem)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < 16 * BLOCK / 4096; i++)
		sum += sum_block(mem + i % 4 * 4096, 4096 - i % 4);
	return sum;
}

const struct kernel kernels_text[] = {
	{ "json", run_json, prepare_json, NULL },
	{ "swab", run_swab, prepare_dd, NULL },
	{ "ucase", run_ucase, prepare_dd, NULL },
	{ "states", run_states, prepare_states, NULL },
	{ "base64", run_base64, prepare_base64, NULL },
	{ "utf8", run_utf8, prepare_utf8, NULL },
	{ "sum", run_sum, prepare_dd, NULL },
	{ 0 }
};
