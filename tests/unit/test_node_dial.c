/* SPDX-License-Identifier: MIT */
/* When we dial whom, and which of two crossing links stays (hardening P5, P6, P9). */
#include "tests/nodes.h"
#include "tests/solo.h"

#include "tests/vectors.h"

#define SECOND	  1000ull
#define MINUTE	  (60 * SECOND)
#define HOUR	  (60 * MINUTE)

/* --- P5: reconnects ------------------------------------------------------------------------ */

#define DIALS_MAX 256

struct dials {
	uint64_t at_ms[DIALS_MAX];
	struct endpoint to[DIALS_MAX];
	size_t count;
	enum err outcome;
};

static struct dials dials;

/* Every dial fails at once. */
static void fail_dials(struct solo *s, const struct node_event *ev)
{
	if (ev->type != NODE_EV_DIAL)
		return;
	assert_true(dials.count < DIALS_MAX);
	dials.at_ms[dials.count] = s->now_ms;
	dials.to[dials.count++] = ev->u.endpoint;
	node_dialled(s->node, ev->link, ERR_IO, s->now_ms);
}

static void name_static(struct solo *s, uint32_t number, struct endpoint at)
{
	struct enode e = raw_enode(s, number, at);

	assert_int_equal(node_peer_add(s->node, &e, NODE_STATIC, s->now_ms), OK);
}

static void failures_double_the_wait(void **state)
{
	static const struct {
		uint64_t first, max, for_ms;
	} v[] = {
		{ 35 * SECOND, HOUR, 24 * HOUR },
		{ SECOND, 30 * SECOND, 10 * MINUTE },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint64_t wait = v[i].first;
		struct solo s;

		memset(&dials, 0, sizeof(dials));
		solo_open(&s, NULL);
		s.on_event = fail_dials;
		name_static(&s, 1, i == 0 ? solo_at(60, 1, 1, 1) : solo_at(192, 168, 1, 1));
		solo_pass(&s, v[i].for_ms);
		assert_true(dials.count > 8);
		for (size_t d = 1; d < dials.count; d++) {
			uint64_t gap = dials.at_ms[d] - dials.at_ms[d - 1];

			assert_in_range(gap, wait, wait + wait / 4);
			wait = u64_min(wait * 2, v[i].max);
		}
		solo_close(&s);
	}
}

/* Two nodes with one seed each dial at different times: chance is at work. */
static void waits_are_not_in_step(void **state)
{
	uint64_t first[2] = { 0, 0 };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct solo s;

		memset(&dials, 0, sizeof(dials));
		solo_open(&s, NULL);
		s.on_event = fail_dials;
		for (unsigned j = 0; j < 1 + i; j++)
			name_static(&s, 1 + j, solo_at(60, 1, (uint8_t)j, 1));
		solo_pass(&s, 10 * MINUTE);
		for (size_t d = 0; d < dials.count; d++)
			if (ip_eq(&dials.to[d].ip, &dials.to[0].ip))
				first[i] += dials.at_ms[d];
		solo_close(&s);
	}
	assert_true(first[0] != first[1]);
}

static void a_host_is_dialled_once_in_35_seconds(void **state)
{
	struct solo s;

	(void)state;
	memset(&dials, 0, sizeof(dials));
	solo_open(&s, NULL);
	s.on_event = fail_dials;
	for (uint32_t i = 0; i < 4; i++) {
		struct endpoint at = solo_at(60, 1, 1, 1);

		at.tcp = (uint16_t)(30303 + i);
		name_static(&s, 1 + i, at);
	}
	solo_pass(&s, 20 * MINUTE);
	assert_true(dials.count > 10);
	for (size_t d = 1; d < dials.count; d++)
		assert_true(dials.at_ms[d] - dials.at_ms[d - 1] >= 35 * SECOND);
	for (size_t d = 0; d < 4; d++) /* and each has its turn */
		for (size_t e = 0; e < d; e++)
			assert_int_not_equal(dials.to[d].tcp, dials.to[e].tcp);
	solo_close(&s);
}

