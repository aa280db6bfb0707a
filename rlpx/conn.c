/* SPDX-License-Identifier: MIT */
/* rlpx/conn.c - the life of a connection.
 *
 * States, and what ends them:
 *
 *	AUTH	recipient: auth			first byte 3 s, whole 5 s
 *	ACK	initiator: ack			5 s
 *	HELLO	both Hellos			5 s more, 10 s in all
 *	OPEN	messages			idle 30 s, a frame 30 s, writes 20 s
 *	GOODBYE	our Disconnect taken		1 s
 *	CLOSED	rlpx_free()
 *
 *	AUTH -- auth good, ack written --> HELLO <-- ack good -- ACK
 *	HELLO -- their Hello good, ours out --> OPEN
 *	HELLO, OPEN -- we leave, or they broke a rule we name --> GOODBYE
 *	any -- they left, a bad MAC, too late, before the secrets --> CLOSED
 *
 * Timers run only on whole units: a byte now and then extends nothing.
 *
 * Caps: one Pong owed, however many pings; over 100 pings in 10 s end the
 * connection.  One event waits at most, and while it does no input is taken.
 * A frame is bounded by 2 KiB before Hello and by its 24-bit size after it.
 *
 * input.c turns bytes into what happens here, output.c the other way round.
 */
#include "rlpx/conn.h"

#include "rlp/rlp.h"
#include "rlpx/disconnect.h"

enum rlpx__action rlpx__action_of(enum rlpx__state s, enum rlpx__input in)
{
	/* clang-format off */
	static const uint8_t table[RLPX__INPUTS][RLPX__STATES] = {
		/*                          AUTH          ACK           HELLO         OPEN           GOODBYE        CLOSED */
		[RLPX__ON_PACKET]     = { RLPX__ANSWER, RLPX__AGREE,  RLPX__REFUSE, RLPX__REFUSE,  RLPX__NOTHING, RLPX__NOTHING },
		[RLPX__ON_HELLO]      = { RLPX__REFUSE, RLPX__REFUSE, RLPX__GREET,  RLPX__REFUSE,  RLPX__NOTHING, RLPX__NOTHING },
		[RLPX__ON_DISCONNECT] = { RLPX__REFUSE, RLPX__REFUSE, RLPX__LEFT,   RLPX__LEFT,    RLPX__NOTHING, RLPX__NOTHING },
		[RLPX__ON_PING]       = { RLPX__REFUSE, RLPX__REFUSE, RLPX__REFUSE, RLPX__PONG,    RLPX__NOTHING, RLPX__NOTHING },
		[RLPX__ON_PONG]       = { RLPX__REFUSE, RLPX__REFUSE, RLPX__REFUSE, RLPX__TIMED,   RLPX__NOTHING, RLPX__NOTHING },
		[RLPX__ON_RESERVED]   = { RLPX__REFUSE, RLPX__REFUSE, RLPX__REFUSE, RLPX__NOTHING, RLPX__NOTHING, RLPX__NOTHING },
		[RLPX__ON_MESSAGE]    = { RLPX__REFUSE, RLPX__REFUSE, RLPX__REFUSE, RLPX__DELIVER, RLPX__NOTHING, RLPX__NOTHING },
		[RLPX__ON_FAILURE]    = { RLPX__FAIL,   RLPX__FAIL,   RLPX__FAIL,   RLPX__FAIL,    RLPX__NOTHING, RLPX__NOTHING },
		[RLPX__ON_LEAVE]      = { RLPX__DROP,   RLPX__DROP,   RLPX__QUIT,   RLPX__QUIT,    RLPX__NOTHING, RLPX__NOTHING },
		[RLPX__ON_TAKEN]      = { RLPX__NOTHING, RLPX__NOTHING, RLPX__NOTHING, RLPX__NOTHING, RLPX__DROP,  RLPX__NOTHING },
		[RLPX__ON_LATE]       = { RLPX__FAIL,   RLPX__FAIL,   RLPX__FAIL,   RLPX__FAIL,    RLPX__DROP,    RLPX__NOTHING },
		[RLPX__ON_END]        = { RLPX__ENDED,  RLPX__ENDED,  RLPX__ENDED,  RLPX__ENDED,   RLPX__DROP,    RLPX__NOTHING },
	};
	/* clang-format on */

