/* SPDX-License-Identifier: MIT */
/* What a peer wants: its least work, its bloom and its limits as its family means
 * them, when they change, and how that family is told.
 */
#include "tests/shh_guests.h"

/* --- what a peer accepts --------------------------------------------------------------- */

/* Work under the peer's own rule: exactly what reaches its minimum, and nothing
 * else; at once if it would even for a clock a second behind, else when that
 * second is over (docs/PEERS.md "Work").
 */
static void test_work_margin(void **state)
{
	static const struct {
		const char *client;
		enum shh_rule rule;
	} families[] = {
		{ GETH18, SHH_RULE_GETH18 },
		{ GETH19, SHH_RULE_GETH19 },
		{ NIMBUS, SHH_RULE_NIMBUS },
	};
	static struct made m[2];
	struct world_end *at_once[3], *just[3], *short_of[3];
	uint64_t now = world_now_s(w);
	int from;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	made_envelope(&m[0], now + 50, 50, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.2);
	made_envelope(&m[1], now + 50, 50, 1, 2, 100, SHH_DIGEST_SINGLE, 0.2);
	give(from, m, 2);
	for (unsigned f = 0; f < 3; f++) {
		enum shh_digest d = shh_rule_digest(families[f].rule);
		const struct made *mine = &m[d == SHH_DIGEST_DOUBLE ? 0 : 1];
		unsigned bits = shh_work_bits(mine->env.content, mine->env.nonce, d);
		double value = shh_work_value(families[f].rule, bits, &mine->env);
		double margin = shh_work_value_life(families[f].rule, bits, &mine->env, 52);
		assert_true(margin < value && margin > value * 0.95);
		at_once[f] = guest_named(families[f].client, margin, NULL);
		just[f] = guest_named(families[f].client, value, NULL);
		short_of[f] = guest_named(families[f].client, value * 1.0000001, NULL);
		assert_int_equal(end_envelopes(at_once[f], mine), 1);
		assert_int_equal(end_envelopes(just[f], NULL), 0);
	}
	world_run(w, 1000);
	for (unsigned f = 0; f < 3; f++) {
		enum shh_digest d = shh_rule_digest(families[f].rule);

		assert_int_equal(end_envelopes(just[f], &m[d == SHH_DIGEST_DOUBLE ? 0 : 1]), 1);
	}
	world_run(w, 10000);
	for (unsigned f = 0; f < 3; f++) {
		assert_int_equal(end_envelopes(at_once[f], NULL), 1); /* one form, not the other */
		assert_int_equal(end_envelopes(just[f], NULL), 1);
		assert_int_equal(end_envelopes(short_of[f], NULL), 0);
	}
	assert_int_equal(machine()->stats.delivered, 6);
}

/* Each family computes a topic's bloom differently; 01020304 is one of the
 * topics that show it. */
static void test_blooms(void **state)
{
	static const struct {
		const char *client;
		enum shh_bloom_kind kind;
	} families[] = { { GETH18, SHH_BLOOM_GETH },
			 { GETH19, SHH_BLOOM_GETH },
			 { NIMBUS, SHH_BLOOM_EIP627 } };
	static struct made m[2];
	uint64_t now = world_now_s(w);
	uint8_t packet[66];
	struct shh_bloom b;
	int from, end;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	made_envelope(&m[0], now + 50, 50, 0x01020304, 1, 100, SHH_DIGEST_SINGLE, 0);
	made_envelope(&m[1], now + 50, 50, 0xdeadbeef, 2, 100, SHH_DIGEST_SINGLE, 0);
	for (unsigned f = 0; f < 4; f++) {
		struct world_end *e =
			f < 3 ? guest_named(families[f].client, 0, &end) : guest_parity(&end);

		shh_bloom_of(&b, m[0].env.topic, f < 3 ? families[f].kind : SHH_BLOOM_PARITY);
		(void)shh_bloom_write(packet, &b);
		assert_int_equal(world_send(w, end, SHH_BLOOM, span_of(packet, 66)), OK);
		assert_int_equal(end_envelopes(e, NULL), 0);
	}
	give(from, m, 2);
	world_run(w, 100);
	for (int i = 2; i < 10; i += 2) { /* all but the sender */
		assert_int_equal(end_envelopes(&w->end[i], &m[0]), 1);
		assert_int_equal(end_envelopes(&w->end[i], &m[1]), 0);
	}
	/* nim-eth's filter without one bit that geth's variant loses: not wanted there */
	shh_bloom_of(&b, m[0].env.topic, SHH_BLOOM_GETH);
	(void)guest_named(NIMBUS, 0, &end);
	assert_int_equal(end_envelopes(&w->end[end], NULL), 2);
}

