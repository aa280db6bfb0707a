/* SPDX-License-Identifier: MIT */
/* Bytes: hex, escaping, byte order, sizes that cannot wrap. */
#include <ctype.h>
#include <stdio.h>

#include "tests/vectors.h"

static void hex_goes_both_ways(void **state)
{
	uint8_t all[256], back[256];
	char text[2 * 256 + 1];

	(void)state;
	for (size_t i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	hex_encode(text, all, 256);
	assert_int_equal(strlen(text), 512);
	for (size_t i = 0; i < 256; i++) {
		char two[3];

		snprintf(two, sizeof(two), "%02x", (unsigned)i);
		assert_memory_equal(text + 2 * i, two, 2);
	}
	assert_int_equal(hex_decode(back, 256, text), OK);
	assert_memory_equal(back, all, 256);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)toupper(*c);
	memset(back, 0, sizeof(back));
	assert_int_equal(hex_decode(back, 256, text), OK);
	assert_memory_equal(back, all, 256);
}

static void hex_takes_digits_only(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 2; at++) {
		for (unsigned c = 1; c < 256; c++) {
			char text[3] = "00";
			enum err want = isxdigit((int)c) ? OK : ERR_ARG;
			uint8_t b;

			text[at] = (char)c;
			if (strcmp(text, "0x") == 0)
				want = ERR_SIZE;
			assert_int_equal(hex_decode(&b, 1, text), want);
		}
	}
}

static void hex_keeps_to_its_length(void **state)
{
	uint8_t b[4];
	size_t len = 77;

	(void)state;
	assert_int_equal(hex_decode(b, 4, "0x01020304"), OK);
	assert_int_equal(be32_load(b), 0x01020304);
	assert_int_equal(hex_decode(b, 4, "010203"), ERR_SIZE);
	assert_int_equal(hex_decode(b, 4, "0102030"), ERR_SIZE);
	assert_int_equal(hex_decode(b, 4, "0102030405"), ERR_SIZE);
	assert_int_equal(hex_decode(b, 4, ""), ERR_SIZE);
	assert_int_equal(hex_decode(b, 4, "0X01020304"), ERR_SIZE);
	assert_int_equal(hex_decode(b, 0, "0x"), OK);
	assert_int_equal(hex_decode_any(b, &len, 4, "0x0102xx", 6), OK); /* text_len counts */
	assert_int_equal(len, 2);
	assert_int_equal(hex_decode_any(b, &len, 4, "01020304", 8), OK);
	assert_int_equal(len, 4);
	len = 2;
	assert_int_equal(hex_decode_any(b, &len, 4, "0102030405", 10), ERR_SIZE);
	assert_int_equal(hex_decode_any(b, &len, 4, "010", 3), ERR_SIZE);
	assert_int_equal(hex_decode_any(b, &len, 4, "01 2", 4), ERR_ARG);
	assert_int_equal(len, 2);
	assert_int_equal(hex_decode_any(b, &len, 4, "", 0), OK);
	assert_int_equal(len, 0);
}

/* hardening X3 */
static void escaped_text_stays_in_its_place(void **state)
{
	char out[TEXT_ESCAPED_MAX];
	uint8_t worst[100];

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		uint8_t b = (uint8_t)c;
		char want[8];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			snprintf(want, sizeof(want), "%c", (int)c);
		else
			snprintf(want, sizeof(want), "\\x%02x", c);
		text_escape(out, &b, 1);
		assert_string_equal(out, want);
	}
	memset(worst, 0xff, sizeof(worst));
	text_escape(out, worst, 64);
	assert_int_equal(strlen(out), 256);
	text_escape(out, worst, 65);
	assert_int_equal(strlen(out), TEXT_ESCAPED_MAX - 1);
	assert_string_equal(out + 256, "...");
	text_escape(out, NULL, 0);
	assert_string_equal(out, "");
	text_escape(out, (const uint8_t *)"a\nlevel=error \"x\"", 17);
	assert_string_equal(out, "a\\x0alevel=error \\x22x\\x22");
}

static void byte_order_is_the_wire_s(void **state)
{
	const uint8_t b[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t out[8];

	(void)state;
	assert_int_equal(be16_load(b), 0x0102);
	assert_int_equal(be24_load(b), 0x010203);
	assert_int_equal(be32_load(b), 0x01020304);
	assert_true(be64_load(b) == 0x0102030405060708);
	assert_true(le64_load(b) == 0x0807060504030201);
	be16_store(out, 0x0102);
	assert_memory_equal(out, b, 2);
	be24_store(out, 0x010203);
	assert_memory_equal(out, b, 3);
	be32_store(out, 0x01020304);
	assert_memory_equal(out, b, 4);
	be64_store(out, 0x0102030405060708);
	assert_memory_equal(out, b, 8);
	le64_store(out, 0x0807060504030201);
	assert_memory_equal(out, b, 8);
}

static void sizes_add_up_or_fail(void **state)
{
	size_t n = 5;

	(void)state;
	assert_int_equal(size_add(&n, SIZE_MAX - 1, 1), OK);
	assert_true(n == SIZE_MAX);
	assert_int_equal(size_add(&n, SIZE_MAX, 1), ERR_SIZE);
	assert_true(n == SIZE_MAX);
	assert_int_equal(size_mul(&n, SIZE_MAX / 2, 2), OK);
	assert_true(n == SIZE_MAX - 1);
	assert_int_equal(size_mul(&n, SIZE_MAX / 2 + 1, 2), ERR_SIZE);
	assert_true(n == SIZE_MAX - 1);
	assert_true(time_add(UINT64_MAX, 1) == UINT64_MAX);
	assert_true(time_add(UINT64_MAX - 1, 1) == UINT64_MAX);
	assert_true(time_add(1, 2) == 3);
}

static void spans_compare_and_are_taken_apart(void **state)
{
	struct span s = span_of("abcdef", 6), head;

	(void)state;
	assert_true(span_eq(span_of(NULL, 0), span_of("x", 0)));
	assert_false(span_eq(s, span_of("abcdeg", 6)));
	assert_false(span_eq(s, span_of("abcde", 5)));
	assert_true(span_take(&s, &head, 2));
	assert_true(span_eq(head, span_of("ab", 2)));
	assert_false(span_take(&s, &head, 5));
	assert_true(span_eq(head, span_of("ab", 2)));
	assert_true(span_take(&s, &head, 4));
	assert_true(span_eq(head, span_of("cdef", 4)));
	assert_int_equal(s.len, 0);
	assert_true(span_take(&s, &head, 0));
	assert_false(span_take(&s, &head, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(hex_takes_digits_only),
		cmocka_unit_test(hex_keeps_to_its_length),
		cmocka_unit_test(escaped_text_stays_in_its_place),
		cmocka_unit_test(byte_order_is_the_wire_s),
		cmocka_unit_test(sizes_add_up_or_fail),
		cmocka_unit_test(spans_compare_and_are_taken_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
