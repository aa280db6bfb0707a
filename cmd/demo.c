/* SPDX-License-Identifier: MIT */
/* cmd/demo.c - `sotto demo': three nodes on this machine, one message through the
 * middle one, with its latency, and a clean stop.
 *
 *	sender --> middle --> receiver
 *
 * Each is a process of its own; the sender, which is the parent, hears over a
 * pipe what the others have to say, one line each.  All read the same
 * monotonic clock, so latencies need no agreement.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/probe.h"
#include "cmd/process.h"

#define PATIENCE_MS 20000 /* for the whole of it */
#define LINE_MAX_   (ENODE_TEXT_MAX + 16)

static const char text[] = "Hello through the middle";
static const char password[] = "demo";
static const struct shh_topic topic = { { 'd', 'e', 'm', 'o' } };

struct child {
	pid_t pid; /* 0: not running */
	int from;  /* its lines */
};

/* --- the nodes ---------------------------------------------------------------------- */

struct actor {
	struct probe probe;
	struct symkey key;
	int to; /* children: where their lines go */
	/* the sender */
	bool sent, received;
	uint64_t posted_ns, began_ns, received_ns;
};

static void say(const struct actor *a, const char *line)
{
	if (write(a->to, line, strlen(line)) < 0)
		net_stop(a->probe.session.net); /* nobody listens any more */
}

static int open_actor(struct actor *a, const struct settings *set, const char *peer,
		      const struct endpoint *listen,
		      void (*event)(void *ctx, const struct node_event *ev, uint64_t now_ms))
{
	struct session_plan plan = { .listen = listen, .event = event, .ctx = a };
	int code = session_open(&a->probe.session, set, &plan);

	if (code != EXIT_OK)
		return code;
	if (shh_key_of_password(&a->key, span_of(password, strlen(password))) != OK)
		code = fail(set, EXIT_ENVIRONMENT, "no key could be derived");
	a->probe.what = "peer";
	a->probe.text = peer;
	if (code == EXIT_OK && peer != NULL)
		code = probe_check(&a->probe, &a->probe.session);
	if (code != EXIT_OK)
		session_close(&a->probe.session);
	return code;
}

static int run_middle(struct actor *a, const struct settings *set)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };
	const struct endpoint listen = { .ip = ip_from4(loopback) };
	char line[LINE_MAX_], url[ENODE_TEXT_MAX];
	int code = open_actor(a, set, NULL, &listen, NULL);

	if (code != EXIT_OK)
		return code;
	session_enode(&a->probe.session, url);
	snprintf(line, sizeof(line), "%s\n", url);
	say(a, line);
	code = net_run(a->probe.session.net) == OK ? EXIT_OK : EXIT_ENVIRONMENT;
	session_close(&a->probe.session);
	return code;
}

static void receiver_event(void *ctx, const struct node_event *ev, uint64_t now_ms)
{
	struct actor *a = ctx;
	char line[64];

	(void)now_ms;
	if (probe_event(&a->probe, ev))
		say(a, a->probe.ready ? "ready\n" : "lost\n");
	if (ev->type != NODE_EV_SHH || ev->u.shh->type != SHH_EV_MESSAGE)
		return;
	if (!span_eq(ev->u.shh->u.message.plain->payload, span_of(text, strlen(text))))
		return;
	snprintf(line, sizeof(line), "%llu\n", (unsigned long long)probe_clock_ns());
	say(a, line);
}

static int run_receiver(struct actor *a, const struct settings *set, const char *middle)
{
	struct shh_filter f = { .sym = &a->key, .topics = &topic, .topic_count = 1 };
	int code = open_actor(a, set, middle, NULL, receiver_event);
	uint32_t id;

	if (code != EXIT_OK)
		return code;
	if (shh_filter_add(node_shh(a->probe.session.node), &id, &f, net_clock_ms()) != OK) {
		code = fail(set, EXIT_ENVIRONMENT, "no filter could be made");
	} else {
		probe_begin(&a->probe, NODE_STATIC);
		code = net_run(a->probe.session.net) == OK ? EXIT_OK : EXIT_ENVIRONMENT;
	}
	session_close(&a->probe.session);
	return code;
}

static void sender_event(void *ctx, const struct node_event *ev, uint64_t now_ms)
{
	struct actor *a = ctx;
	struct shh_post p = {
		.sym = &a->key,
		.topic = topic,
		.payload = span_of(text, strlen(text)),
		.pow = 0.2,
		.direct = -1,
	};
	uint32_t id;

	if (ev->type == NODE_EV_SHH && ev->u.shh->type == SHH_EV_POSTED) {
		a->posted_ns = probe_clock_ns();
		if (ev->u.shh->u.posted.err != OK)
			net_stop(a->probe.session.net);
		return;
	}
	if (!probe_event(&a->probe, ev) || a->sent)
		return;
	a->sent = a->probe.ready;
	a->began_ns = probe_clock_ns();
	if (!a->sent || shh_post(node_shh(a->probe.session.node), &id, &p, now_ms) != OK)
		net_stop(a->probe.session.net);
}

