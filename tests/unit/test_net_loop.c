/* SPDX-License-Identifier: MIT */
/* The loop with a node that is none: real sockets on loopback below, and above
 * them a stand-in that takes what it likes, says what it is told to, and
 * writes down what happens.  It takes the node's place when this is linked,
 * and so does a wall clock that can be set. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

static void push(struct node *n, struct node_event ev)
{
	assert_true(n->event_count < EVENTS);
	n->event[(n->event_first + n->event_count++) % EVENTS] = ev;
}

static void tell(struct node *n, enum node_event_type type, uint32_t link)
{
	push(n, (struct node_event){ .type = type, .link = link });
}

static struct stub_link *take_link(struct node *n, uint32_t *number)
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

static struct endpoint at_port(uint16_t port)
{
	return (struct endpoint){ .ip = ip_from4(loopback), .tcp = port };
}

static struct bench *open_bench(bool signals)
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

static void close_bench(struct bench *b)
{
	assert_true(net_free(b->net));
	for (size_t i = 0; i < LINKS; i++)
		free(b->node.link[i].in);
	free(b);
}

static void look(void *ctx, uint64_t now_ms)
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
static void run_until(struct bench *b, bool (*until)(struct bench *b))
{
	b->until = until;
	b->looks = 0;
	assert_int_not_equal(net_timer(b->net, 0, look, b), 0);
	assert_int_equal(net_run(b->net), OK);
}

static bool thirty_looks(struct bench *b)
{
	return b->looks >= 30;
}

static int connect_to(uint16_t port)
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

static bool has_link(struct bench *b)
{
	return b->node.link[0].used;
}

static int connected(struct bench *b)
{
	int fd = connect_to(b->port);

	assert_true(fd >= 0);
	run_until(b, has_link);
	return fd;
}

/* --- bytes ---------------------------------------------------------------------------------- */

static bool heard_five(struct bench *b)
{
	return b->node.link[0].in_len == 5;
}

static bool written(struct bench *b)
{
	return b->node.link[0].out_done == b->node.link[0].out_len;
}

static bool ended(struct bench *b)
{
	return b->node.link[0].ended;
}

static void bytes_pass_both_ways(void **state)
{
	struct bench *b = open_bench(false);
	int fd = connected(b);
	struct endpoint here = at_port(0);
	char back[16] = "";

	(void)state;
	assert_true(ip_eq(&b->node.from.ip, &here.ip));
	assert_int_equal(write(fd, "hello", 5), 5);
	run_until(b, heard_five);
	assert_memory_equal(b->node.link[0].in, "hello", 5);
	b->node.link[0].out = (const uint8_t *)"welcome";
	b->node.link[0].out_len = 7;
	run_until(b, written);
	assert_int_equal(read(fd, back, sizeof(back)), 7);
	assert_string_equal(back, "welcome");
	close(fd);
	run_until(b, ended);
	run_until(b, thirty_looks);
	assert_int_equal(b->node.link[0].ends, 1); /* told once */
	close_bench(b);
}

static void a_refused_caller_gets_no_byte(void **state)
{
	struct bench *b = open_bench(false);
	int fd = connect_to(b->port);
	char byte;

	(void)state;
	b->node.accept_err = ERR_FLOOD;
	run_until(b, thirty_looks);
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
	close_bench(b);
}

static bool all_heard(struct bench *b)
{
	size_t heard = 0;

	for (size_t i = 0; i < LINKS; i++)
		heard += b->node.link[i].in_len;
	return heard == 20 * 100;
}

static bool has_twenty(struct bench *b)
{
	return b->node.link[19].used;
}

/* Links that are ready together are fed together, within the shared buffer. */
static void links_are_fed_side_by_side(void **state)
{
	struct bench *b = open_bench(false);
	uint8_t bytes[100];
	int fd[20];

	(void)state;
	for (int i = 0; i < 20; i++)
		fd[i] = connect_to(b->port);
	run_until(b, has_twenty);
	for (int i = 0; i < 20; i++) {
		memset(bytes, i, sizeof(bytes));
		assert_int_equal(write(fd[i], bytes, sizeof(bytes)), sizeof(bytes));
	}
	run_until(b, all_heard);
	assert_true(b->node.most_together >= 8);
	for (int i = 0; i < 20; i++) { /* links are numbered as they came */
		assert_int_equal(b->node.link[i].in_len, 100);
		assert_int_equal(b->node.link[i].in[99], b->node.link[i].in[0]);
		close(fd[i]);
	}
	close_bench(b);
}

