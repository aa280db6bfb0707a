/* SPDX-License-Identifier: MIT */
/* Buckets before a peer is known, scores after (hardening §3, H4, H9). */
#include "node/guard.h"

#include "tests/vectors.h"

#define SECOND 1000ull
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

struct world {
	struct mem mem;
	struct rng_seeded seed;
	struct node__guard g;
};

static struct ip ip_of(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t bytes[4] = { a, b, c, d };

	return ip_from4(bytes);
}

static struct pubkey id_of(uint32_t n)
{
	struct pubkey id = { { 0 } };

	be32_store(id.b, n);
	return id;
}

static int setup(void **state)
{
	static struct world w;
	struct rng rng = rng_seeded_init(&w.seed, 3);

	mem_init(&w.mem);
	assert_int_equal(node__guard_init(&w.g, &w.mem, &rng, 0), OK);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	node__guard_reset(&w->g);
	assert_int_equal(w->mem.total_used, 0);
	return 0;
}

/* How many connections a host gets in at one moment. */
static unsigned burst(struct world *w, struct ip ip, uint64_t now)
{
	unsigned n = 0;

	while (n < 1000 && node__guard_accept(&w->g, &ip, false, now) == OK)
		n++;
	return n;
}

static void a_host_gets_three_then_one_in_thirty_seconds(void **state)
{
	struct world *w = *state;
	struct ip ip = ip_of(192, 0, 2, 1);

	assert_int_equal(burst(w, ip, MINUTE), 3);
	assert_int_equal(burst(w, ip, MINUTE + 30 * SECOND - 1), 0);
	assert_int_equal(burst(w, ip, MINUTE + 30 * SECOND), 1);
	assert_int_equal(burst(w, ip, MINUTE + 40 * SECOND), 0);
	assert_int_equal(burst(w, ip, HOUR), 3);
}

static void a_subnet_gets_sixteen(void **state)
{
	struct world *w = *state;
	unsigned n = 0;

	for (uint8_t i = 1; i < 255; i++)
		n += burst(w, ip_of(192, 0, 2, i), MINUTE);
	assert_int_equal(n, 16);
	assert_int_equal(burst(w, ip_of(192, 0, 2, 255), MINUTE + 2 * SECOND), 1);
}

static void everybody_together_gets_two_hundred(void **state)
{
	struct world *w = *state;
	unsigned n = 0;

	for (uint8_t a = 1; a < 3; a++)
		for (uint8_t i = 1; i < 255; i++)
			n += burst(w, ip_of(a, i, 2, 1), MINUTE);
	assert_int_equal(n, 200);
}

static void the_lan_is_spared(void **state)
{
	struct world *w = *state;
	struct ip ip = ip_of(127, 0, 0, 1);

	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(node__guard_accept(&w->g, &ip, true, MINUTE), OK);
	assert_null(w->g.cells); /* and costs no table */
}

static void a_wasted_handshake_counts_twice(void **state)
{
	struct world *w = *state;
	struct ip ip = ip_of(192, 0, 2, 1);

	assert_int_equal(node__guard_accept(&w->g, &ip, false, MINUTE), OK);
	node__guard_wasted(&w->g, &ip, false, MINUTE);
	assert_int_equal(burst(w, ip, MINUTE), 1);
}

static void half_of_the_crypto_is_kept_for_good_hosts(void **state)
{
	struct world *w = *state;
	struct ip bad = ip_of(192, 0, 2, 1), good = ip_of(198, 51, 100, 1);
	struct pubkey id = id_of(1);
	uint64_t ready = 0;
	unsigned n;

	for (n = 0; node__guard_crypto(&w->g, &bad, false, MINUTE, &ready); n++)
		;
	assert_int_equal(n, 300);
	assert_true(ready > MINUTE && ready <= MINUTE + 7); /* 150 a second */
	assert_false(node__guard_crypto(&w->g, &good, false, MINUTE, &ready));
	node__guard_good(&w->g, &id, &good);
	for (n = 0; node__guard_crypto(&w->g, &good, false, MINUTE, &ready); n++)
		;
	assert_int_equal(n, 300);
	assert_false(node__guard_crypto(&w->g, &good, true, MINUTE, &ready));
}

static bool charge(struct world *w, uint32_t id, enum node__fault f, bool named, uint64_t now)
{
	struct pubkey key = id_of(id);
	struct ip ip = ip_of(192, 0, 2, 1);

	return node__guard_charge(&w->g, &key, &ip, false, named, f, now);
}

static uint64_t until(struct world *w, uint32_t id, uint64_t now)
{
	struct pubkey key = id_of(id);

	return node__guard_until(&w->g, &key, now);
}

