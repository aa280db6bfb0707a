/* SPDX-License-Identifier: MIT */
/* Whole nodes, joined: messages travel, the story of a link is told in order,
 * whatever pieces the streams come in. */
#include "tests/nodes.h"

#include "tests/vectors.h"

static const size_t chunks[] = { 0, 1, 7, 64, 1000, 20000 };
#define CHUNKS (sizeof(chunks) / sizeof(chunks[0]))

static void two_nodes_exchange_messages(void **state)
{
	(void)state;
	for (size_t c = 0; c < CHUNKS; c++) {
		struct nodes t;

		nodes_open(&t, 2, 100 + c, chunks[c]);
		nodes_listen(&t, 0);
		nodes_listen(&t, 1);
		nodes_join(&t, 0, 1);
		assert_true(nodes_until_ready(&t, 0, 1, 5000));
		assert_true(nodes_until_ready(&t, 1, 1, 5000));
		nodes_post(&t, 0, "from the one that dialled");
		nodes_post(&t, 1, "from the one that was dialled");
		nodes_run(&t, 20000);
		for (uint32_t i = 0; i < 2; i++) {
			assert_int_equal(nodes_heard(&t, i, "from the one that dialled"), 1);
			assert_int_equal(nodes_heard(&t, i, "from the one that was dialled"), 1);
		}
		nodes_close(&t);
	}
}

static void messages_cross_the_middle(void **state)
{
	struct nodes t;

	(void)state;
	nodes_open(&t, 4, 1, 0);
	for (uint32_t i = 0; i < 3; i++)
		nodes_join(&t, i, i + 1);
	assert_true(nodes_until_ready(&t, 1, 2, 5000));
	assert_true(nodes_until_ready(&t, 2, 2, 5000));
	nodes_listen(&t, 3);
	nodes_post(&t, 0, "hello");
	nodes_run(&t, 5000);
	assert_int_equal(nodes_heard(&t, 3, "hello"), 1);
	nodes_close(&t);
}

/* Each link at each host but one that was killed: steps in order, then DOWN. */
static void check_story(const struct nodes *t, uint32_t but)
{
	int reached[4][64];

	memset(reached, 0xff, sizeof(reached));
	for (size_t i = 0; i < t->count; i++) {
		const struct nodes_event *e = &t->ev[i];
		int *at;

		if ((e->type != NODE_EV_STEP && e->type != NODE_EV_DOWN) || e->host == but)
			continue;
		assert_in_range(e->link, 0, 63);
		at = &reached[e->host][e->link];
		if (e->type == NODE_EV_STEP) {
			assert_int_equal((int)e->step, *at + 1);
			*at = (int)e->step;
			assert_true(e->has_id == (e->step >= NODE_STEP_IDENTIFIED));
		} else {
			assert_int_equal((int)e->step, *at < 0 ? 0 : *at);
			*at = -1;
		}
	}
}

static void the_story_of_a_link_is_in_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct nodes t;

		nodes_open(&t, 4, seed, chunks[seed % CHUNKS]);
		for (uint32_t a = 0; a < 4; a++)
			for (uint32_t b = 0; b < 4; b++)
				if (a != b && (a + b + seed) % 3)
					nodes_join(&t, a, b);
		nodes_run(&t, 1 + seed * 7);
		sim_kill(t.w, (uint32_t)(seed % 4));
		nodes_run(&t, 20000);
		assert_int_equal(sim_start(t.w, (uint32_t)(seed % 4)), OK);
		nodes_run(&t, 60000);
		sim_stop(t.w, (uint32_t)((seed + 1) % 4));
		nodes_run(&t, 5000);
		check_story(&t, (uint32_t)(seed % 4));
		nodes_close(&t);
	}
}

