/* SPDX-License-Identifier: MIT */
/* The ledger, and what stands on it: queues of bytes and shared blobs (hardening §2). */
#include "base/blob.h"
#include "base/buf.h"
#include "base/port.h"
#include "tests/vectors.h"

static void books_are_balanced(void **state)
{
	struct mem m;
	uint8_t *p;
	void *q;

	(void)state;
	mem_init(&m);
	p = mem_alloc(&m, MEM_POOL, 100);
	assert_non_null(p);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	assert_int_equal(m.used[MEM_POOL], 100);
	q = mem_resize(&m, MEM_SEND, NULL, 0, 50);
	assert_non_null(q);
	assert_int_equal(m.total_used, 150);
	memset(p, 7, 100);
	p = mem_resize(&m, MEM_POOL, p, 100, 1000);
	assert_non_null(p);
	assert_int_equal(p[99], 7);
	assert_int_equal(m.used[MEM_POOL], 1000);
	p = mem_resize(&m, MEM_POOL, p, 1000, 10);
	assert_int_equal(p[9], 7);
	assert_int_equal(m.used[MEM_POOL], 10);
	mem_free(&m, MEM_POOL, p, 10);
	mem_free(&m, MEM_SEND, q, 50);
	mem_free(&m, MEM_SEND, NULL, 12345);
	assert_int_equal(m.total_used, 0);
	for (int a = 0; a < MEM_ACCOUNTS; a++) {
		assert_int_equal(m.used[a], 0);
		assert_int_equal(m.refused[a], 0);
	}
}

/* At the cap, one past it, and ten times it. */
static void accounts_refuse_at_their_caps(void **state)
{
	struct mem m;
	void *p, *q;

	(void)state;
	mem_init(&m);
	m.cap[MEM_JOBS] = 1000;
	p = mem_alloc(&m, MEM_JOBS, 999);
	assert_non_null(p);
	assert_null(mem_alloc(&m, MEM_JOBS, 2));
	assert_null(mem_alloc(&m, MEM_JOBS, 10000));
	assert_null(mem_alloc(&m, MEM_JOBS, SIZE_MAX));
	assert_null(mem_resize(&m, MEM_JOBS, p, 999, 1001));
	assert_int_equal(m.refused[MEM_JOBS], 4);
	q = mem_alloc(&m, MEM_JOBS, 1);
	assert_non_null(q);
	assert_int_equal(m.used[MEM_JOBS], 1000);
	mem_free(&m, MEM_JOBS, q, 1);
	mem_free(&m, MEM_JOBS, p, 999);
	m.total_cap = 10;
	assert_null(mem_alloc(&m, MEM_POOL, 11));
	assert_int_equal(m.refused[MEM_POOL], 1);
	p = mem_alloc(&m, MEM_POOL, 10);
	assert_non_null(p);
	assert_null(mem_alloc(&m, MEM_SEND, 1));
	mem_free(&m, MEM_POOL, p, 10);
	assert_int_equal(m.total_used, 0);
}

static void lowered_caps_are_no_trap(void **state)
{
	struct mem m;
	void *p;

	(void)state;
	mem_init(&m);
	p = mem_alloc(&m, MEM_POOL, 1000);
	assert_non_null(p);
	m.cap[MEM_POOL] = 10;
	assert_null(mem_alloc(&m, MEM_POOL, 1));
	p = mem_resize(&m, MEM_POOL, p, 1000, 500); /* shrinking is always allowed */
	assert_non_null(p);
	mem_free(&m, MEM_POOL, p, 500);
	assert_int_equal(m.total_used, 0);
}

static void marks_are_told(void **state)
{
	struct mem m;
	void *p;

	(void)state;
	mem_init(&m);
	m.cap[MEM_SEND] = 100;
	p = mem_alloc(&m, MEM_SEND, 80);
	assert_non_null(p);
	assert_false(mem_above(&m, MEM_SEND, 4, 5));
	assert_true(mem_above(&m, MEM_SEND, 79, 100));
	assert_false(mem_above(&m, MEM_FIXED, 1, 2)); /* no cap of its own */
	m.total_cap = 99;
	assert_true(mem_above(&m, MEM_FIXED, 4, 5));
	mem_free(&m, MEM_SEND, p, 80);
	m.cap[MEM_SEND] = SIZE_MAX - 1; /* no product may wrap */
	assert_false(mem_above(&m, MEM_SEND, 95, 100));
}

static void scarcity_comes_on_time(void **state)
{
	struct mem m;
	void *p;

	(void)state;
	mem_init(&m);
	m.fail_after = 1;
	p = mem_alloc(&m, MEM_POOL, 1);
	assert_non_null(p);
	assert_null(mem_alloc(&m, MEM_POOL, 1));
	assert_null(mem_resize(&m, MEM_POOL, p, 1, 2));
	mem_free(&m, MEM_POOL, p, 1);
	assert_int_equal(m.total_used, 0);
}

/* --- buf ------------------------------------------------------------------ */

