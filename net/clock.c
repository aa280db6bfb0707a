/* SPDX-License-Identifier: MIT */
/* net/clock.c - the two clocks and the system's random bytes. */
#include "net/net.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t net_clock_ms(void)
{
	return (uint64_t)read_ms(CLOCK_MONOTONIC);
}

int64_t net_wall_offset_ms(void)
{
	return read_ms(CLOCK_REALTIME) - read_ms(CLOCK_MONOTONIC);
}

static bool system_fill(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	while (len > 0) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		out += n;
		len -= (size_t)n;
	}
	return true;
}

struct rng net_rng(void)
{
	return (struct rng){ .fill = system_fill, .ctx = NULL };
}
