/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_conn.c - two machines against each other, from the first
 * byte to the goodbye: both roles, both forms, both versions, one capability and
 * two, in any chunking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "tests/rlpx_pair.h"

static void test_handshake_hello_message(void **state)
{
	static const size_t pieces[] = { 1, 2, 15, 16, 17, 33, 307, 100000, 0 };

	(void)state;
	for (size_t plain = 0; plain < 2; plain++)
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
			struct pair p;

			pair_init(&p, 7 + i);
			p.piece = pieces[i];
			pair_hosts(&p, NULL, NULL);
			pair_connect(&p, plain != 0);
			assert_null(rlpx_peer_id(p.a.conn));
			pair_run(&p);
			assert_string_equal(p.a.log, "identified hello:5:1 ");
			assert_string_equal(p.b.log, "identified hello:5:1 ");
			assert_memory_equal(rlpx_peer_id(p.a.conn), rlpx_host_id(p.b.host), 64);
			assert_memory_equal(rlpx_peer_id(p.b.conn), rlpx_host_id(p.a.host), 64);

			assert_int_equal(pair_send(&p, &p.a, 0, 3, 1000, 0x5a), OK);
			assert_int_equal(pair_send(&p, &p.b, 0, 126, 0, 0), OK);
			assert_int_equal(pair_send(&p, &p.b, 0, 127, 70000, 1), OK);
			pair_run(&p);
			assert_string_equal(p.b.log, "identified hello:5:1 message:0:3:1000 ");
			assert_string_equal(p.a.log, "identified hello:5:1 message:0:126:0 "
						     "message:0:127:70000 ");
			assert_int_equal(p.b.payload[255], 0x5a);

			rlpx_close(p.a.conn, RLPX_QUITTING, p.now_ms);
			pair_run(&p);
			assert_non_null(strstr(p.a.log, "closed:OK:us:8 "));
			assert_non_null(strstr(p.b.log, "closed:OK:peer:8 "));
			pair_free(&p);
		}
}

static const struct rlpx_capability eth_and_shh[] = { { "shh", 6, 128 },
						      { "eth", 63, 17 },
						      { "eth", 62, 8 } };
static const struct rlpx_capability both_new[] = {
	{ "shh", 6, 128 }, { "eth", 63, 17 }, { "eth", 64, 17 }, { "snap", 1, 8 }
};

/* Every pair of versions; compression if both have it; indices are each host's own. */
static void test_versions_and_capabilities(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct rlpx_config ca, cb;
		const struct rlpx_capability *caps;
		struct pair p;
		size_t count;

		pair_init(&p, 30 + i);
		ca = side_config(&p, &p.a);
		cb = side_config(&p, &p.b);
		ca.version = i & 1 ? 5 : 4;
		cb.version = i & 2 ? 5 : 4;
		ca.caps = eth_and_shh;
		ca.cap_count = 3;
		cb.caps = both_new;
		cb.cap_count = 4;
		pair_hosts(&p, &ca, &cb);
		caps = rlpx_host_caps(p.a.host, &count);
		assert_int_equal(count, 3);
		assert_string_equal(caps[0].name, "eth"); /* sorted */
		assert_int_equal(caps[0].version, 62);
		assert_string_equal(caps[2].name, "shh");
		pair_connect(&p, i & 4);
		pair_run(&p);
		assert_true(p.a.open && p.b.open);
		assert_int_equal(p.a.conn->snappy, (i & 3) == 3);
		assert_int_equal(p.b.conn->snappy, (i & 3) == 3);
		for (int side = 0; side < 2; side++) {
			struct side *s = side ? &p.b : &p.a;

			assert_int_equal(s->shared_count, 2);
			assert_int_equal(s->shared[0].offset, 0x10);
			assert_int_equal(s->shared[0].length, 17);
			assert_int_equal(s->shared[0].cap, side ? 0 : 1);
			assert_int_equal(s->shared[1].offset, 0x21);
			assert_int_equal(s->shared[1].cap, side ? 3 - 1 : 2);
		}
		assert_int_equal(pair_send(&p, &p.a, 0, 1, 5, 0), ERR_STATE); /* not shared */
		assert_int_equal(pair_send(&p, &p.a, 1, 17, 5, 0), ERR_CODE);
		assert_int_equal(pair_send(&p, &p.a, 1, 16, 5, 1), OK);
		assert_int_equal(pair_send(&p, &p.a, 2, 127, 6, 2), OK);
		pair_run(&p);
		assert_non_null(strstr(p.b.log, "message:0:16:5 message:2:127:6 "));
		assert_int_equal(p.b.payload[5], 2);
		assert_int_equal(p.b.payload[6], 0);
		pair_free(&p);
	}
}

