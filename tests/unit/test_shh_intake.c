/* SPDX-License-Identifier: MIT */
/* Intake: what geth 1.8.27 and status-go were shown after the handshake is shown
 * to ours, and each reaction is the same, or differs by a row of hardening that
 * the table names; then the rules W1 to W7 one by one.
 */
#include "tests/shh_one_world.h"
#include "tests/vectors.h"

#include <stdlib.h>

#include "shh/internal.h"

static struct shh_stats stats_of(int node)
{
	struct shh_stats st;

	shh_stats(w->node[node].shh, &st);
	return st;
}

/* Every look at the pool checks that its numbers add up. */
static size_t pooled(int node)
{
	struct shh_stats st = stats_of(node);

	assert_int_equal(st.envelopes_new + st.posted, st.pool_count + st.evicted + st.expired);
	return st.pool_count;
}

static int guest(int node, const char *client, double min_pow)
{
	int end = world_guest(w, node, &(struct shh_peer_info){ .client = client, .host_key = 77 });

	world_hello(w, end, min_pow);
	return end;
}

/* --- what geth was shown ------------------------------------------------------------ */

struct differs {
	const char *name;
	bool connected;
	size_t pooled;
	const char *why;
	bool seen;
};

static struct differs from_geth[] = {
	{ "messages: empty list with trailing bytes", false, 0, "R5", false },
	{ "messages: sent 12 s in the future", true, 0, "W5: dropped, kept", false },
	{ "messages: expired 22 s ago", true, 0, "W5", false },
	{ "messages: expired an hour ago", true, 0, "W5", false },
	{ "messages: ttl 0, expires now", true, 0, "W4: free work", false },
	{ "messages: ttl 0, expires in 5 s", true, 0, "W4", false },
	{ "messages: ttl 0, expires in 15 s", true, 0, "W4", false },
	{ "messages: ttl of ten years", true, 0, "W4: ttl over two days", false },
	{ "messages: ttl of ten years, pow enough", true, 0, "W4", false },
	{ "messages: ttl greater than expiry (sent wraps below zero)", true, 0, "W4", false },
	{ "messages: ttl = expiry + 1", true, 0, "W4", false },
	{ "messages: PoW below the minimum", true, 0, "W4: dropped, kept", false },
	{ "messages: PoW below both the minimum of 0.01 and the default tolerance of 0.2", true, 0,
	  "W4", false },
	{ "messages: node configured with pow 1 from the start still accepts 0.2 (default "
	  "tolerance)",
	  true, 0, "a minimum of 1 means 1", false },
	{ "messages: node with pow 1 and tolerance 1", true, 0, "W4", false },
	{ "messages: good, low PoW, good in one packet (the good ones are kept, then disconnect)",
	  true, 2, "W4", false },
	{ "messages: packet larger than the receiver's limit", true, 0, "W2: one is too large",
	  false },
	{ "messages: eight small envelopes, packet together larger than the limit", true, 8,
	  "W2: received up to 16 MiB", false },
	{ "p2p message, trusted, list of envelopes (status-go batch form)", true, 0,
	  "Status sends lists", false },
	{ "p2p message, trusted, list of one envelope", true, 0, "Status sends lists", false },
};

static struct differs *differs_find(struct differs *d, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(d[i].name, name) == 0) {
			d[i].seen = true;
			return &d[i];
		}
	return NULL;
}

/* A time as the vectors write it: a number, or "now" with something added. */
static uint64_t time_of(const json_t *t)
{
	const char *text;

	if (json_is_integer(t))
		return (uint64_t)json_integer_value(t);
	text = json_string_value(t);
	assert_non_null(text);
	assert_memory_equal(text, "now", 3);
	return world_now_s(w) + (uint64_t)strtoll(text + 3, NULL, 10);
}

static bool has(const char *name, const char *part)
{
	return strstr(name, part) != NULL;
}

