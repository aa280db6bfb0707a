/* SPDX-License-Identifier: MIT */
/* rlpx/output.c - what is queued becomes ciphertext, several connections side by side.
 *
 * Clockwork: rounds.  In a round each connection writes its next message as a
 * plain frame to the end of its output; then all these frames are sealed
 * together, and the next round begins.  A connection drops out when nothing is
 * queued, or RLPX_SEAL_MAX bytes wait for its socket, or memory is short (its
 * messages stay queued).  What goes first: Hello, Disconnect, Pong, Ping, then
 * the capabilities in turn.
 */
#include <assert.h>

#include "rlp/rlp.h"
#include "rlpx/conn.h"
#include "rlpx/disconnect.h"
#include "rlpx/snappy.h"

#define MANY	 32 /* connections in one round; more: in turns */
#define CODE_MAX 3  /* bytes of a code: 82 xx xx */

enum { CODE_HELLO, CODE_DISCONNECT, CODE_PING, CODE_PONG };

static size_t code_write(uint8_t out[static CODE_MAX], uint32_t code)
{
	struct rlp_writer w = rlp_writer_init(out, CODE_MAX);

	rlp_write_u64(&w, code);
	return w.len;
}

/* Keep the compressed form beside a payload that others will send too.  Short
 * of memory it is simply compressed again for the next one. */
static void twin_keep(struct blob *payload, const uint8_t *compressed, size_t len)
{
	if (payload->refs < 2 ||
	    blob_new(&payload->twin, payload->mem, payload->account, len) != OK)
		return;
	memcpy(payload->twin->data, compressed, len);
}

/* Write a message as a plain frame to the end of the output.
 *
 * blob     where payload comes from, for its twin; NULL if from nowhere
 * job      set to seal it
 * errors   ERR_MEM
 */
static enum err frame_write(struct rlpx *c, struct rlpx__seal_job *job, uint32_t code,
			    struct span payload, struct blob *blob, bool snappy)
{
	uint8_t head[CODE_MAX], *frame, *body;
	size_t code_len = code_write(head, code);
	bool compress = snappy && (blob == NULL || blob->twin == NULL);
	size_t len, room, padded;
	enum err e;

	if (snappy && !compress)
		payload = span_of(blob->twin->data, blob->twin->len);
	len = compress ? rlpx__snappy_bound(payload.len) : payload.len;
	room = FRAME_HEADER + rlpx__frame_padded(code_len + len) + FRAME_MAC;
	e = buf_reserve(&c->out, &frame, room);
	if (e != OK)
		return e;
	body = frame + FRAME_HEADER;
	memcpy(body, head, code_len);
	if (compress) {
		rlpx__snappy_compress(body + code_len, &len, payload.data, payload.len);
		if (blob != NULL)
			twin_keep(blob, body + code_len, len);
	} else if (len > 0) {
		memcpy(body + code_len, payload.data, len);
	}
	len += code_len;
	assert(len <= RLPX_FRAME_MAX); /* rlpx_send() took only what fits */
	padded = rlpx__frame_padded(len);
	memset(body + len, 0, padded - len);
	buf_commit(&c->out, FRAME_HEADER + padded + FRAME_MAC);
	*job = (struct rlpx__seal_job){ .frames = &c->frames, .data = frame, .size = len };
	c->frames_out++;
	return OK;
}

static enum err hello_write(struct rlpx *c, struct rlpx__seal_job *job)
{
	struct span hello = span_of(c->host->hello, c->host->hello_len);
	enum err e = frame_write(c, job, CODE_HELLO, hello, NULL, false);

	if (e == OK)
		c->hello_due = false;
	return e;
}

/* A peer that never saw our Hello does not know that we compress. */
static enum err goodbye_write(struct rlpx *c, struct rlpx__seal_job *job)
{
	uint8_t payload[3];
	size_t len = rlpx__disconnect_write(payload, c->reason);
	enum err e = frame_write(c, job, CODE_DISCONNECT, span_of(payload, len), NULL,
				 c->snappy && !c->hello_due);

	if (e == OK)
		c->goodbye_due = false;
	return e;
}

/* Ping and Pong carry an empty list: some refuse less, or count bytes. */
static enum err beat_write(struct rlpx *c, struct rlpx__seal_job *job, uint32_t code, bool *due)
{
	static const uint8_t empty_list = 0xc0;
	enum err e = frame_write(c, job, code, span_of(&empty_list, 1), NULL, c->snappy);

	if (e == OK)
		*due = false;
	return e;
}

static enum err message_write(struct rlpx *c, struct rlpx__seal_job *job)
{
	uint32_t code;
	struct blob *payload = rlpx__mux_next(c->mux, &code);
	enum err e;

	if (payload == NULL)
		return ERR_NOT_FOUND;
	e = frame_write(c, job, code, span_of(payload->data, payload->len), payload, c->snappy);
	if (e == OK)
		rlpx__mux_pop(c->mux);
	return e;
}