	return (enum rlpx__action)table[in][s];
}

static enum rlpx__action action(const struct rlpx *c, enum rlpx__input in)
{
	return rlpx__action_of((enum rlpx__state)c->state, in);
}

/* --- beginning and end --------------------------------------------------------- */

static enum err conn_new(struct rlpx **out, struct rlpx_host *h, uint64_t now_ms)
{
	struct rlpx *c = mem_alloc(h->mem, MEM_PEERS, sizeof(*c));

	if (c == NULL)
		return ERR_MEM;
	c->host = h;
	c->handshake = mem_alloc(h->mem, MEM_PREAUTH, sizeof(*c->handshake));
	if (c->handshake == NULL) {
		mem_free(h->mem, MEM_PEERS, c, sizeof(*c));
		return ERR_MEM;
	}
	buf_init(&c->in, h->mem, MEM_RECEIVE, 0); /* the unit that comes sets its ceiling */
	buf_init(&c->out, h->mem, MEM_SEND, SIZE_MAX);
	c->rtt_ms = UINT32_MAX;
	c->started_ms = c->heard_ms = now_ms;
	c->paused_ms = c->stalled_ms = c->ping_at_ms = c->pinged_ms = NEVER;
	h->connections++;
	*out = c;
	return OK;
}

static void handshake_end(struct rlpx *c)
{
	if (c->handshake == NULL)
		return;
	crypto_wipe(c->handshake, sizeof(*c->handshake));
	mem_free(c->host->mem, MEM_PREAUTH, c->handshake, sizeof(*c->handshake));
	c->handshake = NULL;
}

enum err rlpx_dial(struct rlpx **out, struct rlpx_host *h, const struct pubkey *to, bool plain,
		   uint64_t now_ms)
{
	struct rlpx__identity us = rlpx__host_identity(h);
	struct rlpx *c;
	enum err e = conn_new(&c, h, now_ms);

	if (e != OK)
		return e;
	c->state = RLPX__ACK;
	c->until_ms = time_add(now_ms, AUTH_MS);
	c->handshake->peer = *to;
	c->handshake->plain = plain;
	e = rlpx__handshake_begin(c->handshake, &us, true);
	if (e == OK)
		e = rlpx__auth_write(c->handshake, &us);
	if (e == OK)
		e = buf_append(&c->out, c->handshake->sent, c->handshake->sent_len);
	if (e != OK) {
		rlpx_free(c);
		return e;
	}
	c->stalled_ms = now_ms;
	*out = c;
	return OK;
}

enum err rlpx_accept(struct rlpx **out, struct rlpx_host *h, uint64_t now_ms)
{
	struct rlpx *c;
	enum err e = conn_new(&c, h, now_ms);

	if (e != OK)
		return e;
	c->state = RLPX__AUTH;
	c->until_ms = time_add(now_ms, FIRST_BYTE_MS);
	*out = c;
	return OK;
}

/* Everything but the event that waits to be polled. */
static void conn_wipe(struct rlpx *c)
{
	handshake_end(c);
	rlpx__frames_end(&c->frames);
	rlpx__mux_free(c->mux);
	c->mux = NULL;
	buf_reset(&c->out);
	c->hello_due = c->pong_due = c->ping_due = c->goodbye_due = false;
}

void rlpx_free(struct rlpx *c)
{
	struct rlpx_host *h;

	if (c == NULL)
		return;
	h = c->host;
	conn_wipe(c);
	buf_reset(&c->in);
	crypto_wipe(c, sizeof(*c));
	mem_free(h->mem, MEM_PEERS, c, sizeof(*c));
	h->connections--;
	if (h->connections == 0)
		rlpx__host_tick(h, NEVER);
}

