/* SPDX-License-Identifier: MIT */
/* net/inside.h - what the files of this folder share: the loop's state.
 *
 * libevent's callbacks only take notes; everything else happens in the turn
 * that follows (net.c), so that the clock is read once and nothing is freed
 * under a caller.
 */
#ifndef NET_INSIDE_H
#define NET_INSIDE_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "net/net.h"
#include "net/workers.h"

#define NET__BUFFER	    (256u * 1024)		  /* the shared read buffer */
#define NET__READ_MIN	    (16u * 1024)		  /* a link's share of it, at least */
#define NET__TOGETHER	    (NET__BUFFER / NET__READ_MIN) /* links fed side by side */
#define NET__REST_SOFT	    (8u << 20) /* bytes waiting for paused links; above: small reads only */
#define NET__LINKS_MAX	    65536      /* link numbers; a node counts its own from 0 */
#define NET__UNSENT	    (256 * 1024) /* bytes that a socket may hold unsent; more: it is full */
#define NET__ACCEPT_TURN    64		 /* connections taken from a listener in one turn */
#define NET__ACCEPT_REST_MS 200		 /* hardening P7 */
#define NET__PRESSURE_MS    1000	 /* how long one such turn makes peers' budgets bind */
#define NET__SLOW_MS	    50		 /* a turn this long is logged and counted, hardening §3 */
#define NET__WALL_JUMP_MS   50		 /* a wall clock that moved so far was set, not read late */

struct wire; /* one socket of a link: wires.c */

struct wire_list {
	struct wire *head, **tail;
};

struct wires {
	struct wire **at;	/* by link; NULL: none */
	uint32_t room;		/* of at */
	struct wire_list ready; /* something to do in the next turn */
	size_t rest_bytes;	/* kept for paused links */
	uint8_t *buffer;	/* NET__BUFFER */
};

struct listener {
	struct net *net;
	struct event ev;
	struct endpoint at;
	int fd;
	bool ready;
};

struct listeners {
	struct listener l[NET_LISTEN_MAX];
	size_t count;
	int reserve;	    /* a descriptor to give up when there is no other */
	uint64_t resume_ms; /* 0: accepting; else when to again; UINT64_MAX: never */
	uint64_t warned_ms;
};

struct timer {
	uint32_t id; /* 0: free */
	uint64_t at_ms;
	void (*fn)(void *ctx, uint64_t now_ms);
	void *ctx;
};

struct lines {
	int fd;	   /* -1: none */
	int flags; /* as they were before */
	struct event ev;
	bool polled; /* a file: always ready, not to be waited for */
	bool ready;
	bool skipping; /* the rest of a line that was cut */
	char *text;
	size_t len, max;
	void (*line)(void *ctx, const char *text, size_t len, uint64_t now_ms);
	void *ctx;
};

struct net {
	struct net_config cfg;
	struct endpoint listen[NET_LISTEN_MAX];
	struct log log;
	struct node *node;
	struct event_base *base;
	int alarm_fd;
	struct event alarm;  /* the one timer */
	uint64_t alarm_ms;   /* when it rings; UINT64_MAX: not armed */
	struct event worker; /* results wait */
	struct event signal[2];
	bool signals_on;
	bool results_ready;
	struct workers *workers;
	struct wires wires;
	struct listeners listeners;
	struct timer timers[NET_TIMERS_MAX];
	uint32_t last_timer;
	struct lines lines;
	uint64_t now_ms;
	int64_t wall_ms; /* offset the node was told */
	uint64_t wall_checked_ms;
	uint64_t slow_warned_ms;
	uint64_t slow_until_ms;
	bool pressure;
	uint64_t stop_ms; /* net_stop(): when to leave, whatever happens; 0: not stopping */
	bool stopped;	  /* NODE_EV_STOPPED came */
	bool leave;	  /* net_break() */
	bool again;	  /* more to do at once: do not sleep */
	struct net_stats stats;
};

/* --- wires.c: the sockets of links ------------------------------------------ */

MUST_CHECK enum err net__wires_init(struct net *net);
void net__wires_close(struct net *net);

/* A socket that was accepted is a link now. errors ERR_MEM, and fd is closed */
MUST_CHECK enum err net__wire_accepted(struct net *net, uint32_t link, int fd);

/* NODE_EV_DIAL, _CLOSE, _PAUSE, _RESUME. */
void net__wire_dial(struct net *net, uint32_t link, const struct endpoint *to);
void net__wire_end(struct net *net, uint32_t link);
void net__wire_pause(struct net *net, uint32_t link);
void net__wire_resume(struct net *net, uint32_t link);

/* Feed the node what the ready sockets hold. */
void net__wires_read(struct net *net);
/* Hand what the node lends to the sockets; false if there was nothing. */
bool net__wires_write(struct net *net);

/* --- accept.c: listeners ------------------------------------------------------- */

MUST_CHECK enum err net__listen(struct net *net, char why[static NET_WHY_MAX]);
MUST_CHECK enum err net__listeners_start(struct net *net);
void net__listeners_close(struct net *net);
void net__accept_turn(struct net *net);
uint64_t net__accept_deadline(const struct net *net);

/* A socket for that address, not blocking. -1 with errno */
int net__socket(const struct ip *ip);
/* Send at once, and keep little in the system: what waits there cannot be
 * overtaken by a Pong. */
void net__tune(int fd);
/* The system's form of an address, and back (mapped IPv4 folded). */
struct sockaddr_storage;
unsigned net__sockaddr(struct sockaddr_storage *out, const struct endpoint *e);
struct endpoint net__endpoint(const struct sockaddr_storage *a);

/* --- timers.c ------------------------------------------------------------------- */

void net__timers_due(struct net *net);
uint64_t net__timers_deadline(const struct net *net);

/* --- lines.c --------------------------------------------------------------------- */

void net__lines_turn(struct net *net);
void net__lines_close(struct net *net);

#endif /* NET_INSIDE_H */
