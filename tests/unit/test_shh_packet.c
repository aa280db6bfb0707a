/* SPDX-License-Identifier: MIT */
/* shh/packet.c and shh/packet_status.c against whisper_status, whisper_status_go
 * and the packets of the recorded sessions; hardening U1.
 */
#include "tests/shh_vectors.h"

#include <math.h>

#include "shh/packet.h"

static uint64_t bits_of(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

static bool is_accepted(const json_t *v)
{
	const char *result = vec_text(v, "result");

	return strcmp(result, "accepted") == 0 || strcmp(result, "connected") == 0;
}

/* --- Status ---------------------------------------------------------------------- */

/* What is read is written again, to the byte. */
static void check_status_kept(struct span payload, const char *name)
{
	uint8_t out[SHH_STATUS_MAX];
	struct shh_status s;

	assert_int_equal(shh_status_read(&s, payload), OK);
	assert_span_equal(span_of(out, shh_status_write(out, sizeof(out), &s)), payload, "%s",
			  name);
}

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

/* The verdict on a Messages payload; what geth takes after its end is refused (R5). */
static enum err messages_read(struct span payload, size_t *count)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	struct shh_envelope e;

	rlp_read_list(&r, &list);
	rlp_expect_end(&r);
	rlp_fail(&list, rlp_reader_err(&r));
	for (*count = 0; !rlp_reader_at_end(&list); ++*count)
		if (shh_envelope_read(&e, &list) != OK)
			break;
	return rlp_reader_err(&list);
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

/* --- the packets of Status ------------------------------------------------------------ */

static enum err direct_read(struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len);
	struct shh_envelope e;
	size_t n;

	return shh_envelope_read(&e, &r) == OK && r.left == 0 ? OK : messages_read(payload, &n);
}

/* The verdict of our reader for a code; ERR_STATE for codes without one. */
static enum err read_code(uint64_t code, struct span payload)
{
	struct shh_sync_response sync;
	struct shh_sync_request request;
	struct shh_mail_request mail;
	struct shh_complete complete;
	struct shh_response response;
	struct shh_response_item item;
	struct shh_rates rates;
	uint8_t hash[32];
	enum err e;
	size_t n;

	switch (code) {
	case SHH_MESSAGES: return messages_read(payload, &n);
	case SHH_BATCH_ACK: return shh_batch_ack_read(hash, payload);
	case SHH_MESSAGE_RESPONSE:
		e = shh_response_read(&response, payload);
		while (e == OK && shh_response_next(&response, &item))
			;
		return e == OK ? rlp_reader_err(&response.items) : e;
	case SHH_RATE_LIMITS: return shh_rates_read(&rates, payload);
	case SHH_SYNC_REQUEST: return shh_sync_request_read(&request, payload);
	case SHH_SYNC_RESPONSE: return shh_sync_response_read(&sync, payload);
	case SHH_P2P_COMPLETE: return shh_complete_read(&complete, payload);
	case SHH_P2P_REQUEST: return shh_mail_request_read(&mail, payload);
	case SHH_P2P_MESSAGE: return direct_read(payload);
	default: return ERR_STATE;
	}
}

/* Whether status-go looked at the payload at all. */
static bool was_read(const json_t *v)
{
	switch (vec_u64(v, "code")) {
	case SHH_SYNC_REQUEST:
	case SHH_P2P_REQUEST: return vec_bool(v, "mail_server");
	case SHH_SYNC_RESPONSE:
	case SHH_P2P_COMPLETE:
	case SHH_P2P_MESSAGE: return vec_bool(v, "peer_trusted");
	default: return true;
	}
}

