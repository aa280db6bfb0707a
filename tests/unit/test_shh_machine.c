/* SPDX-License-Identifier: MIT */
/* Whole machines: meshes, posts and their ends, jobs, settings, two runs that must
 * be one, and every allocation refused in turn.
 */
#include "tests/shh_one_world.h"

#include "shh/internal.h"
#include <limits.h>

#define SOTTO  "sotto/0.1.0"
#define GETH18 "Geth/v1.8.27-stable/linux-amd64/go1.10"
#define GETH19 "Geth/v1.9.18-stable/linux-amd64/go1.14"

/* --- meshes ------------------------------------------------------------------------ */

/* Three in a row: what one end posts, the other opens, through the middle. */
static void test_line(void **state)
{
	const uint32_t topics[] = { 0x01020304 };

	(void)state;
	for (int i = 0; i < 3; i++)
		world_node(w, i, NULL);
	world_link(w, 0, SOTTO, 1, SOTTO);
	world_link(w, 1, SOTTO, 2, SOTTO);
	world_filter(w, 2, 7, topics, 1);
	world_post(w, 0, 7, 0x01020304, "over two hops", 50, 0.002);
	world_run(w, 50);
	assert_int_equal(w->node[0].posted_count, 1);
	assert_int_equal(w->node[0].posted[0].err, OK);
	assert_true(w->node[0].posted[0].pow >= 0.002);
	assert_int_equal(world_count(w, 2, "over two hops"), 1);
	assert_int_equal(w->heard_count, 1);
}

/* Eight, all linked with all, all families by name: everybody hears everybody,
 * once, and nobody ends a connection. */
static void test_mesh(void **state)
{
	static const char *const names[] = { SOTTO,  GETH18, GETH19, "nim-eth-p2p/0.2",
					     GETH18, GETH19, SOTTO,  GETH19 };
	char text[] = "from 0";

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct shh_config cfg;

		world_config(&cfg);
		cfg.min_pow = 0.2;
		world_node(w, i, &cfg);
		(void)world_filter(w, i, 7, NULL, 0);
	}
	for (int a = 0; a < 8; a++)
		for (int b = a + 1; b < 8; b++)
			(void)world_link(w, a, names[a], b, names[b]);
	for (int i = 0; i < 8; i++) {
		text[5] = (char)('0' + i);
		world_post(w, i, 7, 1, text, 50, 0.2);
	}
	world_run(w, 3000);
	for (int i = 0; i < 8; i++) {
		text[5] = (char)('0' + i);
		for (int n = 0; n < 8; n++)
			assert_int_equal(world_count(w, n, text), 1);
	}
	for (int i = 0; i < WORLD_LINKS * 2; i++)
		assert_false(w->end[i].gone);
	world_run(w, 100000); /* everything expires, everything is given back */
	for (int i = 0; i < 8; i++) {
		struct shh_stats st;

		shh_stats(w->node[i].shh, &st);
		assert_int_equal(st.pool_count, 0);
		assert_int_equal(st.pool_bytes, 0);
		assert_int_equal(st.expired, 8);
		assert_int_equal(st.peers, 7);
	}
}

/* A line that is cut and joined again: what was posted meanwhile goes over. */
static void test_reconnect(void **state)
{
	int end;

	(void)state;
	world_node(w, 0, NULL);
	world_node(w, 1, NULL);
	(void)world_filter(w, 1, 7, NULL, 0);
	end = world_link(w, 0, SOTTO, 1, SOTTO);
	world_post(w, 0, 7, 1, "before", 50, 0.01);
	world_run(w, 10);
	world_unlink(w, end);
	world_post(w, 0, 7, 1, "while apart", 50, 0.01);
	world_run(w, 1000);
	assert_int_equal(world_count(w, 1, "while apart"), 0);
	(void)world_link(w, 0, SOTTO, 1, SOTTO);
	world_run(w, 100);
	assert_int_equal(world_count(w, 1, "while apart"), 1);
	assert_int_equal(world_count(w, 1, "before"), 1);
}

