/* SPDX-License-Identifier: MIT */
/* node/inside.h - the node's state, for the files of this folder and their tests.
 *
 * The life of a link, and what may hold its reading back:
 *
 *	DIALLING --> SHAKING --> KNOWN --> [WAITING] --> UP --> GOODBYE --> CLOSED
 *	               ^ accept
 *
 *	DIALLING  the driver connects; 15 s
 *	SHAKING   RLPx handshake; its own timers
 *	KNOWN     identified; Hello on its way
 *	WAITING   Hello read, but a crossing link of the same peer has precedence
 *	UP        admitted: counts as a peer
 *	GOODBYE   a Disconnect is going out; 1 s
 *	CLOSED    nothing is left but to tell the driver
 *
 * What is to be told to the driver stands as marks on the link and leaves in
 * the order of enum node__mark when it polls; what shh has to tell comes before
 * DOWN and CLOSE.
 */
#ifndef NODE_INSIDE_H
#define NODE_INSIDE_H

#include "node/evict.h"
#include "node/guard.h"
#include "node/node.h"

#define NODE__PENDING_OUTBOUND	(NODE_PENDING_MAX - NODE_PENDING_INBOUND)
#define NODE__GOODBYES_MAX	64 /* links saying goodbye; full: the oldest is closed at once */
#define NODE__LINKS_MAX		(NODE_PEERS_MAX + NODE_PENDING_MAX + NODE__GOODBYES_MAX)
#define NODE__WORDS		(NODE__LINKS_MAX / 64)
#define NODE__BATCH		64 /* connections opened or sealed together */

#define NODE__HOST_INBOUND	2 /* inbound links of one host outside the LAN (hardening P1) */
#define NODE__SUBNET_INBOUND	4 /* and of one subnet */
#define NODE__DIAL_MS		15000
#define NODE__GOODBYE_MS	1000  /* to get a Disconnect out, one or all (hardening B6) */
#define NODE__CROSSING_MS	10000 /* links this close together are crossing dials (P6) */
#define NODE__SILENT_MS		20000 /* no Pong for so long: a new link may take its place */
#define NODE__STARVED_MS	100   /* RLPx took nothing: no memory; tried again */
#define NODE__SETTLED_MS	60000 /* up for so long: the next dial starts afresh */
#define NODE__REDIAL_MS		35000 /* same node or host, outside the LAN (P5) */
#define NODE__REDIAL_MAX_MS	3600000
#define NODE__REDIAL_LAN_MS	1000
#define NODE__REDIAL_LAN_MAX_MS 30000
#define NODE__FLIP_MS		10000 /* dropped so soon after our envelopes: the wrong dialect */
#define NODE__FLIPS_MAX		2
#define NODE__BLIND_MS		600000 /* hardening C6 */

#define NODE__NO_PEER		UINT32_MAX
#define NODE__NO_LINK		UINT16_MAX

enum node__link_state {
	NODE__DIALLING,
	NODE__SHAKING,
	NODE__KNOWN,
	NODE__WAITING,
	NODE__UP,
	NODE__GOODBYE,
	NODE__CLOSED,
};

/* Bits of node__link.marks, in the order in which they are told. */
enum node__mark {
	NODE__TELL_DIAL = 1 << 0,
	NODE__TELL_CONNECTED = 1 << 1,
	NODE__TELL_IDENTIFIED = 1 << 2,
	NODE__TELL_HELLO = 1 << 3,
	NODE__TELL_MESSAGE = 1 << 4,
	NODE__TELL_PAUSE = 1 << 5,
	NODE__TELL_RESUME = 1 << 6, /* if by then nothing else holds it */
	NODE__TELL_DOWN = 1 << 7,
	NODE__TELL_CLOSE = 1 << 8,
};
#define NODE__TELL_END (NODE__TELL_DOWN | NODE__TELL_CLOSE)

/* What stays to be told of a link that ended. */
#define NODE__TELL_STORY                                                                     \
	(NODE__TELL_DIAL | NODE__TELL_CONNECTED | NODE__TELL_IDENTIFIED | NODE__TELL_HELLO | \
	 NODE__TELL_DOWN)

/* Bits of node__link.holds: why nothing is read; none: reading goes on. */
enum node__hold {
	NODE__HOLD_TELL = 1 << 0,    /* until a message of an extra capability was told */
	NODE__HOLD_TURN = 1 << 1,    /* its share of this turn is used up */
	NODE__HOLD_WAIT = 1 << 2,    /* WAITING */
	NODE__HOLD_DROP = 1 << 3,    /* shh refused a packet; its verdict comes */
	NODE__HOLD_PAUSE = 1 << 4,   /* until resume_ms: a bucket of shh is empty */
	NODE__HOLD_CRYPTO = 1 << 5,  /* until resume_ms: the handshake bucket is */
	NODE__HOLD_STARVED = 1 << 6, /* until resume_ms: no memory for a frame */
};
#define NODE__HOLD_TIMED (NODE__HOLD_PAUSE | NODE__HOLD_CRYPTO | NODE__HOLD_STARVED)

