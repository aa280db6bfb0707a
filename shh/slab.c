/* SPDX-License-Identifier: MIT */
/* shh/slab.c - contents of envelopes, packed in chunks.
 *
 * A content is put where the last one ended, behind its owner's number, who
 * knows its length; a chunk that has lost its last content is given back.  When long
 * lives hold sparse chunks, the sparsest is emptied into a chunk for survivors,
 * so what is held stays within a quarter of what is used and a little more.
 * Contents of more than a quarter of a chunk have one of their own.
 *
 * A place is a number: chunk and offset in words of four bytes.
 */
#include "shh/pool.h"

#include <assert.h>

#define CHUNK_WORDS   32768u /* 128 KiB of contents */
#define OFFSET_BITS   15
#define CHUNKS_MAX    (1u << (32 - OFFSET_BITS))
#define OWN_CHUNK_MIN (CHUNK_WORDS / 4)
#define WASTE_MIN     ((size_t)4 * CHUNK_WORDS * 4) /* four chunks: do not bother below */

/* Before each content: its owner's number; once it was dropped, DEAD and how many words it takes. */
#define DEAD	      0x80000000u
#define HEAD_WORDS    1
_Static_assert(SHH__POOL_COUNT_MAX < DEAD, "owners and the dead are told apart");

struct shh__chunk {
	uint32_t words; /* of room */
	uint32_t used;	/* words written */
	uint32_t live;	/* words in use */
	uint32_t pad;
	uint32_t data[];
};

static uint32_t words_of(uint32_t len)
{
	return HEAD_WORDS + len / 4 + (len % 4 != 0);
}

static size_t chunk_bytes(uint32_t words)
{
	return sizeof(struct shh__chunk) + (size_t)words * 4;
}

void shh__slab_init(struct shh__slab *s, struct mem *mem)
{
	*s = (struct shh__slab){ .mem = mem, .vacant = SHH__NONE };
	s->open[0] = s->open[1] = SHH__NONE;
}

/* One empty chunk is kept while there is anything, so that a pool that breathes
 * does not allocate. */
static void spare_drop(struct shh__slab *s)
{
	mem_free(s->mem, MEM_POOL, s->spare, chunk_bytes(CHUNK_WORDS));
	s->spare = NULL;
}

static void chunk_free(struct shh__slab *s, uint32_t number)
{
	struct shh__chunk *c = s->chunks[number];

	s->held -= chunk_bytes(c->words);
	if (c->words == CHUNK_WORDS && s->spare == NULL && s->live > 0)
		s->spare = c;
	else
		mem_free(s->mem, MEM_POOL, c, chunk_bytes(c->words));
	s->chunks[number] = NULL;
	for (unsigned i = 0; i < 2; i++)
		if (s->open[i] == number)
			s->open[i] = SHH__NONE;
	if (number < s->vacant)
		s->vacant = number;
}

void shh__slab_fini(struct shh__slab *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->chunks[i] != NULL)
			chunk_free(s, i);
	spare_drop(s);
	mem_free(s->mem, MEM_POOL, s->chunks, s->room * sizeof(struct shh__chunk *));
	*s = (struct shh__slab){ 0 };
}

/* The lowest number without a chunk, the table grown for it. */
static enum err number_find(struct shh__slab *s, uint32_t *out)
{
	uint32_t n = s->vacant < s->count ? s->vacant : s->count;
	uint32_t room = s->room < 64 ? 64 : s->room * 2;
	void *table;

	while (n < s->count && s->chunks[n] != NULL)
		n++;
	if (n == CHUNKS_MAX)
		return ERR_MEM;
	if (n == s->room) {
		table = mem_resize(s->mem, MEM_POOL, s->chunks, s->room * sizeof(void *),
				   room * sizeof(void *));
		if (table == NULL)
			return ERR_MEM;
		s->chunks = table;
		s->room = room;
	}
	if (n == s->count)
		s->chunks[s->count++] = NULL;
	s->vacant = n;
	*out = n;
	return OK;
}

static enum err chunk_new(struct shh__slab *s, uint32_t *number, uint32_t words)
{
	struct shh__chunk *c;

	if (number_find(s, number) != OK)
		return ERR_MEM;
	c = words == CHUNK_WORDS ? s->spare : NULL;
	if (c != NULL)
		s->spare = NULL;
	else /* not zeroed, so that what is never written is never touched */
		c = mem_resize(s->mem, MEM_POOL, NULL, 0, chunk_bytes(words));
	if (c == NULL)
		return ERR_MEM;
	*c = (struct shh__chunk){ .words = words };
	s->chunks[*number] = c;
	s->held += chunk_bytes(words);
	s->vacant = *number + 1;
	return OK;
}

