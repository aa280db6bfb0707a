/* SPDX-License-Identifier: MIT */
/* tests/unit/test_crypto_ecies.c - sealed messages: opened, sealed alike, refused. */
#include "base/port.h"
#include "crypto/crypto.h"
#include "tests/vectors.h"

#define FILL 0xa5 /* what an output holds that must stay untouched */

static const struct span none;
static struct crypto *c;
static struct rng_seeded seed;
static struct rng rng;

static int setup(void **state)
{
	(void)state;
	rng = rng_seeded_init(&seed, 1);
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

/* Open into an output of exactly the right size; on error it must be untouched. */
static enum err open_it(struct span *out, struct span sealed, const struct seckey *key,
			struct span s1, struct span s2)
{
	size_t len = sealed.len < ECIES_OVERHEAD ? 0 : sealed.len - ECIES_OVERHEAD;
	enum err e;

	*out = vec_fill(FILL, len);
	e = ecies_open(c, (uint8_t *)out->data, sealed, key, s1, s2);
	if (e != OK)
		assert_span_equal(*out, vec_fill(FILL, len), "output touched");
	return e;
}

/* Random bytes that were written down: ephemeral key, then iv. */
struct script {
	struct span parts[2];
	size_t at;
};

static bool script_fill(void *ctx, uint8_t *out, size_t len)
{
	struct script *s = ctx;

	if (s->at == 2 || s->parts[s->at].len != len)
		return false;
	memcpy(out, s->parts[s->at++].data, len);
	return true;
}

/* --- golden data -------------------------------------------------------------------- */

/* Keys and tag of a message by their definition, from the agreed secret. */
static void check_parts(const json_t *v, const struct seckey *key, struct span s1, struct span s2)
{
	static const uint8_t counter[] = { 0, 0, 0, 1 };
	uint8_t z[32], k[32], mac_key[32], tag[32];
	struct pubkey point;
	struct span half = span_of(k + 16, 16);

	assert_int_equal(pubkey_parse65(c, &point, vec_bytes(v, "ephemeral_public_key").data), OK);
	assert_int_equal(crypto_ecdh(c, z, key, &point), OK);
	assert_span_equal(span_of(z, 32), vec_bytes(v, "ecdh_x"), "x");
	crypto_sha256(c, k, (struct span[]){ span_of(counter, 4), span_of(z, 32), s1 }, 3);
	assert_span_equal(span_of(k, 16), vec_bytes(v, "enc_key"), "encryption key");
	crypto_sha256(c, mac_key, &half, 1);
	assert_span_equal(span_of(mac_key, 32), vec_bytes(v, "mac_key"), "mac key");
	crypto_hmac_sha256(c, tag, span_of(mac_key, 32),
			   (struct span[]){ vec_bytes(v, "iv"), vec_bytes(v, "body"), s2 }, 3);
	assert_span_equal(span_of(tag, 32), vec_bytes(v, "tag"), "tag");
}

static void check_agreement(const json_t *v)
{
	uint8_t z[32];
	struct seckey key;
	struct pubkey peer;

	vec_exact(v, "private_key", key.b, 32);
	assert_int_equal(pubkey_parse65(c, &peer, vec_bytes(v, "peer_public_key").data), OK);
	assert_int_equal(crypto_ecdh(c, z, &key, &peer), OK);
	assert_span_equal(span_of(z, 32), vec_bytes(v, "ecdh_x"), "%s", vec_text(v, "name"));
	assert_int_equal(z[0], 0); /* what these two are about */
}

static void test_accepted(void **state)
{
	json_t *file = vectors_open("ecies");
	size_t i, agreements = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "vectors", i, v) {
		struct span s1, s2, out;
		struct seckey key;

		if (vec_has(v, "kind")) {
			assert_non_null(strstr(vec_text(v, "name"), "ECDH only"));
			check_agreement(v);
			agreements++;
			continue;
		}
		s1 = vec_bytes(v, "s1");
		s2 = vec_bytes(v, "s2");
		vec_exact(v, "private_key", key.b, 32);
		assert_int_equal(open_it(&out, vec_bytes(v, "ciphertext"), &key, s1, s2), OK);
		assert_span_equal(out, vec_bytes(v, "plaintext"), "%s", vec_text(v, "name"));
		check_parts(v, &key, s1, s2);
	}
	assert_int_equal(agreements, 2);
	vectors_close(file);
}

