/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_abuse.c - a peer with the right keys and bad manners: frames,
 * Snappy, the base protocol, slowness, and memory that runs short
 * (hardening F1 to F8, B1 to B8, §2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rlp/rlp.h"
#include "rlpx/snappy.h"
#include "tests/rlpx_pair.h"

static void open_pair(struct pair *p, uint64_t seed)
{
	pair_start(p, seed);
	p->piece = 4096;
	pair_run(p);
	assert_true(p->a.open && p->b.open);
}

/* How b ended, and what a hears of it. */
static void ended(struct pair *p, const char *ours, const char *theirs)
{
	pair_run(p);
	if (strstr(p->b.log, ours) == NULL || strstr(p->a.log, theirs) == NULL)
		fail_msg("b: %s a: %s", p->b.log, p->a.log);
	assert_true(p->b.closed);
	assert_null(p->b.conn->frames.stream);
}

/* --- F1, F2: claims ------------------------------------------------------------------ */

static void test_frame_before_hello(void **state)
{
	static const size_t sizes[] = { RLPX_HELLO_MAX - 1, RLPX_HELLO_MAX, RLPX_HELLO_MAX + 1,
					10 * RLPX_HELLO_MAX, RLPX_FRAME_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bool good = sizes[i] <= RLPX_HELLO_MAX;
		struct pair p;

		pair_start(&p, 1 + i);
		p.piece = 32;
		side_poll(&p.a);
		pair_carry(&p, &p.a, &p.b, SIZE_MAX); /* auth */
		pair_carry(&p, &p.b, &p.a, SIZE_MAX); /* ack, and b's Hello */
		assert_true(p.a.identified && p.b.identified);
		assert_int_equal(pair_inject_header(&p, &p.a, &p.b, sizes[i]),
				 good ? OK : ERR_SIZE);
		assert_int_equal(p.mem.used[MEM_RECEIVE], 0);
		if (!good) {
			assert_int_equal(p.b.conn->state, RLPX__GOODBYE);
			assert_int_equal(p.b.conn->reason, RLPX_BREACH);
		}
		pair_free(&p);
	}
}

/* After Hello any size may be claimed; memory grows with what comes. */
static void test_claim_and_silence(void **state)
{
	struct pair p;
	uint8_t *junk = calloc(1, 100000);

	(void)state;
	assert_non_null(junk);
	open_pair(&p, 10);
	assert_int_equal(pair_inject_header(&p, &p.a, &p.b, RLPX_FRAME_MAX), OK);
	assert_int_equal(p.mem.used[MEM_RECEIVE], 0);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(side_give(&p, &p.b, junk, 100000), OK);
		assert_true(p.mem.used[MEM_RECEIVE] <= (size_t)(i + 1) * 150000 + 512);
	}
	p.now_ms = p.b.conn->heard_ms + FRAME_MS - 1;
	rlpx_tick(p.b.conn, p.now_ms);
	assert_int_equal(p.b.conn->state, RLPX__OPEN);
	p.now_ms++; /* F4: not done within 30 s of its header */
	rlpx_tick(p.b.conn, p.now_ms);
	ended(&p, "closed:ERR_TIMEOUT:us:b ", "closed:OK:peer:b ");
	side_poll(&p.b);
	assert_int_equal(p.mem.used[MEM_RECEIVE], 0);
	free(junk);
	pair_free(&p);
}

static void test_size_zero(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p, 11);
	assert_int_equal(pair_inject(&p, &p.a, &p.b, NULL, 0), ERR_SIZE);
	assert_string_equal(p.b.log, "identified hello:5:1 closed:ERR_SIZE:us:100 ");
	assert_false(rlpx_wants_output(p.b.conn)); /* not a word */
	pair_free(&p);
}

/* --- F4, F8: slowness ------------------------------------------------------------------ */

