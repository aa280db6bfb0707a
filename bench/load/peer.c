/* SPDX-License-Identifier: MIT */
/* bench/load/peer.c - one connection: dialled, greeted, fed or listened to. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/load.h"

#define LATE_NS 20000000 /* a packet queued later than this slipped */

static struct rlpx_host *host_make(struct load *l)
{
	static const struct rlpx_capability shh = { .name = "shh",
						    .version = 6,
						    .length = SHH_CODES };
	struct seckey key;
	struct rlpx_host *h;
	struct rlpx_config cfg = { .key = &key,
				   .crypto = l->crypto,
				   .mem = &l->mem,
				   .rng = l->rng,
				   .client = l->plan->client,
				   .version = l->plan->no_snappy ? 4 : 5,
				   .caps = &shh,
				   .cap_count = 1 };

	if (seckey_generate(l->crypto, &key, &l->rng) != OK ||
	    rlpx_host_new(&h, &cfg, now_ms()) != OK)
		give_up("no identity could be made");
	return h;
}

/* A loopback address of its own, for nodes that count peers by address. */
static struct sockaddr_in source_of(uint32_t index)
{
	uint32_t ip = 0x7f010001 + (index / 250 << 8) + index % 250;

	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(ip) };
}

static const struct enode *target_of(const struct load *l, const struct peer *p)
{
	return l->plan->has_far && (p->role == RECEIVER || p->role == AUDITOR) ? &l->plan->far
									       : &l->plan->node;
}

void peer_dial(struct load *l, struct peer *p)
{
	struct sockaddr_in from = source_of(p->index), to = { .sin_family = AF_INET };
	const struct enode *target = target_of(l, p);
	int one = 1;

	memcpy(&to.sin_addr, target->at.ip.b + 12, 4);
	to.sin_port = htons(target->at.tcp);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&from, sizeof(from)) != 0)
		give_up("no socket: %s", strerror(errno));
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(p->fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)
		give_up("the node cannot be reached: %s", strerror(errno));
	p->state = PEER_DIALING;
	l->dialling++;
	loop_watch(l, p, true);
}

void peer_connected(struct load *l, struct peer *p)
{
	socklen_t len = sizeof(int);
	int e = 0;

	getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &e, &len);
	if (e != 0)
		give_up("the node cannot be reached: %s", strerror(e));
	p->host = host_make(l);
	if (rlpx_dial(&p->conn, p->host, &target_of(l, p)->id, false, now_ms()) != OK)
		give_up("out of memory");
	p->state = PEER_SHAKING;
	loop_watch(l, p, false);
}

void peer_free(struct load *l, struct peer *p)
{
	if (p->state == PEER_NEW)
		return;
	if (p->fd >= 0) {
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, p->fd, NULL);
		close(p->fd);
	}
	rlpx_free(p->conn);
	rlpx_host_free(p->host);
	p->fd = -1;
	p->conn = NULL;
	p->host = NULL;
}

void peer_lose(struct load *l, struct peer *p, enum err e, unsigned reason)
{
	if (p->state == PEER_LOST)
		return;
	l->dialling -= p->state == PEER_DIALING || p->state == PEER_SHAKING;
	p->err = e;
	p->reason = reason;
	peer_free(l, p);
	p->state = PEER_LOST;
	l->lost++;
}

/* --- what comes --------------------------------------------------------------- */

static void on_status(struct load *l, struct peer *p, struct span payload)
{
	struct shh_status s;
	double ours = (1u << l->plan->bits) / ((double)l->plan->size * l->plan->ttl_s);

	if (shh_status_read(&s, payload) != OK)
		give_up("the node's Status cannot be read");
	if (s.min_pow > ours)
		give_up("the node wants work of %g; these envelopes have %g", s.min_pow, ours);
	l->node_pow = s.min_pow;
	if (p->state == PEER_SHAKING)
		l->dialling--;
	p->said_ns = clock_ns();
	p->state = PEER_UP;
}

static void on_envelope(struct load *l, struct peer *p, const struct shh_envelope *env,
			uint64_t now)
{
	const struct stream *s = &l->stream;
	uint32_t n;

	p->copies++;
	if (!corpus_number(l, env, &n)) {
		l->foreign++;
		return;
	}
	if (p->seen == NULL || p->seen[n / 8] & (1u << n % 8))
		return;
	p->seen[n / 8] |= (uint8_t)(1u << n % 8);
	p->distinct++;
	if (s->rate > 0 && s->corpus != NULL && n >= s->corpus->first &&
	    n - s->corpus->first < s->corpus->count) {
		uint32_t first_of_batch = (n - s->corpus->first) / l->plan->batch * l->plan->batch;

		samples_add(&l->latency,
			    now - (s->start_ns + (uint64_t)(first_of_batch * 1e9 / s->rate)));
	}
}

