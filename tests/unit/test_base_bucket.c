/* SPDX-License-Identifier: MIT */
/* Token buckets: exact, saturating, unmoved by clocks that jump (hardening §3). */
#include "base/bucket.h"
#include "base/port.h"
#include "tests/vectors.h"

/* Over any time, rate times seconds plus one burst, to the token. */
static void nothing_is_rounded(void **state)
{
	static const struct bucket_rate rates[] = {
		{ 1, 1 }, { 1, 90 }, { 7, 3 }, { 300, 600 }, { 2097152, 8388608 }, { 999983, 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct bucket_rate r = rates[i];
		uint64_t taken = 0;
		struct bucket b;

		bucket_init(&b, r, 500);
		while (bucket_take(&b, r, 1, 500) && taken < 8388609)
			taken++;
		assert_true(taken == r.burst);
		for (uint64_t t = 1; t <= 20000; t++)
			while (bucket_take(&b, r, size_min(r.burst, 3), 500 + t))
				taken += size_min(r.burst, 3);
		if (r.rate / 1000 < r.burst) { /* else a millisecond's gain spills over */
			assert_true(taken <= r.burst + r.rate * 20);
			assert_true(taken + 3 >= r.burst + r.rate * 20);
		}
	}
}

static void refusals_take_nothing(void **state)
{
	const struct bucket_rate r = { 10, 5 };
	struct bucket b;

	(void)state;
	bucket_init(&b, r, 0);
	assert_false(bucket_take(&b, r, 6, 0));
	assert_false(bucket_take(&b, r, 6, 1000000));
	assert_false(bucket_take(&b, r, UINT64_MAX, 1000000));
	assert_true(bucket_take(&b, r, 5, 1000000));
	assert_false(bucket_take(&b, r, 1, 1000099));
	assert_true(bucket_take(&b, r, 1, 1000100));
	assert_true(bucket_take(&b, r, 0, 1000100));
}

static void debt_ends_at_one_burst(void **state)
{
	const struct bucket_rate r = { 10, 5 };
	struct bucket b;

	(void)state;
	bucket_init(&b, r, 0);
	bucket_charge(&b, r, 3, 0);
	assert_true(bucket_take(&b, r, 2, 0));
	bucket_charge(&b, r, 3, 0);
	assert_true(bucket_ready_at(&b, r, 1, 0) == 400);
	bucket_charge(&b, r, 1000000, 0);
	bucket_charge(&b, r, UINT64_MAX, 0);
	assert_true(bucket_ready_at(&b, r, 1, 0) == 600);
	assert_true(bucket_ready_at(&b, r, 5, 0) == 1000);
	assert_false(bucket_take(&b, r, 1, 599));
	assert_true(bucket_take(&b, r, 1, 600));
}

/* What a bucket holds may be changed while it is in use. */
static void a_smaller_burst_cuts_both_ways(void **state)
{
	const struct bucket_rate wide = { 10, 100 }, narrow = { 10, 5 };
	struct bucket b;

	(void)state;
	bucket_init(&b, wide, 0);
	assert_false(bucket_take(&b, narrow, 6, 0));
	assert_true(bucket_take(&b, narrow, 5, 0));
	assert_false(bucket_take(&b, wide, 1, 0)); /* what was cut off is gone */
	bucket_charge(&b, wide, 1000, 0);
	assert_true(bucket_ready_at(&b, wide, 1, 0) == 10100);
	bucket_charge(&b, narrow, 0, 0);
	assert_true(bucket_ready_at(&b, narrow, 1, 0) == 600);
}

static void clocks_may_jump(void **state)
{
	const struct bucket_rate r = { 10, 5 };
	struct bucket b;

	(void)state;
	bucket_init(&b, r, 1000);
	assert_true(bucket_take(&b, r, 5, 1000));
	assert_false(bucket_take(&b, r, 1, 0)); /* back: nothing given */
	assert_false(bucket_take(&b, r, 1, 1099));
	assert_true(bucket_take(&b, r, 1, 1100));	/* and nothing taken */
	assert_true(bucket_take(&b, r, 5, UINT64_MAX)); /* ahead: one burst */
	assert_false(bucket_take(&b, r, 1, UINT64_MAX));
	assert_true(bucket_ready_at(&b, r, 1, UINT64_MAX) == UINT64_MAX);
}

static void extremes_do_not_wrap(void **state)
{
	const struct bucket_rate r = { UINT64_MAX, UINT64_MAX };
	struct bucket b;

	(void)state;
	bucket_init(&b, r, 0);
	assert_true(bucket_take(&b, r, BUCKET_BURST_MAX, 0));
	assert_false(bucket_take(&b, r, 1, 0));
	assert_false(bucket_take(&b, r, BUCKET_BURST_MAX + 1, 0));
	bucket_charge(&b, r, UINT64_MAX, 0);
	assert_true(bucket_ready_at(&b, r, 1, 0) == 1);
	assert_true(bucket_ready_at(&b, r, UINT64_MAX, 0) == UINT64_MAX);
	assert_true(bucket_take(&b, r, BUCKET_BURST_MAX, 1));
}

/* What bucket_ready_at() says is the first moment at which bucket_take() succeeds. */
static void ready_at_keeps_its_word(void **state)
{
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 2);
	uint64_t now = 1000;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t rate, burst, n, used, when;
		struct bucket b, twin;

		assert_int_equal(rng_below(&rng, &rate, i % 2 ? 20 : 5000000), OK);
		assert_int_equal(rng_below(&rng, &burst, 10000000), OK);
		assert_int_equal(rng_below(&rng, &used, 30000000), OK);
		struct bucket_rate r = { rate + 1, burst + 1 };
		assert_int_equal(rng_below(&rng, &n, r.burst), OK);
		n++;
		bucket_init(&b, r, now);
		bucket_charge(&b, r, used, now);
		when = bucket_ready_at(&b, r, n, now);
		assert_true(when >= now);
		twin = b;
		if (when > now)
			assert_false(bucket_take(&twin, r, n, when - 1));
		twin = b;
		assert_true(bucket_take(&twin, r, n, when));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_rounded),
		cmocka_unit_test(refusals_take_nothing),
		cmocka_unit_test(debt_ends_at_one_burst),
		cmocka_unit_test(a_smaller_burst_cuts_both_ways),
		cmocka_unit_test(clocks_may_jump),
		cmocka_unit_test(extremes_do_not_wrap),
		cmocka_unit_test(ready_at_keeps_its_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
