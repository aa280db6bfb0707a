/* SPDX-License-Identifier: MIT */
/* tests/unit/test_crypto_curve.c - keys, agreement and signatures, accepted and refused. */
#include "base/port.h"
#include "crypto/crypto.h"
#include "tests/vectors.h"

#define GX    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define GY    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
#define P     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
#define N     "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static struct crypto *c;
static struct rng_seeded seed;
static struct rng rng;

static int setup(void **state)
{
	(void)state;
	rng = rng_seeded_init(&seed, 2);
	return crypto_new(&c, &rng) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	crypto_free(c);
	return 0;
}

static struct seckey some_key(void)
{
	struct seckey key;

	assert_int_equal(seckey_generate(c, &key, &rng), OK);
	return key;
}

static struct pubkey public_of(const struct seckey *key)
{
	struct pubkey out;

	assert_int_equal(pubkey_of(c, &out, key), OK);
	return out;
}

#define assert_key_equal(got, want, ...) \
	assert_span_equal(span_of((got).b, 64), span_of((want).b, 64), __VA_ARGS__)

/* --- golden data ------------------------------------------------------------------ */

static void test_keys(void **state)
{
	json_t *file = vectors_open("secp");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "keys", i, v) {
		struct seckey key;
		struct pubkey want, got;
		uint8_t compressed[33];

		vec_exact(v, "private", key.b, 32);
		vec_exact(v, "public", want.b, 64);
		assert_true(seckey_valid(c, &key));
		got = public_of(&key);
		assert_key_equal(got, want, "key %zu", i);
		assert_int_equal(pubkey_check(c, &got), OK);
		pubkey_compress(compressed, &got);
		assert_span_equal(span_of(compressed, 33), vec_bytes(v, "compressed"), "key %zu",
				  i);
		memset(&got, 0, sizeof(got));
		assert_int_equal(pubkey_parse33(c, &got, compressed), OK);
		assert_key_equal(got, want, "key %zu, parsed", i);
	}
	vectors_close(file);
}

static void test_ecdh(void **state)
{
	json_t *file = vectors_open("secp");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "ecdh", i, v) {
		struct seckey key;
		struct pubkey peer;
		uint8_t x[32], point[33];

		vec_exact(v, "private", key.b, 32);
		vec_exact(v, "public", peer.b, 64);
		assert_int_equal(crypto_ecdh(c, x, &key, &peer), OK);
		assert_span_equal(span_of(x, 32), vec_bytes(v, "shared_x"), "ecdh %zu", i);
		assert_int_equal(crypto_ecdh33(c, point, &key, &peer), OK);
		assert_span_equal(span_of(point, 33), vec_bytes(v, "shared_compressed"),
				  "ecdh33 %zu", i);
	}
	vectors_close(file);
}

/* RFC 6979 takes the digest mod n; the library that made these vectors did not yet.
 * So for the few digests from n on, which no hash ever gives, both signatures
 * are good but not the same. */
static bool digest_is_below_n(const uint8_t digest[static 32])
{
	uint8_t n[32];

	assert_int_equal(hex_decode(n, 32, N), OK);
	return memcmp(digest, n, 32) < 0;
}

static void test_sign_and_recover(void **state)
{
	json_t *file = vectors_open("secp");
	size_t i, same = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "sign_recover", i, v) {
		uint8_t digest[32], known[SIG_SIZE], ours[SIG_SIZE];
		struct pubkey want, got;
		struct seckey key;

		vec_exact(v, "private", key.b, 32);
		vec_exact(v, "public", want.b, 64);
		vec_exact(v, "digest", digest, 32);
		vec_exact(v, "signature", known, SIG_SIZE);
		assert_int_equal(crypto_sign(c, ours, digest, &key), OK);
		if (digest_is_below_n(digest)) {
			assert_memory_equal(ours, known, SIG_SIZE);
			same++;
		}
		assert_int_equal(crypto_recover(c, &got, digest, ours), OK);
		assert_key_equal(got, want, "ours %zu", i);
		assert_int_equal(crypto_recover(c, &got, digest, known), OK);
		assert_key_equal(got, want, "known %zu", i);
		assert_int_equal(crypto_verify(c, ours, digest, &want), OK);
		assert_int_equal(crypto_verify(c, known, digest, &want), OK);
	}
	assert_int_equal(same, 54); /* of 60 */
	vectors_close(file);
}

