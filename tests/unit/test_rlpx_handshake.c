/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_handshake.c - auth and ack against tests/vectors/rlpx_eip8.json:
 * the packets of EIP-8, handshakes whose every byte is determined, and the
 * packets that must be refused. */
#include "tests/vectors.h"

#include "tests/rlpx_pair.h"

/* Chance that was written down before. */
struct script {
	uint8_t bytes[512];
	size_t len, at;
};

static bool script_fill(void *ctx, uint8_t *out, size_t len)
{
	struct script *s = ctx;

	if (len > s->len - s->at)
		return false;
	memcpy(out, s->bytes + s->at, len);
	s->at += len;
	return true;
}

static void script_add(struct script *s, const void *data, size_t len)
{
	assert_true(len <= sizeof(s->bytes) - s->len);
	memcpy(s->bytes + s->len, data, len);
	s->len += len;
}

static void script_vec(struct script *s, const json_t *v, const char *key)
{
	struct span bytes = vec_bytes(v, key);

	script_add(s, bytes.data, bytes.len);
}

static struct rlpx__identity identity(struct crypto *crypto, struct rng *rng, struct seckey *key,
				      struct pubkey *id)
{
	assert_int_equal(pubkey_of(crypto, id, key), OK);
	return (struct rlpx__identity){ crypto, rng, key, id, true };
}

static struct crypto *crypto_make(struct rng_seeded *seed, struct rng *rng)
{
	struct crypto *c;

	*rng = rng_seeded_init(seed, 1);
	assert_int_equal(crypto_new(&c, rng), OK);
	return c;
}

/* Give a packet in pieces; it must be whole exactly at its end. */
static void take_packet(struct rlpx__handshake *hs, const struct rlpx__identity *us,
			struct span packet, size_t piece)
{
	bool whole = false;

	for (size_t at = 0; at < packet.len;) {
		size_t taken;

		assert_false(whole);
		assert_int_equal(rlpx__handshake_take(hs, us, &taken, &whole, packet.data + at,
						      size_min(piece, packet.len - at)),
				 OK);
		assert_true(taken > 0);
		at += taken;
	}
	assert_true(whole);
	assert_int_equal(hs->got_len, packet.len);
}

static const size_t pieces[] = { 1, 2, 7, 306, 307, 100000 };
#define PIECES (sizeof(pieces) / sizeof(pieces[0]))

static void test_packets(void **state)
{
	struct rng_seeded seed;
	struct rng rng;
	struct crypto *crypto = crypto_make(&seed, &rng);
	json_t *file = vectors_open("rlpx_eip8");
	const json_t *keys = vec_get(file, "keys"), *v;
	size_t i;

	(void)state;
	vectors_each (file, "packets", i, v) {
		bool is_auth = strncmp(vec_text(v, "name"), "auth", 4) == 0;
		struct seckey key;
		struct pubkey id;
		struct rlpx__identity us;

		vec_exact(keys, is_auth ? "static_b" : "static_a", key.b, 32);
		us = identity(crypto, &rng, &key, &id);
		for (size_t j = 0; j < PIECES; j++) {
			struct rlpx__handshake hs = { .initiator = !is_auth };
			bool more;

			hs.plain = strcmp(vec_text(v, "format"), "plain") == 0;
			take_packet(&hs, &us, vec_bytes(v, "packet"), pieces[j]);
			if (is_auth) {
				hs.plain = false;
				assert_int_equal(rlpx__auth_open(&hs, &us, &more), OK);
				assert_span_equal(span_of(hs.peer.b, 64),
						  vec_bytes(v, "initiator_pub"), "peer");
				assert_span_equal(span_of(hs.peer_ephemeral.b, 64),
						  vec_bytes(v, "recovered_ephemeral_pub"), "key");
			} else {
				assert_int_equal(rlpx__ack_open(&hs, &us, &more), OK);
				assert_span_equal(span_of(hs.peer_ephemeral.b, 64),
						  vec_bytes(v, "ephemeral_pub"), "key");
			}
			assert_false(more);
			assert_int_equal(hs.plain, strcmp(vec_text(v, "format"), "plain") == 0);
			assert_span_equal(span_of(hs.peer_nonce, 32), vec_bytes(v, "nonce"),
					  "nonce");
		}
	}
	assert_int_equal(i, 6);
	vectors_close(file);
	crypto_free(crypto);
}

static struct span packet_named(const json_t *file, const char *name)
{
	const json_t *v;
	size_t i;

	vectors_each (file, "packets", i, v)
		if (strcmp(vec_text(v, "name"), name) == 0)
			return vec_bytes(v, "packet");
	fail_msg("no packet %s", name);
	return span_of(NULL, 0);
}

static void digest_is(const struct keccak *k, const json_t *v, const char *key)
{
	uint8_t digest[32];

	keccak_peek(k, digest);
	assert_span_equal(span_of(digest, 32), vec_bytes(v, key), "%s", key);
}