/* One envelope as a vector describes it, with as much work as it says. */
static void make_described(struct made *m, const json_t *v)
{
	const json_t *e = vec_get(v, "envelope"), *pow = json_object_get(e, "pow_geth_1_8");
	uint64_t expiry = time_of(vec_get(e, "expiry")), ttl = time_of(vec_get(e, "ttl"));
	size_t len = vec_has(e, "data_len") ? (size_t)vec_u64(e, "data_len") : 40;
	double work = pow == NULL ? 0 : strtod(json_string_value(pow), NULL);

	/* infinite, or so little for so long that any envelope has it */
	if (!(work > 0.2) || work > 1e9)
		work = 0;
	for (uint8_t fill = 7;; fill++) { /* not twice as much either */
		made_envelope(m, expiry, ttl, 0x01020304, fill, len, SHH_DIGEST_DOUBLE, work);
		if (work == 0 || len == 0 ||
		    shh_work_value(SHH_RULE_GETH18,
				   shh_work_bits(m->env.content, m->env.nonce, SHH_DIGEST_DOUBLE),
				   &m->env) < 2 * work)
			return;
	}
}

static struct span envelope_with(struct span head, const char *tail)
{
	static uint8_t out[4096];
	size_t len = strlen(tail) / 2;
	uint8_t size[2];

	/* a list of one list: head, then what the case is about */
	assert_int_equal(hex_decode(out + 8 + head.len, len, tail), OK);
	memcpy(out + 8, head.data, head.len);
	assert_true(head.len + len > 55 && head.len + len < 250);
	size[0] = (uint8_t)(head.len + len);
	size[1] = (uint8_t)(size[0] + 2);
	out[4] = 0xf8;
	out[5] = size[1];
	out[6] = 0xf8;
	out[7] = size[0];
	return span_of(out + 4, head.len + len + 4);
}

/* Cases that have neither payload nor description, by name. */
static struct span make_named(const char *name, struct made *m)
{
	uint64_t now = world_now_s(w);
	struct span c;

