/* SPDX-License-Identifier: MIT */
/* shh/packet.h - the packets of shh/6 and of its Status dialect: read and written.
 *
 * Sources: EIP-627 "Packet Codes"; go-ethereum whisperv6; status-go whisper
 * v6.2.6 for codes 11, 12, 20, 123-125.
 */
#ifndef SHH_PACKET_H
#define SHH_PACKET_H

#include "shh/envelope.h"

enum shh_code {
	SHH_STATUS = 0,
	SHH_MESSAGES = 1,
	SHH_POW = 2,
	SHH_BLOOM = 3,
	SHH_BATCH_ACK = 11,
	SHH_MESSAGE_RESPONSE = 12,
	SHH_RATE_LIMITS = 20,
	SHH_SYNC_REQUEST = 123,
	SHH_SYNC_RESPONSE = 124,
	SHH_P2P_COMPLETE = 125,
	SHH_P2P_REQUEST = 126,
	SHH_P2P_MESSAGE = 127,
	SHH_CODES = 128, /* reserved by the capability */
};

/* How a Status was written: evidence for the sender's dialect. */
enum shh_status_form {
	SHH_STATUS_EMPTY, /* c0: parity */
	SHH_STATUS_SHORT, /* one to three items */
	SHH_STATUS_FOUR,  /* geth, nim-eth */
	SHH_STATUS_FIVE,  /* Status' Whisper 1.6: confirmations */
	SHH_STATUS_SIX,	  /* status-go 6.2: and rate limits */
};

struct shh_rates {
	uint64_t ip, peer, topic;
}; /* packets per second; 0: none */

struct shh_status {
	enum shh_status_form form;
	double min_pow; /* finite, >= 0; 0 if not told */
	bool has_bloom; /* false: everything is welcome */
	struct shh_bloom bloom;
	bool bloom_was_sent; /* 64 bytes on the wire, all ones or not (nim-eth always does) */
	bool light;
	bool confirmations;
	bool has_rates;
	struct shh_rates rates;
};

/* Read as leniently as geth does, and parity's empty list as well: from the first
 * optional item on that does not decode, items count as absent (whisper_status
 * vectors).  out is untouched on error.
 *
 * errors   ERR_VERSION; ERR_STATUS (NaN, infinite or negative work, bloom of a wrong size...)
 */
MUST_CHECK enum err shh_status_read(struct shh_status *out, struct span payload);

/* The four-item form; five items with confirmations or form SHH_STATUS_FIVE, six
 * with rates or form SHH_STATUS_SIX; never fewer, as geth would end the connection.
 * A bloom is sent if has_bloom, all ones if only bloom_was_sent.
 *
 * max      SHH_STATUS_MAX is enough; returns the length, 0 if max is too small */
#define SHH_STATUS_MAX 160
size_t shh_status_write(uint8_t *out, size_t max, const struct shh_status *s);

/* Codes 2 and 3: bare items; trailing bytes are ignored (hardening R5, U1); -0.0
 * counts as 0. errors ERR_STATUS */
MUST_CHECK enum err shh_pow_read(double *out, struct span payload);
size_t shh_pow_write(uint8_t out[static 9], double min_pow);
MUST_CHECK enum err shh_bloom_read(struct shh_bloom *out, struct span payload);
size_t shh_bloom_write(uint8_t out[static 66], const struct shh_bloom *bloom);

/* From here on nothing may follow the end: readers fail with ERR_RLP, also for
 * numbers out of their range, or ERR_TRAILING, and leave out untouched then.
 *
 * Code 11 and 12. */
size_t shh_batch_ack_write(uint8_t out[static 33], const uint8_t batch_hash[static 32]);
MUST_CHECK enum err shh_batch_ack_read(uint8_t batch_hash[static 32], struct span payload);

struct shh_response_item {
	uint8_t hash[32];
	uint64_t code;
	struct span text;
};
struct shh_response {
	uint8_t batch_hash[32];
	struct rlp_reader items; /* walk with shh_response_next() */
	bool known_version;	 /* false: nothing else is set */
};
MUST_CHECK enum err shh_response_read(struct shh_response *out, struct span payload);
/* false at the end, and at a fault, which is then in r->items.err */
bool shh_response_next(struct shh_response *r, struct shh_response_item *item);
/* A response to one batch; returns the length, 0 if max is too small. */
size_t shh_response_write(uint8_t *out, size_t max, const uint8_t batch_hash[static 32],
			  const struct shh_response_item *items, size_t count);

MUST_CHECK enum err shh_rates_read(struct shh_rates *out, struct span payload); /* code 20 */

/* Codes 123 to 126 are recognised, checked for their shape and answered later. */
struct shh_sync_request {
	uint64_t lower, upper, limit;
	struct shh_bloom bloom;
	struct span cursor;
};
MUST_CHECK enum err shh_sync_request_read(struct shh_sync_request *out, struct span payload);
struct shh_sync_response {
	struct rlp_reader envelopes;
	struct span cursor, error;
	bool is_final;
};
MUST_CHECK enum err shh_sync_response_read(struct shh_sync_response *out, struct span payload);
/* 125: a bare string: request id, last hash, cursor; or "ERROR=" id text.  ERR_SIZE
 * if it is shorter than an id, or longer than all three. */
struct shh_complete {
	bool failed;
	uint8_t request[32];
	struct span last_hash, cursor, text;
};
MUST_CHECK enum err shh_complete_read(struct shh_complete *out, struct span payload);
/* 126: an envelope, or Status' clear request: from <= to, limit 0..1000. */
struct shh_mail_request {
	bool is_envelope;
	struct shh_envelope envelope;
	uint8_t id[32];
	uint64_t from, to, limit;
	struct span cursor;
	struct shh_bloom bloom;
};
MUST_CHECK enum err shh_mail_request_read(struct shh_mail_request *out, struct span payload);

#endif /* SHH_PACKET_H */
