/* SPDX-License-Identifier: MIT */
/* shh/pool.h - every envelope that was welcomed, once, until it expires.
 *
 * What it is made of, each part in a file of its own:
 *
 *   records   one fixed struct an envelope, in chunks of 256 that come and go
 *   slab      the contents' bytes, packed, cleaned when sparse     (slab.c)
 *   index     fingerprint to record, open addressing               (pool_index.c)
 *   wheel     seconds to records: who expires next                 (pool_wheel.c)
 *   log       order of arrival; relay, filters and bridges walk it with cursors
 *                                                                  (pool_log.c)
 *   sources   who brought how much, and each source's envelopes by work
 *
 * Nothing here ever walks everything, but for the log's compaction, which is
 * paid for by the removals before it, and a peer's column of known bits, which
 * is cleared once when a peer joins.
 *
 * A record that ends, by expiry or eviction, stays as a tombstone until its
 * expiry + SHH__TOMB_S, so that a copy that is still under way does not come
 * back to life (hardening O4).
 *
 * Eviction (hardening O1) goes by classes of work, a quarter of an octave each:
 * within a class the oldest goes first, and nothing ever goes for something of
 * a lower class.
 */
#ifndef SHH_POOL_H
#define SHH_POOL_H

#include "base/bucket.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "crypto/crypto.h"
#include "shh/envelope.h"

#define SHH__NONE	    UINT32_MAX
#define SHH__POOL_COUNT_MAX 4194302u /* records an index slot can name */
#define SHH__TOMB_S	    20 /* seconds after expiry; geth relays no later (docs/PEERS.md "Clocks") */
#define SHH__CLASSES	    128	 /* of work: quarter octaves from 2^-17 up to 2^15 */
#define SHH__SOURCES_MAX    1024 /* full: a newcomer shares the budget of another */
#define SHH__SOURCE_SELF    0	 /* the source of our own posts */
#define SHH__SHARE_SOURCES  4	 /* with so many sources nobody has more than a quarter */
#define SHH__KNOWN_GROUPS   16	 /* of 64 peer slots each */

/* What a record counts for beside its content: itself, its place in log, index
 * and known bits. */
#define SHH__RECORD_COST    112

enum shh__state { SHH__FREE, SHH__LIVE, SHH__TOMB };

struct shh__entry {
	struct fingerprint print;
	uint64_t seq;	   /* of arrival: unique, rising */
	uint64_t nonce[2]; /* by digest; valid if its bit in forms is set */
	uint32_t at;	   /* content in the slab */
	uint32_t len;
	uint32_t expiry; /* unix seconds, 32 bits on the wire; compared as u64 (hardening O6) */
	uint32_t ttl;
	struct shh_topic topic;
	uint32_t wheel_next, wheel_prev;
	uint32_t rank_next, rank_prev; /* in its source and class, or among the tombstones */
	uint16_t slot : 10;	       /* of the wheel */
	uint16_t state : 2;	       /* enum shh__state */
	uint16_t forms : 2;	       /* 1 << digest, for each nonce there is */
	uint16_t first : 1;	       /* digest of the form it came in */
	uint16_t own : 1;	       /* a post of this node */
	uint16_t source;
	uint8_t class;
	uint8_t bits[2];      /* zero bits by digest, at most 255 */
	uint8_t places : 6;   /* in the log */
	uint8_t awaited : 1;  /* it gets another place in the log when its second comes */
	uint8_t bridging : 1; /* it waits to be sealed again; its source counts them */
};
_Static_assert(sizeof(struct shh__entry) <= 88, "performance row 30 has no room for more");

struct shh__records {
	struct shh__entry e[256];
	uint64_t *known[SHH__KNOWN_GROUPS]; /* 256 words each, NULL for a group without peers */
	uint32_t number;
	uint32_t used;
	uint64_t free[4];		  /* bit set: free */
	struct shh__records *next, *prev; /* among those with room */
};

struct shh__source {
	size_t bytes;
	uint64_t classes[SHH__CLASSES / 64]; /* bit set: there are some */
	uint32_t count;
	bool busy;		     /* an insertion holds it open */
	bool bridged;		     /* bridge is in use */
	uint32_t bridging;	     /* envelopes that wait to be sealed again */
	struct bucket bridge;	     /* hashes it may cost us */
	uint32_t head[SHH__CLASSES]; /* oldest first, circular */
};

