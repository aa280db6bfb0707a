/* SPDX-License-Identifier: MIT */
/* shh/envelope.c against whisper_envelopes, whisper_mail, whisper_rlp and the
 * recorded sessions; hardening W3 and O6. */
#include "tests/shh_vectors.h"

/* --- vectors ------------------------------------------------------------------ */

static void check_written(const struct shh_envelope *e, struct span raw, const char *name)
{
	size_t size = shh_envelope_size(e->content.len, e->nonce);
	struct span out = vec_fill(0xaa, size);

	assert_int_equal(shh_envelope_write((uint8_t *)(uintptr_t)out.data, e->content, e->nonce),
			 size);
	assert_span_equal(out, raw, "%s", name);
}

static void check_fields(const json_t *v, struct span raw, const char *name)
{
	struct shh_envelope e = envelope_of(raw);
	uint8_t topic[SHH_TOPIC_SIZE], hash[32];

	assert_int_equal(e.expiry, vec_u64(v, "expiry"));
	assert_int_equal(e.ttl, vec_u64(v, "ttl"));
	vec_exact(v, "topic", topic, sizeof(topic));
	assert_memory_equal(e.topic.b, topic, sizeof(topic));
	assert_span_equal(e.data, vec_bytes(v, "data"), "%s", name);
	assert_int_equal(e.nonce, be64_load(vec_bytes(v, "nonce").data));
	assert_ptr_equal(e.raw.data, raw.data);
	assert_int_equal(e.raw.len, raw.len);
	assert_span_equal(e.content, vec_content(v), "%s", name);
	check_written(&e, raw, name);
	shh_envelope_hash(hash, e.content, e.nonce);
	assert_span_equal(span_of(hash, sizeof(hash)), vec_bytes(v, "hash"), "%s", name);
}

static void test_vectors(void **state)
{
	json_t *file = vectors_open("whisper_envelopes");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "vectors", i, v) {
		check_fields(v, vec_bytes(v, "rlp"), vec_text(v, "id"));
		count++;
	}
	assert_int_equal(count, 121);
	vectors_close(file);
}

static void check_archived(const json_t *v, const char *key, const char *hash_key)
{
	struct shh_envelope e = envelope_of(vec_bytes(v, key));
	uint8_t hash[32];

	check_written(&e, vec_bytes(v, key), key);
	if (hash_key == NULL)
		return;
	shh_envelope_hash(hash, e.content, e.nonce);
	assert_span_equal(span_of(hash, sizeof(hash)), vec_bytes(v, hash_key), "%s", key);
}

static void test_mail_vectors(void **state)
{
	json_t *file = vectors_open("whisper_mail");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "archive", i, v) {
		struct shh_envelope e = envelope_of(vec_bytes(v, "rlp"));

		check_archived(v, "rlp", "hash");
		assert_int_equal(e.expiry - e.ttl, vec_u64(v, "sent"));
	}
	vectors_each (file, "requests", i, v)
		check_archived(v, "envelope", NULL);
	vectors_close(file);
}

static void check_session_hash(const json_t *v, const char *where, void *ctx)
{
	struct span content = vec_content(v);
	uint64_t nonce = be64_load(vec_bytes(v, "nonce").data);
	size_t size = shh_envelope_size(content.len, nonce);
	struct span raw = vec_fill(0, size);

	(void)ctx;
	shh_envelope_write((uint8_t *)(uintptr_t)raw.data, content, nonce);
	check_fields(v, raw, where);
}

static void test_session_envelopes(void **state)
{
	(void)state;
	assert_int_equal(sessions_each(check_session_hash, NULL), SESSION_ENVELOPES);
}

/* --- accept and reject ---------------------------------------------------------- */

static bool reads_as_one(struct span in)
{
	struct rlp_reader r = rlp_reader_init(in.data, in.len);
	struct shh_envelope e;

	return shh_envelope_read(&e, &r) == OK && r.left == 0;
}

static bool reads_as_list(struct span in)
{
	struct rlp_reader r = rlp_reader_init(in.data, in.len), list;
	struct shh_envelope e;

	rlp_read_list(&r, &list);
	rlp_expect_end(&r);
	while (!rlp_reader_at_end(&list))
		(void)!shh_envelope_read(&e, &list);
	return rlp_reader_err(&list) == OK && rlp_reader_err(&r) == OK;
}

/* 1 accepted, 0 rejected, -1 another type. */
static int read_as(const json_t *v)
{
	if (strcmp(vec_text(v, "as"), "envelope") == 0)
		return reads_as_one(vec_bytes(v, "input"));
	if (strcmp(vec_text(v, "as"), "list<envelope>") == 0)
		return reads_as_list(vec_bytes(v, "input"));
	return -1;
}

