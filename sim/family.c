/* SPDX-License-Identifier: MIT */
/* sim/family.c - what the four families do with envelopes.
 *
 *			geth 1.8, 1.9		nim-eth		parity
 *	Status		four items		four, bloom	empty list
 *	wants		four items		not empty	anything
 *	too little work	leaves (0x10)		drops		takes it
 *	from the future	leaves past 10 s	drops past 2 s	leaves past 2 s
 *	expired		leaves past 20 s	drops		takes it
 *	broadcasts	every 300 ms		300 ms		2,500 ms
 *	reads		geth's layout		geth's		its own
 */
#include "sim/family.h"

#include <stdlib.h>

#define LINKS	   64 /* of a stranger */
#define WORK_MAX   ((uint64_t)1 << 26)
#define PACKET_MAX 1048576 /* of geth */

struct entry {
	uint8_t *content;
	size_t content_len;
	struct span data; /* within content */
	uint64_t nonce, expiry;
	double pow;
	uint8_t hash[32];
	uint64_t known; /* links that have it */
	bool told;	/* opened already, or tried */
};

struct link {
	bool up, ready;
	uint32_t number; /* of the node's link */
	double min_pow;
	bool has_bloom;
	struct shh_bloom bloom;
};

struct family {
	enum family_kind kind;
	struct sim_world *w;
	uint32_t host;
	double min_pow;
	struct family_channel channel;
	struct aes_gcm *gcm;
	void (*heard)(void *ctx, uint32_t host, struct span payload, const uint8_t hash[static 32]);
	void *ctx;
	struct link link[LINKS];
	struct entry *entry;
	size_t count, room;
	uint64_t due_ms;
	struct family_figures figures;
};

static const struct {
	const char *name, *client;
	enum shh_rule rule;
	enum shh_form form;
	uint64_t period_ms;
} traits[FAMILIES] = {
	[FAMILY_GETH18] = { "geth18", "Geth/v1.8.27-stable-4bcc0a37/linux-amd64/go1.10.4",
			    SHH_RULE_GETH18, SHH_FORM_GETH, 300 },
	[FAMILY_GETH19] = { "geth19", "Geth/v1.9.18-stable-f5382591/linux-amd64/go1.14.6",
			    SHH_RULE_GETH19, SHH_FORM_GETH, 300 },
	[FAMILY_NIMBUS] = { "nimbus", "nim-eth-p2p/0.2.0", SHH_RULE_NIMBUS, SHH_FORM_GETH, 300 },
	[FAMILY_PARITY] = { "parity", "Parity-Ethereum/v2.4.9-stable/x86_64-linux-gnu/rustc1.36.0",
			    SHH_RULE_EIP627, SHH_FORM_PARITY, 2500 },
};

static const struct rlpx_capability shh_capability = {
	.name = "shh",
	.version = 6,
	.length = SHH_CODES,
};

const char *family_name(enum family_kind kind)
{
	return traits[kind].name;
}

void family_node_config(struct node_config *cfg, enum family_kind kind)
{
	node_config_init(cfg);
	cfg->client = traits[kind].client;
	cfg->no_shh = true;
	cfg->extra = &shh_capability;
	cfg->extra_count = 1;
}

/* --- sending ----------------------------------------------------------------------------- */

static struct link *link_at(struct family *f, uint32_t number)
{
	return number < LINKS && f->link[number].up ? &f->link[number] : NULL;
}

static void send(struct family *f, const struct link *l, uint32_t code, const uint8_t *payload,
		 size_t len)
{
	struct node *n = sim_node(f->w, f->host);
	struct blob *b;

	if (!n || blob_new(&b, sim_mem(f->w, f->host), MEM_SEND, len) != OK)
		return;
	memcpy(b->data, payload, len);
	if (node_send(n, l->number, 0, code, b, sim_now_ms(f->w)) != OK)
		blob_unref(b);
}

static void leave(struct family *f, struct link *l, unsigned reason)
{
	struct node *n = sim_node(f->w, f->host);

	l->up = l->ready = false;
	if (n)
		node_disconnect(n, l->number, reason, sim_now_ms(f->w));
}

static void send_status(struct family *f, const struct link *l)
{
	struct shh_status st = { .form = SHH_STATUS_FOUR, .min_pow = f->min_pow };
	uint8_t out[SHH_STATUS_MAX];
	size_t len;

	if (f->kind == FAMILY_PARITY) {
		out[0] = 0xc0;
		send(f, l, SHH_STATUS, out, 1);
		return;
	}
	if (f->kind == FAMILY_NIMBUS) {
		st.has_bloom = st.bloom_was_sent = true;
		memset(st.bloom.b, 0xff, sizeof(st.bloom.b));
	}
	len = shh_status_write(out, sizeof(out), &st);
	send(f, l, SHH_STATUS, out, len);
}