static void on_messages(struct load *l, struct peer *p, struct span payload, uint64_t now)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	struct shh_envelope env;

	rlp_read_list(&r, &list);
	while (!rlp_reader_at_end(&list))
		if (shh_envelope_read(&env, &list) == OK)
			on_envelope(l, p, &env, now);
	if (rlp_reader_err(&list) != OK)
		give_up("the node sent a Messages packet that cannot be read");
}

static void on_event(struct load *l, struct peer *p, const struct rlpx_event *ev, uint64_t now)
{
	switch (ev->type) {
	case RLPX_IDENTIFIED: break;
	case RLPX_HELLO:
		snprintf(l->client, sizeof(l->client), "%s", ev->u.hello.peer->client);
		if (ev->u.hello.shared_count == 0)
			give_up("the node does not speak shh/6");
		if (rlpx_send(p->conn, 0, SHH_STATUS, status_make(l, p->role)) != OK)
			give_up("no Status could be sent");
		break;
	case RLPX_MESSAGE:
		p->bytes += ev->u.message.wire_len;
		if (ev->u.message.code == SHH_STATUS)
			on_status(l, p, ev->u.message.payload);
		else if (ev->u.message.payload.len > l->plan->limit)
			rlpx_close(p->conn, RLPX_SUBPROTOCOL, now / 1000000);
		else if (ev->u.message.code == SHH_MESSAGES)
			on_messages(l, p, ev->u.message.payload, now);
		break;
	case RLPX_CLOSED: peer_lose(l, p, ev->u.closed.err, ev->u.closed.reason); break;
	}
}

static void take_events(struct load *l, struct peer *p, uint64_t now)
{
	struct rlpx_event ev;

	while (p->conn != NULL && rlpx_poll(p->conn, &ev))
		on_event(l, p, &ev, now);
}

void peers_take(struct load *l, struct peer **peers, struct rlpx_input *inputs, size_t count)
{
	uint64_t now = clock_ns();

	while (count > 0) {
		size_t left = 0;

		rlpx_open_many(inputs, count, now / 1000000);
		for (size_t i = 0; i < count; i++) {
			if (inputs[i].err == ERR_FULL)
				give_up("out of memory");
			take_events(l, peers[i], now);
			if (peers[i]->conn == NULL || inputs[i].taken == inputs[i].len)
				continue;
			inputs[left] =
				(struct rlpx_input){ .conn = inputs[i].conn,
						     .data = inputs[i].data + inputs[i].taken,
						     .len = inputs[i].len - inputs[i].taken };
			peers[left++] = peers[i];
		}
		count = left;
	}
}

void peer_skip_input(struct load *l, struct peer *p)
{
	ssize_t n = recv(p->fd, NULL, 1 << 24, MSG_TRUNC);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		peer_lose(l, p, n == 0 ? ERR_CLOSED : ERR_IO, RLPX_REASON_UNKNOWN);
}

/* --- what goes ---------------------------------------------------------------- */

/* Whether a packet belongs to the share of the publisher of that rank. */
static bool is_share(const struct stream *s, uint32_t packet, uint32_t rank)
{
	return (packet + s->publishers - rank) % s->publishers < s->copies;
}

static uint64_t due_ns(const struct load *l, uint32_t packet)
{
	const struct stream *s = &l->stream;

	return s->rate > 0 ? s->start_ns + (uint64_t)(packet * 1e9 * l->plan->batch / s->rate) : 0;
}

bool peer_publish(struct load *l, struct peer *p, uint64_t now_ns)
{
	struct stream *s = &l->stream;
	uint32_t rank = p->index - s->first_publisher;
	bool any = false;

	if (s->corpus == NULL || s->held || p->state != PEER_UP || p->index < s->first_publisher)
		return false;
	for (; p->next < s->corpus->packet_count; p->next++) {
		struct blob *b = s->corpus->packets[p->next];
		uint64_t due = due_ns(l, p->next);

		if (!is_share(s, p->next, rank))
			continue;
		if (due > now_ns) {
			p->held = false;
			break;
		}
		if (rlpx_send_room(p->conn) < b->len) {
			p->held = true; /* the node's doing, no slip of ours */
			break;
		}
		if (rlpx_send(p->conn, 0, SHH_MESSAGES, blob_ref(b)) != OK) {
			blob_unref(b);
			break;
		}
		any = true;
		s->queued += l->plan->batch;
		if (s->rate > 0 && !p->held) {
			s->slip_max_ns = u64_max(s->slip_max_ns, now_ns - due);
			s->slipped += now_ns - due > LATE_NS;
		}
	}
	return any;
}
