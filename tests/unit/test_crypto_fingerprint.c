/* SPDX-License-Identifier: MIT */
/* tests/unit/test_crypto_fingerprint.c - the fast hash against its definition in big
 * integers, and against what it must tell apart. */
#include "base/port.h"
#include "crypto/crypto.h"
#include "crypto/openssl.h"
#include "tests/vectors.h"

#include <openssl/bn.h> /* behind crypto/openssl.h, which says why */

#define BLOCK 1024 /* bytes of a coefficient */

/* The key of one pass, as the random port gives it: NH, point, linear. */
struct key {
	uint64_t nh[BLOCK / 8];
	uint64_t point[2];
	uint64_t linear[4][2];
};

/* Random bytes, remembered, so that the reference has the same key. */
struct memory {
	struct rng from;
	uint8_t given[2 * sizeof(struct key)];
	size_t len;
};

static bool remember(void *ctx, uint8_t *out, size_t len)
{
	struct memory *m = ctx;

	if (len > sizeof(m->given) - m->len || rng_fill(&m->from, out, len) != OK)
		return false;
	memcpy(m->given + m->len, out, len);
	m->len += len;
	return true;
}

static bool fill_ones(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0xff, len);
	return true;
}

/* --- the definition --------------------------------------------------------------- */

static BN_CTX *bn;

static BIGNUM *number(uint64_t high, uint64_t low)
{
	BIGNUM *out = BN_new();

	assert_int_equal(BN_set_word(out, high), 1);
	assert_int_equal(BN_lshift(out, out, 64), 1);
	assert_int_equal(BN_add_word(out, low), 1);
	return out;
}

/* sum += a * b */
static void add_product(BIGNUM *sum, BIGNUM *a, BIGNUM *b)
{
	BIGNUM *product = BN_new();

	assert_int_equal(BN_mul(product, a, b, bn), 1);
	assert_int_equal(BN_add(sum, sum, product), 1);
	BN_free(product);
	BN_free(a);
	BN_free(b);
}

static uint64_t word_or_zeros(struct span data, size_t at)
{
	uint8_t word[8] = { 0 };

	if (at < data.len)
		memcpy(word, data.data + at, size_min(8, data.len - at));
	return le64_load(word);
}

/* A block of up to 1 KiB from at on: pairs of words, key added, multiplied, summed up. */
static BIGNUM *block_number(const struct key *k, struct span data, size_t at)
{
	struct span block = span_of(data.data + at, size_min(BLOCK, data.len - at));
	BIGNUM *sum = number(0, 0);

	for (size_t i = 0; i < block.len; i += 16)
		add_product(sum, number(0, word_or_zeros(block, i) + k->nh[i / 8]),
			    number(0, word_or_zeros(block, i + 8) + k->nh[i / 8 + 1]));
	if (BN_num_bits(sum) > 128)
		assert_int_equal(BN_mask_bits(sum, 128), 1);
	return sum;
}

static uint64_t bits_of(const BIGNUM *n, int from)
{
	BIGNUM *part = BN_new();
	uint64_t out;

	assert_int_equal(BN_rshift(part, n, from), 1);
	if (BN_num_bits(part) > 64)
		assert_int_equal(BN_mask_bits(part, 64), 1);
	out = BN_get_word(part);
	BN_free(part);
	return out;
}

static uint64_t reference(const struct key *k, struct span data)
{
	BIGNUM *p = number(UINT64_MAX >> 1, UINT64_MAX), *y = NULL, *sum;
	uint64_t out;

	if (data.len <= BLOCK)
		y = block_number(k, data, 0);
	for (size_t at = 0; data.len > BLOCK && at < data.len; at += BLOCK) {
		BIGNUM *next = block_number(k, data, at);

		if (y != NULL)
			add_product(next, y, number(k->point[1] & UINT64_MAX >> 1, k->point[0]));
		y = next;
		assert_int_equal(BN_mod(y, y, p, bn), 1);
	}
	sum = number(k->linear[0][1], k->linear[0][0]);
	add_product(sum, number(k->linear[1][1], k->linear[1][0]), number(0, bits_of(y, 0)));
	add_product(sum, number(k->linear[2][1], k->linear[2][0]), number(0, bits_of(y, 64)));
	add_product(sum, number(k->linear[3][1], k->linear[3][0]), number(0, data.len));
	out = bits_of(sum, 64);
	BN_free(sum);
	BN_free(y);
	BN_free(p);
	return out;
}

