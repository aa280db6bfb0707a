/* SPDX-License-Identifier: MIT */
/* Codes 2 and 3: a minimum work is finite and not negative, a bloom has 64 bytes,
 * and both are written as they were read (hardening U1).
 */
#include <math.h>

#include "tests/fuzz/fuzz.h"

#include "shh/packet.h"

static void check_pow(struct span payload)
{
	uint8_t out[9];
	double v, again;
	size_t len;

	if (shh_pow_read(&v, payload) != OK)
		return;
	fuzz_check(isfinite(v) && !signbit(v));
	len = shh_pow_write(out, v);
	fuzz_check(shh_pow_read(&again, span_of(out, len)) == OK);
	fuzz_check(memcmp(&v, &again, sizeof(v)) == 0);
	if (v > 0) /* -0.0 is read as 0 */
		fuzz_check(len <= payload.len && memcmp(out, payload.data, len) == 0);
}

static void check_bloom(struct span payload)
{
	struct shh_bloom bloom;
	uint8_t out[66];

	if (shh_bloom_read(&bloom, payload) != OK)
		return;
	fuzz_check(shh_bloom_write(out, &bloom) == sizeof(out));
	fuzz_check(payload.len >= sizeof(out) && memcmp(out, payload.data, sizeof(out)) == 0);
	fuzz_check(shh_bloom_match(&bloom, &bloom));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_pow(span_of(data, size));
	check_bloom(span_of(data, size));
	return 0;
}
