/* SPDX-License-Identifier: MIT */
/* cmd/probe.c - how far a connection got. */
#include "cmd/probe.h"

#include <stdio.h>
#include <time.h>

#include "cmd/options.h"
#include "cmd/process.h"

uint64_t probe_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int probe_check(struct probe *p, struct session *s)
{
	char why[PEERS_WHY_MAX];

	if (peer_read(&p->peer, p->what, p->text, false, s->crypto, why) == OK)
		return EXIT_OK;
	return fail(s->set, EXIT_USAGE, "%s", why);
}

/* What was to come next when it ended, and the exit code of that. */
static int code_of_step(const struct probe *p, const char **step)
{
	static const struct {
		const char *step;
		int code;
	} of[PROBE_STEPS + 1] = {
		{ "cannot be dialled", EXIT_DIAL },
		{ "the handshake failed", EXIT_HANDSHAKE },
		{ "no acceptable Hello came", EXIT_HELLO },
		{ "no acceptable Status came", EXIT_STATUS },
		{ "the connection was lost", EXIT_STATUS },
	};
	size_t reached = 0;

	while (reached < PROBE_STEPS && p->at_ns[reached] != 0)
		reached++;
	*step = of[reached].step;
	return of[reached].code;
}

static void leave(void *ctx, uint64_t now_ms)
{
	struct probe *p = ctx;

	(void)now_ms;
	net_break(p->session.net);
}

/* The loop may not run yet, so it is left from inside. */
static void join_failed(void *ctx, const char *why)
{
	struct probe *p = ctx;

	p->down = true;
	p->code = EXIT_DIAL;
	snprintf(p->why, sizeof(p->why), "cannot be dialled: %s", why);
	net_timer(p->session.net, 0, leave, p);
}

void probe_begin(struct probe *p, unsigned kinds)
{
	p->began_ns = probe_clock_ns();
	peer_join(&p->session, &p->peer, kinds, join_failed, p);
}

/* Where to, and in which of the ways that a connect() can fail. */
static void not_dialled(struct probe *p, const char *step, enum err err)
{
	char at[128], address[ENDPOINT_TEXT_MAX];

	endpoint_text(address, &p->peer.at);
	if (p->peer.host[0] != '\0')
		snprintf(at, sizeof(at), "%.100s:%u", p->peer.host, p->peer.at.tcp);
	else
		snprintf(at, sizeof(at), "%s", address);
	if (err == ERR_CLOSED)
		snprintf(p->why, sizeof(p->why), "%s: nobody accepts connections at %s", step, at);
	else if (err == ERR_IO)
		snprintf(p->why, sizeof(p->why), "%s: there is no way to %s", step, at);
	else
		snprintf(p->why, sizeof(p->why), "%s: %s: %s", step, at, err_text(err));
}

static void ended(struct probe *p, const struct node_event *ev)
{
	const char *step;
	int code = code_of_step(p, &step);

	p->down = true;
	p->ready = false;
	p->code = code;
	if (ev->u.down.by_peer && ev->u.down.err == OK) {
		p->code = EXIT_DISCONNECT;
		if (ev->u.down.reason == RLPX_REASON_UNKNOWN)
			snprintf(p->why, sizeof(p->why), "it disconnected without a known reason");
		else
			snprintf(p->why, sizeof(p->why), "it disconnected: %s (0x%02x)",
				 rlpx_reason_text(ev->u.down.reason), ev->u.down.reason);
	} else if (ev->u.down.err == ERR_USELESS) {
		p->code = EXIT_USELESS;
		snprintf(p->why, sizeof(p->why), "no capability is shared, expected shh/6");
	} else if (code == EXIT_DIAL) {
		not_dialled(p, step, ev->u.down.err);
	} else {
		snprintf(p->why, sizeof(p->why), "%s: %s", step, err_text(ev->u.down.err));
	}
}

bool probe_event(struct probe *p, const struct node_event *ev)
{
	if (ev->type == NODE_EV_STEP) {
		if (ev->u.step.step == NODE_STEP_CONNECTED) /* a new link: its own steps */
			memset(p->at_ns, 0, sizeof(p->at_ns));
		p->at_ns[ev->u.step.step] = probe_clock_ns();
		if (ev->u.step.step != NODE_STEP_READY)
			return false;
		p->ready = p->was_ready = true;
		p->down = false;
		p->link = ev->link;
		return true;
	}
	if (ev->type != NODE_EV_DOWN)
		return false;
	if (ev->u.down.err == OK && !ev->u.down.by_peer)
		return false; /* we leave, as after a signal: nothing failed */
	ended(p, ev);
	return true;
}

void probe_late(struct probe *p)
{
	const char *step;

	p->code = code_of_step(p, &step);
	snprintf(p->why, sizeof(p->why), "%s: nothing came in %llu s", step,
		 (unsigned long long)p->session.set->timeout_s);
}
