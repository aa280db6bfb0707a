/* SPDX-License-Identifier: MIT */
/* crypto/fingerprint.c - telling contents apart, fast, under a secret key.
 *
 * Two independent passes make 64 bits each, in three steps:
 *
 * 1. NH (Black et al., UMAC, 1999): a block of up to 1 KiB, in words m[i], is
 *    the sum of (m[2i] + k[2i]) * (m[2i+1] + k[2i+1]), the additions mod 2^64, the
 *    sum mod 2^128.  Two blocks differ by any one given value with chance 2^-64.
 * 2. Blocks are the coefficients of a polynomial, taken at a secret point mod
 *    2^127 - 1; for one block this step is nothing.
 * 3. Its 128 bits and the length go through a strongly universal multilinear
 *    hash (Dietzfelbinger): the upper half of c0 + c1 * low + c2 * high + c3 * len
 *    mod 2^128.  So every bit is as good as any other, and a table may index by
 *    whichever it likes.
 *
 * Two different contents of n blocks agree in one pass with chance at most
 * 5 * 2^-64 (NH, its value mod p) + n * 2^-127 + 2^-64, so in both with less than
 * 2^-122.  That holds for contents chosen without knowledge of the key, and
 * stays true while no fingerprint is shown to anyone: all that a stranger can
 * see is that two contents did not agree.
 */
#include <stdlib.h>

#include "crypto/crypto.h"
#include "crypto/wide.h"

#define BLOCK  1024 /* bytes; as much key per pass */
#define PASSES 2

struct pass {
	uint64_t nh[BLOCK / 8];
	uint64_t point[2]; /* of the polynomial, low half first, below 2^127 */
	uint64_t linear[4][2];
};

struct fingerprinter {
	struct pass pass[PASSES];
};

enum err fingerprinter_new(struct fingerprinter **out, const struct rng *rng)
{
	struct fingerprinter *f = malloc(sizeof(*f));

	if (f == NULL)
		return ERR_MEM;
	if (rng_fill(rng, (uint8_t *)f, sizeof(*f)) != OK) {
		fingerprinter_free(f);
		return ERR_RANDOM;
	}
	for (size_t i = 0; i < PASSES; i++)
		f->pass[i].point[1] &= UINT64_MAX >> 1;
	*out = f;
	return OK;
}

void fingerprinter_free(struct fingerprinter *f)
{
	if (f == NULL)
		return;
	crypto_wipe(f, sizeof(*f));
	free(f);
}

static struct wide pair(const uint8_t p[static 16], const uint64_t k[static 2])
{
	return wide_mul(le64_load(p) + k[0], le64_load(p + 8) + k[1]);
}

/* NH of up to BLOCK bytes in both passes; what is missing of 16 is zeros. */
static void block_sum(struct wide sum[static PASSES], const struct fingerprinter *f,
		      const uint8_t *data, size_t len)
{
	const uint64_t *k0 = f->pass[0].nh, *k1 = f->pass[1].nh;
	struct wide s0 = wide_of(0, 0), s1 = wide_of(0, 0);

	for (; len >= 16; len -= 16, data += 16, k0 += 2, k1 += 2) {
		s0 = wide_add(s0, pair(data, k0));
		s1 = wide_add(s1, pair(data, k1));
	}
	if (len > 0) {
		uint8_t last[16] = { 0 };

		memcpy(last, data, len);
		s0 = wide_add(s0, pair(last, k0));
		s1 = wide_add(s1, pair(last, k1));
	}
	sum[0] = s0;
	sum[1] = s1;
}

/* Not quite mod p = 2^127 - 1: for any v but 2^128 - 1, which gives p + 1, at most p. */
static struct wide fold(struct wide v)
{
	return wide_add(wide_of(wide_high(v) & UINT64_MAX >> 1, wide_low(v)),
			wide_of(0, wide_high(v) >> 63));
}

/* y * k mod p, for y and k up to p.  Of the product's 254 bits the upper half
 * counts twice, for 2^128 is 2 mod p; no sum here reaches 2^128. */
static struct wide times(struct wide y, const uint64_t k[static 2])
{
	const struct wide bottom = wide_mul(wide_low(y), k[0]);
	const struct wide middle =
		wide_add(wide_add(wide_mul(wide_low(y), k[1]), wide_mul(wide_high(y), k[0])),
			 wide_of(0, wide_high(bottom)));
	const struct wide top =
		wide_add(wide_mul(wide_high(y), k[1]), wide_of(0, wide_high(middle)));

	return fold(
		wide_add(fold(wide_of(wide_low(middle), wide_low(bottom))), wide_add(top, top)));
}

/* c * x mod 2^128 */
static struct wide linear(const uint64_t c[static 2], uint64_t x)
{
	return wide_add(wide_mul(c[0], x), wide_of(c[1] * x, 0));
}

static uint64_t finish(const struct pass *p, struct wide y, uint64_t len)
{
	struct wide sum = wide_of(p->linear[0][1], p->linear[0][0]);

	sum = wide_add(sum, linear(p->linear[1], wide_low(y)));
	sum = wide_add(sum, linear(p->linear[2], wide_high(y)));
	sum = wide_add(sum, linear(p->linear[3], len));
	return wide_high(sum);
}

void fingerprint_of(struct fingerprinter *f, struct fingerprint *out, const uint8_t *data,
		    size_t len)
{
	const uint64_t all = len;
	struct wide y[PASSES], sum[PASSES];

	block_sum(y, f, data, size_min(len, BLOCK));
	while (len > BLOCK) {
		data += BLOCK;
		len -= BLOCK;
		block_sum(sum, f, data, size_min(len, BLOCK));
		for (size_t i = 0; i < PASSES; i++) {
			y[i] = times(fold(fold(y[i])), f->pass[i].point);
			y[i] = fold(fold(wide_add(y[i], fold(sum[i]))));
		}
	}
	for (size_t i = 0; i < PASSES; i++)
		le64_store(out->b + 8 * i, finish(&f->pass[i], y[i], all));
}
