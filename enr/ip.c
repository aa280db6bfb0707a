/* SPDX-License-Identifier: MIT */
/* enr/ip.c - addresses: one form for each host, what it is good for, as text. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#include "crypto/keccak.h"
#include "enr/enr.h"

_Static_assert(sizeof(struct ip) == 16, "compared and hashed as bytes");

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:0:0/96 */

void node_id_of(struct node_id *out, const struct pubkey *key)
{
	keccak256(out->b, key->b, sizeof(key->b));
}

struct ip ip_from4(const uint8_t b[static 4])
{
	struct ip ip;

	memcpy(ip.b, mapped, 12);
	memcpy(ip.b + 12, b, 4);
	return ip;
}

struct ip ip_from6(const uint8_t b[static 16])
{
	struct ip ip;

	memcpy(ip.b, b, 16);
	return ip;
}

bool ip_is4(const struct ip *ip)
{
	return memcmp(ip->b, mapped, 12) == 0;
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
	return memcmp(a->b, b->b, 16) == 0;
}

/* The first bits of an address, the rest zero. */
static struct ip prefix_of(const struct ip *ip, unsigned bits)
{
	struct ip out = *ip;

	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = bits > 8 * i ? bits - 8 * i : 0;

		if (keep < 8)
			out.b[i] &= (uint8_t)(0xff00u >> keep);
	}
	return out;
}

struct ip ip_host(const struct ip *ip)
{
	return ip_is4(ip) ? *ip : prefix_of(ip, 64);
}

struct ip ip_subnet(const struct ip *ip)
{
	return prefix_of(ip, ip_is4(ip) ? 96 + 24 : 48);
}

static enum ip_class class_of4(const uint8_t b[static 4])
{
	uint32_t a = be32_load(b);

	if (b[0] == 0)
		return IP_UNSPECIFIED;
	if (b[0] == 127)
		return IP_LOOPBACK;
	if (b[0] == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 22 == 0x64400000 >> 22)
		return IP_PRIVATE;
	if (a >> 16 == 0xa9fe)
		return IP_LINK_LOCAL;
	return b[0] >= 224 ? IP_MULTICAST : IP_GLOBAL;
}

enum ip_class ip_class_of(const struct ip *ip)
{
	static const uint8_t zeros[15];
	const uint8_t *b = ip->b;

	if (ip_is4(ip))
		return class_of4(b + 12);
	if (memcmp(b, zeros, 15) == 0 && b[15] <= 1)
		return b[15] == 0 ? IP_UNSPECIFIED : IP_LOOPBACK;
	if (b[0] == 0xff)
		return IP_MULTICAST;
	if ((b[0] & 0xfe) == 0xfc)
		return IP_PRIVATE;
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return IP_LINK_LOCAL;
	return IP_GLOBAL;
}

bool ip_is_lan(const struct ip *ip)
{
	enum ip_class class = ip_class_of(ip);

	return class == IP_PRIVATE || class == IP_LINK_LOCAL || class == IP_LOOPBACK;
}

/* --- text --------------------------------------------------------------- */

void ip_text(char out[static IP_TEXT_MAX], const struct ip *ip)
{
	bool is4 = ip_is4(ip);

	if (inet_ntop(is4 ? AF_INET : AF_INET6, is4 ? ip->b + 12 : ip->b, out, IP_TEXT_MAX) == NULL)
		out[0] = '\0';
}

void endpoint_text(char out[static ENDPOINT_TEXT_MAX], const struct endpoint *e)
{
	char ip[IP_TEXT_MAX];
	int n;

	ip_text(ip, &e->ip);
	n = snprintf(out, ENDPOINT_TEXT_MAX, ip_is4(&e->ip) ? "%s:%u" : "[%s]:%u", ip,
		     (unsigned)e->tcp);
	assert(n > 0 && n < ENDPOINT_TEXT_MAX);
}

static enum err expected(const char **why, const char *what)
{
	*why = what;
	return ERR_ARG;
}

enum err ip_parse(struct ip *out, const char *text, size_t len, const char **why)
{
	char copy[IP_TEXT_MAX];
	uint8_t b[16];