/* --- back-pressure --------------------------------------------------------------------------- */

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16));
}

static uint8_t *pattern_of(size_t len)
{
	uint8_t *p = malloc(len);

	assert_non_null(p);
	for (size_t i = 0; i < len; i++)
		p[i] = pattern(i);
	return p;
}

enum { STREAM = 3000000 };

/* Whatever is refused is given again, and only after RESUME, in order. */
static bool pour(struct bench *b)
{
	struct stub_link *l = &b->node.link[0];
	static size_t before;

	/* As a node does: it takes some, then asks for the rest. */
	if (l->in_len != before || b->looks == 1) {
		l->appetite = 1 + (l->in_len * 31 + b->looks) % 90000;
		tell(&b->node, NODE_EV_RESUME, 0);
	}
	before = l->in_len;
	return l->in_len == STREAM;
}

static void what_is_refused_is_given_again(void **state)
{
	struct bench *b = open_bench(false);
	int fd = connected(b);
	uint8_t *stream = pattern_of(STREAM);
	pid_t child;
	int status;

	(void)state;
	b->node.link[0].appetite = 1000;
	child = fork();
	if (child == 0) {
		size_t at = 0;

		while (at < STREAM) {
			ssize_t n = write(fd, stream + at, STREAM - at);

			if (n <= 0)
				_exit(1);
			at += (size_t)n;
		}
		_exit(0);
	}
	run_until(b, pour);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_memory_equal(b->node.link[0].in, stream, STREAM);
	free(stream);
	close(fd);
	close_bench(b);
}

static void nothing_is_read_in_a_pause(void **state)
{
	struct bench *b = open_bench(false);
	int fd = connected(b);
	struct net_stats before, after;

	(void)state;
	tell(&b->node, NODE_EV_PAUSE, 0);
	run_until(b, thirty_looks);
	assert_int_equal(write(fd, "hello", 5), 5);
	net_stats(b->net, &before);
	run_until(b, thirty_looks);
	net_stats(b->net, &after);
	assert_int_equal(b->node.link[0].in_len, 0);
	assert_int_equal(after.reads, before.reads);
	tell(&b->node, NODE_EV_RESUME, 0);
	run_until(b, heard_five);
	assert_memory_equal(b->node.link[0].in, "hello", 5);
	close(fd);
	close_bench(b);
}

static bool stuck(struct bench *b)
{
	return b->node.link[0].full;
}

/* A peer that does not read stops us, not the loop; then it gets everything. */
static void a_full_socket_waits(void **state)
{
	struct bench *b = open_bench(false);
	int fd = connected(b);
	struct stub_link *l = &b->node.link[0];
	uint8_t *stream = pattern_of(16u << 20), piece[65536];
	size_t got = 0;

	(void)state;
	l->out = stream;
	l->out_len = 16u << 20;
	run_until(b, stuck);
	assert_true(l->out_done < l->out_len);
	run_until(b, thirty_looks); /* others have their turn all the while */
	while (got < l->out_len) {
		ssize_t n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			run_until(b, thirty_looks);
			continue;
		}
		assert_true(n > 0);
		assert_memory_equal(piece, stream + got, (size_t)n);
		got += (size_t)n;
	}
	assert_true(l->writables > 0);
	assert_int_equal(l->ends, 0);
	free(stream);
	close(fd);
	close_bench(b);
}

/* A write into a connection that was reset is no end yet: what the peer said
 * before is read first. */
static void last_words_are_heard(void **state)
{
	struct bench *b = open_bench(false);
	int fd = connected(b);
	struct stub_link *l = &b->node.link[0];
	static uint8_t much[1 << 20];

	(void)state;
	assert_int_equal(write(fd, "hello", 5), 5);
	assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
	close(fd);
	l->out = much;
	l->out_len = sizeof(much);
	run_until(b, ended);
	assert_int_equal(l->in_len, 5);
	assert_int_equal(l->ends, 1);
	close_bench(b);
}