	made_envelope(&m[0], now + 50, 50, 0x01020304, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	if (has(name, "good, low PoW, good")) {
		made_envelope(&m[1], now + 50, 50, 0x01020304, 2, 100, SHH_DIGEST_DOUBLE, 0);
		made_envelope(&m[2], now + 50, 50, 0x01020304, 3, 100, SHH_DIGEST_DOUBLE, 0.3);
		return made_packet(m, 3);
	}
	if (has(name, "the same envelope three times")) {
		m[1] = m[2] = m[0];
		return made_packet(m, 3);
	}
	if (has(name, "packet larger than the receiver's limit")) {
		made_envelope(&m[0], now + 50, 50, 0x01020304, 1, 2000, SHH_DIGEST_DOUBLE, 0.3);
		return made_packet(m, 1);
	}
	if (has(name, "eight small envelopes")) {
		for (uint8_t i = 0; i < 8; i++)
			made_envelope(&m[i], now + 50, 50, 0x01020304, i, 300, SHH_DIGEST_DOUBLE,
				      0.3);
		return made_packet(m, 8);
	}
	c = m[0].env.content;
	if (has(name, "four items"))
		return envelope_with(c, "");
	if (has(name, "six items"))
		return envelope_with(c, "0505");
	if (has(name, "leading zeros"))
		return envelope_with(c, "880000000000000005");
	if (has(name, "topic of 3 bytes")) {
		static const char list[] = "f84b845f5e10643283010203b840";
		static uint8_t raw[160];

		memset(raw, 9, sizeof(raw));
		assert_int_equal(hex_decode(raw + 2, 14, list), OK);
		raw[0] = 0xf8;
		raw[1] = 0x4d;
		raw[2 + 14 + 64 - 1] = 5;
		return span_of(raw, 2 + 2 + 0x4b);
	}
	if (has(name, "multi-topic")) {
		static uint8_t raw[] = { 0xda, 0xd9, 0x84, 0x5f, 0x5e, 0x10, 0x64, 0x32, 0xca,
					 0x84, 1,    2,	   3,	 4,    0x84, 5,	   6,	 7,
					 8,    0x83, 9,	   9,	 9,    0x83, 1,	   2,	 3 };

		return span_of(raw, sizeof(raw));
	}
	if (has(name, "list of")) { /* direct, as Status sends them */
		made_envelope(&m[1], now + 50, 50, 0x01020304, 2, 100, SHH_DIGEST_DOUBLE, 0);
		return made_packet(m, has(name, "list of one") ? 1 : 2);
	}
	if (has(name, "p2p message") || has(name, "p2p request")) {
		made_envelope(&m[0], now - 100, 50, 0x01020304, 1, 100, SHH_DIGEST_DOUBLE, 0);
		return span_of(m[0].raw, m[0].len);
	}
	fail_msg("no way to make \"%s\"", name);
	return span_of(NULL, 0);
}

static void show(const json_t *v, struct differs *table, size_t table_count)
{
	static struct made m[8];
	const char *name = vec_text(v, "name");
	struct differs *d = differs_find(table, table_count, name);
	bool connected = strcmp(vec_text(v, "result"), "connected") == 0;
	size_t expected = (size_t)vec_u64(v, "pooled");
	struct shh_config cfg;
	struct span payload;
	int end;

	shh_config_init(&cfg);
	cfg.light = vec_has(v, "local_light");
	if (has(name, "pow 1"))
		cfg.min_pow = 1;
	if (has(name, "minimum of 0.01"))
		cfg.min_pow = 0.01;
	if (vec_has(v, "max_message_size"))
		cfg.message_max = (uint32_t)vec_u64(v, "max_message_size");
	world_node(w, 0, &cfg);
	end = guest(0, "Geth/v1.8.27-stable/linux-amd64/go1.10", 0);
	shh_peer_trust(w->node[0].shh, world_other(w, end)->peer, vec_has(v, "peer_trusted"));
	if (has(name, "bloom set just now")) {
		struct shh_bloom b;

		shh_bloom_of(&b, world_topic(0xdeadbeef), SHH_BLOOM_GETH);
		shh_set_bloom(w->node[0].shh, &b, w->now_ms);
	}
	if (vec_has(v, "payload")) {
		payload = vec_bytes(v, "payload");
	} else if (vec_has(v, "envelope")) {
		make_described(&m[0], v);
		payload = made_packet(m, 1);
	} else {
		payload = make_named(name, m);
	}
	if (d != NULL) {
		assert_true(d->connected != connected || d->pooled != expected);
		connected = d->connected;
		expected = d->pooled;
	}
	(void)!world_send(w, end, (uint32_t)vec_u64(v, "code"), payload);
	if (world_other(w, end)->gone == connected || pooled(0) != expected)
		fail_msg("\"%s\": %s, %zu pooled", name,
			 world_other(w, end)->gone ? "disconnected" : "connected", pooled(0));
}

static void test_shown_to_geth(void **state)
{
	json_t *file = vectors_open("whisper_status");
	size_t i, count = 0;
	const json_t *v;

	vectors_each (file, "geth_received_after_handshake", i, v) {
		show(v, from_geth, sizeof(from_geth) / sizeof(from_geth[0]));
		count++;
		teardown(state);
		setup(state);
	}
	assert_int_equal(count, 84);
	for (i = 0; i < sizeof(from_geth) / sizeof(from_geth[0]); i++)
		if (!from_geth[i].seen)
			fail_msg("no vector \"%s\"", from_geth[i].name);
	vectors_close(file);
}

/* --- first packets ------------------------------------------------------------------- */

/* Where ours differs from geth for a first packet. */
static struct differs first_packets[] = {
	{ "empty list", true, 0, "parity's Status", false },
};

static void test_first_packets(void **state)
{
	json_t *file = vectors_open("whisper_status");
	size_t i, accepted = 0, refused = 0;
	const json_t *v;

	vectors_each (file, "geth_received_as_first_packet", i, v) {
		const char *name = vec_text(v, "name");
		bool ok = strcmp(vec_text(v, "result"), "accepted") == 0;
		uint32_t code = (uint32_t)vec_u64(v, "code");
		struct span payload = vec_bytes(v, "payload");
		struct shh_config cfg;
		int end;

		shh_config_init(&cfg);
		cfg.light = vec_has(v, "local_light") && vec_bool(v, "local_light");
		world_node(w, 0, &cfg);
		end = world_guest(w, 0, &(struct shh_peer_info){ .client = "Geth/v1.8.27" });
		assert_int_equal(end_packets(&w->end[end], SHH_STATUS), 1);
		if (code == 0 && payload.len > 0 && payload.data[0] == 0xc0) {
			(void)differs_find(first_packets, 1, "empty list");
			ok = true;
		}
		if (code == 2 || code == 3) /* geth's own race (W1) */
			ok = world_send(w, end, code, payload) == OK;
		else
			(void)!world_send(w, end, code, payload);
		if (world_other(w, end)->gone == ok)
			fail_msg("\"%s\": %s", name, ok ? "refused" : "accepted");
		assert_int_equal(world_other(w, end)->ready, ok && code == 0);
		accepted += ok;
		refused += !ok;
		teardown(state);
		setup(state);
	}
	assert_true(accepted > 10 && refused > 10);
	assert_true(first_packets[0].seen);
	vectors_close(file);
}

/* --- what status-go was shown ----------------------------------------------------------- */

static struct differs from_status[] = {
	{ "messages request, garbage", true, 0, "no mail service here: unread", false },
	{ "sync request, limit 0", true, 0, "no mail service here", false },
	{ "sync request, limit 1001", true, 0, "no mail service here", false },
	{ "sync request, lower above upper", true, 0, "no mail service here", false },
};

/* Status' Status packet: six items, confirmations on. */
static void status_hello(int end)
{
	static const uint8_t packet[] = { 0xd1, 0x06, 0x88, 0x3f, 0x60, 0x62, 0x4d, 0xd2, 0xf1,
					  0xa9, 0xfc, 0x80, 0x80, 0x01, 0xc3, 0x80, 0x80, 0x80 };

	assert_int_equal(world_send(w, end, SHH_STATUS, span_of(packet, sizeof(packet))), OK);
}

/* Our answers to a Messages packet against status-go's: the same packets in the
 * same order; a refusal names the same batch, envelope and code, in our words. */
static void compare_replies(const json_t *v, const struct world_end *e)
{
	const json_t *replies = json_object_get(v, "replies");
	size_t i, at = 0;
	const json_t *r;

	if (vec_u64(v, "code") != 1 || json_array_size(replies) == 0)
		return;
	json_array_foreach(replies, i, r)
	{
		struct span theirs = vec_bytes(r, "payload"), ours;
		struct shh_response a, b;
		struct shh_response_item ia, ib;

		while (at < e->in_count && e->in[at].code != vec_u64(r, "code"))
			at++;
		assert_true(at < e->in_count);
		ours = span_of(e->in[at].blob->data, e->in[at].blob->len);
		at++;
		if (vec_u64(r, "code") == SHH_BATCH_ACK) {
			assert_true(span_eq(ours, theirs));
			continue;
		}
		assert_int_equal(shh_response_read(&a, ours), OK);
		assert_int_equal(shh_response_read(&b, theirs), OK);
		assert_memory_equal(a.batch_hash, b.batch_hash, 32);
		while (shh_response_next(&b, &ib)) {
			assert_true(shh_response_next(&a, &ia));
			assert_memory_equal(ia.hash, ib.hash, 32);
			assert_int_equal(ia.code, ib.code);
			assert_true(ia.text.len > 0);
		}
		assert_false(shh_response_next(&a, &ia));
	}
}

static void test_shown_to_status(void **state)
{
	const uint64_t recorded_s = 0x6b00182a - 0x64; /* the vectors' present */
	json_t *file = vectors_open("whisper_status_go");
	size_t i, count = 0, differ = 0;
	const json_t *v;

	vectors_each (file, "received_after_handshake", i, v) {
		const char *name = vec_text(v, "name");
		bool connected = strcmp(vec_text(v, "result"), "connected") == 0;
		struct differs *d = differs_find(from_status, 4, name);
		struct shh_config cfg;
		int end;

		shh_config_init(&cfg);
		cfg.min_pow = 0.002;
		cfg.confirmations = true;
		cfg.wall_offset_ms = (int64_t)((recorded_s - WORLD_START_S) * 1000);
		world_node(w, 0, &cfg);
		end = world_guest(w, 0, &(struct shh_peer_info){ .client = "Statusd/v0.36.1" });
		status_hello(end);
		shh_peer_trust(w->node[0].shh, world_other(w, end)->peer,
			       vec_bool(v, "peer_trusted"));
		(void)!world_send(w, end, (uint32_t)vec_u64(v, "code"), vec_bytes(v, "payload"));
		if (d != NULL) {
			assert_true(d->connected != connected);
			connected = d->connected;
			differ++;
		}
		if (world_other(w, end)->gone == connected)
			fail_msg("\"%s\": %s", name, connected ? "disconnected" : "connected");
		if (vec_u64(v, "pooled") != pooled(0))
			fail_msg("\"%s\": %zu pooled", name, pooled(0));
		compare_replies(v, &w->end[end]);
		count++;
		teardown(state);
		setup(state);
	}
	assert_int_equal(count, 42);
	assert_int_equal(differ, 4);
	vectors_close(file);
}

/* --- rules one by one ---------------------------------------------------------------------- */

/* W1: no Status within 5 s ends it; Messages before it as well. */
static void test_status_first(void **state)
{
	int late, early, fine;

	(void)state;
	world_node(w, 0, NULL);
	late = world_guest(w, 0, &(struct shh_peer_info){ .client = NULL });
	early = world_guest(w, 0, &(struct shh_peer_info){ .client = "x" });
	fine = world_guest(w, 0, &(struct shh_peer_info){ .client = "x" });
	assert_int_equal(world_send(w, early, SHH_MESSAGES, span_of("\xc0", 1)), ERR_PROTOCOL);
	assert_int_equal(world_other(w, early)->drop, ERR_PROTOCOL);
	/* a minimum that geth sent while its handshake was under way holds */
	assert_int_equal(world_send(w, fine, SHH_POW, span_of("\x88\x40\x00\0\0\0\0\0\0", 9)), OK);
	world_run(w, 4999);
	assert_false(world_other(w, late)->gone);
	world_hello(w, fine, 0.5);
	assert_true(world_other(w, fine)->ready);
	assert_true(world_other(w, fine)->status.min_pow == 2.0);
	world_run(w, 1);
	assert_true(world_other(w, late)->gone);
	assert_int_equal(world_other(w, late)->drop, ERR_TIMEOUT);
	assert_false(world_other(w, fine)->gone);
	assert_int_equal(stats_of(0).peers, 1);
}

/* W4: welcome under any of the four rules, whoever sends it, and in no other way. */
static void test_any_rule(void **state)
{
	static struct made m[3];
	struct shh_config cfg;
	uint64_t now = world_now_s(w);
	int end;

	(void)state;
	shh_config_init(&cfg);
	world_node(w, 0, &cfg);
	made_envelope(&m[0], now + 50, 50, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.2);
	made_envelope(&m[1], now + 50, 50, 1, 2, 100, SHH_DIGEST_SINGLE, 0.2);
	made_envelope(&m[2], now + 50, 50, 1, 3, 100, SHH_DIGEST_SINGLE, 0);
	end = guest(0, "Geth/v1.9.18", 0.2);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(m, 3)), OK);
	assert_int_equal(pooled(0), 2);
	assert_int_equal(stats_of(0).dropped_work, 1);
	assert_int_equal(stats_of(0).envelopes_in, 3);
	end = guest(0, "Geth/v1.8.27", 0.2);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(m, 3)), OK);
	assert_int_equal(pooled(0), 2);
	assert_int_equal(stats_of(0).duplicates, 2);
	assert_int_equal(stats_of(0).dropped_work, 2);
}

