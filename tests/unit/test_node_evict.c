/* SPDX-License-Identifier: MIT */
/* Whom a full node drops (hardening P2), against a slow reference. */
#include "node/evict.h"

#include "base/port.h"
#include "tests/evict_model.h"
#include "tests/vectors.h"

#define MAX 1024

static struct node__evictable peer(uint32_t link, uint64_t subnet, uint64_t since)
{
	return (struct node__evictable){
		.link = link,
		.subnet = subnet,
		.since_ms = since,
		.rtt_ms = UINT32_MAX,
	};
}

static void nobody_is_evicted_from_few(void **state)
{
	struct node__evictable p[16];

	(void)state;
	for (size_t count = 0; count <= 12; count++) {
		for (uint32_t i = 0; i < count; i++)
			p[i] = peer(i, 7, i);
		assert_int_equal(node__evict_choose(p, count), UINT32_MAX);
	}
	for (uint32_t i = 0; i < 13; i++)
		p[i] = peer(i, 7, i);
	assert_int_not_equal(node__evict_choose(p, 13), UINT32_MAX);
}

/* Twenty honest peers of subnets of their own, then an attacker with forty links
 * of one: it is always one of those that goes, and the youngest first. */
static void the_largest_subnet_pays(void **state)
{
	struct node__evictable p[60];
	uint32_t victim;

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		p[i] = peer(i, 1000 + i, i);
	for (uint32_t i = 20; i < 60; i++)
		p[i] = peer(i, 5, i);
	victim = node__evict_choose(p, 60);
	assert_in_range(victim, 20, 59);
}

/* An attacker that is better in one respect only keeps at most so many. */
static void one_virtue_saves_four(void **state)
{
	struct node__evictable p[40];
	bool gone[40] = { false };
	size_t count = 40, attackers = 20;

	(void)state;
	while (count > 12) {
		struct node__evictable scratch[40];
		size_t n = 0;
		uint32_t victim;

		for (uint32_t i = 0; i < 40; i++) {
			if (gone[i])
				continue;
			p[n] = peer(i, i < 20 ? 100 + i : 5, i);
			p[n].rtt_ms = i < 20 ? 100 : 1;
			p[n].useful_ms = i < 20 ? 50 + i : 0;
			n++;
		}
		memcpy(scratch, p, sizeof(p));
		victim = node__evict_choose(scratch, n);
		if (victim == UINT32_MAX)
			break;
		gone[victim] = true;
		attackers -= victim >= 20;
		count--;
	}
	/* 4 by round trip, and what of the rest hides behind nothing is gone. */
	assert_in_range(attackers, 0, 8);
}

static void the_reference_agrees(void **state)
{
	struct rng_seeded s;
	struct rng rng = rng_seeded_init(&s, 20);
	static struct node__evictable p[MAX], q[MAX];

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		uint64_t count, r;

		assert_int_equal(rng_below(&rng, &count, round < 390 ? 80 : MAX), OK);
		for (uint32_t i = 0; i < count; i++) {
			assert_int_equal(rng_below(&rng, &r, UINT64_MAX), OK);
			p[i] = (struct node__evictable){
				.link = i,
				.subnet = r % 9,
				.since_ms = r >> 8 & 15,
				.useful_ms = r >> 16 & 7,
				.rtt_ms = (uint32_t)(r >> 24 & 7),
			};
		}
		memcpy(q, p, count * sizeof(p[0]));
		assert_int_equal(node__evict_choose(q, count), evict_model(p, count));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_evicted_from_few),
		cmocka_unit_test(the_largest_subnet_pays),
		cmocka_unit_test(one_virtue_saves_four),
		cmocka_unit_test(the_reference_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