static void conn_close(struct rlpx *c)
{
	c->state = RLPX__CLOSED;
	c->waits = (uint8_t)((c->waits & WAITS_MESSAGE) | WAITS_CLOSED);
	conn_wipe(c);
}

/* Note why it ends. */
static void conn_end_because(struct rlpx *c, enum err e, unsigned reason, bool by_peer)
{
	c->err = (uint8_t)e;
	c->reason = (uint16_t)reason;
	c->left_by_peer = by_peer;
}

static void conn_say_goodbye(struct rlpx *c, uint64_t now_ms)
{
	c->state = RLPX__GOODBYE;
	c->until_ms = time_add(now_ms, GOODBYE_MS);
	c->goodbye_due = true;
	c->pong_due = c->ping_due = false;
	rlpx__mux_free(c->mux);
	c->mux = NULL;
}

void rlpx__fail(struct rlpx *c, enum err e, unsigned reason, uint64_t now_ms)
{
	if (action(c, RLPX__ON_FAILURE) == RLPX__NOTHING)
		return;
	conn_end_because(c, e, reason, false);
	c->waits = 0;
	log_line(&c->host->log, LOG_DEBUG, "rlpx failed err=%s reason=%u state=%u", err_name(e),
		 reason, c->state);
	if (c->state < RLPX__HELLO || reason == RLPX_REASON_UNKNOWN)
		conn_close(c);
	else
		conn_say_goodbye(c, now_ms);
}

void rlpx__drop(struct rlpx *c, enum err e, unsigned reason)
{
	conn_end_because(c, e, reason, false);
	c->waits = 0;
	conn_close(c);
}

void rlpx__all_taken(struct rlpx *c)
{
	if (action(c, RLPX__ON_TAKEN) == RLPX__DROP)
		conn_close(c);
}

/* Only reasons that every peer knows are sent: an undefined one crashes old ones. */
static bool reason_defined(unsigned reason)
{
	return reason <= RLPX_PING_TIMEOUT || reason == RLPX_SUBPROTOCOL;
}

void rlpx_close(struct rlpx *c, unsigned reason, uint64_t now_ms)
{
	enum rlpx__action a = action(c, RLPX__ON_LEAVE);

	if (a == RLPX__NOTHING)
		return;
	conn_end_because(c, OK, reason, false);
	c->waits = 0;
	if (a == RLPX__DROP || reason == RLPX_REASON_UNKNOWN) {
		conn_close(c);
		return;
	}
	if (!reason_defined(reason))
		c->reason = RLPX_REQUESTED;
	conn_say_goodbye(c, now_ms);
}

void rlpx_stream_ended(struct rlpx *c, uint64_t now_ms)
{
	enum rlpx__action a = action(c, RLPX__ON_END);

	(void)now_ms;
	if (a == RLPX__ENDED)
		conn_end_because(c, ERR_CLOSED, RLPX_REASON_UNKNOWN, true);
	if (a != RLPX__NOTHING)
		conn_close(c);
}

/* --- handshake ----------------------------------------------------------------- */

enum err rlpx__start(struct rlpx *c, const struct rlpx__secrets *s, bool initiator,
		     const struct pubkey *peer, uint64_t now_ms)
{
	enum err e = rlpx__frames_begin(&c->frames, s, initiator);

	if (e != OK)
		return e;
	c->peer = *peer;
	c->identified = true;
	c->state = RLPX__HELLO;
	c->until_ms = u64_min(time_add(now_ms, HELLO_MS), time_add(c->started_ms, TOTAL_MS));
	c->heard_ms = now_ms;
	c->hello_due = true;
	c->waits |= WAITS_IDENTIFIED;
	handshake_end(c);
	return OK;
}

/* The recipient's part, from the tag of the auth to the ack in the output. */
static enum err answer(struct rlpx *c, const struct rlpx__identity *us, bool *more, uint64_t now_ms)
{
	struct rlpx__handshake *hs = c->handshake;
	struct span sealed = rlpx__handshake_sealed(hs, us);
	enum err e;

