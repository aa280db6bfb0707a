/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_mux.c - matching against a model, offsets, fair queues (hardening B3, B7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rlpx/mux.h"

/* The specification, step by step and without economy: the codes of one name. */
static bool model_find(const char *name, struct rlpx_shared *out,
		       const struct rlpx_capability *ours, size_t our_count,
		       const struct rlpx_capability *theirs, size_t their_count)
{
	bool found = false;

	for (size_t i = 0; i < our_count; i++)
		for (size_t j = 0; j < their_count; j++)
			if (strcmp(ours[i].name, name) == 0 && strcmp(theirs[j].name, name) == 0 &&
			    ours[i].version == theirs[j].version &&
			    (!found || ours[i].version > ours[out->cap].version)) {
				found = true;
				out->cap = (uint8_t)i;
				out->length = ours[i].length;
			}
	return found;
}

static const char *const names[] = { "aaa", "ab", "b", "eth", "ethx", "les", "shh", "waku" };
#define NAMES (sizeof(names) / sizeof(names[0])) /* in order of their bytes */

static size_t model(struct rlpx_shared *out, const struct rlpx_capability *ours, size_t our_count,
		    const struct rlpx_capability *theirs, size_t their_count)
{
	uint32_t offset = 0x10;
	size_t n = 0;

	for (size_t i = 0; i < NAMES; i++)
		if (model_find(names[i], &out[n], ours, our_count, theirs, their_count)) {
			out[n].offset = offset;
			offset += out[n++].length;
		}
	return n;
}

static uint32_t draw(const struct rng *rng, uint32_t below)
{
	uint64_t v;

	assert_int_equal(rng_below(rng, &v, below), OK);
	return (uint32_t)v;
}

static int by_order(const void *a, const void *b)
{
	return rlpx__capability_compare(a, b);
}

static size_t draw_caps(const struct rng *rng, struct rlpx_capability *caps, size_t max)
{
	size_t n = draw(rng, (uint32_t)max + 1);

	for (size_t i = 0; i < n; i++) {
		caps[i] = (struct rlpx_capability){ .version = draw(rng, 4),
						    .length = 1 + draw(rng, 500) };
		strcpy(caps[i].name, names[draw(rng, NAMES)]);
		for (size_t j = 0; j < i; j++)
			if (by_order(&caps[j], &caps[i]) == 0) {
				i--;
				n--;
				break;
			}
	}
	return n;
}

static void test_match_is_the_model(void **state)
{
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 4);
	size_t shared = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct rlpx_capability ours[RLPX_CAPS_MAX], theirs[20];
		struct rlpx_shared got[RLPX_CAPS_MAX] = { 0 }, want[RLPX_CAPS_MAX] = { 0 };
		size_t our_count = draw_caps(&rng, ours, RLPX_CAPS_MAX), n;
		size_t their_count = draw_caps(&rng, theirs, 20);

		qsort(ours, our_count, sizeof(ours[0]), by_order);
		n = rlpx__capabilities_match(got, ours, our_count, theirs, their_count);
		assert_int_equal(n, model(want, ours, our_count, theirs, their_count));
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(got[i].cap, want[i].cap);
			assert_int_equal(got[i].offset, want[i].offset);
			assert_int_equal(got[i].length, want[i].length);
		}
		shared += n;
	}
	assert_true(shared > 10000); /* it was not all emptiness */
}

/* geth 1.8 with eth/63 and shh/6: eth at 10, shh at 21. */
static void test_offsets_of_old(void **state)
{
	static const struct rlpx_capability ours[] = { { "eth", 62, 8 },
						       { "eth", 63, 17 },
						       { "shh", 6, 128 } };
	static const struct rlpx_capability theirs[] = {
		{ "shh", 6, 0 }, { "eth", 63, 0 }, { "eth", 62, 0 }, { "snap", 1, 0 }
	};
	struct rlpx_shared out[RLPX_CAPS_MAX];

	(void)state;
	assert_int_equal(rlpx__capabilities_match(out, ours, 3, theirs, 4), 2);
	assert_int_equal(out[0].offset, 0x10);
	assert_int_equal(out[0].length, 17);
	assert_int_equal(out[1].offset, 0x21);
	assert_int_equal(out[1].cap, 2);
	assert_int_equal(rlpx__capabilities_match(out, ours, 3, theirs + 3, 1), 0);
}

