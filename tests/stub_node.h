/* SPDX-License-Identifier: MIT */
/* tests/stub_node.h - a stand-in for the node above a loop with real sockets on
 * loopback: it takes what it likes, says what it is told to, and writes down what
 * happens.  It takes the node's place when this is linked, and so does a wall
 * clock that can be set; so one source of a program includes it.  Header only.
 */
#ifndef TESTS_STUB_NODE_H
#define TESTS_STUB_NODE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/net.h"
#include "tests/vectors.h"

/* --- the clocks ------------------------------------------------------------------ */

static int64_t wall_ms;

uint64_t net_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int64_t net_wall_offset_ms(void)
{
	return wall_ms;
}

struct rng net_rng(void)
{
	static struct rng_seeded seeded;

	return rng_seeded_init(&seeded, 1);
}

/* --- the stand-in ------------------------------------------------------------------ */

enum { LINKS = 64, EVENTS = 256 };

struct stub_link {
	bool used, full, ended;
	uint8_t *in; /* what was taken */
	size_t in_len;
	size_t appetite; /* bytes to take of what is given at once */
	const uint8_t *out;
	size_t out_len, out_done;
	enum err dialled;
	unsigned ends, writables, short_writes;
};

struct node {
	struct stub_link link[LINKS];
	struct node_event event[EVENTS];
	size_t event_first, event_count;
	enum err accept_err;
	uint64_t deadline_ms, ticked_ms;
	unsigned ticks, stops, flushes, most_together, jobs_done;
	struct shh_seal_progress result;
	int64_t wall_told_ms;
	bool pressure;
	unsigned pressures; /* how often that was told */
	bool silent;	    /* never says that it has stopped */
	struct endpoint from;
};

static inline void push(struct node *n, struct node_event ev)
{
	assert_true(n->event_count < EVENTS);
	n->event[(n->event_first + n->event_count++) % EVENTS] = ev;
}

static inline void tell(struct node *n, enum node_event_type type, uint32_t link)
{
	push(n, (struct node_event){ .type = type, .link = link });
}

static inline struct stub_link *take_link(struct node *n, uint32_t *number)
{
	for (uint32_t i = 0; i < LINKS; i++) {
		if (n->link[i].used)
			continue;
		memset(&n->link[i], 0, sizeof(n->link[i]));
		n->link[i].used = true;
		n->link[i].appetite = SIZE_MAX;
		n->link[i].dialled = ERR_STATE;
		*number = i;
		return &n->link[i];
	}
	return NULL;
}

enum err node_accept(struct node *n, uint32_t *link, const struct endpoint *from, uint64_t now_ms)
{
	(void)now_ms;
	n->from = *from;
	if (n->accept_err != OK)
		return n->accept_err;
	return take_link(n, link) ? OK : ERR_TOO_MANY;
}

void node_dialled(struct node *n, uint32_t link, enum err outcome, uint64_t now_ms)
{
	(void)now_ms;
	n->link[link].dialled = outcome;
}

void node_recv_many(struct node *n, struct node_input *inputs, size_t count, uint64_t now_ms)
{
	(void)now_ms;
	if (count > n->most_together)
		n->most_together = (unsigned)count;
	for (size_t i = 0; i < count; i++) {
		struct stub_link *l = &n->link[inputs[i].link];
		size_t take = size_min(inputs[i].len, l->appetite);

		assert_true(inputs[i].len > 0);
		for (size_t j = 0; j < i; j++)
			assert_true(inputs[j].link != inputs[i].link);
		l->in = realloc(l->in, l->in_len + take + 1);
		memcpy(l->in + l->in_len, inputs[i].data, take);
		memset(inputs[i].data, 0xee, take); /* it is ours to overwrite */
		l->in_len += take;
		inputs[i].taken = take;
	}
}

void node_stream_ended(struct node *n, uint32_t link, uint64_t now_ms)
{
	(void)now_ms;
	n->link[link].ends++;
	n->link[link].ended = true;
}

void node_flush(struct node *n, uint64_t now_ms)
{
	(void)now_ms;
	n->flushes++;
}

bool node_next_writable(struct node *n, uint32_t *link)
{
	for (uint32_t i = 0; i < LINKS; i++) {
		struct stub_link *l = &n->link[i];

		if (l->used && !l->full && !l->ended && l->out_done < l->out_len) {
			*link = i;
			return true;
		}
	}
	return false;
}

