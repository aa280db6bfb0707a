/* SPDX-License-Identifier: MIT */
/* shh/work.c and shh/job.c: digests, zero bits and values of all four rules, bit
 * for bit; the sealing search; hardening W4 (values against independent ones).
 */
#include "tests/shh_vectors.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "shh/job.h"

static uint64_t bits_of(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

static void assert_double(double got, uint64_t want, const char *name)
{
	if (bits_of(got) != want)
		fail_msg("%s: %a, 0x%016llx expected", name, got, (unsigned long long)want);
}

/* --- values ------------------------------------------------------------------- */

struct named_rule {
	enum shh_rule rule;
	const char *vector, *session; /* how the two files call it */
};

static const struct named_rule rules[SHH_RULES] = {
	{ SHH_RULE_GETH18, "geth_1_8", "geth18" },
	{ SHH_RULE_GETH19, "geth_1_9", "geth19" },
	{ SHH_RULE_EIP627, "eip627_parity", "parity" },
	{ SHH_RULE_NIMBUS, "nimbus", "nim" },
};

static void check_rule(const struct shh_envelope *e, enum shh_rule rule, const json_t *pow,
		       const char *name)
{
	enum shh_digest kind = shh_rule_digest(rule);
	unsigned bits = shh_work_bits(e->content, e->nonce, kind);
	uint64_t want = be64_load(vec_bytes(pow, "float64_bits").data);
	uint8_t digest[32];

	assert_int_equal(bits, vec_u64(pow, "zero_bits"));
	assert_double(shh_work_value(rule, bits, e), want, name);
	assert_double(shh_work_value_life(rule, bits, e, (uint32_t)e->ttl), want, name);
	if (!vec_has(pow, "digest"))
		return;
	shh_work_digest(digest, e->content, e->nonce, kind);
	assert_span_equal(span_of(digest, 32), vec_bytes(pow, "digest"), "%s", name);
}

static void test_vectors(void **state)
{
	json_t *file = vectors_open("whisper_envelopes");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "vectors", i, v) {
		struct shh_envelope e = envelope_of(vec_bytes(v, "rlp"));

		for (size_t r = 0; r < SHH_RULES; r++) {
			check_rule(&e, rules[r].rule, vec_get(vec_get(v, "pow"), rules[r].vector),
				   vec_text(v, "id"));
			count++;
		}
	}
	assert_int_equal(count, 4 * 121);
	vectors_close(file);
}

static void check_session(const json_t *v, const char *where, void *ctx)
{
	struct shh_envelope e = { .expiry = vec_u64(v, "expiry"), .ttl = vec_u64(v, "ttl") };

	(void)ctx;
	e.content = vec_content(v);
	e.data = vec_bytes(v, "data");
	e.nonce = be64_load(vec_bytes(v, "nonce").data);
	for (size_t r = 0; r < SHH_RULES; r++)
		check_rule(&e, rules[r].rule, vec_get(vec_get(v, "pow"), rules[r].session), where);
}

static void test_session_envelopes(void **state)
{
	(void)state;
	assert_int_equal(sessions_each(check_session, NULL), SESSION_ENVELOPES);
}

/* The mail server's requests name geth 1.8's value as text. */
static void test_mail_requests(void **state)
{
	json_t *file = vectors_open("whisper_mail");
	size_t i, count = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "requests", i, v) {
		struct shh_envelope e = envelope_of(vec_bytes(v, "envelope"));
		unsigned bits = shh_work_bits(e.content, e.nonce, SHH_DIGEST_DOUBLE);
		double want = strtod(vec_text(v, "pow_geth_1_8"), NULL);

		assert_double(shh_work_value(SHH_RULE_GETH18, bits, &e), bits_of(want),
			      vec_text(v, "name"));
		count++;
	}
	assert_int_equal(count, 15);
	vectors_close(file);
}

/* geth counts an envelope from the future as living longer, in 32 bits. */
static void test_adjusted_life(void **state)
{
	json_t *file = vectors_open("whisper_envelopes");
	size_t i, count = 0, infinite = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "pow_adjusted_geth_1_8", i, v) {
		struct shh_envelope e = envelope_of(vec_bytes(v, "rlp"));
		uint32_t life = (uint32_t)vec_u64(v, "ttl") + (uint32_t)vec_u64(v, "added_seconds");
		unsigned bits = shh_work_bits(e.content, e.nonce, SHH_DIGEST_DOUBLE);
		double got = shh_work_value_life(SHH_RULE_GETH18, bits, &e, life);

		assert_int_equal(e.ttl, vec_u64(v, "ttl"));
		assert_double(got, be64_load(vec_bytes(v, "float64_bits").data), "adjusted");
		infinite += isinf(got) != 0;
		count++;
	}
	assert_int_equal(count, 30);
	assert_int_not_equal(infinite, 0);
	vectors_close(file);
}

