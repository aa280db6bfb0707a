/* SPDX-License-Identifier: MIT */
/* Addresses: one form each, classes, keys of limits, lists of networks (hardening §3). */
#include "enr/enr.h"
#include "tests/vectors.h"

static struct ip ip_of(const char *text)
{
	const char *why = "";
	struct ip ip;

	if (ip_parse(&ip, text, strlen(text), &why) != OK)
		fail_msg("expected %s: %s", why, text);
	return ip;
}

static void addresses_have_one_form(void **state)
{
	static const char *const pairs[][2] = {
		{ "1.2.3.4", "1.2.3.4" },
		{ "::ffff:1.2.3.4", "1.2.3.4" },
		{ "::ffff:102:304", "1.2.3.4" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "::", "::" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct ip ip = ip_of(pairs[i][0]), again;
		char text[IP_TEXT_MAX];

		ip_text(text, &ip);
		assert_string_equal(text, pairs[i][1]);
		again = ip_of(text);
		assert_true(ip_eq(&ip, &again));
		assert_int_equal(ip_is4(&ip), strchr(text, '.') != NULL);
	}
	assert_true(ip_is4(&(struct ip){ .b = { [10] = 0xff, [11] = 0xff } }));
}

static void other_texts_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"01.2.3.4",
		"1.2.3.256",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.-4",
		"0x1.2.3.4",
		":",
		":::",
		"1::2::3",
		"12345::",
		"g::",
		"fe80::1%lo",
		"[::1]",
		"localhost",
		"::ffff:1.2.3",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999",
		"1111:2222:3333:4444:5555:6666:255.255.255.2555",
		"1111:2222:3333:4444:5555:6666:123.123.123.123.123.123.123",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *why = NULL;
		struct ip ip;

		if (ip_parse(&ip, bad[i], strlen(bad[i]), &why) != ERR_ARG)
			fail_msg("taken: %s", bad[i]);
		assert_string_equal(why, "an IPv4 or IPv6 address");
	}
	assert_int_equal(ip_parse(&(struct ip){ { 0 } }, "1.2.3.4\0x", 9, &(const char *){ "" }),
			 ERR_ARG);
}

static void classes_at_their_edges(void **state)
{
	static const struct {
		const char *text;
		enum ip_class class;
	} cases[] = {
		{ "0.0.0.0", IP_UNSPECIFIED },
		{ "0.255.255.255", IP_UNSPECIFIED },
		{ "1.0.0.0", IP_GLOBAL },
		{ "9.255.255.255", IP_GLOBAL },
		{ "10.0.0.0", IP_PRIVATE },
		{ "10.255.255.255", IP_PRIVATE },
		{ "11.0.0.0", IP_GLOBAL },
		{ "100.63.255.255", IP_GLOBAL },
		{ "100.64.0.0", IP_PRIVATE },
		{ "100.127.255.255", IP_PRIVATE },
		{ "100.128.0.0", IP_GLOBAL },
		{ "126.255.255.255", IP_GLOBAL },
		{ "127.0.0.0", IP_LOOPBACK },
		{ "127.255.255.255", IP_LOOPBACK },
		{ "128.0.0.0", IP_GLOBAL },
		{ "169.253.255.255", IP_GLOBAL },
		{ "169.254.0.0", IP_LINK_LOCAL },
		{ "169.254.255.255", IP_LINK_LOCAL },
		{ "169.255.0.0", IP_GLOBAL },
		{ "172.15.255.255", IP_GLOBAL },
		{ "172.16.0.0", IP_PRIVATE },
		{ "172.31.255.255", IP_PRIVATE },
		{ "172.32.0.0", IP_GLOBAL },
		{ "192.167.255.255", IP_GLOBAL },
		{ "192.168.0.0", IP_PRIVATE },
		{ "192.168.255.255", IP_PRIVATE },
		{ "192.169.0.0", IP_GLOBAL },
		{ "223.255.255.255", IP_GLOBAL },
		{ "224.0.0.0", IP_MULTICAST },
		{ "239.255.255.255", IP_MULTICAST },
		{ "240.0.0.0", IP_MULTICAST },
		{ "255.255.255.255", IP_MULTICAST },
		{ "::", IP_UNSPECIFIED },
		{ "::1", IP_LOOPBACK },
		{ "::2", IP_GLOBAL },
		{ "::ffff:127.0.0.1", IP_LOOPBACK },
		{ "fbff::", IP_GLOBAL },
		{ "fc00::", IP_PRIVATE },
		{ "fdff:ffff::", IP_PRIVATE },
		{ "fe00::", IP_GLOBAL },
		{ "fe7f:ffff::", IP_GLOBAL },
		{ "fe80::", IP_LINK_LOCAL },
		{ "febf:ffff::", IP_LINK_LOCAL },
		{ "fec0::", IP_GLOBAL },
		{ "feff::", IP_GLOBAL },
		{ "ff00::", IP_MULTICAST },
		{ "ff02::1", IP_MULTICAST },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip ip = ip_of(cases[i].text);
		enum ip_class class = cases[i].class;

		if (ip_class_of(&ip) != class)
			fail_msg("%s is of class %d", cases[i].text, (int)ip_class_of(&ip));
		assert_int_equal(ip_is_lan(&ip), class == IP_LOOPBACK || class == IP_PRIVATE ||
							 class == IP_LINK_LOCAL);
	}
}

