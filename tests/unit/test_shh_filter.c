/* SPDX-License-Identifier: MIT */
/* Filters: who gets what, in which order keys are tried, how much of it in a turn
 * (hardening W6, W7), and what real peers sealed, opened by the whole machine.
 */
#include "tests/shh_one_world.h"
#include "tests/shh_vectors.h"

#include <stdlib.h>

#include "shh/filter.h"

static void node(void)
{
	struct shh_config cfg;

	world_config(&cfg);
	cfg.min_pow = 0;
	world_node(w, 0, &cfg);
}

static struct shh *machine(void)
{
	return w->node[0].shh;
}

static size_t heard_by(uint32_t filter)
{
	size_t n = 0;

	for (size_t i = 0; i < w->heard_count; i++)
		n += w->heard[i].filter == filter;
	return n;
}

static void post(uint8_t key, uint32_t topic, const char *text)
{
	(void)world_post(w, 0, key, topic, text, 500, 0);
}

static int guest(void)
{
	int e = world_guest(w, 0, &(struct shh_peer_info){ .client = "sotto/1", .host_key = 9 });

	world_hello(w, e, 0);
	return e;
}

/* --- which filter -------------------------------------------------------------------- */

static void test_topics_and_keys(void **state)
{
	const uint32_t a[] = { 1 }, b[] = { 2, 3, 2 };
	uint32_t one, both, all, other;

	(void)state;
	node();
	one = world_filter(w, 0, 7, a, 1);
	both = world_filter(w, 0, 7, b, 3);
	all = world_filter(w, 0, 7, NULL, 0);
	other = world_filter(w, 0, 8, NULL, 0);
	post(7, 1, "a");
	post(7, 2, "b");
	post(7, 3, "c");
	post(7, 4, "d");
	post(8, 1, "e");
	assert_int_equal(heard_by(one), 1);
	assert_int_equal(heard_by(both), 2); /* a topic named twice counts once */
	assert_int_equal(heard_by(all), 4);
	assert_int_equal(heard_by(other), 1);
	assert_int_equal(world_count(w, 0, "a"), 2);
	assert_int_equal(world_count(w, 0, "e"), 1);
	assert_int_equal(w->heard_count, 8);
	assert_int_equal(machine()->stats.opened, 8);
	assert_int_equal(shh_filter_remove(machine(), all, w->now_ms), OK);
	assert_int_equal(shh_filter_remove(machine(), all, w->now_ms), ERR_NOT_FOUND);
	post(7, 1, "f");
	assert_int_equal(heard_by(all), 4);
	assert_int_equal(heard_by(one), 2);
}

/* A key is one, and tried once for an envelope, however many filters share it. */
static void test_keys_shared(void **state)
{
	uint32_t last = 0;
	int64_t before;

	(void)state;
	node();
	for (unsigned i = 0; i < 1000; i++)
		last = world_filter(w, 0, 7, NULL, 0);
	before = machine()->filters->budget.credit;
	post(9, 1, "nobody's");
	/* one try of one key: well below what a thousand would cost */
	assert_true(before - machine()->filters->budget.credit < 1000 * 1000);
	post(7, 1, "for all of them");
	assert_int_equal(heard_by(last), 1);
	assert_int_equal(world_count(w, 0, "for all of them"), 1000);
}

