/* SPDX-License-Identifier: MIT */
/* The packets of EIP-627, Status, Messages, work and bloom: shh/packet.c and
 * shh/packet_status.c against whisper_status, whisper_status_go; hardening U1.
 */
#include "tests/packet_checks.h"

static uint64_t bits_of(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

/* --- Status ---------------------------------------------------------------------- */

static void test_status_as_geth_sends_it(void **state)
{
	json_t *file = vectors_open("whisper_status");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "geth_sent", i, v) {
		const json_t *config = vec_get(v, "config");
		const char *bloom = vec_text(config, "bloom");
		struct shh_status s, made;
		uint8_t out[SHH_STATUS_MAX];

		assert_int_equal(shh_status_read(&s, vec_bytes(v, "payload")), OK);
		assert_int_equal(s.form, SHH_STATUS_FOUR);
		assert_true(bits_of(s.min_pow) == bits_of(vec_real(config, "min_pow")));
		assert_int_equal(s.light, vec_bool(config, "light"));
		assert_int_equal(s.bloom_was_sent, strcmp(bloom, "unset") != 0);
		assert_int_equal(s.has_bloom, s.bloom_was_sent && strcmp(bloom, "all ones") != 0);
		check_status_kept(vec_bytes(v, "payload"), vec_text(v, "name"));
		made = (struct shh_status){ .min_pow = vec_real(config, "min_pow"),
					    .light = vec_bool(config, "light"),
					    .has_bloom = s.has_bloom,
					    .bloom = s.bloom,
					    .bloom_was_sent = s.bloom_was_sent };
		assert_span_equal(span_of(out, shh_status_write(out, sizeof(out), &made)),
				  vec_bytes(v, "payload"), "%s", vec_text(v, "name"));
		count++;
	}
	assert_int_equal(count, 22);
	vectors_close(file);
}

static void test_status_as_status_go_sends_it(void **state)
{
	json_t *file = vectors_open("whisper_status_go");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "sent_status", i, v) {
		const json_t *items = vec_get(v, "items");
		struct shh_status s;

		assert_int_equal(shh_status_read(&s, vec_bytes(v, "payload")), OK);
		assert_int_equal(s.form, SHH_STATUS_SIX);
		assert_true(s.has_rates);
		assert_int_equal(s.light, vec_bytes_of(json_array_get(items, 3)).len);
		assert_int_equal(s.confirmations, vec_bytes_of(json_array_get(items, 4)).len);
		check_status_kept(vec_bytes(v, "payload"), vec_text(v, "name"));
		count++;
	}
	assert_int_equal(count, 6);
	vectors_close(file);
}

/* What geth would now send to this peer, told from what we read: each of three
 * envelopes is wanted if its topic is and its work suffices. */
static bool is_wanted(const struct shh_status *s, const uint8_t topic[static 4], double work)
{
	struct shh_bloom sample;
	struct shh_topic t;

	memcpy(t.b, topic, sizeof(t.b));
	shh_bloom_of(&sample, t, SHH_BLOOM_GETH);
	return s->min_pow <= work && shh_bloom_match(s->has_bloom ? &s->bloom : NULL, &sample);
}

static void check_effect(const struct shh_status *s, const json_t *then, const char *name)
{
	static const uint8_t one[4] = { 1, 2, 3, 4 }, two[4] = { 0xde, 0xad, 0xbe, 0xef };

	if (is_wanted(s, one, 2) != vec_bool(then, "high_pow_topic_01020304") ||
	    is_wanted(s, one, 0.5) != vec_bool(then, "low_pow_topic_01020304") ||
	    is_wanted(s, two, 2) != vec_bool(then, "high_pow_topic_deadbeef"))
		fail_msg("%s: geth took it for something else", name);
}

