/* SPDX-License-Identifier: MIT */
/* shh/pool_index.c - from a fingerprint to its record: open addressing, linear probing.
 *
 * A slot holds a record's number and ten bits of its fingerprint, so that a
 * probe touches hardly any record but the right one.  Fingerprints are keyed:
 * nobody outside can choose who collides (hardening C10).
 */
#include "shh/pool.h"

#include <assert.h>

#define SIZE_MIN 1024u
#define IDX_BITS 22
#define IDX_MASK ((1u << IDX_BITS) - 1)

static uint64_t hash_of(const struct fingerprint *print)
{
	return le64_load(print->b);
}

static uint32_t home_of(const struct shh__pool *p, uint64_t hash)
{
	return (uint32_t)hash & (p->index_size - 1);
}

/* Never 0, which is an empty slot. */
static uint32_t slot_of(uint32_t idx, uint64_t hash)
{
	return (idx + 1) | (uint32_t)(hash >> (64 - (32 - IDX_BITS))) << IDX_BITS;
}

static uint32_t slot_idx(uint32_t slot)
{
	return (slot & IDX_MASK) - 1;
}

void shh__pool_prefetch(const struct shh__pool *p, const struct fingerprint *print)
{
	if (p->index_size > 0)
		__builtin_prefetch(&p->index[home_of(p, hash_of(print))]);
}

uint32_t shh__pool_find(const struct shh__pool *p, const struct fingerprint *print)
{
	uint64_t hash = hash_of(print);
	uint32_t tag = slot_of(0, hash) & ~IDX_MASK, i;

	if (p->index_size == 0)
		return SHH__NONE;
	for (i = home_of(p, hash); p->index[i] != 0; i = (i + 1) & (p->index_size - 1)) {
		uint32_t slot = p->index[i];

		if ((slot & ~IDX_MASK) == tag &&
		    memcmp(&shh__entry(p, slot_idx(slot))->print, print, sizeof(*print)) == 0)
			return slot_idx(slot);
	}
	return SHH__NONE;
}

static void slot_put(struct shh__pool *p, uint32_t slot, uint64_t hash)
{
	uint32_t i = home_of(p, hash);

	while (p->index[i] != 0)
		i = (i + 1) & (p->index_size - 1);
	p->index[i] = slot;
}

static enum err resize(struct shh__pool *p, uint32_t size)
{
	uint32_t *old = p->index, old_size = p->index_size;
	uint32_t *fresh = mem_alloc(p->mem, MEM_POOL, size * sizeof(*fresh));

	if (fresh == NULL)
		return ERR_MEM;
	p->index = fresh;
	p->index_size = size;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i] != 0)
			slot_put(p, old[i], hash_of(&shh__entry(p, slot_idx(old[i]))->print));
	mem_free(p->mem, MEM_POOL, old, old_size * sizeof(*old));
	return OK;
}

enum err shh__index_put(struct shh__pool *p, uint32_t idx)
{
	uint64_t hash = hash_of(&shh__entry(p, idx)->print);

	/* tags make long runs of probes cheap; fuller only if memory is short */
	if (p->index_used >= p->index_size / 16 * 13) {
		uint32_t size = p->index_size == 0 ? SIZE_MIN : p->index_size * 2;

		if (resize(p, size) != OK && p->index_used >= p->index_size / 8 * 7)
			return ERR_MEM;
	}
	slot_put(p, slot_of(idx, hash), hash);
	p->index_used++;
	return OK;
}

/* Close the gap at i: move back whoever would not be found any more. */
static void gap_close(struct shh__pool *p, uint32_t i)
{
	uint32_t mask = p->index_size - 1, j = i;

	for (;;) {
		uint32_t home;

		j = (j + 1) & mask;
		if (p->index[j] == 0)
			break;
		home = home_of(p, hash_of(&shh__entry(p, slot_idx(p->index[j]))->print));
		if (((j - home) & mask) >= ((j - i) & mask)) {
			p->index[i] = p->index[j];
			i = j;
		}
	}
	p->index[i] = 0;
}

void shh__index_drop(struct shh__pool *p, uint32_t idx)
{
	uint64_t hash = hash_of(&shh__entry(p, idx)->print);
	uint32_t want = slot_of(idx, hash), i = home_of(p, hash);

	while (p->index[i] != want) {
		assert(p->index[i] != 0);
		i = (i + 1) & (p->index_size - 1);
	}
	gap_close(p, i);
	p->index_used--;
	if (p->index_size > SIZE_MIN && p->index_used < p->index_size / 8)
		(void)!resize(p, p->index_size / 2); /* stays large if memory is short */
}
