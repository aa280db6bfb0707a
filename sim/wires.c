/* SPDX-License-Identifier: MIT */
/* sim/wires.c - what links stand on: two queues of bytes with times of arrival.
 *
 * A wire begins with a call: half a round trip later the called host accepts or
 * not, another half later the caller hears of it.  Bytes leave the writer at
 * once, as long as fewer than SIM_WINDOW are on the way or unread; they
 * arrive when the line has sent them and the delay has passed, always in
 * order.  A side that hangs up ends its stream behind what it wrote.
 */
#include "sim/inside.h"

#include <stdlib.h>

/* --- places ------------------------------------------------------------------------ */

static struct wire *wire_new(struct sim_world *w, uint32_t *number)
{
	size_t i;
	struct wire *e;
	uint32_t life;

	for (i = 0; i < w->wire_room && w->wire[i].used;)
		i++;
	if (i == w->wire_room) {
		size_t old = w->wire_room;
		struct wire *was = w->wire;

		w->wire = sim__grow(w, w->wire, &w->wire_room, i + 1, sizeof(*e));
		if (w->fault)
			return NULL;
		/* Empty queues point into themselves: mend those that moved. */
		for (size_t j = 0; was != w->wire && j < old; j++)
			for (int s = 0; s < 2; s++)
				if (!w->wire[j].way[s].head)
					w->wire[j].way[s].tail = &w->wire[j].way[s].head;
	}
	e = &w->wire[i];
	life = e->life + 1;
	memset(e, 0, sizeof(*e));
	e->life = life;
	e->used = true;
	for (int s = 0; s < 2; s++)
		e->way[s].tail = &e->way[s].head;
	*number = (uint32_t)i;
	return e;
}

static void drop_segments(struct way *y)
{
	while (y->head) {
		struct segment *s = y->head;

		y->head = s->next;
		free(s);
	}
	y->tail = &y->head;
	y->held = 0;
}

/* Nobody holds either end any more. */
static void release_if_done(struct wire *e)
{
	if (e->open[0] || e->open[1])
		return;
	drop_segments(&e->way[0]);
	drop_segments(&e->way[1]);
	e->used = false;
}

void sim__wires_free(struct sim_world *w)
{
	for (size_t i = 0; i < w->wire_room; i++)
		for (int s = 0; s < 2; s++)
			drop_segments(&w->wire[i].way[s]);
	free(w->wire);
}

/* Which wire and side a host's link stands on; false if it stands on none. */
static bool find(const struct sim_world *w, uint32_t host, uint32_t link, uint32_t *wire, int *side)
{
	const struct wire *e;

	*wire = link < LINKS_MAX ? w->host[host]->wire[link] : NOBODY;
	if (*wire == NOBODY)
		return false;
	e = &w->wire[*wire];
	*side = e->host[0] == host && e->open[0] && e->link[0] == link ? 0 : 1;
	return e->open[*side];
}

static void leave(struct sim_world *w, struct wire *e, int side)
{
	w->host[e->host[side]]->wire[e->link[side]] = NOBODY;
	e->open[side] = false;
}

/* --- queues ------------------------------------------------------------------------- */

static void arm(struct sim_world *w, uint32_t number, int way)
{
	struct wire *e = &w->wire[number];
	struct way *y = &e->way[way];

	if (y->armed || !y->head || e->shape.frozen || (y->reader_rests && !y->head->end))
		return;
	y->armed = true;
	sim__at(w, u64_max(y->head->at_ms, w->now_ms), EVENT_ARRIVE, number * 2 + (uint32_t)way,
		e->life);
}

/* When bytes written now arrive. */
static uint64_t arrival(struct sim_world *w, struct wire *e, struct way *y, size_t len)
{
	uint64_t start = u64_max(y->free_us, w->now_ms * 1000);
	uint64_t at;

	y->free_us = start + (e->shape.rate ? (uint64_t)len * 1000000 / e->shape.rate : 0);
	at = y->free_us / 1000 + e->shape.delay_ms;
	if (e->shape.chunk_max)
		at += sim__chance(w, 3);
	y->last_ms = u64_max(y->last_ms, at);
	return y->last_ms;
}

