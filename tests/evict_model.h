/* SPDX-License-Identifier: MIT */
/* tests/evict_model.h - eviction said a second time, the slow and plain way:
 * strike out the best one by one, then look for the largest subnet.  Shared by
 * the unit test and the fuzz target.
 */
#ifndef TESTS_EVICT_MODEL_H
#define TESTS_EVICT_MODEL_H

#include <stdbool.h>
#include <stdlib.h>

#include "node/evict.h"

enum evict_virtue { EVICT_SUBNET, EVICT_RTT, EVICT_USE, EVICT_AGE };

static inline bool evict_older(const struct node__evictable *a, const struct node__evictable *b)
{
	return a->since_ms != b->since_ms ? a->since_ms < b->since_ms : a->link < b->link;
}

static inline bool evict_better(const struct node__evictable *a, const struct node__evictable *b,
				enum evict_virtue v)
{
	if (v == EVICT_SUBNET && a->subnet != b->subnet)
		return a->subnet > b->subnet;
	if (v == EVICT_RTT && a->rtt_ms != b->rtt_ms)
		return a->rtt_ms < b->rtt_ms;
	if (v == EVICT_USE && a->useful_ms != b->useful_ms)
		return a->useful_ms > b->useful_ms;
	return evict_older(a, b);
}

static inline size_t evict_open(const bool *safe, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += !safe[i];
	return n;
}

static inline void evict_save(const struct node__evictable *p, bool *safe, size_t count,
			      size_t how_many, enum evict_virtue v)
{
	for (; how_many > 0 && evict_open(safe, count) > 0; how_many--) {
		size_t best = count;

		for (size_t i = 0; i < count; i++)
			if (!safe[i] && (best == count || evict_better(&p[i], &p[best], v)))
				best = i;
		safe[best] = true;
	}
}

static inline uint32_t evict_model(const struct node__evictable *p, size_t count)
{
	bool *safe = calloc(count + 1, sizeof(*safe));
	size_t victim = count, largest = 0;

	if (!safe)
		abort();
	evict_save(p, safe, count, 4, EVICT_SUBNET);
	evict_save(p, safe, count, 4, EVICT_RTT);
	evict_save(p, safe, count, 4, EVICT_USE);
	evict_save(p, safe, count, evict_open(safe, count) / 2, EVICT_AGE);
	for (size_t i = 0; i < count; i++) {
		size_t size = 0;

		for (size_t j = 0; j < count; j++)
			size += !safe[j] && p[j].subnet == p[i].subnet;
		if (safe[i] || size < largest)
			continue;
		if (size > largest || evict_older(&p[victim], &p[i]))
			victim = i;
		largest = size;
	}
	free(safe);
	return victim == count ? UINT32_MAX : p[victim].link;
}

#endif /* TESTS_EVICT_MODEL_H */