static void fourteen_dials_at_once(void **state)
{
	struct node_stats stats;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	for (uint32_t i = 0; i < 60; i++)
		name_static(&s, 1 + i, solo_at(60, 1, (uint8_t)i, 1));
	solo_pump(&s);
	assert_int_equal(s.dials, NODE_PENDING_MAX - NODE_PENDING_INBOUND);
	solo_pass(&s, 14900);
	assert_int_equal(s.dials, NODE_PENDING_MAX - NODE_PENDING_INBOUND);
	solo_pass(&s, 200); /* the driver said nothing: given up, and the next have their turn */
	assert_int_equal(s.dials, 2 * (NODE_PENDING_MAX - NODE_PENDING_INBOUND));
	assert_int_equal(s.closes, NODE_PENDING_MAX - NODE_PENDING_INBOUND);
	assert_int_equal(s.err, ERR_TIMEOUT);
	node_stats(s.node, &stats);
	assert_int_equal(stats.dial_failures, s.closes);
	solo_close(&s);
}

static void those_who_worked_before_come_first(void **state)
{
	struct pubkey id;
	struct enode e;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	e = raw_enode(&s, 40, solo_at(60, 1, 40, 1));
	id = e.id;
	node__guard_good(&s.node->guard, &id, &e.at.ip);
	for (uint32_t i = 0; i < 40; i++)
		name_static(&s, 1 + i, solo_at(60, 1, (uint8_t)(i + 1), 1));
	memset(&dials, 0, sizeof(dials));
	s.on_event = fail_dials;
	solo_pump(&s);
	assert_true(dials.count >= 1);
	assert_true(ip_eq(&dials.to[0].ip, &e.at.ip));
	solo_close(&s);
}

/* A link that worked for an hour and breaks: dialled again within seconds on a
 * LAN; outside, as soon as the guard allows, which is at once. */
static void a_settled_peer_is_dialled_again_soon(void **state)
{
	(void)state;
	for (unsigned lan = 0; lan < 2; lan++) {
		uint64_t broke;
		struct raw p;
		struct solo s;

		solo_open(&s, NULL);
		name_static(&s, 1, lan ? solo_lan(1) : solo_at(60, 1, 1, 1));
		solo_pump(&s);
		raw_answer(&p, &s, 1);
		solo_pump(&s);
		raw_status(&p);
		solo_pass(&s, HOUR);
		assert_int_equal(solo_peers(&s), 1);
		broke = s.now_ms;
		raw_end(&p);
		solo_pass(&s, 5 * SECOND);
		assert_int_equal(s.dials, 2);
		assert_true(s.dialled_ms - broke <= SECOND);
		raw_free(&p);
		solo_close(&s);
	}
}

/* One that drops us at once is not worth a storm. */
static void an_unsettled_peer_waits_its_guard(void **state)
{
	uint64_t first;
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	name_static(&s, 1, solo_at(60, 1, 1, 1));
	solo_pump(&s);
	first = s.dialled_ms;
	raw_answer(&p, &s, 1);
	solo_pump(&s);
	raw_status(&p);
	solo_pass(&s, 5 * SECOND);
	rlpx_close(p.conn, RLPX_TOO_MANY_PEERS, s.now_ms);
	solo_pass(&s, 34 * SECOND - 5 * SECOND);
	assert_int_equal(s.dials, 1);
	solo_pass(&s, 20 * SECOND);
	assert_int_equal(s.dials, 2);
	assert_true(s.dialled_ms - first >= 35 * SECOND);
	raw_free(&p);
	solo_close(&s);
}

static void a_probe_dials_once(void **state)
{
	struct node_config cfg;
	struct solo s;

	(void)state;
	node_config_init(&cfg);
	cfg.redial = false;
	memset(&dials, 0, sizeof(dials));
	solo_open(&s, &cfg);
	s.on_event = fail_dials;
	name_static(&s, 1, solo_lan(1));
	solo_pass(&s, HOUR);
	assert_int_equal(dials.count, 1);
	assert_int_equal(s.downs, 1);
	solo_close(&s);
}