/* W5 to the second, both ends. */
static void test_clock(void **state)
{
	static struct made m[6];
	uint64_t now = world_now_s(w);
	struct shh_config cfg;
	int end;

	(void)state;
	shh_config_init(&cfg);
	cfg.min_pow = 0;
	world_node(w, 0, &cfg);
	made_envelope(&m[0], now, 50, 1, 1, 10, SHH_DIGEST_SINGLE, 0);
	made_envelope(&m[1], now - 1, 50, 1, 2, 10, SHH_DIGEST_SINGLE, 0);
	made_envelope(&m[2], now + 60, 50, 1, 3, 10, SHH_DIGEST_SINGLE, 0);
	made_envelope(&m[3], now + 61, 50, 1, 4, 10, SHH_DIGEST_SINGLE, 0);
	made_envelope(&m[4], now + SHH_TTL_MAX, SHH_TTL_MAX, 1, 5, 10, SHH_DIGEST_SINGLE, 0);
	made_envelope(&m[5], now + SHH_TTL_MAX, SHH_TTL_MAX + 1, 1, 6, 10, SHH_DIGEST_SINGLE, 0);
	end = guest(0, "x", 0);
	for (unsigned i = 0; i < 6; i++) {
		size_t before = pooled(0);

		assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(&m[i], 1)), OK);
		assert_int_equal(pooled(0) - before, i % 2 == 0);
	}
	assert_int_equal(stats_of(0).dropped_stale, 2);
	assert_int_equal(stats_of(0).dropped_ttl, 1);
	assert_false(world_other(w, end)->gone);
}

