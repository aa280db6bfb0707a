/* SPDX-License-Identifier: MIT */
/* node/bytes.c - bytes into links and out of them, many links side by side.
 *
 * Fairness: in a turn a link gives at most NODE_TURN_MESSAGES messages or
 * NODE_TURN_BYTES; what is left of its input waits for the next turn, which
 * node_flush() begins.  One message is never cut.
 */
#include "node/inside.h"

/* --- bytes in ---------------------------------------------------------------------------------- */

/* Whether a link takes bytes now; the first of a handshake have their price (H4). */
static bool may_read(struct node *n, struct node__link *l)
{
	uint64_t ready_ms;

	if (l->holds)
		return false;
	if (l->turn_messages >= NODE_TURN_MESSAGES || l->turn_bytes >= NODE_TURN_BYTES) {
		node__link_hold(l, NODE__HOLD_TURN);
		return false;
	}
	if (!l->inbound || l->charged)
		return true;
	if (!node__guard_crypto(&n->guard, &l->remote.ip, l->lan, n->now_ms, &ready_ms)) {
		node__link_hold_until(n, l, NODE__HOLD_CRYPTO, ready_ms);
		return false;
	}
	l->charged = true;
	return true;
}

static void after_recv(struct node *n, struct node__link *l, const struct rlpx_input *in)
{
	n->stats.bytes_in += in->taken;
	l->turn_bytes += (uint32_t)in->taken;
	if (in->taken > 0) {
		l->heard = true;
		l->heard_ms = n->now_ms;
	}
	node__link_touch(n, l);
	node__wire_drain(n, l);
	if (node__link_is_over(l) || in->err == OK)
		return;
	if (in->err == ERR_FULL) {
		node__link_hold_until(n, l, NODE__HOLD_STARVED,
				      time_add(n->now_ms, NODE__STARVED_MS));
		return;
	}
	node__link_failed(n, l, in->err);
}

/* One round over the links that take bytes now; whether there were any. */
static bool recv_round(struct node *n, struct node_input *inputs, size_t count)
{
	struct rlpx_input in[NODE__BATCH];
	struct node_input *of[NODE__BATCH];
	size_t active = 0;

	for (size_t i = 0; i < count; i++) {
		struct node_input *at = &inputs[i];
		struct node__link *l = node__link_at(n, at->link);

		if (at->taken == at->len)
			continue;
		if (!l || !l->rlpx || node__link_is_over(l)) {
			at->taken = at->len; /* nobody listens any more */
		} else if (may_read(n, l)) {
			of[active] = at;
			in[active++] = (struct rlpx_input){
				.conn = l->rlpx,
				.data = at->data + at->taken,
				.len = at->len - at->taken,
			};
		}
	}
	rlpx_open_many(in, active, n->now_ms);
	for (size_t i = 0; i < active; i++) {
		of[i]->taken += in[i].taken;
		after_recv(n, n->link[of[i]->link], &in[i]);
	}
	return active > 0;
}

void node_recv_many(struct node *n, struct node_input *inputs, size_t count, uint64_t now_ms)
{
	n->now_ms = now_ms;
	for (size_t i = 0; i < count; i++)
		inputs[i].taken = 0;
	for (size_t i = 0; i < count; i += NODE__BATCH)
		while (recv_round(n, inputs + i, size_min(NODE__BATCH, count - i)))
			;
	for (size_t i = 0; i < count; i++)
		if (inputs[i].taken < inputs[i].len)
			n->link[inputs[i].link]->behind = true;
}

size_t node_recv(struct node *n, uint32_t link, uint8_t *data, size_t len, uint64_t now_ms)
{
	struct node_input in = { .link = link, .data = data, .len = len };

	node_recv_many(n, &in, 1, now_ms);
	return in.taken;
}

/* --- bytes out ---------------------------------------------------------------------------------- */

/* What one flush or write leaves behind. */
static void after_output(struct node *n, struct node__link *l)
{
	const uint8_t *data;

	if (!l->full && rlpx_output(l->rlpx, &data) > 0)
		node__bit_set(n->writable, l->number);
	else
		node__bit_clear(n->writable, l->number);
	node__link_rearm(n, l, 0);
}

