/* SPDX-License-Identifier: MIT */
/* cmd/rules.c - what must be typed together, and what must not. */
#include "cmd/options.h"

#include <stdio.h>

static unsigned count_given(const struct settings *s, const char *const *names)
{
	unsigned n = 0;

	for (; *names != NULL; names++)
		n += settings_given(s, *names);
	return n;
}

static bool has_one_identity(const struct settings *s, char why[static OPTIONS_WHY_MAX])
{
	static const char *const names[] = { "nodekey", "nodekeyhex", NULL };

	if (count_given(s, names) < 2)
		return true;
	snprintf(why, OPTIONS_WHY_MAX, "--nodekey and --nodekeyhex: expected one of them at most");
	return false;
}

static bool has_one_port(const struct settings *s, char why[static OPTIONS_WHY_MAX])
{
	struct endpoint e;
	const char *expected;

	memset(&e, 0, sizeof(e));
	if (s->addr == NULL || !settings_given(s, "port") ||
	    endpoint_parse(&e, s->addr, &expected) != OK || e.tcp == 0 || e.tcp == s->port)
		return true;
	snprintf(why, OPTIONS_WHY_MAX, "--addr %s and --port %llu: expected one port", s->addr,
		 (unsigned long long)s->port);
	return false;
}

/* A message has one kind of key. */
static bool has_one_key(const struct settings *s, const char *other,
			char why[static OPTIONS_WHY_MAX])
{
	const char *names[] = { "passwordfile", "password", "symkeyfile", "symkey", other, NULL };

	if (count_given(s, names) == 1)
		return true;
	snprintf(why, OPTIONS_WHY_MAX,
		 "expected exactly one of --passwordfile, --password, --symkeyfile, --symkey and "
		 "--%s",
		 other);
	return false;
}

static bool has(const struct settings *s, const char *name, const char *expected,
		char why[static OPTIONS_WHY_MAX])
{
	if (settings_given(s, name))
		return true;
	snprintf(why, OPTIONS_WHY_MAX, "--%s is missing: expected %s", name, expected);
	return false;
}

bool options_agree(const struct settings *s, char why[static OPTIONS_WHY_MAX])
{
	static const char peer[] = "the enode URL of the node to talk through";
	static const char topic[] = "8 hex digits, or a name";

	switch (s->command->id) {
	case CMD_NODE: return has_one_identity(s, why) && has_one_port(s, why);
	case CMD_HELLO: return has_one_identity(s, why);
	case CMD_SEND:
		return has_one_identity(s, why) && has(s, "peer", peer, why) &&
		       has(s, "topic", topic, why) && has_one_key(s, "pubkey", why);
	case CMD_LISTEN:
		return has_one_identity(s, why) && has(s, "peer", peer, why) &&
		       has_one_key(s, "key", why);
	case CMD_KEY_TO_ENODE: return has_one_port(s, why);
	case CMD_KEY_GENERATE:
	case CMD_KEY_INSPECT:
	case CMD_DEMO: break;
	}
	return true;
}
