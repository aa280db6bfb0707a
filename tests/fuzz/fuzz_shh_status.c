/* SPDX-License-Identifier: MIT */
/* Status: what is read is within its bounds and, written again, reads the same. */
#include <math.h>

#include "tests/fuzz/fuzz.h"

#include "shh/packet.h"

static void check_same(const struct shh_status *a, const struct shh_status *b)
{
	fuzz_check(memcmp(&a->min_pow, &b->min_pow, sizeof(a->min_pow)) == 0);
	fuzz_check(a->has_bloom == b->has_bloom && a->bloom_was_sent == b->bloom_was_sent);
	fuzz_check(memcmp(&a->bloom, &b->bloom, sizeof(a->bloom)) == 0);
	fuzz_check(a->light == b->light && a->confirmations == b->confirmations);
	fuzz_check(a->has_rates == b->has_rates && a->rates.ip == b->rates.ip &&
		   a->rates.peer == b->rates.peer && a->rates.topic == b->rates.topic);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[SHH_STATUS_MAX], again[SHH_STATUS_MAX];
	struct shh_status s, t;
	enum err e = shh_status_read(&s, span_of(data, size));
	size_t len;

	fuzz_check(e == OK || e == ERR_STATUS || e == ERR_VERSION);
	if (e != OK)
		return 0;
	fuzz_check(isfinite(s.min_pow) && !signbit(s.min_pow));
	fuzz_check(!s.has_bloom || (s.bloom_was_sent && !shh_bloom_is_full(&s.bloom)));
	len = shh_status_write(out, sizeof(out), &s);
	fuzz_check(len > 0 && shh_status_write(again, len - 1, &s) == 0);
	fuzz_check(shh_status_read(&t, span_of(out, len)) == OK);
	check_same(&s, &t);
	fuzz_check(t.form == (s.form < SHH_STATUS_FOUR ? SHH_STATUS_FOUR : s.form));
	fuzz_check(shh_status_write(again, sizeof(again), &t) == len &&
		   memcmp(out, again, len) == 0);
	return 0;
}
