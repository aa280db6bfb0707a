/* SPDX-License-Identifier: MIT */
/* tests/rlpx_pair.h - two RLPx connections in one process, and a wire between them.
 *
 * The wire hands bytes over in pieces of a length that the test chooses, or of
 * random lengths; what each side tells is gathered as text, so that two runs
 * can be compared.  Header only: fuzz targets use it as well.
 */
#ifndef TESTS_RLPX_PAIR_H
#define TESTS_RLPX_PAIR_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rlpx/conn.h"

#define PAIR_LOG 4096

struct side {
	struct rng_seeded seed;
	struct rng rng;
	struct seckey key;
	struct rlpx_host *host;
	struct rlpx *conn;
	char log[PAIR_LOG]; /* one word for each event */
	size_t log_len;
	struct rlpx_event last; /* the last event but for what it borrows */
	uint8_t payload[256];	/* front of the last message */
	size_t messages, message_bytes;
	bool identified, open, closed;
	size_t shared_count;
	struct rlpx_shared shared[RLPX_CAPS_MAX];
	uint8_t *wire; /* on its way here */
	size_t wire_len;
	void (*on_event)(struct side *s, const struct rlpx_event *ev);
	void *ctx;
};

struct pair {
	struct mem mem;
	struct crypto *crypto;
	struct rng_seeded seed;
	struct rng rng;
	struct side a, b; /* a dials */
	uint64_t now_ms;
	size_t piece; /* bytes handed over at once; 0: random */
};

static inline void side_log(struct side *s, const char *word)
{
	int n = snprintf(s->log + s->log_len, sizeof(s->log) - s->log_len, "%s ", word);

	if (n > 0 && (size_t)n < sizeof(s->log) - s->log_len)
		s->log_len += (size_t)n;
}

static inline void side_event(struct side *s, const struct rlpx_event *ev)
{
	char word[128];

	s->last = *ev;
	switch (ev->type) {
	case RLPX_IDENTIFIED:
		s->identified = true;
		side_log(s, "identified");
		break;
	case RLPX_HELLO:
		s->open = true;
		s->shared_count = ev->u.hello.shared_count;
		for (size_t i = 0; i < s->shared_count; i++)
			s->shared[i] = ev->u.hello.shared[i];
		snprintf(word, sizeof(word), "hello:%u:%zu", ev->u.hello.peer->version,
			 s->shared_count);
		side_log(s, word);
		break;
	case RLPX_MESSAGE:
		s->messages++;
		s->message_bytes += ev->u.message.payload.len;
		memset(s->payload, 0, sizeof(s->payload));
		if (ev->u.message.payload.len > 0)
			memcpy(s->payload, ev->u.message.payload.data,
			       size_min(sizeof(s->payload), ev->u.message.payload.len));
		snprintf(word, sizeof(word), "message:%u:%u:%zu", ev->u.message.cap,
			 ev->u.message.code, ev->u.message.payload.len);
		side_log(s, word);
		break;
	case RLPX_CLOSED:
		assert(!s->closed);
		s->closed = true;
		snprintf(word, sizeof(word), "closed:%s:%s:%x", err_name(ev->u.closed.err),
			 ev->u.closed.by_peer ? "peer" : "us", ev->u.closed.reason);
		side_log(s, word);
		break;
	}
	if (s->on_event != NULL)
		s->on_event(s, ev);
}

static inline void side_poll(struct side *s)
{
	struct rlpx_event ev;

	while (rlpx_poll(s->conn, &ev))
		side_event(s, &ev);
}

static inline struct rlpx_config side_config(struct pair *p, struct side *s)
{
	static const struct rlpx_capability shh[] = { { "shh", 6, 128 } };

	return (struct rlpx_config){
		.key = &s->key,
		.crypto = p->crypto,
		.mem = &p->mem,
		.rng = s->rng,
		.client = "test/v1",
		.version = 5,
		.accept_plain = true,
		.caps = shh,
		.cap_count = 1,
	};
}

