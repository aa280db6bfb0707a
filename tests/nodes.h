/* SPDX-License-Identifier: MIT */
/* tests/nodes.h - two to a few whole nodes, joined by wires in memory, in virtual
 * time; what they tell is recorded.
 *
 *	struct nodes t;
 *
 *	nodes_open(&t, 2, seed, 0);         // two nodes, started
 *	nodes_join(&t, 0, 1);               // 0 dials 1
 *	assert_true(nodes_all_ready(&t, 2000));
 *	nodes_close(&t);                    // audits, and looks for leaks
 *
 * Every failure prints the seed.
 */
#ifndef TESTS_NODES_H
#define TESTS_NODES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/inside.h"
#include "sim/world.h"

#define NODES_EVENTS_MAX 65536

struct nodes_event {
	uint64_t at_ms;
	uint32_t host;
	enum node_event_type type;
	uint32_t link;
	enum node_step step;
	bool inbound;
	enum err err;
	bool by_peer, has_id;
	unsigned reason;
	struct pubkey id;
	enum shh_dialect dialect;
	enum shh_event_type shh; /* of NODE_EV_SHH */
	size_t extra;
	uint32_t code;
	size_t len; /* of the payload, in whole */
	uint8_t payload[64];
};

struct nodes {
	struct sim_world *w;
	uint64_t seed;
	struct nodes_event *ev;
	size_t count;
	/* Called with each event, for a test that acts on it; may be NULL. */
	void (*on_event)(struct nodes *t, uint32_t host, const struct node_event *ev);
	void *ctx;
};

/* An empty world; chunk_max > 0: streams come in random pieces up to it. */
void nodes_world(struct nodes *t, uint64_t seed, size_t chunk_max, uint64_t delay_ms);
/* One more node, started; ip NULL: on the LAN. */
uint32_t nodes_add(struct nodes *t, const struct node_config *cfg, const struct ip *ip);
/* World and count nodes of the default configuration, with a cheap minimum of work. */
void nodes_open(struct nodes *t, unsigned count, uint64_t seed, size_t chunk_max);
void nodes_config(struct node_config *cfg); /* that configuration */
void nodes_close(struct nodes *t);

struct node *nodes_at(struct nodes *t, uint32_t host);
uint64_t nodes_now(const struct nodes *t);
void nodes_run(struct nodes *t, uint64_t ms);
void nodes_audit(struct nodes *t); /* hardening P8, of all nodes */

/* a dials b from now on; kinds as of node_peer_add(). */
void nodes_join(struct nodes *t, uint32_t a, uint32_t b);
void nodes_name(struct nodes *t, uint32_t a, uint32_t b, unsigned kinds);

/* Peers of a host that are up, and ready in shh. */
uint32_t nodes_peers(struct nodes *t, uint32_t host);
uint32_t nodes_ready(struct nodes *t, uint32_t host);
/* Run until it has so many ready peers; false if not within ms. */
bool nodes_until_ready(struct nodes *t, uint32_t host, uint32_t count, uint64_t ms);

/* The latest event of a kind at a host, NULL if there was none; how many. */
const struct nodes_event *nodes_last(const struct nodes *t, uint32_t host,
				     enum node_event_type type);
size_t nodes_events(const struct nodes *t, uint32_t host, enum node_event_type type);

/* A channel that all tests share: listen on it, post to it, count what came. */
void nodes_listen(struct nodes *t, uint32_t host);
void nodes_post(struct nodes *t, uint32_t host, const char *text);
size_t nodes_heard(const struct nodes *t, uint32_t host, const char *text);

#endif /* TESTS_NODES_H */
