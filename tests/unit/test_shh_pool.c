/* SPDX-License-Identifier: MIT */
/* The pool against a slow reference that keeps everything in one array and
 * searches it for each question; and its memory, when it is scarce and after
 * everything has gone (hardening O1, O4, O5, O6; performance rows 30 to 32).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/port.h"
#include "shh/pool.h"

/* --- chance -------------------------------------------------------------------- */

static struct rng_seeded seed;
static struct rng rng;

static void chance(uint64_t number)
{
	rng = rng_seeded_init(&seed, number);
}

static uint64_t below(uint64_t bound)
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

static size_t ref_bytes(void)
{
	size_t n = 0;

	for (size_t i = 0; i < ref.count; i++)
		if (ref.e[i].state != REF_GONE)
			n += SHH__RECORD_COST + (ref.e[i].state == REF_LIVE ? ref.e[i].len : 0);
	return n;
}

static uint32_t ref_records(enum ref_state state)
{
	uint32_t n = 0;

	for (size_t i = 0; i < ref.count; i++)
		n += ref.e[i].state == state;
	return n;
}

static uint64_t source_of(const struct ref_entry *e)
{
	return e->own ? UINT64_MAX : e->source;
}

static size_t source_bytes(uint64_t source)
{
	size_t n = 0;

	for (size_t i = 0; i < ref.count; i++)
		if (ref.e[i].state == REF_LIVE && source_of(&ref.e[i]) == source)
			n += SHH__RECORD_COST + ref.e[i].len;
	return n;
}

/* Sources with envelopes, and the largest of them; among equals any is right. */
static unsigned sources(size_t *largest)
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
static struct ref_entry *lowest(const uint64_t *source)
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

static void ref_bury(struct ref_entry *e)
{
	e->state = REF_TOMB;
	e->buried = ref.step;
	e->places = 0;
}

/* One of the tombstones that are oldest: the one that the pool forgot. */
static bool ref_tomb_drop(const struct shh__pool *p)
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
static unsigned goneness(const struct shh__pool *p, const struct ref_entry *e)
{
	uint32_t idx = shh__pool_find(p, &e->print);

	if (idx == SHH__NONE)
		return 2;
	return shh__entry(p, idx)->state == SHH__LIVE ? 0 : 1;
}

/* Make room by the rules of hardening O1, following the pool's choice among equals. */
static enum err ref_room(const struct shh__pool *p, const struct ref_entry *a)
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

static void ref_expire(uint64_t now_s)
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

static uint64_t ref_due(void)
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

static struct span content_of(const struct ref_entry *e)
{
	memset(content, e->fill, e->len);
	return span_of(content, e->len);
}

static enum err both_insert(struct shh__pool *p, struct ref_entry *a)
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

static void compare_one(const struct shh__pool *p, const struct ref_entry *r)
{
	uint32_t idx = shh__pool_find(p, &r->print);
	const struct shh__entry *e;

	assert_int_equal(idx != SHH__NONE, r->state != REF_GONE);
	if (r->state == REF_GONE)
		return;
	e = shh__entry(p, idx);
	assert_int_equal(e->state, r->state == REF_LIVE ? SHH__LIVE : SHH__TOMB);
	assert_int_equal(e->seq, r->seq);
	assert_int_equal(e->expiry, r->expiry);
	assert_ptr_equal(shh__pool_live(p, idx, r->seq), r->state == REF_LIVE ? e : NULL);
	if (r->state != REF_LIVE)
		return;
	assert_true(span_eq(shh__content(p, e), content_of(r)));
	assert_int_equal(e->forms, r->forms);
	assert_int_equal(e->nonce[0], r->nonce[0]);
	if (r->forms == 3)
		assert_int_equal(e->nonce[1], r->nonce[1]);
	for (uint32_t slot = 0; slot < REF_SLOTS; slot++)
		if (ref.joined[slot])
			assert_int_equal(shh__known(p, idx, slot), r->known[slot]);
}

