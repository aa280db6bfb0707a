/* SPDX-License-Identifier: MIT */
/* node/node.h - one whole node as a pure machine: identity, links, peer slots,
 * dialling, and the protocols wired together.
 *
 * A link is a connection that carries messages; RLPx over TCP is the first
 * kind.  A driver (net/ with sockets, sim/ with virtual ones) opens and closes
 * what links stand on, moves bytes, runs jobs and tells the time.
 *
 * Rhythm of a driver, once a wake:
 *	feed: node_accept, node_dialled, node_recv(_many), node_stream_ended,
 *	      node_job_done, node_tick when due;
 *	drain: node_poll() until false;
 *	node_flush(), then write what node_output() lends for each link that
 *	node_next_writable() names; arm a timer at node_deadline().
 *
 * Sources: devp2p rlpx.md; hardening P1, P5-P9, X3.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "base/mem.h"
#include "base/port.h"
#include "crypto/crypto.h"
#include "enr/enr.h" /* struct endpoint, struct enode, struct cidr_list */
#include "rlpx/rlpx.h"
#include "shh/shh.h"

#define NODE_PENDING_MAX 64        /* links before their Hello: 50 inbound, 14 outbound (hardening H1);
                                      full: the oldest silent inbound one is reclaimed, else refused */
#define NODE_PENDING_INBOUND 50
#define NODE_PEERS_MAX SHH_PEERS_MAX
#define NODE_STATIC_MAX 1024       /* static peers known; full: ERR_FULL */
#define NODE_TURN_MESSAGES 64      /* messages of a link per turn, then the others' turn */
#define NODE_TURN_BYTES 262144
#define NODE_MEMORY_MAX 4096       /* nodes remembered: dialect, back-off, score; full: the oldest goes */

struct node;

struct node_config {
	const struct seckey *key;    /* copied */
	struct crypto *crypto;       /* borrowed */
	struct mem *mem;             /* borrowed */
	struct rng rng;
	struct log log;
	int64_t wall_offset_ms;
	const char *client;          /* "sotto/v0.1.0/linux-x86_64/c11"; copied */
	uint16_t listen_port;        /* announced in Hello; 0 as most do */
	uint8_t p2p_version;         /* 5; 4 for links without compression */
	uint32_t max_peers;          /* 1..NODE_PEERS_MAX; trusted peers come on top */
	const struct cidr_list *netrestrict; /* NULL: no restriction; copied */
	bool lan_exempt;             /* per-host limits spare loopback and private ranges */
	bool accept_plain;           /* pre-EIP-8 handshakes (parity) */
	bool redial;                 /* static peers are dialled again for ever; false: a probe */
	struct shh_config shh;       /* its crypto, mem, rng, log, wall offset are filled in by node_new() */
	bool no_shh;                 /* RLPx only */
	const struct rlpx_capability *extra; /* capabilities of the caller's own, copied */
	size_t extra_count;          /* at most RLPX_CAPS_MAX - 1 */
};

void node_config_init(struct node_config *cfg);

/* errors   ERR_MEM; ERR_KEY; ERR_ARG with the field's name in *what; ERR_RANDOM */
MUST_CHECK enum err node_new(struct node **out, const struct node_config *cfg, const char **what, uint64_t now_ms);
void node_free(struct node *n);
void node_set_wall_offset(struct node *n, int64_t wall_offset_ms);

const struct pubkey *node_pubkey(const struct node *n);

/* The Whisper machine, for its commands (post, filters, settings) and figures;
 * its events come out of node_poll().  NULL with no_shh. */
struct shh *node_shh(struct node *n);

/* --- peers that the operator names ------------------------------------------ */

enum node_peer_kind { NODE_STATIC = 1, NODE_TRUSTED = 2 }; /* may be or-ed */

/* Dial this one and stay connected (static); exempt it from limits, take its
 * direct messages (trusted).  errors ERR_FULL; ERR_SELF; ERR_ARG if static
 * without an address */
MUST_CHECK enum err node_peer_add(struct node *n, const struct enode *peer, unsigned kinds, uint64_t now_ms);
/* Forget those kinds; a static peer is disconnected (0x00). errors ERR_NOT_FOUND */
MUST_CHECK enum err node_peer_remove(struct node *n, const struct pubkey *id, unsigned kinds, uint64_t now_ms);

/* --- the driver's side -------------------------------------------------------- */

/* Somebody connected.  errors ERR_TOO_MANY, ERR_FLOOD (per host or subnet, netrestrict):
 * close the socket without a byte */
MUST_CHECK enum err node_accept(struct node *n, uint32_t *link, const struct endpoint *from, uint64_t now_ms);

/* The outcome of NODE_EV_DIAL: OK, or ERR_IO, ERR_TIMEOUT. */
void node_dialled(struct node *n, uint32_t link, enum err outcome, uint64_t now_ms);