	if (rlpx__host_replayed(c->host, sealed, now_ms))
		return ERR_REPLAY;
	e = rlpx__auth_open(hs, us, more);
	if (e != OK || *more)
		return e;
	rlpx__host_remember(c->host, sealed, now_ms);
	e = rlpx__handshake_begin(hs, us, false);
	if (e == OK)
		e = rlpx__ack_write(hs, us);
	if (e == OK)
		e = buf_append(&c->out, hs->sent, hs->sent_len);
	if (e == OK)
		c->stalled_ms = now_ms;
	return e;
}

void rlpx__on_packet(struct rlpx *c, uint64_t now_ms)
{
	struct rlpx__identity us = rlpx__host_identity(c->host);
	enum rlpx__action a = action(c, RLPX__ON_PACKET);
	struct rlpx__secrets secrets;
	bool more = false;
	enum err e = ERR_PROTOCOL;

	if (a == RLPX__ANSWER)
		e = answer(c, &us, &more, now_ms);
	else if (a == RLPX__AGREE)
		e = rlpx__ack_open(c->handshake, &us, &more);
	if (e == OK && more)
		return;
	if (e == OK)
		e = rlpx__handshake_secrets(c->handshake, &us, &secrets);
	if (e == OK) {
		struct pubkey peer = c->handshake->peer;
		bool initiator = c->handshake->initiator;

		e = rlpx__start(c, &secrets, initiator, &peer, now_ms);
		crypto_wipe(&secrets, sizeof(secrets));
	}
	if (e != OK) {
		c->host->refused_auths += a == RLPX__ANSWER;
		rlpx__fail(c, e, RLPX_REASON_UNKNOWN, now_ms);
	}
}

/* --- frames -------------------------------------------------------------------- */

size_t rlpx__frame_max(const struct rlpx *c)
{
	return c->state == RLPX__OPEN ? RLPX_FRAME_MAX : RLPX_HELLO_MAX;
}

void rlpx__payload_done(struct rlpx *c)
{
	c->payload = span_of(NULL, 0);
	if (c->body_in_buf || c->state >= RLPX__GOODBYE)
		buf_reset(&c->in);
	c->body_in_buf = false;
}

static void wait_for_poll(struct rlpx *c, uint8_t event, struct span payload, bool in_buf)
{
	c->waits |= event;
	c->payload = payload;
	c->body_in_buf = in_buf;
}

/* Read the peer's Hello; the event decodes it again when it is polled, so that
 * no connection keeps one. */
static enum err greet(struct rlpx *c, struct span payload, uint64_t now_ms)
{
	struct rlpx_host *h = c->host;
	struct rlpx_shared shared[RLPX_CAPS_MAX];
	size_t count;
	enum err e = rlpx__hello_read(&h->peer_hello, payload, &c->peer);

	if (e == ERR_HELLO) /* not even its version is known */
		return e;
	c->snappy = h->version >= HELLO_SNAPPY && h->peer_hello.version >= HELLO_SNAPPY;
	if (e != OK)
		return e;
	if (memcmp(&c->peer, &h->id, sizeof(h->id)) == 0)
		return ERR_SELF;
	count = rlpx__capabilities_match(shared, h->caps, h->cap_count, h->peer_hello.caps,
					 h->peer_hello.cap_count);
	if (count == 0) {
		c->useless = true; /* fails once its Hello was shown */
		return OK;
	}
	e = rlpx__mux_new(&c->mux, h->mem, shared, count);
	if (e != OK)
		return e;
	c->state = RLPX__OPEN;
	c->until_ms = NEVER;
	c->ping_at_ms = time_add(now_ms, PING_MS);
	c->ping_window_ms = now_ms;
	return OK;
}

static void ping_received(struct rlpx *c, uint64_t now_ms)
{
	if (now_ms >= time_add(c->ping_window_ms, PING_WINDOW_MS)) {
		c->ping_window_ms = now_ms;
		c->pings = 0;
	}
	c->pings_in++;
	if (++c->pings > PING_FLOOD)
		rlpx__fail(c, ERR_FLOOD, RLPX_BREACH, now_ms);
	else
		c->pong_due = true;
}