static void limits_count_by_host_and_subnet(void **state)
{
	static const char *const cases[][3] = {
		{ "203.0.113.77", "203.0.113.77", "203.0.113.0" },
		{ "::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1::" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip ip = ip_of(cases[i][0]), host = ip_of(cases[i][1]),
			  subnet = ip_of(cases[i][2]), got;

		got = ip_host(&ip);
		assert_true(ip_eq(&got, &host));
		got = ip_subnet(&ip);
		assert_true(ip_eq(&got, &subnet));
	}
}

static void ports_are_plain_numbers(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "65536", "99999999999999999999", "0x1", "1.0"
	};
	uint16_t port = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(port_parse(&port, bad[i], strlen(bad[i])), ERR_ARG);
	assert_int_equal(port, 7);
	assert_int_equal(port_parse(&port, "65535", 5), OK);
	assert_int_equal(port, 65535);
	assert_int_equal(port_parse(&port, "9", 1), OK);
	assert_int_equal(port, 9);
	assert_int_equal(port_parse(&port, "000030303", 9), OK);
	assert_int_equal(port, 30303);
}

static void endpoints_fill_in_what_they_name(void **state)
{
	static const char *const good[][2] = {
		{ "1.2.3.4", "1.2.3.4:30303" },
		{ "1.2.3.4:5", "1.2.3.4:5" },
		{ ":5", "127.0.0.1:5" },
		{ "[2001:db8::1]:5", "[2001:db8::1]:5" },
		{ "2001:db8::1", "[2001:db8::1]:30303" },
		{ "[::1]", "[::1]:30303" },
		{ "[1.2.3.4]:5", "1.2.3.4:5" },
		{ "::ffff:1.2.3.4", "1.2.3.4:30303" },
		{ ":0", "127.0.0.1:0" },
		{ "::1", "[::1]:30303" },
	};
	static const char *const bad[] = {
		"",	  ":",	    "1.2.3.4:", "1.2.3.4:x",	 "x:5",	    "[::1",
		"[::1]5", "[::1]:", "[]:5",	"1.2.3.4:65536", "1.2.3:5", "localhost"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct endpoint e = { .ip = ip_of("127.0.0.1"), .udp = 30303, .tcp = 30303 };
		char text[ENDPOINT_TEXT_MAX];
		const char *why = "";

		if (endpoint_parse(&e, good[i][0], &why) != OK)
			fail_msg("expected %s: %s", why, good[i][0]);
		endpoint_text(text, &e);
		assert_string_equal(text, good[i][1]);
		assert_int_equal(e.udp, e.tcp);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct endpoint e = { .ip = ip_of("127.0.0.1"), .udp = 1, .tcp = 2 };
		struct endpoint before = e;
		const char *why = NULL;

		if (endpoint_parse(&e, bad[i], &why) != ERR_ARG)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
		assert_memory_equal(&e, &before, sizeof(e));
	}
}

