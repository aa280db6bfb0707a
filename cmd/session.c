/* SPDX-License-Identifier: MIT */
/* cmd/session.c - a node with everything it stands on.
 *
 * Order matters: what was typed is checked, sockets are opened, and only then
 * is a folder made or a key written, so that a mistake leaves nothing behind.
 */
#include "cmd/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/options.h"
#include "cmd/process.h"
#include "store/store.h"

#if defined(__x86_64__)
#define MACHINE "x86_64"
#elif defined(__aarch64__)
#define MACHINE "aarch64"
#elif defined(__i386__)
#define MACHINE "i386"
#elif defined(__s390x__)
#define MACHINE "s390x"
#else
#define MACHINE "other"
#endif
#define CLIENT_NAME "sotto/v" SOTTO_VERSION "/linux-" MACHINE "/c11"

/* --- what must outlive a worker ------------------------------------------------ */

struct kept {
	struct kept *next;
	_Alignas(max_align_t) uint8_t data[];
};

void *session_keep(struct session *s, size_t size)
{
	struct kept *k = calloc(1, sizeof(*k) + size);

	if (k == NULL)
		return NULL;
	k->next = s->kept;
	s->kept = k;
	return k->data;
}

void session_forget(struct session *s, void *p)
{
	for (struct kept **at = &s->kept; *at != NULL; at = &(*at)->next) {
		struct kept *k = *at;

		if (k->data != p)
			continue;
		*at = k->next;
		free(k);
		return;
	}
}

/* --- keys ------------------------------------------------------------------------- */

int session_key_file(const struct session *s, const char *what, const char *path,
		     struct seckey *out)
{
	char why[STORE_WHY_MAX];

	if (store_key_read(out, path, s->crypto, why) == OK)
		return EXIT_OK;
	return fail(s->set, EXIT_USAGE, "%s %s", what, why);
}

static int key_of_hex(const struct session *s, struct seckey *out)
{
	if (hex_decode(out->b, sizeof(out->b), s->set->nodekeyhex) == OK &&
	    seckey_valid(s->crypto, out))
		return EXIT_OK;
	return fail(s->set, EXIT_USAGE,
		    "--nodekeyhex: expected 64 hex digits, a scalar of secp256k1");
}

static int symkey_of_hex(const struct session *s, const char *what, const char *hex,
			 struct symkey *out)
{
	if (hex_decode(out->b, sizeof(out->b), hex) == OK)
		return EXIT_OK;
	return fail(s->set, EXIT_USAGE, "%s: expected 64 hex digits", what);
}

static int symkey_of_password(const struct session *s, const char *password, size_t len,
			      struct symkey *out)
{
	enum err err = shh_key_of_password(out, span_of(password, len));

	if (err == OK)
		return EXIT_OK;
	return fail(s->set, EXIT_ENVIRONMENT, "no key could be derived: %s", err_text(err));
}

/* A secret that lies in a file: a password, or the digits of a key. */
static int symkey_of_file(const struct session *s, const char *what, const char *path,
			  bool is_password, struct symkey *out)
{
	char text[1025], why[STORE_WHY_MAX];
	size_t len;
	int code;

	if (store_secret_read(text, &len, sizeof(text) - 1, path, why) != OK)
		return fail(s->set, EXIT_USAGE, "%s %s", what, why);
	if (is_password)
		code = symkey_of_password(s, text, len, out);
	else
		code = symkey_of_hex(s, what, text, out);
	crypto_wipe(text, sizeof(text));
	return code;
}

int session_symkey(const struct session *s, struct symkey *out, bool *found)
{
	const struct settings *set = s->set;

	*found = true;
	if (set->password != NULL)
		return symkey_of_password(s, set->password, strlen(set->password), out);
	if (set->passwordfile != NULL)
		return symkey_of_file(s, "--passwordfile", set->passwordfile, true, out);
	if (set->symkey != NULL)
		return symkey_of_hex(s, "--symkey", set->symkey, out);
	if (set->symkeyfile != NULL)
		return symkey_of_file(s, "--symkeyfile", set->symkeyfile, false, out);
	*found = false;
	return EXIT_OK;
}

