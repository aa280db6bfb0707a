/* SPDX-License-Identifier: MIT */
/* net/wires.c - the sockets that links stand on.
 *
 * An idle link owns a descriptor and two hundred bytes; what it sends is read
 * into one buffer that all share, several links side by side so that the node
 * can open their frames together.  Only what a paused link did not take is
 * kept, and a link that did not take everything is offered less next time.
 */
#include "net/inside.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct wire {
	struct wire *next; /* in the ready list */
	struct net *net;
	struct event in;
	struct event *out; /* NULL: never waited for */
	uint8_t *rest;	   /* what the node did not take yet; owned */
	size_t rest_start, rest_len, rest_size;
	uint32_t link;
	uint32_t appetite; /* bytes to offer at once */
	int fd;
	bool queued;	/* in the ready list */
	bool dialling;	/* connect() is under way */
	bool readable;	/* the socket has something, or its end */
	bool writable;	/* it took no more and does again; or connect() is decided */
	bool paused;	/* by the node; or it holds a rest */
	bool listening; /* in is added */
	bool knocked;	/* was readable while paused */
	bool broken;	/* a write failed: the read side tells the node why */
};

/* --- the table and the list ---------------------------------------------------- */

static struct wire *wire_at(const struct net *net, uint32_t link)
{
	return link < net->wires.room ? net->wires.at[link] : NULL;
}

static enum err make_room(struct wires *ws, uint32_t link)
{
	uint32_t room = ws->room ? ws->room : 64;
	struct wire **at;

	if (link < ws->room)
		return OK;
	if (link >= NET__LINKS_MAX)
		return ERR_MEM;
	while (room <= link)
		room *= 2;
	at = realloc(ws->at, room * sizeof(struct wire *));
	if (at == NULL)
		return ERR_MEM;
	memset(at + ws->room, 0, (room - ws->room) * sizeof(struct wire *));
	ws->at = at;
	ws->room = room;
	return OK;
}

static void enqueue(struct wire *w)
{
	struct wire_list *l = &w->net->wires.ready;

	if (w->queued)
		return;
	w->queued = true;
	w->next = NULL;
	*l->tail = w;
	l->tail = &w->next;
}

static struct wire *dequeue(struct wire_list *l)
{
	struct wire *w = l->head;

	if (w == NULL)
		return NULL;
	l->head = w->next;
	if (l->head == NULL)
		l->tail = &l->head;
	w->queued = false;
	return w;
}

static void unqueue(struct wire_list *l, struct wire *w)
{
	struct wire **at = &l->head;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (l->tail == &w->next)
		l->tail = at;
	w->queued = false;
}

/* --- notes of libevent's callbacks ------------------------------------------------- */

static void listen_on(struct wire *w, bool on);

/* A pause is mostly over in the next turn, so it is not worth two system calls;
 * a second knock shows one that lasts. */
static void in_ready(evutil_socket_t fd, short what, void *arg)
{
	struct wire *w = arg;

	(void)fd;
	(void)what;
	w->readable = true;
	if (!w->paused)
		enqueue(w);
	else if (w->knocked)
		listen_on(w, false);
	else
		w->knocked = true;
}

static void out_ready(evutil_socket_t fd, short what, void *arg)
{
	struct wire *w = arg;

	(void)fd;
	(void)what;
	w->writable = true;
	enqueue(w);
}

static void listen_on(struct wire *w, bool on)
{
	w->knocked = false;
	if (on == w->listening)
		return;
	if (on && event_add(&w->in, NULL) != 0) {
		w->readable = true; /* no memory for it: look each turn */
		enqueue(w);
		return;
	}
	if (!on)
		event_del(&w->in);
	w->listening = on;
}

/* One call when the socket takes bytes again, or connect() is decided. */
static enum err await_out(struct wire *w)
{

	if (w->out == NULL)
		w->out = event_new(w->net->base, w->fd, EV_WRITE, out_ready, w);
	if (w->out == NULL || event_add(w->out, NULL) != 0)
		return ERR_MEM;
	return OK;
}

/* --- life ------------------------------------------------------------------------------- */

enum err net__wires_init(struct net *net)
{
	struct wires *ws = &net->wires;

	ws->ready.tail = &ws->ready.head;
	ws->buffer = malloc(NET__BUFFER);
	return ws->buffer != NULL ? OK : ERR_MEM;
}

static void drop_rest(struct wire *w)
{
	w->net->wires.rest_bytes -= w->rest_size;
	free(w->rest);
	w->rest = NULL;
	w->rest_start = w->rest_len = w->rest_size = 0;
}

