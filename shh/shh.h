/* SPDX-License-Identifier: MIT */
/* shh/shh.h - Whisper v6 as a pure state machine: one node, its pool, its peers.
 *
 * Packets of connected peers and time go in; packets, opened messages and jobs
 * come out.  It never hears of RLPx: a peer is a number that the caller chose
 * a place for, packets are (code, payload).
 *
 * Rhythm: feed, drain, arm.  After any call that takes now_ms, call shh_poll()
 * until it returns false, then sleep until shh_deadline().
 *
 * Sources: EIP-627; the peers that speak it, docs/SPECS.md; hardening.
 */
#ifndef SHH_SHH_H
#define SHH_SHH_H

#include "base/blob.h"
#include "base/bucket.h"
#include "base/port.h"
#include "crypto/crypto.h"
#include "shh/envelope.h"
#include "shh/job.h"
#include "shh/packet.h"
#include "shh/payload.h"

#define SHH_PEERS_MAX	  1024	      /* peer slots; full: shh_peer_add() fails with ERR_FULL */
#define SHH_MESSAGE_MAX	  (1u << 20)  /* default for one envelope and for packets of ours */
#define SHH_MESSAGE_LIMIT 10485760u   /* the largest that may be configured */
#define SHH_BUNDLE_MAX	  131072      /* bytes of a Messages packet that we gather (hardening O3) */
#define SHH_POOL_BYTES	  (64u << 20) /* default caps of the pool; full: lowest work goes first */
#define SHH_POOL_COUNT	  262144u
#define SHH_FILTERS_MAX	  16384 /* full: ERR_FULL */
#define SHH_JOBS_MAX	  256	/* jobs under way; full: ERR_FULL for posts, bridging waits */

/* How a peer speaks; docs/decisions/0003. */
enum shh_dialect {
	SHH_DIALECT_UNKNOWN,
	SHH_DIALECT_GETH18,
	SHH_DIALECT_GETH19, /* and status-go, Waku */
	SHH_DIALECT_NIMBUS,
	SHH_DIALECT_PARITY,
	SHH_DIALECT_SOTTO, /* ours: takes any form as it came */
	SHH_DIALECTS
};
const char *shh_dialect_name(enum shh_dialect d);

struct shh;

struct shh_config {
	struct crypto *crypto; /* borrowed */
	struct mem *mem;       /* borrowed */
	struct rng rng;
	struct log log;
	int64_t wall_offset_ms; /* wall clock minus now_ms */
	double min_pow;		/* announced minimum; finite, >= 0 */
	uint32_t message_max;	/* bytes of an envelope, and of each packet we send */
	bool light;		/* announce light: relay nothing, take only what the bloom wants */
	bool bridge;		/* seal again for peers of other families */
	uint32_t bridge_hashes; /* budget of hashes per second for bridging; 0: default */
	uint32_t delay_ms;	/* mean of the privacy delay (Poisson); 0: as soon as possible */
	uint32_t pace;		/* bytes per second towards a geth; 0: no limit; default 2 MiB/s */
	size_t pool_bytes;
	uint32_t pool_count;
	bool confirmations; /* announce and send codes 11 and 12 as Status does; default on */
};

/* Defaults of everything a user may leave alone. */
void shh_config_init(struct shh_config *cfg);

/* errors   ERR_MEM; ERR_ARG (with the option's name in *what if what is not NULL); ERR_RANDOM */
MUST_CHECK enum err shh_new(struct shh **out, const struct shh_config *cfg, const char **what,
			    uint64_t now_ms);
void shh_free(struct shh *s);
void shh_set_wall_offset(struct shh *s, int64_t wall_offset_ms);

/* --- peers ---------------------------------------------------------------- */

struct shh_peer_info {
	const char *client; /* Hello name: a hint, not a proof */
	uint64_t host_key;  /* who shares budgets with whom (host of the address) */
	enum shh_dialect
		dialect;     /* known from before (a flip remembered by the caller), or UNKNOWN */
	bool trusted;	     /* direct messages are taken, peer limits waived */
	bool one_byte_codes; /* loses codes above 0x7f: parity; decided by the transport's offset */
	uint32_t code_offset; /* first absolute code of shh on this connection */
};

