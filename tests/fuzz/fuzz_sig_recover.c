/* SPDX-License-Identifier: MIT */
/* Recovery from any 65 bytes (hardening C1, C2): a key or ERR_SIG, never anything
 * else; a recovered key is a point that the signature verifies under when its s
 * is low; and any 64, 65 or 33 bytes as a public key. */
#include "base/port.h"
#include "crypto/crypto.h"
#include "tests/fuzz/fuzz.h"

static struct crypto *the_crypto(void)
{
	static struct rng_seeded seed;
	static struct crypto *c;
	struct rng rng = rng_seeded_init(&seed, 1);

	if (c == NULL)
		fuzz_check(crypto_new(&c, &rng) == OK);
	return c;
}

/* s above n/2, whose halves are rounded down */
static bool s_is_high(const uint8_t s[static 32])
{
	uint8_t half[32];

	fuzz_check(hex_decode(half, 32,
			      "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0") ==
		   OK);
	return memcmp(s, half, 32) > 0;
}

static void try_signature(struct crypto *c, const uint8_t digest[static 32],
			  const uint8_t sig[static SIG_SIZE])
{
	struct pubkey point;
	enum err e = crypto_recover(c, &point, digest, sig);

	fuzz_check(e == OK || e == ERR_SIG);
	if (e != OK)
		return;
	fuzz_check(sig[64] <= 3);
	fuzz_check(pubkey_check(c, &point) == OK);
	e = crypto_verify(c, sig, digest, &point);
	fuzz_check(e == (s_is_high(sig + 32) ? ERR_SIG : OK));
}

/* Bytes as keys: what one form takes, the others give back. */
static void try_keys(struct crypto *c, const uint8_t in[static 65])
{
	struct pubkey point, again;
	uint8_t compressed[33], full[65] = { 0x04 };

	memcpy(point.b, in + 1, 64);
	fuzz_check((pubkey_parse65(c, &again, in) == OK) ==
		   (in[0] == 0x04 && pubkey_check(c, &point) == OK));
	if (pubkey_parse33(c, &point, in) != OK)
		return;
	fuzz_check(in[0] == 0x02 || in[0] == 0x03);
	pubkey_compress(compressed, &point);
	fuzz_check(memcmp(compressed, in, 33) == 0);
	memcpy(full + 1, point.b, 64);
	fuzz_check(pubkey_parse65(c, &again, full) == OK);
	fuzz_check(memcmp(&again, &point, sizeof(point)) == 0);
}

/* The bytes as a secret key: what it signs is recovered and verified. */
static void try_signing(struct crypto *c, const uint8_t digest[static 32],
			const uint8_t scalar[static 32])
{
	uint8_t sig[SIG_SIZE];
	struct seckey key;
	struct pubkey mine, got;

	memcpy(key.b, scalar, 32);
	fuzz_check((crypto_sign(c, sig, digest, &key) == OK) == seckey_valid(c, &key));
	if (!seckey_valid(c, &key))
		return;
	fuzz_check(pubkey_of(c, &mine, &key) == OK);
	fuzz_check(crypto_recover(c, &got, digest, sig) == OK);
	fuzz_check(memcmp(&mine, &got, sizeof(mine)) == 0);
	fuzz_check(!s_is_high(sig + 32) && crypto_verify(c, sig, digest, &mine) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t digest[32] = { 0 }, sig[SIG_SIZE] = { 0 };
	struct span in = span_of(data, size), part;
	struct crypto *c = the_crypto();

	if (span_take(&in, &part, size_min(in.len, sizeof(digest))) && part.len > 0)
		memcpy(digest, part.data, part.len);
	if (span_take(&in, &part, size_min(in.len, sizeof(sig))) && part.len > 0)
		memcpy(sig, part.data, part.len);
	try_signature(c, digest, sig);
	try_keys(c, sig);
	try_signing(c, digest, sig);
	sig[64] &= 3; /* the deeper path too */
	try_signature(c, digest, sig);
	return 0;
}
