/* SPDX-License-Identifier: MIT */
/* Disconnect payloads: always a reason that can be named (hardening B5). */
#include "rlpx/disconnect.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	unsigned raw = rlpx__disconnect_read(in);
	unsigned plain = rlpx__disconnect_read_frame(in, false);
	unsigned packed = rlpx__disconnect_read_frame(in, true);
	uint8_t out[3];

	fuzz_check(raw <= RLPX_REASON_UNKNOWN && packed <= RLPX_REASON_UNKNOWN);
	fuzz_check(plain == raw);
	fuzz_check(rlpx_reason_text(raw) != NULL && rlpx_reason_text(packed) != NULL);
	if (raw < RLPX_REASON_UNKNOWN) { /* what was understood can be said */
		size_t len = rlpx__disconnect_write(out, raw);

		fuzz_check(len <= sizeof(out));
		fuzz_check(rlpx__disconnect_read(span_of(out, len)) == raw);
	}
	return 0;
}
