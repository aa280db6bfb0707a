/* SPDX-License-Identifier: MIT */
/* Errors as text, the random and log ports, and SipHash. */
#include "crypto/openssl.h" /* the other body of SipHash */

#include "base/port.h"
#include "base/siphash.h"
#include "tests/vectors.h"

static void errors_have_names(void **state)
{
	(void)state;
	assert_string_equal(err_name(OK), "OK");
	assert_string_equal(err_name(ERR_MAC), "ERR_MAC");
	assert_string_equal(err_text(ERR_MAC), "authentication failed");
	assert_string_equal(err_name(ERR_REPLAY), "ERR_REPLAY");
	assert_false(err_is_peer(ERR_TARGET)); /* the last of ours */
	assert_true(err_is_peer(ERR_SIZE));    /* the first of theirs */
	assert_true(err_is_peer(ERR_REPLAY));
	for (int i = -3; i < 300; i++) {
		assert_non_null(err_name((enum err)i));
		assert_true(strlen(err_text((enum err)i)) > 0);
	}
	assert_string_equal(err_name((enum err) - 1), "ERR_UNKNOWN");
	assert_false(err_is_peer((enum err)12345));
}

static bool no_chance(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	(void)out;
	(void)len;
	return false;
}

static void failed_chance_is_an_error(void **state)
{
	const struct rng none = { .fill = no_chance };
	uint8_t b[4];
	uint64_t n;

	(void)state;
	assert_int_equal(rng_fill(&none, b, sizeof(b)), ERR_RANDOM);
	assert_int_equal(rng_fill(&none, b, 0), OK);
	assert_int_equal(rng_below(&none, &n, 10), ERR_RANDOM);
}

/* Gives the eight-byte words of a list, little endian. */
struct words {
	const uint64_t *next;
};

static bool words_fill(void *ctx, uint8_t *out, size_t len)
{
	struct words *w = ctx;

	assert_int_equal(len, 8);
	le64_store(out, *w->next++);
	return true;
}

static void small_numbers_are_not_favoured(void **state)
{
	/* 2^64 mod 6 is 4: the first four numbers would count once too often. */
	const uint64_t words[] = { 0, 3, 4, UINT64_MAX };
	struct words w = { words };
	const struct rng rng = { .fill = words_fill, .ctx = &w };
	uint64_t n;

	(void)state;
	assert_int_equal(rng_below(&rng, &n, 6), OK);
	assert_true(n == 4);
	assert_ptr_equal(w.next, words + 3);
	assert_int_equal(rng_below(&rng, &n, 6), OK);
	assert_true(n == UINT64_MAX % 6);
	w.next = words;
	assert_int_equal(rng_below(&rng, &n, 1), OK);
	assert_true(n == 0);
}

static void seeds_repeat(void **state)
{
	struct rng_seeded s1, s2, s3;
	struct rng a = rng_seeded_init(&s1, 42), b = rng_seeded_init(&s2, 42),
		   c = rng_seeded_init(&s3, 43);
	unsigned count[10] = { 0 };
	uint8_t x[100], y[100];
	uint64_t n;

	(void)state;
	assert_int_equal(rng_fill(&a, x, 100), OK);
	assert_int_equal(rng_fill(&b, y, 100), OK);
	assert_memory_equal(x, y, 100);
	assert_int_equal(rng_fill(&c, y, 100), OK);
	assert_memory_not_equal(x, y, 100);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(rng_below(&a, &n, 10), OK);
		count[n]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(count[i], 850, 1150);
}

struct sink {
	char line[2 * LOG_LINE_MAX];
	enum log_level level;
	int lines;
};

static void sink_write(void *ctx, enum log_level level, const char *line)
{
	struct sink *s = ctx;

	strcpy(s->line, line);
	s->level = level;
	s->lines++;
}

static int evaluated;

static int count_evaluation(void)
{
	return ++evaluated;
}

static void lines_are_finished_lines(void **state)
{
	struct sink s = { .lines = 0 };
	struct log log = { .write = sink_write, .ctx = &s, .level = LOG_INFO };
	const struct log silent = { .write = NULL, .level = LOG_TRACE };
	char wide[2000];

	(void)state;
	log_line(&log, LOG_WARN, "event key=%d text=%s", 5, "a\nb\x1b[0m");
	assert_string_equal(s.line, "event key=5 text=a?b?[0m");
	assert_int_equal(s.level, LOG_WARN);
	log_line(&log, LOG_DEBUG, "%d", count_evaluation());
	log_line(&silent, LOG_ERROR, "%d", count_evaluation());
	assert_int_equal(evaluated, 0); /* not even formatted */
	assert_int_equal(s.lines, 1);
	memset(wide, 'w', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	log_line(&log, LOG_INFO, "%s", wide);
	assert_int_equal(strlen(s.line), LOG_LINE_MAX - 1);
}

/* hardening C10: against OpenSSL's body, every length around the blocks. */
static void siphash_is_siphash(void **state)
{
	const struct siphash_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint8_t raw[16], data[200], out[8];
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	size_t size = 8, len;
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("size", &size),
				      OSSL_PARAM_construct_end() };

	(void)state;
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	assert_true(siphash(&key, data, 15) == 0xa129ca6149be45e5); /* the paper's example */
	for (size_t n = 0; n <= sizeof(data); n++) {
		assert_int_equal(EVP_MAC_init(ctx, raw, sizeof(raw), params), 1);
		assert_int_equal(EVP_MAC_update(ctx, data, n), 1);
		assert_int_equal(EVP_MAC_final(ctx, out, &len, sizeof(out)), 1);
		assert_int_equal(len, 8);
		assert_true(siphash(&key, data, n) == le64_load(out));
	}
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_have_names),
		cmocka_unit_test(failed_chance_is_an_error),
		cmocka_unit_test(small_numbers_are_not_favoured),
		cmocka_unit_test(seeds_repeat),
		cmocka_unit_test(lines_are_finished_lines),
		cmocka_unit_test(siphash_is_siphash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