static void test_signer_and_work(void **state)
{
	struct symkey key;
	struct seckey alice, bob;
	struct pubkey alice_pub;
	struct shh_filter f = { .sym = &key };
	struct shh_post p = { .sym = &key, .direct = -1, .ttl_s = 50 };
	uint32_t from_alice, anybody, hard, id;

	(void)state;
	node();
	memset(key.b, 5, sizeof(key.b));
	assert_int_equal(seckey_generate(w->node[0].crypto, &alice, &w->node[0].rng), OK);
	assert_int_equal(seckey_generate(w->node[0].crypto, &bob, &w->node[0].rng), OK);
	assert_int_equal(pubkey_of(w->node[0].crypto, &alice_pub, &alice), OK);
	assert_int_equal(shh_filter_add(machine(), &anybody, &f, w->now_ms), OK);
	f.signer = &alice_pub;
	assert_int_equal(shh_filter_add(machine(), &from_alice, &f, w->now_ms), OK);
	f.signer = NULL;
	f.min_pow = 0.2;
	assert_int_equal(shh_filter_add(machine(), &hard, &f, w->now_ms), OK);
	p.payload = span_of("x", 1);
	p.sign = &alice;
	assert_int_equal(shh_post(machine(), &id, &p, w->now_ms), OK);
	p.sign = &bob;
	p.pow = 0.25;
	assert_int_equal(shh_post(machine(), &id, &p, w->now_ms), OK);
	p.sign = NULL;
	p.pow = 0;
	assert_int_equal(shh_post(machine(), &id, &p, w->now_ms), OK);
	world_settle(w);
	assert_int_equal(heard_by(anybody), 3);
	assert_int_equal(heard_by(from_alice), 1);
	assert_int_equal(heard_by(hard), 1);
	for (size_t i = 0; i < w->heard_count; i++)
		assert_true(w->heard[i].filter != hard || w->heard[i].pow >= 0.25);
}

static void test_asymmetric(void **state)
{
	struct seckey alice, bob;
	struct pubkey alice_pub;
	struct shh_filter f = { .key = &alice };
	struct shh_post p = { .to = &alice_pub, .direct = -1, .payload = span_of("hi", 2) };
	uint32_t mine, his, id;

	(void)state;
	node();
	assert_int_equal(seckey_generate(w->node[0].crypto, &alice, &w->node[0].rng), OK);
	assert_int_equal(seckey_generate(w->node[0].crypto, &bob, &w->node[0].rng), OK);
	assert_int_equal(pubkey_of(w->node[0].crypto, &alice_pub, &alice), OK);
	assert_int_equal(shh_filter_add(machine(), &mine, &f, w->now_ms), OK);
	f.key = &bob;
	assert_int_equal(shh_filter_add(machine(), &his, &f, w->now_ms), OK);
	(void)world_filter(w, 0, 7, NULL, 0);
	p.sign = &bob;
	for (unsigned form = 0; form < 2; form++) {
		p.form = form == 0 ? SHH_FORM_GETH : SHH_FORM_PARITY;
		assert_int_equal(shh_post(machine(), &id, &p, w->now_ms), OK);
	}
	world_run(w, 100);
	assert_int_equal(heard_by(mine), 2);
	assert_int_equal(heard_by(his), 0);
	assert_int_equal(w->heard_count, 2);
}

static void test_refusals(void **state)
{
	struct symkey key = { { 1 } };
	struct seckey zero = { { 0 } };
	struct pubkey bad;
	struct shh_filter f = { .sym = &key, .key = &zero };
	uint32_t id;

	(void)state;
	node();
	memset(bad.b, 0xff, sizeof(bad.b));
	assert_int_equal(shh_filter_add(machine(), &id, &f, w->now_ms), ERR_ARG);
	f.sym = NULL;
	assert_int_equal(shh_filter_add(machine(), &id, &f, w->now_ms), ERR_KEY);
	f.key = NULL;
	assert_int_equal(shh_filter_add(machine(), &id, &f, w->now_ms), ERR_ARG);
	f.sym = &key;
	f.signer = &bad;
	assert_int_equal(shh_filter_add(machine(), &id, &f, w->now_ms), ERR_KEY);
	f.signer = NULL;
	f.min_pow = -1;
	assert_int_equal(shh_filter_add(machine(), &id, &f, w->now_ms), ERR_ARG);
	f.min_pow = 0;
	f.topic_count = SHH__TOPICS_MAX + 1;
	assert_int_equal(shh_filter_add(machine(), &id, &f, w->now_ms), ERR_ARG);
	f.topic_count = 0;
	w->node[0].mem.fail_after = 0;
	assert_int_equal(shh_filter_add(machine(), &id, &f, w->now_ms), ERR_MEM);
	w->node[0].mem.fail_after = UINT64_MAX;
	assert_int_equal(shh_filter_add(machine(), &id, &f, w->now_ms), OK);
	assert_int_equal(shh_filter_remove(machine(), 0, w->now_ms), ERR_NOT_FOUND);
	assert_int_equal(shh_filter_remove(machine(), UINT32_MAX, w->now_ms), ERR_NOT_FOUND);
}