/* --- posts -------------------------------------------------------------------------------- */

static void test_post_refusals(void **state)
{
	struct symkey key = { { 1 } };
	struct pubkey bad;
	struct seckey zero = { { 0 } };
	static uint8_t big[2000];
	struct shh_post p = { .sym = &key, .direct = -1, .pow = 0.5, .ttl_s = 50 };
	struct shh *s;
	uint32_t id;

	(void)state;
	world_node(w, 0, NULL);
	s = w->node[0].shh;
	memset(bad.b, 0xff, sizeof(bad.b));
	p.to = &bad;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), ERR_ARG); /* both */
	p.sym = NULL;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), ERR_KEY);
	p.to = NULL;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), ERR_ARG); /* neither */
	p.sym = &key;
	p.ttl_s = SHH_TTL_MAX + 1;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), ERR_ARG);
	p.ttl_s = 50;
	p.pow = 0.0009;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), ERR_WORK);
	p.pow = -1;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), ERR_ARG);
	p.pow = 0.5;
	p.sign = &zero;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), ERR_KEY);
	p.sign = NULL;
	assert_int_equal(shh_set_message_max(s, 1024), OK);
	p.payload = span_of(big, sizeof(big));
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), ERR_SIZE);
	assert_int_equal(shh_set_message_max(s, 1023), ERR_ARG);
	assert_int_equal(shh_set_message_max(s, SHH_MESSAGE_LIMIT + 1), ERR_ARG);
	assert_int_equal(shh_set_message_max(s, SHH_MESSAGE_LIMIT), OK);
	p.pow = 1e200;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), ERR_TARGET); /* no digest has so many */
	w->node[0].mem.fail_after = 0;
	p.pow = 0.5;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), ERR_MEM);
	w->node[0].mem.fail_after = UINT64_MAX;
	world_settle(w);
	assert_int_equal(w->node[0].posted_count, 0); /* none of them was begun */
	assert_int_equal(s->job_count, 0);
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), OK);
	world_settle(w);
	assert_int_equal(w->node[0].posted_count, 1);
}

/* A post whose search ends without success says so, once. */
static void test_post_out_of_time(void **state)
{
	struct symkey key = { { 1 } };
	struct shh_post p = { .sym = &key, .direct = -1, .pow = 5, .ttl_s = 50, .pow_time_ms = 7 };
	struct shh *s;
	uint32_t id;

	(void)state;
	world_node(w, 0, NULL);
	s = w->node[0].shh;
	w->node[0].hold_jobs = true;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), OK);
	world_settle(w);
	assert_int_equal(w->node[0].held_job, id);
	assert_int_equal(w->node[0].held.time_ms, 7);
	assert_int_equal(w->node[0].held.digest, SHH_DIGEST_SINGLE);
	/* enough bits for a life of 52 s, so that it may be relayed at once */
	assert_int_equal(w->node[0].held.bits, 17);
	shh_job_done(s, id, &(struct shh_seal_progress){ .bits = 3, .nonce = 9 }, w->now_ms);
	world_settle(w);
	assert_int_equal(w->node[0].posted_count, 1);
	assert_int_equal(w->node[0].posted[0].id, id);
	assert_int_equal(w->node[0].posted[0].err, ERR_TARGET);
	shh_job_done(s, id, &(struct shh_seal_progress){ .bits = 30, .done = true }, w->now_ms);
	world_settle(w);
	assert_int_equal(w->node[0].posted_count, 1);
	/* a worker that lies gets nothing into the pool either */
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), OK);
	world_settle(w);
	shh_job_done(s, id, &(struct shh_seal_progress){ .bits = 30, .done = true }, w->now_ms);
	world_settle(w);
	assert_int_equal(w->node[0].posted[1].err, ERR_TARGET);
	assert_int_equal(s->pool.live, 0);
	/* sealed too late to live */
	p.ttl_s = 2;
	p.pow = 0.01;
	assert_int_equal(shh_post(s, &id, &p, w->now_ms), OK);
	world_settle(w);
	world_run(w, 3000);
	{
		struct shh_seal_progress done = { 0 };

		while (!done.done)
			shh_seal_run(&w->node[0].held, &done, 1000);
		shh_job_done(s, id, &done, w->now_ms);
	}
	world_settle(w);
	assert_int_equal(w->node[0].posted[2].err, ERR_EXPIRED);
}

