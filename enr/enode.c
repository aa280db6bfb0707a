/* SPDX-License-Identifier: MIT */
/* enr/enode.c - enode URLs, read as every client reads them and printed as geth does.
 *
 * The grammar of devp2p enode.md:
 *
 *	"enode://" key [ "@" host ":" tcp-port [ "?discport=" udp-port ] ]
 *	key
 *
 * Clients hand the text to a URL library first, and peer lists in use rely on
 * it: a path, a fragment and foreign query keys are ignored, an empty
 * discport counts as absent, and ports may have leading zeros.
 */
#include <assert.h>
#include <stdio.h>
#include <strings.h>

#include "enr/enr.h"

#define SCHEME	 "enode://"
#define DISCPORT "discport="
#define KEY_LEN	 128 /* hex digits */

/* A piece of the text that is being read. */
struct piece {
	const char *text;
	size_t len;
};

struct parse {
	const char *text;
	struct text_fault *fault;
};

static enum err refuse(const struct parse *p, const char *at, const char *why)
{
	*p->fault = (struct text_fault){ .why = why, .at = (size_t)(at - p->text) };
	return ERR_ARG;
}

/* Whether the text is nothing but hex digits: the bare form of a URL. */
static bool is_bare(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789abcdefABCDEF")] == '\0';
}

static enum err read_key(const struct parse *p, const struct crypto *c, struct pubkey *out,
			 struct piece key)
{
	size_t digits = strspn(key.text, "0123456789abcdefABCDEF");
	size_t len;

	if (digits < key.len)
		return refuse(p, key.text + digits,
			      "has a key with a character that is no hex digit");
	if (key.len != KEY_LEN ||
	    hex_decode_any(out->b, &len, sizeof(out->b), key.text, key.len) != OK)
		return refuse(p, key.text, "has a key that is not 128 hex digits");
	if (pubkey_check(c, out) != OK) {
		(void)refuse(p, key.text, "has a key that is not a point on the curve");
		return ERR_KEY;
	}
	return OK;
}

static bool is_host_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '.' || c == '_';
}

static enum err read_name(const struct parse *p, struct enode *out, struct piece host)
{
	if (host.len == 0)
		return refuse(p, host.text, "has no host behind its key");
	if (host.len > ENODE_HOST_MAX)
		return refuse(p, host.text, "has a host name of more than 253 characters");
	for (size_t i = 0; i < host.len; i++)
		if (!is_host_char(host.text[i]))
			return refuse(p, host.text + i,
				      "has a host with a character that no host name has");
	memcpy(out->host, host.text, host.len);
	out->host[host.len] = '\0';
	return OK;
}

/* An address, a bracketed IPv6 address, or a DNS name. */
static enum err read_host(const struct parse *p, struct enode *out, struct piece host)
{
	struct text_fault ignored;

	if (host.len >= 2 && host.text[0] == '[') {
		if (memchr(host.text, ':', host.len) == NULL ||
		    ip_parse(&out->at.ip, &ignored, host.text + 1, host.len - 2) != OK)
			return refuse(p, host.text + 1, "has brackets that hold no IPv6 address");
		return OK;
	}
	if (memchr(host.text, ':', host.len) == NULL &&
	    ip_parse(&out->at.ip, &ignored, host.text, host.len) == OK)
		return OK;
	return read_name(p, out, host);
}

/* host ":" port, up to the end of the authority. */
static enum err read_address(const struct parse *p, struct enode *out, struct piece a)
{
	const char *end = a.text + a.len;
	const char *close = a.text[0] == '[' ? memchr(a.text, ']', a.len) : a.text;
	const char *colon = close != NULL ? memchr(close, ':', (size_t)(end - close)) : NULL;
	struct piece host = { .text = a.text };
	enum err e;

