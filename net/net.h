/* SPDX-License-Identifier: MIT */
/* net/net.h - the driver: gives a node sockets, timers, workers, signals and the
 * clock.  The only folder that names libevent.
 *
 * One thread runs the loop and every machine; workers run jobs and give results
 * back over a queue.  A wake of the loop is one turn: sample the clock, read
 * each ready socket once, feed, drain, write each waiting link, arm one timer.
 *
 * Life: net_new() opens the listeners, so that a refused address is known before
 * anything else is made; net_attach() gives it the node; net_run() runs.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "node/node.h"

#define NET_LISTEN_MAX	8  /* addresses to accept on */
#define NET_TIMERS_MAX	64 /* net_timer() calls waiting; full: 0 is returned */
#define NET_WORKERS_MAX 8
#define NET_WORK_MAX	64   /* net_work() calls waiting or running; full: ERR_FULL */
#define NET_WHY_MAX	256  /* bytes of a reason */
#define NET_STOP_MS	4000 /* net_run() returns so long after net_stop(), whatever happens */

struct net;

struct net_config {
	struct node *node; /* borrowed; NULL until net_attach() */
	struct log log;
	/* Addresses to accept on.  tcp port 0: any free one; "::": every address of
	 * both families, or of IPv4 alone where there is no IPv6. */
	const struct endpoint *listen;
	size_t listen_count; /* 0: dial only */
	unsigned workers;    /* 0: as many as cores, at most NET_WORKERS_MAX */
	bool handle_signals; /* SIGTERM and SIGINT stop in order, a second one at once */
	/* Everything the node says that is not for the wire; called from the loop,
	 * free to call node_, shh_ and net_ commands.  May be NULL. */
	void (*event)(void *ctx, const struct node_event *ev, uint64_t now_ms);
	void *ctx;
};

/* Open the sockets.
 *
 * cfg      copied
 * why      on error: the address and the system's reason, one line
 * errors   ERR_EXISTS if an address is in use; ERR_NOT_FOUND if it is none of this
 *          machine; ERR_IO; ERR_MEM; ERR_ARG if listen_count is above NET_LISTEN_MAX
 */
MUST_CHECK enum err net_new(struct net **out, const struct net_config *cfg,
			    char why[static NET_WHY_MAX]);

/* The node to drive, once, before net_run(); borrowed until net_free(). */
void net_attach(struct net *net, struct node *node);

/* Close everything; the node is freed after it.  NULL is allowed.
 *
 * returns  false if a worker had to be left behind, which the system holds for
 *          longer than 1 s (a name being looked up): what it was given must stay
 */
bool net_free(struct net *net);

/* Where listener i really listens. */
struct endpoint net_listening(const struct net *net, size_t i);

/* Run until the node has stopped.  errors ERR_IO if the loop itself failed. */
MUST_CHECK enum err net_run(struct net *net);

/* Ask the node to stop and let net_run() return after it did, NET_STOP_MS at most. */
void net_stop(struct net *net);

/* Leave net_run() at once, in the middle of anything (a probe that has its answer). */
void net_break(struct net *net);

/* Call back once after a time, from the loop; returns 0 or a handle to cancel. */
uint32_t net_timer(struct net *net, uint64_t after_ms, void (*fn)(void *ctx, uint64_t now_ms),
		   void *ctx);
void net_timer_cancel(struct net *net, uint32_t timer);

/* Lines from a file descriptor (standard input of a test or a bot), without their
 * end; NULL at end of file; lines past max bytes are cut.  One descriptor at a
 * time.  It is set to non-blocking.
 *
 * errors   ERR_STATE if one is being read already; ERR_MEM; ERR_IO
 */
MUST_CHECK enum err net_lines(struct net *net, int fd, size_t max,
			      void (*line)(void *ctx, const char *text, size_t len,
					   uint64_t now_ms),
			      void *ctx);

/* Run fn on a worker, then done on the loop (key derivation, names to look up).
 * done is not called any more once net_free() was.
 *
 * errors   ERR_FULL past NET_WORK_MAX; ERR_MEM, ERR_IO if no thread can be made
 */
MUST_CHECK enum err net_work(struct net *net, void (*fn)(void *arg),
			     void (*done)(void *arg, uint64_t now_ms), void *arg);

uint64_t net_now_ms(const struct net *net);

struct net_stats {
	uint64_t turns;	     /* wakes of the loop */
	uint64_t slow_turns; /* longer than 50 ms */
	uint64_t reads, writes;
	uint64_t accepted, accept_pauses; /* pauses: no descriptor left (hardening P7) */
	uint64_t jobs;
};
void net_stats(const struct net *net, struct net_stats *out);

/* The clock and the system's random bytes, for whoever makes a node before its net. */
uint64_t net_clock_ms(void);	  /* monotonic */
int64_t net_wall_offset_ms(void); /* wall clock minus monotonic, now */
struct rng net_rng(void);	  /* getrandom(2) */

#endif /* NET_NET_H */
