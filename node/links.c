/* SPDX-License-Identifier: MIT */
/* node/links.c - the table of links: places, states, holds, deadlines, and the
 * one path by which every link ends.
 *
 * A link ends once: node__link_end() gives its slot back, takes it out of shh,
 * notes the reason for the driver and starts the goodbye; node__link_closed()
 * follows when RLPx is done with it, and the driver polls the close.
 */
#include "node/inside.h"

_Static_assert(sizeof(struct node__link) <= 320, "a link's part of an idle peer");
_Static_assert(NODE__LINKS_MAX % 64 == 0, "whole words of bits");
_Static_assert(NODE__LINKS_MAX < NODE__NO_LINK, "link numbers are 16 bits wide");

uint32_t node__bit_next(const uint64_t *words, uint32_t i)
{
	while (i < NODE__LINKS_MAX) {
		uint64_t rest = words[i / 64] >> (i % 64);

		if (rest)
			return i + (uint32_t)__builtin_ctzll(rest);
		i = (i / 64 + 1) * 64;
	}
	return NODE__LINKS_MAX;
}

struct node__link *node__link_next(const struct node *n, const struct node__link *l)
{
	uint32_t i = node__bit_next(n->used, l ? l->number + 1u : 0);

	return i < NODE__LINKS_MAX ? n->link[i] : NULL;
}

/* --- heap of deadlines ------------------------------------------------------------ */

static void heap_put(struct node *n, uint32_t at, struct node__link *l)
{
	n->heap[at] = l->number;
	l->heap_at = (uint16_t)at;
}

static struct node__link *heap_get(const struct node *n, uint32_t at)
{
	return n->link[n->heap[at]];
}

static void heap_up(struct node *n, uint32_t at, struct node__link *l)
{
	while (at > 0) {
		struct node__link *parent = heap_get(n, (at - 1) / 2);

		if (parent->deadline_ms <= l->deadline_ms)
			break;
		heap_put(n, at, parent);
		at = (at - 1) / 2;
	}
	heap_put(n, at, l);
}

static void heap_down(struct node *n, uint32_t at, struct node__link *l)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= n->heap_count)
			break;
		if (child + 1 < n->heap_count &&
		    heap_get(n, child + 1)->deadline_ms < heap_get(n, child)->deadline_ms)
			child++;
		if (heap_get(n, child)->deadline_ms >= l->deadline_ms)
			break;
		heap_put(n, at, heap_get(n, child));
		at = child;
	}
	heap_put(n, at, l);
}

static void heap_move(struct node *n, struct node__link *l, uint64_t deadline_ms)
{
	bool sooner = deadline_ms < l->deadline_ms;

	l->deadline_ms = deadline_ms;
	if (sooner)
		heap_up(n, l->heap_at, l);
	else
		heap_down(n, l->heap_at, l);
}

static void heap_remove(struct node *n, struct node__link *l)
{
	struct node__link *last = heap_get(n, --n->heap_count);

	if (last == l)
		return;
	heap_up(n, l->heap_at, last);
	heap_down(n, last->heap_at, last);
}

static uint64_t due(const struct node__link *l)
{
	uint64_t at = l->own_ms;

	if (l->holds & NODE__HOLD_TIMED)
		at = u64_min(at, l->resume_ms);
	if (l->rlpx && l->state != NODE__CLOSED)
		at = u64_min(at, rlpx_deadline(l->rlpx));
	return at;
}

void node__link_rearm(struct node *n, struct node__link *l, uint64_t not_before_ms)
{
	uint64_t at = u64_max(due(l), not_before_ms);

	if (at != l->deadline_ms)
		heap_move(n, l, at);
}

/* --- places ------------------------------------------------------------------------- */

static uint32_t free_number(const struct node *n)
{
	for (uint32_t w = 0; w < NODE__WORDS; w++)
		if (~n->used[w])
			return w * 64 + (uint32_t)__builtin_ctzll(~n->used[w]);
	return NODE__LINKS_MAX;
}

/* Which counts a link stands in. */
static void count(struct node__counts *c, const struct node__link *l, uint32_t by)
{
	c->links += by;
	switch ((enum node__link_state)l->state) {
	case NODE__DIALLING:
	case NODE__SHAKING:
	case NODE__KNOWN:
	case NODE__WAITING: *(l->inbound ? &c->pending_in : &c->pending_out) += by; break;
	case NODE__UP:
		c->peers += by;
		c->peers_in += l->inbound ? by : 0;
		break;
	case NODE__GOODBYE:
	case NODE__CLOSED: c->goodbyes += by; break;
	}
}