	if (close == NULL)
		return refuse(p, a.text, "has a bracket that is not closed");
	if (colon == NULL)
		return refuse(p, end, "has no port behind its host");
	if (a.text[0] == '[' && colon != close + 1)
		return refuse(p, close + 1, "has something behind the bracket that is no :PORT");
	host.len = (size_t)(colon - a.text);
	e = read_host(p, out, host);
	if (e != OK)
		return e;
	if (port_parse(&out->at.tcp, colon + 1, (size_t)(end - colon - 1)) != OK)
		return refuse(p, colon + 1, "has a port that is not a number in 0..65535");
	out->at.udp = out->at.tcp;
	return OK;
}

/* The first discport of a query decides; an empty one counts as absent. */
static enum err read_query(const struct parse *p, struct enode *out, struct piece query)
{
	const char *at = query.text;
	const char *end = query.text + query.len;

	while (at < end) {
		const char *amp = memchr(at, '&', (size_t)(end - at));
		const char *stop = amp != NULL ? amp : end;
		const char *value = at + strlen(DISCPORT);

		if (stop >= value && memcmp(at, DISCPORT, strlen(DISCPORT)) == 0) {
			if (stop > value &&
			    port_parse(&out->at.udp, value, (size_t)(stop - value)) != OK)
				return refuse(p, value,
					      "has a discport that is not a number in 0..65535");
			return OK;
		}
		at = stop + 1;
	}
	return OK;
}

/* What follows the scheme. */
static enum err read_rest(const struct parse *p, const struct crypto *c, struct enode *out,
			  const char *rest)
{
	struct piece authority = { rest, strcspn(rest, "/?#") };
	const char *mark = rest + strcspn(rest, "?#");
	const char *at = memchr(authority.text, '@', authority.len);
	struct piece key = { rest, at != NULL ? (size_t)(at - rest) : authority.len };
	struct piece address, query;
	enum err e;

	if (at == NULL && memchr(rest, ':', authority.len) != NULL)
		return refuse(p, rest, "has no key before the host");
	e = read_key(p, c, &out->key, key);
	if (e != OK || (at == NULL && authority.text[authority.len] == '\0'))
		return e;
	if (at == NULL)
		return refuse(p, rest + authority.len, "has no host behind its key");
	address.text = at + 1;
	address.len = (size_t)(authority.text + authority.len - address.text);
	e = read_address(p, out, address);
	if (e != OK || *mark != '?')
		return e;
	query.text = mark + 1;
	query.len = strcspn(query.text, "#");
	return read_query(p, out, query);
}

enum err enode_parse(const struct crypto *c, struct enode *out, struct text_fault *fault,
		     const char *text)
{
	const struct parse p = { .text = text, .fault = fault };
	struct enode e = { .host = "" };
	const char *rest = text;
	enum err err;

	if (strncasecmp(text, SCHEME, strlen(SCHEME)) == 0)
		rest += strlen(SCHEME);
	else if (!is_bare(text))
		return refuse(&p, text, "does not begin with enode:// and is no bare key");
	err = read_rest(&p, c, &e, rest);
	if (err == OK)
		*out = e;
	return err;
}

size_t enode_print(char out[static ENODE_TEXT_MAX], const struct enode *e)
{
	char key[KEY_LEN + 1];
	char at[ENODE_HOST_MAX + 8] = "";
	char disc[sizeof("?" DISCPORT) + 5] = "";
	int n;

	hex_encode(key, e->key.b, sizeof(e->key.b));
	if (e->host[0] != '\0')
		(void)snprintf(at, sizeof(at), "%s:%u", e->host, (unsigned)e->at.tcp);
	else if (e->at.ip.family != IP_NONE)
		(void)endpoint_print(at, &e->at);
	if (at[0] != '\0' && e->at.udp != e->at.tcp)
		(void)snprintf(disc, sizeof(disc), "?" DISCPORT "%u", (unsigned)e->at.udp);
	n = snprintf(out, ENODE_TEXT_MAX, SCHEME "%s%s%s%s", key, at[0] != '\0' ? "@" : "", at,
		     disc);
	assert(n > 0 && n < ENODE_TEXT_MAX);
	return (size_t)n;
}
