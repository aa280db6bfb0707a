/* SPDX-License-Identifier: MIT */
/* cmd/probe.h - how far a connection to one peer got, when, and why no further:
 * what hello, send and listen have in common. */
#ifndef CMD_PROBE_H
#define CMD_PROBE_H

#include "cmd/session.h"

enum { PROBE_STEPS = 4 }; /* enum node_step */

struct probe {
	struct session session;
	struct enode peer;
	const char *what; /* "--peer" or "ENODE", for complaints */
	const char *text; /* as it was typed */
	uint64_t began_ns;
	uint64_t at_ns[PROBE_STEPS]; /* of enum node_step; 0: not reached */
	uint32_t link;		     /* valid while ready */
	bool ready;		     /* Status was exchanged, and the link is up */
	bool was_ready;		     /* at least once */
	bool down;		     /* it ended before: code and why say how */
	int code;
	char why[256];
};

uint64_t probe_clock_ns(void);

/* For session_plan.check: read the peer. */
int probe_check(struct probe *p, struct session *s);

/* Begin: join the peer.  A host name that is not to be found ends as if it could
 * not be dialled. */
void probe_begin(struct probe *p, unsigned kinds);

/* Note what an event tells; true if it made the link ready, or ended it (look at
 * p->ready).  Once down before it was ever ready, code and why are set. */
bool probe_event(struct probe *p, const struct node_event *ev);

/* Nothing came in time: set code and why by the step that was waited for. */
void probe_late(struct probe *p);

#endif /* CMD_PROBE_H */