static void compare(const struct shh__pool *p)
{
	size_t largest;
	uint64_t due = shh__pool_due(p);

	for (size_t i = 0; i < ref.count; i++)
		if (ref.e[i].state != REF_GONE || i + 200 > ref.count)
			compare_one(p, &ref.e[i]);
	assert_int_equal(p->bytes, ref_bytes());
	assert_int_equal(p->live, ref_records(REF_LIVE));
	assert_int_equal(p->tombs, ref_records(REF_TOMB));
	assert_int_equal(p->evicted, ref.evicted);
	assert_int_equal(p->expired, ref.expired);
	assert_int_equal(p->source_count, sources(&largest));
	assert_true(p->bytes <= p->bytes_max);
	assert_true(p->live + p->tombs <= p->count_max);
	/* it may wake earlier, when a wheel moves inwards, never later */
	assert_true(due <= ref_due());
	assert_true(due == UINT64_MAX ? ref_due() == UINT64_MAX : due > p->wheel_s);
}

/* Where a walk from the start must come by. */
static void compare_walk(const struct shh__pool *p, struct shh__cursor *c)
{
	uint32_t steps = UINT32_MAX, idx;
	unsigned *seen = calloc(ref.count + 1, sizeof(*seen));
	uint64_t first = 0;

	assert_non_null(seen);
	c->at = 0;
	while ((idx = shh__cursor_next(p, c, &steps)) != SHH__NONE) {
		uint64_t seq = shh__entry(p, idx)->seq;

		assert_true(seq < ref.count && ref.e[seq].state == REF_LIVE);
		if (seen[seq]++ == 0) { /* first places are in order of arrival */
			assert_true(seq >= first);
			first = seq;
		}
	}
	assert_true(shh__cursor_at_end(p, c));
	for (size_t i = 0; i < ref.count; i++)
		assert_int_equal(seen[i], ref.e[i].state == REF_LIVE ? ref.e[i].places : 0);
	free(seen);
}

static struct ref_entry *some_live(void)
{
	for (unsigned tries = 0; tries < 50 && ref.count > 0; tries++) {
		size_t back = ref.count < 400 ? ref.count : 400;
		struct ref_entry *e = &ref.e[ref.count - 1 - below(back)];

		if (e->state == REF_LIVE)
			return e;
	}
	return NULL;
}

static struct ref_entry random_entry(uint64_t now_s, bool crowded)
{
	struct ref_entry a = { .fill = (uint8_t)below(256) };

	le64_store(a.print.b, below(UINT64_MAX) & (below(2) ? 0xffc0000000000007 : UINT64_MAX));
	le64_store(a.print.b + 8, below(UINT64_MAX));
	a.len = (uint32_t)(10 + below(below(4) == 0 ? 3000 : 60));
	if (below(200) == 0)
		a.len = (uint32_t)(33000 + below(20000)); /* a chunk of its own */
	a.expiry = (uint32_t)(now_s + below(below(5) == 0 ? 172800 : 40));
	a.class = (unsigned)below(below(3) == 0 ? SHH__CLASSES : 6);
	a.source = 100 + (crowded ? below(7) : 0);
	a.own = below(12) == 0;
	a.nonce[0] = below(UINT64_MAX);
	a.nonce[1] = below(UINT64_MAX);
	return a;
}

