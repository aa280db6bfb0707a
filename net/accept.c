/* SPDX-License-Identifier: MIT */
/* net/accept.c - listeners: open, take, and rest when the system is out of
 * descriptors (hardening P7).
 */
#include "net/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- addresses ------------------------------------------------------------------ */

unsigned net__sockaddr(struct sockaddr_storage *out, const struct endpoint *e)
{
	memset(out, 0, sizeof(*out));
	if (ip_is4(&e->ip)) {
		struct sockaddr_in *a = (struct sockaddr_in *)out;

		a->sin_family = AF_INET;
		a->sin_port = htons(e->tcp);
		memcpy(&a->sin_addr, e->ip.b + 12, 4);
		return sizeof(*a);
	} else {
		struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;

		a->sin6_family = AF_INET6;
		a->sin6_port = htons(e->tcp);
		memcpy(&a->sin6_addr, e->ip.b, 16); /* all zero: any address */
		return sizeof(*a);
	}
}

struct endpoint net__endpoint(const struct sockaddr_storage *from)
{
	struct endpoint e;
	uint8_t b[16];

	memset(&e, 0, sizeof(e));
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)from;

		memcpy(b, &a->sin_addr, 4);
		e.ip = ip_from4(b);
		e.tcp = ntohs(a->sin_port);
	} else if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)from;

		memcpy(b, &a->sin6_addr, 16);
		e.ip = ip_from6(b);
		e.tcp = ntohs(a->sin6_port);
	}
	return e;
}

int net__socket(const struct ip *ip)
{
	return socket(ip_is4(ip) ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      0);
}