static void test_status_as_geth_reads_it(void **state)
{
	json_t *file = vectors_open("whisper_status");
	size_t i, statuses = 0, others = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "geth_received_as_first_packet", i, v) {
		const char *name = vec_text(v, "name");
		struct shh_status s = { .min_pow = 77 };
		enum err e;

		if (vec_u64(v, "code") != SHH_STATUS) {
			others++; /* no Status at all: not for a reader */
			continue;
		}
		statuses++;
		e = shh_status_read(&s, vec_bytes(v, "payload"));
		if (strcmp(name, "parity form: empty list") == 0) { /* ours speaks to parity */
			assert_int_equal(e, OK);
			assert_int_equal(s.form, SHH_STATUS_EMPTY);
			assert_true(s.min_pow == 0 && !s.has_bloom && !s.light);
		} else if (vec_bool(v, "local_light")) { /* well-formed: light is policy */
			assert_int_equal(e, OK);
			assert_int_equal(s.light, !is_accepted(v));
		} else if ((e == OK) != is_accepted(v)) {
			fail_msg("%s: %s", name, err_name(e));
		}
		if (e == OK && vec_has(v, "then_receives"))
			check_effect(&s, vec_get(v, "then_receives"), name);
		if (e != OK) {
			assert_true(s.min_pow == 77); /* untouched */
			assert_int_equal(e, strncmp(name, "version 5", 9) == 0 ||
							    strncmp(name, "version 7", 9) == 0
						    ? ERR_VERSION
						    : ERR_STATUS);
		}
	}
	assert_int_equal(statuses, 43);
	assert_int_equal(others, 5);
	vectors_close(file);
}

static void test_status_as_status_go_reads_it(void **state)
{
	json_t *file = vectors_open("whisper_status_go");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "received_status", i, v) {
		bool is_empty = vec_bytes(v, "payload").len == 1;
		struct shh_status s;

		assert_int_equal(shh_status_read(&s, vec_bytes(v, "payload")),
				 is_accepted(v) || is_empty ? OK : ERR_STATUS);
		count++;
	}
	assert_int_equal(count, 8);
	vectors_close(file);
}

struct status_case {
	const char *payload;
	enum shh_status_form form;
	bool light, confirmations, has_rates;
};

static const struct status_case status_cases[] = {
	{ "c0", SHH_STATUS_EMPTY, false, false, false },
	{ "c106", SHH_STATUS_SHORT, false, false, false },
	{ "c20680", SHH_STATUS_SHORT, false, false, false },
	{ "c3068080", SHH_STATUS_SHORT, false, false, false },
	{ "c406808001", SHH_STATUS_FOUR, true, false, false },
	{ "c406808002", SHH_STATUS_SHORT, false, false, false }, /* no bool, so no fourth */
	{ "c50680800101", SHH_STATUS_FIVE, true, true, false },
	{ "c50680800102", SHH_STATUS_FOUR, true, false, false },
	{ "c90680800101c3010203", SHH_STATUS_SIX, true, true, true },
	{ "c80680800101c20102", SHH_STATUS_FIVE, true, true, false },
	{ "ca0680800101c401020304", SHH_STATUS_FIVE, true, true, false },
	{ "c6068080010105", SHH_STATUS_FIVE, true, true, false },
	{ "ca0680800101c3010203ff", SHH_STATUS_SIX, true, true, true }, /* the rest is not read */
	{ "c406c08001", SHH_STATUS_SHORT, false, false, false }, /* after what cannot be read */
	{ "c40680c001", SHH_STATUS_SHORT, false, false, false },
};

static void test_status_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(status_cases) / sizeof(status_cases[0]); i++) {
		const struct status_case *c = &status_cases[i];
		uint8_t in[32];
		struct shh_status s;
		size_t len;

		assert_int_equal(
			hex_decode_any(in, &len, sizeof(in), c->payload, strlen(c->payload)), OK);
		assert_int_equal(shh_status_read(&s, span_of(in, len)), OK);
		if (s.form != c->form || s.light != c->light ||
		    s.confirmations != c->confirmations || s.has_rates != c->has_rates)
			fail_msg("%s: form %d", c->payload, (int)s.form);
	}
}

