/* SPDX-License-Identifier: MIT */
/* The command line: the table is sound, every way to write an option reads alike,
 * bounds hold on both sides, and secrets leave argv whatever else is wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/options.h"
#include "tests/vectors.h"

#define WORDS_MAX 16

static struct settings set;
static char why[OPTIONS_WHY_MAX];
static char words[WORDS_MAX][256];
static char *argv[WORDS_MAX];

static const struct command *command_of(const char *name)
{
	for (const struct command *c = commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	fail_msg("no command %s", name);
	return NULL;
}

/* Words between blanks; "_" stands for an empty one. */
static enum parsed parse(const char *command, const char *line)
{
	int argc = 0;

	for (const char *p = line; *p != '\0'; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		assert_true(argc < WORDS_MAX && len < sizeof(words[0]));
		snprintf(words[argc], sizeof(words[0]), "%.*s", (int)len, p);
		if (strcmp(words[argc], "_") == 0)
			words[argc][0] = '\0';
		argv[argc] = words[argc];
		argc++;
		p += len;
	}
	settings_wipe(&set);
	memset(why, 0, sizeof(why));
	return options_parse(&set, command_of(command), argc, argv, why);
}

static void refused(const char *command, const char *line, const char *because)
{
	if (parse(command, line) != PARSED_BAD)
		fail_msg("accepted: %s %s", command, line);
	if (strstr(why, because) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why, because);
	assert_null(strchr(why, '\n'));
}

static const struct option *option_of(const struct command *c, const char *name)
{
	const struct option *o = NULL;

	while ((o = options_next(o, c->id)) != NULL)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

/* --- the table -------------------------------------------------------------------- */

static void the_table_is_sound(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->name != NULL; c++) {
		const struct option *o = NULL;

		assert_non_null(c->run);
		assert_true(c->operands_min <= c->operands_max);
		while ((o = options_next(o, c->id)) != NULL) {
			assert_ptr_equal(option_of(c, o->name), o); /* once a command */
			assert_int_equal(o->value == NULL, o->kind == OPT_FLAG);
			assert_int_equal(o->choices != NULL, o->kind == OPT_CHOICE);
			assert_true(strlen(o->help) > 0 && o->help[strlen(o->help) - 1] != '.');
			if (o->kind == OPT_UINT)
				assert_true(o->min <= o->max);
		}
	}
}

/* Presets pass the same checks as what is typed. */
static void presets_are_read(void **state)
{
	(void)state;
	assert_int_equal(parse("node", ""), PARSED);
	assert_string_equal(set.datadir, "~/.sotto");
	assert_int_equal(set.port, 30303);
	assert_int_equal(set.maxpeers, 50);
	assert_true(set.shh_pow == 0.2);
	assert_int_equal(set.message_max, 1 << 20);
	assert_true(set.bridge);
	assert_true(set.plain);
	assert_false(set.light);
	assert_int_equal(set.pool_bytes, SHH_POOL_BYTES);
	assert_int_equal(set.pool_count, SHH_POOL_COUNT);
	assert_int_equal(set.verbosity, 3);
	assert_int_equal(set.log_format, LOG_TEXT);
	assert_int_equal(set.p2p_version, 5);
	assert_null(set.addr);
	assert_int_equal(parse("send", "--peer e --topic t --password p hi"), PARSED);
	assert_int_equal(set.verbosity, 1);
	assert_int_equal(set.ttl_s, 50);
	assert_int_equal(set.form, FORM_GETH);
	for (const struct command *c = commands; c->name != NULL; c++) {
		const struct option *o = NULL;
		char line[300];

		while ((o = options_next(o, c->id)) != NULL) {
			if (o->preset == NULL)
				continue;
			snprintf(line, sizeof(line), "--%s=%s", o->name, o->preset);
			if (parse(c->name, line) == PARSED_BAD)
				assert_null(strstr(why, o->name));
		}
	}
}