/* The file gives encodings of any length; we have a parser for 65 bytes, one
 * for 33 and none for others, so those are refused by their type. */
static enum err parse(struct pubkey *out, struct span in)
{
	return in.len == 65   ? pubkey_parse65(c, out, in.data)
	       : in.len == 33 ? pubkey_parse33(c, out, in.data)
			      : ERR_KEY;
}

static void test_pubkey_encodings(void **state)
{
	json_t *file = vectors_open("secp");
	size_t i, accepted = 0, refused = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "pubkey_parse", i, v) {
		const char *result = vec_text(v, "result");
		struct pubkey got, want;
		enum err e = parse(&got, vec_bytes(v, "input"));

		if (strcmp(result, "accept") == 0) {
			assert_int_equal(e, OK);
			vec_exact(v, "public", want.b, 64);
			assert_key_equal(got, want, "%s", vec_text(v, "name"));
			accepted++;
		} else {
			assert_string_equal(result, "reject");
			assert_int_equal(e, ERR_KEY);
			refused++;
		}
	}
	assert_int_equal(accepted + refused, json_array_size(vec_array(file, "pubkey_parse")));
	assert_true(accepted > 0 && refused > 0);
	vectors_close(file);
}

static void recover_edge(const json_t *v)
{
	const char *name = vec_text(v, "name"), *result = vec_text(v, "result");
	struct span sig = vec_bytes(v, "signature");
	struct pubkey got, want;
	uint8_t digest[32];
	enum err e;

	vec_exact(v, "digest", digest, 32);
	if (sig.len != SIG_SIZE) { /* no such type here; callers refuse the length */
		assert_string_equal(result, "reject");
		assert_string_equal(name, "64 bytes");
		return;
	}
	e = crypto_recover(c, &got, digest, sig.data);
	if (strcmp(result, "reject") == 0) {
		assert_int_equal(e, ERR_SIG);
		return;
	}
	assert_string_equal(result, "recovers");
	assert_int_equal(e, OK);
	vec_exact(v, "public", want.b, 64);
	assert_key_equal(got, want, "%s", name);
	assert_int_equal(crypto_verify(c, sig.data, digest, &want),
			 vec_bool(v, "verify64_with_that_key") ? OK : ERR_SIG);
}

static void test_recover_edges(void **state)
{
	json_t *file = vectors_open("secp");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "recover_edge", i, v)
		recover_edge(v);
	vectors_close(file);
}

/* --- hardening C1: what is no point never reaches the curve's arithmetic ------------ */

/* Every function that takes a public key refuses this one. */
static void refused_everywhere(const struct pubkey *bad)
{
	static const struct span none;
	struct seckey key = some_key();
	uint8_t in[65] = { 0x04 }, out[256], digest[32] = { 1 }, sig[SIG_SIZE];
	struct pubkey parsed;

	memcpy(in + 1, bad->b, 64);
	assert_int_equal(crypto_sign(c, sig, digest, &key), OK);
	assert_int_equal(pubkey_check(c, bad), ERR_KEY);
	assert_int_equal(pubkey_parse65(c, &parsed, in), ERR_KEY);
	assert_int_equal(crypto_ecdh(c, out, &key, bad), ERR_KEY);
	assert_int_equal(crypto_ecdh33(c, out, &key, bad), ERR_KEY);
	assert_int_equal(crypto_verify(c, sig, digest, bad), ERR_KEY);
	assert_int_equal(ecies_seal(c, out, &rng, span_of("x", 1), bad, none, none), ERR_KEY);
	memset(out, 0, sizeof(out));
	memcpy(out, in, 65);
	assert_int_equal(ecies_open(c, digest, span_of(out, ECIES_OVERHEAD), &key, none, none),
			 ERR_DECRYPT);
}

static struct pubkey from_hex(const char *x, const char *y)
{
	struct pubkey out;

	assert_int_equal(hex_decode(out.b, 32, x), OK);
	assert_int_equal(hex_decode(out.b + 32, 32, y), OK);
	return out;
}

