/* SPDX-License-Identifier: MIT */
/* tests/portable/portable.c - same input, same bytes, on every machine.
 *
 * Runs the rooms that need no library (base, rlp, Keccak, the arithmetic of
 * shh) on seeded inputs and prints one digest a subject.  tests/portable/expected
 * holds what x86-64 prints; 32-bit and big-endian machines, other compilers,
 * other levels of optimisation and MSan must print the same (.ci/full).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/blob.h"
#include "base/bucket.h"
#include "base/buf.h"
#include "base/port.h"
#include "base/siphash.h"
#include "shh/envelope.h"

#define must(fact)                                                                         \
	do {                                                                               \
		if (!(fact)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #fact); \
			exit(1);                                                           \
		}                                                                          \
	} while (0)

static struct rng_seeded seed;
static struct rng rng;

static uint64_t below(uint64_t bound)
{
	uint64_t n;

	must(rng_below(&rng, &n, bound) == OK);
	return n;
}

static void feed_u64(struct keccak *k, uint64_t v)
{
	uint8_t b[8];

	be64_store(b, v);
	keccak_update(k, b, sizeof(b));
}

static size_t size_below(size_t bound)
{
	return (size_t)below(bound);
}

/* A number whose length is random too. */
static uint64_t magnitude(void)
{
	uint64_t shift = below(64);

	return below(1ull << shift) + 1;
}

static void finish(const char *subject, const struct keccak *k)
{
	uint8_t digest[32];
	char text[65];

	keccak_peek(k, digest);
	hex_encode(text, digest, 32);
	printf("%s %s\n", subject, text);
}

static void subject_bytes(void)
{
	uint8_t data[100], back[100];
	char text[TEXT_ESCAPED_MAX];
	struct keccak k;

	keccak_init(&k);
	for (int i = 0; i < 1000; i++) {
		size_t len = size_below(sizeof(data));

		must(rng_fill(&rng, data, len) == OK);
		text_escape(text, data, len);
		keccak_update(&k, text, strlen(text));
		hex_encode(text, data, len);
		keccak_update(&k, text, 2 * len);
		must(hex_decode(back, len, text) == OK && memcmp(back, data, len) == 0);
		must(hex_decode(back, len + 1, text) == ERR_SIZE);
	}
	finish("bytes", &k);
}

static void subject_siphash(void)
{
	uint8_t data[70];
	struct keccak k;

	keccak_init(&k);
	for (int i = 0; i < 1000; i++) {
		size_t len = size_below(sizeof(data));
		struct siphash_key key;

		key.k0 = below(UINT64_MAX);
		key.k1 = below(UINT64_MAX);
		must(rng_fill(&rng, data, len) == OK);
		feed_u64(&k, siphash(&key, data, len));
	}
	finish("siphash", &k);
}

static void subject_buckets(void)
{
	struct bucket_rate r = { 0, 0 };
	struct bucket b = { 0, 0 };
	uint64_t now = 0;
	struct keccak k;

	keccak_init(&k);
	for (int i = 0; i < 20000; i++) {
		if (i % 100 == 0) {
			r.rate = magnitude();
			r.burst = magnitude();
			bucket_init(&b, r, now);
		}
		now += below(50);
		feed_u64(&k, bucket_ready_at(&b, r, below(r.burst) + 1, now));
		feed_u64(&k, bucket_take(&b, r, below(r.burst) + 1, now));
		if (below(4) == 0)
			bucket_charge(&b, r, below(r.burst) + 1, now);
	}
	finish("buckets", &k);
}

static void subject_queues(void)
{
	struct keccak k;
	struct mem m;
	struct buf q;

	keccak_init(&k);
	mem_init(&m);
	buf_init(&q, &m, MEM_SEND, 3000);
	for (int i = 0; i < 5000; i++) {
		struct blob *b;
		struct span s;

		must(blob_new(&b, &m, MEM_SEND, size_below(300)) == OK);
		must(rng_fill(&rng, b->data, b->len) == OK);
		feed_u64(&k, buf_append(&q, b->data, b->len));
		blob_unref(b);
		buf_drain(&q, size_below(q.len + 1));
		s = buf_span(&q);
		keccak_update(&k, s.data, s.len);
	}
	buf_reset(&q);
	must(m.total_used == 0);
	finish("queues", &k);
}