/* Join a peer; our Status is the first packet to go to it.
 *
 * peer     set to its slot, below SHH_PEERS_MAX; free again after shh_peer_remove()
 * errors   ERR_FULL; ERR_MEM
 */
MUST_CHECK enum err shh_peer_add(struct shh *s, uint32_t *peer, const struct shh_peer_info *info,
				 uint64_t now_ms);
void shh_peer_remove(struct shh *s, uint32_t peer, uint64_t now_ms);

/* Take one packet.
 *
 * code     relative to the capability, 0 to 127
 * payload  borrowed for this call
 * errors   ERR_STATE if there is no such peer any more; a PEER error (or ERR_MEM)
 *          that ended the peer: SHH_EV_DROP follows with the reason to send, and
 *          nothing else is taken from it
 */
MUST_CHECK enum err shh_recv(struct shh *s, uint32_t peer, uint32_t code, struct span payload,
			     uint64_t now_ms);

/* How many bytes the transport can queue for a peer now; to be called whenever
 * that grew, 131,072 until then.  SHH_EV_SEND of Messages lowers it by the
 * payload; at 0 the peer waits.  One envelope alone may be larger than what is
 * left; control packets, which are small, do not ask. */
void shh_peer_credit(struct shh *s, uint32_t peer, size_t bytes, uint64_t now_ms);

void shh_peer_trust(struct shh *s, uint32_t peer, bool trusted);

/* --- settings at run time, announced to peers (EIP-627 codes 2 and 3) -------- */

MUST_CHECK enum err shh_set_min_pow(struct shh *s, double min_pow, uint64_t now_ms); /* ERR_ARG */
/* NULL: everything.  The old one is tolerated for 10 s. */
void shh_set_bloom(struct shh *s, const struct shh_bloom *bloom, uint64_t now_ms);
/* Announce the sum of the filters' topics from now on, narrowing as they go. */
void shh_set_bloom_auto(struct shh *s, bool on, uint64_t now_ms);
MUST_CHECK enum err shh_set_message_max(struct shh *s, uint32_t bytes); /* ERR_ARG */
void shh_set_light(struct shh *s, bool light, uint64_t now_ms);		/* later handshakes */

/* Whether the driver's turns have become long: peers' envelope budgets bind then
 * (hardening section 3), and SHH_EV_PAUSE may follow. */
void shh_set_pressure(struct shh *s, bool pressure);

/* --- messages ------------------------------------------------------------- */

struct shh_post {
	const struct symkey *sym; /* exactly one of sym and to; copied */
	const struct pubkey *to;
	const struct seckey *sign; /* NULL: unsigned; copied, wiped after use */
	struct shh_topic topic;
	struct span payload;  /* copied */
	struct span padding;  /* empty: generated */
	uint32_t ttl_s;	      /* 1..SHH_TTL_MAX; 0: 50 */
	double pow;	      /* target; below our own minimum: ERR_WORK */
	uint32_t pow_time_ms; /* limit; 0: 5,000 */
	enum shh_form form;
	int32_t direct; /* peer slot to send it to as code 127 only; -1: everybody */
};

/* Encrypt, seal (a job), and put into the pool like any other envelope.
 * Exactly one SHH_EV_POSTED with this id follows, after a job of the same id, if
 * any work is to be done; the job's result comes by shh_job_done() even if it
 * failed.  The creation second is drawn from the ages that other envelopes came
 * with (hardening W9), so the message may look older than it is.
 *
 * errors   ERR_ARG, ERR_KEY, ERR_SIZE, ERR_WORK, ERR_BLOOM (outside our own bloom),
 *          ERR_FULL, ERR_MEM, ERR_RANDOM, ERR_NOT_FOUND (direct peer)
 */
MUST_CHECK enum err shh_post(struct shh *s, uint32_t *id, const struct shh_post *post,
			     uint64_t now_ms);

struct shh_filter {
	const struct symkey *sym; /* exactly one of sym and key; copied */
	const struct seckey *key;
	const struct pubkey *signer;	/* NULL: anybody */
	const struct shh_topic *topics; /* copied */
	size_t topic_count;		/* 0: all topics */
	double min_pow;
	bool direct; /* direct messages of trusted peers as well */
};

