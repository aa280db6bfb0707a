/* SPDX-License-Identifier: MIT */
/* Bridging: an envelope of one family reaches the other, sealed again, at a
 * bounded price, and never twice in two ways.
 */
#include "tests/shh_one_world.h"

#include "shh/internal.h"

#define GETH18 "Geth/v1.8.27-stable/linux-amd64/go1.10"
#define GETH19 "Geth/v1.9.18-stable/linux-amd64/go1.14"

static void node(int n, uint32_t hashes)
{
	struct shh_config cfg;

	world_config(&cfg);
	cfg.min_pow = 0.1;
	cfg.bridge_hashes = hashes;
	world_node(w, n, &cfg);
}

static int guest_of(int n, const char *client, double min_pow, uint64_t host)
{
	int e = world_guest(w, n, &(struct shh_peer_info){ .client = client, .host_key = host });

	world_hello(w, e, min_pow);
	return e;
}

static struct shh_stats stats_of(int n)
{
	struct shh_stats st;

	shh_stats(w->node[n].shh, &st);
	return st;
}

/* The envelope with this content among what an end received. */
static struct shh_envelope received(const struct world_end *e, const struct made *m)
{
	struct shh_envelope env = m->env;

	if (end_find(e, m, &env) == 0)
		fail_msg("never received");
	return env;
}