/* The job table has an end; posts past it are refused, and it empties again. */
static void test_jobs_full(void **state)
{
	struct symkey key = { { 1 } };
	struct shh_post p = { .sym = &key, .direct = -1, .pow = 0.01, .ttl_s = 50 };
	uint32_t id[SHH_JOBS_MAX + 1];
	struct shh *s;

	(void)state;
	world_node(w, 0, NULL);
	s = w->node[0].shh;
	w->node[0].hold_jobs = true;
	for (unsigned i = 0; i < SHH_JOBS_MAX; i++)
		assert_int_equal(shh_post(s, &id[i], &p, w->now_ms), OK);
	assert_int_equal(shh_post(s, &id[SHH_JOBS_MAX], &p, w->now_ms), ERR_FULL);
	world_settle(w);
	assert_int_equal(w->node[0].jobs, SHH_JOBS_MAX);
	for (unsigned i = 0; i < SHH_JOBS_MAX; i++)
		shh_job_done(s, id[i], &(struct shh_seal_progress){ .bits = 0 }, w->now_ms);
	world_settle(w);
	assert_int_equal(s->job_count, 0);
	assert_int_equal(w->node[0].posted_count, SHH_JOBS_MAX);
	assert_int_equal(shh_post(s, &id[0], &p, w->now_ms), OK);
	assert_true(id[0] != id[1]);
}

/* The digest that most of our peers want is the one that posts are sealed for. */
static void test_post_digest(void **state)
{
	struct symkey key = { { 1 } };
	struct shh_post p = { .sym = &key, .direct = -1, .pow = 0.01, .ttl_s = 50 };
	uint32_t id;
	int end;

	(void)state;
	world_node(w, 0, NULL);
	w->node[0].hold_jobs = true;
	for (unsigned i = 0; i < 2; i++) {
		end = world_guest(w, 0, &(struct shh_peer_info){ .client = GETH18 });
		world_hello(w, end, 0.2);
	}
	end = world_guest(w, 0, &(struct shh_peer_info){ .client = GETH19 });
	world_hello(w, end, 0.2);
	assert_int_equal(shh_post(w->node[0].shh, &id, &p, w->now_ms), OK);
	world_settle(w);
	assert_int_equal(w->node[0].held.digest, SHH_DIGEST_DOUBLE);
	p.direct = (int32_t)world_other(w, end)->peer;
	assert_int_equal(shh_post(w->node[0].shh, &id, &p, w->now_ms), OK);
	world_settle(w);
	assert_int_equal(w->node[0].held.digest, SHH_DIGEST_SINGLE);
	/* its peer goes while it is sealed */
	world_unlink(w, end);
	{
		struct shh_seal_progress done = { 0 };

		while (!done.done)
			shh_seal_run(&w->node[0].held, &done, 1000);
		shh_job_done(w->node[0].shh, id, &done, w->now_ms);
	}
	world_settle(w);
	assert_int_equal(w->node[0].posted[0].err, ERR_NOT_FOUND);
}

/* --- settings ------------------------------------------------------------------------------- */