/* Write the next message there is. ERR_NOT_FOUND: none; ERR_MEM: none for now. */
static enum err next_write(struct rlpx *c, struct rlpx__seal_job *job, uint64_t now_ms)
{
	enum err e = ERR_NOT_FOUND;

	if (c->state == RLPX__GOODBYE)
		return c->goodbye_due ? goodbye_write(c, job) : ERR_NOT_FOUND;
	if (c->state != RLPX__HELLO && c->state != RLPX__OPEN)
		return ERR_NOT_FOUND;
	if (c->hello_due) /* not before the user had the chance to refuse the peer */
		return c->waits & WAITS_IDENTIFIED ? ERR_NOT_FOUND : hello_write(c, job);
	if (c->state != RLPX__OPEN || c->out.len >= RLPX_SEAL_MAX)
		return ERR_NOT_FOUND;
	if (c->pong_due)
		return beat_write(c, job, CODE_PONG, &c->pong_due);
	if (c->ping_due) {
		e = beat_write(c, job, CODE_PING, &c->ping_due);
		if (e == OK)
			c->pinged_ms = now_ms;
		return e;
	}
	return message_write(c, job);
}

static void seal_group(struct rlpx *const *conns, size_t count, uint64_t now_ms)
{
	struct rlpx__seal_job jobs[MANY];
	bool done[MANY] = { false };
	size_t n;

	do {
		n = 0;
		for (size_t i = 0; i < count; i++) {
			if (done[i])
				continue;
			if (next_write(conns[i], &jobs[n], now_ms) == OK)
				n++;
			else
				done[i] = true;
		}
		rlpx__seal_frames(jobs, n);
	} while (n > 0);
	for (size_t i = 0; i < count; i++)
		if (conns[i]->stalled_ms == NEVER && rlpx_wants_output(conns[i]))
			conns[i]->stalled_ms = now_ms;
}

void rlpx_seal_many(struct rlpx *const *conns, size_t count, uint64_t now_ms)
{
	for (size_t i = 0; i < count; i += MANY)
		seal_group(conns + i, size_min(MANY, count - i), now_ms);
}

/* --- the queue ------------------------------------------------------------------- */

/* Whether a payload fits a frame whatever Snappy makes of it; the rare one that
 * may not is compressed to know. */
static enum err fits(struct blob *payload)
{
	struct blob *twin;
	size_t len;
	enum err e;

	if (payload->len > RLPX_FRAME_MAX - CODE_MAX)
		return ERR_SIZE;
	len = rlpx__snappy_bound(payload->len);
	if (payload->twin != NULL || len <= RLPX_FRAME_MAX - CODE_MAX)
		return OK;
	e = blob_new(&twin, payload->mem, payload->account, len);
	if (e != OK)
		return e;
	rlpx__snappy_compress(twin->data, &twin->len, payload->data, payload->len);
	if (twin->len > RLPX_FRAME_MAX - CODE_MAX) {
		blob_unref(twin);
		return ERR_SIZE;
	}
	payload->twin = twin;
	return OK;
}

enum err rlpx_send(struct rlpx *c, uint8_t cap, uint32_t code, struct blob *payload)
{
	enum err e;

	if (c->state != RLPX__OPEN)
		return ERR_STATE;
	e = c->snappy ? fits(payload) : payload->len > RLPX_FRAME_MAX - CODE_MAX ? ERR_SIZE : OK;
	return e != OK ? e : rlpx__mux_push(c->mux, cap, code, payload, c->out.len);
}

static size_t waiting(const struct rlpx *c)
{
	return c->out.len + (c->mux != NULL ? rlpx__mux_bytes(c->mux) : 0);
}

size_t rlpx_send_room(const struct rlpx *c)
{
	size_t n = waiting(c);

	return c->state == RLPX__OPEN && n < RLPX_SEND_SOFT ? RLPX_SEND_SOFT - n : 0;
}

bool rlpx_wants_output(const struct rlpx *c)
{
	if (c->out.len > 0 || c->goodbye_due)
		return true;
	if (c->state != RLPX__HELLO && c->state != RLPX__OPEN)
		return false;
	if (c->hello_due)
		return !(c->waits & WAITS_IDENTIFIED);
	return c->pong_due || c->ping_due || waiting(c) > 0;
}

size_t rlpx_output(const struct rlpx *c, const uint8_t **data)
{
	struct span out = buf_span(&c->out);

	*data = out.data;
	return out.len;
}

void rlpx_output_taken(struct rlpx *c, size_t n, uint64_t now_ms)
{
	if (n == 0)
		return;
	buf_drain(&c->out, n);
	c->bytes_out += n;
	c->stalled_ms = rlpx_wants_output(c) ? now_ms : NEVER;
	if (!rlpx_wants_output(c))
		rlpx__all_taken(c);
}
