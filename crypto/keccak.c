/* SPDX-License-Identifier: MIT */
/* crypto/keccak.c - the sponge: absorb, pad, squeeze one digest. */
#include "crypto/keccak.h"

#include "crypto/keccak_body.h"

/* Exclusive-or bytes into the state: up to a word's start, by words, the rest. */
void keccak__add(uint64_t *a, size_t pos, const uint8_t *data, size_t len)
{
	for (; len > 0 && pos % 8 != 0; len--, pos++)
		a[pos / 8] ^= (uint64_t)*data++ << (8 * (pos % 8));
	for (; len >= 8; len -= 8, pos += 8, data += 8)
		a[pos / 8] ^= le64_load(data);
	for (; len > 0; len--, pos++)
		a[pos / 8] ^= (uint64_t)*data++ << (8 * (pos % 8));
}

static void permute(uint64_t *a)
{
	static const uint8_t zeros[KECCAK_RATE];
	const uint8_t *const data = zeros;

	keccak__kernel_single()->absorb(a, &data, 1, 0);
}

/* Pad: a one bit behind the data, a one bit at the block's end, zeros between. */
static void finish(uint64_t *a, size_t pos, uint8_t out[static 32])
{
	a[pos / 8] ^= (uint64_t)0x01 << (8 * (pos % 8));
	a[KECCAK_RATE / 8 - 1] ^= (uint64_t)0x80 << 56;
	permute(a);
	for (size_t i = 0; i < 4; i++)
		le64_store(out + 8 * i, a[i]);
}

void keccak_init(struct keccak *k)
{
	*k = (struct keccak){ .pos = 0 };
}

void keccak_update(struct keccak *k, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t part = size_min(len, KECCAK_RATE - k->pos);

	if (k->pos > 0) {
		keccak__add(k->a, k->pos, p, part);
		k->pos += (uint32_t)part;
		if (k->pos < KECCAK_RATE)
			return;
		permute(k->a);
		k->pos = 0;
		p += part;
		len -= part;
	}
	if (len >= KECCAK_RATE) {
		keccak__kernel_single()->absorb(k->a, &p, len / KECCAK_RATE, 0);
		p += len - len % KECCAK_RATE;
		len %= KECCAK_RATE;
	}
	keccak__add(k->a, 0, p, len);
	k->pos = (uint32_t)len;
}

void keccak_peek(const struct keccak *k, uint8_t out[static 32])
{
	uint64_t a[KECCAK__STATE_WORDS];

	memcpy(a, k->a, sizeof(a));
	finish(a, k->pos, out);
}

void keccak256(uint8_t out[static 32], const void *data, size_t len)
{
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, data, len);
	finish(k.a, k.pos, out);
}

void keccak256_parts(uint8_t out[static 32], const struct span *parts, size_t count)
{
	struct keccak k;

	keccak_init(&k);
	for (size_t i = 0; i < count; i++)
		keccak_update(&k, parts[i].data, parts[i].len);
	finish(k.a, k.pos, out);
}
