/* SPDX-License-Identifier: MIT */
/* net/net.c - the loop: sleep, then one turn.
 *
 * A turn: the clock is read once; what sockets, listeners, workers, timers and
 * standard input have is fed to the node; its events are drained, its output
 * is written; then one alarm is set for whatever is due next.
 */
#include "net/inside.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define WRITE_ROUNDS 16 /* of flush and write in a turn; then the sockets are heard again */
#define WRITE_MS     10 /* of a turn after which no further round begins */

/* --- making and freeing ------------------------------------------------------------ */

static void alarm_rings(evutil_socket_t fd, short what, void *arg)
{
	struct net *net = arg;

	(void)fd;
	(void)what;
	net->alarm_ms = UINT64_MAX;
}

static void results_ready(evutil_socket_t fd, short what, void *arg)
{
	struct net *net = arg;

	(void)fd;
	(void)what;
	net->results_ready = true;
}

/* The first signal asks; with its handler gone, the second ends the process. */
static void signal_came(evutil_socket_t fd, short what, void *arg)
{
	struct net *net = arg;

	(void)what;
	log_line(&net->log, LOG_INFO, "stopping signal=%d", (int)fd);
	event_del(&net->signal[0]);
	event_del(&net->signal[1]);
	net->signals_on = false;
	net_stop(net);
}

static enum err take_signals(struct net *net)
{
	static const int which[2] = { SIGTERM, SIGINT };

	for (size_t i = 0; i < 2; i++) {
		if (evsignal_assign(&net->signal[i], net->base, which[i], signal_came, net) != 0 ||
		    evsignal_add(&net->signal[i], NULL) != 0)
			return ERR_IO;
	}
	net->signals_on = true;
	return OK;
}

static unsigned worker_count(unsigned asked)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (asked == 0)
		asked = cores < 1 ? 1 : (unsigned)cores;
	return asked > NET_WORKERS_MAX ? NET_WORKERS_MAX : asked;
}

static enum err make_base(struct net *net)
{
	struct event_config *cfg = event_config_new();

	if (cfg == NULL)
		return ERR_MEM;
	/* One process, one loop: no locks, no surprises from the environment. */
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV);
	net->base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return net->base != NULL ? OK : ERR_IO;
}

static enum err start(struct net *net)
{
	enum err err = make_base(net);

	if (err == OK)
		err = workers_new(&net->workers, worker_count(net->cfg.workers));
	if (err == OK)
		err = net__wires_init(net);
	if (err != OK)
		return err;
	net->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	/* Edge-triggered: setting it anew clears it, so nobody has to read it. */
	if (net->alarm_fd < 0 ||
	    event_assign(&net->alarm, net->base, net->alarm_fd, EV_READ | EV_PERSIST | EV_ET,
			 alarm_rings, net) != 0 ||
	    event_add(&net->alarm, NULL) != 0 ||
	    event_assign(&net->worker, net->base, workers_fd(net->workers), EV_READ | EV_PERSIST,
			 results_ready, net) != 0 ||
	    event_add(&net->worker, NULL) != 0)
		return ERR_IO;
	err = net__listeners_start(net);
	if (err == OK && net->cfg.handle_signals)
		err = take_signals(net);
	return err;
}

enum err net_new(struct net **out, const struct net_config *cfg, char why[static NET_WHY_MAX])
{
	struct net *net;
	enum err err;

	snprintf(why, NET_WHY_MAX, "too many addresses to listen on, expected at most %d",
		 NET_LISTEN_MAX);
	if (cfg->listen_count > NET_LISTEN_MAX)
		return ERR_ARG;
	snprintf(why, NET_WHY_MAX, "the loop cannot be made: %s", strerror(ENOMEM));
	net = calloc(1, sizeof(*net));
	if (net == NULL)
		return ERR_MEM;
	net->cfg = *cfg;
	if (cfg->listen_count > 0)
		memcpy(net->listen, cfg->listen, cfg->listen_count * sizeof(*cfg->listen));
	net->cfg.listen = net->listen;
	net->log = cfg->log;
	net->node = cfg->node;
	net->alarm_ms = UINT64_MAX;
	net->alarm_fd = -1;
	net->lines.fd = -1;
	net->listeners.reserve = -1;
	net->now_ms = net_clock_ms();
	net->wall_checked_ms = net->now_ms;
	net->wall_ms = net_wall_offset_ms();
	err = net__listen(net, why);
	if (err == OK) {
		errno = 0;
		err = start(net);
		if (err != OK)
			snprintf(why, NET_WHY_MAX, "the loop cannot be made: %s",
				 strerror(errno ? errno : ENOMEM));
	}
	if (err != OK) {
		(void)net_free(net);
		return err;
	}
	*out = net;
	return OK;
}