/* O4: what has expired does not come back, though it would be timely for a clock behind ours. */
static void test_not_resurrected(void **state)
{
	static struct made m[1];
	uint64_t now = world_now_s(w);
	int end;

	(void)state;
	world_node(w, 0, NULL);
	made_envelope(&m[0], now + 3, 50, 1, 1, 10, SHH_DIGEST_SINGLE, 0.01);
	end = guest(0, "x", 0);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(m, 1)), OK);
	assert_int_equal(pooled(0), 1);
	world_run(w, 4000);
	assert_int_equal(pooled(0), 0);
	assert_int_equal(stats_of(0).expired, 1);
	shh_set_wall_offset(w->node[0].shh, (int64_t)(WORLD_START_S * 1000) - 1000 - 4000);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(m, 1)), OK);
	assert_int_equal(pooled(0), 0);
	assert_int_equal(stats_of(0).duplicates, 1);
}

/* 5.13: a worthless copy sent first suppresses nothing; a copy in the other form
 * fills the place of the nonce that is missing, once. */
static void test_copies(void **state)
{
	static struct made weak[1], single[1], doubled[1], other[1];
	uint64_t now = world_now_s(w);
	const struct shh__entry *e;
	struct shh *s;
	int a, b;

	(void)state;
	world_node(w, 0, NULL);
	s = w->node[0].shh;
	made_envelope(single, now + 50, 50, 1, 1, 60, SHH_DIGEST_SINGLE, 0.01);
	made_envelope(doubled, now + 50, 50, 1, 1, 60, SHH_DIGEST_DOUBLE, 0.2);
	*weak = *single; /* the same content under the first nonce that is worth nothing */
	for (uint64_t nonce = 1u << 20;; nonce++) {
		struct rlp_reader r;

		weak->len = shh_envelope_write(weak->raw, single->env.content, nonce);
		r = rlp_reader_init(weak->raw, weak->len);
		assert_int_equal(shh_envelope_read(&weak->env, &r), OK);
		if (shh_work_bits(weak->env.content, nonce, SHH_DIGEST_SINGLE) < 2 &&
		    shh_work_bits(weak->env.content, nonce, SHH_DIGEST_DOUBLE) < 2)
			break;
	}
	a = guest(0, "Geth/v1.9.18", 0.001);
	b = guest(0, "Geth/v1.8.27", 0.001);
	assert_int_equal(world_send(w, a, SHH_MESSAGES, made_packet(weak, 1)), OK);
	assert_int_equal(pooled(0), 0);
	assert_int_equal(world_send(w, a, SHH_MESSAGES, made_packet(single, 1)), OK);
	assert_int_equal(pooled(0), 1);
	e = shh__entry(&s->pool, 0);
	assert_int_equal(e->forms, 1 << SHH_DIGEST_SINGLE);
	assert_int_equal(e->nonce[SHH_DIGEST_SINGLE], single->env.nonce);
	/* a worthless copy changes nothing: too little is not a second form */
	assert_int_equal(world_send(w, b, SHH_MESSAGES, made_packet(weak, 1)), OK);
	assert_int_equal(e->forms, 1 << SHH_DIGEST_SINGLE);
	assert_int_equal(world_send(w, b, SHH_MESSAGES, made_packet(doubled, 1)), OK);
	assert_int_equal(e->forms, 3);
	assert_int_equal(e->nonce[SHH_DIGEST_DOUBLE], doubled->env.nonce);
	assert_int_equal(e->nonce[SHH_DIGEST_SINGLE], single->env.nonce);
	/* neither is replaced */
	*other = *single;
	for (uint64_t nonce = single->env.nonce + 1;; nonce++) {
		other->len = shh_envelope_write(other->raw, single->env.content, nonce);
		if (shh_work_bits(single->env.content, nonce, SHH_DIGEST_SINGLE) > 12)
			break;
	}
	assert_int_equal(world_send(w, a, SHH_MESSAGES, made_packet(other, 1)), OK);
	assert_int_equal(e->nonce[SHH_DIGEST_SINGLE], single->env.nonce);
	assert_int_equal(pooled(0), 1);
}