/* The receiver has something to say: that it has the message. */
static void sender_line(void *ctx, const char *line, size_t len, uint64_t now_ms)
{
	struct actor *a = ctx;

	(void)len;
	(void)now_ms;
	if (line != NULL && line[0] >= '0' && line[0] <= '9') {
		a->received_ns = strtoull(line, NULL, 10);
		a->received = true;
	}
	net_stop(a->probe.session.net);
}

static void sender_late(void *ctx, uint64_t now_ms)
{
	struct actor *a = ctx;

	(void)now_ms;
	net_stop(a->probe.session.net);
}

static int run_sender(struct actor *a, const struct settings *set, const char *middle, int receiver)
{
	int code = open_actor(a, set, middle, NULL, sender_event);
	struct net *net = a->probe.session.net;

	if (code != EXIT_OK)
		return code;
	if (net_lines(net, receiver, 64, sender_line, a) != OK) {
		code = fail(set, EXIT_ENVIRONMENT, "the receiver cannot be heard");
	} else {
		net_timer(net, PATIENCE_MS, sender_late, a);
		probe_begin(&a->probe, NODE_STATIC);
		if (net_run(net) != OK)
			code = EXIT_ENVIRONMENT;
		else if (!a->received)
			code = fail(set, EXIT_TIME, "the message did not arrive");
	}
	session_close(&a->probe.session);
	return code;
}

/* --- processes -------------------------------------------------------------------------- */

enum role { MIDDLE, RECEIVER };

static int start(struct child *c, const struct settings *set, enum role role, const char *middle)
{
	struct actor a = { .sent = false };
	int ends[2], code;
	pid_t parent = getpid();

	if (pipe(ends) != 0)
		return fail(set, EXIT_ENVIRONMENT, "no pipe: %s", strerror(errno));
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		return fail(set, EXIT_ENVIRONMENT, "no process: %s", strerror(errno));
	}
	if (c->pid > 0) {
		close(ends[1]);
		c->from = ends[0];
		return EXIT_OK;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	close(ends[0]);
	a.to = ends[1];
	code = getppid() != parent ? EXIT_ENVIRONMENT /* it ended meanwhile */
	       : role == MIDDLE	   ? run_middle(&a, set)
				   : run_receiver(&a, set, middle);
	crypto_wipe(&a.key, sizeof(a.key));
	exit(code);
}

/* One line of a child, without its end; false if none came in time. */
static bool hear(const struct child *c, char *line, size_t max)
{
	struct pollfd p = { .fd = c->from, .events = POLLIN };
	size_t len = 0;

	while (len < max - 1 && poll(&p, 1, PATIENCE_MS) > 0 && read(c->from, line + len, 1) == 1 &&
	       line[len] != '\n')
		len++;
	if (len == max - 1 || line[len] != '\n')
		return false;
	line[len] = '\0';
	return true;
}

/* Ask a child to go, in order; its exit code, or what it died of. */
static int stop(struct child *c)
{
	int status = 0;

	if (c->pid == 0)
		return EXIT_OK;
	kill(c->pid, SIGTERM);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(c->from);
	c->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_INTERNAL;
}

static void tell(const struct actor *a)
{
	printf("message \"%s\" went sender -> middle -> receiver\n", text);
	printf("sealed in %.2f ms, delivered %.2f ms after that\n",
	       (double)(a->posted_ns - a->began_ns) / 1e6,
	       a->received_ns > a->posted_ns ? (double)(a->received_ns - a->posted_ns) / 1e6 : 0.0);
}

static int play(struct child *middle, struct child *receiver, struct settings *set)
{
	char url[LINE_MAX_], line[16];
	struct actor a = { .sent = false };
	int code = start(middle, set, MIDDLE, NULL);

	if (code != EXIT_OK)
		return code;
	if (!hear(middle, url, sizeof(url)))
		return fail(set, EXIT_ENVIRONMENT, "the middle node did not start");
	printf("middle node: %s\n", url);
	if (!flush_output(set))
		return EXIT_ENVIRONMENT;
	code = start(receiver, set, RECEIVER, url);
	if (code != EXIT_OK)
		return code;
	if (!hear(receiver, line, sizeof(line)) || strcmp(line, "ready") != 0)
		return fail(set, EXIT_ENVIRONMENT, "the receiver found no connection");
	printf("receiver connected to it, sender follows\n");
	if (!flush_output(set))
		return EXIT_ENVIRONMENT;
	code = run_sender(&a, set, url, receiver->from);
	crypto_wipe(&a.key, sizeof(a.key));
	if (code == EXIT_OK)
		tell(&a);
	return code;
}

int run_demo(struct settings *set)
{
	struct child middle = { .pid = 0 }, receiver = { .pid = 0 };
	int code = play(&middle, &receiver, set);
	int a = stop(&receiver), b = stop(&middle);

	if (code == EXIT_OK && (a != EXIT_OK || b != EXIT_OK))
		code = fail(set, EXIT_INTERNAL, "a node ended with exit code %d", a ? a : b);
	if (code == EXIT_OK)
		printf("all three stopped cleanly\n");
	return flush_output(set) ? code : EXIT_ENVIRONMENT;
}
