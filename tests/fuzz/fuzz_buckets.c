/* SPDX-License-Identifier: MIT */
/* Token buckets against a model of unbounded integers (hardening §3). */
#include "base/bucket.h"
#include "tests/fuzz/fuzz.h"

#define wide __int128 /* any sum of this target fits */

struct model {
	wide credit; /* thousandths of a token */
	wide last;
};

static wide wide_min(wide a, wide b)
{
	return a < b ? a : b;
}

static wide cost(uint64_t n)
{
	return wide_min(n, BUCKET_BURST_MAX) * 1000;
}

static void model_refill(struct model *m, struct bucket_rate r, uint64_t now)
{
	wide cap = cost(r.burst);

	if ((wide)now > m->last) {
		wide elapsed = (wide)now - m->last;

		/* 2^64 of time by 2^64 of rate would not fit: stop at what fills any bucket */
		if (elapsed > ((wide)1 << 63) / r.rate)
			m->credit = cap;
		else
			m->credit += elapsed * r.rate;
		m->last = now;
	}
	m->credit = wide_min(m->credit, cap);
}

static bool model_take(struct model *m, struct bucket_rate r, uint64_t n, uint64_t now)
{
	model_refill(m, r, now);
	if (n > u64_min(r.burst, BUCKET_BURST_MAX) || m->credit < cost(n))
		return false;
	m->credit -= cost(n);
	return true;
}

static void model_charge(struct model *m, struct bucket_rate r, uint64_t n, uint64_t now)
{
	model_refill(m, r, now);
	m->credit -= cost(n);
	if (m->credit < -cost(r.burst))
		m->credit = -cost(r.burst);
}

/* Numbers of all magnitudes, so that edges are near. */
static uint64_t pick(struct span *in)
{
	uint8_t shift = fuzz_u8(in);

	return fuzz_u64(in) >> (shift & 63);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct bucket_rate r = { u64_max(pick(&in), 1), u64_max(pick(&in), 1) };
	uint64_t now = pick(&in);
	struct model m = { .credit = cost(r.burst), .last = now };
	struct bucket b;

	bucket_init(&b, r, now);
	while (in.len > 0) {
		uint8_t op = fuzz_u8(&in);
		uint64_t n = pick(&in);
		uint64_t when;

		if (op & 0x80)
			now = pick(&in); /* any jump */
		else
			now = time_add(now, op >> 2 & 31);
		switch (op & 3) {
		case 0:
		case 1: fuzz_check(bucket_take(&b, r, n, now) == model_take(&m, r, n, now)); break;
		case 2:
			bucket_charge(&b, r, n, now);
			model_charge(&m, r, n, now);
			break;
		case 3:
			when = bucket_ready_at(&b, r, n, now);
			if (when > now && when != UINT64_MAX && when - 1 > m.last) {
				struct model before = m;

				fuzz_check(!model_take(&before, r, n, when - 1));
			}
			if (when != UINT64_MAX) {
				struct model then = m;

				fuzz_check(model_take(&then, r, n, when));
			}
			break;
		}
		fuzz_check((wide)b.credit == m.credit && (wide)b.last_ms == m.last);
	}
	return 0;
}
