/* SPDX-License-Identifier: MIT */
/* Snappy blocks: the declared length is bounded before anything is decoded, the
 * result is the slow decoder's, and what was decoded compresses back (hardening F5, F6). */
#include "rlpx/rlpx.h"
#include "rlpx/snappy.h"
#include "tests/fuzz/fuzz.h"
#include "tests/snappy_slow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t slow[SLOW_MAX];
	struct span block = span_of(data, size);
	size_t len, again, packed_len;
	uint8_t *out, *packed;

	if (rlpx__snappy_length(&len, block, RLPX_FRAME_MAX) != OK)
		return 0;
	fuzz_check(len <= RLPX_FRAME_MAX && len <= 64 + 22 * size);
	out = malloc(len > 0 ? len : 1);
	fuzz_check(out != NULL);
	if (rlpx__snappy_decode(out, len, block) != OK) {
		fuzz_check(len > SLOW_MAX || slow_decode(slow, block) < 0);
		free(out);
		return 0;
	}
	if (len <= SLOW_MAX) {
		fuzz_check(slow_decode(slow, block) == (long)len);
		fuzz_check(len == 0 || memcmp(slow, out, len) == 0);
	}
	packed_len = rlpx__snappy_bound(len);
	packed = malloc(packed_len);
	fuzz_check(packed != NULL);
	rlpx__snappy_compress(packed, &packed_len, out, len);
	fuzz_check(rlpx__snappy_length(&again, span_of(packed, packed_len), RLPX_FRAME_MAX) == OK);
	fuzz_check(again == len);
	free(packed);
	free(out);
	return 0;
}
