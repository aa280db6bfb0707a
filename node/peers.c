/* SPDX-License-Identifier: MIT */
/* node/peers.c - the peers that the operator named, and when they are dialled.
 *
 * A static peer without a link has a time at which its dial is due.  Outside
 * the LAN no node and no host is dialled twice within NODE__REDIAL_MS, because
 * a geth refuses a second connection from one address for 30 s; failures in a
 * row double the wait up to an hour.  On a LAN nobody refuses, so the wait
 * begins at a second and ends at half a minute: local networks heal fast.  A
 * random part on top keeps many nodes from dialling in step.
 *
 * Sources: hardening P5, P9; docs/PEERS.md "Dialling".
 */
#include "node/inside.h"

bool node__is_lan(const struct node *n, const struct endpoint *at)
{
	return n->lan_exempt && ip_is_lan(&at->ip);
}

struct node__named *node__named_find(const struct node *n, const struct pubkey *id)
{
	for (uint32_t i = 0; i < n->named_count; i++)
		if (memcmp(n->named[i].id.b, id->b, sizeof(id->b)) == 0)
			return &n->named[i];
	return NULL;
}

/* --- times ------------------------------------------------------------------------ */

static void put_off(struct node *n, struct node__named *p, uint64_t due_ms)
{
	p->due_ms = due_ms;
	n->dial_stale = true;
	n->unpolled = true;
}

static void set_due(struct node *n, struct node__named *p, uint64_t due_ms)
{
	p->waits_ms = due_ms;
	put_off(n, p, due_ms);
}

/* Not sooner than this, whatever else asks for it. */
static uint64_t guard_ms(struct node *n, const struct node__named *p)
{
	uint64_t at = node__guard_until(&n->guard, &p->id, n->now_ms);
	const struct node__past *past;

	if (node__is_lan(n, &p->at))
		return at;
	past = node__memory_find_node(&n->guard.memory, &p->id);
	if (past && past->dialled_ms != NODE__NEVER_MS)
		at = u64_max(at, time_add(past->dialled_ms, NODE__REDIAL_MS));
	past = node__memory_find_host(&n->guard.memory, &p->at.ip);
	if (past && past->dialled_ms != NODE__NEVER_MS)
		at = u64_max(at, time_add(past->dialled_ms, NODE__REDIAL_MS));
	return at;
}

/* The wait after so many failures in a row, with a quarter of chance on top. */
static uint64_t back_off(struct node *n, const struct node__named *p)
{
	bool lan = node__is_lan(n, &p->at);
	uint64_t first = lan ? NODE__REDIAL_LAN_MS : NODE__REDIAL_MS;
	uint64_t max = lan ? NODE__REDIAL_LAN_MAX_MS : NODE__REDIAL_MAX_MS;
	uint32_t doublings = p->failures > 1 ? p->failures - 1 : 0;
	uint64_t wait = u64_min(max, first << (doublings < 12 ? doublings : 12));
	uint64_t chance = 0;

	if (rng_below(&n->rng, &chance, wait / 4 + 1) != OK)
		chance = 0; /* no dice: the guard still holds */
	return wait + chance;
}

/* --- links come and go ---------------------------------------------------------------- */

void node__named_linked(struct node *n, const struct pubkey *id)
{
	struct node__named *p = node__named_find(n, id);

	if (p)
		set_due(n, p, UINT64_MAX);
}

/* Whether another link of this peer is left, or on its way. */
static bool still_linked(const struct node *n, const struct node__link *gone)
{
	const struct node__link *l;

	for (l = node__link_next(n, NULL); l; l = node__link_next(n, l)) {
		if (l != gone && !node__link_is_over(l) && (l->has_id || !l->inbound) &&
		    memcmp(l->id.b, gone->id.b, sizeof(l->id.b)) == 0)
			return true;
	}
	return false;
}

