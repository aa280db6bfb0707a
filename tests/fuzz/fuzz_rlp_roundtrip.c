/* SPDX-License-Identifier: MIT */
/* Writing what the input describes: sizes foretold are sizes written, both ways of
 * writing a list agree, and what was written reads back (hardening R7). */
#include "rlp/rlp.h"
#include "tests/fuzz/fuzz.h"

#define OUT_MAX	  (1 << 16)
#define DEPTH_MAX 12

static uint8_t sized[OUT_MAX], closed[OUT_MAX];

static struct span take_up_to(struct span *in, size_t len)
{
	struct span s = { NULL, 0 };

	fuzz_check(span_take(in, &s, size_min(len, in->len)));
	return s;
}

/* One item by the next bytes of in; returns its size. */
static size_t size_item(struct span *in, unsigned depth)
{
	uint8_t kind = fuzz_u8(in);
	size_t payload = 0;
	struct span s;

	if (kind < 0x40)
		return rlp_size_u64(fuzz_u64(in) >> (kind & 0x3f));
	if (kind < 0xc0 || depth == DEPTH_MAX) {
		s = take_up_to(in, kind & 0x7f);
		return rlp_size_bytes(s.data, s.len);
	}
	for (unsigned i = 0; i < (kind & 0x0fu); i++)
		payload += size_item(in, depth + 1);
	return rlp_size_list(payload);
}

static void write_item(struct rlp_writer *w, struct span *in, unsigned depth, bool close)
{
	uint8_t kind = fuzz_u8(in);
	struct span s, ahead = *in;
	size_t begin = 0, payload = 0;

	if (kind < 0x40) {
		rlp_write_u64(w, fuzz_u64(in) >> (kind & 0x3f));
		return;
	}
	if (kind < 0xc0 || depth == DEPTH_MAX) {
		s = take_up_to(in, kind & 0x7f);
		rlp_write_bytes(w, s.data, s.len);
		return;
	}
	if (close) {
		begin = rlp_list_begin(w);
	} else {
		for (unsigned i = 0; i < (kind & 0x0fu); i++)
			payload += size_item(&ahead, depth + 1);
		rlp_write_list(w, payload);
	}
	for (unsigned i = 0; i < (kind & 0x0fu); i++)
		write_item(w, in, depth + 1, close);
	if (close)
		rlp_list_end(w, begin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size_min(size, 2048));
	struct span again = in, third = in;
	size_t want = size_item(&in, 0);
	struct rlp_writer a = rlp_writer_init(sized, size_min(want, OUT_MAX));
	struct rlp_writer b = rlp_writer_init(closed, OUT_MAX);

	write_item(&a, &again, 0, false);
	write_item(&b, &third, 0, true);
	if (want > OUT_MAX) {
		fuzz_check(a.err == ERR_SIZE && b.err == ERR_SIZE);
		return 0;
	}
	fuzz_check(a.err == OK && a.len == want);
	fuzz_check(b.err == OK && b.len == want && memcmp(sized, closed, want) == 0);
	fuzz_check(rlp_validate(sized, want) == OK);
	return 0;
}
