/* SPDX-License-Identifier: MIT */
/* The loop's turns with a node that is none: clocks and timers, jobs, lines, the
 * pressure of a long turn, and how it ends. */
#include "tests/stub_node.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