/* Both ways, each within 0.3 to 0.6 s, the smallest nonce that is enough. */
static void test_both_ways(void **state)
{
	static struct made m[2];
	uint64_t now = world_now_s(w);
	int old, new;

	(void)state;
	node(0, 0);
	old = guest_of(0, GETH18, 0.2, 1);
	new = guest_of(0, GETH19, 0.2, 2);
	made_envelope(&m[0], now + 50, 50, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	made_envelope(&m[1], now + 50, 50, 1, 2, 100, SHH_DIGEST_SINGLE, 0.3);
	give(old, &m[0], 1);
	give(new, &m[1], 1);
	world_run(w, 299);
	assert_int_equal(end_envelopes(&w->end[old], NULL), 0);
	assert_int_equal(end_envelopes(&w->end[new], NULL), 0);
	world_run(w, 310);
	assert_int_equal(end_envelopes(&w->end[old], &m[1]), 1);
	assert_int_equal(end_envelopes(&w->end[new], &m[0]), 1);
	assert_int_equal(stats_of(0).bridged, 2);
	assert_int_equal(stats_of(0).jobs, 0);
	for (unsigned i = 0; i < 2; i++) {
		enum shh_digest d = i == 0 ? SHH_DIGEST_SINGLE : SHH_DIGEST_DOUBLE;
		struct shh_envelope env = received(&w->end[i == 0 ? new : old], &m[i]);
		unsigned bits = shh_work_bits(env.content, env.nonce, d);

		assert_true(shh_work_value(shh_rule_digest(SHH_RULE_GETH18) == d ? SHH_RULE_GETH18
										 : SHH_RULE_GETH19,
					   bits, &env) >= 0.2);
		/* no smaller nonce has as many as were asked for: 12, for each */
		for (uint64_t n = 0; n < env.nonce; n++)
			assert_true(shh_work_bits(env.content, n, d) < 11);
	}
	world_run(w, 5000);
	assert_int_equal(end_envelopes(&w->end[old], NULL), 1);
	assert_int_equal(end_envelopes(&w->end[new], NULL), 1);
}

/* Two bridges make the same envelope, so their neighbours see one. */
static void test_two_bridges_agree(void **state)
{
	static struct made m[1];
	struct shh_envelope a, b;
	int from[2], to[2];

	(void)state;
	made_envelope(m, world_now_s(w) + 50, 50, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	for (int n = 0; n < 2; n++) {
		node(n, 0);
		from[n] = guest_of(n, GETH18, 0.2, 1);
		/* what a family announces below the canonical target changes nothing */
		to[n] = guest_of(n, GETH19, n == 0 ? 0.2 : 0.15, 2);
		give(from[n], m, 1);
	}
	world_run(w, 700);
	a = received(&w->end[to[0]], m);
	b = received(&w->end[to[1]], m);
	assert_int_equal(a.nonce, b.nonce);
	assert_true(span_eq(a.raw, b.raw));
}

/* The form that comes from elsewhere makes the work unnecessary: before it
 * began, and while it runs. */
static void test_dropped_when_it_comes(void **state)
{
	static struct made one[2], two[2];
	uint64_t now = world_now_s(w);
	int old, new, other;

	(void)state;
	node(0, 0);
	w->node[0].hold_jobs = true;
	old = guest_of(0, GETH18, 0.2, 1);
	new = guest_of(0, GETH19, 0.2, 2);
	other = guest_of(0, GETH19, 0.2, 3);
	for (uint8_t i = 0; i < 2; i++) {
		made_envelope(&one[i], now + 50, 50, 1, i, 100, SHH_DIGEST_DOUBLE, 0.3);
		made_envelope(&two[i], now + 50, 50, 1, i, 100, SHH_DIGEST_SINGLE, 0.3);
	}
	give(old, &one[0], 1);
	world_run(w, 200);
	give(other, &two[0], 1);
	world_run(w, 1000);
	assert_int_equal(w->node[0].jobs, 0);
	assert_int_equal(end_envelopes(&w->end[new], &two[0]), 1);
	assert_int_equal(received(&w->end[new], &two[0]).nonce, two[0].env.nonce);
	give(old, &one[1], 1);
	world_run(w, 1000);
	assert_int_equal(w->node[0].jobs, 1);
	give(other, &two[1], 1);
	world_settle(w);
	assert_int_equal(w->node[0].cancels, 1);
	assert_int_equal(stats_of(0).jobs, 0);
	/* its result is late, and nobody minds */
	shh_job_done(w->node[0].shh, w->node[0].held_job,
		     &(struct shh_seal_progress){ .done = true, .bits = 99 }, w->now_ms);
	world_run(w, 100);
	assert_int_equal(received(&w->end[new], &two[1]).nonce, two[1].env.nonce);
	assert_int_equal(stats_of(0).bridged, 0);
}

/* Nothing is sealed for families that nobody of is connected; when one comes,
 * what waits in the pool is. */
static void test_only_for_those_present(void **state)
{
	static struct made m[3];
	int old, new;

	(void)state;
	node(0, 0);
	old = guest_of(0, GETH18, 0.2, 1);
	(void)guest_of(0, "sotto/0.1.0", 0.2, 3);
	(void)guest_of(0, "wnode/v6.0", 0.2, 4);
	for (uint8_t i = 0; i < 3; i++)
		made_envelope(&m[i], world_now_s(w) + 50, 50, 1, i, 100, SHH_DIGEST_DOUBLE, 0.3);
	give(old, m, 3);
	world_run(w, 2000);
	assert_int_equal(w->node[0].jobs, 0);
	new = guest_of(0, GETH19, 0.2, 2);
	world_run(w, 700);
	assert_int_equal(w->node[0].jobs, 3);
	assert_int_equal(end_envelopes(&w->end[new], NULL), 3);
	world_unlink(w, new);
	world_run(w, 100);
	made_envelope(&m[0], world_now_s(w) + 50, 50, 1, 9, 100, SHH_DIGEST_DOUBLE, 0.3);
	give(old, m, 1);
	world_run(w, 2000);
	assert_int_equal(w->node[0].jobs, 3);
}

/* The switch. */
static void test_off(void **state)
{
	static struct made m[1];
	struct shh_config cfg;
	int old, new;

	(void)state;
	world_config(&cfg);
	cfg.bridge = false;
	world_node(w, 0, &cfg);
	old = guest_of(0, GETH18, 0.2, 1);
	new = guest_of(0, GETH19, 0.2, 2);
	made_envelope(m, world_now_s(w) + 50, 50, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	give(old, m, 1);
	world_run(w, 3000);
	assert_int_equal(w->node[0].jobs, 0);
	assert_int_equal(end_envelopes(&w->end[new], NULL), 0);
}

/* The target: 0.2, or the next power of two for a family that asks for more; one
 * peer that asks for the moon does not price out the others. */
static void test_target(void **state)
{
	static const struct {
		double minima[4];
		unsigned count;
		double target;
	} cases[] = {
		{ { 0.2 }, 1, 0.2 },	     { { 0.001 }, 1, 0.2 },
		{ { 0.3 }, 1, 0.5 },	     { { 0.5 }, 1, 0.5 },
		{ { 0.51 }, 1, 1 },	     { { 3 }, 1, 4 },
		{ { 0.2, 1000000 }, 2, 0 },  { { 0.2, 0.2, 1000000 }, 3, 0.2 },
		{ { 0.2, 0.3, 2 }, 3, 0.5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		node(0, 0);
		for (unsigned k = 0; k < cases[i].count; k++)
			(void)guest_of(0, GETH19, cases[i].minima[k], k);
		if (cases[i].target > 0)
			assert_true(w->node[0].shh->bridge_target[SHH_DIGEST_SINGLE] ==
				    cases[i].target);
		assert_true(w->node[0].shh->bridge_on[SHH_DIGEST_SINGLE]);
		assert_false(w->node[0].shh->bridge_on[SHH_DIGEST_DOUBLE]);
		(void)teardown(NULL);
		(void)setup(NULL);
	}
}

/* A minimum above 0.2 is met, by a search for more. */
static void test_higher_minimum(void **state)
{
	static struct made m[1];
	struct shh_envelope env;
	int old, new;

	(void)state;
	node(0, 0);
	old = guest_of(0, GETH18, 0.2, 1);
	new = guest_of(0, GETH19, 0.9, 2);
	made_envelope(m, world_now_s(w) + 50, 50, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	give(old, m, 1);
	world_run(w, 1000);
	env = received(&w->end[new], m);
	assert_true(shh_work_value(SHH_RULE_GETH19,
				   shh_work_bits(env.content, env.nonce, SHH_DIGEST_SINGLE),
				   &env) >= 0.9);
}

/* Hashes per second: in all, and a quarter of it for any one source. */
static void test_budget(void **state)
{
	static struct made m[60];
	uint64_t now = world_now_s(w);
	unsigned first;
	int old[2], new;

	(void)state;
	/* 2^11 hashes for one envelope: 16 a second in all, 4 for a source,
	 * and four seconds' worth at once */
	node(0, 16 << 11);
	old[0] = guest_of(0, GETH18, 0.2, 1);
	old[1] = guest_of(0, GETH18, 0.2, 2);
	new = guest_of(0, GETH19, 0.2, 3);
	for (unsigned i = 0; i < 60; i++)
		made_envelope(&m[i], now + 50, 50, i, (uint8_t)i, 100, SHH_DIGEST_DOUBLE, 0.25);
	give(old[0], m, 40);
	world_run(w, 700);
	first = w->node[0].jobs;
	assert_true(first >= 16 && first <= 19); /* 4 seconds of 4, and what came since */
	world_run(w, 2000);
	assert_true(w->node[0].jobs >= first + 7 && w->node[0].jobs <= first + 9);
	/* another source is not held up by it */
	give(old[1], m + 40, 10);
	world_run(w, 700);
	assert_true(w->node[0].jobs >= first + 7 + 10);
	world_run(w, 20000);
	assert_int_equal(w->node[0].jobs, 50);
	assert_int_equal(end_envelopes(&w->end[new], NULL), 50);
	assert_true(w->node[0].hashes < 50u * (16 << 11));
}

/* One source cannot fill the queue for the others. */
static void test_one_source_floods(void **state)
{
	static struct made m[220];
	struct shh_config cfg;
	int flood, quiet, new;

	(void)state;
	world_config(&cfg);
	cfg.min_pow = 0;
	cfg.bridge_hashes = 8192; /* 2^11 for an envelope, a quarter for a source: one a second */
	world_node(w, 0, &cfg);
	flood = guest_of(0, GETH18, 0.2, 1);
	quiet = guest_of(0, GETH18, 0.2, 2);
	new = guest_of(0, GETH19, 0.2, 3);
	for (unsigned k = 0; k < 6; k++) {
		for (unsigned i = 0; i < 220; i++)
			made_envelope(&m[i], world_now_s(w) + 50, 50, k, (uint8_t)i, 100,
				      SHH_DIGEST_DOUBLE, 0);
		give(flood, m, 220);
		world_run(w, 5);
	}
	assert_int_equal(w->node[0].shh->bridges.count, SHH__LATER_MAX / 8);
	made_envelope(m, world_now_s(w) + 50, 50, 9, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	give(quiet, m, 1);
	world_run(w, 1500);
	assert_int_equal(end_envelopes(&w->end[new], m), 1);
	/* what expires or is evicted leaves the count */
	world_run(w, 60000);
	assert_int_equal(stats_of(0).pool_count, 0);
	made_envelope(m, world_now_s(w) + 50, 50, 9, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	give(flood, m, 1);
	world_run(w, 5000);
	assert_int_equal(end_envelopes(&w->end[new], m), 1);
}

/* What costs more than any envelope may is not begun. */
static void test_too_dear(void **state)
{
	static struct made m[1];
	struct shh_config cfg;
	int old;

	(void)state;
	world_config(&cfg);
	cfg.bridge_hashes = 1000;
	world_node(w, 0, &cfg);
	old = guest_of(0, GETH18, 0.001, 1);
	(void)guest_of(0, GETH19, 0.2, 2);
	made_envelope(m, world_now_s(w) + 3600, 3600, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.001);
	give(old, m, 1);
	world_run(w, 20000);
	assert_int_equal(w->node[0].jobs, 0);
	assert_int_equal(w->node[0].shh->bridges.count, 0);
}

/* Own posts are carried over like anything else. */
static void test_own_posts(void **state)
{
	int old, new;

	(void)state;
	node(0, 0);
	old = guest_of(0, GETH18, 0.2, 1);
	new = guest_of(0, GETH19, 0.2, 2);
	(void)world_post(w, 0, 7, 0x01020304, "to all", 50, 0.2);
	world_run(w, 1000);
	assert_int_equal(end_envelopes(&w->end[old], NULL), 1);
	assert_int_equal(end_envelopes(&w->end[new], NULL), 1);
	assert_int_equal(w->node[0].jobs, 2);
}

/* parity names no minimum; it gets its own family's form from a bridge. */
static void test_parity(void **state)
{
	static struct made m[1];
	struct shh_envelope env;
	int old, p;

	(void)state;
	node(0, 0);
	old = guest_of(0, GETH18, 0.2, 1);
	p = world_guest(w, 0, &(struct shh_peer_info){ .client = "Parity-network" });
	assert_int_equal(world_send(w, p, SHH_STATUS, span_of("\xc0", 1)), OK);
	made_envelope(m, world_now_s(w) + 50, 50, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	give(old, m, 1);
	world_run(w, 1000);
	env = received(&w->end[p], m);
	assert_true(shh_work_value(SHH_RULE_EIP627,
				   shh_work_bits(env.content, env.nonce, SHH_DIGEST_SINGLE),
				   &env) >= 0.2);
}

/* A chain of our own: only the node that knows the family seals, once. */
static void test_chain(void **state)
{
	static struct made m[1];
	int old, new;

	(void)state;
	for (int n = 0; n < 4; n++)
		node(n, 0);
	for (int n = 0; n < 3; n++)
		world_link(w, n, "sotto/0.1", n + 1, "sotto/0.1");
	old = guest_of(0, GETH18, 0.2, 1);
	new = guest_of(3, GETH19, 0.2, 2);
	made_envelope(m, world_now_s(w) + 50, 50, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	give(old, m, 1);
	world_run(w, 1000);
	assert_int_equal(end_envelopes(&w->end[new], m), 1);
	for (int n = 0; n < 4; n++)
		assert_int_equal(w->node[n].jobs, n == 3);
}

/* The pool forgets an envelope while its job runs: the result is dropped. */
static void test_gone_meanwhile(void **state)
{
	static struct made m[1];
	int old;

	(void)state;
	node(0, 0);
	w->node[0].hold_jobs = true;
	old = guest_of(0, GETH18, 0.2, 1);
	(void)guest_of(0, GETH19, 0.2, 2);
	made_envelope(m, world_now_s(w) + 5, 5, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	give(old, m, 1);
	world_run(w, 1000);
	assert_int_equal(w->node[0].jobs, 1);
	world_run(w, 30000);
	assert_int_equal(stats_of(0).pool_count, 0);
	shh_job_done(w->node[0].shh, w->node[0].held_job,
		     &(struct shh_seal_progress){ .done = true, .bits = 99, .nonce = 5 },
		     w->now_ms);
	assert_int_equal(stats_of(0).jobs, 0);
	assert_int_equal(stats_of(0).bridged, 0);
}

/* A worker that lies, or gives up, fills nothing. */
static void test_bad_result(void **state)
{
	static struct made m[1];
	int old, new;

	(void)state;
	node(0, 0);
	w->node[0].hold_jobs = true;
	old = guest_of(0, GETH18, 0.2, 1);
	new = guest_of(0, GETH19, 0.2, 2);
	made_envelope(m, world_now_s(w) + 50, 50, 1, 1, 100, SHH_DIGEST_DOUBLE, 0.3);
	give(old, m, 1);
	world_run(w, 1000);
	assert_int_equal(w->node[0].jobs, 1);
	shh_job_done(w->node[0].shh, w->node[0].held_job,
		     &(struct shh_seal_progress){ .done = true, .bits = 99, .nonce = m->env.nonce },
		     w->now_ms);
	world_run(w, 3000);
	assert_int_equal(end_envelopes(&w->end[new], NULL), 0);
	assert_int_equal(stats_of(0).bridged, 0);
	assert_int_equal(stats_of(0).jobs, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_both_ways),
		TEST(test_two_bridges_agree),
		TEST(test_dropped_when_it_comes),
		TEST(test_only_for_those_present),
		TEST(test_off),
		TEST(test_target),
		TEST(test_higher_minimum),
		TEST(test_budget),
		TEST(test_one_source_floods),
		TEST(test_too_dear),
		TEST(test_own_posts),
		TEST(test_parity),
		TEST(test_chain),
		TEST(test_gone_meanwhile),
		TEST(test_bad_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