/* --- the pool -------------------------------------------------------------------------------- */

static void wake(struct family *f)
{
	uint64_t period = traits[f->kind].period_ms;

	if (f->due_ms == UINT64_MAX)
		f->due_ms = (sim_now_ms(f->w) / period + 1) * period;
}

static struct entry *find(struct family *f, const uint8_t hash[static 32])
{
	for (size_t i = 0; i < f->count; i++)
		if (memcmp(f->entry[i].hash, hash, 32) == 0)
			return &f->entry[i];
	return NULL;
}

/* Open what the channel's key opens, in the one layout that this family knows. */
static void try_open(struct family *f, struct entry *e)
{
	uint8_t *out = malloc(e->data.len + 1);
	struct shh_plain plain;
	size_t len;

	e->told = true;
	if (out && shh_decrypt_sym(out, &len, e->data, f->gcm) == OK &&
	    shh_plain_read(&plain, span_of(out, len), traits[f->kind].form, sim_crypto(f->w)) == OK)
		f->heard(f->ctx, f->host, plain.payload, e->hash);
	free(out);
}

static enum err keep(struct family *f, const struct shh_envelope *env, double pow,
		     const uint8_t hash[static 32], uint64_t known)
{
	struct entry *e;
	uint8_t *content = malloc(env->content.len);

	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 64;
		struct entry *grown = reallocarray(f->entry, room, sizeof(*grown));

		if (!grown) {
			free(content);
			return ERR_MEM;
		}
		f->entry = grown;
		f->room = room;
	}
	if (!content)
		return ERR_MEM;
	memcpy(content, env->content.data, env->content.len);
	e = &f->entry[f->count++];
	*e = (struct entry){
		.content = content,
		.content_len = env->content.len,
		.data = span_of(content + (env->data.data - env->content.data), env->data.len),
		.nonce = env->nonce,
		.expiry = env->expiry,
		.pow = pow,
		.known = known,
	};
	memcpy(e->hash, hash, 32);
	wake(f);
	return OK;
}

static void expire(struct family *f)
{
	uint64_t now_s = sim_wall_s(f->w, f->host);
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++) {
		if (f->entry[i].expiry < now_s)
			free(f->entry[i].content);
		else
			f->entry[kept++] = f->entry[i];
	}
	f->count = kept;
}

static bool is_wanted(const struct link *l, const struct entry *e)
{
	struct shh_bloom sample;
	struct shh_envelope env;
	struct rlp_reader r = rlp_reader_init(e->content, e->content_len);

	if (e->pow < l->min_pow)
		return false;
	if (!l->has_bloom)
		return true;
	/* The topic is the third field. */
	rlp_skip(&r);
	rlp_skip(&r);
	memcpy(env.topic.b, rlp_read_fixed(&r, SHH_TOPIC_SIZE), SHH_TOPIC_SIZE);
	shh_bloom_of(&sample, env.topic, SHH_BLOOM_GETH);
	return shh_bloom_match(&l->bloom, &sample);
}

/* All that one link lacks, in one packet, as geth does. */
static void broadcast_to(struct family *f, struct link *l)
{
	uint64_t bit = (uint64_t)1 << (l - f->link);
	struct rlp_writer w;
	size_t size = 0;
	uint8_t *out;

	for (size_t i = 0; i < f->count; i++) {
		struct entry *e = &f->entry[i];

		if (!(e->known & bit) && is_wanted(l, e))
			size += shh_envelope_size(e->content_len, e->nonce);
	}
	if (size == 0)
		return;
	out = malloc(rlp_size_list(size));
	if (!out)
		return;
	w = rlp_writer_init(out, rlp_size_list(size));
	rlp_write_list(&w, size);
	for (size_t i = 0; i < f->count; i++) {
		struct entry *e = &f->entry[i];

		if ((e->known & bit) || !is_wanted(l, e))
			continue;
		w.len += shh_envelope_write(out + w.len, span_of(e->content, e->content_len),
					    e->nonce);
		e->known |= bit;
		f->figures.sent++;
	}
	send(f, l, SHH_MESSAGES, out, w.len);
	free(out);
}

