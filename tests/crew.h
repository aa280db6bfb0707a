/* SPDX-License-Identifier: MIT */
/* tests/crew.h - a program's own peers for a node in another process: sockets on
 * loopback, the RLPx machine behind each, and a look at that process from outside.
 *
 * Everything waits for a condition and gives up after CREW_PATIENCE_MS; nothing
 * depends on how fast either side is.  Header only.
 */
#ifndef TESTS_CREW_H
#define TESTS_CREW_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "enr/enr.h"
#include "net/net.h"
#include "rlpx/conn.h"
#include "shh/packet.h"

#define CREW_PEERS_MAX	 64
#define CREW_SOCKETS_MAX 512 /* bare ones held open at once */
#define CREW_PATIENCE_MS 60000
#define CREW_MARK	 32 /* bytes by which a message is known again */

struct crew_peer {
	int fd;
	struct rlpx_host *host;
	struct rlpx *conn;
	bool identified;     /* secrets agreed */
	bool open;	     /* Hellos exchanged */
	bool ready;	     /* their Status is here */
	bool over;	     /* nothing more will come */
	bool deaf;	     /* does not read its socket */
	bool mute;	     /* writes nothing of its own: a frame stands half-written */
	bool wordless;	     /* never says Status */
	bool bare;	     /* never says Hello either */
	unsigned reason;     /* of their Disconnect; RLPX_REASON_UNKNOWN: none came */
	const uint8_t *mark; /* CREW_MARK bytes looked for in Messages */
	bool found;
};

struct crew {
	struct rng rng;
	struct mem mem;
	struct crypto *crypto;
	struct enode target;
	pid_t pid;
	struct crew_peer *peer[CREW_PEERS_MAX];
	int socket[CREW_SOCKETS_MAX];
	size_t sockets;
	unsigned refused; /* honest ones that had to try again */
};

static inline void crew_must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(2);
}

/* --- the process attacked -------------------------------------------------------------- */

static inline bool crew_is_alive(const struct crew *w)
{
	char path[64], state = 'Z';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)w->pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(f);
	return state != 'Z' && state != 'X';
}

/* A line of /proc/PID/status in KiB: VmRSS, or VmHWM for the most that ever was. */
static inline long crew_memory_kb(const struct crew *w, const char *what)
{
	char path[64], line[256];
	size_t len = strlen(what);
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)w->pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, what, len) == 0 && line[len] == ':')
			kb = strtol(line + len + 1, NULL, 10);
	if (f != NULL)
		fclose(f);
	return kb;
}

/* Sockets on its port that somebody accepted and did not close; from: only those
 * whose other end has that port, 0 for all.  The list of its descriptors is for root
 * alone, since it is not dumpable; this one is public. */
static inline int crew_sockets_from(const struct crew *w, unsigned from)
{
	FILE *f = fopen("/proc/net/tcp", "r");
	unsigned port, other, state;
	unsigned long inode;
	char line[512];
	int n = 0;

	crew_must(f != NULL, "/proc/net/tcp");
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%*d: %*8x:%x %*8x:%x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &port,
			   &other, &state, &inode) == 4 &&
		    port == w->target.at.tcp && (from == 0 || from == other) && state != 0x0a &&
		    inode != 0)
			n++;
	fclose(f);
	return n;
}

static inline int crew_sockets_held(const struct crew *w)
{
	return crew_sockets_from(w, 0);
}

/* Whether it still holds its end of a socket of ours. */
static inline bool crew_is_held(const struct crew *w, int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	crew_must(getsockname(fd, (struct sockaddr *)&a, &len) == 0, "getsockname");
	return crew_sockets_from(w, ntohs(a.sin_port)) > 0;
}

/* Processor time that it has used, in clock ticks. */
static inline long crew_ticks(const struct crew *w)
{
	unsigned long user = 0, system = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)w->pid);
	f = fopen(path, "r");
	if (f == NULL)
		return -1;
	if (fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &system) != 2)
		user = system = 0;
	fclose(f);
	return (long)(user + system);
}

/* --- bare sockets ------------------------------------------------------------------------- */

