/* SPDX-License-Identifier: MIT */
/* The packets that status-go added, against what it sends and reads, and all the
 * packets of the recorded sessions (shh/packet_status.c).
 */
#include "tests/packet_checks.h"

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
		cmocka_unit_test(test_packets_as_status_go_reads_them),
		cmocka_unit_test(test_confirmations_as_status_go_sends_them),
		cmocka_unit_test(test_mail_packets_as_status_go_reads_them),
		cmocka_unit_test(test_mail_request_ranges),
		cmocka_unit_test(test_cut_and_continued),
		cmocka_unit_test(test_recorded_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