/* The user refuses a peer when it is identified: Disconnect in place of Hello. */
static void refuse_at_once(struct side *s, const struct rlpx_event *ev)
{
	if (ev->type == RLPX_IDENTIFIED)
		rlpx_close(s->conn, RLPX_TOO_MANY_PEERS, 0);
}

static void test_refused_when_identified(void **state)
{
	(void)state;
	for (int who = 0; who < 2; who++) {
		struct pair p;

		pair_init(&p, 50);
		pair_hosts(&p, NULL, NULL);
		(who ? &p.a : &p.b)->on_event = refuse_at_once;
		pair_connect(&p, false);
		pair_run(&p);
		assert_string_equal((who ? &p.a : &p.b)->log, "identified closed:OK:us:4 ");
		assert_string_equal((who ? &p.b : &p.a)->log, "identified closed:OK:peer:4 ");
		assert_int_equal((who ? &p.a : &p.b)->conn->frames_out, 1);
		pair_free(&p);
	}
}

static void test_ping_pong(void **state)
{
	struct pair p;
	struct rlpx_stats stats;

	(void)state;
	pair_start(&p, 60);
	pair_run(&p);
	assert_int_equal(rlpx_rtt_ms(p.a.conn), UINT32_MAX);
	pair_wait(&p, PING_MS);
	assert_int_equal(rlpx_rtt_ms(p.a.conn), 0);
	rlpx_stats(p.b.conn, &stats);
	assert_int_equal(stats.pings_in, 1);
	pair_wait(&p, 10 * 60000); /* nothing else is said for 10 minutes */
	assert_false(p.a.closed || p.b.closed);
	rlpx_stats(p.b.conn, &stats);
	assert_int_equal(stats.pings_in, 41);
	/* The time it took, on a slow wire; asked for, and one at a time. */
	assert_int_equal(rlpx_ping(p.a.conn), OK);
	assert_int_equal(rlpx_ping(p.a.conn), ERR_STATE);
	assert_true(pair_carry(&p, &p.a, &p.b, SIZE_MAX) > 0);
	p.now_ms += 250;
	assert_true(pair_carry(&p, &p.b, &p.a, SIZE_MAX) > 0);
	assert_int_equal(rlpx_rtt_ms(p.a.conn), 250);
	assert_int_equal(rlpx_ping(p.a.conn), OK);
	rlpx_close(p.a.conn, RLPX_REQUESTED, p.now_ms);
	assert_int_equal(rlpx_ping(p.a.conn), ERR_STATE);
	pair_free(&p);
}

/* 10 MiB pass from a to b in 16 KiB steps, on two capabilities whose queues are kept
 * full; a Ping of b's is answered on the way, and neither capability starves. */
static void test_ping_passes_bulk(void **state)
{
	enum { MESSAGE = 32768, STEP = 16384, TOTAL = 10 << 20 };
	struct rlpx_config ca, cb;
	struct pair p;
	size_t carried = 0, pinged_at = 0, answered_at = 0;

	(void)state;
	pair_init(&p, 61);
	ca = side_config(&p, &p.a);
	cb = side_config(&p, &p.b);
	ca.caps = cb.caps = eth_and_shh;
	ca.cap_count = cb.cap_count = 3;
	ca.version = 4; /* uncompressed, so that the bytes do pass */
	pair_hosts(&p, &ca, &cb);
	pair_connect(&p, false);
	pair_run(&p);
	while (carried < TOTAL) {
		size_t n;

		while (rlpx_send_room(p.a.conn) > 0 &&
		       pair_send(&p, &p.a, 1, 0, MESSAGE, 1) == OK &&
		       pair_send(&p, &p.a, 2, 0, MESSAGE, (uint8_t)carried) == OK)
			;
		n = pair_carry(&p, &p.a, &p.b, STEP);
		assert_true(n > 0);
		carried += n;
		if (pinged_at == 0 && carried > TOTAL / 2) {
			p.b.conn->ping_due = true;
			pinged_at = carried;
		}
		pair_carry(&p, &p.b, &p.a, SIZE_MAX);
		if (pinged_at != 0 && answered_at == 0 && rlpx_rtt_ms(p.b.conn) != UINT32_MAX)
			answered_at = carried;
		p.now_ms += 1;
	}
	assert_true(answered_at > 0);
	assert_true(answered_at - pinged_at <= RLPX_SEAL_MAX + 2 * MESSAGE + 2 * STEP);
	pair_free(&p);
}

