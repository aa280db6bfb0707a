/* SPDX-License-Identifier: MIT */
/* crypto/keccak_search.c - proof of work: the smallest nonce that will do.
 *
 * A kernel tries as many nonces at a time as it has lanes and looks at one
 * word of each digest.  Where that word will do, the lanes are looked at
 * again one by one in the order of their nonces, by the plain sponge: so
 * the answer does not depend on the body, and whatever a kernel reports is
 * only a hint.
 */
#include "crypto/keccak_body.h"

/* The prefix's whole blocks go into the midstate; its rest, eight bytes for
 * the nonce and the padding fill one block, or two where they do not fit. */
void keccak_search_init(struct keccak_search *s, const void *prefix, size_t len)
{
	const uint8_t *p = prefix;
	size_t rest = len % KECCAK_RATE;
	struct keccak k;

	*s = (struct keccak_search){ .nonce_at = (uint32_t)rest };
	keccak_init(&k);
	keccak_update(&k, p, len - rest);
	memcpy(s->mid, k.a, sizeof(s->mid));
	if (rest > 0)
		memcpy(s->tail, p + (len - rest), rest);
	s->tail_blocks = rest + 8 < KECCAK_RATE ? 1 : 2;
	s->tail[rest + 8] ^= 0x01;
	s->tail[s->tail_blocks * KECCAK_RATE - 1] ^= 0x80;
}

static unsigned zero_bits_of(const struct keccak_search *s, uint64_t nonce, enum keccak_zeros kind)
{
	uint8_t tail[2 * KECCAK_RATE], digest[32];
	struct keccak k = { .pos = 0 };

	memcpy(tail, s->tail, sizeof(tail));
	be64_store(tail + s->nonce_at, nonce);
	memcpy(k.a, s->mid, sizeof(k.a));
	keccak_update(&k, tail, (size_t)s->tail_blocks * KECCAK_RATE);
	for (size_t i = 0; i < 4; i++)
		le64_store(digest + 8 * i, k.a[i]);
	return keccak_zero_bits(digest, kind);
}

static void plan_make(struct keccak__plan *plan, const struct keccak_search *s,
		      enum keccak_zeros kind, unsigned bits)
{
	uint64_t low = bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX;
	uint64_t high = bits < 64 ? low << (64 - bits) : UINT64_MAX;

	memcpy(plan->first, s->mid, sizeof(plan->first));
	keccak__add(plan->first, 0, s->tail, KECCAK_RATE);
	memset(plan->second, 0, sizeof(plan->second));
	keccak__add(plan->second, 0, s->tail + KECCAK_RATE, KECCAK_RATE);
	plan->blocks = s->tail_blocks;
	plan->nonce_word = s->nonce_at / 8;
	plan->nonce_shift = 8 * (s->nonce_at % 8);
	plan->test_word = kind == KECCAK_LEADING ? 0 : 3; /* the digest's first or last word */
	plan->test_mask = __builtin_bswap64(kind == KECCAK_LEADING ? high : low);
}

bool keccak_search_run(const struct keccak_search *s, uint64_t *nonce, uint64_t first,
		       uint64_t count, enum keccak_zeros kind, unsigned bits)
{
	const struct keccak__kernel *kernel = keccak__kernel_for(KECCAK_LANES_MAX);
	uint64_t steps = count / kernel->lanes + (count % kernel->lanes != 0);
	struct keccak__plan plan;

	if (bits > 256 || count == 0)
		return false;
	if (bits == 0) {
		*nonce = first;
		return true;
	}
	plan_make(&plan, s, kind, bits);
	for (uint64_t step = 0; step < steps; step++) {
		step += kernel->search(&plan, first + step * kernel->lanes, steps - step);
		for (uint64_t i = step * kernel->lanes, end = i + kernel->lanes;
		     step < steps && i < end && i < count; i++) {
			if (zero_bits_of(s, first + i, kind) < bits)
				continue;
			*nonce = first + i;
			return true;
		}
	}
	return false;
}

/* Each find raises what the next one must have more of. */
unsigned keccak_search_best(const struct keccak_search *s, uint64_t *nonce, uint64_t first,
			    uint64_t count, enum keccak_zeros kind)
{
	unsigned best = 0;
	uint64_t found = first, at = first;

	*nonce = first;
	while (count > 0 && keccak_search_run(s, &found, at, count, kind, best + 1)) {
		best = zero_bits_of(s, found, kind);
		*nonce = found;
		count -= found - at + 1;
		at = found + 1;
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
