/* SPDX-License-Identifier: MIT */
/* node/node.h - one whole node as a pure machine: identity, links, peer slots,
 * dialling, and the protocols wired together.
 *
 * A link is a connection that carries messages; RLPx over TCP is the first
 * kind.  A driver (net/ with sockets, sim/ with virtual ones) opens and closes
 * what links stand on, moves bytes, runs jobs and tells the time.
 *
 * Rhythm of a driver, once a wake, which is a turn:
 *	feed: node_accept, node_dialled, node_recv(_many), node_stream_ended,
 *	      node_writable, node_job_done, node_tick when due;
 *	drain: node_poll() until false;
 *	node_flush(), then write what node_output() lends for each link that
 *	node_next_writable() names;
 *	arm a timer at node_deadline(): a time in the past means another turn at
 *	once, after a look at the other sockets.
 * Commands (node_peer_add, node_send, those of node_shh()) are welcome at any
 * point of it, also between two polls.
 *
 * The story of a link in events: DIAL if we began it, STEP CONNECTED,
 * IDENTIFIED, HELLO, READY as far as it gets, DOWN, CLOSE.  Calls that name a
 * link whose DOWN was not polled yet are harmless.
 *
 * Sources: devp2p rlpx.md; hardening H1, H4, P1, P2, P5-P9, X3.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "base/mem.h"
#include "base/port.h"
#include "crypto/crypto.h"
#include "enr/enr.h" /* struct endpoint, struct enode, struct cidr_list */
#include "rlpx/rlpx.h"
#include "shh/shh.h"

/* Links before their Hello, 14 of them for our own dials (hardening H1); full:
 * the oldest silent inbound one is reclaimed, else the newcomer is refused. */
#define NODE_PENDING_MAX     64
#define NODE_PENDING_INBOUND 50
#define NODE_PEERS_MAX	     SHH_PEERS_MAX
#define NODE_STATIC_MAX	     1024 /* static peers known; full: ERR_FULL */
#define NODE_TURN_MESSAGES   64	  /* messages of a link per turn, then the others' turn */
#define NODE_TURN_BYTES	     262144
#define NODE_MEMORY_MAX	     4096 /* nodes remembered: dialect, back-off, score; full: the oldest goes */

struct node;

struct node_config {
	const struct seckey *key; /* copied */
	struct crypto *crypto;	  /* borrowed */
	struct mem *mem;	  /* borrowed */
	struct rng rng;
	struct log log;
	int64_t wall_offset_ms;
	const char *client;   /* "sotto/v0.1.0/linux-x86_64/c11"; copied */
	uint16_t listen_port; /* announced in Hello; 0 as most do */
	uint8_t p2p_version;  /* 5; 4 for links without compression */
	/* 1..NODE_PEERS_MAX; a third of it is kept for those we dial, as geth does;
	 * static and trusted peers come on top. */
	uint32_t max_peers;
	const struct cidr_list *netrestrict; /* both directions; NULL: no restriction; copied */
	bool lan_exempt;       /* limits per host and the redial guard spare loopback and LAN */
	bool accept_plain;     /* pre-EIP-8 handshakes (parity) */
	bool redial;	       /* static peers are dialled again for ever; false: once */
	struct shh_config shh; /* crypto, mem, rng, log and wall offset are taken from here */
	bool no_shh;	       /* RLPx only; then there must be extra capabilities */
	const struct rlpx_capability *extra; /* of the caller's own; copied */
	size_t extra_count;		     /* at most RLPX_CAPS_MAX - 1 */
};

/* Defaults of everything but key, crypto, mem and rng. */
void node_config_init(struct node_config *cfg);

/* Make a node.
 *
 * what     set to the name of the field on ERR_ARG; may be NULL
 * errors   ERR_MEM; ERR_KEY; ERR_ARG; ERR_RANDOM
 */
MUST_CHECK enum err node_new(struct node **out, const struct node_config *cfg, const char **what,
			     uint64_t now_ms);
void node_free(struct node *n);
void node_set_wall_offset(struct node *n, int64_t wall_offset_ms);

const struct pubkey *node_pubkey(const struct node *n);

