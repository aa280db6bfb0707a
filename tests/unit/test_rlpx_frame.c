/* SPDX-License-Identifier: MIT */
/* tests/unit/test_rlpx_frame.c - frames against tests/vectors/rlpx_frames.json:
 * 331 frames opened and sealed again to the same bytes, alone and in lanes, and
 * 38 frames that deviate. */
#include "tests/vectors.h"

#include "rlp/rlp.h"
#include "rlpx/snappy.h"
#include "tests/rlpx_pair.h"

#define SEQUENCES 14
#define FRAMES	  331

static void secrets_read(struct rlpx__secrets *out, const json_t *v)
{
	struct span i2r = vec_bytes(v, "mac_init_i2r"), r2i = vec_bytes(v, "mac_init_r2i");

	vec_exact(v, "aes", out->aes, 32);
	vec_exact(v, "mac", out->mac, 32);
	keccak_init(&out->i2r);
	keccak_update(&out->i2r, i2r.data, i2r.len);
	keccak_init(&out->r2i);
	keccak_update(&out->r2i, r2i.data, r2i.len);
}

static void digest_is(const struct keccak *k, const json_t *v, const char *key)
{
	uint8_t digest[32];

	keccak_peek(k, digest);
	assert_span_equal(span_of(digest, 32), vec_bytes(v, key), "%s", key);
}

/* Both ends of a recorded sequence. */
struct ends {
	const json_t *frames;
	struct rlpx__frames initiator, recipient;
	size_t next;
	/* The frame under work. */
	const json_t *v;
	struct rlpx__frames *from, *to;
	struct span wire;
	uint8_t *bytes;
};

static void ends_begin(struct ends *e, const json_t *sequence)
{
	const json_t *v = vec_get(sequence, "secrets");
	struct rlpx__secrets s;

	*e = (struct ends){ .frames = vec_array(sequence, "frames") };
	secrets_read(&s, v);
	digest_is(&s.i2r, v, "mac_digest_i2r");
	digest_is(&s.r2i, v, "mac_digest_r2i");
	assert_int_equal(rlpx__frames_begin(&e->initiator, &s, true), OK);
	assert_int_equal(rlpx__frames_begin(&e->recipient, &s, false), OK);
}

static void ends_end(struct ends *e)
{
	rlpx__frames_end(&e->initiator);
	rlpx__frames_end(&e->recipient);
}

static bool ends_next(struct ends *e)
{
	bool by_initiator;

	if (e->next == json_array_size(e->frames))
		return false;
	e->v = json_array_get(e->frames, e->next++);
	by_initiator = strcmp(vec_text(e->v, "from"), "initiator") == 0;
	e->from = by_initiator ? &e->initiator : &e->recipient;
	e->to = by_initiator ? &e->recipient : &e->initiator;
	e->wire = vec_bytes(e->v, "wire");
	e->bytes = malloc(e->wire.len);
	assert_non_null(e->bytes);
	memcpy(e->bytes, e->wire.data, e->wire.len);
	return true;
}

/* The plain body is the code and the payload, compressed or not. */
static void body_is(const json_t *v, const uint8_t *body, size_t size)
{
	struct rlp_reader r = rlp_reader_init(body, size);
	uint64_t code = rlp_read_u64(&r);
	struct span payload = vec_bytes(v, "payload");
	uint8_t *plain;
	size_t len;

	assert_int_equal(rlp_reader_err(&r), OK);
	assert_true(code == vec_u64(v, "code"));
	if (!vec_bool(v, "snappy")) {
		assert_span_equal(span_of(r.at, r.left), payload, "payload");
		return;
	}
	assert_int_equal(rlpx__snappy_length(&len, span_of(r.at, r.left), RLPX_FRAME_MAX), OK);
	assert_int_equal(len, payload.len);
	plain = malloc(len + 1);
	assert_non_null(plain);
	assert_int_equal(rlpx__snappy_decode(plain, len, span_of(r.at, r.left)), OK);
	assert_span_equal(span_of(plain, len), payload, "payload");
	free(plain);
}

/* Open the next frame of each of count sequences, then seal the bodies again
 * from the other end: the wire must come out. */
