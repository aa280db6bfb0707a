/* SPDX-License-Identifier: MIT */
/* RLP against the recorded verdicts of go-ethereum's reader and writer. */
#include "rlp/rlp.h"
#include "tests/vectors.h"

#define OUT_MAX 140000

/* Read one item and compare it with its JSON form: hex, or an array of items. */
static void check_item(struct rlp_reader *r, const json_t *value)
{
	if (json_is_string(value)) {
		assert_false(rlp_next_is_list(r));
		assert_span_equal(rlp_read_bytes(r), vec_bytes_of(value), "a string");
		return;
	}
	struct rlp_reader list;
	const json_t *element;
	size_t i;

	assert_true(json_is_array(value) && rlp_next_is_list(r));
	rlp_read_list(r, &list);
	assert_int_equal(rlp_count(&list), json_array_size(value));
	json_array_foreach(value, i, element) check_item(&list, element);
	rlp_expect_end(&list);
	assert_int_equal(rlp_reader_err(&list), OK);
}

static size_t size_of(const json_t *value)
{
	const json_t *element;
	size_t i, payload = 0;

	if (json_is_string(value)) {
		struct span s = vec_bytes_of(value);

		return rlp_size_bytes(s.data, s.len);
	}
	json_array_foreach(value, i, element) payload += size_of(element);
	return rlp_size_list(payload);
}

/* Both ways of writing: sizes first, and lists that are closed afterwards. */
static void write_sized(struct rlp_writer *w, const json_t *value)
{
	const json_t *element;
	size_t i, payload = 0;

	if (json_is_string(value)) {
		struct span s = vec_bytes_of(value);

		rlp_write_bytes(w, s.data, s.len);
		return;
	}
	json_array_foreach(value, i, element) payload += size_of(element);
	rlp_write_list(w, payload);
	json_array_foreach(value, i, element) write_sized(w, element);
}

static void write_closed(struct rlp_writer *w, const json_t *value)
{
	const json_t *element;
	size_t i, begin;

	if (json_is_string(value)) {
		struct span s = vec_bytes_of(value);

		rlp_write_bytes(w, s.data, s.len);
		return;
	}
	begin = rlp_list_begin(w);
	json_array_foreach(value, i, element) write_closed(w, element);
	rlp_list_end(w, begin);
}

static void check_value(struct span encoding, const json_t *value, const char *name)
{
	static uint8_t out[OUT_MAX];
	struct rlp_reader r = rlp_reader_init(encoding.data, encoding.len);
	struct rlp_writer w;

	assert_int_equal(rlp_validate(encoding.data, encoding.len), OK);
	check_item(&r, value);
	rlp_expect_end(&r);
	assert_int_equal(rlp_reader_err(&r), OK);

	assert_int_equal(size_of(value), encoding.len);
	w = rlp_writer_init(out, encoding.len); /* the exact size suffices */
	write_sized(&w, value);
	assert_int_equal(w.err, OK);
	assert_span_equal(span_of(out, w.len), encoding, "%s, sized", name);
	w = rlp_writer_init(out, sizeof(out));
	write_closed(&w, value);
	assert_int_equal(w.err, OK);
	assert_span_equal(span_of(out, w.len), encoding, "%s, closed", name);
	if (encoding.len > 0) {
		w = rlp_writer_init(out, encoding.len - 1); /* one byte less does not */
		write_sized(&w, value);
		assert_int_equal(w.err, ERR_SIZE);
	}
}

static bool accepted(const json_t *v)
{
	const char *result = vec_text(v, "result");

	assert_true(strcmp(result, "accept") == 0 || strcmp(result, "reject") == 0);
	return result[0] == 'a';
}

static void items_of_rlp_json(void **state)
{
	json_t *file = vectors_open("rlp");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "items", i, v) {
		struct span in = vec_bytes(v, "input");

		if (accepted(v))
			check_value(in, vec_get(v, "value"), vec_text(v, "name"));
		else
			assert_int_not_equal(rlp_validate(in.data, in.len), OK);
	}
	vectors_close(file);
}

static void integers_of_rlp_json(void **state)
{
	json_t *file = vectors_open("rlp");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "uint64", i, v) {
		struct span in = vec_bytes(v, "input");
		struct rlp_reader r = rlp_reader_init(in.data, in.len);
		uint64_t n = rlp_read_u64(&r);

		rlp_expect_end(&r);
		assert_int_equal(rlp_reader_err(&r) == OK, accepted(v));
		assert_true(n == (accepted(v) ? vec_u64(v, "value") : 0));
	}
	vectors_each (file, "bool", i, v) {
		struct span in = vec_bytes(v, "input");
		struct rlp_reader r = rlp_reader_init(in.data, in.len);
		bool b = rlp_read_bool(&r);

		rlp_expect_end(&r);
		assert_int_equal(rlp_reader_err(&r) == OK, accepted(v));
		assert_int_equal(b, accepted(v) ? vec_bool(v, "value") : false);
	}
	vectors_close(file);
}

