/* SPDX-License-Identifier: MIT */
/* Two Whisper machines, linked, and a third party whose packets the bytes make up:
 * what it sends, how time passes, what is posted, filtered, set, refused.  Packets
 * arrive, an error ends one peer and nothing else, deadlines lie ahead, caps hold,
 * sums are right, and at the end everything was given back (hardening W1 to W8).
 *
 * input	options, then operations: a byte each, and what they read
 */
#include "shh/internal.h"
#include "tests/fuzz/fuzz.h"

#define OPS_MAX	  120
#define POLLS_MAX 200000
#define START_S	  1600000000u
#define QUEUE	  256

struct node {
	struct mem mem;
	struct rng_seeded seed;
	struct shh *shh;
	bool linked, guest; /* who is there: the other machine, the third party */
	uint32_t link_peer, guest_peer;
	enum err guest_err; /* what shh_recv() said when it ended */
	bool guest_dropped;
	struct {
		uint32_t code;
		struct blob *blob;
	} queue[QUEUE]; /* from the other machine, not yet taken */
	unsigned queued, posts, posted;
	uint32_t filters[8], job;
};

struct world {
	struct node node[2];
	uint64_t now_ms;
	uint8_t packet[70000];
};

static struct crypto *crypto;

static void guest_join(struct world *w, struct node *n, unsigned arg)
{
	static const char *const names[] = { "sotto/0.1",   "Geth/v1.8.27",
					     "Geth/v1.9.1", "Parity-network",
					     "nim-eth-p2p", "wnode/v6.0",
					     NULL,	    "StatusIM/1" };
	struct shh_peer_info info = { .client = names[arg % 8],
				      .host_key = arg >> 4,
				      .trusted = (arg & 8) != 0,
				      .one_byte_codes = (arg & 0x10) != 0,
				      .code_offset = 16 };

	if (n->guest)
		return;
	n->guest = shh_peer_add(n->shh, &n->guest_peer, &info, w->now_ms) == OK;
	n->guest_err = OK;
	n->guest_dropped = false;
}

static void link_up(struct world *w)
{
	struct shh_peer_info info = { .client = "sotto/0.1", .host_key = 1000 };

	for (unsigned i = 0; i < 2; i++) {
		struct node *n = &w->node[i];

		if (!n->linked)
			n->linked = shh_peer_add(n->shh, &n->link_peer, &info, w->now_ms) == OK;
	}
	for (unsigned i = 0; i < 2; i++) /* half a link is none */
		if (!w->node[1 - i].linked && w->node[i].linked) {
			shh_peer_remove(w->node[i].shh, w->node[i].link_peer, w->now_ms);
			w->node[i].linked = false;
		}
}

static void queue_clear(struct node *n)
{
	while (n->queued > 0)
		blob_unref(n->queue[--n->queued].blob);
}

static void link_down(struct world *w)
{
	for (unsigned i = 0; i < 2; i++) {
		struct node *n = &w->node[i];

		if (n->linked)
			shh_peer_remove(n->shh, n->link_peer, w->now_ms);
		n->linked = false;
		queue_clear(n);
	}
}

static void on_send(struct world *w, unsigned i, const struct shh_event *ev)
{
	struct node *n = &w->node[i], *other = &w->node[1 - i];
	struct blob *b = ev->u.send.payload;

	fuzz_check(ev->u.send.code < SHH_CODES && b->len > 0);
	fuzz_check(b->len <= SHH_MESSAGE_MAX);
	if (n->linked && ev->peer == n->link_peer && other->queued < QUEUE) {
		other->queue[other->queued].code = ev->u.send.code;
		other->queue[other->queued++].blob = b;
		return;
	}
	fuzz_check(ev->peer == n->link_peer || ev->peer == n->guest_peer);
	blob_unref(b);
}

