/* SPDX-License-Identifier: MIT */
/* enr/enode.c - enode URLs, read as every client reads them and printed as geth does.
 *
 *	"enode://" key [ "@" host ":" tcp-port [ "?discport=" udp-port ] ]
 *	key
 *
 * Other readers hand the text to a URL library first, and peer lists in use
 * rely on it: a path, a fragment and foreign query keys are ignored, an empty
 * discport counts as absent, and ports may have leading zeros.
 */
#include <assert.h>
#include <stdio.h>
#include <strings.h>

#include "enr/enr.h"

#define SCHEME	   "enode://"
#define DISCPORT   "discport="
#define KEY_DIGITS 128
#define HEX	   "0123456789abcdefABCDEF"

/* A piece of the text that is being read. */
struct piece {
	const char *at;
	size_t len;
};

static struct piece piece_of(const char *from, const char *to)
{
	return (struct piece){ .at = from, .len = (size_t)(to - from) };
}

/* The first c of a piece, or NULL. */
static const char *find(struct piece p, char c)
{
	return memchr(p.at, c, p.len);
}

static enum err expected(const char **why, const char *what)
{
	*why = what;
	return ERR_ARG;
}

static enum err read_key(struct pubkey *out, struct piece key, const struct crypto *c,
			 const char **why)
{
	size_t len;

	if (key.len != KEY_DIGITS)
		return expected(why, "a key of 128 hex digits");
	if (hex_decode_any(out->b, &len, sizeof(out->b), key.at, key.len) != OK || len != 64)
		return expected(why, "a key of hex digits only");
	if (pubkey_check(c, out) != OK) {
		*why = "a key that is a point on secp256k1";
		return ERR_KEY;
	}
	return OK;
}

static bool is_host_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '.' || c == '_';
}

static enum err read_name(struct enode *out, struct piece name, const char **why)
{
	if (name.len == 0 || name.len >= sizeof(out->host))
		return expected(why, "a host of 1..253 characters behind the @");
	for (size_t i = 0; i < name.len; i++)
		if (!is_host_char(name.at[i]))
			return expected(why, "an address or a host name behind the @");
	memcpy(out->host, name.at, name.len);
	out->host[name.len] = '\0';
	return OK;
}

/* host ":" port, where the host is an address, a bracketed one, or a name. */
static enum err read_address(struct enode *out, struct piece address, const char **why)
{
	const char *end = address.at + address.len;
	const char *close = address.at[0] == '[' ? find(address, ']') : NULL;
	struct piece rest = close != NULL ? piece_of(close, end) : address;
	const char *colon = find(rest, ':');
	struct piece host = piece_of(address.at, colon != NULL ? colon : end);
	const char *unused;

	if (close != NULL) {
		host = piece_of(address.at + 1, close);
		if (find(host, ':') == NULL || ip_parse(&out->at.ip, host.at, host.len, why) != OK)
			return expected(why, "an IPv6 address between the brackets");
		if (colon != close + 1)
			return expected(why, "a port in 0..65535 behind the bracket");
	} else if (ip_parse(&out->at.ip, host.at, host.len, &unused) != OK) {
		enum err e = read_name(out, host, why);

		if (e != OK)
			return e;
	}
	if (colon == NULL || port_parse(&out->at.tcp, colon + 1, (size_t)(end - colon - 1)) != OK)
		return expected(why, "a port in 0..65535 behind the host");
	out->at.udp = out->at.tcp;
	out->has_endpoint = true;
	return OK;
}

/* The first discport of a query decides; an empty one counts as absent. */
static enum err read_query(struct enode *out, struct piece query, const char **why)
{
	const char *end = query.at + query.len;
	const size_t name = strlen(DISCPORT);

	while (query.len > 0) {
		const char *amp = find(query, '&');
		struct piece pair = piece_of(query.at, amp != NULL ? amp : end);

		if (pair.len >= name && memcmp(pair.at, DISCPORT, name) == 0) {
			if (pair.len > name &&
			    port_parse(&out->at.udp, pair.at + name, pair.len - name) != OK)
				return expected(why, "a discport in 0..65535");
			return OK;
		}
		query = piece_of(amp != NULL ? amp + 1 : end, end);
	}
	return OK;
}

/* What follows the scheme. */
static enum err read_rest(struct enode *out, const char *rest, const struct crypto *c,
			  const char **why)
{
	const char *end = rest + strcspn(rest, "/?#"); /* of key, host and port */
	const char *query = rest + strcspn(rest, "?#");
	struct piece authority = piece_of(rest, end);
	const char *at = find(authority, '@');
	enum err e;

	if (at == NULL && find(authority, ':') != NULL)
		return expected(why, "a key and @ before the host");
	e = read_key(&out->id, piece_of(rest, at != NULL ? at : end), c, why);
	if (e != OK || (at == NULL && *end == '\0'))
		return e;
	if (at == NULL)
		return expected(why, "@ and a host behind the key");
	e = read_address(out, piece_of(at + 1, end), why);
	if (e != OK || *query != '?')
		return e;
	query++;
	return read_query(out, piece_of(query, query + strcspn(query, "#")), why);
}

enum err enode_parse(struct enode *out, const char *text, const struct crypto *c, const char **why)
{
	struct enode e;
	enum err err;

	memset(&e, 0, sizeof(e));
	if (strncasecmp(text, SCHEME, strlen(SCHEME)) == 0)
		text += strlen(SCHEME);
	else if (text[0] == '\0' || text[strspn(text, HEX)] != '\0')
		return expected(why, "enode://KEY@HOST:PORT, or the bare key");
	err = read_rest(&e, text, c, why);
	if (err == OK)
		*out = e;
	return err;
}

void enode_text(char out[static ENODE_TEXT_MAX], const struct enode *e)
{
	char key[KEY_DIGITS + 1];
	char at[ENODE_HOST_MAX + 8] = ""; /* holds an endpoint's text as well */
	char disc[sizeof("?" DISCPORT "65535")] = "";
	int n;

	_Static_assert(sizeof(at) >= ENDPOINT_TEXT_MAX, "either kind of host");
	hex_encode(key, e->id.b, sizeof(e->id.b));
	if (e->host[0] != '\0')
		(void)snprintf(at, sizeof(at), "%s:%u", e->host, (unsigned)e->at.tcp);
	else if (e->has_endpoint)
		endpoint_text(at, &e->at);
	if (e->has_endpoint && e->at.udp != e->at.tcp)
		(void)snprintf(disc, sizeof(disc), "?" DISCPORT "%u", (unsigned)e->at.udp);
	n = snprintf(out, ENODE_TEXT_MAX, SCHEME "%s%s%s%s", key, at[0] != '\0' ? "@" : "", at,
		     disc);
	assert(n > 0 && n < ENODE_TEXT_MAX);
}