/* U3: what our old settings allowed is welcome for 10 s more. */
static void test_tolerance(void **state)
{
	static struct made m[4];
	uint64_t now = world_now_s(w);
	struct shh_bloom bloom;
	struct shh *s;
	int end;

	(void)state;
	world_node(w, 0, NULL);
	s = w->node[0].shh;
	for (uint8_t i = 0; i < 4; i++)
		made_envelope(&m[i], now + 90, 90, 0xaabbccdd, i, 10, SHH_DIGEST_SINGLE, 0.005);
	end = guest(0, "x", 0);
	assert_int_equal(shh_set_min_pow(s, 1000, w->now_ms), OK);
	world_settle(w);
	assert_int_equal(end_packets(&w->end[end], SHH_POW), 1);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(&m[0], 1)), OK);
	assert_int_equal(pooled(0), 1);
	world_run(w, 10000);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(&m[1], 1)), OK);
	assert_int_equal(pooled(0), 1);
	assert_int_equal(shh_set_min_pow(s, 0.001, w->now_ms), OK); /* lower holds at once */
	shh_bloom_of(&bloom, world_topic(0x11223344), SHH_BLOOM_EIP627);
	shh_set_bloom(s, &bloom, w->now_ms);
	world_settle(w);
	assert_int_equal(end_packets(&w->end[end], SHH_BLOOM), 1);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(&m[1], 1)), OK);
	assert_int_equal(pooled(0), 2);
	world_run(w, 10000);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(&m[2], 1)), OK);
	assert_int_equal(pooled(0), 2);
	assert_int_equal(stats_of(0).dropped_bloom, 1);
	shh_set_bloom(s, NULL, w->now_ms);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(&m[2], 1)), OK);
	assert_int_equal(pooled(0), 3);
	assert_int_equal(shh_set_min_pow(s, -1, w->now_ms), ERR_ARG);
	assert_false(world_other(w, end)->gone);
}

