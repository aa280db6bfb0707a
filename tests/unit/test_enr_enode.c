/* SPDX-License-Identifier: MIT */
/* enode URLs: the recorded verdicts, and what they leave open. */
#include <stdio.h>

#include "enr/enr.h"
#include "tests/vectors.h"

static struct crypto *crypto;

static int set_up(void **state)
{
	static struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 4);

	(void)state;
	return crypto_new(&crypto, &rng) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	crypto_free(crypto);
	return 0;
}

static void check_accepted(const json_t *v, const struct enode *e)
{
	char text[ENODE_TEXT_MAX];
	struct enode again;
	struct node_id id;
	const char *why;

	enode_text(text, e);
	assert_string_equal(text, vec_text(v, "canonical"));
	assert_int_equal(e->at.tcp, vec_u64(v, "tcp"));
	assert_int_equal(e->at.udp, vec_u64(v, "udp"));
	assert_string_equal(e->host, "");
	assert_int_equal(e->has_endpoint, vec_has(v, "ip"));
	if (vec_has(v, "ip")) {
		char ip[IP_TEXT_MAX];

		ip_text(ip, &e->at.ip);
		assert_string_equal(ip, vec_text(v, "ip"));
	}
	node_id_of(&id, &e->id);
	assert_span_equal(span_of(id.b, 32), vec_bytes(v, "node_id"), "id");
	assert_int_equal(enode_parse(&again, text, crypto, &why), OK);
	assert_memory_equal(&again, e, sizeof(again)); /* no byte is left unset */
}

static void recorded_verdicts(void **state)
{
	json_t *file = vectors_open("enr");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "enode_urls", i, v) {
		const char *result = vec_text(v, "result");
		const char *why = NULL;
		struct enode e;
		enum err err = enode_parse(&e, vec_text(v, "url"), crypto, &why);

		if (strcmp(result, "reject") == 0) {
			if (err != ERR_ARG && err != ERR_KEY)
				fail_msg("%s: %s", err_name(err), vec_text(v, "url"));
			assert_non_null(why);
			continue;
		}
		if (err != OK)
			fail_msg("expected %s: %s", why, vec_text(v, "url"));
		if (strcmp(result, "accept") == 0) {
			check_accepted(v, &e);
		} else {
			assert_string_equal(result, "hostname");
			assert_true(e.has_endpoint && e.host[0] != '\0');
		}
	}
	vectors_close(file);
}

/* A key of the vectors. */
#define KEY                                                                \
	"ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138" \
	"7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f"

/* The same without its first two digits. */
#define KEY_BUT_TWO                                                      \
	"634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138" \
	"7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f"

