/* SPDX-License-Identifier: MIT */
/* bench/load/corpus.c - envelopes, encoded before any clock starts.
 *
 * Data is a tag of the run (24 bit), the number (40 bit) and a filling that
 * does not compress.  Nonce 0: no work is done, the node's minimum is tiny.
 */
#include <stdlib.h>
#include <time.h>

#include "bench/load/load.h"

#define NUMBERED 8

static size_t data_len(const struct load *l)
{
	return l->plan->size - 20;
}

static uint64_t random64(struct load *l)
{
	uint64_t v;

	if (rng_fill(&l->rng, (uint8_t *)&v, sizeof(v)) != OK)
		abort();
	return v;
}

static void fill(struct load *l, uint8_t *data, size_t len, uint32_t number)
{
	uint64_t state = random64(l) | 1;

	be64_store(data, ((uint64_t)l->tag << 40) | number);
	for (size_t i = NUMBERED; i < len; i++) { /* xorshift64 */
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		data[i] = (uint8_t)(state >> 32);
	}
}

static struct blob *packet(struct load *l, uint8_t *data, uint8_t *content, uint32_t first,
			   uint32_t count, uint64_t expiry)
{
	size_t len = data_len(l), one, room;
	struct rlp_writer w;
	struct blob *b;

	/* Every envelope of a run has the same lengths. */
	memset(data, 0xff, len);
	one = shh_envelope_size(shh_content_size(expiry, l->plan->ttl_s, len, data), 0);
	room = rlp_size_list(count * one);
	if (blob_new(&b, &l->mem, MEM_SEND, room) != OK)
		give_up("out of memory");
	w = rlp_writer_init(b->data, room);
	rlp_write_list(&w, count * one);
	for (uint32_t i = 0; i < count; i++) {
		bool audited = (first + i) % AUDIT_EVERY == 0;
		size_t n;

		fill(l, data, len, first + i);
		n = shh_content_write(content, len + 64, expiry, l->plan->ttl_s,
				      audited ? l->audited : l->topic, span_of(data, len));
		shh_envelope_write(w.out + w.len, span_of(content, n), 0);
		w.len += one;
	}
	if (w.err != OK || w.len != room)
		abort();
	return b;
}

void corpus_make(struct load *l, struct corpus *c, uint32_t first, uint32_t count)
{
	uint64_t expiry = (uint64_t)time(NULL) + l->plan->ttl_s;
	uint8_t *data = malloc(data_len(l)), *content = malloc(data_len(l) + 64);
	uint32_t batch = l->plan->batch;

	c->first = first;
	c->count = count;
	c->packet_count = (count + batch - 1) / batch;
	c->packets = calloc((size_t)c->packet_count + 1, sizeof(*c->packets));
	if (data == NULL || content == NULL || c->packets == NULL)
		give_up("out of memory");
	for (uint32_t i = 0; i < c->packet_count; i++) {
		uint32_t at = i * batch, n = count - at < batch ? count - at : batch;

		c->packets[i] = packet(l, data, content, first + at, n, expiry);
		c->bytes += c->packets[i]->len;
	}
	free(data);
	free(content);
}

void corpus_free(struct corpus *c)
{
	for (uint32_t i = 0; i < c->packet_count; i++)
		blob_unref(c->packets[i]);
	free(c->packets);
}

bool corpus_number(const struct load *l, const struct shh_envelope *env, uint32_t *number)
{
	uint64_t v;

	if (env->data.len < NUMBERED)
		return false;
	v = be64_load(env->data.data);
	*number = (uint32_t)v;
	return v >> 40 == l->tag && (v & 0xffffffffff) < l->envelopes;
}

struct blob *status_make(struct load *l, enum role role)
{
	struct shh_status s = { .min_pow = 0, .has_bloom = true };
	struct blob *b;

	memset(s.bloom.b, role == AUDITOR ? 0 : 0xff, SHH_BLOOM_SIZE);
	if (role == AUDITOR)
		shh_bloom_of(&s.bloom, l->audited, SHH_BLOOM_GETH);
	if (blob_new(&b, &l->mem, MEM_SEND, SHH_STATUS_MAX) != OK)
		give_up("out of memory");
	b->len = shh_status_write(b->data, SHH_STATUS_MAX, &s);
	return b;
}