/* An all-zero bloom is honoured, an all-one bloom is a full node (U4). */
static void test_extreme_blooms(void **state)
{
	static struct made m[1];
	struct world_end *none, *all;
	uint8_t packet[66];
	struct shh_bloom b = { { 0 } };
	int from, a, z;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	none = guest_named(GETH19, 0, &z);
	all = guest_named(GETH19, 0, &a);
	(void)shh_bloom_write(packet, &b);
	assert_int_equal(world_send(w, z, SHH_BLOOM, span_of(packet, 66)), OK);
	memset(b.b, 0xff, sizeof(b.b));
	(void)shh_bloom_write(packet, &b);
	assert_int_equal(world_send(w, a, SHH_BLOOM, span_of(packet, 66)), OK);
	assert_false(peer_of(all)->status.has_bloom);
	made_envelope(m, world_now_s(w) + 50, 50, 1, 1, 60, SHH_DIGEST_SINGLE, 0);
	give(from, m, 1);
	assert_int_equal(end_envelopes(all, m), 1);
	assert_int_equal(end_envelopes(none, m), 0);
}

/* W5 on the way out: nothing that has expired, and nothing so far ahead of our
 * clock that the peer may end the connection for it. */
static void test_times(void **state)
{
	static struct made m[3];
	struct world_end *geth, *parity, *slow;
	uint64_t now = world_now_s(w);
	int from, slow_end;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	geth = guest_named(GETH19, 0, NULL);
	parity = guest_parity(NULL);
	slow = guest_named(GETH19, 0, &slow_end);
	shh_peer_credit(machine(), world_other(w, slow_end)->peer, 0, w->now_ms);
	made_envelope(&m[0], now + 9 + 50, 50, 1, 1, 60, SHH_DIGEST_SINGLE, 0);
	made_envelope(&m[1], now + 7 + 50, 50, 1, 2, 60, SHH_DIGEST_SINGLE, 0);
	made_envelope(&m[2], now + 3, 20, 1, 3, 60, SHH_DIGEST_SINGLE, 0);
	give(from, m, 3);
	assert_int_equal(end_envelopes(geth, &m[0]), 0); /* 9 s ahead: one more second */
	assert_int_equal(end_envelopes(geth, &m[1]), 1);
	assert_int_equal(end_envelopes(geth, &m[2]), 1);
	assert_int_equal(end_envelopes(parity, NULL), 1);
	world_run(w, 1000);
	assert_int_equal(end_envelopes(geth, &m[0]), 1);
	world_run(w, 2500);
	shh_peer_credit(machine(), world_other(w, slow_end)->peer, 1u << 20, w->now_ms);
	world_run(w, 3000);
	assert_int_equal(end_envelopes(slow, &m[2]), 0); /* expired meanwhile */
	assert_int_equal(end_envelopes(slow, NULL), 2);
	assert_int_equal(end_envelopes(parity, NULL), 1);
	world_run(w, 1500);
	assert_int_equal(end_envelopes(parity, &m[1]), 1);
	assert_int_equal(end_envelopes(parity, &m[0]), 0);
	world_run(w, 2000);
	assert_int_equal(end_envelopes(parity, &m[0]), 1);
	assert_int_equal(end_envelopes(geth, NULL), 3);
}

static double last_pow(const struct world_end *e)
{
	double min_pow = -1;

	for (size_t i = 0; i < e->in_count; i++)
		if (e->in[i].code == SHH_POW) {
			assert_int_equal(shh_pow_read(&min_pow, span_of(e->in[i].blob->data,
									e->in[i].blob->len)),
					 OK);
			if (e == &w->end[0]) /* the first guest here is parity: eight bytes */
				assert_int_equal(e->in[i].blob->len, 9);
		}
	return min_pow;
}

/* parity: no code from 112 on, no minimum that is not a "normal" double of eight
 * bytes, no bloom; others get them. */
