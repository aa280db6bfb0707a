/* SPDX-License-Identifier: MIT */
/* tests/shh_world.c - a few Whisper machines, linked, in virtual time. */
#include "tests/shh_world.h"

#include <string.h>

void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->now_ms = 1000;
}

void world_config(struct shh_config *cfg)
{
	shh_config_init(cfg);
	cfg->min_pow = 0.001;
	cfg->confirmations = false; /* four items in Status, as geth and nim-eth have */
}

void world_node(struct world *w, int node, const struct shh_config *given)
{
	struct world_node *n = &w->node[node];
	struct shh_config cfg;
	const char *what = NULL;

	world_config(&cfg);
	if (given != NULL)
		cfg = *given;
	mem_init(&n->mem);
	n->rng = rng_seeded_init(&n->seed, (uint64_t)node + 1);
	assert_int_equal(crypto_new(&n->crypto, &n->rng), OK);
	cfg.crypto = n->crypto;
	cfg.mem = &n->mem;
	cfg.rng = n->rng;
	cfg.wall_offset_ms = (int64_t)(WORLD_START_S * 1000 - 1000) + cfg.wall_offset_ms;
	assert_int_equal(shh_new(&n->shh, &cfg, &what, w->now_ms), OK);
}

static void end_clear(struct world_end *e)
{
	for (size_t i = 0; i < e->in_count; i++)
		blob_unref(e->in[i].blob);
	e->in_count = 0;
}

void world_fini(struct world *w)
{
	for (size_t i = 0; i < WORLD_LINKS * 2; i++)
		end_clear(&w->end[i]);
	for (int i = 0; i < WORLD_NODES; i++) {
		struct world_node *n = &w->node[i];

		if (n->shh == NULL)
			continue;
		shh_free(n->shh);
		crypto_free(n->crypto);
		assert_int_equal(n->mem.total_used, 0);
	}
}

static int end_new(struct world *w, int node)
{
	for (int i = 0; i < WORLD_LINKS * 2; i++)
		if (!w->end[i].used) {
			w->end[i].used = true;
			w->end[i].node = node;
			return i;
		}
	fail_msg("no link left");
	return -1;
}

static void end_join(struct world *w, int end, const struct shh_peer_info *info)
{
	struct world_end *e = &w->end[end];

	assert_int_equal(shh_peer_add(w->node[e->node].shh, &e->peer, info, w->now_ms), OK);
}

int world_link(struct world *w, int a, const char *a_name, int b, const char *b_name)
{
	int ea = end_new(w, a), eb = end_new(w, b);

	w->end[ea].other = eb;
	w->end[eb].other = ea;
	end_join(w, ea, &(struct shh_peer_info){ .client = b_name, .host_key = (uint64_t)b + 1 });
	end_join(w, eb, &(struct shh_peer_info){ .client = a_name, .host_key = (uint64_t)a + 1 });
	world_settle(w);
	return ea;
}

int world_guest(struct world *w, int node, const struct shh_peer_info *info)
{
	int mine = end_new(w, -1), its = end_new(w, node);

	w->end[mine].other = its;
	w->end[its].other = mine;
	end_join(w, its, info);
	world_settle(w);
	return mine;
}

struct world_end *world_other(struct world *w, int end)
{
	return &w->end[w->end[end].other];
}

enum err world_send(struct world *w, int end, uint32_t code, struct span payload)
{
	struct world_end *o = world_other(w, end);
	enum err err = shh_recv(w->node[o->node].shh, o->peer, code, payload, w->now_ms);

	world_settle(w);
	return err;
}

void world_hello(struct world *w, int end, double min_pow)
{
	struct shh_status st = { .form = SHH_STATUS_FOUR, .min_pow = min_pow };
	uint8_t packet[SHH_STATUS_MAX];
	size_t len = shh_status_write(packet, sizeof(packet), &st);

	assert_int_equal(world_send(w, end, SHH_STATUS, span_of(packet, len)), OK);
}

void world_unlink(struct world *w, int end)
{
	for (int i = 0; i < 2; i++, end = w->end[end].other) {
		struct world_end *e = &w->end[end];

		if (e->node >= 0 && !e->gone)
			shh_peer_remove(w->node[e->node].shh, e->peer, w->now_ms);
		e->gone = true;
	}
	world_settle(w);
}

static struct world_end *end_of(struct world *w, int node, uint32_t peer)
{
	for (int i = WORLD_LINKS * 2 - 1; i >= 0; i--)
		if (w->end[i].used && w->end[i].node == node && w->end[i].peer == peer)
			return &w->end[i];
	fail_msg("an event for peer %u that node %d does not have", peer, node);
	return NULL;
}

static void on_send(struct world *w, struct world_end *from, const struct shh_event *ev)
{
	struct world_end *to = &w->end[from->other];

	assert_true(to->in_count < sizeof(to->in) / sizeof(to->in[0]));
	to->in[to->in_count].code = ev->u.send.code;
	to->in[to->in_count].ms = w->now_ms;
	to->in[to->in_count++].blob = ev->u.send.payload;
	if (from->node >= 0) /* the transport drains at once */
		shh_peer_credit(w->node[from->node].shh, from->peer, 1u << 20, w->now_ms);
}