static void removing_ends_dials_and_links(void **state)
{
	struct enode e;
	struct raw p;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	e = raw_enode(&s, 1, solo_lan(1));
	assert_int_equal(node_peer_remove(s.node, &e.id, NODE_STATIC, s.now_ms), ERR_NOT_FOUND);
	name_static(&s, 1, solo_lan(1));
	solo_pump(&s);
	assert_int_equal(node_peer_remove(s.node, &e.id, NODE_TRUSTED, s.now_ms), ERR_NOT_FOUND);
	assert_int_equal(node_peer_remove(s.node, &e.id, NODE_STATIC, s.now_ms), OK);
	solo_pass(&s, MINUTE); /* the dial that was under way is called off */
	assert_int_equal(s.dials, 1);
	assert_int_equal(s.closes, 1);
	name_static(&s, 1, solo_lan(1));
	solo_pump(&s);
	raw_answer(&p, &s, 1);
	solo_pump(&s);
	raw_status(&p);
	solo_pump(&s);
	assert_int_equal(node_peer_remove(s.node, &e.id, NODE_STATIC, s.now_ms), OK);
	solo_pass(&s, MINUTE);
	assert_true(p.closed && p.by_node);
	assert_int_equal(p.reason, RLPX_REQUESTED);
	assert_int_equal(s.dials, 2);
	raw_free(&p);
	solo_close(&s);
}

/* --- P9: addresses -------------------------------------------------------------------------- */

static void only_addresses_that_can_be_dialled(void **state)
{
	static const struct {
		const char *at;
		enum err err;
	} v[] = {
		{ "127.0.0.1:30303", OK },	{ "10.0.0.1:1", OK },
		{ "8.8.8.8:30303", OK },	{ "[2001:db8::1]:30303", OK },
		{ "[::1]:30303", OK },		{ "[fe80::1]:30303", OK },
		{ "8.8.8.8:0", ERR_ARG },	{ "0.0.0.0:30303", ERR_ARG },
		{ "224.0.0.1:30303", ERR_ARG }, { "255.255.255.255:30303", ERR_ARG },
		{ "[::]:30303", ERR_ARG },	{ "[ff02::1]:30303", ERR_ARG },
		{ "0.1.2.3:30303", ERR_ARG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct endpoint at = { .tcp = 0 };
		const char *why;
		struct enode e;
		struct solo s;

		assert_int_equal(endpoint_parse(&at, v[i].at, &why), OK);
		solo_open(&s, NULL);
		e = raw_enode(&s, 1, at);
		assert_int_equal(node_peer_add(s.node, &e, NODE_STATIC, s.now_ms), v[i].err);
		e.has_endpoint = false;
		assert_int_equal(node_peer_add(s.node, &e, NODE_STATIC, s.now_ms), ERR_ARG);
		assert_int_equal(node_peer_add(s.node, &e, NODE_TRUSTED, s.now_ms), OK);
		assert_int_equal(node_peer_add(s.node, &e, 0, s.now_ms), ERR_ARG);
		assert_int_equal(node_peer_add(s.node, &e, 4, s.now_ms), ERR_ARG);
		solo_pump(&s);
		assert_int_equal(s.dials, v[i].err == OK);
		solo_close(&s);
	}
}

static void a_thousand_static_peers_and_no_more(void **state)
{
	struct enode e;
	struct solo s;

	(void)state;
	solo_open(&s, NULL);
	for (uint32_t i = 0; i < NODE_STATIC_MAX; i++) {
		e = raw_enode(&s, 1, solo_lan(1));
		be32_store(e.id.b, i); /* nobody looks at the curve here */
		assert_int_equal(node_peer_add(s.node, &e, NODE_STATIC, s.now_ms), OK);
	}
	e = raw_enode(&s, 2, solo_lan(1));
	assert_int_equal(node_peer_add(s.node, &e, NODE_STATIC, s.now_ms), ERR_FULL);
	solo_close(&s);
}

/* --- P6: the race table ---------------------------------------------------------------------- */

/* Two of ours dial each other, the second so many ms after the first, over wires
 * of such a delay: one link stays, the same at both ends, and nothing moves any
 * more.  Both orders of keys, since who is 0 is the seed's choice. */
static void crossing_dials_leave_one_link(void **state)
{
	static const uint64_t delays[] = { 0, 1, 7, 40, 300 };
	static const uint64_t apart[] = { 0, 1, 2, 5, 10, 20, 30, 40, 60, 80, 100, 200, 500, 900 };

	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		for (size_t d = 0; d < sizeof(delays) / sizeof(delays[0]); d++) {
			for (size_t a = 0; a < sizeof(apart) / sizeof(apart[0]); a++) {
				struct node_config cfg;
				size_t downs[2];
				struct nodes t;

				nodes_world(&t, seed, seed % 2 ? 0 : 300, delays[d]);
				nodes_config(&cfg);
				nodes_add(&t, &cfg, NULL);
				nodes_add(&t, &cfg, NULL);
				nodes_join(&t, 0, 1);
				nodes_run(&t, apart[a]);
				nodes_join(&t, 1, 0);
				nodes_run(&t, 8000);
				assert_int_equal(nodes_ready(&t, 0), 1);
				assert_int_equal(nodes_ready(&t, 1), 1);
				downs[0] = nodes_events(&t, 0, NODE_EV_DOWN);
				downs[1] = nodes_events(&t, 1, NODE_EV_DOWN);
				assert_true(downs[0] <= 1 && downs[1] <= 1);
				nodes_run(&t, 20000);
				assert_int_equal(nodes_events(&t, 0, NODE_EV_DOWN), downs[0]);
				assert_int_equal(nodes_events(&t, 1, NODE_EV_DOWN), downs[1]);
				nodes_close(&t);
			}
		}
	}
}