/* W3: an error in a later slice leaves what earlier slices brought, ends the
 * peer, and nothing of its own slice is taken. */
static void test_slices(void **state)
{
	static struct made m[300];
	uint64_t now = world_now_s(w);
	struct shh_config cfg;
	struct span packet;
	uint8_t *bad;
	int end;

	(void)state;
	world_config(&cfg);
	cfg.min_pow = 0;
	world_node(w, 0, &cfg);
	for (unsigned i = 0; i < 300; i++)
		made_envelope(&m[i], now + 50, 50 + i / 256, 1, (uint8_t)i, 20, SHH_DIGEST_SINGLE,
			      0);
	end = guest(0, "x", 0);
	packet = made_packet(m, 300);
	bad = malloc(packet.len);
	assert_non_null(bad);
	memcpy(bad, packet.data, packet.len);
	bad[packet.len - m[299].len + 1] = 0x00; /* an expiry with a leading zero */
	assert_int_equal(world_send(w, end, SHH_MESSAGES, span_of(bad, packet.len)), ERR_ENVELOPE);
	free(bad);
	assert_true(world_other(w, end)->gone);
	assert_int_equal(world_other(w, end)->drop, ERR_ENVELOPE);
	assert_int_equal(pooled(0), 300 / SHH__SLICE * SHH__SLICE);
	end = guest(0, "x", 0);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(m, 300)), OK);
	assert_int_equal(pooled(0), 300);
}

