/* SPDX-License-Identifier: MIT */
/* shh/internal.h - the Whisper machine's insides, for the files of this folder.
 *
 *   shh.c      the machine: made, polled, ticked, set
 *   peer.c     peers: joined, timed, charged, ended
 *   hear.c     what they say: Status, its updates, each packet to its place
 *   tell.c     what is said to them and told about them
 *   dialect.c  which family a peer belongs to, by what it shows
 *   intake.c   Messages packets: parsed, recognised, graded, pooled
 *   relay.c    what goes to whom: cursors, verdicts, shared packets
 *   ack.c      confirmations, codes 11 and 12
 *   bridge.c   sealing again for the other family
 *   post.c     own messages: encrypted, sealed, put in the pool
 *   jobs.c     the table of sealing jobs
 *   filter.c   filters and their index; open.c tries keys on envelopes
 *   later.c    small heaps: what is due when
 *
 * Events are marks on peers, jobs and the work under way; shh_poll() turns one
 * mark at a time into an event, and only then is a packet built.
 */
#ifndef SHH_INTERNAL_H
#define SHH_INTERNAL_H

#include <stddef.h>

#include "base/siphash.h"
#include "shh/pool.h"
#include "shh/shh.h"

#define SHH__STATUS_MS	      5000  /* a peer's Status must be here by then (hardening W1) */
#define SHH__TOLERATE_MS      10000 /* an old minimum or bloom of ours still counts (U3) */
#define SHH__DIALECT_MS	      5000  /* an unknown family is waited for so long */
#define SHH__FLIP_MS	      5000 /* a disconnect so soon after our first envelopes was about them */
#define SHH__SLICE	      128   /* envelopes of a packet that are handled side by side */
#define SHH__PACKET_ENVELOPES 65536 /* in one packet (W2); more: the rest is not looked at */
#define SHH__BATCH_MAX	      2048  /* envelopes in a packet of ours */
#define SHH__STEPS_PER_MS \
	16384 /* arrivals that cursors look at in a millisecond, all peers together */
#define SHH__PARCELS_MAX   64 /* control packets waiting for a peer; full: the new one is dropped */
#define SHH__CONFIRMED_MAX 4  /* confirmations not yet polled; full: the oldest is forgotten */
#define SHH__GATHER_MAX_MS 4  /* envelopes wait so long at most to share a packet under load */
#define SHH__SHARED	   8  /* packets kept for peers that need the same one */
#define SHH__DIRECT_MAX	   256	/* direct messages not yet tried; full: dropped */
#define SHH__DROP_CHARGE   10	/* envelopes that a useless one counts for (hardening section 3) */
#define SHH__LATER_MAX	   8192 /* things due later, in each heap */

/* --- small things ---------------------------------------------------------------- */

/* A ring of list members; a list is a link of its own.  Not a member: next is NULL. */
struct shh__link {
	struct shh__link *next, *prev;
};

void shh__list_init(struct shh__link *list);
void shh__list_append(struct shh__link *list, struct shh__link *l); /* leaves where it was */
void shh__list_leave(struct shh__link *l);
void shh__list_splice(struct shh__link *to, struct shh__link *from); /* all of from, at the end */
static inline bool shh__list_is_empty(const struct shh__link *list)
{
	return list->next == list;
}

/* A heap of envelopes and when they are due, earliest first. */
struct shh__due {
	uint64_t at_ms;
	uint64_t seq;
	uint32_t idx;
	uint32_t what;
};
struct shh__later {
	struct shh__due *v;
	uint32_t count, room;
};
void shh__later_free(struct shh__later *l, struct mem *mem, enum mem_account a);
/* errors   ERR_FULL at SHH__LATER_MAX; ERR_MEM */
MUST_CHECK enum err shh__later_put(struct shh__later *l, struct mem *mem, enum mem_account a,
				   const struct shh__due *d);
bool shh__later_take(struct shh__later *l, uint64_t now_ms, struct shh__due *out);
static inline uint64_t shh__later_due(const struct shh__later *l)
{
	return l->count > 0 ? l->v[0].at_ms : UINT64_MAX;
}

/* --- peers ------------------------------------------------------------------------ */

