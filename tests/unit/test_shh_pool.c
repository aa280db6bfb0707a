/* SPDX-License-Identifier: MIT */
/* The pool against a slow reference, its rules by name, and its cursors
 * (hardening O1, O2, O4, O6).
 */
#include "tests/pool_ref.h"

#include <stdlib.h>

/* --- the model ------------------------------------------------------------------------ */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model_by_count),	 cmocka_unit_test(test_model_by_bytes),
		cmocka_unit_test(test_model_one_source), cmocka_unit_test(test_lowest_goes),
		cmocka_unit_test(test_shares),		 cmocka_unit_test(test_tombstones),
		cmocka_unit_test(test_year_2106),	 cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_classes),		 cmocka_unit_test(test_cursors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
