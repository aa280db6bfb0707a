/* SPDX-License-Identifier: MIT */
/* tests/unit/test_keccak_search.c - proof of work against a search that hashes
 * every nonce from its definition. */
#include "base/port.h"
#include "crypto/keccak.h"
#include "tests/vectors.h"

#define PREFIX_MAX 300 /* bytes: two whole blocks and a rest */
#define RANGE	   100 /* nonces a comparison tries */

static uint8_t prefix[PREFIX_MAX];

static int setup(void **state)
{
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 7);

	(void)state;
	return rng_fill(&rng, prefix, sizeof(prefix)) == OK ? 0 : -1;
}

/* The definition: zero bits of keccak256(prefix ‖ BE64(nonce)), bit by bit. */
static unsigned bits_of(size_t len, uint64_t nonce, enum keccak_zeros kind)
{
	uint8_t tail[8], digest[32];
	unsigned n = 0;

	be64_store(tail, nonce);
	keccak256_parts(digest,
			(struct span[]){ span_of(prefix, len), span_of(tail, sizeof(tail)) }, 2);
	for (unsigned bit = 0; bit < 256; bit++, n++) {
		unsigned from_top = kind == KECCAK_LEADING ? bit : 255 - bit;

		if ((digest[from_top / 8] >> (7 - from_top % 8) & 1) != 0)
			return n;
	}
	return kind == KECCAK_LEADING ? n : 0;
}

static void compare(size_t len, uint64_t first, uint64_t count, enum keccak_zeros kind)
{
	struct keccak_search s;
	unsigned best = 0;
	uint64_t best_at = first, found;

	keccak_search_init(&s, prefix, len);
	for (uint64_t i = 0; i < count; i++) {
		unsigned n = bits_of(len, first + i, kind);

		/* each new record is the smallest nonce with more than best bits */
		for (unsigned bits = best + 1; bits <= n; bits++) {
			found = ~first;
			assert_true(keccak_search_run(&s, &found, first, count, kind, bits));
			assert_int_equal(found, first + i);
			assert_false(keccak_search_run(&s, &found, first, i, kind, bits));
		}
		if (n > best) {
			best = n;
			best_at = first + i;
		}
	}
	assert_false(keccak_search_run(&s, &found, first, count, kind, best + 1));
	assert_int_equal(keccak_search_best(&s, &found, first, count, kind), best);
	assert_int_equal(found, best_at);
}

static void in_each_body(void (*test)(void))
{
	enum keccak_body before = keccak_body_in_use();

	for (enum keccak_body body = 0; body < KECCAK_BODIES; body++)
		if (keccak_body_force(body))
			test();
	assert_true(keccak_body_force(before));
}

/* The nonce at each place of a block, across its end, and behind whole blocks. */
static void each_prefix(void)
{
	for (size_t len = 0; len <= PREFIX_MAX; len += len < 32 || len % 136 > 120 ? 1 : 5)
		for (enum keccak_zeros kind = KECCAK_LEADING; kind <= KECCAK_TRAILING; kind++)
			compare(len, 1000 * len, RANGE, kind);
}

static void test_each_prefix_length(void **state)
{
	(void)state;
	in_each_body(each_prefix);
}

/* Counts that are no multiple of the lanes: what lies behind the end is not found. */
static void each_count(void)
{
	for (uint64_t count = 0; count <= 40; count++)
		for (enum keccak_zeros kind = KECCAK_LEADING; kind <= KECCAK_TRAILING; kind++)
			compare(32, count * 77, count, kind);
}

static void test_each_count(void **state)
{
	(void)state;
	in_each_body(each_count);
}

/* Nonces beyond 32 bits, and running over the end of 64. */
static void each_edge(void)
{
	const uint64_t firsts[] = { UINT32_MAX - 50, (uint64_t)1 << 63, UINT64_MAX - RANGE + 1,
				    UINT64_MAX - 50 };

	for (size_t i = 0; i < 4; i++)
		compare(41, firsts[i], RANGE, KECCAK_LEADING);
}

static void test_edges_of_the_nonce(void **state)
{
	(void)state;
	in_each_body(each_edge);
}

static void test_no_bits_and_too_many(void **state)
{
	struct keccak_search s;
	uint64_t nonce = 5;

	(void)state;
	keccak_search_init(&s, prefix, 32);
	assert_false(keccak_search_run(&s, &nonce, 9, 0, KECCAK_LEADING, 0));
	assert_int_equal(nonce, 5);
	assert_true(keccak_search_run(&s, &nonce, 9, 1, KECCAK_LEADING, 0));
	assert_int_equal(nonce, 9);
	for (unsigned bits = 60; bits <= 300; bits++) {
		assert_false(keccak_search_run(&s, &nonce, 0, 50, KECCAK_LEADING, bits));
		assert_false(keccak_search_run(&s, &nonce, 0, 50, KECCAK_TRAILING, bits));
	}
	assert_int_equal(nonce, 9);
}

static void test_zero_bits(void **state)
{
	uint8_t d[32] = { 0 };

	(void)state;
	assert_int_equal(keccak_zero_bits(d, KECCAK_LEADING), 256);
	assert_int_equal(keccak_zero_bits(d, KECCAK_TRAILING), 0);
	for (unsigned bit = 0; bit < 256; bit++) {
		memset(d, 0, sizeof(d));
		d[bit / 8] = (uint8_t)(0x80 >> bit % 8);
		assert_int_equal(keccak_zero_bits(d, KECCAK_LEADING), bit);
		assert_int_equal(keccak_zero_bits(d, KECCAK_TRAILING), 255 - bit);
		d[0] |= 0x80;
		d[31] |= 0x01;
		assert_int_equal(keccak_zero_bits(d, KECCAK_LEADING), 0);
		assert_int_equal(keccak_zero_bits(d, KECCAK_TRAILING), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_prefix_length),
		cmocka_unit_test(test_each_count),
		cmocka_unit_test(test_edges_of_the_nonce),
		cmocka_unit_test(test_no_bits_and_too_many),
		cmocka_unit_test(test_zero_bits),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