static void test_packets_as_status_go_reads_them(void **state)
{
	json_t *file = vectors_open("whisper_status_go");
	size_t i, read = 0, unread = 0, unknown = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "received_after_handshake", i, v) {
		enum err e = read_code(vec_u64(v, "code"), vec_bytes(v, "payload"));

		if (e == ERR_STATE) {
			unknown++;
		} else if (!was_read(v)) {
			unread++;
		} else {
			read++;
			if ((e == OK) != is_accepted(v))
				fail_msg("%s: %s", vec_text(v, "name"), err_name(e));
		}
	}
	assert_int_equal(read, 36);
	assert_int_equal(unread, 5);
	assert_int_equal(unknown, 1);
	vectors_close(file);
}

/* What status-go answers to a Messages packet, decoded and written again. */
static void check_response(struct span payload, const json_t *decoded)
{
	const json_t *body = json_array_get(decoded, 1), *errors = json_array_get(body, 1);
	struct shh_response_item items[8];
	struct shh_response r;
	struct span out = vec_fill(0, payload.len);
	size_t n = 0;

	assert_int_equal(shh_response_read(&r, payload), OK);
	assert_true(r.known_version);
	assert_span_equal(span_of(r.batch_hash, 32), vec_bytes_of(json_array_get(body, 0)), "hash");
	while (n < 8 && shh_response_next(&r, &items[n])) {
		const json_t *one = json_array_get(errors, n);

		assert_span_equal(span_of(items[n].hash, 32), vec_bytes_of(json_array_get(one, 0)),
				  "envelope");
		assert_int_equal(items[n].code, vec_bytes_of(json_array_get(one, 1)).data[0]);
		assert_span_equal(items[n].text, vec_bytes_of(json_array_get(one, 2)), "text");
		n++;
	}
	assert_int_equal(rlp_reader_err(&r.items), OK);
	assert_int_equal(n, json_array_size(errors));
	assert_int_equal(
		shh_response_write((uint8_t *)(uintptr_t)out.data, out.len, r.batch_hash, items, n),
		payload.len);
	assert_span_equal(out, payload, "response");
	assert_int_equal(shh_response_write((uint8_t *)(uintptr_t)out.data, out.len - 1,
					    r.batch_hash, items, n),
			 0);
}

static void check_ack(struct span payload, const json_t *decoded)
{
	uint8_t hash[32], out[33];

	assert_int_equal(shh_batch_ack_read(hash, payload), OK);
	assert_span_equal(span_of(hash, 32), vec_bytes_of(decoded), "hash");
	assert_span_equal(span_of(out, shh_batch_ack_write(out, hash)), payload, "ack");
}

static void test_confirmations_as_status_go_sends_them(void **state)
{
	json_t *file = vectors_open("whisper_status_go");
	const json_t *v, *reply;
	size_t i, n, count = 0;

	(void)state;
	vectors_each (file, "received_after_handshake", i, v) {
		uint8_t batch[32];

		json_array_foreach(vec_get(v, "replies"), n, reply)
		{
			struct span payload = vec_bytes(reply, "payload"), asked;

			asked = vec_bytes(v, "payload");
			keccak256(batch, asked.data, asked.len);
			if (vec_u64(reply, "code") == SHH_BATCH_ACK) {
				check_ack(payload, vec_get(reply, "decoded"));
				assert_memory_equal(payload.data + 1, batch, 32);
			} else {
				assert_int_equal(vec_u64(reply, "code"), SHH_MESSAGE_RESPONSE);
				check_response(payload, vec_get(reply, "decoded"));
			}
			count++;
		}
	}
	assert_int_equal(count, 12);
	vectors_close(file);
}

