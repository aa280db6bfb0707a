/* SPDX-License-Identifier: MIT */
/* rlpx/input.c - bytes in, events out.
 *
 * A connection reads units: the peer's packet, then header and body of each
 * frame.  A unit that lies whole in the bytes given is worked on where it
 * lies; otherwise it is gathered in `in`, which grows with what came and never
 * with what was claimed.  Several connections go through the same passes side
 * by side: all their headers, then all their bodies, until each is out of
 * bytes, has something to show, or failed.
 *
 * Cap: three quarters of the receive account are for gathering, the last one
 * for the scratch, so that large frames under way never keep small messages
 * from being read.  At the cap a connection pauses: nothing is lost, what was
 * not taken is to be offered again; over 30 s it is closed.
 */
#include "rlpx/conn.h"
#include "rlpx/snappy.h"

#define MANY 32 /* connections in one pass; more: in turns */

enum step {
	STEP_DONE,   /* nothing more can be done with this input now */
	STEP_HEADER, /* a header lies at unit */
	STEP_BODY,   /* a body */
};

struct cursor {
	struct rlpx_input *input;
	uint8_t *unit;
	bool in_buf; /* unit lies in the connection's buffer */
	bool done;
};

static bool reads_handshake(const struct rlpx *c)
{
	return c->state == RLPX__AUTH || c->state == RLPX__ACK;
}

/* Take bytes of auth or ack until it is whole. */
static void handshake_bytes(struct rlpx_input *input, uint64_t now_ms)
{
	struct rlpx *c = input->conn;
	struct rlpx__identity us = rlpx__host_identity(c->host);

	if (input->len > 0 && c->handshake->got_len == 0)
		c->until_ms = time_add(c->started_ms, AUTH_MS);
	while (reads_handshake(c)) {
		bool whole;
		size_t part;
		enum err e =
			rlpx__handshake_take(c->handshake, &us, &part, &whole,
					     input->data + input->taken, input->len - input->taken);

		input->taken += part;
		c->bytes_in += part;
		if (e != OK) {
			c->host->refused_auths += c->state == RLPX__AUTH;
			rlpx__fail(c, e, RLPX_REASON_UNKNOWN, now_ms);
		} else if (whole) {
			rlpx__on_packet(c, now_ms);
		} else {
			return;
		}
	}
}

/* Memory is short: nothing was taken, and it is to be offered again. */
static bool paused(struct rlpx_input *input, uint64_t now_ms)
{
	if (input->conn->paused_ms == NEVER)
		input->conn->paused_ms = now_ms;
	input->err = ERR_FULL;
	return false;
}

/* Gather part bytes of a unit of need.  The buffer never outgrows the unit. */
static bool gather(struct rlpx *c, const uint8_t *data, size_t part, size_t need)
{
	size_t want = c->in.len + part;

	if (want > c->in.room) {
		c->in.max = size_min(need, want + want / 2);
		if (!rlpx__host_may_gather(c->host, c->in.max - c->in.room)) {
			c->in.max = want;
			if (!rlpx__host_may_gather(c->host, want - c->in.room))
				return false;
		}
	}
	return buf_append(&c->in, data, part) == OK;
}

/* Find the next unit of need bytes: where it lies, or gathered. */
static bool unit_bytes(struct cursor *at, size_t need, uint64_t now_ms)
{
	struct rlpx_input *input = at->input;
	struct rlpx *c = input->conn;
	size_t left = input->len - input->taken;
	size_t part = size_min(need - c->in.len, left);

	if (left == 0)
		return false;
	at->in_buf = c->in.len > 0 || left < need;
	at->unit = input->data + input->taken;
	if (at->in_buf) {
		if (!gather(c, at->unit, part, need))
			return paused(input, now_ms);
		at->unit = c->in.data + c->in.start;
	}
	c->paused_ms = NEVER;
	input->taken += part;
	c->bytes_in += part;
	return !at->in_buf || c->in.len == need;
}

static enum step step(struct cursor *at, uint64_t now_ms)
{
	struct rlpx_input *input = at->input;
	struct rlpx *c = input->conn;

