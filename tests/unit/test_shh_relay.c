/* SPDX-License-Identifier: MIT */
/* Relay: what goes to whom, when, and in which packet. */
#include "tests/shh_guests.h"

#include <stdlib.h>

/* --- who and when ----------------------------------------------------------------- */

/* At once, to everybody but the one it came from, in one shared packet. */
static void test_at_once_and_shared(void **state)
{
	static struct made m[3];
	struct world_end *to[12], *from;
	uint64_t now = world_now_s(w);
	int end;

	(void)state;
	node_plain();
	from = guest_named(GETH19, 0, &end);
	for (unsigned i = 0; i < 12; i++)
		to[i] = guest_named(GETH19, 0, NULL);
	for (uint8_t i = 0; i < 3; i++)
		made_envelope(&m[i], now + 50, 50, 1, i, 60, SHH_DIGEST_SINGLE, 0);
	give(end, m, 3);
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(end_packets(to[i], SHH_MESSAGES), 1);
		assert_int_equal(end_envelopes(to[i], NULL), 3);
		assert_int_equal(to[i]->in[to[i]->in_count - 1].ms, w->now_ms);
		/* the very same bytes */
		assert_ptr_equal(to[i]->in[to[i]->in_count - 1].blob,
				 to[0]->in[to[0]->in_count - 1].blob);
	}
	assert_int_equal(end_packets(from, SHH_MESSAGES), 0);
	/* the packet is what arrived, byte for byte */
	assert_true(span_eq(span_of(to[0]->in[to[0]->in_count - 1].blob->data,
				    to[0]->in[to[0]->in_count - 1].blob->len),
			    made_packet(m, 3)));
	/* what they bring back themselves goes nowhere */
	give(to[3]->other == end ? end : (int)(to[3] - w->end), m, 3);
	assert_int_equal(end_packets(from, SHH_MESSAGES), 0);
	world_run(w, 1000);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(end_packets(to[i], SHH_MESSAGES), 1);
}

/* A peer that joins later gets all that is there; nobody else gets it twice. */
static void test_late_joiner(void **state)
{
	static struct made m[200];
	struct world_end *a, *b;
	uint64_t now = world_now_s(w);
	int end;

	(void)state;
	node_plain();
	(void)guest_named(GETH19, 0, &end);
	a = guest_named(GETH19, 0, NULL);
	for (unsigned i = 0; i < 200; i++)
		made_envelope(&m[i], now + 50 + i / 100, 50, 1, (uint8_t)i, 60, SHH_DIGEST_SINGLE,
			      0);
	give(end, m, 200);
	world_run(w, 100);
	b = guest_named(GETH19, 0, NULL);
	world_run(w, 100);
	assert_int_equal(end_envelopes(a, NULL), 200);
	assert_int_equal(end_envelopes(b, NULL), 200);
	assert_int_equal(end_packets(b, SHH_MESSAGES), 1);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(end_envelopes(b, &m[i]), 1);
}

/* A slot's number comes again; what its former owner knew does not. */
static void test_slot_reused(void **state)
{
	static struct made m[1];
	uint32_t slot;
	int first, end;

	(void)state;
	node_plain();
	(void)guest_named(GETH19, 0, &end);
	made_envelope(m, world_now_s(w) + 50, 50, 1, 1, 60, SHH_DIGEST_SINGLE, 0);
	(void)guest_named(GETH19, 0, &first);
	slot = world_other(w, first)->peer;
	give(end, m, 1);
	assert_int_equal(end_envelopes(&w->end[first], m), 1);
	world_unlink(w, first);
	for (unsigned i = 0; i < 70; i++) { /* slots go round */
		int e = world_guest(w, 0, &(struct shh_peer_info){ .client = GETH19 });
		struct world_end *other = world_other(w, e);

		world_hello(w, e, 0);
		if (other->peer == slot) {
			assert_int_equal(end_envelopes(&w->end[e], m), 1);
			return;
		}
		world_unlink(w, e);
		for (size_t k = 0; k < w->end[e].in_count; k++)
			blob_unref(w->end[e].in[k].blob);
		w->end[e].in_count = 0;
		w->end[e].used = other->used = other->gone = w->end[e].gone = false;
		memset(other, 0, sizeof(*other));
		memset(&w->end[e], 0, sizeof(w->end[e]));
	}
	fail_msg("the slot never came again");
}

