/* SPDX-License-Identifier: MIT */
/* bench/hub.h - one whole node, and many ends of links to it, joined by memory.
 *
 * The node's own CPU is what counts: the ends' handshakes, encryption and
 * decryption happen outside the stretches that are timed.
 */
#ifndef BENCH_HUB_H
#define BENCH_HUB_H

#include "bench/corpus.h"
#include "node/node.h"

#define HUB_ENDS_MAX 1024
#define HUB_CHUNK    65536 /* bytes fed to the node at once, as from a socket */

struct hub_end {
	struct rlpx_host *host;
	struct rlpx *conn;
	uint32_t link;
	bool is_up;	/* Status exchanged */
	bool is_deaf;	/* what the node sends is thrown away */
	uint64_t bytes; /* that the node sent */
};

struct hub {
	struct mem mem; /* the node's */
	struct mem ends_mem;
	struct crypto *crypto;
	struct rng_seeded seed;
	struct rng rng;
	struct node *node;
	uint64_t now_ms;
	uint64_t node_ns; /* CPU spent in the node so far */
	struct hub_end ends[HUB_ENDS_MAX];
	size_t end_count;
};

void hub_new(struct hub *h, uint32_t pool_count);
void hub_free(struct hub *h);

/* Connect one more end, up to Status; returns its number. */
size_t hub_join(struct hub *h);

/* The ciphertext that an end makes of a corpus, made before the clock; owned by
 * the caller. */
struct hub_stream {
	uint8_t *data;
	size_t len;
};
void hub_seal(struct hub *h, size_t end, struct hub_stream *out, const struct corpus *c,
	      size_t first, size_t count);

/* Feed a stream to the node and let it do all that follows. */
void hub_feed(struct hub *h, size_t end, struct hub_stream *stream);

/* Let virtual time pass, timers and Pings included. */
void hub_pass(struct hub *h, uint64_t ms);

struct shh_stats hub_stats(struct hub *h);

#endif /* BENCH_HUB_H */