/* "panic" is what geth 1.8 does with a tag over less than an iv; we refuse. */
static void test_refused(void **state)
{
	json_t *file = vectors_open("ecies");
	size_t i, opened = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "negative", i, v) {
		struct span sealed = vec_bytes(v, "ciphertext"), out;
		const char *result = vec_text(v, "result");
		struct seckey key;
		enum err e;

		vec_exact(v, "private_key", key.b, 32);
		e = open_it(&out, sealed, &key, vec_bytes(v, "s1"), vec_bytes(v, "s2"));
		if (strcmp(result, "ok") == 0) {
			assert_int_equal(e, OK);
			assert_span_equal(out, vec_bytes(v, "detail"), "%s", vec_text(v, "name"));
			opened++;
			continue;
		}
		assert_true(strcmp(result, "error") == 0 || strcmp(result, "panic") == 0);
		assert_int_equal(e, sealed.len < ECIES_OVERHEAD ? ERR_SIZE : ERR_DECRYPT);
	}
	assert_int_equal(opened, 2);
	vectors_close(file);
}

/* Where the file gives the random bytes too, sealing gives its very bytes. */
static bool seal_alike(const json_t *v, const struct seckey *key)
{
	struct span plain = vec_bytes(v, "plaintext"), want = vec_bytes(v, "ciphertext");
	struct script script = { .parts = { vec_bytes(v, "ephemeral_key"), vec_bytes(v, "iv") } };
	struct rng scripted = { .fill = script_fill, .ctx = &script };
	struct span out = vec_fill(0, plain.len + ECIES_OVERHEAD);
	struct pubkey to;
	enum err e;

	assert_int_equal(pubkey_of(c, &to, key), OK);
	e = ecies_seal(c, (uint8_t *)out.data, &scripted, plain, &to, none,
		       vec_bytes(v, "mac_data"));
	if (plain.len == 0) { /* we open such messages but do not make any */
		assert_int_equal(e, ERR_SIZE);
		return false;
	}
	assert_int_equal(e, OK);
	assert_span_equal(out, want, "%s", vec_text(v, "note"));
	return true;
}

static void test_handshake_messages(void **state)
{
	json_t *file = vectors_open("rlpx_eip8");
	size_t i, valid = 0, sealed = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "ecies", i, v) {
		struct span in = vec_bytes(v, "ciphertext"), out;
		struct seckey key;
		enum err e;

		vec_exact(v, "key", key.b, 32);
		e = open_it(&out, in, &key, none, vec_bytes(v, "mac_data"));
		if (!vec_bool(v, "valid")) {
			assert_int_equal(e, in.len < ECIES_OVERHEAD ? ERR_SIZE : ERR_DECRYPT);
			continue;
		}
		valid++;
		assert_int_equal(e, OK);
		assert_span_equal(out, vec_bytes(v, "plaintext"), "%s", vec_text(v, "note"));
		if (vec_has(v, "ephemeral_key"))
			sealed += seal_alike(v, &key);
	}
	assert_int_equal(valid, 13);
	assert_int_equal(sealed, 4);
	vectors_close(file);
}

/* --- hardening C3: lengths with a tag that is right ------------------------------------- */

/* Anyone can make these: a point, a tag of any length of bytes between. */
static struct span with_right_tag(const struct pubkey *to, struct span between, struct span s2)
{
	static const uint8_t counter[] = { 0, 0, 0, 1 };
	struct span out = vec_fill(0x04, 65 + between.len + 32);
	uint8_t *p = (uint8_t *)out.data, z[32], k[32], mac_key[32];
	struct span half = span_of(k + 16, 16);
	struct seckey ephemeral;
	struct pubkey point;

	assert_int_equal(seckey_generate(c, &ephemeral, &rng), OK);
	assert_int_equal(pubkey_of(c, &point, &ephemeral), OK);
	assert_int_equal(crypto_ecdh(c, z, &ephemeral, to), OK);
	memcpy(p + 1, point.b, 64);
	memcpy(p + 65, between.data, between.len);
	crypto_sha256(c, k, (struct span[]){ span_of(counter, 4), span_of(z, 32) }, 2);
	crypto_sha256(c, mac_key, &half, 1);
	crypto_hmac_sha256(c, p + 65 + between.len, span_of(mac_key, 32),
			   (struct span[]){ between, s2 }, 2);
	return out;
}

static void test_each_length_with_a_right_tag(void **state)
{
	struct seckey key;
	struct pubkey to;

	(void)state;
	assert_int_equal(seckey_generate(c, &key, &rng), OK);
	assert_int_equal(pubkey_of(c, &to, &key), OK);
	for (size_t between = 0; between <= 200; between++) {
		struct span sealed = with_right_tag(&to, random_bytes(between), none), out;

		assert_int_equal(open_it(&out, sealed, &key, none, none),
				 between < 16 ? ERR_SIZE : OK);
		vectors_close(NULL);
	}
}