static void step(struct shh__pool *p, bool crowded)
{
	uint64_t what = below(100);
	struct ref_entry a, *e = some_live();
	uint32_t slot = (uint32_t)below(REF_SLOTS);

	if (what < 55) {
		a = random_entry(ref.now_s, crowded);
		if (shh__pool_find(p, &a.print) == SHH__NONE)
			(void)both_insert(p, &a);
	} else if (what < 60 && e != NULL && e->forms == 1) {
		shh__pool_fill(p, shh__pool_find(p, &e->print), SHH_DIGEST_SINGLE, e->nonce[1], 7);
		e->forms = 3;
		e->places++;
	} else if (what < 63 && e != NULL && e->places < 50) {
		assert_true(shh__pool_again(p, shh__pool_find(p, &e->print)));
		e->places++;
	} else if (what < 75 && e != NULL && ref.joined[slot]) {
		shh__known_set(p, shh__pool_find(p, &e->print), slot);
		e->known[slot] = true;
	} else if (what < 78) {
		ref.joined[slot] = !ref.joined[slot];
		if (!ref.joined[slot]) {
			shh__known_leave(p, slot);
			return;
		}
		assert_int_equal(shh__known_join(p, slot), OK);
		for (size_t i = 0; i < ref.count; i++)
			ref.e[i].known[slot] = false;
	} else if (what < 90) {
		uint64_t jump = below(10) == 0 ? below(400) : below(3);

		if (below(300) == 0)
			jump = below(100000);
		ref_expire(ref.now_s + jump);
		shh__pool_expire(p, ref.now_s);
	}
}

static void run_model(uint64_t number, size_t bytes_max, uint32_t count_max, bool crowded,
		      unsigned steps)
{
	struct shh__pool p;
	struct shh__cursor c;
	struct mem mem;

	chance(number);
	mem_init(&mem);
	memset(&ref, 0, sizeof(ref));
	ref.bytes_max = bytes_max;
	ref.count_max = count_max;
	ref.now_s = 1600000000 + below(100000);
	shh__pool_init(&p, &mem, bytes_max, count_max, ref.now_s);
	shh__cursor_join(&p, &c);
	for (unsigned i = 0; i < steps; i++) {
		step(&p, crowded);
		if (i % 16 == 0)
			compare(&p);
		if (i % 512 == 0)
			compare_walk(&p, &c);
	}
	compare(&p);
	compare_walk(&p, &c);
	assert_true(p.evicted > 0 && p.expired > 0);
	shh__cursor_leave(&p, &c);
	shh__pool_fini(&p);
	assert_int_equal(mem.total_used, 0);
}

static void test_model_by_count(void **state)
{
	(void)state;
	run_model(1, 1u << 24, 150, true, 7000);
}

static void test_model_by_bytes(void **state)
{
	(void)state;
	run_model(2, 60000, 100000, true, 7000);
}

static void test_model_one_source(void **state)
{
	(void)state;
	run_model(3, 40000, 200, false, 5000);
}

/* --- rules by name ---------------------------------------------------------------------- */

static void pool_init(struct shh__pool *p, struct mem *mem, size_t bytes, uint32_t count)
{
	mem_init(mem);
	memset(&ref, 0, sizeof(ref));
	ref.bytes_max = bytes;
	ref.count_max = count;
	ref.now_s = 1000;
	shh__pool_init(p, mem, bytes, count, ref.now_s);
}

static struct ref_entry entry_of(uint64_t id, uint64_t source, unsigned class, uint32_t len)
{
	struct ref_entry a = { .len = len, .source = source, .class = class, .expiry = 1050 };

	le64_store(a.print.b, id * 0x9e3779b97f4a7c15ull);
	a.fill = (uint8_t)id;
	return a;
}

static enum ref_state state_of(const struct shh__pool *p, const struct ref_entry *a)
{
	uint32_t idx = shh__pool_find(p, &a->print);

	if (idx == SHH__NONE)
		return REF_GONE;
	return shh__entry(p, idx)->state == SHH__LIVE ? REF_LIVE : REF_TOMB;
}

