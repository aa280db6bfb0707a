/* SPDX-License-Identifier: MIT */
/* node/node.c - the whole node: made, driven, asked and stopped.
 *
 * Clockwork.  Calls that feed leave marks; node_poll() tells them link by link,
 * drains shh in between, and begins the dials that are due; node_flush() ends
 * the turn: it seals what waits on every touched link, side by side, sets these
 * links' deadlines anew and gives those that used up their share another one.
 * While anything of this is left to do the deadline is 0: at once.
 */
#include "node/inside.h"

#define NODE_CLIENT "sotto/v" SOTTO_VERSION /* the name by which we know our own kind */

/* --- configuration -------------------------------------------------------------------- */

void node_config_init(struct node_config *cfg)
{
	*cfg = (struct node_config){
		.client = NODE_CLIENT,
		.p2p_version = 5,
		.max_peers = 50,
		.lan_exempt = true,
		.accept_plain = true,
		.redial = true,
	};
	shh_config_init(&cfg->shh);
}

/* The name of the field that is out of range; NULL: none. */
static const char *config_fault(const struct node_config *cfg)
{
	if (!cfg->key)
		return "key";
	if (!cfg->client)
		return "client";
	if (cfg->p2p_version != 4 && cfg->p2p_version != 5)
		return "p2p_version";
	if (cfg->max_peers < 1 || cfg->max_peers > NODE_PEERS_MAX)
		return "max_peers";
	if (cfg->extra_count > RLPX_CAPS_MAX - 1 || (cfg->no_shh && cfg->extra_count == 0))
		return "extra_count";
	return NULL;
}

static const struct rlpx_capability shh_capability = {
	.name = "shh",
	.version = 6,
	.length = SHH_CODES,
};

static enum err make_host(struct node *n, const struct node_config *cfg)
{
	struct rlpx_capability caps[RLPX_CAPS_MAX];
	size_t count = cfg->extra_count;
	struct rlpx_config rc = {
		.key = cfg->key,
		.crypto = cfg->crypto,
		.mem = cfg->mem,
		.rng = cfg->rng,
		.log = cfg->log,
		.client = cfg->client,
		.listen_port = cfg->listen_port,
		.version = cfg->p2p_version,
		.accept_plain = cfg->accept_plain,
		.caps = caps,
	};

	if (count > 0)
		memcpy(caps, cfg->extra, count * sizeof(caps[0]));
	if (!cfg->no_shh)
		caps[count++] = shh_capability;
	rc.cap_count = count;
	return rlpx_host_new(&n->host, &rc, n->now_ms);
}

static bool same_capability(const struct rlpx_capability *a, const struct rlpx_capability *b)
{
	return strcmp(a->name, b->name) == 0 && a->version == b->version;
}

/* The host sorts capabilities: learn who stands where. */
static void map_capabilities(struct node *n, const struct node_config *cfg)
{
	size_t count;
	const struct rlpx_capability *caps = rlpx_host_caps(n->host, &count);

	for (size_t i = 0; i < count; i++) {
		if (!cfg->no_shh && same_capability(&caps[i], &shh_capability))
			n->shh_cap = (uint8_t)i;
		for (size_t j = 0; j < cfg->extra_count; j++) {
			if (!same_capability(&caps[i], &cfg->extra[j]))
				continue;
			n->extra_of_cap[i] = (uint8_t)j;
			n->cap_of_extra[j] = (uint8_t)i;
		}
	}
	n->extra_count = cfg->extra_count;
}

static enum err make_shh(struct node *n, const struct node_config *cfg, const char **what)
{
	struct shh_config sc = cfg->shh;

	sc.crypto = cfg->crypto;
	sc.mem = cfg->mem;
	sc.rng = cfg->rng;
	sc.log = cfg->log;
	sc.wall_offset_ms = cfg->wall_offset_ms;
	return shh_new(&n->shh, &sc, what, n->now_ms);
}

static enum err copy_netrestrict(struct node *n, const struct cidr_list *list)
{
	if (!list)
		return OK;
	n->netrestrict = mem_alloc(n->mem, MEM_FIXED, sizeof(*list));
	if (!n->netrestrict)
		return ERR_MEM;
	*n->netrestrict = *list;
	return OK;
}