/* The Whisper machine, for its commands (post, filters, settings) and figures;
 * its events come out of node_poll().  Ask for it each time: what a command
 * leaves to do is seen by it.  NULL with no_shh. */
struct shh *node_shh(struct node *n);

/* --- peers that the operator names ------------------------------------------ */

enum node_peer_kind { NODE_STATIC = 1, NODE_TRUSTED = 2 }; /* may be or-ed */

/* Dial this one and stay connected (static); exempt it from limits, take its
 * direct messages (trusted).  errors ERR_FULL; ERR_SELF; ERR_ARG if static
 * without an address */
MUST_CHECK enum err node_peer_add(struct node *n, const struct enode *peer, unsigned kinds,
				  uint64_t now_ms);
/* Forget those kinds; a static peer is disconnected (0x00). errors ERR_NOT_FOUND */
MUST_CHECK enum err node_peer_remove(struct node *n, const struct pubkey *id, unsigned kinds,
				     uint64_t now_ms);

/* --- the driver's side -------------------------------------------------------- */

/* Somebody connected.
 *
 * link     set to its number, below 2,048
 * errors   ERR_TOO_MANY (pending links, or we are leaving), ERR_FLOOD (limits of
 *          its host or subnet, its score, netrestrict): close without a byte
 */
MUST_CHECK enum err node_accept(struct node *n, uint32_t *link, const struct endpoint *from,
				uint64_t now_ms);

/* The outcome of NODE_EV_DIAL: OK, or ERR_CLOSED (refused), ERR_TIMEOUT, ERR_IO
 * (no way there, or no means).  The node gives up by itself after 15 s
 * (NODE_EV_CLOSE). */
void node_dialled(struct node *n, uint32_t link, enum err outcome, uint64_t now_ms);

/* Take bytes of a link's stream.
 *
 * data     borrowed for this call, and overwritten
 * returns  how many were taken; if fewer than len, the link is paused or over its
 *          turn: keep the rest, read no more, give it again after NODE_EV_RESUME
 */
size_t node_recv(struct node *n, uint32_t link, uint8_t *data, size_t len, uint64_t now_ms);

/* The same for several links, each named once, whose frames then share Keccak lanes. */
struct node_input {
	uint32_t link;
	uint8_t *data;
	size_t len;
	size_t taken;
};
void node_recv_many(struct node *n, struct node_input *inputs, size_t count, uint64_t now_ms);

/* The peer closed, or the network failed: after what was read was given. */
void node_stream_ended(struct node *n, uint32_t link, uint64_t now_ms);

/* End the turn: encrypt what waits, on all links together. */
void node_flush(struct node *n, uint64_t now_ms);

/* The next link that has bytes for its socket and did not say "full" since
 * the last node_writable(); false when there is none. */
bool node_next_writable(struct node *n, uint32_t *link);
/* What it has: lent until the next call on n. */
size_t node_output(struct node *n, uint32_t link, const uint8_t **data);
/* How much of that went out.  taken < lent: the socket is full; the link waits for node_writable(). */
void node_output_taken(struct node *n, uint32_t link, size_t taken, uint64_t now_ms);
void node_writable(struct node *n, uint32_t link);

void node_job_done(struct node *n, uint32_t job, const struct shh_seal_progress *result,
		   uint64_t now_ms);

/* Leave: Disconnect 0x08 to everybody; NODE_EV_STOPPED follows when all links
 * are closed, after 1 s at most. */
void node_stop(struct node *n, uint64_t now_ms);

/* When the next turn is due, in ms; UINT64_MAX: when something comes. */
uint64_t node_deadline(const struct node *n);
void node_tick(struct node *n, uint64_t now_ms); /* early and late calls are harmless */

/* --- capabilities of the caller's own ------------------------------------------ */

/* Send on a link whose NODE_STEP_HELLO named that capability among the shared.
 *
 * extra    its index in node_config.extra
 * payload  the reference is taken over on success only
 * errors   ERR_ARG (no such capability), ERR_STATE (link not up, or not shared),
 *          ERR_FULL, ERR_CODE, ERR_SIZE, ERR_MEM
 */