static void wire_free(struct wire *w)
{
	struct wires *ws = &w->net->wires;

	listen_on(w, false);
	if (w->out != NULL)
		event_free(w->out);
	if (w->queued)
		unqueue(&ws->ready, w);
	drop_rest(w);
	ws->at[w->link] = NULL;
	close(w->fd);
	free(w);
}

void net__wires_close(struct net *net)
{
	struct wires *ws = &net->wires;

	for (uint32_t i = 0; i < ws->room; i++)
		if (ws->at[i] != NULL)
			wire_free(ws->at[i]);
	free(ws->at);
	free(ws->buffer);
}

/* Takes fd over; NULL and fd closed if there is no memory. */
static struct wire *wire_new(struct net *net, uint32_t link, int fd)
{
	struct wire *w = NULL;

	if (make_room(&net->wires, link) == OK && net->wires.at[link] == NULL)
		w = calloc(1, sizeof(*w));
	if (w == NULL) {
		close(fd);
		return NULL;
	}
	w->net = net;
	w->link = link;
	w->fd = fd;
	w->appetite = NET__BUFFER;
	event_assign(&w->in, net->base, fd, EV_READ | EV_PERSIST, in_ready, w);
	net->wires.at[link] = w;
	return w;
}

enum err net__wire_accepted(struct net *net, uint32_t link, int fd)
{
	struct wire *w = wire_new(net, link, fd);

	if (w == NULL)
		return ERR_MEM;
	listen_on(w, true);
	return OK;
}

/* What connect() or SO_ERROR said, as node_dialled() takes it. */
static enum err dial_error(int error)
{
	if (error == ECONNREFUSED)
		return ERR_CLOSED;
	return error == ETIMEDOUT ? ERR_TIMEOUT : ERR_IO;
}

void net__wire_dial(struct net *net, uint32_t link, const struct endpoint *to)
{
	struct sockaddr_storage a;
	socklen_t len = net__sockaddr(&a, to);
	int fd = net__socket(&to->ip);
	struct wire *w = fd < 0 ? NULL : wire_new(net, link, fd);
	enum err err = ERR_IO;

	if (w != NULL) {
		net__tune(fd);
		w->dialling = true;
		if (connect(fd, (struct sockaddr *)&a, len) != 0 && errno != EINPROGRESS)
			err = dial_error(errno);
		else
			err = await_out(w);
	}
	if (err == OK)
		return;
	if (w != NULL)
		wire_free(w);
	node_dialled(net->node, link, err, net->now_ms);
}

void net__wire_end(struct net *net, uint32_t link)
{
	struct wire *w = wire_at(net, link);

	if (w != NULL)
		wire_free(w);
}

void net__wire_pause(struct net *net, uint32_t link)
{
	struct wire *w = wire_at(net, link);

	if (w == NULL)
		return;
	w->paused = true;
}

/* The rest is given in the next turn, so that no link gets two shares of one. */
void net__wire_resume(struct net *net, uint32_t link)
{
	struct wire *w = wire_at(net, link);

	if (w == NULL)
		return;
	w->paused = false;
	if (w->rest_len > 0) {
		enqueue(w);
		net->again = true;
	} else {
		listen_on(w, true);
	}
}

/* --- reading ------------------------------------------------------------------------------ */

/* connect() is decided; that it takes too long is the node's to say. */
static void dial_decided(struct wire *w)
{
	struct net *net = w->net;
	uint32_t link = w->link;
	int error = 0;
	socklen_t len = sizeof(error);

	w->writable = false;
	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0) {
		w->dialling = false;
		listen_on(w, true);
		node_dialled(net->node, link, OK, net->now_ms);
		return;
	}
	wire_free(w);
	node_dialled(net->node, link, dial_error(error), net->now_ms);
}

/* Keep what was not taken; a link that cannot keep it is over. */
static void keep_rest(struct wire *w, const uint8_t *data, size_t len)
{
	struct net *net = w->net;

	w->paused = true;
	w->appetite = w->appetite / 2 > NET__READ_MIN ? w->appetite / 2 : NET__READ_MIN;
	w->rest = malloc(len);
	if (w->rest == NULL) {
		node_stream_ended(net->node, w->link, net->now_ms);
		return;
	}
	memcpy(w->rest, data, len);
	w->rest_len = w->rest_size = len;
	net->wires.rest_bytes += len;
}