static void buf_stops_at_its_ceiling(void **state)
{
	struct mem m;
	struct buf b;
	uint8_t *out;

	(void)state;
	mem_init(&m);
	buf_init(&b, &m, MEM_SEND, 10);
	assert_int_equal(buf_append(&b, "0123456789", 10), OK);
	assert_int_equal(buf_append(&b, "x", 1), ERR_SIZE);
	assert_int_equal(buf_reserve(&b, &out, SIZE_MAX), ERR_SIZE);
	assert_true(span_eq(buf_span(&b), span_of("0123456789", 10)));
	buf_drain(&b, 4);
	assert_int_equal(buf_append(&b, "abcd", 4), OK);
	assert_int_equal(buf_append(&b, "e", 1), ERR_SIZE);
	assert_true(span_eq(buf_span(&b), span_of("456789abcd", 10)));
	assert_true(b.room <= 10);
	buf_drain(&b, 10);
	assert_int_equal(m.total_used, 0);
	buf_reset(&b);
}

static void buf_fails_without_a_trace(void **state)
{
	struct mem m;
	struct buf b;

	(void)state;
	mem_init(&m);
	m.cap[MEM_SEND] = 300;
	buf_init(&b, &m, MEM_SEND, 100000);
	assert_int_equal(buf_append(&b, "0123456789", 10), OK);
	for (int i = 0; i < 40; i++) {
		struct span before = buf_span(&b);
		enum err e = buf_append(&b, "0123456789", 10);

		assert_int_equal(e, before.len + 10 <= 300 ? OK : ERR_MEM);
		assert_int_equal(buf_span(&b).len, before.len + (e == OK ? 10 : 0));
	}
	assert_int_equal(b.len, 300); /* to the last byte of the account */
	buf_reset(&b);
	assert_int_equal(m.total_used, 0);
}

/* Random appends and drains against a plain array. */
static void buf_is_a_queue(void **state)
{
	enum { MAX = 5000, OPS = 20000 };
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 1);
	static uint8_t model[MAX];
	size_t len = 0;
	struct mem m;
	struct buf b;

	(void)state;
	mem_init(&m);
	buf_init(&b, &m, MEM_SEND, MAX);
	for (int i = 0; i < OPS; i++) {
		uint8_t bytes[700];
		uint64_t n, add;

		assert_int_equal(rng_below(&rng, &add, 2), OK);
		assert_int_equal(rng_below(&rng, &n, sizeof(bytes)), OK);
		assert_int_equal(rng_fill(&rng, bytes, n), OK);
		if (add == 1) {
			enum err e = buf_append(&b, bytes, n);

			assert_int_equal(e, n <= MAX - len ? OK : ERR_SIZE);
			if (e == OK && n > 0) {
				memcpy(model + len, bytes, n);
				len += n;
			}
		} else {
			n = size_min(n, len);
			buf_drain(&b, n);
			memmove(model, model + n, len - n);
			len -= n;
		}
		assert_true(span_eq(buf_span(&b), span_of(model, len)));
		assert_int_equal(m.used[MEM_SEND], b.room);
		assert_true(b.room <= MAX && (len > 0 || b.room == 0 || add == 1));
	}
	buf_reset(&b);
	assert_int_equal(m.total_used, 0);
}

/* --- blob ------------------------------------------------------------------ */

static void blobs_live_until_the_last_reference(void **state)
{
	struct mem m;
	struct blob *b, *twin;

	(void)state;
	mem_init(&m);
	assert_int_equal(blob_new(&b, &m, MEM_SEND, 100), OK);
	assert_int_equal(b->len, 100);
	memset(b->data, 1, 100);
	assert_int_equal(blob_new(&twin, &m, MEM_SEND, 50), OK);
	twin->len = 20; /* it turned out shorter */
	b->twin = twin;
	assert_ptr_equal(blob_ref(b), b);
	blob_unref(b);
	assert_int_equal(b->data[99], 1);
	blob_ref(twin);
	blob_unref(b);
	assert_int_equal(m.used[MEM_SEND], sizeof(struct blob) + 50);
	blob_unref(twin);
	assert_int_equal(m.total_used, 0);
	blob_unref(NULL);
	assert_int_equal(blob_new(&b, &m, MEM_SEND, SIZE_MAX), ERR_SIZE);
	m.cap[MEM_SEND] = 10;
	assert_int_equal(blob_new(&b, &m, MEM_SEND, 1), ERR_MEM);
	assert_int_equal(m.total_used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(books_are_balanced),
		cmocka_unit_test(accounts_refuse_at_their_caps),
		cmocka_unit_test(lowered_caps_are_no_trap),
		cmocka_unit_test(marks_are_told),
		cmocka_unit_test(scarcity_comes_on_time),
		cmocka_unit_test(buf_stops_at_its_ceiling),
		cmocka_unit_test(buf_fails_without_a_trace),
		cmocka_unit_test(buf_is_a_queue),
		cmocka_unit_test(blobs_live_until_the_last_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