static void test_status_write(void **state)
{
	struct shh_status s = { .min_pow = 0.2 };
	uint8_t out[SHH_STATUS_MAX];

	(void)state;
	assert_int_equal(shh_status_write(out, sizeof(out), &s), 13);
	for (size_t max = 0; max < 13; max++)
		assert_int_equal(shh_status_write(out, max, &s), 0);
	/* the longest fits, and a five-item form grows from what is set */
	s = (struct shh_status){ .min_pow = 0.2,
				 .has_bloom = true,
				 .has_rates = true,
				 .rates = { UINT64_MAX, UINT64_MAX, UINT64_MAX } };
	assert_int_not_equal(shh_status_write(out, sizeof(out), &s), 0);
	s = (struct shh_status){ .confirmations = true };
	assert_int_equal(shh_status_write(out, sizeof(out), &s), 6);
	assert_memory_equal(out, "\xc5\x06\x80\x80\x80\x01", 6);
}

/* --- codes 2 and 3 ------------------------------------------------------------------- */

/* What geth 1.8 does with a control packet, and what our readers say. */
static void test_u1_control_packets_as_geth_reads_them(void **state)
{
	json_t *file = vectors_open("whisper_status");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "geth_received_after_handshake", i, v) {
		struct shh_bloom bloom;
		enum err e = OK;
		double pow;

		if (vec_u64(v, "code") == SHH_POW)
			e = shh_pow_read(&pow, vec_bytes(v, "payload"));
		else if (vec_u64(v, "code") == SHH_BLOOM)
			e = shh_bloom_read(&bloom, vec_bytes(v, "payload"));
		else
			continue;
		if (e != (is_accepted(v) ? OK : ERR_STATUS))
			fail_msg("%s: %s", vec_text(v, "name"), err_name(e));
		count++;
	}
	assert_int_equal(count, 19);
	vectors_close(file);
}

static void test_messages_as_geth_reads_them(void **state)
{
	json_t *file = vectors_open("whisper_status");
	size_t i, n, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "geth_received_after_handshake", i, v) {
		bool trailing = strstr(vec_text(v, "name"), "trailing") != NULL;

		if (vec_u64(v, "code") != SHH_MESSAGES || !vec_has(v, "payload"))
			continue;
		assert_int_equal(messages_read(vec_bytes(v, "payload"), &n) == OK,
				 is_accepted(v) && !trailing);
		count++;
	}
	assert_int_equal(count, 5);
	vectors_close(file);
}

static void test_packets_as_geth_sends_them(void **state)
{
	json_t *file = vectors_open("whisper_status");
	size_t i, n, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "geth_sent_other", i, v) {
		struct span payload = vec_bytes(v, "payload");
		struct shh_mail_request q;
		struct shh_bloom bloom;
		uint8_t out[66];
		double pow;

		switch (vec_u64(v, "code")) {
		case SHH_POW:
			assert_int_equal(shh_pow_read(&pow, payload), OK);
			assert_span_equal(span_of(out, shh_pow_write(out, pow)), payload, "pow");
			break;
		case SHH_BLOOM:
			assert_int_equal(shh_bloom_read(&bloom, payload), OK);
			assert_span_equal(span_of(out, shh_bloom_write(out, &bloom)), payload,
					  "bloom");
			break;
		case SHH_MESSAGES:
			assert_int_equal(messages_read(payload, &n), OK);
			assert_int_equal(n, strstr(vec_text(v, "name"), "two") != NULL ? 2 : 1);
			break;
		case SHH_P2P_MESSAGE: (void)envelope_of(payload); break;
		case SHH_P2P_REQUEST:
			assert_int_equal(shh_mail_request_read(&q, payload), OK);
			assert_true(q.is_envelope);
			break;
		default: fail_msg("%s: a code without a check", vec_text(v, "name"));
		}
		count++;
	}
	assert_int_equal(count, 9);
	vectors_close(file);
}

static enum err pow_of(uint64_t bits, double *out)
{
	uint8_t in[9];
	struct rlp_writer w = rlp_writer_init(in, sizeof(in));

	rlp_write_u64(&w, bits);
	return shh_pow_read(out, span_of(in, w.len));
}

