/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_limits.c - before anybody is trusted: sizes, timers, replays,
 * identities, and the table of every state crossed with every input
 * (hardening H2 to H11). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/rlpx_pair.h"

/* --- H2: sizes --------------------------------------------------------------------- */

/* Every size prefix: refused at once outside the range, memory the same for all. */
static void test_every_size_prefix(void **state)
{
	struct pair p;
	size_t used = 0;

	(void)state;
	pair_init(&p, 1);
	pair_hosts(&p, NULL, NULL);
	p.piece = 2;
	for (unsigned size = 0; size <= UINT16_MAX; size++) {
		uint8_t prefix[2];
		bool plain = size >> 8 == 0x04; /* looks like a point: read as plain first */
		bool good = plain || (size >= AUTH_SIZE_MIN && size <= RLPX_AUTH_MAX);
		enum err e;

		be16_store(prefix, (uint16_t)size);
		assert_int_equal(rlpx_accept(&p.b.conn, p.b.host, p.now_ms), OK);
		p.b.closed = false;
		e = side_give(&p, &p.b, prefix, 2);
		assert_int_equal(e, good ? OK : ERR_SIZE);
		assert_int_equal(p.b.closed, !good);
		if (good && used == 0)
			used = p.mem.used[MEM_PREAUTH];
		assert_int_equal(p.mem.used[MEM_PREAUTH], good ? used : 0);
		rlpx_free(p.b.conn);
	}
	p.b.conn = NULL;
	assert_true(used <= 8192);
	assert_true(p.b.host->refused_auths > 60000);
	pair_free(&p);
}

/* The slot is all there is before the secrets, whatever comes. */
static void test_junk_is_bounded(void **state)
{
	struct pair p;
	uint8_t junk[65536];

	(void)state;
	pair_init(&p, 2);
	pair_hosts(&p, NULL, NULL);
	for (unsigned round = 0; round < 300; round++) {
		uint64_t size;

		assert_int_equal(rng_fill(&p.rng, junk, sizeof(junk)), OK);
		assert_int_equal(rng_below(&p.rng, &size, RLPX_AUTH_MAX), OK);
		if (round % 2)
			be16_store(junk, (uint16_t)size);
		if (round % 4 == 1)
			junk[2] = 0x04;
		assert_int_equal(rlpx_accept(&p.b.conn, p.b.host, p.now_ms), OK);
		p.b.closed = p.b.identified = false;
		(void)side_give(&p, &p.b, junk, sizeof(junk));
		assert_false(p.b.identified);
		assert_true(p.mem.used[MEM_PREAUTH] + p.mem.used[MEM_PEERS] <= 8192);
		assert_int_equal(p.mem.used[MEM_RECEIVE] + p.mem.used[MEM_SEND], 0);
		rlpx_free(p.b.conn);
	}
	p.b.conn = NULL;
	pair_free(&p);
}

/* --- H3: timers -------------------------------------------------------------------- */

/* When a recipient closes whose peer sends a byte every step_ms, from first_ms on. */
static uint64_t closes_after(struct pair *p, const uint8_t *data, size_t len, uint64_t first_ms,
			     uint64_t step_ms)
{
	uint64_t start = p->now_ms, next = start + first_ms;
	size_t at = 0;

	while (!p->b.closed) {
		uint64_t deadline = rlpx_deadline(p->b.conn);

		assert_true(deadline > p->now_ms);
		p->now_ms = u64_min(deadline, at < len ? next : NEVER);
		if (p->now_ms == next && at < len) {
			(void)side_give(p, &p->b, data + at++, 1);
			next += step_ms;
		}
		rlpx_tick(p->b.conn, p->now_ms);
		side_poll(&p->b);
	}
	assert_string_equal(p->b.log + p->b.log_len - 26, "closed:ERR_TIMEOUT:us:100 ");
	return p->now_ms - start;
}