static void test_zero_point(void **state)
{
	struct pubkey zero = from_hex(ZEROS, ZEROS);

	(void)state;
	refused_everywhere(&zero);
}

static void test_points_off_the_curve(void **state)
{
	struct seckey key = some_key();
	struct pubkey point = public_of(&key);

	(void)state;
	for (size_t bit = 0; bit < 512; bit += 37) {
		struct pubkey bad = point;

		bad.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		refused_everywhere(&bad);
	}
}

/* Coordinates that are right mod p but not below it. */
static void test_coordinates_not_reduced(void **state)
{
	/* x = 1 lies on the curve; so x + p does, mod p */
	struct pubkey good =
		from_hex("0000000000000000000000000000000000000000000000000000000000000001",
			 "4218f20ae6c646b363db68605822fb14264ca8d2587fdd6fbc750d587e76a7ee");
	struct pubkey bad = good;

	(void)state;
	assert_int_equal(pubkey_check(c, &good), OK);
	assert_int_equal(
		hex_decode(bad.b, 32,
			   "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30"),
		OK);
	refused_everywhere(&bad);
	bad = from_hex(GX, P);
	refused_everywhere(&bad);
	bad = from_hex(P, GY);
	refused_everywhere(&bad);
	memset(bad.b, 0xff, 64);
	refused_everywhere(&bad);
}

/* On the twist y^2 * 3 = x^3 + 7 and on curves with another constant lie points of
 * small order, which would give the key away piece by piece. */
static void test_points_of_other_curves(void **state)
{
	/* x = 5 has no y on this curve; y = 0 is order two on x^3 + b for b = -x^3 */
	struct pubkey bad =
		from_hex("0000000000000000000000000000000000000000000000000000000000000005",
			 "0000000000000000000000000000000000000000000000000000000000000002");
	uint8_t compressed[33] = { 0x02 };
	struct pubkey parsed;

	(void)state;
	refused_everywhere(&bad);
	compressed[32] = 5;
	assert_int_equal(pubkey_parse33(c, &parsed, compressed), ERR_KEY);
	bad = from_hex(GX, ZEROS);
	refused_everywhere(&bad);
	bad = from_hex(ZEROS, GY);
	refused_everywhere(&bad);
}

/* Of 256 first bytes one is taken before 64 more, two before 32 more. */
static void test_prefixes(void **state)
{
	struct seckey key = some_key();
	struct pubkey point = public_of(&key), parsed;
	uint8_t in[65];

	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		in[0] = (uint8_t)first;
		memcpy(in + 1, point.b, 64);
		assert_int_equal(pubkey_parse65(c, &parsed, in), first == 0x04 ? OK : ERR_KEY);
		assert_int_equal(pubkey_parse33(c, &parsed, in),
				 first == 0x02 || first == 0x03 ? OK : ERR_KEY);
	}
}

/* --- hardening C2 ---------------------------------------------------------------------- */

static void test_all_recovery_ids(void **state)
{
	struct seckey key = some_key();
	struct pubkey want = public_of(&key), got;
	uint8_t digest[32] = { 7 }, sig[SIG_SIZE], right;
	unsigned recovered = 0;

	(void)state;
	assert_int_equal(crypto_sign(c, sig, digest, &key), OK);
	right = sig[64];
	assert_true(right <= 3);
	for (unsigned id = 0; id < 256; id++) {
		enum err e;

		sig[64] = (uint8_t)id;
		e = crypto_recover(c, &got, digest, sig);
		assert_true(e == OK || e == ERR_SIG);
		if (id > 3)
			assert_int_equal(e, ERR_SIG);
		else if (e == OK)
			assert_int_equal(memcmp(&got, &want, sizeof(got)) == 0, id == right);
		recovered += e == OK;
	}
	assert_true(recovered >= 2);
}