static void seal(struct node *n, struct node__link **links, struct rlpx **conns, size_t count)
{
	rlpx_seal_many(conns, count, n->now_ms);
	for (size_t i = 0; i < count; i++) {
		struct node__link *l = links[i];

		l->turn_messages = 0;
		l->turn_bytes = 0;
		if (l->holds & NODE__HOLD_TURN)
			node__link_unhold(n, l, NODE__HOLD_TURN);
		if (l->shh_peer != NODE__NO_PEER)
			l->room = (uint32_t)rlpx_send_room(l->rlpx);
		after_output(n, l);
	}
}

void node_flush(struct node *n, uint64_t now_ms)
{
	struct node__link *links[NODE__BATCH];
	struct rlpx *conns[NODE__BATCH];
	size_t count = 0;

	n->now_ms = now_ms;
	for (uint32_t i = node__bit_next(n->touched, 0); i < NODE__LINKS_MAX;
	     i = node__bit_next(n->touched, i + 1)) {
		node__bit_clear(n->touched, i);
		if (!n->link[i]->rlpx || n->link[i]->state == NODE__CLOSED)
			continue;
		links[count] = n->link[i];
		conns[count++] = n->link[i]->rlpx;
		if (count == NODE__BATCH) {
			seal(n, links, conns, count);
			count = 0;
		}
	}
	seal(n, links, conns, count);
}

bool node_next_writable(struct node *n, uint32_t *link)
{
	uint32_t i = node__bit_next(n->writable, 0);

	if (i == NODE__LINKS_MAX)
		return false;
	*link = i;
	return true;
}

size_t node_output(struct node *n, uint32_t link, const uint8_t **data)
{
	struct node__link *l = node__link_at(n, link);

	if (!l || !l->rlpx || l->state == NODE__CLOSED)
		return 0;
	return rlpx_output(l->rlpx, data);
}

void node_output_taken(struct node *n, uint32_t link, size_t taken, uint64_t now_ms)
{
	struct node__link *l = node__link_at(n, link);
	const uint8_t *data;
	size_t room;

	n->now_ms = now_ms;
	if (!l || !l->rlpx || l->state == NODE__CLOSED)
		return;
	l->full = taken < rlpx_output(l->rlpx, &data);
	n->stats.bytes_out += taken;
	rlpx_output_taken(l->rlpx, taken, now_ms);
	node__wire_drain(n, l); /* a goodbye may be out */
	if (l->state == NODE__CLOSED)
		return;
	if (!l->full && rlpx_wants_output(l->rlpx))
		node__link_touch(n, l);
	after_output(n, l);
	room = rlpx_send_room(l->rlpx);
	if (l->shh_peer != NODE__NO_PEER && l->spent && room > l->room) {
		l->room = (uint32_t)room;
		l->spent = rlpx_wants_output(l->rlpx);
		shh_peer_credit(n->shh, l->shh_peer, room, now_ms);
		n->unpolled = true;
	}
}

void node_writable(struct node *n, uint32_t link)
{
	struct node__link *l = node__link_at(n, link);

	if (!l || !l->full || l->state == NODE__CLOSED)
		return;
	l->full = false;
	node__link_touch(n, l);
	after_output(n, l);
}

enum err node_send(struct node *n, uint32_t link, size_t extra, uint32_t code, struct blob *payload,
		   uint64_t now_ms)
{
	struct node__link *l = node__link_at(n, link);
	enum err err;

	n->now_ms = now_ms;
	if (extra >= n->extra_count)
		return ERR_ARG;
	if (!l || l->state != NODE__UP)
		return ERR_STATE;
	err = rlpx_send(l->rlpx, n->cap_of_extra[extra], code, payload);
	if (!err)
		node__link_touch(n, l);
	return err;
}

enum err node_ping(struct node *n, uint32_t link, uint64_t now_ms)
{
	struct node__link *l = node__link_at(n, link);
	enum err err;

	n->now_ms = now_ms;
	if (!l || l->state != NODE__UP)
		return ERR_STATE;
	err = rlpx_ping(l->rlpx);
	if (!err)
		node__link_touch(n, l);
	return err;
}

void node_disconnect(struct node *n, uint32_t link, unsigned reason, uint64_t now_ms)
{
	struct node__link *l = node__link_at(n, link);

	n->now_ms = now_ms;
	if (l)
		node__link_end(n, l, OK, false, reason);
}