static void test_slow_auth(void **state)
{
	struct {
		size_t len;
		uint64_t first_ms, step_ms, closes_ms;
	} cases[] = {
		{ 0, 0, 0, FIRST_BYTE_MS },	      /* silent */
		{ 1, FIRST_BYTE_MS - 1, 1, AUTH_MS }, /* one byte, just in time */
		{ 400, 0, 1000, AUTH_MS },	      /* a byte a second buys nothing */
		{ 400, 2999, 100, AUTH_MS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair p;
		const uint8_t *auth;
		const uint8_t *out;

		pair_start(&p, 10 + i);
		assert_true(rlpx_output(p.a.conn, &auth) > 307);
		assert_int_equal(
			closes_after(&p, auth, cases[i].len, cases[i].first_ms, cases[i].step_ms),
			cases[i].closes_ms);
		assert_int_equal(rlpx_output(p.b.conn, &out), 0);
		assert_true(rlpx_deadline(p.b.conn) == NEVER);
		pair_free(&p);
	}
}

/* Auth in time, then no Hello: 5 s more, 10 s in all. */
static void test_slow_hello(void **state)
{
	static const uint64_t auth_at[] = { 0, 2000, 4999 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pair p;
		uint8_t auth[1024];
		const uint8_t *out;
		size_t len;

		pair_start(&p, 20 + i);
		len = rlpx_output(p.a.conn, &out);
		assert_true(len <= sizeof(auth));
		memcpy(auth, out, len);
		assert_int_equal(side_give(&p, &p.b, auth, 1), OK); /* the first byte */
		p.now_ms += auth_at[i];
		assert_int_equal(side_give(&p, &p.b, auth + 1, len - 1), OK);
		assert_true(p.b.identified);
		assert_int_equal(closes_after(&p, NULL, 0, 0, 0), HELLO_MS);
		pair_free(&p);
	}
}

/* The initiator waits for the ack, and for the Hello, as long. */
static void test_slow_recipient(void **state)
{
	struct pair p;

	(void)state;
	pair_start(&p, 25);
	assert_true(rlpx_deadline(p.a.conn) == p.now_ms + AUTH_MS);
	p.now_ms += AUTH_MS;
	rlpx_tick(p.a.conn, p.now_ms);
	side_poll(&p.a);
	assert_string_equal(p.a.log, "closed:ERR_TIMEOUT:us:100 ");
	pair_free(&p);
}

/* --- H5: replays ------------------------------------------------------------------- */

static void give_auth(struct pair *p, const uint8_t *auth, size_t len)
{
	rlpx_free(p->b.conn);
	assert_int_equal(rlpx_accept(&p->b.conn, p->b.host, p->now_ms), OK);
	p->b.closed = p->b.identified = false;
	(void)side_give(p, &p->b, auth, len);
}

static void test_replay(void **state)
{
	struct pair p;
	uint8_t auth[1024], stranger[97] = { 4 };
	const uint8_t *out;
	size_t len;

	(void)state;
	pair_start(&p, 30);
	len = rlpx_output(p.a.conn, &out);
	memcpy(auth, out, len);
	give_auth(&p, auth, len);
	assert_true(p.b.identified);
	give_auth(&p, auth, len);
	assert_true(p.b.closed && !p.b.identified);
	assert_int_equal(p.b.last.u.closed.err, ERR_REPLAY);
	auth[len - 40] ^= 1; /* another body, the same point and tag: still the same */
	give_auth(&p, auth, len);
	assert_int_equal(p.b.last.u.closed.err, ERR_REPLAY);
	auth[len - 40] ^= 1;
	p.now_ms += REPLAYS_KEEP_MS - 1;
	give_auth(&p, auth, len);
	assert_int_equal(p.b.last.u.closed.err, ERR_REPLAY);
	p.now_ms += 1; /* 10 minutes later it is forgotten */
	give_auth(&p, auth, len);
	assert_true(p.b.identified);
	give_auth(&p, auth, len);
	assert_false(p.b.identified);
	/* 4,096 others make it the oldest; memory stays within the table. */
	for (unsigned i = 0; i < RLPX_REPLAYS_MAX - 1; i++) {
		be32_store(stranger + 1, i);
		rlpx__host_remember(p.b.host, span_of(stranger, sizeof(stranger)), p.now_ms);
	}
	give_auth(&p, auth, len);
	assert_false(p.b.identified);
	assert_true(rlpx__host_replayed(p.b.host, span_of(stranger, sizeof(stranger)), p.now_ms));
	be32_store(stranger + 1, RLPX_REPLAYS_MAX);
	rlpx__host_remember(p.b.host, span_of(stranger, sizeof(stranger)), p.now_ms);
	assert_int_equal(p.b.host->replay_count, RLPX_REPLAYS_MAX);
	assert_int_equal(p.b.host->replay_room, RLPX_REPLAYS_MAX);
	give_auth(&p, auth, len);
	assert_true(p.b.identified);
	/* What never was genuine is not remembered: it cannot push anything out. */
	be16_store(stranger, 0x0190);
	len = p.b.host->replay_count;
	auth[100] ^= 1;
	auth[10] ^= 1;
	give_auth(&p, auth, 600);
	assert_int_equal(p.b.host->replay_count, len);
	pair_free(&p);
}

/* --- H6: a storm leaves nothing behind ------------------------------------------------ */

static void test_storm_then_clean(void **state)
{
	struct pair p;
	size_t used;

	(void)state;
	pair_init(&p, 35);
	pair_hosts(&p, NULL, NULL);
	used = p.mem.total_used;
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t junk[600];

		assert_int_equal(rng_fill(&p.rng, junk, sizeof(junk)), OK);
		junk[0] = i % 2 ? 0x04 : 0x01;
		junk[2] = 0x05;
		assert_int_equal(rlpx_accept(&p.b.conn, p.b.host, p.now_ms), OK);
		p.b.closed = false;
		(void)side_give(&p, &p.b, junk, sizeof(junk));
		assert_true(p.b.closed);
		rlpx_free(p.b.conn);
	}
	p.b.conn = NULL;
	assert_int_equal(p.mem.total_used, used);
	for (unsigned i = 0; i < 100; i++) {
		p.a.log_len = p.b.log_len = 0;
		pair_connect(&p, i % 2);
		pair_run(&p);
		assert_string_equal(p.a.log, "identified hello:5:1 ");
		assert_string_equal(p.b.log, "identified hello:5:1 ");
		rlpx_free(p.a.conn);
		rlpx_free(p.b.conn);
	}
	p.a.conn = p.b.conn = NULL;
	assert_int_equal(p.mem.used[MEM_PREAUTH] + p.mem.used[MEM_PEERS] + p.mem.used[MEM_SEND] +
				 p.mem.used[MEM_RECEIVE],
			 0);
	pair_free(&p);
}