static void test_parity_limits(void **state)
{
	struct symkey key = { { 1 } };
	struct shh_post post = { .sym = &key, .payload = span_of("x", 1), .direct = -1 };
	struct shh_bloom b = { { 1 } };
	struct world_end *parity, *geth;
	uint32_t id;
	int p, g;

	(void)state;
	node_plain();
	assert_int_equal(shh_set_min_pow(machine(), 0.5, w->now_ms), OK);
	parity = guest_parity(&p);
	geth = guest_named(GETH19, 0, &g);
	assert_int_equal(shh_set_min_pow(machine(), 0, w->now_ms), OK);
	shh_set_bloom(machine(), &b, w->now_ms);
	world_settle(w);
	assert_int_equal(end_packets(geth, SHH_POW), 1);
	assert_int_equal(end_packets(geth, SHH_BLOOM), 1);
	assert_true(last_pow(geth) == 0);
	assert_true(last_pow(parity) > 0 && last_pow(parity) < 1e-100);
	assert_int_equal(end_packets(parity, SHH_BLOOM), 0);
	assert_int_equal(shh_set_min_pow(machine(), 1e-310, w->now_ms), OK); /* not "normal" */
	world_settle(w);
	assert_true(last_pow(geth) == 1e-310);
	assert_true(last_pow(parity) > 1e-305 && last_pow(parity) < 1e-100);
	assert_int_equal(shh_set_min_pow(machine(), 0.25, w->now_ms), OK);
	world_settle(w);
	assert_true(last_pow(parity) == 0.25);
	post.pow = 0;
	post.direct = (int32_t)world_other(w, p)->peer;
	assert_int_equal(shh_post(machine(), &id, &post, w->now_ms), ERR_NOT_FOUND);
	post.direct = (int32_t)world_other(w, g)->peer;
	assert_int_equal(shh_post(machine(), &id, &post, w->now_ms), OK);
	world_settle(w);
	assert_int_equal(end_packets(geth, SHH_P2P_MESSAGE), 1);
	assert_int_equal(w->node[0].posted[0].err, OK);
}

/* A transport that loses codes above 0x7f is told so once. */
static void test_one_byte_codes(void **state)
{
	struct symkey key = { { 1 } };
	struct shh_post post = { .sym = &key, .payload = span_of("x", 1), .direct = -1 };
	uint32_t id;
	int e = 0;

	(void)state;
	node_plain();
	for (uint32_t offset = 0; offset < 17; offset += 16) {
		e = world_guest(w, 0,
				&(struct shh_peer_info){ .client = GETH19,
							 .one_byte_codes = true,
							 .code_offset = offset });
		world_hello(w, e, 0);
		post.direct = (int32_t)world_other(w, e)->peer;
		assert_int_equal(shh_post(machine(), &id, &post, w->now_ms),
				 offset == 0 ? OK : ERR_NOT_FOUND);
	}
	assert_true(e > 0);
	world_settle(w);
}

/* Light: we relay nothing but what we post ourselves. */
static void test_light(void **state)
{
	struct world_end *a;
	struct shh_config cfg;
	static struct made m[1];
	int from;

	(void)state;
	world_config(&cfg);
	cfg.light = true;
	world_node(w, 0, &cfg);
	(void)guest_named(SOTTO, 0, &from);
	a = guest_named(GETH19, 0, NULL);
	made_envelope(m, world_now_s(w) + 50, 50, 1, 1, 60, SHH_DIGEST_SINGLE, 0.01);
	give(from, m, 1);
	world_run(w, 1000);
	assert_int_equal(machine()->pool.live, 1);
	assert_int_equal(end_envelopes(a, NULL), 0);
	(void)world_post(w, 0, 1, 0x01020304, "mine", 50, 0.01);
	assert_int_equal(end_envelopes(a, NULL), 1);
	assert_int_equal(end_envelopes(a, m), 0);
	shh_set_light(machine(), false, w->now_ms);
	world_run(w, 100);
	assert_int_equal(end_envelopes(a, m), 1);
}

/* --- wishes that change -------------------------------------------------------------------- */

/* A lower minimum or a wider bloom brings what was passed over; a stricter one
 * holds at once. */