static void faults_add_up_and_decay(void **state)
{
	struct world *w = *state;
	uint64_t t = HOUR;

	assert_false(charge(w, 1, NODE__FAULT_NONE, false, t));
	for (unsigned i = 0; i < 3; i++)
		assert_false(charge(w, 1, NODE__FAULT_BAD_MESSAGE, false, t)); /* 48 */
	assert_false(charge(w, 1, NODE__FAULT_ODD, false, t));		       /* 49 */
	assert_int_equal(until(w, 1, t), 0);
	assert_true(charge(w, 1, NODE__FAULT_ODD, false, t)); /* 50 */
	assert_true(until(w, 1, t) == t + 30 * SECOND);
	assert_int_equal(until(w, 1, t + 30 * SECOND), 0);

	t = 2 * HOUR;
	for (unsigned i = 0; i < 3; i++)
		assert_false(charge(w, 2, NODE__FAULT_BAD_MESSAGE, false, t));
	t += 15 * 30 * SECOND; /* 48 - 15 */
	assert_false(charge(w, 2, NODE__FAULT_BAD_MESSAGE, false, t));
	assert_true(charge(w, 2, NODE__FAULT_ODD, false, t));
}

static void back_off_grows_to_a_day(void **state)
{
	static const uint64_t steps[] = { 30 * SECOND, 3 * MINUTE, 15 * MINUTE,
					  HOUR,	       24 * HOUR,  24 * HOUR };
	struct world *w = *state;
	uint64_t t = HOUR;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_true(charge(w, 1, NODE__FAULT_BREACH, false, t));
		assert_true(until(w, 1, t) == t + steps[i]);
		assert_true(until(w, 1, t + steps[i] - 1) != 0);
		t += steps[i];
		assert_int_equal(until(w, 1, t), 0);
	}
	t += 25 * HOUR; /* a good day: the first step again */
	assert_true(charge(w, 1, NODE__FAULT_BREACH, false, t));
	assert_true(until(w, 1, t) == t + 30 * SECOND);
}

static void named_peers_wait_ten_seconds(void **state)
{
	struct world *w = *state;

	for (uint64_t t = HOUR; t < 2 * HOUR; t += MINUTE) {
		assert_true(charge(w, 1, NODE__FAULT_BREACH, true, t));
		assert_true(until(w, 1, t) == t + 10 * SECOND);
	}
}

static void three_offenders_cost_their_host(void **state)
{
	struct world *w = *state;
	struct ip ip = ip_of(192, 0, 2, 1), other = ip_of(192, 0, 2, 2);
	uint64_t t = 5 * HOUR;

	for (unsigned i = 0; i < 5; i++) /* one id however often is one */
		assert_true(charge(w, 1, NODE__FAULT_BREACH, false, t + i));
	assert_int_equal(node__guard_host_until(&w->g, &ip, t), 0);
	assert_true(charge(w, 2, NODE__FAULT_BREACH, false, t + 50 * MINUTE));
	assert_true(charge(w, 3, NODE__FAULT_BREACH, false, t + 65 * MINUTE)); /* 1 is forgotten */
	t += 66 * MINUTE;
	assert_int_equal(node__guard_host_until(&w->g, &ip, t), 0);
	assert_true(charge(w, 4, NODE__FAULT_BREACH, false, t));
	assert_true(node__guard_host_until(&w->g, &ip, t) == t + 30 * SECOND);
	assert_int_equal(node__guard_host_until(&w->g, &other, t), 0);
}

/* hardening: "ban-storm-free under clock jumps" - the clock is monotonic, but a
 * machine that slept wakes hours later, and time may stand still. */
static void jumps_of_time_ban_nobody(void **state)
{
	struct world *w = *state;

	assert_false(charge(w, 1, NODE__FAULT_BAD_MESSAGE, false, HOUR));
	assert_false(charge(w, 1, NODE__FAULT_BAD_MESSAGE, false, 1000000 * HOUR));
	assert_false(charge(w, 1, NODE__FAULT_BAD_MESSAGE, false, UINT64_MAX - 1));
	assert_int_equal(until(w, 1, UINT64_MAX - 1), 0);
	assert_false(charge(w, 2, NODE__FAULT_BAD_MESSAGE, false, 0));
	assert_false(charge(w, 2, NODE__FAULT_BAD_MESSAGE, false, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define guard_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		guard_test(a_host_gets_three_then_one_in_thirty_seconds),
		guard_test(a_subnet_gets_sixteen),
		guard_test(everybody_together_gets_two_hundred),
		guard_test(the_lan_is_spared),
		guard_test(a_wasted_handshake_counts_twice),
		guard_test(half_of_the_crypto_is_kept_for_good_hosts),
		guard_test(faults_add_up_and_decay),
		guard_test(back_off_grows_to_a_day),
		guard_test(named_peers_wait_ten_seconds),
		guard_test(three_offenders_cost_their_host),
		guard_test(jumps_of_time_ban_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