void node__named_ended(struct node *n, const struct node__link *l)
{
	struct node__named *p;

	if (!l->has_id && l->inbound)
		return;
	p = node__named_find(n, &l->id);
	if (!p || !(p->kinds & NODE_STATIC) || still_linked(n, l))
		return;
	if (!n->redial || n->stopping) {
		set_due(n, p, UINT64_MAX);
		return;
	}
	if (l->state == NODE__UP && n->now_ms - l->since_ms >= NODE__SETTLED_MS) {
		uint64_t wait = 0;

		/* It worked well: soon again, but not all at the same moment. */
		p->failures = 0;
		if (rng_below(&n->rng, &wait, NODE__REDIAL_LAN_MS) != OK)
			wait = 0;
		set_due(n, p, u64_max(n->now_ms + wait, guard_ms(n, p)));
		return;
	}
	p->failures++;
	set_due(n, p, u64_max(time_add(n->now_ms, back_off(n, p)), guard_ms(n, p)));
}

void node__named_retry(struct node *n, const struct pubkey *id)
{
	struct node__named *p = node__named_find(n, id);

	if (p && p->due_ms != UINT64_MAX)
		set_due(n, p, u64_max(n->now_ms, guard_ms(n, p)));
}

/* --- dialling ------------------------------------------------------------------------- */

uint64_t node__dial_deadline(const struct node *n)
{
	uint64_t at = UINT64_MAX;

	if (n->count.pending_out >= NODE__PENDING_OUTBOUND || n->stopping ||
	    n->count.peers >= NODE_PEERS_MAX)
		return UINT64_MAX;
	for (uint32_t i = 0; i < n->named_count; i++)
		at = u64_min(at, n->named[i].due_ms);
	return at;
}

/* Of those that are due: who worked before, then who waits longest. */
static struct node__named *pick_due(struct node *n)
{
	struct node__named *best = NULL;
	bool best_good = false;

	for (uint32_t i = 0; i < n->named_count; i++) {
		struct node__named *p = &n->named[i];
		const struct node__past *past;
		bool good;

		if (p->due_ms > n->now_ms)
			continue;
		past = node__memory_find_node(&n->guard.memory, &p->id);
		good = past && past->good;
		if (!best || (good && !best_good) ||
		    (good == best_good && p->waits_ms < best->waits_ms)) {
			best = p;
			best_good = good;
		}
	}
	return best;
}

static void note_dial(struct node *n, const struct node__named *p)
{
	struct node__past *past = node__memory_use_node(&n->guard.memory, &p->id);

	if (past)
		past->dialled_ms = n->now_ms;
	past = node__memory_use_host(&n->guard.memory, &p->at.ip);
	if (past)
		past->dialled_ms = n->now_ms;
}

static void begin_dial(struct node *n, struct node__named *p)
{
	struct node__link *l;
	uint64_t soonest =
		guard_ms(n, p); /* another node of the host may have been dialled since */

	if (soonest > n->now_ms) {
		put_off(n, p, soonest);
		return;
	}
	if (node__link_new(n, &l, &p->at, false) != OK) {
		put_off(n, p, time_add(n->now_ms, NODE__REDIAL_LAN_MS));
		return;
	}
	l->id = p->id;
	l->is_static = true;
	l->trusted = (p->kinds & NODE_TRUSTED) != 0;
	l->own_ms = time_add(n->now_ms, NODE__DIAL_MS);
	node__link_rearm(n, l, 0);
	note_dial(n, p);
	set_due(n, p, UINT64_MAX);
	n->stats.dialled++;
	node__link_mark(n, l, NODE__TELL_DIAL);
}

bool node__dial_due(struct node *n)
{
	bool begun = false;

	while (node__dial_deadline(n) <= n->now_ms) {
		struct node__named *p = pick_due(n);

		if (!p)
			break;
		begin_dial(n, p);
		begun = true;
	}
	n->dial_ms = node__dial_deadline(n);
	n->dial_stale = false;
	return begun;
}

/* --- the operator's list ------------------------------------------------------------- */