/* A Hello, copied until it was told. */
struct node__hello {
	struct rlpx_hello hello;
	struct rlpx_shared shared[RLPX_CAPS_MAX];
	size_t shared_count;
};

/* A message of an extra capability, copied until it was told. */
struct node__held {
	size_t size; /* of the allocation */
	size_t extra;
	uint32_t code;
	size_t len;
	uint8_t data[];
};

struct node__link {
	struct rlpx *rlpx;	   /* NULL while DIALLING */
	struct node__hello *hello; /* to be told; NULL: none */
	struct node__held *held;   /* likewise */
	char *client;		   /* name of its Hello, cut and terminated; NULL before */
	struct pubkey id;	   /* valid if has_id */
	struct endpoint remote;
	uint64_t since_ms;    /* accepted or connected */
	uint64_t heard_ms;    /* bytes came last */
	uint64_t useful_ms;   /* something new came last; 0: never */
	uint64_t own_ms;      /* dial, goodbye and linger limits */
	uint64_t resume_ms;   /* end of a timed hold */
	uint64_t deadline_ms; /* its key in the heap */
	uint64_t fresh;	      /* envelopes that were new, as last counted */
	uint32_t shh_peer;    /* NODE__NO_PEER: none */
	uint32_t shh_offset;
	uint32_t turn_bytes;
	uint32_t room;	  /* credit that shh was told last */
	uint16_t shh_was; /* the slot it had, valid if has_shh and it left */
	uint16_t number;
	uint16_t heap_at;
	uint16_t marks;
	uint16_t reason; /* of the end */
	uint8_t turn_messages;
	uint8_t holds;
	uint8_t state; /* enum node__link_state */
	uint8_t reached;
	uint8_t err; /* enum err, of the end */
	uint8_t client_len;
	bool inbound : 1;
	bool has_id : 1;
	bool lan : 1; /* exempt from limits per host and subnet */
	bool is_static : 1;
	bool trusted : 1;
	bool charged : 1; /* handshake taken from the bucket */
	bool heard : 1;	  /* any byte came */
	bool behind : 1;  /* the driver holds input back for us */
	bool spent : 1;	  /* shh used credit that it was not given back */
	bool full : 1;	  /* the socket took no more */
	bool gone : 1;	  /* there is nobody left to say goodbye to */
	bool by_peer : 1;
	bool has_shh : 1;   /* shared */
	bool announced : 1; /* logged as up */
};

/* A peer that the operator named. */
struct node__named {
	struct pubkey id;
	struct endpoint at;
	unsigned kinds;
	uint32_t failures; /* in a row */
	uint64_t due_ms;   /* of the next dial; UINT64_MAX: none (not static, or linked) */
	uint64_t waits_ms; /* when it was due first: who waits longest is first */
};

/* How many links stand where. */
struct node__counts {
	uint32_t links, pending_in, pending_out, peers, peers_in, goodbyes;
};

struct node {
	struct crypto *crypto;
	struct mem *mem;
	struct rng rng;
	struct log log;
	struct rlpx_host *host;
	struct shh *shh; /* NULL with no_shh */
	struct pubkey self;
	struct cidr_list *netrestrict; /* NULL: none; owned */
	uint32_t max_peers;
	bool lan_exempt, redial;

	uint8_t shh_cap;		     /* index into the host's capabilities */
	uint8_t extra_of_cap[RLPX_CAPS_MAX]; /* by the host's index */
	uint8_t cap_of_extra[RLPX_CAPS_MAX];
	size_t extra_count;

	uint64_t now_ms; /* of the latest call */
	uint64_t blinded_ms;
	bool stopping; /* node_stop() was called; every link ends within its goodbye */
	bool stopped;  /* and told so */
	bool unpolled; /* something may wait for node_poll() */
	uint16_t lent; /* the link whose Hello or message was told last, to be released */
	uint16_t lent_mark;
	struct shh_event shh_event; /* lent by node_poll() */

	struct node__guard guard;

	struct node__link *link[NODE__LINKS_MAX]; /* NULL: free */
	uint64_t used[NODE__WORDS];		  /* the same as bits */
	uint64_t marked[NODE__WORDS];		  /* marks but for those of the end */
	uint64_t ending[NODE__WORDS];		  /* NODE__TELL_DOWN, _CLOSE: told last */
	uint64_t touched[NODE__WORDS];		  /* to be sealed, its deadline refreshed */
	uint64_t writable[NODE__WORDS];		  /* has output, socket not full */
	uint16_t heap[NODE__LINKS_MAX];		  /* by deadline_ms */
	uint32_t heap_count;
	uint16_t link_of_peer[SHH_PEERS_MAX];
	struct node__counts count;