/* A life of zero is infinite work in every family's arithmetic; everything else is finite. */
static void test_w4_ttl_0_is_infinite_the_rest_finite(void **state)
{
	static const uint64_t lives[] = { 1, 2, 50, 172800, 0x7fffffff, 0xffffffff };
	uint8_t bytes[30] = { 0 };
	struct shh_envelope e = { .data = { bytes, 10 }, .content = { bytes, 30 } };

	(void)state;
	for (unsigned r = 0; r < SHH_RULES; r++) {
		e.ttl = 0;
		assert_true(isinf(shh_work_value((enum shh_rule)r, 0, &e)));
		assert_int_equal(shh_work_bits_needed((enum shh_rule)r, 1e300, &e), 0);
		for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
			e.ttl = lives[i];
			for (unsigned bits = 0; bits <= 256; bits++) {
				double v = shh_work_value((enum shh_rule)r, bits, &e);

				assert_true(isfinite(v) && v > 0);
				assert_double(v,
					      bits_of(ldexp(shh_work_value((enum shh_rule)r, 0, &e),
							    (int)bits)),
					      "power of two");
			}
		}
	}
}

/* --- bits needed ------------------------------------------------------------------ */

static void check_needed(enum shh_rule rule, double target, struct shh_envelope *e)
{
	unsigned need = shh_work_bits_needed(rule, target, e);

	e->nonce = UINT64_MAX; /* enough for the longest nonce, so for any */
	if (need <= 256)
		assert_true(shh_work_value(rule, need, e) >= target);
	if (need > 0)
		assert_false(shh_work_value(rule, need - 1, e) >= target);
	e->nonce = 0;
	if (need <= 256)
		assert_true(shh_work_value(rule, need, e) >= target);
}

static void test_bits_needed(void **state)
{
	static const double targets[] = { 0,	0.0001, 0.002, 0.2,	 1,	  2,	   10,
					  1000, 1e10,	1e60,  1e300,	 DBL_MAX, DBL_MIN, 5e-324,
					  -1,	-0.0,	0.25,  INFINITY, NAN };
	json_t *file = vectors_open("whisper_envelopes");
	const json_t *v;
	size_t i;

	(void)state;
	vectors_each (file, "vectors", i, v) {
		struct shh_envelope e = envelope_of(vec_bytes(v, "rlp"));

		for (unsigned r = 0; r < SHH_RULES; r++) {
			for (size_t t = 0; t < sizeof(targets) / sizeof(targets[0]); t++)
				check_needed((enum shh_rule)r, targets[t], &e);
			for (unsigned bits = 0; bits < 64; bits += 7) /* exactly on the step */
				check_needed((enum shh_rule)r,
					     shh_work_value((enum shh_rule)r, bits, &e), &e);
		}
	}
	vectors_close(file);
}

static void test_bits_needed_known(void **state)
{
	uint8_t bytes[301] = { 0 };
	struct shh_envelope e = { .ttl = 50, .data = { bytes, 284 }, .content = { bytes, 298 } };

	(void)state;
	assert_int_equal(shh_work_bits_needed(SHH_RULE_GETH18, 0.2, &e), 12);
	assert_int_equal(shh_work_bits_needed(SHH_RULE_GETH19, 0.2, &e), 12);
	assert_int_equal(shh_work_bits_needed(SHH_RULE_GETH18, 0, &e), 0);
	assert_int_equal(shh_work_bits_needed(SHH_RULE_GETH18, -1, &e), 0);
	assert_int_equal(shh_work_bits_needed(SHH_RULE_GETH18, (double)INFINITY, &e), 257);
	assert_int_equal(shh_work_bits_needed(SHH_RULE_GETH18, (double)NAN, &e), 257);
	assert_int_equal(shh_work_bits_needed(SHH_RULE_GETH18, DBL_MAX, &e), 257);
}

/* --- many at once ------------------------------------------------------------------- */

/* Run fn under each Keccak body that this machine has; leave the one in use as it was. */
static void each_body(void (*fn)(const char *body))
{
	enum keccak_body before = keccak_body_in_use();
	unsigned ran = 0;

	for (unsigned b = 0; b < KECCAK_BODIES; b++) {
		if (!keccak_body_force((enum keccak_body)b))
			continue;
		fn(keccak_body_name((enum keccak_body)b));
		ran++;
	}
	assert_int_not_equal(ran, 0);
	assert_true(keccak_body_force(before));
}

#define MANY 200