static const struct rlpx_shared two[] = { { 0, 0x10, 17 }, { 1, 0x21, 128 } };

static struct blob *blob_of(struct mem *mem, size_t len)
{
	struct blob *b;

	assert_int_equal(blob_new(&b, mem, MEM_SEND, len), OK);
	return b;
}

static enum err push(struct rlpx__mux *m, struct mem *mem, uint8_t cap, uint32_t code, size_t len,
		     size_t beside)
{
	struct blob *b = blob_of(mem, len);
	enum err e = rlpx__mux_push(m, cap, code, b, beside);

	if (e != OK)
		blob_unref(b);
	return e;
}

static void test_codes(void **state)
{
	struct mem mem;
	struct rlpx__mux *m;

	(void)state;
	mem_init(&mem);
	assert_int_equal(rlpx__mux_new(&m, &mem, two, 2), OK);
	for (uint64_t code = 0; code < 70000; code++) {
		const struct rlpx_shared *s = rlpx__mux_find(m, code);

		if (code < 0x10 || code >= 0x21 + 128)
			assert_null(s);
		else
			assert_int_equal(s->cap, code < 0x21 ? 0 : 1);
	}
	assert_null(rlpx__mux_find(m, UINT64_MAX));
	assert_int_equal(push(m, &mem, 0, 16, 1, 0), OK);
	assert_int_equal(push(m, &mem, 0, 17, 1, 0), ERR_CODE);
	assert_int_equal(push(m, &mem, 1, 127, 1, 0), OK);
	assert_int_equal(push(m, &mem, 1, UINT32_MAX, 1, 0), ERR_CODE);
	assert_int_equal(push(m, &mem, 2, 0, 1, 0), ERR_STATE);
	rlpx__mux_free(m);
	assert_int_equal(mem.total_used, 0);
}

/* Two lanes with messages of different sizes share by bytes, each in its order. */
static void test_fair_by_bytes(void **state)
{
	struct mem mem;
	struct rlpx__mux *m;
	size_t sent[2] = { 0 };
	uint32_t next_code[2] = { 0 }, code;
	struct blob *b;

	(void)state;
	mem_init(&mem);
	assert_int_equal(rlpx__mux_new(&m, &mem, two, 2), OK);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(push(m, &mem, 0, i, 60000, 0), OK);
	for (uint32_t i = 0; i < 128; i++)
		assert_int_equal(push(m, &mem, 1, i, 1000, 0), OK);
	while ((b = rlpx__mux_next(m, &code)) != NULL) {
		size_t lane = code >= 0x21 ? 1 : 0;

		assert_int_equal(code, two[lane].offset + next_code[lane]++);
		sent[lane] += b->len + MUX_OVERHEAD;
		rlpx__mux_pop(m);
		if (next_code[1] < 128) { /* while both wait neither gets far ahead */
			assert_true(sent[0] <= sent[1] + 61000);
			assert_true(sent[1] <= sent[0] + 61000);
		}
	}
	assert_int_equal(next_code[0], 16);
	assert_int_equal(next_code[1], 128);
	assert_int_equal(rlpx__mux_bytes(m), 0);
	/* Silence is not saved up: who comes back does not go before everybody. */
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(push(m, &mem, 0, 0, 1000, 0), OK);
	for (int i = 0; i < 5; i++) {
		(void)rlpx__mux_next(m, &code);
		rlpx__mux_pop(m);
	}
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(push(m, &mem, 1, 0, 1000, 0), OK);
	sent[0] = sent[1] = 0;
	for (int i = 0; i < 8; i++) {
		(void)rlpx__mux_next(m, &code);
		sent[code >= 0x21 ? 1 : 0]++;
		rlpx__mux_pop(m);
	}
	assert_true(sent[0] >= 3 && sent[1] >= 3);
	rlpx__mux_free(m);
	assert_int_equal(mem.total_used, 0);
}