void net__tune(int fd)
{
	int one = 1, unsent = NET__UNSENT;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

/* --- opening -------------------------------------------------------------------- */

static void say_why(char why[static NET_WHY_MAX], const struct endpoint *at)
{
	char text[ENDPOINT_TEXT_MAX];
	int error = errno;

	endpoint_text(text, at);
	snprintf(why, NET_WHY_MAX, "%s cannot be listened on: %s", text, strerror(error));
	errno = error;
}

/* "::" asks for every address of both families. */
static bool is_any(const struct ip *ip)
{
	static const struct ip any;

	return ip_eq(ip, &any);
}

static int open_listener(const struct endpoint *at)
{
	struct sockaddr_storage a;
	unsigned len = net__sockaddr(&a, at);
	bool any = is_any(&at->ip);
	int one = 1, only = !any;
	int fd = net__socket(&at->ip), saved;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    (ip_is4(&at->ip) ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) == 0) &&
	    bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int open_any(struct endpoint *at)
{
	static const uint8_t zero[4];
	int fd = open_listener(at);

	if (fd >= 0 || !is_any(&at->ip))
		return fd;
	if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
		return -1;
	at->ip = ip_from4(zero); /* a system without IPv6 */
	return open_listener(at);
}

enum err net__listen(struct net *net, char why[static NET_WHY_MAX])
{
	struct listeners *ls = &net->listeners;

	for (size_t i = 0; i < net->cfg.listen_count; i++) {
		struct listener *l = &ls->l[i];
		struct sockaddr_storage a;
		socklen_t len = sizeof(a);

		l->net = net;
		l->at = net->listen[i];
		l->fd = open_any(&l->at);
		if (l->fd < 0) {
			say_why(why, &l->at);
			return errno == EADDRINUSE	? ERR_EXISTS
			       : errno == EADDRNOTAVAIL ? ERR_NOT_FOUND
							: ERR_IO;
		}
		ls->count = i + 1;
		if (getsockname(l->fd, (struct sockaddr *)&a, &len) == 0)
			l->at.tcp = net__endpoint(&a).tcp;
	}
	if (ls->count > 0)
		ls->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return OK;
}

struct endpoint net_listening(const struct net *net, size_t i)
{
	return net->listeners.l[i].at;
}

static void listener_ready(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	l->ready = true;
}

enum err net__listeners_start(struct net *net)
{
	struct listeners *ls = &net->listeners;

	for (size_t i = 0; i < ls->count; i++) {
		struct listener *l = &ls->l[i];

		if (event_assign(&l->ev, net->base, l->fd, EV_READ | EV_PERSIST, listener_ready,
				 l) != 0 ||
		    event_add(&l->ev, NULL) != 0)
			return ERR_IO;
	}
	return OK;
}

void net__listeners_close(struct net *net)
{
	struct listeners *ls = &net->listeners;

	for (size_t i = 0; i < ls->count; i++) {
		if (ls->l[i].ev.ev_base != NULL)
			event_del(&ls->l[i].ev);
		close(ls->l[i].fd);
		ls->l[i].ready = false;
	}
	ls->count = 0;
	ls->resume_ms = UINT64_MAX;
	if (ls->reserve >= 0)
		close(ls->reserve);
	ls->reserve = -1;
}

/* --- taking ---------------------------------------------------------------------- */

/* No descriptor left: give up the reserve to turn one caller away, so that the
 * queue moves, and look the other way for a while. */
static void rest(struct net *net, int fd)
{
	struct listeners *ls = &net->listeners;
	int error = errno;

	net->stats.accept_pauses++;
	if (ls->reserve >= 0) {
		int guest;

		close(ls->reserve);
		guest = accept(fd, NULL, NULL);
		if (guest >= 0)
			close(guest);
		ls->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	for (size_t i = 0; i < ls->count; i++) {
		event_del(&ls->l[i].ev);
		ls->l[i].ready = false;
	}
	ls->resume_ms = time_add(net->now_ms, NET__ACCEPT_REST_MS);
	if (ls->warned_ms != 0 && net->now_ms - ls->warned_ms < 1000)
		return;
	ls->warned_ms = net->now_ms;
	log_line(&net->log, LOG_WARN, "accept_paused for_ms=%d why=\"%s\"", NET__ACCEPT_REST_MS,
		 strerror(error));
}

static void take(struct net *net, int fd, const struct sockaddr_storage *from)
{
	struct endpoint e = net__endpoint(from);
	uint32_t link;
	enum err err = node_accept(net->node, &link, &e, net->now_ms);

	if (err != OK) {
		close(fd); /* without a byte */
		return;
	}
	net->stats.accepted++;
	net__tune(fd);
	if (net__wire_accepted(net, link, fd) != OK)
		node_stream_ended(net->node, link, net->now_ms);
}

static void accept_from(struct net *net, struct listener *l)
{
	for (unsigned i = 0; i < NET__ACCEPT_TURN; i++) {
		struct sockaddr_storage a;
		socklen_t len = sizeof(a);
		int fd;

		memset(&a, 0, sizeof(a));
		fd = accept4(l->fd, (struct sockaddr *)&a, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take(net, fd, &a);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			rest(net, l->fd);
			return;
		}
		/* Anything else (ECONNABORTED, EINTR, EPROTO) was that caller's own trouble. */
	}
}

static void resume(struct net *net)
{
	struct listeners *ls = &net->listeners;

	ls->resume_ms = 0;
	for (size_t i = 0; i < ls->count; i++)
		if (event_add(&ls->l[i].ev, NULL) != 0)
			ls->resume_ms = time_add(net->now_ms, NET__ACCEPT_REST_MS);
}

void net__accept_turn(struct net *net)
{
	struct listeners *ls = &net->listeners;

	if (ls->resume_ms != 0) {
		if (net->now_ms >= ls->resume_ms)
			resume(net);
		return;
	}
	for (size_t i = 0; i < ls->count && ls->resume_ms == 0; i++) {
		if (!ls->l[i].ready)
			continue;
		ls->l[i].ready = false;
		accept_from(net, &ls->l[i]);
	}
}

uint64_t net__accept_deadline(const struct net *net)
{
	return net->listeners.resume_ms != 0 ? net->listeners.resume_ms : UINT64_MAX;
}
