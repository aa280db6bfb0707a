/* SPDX-License-Identifier: MIT */
/* The reader against a slow reference on all short inputs, and at its limits
 * (hardening R1-R6). */
#include <pthread.h>
#include <stdlib.h>

#include "rlp/rlp.h"
#include "tests/vectors.h"

/* --- a reference that shares no idea with the reader ------------------------
 *
 * It decodes leniently (any form of a length), encodes the result again in the
 * shortest form, and calls an input canonical if that gives the same bytes. */

struct ref {
	const uint8_t *in;
	size_t len;
	uint8_t out[16];
	size_t out_len;
	bool broken;
};

static void ref_put(struct ref *r, size_t at, const uint8_t *bytes, size_t n)
{
	memmove(r->out + at + n, r->out + at, r->out_len - at);
	memcpy(r->out + at, bytes, n);
	r->out_len += n;
}

/* Decode one item at *pos, before end; append its encoding. */
static void ref_item(struct ref *r, size_t *pos, size_t end)
{
	size_t begin = r->out_len, n, count, first;
	uint8_t header;

	if (*pos >= end) {
		r->broken = true;
		return;
	}
	first = r->in[(*pos)++];
	if (first < 0x80) {
		header = (uint8_t)first;
		ref_put(r, begin, &header, 1);
		return;
	}
	count = first & 0x3f;
	if (count > 55) { /* length of length */
		n = count - 55;
		count = 0;
		while (n-- > 0) {
			if (*pos >= end) {
				r->broken = true;
				return;
			}
			count = count * 256 + r->in[(*pos)++];
		}
	}
	if (count > end - *pos) {
		r->broken = true;
		return;
	}
	end = *pos + count;
	if (first < 0xc0) {
		ref_put(r, begin, r->in + *pos, count);
		*pos = end;
		if (count == 1 && r->out[begin] < 0x80)
			return;
	}
	while (*pos < end && !r->broken)
		ref_item(r, pos, end);
	header = (uint8_t)((first < 0xc0 ? 0x80 : 0xc0) + count);
	ref_put(r, begin, &header, 1); /* inputs are short, so lengths are */
}

/* The length of the first item, or 0 if it is not canonical. */
static size_t ref_first(const uint8_t *in, size_t len)
{
	struct ref r = { .in = in, .len = len };
	size_t pos = 0;

	ref_item(&r, &pos, len);
	if (r.broken || r.out_len != pos || memcmp(r.out, in, pos) != 0)
		return 0;
	return pos;
}

static void compare(const uint8_t *in, size_t len)
{
	size_t first = ref_first(in, len);
	enum err want = first == 0 ? ERR_RLP : first < len ? ERR_TRAILING : OK;
	struct rlp_reader r;

	if (rlp_validate(in, len) != want)
		fail_msg("validate: %zu bytes, %02x %02x %02x", len, in[0], in[1], in[2]);
	/* A string that is canonical is read as such, and nothing else is. */
	r = rlp_reader_init(in, len);
	if (first > 0 && in[0] < 0xc0) {
		struct span s = rlp_read_bytes(&r);
		size_t header = in[0] < 0x80 ? 0 : 1;

		if (r.err != OK || s.len != first - header || s.data != in + header ||
		    r.left != len - first)
			fail_msg("bytes: %zu bytes, %02x %02x %02x", len, in[0], in[1], in[2]);
		r = rlp_reader_init(in, len);
		if (s.len > 0 && s.data[0] == 0)
			assert_true(rlp_read_u64(&r) == 0 && r.err == ERR_RLP);
		else
			assert_true(rlp_read_u64(&r) < 1u << 16 && r.err == OK);
	} else {
		(void)rlp_read_bytes(&r);
		if (r.err != ERR_RLP)
			fail_msg("bytes: %zu bytes, %02x %02x %02x", len, in[0], in[1], in[2]);
	}
}

/* hardening R1, R2: every input of 0, 1, 2 and 3 bytes. */
static void all_short_inputs(void **state)
{
	uint8_t in[3] = { 0 };

	(void)state;
	compare(in, 0);
	for (uint32_t i = 0; i < 1u << 24; i++) {
		be24_store(in, i);
		if ((i & 0xffff) == 0)
			compare(in, 1);
		if ((i & 0xff) == 0)
			compare(in, 2);
		compare(in, 3);
	}
}

