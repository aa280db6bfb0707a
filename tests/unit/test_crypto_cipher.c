/* SPDX-License-Identifier: MIT */
/* tests/unit/test_crypto_cipher.c - AES streams, blocks and sealed messages. */
#include "base/port.h"
#include "crypto/crypto.h"
#include "tests/vectors.h"

#define TAG 16

static struct rng_seeded seed;
static struct rng rng;

static int setup(void **state)
{
	(void)state;
	rng = rng_seeded_init(&seed, 3);
	return 0;
}

static struct span random_bytes(size_t len)
{
	struct span s = vec_fill(0, len);

	assert_int_equal(rng_fill(&rng, (uint8_t *)s.data, len), OK);
	return s;
}

static struct aes_ctr *ctr_with(struct span key, const uint8_t iv[static 16])
{
	struct aes_ctr *a;

	assert_int_equal(aes_ctr_new(&a, key.data, key.len, iv), OK);
	return a;
}

static struct aes_gcm *gcm_with(const uint8_t key[static 32])
{
	struct aes_gcm *a;

	assert_int_equal(aes_gcm_new(&a, key), OK);
	return a;
}

/* --- streams ------------------------------------------------------------------- */

static void test_ctr_vectors(void **state)
{
	json_t *file = vectors_open("aes");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "ctr", i, v) {
		struct span plain = vec_bytes(v, "plain"), out = vec_fill(0, plain.len);
		struct aes_ctr *a = ctr_with(vec_bytes(v, "key"), vec_bytes(v, "iv").data);

		aes_ctr_run(a, (uint8_t *)out.data, plain.data, plain.len);
		assert_span_equal(out, vec_bytes(v, "cipher"), "%s", vec_text(v, "name"));
		aes_ctr_free(a);
	}
	vectors_close(file);
}

/* The stream goes on where the last call ended, in place or not. */
static void test_ctr_any_chunking(void **state)
{
	struct span key = random_bytes(32), iv = random_bytes(16), plain = random_bytes(1000);
	struct span whole = vec_fill(0, 1000), parts = vec_copy(plain.data, 1000);
	struct aes_ctr *a = ctr_with(key, iv.data), *b = ctr_with(key, iv.data);

	(void)state;
	aes_ctr_run(a, (uint8_t *)whole.data, plain.data, 1000);
	for (size_t at = 0, part = 0; at < 1000; at += part) {
		uint8_t *p = (uint8_t *)parts.data + at;

		part = size_min(1000 - at, at % 37);
		part += part == 0;
		aes_ctr_run(b, p, p, part);
		aes_ctr_run(b, p, p, 0);
	}
	assert_span_equal(parts, whole, "chunks");
	aes_ctr_free(a);
	aes_ctr_free(b);
	vectors_close(NULL);
}

/* The counter is all 128 bits, big endian: its carry runs through every byte. */
static void test_ctr_carries_through_all_bytes(void **state)
{
	struct span key = random_bytes(32);

	(void)state;
	for (size_t ones = 0; ones <= 16; ones++) {
		uint8_t counter[16] = { 0 }, stream[64] = { 0 }, expect[64];
		struct aes_block *block;
		struct aes_ctr *a;

		memset(counter + 16 - ones, 0xff, ones);
		a = ctr_with(key, counter);
		aes_ctr_run(a, stream, stream, sizeof(stream));
		assert_int_equal(aes_block_new(&block, key.data), OK);
		for (size_t i = 0; i < 4; i++) {
			aes_block_run(block, expect + 16 * i, counter);
			for (size_t at = 16; at-- > 0 && ++counter[at] == 0;)
				continue;
		}
		assert_memory_equal(stream, expect, 64);
		aes_block_free(block);
		aes_ctr_free(a);
	}
	vectors_close(NULL);
}

