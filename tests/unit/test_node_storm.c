/* SPDX-License-Identifier: MIT */
/* What peers do wrong, and what is left of it: nothing (hardening H4, H6, X3, §3:
 * fairness, scores, pauses; P8; scarcity). */
#include "tests/nodes.h"
#include "tests/solo.h"

#include "tests/vectors.h"

/* --- H6: residue ------------------------------------------------------------------------- */

static void clean_visit(struct solo *s, uint32_t number, struct endpoint from)
{
	struct raw p;

	assert_int_equal(raw_connect_from(&p, s, number, from, "sotto/test"), OK);
	solo_pump(s);
	assert_true(p.hello);
	raw_status(&p);
	solo_pump(s);
	assert_false(p.closed);
	raw_end(&p);
	solo_pump(s);
	raw_free(&p);
}

/* A thousand handshakes of garbage, in garbage lengths, then a hundred clean
 * ones: all hundred succeed, and no byte of memory stays behind. */
static void a_malformed_storm_leaves_nothing(void **state)
{
	uint8_t junk[3000];
	size_t before;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	clean_visit(&s, 1, solo_lan(1));
	solo_pass(&s, 11000);
	before = s.mem.used[MEM_PREAUTH] + s.mem.used[MEM_RECEIVE] + s.mem.used[MEM_SEND];
	for (unsigned i = 0; i < 1000; i++) {
		struct endpoint from = solo_lan(i % 250);
		uint64_t len;
		uint32_t link;

		assert_int_equal(rng_fill(&s.rng, junk, sizeof(junk)), OK);
		assert_int_equal(rng_below(&s.rng, &len, sizeof(junk)), OK);
		if (i % 3 == 0) /* a believable size prefix */
			be16_store(junk, (uint16_t)(282 + len % 1700));
		if (i % 7 == 0) /* and point */
			junk[2] = 4;
		assert_int_equal(node_accept(s.node, &link, &from, s.now_ms), OK);
		node_recv(s.node, link, junk, (size_t)len, s.now_ms);
		solo_pump(&s);
		if (i % 2)
			node_stream_ended(s.node, link, s.now_ms);
		solo_pass(&s, 10);
	}
	solo_pass(&s, 11000);
	assert_int_equal(solo_links(&s), 0);
	assert_int_equal(s.mem.used[MEM_PREAUTH] + s.mem.used[MEM_RECEIVE] + s.mem.used[MEM_SEND],
			 before);
	for (uint32_t i = 0; i < 100; i++)
		clean_visit(&s, 100 + i, solo_lan(i));
	assert_int_equal(solo_links(&s), 0);
	solo_close(&s);
}

/* Every byte of a good auth broken in turn: closed without a word, and nobody
 * is told why (rule 1.10). */
static void broken_auths_get_no_answer(void **state)
{
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	for (size_t at = 0; at < 300; at += 7) {
		struct rlpx *conns[1];
		const uint8_t *data;
		uint8_t copy[1024];
		struct raw p;
		size_t len;

		assert_int_equal(raw_connect(&p, &s, 1), OK);
		conns[0] = p.conn;
		rlpx_seal_many(conns, 1, s.now_ms);
		len = rlpx_output(p.conn, &data);
		memcpy(copy, data, len);
		copy[at] ^= 0x40;
		rlpx_output_taken(p.conn, len, s.now_ms);
		raw_give(&p, copy, len);
		solo_drain(&s);
		node_flush(s.node, s.now_ms);
		if (p.accepted) /* the size prefix may ask for more than came */
			assert_int_equal(node_output(s.node, p.link, &data), 0);
		solo_pass(&s, 11000);
		assert_false(p.accepted);
		raw_free(&p);
	}
	solo_close(&s);
}

/* --- H4: curve operations -------------------------------------------------------------------- */

/* At one moment 600 handshakes from the LAN find their price paid; the next one
 * waits, and has its turn within milliseconds. */