static void check_many(const char *body)
{
	static const size_t lengths[] = { 0,   1,   5,	 118, 126, 127,	 132,  133, 134,
					  135, 136, 137, 263, 264, 265,	 298,  299, 400,
					  559, 680, 815, 816, 817, 1088, 1089, 4101 };
	static uint8_t bytes[8192];
	struct shh_work_item items[MANY];
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 1088);

	assert_int_equal(rng_fill(&rng, bytes, sizeof(bytes)), OK);
	for (size_t i = 0; i < MANY; i++) {
		size_t len = lengths[i * 7 % (sizeof(lengths) / sizeof(lengths[0]))];

		items[i] = (struct shh_work_item){
			.content = span_of(bytes + i, len),
			.nonce = i * 0x0123456789abcdefu,
			.digest = i % 3 == 0 ? SHH_DIGEST_DOUBLE : SHH_DIGEST_SINGLE,
			.bits = 999,
		};
	}
	for (size_t count = 0; count <= MANY; count += count < 20 ? 1 : 45) {
		shh_work_bits_many(items, count);
		for (size_t i = 0; i < MANY; i++) {
			unsigned want =
				shh_work_bits(items[i].content, items[i].nonce, items[i].digest);

			if (items[i].bits != (i < count ? want : 999))
				fail_msg("%s: item %zu of %zu: %u bits, %u expected", body, i,
					 count, items[i].bits, want);
			items[i].bits = 999;
		}
	}
}

static void test_many_as_one_by_one(void **state)
{
	(void)state;
	each_body(check_many);
}

/* All vectors in one call, both digests of each. */
static void check_many_vectors(const char *body)
{
	json_t *file = vectors_open("whisper_envelopes");
	struct shh_work_item items[2 * 121];
	size_t i, count = 0;
	const json_t *v;

	vectors_each (file, "vectors", i, v) {
		struct shh_envelope e = envelope_of(vec_bytes(v, "rlp"));

		for (unsigned d = 0; d < SHH_DIGESTS; d++)
			items[count++] =
				(struct shh_work_item){ e.content, e.nonce, (enum shh_digest)d, 0 };
	}
	shh_work_bits_many(items, count);
	vectors_each (file, "vectors", i, v) {
		const json_t *pow = vec_get(v, "pow");
		unsigned want[SHH_DIGESTS];

		want[SHH_DIGEST_DOUBLE] = (unsigned)vec_u64(vec_get(pow, "geth_1_8"), "zero_bits");
		want[SHH_DIGEST_SINGLE] = (unsigned)vec_u64(vec_get(pow, "geth_1_9"), "zero_bits");
		for (unsigned d = 0; d < SHH_DIGESTS; d++)
			if (items[2 * i + d].bits != want[d])
				fail_msg("%s: %s", body, vec_text(v, "id"));
	}
	assert_int_equal(count, 242);
	vectors_close(file);
}

static void test_many_vectors(void **state)
{
	(void)state;
	each_body(check_many_vectors);
}

/* --- sealing ---------------------------------------------------------------------- */

/* The slow reference: every nonce from 0 on. */
static uint64_t smallest_nonce(struct span content, enum shh_digest d, unsigned bits)
{
	for (uint64_t n = 0;; n++)
		if (shh_work_bits(content, n, d) >= bits)
			return n;
}

static struct shh_seal_job job_of(struct span content, enum shh_digest d, unsigned bits,
				  uint64_t max)
{
	struct shh_seal_job job = { .digest = d, .bits = bits, .hashes_max = max };

	shh_seal_search_init(&job.search, content, d);
	return job;
}

static const uint64_t slices[] = { 1, 3, 7, 8, 9, 64, 1000, 1u << 20, UINT64_MAX };

static void check_smallest(struct span content, enum shh_digest d, unsigned bits, const char *body)
{
	struct shh_seal_job job = job_of(content, d, bits, UINT64_MAX);
	uint64_t want = smallest_nonce(content, d, bits);

	for (size_t s = 0; s < sizeof(slices) / sizeof(slices[0]); s++) {
		struct shh_seal_progress p = { .next = 0 };

		while (!p.done)
			shh_seal_run(&job, &p, slices[s]);
		if (p.nonce != want || p.bits != shh_work_bits(content, want, d))
			fail_msg("%s: %zu bytes, %u bits, slices of %llu: nonce %llu, not %llu",
				 body, content.len, bits, (unsigned long long)slices[s],
				 (unsigned long long)p.nonce, (unsigned long long)want);
		assert_true(p.next == want + 1);
	}
}

