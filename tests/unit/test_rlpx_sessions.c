/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_sessions.c - recorded sessions with geth, parity, nim-eth,
 * Status and wnode: their packets give the recorded secrets, both streams decode
 * to the recorded messages and seal again to the same bytes, and a connection
 * that is fed the peer's stream in any pieces shows exactly its messages. */
#include "tests/vectors.h"

#include "rlp/rlp.h"
#include "rlpx/disconnect.h"
#include "rlpx/snappy.h"
#include "tests/rlpx_pair.h"

static const char *const files[] = {
	"session_geth_1_8_27", "session_geth_1_9_20",	 "session_nim_eth", "session_parity",
	"session_status_waku", "session_status_whisper", "session_statusd", "session_wnode",
};
#define FILES	 (sizeof(files) / sizeof(files[0]))
#define SESSIONS 95

static const size_t pieces[] = { 1, 17, 1000, 1000000, 0 };
#define PIECES (sizeof(pieces) / sizeof(pieces[0]))

static bool text_is(const json_t *v, const char *key, const char *text)
{
	return strcmp(vec_text(v, key), text) == 0;
}

/* One direction of the stream, joined: the recorded cuts mean nothing. */
static struct span stream_of(const json_t *session, const char *from)
{
	uint8_t *joined = NULL;
	size_t len = 0, i;
	const json_t *v;
	struct span copy;

	vectors_each (session, "stream", i, v) {
		struct span part;

		if (!text_is(v, "from", from))
			continue;
		part = vec_bytes(v, "bytes");
		joined = realloc(joined, len + part.len + 1);
		assert_non_null(joined);
		memcpy(joined + len, part.data, part.len);
		len += part.len;
	}
	copy = vec_copy(joined, len);
	free(joined);
	return copy;
}

/* The messages of one side in order; NULL when there are no more. */
static const json_t *next_message(const json_t *session, const char *from, size_t *at)
{
	const json_t *all = vec_array(session, "messages");

	while (*at < json_array_size(all)) {
		const json_t *v = json_array_get(all, (*at)++);

		if (text_is(v, "from", from))
			return v;
	}
	return NULL;
}

/* --- secrets --------------------------------------------------------------------- */

static void digest_is(const struct keccak *k, const json_t *v, const char *key)
{
	uint8_t digest[32];

	keccak_peek(k, digest);
	assert_span_equal(span_of(digest, 32), vec_bytes(v, key), "%s", key);
}

/* Open the peer's packet as recorded, with the recorded keys. */
static void derive(struct rlpx__secrets *out, struct pair *p, const json_t *session, size_t piece)
{
	bool initiator = text_is(session, "our_role", "initiator");
	struct span sent = vec_bytes(session, initiator ? "auth" : "ack");
	struct span got = vec_bytes(session, initiator ? "ack" : "auth");
	const json_t *secrets = vec_get(session, "secrets");
	struct rlpx__handshake hs = { .initiator = initiator };
	struct pubkey id;
	struct rlpx__identity us = { p->crypto, &p->rng, &p->a.key, &id, true };
	bool more, whole = false;

	assert_int_equal(pubkey_of(p->crypto, &id, &p->a.key), OK);
	assert_span_equal(span_of(id.b, 64), vec_bytes(session, "our_static_pub"), "our id");
	hs.plain = initiator && text_is(session, "handshake", "plain");
	vec_exact(session, "our_ephemeral_key", hs.ephemeral.b, 32);
	vec_exact(session, "our_nonce", hs.nonce, 32);
	vec_exact(session, "peer_static_pub", hs.peer.b, 64);
	assert_true(sent.len <= sizeof(hs.sent));
	memcpy(hs.sent, sent.data, sent.len);
	hs.sent_len = (uint16_t)sent.len;
	for (size_t at = 0, taken; at < got.len; at += taken)
		assert_int_equal(rlpx__handshake_take(&hs, &us, &taken, &whole, got.data + at,
						      size_min(piece, got.len - at)),
				 OK);
	assert_true(whole);
	if (initiator) {
		assert_int_equal(rlpx__ack_open(&hs, &us, &more), OK);
	} else {
		memset(&hs.peer, 0, sizeof(hs.peer));
		assert_int_equal(rlpx__auth_open(&hs, &us, &more), OK);
	}
	assert_false(more);
	assert_int_equal(hs.plain, text_is(session, "handshake", "plain"));
	assert_span_equal(span_of(hs.peer.b, 64), vec_bytes(session, "peer_static_pub"), "peer");
	assert_span_equal(span_of(hs.peer_ephemeral.b, 64),
			  vec_bytes(session, "peer_ephemeral_pub"), "ephemeral");
	assert_span_equal(span_of(hs.peer_nonce, 32), vec_bytes(session, "peer_nonce"), "nonce");
	assert_int_equal(rlpx__handshake_secrets(&hs, &us, out), OK);
	assert_span_equal(span_of(out->aes, 32), vec_bytes(secrets, "aes"), "aes");
	assert_span_equal(span_of(out->mac, 32), vec_bytes(secrets, "mac"), "mac");
	digest_is(&out->i2r, secrets, "mac_digest_i2r");
	digest_is(&out->r2i, secrets, "mac_digest_r2i");
}

