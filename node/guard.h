/* SPDX-License-Identifier: MIT */
/* node/guard.h - who may come in, and how soon again: accept buckets, the
 * handshake bucket, scores with their back-off.
 *
 * Bans rest on authenticated misbehaviour only (hardening rule 1.12): before a
 * peer is identified nothing but buckets is drained.
 *
 * Sources: hardening §3 (token buckets, score), H4, H9.
 */
#ifndef NODE_GUARD_H
#define NODE_GUARD_H

#include "base/bucket.h"
#include "node/memory.h"

#define NODE__CELLS	     65536 /* buckets of hosts and subnets; a collision shares a budget */

/* hardening §3.  "1 in 30 s, burst 3" is one token a second at 30 a take. */
#define NODE__HOST_RATE	     ((struct bucket_rate){ 1, 90 })
#define NODE__HOST_TAKE	     30
#define NODE__SUBNET_RATE    ((struct bucket_rate){ 1, 32 })
#define NODE__SUBNET_TAKE    2
#define NODE__ACCEPT_RATE    ((struct bucket_rate){ 100, 200 })
#define NODE__CRYPTO_RATE    ((struct bucket_rate){ 150, 300 }) /* for anybody, ... */
#define NODE__CRYPTO_KNOWN   ((struct bucket_rate){ 150, 300 }) /* ... and for good hosts */

#define NODE__SCORE_LIMIT    50	      /* reached: penalised */
#define NODE__SCORE_DECAY_MS 30000    /* a point is forgotten */
#define NODE__NAMED_MS	     10000    /* back-off of static and trusted peers */
#define NODE__HOST_WINDOW_MS 3600000  /* so many offenders in it: the host pays too */
#define NODE__LEVEL_MS	     86400000 /* a day without penalty: the first step again */

/* What a fault costs. */
enum node__fault {
	NODE__FAULT_NONE = 0,
	NODE__FAULT_ODD = 1,
	NODE__FAULT_TIMEOUT = 4,
	NODE__FAULT_BAD_MESSAGE = 16,
	NODE__FAULT_BREACH = NODE__SCORE_LIMIT,
};

struct node__guard {
	struct mem *mem;
	struct siphash_key secret;
	struct bucket *cells; /* NULL until a host outside the LAN comes */
	struct bucket accept;
	struct bucket crypto;
	struct bucket crypto_known;
	struct node__memory memory;
};

/* errors   ERR_RANDOM */
MUST_CHECK enum err node__guard_init(struct node__guard *g, struct mem *mem, const struct rng *rng,
				     uint64_t now_ms);
void node__guard_reset(struct node__guard *g);

/* May somebody from this address open a connection?  lan: exempt from all of it.
 *
 * errors   ERR_FLOOD; ERR_MEM if the buckets cannot be made
 */
MUST_CHECK enum err node__guard_accept(struct node__guard *g, const struct ip *ip, bool lan,
				       uint64_t now_ms);

/* A handshake from there came to nothing: its host's bucket pays once more (H9). */
void node__guard_wasted(struct node__guard *g, const struct ip *ip, bool lan, uint64_t now_ms);

/* Take the curve operations of one handshake, or say when they can be had. */
bool node__guard_crypto(struct node__guard *g, const struct ip *ip, bool lan, uint64_t now_ms,
			uint64_t *ready_ms);

/* A link worked. */
void node__guard_good(struct node__guard *g, const struct pubkey *id, const struct ip *ip);

/* Charge an identified peer.  named: static or trusted.  Returns whether it is
 * penalised by this, until node__guard_until(). */
bool node__guard_charge(struct node__guard *g, const struct pubkey *id, const struct ip *ip,
			bool lan, bool named, enum node__fault fault, uint64_t now_ms);

/* Until when a node, or everybody on a host, is not welcome; 0 if it is. */
uint64_t node__guard_until(struct node__guard *g, const struct pubkey *id, uint64_t now_ms);
uint64_t node__guard_host_until(struct node__guard *g, const struct ip *ip, uint64_t now_ms);

/* What an error that ended an identified link is called here. */
enum node__fault node__fault_of(enum err e);

#endif /* NODE_GUARD_H */