static void append(struct sim_world *w, struct wire *e, int way, const uint8_t *data, size_t len,
		   bool end)
{
	struct way *y = &e->way[way];
	struct segment *s = malloc(sizeof(*s) + len);

	if (!s) {
		w->fault = "no memory";
		return;
	}
	*s = (struct segment){ .at_ms = arrival(w, e, y, len), .len = len, .end = end };
	if (len > 0)
		memcpy(s->data, data, len);
	*y->tail = s;
	y->tail = &s->next;
	y->held += len;
	w->totals.segments++;
	w->totals.bytes += len;
}

void sim__write(struct sim_world *w, uint32_t host, uint32_t link)
{
	struct node *n = w->host[host]->node;
	const uint8_t *data;
	size_t len = node_output(n, link, &data), taken, done;
	uint32_t number;
	struct wire *e;
	int side;

	if (!find(w, host, link, &number, &side)) {
		node_output_taken(n, link, len, w->now_ms); /* nothing stands there any more */
		return;
	}
	e = &w->wire[number];
	taken = e->way[side].held >= SIM_WINDOW ? 0 : size_min(len, SIM_WINDOW - e->way[side].held);
	for (done = 0; done < taken;) {
		size_t part = taken - done;

		if (e->shape.chunk_max)
			part = size_min(part, 1 + sim__chance(w, e->shape.chunk_max));
		append(w, e, side, data + done, part, false);
		done += part;
	}
	w->host[host]->bytes_sent += taken;
	e->way[side].writer_waits = taken < len;
	node_output_taken(n, link, taken, w->now_ms);
	arm(w, number, side);
}

/* The reader of a way takes what has arrived. */
static void read_way(struct sim_world *w, uint32_t number, int way)
{
	struct wire *e = &w->wire[number];
	struct way *y = &e->way[way];
	uint32_t reader = e->host[1 - way], link = e->link[1 - way];
	struct node *n = w->host[reader]->node;

	while (y->head && y->head->at_ms <= w->now_ms && (!y->reader_rests || y->head->end) &&
	       e->open[1 - way]) {
		struct segment *s = y->head;
		size_t taken;

		if (s->end) {
			node_stream_ended(n, link, w->now_ms);
			leave(w, e, 1 - way);
			break;
		}
		sim__note(w, 'b', number, (uint32_t)way, s->data + s->done, s->len - s->done);
		taken = node_recv(n, link, s->data + s->done, s->len - s->done, w->now_ms);
		s->done += taken;
		y->held -= taken;
		if (s->done < s->len) {
			y->reader_rests = true;
			break;
		}
		y->head = s->next;
		if (!y->head)
			y->tail = &y->head;
		free(s);
	}
	sim__wake(w, reader);
}

void sim__on_arrive(struct sim_world *w, uint32_t wire_way, uint32_t life)
{
	uint32_t number = wire_way / 2;
	int way = (int)(wire_way % 2);
	struct wire *e = &w->wire[number];
	struct way *y = &e->way[way];

	if (!e->used || e->life != life)
		return;
	y->armed = false;
	if (e->shape.frozen)
		return;
	if (!e->open[1 - way])
		drop_segments(y);
	else
		read_way(w, number, way);
	if (e->open[way] && y->writer_waits && y->held < SIM_WINDOW / 2) {
		y->writer_waits = false;
		node_writable(w->host[e->host[way]]->node, e->link[way]);
		sim__wake(w, e->host[way]);
	}
	arm(w, number, way);
	release_if_done(e);
}

void sim__rest(struct sim_world *w, uint32_t host, uint32_t link)
{
	uint32_t number;
	int side;

	if (find(w, host, link, &number, &side))
		w->wire[number].way[1 - side].reader_rests = true;
}

void sim__resume(struct sim_world *w, uint32_t host, uint32_t link)
{
	uint32_t number;
	int side;

	if (!find(w, host, link, &number, &side))
		return;
	w->wire[number].way[1 - side].reader_rests = false;
	arm(w, number, 1 - side);
}

/* --- calls ----------------------------------------------------------------------------- */

