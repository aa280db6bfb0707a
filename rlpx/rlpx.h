/* SPDX-License-Identifier: MIT */
/* rlpx/rlpx.h - RLPx as a pure state machine: encrypted handshake, frames, Hello
 * and the base protocol, and the capability multiplexer.
 *
 * A host is one identity: static key, Hello, and what its connections share.
 * A connection is one byte stream.  Bytes and time go in; bytes, messages and
 * events come out.  No socket, no clock, no global.
 *
 * Rhythm of a connection:
 *	rlpx_recv() until all input is taken, polling after each call;
 *	rlpx_tick() when its deadline is there, then polling;
 *	rlpx_seal_many() over the connections that were touched, then write what
 *	rlpx_output() lends and acknowledge it; sleep until rlpx_deadline().
 *
 * A stream that failed stays failed: after RLPX_CLOSED it takes and gives
 * nothing.  Before the Hello every failure looks the same from outside.
 *
 * Sources: devp2p rlpx.md; EIP-8; EIP-706 (snappy).
 */
#ifndef RLPX_RLPX_H
#define RLPX_RLPX_H

#include "base/blob.h"
#include "base/port.h"
#include "crypto/crypto.h"

#define RLPX_CAPS_MAX	   8	      /* capabilities of ours, at most */
#define RLPX_PEER_CAPS_MAX 64	      /* of a peer's Hello; more: refused (hardening B1) */
#define RLPX_NAME_MAX	   8	      /* bytes of a capability name */
#define RLPX_CLIENT_MAX	   256	      /* bytes of a client name kept */
#define RLPX_HELLO_MAX	   2048	      /* bytes of a frame before Hello; more: closed */
#define RLPX_AUTH_MAX	   2048	      /* size prefix of auth and ack, at most (hardening H2) */
#define RLPX_FRAME_MAX	   0xffffff   /* bytes of a frame, and of a message decompressed */
#define RLPX_QUEUE_MAX	   256	      /* messages a capability may have waiting; full: ERR_FULL */
#define RLPX_SEND_SOFT	   (1u << 20) /* bytes waiting: rlpx_send_room() becomes 0 */
/* Bytes waiting: rlpx_send() fails with ERR_FULL, unless nothing else waits
 * (one message always fits). */
#define RLPX_SEND_HARD	   (2u << 20)
#define RLPX_REPLAYS_MAX   4096 /* auth packets remembered 10 minutes; full: the oldest goes (H5) */

/* Disconnect reasons, devp2p rlpx.md "Disconnect (0x01)". */
enum rlpx_reason {
	RLPX_REQUESTED = 0x00,
	RLPX_NETWORK_ERROR = 0x01,
	RLPX_BREACH = 0x02,
	RLPX_USELESS = 0x03,
	RLPX_TOO_MANY_PEERS = 0x04,
	RLPX_ALREADY_CONNECTED = 0x05,
	RLPX_INCOMPATIBLE = 0x06,
	RLPX_NULL_IDENTITY = 0x07,
	RLPX_QUITTING = 0x08,
	RLPX_UNEXPECTED_IDENTITY = 0x09,
	RLPX_SELF = 0x0a,
	RLPX_PING_TIMEOUT = 0x0b,
	RLPX_SUBPROTOCOL = 0x10,
	RLPX_REASON_UNKNOWN = 0x100, /* received only: none given, or undefined */
};

const char *rlpx_reason_text(unsigned reason); /* any number is legal */

/* The reason that goes on the wire for an error; RLPX_REASON_UNKNOWN: close without a word. */
unsigned rlpx_reason_of(enum err e);

struct rlpx_capability {
	char name[RLPX_NAME_MAX + 1];
	uint32_t version;
	uint32_t length; /* message codes it reserves; 1..4096; of ours only */
};

struct rlpx_config {
	const struct seckey *key; /* static identity; copied, wiped by rlpx_host_free() */
	struct crypto *crypto;	  /* borrowed for the host's life */
	struct mem *mem;	  /* borrowed for the host's life */
	struct rng rng;
	struct log log;
	const char *client;   /* name in Hello; copied, cut to RLPX_CLIENT_MAX */
	uint16_t listen_port; /* in Hello; 0 as most do */
	uint8_t version;      /* 5, or 4 for no compression */
	bool accept_plain;    /* answer pre-EIP-8 auth too (parity dials so, hardening H9) */
	const struct rlpx_capability *caps; /* copied, sorted by name and version */
	size_t cap_count;		    /* 1..RLPX_CAPS_MAX */
};

