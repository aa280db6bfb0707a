/* SPDX-License-Identifier: MIT */
/* net/lines.c - lines of text from a descriptor: a pipe, a terminal, a file. */
#include "net/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static void lines_ready(evutil_socket_t fd, short what, void *arg)
{
	struct lines *l = arg;

	(void)fd;
	(void)what;
	l->ready = true;
}

/* epoll knows no files (EPERM): they never block, so they are read in turns. */
static bool can_be_waited_for(int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int probe = epoll_create1(EPOLL_CLOEXEC);
	bool can = probe >= 0 && epoll_ctl(probe, EPOLL_CTL_ADD, fd, &ev) == 0;

	if (probe >= 0)
		close(probe);
	return can;
}

enum err net_lines(struct net *net, int fd, size_t max,
		   void (*line)(void *ctx, const char *text, size_t len, uint64_t now_ms),
		   void *ctx)
{
	struct lines *l = &net->lines;
	int flags = fcntl(fd, F_GETFL);

	if (l->fd >= 0)
		return ERR_STATE;
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return ERR_IO;
	l->text = malloc(max + 1);
	if (l->text == NULL)
		return ERR_MEM;
	l->fd = fd;
	l->flags = flags; /* a terminal's are its shell's as well */
	l->max = max;
	l->len = 0;
	l->skipping = false;
	l->line = line;
	l->ctx = ctx;
	l->polled =
		!can_be_waited_for(fd) ||
		event_assign(&l->ev, net->base, fd, EV_READ | EV_PERSIST, lines_ready, l) != 0 ||
		event_add(&l->ev, NULL) != 0;
	l->ready = l->polled;
	net->again = net->again || l->polled;
	return OK;
}

void net__lines_close(struct net *net)
{
	struct lines *l = &net->lines;

	if (l->fd < 0)
		return;
	if (!l->polled)
		event_del(&l->ev);
	(void)fcntl(l->fd, F_SETFL, l->flags);
	free(l->text);
	l->text = NULL;
	l->fd = -1;
}

/* Hand on every whole line; the callback may not end the reading. */
static void give_lines(struct net *net)
{
	struct lines *l = &net->lines;
	size_t start = 0;

	for (size_t i = 0; i < l->len; i++) {
		if (l->text[i] != '\n')
			continue;
		l->text[i] = '\0';
		if (!l->skipping)
			l->line(l->ctx, l->text + start, i - start, net->now_ms);
		l->skipping = false;
		start = i + 1;
	}
	l->len -= start;
	memmove(l->text, l->text + start, l->len);
	if (l->len < l->max)
		return;
	l->text[l->len] = '\0';
	if (!l->skipping)
		l->line(l->ctx, l->text, l->len, net->now_ms);
	l->skipping = true; /* the rest of it is dropped */
	l->len = 0;
}

static void end_of_lines(struct net *net)
{
	struct lines *l = &net->lines;
	void (*line)(void *ctx, const char *text, size_t len, uint64_t now_ms) = l->line;

	l->text[l->len] = '\0';
	if (l->len > 0 && !l->skipping)
		line(l->ctx, l->text, l->len, net->now_ms);
	net__lines_close(net);
	line(l->ctx, NULL, 0, net->now_ms);
}

void net__lines_turn(struct net *net)
{
	struct lines *l = &net->lines;
	ssize_t n;

	if (l->fd < 0 || !l->ready)
		return;
	l->ready = l->polled;
	n = read(l->fd, l->text + l->len, l->max - l->len);
	if (n > 0) {
		l->len += (size_t)n;
		give_lines(net);
		net->again = net->again || l->polled;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		end_of_lines(net);
	}
}
