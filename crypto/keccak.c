/* SPDX-License-Identifier: MIT */
/* crypto/keccak.c - the sponge: absorb, pad, squeeze one digest. */
#include "crypto/keccak.h"

#include "crypto/keccak_body.h"

static void absorb_block(uint64_t a[static 25], const uint8_t *block)
{
	for (size_t i = 0; i < KECCAK_RATE / 8; i++)
		a[i] ^= le64_load(block + 8 * i);
	keccak__permute(a);
}

/* Exclusive-or len bytes into the current block at pos. */
static void absorb_part(uint64_t a[static 25], size_t pos, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++, pos++)
		a[pos / 8] ^= (uint64_t)data[i] << (8 * (pos % 8));
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
		absorb_part(k->a, k->pos, p, part);
		k->pos += (uint32_t)part;
		if (k->pos < KECCAK_RATE)
			return;
		keccak__permute(k->a);
		k->pos = 0;
		p += part;
		len -= part;
	}
	for (; len >= KECCAK_RATE; p += KECCAK_RATE, len -= KECCAK_RATE)
		absorb_block(k->a, p);
	absorb_part(k->a, 0, p, len);
	k->pos = (uint32_t)len;
}

void keccak_peek(const struct keccak *k, uint8_t out[static 32])
{
	uint64_t a[25];

	memcpy(a, k->a, sizeof(a));
	a[k->pos / 8] ^= (uint64_t)0x01 << (8 * (k->pos % 8));
	a[KECCAK_RATE / 8 - 1] ^= (uint64_t)0x80 << 56;
	keccak__permute(a);
	for (size_t i = 0; i < 4; i++)
		le64_store(out + 8 * i, a[i]);
}

void keccak256(uint8_t out[static 32], const void *data, size_t len)
{
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, data, len);
	keccak_peek(&k, out);
}

void keccak256_parts(uint8_t out[static 32], const struct span *parts, size_t count)
{
	struct keccak k;

	keccak_init(&k);
	for (size_t i = 0; i < count; i++)
		keccak_update(&k, parts[i].data, parts[i].len);
	keccak_peek(&k, out);
}