/* Another counter, from the middle of a block too, is another stream from its start. */
static void test_ctr_seek(void **state)
{
	struct span key = random_bytes(16), first = random_bytes(16), other = random_bytes(16);
	struct aes_ctr *a = ctr_with(key, first.data);

	(void)state;
	for (size_t before = 0; before < 40; before++) {
		uint8_t got[50] = { 0 }, want[50] = { 0 };
		struct aes_ctr *b = ctr_with(key, other.data);

		aes_ctr_seek(a, first.data);
		aes_ctr_run(a, got, got, before);
		memset(got, 0, sizeof(got));
		aes_ctr_seek(a, other.data);
		aes_ctr_run(a, got, got, sizeof(got));
		aes_ctr_run(b, want, want, sizeof(want));
		assert_memory_equal(got, want, sizeof(got));
		aes_ctr_free(b);
	}
	aes_ctr_free(a);
	vectors_close(NULL);
}

static void test_ctr_refuses_other_key_sizes(void **state)
{
	uint8_t key[64] = { 0 }, iv[16] = { 0 };
	struct aes_ctr *a = NULL;

	(void)state;
	for (size_t len = 0; len <= sizeof(key); len++) {
		if (len == 16 || len == 32)
			continue;
		assert_int_equal(aes_ctr_new(&a, key, len, iv), ERR_ARG);
		assert_null(a);
	}
	aes_ctr_free(NULL);
}

/* --- blocks -------------------------------------------------------------------- */

static void test_block_vectors(void **state)
{
	json_t *file = vectors_open("aes");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "block", i, v) {
		uint8_t key[32], block[16];
		struct aes_block *a;

		vec_exact(v, "key", key, 32);
		vec_exact(v, "plain", block, 16);
		assert_int_equal(aes_block_new(&a, key), OK);
		for (size_t again = 0; again < 2; again++) { /* nothing is chained */
			uint8_t out[16];

			aes_block_run(a, out, block);
			assert_span_equal(span_of(out, 16), vec_bytes(v, "cipher"), "%s",
					  vec_text(v, "name"));
		}
		aes_block_run(a, block, block);
		assert_span_equal(span_of(block, 16), vec_bytes(v, "cipher"), "in place");
		aes_block_free(a);
	}
	aes_block_free(NULL);
	vectors_close(file);
}

/* --- sealed messages -------------------------------------------------------------- */

static void test_gcm_vectors(void **state)
{
	json_t *file = vectors_open("aes");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "gcm", i, v) {
		struct span plain = vec_bytes(v, "plain"), sealed = vec_bytes(v, "sealed");
		struct span out = vec_fill(0, plain.len + TAG), back = vec_fill(0, plain.len);
		struct span nonce = vec_bytes(v, "nonce");
		uint8_t key[32];
		struct aes_gcm *a;

		vec_exact(v, "key", key, 32);
		a = gcm_with(key);
		assert_int_equal(
			aes_gcm_seal(a, (uint8_t *)out.data, nonce.data, plain.data, plain.len),
			OK);
		assert_span_equal(out, sealed, "%s, sealed", vec_text(v, "name"));
		assert_int_equal(
			aes_gcm_open(a, (uint8_t *)back.data, nonce.data, sealed.data, sealed.len),
			OK);
		assert_span_equal(back, plain, "%s, opened", vec_text(v, "name"));
		aes_gcm_free(a);
	}
	aes_gcm_free(NULL);
	vectors_close(file);
}

/* hardening C7: whatever bit changes, nothing is opened and nothing leaves. */
static void test_gcm_refuses_each_flipped_bit(void **state)
{
	struct span key = random_bytes(32), nonce = random_bytes(12), plain = random_bytes(61);
	uint8_t sealed[61 + TAG], out[61], zeros[61] = { 0 };
	struct aes_gcm *a = gcm_with(key.data);

	(void)state;
	assert_int_equal(aes_gcm_seal(a, sealed, nonce.data, plain.data, plain.len), OK);
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memset(out, 0xa5, sizeof(out));
		assert_int_equal(aes_gcm_open(a, out, nonce.data, sealed, sizeof(sealed)),
				 ERR_DECRYPT);
		assert_memory_equal(out, zeros, sizeof(out));
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(aes_gcm_open(a, out, nonce.data, sealed, sizeof(sealed)), OK);
	assert_memory_equal(out, plain.data, plain.len);
	aes_gcm_free(a);
	vectors_close(NULL);
}