/* Filters run out at their cap, and memory at its account's. */
static void test_caps(void **state)
{
	struct symkey key = { { 1 } };
	struct shh_filter f = { .sym = &key };
	uint32_t *ids = calloc(SHH_FILTERS_MAX + 1, sizeof(*ids));

	(void)state;
	assert_non_null(ids);
	node();
	for (uint32_t i = 0; i < SHH_FILTERS_MAX; i++)
		assert_int_equal(shh_filter_add(machine(), &ids[i], &f, w->now_ms), OK);
	assert_int_equal(shh_filter_add(machine(), &ids[SHH_FILTERS_MAX], &f, w->now_ms), ERR_FULL);
	assert_int_equal(shh_filter_remove(machine(), ids[5], w->now_ms), OK);
	assert_int_equal(shh_filter_add(machine(), &ids[SHH_FILTERS_MAX], &f, w->now_ms), OK);
	assert_true(ids[5] != ids[SHH_FILTERS_MAX]);
	assert_int_equal(shh_filter_remove(machine(), ids[5], w->now_ms), ERR_NOT_FOUND);
	free(ids);
}

/* --- when ------------------------------------------------------------------------------- */

/* What was there before a filter comes to it as well, once, whatever was pooled,
 * filled, added or removed in between. */
static void test_catches_up(void **state)
{
	uint32_t first, second = 0, third;
	char text[] = "m00";

	(void)state;
	node();
	first = world_filter(w, 0, 7, NULL, 0);
	for (unsigned i = 0; i < 50; i++) {
		text[1] = (char)('0' + i / 10);
		text[2] = (char)('0' + i % 10);
		post(7, i % 5, text);
		if (i == 20)
			second = world_filter(w, 0, 7, NULL, 0);
	}
	{
		const uint32_t topics[] = { 3 };

		third = world_filter(w, 0, 7, topics, 1);
	}
	world_run(w, 10);
	assert_int_equal(heard_by(first), 50);
	assert_int_equal(heard_by(second), 50);
	assert_int_equal(heard_by(third), 10);
	assert_int_equal(w->heard_count, 110);
	/* a second place in the log is no second message */
	for (uint32_t i = 0; i < 50; i++)
		assert_true(shh__pool_again(&machine()->pool, i));
	(void)world_filter(w, 0, 7, NULL, 0);
	world_run(w, 10);
	assert_int_equal(w->heard_count, 160);
	assert_int_equal(machine()->filters->behind, 0);
}

/* Filters that come while others catch up wait for the next pass. */
static void test_passes(void **state)
{
	uint32_t id[20];

	(void)state;
	node();
	for (unsigned i = 0; i < 300; i++)
		post(7, 1, "old");
	for (unsigned i = 0; i < 20; i++) {
		struct shh_event ev;
		struct symkey key;
		struct shh_filter f = { .sym = &key };

		memset(key.b, 7, sizeof(key.b));
		assert_int_equal(shh_filter_add(machine(), &id[i], &f, w->now_ms), OK);
		for (unsigned k = 0; k < 10; k++) { /* not to the end */
			if (!shh_poll(machine(), &ev))
				break;
			assert_int_equal(ev.type, SHH_EV_MESSAGE);
			w->heard[w->heard_count].filter = ev.u.message.filter;
			w->heard[w->heard_count++].node = 0;
		}
		if (i % 3 == 0)
			assert_int_equal(shh_filter_remove(machine(), id[i], w->now_ms), OK);
	}
	/* more than the test's own table holds: count by hand */
	for (unsigned turns = 0; turns < 100; turns++) {
		struct shh_event ev;

		while (shh_poll(machine(), &ev)) {
			assert_int_equal(ev.type, SHH_EV_MESSAGE);
			assert_true(w->heard_count < WORLD_HEARD);
			w->heard[w->heard_count].filter = ev.u.message.filter;
			w->heard[w->heard_count++].node = 0;
		}
		shh_tick(machine(), w->now_ms += 10);
	}
	for (unsigned i = 0; i < 20; i++)
		if (i % 3 != 0)
			assert_int_equal(heard_by(id[i]), 300);
}

