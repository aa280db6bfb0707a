/* SPDX-License-Identifier: MIT */
/* node/admit.c - who gets a place: limits by address when somebody connects, by
 * identity once it is known, and the tie-break of crossing dials.
 *
 * Crossing dials.  Two nodes that dial each other at once must keep the same
 * one of the two links, whatever rule the other goes by; geth has none, and
 * keeps whichever passed its checks first.  So:
 *
 *	the link that the node with the greater key opened wins
 *	at its Hello the winner goes up; the loser waits, unless it was up before
 *	only when the winner is ready (Status exchanged) is the loser closed, 0x05
 *	the loser that is ready when the winner says Hello has won after all
 *	if one of them ends before, the other is used
 *
 * Nobody closes a link before another is proven to work at both ends, so never
 * are both lost.
 *
 * Sources: hardening H1, P1, P2, P6; docs/PEERS.md "Admission".
 */
#include "node/inside.h"

/* --- by address ------------------------------------------------------------------ */

/* Inbound links, peers and pending, that share a host or subnet with ip. */
static void count_near(const struct node *n, const struct ip *ip, uint32_t *host, uint32_t *subnet)
{
	struct ip h = ip_host(ip), s = ip_subnet(ip);
	const struct node__link *l;

	*host = *subnet = 0;
	for (l = node__link_next(n, NULL); l; l = node__link_next(n, l)) {
		struct ip other;

		if (!l->inbound || node__link_is_over(l) || l->trusted)
			continue;
		other = ip_subnet(&l->remote.ip);
		*subnet += ip_eq(&other, &s);
		other = ip_host(&l->remote.ip);
		*host += ip_eq(&other, &h);
	}
}

/* The oldest inbound link that has not sent a byte gives up its place (H1). */
static bool reclaim_silent(struct node *n)
{
	struct node__link *l, *oldest = NULL;

	for (l = node__link_next(n, NULL); l; l = node__link_next(n, l)) {
		if (l->inbound && l->state == NODE__SHAKING && !l->heard &&
		    (!oldest || l->since_ms < oldest->since_ms))
			oldest = l;
	}
	if (oldest)
		node__link_end(n, oldest, ERR_TIMEOUT, false, RLPX_REASON_UNKNOWN);
	return oldest != NULL;
}

enum err node__admit_address(struct node *n, const struct endpoint *from, bool lan)
{
	uint32_t host, subnet;

	if (n->stopping)
		return ERR_TOO_MANY;
	if (n->netrestrict && !cidr_list_has(n->netrestrict, &from->ip))
		return ERR_FLOOD;
	if (!lan) {
		enum err err;

		if (node__guard_host_until(&n->guard, &from->ip, n->now_ms))
			return ERR_FLOOD;
		count_near(n, &from->ip, &host, &subnet);
		if (host >= NODE__HOST_INBOUND || subnet >= NODE__SUBNET_INBOUND)
			return ERR_FLOOD;
		err = node__guard_accept(&n->guard, &from->ip, lan, n->now_ms);
		if (err)
			return err;
	}
	if (n->count.pending_in >= NODE_PENDING_INBOUND && !reclaim_silent(n))
		return ERR_TOO_MANY;
	return OK;
}

/* --- eviction ---------------------------------------------------------------------- */

static size_t list_evictable(struct node *n, struct node__evictable *out)
{
	const struct node__link *l;
	size_t count = 0;

	for (l = node__link_next(n, NULL); l; l = node__link_next(n, l)) {
		struct ip subnet;

		if (l->state != NODE__UP || !l->inbound || l->lan || node__link_is_named(l))
			continue;
		subnet = ip_subnet(&l->remote.ip);
		out[count++] = (struct node__evictable){
			.link = l->number,
			.rtt_ms = rlpx_rtt_ms(l->rlpx),
			.subnet = siphash(&n->guard.secret, subnet.b, sizeof(subnet.b)),
			.since_ms = l->since_ms,
			.useful_ms = l->useful_ms,
		};
	}
	return count;
}

/* Whom we would drop for a newcomer; NULL: nobody. */
static struct node__link *find_victim(struct node *n)
{
	size_t size = NODE_PEERS_MAX * sizeof(struct node__evictable);
	struct node__evictable *list = mem_alloc(n->mem, MEM_PEERS, size);
	uint32_t victim;

	if (!list)
		return NULL;
	victim = node__evict_choose(list, list_evictable(n, list));
	mem_free(n->mem, MEM_PEERS, list, size);
	return node__link_at(n, victim);
}

/* --- by identity --------------------------------------------------------------------- */

static struct node__link *find_twin(struct node *n, const struct node__link *l)
{
	struct node__link *other;

	for (other = node__link_next(n, NULL); other; other = node__link_next(n, other)) {
		if (other != l && other->has_id && !node__link_is_over(other) &&
		    other->state != NODE__DIALLING &&
		    memcmp(other->id.b, l->id.b, sizeof(l->id.b)) == 0)
			return other;
	}
	return NULL;
}

