/* SPDX-License-Identifier: MIT */
/* tests/unit/test_keccak.c - the sponge, its bodies and its lanes, against golden
 * data, against OpenSSL's SHA-3 and against each other. */
#include "base/port.h"
#include "crypto/keccak_body.h"
#include "crypto/openssl.h"
#include "tests/vectors.h"

#define SEED   20240917
#define MANY   45   /* works in a batch: some more than lanes, refilled five times */
#define LONG   1500 /* bytes of the longest message: eleven blocks */
#define ROUNDS 60

static struct rng_seeded seed;
static struct rng rng;

static int setup(void **state)
{
	(void)state;
	rng = rng_seeded_init(&seed, SEED);
	return 0;
}

static size_t below(size_t bound)
{
	uint64_t n;

	assert_int_equal(rng_below(&rng, &n, bound), OK);
	return (size_t)n;
}

static struct span random_bytes(size_t len)
{
	struct span s = vec_fill(0, len);

	assert_int_equal(rng_fill(&rng, (uint8_t *)s.data, len), OK);
	return s;
}

/* Run a test in every body that this machine has. */
static void in_each_body(void (*test)(const char *body))
{
	enum keccak_body before = keccak_body_in_use();
	unsigned run = 0;

	for (enum keccak_body body = 0; body < KECCAK_BODIES; body++) {
		if (!keccak_body_force(body)) {
			print_message("no %s on this machine\n", keccak_body_name(body));
			continue;
		}
		assert_int_equal(keccak_body_in_use(), body);
		test(keccak_body_name(body));
		run++;
	}
	assert_true(run > 0);
	assert_true(keccak_body_force(before));
}

/* --- golden data ------------------------------------------------------------- */

struct golden {
	struct span message;
	uint8_t digest[32];
};

/* The messages are given as bytes, as a formula, or as one byte repeated. */
static struct span message_of(const json_t *v, const char *list)
{
	size_t len = (size_t)vec_u64(v, "len");
	struct span m;

	if (strcmp(list, "repeat") == 0)
		return vec_fill((uint8_t)vec_u64(v, "byte"), len);
	if (strcmp(list, "long") != 0)
		return vec_bytes(v, "message");
	m = vec_fill(0, len);
	for (size_t i = 0; i < len; i++)
		((uint8_t *)m.data)[i] = (uint8_t)(7 * i + len);
	return m;
}

static size_t golden_load(struct golden *out, size_t max, const json_t *file)
{
	static const char *const lists[] = { "short", "long", "repeat" };
	size_t n = 0;

	for (size_t l = 0; l < 3; l++) {
		const json_t *v;
		size_t i;

		vectors_each (file, lists[l], i, v) {
			assert_true(n < max);
			out[n].message = message_of(v, lists[l]);
			assert_int_equal(out[n].message.len, vec_u64(v, "len"));
			vec_exact(v, "keccak256", out[n++].digest, 32);
		}
	}
	return n;
}

static void golden_one_by_one(const struct golden *g, size_t count, const char *body)
{
	for (size_t i = 0; i < count; i++) {
		struct span m = g[i].message, half = span_of(m.data, m.len / 2);
		const struct span parts[] = { half, span_of(NULL, 0),
					      span_of(m.data + half.len, m.len - half.len) };
		uint8_t out[32];

		keccak256(out, m.data, m.len);
		assert_span_equal(span_of(out, 32), span_of(g[i].digest, 32), "%s, %zu bytes", body,
				  m.len);
		keccak256_parts(out, parts, 3);
		assert_span_equal(span_of(out, 32), span_of(g[i].digest, 32), "%s, parts", body);
	}
}

static void golden_in_lanes(const struct golden *g, size_t count, const char *body)
{
	struct keccak_item items[512];
	uint8_t out[512][32];

	assert_true(count <= 512);
	memset(out, 0, sizeof(out));
	for (size_t i = 0; i < count; i++)
		items[i] = (struct keccak_item){ g[i].message.data, g[i].message.len, out[i] };
	keccak256_many(items, count);
	for (size_t i = 0; i < count; i++)
		assert_span_equal(span_of(out[i], 32), span_of(g[i].digest, 32),
				  "%s, lanes, %zu bytes", body, g[i].message.len);
}

