/* SPDX-License-Identifier: MIT */
/* base/bucket.c - token buckets whose arithmetic is exact and cannot wrap. */
#include "base/bucket.h"

#include "base/bytes.h"

_Static_assert(sizeof(struct bucket) == 16, "a cell of the tables of hardening §3");

#define MILLI 1000u /* thousandths in a token */

/* Thousandths in n tokens, at most those in BUCKET_BURST_MAX: fits an int64_t. */
static int64_t price(uint64_t n)
{
	return (int64_t)(u64_min(n, BUCKET_BURST_MAX) * MILLI);
}

static int64_t balance_at(const struct bucket *b, struct bucket_rate r, uint64_t now_ms)
{
	int64_t cap = price(r.burst);
	uint64_t gain;
	uint64_t room;

	if (now_ms <= b->last_ms)
		return b->credit < cap ? b->credit : cap;
	if (b->credit >= cap)
		return cap;
	room = (uint64_t)cap - (uint64_t)b->credit; /* modulo 2^64, so debt adds */
	if (__builtin_mul_overflow(now_ms - b->last_ms, r.rate, &gain) || gain >= room)
		return cap;
	return b->credit + (int64_t)gain;
}

static void refill(struct bucket *b, struct bucket_rate r, uint64_t now_ms)
{
	b->credit = balance_at(b, r, now_ms);
	b->last_ms = u64_max(b->last_ms, now_ms);
}

void bucket_init(struct bucket *b, struct bucket_rate r, uint64_t now_ms)
{
	b->last_ms = now_ms;
	b->credit = price(r.burst);
}

bool bucket_take(struct bucket *b, struct bucket_rate r, uint64_t n, uint64_t now_ms)
{
	refill(b, r, now_ms);
	if (n > u64_min(r.burst, BUCKET_BURST_MAX) || b->credit < price(n))
		return false;
	b->credit -= price(n);
	return true;
}

void bucket_charge(struct bucket *b, struct bucket_rate r, uint64_t n, uint64_t now_ms)
{
	int64_t floor = -price(r.burst);

	refill(b, r, now_ms);
	if (b->credit < floor) /* the burst was larger once */
		b->credit = floor;
	/* Both terms lie within two bursts of zero, so the difference fits. */
	b->credit = b->credit - floor < price(n) ? floor : b->credit - price(n);
}

uint64_t bucket_ready_at(const struct bucket *b, struct bucket_rate r, uint64_t n, uint64_t now_ms)
{
	int64_t balance = balance_at(b, r, now_ms);
	uint64_t missing;

	if (n > u64_min(r.burst, BUCKET_BURST_MAX) || r.rate == 0)
		return UINT64_MAX;
	if (balance >= price(n))
		return now_ms;
	missing = (uint64_t)price(n) - (uint64_t)balance;
	return time_add(u64_max(now_ms, b->last_ms), (missing - 1) / r.rate + 1);
}