/* --- frames ---------------------------------------------------------------------- */

static void frame_is(const json_t *v, const uint8_t *body, size_t size)
{
	struct rlp_reader r = rlp_reader_init(body, size);
	uint64_t code = rlp_read_u64(&r);
	struct span payload = span_of(r.at, r.left);
	uint8_t *plain = NULL;
	size_t len;

	assert_int_equal(rlp_reader_err(&r), OK);
	assert_true(code == vec_u64(v, "code"));
	if (vec_bool(v, "snappy")) {
		assert_int_equal(rlpx__snappy_length(&len, payload, RLPX_FRAME_MAX), OK);
		plain = malloc(len + 1);
		assert_non_null(plain);
		assert_int_equal(rlpx__snappy_decode(plain, len, payload), OK);
		payload = span_of(plain, len);
	}
	assert_span_equal(payload, vec_bytes(v, "payload"), "payload");
	free(plain);
}

/* A whole direction: open every frame, compare, seal it again. */
static void direction(const json_t *session, const struct rlpx__secrets *s, const char *from)
{
	bool by_initiator = text_is(session, "our_role", "initiator") == (strcmp(from, "us") == 0);
	struct span wire = stream_of(session, from);
	uint8_t *bytes = malloc(wire.len + 1);
	struct rlpx__frames open, seal;
	size_t at = 0, message = 0;

	assert_non_null(bytes);
	memcpy(bytes, wire.data, wire.len);
	assert_int_equal(rlpx__frames_begin(&open, s, !by_initiator), OK);
	assert_int_equal(rlpx__frames_begin(&seal, s, by_initiator), OK);
	while (at < wire.len) {
		struct rlpx__header_job header = { .frames = &open, .data = bytes + at };
		struct rlpx__body_job body = { .frames = &open };
		const json_t *v = next_message(session, from, &message);
		size_t len;

		assert_non_null(v);
		assert_true(wire.len - at >= FRAME_HEADER);
		rlpx__open_headers(&header, 1);
		assert_int_equal(header.err, OK);
		body.data = bytes + at + FRAME_HEADER;
		body.size = header.size;
		len = FRAME_HEADER + rlpx__frame_padded(body.size) + FRAME_MAC;
		assert_true(len <= wire.len - at);
		rlpx__open_bodies(&body, 1);
		assert_int_equal(body.err, OK);
		frame_is(v, body.data, body.size);
		rlpx__seal_frames(&(struct rlpx__seal_job){ &seal, bytes + at, body.size }, 1);
		assert_span_equal(span_of(bytes + at, len), span_of(wire.data + at, len), "sealed");
		at += len;
	}
	assert_null(next_message(session, from, &message));
	rlpx__frames_end(&open);
	rlpx__frames_end(&seal);
	free(bytes);
}

/* --- the whole machine ------------------------------------------------------------- */

