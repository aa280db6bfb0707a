/* SPDX-License-Identifier: MIT */
/* Who gets a place: pending links, hosts and subnets, full nodes, eviction
 * (hardening H1, H7, P1, P2, and the reasons 03, 04, 05, 0a). */
#include "tests/solo.h"

#include "tests/vectors.h"

/* --- by address ------------------------------------------------------------------------ */

static enum err knock(struct solo *s, struct endpoint from)
{
	uint32_t link;

	return node_accept(s->node, &link, &from, s->now_ms);
}

static void a_host_has_two_links_a_subnet_four(void **state)
{
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	assert_int_equal(knock(&s, solo_at(192, 0, 2, 1)), OK);
	assert_int_equal(knock(&s, solo_at(192, 0, 2, 1)), OK);
	assert_int_equal(knock(&s, solo_at(192, 0, 2, 1)), ERR_FLOOD);
	assert_int_equal(knock(&s, solo_at(192, 0, 2, 2)), OK);
	assert_int_equal(knock(&s, solo_at(192, 0, 2, 3)), OK);
	assert_int_equal(knock(&s, solo_at(192, 0, 2, 4)), ERR_FLOOD);
	assert_int_equal(knock(&s, solo_at(192, 0, 3, 4)), OK);
	assert_int_equal(solo_links(&s), 5);
	solo_pass(&s, 11000); /* none of them said a word */
	assert_int_equal(solo_links(&s), 0);
	assert_int_equal(s.closes, 5);
	solo_close(&s);
}

static void the_lan_is_exempt_unless_told_otherwise(void **state)
{
	struct node_config cfg;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	for (unsigned i = 0; i < NODE_PENDING_INBOUND; i++)
		assert_int_equal(knock(&s, solo_at(127, 0, 0, 1)), OK);
	solo_close(&s);
	node_config_init(&cfg);
	cfg.lan_exempt = false;
	solo_open(&s, &cfg);
	assert_int_equal(knock(&s, solo_at(127, 0, 0, 1)), OK);
	assert_int_equal(knock(&s, solo_at(127, 0, 0, 1)), OK);
	assert_int_equal(knock(&s, solo_at(127, 0, 0, 1)), ERR_FLOOD);
	solo_close(&s);
}

static void netrestrict_holds_for_both_directions(void **state)
{
	struct cidr_list nets;
	struct node_config cfg;
	struct enode inside, outside;
	const char *why;
	struct solo s;

	(void)state;
	assert_int_equal(cidr_list_parse(&nets, "10.1.0.0/16", &why), OK);
	node_config_init(&cfg);
	cfg.netrestrict = &nets;
	solo_open(&s, &cfg);
	memset(&nets, 0, sizeof(nets)); /* it was copied */
	assert_int_equal(knock(&s, solo_at(10, 1, 2, 3)), OK);
	assert_int_equal(knock(&s, solo_at(10, 2, 2, 3)), ERR_FLOOD);
	outside = raw_enode(&s, 7, solo_at(10, 2, 0, 1));
	assert_int_equal(node_peer_add(s.node, &outside, NODE_STATIC, s.now_ms), OK);
	solo_pass(&s, 5000);
	assert_int_equal(s.dials, 0);
	inside = raw_enode(&s, 8, solo_at(10, 1, 0, 1));
	assert_int_equal(node_peer_add(s.node, &inside, NODE_STATIC, s.now_ms), OK);
	solo_pump(&s);
	assert_int_equal(s.dials, 1);
	solo_close(&s);
}

/* H1: 50 silent ones, then one more: the oldest goes; if none is silent, the
 * newcomer does. */