static void golden_in(const char *body)
{
	json_t *file = vectors_open("keccak256");
	struct golden g[512];
	size_t count = golden_load(g, 512, file);

	assert_true(count >= 321);
	golden_one_by_one(g, count, body);
	golden_in_lanes(g, count, body);
	vectors_close(file);
}

static void test_golden(void **state)
{
	(void)state;
	in_each_body(golden_in);
}

/* --- OpenSSL's SHA-3 ---------------------------------------------------------- */

/* SHA3-256 of each lane's message through one kernel: the same permutation and
 * rate, padded with 06 where Keccak has 01. */
static void sha3_in_kernel(const struct keccak__kernel *k, size_t len)
{
	uint64_t s[KECCAK__STATE_WORDS * KECCAK_LANES_MAX];
	const uint8_t *data[KECCAK_LANES_MAX];
	struct span padded[KECCAK_LANES_MAX];
	size_t blocks = len / KECCAK_RATE + 1;

	memset(s, 0xa5, sizeof(s)); /* fresh lanes must not care */
	for (size_t i = 0; i < k->lanes; i++) {
		uint8_t *p;

		padded[i] = random_bytes(blocks * KECCAK_RATE);
		p = (uint8_t *)padded[i].data;
		memset(p + len, 0, padded[i].len - len);
		p[len] ^= 0x06;
		p[padded[i].len - 1] ^= 0x80;
		data[i] = p;
	}
	k->absorb(s, data, blocks, (1u << k->lanes) - 1);
	for (size_t i = 0; i < k->lanes; i++) {
		uint8_t expect[32], got[32];

		assert_int_equal(EVP_Digest(data[i], len, expect, NULL, EVP_sha3_256(), NULL), 1);
		for (size_t w = 0; w < 4; w++)
			le64_store(got + 8 * w, s[w * k->lanes + i]);
		assert_span_equal(span_of(got, 32), span_of(expect, 32), "lane %zu of %u", i,
				  k->lanes);
	}
}

static void sha3_in(const char *body)
{
	(void)body;
	for (size_t lanes = 1; lanes <= KECCAK_LANES_MAX; lanes *= 2)
		for (size_t len = 0; len < 3 * KECCAK_RATE; len += len < 20 ? 1 : 7)
			sha3_in_kernel(keccak__kernel_for(lanes), len);
	vectors_close(NULL);
}

static void test_sha3_through_the_same_permutation(void **state)
{
	(void)state;
	in_each_body(sha3_in);
}

/* --- running states ------------------------------------------------------------ */

/* Any chunking gives the same digest, and peeking changes nothing. */
static void chunks_in(const char *body)
{
	for (size_t round = 0; round < ROUNDS; round++) {
		struct span m = random_bytes(below(LONG));
		struct keccak k;
		size_t at = 0;

		keccak_init(&k);
		while (at < m.len) {
			size_t part = 1 + below(size_min(m.len - at, 300));
			uint8_t so_far[32], expect[32];

			keccak_update(&k, m.data + at, part);
			at += part;
			keccak_peek(&k, so_far);
			keccak256(expect, m.data, at);
			assert_span_equal(span_of(so_far, 32), span_of(expect, 32),
					  "%s, %zu of %zu", body, at, m.len);
			assert_true(k.pos < KECCAK_RATE);
		}
		vectors_close(NULL);
	}
}

static void test_any_chunking(void **state)
{
	(void)state;
	in_each_body(chunks_in);
}