static void test_silence(void **state)
{
	struct pair p;
	const uint8_t *out;

	(void)state;
	open_pair(&p, 12);
	for (int i = 0; i < 2; i++) { /* b pings, a has gone */
		p.now_ms = rlpx_deadline(p.b.conn);
		rlpx_tick(p.b.conn, p.now_ms);
		rlpx_seal_many(&p.b.conn, 1, p.now_ms);
		rlpx_output_taken(p.b.conn, rlpx_output(p.b.conn, &out), p.now_ms);
	}
	side_poll(&p.b);
	assert_string_equal(p.b.log, "identified hello:5:1 closed:ERR_TIMEOUT:us:b ");
	assert_int_equal(p.now_ms - p.b.conn->heard_ms, IDLE_MS);
	pair_free(&p);
}

/* A peer that takes nothing: 20 s without progress, and memory within the caps. */
static void test_dead_reader(void **state)
{
	struct pair p;
	const uint8_t *out;
	size_t queued = 0;

	(void)state;
	open_pair(&p, 13);
	while (pair_send(&p, &p.b, 0, 1, 30000, 1) == OK)
		queued += 30000;
	assert_int_equal(pair_send(&p, &p.b, 0, 1, 30000, 1), ERR_FULL);
	assert_int_equal(rlpx_send_room(p.b.conn), 0);
	assert_true(queued <= RLPX_SEND_HARD && queued > RLPX_SEND_HARD - 2 * 30100);
	rlpx_seal_many(&p.b.conn, 1, p.now_ms);
	assert_true(rlpx_output(p.b.conn, &out) <= RLPX_SEAL_MAX + 40000);
	assert_true(p.mem.used[MEM_SEND] <= RLPX_SEND_HARD + RLPX_SEAL_MAX * 2 + 16384);
	p.now_ms += STALL_MS - 1;
	rlpx_output_taken(p.b.conn, 1, p.now_ms); /* progress, however little */
	p.now_ms += STALL_MS - 1;
	p.b.conn->heard_ms = p.now_ms;
	rlpx_tick(p.b.conn, p.now_ms);
	assert_int_equal(p.b.conn->state, RLPX__OPEN);
	p.now_ms++;
	rlpx_tick(p.b.conn, p.now_ms);
	side_poll(&p.b);
	assert_string_equal(p.b.log, "identified hello:5:1 closed:ERR_TIMEOUT:us:1 ");
	assert_int_equal(p.mem.used[MEM_SEND], 0);
	pair_free(&p);
}

/* F8: what waits for fifty who do not read exists once. */
static void test_shared_payloads(void **state)
{
	enum { N = 50, LEN = 131072 };
	struct pair p;
	struct rlpx *conns[N];
	struct blob *b;
	struct rlpx_shared shared = { 0, 0x10, 128 };
	struct rlpx__secrets s = { .aes = { 1 } };
	size_t before;

	(void)state;
	open_pair(&p, 14);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(rlpx_accept(&conns[i], p.a.host, p.now_ms), OK);
		keccak_init(&s.i2r);
		keccak_init(&s.r2i);
		assert_int_equal(rlpx__start(conns[i], &s, true, rlpx_host_id(p.b.host), p.now_ms),
				 OK);
		assert_int_equal(rlpx__mux_new(&conns[i]->mux, &p.mem, &shared, 1), OK);
		conns[i]->state = RLPX__OPEN;
		conns[i]->snappy = true;
	}
	before = p.mem.used[MEM_SEND];
	for (int batch = 0; batch < 8; batch++) {
		b = pair_blob(&p, LEN, (uint8_t)batch);
		for (size_t i = 0; i < N; i++) {
			blob_ref(b);
			assert_int_equal(rlpx_send(conns[i], 0, 1, b), OK);
		}
		blob_unref(b);
	}
	assert_true(p.mem.used[MEM_SEND] - before <= 8 * (LEN + 128) + N * 256);
	for (size_t i = 0; i < N; i++)
		rlpx_free(conns[i]);
	assert_int_equal(p.mem.used[MEM_SEND], before);
	pair_free(&p);
}

