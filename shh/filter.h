/* SPDX-License-Identifier: MIT */
/* shh/filter.h - filters, the keys they share, and the index that finds them by topic. */
#ifndef SHH_FILTER_H
#define SHH_FILTER_H

#include "shh/internal.h"

#define SHH__TOPICS_MAX 16384 /* of one filter; more: ERR_ARG */

/* A key, once, however many filters use it. */
struct shh__key {
	struct shh__key *next; /* in its bucket */
	uint32_t refs;
	bool is_sym;
	uint8_t b[32];
	struct aes_gcm *gcm; /* of a symmetric key */
	uint64_t tried;	     /* number of the work it was tried in last */
};

struct shh__filter;

/* A filter's place under one topic, or among those of all topics. */
struct shh__ref {
	struct shh__filter *filter;
	struct shh__ref *next, *prev; /* in its chain, oldest first */
	struct shh_topic topic;
	uint32_t chain; /* number of the chain it is in */
};

/* Whether a filter has seen what was there before it. */
enum shh__behind {
	SHH__CAUGHT_UP,
	SHH__WAITING, /* for the next pass */
	SHH__IN_PASS,
};

struct shh__filter {
	uint32_t id;
	struct shh__key *key;
	bool has_signer, direct;
	enum shh__behind behind;
	uint64_t from_seq; /* what arrived from here on comes to it in turn */
	struct pubkey signer;
	double min_pow;
	uint64_t seen; /* number of the work that it had a message from last */
	size_t ref_room, ref_count;
	struct shh__ref refs[];
};

struct shh__chain {
	struct shh__ref *first, *last;
};

/* Chains by topic; the last one is for filters of all topics. */
struct shh__topics {
	struct shh__chain *v;
	uint32_t size, used;
};

struct shh__direct {
	struct shh__direct *next;
	size_t len;
	uint8_t raw[];
};

/* One envelope on its way through the filters that could open it. */
enum shh__pass { SHH__PASS_NONE, SHH__PASS_MAIN, SHH__PASS_BEHIND, SHH__PASS_DIRECT };
struct shh__work {
	enum shh__pass pass;
	uint64_t number;
	uint32_t idx; /* in the pool, with its seq; or the first of the direct ones */
	uint64_t seq;
	unsigned stage; /* topic or all, symmetric or not: four chains */
	struct shh__ref *at;
	struct shh__key *opened; /* its plaintext is in scratch */
	struct shh_plain plain;
	double pow;
	uint8_t hash[32];
};

struct shh__filters {
	struct shh__filter **slots;
	uint32_t room, count, serial;
	struct shh__key *keys[1024];
	struct shh__topics topics[2]; /* symmetric, asymmetric */
	struct shh__chain all[2];
	uint32_t bloom_bits[512]; /* topics of filters that set each bit */
	uint32_t bloom_all;	  /* filters of all topics */

	struct shh__cursor main, back;
	uint64_t main_seq; /* everything before was seen by all filters of that time */
	uint64_t back_seq; /* everything before was seen in the pass under way */
	uint32_t behind;   /* filters that are, those in the pass among them */
	uint64_t back_end; /* the pass ends here; 0: none is under way */

	struct shh__direct *direct, **direct_end;
	uint32_t direct_count;

	struct shh__work work;
	uint64_t work_number;
	struct bucket budget; /* nanoseconds of trying keys */
	uint64_t wait_ms;
	uint8_t *scratch;
	size_t scratch_room;
};

extern const struct bucket_rate shh__trial_rate; /* of the budget */

uint32_t shh__chain_of(const struct shh__topics *t, struct shh_topic topic);

#endif /* SHH_FILTER_H */
