// SPDX-License-Identifier: GPL-2.0
/*
 * kernels_redis: what a key-value server does with a command: splits it into its arguments, hashes the key, walks the
 * chain of its bucket, appends to a value.  Written after the published algorithms.
 */
#include "kernels.h"

#define KEYS	256
#define BUCKETS	128

/* --- SipHash-1-2 (Aumasson and Bernstein), 64-bit output --- */

#define ROTATE(x, n)	((x) << (n) | (x) >> (64 - (n)))

struct sip {
	u64 a, b, c, d;
};

static inline __attribute__((always_inline)) void sip_round(struct sip *s)
{
	s->a += s->b;
	s->b = ROTATE(s->b, 13) ^ s->a;
	s->a = ROTATE(s->a, 32);
	s->c += s->d;
	s->d = ROTATE(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = ROTATE(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = ROTATE(s->b, 17) ^ s->c;
	s->c = ROTATE(s->c, 32);
}

static __attribute__((noinline)) u64 siphash(const u8 *in, size_t len, const u64 key[2])
{
	struct sip s = { key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
			 key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull };
	u64 last = (u64)len << 56, word;
	size_t i;

	for (; len >= 8; len -= 8, in += 8) {
		memcpy(&word, in, 8);
		s.d ^= word;
		sip_round(&s);
		s.a ^= word;
	}
	for (i = 0; i < len; i++)
		last |= (u64)in[i] << 8 * i;
	s.d ^= last;
	sip_round(&s);
	s.a ^= last;
	s.c ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

/* --- a dictionary of strings with their length before them --- */

struct string {
	u32 len, room;
	char text[];
};

struct entry {
	struct string *key;
	u64 value;
	struct entry *next;
};

struct dict {
	u64 seed[2];
	u64 mask;
	struct entry *buckets[BUCKETS];
	struct entry entries[KEYS];
	struct string *wanted[KEYS];
	u8 room[];
};

static __attribute__((noinline)) bool same_key(const struct string *a, const struct string *b)
{
	return a->len == b->len && !memcmp(a->text, b->text, a->len);
}

static __attribute__((noinline)) struct entry *dict_find(struct dict *dict, const struct string *key)
{
	struct entry *entry = dict->buckets[siphash((const u8 *)key->text, key->len, dict->seed) & dict->mask];

	for (; entry; entry = entry->next)
		if (entry->key == key || same_key(entry->key, key))
			return entry;
	return NULL;
}

static struct string *new_string(u8 **room, u32 len, u32 spare)
{
	struct string *string = (struct string *)*room;

	string->len = len;
	string->room = len + spare;
	*room += (sizeof(*string) + len + spare + 16) & ~15u;
	return string;
}

static void prepare_dict(u8 *mem)
{
	struct dict *dict = (struct dict *)mem;
	u8 *room = dict->room;
	struct entry *entry;
	u32 i, bucket;

	bench_seed(4);
	dict->seed[0] = 0x0706050403020100ull;
	dict->seed[1] = 0x0f0e0d0c0b0a0908ull;
	dict->mask = BUCKETS - 1;
	for (i = 0; i < KEYS; i++) {
		entry = &dict->entries[i];
		entry->key = new_string(&room, 16 + i % 9, 0);
		snprintf(entry->key->text, 16 + i % 9 + 1, "key:%012u%08u", bench_random(1000000), i);
		entry->value = bench_random(1u << 30);
		bucket = siphash((u8 *)entry->key->text, entry->key->len, dict->seed) & dict->mask;
		entry->next = dict->buckets[bucket];
		dict->buckets[bucket] = entry;
	}
	for (i = 0; i < KEYS; i++) {
		entry = &dict->entries[bench_random(KEYS)];
		dict->wanted[i] = new_string(&room, entry->key->len, 0);
		memcpy(dict->wanted[i]->text, entry->key->text, entry->key->len);
		if (i % 8 == 0)
			dict->wanted[i]->text[4] = 'x';		/* a miss */
	}
}

static u64 run_siphash(u8 *mem)
{
	const struct dict *dict = (struct dict *)mem;
	u64 sum = 0;
	u32 i, k;

	for (k = 0; k < 4; k++)
		for (i = 0; i < KEYS; i++)
			sum ^= siphash((const u8 *)dict->wanted[i]->text, dict->wanted[i]->len, dict->seed);
	return sum;
}

static u64 run_dict(u8 *mem)
{
	struct dict *dict = (struct dict *)mem;
	struct entry *entry;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < 4 * KEYS; i++) {
		entry = dict_find(dict, dict->wanted[i % KEYS]);
		sum += entry ? entry->value : 1;
	}
	return sum;
}

/* --- numbers --- */

static __attribute__((noinline)) bool parse_number(const char *text, size_t len, s64 *ret)
{
	const char *end = text + len;
	bool is_negative = false;
	u64 value;

	if (!len || len > 20)
		return false;
	if (*text == '-') {
		is_negative = true;
		if (++text == end)
			return false;
	}
	if (*text == '0' && end - text > 1)
		return false;
	for (value = 0; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (value > UINT64_MAX / 10)
			return false;
		value *= 10;
		if (value > UINT64_MAX - (*text - '0'))
			return false;
		value += *text - '0';
	}
	if (value > (u64)INT64_MAX + is_negative)
		return false;
	*ret = is_negative ? -value : value;
	return true;
}

#define NUMBERS	1024

static void prepare_numbers(u8 *mem)
{
	u32 i;

	bench_seed(5);
	for (i = 0; i < NUMBERS; i++)
		mem[i * 24] = snprintf((char *)mem + i * 24 + 1, 23, "%d", (int)bench_random(2000000000 >> i % 31) *
				       (i % 5 ? 1 : -1));
}

static u64 run_numbers(u8 *mem)
{
	s64 sum = 0, value;
	u32 i;

	for (i = 0; i < NUMBERS; i++)
		if (parse_number((const char *)mem + i * 24 + 1, mem[i * 24], &value))
			sum += value;
	return sum;
}

/* --- commands: *3\r\n$3\r\nSET\r\n$16\r\n... --- */

#define MAX_ARGS	8
#define COMMANDS	96

struct client {
	u64 at, len;
	s64 args_left, arg_len;
	u32 arg_cnt;
	struct { const char *text; u64 len; } args[MAX_ARGS];
	u64 done, bytes;
	char query[];
};

/* The number on the line at @client->at that begins with @first; false when the line is not whole. */
static bool read_line_number(struct client *client, char first, s64 *ret)
{
	const char *line = client->query + client->at, *end = strchr(line, '\r');

	if (!end || (u64)(end - client->query) + 2 > client->len || *line != first)
		return false;
	if (!parse_number(line + 1, end - line - 1, ret))
		return false;
	client->at = end - client->query + 2;
	return true;
}

static __attribute__((noinline)) bool read_command(struct client *client)
{
	if (!client->args_left) {
		client->arg_cnt = 0;
		client->arg_len = -1;
		if (!read_line_number(client, '*', &client->args_left) || client->args_left > MAX_ARGS)
			return false;
	}
	while (client->args_left) {
		if (client->arg_len < 0 && !read_line_number(client, '$', &client->arg_len))
			return false;
		if (client->len - client->at < (u64)client->arg_len + 2)
			return false;
		client->args[client->arg_cnt].text = client->query + client->at;
		client->args[client->arg_cnt++].len = client->arg_len;
		client->at += client->arg_len + 2;
		client->arg_len = -1;
		client->args_left--;
	}
	return true;
}

static void prepare_commands(u8 *mem)
{
	struct client *client = (struct client *)mem;
	char *to = client->query;
	u32 i, len;

	bench_seed(6);
	for (i = 0; i < COMMANDS; i++) {
		len = 3 + bench_random(60);
		if (i % 3)
			to += sprintf(to, "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012u\r\n", bench_random(100000));
		else
			to += sprintf(to, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012u\r\n$%u\r\n%0*u\r\n", bench_random(100000),
				      len, (int)len, i);
	}
	client->len = to - client->query;
}

static u64 run_commands(u8 *mem)
{
	struct client *client = (struct client *)mem;
	u32 i, k;

	for (k = 0; k < 4; k++) {
		client->at = 0;
		while (client->at < client->len && read_command(client)) {
			client->done++;
			for (i = 0; i < client->arg_cnt; i++)
				client->bytes += client->args[i].len;
		}
	}
	return client->done;
}

/* --- appending to a reply --- */

#define PIECES	1024

static __attribute__((noinline)) bool append(struct string *string, const void *bytes, size_t len)
{
	if (string->room - string->len < len)
		return false;
	memcpy(string->text + string->len, bytes, len);
	string->len += len;
	string->text[string->len] = 0;
	return true;
}

static void prepare_append(u8 *mem)
{
	struct string *string = (struct string *)mem;

	bench_seed(7);
	string->room = 16 * 1024;
	bench_text(mem + 20 * 1024, 4096);
	for (u32 i = 0; i < PIECES; i++)
		mem[32 * 1024 + i] = 1 + bench_random(i % 16 ? 24 : 200);
}

static u64 run_append(u8 *mem)
{
	struct string *string = (struct string *)mem;
	u32 i, dropped = 0;

	for (i = 0; i < PIECES; i++) {
		if (append(string, mem + 20 * 1024 + i, mem[32 * 1024 + i]))
			continue;
		dropped++;
		string->len = 0;
	}
	return string->len + dropped;
}

const struct kernel kernels_redis[] = {
	{ "siphash", run_siphash, prepare_dict, NULL },
	{ "dict", run_dict, prepare_dict, NULL },
	{ "number", run_numbers, prepare_numbers, NULL },
	{ "resp", run_commands, prepare_commands, NULL },
	{ "append", run_append, prepare_append, NULL },
	{ 0 }
};