/* Words for a content in the chunk of one kind, a new one if it is full. */
static enum err place_find(struct shh__slab *s, uint32_t *number, uint32_t words, unsigned kind)
{
	uint32_t open = s->open[kind];

	if (words > OWN_CHUNK_MIN)
		return chunk_new(s, number, words);
	if (open == SHH__NONE || words > s->chunks[open]->words - s->chunks[open]->used) {
		if (chunk_new(s, number, CHUNK_WORDS) != OK)
			return ERR_MEM;
		/* the old one may be empty already, and nobody would notice again */
		if (open != SHH__NONE && s->chunks[open]->live == 0)
			chunk_free(s, open);
		s->open[kind] = *number;
		return OK;
	}
	*number = open;
	return OK;
}

static enum err put(struct shh__slab *s, uint32_t *at, struct span data, uint32_t owner,
		    unsigned kind)
{
	uint32_t words = words_of((uint32_t)data.len), number;
	struct shh__chunk *c;

	if (place_find(s, &number, words, kind) != OK)
		return ERR_MEM;
	c = s->chunks[number];
	*at = number << OFFSET_BITS | c->used;
	c->data[c->used] = owner;
	memcpy(&c->data[c->used + HEAD_WORDS], data.data, data.len);
	c->used += words;
	c->live += words;
	s->live += (size_t)words * 4;
	return OK;
}

enum err shh__slab_put(struct shh__slab *s, uint32_t *at, struct span data, uint32_t owner)
{
	return put(s, at, data, owner, 0);
}

static uint32_t *place(const struct shh__slab *s, uint32_t at)
{
	return &s->chunks[at >> OFFSET_BITS]->data[at & ((1u << OFFSET_BITS) - 1)];
}

struct span shh__slab_get(const struct shh__slab *s, uint32_t at, uint32_t len)
{
	return span_of(place(s, at) + HEAD_WORDS, len);
}

void shh__slab_drop(struct shh__slab *s, uint32_t at, uint32_t len)
{
	uint32_t number = at >> OFFSET_BITS, words = words_of(len);
	struct shh__chunk *c = s->chunks[number];

	assert((*place(s, at) & DEAD) == 0);
	*place(s, at) = DEAD | words;
	c->live -= words;
	s->live -= (size_t)words * 4;
	if (s->live == 0)
		spare_drop(s);
	if (c->live > 0)
		return;
	if (number == s->open[0] || number == s->open[1])
		c->used = 0; /* go on filling it from the start */
	else
		chunk_free(s, number);
}

/* The closed chunk with the largest part of it dead. */
static uint32_t sparsest(const struct shh__slab *s)
{
	uint32_t best = SHH__NONE, best_dead = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		const struct shh__chunk *c = s->chunks[i];

		if (c == NULL || c->words != CHUNK_WORDS || i == s->open[0] || i == s->open[1])
			continue;
		if (c->words - c->live > best_dead) {
			best_dead = c->words - c->live;
			best = i;
		}
	}
	return best_dead > CHUNK_WORDS / 8 ? best : SHH__NONE;
}

/* Move what lives in a chunk elsewhere; the last one takes the chunk with it. */
static bool chunk_empty(struct shh__slab *s, uint32_t number, const struct shh__owners *owners)
{
	struct shh__chunk *c = s->chunks[number];
	uint32_t i = 0, at, words, left = c->live;

	while (left > 0) {
		uint32_t owner = c->data[i], len;

		if ((owner & DEAD) != 0) {
			i += owner & ~DEAD;
			continue;
		}
		len = owners->len(owners->ctx, owner);
		words = words_of(len);
		if (put(s, &at, span_of(&c->data[i + HEAD_WORDS], len), owner, 1) != OK)
			return false; /* what was moved has moved, the rest stays */
		owners->moved(owners->ctx, owner, at);
		shh__slab_drop(s, number << OFFSET_BITS | i, len);
		left -= words;
		i += words;
	}
	return true;
}

bool shh__slab_clean(struct shh__slab *s, bool force, const struct shh__owners *owners)
{
	size_t waste = s->held - s->live;
	uint32_t number;

	if (!force && (waste < WASTE_MIN || waste < s->live / 4))
		return false;
	number = sparsest(s);
	return number != SHH__NONE && chunk_empty(s, number, owners);
}