/* --- H7: identities ------------------------------------------------------------------- */

static void hello_with_id(struct rlpx_host *h, const uint8_t id[static 64])
{
	memcpy(h->hello + h->hello_len - 64, id, 64);
}

static void test_identities(void **state)
{
	static const uint8_t zero[64];
	struct pair p;

	(void)state;
	/* A Hello that names somebody else. */
	pair_start(&p, 40);
	hello_with_id(p.b.host, rlpx_host_id(p.a.host)->b);
	pair_run(&p);
	assert_string_equal(p.a.log, "identified closed:ERR_IDENTITY:us:9 ");
	assert_string_equal(p.b.log, "identified closed:OK:peer:9 "); /* in place of Hello */
	pair_free(&p);

	/* Nobody. */
	pair_start(&p, 41);
	hello_with_id(p.a.host, zero);
	pair_run(&p);
	assert_string_equal(p.b.log, "identified closed:ERR_KEY:us:7 ");
	assert_non_null(strstr(p.a.log, "closed:OK:peer:7 "));
	pair_free(&p);

	/* Ourselves. */
	pair_init(&p, 42);
	p.b.key = p.a.key;
	pair_hosts(&p, NULL, NULL);
	pair_connect(&p, false);
	pair_run(&p);
	assert_non_null(strstr(p.a.log, "closed:ERR_SELF:us:a "));
	pair_free(&p);

	/* The key dialled is not the key that answers: silence and a close. */
	pair_init(&p, 43);
	pair_hosts(&p, NULL, NULL);
	assert_int_equal(rlpx_dial(&p.a.conn, p.a.host, rlpx_host_id(p.a.host), false, p.now_ms),
			 OK);
	assert_int_equal(rlpx_accept(&p.b.conn, p.b.host, p.now_ms), OK);
	pair_run(&p);
	assert_string_equal(p.b.log, "closed:ERR_DECRYPT:us:100 ");
	rlpx_stream_ended(p.a.conn, p.now_ms);
	side_poll(&p.a);
	assert_string_equal(p.a.log, "closed:ERR_CLOSED:peer:100 ");
	pair_free(&p);
}