/* What we offered, as our recorded Hello says; lengths from what was shared. */
static size_t our_caps(struct rlpx_capability caps[static RLPX_CAPS_MAX], uint8_t *version,
		       const json_t *session)
{
	size_t at = 0, i;
	const json_t *hello = next_message(session, "us", &at), *shared, *v;
	struct span payload;
	struct rlp_reader r, list, all;
	size_t count = 0;

	assert_non_null(hello);
	assert_int_equal(vec_u64(hello, "code"), 0);
	payload = vec_bytes(hello, "payload");
	r = rlp_reader_init(payload.data, payload.len);
	rlp_read_list(&r, &list);
	*version = (uint8_t)rlp_read_u32(&list);
	rlp_skip(&list);
	rlp_read_list(&list, &all);
	while (!rlp_reader_at_end(&all)) {
		struct rlpx_capability *cap = &caps[count++];
		struct rlp_reader pair;
		struct span name;

		assert_true(count <= RLPX_CAPS_MAX);
		rlp_read_list(&all, &pair);
		name = rlp_read_bytes(&pair);
		assert_true(name.len <= RLPX_NAME_MAX);
		memset(cap, 0, sizeof(*cap));
		memcpy(cap->name, name.data, name.len);
		cap->version = rlp_read_u32(&pair);
		cap->length = 128;
		shared = vec_get(session, "shared");
		json_array_foreach(shared, i, v) if (text_is(v, "name", cap->name) &&
						     vec_u64(v, "version") == cap->version)
			cap->length = (uint32_t)vec_u64(v, "length");
	}
	assert_int_equal(rlp_reader_err(&all), OK);
	return count;
}

/* Checks each event against the next message of the peer's that makes one. */
struct expect {
	const json_t *session;
	size_t at;
	bool self;
	unsigned messages;
};

/* Messages of the base protocol that show nothing are passed over. */
static const json_t *next_shown(struct expect *x)
{
	const json_t *v;

	do
		v = next_message(x->session, "peer", &x->at);
	while (v != NULL && vec_u64(v, "code") >= 2 && vec_u64(v, "code") < 0x10);
	return v;
}

static void hello_is(const json_t *v, const struct rlpx_event *ev, const struct expect *x)
{
	const json_t *shared = vec_get(x->session, "shared");
	const struct rlpx_hello *h = ev->u.hello.peer;
	char text[512];
	int n = snprintf(text, sizeof(text), "version %u, client %s,", h->version, h->client);

	for (size_t i = 0; i < h->cap_count; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %s/%u", h->caps[i].name,
			      h->caps[i].version);
	snprintf(text + n, sizeof(text) - (size_t)n, ", port %u", h->listen_port);
	assert_string_equal(text, vec_text(v, "text"));
	assert_int_equal(ev->u.hello.shared_count, json_array_size(shared));
	for (size_t i = 0; i < ev->u.hello.shared_count; i++) {
		const json_t *s = json_array_get(shared, i);

		assert_int_equal(ev->u.hello.shared[i].offset, vec_u64(s, "offset"));
		assert_int_equal(ev->u.hello.shared[i].length, vec_u64(s, "length"));
	}
}

static void check_event(struct side *s, const struct rlpx_event *ev)
{
	struct expect *x = s->ctx;
	const json_t *v;

	switch (ev->type) {
	case RLPX_IDENTIFIED: return;
	case RLPX_HELLO:
		v = next_shown(x);
		assert_non_null(v);
		assert_int_equal(vec_u64(v, "code"), 0);
		hello_is(v, ev, x);
		return;
	case RLPX_MESSAGE:
		v = next_shown(x);
		assert_non_null(v);
		assert_int_equal(s->shared[0].offset + ev->u.message.code +
					 (s->shared[0].cap == ev->u.message.cap
						  ? 0
						  : s->shared[1].offset - s->shared[0].offset),
				 vec_u64(v, "code"));
		assert_span_equal(ev->u.message.payload, vec_bytes(v, "payload"), "payload");
		x->messages++;
		return;
	case RLPX_CLOSED:
		assert_true(ev->u.closed.by_peer);
		if (ev->u.closed.err == OK) {
			v = next_shown(x);
			assert_non_null(v);
			assert_int_equal(vec_u64(v, "code"), 1);
			assert_int_equal(ev->u.closed.reason,
					 rlpx__disconnect_read(vec_bytes(v, "payload")));
		} else {
			assert_int_equal(ev->u.closed.err, ERR_CLOSED);
		}
		assert_null(next_shown(x));
		return;
	}
}