enum shh__phase {
	SHH__JOINING, /* no Status of theirs yet */
	SHH__READY,
	SHH__ENDED, /* forgotten, but for marks not yet polled */
};

/* What is still to be said to a peer, and to be told about it; in this order. */
enum {
	SHH__SAY_STATUS = 1 << 0,
	SHH__SAY_POW = 1 << 1,
	SHH__SAY_BLOOM = 1 << 2,
	SHH__TELL_READY = 1 << 3,
	SHH__TELL_DIALECT = 1 << 4,
	SHH__TELL_PAUSE = 1 << 5,
	SHH__TELL_DROP = 1 << 6,
};

struct shh__parcel {
	struct shh__parcel *next;
	uint32_t code;
	struct blob *blob;
};

struct shh__confirmed {
	uint8_t hash[32];
	size_t refused;
};

/* What all peers of one host may bring together: twice what one may (hardening section 3). */
struct shh__host {
	struct shh__host *next;
	uint64_t key;
	uint32_t refs;
	struct bucket envelopes;
};

struct shh__peer {
	struct shh__link link; /* among the active or the idle */
	uint32_t slot;
	uint32_t timer_at; /* in the heap of timers */
	uint64_t due_ms;   /* the earliest of the times below */
	enum shh__phase phase;
	unsigned marks;

	struct shh__host *host;
	bool trusted, one_byte_codes;
	uint32_t code_offset;

	enum shh_dialect dialect;
	bool dialect_proven;	    /* by its Status or its envelopes, not by its name */
	bool digest_double;	    /* its last welcome envelope was graded so: tried first */
	uint8_t agreeing, contrary; /* envelopes that spoke for and against the dialect */

	struct shh_status status;    /* theirs; codes 2 and 3 change it */
	struct shh_bloom bloom_next; /* a widening that waits for its turn (U2) */
	double pow_next;	     /* a lowering that waits */
	bool has_bloom_next, bloom_waits, pow_waits, early_pow, early_bloom;

	struct shh__cursor cursor;
	struct shh__later held; /* envelopes in the privacy delay */
	size_t credit;
	struct bucket pace, updates, envelopes, fills;
	uint16_t source; /* hint */

	uint64_t status_ms, dialect_ms, send_ms, update_ms; /* UINT64_MAX: no such time */
	uint64_t ready_ms, last_sent_ms, first_sent_ms;
	uint64_t paused_ms;
	uint32_t gap_ms; /* to leave after the last packet, by how full it was */

	struct shh__parcel *parcels, **parcels_end;
	uint32_t parcel_count;
	struct shh__confirmed *confirmed; /* SHH__CONFIRMED_MAX of them once needed */
	uint32_t confirmed_at, confirmed_count;

	enum err drop_err;
	const char *drop_why;

	uint64_t envelopes_in, duplicates_in, dropped_in, envelopes_out;
	int64_t offset_ms; /* estimate of their clock minus ours */
	bool offset_known;
};

/* --- intake's slice ----------------------------------------------------------------- */

struct shh__candidate {
	struct shh_envelope env;
	struct fingerprint print;
	uint32_t known;		  /* the record it would fill; SHH__NONE: new */
	double work[SHH_DIGESTS]; /* the best value under any rule; negative: not graded */
	unsigned bits[SHH_DIGESTS];
	enum shh_digest digest; /* the form that it is taken for */
};

struct shh__slice {
	struct shh__candidate c[SHH__SLICE];
	uint32_t count;
	struct shh_work_item work[SHH__SLICE];
	uint16_t who[SHH__SLICE]; /* candidate of each item */
};

/* --- packets shared between peers ----------------------------------------------------- */

struct shh__pick {
	uint32_t idx;
	uint8_t digest;
};

struct shh__shared {
	uint64_t sum; /* keyed, over what is in it */
	uint32_t count;
	struct blob *blob;
};

/* --- jobs and posts ---------------------------------------------------------------------- */

enum shh__job_kind { SHH__JOB_POST, SHH__JOB_BRIDGE };
enum shh__job_state { SHH__JOB_NEW, SHH__JOB_RUNNING, SHH__JOB_CANCELLED, SHH__JOB_ENDED };