static bool heard_five_again(struct bench *b)
{
	return b->node.link[1].in_len == 5;
}

/* A closed link's number serves again at once. */
static void numbers_are_used_again(void **state)
{
	struct bench *b = open_bench(false);
	int fd = connected(b), second;
	char byte;

	(void)state;
	tell(&b->node, NODE_EV_CLOSE, 0);
	b->node.link[0].used = false;
	run_until(b, thirty_looks);
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
	fd = connected(b); /* number 0 again */
	second = connect_to(b->port);
	assert_int_equal(write(second, "other", 5), 5);
	run_until(b, heard_five_again);
	assert_int_equal(b->node.link[0].in_len, 0);
	close(fd);
	close(second);
	close_bench(b);
}

/* --- dialling ------------------------------------------------------------------------------------ */

static bool dialled(struct bench *b)
{
	return b->node.link[5].dialled != ERR_STATE;
}

static void dial(struct bench *b, struct endpoint to)
{
	struct node_event ev = { .type = NODE_EV_DIAL, .link = 5 };

	ev.u.endpoint = to;
	b->node.link[5].used = true;
	b->node.link[5].dialled = ERR_STATE;
	push(&b->node, ev);
}

static int listen_on(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void dials_come_out(void **state)
{
	struct bench *b = open_bench(false);
	uint16_t port;
	int listener = listen_on(&port), fd;
	char back[8] = "";

	(void)state;
	dial(b, at_port(port));
	run_until(b, dialled);
	assert_int_equal(b->node.link[5].dialled, OK);
	b->node.link[5].out = (const uint8_t *)"dialled";
	b->node.link[5].out_len = 7;
	fd = accept(listener, NULL, NULL);
	run_until(b, thirty_looks);
	assert_int_equal(read(fd, back, 7), 7);
	assert_string_equal(back, "dialled");
	close(fd);
	close(listener);
	tell(&b->node, NODE_EV_CLOSE, 5);
	run_until(b, thirty_looks);

	dial(b, at_port(port)); /* nobody listens there any more */
	run_until(b, dialled);
	assert_int_equal(b->node.link[5].dialled, ERR_IO);
	close_bench(b);
}

/* The node gives up by itself; the socket goes with CLOSE. */
static void a_dial_can_be_given_up(void **state)
{
	struct bench *b = open_bench(false);
	static const uint8_t nowhere[4] = { 127, 0, 0, 1 };
	uint16_t port;
	int listener = listen_on(&port), fd[64], count = 0;
	struct endpoint to = { .ip = ip_from4(nowhere), .tcp = port };

	(void)state;
	/* A listener whose queue is full does not answer. */
	for (; count < 64; count++) {
		fd[count] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		struct sockaddr_in a = { .sin_family = AF_INET,
					 .sin_port = htons(port),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		(void)!connect(fd[count], (struct sockaddr *)&a, sizeof(a));
	}
	dial(b, to);
	run_until(b, thirty_looks);
	tell(&b->node, NODE_EV_CLOSE, 5);
	run_until(b, thirty_looks);
	assert_int_equal(b->node.link[5].dialled, ERR_STATE); /* nobody told it anything */
	while (count > 0)
		close(fd[--count]);
	close(listener);
	close_bench(b);
}

/* --- no descriptors left (hardening P7) ------------------------------------------------------------- */

static bool paused(struct bench *b)
{
	struct net_stats s;

	net_stats(b->net, &s);
	return s.accept_pauses >= 2;
}

static void accepting_rests_without_descriptors(void **state)
{
	struct bench *b = open_bench(false);
	struct rlimit limit, low;
	struct net_stats before, after;
	int fd[8], highest;

	(void)state;
	for (int i = 0; i < 8; i++)
		fd[i] = connect_to(b->port);
	highest = fd[7];
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = (rlim_t)highest + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	net_stats(b->net, &before);
	run_until(b, paused);
	net_stats(b->net, &after);
	/* It slept in between: a loop that spins has thousands of turns, not one a look. */
	assert_true(after.turns - before.turns < b->looks + 64);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	run_until(b, has_link); /* it accepts again */
	for (int i = 0; i < 8; i++)
		close(fd[i]);
	close_bench(b);
}

/* --- time ---------------------------------------------------------------------------------------------- */

static bool ticked(struct bench *b)
{
	return b->node.ticks > 0;
}

static bool clock_past(struct bench *b)
{
	return b->looks >= 5;
}

static void deadlines_are_kept(void **state)
{
	struct bench *b = open_bench(false);
	uint64_t due;

	(void)state;
	due = net_clock_ms() + 50;
	b->node.deadline_ms = due + 100000; /* far, then moved nearer */
	run_until(b, clock_past);
	b->node.deadline_ms = due;
	run_until(b, ticked);
	assert_true(b->node.ticked_ms >= due);
	assert_int_equal(b->node.ticks, 1);
	close_bench(b);
}

/* Without any other timer the alarm alone wakes the loop. */
static void told(void *ctx, const struct node_event *ev, uint64_t now_ms)
{
	(void)ctx;
	(void)ev;
	(void)now_ms;
}

static void leave(void *ctx, uint64_t now_ms)
{
	(void)now_ms;
	net_break(ctx);
}

static void the_alarm_wakes_a_sleeping_loop(void **state)
{
	struct node node = { .deadline_ms = UINT64_MAX };
	char why[NET_WHY_MAX];
	struct net_config cfg = { .node = &node, .event = told };
	struct net_stats s;
	struct net *net;

	(void)state;
	assert_int_equal(net_new(&net, &cfg, why), OK);
	node.deadline_ms = net_clock_ms() + 40;
	tell(&node, NODE_EV_RESUME, 3); /* of a link that is none: harmless */
	net_timer(net, 120, leave, net);
	assert_int_equal(net_run(net), OK);
	assert_int_equal(node.ticks, 1);
	net_stats(net, &s);
	assert_true(s.turns < 12); /* it slept */
	assert_true(net_free(net));
}

static void wall_jumps_are_told(void **state)
{
	struct bench *b;

	(void)state;
	wall_ms = 1000000;
	b = open_bench(false);
	wall_ms += 49; /* reading both clocks takes its time */
	b->node.wall_told_ms = -1;
	for (int i = 0; i < 50; i++)
		run_until(b, thirty_looks);
	assert_int_equal(b->node.wall_told_ms, -1);
	wall_ms += 3600000;
	for (int i = 0; i < 50 && b->node.wall_told_ms == -1; i++)
		run_until(b, thirty_looks);
	assert_int_equal(b->node.wall_told_ms, wall_ms);
	close_bench(b);
}

struct ring {
	struct bench *b;
	unsigned number, order;
	uint32_t victim;
};

static unsigned rung;

static void ring(void *ctx, uint64_t now_ms)
{
	struct ring *r = ctx;

	(void)now_ms;
	r->order = ++rung;
	net_timer_cancel(r->b->net, r->victim);
}

static bool last_rang(struct bench *b)
{
	(void)b;
	return rung >= 2;
}

static void timers_ring_in_order_and_can_be_cancelled(void **state)
{
	struct bench *b = open_bench(false);
	struct ring a = { .b = b }, c = { .b = b }, never = { .b = b };
	uint32_t ids[NET_TIMERS_MAX];

	(void)state;
	rung = 0;
	assert_int_not_equal(net_timer(b->net, 20, ring, &a), 0);
	assert_int_not_equal(net_timer(b->net, 5, ring, &c), 0);
	c.victim = net_timer(b->net, 20, ring, &never); /* cancelled by one that rings before */
	run_until(b, last_rang);
	run_until(b, thirty_looks);
	assert_int_equal(c.order, 1);
	assert_int_equal(a.order, 2);
	assert_int_equal(never.order, 0);
	net_timer_cancel(b->net, 0);
	net_timer_cancel(b->net, 12345);

	for (size_t i = 0; i < NET_TIMERS_MAX; i++) {
		ids[i] = net_timer(b->net, 1000000, ring, &never);
		assert_int_not_equal(ids[i], 0);
	}
	assert_int_equal(net_timer(b->net, 1, ring, &never), 0); /* full */
	for (size_t i = 0; i < NET_TIMERS_MAX; i++)
		net_timer_cancel(b->net, ids[i]);
	run_until(b, thirty_looks);
	close_bench(b);
}

/* --- jobs, lines ------------------------------------------------------------------------------------------ */

static bool job_done(struct bench *b)
{
	return b->node.jobs_done > 0;
}

static void jobs_come_back(void **state)
{
	struct bench *b = open_bench(false);
	struct shh_seal_job job = { .bits = 12, .hashes_max = UINT64_MAX };
	struct node_event ev = { .type = NODE_EV_JOB };

	(void)state;
	job.digest = SHH_DIGEST_SINGLE;
	shh_seal_search_init(&job.search, span_of("content", 7), job.digest);
	ev.u.job.id = 7;
	ev.u.job.seal = &job;
	push(&b->node, ev);
	run_until(b, job_done);
	assert_true(b->node.result.done);
	assert_true(b->node.result.bits >= 12);

	/* One that was cancelled does not. */
	job.bits = 250;
	push(&b->node, ev);
	run_until(b, thirty_looks);
	ev.type = NODE_EV_JOB_CANCEL;
	push(&b->node, ev);
	run_until(b, thirty_looks);
	assert_int_equal(b->node.jobs_done, 1);
	close_bench(b);
}

static void on_line(void *ctx, const char *text, size_t len, uint64_t now_ms)
{
	struct bench *b = ctx;

	(void)now_ms;
	if (text == NULL) {
		b->line_end = true;
		return;
	}
	assert_int_equal(strlen(text), len);
	assert_true(b->lines < 8);
	snprintf(b->line[b->lines++], 64, "%s", text);
}

static bool lines_over(struct bench *b)
{
	return b->line_end;
}

static void check_lines(struct bench *b, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	b->lines = 0;
	b->line_end = false;
	assert_int_equal(net_lines(b->net, fd, 10, on_line, b), OK);
	assert_int_equal(net_lines(b->net, fd, 10, on_line, b), ERR_STATE);
	run_until(b, lines_over);
	assert_int_equal(b->lines, 5);
	assert_string_equal(b->line[0], "one");
	assert_string_equal(b->line[1], "");
	assert_string_equal(b->line[2], "exactly 10");
	assert_string_equal(b->line[3], "more than "); /* the rest is dropped */
	assert_string_equal(b->line[4], "no end");
	assert_int_equal(fcntl(fd, F_GETFL), flags);
	close(fd);
}

static void lines_are_cut_and_counted(void **state)
{
	static const char text[] = "one\n\nexactly 10\nmore than ten of them\nno end";
	struct bench *b = open_bench(false);
	char path[] = "/tmp/sotto-test-XXXXXX";
	int ends[2], fd;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, sizeof(text) - 1), sizeof(text) - 1);
	close(ends[1]);
	check_lines(b, ends[0]);

	fd = mkstemp(path); /* a file cannot be waited for */
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	check_lines(b, fd);
	unlink(path);

	b->line_end = false;
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(net_lines(b->net, fd, 10, on_line, b), OK);
	run_until(b, lines_over);
	close(fd);
	close_bench(b);
}