void family_broadcast(struct family *f)
{
	f->due_ms = UINT64_MAX;
	expire(f);
	for (size_t i = 0; i < f->count; i++)
		if (!f->entry[i].told)
			try_open(f, &f->entry[i]);
	for (size_t i = 0; i < LINKS; i++)
		if (f->link[i].up && f->link[i].ready)
			broadcast_to(f, &f->link[i]);
}

/* --- intake ---------------------------------------------------------------------------------- */

enum verdict { TAKE, DROP, LEAVE };

static enum verdict judge_time(const struct family *f, const struct shh_envelope *env)
{
	uint64_t now_s = sim_wall_s(f->w, f->host), sent = env->expiry - env->ttl;

	switch (f->kind) {
	case FAMILY_GETH18:
	case FAMILY_GETH19:
		if (sent > now_s + 10)
			return LEAVE;
		if (env->expiry < now_s)
			return env->expiry + 20 < now_s ? LEAVE : DROP;
		return TAKE;
	case FAMILY_NIMBUS:
		return env->ttl == 0 || env->expiry < now_s || sent > now_s + 2 ? DROP : TAKE;
	case FAMILY_PARITY:
		return env->ttl == 0 || env->expiry <= env->ttl || sent > now_s + 2 ? LEAVE : TAKE;
	case FAMILIES: break;
	}
	return DROP;
}

static enum verdict judge(const struct family *f, const struct shh_envelope *env, double *pow)
{
	enum shh_rule rule = traits[f->kind].rule;
	enum verdict v = judge_time(f, env);
	unsigned bits;

	if (v != TAKE)
		return v;
	bits = shh_work_bits(env->content, env->nonce, shh_rule_digest(rule));
	*pow = shh_work_value(rule, bits, env);
	/* geth tolerates 0.2 whatever it announces. */
	if (*pow >= f->min_pow || f->kind == FAMILY_PARITY)
		return TAKE;
	if (f->kind == FAMILY_NIMBUS)
		return DROP;
	return *pow >= 0.2 ? TAKE : LEAVE;
}

static void on_messages(struct family *f, struct link *l, struct span payload)
{
	struct rlp_reader r = rlp_reader_init(payload.data, payload.len), list;
	uint64_t bit = (uint64_t)1 << (l - f->link);
	struct shh_envelope env;
	bool offended = payload.len > PACKET_MAX;
	uint8_t hash[32];

	rlp_read_list(&r, &list);
	while (!rlp_reader_at_end(&list) && shh_envelope_read(&env, &list) == OK) {
		struct entry *known;
		double pow = 0;
		enum verdict v = judge(f, &env, &pow);

		f->figures.received++;
		f->figures.refused += v != TAKE;
		offended |= v == LEAVE;
		if (v != TAKE)
			continue;
		shh_envelope_hash(hash, env.content, env.nonce);
		known = find(f, hash);
		if (known) {
			known->known |= bit;
			f->figures.duplicates++;
		} else if (keep(f, &env, pow, hash, bit) != OK) {
			return;
		}
	}
	if (rlp_reader_err(&list) != OK)
		leave(f, l, RLPX_BREACH);
	else if (offended)
		leave(f, l, RLPX_SUBPROTOCOL);
}

static void on_status(struct family *f, struct link *l, struct span payload)
{
	struct shh_status st;

	if (shh_status_read(&st, payload) != OK ||
	    (st.form == SHH_STATUS_EMPTY && f->kind != FAMILY_PARITY)) {
		leave(f, l, f->kind == FAMILY_NIMBUS ? RLPX_BREACH : RLPX_SUBPROTOCOL);
		return;
	}
	l->ready = true;
	l->min_pow = st.min_pow;
	l->has_bloom = st.has_bloom && f->kind != FAMILY_PARITY;
	l->bloom = st.bloom;
	wake(f);
}

static void on_message(struct family *f, struct link *l, uint32_t code, struct span payload)
{
	double pow;

	if (!l->ready && code != SHH_STATUS && f->kind != FAMILY_NIMBUS) {
		leave(f, l, RLPX_SUBPROTOCOL);
		return;
	}
	if (code == SHH_STATUS && !l->ready)
		on_status(f, l, payload);
	else if (code == SHH_MESSAGES)
		on_messages(f, l, payload);
	else if (code == SHH_POW && shh_pow_read(&pow, payload) == OK)
		l->min_pow = pow;
	else if (code == SHH_BLOOM && shh_bloom_read(&l->bloom, payload) == OK)
		l->has_bloom = f->kind != FAMILY_PARITY;
}

