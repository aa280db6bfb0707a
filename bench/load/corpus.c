/* SPDX-License-Identifier: MIT */
/* bench/load/corpus.c - envelopes, encoded before any clock starts.
 *
 * Data is a tag of the run (24 bit), the number (40 bit) and a filling that
 * does not compress.  The work is small and the node's minimum tiny, since what
 * checking costs does not depend on it; but a node may grade twice what could
 * have its few zero bits by chance, as real envelopes never do.
 */
#include <stdlib.h>
#include <time.h>

#include "bench/load/load.h"

#define NUMBERED      8
#define CONTENT_EXTRA 64 /* bytes of an envelope besides its data, at most */

/* Where envelopes are put together. */
struct scratch {
	uint8_t *data, *content, *list;
};

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

/* The smallest nonce with bits zero bits as geth 1.8 counts them. */
static uint64_t mine(struct span content, unsigned bits)
{
	struct keccak_search search;
	uint64_t nonce = 0;

	shh_seal_search_init(&search, content, SHH_DIGEST_DOUBLE);
	if (bits > 0 && !keccak_search_run(&search, &nonce, 0, UINT32_MAX, KECCAK_TRAILING, bits))
		abort();
	return nonce;
}

/* One envelope at the end of out; its length. */
static size_t envelope(struct load *l, uint8_t *out, struct scratch *s, uint32_t number,
		       uint64_t expiry)
{
	size_t len = data_len(l);
	struct span content = { .data = s->content };
	uint64_t nonce;

	fill(l, s->data, len, number);
	content.len = shh_content_write(s->content, len + CONTENT_EXTRA, expiry, l->plan->ttl_s,
					number % AUDIT_EVERY == 0 ? l->audited : l->topic,
					span_of(s->data, len));
	nonce = mine(content, l->plan->bits);
	return shh_envelope_write(out, content, nonce);
}

static struct blob *packet(struct load *l, struct scratch *s, uint32_t first, uint32_t count,
			   uint64_t expiry)
{
	struct rlp_writer w;
	struct blob *b;
	size_t len = 0;

	for (uint32_t i = 0; i < count; i++)
		len += envelope(l, s->list + len, s, first + i, expiry);
	if (blob_new(&b, &l->mem, MEM_SEND, rlp_size_list(len)) != OK)
		give_up("out of memory");
	w = rlp_writer_init(b->data, b->len);
	rlp_write_list(&w, len);
	rlp_write_raw(&w, s->list, len);
	if (w.err != OK || w.len != b->len)
		abort();
	return b;
}

void corpus_make(struct load *l, struct corpus *c, uint32_t first, uint32_t count)
{
	uint64_t expiry = (uint64_t)time(NULL) + l->plan->ttl_s;
	size_t len = data_len(l) + CONTENT_EXTRA;
	uint32_t batch = l->plan->batch;
	struct scratch s = { malloc(len), malloc(len), malloc(len * batch) };

	c->first = first;
	c->count = count;
	c->packet_count = (count + batch - 1) / batch;
	c->packets = calloc((size_t)c->packet_count + 1, sizeof(*c->packets));
	if (s.data == NULL || s.content == NULL || s.list == NULL || c->packets == NULL)
		give_up("out of memory");
	for (uint32_t i = 0; i < c->packet_count; i++) {
		uint32_t at = i * batch, n = count - at < batch ? count - at : batch;

		c->packets[i] = packet(l, &s, first + at, n, expiry);
		c->bytes += c->packets[i]->len;
	}
	free(s.data);
	free(s.content);
	free(s.list);
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