/* A second packet within the millisecond waits for the next one; the more is in
 * a packet, the longer the next one gathers, and all gather until one instant. */
static void test_gathering(void **state)
{
	static struct made m[120];
	struct world_end *a, *b;
	uint64_t now = world_now_s(w), first_ms;
	int end;

	(void)state;
	node_plain();
	w->now_ms = 4001;
	(void)guest_named(GETH19, 0, &end);
	a = guest_named(GETH19, 0, NULL);
	b = guest_named(GETH19, 0, NULL);
	for (unsigned i = 0; i < 120; i++)
		made_envelope(&m[i], now + 50, 50, 1 + i, (uint8_t)i, 60, SHH_DIGEST_SINGLE, 0);
	give(end, &m[0], 1);
	first_ms = w->now_ms;
	give(end, &m[1], 1);
	give(end, &m[2], 1);
	assert_int_equal(end_packets(a, SHH_MESSAGES), 1);
	assert_int_equal(shh_deadline(machine()), first_ms + 1);
	world_run(w, 1);
	assert_int_equal(end_packets(a, SHH_MESSAGES), 2);
	assert_int_equal(end_envelopes(a, NULL), 3);
	world_run(w, 10);
	give(end, &m[3], 100); /* a full turn: the next gathers up to 4 ms */
	assert_int_equal(end_envelopes(a, NULL), 103);
	first_ms = w->now_ms;
	give(end, &m[103], 1);
	assert_int_equal(end_envelopes(a, NULL), 103);
	world_run(w, 4);
	assert_int_equal(end_envelopes(a, NULL), 104);
	assert_int_equal(a->in[a->in_count - 1].ms % 4, 0);
	assert_true(a->in[a->in_count - 1].ms - first_ms <= SHH__GATHER_MAX_MS);
	assert_ptr_equal(a->in[a->in_count - 1].blob, b->in[b->in_count - 1].blob);
}

/* O3: bundles end at 128 KiB and follow each other at once; what is larger alone goes alone. */
static void test_bundles(void **state)
{
	static struct made m[80];
	static uint8_t big[200100];
	struct world_end *a;
	struct shh_config cfg;
	struct shh_topic topic = world_topic(5);
	struct rlp_writer wr;
	uint64_t now = world_now_s(w);
	size_t packets = 0, len;
	uint8_t *data;
	int end;

	(void)state;
	world_config(&cfg);
	cfg.min_pow = 0;
	cfg.pace = 0;
	world_node(w, 0, &cfg);
	(void)guest_named(GETH19, 0, &end);
	a = guest_named(GETH19, 0, NULL);
	for (unsigned i = 0; i < 80; i++)
		made_envelope(&m[i], now + 50, 50, 1, (uint8_t)i, 2048, SHH_DIGEST_SINGLE, 0);
	give(end, m, 80);
	assert_int_equal(end_envelopes(a, NULL), 80);
	for (size_t i = 0; i < a->in_count; i++) {
		if (a->in[i].code != SHH_MESSAGES)
			continue;
		packets++;
		assert_true(a->in[i].blob->len <= SHH_BUNDLE_MAX);
		assert_int_equal(a->in[i].ms, w->now_ms);
		if (packets == 1) /* filled as far as it goes */
			assert_true(a->in[i].blob->len > SHH_BUNDLE_MAX - 2200);
	}
	assert_int_equal(packets, 2);
	/* one of 200 kB */
	data = calloc(1, 200000);
	assert_non_null(data);
	wr = rlp_writer_init(big, sizeof(big));
	len = shh_content_write(big + 20, sizeof(big) - 20, now + 50, 50, topic,
				span_of(data, 199990));
	assert_true(len > 0);
	{
		uint8_t *packet = malloc(200100);
		struct span content;

		assert_non_null(packet);
		memcpy(data, big + 20, 10);
		content = span_of(big + 20, len);
		wr = rlp_writer_init(packet, 200100);
		rlp_write_list(&wr, shh_envelope_size(len, 9));
		wr.len += shh_envelope_write(packet + wr.len, content, 9);
		world_run(w, 10);
		assert_int_equal(world_send(w, end, SHH_MESSAGES, span_of(packet, wr.len)), OK);
		assert_int_equal(end_envelopes(a, NULL), 81);
		assert_int_equal(a->in[a->in_count - 1].blob->len, wr.len);
		free(packet);
	}
	free(data);
}