static void test_config(void **state)
{
	struct shh_config cfg;
	const char *what;
	struct shh *s;
	struct mem mem;

	(void)state;
	mem_init(&mem);
	shh_config_init(&cfg);
	cfg.mem = &mem;
	assert_true(cfg.min_pow == 0.2 && cfg.bridge && !cfg.light && cfg.confirmations);
	assert_int_equal(cfg.pool_bytes, SHH_POOL_BYTES);
	assert_int_equal(cfg.pace, 2u << 20);
	cfg.min_pow = -0.1;
	assert_int_equal(shh_new(&s, &cfg, &what, 0), ERR_ARG);
	assert_string_equal(what, "min_pow");
	cfg.min_pow = 0;
	cfg.message_max = 100;
	assert_int_equal(shh_new(&s, &cfg, &what, 0), ERR_ARG);
	assert_string_equal(what, "message_max");
	cfg.message_max = SHH_MESSAGE_MAX;
	cfg.pool_count = 0;
	assert_int_equal(shh_new(&s, &cfg, NULL, 0), ERR_ARG);
	cfg.pool_count = 10;
	cfg.pool_bytes = 1;
	assert_int_equal(shh_new(&s, &cfg, &what, 0), ERR_ARG);
	assert_string_equal(what, "pool_bytes");
	cfg.pool_bytes = 4096;
	cfg.delay_ms = 1u << 30;
	assert_int_equal(shh_new(&s, &cfg, &what, 0), ERR_ARG);
	assert_string_equal(what, "delay_ms");
	assert_int_equal(mem.total_used, 0);
	shh_free(NULL);
}

static bool no_random(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	(void)out;
	(void)len;
	return false;
}

static void test_no_random(void **state)
{
	struct shh_config cfg;
	struct mem mem;
	struct shh *s;

	(void)state;
	mem_init(&mem);
	world_config(&cfg);
	cfg.mem = &mem;
	cfg.rng = (struct rng){ .fill = no_random };
	assert_int_equal(shh_new(&s, &cfg, NULL, 0), ERR_RANDOM);
	assert_int_equal(mem.total_used, 0);
}

/* Light and light have nothing to say to each other, unless one is trusted. */
static void test_two_lights(void **state)
{
	struct shh_status st = { .form = SHH_STATUS_FOUR, .light = true };
	uint8_t packet[SHH_STATUS_MAX];
	size_t len = shh_status_write(packet, sizeof(packet), &st);
	struct shh_config cfg;
	int end;

	(void)state;
	world_config(&cfg);
	cfg.light = true;
	world_node(w, 0, &cfg);
	end = world_guest(w, 0, &(struct shh_peer_info){ .client = GETH19 });
	assert_int_equal(world_send(w, end, SHH_STATUS, span_of(packet, len)), ERR_USELESS);
	assert_int_equal(world_other(w, end)->drop, ERR_USELESS);
	end = world_guest(w, 0, &(struct shh_peer_info){ .client = GETH19, .trusted = true });
	assert_int_equal(world_send(w, end, SHH_STATUS, span_of(packet, len)), OK);
	assert_true(world_other(w, end)->ready);
}

/* Confirmations: asked for by both, each batch is acknowledged, and what was refused is told. */
static void test_confirmations(void **state)
{
	struct shh_config cfg;
	int end, guest;

	(void)state;
	world_config(&cfg);
	cfg.confirmations = true;
	world_node(w, 0, &cfg);
	world_node(w, 1, &cfg);
	end = world_link(w, 0, "StatusIM/1", 1, "StatusIM/1");
	world_post(w, 0, 7, 1, "text", 50, 0.01);
	world_run(w, 100);
	assert_int_equal(w->end[end].confirmed, 2); /* codes 12 and 11 */
	assert_int_equal(w->end[end].refused, 0);
	/* a peer that refuses one is heard */
	guest = world_guest(w, 0, &(struct shh_peer_info){ .client = "StatusIM/1" });
	world_hello(w, guest, 0);
	{
		uint8_t hash[32] = { 1 }, packet[200];
		struct shh_response_item item = { .code = 37, .text = span_of("no", 2) };
		size_t len = shh_response_write(packet, sizeof(packet), hash, &item, 1);

		assert_int_equal(world_send(w, guest, SHH_MESSAGE_RESPONSE, span_of(packet, len)),
				 OK);
	}
	assert_int_equal(world_other(w, guest)->confirmed, 1);
	assert_int_equal(world_other(w, guest)->refused, 1);
}