static void on_drop(struct world *w, unsigned i, const struct shh_event *ev)
{
	struct node *n = &w->node[i];

	fuzz_check(ev->u.drop.err != OK && ev->u.drop.why != NULL);
	if (n->guest && ev->peer == n->guest_peer) {
		fuzz_check(n->guest_err == OK || n->guest_err == ev->u.drop.err);
		n->guest = false;
		return;
	}
	fuzz_check(n->linked && ev->peer == n->link_peer);
	/* our own machines never offend each other */
	fuzz_check(ev->u.drop.err == ERR_MEM || ev->u.drop.err == ERR_TIMEOUT ||
		   ev->u.drop.err == ERR_USELESS);
	n->linked = false;
	link_down(w);
}

static void on_job(struct world *w, struct node *n, const struct shh_event *ev)
{
	struct shh_seal_progress p = { 0 };
	struct shh_seal_job job = *ev->u.job.seal;

	n->job = ev->u.job.id;
	fuzz_check(job.hashes_max > 0);
	shh_seal_run(&job, &p, 2000); /* often enough, often not */
	shh_job_done(n->shh, n->job, &p, w->now_ms);
}

static void on_event(struct world *w, unsigned i, const struct shh_event *ev)
{
	struct node *n = &w->node[i];

	switch (ev->type) {
	case SHH_EV_SEND: on_send(w, i, ev); break;
	case SHH_EV_DROP: on_drop(w, i, ev); break;
	case SHH_EV_PAUSE: fuzz_check(ev->u.pause.until_ms > w->now_ms - 1); break;
	case SHH_EV_READY:
	case SHH_EV_DIALECT: fuzz_check(ev->u.ready.dialect < SHH_DIALECTS); break;
	case SHH_EV_MESSAGE:
		fuzz_check(ev->u.message.plain->payload.len <= SHH_PAYLOAD_MAX);
		fuzz_check(ev->u.message.filter != 0);
		break;
	case SHH_EV_POSTED:
		n->posted++;
		fuzz_check(n->posted <= n->posts);
		break;
	case SHH_EV_JOB: on_job(w, n, ev); break;
	case SHH_EV_JOB_CANCEL:
	case SHH_EV_CONFIRMED: break;
	}
}

static bool drain(struct world *w, unsigned i)
{
	struct shh_event ev;
	unsigned polls = 0;

	while (shh_poll(w->node[i].shh, &ev)) {
		on_event(w, i, &ev);
		fuzz_check(++polls < POLLS_MAX);
	}
	fuzz_check(shh_deadline(w->node[i].shh) > w->now_ms);
	return polls > 0;
}

/* Hand over what was sent, in order. */
static bool deliver(struct world *w, unsigned i)
{
	struct node *n = &w->node[i];
	unsigned count = n->queued;

	for (unsigned k = 0; k < count && n->linked; k++) {
		struct blob *b = blob_ref(n->queue[k].blob);
		enum err err = shh_recv(n->shh, n->link_peer, n->queue[k].code,
					span_of(b->data, b->len), w->now_ms);

		blob_unref(b);
		fuzz_check(err == OK || err == ERR_MEM || err == ERR_USELESS || err == ERR_STATE);
	}
	queue_clear(n);
	return count > 0;
}

static void settle(struct world *w)
{
	bool any = true;

	for (unsigned turns = 0; any && turns < 50; turns++) {
		any = drain(w, 0);
		any = drain(w, 1) || any;
		any = deliver(w, 0) || any;
		any = deliver(w, 1) || any;
	}
}

static void check(const struct world *w)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct shh *s = w->node[i].shh;
		struct shh_stats st;

		shh_stats(s, &st);
		fuzz_check(st.pool_count + st.evicted + st.expired == s->pool.next_seq);
		fuzz_check(st.pool_bytes <= s->pool.bytes_max);
		fuzz_check(st.peers <= 3 && st.jobs <= SHH_JOBS_MAX);
		fuzz_check(st.duplicates + st.envelopes_new <= st.envelopes_in);
	}
}

static void guest_recv(struct world *w, struct node *n, uint32_t code, struct span payload)
{
	enum err err;

	if (!n->guest)
		return;
	err = shh_recv(n->shh, n->guest_peer, code, payload, w->now_ms);
	if (err != OK && err != ERR_STATE)
		n->guest_err = err;
}

