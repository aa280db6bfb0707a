/* SPDX-License-Identifier: MIT */
/* bench/corpus.c - envelopes by the thousand, and what they cost at least. */
#include "bench/corpus.h"

#include <stdlib.h>

#include "bench/bench.h"
#include "crypto/keccak.h"

#define BITS	    8  /* of work in each envelope */
#define LANES_ITEMS 64 /* digests side by side, as an intake has them */

static void must(bool ok)
{
	if (!ok)
		abort();
}

void bench_mem_init(struct mem *m)
{
	mem_init(m);
	for (int i = 0; i < MEM_ACCOUNTS; i++)
		m->cap[i] = SIZE_MAX;
	m->total_cap = SIZE_MAX;
}

/* A little work, as geth 1.8 counts it: what could have its few zero bits by
 * chance is graded twice, as real envelopes never are. */
static size_t envelope(uint8_t *out, struct span content)
{
	struct keccak_search search;
	uint64_t nonce;

	shh_seal_search_init(&search, content, SHH_DIGEST_DOUBLE);
	must(keccak_search_run(&search, &nonce, 0, UINT32_MAX, KECCAK_TRAILING, BITS));
	return shh_envelope_write(out, content, nonce);
}

static struct blob *packet(struct corpus *c, struct mem *mem, struct rng *rng, uint8_t *data,
			   size_t data_len, size_t count)
{
	uint64_t expiry = CORPUS_WALL_MS / 1000 + CORPUS_TTL_S;
	struct shh_topic topic = { { 'b', 'e', 'n', 'c' } };
	uint8_t *content = malloc(c->content_len), *list = malloc(count * (c->envelope_len + 9));
	struct rlp_writer w;
	size_t len = 0;
	struct blob *b;

	must(content != NULL && list != NULL);
	for (size_t i = 0; i < count; i++) {
		must(rng_fill(rng, data, data_len) == OK);
		must(shh_content_write(content, c->content_len, expiry, CORPUS_TTL_S, topic,
				       span_of(data, data_len)) == c->content_len);
		len += envelope(list + len, span_of(content, c->content_len));
	}
	must(blob_new(&b, mem, MEM_SEND, rlp_size_list(len)) == OK);
	w = rlp_writer_init(b->data, b->len);
	rlp_write_list(&w, len);
	rlp_write_raw(&w, list, len);
	free(content);
	free(list);
	return b;
}

void corpus_make(struct corpus *out, struct mem *mem, size_t count, size_t size, size_t batch,
		 uint64_t seed)
{
	size_t data_len = size - 20;
	uint8_t *data = calloc(1, data_len);
	struct rng_seeded state;
	struct rng rng = rng_seeded_init(&state, seed);

	*out = (struct corpus){ .packet_count = (count + batch - 1) / batch, .batch = batch };
	out->packets = calloc(out->packet_count, sizeof(struct blob *));
	must(data != NULL && out->packets != NULL);
	out->content_len = shh_content_size(CORPUS_WALL_MS / 1000 + CORPUS_TTL_S, CORPUS_TTL_S,
					    data_len, data);
	out->envelope_len = shh_envelope_size(out->content_len, 0);
	for (size_t i = 0; i < out->packet_count; i++)
		out->packets[i] =
			packet(out, mem, &rng, data, data_len, size_min(batch, count - i * batch));
	free(data);
}

void corpus_free(struct corpus *c)
{
	for (size_t i = 0; i < c->packet_count; i++)
		blob_unref(c->packets[i]);
	free(c->packets);
}

/* --- limits --------------------------------------------------------------------- */

struct digests {
	struct keccak_item items[LANES_ITEMS];
	uint8_t out[LANES_ITEMS][32];
	struct fingerprinter *prints;
	const uint8_t *from;
	uint8_t *to;
	size_t len;
};

static void run_digests(void *ctx, uint64_t n)
{
	struct digests *d = ctx;

	for (uint64_t i = 0; i < n; i += LANES_ITEMS)
		keccak256_many(d->items, LANES_ITEMS);
	bench_use(d->out);
}

static void run_prints(void *ctx, uint64_t n)
{
	struct digests *d = ctx;
	struct fingerprint out;

	for (uint64_t i = 0; i < n; i++) {
		fingerprint_of(d->prints, &out, d->from, d->len);
		bench_use(&out);
	}
}

static void run_copies(void *ctx, uint64_t n)
{
	struct digests *d = ctx;

	for (uint64_t i = 0; i < n; i++) {
		memcpy(d->to, d->from, d->len);
		bench_use(d->to);
	}
}

static void digests_init(struct digests *d, const struct corpus *c)
{
	struct rng_seeded state;
	struct rng rng = rng_seeded_init(&state, 9);

	must(fingerprinter_new(&d->prints, &rng) == OK);
	d->from = c->packets[0]->data;
	d->len = c->content_len;
	d->to = malloc(d->len);
	must(d->to != NULL);
	for (size_t i = 0; i < LANES_ITEMS; i++)
		d->items[i] = (struct keccak_item){ d->from, d->len + 8, d->out[i] };
}

static void digests_free(struct digests *d)
{
	fingerprinter_free(d->prints);
	free(d->to);
}

double corpus_new_limit_ns(const struct corpus *c)
{
	struct digests d;
	double ns;

	digests_init(&d, c);
	ns = bench_ns(run_digests, &d) + bench_ns(run_prints, &d) + bench_ns(run_copies, &d);
	digests_free(&d);
	return ns;
}

double corpus_repeat_limit_ns(const struct corpus *c)
{
	struct digests d;
	double ns;

	digests_init(&d, c);
	ns = bench_ns(run_prints, &d);
	digests_free(&d);
	return ns;
}
