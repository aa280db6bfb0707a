/* SPDX-License-Identifier: MIT */
/* tests/shh_one_world.h - a world for each test of a program: w, made new by
 * setup, and freed by teardown after a look for leaks.  Header only.
 */
#ifndef TESTS_SHH_ONE_WORLD_H
#define TESTS_SHH_ONE_WORLD_H

#include <stdlib.h>

#include "tests/shh_world.h"

static struct world *w;

static inline int setup(void **state)
{
	(void)state;
	w = malloc(sizeof(*w));
	assert_non_null(w);
	world_init(w);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	world_fini(w);
	free(w);
	return 0;
}

/* Messages from the test's end, which must be taken. */
static inline void give(int from, const struct made *m, size_t count)
{
	assert_int_equal(world_send(w, from, SHH_MESSAGES, made_packet(m, count)), OK);
}

#endif /* TESTS_SHH_ONE_WORLD_H */