/* What the readers of mail packets give out is what status-go's handlers got. */
static void check_call(const json_t *v, const json_t *call)
{
	struct span payload = vec_bytes(v, "payload");
	struct shh_sync_request s;
	struct shh_mail_request q;

	if (strcmp(vec_text(call, "call"), "SyncMail") == 0) {
		assert_int_equal(shh_sync_request_read(&s, payload), OK);
		assert_int_equal(s.lower, vec_u64(call, "lower"));
		assert_int_equal(s.upper, vec_u64(call, "upper"));
		assert_int_equal(s.limit, vec_u64(call, "limit"));
		assert_span_equal(s.cursor, vec_bytes(call, "cursor"), "cursor");
		assert_span_equal(span_of(s.bloom.b, 64), vec_bytes(call, "bloom"), "bloom");
	} else if (strcmp(vec_text(call, "call"), "Deliver") == 0) {
		assert_int_equal(shh_mail_request_read(&q, payload), OK);
		assert_false(q.is_envelope);
		assert_span_equal(span_of(q.id, 32), vec_bytes(call, "id"), "id");
		assert_int_equal(q.from, vec_u64(call, "from"));
		assert_int_equal(q.to, vec_u64(call, "to"));
		assert_int_equal(q.limit, vec_u64(call, "limit"));
		assert_span_equal(q.cursor, vec_bytes(call, "cursor"), "cursor");
		assert_span_equal(span_of(q.bloom.b, 64), vec_bytes(call, "bloom"), "bloom");
	} else if (strcmp(vec_text(call, "call"), "DeliverMail") == 0) {
		uint8_t hash[32];

		assert_int_equal(shh_mail_request_read(&q, payload), OK);
		assert_true(q.is_envelope);
		shh_envelope_hash(hash, q.envelope.content, q.envelope.nonce);
		assert_span_equal(span_of(hash, 32), vec_bytes(call, "request_hash"), "hash");
	} else {
		assert_string_equal(vec_text(call, "call"), "Archive");
	}
}

static void check_event(const json_t *v, const json_t *event)
{
	struct shh_complete c;
	const char *error;

	if (strcmp(vec_text(event, "event"), "mailserver.request.completed") != 0)
		return;
	assert_int_equal(shh_complete_read(&c, vec_bytes(v, "payload")), OK);
	assert_span_equal(span_of(c.request, 32), vec_bytes(event, "hash"), "request");
	error = vec_text(event, "error");
	assert_int_equal(c.failed, *error != '\0');
	assert_span_equal(c.text, span_of(error, strlen(error)), "error");
	assert_span_equal(c.cursor, vec_bytes(event, "cursor"), "cursor");
	if (c.last_hash.len > 0)
		assert_span_equal(c.last_hash, vec_bytes(event, "last_envelope"), "last");
}

static void test_mail_packets_as_status_go_reads_them(void **state)
{
	json_t *file = vectors_open("whisper_status_go");
	size_t i, n, calls = 0;
	const json_t *v, *one;

	(void)state;
	vectors_each (file, "received_after_handshake", i, v) {
		if (vec_has(v, "mail_server_calls"))
			json_array_foreach(vec_get(v, "mail_server_calls"), n, one)
			{
				check_call(v, one);
				calls++;
			}
		if (vec_has(v, "events"))
			json_array_foreach(vec_get(v, "events"), n, one) check_event(v, one);
	}
	assert_int_equal(calls, 6);
	vectors_close(file);
}

/* Status' clear request at the edges of its numbers. */
static void test_mail_request_ranges(void **state)
{
	static const struct {
		uint64_t from, to, limit;
		size_t bloom;
		enum err err;
	} cases[] = {
		{ 1, 2, 100, 64, OK },
		{ 2, 2, 0, 64, OK },
		{ 2, 1, 100, 64, ERR_RLP },
		{ 1, 2, 1000, 64, OK },
		{ 1, 2, 1001, 64, ERR_RLP },
		{ 0, UINT32_MAX, 1, 64, OK },
		{ 0, 0x100000000, 1, 64, ERR_RLP },
		{ 1, 2, 1, 0, ERR_RLP },
	};
	uint8_t in[200], bytes[64] = { 3 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rlp_writer w = rlp_writer_init(in, sizeof(in));
		size_t list = rlp_list_begin(&w);
		struct shh_mail_request q;

		rlp_write_bytes(&w, bytes, 32);
		rlp_write_u64(&w, cases[i].from);
		rlp_write_u64(&w, cases[i].to);
		rlp_write_u64(&w, cases[i].limit);
		rlp_write_bytes(&w, bytes, 36);
		rlp_write_bytes(&w, bytes, cases[i].bloom);
		rlp_list_end(&w, list);
		assert_int_equal(w.err, OK);
		assert_int_equal(shh_mail_request_read(&q, span_of(in, w.len)), cases[i].err);
		if (cases[i].err != OK)
			continue;
		assert_true(!q.is_envelope && q.from == cases[i].from && q.to == cases[i].to &&
			    q.limit == cases[i].limit && q.cursor.len == 36);
	}
}