	struct node__named *named;
	uint32_t named_count, named_room;
	uint64_t dial_ms; /* earliest due dial that could begin; valid if !dial_stale */
	bool dial_stale;  /* then unpolled as well, and the poll computes it */

	struct node_stats stats;
};

/* --- links.c ------------------------------------------------------------------- */

static inline struct node__link *node__link_at(const struct node *n, uint32_t number)
{
	return number < NODE__LINKS_MAX ? n->link[number] : NULL;
}

static inline void node__bit_set(uint64_t *words, uint32_t i)
{
	words[i / 64] |= (uint64_t)1 << (i % 64);
}

static inline void node__bit_clear(uint64_t *words, uint32_t i)
{
	words[i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* The first set bit at or after i; NODE__LINKS_MAX if there is none. */
uint32_t node__bit_next(const uint64_t *words, uint32_t i);

/* Walk the links in order of their numbers: NULL gives the first one, or is the
 * end.  Ending links on the way is fine, freeing them is not. */
struct node__link *node__link_next(const struct node *n, const struct node__link *l);

/* errors   ERR_FULL, ERR_MEM */
MUST_CHECK enum err node__link_new(struct node *n, struct node__link **out,
				   const struct endpoint *remote, bool inbound);
void node__link_free(struct node *n, struct node__link *l); /* nothing is told */

/* Move on; keeps the counts. */
void node__link_enter(struct node *n, struct node__link *l, enum node__link_state state);

void node__link_mark(struct node *n, struct node__link *l, enum node__mark mark);
void node__link_touch(struct node *n, struct node__link *l);

/* Recompute when the link is due and keep the heap in order; not before when_ms. */
void node__link_rearm(struct node *n, struct node__link *l, uint64_t not_before_ms);

void node__link_hold(struct node__link *l, enum node__hold hold);
void node__link_unhold(struct node *n, struct node__link *l, enum node__hold hold);
void node__link_hold_until(struct node *n, struct node__link *l, enum node__hold hold,
			   uint64_t until_ms);

/* End a link: leave shh, tell why, say goodbye with reason if it can be said.
 * A link that ends already is left alone. */
void node__link_end(struct node *n, struct node__link *l, enum err err, bool by_peer,
		    unsigned reason);
/* The same when RLPx failed, says its own goodbye, and will close after it. */
void node__link_failed(struct node *n, struct node__link *l, enum err err);
/* Nothing more will go over it. */
void node__link_closed(struct node *n, struct node__link *l);

static inline bool node__link_is_over(const struct node__link *l)
{
	return l->state >= NODE__GOODBYE;
}

bool node__link_is_named(const struct node__link *l); /* static or trusted */
/* Free what marks (NODE__TELL_HELLO, _MESSAGE) told, or would have. */
void node__link_release(struct node *n, struct node__link *l, unsigned marks);

/* --- admit.c ------------------------------------------------------------------- */

/* May a stranger connect from there at all? errors ERR_TOO_MANY, ERR_FLOOD, ERR_MEM */
MUST_CHECK enum err node__admit_address(struct node *n, const struct endpoint *from, bool lan);

/* May an identified link stay?  Ends it with the right reason if not.
 * hello    whether its Hello was read: the decision is final, and takes the slot */
bool node__admit_identity(struct node *n, struct node__link *l, bool hello);

/* A link is ready: of two that crossed it may be the one to stay. */
void node__admit_ready(struct node *n, struct node__link *l);

/* A link ended: one that waited for it may go up instead. */
void node__admit_waiting(struct node *n, const struct node__link *gone);

/* --- wire.c -------------------------------------------------------------------- */

/* Take every event that RLPx has for a link. */
void node__wire_drain(struct node *n, struct node__link *l);
/* Take the next event of shh; true if it is one for the driver, else *more tells
 * whether there may be another. */
bool node__wire_shh(struct node *n, struct node_event *ev, bool *more);
/* Join shh, or stand alone: the link is a peer from now on. */
void node__wire_up(struct node *n, struct node__link *l);
void node__wire_leave(struct node *n, struct node__link *l);

/* --- peers.c -------------------------------------------------------------------- */

struct node__named *node__named_find(const struct node *n, const struct pubkey *id);
/* A link of this peer came up: no dial is due. */
void node__named_linked(struct node *n, const struct pubkey *id);
/* A link, or a dial, of this peer ended: see when to dial again. */
void node__named_ended(struct node *n, const struct node__link *l);
/* Something was learned about a peer that ended: dial as soon as may be. */
void node__named_retry(struct node *n, const struct pubkey *id);
/* Begin every dial that is due; whether there was one. */
bool node__dial_due(struct node *n);
/* When the next dial is due that could begin; UINT64_MAX: none. */
uint64_t node__dial_deadline(const struct node *n);
bool node__is_lan(const struct node *n, const struct endpoint *at);

#endif /* NODE_INSIDE_H */
