/* SPDX-License-Identifier: MIT */
/* crypto/wide.h - sums and products of 128 bits; inside this folder only.
 *
 * By the compiler's own type where it has one, and else by hand, which
 * WIDE_BY_HAND asks for where it would not be needed, so that it is tested.
 */
#ifndef CRYPTO_WIDE_H
#define CRYPTO_WIDE_H

#include <stdint.h>

#if defined(__SIZEOF_INT128__) && !defined(WIDE_BY_HAND)

struct wide {
	unsigned __int128 v;
};

static inline struct wide wide_of(uint64_t high, uint64_t low)
{
	return (struct wide){ (unsigned __int128)high << 64 | low };
}

static inline uint64_t wide_low(struct wide a)
{
	return (uint64_t)a.v;
}

static inline uint64_t wide_high(struct wide a)
{
	return (uint64_t)(a.v >> 64);
}

/* a + b mod 2^128 */
static inline struct wide wide_add(struct wide a, struct wide b)
{
	return (struct wide){ a.v + b.v };
}

static inline struct wide wide_mul(uint64_t a, uint64_t b)
{
	return (struct wide){ (unsigned __int128)a * b };
}

#else

struct wide {
	uint64_t high, low;
};

static inline struct wide wide_of(uint64_t high, uint64_t low)
{
	return (struct wide){ .high = high, .low = low };
}

static inline uint64_t wide_low(struct wide a)
{
	return a.low;
}

static inline uint64_t wide_high(struct wide a)
{
	return a.high;
}

static inline struct wide wide_add(struct wide a, struct wide b)
{
	uint64_t low = a.low + b.low;

	return wide_of(a.high + b.high + (low < a.low), low);
}

/* By halves of 32 bits; the middle sum of three stays below 2^64. */
static inline struct wide wide_mul(uint64_t a, uint64_t b)
{
	uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
	uint64_t bottom = al * bl, cross = ah * bl;
	uint64_t middle = al * bh + (bottom >> 32) + (uint32_t)cross;

	return wide_of(ah * bh + (cross >> 32) + (middle >> 32), middle << 32 | (uint32_t)bottom);
}

#endif

#endif /* CRYPTO_WIDE_H */