/* No packet of codes 11 and up may be cut or continued (hardening R5). */
static void test_cut_and_continued(void **state)
{
	json_t *file = vectors_open("whisper_status_go");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "received_after_handshake", i, v) {
		struct span payload = vec_bytes(v, "payload"), more;
		uint64_t code = vec_u64(v, "code");

		if (read_code(code, payload) != OK)
			continue;
		for (size_t len = 0; len < payload.len; len++)
			assert_int_not_equal(read_code(code, vec_copy(payload.data, len)), OK);
		more = vec_fill(0, payload.len + 1);
		memcpy((uint8_t *)(uintptr_t)more.data, payload.data, payload.len);
		assert_int_not_equal(read_code(code, more), OK);
		count++;
	}
	assert_int_not_equal(count, 0);
	vectors_close(file);
}

/* --- the recorded sessions --------------------------------------------------------------- */

static const char *const session_files[] = {
	"session_geth_1_8_27", "session_geth_1_9_20",	 "session_nim_eth", "session_parity",
	"session_wnode",       "session_status_whisper", "session_statusd",
};

/* Read one recorded packet; what we know how to write, we write the same. */
static void check_recorded(uint64_t code, struct span payload, const char *file)
{
	struct shh_bloom bloom;
	uint8_t out[66];
	double pow;

	switch (code) {
	case SHH_STATUS:
		if (payload.len > 1) /* parity's empty list is read, never written */
			check_status_kept(payload, file);
		return;
	case SHH_POW:
		assert_int_equal(shh_pow_read(&pow, payload), OK);
		assert_span_equal(span_of(out, shh_pow_write(out, pow)), payload, "%s", file);
		return;
	case SHH_BLOOM:
		assert_int_equal(shh_bloom_read(&bloom, payload), OK);
		assert_span_equal(span_of(out, shh_bloom_write(out, &bloom)), payload, "%s", file);
		return;
	default:
		if (read_code(code, payload) != OK)
			fail_msg("%s: code %d cannot be read", file, (int)code);
	}
}

/* How many of the peer's own packets a session holds; each is checked. */
static size_t check_session(const json_t *session, const char *file)
{
	const json_t *message;
	size_t i, count = 0;

	vectors_each (session, "messages", i, message) {
		if (!vec_has(message, "protocol") ||
		    strcmp(vec_text(message, "protocol"), "shh") != 0 ||
		    strcmp(vec_text(message, "from"), "peer") != 0)
			continue;
		check_recorded(vec_u64(message, "protocol_code"), vec_bytes(message, "payload"),
			       file);
		count++;
	}
	return count;
}

static void test_recorded_packets(void **state)
{
	const json_t *session;
	size_t i, count = 0;

	(void)state;
	for (size_t f = 0; f < sizeof(session_files) / sizeof(session_files[0]); f++) {
		json_t *file = vectors_open(session_files[f]);

		vectors_each (file, "sessions", i, session)
			count += check_session(session, session_files[f]);
		vectors_close(file);
	}
	assert_int_equal(count, 170);
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
		cmocka_unit_test(test_packets_as_status_go_reads_them),
		cmocka_unit_test(test_confirmations_as_status_go_sends_them),
		cmocka_unit_test(test_mail_packets_as_status_go_reads_them),
		cmocka_unit_test(test_mail_request_ranges),
		cmocka_unit_test(test_cut_and_continued),
		cmocka_unit_test(test_recorded_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