struct rlpx_host;
struct rlpx;

MUST_CHECK enum err rlpx_host_new(struct rlpx_host **out, const struct rlpx_config *cfg,
				  uint64_t now_ms);
void rlpx_host_free(struct rlpx_host *h); /* after all its connections; NULL is allowed */
const struct pubkey *rlpx_host_id(const struct rlpx_host *h);

/* Start as initiator: an auth packet is waiting in rlpx_output().
 *
 * to       the remote static key; copied
 * plain    pre-EIP-8 form (for tests and very old peers); false otherwise
 * errors   ERR_MEM; ERR_KEY; ERR_RANDOM
 */
MUST_CHECK enum err rlpx_dial(struct rlpx **out, struct rlpx_host *h, const struct pubkey *to,
			      bool plain, uint64_t now_ms);

/* Start as recipient. errors ERR_MEM */
MUST_CHECK enum err rlpx_accept(struct rlpx **out, struct rlpx_host *h, uint64_t now_ms);

void rlpx_free(struct rlpx *c); /* wipes; NULL is allowed */

/* Take bytes of the stream.  Stops after one message or event, so poll and
 * call again until everything is taken; while an event waits nothing is taken.
 * Any chunking gives the same events.
 *
 * taken    set to the bytes used, also on error
 * data     borrowed and overwritten: a frame that lies whole in it is decrypted
 *          there, and its message points there until it is done with
 * errors   ERR_FULL: memory for large frames is short.  The stream is sound;
 *          stop reading and offer the rest again a little later.  After 30 s
 *          of that the connection is closed (hardening §2)
 *          ERR_CLOSED: the end was reported long ago
 *          all else is the stream's failure, which RLPX_CLOSED reports as well
 *          (at once, or after the Disconnect went out)
 */
MUST_CHECK enum err rlpx_recv(struct rlpx *c, size_t *taken, uint8_t *data, size_t len,
			      uint64_t now_ms);

/* The same for several connections at once, so that their MACs share lanes. */
struct rlpx_input {
	struct rlpx *conn;
	uint8_t *data;
	size_t len;
	size_t taken; /* out */
	enum err err; /* out */
};
void rlpx_open_many(struct rlpx_input *inputs, size_t count, uint64_t now_ms);

enum rlpx_event_type {
	RLPX_IDENTIFIED, /* secrets agreed, peer known, its Hello not yet read: the
	                    moment to refuse it (too many, connected already, self) */
	RLPX_HELLO,	 /* Hellos exchanged, capabilities matched: u.hello; if none is
	                    shared, RLPX_CLOSED follows with ERR_USELESS */
	RLPX_MESSAGE,	 /* u.message: of a shared capability */
	RLPX_CLOSED,	 /* u.closed: once, last */
};

struct rlpx_shared {
	uint8_t cap;	 /* index into the host's capabilities as rlpx_host_caps() lists them */
	uint32_t offset; /* first absolute code; from 0x10 on */
	uint32_t length;
};

struct rlpx_hello {
	uint32_t version;
	char client[RLPX_CLIENT_MAX + 1]; /* as sent, cut; not escaped */
	uint16_t listen_port;
	size_t cap_count;
	struct rlpx_capability caps[RLPX_PEER_CAPS_MAX]; /* as the peer lists them; length 0 */
};

struct rlpx_event {
	enum rlpx_event_type type;
	union {
		/* all borrowed until the next rlpx_recv(), rlpx_open_many(),
		 * rlpx_poll() or rlpx_tick() on any connection of this host, or
		 * rlpx_free() of this one; sending, sealing and closing are welcome
		 * meanwhile */
		const struct pubkey *identified;
		struct {
			const struct rlpx_hello *peer;
			const struct rlpx_shared *shared;
			size_t shared_count;
		} hello;
		struct {
			uint8_t cap;	     /* index into the host's capabilities */
			uint32_t code;	     /* relative to the capability */
			struct span payload; /* decompressed */
			size_t wire_len;     /* bytes of the frame, for accounting */
		} message;
		struct {
			enum err err;	 /* OK: an orderly Disconnect */
			bool by_peer;	 /* the peer's Disconnect or close */
			unsigned reason; /* enum rlpx_reason or what the peer sent */
		} closed;
	} u;
};