/* A random tree, written and then walked; and random damage to it. */
static void write_tree(struct rlp_writer *w, unsigned depth)
{
	uint8_t data[80];
	size_t begin, n;

	switch (below(depth > 0 ? 3 : 2)) {
	case 0: rlp_write_u64(w, magnitude() - 1); break;
	case 1:
		n = size_below(sizeof(data));
		must(rng_fill(&rng, data, n) == OK);
		rlp_write_bytes(w, data, n);
		break;
	default:
		begin = rlp_list_begin(w);
		for (n = size_below(7); n > 0; n--)
			write_tree(w, depth - 1);
		rlp_list_end(w, begin);
	}
}

static void subject_rlp(void)
{
	static uint8_t out[1 << 16];
	struct keccak k;

	keccak_init(&k);
	for (int i = 0; i < 3000; i++) {
		struct rlp_writer w = rlp_writer_init(out, sizeof(out));
		uint8_t *exact;
		size_t at;

		write_tree(&w, 5);
		must(w.err == OK && rlp_validate(out, w.len) == OK);
		keccak_update(&k, out, w.len);
		exact = malloc(w.len); /* the reader's bounds are the heap's */
		must(exact != NULL);
		memcpy(exact, out, w.len);
		at = size_below(w.len);
		exact[at] = (uint8_t)below(256);
		feed_u64(&k, rlp_validate(exact, size_below(w.len + 1)));
		free(exact);
	}
	finish("rlp", &k);
}

static void subject_keccak(void)
{
	static uint8_t data[700];
	struct keccak k, running;
	uint8_t digest[32], lanes[9][32];
	struct keccak_item items[9];

	keccak256(digest, "", 0); /* the one that everybody knows */
	must(digest[0] == 0xc5 && digest[1] == 0xd2 && digest[31] == 0x70);
	keccak_init(&k);
	must(rng_fill(&rng, data, sizeof(data)) == OK);
	for (size_t len = 0; len <= sizeof(data); len++) {
		size_t cut = size_below(len + 1);

		keccak256(digest, data, len);
		keccak_update(&k, digest, 32);
		keccak_init(&running);
		keccak_update(&running, data, cut);
		keccak_update(&running, data + cut, len - cut);
		keccak_peek(&running, lanes[0]);
		must(memcmp(lanes[0], digest, 32) == 0);
		for (size_t i = 0; i < 9; i++)
			items[i] =
				(struct keccak_item){ data, len - (i < len ? i : len), lanes[i] };
		keccak256_many(items, 9);
		must(memcmp(lanes[0], digest, 32) == 0);
		keccak_update(&k, lanes, sizeof(lanes));
	}
	finish("keccak", &k);
}

static void subject_work(void)
{
	static uint8_t content[1200], data[1000];
	struct keccak k;

	keccak_init(&k);
	for (int i = 0; i < 2000; i++) {
		struct shh_envelope env;
		struct shh_bloom bloom;
		struct keccak_search search;
		uint64_t nonce;

		memset(&env, 0, sizeof(env));
		env.expiry = below(1ull << 32);
		env.ttl = below(SHH_TTL_MAX) + 1;
		must(rng_fill(&rng, env.topic.b, 4) == OK);
		env.data = span_of(data, size_below(sizeof(data)));
		must(rng_fill(&rng, data, env.data.len) == OK);
		env.content =
			span_of(content, shh_content_write(content, sizeof(content), env.expiry,
							   env.ttl, env.topic, env.data));
		must(env.content.len > 0);
		for (enum shh_bloom_kind b = SHH_BLOOM_GETH; b <= SHH_BLOOM_PARITY; b++) {
			shh_bloom_of(&bloom, env.topic, b);
			keccak_update(&k, bloom.b, sizeof(bloom.b));
		}
		shh_seal_search_init(&search, env.content, SHH_DIGEST_SINGLE);
		(void)keccak_search_best(&search, &nonce, below(1000), 50, KECCAK_LEADING);
		env.nonce = nonce;
		env.raw = span_of(content, shh_envelope_size(env.content.len, nonce));
		for (enum shh_rule r = SHH_RULE_GETH18; r <= SHH_RULE_NIMBUS; r++) {
			unsigned bits = shh_work_bits(env.content, nonce, shh_rule_digest(r));
			double work = shh_work_value(r, bits, &env);
			uint64_t image;

			memcpy(&image, &work, 8);
			feed_u64(&k, image);
			feed_u64(&k, shh_work_bits_needed(r, work, &env));
		}
	}
	finish("work", &k);
}

int main(void)
{
	rng = rng_seeded_init(&seed, 627);
	subject_bytes();
	subject_siphash();
	subject_buckets();
	subject_queues();
	subject_rlp();
	subject_keccak();
	subject_work();
	return 0;
}
