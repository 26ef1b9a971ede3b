// SPDX-License-Identifier: GPL-2.0
/*
 * vec_cipher: AES rounds (FIPS 197) and products of polynomials.
 *
 * A state is 16 bytes by columns, as in a register.  Bytes are polynomials over GF(2) modulo x^8 + x^4 + x^3 + x + 1.
 */
#include "vecrun.h"

static u8 times(u8 a, u8 b)
{
	u8 res = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			res ^= a;
		a = a << 1 ^ (a & 0x80 ? 0x1b : 0);
	}
	return res;
}

/* a^254, which is 1 / a, and 0 for 0. */
static u8 inverse(u8 a)
{
	u8 res = 1;
	u32 i;

	for (i = 0; i < 254; i++)
		res = times(res, a);
	return res;
}

static u8 rotate(u8 a, u32 cnt)
{
	return a << cnt | a >> (8 - cnt);
}

static u8 to_sbox(u8 a)
{
	u8 b = inverse(a);

	return b ^ rotate(b, 1) ^ rotate(b, 2) ^ rotate(b, 3) ^ rotate(b, 4) ^ 0x63;
}

static struct { bool is_made; u8 there[256], back[256]; } sbox;

static void make_sbox(void)
{
	u32 i;

	for (i = 0; i < 256 && !sbox.is_made; i++) {
		sbox.there[i] = to_sbox(i);
		sbox.back[sbox.there[i]] = i;
	}
	sbox.is_made = true;
}

/* Row i % 4 goes round by that many columns, each byte through the box. */
static void substitute(union ub_vec *to, const union ub_vec *from, bool is_back)
{
	u32 i;

	make_sbox();
	memset(to, 0, sizeof(*to));
	for (i = 0; i < 16; i++) {
		u32 column = is_back ? i / 4 + 4 - i % 4 : i / 4 + i % 4;
		u8 byte = from->b[4 * (column % 4) + i % 4];

		to->b[i] = is_back ? sbox.back[byte] : sbox.there[byte];
	}
}

/* Each column times the matrix whose first row is @row and whose others are that turned. */
static void mix(union ub_vec *state, const u8 row[4])
{
	union ub_vec old = *state;
	u32 i, k;

	for (i = 0; i < 16; i++) {
		state->b[i] = 0;
		for (k = 0; k < 4; k++)
			state->b[i] ^= times(old.b[i / 4 * 4 + k], row[(k + 4 - i % 4) % 4]);
	}
}

static const u8 mix_there[4] = { 2, 3, 1, 1 }, mix_back[4] = { 14, 11, 13, 9 };

static void add_key(struct ub_vec_run *v)
{
	v->r.q[0] ^= v->b.q[0];
	v->r.q[1] ^= v->b.q[1];
}

void vec_aesenc(struct ub_vec_run *v)
{
	substitute(&v->r, &v->a, false);
	mix(&v->r, mix_there);
	add_key(v);
}

void vec_aesenclast(struct ub_vec_run *v)
{
	substitute(&v->r, &v->a, false);
	add_key(v);
}

void vec_aesdec(struct ub_vec_run *v)
{
	substitute(&v->r, &v->a, true);
	mix(&v->r, mix_back);
	add_key(v);
}

void vec_aesdeclast(struct ub_vec_run *v)
{
	substitute(&v->r, &v->a, true);
	add_key(v);
}

void vec_aesimc(struct ub_vec_run *v)
{
	v->r = (union ub_vec){ .q = { v->b.q[0], v->b.q[1] } };
	mix(&v->r, mix_back);
}

static u32 substitute_word(u32 word)
{
	u32 i, res = 0;

	make_sbox();
	for (i = 0; i < 32; i += 8)
		res |= (u32)sbox.there[word >> i & 0xff] << i;
	return res;
}

void vec_aeskeygenassist(struct ub_vec_run *v)
{
	u32 one = substitute_word(v->b.d[1]), three = substitute_word(v->b.d[3]);

	v->r = (union ub_vec){ .d = { one, (one >> 8 | one << 24) ^ v->imm, three, (three >> 8 | three << 24) ^ v->imm } };
}

void vec_pclmulqdq(struct ub_vec_run *v)
{
	u64 a = v->a.q[v->imm & 1], b = v->b.q[v->imm >> 4 & 1];
	u32 i;

	v->r = (union ub_vec){ 0 };
	for (i = 0; i < 64; i++) {
		if (!(b >> i & 1))
			continue;
		v->r.q[0] ^= a << i;
		v->r.q[1] ^= i ? a >> (64 - i) : 0;
	}
}
