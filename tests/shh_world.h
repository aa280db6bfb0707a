/* SPDX-License-Identifier: MIT */
/* tests/shh_world.h - a few Whisper machines, linked, in virtual time.
 *
 * Packets arrive at once and in order; jobs run inline; what filters open and
 * what was told is kept for the test to look at.
 */
#ifndef TESTS_SHH_WORLD_H
#define TESTS_SHH_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "shh/shh.h"

#define WORLD_NODES   8
#define WORLD_LINKS   32
#define WORLD_HEARD   4096
#define WORLD_START_S 1600000000ull

struct world_message {
	uint32_t node, filter;
	uint8_t payload[64];
	size_t len;
	bool direct;
	uint64_t sent_s;
	double pow;
};

/* One end of a link; other is the end it leads to.  An end without a machine is
 * the test's own: what is sent to it waits there. */
struct world_end {
	bool used;
	int node;      /* -1: the test's */
	uint32_t peer; /* slot in that machine */
	int other;
	bool gone;
	enum err drop;
	uint64_t pause_ms;
	unsigned pauses;
	struct shh_status status;
	bool ready;
	enum shh_dialect dialect;
	unsigned dialects; /* events */
	struct {
		uint32_t code;
		struct blob *blob;
		uint64_t ms;
	} in[1024];
	size_t in_count;
	size_t confirmed, refused;
};

struct world_node {
	struct mem mem;
	struct rng_seeded seed;
	struct rng rng;
	struct crypto *crypto;
	struct shh *shh;
	uint64_t hashes; /* of jobs */
	unsigned jobs, cancels;
	bool hold_jobs; /* keep them instead of running them */
	uint32_t held_job;
	struct shh_seal_job held;
	struct {
		uint32_t id;
		enum err err;
		uint8_t hash[32];
		double pow;
	} posted[512];
	size_t posted_count;
};

struct world {
	uint64_t now_ms;
	struct world_node node[WORLD_NODES];
	struct world_end end[WORLD_LINKS * 2];
	struct world_message heard[WORLD_HEARD];
	size_t heard_count;
};

void world_init(struct world *w);
void world_fini(struct world *w); /* checks that nothing leaked */

/* A machine with these settings (NULL: cheap ones for tests: min_pow 0.001). */
void world_node(struct world *w, int node, const struct shh_config *cfg);
void world_config(struct shh_config *cfg); /* those settings */

/* Link two machines, each hearing the other's client name; returns a's end. */
int world_link(struct world *w, int a, const char *a_name, int b, const char *b_name);
/* Link a machine to the test itself; returns the test's end. */
int world_guest(struct world *w, int node, const struct shh_peer_info *info);
/* The machine's end of a link. */
struct world_end *world_other(struct world *w, int end);

/* Send a packet from the test's end; what the machine thinks of it. */
enum err world_send(struct world *w, int end, uint32_t code, struct span payload);
/* The same with a Status of four items, as geth sends it. */
void world_hello(struct world *w, int end, double min_pow);
void world_unlink(struct world *w, int end);

/* Deliver until all is quiet, without time passing. */
void world_settle(struct world *w);
/* Let time pass, waking machines when they ask for it. */
void world_run(struct world *w, uint64_t ms);

uint64_t world_now_s(const struct world *w);

/* Post text under a key made of one byte; returns its id. */
uint32_t world_post(struct world *w, int node, uint8_t key, uint32_t topic, const char *text,
		    uint32_t ttl_s, double pow);
uint32_t world_filter(struct world *w, int node, uint8_t key, const uint32_t *topics, size_t count);
struct shh_topic world_topic(uint32_t topic);
/* How many messages with this text a node's filters got. */
size_t world_count(const struct world *w, int node, const char *text);

/* --- envelopes made by hand ---------------------------------------------------- */

struct made {
	uint8_t raw[4096];
	size_t len;
	struct shh_envelope env; /* borrows raw */
};

/* Seal an envelope whose data is len bytes of fill: enough work for target under
 * this digest, and under no rule of the other one. */
void made_envelope(struct made *m, uint64_t expiry, uint64_t ttl, uint32_t topic, uint8_t fill,
		   size_t len, enum shh_digest d, double target);
/* A Messages packet of these; lives in a static buffer until the next call. */
struct span made_packet(const struct made *m, size_t count);

/* Envelopes in the Messages packets that an end received, matched by content. */
size_t end_envelopes(const struct world_end *e, const struct made *m);
/* The same, with the first of them if there is any; it borrows from the packet. */
size_t end_find(const struct world_end *e, const struct made *m, struct shh_envelope *first);
size_t end_packets(const struct world_end *e, uint32_t code);

#endif /* TESTS_SHH_WORLD_H */