void family_event(struct family *f, const struct node_event *ev)
{
	struct link *l = link_at(f, ev->link);

	if (ev->type == NODE_EV_STEP && ev->u.step.step == NODE_STEP_HELLO && ev->link < LINKS) {
		uint64_t bit = (uint64_t)1 << ev->link;

		l = &f->link[ev->link];
		*l = (struct link){ .up = true, .number = ev->link };
		for (size_t i = 0; i < f->count; i++)
			f->entry[i].known &= ~bit;
		send_status(f, l);
	} else if (ev->type == NODE_EV_DOWN && l) {
		l->up = l->ready = false;
	} else if (ev->type == NODE_EV_MESSAGE && l) {
		on_message(f, l, ev->u.message.code, ev->u.message.payload);
	}
}

uint64_t family_due_ms(const struct family *f)
{
	return f->due_ms;
}

/* --- posting ----------------------------------------------------------------------------------- */

/* The smallest sufficient nonce: geth's search, and good enough for the others. */
static uint64_t seal(const struct family *f, const struct shh_envelope *env, double pow)
{
	enum shh_rule rule = traits[f->kind].rule;
	struct shh_seal_progress p = { .next = 0 };
	struct shh_seal_job job = { .digest = shh_rule_digest(rule), .hashes_max = WORK_MAX };

	job.bits = shh_work_bits_needed(rule, pow, env);
	shh_seal_search_init(&job.search, env->content, job.digest);
	while (!p.done)
		shh_seal_run(&job, &p, 65536);
	return p.nonce;
}

static enum err pool_own(struct family *f, struct span data, uint32_t ttl_s, double pow)
{
	uint64_t expiry = sim_wall_s(f->w, f->host) + ttl_s;
	size_t max = shh_content_size(expiry, ttl_s, data.len, data.data);
	struct shh_envelope env = { .expiry = expiry, .ttl = ttl_s, .topic = f->channel.topic };
	uint8_t *content = malloc(max);
	uint8_t hash[32];
	unsigned bits;
	enum err err;

	if (!content)
		return ERR_MEM;
	env.content = span_of(
		content, shh_content_write(content, max, expiry, ttl_s, f->channel.topic, data));
	env.data = span_of(content + env.content.len - data.len, data.len);
	env.nonce = seal(f, &env, pow);
	bits = shh_work_bits(env.content, env.nonce, shh_rule_digest(traits[f->kind].rule));
	shh_envelope_hash(hash, env.content, env.nonce);
	err = keep(f, &env, shh_work_value(traits[f->kind].rule, bits, &env), hash, 0);
	free(content);
	return err;
}

enum err family_post(struct family *f, struct span payload, uint32_t ttl_s, double pow)
{
	struct shh_plain m = { .form = traits[f->kind].form, .payload = payload };
	struct rng rng = sim_rng(f->w);
	size_t room = shh_plain_room(&m), len = 0;
	uint8_t *plain = malloc(room), *data = malloc(room + SHH_SYM_OVERHEAD);
	enum err err = plain && data ? OK : ERR_MEM;

	if (!err)
		err = shh_plain_write(plain, &len, room, &m, NULL, sim_crypto(f->w), &rng);
	if (!err)
		err = shh_encrypt_sym(data, span_of(plain, len), f->gcm, &rng);
	if (!err)
		err = pool_own(f, span_of(data, len + SHH_SYM_OVERHEAD), ttl_s, pow);
	free(plain);
	free(data);
	return err;
}

/* --- made and freed -------------------------------------------------------------------------------- */

enum err family_new(struct family **out, struct sim_world *w, uint32_t host, enum family_kind kind,
		    double min_pow, const struct family_channel *channel,
		    void (*heard)(void *ctx, uint32_t host, struct span payload,
				  const uint8_t hash[static 32]),
		    void *ctx)
{
	struct family *f = calloc(1, sizeof(*f));
	enum err err;

	if (!f)
		return ERR_MEM;
	err = aes_gcm_new(&f->gcm, channel->key.b);
	if (err) {
		free(f);
		return err;
	}
	f->kind = kind;
	f->w = w;
	f->host = host;
	f->min_pow = min_pow;
	f->channel = *channel;
	f->heard = heard;
	f->ctx = ctx;
	f->due_ms = UINT64_MAX;
	*out = f;
	return OK;
}

void family_restart(struct family *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->entry[i].content);
	f->count = 0;
	f->due_ms = UINT64_MAX;
	memset(f->link, 0, sizeof(f->link));
}

void family_free(struct family *f)
{
	if (!f)
		return;
	family_restart(f);
	free(f->entry);
	aes_gcm_free(f->gcm);
	free(f);
}

void family_figures(const struct family *f, struct family_figures *out)
{
	*out = f->figures;
}
