/* SPDX-License-Identifier: MIT */
/* tests/unit/test_keccak.c - the sponge, its bodies and lanes, against golden data and each other. */
#include "crypto/keccak.h"

#include "tests/vectors.h"

static void test_short_messages(void **state)
{
	json_t *file = vectors_open("keccak256");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each(file, "short", i, v)
	{
		struct span message = vec_bytes(v, "message");
		uint8_t out[32];

		assert_int_equal(message.len, vec_u64(v, "len"));
		keccak256(out, message.data, message.len);
		assert_span_equal(span_of(out, 32), vec_bytes(v, "keccak256"), "short %zu", i);
	}
	vectors_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