/* One blob to many peers: compressed once, and the same for all. */
static void test_twin(void **state)
{
	struct pair p;
	struct blob *b;

	(void)state;
	pair_start(&p, 62);
	pair_run(&p);
	b = pair_blob(&p, 5000, 3);
	blob_ref(b);
	assert_int_equal(rlpx_send(p.a.conn, 0, 1, b), OK);
	assert_int_equal(pair_carry(&p, &p.a, &p.b, SIZE_MAX) > 0, 1);
	assert_non_null(b->twin);
	assert_true(b->twin->len < 1000);
	assert_int_equal(b->refs, 1);
	blob_ref(b);
	assert_int_equal(rlpx_send(p.b.conn, 0, 1, b), OK);
	pair_run(&p);
	assert_non_null(strstr(p.a.log, "message:0:1:5000 "));
	assert_non_null(strstr(p.b.log, "message:0:1:5000 "));
	assert_memory_equal(p.a.payload, b->data, sizeof(p.a.payload));
	blob_unref(b);
	pair_free(&p);
}

/* The largest message: as long as a frame can say. */
static void test_largest_message(void **state)
{
	(void)state;
	for (int snappy = 0; snappy < 2; snappy++) {
		struct rlpx_config ca;
		struct pair p;
		struct blob *b;
		uint64_t x = 1;

		pair_init(&p, 63);
		p.mem.cap[MEM_SEND] = SIZE_MAX; /* payload, twin and frame at once */
		ca = side_config(&p, &p.a);
		ca.version = snappy ? 5 : 4;
		pair_hosts(&p, &ca, NULL);
		pair_connect(&p, false);
		p.piece = 65536;
		pair_run(&p);
		b = pair_blob(&p, RLPX_FRAME_MAX - 3, 0);
		for (size_t i = 0; i < b->len; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			b->data[i] = (uint8_t)(x >> 56);
		}
		if (snappy) { /* noise grows by a few bytes and does not fit */
			assert_int_equal(rlpx_send(p.a.conn, 0, 0, b), ERR_SIZE);
			memset(b->data + b->len - 20000, 0, 20000);
		}
		assert_int_equal(rlpx_send(p.a.conn, 0, 0, b), OK);
		pair_run(&p);
		assert_int_equal(p.b.message_bytes, RLPX_FRAME_MAX - 3);
		b = pair_blob(&p, RLPX_FRAME_MAX - 2, 0);
		assert_int_equal(rlpx_send(p.a.conn, 0, 0, b), ERR_SIZE);
		blob_unref(b);
		/* The scratch goes back when it was idle. */
		if (snappy)
			assert_true(p.b.host->scratch_len >= RLPX_FRAME_MAX - 3);
		p.now_ms += SCRATCH_IDLE_MS;
		rlpx_tick(p.b.conn, p.now_ms);
		assert_int_equal(p.mem.used[MEM_RECEIVE], 0);
		pair_free(&p);
	}
}

/* Many connections through open_many and seal_many, as a driver would. */
static void test_many_at_once(void **state)
{
	enum { N = 70, ROUNDS = 5 };
	static struct pair p[N];
	static uint8_t wire[N][40000];
	struct rlpx *senders[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		pair_start(&p[i], 100 + i);
		pair_run(&p[i]);
		senders[i] = p[i].a.conn;
	}
	for (size_t round = 0; round < ROUNDS; round++) {
		struct rlpx_input inputs[N];
		bool busy = true;

		for (size_t i = 0; i < N; i++) {
			assert_int_equal(pair_send(&p[i], &p[i].a, 0, 1, (i * 977) % 9000, 1), OK);
			for (size_t j = 0; j < i % 4; j++) /* some have more to say */
				assert_int_equal(pair_send(&p[i], &p[i].a, 0, 2, i, 2), OK);
		}
		rlpx_seal_many(senders, N, p[0].now_ms);
		for (size_t i = 0; i < N; i++) {
			const uint8_t *data;
			size_t len = rlpx_output(p[i].a.conn, &data);

			assert_true(len > 0 && len <= sizeof(wire[i]));
			memcpy(wire[i], data, len);
			rlpx_output_taken(p[i].a.conn, len, p[i].now_ms);
			inputs[i] = (struct rlpx_input){ p[i].b.conn, wire[i], len, 0, OK };
		}
		while (busy) {
			busy = false;
			rlpx_open_many(inputs, N, p[0].now_ms);
			for (size_t i = 0; i < N; i++) {
				assert_int_equal(inputs[i].err, OK);
				inputs[i].data += inputs[i].taken;
				inputs[i].len -= inputs[i].taken;
				busy = busy || inputs[i].len > 0;
				side_poll(&p[i].b);
			}
		}
	}
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(p[i].b.messages, ROUNDS * (1 + i % 4));
		assert_int_equal(p[i].b.message_bytes, ROUNDS * ((i * 977) % 9000 + i % 4 * i));
		pair_free(&p[i]);
	}
}

