/* SPDX-License-Identifier: MIT */
/* enr/ip.c - addresses: one form for each host, what it is good for, as text. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#include "crypto/keccak.h"
#include "enr/enr.h"

_Static_assert(sizeof(struct ip) == 17, "compared and hashed as bytes");

void node_id_of(struct node_id *out, const struct pubkey *key)
{
	keccak256(out->b, key->b, sizeof(key->b));
}

struct ip ip_v4(const uint8_t b[static 4])
{
	struct ip ip = { .family = IP_V4 };

	memcpy(ip.b, b, 4);
	return ip;
}

struct ip ip_v6(const uint8_t b[static 16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip ip = { .family = IP_V6 };

	if (memcmp(b, mapped, sizeof(mapped)) == 0)
		return ip_v4(b + 12);
	memcpy(ip.b, b, 16);
	return ip;
}

static struct ip masked(const struct ip *ip, unsigned bits)
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
	return ip->family == IP_V6 ? masked(ip, 64) : *ip;
}

struct ip ip_subnet(const struct ip *ip)
{
	return masked(ip, ip->family == IP_V6 ? 48 : 24);
}

/* RFC 6890 and RFC 6598 name the ranges. */
static enum ip_class class_v4(const uint8_t b[static 4])
{
	uint32_t a = be32_load(b);

	if (a == 0)
		return IP_UNSPECIFIED;
	if (b[0] == 0 || b[0] >= 240)
		return IP_RESERVED;
	if (b[0] == 127)
		return IP_LOOPBACK;
	if (b[0] == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 22 == 0x64400000u >> 22)
		return IP_PRIVATE;
	if (a >> 16 == 0xa9fe)
		return IP_LINK_LOCAL;
	return b[0] >= 224 ? IP_MULTICAST : IP_GLOBAL;
}

static enum ip_class class_v6(const uint8_t b[static 16])
{
	static const uint8_t zeros[15];

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

enum ip_class ip_class_of(const struct ip *ip)
{
	if (ip->family == IP_V4)
		return class_v4(ip->b);
	return ip->family == IP_V6 ? class_v6(ip->b) : IP_UNSPECIFIED;
}

bool ip_is_lan(const struct ip *ip)
{
	enum ip_class class = ip_class_of(ip);

	return class == IP_LOOPBACK || class == IP_PRIVATE || class == IP_LINK_LOCAL;
}

bool ip_is_dialable(const struct ip *ip)
{
	return ip_is_lan(ip) || ip_class_of(ip) == IP_GLOBAL;
}

/* --- text --------------------------------------------------------------- */

size_t ip_print(char out[static IP_TEXT_MAX], const struct ip *ip)
{
	int family = ip->family == IP_V4 ? AF_INET : AF_INET6;

	out[0] = '\0';
	if (ip->family != IP_NONE && inet_ntop(family, ip->b, out, IP_TEXT_MAX) == NULL)
		out[0] = '\0';
	return strlen(out);
}

size_t endpoint_print(char out[static ENDPOINT_TEXT_MAX], const struct endpoint *e)
{
	char ip[IP_TEXT_MAX];
	int n;

	ip_print(ip, &e->ip);
	n = snprintf(out, ENDPOINT_TEXT_MAX, e->ip.family == IP_V6 ? "[%s]:%u" : "%s:%u", ip,
		     (unsigned)e->tcp);
	assert(n > 0 && n < ENDPOINT_TEXT_MAX);
	return (size_t)n;
}

static enum err refuse(struct text_fault *fault, const char *why, size_t at)
{
	*fault = (struct text_fault){ .why = why, .at = at };
	return ERR_ARG;
}

enum err ip_parse(struct ip *out, struct text_fault *fault, const char *text, size_t len)
{
	static const char why[] = "is neither an IPv4 nor an IPv6 address";
	char copy[IP_TEXT_MAX];
	uint8_t b[16];

	if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return refuse(fault, why, 0);
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, b) == 1)
		*out = ip_v4(b);
	else if (inet_pton(AF_INET6, copy, b) == 1)
		*out = ip_v6(b);
	else
		return refuse(fault, why, 0);
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