/* --- lengths ------------------------------------------------------------------ */

/* Build a header by hand: base 80 or c0, n bytes of length. */
static size_t header_of(uint8_t *out, unsigned base, size_t len, size_t n)
{
	out[0] = (uint8_t)(n == 0 ? base + len : base + 55 + n);
	for (size_t i = 0; i < n; i++)
		out[1 + i] = (uint8_t)(len >> 8 * (n - 1 - i));
	return 1 + n;
}

/* Each length around each edge, in each form: exactly the shortest is taken,
 * one byte too few never is, and one too many is told. */
static void lengths_at_their_edges(void **state)
{
	static const size_t lens[] = { 0,     1,     2,	    54,	      55,	56,
				       57,    254,   255,   256,      257,	65534,
				       65535, 65536, 65537, 16777215, 16777216, 16777217 };
	uint8_t *in = calloc(1, 16777217 + 10);

	(void)state;
	assert_non_null(in);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		size_t len = lens[i];
		size_t shortest = len < 56	  ? 0
				  : len < 256	  ? 1
				  : len < 65536	  ? 2
				  : len < 1 << 24 ? 3
						  : 4;

		for (size_t n = len < 56 ? 0 : 1; n <= 8; n++) {
			for (unsigned base = 0x80; base <= 0xc0; base += 0x40) {
				size_t total = header_of(in, base, len, n) + len;
				struct rlp_reader r = rlp_reader_init(in, total), list;
				enum err want = n == shortest ? OK : ERR_RLP;

				if (len < 56 && n == 0 && base == 0x80 && len == 1)
					in[1] = 0xff; /* else it would stand for itself */
				if (n < 8 && len >= (size_t)1 << 8 * n && n > 0)
					continue; /* does not fit so few bytes */
				if (base == 0x80)
					assert_int_equal(rlp_read_bytes(&r).len,
							 want == OK ? len : 0);
				else
					rlp_read_list(&r, &list);
				assert_int_equal(r.err, want);
				r = rlp_reader_init(in, total - 1);
				rlp_skip(&r);
				assert_int_equal(r.err, ERR_RLP);
				r = rlp_reader_init(in, total + 1);
				rlp_skip(&r);
				rlp_expect_end(&r);
				assert_int_equal(r.err, want == OK ? ERR_TRAILING : ERR_RLP);
				memset(in, 0, 10);
			}
		}
	}
	free(in);
}

/* A length near the top of any integer type is only a length that is not there. */
static void huge_lengths_are_not_there(void **state)
{
	(void)state;
	for (unsigned base = 0x80; base <= 0xc0; base += 0x40) {
		for (size_t n = 1; n <= 8; n++) {
			for (unsigned fill = 0x01; fill <= 0xff; fill += 0x7e) {
				uint8_t in[80];
				struct rlp_reader r = rlp_reader_init(in, sizeof(in));

				memset(in, (int)fill, sizeof(in));
				in[0] = (uint8_t)(base + 55 + n);
				if (n == 1 && fill == 1)
					continue; /* too short a length for this form */
				rlp_skip(&r);
				assert_int_equal(r.err,
						 n == 1 && fill < 79 && fill > 55 ? OK : ERR_RLP);
			}
		}
	}
}

/* --- hardening R3, R4 ------------------------------------------------------------ */

/* n lists, one in the other. */
static size_t nest(uint8_t *out, size_t max, size_t n)
{
	struct rlp_writer w = rlp_writer_init(out, max);
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		size_t begin = rlp_list_begin(&w);

		w.len += len;
		rlp_list_end(&w, begin);
		assert_int_equal(w.err, OK);
		len = w.len;
		w = rlp_writer_init(out, max);
	}
	return len;
}

