/* SPDX-License-Identifier: MIT */
/* shh/pool_records.c - records in chunks of 256, and what each peer knows of them.
 *
 * Records are taken from one chunk until it is full, so that chunks which ran
 * empty can be given back; one empty chunk is kept, so that a pool that breathes
 * does not allocate.  What a peer knows is a bit in a word beside each record,
 * a word for every 64 peer slots that are in use (docs/ARCHITECTURE.md).
 */
#include "shh/pool.h"

#include <assert.h>

#define CHUNK_MAX (SHH__POOL_COUNT_MAX / 256 + 1)
#define WORDS	  256u

static size_t words_size(void)
{
	return WORDS * sizeof(uint64_t);
}

static void roomy_join(struct shh__pool *p, struct shh__records *c)
{
	c->prev = NULL;
	c->next = p->roomy;
	if (p->roomy != NULL)
		p->roomy->prev = c;
	p->roomy = c;
}

static void roomy_leave(struct shh__pool *p, struct shh__records *c)
{
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		p->roomy = c->next;
}

static void chunk_free(struct shh__pool *p, struct shh__records *c)
{
	for (unsigned g = 0; g < SHH__KNOWN_GROUPS; g++)
		mem_free(p->mem, MEM_POOL, c->known[g], words_size());
	p->chunks[c->number] = NULL;
	mem_free(p->mem, MEM_POOL, c, sizeof(*c));
}

static enum err table_grow(struct shh__pool *p)
{
	uint32_t room = p->chunk_room == 0 ? 16 : p->chunk_room * 2;
	void *table = mem_resize(p->mem, MEM_POOL, p->chunks, p->chunk_room * sizeof(void *),
				 room * sizeof(void *));

	if (table == NULL)
		return ERR_MEM;
	p->chunks = table;
	p->chunk_room = room;
	return OK;
}

/* A number for a new chunk: a hole in the table, or its end. */
static enum err number_find(struct shh__pool *p, uint32_t *out)
{
	for (uint32_t i = 0; i < p->chunk_count; i++)
		if (p->chunks[i] == NULL) {
			*out = i;
			return OK;
		}
	if (p->chunk_count == CHUNK_MAX)
		return ERR_MEM;
	if (p->chunk_count == p->chunk_room && table_grow(p) != OK)
		return ERR_MEM;
	p->chunks[p->chunk_count] = NULL;
	*out = p->chunk_count++;
	return OK;
}

static enum err chunk_new(struct shh__pool *p)
{
	struct shh__records *c;
	uint32_t number;

	if (number_find(p, &number) != OK)
		return ERR_MEM;
	c = mem_alloc(p->mem, MEM_POOL, sizeof(*c));
	if (c == NULL)
		return ERR_MEM;
	c->number = number;
	for (unsigned g = 0; g < SHH__KNOWN_GROUPS; g++) {
		if (p->group_peers[g] == 0)
			continue;
		c->known[g] = mem_alloc(p->mem, MEM_POOL, words_size());
		if (c->known[g] == NULL) {
			chunk_free(p, c);
			return ERR_MEM;
		}
	}
	memset(c->free, 0xff, sizeof(c->free));
	p->chunks[number] = c;
	roomy_join(p, c);
	p->empties++;
	return OK;
}

enum err shh__record_new(struct shh__pool *p, uint32_t *idx)
{
	struct shh__records *c;
	unsigned word = 0, bit;

	if (p->roomy == NULL && chunk_new(p) != OK)
		return ERR_MEM;
	c = p->roomy;
	while (c->free[word] == 0)
		word++;
	bit = (unsigned)__builtin_ctzll(c->free[word]);
	c->free[word] &= ~(1ull << bit);
	if (c->used++ == 0)
		p->empties--;
	if (c->used == 256)
		roomy_leave(p, c);
	*idx = c->number << 8 | (uint32_t)(word * 64 + bit);
	memset(&c->e[*idx & 255], 0, sizeof(c->e[0]));
	for (unsigned g = 0; g < SHH__KNOWN_GROUPS; g++)
		if (c->known[g] != NULL)
			c->known[g][*idx & 255] = 0;
	return OK;
}

void shh__record_free(struct shh__pool *p, uint32_t idx)
{
	struct shh__records *c = p->chunks[idx >> 8];

	assert(c->used > 0 && (c->free[(idx & 255) / 64] >> idx % 64 & 1) == 0);
	c->free[(idx & 255) / 64] |= 1ull << idx % 64;
	c->e[idx & 255].state = SHH__FREE;
	if (c->used-- == 256)
		roomy_join(p, c);
	if (c->used > 0)
		return;
	if (p->empties > 0) {
		roomy_leave(p, c);
		chunk_free(p, c);
	} else {
		p->empties++;
	}
}

/* --- known bits ----------------------------------------------------------------- */

static void group_free(struct shh__pool *p, unsigned g)
{
	for (uint32_t i = 0; i < p->chunk_count; i++) {
		if (p->chunks[i] == NULL)
			continue;
		mem_free(p->mem, MEM_POOL, p->chunks[i]->known[g], words_size());
		p->chunks[i]->known[g] = NULL;
	}
}

static enum err group_new(struct shh__pool *p, unsigned g)
{
	for (uint32_t i = 0; i < p->chunk_count; i++) {
		if (p->chunks[i] == NULL)
			continue;
		p->chunks[i]->known[g] = mem_alloc(p->mem, MEM_POOL, words_size());
		if (p->chunks[i]->known[g] == NULL) {
			group_free(p, g);
			return ERR_MEM;
		}
	}
	return OK;
}

enum err shh__known_join(struct shh__pool *p, uint32_t slot)
{
	unsigned g = slot / 64;

	assert(g < SHH__KNOWN_GROUPS);
	if (p->group_peers[g] == 0 && group_new(p, g) != OK)
		return ERR_MEM;
	p->group_peers[g]++;
	for (uint32_t i = 0; i < p->chunk_count; i++)
		if (p->chunks[i] != NULL)
			for (unsigned w = 0; w < WORDS; w++)
				p->chunks[i]->known[g][w] &= ~(1ull << slot % 64);
	return OK;
}

void shh__known_leave(struct shh__pool *p, uint32_t slot)
{
	unsigned g = slot / 64;

	assert(p->group_peers[g] > 0);
	if (--p->group_peers[g] == 0)
		group_free(p, g);
}

bool shh__known(const struct shh__pool *p, uint32_t idx, uint32_t slot)
{
	return (p->chunks[idx >> 8]->known[slot / 64][idx & 255] >> slot % 64 & 1) != 0;
}

void shh__known_set(struct shh__pool *p, uint32_t idx, uint32_t slot)
{
	p->chunks[idx >> 8]->known[slot / 64][idx & 255] |= 1ull << slot % 64;
}

void shh__known_clear(struct shh__pool *p, uint32_t idx, uint32_t slot)
{
	p->chunks[idx >> 8]->known[slot / 64][idx & 255] &= ~(1ull << slot % 64);
}