/* W6: keys are tried for a fifth of a core, and nothing is lost by it. */
static void test_budget(void **state)
{
	uint32_t wanted;
	uint64_t start;
	size_t first;

	(void)state;
	node();
	for (unsigned i = 1; i <= 200; i++) /* each key is a try for each envelope */
		(void)world_filter(w, 0, (uint8_t)i, NULL, 0);
	wanted = world_filter(w, 0, 201, NULL, 0);
	{
		struct shh_event ev;

		for (unsigned i = 0; i < 1000; i++) {
			struct symkey key;
			struct shh_post p = { .sym = &key, .ttl_s = 500, .direct = -1 };
			uint32_t id;

			memset(key.b, 201, sizeof(key.b));
			p.payload = span_of("x", 1);
			assert_int_equal(shh_post(machine(), &id, &p, w->now_ms), OK);
			while (shh_poll(machine(), &ev))
				if (ev.type == SHH_EV_MESSAGE)
					w->heard[w->heard_count++].filter = ev.u.message.filter;
		}
	}
	first = w->heard_count;
	/* 10 ms of trying at 0.4 µs a key, 200 of them for each */
	assert_true(first > 50 && first < 200);
	assert_true(shh_deadline(machine()) <= w->now_ms + 2);
	start = w->now_ms;
	while (heard_by(wanted) < 1000)
		world_run(w, 1);
	/* some 900 times 80 µs is 70 ms of work: a fifth of a core needs five times that */
	assert_true(w->now_ms - start > 200 && w->now_ms - start < 600);
	assert_int_equal(w->heard_count, 1000);
}

/* While a message is between two polls, its filter, its key and its envelope may
 * go, and others may come. */
static void test_removed_meanwhile(void **state)
{
	uint32_t id[6];
	struct shh_event ev;

	(void)state;
	node();
	for (unsigned round = 0; round < 6; round++) {
		unsigned got = 0;

		for (unsigned i = 0; i < 6; i++) {
			struct symkey key;
			struct shh_filter f = { .sym = &key };

			memset(key.b, 7, sizeof(key.b));
			assert_int_equal(shh_filter_add(machine(), &id[i], &f, w->now_ms), OK);
		}
		{
			struct symkey key;
			struct shh_post p = { .sym = &key, .ttl_s = 500, .direct = -1 };
			uint32_t posted;

			memset(key.b, 7, sizeof(key.b));
			p.payload = span_of("x", 1);
			assert_int_equal(shh_post(machine(), &posted, &p, w->now_ms), OK);
		}
		do {
			assert_true(shh_poll(machine(), &ev));
		} while (ev.type != SHH_EV_MESSAGE);
		got++;
		/* the one that had it, and the next one, go; the last round all do */
		for (unsigned i = 0; i < (round < 5 ? 2 : 6); i++)
			assert_int_equal(shh_filter_remove(machine(), id[i], w->now_ms), OK);
		if (round == 3) /* many new topics: the index is built anew */
			for (unsigned i = 0; i < 500; i++) {
				const uint32_t topics[] = { i };
				struct symkey key;
				struct shh_topic t = world_topic(topics[0]);
				struct shh_filter f = { .sym = &key, .topics = &t };
				uint32_t other;

				memset(key.b, 99, sizeof(key.b));
				f.topic_count = 1;
				assert_int_equal(shh_filter_add(machine(), &other, &f, w->now_ms),
						 OK);
			}
		if (round == 4) /* the envelope itself goes */
			shh__pool_expire(&machine()->pool, WORLD_START_S + 10000);
		for (unsigned turns = 0; turns < 20; turns++) {
			while (shh_poll(machine(), &ev))
				got += ev.type == SHH_EV_MESSAGE &&
				       ev.u.message.filter >= id[2] && /* not the older ones */
				       (ev.u.message.filter == id[2] ||
					ev.u.message.filter == id[3] ||
					ev.u.message.filter == id[4] ||
					ev.u.message.filter == id[5]);
			shh_tick(machine(), ++w->now_ms);
		}
		if (round < 4) { /* all four that are left, and what was there before */
			assert_int_equal(got, 1 + 4 * (round + 1));
		}
		for (unsigned i = 2; i < 6 && round < 5; i++)
			assert_int_equal(shh_filter_remove(machine(), id[i], w->now_ms), OK);
	}
}