static void took_rest(struct wire *w, size_t taken)
{
	w->rest_start += taken;
	w->rest_len -= taken;
	w->paused = w->rest_len > 0;
	if (w->paused)
		return;
	drop_rest(w);
	listen_on(w, true);
}

/* Read once into out; false if there is nothing for the node now. */
static bool read_wire(struct wire *w, uint8_t *out, size_t max, size_t *len)
{
	struct net *net = w->net;
	ssize_t n = recv(w->fd, out, max, 0);

	net->stats.reads++;
	w->readable = false;
	if (n > 0) {
		*len = (size_t)n;
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	listen_on(w, false);
	node_stream_ended(net->node, w->link, net->now_ms);
	return false;
}

/* What one ready wire has for the node: its rest, or one read. */
static bool wire_input(struct wire *w, uint8_t *room, size_t max, struct node_input *input)
{
	input->link = w->link;
	input->taken = 0;
	if (w->rest_len > 0) {
		input->data = w->rest + w->rest_start;
		input->len = w->rest_len;
		return !w->paused;
	}
	input->data = room;
	return w->readable && !w->paused && read_wire(w, room, max, &input->len);
}

static size_t bounded(const struct wires *ws, const struct wire *w, size_t max)
{
	if (ws->rest_bytes >= NET__REST_SOFT)
		return NET__READ_MIN;
	return size_min(w->appetite, max);
}

/* A wire stands among the inputs once at most, so it still lives when they come back. */
static void feed(struct net *net, struct node_input *inputs, size_t count)
{
	node_recv_many(net->node, inputs, count, net->now_ms);
	for (size_t i = 0; i < count; i++) {
		struct node_input *in = &inputs[i];
		struct wire *w = wire_at(net, in->link);

		if (w->rest_len > 0)
			took_rest(w, in->taken);
		else if (in->taken < in->len)
			keep_rest(w, in->data + in->taken, in->len - in->taken);
		else if (w->appetite < NET__BUFFER)
			w->appetite *= 2;
	}
}

static size_t count_ready(const struct wire_list *l)
{
	size_t n = 0;

	for (const struct wire *w = l->head; w != NULL; w = w->next)
		n++;
	return n;
}

/* One batch: up to NET__TOGETHER wires share the buffer; returns how many it went through. */
static size_t read_batch(struct net *net, size_t waiting)
{
	struct wires *ws = &net->wires;
	struct node_input inputs[NET__TOGETHER];
	size_t together = size_min(waiting, NET__TOGETHER), count = 0, at = 0;
	size_t share = NET__BUFFER / together;

	for (size_t i = 0; i < together; i++) {
		struct wire *w = dequeue(&ws->ready);

		if (w->dialling && w->writable) {
			dial_decided(w);
			continue;
		}
		if (w->writable) {
			w->writable = false;
			node_writable(net->node, w->link);
		}
		if (!wire_input(w, ws->buffer + at, bounded(ws, w, share), &inputs[count]))
			continue;
		if (inputs[count].data == ws->buffer + at)
			at += inputs[count].len;
		count++;
	}
	if (count > 0)
		feed(net, inputs, count);
	return together;
}

/* Only those that were ready when the turn began: who joins meanwhile waits for
 * the next one. */
void net__wires_read(struct net *net)
{
	size_t waiting = count_ready(&net->wires.ready);

	while (waiting > 0)
		waiting -= read_batch(net, waiting);
}

/* --- writing ----------------------------------------------------------------------------------- */

/* Bytes the socket took.  A failure is left to the read side, which may find
 * the peer's goodbye before the end of the stream. */
static size_t write_wire(struct wire *w, const uint8_t *data, size_t len)
{
	ssize_t n;

	if (w->broken)
		return 0;
	n = send(w->fd, data, len, MSG_NOSIGNAL);
	w->net->stats.writes++;
	if (n >= 0)
		return (size_t)n;
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
		return 0;
	w->broken = true;
	return 0;
}

static void write_link(struct net *net, uint32_t link)
{
	struct wire *w = wire_at(net, link);
	const uint8_t *data;
	size_t len = node_output(net->node, link, &data);
	size_t taken = w == NULL || w->dialling ? 0 : write_wire(w, data, len);

	node_output_taken(net->node, link, taken, net->now_ms);
	if (taken == len || w == NULL)
		return;
	if (w->broken ? !w->listening : await_out(w) != OK)
		node_stream_ended(net->node, link, net->now_ms);
}

bool net__wires_write(struct net *net)
{
	uint32_t link;
	bool any = false;

	while (node_next_writable(net->node, &link)) {
		write_link(net, link);
		any = true;
	}
	return any;
}
