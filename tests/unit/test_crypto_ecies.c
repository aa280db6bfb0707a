/* SPDX-License-Identifier: MIT */
/* tests/unit/test_crypto_ecies.c - sealed messages, accepted and refused. */
#include "base/port.h"
#include "crypto/crypto.h"
#include "tests/vectors.h"

static struct crypto *c;

static int setup(void **state)
{
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 1);

	(void)state;
	return crypto_new(&c, &rng) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	crypto_free(c);
	return 0;
}

static void test_vectors(void **state)
{
	json_t *file = vectors_open("ecies");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each(file, "vectors", i, v)
	{
		if (vec_has(v, "kind")) /* agreement only */
			continue;
		struct span sealed = vec_bytes(v, "ciphertext"), plain = vec_bytes(v, "plaintext");
		struct span out = vec_fill(0, plain.len);
		struct seckey key;

		vec_exact(v, "private_key", key.b, 32);
		assert_int_equal(sealed.len, plain.len + ECIES_OVERHEAD);
		assert_int_equal(ecies_open(c, (uint8_t *)out.data, sealed, &key,
					    vec_bytes(v, "s1"), vec_bytes(v, "s2")),
				 OK);
		assert_span_equal(out, plain, "%s", vec_text(v, "name"));
	}
	vectors_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