static void the_oldest_silent_link_is_reclaimed(void **state)
{
	struct raw p[NODE_PENDING_INBOUND];
	uint8_t byte = 1;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	for (unsigned i = 0; i < NODE_PENDING_INBOUND; i++) {
		s.now_ms++;
		assert_int_equal(raw_connect(&p[i], &s, i), OK);
	}
	raw_give(&p[0], &byte, 1);
	assert_int_equal(knock(&s, solo_lan(200)), OK);
	solo_drain(&s);
	assert_int_equal(s.closes, 1);
	assert_true(p[0].accepted);
	assert_false(p[1].accepted);
	for (unsigned i = 2; i < NODE_PENDING_INBOUND; i++)
		raw_give(&p[i], &byte, 1);
	assert_int_equal(knock(&s, solo_lan(201)), OK); /* instead of number 200 */
	solo_drain(&s);
	assert_int_equal(s.closes, 2);
	for (uint32_t link = 0; link < SOLO_RAWS; link++)
		if (!s.raw[link])
			node_recv(s.node, link, &byte, 1, s.now_ms);
	assert_int_equal(knock(&s, solo_lan(202)), ERR_TOO_MANY);
	assert_int_equal(solo_links(&s), NODE_PENDING_INBOUND);
	for (unsigned i = 0; i < NODE_PENDING_INBOUND; i++)
		raw_free(&p[i]);
	solo_close(&s);
}

/* H1 at large: ten thousand silent connections, and honest ones all get in. */
static void a_flood_of_silent_links_keeps_nobody_out(void **state)
{
	struct solo s;
	unsigned in = 0;

	(void)state;
	solo_open(&s, NULL);
	for (unsigned round = 0; round < 100; round++) {
		struct raw p;

		for (unsigned i = 0; i < 100; i++) {
			assert_int_equal(knock(&s, solo_lan(i)), OK);
			solo_drain(&s);
		}
		assert_int_equal(raw_connect(&p, &s, 1000 + round), OK);
		solo_pump(&s);
		in += p.hello;
		raw_end(&p);
		solo_pump(&s);
		raw_free(&p);
		s.now_ms += 100;
	}
	assert_int_equal(in, 100);
	assert_true(solo_links(&s) <= NODE_PENDING_INBOUND);
	solo_close(&s);
}

/* --- by identity ---------------------------------------------------------------------------- */

/* Connect and shake hands; how it ended, or RLPX_REASON_UNKNOWN if it is up. */
static unsigned visit(struct raw *p, struct solo *s, uint32_t number, struct endpoint from)
{
	assert_int_equal(raw_connect_from(p, s, number, from, "sotto/test"), OK);
	solo_pump(s);
	if (!p->closed)
		raw_status(p);
	solo_pump(s);
	return p->closed ? p->reason : RLPX_REASON_UNKNOWN;
}

static void inbound_peers_leave_a_third_of_the_places(void **state)
{
	struct node_config cfg;
	struct raw p[8];
	struct solo s;

	(void)state;
	node_config_init(&cfg);
	cfg.max_peers = 6;
	solo_open(&s, &cfg);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(visit(&p[i], &s, 10 + i, solo_lan(i)), RLPX_REASON_UNKNOWN);
	for (unsigned i = 4; i < 8; i++) {
		assert_int_equal(visit(&p[i], &s, 10 + i, solo_lan(i)), RLPX_TOO_MANY_PEERS);
		assert_true(p[i].by_node);
	}
	assert_int_equal(solo_peers(&s), 4);
	for (unsigned i = 0; i < 8; i++)
		raw_free(&p[i]);
	solo_close(&s);
}

static void named_peers_come_on_top(void **state)
{
	struct node_config cfg;
	struct raw p[4];
	struct enode e;
	struct solo s;

	(void)state;
	node_config_init(&cfg);
	cfg.max_peers = 1;
	solo_open(&s, &cfg);
	e = raw_enode(&s, 11, solo_lan(11));
	e.has_endpoint = false;
	assert_int_equal(node_peer_add(s.node, &e, NODE_TRUSTED, s.now_ms), OK);
	assert_int_equal(visit(&p[0], &s, 10, solo_lan(10)), RLPX_REASON_UNKNOWN);
	assert_int_equal(visit(&p[1], &s, 11, solo_lan(11)), RLPX_REASON_UNKNOWN);
	assert_int_equal(visit(&p[2], &s, 12, solo_lan(12)), RLPX_TOO_MANY_PEERS);
	e = raw_enode(&s, 13, solo_lan(13));
	assert_int_equal(node_peer_add(s.node, &e, NODE_STATIC, s.now_ms), OK);
	solo_pump(&s);
	assert_int_equal(s.dials, 1);
	raw_answer(&p[3], &s, 13);
	solo_pump(&s);
	assert_false(p[3].closed);
	assert_int_equal(solo_peers(&s), 3);
	/* No longer trusted: it stays, but the next time it would not get in. */
	e = raw_enode(&s, 11, solo_lan(11));
	assert_int_equal(node_peer_remove(s.node, &e.id, NODE_TRUSTED, s.now_ms), OK);
	solo_pump(&s);
	assert_false(p[1].closed);
	raw_end(&p[1]);
	solo_pump(&s);
	raw_free(&p[1]);
	assert_int_equal(visit(&p[1], &s, 11, solo_lan(11)), RLPX_TOO_MANY_PEERS);
	for (unsigned i = 0; i < 4; i++)
		raw_free(&p[i]);
	solo_close(&s);
}