/* A Messages packet of envelopes that are well formed, if nothing else. */
static struct span packet_make(struct world *w, struct span *in, const uint64_t now_s)
{
	struct rlp_writer wr = rlp_writer_init(w->packet, sizeof(w->packet));
	size_t at = rlp_list_begin(&wr);
	unsigned count = 1 + (fuzz_u8(in) & 15);

	for (unsigned i = 0; i < count; i++) {
		unsigned ttl = 1 + fuzz_u8(in) % 60, age = fuzz_u8(in) % 16, len = fuzz_u8(in);
		uint8_t data[300], content[400], raw[420];
		struct shh_topic topic = { { 1, 2, 3, fuzz_u8(in) & 3 } };
		size_t n;

		memset(data, (int)fuzz_u8(in), sizeof(data));
		data[0] = 4;
		n = shh_content_write(content, sizeof(content), now_s + ttl + 4 - age, ttl, topic,
				      span_of(data, len));
		n = shh_envelope_write(raw, span_of(content, n), fuzz_u8(in));
		rlp_write_raw(&wr, raw, n);
	}
	rlp_list_end(&wr, at);
	return span_of(w->packet, wr.err == OK ? wr.len : 0);
}

static void post(struct world *w, struct node *n, unsigned arg)
{
	struct symkey key;
	struct shh_post p = { .sym = &key, .direct = -1, .pow_time_ms = 1 };
	uint8_t text[8] = { 0 };
	uint32_t id;

	memset(key.b, 1 + (arg & 1), sizeof(key.b));
	p.payload = span_of(text, arg & 7);
	p.topic = (struct shh_topic){ { 1, 2, 3, arg >> 4 & 3 } };
	p.ttl_s = 1 + (arg & 31);
	p.pow = (arg & 0x40) != 0 ? 0.01 : shh_min_pow(n->shh);
	p.form = (arg & 2) != 0 ? SHH_FORM_PARITY : SHH_FORM_GETH;
	if ((arg & 0x80) != 0 && n->guest)
		p.direct = (int32_t)n->guest_peer;
	n->posts += shh_post(n->shh, &id, &p, w->now_ms) == OK;
}

static void filter(struct world *w, struct node *n, unsigned arg)
{
	struct symkey key;
	struct shh_topic topics[2] = { { { 1, 2, 3, arg & 3 } }, { { 1, 2, 3, arg >> 2 & 3 } } };
	struct shh_filter f = { .sym = &key, .topics = topics, .direct = (arg & 0x10) != 0 };
	uint32_t *slot = &n->filters[arg >> 5];

	memset(key.b, 1 + (arg & 1), sizeof(key.b));
	f.topic_count = (arg >> 3 & 1) * 2;
	if (*slot != 0) {
		fuzz_check(shh_filter_remove(n->shh, *slot, w->now_ms) == OK);
		*slot = 0;
	} else if (shh_filter_add(n->shh, slot, &f, w->now_ms) != OK) {
		*slot = 0;
	}
}

static void set(struct world *w, struct node *n, unsigned arg)
{
	struct shh_bloom b;

	memset(b.b, (int)arg, sizeof(b.b));
	switch (arg & 7) {
	case 0: (void)!shh_set_min_pow(n->shh, (double)(arg >> 3) / 1000, w->now_ms); break;
	case 1: shh_set_bloom(n->shh, arg < 128 ? &b : NULL, w->now_ms); break;
	case 2: shh_set_bloom_auto(n->shh, arg < 128, w->now_ms); break;
	case 3: (void)!shh_set_message_max(n->shh, 1024u + arg * 300u); break;
	case 4: shh_set_light(n->shh, arg < 128, w->now_ms); break;
	case 5: shh_set_pressure(n->shh, arg < 128); break;
	case 6:
		shh_set_wall_offset(n->shh, (int64_t)START_S * 1000 +
						    ((int64_t)arg - 128) * (arg & 8 ? 100 : 2000));
		break;
	default:
		if (n->guest)
			shh_peer_credit(n->shh, n->guest_peer, arg * 100u, w->now_ms);
		break;
	}
}

