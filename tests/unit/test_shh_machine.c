/* SPDX-License-Identifier: MIT */
/* Whole machines: Status, relay over several hops, posts and filters. */
#include "tests/shh_world.h"

#include <stdlib.h>

static int setup(void **state)
{
	struct world *w = malloc(sizeof(*w));

	assert_non_null(w);
	world_init(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_fini(*state);
	free(*state);
	return 0;
}

/* Three in a row: what one end posts, the other opens, through the middle. */
static void test_line(void **state)
{
	struct world *w = *state;
	uint32_t topics[] = { 0x01020304 };

	for (int i = 0; i < 3; i++)
		world_node(w, i, NULL);
	world_link(w, 0, "sotto/1", 1, "sotto/1");
	world_link(w, 1, "sotto/1", 2, "sotto/1");
	world_filter(w, 2, 7, topics, 1);
	world_post(w, 0, 7, 0x01020304, "over two hops", 50, 0.002);
	world_run(w, 50);
	assert_int_equal(w->node[0].posted_count, 1);
	assert_int_equal(w->node[0].posted[0].err, OK);
	assert_true(w->node[0].posted[0].pow >= 0.002);
	assert_int_equal(world_count(w, 2, "over two hops"), 1);
	assert_int_equal(w->heard_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