/* Back-pressure: no credit, no packet; and a packet never exceeds it, unless it
 * is a single envelope. */
static void test_credit(void **state)
{
	static struct made m[20];
	struct world_end *a, *its;
	uint64_t now = world_now_s(w);
	struct shh_event ev;
	int end, e;

	(void)state;
	node_plain();
	(void)guest_named(GETH19, 0, &end);
	a = guest_named(GETH19, 0, &e);
	its = world_other(w, e);
	for (unsigned i = 0; i < 20; i++)
		made_envelope(&m[i], now + 50, 50, 1, (uint8_t)i, 100, SHH_DIGEST_SINGLE, 0);
	shh_peer_credit(machine(), its->peer, 0, w->now_ms);
	give(end, m, 20);
	world_run(w, 500);
	assert_int_equal(end_packets(a, SHH_MESSAGES), 0);
	shh_peer_credit(machine(), its->peer, 500, w->now_ms);
	assert_true(shh_poll(machine(), &ev));
	assert_int_equal(ev.type, SHH_EV_SEND);
	assert_int_equal(ev.peer, its->peer);
	assert_true(ev.u.send.payload->len <= 505);
	assert_true(ev.u.send.payload->len > 300);
	blob_unref(ev.u.send.payload);
	/* there is a little left, so one more goes even if it is larger */
	assert_true(shh_poll(machine(), &ev) || shh_deadline(machine()) == w->now_ms + 1);
	shh_tick(machine(), ++w->now_ms);
	(void)shh_poll(machine(), &ev);
	if (ev.type == SHH_EV_SEND)
		blob_unref(ev.u.send.payload);
	shh_tick(machine(), w->now_ms += 10);
	assert_false(shh_poll(machine(), &ev));
	shh_peer_credit(machine(), its->peer, 1u << 20, w->now_ms);
	world_run(w, 20);
	assert_true(end_envelopes(a, NULL) >= 14);
}

/* Towards a geth no more than its pace, so that what it hands on in one packet
 * stays below a MiB; towards our own, as fast as it goes. */
static void test_pace(void **state)
{
	static struct made m[128];
	struct world_end *geth, *ours;
	struct shh_config cfg;
	size_t bytes[2] = { 0 };
	int end;

	(void)state;
	world_config(&cfg);
	cfg.min_pow = 0;
	cfg.pace = 100000;
	cfg.bridge = false;
	world_node(w, 0, &cfg);
	(void)guest_named(SOTTO, 0, &end);
	geth = guest_named(GETH19, 0, NULL);
	ours = guest_named(SOTTO, 0, NULL);
	for (unsigned i = 0; i < 128; i++)
		made_envelope(&m[i], world_now_s(w) + 50, 50, 1, (uint8_t)i, 2000,
			      SHH_DIGEST_SINGLE, 0);
	give(end, m, 128);
	assert_int_equal(end_envelopes(ours, NULL), 128);
	world_run(w, 1000);
	for (size_t i = 0; i < geth->in_count; i++)
		bytes[0] += geth->in[i].code == SHH_MESSAGES ? geth->in[i].blob->len : 0;
	assert_true(bytes[0] > 80000 && bytes[0] < 100000 + SHH_BUNDLE_MAX * 2);
	world_run(w, 3000);
	assert_int_equal(end_envelopes(geth, NULL), 128);
}

