/* SPDX-License-Identifier: MIT */
/* shh/bloom.c against whisper_bloom: three variants, sums, matches; hardening U4. */
#include "tests/shh_vectors.h"

static struct shh_topic topic_of(struct span bytes)
{
	struct shh_topic t;

	assert_int_equal(bytes.len, sizeof(t.b));
	memcpy(t.b, bytes.data, sizeof(t.b));
	return t;
}

static void check_kind(const json_t *v, enum shh_bloom_kind kind, const char *key)
{
	struct shh_bloom b;

	memset(&b, 0x5a, sizeof(b));
	shh_bloom_of(&b, topic_of(vec_bytes(v, "topic")), kind);
	assert_span_equal(span_of(b.b, sizeof(b.b)), vec_bytes(v, key), "%s %s",
			  vec_text(v, "topic"), key);
}

static void test_topics(void **state)
{
	json_t *file = vectors_open("whisper_bloom");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "topics", i, v) {
		struct shh_bloom geth, eip;

		check_kind(v, SHH_BLOOM_GETH, "bloom_geth");
		check_kind(v, SHH_BLOOM_EIP627, "bloom_eip627");
		check_kind(v, SHH_BLOOM_PARITY, "bloom_parity");
		shh_bloom_of(&geth, topic_of(vec_bytes(v, "topic")), SHH_BLOOM_GETH);
		shh_bloom_of(&eip, topic_of(vec_bytes(v, "topic")), SHH_BLOOM_EIP627);
		assert_int_equal(memcmp(&geth, &eip, sizeof(geth)) != 0,
				 vec_bool(v, "geth_drops_bits"));
		assert_true(shh_bloom_match(&eip, &geth));
		count++;
	}
	assert_int_equal(count, 244);
	vectors_close(file);
}

static void check_sum(const json_t *v, enum shh_bloom_kind kind, const char *key)
{
	struct shh_bloom sum = { { 0 } }, one;
	const json_t *topic;
	size_t i;

	vectors_each (v, "topics", i, topic) {
		shh_bloom_of(&one, topic_of(vec_bytes_of(topic)), kind);
		shh_bloom_add(&sum, &one);
		assert_true(shh_bloom_match(&sum, &one));
	}
	assert_span_equal(span_of(sum.b, sizeof(sum.b)), vec_bytes(v, key), "%s", key);
}

static void test_aggregates(void **state)
{
	json_t *file = vectors_open("whisper_bloom");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "aggregates", i, v) {
		check_sum(v, SHH_BLOOM_GETH, "bloom_geth");
		check_sum(v, SHH_BLOOM_EIP627, "bloom_eip627");
		count++;
	}
	assert_int_equal(count, 11);
	vectors_close(file);
}

static void test_matches(void **state)
{
	json_t *file = vectors_open("whisper_bloom");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "matches", i, v) {
		struct shh_bloom filter, sample;

		vec_exact(v, "filter", filter.b, sizeof(filter.b));
		vec_exact(v, "sample", sample.b, sizeof(sample.b));
		if (shh_bloom_match(&filter, &sample) != vec_bool(v, "match"))
			fail_msg("%s: wrong answer", vec_text(v, "name"));
		assert_true(shh_bloom_match(NULL, &sample));
		count++;
	}
	assert_int_equal(count, 71);
	vectors_close(file);
}

/* The pool's envelopes name their bloom too, where the two differ. */
static void test_envelope_blooms(void **state)
{
	json_t *file = vectors_open("whisper_envelopes");
	size_t i, differing = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "vectors", i, v) {
		check_kind(v, SHH_BLOOM_GETH, "bloom");
		if (vec_has(v, "bloom_eip627")) {
			check_kind(v, SHH_BLOOM_EIP627, "bloom_eip627");
			differing++;
		} else {
			check_kind(v, SHH_BLOOM_EIP627, "bloom");
		}
	}
	assert_int_not_equal(differing, 0);
	vectors_close(file);
}

/* All zeros wants nothing, all ones everything; both are legal. */
static void test_u4_all_zero_and_all_one(void **state)
{
	struct shh_bloom zero = { { 0 } }, one, sample;
	struct shh_topic topic = { { 0xde, 0xad, 0xbe, 0xef } };

	(void)state;
	memset(one.b, 0xff, sizeof(one.b));
	assert_true(shh_bloom_is_full(&one));
	assert_false(shh_bloom_is_full(&zero));
	for (unsigned kind = SHH_BLOOM_GETH; kind <= SHH_BLOOM_PARITY; kind++) {
		shh_bloom_of(&sample, topic, (enum shh_bloom_kind)kind);
		assert_false(shh_bloom_match(&zero, &sample));
		assert_true(shh_bloom_match(&one, &sample));
		assert_true(shh_bloom_match(&zero, &zero));
	}
	for (size_t i = 0; i < 8 * SHH_BLOOM_SIZE; i++) {
		struct shh_bloom almost = one, bit = zero;

		almost.b[i / 8] ^= (uint8_t)(1u << i % 8);
		bit.b[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_false(shh_bloom_is_full(&almost));
		assert_false(shh_bloom_match(&almost, &bit));
		assert_true(shh_bloom_match(&bit, &bit));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topics),
		cmocka_unit_test(test_aggregates),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_envelope_blooms),
		cmocka_unit_test(test_u4_all_zero_and_all_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
