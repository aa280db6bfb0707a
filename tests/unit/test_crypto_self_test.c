/* SPDX-License-Identifier: MIT */
/* tests/unit/test_crypto_self_test.c - contexts, known answers, comparing and wiping. */
#include "base/port.h"
#include "crypto/context.h"
#include "crypto/keccak.h"
#include "tests/vectors.h"

static struct rng_seeded seed;

static struct crypto *some_crypto(void)
{
	struct rng rng = rng_seeded_init(&seed, 11);
	struct crypto *c;

	assert_int_equal(crypto_new(&c, &rng), OK);
	return c;
}

/* hardening C9: in each body, all answers are known ones. */
static void test_passes_in_each_body(void **state)
{
	enum keccak_body before = keccak_body_in_use();
	struct crypto *c = some_crypto();

	(void)state;
	for (enum keccak_body body = 0; body < KECCAK_BODIES; body++)
		if (keccak_body_force(body))
			assert_null(crypto_self_test(c));
	assert_true(keccak_body_force(before));
	crypto_free(c);
}

/* Each check is one that can fail: a wrong bit in the answer is seen. */
static void test_each_check_can_fail(void **state)
{
	struct crypto *c = some_crypto();

	(void)state;
	assert_true(crypto__check_count >= 11);
	for (size_t i = 0; i < crypto__check_count; i++) {
		assert_non_null(crypto__checks[i].name);
		assert_true(crypto__checks[i].good(c, 0));
		for (unsigned flip = 1; flip < 256; flip *= 2)
			assert_false(crypto__checks[i].good(c, (uint8_t)flip));
	}
	crypto_free(c);
}

/* hardening C8: so many fills succeed, the next one does not. */
static bool fill_so_often(void *ctx, uint8_t *out, size_t len)
{
	unsigned *left = ctx;

	memset(out, 0x5a, len);
	return (*left)-- > 0;
}

static void test_without_random_bytes(void **state)
{
	unsigned left = 0;
	struct rng failing = { .fill = fill_so_often, .ctx = &left };
	struct crypto *c = NULL;
	struct seckey key, zeros = { .b = { 0 } };

	(void)state;
	assert_int_equal(crypto_new(&c, &failing), ERR_RANDOM);
	assert_null(c);
	crypto_free(NULL);
	c = some_crypto();
	left = 0;
	assert_int_equal(crypto_rerandomise(c, &failing), ERR_RANDOM);
	left = 0;
	assert_int_equal(seckey_generate(c, &key, &failing), ERR_RANDOM);
	assert_memory_equal(&key, &zeros, sizeof(key));
	assert_null(crypto_self_test(c)); /* still in order */
	crypto_free(c);
}

/* hardening C6: blinding anew changes nothing that can be seen. */
static void test_rerandomise(void **state)
{
	struct rng rng = rng_seeded_init(&seed, 12);
	struct crypto *c = some_crypto();

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(crypto_rerandomise(c, &rng), OK);
		assert_null(crypto_self_test(c));
	}
	crypto_free(c);
}

static void test_eq(void **state)
{
	uint8_t a[40], b[40];

	(void)state;
	memset(a, 0x33, sizeof(a));
	memset(b, 0x33, sizeof(b));
	assert_true(crypto_eq(a, b, 0));
	for (size_t len = 1; len <= sizeof(a); len++) {
		assert_true(crypto_eq(a, b, len));
		for (size_t bit = 0; bit < 8 * len; bit++) {
			b[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(crypto_eq(a, b, len));
			b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		a[len - 1] ^= 1;
		assert_true(crypto_eq(a, b, len - 1));
		a[len - 1] ^= 1;
	}
}

static void test_wipe(void **state)
{
	uint8_t a[70], zeros[70] = { 0 };

	(void)state;
	for (size_t len = 0; len <= 64; len++) {
		memset(a, 0xee, sizeof(a));
		crypto_wipe(a + 3, len);
		assert_memory_equal(a + 3, zeros, len);
		assert_int_equal(a[2], 0xee);
		assert_int_equal(a[3 + len], 0xee);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passes_in_each_body),
		cmocka_unit_test(test_each_check_can_fail),
		cmocka_unit_test(test_without_random_bytes),
		cmocka_unit_test(test_rerandomise),
		cmocka_unit_test(test_eq),
		cmocka_unit_test(test_wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
