/* SPDX-License-Identifier: MIT */
/* tests/nodes.c - the simulator's world in the hands of a unit test. */
#include "tests/nodes.h"

#include <stdlib.h>
#include <string.h>

static const struct symkey channel = { { 's', 'o', 't', 't', 'o' } };
static const struct shh_topic topic = { { 't', 'e', 's', 't' } };

/* --- recording ----------------------------------------------------------------------- */

static void keep_payload(struct nodes_event *e, struct span payload)
{
	e->len = payload.len;
	memcpy(e->payload, payload.data, size_min(payload.len, sizeof(e->payload)));
}

static void keep_step(struct nodes_event *e, const struct node_event *ev)
{
	e->step = ev->u.step.step;
	e->inbound = ev->u.step.inbound;
	e->has_id = ev->u.step.id != NULL;
	if (e->has_id)
		e->id = *ev->u.step.id;
	e->dialect = ev->u.step.dialect;
}

static void keep_down(struct nodes_event *e, const struct node_event *ev)
{
	e->err = ev->u.down.err;
	e->by_peer = ev->u.down.by_peer;
	e->reason = ev->u.down.reason;
	e->step = ev->u.down.reached;
	e->has_id = ev->u.down.id != NULL;
	if (e->has_id)
		e->id = *ev->u.down.id;
}

static void record(void *ctx, uint32_t host, const struct node_event *ev)
{
	struct nodes *t = ctx;
	struct nodes_event *e = &t->ev[t->count];

	assert_true(t->count < NODES_EVENTS_MAX);
	t->count++;
	memset(e, 0, sizeof(*e));
	e->at_ms = sim_now_ms(t->w);
	e->host = host;
	e->type = ev->type;
	e->link = ev->link;
	switch (ev->type) {
	case NODE_EV_STEP: keep_step(e, ev); break;
	case NODE_EV_DOWN: keep_down(e, ev); break;
	case NODE_EV_MESSAGE:
		e->extra = ev->u.message.extra;
		e->code = ev->u.message.code;
		keep_payload(e, ev->u.message.payload);
		break;
	case NODE_EV_SHH:
		e->shh = ev->u.shh->type;
		if (e->shh == SHH_EV_MESSAGE)
			keep_payload(e, ev->u.shh->u.message.plain->payload);
		else if (e->shh == SHH_EV_POSTED)
			e->err = ev->u.shh->u.posted.err;
		break;
	case NODE_EV_DIAL:
	case NODE_EV_CLOSE:
	case NODE_EV_PAUSE:
	case NODE_EV_RESUME:
	case NODE_EV_JOB:
	case NODE_EV_JOB_CANCEL:
	case NODE_EV_STOPPED: break;
	}
	if (t->on_event)
		t->on_event(t, host, ev);
}

/* --- making ---------------------------------------------------------------------------- */

static void say(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	print_message("%s\n", line);
}

void nodes_world(struct nodes *t, uint64_t seed, size_t chunk_max, uint64_t delay_ms)
{
	struct sim_config cfg = {
		.seed = seed,
		.log = { say, NULL, LOG_DEBUG },
		.shape = { .delay_ms = delay_ms, .chunk_max = chunk_max },
		.event = record,
		.ctx = t,
	};

	memset(t, 0, sizeof(*t));
	t->seed = seed;
	print_message("seed=%llu chunk=%zu\n", (unsigned long long)seed, chunk_max);
	t->ev = calloc(NODES_EVENTS_MAX, sizeof(*t->ev));
	assert_non_null(t->ev);
	if (!getenv("NODES_LOG"))
		cfg.log.write = NULL;
	assert_int_equal(sim_new(&t->w, &cfg), OK);
}

uint32_t nodes_add(struct nodes *t, const struct node_config *cfg, const struct ip *ip)
{
	uint32_t host;

	assert_int_equal(sim_host_add(t->w, &host, cfg, ip, 0), OK);
	assert_int_equal(sim_start(t->w, host), OK);
	return host;
}

void nodes_config(struct node_config *cfg)
{
	node_config_init(cfg);
	cfg->shh.min_pow = 0.001;
}

void nodes_open(struct nodes *t, unsigned count, uint64_t seed, size_t chunk_max)
{
	struct node_config cfg;

	nodes_config(&cfg);
	nodes_world(t, seed, chunk_max, 1);
	for (unsigned i = 0; i < count; i++)
		nodes_add(t, &cfg, NULL);
}