/* B6: a goodbye that nobody takes. */
static void test_goodbye_hangs(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p, 15);
	rlpx_close(p.b.conn, RLPX_USELESS, p.now_ms);
	side_poll(&p.b);
	assert_false(p.b.closed);
	assert_true(rlpx_deadline(p.b.conn) == p.now_ms + GOODBYE_MS);
	/* What comes meanwhile is swallowed, whatever it is. */
	assert_int_equal(pair_inject_header(&p, &p.a, &p.b, RLPX_FRAME_MAX), OK);
	assert_int_equal(p.mem.used[MEM_RECEIVE], 0);
	p.now_ms += GOODBYE_MS;
	rlpx_tick(p.b.conn, p.now_ms);
	side_poll(&p.b);
	assert_string_equal(p.b.log, "identified hello:5:1 closed:OK:us:3 ");
	pair_free(&p);
}

/* Only reasons that everybody knows go out; old peers crash on others. */
static void test_reasons_sent(void **state)
{
	(void)state;
	for (unsigned reason = 0; reason <= 0x100; reason++) {
		bool known = reason <= RLPX_PING_TIMEOUT || reason == RLPX_SUBPROTOCOL;
		struct pair p;
		char want[32];

		if (reason > 0x14 && reason < 0xf0)
			continue;
		open_pair(&p, 16);
		rlpx_close(p.b.conn, reason, p.now_ms);
		pair_run(&p);
		snprintf(want, sizeof(want), "closed:OK:peer:%x ", known ? reason : 0);
		if (reason == RLPX_REASON_UNKNOWN)
			assert_false(p.a.closed);
		else
			assert_non_null(strstr(p.a.log, want));
		assert_true(p.b.closed);
		pair_free(&p);
	}
}

/* --- F5, F6: Snappy -------------------------------------------------------------------- */