/* --- contents (slab.c) -------------------------------------------------------- */

struct shh__chunk;
struct shh__slab {
	struct mem *mem;
	struct shh__chunk **chunks;
	uint32_t count, room; /* of the table */
	uint32_t vacant;      /* first free number, chained; SHH__NONE: none */
	uint32_t open[2];     /* chunks being filled: with what arrives, with what cleaning moves */
	size_t held;	      /* bytes in chunks */
	size_t live;	      /* bytes in use in them */
	struct shh__chunk *spare;
};

/* What cleaning asks of those who own contents. */
struct shh__owners {
	uint32_t (*len)(void *ctx, uint32_t owner);
	void (*moved)(void *ctx, uint32_t owner, uint32_t at);
	void *ctx;
};

void shh__slab_init(struct shh__slab *s, struct mem *mem);
void shh__slab_fini(struct shh__slab *s);
MUST_CHECK enum err shh__slab_put(struct shh__slab *s, uint32_t *at, struct span data,
				  uint32_t owner);
void shh__slab_drop(struct shh__slab *s, uint32_t at, uint32_t len);
struct span shh__slab_get(const struct shh__slab *s, uint32_t at, uint32_t len);
/* Empty the sparsest chunk if too much is wasted, or if forced and any is; whether it did. */
bool shh__slab_clean(struct shh__slab *s, bool force, const struct shh__owners *owners);

/* --- arrival order (pool_log.c) ------------------------------------------------- */

struct shh__log_item {
	uint32_t idx;
	uint32_t seq; /* low bits of the record's: another life of the record is another number */
};

/* A position in arrival order.  It belongs to the pool while joined, which
 * moves it along when the log is compacted. */
struct shh__cursor {
	uint32_t at;
	struct shh__cursor *next, *prev;
};

/* --- the pool -------------------------------------------------------------------- */

struct shh__pool {
	struct mem *mem;
	size_t bytes_max;
	uint32_t count_max;

	size_t bytes;	      /* of live contents and all records, as caps count them */
	uint32_t live, tombs; /* records */
	uint64_t evicted, expired;

	struct shh__records **chunks;
	uint32_t chunk_count, chunk_room;
	struct shh__records *roomy; /* chunks with free records, the one in use first */
	uint32_t empties;	    /* chunks without any record */
	uint16_t group_peers[SHH__KNOWN_GROUPS];

	uint32_t *index;
	uint32_t index_size, index_used;

	uint32_t wheel[256 + 256 + 8];
	uint64_t wheel_marks[9]; /* bit set: slot not empty */
	uint64_t wheel_s;	 /* the last second that was served */

	struct shh__log_item *log;
	uint32_t log_len, log_room, log_live;
	struct shh__cursor *cursors;
	uint64_t next_seq;
	uint64_t log_puts; /* ever */

	uint32_t tomb_head; /* tombstones, oldest first */

	struct shh__source *sources[SHH__SOURCES_MAX]; /* NULL: nothing from it is here */
	uint64_t source_keys[SHH__SOURCES_MAX];
	uint32_t source_count; /* with envelopes here */
	uint32_t source_top;   /* above the highest in use */

	struct shh__slab slab;
};

void shh__pool_init(struct shh__pool *p, struct mem *mem, size_t bytes_max, uint32_t count_max,
		    uint64_t now_s);
void shh__pool_fini(struct shh__pool *p);

/* A record by number; idx must be one that the pool gave out. */
static inline struct shh__entry *shh__entry(const struct shh__pool *p, uint32_t idx)
{
	return &p->chunks[idx >> 8]->e[idx & 255];
}

/* The record that idx named when its arrival was seq, or NULL if that life is over. */
struct shh__entry *shh__pool_live(const struct shh__pool *p, uint32_t idx, uint64_t seq);

static inline struct span shh__content(const struct shh__pool *p, const struct shh__entry *e)
{
	return shh__slab_get(&p->slab, e->at, e->len);
}

/* A live record or a tombstone of this content; SHH__NONE if there is none. */
uint32_t shh__pool_find(const struct shh__pool *p, const struct fingerprint *print);
/* Ask the processor for what find() will look at. */
void shh__pool_prefetch(const struct shh__pool *p, const struct fingerprint *print);