/* Who announces how many packets a second it bears gets no more of them. */
static void test_announced_rate(void **state)
{
	static const uint8_t six[] = { 0xc9, 6, 0x80, 0x80, 0x80, 1, 0xc3, 10, 5, 0x80 };
	static struct made m[30];
	struct world_end *a;
	uint64_t last = 0;
	int from, e;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	e = world_guest(w, 0, &(struct shh_peer_info){ .client = "Statusd/v0.36.1" });
	assert_int_equal(world_send(w, e, SHH_STATUS, span_of(six, sizeof(six))), OK);
	a = &w->end[e];
	for (unsigned i = 0; i < 30; i++) {
		made_envelope(&m[i], world_now_s(w) + 50, 50, i, (uint8_t)i, 60, SHH_DIGEST_SINGLE,
			      0);
		give(from, &m[i], 1);
		world_run(w, 50);
	}
	world_run(w, 400);
	assert_int_equal(end_envelopes(a, NULL), 30);
	assert_true(end_packets(a, SHH_MESSAGES) >= 7 && end_packets(a, SHH_MESSAGES) <= 10);
	for (size_t i = 0; i < a->in_count; i++) {
		if (a->in[i].code != SHH_MESSAGES)
			continue;
		assert_true(last == 0 || a->in[i].ms - last >= 200);
		last = a->in[i].ms;
	}
	/* the limit is lifted at run time (code 20) */
	assert_int_equal(world_send(w, e, SHH_RATE_LIMITS, span_of("\xc3\x80\x80\x80", 4)), OK);
	made_envelope(&m[0], world_now_s(w) + 50, 50, 99, 0, 60, SHH_DIGEST_SINGLE, 0);
	made_envelope(&m[1], world_now_s(w) + 50, 50, 99, 1, 60, SHH_DIGEST_SINGLE, 0);
	give(from, &m[0], 1);
	world_run(w, 5);
	give(from, &m[1], 1);
	world_run(w, 5);
	assert_int_equal(end_envelopes(a, NULL), 32);
}

/* Stored envelopes cost nothing while nothing happens (performance row 9). */
static void test_idle(void **state)
{
	static struct made m[256];
	uint32_t steps;
	struct shh_event ev;
	int end;

	(void)state;
	node_plain();
	(void)guest_named(GETH19, 0, &end);
	for (unsigned i = 0; i < 10; i++)
		(void)guest_named(GETH19, 0, NULL);
	for (unsigned k = 0; k < 8; k++) {
		for (unsigned i = 0; i < 256; i++)
			made_envelope(&m[i], world_now_s(w) + 1000, 1000, k, (uint8_t)i, 60,
				      SHH_DIGEST_SINGLE, 0);
		give(end, m, 256);
	}
	world_run(w, 20);
	assert_int_equal(machine()->pool.live, 2048);
	/* nothing to do until the first one expires, or a wheel moves inwards */
	assert_true(shh_deadline(machine()) >= w->now_ms + 100000);
	for (unsigned i = 0; i < 100; i++) {
		shh_tick(machine(), ++w->now_ms);
		steps = machine()->steps;
		assert_false(shh_poll(machine(), &ev));
		assert_int_equal(machine()->steps, steps); /* not one was looked at */
	}
}

/* --- privacy --------------------------------------------------------------------------------------- */

/* With a delay each envelope waits for each peer a random time of its own: the
 * mean is what was asked for, and the order is lost. */
static void test_delay(void **state)
{
	enum { COUNT = 200 };
	static struct made m[COUNT];
	struct world_end *to[2];
	struct shh_config cfg;
	uint64_t start;
	double sum = 0;
	unsigned swaps = 0, alike = 0;
	uint64_t at[2][COUNT];
	int from;

	(void)state;
	world_config(&cfg);
	cfg.min_pow = 0;
	cfg.delay_ms = 300;
	world_node(w, 0, &cfg);
	(void)guest_named(SOTTO, 0, &from);
	to[0] = guest_named(SOTTO, 0, NULL);
	to[1] = guest_named(SOTTO, 0, NULL);
	for (unsigned i = 0; i < COUNT; i++)
		made_envelope(&m[i], world_now_s(w) + 50, 50, i, (uint8_t)i, 60, SHH_DIGEST_SINGLE,
			      0);
	give(from, m, COUNT);
	start = w->now_ms;
	world_run(w, 8000);
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(end_envelopes(to[k], NULL), COUNT);
		for (unsigned i = 0; i < COUNT; i++)
			for (size_t p = 0; p < to[k]->in_count; p++) {
				struct world_end one = { .in_count = 1 };

				one.in[0].code = to[k]->in[p].code;
				one.in[0].blob = to[k]->in[p].blob;
				if (end_envelopes(&one, &m[i]) == 1)
					at[k][i] = to[k]->in[p].ms - start;
			}
	}
	for (unsigned i = 0; i < COUNT; i++) {
		sum += (double)at[0][i] + (double)at[1][i];
		alike += at[0][i] == at[1][i];
		swaps += i > 0 && at[0][i] < at[0][i - 1];
	}
	assert_true(sum / (2 * COUNT) > 220 && sum / (2 * COUNT) < 380);
	assert_true(alike < COUNT / 10);
	assert_true(swaps > COUNT / 3 && swaps < COUNT * 2 / 3);
}