/* Take bytes of a link's stream.
 *
 * data     borrowed and overwritten
 * returns  how many were taken; if fewer than len, the link is paused or over its
 *          turn: keep the rest, read no more, give it again after NODE_EV_RESUME
 */
size_t node_recv(struct node *n, uint32_t link, uint8_t *data, size_t len, uint64_t now_ms);

/* The same for several links, whose frames then share Keccak lanes. */
struct node_input { uint32_t link; uint8_t *data; size_t len; size_t taken; };
void node_recv_many(struct node *n, struct node_input *inputs, size_t count, uint64_t now_ms);

void node_stream_ended(struct node *n, uint32_t link, uint64_t now_ms);

/* Encrypt what waits on all links. */
void node_flush(struct node *n, uint64_t now_ms);

/* The next link that has bytes for its socket and did not say "full" since
 * the last node_writable(); false when there is none. */
bool node_next_writable(struct node *n, uint32_t *link);
size_t node_output(struct node *n, uint32_t link, const uint8_t **data);
/* taken < lent: the socket is full; the link waits for node_writable(). */
void node_output_taken(struct node *n, uint32_t link, size_t taken, uint64_t now_ms);
void node_writable(struct node *n, uint32_t link);

void node_job_done(struct node *n, uint32_t job, const struct shh_seal_progress *result, uint64_t now_ms);

/* Leave: Disconnect 0x08 to everybody; NODE_EV_STOPPED follows when all links
 * are closed, after 1 s at most. */
void node_stop(struct node *n, uint64_t now_ms);

uint64_t node_deadline(const struct node *n);
void node_tick(struct node *n, uint64_t now_ms);

/* --- capabilities of the caller's own ------------------------------------------ */

/* cap is the index into node_config.extra; the blob's reference is taken over on success. */
MUST_CHECK enum err node_send(struct node *n, uint32_t link, size_t extra, uint32_t code, struct blob *payload, uint64_t now_ms);

/* --- events ---------------------------------------------------------------------- */

enum node_event_type {
	NODE_EV_DIAL,     /* connect to u.endpoint for this link, then node_dialled() */
	NODE_EV_CLOSE,    /* close what the link stands on; its number is free again */
	NODE_EV_PAUSE,    /* stop reading this link */
	NODE_EV_RESUME,   /* give the rest, read again */
	NODE_EV_STEP,     /* u.step: a link got further */
	NODE_EV_DOWN,     /* u.down: a link ended, and why; before its NODE_EV_CLOSE */
	NODE_EV_MESSAGE,  /* u.message: of an extra capability */
	NODE_EV_SHH,      /* u.shh: SHH_EV_MESSAGE, _POSTED or _CONFIRMED */
	NODE_EV_JOB,      /* u.job */
	NODE_EV_JOB_CANCEL,
	NODE_EV_STOPPED,
};

enum node_step { NODE_STEP_CONNECTED, NODE_STEP_IDENTIFIED, NODE_STEP_HELLO, NODE_STEP_READY /* shh Status exchanged */ };

struct node_event {
	enum node_event_type type;
	uint32_t link;
	union {
		struct endpoint endpoint;
		struct {
			enum node_step step;
			bool inbound;
			const struct pubkey *id;           /* from IDENTIFIED on */
			const struct rlpx_hello *hello;    /* at HELLO; borrowed until the next call */
			const struct rlpx_shared *shared;
			size_t shared_count;
			const struct shh_status *status;   /* at READY */
			enum shh_dialect dialect;
		} step;
		struct {
			enum err err;
			bool by_peer;
			unsigned reason;                   /* enum rlpx_reason, as sent or received */
			const struct pubkey *id;           /* NULL if never identified */
			enum node_step reached;
		} down;
		struct { size_t extra; uint32_t code; struct span payload; } message;
		const struct shh_event *shh;
		struct { uint32_t id; const struct shh_seal_job *seal; } job;
	} u;
};

bool node_poll(struct node *n, struct node_event *ev);

/* --- looking in -------------------------------------------------------------------- */

struct node_link_info {
	uint32_t link;
	struct endpoint remote;
	struct pubkey id;
	bool identified, inbound, is_static, trusted;
	enum node_step reached;
	char client[RLPX_CLIENT_MAX + 1];
	uint32_t rtt_ms;
	struct shh_peer_stats shh;
};
/* Walk the links: start with *cursor = 0; false at the end. */
bool node_link_next(const struct node *n, uint32_t *cursor, struct node_link_info *out);

struct node_stats {
	uint64_t accepted, refused, dialled, dial_failures, handshake_failures, disconnects_in, disconnects_out;
	uint64_t bytes_in, bytes_out;
	uint32_t links, peers;
};
void node_stats(const struct node *n, struct node_stats *out);

#endif /* NODE_NODE_H */