/* Install a filter; it sees what is pooled already and what comes. errors ERR_FULL, ERR_MEM, ERR_KEY, ERR_ARG */
MUST_CHECK enum err shh_filter_add(struct shh *s, uint32_t *id, const struct shh_filter *f,
				   uint64_t now_ms);
MUST_CHECK enum err shh_filter_remove(struct shh *s, uint32_t id,
				      uint64_t now_ms); /* ERR_NOT_FOUND */

/* --- jobs ----------------------------------------------------------------- */

/* A job's result: all of it, or what was reached when time_ms ended; jobs not
 * known any more (cancelled) are ignored. */
void shh_job_done(struct shh *s, uint32_t job, const struct shh_seal_progress *result,
		  uint64_t now_ms);

/* --- events ----------------------------------------------------------------- */

enum shh_event_type {
	SHH_EV_SEND, /* u.send: one packet for a peer; the receiver of the event owns one reference */
	SHH_EV_DROP,	   /* u.drop: end this peer; shh has forgotten it already */
	SHH_EV_PAUSE,	   /* u.pause: read nothing from this peer until then (an empty bucket) */
	SHH_EV_READY,	   /* u.ready: Status exchanged */
	SHH_EV_DIALECT,	   /* u.ready: the dialect was learned or corrected */
	SHH_EV_MESSAGE,	   /* u.message: a filter opened an envelope */
	SHH_EV_POSTED,	   /* u.posted: a post is in the pool (or sent directly), or failed */
	SHH_EV_JOB,	   /* u.job: run it, then shh_job_done() */
	SHH_EV_JOB_CANCEL, /* u.job.id: not needed any more */
	SHH_EV_CONFIRMED,  /* u.confirmed: a peer acknowledged a batch (codes 11, 12) */
};

struct shh_event {
	enum shh_event_type type;
	uint32_t peer; /* where one is concerned */
	union {
		struct {
			uint32_t code;
			struct blob *payload;
		} send;
		struct {
			enum err err;
			const char *why;
		} drop;
		struct {
			uint64_t until_ms;
		} pause;
		struct {
			enum shh_dialect dialect;
			const struct shh_status *status;
		} ready;
		struct {
			uint32_t filter;
			const struct shh_plain *plain; /* borrowed until the next call */
			struct shh_topic topic;
			uint8_t hash[32]; /* of the envelope as it came */
			uint32_t ttl_s;
			uint64_t sent_s; /* expiry - ttl */
			double pow;
			bool direct;
		} message;
		struct {
			uint32_t id;
			enum err err;
			uint8_t hash[32];
			double pow;
		} posted;
		struct {
			uint32_t id;
			const struct shh_seal_job *seal;
		} job;
		struct {
			uint8_t batch_hash[32];
			size_t refused;
		} confirmed;
	} u;
};

/* Take the next event; false when there is none.  Packets are built and keys
 * tried here, within budgets of the present millisecond: what is left over makes
 * shh_deadline() the next one. */
bool shh_poll(struct shh *s, struct shh_event *ev);

/* When shh_tick() is due, in ms, always after the last now_ms; UINT64_MAX: never. */
uint64_t shh_deadline(const struct shh *s);
void shh_tick(struct shh *s, uint64_t now_ms);

/* --- looking in --------------------------------------------------------------- */

struct shh_stats {
	uint64_t packets_in, envelopes_in, envelopes_new, duplicates;
	uint64_t dropped_stale, dropped_work, dropped_bloom, dropped_size, dropped_ttl,
		dropped_full;
	uint64_t delivered; /* envelope copies sent to peers */
	uint64_t evicted, expired, bridged, opened, posted;
	size_t pool_count, pool_bytes;
	uint32_t peers, filters, jobs;
};
void shh_stats(const struct shh *s, struct shh_stats *out);

struct shh_peer_stats {
	enum shh_dialect dialect;
	bool ready, trusted, light;
	double min_pow;
	uint64_t envelopes_in, duplicates_in, dropped_in, envelopes_out;
	int32_t clock_offset_ms; /* estimated, theirs minus ours */
};
MUST_CHECK enum err shh_peer_stats(const struct shh *s, uint32_t peer,
				   struct shh_peer_stats *out); /* ERR_NOT_FOUND */

double shh_min_pow(const struct shh *s);

#endif /* SHH_SHH_H */