/* --- direct messages ------------------------------------------------------------------------ */

static struct span direct_packet(struct world_node *from, uint8_t key, const char *text)
{
	static uint8_t raw[2048];
	struct symkey k;
	struct shh_plain m = { .payload = span_of(text, strlen(text)) };
	uint8_t plain[512], data[600], content[700];
	struct aes_gcm *gcm;
	size_t len, content_len;

	memset(k.b, key, sizeof(k.b));
	assert_int_equal(
		shh_plain_write(plain, &len, sizeof(plain), &m, NULL, from->crypto, &from->rng),
		OK);
	assert_int_equal(aes_gcm_new(&gcm, k.b), OK);
	assert_int_equal(shh_encrypt_sym(data, span_of(plain, len), gcm, &from->rng), OK);
	aes_gcm_free(gcm);
	/* long expired, without work: neither matters to a direct message */
	content_len = shh_content_write(content, sizeof(content), 1000, 50, world_topic(1),
					span_of(data, len + SHH_SYM_OVERHEAD));
	assert_true(content_len > 0);
	len = shh_envelope_write(raw, span_of(content, content_len), 0);
	return span_of(raw, len);
}

static void test_direct(void **state)
{
	struct symkey key;
	struct shh_filter f = { .sym = &key };
	uint32_t yes, no;
	uint8_t list[4200];
	struct rlp_writer wr = rlp_writer_init(list, sizeof(list));
	struct span one;
	size_t at;
	int e;

	(void)state;
	node();
	memset(key.b, 7, sizeof(key.b));
	assert_int_equal(shh_filter_add(machine(), &no, &f, w->now_ms), OK);
	f.direct = true;
	assert_int_equal(shh_filter_add(machine(), &yes, &f, w->now_ms), OK);
	e = guest();
	one = direct_packet(&w->node[0], 7, "direct");
	assert_int_equal(world_send(w, e, SHH_P2P_MESSAGE, one), OK);
	assert_int_equal(w->heard_count, 0); /* not trusted: unread */
	shh_peer_trust(machine(), world_other(w, e)->peer, true);
	assert_int_equal(world_send(w, e, SHH_P2P_MESSAGE, one), OK);
	assert_int_equal(heard_by(yes), 1);
	assert_int_equal(heard_by(no), 0);
	assert_true(w->heard[0].direct);
	assert_int_equal(w->heard[0].sent_s, 950);
	assert_int_equal(machine()->pool.live, 0); /* never pooled, never relayed */
	at = rlp_list_begin(&wr);		   /* Status sends lists */
	for (unsigned i = 0; i < 3; i++)
		rlp_write_raw(&wr, one.data, one.len);
	rlp_list_end(&wr, at);
	assert_int_equal(world_send(w, e, SHH_P2P_MESSAGE, span_of(list, wr.len)), OK);
	assert_int_equal(heard_by(yes), 4);
	assert_int_equal(world_send(w, e, SHH_P2P_MESSAGE, span_of("\xc0", 1)), OK);
	shh_peer_trust(machine(), world_other(w, e)->peer, false);
	assert_int_equal(world_send(w, e, SHH_P2P_MESSAGE, one), OK);
	assert_int_equal(heard_by(yes), 4);
	shh_peer_trust(machine(), world_other(w, e)->peer, true);
	assert_int_equal(world_send(w, e, SHH_P2P_MESSAGE, span_of("\xc1\x01", 2)), ERR_ENVELOPE);
	assert_true(world_other(w, e)->gone);
}

