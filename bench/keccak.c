/* SPDX-License-Identifier: MIT */
/* bench/keccak.c - the permutation in each body, digests in numbers, the search. */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "crypto/keccak.h"

#define ITEMS  64
#define BLOCKS 32 /* permutations of one long message */

struct many {
	uint8_t data[ITEMS][16384];
	uint8_t out[ITEMS][32];
	struct keccak_item items[ITEMS];
	size_t len;
};

static struct many many;

static void run_long(void *ctx, uint64_t n)
{
	static uint8_t message[BLOCKS * KECCAK_RATE - 1];
	uint8_t out[32];

	(void)ctx;
	for (uint64_t i = 0; i < n; i++) {
		keccak256(out, message, sizeof(message));
		bench_use(out);
	}
}

static void run_many(void *ctx, uint64_t n)
{
	(void)ctx;
	for (uint64_t i = 0; i < n; i++) {
		keccak256_many(many.items, ITEMS);
		bench_use(many.out);
	}
}

static void set_len(size_t len)
{
	for (size_t i = 0; i < ITEMS; i++)
		many.items[i] = (struct keccak_item){ many.data[i], len, many.out[i] };
	many.len = len;
}

static void run_search(void *ctx, uint64_t n)
{
	struct keccak_search s;
	uint64_t nonce;

	keccak_search_init(&s, ctx, 56);
	bench_use((void *)(uintptr_t)keccak_search_run(&s, &nonce, 0, n, KECCAK_LEADING, 256));
}

static void one_body(enum keccak_body body)
{
	static const size_t lens[] = { 64, 256, 1024, 16384 };
	uint8_t prefix[56] = { 1 };
	char name[64];
	double scalar, lanes;

	if (!keccak_body_force(body))
		return;
	scalar = 1e3 * BLOCKS / bench_ns(run_long, NULL);
	snprintf(name, sizeof(name), "keccak/%s one state", keccak_body_name(body));
	bench_report(name, scalar, "Mperm/s", BENCH_MORE, 0, NULL);
	set_len(BLOCKS * KECCAK_RATE - 1);
	lanes = 1e3 * BLOCKS * ITEMS / bench_ns(run_many, NULL);
	snprintf(name, sizeof(name), "keccak/%s lanes", keccak_body_name(body));
	bench_report(name, lanes, "Mperm/s", BENCH_MORE, 0, NULL);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		double perms = (double)(lens[i] / KECCAK_RATE + 1);

		set_len(lens[i]);
		snprintf(name, sizeof(name), "keccak/%s %zu B, many", keccak_body_name(body),
			 lens[i]);
		bench_report(name, bench_ns(run_many, NULL) / ITEMS, "ns", BENCH_LESS,
			     1e3 * perms / lanes, "its permutations");
	}
	snprintf(name, sizeof(name), "seal/%s one core", keccak_body_name(body));
	bench_report(name, 1e3 / bench_ns(run_search, prefix), "Mhash/s", BENCH_MORE, lanes,
		     "its permutations");
}

void bench_keccak(void)
{
	enum keccak_body best = keccak_body_in_use();

	for (int body = KECCAK_PORTABLE; body < KECCAK_BODIES; body++)
		one_body((enum keccak_body)body);
	if (!keccak_body_force(best))
		return;
}