static void on_message(struct world *w, int node, const struct shh_event *ev)
{
	struct world_message *m;

	assert_true(w->heard_count < WORLD_HEARD);
	m = &w->heard[w->heard_count++];
	m->node = (uint32_t)node;
	m->filter = ev->u.message.filter;
	m->len = size_min(ev->u.message.plain->payload.len, sizeof(m->payload));
	if (m->len > 0)
		memcpy(m->payload, ev->u.message.plain->payload.data, m->len);
	m->direct = ev->u.message.direct;
	m->sent_s = ev->u.message.sent_s;
	m->pow = ev->u.message.pow;
}

static void on_job(struct world *w, int node, const struct shh_event *ev)
{
	struct world_node *n = &w->node[node];
	struct shh_seal_progress p = { 0 };
	struct shh_seal_job job = *ev->u.job.seal;
	uint32_t id = ev->u.job.id;

	n->jobs++;
	if (n->hold_jobs) {
		n->held = job;
		n->held_job = id;
		return;
	}
	while (!p.done)
		shh_seal_run(&job, &p, 4096);
	n->hashes += p.next;
	shh_job_done(n->shh, id, &p, w->now_ms);
}

static void on_event(struct world *w, int node, const struct shh_event *ev)
{
	struct world_node *n = &w->node[node];
	struct world_end *e;

	switch (ev->type) {
	case SHH_EV_SEND: on_send(w, end_of(w, node, ev->peer), ev); break;
	case SHH_EV_DROP:
		e = end_of(w, node, ev->peer);
		e->gone = true;
		e->drop = ev->u.drop.err;
		assert_non_null(ev->u.drop.why);
		e = &w->end[e->other];
		if (e->node >= 0 && !e->gone)
			shh_peer_remove(w->node[e->node].shh, e->peer, w->now_ms);
		e->gone = true;
		break;
	case SHH_EV_PAUSE:
		e = end_of(w, node, ev->peer);
		e->pause_ms = ev->u.pause.until_ms;
		e->pauses++;
		break;
	case SHH_EV_READY:
	case SHH_EV_DIALECT:
		e = end_of(w, node, ev->peer);
		e->ready = true;
		e->dialect = ev->u.ready.dialect;
		e->dialects += ev->type == SHH_EV_DIALECT;
		e->status = *ev->u.ready.status;
		break;
	case SHH_EV_MESSAGE: on_message(w, node, ev); break;
	case SHH_EV_POSTED:
		assert_true(n->posted_count < 512);
		n->posted[n->posted_count].id = ev->u.posted.id;
		n->posted[n->posted_count].err = ev->u.posted.err;
		n->posted[n->posted_count].pow = ev->u.posted.pow;
		memcpy(n->posted[n->posted_count++].hash, ev->u.posted.hash, 32);
		break;
	case SHH_EV_JOB: on_job(w, node, ev); break;
	case SHH_EV_JOB_CANCEL: n->cancels++; break;
	case SHH_EV_CONFIRMED:
		e = end_of(w, node, ev->peer);
		e->confirmed++;
		e->refused += ev->u.confirmed.refused;
		break;
	}
}

static bool drain(struct world *w)
{
	bool any = false;
	struct shh_event ev;

	for (int i = 0; i < WORLD_NODES; i++)
		while (w->node[i].shh != NULL && shh_poll(w->node[i].shh, &ev)) {
			on_event(w, i, &ev);
			any = true;
		}
	return any;
}

/* Hand over what machines have been sent; the test's own ends keep it. */
static bool deliver(struct world *w)
{
	bool any = false;

	for (int i = 0; i < WORLD_LINKS * 2; i++) {
		struct world_end *e = &w->end[i];

		for (size_t k = 0; e->node >= 0 && k < e->in_count; k++) {
			struct blob *b = e->in[k].blob;

			if (!e->gone)
				(void)!shh_recv(w->node[e->node].shh, e->peer, e->in[k].code,
						span_of(b->data, b->len), w->now_ms);
			any = true;
		}
		if (e->node >= 0)
			end_clear(e);
	}
	return any;
}

void world_settle(struct world *w)
{
	bool any = true;

	for (unsigned turns = 0; any; turns++) {
		any = drain(w);
		any = deliver(w) || any;
		assert_true(turns < 100000);
	}
}

void world_run(struct world *w, uint64_t ms)
{
	uint64_t end = w->now_ms + ms;

	world_settle(w);
	while (w->now_ms < end) {
		uint64_t due = end;

		for (int i = 0; i < WORLD_NODES; i++)
			if (w->node[i].shh != NULL)
				due = u64_min(due, shh_deadline(w->node[i].shh));
		w->now_ms = u64_max(due, w->now_ms + 1);
		for (int i = 0; i < WORLD_NODES; i++)
			if (w->node[i].shh != NULL)
				shh_tick(w->node[i].shh, w->now_ms);
		world_settle(w);
	}
}

uint64_t world_now_s(const struct world *w)
{
	return WORLD_START_S + (w->now_ms - 1000) / 1000;
}

