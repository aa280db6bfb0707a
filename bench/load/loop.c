/* SPDX-License-Identifier: MIT */
/* bench/load/loop.c - the wake: read, publish, seal together, write, sleep. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "bench/load/load.h"

#define WRITE_ROUNDS 4 /* times that one turn fills the sockets before it looks at others */
#define TICK_NS	     100000000
#define KEEP_NS	     10000000000 /* a deaf one is silent no longer than this */

uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void loop_watch(struct load *l, struct peer *p, bool writable)
{
	struct epoll_event ev = { .events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.ptr = p };

	if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, p->fd, &ev) != 0 &&
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, p->fd, &ev) != 0)
		give_up("epoll: %s", strerror(errno));
}

/* --- out ------------------------------------------------------------------------ */

/* Write what is sealed; true if there is more to seal and the socket has room. */
static bool write_out(struct load *l, struct peer *p)
{
	const uint8_t *data;
	size_t len = rlpx_output(p->conn, &data);
	ssize_t n;

	if (len == 0)
		return false;
	n = send(p->fd, data, len, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		peer_lose(l, p, ERR_IO, RLPX_REASON_UNKNOWN);
		return false;
	}
	if (n > 0)
		rlpx_output_taken(p->conn, (size_t)n, now_ms());
	if (n < (ssize_t)len) {
		p->socket_full = true;
		loop_watch(l, p, true);
		return false;
	}
	return rlpx_wants_output(p->conn);
}

static bool may_write(const struct peer *p)
{
	return p->conn != NULL && !p->socket_full;
}

/* Nobody runs further ahead of the slowest receiver than LOAD_AHEAD_MAX bytes: a
 * node that gathers what it sends would pass what a packet can hold. */
static void look_ahead(struct load *l)
{
	struct stream *s = &l->stream;
	uint64_t slowest = UINT64_MAX;

	if (s->corpus == NULL || s->rate > 0)
		return;
	for (uint32_t i = 0; i < l->peer_count; i++)
		if (l->peers[i].role == RECEIVER && l->peers[i].state == PEER_UP)
			slowest = u64_min(slowest, l->peers[i].distinct);
	s->held = slowest != UINT64_MAX && s->corpus->first + s->queued / s->copies >
						   slowest + LOAD_AHEAD_MAX / l->plan->size;
}

/* One round over everybody: publish, seal side by side, write. */
static bool flush(struct load *l)
{
	struct rlpx *conns[LOAD_READS_MAX];
	struct peer *peers[LOAD_READS_MAX];
	uint64_t now = clock_ns();
	bool more = false;
	size_t n = 0;

	look_ahead(l);
	for (uint32_t i = 0; i <= l->peer_count; i++) {
		struct peer *p = &l->peers[i];

		if (n == LOAD_READS_MAX || (i == l->peer_count && n > 0)) {
			rlpx_seal_many(conns, n, now / 1000000);
			for (size_t k = 0; k < n; k++)
				more |= write_out(l, peers[k]);
			n = 0;
		}
		if (i == l->peer_count || !may_write(p))
			continue;
		if (p->role == PUBLISHER)
			peer_publish(l, p, now);
		if (rlpx_wants_output(p->conn)) {
			peers[n] = p;
			conns[n++] = p->conn;
		}
	}
	return more;
}

/* --- in --------------------------------------------------------------------------- */

static void read_group(struct load *l, struct peer **ready, size_t count)
{
	struct rlpx_input inputs[LOAD_READS_MAX];
	struct peer *peers[LOAD_READS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		struct peer *p = ready[i];
		uint8_t *buffer = l->read_buffers + n * LOAD_READ_SIZE;
		ssize_t len = recv(p->fd, buffer, LOAD_READ_SIZE, 0);

		if (len > 0) {
			peers[n] = p;
			inputs[n++] = (struct rlpx_input){ .conn = p->conn,
							   .data = buffer,
							   .len = (size_t)len };
		} else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
			peer_lose(l, p, len == 0 ? ERR_CLOSED : ERR_IO, RLPX_REASON_UNKNOWN);
		}
	}
	peers_take(l, peers, inputs, n);
}