static void test_secrets(void **state)
{
	struct rng_seeded seed;
	struct rng rng;
	struct crypto *crypto = crypto_make(&seed, &rng);
	json_t *file = vectors_open("rlpx_eip8");
	const json_t *keys = vec_get(file, "keys"), *v;
	size_t i;

	(void)state;
	vectors_each (file, "secrets", i, v) {
		struct span auth = packet_named(file, vec_text(v, "auth"));
		struct span ack = packet_named(file, vec_text(v, "ack"));
		uint8_t nonce_a[32], nonce_b[32];

		vec_exact(keys, "nonce_a", nonce_a, 32);
		vec_exact(keys, "nonce_b", nonce_b, 32);
		for (int side = 0; side < 2; side++) {
			struct rlpx__secrets s;
			struct seckey ours;
			struct pubkey theirs;

			vec_exact(keys, side ? "ephemeral_b" : "ephemeral_a", ours.b, 32);
			vec_exact(keys, side ? "ephemeral_pub_a" : "ephemeral_pub_b", theirs.b, 64);
			assert_int_equal(rlpx__secrets_derive(&s, crypto, &ours, &theirs, nonce_a,
							      nonce_b, auth, ack),
					 OK);
			assert_span_equal(span_of(s.aes, 32), vec_bytes(v, "aes_secret"), "aes");
			assert_span_equal(span_of(s.mac, 32), vec_bytes(v, "mac_secret"), "mac");
			digest_is(&s.i2r, v, "mac_i2r_digest");
			digest_is(&s.r2i, v, "mac_r2i_digest");
			if (vec_has(v, "ingress_mac_b_foo")) {
				keccak_update(&s.i2r, "foo", 3);
				digest_is(&s.i2r, v, "ingress_mac_b_foo");
			}
		}
	}
	assert_int_equal(i, 3);
	vectors_close(file);
	crypto_free(crypto);
}

/* What one side of a generated handshake draws, in the order it draws. */
static void script_side(struct script *s, const json_t *v, bool initiator, bool plain)
{
	static const uint8_t replay_key[16];
	size_t body = vec_bytes(v, initiator ? "auth_plaintext" : "ack_plaintext").len;
	uint8_t pad[2];

	*s = (struct script){ .len = 0 };
	script_add(s, replay_key, sizeof(replay_key));
	script_vec(s, v, initiator ? "initiator_ephemeral_key" : "recipient_ephemeral_key");
	script_vec(s, v, initiator ? "initiator_nonce" : "recipient_nonce");
	be16_store(pad, (uint16_t)(body - (initiator ? 169 : 102) - PAD_MIN));
	if (!plain)
		script_add(s, pad, 2);
	script_vec(s, v, initiator ? "auth_ecies_key" : "ack_ecies_key");
	script_vec(s, v, initiator ? "auth_ecies_iv" : "ack_ecies_iv");
}

static void output_is(const struct rlpx *c, const json_t *v, const char *key)
{
	const uint8_t *data;
	size_t len = rlpx_output(c, &data);

	assert_span_equal(span_of(data, len), vec_bytes(v, key), "%s", key);
}

static void generated_handshake(const json_t *v, size_t piece)
{
	bool plain = strcmp(vec_text(v, "format"), "plain") == 0;
	struct script scripts[2];
	struct rlpx_config ca, cb;
	struct pair p;

	pair_init(&p, 1);
	vec_exact(v, "initiator_static_key", p.a.key.b, 32);
	vec_exact(v, "recipient_static_key", p.b.key.b, 32);
	script_side(&scripts[0], v, true, plain);
	script_side(&scripts[1], v, false, plain);
	p.a.rng = (struct rng){ script_fill, &scripts[0] };
	p.b.rng = (struct rng){ script_fill, &scripts[1] };
	p.piece = piece;
	ca = side_config(&p, &p.a);
	cb = side_config(&p, &p.b);
	pair_hosts(&p, &ca, &cb);
	pair_connect(&p, plain);

	output_is(p.a.conn, v, "auth");
	pair_carry(&p, &p.a, &p.b, SIZE_MAX);
	assert_string_equal(p.b.log, "identified ");
	assert_memory_equal(p.b.conn->peer.b, rlpx_host_id(p.a.host)->b, 64);
	output_is(p.b.conn, v, "ack");
	digest_is(&p.b.conn->frames.in.mac, v, "mac_i2r_digest");
	digest_is(&p.b.conn->frames.out.mac, v, "mac_r2i_digest");
	assert_int_equal(scripts[1].at, scripts[1].len);
	pair_run(&p);
	assert_string_equal(p.a.log, "identified hello:5:1 ");
	assert_string_equal(p.b.log, "identified hello:5:1 ");
	assert_int_equal(scripts[0].at, scripts[0].len);
	pair_free(&p);
}

static void test_generated(void **state)
{
	json_t *file = vectors_open("rlpx_eip8");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "generated_handshakes", i, v)
		for (size_t j = 0; j < PIECES; j++)
			generated_handshake(v, pieces[j]);
	assert_int_equal(i, 12);
	vectors_close(file);
}