static void test_rewind(void **state)
{
	static struct made m[2];
	struct world_end *a;
	uint8_t pow[9], bloom[66];
	struct shh_bloom b;
	uint64_t now = world_now_s(w);
	int from, e;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	a = guest_named(GETH19, 1000, &e);
	made_envelope(&m[0], now + 50, 50, 1, 1, 100, SHH_DIGEST_SINGLE, 0.01);
	made_envelope(&m[1], now + 50, 50, 2, 2, 100, SHH_DIGEST_SINGLE, 0.01);
	give(from, &m[0], 1);
	assert_int_equal(end_envelopes(a, NULL), 0);
	assert_int_equal(world_send(w, e, SHH_POW, span_of(pow, shh_pow_write(pow, 0.005))), OK);
	assert_int_equal(end_envelopes(a, &m[0]), 1);
	shh_bloom_of(&b, world_topic(0xffffffff), SHH_BLOOM_GETH);
	(void)shh_bloom_write(bloom, &b);
	assert_int_equal(world_send(w, e, SHH_BLOOM, span_of(bloom, 66)), OK);
	give(from, &m[1], 1);
	world_run(w, 10);
	assert_int_equal(end_envelopes(a, &m[1]), 0);
	memset(b.b, 0xff, sizeof(b.b));
	(void)shh_bloom_write(bloom, &b);
	assert_int_equal(world_send(w, e, SHH_BLOOM, span_of(bloom, 66)), OK);
	world_run(w, 10);
	assert_int_equal(end_envelopes(a, &m[1]), 1);
	assert_int_equal(end_envelopes(a, NULL), 2);
	/* stricter: at once */
	assert_int_equal(world_send(w, e, SHH_POW, span_of(pow, shh_pow_write(pow, 1e9))), OK);
	made_envelope(&m[0], now + 50, 50, 3, 3, 100, SHH_DIGEST_SINGLE, 0.01);
	give(from, &m[0], 1);
	world_run(w, 10);
	assert_int_equal(end_envelopes(a, NULL), 2);
}

/* U2: a million updates cost no million walks: four at once, then one in 5 s,
 * the latest of them, and the link is paused. */
static void test_update_flood(void **state)
{
	struct world_end *its;
	uint8_t pow[9];
	int from, e;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	(void)guest_named(GETH19, 1000, &e);
	its = world_other(w, e);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(
			world_send(w, e, SHH_POW, span_of(pow, shh_pow_write(pow, 900.0 - i))), OK);
		assert_true(peer_of(&w->end[e])->status.min_pow == 900.0 - i);
	}
	assert_int_equal(its->pauses, 0);
	for (unsigned i = 4; i < 800; i++)
		assert_int_equal(shh_recv(machine(), its->peer, SHH_POW,
					  span_of(pow, shh_pow_write(pow, 900.0 - i)), w->now_ms),
				 OK);
	world_settle(w);
	assert_true(its->pauses > 0);
	assert_true(its->pause_ms > w->now_ms && its->pause_ms <= w->now_ms + 5000);
	assert_true(peer_of(&w->end[e])->status.min_pow == 897.0);
	world_run(w, 5000);
	assert_true(peer_of(&w->end[e])->status.min_pow == 101.0); /* the latest */
	assert_false(its->gone);
}

/* Rewinds walk in portions: a millisecond looks at so many arrivals and no more. */
static void test_bounded_steps(void **state)
{
	static struct made m[250];
	struct world_end *a;
	uint8_t pow[9];
	uint64_t before;
	int from, e;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	a = guest_named(GETH19, 1e9, &e);
	for (unsigned k = 0; k < 80; k++) {
		for (unsigned i = 0; i < 250; i++)
			made_envelope(&m[i], world_now_s(w) + 500, 500, k, (uint8_t)i, 10,
				      SHH_DIGEST_SINGLE, 0);
		give(from, m, 250);
	}
	world_run(w, 100);
	assert_int_equal(machine()->pool.live, 20000);
	before = w->now_ms;
	assert_int_equal(shh_recv(machine(), world_other(w, e)->peer, SHH_POW,
				  span_of(pow, shh_pow_write(pow, 1e8)), w->now_ms),
			 OK);
	world_settle(w);
	assert_int_equal(machine()->steps, 0);
	assert_false(shh__cursor_at_end(&machine()->pool, &peer_of(a)->cursor));
	assert_int_equal(shh_deadline(machine()), before + 1);
	world_run(w, 1);
	assert_true(shh__cursor_at_end(&machine()->pool, &peer_of(a)->cursor));
	assert_true(shh_deadline(machine()) > w->now_ms + 1);
	assert_int_equal(end_envelopes(a, NULL), 0);
}

