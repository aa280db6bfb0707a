/* SPDX-License-Identifier: MIT */
/* net/timers.c - the callers' own timers: a small table, looked through once a
 * turn; the loop's one alarm rings for the first of them. */
#include "net/inside.h"

uint32_t net_timer(struct net *net, uint64_t after_ms, void (*fn)(void *ctx, uint64_t now_ms),
		   void *ctx)
{
	for (size_t i = 0; i < NET_TIMERS_MAX; i++) {
		struct timer *t = &net->timers[i];

		if (t->id != 0)
			continue;
		if (++net->last_timer == 0)
			net->last_timer = 1;
		*t = (struct timer){
			.id = net->last_timer,
			.at_ms = time_add(net->now_ms, after_ms),
			.fn = fn,
			.ctx = ctx,
		};
		return t->id;
	}
	return 0;
}

void net_timer_cancel(struct net *net, uint32_t timer)
{
	for (size_t i = 0; i < NET_TIMERS_MAX; i++)
		if (timer != 0 && net->timers[i].id == timer)
			net->timers[i].id = 0;
}

uint64_t net__timers_deadline(const struct net *net)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < NET_TIMERS_MAX; i++)
		if (net->timers[i].id != 0)
			first = u64_min(first, net->timers[i].at_ms);
	return first;
}

/* Those set by a callback wait for the next turn, even if they are due. */
void net__timers_due(struct net *net)
{
	uint32_t due[NET_TIMERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < NET_TIMERS_MAX; i++)
		if (net->timers[i].id != 0 && net->timers[i].at_ms <= net->now_ms)
			due[count++] = (uint32_t)i;
	for (size_t k = 0; k < count; k++) {
		struct timer t = net->timers[due[k]];

		/* A callback before may have cancelled it and taken its place. */
		if (t.id == 0 || t.at_ms > net->now_ms)
			continue;
		net->timers[due[k]].id = 0;
		t.fn(t.ctx, net->now_ms);
	}
}