size_t node_output(struct node *n, uint32_t link, const uint8_t **data)
{
	struct stub_link *l = &n->link[link];

	*data = l->out + l->out_done;
	return size_min(l->out_len - l->out_done, 65536);
}

void node_output_taken(struct node *n, uint32_t link, size_t taken, uint64_t now_ms)
{
	struct stub_link *l = &n->link[link];

	(void)now_ms;
	l->full = taken < size_min(l->out_len - l->out_done, 65536);
	l->short_writes += l->full;
	l->out_done += taken;
}

void node_writable(struct node *n, uint32_t link)
{
	n->link[link].full = false;
	n->link[link].writables++;
}

void node_job_done(struct node *n, uint32_t job, const struct shh_seal_progress *result,
		   uint64_t now_ms)
{
	(void)now_ms;
	assert_int_equal(job, 7);
	n->result = *result;
	n->jobs_done++;
}

void node_stop(struct node *n, uint64_t now_ms)
{
	(void)now_ms;
	n->stops++;
	if (!n->silent)
		tell(n, NODE_EV_STOPPED, 0);
}

uint64_t node_deadline(const struct node *n)
{
	return n->event_count > 0 ? 0 : n->deadline_ms;
}

void node_tick(struct node *n, uint64_t now_ms)
{
	if (now_ms < n->deadline_ms)
		return;
	n->ticks++;
	n->ticked_ms = now_ms;
	n->deadline_ms = UINT64_MAX;
}

bool node_poll(struct node *n, struct node_event *ev)
{
	if (n->event_count == 0)
		return false;
	*ev = n->event[n->event_first];
	n->event_first = (n->event_first + 1) % EVENTS;
	n->event_count--;
	return true;
}

void node_set_wall_offset(struct node *n, int64_t offset_ms)
{
	n->wall_told_ms = offset_ms;
}

struct shh *node_shh(struct node *n)
{
	return (struct shh *)n; /* goes nowhere but to the next function */
}

void shh_set_pressure(struct shh *s, bool pressure)
{
	struct node *n = (struct node *)s;

	n->pressure = pressure;
	n->pressures++;
}

/* --- a loop, and patience --------------------------------------------------------------- */

struct bench {
	struct node node;
	struct net *net;
	uint16_t port;
	bool (*until)(struct bench *b);
	unsigned looks;
	char why[NET_WHY_MAX];
	/* lines */
	char line[8][64];
	size_t lines;
	bool line_end;
	unsigned rang[4];
};

static const uint8_t loopback[4] = { 127, 0, 0, 1 };

static inline struct endpoint at_port(uint16_t port)
{
	return (struct endpoint){ .ip = ip_from4(loopback), .tcp = port };
}

static inline struct bench *open_bench(bool signals)
{
	struct bench *b = calloc(1, sizeof(*b));
	const struct endpoint any = at_port(0);
	struct net_config cfg = {
		.listen = &any,
		.listen_count = 1,
		.workers = 2,
		.handle_signals = signals,
	};

	b->node.deadline_ms = UINT64_MAX;
	assert_int_equal(net_new(&b->net, &cfg, b->why), OK);
	net_attach(b->net, &b->node);
	b->port = net_listening(b->net, 0).tcp;
	assert_int_not_equal(b->port, 0);
	return b;
}

static inline void close_bench(struct bench *b)
{
	assert_true(net_free(b->net));
	for (size_t i = 0; i < LINKS; i++)
		free(b->node.link[i].in);
	free(b);
}

static inline void look(void *ctx, uint64_t now_ms)
{
	struct bench *b = ctx;

	(void)now_ms;
	assert_true(++b->looks < 60000);
	if (b->until(b))
		net_break(b->net);
	else
		assert_int_not_equal(net_timer(b->net, 1, look, b), 0);
}

/* Run the loop until something is so. */
static inline void run_until(struct bench *b, bool (*until)(struct bench *b))
{
	b->until = until;
	b->looks = 0;
	assert_int_not_equal(net_timer(b->net, 0, look, b), 0);
	assert_int_equal(net_run(b->net), OK);
}

static inline bool thirty_looks(struct bench *b)
{
	return b->looks >= 30;
}

static inline int connect_to(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

static inline bool has_link(struct bench *b)
{
	return b->node.link[0].used;
}

static inline int connected(struct bench *b)
{
	int fd = connect_to(b->port);

	assert_true(fd >= 0);
	run_until(b, has_link);
	return fd;
}

#endif /* TESTS_STUB_NODE_H */