static void test_rlp_vectors(void **state)
{
	json_t *file = vectors_open("whisper_rlp");
	size_t i, accepted = 0, rejected = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "accepted_typed", i, v) {
		int got = read_as(v);

		if (got == 0)
			fail_msg("%s: rejected", vec_text(v, "name"));
		accepted += got == 1;
	}
	vectors_each (file, "invalid", i, v) {
		int got = read_as(v);

		if (got == 1)
			fail_msg("%s: accepted", vec_text(v, "name"));
		rejected += got == 0;
	}
	assert_int_equal(accepted, 7);
	assert_int_equal(rejected, 21);
	vectors_close(file);
}

/* Every prefix of an envelope is refused, and nothing past its end is read. */
static void test_w3_cut_anywhere(void **state)
{
	json_t *file = vectors_open("whisper_envelopes");
	struct span raw = vec_bytes(json_array_get(vec_array(file, "vectors"), 0), "rlp");

	(void)state;
	for (size_t len = 0; len < raw.len; len++) {
		struct span cut = vec_copy(raw.data, len);
		struct rlp_reader r = rlp_reader_init(cut.data, cut.len);
		struct shh_envelope e = { .ttl = 77 };

		assert_int_equal(shh_envelope_read(&e, &r), ERR_ENVELOPE);
		assert_int_equal(rlp_reader_err(&r), ERR_ENVELOPE);
		assert_int_equal(e.ttl, 77);
	}
	vectors_close(file);
}

/* A template of five items, of which one at a time is replaced. */
struct item {
	const char *bytes; /* RLP, in hex */
	bool good;
};

static const struct item items_of[5][12] = {
	/* expiry: canonical, up to 32 bits */
	{ { "846553f100", true },
	  { "80", true },
	  { "7f", true },
	  { "84ffffffff", true },
	  { "850100000000", false },
	  { "88ffffffffffffffff", false },
	  { "8400000001", false },
	  { "00", false },
	  { "8101", false },
	  { "c0", false },
	  { "b8046553f100", false } },
	/* ttl: the same */
	{ { "32", true },
	  { "80", true },
	  { "84ffffffff", true },
	  { "850100000000", false },
	  { "820032", false },
	  { "00", false },
	  { "8132", false },
	  { "c132", false } },
	/* topic: four bytes */
	{ { "8401020304", true },
	  { "8400000000", true },
	  { "80", false },
	  { "01", false },
	  { "83010203", false },
	  { "850102030405", false },
	  { "b80401020304", false },
	  { "c58401020304", false },
	  { "ca84010203048401020304", false } },
	/* data: any string */
	{ { "8464617461", true },
	  { "80", true },
	  { "00", true },
	  { "7f", true },
	  { "8180", true },
	  { "8101", false },
	  { "b80464617461", false },
	  { "c0", false },
	  { "b9000464617461", false } },
	/* nonce: canonical, up to 64 bits */
	{ { "07", true },
	  { "80", true },
	  { "88ffffffffffffffff", true },
	  { "89010000000000000000", false },
	  { "880000000000000007", false },
	  { "00", false },
	  { "8107", false },
	  { "c0", false } },
};

/* Write a list of the given items, each RLP in hex. */
static struct span list_of(const char *const *items, size_t count)
{
	uint8_t out[256];
	struct rlp_writer w = rlp_writer_init(out, sizeof(out));
	size_t begin = rlp_list_begin(&w);

	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[64];
		size_t len;

		assert_int_equal(
			hex_decode_any(bytes, &len, sizeof(bytes), items[i], strlen(items[i])), OK);
		rlp_write_raw(&w, bytes, len);
	}
	rlp_list_end(&w, begin);
	assert_int_equal(w.err, OK);
	return vec_copy(out, w.len);
}

static void test_w3_field_widths(void **state)
{
	(void)state;
	for (size_t field = 0; field < 5; field++) {
		for (size_t i = 0; i < 12 && items_of[field][i].bytes != NULL; i++) {
			const char *items[5];

			for (size_t f = 0; f < 5; f++)
				items[f] = items_of[f][f == field ? i : 0].bytes;
			if (reads_as_one(list_of(items, 5)) != items_of[field][i].good)
				fail_msg("field %zu, %s: wrong verdict", field, items[field]);
		}
	}
	vectors_close(NULL);
}

static void test_w3_item_counts(void **state)
{
	static const char *const items[7] = { "846553f100", "32", "8401020304", "8464617461",
					      "07",	    "80", "c0" };

	(void)state;
	for (size_t count = 0; count <= 7; count++)
		assert_int_equal(reads_as_one(list_of(items, count)), count == 5);
	vectors_close(NULL);
}