/* A wall clock that jumps never ends a connection (W5), and what expired is gone. */
static void test_clock_jumps(void **state)
{
	int end;

	(void)state;
	world_node(w, 0, NULL);
	world_node(w, 1, NULL);
	end = world_link(w, 0, SOTTO, 1, SOTTO);
	(void)world_filter(w, 1, 7, NULL, 0);
	world_post(w, 0, 7, 1, "one", 50, 0.01);
	world_run(w, 100);
	shh_set_wall_offset(w->node[0].shh, (int64_t)(WORLD_START_S * 1000) + 3600000);
	assert_int_equal(w->node[0].shh->pool.live, 0);
	world_post(w, 0, 7, 1, "from an hour ahead", 50, 0.01);
	world_run(w, 1000);
	shh_set_wall_offset(w->node[0].shh, (int64_t)(WORLD_START_S * 1000) - 86400000);
	world_post(w, 0, 7, 1, "from yesterday", 50, 0.01);
	world_run(w, 1000);
	shh_set_wall_offset(w->node[0].shh, (int64_t)(WORLD_START_S * 1000) - 1000);
	world_post(w, 0, 7, 1, "two", 50, 0.01);
	world_run(w, 1000);
	assert_int_equal(world_count(w, 1, "one"), 1);
	assert_int_equal(world_count(w, 1, "two"), 1);
	assert_int_equal(w->heard_count, 2);
	assert_false(w->end[end].gone);
	assert_false(world_other(w, end)->gone);
}

/* After any tick the deadline lies ahead; idle machines sleep. */
static void test_deadlines(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		world_node(w, i, NULL);
	assert_int_equal(shh_deadline(w->node[0].shh), UINT64_MAX);
	world_link(w, 0, SOTTO, 1, GETH19);
	world_link(w, 1, GETH19, 2, GETH18);
	world_run(w, 10);
	assert_int_equal(shh_deadline(w->node[0].shh), UINT64_MAX);
	world_post(w, 0, 7, 1, "text", 20, 0.3);
	for (unsigned i = 0; i < 60000; i += 7) {
		world_run(w, 7);
		for (int n = 0; n < 3; n++)
			assert_true(shh_deadline(w->node[n].shh) > w->now_ms);
	}
	for (int n = 0; n < 3; n++)
		assert_int_equal(shh_deadline(w->node[n].shh), UINT64_MAX);
}

/* Calls about peers that are not there are harmless. */
static void test_nobody(void **state)
{
	struct shh *s;

	(void)state;
	world_node(w, 0, NULL);
	s = w->node[0].shh;
	shh_peer_remove(s, 5, w->now_ms);
	shh_peer_remove(s, UINT32_MAX, w->now_ms);
	shh_peer_credit(s, 7, 100, w->now_ms);
	shh_peer_trust(s, UINT32_MAX, true);
	shh_job_done(s, 77, &(struct shh_seal_progress){ .done = true }, w->now_ms);
	assert_int_equal(shh_recv(s, 3, SHH_MESSAGES, span_of("\xc0", 1), w->now_ms), ERR_STATE);
	assert_int_equal(shh_recv(s, UINT32_MAX, 0, span_of("\xc0", 1), w->now_ms), ERR_STATE);
	shh_tick(s, w->now_ms);
	world_settle(w);
}

/* A peer that was dropped is told once; removing it first is as good. */
static void test_drop_and_remove(void **state)
{
	struct shh_event ev;
	struct shh *s;
	uint32_t slot;

	(void)state;
	world_node(w, 0, NULL);
	s = w->node[0].shh;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(
			shh_peer_add(s, &slot, &(struct shh_peer_info){ .client = "x" }, w->now_ms),
			OK);
		assert_int_equal(shh_recv(s, slot, SHH_STATUS, span_of("\xc1\x05", 2), w->now_ms),
				 ERR_VERSION);
		assert_int_equal(shh_recv(s, slot, SHH_STATUS, span_of("\xc0", 1), w->now_ms),
				 ERR_STATE);
		if (i == 1)
			shh_peer_remove(s, slot, w->now_ms);
		if (i == 0) {
			assert_true(shh_poll(s, &ev));
			assert_int_equal(ev.type, SHH_EV_DROP);
			assert_int_equal(ev.u.drop.err, ERR_VERSION);
			assert_int_equal(ev.peer, slot);
		}
		assert_false(shh_poll(s, &ev));
		assert_int_equal(s->peer_count, 0);
	}
}