/* A sanitizer's allocator does not count for malloc; clang says so in its own way. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
	__has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(SANITIZED)
#define COUNTS_HEAP
#endif

/* An idle connection: what its ledger says, and what malloc says with OpenSSL. */
static void test_weight(void **state)
{
	enum { N = 100 };
	static struct pair p[N];
	size_t ledger = 0;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		pair_init(&p[i], 200 + i);
		pair_hosts(&p[i], NULL, NULL);
	}
#ifdef COUNTS_HEAP
	size_t before = mallinfo2().uordblks, heap;
#endif
	for (size_t i = 0; i < N; i++) {
		pair_connect(&p[i], false);
		pair_run(&p[i]);
		assert_int_equal(pair_send(&p[i], &p[i].a, 0, 0, 1000, 0), OK);
		pair_run(&p[i]);
		assert_int_equal(p[i].b.messages, 1);
		rlpx__host_tick(p[i].b.host, p[i].now_ms + SCRATCH_IDLE_MS);
		assert_int_equal(p[i].mem.used[MEM_PREAUTH], 0);
		assert_int_equal(p[i].mem.used[MEM_SEND], 0);
		assert_int_equal(p[i].mem.used[MEM_RECEIVE], 0);
		ledger = p[i].mem.used[MEM_PEERS];
		assert_true(ledger / 2 <= 1100);
	}
#ifdef COUNTS_HEAP
	heap = mallinfo2().uordblks - before;
	heap -= N * (p[0].b.host->replay_room * sizeof(struct rlpx__replay));
	printf("one idle connection: %zu bytes of heap, %zu in the ledger\n", heap / (2 * N),
	       ledger / 2);
	if (before > 0) /* nothing is counted under valgrind */
		assert_true(heap / (2 * N) <= 2560);
#endif
	for (size_t i = 0; i < N; i++)
		pair_free(&p[i]);
}

static void test_host_arguments(void **state)
{
	struct rlpx_capability caps[RLPX_CAPS_MAX + 1] = { { "a", 1, 1 } };
	struct rlpx_config cfg;
	struct pair p;
	struct rlpx_host *h;
	struct pubkey off_curve = { { 1 } };
	struct rlpx *c;

	(void)state;
	pair_init(&p, 70);
	pair_hosts(&p, NULL, NULL);
	cfg = side_config(&p, &p.a);
	cfg.caps = caps;
	cfg.cap_count = 0;
	assert_int_equal(rlpx_host_new(&h, &cfg, 0), ERR_ARG);
	cfg.cap_count = RLPX_CAPS_MAX + 1;
	assert_int_equal(rlpx_host_new(&h, &cfg, 0), ERR_ARG);
	cfg.cap_count = 2;
	caps[1] = caps[0];
	assert_int_equal(rlpx_host_new(&h, &cfg, 0), ERR_EXISTS);
	caps[1] = (struct rlpx_capability){ "b", 1, 4096 };
	assert_int_equal(rlpx_host_new(&h, &cfg, 0), ERR_ARG); /* 4097 codes */
	caps[1].length = 0;
	assert_int_equal(rlpx_host_new(&h, &cfg, 0), ERR_ARG);
	caps[1].length = 4095;
	cfg.version = 3;
	assert_int_equal(rlpx_host_new(&h, &cfg, 0), ERR_ARG);
	cfg.version = 6;
	assert_int_equal(rlpx_host_new(&h, &cfg, 0), ERR_ARG);
	cfg.version = 5;
	assert_int_equal(rlpx_host_new(&h, &cfg, 0), OK);
	assert_int_equal(rlpx_dial(&c, h, &off_curve, false, 0), ERR_KEY);
	rlpx_host_free(h);
	rlpx_host_free(NULL);
	rlpx_free(NULL);
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake_hello_message),
		cmocka_unit_test(test_versions_and_capabilities),
		cmocka_unit_test(test_refused_when_identified),
		cmocka_unit_test(test_ping_pong),
		cmocka_unit_test(test_ping_passes_bulk),
		cmocka_unit_test(test_twin),
		cmocka_unit_test(test_largest_message),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_weight),
		cmocka_unit_test(test_host_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