static void test_bombs(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		uint8_t body[12];
	} cases[] = {
		{ "16 MiB of 4 bytes", 6, { 0x10, 0xff, 0xff, 0xff, 0x07, 0x00 } },
		{ "over the limit", 6, { 0x10, 0x80, 0x80, 0x80, 0x08, 0x00 } },
		{ "no bytes at all", 1, { 0x10 } },
		{ "length cut", 2, { 0x10, 0x80 } },
		{ "more than declared", 5, { 0x10, 0x01, 0x04, 1, 2 } },
		{ "less than declared", 5, { 0x10, 0x03, 0x04, 1, 2 } },
		{ "trailing", 6, { 0x10, 0x01, 0x00, 1, 2, 3 } },
		{ "copy from before the start", 6, { 0x10, 0x05, 0x00, 1, 0x01, 0x02 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair p;

		open_pair(&p, 17);
		(void)pair_inject(&p, &p.a, &p.b, cases[i].body, cases[i].len);
		assert_int_equal(p.b.messages, 0);
		assert_true(p.mem.used[MEM_RECEIVE] <= 8192);
		ended(&p, "closed:ERR_SNAPPY:us:2 ", "closed:OK:peer:2 ");
		pair_free(&p);
	}
}

/* B8: a version 4 link never decompresses. */
static void test_version_4_is_raw(void **state)
{
	static const uint8_t body[] = { 0x10, 0xff, 0xff, 0xff, 0x07, 0x00 };
	struct rlpx_config cb;
	struct pair p;

	(void)state;
	pair_init(&p, 18);
	cb = side_config(&p, &p.b);
	cb.version = 4;
	pair_hosts(&p, NULL, &cb);
	pair_connect(&p, false);
	p.piece = 100;
	pair_run(&p);
	assert_int_equal(pair_inject(&p, &p.a, &p.b, body, sizeof(body)), OK);
	assert_int_equal(p.b.messages, 1);
	assert_memory_equal(p.b.payload, body + 1, 5);
	pair_free(&p);
}

/* --- B1, B8: Hello --------------------------------------------------------------------- */

static void patch_hello(struct rlpx_host *h, size_t at, uint8_t was, uint8_t is)
{
	assert_int_equal(h->hello[at], was);
	h->hello[at] = is;
}

static void test_hello_refusals(void **state)
{
	struct rlpx_capability eth = { "eth", 63, 17 };
	struct rlpx_config ca;
	struct pair p;

	(void)state;
	pair_start(&p, 19); /* f8 len version: the third byte */
	patch_hello(p.a.host, 2, 5, 3);
	pair_run(&p);
	ended(&p, "closed:ERR_VERSION:us:6 ", "closed:OK:peer:6 ");
	pair_free(&p);

	pair_init(&p, 20);
	ca = side_config(&p, &p.a);
	ca.caps = &eth;
	pair_hosts(&p, &ca, NULL);
	pair_connect(&p, false);
	pair_run(&p);
	/* Its Hello is shown first: it is named, and shares nothing. */
	assert_string_equal(p.a.log, "identified hello:5:0 closed:ERR_USELESS:us:3 ");
	assert_int_equal(p.a.shared_count, 0);
	pair_free(&p);

	pair_start(&p, 21);
	patch_hello(p.a.host, 1, (uint8_t)(p.a.host->hello_len - 2), 0xff);
	pair_run(&p);
	ended(&p, "closed:ERR_HELLO:us:2 ", "closed:OK:peer:2 ");
	pair_free(&p);
}

static void test_second_hello(void **state)
{
	struct pair p;
	uint8_t body[HELLO_SIZE_MAX + 1] = { 0x80 };

	(void)state;
	open_pair(&p, 22);
	memcpy(body + 1, p.a.host->hello, p.a.host->hello_len);
	(void)pair_inject(&p, &p.a, &p.b, body, p.a.host->hello_len + 1);
	ended(&p, "closed:ERR_PROTOCOL:us:2 ", "closed:OK:peer:2 ");
	pair_free(&p);
}

/* --- B2: codes ------------------------------------------------------------------------- */

static size_t code_body(uint8_t body[static 16], uint64_t code)
{
	struct rlp_writer w = rlp_writer_init(body, 16);

	rlp_write_u64(&w, code);
	body[w.len] = 0x00; /* nothing, compressed */
	return w.len + 1;
}

static void test_every_code(void **state)
{
	static const uint64_t edges[] = { 70000, 1ull << 32, (1ull << 32) + 0x10, UINT64_MAX };
	struct pair p;
	uint64_t refused = 0;

	(void)state;
	open_pair(&p, 23);
	for (uint64_t code = 4; code < 70000 + 4; code++) {
		uint64_t c = code < 70000 ? code : edges[code - 70000];
		uint8_t body[16];
		struct rlpx__frames out = p.a.conn->frames, in = p.b.conn->frames;
		bool good = c < 0x10 + 128;
		size_t messages = p.b.messages;
		enum err e;

		/* From 300 on nothing changes any more; steps, then all edges. */
		if (code > 300 && code < 65000 && code % 97 != 0)
			continue;
		e = pair_inject(&p, &p.a, &p.b, body, code_body(body, c));
		assert_int_equal(e, good ? OK : ERR_CODE);
		assert_int_equal(p.b.messages, messages + (good && c >= 0x10));
		if (good) {
			assert_int_equal(p.b.conn->state, RLPX__OPEN);
			continue;
		}
		assert_int_equal(p.b.conn->reason, RLPX_BREACH);
		refused++;
		/* Stand up again where we stood: this is about the code alone. */
		out.stream_at = in.stream_at = UINT64_MAX; /* the stream moved on */
		p.a.conn->frames = out;
		p.b.conn->frames = in;
		p.b.conn->state = RLPX__OPEN;
		p.b.conn->err = OK;
		p.b.conn->goodbye_due = false;
		assert_int_equal(rlpx__mux_new(&p.b.conn->mux, &p.mem,
					       &(struct rlpx_shared){ 0, 0x10, 128 }, 1),
				 OK);
	}
	assert_true(refused > 5000);
	pair_free(&p);
}

/* Codes that are no canonical integers. */
static void test_bent_codes(void **state)
{
	static const uint8_t bodies[][10] = {
		{ 0x00, 0x00 }, { 0x81, 0x10, 0x00 }, { 0x81, 0x00 }, { 0x82, 0x00, 0x10 },
		{ 0xc1, 0x10 }, { 0xb8, 0x01, 0x10 }, { 0x84, 0x10 }, { 0x89, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct pair p;

		open_pair(&p, 24);
		(void)pair_inject(&p, &p.a, &p.b, bodies[i], sizeof(bodies[i]));
		assert_int_equal(p.b.messages, 0);
		ended(&p, "closed:ERR_CODE:us:2 ", "closed:OK:peer:2 ");
		pair_free(&p);
	}
}

/* --- B4: pings ------------------------------------------------------------------------- */

static void test_ping_flood(void **state)
{
	static const uint8_t ping[] = { 0x02, 0x01, 0x00, 0xc0 };
	struct pair p;
	size_t out;
	uint64_t frames;

	(void)state;
	open_pair(&p, 25);
	/* A hundred in ten seconds are borne, for ever, and answered by one Pong a wake. */
	for (int round = 0; round < 20; round++) {
		frames = p.b.conn->frames_out;
		for (int i = 0; i < PING_FLOOD; i++)
			assert_int_equal(pair_inject(&p, &p.a, &p.b, ping, sizeof(ping)), OK);
		assert_int_equal(p.mem.used[MEM_SEND], 0);
		out = pair_carry(&p, &p.b, &p.a, SIZE_MAX);
		assert_int_equal(out, 64);
		assert_int_equal(p.b.conn->frames_out, frames + 1);
		p.now_ms += PING_WINDOW_MS;
	}
	for (int i = 0; i < PING_FLOOD; i++)
		assert_int_equal(pair_inject(&p, &p.a, &p.b, ping, sizeof(ping)), OK);
	assert_int_equal(pair_inject(&p, &p.a, &p.b, ping, sizeof(ping)), ERR_FLOOD);
	ended(&p, "closed:ERR_FLOOD:us:2 ", "closed:OK:peer:2 ");
	pair_free(&p);
}

/* Ping and Pong of any content, even none that decompresses. */
static void test_odd_pings(void **state)
{
	static const uint8_t bodies[][6] = { { 0x02, 0xff, 0xff, 0xff, 0xff, 0xff }, { 0x03 } };
	struct pair p;

	(void)state;
	open_pair(&p, 26);
	for (size_t size = 1; size <= 6; size++)
		for (size_t i = 0; i < 2; i++)
			assert_int_equal(pair_inject(&p, &p.a, &p.b, bodies[i], size), OK);
	assert_int_equal(rlpx_rtt_ms(p.b.conn), UINT32_MAX); /* nobody asked */
	assert_int_equal(p.b.conn->state, RLPX__OPEN);
	pair_free(&p);
}

/* --- memory ---------------------------------------------------------------------------- */

/* The receive account is full: the stream waits, loses nothing, and goes on. */
static void test_pause_and_resume(void **state)
{
	struct pair p;
	uint8_t *frame;
	struct rlpx__seal_job job;
	size_t len, taken, at = FRAME_HEADER, cap;
	uint8_t body[3] = { 0x10, 0xfe, 0xff };

	(void)state;
	open_pair(&p, 27);
	/* An uncompressed link, so that nothing but the frame is needed. */
	p.b.conn->snappy = false;
	len = FRAME_HEADER + 500000 + FRAME_MAC;
	frame = calloc(1, len);
	assert_non_null(frame);
	memcpy(frame + FRAME_HEADER, body, sizeof(body));
	job = (struct rlpx__seal_job){ &p.a.conn->frames, frame, 500000 };
	rlpx__seal_frames(&job, 1);
	cap = p.mem.cap[MEM_RECEIVE];
	assert_int_equal(rlpx_recv(p.b.conn, &taken, frame, FRAME_HEADER, p.now_ms), OK);
	p.mem.cap[MEM_RECEIVE] = 100000;
	for (;;) {
		enum err e = rlpx_recv(p.b.conn, &taken, frame + at, size_min(10000, len - at),
				       p.now_ms);

		at += taken;
		if (e == ERR_FULL)
			break;
		assert_int_equal(e, OK);
		assert_true(at < len);
	}
	assert_int_equal(taken, 0);
	p.now_ms += 1000;
	p.b.conn->heard_ms = p.now_ms; /* the frame timer apart */
	assert_true(rlpx_deadline(p.b.conn) <= p.now_ms + FRAME_MS);
	assert_int_equal(rlpx_recv(p.b.conn, &taken, frame + at, 10000, p.now_ms), ERR_FULL);
	assert_int_equal(taken, 0);
	p.mem.cap[MEM_RECEIVE] = cap;
	while (at < len) {
		assert_int_equal(rlpx_recv(p.b.conn, &taken, frame + at, size_min(10000, len - at),
					   p.now_ms),
				 OK);
		at += taken;
	}
	side_poll(&p.b);
	assert_int_equal(p.b.messages, 1);
	assert_int_equal(p.b.message_bytes, 499999);
	assert_int_equal(p.b.payload[0], 0xfe);
	assert_int_equal(p.mem.used[MEM_RECEIVE], 0);
	free(frame);
	pair_free(&p);
}

/* A pause of 30 s ends it. */
static void test_pause_ends(void **state)
{
	struct pair p;
	uint8_t junk[100] = { 0 };
	size_t taken;

	(void)state;
	open_pair(&p, 28);
	rlpx__host_tick(p.b.host, p.now_ms + SCRATCH_IDLE_MS);
	assert_int_equal(p.mem.used[MEM_RECEIVE], 0);
	p.mem.cap[MEM_RECEIVE] = 0;
	assert_int_equal(rlpx_recv(p.b.conn, &taken, junk, 20, p.now_ms), ERR_FULL);
	assert_int_equal(taken, 0);
	assert_false(rlpx_poll(p.b.conn, &(struct rlpx_event){ 0 }));
	p.now_ms += FRAME_MS - 1;
	p.b.conn->heard_ms = p.now_ms;
	rlpx_tick(p.b.conn, p.now_ms);
	assert_int_equal(p.b.conn->state, RLPX__OPEN);
	p.now_ms++;
	rlpx_tick(p.b.conn, p.now_ms);
	ended(&p, "closed:ERR_MEM:us:2 ", "closed:OK:peer:2 ");
	pair_free(&p);
}

/* Four peers send the largest frames and stop: the account is at its cap, and others
 * still are heard, compressed messages too.  Where there is nothing left even for
 * these, the connection ends and says why. */
static void test_large_frames_starve_nobody(void **state)
{
	enum { N = 4, LEN = 16000000 };
	static struct pair p;
	struct rlpx *conns[N];
	struct rlpx__secrets s = { .aes = { 1 } };
	struct rlpx_shared shared = { 0, 0x10, 128 };
	uint8_t *junk = calloc(1, 1000000), body[2] = { 0x10, 0x00 };
	unsigned full = 0;

	(void)state;
	assert_non_null(junk);
	open_pair(&p, 33);
	for (size_t i = 0; i < N; i++) {
		size_t taken;

		assert_int_equal(rlpx_accept(&conns[i], p.b.host, p.now_ms), OK);
		keccak_init(&s.i2r);
		keccak_init(&s.r2i);
		assert_int_equal(rlpx__start(conns[i], &s, false, rlpx_host_id(p.a.host), p.now_ms),
				 OK);
		assert_int_equal(rlpx__mux_new(&conns[i]->mux, &p.mem, &shared, 1), OK);
		conns[i]->state = RLPX__OPEN;
		conns[i]->waits = 0;
		conns[i]->have_header = true; /* as if its header had come */
		conns[i]->frame_size = LEN;
		for (size_t at = 0; at < LEN; at += taken) {
			enum err e = rlpx_recv(conns[i], &taken, junk, 1000000, p.now_ms);

			if (e == ERR_FULL) {
				assert_int_equal(taken, 0);
				full++;
				break;
			}
			assert_int_equal(e, OK);
		}
	}
	assert_true(full >= 1);
	assert_true(p.mem.used[MEM_RECEIVE] > 40u << 20);
	assert_true(p.mem.used[MEM_RECEIVE] <= 48u << 20);
	assert_int_equal(pair_inject(&p, &p.a, &p.b, body, 2), OK);
	assert_int_equal(p.b.messages, 1);

	rlpx__host_tick(p.b.host, p.now_ms + SCRATCH_IDLE_MS);
	p.mem.cap[MEM_RECEIVE] = p.mem.used[MEM_RECEIVE];
	assert_int_equal(pair_inject(&p, &p.a, &p.b, body, 2), OK);
	assert_int_equal(p.b.messages, 1);
	ended(&p, "closed:ERR_MEM:us:4 ", "closed:OK:peer:4 ");
	for (size_t i = 0; i < N; i++)
		rlpx_free(conns[i]);
	free(junk);
	pair_free(&p);
}

/* Memory is gone after n allocations of a whole life, for every n, and comes back later:
 * an error or a delay, never a crash or a leak. */
static void test_scarcity(void **state)
{
	uint64_t n;

	(void)state;
	for (n = 0;; n++) {
		struct pair p;
		struct rlpx *a = NULL;
		enum err e;
		bool done;

		pair_init(&p, 29);
		pair_hosts(&p, NULL, NULL);
		p.piece = 50;
		p.mem.fail_after = n;
		e = rlpx_dial(&a, p.a.host, rlpx_host_id(p.b.host), false, p.now_ms);
		p.a.conn = a;
		if (e == OK)
			e = rlpx_accept(&p.b.conn, p.b.host, p.now_ms);
		if (e == OK) {
			pair_run(&p);
			if (p.a.open && p.b.open && p.mem.fail_after > 0) {
				struct blob *b;

				if (blob_new(&b, &p.mem, MEM_SEND, 3000) == OK) {
					memset(b->data, 1, b->len);
					blob_ref(b);
					if (rlpx_send(p.a.conn, 0, 1, b) != OK)
						blob_unref(b);
					blob_unref(b);
				}
			}
			pair_run(&p);
			rlpx_close(p.a.conn, RLPX_QUITTING, p.now_ms);
			pair_run(&p);
		}
		done = p.mem.fail_after > 0 && e == OK;
		p.mem.fail_after = UINT64_MAX;
		if (e == OK) {
			pair_wait(&p, 120000);
			assert_true(p.a.closed || p.a.conn->state == RLPX__OPEN);
		}
		if (done) { /* nothing failed any more: then all went well */
			assert_int_equal(p.b.messages, 1);
			assert_non_null(strstr(p.b.log, "closed:OK:peer:8 "));
		}
		pair_free(&p);
		if (done)
			break;
	}
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_before_hello),
		cmocka_unit_test(test_claim_and_silence),
		cmocka_unit_test(test_size_zero),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_dead_reader),
		cmocka_unit_test(test_shared_payloads),
		cmocka_unit_test(test_goodbye_hangs),
		cmocka_unit_test(test_reasons_sent),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_version_4_is_raw),
		cmocka_unit_test(test_hello_refusals),
		cmocka_unit_test(test_second_hello),
		cmocka_unit_test(test_every_code),
		cmocka_unit_test(test_bent_codes),
		cmocka_unit_test(test_ping_flood),
		cmocka_unit_test(test_odd_pings),
		cmocka_unit_test(test_pause_and_resume),
		cmocka_unit_test(test_pause_ends),
		cmocka_unit_test(test_large_frames_starve_nobody),
		cmocka_unit_test(test_scarcity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
