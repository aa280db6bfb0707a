/* SPDX-License-Identifier: MIT */
/* net/net.h - the driver: gives a node sockets, timers, workers, signals and the
 * clock.  The only folder that names libevent.
 *
 * One thread runs the loop and every machine; workers run jobs and give results
 * back over a queue.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "node/node.h"

struct net;

struct net_config {
	struct node *node;           /* borrowed */
	struct log log;
	const struct endpoint *listen; /* addresses to accept on; tcp port 0: any free one */
	size_t listen_count;         /* 0: dial only */
	unsigned workers;            /* 0: as many as cores, at most 8 */
	bool handle_signals;         /* SIGTERM and SIGINT stop in order, a second one at once */
	/* Everything the node says that is not for the wire; called from the loop,
	 * free to call node_ and shh_ commands.  May be NULL. */
	void (*event)(void *ctx, const struct node_event *ev, uint64_t now_ms);
	void *ctx;
};

/* Open the sockets.
 *
 * why      set to a static or thread-local text that names the address and the
 *          system's reason on ERR_IO
 * errors   ERR_IO; ERR_MEM
 */
MUST_CHECK enum err net_new(struct net **out, const struct net_config *cfg, const char **why);
void net_free(struct net *net);

/* Where listener i really listens. */
struct endpoint net_listening(const struct net *net, size_t i);

/* Run until the node has stopped.  errors ERR_IO if the loop itself failed. */
MUST_CHECK enum err net_run(struct net *net);

/* Ask the node to stop and let net_run() return after it did. */
void net_stop(struct net *net);

/* Leave net_run() at once, in the middle of anything (a probe that has its answer). */
void net_break(struct net *net);

/* Call back once after a time, from the loop; returns 0 or a handle to cancel.
 * At most NET_TIMERS_MAX wait; full: 0. */
#define NET_TIMERS_MAX 64
uint32_t net_timer(struct net *net, uint64_t after_ms, void (*fn)(void *ctx, uint64_t now_ms), void *ctx);
void net_timer_cancel(struct net *net, uint32_t timer);

/* Lines from a file descriptor (standard input of a test or a bot), without their
 * end; NULL at end of file; lines past max bytes are cut.  One at a time. */
MUST_CHECK enum err net_lines(struct net *net, int fd, size_t max,
			      void (*line)(void *ctx, const char *text, size_t len, uint64_t now_ms), void *ctx);

/* Run fn on a worker, then done on the loop (key derivation and the like). ERR_FULL past 64. */
MUST_CHECK enum err net_work(struct net *net, void (*fn)(void *arg), void (*done)(void *arg, uint64_t now_ms), void *arg);

uint64_t net_now_ms(const struct net *net);

/* The clock and the system's random bytes, for whoever makes a node before its net. */
uint64_t net_clock_ms(void);        /* monotonic */
int64_t net_wall_offset_ms(void);   /* wall clock minus monotonic, now */
struct rng net_rng(void);           /* getrandom(2) */

#endif /* NET_NET_H */