/* A connection to the target; -1 if there is none.  rcvbuf 0: the system's own. */
static inline int crew_connect(const struct crew *w, int rcvbuf)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(w->target.at.tcp) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	crew_must(fd >= 0, "socket");
	memcpy(&a.sin_addr, w->target.at.ip.b + 12, 4);
	crew_must(a.sin_addr.s_addr == htonl(INADDR_LOOPBACK), "loopback only");
	if (rcvbuf > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline void crew_shout(int fd, const void *data, size_t len)
{
	(void)!send(fd, data, len, MSG_NOSIGNAL);
}

/* Wait for the end of a stream: the bytes that came before it, -1 if it did not end. */
static inline long crew_bytes_until_end(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t end = net_clock_ms() + CREW_PATIENCE_MS;
	long bytes = 0;
	uint8_t data[4096];

	while (net_clock_ms() < end) {
		ssize_t n;

		if (poll(&p, 1, 1000) <= 0)
			continue;
		n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return bytes;
		bytes += n > 0 ? n : 0;
	}
	return -1;
}

/* Keep a socket open until crew_let_go(). */
static inline int crew_hold(struct crew *w, int fd)
{
	crew_must(w->sockets < CREW_SOCKETS_MAX, "too many sockets");
	if (fd >= 0)
		w->socket[w->sockets++] = fd;
	return fd;
}

static inline void crew_let_go(struct crew *w)
{
	while (w->sockets > 0)
		close(w->socket[--w->sockets]);
}

/* --- peers -------------------------------------------------------------------------------- */

static inline struct rlpx_host *crew_host(struct crew *w)
{
	static const struct rlpx_capability shh = { "shh", 6, SHH_CODES };
	struct rlpx_host *host = NULL;
	struct seckey key;
	struct rlpx_config cfg = {
		.key = &key,
		.crypto = w->crypto,
		.mem = &w->mem,
		.rng = w->rng,
		.client = "sotto/attack",
		.version = 5,
		.caps = &shh,
		.cap_count = 1,
	};

	crew_must(seckey_generate(w->crypto, &key, &w->rng) == OK &&
			  rlpx_host_new(&host, &cfg, net_clock_ms()) == OK,
		  "host");
	return host;
}

/* Somebody new, who has said auth; NULL if there was no connection. */
static inline struct crew_peer *crew_join(struct crew *w, bool plain, int rcvbuf)
{
	struct crew_peer *p;
	int fd = crew_connect(w, rcvbuf);
	size_t i = 0;

	if (fd < 0)
		return NULL;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	p = calloc(1, sizeof(*p));
	while (i < CREW_PEERS_MAX && w->peer[i] != NULL)
		i++;
	crew_must(p != NULL && i < CREW_PEERS_MAX, "too many peers");
	p->fd = fd;
	p->host = crew_host(w);
	p->reason = RLPX_REASON_UNKNOWN;
	crew_must(rlpx_dial(&p->conn, p->host, &w->target.id, plain, net_clock_ms()) == OK, "dial");
	w->peer[i] = p;
	return p;
}

static inline void crew_leave(struct crew *w, struct crew_peer *p)
{
	for (size_t i = 0; i < CREW_PEERS_MAX; i++)
		if (w->peer[i] == p)
			w->peer[i] = NULL;
	close(p->fd);
	rlpx_free(p->conn);
	rlpx_host_free(p->host);
	free(p);
}

static inline void crew_all_leave(struct crew *w)
{
	for (size_t i = 0; i < CREW_PEERS_MAX; i++)
		if (w->peer[i] != NULL)
			crew_leave(w, w->peer[i]);
}

/* Queue a packet of shh; false if it cannot be sent now. */
static inline bool crew_say(struct crew *w, struct crew_peer *p, uint32_t code, const void *data,
			    size_t len)
{
	struct blob *b;

	crew_must(blob_new(&b, &w->mem, MEM_SEND, len) == OK, "blob");
	memcpy(b->data, data, len);
	if (rlpx_send(p->conn, 0, code, b) == OK)
		return true;
	blob_unref(b);
	return false;
}

static inline void crew_event(struct crew *w, struct crew_peer *p, const struct rlpx_event *ev)
{
	const struct shh_status st = { .form = SHH_STATUS_FOUR };
	uint8_t packet[SHH_STATUS_MAX];
	const struct span *got = &ev->u.message.payload;

	switch (ev->type) {
	case RLPX_IDENTIFIED:
		p->identified = true;
		p->conn->hello_due = p->conn->hello_due && !p->bare;
		break;
	case RLPX_HELLO:
		p->open = true;
		if (!p->wordless && !p->bare)
			crew_say(w, p, SHH_STATUS, packet,
				 shh_status_write(packet, sizeof(packet), &st));
		break;
	case RLPX_MESSAGE:
		p->ready = p->ready || ev->u.message.code == SHH_STATUS;
		if (p->mark != NULL && ev->u.message.code == SHH_MESSAGES &&
		    memmem(got->data, got->len, p->mark, CREW_MARK) != NULL)
			p->found = true;
		break;
	case RLPX_CLOSED:
		p->over = true;
		if (ev->u.closed.by_peer)
			p->reason = ev->u.closed.reason;
		break;
	}
}

static inline void crew_poll(struct crew *w, struct crew_peer *p)
{
	struct rlpx_event ev;

	while (rlpx_poll(p->conn, &ev))
		crew_event(w, p, &ev);
}

static inline void crew_read(struct crew *w, struct crew_peer *p)
{
	static uint8_t data[65536];
	ssize_t n = recv(p->fd, data, sizeof(data), MSG_DONTWAIT);
	size_t at = 0, taken;
	enum err e = OK;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		rlpx_stream_ended(p->conn, net_clock_ms());
	while (n > 0 && at < (size_t)n && e == OK) {
		e = rlpx_recv(p->conn, &taken, data + at, (size_t)n - at, net_clock_ms());
		at += taken;
		crew_poll(w, p);
	}
	crew_poll(w, p);
	p->over = p->over || n <= 0;
}

static inline void crew_write(struct crew_peer *p)
{
	const uint8_t *out;
	size_t len;

	rlpx_seal_many(&p->conn, 1, net_clock_ms());
	while ((len = rlpx_output(p->conn, &out)) > 0) {
		ssize_t n = send(p->fd, out, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n <= 0)
			return;
		rlpx_output_taken(p->conn, (size_t)n, net_clock_ms());
		rlpx_seal_many(&p->conn, 1, net_clock_ms());
	}
}

/* Let everybody read and write once, after at most ms of waiting. */
static inline void crew_turn(struct crew *w, int ms)
{
	struct pollfd fds[CREW_PEERS_MAX];
	const uint8_t *out;

	for (size_t i = 0; i < CREW_PEERS_MAX; i++) {
		struct crew_peer *p = w->peer[i];

		fds[i] = (struct pollfd){ .fd = -1 };
		if (p == NULL || p->over)
			continue;
		if (!p->mute)
			crew_write(p);
		fds[i].fd = p->fd;
		fds[i].events = (short)((p->deaf ? 0 : POLLIN) |
					(!p->mute && rlpx_output(p->conn, &out) > 0 ? POLLOUT : 0));
	}
	poll(fds, CREW_PEERS_MAX, ms);
	for (size_t i = 0; i < CREW_PEERS_MAX; i++) {
		struct crew_peer *p = w->peer[i];

		if (p == NULL || p->over || fds[i].fd != p->fd)
			continue;
		if (!p->deaf && (fds[i].revents & (POLLIN | POLLHUP | POLLERR)))
			crew_read(w, p);
		if (p->deaf && (fds[i].revents & (POLLHUP | POLLERR)))
			p->over = true;
		if (!p->mute && !p->over)
			crew_write(p);
	}
}

/* Turn until a peer's fact is there, or it is over; whether the fact is. */
static inline bool crew_until(struct crew *w, const struct crew_peer *p, const bool *fact)
{
	uint64_t end = net_clock_ms() + CREW_PATIENCE_MS;

	while (!*fact && !p->over && net_clock_ms() < end)
		crew_turn(w, 50);
	return *fact;
}

/* Turn until it is over; whether it is. */
static inline bool crew_until_over(struct crew *w, struct crew_peer *p)
{
	return crew_until(w, p, &p->over);
}

/* Somebody new whose Status was exchanged, tried again while the door is busy. */
static inline struct crew_peer *crew_befriend(struct crew *w, int rcvbuf)
{
	uint64_t end = net_clock_ms() + CREW_PATIENCE_MS;

	while (net_clock_ms() < end) {
		struct crew_peer *p = crew_join(w, false, rcvbuf);

		if (p != NULL && crew_until(w, p, &p->ready))
			return p;
		if (p != NULL)
			crew_leave(w, p);
		w->refused++;
		crew_turn(w, 50);
	}
	return NULL;
}

/* --- bad manners with the right keys -------------------------------------------------------- */

/* Seal any body as p's next frame and write the first `cut' bytes of it (0: all).
 * What RLPx has to say must be out already. */
static inline void crew_inject(struct crew *w, struct crew_peer *p, const void *body, size_t size,
			       size_t cut)
{
	size_t len = FRAME_HEADER + rlpx__frame_padded(size) + FRAME_MAC, at = 0;
	uint8_t *frame = calloc(1, len);
	struct rlpx__seal_job job = { &p->conn->frames, frame, size };
	struct pollfd fd = { .fd = p->fd, .events = POLLOUT };

	crew_must(frame != NULL, "memory");
	if (body != NULL)
		memcpy(frame + FRAME_HEADER, body, size);
	rlpx__seal_frames(&job, 1);
	if (cut > 0 && cut < len)
		len = cut;
	while (at < len && poll(&fd, 1, CREW_PATIENCE_MS) > 0) {
		ssize_t n = send(p->fd, frame + at, len - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			break;
		at += n > 0 ? (size_t)n : 0;
		if (!p->deaf)
			crew_turn(w, 0);
	}
	free(frame);
}

/* --- messages ------------------------------------------------------------------------------- */

struct crew_letter {
	int64_t born_s; /* from now */
	uint32_t ttl_s;
	unsigned bits; /* at least, single digest */
	uint64_t nonce_from;
	struct span data;
};

static inline uint64_t crew_wall_s(void)
{
	return (net_clock_ms() + (uint64_t)net_wall_offset_ms()) / 1000;
}

/* One envelope; its length, and the nonce that was found. */
static inline size_t crew_envelope(uint8_t *out, size_t max, const struct crew_letter *l,
				   uint64_t expiry, uint64_t *nonce)
{
	static const struct shh_topic topic = { { 1, 2, 3, 4 } };
	size_t len = shh_content_size(expiry, l->ttl_s, l->data.len, l->data.data);
	uint8_t *content = malloc(len);
	uint64_t n = l->nonce_from;
	struct span c;

	crew_must(content != NULL && len + 20 <= max, "room for an envelope");
	len = shh_content_write(content, len, expiry, l->ttl_s, topic, l->data);
	c = span_of(content, len);
	while (shh_work_bits(c, n, SHH_DIGEST_SINGLE) < l->bits)
		n++;
	len = shh_envelope_write(out, c, n);
	free(content);
	if (nonce != NULL)
		*nonce = n;
	return len;
}

/* A Messages packet of one letter, sent. */
static inline bool crew_post(struct crew *w, struct crew_peer *p, const struct crew_letter *l)
{
	size_t max = l->data.len + 256;
	uint8_t *env = malloc(max), *packet = malloc(max + 16);
	struct rlp_writer wr = rlp_writer_init(packet, max + 16);
	bool sent;
	size_t len;

	crew_must(env != NULL && packet != NULL, "memory");
	len = crew_envelope(env, max, l, (uint64_t)((int64_t)crew_wall_s() + l->born_s) + l->ttl_s,
			    NULL);
	rlp_write_list(&wr, len);
	rlp_write_raw(&wr, env, len);
	sent = crew_say(w, p, SHH_MESSAGES, packet, wr.len);
	free(env);
	free(packet);
	return sent;
}

/* --- life ------------------------------------------------------------------------------------ */

static inline void crew_init(struct crew *w, pid_t pid, const char *url)
{
	const char *why;

	memset(w, 0, sizeof(*w));
	w->pid = pid;
	w->rng = net_rng();
	mem_init(&w->mem);
	crew_must(crypto_new(&w->crypto, &w->rng) == OK &&
			  enode_parse(&w->target, url, w->crypto, &why) == OK &&
			  w->target.has_endpoint && ip_is4(&w->target.at.ip),
		  "enode URL");
}

static inline void crew_free(struct crew *w)
{
	crew_let_go(w);
	crew_all_leave(w);
	crypto_free(w->crypto);
}

#endif /* TESTS_CREW_H */