static inline void pair_init(struct pair *p, uint64_t seed)
{
	enum err e;

	memset(p, 0, sizeof(*p));
	mem_init(&p->mem);
	p->rng = rng_seeded_init(&p->seed, seed);
	p->a.rng = rng_seeded_init(&p->a.seed, seed + 1);
	p->b.rng = rng_seeded_init(&p->b.seed, seed + 2);
	p->now_ms = 1000000;
	e = crypto_new(&p->crypto, &p->rng);
	assert(e == OK);
	e = seckey_generate(p->crypto, &p->a.key, &p->rng);
	assert(e == OK);
	e = seckey_generate(p->crypto, &p->b.key, &p->rng);
	assert(e == OK);
	(void)e;
}

/* Make both hosts from their configurations; NULL: as side_config() has it. */
static inline void pair_hosts(struct pair *p, const struct rlpx_config *a,
			      const struct rlpx_config *b)
{
	struct rlpx_config ca = a != NULL ? *a : side_config(p, &p->a);
	struct rlpx_config cb = b != NULL ? *b : side_config(p, &p->b);
	enum err e = rlpx_host_new(&p->a.host, &ca, p->now_ms);

	assert(e == OK);
	e = rlpx_host_new(&p->b.host, &cb, p->now_ms);
	assert(e == OK);
	(void)e;
}

static inline void pair_connect(struct pair *p, bool plain)
{
	enum err e = rlpx_dial(&p->a.conn, p->a.host, rlpx_host_id(p->b.host), plain, p->now_ms);

	assert(e == OK);
	e = rlpx_accept(&p->b.conn, p->b.host, p->now_ms);
	assert(e == OK);
	(void)e;
}

static inline void pair_start(struct pair *p, uint64_t seed)
{
	pair_init(p, seed);
	pair_hosts(p, NULL, NULL);
	pair_connect(p, false);
}

/* Close and free everything; the ledger must balance. */
static inline void pair_free(struct pair *p)
{
	rlpx_free(p->a.conn);
	rlpx_free(p->b.conn);
	rlpx_host_free(p->a.host);
	rlpx_host_free(p->b.host);
	free(p->a.wire);
	free(p->b.wire);
	crypto_free(p->crypto);
	if (p->mem.total_used != 0) {
		fprintf(stderr, "ledger does not balance: %zu\n", p->mem.total_used);
		abort();
	}
}

/* Give bytes to a connection in pieces, polling as the contract says.  Each
 * piece is a heap copy of exactly its size, so that a sanitizer sees any step
 * past it.  Stops when the connection does not take all; *given is what it took. */
static inline enum err side_feed(struct pair *p, struct side *s, size_t *given, const uint8_t *data,
				 size_t len)
{
	enum err e = OK;

	*given = 0;
	while (*given < len && e == OK) {
		size_t n = p->piece, at = 0, taken;
		uint64_t draw;
		uint8_t *copy;

		if (n == 0)
			n = rng_below(&p->rng, &draw, 200) == OK ? draw * draw / 8 + 1 : 1;
		n = size_min(n, len - *given);
		copy = malloc(n);
		assert(copy != NULL);
		memcpy(copy, data + *given, n);
		do {
			e = rlpx_recv(s->conn, &taken, copy + at, n - at, p->now_ms);
			at += taken;
			side_poll(s);
		} while (e == OK && taken > 0 && at < n);
		free(copy);
		*given += at;
		if (at < n)
			return e != OK ? e : ERR_FULL;
	}
	return e;
}

static inline enum err side_give(struct pair *p, struct side *s, const uint8_t *data, size_t len)
{
	size_t given;

	return side_feed(p, s, &given, data, len);
}

/* Seal what is queued on one side and carry up to max bytes to the other, which may
 * leave some on the wire while its memory is short.  Returns the bytes carried, or if there
 * were none those taken off the wire. */