/* --- the end ---------------------------------------------------------------------------------------------------- */

static void stop(void *ctx, uint64_t now_ms)
{
	struct bench *b = ctx;

	(void)now_ms;
	net_stop(b->net);
	net_stop(b->net);
}

static bool pressure_told(struct bench *b)
{
	return b->node.pressures == 1;
}

static bool pressure_lifted(struct bench *b)
{
	return b->node.pressures == 2;
}

static void dawdle(void *ctx, uint64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	usleep(70000);
}

/* One long turn makes the peers' budgets bind, a second of short ones lifts it (hardening §3). */
static void a_long_turn_is_pressure(void **state)
{
	struct bench *b = open_bench(false);

	(void)state;
	assert_int_not_equal(net_timer(b->net, 0, dawdle, b), 0);
	run_until(b, pressure_told);
	assert_true(b->node.pressure);
	run_until(b, pressure_lifted);
	assert_false(b->node.pressure);
	close_bench(b);
}

static void stopping_is_orderly(void **state)
{
	struct bench *b = open_bench(false);
	int fd = connected(b);

	(void)state;
	net_timer(b->net, 0, stop, b);
	assert_int_equal(net_run(b->net), OK);
	assert_int_equal(b->node.stops, 1);
	assert_int_equal(connect_to(b->port), -1); /* nobody listens any more */
	close(fd);
	close_bench(b);
}

