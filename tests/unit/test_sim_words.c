/* SPDX-License-Identifier: MIT */
/* Words and quantities of scenarios. */
#include "sim/words.h"

#include "tests/vectors.h"

static void lines_become_words(void **state)
{
	static const char text[] = "# nothing\n\n  one two\t three # four\nfive#six\r\n";
	struct span rest = span_of(text, sizeof(text) - 1);
	struct words_line line;
	unsigned number = 0;
	const char *fault;

	(void)state;
	assert_true(words_next(&line, &rest, &number, &fault));
	assert_null(fault);
	assert_int_equal(line.number, 3);
	assert_int_equal(line.count, 3);
	assert_string_equal(line.word[2], "three");
	assert_true(words_next(&line, &rest, &number, &fault));
	assert_int_equal(line.count, 1);
	assert_string_equal(line.word[0], "five");
	assert_false(words_next(&line, &rest, &number, &fault));
}

static void long_words_and_lines_are_faults(void **state)
{
	char text[200] = "";
	struct span rest = span_of(text, sizeof(text));
	struct words_line line;
	unsigned number = 0;
	const char *fault;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[WORD_MAX - 1] = '\n'; /* as long as may be */
	assert_true(words_next(&line, &rest, &number, &fault));
	assert_null(fault);
	assert_true(words_next(&line, &rest, &number, &fault));
	assert_non_null(fault);
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i += 2)
		text[i] = ' ';
	rest = span_of(text, 2 * WORDS_MAX);
	assert_true(words_next(&line, &rest, &number, &fault));
	assert_null(fault);
	assert_int_equal(line.count, WORDS_MAX);
	rest = span_of(text, 2 * WORDS_MAX + 2);
	assert_true(words_next(&line, &rest, &number, &fault));
	assert_non_null(fault);
}

static void times_have_units(void **state)
{
	static const struct {
		const char *word;
		bool is_signed, good;
		int64_t ms;
	} v[] = {
		{ "20ms", false, true, 20 },
		{ "5s", false, true, 5000 },
		{ "2m", false, true, 120000 },
		{ "1h", false, true, 3600000 },
		{ "0s", false, true, 0 },
		{ "-8s", true, true, -8000 },
		{ "+8s", true, true, 8000 },
		{ "-8s", false, false, 0 },
		{ "5", false, false, 0 },
		{ "s", false, false, 0 },
		{ "5 s", false, false, 0 },
		{ "", false, false, 0 },
		{ "5sx", false, false, 0 },
		{ "99999999999999999999s", false, false, 0 },
		{ "99999999999999h", false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		int64_t ms = -1;

		assert_int_equal(words_time(&ms, v[i].word, v[i].is_signed), v[i].good);
		if (v[i].good)
			assert_true(ms == v[i].ms);
	}
}

static void sizes_and_numbers(void **state)
{
	uint64_t n;
	double x;

	(void)state;
	assert_true(words_size(&n, "300") && n == 300);
	assert_true(words_size(&n, "1400B") && n == 1400);
	assert_true(words_size(&n, "20kB") && n == 20000);
	assert_true(words_size(&n, "1MB") && n == 1000000);
	assert_false(words_size(&n, "1GB"));
	assert_false(words_size(&n, "1k"));
	assert_true(words_count(&n, "12") && n == 12);
	assert_false(words_count(&n, "12B"));
	assert_false(words_count(&n, "-1"));
	assert_true(words_real(&x, "0.002") && x > 0.0019 && x < 0.0021);
	assert_false(words_real(&x, "nan"));
	assert_false(words_real(&x, "-1"));
	assert_false(words_real(&x, "1x"));
}

static void patterns_match(void **state)
{
	(void)state;
	assert_true(words_match("n*", "n1"));
	assert_true(words_match("*", ""));
	assert_true(words_match("*", "x"));
	assert_true(words_match("a*b*c", "a--b--b-c"));
	assert_true(words_match("a*b", "ab"));
	assert_false(words_match("a*b", "abc"));
	assert_false(words_match("a", "ab"));
	assert_false(words_match("", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_words),
		cmocka_unit_test(long_words_and_lines_are_faults),
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(sizes_and_numbers),
		cmocka_unit_test(patterns_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