static enum err named_add(struct node *n, struct node__named **out, const struct pubkey *id)
{
	uint32_t room = n->named_room ? n->named_room * 2 : 8;
	struct node__named *grown;

	if (n->named_count == n->named_room) {
		if (n->named_count >= NODE_STATIC_MAX)
			return ERR_FULL;
		grown = mem_resize(n->mem, MEM_PEERS, n->named, n->named_room * sizeof(*grown),
				   room * sizeof(*grown));
		if (!grown)
			return ERR_MEM;
		n->named = grown;
		n->named_room = room;
	}
	*out = &n->named[n->named_count++];
	**out = (struct node__named){ .id = *id, .due_ms = UINT64_MAX };
	return OK;
}

static bool is_dialable(const struct endpoint *at)
{
	enum ip_class class = ip_class_of(&at->ip);

	return at->tcp != 0 && class != IP_MULTICAST && class != IP_UNSPECIFIED;
}

/* The rights that changed reach the links of that peer at once. */
static struct node__link *apply_kinds(struct node *n, const struct pubkey *id, unsigned kinds)
{
	struct node__link *l, *linked = NULL;

	for (l = node__link_next(n, NULL); l; l = node__link_next(n, l)) {
		if (node__link_is_over(l) || (!l->has_id && l->inbound) ||
		    memcmp(l->id.b, id->b, sizeof(id->b)) != 0)
			continue;
		l->is_static = (kinds & NODE_STATIC) != 0;
		if (l->trusted != ((kinds & NODE_TRUSTED) != 0)) {
			l->trusted = !l->trusted;
			if (l->shh_peer != NODE__NO_PEER)
				shh_peer_trust(n->shh, l->shh_peer, l->trusted);
		}
		linked = l;
	}
	return linked;
}

enum err node_peer_add(struct node *n, const struct enode *peer, unsigned kinds, uint64_t now_ms)
{
	struct node__named *p = node__named_find(n, &peer->id);
	bool dial = (kinds & NODE_STATIC) != 0;
	enum err err = OK;

	n->now_ms = now_ms;
	if (kinds == 0 || (kinds & ~(unsigned)(NODE_STATIC | NODE_TRUSTED)))
		return ERR_ARG;
	if (memcmp(peer->id.b, n->self.b, sizeof(n->self.b)) == 0)
		return ERR_SELF;
	if (dial && (!peer->has_endpoint || !is_dialable(&peer->at)))
		return ERR_ARG;
	if (!p)
		err = named_add(n, &p, &peer->id);
	if (err)
		return err;
	p->kinds |= kinds;
	if (dial) {
		p->at = peer->at;
		p->failures = 0;
	}
	if (n->netrestrict && dial && !cidr_list_has(n->netrestrict, &p->at.ip)) {
		log_line(&n->log, LOG_WARN, "static peer is outside netrestrict, not dialled");
		dial = false;
	}
	if (!apply_kinds(n, &p->id, p->kinds) && dial)
		set_due(n, p, u64_max(now_ms, guard_ms(n, p)));
	return OK;
}

enum err node_peer_remove(struct node *n, const struct pubkey *id, unsigned kinds, uint64_t now_ms)
{
	struct node__named *p = node__named_find(n, id);
	struct pubkey key = *id; /* may be lent from the entry that goes */
	bool was_static = p && (p->kinds & kinds & NODE_STATIC);
	struct node__link *l;
	unsigned left;

	n->now_ms = now_ms;
	if (!p || !(p->kinds & kinds))
		return ERR_NOT_FOUND;
	left = p->kinds & ~kinds;
	p->kinds = left;
	if (was_static)
		set_due(n, p, UINT64_MAX);
	if (left == 0)
		*p = n->named[--n->named_count];
	l = apply_kinds(n, &key, left);
	if (l && was_static)
		node__link_end(n, l, OK, false, RLPX_REQUESTED);
	return OK;
}