static void nesting_has_an_end(void **state)
{
	uint8_t in[1024];
	size_t len;

	(void)state;
	len = nest(in, sizeof(in), RLP_WALK_DEPTH_MAX - 1);
	assert_int_equal(rlp_validate(in, len), OK);
	len = nest(in, sizeof(in), RLP_WALK_DEPTH_MAX);
	assert_int_equal(rlp_validate(in, len), OK);
	len = nest(in, sizeof(in), RLP_WALK_DEPTH_MAX + 1);
	assert_int_equal(rlp_validate(in, len), ERR_RLP);
}

/* Fill with lists that claim all that follows, down to the last byte. */
static uint8_t *bomb(size_t len)
{
	uint8_t *in = malloc(len);
	size_t at = 0;

	assert_non_null(in);
	while (at < len) {
		size_t left = len - at;
		uint8_t header[9];
		size_t n = left < 57 ? 0 : left < 258 ? 1 : left < 65539 ? 2 : 3;

		n = header_of(header, 0xc0, left - 1 - n, n);
		memcpy(in + at, header, n);
		at += n;
	}
	return in;
}

static void *walk_bombs(void *arg)
{
	uint8_t **bombs = arg;
	uintptr_t bad = 0;

	for (int i = 0; i < 2; i++)
		bad |= rlp_validate(bombs[i], 1 << 20) != ERR_RLP;
	return bad ? arg : NULL;
}

/* One mebibyte of c1, and of honest nesting, on a stack of 64 KiB. */
static void nesting_bombs_need_no_stack(void **state)
{
	uint8_t *bombs[2] = { malloc(1 << 20), bomb(1 << 20) };
	pthread_attr_t attr;
	pthread_t thread;
	void *result;

	(void)state;
	assert_non_null(bombs[0]);
	memset(bombs[0], 0xc1, 1 << 20);
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstacksize(&attr, 64 * 1024), 0);
	assert_int_equal(pthread_create(&thread, &attr, walk_bombs, bombs), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_null(result);
	pthread_attr_destroy(&attr);
	free(bombs[0]);
	free(bombs[1]);
}

static void items_have_an_end(void **state)
{
	static uint8_t in[RLP_WALK_ITEMS_MAX + 10];

	(void)state;
	for (size_t n = RLP_WALK_ITEMS_MAX - 2; n <= RLP_WALK_ITEMS_MAX + 1; n++) {
		size_t len = header_of(in, 0xc0, n, n < 65536 ? 2 : 3) + n;
		struct rlp_reader r = rlp_reader_init(in, len), list;

		assert_int_equal(rlp_validate(in, len), n < RLP_WALK_ITEMS_MAX ? OK : ERR_RLP);
		rlp_read_list(&r, &list); /* one who reads a schema sets his own bounds */
		assert_int_equal(rlp_count(&list), n);
		memset(in, 0, 4);
	}
}

/* --- hardening R6: fields at their edges ------------------------------------------ */

struct edge {
	const char *hex;
	bool u64, u32, u16, b;
};

