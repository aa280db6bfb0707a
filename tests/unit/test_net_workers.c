/* SPDX-License-Identifier: MIT */
/* Workers: the smallest sufficient nonce whoever finds it, limits of time and
 * number, cancelling, calls that block, and an end that waits for nobody long. */
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

#include "net/net.h"
#include "net/workers.h"
#include "tests/vectors.h"

static const uint8_t content[] = "any bytes that an envelope may have";

static struct shh_seal_job job_of(unsigned bits, enum shh_digest digest, uint32_t salt)
{
	struct shh_seal_job job = {
		.digest = digest,
		.bits = bits,
		.hashes_max = UINT64_MAX,
	};
	uint8_t salted[sizeof(content) + 4];

	memcpy(salted, content, sizeof(content));
	be32_store(salted + sizeof(content), salt);
	shh_seal_search_init(&job.search, span_of(salted, sizeof(salted)), digest);
	return job;
}

static bool wait_for(struct workers *w, int ms)
{
	struct pollfd p = { .fd = workers_fd(w), .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static struct workers_result next_of(struct workers *w)
{
	struct workers_result r;

	while (!workers_next(w, &r))
		assert_true(wait_for(w, 20000));
	return r;
}

static struct workers *make(unsigned count)
{
	struct workers *w;

	assert_int_equal(workers_new(&w, count), OK);
	return w;
}

/* What one search alone finds is what any number of workers find. */
static void smallest_nonce_wins(void **state)
{
	(void)state;
	for (unsigned count = 1; count <= 4; count++) {
		struct workers *w = make(count);

		for (uint32_t salt = 0; salt < 6; salt++) {
			struct shh_seal_job job = job_of(17 + salt % 3, salt % SHH_DIGESTS, salt);
			struct shh_seal_progress alone = { .next = 0 };
			struct workers_result r;

			while (!alone.done)
				shh_seal_run(&job, &alone, 1u << 20);
			assert_int_equal(workers_seal(w, salt, &job), OK);
			r = next_of(w);
			assert_int_equal(r.id, salt);
			assert_null(r.done);
			assert_true(r.progress.done);
			assert_true(r.progress.nonce == alone.nonce);
			assert_int_equal(r.progress.bits, alone.bits);
		}
		assert_true(workers_free(w));
	}
}

static void many_searches_each_once(void **state)
{
	enum { MANY = 40 };
	struct workers *w = make(3);
	bool seen[MANY] = { false };
	struct workers_result r;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		struct shh_seal_job job = job_of(10, SHH_DIGEST_SINGLE, i);

		assert_int_equal(workers_seal(w, i, &job), OK);
	}
	for (int i = 0; i < MANY; i++) {
		r = next_of(w);
		assert_in_range(r.id, 0, MANY - 1);
		assert_false(seen[r.id]);
		seen[r.id] = true;
		assert_true(r.progress.bits >= 10);
	}
	assert_false(workers_next(w, &r));
	assert_false(wait_for(w, 0));
	assert_true(workers_free(w));
}

static void limits_end_a_search(void **state)
{
	struct workers *w = make(2);
	struct shh_seal_job job = job_of(200, SHH_DIGEST_SINGLE, 0);
	struct workers_result r;

	(void)state;
	job.hashes_max = 100000;
	assert_int_equal(workers_seal(w, 1, &job), OK);
	r = next_of(w);
	assert_true(r.progress.done); /* all were tried */
	assert_true(r.progress.bits < 200);

	job.hashes_max = UINT64_MAX;
	job.time_ms = 30;
	assert_int_equal(workers_seal(w, 2, &job), OK);
	r = next_of(w);
	assert_false(r.progress.done);
	assert_true(r.progress.bits < 200);

	/* Without a target: the best that the time allows, and no better one below. */
	job.bits = 0;
	assert_int_equal(workers_seal(w, 3, &job), OK);
	r = next_of(w);
	assert_true(r.progress.bits > 0);
	{
		uint64_t nonce;
		unsigned bits = keccak_search_best(&job.search, &nonce, 0, r.progress.nonce + 1,
						   KECCAK_LEADING);

		assert_int_equal(bits, r.progress.bits);
		assert_true(nonce == r.progress.nonce);
	}
	assert_true(workers_free(w));
}

/* A search that was cancelled says nothing any more, wherever it was. */
static void cancelled_searches_are_silent(void **state)
{
	struct workers *w = make(1);
	struct shh_seal_job endless = job_of(250, SHH_DIGEST_SINGLE, 0);
	struct shh_seal_job quick = job_of(1, SHH_DIGEST_SINGLE, 1);
	struct workers_result r;

	(void)state;
	assert_int_equal(workers_seal(w, 1, &endless), OK); /* under way */
	assert_int_equal(workers_seal(w, 2, &endless), OK); /* waits */
	usleep(20000);
	workers_cancel(w, 2);
	workers_cancel(w, 1);
	workers_cancel(w, 77); /* nobody knows it */
	assert_int_equal(workers_seal(w, 3, &quick), OK);
	assert_true(wait_for(w, 20000));
	workers_cancel(w, 3); /* finished, not fetched */
	assert_int_equal(workers_seal(w, 4, &quick), OK);
	r = next_of(w);
	assert_int_equal(r.id, 4);
	assert_false(workers_next(w, &r));
	assert_true(workers_free(w));
}

struct call {
	atomic_int ran, release;
	int done;
	uint64_t at_ms;
};

static void fn(void *arg)
{
	struct call *c = arg;

	c->ran++;
	while (!c->release)
		usleep(1000);
}

static void done(void *arg, uint64_t now_ms)
{
	struct call *c = arg;

	c->done++;
	c->at_ms = now_ms;
}

/* A call does not wait for searches, and there are only so many. */
static void calls_come_first(void **state)
{
	struct workers *w = make(1);
	struct shh_seal_job endless = job_of(250, SHH_DIGEST_SINGLE, 0);
	struct call c = { .done = 0 };
	struct workers_result r;

	(void)state;
	assert_int_equal(workers_seal(w, 1, &endless), OK);
	assert_int_equal(workers_call(w, 2, fn, done, &c), OK);
	assert_int_equal(workers_call(w, 2, fn, done, &c), OK);
	assert_int_equal(workers_call(w, 2, fn, done, &c), ERR_FULL);
	c.release = 1;
	for (int i = 0; i < 2; i++) {
		r = next_of(w);
		assert_ptr_equal(r.arg, &c);
		assert_non_null(r.done);
		r.done(r.arg, 5);
	}
	assert_int_equal(c.ran, 2);
	assert_int_equal(c.done, 2);
	assert_int_equal(workers_call(w, 2, fn, done, &c), OK); /* there is room again */
	assert_true(workers_free(w));
}

/* The end does not wait for ever: what hangs is left behind, and said so. */
static void the_end_comes(void **state)
{
	static struct call hanging;  /* outlives the workers, as it must */
	static struct workers *left; /* what is left behind, where leak checkers find it */
	struct workers *w = make(2);
	struct shh_seal_job endless = job_of(250, SHH_DIGEST_SINGLE, 0);

	(void)state;
	assert_int_equal(workers_seal(w, 1, &endless), OK);
	assert_true(workers_free(w));
	left = make(1);
	assert_int_equal(workers_call(left, 1, fn, done, &hanging), OK);
	while (hanging.ran == 0)
		usleep(1000);
	assert_false(workers_free(left));
	hanging.release = 1;
	assert_int_equal(hanging.done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest_nonce_wins),
		cmocka_unit_test(many_searches_each_once),
		cmocka_unit_test(limits_end_a_search),
		cmocka_unit_test(cancelled_searches_are_silent),
		cmocka_unit_test(calls_come_first),
		cmocka_unit_test(the_end_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
