/* SPDX-License-Identifier: MIT */
/* What is printed: JSON that every reader takes, numbers that read back, log lines
 * in both forms, nothing from a stranger that could steer a terminal (hardening X3). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/log.h"
#include "cmd/text.h"
#include "tests/vectors.h"

static char out[8192];
static FILE *to;

static void open_out(void)
{
	memset(out, 0, sizeof(out));
	to = fmemopen(out, sizeof(out), "w");
	assert_non_null(to);
}

static const char *shut(void)
{
	fclose(to);
	return out;
}

static void strings_are_json(void **state)
{
	uint8_t bytes[256];
	json_t *read;

	(void)state;
	open_out();
	print_json_text(to, "plain \"quoted\" back\\slash\n\r\t\x01\x7f");
	assert_string_equal(shut(),
			    "\"plain \\\"quoted\\\" back\\\\slash\\n\\r\\t\\u0001\\u007f\"");
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	open_out();
	print_json_string(to, bytes, sizeof(bytes)); /* any bytes at all */
	read = json_loads(shut(), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(read);
	json_decref(read);
	open_out();
	print_json_text(
		to, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80 \xc3 \xed\xa0\x80 \xc0\xaf");
	assert_string_equal(shut(), "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80 \\ufffd "
				    "\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\"");
	open_out();
	print_json_hex(to, (const uint8_t *)"\x00\xff\x10", 3);
	assert_string_equal(shut(), "\"0x00ff10\"");
}

static void sequences_are_told(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, expected;
	} of[] = {
		{ "a", 1, 1 },
		{ "", 0, 0 },
		{ "\x7f", 1, 1 },
		{ "\x80", 1, 0 },
		{ "\xc2\x80", 2, 2 },
		{ "\xc1\xbf", 2, 0 }, /* not the shortest */
		{ "\xe0\xa0\x80", 3, 3 },
		{ "\xe0\x9f\xbf", 3, 0 },
		{ "\xed\x9f\xbf", 3, 3 },
		{ "\xed\xa0\x80", 3, 0 }, /* a surrogate */
		{ "\xf0\x90\x80\x80", 4, 4 },
		{ "\xf0\x8f\xbf\xbf", 4, 0 },
		{ "\xf4\x8f\xbf\xbf", 4, 4 },
		{ "\xf4\x90\x80\x80", 4, 0 }, /* past the end */
		{ "\xe2\x82", 2, 0 },
		{ "\xe2\x82x", 3, 0 },
		{ "\xff", 1, 0 },
		{ "\xf5\x80\x80\x80", 4, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		assert_int_equal(utf8_len((const uint8_t *)of[i].bytes, of[i].len), of[i].expected);
}

static void numbers_read_back(void **state)
{
	static const double of[] = { 0,		  0.2,	0.1 + 0.2, 1.0 / 3,
				     1e9,	  1e15, 1e22,	   5e-324,
				     1.7e308,	  -2.5, 0.0001,	   123456789012345.0,
				     1.79521672e9 };
	char text[REAL_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		real_text(text, of[i]);
		assert_true(strtod(text, NULL) == of[i]);
	}
	real_text(text, 0.2);
	assert_string_equal(text, "0.2");
	real_text(text, 1795216720);
	assert_string_equal(text, "1795216720");
	open_out();
	print_json_real(to, (double)INFINITY);
	assert_string_equal(shut(), "null");
}

static void terminals_are_safe(void **state)
{
	(void)state;
	open_out();
	print_harmless(to, (const uint8_t *)"a\033[2Jb\r\nc\td\x9b\xc2\x9b\xc3\xbc\x07", 17);
	assert_string_equal(shut(), "a\\x1b[2Jb\\x0d\nc\td\\x9b\\xc2\\x9b\xc3\xbc\\x07");
}

static const char *logged(enum log_choice format, const char *line)
{
	static char text[LOGGED_MAX];
	size_t len = logger_line(text, format, LOG_WARN, line, 1605912345678);

	assert_int_equal(len, strlen(text));
	assert_int_equal(text[len - 1], '\n');
	text[len - 1] = '\0';
	assert_null(strchr(text, '\n'));
	return text;
}

static void log_lines_as_text(void **state)
{
	(void)state;
	assert_string_equal(logged(LOG_TEXT, "peer up id=12ab peers=3"),
			    "2020-11-20T22:45:45.678Z warn  peer up id=12ab peers=3");
}

static void log_lines_as_json(void **state)
{
	char longest[LOG_LINE_MAX];
	json_t *read;

	(void)state;
	assert_string_equal(
		logged(LOG_JSON,
		       "peer up id=12ab peers=3 off=-40 name=\"a b=c \\x22 d\" code=007 x"),
		"{\"time\":\"2020-11-20T22:45:45.678Z\",\"level\":\"warn\",\"event\":\"peer up\","
		"\"id\":\"12ab\",\"peers\":3,\"off\":-40,\"name\":\"a b=c \\\\x22 "
		"d\",\"code\":\"007\","
		"\"x\":true}");
	assert_string_equal(logged(LOG_JSON, "alone"),
			    "{\"time\":\"2020-11-20T22:45:45.678Z\",\"level\":\"warn\","
			    "\"event\":\"alone\"}");
	/* A line that was cut in the middle of anything is an object all the same. */
	for (size_t len = 1; len < 40; len++) {
		char line[64];

		snprintf(line, len + 1, "event two=\"quoted text\" three= =four ");
		read = json_loads(logged(LOG_JSON, line), 0, NULL);
		assert_non_null(read);
		json_decref(read);
	}
	/* The longest line, of what needs the most room. */
	memset(longest, '\x01', sizeof(longest));
	longest[LOG_LINE_MAX - 1] = '\0';
	read = json_loads(logged(LOG_JSON, longest), 0, NULL);
	assert_non_null(read);
	json_decref(read);
}

/* A pipe that nobody reads: lines are lost and counted, and nobody waits. */
static void a_log_never_waits(void **state)
{
	struct settings s = { .verbosity = 5 };
	struct logger l;
	struct log log = logger_open(&l, &s);
	static char all[1 << 20];
	size_t len = 0;
	ssize_t n;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	l.fd = ends[1];
	for (int i = 0; i < 5000; i++)
		log_line(&log, LOG_INFO, "line number=%d", i);
	assert_true(l.dropped > 1000 && l.dropped < 5000);
	while (len < 30000 && (n = read(ends[0], all + len, 30000 - len)) > 0)
		len += (size_t)n;
	log_line(&log, LOG_INFO, "line number=last");
	assert_int_equal(l.dropped, 0);
	close(ends[1]);
	while ((n = read(ends[0], all + len, sizeof(all) - 1 - len)) > 0)
		len += (size_t)n;
	all[len] = '\0';
	assert_non_null(strstr(all, "info  line number=0\n"));
	assert_non_null(strstr(all, "warn  log_dropped lines="));
	assert_non_null(strstr(strstr(all, "log_dropped"), "\n"));
	assert_string_equal(all + len - strlen("line number=last\n"), "line number=last\n");
	close(ends[0]);
}

static void verbosity_is_counted_as_geth_does(void **state)
{
	struct settings s = { .verbosity = 0 };
	struct logger l;
	struct log log = logger_open(&l, &s);

	(void)state;
	assert_false(log_wants(&log, LOG_ERROR));
	s.verbosity = 3;
	log = logger_open(&l, &s);
	assert_true(log_wants(&log, LOG_INFO));
	assert_false(log_wants(&log, LOG_DEBUG));
	s.verbosity = 5;
	log = logger_open(&l, &s);
	assert_true(log_wants(&log, LOG_TRACE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_json),
		cmocka_unit_test(sequences_are_told),
		cmocka_unit_test(numbers_read_back),
		cmocka_unit_test(terminals_are_safe),
		cmocka_unit_test(log_lines_as_text),
		cmocka_unit_test(log_lines_as_json),
		cmocka_unit_test(a_log_never_waits),
		cmocka_unit_test(verbosity_is_counted_as_geth_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