static void integers_at_their_edges(void **state)
{
	static const struct edge edges[] = {
		{ "80", true, true, true, true },  /* 0 */
		{ "01", true, true, true, true },  /* 1 */
		{ "02", true, true, true, false }, /* max + 1 of bool */
		{ "7f", true, true, true, false },
		{ "8180", true, true, true, false },
		{ "82ffff", true, true, true, false },	    /* max of u16 */
		{ "83010000", true, true, false, false },   /* and one more */
		{ "84ffffffff", true, true, false, false }, /* max of u32 */
		{ "850100000000", true, false, false, false },
		{ "88ffffffffffffffff", true, false, false, false }, /* max of u64 */
		{ "89010000000000000000", false, false, false, false },
		{ "00", false, false, false, false }, /* a leading zero */
		{ "820001", false, false, false, false },
		{ "880000000000000001", false, false, false, false },
		{ "8100", false, false, false, false }, /* wrapped */
		{ "8101", false, false, false, false },
		{ "c0", false, false, false, false }, /* a list */
		{ "c101", false, false, false, false },
		{ "", false, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		const struct edge *e = &edges[i];
		struct rlp_reader r, fresh;
		uint8_t in[16];
		size_t len;
		uint64_t v64;

		assert_int_equal(hex_decode_any(in, &len, sizeof(in), e->hex, strlen(e->hex)), OK);
		fresh = rlp_reader_init(in, len);
		r = fresh;
		v64 = rlp_read_u64(&r);
		assert_int_equal(r.err, e->u64 ? OK : ERR_RLP);
		r = fresh;
		assert_true(rlp_read_u32(&r) == (e->u32 ? v64 : 0));
		assert_int_equal(r.err, e->u32 ? OK : ERR_RLP);
		r = fresh;
		assert_true(rlp_read_u16(&r) == (e->u16 ? v64 : 0));
		assert_int_equal(r.err, e->u16 ? OK : ERR_RLP);
		r = fresh;
		assert_int_equal(rlp_read_bool(&r), e->b && v64 == 1);
		assert_int_equal(r.err, e->b ? OK : ERR_RLP);
	}
}

static void fixed_strings_are_of_one_length(void **state)
{
	const uint8_t in[] = { 0x83, 'd', 'o', 'g', 0x05, 0x80 };
	struct rlp_reader r = rlp_reader_init(in, sizeof(in)), copy = r;

	(void)state;
	assert_ptr_equal(rlp_read_fixed(&r, 3), in + 1);
	assert_ptr_equal(rlp_read_fixed(&r, 1), in + 4);
	assert_non_null(rlp_read_fixed(&r, 0));
	assert_int_equal(r.err, OK);
	r = copy;
	assert_null(rlp_read_fixed(&r, 2));
	assert_int_equal(r.err, ERR_RLP);
	r = copy;
	assert_null(rlp_read_fixed(&r, 4));
	assert_int_equal(r.err, ERR_RLP);
}

/* --- the manners of a reader --------------------------------------------------------- */

static void a_failed_reader_stays_failed(void **state)
{
	const uint8_t in[] = { 0xc0, 0x05, 0x06 };
	struct rlp_reader r = rlp_reader_init(in, sizeof(in)), list;

	(void)state;
	assert_int_equal(rlp_read_bytes(&r).len, 0); /* it is a list */
	assert_int_equal(r.err, ERR_RLP);
	assert_true(rlp_reader_at_end(&r));
	assert_true(rlp_read_u64(&r) == 0);
	assert_int_equal(rlp_read_raw(&r).len, 0);
	assert_false(rlp_next_is_list(&r));
	assert_int_equal(rlp_count(&r), 0);
	rlp_read_list(&r, &list);
	assert_int_equal(rlp_reader_err(&list), ERR_RLP);
	rlp_expect_end(&r);
	rlp_fail(&r, ERR_SIZE);
	assert_int_equal(rlp_reader_err(&r), ERR_RLP); /* the first one */

	r = rlp_reader_init(in, sizeof(in));
	rlp_fail(&r, OK);
	rlp_expect_end(&r);
	assert_int_equal(r.err, ERR_TRAILING);
}

static void raw_items_are_whole(void **state)
{
	const uint8_t in[] = { 0xc3, 0x82, 0x00, 0x01, 0x7f, 0x80 };
	struct rlp_reader r = rlp_reader_init(in, sizeof(in));

	(void)state;
	assert_true(rlp_next_is_list(&r));
	assert_span_equal(rlp_read_raw(&r), span_of(in, 4), "list");
	assert_false(rlp_next_is_list(&r));
	assert_span_equal(rlp_read_raw(&r), span_of(in + 4, 1), "byte");
	assert_int_equal(rlp_count(&r), 1);
	rlp_skip(&r);
	assert_true(rlp_reader_at_end(&r));
	assert_int_equal(r.err, OK);
	rlp_skip(&r);
	assert_int_equal(r.err, ERR_RLP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_short_inputs),
		cmocka_unit_test(lengths_at_their_edges),
		cmocka_unit_test(huge_lengths_are_not_there),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(nesting_bombs_need_no_stack),
		cmocka_unit_test(items_have_an_end),
		cmocka_unit_test(integers_at_their_edges),
		cmocka_unit_test(fixed_strings_are_of_one_length),
		cmocka_unit_test(a_failed_reader_stays_failed),
		cmocka_unit_test(raw_items_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