/* Whisper's own defaults are those that the table shows. */
static void presets_are_those_of_the_rooms(void **state)
{
	struct node_config nc;

	(void)state;
	node_config_init(&nc);
	assert_int_equal(parse("node", ""), PARSED);
	assert_true(nc.shh.min_pow == set.shh_pow);
	assert_int_equal(nc.shh.message_max, set.message_max);
	assert_int_equal(nc.shh.light, set.light);
	assert_int_equal(nc.shh.bridge, set.bridge);
	assert_int_equal(nc.shh.delay_ms, set.delay_ms);
	assert_int_equal(nc.shh.pace, set.pace);
	assert_int_equal(nc.shh.pool_bytes, set.pool_bytes);
	assert_int_equal(nc.shh.pool_count, set.pool_count);
	assert_int_equal(nc.max_peers, set.maxpeers);
	assert_int_equal(nc.accept_plain, set.plain);
	assert_int_equal(nc.p2p_version, set.p2p_version);
}

/* --- shapes ------------------------------------------------------------------------- */

static void four_ways_are_one(void **state)
{
	static const char *const ways[] = { "--port 7", "--port=7", "-port 7", "-port=7" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(parse("node", ways[i]), PARSED);
		assert_int_equal(set.port, 7);
		assert_true(settings_given(&set, "port"));
		assert_false(settings_given(&set, "addr"));
	}
	assert_int_equal(parse("node", "--shh.light --shh.bridge=false"), PARSED);
	assert_true(set.light);
	assert_false(set.bridge);
	assert_int_equal(parse("node", "--shh.light=false"), PARSED);
	assert_false(set.light);
}

static void operands_and_their_end(void **state)
{
	(void)state;
	assert_int_equal(parse("send", "--peer e --topic t --password p -- --text"), PARSED);
	assert_int_equal(set.operands, 1);
	assert_string_equal(set.operand[0], "--text");
	assert_int_equal(parse("send", "- --peer e --topic t --password p"), PARSED);
	assert_string_equal(set.operand[0], "-");
	assert_int_equal(parse("send", "--peer e --topic t --password p _"), PARSED);
	assert_int_equal(set.operands, 1);
	assert_string_equal(set.operand[0], "");
	assert_int_equal(parse("hello", "enode"), PARSED);
	refused("hello", "", "expected ENODE");
	refused("hello", "a b", "\"b\": expected no more than ENODE");
	refused("node", "a", "\"a\": expected no operand");
}

static void slips_are_named(void **state)
{
	(void)state;
	refused("node", "--prot 1", "--prot is no option");
	refused("node", "--por=1", "--por is no option");
	refused("node", "--port", "--port: expected a value, N");
	refused("node", "--port 1 --port 1", "it once at most");
	refused("node", "--shh.light --shh.light", "it once at most");
	refused("node", "--shh.light=1", "expected true or false");
	refused("node", "--log.format=TEXT", "expected text|json");
	refused("hello", "--peers x enode", "--peers is no option"); /* of another command */
	assert_int_equal(parse("node", "--port x --help"), PARSED_HELP);
	assert_int_equal(parse("node", "-h"), PARSED_HELP);
	/* The first of several is told. */
	refused("node", "--port x --maxpeers y", "--port \"x\"");
}

/* --- values ----------------------------------------------------------------------------- */

static void bounds_hold(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->name != NULL; c++) {
		const struct option *o = NULL;
		char line[300];

		while ((o = options_next(o, c->id)) != NULL) {
			if (o->kind != OPT_UINT)
				continue;
			snprintf(line, sizeof(line), "--%s=%llu", o->name,
				 (unsigned long long)o->max + 1);
			refused(c->name, line, o->name);
			snprintf(line, sizeof(line), "--%s=%llu0", o->name,
				 (unsigned long long)o->max + 1);
			refused(c->name, line, o->name);
			if (o->min > 0) {
				snprintf(line, sizeof(line), "--%s=%llu", o->name,
					 (unsigned long long)o->min - 1);
				refused(c->name, line, o->name);
			}
			snprintf(line, sizeof(line), "--%s=%llu", o->name,
				 (unsigned long long)o->max);
			if (parse(c->name, line) == PARSED_BAD) /* for want of other options only */
				assert_null(strstr(why, "whole number"));
			snprintf(line, sizeof(line), "--%s=%llu", o->name,
				 (unsigned long long)o->min);
			if (parse(c->name, line) == PARSED_BAD)
				assert_null(strstr(why, "whole number"));
		}
	}
	refused("node", "--port=18446744073709551616", "whole number"); /* 2^64 */
	refused("node", "--port=18446744073709551617", "whole number");
	refused("node", "--port _", "whole number");
	assert_int_equal(parse("node", "--port 0000000000000000000000000000007"), PARSED);
	assert_int_equal(set.port, 7);
}