/* The first fault ends the packet: what follows cannot be read any more. */
static void test_w3_first_fault_ends_the_packet(void **state)
{
	static const char *const good[5] = { "846553f100", "32", "8401020304", "8464617461", "07" };
	struct span one = list_of(good, 5), bad = list_of(good, 4);
	uint8_t out[256];
	struct rlp_writer w = rlp_writer_init(out, sizeof(out));
	struct rlp_reader r;
	struct shh_envelope e;

	(void)state;
	rlp_write_raw(&w, one.data, one.len);
	rlp_write_raw(&w, bad.data, bad.len);
	rlp_write_raw(&w, one.data, one.len);
	r = rlp_reader_init(out, w.len);
	assert_int_equal(shh_envelope_read(&e, &r), OK);
	assert_int_equal(e.raw.len, one.len);
	assert_int_equal(shh_envelope_read(&e, &r), ERR_ENVELOPE);
	assert_int_equal(shh_envelope_read(&e, &r), ERR_ENVELOPE);
	assert_true(rlp_reader_at_end(&r));
	r = rlp_reader_init(out, w.len);
	rlp_fail(&r, ERR_TRAILING); /* and an earlier fault of the caller's stays */
	assert_int_equal(shh_envelope_read(&e, &r), ERR_TRAILING);
	vectors_close(NULL);
}

/* Expiry has 32 bits on the wire and 64 in every computation. */
static void test_o6_expiry_at_the_end_of_32_bits(void **state)
{
	static const char *const last[5] = { "84ffffffff", "84ffffffff", "8401020304", "80", "80" };
	static const char *const past[5] = { "850100000000", "32", "8401020304", "80", "80" };
	struct shh_envelope e = envelope_of(list_of(last, 5));

	(void)state;
	assert_true(e.expiry == UINT32_MAX && e.ttl == UINT32_MAX);
	assert_true(e.expiry + e.ttl == 2 * (uint64_t)UINT32_MAX);
	assert_true(e.expiry + SHH_TTL_MAX > e.expiry);
	assert_false(reads_as_one(list_of(past, 5)));
	vectors_close(NULL);
}

/* --- writing ---------------------------------------------------------------------- */

static void test_content_refuses_a_small_buffer(void **state)
{
	struct shh_topic topic = { { 1, 2, 3, 4 } };
	uint8_t data[70] = { 0 }, out[128];

	(void)state;
	for (size_t len = 0; len <= sizeof(data); len++) {
		struct span d = span_of(data, len);
		size_t size = shh_content_size(1700000000, 50, len, data);

		for (size_t max = 0; max < size; max++)
			assert_int_equal(shh_content_write(out, max, 1700000000, 50, topic, d), 0);
		assert_int_equal(shh_content_write(out, size, 1700000000, 50, topic, d), size);
	}
}

/* Write and read again: random fields, every length of every integer. */
static void test_write_then_read(void **state)
{
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 627);
	uint8_t data[600], content[700], raw[720], again[32], hash[32];

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		struct {
			uint64_t expiry, ttl, nonce, len;
			struct shh_topic topic;
		} in;
		struct shh_envelope e;
		size_t n;

		assert_int_equal(rng_fill(&rng, (uint8_t *)&in, sizeof(in)), OK);
		assert_int_equal(rng_fill(&rng, data, sizeof(data)), OK);
		in.expiry = (uint32_t)in.expiry >> i % 33 % 32;
		in.ttl = (uint32_t)in.ttl >> i % 31;
		in.nonce >>= i % 64;
		in.len %= sizeof(data) >> i % 9;
		n = shh_content_write(content, sizeof(content), in.expiry, in.ttl, in.topic,
				      span_of(data, in.len));
		assert_int_equal(n, shh_content_size(in.expiry, in.ttl, in.len, data));
		n = shh_envelope_write(raw, span_of(content, n), in.nonce);
		e = envelope_of(span_of(raw, n));
		assert_true(e.expiry == in.expiry && e.ttl == in.ttl && e.nonce == in.nonce);
		assert_memory_equal(e.topic.b, in.topic.b, SHH_TOPIC_SIZE);
		assert_true(span_eq(e.data, span_of(data, in.len)));
		shh_envelope_hash(hash, e.content, e.nonce);
		keccak256(again, raw, n);
		assert_memory_equal(hash, again, 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_mail_vectors),
		cmocka_unit_test(test_session_envelopes),
		cmocka_unit_test(test_rlp_vectors),
		cmocka_unit_test(test_w3_cut_anywhere),
		cmocka_unit_test(test_w3_field_widths),
		cmocka_unit_test(test_w3_item_counts),
		cmocka_unit_test(test_w3_first_fault_ends_the_packet),
		cmocka_unit_test(test_o6_expiry_at_the_end_of_32_bits),
		cmocka_unit_test(test_content_refuses_a_small_buffer),
		cmocka_unit_test(test_write_then_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
