/* SPDX-License-Identifier: MIT */
/* tests/unit/test_crypto_hash.c - SHA-256, HMAC and key derivation. */
#include "base/port.h"
#include "crypto/crypto.h"
#include "crypto/keccak.h"
#include "crypto/openssl.h"
#include "tests/vectors.h"

static struct crypto *c;
static struct rng_seeded seed;
static struct rng rng;

static int setup(void **state)
{
	(void)state;
	rng = rng_seeded_init(&seed, 4);
	return crypto_new(&c, &rng) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	crypto_free(c);
	return 0;
}

static struct span random_bytes(size_t len)
{
	struct span s = vec_fill(0, len);

	assert_int_equal(rng_fill(&rng, (uint8_t *)s.data, len), OK);
	return s;
}

/* Parts are hashed as if they were one. */
static void test_sha256_in_parts(void **state)
{
	(void)state;
	for (size_t len = 0; len < 200; len++) {
		struct span m = random_bytes(len), parts[3];
		uint8_t out[32], want[32];

		parts[0] = span_of(m.data, len / 3);
		parts[1] = span_of(NULL, 0);
		parts[2] = span_of(m.data + len / 3, len - len / 3);
		crypto_sha256(c, out, parts, 3);
		assert_int_equal(EVP_Digest(m.data, len, want, NULL, EVP_sha256(), NULL), 1);
		assert_memory_equal(out, want, 32);
		vectors_close(NULL);
	}
}

static void test_hmac_vectors(void **state)
{
	json_t *file = vectors_open("rlpx_eip8");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "hmac_sha256", i, v) {
		struct span data = vec_bytes(v, "data");
		uint8_t out[32];

		crypto_hmac_sha256(c, out, vec_bytes(v, "key"), &data, 1);
		assert_span_equal(span_of(out, 32), vec_bytes(v, "mac"), "hmac %zu", i);
	}
	vectors_close(file);
}

/* Keys below, at and above a block, against the library's own HMAC. */
static void test_hmac_key_lengths(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 200; len++) {
		struct span key = random_bytes(len), data = random_bytes(300 - len);
		struct span parts[2] = { span_of(data.data, 50),
					 span_of(data.data + 50, data.len - 50) };
		uint8_t out[32], want[32];
		size_t want_len;

		crypto_hmac_sha256(c, out, key, parts, 2);
		assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key.data, len,
					  data.data, data.len, want, sizeof(want), &want_len));
		assert_int_equal(want_len, 32);
		assert_memory_equal(out, want, 32);
		vectors_close(NULL);
	}
}

/* The key derivation of ECIES, from its parts. */
static void test_concat_kdf_vectors(void **state)
{
	static const uint8_t counter[] = { 0, 0, 0, 1 };
	json_t *file = vectors_open("rlpx_eip8");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "kdf", i, v) {
		uint8_t out[32];

		crypto_sha256(c, out, (struct span[]){ span_of(counter, 4), vec_bytes(v, "z") }, 2);
		assert_span_equal(span_of(out, 32), vec_bytes(v, "out"), "kdf %zu", i);
	}
	vectors_close(file);
}

static void test_whisper_passwords(void **state)
{
	json_t *file = vectors_open("whisper_kdf");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "passwords", i, v) {
		uint8_t key[32], hash[32];

		assert_string_equal(vec_text(v, "prf"), "hmac-sha256");
		assert_int_equal(crypto_pbkdf2_sha256(key, 32, vec_bytes(v, "password_utf8_hex"),
						      vec_bytes(v, "salt"),
						      (unsigned)vec_u64(v, "iterations")),
				 OK);
		assert_span_equal(span_of(key, 32), vec_bytes(v, "sym_key"), "password %zu", i);
		keccak256(hash, key, 32);
		assert_span_equal(span_of(hash, 32), vec_bytes(v, "sym_key_hash"), "key %zu", i);
	}
	vectors_close(file);
}

