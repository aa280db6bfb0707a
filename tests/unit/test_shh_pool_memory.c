/* SPDX-License-Identifier: MIT */
/* The pool's memory: what an envelope costs, when it is scarce, and after everything
 * has gone (hardening O1, O5; performance rows 30 to 32).
 */
#include "tests/pool_ref.h"

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
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_cleaning),
		cmocka_unit_test(test_scarcity),
		cmocka_unit_test(test_account_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
