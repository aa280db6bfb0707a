/* SPDX-License-Identifier: MIT */
/* Eviction against its reference, on tables that the input describes (hardening P2). */
#include "node/evict.h"
#include "tests/evict_model.h"
#include "tests/fuzz/fuzz.h"

#define MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct node__evictable p[MAX], q[MAX];
	struct span in = span_of(data, size);
	uint32_t count = 0;
	uint32_t victim;

	while (in.len > 0 && count < MAX) {
		uint8_t a = fuzz_u8(&in), b = fuzz_u8(&in);

		p[count] = (struct node__evictable){
			.link = count,
			.subnet = a & 15,
			.since_ms = a >> 4,
			.useful_ms = b & 15,
			.rtt_ms = b >> 4 == 15 ? UINT32_MAX : b >> 4,
		};
		count++;
	}
	memcpy(q, p, count * sizeof(p[0]));
	victim = node__evict_choose(q, count);
	fuzz_check(victim == evict_model(p, count));
	fuzz_check(victim == UINT32_MAX || victim < count);
	fuzz_check(count > 3 * NODE__PROTECT || victim == UINT32_MAX);
	return 0;
}