/* --- families ---------------------------------------------------------------------------------- */

static void test_names(void **state)
{
	static const struct {
		const char *client;
		enum shh_dialect dialect;
	} names[] = {
		{ GETH18, SHH_DIALECT_GETH18 },
		{ "Geth/mynode/v1.8.3-unstable/linux-amd64/go1.9", SHH_DIALECT_GETH18 },
		{ "Geth/v1.7.2-stable/linux-amd64/go1.8", SHH_DIALECT_GETH18 },
		{ GETH19, SHH_DIALECT_GETH19 },
		{ "Geth/v1.10.1-stable/linux-amd64/go1.16", SHH_DIALECT_GETH19 },
		{ "Statusd/v0.36.1/linux-amd64/go1.12", SHH_DIALECT_GETH19 },
		{ "StatusIM/v1/android-arm/go1.11", SHH_DIALECT_GETH19 },
		{ NIMBUS, SHH_DIALECT_NIMBUS },
		{ SOTTO, SHH_DIALECT_SOTTO },
		{ "wnode/v6.0/linux-amd64/go1.10", SHH_DIALECT_UNKNOWN },
		{ "Geth", SHH_DIALECT_UNKNOWN },
		{ "", SHH_DIALECT_UNKNOWN },
		{ NULL, SHH_DIALECT_UNKNOWN },
		/* a name is a hint: who says parity and sends four items is not parity */
		{ "Parity-Ethereum//v2.4.9-stable/x86_64-linux-gnu/rustc", SHH_DIALECT_UNKNOWN },
	};

	(void)state;
	node_plain();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int e;

		(void)guest_named(names[i].client, 0.2, &e);
		assert_int_equal(world_other(w, e)->dialect, names[i].dialect);
	}
	for (enum shh_dialect d = 0; d < SHH_DIALECTS; d++)
		assert_true(strlen(shh_dialect_name(d)) > 4);
}

/* What the form of Status says overrules a name. */
static void test_status_forms(void **state)
{
	static const uint8_t five[] = { 0xcd, 6,    0x88, 0x3f, 0xc9, 0x99, 0x99,
					0x99, 0x99, 0x99, 0x9a, 0x80, 0x80, 1 };
	int e;

	(void)state;
	node_plain();
	(void)guest_parity(&e);
	assert_int_equal(world_other(w, e)->dialect, SHH_DIALECT_PARITY);
	e = world_guest(w, 0, &(struct shh_peer_info){ .client = GETH18 });
	assert_int_equal(world_send(w, e, SHH_STATUS, span_of("\xc0", 1)), OK);
	assert_int_equal(world_other(w, e)->dialect, SHH_DIALECT_PARITY);
	e = world_guest(w, 0, &(struct shh_peer_info){ .client = GETH18 });
	assert_int_equal(world_send(w, e, SHH_STATUS, span_of(five, sizeof(five))), OK);
	assert_int_equal(world_other(w, e)->dialect, SHH_DIALECT_GETH19);
}

/* A peer of unknown family: nothing that could cost the connection, for 5 s; then
 * 1.9's rule is assumed, and what was held back follows. */
static void test_unknown_waits(void **state)
{
	static struct made m[2];
	struct world_end *a, *any, *its;
	uint64_t now = world_now_s(w);
	int from, e;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	a = guest_named("wnode/v6.0", 0.01, &e);
	any = guest_named("wnode/v6.0", 0, NULL);
	its = world_other(w, e);
	made_envelope(&m[0], now + 50, 50, 1, 1, 100, SHH_DIGEST_SINGLE, 0.02);
	made_envelope(&m[1], now + 50, 50, 1, 2, 100, SHH_DIGEST_DOUBLE, 0.02);
	give(from, m, 2);
	world_run(w, 4999);
	assert_int_equal(end_envelopes(a, NULL), 0);
	assert_int_equal(end_envelopes(any, NULL), 2); /* a minimum of 0 is met under every rule */
	assert_int_equal(its->dialect, SHH_DIALECT_UNKNOWN);
	world_run(w, 1);
	assert_int_equal(its->dialect, SHH_DIALECT_GETH19);
	assert_int_equal(its->dialects, 1);
	assert_int_equal(end_envelopes(a, &m[0]), 1);
	assert_int_equal(end_envelopes(a, NULL), 1);
}

