/* SPDX-License-Identifier: MIT */
/* node/wire.c - where RLPx and Whisper meet: events of the one become packets of
 * the other, and neither knows.
 */
#include "node/inside.h"

/* --- up and down -------------------------------------------------------------------- */

static void log_up(struct node *n, struct node__link *l)
{
	char client[TEXT_ESCAPED_MAX];
	char at[ENDPOINT_TEXT_MAX];
	char id[17];

	l->announced = true;
	if (!log_wants(&n->log, LOG_INFO))
		return;
	endpoint_text(at, &l->remote);
	hex_encode(id, l->id.b, 8);
	text_escape(client, (const uint8_t *)l->client, l->client_len);
	log_line(&n->log, LOG_INFO, "peer up id=%s addr=%s dir=%s client=\"%s\" peers=%u", id, at,
		 l->inbound ? "in" : "out", client, n->count.peers);
}

/* The host of an address as a number that shh shares budgets by. */
static uint64_t host_number(const struct node *n, const struct ip *ip)
{
	struct ip host = ip_host(ip);

	return siphash(&n->guard.secret, host.b, sizeof(host.b));
}

static enum err join_shh(struct node *n, struct node__link *l)
{
	const struct node__past *past = node__memory_find_node(&n->guard.memory, &l->id);
	struct shh_peer_info info = {
		.client = l->client,
		.host_key = host_number(n, &l->remote.ip),
		.dialect = past ? (enum shh_dialect)past->dialect : SHH_DIALECT_UNKNOWN,
		.trusted = l->trusted,
		.code_offset = l->shh_offset,
		/* parity reads one byte of a code (docs/PEERS.md "Codes") */
		.one_byte_codes = strncmp(l->client, "Parity", 6) == 0,
	};
	enum err err = shh_peer_add(n->shh, &l->shh_peer, &info, n->now_ms);

	if (err) {
		l->shh_peer = NODE__NO_PEER;
		return err;
	}
	n->link_of_peer[l->shh_peer] = l->number;
	l->room = (uint32_t)size_min(rlpx_send_room(l->rlpx), UINT32_MAX);
	shh_peer_credit(n->shh, l->shh_peer, l->room, n->now_ms);
	return OK;
}

void node__wire_up(struct node *n, struct node__link *l)
{
	enum err err = OK;

	node__link_enter(n, l, NODE__UP);
	node__link_unhold(n, l, NODE__HOLD_WAIT);
	node__named_linked(n, &l->id);
	if (n->shh && l->has_shh)
		err = join_shh(n, l);
	else
		log_up(n, l);
	if (err)
		node__link_end(n, l, ERR_TOO_MANY, false, RLPX_TOO_MANY_PEERS);
}

/* The slot keeps pointing here, because shh may still have a better guess to
 * tell about whoever left. */
void node__wire_leave(struct node *n, struct node__link *l)
{
	uint32_t peer = l->shh_peer;

	if (peer == NODE__NO_PEER)
		return;
	l->shh_peer = NODE__NO_PEER;
	l->shh_was = (uint16_t)peer;
	shh_peer_remove(n->shh, peer, n->now_ms);
	n->unpolled = true;
}

/* --- RLPx events ----------------------------------------------------------------------- */

static void on_identified(struct node *n, struct node__link *l, const struct pubkey *id)
{
	l->id = *id;
	l->has_id = true;
	l->reached = NODE_STEP_IDENTIFIED;
	node__link_enter(n, l, NODE__KNOWN);
	node__link_mark(n, l, NODE__TELL_IDENTIFIED);
	(void)node__admit_identity(n, l, false); /* refused: it ended */
}

static bool keep_client(struct node *n, struct node__link *l, const char *client)
{
	size_t len = strnlen(client, UINT8_MAX);

	l->client = mem_alloc(n->mem, MEM_PEERS, len + 1);
	if (!l->client)
		return false;
	memcpy(l->client, client, len);
	l->client_len = (uint8_t)len;
	return true;
}

static bool keep_hello(struct node *n, struct node__link *l, const struct rlpx_event *ev)
{
	size_t count = size_min(ev->u.hello.shared_count, RLPX_CAPS_MAX);

	l->hello = mem_alloc(n->mem, MEM_PREAUTH, sizeof(*l->hello));
	if (!l->hello)
		return false;
	l->hello->hello = *ev->u.hello.peer;
	l->hello->shared_count = count;
	if (count > 0)
		memcpy(l->hello->shared, ev->u.hello.shared, count * sizeof(l->hello->shared[0]));
	return true;
}