static void open_and_seal(struct ends *ends, const size_t *which, size_t count)
{
	struct rlpx__header_job headers[SEQUENCES];
	struct rlpx__body_job bodies[SEQUENCES];
	struct rlpx__seal_job seals[SEQUENCES];

	for (size_t i = 0; i < count; i++) {
		struct ends *e = &ends[which[i]];

		headers[i] = (struct rlpx__header_job){ .frames = e->to, .data = e->bytes };
	}
	rlpx__open_headers(headers, count);
	for (size_t i = 0; i < count; i++) {
		static const uint8_t header_data[13] = { 0xc2, 0x80, 0x80 };
		struct ends *e = &ends[which[i]];

		assert_int_equal(headers[i].err, OK);
		assert_int_equal(headers[i].size, vec_u64(e->v, "frame_size"));
		assert_memory_equal(e->bytes + 3, header_data, sizeof(header_data));
		assert_int_equal(e->wire.len,
				 FRAME_HEADER + rlpx__frame_padded(headers[i].size) + FRAME_MAC);
		bodies[i] = (struct rlpx__body_job){ .frames = e->to,
						     .data = e->bytes + FRAME_HEADER,
						     .size = headers[i].size };
	}
	rlpx__open_bodies(bodies, count);
	for (size_t i = 0; i < count; i++) {
		struct ends *e = &ends[which[i]];

		assert_int_equal(bodies[i].err, OK);
		body_is(e->v, bodies[i].data, bodies[i].size);
		digest_is(&e->to->in.mac, e->v, "mac_digest_after");
		memset(e->bytes, 0xee, FRAME_HEADER); /* sealing must write all of it */
		memset(e->bytes + e->wire.len - FRAME_MAC, 0xee, FRAME_MAC);
		seals[i] = (struct rlpx__seal_job){ e->from, e->bytes, bodies[i].size };
	}
	rlpx__seal_frames(seals, count);
	for (size_t i = 0; i < count; i++) {
		struct ends *e = &ends[which[i]];

		assert_span_equal(span_of(e->bytes, e->wire.len), e->wire, "sealed");
		digest_is(&e->from->out.mac, e->v, "mac_digest_after");
		free(e->bytes);
	}
}

static void test_sequences_alone(void **state)
{
	json_t *file = vectors_open("rlpx_frames");
	const json_t *v;
	size_t i, frames = 0;

	(void)state;
	vectors_each (file, "sequences", i, v) {
		const size_t zero = 0;
		struct ends e;

		ends_begin(&e, v);
		for (; ends_next(&e); frames++)
			open_and_seal(&e, &zero, 1);
		ends_end(&e);
	}
	assert_int_equal(i, SEQUENCES);
	assert_int_equal(frames, FRAMES);
	vectors_close(file);
}

/* All sequences side by side: each step is one call for all that go on. */
static void test_sequences_in_lanes(void **state)
{
	json_t *file = vectors_open("rlpx_frames");
	struct ends ends[SEQUENCES];
	size_t which[SEQUENCES], count, i, frames = 0;
	const json_t *v;

	(void)state;
	vectors_each (file, "sequences", i, v)
		ends_begin(&ends[i], v);
	assert_int_equal(i, SEQUENCES);
	do {
		count = 0;
		for (i = 0; i < SEQUENCES; i++)
			if (ends_next(&ends[i]))
				which[count++] = i;
		open_and_seal(ends, which, count);
		frames += count;
	} while (count > 0);
	assert_int_equal(frames, FRAMES);
	for (i = 0; i < SEQUENCES; i++)
		ends_end(&ends[i]);
	vectors_close(file);
}