/* The same bytes in other pieces: the same events at each node. */
static void pieces_change_nothing(void **state)
{
	char first[4096] = "", other[4096];

	(void)state;
	for (size_t c = 0; c < CHUNKS; c++) {
		struct nodes t;
		size_t len = 0;

		nodes_open(&t, 2, 7, chunks[c]);
		nodes_listen(&t, 1);
		nodes_join(&t, 0, 1);
		assert_true(nodes_until_ready(&t, 1, 1, 10000));
		nodes_run(&t, 3000);
		nodes_post(&t, 0, "one");
		nodes_run(&t, 3000);
		nodes_post(&t, 0, "two");
		nodes_run(&t, 3000);
		sim_stop(t.w, 0);
		nodes_run(&t, 3000);
		for (uint32_t host = 0; host < 2; host++)
			for (size_t i = 0; i < t.count; i++)
				if (t.ev[i].host == host)
					len += (size_t)snprintf(
						other + len, sizeof(other) - len,
						"%u:%d/%d/%u/%zu ", host, (int)t.ev[i].type,
						(int)t.ev[i].step, t.ev[i].reason, t.ev[i].len);
		if (c == 0)
			memcpy(first, other, sizeof(first));
		else
			assert_string_equal(first, other);
		nodes_close(&t);
	}
}

/* --- back-pressure ------------------------------------------------------------------ */

static void post_many(struct nodes *t, uint32_t host, unsigned count)
{
	char text[40];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "message number %u", i);
		nodes_post(t, host, text);
		if (i % 64 == 63)
			nodes_run(t, 100); /* jobs under way are bounded */
	}
}

static size_t heard_all(const struct nodes *t, uint32_t host, unsigned count)
{
	char text[40];
	size_t n = 0;

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "message number %u", i);
		n += nodes_heard(t, host, text) == 1;
	}
	return n;
}

/* Through a line of 20 KB/s, with the socket full most of the time: all arrive,
 * once, and what waits stays bounded. */
static void a_slow_line_loses_nothing(void **state)
{
	struct sim_shape slow = { .delay_ms = 30, .rate = 20000, .chunk_max = 1400 };
	struct nodes t;

	(void)state;
	nodes_open(&t, 2, 3, 0);
	assert_int_equal(sim_shape(t.w, 0, 1, &slow), OK);
	nodes_listen(&t, 1);
	nodes_join(&t, 0, 1);
	assert_true(nodes_until_ready(&t, 0, 1, 5000));
	post_many(&t, 0, 1000);
	nodes_run(&t, 45000);
	assert_true(sim_mem(t.w, 0)->used[MEM_SEND] <= RLPX_SEND_HARD);
	assert_int_equal(heard_all(&t, 1, 1000), 1000);
	assert_int_equal(nodes_ready(&t, 0), 1);
	nodes_close(&t);
}

/* A peer that does not read at all is dropped after 20 s without progress (F4, F8). */
static void a_peer_that_stops_reading_is_dropped(void **state)
{
	struct sim_shape frozen = { .delay_ms = 1, .frozen = true };
	const struct nodes_event *down;
	struct nodes t;

	(void)state;
	nodes_open(&t, 2, 4, 0);
	nodes_join(&t, 0, 1);
	assert_true(nodes_until_ready(&t, 0, 1, 5000));
	assert_int_equal(sim_shape(t.w, 0, 1, &frozen), OK);
	nodes_run(&t, 45000);
	down = nodes_last(&t, 0, NODE_EV_DOWN);
	assert_non_null(down);
	assert_int_equal(down->err, ERR_TIMEOUT);
	nodes_close(&t);
}

/* --- a second capability --------------------------------------------------------------- */

static void send_extra(struct nodes *t, uint32_t host, uint32_t code, size_t len)
{
	struct node *n = nodes_at(t, host);
	struct blob *b;

	assert_int_equal(blob_new(&b, sim_mem(t->w, host), MEM_SEND, len), OK);
	memset(b->data, (int)code, len);
	assert_int_equal(node_send(n, 0, 0, code, b, nodes_now(t)), OK);
}