	if (c->waits != 0)
		return STEP_DONE;
	if (reads_handshake(c))
		handshake_bytes(input, now_ms);
	if (c->state == RLPX__GOODBYE) {
		input->taken = input->len;
		return STEP_DONE;
	}
	if (c->waits != 0 || (c->state != RLPX__HELLO && c->state != RLPX__OPEN))
		return STEP_DONE;
	rlpx__payload_done(c);
	if (!c->have_header)
		return unit_bytes(at, FRAME_HEADER, now_ms) ? STEP_HEADER : STEP_DONE;
	return unit_bytes(at, rlpx__frame_padded(c->frame_size) + FRAME_MAC, now_ms) ? STEP_BODY
										     : STEP_DONE;
}

static void header_opened(struct rlpx *c, const struct rlpx__header_job *job, bool in_buf,
			  uint64_t now_ms)
{
	if (in_buf)
		buf_reset(&c->in);
	if (job->err != OK) {
		rlpx__fail(c, job->err, RLPX_REASON_UNKNOWN, now_ms);
	} else if (job->size == 0) {
		rlpx__fail(c, ERR_SIZE, RLPX_REASON_UNKNOWN, now_ms); /* hardening F2 */
	} else if (job->size > rlpx__frame_max(c)) {
		rlpx__fail(c, ERR_SIZE, RLPX_BREACH, now_ms); /* hardening F1 */
	} else {
		c->have_header = true;
		c->frame_size = job->size;
		c->heard_ms = now_ms;
	}
}

static void body_opened(struct rlpx *c, const struct rlpx__body_job *job, bool in_buf,
			uint64_t now_ms)
{
	c->have_header = false;
	if (job->err != OK) {
		if (in_buf)
			buf_reset(&c->in);
		rlpx__fail(c, job->err, RLPX_REASON_UNKNOWN, now_ms);
		return;
	}
	rlpx__on_frame(c, job->data, job->size, in_buf, now_ms);
	if (in_buf && !c->body_in_buf) /* nothing waits in it */
		buf_reset(&c->in);
}

/* One pass over all: units are found, opened side by side, and acted on.
 * Returns whether any connection got further. */
static bool pass(struct cursor *cursors, size_t count, uint64_t now_ms)
{
	struct rlpx__header_job headers[MANY];
	struct rlpx__body_job bodies[MANY];
	struct cursor *of_header[MANY], *of_body[MANY];
	size_t header_count = 0, body_count = 0;

	for (size_t i = 0; i < count; i++) {
		struct cursor *at = &cursors[i];
		struct rlpx *c = at->input->conn;
		enum step s = at->done ? STEP_DONE : step(at, now_ms);

		if (s == STEP_HEADER) {
			of_header[header_count] = at;
			headers[header_count++] =
				(struct rlpx__header_job){ .frames = &c->frames, .data = at->unit };
		} else if (s == STEP_BODY) {
			of_body[body_count] = at;
			bodies[body_count++] = (struct rlpx__body_job){ .frames = &c->frames,
									.data = at->unit,
									.size = c->frame_size };
		} else {
			at->done = true;
		}
	}
	rlpx__open_headers(headers, header_count);
	for (size_t i = 0; i < header_count; i++)
		header_opened(of_header[i]->input->conn, &headers[i], of_header[i]->in_buf, now_ms);
	rlpx__open_bodies(bodies, body_count);
	for (size_t i = 0; i < body_count; i++)
		body_opened(of_body[i]->input->conn, &bodies[i], of_body[i]->in_buf, now_ms);
	return header_count + body_count > 0;
}

/* What the caller is told: a failure once it happened, now or before. */
static enum err verdict(const struct rlpx_input *input)
{
	const struct rlpx *c = input->conn;

	if (c->state != RLPX__GOODBYE && c->state != RLPX__CLOSED)
		return input->err;
	if (c->state == RLPX__CLOSED && c->err == OK && c->waits == 0)
		return ERR_CLOSED; /* orderly, and long told */
	return (enum err)c->err;
}