static void test_scalars_out_of_range(void **state)
{
	static const char *const bad[] = {
		ZEROS,
		N,
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364142",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	struct seckey good = some_key();
	struct pubkey point = public_of(&good), out;
	uint8_t digest[32] = { 1 }, sig[SIG_SIZE], x[33];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct seckey key;

		assert_int_equal(hex_decode(key.b, 32, bad[i]), OK);
		assert_false(seckey_valid(c, &key));
		assert_int_equal(pubkey_of(c, &out, &key), ERR_KEY);
		assert_int_equal(crypto_sign(c, sig, digest, &key), ERR_KEY);
		assert_int_equal(crypto_ecdh(c, x, &key, &point), ERR_KEY);
		assert_int_equal(crypto_ecdh33(c, x, &key, &point), ERR_KEY);
		for (size_t half = 0; half < 2; half++) { /* as r, as s */
			assert_int_equal(crypto_sign(c, sig, digest, &good), OK);
			memcpy(sig + 32 * half, key.b, 32);
			assert_int_equal(crypto_recover(c, &out, digest, sig), ERR_SIG);
			assert_int_equal(crypto_verify(c, sig, digest, &point), ERR_SIG);
		}
	}
}

static void test_verify_refuses_what_differs(void **state)
{
	struct seckey key = some_key(), other = some_key();
	struct pubkey mine = public_of(&key), theirs = public_of(&other), got;
	uint8_t digest[32] = { 9 }, sig[SIG_SIZE];

	(void)state;
	assert_int_equal(crypto_sign(c, sig, digest, &key), OK);
	assert_int_equal(crypto_verify(c, sig, digest, &mine), OK);
	assert_int_equal(crypto_verify(c, sig, digest, &theirs), ERR_SIG);
	for (size_t i = 0; i < 64; i++) {
		sig[i] ^= 0x04;
		assert_int_equal(crypto_verify(c, sig, digest, &mine), ERR_SIG);
		if (crypto_recover(c, &got, digest, sig) == OK)
			assert_memory_not_equal(&got, &mine, sizeof(got));
		sig[i] ^= 0x04;
	}
	for (size_t i = 0; i < 32; i++) {
		digest[i] ^= 0x20;
		assert_int_equal(crypto_verify(c, sig, digest, &mine), ERR_SIG);
		digest[i] ^= 0x20;
	}
	assert_int_equal(crypto_verify(c, sig, digest, &mine), OK);
}

static void test_agreement_is_mutual(void **state)
{
	(void)state;
	for (size_t i = 0; i < 20; i++) {
		struct seckey a = some_key(), b = some_key();
		struct pubkey pa = public_of(&a), pb = public_of(&b);
		uint8_t xa[32], xb[32], ca[33], cb[33];

		assert_int_equal(crypto_ecdh(c, xa, &a, &pb), OK);
		assert_int_equal(crypto_ecdh(c, xb, &b, &pa), OK);
		assert_memory_equal(xa, xb, 32);
		assert_int_equal(crypto_ecdh33(c, ca, &a, &pb), OK);
		assert_int_equal(crypto_ecdh33(c, cb, &b, &pa), OK);
		assert_memory_equal(ca, cb, 33);
		assert_memory_equal(ca + 1, xa, 32);
	}
}

/* A generator that only ever gives zeros, or n and above, ends in an error. */
static bool fill_with(void *ctx, uint8_t *out, size_t len)
{
	memset(out, *(const uint8_t *)ctx, len);
	return true;
}

static void test_generate_gives_up(void **state)
{
	uint8_t fill[2] = { 0x00, 0xff };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rng stuck = { .fill = fill_with, .ctx = &fill[i] };
		struct seckey key, zeros = { .b[0] = 0 };

		assert_int_equal(seckey_generate(c, &key, &stuck), ERR_RANDOM);
		assert_memory_equal(&key, &zeros, sizeof(key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_ecdh),
		cmocka_unit_test(test_sign_and_recover),
		cmocka_unit_test(test_pubkey_encodings),
		cmocka_unit_test(test_recover_edges),
		cmocka_unit_test(test_zero_point),
		cmocka_unit_test(test_points_off_the_curve),
		cmocka_unit_test(test_coordinates_not_reduced),
		cmocka_unit_test(test_points_of_other_curves),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_all_recovery_ids),
		cmocka_unit_test(test_scalars_out_of_range),
		cmocka_unit_test(test_verify_refuses_what_differs),
		cmocka_unit_test(test_agreement_is_mutual),
		cmocka_unit_test(test_generate_gives_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