static void test_lowest_goes(void **state)
{
	struct shh__pool p;
	struct mem mem;
	struct ref_entry a = entry_of(1, 1, 40, 100), b = entry_of(2, 1, 30, 100),
			 c = entry_of(3, 2, 30, 100), d = entry_of(4, 2, 30, 100),
			 low = entry_of(5, 2, 29, 100), high = entry_of(6, 2, 99, 100);

	(void)state;
	pool_init(&p, &mem, 1u << 20, 3);
	assert_int_equal(both_insert(&p, &a), OK);
	assert_int_equal(both_insert(&p, &b), OK);
	assert_int_equal(both_insert(&p, &c), OK);
	/* equal work: the oldest of the lowest makes room */
	assert_int_equal(both_insert(&p, &d), OK);
	assert_int_equal(state_of(&p, &b), REF_GONE); /* its tombstone had no room either */
	assert_int_equal(state_of(&p, &c), REF_LIVE);
	/* never a higher one for a lower */
	assert_int_equal(both_insert(&p, &low), ERR_FULL);
	assert_int_equal(state_of(&p, &low), REF_GONE);
	assert_int_equal(both_insert(&p, &high), OK);
	assert_int_equal(state_of(&p, &c), REF_GONE);
	assert_int_equal(state_of(&p, &d), REF_LIVE);
	assert_int_equal(state_of(&p, &a), REF_LIVE);
	shh__pool_fini(&p);
	assert_int_equal(mem.total_used, 0);
}

/* Four sources, half full: nobody passes a quarter; what it brings replaces its own. */
static void test_shares(void **state)
{
	size_t each = SHH__RECORD_COST + 888; /* 1000 */
	struct shh__pool p;
	struct mem mem;
	uint64_t id = 1;

	(void)state;
	pool_init(&p, &mem, 40 * each, 1000);
	for (uint64_t s = 1; s <= 4; s++)
		for (unsigned i = 0; i < 6; i++, id++) {
			struct ref_entry a = entry_of(id, s, 20, 888);

			assert_int_equal(both_insert(&p, &a), OK);
		}
	assert_true(p.bytes > p.bytes_max / 2);
	for (unsigned i = 0; i < 100; i++, id++) {
		struct ref_entry a = entry_of(id, 1, 20, 888);

		assert_int_equal(both_insert(&p, &a), OK);
		assert_true(source_bytes(1) <= p.bytes_max / 4);
		assert_true(source_bytes(2) == 6 * each);
	}
	{
		struct ref_entry weak = entry_of(id, 1, 3, 888);

		assert_int_equal(both_insert(&p, &weak), ERR_FULL);
		weak.source = 2; /* others have room */
		assert_int_equal(both_insert(&p, &weak), OK);
	}
	shh__pool_fini(&p);
	assert_int_equal(mem.total_used, 0);
}

/* Gone, yet remembered until 20 s after its expiry, and not a second longer. */
static void test_tombstones(void **state)
{
	struct shh__pool p;
	struct mem mem;
	struct ref_entry a = entry_of(1, 1, 20, 100);

	(void)state;
	pool_init(&p, &mem, 1u << 20, 10);
	assert_int_equal(both_insert(&p, &a), OK);
	shh__pool_expire(&p, 1050);
	assert_int_equal(state_of(&p, &a), REF_LIVE); /* expiry == now is alive */
	assert_int_equal(shh__pool_due(&p), 1051);
	shh__pool_expire(&p, 1051);
	assert_int_equal(state_of(&p, &a), REF_TOMB);
	assert_int_equal(p.expired, 1);
	shh__pool_expire(&p, 1070);
	assert_int_equal(state_of(&p, &a), REF_TOMB);
	shh__pool_expire(&p, 1071);
	assert_int_equal(state_of(&p, &a), REF_GONE);
	assert_int_equal(shh__pool_due(&p), UINT64_MAX);
	shh__pool_fini(&p);
	assert_int_equal(mem.total_used, 0);
}