/* The peer is ourselves, or shares nothing: refused after its Hello. */
static enum err expected_refusal(const json_t *session)
{
	size_t at = 0;
	const json_t *first = next_message(session, "peer", &at);
	struct span us = vec_bytes(session, "our_static_pub");

	if (first == NULL || vec_u64(first, "code") != 0)
		return OK;
	if (span_eq(us, vec_bytes(session, "peer_static_pub")))
		return ERR_SELF;
	return json_array_size(vec_get(session, "shared")) == 0 ? ERR_USELESS : OK;
}

static void machine(struct pair *p, const json_t *session, const struct rlpx__secrets *s,
		    size_t piece)
{
	struct rlpx_capability caps[RLPX_CAPS_MAX];
	struct expect x = { .session = session };
	enum err refusal = expected_refusal(session);
	struct rlpx_config cfg = side_config(p, &p->a);
	struct span stream = stream_of(session, "peer");
	struct pubkey peer;
	enum err e;

	cfg.cap_count = our_caps(caps, &cfg.version, session);
	cfg.caps = caps;
	vec_exact(session, "peer_static_pub", peer.b, 64);
	assert_int_equal(rlpx_host_new(&p->a.host, &cfg, p->now_ms), OK);
	assert_int_equal(rlpx_accept(&p->a.conn, p->a.host, p->now_ms), OK);
	assert_int_equal(rlpx__start(p->a.conn, s, text_is(session, "our_role", "initiator"), &peer,
				     p->now_ms),
			 OK);
	p->a.on_event = refusal == OK ? check_event : NULL;
	p->a.ctx = &x;
	p->a.closed = false;
	p->a.log_len = 0;
	p->piece = piece;
	side_poll(&p->a);
	rlpx_seal_many(&p->a.conn, 1, p->now_ms); /* our Hello */
	e = side_give(p, &p->a, stream.data, stream.len);
	if (refusal == ERR_USELESS) { /* a Hello to be read, then the end */
		assert_true(e == OK || e == refusal);
		rlpx_stream_ended(p->a.conn, p->now_ms);
		side_poll(&p->a);
		assert_non_null(strstr(p->a.log, "hello:"));
		assert_non_null(strstr(p->a.log, "closed:ERR_USELESS:us:3 "));
	} else if (refusal != OK) {
		assert_int_equal(e, refusal);
	} else {
		assert_true(e == OK || p->a.closed);
		rlpx_stream_ended(p->a.conn, p->now_ms);
		side_poll(&p->a);
		assert_true(p->a.closed);
		assert_null(next_shown(&x));
	}
	rlpx_free(p->a.conn);
	rlpx_host_free(p->a.host);
}

static size_t file_sessions(const char *name)
{
	json_t *file = vectors_open(name);
	const json_t *v;
	size_t i = 0;

	vectors_each (file, "sessions", i, v) {
		struct rlpx__secrets s;
		struct pair p;

		pair_init(&p, i + 1);
		vec_exact(v, "our_static_key", p.a.key.b, 32);
		for (size_t j = 0; j < PIECES; j++)
			derive(&s, &p, v, pieces[j] == 0 ? 5 : pieces[j]);
		direction(v, &s, "us");
		direction(v, &s, "peer");
		for (size_t j = 0; j < PIECES; j++)
			machine(&p, v, &s, pieces[j]);
		crypto_free(p.crypto);
		assert_int_equal(p.mem.total_used, 0);
	}
	vectors_close(file);
	return i;
}

static void test_sessions(void **state)
{
	size_t total = 0;

	(void)state;
	for (size_t i = 0; i < FILES; i++)
		total += file_sessions(files[i]);
	assert_int_equal(total, SESSIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sessions) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
