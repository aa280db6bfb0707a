/* SPDX-License-Identifier: MIT */
/* rlpx/conn.h - one connection from the inside; for this folder and its tests. */
#ifndef RLPX_CONN_H
#define RLPX_CONN_H

#include "base/buf.h"
#include "rlpx/frame.h"
#include "rlpx/host.h"
#include "rlpx/mux.h"

#define NEVER	       UINT64_MAX

/* Timers, hardening H3, F4, B4, B6; devp2p rlpx.md "Ping (0x02)". */
#define FIRST_BYTE_MS  3000  /* a recipient waits for the first byte of auth */
#define AUTH_MS	       5000  /* auth or ack whole, counted from the start */
#define HELLO_MS       5000  /* Hello, counted from the secrets */
#define TOTAL_MS       10000 /* all of it */
#define PING_MS	       15000 /* we ping, whatever else is said */
#define IDLE_MS	       30000 /* no frame: gone */
#define FRAME_MS       30000 /* from a frame's header to its end */
#define STALL_MS       20000 /* output waits and none is taken */
#define GOODBYE_MS     1000  /* to get a Disconnect out */
#define PING_WINDOW_MS 10000 /* in which PING_FLOOD pings are too many */
#define PING_FLOOD     100

enum rlpx__state {
	RLPX__AUTH,    /* recipient: waits for auth */
	RLPX__ACK,     /* initiator: sent auth, waits for ack */
	RLPX__HELLO,   /* secrets agreed: our Hello is due, theirs is awaited */
	RLPX__OPEN,    /* messages flow */
	RLPX__GOODBYE, /* our Disconnect is on its way, input is swallowed */
	RLPX__CLOSED,  /* nothing more in or out */
	RLPX__STATES
};

/* What can happen to a connection. */
enum rlpx__input {
	RLPX__ON_PACKET,     /* a whole auth or ack */
	RLPX__ON_HELLO,	     /* a genuine frame with code 0 */
	RLPX__ON_DISCONNECT, /* ... 1 */
	RLPX__ON_PING,	     /* ... 2 */
	RLPX__ON_PONG,	     /* ... 3 */
	RLPX__ON_RESERVED,   /* ... 4 to 15 */
	RLPX__ON_MESSAGE,    /* ... from 16 on, of anybody */
	RLPX__ON_FAILURE,    /* bytes that break a rule, or we ran short */
	RLPX__ON_LEAVE,	     /* rlpx_close() */
	RLPX__ON_TAKEN,	     /* all output is out */
	RLPX__ON_LATE,	     /* a timer of this state */
	RLPX__ON_END,	     /* the stream ended */
	RLPX__INPUTS
};

/* What is done about it. */
enum rlpx__action {
	RLPX__NOTHING,
	RLPX__ANSWER,  /* open the auth, write the ack */
	RLPX__AGREE,   /* open the ack */
	RLPX__GREET,   /* read the Hello */
	RLPX__PONG,    /* owe a Pong */
	RLPX__TIMED,   /* the Pong to our Ping */
	RLPX__DELIVER, /* show the message */
	RLPX__LEFT,    /* the peer said goodbye */
	RLPX__ENDED,   /* it left without a word */
	RLPX__REFUSE,  /* fail with ERR_PROTOCOL */
	RLPX__FAIL,    /* fail with the error given */
	RLPX__QUIT,    /* we say goodbye */
	RLPX__DROP,    /* close at once */
};

/* The machine: every state crossed with every input. */
enum rlpx__action rlpx__action_of(enum rlpx__state s, enum rlpx__input in);

/* Events not yet polled, in the order in which they are polled. */
enum { WAITS_IDENTIFIED = 1, WAITS_HELLO = 2, WAITS_MESSAGE = 4, WAITS_CLOSED = 8 };

struct rlpx {
	struct rlpx_host *host;
	struct rlpx__handshake *handshake; /* until the secrets are known */
	struct rlpx__mux *mux;		   /* from the Hellos on */
	struct rlpx__frames frames;	   /* from the secrets on */

	uint8_t state;	 /* enum rlpx__state */
	uint8_t waits;	 /* WAITS_... */
	bool identified; /* peer is known */
	bool snappy;	 /* both sides are at version 5: from the Hellos on */
	bool useless;	 /* nothing is shared: ends once its Hello was shown */
	bool hello_due;	 /* ours was not sealed yet */
	bool pong_due;	 /* one at most, however many pings (hardening B4) */
	bool ping_due;
	bool goodbye_due;
	bool have_header; /* of the frame that is coming */
	bool body_in_buf; /* the message that waits lies in `in` */
	bool left_by_peer;
	uint8_t err; /* enum err, of WAITS_CLOSED */
	uint16_t reason;
	uint16_t pings; /* since ping_window_ms */
	uint32_t frame_size;
	uint32_t rtt_ms;
	struct pubkey peer;

	struct buf in;	     /* what came of a header or body, if it came in pieces */
	struct buf out;	     /* sealed */
	struct span payload; /* of the Hello or message that waits; compressed if snappy */
	uint32_t code;	     /* relative, of the message that waits */
	uint8_t cap;

	uint64_t started_ms;
	uint64_t until_ms;   /* end of the state: handshake, Hello, goodbye */
	uint64_t heard_ms;   /* last frame, or header of the one that is coming */
	uint64_t paused_ms;  /* memory was short since; NEVER: it is not */
	uint64_t stalled_ms; /* output waits since, or was taken last; NEVER: none */
	uint64_t ping_at_ms;
	uint64_t pinged_ms; /* unanswered since; NEVER: none */
	uint64_t ping_window_ms;

	uint64_t frames_in, frames_out, bytes_in, bytes_out, pings_in, pongs_in;
};

/* Fail: say the reason if the peer can hear it, close at once if it is
 * RLPX_REASON_UNKNOWN or too early.  Has no effect once closing. */
void rlpx__fail(struct rlpx *c, enum err e, unsigned reason, uint64_t now_ms);

/* Close at once, for a reason that only our side will read. */
void rlpx__drop(struct rlpx *c, enum err e, unsigned reason);

/* Nothing is left to send: the end of a goodbye. */
void rlpx__all_taken(struct rlpx *c);

/* An auth or ack is whole. */
void rlpx__on_packet(struct rlpx *c, uint64_t now_ms);

/* A genuine frame: its plain body of size bytes, and whether that lies in c->in. */
void rlpx__on_frame(struct rlpx *c, const uint8_t *body, size_t size, bool in_buf, uint64_t now_ms);

/* Forget the message that was shown, and its bytes. */
void rlpx__payload_done(struct rlpx *c);

/* The largest body acceptable now. */
size_t rlpx__frame_max(const struct rlpx *c);

/* Take on secrets that came from elsewhere: a recorded session, in a test.  The
 * connection stands where the packets would have brought it.
 *
 * errors   ERR_MEM
 */
MUST_CHECK enum err rlpx__start(struct rlpx *c, const struct rlpx__secrets *s, bool initiator,
				const struct pubkey *peer, uint64_t now_ms);

#endif /* RLPX_CONN_H */
