/* SPDX-License-Identifier: MIT */
/* sim/inside.h - a world from the inside, for world.c and wires.c. */
#ifndef SIM_INSIDE_H
#define SIM_INSIDE_H

#include "crypto/keccak.h"
#include "sim/world.h"

#define LINKS_MAX 2048 /* numbers that node_accept() may give */
#define NOBODY	  UINT32_MAX

enum event_kind {
	EVENT_DUE,	 /* a host's deadline */
	EVENT_ARRIVE,	 /* bytes of a wire, one way */
	EVENT_CONNECT,	 /* a caller reaches the host it called */
	EVENT_CONNECTED, /* it hears back */
	EVENT_JOB,	 /* a worker is done */
	EVENT_CALL,	 /* somebody wanted to be called */
};

/* Something at a time; equals in the order in which they were made. */
struct event {
	uint64_t at_ms;
	uint64_t seq;
	enum event_kind kind;
	uint32_t what; /* host; wire * 2 + way; wire; job */
	uint32_t life; /* which holder of that number is meant */
};

struct host {
	struct node *node; /* NULL: down */
	struct node_config cfg;
	struct seckey key;
	struct pubkey id;
	struct endpoint at;
	struct rng_seeded rng;
	struct mem mem;
	struct log log;
	char name[24];
	struct sim_world *world;
	int64_t clock_offset_ms;
	uint64_t due_ms; /* of its EVENT_DUE; UINT64_MAX: none */
	uint32_t life;
	bool waits;		  /* for its turn */
	uint32_t next;		  /* in the queue of those that wait */
	uint64_t turn_ms;	  /* when it last had one, ... */
	uint64_t audit_ms;	  /* its counts are looked at next */
	uint32_t turns;		  /* ... and how many in that ms */
	uint32_t wire[LINKS_MAX]; /* by link */
	uint64_t bytes_sent;
};

struct segment {
	struct segment *next;
	uint64_t at_ms;
	size_t len, done;
	bool end; /* of the stream */
	uint8_t data[];
};

/* One direction of a wire; from side i it is way[i]. */
struct way {
	struct segment *head, **tail;
	size_t held;	  /* bytes on the way, and those that the reader left */
	uint64_t free_us; /* when the line has sent what was written */
	uint64_t last_ms; /* the latest arrival so far: order is kept */
	bool writer_waits, reader_rests;
	bool armed; /* an EVENT_ARRIVE is on its way */
};

struct wire {
	uint32_t host[2]; /* the caller, the called */
	uint32_t link[2];
	bool open[2]; /* that side has a link on it */
	bool used;
	uint32_t life;
	struct sim_shape shape;
	struct way way[2];
};

struct job {
	bool used;
	uint32_t host, host_life, id, life;
	struct shh_seal_progress result;
};

struct pair {
	uint32_t a, b; /* a < b */
	struct sim_shape shape;
};

struct sim_world {
	struct sim_config cfg;
	struct rng_seeded rng;
	struct rng port;
	struct crypto *crypto;
	uint64_t now_ms;
	uint64_t seq;
	struct event *heap;
	size_t heap_count, heap_room;
	struct host **host;
	uint32_t host_count;
	uint32_t wait_head, wait_tail; /* NOBODY: none */
	struct wire *wire;
	size_t wire_room;
	struct job *job;
	size_t job_room;
	struct pair *pair;
	size_t pair_count, pair_room;
	struct keccak trace;
	struct sim_totals totals;
	const char *fault;
};

/* Make room for need entries of size bytes, zeroed; a world without memory ends. */
void *sim__grow(struct sim_world *w, void *at, size_t *room, size_t need, size_t size);
void sim__at(struct sim_world *w, uint64_t at_ms, enum event_kind kind, uint32_t what,
	     uint32_t life);
void sim__wake(struct sim_world *w, uint32_t host);
uint64_t sim__chance(struct sim_world *w, uint64_t below);
/* Absorb into the trace. */
void sim__note(struct sim_world *w, char what, uint32_t a, uint32_t b, const void *data,
	       size_t len);
uint32_t sim__host_at(const struct sim_world *w, const struct endpoint *at);

/* wires.c */
void sim__dial(struct sim_world *w, uint32_t host, uint32_t link, const struct endpoint *to);
void sim__write(struct sim_world *w, uint32_t host, uint32_t link);
void sim__resume(struct sim_world *w, uint32_t host, uint32_t link);
void sim__rest(struct sim_world *w, uint32_t host, uint32_t link);
void sim__hang_up(struct sim_world *w, uint32_t host, uint32_t link);
void sim__break_all(struct sim_world *w, uint32_t host);
void sim__reshape(struct sim_world *w, uint32_t a, uint32_t b);
void sim__on_connect(struct sim_world *w, uint32_t wire, uint32_t life);
void sim__on_connected(struct sim_world *w, uint32_t wire, uint32_t life);
void sim__on_arrive(struct sim_world *w, uint32_t wire_way, uint32_t life);
void sim__wires_free(struct sim_world *w);

#endif /* SIM_INSIDE_H */
