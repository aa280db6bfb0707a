/* SPDX-License-Identifier: MIT */
/* Relay: what goes to whom, when, in which packet; and how a peer's family is told. */
#include "tests/shh_world.h"
#include "tests/vectors.h"

#include <stdlib.h>

#include "shh/internal.h"

static struct world *w;

static int setup(void **state)
{
	(void)state;
	w = malloc(sizeof(*w));
	assert_non_null(w);
	world_init(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_fini(w);
	free(w);
	return 0;
}

static struct shh *machine(void)
{
	return w->node[0].shh;
}

static struct world_end *guest_named(const char *client, double min_pow, int *end)
{
	static uint64_t hosts = 1000;
	int e = world_guest(w, 0, &(struct shh_peer_info){ .client = client, .host_key = hosts++ });

	world_hello(w, e, min_pow);
	if (end != NULL)
		*end = e;
	return &w->end[e];
}

#define GETH18 "Geth/v1.8.27-stable-4bcc0a37/linux-amd64/go1.10"
#define GETH19 "Geth/v1.9.18-stable/linux-amd64/go1.14"
#define NIMBUS "nim-eth-p2p/0.2.0"
#define SOTTO  "sotto/0.1.0"

/* parity shows an empty Status. */
static struct world_end *guest_parity(int *end)
{
	int e = world_guest(w, 0, &(struct shh_peer_info){ .client = "Parity-network" });

	assert_int_equal(world_send(w, e, SHH_STATUS, span_of("\xc0", 1)), OK);
	if (end != NULL)
		*end = e;
	return &w->end[e];
}

static struct shh__peer *peer_of(const struct world_end *guest)
{
	return machine()->peers[w->end[guest->other].peer];
}

static void give(int from, const struct made *m, size_t count)
{
	assert_int_equal(world_send(w, from, SHH_MESSAGES, made_packet(m, count)), OK);
}

static void node_plain(void)
{
	struct shh_config cfg;

	world_config(&cfg);
	cfg.min_pow = 0;
	cfg.bridge = false;
	world_node(w, 0, &cfg);
}

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
		TEST(test_work_margin),
		TEST(test_blooms),
		TEST(test_extreme_blooms),
		TEST(test_times),
		TEST(test_parity_limits),
		TEST(test_one_byte_codes),
		TEST(test_light),
		TEST(test_rewind),
		TEST(test_update_flood),
		TEST(test_bounded_steps),
		TEST(test_names),
		TEST(test_status_forms),
		TEST(test_unknown_waits),
		TEST(test_evidence),
		TEST(test_flip),
		TEST(test_sotto_any_form),
		TEST(test_delay),
		TEST(test_post_age),
		TEST(test_no_memory_for_packet),
		TEST(test_many_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