/* Budgets bind under pressure only, and then they pause the link (section 3). */
static void test_pressure(void **state)
{
	static struct made m[200];
	uint64_t now = world_now_s(w);
	struct world_end *e;
	int end;

	(void)state;
	world_node(w, 0, NULL);
	for (unsigned i = 0; i < 200; i++) /* nothing that is worth anything: 10 each */
		made_envelope(&m[i], now - 10, 50, 1, (uint8_t)i, 20, SHH_DIGEST_SINGLE, 0);
	end = guest(0, "x", 0);
	e = world_other(w, end);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(m, 200)), OK);
	assert_int_equal(e->pauses, 0);
	assert_false(e->gone);
	shh_set_pressure(w->node[0].shh, true);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(m, 200)), OK);
	assert_true(e->pauses >= 1);
	/* for this packet, and not for those that came before: 200, refused at 10 each */
	assert_true(e->pause_ms > w->now_ms && e->pause_ms <= w->now_ms + 2201);
	/* what its host may bring is counted over all its peers */
	{
		int second = guest(0, "x", 0), third = guest(0, "x", 0), other;

		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(world_send(w, second, SHH_MESSAGES, made_packet(m, 100)),
					 OK);
		assert_int_equal(world_send(w, third, SHH_MESSAGES, made_packet(m, 10)), OK);
		assert_true(world_other(w, third)->pauses >= 1);
		other = world_guest(w, 0, &(struct shh_peer_info){ .host_key = 78 });
		world_hello(w, other, 0);
		assert_int_equal(world_send(w, other, SHH_MESSAGES, made_packet(m, 10)), OK);
		assert_int_equal(world_other(w, other)->pauses, 0);
	}
	/* a trusted peer is not held up */
	shh_peer_trust(w->node[0].shh, e->peer, true);
	e->pauses = 0;
	assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(m, 200)), OK);
	assert_int_equal(e->pauses, 0);
}

/* A peer's clock is read from the freshest envelopes that it brings. */
static void test_clock_estimate(void **state)
{
	static struct made m[20];
	struct shh_peer_stats ps;
	int end;

	(void)state;
	world_node(w, 0, NULL);
	end = guest(0, "x", 0);
	for (unsigned i = 0; i < 20; i++) {
		/* created on a clock that is 5 s ahead, up to 3 s before it came */
		uint64_t sent = world_now_s(w) + 5 - i % 4;

		made_envelope(&m[i], sent + 50, 50, 1, (uint8_t)i, 20, SHH_DIGEST_SINGLE, 0.01);
		assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(&m[i], 1)), OK);
		world_run(w, 1000);
	}
	assert_int_equal(shh_peer_stats(w->node[0].shh, world_other(w, end)->peer, &ps), OK);
	assert_true(ps.clock_offset_ms > 4000 && ps.clock_offset_ms <= 5000);
	assert_int_equal(ps.envelopes_in, 20);
	assert_int_equal(shh_peer_stats(w->node[0].shh, 1000, &ps), ERR_NOT_FOUND);
}

static void assert_status_said(int end, enum shh_status_form form)
{
	const struct blob *b = w->end[end].in[0].blob;
	struct shh_status st;

	assert_int_equal(w->end[end].in[0].code, SHH_STATUS);
	assert_int_equal(shh_status_read(&st, span_of(b->data, b->len)), OK);
	assert_int_equal(st.form, form);
	assert_int_equal(st.confirmations, form == SHH_STATUS_FIVE);
}

/* We announce that we confirm, and do so only to those who announce it too. */
static void test_no_unasked_confirmation(void **state)
{
	struct shh_config cfg;
	int end;

	(void)state;
	shh_config_init(&cfg);
	assert_true(cfg.confirmations);
	world_node(w, 0, &cfg);
	end = guest(0, "Geth/v1.8.27", 0);
	assert_int_equal(world_send(w, end, SHH_MESSAGES, span_of("\xc0", 1)), OK);
	assert_int_equal(end_packets(&w->end[end], SHH_BATCH_ACK), 0);
	assert_int_equal(end_packets(&w->end[end], SHH_MESSAGE_RESPONSE), 0);
	assert_status_said(end, SHH_STATUS_FIVE);
	/* between two of us they would only cost */
	assert_status_said(guest(0, "sotto/v0.1.0", 0), SHH_STATUS_FOUR);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_shown_to_geth),
		TEST(test_first_packets),
		TEST(test_shown_to_status),
		TEST(test_status_first),
		TEST(test_any_rule),
		TEST(test_clock),
		TEST(test_not_resurrected),
		TEST(test_copies),
		TEST(test_tolerance),
		TEST(test_slices),
		TEST(test_pressure),
		TEST(test_clock_estimate),
		TEST(test_no_unasked_confirmation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