/* Take the next event; false when there is none.  Poll until it is: the bytes
 * of the message before are given back by then. */
bool rlpx_poll(struct rlpx *c, struct rlpx_event *ev);

/* Queue one message of a shared capability.  The blob's reference is taken over
 * only on success; if others hold it too, its compressed form is kept as its
 * twin when it is sealed.
 *
 * cap      index into the host's capabilities; must be shared with this peer
 * code     relative, below the capability's length
 * errors   ERR_STATE before Hello or after close, or if not shared; ERR_FULL at
 *          a cap (a capability that shares the link holds RLPX_SEND_SOFT at
 *          most); ERR_CODE; ERR_SIZE past RLPX_FRAME_MAX; ERR_MEM
 */
MUST_CHECK enum err rlpx_send(struct rlpx *c, uint8_t cap, uint32_t code, struct blob *payload);

/* Bytes that may be queued before the soft mark; the peer's credit. */
size_t rlpx_send_room(const struct rlpx *c);

/* Turn what is queued into ciphertext, the base protocol first, capabilities in
 * turn by bytes, lanes shared by all the connections given.  Seals up to about
 * RLPX_SEAL_MAX bytes a connection ahead of the socket, at least one message. */
#define RLPX_SEAL_MAX 65536
void rlpx_seal_many(struct rlpx *const *conns, size_t count, uint64_t now_ms);

/* Ciphertext for the wire: lent until the next call; then say how much went out. */
size_t rlpx_output(const struct rlpx *c, const uint8_t **data);
void rlpx_output_taken(struct rlpx *c, size_t n, uint64_t now_ms);

/* Whether anything is queued or sealed and not yet taken. */
bool rlpx_wants_output(const struct rlpx *c);

/* Say goodbye: a Disconnect if the secrets exist, nothing otherwise; RLPX_CLOSED
 * follows once it was taken, or after 1 s (hardening B6).  Before the Hellos
 * went out it stands in place of ours.  What was queued is dropped, input is
 * swallowed from now on.  A reason that is not in enum rlpx_reason goes out as
 * RLPX_REQUESTED; RLPX_REASON_UNKNOWN closes without a word. */
void rlpx_close(struct rlpx *c, unsigned reason, uint64_t now_ms);

/* The stream ended (EOF or a network error seen by the driver). */
void rlpx_stream_ended(struct rlpx *c, uint64_t now_ms);

/* Timers: handshake (hardening H3), ping every 15 s, idle 30 s, frame 30 s,
 * write progress 20 s, goodbye. */
uint64_t rlpx_deadline(const struct rlpx *c);
void rlpx_tick(struct rlpx *c, uint64_t now_ms);

/* Ping now, not only when 15 s are over; its Pong is counted in rlpx_stats.  A peer
 * answers after it read what was sealed before.
 *
 * errors   ERR_STATE before the Hellos, after close, or while another Ping waits
 *          for its Pong
 */
MUST_CHECK enum err rlpx_ping(struct rlpx *c);

/* The round-trip time of the last Ping in ms; UINT32_MAX before the first Pong. */
uint32_t rlpx_rtt_ms(const struct rlpx *c);

const struct rlpx_capability *rlpx_host_caps(const struct rlpx_host *h, size_t *count);
const struct pubkey *rlpx_peer_id(const struct rlpx *c); /* NULL before RLPX_IDENTIFIED */

/* What went through, for metrics and `sotto hello`. */
struct rlpx_stats {
	uint64_t frames_in, frames_out, bytes_in, bytes_out;
	uint64_t pings_in, pongs_in, refused_auths; /* refused_auths: host-wide */
};
void rlpx_stats(const struct rlpx *c, struct rlpx_stats *out);

#endif /* RLPX_RLPX_H */