static void open_group(struct rlpx_input *inputs, size_t count, uint64_t now_ms)
{
	struct cursor cursors[MANY];

	for (size_t i = 0; i < count; i++) {
		inputs[i].taken = 0;
		inputs[i].err = OK;
		cursors[i] = (struct cursor){ .input = &inputs[i] };
	}
	while (pass(cursors, count, now_ms))
		;
	for (size_t i = 0; i < count; i++)
		inputs[i].err = verdict(&inputs[i]);
}

void rlpx_open_many(struct rlpx_input *inputs, size_t count, uint64_t now_ms)
{
	for (size_t i = 0; i < count; i += MANY)
		open_group(inputs + i, size_min(MANY, count - i), now_ms);
}

enum err rlpx_recv(struct rlpx *c, size_t *taken, uint8_t *data, size_t len, uint64_t now_ms)
{
	struct rlpx_input input = { .conn = c, .data = data, .len = len };

	open_group(&input, 1, now_ms);
	*taken = input.taken;
	return input.err;
}

/* --- polling ------------------------------------------------------------------- */

/* Show the message that waits, decompressed.  False: not now, or it cannot be. */
static bool message_show(struct rlpx *c, struct rlpx_event *ev)
{
	struct rlpx_host *h = c->host;
	struct span payload = c->payload;
	size_t len;

	if (c->snappy) {
		uint8_t *out;

		if (rlpx__snappy_length(&len, payload, RLPX_FRAME_MAX) != OK) {
			rlpx__fail(c, ERR_SNAPPY, RLPX_BREACH, c->heard_ms);
			return false;
		}
		out = rlpx__host_scratch(h, len);
		if (out == NULL) { /* the last quarter of the account was kept for it */
			rlpx__fail(c, ERR_MEM, RLPX_TOO_MANY_PEERS, c->heard_ms);
			return false;
		}
		h->scratch_used_ms = c->heard_ms;
		if (rlpx__snappy_decode(out, len, payload) != OK) {
			rlpx__fail(c, ERR_SNAPPY, RLPX_BREACH, c->heard_ms);
			return false;
		}
		payload = span_of(out, len);
	}
	c->waits &= (uint8_t)~WAITS_MESSAGE;
	ev->type = RLPX_MESSAGE;
	ev->u.message.cap = c->cap;
	ev->u.message.code = c->code;
	ev->u.message.payload = payload;
	ev->u.message.wire_len = FRAME_HEADER + rlpx__frame_padded(c->frame_size) + FRAME_MAC;
	return true;
}

static void hello_show(struct rlpx *c, struct rlpx_event *ev)
{
	static const struct rlpx_shared none;
	/* It was read before; here it is only put where the event can lend it. */
	enum err e = rlpx__hello_read(&c->host->peer_hello, c->payload, &c->peer);

	(void)e;
	c->waits &= (uint8_t)~WAITS_HELLO;
	ev->type = RLPX_HELLO;
	ev->u.hello.peer = &c->host->peer_hello;
	ev->u.hello.shared = &none; /* may be copied from, with a length of 0 */
	ev->u.hello.shared_count = 0;
	if (!c->useless)
		ev->u.hello.shared = rlpx__mux_shared(c->mux, &ev->u.hello.shared_count);
}

bool rlpx_poll(struct rlpx *c, struct rlpx_event *ev)
{
	if (c->waits & WAITS_IDENTIFIED) {
		c->waits &= (uint8_t)~WAITS_IDENTIFIED;
		ev->type = RLPX_IDENTIFIED;
		ev->u.identified = &c->peer;
		return true;
	}
	if (c->waits & WAITS_HELLO) {
		hello_show(c, ev);
		return true;
	}
	if (c->waits & WAITS_MESSAGE && message_show(c, ev))
		return true;
	rlpx__payload_done(c);
	if (c->useless) {
		c->useless = false;
		rlpx__fail(c, ERR_USELESS, RLPX_USELESS, c->heard_ms);
	}
	if (c->waits & WAITS_CLOSED) {
		c->waits &= (uint8_t)~WAITS_CLOSED;
		ev->type = RLPX_CLOSED;
		ev->u.closed.err = (enum err)c->err;
		ev->u.closed.by_peer = c->left_by_peer;
		ev->u.closed.reason = c->reason;
		return true;
	}
	return false;
}
