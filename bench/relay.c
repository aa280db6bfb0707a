/* SPDX-License-Identifier: MIT */
/* bench/relay.c - a whole node that hands on: what each delivery costs with more
 * peers, what a new envelope costs with more stored, what silence costs, and how
 * often the heap is asked.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/corpus.h"
#include "bench/hub.h"

#define SIZE	     256
#define BATCH	     16
#define SLICE	     2048 /* envelopes */
#define STORED_PEERS 10
#define SILENCE_MS   60000
#define IDLE_STORED  100000
#define IDLE_PEERS   11
#define PATIENCE_MS  1000 /* virtual, until a slice must have gone out */

static void join(struct hub *h, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t end = hub_join(h);

		h->ends[end].is_deaf = i > 0; /* the first one sends */
	}
}

/* Store count envelopes that nobody is told the cost of. */
static void store(struct hub *h, size_t count, uint64_t seed)
{
	struct hub_stream s;
	struct corpus c;

	if (count == 0)
		return;
	corpus_make(&c, &h->ends_mem, count, SIZE, BATCH, seed);
	hub_seal(h, 0, &s, &c, 0, c.packet_count);
	hub_feed(h, 0, &s);
	corpus_free(&c);
}

struct cost {
	double ns;	    /* CPU of the node for each new envelope, everything included */
	double bytes;	    /* on the wire for each delivery */
	double allocations; /* for each new envelope */
};

/* New envelopes into a hub, to all its ends but the first. */
static struct cost spread(struct hub *h)
{
	double ns[BENCH_SLICES + 1], allocations = 0;
	uint64_t bytes_before = h->ends[h->end_count - 1].bytes;
	uint64_t due = hub_stats(h).delivered;
	size_t packets = SLICE / BATCH;
	struct corpus c;

	corpus_make(&c, &h->ends_mem, (BENCH_SLICES + 1) * SLICE, SIZE, BATCH, 77);
	for (size_t i = 0; i <= BENCH_SLICES; i++) {
		uint64_t before = 0, asked = 0;
		struct hub_stream s;

		hub_seal(h, 0, &s, &c, i * packets, packets);
		before = h->node_ns;
		asked = bench_allocations;
		due += (uint64_t)SLICE * (h->end_count - 1);
		hub_feed(h, 0, &s);
		for (int ms = 0; ms < PATIENCE_MS && hub_stats(h).delivered < due; ms++)
			hub_pass(h, 1);
		ns[i] = (double)(h->node_ns - before) / SLICE;
		allocations += i > 0 ? (double)(bench_allocations - asked) : 0;
	}
	corpus_free(&c);
	return (struct cost){
		.ns = bench_median(ns + 1, BENCH_SLICES),
		.bytes = (double)(h->ends[h->end_count - 1].bytes - bytes_before) /
			 ((BENCH_SLICES + 1) * SLICE),
		.allocations = allocations / (BENCH_SLICES * SLICE),
	};
}

static void check_delivered(struct hub *h, size_t receivers)
{
	struct shh_stats s = hub_stats(h);

	if (s.delivered < (uint64_t)(BENCH_SLICES + 1) * SLICE * receivers) {
		fprintf(stderr, "bench/relay: not everything was delivered: %llu\n",
			(unsigned long long)s.delivered);
		abort();
	}
}

static void peers(void)
{
	static const size_t counts[] = { 1, 10, 100 };
	static struct hub h;
	double intake_ns = 0;
	char name[64];

	hub_new(&h, 1 << 20);
	join(&h, 1);
	intake_ns = spread(&h).ns;
	hub_free(&h);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct cost c;
		double frame;

		hub_new(&h, 1 << 20);
		join(&h, 1 + counts[i]);
		c = spread(&h);
		check_delivered(&h, counts[i]);
		hub_free(&h);
		frame = counts[i] > 1 ? bench_frame_seal_many_ns((size_t)(c.bytes * BATCH))
				      : bench_frame_open_ns((size_t)(c.bytes * BATCH));
		snprintf(name, sizeof(name), "relay/delivery, %zu peers", counts[i]);
		bench_report(name, (c.ns - intake_ns) / (double)counts[i], "ns", BENCH_LESS,
			     frame / BATCH, "sealing frames of 16, in lanes if many");
		if (counts[i] == 10)
			bench_report("heap/asked for each envelope, 10 peers", c.allocations, "",
				     BENCH_LESS, 1, "the most that is wanted");
	}
}

/* The cost of a new one must not grow with what is stored. */
static void stored(void)
{
	static const size_t counts[] = { 1000, 10000, 100000 };
	static struct hub h;
	double first = 0;
	char name[64];

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		double ns;

		hub_new(&h, 1 << 20);
		join(&h, 1 + STORED_PEERS);
		store(&h, counts[i], i);
		ns = spread(&h).ns;
		hub_free(&h);
		first = i == 0 ? ns : first;
		snprintf(name, sizeof(name), "relay/new, 10 peers, %zu stored", counts[i]);
		bench_report(name, ns, "ns", BENCH_LESS, first, "with 1000 stored");
	}
}

/* Silence with a full pool; its limit is silence with an empty one. */
static void silence(void)
{
	static struct hub h;
	double cores[2];

	for (int full = 0; full < 2; full++) {
		uint64_t before;

		hub_new(&h, 1 << 20);
		for (size_t i = 0; i < IDLE_PEERS; i++)
			hub_join(&h);
		store(&h, full ? IDLE_STORED : 0, 5);
		hub_pass(&h, 1000);
		before = h.node_ns;
		hub_pass(&h, SILENCE_MS);
		cores[full] = (double)(h.node_ns - before) / (SILENCE_MS * 1e6);
		hub_free(&h);
	}
	bench_report("idle/100000 stored, 11 peers", cores[1] * 1e6, "millionths of a core",
		     BENCH_LESS, cores[0] * 1e6, "with none stored");
}

void bench_relay(void)
{
	peers();
	stored();
	silence();
}