static void one_link_for_each_identity(void **state)
{
	struct raw a, b;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	assert_int_equal(visit(&a, &s, 5, solo_lan(1)), RLPX_REASON_UNKNOWN);
	solo_pass(&s, 15000); /* not crossing any more */
	assert_int_equal(visit(&b, &s, 5, solo_lan(2)), RLPX_ALREADY_CONNECTED);
	assert_false(a.closed);
	raw_free(&b);
	/* Two of one direction never cross, however close together. */
	assert_int_equal(visit(&b, &s, 5, solo_lan(1)), RLPX_ALREADY_CONNECTED);
	assert_false(a.closed);
	assert_int_equal(solo_peers(&s), 1);
	raw_free(&a);
	raw_free(&b);
	solo_close(&s);
}

/* A peer that restarted is let in although its old link looks alive, once that
 * one has not answered for longer than a Ping may take. */
static void a_restarted_peer_takes_its_old_place(void **state)
{
	struct raw a, b;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	assert_int_equal(visit(&a, &s, 5, solo_lan(1)), RLPX_REASON_UNKNOWN);
	s.raw[a.link] = NULL; /* it is gone, without a word */
	solo_pass(&s, 21000);
	assert_int_equal(solo_peers(&s), 1);
	assert_int_equal(visit(&b, &s, 5, solo_lan(1)), RLPX_REASON_UNKNOWN);
	assert_true(b.hello);
	assert_int_equal(solo_peers(&s), 1);
	assert_int_equal(s.reason, RLPX_PING_TIMEOUT);
	a.accepted = false;
	raw_free(&a);
	raw_free(&b);
	solo_close(&s);
}

static void we_are_nobody_elses_peer(void **state)
{
	struct raw p;
	struct enode e;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	e = raw_enode(&s, 0, solo_lan(1));
	assert_int_equal(node_peer_add(s.node, &e, NODE_STATIC, s.now_ms), ERR_SELF);
	assert_int_equal(visit(&p, &s, 0, solo_lan(1)), RLPX_SELF);
	assert_int_equal(solo_links(&s), 0);
	raw_free(&p);
	solo_close(&s);
}

/* H7: whom we dialled must be there. */
static void another_identity_than_dialled_fails(void **state)
{
	struct enode e;
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	e = raw_enode(&s, 3, solo_lan(3));
	assert_int_equal(node_peer_add(s.node, &e, NODE_STATIC, s.now_ms), OK);
	solo_pump(&s);
	raw_answer(&p, &s, 4);
	solo_pump(&s);
	assert_false(p.hello);
	assert_int_equal(solo_peers(&s), 0);
	solo_pass(&s, 11000);
	assert_true(s.downs >= 1);
	raw_free(&p);
	solo_close(&s);
}

static void no_capability_in_common_is_useless(void **state)
{
	static const struct rlpx_capability eth = { .name = "eth", .version = 63, .length = 17 };
	struct rlpx_config rc = { .client = "x", .version = 5, .caps = &eth, .cap_count = 1 };
	struct endpoint from = solo_lan(1);
	uint32_t link;
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	memset(&p, 0, sizeof(p));
	p.s = &s;
	p.key = solo_key(1);
	rc.key = &p.key;
	rc.crypto = s.crypto;
	rc.mem = &s.theirs;
	rc.rng = s.rng;
	assert_int_equal(rlpx_host_new(&p.host, &rc, s.now_ms), OK);
	assert_int_equal(node_accept(s.node, &link, &from, s.now_ms), OK);
	raw_bind(&p, link);
	assert_int_equal(rlpx_dial(&p.conn, p.host, node_pubkey(s.node), false, s.now_ms), OK);
	solo_pump(&s);
	assert_true(p.closed);
	/* Both find out at the same moment; either may be the one to say so. */
	assert_int_equal(p.reason, RLPX_USELESS);
	assert_int_equal(solo_peers(&s), 0);
	solo_pass(&s, 2000);
	assert_int_equal(solo_links(&s), 0);
	raw_free(&p);
	solo_close(&s);
}