static void valid_of_whisper_rlp_json(void **state)
{
	json_t *file = vectors_open("whisper_rlp");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "valid", i, v)
		check_value(vec_bytes(v, "encoding"), vec_get(v, "value"), vec_text(v, "name"));
	vectors_close(file);
}

static void integers_of_whisper_rlp_json(void **state)
{
	json_t *file = vectors_open("whisper_rlp");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "integers", i, v) {
		struct span encoding = vec_bytes(v, "encoding");
		uint64_t n = vec_u64(v, "value");
		struct rlp_reader r = rlp_reader_init(encoding.data, encoding.len);
		uint8_t out[9];
		struct rlp_writer w = rlp_writer_init(out, sizeof(out));

		assert_true(rlp_read_u64(&r) == n);
		rlp_expect_end(&r);
		assert_int_equal(rlp_reader_err(&r), OK);
		assert_int_equal(rlp_size_u64(n), encoding.len);
		if (vec_has(v, "bool"))
			rlp_write_bool(&w, vec_bool(v, "bool"));
		else
			rlp_write_u64(&w, n);
		assert_int_equal(w.err, OK);
		assert_span_equal(span_of(out, w.len), encoding, "%s", vec_text(v, "value"));
	}
	vectors_close(file);
}

/* --- readers of the types that the vectors name ---------------------------- */

/* (expiry u32, ttl u32, topic 4 bytes, data, nonce u64), EIP-627. */
static void read_envelope(struct rlp_reader *r)
{
	struct rlp_reader list;

	rlp_read_list(r, &list);
	(void)rlp_read_u32(&list);
	(void)rlp_read_u32(&list);
	(void)rlp_read_fixed(&list, 4);
	(void)rlp_read_bytes(&list);
	(void)rlp_read_u64(&list);
	rlp_expect_end(&list);
	rlp_fail(r, rlp_reader_err(&list)); /* OK leaves r as it is */
}

static void read_as(struct rlp_reader *r, const char *type)
{
	struct rlp_reader list;
	char element[32];
	int n;

	if (sscanf(type, "list<%31[a-z0-9]%n>", element, &n) == 1 && type[n] == '>') {
		rlp_read_list(r, &list);
		while (!rlp_reader_at_end(&list))
			read_as(&list, element);
		rlp_fail(r, rlp_reader_err(&list));
	} else if (strcmp(type, "envelope") == 0) {
		read_envelope(r);
	} else if (strcmp(type, "bytes") == 0) {
		(void)rlp_read_bytes(r);
	} else if (strcmp(type, "bytes4") == 0) {
		(void)rlp_read_fixed(r, 4);
	} else if (strcmp(type, "uint64") == 0) {
		(void)rlp_read_u64(r);
	} else if (strcmp(type, "uint32") == 0) {
		(void)rlp_read_u32(r);
	} else if (strcmp(type, "uint8") == 0) {
		uint16_t v = rlp_read_u16(r);

		if (v > UINT8_MAX)
			rlp_fail(r, ERR_RLP);
	} else if (strcmp(type, "bool") == 0) {
		(void)rlp_read_bool(r);
	} else {
		fail_msg("no reader for type \"%s\"", type);
	}
}

static enum err verdict(const json_t *v)
{
	struct span in = vec_bytes(v, "input");
	struct rlp_reader r = rlp_reader_init(in.data, in.len);

	if (strcmp(vec_text(v, "as"), "any") == 0)
		return rlp_validate(in.data, in.len);
	read_as(&r, vec_text(v, "as"));
	rlp_expect_end(&r);
	return rlp_reader_err(&r);
}

static void typed_of_whisper_rlp_json(void **state)
{
	json_t *file = vectors_open("whisper_rlp");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "accepted_typed", i, v)
		if (verdict(v) != OK)
			fail_msg("refused: %s", vec_text(v, "name"));
	vectors_each (file, "invalid", i, v) {
		enum err e = verdict(v);
		bool tail = strcmp(vec_text(v, "class"), "trailing-bytes") == 0;
		bool many = strcmp(vec_text(v, "class"), "too-many-elements") == 0;

		if (e != ERR_RLP && e != ERR_TRAILING)
			fail_msg("%s: %s", err_name(e), vec_text(v, "name"));
		if (tail || many)
			assert_int_equal(e, ERR_TRAILING);
	}
	vectors_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_of_rlp_json),
		cmocka_unit_test(integers_of_rlp_json),
		cmocka_unit_test(valid_of_whisper_rlp_json),
		cmocka_unit_test(integers_of_whisper_rlp_json),
		cmocka_unit_test(typed_of_whisper_rlp_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