static void the_handshake_bucket_delays(void **state)
{
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	for (uint32_t i = 0; i < 600; i++) {
		assert_int_equal(raw_connect(&p, &s, 1), OK);
		solo_pump(&s);
		assert_true(p.hello);
		raw_end(&p);
		solo_pump(&s);
		raw_free(&p);
	}
	assert_int_equal(raw_connect(&p, &s, 1), OK);
	solo_pump(&s);
	assert_false(p.hello);
	assert_true(p.rest_len > 0); /* not read */
	assert_true(node_deadline(s.node) <= s.now_ms + 7);
	solo_pass(&s, 7);
	assert_true(p.hello);
	assert_int_equal(p.rest_len, 0);
	raw_free(&p);
	solo_close(&s);
}

/* --- scores -------------------------------------------------------------------------------------- */

/* A Messages packet that is no list, after a proper Status. */
static unsigned misbehave(struct solo *s, struct raw *p, uint32_t number, struct endpoint from)
{
	static const uint8_t junk[] = { 0xc2, 0xc1, 0x80 };

	if (raw_connect_from(p, s, number, from, "sotto/test") != OK)
		return RLPX_REASON_UNKNOWN;
	solo_pump(s);
	if (p->closed)
		return p->reason;
	raw_status(p);
	solo_pump(s);
	assert_int_equal(raw_send(p, SHH_MESSAGES, junk, sizeof(junk)), OK);
	solo_pump(s);
	assert_true(p->closed && p->by_node);
	return p->reason;
}

static void bad_messages_add_up_to_a_ban(void **state)
{
	struct endpoint from = solo_at(60, 1, 1, 1);
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	for (unsigned i = 0; i < 4; i++) { /* 16 each, less what 31 s forgive: 16, 31, 46, 61 */
		assert_int_equal(misbehave(&s, &p, 1, from), RLPX_SUBPROTOCOL);
		raw_free(&p);
		solo_pass(&s, i < 3 ? 31000 : 100);
	}
	solo_pass(&s, 29000); /* until the host may knock again; still banned */
	assert_int_equal(misbehave(&s, &p, 1, from), RLPX_TOO_MANY_PEERS);
	raw_free(&p);
	clean_visit(&s, 2, solo_at(60, 1, 2, 1)); /* others are welcome */
	solo_pass(&s, 31000);
	clean_visit(&s, 1, from);
	solo_close(&s);
}

/* Knocking meanwhile, from wherever, does not lengthen it. */
static void a_ban_ends_when_it_was_to_end(void **state)
{
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(misbehave(&s, &p, 1, solo_lan(1)), RLPX_SUBPROTOCOL);
		raw_free(&p);
	}
	for (unsigned i = 0; i < 29; i++) {
		assert_int_equal(misbehave(&s, &p, 1, solo_lan(i)), RLPX_TOO_MANY_PEERS);
		raw_free(&p);
		solo_pass(&s, 1000);
	}
	solo_pass(&s, 1000);
	clean_visit(&s, 1, solo_lan(1));
	solo_close(&s);
}

static void a_named_peer_is_forgiven_in_ten_seconds(void **state)
{
	struct enode e;
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	e = raw_enode(&s, 1, solo_lan(1));
	assert_int_equal(node_peer_add(s.node, &e, NODE_TRUSTED, s.now_ms), OK);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(misbehave(&s, &p, 1, solo_lan(1)), RLPX_SUBPROTOCOL);
		raw_free(&p);
		solo_pass(&s, 1000);
	}
	clean_visit(&s, 1, solo_lan(1));
	solo_close(&s);
}

/* What honest relays may do costs nothing: expired, without work, odd lives. */
static void honest_oddities_ban_nobody(void **state)
{
	/* expiry 1, ttl 1, topic, data 80, nonce 0; and expiry 1600000100, ttl 50 */
	static const uint8_t stale[] = {
		0xcb, 0xca, 0x01, 0x01, 0x84, 1, 2, 3, 4, 0x81, 0x80, 0x80
	};
	static const uint8_t worthless[] = { 0xcf, 0xce, 0x84, 0x5f, 0x5e, 0x10, 0x64, 0x32,
					     0x84, 1,	 2,    3,    4,	   0x81, 0x80, 0x80 };
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	assert_int_equal(raw_connect(&p, &s, 1), OK);
	solo_pump(&s);
	raw_status(&p);
	for (unsigned i = 0; i < 500; i++) {
		assert_int_equal(raw_send(&p, SHH_MESSAGES, stale, sizeof(stale)), OK);
		assert_int_equal(raw_send(&p, SHH_MESSAGES, worthless, sizeof(worthless)), OK);
		solo_pass(&s, 10);
	}
	assert_false(p.closed);
	assert_int_equal(solo_peers(&s), 1);
	raw_free(&p);
	solo_close(&s);
}