/* An expiry at the end of 32 bits is not one in 1970 (hardening O6). */
static void test_year_2106(void **state)
{
	struct shh__pool p;
	struct mem mem;
	struct ref_entry a = entry_of(1, 1, 20, 100);

	(void)state;
	mem_init(&mem);
	shh__pool_init(&p, &mem, 1u << 20, 10, UINT32_MAX - 5);
	memset(&ref, 0, sizeof(ref));
	ref.bytes_max = 1u << 20;
	ref.count_max = 10;
	a.expiry = UINT32_MAX;
	assert_int_equal(both_insert(&p, &a), OK);
	shh__pool_expire(&p, UINT32_MAX);
	assert_int_equal(state_of(&p, &a), REF_LIVE);
	assert_int_equal(shh__pool_due(&p), (uint64_t)UINT32_MAX + 1);
	shh__pool_expire(&p, (uint64_t)UINT32_MAX + 1);
	assert_int_equal(state_of(&p, &a), REF_TOMB);
	shh__pool_expire(&p, (uint64_t)UINT32_MAX + 21);
	assert_int_equal(state_of(&p, &a), REF_GONE);
	shh__pool_fini(&p);
}

/* A clock that steps back or far ahead starts the wheel anew and loses nothing. */
static void test_clock_steps(void **state)
{
	struct shh__pool p;
	struct mem mem;
	struct ref_entry a = entry_of(1, 1, 20, 100), b = entry_of(2, 1, 20, 100);

	(void)state;
	pool_init(&p, &mem, 1u << 20, 10);
	a.expiry = 200000;
	assert_int_equal(both_insert(&p, &a), OK);
	shh__pool_expire(&p, 150000);
	shh__pool_expire(&p, 120000);
	b.expiry = 120010;
	assert_int_equal(both_insert(&p, &b), OK);
	shh__pool_expire(&p, 120010);
	assert_int_equal(state_of(&p, &b), REF_LIVE);
	shh__pool_expire(&p, 120011);
	assert_int_equal(state_of(&p, &b), REF_TOMB);
	assert_int_equal(state_of(&p, &a), REF_LIVE);
	/* back by more than the wheel reaches: what comes round early waits on */
	shh__pool_expire(&p, 100);
	shh__pool_expire(&p, 10);
	a = entry_of(3, 1, 20, 100);
	a.expiry = 3000000;
	assert_int_equal(both_insert(&p, &a), OK);
	for (uint64_t t = 10; t <= 3000000; t += 50000) {
		shh__pool_expire(&p, t);
		assert_int_equal(state_of(&p, &a), REF_LIVE);
	}
	shh__pool_expire(&p, 3000000);
	assert_int_equal(state_of(&p, &a), REF_LIVE);
	shh__pool_expire(&p, 3000001);
	assert_int_equal(state_of(&p, &a), REF_TOMB);
	shh__pool_expire(&p, 1u << 30);
	shh__pool_expire(&p, (1u << 30) + 1);
	shh__pool_expire(&p, (1u << 30) + 2);
	assert_int_equal(state_of(&p, &a), REF_GONE);
	assert_int_equal(p.live + p.tombs, 0);
	shh__pool_fini(&p);
	assert_int_equal(mem.total_used, 0);
}

/* Each class is a quarter of an octave, rising, and everything has one. */
static void test_classes(void **state)
{
	unsigned before = 0;

	(void)state;
	assert_int_equal(shh__class_of(0), 0);
	assert_int_equal(shh__class_of(1e-300), 0);
	assert_int_equal(shh__class_of(1e300), SHH__CLASSES - 1);
	for (double w = 1e-6; w < 1e6; w *= 1.01) {
		unsigned c = shh__class_of(w);

		assert_true(c >= before && c < SHH__CLASSES);
		assert_true(c - before <= 1);
		before = c;
	}
	assert_int_equal(shh__class_of(0.2) - shh__class_of(0.1), 4);
}

/* --- cursors ------------------------------------------------------------------------------ */

/* Many cursors at random places, while envelopes come, end, and the log is
 * swept: each sees everything that lives from its place on, once, in order. */