static void another_capability_shares_the_link(void **state)
{
	static const struct rlpx_capability cap = { .name = "abc", .version = 3, .length = 40 };
	struct node_config cfg;
	unsigned seen = 0;
	struct nodes t;

	(void)state;
	nodes_config(&cfg);
	cfg.extra = &cap;
	cfg.extra_count = 1;
	nodes_world(&t, 5, 333, 1);
	nodes_add(&t, &cfg, NULL);
	nodes_add(&t, &cfg, NULL);
	nodes_listen(&t, 1);
	nodes_join(&t, 0, 1);
	assert_true(nodes_until_ready(&t, 0, 1, 5000));
	assert_true(nodes_until_ready(&t, 1, 1, 5000));
	for (uint32_t i = 0; i < 40; i++)
		send_extra(&t, 0, i, i * 1000);
	nodes_post(&t, 0, "beside it");
	nodes_run(&t, 10000);
	for (size_t i = 0; i < t.count; i++) {
		const struct nodes_event *e = &t.ev[i];

		if (e->type != NODE_EV_MESSAGE)
			continue;
		assert_int_equal(e->host, 1);
		assert_int_equal(e->extra, 0);
		assert_int_equal(e->code, seen);
		assert_int_equal(e->len, seen * 1000);
		for (size_t j = 0; j < size_min(e->len, sizeof(e->payload)); j++)
			assert_int_equal(e->payload[j], seen);
		seen++;
	}
	assert_int_equal(seen, 40);
	assert_int_equal(nodes_heard(&t, 1, "beside it"), 1);
	node_disconnect(nodes_at(&t, 0), 0, RLPX_SUBPROTOCOL, nodes_now(&t));
	nodes_run(&t, 500);
	assert_int_equal(nodes_last(&t, 1, NODE_EV_DOWN)->reason, RLPX_SUBPROTOCOL);
	assert_true(nodes_last(&t, 1, NODE_EV_DOWN)->by_peer);
	nodes_close(&t);
}

/* --- leaving ------------------------------------------------------------------------------ */

static void stopping_says_goodbye_within_a_second(void **state)
{
	struct sim_shape frozen = { .delay_ms = 1, .frozen = true };
	uint64_t before;
	struct nodes t;

	(void)state;
	nodes_open(&t, 3, 6, 0);
	nodes_join(&t, 0, 1);
	nodes_join(&t, 0, 2);
	assert_true(nodes_until_ready(&t, 0, 2, 5000));
	assert_int_equal(sim_shape(t.w, 0, 2, &frozen), OK); /* this one will not hear it */
	before = nodes_now(&t);
	sim_stop(t.w, 0);
	nodes_run(&t, 3000);
	assert_null(sim_node(t.w, 0));
	assert_true(nodes_last(&t, 0, NODE_EV_STOPPED)->at_ms <= before + 1000);
	assert_int_equal(nodes_last(&t, 1, NODE_EV_DOWN)->reason, RLPX_QUITTING);
	assert_int_equal(nodes_events(&t, 0, NODE_EV_DOWN), 2);
	nodes_close(&t);
}

/* An idle node sleeps: between two pings there is nothing to do. */
static void an_idle_node_sleeps(void **state)
{
	struct nodes t;
	unsigned steps = 0;
	uint64_t until;

	(void)state;
	nodes_open(&t, 2, 8, 0);
	nodes_join(&t, 0, 1);
	assert_true(nodes_until_ready(&t, 0, 1, 5000));
	nodes_run(&t, 60000);
	until = nodes_now(&t) + 150000;
	while (sim_step(t.w, until))
		steps++;
	/* Ten pings and pongs each way: each an arrival, a turn and a turn more, and
	 * the deadlines that were put off. */
	assert_in_range(steps, 20, 400);
	nodes_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_nodes_exchange_messages),
		cmocka_unit_test(messages_cross_the_middle),
		cmocka_unit_test(the_story_of_a_link_is_in_order),
		cmocka_unit_test(pieces_change_nothing),
		cmocka_unit_test(a_slow_line_loses_nothing),
		cmocka_unit_test(a_peer_that_stops_reading_is_dropped),
		cmocka_unit_test(another_capability_shares_the_link),
		cmocka_unit_test(stopping_says_goodbye_within_a_second),
		cmocka_unit_test(an_idle_node_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