static void test_wnode_topics(void **state)
{
	json_t *file = vectors_open("whisper_kdf");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "wnode_topics", i, v) {
		struct span password = vec_bytes(v, "password_utf8_hex");
		uint8_t out[128], topic[4] = { 0 };

		assert_int_equal(crypto_pbkdf2_sha512(out, sizeof(out), password, password, 4096),
				 OK);
		assert_span_equal(span_of(out, 128), vec_bytes(v, "pbkdf2_hmac_sha512_128"),
				  "topic %zu", i);
		for (size_t at = 0; at < sizeof(out); at++)
			topic[at % 4] ^= out[at];
		assert_span_equal(span_of(topic, 4), vec_bytes(v, "topic"), "topic %zu", i);
	}
	vectors_close(file);
}

/* Topics of names and of Status' partitions are the first bytes of a Keccak. */
static void topic_equal(const json_t *v, struct span text, const char *topic)
{
	uint8_t hash[32];

	keccak256(hash, text.data, text.len);
	assert_span_equal(span_of(hash, 4), vec_bytes(v, topic), "%s", topic);
}

static void test_topics(void **state)
{
	json_t *file = vectors_open("whisper_kdf");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "hash_topics", i, v) {
		struct span name = vec_bytes(v, "name_utf8_hex");
		uint8_t hash[32];

		keccak256(hash, name.data, name.len);
		assert_span_equal(span_of(hash, 32), vec_bytes(v, "keccak256"), "name %zu", i);
		topic_equal(v, name, "topic");
	}
	vectors_each (file, "status_topics", i, v) {
		const char *contact = vec_text(v, "contact_code_string");
		const char *partition = vec_text(v, "partition_string");
		struct seckey key, peer_key;
		struct pubkey own, peer;
		uint8_t x[32];

		topic_equal(v, span_of(contact, strlen(contact)), "contact_code_topic");
		topic_equal(v, span_of(partition, strlen(partition)), "partition_topic");
		vec_exact(v, "private_key", key.b, 32);
		vec_exact(v, "peer_private_key", peer_key.b, 32);
		assert_int_equal(pubkey_of(c, &own, &key), OK);
		assert_span_equal(span_of(own.b, 64),
				  span_of(vec_bytes(v, "public_key").data + 1, 64), "own key");
		assert_int_equal(pubkey_of(c, &peer, &peer_key), OK);
		assert_int_equal(crypto_ecdh(c, x, &key, &peer), OK);
		assert_span_equal(span_of(x, 32), vec_bytes(v, "ecdh_shared"), "agreement");
	}
	vectors_close(file);
}

static void test_pbkdf2_arguments(void **state)
{
	static const struct span none;
	uint8_t out[200], again[200];

	(void)state;
	assert_int_equal(crypto_pbkdf2_sha256(out, 32, none, none, 0), ERR_ARG);
	assert_int_equal(crypto_pbkdf2_sha256(out, 32, none, none, 1u << 31), ERR_ARG);
	assert_int_equal(crypto_pbkdf2_sha256(out, SIZE_MAX, none, none, 1), ERR_ARG);
	assert_int_equal(crypto_pbkdf2_sha512(out, 32, span_of(out, SIZE_MAX), none, 1), ERR_ARG);
	assert_int_equal(crypto_pbkdf2_sha512(out, 32, none, span_of(out, SIZE_MAX), 1), ERR_ARG);
	/* a longer output begins with the shorter one */
	assert_int_equal(crypto_pbkdf2_sha512(out, 200, span_of("pw", 2), none, 3), OK);
	assert_int_equal(crypto_pbkdf2_sha512(again, 100, span_of("pw", 2), none, 3), OK);
	assert_memory_equal(out, again, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_in_parts),
		cmocka_unit_test(test_hmac_vectors),
		cmocka_unit_test(test_hmac_key_lengths),
		cmocka_unit_test(test_concat_kdf_vectors),
		cmocka_unit_test(test_whisper_passwords),
		cmocka_unit_test(test_wnode_topics),
		cmocka_unit_test(test_topics),
		cmocka_unit_test(test_pbkdf2_arguments),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