enum err node__link_new(struct node *n, struct node__link **out, const struct endpoint *remote,
			bool inbound)
{
	uint32_t number = free_number(n);
	struct node__link *l;

	if (number == NODE__LINKS_MAX)
		return ERR_FULL;
	l = mem_alloc(n->mem, MEM_PEERS, sizeof(*l));
	if (!l)
		return ERR_MEM;
	l->number = (uint16_t)number;
	l->remote = *remote;
	l->inbound = inbound;
	l->lan = node__is_lan(n, remote);
	l->state = inbound ? NODE__SHAKING : NODE__DIALLING;
	l->since_ms = l->heard_ms = n->now_ms;
	l->own_ms = l->deadline_ms = UINT64_MAX;
	l->shh_peer = NODE__NO_PEER;
	n->link[number] = l;
	node__bit_set(n->used, number);
	count(&n->count, l, 1);
	heap_put(n, n->heap_count++, l);
	*out = l;
	return OK;
}

void node__link_release(struct node *n, struct node__link *l, unsigned marks)
{
	if (l->held && (marks & NODE__TELL_MESSAGE)) {
		mem_free(n->mem, MEM_RECEIVE, l->held, l->held->size);
		l->held = NULL;
	}
	if (marks & NODE__TELL_HELLO) {
		mem_free(n->mem, MEM_PREAUTH, l->hello, sizeof(*l->hello));
		l->hello = NULL;
	}
}

void node__link_free(struct node *n, struct node__link *l)
{
	count(&n->count, l, (uint32_t)-1);
	heap_remove(n, l);
	node__link_release(n, l, NODE__TELL_MESSAGE | NODE__TELL_HELLO);
	mem_free(n->mem, MEM_PEERS, l->client, (size_t)l->client_len + 1);
	rlpx_free(l->rlpx);
	n->link[l->number] = NULL;
	node__bit_clear(n->used, l->number);
	node__bit_clear(n->marked, l->number);
	node__bit_clear(n->ending, l->number);
	node__bit_clear(n->touched, l->number);
	node__bit_clear(n->writable, l->number);
	if (l->has_shh && n->link_of_peer[l->shh_was] == l->number)
		n->link_of_peer[l->shh_was] = NODE__NO_LINK;
	n->unpolled = true;
	mem_free(n->mem, MEM_PEERS, l, sizeof(*l));
}

void node__link_enter(struct node *n, struct node__link *l, enum node__link_state state)
{
	count(&n->count, l, (uint32_t)-1);
	l->state = (uint8_t)state;
	count(&n->count, l, 1);
	n->dial_stale = true; /* a place for a dial may have come free */
	n->unpolled = true;
}

void node__link_mark(struct node *n, struct node__link *l, enum node__mark mark)
{
	l->marks |= (uint16_t)mark;
	node__bit_set(mark & NODE__TELL_END ? n->ending : n->marked, l->number);
	n->unpolled = true;
}

void node__link_touch(struct node *n, struct node__link *l)
{
	node__bit_set(n->touched, l->number);
}

bool node__link_is_named(const struct node__link *l)
{
	return l->is_static || l->trusted;
}

/* --- holds ---------------------------------------------------------------------------- */

void node__link_hold(struct node__link *l, enum node__hold hold)
{
	l->holds |= (uint8_t)hold;
}

void node__link_hold_until(struct node *n, struct node__link *l, enum node__hold hold,
			   uint64_t until_ms)
{
	l->resume_ms = l->holds & NODE__HOLD_TIMED ? u64_max(l->resume_ms, until_ms) : until_ms;
	l->holds |= (uint8_t)hold;
	node__link_rearm(n, l, 0);
}

void node__link_unhold(struct node *n, struct node__link *l, enum node__hold hold)
{
	l->holds &= (uint8_t) ~(unsigned)hold;
	if (l->holds == 0 && l->behind)
		node__link_mark(n, l, NODE__TELL_RESUME);
}

/* --- the end ---------------------------------------------------------------------------- */

/* Make place among those that say goodbye: the oldest leaves without ceremony. */
static void limit_goodbyes(struct node *n)
{
	struct node__link *l, *oldest = NULL;

	if (n->count.goodbyes < NODE__GOODBYES_MAX)
		return;
	for (l = node__link_next(n, NULL); l; l = node__link_next(n, l)) {
		if (l->state == NODE__GOODBYE && (!oldest || l->own_ms < oldest->own_ms))
			oldest = l;
	}
	if (oldest)
		node__link_closed(n, oldest);
}

static void log_end(struct node *n, const struct node__link *l, enum err err, unsigned reason)
{
	enum log_level level = l->announced ? LOG_INFO : LOG_DEBUG;
	char at[ENDPOINT_TEXT_MAX];
	char id[17] = "-";

	if (!log_wants(&n->log, level))
		return;
	endpoint_text(at, &l->remote);
	if (l->has_id)
		hex_encode(id, l->id.b, 8);
	log_line(&n->log, level,
		 "%s reason=0x%02x text=\"%s\" by=%s err=%s id=%s addr=%s dir=%s age_ms=%llu",
		 l->announced ? "peer down" : "link closed", reason, rlpx_reason_text(reason),
		 l->by_peer ? "peer" : "us", err_name(err), id, at, l->inbound ? "in" : "out",
		 (unsigned long long)(n->now_ms - l->since_ms));
}

