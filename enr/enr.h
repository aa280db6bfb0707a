/* SPDX-License-Identifier: MIT */
/* enr/enr.h - who a node is and where it can be reached: ids, endpoints, address
 * classes, CIDR lists, enode URLs.  (Node records come with discovery.)
 *
 * Sources: EIP-778 for the id; the enode URL format as go-ethereum reads and
 * prints it.
 */
#ifndef ENR_ENR_H
#define ENR_ENR_H

#include "base/bytes.h"
#include "crypto/crypto.h"

struct node_id {
	uint8_t b[32];
};

/* keccak(X ‖ Y) */
void node_id_of(struct node_id *out, const struct pubkey *key);

/* An address.  IPv4 stands as the last 4 bytes behind ::ffff:, so that both
 * families compare and hash alike; mapped IPv6 is IPv4 (hardening §3).  All
 * zero is "::", unspecified, and stands for "not known". */
struct ip {
	uint8_t b[16];
};

/* Where a node listens; port 0 means not at all. */
struct endpoint {
	struct ip ip;
	uint16_t udp;
	uint16_t tcp;
};

struct ip ip_from4(const uint8_t b[static 4]);
struct ip ip_from6(const uint8_t b[static 16]);
bool ip_is4(const struct ip *ip);
bool ip_eq(const struct ip *a, const struct ip *b);

/* RFC 6890, RFC 6598, RFC 4291. */
enum ip_class {
	IP_GLOBAL,	/* everything else */
	IP_PRIVATE,	/* 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7 */
	IP_LINK_LOCAL,	/* 169.254/16, fe80::/10 */
	IP_LOOPBACK,	/* 127/8, ::1 */
	IP_MULTICAST,	/* no single host: 224/4, 240/4 with the broadcast, ff00::/8 */
	IP_UNSPECIFIED, /* 0/8, :: */
};

enum ip_class ip_class_of(const struct ip *ip);
bool ip_is_lan(const struct ip *ip); /* private, link-local or loopback */

/* What limits are counted by: a host is IPv4 /32 or IPv6 /64, a subnet /24 or /48
 * (hardening §3); the rest of the address is zero. */
struct ip ip_host(const struct ip *ip);
struct ip ip_subnet(const struct ip *ip);

#define IP_TEXT_MAX	  48 /* with NUL */
#define ENDPOINT_TEXT_MAX 60 /* "[v6]:port" with NUL */
void ip_text(char out[static IP_TEXT_MAX], const struct ip *ip);
void endpoint_text(char out[static ENDPOINT_TEXT_MAX], const struct endpoint *e); /* IP:TCPPORT */

/* why, in all of these: set to a static text that completes "expected ..." on error. */

/* Dotted decimal without leading zeros, or IPv6 without a zone.  errors ERR_ARG */
MUST_CHECK enum err ip_parse(struct ip *out, const char *text, size_t len, const char **why);

/* "IP", "IP:PORT", ":PORT", "[IPv6]:PORT", bare IPv6; what is missing is left as it
 * is in *out (so the caller sets defaults first); the port goes to tcp and udp. */
MUST_CHECK enum err endpoint_parse(struct endpoint *out, const char *text, const char **why);

/* "CIDR,CIDR": 10.0.0.0/8, 2001:db8::/32, a bare address is /32 or /128; blanks
 * around the commas are skipped.  An IPv6 network never holds an IPv4 address,
 * not even ::/0 (as in geth's --netrestrict); an empty list holds nothing.
 *
 * errors   ERR_ARG; ERR_FULL past CIDR_MAX; *out is untouched on error
 */
#define CIDR_MAX 64

struct cidr {
	struct ip ip; /* zero past the prefix */
	uint8_t bits; /* of the 128: an IPv4 /8 is 104 */
};

struct cidr_list {
	struct cidr c[CIDR_MAX];
	size_t count;
};

MUST_CHECK enum err cidr_list_parse(struct cidr_list *out, const char *text, const char **why);
bool cidr_list_has(const struct cidr_list *l, const struct ip *ip);

/* Read a decimal number in 0..65535; leading zeros are legal (enode URLs have
 * them), signs and blanks are not.  errors ERR_ARG */
MUST_CHECK enum err port_parse(uint16_t *out, const char *text, size_t len);

/* An enode URL; has_endpoint is false for the bare forms (key without host). */
#define ENODE_HOST_MAX 254 /* with NUL; longer names are refused */

struct enode {
	struct pubkey id;
	bool has_endpoint;
	struct endpoint at;
	char host[ENODE_HOST_MAX]; /* a DNS name still to be resolved, or empty */
};

/* The key is checked to lie on the curve.  A path, a fragment and foreign query
 * keys are ignored, as by the URL library behind every other reader.
 *
 * errors   ERR_ARG; ERR_KEY if the key is no point; *out is untouched on error
 */
MUST_CHECK enum err enode_parse(struct enode *out, const char *text, const struct crypto *c,
				const char **why);

/* In the form that enode_parse() and everybody else reads: lower case, discport
 * only where it differs from the TCP port. */
#define ENODE_TEXT_MAX 512 /* with NUL */
void enode_text(char out[static ENODE_TEXT_MAX], const struct enode *e);

#endif /* ENR_ENR_H */