static void operate(struct world *w, unsigned op, struct span *in)
{
	struct node *n = &w->node[op >> 7];
	uint64_t now_s = shh__now_s(n->shh);
	struct span s;
	size_t len;

	switch (op & 15) {
	case 0: guest_join(w, n, fuzz_u8(in)); break;
	case 1: /* bytes of their own making, any code */
		len = fuzz_u8(in);
		if (span_take(in, &s, size_min(len, in->len)))
			guest_recv(w, n, op >> 4 & 7, s);
		break;
	case 2:
		len = fuzz_u8(in);
		if (span_take(in, &s, size_min(len, in->len)))
			guest_recv(w, n, 120 + (op >> 4 & 7), s);
		break;
	case 3: guest_recv(w, n, SHH_STATUS, span_of("\xc4\x06\x80\x80\x80", 5)); break;
	case 4: guest_recv(w, n, SHH_STATUS, span_of("\xc0", 1)); break;
	case 5:
	case 6: guest_recv(w, n, SHH_MESSAGES, packet_make(w, in, now_s)); break;
	case 7:
		s = packet_make(w, in, now_s);
		guest_recv(w, n, SHH_P2P_MESSAGE, s);
		break;
	case 8: post(w, n, fuzz_u8(in)); break;
	case 9: filter(w, n, fuzz_u8(in)); break;
	case 10: set(w, n, fuzz_u8(in)); break;
	case 11:
		w->now_ms += 1u << (fuzz_u8(in) & 15);
		for (unsigned i = 0; i < 2; i++)
			shh_tick(w->node[i].shh, w->now_ms);
		break;
	case 12:
		if (n->guest)
			shh_peer_remove(n->shh, n->guest_peer, w->now_ms);
		n->guest = false;
		break;
	case 13: link_up(w); break;
	case 14: link_down(w); break;
	default: n->mem.fail_after = (op & 0x40) != 0 ? fuzz_u8(in) : UINT64_MAX; break;
	}
}

static void node_make(struct world *w, unsigned i, unsigned options)
{
	struct node *n = &w->node[i];
	struct shh_config cfg;

	mem_init(&n->mem);
	shh_config_init(&cfg);
	cfg.mem = &n->mem;
	cfg.crypto = crypto;
	cfg.rng = rng_seeded_init(&n->seed, i);
	cfg.wall_offset_ms = (int64_t)START_S * 1000;
	cfg.min_pow = (options & 1) != 0 ? 0.002 : 0;
	cfg.confirmations = (options & 2) != 0;
	cfg.delay_ms = (options & 4) != 0 ? 30 : 0;
	cfg.pool_count = (options & 8) != 0 ? 20 : 1000;
	cfg.bridge = (options & 16) != 0;
	cfg.pace = (options & 32) != 0 ? 1000 : 0;
	fuzz_check(shh_new(&n->shh, &cfg, NULL, w->now_ms) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct span in = span_of(data, size);
	struct rng_seeded seed;

	if (crypto == NULL) {
		struct rng rng = rng_seeded_init(&seed, 1);

		fuzz_check(crypto_new(&crypto, &rng) == OK);
	}
	memset(&w, 0, sizeof(w));
	w.now_ms = 1000;
	for (unsigned i = 0; i < 2; i++)
		node_make(&w, i, fuzz_u8(&in));
	for (unsigned i = 0; i < OPS_MAX && in.len > 0; i++) {
		operate(&w, fuzz_u8(&in), &in);
		settle(&w);
		check(&w);
	}
	for (unsigned i = 0; i < 2; i++) {
		queue_clear(&w.node[i]);
		shh_free(w.node[i].shh);
	}
	for (unsigned i = 0; i < 2; i++)
		fuzz_check(w.node[i].mem.total_used == 0);
	return 0;
}
