/* SPDX-License-Identifier: MIT */
/* tests/unit/test_crypto_ctime.c - no branch and no index depends on a secret (hardening
 * C4, C5).
 *
 * Secrets are marked undefined; under valgrind, which .ci/full runs all tests
 * with, a branch or an address that depends on one is an error, and the errors
 * are counted.  Anywhere else the same calls are only compared with themselves
 * on plain copies.  The curve is left to the tests of libsecp256k1 itself: whether
 * a key is in range comes back as a result, and callers branch on it.
 */
#include "base/port.h"
#include "crypto/crypto.h"
#include "crypto/keccak.h"
#include "tests/vectors.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#ifndef VALGRIND_COUNT_ERRORS
#define VALGRIND_MAKE_MEM_UNDEFINED(p, len) ((void)(p), (void)(len))
#define VALGRIND_MAKE_MEM_DEFINED(p, len)   ((void)(p), (void)(len))
#define VALGRIND_COUNT_ERRORS		    0
#endif

static struct crypto *c;
static struct rng_seeded seed;
static struct rng rng;

static int setup(void **state)
{
	(void)state;
	rng = rng_seeded_init(&seed, 31);
	return crypto_new(&c, &rng) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	crypto_free(c);
	return 0;
}

static void random_bytes(void *out, size_t len)
{
	assert_int_equal(rng_fill(&rng, out, len), OK);
}

static void hide(void *p, size_t len)
{
	VALGRIND_MAKE_MEM_UNDEFINED(p, len);
}

static void show(void *p, size_t len)
{
	VALGRIND_MAKE_MEM_DEFINED(p, len);
}

/* How often valgrind complained since the last question. */
static unsigned complaints(void)
{
	static unsigned before;
	unsigned now = (unsigned)VALGRIND_COUNT_ERRORS, n = now - before;

	before = now;
	return n;
}

static void test_eq(void **state)
{
	uint8_t a[48], b[48];
	bool same;

	(void)state;
	(void)complaints();
	for (size_t differ = 0; differ <= 48; differ++) {
		random_bytes(a, sizeof(a));
		memcpy(b, a, sizeof(b));
		if (differ < 48)
			b[differ] ^= 0x10;
		hide(a, sizeof(a));
		hide(b, sizeof(b));
		same = crypto_eq(a, b, sizeof(a));
		show(&same, sizeof(same));
		assert_int_equal(same, differ == 48);
	}
	assert_int_equal(complaints(), 0);
}

static void test_hashes(void **state)
{
	uint8_t key[32], text[300], plain[4][32], hidden[4][32];
	const struct span in = span_of(text, sizeof(text));
	struct keccak k;

	(void)state;
	(void)complaints();
	for (int secret = 0; secret < 2; secret++) {
		uint8_t(*out)[32] = secret ? hidden : plain;
		struct rng same = rng_seeded_init(&seed, 32);

		assert_int_equal(rng_fill(&same, key, sizeof(key)), OK);
		assert_int_equal(rng_fill(&same, text, sizeof(text)), OK);
		if (secret) {
			hide(key, sizeof(key));
			hide(text, sizeof(text));
		}
		crypto_sha256(c, out[0], &in, 1);
		crypto_hmac_sha256(c, out[1], span_of(key, sizeof(key)), &in, 1);
		keccak256(out[2], text, sizeof(text));
		keccak_init(&k);
		keccak_update(&k, text, sizeof(text));
		keccak_update(&k, key, sizeof(key));
		keccak_peek(&k, out[3]);
		show(out, sizeof(plain));
	}
	assert_memory_equal(plain, hidden, sizeof(plain));
	assert_int_equal(complaints(), 0);
}

/* Keys and what they work on; lengths and nonces are public. */
static void ciphers(uint8_t out[static 332], uint8_t key[static 32], uint8_t text[static 100])
{
	const uint8_t iv[16] = { 1, 2, 3 };
	struct aes_ctr *stream;
	struct aes_block *block;
	struct aes_gcm *gcm;

	assert_int_equal(aes_ctr_new(&stream, key, 32, iv), OK);
	aes_ctr_run(stream, out, text, 100);
	aes_ctr_free(stream);
	assert_int_equal(aes_ctr_new(&stream, key, 16, iv), OK);
	aes_ctr_run(stream, out + 100, text, 100);
	aes_ctr_free(stream);
	assert_int_equal(aes_block_new(&block, key), OK);
	aes_block_run(block, out + 200, text);
	aes_block_free(block);
	assert_int_equal(aes_gcm_new(&gcm, key), OK);
	assert_int_equal(aes_gcm_seal(gcm, out + 216, iv, text, 100), OK);
	aes_gcm_free(gcm);
}

static void test_ciphers(void **state)
{
	uint8_t key[32], text[100], key2[32], text2[100], plain[332], hidden[332];

	(void)state;
	(void)complaints();
	random_bytes(key, sizeof(key));
	random_bytes(text, sizeof(text));
	memcpy(key2, key, sizeof(key));
	memcpy(text2, text, sizeof(text));
	ciphers(plain, key, text);
	hide(key2, sizeof(key2));
	hide(text2, sizeof(text2));
	ciphers(hidden, key2, text2);
	show(hidden, sizeof(hidden));
	assert_memory_equal(plain, hidden, sizeof(plain));
	assert_int_equal(complaints(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eq),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_ciphers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