void net_attach(struct net *net, struct node *node)
{
	net->node = node;
}

bool net_free(struct net *net)
{
	bool all;

	if (net == NULL)
		return true;
	all = workers_free(net->workers);
	net__listeners_close(net);
	if (net->base != NULL) {
		net__wires_close(net);
		net__lines_close(net);
		if (net->signals_on) {
			event_del(&net->signal[0]);
			event_del(&net->signal[1]);
		}
		if (net->worker.ev_base != NULL)
			event_del(&net->worker);
		if (net->alarm.ev_base != NULL)
			event_del(&net->alarm);
		event_base_free(net->base);
		if (net->alarm_fd >= 0)
			close(net->alarm_fd);
	}
	free(net);
	return all;
}

enum err net_work(struct net *net, void (*fn)(void *arg), void (*done)(void *arg, uint64_t now_ms),
		  void *arg)
{
	return workers_call(net->workers, NET_WORK_MAX, fn, done, arg);
}

uint64_t net_now_ms(const struct net *net)
{
	return net->now_ms;
}

void net_stats(const struct net *net, struct net_stats *out)
{
	*out = net->stats;
}

/* --- what the node says --------------------------------------------------------------- */

static void start_job(struct net *net, uint32_t id, const struct shh_seal_job *seal)
{
	struct shh_seal_progress none = { .done = false };

	net->stats.jobs++;
	if (workers_seal(net->workers, id, seal) == OK)
		return;
	log_line(&net->log, LOG_WARN, "job_refused id=%u why=\"no worker\"", id);
	node_job_done(net->node, id, &none, net->now_ms);
}

static void tell(struct net *net, const struct node_event *ev)
{
	if (net->cfg.event != NULL)
		net->cfg.event(net->cfg.ctx, ev, net->now_ms);
}

static void obey(struct net *net, const struct node_event *ev)
{
	switch (ev->type) {
	case NODE_EV_DIAL: net__wire_dial(net, ev->link, &ev->u.endpoint); break;
	case NODE_EV_CLOSE: net__wire_end(net, ev->link); break;
	case NODE_EV_PAUSE: net__wire_pause(net, ev->link); break;
	case NODE_EV_RESUME: net__wire_resume(net, ev->link); break;
	case NODE_EV_JOB: start_job(net, ev->u.job.id, ev->u.job.seal); break;
	case NODE_EV_JOB_CANCEL: workers_cancel(net->workers, ev->u.job.id); break;
	case NODE_EV_STOPPED:
		net->stopped = true;
		tell(net, ev);
		break;
	case NODE_EV_STEP:
	case NODE_EV_DOWN:
	case NODE_EV_MESSAGE:
	case NODE_EV_SHH: tell(net, ev); break;
	}
}

static void drain(struct net *net)
{
	struct node_event ev;

	while (!net->leave && node_poll(net->node, &ev))
		obey(net, &ev);
}

/* Until there is nothing to say and nothing to write; a peer that takes bytes as
 * fast as we make them does not keep the turn for ever. */
static void drain_and_write(struct net *net)
{
	for (unsigned round = 0; round < WRITE_ROUNDS; round++) {
		drain(net);
		if (net->leave)
			return;
		node_flush(net->node, net->now_ms);
		if (!net__wires_write(net))
			return;
		if (net_clock_ms() - net->now_ms >= WRITE_MS)
			break;
	}
	net->again = true;
}

/* --- a turn ------------------------------------------------------------------------------ */

/* Both clocks run alike; where their distance changed, somebody set the wall's. */
static void check_wall(struct net *net)
{
	int64_t wall_ms, moved_ms;

	if (net->now_ms - net->wall_checked_ms < 1000)
		return;
	net->wall_checked_ms = net->now_ms;
	wall_ms = net_wall_offset_ms();
	moved_ms = wall_ms - net->wall_ms;
	if (moved_ms > -NET__WALL_JUMP_MS && moved_ms < NET__WALL_JUMP_MS)
		return;
	net->wall_ms = wall_ms;
	node_set_wall_offset(net->node, wall_ms);
	log_line(&net->log, LOG_WARN, "wall_clock_set moved_ms=%lld", (long long)moved_ms);
}