/* --- a full node -------------------------------------------------------------------------------- */

/* P2: sixteen from subnets of their own fill the inbound places; number seventeen
 * gets in, and one of the young goes. */
static void a_full_node_evicts_for_a_newcomer(void **state)
{
	struct node_config cfg;
	struct raw p[18];
	unsigned gone = 0;
	struct solo s;

	(void)state;
	node_config_init(&cfg);
	cfg.max_peers = 24;
	solo_open(&s, &cfg);
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(visit(&p[i], &s, 10 + i, solo_at(60, 0, (uint8_t)i, 1)),
				 RLPX_REASON_UNKNOWN);
		s.now_ms += 100;
	}
	assert_int_equal(visit(&p[16], &s, 30, solo_at(60, 0, 99, 1)), RLPX_REASON_UNKNOWN);
	assert_int_equal(solo_peers(&s), 16);
	for (unsigned i = 0; i < 16; i++) {
		gone += p[i].closed;
		assert_true(!p[i].closed || p[i].reason == RLPX_TOO_MANY_PEERS);
	}
	assert_int_equal(gone, 1);
	for (unsigned i = 0; i < 17; i++)
		raw_free(&p[i]);
	solo_close(&s);
}

/* P1 as a matrix: whatever share of the world's subnets an attacker holds and
 * however often it comes, it cannot have more than its share of what is open,
 * and those whom we dialled stay. */
static void an_attacker_cannot_take_what_we_dialled(void **state)
{
	struct node_config cfg;
	struct raw dialled[2], p[60];
	unsigned subnet = 0;
	struct solo s;

	(void)state;
	node_config_init(&cfg);
	cfg.max_peers = 20;
	solo_open(&s, &cfg);
	for (unsigned i = 0; i < 2; i++) {
		struct enode e = raw_enode(&s, 5 + i, solo_at(70, 0, (uint8_t)i, 1));

		assert_int_equal(node_peer_add(s.node, &e, NODE_STATIC, s.now_ms), OK);
		solo_pump(&s);
		raw_answer(&dialled[i], &s, 5 + i);
		solo_pump(&s);
		raw_status(&dialled[i]);
		solo_pump(&s);
	}
	for (unsigned i = 0; i < 60; i++, subnet += i % 4 == 0) {
		enum err err =
			raw_connect_from(&p[i], &s, 100 + i,
					 solo_at(60, 0, (uint8_t)subnet, (uint8_t)i), "attacker");

		assert_true(err == OK || err == ERR_FLOOD);
		solo_pump(&s);
		if (p[i].hello && !p[i].closed)
			raw_status(&p[i]);
		solo_pass(&s, 2500);
	}
	assert_false(dialled[0].closed || dialled[1].closed);
	assert_true(solo_peers(&s) <= 2 + 14);
	for (unsigned i = 0; i < 60; i++)
		raw_free(&p[i]);
	for (unsigned i = 0; i < 2; i++)
		raw_free(&dialled[i]);
	solo_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_has_two_links_a_subnet_four),
		cmocka_unit_test(the_lan_is_exempt_unless_told_otherwise),
		cmocka_unit_test(netrestrict_holds_for_both_directions),
		cmocka_unit_test(the_oldest_silent_link_is_reclaimed),
		cmocka_unit_test(a_flood_of_silent_links_keeps_nobody_out),
		cmocka_unit_test(inbound_peers_leave_a_third_of_the_places),
		cmocka_unit_test(named_peers_come_on_top),
		cmocka_unit_test(one_link_for_each_identity),
		cmocka_unit_test(a_restarted_peer_takes_its_old_place),
		cmocka_unit_test(we_are_nobody_elses_peer),
		cmocka_unit_test(another_identity_than_dialled_fails),
		cmocka_unit_test(no_capability_in_common_is_useless),
		cmocka_unit_test(a_full_node_evicts_for_a_newcomer),
		cmocka_unit_test(an_attacker_cannot_take_what_we_dialled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