static void on_hello(struct node *n, struct node__link *l, const struct rlpx_event *ev)
{
	l->reached = NODE_STEP_HELLO;
	if (!keep_client(n, l, ev->u.hello.peer->client) || !keep_hello(n, l, ev)) {
		node__link_end(n, l, ERR_MEM, false, RLPX_TOO_MANY_PEERS);
		return;
	}
	for (size_t i = 0; i < ev->u.hello.shared_count; i++) {
		const struct rlpx_shared *s = &ev->u.hello.shared[i];

		if (n->shh && s->cap == n->shh_cap) {
			l->has_shh = true;
			l->shh_offset = s->offset;
		}
	}
	node__link_mark(n, l, NODE__TELL_HELLO);
	if (ev->u.hello.shared_count == 0)
		return; /* RLPx ends it as useless */
	if (node__admit_identity(n, l, true) && l->state != NODE__WAITING)
		node__wire_up(n, l);
}

/* Whether a packet brought anything new, for whom to keep (hardening P2). */
static void note_use(struct node *n, struct node__link *l)
{
	struct shh_peer_stats s;
	uint64_t fresh;

	if (shh_peer_stats(n->shh, l->shh_peer, &s) != OK)
		return;
	fresh = s.envelopes_in - s.duplicates_in - s.dropped_in;
	if (fresh != l->fresh)
		l->useful_ms = n->now_ms;
	l->fresh = fresh;
}

static void to_shh(struct node *n, struct node__link *l, uint32_t code, struct span payload)
{
	if (l->shh_peer == NODE__NO_PEER)
		return;
	if (shh_recv(n->shh, l->shh_peer, code, payload, n->now_ms) != OK)
		node__link_hold(l, NODE__HOLD_DROP);
	else if (code == SHH_MESSAGES)
		note_use(n, l);
	n->unpolled = true;
}

/* A message for the driver: copied, since its bytes are gone when it is told. */
static void to_driver(struct node *n, struct node__link *l, const struct rlpx_event *ev)
{
	struct span payload = ev->u.message.payload;
	size_t size = sizeof(struct node__held) + payload.len;

	l->held = mem_alloc(n->mem, MEM_RECEIVE, size);
	if (!l->held) {
		node__link_end(n, l, ERR_MEM, false, RLPX_TOO_MANY_PEERS);
		return;
	}
	l->held->size = size;
	l->held->extra = n->extra_of_cap[ev->u.message.cap];
	l->held->code = ev->u.message.code;
	l->held->len = payload.len;
	if (payload.len > 0)
		memcpy(l->held->data, payload.data, payload.len);
	node__link_hold(l, NODE__HOLD_TELL);
	node__link_mark(n, l, NODE__TELL_MESSAGE);
}

static void on_message(struct node *n, struct node__link *l, const struct rlpx_event *ev)
{
	if (l->state != NODE__UP)
		return;
	l->turn_messages++;
	if (n->shh && ev->u.message.cap == n->shh_cap)
		to_shh(n, l, ev->u.message.code, ev->u.message.payload);
	else
		to_driver(n, l, ev);
}

static void on_closed(struct node *n, struct node__link *l, const struct rlpx_event *ev)
{
	if (!node__link_is_over(l)) {
		l->gone = true; /* whatever was to be said was said */
		node__link_end(n, l, ev->u.closed.err, ev->u.closed.by_peer, ev->u.closed.reason);
	}
	node__link_closed(n, l);
}

void node__wire_drain(struct node *n, struct node__link *l)
{
	struct rlpx_event ev;

	while (l->state != NODE__CLOSED && rlpx_poll(l->rlpx, &ev)) {
		switch (ev.type) {
		case RLPX_IDENTIFIED: on_identified(n, l, ev.u.identified); break;
		case RLPX_HELLO: on_hello(n, l, &ev); break;
		case RLPX_MESSAGE: on_message(n, l, &ev); break;
		case RLPX_CLOSED: on_closed(n, l, &ev); break;
		}
	}
}

/* --- shh events --------------------------------------------------------------------------- */