void nodes_close(struct nodes *t)
{
	nodes_audit(t);
	for (uint32_t i = 0; i < sim_host_count(t->w); i++)
		sim_kill(t->w, i);
	assert_null(sim_fault(t->w));
	sim_free(t->w);
	free(t->ev);
}

/* --- driving ------------------------------------------------------------------------------ */

struct node *nodes_at(struct nodes *t, uint32_t host)
{
	struct node *n = sim_node(t->w, host);

	assert_non_null(n);
	return n;
}

uint64_t nodes_now(const struct nodes *t)
{
	return sim_now_ms(t->w);
}

void nodes_run(struct nodes *t, uint64_t ms)
{
	sim_pass(t->w, ms);
	if (sim_fault(t->w))
		fail_msg("%s", sim_fault(t->w));
}

void nodes_audit(struct nodes *t)
{
	nodes_run(t, 0);
	for (uint32_t i = 0; i < sim_host_count(t->w); i++) {
		const struct node *n = sim_look(t->w, i);
		const char *fault = n ? node_audit(n) : NULL;

		if (fault)
			fail_msg("node %u: %s", i, fault);
	}
}

void nodes_name(struct nodes *t, uint32_t a, uint32_t b, unsigned kinds)
{
	struct enode e;

	sim_enode(t->w, b, &e);
	assert_int_equal(node_peer_add(nodes_at(t, a), &e, kinds, nodes_now(t)), OK);
}

void nodes_join(struct nodes *t, uint32_t a, uint32_t b)
{
	nodes_name(t, a, b, NODE_STATIC);
}

static uint32_t count_links(struct nodes *t, uint32_t host, enum node_step reached)
{
	const struct node *n = sim_look(t->w, host);
	struct node_link_info info;
	uint32_t cursor = 0, count = 0;

	while (n && node_link_next(n, &cursor, &info))
		count += info.reached >= reached;
	return count;
}

uint32_t nodes_peers(struct nodes *t, uint32_t host)
{
	const struct node *n = sim_look(t->w, host);
	struct node_stats stats = { 0 };

	if (n)
		node_stats(n, &stats);
	return stats.peers;
}

uint32_t nodes_ready(struct nodes *t, uint32_t host)
{
	return count_links(t, host, NODE_STEP_READY);
}

bool nodes_until_ready(struct nodes *t, uint32_t host, uint32_t count, uint64_t ms)
{
	uint64_t until = nodes_now(t) + ms;

	while (nodes_ready(t, host) != count)
		if (!sim_step(t->w, until))
			break;
	return nodes_ready(t, host) == count;
}

/* --- looking back --------------------------------------------------------------------------- */

const struct nodes_event *nodes_last(const struct nodes *t, uint32_t host,
				     enum node_event_type type)
{
	for (size_t i = t->count; i > 0; i--)
		if (t->ev[i - 1].host == host && t->ev[i - 1].type == type)
			return &t->ev[i - 1];
	return NULL;
}

size_t nodes_events(const struct nodes *t, uint32_t host, enum node_event_type type)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += t->ev[i].host == host && t->ev[i].type == type;
	return n;
}

/* --- messages --------------------------------------------------------------------------------- */

void nodes_listen(struct nodes *t, uint32_t host)
{
	struct shh_filter f = { .sym = &channel, .topics = &topic, .topic_count = 1 };
	uint32_t id;

	assert_int_equal(shh_filter_add(node_shh(nodes_at(t, host)), &id, &f, nodes_now(t)), OK);
}

void nodes_post(struct nodes *t, uint32_t host, const char *text)
{
	struct shh_post post = {
		.sym = &channel,
		.topic = topic,
		.payload = span_of(text, strlen(text)),
		.pow = 0.001,
		.direct = -1,
	};
	uint32_t id;

	assert_int_equal(shh_post(node_shh(nodes_at(t, host)), &id, &post, nodes_now(t)), OK);
}

size_t nodes_heard(const struct nodes *t, uint32_t host, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct nodes_event *e = &t->ev[i];

		n += e->host == host && e->type == NODE_EV_SHH && e->shh == SHH_EV_MESSAGE &&
		     e->len == strlen(text) &&
		     memcmp(e->payload, text, size_min(e->len, sizeof(e->payload))) == 0;
	}
	return n;
}
