/* SPDX-License-Identifier: MIT */
/* cmd/key.c - `sotto key': make and inspect key files. */
#include <stdio.h>

#include "cmd/options.h"
#include "cmd/process.h"
#include "cmd/run.h"
#include "cmd/text.h"
#include "net/net.h"
#include "store/store.h"

struct keys {
	struct crypto *crypto;
	struct rng rng;
	struct seckey secret;
	struct pubkey public;
};

static int open_keys(struct keys *k, const struct settings *set)
{
	enum err err;

	memset(k, 0, sizeof(*k));
	k->rng = net_rng();
	err = crypto_new(&k->crypto, &k->rng);
	if (err == OK)
		return EXIT_OK;
	return fail(set, EXIT_ENVIRONMENT, "no cryptography to be had: %s", err_text(err));
}

static void close_keys(struct keys *k)
{
	crypto_wipe(&k->secret, sizeof(k->secret));
	crypto_free(k->crypto);
}

/* Read the key file that the operand names. */
static int read_keys(struct keys *k, const struct settings *set)
{
	char why[STORE_WHY_MAX];
	int code = open_keys(k, set);

	if (code != EXIT_OK)
		return code;
	if (store_key_read(&k->secret, set->operand[0], k->crypto, why) == OK &&
	    pubkey_of(k->crypto, &k->public, &k->secret) == OK)
		return EXIT_OK;
	code = fail(set, EXIT_USAGE, "%s", why);
	close_keys(k);
	return code;
}

/* As geth and Status spell a public key: 04 and both coordinates. */
static void print_public(const struct pubkey *key)
{
	printf("0x04");
	print_hex(stdout, key->b, sizeof(key->b));
}

int run_key_generate(struct settings *set)
{
	char why[STORE_WHY_MAX];
	struct keys k;
	int code = open_keys(&k, set);
	enum err err;

	if (code != EXIT_OK)
		return code;
	err = seckey_generate(k.crypto, &k.secret, &k.rng);
	if (err == OK)
		err = pubkey_of(k.crypto, &k.public, &k.secret);
	if (err != OK) {
		code = fail(set, EXIT_ENVIRONMENT, "no key could be made: %s", err_text(err));
	} else if (store_key_write(set->operand[0], &k.secret, &k.rng, why) != OK) {
		code = fail(set, EXIT_USAGE, "%s", why);
	} else {
		printf("public key: ");
		print_public(&k.public);
		printf("\n");
	}
	close_keys(&k);
	return flush_output(set) ? code : EXIT_ENVIRONMENT;
}

static void print_json(const struct keys *k, const struct node_id *id, bool private)
{
	printf("{\"public\":\"");
	print_public(&k->public);
	printf("\",\"id\":");
	print_json_hex(stdout, id->b, sizeof(id->b));
	if (private) {
		printf(",\"private\":");
		print_json_hex(stdout, k->secret.b, sizeof(k->secret.b));
	}
	printf("}\n");
}

static void print_plain(const struct keys *k, const struct node_id *id, bool private)
{
	printf("public key: ");
	print_public(&k->public);
	printf("\nnode id:    ");
	print_hex(stdout, id->b, sizeof(id->b));
	if (private) {
		printf("\nprivate:    ");
		print_hex(stdout, k->secret.b, sizeof(k->secret.b));
	}
	printf("\n");
}

int run_key_inspect(struct settings *set)
{
	struct keys k;
	struct node_id id;
	int code = read_keys(&k, set);

	if (code != EXIT_OK)
		return code;
	node_id_of(&id, &k.public);
	(set->json ? print_json : print_plain)(&k, &id, set->private);
	close_keys(&k);
	return flush_output(set) ? EXIT_OK : EXIT_ENVIRONMENT;
}

int run_key_to_enode(struct settings *set)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };
	char url[ENODE_TEXT_MAX];
	const char *unused;
	struct enode e;
	struct keys k;
	int code = read_keys(&k, set);

	if (code != EXIT_OK)
		return code;
	memset(&e, 0, sizeof(e));
	e.id = k.public;
	e.has_endpoint = true;
	e.at = settings_listen(set);
	if (ip_class_of(&e.at.ip) == IP_UNSPECIFIED) /* --addr :PORT */
		e.at.ip = ip_from4(loopback);
	if (set->ip != NULL && endpoint_parse(&e.at, set->ip, &unused) != OK)
		memset(&e.at.ip, 0, sizeof(e.at.ip)); /* not reached: it was read before */
	if (settings_given(set, "tcp"))
		e.at.udp = e.at.tcp = (uint16_t)set->tcp;
	if (settings_given(set, "udp"))
		e.at.udp = (uint16_t)set->udp;
	enode_text(url, &e);
	printf("%s\n", url);
	close_keys(&k);
	return flush_output(set) ? EXIT_OK : EXIT_ENVIRONMENT;
}
