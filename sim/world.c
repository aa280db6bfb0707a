/* SPDX-License-Identifier: MIT */
/* sim/world.c - virtual time: a heap of events, and the turns of hosts.
 *
 * What happens in one millisecond happens in order: first its events, in the
 * order in which they were made, then the turns of the hosts that these
 * touched, in the order in which they were touched, until nothing is left.
 * Then time goes on to the next event.
 */
#include "sim/inside.h"

#include <stdio.h>
#include <stdlib.h>

#define START_MS  1000
#define JOB_SLICE 4096

/* --- chance, trace, room ------------------------------------------------------------ */

uint64_t sim__chance(struct sim_world *w, uint64_t below)
{
	uint64_t n = 0;

	if (rng_below(&w->port, &n, below) != OK)
		w->fault = "no chance left";
	return n;
}

void sim__note(struct sim_world *w, char what, uint32_t a, uint32_t b, const void *data, size_t len)
{
	uint8_t head[21];

	head[0] = (uint8_t)what;
	be64_store(head + 1, w->now_ms);
	be32_store(head + 9, a);
	be32_store(head + 13, b);
	be32_store(head + 17, (uint32_t)len);
	keccak_update(&w->trace, head, sizeof(head));
	if (len > 0)
		keccak_update(&w->trace, data, len);
}

void *sim__grow(struct sim_world *w, void *at, size_t *room, size_t need, size_t size)
{
	size_t to = *room ? *room : 16;
	void *grown;

	if (need <= *room)
		return at;
	while (to < need)
		to *= 2;
	grown = reallocarray(at, to, size);
	if (!grown) {
		w->fault = "no memory";
		return at;
	}
	memset((uint8_t *)grown + *room * size, 0, (to - *room) * size);
	*room = to;
	return grown;
}

/* --- heap of events --------------------------------------------------------------------- */