static struct cidr_list list_of(const char *text)
{
	const char *why = "";
	struct cidr_list l;

	if (cidr_list_parse(&l, text, &why) != OK)
		fail_msg("expected %s: %s", why, text);
	return l;
}

static bool has(const struct cidr_list *l, const char *text)
{
	struct ip ip = ip_of(text);

	return cidr_list_has(l, &ip);
}

static void networks_hold_their_addresses(void **state)
{
	struct cidr_list l =
		list_of("10.1.2.3/8, 192.0.2.1,2001:db8::/33\t, ::ffff:172.16.0.0/108");
	struct cidr_list none = { .count = 0 };

	(void)state;
	assert_int_equal(l.count, 4);
	assert_true(has(&l, "10.0.0.0"));
	assert_true(has(&l, "10.255.255.255"));
	assert_true(has(&l, "::ffff:10.255.255.255"));
	assert_false(has(&l, "11.0.0.0"));
	assert_false(has(&l, "9.255.255.255"));
	assert_true(has(&l, "192.0.2.1"));
	assert_false(has(&l, "192.0.2.0"));
	assert_true(has(&l, "2001:db8:7fff::1"));
	assert_false(has(&l, "2001:db8:8000::"));
	assert_true(has(&l, "172.31.255.255"));
	assert_false(has(&l, "172.32.0.0"));
	assert_false(has(&none, "10.0.0.1"));

	l = list_of("192.0.2.1/32,2001:db8::1/128");
	assert_true(has(&l, "192.0.2.1") && has(&l, "2001:db8::1"));
	assert_false(has(&l, "192.0.2.0") || has(&l, "2001:db8::"));
	l = list_of("::/0"); /* as in geth, no IPv4 */
	assert_true(has(&l, "::1"));
	assert_false(has(&l, "1.2.3.4"));
	l = list_of("0.0.0.0/0");
	assert_true(has(&l, "255.255.255.255"));
	assert_false(has(&l, "::1"));
}

static void lists_are_refused_whole(void **state)
{
	static const char *const bad[] = {
		"",
		",",
		"10.0.0.0/8,",
		",10.0.0.0/8",
		"10.0.0.0/33",
		"10.0.0.0/",
		"10.0.0.0/-1",
		"10.0.0.0/8 x",
		"10.0.0/8",
		"::/129",
		"/8",
		"10.0.0.0/8/8",
		"10.0.0.0/8;::",
		"10.0.0.0 /8",
		"localhost",
	};
	char many[65 * 8 + 1] = "";
	struct cidr_list l = { .count = 99 };
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		if (cidr_list_parse(&l, bad[i], &why) != ERR_ARG)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
		assert_int_equal(l.count, 99);
	}
	for (int i = 0; i < 65; i++)
		strcat(many, i > 0 ? ",1.1.1.1" : "1.1.1.1");
	assert_int_equal(cidr_list_parse(&l, many, &why), ERR_FULL);
	*strrchr(many, ',') = '\0';
	assert_int_equal(cidr_list_parse(&l, many, &why), OK);
	assert_int_equal(l.count, CIDR_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_one_form),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(classes_at_their_edges),
		cmocka_unit_test(limits_count_by_host_and_subnet),
		cmocka_unit_test(ports_are_plain_numbers),
		cmocka_unit_test(endpoints_fill_in_what_they_name),
		cmocka_unit_test(networks_hold_their_addresses),
		cmocka_unit_test(lists_are_refused_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
