/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_snappy.c - Snappy against a slow decoder, and its bombs (hardening F5, F6). */
#include "tests/vectors.h"

#include <stdlib.h>

#include "base/port.h"
#include "rlpx/rlpx.h"
#include "rlpx/snappy.h"
#include "tests/snappy_slow.h"

static void agree(struct span in)
{
	uint8_t slow[SLOW_MAX], fast[SLOW_MAX];
	long want = slow_decode(slow, in);
	size_t len;

	if (rlpx__snappy_length(&len, in, SLOW_MAX) != OK) {
		/* Refused by its size: the slow one must not have found it sound. */
		assert_true(want < 0);
		return;
	}
	assert_true(len <= SLOW_MAX);
	if (rlpx__snappy_decode(fast, len, in) != OK) {
		assert_true(want < 0);
		return;
	}
	assert_int_equal(want, len);
	assert_memory_equal(slow, fast, len);
}

/* Every block of up to three bytes. */
static void test_exhaustive(void **state)
{
	(void)state;
	for (unsigned len = 0; len <= 3; len++)
		for (uint32_t v = 0; v < 1u << (8 * len); v++) {
			uint8_t in[3] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16) };

			agree(span_of(in, len));
		}
}

/* Sound blocks with bytes changed, and random ones. */
static void test_random(void **state)
{
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 20);
	uint8_t plain[300], packed[600];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint64_t draw[4];
		size_t len, packed_len = sizeof(packed);

		for (int i = 0; i < 4; i++)
			assert_int_equal(rng_below(&rng, &draw[i], 1u << 16), OK);
		len = draw[0] % sizeof(plain);
		assert_int_equal(rng_fill(&rng, plain, len), OK);
		for (size_t i = draw[1] % 64 + 1; i < len; i++)
			plain[i] = plain[i - draw[1] % 64 - 1]; /* something to copy from */
		rlpx__snappy_compress(packed, &packed_len, plain, len);
		agree(vec_copy(packed, packed_len));
		packed[draw[2] % packed_len] ^= (uint8_t)(1u << draw[3] % 8);
		agree(vec_copy(packed, packed_len));
		agree(vec_copy(packed, draw[3] % packed_len));
	}
	vectors_close(NULL);
}

static void test_round_trip(void **state)
{
	static const size_t lengths[] = { 0,   1,   59,	   60,	  61,	 62,
					  255, 256, 65535, 65536, 65537, 1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (int kind = 0; kind < 2; kind++) {
			size_t len = lengths[i], packed_len = rlpx__snappy_bound(len), got;
			uint8_t *plain = malloc(len + 1), *back = malloc(len + 1);
			uint8_t *packed = malloc(packed_len);

			assert_true(plain != NULL && back != NULL && packed != NULL);
			for (size_t j = 0; j < len; j++)
				plain[j] = kind == 0 ? 7 : (uint8_t)((j * 2654435761u) >> 11);
			rlpx__snappy_compress(packed, &packed_len, plain, len);
			assert_true(packed_len <= rlpx__snappy_bound(len));
			assert_int_equal(rlpx__snappy_length(&got, span_of(packed, packed_len),
							     RLPX_FRAME_MAX),
					 OK);
			assert_int_equal(got, len);
			assert_int_equal(
				rlpx__snappy_decode(back, got, span_of(packed, packed_len)), OK);
			assert_memory_equal(plain, back, len);
			free(plain);
			free(back);
			free(packed);
		}
}

/* A declared length is believed up to the limit, and up to what so few bytes can make. */
static void test_bombs(void **state)
{
	uint8_t in[64] = { 0 };
	size_t len;

	(void)state;
	/* ff ff ff 07 declares 2^24 - 1 */
	memcpy(in, (uint8_t[]){ 0xff, 0xff, 0xff, 0x07 }, 4);
	assert_int_equal(rlpx__snappy_length(&len, span_of(in, 4), RLPX_FRAME_MAX), ERR_SNAPPY);
	/* 64 + 22 * 4 = 152 = 98 01 */
	memcpy(in, (uint8_t[]){ 0x98, 0x01, 0x00, 0x00 }, 4);
	assert_int_equal(rlpx__snappy_length(&len, span_of(in, 4), RLPX_FRAME_MAX), OK);
	assert_int_equal(len, 152);
	in[0] = 0x99;
	assert_int_equal(rlpx__snappy_length(&len, span_of(in, 4), RLPX_FRAME_MAX), ERR_SNAPPY);
	in[0] = 0x98;
	assert_int_equal(rlpx__snappy_length(&len, span_of(in, 4), 152), OK);
	assert_int_equal(rlpx__snappy_length(&len, span_of(in, 4), 151), ERR_SNAPPY);
	assert_int_equal(rlpx__snappy_length(&len, span_of(in, 0), 151), ERR_SNAPPY);
}

/* The densest block there is stays below the bound: 64 bytes of every 3. */
static void test_densest_accepted(void **state)
{
	enum { COPIES = 10000 };
	static uint8_t in[8 + 3 * COPIES], out[1 + 64 * COPIES];
	uint32_t declared = 1 + 64 * COPIES;
	size_t at = 0, len;

	(void)state;
	for (; declared >= 0x80; declared >>= 7)
		in[at++] = (uint8_t)(declared | 0x80);
	in[at++] = (uint8_t)declared;
	in[at++] = 0x00;
	in[at++] = 0x55;
	for (int i = 0; i < COPIES; i++) {
		in[at++] = 0xfe; /* copy of 64, two bytes of offset */
		in[at++] = 0x01;
		in[at++] = 0x00;
	}
	assert_int_equal(rlpx__snappy_length(&len, span_of(in, at), RLPX_FRAME_MAX), OK);
	assert_int_equal(len, sizeof(out));
	assert_int_equal(rlpx__snappy_decode(out, len, span_of(in, at)), OK);
	for (size_t i = 0; i < sizeof(out); i++)
		assert_int_equal(out[i], 0x55);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exhaustive),	 cmocka_unit_test(test_random),
		cmocka_unit_test(test_round_trip),	 cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_densest_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