static void test_gcm_refuses_other_nonces_and_keys(void **state)
{
	struct span key = random_bytes(32), nonce = random_bytes(12), plain = random_bytes(40);
	uint8_t sealed[40 + TAG], out[40];
	struct aes_gcm *a = gcm_with(key.data);

	(void)state;
	assert_int_equal(aes_gcm_seal(a, sealed, nonce.data, plain.data, plain.len), OK);
	for (size_t i = 0; i < 12; i++) {
		uint8_t other[12];

		memcpy(other, nonce.data, 12);
		other[i] ^= 0x10;
		assert_int_equal(aes_gcm_open(a, out, other, sealed, sizeof(sealed)), ERR_DECRYPT);
	}
	for (size_t i = 0; i < 32; i++) {
		uint8_t other[32];
		struct aes_gcm *b;

		memcpy(other, key.data, 32);
		other[i] ^= 0x01;
		b = gcm_with(other);
		assert_int_equal(aes_gcm_open(b, out, nonce.data, sealed, sizeof(sealed)),
				 ERR_DECRYPT);
		aes_gcm_free(b);
	}
	aes_gcm_free(a);
	vectors_close(NULL);
}

/* Each length: no room for a tag, truncated, extended; sizes the library could not count. */
static void test_gcm_lengths(void **state)
{
	static const uint8_t key[32] = { 1 }, nonce[12] = { 2 };
	struct aes_gcm *a = gcm_with(key);

	(void)state;
	for (size_t len = 0; len < TAG; len++) {
		struct span sealed = random_bytes(len);

		assert_int_equal(aes_gcm_open(a, NULL, nonce, sealed.data, len), ERR_SIZE);
	}
	for (size_t len = 0; len <= 100; len++) {
		struct span plain = random_bytes(len), sealed = vec_fill(0, len + TAG + 1);
		struct span out = vec_fill(0, len + 1);
		uint8_t *to = (uint8_t *)out.data;

		assert_int_equal(aes_gcm_seal(a, (uint8_t *)sealed.data, nonce, plain.data, len),
				 OK);
		assert_int_equal(aes_gcm_open(a, to, nonce, sealed.data, len + TAG + 1),
				 ERR_DECRYPT);
		assert_int_equal(aes_gcm_open(a, to, nonce, sealed.data, len + TAG - 1),
				 len == 0 ? ERR_SIZE : ERR_DECRYPT);
		assert_int_equal(aes_gcm_open(a, to, nonce, sealed.data, len + TAG), OK);
		assert_memory_equal(to, plain.data, len);
		vectors_close(NULL);
	}
	assert_int_equal(aes_gcm_seal(a, NULL, nonce, NULL, (size_t)1 << 31), ERR_SIZE);
	assert_int_equal(aes_gcm_seal(a, NULL, nonce, NULL, SIZE_MAX), ERR_SIZE);
	assert_int_equal(aes_gcm_open(a, NULL, nonce, NULL, SIZE_MAX), ERR_SIZE);
	aes_gcm_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ctr_vectors),
		cmocka_unit_test(test_ctr_any_chunking),
		cmocka_unit_test(test_ctr_carries_through_all_bytes),
		cmocka_unit_test(test_ctr_seek),
		cmocka_unit_test(test_ctr_refuses_other_key_sizes),
		cmocka_unit_test(test_block_vectors),
		cmocka_unit_test(test_gcm_vectors),
		cmocka_unit_test(test_gcm_refuses_each_flipped_bit),
		cmocka_unit_test(test_gcm_refuses_other_nonces_and_keys),
		cmocka_unit_test(test_gcm_lengths),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