void sim__dial(struct sim_world *w, uint32_t host, uint32_t link, const struct endpoint *to)
{
	uint32_t called = sim__host_at(w, to), number;
	struct wire *e = wire_new(w, &number);

	if (!e)
		return;
	w->totals.dials++;
	e->host[0] = host;
	e->host[1] = called;
	e->link[0] = link;
	e->open[0] = true;
	w->host[host]->wire[link] = number;
	if (called != NOBODY)
		e->shape = sim_shape_of(w, host, called);
	if (e->shape.frozen)
		return; /* the node gives up by itself */
	sim__at(w, w->now_ms + e->shape.delay_ms, EVENT_CONNECT, number, e->life);
}

void sim__on_connect(struct sim_world *w, uint32_t number, uint32_t life)
{
	struct wire *e = &w->wire[number];
	struct node *n;

	if (!e->used || e->life != life || !e->open[0])
		return;
	n = e->host[1] == NOBODY ? NULL : w->host[e->host[1]]->node;
	if (n && !e->shape.cut &&
	    node_accept(n, &e->link[1], &w->host[e->host[0]]->at, w->now_ms) == OK) {
		e->open[1] = true;
		w->host[e->host[1]]->wire[e->link[1]] = number;
		sim__wake(w, e->host[1]);
	}
	sim__at(w, w->now_ms + e->shape.delay_ms, EVENT_CONNECTED, number, e->life);
}

void sim__on_connected(struct sim_world *w, uint32_t number, uint32_t life)
{
	struct wire *e = &w->wire[number];
	struct node *n;

	if (!e->used || e->life != life || !e->open[0])
		return;
	n = w->host[e->host[0]]->node;
	/* A host that refuses closes what its system had accepted: the caller sees
	 * a connection that ends; nobody there, or a cut: none at all. */
	if (e->open[1] || (e->host[1] != NOBODY && w->host[e->host[1]]->node && !e->shape.cut)) {
		w->totals.connects++;
		node_dialled(n, e->link[0], OK, w->now_ms);
		if (!e->open[1]) {
			node_stream_ended(n, e->link[0], w->now_ms);
			leave(w, e, 0);
		}
	} else {
		node_dialled(n, e->link[0], ERR_IO, w->now_ms);
		leave(w, e, 0);
	}
	sim__wake(w, e->host[0]);
	release_if_done(e);
}

/* --- ends ------------------------------------------------------------------------------- */

void sim__hang_up(struct sim_world *w, uint32_t host, uint32_t link)
{
	uint32_t number;
	struct wire *e;
	int side;

	if (!find(w, host, link, &number, &side))
		return;
	e = &w->wire[number];
	leave(w, e, side);
	drop_segments(&e->way[1 - side]);
	if (e->open[1 - side]) {
		append(w, e, side, NULL, 0, true);
		arm(w, number, side);
	}
	release_if_done(e);
}

void sim__break_all(struct sim_world *w, uint32_t host)
{
	for (uint32_t link = 0; link < LINKS_MAX; link++)
		if (w->host[host]->wire[link] != NOBODY)
			sim__hang_up(w, host, link);
}

/* Both sides find the stream at its end; what was on the way is lost. */
static void cut_wire(struct sim_world *w, uint32_t number)
{
	struct wire *e = &w->wire[number];

	w->totals.breaks++;
	for (int side = 0; side < 2; side++) {
		drop_segments(&e->way[1 - side]);
		if (!e->open[side])
			continue;
		e->way[1 - side].reader_rests = false;
		append(w, e, 1 - side, NULL, 0, true);
		arm(w, number, 1 - side);
	}
}

void sim__reshape(struct sim_world *w, uint32_t a, uint32_t b)
{
	struct sim_shape shape = sim_shape_of(w, a, b);

	for (uint32_t i = 0; i < w->wire_room; i++) {
		struct wire *e = &w->wire[i];

		if (!e->used ||
		    !((e->host[0] == a && e->host[1] == b) || (e->host[0] == b && e->host[1] == a)))
			continue;
		e->shape = shape;
		if (shape.cut && e->open[1])
			cut_wire(w, i);
		arm(w, i, 0);
		arm(w, i, 1);
	}
}