static void test_cursors(void **state)
{
	enum { CURSORS = 50 };
	struct shh__cursor c[CURSORS];
	uint64_t last[CURSORS] = { 0 };
	struct shh__pool p;
	struct mem mem;
	uint64_t id = 1, swept = 0;

	(void)state;
	chance(7);
	pool_init(&p, &mem, 1u << 24, 100000);
	for (unsigned i = 0; i < CURSORS; i++)
		shh__cursor_join(&p, &c[i]);
	for (unsigned round = 0; round < 3000; round++) {
		uint32_t before = p.log_len;

		for (uint64_t n = below(8); n > 0; n--, id++) {
			struct ref_entry a = entry_of(id, 1, 20, 20);
			struct shh__arrival arrival = { .print = a.print, .work = 1 };
			uint32_t idx;

			arrival.content = content_of(&a);
			arrival.expiry = (uint32_t)(ref.now_s + 1 + below(below(9) ? 5 : 300));
			assert_int_equal(shh__pool_insert(&p, &idx, &arrival), OK);
		}
		swept += p.log_len < before;
		if (below(4) == 0)
			shh__pool_expire(&p, ++ref.now_s);
		for (unsigned i = 0; i < CURSORS; i++) {
			uint32_t steps = (uint32_t)below(i % 2 ? 12 : 3), idx;

			while ((idx = shh__cursor_next(&p, &c[i], &steps)) != SHH__NONE) {
				uint64_t seq = shh__entry(&p, idx)->seq;

				/* nothing that lives lies between the last one and this */
				assert_true(seq >= last[i]);
				for (uint64_t s = last[i]; s < seq; s++) {
					struct ref_entry a = entry_of(s + 1, 1, 20, 20);

					assert_int_not_equal(state_of(&p, &a), REF_LIVE);
				}
				last[i] = seq + 1;
			}
		}
	}
	assert_true(swept > 3);
	for (unsigned i = 0; i < CURSORS; i++)
		shh__cursor_leave(&p, &c[i]);
	shh__pool_fini(&p);
	assert_int_equal(mem.total_used, 0);
}

/* --- memory ----------------------------------------------------------------------------------- */

static uint64_t fill_id = 1;

static enum err fill_one(struct shh__pool *p, uint32_t expiry, uint32_t len)
{
	struct ref_entry a = entry_of(fill_id++, 1, 20, len);
	struct shh__arrival arrival = { .print = a.print, .work = 1, .expiry = expiry };
	uint32_t idx;

	arrival.content = content_of(&a);
	return shh__pool_insert(p, &idx, &arrival);
}

/* A record of 256 B costs at most 450 B with everything (performance row 30),
 * and a pool that was emptied keeps next to nothing (row 32). */
static void test_memory(void **state)
{
	struct shh__pool p;
	struct mem mem;
	size_t first = 0;

	(void)state;
	pool_init(&p, &mem, SIZE_MAX / 2, 1000000);
	mem.cap[MEM_POOL] = SIZE_MAX;
	assert_int_equal(shh__known_join(&p, 3), OK);
	for (unsigned cycle = 0; cycle < 5; cycle++) {
		for (unsigned i = 0; i < 100000; i++)
			assert_int_equal(fill_one(&p, (uint32_t)ref.now_s + 1 + i / 2000, 256), OK);
		assert_true(mem.used[MEM_POOL] / 100000 <= 450);
		first = first == 0 ? mem.used[MEM_POOL] : first;
		assert_true(mem.used[MEM_POOL] <= first + (1u << 17)); /* no growth */
		ref.now_s += 200;
		shh__pool_expire(&p, ref.now_s);
		assert_int_equal(p.live + p.tombs, 0);
		assert_true(mem.used[MEM_POOL] < 512 * 1024);
	}
	shh__known_leave(&p, 3);
	shh__pool_fini(&p);
	assert_int_equal(mem.total_used, 0);
}

