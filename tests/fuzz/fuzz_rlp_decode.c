/* SPDX-License-Identifier: MIT */
/* The typed readers on any bytes: they stay inside, and what they take is canonical
 * (hardening R1, R2, R6). */
#include "rlp/rlp.h"
#include "tests/fuzz/fuzz.h"

/* What was read, written again, must be the bytes that were read. */
static void check_again(const uint8_t *from, const struct rlp_reader *to, struct span s,
			bool number, uint64_t v)
{
	size_t len = (size_t)(to->at - from);
	uint8_t *out = malloc(len);
	struct rlp_writer w = rlp_writer_init(out, len);

	fuzz_check(out != NULL);
	if (number)
		rlp_write_u64(&w, v);
	else
		rlp_write_bytes(&w, s.data, s.len);
	fuzz_check(w.err == OK && w.len == len && memcmp(out, from, len) == 0);
	free(out);
}

static void read_all(struct rlp_reader r, unsigned depth, uint8_t how)
{
	const uint8_t *end = r.at + r.left;

	while (!rlp_reader_at_end(&r)) {
		const uint8_t *from = r.at;
		struct rlp_reader typed = r, list;
		struct span s;
		uint64_t v;

		if (rlp_next_is_list(&r)) {
			rlp_read_list(&r, &list);
			fuzz_check(list.err == r.err);
			if (r.err == OK) {
				fuzz_check(list.at + list.left == r.at && r.at <= end);
				if (depth < 8)
					read_all(list, depth + 1, how);
				(void)rlp_count(&list);
			}
			continue;
		}
		v = rlp_read_u64(&typed);
		if (typed.err == OK)
			check_again(from, &typed, span_of(NULL, 0), true, v);
		typed = r;
		if (rlp_read_u16(&typed) > 0)
			fuzz_check(typed.err == OK);
		typed = r;
		if (rlp_read_bool(&typed))
			fuzz_check(typed.err == OK && *from == 1);
		typed = r;
		if (rlp_read_fixed(&typed, how) == NULL)
			fuzz_check(typed.err != OK);
		s = rlp_read_bytes(&r);
		if (r.err == OK) {
			fuzz_check(r.at <= end && r.at + r.left == end);
			check_again(from, &r, s, false, 0);
		} else {
			fuzz_check(s.len == 0);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	uint8_t how = fuzz_u8(&in);

	read_all(rlp_reader_init(in.data, in.len), 0, how);
	return 0;
}