struct shh__job {
	uint32_t id;
	enum shh__job_kind kind;
	enum shh__job_state state;
	struct shh_seal_job seal;
	struct shh__link link; /* among those with something to tell */
	/* a bridge's */
	uint32_t idx;
	uint64_t seq;
	/* a post's */
	uint8_t *content; /* first four fields; room bytes */
	size_t len, room;
	uint32_t expiry, ttl;
	struct shh_topic topic;
	size_t data_len;
	double target;
	int32_t direct;
	struct shh__peer *to; /* the direct peer, NULL once it is gone */
	/* its end */
	enum err err;
	uint8_t hash[32];
	double pow;
};

/* --- filters -------------------------------------------------------------------------------- */

struct shh__filters; /* filter.h */

/* --- the machine ------------------------------------------------------------------------------ */

struct shh {
	struct shh_config cfg;
	uint64_t now_ms;
	uint64_t rand_count;
	struct siphash_key rand_key; /* for numbers that must not be guessed, and for sums */
	struct fingerprinter *prints;
	struct shh__pool pool;

	double tolerated_pow;
	bool has_bloom, bloom_auto, tolerate_all;
	struct shh_bloom bloom, tolerated_bloom;
	uint64_t pow_until_ms, bloom_until_ms; /* when toleration ends */
	uint64_t announce_ms;		       /* a narrower bloom is announced then */

	struct shh__peer *peers[SHH_PEERS_MAX];
	struct shh__host *hosts;
	uint32_t peer_count, peer_next; /* slots are given out in turn */
	struct shh__link active, idle;
	struct shh__peer *timers[SHH_PEERS_MAX];
	uint32_t timer_count;
	uint64_t log_seen; /* arrivals that woke the idle */
	uint32_t steps;	   /* that are left in this millisecond */

	struct shh__slice slice;
	struct shh__pick picks[SHH__BATCH_MAX];
	struct shh__shared shared[SHH__SHARED];
	uint32_t shared_next;
	uint8_t ages[64]; /* of new envelopes as they came, seconds; for our posts (W9) */
	uint32_t age_count;

	struct shh__later later;   /* envelopes from the future: looked at again */
	struct shh__later bridges; /* what is to be sealed again, for the digest in what */
	struct shh__cursor bridge[SHH_DIGESTS];
	bool bridge_on[SHH_DIGESTS];
	double bridge_target[SHH_DIGESTS];
	struct bucket bridge_budget;

	struct shh__job *jobs[SHH_JOBS_MAX];
	uint32_t job_count, job_serial;
	struct shh__link job_news;

	struct shh__filters *filters;
	struct shh_stats stats;
	bool pressure;
};

/* shh.c */
void shh__enter(struct shh *s, uint64_t now_ms); /* every call with a time begins so */
uint64_t shh__now_s(const struct shh *s);	 /* unix seconds */
uint64_t shh__random(struct shh *s);
uint64_t shh__random_below(struct shh *s, uint64_t bound);
bool shh__bloom_wants(const struct shh *s, struct shh_topic topic, bool tolerant);
double shh__floor(const struct shh *s); /* the least work that is welcome now */
void shh__announce(struct shh *s, unsigned mark);

/* Make this our bloom (NULL: everything), by whatever way it came about. */
void shh__bloom_set(struct shh *s, const struct shh_bloom *bloom, uint64_t now_ms);

/* peer.c */
static inline struct shh__peer *shh__peer_of(struct shh__link *l)
{
	return (struct shh__peer *)(void *)((char *)l - offsetof(struct shh__peer, link));
}
struct shh__peer *shh__peer(const struct shh *s, uint32_t slot); /* NULL: nobody, or ended */
void shh__peer_wake(struct shh *s, struct shh__peer *p);
void shh__peer_arm(struct shh *s, struct shh__peer *p); /* its times have changed */
void shh__peer_due(struct shh *s, struct shh__peer *p);
void shh__peer_drop(struct shh *s, struct shh__peer *p, enum err err, const char *why);
void shh__peer_free(struct shh *s, struct shh__peer *p);
void shh__peer_rewind(struct shh *s, struct shh__peer *p);
bool shh__peer_takes_code(const struct shh__peer *p, uint32_t code);
/* Queue a control packet; the reference is taken over. */
void shh__peer_parcel(struct shh *s, struct shh__peer *p, uint32_t code, struct blob *blob);
bool shh__peer_poll(struct shh *s, struct shh__peer *p, struct shh_event *ev);
void shh__peer_charge(struct shh *s, struct shh__peer *p, uint64_t envelopes);