/* Counters and scores of an end. */
static void judge_end(struct node *n, struct node__link *l, enum err err)
{
	if (l->by_peer)
		n->stats.disconnects_in++;
	else if (l->has_id)
		n->stats.disconnects_out++;
	if (l->state == NODE__DIALLING) {
		n->stats.dial_failures++;
	} else if (l->state == NODE__SHAKING) {
		n->stats.handshake_failures++;
		if (l->inbound && l->charged)
			node__guard_wasted(&n->guard, &l->remote.ip, l->lan, n->now_ms);
	} else if (!l->by_peer &&
		   node__guard_charge(&n->guard, &l->id, &l->remote.ip, l->lan,
				      node__link_is_named(l), node__fault_of(err), n->now_ms)) {
		log_line(&n->log, LOG_DEBUG, "peer penalised err=%s", err_name(err));
	}
}

/* What every end has in common: out of shh, out of the counts, why is noted. */
static void leave(struct node *n, struct node__link *l, enum err err, bool by_peer, unsigned reason)
{
	l->err = (uint8_t)err;
	l->by_peer = by_peer;
	l->reason = (uint16_t)reason;
	log_end(n, l, err, reason);
	judge_end(n, l, err);
	node__named_ended(n, l);
	node__wire_leave(n, l);
	l->marks &= NODE__TELL_STORY;
	l->holds = 0;
	node__link_mark(n, l, NODE__TELL_DOWN);
	limit_goodbyes(n);
	node__link_enter(n, l, NODE__GOODBYE);
	if (l->has_id)
		node__admit_waiting(n, l);
}

/* RLPx keeps the same limit; this one also tells who said goodbye first. */
static void await_goodbye(struct node *n, struct node__link *l)
{
	l->own_ms = time_add(n->now_ms, NODE__GOODBYE_MS);
	node__link_touch(n, l);
	node__link_rearm(n, l, 0);
}

void node__link_end(struct node *n, struct node__link *l, enum err err, bool by_peer,
		    unsigned reason)
{
	bool goodbye = l->has_id && !by_peer && !l->gone && reason != RLPX_REASON_UNKNOWN;

	if (node__link_is_over(l))
		return;
	leave(n, l, err, by_peer, reason);
	if (!goodbye) {
		node__link_closed(n, l);
		return;
	}
	rlpx_close(l->rlpx, reason, n->now_ms);
	await_goodbye(n, l);
}

void node__link_failed(struct node *n, struct node__link *l, enum err err)
{
	if (node__link_is_over(l))
		return;
	leave(n, l, err, false, rlpx_reason_of(err));
	await_goodbye(n, l);
}

void node__link_closed(struct node *n, struct node__link *l)
{
	if (l->state == NODE__CLOSED)
		return;
	node__link_enter(n, l, NODE__CLOSED);
	l->own_ms = UINT64_MAX;
	l->holds = 0;
	node__bit_clear(n->writable, l->number);
	node__bit_clear(n->touched, l->number);
	node__link_mark(n, l, NODE__TELL_CLOSE);
	node__link_rearm(n, l, 0);
}

/* --- audit -------------------------------------------------------------------------------- */

static const char *audit_link(const struct node *n, const struct node__link *l, uint32_t i)
{
	if (l->number != i || l->heap_at >= n->heap_count || n->heap[l->heap_at] != i)
		return "a link's number or place in the heap";
	if (l->heap_at > 0 && heap_get(n, (l->heap_at - 1u) / 2)->deadline_ms > l->deadline_ms)
		return "order of the heap";
	if (l->marks != 0)
		return "a mark that was not told";
	if (l->shh_peer != NODE__NO_PEER &&
	    (l->state != NODE__UP || n->link_of_peer[l->shh_peer] != i))
		return "a link's place in shh";
	return NULL;
}

const char *node_audit(const struct node *n)
{
	struct node__counts now = { .links = 0 };
	uint32_t in_shh = 0;
	struct shh_stats shh = { .peers = 0 };

	for (uint32_t i = 0; i < NODE__LINKS_MAX; i++) {
		const struct node__link *l = n->link[i];
		const char *fault;

		if (!l != !(n->used[i / 64] >> (i % 64) & 1))
			return "the bits of places in use";
		if (!l)
			continue;
		fault = audit_link(n, l, i);
		if (fault)
			return fault;
		count(&now, l, 1);
		in_shh += l->shh_peer != NODE__NO_PEER;
	}
	for (uint32_t i = 0; i < SHH_PEERS_MAX; i++) {
		const struct node__link *l = node__link_at(n, n->link_of_peer[i]);

		if (n->link_of_peer[i] != NODE__NO_LINK &&
		    (!l || (l->shh_peer != i && l->shh_was != i)))
			return "a slot of shh that leads nowhere";
	}
	if (n->shh)
		shh_stats(n->shh, &shh);
	if (memcmp(&now, &n->count, sizeof(now)) != 0 || now.links != n->heap_count)
		return "number of links in some state";
	if (n->shh && shh.peers != in_shh)
		return "number of peers in shh";
	return NULL;
}