/* W1: how each fault in the first packet is named to the peer. */
static void faults_of_status_have_their_reasons(void **state)
{
	static const struct {
		uint8_t payload[8];
		size_t len;
		uint32_t code;
		unsigned reason;
	} v[] = {
		{ { 0xc1, 0x05 }, 2, SHH_STATUS, RLPX_SUBPROTOCOL }, /* version 5 */
		{ { 0xc1, 0x07 }, 2, SHH_STATUS, RLPX_SUBPROTOCOL },
		{ { 0x06 }, 1, SHH_STATUS, RLPX_BREACH },   /* no list */
		{ { 0xc0 }, 1, SHH_MESSAGES, RLPX_BREACH }, /* too soon */
		{ { 0 }, 0, SHH_CODES, RLPX_BREACH },	    /* nothing in 5 s */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct raw p;
		struct solo s;

		solo_open(&s, NULL);
		assert_int_equal(raw_connect(&p, &s, 1), OK);
		solo_pump(&s);
		if (v[i].code < SHH_CODES)
			assert_int_equal(raw_send(&p, v[i].code, v[i].payload, v[i].len), OK);
		solo_pass(&s, v[i].code < SHH_CODES ? 100 : 6000);
		assert_true(p.closed && p.by_node);
		assert_int_equal(p.reason, v[i].reason);
		raw_free(&p);
		solo_close(&s);
	}
}

/* --- fairness and pauses ------------------------------------------------------------------------- */

/* One gives ten thousand packets at once, another a few: the few are taken in the
 * first turn, and no turn takes more than its share from anybody. */
static void a_turn_takes_a_share_of_each(void **state)
{
	static const uint8_t unknown[] = { 0xc0 };
	struct shh_stats before, after;
	struct raw greedy, modest;
	struct solo s;
	unsigned turns = 0;

	(void)state;
	solo_open(&s, NULL);
	assert_int_equal(raw_connect(&greedy, &s, 1), OK);
	assert_int_equal(raw_connect(&modest, &s, 2), OK);
	solo_pump(&s);
	raw_status(&greedy);
	raw_status(&modest);
	solo_pump(&s);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(raw_send(&greedy, SHH_MESSAGES, unknown, 1), OK);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(raw_send(&modest, SHH_MESSAGES, unknown, 1), OK);
	node_shh_stats(s.node, &before);
	raw_speak(&greedy);
	raw_speak(&modest);
	node_shh_stats(s.node, &after);
	assert_int_equal(after.packets_in - before.packets_in, NODE_TURN_MESSAGES + 5);
	assert_true(greedy.rest_len > 0);
	while (greedy.rest_len > 0) {
		uint64_t was = after.packets_in;

		solo_drain(&s);
		solo_speak(&s);
		solo_drain(&s);
		assert_true(node_deadline(s.node) <= s.now_ms || s.resumes > turns);
		raw_give(&greedy, NULL, 0);
		node_shh_stats(s.node, &after);
		assert_true(after.packets_in - was <= NODE_TURN_MESSAGES);
		assert_true(++turns < 10);
	}
	assert_int_equal(after.packets_in - before.packets_in, 205);
	raw_free(&greedy);
	raw_free(&modest);
	solo_close(&s);
}

/* U2: more bloom updates than the bucket holds: reading pauses, goes on by
 * itself, and nobody is dropped. */