enum err node_new(struct node **out, const struct node_config *cfg, const char **what,
		  uint64_t now_ms)
{
	const char *fault = config_fault(cfg);
	struct node *n;
	enum err err;

	if (fault) {
		if (what)
			*what = fault;
		return ERR_ARG;
	}
	n = mem_alloc(cfg->mem, MEM_FIXED, sizeof(*n));
	if (!n)
		return ERR_MEM;
	n->crypto = cfg->crypto;
	n->mem = cfg->mem;
	n->rng = cfg->rng;
	n->log = cfg->log;
	n->max_peers = cfg->max_peers;
	n->lan_exempt = cfg->lan_exempt;
	n->redial = cfg->redial;
	n->now_ms = n->blinded_ms = now_ms;
	n->dial_ms = UINT64_MAX;
	n->lent = NODE__NO_LINK;
	memset(n->link_of_peer, 0xff, sizeof(n->link_of_peer));
	err = node__guard_init(&n->guard, n->mem, &n->rng, now_ms);
	if (!err)
		err = copy_netrestrict(n, cfg->netrestrict);
	if (!err)
		err = make_host(n, cfg);
	if (!err && !cfg->no_shh)
		err = make_shh(n, cfg, what);
	if (err) {
		node_free(n);
		return err;
	}
	n->self = *rlpx_host_id(n->host);
	map_capabilities(n, cfg);
	*out = n;
	return OK;
}

void node_free(struct node *n)
{
	struct node__link *l;

	if (!n)
		return;
	while ((l = node__link_next(n, NULL)))
		node__link_free(n, l);
	shh_free(n->shh);
	rlpx_host_free(n->host);
	if (n->guard.mem) /* it was made */
		node__guard_reset(&n->guard);
	mem_free(n->mem, MEM_PEERS, n->named, n->named_room * sizeof(*n->named));
	mem_free(n->mem, MEM_FIXED, n->netrestrict, sizeof(*n->netrestrict));
	mem_free(n->mem, MEM_FIXED, n, sizeof(*n));
}

void node_set_wall_offset(struct node *n, int64_t wall_offset_ms)
{
	if (n->shh)
		shh_set_wall_offset(n->shh, wall_offset_ms);
}

const struct pubkey *node_pubkey(const struct node *n)
{
	return &n->self;
}

struct shh *node_shh(struct node *n)
{
	n->unpolled = true; /* a command may follow */
	return n->shh;
}

/* --- links begin and end -------------------------------------------------------------------- */

/* hardening C6: before the next use of the curve, if 10 minutes went by. */
static void blind(struct node *n)
{
	if (n->now_ms - n->blinded_ms < NODE__BLIND_MS)
		return;
	if (crypto_rerandomise(n->crypto, &n->rng) == OK)
		n->blinded_ms = n->now_ms;
}

enum err node_accept(struct node *n, uint32_t *link, const struct endpoint *from, uint64_t now_ms)
{
	struct node__link *l;
	enum err err;

	n->now_ms = now_ms;
	blind(n);
	err = node__admit_address(n, from, node__is_lan(n, from));
	if (!err && node__link_new(n, &l, from, true) != OK)
		err = ERR_TOO_MANY;
	if (err) {
		n->stats.refused++;
		return err == ERR_FLOOD ? ERR_FLOOD : ERR_TOO_MANY;
	}
	if (rlpx_accept(&l->rlpx, n->host, now_ms) != OK) {
		node__link_free(n, l);
		n->stats.refused++;
		return ERR_TOO_MANY;
	}
	n->stats.accepted++;
	node__link_mark(n, l, NODE__TELL_CONNECTED);
	node__link_rearm(n, l, 0);
	*link = l->number;
	return OK;
}

void node_dialled(struct node *n, uint32_t link, enum err outcome, uint64_t now_ms)
{
	struct node__link *l = node__link_at(n, link);
	enum err err = outcome;

	n->now_ms = now_ms;
	if (!l || l->state != NODE__DIALLING)
		return;
	blind(n);
	if (err == OK)
		err = rlpx_dial(&l->rlpx, n->host, &l->id, false, now_ms);
	if (err) {
		node__link_end(n, l, err, false, RLPX_REASON_UNKNOWN);
		return;
	}
	l->since_ms = l->heard_ms = now_ms;
	l->own_ms = UINT64_MAX;
	node__link_enter(n, l, NODE__SHAKING);
	node__link_mark(n, l, NODE__TELL_CONNECTED);
	node__link_touch(n, l);
	node__link_rearm(n, l, 0);
}

void node_stream_ended(struct node *n, uint32_t link, uint64_t now_ms)
{
	struct node__link *l = node__link_at(n, link);

	n->now_ms = now_ms;
	if (!l || l->state == NODE__CLOSED)
		return;
	l->gone = true;
	if (!l->rlpx) {
		node__link_end(n, l, ERR_IO, true, RLPX_REASON_UNKNOWN);
		return;
	}
	rlpx_stream_ended(l->rlpx, now_ms);
	node__wire_drain(n, l);
	node__link_end(n, l, ERR_CLOSED, true, RLPX_REASON_UNKNOWN);
	node__link_closed(n, l); /* as RLPx is by now */
}

