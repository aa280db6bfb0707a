/* SPDX-License-Identifier: MIT */
/* The loop's sockets with a node that is none: callers and dials, bytes both ways,
 * back-pressure, and no descriptors left (hardening P7). */
#include "tests/stub_node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };
	struct bench *b = open_bench(false);
	uint16_t port;
	int listener = listen_on(&port), fd;
	struct endpoint to = at_port(port);
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
	assert_int_equal(b->node.link[5].dialled, ERR_CLOSED);
	tell(&b->node, NODE_EV_CLOSE, 5);
	run_until(b, thirty_looks);

	to.ip = ip_from4(broadcast); /* the system itself says no: nothing leaves */
	dial(b, to);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