struct shh__arrival {
	struct fingerprint print;
	struct span content;
	uint64_t nonce;
	enum shh_digest digest;
	unsigned bits;
	double work; /* its value under the rule that welcomed it */
	uint32_t expiry, ttl;
	struct shh_topic topic;
	uint64_t source;       /* who brought it; ignored for our own */
	uint16_t *source_hint; /* the source's number when it was used last; may be NULL */
	bool own;
};

/* Put in an envelope whose fingerprint find() does not know, evicting what must go.
 *
 * errors   ERR_FULL if only higher work is there, or its source has its share; ERR_MEM
 */
MUST_CHECK enum err shh__pool_insert(struct shh__pool *p, uint32_t *idx,
				     const struct shh__arrival *a);

/* Give a live record the nonce of its other form, and a second place in the
 * log, so that those who could not take the first form meet it again. */
void shh__pool_fill(struct shh__pool *p, uint32_t idx, enum shh_digest d, uint64_t nonce,
		    unsigned bits);

/* A second place in the log for a live record; false if there is no room. */
bool shh__pool_again(struct shh__pool *p, uint32_t idx);

/* The class of work that eviction goes by. */
unsigned shh__class_of(double work);

/* Serve all seconds up to now_s; a clock that stepped back starts the wheel anew. */
void shh__pool_expire(struct shh__pool *p, uint64_t now_s);
/* The first second at which expire() has something to do; UINT64_MAX if never. */
uint64_t shh__pool_due(const struct shh__pool *p);

/* Where a source's record is; NULL if it has no envelope here. */
struct shh__source *shh__pool_source(const struct shh__pool *p, uint16_t number);

/* --- peers' knowledge: a bit for each record and peer slot -------------------------- */

/* Make a column for a slot, all unknown. errors ERR_MEM */
MUST_CHECK enum err shh__known_join(struct shh__pool *p, uint32_t slot);
void shh__known_leave(struct shh__pool *p, uint32_t slot);
bool shh__known(const struct shh__pool *p, uint32_t idx, uint32_t slot);
void shh__known_set(struct shh__pool *p, uint32_t idx, uint32_t slot);
void shh__known_clear(struct shh__pool *p, uint32_t idx, uint32_t slot);

/* --- cursors ------------------------------------------------------------------------ */

void shh__cursor_join(struct shh__pool *p, struct shh__cursor *c); /* at the very start */
void shh__cursor_leave(struct shh__pool *p, struct shh__cursor *c);

/* The next live record in order of arrival, SHH__NONE at the end; *steps is
 * what may be looked at, and goes down. */
uint32_t shh__cursor_next(const struct shh__pool *p, struct shh__cursor *c, uint32_t *steps);

static inline bool shh__cursor_at_end(const struct shh__pool *p, const struct shh__cursor *c)
{
	return c->at >= p->log_len;
}

/* --- between the pool's own files ----------------------------------------------------- */

MUST_CHECK enum err shh__index_put(struct shh__pool *p, uint32_t idx); /* ERR_MEM */
void shh__index_drop(struct shh__pool *p, uint32_t idx);
void shh__wheel_init(struct shh__pool *p, uint64_t now_s);
void shh__wheel_put(struct shh__pool *p, uint32_t idx, uint64_t when_s);
void shh__wheel_drop(struct shh__pool *p, uint32_t idx);
/* The second at which a record leaves its present state: the first one past it. */
uint64_t shh__wheel_when(const struct shh__entry *e);
/* Take all records of one second off the wheel into a chain of wheel_next. */
uint32_t shh__wheel_serve(struct shh__pool *p, uint64_t second);
uint64_t shh__wheel_due(const struct shh__pool *p);
MUST_CHECK enum err shh__log_reserve(struct shh__pool *p); /* room for one more; ERR_MEM */
void shh__log_put(struct shh__pool *p, uint32_t idx);
void shh__log_lost(struct shh__pool *p, const struct shh__entry *e);
MUST_CHECK enum err shh__record_new(struct shh__pool *p, uint32_t *idx); /* ERR_MEM */
void shh__record_free(struct shh__pool *p, uint32_t idx);

#endif /* SHH_POOL_H */