static inline size_t pair_carry(struct pair *p, struct side *from, struct side *to, size_t max)
{
	const uint8_t *data;
	size_t len, given;
	enum err e;

	rlpx_seal_many(&from->conn, 1, p->now_ms);
	len = size_min(rlpx_output(from->conn, &data), max);
	if (to->wire_len + len == 0)
		return 0;
	to->wire = realloc(to->wire, to->wire_len + len);
	assert(to->wire != NULL);
	if (len > 0)
		memcpy(to->wire + to->wire_len, data, len);
	to->wire_len += len;
	rlpx_output_taken(from->conn, len, p->now_ms);
	side_poll(from);
	e = side_feed(p, to, &given, to->wire, to->wire_len);
	if (e != OK && e != ERR_FULL)
		given = to->wire_len; /* it will never be wanted */
	memmove(to->wire, to->wire + given, to->wire_len - given);
	to->wire_len -= given;
	return len > 0 ? len : given;
}

/* Until nothing moves any more. */
static inline void pair_run(struct pair *p)
{
	side_poll(&p->a);
	side_poll(&p->b);
	while (pair_carry(p, &p->a, &p->b, SIZE_MAX) + pair_carry(p, &p->b, &p->a, SIZE_MAX) > 0)
		;
}

/* Let time pass on both sides, stopping at every deadline on the way. */
static inline void pair_wait(struct pair *p, uint64_t ms)
{
	uint64_t end = p->now_ms + ms;

	while (p->now_ms < end) {
		uint64_t at = u64_min(rlpx_deadline(p->a.conn), rlpx_deadline(p->b.conn));

		p->now_ms = u64_min(end, u64_max(at, p->now_ms + 1));
		rlpx_tick(p->a.conn, p->now_ms);
		rlpx_tick(p->b.conn, p->now_ms);
		pair_run(p);
	}
}

static inline struct blob *pair_blob(struct pair *p, size_t len, uint8_t fill)
{
	struct blob *b;

	if (blob_new(&b, &p->mem, MEM_SEND, len) != OK)
		return NULL;
	memset(b->data, fill, len);
	return b;
}

/* Queue one message; the reference is gone either way. */
static inline enum err pair_send(struct pair *p, struct side *s, uint8_t cap, uint32_t code,
				 size_t len, uint8_t fill)
{
	struct blob *b = pair_blob(p, len, fill);
	enum err e = b != NULL ? rlpx_send(s->conn, cap, code, b) : ERR_MEM;

	if (e != OK)
		blob_unref(b);
	return e;
}

/* Seal any body as from's next frame and give it to the other side: what a
 * peer with the right keys and bad manners could send. */
static inline enum err pair_inject(struct pair *p, struct side *from, struct side *to,
				   const uint8_t *body, size_t size)
{
	size_t len = FRAME_HEADER + rlpx__frame_padded(size) + FRAME_MAC;
	uint8_t *frame = calloc(1, len);
	struct rlpx__seal_job job = { &from->conn->frames, frame, size };
	enum err e;

	assert(frame != NULL);
	if (size > 0)
		memcpy(frame + FRAME_HEADER, body, size);
	rlpx__seal_frames(&job, 1);
	e = side_give(p, to, frame, len);
	free(frame);
	return e;
}

/* The header of a frame that claims size bytes, and nothing behind it. */
static inline enum err pair_inject_header(struct pair *p, struct side *from, struct side *to,
					  size_t size)
{
	uint8_t *frame = calloc(1, FRAME_HEADER + rlpx__frame_padded(size) + FRAME_MAC);
	struct rlpx__seal_job job = { &from->conn->frames, frame, size };
	enum err e;

	assert(frame != NULL);
	rlpx__seal_frames(&job, 1);
	e = side_give(p, to, frame, FRAME_HEADER);
	free(frame);
	return e;
}

#endif /* TESTS_RLPX_PAIR_H */
