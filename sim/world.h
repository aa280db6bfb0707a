/* SPDX-License-Identifier: MIT */
/* sim/world.h - hosts, wires between them, and virtual time.
 *
 * A host is a place with an address, a key, a clock and perhaps a running
 * node.  A wire is what a link stands on: an ordered stream of bytes each way,
 * with a rate, a delay and a window, that can be frozen or cut.  Jobs run
 * inline and cost virtual time.  Everything that happens is absorbed into one
 * digest, so two runs with one seed can be compared by 32 bytes.
 *
 * Not thread-safe; worlds share nothing.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "node/node.h"

#define SIM_HOSTS_MAX 4096
#define SIM_WINDOW    262144  /* bytes that a wire holds each way; full: the writer waits */
#define SIM_TURNS_MAX 100000  /* turns of a host within one ms: more is a machine that spins */
#define SIM_HASH_RATE 1000000 /* hashes a second of a host's worker */
#define SIM_EPOCH_MS  1600000000000 /* the wall clock of the beginning */

/* How a wire behaves; of a pair of hosts, or of all without one of their own. */
struct sim_shape {
	uint64_t delay_ms; /* one way */
	uint64_t rate;	   /* bytes per second each way; 0: no limit */
	size_t chunk_max;  /* > 0: bytes are handed over in random pieces up to it */
	bool frozen;	   /* bytes wait; nobody is told */
	bool cut;	   /* nothing connects */
};

struct sim_world;

struct sim_config {
	uint64_t seed;
	struct log log;
	struct sim_shape shape; /* where a pair has none of its own */
	/* What a node says that is not for the wires; free to call anything here but
	 * sim_step(), sim_kill() and sim_free().  May be NULL, as the others. */
	void (*event)(void *ctx, uint32_t host, const struct node_event *ev);
	/* A node is about to be freed: the last look at its figures. */
	void (*closing)(void *ctx, uint32_t host, const struct node *n);
	void (*call)(void *ctx, uint32_t what); /* of sim_call_at() */
	void *ctx;
};

/* errors   ERR_MEM, ERR_RANDOM */
MUST_CHECK enum err sim_new(struct sim_world **out, const struct sim_config *cfg);
void sim_free(struct sim_world *w); /* NULL is allowed */

uint64_t sim_now_ms(const struct sim_world *w);
struct crypto *sim_crypto(struct sim_world *w);
struct rng sim_rng(struct sim_world *w); /* of the world itself: scenarios, tests */
uint64_t sim_wall_s(const struct sim_world *w, uint32_t host); /* unix time, as a host sees it */

/* Add a host; it is down.
 *
 * cfg      copied: key, crypto, mem, rng, log and wall offset are filled in here;
 *          what it points to must outlive the host
 * ip       NULL: 10.x.y.z by number, a LAN
 * errors   ERR_FULL, ERR_MEM
 */
MUST_CHECK enum err sim_host_add(struct sim_world *w, uint32_t *host, const struct node_config *cfg,
				 const struct ip *ip, int64_t clock_offset_ms);
uint32_t sim_host_count(const struct sim_world *w);
void sim_enode(const struct sim_world *w, uint32_t host, struct enode *out);

/* Start what is down. errors: those of node_new() */
MUST_CHECK enum err sim_start(struct sim_world *w, uint32_t host);
void sim_stop(struct sim_world *w, uint32_t host); /* in order */
void sim_kill(struct sim_world *w, uint32_t host); /* at once; its wires break */
void sim_clock(struct sim_world *w, uint32_t host, int64_t offset_ms);

/* The node of a host, NULL if it is down.  Whoever commands it has its turn made
 * by asking for it here each time. */
struct node *sim_node(struct sim_world *w, uint32_t host);
const struct node *sim_look(const struct sim_world *w, uint32_t host); /* only looks */

/* The ledger of a host, which begins anew with each life. */
struct mem *sim_mem(struct sim_world *w, uint32_t host);

/* Give a pair a shape of its own; wires that exist follow.  cut also breaks them. */
MUST_CHECK enum err sim_shape(struct sim_world *w, uint32_t a, uint32_t b,
			      const struct sim_shape *shape);
struct sim_shape sim_default_shape(const struct sim_world *w);
void sim_set_default_shape(struct sim_world *w,
			   const struct sim_shape *shape); /* of wires to come */
struct sim_shape sim_shape_of(const struct sim_world *w, uint32_t a, uint32_t b);

/* Call back at a time, or as soon as that is over. */
void sim_call_at(struct sim_world *w, uint64_t at_ms, uint32_t what);

/* Let the next thing happen, if it is due by until_ms; false if nothing was, and
 * then it is until_ms. */
bool sim_step(struct sim_world *w, uint64_t until_ms);
void sim_pass(struct sim_world *w, uint64_t for_ms);

/* NULL, or why the world came to an end by itself (a machine that spins, memory). */
const char *sim_fault(const struct sim_world *w);

struct sim_totals {
	uint64_t bytes, segments, dials, connects, breaks;
};
void sim_totals(const struct sim_world *w, struct sim_totals *out);
uint64_t sim_host_bytes(const struct sim_world *w, uint32_t host); /* sent by it */
void sim_digest(const struct sim_world *w, uint8_t out[static 32]);

#endif /* SIM_WORLD_H */