static void on_ready(struct load *l, const struct epoll_event *events, int count)
{
	struct peer *readable[LOAD_READS_MAX];
	size_t n = 0;

	for (int i = 0; i < count; i++) {
		struct peer *p = events[i].data.ptr;
		uint32_t what = events[i].events;

		if (p->state == PEER_DIALING && what & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
			peer_connected(l, p);
			continue;
		}
		if (what & EPOLLOUT && p->socket_full) {
			p->socket_full = false;
			loop_watch(l, p, false);
		}
		if (!(what & (EPOLLIN | EPOLLERR | EPOLLHUP)) || p->conn == NULL)
			continue;
		if (p->role == PUBLISHER && p->state == PEER_UP)
			peer_skip_input(l, p);
		else
			readable[n++] = p;
	}
	read_group(l, readable, n);
}

/* --- time ------------------------------------------------------------------------- */

/* A deaf one hears no Pong and would find its peer dead; so instead of Pings it
 * says its wish for work again. */
static void keep_deaf(struct load *l, struct peer *p, uint64_t now)
{
	struct blob *b;

	if (now - p->said_ns < KEEP_NS)
		return;
	p->said_ns = now;
	if (blob_new(&b, &l->mem, MEM_SEND, 9) != OK)
		give_up("out of memory");
	b->len = shh_pow_write(b->data, 0);
	if (rlpx_send(p->conn, 0, SHH_POW, b) != OK)
		blob_unref(b);
}

static void tick_all(struct load *l)
{
	uint64_t now = clock_ns();

	if (now - l->ticked_ns < TICK_NS)
		return;
	l->ticked_ns = now;
	for (uint32_t i = 0; i < l->peer_count; i++) {
		struct peer *p = &l->peers[i];

		if (p->role == PUBLISHER && p->state == PEER_UP)
			keep_deaf(l, p, now);
		else if (p->conn != NULL)
			rlpx_tick(p->conn, now / 1000000);
	}
}

/* When the stream has its next packet. */
static uint64_t next_due(const struct load *l, uint64_t until)
{
	const struct stream *s = &l->stream;

	if (s->corpus == NULL || s->rate <= 0)
		return until;
	for (uint32_t i = s->first_publisher; i < s->first_publisher + s->publishers; i++) {
		const struct peer *p = &l->peers[i];

		if (p->state == PEER_UP && !p->socket_full && p->next < s->corpus->packet_count)
			until = u64_min(until, s->start_ns + (uint64_t)(p->next * 1e9 *
									l->plan->batch / s->rate));
	}
	return until;
}

static void dial_more(struct load *l)
{
	while (l->next_dial < l->peer_count && l->dialling < LOAD_DIALS_MAX)
		peer_dial(l, &l->peers[l->next_dial++]);
}

void loop_turn(struct load *l, uint64_t until_ns)
{
	struct epoll_event events[LOAD_READS_MAX];
	struct timespec wait = { 0 };
	uint64_t now, until;
	bool more = false;
	int n;

	dial_more(l);
	for (int i = 0; i < WRITE_ROUNDS; i++) {
		more = flush(l);
		if (!more)
			break;
	}
	tick_all(l);
	now = clock_ns();
	until = u64_min(next_due(l, until_ns), now + TICK_NS);
	if (!more && until > now) {
		wait.tv_sec = (time_t)((until - now) / 1000000000u);
		wait.tv_nsec = (long)((until - now) % 1000000000u);
	}
	n = epoll_pwait2(l->epoll, events, LOAD_READS_MAX, &wait, NULL);
	if (n < 0 && errno != EINTR)
		give_up("epoll: %s", strerror(errno));
	if (n > 0)
		on_ready(l, events, n);
}

bool loop_until(struct load *l, bool (*done)(struct load *l), uint64_t end_ns)
{
	while (!done(l)) {
		if (clock_ns() >= end_ns)
			return false;
		loop_turn(l, end_ns);
	}
	return true;
}
