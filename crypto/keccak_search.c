/* SPDX-License-Identifier: MIT */
/* crypto/keccak_search.c - proof of work: the smallest nonce that will do. */
#include "crypto/keccak_body.h"

/* The prefix's whole blocks go into the midstate; its rest, eight bytes for
 * the nonce and the padding fill one block, or two where they do not fit. */
void keccak_search_init(struct keccak_search *s, const void *prefix, size_t len)
{
	const uint8_t *p = prefix;
	size_t rest = len % KECCAK_RATE;
	struct keccak k;

	keccak_init(&k);
	*s = (struct keccak_search){ .nonce_at = (uint32_t)rest };
	if (len > rest)
		keccak_update(&k, p, len - rest);
	memcpy(s->mid, k.a, sizeof(s->mid));
	if (rest > 0)
		memcpy(s->tail, p + (len - rest), rest);
	s->tail_blocks = rest + 8 < KECCAK_RATE ? 1 : 2;
	s->tail[rest + 8] ^= 0x01;
	s->tail[s->tail_blocks * KECCAK_RATE - 1] ^= 0x80;
}

static void digest_of(const struct keccak_search *s, uint8_t out[static 32], uint64_t nonce)
{
	uint8_t tail[2 * KECCAK_RATE];
	struct keccak k = { .pos = 0 };

	memcpy(tail, s->tail, sizeof(tail));
	be64_store(tail + s->nonce_at, nonce);
	memcpy(k.a, s->mid, sizeof(k.a));
	keccak_update(&k, tail, s->tail_blocks * KECCAK_RATE);
	for (size_t i = 0; i < 4; i++)
		le64_store(out + 8 * i, k.a[i]);
}

bool keccak_search_run(const struct keccak_search *s, uint64_t *nonce, uint64_t first,
		       uint64_t count, enum keccak_zeros kind, unsigned bits)
{
	uint8_t digest[32];

	for (uint64_t i = 0; i < count; i++) {
		digest_of(s, digest, first + i);
		if (keccak_zero_bits(digest, kind) >= bits) {
			*nonce = first + i;
			return true;
		}
	}
	return false;
}

unsigned keccak_search_best(const struct keccak_search *s, uint64_t *nonce, uint64_t first,
			    uint64_t count, enum keccak_zeros kind)
{
	unsigned best = 0;
	uint8_t digest[32];

	*nonce = first;
	for (uint64_t i = 0; i < count; i++) {
		digest_of(s, digest, first + i);
		if (keccak_zero_bits(digest, kind) > best) {
			best = keccak_zero_bits(digest, kind);
			*nonce = first + i;
		}
	}
	return best;
}

static unsigned leading(const uint8_t digest[static 32])
{
	for (unsigned i = 0; i < 32; i++)
		if (digest[i] != 0)
			return 8 * i + (unsigned)__builtin_clz(digest[i]) - 24;
	return 256;
}

static unsigned trailing(const uint8_t digest[static 32])
{
	for (unsigned i = 0; i < 32; i++)
		if (digest[31 - i] != 0)
			return 8 * i + (unsigned)__builtin_ctz(digest[31 - i]);
	return 0;
}

unsigned keccak_zero_bits(const uint8_t digest[static 32], enum keccak_zeros kind)
{
	return kind == KECCAK_LEADING ? leading(digest) : trailing(digest);
}