/* Every class of double, at its edges: finite and not negative passes and is kept. */
static void test_u1_pow_edges(void **state)
{
	static const uint64_t good[] = { 0,
					 1,
					 0xf,
					 0x000fffffffffffff,
					 0x0010000000000000,
					 0x3fc999999999999a,
					 0x3ff0000000000000,
					 0x7fefffffffffffff };
	static const uint64_t bad[] = { 0x7ff0000000000000, 0x7ff0000000000001, 0x7ff8000000000000,
					0x7fffffffffffffff, 0x8000000000000001, 0xbff0000000000000,
					0xffefffffffffffff, 0xfff0000000000000, 0xfff8000000000000,
					0xffffffffffffffff };
	uint8_t out[9];
	double v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(pow_of(good[i], &v), OK);
		assert_true(bits_of(v) == good[i]);
		assert_int_equal(pow_of(good[i], &v), OK);
		assert_int_equal(shh_pow_write(out, v), rlp_size_u64(good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		v = 77;
		assert_int_equal(pow_of(bad[i], &v), ERR_STATUS);
		assert_true(v == 77);
	}
	assert_int_equal(pow_of(0x8000000000000000, &v), OK); /* -0.0 is 0 */
	assert_true(bits_of(v) == 0);
	assert_int_equal(shh_pow_write(out, -0.0), 1);
	assert_int_equal(out[0], 0x80);
}

/* A bloom is exactly 64 bytes; only Status knows an empty one. */
static void test_u1_bloom_sizes(void **state)
{
	uint8_t in[80], bytes[70] = { 1 };
	struct shh_bloom bloom;
	struct shh_status s;

	(void)state;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct rlp_writer w = rlp_writer_init(in, sizeof(in));
		size_t list;

		rlp_write_bytes(&w, bytes, len);
		assert_int_equal(shh_bloom_read(&bloom, span_of(in, w.len)),
				 len == SHH_BLOOM_SIZE ? OK : ERR_STATUS);
		w = rlp_writer_init(in, sizeof(in));
		list = rlp_list_begin(&w);
		rlp_write_u64(&w, 6);
		rlp_write_u64(&w, 0);
		rlp_write_bytes(&w, bytes, len);
		rlp_list_end(&w, list);
		assert_int_equal(w.err, OK);
		assert_int_equal(shh_status_read(&s, span_of(in, w.len)),
				 len == SHH_BLOOM_SIZE || len == 0 ? OK : ERR_STATUS);
	}
}

/* All zeros is a bloom that wants nothing, all ones is no bloom: both are legal. */
static void test_u4_blooms_in_packets(void **state)
{
	static const uint8_t fills[] = { 0x00, 0xff };
	struct shh_status s = { .min_pow = 1 };
	uint8_t out[SHH_STATUS_MAX], packet[66];
	struct shh_bloom back;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct shh_status got;

		memset(s.bloom.b, fills[i], SHH_BLOOM_SIZE);
		s.has_bloom = true;
		assert_int_equal(
			shh_status_read(&got, span_of(out, shh_status_write(out, sizeof(out), &s))),
			OK);
		assert_true(got.bloom_was_sent);
		assert_int_equal(got.has_bloom, fills[i] == 0);
		assert_int_equal(
			shh_bloom_read(&back, span_of(packet, shh_bloom_write(packet, &s.bloom))),
			OK);
		assert_memory_equal(back.b, s.bloom.b, SHH_BLOOM_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_as_geth_sends_it),
		cmocka_unit_test(test_status_as_status_go_sends_it),
		cmocka_unit_test(test_status_as_geth_reads_it),
		cmocka_unit_test(test_status_as_status_go_reads_it),
		cmocka_unit_test(test_status_forms),
		cmocka_unit_test(test_status_write),
		cmocka_unit_test(test_u1_control_packets_as_geth_reads_them),
		cmocka_unit_test(test_messages_as_geth_reads_them),
		cmocka_unit_test(test_packets_as_geth_sends_them),
		cmocka_unit_test(test_u1_pow_edges),
		cmocka_unit_test(test_u1_bloom_sizes),
		cmocka_unit_test(test_u4_blooms_in_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