/* From one machine to another, addressed: code 127 and nobody else. */
static void test_direct_post(void **state)
{
	struct symkey key;
	struct shh_post p = { .sym = &key, .payload = span_of("just you", 8), .ttl_s = 50 };
	uint32_t id;
	int e;

	(void)state;
	for (int n = 0; n < 3; n++)
		world_node(w, n, NULL);
	e = world_link(w, 0, "sotto/1", 1, "sotto/1");
	(void)world_link(w, 1, "sotto/1", 2, "sotto/1");
	memset(key.b, 7, sizeof(key.b));
	(void)world_filter(w, 1, 7, NULL, 0);
	(void)world_filter(w, 2, 7, NULL, 0);
	p.direct = (int32_t)w->end[e].peer;
	p.pow = 0.01;
	shh_peer_trust(w->node[1].shh, world_other(w, e)->peer, true);
	assert_int_equal(shh_post(w->node[0].shh, &id, &p, w->now_ms), OK);
	world_run(w, 100);
	assert_int_equal(w->node[0].posted_count, 1);
	assert_int_equal(w->node[0].posted[0].err, OK);
	assert_int_equal(w->node[0].posted[0].id, id);
	assert_int_equal(world_count(w, 1, "just you"), 1);
	assert_int_equal(world_count(w, 2, "just you"), 0);
	assert_true(w->heard[0].direct && w->heard[0].pow >= 0.01);
	p.direct = 999;
	assert_int_equal(shh_post(w->node[0].shh, &id, &p, w->now_ms), ERR_NOT_FOUND);
}

/* Direct messages that are not polled are bounded. */
static void test_direct_flood(void **state)
{
	struct span one;
	uint32_t yes;
	int e;

	(void)state;
	node();
	yes = world_filter(w, 0, 7, NULL, 0);
	e = guest();
	shh_peer_trust(machine(), world_other(w, e)->peer, true);
	one = direct_packet(&w->node[0], 7, "direct");
	for (unsigned i = 0; i < SHH__DIRECT_MAX + 50; i++)
		assert_int_equal(shh_recv(machine(), world_other(w, e)->peer, SHH_P2P_MESSAGE, one,
					  w->now_ms),
				 OK);
	assert_int_equal(machine()->stats.dropped_full, 50);
	world_run(w, 100);
	assert_int_equal(heard_by(yes), SHH__DIRECT_MAX);
}

/* --- our own bloom ------------------------------------------------------------------------------ */

static struct shh_bloom sum_of(const uint32_t *topics, size_t count)
{
	struct shh_bloom sum = { { 0 } }, one;

	for (size_t i = 0; i < count; i++) {
		shh_bloom_of(&one, world_topic(topics[i]), SHH_BLOOM_EIP627);
		shh_bloom_add(&sum, &one);
	}
	return sum;
}

static struct shh_bloom last_bloom(const struct world_end *e)
{
	struct shh_bloom b = { { 0 } };

	for (size_t i = 0; i < e->in_count; i++)
		if (e->in[i].code == SHH_BLOOM)
			assert_int_equal(shh_bloom_read(&b, span_of(e->in[i].blob->data,
								    e->in[i].blob->len)),
					 OK);
	return b;
}

/* The sum of the filters' topics: wider at once, narrower after a while, and
 * everything as soon as one filter wants all topics. */
static void test_bloom_auto(void **state)
{
	const uint32_t topics[] = { 0x11111111, 0x22222222, 0x33333333 };
	struct shh_bloom expected;
	uint32_t id[3], all;
	struct world_end *e;
	int end;

	(void)state;
	node();
	end = guest();
	e = &w->end[end];
	shh_set_bloom_auto(machine(), true, w->now_ms);
	world_run(w, 10000); /* the first narrowing waits for filters to come */
	for (unsigned i = 0; i < 3; i++)
		id[i] = world_filter(w, 0, 7, &topics[i], 1);
	expected = sum_of(topics, 3);
	assert_memory_equal(last_bloom(e).b, expected.b, sizeof(expected.b));
	assert_memory_equal(machine()->bloom.b, expected.b, sizeof(expected.b));
	assert_int_equal(shh_filter_remove(machine(), id[2], w->now_ms), OK);
	world_settle(w);
	assert_memory_equal(last_bloom(e).b, expected.b, sizeof(expected.b));
	expected = sum_of(topics, 2);
	assert_memory_equal(machine()->bloom.b, expected.b, sizeof(expected.b));
	world_run(w, 10000);
	assert_memory_equal(last_bloom(e).b, expected.b, sizeof(expected.b));
	all = world_filter(w, 0, 7, NULL, 0);
	expected = last_bloom(e);
	assert_true(shh_bloom_is_full(&expected));
	assert_int_equal(shh_filter_remove(machine(), all, w->now_ms), OK);
	world_run(w, 10000);
	expected = sum_of(topics, 2);
	assert_memory_equal(last_bloom(e).b, expected.b, sizeof(expected.b));
	/* a post outside our own bloom is refused, as it would mark us as its origin */
	{
		struct symkey key = { { 1 } };
		struct shh_post p = { .sym = &key, .direct = -1 };
		uint32_t posted;

		p.topic = world_topic(0xdeadbeef);
		assert_int_equal(shh_post(machine(), &posted, &p, w->now_ms), ERR_BLOOM);
		p.topic = world_topic(topics[0]);
		assert_int_equal(shh_post(machine(), &posted, &p, w->now_ms), OK);
	}
	shh_set_bloom_auto(machine(), false, w->now_ms);
	world_settle(w);
	expected = last_bloom(e);
	assert_true(shh_bloom_is_full(&expected));
}