static bool before(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

void sim__at(struct sim_world *w, uint64_t at_ms, enum event_kind kind, uint32_t what,
	     uint32_t life)
{
	struct event e = { at_ms, w->seq++, kind, what, life };
	size_t at = w->heap_count;

	w->heap = sim__grow(w, w->heap, &w->heap_room, at + 1, sizeof(e));
	if (w->fault)
		return;
	w->heap_count++;
	while (at > 0 && before(&e, &w->heap[(at - 1) / 2])) {
		w->heap[at] = w->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	w->heap[at] = e;
}

static struct event take_first(struct sim_world *w)
{
	struct event first = w->heap[0], last = w->heap[--w->heap_count];
	size_t at = 0;

	for (size_t child = 1; child < w->heap_count; child = 2 * at + 1) {
		if (child + 1 < w->heap_count && before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!before(&w->heap[child], &last))
			break;
		w->heap[at] = w->heap[child];
		at = child;
	}
	w->heap[at] = last;
	return first;
}

/* --- jobs ------------------------------------------------------------------------------------ */

static void job_begin(struct sim_world *w, uint32_t host, uint32_t id,
		      const struct shh_seal_job *seal)
{
	struct shh_seal_progress p = { .next = 0 };
	uint64_t max = (uint64_t)1 << 26;
	struct job *job;
	size_t i;

	max = u64_min(max, seal->hashes_max);
	if (seal->time_ms > 0)
		max = u64_min(max, (uint64_t)seal->time_ms * SIM_HASH_RATE / 1000);
	while (!p.done && p.next < max)
		shh_seal_run(seal, &p, u64_min(JOB_SLICE, max - p.next));
	for (i = 0; i < w->job_room && w->job[i].used;)
		i++;
	w->job = sim__grow(w, w->job, &w->job_room, i + 1, sizeof(*job));
	if (w->fault)
		return;
	job = &w->job[i];
	*job = (struct job){
		.used = true,
		.host = host,
		.host_life = w->host[host]->life,
		.id = id,
		.life = job->life + 1,
		.result = p,
	};
	sim__at(w, w->now_ms + p.next * 1000 / SIM_HASH_RATE, EVENT_JOB, (uint32_t)i, job->life);
}

static void job_cancel(struct sim_world *w, uint32_t host, uint32_t id)
{
	for (size_t i = 0; i < w->job_room; i++)
		if (w->job[i].used && w->job[i].host == host && w->job[i].id == id)
			w->job[i].used = false;
}

static void on_job(struct sim_world *w, uint32_t at, uint32_t life)
{
	struct job *job = &w->job[at];
	struct host *h;

	if (!job->used || job->life != life)
		return;
	job->used = false;
	h = w->host[job->host];
	if (!h->node || h->life != job->host_life)
		return;
	sim__note(w, 'j', job->host, job->id, &job->result.nonce, sizeof(job->result.nonce));
	node_job_done(h->node, job->id, &job->result, w->now_ms);
	sim__wake(w, job->host);
}

/* --- turns ------------------------------------------------------------------------------------- */

void sim__wake(struct sim_world *w, uint32_t host)
{
	struct host *h = w->host[host];

	if (h->waits)
		return;
	h->waits = true;
	h->next = NOBODY;
	*(w->wait_head == NOBODY ? &w->wait_head : &w->host[w->wait_tail]->next) = host;
	w->wait_tail = host;
}

static void obey(struct sim_world *w, uint32_t host, const struct node_event *ev)
{
	sim__note(w, 'e', host, (uint32_t)ev->type << 16 | ev->link, NULL, 0);
	switch (ev->type) {
	case NODE_EV_DIAL: sim__dial(w, host, ev->link, &ev->u.endpoint); return;
	case NODE_EV_CLOSE: sim__hang_up(w, host, ev->link); return;
	case NODE_EV_PAUSE: sim__rest(w, host, ev->link); return;
	case NODE_EV_RESUME: sim__resume(w, host, ev->link); return;
	case NODE_EV_JOB: job_begin(w, host, ev->u.job.id, ev->u.job.seal); return;
	case NODE_EV_JOB_CANCEL: job_cancel(w, host, ev->u.job.id); return;
	case NODE_EV_STEP:
	case NODE_EV_DOWN:
	case NODE_EV_MESSAGE:
	case NODE_EV_SHH:
	case NODE_EV_STOPPED: break;
	}
	if (w->cfg.event)
		w->cfg.event(w->cfg.ctx, host, ev);
}

static bool spins(struct sim_world *w, struct host *h)
{
	if (h->turn_ms != w->now_ms)
		h->turns = 0;
	h->turn_ms = w->now_ms;
	if (++h->turns <= SIM_TURNS_MAX)
		return false;
	w->fault = "a node spins without time passing";
	return true;
}

/* Once a second, as hardening P8 asks. */
static void audit(struct sim_world *w, struct host *h)
{
	const char *fault;

	if (w->now_ms < h->audit_ms)
		return;
	h->audit_ms = w->now_ms + 1000;
	fault = node_audit(h->node);
	if (fault)
		w->fault = fault;
}

static void turn(struct sim_world *w, uint32_t host)
{
	struct host *h = w->host[host];
	struct node_event ev;
	uint64_t due;
	uint32_t link;

	if (!h->node || spins(w, h))
		return;
	if (node_deadline(h->node) <= w->now_ms)
		node_tick(h->node, w->now_ms);
	while (h->node && node_poll(h->node, &ev)) {
		if (ev.type == NODE_EV_STOPPED) {
			obey(w, host, &ev);
			sim_kill(w, host);
			return;
		}
		obey(w, host, &ev);
	}
	audit(w, h);
	node_flush(h->node, w->now_ms);
	while (node_next_writable(h->node, &link))
		sim__write(w, host, link);
	due = node_deadline(h->node);
	if (due <= w->now_ms) {
		sim__wake(w, host);
	} else if (due != UINT64_MAX && due != h->due_ms) {
		h->due_ms = due;
		sim__at(w, due, EVENT_DUE, host, h->life);
	}
}

static void on_due(struct sim_world *w, const struct event *e)
{
	struct host *h = w->host[e->what];

	if (h->life != e->life || h->due_ms != e->at_ms)
		return; /* it was put off since */
	h->due_ms = UINT64_MAX;
	sim__wake(w, e->what);
}

static void happen(struct sim_world *w, const struct event *e)
{
	switch (e->kind) {
	case EVENT_DUE: on_due(w, e); break;
	case EVENT_ARRIVE: sim__on_arrive(w, e->what, e->life); break;
	case EVENT_CONNECT: sim__on_connect(w, e->what, e->life); break;
	case EVENT_CONNECTED: sim__on_connected(w, e->what, e->life); break;
	case EVENT_JOB: on_job(w, e->what, e->life); break;
	case EVENT_CALL:
		if (w->cfg.call)
			w->cfg.call(w->cfg.ctx, e->what);
		break;
	}
}

void sim_call_at(struct sim_world *w, uint64_t at_ms, uint32_t what)
{
	sim__at(w, u64_max(at_ms, w->now_ms), EVENT_CALL, what, 0);
}

bool sim_step(struct sim_world *w, uint64_t until_ms)
{
	struct event e;

	if (w->fault)
		return false;
	if (w->wait_head != NOBODY && (w->heap_count == 0 || w->heap[0].at_ms > w->now_ms)) {
		uint32_t host = w->wait_head;

		w->wait_head = w->host[host]->next;
		w->host[host]->waits = false;
		turn(w, host);
		return true;
	}
	if (w->heap_count == 0 || w->heap[0].at_ms > until_ms) {
		w->now_ms = u64_max(w->now_ms, until_ms);
		return false;
	}
	e = take_first(w);
	w->now_ms = u64_max(w->now_ms, e.at_ms);
	happen(w, &e);
	return true;
}

void sim_pass(struct sim_world *w, uint64_t for_ms)
{
	uint64_t until = time_add(w->now_ms, for_ms);

	while (sim_step(w, until))
		;
}

/* --- hosts ---------------------------------------------------------------------------------------- */

static void host_log(void *ctx, enum log_level level, const char *line)
{
	const struct host *h = ctx;
	const struct log *log = &h->world->cfg.log;

	log_line(log, level, "%llu.%03llu %s %s", (unsigned long long)(h->world->now_ms / 1000),
		 (unsigned long long)(h->world->now_ms % 1000), h->name, line);
}

static struct ip lan_ip(uint32_t host)
{
	uint8_t b[4] = { 10, (uint8_t)(host >> 8), (uint8_t)host, 1 };

	return ip_from4(b);
}

/* Each life of a host has its own stream of chance; its key comes from the first. */
static struct rng host_rng(struct sim_world *w, uint32_t host)
{
	struct host *h = w->host[host];

	return rng_seeded_init(&h->rng, w->cfg.seed ^ ((uint64_t)(host + 1) << 32) ^
						((uint64_t)h->life << 16));
}

enum err sim_host_add(struct sim_world *w, uint32_t *host, const struct node_config *cfg,
		      const struct ip *ip, int64_t clock_offset_ms)
{
	uint32_t at = w->host_count;
	struct rng rng;
	struct host *h;
	enum err err;

	if (at == SIM_HOSTS_MAX)
		return ERR_FULL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return ERR_MEM;
	w->host[at] = h;
	h->cfg = *cfg;
	h->world = w;
	h->at.ip = ip ? *ip : lan_ip(at);
	h->at.tcp = h->at.udp = 30303;
	h->clock_offset_ms = clock_offset_ms;
	h->due_ms = UINT64_MAX;
	snprintf(h->name, sizeof(h->name), "host=%u", at);
	memset(h->wire, 0xff, sizeof(h->wire));
	rng = host_rng(w, at);
	err = seckey_generate(w->crypto, &h->key, &rng);
	if (!err)
		err = pubkey_of(w->crypto, &h->id, &h->key);
	if (err) {
		free(h);
		return err;
	}
	w->host_count++;
	*host = at;
	return OK;
}

static int64_t wall_offset(const struct host *h)
{
	return (int64_t)SIM_EPOCH_MS + h->clock_offset_ms;
}

uint64_t sim_wall_s(const struct sim_world *w, uint32_t host)
{
	return (uint64_t)((int64_t)w->now_ms + wall_offset(w->host[host])) / 1000;
}

enum err sim_start(struct sim_world *w, uint32_t host)
{
	struct host *h = w->host[host];
	struct node_config cfg = h->cfg;
	const char *what = NULL;
	enum err err;

	if (h->node)
		return ERR_STATE;
	h->life++;
	mem_init(&h->mem);
	cfg.key = &h->key;
	cfg.crypto = w->crypto;
	cfg.mem = &h->mem;
	cfg.rng = host_rng(w, host);
	cfg.log = (struct log){ host_log, h, w->cfg.log.level };
	if (!w->cfg.log.write)
		cfg.log.write = NULL;
	cfg.wall_offset_ms = wall_offset(h);
	cfg.listen_port = h->at.tcp;
	err = node_new(&h->node, &cfg, &what, w->now_ms);
	if (err) {
		log_line(&w->cfg.log, LOG_ERROR, "%s cannot start err=%s what=%s", h->name,
			 err_name(err), what ? what : "-");
		return err;
	}
	sim__note(w, 'u', host, h->life, h->id.b, sizeof(h->id.b));
	sim__wake(w, host);
	return OK;
}

void sim_stop(struct sim_world *w, uint32_t host)
{
	if (!w->host[host]->node)
		return;
	node_stop(w->host[host]->node, w->now_ms);
	sim__wake(w, host);
}

void sim_kill(struct sim_world *w, uint32_t host)
{
	struct host *h = w->host[host];

	if (!h->node)
		return;
	sim__note(w, 'k', host, h->life, NULL, 0);
	if (w->cfg.closing)
		w->cfg.closing(w->cfg.ctx, host, h->node);
	sim__break_all(w, host);
	node_free(h->node);
	h->node = NULL;
	h->life++;
	h->due_ms = UINT64_MAX;
	for (size_t i = 0; i < w->job_room; i++)
		if (w->job[i].host == host)
			w->job[i].used = false;
	if (h->mem.total_used != 0)
		w->fault = "a node gave back less memory than it took";
}

void sim_clock(struct sim_world *w, uint32_t host, int64_t offset_ms)
{
	struct host *h = w->host[host];

	h->clock_offset_ms = offset_ms;
	if (!h->node)
		return;
	node_set_wall_offset(h->node, wall_offset(h));
	sim__wake(w, host);
}

struct node *sim_node(struct sim_world *w, uint32_t host)
{
	if (w->host[host]->node)
		sim__wake(w, host);
	return w->host[host]->node;
}

const struct node *sim_look(const struct sim_world *w, uint32_t host)
{
	return w->host[host]->node;
}

struct mem *sim_mem(struct sim_world *w, uint32_t host)
{
	return &w->host[host]->mem;
}

void sim_enode(const struct sim_world *w, uint32_t host, struct enode *out)
{
	memset(out, 0, sizeof(*out));
	out->id = w->host[host]->id;
	out->has_endpoint = true;
	out->at = w->host[host]->at;
}

uint32_t sim__host_at(const struct sim_world *w, const struct endpoint *at)
{
	for (uint32_t i = 0; i < w->host_count; i++)
		if (ip_eq(&w->host[i]->at.ip, &at->ip) && w->host[i]->at.tcp == at->tcp)
			return i;
	return NOBODY;
}

/* --- shapes ------------------------------------------------------------------------------------------ */

static struct pair *find_pair(const struct sim_world *w, uint32_t a, uint32_t b)
{
	uint32_t low = a < b ? a : b, high = a < b ? b : a;

	for (size_t i = 0; i < w->pair_count; i++)
		if (w->pair[i].a == low && w->pair[i].b == high)
			return &w->pair[i];
	return NULL;
}

struct sim_shape sim_default_shape(const struct sim_world *w)
{
	return w->cfg.shape;
}

void sim_set_default_shape(struct sim_world *w, const struct sim_shape *shape)
{
	w->cfg.shape = *shape;
}

struct sim_shape sim_shape_of(const struct sim_world *w, uint32_t a, uint32_t b)
{
	const struct pair *p = find_pair(w, a, b);

	return p ? p->shape : w->cfg.shape;
}

enum err sim_shape(struct sim_world *w, uint32_t a, uint32_t b, const struct sim_shape *shape)
{
	struct pair *p = find_pair(w, a, b);

	if (!p) {
		w->pair = sim__grow(w, w->pair, &w->pair_room, w->pair_count + 1, sizeof(*p));
		if (w->fault)
			return ERR_MEM;
		p = &w->pair[w->pair_count++];
		p->a = a < b ? a : b;
		p->b = a < b ? b : a;
	}
	p->shape = *shape;
	sim__note(w, 's', a, b, NULL, 0);
	sim__reshape(w, a, b);
	return OK;
}

/* --- the world itself ---------------------------------------------------------------------------------- */

enum err sim_new(struct sim_world **out, const struct sim_config *cfg)
{
	struct sim_world *w = calloc(1, sizeof(*w));
	enum err err;

	if (!w)
		return ERR_MEM;
	w->cfg = *cfg;
	w->now_ms = START_MS;
	w->wait_head = w->wait_tail = NOBODY;
	keccak_init(&w->trace);
	w->port = rng_seeded_init(&w->rng, cfg->seed);
	w->host = calloc(SIM_HOSTS_MAX, sizeof(struct host *));
	err = w->host ? crypto_new(&w->crypto, &w->port) : ERR_MEM;
	if (err) {
		sim_free(w);
		return err;
	}
	*out = w;
	return OK;
}

void sim_free(struct sim_world *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->host_count; i++) {
		sim_kill(w, i);
		free(w->host[i]);
	}
	sim__wires_free(w);
	crypto_free(w->crypto);
	free(w->host);
	free(w->heap);
	free(w->job);
	free(w->pair);
	free(w);
}

uint64_t sim_now_ms(const struct sim_world *w)
{
	return w->now_ms;
}

struct crypto *sim_crypto(struct sim_world *w)
{
	return w->crypto;
}

struct rng sim_rng(struct sim_world *w)
{
	return w->port;
}

uint32_t sim_host_count(const struct sim_world *w)
{
	return w->host_count;
}

const char *sim_fault(const struct sim_world *w)
{
	return w->fault;
}

void sim_totals(const struct sim_world *w, struct sim_totals *out)
{
	*out = w->totals;
}

uint64_t sim_host_bytes(const struct sim_world *w, uint32_t host)
{
	return w->host[host]->bytes_sent;
}

void sim_digest(const struct sim_world *w, uint8_t out[static 32])
{
	keccak_peek(&w->trace, out);
}
