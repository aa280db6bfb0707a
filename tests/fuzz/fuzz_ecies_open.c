/* SPDX-License-Identifier: MIT */
/* ECIES from any bytes, and from any bytes under a tag that is right, which anyone
 * can make (hardening C3, C4): one answer to all that is wrong, outputs
 * untouched by it, and what is opened is what was sealed. */
#include "base/port.h"
#include "crypto/crypto.h"
#include "tests/fuzz/fuzz.h"

#define FILL 0xa5

static const struct seckey key = { .b[0] = 0x11, .b[31] = 0x22 };
static struct pubkey self;

static struct crypto *the_crypto(void)
{
	static struct rng_seeded seed;
	static struct crypto *c;
	struct rng rng = rng_seeded_init(&seed, 1);

	if (c == NULL) {
		fuzz_check(crypto_new(&c, &rng) == OK);
		fuzz_check(pubkey_of(c, &self, &key) == OK);
	}
	return c;
}

static uint8_t *filled(size_t len)
{
	uint8_t *out = malloc(len > 0 ? len : 1);

	fuzz_check(out != NULL);
	memset(out, FILL, len > 0 ? len : 1);
	return out;
}

/* Open, into exactly as much as there is; all errors leave it alone. */
static enum err open_it(struct crypto *c, uint8_t **out, struct span sealed, struct span s1,
			struct span s2)
{
	size_t len = sealed.len < ECIES_OVERHEAD ? 0 : sealed.len - ECIES_OVERHEAD;
	enum err e;

	*out = filled(len);
	e = ecies_open(c, *out, sealed, &key, s1, s2);
	if (sealed.len < ECIES_OVERHEAD)
		fuzz_check(e == ERR_SIZE);
	else
		fuzz_check(e == OK || e == ERR_DECRYPT);
	for (size_t i = 0; e != OK && i < len; i++)
		fuzz_check((*out)[i] == FILL);
	return e;
}

/* A message that any stranger can make: a point, then these bytes, then their tag. */
static void with_right_tag(struct crypto *c, struct span between, struct span s1, struct span s2)
{
	static const uint8_t counter[4] = { 0, 0, 0, 1 };
	const struct seckey ephemeral = { .b[5] = 0x33 };
	size_t len = 65 + between.len + 32;
	uint8_t *sealed = filled(len), *out, z[32], k[32], mac_key[32];
	struct span half = span_of(k + 16, 16);
	struct pubkey point;

	fuzz_check(pubkey_of(c, &point, &ephemeral) == OK);
	fuzz_check(crypto_ecdh(c, z, &ephemeral, &self) == OK);
	sealed[0] = 0x04;
	memcpy(sealed + 1, point.b, 64);
	if (between.len > 0)
		memcpy(sealed + 65, between.data, between.len);
	crypto_sha256(c, k, (struct span[]){ span_of(counter, 4), span_of(z, 32), s1 }, 3);
	crypto_sha256(c, mac_key, &half, 1);
	crypto_hmac_sha256(c, sealed + 65 + between.len, span_of(mac_key, 32),
			   (struct span[]){ between, s2 }, 2);
	fuzz_check(open_it(c, &out, span_of(sealed, len), s1, s2) ==
		   (between.len < 16 ? ERR_SIZE : OK));
	free(out);
	free(sealed);
}

/* Sealed, opened, and opened no more with one bit changed. */
static void there_and_back(struct crypto *c, struct span plain, struct span s2, size_t flip)
{
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, flip);
	struct span none = { .len = 0 };
	size_t len = plain.len + ECIES_OVERHEAD;
	uint8_t *sealed = filled(len), *out;

	if (plain.len == 0) {
		fuzz_check(ecies_seal(c, sealed, &rng, plain, &self, none, s2) == ERR_SIZE);
		free(sealed);
		return;
	}
	fuzz_check(ecies_seal(c, sealed, &rng, plain, &self, none, s2) == OK);
	fuzz_check(open_it(c, &out, span_of(sealed, len), none, s2) == OK);
	fuzz_check(memcmp(out, plain.data, plain.len) == 0);
	free(out);
	flip %= 8 * len;
	sealed[flip / 8] ^= (uint8_t)(1 << flip % 8);
	fuzz_check(open_it(c, &out, span_of(sealed, len), none, s2) == ERR_DECRYPT);
	free(out);
	free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crypto *c = the_crypto();
	struct span in = span_of(data, size), s1, s2;
	uint8_t kind = fuzz_u8(&in), *out;

	if (!span_take(&in, &s1, size_min(in.len, kind >> 2 & 3)) ||
	    !span_take(&in, &s2, size_min(in.len, kind >> 4 & 7)))
		return 0;
	switch (kind & 3) {
	case 0: with_right_tag(c, in, s1, s2); break;
	case 1: there_and_back(c, in, s2, (size_t)kind * 37); break;
	default:
		(void)open_it(c, &out, in, s1, s2);
		free(out);
		break;
	}
	return 0;
}