/* Verdicts, and that all refusals look alike: nothing said, closed. */
static void edge_case(const json_t *cases, const json_t *v, size_t piece)
{
	bool is_auth = strcmp(vec_text(v, "kind"), "auth") == 0;
	bool accept = strcmp(vec_text(v, "result"), "accept") == 0;
	struct span packet = vec_bytes(v, "packet");
	struct pair p;
	struct side *side;
	const uint8_t *out;

	pair_init(&p, 3);
	p.piece = piece;
	vec_exact(cases, "recipient_key_for_ack", p.a.key.b, 32);
	vec_exact(cases, "recipient_key_for_auth", p.b.key.b, 32);
	pair_hosts(&p, NULL, NULL);
	pair_connect(&p, false);
	side = is_auth ? &p.b : &p.a;
	rlpx_output_taken(p.a.conn, rlpx_output(p.a.conn, &out), p.now_ms);
	(void)side_give(&p, side, packet.data, packet.len);
	if (accept) {
		if (!side->identified)
			fail_msg("%s: refused", vec_text(v, "name"));
		assert_false(side->closed);
	} else {
		if (side->identified || !side->closed)
			fail_msg("%s: not refused: %s", vec_text(v, "name"), side->log);
		assert_int_equal(side->last.u.closed.reason, RLPX_REASON_UNKNOWN);
		assert_int_equal(rlpx_output(side->conn, &out), 0);
		assert_false(rlpx_wants_output(side->conn));
	}
	pair_free(&p);
}

static void test_edge_cases(void **state)
{
	json_t *file = vectors_open("rlpx_eip8");
	const json_t *cases = vec_get(file, "handshake_edge_cases"), *v;
	size_t i;

	(void)state;
	vectors_each (cases, "cases", i, v)
		for (size_t j = 0; j < PIECES; j++)
			edge_case(cases, v, pieces[j]);
	assert_int_equal(i, 43);
	vectors_close(file);
}

/* A size prefix from 0400 to 04ff looks like the point of a plain packet; with a
 * point behind it, only the tag can tell. */
static void test_ambiguous_prefix(void **state)
{
	struct pair p;
	uint8_t body[1200] = { 0 }, packet[2 + sizeof(body) + ECIES_OVERHEAD];
	struct rlpx__handshake hs = { .initiator = true };
	struct rlpx__identity us;
	size_t len;

	(void)state;
	pair_init(&p, 11);
	pair_hosts(&p, NULL, NULL);
	us = rlpx__host_identity(p.a.host);
	hs.peer = *rlpx_host_id(p.b.host);
	assert_int_equal(rlpx__handshake_begin(&hs, &us, true), OK);
	assert_int_equal(rlpx__auth_write(&hs, &us), OK);
	/* The same body with padding up to a prefix that begins with 04. */
	len = hs.sent_len - 2u - ECIES_OVERHEAD;
	assert_int_equal(ecies_open(p.crypto, body, span_of(hs.sent + 2, len + ECIES_OVERHEAD),
				    &p.b.key, span_of(NULL, 0), span_of(hs.sent, 2)),
			 OK);
	for (size_t size = 0x0400; size <= 0x04ff; size += 51) {
		for (size_t j = 0; j < PIECES; j++) {
			struct rlpx *c;

			be16_store(packet, (uint16_t)size);
			assert_int_equal(ecies_seal(p.crypto, packet + 2, &p.rng,
						    span_of(body, size - ECIES_OVERHEAD),
						    rlpx_host_id(p.b.host), span_of(NULL, 0),
						    span_of(packet, 2)),
					 OK);
			assert_int_equal(rlpx_accept(&c, p.b.host, p.now_ms), OK);
			p.b.conn = c;
			p.b.log_len = 0;
			p.piece = pieces[j];
			assert_int_equal(side_give(&p, &p.b, packet, size + 2), OK);
			assert_string_equal(p.b.log, "identified ");
			rlpx_free(c);
			p.b.conn = NULL;
		}
	}
	pair_free(&p);
}

/* Without accept_plain a plain auth is read as EIP-8: its first bytes claim a
 * length that never comes, and the timer ends it. */
static void test_plain_refused(void **state)
{
	struct rlpx_config cb;
	struct pair p;

	(void)state;
	pair_init(&p, 5);
	cb = side_config(&p, &p.b);
	cb.accept_plain = false;
	pair_hosts(&p, NULL, &cb);
	pair_connect(&p, true);
	pair_run(&p);
	assert_false(p.b.identified);
	pair_wait(&p, AUTH_MS);
	assert_false(p.b.identified);
	assert_true(p.b.closed);
	assert_int_equal(p.b.last.u.closed.reason, RLPX_REASON_UNKNOWN);
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),		 cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_generated),	 cmocka_unit_test(test_edge_cases),
		cmocka_unit_test(test_ambiguous_prefix), cmocka_unit_test(test_plain_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