static void check_seal(const char *body)
{
	static const size_t lengths[] = { 0,   1,   60,	 123, 124, 125, 126, 127, 128, 129,
					  130, 131, 132, 133, 134, 135, 136, 137, 255, 256,
					  257, 298, 407, 408, 543, 544, 545, 4102 };
	static uint8_t bytes[4102];
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 4096);

	assert_int_equal(rng_fill(&rng, bytes, sizeof(bytes)), OK);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (unsigned d = 0; d < SHH_DIGESTS; d++)
			for (unsigned bits = 1; bits <= 9; bits += 4)
				check_smallest(span_of(bytes, lengths[i]), (enum shh_digest)d, bits,
					       body);
}

static void test_seal_smallest_nonce(void **state)
{
	(void)state;
	each_body(check_seal);
}

/* No target: the best of so many, the smaller nonce among equals. */
static void check_best(const char *body)
{
	static const uint64_t tries[] = { 1, 2, 100, 3001 };
	uint8_t bytes[150] = { 7 };

	for (unsigned d = 0; d < SHH_DIGESTS; d++) {
		struct span content = span_of(bytes, sizeof(bytes));

		for (size_t t = 0; t < sizeof(tries) / sizeof(tries[0]); t++) {
			struct shh_seal_job job = job_of(content, (enum shh_digest)d, 0, tries[t]);
			uint64_t best = 0;

			for (uint64_t n = 1; n < tries[t]; n++)
				if (shh_work_bits(content, n, (enum shh_digest)d) >
				    shh_work_bits(content, best, (enum shh_digest)d))
					best = n;
			for (size_t s = 0; s < sizeof(slices) / sizeof(slices[0]); s++) {
				struct shh_seal_progress p = { .next = 0 };

				while (!p.done)
					shh_seal_run(&job, &p, slices[s]);
				if (p.nonce != best ||
				    p.bits != shh_work_bits(content, best, (enum shh_digest)d))
					fail_msg("%s: best of %llu", body,
						 (unsigned long long)tries[t]);
				assert_true(p.next == tries[t]);
			}
		}
	}
}

static void test_seal_best(void **state)
{
	(void)state;
	each_body(check_best);
}

static void test_seal_gives_up(void **state)
{
	uint8_t bytes[40] = { 1 };
	struct span content = span_of(bytes, sizeof(bytes));
	struct shh_seal_job job = job_of(content, SHH_DIGEST_SINGLE, 200, 1000);
	struct shh_seal_progress p = { .next = 0 };

	(void)state;
	shh_seal_run(&job, &p, 999);
	assert_false(p.done);
	assert_true(p.next == 999);
	shh_seal_run(&job, &p, UINT64_MAX);
	assert_true(p.done && p.bits == 0 && p.next == 1000);
	shh_seal_run(&job, &p, 5);
	assert_true(p.next == 1000);
	job.hashes_max = 0;
	p = (struct shh_seal_progress){ .next = 0 };
	shh_seal_run(&job, &p, 5);
	assert_true(p.done && p.next == 0 && p.bits == 0);
}

/* Searching again what geth 1.8 sealed gives geth's nonce: it starts at 0 too. */
static void test_seal_finds_the_nonces_of_geth(void **state)
{
	json_t *file = vectors_open("whisper_envelopes");
	const json_t *v;
	size_t i, mined = 0;

	(void)state;
	vectors_each (file, "vectors", i, v) {
		struct shh_envelope e = envelope_of(vec_bytes(v, "rlp"));
		unsigned bits = shh_work_bits(e.content, e.nonce, SHH_DIGEST_DOUBLE);
		struct shh_seal_job job = job_of(e.content, SHH_DIGEST_DOUBLE, bits, e.nonce + 1);
		struct shh_seal_progress p = { .next = 0 };

		if (strncmp(vec_text(v, "name"), "forced nonce", 12) == 0)
			continue;
		while (!p.done)
			shh_seal_run(&job, &p, 1u << 14);
		assert_true(p.nonce == e.nonce);
		mined++;
	}
	assert_int_equal(mined, 121 - 9);
	vectors_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_session_envelopes),
		cmocka_unit_test(test_mail_requests),
		cmocka_unit_test(test_adjusted_life),
		cmocka_unit_test(test_w4_ttl_0_is_infinite_the_rest_finite),
		cmocka_unit_test(test_bits_needed),
		cmocka_unit_test(test_bits_needed_known),
		cmocka_unit_test(test_many_as_one_by_one),
		cmocka_unit_test(test_many_vectors),
		cmocka_unit_test(test_seal_smallest_nonce),
		cmocka_unit_test(test_seal_best),
		cmocka_unit_test(test_seal_gives_up),
		cmocka_unit_test(test_seal_finds_the_nonces_of_geth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