/* --- repeatable, and frugal ------------------------------------------------------------------- */

static uint64_t digest_of_run(uint64_t salt)
{
	uint64_t sum = 1469598103934665603ull;
	char text[] = "text 00";
	int ends[4];

	for (int i = 0; i < 4; i++) {
		struct shh_config cfg;

		world_config(&cfg);
		cfg.min_pow = 0.1;
		cfg.delay_ms = i % 2 == 0 ? 200 : 0;
		world_node(w, i, &cfg);
		(void)world_filter(w, i, 7, NULL, 0);
	}
	for (int i = 0; i < 4; i++)
		ends[i] = world_link(w, i, i % 2 ? GETH18 : SOTTO, (i + 1) % 4,
				     (i + 1) % 2 ? GETH18 : SOTTO);
	for (unsigned i = 0; i < 20; i++) {
		text[5] = (char)('0' + i / 10);
		text[6] = (char)('0' + i % 10);
		world_post(w, (int)(i + salt) % 4, 7, i % 3, text, 30, 0.2);
		world_run(w, 37 * i);
		if (i == 11)
			world_unlink(w, ends[1]);
	}
	world_run(w, 5000);
	for (size_t i = 0; i < w->heard_count; i++) {
		sum = (sum ^ w->heard[i].node) * 1099511628211ull;
		for (size_t k = 0; k < w->heard[i].len; k++)
			sum = (sum ^ w->heard[i].payload[k]) * 1099511628211ull;
	}
	assert_int_equal(w->heard_count, 80);
	for (int i = 0; i < 4; i++)
		sum = (sum ^ w->node[i].hashes) * 1099511628211ull;
	return sum;
}

/* Two runs with the same seeds are one run; with another order they differ. */
static void test_same_run_twice(void **state)
{
	uint64_t first, second, other;

	first = digest_of_run(0);
	(void)teardown(state);
	(void)setup(state);
	second = digest_of_run(0);
	(void)teardown(state);
	(void)setup(state);
	other = digest_of_run(1);
	assert_true(first == second);
	assert_true(first != other);
}

/* In steady state nothing is allocated for an envelope but its share of a packet. */
static void test_steady_state(void **state)
{
	static struct made m[64];
	struct shh_config cfg;
	uint64_t before;
	int end;

	(void)state;
	world_config(&cfg);
	cfg.min_pow = 0;
	cfg.bridge = false;
	world_node(w, 0, &cfg);
	end = world_guest(w, 0, &(struct shh_peer_info){ .client = SOTTO, .host_key = 5 });
	world_hello(w, end, 0);
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < 64; i++)
			made_envelope(&m[i], world_now_s(w) + 2, 2, round, (uint8_t)i, 100,
				      SHH_DIGEST_SINGLE, 0);
		/* from the 30th round on as many come as go: no allocation is needed */
		before = 1000;
		w->node[0].mem.fail_after = round < 30 ? UINT64_MAX : before;
		assert_int_equal(world_send(w, end, SHH_MESSAGES, made_packet(m, 64)), OK);
		world_run(w, 1000);
		if (round >= 30)
			assert_int_equal(w->node[0].mem.fail_after, before);
	}
	assert_int_equal(w->node[0].shh->stats.envelopes_new, 40 * 64);
}

/* A small life in which every allocation fails once, in turn: no crash, no leak,
 * and machines that could be made go on. */