struct shh_topic world_topic(uint32_t topic)
{
	struct shh_topic t;

	be32_store(t.b, topic);
	return t;
}

static struct symkey key_of(uint8_t key)
{
	struct symkey k;

	memset(k.b, key, sizeof(k.b));
	return k;
}

uint32_t world_post(struct world *w, int node, uint8_t key, uint32_t topic, const char *text,
		    uint32_t ttl_s, double pow)
{
	struct symkey k = key_of(key);
	struct shh_post post = { .sym = &k, .topic = world_topic(topic), .direct = -1 };
	uint32_t id;

	post.payload = span_of(text, strlen(text));
	post.ttl_s = ttl_s;
	post.pow = pow;
	assert_int_equal(shh_post(w->node[node].shh, &id, &post, w->now_ms), OK);
	world_settle(w);
	return id;
}

uint32_t world_filter(struct world *w, int node, uint8_t key, const uint32_t *topics, size_t count)
{
	struct symkey k = key_of(key);
	struct shh_topic t[16];
	struct shh_filter f = { .sym = &k, .topics = t, .topic_count = count, .direct = true };
	uint32_t id;

	assert_true(count <= 16);
	for (size_t i = 0; i < count; i++)
		t[i] = world_topic(topics[i]);
	assert_int_equal(shh_filter_add(w->node[node].shh, &id, &f, w->now_ms), OK);
	world_settle(w);
	return id;
}

size_t world_count(const struct world *w, int node, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < w->heard_count; i++)
		n += w->heard[i].node == (uint32_t)node && w->heard[i].len == strlen(text) &&
		     memcmp(w->heard[i].payload, text, strlen(text)) == 0;
	return n;
}

/* --- envelopes made by hand ------------------------------------------------------ */

static double best(const struct shh_envelope *env, enum shh_digest d)
{
	unsigned bits = shh_work_bits(env->content, env->nonce, d);
	double most = 0;

	for (enum shh_rule r = 0; r < SHH_RULES; r++)
		if (shh_rule_digest(r) == d) {
			double v = shh_work_value(r, bits, env);

			most = v > most ? v : most;
		}
	return most;
}

static double least(const struct shh_envelope *env, enum shh_digest d)
{
	unsigned bits = shh_work_bits(env->content, env->nonce, d);
	double low = 1e300;

	for (enum shh_rule r = 0; r < SHH_RULES; r++)
		if (shh_rule_digest(r) == d) {
			double v = shh_work_value(r, bits, env);

			low = v < low ? v : low;
		}
	return low;
}

void made_envelope(struct made *m, uint64_t expiry, uint64_t ttl, uint32_t topic, uint8_t fill,
		   size_t len, enum shh_digest d, double target)
{
	enum shh_digest other = d == SHH_DIGEST_DOUBLE ? SHH_DIGEST_SINGLE : SHH_DIGEST_DOUBLE;
	uint8_t data[2048], content[2200];
	size_t content_len;
	struct rlp_reader r;

	assert_true(len <= sizeof(data));
	memset(data, fill, len);
	content_len = shh_content_write(content, sizeof(content), expiry, ttl, world_topic(topic),
					span_of(data, len));
	assert_true(content_len > 0);
	for (uint64_t nonce = 0;; nonce++) {
		m->len = shh_envelope_write(m->raw, span_of(content, content_len), nonce);
		r = rlp_reader_init(m->raw, m->len);
		assert_int_equal(shh_envelope_read(&m->env, &r), OK);
		if (target <= 0 || (least(&m->env, d) >= target && best(&m->env, other) < target))
			return;
	}
}

struct span made_packet(const struct made *m, size_t count)
{
	static uint8_t out[1u << 20];
	struct rlp_writer w = rlp_writer_init(out, sizeof(out));
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += m[i].len;
	rlp_write_list(&w, size);
	for (size_t i = 0; i < count; i++)
		rlp_write_raw(&w, m[i].raw, m[i].len);
	assert_int_equal(w.err, OK);
	return span_of(out, w.len);
}

size_t end_envelopes(const struct world_end *e, const struct made *m)
{
	struct shh_envelope first;

	return end_find(e, m, &first);
}

size_t end_find(const struct world_end *e, const struct made *m, struct shh_envelope *first)
{
	size_t n = 0;

	for (size_t i = 0; i < e->in_count; i++) {
		struct rlp_reader r, list;
		struct shh_envelope env;

		if (e->in[i].code != SHH_MESSAGES)
			continue;
		r = rlp_reader_init(e->in[i].blob->data, e->in[i].blob->len);
		rlp_read_list(&r, &list);
		while (!rlp_reader_at_end(&list)) {
			assert_int_equal(shh_envelope_read(&env, &list), OK);
			if (m != NULL && !span_eq(env.content, m->env.content))
				continue;
			if (n++ == 0)
				*first = env;
		}
		assert_int_equal(rlp_reader_err(&list), OK);
	}
	return n;
}

size_t end_packets(const struct world_end *e, uint32_t code)
{
	size_t n = 0;

	for (size_t i = 0; i < e->in_count; i++)
		n += e->in[i].code == code;
	return n;
}
