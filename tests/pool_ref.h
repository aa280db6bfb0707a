/* SPDX-License-Identifier: MIT */
/* tests/pool_ref.h - a slow reference for the pool, which keeps everything in one
 * array and searches it for each question, and insertions that both decide.
 * Header only.
 */
#ifndef TESTS_POOL_REF_H
#define TESTS_POOL_REF_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/port.h"
#include "shh/pool.h"

/* --- chance -------------------------------------------------------------------- */

static struct rng_seeded seed;
static struct rng rng;

static inline void chance(uint64_t number)
{
	rng = rng_seeded_init(&seed, number);
}

static inline uint64_t below(uint64_t bound)
{
	uint64_t n;

	assert_int_equal(rng_below(&rng, &n, bound), OK);
	return n;
}

/* --- the reference ---------------------------------------------------------------- */

#define REF_MAX	  40000
#define REF_SLOTS 70 /* peer slots, in two groups */

enum ref_state { REF_GONE, REF_LIVE, REF_TOMB };

struct ref_entry {
	enum ref_state state;
	struct fingerprint print;
	uint8_t fill;
	uint32_t len, expiry;
	unsigned class;
	uint64_t source;
	bool own;
	uint64_t nonce[2];
	unsigned forms;
	uint64_t seq, buried; /* when it became a tombstone, in steps of time */
	bool known[REF_SLOTS];
	unsigned places;
};

struct ref {
	size_t bytes_max;
	uint32_t count_max;
	uint64_t now_s, step;
	struct ref_entry e[REF_MAX];
	size_t count; /* ever */
	uint64_t evicted, expired;
	bool joined[REF_SLOTS];
};

static struct ref ref;

static inline size_t ref_bytes(void)
{
	size_t n = 0;

	for (size_t i = 0; i < ref.count; i++)
		if (ref.e[i].state != REF_GONE)
			n += SHH__RECORD_COST + (ref.e[i].state == REF_LIVE ? ref.e[i].len : 0);
	return n;
}

static inline uint32_t ref_records(enum ref_state state)
{
	uint32_t n = 0;

	for (size_t i = 0; i < ref.count; i++)
		n += ref.e[i].state == state;
	return n;
}

static inline uint64_t source_of(const struct ref_entry *e)
{
	return e->own ? UINT64_MAX : e->source;
}

static inline size_t source_bytes(uint64_t source)
{
	size_t n = 0;

	for (size_t i = 0; i < ref.count; i++)
		if (ref.e[i].state == REF_LIVE && source_of(&ref.e[i]) == source)
			n += SHH__RECORD_COST + ref.e[i].len;
	return n;
}

/* Sources with envelopes, and the largest of them; among equals any is right. */
static inline unsigned sources(size_t *largest)
{
	uint64_t seen[64];
	unsigned n = 0;

	*largest = 0;
	for (size_t i = 0; i < ref.count; i++) {
		unsigned k = 0;

		if (ref.e[i].state != REF_LIVE)
			continue;
		while (k < n && seen[k] != source_of(&ref.e[i]))
			k++;
		if (k < n)
			continue;
		seen[n++] = source_of(&ref.e[i]);
		if (source_bytes(seen[n - 1]) > *largest)
			*largest = source_bytes(seen[n - 1]);
	}
	return n;
}

/* The lowest class, oldest first, of one source or of all. */
static inline struct ref_entry *lowest(const uint64_t *source)
{
	struct ref_entry *best = NULL;

	for (size_t i = 0; i < ref.count; i++) {
		struct ref_entry *e = &ref.e[i];

		if (e->state != REF_LIVE || (source != NULL && source_of(e) != *source))
			continue;
		if (best == NULL || e->class < best->class ||
		    (e->class == best->class && e->seq < best->seq))
			best = e;
	}
	return best;
}

static inline void ref_bury(struct ref_entry *e)
{
	e->state = REF_TOMB;
	e->buried = ref.step;
	e->places = 0;
}

/* One of the tombstones that are oldest: the one that the pool forgot. */
static inline bool ref_tomb_drop(const struct shh__pool *p)
{
	uint64_t oldest = UINT64_MAX;

	for (size_t i = 0; i < ref.count; i++)
		if (ref.e[i].state == REF_TOMB && ref.e[i].buried < oldest)
			oldest = ref.e[i].buried;
	for (size_t i = 0; i < ref.count; i++)
		if (ref.e[i].state == REF_TOMB && ref.e[i].buried == oldest &&
		    shh__pool_find(p, &ref.e[i].print) == SHH__NONE) {
			ref.e[i].state = REF_GONE;
			return true;
		}
	return false;
}

/* How far the pool, which is done already, has gone with an envelope: among
 * equals the one that is most gone went first. */
static inline unsigned goneness(const struct shh__pool *p, const struct ref_entry *e)
{
	uint32_t idx = shh__pool_find(p, &e->print);

	if (idx == SHH__NONE)
		return 2;
	return shh__entry(p, idx)->state == SHH__LIVE ? 0 : 1;
}