/* An auth whose ephemeral key is the static key. */
static void test_equal_keys(void **state)
{
	struct pair p;
	struct rlpx__identity us;
	struct rlpx__handshake hs = { .initiator = true };

	(void)state;
	pair_init(&p, 44);
	pair_hosts(&p, NULL, NULL);
	us = rlpx__host_identity(p.a.host);
	hs.peer = *rlpx_host_id(p.b.host);
	hs.ephemeral = p.a.key;
	hs.ephemeral_pub = *rlpx_host_id(p.a.host);
	assert_int_equal(rlpx__auth_write(&hs, &us), OK);
	assert_int_equal(rlpx_accept(&p.b.conn, p.b.host, p.now_ms), OK);
	assert_int_equal(side_give(&p, &p.b, hs.sent, hs.sent_len), ERR_KEY);
	assert_string_equal(p.b.log, "closed:ERR_KEY:us:100 ");
	pair_free(&p);
}

/* An ack whose ephemeral key is the recipient's static key. */
static void test_equal_keys_in_ack(void **state)
{
	struct pair p;
	struct rlpx__identity us;
	struct rlpx__handshake hs = { .initiator = false };

	(void)state;
	pair_start(&p, 47);
	us = rlpx__host_identity(p.b.host);
	hs.peer = *rlpx_host_id(p.a.host);
	hs.ephemeral = p.b.key;
	hs.ephemeral_pub = *rlpx_host_id(p.b.host);
	assert_int_equal(rlpx__ack_write(&hs, &us), OK);
	assert_int_equal(side_give(&p, &p.a, hs.sent, hs.sent_len), ERR_KEY);
	assert_string_equal(p.a.log, "closed:ERR_KEY:us:100 ");
	pair_free(&p);
}

/* No chance to be had: the operation ends, nothing goes out (hardening C8). */
static bool no_chance(void *ctx, uint8_t *out, size_t len)
{
	unsigned *left = ctx;

	memset(out, 0x11, len);
	return (*left)-- > 0;
}

static void test_no_chance(void **state)
{
	(void)state;
	for (unsigned draws = 0; draws < 6; draws++) {
		struct pair p;
		struct rlpx *c;
		unsigned left = draws;
		enum err e;

		pair_start(&p, 45);
		p.a.host->rng = p.b.host->rng = (struct rng){ no_chance, &left };
		e = rlpx_dial(&c, p.a.host, rlpx_host_id(p.b.host), false, p.now_ms);
		assert_int_equal(e, draws < 5 ? ERR_RANDOM : OK);
		if (e == OK)
			rlpx_free(c);
		left = draws;
		pair_run(&p);
		if (draws < 5)
			assert_string_equal(p.b.log, "closed:ERR_RANDOM:us:100 ");
		else
			assert_true(p.b.open);
		pair_free(&p);
	}
}

/* --- H8: early data ------------------------------------------------------------------- */

/* What comes right behind the auth is not taken before the event is polled, and what
 * is no frame of the peer's ends the connection without growth. */
