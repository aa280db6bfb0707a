/* SPDX-License-Identifier: MIT */
/* bench/intake.c - envelopes accepted per second, new ones and repeated ones,
 * through the Whisper machine alone and through a whole node, from ciphertext on.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/corpus.h"
#include "bench/hub.h"

#define BATCH 16

static const struct {
	size_t size;
	size_t slice; /* envelopes of a slice */
} kinds[] = { { 256, 8192 }, { 1024, 4096 }, { 16384, 256 } };

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bench/intake: %s\n", what);
		abort();
	}
}

static void report(const char *what, size_t size, double ns, double limit_ns, const char *of)
{
	char name[64];

	snprintf(name, sizeof(name), "%s %zu B", what, size);
	bench_report(name, 1e9 / ns, "per s", BENCH_MORE, 1e9 / limit_ns, of);
}

/* --- the machine alone --------------------------------------------------------------- */

struct alone {
	struct mem mem;
	struct crypto *crypto;
	struct rng_seeded seed;
	struct rng rng;
	struct shh *shh;
	uint32_t peers[2];
};

static void drain(struct shh *s)
{
	struct shh_event ev;

	while (shh_poll(s, &ev)) {
		must(ev.type != SHH_EV_DROP, "a peer was dropped");
		if (ev.type == SHH_EV_SEND)
			blob_unref(ev.u.send.payload);
	}
}

static uint32_t join(struct shh *s, uint64_t host)
{
	struct shh_peer_info info = { .client = "Geth/v1.8.27-bench", .host_key = host };
	struct shh_status status = { .min_pow = 0 };
	uint8_t text[SHH_STATUS_MAX];
	uint32_t peer;
	size_t len = shh_status_write(text, sizeof(text), &status);

	must(shh_peer_add(s, &peer, &info, 1000) == OK, "no peer");
	shh_peer_credit(s, peer, 1 << 20, 1000);
	drain(s);
	must(shh_recv(s, peer, SHH_STATUS, span_of(text, len), 1000) == OK, "no Status");
	drain(s);
	return peer;
}

static void alone_new(struct alone *a)
{
	struct shh_config cfg;
	const char *what = "";

	bench_mem_init(&a->mem);
	a->rng = rng_seeded_init(&a->seed, 5);
	must(crypto_new(&a->crypto, &a->rng) == OK, "no contexts");
	shh_config_init(&cfg);
	cfg.crypto = a->crypto;
	cfg.mem = &a->mem;
	cfg.rng = a->rng;
	cfg.wall_offset_ms = CORPUS_WALL_MS;
	cfg.min_pow = 1e-9;
	cfg.pool_bytes = SIZE_MAX / 4;
	cfg.pool_count = 1 << 20;
	must(shh_new(&a->shh, &cfg, &what, 1000) == OK, what);
	for (int i = 0; i < 2; i++)
		a->peers[i] = join(a->shh, (uint64_t)i);
}

/* One slice from one peer; ns for each envelope. */
static double alone_slice(struct alone *a, uint32_t peer, const struct corpus *c, size_t slice)
{
	size_t packets = c->packet_count / (BENCH_SLICES + 1);
	uint64_t start = bench_cpu_ns();

	for (size_t i = slice * packets; i < (slice + 1) * packets; i++) {
		struct span payload = span_of(c->packets[i]->data, c->packets[i]->len);

		must(shh_recv(a->shh, peer, SHH_MESSAGES, payload, 1000) == OK, "not taken");
		drain(a->shh);
		shh_peer_credit(a->shh, a->peers[1], 1 << 20, 1000);
	}
	return (double)(bench_cpu_ns() - start) / (double)(packets * BATCH);
}

static void alone_kind(const struct corpus *c, size_t size)
{
	double new_ns[BENCH_SLICES + 1], repeat_ns[BENCH_SLICES + 1];
	static struct alone a;
	struct shh_stats stats;

	alone_new(&a);
	for (size_t i = 0; i <= BENCH_SLICES; i++)
		new_ns[i] = alone_slice(&a, a.peers[0], c, i);
	for (size_t i = 0; i <= BENCH_SLICES; i++)
		repeat_ns[i] = alone_slice(&a, a.peers[1], c, i);
	shh_stats(a.shh, &stats);
	must(stats.envelopes_new == c->packet_count * BATCH &&
		     stats.duplicates == stats.envelopes_new,
	     "not everything was accepted");
	report("shh/new", size, bench_median(new_ns + 1, BENCH_SLICES), corpus_new_limit_ns(c),
	       "hash in lanes, fingerprint, copy");
	report("shh/repeated", size, bench_median(repeat_ns + 1, BENCH_SLICES),
	       corpus_repeat_limit_ns(c), "fingerprint");
	shh_free(a.shh);
	crypto_free(a.crypto);
}

/* --- a whole node ---------------------------------------------------------------------- */

static double node_slice(struct hub *h, size_t end, const struct corpus *c, size_t slice)
{
	size_t packets = c->packet_count / (BENCH_SLICES + 1);
	struct hub_stream stream;
	uint64_t before;

	hub_seal(h, end, &stream, c, slice * packets, packets);
	before = h->node_ns;
	hub_feed(h, end, &stream);
	return (double)(h->node_ns - before) / (double)(packets * BATCH);
}

static void node_kind(const struct corpus *c, size_t size)
{
	double new_ns[BENCH_SLICES + 1], repeat_ns[BENCH_SLICES + 1];
	double frame_ns = bench_frame_open_ns(c->packets[0]->len) / BATCH;
	static struct hub h;
	struct shh_stats stats;

	hub_new(&h, 1 << 20);
	hub_join(&h);
	for (size_t i = 0; i <= BENCH_SLICES; i++)
		new_ns[i] = node_slice(&h, 0, c, i);
	hub_join(&h);
	h.ends[1].is_deaf = true;
	hub_pass(&h, 100); /* it is told all that is stored */
	for (size_t i = 0; i <= BENCH_SLICES; i++)
		repeat_ns[i] = node_slice(&h, 1, c, i);
	stats = hub_stats(&h);
	must(stats.envelopes_new == c->packet_count * BATCH &&
		     stats.duplicates == stats.envelopes_new,
	     "not everything was accepted");
	report("node/new", size, bench_median(new_ns + 1, BENCH_SLICES),
	       corpus_new_limit_ns(c) + frame_ns, "the same and opening a frame");
	report("node/repeated", size, bench_median(repeat_ns + 1, BENCH_SLICES),
	       corpus_repeat_limit_ns(c) + frame_ns, "fingerprint and opening a frame");
	hub_free(&h);
}

void bench_intake(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct corpus c;
		struct mem mem;

		bench_mem_init(&mem);
		corpus_make(&c, &mem, (BENCH_SLICES + 1) * kinds[i].slice, kinds[i].size, BATCH, i);
		alone_kind(&c, kinds[i].size);
		node_kind(&c, kinds[i].size);
		corpus_free(&c);
	}
}