static bool are_crossing(const struct node__link *a, const struct node__link *b)
{
	uint64_t apart =
		a->since_ms > b->since_ms ? a->since_ms - b->since_ms : b->since_ms - a->since_ms;

	return a->inbound != b->inbound && apart < NODE__CROSSING_MS;
}

static bool refuse(struct node *n, struct node__link *l, enum err err, unsigned reason)
{
	node__link_end(n, l, err, false, reason);
	return false;
}

/* The other of two crossing links; NULL if there is none. */
static struct node__link *find_crossing(struct node *n, const struct node__link *l)
{
	struct node__link *twin = find_twin(n, l);

	return twin && are_crossing(l, twin) ? twin : NULL;
}

static bool wins(const struct node *n, const struct node__link *l)
{
	bool theirs = memcmp(l->id.b, n->self.b, sizeof(l->id.b)) > 0;

	return l->inbound == theirs;
}

static bool is_duplicate(struct node *n, struct node__link *l)
{
	node__link_end(n, l, ERR_DUPLICATE, false, RLPX_ALREADY_CONNECTED);
	return false;
}

/* A second link to one node, which does not cross: false if l ended. */
static bool admit_second(struct node *n, struct node__link *l, struct node__link *first, bool hello)
{
	if (n->now_ms - first->heard_ms < NODE__SILENT_MS)
		return is_duplicate(n, l);
	/* It should have answered a Ping by now: a peer that restarted. */
	if (hello)
		node__link_end(n, first, ERR_TIMEOUT, false, RLPX_PING_TIMEOUT);
	return true;
}

/* One of two crossing links has said Hello: false if it ended. */
static bool admit_crossing(struct node *n, struct node__link *l, struct node__link *twin)
{
	if (twin->reached == NODE_STEP_READY)
		return is_duplicate(n, l);
	if (!wins(n, l)) {
		node__link_enter(n, l, NODE__WAITING);
		node__link_hold(l, NODE__HOLD_WAIT);
	} else if (!l->has_shh) { /* nothing more to wait for */
		node__link_end(n, twin, ERR_DUPLICATE, false, RLPX_ALREADY_CONNECTED);
	}
	return true;
}

void node__admit_ready(struct node *n, struct node__link *l)
{
	struct node__link *twin = find_crossing(n, l);

	if (twin && wins(n, l))
		is_duplicate(n, twin);
}

static bool admit_twin(struct node *n, struct node__link *l, struct node__link *twin, bool hello)
{
	if (!are_crossing(l, twin))
		return admit_second(n, l, twin, hello);
	return !hello || admit_crossing(n, l, twin);
}

/* hardening P1: a third of the places is for those that we dial. */
static bool has_place(const struct node *n, const struct node__link *l)
{
	uint32_t inbound_max = n->max_peers - n->max_peers / 3;

	return n->count.peers < n->max_peers && (!l->inbound || n->count.peers_in < inbound_max);
}

static bool admit_number(struct node *n, struct node__link *l, bool hello)
{
	struct node__link *victim;

	if (node__link_is_named(l) ? n->count.peers < NODE_PEERS_MAX : has_place(n, l))
		return true;
	victim = l->inbound && !l->lan ? find_victim(n) : NULL;
	if (!victim)
		return refuse(n, l, ERR_TOO_MANY, RLPX_TOO_MANY_PEERS);
	if (hello)
		node__link_end(n, victim, ERR_TOO_MANY, false, RLPX_TOO_MANY_PEERS);
	return true;
}

bool node__admit_identity(struct node *n, struct node__link *l, bool hello)
{
	const struct node__named *named = node__named_find(n, &l->id);
	struct node__link *twin;

	l->is_static = named && (named->kinds & NODE_STATIC);
	l->trusted = named && (named->kinds & NODE_TRUSTED);
	if (memcmp(l->id.b, n->self.b, sizeof(l->id.b)) == 0)
		return refuse(n, l, ERR_SELF, RLPX_SELF);
	if (!named && node__guard_until(&n->guard, &l->id, n->now_ms))
		return refuse(n, l, ERR_TOO_MANY, RLPX_TOO_MANY_PEERS);
	twin = find_twin(n, l);
	if (twin && !admit_twin(n, l, twin, hello))
		return false;
	if (l->state == NODE__WAITING)
		return true;
	return admit_number(n, l, hello);
}

void node__admit_waiting(struct node *n, const struct node__link *gone)
{
	struct node__link *l;

	for (l = node__link_next(n, NULL); l; l = node__link_next(n, l)) {
		if (l->state != NODE__WAITING || memcmp(l->id.b, gone->id.b, sizeof(l->id.b)) != 0)
			continue;
		if (admit_number(n, l, true))
			node__wire_up(n, l);
		return;
	}
}