/* Its own envelopes tell the family at once. */
static void test_evidence(void **state)
{
	static struct made m[5];
	struct world_end *a;
	uint64_t now = world_now_s(w);
	int from, e;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	for (uint8_t i = 0; i < 5; i++)
		made_envelope(&m[i], now + 50, 50, 1, i, 100,
			      i < 1 ? SHH_DIGEST_SINGLE : SHH_DIGEST_DOUBLE, 0.2);
	give(from, m, 2);
	a = guest_named("wnode/v6.0", 0.1, &e);
	assert_int_equal(end_envelopes(a, NULL), 0);
	give(e, &m[2], 1);
	assert_int_equal(world_other(w, e)->dialect, SHH_DIALECT_GETH18);
	world_run(w, 5);
	assert_int_equal(end_envelopes(a, &m[1]), 1);
	assert_int_equal(end_envelopes(a, NULL), 1);
	/* and overrule a name, when there are two of them */
	a = guest_named(GETH19, 0.1, &e);
	assert_int_equal(end_envelopes(a, &m[0]), 1);
	give(e, &m[3], 1);
	assert_int_equal(world_other(w, e)->dialect, SHH_DIALECT_GETH19);
	give(e, &m[4], 1);
	assert_int_equal(world_other(w, e)->dialect, SHH_DIALECT_GETH18);
	world_run(w, 10);
	assert_int_equal(end_envelopes(a, &m[1]), 1);
}

/* A disconnect right after our first envelopes was about them: the caller is told
 * the other family, and with it the peer gets the other form. */
static void test_flip(void **state)
{
	static struct made m[2];
	struct world_end *its;
	uint64_t now = world_now_s(w);
	int from, e;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	made_envelope(&m[0], now + 90, 90, 1, 1, 100, SHH_DIGEST_SINGLE, 0.2);
	made_envelope(&m[1], now + 90, 90, 1, 2, 100, SHH_DIGEST_DOUBLE, 0.2);
	give(from, m, 2);
	(void)guest_named("wnode/v6.0", 0.1, &e);
	its = world_other(w, e);
	world_run(w, 5100);
	assert_int_equal(its->dialect, SHH_DIALECT_GETH19);
	assert_int_equal(end_envelopes(&w->end[e], &m[0]), 1);
	world_run(w, 900);
	world_unlink(w, e);
	assert_int_equal(its->dialect, SHH_DIALECT_GETH18);
	assert_int_equal(its->dialects, 2);
	e = world_guest(
		w, 0,
		&(struct shh_peer_info){ .client = "wnode/v6.0", .dialect = SHH_DIALECT_GETH18 });
	world_hello(w, e, 0.1);
	assert_int_equal(end_envelopes(&w->end[e], &m[1]), 1);
	assert_int_equal(end_envelopes(&w->end[e], NULL), 1);
	/* one that stayed longer than that left for other reasons */
	world_run(w, 5001);
	its = world_other(w, e);
	its->dialects = 0;
	world_unlink(w, e);
	assert_int_equal(its->dialects, 0);
	assert_int_equal(machine()->peer_count, 1);
}

/* Between our own nodes the form that came is sent on, whichever it is. */
static void test_sotto_any_form(void **state)
{
	static struct made m[2];
	struct world_end *a;
	uint64_t now = world_now_s(w);
	int from;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0.1, &from);
	a = guest_named(SOTTO, 0.1, NULL);
	made_envelope(&m[0], now + 50, 50, 1, 1, 100, SHH_DIGEST_SINGLE, 0.2);
	made_envelope(&m[1], now + 50, 50, 1, 2, 100, SHH_DIGEST_DOUBLE, 0.2);
	give(from, m, 2);
	assert_int_equal(end_envelopes(a, NULL), 2);
	assert_true(span_eq(
		span_of(a->in[a->in_count - 1].blob->data, a->in[a->in_count - 1].blob->len),
		made_packet(m, 2)));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_work_margin),	   TEST(test_blooms),	     TEST(test_extreme_blooms),
		TEST(test_times),	   TEST(test_parity_limits), TEST(test_one_byte_codes),
		TEST(test_light),	   TEST(test_rewind),	     TEST(test_update_flood),
		TEST(test_bounded_steps),  TEST(test_names),	     TEST(test_status_forms),
		TEST(test_unknown_waits),  TEST(test_evidence),	     TEST(test_flip),
		TEST(test_sotto_any_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