static void compare(struct fingerprinter *f, const struct memory *m, struct span data)
{
	struct fingerprint got;
	struct key k;

	fingerprint_of(f, &got, data.data, data.len);
	for (size_t i = 0; i < 2; i++) {
		memcpy(&k, m->given + i * sizeof(k), sizeof(k));
		assert_int_equal(le64_load(got.b + 8 * i), reference(&k, data));
	}
}

/* --- tests ----------------------------------------------------------------------------- */

static struct rng_seeded seed;

static int setup(void **state)
{
	(void)state;
	bn = BN_CTX_new();
	return bn != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	BN_CTX_free(bn);
	return 0;
}

static struct span filled(struct rng *rng, size_t len)
{
	struct span s = vec_fill(0, len);

	assert_int_equal(rng_fill(rng, (uint8_t *)s.data, len), OK);
	return s;
}

/* Under one key: each length up to two blocks and some more, of any bytes. */
static void against_definition(struct rng *key_from, struct rng *data_from)
{
	struct memory m = { .from = *key_from, .len = 0 };
	struct rng rng = { .fill = remember, .ctx = &m };
	struct fingerprinter *f;

	assert_int_equal(fingerprinter_new(&f, &rng), OK);
	assert_int_equal(m.len, sizeof(m.given));
	for (size_t len = 0; len <= 5000; len += len < 40 || len % BLOCK > 1000 ? 1 : 23) {
		compare(f, &m, filled(data_from, len));
		vectors_close(NULL);
	}
	fingerprinter_free(f);
}

static void test_definition(void **state)
{
	struct rng random = rng_seeded_init(&seed, 5);

	(void)state;
	against_definition(&random, &random);
}

/* Ones everywhere: every carry that there is. */
static void test_definition_at_the_edge(void **state)
{
	struct rng random = rng_seeded_init(&seed, 6), ones = { .fill = fill_ones };

	(void)state;
	against_definition(&ones, &ones);
	against_definition(&random, &ones);
	against_definition(&ones, &random);
}

/* Each bit counts, and so does each zero byte at the end. */
static void test_tells_apart(void **state)
{
	struct rng rng = rng_seeded_init(&seed, 8);
	struct fingerprint base, other;
	struct fingerprinter *f;
	uint8_t data[2100];

	(void)state;
	assert_int_equal(fingerprinter_new(&f, &rng), OK);
	assert_int_equal(rng_fill(&rng, data, sizeof(data)), OK);
	fingerprint_of(f, &base, data, sizeof(data));
	for (size_t bit = 0; bit < 8 * sizeof(data); bit += 3) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		fingerprint_of(f, &other, data, sizeof(data));
		assert_memory_not_equal(&base, &other, sizeof(base));
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	fingerprint_of(f, &other, data, sizeof(data));
	assert_memory_equal(&base, &other, sizeof(base));
	memset(data, 0, sizeof(data));
	for (size_t len = 1; len <= sizeof(data); len++) {
		fingerprint_of(f, &base, data, len - 1);
		fingerprint_of(f, &other, data, len);
		assert_memory_not_equal(&base, &other, sizeof(base));
	}
	fingerprinter_free(f);
}

static void test_other_keys_other_fingerprints(void **state)
{
	struct rng rng = rng_seeded_init(&seed, 9);
	struct fingerprinter *f[2];
	struct fingerprint out[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(fingerprinter_new(&f[i], &rng), OK);
		fingerprint_of(f[i], &out[i], NULL, 0);
		fingerprinter_free(f[i]);
	}
	assert_memory_not_equal(&out[0], &out[1], sizeof(out[0]));
	fingerprinter_free(NULL);
}

static bool never(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	(void)out;
	(void)len;
	return false;
}

static void test_without_random_bytes(void **state)
{
	struct rng rng = { .fill = never };
	struct fingerprinter *f = NULL;

	(void)state;
	assert_int_equal(fingerprinter_new(&f, &rng), ERR_RANDOM);
	assert_null(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_definition),
		cmocka_unit_test(test_definition_at_the_edge),
		cmocka_unit_test(test_tells_apart),
		cmocka_unit_test(test_other_keys_other_fingerprints),
		cmocka_unit_test(test_without_random_bytes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