/* --- identity -------------------------------------------------------------------------- */

/* "~/x" is below the home folder; nothing else is special. */
static int expand_home(const struct session *s, char out[static STORE_PATH_MAX])
{
	const char *dir = s->set->datadir, *home = getenv("HOME");
	int n;

	if (dir[0] != '~' || (dir[1] != '/' && dir[1] != '\0'))
		n = snprintf(out, STORE_PATH_MAX, "%s", dir);
	else if (home != NULL && home[0] == '/')
		n = snprintf(out, STORE_PATH_MAX, "%s%s", home, dir + 1);
	else
		return fail(
			s->set, EXIT_USAGE,
			"--datadir %s: expected a folder by its full name, since HOME is not set",
			dir);
	if (n < STORE_PATH_MAX - 32)
		return EXIT_OK;
	return fail(s->set, EXIT_USAGE, "--datadir: expected less than %d characters",
		    STORE_PATH_MAX - 32);
}

/* Hold the data folder; its key, unless another one was given. */
static int open_datadir(struct session *s, struct seckey *key, bool have_key)
{
	char dir[STORE_PATH_MAX], path[STORE_PATH_MAX + 16], why[STORE_WHY_MAX];
	int code = expand_home(s, dir);

	if (code != EXIT_OK)
		return code;
	if (store_dir_open(dir, why) != OK)
		return fail(s->set,
			    settings_given(s->set, "datadir") ? EXIT_USAGE : EXIT_ENVIRONMENT,
			    "--datadir %s", why);
	if (store_lock(&s->lock, dir, why) != OK)
		return fail(s->set, EXIT_ENVIRONMENT, "--datadir %s", why);
	if (have_key)
		return EXIT_OK;
	snprintf(path, sizeof(path), "%s/nodekey", dir);
	if (store_key_ensure(key, path, s->crypto, &s->rng, why) != OK)
		return fail(s->set, EXIT_ENVIRONMENT, "--datadir %s", why);
	return EXIT_OK;
}

/* What was typed; true in *found if something was. */
static int typed_identity(struct session *s, struct seckey *key, bool *found)
{
	*found = true;
	if (s->set->nodekey != NULL)
		return session_key_file(s, "--nodekey", s->set->nodekey, key);
	if (s->set->nodekeyhex != NULL)
		return key_of_hex(s, key);
	*found = false;
	return EXIT_OK;
}

static int passing_identity(struct session *s, struct seckey *key)
{
	enum err err = seckey_generate(s->crypto, key, &s->rng);

	if (err == OK)
		return EXIT_OK;
	return fail(s->set, EXIT_ENVIRONMENT, "no key could be made: %s", err_text(err));
}

/* --- making ------------------------------------------------------------------------------- */

static int open_net(struct session *s, const struct session_plan *plan)
{
	char why[NET_WHY_MAX];
	struct net_config nc = {
		.log = s->log,
		.listen = plan->listen,
		.listen_count = plan->listen != NULL,
		.handle_signals = true,
		.event = plan->event,
		.ctx = plan->ctx,
	};

	enum err err = net_new(&s->net, &nc, why);

	if (err == OK)
		return EXIT_OK;
	return fail(s->set, err == ERR_NOT_FOUND ? EXIT_USAGE : EXIT_ENVIRONMENT, "%s: %s",
		    s->set->addr != NULL ? "--addr" : "--port", why);
}

static int open_crypto(struct session *s)
{
	const char *broken;
	enum err err = crypto_new(&s->crypto, &s->rng);

	if (err != OK)
		return fail(s->set, EXIT_ENVIRONMENT, "no cryptography to be had: %s",
			    err_text(err));
	broken = crypto_self_test(s->crypto);
	if (broken == NULL)
		return EXIT_OK;
	return fail(s->set, EXIT_INTERNAL, "%s gives wrong results on this machine", broken);
}

