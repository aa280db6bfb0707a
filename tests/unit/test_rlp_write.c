/* SPDX-License-Identifier: MIT */
/* The writer: exact sizes, and failure that writes nothing past the end (hardening R7). */
#include "base/port.h"
#include "rlp/rlp.h"
#include "tests/vectors.h"

static void sizes_are_what_is_written(void **state)
{
	static uint8_t out[70000], data[66000];

	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		for (int d = -1; d <= 1; d++) {
			uint64_t v = ((uint64_t)1 << bits) + (uint64_t)(int64_t)d;
			struct rlp_writer w = rlp_writer_init(out, sizeof(out));
			struct rlp_reader r;

			rlp_write_u64(&w, v);
			assert_int_equal(w.err, OK);
			assert_int_equal(w.len, rlp_size_u64(v));
			r = rlp_reader_init(out, w.len);
			assert_true(rlp_read_u64(&r) == v && r.err == OK);
		}
	}
	for (size_t len = 0; len < sizeof(data); len += len < 300 ? 1 : 997) {
		struct rlp_writer w = rlp_writer_init(out, sizeof(out));

		rlp_write_bytes(&w, data, len);
		assert_int_equal(w.err, OK);
		assert_int_equal(w.len, rlp_size_bytes(data, len));
		if (len != 1)
			assert_int_equal(w.len, rlp_size_string(len));
		assert_int_equal(rlp_size_list(len), len + rlp_size_header(len));
	}
}

/* What does not fit is refused whole, and so is all that follows. */
static void a_full_writer_stays_full(void **state)
{
	uint8_t out[8];
	struct rlp_writer w = rlp_writer_init(out, 4);

	(void)state;
	memset(out, 0xaa, sizeof(out));
	rlp_write_text(&w, "ab");
	assert_int_equal(w.err, OK);
	rlp_write_text(&w, "cd"); /* its header would fit */
	assert_int_equal(w.err, ERR_SIZE);
	rlp_write_u64(&w, 1);
	rlp_write_raw(&w, out, 0);
	rlp_list_end(&w, 0);
	assert_int_equal(w.err, ERR_SIZE);
	assert_true(w.len <= 4);
	for (size_t i = 4; i < sizeof(out); i++)
		assert_int_equal(out[i], 0xaa);
}

static void lists_are_closed_around_what_they_hold(void **state)
{
	uint8_t out[400];
	struct rlp_writer w = rlp_writer_init(out, sizeof(out));
	size_t outer = rlp_list_begin(&w), inner;
	struct rlp_reader r, list, in;

	(void)state;
	rlp_write_text(&w, "shh");
	inner = rlp_list_begin(&w);
	for (unsigned i = 0; i < 100; i++)
		rlp_write_u64(&w, 128 + i);
	rlp_list_end(&w, inner);
	rlp_write_bool(&w, true);
	rlp_write_bool(&w, false);
	rlp_list_end(&w, outer);
	assert_int_equal(w.err, OK);
	r = rlp_reader_init(out, w.len);
	rlp_read_list(&r, &list);
	assert_true(span_eq(rlp_read_bytes(&list), span_of("shh", 3)));
	rlp_read_list(&list, &in);
	for (unsigned i = 0; i < 100; i++)
		assert_true(rlp_read_u64(&in) == 128 + i);
	rlp_expect_end(&in);
	assert_int_equal(in.err, OK);
	assert_true(rlp_read_bool(&list));
	assert_false(rlp_read_bool(&list));
	rlp_expect_end(&list);
	rlp_expect_end(&r);
	assert_int_equal(list.err, OK);
	assert_int_equal(r.err, OK);
}

static void sizes_saturate(void **state)
{
	struct rlp_writer w = rlp_writer_init(NULL, 0);

	(void)state;
	assert_true(rlp_size_list(SIZE_MAX) == SIZE_MAX);
	assert_true(rlp_size_string(SIZE_MAX - 1) == SIZE_MAX);
	rlp_write_list(&w, SIZE_MAX);
	assert_int_equal(w.err, ERR_SIZE);
#if SIZE_MAX > UINT32_MAX
	uint8_t out[16];

	w = rlp_writer_init(out, sizeof(out));
	rlp_write_list(&w, UINT32_MAX);
	assert_int_equal(w.err, OK);
	rlp_write_list(&w, (size_t)UINT32_MAX + 1); /* no reader of ours takes it */
	assert_int_equal(w.err, ERR_SIZE);
#endif
}

/* Random trees: what is written reads as canonical, and its sizes were foretold. */
static size_t random_tree(struct rlp_writer *w, const struct rng *rng, unsigned depth)
{
	size_t begin, payload = 0;
	uint8_t data[300];
	uint64_t kind, n;

	assert_int_equal(rng_below(rng, &kind, depth > 0 ? 4 : 3), OK);
	if (kind == 0) {
		assert_int_equal(rng_fill(rng, (uint8_t *)&n, sizeof(n)), OK);
		n >>= n & 63;
		rlp_write_u64(w, n);
		return rlp_size_u64(n);
	}
	if (kind < 3) {
		assert_int_equal(rng_below(rng, &n, kind == 1 ? 4 : sizeof(data)), OK);
		assert_int_equal(rng_fill(rng, data, n), OK);
		rlp_write_bytes(w, data, n);
		return rlp_size_bytes(data, n);
	}
	begin = rlp_list_begin(w);
	assert_int_equal(rng_below(rng, &n, 6), OK);
	while (n-- > 0)
		payload += random_tree(w, rng, depth - 1);
	rlp_list_end(w, begin);
	return rlp_size_list(payload);
}

static void random_trees_are_canonical(void **state)
{
	static uint8_t out[1 << 18];
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 3);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct rlp_writer w = rlp_writer_init(out, sizeof(out));
		size_t size = random_tree(&w, &rng, 6);

		assert_int_equal(w.err, OK);
		assert_int_equal(w.len, size);
		assert_int_equal(rlp_validate(out, w.len), OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_what_is_written),
		cmocka_unit_test(a_full_writer_stays_full),
		cmocka_unit_test(lists_are_closed_around_what_they_hold),
		cmocka_unit_test(sizes_saturate),
		cmocka_unit_test(random_trees_are_canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