/* --- what real peers sealed -------------------------------------------------------------------------- */

struct counts {
	size_t shown, opened, keyed;
};

/* Give a recorded envelope to a machine that has its key: the payload that the
 * recording names comes out, under either layout. */
static void show_recorded(const json_t *e, const char *where, void *ctx)
{
	struct counts *c = ctx;
	struct span content = vec_content(e), payload;
	uint64_t expiry = vec_u64(e, "expiry"), ttl = vec_u64(e, "ttl");
	uint8_t nonce[8], packet[8192], hash[32];
	struct shh_config cfg;
	struct symkey sym;
	struct seckey key;
	struct shh_filter f = { .min_pow = 0 };
	struct rlp_writer wr = rlp_writer_init(packet, sizeof(packet));
	uint32_t id;
	int end;

	c->shown++;
	if (!vec_has(e, "key"))
		return;
	c->keyed++;
	world_config(&cfg);
	cfg.min_pow = 0;
	cfg.wall_offset_ms = ((int64_t)(expiry - ttl) - (int64_t)WORLD_START_S) * 1000;
	world_node(w, 0, &cfg);
	if (strcmp(vec_text(e, "encryption"), "symmetric") == 0) {
		vec_exact(e, "key", sym.b, sizeof(sym.b));
		f.sym = &sym;
	} else {
		vec_exact(e, "key", key.b, sizeof(key.b));
		f.key = &key;
	}
	assert_int_equal(shh_filter_add(machine(), &id, &f, w->now_ms), OK);
	end = guest();
	vec_exact(e, "nonce", nonce, sizeof(nonce));
	rlp_write_list(&wr, shh_envelope_size(content.len, be64_load(nonce)));
	assert_true(wr.len + shh_envelope_size(content.len, be64_load(nonce)) <= sizeof(packet));
	wr.len += shh_envelope_write(packet + wr.len, content, be64_load(nonce));
	assert_int_equal(world_send(w, end, SHH_MESSAGES, span_of(packet, wr.len)), OK);
	payload = vec_bytes(e, "payload");
	if (w->heard_count != 1)
		fail_msg("%s: %zu messages", where, w->heard_count);
	assert_int_equal(w->heard[0].len, size_min(payload.len, sizeof(w->heard[0].payload)));
	if (w->heard[0].len > 0)
		assert_memory_equal(w->heard[0].payload, payload.data, w->heard[0].len);
	vec_exact(e, "hash", hash, sizeof(hash));
	assert_memory_equal(machine()->filters->work.hash, hash, sizeof(hash));
	c->opened++;
	(void)teardown(NULL);
	(void)setup(NULL);
}

static void test_recorded(void **state)
{
	struct counts c = { 0 };

	(void)state;
	(void)sessions_each(show_recorded, &c);
	assert_int_equal(c.shown, SESSION_ENVELOPES);
	assert_int_equal(c.keyed, SESSION_OPENED);
	assert_int_equal(c.opened, SESSION_OPENED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_topics_and_keys),   TEST(test_keys_shared), TEST(test_signer_and_work),
		TEST(test_asymmetric),	      TEST(test_refusals),    TEST(test_caps),
		TEST(test_catches_up),	      TEST(test_passes),      TEST(test_budget),
		TEST(test_removed_meanwhile), TEST(test_direct),      TEST(test_direct_post),
		TEST(test_direct_flood),      TEST(test_bloom_auto),  TEST(test_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
