/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_disconnect.c - every form of goodbye, and every reason (hardening B5). */
#include "tests/vectors.h"

#include "rlpx/disconnect.h"
#include "rlpx/snappy.h"

static void test_vectors(void **state)
{
	json_t *file = vectors_open("rlpx_frames");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "disconnect_payloads", i, v) {
		struct span payload = vec_bytes(v, "payload");
		unsigned want =
			vec_has(v, "reason") ? (unsigned)vec_u64(v, "reason") : RLPX_REASON_UNKNOWN;
		uint8_t packed[64];
		size_t len = sizeof(packed);

		assert_int_equal(rlpx__disconnect_read(payload), want);
		assert_int_equal(rlpx__disconnect_read_frame(payload, false), want);
		/* Compression on, but this message raw: the same. */
		assert_int_equal(rlpx__disconnect_read_frame(payload, true), want);
		if (payload.len == 0)
			continue; /* compressed it is 00, which says reason 0 */
		rlpx__snappy_compress(packed, &len, payload.data, payload.len);
		assert_int_equal(rlpx__disconnect_read_frame(span_of(packed, len), true), want);
	}
	assert_int_equal(i, 15);
	vectors_close(file);
}

static void test_every_reason(void **state)
{
	(void)state;
	for (unsigned reason = 0; reason <= 0xff; reason++) {
		uint8_t list[3], bare[2] = { 0x81, (uint8_t)reason }, packed[8];
		size_t n = rlpx__disconnect_write(list, reason), len = sizeof(packed);
		struct span value = reason < 0x80 ? span_of(bare + 1, 1) : span_of(bare, 2);

		assert_int_equal(n, reason < 0x80 ? 2 : 3);
		assert_int_equal(rlpx__disconnect_read(span_of(list, n)), reason);
		assert_int_equal(rlpx__disconnect_read(value), reason);
		rlpx__snappy_compress(packed, &len, list, n);
		assert_int_equal(rlpx__disconnect_read_frame(span_of(packed, len), true), reason);
		assert_non_null(rlpx_reason_text(reason));
	}
	assert_string_equal(rlpx_reason_text(RLPX_TOO_MANY_PEERS), "too many peers");
	assert_string_equal(rlpx_reason_text(0x0c), "unknown reason");
	assert_string_equal(rlpx_reason_text(RLPX_REASON_UNKNOWN), "none given");
	assert_string_equal(rlpx_reason_text(~0u), "unknown reason");
}

/* Larger numbers, nonsense and too much of it: unknown, never a crash. */
static void test_nonsense(void **state)
{
	static const uint8_t huge[] = {
		0xc9, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	static const uint8_t nested[] = { 0xc4, 0xc3, 0xc2, 0xc1, 0x04 };
	static const uint8_t cut[] = { 0xc5, 0x04 };
	uint8_t large[DISCONNECT_MAX + 1] = { 0x04 };

	(void)state;
	assert_int_equal(rlpx__disconnect_read(span_of(huge, sizeof(huge))), RLPX_REASON_UNKNOWN);
	assert_int_equal(rlpx__disconnect_read(span_of(nested, sizeof(nested))),
			 RLPX_REASON_UNKNOWN);
	assert_int_equal(rlpx__disconnect_read(span_of(cut, sizeof(cut))), RLPX_REASON_UNKNOWN);
	assert_int_equal(rlpx__disconnect_read(span_of(large, DISCONNECT_MAX)), 4);
	assert_int_equal(rlpx__disconnect_read(span_of(large, sizeof(large))), RLPX_REASON_UNKNOWN);
}

/* A reason is sent for what a peer did wrong inside a sound stream, and never an
 * undefined one. */
static void test_reasons_of_errors(void **state)
{
	(void)state;
	for (int e = OK; e <= ERR_REPLAY; e++) {
		unsigned reason = rlpx_reason_of((enum err)e);

		if (reason > RLPX_PING_TIMEOUT && reason != RLPX_SUBPROTOCOL &&
		    reason != RLPX_REASON_UNKNOWN)
			fail_msg("%s: %u", err_name((enum err)e), reason);
	}
	assert_int_equal(rlpx_reason_of(ERR_MAC), RLPX_REASON_UNKNOWN);
	assert_int_equal(rlpx_reason_of(ERR_DECRYPT), RLPX_REASON_UNKNOWN);
	assert_int_equal(rlpx_reason_of(ERR_SNAPPY), RLPX_BREACH);
	assert_int_equal(rlpx_reason_of(ERR_USELESS), RLPX_USELESS);
	assert_int_equal(rlpx_reason_of(ERR_VERSION), RLPX_INCOMPATIBLE);
	assert_int_equal(rlpx_reason_of(ERR_IDENTITY), RLPX_UNEXPECTED_IDENTITY);
	assert_int_equal(rlpx_reason_of(ERR_SELF), RLPX_SELF);
	assert_int_equal(rlpx_reason_of(ERR_TIMEOUT), RLPX_PING_TIMEOUT);
	assert_int_equal(rlpx_reason_of(ERR_ENVELOPE), RLPX_SUBPROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_every_reason),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_reasons_of_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