static void pong_received(struct rlpx *c, uint64_t now_ms)
{
	if (c->pinged_ms == NEVER)
		return;
	c->rtt_ms = (uint32_t)u64_min(now_ms - c->pinged_ms, UINT32_MAX - 1);
	c->pinged_ms = NEVER;
	c->pongs_in++;
}

static void deliver(struct rlpx *c, uint64_t code, struct span payload, bool in_buf,
		    uint64_t now_ms)
{
	const struct rlpx_shared *shared = rlpx__mux_find(c->mux, code);

	if (shared == NULL) {
		rlpx__fail(c, ERR_CODE, RLPX_BREACH, now_ms);
		return;
	}
	c->cap = shared->cap;
	c->code = (uint32_t)code - shared->offset;
	wait_for_poll(c, WAITS_MESSAGE, payload, in_buf);
}

static enum rlpx__input input_of(uint64_t code)
{
	if (code < MUX_BASE)
		return code <= 3 ? (enum rlpx__input)(RLPX__ON_HELLO + code) : RLPX__ON_RESERVED;
	return RLPX__ON_MESSAGE;
}

/* The code in front of a body: canonical, at most MUX_CODE_MAX (hardening B2). */
static bool code_read(uint64_t *code, struct span *payload, const uint8_t *body, size_t size)
{
	struct rlp_reader r = rlp_reader_init(body, size);

	*code = rlp_read_u64(&r);
	*payload = span_of(r.at, r.left);
	return rlp_reader_err(&r) == OK && *code <= MUX_CODE_MAX;
}

void rlpx__on_frame(struct rlpx *c, const uint8_t *body, size_t size, bool in_buf, uint64_t now_ms)
{
	struct span payload;
	uint64_t code;
	enum err e;

	c->heard_ms = now_ms;
	c->frames_in++;
	if (!code_read(&code, &payload, body, size)) {
		rlpx__fail(c, ERR_CODE, RLPX_BREACH, now_ms);
		return;
	}
	switch (action(c, input_of(code))) {
	case RLPX__GREET:
		e = greet(c, payload, now_ms);
		if (e == OK)
			wait_for_poll(c, WAITS_HELLO, payload, in_buf);
		else
			rlpx__fail(c, e, rlpx_reason_of(e), now_ms);
		break;
	case RLPX__PONG: ping_received(c, now_ms); break;
	case RLPX__TIMED: pong_received(c, now_ms); break;
	case RLPX__DELIVER: deliver(c, code, payload, in_buf, now_ms); break;
	case RLPX__LEFT:
		conn_end_because(c, OK, rlpx__disconnect_read_frame(payload, c->snappy), true);
		conn_close(c);
		break;
	case RLPX__NOTHING: break;
	case RLPX__ANSWER:
	case RLPX__AGREE:
	case RLPX__ENDED:
	case RLPX__REFUSE:
	case RLPX__FAIL:
	case RLPX__QUIT:
	case RLPX__DROP: rlpx__fail(c, ERR_PROTOCOL, RLPX_BREACH, now_ms); break;
	}
}

/* --- what the user asks ---------------------------------------------------------- */

const struct pubkey *rlpx_peer_id(const struct rlpx *c)
{
	return c->identified ? &c->peer : NULL;
}

uint32_t rlpx_rtt_ms(const struct rlpx *c)
{
	return c->rtt_ms;
}

void rlpx_stats(const struct rlpx *c, struct rlpx_stats *out)
{
	*out = (struct rlpx_stats){
		.frames_in = c->frames_in,
		.frames_out = c->frames_out,
		.bytes_in = c->bytes_in,
		.bytes_out = c->bytes_out,
		.pings_in = c->pings_in,
		.pongs_in = c->pongs_in,
		.refused_auths = c->host->refused_auths,
	};
}