extern const struct bucket_rate shh__update_rate, shh__fill_rate;
struct bucket_rate shh__pace_rate(const struct shh *s); /* towards those who bundle without bound */

/* hear.c */
void shh__update_apply(struct shh *s, struct shh__peer *p); /* a wider wish's turn has come */

/* dialect.c */
enum shh_dialect shh__dialect_of_name(const char *client);
enum shh_dialect shh__dialect_of_status(enum shh_dialect before, const struct shh_status *st,
					bool *proven);
bool shh__dialect_is_known(enum shh_dialect d);
enum shh_rule shh__dialect_rule(enum shh_dialect d); /* of a known one; SOTTO counts as GETH19 */
enum shh_digest shh__dialect_digest(enum shh_dialect d);
void shh__dialect_set(struct shh *s, struct shh__peer *p, enum shh_dialect d);
void shh__dialect_saw(struct shh *s, struct shh__peer *p, enum shh_digest d, unsigned bits);
enum shh_dialect shh__dialect_flipped(const struct shh *s, const struct shh__peer *p);

/* intake.c */
MUST_CHECK enum err shh__intake(struct shh *s, struct shh__peer *p, struct span payload);
/* The best value that bits of one digest have under any of its rules. */
double shh__work_best(const struct shh_envelope *env, enum shh_digest d, unsigned bits);

/* relay.c */
bool shh__relay(struct shh *s, struct shh__peer *p, struct shh_event *ev);
void shh__shared_clear(struct shh *s);
void shh__entry_envelope(const struct shh__pool *p, const struct shh__entry *e, enum shh_digest d,
			 struct shh_envelope *env);

/* ack.c */
struct shh__refused {
	uint8_t hash[32];
	uint8_t code;
	const char *text;
};
void shh__ack(struct shh *s, struct shh__peer *p, struct span payload,
	      const struct shh__refused *refused, size_t count);
MUST_CHECK enum err shh__ack_recv(struct shh *s, struct shh__peer *p, uint32_t code,
				  struct span payload);

/* bridge.c */
void shh__bridge_init(struct shh *s);
void shh__bridge_families(
	struct shh *s); /* a peer came, went or changed: who is there to bridge to */
double shh__bridge_target(const struct shh *s, enum shh_digest d); /* what a bridge seals for */
void shh__bridge_run(struct shh *s);
void shh__bridge_due(struct shh *s); /* begin what has waited long enough */
uint64_t shh__bridge_deadline(const struct shh *s);
void shh__bridge_filled(struct shh *s, uint32_t idx, uint64_t seq);
void shh__bridge_done(struct shh *s, struct shh__job *j, const struct shh_seal_progress *r);

/* jobs.c */
MUST_CHECK enum err shh__job_new(struct shh *s, struct shh__job **out, enum shh__job_kind kind);
void shh__job_tell(struct shh *s, struct shh__job *j);
void shh__job_cancel(struct shh *s, struct shh__job *j);
void shh__job_free(struct shh *s, struct shh__job *j);
bool shh__jobs_poll(struct shh *s, struct shh_event *ev);

/* post.c */
void shh__post_done(struct shh *s, struct shh__job *j, const struct shh_seal_progress *r);

/* filter.c, open.c */
MUST_CHECK enum err shh__filters_new(struct shh *s);
void shh__filters_free(struct shh *s);
bool shh__filters_poll(struct shh *s, struct shh_event *ev);
uint64_t shh__filters_deadline(const struct shh *s);
uint32_t shh__filters_count(const struct shh *s);
void shh__filters_bloom(struct shh *s, uint64_t now_ms); /* our bloom is to be the sum of theirs */
/* Queue a direct message for the filters; raw is copied. */
void shh__filters_direct(struct shh *s, struct span raw);

#endif /* SHH_INTERNAL_H */