MUST_CHECK enum err node_send(struct node *n, uint32_t link, size_t extra, uint32_t code,
			      struct blob *payload, uint64_t now_ms);

/* End a link with a Disconnect: a message that its capability does not allow. */
void node_disconnect(struct node *n, uint32_t link, unsigned reason, uint64_t now_ms);

/* Ask for a Pong at once: a peer gives it after it read what went out before.
 * node_link_info.pongs counts them.  errors ERR_STATE if the link is not up, or
 * while another one is awaited */
MUST_CHECK enum err node_ping(struct node *n, uint32_t link, uint64_t now_ms);

/* --- events ---------------------------------------------------------------------- */

enum node_event_type {
	NODE_EV_DIAL,	 /* connect to u.endpoint for this link, then node_dialled() */
	NODE_EV_CLOSE,	 /* close what the link stands on (what was taken may still go out);
	                     its number is free again */
	NODE_EV_PAUSE,	 /* stop reading this link, although all was taken */
	NODE_EV_RESUME,	 /* give the rest, read again */
	NODE_EV_STEP,	 /* u.step: a link got further */
	NODE_EV_DOWN,	 /* u.down: a link ended, and why; before its NODE_EV_CLOSE */
	NODE_EV_MESSAGE, /* u.message: of an extra capability */
	NODE_EV_SHH,	 /* u.shh: SHH_EV_MESSAGE, _POSTED or _CONFIRMED */
	NODE_EV_JOB,	 /* u.job */
	NODE_EV_JOB_CANCEL,
	NODE_EV_STOPPED,
};

enum node_step {
	NODE_STEP_CONNECTED,
	NODE_STEP_IDENTIFIED,
	NODE_STEP_HELLO,
	NODE_STEP_READY /* shh Status exchanged */
};

struct node_event {
	enum node_event_type type;
	uint32_t link;
	union {
		struct endpoint endpoint;
		struct {
			enum node_step step;
			bool inbound;
			const struct pubkey *id;	/* from IDENTIFIED on; all of these
			                                      borrowed until the next poll */
			const struct rlpx_hello *hello; /* at HELLO, as are the shared */
			const struct rlpx_shared *shared;
			size_t shared_count;
			const struct shh_status *status; /* at READY */
			enum shh_dialect dialect;
		} step;
		struct {
			enum err err;
			bool by_peer;
			unsigned reason;	 /* enum rlpx_reason, as sent or received */
			const struct pubkey *id; /* NULL if never identified */
			enum node_step reached;
		} down;
		struct {
			size_t extra;
			uint32_t code;
			struct span payload;
		} message;
		const struct shh_event *shh; /* link: where it came from, if from one */
		struct {
			uint32_t id;
			const struct shh_seal_job *seal;
		} job;
	} u;
};

/* Take the next event; false when there is none.  What ev points to is borrowed
 * until the next poll. */
bool node_poll(struct node *n, struct node_event *ev);

/* --- looking in -------------------------------------------------------------------- */

struct node_link_info {
	uint32_t link;
	struct endpoint remote;
	struct pubkey id;
	bool identified, inbound, is_static, trusted;
	enum node_step reached;
	char client[RLPX_CLIENT_MAX + 1];
	bool drained;	/* nothing waits for its socket */
	uint64_t pongs; /* answers to our Pings so far */
	uint32_t rtt_ms;
	uint32_t shh_peer; /* its slot in node_shh(); UINT32_MAX: none */
	struct shh_peer_stats shh;
};
/* Walk the links: start with *cursor = 0; false at the end. */
bool node_link_next(const struct node *n, uint32_t *cursor, struct node_link_info *out);

struct node_stats {
	uint64_t accepted, refused, dialled, dial_failures, handshake_failures, disconnects_in,
		disconnects_out;
	uint64_t bytes_in, bytes_out;
	uint32_t links, peers;
};
void node_stats(const struct node *n, struct node_stats *out);
void node_shh_stats(const struct node *n, struct shh_stats *out); /* zeros with no_shh */

/* NULL, or which count is not what the links say (hardening P8); asked when all
 * was polled, by tests, the simulator and debugging drivers. */
const char *node_audit(const struct node *n);

#endif /* NODE_NODE_H */