	if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return expected(why, "an IPv4 or IPv6 address");
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, b) == 1)
		*out = ip_from4(b);
	else if (inet_pton(AF_INET6, copy, b) == 1)
		*out = ip_from6(b);
	else
		return expected(why, "an IPv4 or IPv6 address");
	return OK;
}

enum err port_parse(uint16_t *out, const char *text, size_t len)
{
	unsigned port = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return ERR_ARG;
		port = port * 10 + (unsigned)(text[i] - '0');
		if (port > UINT16_MAX)
			return ERR_ARG;
	}
	if (len == 0)
		return ERR_ARG;
	*out = (uint16_t)port;
	return OK;
}

/* The length of the address at the start of IP, IP:PORT, :PORT or [IP]:PORT,
 * brackets included; 0 if there is none or its bracket stays open. */
static size_t address_len(const char *text)
{
	const char *colon = strchr(text, ':');
	const char *close = strchr(text, ']');

	if (text[0] == '[')
		return close != NULL ? (size_t)(close - text) + 1 : 0;
	if (colon == NULL || strchr(colon + 1, ':') != NULL) /* no port, or bare IPv6 */
		return strlen(text);
	return (size_t)(colon - text);
}

enum err endpoint_parse(struct endpoint *out, const char *text, const char **why)
{
	struct endpoint e = *out;
	size_t len = address_len(text);
	size_t inset = text[0] == '[' ? 1 : 0;
	const char *port = text + len;

	if (text[0] == '\0' || (inset > 0 && len == 0))
		return expected(why, "IP, IP:PORT, :PORT or [IPV6]:PORT");
	if (len > 0 && ip_parse(&e.ip, text + inset, len - 2 * inset, why) != OK)
		return ERR_ARG;
	if (*port != '\0') {
		if (*port != ':' || port_parse(&e.tcp, port + 1, strlen(port + 1)) != OK)
			return expected(why, "a port in 0..65535 behind the address");
		e.udp = e.tcp;
	}
	*out = e;
	return OK;
}

/* --- lists of networks -------------------------------------------------- */

static enum err cidr_parse(struct cidr *out, const char *text, size_t len, const char **why)
{
	const char *slash = memchr(text, '/', len);
	size_t ip_len = slash != NULL ? (size_t)(slash - text) : len;
	bool wide = memchr(text, ':', ip_len) != NULL; /* also when it is a mapped address */
	uint16_t bits = wide ? 128 : 32;
	uint16_t most = bits;
	struct ip ip;

	if (ip_parse(&ip, text, ip_len, why) != OK)
		return ERR_ARG;
	if (slash != NULL && (port_parse(&bits, slash + 1, len - ip_len - 1) != OK || bits > most))
		return expected(why, wide ? "a prefix of 0..128 bits behind an IPv6 address"
					  : "a prefix of 0..32 bits behind an IPv4 address");
	out->bits = (uint8_t)(wide ? bits : 96 + bits);
	out->ip = prefix_of(&ip, out->bits);
	return OK;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

enum err cidr_list_parse(struct cidr_list *out, const char *text, const char **why)
{
	struct cidr_list list = { .count = 0 };
	enum err e;

	for (;;) {
		size_t len;

		text = skip_blanks(text);
		len = strcspn(text, ", \t");
		if (list.count == CIDR_MAX) {
			*why = "at most 64 networks";
			return ERR_FULL;
		}
		e = cidr_parse(&list.c[list.count], text, len, why);
		if (e != OK)
			return e;
		list.count++;
		text = skip_blanks(text + len);
		if (*text == '\0')
			break;
		if (*text++ != ',')
			return expected(why, "a comma between networks");
	}
	*out = list;
	return OK;
}

bool cidr_list_has(const struct cidr_list *l, const struct ip *ip)
{
	bool is4 = ip_is4(ip);

	for (size_t i = 0; i < l->count; i++) {
		struct ip prefix = prefix_of(ip, l->c[i].bits);

		if (ip_eq(&prefix, &l->c[i].ip) && (!is4 || l->c[i].bits >= 96))
			return true;
	}
	return false;
}