static void reals_are_plain(void **state)
{
	static const char *const good[] = { "0", "0.0", ".5", "5.", "1e3", "1E-3", "1e+2", "1e9" };
	static const double value[] = { 0, 0, .5, 5, 1000, .001, 100, 1e9 };
	static const char *const bad[] = { "_",	  "-0",	   "+1",   "nan",	 "inf",
					   "0x1", "1e",	   "e1",   ".",		 "1,5",
					   "1 ",  "1.0.0", "1e10", "1000000001", "1e999" };
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(line, sizeof(line), "--shh.pow %s", good[i]);
		assert_int_equal(parse("node", line), PARSED);
		assert_true(set.shh_pow == value[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (strchr(bad[i], ' ') != NULL)
			continue;
		snprintf(line, sizeof(line), "--shh.pow %s", bad[i]);
		refused("node", line, "a number from 0 to 1e9");
	}
}

static void topics_are_hex_or_names(void **state)
{
	static const uint8_t hex[4] = { 0xde, 0xad, 0xbe, 0xef };
	struct shh_topic named;
	char line[1024] = "--peer e --password p", *end;

	(void)state;
	assert_int_equal(parse("listen",
			       "--peer e --password p --topic 0xdeadBEEF --topic deadbeef "
			       "--topic greetings"),
			 PARSED);
	assert_int_equal(set.topics.count, 3);
	assert_memory_equal(set.topics.t[0].b, hex, 4);
	assert_memory_equal(set.topics.t[1].b, hex, 4);
	shh_topic_of_name(&named, span_of("greetings", 9));
	assert_memory_equal(set.topics.t[2].b, named.b, 4);
	refused("listen", "--peer e --password p --topic 0xdead", "8 hex digits, or a name");
	refused("listen", "--peer e --password p --topic 0xdeadbeefs", "8 hex digits, or a name");
	refused("listen", "--peer e --password p --topic _", "8 hex digits, or a name");
	refused("send", "--peer e --password p --topic a --topic b x", "at most 1 of them");
	end = line + strlen(line);
	for (int i = 0; i < 6; i++)
		end += sprintf(end, " --topic=%d", i);
	assert_int_equal(parse("listen", line), PARSED);
	assert_int_equal(set.topics.count, 6);
}

static void places_join_address_and_port(void **state)
{
	struct endpoint e;
	char text[ENDPOINT_TEXT_MAX];
	static const char *const of[][2] = {
		{ "", "[::]:30303" },
		{ "--port 7", "[::]:7" },
		{ "--addr 127.0.0.1", "127.0.0.1:30303" },
		{ "--addr 127.0.0.1 --port 7", "127.0.0.1:7" },
		{ "--addr 127.0.0.1:7", "127.0.0.1:7" },
		{ "--addr 127.0.0.1:7 --port 7", "127.0.0.1:7" },
		{ "--addr :7", "[::]:7" },
		{ "--addr [::1]:7", "[::1]:7" },
		{ "--addr ::1", "[::1]:30303" },
		{ "--addr 127.0.0.1:0", "127.0.0.1:0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		assert_int_equal(parse("node", of[i][0]), PARSED);
		e = settings_listen(&set);
		endpoint_text(text, &e);
		assert_string_equal(text, of[i][1]);
	}
	refused("node", "--addr 127.0.0.1:7 --port 8", "expected one port");
	assert_int_equal(parse("node", "--netrestrict 10.0.0.0/8,fd00::/8"), PARSED);
	assert_int_equal(set.netrestrict.count, 2);
}

static void one_key_a_message(void **state)
{
	static const char *const keys[] = { "--password=a", "--passwordfile=a", "--symkey=a",
					    "--symkeyfile=a" };
	char line[256];

	(void)state;
	for (int i = 0; i < 4; i++) {
		snprintf(line, sizeof(line), "--peer e --topic t %s", keys[i]);
		assert_int_equal(parse("send", line), PARSED);
		assert_int_equal(parse("listen", line), PARSED);
		snprintf(line, sizeof(line), "--peer e --topic t %s %s", keys[i],
			 keys[(i + 1) % 4]);
		refused("send", line, "exactly one of");
		refused("listen", line, "exactly one of");
		snprintf(line, sizeof(line), "--peer e --topic t --pubkey=a %s", keys[i]);
		refused("send", line, "exactly one of");
	}
	refused("send", "--peer e --topic t", "exactly one of");
	assert_int_equal(parse("send", "--peer e --topic t --pubkey k"), PARSED);
	assert_int_equal(parse("listen", "--peer e --key k"), PARSED);
	refused("node", "--nodekey a --nodekeyhex b", "one of them at most");
	refused("hello", "--nodekey a --nodekeyhex b e", "one of them at most");
}

/* --- secrets -------------------------------------------------------------------------------- */

static bool in_argv(const char *secret)
{
	for (size_t i = 0; i < WORDS_MAX; i++)
		if (strstr(words[i], secret) != NULL)
			return true;
	return false;
}

static void secrets_leave_the_line(void **state)
{
	static const char *const lines[] = {
		"--password opensesame",
		"--password=opensesame",
		"-password=opensesame",
		"--peer e --topic t --password opensesame hi",
		"--nothing --password opensesame",    /* after a slip */
		"--password a --password opensesame", /* a slip itself */
		"--ttl x --password=opensesame --help",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		memset(words, 0, sizeof(words));
		(void)parse("send", lines[i]);
		assert_false(in_argv("opensesame"));
		assert_null(strstr(why, "opensesame"));
	}
	memset(words, 0, sizeof(words));
	assert_int_equal(parse("send", "--peer e --topic t --password opensesame hi"), PARSED);
	assert_string_equal(set.password, "opensesame"); /* but it was understood */
	assert_string_equal(words[5], "**********");
	settings_wipe(&set);
	assert_null(set.password);
	refused("node", "--nodekeyhex _", "--nodekeyhex: expected a value that is not empty");
}

static void commands_are_found(void **state)
{
	char node[] = "node", key[] = "key", inspect[] = "inspect", other[] = "other";
	char *one[] = { node }, *two[] = { key, inspect }, *bad[] = { key, other };
	int used = 0;

	(void)state;
	assert_int_equal(command_find(1, one, &used)->id, CMD_NODE);
	assert_int_equal(used, 1);
	assert_int_equal(command_find(2, two, &used)->id, CMD_KEY_INSPECT);
	assert_int_equal(used, 2);
	assert_null(command_find(1, two, &used));
	assert_null(command_find(2, bad, &used));
	assert_null(command_find(0, one, &used));
}

static int forget(void **state)
{
	(void)state;
	settings_wipe(&set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(presets_are_read),
		cmocka_unit_test(presets_are_those_of_the_rooms),
		cmocka_unit_test(four_ways_are_one),
		cmocka_unit_test(operands_and_their_end),
		cmocka_unit_test(slips_are_named),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(reals_are_plain),
		cmocka_unit_test(topics_are_hex_or_names),
		cmocka_unit_test(places_join_address_and_port),
		cmocka_unit_test(one_key_a_message),
		cmocka_unit_test(secrets_leave_the_line),
		cmocka_unit_test(commands_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