/* --- time ----------------------------------------------------------------------------------------- */

void node_job_done(struct node *n, uint32_t job, const struct shh_seal_progress *result,
		   uint64_t now_ms)
{
	n->now_ms = now_ms;
	if (!n->shh)
		return;
	shh_job_done(n->shh, job, result, now_ms);
	n->unpolled = true;
}

uint64_t node_deadline(const struct node *n)
{
	uint64_t at = n->dial_ms;

	if (n->unpolled || node__bit_next(n->touched, 0) < NODE__LINKS_MAX)
		return 0;
	if (n->count.links > 0)
		at = u64_min(at, n->link[n->heap[0]]->deadline_ms);
	if (n->shh)
		at = u64_min(at, shh_deadline(n->shh));
	return at;
}

static void tick_link(struct node *n, struct node__link *l)
{
	if ((l->holds & NODE__HOLD_TIMED) && l->resume_ms <= n->now_ms)
		node__link_unhold(n, l, NODE__HOLD_TIMED);
	if (l->own_ms <= n->now_ms) {
		if (l->state == NODE__DIALLING)
			node__link_end(n, l, ERR_TIMEOUT, false, RLPX_REASON_UNKNOWN);
		else
			node__link_closed(n, l); /* the goodbye took too long */
	}
	if (l->rlpx && l->state != NODE__CLOSED && rlpx_deadline(l->rlpx) <= n->now_ms) {
		rlpx_tick(l->rlpx, n->now_ms);
		node__link_touch(n, l);
		node__wire_drain(n, l);
	}
}

void node_tick(struct node *n, uint64_t now_ms)
{
	n->now_ms = now_ms;
	while (n->count.links > 0) {
		struct node__link *l = n->link[n->heap[0]];

		if (l->deadline_ms > now_ms)
			break;
		tick_link(n, l);
		node__link_rearm(n, l, time_add(now_ms, 1)); /* each link once */
	}
	if (n->shh && shh_deadline(n->shh) <= now_ms) {
		shh_tick(n->shh, now_ms);
		n->unpolled = true;
	}
	if (n->dial_ms <= now_ms)
		n->unpolled = true;
}

void node_stop(struct node *n, uint64_t now_ms)
{
	struct node__link *l;

	n->now_ms = now_ms;
	if (n->stopping)
		return;
	n->stopping = true;
	n->dial_stale = n->unpolled = true;
	for (l = node__link_next(n, NULL); l; l = node__link_next(n, l))
		node__link_end(n, l, OK, false, RLPX_QUITTING);
}

/* --- telling --------------------------------------------------------------------------------------- */

static void tell_step(const struct node__link *l, struct node_event *ev, enum node_step step)
{
	ev->type = NODE_EV_STEP;
	ev->u.step.step = step;
	ev->u.step.inbound = l->inbound;
	if (step >= NODE_STEP_IDENTIFIED)
		ev->u.step.id = &l->id;
	if (step == NODE_STEP_HELLO) {
		ev->u.step.hello = &l->hello->hello;
		ev->u.step.shared = l->hello->shared;
		ev->u.step.shared_count = l->hello->shared_count;
	}
}

static void tell_down(const struct node__link *l, struct node_event *ev)
{
	ev->type = NODE_EV_DOWN;
	ev->u.down.err = (enum err)l->err;
	ev->u.down.by_peer = l->by_peer;
	ev->u.down.reason = l->reason;
	ev->u.down.id = l->has_id ? &l->id : NULL;
	ev->u.down.reached = (enum node_step)l->reached;
}

static void tell_message(struct node *n, struct node__link *l, struct node_event *ev)
{
	ev->type = NODE_EV_MESSAGE;
	ev->u.message.extra = l->held->extra;
	ev->u.message.code = l->held->code;
	ev->u.message.payload = span_of(l->held->data, l->held->len);
	node__link_unhold(n, l, NODE__HOLD_TELL);
}

/* What the event points to stays until the next poll. */
static void lend(struct node *n, const struct node__link *l, enum node__mark mark)
{
	n->lent = l->number;
	n->lent_mark = (uint16_t)mark;
}

