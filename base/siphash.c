/* SPDX-License-Identifier: MIT */
/* base/siphash.c - SipHash-2-4.  Source: Aumasson and Bernstein, "SipHash: a
 * fast short-input PRF", whose names for the state are kept. */
#include "base/siphash.h"

#include "base/bytes.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	sip_round(s);
	s->v0 ^= m;
}

/* The last word: up to seven bytes left over, and the length on top. */
static uint64_t last_word(const uint8_t *tail, size_t len)
{
	uint64_t m = (uint64_t)len << 56;

	for (size_t i = 0; i < len % 8; i++)
		m |= (uint64_t)tail[i] << (8 * i);
	return m;
}

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t whole = len - len % 8;
	struct sip s = {
		.v0 = key->k0 ^ 0x736f6d6570736575, /* "somepseudorandomlygeneratedbytes" */
		.v1 = key->k1 ^ 0x646f72616e646f6d,
		.v2 = key->k0 ^ 0x6c7967656e657261,
		.v3 = key->k1 ^ 0x7465646279746573,
	};

	for (size_t i = 0; i < whole; i += 8)
		sip_word(&s, le64_load(p + i));
	sip_word(&s, last_word(p + whole, len));
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
