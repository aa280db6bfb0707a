/* SPDX-License-Identifier: MIT */
/* What a node remembers: it grows, finds, and forgets what was used longest ago. */
#include "node/memory.h"

#include "node/node.h"
#include "tests/vectors.h"

static const struct siphash_key secret = { 1, 2 };

static struct pubkey id_of(uint32_t n)
{
	struct pubkey id = { { 0 } };

	be32_store(id.b, n);
	return id;
}

static void entries_are_found_again(void **state)
{
	struct node__memory m;
	struct mem mem;

	(void)state;
	mem_init(&mem);
	node__memory_init(&m, &mem, secret);
	for (uint32_t i = 0; i < 1000; i++) {
		struct pubkey id = id_of(i);
		struct node__past *p;

		assert_null(node__memory_find_node(&m, &id));
		p = node__memory_use_node(&m, &id);
		assert_non_null(p);
		assert_true(p->dialled_ms == NODE__NEVER_MS);
		p->score = i;
	}
	for (uint32_t i = 0; i < 1000; i++) {
		struct pubkey id = id_of(i);
		struct node__past *p = node__memory_find_node(&m, &id);

		assert_non_null(p);
		assert_int_equal(p->score, i);
		assert_ptr_equal(p, node__memory_use_node(&m, &id));
	}
	node__memory_reset(&m);
	assert_int_equal(mem.total_used, 0);
}

static void hosts_are_not_nodes(void **state)
{
	static const uint8_t a[4] = { 192, 0, 2, 1 },
			     six[16] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 9 },
			     same[16] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 77 };
	struct ip v4 = ip_from4(a), v6 = ip_from6(six), near = ip_from6(same);
	struct node__memory m;
	struct mem mem;

	(void)state;
	mem_init(&mem);
	node__memory_init(&m, &mem, secret);
	assert_null(node__memory_find_host(&m, &v4));
	node__memory_use_host(&m, &v4)->score = 4;
	node__memory_use_host(&m, &v6)->score = 6;
	assert_int_equal(node__memory_find_host(&m, &v4)->score, 4);
	assert_int_equal(node__memory_find_host(&m, &near)->score, 6); /* one /64 */
	assert_int_equal(m.count, 2);
	node__memory_reset(&m);
}

static void the_longest_unused_is_forgotten(void **state)
{
	struct pubkey first = id_of(0), second = id_of(1), third = id_of(2);
	struct node__memory m;
	struct mem mem;

	(void)state;
	mem_init(&mem);
	node__memory_init(&m, &mem, secret);
	for (uint32_t i = 0; i < NODE_MEMORY_MAX; i++) {
		struct pubkey id = id_of(i);

		assert_non_null(node__memory_use_node(&m, &id));
	}
	assert_non_null(node__memory_find_node(&m, &first)); /* used again */
	for (uint32_t i = 0; i < 2; i++) {
		struct pubkey id = id_of(1000000 + i);

		assert_int_equal(node__memory_use_node(&m, &id)->score, 0);
	}
	assert_int_equal(m.count, NODE_MEMORY_MAX);
	assert_non_null(node__memory_find_node(&m, &first));
	assert_null(node__memory_find_node(&m, &second));
	assert_null(node__memory_find_node(&m, &third));
	node__memory_reset(&m);
	assert_int_equal(mem.total_used, 0);
}

/* Each allocation fails once, in turn: what was there stays, nothing leaks. */
static void scarcity_loses_nothing(void **state)
{
	(void)state;
	for (uint64_t fail = 0; fail < 12; fail++) {
		struct node__memory m;
		struct mem mem;

		mem_init(&mem);
		node__memory_init(&m, &mem, secret);
		mem.fail_after = fail;
		for (uint32_t i = 0; i < 600; i++) {
			struct pubkey id = id_of(i);
			struct node__past *p = node__memory_use_node(&m, &id);

			if (p)
				p->score = i;
		}
		mem.fail_after = UINT64_MAX;
		for (uint32_t i = 0; i < 600; i++) {
			struct pubkey id = id_of(i);
			struct node__past *p = node__memory_find_node(&m, &id);

			assert_true(!p || p->score == i);
		}
		node__memory_reset(&m);
		assert_int_equal(mem.total_used, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_found_again),
		cmocka_unit_test(hosts_are_not_nodes),
		cmocka_unit_test(the_longest_unused_is_forgotten),
		cmocka_unit_test(scarcity_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
