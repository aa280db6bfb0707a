/* SPDX-License-Identifier: MIT */
/* enr/enr.h - who a node is and where: ids, addresses, enode URLs.
 *
 * Pure values and text.  An IPv4-mapped IPv6 address is folded to IPv4 the
 * moment it enters a struct ip, so that one host has one form (hardening §3).
 * Node records come with discovery.
 *
 * Source: devp2p enode.md ("enode URL format"); RFC 4291, RFC 4632, RFC 6890.
 */
#ifndef ENR_ENR_H
#define ENR_ENR_H

#include "base/bytes.h"
#include "crypto/crypto.h"

/* --- ids ---------------------------------------------------------------- */

/* keccak256 of the public key: names a node in tables and in discovery. */
struct node_id {
	uint8_t b[32];
};

void node_id_of(struct node_id *out, const struct pubkey *key);

/* --- addresses ---------------------------------------------------------- */

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

/* Plain bytes without padding or spare values: may be hashed and compared whole. */
struct ip {
	uint8_t family; /* enum ip_family; IP_NONE: unknown, b all zero */
	uint8_t b[16];	/* network order; IPv4 in the first four, the rest zero */
};

struct ip ip_v4(const uint8_t b[static 4]);
struct ip ip_v6(const uint8_t b[static 16]); /* folds ::ffff:a.b.c.d to IPv4 */

static inline bool ip_eq(const struct ip *a, const struct ip *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* What an address is good for, one class each. */
enum ip_class {
	IP_UNSPECIFIED, /* 0.0.0.0, ::, and IP_NONE */
	IP_LOOPBACK,	/* 127/8, ::1 */
	IP_PRIVATE,	/* 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7 */
	IP_LINK_LOCAL,	/* 169.254/16, fe80::/10 */
	IP_MULTICAST,	/* 224/4, ff00::/8 */
	IP_RESERVED,	/* the rest of 0/8, and 240/4 with the broadcast address */
	IP_GLOBAL	/* everything else */
};

enum ip_class ip_class_of(const struct ip *ip);

/* Whether limits per host and subnet may exempt it: loopback, private, link-local. */
bool ip_is_lan(const struct ip *ip);

/* Whether a stream can be dialled there: one host, loopback and LAN included. */
bool ip_is_dialable(const struct ip *ip);

/* The host (/32, /64) and subnet (/24, /48) that limits count under. */
struct ip ip_host(const struct ip *ip);
struct ip ip_subnet(const struct ip *ip);

/* Where a node listens.  Port 0 means none. */
struct endpoint {
	struct ip ip;
	uint16_t udp;
	uint16_t tcp;
};

/* --- text --------------------------------------------------------------- */

/* Why a text was refused, and where: a static sentence that lacks its subject,
 * the text ("has a port that is not a number in 0..65535"), and an offset. */
struct text_fault {
	const char *why;
	size_t at;
};

#define IP_TEXT_MAX	  46 /* bytes with the NUL */
#define ENDPOINT_TEXT_MAX 54 /* "[" address "]:65535" and the NUL */

/* Print; the length without the NUL is returned.  IP_NONE prints as "". */
size_t ip_print(char out[static IP_TEXT_MAX], const struct ip *ip);

/* "127.0.0.1:30303", "[::1]:30303": the TCP port. */
size_t endpoint_print(char out[static ENDPOINT_TEXT_MAX], const struct endpoint *e);

/* Read an address of len characters: dotted decimal without leading zeros, or
 * IPv6 without a zone.
 *
 * errors   ERR_ARG, and *fault says why
 */
MUST_CHECK enum err ip_parse(struct ip *out, struct text_fault *fault, const char *text,
			     size_t len);

/* Read IP, IP:PORT, :PORT, IPV6 or [IPV6]:PORT, as --addr takes it.
 *
 * out      what the text leaves out stays as it is (set the defaults before);
 *          a port sets tcp and udp; untouched on error
 * errors   ERR_ARG, and *fault says why
 */
MUST_CHECK enum err endpoint_parse(struct endpoint *out, struct text_fault *fault,
				   const char *text);

/* Read a decimal number in 0..65535; leading zeros are legal, nothing else is.
 *
 * errors   ERR_ARG
 */
MUST_CHECK enum err port_parse(uint16_t *out, const char *text, size_t len);

/* --- lists of networks -------------------------------------------------- */

#define IP_NETS_MAX 64 /* networks in a list; more: ERR_FULL */

struct ip_net {
	struct ip ip; /* bits past the prefix are zero */
	uint8_t bits; /* 0..32 or 0..128 */
};

struct ip_nets {
	struct ip_net net[IP_NETS_MAX];
	size_t count;
};

/* Read a comma-separated list of CIDR networks, as --netrestrict takes it.
 * Blanks around a network are skipped; a network needs its "/bits".
 *
 * out      untouched on error
 * errors   ERR_ARG, ERR_FULL, and *fault says why
 */
MUST_CHECK enum err ip_nets_parse(struct ip_nets *out, struct text_fault *fault, const char *text);

/* Whether any network of the list holds ip; an empty list holds nothing. */
bool ip_nets_match(const struct ip_nets *nets, const struct ip *ip);

/* --- enode URLs --------------------------------------------------------- */

#define ENODE_HOST_MAX 253 /* characters of a DNS name; longer: refused */
#define ENODE_TEXT_MAX (8 + 128 + 1 + ENODE_HOST_MAX + 6 + 15 + 1)

/* A node to dial.  Three kinds: at.ip known; at.ip is IP_NONE and host holds a
 * DNS name to resolve; both empty, and only the key is known. */
struct enode {
	struct pubkey key;
	struct endpoint at;
	char host[ENODE_HOST_MAX + 1];
};

/* Read an enode URL, or the bare 128 digits of its key.  The key is checked to
 * lie on the curve.  A path, a fragment and unknown query keys are ignored.
 *
 * out      untouched on error
 * errors   ERR_ARG; ERR_KEY if the key is no point; *fault says why
 */
MUST_CHECK enum err enode_parse(const struct crypto *c, struct enode *out, struct text_fault *fault,
				const char *text);

/* Print in the form that enode_parse() and everybody else reads: lower case,
 * discport only where it differs; the length without the NUL is returned. */
size_t enode_print(char out[static ENODE_TEXT_MAX], const struct enode *e);

#endif /* ENR_ENR_H */