static void test_caps(void **state)
{
	struct mem mem;
	struct rlpx__mux *m;
	size_t n;

	(void)state;
	mem_init(&mem);
	assert_int_equal(rlpx__mux_new(&m, &mem, two, 2), OK);
	for (n = 0; push(m, &mem, 0, 0, 1, 0) == OK; n++)
		;
	assert_int_equal(n, RLPX_QUEUE_MAX);
	assert_int_equal(push(m, &mem, 0, 0, 1, 0), ERR_FULL);
	assert_int_equal(push(m, &mem, 1, 0, 1, 0), OK); /* the other is not starved */
	rlpx__mux_free(m);

	/* One of two holds RLPX_SEND_SOFT, both together RLPX_SEND_HARD. */
	assert_int_equal(rlpx__mux_new(&m, &mem, two, 2), OK);
	for (n = 0; push(m, &mem, 0, 0, 65536 - MUX_OVERHEAD, 0) == OK; n++)
		;
	assert_int_equal(n, RLPX_SEND_SOFT / 65536);
	for (n = 0; push(m, &mem, 1, 0, 65536 - MUX_OVERHEAD, 0) == OK; n++)
		;
	assert_int_equal(n, RLPX_SEND_SOFT / 65536);
	assert_true(rlpx__mux_bytes(m) <= RLPX_SEND_HARD);
	rlpx__mux_free(m);

	/* Alone on the link: all of it; what waits elsewhere counts. */
	assert_int_equal(rlpx__mux_new(&m, &mem, two, 1), OK);
	for (n = 0; push(m, &mem, 0, 0, 65536 - MUX_OVERHEAD, 65536) == OK; n++)
		;
	assert_int_equal(n, RLPX_SEND_HARD / 65536 - 1);
	rlpx__mux_free(m);

	/* One message always fits where nothing else waits. */
	assert_int_equal(rlpx__mux_new(&m, &mem, two, 2), OK);
	assert_int_equal(push(m, &mem, 0, 0, RLPX_SEND_HARD + 1, 1), ERR_FULL);
	assert_int_equal(push(m, &mem, 0, 0, RLPX_SEND_HARD + 1, 0), OK);
	assert_int_equal(push(m, &mem, 1, 0, 1, 0), ERR_FULL);
	rlpx__mux_free(m);
	assert_int_equal(mem.total_used, 0);
}

/* Out of memory: the push fails, the reference stays with the caller, nothing leaks. */
static void test_scarcity(void **state)
{
	struct mem mem;
	struct rlpx__mux *m;
	struct blob *b;

	(void)state;
	mem_init(&mem);
	mem.fail_after = 0;
	assert_int_equal(rlpx__mux_new(&m, &mem, two, 2), ERR_MEM);
	mem.fail_after = UINT64_MAX;
	assert_int_equal(rlpx__mux_new(&m, &mem, two, 2), OK);
	b = blob_of(&mem, 10);
	mem.fail_after = 0;
	assert_int_equal(rlpx__mux_push(m, 0, 0, b, 0), ERR_MEM);
	mem.fail_after = UINT64_MAX;
	assert_int_equal(b->refs, 1);
	assert_int_equal(rlpx__mux_push(m, 0, 0, b, 0), OK);
	rlpx__mux_free(m);
	assert_int_equal(mem.total_used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match_is_the_model),
		cmocka_unit_test(test_offsets_of_old),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_fair_by_bytes),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_scarcity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