/* More connections than lanes, lengths far apart: the same bytes as one by one. */
static void test_lanes_agree(void **state)
{
	enum { COUNT = 37, ROUNDS = 6 };
	static struct rlpx__frames one[COUNT], many[COUNT], back[COUNT];
	static uint8_t a[COUNT][FRAME_HEADER + 4096 + FRAME_MAC], b[COUNT][sizeof(a[0])];
	struct rlpx__seal_job jobs[COUNT];
	struct rng_seeded seed;
	struct rng rng = rng_seeded_init(&seed, 99);

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct rlpx__secrets s = { .aes = { (uint8_t)i }, .mac = { (uint8_t)(i + 1) } };

		keccak_init(&s.i2r);
		keccak_update(&s.i2r, a[0], i * 5);
		s.r2i = s.i2r;
		assert_int_equal(rlpx__frames_begin(&one[i], &s, true), OK);
		assert_int_equal(rlpx__frames_begin(&many[i], &s, true), OK);
		assert_int_equal(rlpx__frames_begin(&back[i], &s, false), OK);
	}
	for (size_t round = 0; round < ROUNDS; round++) {
		struct rlpx__header_job headers[COUNT];
		struct rlpx__body_job bodies[COUNT];

		for (size_t i = 0; i < COUNT; i++) {
			size_t size = 1 + (i * 977 + round * 131) % 4096;

			memset(a[i], 0, sizeof(a[i]));
			assert_int_equal(rng_fill(&rng, a[i] + FRAME_HEADER, size), OK);
			memcpy(b[i], a[i], sizeof(a[i]));
			jobs[i] = (struct rlpx__seal_job){ &one[i], a[i], size };
			rlpx__seal_frames(&jobs[i], 1);
			jobs[i] = (struct rlpx__seal_job){ &many[i], b[i], size };
		}
		rlpx__seal_frames(jobs, COUNT);
		for (size_t i = 0; i < COUNT; i++) {
			assert_memory_equal(a[i], b[i], sizeof(a[i]));
			headers[i] = (struct rlpx__header_job){ .frames = &back[i], .data = b[i] };
		}
		rlpx__open_headers(headers, COUNT);
		for (size_t i = 0; i < COUNT; i++) {
			assert_int_equal(headers[i].err, OK);
			assert_int_equal(headers[i].size, jobs[i].size);
			bodies[i] = (struct rlpx__body_job){ .frames = &back[i],
							     .data = b[i] + FRAME_HEADER,
							     .size = jobs[i].size };
		}
		rlpx__open_bodies(bodies, COUNT);
		for (size_t i = 0; i < COUNT; i++)
			assert_int_equal(bodies[i].err, OK);
	}
	for (size_t i = 0; i < COUNT; i++) {
		rlpx__frames_end(&one[i]);
		rlpx__frames_end(&many[i]);
		rlpx__frames_end(&back[i]);
	}
}

/* The layout test of geth has a MAC that is no MAC; the ciphertext is real. */
static void test_golden_layout(void **state)
{
	json_t *file = vectors_open("rlpx_frames");
	const json_t *v = vec_get(file, "golden");
	struct span payload = vec_bytes(v, "payload"), wire = vec_bytes(v, "wire");
	uint8_t frame[64] = { 0 };
	struct rlpx__secrets s = { .aes = { 0 } };
	struct rlpx__frames f;

	(void)state;
	assert_int_equal(wire.len, sizeof(frame));
	vec_exact(v, "aes", s.aes, 32);
	vec_exact(v, "mac", s.mac, 32);
	keccak_init(&s.i2r);
	keccak_init(&s.r2i);
	assert_int_equal(rlpx__frames_begin(&f, &s, true), OK);
	frame[FRAME_HEADER] = (uint8_t)vec_u64(v, "code");
	memcpy(frame + FRAME_HEADER + 1, payload.data, payload.len);
	rlpx__seal_frames(&(struct rlpx__seal_job){ &f, frame, 1 + payload.len }, 1);
	assert_memory_equal(frame, wire.data, 16);
	assert_memory_equal(frame + 32, wire.data + 32, 16);
	rlpx__frames_end(&f);
	vectors_close(file);
}

/* A connection that stands behind its Hellos with given secrets. */
static void conn_open(struct pair *p, const struct rlpx__secrets *s, bool initiator, bool snappy)
{
	struct rlpx_shared shared = { 0, 0x10, 128 };
	struct rlpx *c;

	pair_init(p, 1);
	pair_hosts(p, NULL, NULL);
	assert_int_equal(rlpx_accept(&c, p->a.host, p->now_ms), OK);
	assert_int_equal(rlpx__start(c, s, initiator, rlpx_host_id(p->b.host), p->now_ms), OK);
	assert_int_equal(rlpx__mux_new(&c->mux, &p->mem, &shared, 1), OK);
	c->state = RLPX__OPEN;
	c->waits = 0;
	c->hello_due = false;
	c->snappy = snappy;
	c->until_ms = NEVER;
	p->a.conn = c;
}

static const size_t pieces[] = { 1, 15, 16, 33, 100000, 0 };
#define PIECES (sizeof(pieces) / sizeof(pieces[0]))