static unsigned scarce_life(uint64_t fail)
{
	struct symkey key;
	struct shh_post p = { .sym = &key, .direct = -1, .pow = 0.01, .ttl_s = 5 };
	struct shh_filter f = { .sym = &key };
	struct shh_config cfg;
	struct mem mem;
	struct crypto *crypto;
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 5);
	static struct made m[8];
	struct shh_event ev;
	uint32_t slot, id;
	unsigned messages = 0;
	uint64_t now_ms = 1000;
	struct shh *s;
	bool ended;

	memset(key.b, 7, sizeof(key.b));
	p.payload = span_of("x", 1);
	mem_init(&mem);
	mem.fail_after = fail;
	assert_int_equal(crypto_new(&crypto, &rng), OK);
	world_config(&cfg);
	cfg.mem = &mem;
	cfg.crypto = crypto;
	cfg.rng = rng;
	cfg.wall_offset_ms = (int64_t)(WORLD_START_S * 1000) - 1000;
	cfg.confirmations = true;
	cfg.delay_ms = fail % 2 == 0 ? 20 : 0;
	if (shh_new(&s, &cfg, NULL, now_ms) != OK) {
		assert_int_equal(mem.total_used, 0);
		crypto_free(crypto);
		return 0;
	}
	for (unsigned round = 0; round < 30; round++) {
		if (round == 2)
			(void)!shh_filter_add(s, &id, &f, now_ms);
		if (round % 5 == 0 &&
		    shh_peer_add(s, &slot, &(struct shh_peer_info){ .client = GETH18 }, now_ms) ==
			    OK) {
			struct shh_status st = { .form = SHH_STATUS_FIVE, .confirmations = true };
			uint8_t packet[SHH_STATUS_MAX];
			size_t len = shh_status_write(packet, sizeof(packet), &st);

			(void)!shh_recv(s, slot, SHH_STATUS, span_of(packet, len), now_ms);
			(void)!shh_recv(s, slot, SHH_MESSAGES, made_packet(m, round < 4 ? 0 : 8),
					now_ms);
		}
		for (unsigned i = 0; round == 3 && i < 8; i++)
			made_envelope(&m[i], WORLD_START_S + 30, 30, i, (uint8_t)i, 50,
				      i % 2 ? SHH_DIGEST_SINGLE : SHH_DIGEST_DOUBLE, 0.01);
		(void)!shh_post(s, &id, &p, now_ms);
		ended = false;
		while (shh_poll(s, &ev)) {
			if (ev.type == SHH_EV_SEND)
				blob_unref(ev.u.send.payload);
			messages += ev.type == SHH_EV_MESSAGE;
			ended = ended || ev.type == SHH_EV_DROP;
			if (ev.type == SHH_EV_JOB) {
				struct shh_seal_progress done = { 0 };
				struct shh_seal_job job = *ev.u.job.seal;

				while (!done.done)
					shh_seal_run(&job, &done, 100000);
				shh_job_done(s, ev.u.job.id, &done, now_ms);
			}
		}
		shh_tick(s, now_ms += 150);
	}
	shh_free(s);
	assert_int_equal(mem.total_used, 0);
	crypto_free(crypto);
	return messages;
}

static void test_scarcity(void **state)
{
	unsigned all = scarce_life(UINT64_MAX), least = UINT_MAX;

	(void)state;
	assert_true(all >= 25);
	for (uint64_t fail = 0; fail < 260; fail++) {
		unsigned got = scarce_life(fail);

		least = got < least ? got : least;
	}
	assert_true(least < all);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_line),
		TEST(test_mesh),
		TEST(test_reconnect),
		TEST(test_post_refusals),
		TEST(test_post_out_of_time),
		TEST(test_jobs_full),
		TEST(test_post_digest),
		TEST(test_config),
		TEST(test_no_random),
		TEST(test_two_lights),
		TEST(test_confirmations),
		TEST(test_clock_jumps),
		TEST(test_deadlines),
		TEST(test_nobody),
		TEST(test_drop_and_remove),
		TEST(test_same_run_twice),
		TEST(test_steady_state),
		TEST(test_scarcity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