/* Make room by the rules of hardening O1, following the pool's choice among equals. */
static inline enum err ref_room(const struct shh__pool *p, const struct ref_entry *a)
{
	size_t need = SHH__RECORD_COST + a->len, largest;
	uint64_t mine = source_of(a);

	if (need > ref.bytes_max)
		return ERR_FULL;
	for (;;) {
		struct ref_entry *v = NULL;
		unsigned n = sources(&largest);

		if (n >= 4 && ref_bytes() > ref.bytes_max / 2 &&
		    source_bytes(mine) + need > ref.bytes_max / 4) {
			v = lowest(&mine);
			if (v == NULL || v->class > a->class)
				return ERR_FULL;
		} else if (ref_bytes() + need <= ref.bytes_max &&
			   ref_records(REF_LIVE) + ref_records(REF_TOMB) < ref.count_max) {
			return OK;
		} else if (ref_records(REF_TOMB) > 0) {
			assert_true(ref_tomb_drop(p));
			continue;
		} else {
			for (size_t i = 0; n >= 4 && i < ref.count; i++) {
				uint64_t s = source_of(&ref.e[i]);

				if (ref.e[i].state == REF_LIVE && source_bytes(s) == largest &&
				    (v == NULL || goneness(p, lowest(&s)) > goneness(p, v)))
					v = lowest(&s);
			}
			if (v == NULL || v->class > a->class)
				v = lowest(NULL);
			if (v == NULL || v->class > a->class)
				return ERR_FULL;
		}
		ref.evicted++;
		ref_bury(v);
	}
}

static inline void ref_expire(uint64_t now_s)
{
	/* burials happen second by second */
	for (uint64_t t = ref.now_s + 1; t <= now_s; t++) {
		bool any = false;

		for (size_t i = 0; i < ref.count; i++) {
			struct ref_entry *e = &ref.e[i];

			if (e->state == REF_LIVE && t > e->expiry) {
				ref.expired++;
				ref_bury(e);
				any = true;
			}
			if (e->state == REF_TOMB && t > (uint64_t)e->expiry + SHH__TOMB_S)
				e->state = REF_GONE;
		}
		ref.step += any;
	}
	ref.now_s = now_s;
	ref.step++;
}

static inline uint64_t ref_due(void)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < ref.count; i++) {
		if (ref.e[i].state == REF_LIVE)
			due = u64_min(due, (uint64_t)ref.e[i].expiry + 1);
		if (ref.e[i].state == REF_TOMB)
			due = u64_min(due, (uint64_t)ref.e[i].expiry + 1 + SHH__TOMB_S);
	}
	return due;
}

/* --- the same on both -------------------------------------------------------------- */

static uint8_t content[70000];

static inline struct span content_of(const struct ref_entry *e)
{
	memset(content, e->fill, e->len);
	return span_of(content, e->len);
}

static inline enum err both_insert(struct shh__pool *p, struct ref_entry *a)
{
	struct shh__arrival arrival = {
		.print = a->print,
		.content = content_of(a),
		.nonce = a->nonce[0],
		.digest = SHH_DIGEST_DOUBLE,
		.bits = 9,
		.expiry = a->expiry,
		.ttl = 10,
		.source = a->source,
		.own = a->own,
	};
	enum err err;
	uint32_t idx;

	/* a work in the middle of the class */
	arrival.work = 1.1 / 131072;
	for (unsigned i = 0; i < a->class / 4; i++)
		arrival.work *= 2;
	arrival.work += arrival.work / 1.1 * (a->class % 4) / 4;
	assert_int_equal(shh__class_of(arrival.work), a->class);

	err = shh__pool_insert(p, &idx, &arrival);
	assert_int_equal(err, ref_room(p, a));
	if (err != OK)
		return err;
	assert_true(ref.count < REF_MAX);
	a->state = REF_LIVE;
	a->seq = ref.count;
	a->forms = 1;
	a->places = 1;
	ref.e[ref.count++] = *a;
	assert_int_equal(shh__entry(p, idx)->seq, a->seq);
	return OK;
}

static inline void pool_init(struct shh__pool *p, struct mem *mem, size_t bytes, uint32_t count)
{
	mem_init(mem);
	memset(&ref, 0, sizeof(ref));
	ref.bytes_max = bytes;
	ref.count_max = count;
	ref.now_s = 1000;
	shh__pool_init(p, mem, bytes, count, ref.now_s);
}

static inline struct ref_entry entry_of(uint64_t id, uint64_t source, unsigned class, uint32_t len)
{
	struct ref_entry a = { .len = len, .source = source, .class = class, .expiry = 1050 };

	le64_store(a.print.b, id * 0x9e3779b97f4a7c15ull);
	a.fill = (uint8_t)id;
	return a;
}

#endif /* TESTS_POOL_REF_H */