static void reasons_are_told(void **state)
{
	static const struct {
		const char *text;
		enum err err;
		const char *why;
	} cases[] = {
		{ "", ERR_ARG, "enode://KEY@HOST:PORT, or the bare key" },
		{ "http://x", ERR_ARG, "enode://KEY@HOST:PORT, or the bare key" },
		{ "enode:/" KEY, ERR_ARG, "enode://KEY@HOST:PORT, or the bare key" },
		{ "0x" KEY, ERR_ARG, "enode://KEY@HOST:PORT, or the bare key" },
		{ "enode://", ERR_ARG, "a key of 128 hex digits" },
		{ "abcd", ERR_ARG, "a key of 128 hex digits" },
		{ "enode://0x" KEY_BUT_TWO, ERR_ARG, "a key of hex digits only" },
		{ "enode://1.2.3.4:5", ERR_ARG, "a key and @ before the host" },
		{ "enode://" KEY "/path", ERR_ARG, "@ and a host behind the key" },
		{ "enode://" KEY "?discport=1", ERR_ARG, "@ and a host behind the key" },
		{ "enode://" KEY "@", ERR_ARG, "a host of 1..253 characters behind the @" },
		{ "enode://" KEY "@:1", ERR_ARG, "a host of 1..253 characters behind the @" },
		{ "enode://" KEY "@a b:1", ERR_ARG, "an address or a host name behind the @" },
		{ "enode://" KEY "@1.2.3.4", ERR_ARG, "a port in 0..65535 behind the host" },
		{ "enode://" KEY "@1.2.3.4:+1", ERR_ARG, "a port in 0..65535 behind the host" },
		{ "enode://" KEY "@[::1]", ERR_ARG, "a port in 0..65535 behind the bracket" },
		{ "enode://" KEY "@[::1]x:1", ERR_ARG, "a port in 0..65535 behind the bracket" },
		{ "enode://" KEY "@[1.2.3.4]:1", ERR_ARG, "an IPv6 address between the brackets" },
		{ "enode://" KEY "@[fe80::1%eth0]:1", ERR_ARG,
		  "an IPv6 address between the brackets" },
		{ "enode://" KEY "@[::1:1", ERR_ARG, "an address or a host name behind the @" },
		{ "enode://" KEY "@1.2.3.4:1?discport=x", ERR_ARG, "a discport in 0..65535" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct enode e, before;
		const char *why = "";

		memset(&e, 0x55, sizeof(e));
		before = e;
		assert_int_equal(enode_parse(&e, cases[i].text, crypto, &why), cases[i].err);
		assert_string_equal(why, cases[i].why);
		assert_memory_equal(&e, &before, sizeof(e)); /* untouched */
	}
}

static void url_library_manners(void **state)
{
	static const struct {
		const char *text;
		unsigned udp;
	} cases[] = {
		{ "ENODE://" KEY "@1.2.3.4:1", 1 },
		{ "enode://" KEY "@1.2.3.4:1#?discport=2", 1 },
		{ "enode://" KEY "@1.2.3.4:1?discport=2#x", 2 },
		{ "enode://" KEY "@1.2.3.4:1/a?x=1&discport=2&discport=3", 2 },
		{ "enode://" KEY "@1.2.3.4:1?discport=&discport=3", 1 },
		{ "enode://" KEY "@1.2.3.4:1?xdiscport=3&&", 1 },
		{ "enode://" KEY "@1.2.3.4:1?", 1 },
		{ "enode://" KEY "@1.2.3.4:1?discport", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = "";
		struct enode e;

		if (enode_parse(&e, cases[i].text, crypto, &why) != OK)
			fail_msg("expected %s: %s", why, cases[i].text);
		assert_int_equal(e.at.tcp, 1);
		assert_int_equal(e.at.udp, cases[i].udp);
	}
}

static void host_names_are_of_these_characters(void **state)
{
	(void)state;
	for (unsigned c = 1; c < 256; c++) {
		char url[] = "enode://" KEY "@h?h:1";
		bool fits =
			strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._",
			       (int)c) != NULL;
		const char *why;
		struct enode e;

		if (strchr("/?#:@", (int)c) != NULL)
			continue; /* these end a host */
		*strchr(url, '?') = (char)c;
		assert_int_equal(enode_parse(&e, url, crypto, &why), fits ? OK : ERR_ARG);
	}
}

static void host_names_have_a_limit(void **state)
{
	char name[300], url[600], back[ENODE_TEXT_MAX];
	struct enode e;
	const char *why;

	(void)state;
	memset(name, 'n', sizeof(name));
	for (size_t len = 252; len <= 256; len++) {
		snprintf(url, sizeof(url), "enode://" KEY "@%.*s:65535?discport=0", (int)len, name);
		assert_int_equal(enode_parse(&e, url, crypto, &why),
				 len < ENODE_HOST_MAX ? OK : ERR_ARG);
		if (len < ENODE_HOST_MAX) {
			enode_text(back, &e);
			assert_string_equal(back, url);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_verdicts),
		cmocka_unit_test(reasons_are_told),
		cmocka_unit_test(url_library_manners),
		cmocka_unit_test(host_names_are_of_these_characters),
		cmocka_unit_test(host_names_have_a_limit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