static void an_empty_bucket_pauses_reading(void **state)
{
	uint8_t bloom[66] = { 0xb8, 64 };
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	assert_int_equal(raw_connect(&p, &s, 1), OK);
	solo_pump(&s);
	raw_status(&p);
	solo_pump(&s);
	for (uint8_t i = 0; i < 12; i++) {
		bloom[2] = i;
		assert_int_equal(raw_send(&p, SHH_BLOOM, bloom, sizeof(bloom)), OK);
		solo_pump(&s);
	}
	assert_int_equal(s.pauses, 1);
	assert_int_equal(s.resumes, 0);
	assert_true(p.rest_len > 0);
	solo_pass(&s, 60000);
	assert_int_equal(p.rest_len, 0);
	assert_true(s.resumes >= 1);
	assert_false(p.closed);
	raw_free(&p);
	solo_close(&s);
}

/* --- many at once ------------------------------------------------------------------------------------ */

/* More links than are sealed together; then all are told to go and none listens:
 * only so many may linger, and a second later all are gone. */
static void goodbyes_are_bounded(void **state)
{
	enum { MANY = 100 };
	struct node_config cfg;
	static struct raw p[MANY];
	struct node_stats stats;
	struct solo s;

	(void)state;
	node_config_init(&cfg);
	cfg.max_peers = 200;
	solo_open(&s, &cfg);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(raw_connect(&p[i], &s, 1 + i), OK);
		solo_pump(&s);
		raw_status(&p[i]);
		solo_pump(&s);
	}
	assert_int_equal(solo_peers(&s), MANY);
	solo_pass(&s, 16000); /* a Ping to each, and its Pong */
	for (uint32_t i = 0; i < MANY; i++) {
		assert_false(p[i].closed);
		p[i].deaf = true;
	}
	s.downs = s.closes = 0;
	node_stop(s.node, s.now_ms);
	solo_drain(&s);
	assert_int_equal(s.downs, MANY);
	assert_int_equal(s.closes, MANY - NODE__GOODBYES_MAX);
	assert_int_equal(solo_peers(&s), 0);
	solo_pass(&s, 999);
	node_stats(s.node, &stats);
	assert_int_equal(stats.links, NODE__GOODBYES_MAX);
	solo_pass(&s, 1);
	assert_int_equal(solo_links(&s), 0);
	assert_int_equal(s.closes, MANY);
	assert_int_equal(s.stopped, 1);
	assert_int_equal(
		node_accept(s.node, &(uint32_t){ 0 }, &(struct endpoint){ .tcp = 1 }, s.now_ms),
		ERR_TOO_MANY);
	for (uint32_t i = 0; i < MANY; i++)
		raw_free(&p[i]);
	solo_close(&s);
}

static void a_ping_is_answered_when_asked_for(void **state)
{
	struct node_link_info info;
	uint32_t cursor = 0;
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	assert_int_equal(raw_connect(&p, &s, 1), OK);
	assert_int_equal(node_ping(s.node, p.link, s.now_ms), ERR_STATE);
	assert_int_equal(node_ping(s.node, 99, s.now_ms), ERR_STATE);
	solo_pump(&s);
	raw_status(&p);
	solo_pump(&s);
	assert_int_equal(node_ping(s.node, p.link, s.now_ms), OK);
	solo_pump(&s);
	assert_true(node_link_next(s.node, &cursor, &info));
	assert_int_equal(info.pongs, 1);
	assert_true(info.drained);
	assert_int_equal(info.rtt_ms, 0);
	assert_false(node_link_next(s.node, &cursor, &info));
	raw_free(&p);
	solo_close(&s);
}

/* Calls that name what is not there, or not any more, do nothing. */
static void stray_calls_are_harmless(void **state)
{
	const uint8_t *data;
	uint8_t byte = 0;
	struct blob *b;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	for (uint32_t link = 0; link < 3000; link += 999) {
		node_dialled(s.node, link, OK, s.now_ms);
		node_stream_ended(s.node, link, s.now_ms);
		node_writable(s.node, link);
		node_output_taken(s.node, link, 5, s.now_ms);
		node_disconnect(s.node, link, RLPX_REQUESTED, s.now_ms);
		assert_int_equal(node_recv(s.node, link, &byte, 1, s.now_ms), 1);
		assert_int_equal(node_output(s.node, link, &data), 0);
	}
	assert_int_equal(blob_new(&b, &s.mem, MEM_SEND, 1), OK);
	assert_int_equal(node_send(s.node, 0, 0, 0, b, s.now_ms), ERR_ARG);
	blob_unref(b);
	node_job_done(s.node, 7, &(struct shh_seal_progress){ .done = true }, s.now_ms);
	solo_pass(&s, 1000);
	assert_int_equal(solo_links(&s), 0);
	solo_close(&s);
}

