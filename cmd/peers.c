/* SPDX-License-Identifier: MIT */
/* cmd/peers.c - the nodes that the operator names: read, looked up, joined. */
#include "cmd/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/session.h"

#define LOOKUP_AGAIN_MS 30000
#define BETWEEN		" \t\r\n,\"[]"

/* --- reading ------------------------------------------------------------------ */

/* A URL is longer than what an error may repeat: its head and its end are told. */
static void shorten(char out[static 96], const char *text)
{
	char escaped[TEXT_ESCAPED_MAX];
	size_t len = strlen(text);

	text_escape(escaped, (const uint8_t *)text, size_min(len, 40));
	if (len <= 40)
		snprintf(out, 96, "%.90s", escaped);
	else
		snprintf(out, 96, "%.60s...", escaped);
}

static bool has_address(const struct enode *e)
{
	return e->has_endpoint || e->host[0] != '\0';
}

enum err peer_read(struct enode *out, const char *what, const char *text, bool bare_ok,
		   const struct crypto *c, char why[static PEERS_WHY_MAX])
{
	char shown[96];
	const char *expected = "an enode URL";
	enum err err = enode_parse(out, text, c, &expected);

	if (err == OK && (bare_ok || has_address(out)))
		return OK;
	if (err == OK || (!bare_ok && strncasecmp(text, "enode:", 6) != 0)) {
		err = ERR_ARG;
		expected = "a full enode URL, enode://KEY@HOST:PORT";
	}
	shorten(shown, text);
	snprintf(why, PEERS_WHY_MAX, "%s \"%s\": expected %s", what, shown, expected);
	return err;
}

static enum err append(struct peer_list *l, const struct enode *e)
{
	struct enode *grown;

