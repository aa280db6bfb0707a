/* SPDX-License-Identifier: MIT */
/* shh/envelope.h - the envelope on the wire, its hashes, and its work under the
 * four rules that shh/6 is spoken with.
 *
 * Sources: EIP-627 "Messages"; go-ethereum 1.8.27 and 1.9, parity 2.4.9 and
 * nim-eth for what they really compute (docs/SPECS.md).
 */
#ifndef SHH_ENVELOPE_H
#define SHH_ENVELOPE_H

#include "base/bytes.h"
#include "crypto/keccak.h"
#include "rlp/rlp.h"

#define SHH_TOPIC_SIZE	   4
#define SHH_TTL_MAX	   172800 /* seconds; longer-lived envelopes are dropped (hardening W4) */
#define SHH_SENT_AHEAD_MAX 10	  /* seconds an envelope may come from the future (W5) */

struct shh_topic {
	uint8_t b[SHH_TOPIC_SIZE];
};

/* A parsed envelope; every pointer borrows the input. */
struct shh_envelope {
	uint64_t expiry; /* unix seconds */
	uint64_t ttl;	 /* seconds */
	struct shh_topic topic;
	struct span data;
	uint64_t nonce;
	struct span content; /* the wire bytes of expiry, ttl, topic and data: what identifies it */
	struct span raw;     /* the whole item */
};

/* Read one envelope from a list of them, strictly: five canonical fields, expiry
 * and ttl of at most 32 bits (what is longer ends a connection with geth), one
 * topic of 4 bytes (hardening W3).  Times and ttl 0 are for intake to judge.
 *
 * errors   ERR_ENVELOPE, also set in r, so that nothing behind it can be read;
 *          an error that r had already is returned as it is
 */
MUST_CHECK enum err shh_envelope_read(struct shh_envelope *out, struct rlp_reader *r);

/* Encode with a given nonce; returns the length.
 *
 * content  the first four fields as in struct shh_envelope
 * out      shh_envelope_size() bytes; must not overlap content
 */
size_t shh_envelope_size(size_t content_len, uint64_t nonce);
size_t shh_envelope_write(uint8_t *out, struct span content, uint64_t nonce);

/* Encode the first four fields; returns the length, or 0 if max is too small.
 *
 * data     its first byte is looked at when it is the only one
 */
size_t shh_content_size(uint64_t expiry, uint64_t ttl, size_t data_len, const uint8_t *data);
size_t shh_content_write(uint8_t *out, size_t max, uint64_t expiry, uint64_t ttl,
			 struct shh_topic topic, struct span data);

/* The two digests that work is read from. */
enum shh_digest {
	SHH_DIGEST_DOUBLE, /* keccak(keccak(short) ‖ 24 zero bytes ‖ nonce), trailing zeros: geth to 1.8 */
	SHH_DIGEST_SINGLE, /* keccak(short ‖ nonce), leading zeros: everybody else */
	SHH_DIGESTS
};

/* The four rules: a digest and a divisor each. */
enum shh_rule {
	SHH_RULE_GETH18, /* double; 20 + data */
	SHH_RULE_GETH19, /* single; the short form; status and Waku too */
	SHH_RULE_EIP627, /* single; the whole RLP, one division; parity */
	SHH_RULE_NIMBUS, /* single; 20 + data, one division; nim-eth */
	SHH_RULES
};

enum shh_digest shh_rule_digest(enum shh_rule rule);

/* The digest itself; header_len bytes of list header are put before content for "short". */
void shh_work_digest(uint8_t out[static 32], struct span content, uint64_t nonce,
		     enum shh_digest d);

/* Zero bits that count, of many envelopes side by side in Keccak lanes: any number
 * in any order; 16 and more at a time make full use of the lanes. */
struct shh_work_item {
	struct span content;
	uint64_t nonce;
	enum shh_digest digest;
	unsigned bits; /* out */
};
void shh_work_bits_many(struct shh_work_item *items, size_t count);
unsigned shh_work_bits(struct span content, uint64_t nonce, enum shh_digest d);

/* Work from bits, bit for bit as each family's own double arithmetic gives it.
 * ttl 0 gives +Inf under every rule, as geth's does; intake refuses it before. */
double shh_work_value(enum shh_rule rule, unsigned bits, const struct shh_envelope *env);

/* The same with a life of life_s seconds (geth counts an envelope from the
 * future as living longer: ttl + (sent - now + 1) in 32 bits). */
double shh_work_value_life(enum shh_rule rule, unsigned bits, const struct shh_envelope *env,
			   uint32_t life_s);

/* The fewest bits that reach target under a rule, whatever nonce then has them
 * (SHH_RULE_EIP627 weighs its length); 0 if any nonce will do, 257 if none can,
 * or target is NaN. */
unsigned shh_work_bits_needed(enum shh_rule rule, double target, const struct shh_envelope *env);

/* A sealing search over an envelope's content, to be run in slices (crypto/keccak.h). */
void shh_seal_search_init(struct keccak_search *s, struct span content, enum shh_digest d);

/* keccak of the whole RLP: the hash that peers and RPC know. */
void shh_envelope_hash(uint8_t out[static 32], struct span content, uint64_t nonce);

/* --- blooms (EIP-627 "Bloom filter"; three variants in the wild) ---------- */

#define SHH_BLOOM_SIZE 64
struct shh_bloom {
	uint8_t b[SHH_BLOOM_SIZE];
};

enum shh_bloom_kind {
	SHH_BLOOM_GETH,	  /* bits 0 first; two bits in one byte: the later one overwrites */
	SHH_BLOOM_EIP627, /* bits 0 first, OR; nim-eth */
	SHH_BLOOM_PARITY, /* bit 7 first, OR */
};

void shh_bloom_of(struct shh_bloom *out, struct shh_topic topic, enum shh_bloom_kind kind);
void shh_bloom_add(struct shh_bloom *to, const struct shh_bloom *other);
/* Whether every bit of sample is in filter; a NULL filter matches everything. */
bool shh_bloom_match(const struct shh_bloom *filter, const struct shh_bloom *sample);
bool shh_bloom_is_full(const struct shh_bloom *b); /* all ones */

#endif /* SHH_ENVELOPE_H */