/* --- X3: what strangers write in the log -------------------------------------------------------------- */

struct lines {
	char text[16384];
	size_t len;
};

static void keep_line(void *ctx, enum log_level level, const char *line)
{
	struct lines *l = ctx;
	int n = snprintf(l->text + l->len, sizeof(l->text) - l->len, "%d %s\n", (int)level, line);

	assert_true(n > 0 && (size_t)n < sizeof(l->text) - l->len);
	l->len += (size_t)n;
}

static void a_client_name_stays_in_its_quotes(void **state)
{
	static struct lines lines;
	struct node_config cfg;
	struct raw p;
	struct solo s;

	(void)state;
	node_config_init(&cfg);
	cfg.log = (struct log){ keep_line, &lines, LOG_INFO };
	solo_open(&s, &cfg);
	assert_int_equal(
		raw_connect_from(&p, &s, 1, solo_lan(1), "evil\" peers=0\n2 peer up \x1b[31m\xff"),
		OK);
	solo_pump(&s);
	raw_status(&p);
	solo_pump(&s);
	raw_end(&p);
	solo_pump(&s);
	assert_non_null(
		strstr(lines.text, "client=\"evil\\x22 peers=0\\x0a2 peer up \\x1b[31m\\xff\""));
	/* Two lines: up and down, both of level info; nothing else can be read in. */
	assert_non_null(strstr(lines.text, "2 peer up "));
	assert_non_null(strstr(lines.text, "2 peer down reason="));
	for (size_t i = 0, n = 0; i <= lines.len; i++) {
		n += lines.text[i] == '\n';
		if (i == lines.len)
			assert_int_equal(n, 2);
		else
			assert_true(lines.text[i] == '\n' ||
				    (lines.text[i] >= ' ' && lines.text[i] < 127));
	}
	raw_free(&p);
	solo_close(&s);
}

/* What peers do wrong is debug: an operator at info sees none of it. */
static void failures_before_a_peer_is_up_are_not_news(void **state)
{
	static struct lines lines;
	struct node_config cfg;
	uint8_t junk[400] = { 1, 2, 3 };
	uint32_t link;
	struct endpoint from = solo_lan(1);
	struct solo s;

	(void)state;
	node_config_init(&cfg);
	cfg.log = (struct log){ keep_line, &lines, LOG_INFO };
	solo_open(&s, &cfg);
	assert_int_equal(node_accept(s.node, &link, &from, s.now_ms), OK);
	node_recv(s.node, link, junk, sizeof(junk), s.now_ms);
	solo_pass(&s, 20000);
	assert_int_equal(lines.len, 0);
	solo_close(&s);
}

/* --- scarcity ------------------------------------------------------------------------------------------ */

/* Memory runs out for half a second at each allocation of one of two nodes in
 * turn: no crash, no leak, no count that is wrong, and afterwards they find each
 * other. */
static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	for (uint64_t fail = 0; fail < 160; fail++) {
		struct nodes t;

		nodes_open(&t, 2, 1, 0);
		nodes_join(&t, 0, 1);
		print_message("allocation %llu of node %llu\n", (unsigned long long)fail / 2,
			      (unsigned long long)fail % 2);
		sim_mem(t.w, (uint32_t)(fail % 2))->fail_after = fail / 2;
		nodes_run(&t, 500);
		nodes_audit(&t);
		sim_mem(t.w, (uint32_t)(fail % 2))->fail_after = UINT64_MAX;
		assert_true(nodes_until_ready(&t, 0, 1, 60000));
		nodes_listen(&t, 1);
		nodes_post(&t, 0, "still here");
		nodes_run(&t, 5000);
		assert_int_equal(nodes_heard(&t, 1, "still here"), 1);
		nodes_close(&t);
	}
}