/* A node that never comes to its end does not keep us. */
static void stopping_has_an_end(void **state)
{
	struct bench *b = open_bench(false);

	(void)state;
	b->node.silent = true;
	net_timer(b->net, 0, stop, b);
	assert_int_equal(net_run(b->net), OK);
	assert_int_equal(b->node.stops, 1);
	close_bench(b);
}

static void raise_term(void *ctx, uint64_t now_ms)
{
	(void)ctx;
	(void)now_ms;
	raise(SIGTERM);
}

static bool was_stopped(struct bench *b)
{
	return b->node.stops > 0;
}

static void the_first_signal_asks(void **state)
{
	struct bench *b = open_bench(true);

	(void)state;
	net_timer(b->net, 0, raise_term, b);
	assert_int_equal(net_run(b->net), OK);
	assert_int_equal(b->node.stops, 1);
	close_bench(b);
}

static void the_second_signal_ends(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		struct bench *b = open_bench(true);

		b->node.silent = true;
		net_timer(b->net, 0, raise_term, b);
		run_until(b, was_stopped);
		raise(SIGTERM);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void what_cannot_be_opened_is_told(void **state)
{
	struct bench *b = open_bench(false);
	static const uint8_t foreign[4] = { 192, 0, 2, 1 };
	struct endpoint at = at_port(b->port), none = { .ip = ip_from4(foreign) };
	struct endpoint many[NET_LISTEN_MAX + 1] = { at };
	struct net_config cfg = { .listen = &at, .listen_count = 1 };
	char why[NET_WHY_MAX], expected[64];
	struct net *net;

	(void)state;
	assert_int_equal(net_new(&net, &cfg, why), ERR_EXISTS);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u cannot be listened on", b->port);
	assert_non_null(strstr(why, expected));
	cfg.listen = &none;
	assert_int_equal(net_new(&net, &cfg, why), ERR_NOT_FOUND);
	cfg.listen = many;
	cfg.listen_count = NET_LISTEN_MAX + 1;
	assert_int_equal(net_new(&net, &cfg, why), ERR_ARG);
	assert_true(net_free(NULL));
	close_bench(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_pass_both_ways),
		cmocka_unit_test(a_refused_caller_gets_no_byte),
		cmocka_unit_test(links_are_fed_side_by_side),
		cmocka_unit_test(what_is_refused_is_given_again),
		cmocka_unit_test(nothing_is_read_in_a_pause),
		cmocka_unit_test(a_full_socket_waits),
		cmocka_unit_test(last_words_are_heard),
		cmocka_unit_test(numbers_are_used_again),
		cmocka_unit_test(dials_come_out),
		cmocka_unit_test(a_dial_can_be_given_up),
		cmocka_unit_test(accepting_rests_without_descriptors),
		cmocka_unit_test(deadlines_are_kept),
		cmocka_unit_test(the_alarm_wakes_a_sleeping_loop),
		cmocka_unit_test(wall_jumps_are_told),
		cmocka_unit_test(timers_ring_in_order_and_can_be_cancelled),
		cmocka_unit_test(jobs_come_back),
		cmocka_unit_test(lines_are_cut_and_counted),
		cmocka_unit_test(a_long_turn_is_pressure),
		cmocka_unit_test(stopping_is_orderly),
		cmocka_unit_test(stopping_has_an_end),
		cmocka_unit_test(the_first_signal_asks),
		cmocka_unit_test(the_second_signal_ends),
		cmocka_unit_test(what_cannot_be_opened_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