static void fill_shh(struct shh_config *c, const struct settings *set)
{
	if (set->command->id != CMD_NODE) {
		c->min_pow = 0; /* a leaf takes whatever its peer has */
		return;
	}
	c->min_pow = set->shh_pow;
	c->message_max = (uint32_t)set->message_max;
	c->light = set->light;
	c->bridge = set->bridge;
	c->delay_ms = (uint32_t)set->delay_ms;
	c->pace = (uint32_t)set->pace;
	c->pool_bytes = (size_t)set->pool_bytes;
	c->pool_count = (uint32_t)set->pool_count;
}

static int open_node(struct session *s, const struct session_plan *plan, const struct seckey *key)
{
	const struct settings *set = s->set;
	const char *what = "?";
	struct node_config nc;
	enum err err;

	node_config_init(&nc);
	nc.key = key;
	nc.crypto = s->crypto;
	nc.mem = &s->mem;
	nc.rng = s->rng;
	nc.log = s->log;
	nc.wall_offset_ms = net_wall_offset_ms();
	nc.client = CLIENT_NAME;
	nc.redial = plan->redial;
	nc.extra = plan->extra;
	nc.extra_count = plan->extra_count;
	if (set->p2p_version != 0)
		nc.p2p_version = (uint8_t)set->p2p_version;
	if (set->command->id == CMD_NODE) {
		nc.max_peers = (uint32_t)set->maxpeers;
		nc.accept_plain = set->plain;
		nc.netrestrict = set->netrestrict.count > 0 ? &set->netrestrict : NULL;
	}
	fill_shh(&nc.shh, set);
	err = node_new(&s->node, &nc, &what, net_clock_ms());
	if (err == ERR_ARG)
		return fail(set, EXIT_INTERNAL, "%s is out of range", what);
	if (err != OK)
		return fail(set, EXIT_ENVIRONMENT, "no node could be made: %s", err_text(err));
	net_attach(s->net, s->node);
	return EXIT_OK;
}

static void find_place_for_pool(struct mem *m, const struct settings *set)
{
	size_t asked = (size_t)set->pool_bytes;

	if (set->command->id != CMD_NODE || asked <= m->cap[MEM_POOL])
		return;
	m->total_cap += asked - m->cap[MEM_POOL];
	m->cap[MEM_POOL] = asked;
}

int session_open(struct session *s, const struct settings *set, const struct session_plan *plan)
{
	struct seckey key;
	bool typed = false;
	int code;

	memset(s, 0, sizeof(*s));
	s->set = set;
	s->lock = -1;
	s->rng = net_rng();
	s->log = logger_open(&s->logger, set);
	mem_init(&s->mem);
	find_place_for_pool(&s->mem, set);
	code = open_net(s, plan);
	if (code == EXIT_OK)
		code = open_crypto(s);
	if (code == EXIT_OK)
		code = typed_identity(s, &key, &typed);
	if (code == EXIT_OK && plan->check != NULL)
		code = plan->check(plan->ctx, s);
	if (code == EXIT_OK && plan->keep)
		code = open_datadir(s, &key, typed);
	else if (code == EXIT_OK && !typed)
		code = passing_identity(s, &key);
	if (code == EXIT_OK)
		code = open_node(s, plan, &key);
	crypto_wipe(&key, sizeof(key));
	if (code != EXIT_OK) {
		session_close(s);
		return code;
	}
	if (!process_lock_heap())
		log_line(&s->log, LOG_DEBUG, "heap_not_locked why=\"keys may reach the swap\"");
	return EXIT_OK;
}

void session_close(struct session *s)
{
	bool all = net_free(s->net); /* workers end first: what they hold is freed last */

	node_free(s->node);
	crypto_free(s->crypto);
	if (s->lock >= 0)
		store_unlock(s->lock);
	while (all && s->kept != NULL) {
		struct kept *k = s->kept;

		s->kept = k->next;
		free(k);
	}
}

void session_enode(const struct session *s, char out[static ENODE_TEXT_MAX])
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };
	struct enode e;

	memset(&e, 0, sizeof(e));
	e.id = *node_pubkey(s->node);
	e.has_endpoint = true;
	e.at = net_listening(s->net, 0);
	e.at.udp = e.at.tcp;
	if (ip_class_of(&e.at.ip) == IP_UNSPECIFIED)
		e.at.ip = ip_from4(loopback);
	enode_text(out, &e);
}