static void deviation(const json_t *v, const struct rlpx__secrets *s, size_t piece)
{
	struct span wire = vec_bytes(v, "wire");
	bool accept = strcmp(vec_text(v, "result"), "accept") == 0;
	struct pair p;

	conn_open(&p, s, false, vec_bool(v, "snappy"));
	p.piece = piece;
	(void)side_give(&p, &p.a, wire.data, wire.len);
	if (p.a.messages != (accept ? 1 : 0))
		fail_msg("%s: %s", vec_text(v, "name"), p.a.log);
	if (accept) {
		struct span payload = vec_bytes(v, "payload");

		assert_int_equal(p.a.last.u.message.code + 0x10, vec_u64(v, "code"));
		assert_int_equal(p.a.last.u.message.payload.len, payload.len);
		assert_true(payload.len <= sizeof(p.a.payload));
		assert_span_equal(span_of(p.a.payload, payload.len), payload, "payload");
	} else {
		rlpx_stream_ended(p.a.conn, p.now_ms); /* what is cut off is no message */
		side_poll(&p.a);
		assert_true(p.a.closed);
		if (strcmp(vec_text(v, "name"), "snappy-raw-disconnect") == 0) {
			/* geth refuses it; real peers send it, so it is understood */
			assert_int_equal(p.a.last.u.closed.err, OK);
			assert_int_equal(p.a.last.u.closed.reason, RLPX_TOO_MANY_PEERS);
		} else if (p.a.last.u.closed.err == OK) {
			fail_msg("%s: no error", vec_text(v, "name"));
		}
		assert_null(p.a.conn->frames.stream); /* hardening F7: no key is left */
	}
	pair_free(&p);
}

static void test_deviations(void **state)
{
	json_t *file = vectors_open("rlpx_frames");
	const json_t *all = vec_get(file, "deviations"), *v;
	struct rlpx__secrets s;
	size_t i;

	(void)state;
	secrets_read(&s, vec_get(all, "secrets"));
	vectors_each (all, "cases", i, v)
		for (size_t j = 0; j < PIECES; j++)
			deviation(v, &s, pieces[j]);
	assert_int_equal(i, 38);
	vectors_close(file);
}

/* hardening F3: whatever single bit of a frame is flipped, nothing is shown, the
 * stream is dead and nothing is said. */
static void test_every_bit(void **state)
{
	uint8_t frame[FRAME_HEADER + 32 + FRAME_MAC] = { 0 };
	struct rlpx__secrets s = { .aes = { 1 }, .mac = { 2 } };
	struct rlpx__frames f;

	(void)state;
	keccak_init(&s.i2r);
	keccak_init(&s.r2i);
	assert_int_equal(rlpx__frames_begin(&f, &s, true), OK);
	frame[FRAME_HEADER] = 0x10;
	frame[FRAME_HEADER + 1] = 0xc0;
	rlpx__seal_frames(&(struct rlpx__seal_job){ &f, frame, 20 }, 1);
	rlpx__frames_end(&f);
	for (size_t bit = 0; bit <= 8 * sizeof(frame); bit++) {
		struct pair p;
		const uint8_t *out;
		uint8_t flipped[sizeof(frame)];
		bool whole = bit == 8 * sizeof(frame);
		enum err e;

		memcpy(flipped, frame, sizeof(frame));
		if (!whole)
			flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
		conn_open(&p, &s, false, false);
		p.piece = 100000;
		e = side_give(&p, &p.a, flipped, sizeof(flipped));
		assert_int_equal(e, whole ? OK : ERR_MAC);
		assert_int_equal(p.a.messages, whole ? 1 : 0);
		assert_int_equal(p.a.closed, !whole);
		rlpx_seal_many(&p.a.conn, 1, p.now_ms);
		assert_int_equal(rlpx_output(p.a.conn, &out), 0);
		if (!whole) /* the true frame comes too late */
			assert_int_equal(side_give(&p, &p.a, frame, sizeof(frame)), ERR_MAC);
		assert_int_equal(p.a.messages, whole ? 1 : 0);
		pair_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences_alone), cmocka_unit_test(test_sequences_in_lanes),
		cmocka_unit_test(test_lanes_agree),	cmocka_unit_test(test_golden_layout),
		cmocka_unit_test(test_deviations),	cmocka_unit_test(test_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