/* Long lives among short ones must not hold sparse chunks. */
static void test_cleaning(void **state)
{
	struct shh__pool p;
	struct mem mem;
	uint32_t steps = UINT32_MAX, idx, seen = 0;
	struct shh__cursor c;

	(void)state;
	pool_init(&p, &mem, SIZE_MAX / 2, 1000000);
	for (unsigned i = 0; i < 40000; i++)
		assert_int_equal(fill_one(&p, i % 16 == 0 ? 100000 : 1010, 300), OK);
	assert_true(p.slab.held > 40000 * 300);
	shh__pool_expire(&p, 1011);
	assert_int_equal(p.live, 2500);
	assert_true(p.slab.held <= p.slab.live + p.slab.live / 4 + 8 * 128 * 1024);
	assert_true(p.slab.held < 40000 * 300 / 4);
	shh__cursor_join(&p, &c);
	while ((idx = shh__cursor_next(&p, &c, &steps)) != SHH__NONE) {
		const struct shh__entry *e = shh__entry(&p, idx);
		struct span s = shh__content(&p, e);
		uint64_t id;

		/* what was moved is what it was */
		for (id = 1; id <= 255; id++)
			if (s.data[0] == (uint8_t)id)
				break;
		memset(content, s.data[0], s.len);
		assert_int_equal(s.len, 300);
		assert_memory_equal(s.data, content, s.len);
		seen++;
	}
	assert_int_equal(seen, 2500);
	shh__cursor_leave(&p, &c);
	shh__pool_fini(&p);
	assert_int_equal(mem.total_used, 0);
}

/* Memory is refused at every place in turn: nothing breaks, nothing leaks, and
 * what was taken is whole. */
static void test_scarcity(void **state)
{
	unsigned refused = 0;

	(void)state;
	for (uint64_t fail = 0; fail < 200; fail++) {
		struct shh__pool p;
		struct mem mem;

		chance(fail);
		pool_init(&p, &mem, 1u << 20, 100000);
		mem.fail_after = fail;
		for (unsigned i = 0; i < 2000; i++) {
			enum err err = fill_one(&p, (uint32_t)(ref.now_s + below(20)), 100);

			assert_true(err == OK || err == ERR_MEM || err == ERR_FULL);
			refused += err == ERR_MEM;
			if (i % 50 == 0)
				shh__pool_expire(&p, ++ref.now_s);
			if (i % 97 == 0) {
				enum err joined = shh__known_join(&p, 5);

				assert_true(joined == OK || joined == ERR_MEM);
				if (joined == OK)
					shh__known_leave(&p, 5);
			}
			if (err == ERR_MEM && below(8) == 0) /* scarcity passes, and comes back */
				mem.fail_after = below(3);
		}
		shh__pool_fini(&p);
		assert_int_equal(mem.total_used, 0);
	}
	assert_true(refused > 100);
}

/* The account's cap is smaller than the pool's own: older work makes room. */
static void test_account_cap(void **state)
{
	struct shh__pool p;
	struct mem mem;

	(void)state;
	pool_init(&p, &mem, SIZE_MAX / 2, 1000000);
	mem.cap[MEM_POOL] = 2u << 20;
	for (unsigned i = 0; i < 30000; i++)
		assert_int_equal(fill_one(&p, 5000, 256), OK);
	assert_true(mem.used[MEM_POOL] <= 2u << 20);
	assert_true(p.live > 2000);
	assert_true(p.evicted > 20000);
	shh__pool_fini(&p);
	assert_int_equal(mem.total_used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model_by_count),	 cmocka_unit_test(test_model_by_bytes),
		cmocka_unit_test(test_model_one_source), cmocka_unit_test(test_lowest_goes),
		cmocka_unit_test(test_shares),		 cmocka_unit_test(test_tombstones),
		cmocka_unit_test(test_year_2106),	 cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_classes),		 cmocka_unit_test(test_cursors),
		cmocka_unit_test(test_memory),		 cmocka_unit_test(test_cleaning),
		cmocka_unit_test(test_scarcity),	 cmocka_unit_test(test_account_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
