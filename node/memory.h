/* SPDX-License-Identifier: MIT */
/* node/memory.h - what a node remembers of others while no link to them is up:
 * dial times, dialect, score.  Nodes are known by their key, hosts by their
 * address; both live in one table of NODE_MEMORY_MAX entries, which grows as it
 * fills and then forgets the entry that was used longest ago.
 */
#ifndef NODE_MEMORY_H
#define NODE_MEMORY_H

#include "base/mem.h"
#include "base/siphash.h"
#include "enr/enr.h"

#define NODE__NEVER_MS	UINT64_MAX
#define NODE__OFFENDERS 3 /* penalised ids that make it their host's affair */

struct node__past {
	uint64_t key;	     /* keyed hash of what it is about */
	uint64_t dialled_ms; /* the last time we dialled there; NODE__NEVER_MS: not yet */
	uint64_t scored_ms;  /* up to when the score has decayed */
	uint64_t until_ms;   /* not welcome before */
	struct {
		uint64_t who;
		uint64_t when_ms;
	} offender[NODE__OFFENDERS - 1]; /* of a host: ids penalised lately, latest first */
	uint32_t score;
	uint16_t newer, older; /* in order of use */
	uint16_t chain;	       /* the next with the same hash bucket */
	uint8_t level;	       /* penalties so far */
	uint8_t dialect;       /* enum shh_dialect that proved right */
	uint8_t flips;	       /* how often it was turned over */
	bool good;	       /* we had a link that worked */
};

struct node__memory {
	struct mem *mem;
	struct siphash_key secret;
	struct node__past *entry; /* capacity of them; NULL at first */
	uint16_t *head;		  /* capacity chains */
	uint32_t capacity;	  /* a power of two */
	uint32_t count;
	uint16_t newest, oldest;
};

void node__memory_init(struct node__memory *m, struct mem *mem, struct siphash_key secret);
void node__memory_reset(struct node__memory *m);

/* The entry of a node or a host, now the latest used; it lives until the next
 * _use.  _find gives NULL if there is none, _use makes one and gives NULL only
 * when there is no memory for it. */
struct node__past *node__memory_find_node(struct node__memory *m, const struct pubkey *id);
struct node__past *node__memory_find_host(struct node__memory *m, const struct ip *ip);
struct node__past *node__memory_use_node(struct node__memory *m, const struct pubkey *id);
struct node__past *node__memory_use_host(struct node__memory *m, const struct ip *ip);

/* The key under which a node stands, for an offender list. */
uint64_t node__memory_key(const struct node__memory *m, const struct pubkey *id);

#endif /* NODE_MEMORY_H */