/* Somebody with geth's rule, which is none: it keeps whichever link passed its
 * checks first and says 05 on the other.  However the two are interleaved, and
 * whoever's key is the greater, one link is left. */
static void crossing_dials_with_geth_leave_one_link(void **state)
{
	(void)state;
	for (uint32_t number = 1; number <= 8; number++) {
		for (unsigned order = 0; order < 4; order++) {
			struct raw out, in;
			struct solo s;

			solo_open(&s, NULL);
			name_static(&s, number, solo_lan(number));
			solo_pump(&s);
			raw_answer(&out, &s, number); /* our dial reached it, and ... */
			if (order == 1)
				solo_pump(&s);
			assert_int_equal(raw_connect(&in, &s, number), OK); /* ... it dialled us */
			if (order == 2)
				raw_speak(&in);
			if (order == 3) {
				raw_speak(&in);
				solo_speak(&s);
				raw_speak(&in);
			}
			/* Step by step; the first with a Hello is kept, the other refused. */
			for (unsigned i = 0; i < 20; i++) {
				solo_drain(&s);
				solo_speak(&s);
				raw_speak(order % 2 ? &out : &in);
				raw_speak(order % 2 ? &in : &out);
				if (out.hello && !in.closed && !out.closed)
					rlpx_close(in.conn, RLPX_ALREADY_CONNECTED, s.now_ms);
				else if (in.hello && !out.closed && !in.closed)
					rlpx_close(out.conn, RLPX_ALREADY_CONNECTED, s.now_ms);
			}
			solo_pass(&s, 1500);
			assert_int_equal(out.closed + in.closed, 1);
			raw_status(out.closed ? &in : &out);
			solo_pass(&s, 10000);
			assert_int_equal(out.closed + in.closed, 1);
			assert_int_equal(solo_peers(&s), 1);
			raw_free(&out);
			raw_free(&in);
			solo_close(&s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_double_the_wait),
		cmocka_unit_test(waits_are_not_in_step),
		cmocka_unit_test(a_host_is_dialled_once_in_35_seconds),
		cmocka_unit_test(fourteen_dials_at_once),
		cmocka_unit_test(those_who_worked_before_come_first),
		cmocka_unit_test(a_settled_peer_is_dialled_again_soon),
		cmocka_unit_test(an_unsettled_peer_waits_its_guard),
		cmocka_unit_test(a_probe_dials_once),
		cmocka_unit_test(removing_ends_dials_and_links),
		cmocka_unit_test(only_addresses_that_can_be_dialled),
		cmocka_unit_test(a_thousand_static_peers_and_no_more),
		cmocka_unit_test(crossing_dials_leave_one_link),
		cmocka_unit_test(crossing_dials_with_geth_leave_one_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