	if (l->count == NODE_STATIC_MAX)
		return ERR_FULL;
	grown = realloc(l->peer, (l->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return ERR_MEM;
	l->peer = grown;
	l->peer[l->count++] = *e;
	return OK;
}

static enum err append_text(struct peer_list *l, const char *what, const char *text, bool bare_ok,
			    const struct crypto *c, char why[static PEERS_WHY_MAX])
{
	char shown[96];
	struct enode e;
	enum err err = peer_read(&e, what, text, bare_ok, c, why);

	if (err != OK)
		return err;
	err = append(l, &e);
	shorten(shown, text);
	if (err != OK)
		snprintf(why, PEERS_WHY_MAX,
			 "%s \"%s\": expected at most %d nodes, and memory for them", what, shown,
			 NODE_STATIC_MAX);
	return err;
}

/* Cuts the text into words; a remark ends with its line. */
static enum err read_text(struct peer_list *l, const char *what, char *text, bool bare_ok,
			  const struct crypto *c, char why[static PEERS_WHY_MAX])
{
	enum err err = OK;

	while (err == OK) {
		size_t len;
		char cut;

		text += strspn(text, BETWEEN);
		if (*text == '#') {
			text += strcspn(text, "\n");
			continue;
		}
		len = strcspn(text, BETWEEN);
		if (len == 0)
			break;
		cut = text[len];
		text[len] = '\0';
		err = append_text(l, what, text, bare_ok, c, why);
		text[len] = cut;
		text += len;
	}
	return err;
}

/* The whole file with a NUL behind it; NULL with why. */
static char *read_file(const char *what, const char *path, char why[static PEERS_WHY_MAX])
{
	char shown[TEXT_ESCAPED_MAX];
	char *text = malloc(PEERS_FILE_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = -1;
	size_t len = 0;

	text_escape(shown, (const uint8_t *)path, strlen(path));
	while (text != NULL && fd >= 0 && len < PEERS_FILE_MAX &&
	       (n = read(fd, text + len, PEERS_FILE_MAX - len)) > 0)
		len += (size_t)n;
	if (text == NULL || fd < 0 || n < 0)
		snprintf(why, PEERS_WHY_MAX,
			 "%s \"%s\": expected enode URLs, or a file of them that can be read (%s)",
			 what, shown, strerror(errno));
	else if (n > 0 || memchr(text, '\0', len) != NULL)
		snprintf(why, PEERS_WHY_MAX, "%s \"%s\": expected text of less than %d bytes", what,
			 shown, PEERS_FILE_MAX);
	else
		n = 1;
	if (fd >= 0)
		close(fd);
	if (text != NULL && n == 1 && len < PEERS_FILE_MAX) {
		text[len] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

enum err peers_read(struct peer_list *out, const char *what, const char *text, bool bare_ok,
		    const struct crypto *c, char why[static PEERS_WHY_MAX])
{
	struct peer_list l = { .count = 0 };
	bool listed = strncmp(text, "enode:", 6) == 0;
	char *copy = listed ? strdup(text) : read_file(what, text, why);
	enum err err = ERR_IO;

	if (copy != NULL)
		err = read_text(&l, what, copy, bare_ok, c, why);
	else if (listed)
		snprintf(why, PEERS_WHY_MAX, "%s: expected memory for it", what);
	free(copy);
	if (err == OK)
		*out = l;
	else
		peers_free(&l);
	return err;
}

void peers_free(struct peer_list *l)
{
	free(l->peer);
	l->peer = NULL;
	l->count = 0;
}

/* --- joining ---------------------------------------------------------------------- */

struct lookup {
	struct session *session;
	struct enode peer;
	unsigned kinds;
	void (*failed)(void *ctx, const char *why);
	void *ctx;
	int error; /* of getaddrinfo() */
	struct ip ip;
};

/* On a worker: touches nothing but its own lookup. */
static void look_up(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;

	l->error = getaddrinfo(l->peer.host, NULL, &hints, &found);
	if (l->error != 0)
		return;
	if (found->ai_family == AF_INET)
		l->ip = ip_from4(
			(const uint8_t *)&((struct sockaddr_in *)found->ai_addr)->sin_addr);
	else
		l->ip = ip_from6(
			(const uint8_t *)&((struct sockaddr_in6 *)found->ai_addr)->sin6_addr);
	freeaddrinfo(found);
}

static void join(struct session *s, const struct enode *peer, unsigned kinds,
		 void (*failed)(void *ctx, const char *why), void *ctx)
{
	enum err err = node_peer_add(s->node, peer, kinds, net_clock_ms());

	if (err != OK && failed != NULL)
		failed(ctx, err_text(err));
	else if (err != OK)
		log_line(&s->log, LOG_WARN, "peer_refused why=\"%s\"", err_text(err));
}

static void start_lookup(struct lookup *l);

static void look_again(void *ctx, uint64_t now_ms)
{
	(void)now_ms;
	start_lookup(ctx);
}

static void looked_up(void *arg, uint64_t now_ms)
{
	struct lookup *l = arg;
	struct session *s = l->session;

	(void)now_ms;
	if (l->error == 0) {
		l->peer.at.ip = l->ip;
		l->peer.has_endpoint = true;
		l->peer.host[0] = '\0';
		join(s, &l->peer, l->kinds, l->failed, l->ctx);
	} else if (l->failed != NULL) {
		l->failed(l->ctx, gai_strerror(l->error));
	} else {
		log_line(&s->log, LOG_WARN, "lookup_failed host=%s why=\"%s\"", l->peer.host,
			 gai_strerror(l->error));
		if (net_timer(s->net, LOOKUP_AGAIN_MS, look_again, l) != 0)
			return;
	}
	session_forget(s, l);
}

static void start_lookup(struct lookup *l)
{
	if (net_work(l->session->net, look_up, looked_up, l) == OK)
		return;
	/* All workers are at look-ups: later. */
	if (net_timer(l->session->net, LOOKUP_AGAIN_MS, look_again, l) == 0)
		session_forget(l->session, l);
}

void peer_join(struct session *s, const struct enode *peer, unsigned kinds,
	       void (*failed)(void *ctx, const char *why), void *ctx)
{
	struct lookup *l;

	if (peer->host[0] == '\0') {
		join(s, peer, kinds, failed, ctx);
		return;
	}
	l = session_keep(s, sizeof(*l));
	if (l == NULL)
		return;
	l->session = s;
	l->peer = *peer;
	l->kinds = kinds;
	l->failed = failed;
	l->ctx = ctx;
	start_lookup(l);
}