static void test_pipelined(void **state)
{
	struct pair p;
	uint8_t *data = calloc(1, 65536 + 1024);
	const uint8_t *out;
	size_t len, taken;

	(void)state;
	assert_non_null(data);
	pair_start(&p, 46);
	len = rlpx_output(p.a.conn, &out);
	memcpy(data, out, len);
	memset(data + len, 0xaa, 65536);
	assert_int_equal(rlpx_recv(p.b.conn, &taken, data, len + 65536, p.now_ms), OK);
	assert_int_equal(taken, len);
	assert_int_equal(rlpx_recv(p.b.conn, &taken, data + len, 65536, p.now_ms), OK);
	assert_int_equal(taken, 0);
	assert_int_equal(p.mem.used[MEM_RECEIVE], 0);
	side_poll(&p.b);
	assert_true(p.b.identified);
	assert_int_equal(rlpx_recv(p.b.conn, &taken, data + len, 65536, p.now_ms), ERR_MAC);
	assert_int_equal(p.mem.used[MEM_RECEIVE], 0);
	free(data);
	pair_free(&p);
}

/* --- H11: the table -------------------------------------------------------------------- */

/* Carry what is written already, the ack, without the Hello that would be sealed next. */
static void ack_alone(struct pair *p, struct side *from, struct side *to)
{
	const uint8_t *out;
	uint8_t ack[1024];
	size_t len = rlpx_output(from->conn, &out);

	assert_true(len > 0 && len <= sizeof(ack));
	memcpy(ack, out, len);
	rlpx_output_taken(from->conn, len, p->now_ms);
	(void)side_give(p, to, ack, len);
}

static void reach(struct pair *p, enum rlpx__state s)
{
	pair_start(p, 50 + (unsigned)s);
	switch (s) {
	case RLPX__AUTH: return; /* side b */
	case RLPX__ACK: return;	 /* side a */
	case RLPX__HELLO:
		while (!p->b.identified || !p->a.identified) {
			side_poll(&p->a);
			side_poll(&p->b);
			pair_carry(p, &p->a, &p->b, 1024);
			if (p->b.identified && !p->a.identified)
				ack_alone(p, &p->b, &p->a);
		}
		return;
	case RLPX__OPEN: pair_run(p); return;
	case RLPX__GOODBYE:
		pair_run(p);
		rlpx_close(p->b.conn, RLPX_QUITTING, p->now_ms);
		return;
	case RLPX__CLOSED:
		pair_run(p);
		rlpx_stream_ended(p->b.conn, p->now_ms);
		return;
	case RLPX__STATES: break;
	}
	fail();
}

/* Make the input happen to side b (or a where it waits for the ack). */
static void happen(struct pair *p, struct side *s, enum rlpx__input in)
{
	struct side *other = s == &p->b ? &p->a : &p->b;
	uint8_t body[64] = { 0 };
	const uint8_t *out;
	uint8_t *hello;
	size_t len;

	switch (in) {
	case RLPX__ON_PACKET:
		if (s->conn->state == RLPX__AUTH) {
			pair_carry(p, other, s, SIZE_MAX);
		} else if (s->conn->state == RLPX__ACK) {
			pair_carry(p, s, other, SIZE_MAX);
			ack_alone(p, other, s);
		} else {
			rlpx__on_packet(s->conn, p->now_ms);
		}
		return;
	case RLPX__ON_HELLO:
		len = other->host->hello_len + 1;
		hello = malloc(len);
		assert_non_null(hello);
		hello[0] = 0x80;
		memcpy(hello + 1, other->host->hello, len - 1);
		(void)pair_inject(p, other, s, hello, len);
		free(hello);
		return;
	case RLPX__ON_DISCONNECT:
	case RLPX__ON_PING:
	case RLPX__ON_PONG:
		body[0] = (uint8_t)(1 + (in - RLPX__ON_DISCONNECT));
		body[1] = 0x01; /* compressed c0, or just something */
		body[3] = 0xc0;
		(void)pair_inject(p, other, s, body, 4);
		return;
	case RLPX__ON_RESERVED:
		for (body[0] = 4; body[0] < 16; body[0]++)
			(void)pair_inject(p, other, s, body, 2);
		return;
	case RLPX__ON_MESSAGE:
		body[0] = 0x10;
		body[1] = 0x00;
		(void)pair_inject(p, other, s, body, 2);
		return;
	case RLPX__ON_FAILURE: rlpx__fail(s->conn, ERR_MEM, RLPX_TOO_MANY_PEERS, p->now_ms); return;
	case RLPX__ON_LEAVE: rlpx_close(s->conn, RLPX_QUITTING, p->now_ms); return;
	case RLPX__ON_TAKEN:
		rlpx_seal_many(&s->conn, 1, p->now_ms);
		len = rlpx_output(s->conn, &out);
		rlpx_output_taken(s->conn, len, p->now_ms);
		return;
	case RLPX__ON_LATE:
		p->now_ms = u64_max(p->now_ms, u64_min(p->now_ms + IDLE_MS, s->conn->until_ms));
		rlpx_tick(s->conn, p->now_ms);
		return;
	case RLPX__ON_END: rlpx_stream_ended(s->conn, p->now_ms); return;
	case RLPX__INPUTS: break;
	}
	fail();
}