static void test_each_length_of_noise(void **state)
{
	struct seckey key;

	(void)state;
	assert_int_equal(seckey_generate(c, &key, &rng), OK);
	for (size_t len = 0; len <= 200; len++) {
		struct span sealed = random_bytes(len), out;

		if (len > 0)
			((uint8_t *)sealed.data)[0] = 0x04;
		assert_int_equal(open_it(&out, sealed, &key, none, none),
				 len < ECIES_OVERHEAD ? ERR_SIZE : ERR_DECRYPT);
		vectors_close(NULL);
	}
}

/* --- hardening C4: one answer to whatever is wrong --------------------------------------- */

static void test_each_flipped_bit(void **state)
{
	struct span plain = random_bytes(40), s1 = random_bytes(3), s2 = random_bytes(2), out;
	struct span sealed = vec_fill(0, plain.len + ECIES_OVERHEAD);
	uint8_t *p = (uint8_t *)sealed.data;
	struct seckey key;
	struct pubkey to;

	(void)state;
	assert_int_equal(seckey_generate(c, &key, &rng), OK);
	assert_int_equal(pubkey_of(c, &to, &key), OK);
	assert_int_equal(ecies_seal(c, p, &rng, plain, &to, s1, s2), OK);
	for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(open_it(&out, sealed, &key, s1, s2), ERR_DECRYPT);
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 1; cut <= plain.len; cut++)
		assert_int_equal(open_it(&out, span_of(p, sealed.len - cut), &key, s1, s2),
				 ERR_DECRYPT);
	assert_int_equal(open_it(&out, sealed, &key, s2, s1), ERR_DECRYPT);
	assert_int_equal(open_it(&out, sealed, &key, s1, none), ERR_DECRYPT);
	assert_int_equal(open_it(&out, sealed, &key, none, s2), ERR_DECRYPT);
	assert_int_equal(open_it(&out, sealed, &key, s1, s2), OK);
	assert_span_equal(out, plain, "after all");
	vectors_close(NULL);
}

/* --- sealing -------------------------------------------------------------------------------- */

static void test_seal_then_open(void **state)
{
	(void)state;
	for (size_t len = 1; len < 600; len += 1 + len / 7) {
		struct span plain = random_bytes(len), s1 = random_bytes(len % 5), out;
		struct span s2 = random_bytes(len % 3), sealed = vec_fill(0, len + ECIES_OVERHEAD);
		struct seckey key;
		struct pubkey to;

		assert_int_equal(seckey_generate(c, &key, &rng), OK);
		assert_int_equal(pubkey_of(c, &to, &key), OK);
		assert_int_equal(ecies_seal(c, (uint8_t *)sealed.data, &rng, plain, &to, s1, s2),
				 OK);
		assert_int_equal(open_it(&out, sealed, &key, s1, s2), OK);
		assert_span_equal(out, plain, "%zu bytes", len);
		vectors_close(NULL);
	}
}

/* hardening C8: no random bytes, no message; the first or the second time. */
static bool fill_so_often(void *ctx, uint8_t *out, size_t len)
{
	unsigned *left = ctx;

	if (*left == 0)
		return false;
	--*left;
	memset(out, 0x11, len);
	return true;
}

static void test_seal_without_random_bytes(void **state)
{
	struct seckey key = { .b[31] = 5 };
	struct pubkey to;
	uint8_t out[ECIES_OVERHEAD + 1];

	(void)state;
	assert_int_equal(pubkey_of(c, &to, &key), OK);
	for (unsigned times = 0; times < 3; times++) {
		unsigned left = times;
		struct rng failing = { .fill = fill_so_often, .ctx = &left };

		assert_int_equal(ecies_seal(c, out, &failing, span_of("x", 1), &to, none, none),
				 times < 2 ? ERR_RANDOM : OK);
	}
}

static void test_seal_refuses_nothing_and_too_much(void **state)
{
	struct seckey key = { .b[31] = 5 };
	struct pubkey to;

	(void)state;
	assert_int_equal(pubkey_of(c, &to, &key), OK);
	assert_int_equal(ecies_seal(c, NULL, &rng, none, &to, none, none), ERR_SIZE);
	assert_int_equal(ecies_seal(c, NULL, &rng, span_of(NULL, SIZE_MAX), &to, none, none),
			 ERR_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_handshake_messages),
		cmocka_unit_test(test_each_length_with_a_right_tag),
		cmocka_unit_test(test_each_length_of_noise),
		cmocka_unit_test(test_each_flipped_bit),
		cmocka_unit_test(test_seal_then_open),
		cmocka_unit_test(test_seal_without_random_bytes),
		cmocka_unit_test(test_seal_refuses_nothing_and_too_much),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