/* Many running states side by side, fed unequally, as RLPx MACs are. */
static void running_in(const char *body)
{
	for (size_t round = 0; round < ROUNDS; round++) {
		struct keccak one[MANY], many[MANY], *states[MANY];
		const struct keccak *peeked[MANY];
		struct span data[MANY];
		uint8_t out[MANY][32];
		size_t count = below(MANY + 1);
		bool equal = below(3) == 0;

		for (size_t i = 0; i < count; i++) {
			struct span before = random_bytes(below(2 * KECCAK_RATE));

			keccak_init(&one[i]);
			keccak_update(&one[i], before.data, before.len);
			many[i] = one[i];
			states[i] = &many[i];
			peeked[i] = &many[i];
		}
		for (size_t step = 0; step < 3; step++) {
			size_t len = below(LONG);

			for (size_t i = 0; i < count; i++) {
				data[i] = random_bytes(equal ? len : below(LONG));
				keccak_update(&one[i], data[i].data, data[i].len);
			}
			keccak_update_many(states, data, count);
			keccak_peek_many(peeked, out, count);
			for (size_t i = 0; i < count; i++) {
				uint8_t expect[32];

				keccak_peek(&one[i], expect);
				assert_span_equal(span_of(out[i], 32), span_of(expect, 32),
						  "%s, %zu of %zu", body, i, count);
				assert_memory_equal(&one[i].a, &many[i].a, sizeof(one[i].a));
				assert_int_equal(one[i].pos, many[i].pos);
			}
		}
		vectors_close(NULL);
	}
}

static void test_running_states_side_by_side(void **state)
{
	(void)state;
	in_each_body(running_in);
}

/* Each position in the block, each length around it. */
static void positions_in(const char *body)
{
	struct span m = random_bytes(3 * KECCAK_RATE);

	for (size_t pos = 0; pos < KECCAK_RATE; pos++) {
		struct keccak one[2], many[2], *states[2] = { &many[0], &many[1] };
		struct span data[2] = { span_of(m.data, KECCAK_RATE - pos),
					span_of(m.data, 2 * KECCAK_RATE - pos + pos % 3) };

		for (size_t i = 0; i < 2; i++) {
			keccak_init(&one[i]);
			keccak_update(&one[i], m.data, pos);
			many[i] = one[i];
			keccak_update(&one[i], data[i].data, data[i].len);
		}
		keccak_update_many(states, data, 2);
		for (size_t i = 0; i < 2; i++) {
			assert_memory_equal(&one[i].a, &many[i].a, sizeof(one[i].a));
			assert_int_equal(one[i].pos, many[i].pos);
		}
	}
	(void)body;
	vectors_close(NULL);
}

static void test_each_position(void **state)
{
	(void)state;
	in_each_body(positions_in);
}

/* Many messages of any lengths give what they give one by one. */
static void unequal_in(const char *body)
{
	for (size_t round = 0; round < ROUNDS; round++) {
		struct keccak_item items[MANY];
		uint8_t out[MANY][32], expect[32];
		size_t count = below(MANY + 1);

		for (size_t i = 0; i < count; i++) {
			struct span m = random_bytes(below(4) == 0 ? below(LONG) : below(300));

			items[i] = (struct keccak_item){ m.data, m.len, out[i] };
		}
		keccak256_many(items, count);
		for (size_t i = 0; i < count; i++) {
			keccak256(expect, items[i].data, items[i].len);
			assert_span_equal(span_of(out[i], 32), span_of(expect, 32),
					  "%s, %zu of %zu", body, i, count);
		}
		vectors_close(NULL);
	}
}

static void test_unequal_lengths_in_lanes(void **state)
{
	(void)state;
	in_each_body(unequal_in);
}

/* --- bodies ---------------------------------------------------------------------- */

static void test_bodies_are_named_and_chosen(void **state)
{
	enum keccak_body best = KECCAK_BODIES;

	(void)state;
	for (enum keccak_body body = 0; body < KECCAK_BODIES; body++) {
		assert_non_null(keccak_body_name(body));
		if (keccak_body_usable(body))
			best = body;
		else
			assert_false(keccak_body_force(body));
	}
	assert_true(keccak_body_usable(KECCAK_PORTABLE));
	assert_false(keccak_body_usable(KECCAK_BODIES));
	assert_int_equal(keccak_body_in_use(), best); /* nothing was forced for good */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_sha3_through_the_same_permutation),
		cmocka_unit_test(test_any_chunking),
		cmocka_unit_test(test_running_states_side_by_side),
		cmocka_unit_test(test_each_position),
		cmocka_unit_test(test_unequal_lengths_in_lanes),
		cmocka_unit_test(test_bodies_are_named_and_chosen),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