/* Where an address ends and its port begins: the length of the address as
 * written, brackets included; SIZE_MAX if a bracket stays open. */
static size_t host_len(const char *text)
{
	const char *colon = strchr(text, ':');
	const char *close;

	if (text[0] == '[') {
		close = strchr(text, ']');
		return close != NULL ? (size_t)(close - text) + 1 : SIZE_MAX;
	}
	if (colon == NULL || strchr(colon + 1, ':') != NULL) /* no port, or bare IPv6 */
		return strlen(text);
	return (size_t)(colon - text);
}

enum err endpoint_parse(struct endpoint *out, struct text_fault *fault, const char *text)
{
	struct endpoint e = *out;
	size_t len = host_len(text);
	size_t inset = text[0] == '[' ? 1 : 0;
	const char *port;

	if (text[0] == '\0')
		return refuse(fault, "is empty; expected IP, IP:PORT or :PORT", 0);
	if (len == SIZE_MAX)
		return refuse(fault, "has a bracket that is not closed", 0);
	if (len > 0 && ip_parse(&e.ip, fault, text + inset, len - 2 * inset) != OK) {
		fault->at = inset;
		return ERR_ARG;
	}
	port = text + len;
	if (*port != '\0') {
		if (*port != ':')
			return refuse(fault, "has something behind the bracket that is no :PORT",
				      len);
		if (port_parse(&e.tcp, port + 1, strlen(port + 1)) != OK)
			return refuse(fault, "has a port that is not a number in 0..65535",
				      len + 1);
		e.udp = e.tcp;
	}
	*out = e;
	return OK;
}

/* --- lists of networks -------------------------------------------------- */

/* Read one network of len characters. */
static enum err net_parse(struct ip_net *out, struct text_fault *fault, const char *text,
			  size_t len)
{
	const char *slash = memchr(text, '/', len);
	size_t ip_len = slash != NULL ? (size_t)(slash - text) : len;
	bool wide = memchr(text, ':', ip_len) != NULL;
	uint16_t bits;
	struct ip ip;

	if (slash == NULL)
		return refuse(fault, "is not a network: the /BITS is missing", len);
	if (ip_parse(&ip, fault, text, ip_len) != OK)
		return ERR_ARG;
	if (port_parse(&bits, slash + 1, len - ip_len - 1) != OK || bits > (wide ? 128 : 32))
		return refuse(fault,
			      wide ? "has a prefix that is not in 0..128"
				   : "has a prefix that is not in 0..32",
			      ip_len + 1);
	if (wide && ip.family == IP_V4) { /* written as ::ffff:a.b.c.d */
		if (bits < 96)
			return refuse(fault,
				      "mixes IPv4 and IPv6: a mapped prefix is not in 96..128",
				      ip_len + 1);
		bits = (uint16_t)(bits - 96);
	}
	*out = (struct ip_net){ .ip = masked(&ip, bits), .bits = (uint8_t)bits };
	return OK;
}

enum err ip_nets_parse(struct ip_nets *out, struct text_fault *fault, const char *text)
{
	struct ip_nets nets = { .count = 0 };
	size_t at = 0;

	for (;;) {
		size_t len;

		at += strspn(text + at, " \t");
		len = strcspn(text + at, ", \t");
		if (nets.count == IP_NETS_MAX) {
			*fault = (struct text_fault){ .why = "lists too many networks", .at = at };
			return ERR_FULL;
		}
		if (net_parse(&nets.net[nets.count], fault, text + at, len) != OK) {
			fault->at += at;
			return ERR_ARG;
		}
		nets.count++;
		at += len;
		at += strspn(text + at, " \t");
		if (text[at] == '\0')
			break;
		if (text[at] != ',')
			return refuse(fault, "has networks that no comma parts", at);
		at++;
	}
	*out = nets;
	return OK;
}

bool ip_nets_match(const struct ip_nets *nets, const struct ip *ip)
{
	for (size_t i = 0; i < nets->count; i++) {
		struct ip prefix = masked(ip, nets->net[i].bits);

		if (ip_eq(&prefix, &nets->net[i].ip))
			return true;
	}
	return false;
}