/* The state after an action, from the description of conn.c and not from its code. */
static int after(enum rlpx__state s, enum rlpx__action a)
{
	switch (a) {
	case RLPX__NOTHING:
	case RLPX__PONG:
	case RLPX__TIMED:
	case RLPX__DELIVER: return (int)s;
	case RLPX__ANSWER:
	case RLPX__AGREE: return RLPX__HELLO;
	case RLPX__GREET: return RLPX__OPEN;
	case RLPX__LEFT:
	case RLPX__ENDED:
	case RLPX__DROP: return RLPX__CLOSED;
	case RLPX__REFUSE:
	case RLPX__FAIL: return s >= RLPX__HELLO ? RLPX__GOODBYE : RLPX__CLOSED;
	case RLPX__QUIT: return RLPX__GOODBYE;
	}
	fail();
	return -1;
}

static void test_every_state_and_input(void **state)
{
	(void)state;
	for (int i = 0; i < RLPX__STATES; i++)
		for (int j = 0; j < RLPX__INPUTS; j++) {
			enum rlpx__state s = (enum rlpx__state)i;
			enum rlpx__input in = (enum rlpx__input)j;
			enum rlpx__action a = rlpx__action_of(s, in);
			bool frame = in >= RLPX__ON_HELLO && in <= RLPX__ON_MESSAGE;
			struct side *side;
			struct pair p;
			int want = after(s, a);

			/* Nothing follows the end, and nobody is shown a message before Hello. */
			if (s == RLPX__CLOSED)
				assert_int_equal(a, RLPX__NOTHING);
			if (a == RLPX__DELIVER || a == RLPX__PONG)
				assert_int_equal(s, RLPX__OPEN);
			if (frame && s < RLPX__HELLO) { /* there are no frames yet */
				assert_int_equal(a, RLPX__REFUSE);
				continue;
			}
			reach(&p, s);
			side = s == RLPX__ACK ? &p.a : &p.b;
			assert_int_equal(side->conn->state, s);
			if (in == RLPX__ON_PACKET && a == RLPX__REFUSE)
				want = RLPX__CLOSED; /* said to nobody: not even an answer */
			if (in == RLPX__ON_LATE && s == RLPX__HELLO)
				want = RLPX__CLOSED;
			happen(&p, side, in);
			if (side->conn->state != want)
				fail_msg("state %d input %d: %d, not %d", i, j, side->conn->state,
					 want);
			side_poll(side);
			assert_int_equal(side->closed, want == RLPX__CLOSED);
			/* Whatever it was, no state is a trap. */
			pair_wait(&p, 60000);
			assert_true(side->conn->state == RLPX__OPEN ||
				    side->conn->state == RLPX__CLOSED);
			pair_free(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_size_prefix),
		cmocka_unit_test(test_junk_is_bounded),
		cmocka_unit_test(test_slow_auth),
		cmocka_unit_test(test_slow_hello),
		cmocka_unit_test(test_slow_recipient),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_storm_then_clean),
		cmocka_unit_test(test_identities),
		cmocka_unit_test(test_equal_keys),
		cmocka_unit_test(test_equal_keys_in_ack),
		cmocka_unit_test(test_no_chance),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_every_state_and_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
