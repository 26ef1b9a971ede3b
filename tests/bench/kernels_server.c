// SPDX-License-Identifier: GPL-2.0
/*
 * kernels_server: a web server's reading of request lines and headers, a cache's hashes and its list of least recently
 * used items.  Written after the published algorithms.
 */
#include "kernels.h"

/* --- HTTP requests, one byte at a time --- */

enum http_state {
	S_START, S_METHOD, S_SPACE_BEFORE_URI, S_URI, S_ARGS, S_SPACE_AFTER_URI, S_PROTOCOL, S_MAJOR, S_MINOR, S_LINE_LF,
	S_HEADER_START, S_NAME, S_SPACE_BEFORE_VALUE, S_VALUE, S_SPACE_AFTER_VALUE, S_HEADER_LF, S_LAST_LF,
};

enum { HTTP_AGAIN, HTTP_LINE, HTTP_HEADER, HTTP_END, HTTP_BAD };

struct http {
	u32 state;
	const u8 *at, *end;
	const u8 *method_end, *uri, *uri_end, *args;
	const u8 *name, *name_end, *value, *value_end;
	u32 hash, major, minor;
	u8 lower[32];
	u32 lower_cnt;
};

static const u8 lower_case[256] = {
	['-'] = '-', ['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
	['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u',
	'v', 'w', 'x', 'y', 'z',
	['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u',
	'v', 'w', 'x', 'y', 'z',
};

static const u32 usual[] = {	/* what may stand in a path and means nothing there: a bit a character */
	0xffffdbfe & ~1u, 0x7ffffffe, 0xffffffff, 0x7fffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
};

static __attribute__((noinline)) int parse_request_line(struct http *r)
{
	u32 state = r->state;
	const u8 *p;

	for (p = r->at; p < r->end; p++) {
		u8 ch = *p;

		switch (state) {
		case S_START:
			r->uri = p;
			if (ch == '\r' || ch == '\n')
				break;
			if ((ch < 'A' || ch > 'Z') && ch != '_' && ch != '-')
				return HTTP_BAD;
			state = S_METHOD;
			break;
		case S_METHOD:
			if (ch == ' ') {
				r->method_end = p;
				state = S_SPACE_BEFORE_URI;
				break;
			}
			if ((ch < 'A' || ch > 'Z') && ch != '_' && ch != '-')
				return HTTP_BAD;
			break;
		case S_SPACE_BEFORE_URI:
			if (ch == '/') {
				r->uri = p;
				state = S_URI;
				break;
			}
			if (ch != ' ')
				return HTTP_BAD;
			break;
		case S_URI:
			if (usual[ch >> 5] & 1u << (ch & 31) && ch != '?')
				break;
			switch (ch) {
			case ' ':
				r->uri_end = p;
				state = S_SPACE_AFTER_URI;
				break;
			case '?':
				r->args = p + 1;
				state = S_ARGS;
				break;
			case '\0':
			case '\r':
			case '\n':
				return HTTP_BAD;
			default:
				break;
			}
			break;
		case S_ARGS:
			if (ch == ' ') {
				r->uri_end = p;
				state = S_SPACE_AFTER_URI;
			} else if (ch < 0x20) {
				return HTTP_BAD;
			}
			break;
		case S_SPACE_AFTER_URI:
			if (ch == 'H')
				state = S_PROTOCOL;
			else if (ch != ' ')
				return HTTP_BAD;
			break;
		case S_PROTOCOL:
			if (ch == '/')
				state = S_MAJOR;
			else if (ch != 'T' && ch != 'P')
				return HTTP_BAD;
			break;
		case S_MAJOR:
			if (ch == '.')
				state = S_MINOR;
			else if (ch >= '0' && ch <= '9')
				r->major = r->major * 10 + ch - '0';
			else
				return HTTP_BAD;
			break;
		case S_MINOR:
			if (ch == '\r')
				state = S_LINE_LF;
			else if (ch >= '0' && ch <= '9')
				r->minor = r->minor * 10 + ch - '0';
			else
				return HTTP_BAD;
			break;
		case S_LINE_LF:
			if (ch != '\n')
				return HTTP_BAD;
			r->at = p + 1;
			r->state = S_HEADER_START;
			return HTTP_LINE;
		}
	}
	r->at = p;
	r->state = state;
	return HTTP_AGAIN;
}

static __attribute__((noinline)) int parse_header_line(struct http *r)
{
	u32 state = r->state, hash = r->hash, i = r->lower_cnt;
	const u8 *p;
	u8 c;

	for (p = r->at; p < r->end; p++) {
		u8 ch = *p;

		switch (state) {
		case S_HEADER_START:
			r->name = p;
			if (ch == '\r') {
				r->name_end = p;
				state = S_LAST_LF;
				break;
			}
			c = lower_case[ch];
			if (!c)
				return HTTP_BAD;
			hash = c;
			r->lower[0] = c;
			i = 1;
			state = S_NAME;
			break;
		case S_NAME:
			c = lower_case[ch];
			if (c) {
				hash = hash * 31 + c;
				r->lower[i++] = c;
				i &= sizeof(r->lower) - 1;
				break;
			}
			if (ch != ':')
				return HTTP_BAD;
			r->name_end = p;
			state = S_SPACE_BEFORE_VALUE;
			break;
		case S_SPACE_BEFORE_VALUE:
			if (ch == ' ')
				break;
			r->value = p;
			state = ch == '\r' ? S_HEADER_LF : S_VALUE;
			break;
		case S_VALUE:
			if (ch == ' ') {
				r->value_end = p;
				state = S_SPACE_AFTER_VALUE;
			} else if (ch == '\r') {
				r->value_end = p;
				state = S_HEADER_LF;
			} else if (ch == '\0' || ch == '\n') {
				return HTTP_BAD;
			}
			break;
		case S_SPACE_AFTER_VALUE:
			if (ch == '\r')
				state = S_HEADER_LF;
			else if (ch != ' ')
				state = S_VALUE;
			break;
		case S_HEADER_LF:
			if (ch != '\n')
				return HTTP_BAD;
			r->at = p + 1;
			r->state = S_HEADER_START;
			r->hash = hash;
			r->lower_cnt = i;
			return HTTP_HEADER;
		case S_LAST_LF:
			if (ch != '\n')
				return HTTP_BAD;
			r->at = p + 1;
			r->state = S_START;
			return HTTP_END;
		}
	}
	r->at = p;
	r->state = state;
	r->hash = hash;
	r->lower_cnt = i;
	return HTTP_AGAIN;
}

static const char *const requests[] = {
	"GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n\r\n",
	"GET /static/images/logo-small.png?version=12&size=large HTTP/1.1\r\nHost: www.example.org\r\n"
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0\r\n"
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
	"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\n"
	"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\nCache-Control: max-age=0\r\n\r\n",
	"POST /api/v1/items HTTP/1.1\r\nHost: api.example.org\r\nContent-Type: application/json\r\n"
	"Content-Length: 0\r\nX-Request-Id: 7f3a\r\n\r\n",
};

#define HTTP_TEXT	1024	/* in mem */
#define HTTP_COPIES	32

static void prepare_http(u8 *mem)
{
	struct http *r = (struct http *)mem;
	u8 *to = mem + HTTP_TEXT;
	u32 i;

	for (i = 0; i < HTTP_COPIES * ARRAY_SIZE(requests); i++)
		to = (u8 *)stpcpy((char *)to, requests[i % ARRAY_SIZE(requests)]);
	r->end = to;
}

static u64 run_http(u8 *mem)
{
	struct http *r = (struct http *)mem;
	u64 sum = 0;
	int step;

	r->at = mem + HTTP_TEXT;
	while (r->at < r->end) {
		if (parse_request_line(r) != HTTP_LINE)
			return 0;
		while ((step = parse_header_line(r)) == HTTP_HEADER)
			sum += r->hash + (r->value_end - r->value);
		if (step != HTTP_END)
			return 0;
	}
	return sum;
}

/* --- hashes of keys: Jenkins' lookup3, MurmurHash3 (32 bits) --- */

#define KEYS	512
#define KEY_LEN	48

#define ROL(x, n)	((x) << (n) | (x) >> (32 - (n)))

static __attribute__((noinline)) u32 jenkins(const void *key, u32 len)
{
	const u32 *k = key;
	const u8 *tail;
	u32 a, b, c, words[3] = { 0 };

	a = b = c = 0xdeadbeef + len;
	for (; len > 12; len -= 12, k += 3) {
		a += k[0];
		b += k[1];
		c += k[2];
		a -= c; a ^= ROL(c, 4); c += b;
		b -= a; b ^= ROL(a, 6); a += c;
		c -= b; c ^= ROL(b, 8); b += a;
		a -= c; a ^= ROL(c, 16); c += b;
		b -= a; b ^= ROL(a, 19); a += c;
		c -= b; c ^= ROL(b, 4); b += a;
	}
	for (tail = (const u8 *)k; len--; )
		words[len / 4] |= (u32)tail[len] << len % 4 * 8;
	a += words[0];
	b += words[1];
	c += words[2];
	c ^= b; c -= ROL(b, 14);
	a ^= c; a -= ROL(c, 11);
	b ^= a; b -= ROL(a, 25);
	c ^= b; c -= ROL(b, 16);
	a ^= c; a -= ROL(c, 4);
	b ^= a; b -= ROL(a, 14);
	c ^= b; c -= ROL(b, 24);
	return c;
}

static __attribute__((noinline)) u32 murmur3(const void *key, u32 len)
{
	const u8 *bytes = key, *tail = bytes + len / 4 * 4;
	u32 i, k, h = 0;

	for (i = 0; i < len / 4; i++) {
		memcpy(&k, bytes + i * 4, 4);
		k *= 0xcc9e2d51;
		h ^= ROL(k, 15) * 0x1b873593;
		h = ROL(h, 13) * 5 + 0xe6546b64;
	}
	k = 0;
	switch (len & 3) {
	case 3:
		k ^= tail[2] << 16;
		/* fallthrough */
	case 2:
		k ^= tail[1] << 8;
		/* fallthrough */
	case 1:
		k ^= tail[0];
		k *= 0xcc9e2d51;
		h ^= ROL(k, 15) * 0x1b873593;
	}
	h ^= len;
	h = (h ^ h >> 16) * 0x85ebca6b;
	h = (h ^ h >> 13) * 0xc2b2ae35;
	return h ^ h >> 16;
}

static void prepare_keys(u8 *mem)
{
	u32 i;

	bench_seed(8);
	for (i = 0; i < KEYS; i++)
		mem[i * KEY_LEN] = snprintf((char *)mem + i * KEY_LEN + 4, KEY_LEN - 4, "%.*s%u", (int)bench_random(24),
					    "user:session:profile:item", bench_random(1000000));
}

static u64 run_jenkins(u8 *mem)
{
	u64 sum = 0;
	u32 i, k;

	for (k = 0; k < 2; k++)
		for (i = 0; i < KEYS; i++)
			sum += jenkins(mem + i * KEY_LEN + 4, mem[i * KEY_LEN]);
	return sum;
}

static u64 run_murmur3(u8 *mem)
{
	u64 sum = 0;
	u32 i, k;

	for (k = 0; k < 2; k++)
		for (i = 0; i < KEYS; i++)
			sum += murmur3(mem + i * KEY_LEN + 4, mem[i * KEY_LEN]);
	return sum;
}

/* --- least recently used: touched items go to the head, the tail is looked through for old ones --- */

#define ITEMS	512

struct item {
	struct item *next, *prev;
	u32 time, ends;
	u16 refs;
	u8 flags, class;
};

struct lru {
	struct item *head, *tail;
	u64 bytes, moved, expired;
	u32 now;
	u16 touched[ITEMS];
	struct item items[ITEMS];
};

static void lru_unlink(struct lru *lru, struct item *item)
{
	if (lru->head == item)
		lru->head = item->next;
	if (lru->tail == item)
		lru->tail = item->prev;
	if (item->next)
		item->next->prev = item->prev;
	if (item->prev)
		item->prev->next = item->next;
}

static void lru_link(struct lru *lru, struct item *item)
{
	item->prev = NULL;
	item->next = lru->head;
	if (item->next)
		item->next->prev = item;
	lru->head = item;
	if (!lru->tail)
		lru->tail = item;
}

static __attribute__((noinline)) void lru_touch(struct lru *lru, struct item *item)
{
	if (item->time >= lru->now)
		return;
	item->time = lru->now;
	lru_unlink(lru, item);
	lru_link(lru, item);
	lru->moved++;
}

static __attribute__((noinline)) void lru_look(struct lru *lru, u32 tries)
{
	struct item *item, *prev;

	for (item = lru->tail; item && tries--; item = prev) {
		prev = item->prev;
		if (item->refs > 1)
			continue;
		if (item->ends && item->ends < lru->now) {
			item->ends += 1000;
			lru->expired++;
			lru_unlink(lru, item);
			lru_link(lru, item);
		}
	}
}

static void prepare_lru(u8 *mem)
{
	struct lru *lru = (struct lru *)mem;
	u32 i;

	bench_seed(9);
	for (i = 0; i < ITEMS; i++) {
		lru->items[i].ends = bench_random(3) ? 0 : 1 + bench_random(100);
		lru->items[i].refs = 1 + !bench_random(8);
		lru->touched[i] = bench_random(ITEMS);
		lru_link(lru, &lru->items[i]);
	}
}

static u64 run_lru(u8 *mem)
{
	struct lru *lru = (struct lru *)mem;
	u32 i;

	for (i = 0; i < ITEMS; i++) {
		lru->now += i & 1;
		lru_touch(lru, &lru->items[lru->touched[i]]);
		if (i % 8 == 0)
			lru_look(lru, 50);
	}
	return lru->moved * 1000 + lru->expired;
}

const struct kernel kernels_server[] = {
	{ "http", run_http, prepare_http, NULL },
	{ "jenkins", run_jenkins, prepare_keys, NULL },
	{ "murmur3", run_murmur3, prepare_keys, NULL },
	{ "lru", run_lru, prepare_lru, NULL },
	{ 0 }
};