static void send_packet(struct node *n, struct node__link *l, uint32_t code, struct blob *payload)
{
	enum err err = l ? rlpx_send(l->rlpx, n->shh_cap, code, payload) : ERR_STATE;

	if (err) {
		blob_unref(payload);
		if (l && err != ERR_STATE) /* it reads nothing, or we are out of memory */
			node__link_end(n, l, err, false, RLPX_NETWORK_ERROR);
		return;
	}
	l->spent = true;
	node__link_touch(n, l);
}

/* As RLPx says it, but for what has a meaning of its own here (hardening W1): a
 * Status of another version, and one that did not come in time. */
static unsigned reason_of(enum err err)
{
	unsigned reason = err == ERR_TIMEOUT ? RLPX_BREACH : rlpx_reason_of(err);

	return err == ERR_VERSION || reason == RLPX_REASON_UNKNOWN ? RLPX_SUBPROTOCOL : reason;
}

static void drop(struct node *n, struct node__link *l, enum err err)
{
	n->link_of_peer[l->shh_peer] = NODE__NO_LINK; /* shh has forgotten it already */
	l->shh_peer = NODE__NO_PEER;
	node__link_end(n, l, err, false, reason_of(err));
}

/* What shh found out is remembered.  Of a peer that left at our first envelopes
 * it is another guess, and worth another dial at once; but not for ever. */
static void learn_dialect(struct node *n, const struct node__link *l, enum shh_dialect d)
{
	struct node__past *past = node__memory_use_node(&n->guard.memory, &l->id);

	if (!past)
		return;
	past->dialect = (uint8_t)d;
	if (l->state == NODE__UP || past->flips >= NODE__FLIPS_MAX)
		return;
	past->flips++;
	log_line(&n->log, LOG_DEBUG, "dialect turned over to=%s", shh_dialect_name(d));
	node__named_retry(n, &l->id);
}

static void ready(struct node *n, struct node__link *l, const struct shh_event *sev,
		  struct node_event *ev)
{
	l->reached = NODE_STEP_READY;
	node__admit_ready(n, l);
	node__guard_good(&n->guard, &l->id, &l->remote.ip);
	log_up(n, l);
	ev->type = NODE_EV_STEP;
	ev->link = l->number;
	ev->u.step.step = NODE_STEP_READY;
	ev->u.step.inbound = l->inbound;
	ev->u.step.id = &l->id;
	ev->u.step.status = sev->u.ready.status;
	ev->u.step.dialect = sev->u.ready.dialect;
}

/* The link of the peer that an event is about, or was; NULL: none. */
static struct node__link *link_of(const struct node *n, uint32_t peer)
{
	if (peer >= SHH_PEERS_MAX || n->link_of_peer[peer] == NODE__NO_LINK)
		return NULL;
	return n->link[n->link_of_peer[peer]];
}

bool node__wire_shh(struct node *n, struct node_event *ev, bool *more)
{
	struct shh_event *sev = &n->shh_event;
	struct node__link *l;
	bool up; /* and not only the place where that peer was */

	*more = n->shh && shh_poll(n->shh, sev);
	if (!*more)
		return false;
	l = link_of(n, sev->peer);
	up = l && l->shh_peer == sev->peer;
	switch (sev->type) {
	case SHH_EV_SEND:
		send_packet(n, up ? l : NULL, sev->u.send.code, sev->u.send.payload);
		return false;
	case SHH_EV_DROP:
		if (up)
			drop(n, l, sev->u.drop.err);
		return false;
	case SHH_EV_PAUSE:
		if (up) {
			node__link_hold_until(n, l, NODE__HOLD_PAUSE, sev->u.pause.until_ms);
			node__link_mark(n, l, NODE__TELL_PAUSE);
		}
		return false;
	case SHH_EV_READY:
		if (up)
			ready(n, l, sev, ev);
		return up;
	case SHH_EV_DIALECT:
		if (l)
			learn_dialect(n, l, sev->u.ready.dialect);
		return false;
	case SHH_EV_JOB:
		ev->type = NODE_EV_JOB;
		ev->u.job.id = sev->u.job.id;
		ev->u.job.seal = sev->u.job.seal;
		return true;
	case SHH_EV_JOB_CANCEL:
		ev->type = NODE_EV_JOB_CANCEL;
		ev->u.job.id = sev->u.job.id;
		return true;
	case SHH_EV_MESSAGE:
	case SHH_EV_POSTED:
	case SHH_EV_CONFIRMED:
		ev->type = NODE_EV_SHH;
		if (up)
			ev->link = l->number;
		ev->u.shh = sev;
		return true;
	}
	return false;
}