/* Tell one mark; false if it came to nothing. */
static bool tell(struct node *n, struct node__link *l, enum node__mark mark, struct node_event *ev)
{
	switch (mark) {
	case NODE__TELL_DIAL:
		ev->type = NODE_EV_DIAL;
		ev->u.endpoint = l->remote;
		return true;
	case NODE__TELL_CONNECTED: tell_step(l, ev, NODE_STEP_CONNECTED); return true;
	case NODE__TELL_IDENTIFIED: tell_step(l, ev, NODE_STEP_IDENTIFIED); return true;
	case NODE__TELL_HELLO:
		tell_step(l, ev, NODE_STEP_HELLO);
		lend(n, l, mark);
		return true;
	case NODE__TELL_MESSAGE:
		tell_message(n, l, ev);
		lend(n, l, mark);
		return true;
	case NODE__TELL_DOWN: tell_down(l, ev); return true;
	case NODE__TELL_CLOSE:
		ev->type = NODE_EV_CLOSE;
		node__link_free(n, l);
		return true;
	case NODE__TELL_PAUSE:
		if (!l->holds)
			return false;
		l->behind = true;
		ev->type = NODE_EV_PAUSE;
		return true;
	case NODE__TELL_RESUME:
		if (l->holds)
			return false;
		l->behind = false;
		ev->type = NODE_EV_RESUME;
		return true;
	}
	return false;
}

/* Tell what one of the two sets of links has to tell. */
static bool tell_links(struct node *n, uint64_t *set, unsigned marks, struct node_event *ev)
{
	uint32_t i;

	while ((i = node__bit_next(set, 0)) < NODE__LINKS_MAX) {
		struct node__link *l = n->link[i];
		unsigned todo = l->marks & marks;
		enum node__mark mark = (enum node__mark)(todo & -todo);

		l->marks &= (uint16_t)~mark;
		if (todo == (unsigned)mark)
			node__bit_clear(set, i);
		ev->link = i;
		if (mark != 0 && tell(n, l, mark, ev))
			return true;
	}
	return false;
}

bool node_poll(struct node *n, struct node_event *ev)
{
	bool more = true;

	memset(ev, 0, sizeof(*ev));
	if (n->lent != NODE__NO_LINK && n->link[n->lent])
		node__link_release(n, n->link[n->lent], n->lent_mark);
	n->lent = NODE__NO_LINK;
	while (more) {
		if (tell_links(n, n->marked, (unsigned)~NODE__TELL_END, ev) ||
		    node__wire_shh(n, ev, &more))
			return true;
		if (more)
			continue;
		if (tell_links(n, n->ending, NODE__TELL_END, ev))
			return true;
		if (n->dial_stale || n->dial_ms <= n->now_ms)
			more = node__dial_due(n);
	}
	n->unpolled = false;
	if (!n->stopping || n->stopped || n->count.links > 0)
		return false;
	n->stopped = true;
	ev->type = NODE_EV_STOPPED;
	return true;
}

/* --- looking in ------------------------------------------------------------------------------------- */

bool node_link_next(const struct node *n, uint32_t *cursor, struct node_link_info *out)
{
	uint32_t i = node__bit_next(n->used, *cursor);
	const struct node__link *l;
	struct rlpx_stats stats;

	if (i == NODE__LINKS_MAX)
		return false;
	l = n->link[i];
	*cursor = i + 1;
	memset(out, 0, sizeof(*out));
	out->link = i;
	out->remote = l->remote;
	out->identified = l->has_id;
	if (l->has_id)
		out->id = l->id;
	out->inbound = l->inbound;
	out->is_static = l->is_static;
	out->trusted = l->trusted;
	out->reached = (enum node_step)l->reached;
	if (l->client)
		memcpy(out->client, l->client, l->client_len);
	if (l->rlpx && l->state == NODE__UP) {
		rlpx_stats(l->rlpx, &stats);
		out->pongs = stats.pongs_in;
		out->drained = !rlpx_wants_output(l->rlpx);
	}
	out->rtt_ms = l->rlpx && l->state == NODE__UP ? rlpx_rtt_ms(l->rlpx) : UINT32_MAX;
	out->shh_peer = l->shh_peer;
	if (l->shh_peer != NODE__NO_PEER && shh_peer_stats(n->shh, l->shh_peer, &out->shh) != OK)
		memset(&out->shh, 0, sizeof(out->shh));
	return true;
}

void node_stats(const struct node *n, struct node_stats *out)
{
	*out = n->stats;
	out->links = n->count.links;
	out->peers = n->count.peers;
}

void node_shh_stats(const struct node *n, struct shh_stats *out)
{
	memset(out, 0, sizeof(*out));
	if (n->shh)
		shh_stats(n->shh, out);
}
