/* SPDX-License-Identifier: MIT */
/* bench/load/samples.c - latencies, all of them kept, and their percentiles. */
#include <stdlib.h>

#include "bench/load/load.h"

void samples_make(struct samples *s, uint32_t room)
{
	s->us = calloc((size_t)room + 1, sizeof(*s->us));
	if (s->us == NULL)
		give_up("out of memory");
	s->room = room;
}

void samples_add(struct samples *s, uint64_t ns)
{
	if (s->count < s->room)
		s->us[s->count++] = (uint32_t)u64_min(ns / 1000, UINT32_MAX);
	else
		s->lost++;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

double samples_ms(struct samples *s, double share)
{
	uint32_t at;

	if (s->count == 0)
		return 0;
	qsort(s->us, s->count, sizeof(*s->us), by_value);
	at = (uint32_t)(share * (s->count - 1) + 0.5);
	return s->us[at] / 1e3;
}
