/* SPDX-License-Identifier: MIT */
/* Frames for an open connection: raw bytes (no MAC is right), or bodies that were
 * properly sealed (every MAC is right), in pieces.  What is shown is what the body
 * says; memory follows what came (hardening F1 to F7, B2, B4, B5).
 *
 * input	options, pieces, then raw bytes or records (BE16 length, body)
 */
#include "rlp/rlp.h"
#include "tests/fuzz/fuzz.h"
#include "tests/rlpx_pair.h"

enum { SEALED = 1, SNAPPY = 2, BEFORE_HELLO = 4 };

static void conn_open(struct pair *p, struct side *s, bool initiator, uint8_t options)
{
	static const struct rlpx_shared shared[] = { { 0, 0x10, 17 }, { 1, 0x21, 128 } };
	struct rlpx__secrets secrets = { .aes = { 1 }, .mac = { 2 } };
	struct rlpx *c;
	enum err e;

	keccak_init(&secrets.i2r);
	keccak_init(&secrets.r2i);
	e = rlpx_accept(&c, s->host, p->now_ms);
	fuzz_check(e == OK);
	e = rlpx__start(c, &secrets, initiator, rlpx_host_id(s->host), p->now_ms);
	fuzz_check(e == OK);
	s->conn = c;
	side_poll(s);
	if (options & BEFORE_HELLO)
		return;
	e = rlpx__mux_new(&c->mux, &p->mem, shared, 2);
	fuzz_check(e == OK);
	c->state = RLPX__OPEN;
	c->until_ms = NEVER;
	c->hello_due = false;
	c->snappy = (options & SNAPPY) != 0;
}

/* An uncompressed message is shown exactly as it was sealed. */
static void shown(struct side *s, const struct rlpx_event *ev)
{
	const struct span *body = s->ctx;
	struct rlp_reader r;
	uint64_t code;

	if (ev->type != RLPX_MESSAGE || body == NULL)
		return;
	r = rlp_reader_init(body->data, body->len);
	code = rlp_read_u64(&r);
	fuzz_check(r.err == OK);
	fuzz_check(code == (ev->u.message.cap == 0 ? 0x10u : 0x21u) + ev->u.message.code);
	if (!s->conn->snappy)
		fuzz_check(span_eq(ev->u.message.payload, span_of(r.at, r.left)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pair p;
	struct span in = span_of(data, size), body;
	uint8_t options = fuzz_u8(&in);

	pair_init(&p, 2);
	pair_hosts(&p, NULL, NULL);
	p.piece = fuzz_u8(&in) * 4u;
	conn_open(&p, &p.a, true, options);
	conn_open(&p, &p.b, false, options);
	p.b.on_event = shown;
	if (!(options & SEALED)) {
		(void)side_give(&p, &p.b, in.data, in.len);
		fuzz_check(p.b.messages == 0);
	}
	while (options & SEALED && in.len > 0 && !p.b.closed) {
		size_t len = (size_t)fuzz_u8(&in) << 8 | fuzz_u8(&in);

		if (!span_take(&in, &body, size_min(len, in.len)))
			break;
		p.b.ctx = &body;
		(void)pair_inject(&p, &p.a, &p.b, body.data, body.len);
		fuzz_check(p.b.conn->in.len == 0 || p.b.conn->body_in_buf);
	}
	fuzz_check(p.mem.used[MEM_RECEIVE] <= 2 * size + SCRATCH_MIN + 22 * size + 1024 ||
		   p.b.host->scratch_len <= 2 * (64 + 22 * size));
	if (p.b.closed)
		fuzz_check(p.b.conn->frames.stream == NULL);
	pair_free(&p);
	return 0;
}