static void take_results(struct net *net)
{
	struct workers_result r;

	if (!net->results_ready)
		return;
	net->results_ready = false;
	while (workers_next(net->workers, &r)) {
		if (r.done != NULL)
			r.done(r.arg, net->now_ms);
		else
			node_job_done(net->node, r.id, &r.progress, net->now_ms);
	}
}

static uint64_t next_deadline(const struct net *net)
{
	uint64_t at = node_deadline(net->node);

	at = u64_min(at, net__timers_deadline(net));
	at = u64_min(at, net__accept_deadline(net));
	return net->stop_ms ? u64_min(at, net->stop_ms) : at;
}

/* Set to the millisecond.  A deadline that moved away is left to ring in vain:
 * deadlines move with every message, and each setting is a system call. */
static void set_alarm(struct net *net)
{
	uint64_t at = next_deadline(net);
	struct itimerspec t = { .it_value = { .tv_nsec = 1 } };

	if (at <= net->now_ms)
		net->again = true;
	if (at >= net->alarm_ms || net->again)
		return;
	t.it_value.tv_sec = (time_t)(at / 1000);
	t.it_value.tv_nsec += (long)(at % 1000) * 1000000; /* 0 would mean never */
	if (timerfd_settime(net->alarm_fd, TFD_TIMER_ABSTIME, &t, NULL) == 0)
		net->alarm_ms = at;
	else
		net->again = true;
}

/* Peers' budgets bind while turns are long, and a little longer (hardening §3). */
static void set_pressure(struct net *net, bool is_slow)
{
	struct shh *shh;

	if (is_slow)
		net->slow_until_ms = net->now_ms + NET__PRESSURE_MS;
	if (net->pressure == (net->now_ms < net->slow_until_ms))
		return;
	net->pressure = !net->pressure;
	shh = node_shh(net->node);
	if (shh != NULL)
		shh_set_pressure(shh, net->pressure);
}

static void check_length(struct net *net)
{
	uint64_t took_ms = net_clock_ms() - net->now_ms;

	net->stats.turns++;
	set_pressure(net, took_ms > NET__SLOW_MS);
	if (took_ms <= NET__SLOW_MS)
		return;
	net->stats.slow_turns++;
	if (net->slow_warned_ms != 0 && net->now_ms - net->slow_warned_ms < 1000)
		return;
	net->slow_warned_ms = net->now_ms;
	log_line(&net->log, LOG_WARN, "loop_slow turn_ms=%llu slow_turns=%llu",
		 (unsigned long long)took_ms, (unsigned long long)net->stats.slow_turns);
}

static void turn(struct net *net)
{
	uint64_t now_ms = net_clock_ms();

	net->now_ms = u64_max(now_ms, net->now_ms);
	net->again = false;
	check_wall(net);
	drain(net); /* links whose share of the last turn was used up have another one */
	net__wires_read(net);
	net__accept_turn(net);
	take_results(net);
	net__lines_turn(net);
	net__timers_due(net);
	if (node_deadline(net->node) <= net->now_ms)
		node_tick(net->node, net->now_ms);
	drain_and_write(net);
	set_alarm(net);
	check_length(net);
}

static bool is_over(const struct net *net)
{
	return net->leave || net->stopped || (net->stop_ms != 0 && net->now_ms >= net->stop_ms);
}

enum err net_run(struct net *net)
{
	int look; /* without ONCE, libevent looks again as long as a socket is readable */

	net->leave = false;
	/* The first turn does not wait: the node may have something to say already. */
	for (;;) {
		turn(net);
		if (is_over(net))
			return OK;
		look = net->again ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE;
		if (event_base_loop(net->base, look) < 0)
			return ERR_IO;
	}
}

void net_stop(struct net *net)
{
	if (net->stop_ms != 0)
		return;
	/* a signal comes between turns, and the last one may be long ago */
	net->now_ms = u64_max(net_clock_ms(), net->now_ms);
	net->stop_ms = time_add(net->now_ms, NET_STOP_MS);
	net__listeners_close(net);
	if (net->node != NULL)
		node_stop(net->node, net->now_ms);
	net->again = true;
}

void net_break(struct net *net)
{
	net->leave = true;
}