static void a_node_that_cannot_be_made_leaks_nothing(void **state)
{
	struct node_config cfg;
	struct rng_seeded seed;
	struct crypto *crypto;
	unsigned made = 0;
	struct seckey key = solo_key(1);
	struct rng rng;

	(void)state;
	rng = rng_seeded_init(&seed, 1);
	assert_int_equal(crypto_new(&crypto, &rng), OK);
	node_config_init(&cfg);
	cfg.key = &key;
	cfg.crypto = crypto;
	cfg.rng = rng;
	for (uint64_t fail = 0; fail < 40; fail++) {
		struct node *n = NULL;
		struct mem mem;

		mem_init(&mem);
		mem.fail_after = fail;
		cfg.mem = &mem;
		if (node_new(&n, &cfg, NULL, 1000) == OK) {
			made++;
			node_free(n);
		}
		assert_int_equal(mem.total_used, 0);
	}
	assert_true(made > 0 && made < 40);
	crypto_free(crypto);
}

static void a_wrong_configuration_is_named(void **state)
{
	static const struct rlpx_capability caps[RLPX_CAPS_MAX] = { { "abc", 1, 1 } };
	struct node_config good, cfg;
	struct rng_seeded seed;
	struct seckey key = solo_key(1), zero = { { 0 } };
	struct node *n = NULL;
	const char *what;
	struct mem mem;

	(void)state;
	mem_init(&mem);
	node_config_init(&good);
	good.key = &key;
	good.mem = &mem;
	good.rng = rng_seeded_init(&seed, 1);
	assert_int_equal(crypto_new(&good.crypto, &good.rng), OK);
#define wrong(field, value, name)                                        \
	do {                                                             \
		cfg = good;                                              \
		cfg.field = value;                                       \
		what = NULL;                                             \
		assert_int_equal(node_new(&n, &cfg, &what, 1), ERR_ARG); \
		assert_string_equal(what, name);                         \
	} while (0)
	wrong(key, NULL, "key");
	wrong(client, NULL, "client");
	wrong(p2p_version, 3, "p2p_version");
	wrong(p2p_version, 6, "p2p_version");
	wrong(max_peers, 0, "max_peers");
	wrong(max_peers, NODE_PEERS_MAX + 1, "max_peers");
	wrong(no_shh, true, "extra_count");
	wrong(shh.min_pow, -1, "min_pow");
	wrong(shh.message_max, 1, "message_max");
#undef wrong
	cfg = good;
	cfg.extra = caps;
	cfg.extra_count = RLPX_CAPS_MAX;
	assert_int_equal(node_new(&n, &cfg, &what, 1), ERR_ARG);
	cfg = good;
	cfg.key = &zero;
	assert_int_equal(node_new(&n, &cfg, &what, 1), ERR_KEY);
	assert_int_equal(mem.total_used, 0);
	crypto_free(good.crypto);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_malformed_storm_leaves_nothing),
		cmocka_unit_test(broken_auths_get_no_answer),
		cmocka_unit_test(the_handshake_bucket_delays),
		cmocka_unit_test(bad_messages_add_up_to_a_ban),
		cmocka_unit_test(a_ban_ends_when_it_was_to_end),
		cmocka_unit_test(a_named_peer_is_forgiven_in_ten_seconds),
		cmocka_unit_test(honest_oddities_ban_nobody),
		cmocka_unit_test(faults_of_status_have_their_reasons),
		cmocka_unit_test(a_turn_takes_a_share_of_each),
		cmocka_unit_test(an_empty_bucket_pauses_reading),
		cmocka_unit_test(goodbyes_are_bounded),
		cmocka_unit_test(a_ping_is_answered_when_asked_for),
		cmocka_unit_test(stray_calls_are_harmless),
		cmocka_unit_test(a_client_name_stays_in_its_quotes),
		cmocka_unit_test(failures_before_a_peer_is_up_are_not_news),
		cmocka_unit_test(memory_may_run_out_anywhere),
		cmocka_unit_test(a_node_that_cannot_be_made_leaks_nothing),
		cmocka_unit_test(a_wrong_configuration_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