/* W9: a post looks as old as what we relay, and leaves as what we relay does. */
static void test_post_age(void **state)
{
	static struct made m[64];
	struct world_end *a;
	unsigned old = 0;
	int from;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	a = guest_named(SOTTO, 0, NULL);
	for (unsigned i = 0; i < 64; i++) /* what it had stored says nothing */
		made_envelope(&m[i], world_now_s(w) + 30, 50, 1000 + i, (uint8_t)i, 60,
			      SHH_DIGEST_SINGLE, 0);
	give(from, m, 64);
	assert_int_equal(machine()->age_count, 0);
	world_run(w, 10000);
	for (unsigned i = 0; i < 64; i++) /* all were created 3 s before they came */
		made_envelope(&m[i], world_now_s(w) + 47, 50, i, (uint8_t)i, 60, SHH_DIGEST_SINGLE,
			      0);
	give(from, m, 64);
	world_run(w, 100);
	for (unsigned i = 0; i < 8; i++) {
		struct rlp_reader r, list;
		struct shh_envelope env;

		(void)world_post(w, 0, 1, 9, "text", 50, 0);
		world_run(w, 100);
		r = rlp_reader_init(a->in[a->in_count - 1].blob->data,
				    a->in[a->in_count - 1].blob->len);
		rlp_read_list(&r, &list);
		assert_int_equal(shh_envelope_read(&env, &list), OK);
		old += env.expiry - env.ttl == world_now_s(w) - 3;
	}
	assert_int_equal(old, 8);
}

/* --- scarcity ---------------------------------------------------------------------------------------- */

/* When there is no memory for a packet, it goes a little later. */
static void test_no_memory_for_packet(void **state)
{
	static struct made m[2];
	struct world_end *a;
	int from;

	(void)state;
	node_plain();
	(void)guest_named(SOTTO, 0, &from);
	a = guest_named(GETH19, 0, NULL);
	made_envelope(&m[0], world_now_s(w) + 50, 50, 1, 1, 60, SHH_DIGEST_SINGLE, 0);
	w->node[0].mem.cap[MEM_SEND] = 0;
	give(from, m, 1);
	world_run(w, 40);
	assert_int_equal(end_envelopes(a, NULL), 0);
	assert_int_equal(machine()->pool.live, 1);
	w->node[0].mem.cap[MEM_SEND] = 1u << 20;
	world_run(w, 60);
	assert_int_equal(end_envelopes(a, NULL), 1);
}

/* Slots run out at SHH_PEERS_MAX, and come back. */
static void test_many_peers(void **state)
{
	struct shh_peer_info info = { .client = GETH19 };
	uint32_t slot, last = 0;
	struct shh_event ev;
	bool *seen = calloc(SHH_PEERS_MAX, sizeof(*seen));

	(void)state;
	assert_non_null(seen);
	node_plain();
	for (uint32_t i = 0; i < SHH_PEERS_MAX; i++) {
		assert_int_equal(shh_peer_add(machine(), &slot, &info, w->now_ms), OK);
		assert_true(slot < SHH_PEERS_MAX && !seen[slot]);
		seen[slot] = true;
		last = slot;
	}
	assert_int_equal(shh_peer_add(machine(), &slot, &info, w->now_ms), ERR_FULL);
	shh_peer_remove(machine(), last, w->now_ms);
	assert_int_equal(shh_peer_add(machine(), &slot, &info, w->now_ms), OK);
	assert_int_equal(slot, last);
	while (shh_poll(machine(), &ev))
		if (ev.type == SHH_EV_SEND)
			blob_unref(ev.u.send.payload);
	shh_tick(machine(), w->now_ms += 5000); /* none of them ever said a word */
	for (unsigned n = 0; shh_poll(machine(), &ev); n++)
		assert_true(ev.type == SHH_EV_DROP && ev.u.drop.err == ERR_TIMEOUT);
	assert_int_equal(machine()->peer_count, 0);
	free(seen);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_at_once_and_shared),
		TEST(test_late_joiner),
		TEST(test_slot_reused),
		TEST(test_gathering),
		TEST(test_bundles),
		TEST(test_credit),
		TEST(test_pace),
		TEST(test_announced_rate),
		TEST(test_idle),
		TEST(test_delay),
		TEST(test_post_age),
		TEST(test_no_memory_for_packet),
		TEST(test_many_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
